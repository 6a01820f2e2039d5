# SPDX-License-Identifier: MPL-2.0
"""./keel run: the guest's serial console on our terminal.

On a terminal every key goes to the guest, Ctrl-C too; Ctrl-A is the escape: Ctrl-A X ends QEMU,
Ctrl-A Ctrl-A sends one Ctrl-A. Without a terminal (a pipe, a file) the input is typed in at a
person's pace, since a serial console loses what comes before anybody reads it; its end is
typed as Ctrl-D, so `echo ls | ./keel run` does what it does with a local shell.
"""

import os
import select
import sys
import termios
import time
import tty

from run import panic
from run.relay import NO_STATUS, TIMEOUT, explain_end
from run.vm import Vm

ESCAPE = 0x01  # Ctrl-A
END_OF_FILE = b"\x04"
KEEP = 1 << 20
PROMPT_QUIET = 0.1  # seconds of silence after a partial line: somebody waits for input
READER_QUIET = 1.0  # seconds of silence after a whole line: a program reads without a prompt


def run_console(machine, timeout=None):
    """Boot and connect the console until QEMU ends. Returns our exit status."""
    with Vm(machine) as vm:
        session = _Session(vm, timeout)
        with _RawTerminal(0) as terminal:
            ending = session.loop(_Keys() if terminal.is_raw else _Script())
        if ending is not None:
            return ending
        vm.wait(2)
        if vm.process.returncode == 0 and not panic.has_panic(session.log):
            return 0
        explain_end(vm, session.log, "the guest ended")
        return NO_STATUS


class _RawTerminal:
    """Raw mode while inside, if `fd` is a terminal; put back on every way out."""

    def __init__(self, fd):
        self._fd = fd
        self._saved = None

    @property
    def is_raw(self):
        return self._saved is not None

    def __enter__(self):
        if os.isatty(self._fd):
            self._saved = termios.tcgetattr(self._fd)
            tty.setraw(self._fd, termios.TCSADRAIN)
        return self

    def __exit__(self, *_):
        if self._saved is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)


class _Keys:
    """A terminal's input: passed on at once, but for the escape."""

    wants_input = True

    def __init__(self):
        self._escaped = False

    def typed(self, data):
        """Bytes for the guest; None to end QEMU. Empty `data` is a terminal that went away."""
        if not data:
            return None
        out = bytearray()
        for byte in data:
            if self._escaped:
                self._escaped = False
                if byte in b"xX":
                    return None
                if byte in (ESCAPE, ord("a"), ord("A")):
                    out.append(ESCAPE)
            elif byte == ESCAPE:
                self._escaped = True
            else:
                out.append(byte)
        return bytes(out)

    def printed(self, data):
        pass

    def due(self):
        """(seconds until there is more to type, the bytes); never for a terminal."""
        return None, b""


class _Script:
    """Input that is no terminal's: one line whenever the guest seems to wait for one."""

    def __init__(self):
        self._lines = bytearray()
        self._at_end = False
        self._last = 0.0  # when the guest printed last, 0 before it did
        self._partial = False  # its last line has no newline yet
        self._greeted = False  # there has been a prompt

    @property
    def wants_input(self):
        return not self._at_end and len(self._lines) < 65536

    def typed(self, data):
        self._lines += data
        self._at_end = not data
        return b""

    def printed(self, data):
        self._last = time.monotonic()
        self._partial = not data.endswith(b"\n")

    def due(self):
        if not self._last or not (self._lines or self._at_end):
            return None, b""
        if not self._partial and not self._greeted:
            return None, b""  # still booting
        quiet = PROMPT_QUIET if self._partial and self._lines else READER_QUIET
        if self._partial and not self._greeted:
            quiet = 3 * PROMPT_QUIET
        left = self._last + quiet - time.monotonic()
        if left > 0:
            return left, b""
        self._greeted = True
        self._last = time.monotonic()
        self._partial = False
        return 0, self._next_line()

    def _next_line(self):
        if not self._lines:
            return END_OF_FILE
        end = self._lines.find(b"\n") + 1
        if not end:
            if not self._at_end:
                return b""
            end = len(self._lines)
        line = bytes(self._lines[:end])
        del self._lines[:end]
        return line


class _Session:
    """Bytes between our standard input and output and the guest's console."""

    def __init__(self, vm, timeout):
        self._vm = vm
        self._deadline = time.monotonic() + timeout if timeout else None
        self._pending = bytearray()  # typed, not yet taken by QEMU
        self.log = bytearray()

    def loop(self, keys):
        """Run until QEMU ends (None) or we end it (our exit status)."""
        while True:
            wait, data = keys.due()
            self._pending += data
            if self._deadline is not None:
                left = self._deadline - time.monotonic()
                if left <= 0:
                    return TIMEOUT
                wait = left if wait is None else min(wait, left)
            ready = self._poll(keys, wait)
            if self._vm.console_out in ready and not self._print(keys):
                return None
            if self._vm.console_in in ready and not self._type():
                return None
            if 0 in ready:
                data = keys.typed(self._read_input())
                if data is None:
                    return 0
                self._pending += data

    def _poll(self, keys, wait):
        poller = select.poll()
        poller.register(self._vm.console_out, select.POLLIN)
        if self._pending:
            poller.register(self._vm.console_in, select.POLLOUT)
        if keys.wants_input and len(self._pending) < 4096:
            poller.register(0, select.POLLIN)
        return {fd for fd, _ in poller.poll(None if wait is None else wait * 1000 + 1)}

    @staticmethod
    def _read_input():
        try:
            return os.read(0, 4096)
        except OSError:
            return b""

    def _print(self, keys):
        data = os.read(self._vm.console_out, 64 << 10)
        if not data:
            return False
        self.log += data
        del self.log[:-KEEP]
        keys.printed(data)
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return True

    def _type(self):
        try:
            count = os.write(self._vm.console_in, self._pending)
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        del self._pending[:count]
        return True
