# SPDX-License-Identifier: MPL-2.0
"""Drives a program on a terminal as a person would: types, watches, waits. For tests.

    with Person(["./keel", "run"]) as person:
        person.wait_prompt(60)
        person.command("echo $((6 * 7))")      # -> "42"
        person.type("vi file\\r")
        person.wait_screen(lambda screen: "~" in screen.lines())
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from run.screen import Screen

PROMPT = r"root@keel:[^\n]*# $"
KEYS = {"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
        "home": "\x1b[H", "end": "\x1b[F", "delete": "\x1b[3~", "backspace": "\x7f",
        "enter": "\r", "tab": "\t", "escape": "\x1b",
        "ctrl-a": "\x01", "ctrl-c": "\x03", "ctrl-d": "\x04", "ctrl-z": "\x1a",
        "ctrl-\\": "\x1c", "ctrl-u": "\x15", "ctrl-w": "\x17"}

ESCAPE_PAUSE = 0.5
QUERY_SECONDS = 0.5
_ESCAPES = re.compile(r"\x1b(\[[?]?[0-9;]*[@-~]|[()].|[^\[()])")


class Unexpected(Exception):
    """What was waited for did not come; str() shows what was there instead."""


class Person:
    """At a terminal of 24 by 80 that runs `argv`."""

    def __init__(self, argv, patience=20, rows=24, columns=80):
        self.screen = Screen(rows, columns)
        self.patience = patience
        self._unread = ""  # output that no wait has consumed, without escape sequences
        self._seen = 0  # characters that ever were in _unread
        self._answered = 0  # what _seen was when the terminal last answered a query
        self._raw_rest = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._fd, self.terminal = pty.openpty()  # the person's end, the program's end
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            argv, stdin=self.terminal, stdout=self.terminal, stderr=self.terminal, start_new_session=True,
            env={**os.environ, "TERM": "vt100"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        os.close(self._fd)
        os.close(self.terminal)

    # --- hands --------------------------------------------------------------------------

    def type(self, text):
        os.write(self._fd, text.encode())

    def press(self, *names):
        """Press keys by name; a single character stands for itself. Programs tell the Escape
        key from an escape sequence by the pause that a person makes after it."""
        for name in names:
            self.type(KEYS.get(name, name))
            if name == "escape":
                self.pause(ESCAPE_PAUSE)

    # --- eyes ---------------------------------------------------------------------------

    def wait(self, pattern, seconds=None):
        """Wait until new output matches; what came before it is forgotten. Returns the match."""
        found = None

        def seen():
            nonlocal found
            found = re.search(pattern, self._unread)
            return found is not None

        self._watch(seen, seconds, f"output like {pattern!r}")
        self._unread = self._unread[found.end():]
        return found

    def wait_screen(self, condition, seconds=None):
        """Wait until condition(screen) holds."""
        self._watch(lambda: condition(self.screen), seconds, "the screen to change as described")

    def wait_prompt(self, seconds=None):
        found = self.wait(PROMPT, seconds)
        self._settle()
        return found

    def _settle(self):
        """After the prompt the shell asks where the cursor is; a person types later than the
        terminal answers."""
        prompt_end = self._seen - len(self._unread)
        limit = time.monotonic() + QUERY_SECONDS
        while self._answered < prompt_end and time.monotonic() < limit:
            self._read(limit - time.monotonic())

    def wait_end(self, seconds=None):
        """Wait for the program's end; returns its exit status."""
        self._watch(lambda: self.process.poll() is not None, seconds, "the end of the program")
        return self.process.returncode

    def pause(self, seconds):
        """Look on for a while, whatever happens."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(end - time.monotonic()):
            pass

    def command(self, line, seconds=None):
        """Type a shell command at the prompt; returns what it printed."""
        self._unread = ""
        self.type(line + "\r")
        self.wait(r"\n", seconds)  # the echo of our Enter
        before = []

        def prompt():
            found = re.search(r"(?:^|\n)" + PROMPT, self._unread)
            if found:
                before.append(self._unread[:found.start()])
                self._unread = self._unread[found.end():]
            return found is not None

        self._watch(prompt, seconds, f"a prompt after {line!r}")
        self._settle()
        return before[0].strip("\n")

    def _watch(self, condition, seconds, what):
        end = time.monotonic() + (seconds or self.patience)
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or (not self._read(min(left, 0.5)) and not condition()):
                raise Unexpected(f"waited for {what}\n--- unread:\n{self._unread[-2000:]}\n"
                                 f"--- screen:\n{self.screen.text()}")

    def _read(self, seconds):
        """Take in what the program prints; False once it has ended."""
        ready, _, _ = select.select([self._fd], [], [], max(0, seconds))
        if not ready:
            return self.process.poll() is None
        text = self._decode(os.read(self._fd, 65536))
        self.screen.feed(text)
        self._add_unread(text)
        if self.screen.replies:
            self.type(self.screen.replies)
            self.screen.replies = ""
            self._answered = self._seen
        return True

    def _add_unread(self, text):
        text = self._raw_rest + text
        cut = text.rfind("\x1b", max(0, len(text) - 16))
        if cut >= 0 and not _ESCAPES.match(text, cut):
            text, self._raw_rest = text[:cut], text[cut:]
        else:
            self._raw_rest = ""
        text = _ESCAPES.sub("", text).replace("\r", "")
        self._unread += text
        self._seen += len(text)


class Tap:
    """Prints results in TAP as they come."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, passed, text, detail=""):
        """One result; the detail is shown if it failed."""
        self.count += 1
        if not passed:
            self.failed += 1
            for line in str(detail).splitlines():
                print(f"# {line}")
        print(f"{'ok' if passed else 'not ok'} {self.count} - {text}", flush=True)

    def step(self, text, function, *args):
        """Run one step of a test; an Unexpected is a failure and the test goes on."""
        try:
            result = function(*args)
        except Unexpected as problem:
            self.check(False, text, problem)
            return
        self.check(result is None or result is True, text, f"result: {result!r}")

    def finish(self):
        """Print the plan; returns the exit status for the test program."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


def launch_command():
    """The command that a console test was told to drive: all its arguments. Also readies the
    test for being stopped: what it runs gets the signal too and a moment to clean up."""
    def stop(*_):
        time.sleep(1)
        sys.exit(143)

    signal.signal(signal.SIGTERM, stop)
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} ./keel run [OPTIONS]")
    return sys.argv[1:]
