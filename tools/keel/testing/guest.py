# SPDX-License-Identifier: MPL-2.0
"""Layers conformance and apps: programs that the run agent starts in a guest, many per boot.

If the guest dies in one test, that test has failed and the rest continue in a fresh boot. Every
test has a time limit: SECONDS, or what the test's source states as "keel-test: seconds=N". Each
starts in an empty folder /tmp/NAME, and what it leaves running is killed.

conformance  test/conformance/NAME.c, a static program that prints TAP
apps         test/apps/NAME.sh, run by busybox sh, or by the bash of the image that the script
             states as "keel-test: root=IMAGE"; standard output and error are compared with
             NAME.out, which `./keel test --record NAME` took from Linux with the same image
"""

import glob
import os
import re
import signal
import subprocess
import time

from image import overlay, store
from keel import build, paths
from keel.testing import calls
from keel.testing.model import Job, Result
from keel.testing.tap import Tap, shorten
from run import panic
from run.guest import BufferSink, Guest, GuestEnded, TimedOut
from run.vm import Vm

SECONDS = 60
BOOT_SECONDS = 60
BOOT_FAILURES = 2  # in a row; then the guest is given up
ROOT = "busybox"
_LIMIT = re.compile(r"keel-test:.*\bseconds=(\d+)")
_ROOT = re.compile(r"keel-test:.*\broot=([\w-]+)")


class _Layer:
    """A kind of program: where its source is, how it is started and judged."""

    ON_LINUX = True

    def tests(self):
        files = glob.glob(paths.source("test", self.NAME, "*" + self.SUFFIX))
        return sorted(os.path.basename(file)[:-len(self.SUFFIX)] for file in files)

    def source(self, name):
        return paths.source("test", self.NAME, name + self.SUFFIX)

    def inside(self, name):
        """The program's path in the guest."""
        return f"/tests/{self.NAME}/{name}"

    def prepare(self, names, configs):
        build.make("user")
        self.build()
        entries = [(self.inside(name), self.program(name)) for name in names]
        store.write_if_changed(self.image(), overlay.files(entries))
        for root in {self.root(name) for name in names}:
            store.ensure(root)

    def image(self):
        return paths.image(f"test-{self.NAME}")

    def jobs(self, names, configs):
        """One job a configuration and root; for a single configuration, two that share the names."""
        return [Job(f"{self.NAME}, {config}", lambda report, config=config, part=part:
                    _Batch(self, config, part, report).run())
                for config in configs for group in self.by_root(names)
                for part in ([group] if len(configs) > 1 or len(group) < 2
                             else [group[::2], group[1::2]])]

    def by_root(self, names):
        """The names in lists, one for each root image."""
        groups = {}
        for name in names:
            groups.setdefault(self.root(name), []).append(name)
        return list(groups.values())

    def root(self, name):
        return self._stated(name, _ROOT) or ROOT

    def seconds(self, name):
        return int(self._stated(name, _LIMIT) or SECONDS)

    def _stated(self, name, pattern):
        with open(self.source(name), encoding="utf-8", errors="replace") as text:
            match = pattern.search(text.read(4096))
        return match[1] if match else None


class Conformance(_Layer):
    NAME = "conformance"
    SUFFIX = ".c"

    def build(self):
        build.make("conformance")

    def program(self, name):
        """Without debug information, for the sake of the guest's memory."""
        built = paths.build("conformance", name)
        small = paths.build("conformance", "stripped", name)
        if not os.path.exists(small) or os.stat(small).st_mtime < os.stat(built).st_mtime:
            os.makedirs(os.path.dirname(small), exist_ok=True)
            subprocess.run(["strip", "-o", small, built], check=True)
        return small

    def command(self, name):
        return [os.fsencode(self.inside(name))]

    def judge(self, name, output, error, status):
        """Why the test failed; empty if it passed."""
        problems = Tap(output).problems(status)
        return problems + shorten("\n" + error.rstrip()) if problems and error else problems


