#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes docs/compat/README.md: every x86-64 call of the UAPI table, what Keel supports of it, and what others publish of theirs."""

import os
import re
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from compat.rules import TREE, Rules
from compat.table import Table

PAGE = os.path.join("docs", "compat", "README.md")
UAPI = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
OTHERS = ("asterinas", "graphene", "mystikos")

HEAD = """\
# Which system calls Keel supports

Made by `tools/compat/page.py` from `docs/compat/*.scml` and the kernel's table; do not edit. `./keel check` fails if it is stale, or if rules and table
differ. [How to read the rules, and to check a program against them](../scml.md).

**{yes} of the {all} calls** in Linux 6.1's x86-64 table are supported: {full} of them with all flags, {plain} have none; of {partial} some flags or commands
are refused. A call without a rule answers `ENOSYS`.

`flags`: *full*, all that Linux has work or are ignored as Linux ignores them; *partial*, the rules say which; *none*, the call has no flags. Beside
ours, what Asterinas 0.17.1, Graphene and Mystikos publish of theirs (`data/*.tsv`; a blank: they say nothing of it; Mystikos lists only calls with
limitations).

| # | call | Keel | flags | rules | Asterinas | Graphene | Mystikos |
| ---: | --- | --- | --- | --- | --- | --- | --- |
"""


def uapi_calls():
    with open(UAPI, encoding="utf-8") as file:
        found = re.findall(r"^#define __NR_(\w+) (\d+)$", file.read(), re.M)
    return sorted((int(number), name) for name, number in found)


def published(root, name):
    """{call: what they say}"""
    found = {}
    with open(os.path.join(root, "docs", "compat", "data", name + ".tsv"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                fields = line.rstrip("\n").split("\t")
                found[fields[1]] = fields[2] + (f", {fields[3]}" if len(fields) > 3 and fields[3] != "-" else "")
    return found


def flags_word(rules, table, name):
    """full, partial or none."""
    names = {ref for rule in rules.calls[name] for _, pattern in rule.members for ref in rules.flags_of(pattern)}
    has_commands = any(arg.kind == "COMMAND" for arg in table.rows[name].args) if name in table.rows else False
    if has_commands or any(rules.flags[ref].refused for ref in names if ref in rules.flags):
        return "partial"
    has_zero = any(pattern == "0" for rule in rules.calls[name] for _, pattern in rule.members)
    return "full" if has_zero or any(ref in rules.flags for ref in names) else "none"


def render(root=TREE):
    rules, table = Rules(root), Table(root)
    others = [published(root, name) for name in OTHERS]
    lines, words = [], []
    for number, name in uapi_calls():
        if name in rules.calls:
            rule = rules.calls[name][0]
            words.append(flags_word(rules, table, name))
            file = os.path.basename(rule.file)
            mine = f"yes | {words[-1]} | [{file.removesuffix('.scml')}]({file}#L{rule.line})"
        else:
            mine = "no | |"
        lines.append(f"| {number} | `{name}` | {mine} | {' | '.join(other.get(name, '') for other in others)} |")
    text = HEAD.format(yes=len(words), all=len(lines), full=words.count("full"), partial=words.count("partial"), plain=words.count("none"))
    return text + "\n".join(lines) + "\n"


if __name__ == "__main__":
    with open(os.path.join(TREE, PAGE), "w", encoding="utf-8") as page:
        page.write(render())
