# SPDX-License-Identifier: MPL-2.0
"""Layer fault: bad input and full memory, seen from outside. Each file test/fault/NAME.py is a table,

    CASES = [Case("no_init", initrd=..., says=("no working init",), ends=PANIC), ...]

and each case boots Keel and states what the console must say, and how the machine must end. Whatever
happens, no case may show what NEVER matches: a report of the kernel's own mistakes.
"""

import glob
import importlib.util
import os
import re
import select
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from typing import Callable, Optional, Tuple

from keel import build, paths
from keel.errors import KeelError
from keel.testing import calls
from keel.testing.model import Job, Result
from keel.testing.tap import shorten
from run import panic
from run.vm import Vm

NAME = "fault"
ON_LINUX = False
SECONDS = 60

PANIC = "a panic that the message explains, QEMU with a failure"
POWER_OFF = "power off, QEMU with success"
HALTED = "a panic that the message explains, QEMU goes on"
RUNS_ON = "the machine is alive after what it had to say"
BUG = "a panic that reports a bug of the kernel"  # planted ones
STAYS = (HALTED, RUNS_ON)  # over once all is said

PANIC_STATUS = 3  # panic=-1 writes 1 to isa-debug-exit
NEVER = re.compile(r"KASAN|UBSAN|\bBUG\b|\bbug:|^(\[[ .0-9]*\] )?warning: |in the kernel, error|in the kernel: |"
                   r"double fault|assertion|while panicking|sleep in atomic|lock order", re.M)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True)
class Case:
    """One boot. `says` are regular expressions, found in this order."""

    name: str
    says: Tuple[str, ...]
    ends: str
    initrd: Optional[Callable] = None  # gives the archive's bytes; None: what the kernel has inside
    append: Tuple[str, ...] = ()
    mem: str = "64M"
    debug_mem: str = "64M"  # KASAN's shadow and a larger image
    never: Optional[str] = None
    only_debug: bool = False
    is_long: bool = False  # with --all, or by name
    calls: bool = False  # what it calls no other test can: testing/calls.py counts it


def tests():
    return sorted(_cases())


def prepare(names, configs):
    build.make("fault")


def jobs(names, configs):
    """One a configuration; for a single one two, to use both workers."""
    parts = [names] if len(configs) > 1 or len(names) < 2 else [names[::2], names[1::2]]
    return [Job(f"fault, {config}", lambda report, config=config, part=part: _run(part, config, report))
            for config in configs for part in parts]


def showing_calls():
    """The cases without which testing/calls.py has not seen all."""
    return {name for name, case in _cases().items() if case.calls}


def _cases():
    found = {}
    for file in sorted(glob.glob(paths.source("test", "fault", "*.py"))):
        topic = os.path.basename(file)[:-3]
        for case in _load(topic, file):
            found[f"{topic}_{case.name}"] = case
    return found


def _load(topic, file):
    folder = os.path.dirname(file)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(topic, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, "CASES", ())


def _run(names, config, report):
    cases = _cases()
    for name in names:
        if config.debug or not cases[name].only_debug:
            problems = _boot(cases[name], config)
            report(Result(NAME, name, str(config), not problems, problems))


def _boot(case, config):
    """Why the case failed; empty if it passed."""
    has_calls = case.calls and config.has_calls
    append = (*case.append, *calls.APPEND) if has_calls else case.append
    with tempfile.TemporaryDirectory(prefix="keel-fault-") as folder:
        machine = replace(config.machine(initrds=[], append=append),
                          mem=case.debug_mem if config.debug else case.mem, verbose=True)
        if case.initrd:
            path = os.path.join(folder, "initrd")
            with open(path, "wb") as file:
                file.write(case.initrd())
            machine.initrds.append(path)
        try:
            with Vm(machine) as vm:
                text = _watch(vm, case, SECONDS * config.patience() * (5 if case.is_long else 1))
                if has_calls:
                    calls.sink()(text.encode())
                status = vm.process.returncode if vm.wait(0 if case.ends in STAYS else 5) else None
                problems = _judge(case, text, status) or ""
                return problems and shorten("\n".join(filter(None, [
                    problems, vm.errors(), panic.report(text.encode(), machine.kernel)])))
        except KeelError as error:
            return str(error)


def _watch(vm, case, seconds):
    """The console, until QEMU ends, the time is up, or a machine that is to run on has said all."""
    log = bytearray()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([vm.console_out], [], [], end - time.monotonic())
        data = os.read(vm.console_out, 65536) if ready else b""
        if not data:
            break
        log += data
        if case.ends in STAYS and not _unsaid(case, _plain(log)):
            break
    return _plain(log)


def _plain(log):
    return _ESCAPES.sub("", log.decode(errors="replace"))


def _unsaid(case, text):
    """The first of `says` that is missing, or None."""
    at = 0
    for wanted in case.says:
        found = re.compile(wanted, re.M).search(text, at)
        if not found:
            return wanted
        at = found.end()
    return None


def _judge(case, text, status):
    missing = _unsaid(case, text)
    if missing:
        return f"not said: {missing!r} (QEMU's status: {status})"
    bad = re.search(case.never, text, re.M) if case.never else None
    bad = bad or (NEVER.search(text) if case.ends != BUG else None)
    if bad:
        return f"said: {bad[0]!r}"
    panicked = panic.has_panic(text.encode())
    if case.ends in STAYS:
        good = status is None and panicked == (case.ends == HALTED)
        return None if good else f"QEMU's status is {status}, {'a' if panicked else 'no'} panic; wanted: {case.ends}"
    wanted = 0 if case.ends == POWER_OFF else PANIC_STATUS
    if status != wanted or panicked != (wanted != 0):
        return f"QEMU's status is {status}, {'a' if panicked else 'no'} panic; wanted: {case.ends}"
    return None


ONLY_ALL = tuple(name for name, case in _cases().items() if case.is_long)
