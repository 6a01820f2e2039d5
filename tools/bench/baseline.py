# SPDX-License-Identifier: MPL-2.0
"""bench/baseline.json: Keel's instructions an operation, which must not grow by more than 3%.

The file has one row a line, sorted, so that changes to it can be read.
"""

import json
import os

from keel import paths
from keel.errors import KeelError

TOLERANCE = 0.03
PATH = ("bench", "baseline.json")


def load():
    try:
        with open(paths.source(*PATH), encoding="ascii") as text:
            return json.load(text)
    except FileNotFoundError:
        raise KeelError("there is no bench/baseline.json: make it with --record") from None


def record(results):
    """Put these results into the file; rows that were not run stay. Returns its path."""
    known = load() if os.path.exists(paths.source(*PATH)) else {}
    known.update({name: round(result["op"]["total"], 1) for name, result in results.items()
                  if "op" in result})
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(known.items())]
    with open(paths.source(*PATH), "w", encoding="ascii") as text:
        text.write("{\n" + ",\n".join(lines) + "\n}\n")
    return paths.source(*PATH)


def compare(results):
    """(lines of text about rows that changed, whether none grew too much or was lost)."""
    known = load()
    lines, good = [], True
    for name, result in results.items():
        before = known.get(name)
        after = result["op"]["total"] if "op" in result else None
        if before is None:
            if after is not None:
                lines.append(f"new     {name}: {after:,.1f}")
        elif after is None:
            good = False
            lines.append(f"LOST    {name}: {result.get('none') or result.get('failed')}")
        elif after > before * (1 + TOLERANCE):
            good = False
            lines.append(f"GREW    {name}: {before:,.1f} -> {after:,.1f} ({after / before - 1:+.1%})")
        elif after < before * (1 - TOLERANCE):
            lines.append(f"shrank  {name}: {before:,.1f} -> {after:,.1f} ({after / before - 1:+.1%})")
    return lines, good
