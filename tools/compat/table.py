# SPDX-License-Identifier: MPL-2.0
"""The kernel's table of calls as text: rows, flag sets, commands, struct layouts. It is written in macros so regular that patterns read it."""

import os
import re
from collections import namedtuple

SETS = ("kernel/syscall/sets_file.c", "kernel/syscall/sets_proc.c")
ROWS, LAYOUTS, NAMES = "kernel/syscall/table.h", "kernel/syscall/layouts.c", "kernel/syscall/names.h"
STATES = {"YES": "supported", "FIELD": "supported", "OP": "supported", "YES_AS": "supported", "IGN": "ignored", "IGN_FIELD": "ignored",
          "IGN_AS": "ignored", "NO": "refused", "NO_FIELD": "refused", "NO_OP": "refused"}
FLAG_KINDS = ("FLAGS", "FLAGS_UNCHECKED", "CLONE_FLAGS", "ENUM", "ENUM_BITS", "SIGNAL")
SIGNALS = "signal_names"  # the set of every SIGNAL
STRUCT_KINDS = ("STRUCT_IN", "STRUCT_OUT", "STRUCTS_IN", "STRUCTS_OUT")

Arg = namedtuple("Arg", "kind name of")             # of: the set, layout or commands it names, or ""
Row = namedtuple("Row", "number name args line")
Set = namedtuple("Set", "file line error supported ignored refused")    # error: "" if the set itself refuses nothing
Command = namedtuple("Command", "name of")


class Table:
    """rows: {call: Row}; sets: {name: Set}; commands: {name: [Command]}; layouts: {name: {field: set}}."""

    def __init__(self, root):
        self.root = root
        self.rows = {name: Row(int(number), name, self._args(rest), line) for line, number, name, rest in self._find_rows()}
        self.sets, self.commands, self.layouts = {}, {}, {}
        for path in SETS:
            self._read_sets(path, self._text(path))
        for name, body in re.findall(r"^LAYOUT\((\w+),(.*?)\);$", self._text(LAYOUTS), re.M | re.S):
            self.layouts[name] = {shown or field: of for field, of, shown
                                  in re.findall(r"F_SET(?:_AS)?\([\w ]+, ([\w.]+), (\w+)(?:, \"([\w.]+)\")?\)", body)}

    def _text(self, path):
        try:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _find_rows(self):
        for line, text in enumerate(self._text(ROWS).split("\n"), 1):
            match = re.match(r"ROW\((\d+), (\w+)(.*)\)$", text)
            if match:
                yield (line, *match.groups())

    @staticmethod
    def _args(text):
        found = []
        for kind, words in re.findall(r"(\w+)\(([^()]*)\)", text):
            words = [word.strip() for word in words.split(",")]
            found.append(Arg(kind, words[0], SIGNALS if kind == "SIGNAL" else words[1] if len(words) > 1 else ""))
        return found

    def _read_sets(self, path, text):
        for match in re.finditer(r"^(FLAG_SET|OPEN_SET)\((\w+),(.*?)\);$", text, re.M | re.S):
            kind, name, body = match.groups()
            error = re.match(r"\s*(\w+)", body)[1] if kind == "FLAG_SET" else ""
            new = Set(path, text.count("\n", 0, match.start()) + 1, error, set(), set(), set())
            for macro, words in re.findall(r"\b(%s)\(([^()]*(?:\([^()]*\))?[^()]*)\)" % "|".join(STATES), body):
                words = [word.strip() for word in words.split(",")]
                getattr(new, STATES[macro]).add(words[1].strip('"') if macro.endswith("_AS") else words[0])
            self.sets[name] = new
        for body, name in re.findall(r"^static const struct command \w+\[\] = \{(.*?)^\};\nconst struct command_set (\w+)", text, re.M | re.S):
            self.commands[name] = [Command(command, of if macro == "CMD_FLAGS" else "")
                                   for macro, command, of in re.findall(r"\b(CMD\w*)\((\w+)(?:, *(\w+))?", body)]
