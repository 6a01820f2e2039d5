# SPDX-License-Identifier: MPL-2.0
"""Commands in a running guest, through the run agent (protocol: user/link.h).

    with Vm(machine, agent=True) as vm:
        guest = Guest(vm)
        status = guest.run([b"echo", b"hi"], stdout=BufferSink())
        guest.quit()

One poll loop per call moves everything: the link both ways, the caller's descriptors, and the
guest's console, which must never stand still since a full console pipe loses bytes.
"""

import os
import select
import time

from run import link

DEFAULT_ENV = (b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               b"HOME=/root", b"USER=root", b"LOGNAME=root", b"SHELL=/bin/sh")
CHUNK = 504  # payload of BLOCK and INPUT frames: several in flight fill the window
CONSOLE_KEEP = 1 << 20
QUIT_SECONDS = 10
WRITE_ATOMIC = 4096  # PIPE_BUF: poll's POLLOUT promises room for this (pipe(7))


class GuestEnded(Exception):
    """QEMU ended, or the link broke, before the command's status came."""


class TimedOut(Exception):
    """The deadline passed."""


class BufferSink:
    """Keeps what a command writes, up to `limit` bytes."""

    fd = -1

    def __init__(self, limit=16 << 20):
        self.data = bytearray()
        self._limit = limit

    def put(self, data):
        """Take data; return how many bytes were delivered, None if nobody reads any more."""
        self.data += data[:max(0, self._limit - len(self.data))]
        return len(data)


class FdSink:
    """Passes on what a command writes. Never blocks: data waits until poll allows a write."""

    def __init__(self, fd):
        self.fd = fd
        self._pending = bytearray()

    def put(self, data):
        self._pending += data
        return 0

    def pending(self):
        return len(self._pending)

    def flush(self):
        """poll said that fd can be written; returns as put()."""
        try:
            count = os.write(self.fd, self._pending[:WRITE_ATOMIC])
        except BlockingIOError:
            return 0
        except OSError:
            self._pending.clear()
            return None
        del self._pending[:count]
        return count


