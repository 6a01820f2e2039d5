# SPDX-License-Identifier: MPL-2.0
"""./keel soak: a long mixed load of stress-ng on Keel, and what it leaves behind.

After a warm-up of the same mix, and again after the load, caches are dropped and memory, kernel objects and
processes are counted. It passes if stress-ng is content (--verify), the kernel reports nothing, as many
processes live as before, and neither free memory nor any kind of object has moved beyond SLACK.
"""

import argparse
import re
import time

from image import store
from keel import build
from keel.testing.model import Config
from run import panic
from run.guest import BufferSink, Guest, GuestEnded, TimedOut
from run.vm import Vm

MIX = ("cpu fork clone futex pthread mmap mremap sem eventfd epoll timer signal pipe "
       "poll sigq vm switch mutex shm dentry fifo timerfd sigfd membarrier mprotect vfork wait zombie").split()
OPTIONS = ["--mmap-bytes", "8M", "--mremap-bytes", "2M", "--vm-bytes", "16M", "--shm-bytes", "1M", "--vfork-max", "4", "--zombie-max", "64", "--clone-max", "64",
           "--pthread-max", "64"]
MEM = "1G"
WARM_UP_SECONDS = 45
GRACE_SECONDS = 600  # for the end of stress-ng on a busy host
SLACK_OBJECTS = 256  # the debug build's quarantine, what per-CPU lists hold back
SLACK_KB = 8192
REPORTS = re.compile(r"KASAN|UBSAN|lock order|\bpanic: |BUG|backtrace|warning: |grace period .* does not end")

_PROBE = r"""
sync; echo 3 >/proc/sys/vm/drop_caches; sleep 2; echo 3 >/proc/sys/vm/drop_caches
cat /proc/meminfo; echo ---; cat /proc/slabinfo; echo ---
for p in /proc/[0-9]*; do echo "${p#/proc/} $(cat $p/comm)"; done
"""


def main(args):
    """Entry point of `./keel soak`; returns the exit status."""
    parse = argparse.ArgumentParser(prog="keel soak", allow_abbrev=False, description=__doc__)
    parse.add_argument("--minutes", type=float, default=30, help="default: 30")
    parse.add_argument("--cpus", type=int, default=4)
    parse.add_argument("--release-build", action="store_true", help="default: the debug build")
    parse.add_argument("--no-build", action="store_true", help="use what is built already")
    parse.add_argument("names", nargs="*", metavar="STRESSOR", help=f"default: {' '.join(MIX)}")
    options = parse.parse_args(args)
    if not options.no_build:
        build.setup()
        build.make("user")
        build.make(debug=not options.release_build)
    return _Soak(options).run()


class _Soak:
    def __init__(self, options):
        self._options = options
        self._config = Config(False, not options.release_build, options.cpus)
        self._log = bytearray()
        self._problems = []

    def run(self):
        machine = self._config.machine(initrds=[store.ensure("debian-test"), store.agent()])
        machine.mem, machine.verbose = MEM, True
        with Vm(machine, agent=True) as vm:
            guest = Guest(vm, on_console=self._log.extend)
            try:
                guest.wait_ready(time.monotonic() + GRACE_SECONDS)
                self._load(guest)
                guest.quit()
            except (GuestEnded, TimedOut) as reason:
                guest.console_rest(2)
                self._problem(f"the guest is of no more use: {reason or 'no answer in time'}")
        return self._verdict()

    def _load(self, guest):
        names = [name for name in self._options.names or MIX if self._works(guest, name)]
        print("mix: " + " ".join(names), flush=True)
        self._stress(guest, names, WARM_UP_SECONDS)
        before = _State(_run(guest, ["bash", "-c", _PROBE])[1])
        self._stress(guest, names, int(self._options.minutes * 60))
        after = _State(_run(guest, ["bash", "-c", _PROBE])[1])
        self._compare(before, after)

    def _works(self, guest, name):
        """A stressor that cannot run at all is left out, and that is said."""
        status, text = _run(guest, ["stress-ng", "--temp-path", "/tmp", f"--{name}", "1", f"--{name}-ops", "1", "--timeout", "20", *OPTIONS])
        if status == 0:
            return True
        print(f"left out: {name}: " + "; ".join(line for line in text.splitlines() if "fail" in line or "skip" in line), flush=True)
        return False

    def _stress(self, guest, names, seconds):
        command = ["stress-ng", "--verify", "--metrics", "--temp-path", "/tmp", "--timeout", str(seconds), *OPTIONS]
        for name in names:
            command += [f"--{name}", "1"]
        status, text = _run(guest, command, seconds + GRACE_SECONDS)
        print(text, flush=True)
        if status:
            self._problem(f"stress-ng ended with status {status:#x}")

    def _compare(self, before, after):
        if before.processes != after.processes:
            self._problem(f"processes before: {before.processes}\nafter: {after.processes}")
        shrunk = before.meminfo["MemFree"] - after.meminfo["MemFree"]
        if shrunk > SLACK_KB:
            self._problem(f"free memory shrank by {shrunk} kB")
        for name, kb in after.meminfo.items():
            if kb != before.meminfo[name]:
                print(f"{name:16} {before.meminfo[name]:8} -> {kb:8} kB")
        for name, count in sorted(after.objects.items()):
            grown = count - before.objects.get(name, 0)
            if grown:
                print(f"objects {name:20} {before.objects.get(name, 0):7} -> {count:7}")
            if grown > SLACK_OBJECTS:
                self._problem(f"{grown} more objects of {name}")

    def _problem(self, text):
        self._problems.append(text)
        print("PROBLEM " + text, flush=True)

    def _verdict(self):
        lines = self._log.decode(errors="replace").replace("\r", "").splitlines()
        refused = sorted({line.partition("] ")[2] for line in lines if "not supported" in line})
        print("\n".join("refused: " + line for line in refused))
        if any(REPORTS.search(line) for line in lines):
            self._problem("the kernel reports:\n" + "\n".join(panic.symbolise(lines[-300:], self._config.kernel())))
        print(f"{len(refused)} calls or flags refused; {len(self._problems)} problems")
        return 1 if self._problems else 0


class _State:
    """What the probe printed."""

    def __init__(self, text):
        meminfo, slabs, processes = text.split("---\n")
        self.meminfo = {name: int(kb) for name, kb in re.findall(r"^(\S+):\s+(\d+)", meminfo, re.M)}
        self.objects = {line.split()[0]: int(line.split()[1]) for line in slabs.splitlines()[2:]}
        self.processes = sorted(line.split(" ", 1)[1] for line in processes.splitlines()
                                if line.split(" ", 1)[1:] and not line.endswith(" bash"))


def _run(guest, argv, seconds=GRACE_SECONDS):
    sink = BufferSink(1 << 20)
    status = guest.run([word.encode() for word in argv], stdout=sink, stderr=sink, deadline=time.monotonic() + seconds)
    return status, sink.data.decode(errors="replace")
