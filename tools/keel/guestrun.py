# SPDX-License-Identifier: MPL-2.0
"""One command in a guest of its own, for the tools that compare kernels or look for trouble."""

import os
import time
from dataclasses import dataclass

from run import panic
from run.guest import BufferSink, Guest, GuestEnded, TimedOut
from run.vm import Vm


@dataclass
class Outcome:
    output: str
    error: str
    console: str
    problem: str  # why there is no exit status, or which; empty after success


def run(machine, argv, seconds):
    """Boot, run `argv` (strings) for at most `seconds`, power off."""
    output, error = BufferSink(), BufferSink()
    problem = ""
    with Vm(machine, agent=True) as vm:
        guest = Guest(vm)
        try:
            status = guest.run([os.fsencode(arg) for arg in argv], stdout=output, stderr=error,
                               deadline=time.monotonic() + seconds)
            if status:
                problem = f"wait status {status:#x}"
            guest.quit()
        except TimedOut:
            problem = f"no end after {seconds:g} s"
        except GuestEnded as reason:
            guest.console_rest(2)
            problem = "\n".join(filter(None, [str(reason), vm.errors(),
                                              panic.report(guest.console, machine.kernel)]))
        console = bytes(guest.console)
    return Outcome(*(bytes(data).decode(errors="replace")
                     for data in (output.data, error.data, console)), problem)
