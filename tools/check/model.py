# SPDX-License-Identifier: MPL-2.0
"""What a rule is: a number (DESIGN.md section 6), a name, the reason, a check, and the violations that prove it works.

A check is a generator over a Tree that yields Violations. `needs` says what must exist first: nothing (the text is
enough, part of --fast), 'tools' (compilers over the text), 'objects' (both builds), 'elf' (the release kernel).
A plant changes a copy of the fixture so that exactly this rule must speak.
"""
import os
from collections import namedtuple

Violation = namedtuple('Violation', 'path line message')
Plant = namedtuple('Plant', 'what edit')


class Skip(Exception):
    """Raised by a check that cannot look: what it needs failed, and another rule has said so."""


class Rule:
    def __init__(self, number, name, reason, check, plants, needs=None):
        self.number, self.name, self.reason, self.check = number, name, reason, check
        self.plants, self.needs = plants, needs

    @property
    def fast(self):
        return self.needs is None


def write(path, text):
    """Plant: a new file (or other contents for an old one)."""
    def edit(root):
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'wb') as f:
            f.write(text.encode())
    return edit


def append(path, text):
    """Plant: text at the end of a file."""
    def edit(root):
        with open(os.path.join(root, path), 'ab') as f:
            f.write(text.encode())
    return edit


def replace(path, old, new):
    """Plant: `new` for the first `old`, which must be there."""
    def edit(root):
        full = os.path.join(root, path)
        with open(full) as f:
            text = f.read()
        if old not in text:
            raise ValueError('plant: %r is not in %s' % (old, path))
        with open(full, 'w') as f:
            f.write(text.replace(old, new, 1))
    return edit


def both(*edits):
    def edit(root):
        for one in edits:
            one(root)
    return edit
