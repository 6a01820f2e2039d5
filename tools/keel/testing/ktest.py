# SPDX-License-Identifier: MPL-2.0
"""Layer ktest: the tests inside the kernel. They start with keel.ktest[=PREFIX] on the command
line, write TAP on the console and end with "# ktest done"."""

import glob
import os
import re
import select
import time

from keel import build, paths
from keel.testing.model import Job, Result
from keel.testing.tap import Tap, shorten
from run import panic
from run.vm import Vm

NAME = "ktest"
ON_LINUX = False
SECONDS = 120
_DECLARATION = re.compile(r"^KTEST\((\w+)\)", re.M)
_DONE = "# ktest done"


def tests():
    names = set()
    for file in glob.glob(paths.source("test", "ktest", "*.c")):
        with open(file, encoding="utf-8") as source:
            names.update(_DECLARATION.findall(source.read()))
    return sorted(names)


def prepare(names, configs):
    if any(not config.debug for config in configs):
        build.make("KTEST=1")


def jobs(names, configs):
    everything = names == tests()
    return [Job(f"ktest, {config}", lambda report, config=config:
                _run(None if everything else names, config, report)) for config in configs]


def _run(names, config, report):
    """All tests in one boot; or one boot for each of `names`."""
    if names is None:
        _boot("keel.ktest", None, config, report)
    else:
        for name in names:
            _boot(f"keel.ktest={name}", name, config, report)


def _boot(word, only, config, report):
    machine = config.machine(initrds=[], kernel=paths.ktest_kernel(config.debug), append=[word])
    with Vm(machine) as vm:
        log = _console(vm, SECONDS * config.patience())
        errors = vm.errors()
    text = log.decode(errors="replace")
    tap = Tap(text)
    for line in tap.lines:
        # The kernel takes a prefix: other tests may have run too.
        if only in (None, line.name()):
            report(Result(NAME, line.name(), str(config), line.passed, line.detail()))
    if _DONE not in text or tap.plan != len(tap.lines):
        last = tap.lines[-1].name() if tap.lines else "the start"
        ending = shorten("\n".join(filter(None, [errors, panic.report(log, machine.kernel)])))
        report(Result(NAME, only or f"what follows {last}", str(config), False,
                      f"the guest ended or hung after {last}, "
                      f"{len(tap.lines)} of {tap.plan} tests done\n{ending}"))


def _console(vm, seconds):
    """Everything the guest prints until it ends, or until the time is up."""
    log = bytearray()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([vm.console_out], [], [], end - time.monotonic())
        if ready:
            data = os.read(vm.console_out, 65536)
            if not data:
                break
            log += data
    return log
