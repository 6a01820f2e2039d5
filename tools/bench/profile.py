# SPDX-License-Identifier: MPL-2.0
"""Where a row's instructions go: by function, exact, and by call path (folded stacks).

bench/plugin/profile.h says what the plugin writes. Keel's functions come from its image, Linux's
from its own /proc/kallsyms (Debian ships no System.map): nokaslr makes those hold for other boots.
"""

import bisect
import os
import re
import subprocess

from bench import start
from bench.guest import Boot, Setup
from image import store
from keel import paths
from keel.errors import KeelError

_SYMBOL = re.compile(rb"([0-9a-f]{16}) ([tTwW]) (\S+)")


class Symbols:
    """Function names by address."""

    def __init__(self, found):
        self._found = sorted(found)
        self._starts = [address for address, _ in self._found]

    def name(self, address):
        if address >> 63 == 0:
            return "[user]"
        at = bisect.bisect_right(self._starts, address) - 1
        return self._found[at][1] if at >= 0 else f"{address:#x}"


def symbols(kernel):
    """The functions of a kernel: "linux", "keel" or an ELF image."""
    if kernel == "linux":
        return Symbols(_parse(_kallsyms()))
    image = paths.kernel() if kernel == "keel" else kernel
    listing = subprocess.run(["nm", "--defined-only", image], capture_output=True, check=True).stdout
    return Symbols(_parse(listing))


def _parse(text):
    return {int(match[1], 16): match[3].decode() for match in _SYMBOL.finditer(text)}.items()


def _kallsyms():
    """Linux's own list, asked for once for each kernel image."""
    setup = Setup("linux", words=["--cat", "/proc/kallsyms"], counted=False)
    kept = paths.build("bench", "kallsyms")
    if not os.path.exists(kept) or os.stat(kept).st_mtime < os.stat(setup.image()).st_mtime:
        text = Boot(setup).run().text.replace(b"\r", b"")
        if len(_SYMBOL.findall(text)) < 1000:
            raise KeelError("Linux shows no symbols: the profile would have no names")
        store.write_if_changed(kept, text)
    with open(kept, "rb") as text:
        return text.read()


START = "start-instructions"


class Profile:
    """One row's profile: `flat` is {function: instructions an operation}, `folded` {path: the same}."""

    def __init__(self, kernel, row, cpus=1, root="busybox"):
        out = paths.build("bench", f".profile-{os.getpid()}")
        if row == START:
            setup = Setup(kernel, words=["--only", "none"], mem=start.MEM)
        else:
            setup = Setup(kernel, words=["--only", row], cpus=cpus, root=root)
        try:
            boot = Boot(setup, profile=out).run()
            result = {"counts": [boot.start], "ops": 1} if row == START else boot.results.get(row, {})
            if "counts" not in result:
                raise KeelError(f"{kernel} has no profile of {row}: "
                                f"{result.get('none') or result.get('failed') or boot.last_words}")
            self.flat, self.folded = {}, {}
            self._read(out, symbols(kernel), result["ops"], row == START)
        finally:
            if os.path.exists(out):
                os.unlink(out)

    def total(self):
        return sum(self.flat.values())

    def _read(self, path, names, ops, of_start):
        """Region 0 is the start, before all rows."""
        nodes = {}  # number -> (parent, function)
        is_wanted = False
        blocks = []
        with open(path, encoding="ascii") as lines:
            for line in lines:
                what, *words = line.split()
                if what == "region":
                    is_wanted = (words[0] == "0") == of_start
                elif not is_wanted:
                    continue
                elif what == "insn":
                    name = names.name(int(words[0], 16))
                    self.flat[name] = self.flat.get(name, 0) + int(words[1]) / ops
                elif what == "node":
                    nodes[int(words[0])] = (int(words[1]), names.name(int(words[2], 16)))
                elif what == "block":
                    blocks.append((int(words[0]), names.name(int(words[1], 16)), int(words[2])))
        for node, name, count in blocks:
            path = _path(nodes, node, name)
            self.folded[path] = self.folded.get(path, 0) + count / ops


def _path(nodes, node, leaf):
    """The functions from the root to a block's, which a jump may have left for another."""
    names = [leaf]
    while node:
        node, name = nodes[node]
        if len(names) > 1 or name != leaf:
            names.append(name)
    return ";".join(reversed(names))


def write_folded(profile, kernel, row):
    """One `path count` a line, as flame graph tools read it; returns the file."""
    path = paths.build("bench", f"{row}-{kernel}.folded")
    lines = [f"{stack} {round(count)}" for stack, count in sorted(profile.folded.items()) if round(count)]
    store.write_if_changed(path, ("\n".join(lines) + "\n").encode())
    return path


def report(profile, limit=30):
    """The functions in which most instructions are: lines of text."""
    total = profile.total()
    yield f"{'instructions':>12} {'share':>6}  function"
    for name, count in sorted(profile.flat.items(), key=lambda item: -item[1])[:limit]:
        yield f"{count:12,.1f} {count / total:6.1%}  {name}"
    yield f"{total:12,.1f} {'':6}  in all, an operation"
