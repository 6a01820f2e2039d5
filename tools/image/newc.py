# SPDX-License-Identifier: MPL-2.0
"""Writes cpio archives in the "newc" format (cpio(5)), from a description and without root.

The output depends on the description alone: entries are sorted, times are fixed, the owner is
root, inode numbers count from 1. So the same sources give the same bytes.
"""

import os
import stat

FIXED_TIME = 1735689600  # 2025-01-01T00:00:00Z


class Archive:
    """A tree under construction. Paths are relative ("bin/sh"); parents appear by themselves."""

    def __init__(self):
        self._entries = {}  # path -> (mode, data, rdev)

    def directory(self, path, mode=0o755):
        self._add(path, stat.S_IFDIR | mode)

    def file(self, path, data, mode=0o644):
        if isinstance(data, str):
            data = data.encode()
        self._add(path, stat.S_IFREG | mode, data)

    def symlink(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def char_device(self, path, major, minor, mode=0o600):
        self._add(path, stat.S_IFCHR | mode, rdev=(major, minor))

    def tree(self, folder):
        """The text files under `folder`, as executable as they look."""
        for where, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(where, name)
                with open(path, "rb") as text:
                    data = text.read()
                self.file(os.path.relpath(path, folder), data,
                          0o755 if data.startswith(b"#!") else 0o644)

    def _add(self, path, mode, data=b"", rdev=(0, 0)):
        path = path.strip("/")
        parent = path.rpartition("/")[0]
        if parent and parent not in self._entries:
            self.directory(parent)
        self._entries[path] = (mode, data, rdev)

    def to_bytes(self):
        """The finished archive. Its length is a multiple of 512, so archives can be joined."""
        parts = []
        for number, path in enumerate(sorted(self._entries), start=1):
            mode, data, rdev = self._entries[path]
            links = 2 if stat.S_ISDIR(mode) else 1
            parts.append(_record(number, mode, links, rdev, path, data))
        parts.append(_record(0, 0, 1, (0, 0), "TRAILER!!!", b""))
        whole = b"".join(parts)
        return whole + b"\0" * (-len(whole) % 512)


def _record(inode, mode, links, rdev, path, data):
    name = path.encode() + b"\0"
    mtime = FIXED_TIME if inode else 0
    fields = (inode, mode, 0, 0, links, mtime, len(data), 0, 0, rdev[0], rdev[1], len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(data)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)
