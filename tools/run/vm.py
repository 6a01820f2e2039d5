# SPDX-License-Identifier: MPL-2.0
"""One QEMU process: started, watched, and gone for certain.

The console is a pair of pipes on QEMU's standard input and output, the run link a pair of FIFOs
in a private folder. Whatever happens to us, QEMU ends: close() kills it, stop_all() all of
them, and should we be killed outright the kernel does it (PR_SET_PDEATHSIG, by way of setpriv).
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from keel.errors import KeelError

# The guest's output waits here while we are busy. QEMU drops what a full pipe does not take in
# time, so the window that link users give the guest is a fraction of it (guest.py).
LINK_PIPE_SIZE = 512 << 10

_live = set()
_live_lock = threading.Lock()
_stopping = False


def stop_all():
    """End every QEMU that is running and remove its folder: for the way out after a signal,
    when other threads still hold these Vms and nobody waits for the threads."""
    global _stopping
    with _live_lock:
        _stopping = True
        for vm in _live:
            vm.kill()
            if vm.process:
                vm.process.wait()
            shutil.rmtree(vm.folder, ignore_errors=True)


class Vm:
    """A running guest. Use as a context manager."""

    def __init__(self, machine, agent=False):
        machine.check()
        self.machine = machine
        self.agent = agent
        self.process = None
        self.console_in = self.console_out = -1  # our ends
        self.link_in = self.link_out = -1  # link_in: to the guest; link_out: from it
        with _live_lock:
            if _stopping:
                raise KeelError("stopped")
            self.folder = tempfile.mkdtemp(prefix="keel-")
            _live.add(self)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self):
        link_path = os.path.join(self.folder, "link")
        if self.agent:
            self._make_link(link_path)
        args = self.machine.qemu_args(self._join_initrds(), self.agent, link_path)
        if shutil.which("setpriv"):
            args = ["setpriv", "--pdeathsig", "KILL", "--", *args]
        with open(os.path.join(self.folder, "errors"), "wb") as errors:
            try:
                self.process = subprocess.Popen(
                    args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    bufsize=0, start_new_session=True)
            except FileNotFoundError as missing:
                raise KeelError(f"{missing.filename} is missing: run ./keel setup") from None
        self.console_in = self.process.stdin.fileno()
        self.console_out = self.process.stdout.fileno()
        os.set_blocking(self.console_in, False)

    def _make_link(self, path):
        """QEMU's "pipe" chardev reads PATH.in and writes PATH.out."""
        os.mkfifo(path + ".in", 0o600)
        os.mkfifo(path + ".out", 0o600)
        self.link_out = os.open(path + ".out", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # For reading too, since a FIFO without a reader cannot be opened without waiting.
        self.link_in = os.open(path + ".in", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.fcntl(self.link_out, fcntl.F_SETPIPE_SZ, LINK_PIPE_SIZE)
        except OSError:
            pass  # beyond this user's allowance: link_window adapts

    def link_window(self):
        """How much of each output stream may be on its way: all of it fits the pipe."""
        return min(64 << 10, fcntl.fcntl(self.link_out, fcntl.F_GETPIPE_SZ) // 4)

    def _join_initrds(self):
        paths = self.machine.initrds
        if len(paths) < 2:
            return paths[0] if paths else None
        joined = os.path.join(self.folder, "initrd.cpio")
        with open(joined, "wb") as out:
            for path in paths:
                with open(path, "rb") as part:
                    shutil.copyfileobj(part, out)
                out.write(b"\0" * (-out.tell() % 512))
        return joined

    def alive(self):
        return self.process.poll() is None

    def wait(self, timeout):
        """Wait for QEMU's end; False if it did not come in time."""
        try:
            self.process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

    def kill(self):
        if self.process and self.process.returncode is None:
            try:
                os.kill(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def errors(self):
        """What QEMU itself complained about."""
        try:
            with open(os.path.join(self.folder, "errors"), errors="replace") as text:
                return text.read().strip()
        except OSError:
            return ""

    def close(self):
        with _live_lock:
            _live.discard(self)
        if self.process:
            self.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
        for fd in (self.link_in, self.link_out):
            if fd >= 0:
                os.close(fd)
        self.link_in = self.link_out = -1
        shutil.rmtree(self.folder, ignore_errors=True)