class _Output:
    """The host's side of standard output or error of the running command."""

    def __init__(self, number, sink, window):
        self.number = number
        self.sink = sink
        self.step = max(1, window // 4)
        self.delivered = 0
        self.closed = False


class Guest:
    """The agent in one Vm. Not for use by several threads at once."""

    def __init__(self, vm, on_console=None):
        self._vm = vm
        self._encoder = link.Encoder()
        self._decoder = link.Decoder()
        self._transmit = bytearray()
        self._window = None  # bytes that may be sent; None before HELLO
        self._on_console = on_console
        self.console = bytearray()  # the tail of the console's log
        self._block = b""
        self._outputs = {}
        self._stdin = None  # descriptor, while the command may read it
        self._status = None
        self._ended = False

    # --- commands -----------------------------------------------------------------------

    def run(self, argv, *, env=DEFAULT_ENV, cwd=b"/", stdin=None, stdout=None, stderr=None,
            deadline=None, make_dir=False):
        """Run one command to its end and return its status as wait4 gives it.

        `stdin` is a descriptor or None for an empty input. `deadline` is a time.monotonic()
        value; TimedOut leaves the command running: see kill().
        """
        window = self._vm.link_window()
        flags = link.FLAG_MAKE_DIR if make_dir else 0
        self._block = link.start_block(argv, env, cwd, window, flags)
        self._outputs = {link.OUTPUT: _Output(1, stdout or BufferSink(), window),
                         link.ERROR: _Output(2, stderr or BufferSink(), window)}
        self._stdin = None
        self._status = None
        self._wait(lambda: self._start_sent(stdin), deadline)
        self._wait(self._finished, deadline)
        return self._status

    def wait_ready(self, deadline):
        """Wait until the guest can run commands."""
        self._wait(self.is_ready, deadline)

    def kill(self, seconds=5):
        """After TimedOut: kill the command. False if the guest does not react."""
        self._send(link.KILL)
        self._stdin = None
        try:
            self._wait(self._finished, time.monotonic() + seconds)
            return True
        except (TimedOut, GuestEnded):
            return False

    def quit(self):
        """Power the guest off, and let it take its time over it within reason."""
        self._send(link.QUIT)
        try:
            self._wait(lambda: self._ended, time.monotonic() + QUIT_SECONDS)
        except (TimedOut, GuestEnded):
            pass
        return self._vm.wait(1)

    def console_rest(self, seconds):
        """After GuestEnded: collect what is still in the console's pipe."""
        try:
            self._wait(lambda: False, time.monotonic() + seconds)
        except (TimedOut, GuestEnded):
            pass

    def is_ready(self):
        """Whether the agent has reported: the kernel is up and runs programs."""
        return self._window is not None

    # --- conditions to wait for ---------------------------------------------------------

    def _start_sent(self, stdin):
        """Send the start block as far as the window allows; True once it is out."""
        if self._window is None:
            return False
        while self._block:
            if not self._room():
                return False
            part, self._block = self._block[:CHUNK], self._block[CHUNK:]
            self._send_counted(link.BLOCK, part)
        self._send(link.START)
        self._stdin = stdin
        if stdin is None:
            self._send(link.EOF)
        return True

    def _finished(self):
        return self._status is not None and not any(
            output.sink.pending() for output in self._outputs.values() if output.sink.fd >= 0)

    def _room(self):
        """Whether a full chunk may be sent (the guest gives credit back in larger steps)."""
        return self._window is not None and self._window >= CHUNK + link.HEADER.size

    # --- sending ------------------------------------------------------------------------

    def _send(self, kind, payload=b""):
        self._transmit += self._encoder.frame(kind, payload)

    def _send_counted(self, kind, payload):
        self._window -= link.HEADER.size + len(payload)
        self._send(kind, payload)

    def _send_words(self, kind, *words):
        self._send(kind, b"".join(word.to_bytes(4, "little") for word in words))

    # --- the loop -----------------------------------------------------------------------

    def _wait(self, done, deadline):
        """Move data until done(); raise TimedOut or GuestEnded."""
        while not done():
            if self._ended:
                raise GuestEnded("the guest ended")
            timeout = None
            if deadline is not None:
                timeout = (deadline - time.monotonic()) * 1000
                if timeout <= 0:
                    raise TimedOut()
            poller, actions = self._poller()
            for fd, _ in poller.poll(timeout):
                actions[fd]()

    def _poller(self):
        """What to wait for right now. Few descriptors, so built afresh each time."""
        poller = select.poll()
        actions = {}

        def watch(fd, events, action):
            actions[fd] = action
            poller.register(fd, events)

        watch(self._vm.link_out, select.POLLIN, self._receive)
        if self._vm.console_out >= 0:
            watch(self._vm.console_out, select.POLLIN, self._read_console)
        if self._transmit:
            watch(self._vm.link_in, select.POLLOUT, self._write_link)
        if self._stdin is not None and self._status is None and self._room():
            watch(self._stdin, select.POLLIN, self._read_stdin)
        for output in self._outputs.values():
            if output.sink.fd >= 0 and output.sink.pending():
                watch(output.sink.fd, select.POLLOUT, lambda output=output: self._flush(output))
        return poller, actions

    def _write_link(self):
        try:
            count = os.write(self._vm.link_in, self._transmit)
        except BlockingIOError:
            return
        del self._transmit[:count]

    def _receive(self):
        try:
            data = os.read(self._vm.link_out, 256 << 10)
        except BlockingIOError:
            return
        if not data:
            self._read_console_rest()
            self._ended = True
            return
        try:
            for kind, payload in self._decoder.feed(data):
                self._handle(kind, payload)
        except link.LinkError as error:
            raise GuestEnded(f"the run link failed: {error}") from None

    def _read_console(self):
        if self._vm.console_out < 0:
            return b""  # closed by another action of the same poll
        data = os.read(self._vm.console_out, 64 << 10)
        self.console += data
        del self.console[:-CONSOLE_KEEP]
        if self._on_console:
            self._on_console(data)
        if not data:
            self._vm.console_out = -1
        return data

    def _read_console_rest(self):
        """QEMU has gone: everything it wrote is in the pipe."""
        while self._vm.console_out >= 0 and self._read_console():
            pass

    def _read_stdin(self):
        if self._stdin is None:
            return  # closed by another action of the same poll
        try:
            data = os.read(self._stdin, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # closed, or a terminal that is not ours: nothing to read
        if data:
            self._send_counted(link.INPUT, data)
        else:
            self._stdin = None
            self._send(link.EOF)

    # --- frames from the guest ----------------------------------------------------------

    def _handle(self, kind, payload):
        if kind in self._outputs:
            output = self._outputs[kind]
            self._delivered(output, output.sink.put(payload) if not output.closed else None)
        elif kind == link.CREDIT:
            self._window += link.words(payload, 2)[1]
        elif kind == link.CLOSE:
            self._close_stdin()
        elif kind == link.EXIT:
            self._status = link.words(payload, 1)[0]
            self._stdin = None
        elif kind == link.HELLO:
            version, self._window = link.words(payload, 2)
            if version != link.VERSION:
                raise link.LinkError(f"the agent speaks version {version}, we {link.VERSION}")
        else:
            raise link.LinkError(f"unknown frame {kind!r}")

    def _flush(self, output):
        self._delivered(output, output.sink.flush())

    def _delivered(self, output, count):
        """Tell the guest, in steps, that output went away; or that nobody reads it."""
        if count is None:
            if not output.closed:
                output.closed = True
                self._send_words(link.CLOSE, output.number)
            return
        output.delivered += count
        if output.delivered >= output.step:
            self._send_words(link.CREDIT, output.number, output.delivered)
            output.delivered = 0

    def _close_stdin(self):
        """The command has closed its input: whoever writes to ours shall know (EPIPE)."""
        if self._stdin is not None:
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, self._stdin)
            os.close(null)
            self._stdin = None