class Apps(_Layer):
    NAME = "apps"
    SUFFIX = ".sh"

    def build(self):
        pass

    def program(self, name):
        return self.source(name)

    def command(self, name):
        shell = b"sh" if self.root(name) == ROOT else b"bash"
        return [shell, b"-c", b'exec %b "$0" 2>&1' % shell, os.fsencode(self.inside(name))]

    def recorded(self, name):
        return paths.source("test", "apps", name + ".out")

    def judge(self, name, output, error, status):
        found = self.transcript(output, status)
        try:
            with open(self.recorded(name), encoding="utf-8") as text:
                wanted = text.read()
        except FileNotFoundError:
            return f"no {name}.out: record it on Linux with ./keel test --record {name}"
        return "" if found == wanted else shorten(_difference(wanted, found))

    @staticmethod
    def transcript(output, status):
        """What is recorded and compared: the output, and how the script ended if not well."""
        return output + (f"[{status}]\n" if status else "")

    def record(self, names, config):
        """Run the scripts in `config` (Linux) and write their .out files; returns those."""
        written = []

        def keep(name, output, error, status):
            with open(self.recorded(name), "w", encoding="utf-8") as text:
                text.write(self.transcript(output, status))
            written.append(self.recorded(name))
            return ""

        self.prepare(names, [config])
        self.judge = keep
        problems = []
        for group in self.by_root(names):
            _Batch(self, config, group, problems.append).run()
        return written, [result for result in problems if not result.passed]


class _Batch:
    """Some tests of one root in one configuration, in as few boots as it takes."""

    def __init__(self, layer, config, names, report):
        self._layer = layer
        self._config = config
        self._left = list(names)
        self._report = report
        self._boot_failures = 0

    def run(self):
        root = store.ensure(self._layer.root(self._left[0]))
        machine = self._config.machine(initrds=[root, store.agent(), self._layer.image()],
                                       append=calls.APPEND if self._config.has_calls else ())
        while self._left and self._boot_failures < BOOT_FAILURES:
            with Vm(machine, agent=True) as vm:
                guest = Guest(vm, calls.sink() if self._config.has_calls else None)
                try:
                    guest.wait_ready(time.monotonic() + BOOT_SECONDS * self._config.patience())
                except (GuestEnded, TimedOut) as reason:
                    self._boot_failures += 1
                    ending = self._last_words(vm, guest, reason)
                    continue
                self._boot_failures = 0
                if self._run_here(vm, guest):
                    guest.quit()
        for name in self._left:
            self._result(name, f"the guest does not boot\n{ending}")

    def _run_here(self, vm, guest):
        """Run tests until none is left (True) or the guest is of no more use."""
        while self._left:
            name = self._left.pop(0)
            output, error = BufferSink(), BufferSink()
            limit = self._layer.seconds(name) * self._config.patience()
            try:
                status = guest.run(self._layer.command(name), cwd=b"/tmp/" + name.encode(),
                                   make_dir=True, stdout=output, stderr=error,
                                   deadline=time.monotonic() + limit)
            except TimedOut:
                alive = guest.kill()
                self._result(name, f"no end after {limit} s"
                             + ("" if alive else ", nor after SIGKILL")
                             + _tail(output, error) + self._last_words(vm, guest, ""))
                if not alive:
                    return False
                continue
            except GuestEnded as reason:
                self._result(name, self._last_words(vm, guest, reason) + _tail(output, error))
                return False
            self._result(name, self._layer.judge(name, output.data.decode(errors="replace"),
                                                 error.data.decode(errors="replace"),
                                                 _status_text(status)))
        return True

    def _last_words(self, vm, guest, reason):
        guest.console_rest(2)
        return shorten("\n".join(filter(None, [str(reason), vm.errors(),
                                               panic.report(guest.console, vm.machine.kernel)])))

    def _result(self, name, problems):
        self._report(Result(self._layer.NAME, name, str(self._config), not problems, problems))


def _status_text(status):
    """None for success."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"killed by {signal.Signals(number).name}"
        except ValueError:
            return f"killed by signal {number}"
    return f"exit status {os.WEXITSTATUS(status)}" if status else None


def _tail(output, error):
    """The end of what a test that never ended had printed."""
    text = (bytes(output.data[-1000:]) + bytes(error.data[-1000:])).decode(errors="replace")
    return f"\n--- it had printed:\n{text.rstrip()}\n" if text else "\n"


def _difference(wanted, found):
    import difflib
    return "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(),
                                          "on Linux", "here", lineterm="", n=2))
