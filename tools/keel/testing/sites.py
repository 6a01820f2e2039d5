# SPDX-License-Identifier: MPL-2.0
"""Which calls of the allocators a kernel has (from its machine code), and which of them a log says have failed.

A site is a call instruction, known by its return address; in the log, "failalloc: 0x… 0x…" is the backtrace of one failed
allocation, innermost first. Calls that wrappers such as kmalloc make among themselves are not sites: their callers are.
"""

import re
import subprocess
from dataclasses import dataclass, field
from typing import Dict, FrozenSet, List

from keel import paths

ALLOCATORS = {"kmalloc", "kmalloc_array", "krealloc", "kstrdup", "slab_alloc", "slab_alloc_sized", "page_alloc", "kpage_alloc",
              "policy_frames_alloc"}
# These run before the first program does, once; without memory they panic, saying for what, or leave something out.
START_UP = {"frame/x86_64/cpu.c alloc_frames", "kernel/fs/dentry.c dcache_init", "kernel/drivers/uart.c uart_init", "kernel/fs/chrdev.c node_alloc",
            "kernel/fs/chrdev.c chrdev_register", "kernel/mm/slab.c slab_create", "kernel/fs/tmpfs/initramfs.c initramfs_unpack",
            "kernel/fs/tmpfs/initramfs.c note_new", "kernel/mm/mm.c mm_init", "kernel/proc/init.c proc_start_init",
            "kernel/sched/kthread.c kthread_create", "kernel/signal/sighand.c sighand_create", "kernel/proc/vdso.c add_page",
            "kernel/fs/namei.c user_path_kernel"}
_FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
_CALL = re.compile(r"^\s*([0-9a-f]+):\s.*\bcall\s+[0-9a-f]+ <([^>+]+)>")
_ADDRESS = re.compile(r"^\s*([0-9a-f]+):\s")
_FAILED = re.compile(r"failalloc:((?: 0x[0-9a-f]+)+)")


@dataclass
class Coverage:
    total: int = 0
    failed: int = 0
    paths: int = 0
    start_up: int = 0
    unreached: List[str] = field(default_factory=list)
    places: Dict[int, str] = field(default_factory=dict, repr=False)
    reached: FrozenSet[int] = field(default_factory=frozenset, repr=False)

    def __str__(self):
        return (f"{self.total} calls of an allocator, {self.failed} failed (by {self.paths} paths), {self.start_up} at start-up only, "
                f"{len(self.unreached)} not reached")


def coverage(kernel, log):
    places = {address: place for address, place in _places(_calls(kernel), kernel).items() if not place.startswith("test/")}
    reached, lines = set(), set(_FAILED.findall(log))
    for line in lines:
        trace = [int(word, 16) for word in line.split()]
        reached.update([address for address in trace if address in places][:1])
    return _sum(places, frozenset(reached), len(lines))


def together(parts):
    """Several logs of one kernel. Paths that were met in both count twice."""
    return _sum(parts[0].places, frozenset().union(*(part.reached for part in parts)), sum(part.paths for part in parts))


def _sum(places, reached, n_paths):
    rest = sorted(places[address] for address in set(places) - reached)
    later = [place for place in rest if re.sub(r":\d+", "", place) not in START_UP]
    return Coverage(len(places), len(reached), n_paths, len(rest) - len(later), later, places, reached)


def _calls(kernel):
    """{return address: function that calls}"""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", kernel], capture_output=True, text=True, check=True).stdout
    calls, function, pending = {}, "", False
    for line in text.splitlines():
        start = _FUNCTION.match(line)
        if start:
            function, pending = start[1].partition(".")[0], False
            continue
        address = _ADDRESS.match(line)
        if pending and address:
            calls[int(address[1], 16)] = function
        call = _CALL.match(line)
        pending = bool(call) and call[2].partition(".")[0] in ALLOCATORS and function not in ALLOCATORS
    return calls


def _places(calls, kernel):
    """{return address: "file:line function"}"""
    ordered = sorted(calls)
    done = subprocess.run(["addr2line", "-e", kernel], input="\n".join(f"0x{address - 1:x}" for address in ordered),
                          capture_output=True, text=True, check=True).stdout.splitlines()
    return {address: f"{place.partition(' ')[0].removeprefix(paths.TREE + '/')} {calls[address]}" for address, place in zip(ordered, done)}
