# SPDX-License-Identifier: MPL-2.0
"""One boot of one kernel with kbench as its first program: nothing is sent to the guest, so that
under -icount nothing but its own instructions decides what happens in it.

A result is a dictionary: {"ops", "ns": [...]} with "counts": [{counter: number}, ...] if the
plugin was there and "cpu" (nanoseconds of the virtual CPU's thread) if not; or {"value", "unit"};
or {"none": reason}, {"failed": reason}.
"""

import os
import re
import select
import time
from dataclasses import dataclass, field
from typing import List, Optional

from image import overlay, store
from keel import paths
from run import linux, panic
from run.machine import Machine
from run.vm import Vm

KBENCH = "/.keel/kbench"
COMMAND = "/.keel/command"  # a shell script to be counted
MEM = {"debian-min": "1G"}
DEFAULT_MEM = "512M"
SILENCE = 300.0  # seconds without a line: the guest hangs

# A fair opponent: Linux without what is there for hardening or for other purposes.
LINUX_WORDS = ["init_on_alloc=0", "randomize_kstack_offset=off", "mitigations=off", "audit=0",
               "apparmor=0", "cgroup_disable=memory"]
# The same addresses each time, also where -icount does not ask for it.
PLAIN_WORDS = ["nokaslr", "norandmaps"]
# With these two, kernels would copy with string instructions, which QEMU counts by the byte.
WITHOUT = ["erms", "fsrm"]

_LINE = re.compile(rb"kbench: (\w+) ?([^\r\n]*)")


@dataclass
class Setup:
    """What is booted; equal setups give equal counts."""

    kernel: str  # "linux", "keel" or a file
    words: List[str] = field(default_factory=list)  # kbench's arguments
    root: str = "busybox"
    cpus: int = 1
    mem: Optional[str] = None
    counted: bool = True
    append: List[str] = field(default_factory=list)
    script: Optional[str] = None  # what COMMAND contains

    def image(self):
        if self.kernel == "linux":
            return linux.ensure()
        return paths.kernel() if self.kernel == "keel" else self.kernel

    def initrds(self):
        """The root, our device nodes, kbench."""
        own = paths.image("bench")
        files = [(KBENCH, paths.build("bench", "kbench"))]
        if self.script is not None:
            own = paths.image("bench-command")
            files.append((COMMAND, paths.build("bench", "command")))
            store.write_if_changed(files[-1][1], f"#!/bin/sh\n{self.script}\n".encode())
        store.write_if_changed(own, overlay.files(files))
        return [store.ensure(self.root), store.agent(), own]

    def machine(self, plugin=None):
        is_linux = linux.is_linux(self.image())
        icount = self.counted and self.cpus == 1
        append = (LINUX_WORDS if is_linux else []) + ([] if icount else PLAIN_WORDS) + self.append
        return Machine(kernel=self.image(), initrds=self.initrds(), cpus=self.cpus,
                       mem=self.mem or MEM.get(self.root, DEFAULT_MEM), icount=icount,
                       append=append, init=KBENCH, init_args=self.words, without=WITHOUT,
                       plugin=plugin)


class Boot:
    """Runs a setup to its end. Results are in `results`, by row; `hung` is the row at which the
    guest died or stood still, None if it came to its end."""

    def __init__(self, setup, profile=None, on_row=None):
        self.results = {}
        self.hung = None
        self.start = None  # counters at the first user instruction
        self.text = b""  # everything that the console printed
        self.seconds = 0.0
        self.first_line = None  # seconds from QEMU's start to kbench's first line
        self.last_words = ""
        self._setup = setup
        self._profile = profile
        self._on_row = on_row or (lambda name: None)
        self._current = None
        self._order = []  # rows by region
        self._ended = False
        self._cpu = 0

    def run(self):
        folder = paths.build("bench")
        out = os.path.join(folder, f".counts-{os.getpid()}")
        plugin = None
        if self._setup.counted:
            plugin = f"{os.path.join(folder, 'keelcount.so')},out={out}"
            if self._profile:
                plugin += f",profile={self._profile}"
        started = time.monotonic()
        try:
            with Vm(self._setup.machine(plugin)) as vm:
                self._watch(vm, started)
                vm.wait(5)
                if not self._ended:
                    self.last_words = "\n".join(filter(None, (
                        vm.errors(), panic.report(self.text, vm.machine.kernel))))
            if plugin:
                self._read_counts(out)
        finally:
            if plugin and os.path.exists(out):
                os.unlink(out)
        self.seconds = time.monotonic() - started
        return self

    def _watch(self, vm, started):
        line = b""
        while not self._ended:
            ready, _, _ = select.select([vm.console_out], [], [], SILENCE)
            data = os.read(vm.console_out, 65536) if ready else b""
            if not data:
                self.hung = self._current or "boot"
                return
            self.text += data
            *lines, line = (line + data).split(b"\n")
            for whole in lines:
                found = _LINE.search(whole)
                if found:
                    if self.first_line is None:
                        self.first_line = time.monotonic() - started
                    self._handle(vm, found[1].decode(), found[2].decode(errors="replace"))

    def _handle(self, vm, what, rest):
        words = rest.split()
        if what == "row":
            self._current = words[0]
            self._on_row(self._current)
        elif what == "begin":
            self._cpu = cpu_time(vm)
        elif what == "done":
            self._done(words[0], int(words[1]), [int(word) for word in words[2:]])
            if not self._setup.counted:
                self.results[words[0]]["cpu"] = cpu_time(vm) - self._cpu
        elif what == "value":
            self.results[words[0]] = {"value": float(words[2]), "unit": words[1]}
        elif what in ("none", "failed"):
            self.results.setdefault(words[0], {what: " ".join(words[1:])})
        elif what == "end":
            self._ended = True

    def _done(self, name, ops, ns):
        self.results[name] = {"ops": ops, "ns": ns}
        self._order += [name] * len(ns)

    def _read_counts(self, path):
        """One line a region; a row that failed amid a region has none, its end mark is missing."""
        regions = []
        with open(path, encoding="ascii") as lines:
            for line in lines:
                what, _, *pairs = line.split()
                counts = {key: int(value) for key, value in (pair.split("=") for pair in pairs)}
                if what == "start":
                    self.start = counts
                else:
                    regions.append(counts)
        for name, counts in zip(self._order, regions):
            self.results[name].setdefault("counts", []).append(counts)


def cpu_time(vm):
    """Nanoseconds that the virtual CPUs' threads have run (proc(5): schedstat)."""
    tasks = f"/proc/{vm.process.pid}/task"
    total = 0
    for task in os.listdir(tasks):
        try:
            with open(f"{tasks}/{task}/comm", encoding="ascii", errors="replace") as comm:
                if "CPU" not in comm.read():
                    continue
            with open(f"{tasks}/{task}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        except (OSError, ValueError, IndexError):
            pass
    return total
