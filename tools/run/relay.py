# SPDX-License-Identifier: MPL-2.0
"""./keel run -- CMD: one command on our own standard input, output and error."""

import os
import sys
import time

from run import panic
from run.guest import DEFAULT_ENV, FdSink, Guest, GuestEnded, TimedOut
from run.vm import Vm

TIMEOUT = 124
NO_STATUS = 125


def run_command(machine, argv, timeout=None, env=(), cwd="/"):
    """Boot, run, power off. Returns the exit status for our own process."""
    deadline = time.monotonic() + timeout if timeout else None
    own = {entry.partition("=")[0] for entry in env}
    default = [entry for entry in DEFAULT_ENV if entry.partition(b"=")[0].decode() not in own]
    with Vm(machine, agent=True) as vm:
        guest = Guest(vm, _to_stderr if machine.verbose else None)
        try:
            status = guest.run([os.fsencode(arg) for arg in argv], cwd=os.fsencode(cwd),
                               env=default + [os.fsencode(entry) for entry in env],
                               stdin=0, stdout=FdSink(1), stderr=FdSink(2), deadline=deadline)
        except TimedOut:
            if not guest.is_ready() or machine.verbose:
                explain_end(vm, guest.console, f"no answer within {timeout:g} s, the guest ended")
            return TIMEOUT
        except GuestEnded as reason:
            explain_end(vm, guest.console, reason)
            return NO_STATUS
        guest.quit()
    return exit_code(status)


def exit_code(status):
    """A shell's number for a wait status: 128 + n after death by signal n."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def explain_end(vm, console, reason):
    """On standard error: why there is no status, as far as the guest and QEMU told."""
    print(f"keel: {reason} without giving a status", file=sys.stderr)
    vm.wait(1)
    if vm.process.returncode:
        print(f"keel: QEMU's exit status is {vm.process.returncode}", file=sys.stderr)
    for text in (vm.errors(), panic.report(console, vm.machine.kernel)):
        if text:
            print(text, file=sys.stderr)


def _to_stderr(data):
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()
