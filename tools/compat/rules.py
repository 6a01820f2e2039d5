# SPDX-License-Identifier: MPL-2.0
"""The rules of docs/compat/*.scml, as `scml list` tells them."""

import glob
import os
import re
import subprocess
from collections import namedtuple

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCML = os.path.join(TREE, "build", "tools", "scml")

# A call or a struct: `members` is [(name, pattern)], pattern "" for none, as list.c writes it.
Rule = namedtuple("Rule", "name file line members")
# Flags of one name: {flag: errno or ""} each.
Flags = namedtuple("Flags", "file line supported ignored refused")


class BadRules(Exception):
    """The rules can't be read; scml says why."""


def scml(root, *words):
    """scml's status and output, run over the tree's rule files."""
    files = sorted(glob.glob(os.path.join(root, "docs", "compat", "*.scml")))
    names = [os.path.relpath(file, root) for file in files]
    done = subprocess.run([SCML, *words, *names], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def build():
    """Bring scml up to date."""
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", TREE, "tools"], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise BadRules(done.stdout + done.stderr)


class Rules:
    """calls, structs: {name: [Rule]}; flags: {name: Flags}."""

    def __init__(self, root=TREE):
        self.calls, self.structs, self.flags = {}, {}, {}
        build()
        status, text = scml(root, "list")
        if status:
            raise BadRules(text.rstrip())
        for line in text.splitlines():
            self._add(line.split("\t"))

    def _add(self, fields):
        kind, name, file, line = fields[0], fields[1], fields[2], int(fields[3])
        if kind == "flags":
            flags = self.flags.setdefault(name, Flags(file, line, {}, {}, {}))
            getattr(flags, fields[4]).update((flag, fields[6]) for flag in fields[5].split("|"))
        elif kind != "returns":
            found = self.calls if kind == "call" else self.structs
            found.setdefault(name, []).append(Rule(name, file, line, members(fields[4])))

    def flags_of(self, pattern):
        """Names of all flags and structs that a pattern refers to, through structs, too."""
        found, todo = set(), set(references(pattern))
        while todo:
            name = todo.pop()
            if name in found:
                continue
            found.add(name)
            for struct in self.structs.get(name, ()):
                todo.update(ref for _, inner in struct.members for ref in references(inner))
            if name in self.flags:
                todo.update(ref for flag in self.flags[name].supported for ref in references(flag))
        return found


def references(pattern):
    return [name for name in re.findall(r"<(\w+)>", pattern) if name not in ("PATH", "INTEGER")]


def members(text):
    """[(name, pattern)] of a list's members, without the final `..`."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text + ","):
        depth += (char in "{[") - (char in "}]")
        if char == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    return [(part.partition("=")[0], part.partition("=")[2]) for part in parts if part and part != ".."]
