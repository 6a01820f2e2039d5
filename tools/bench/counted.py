# SPDX-License-Identifier: MPL-2.0
"""Counted rows of one kernel, in as few boots as it takes.

Counts depend on nothing but what is booted, so they are kept in build/bench/kept, by a digest of
all of that. (With several CPUs two runs differ a little; that is below what is compared.)
"""

import hashlib
import json
import os
import sys

from bench import rows as rowlist
from bench.guest import Boot, Setup
from image import store
from keel import paths

RETRIES = 8  # boots that may end before their last row
COUNTERS = ("user", "kernel", "rep_user", "rep_kernel", "cr3", "flush", "port", "halt", "locked", "syscall")


def measure(kernel, rows, fresh=False, note=lambda text: None):
    """{row: result} with the counts of one operation in result["op"]."""
    results = {}
    plain = [row for row in rows if row.group not in (rowlist.CPUS, rowlist.APPS)]
    contended = [row for row in rows if row.group == rowlist.CPUS]
    apps = [row for row in rows if row.group == rowlist.APPS]
    if plain:
        results.update(_boots(Setup(kernel), plain, fresh, note))
    for cpus in rowlist.CONTENDERS if contended else ():
        found = _boots(Setup(kernel, cpus=cpus), contended, fresh, note)
        results.update({f"{name}@{cpus}": result for name, result in found.items()})
    if apps:
        results.update(_boots(Setup(kernel, root="debian-min"), apps, fresh, note))
    return results


def _boots(setup, rows, fresh, note):
    """Boot until every row has a result; a row at which the guest ends is passed over."""
    kept = _kept_path(setup, rows)
    if not fresh and os.path.exists(kept):
        with open(kept, encoding="ascii") as text:
            return json.load(text)
    results = {}
    left = [row.name for row in rows]
    whole = len(left) > 1
    for _ in range(RETRIES):
        setup.words = ["--only", ",".join(_patterns(rows) if whole else left)]
        boot = Boot(setup, on_row=note).run()
        whole = False
        results.update(boot.results)
        if boot.hung is None:
            break
        lost = boot.hung if boot.hung in left else left[0]
        results.setdefault(lost, {"failed": "the guest ended or hung here"})
        print(f"keel: {setup.kernel}: no more at {lost}\n{boot.last_words}", file=sys.stderr)
        left = [name for name in left if name not in results]
        if not left:
            break
    for result in results.values():
        if result.get("counts"):
            result["op"] = _per_operation(result)
    if all("failed" not in result for result in results.values()):
        store.write_if_changed(kept, json.dumps(results).encode())
    return results


def _patterns(rows):
    """Groups where all their rows are meant: a kernel's command line is short."""
    known = rowlist.by_group(rowlist.everything())
    patterns = []
    for group, meant in rowlist.by_group(rows).items():
        patterns += [group] if meant == known[group] else [row.name for row in meant]
    return patterns


def _per_operation(result):
    """The mean over the row's regions, of everything that is counted."""
    ops = result["ops"] * len(result["counts"])
    mean = {name: sum(counts[name] for counts in result["counts"]) / ops for name in COUNTERS}
    mean["total"] = mean["user"] + mean["kernel"]
    return mean


def _kept_path(setup, rows):
    digest = hashlib.sha256()
    machine = setup.machine()
    for path in (setup.image(), *setup.initrds(), paths.build("bench", "keelcount.so")):
        with open(path, "rb") as data:
            digest.update(hashlib.sha256(data.read()).digest())
    about = [machine.qemu_args(None, False, ""), [row.name for row in rows]]
    digest.update(json.dumps(about).encode())
    return paths.build("bench", "kept", digest.hexdigest()[:24] + ".json")
