# SPDX-License-Identifier: MPL-2.0
"""Layer failalloc: the conformance programs while the kernel's allocations fail on purpose, one place in the code after the
other (kernel/mm/fault_inject.c; debug build only).

quick		some programs, a minute
whole_files	those of files and events	with --all, or by name: a quarter of an hour or more each; build/failalloc/unreached
whole_rest	all others, and busybox		then lists the calls that neither came to

One boot each. Its programs run once undisturbed, so that what the kernel keeps for good is there; then memory, open files and the
objects of every slab cache are counted. Then each place fails on its first visit, and (not quick) once more on its second: every
program runs again and again until it meets no place that has not failed yet. What becomes of a program is its own matter; it has
a time limit and is killed. In the end, with everything undone that programs left behind, the counts must be what they were, the
machine must work, and the kernel's log must know of nothing that NEVER matches.
"""

import os
import re
import threading
import time

from image import store
from keel import build, paths
from keel.testing import fault, sites
from keel.testing.guest import BOOT_SECONDS, Conformance
from keel.testing.model import Job, Result
from keel.testing.tap import shorten
from run import panic
from run.guest import BufferSink, Guest, GuestEnded, TimedOut
from run.vm import Vm

NAME = "failalloc"
ON_LINUX = False
QUICK = ("fs_dir", "fs_fd", "fs_mount", "fs_path", "mm_lock")
ONLY_ALL = ("whole_files", "whole_rest")  # else not unless they are named
FILES = ("fs_", "event_")
ENDS = 12  # of the machine, at most
SETTLE_SECONDS = 20  # for what is freed late
PROGRAM_SECONDS = 100  # for all runs of one program
RUN_SECONDS = 30  # for one; many wait for what never comes after something has failed

# What busybox does with the kernel that the conformance programs do not.
SHELL = {
    "sh_files": "mkdir a; cp -r /etc a; tar cf t a; gzip -c t | gunzip | tar xf -; find / -xdev -type f | wc -l; du -s /; ls -lR a; rm -rf a t",
    "sh_pipes": "seq 1 3000 | sort -rn | sed s/1/x/ | awk '{n += $1} END {print n}' | md5sum; yes | head -c 300000 | wc -c; (sleep 0.1 & wait)",
    "sh_proc": "ps; top -bn1; free; df; mount; for f in /proc/[a-z]* /proc/1/* /proc/self/* /proc/sys/*/*; do timeout 2 head -c 4000 $f; done; lsof; fuser /; uptime",
    "sh_mount": "mkdir m; mount -t tmpfs -o size=1m x m; dd if=/dev/zero of=m/f bs=64k; mount --bind m /mnt; umount /mnt; mount -o remount,ro m; umount m; swapoff -a",
    "sh_locks": "flock f cat /proc/locks; flock f sh -c 'cat /proc/self/fdinfo/*'",
    "sh_trace": "echo ls > /proc/sys/kernel/keel_trace; ls -l / > f; ls none; echo > /proc/sys/kernel/keel_trace; cat /proc/sys/kernel/pid_max > /proc/sys/kernel/pid_max",
    "sh_tty": "stty -a < /dev/ttyS0; setsid sh -c 'exec < /dev/ttyS0; stty size'; script -c 'echo hi' s; dmesg | tail; chrt -p $$; renice 5 $$; nice id",
}

CLEAN = r"""
cd /
for m in $(awk '$2 ~ "^/(tmp|mnt)" {print $2}' /proc/mounts | sort -r); do umount -l $m; done
rm -rf /tmp/* /tmp/.[!.]* /root/* /dev/shm/* 2>/dev/null
"""
MEASURE = r"""
echo 3 > /proc/sys/vm/drop_caches; sleep 1; echo 3 > /proc/sys/vm/drop_caches
cat /proc/meminfo; echo files: $(cat /proc/sys/fs/file-nr); echo mounts: $(wc -l < /proc/mounts)
echo processes: $(ls -d /proc/[0-9]*/task/[0-9]* 2>/dev/null | wc -l)
"""
COUNT = "echo m > /proc/sysrq-trigger; echo %s > /dev/kmsg"  # no program but the shell, which is there alone
WORKS = "cd /tmp && seq 1 1000 > f && seq 1 1000 | cmp - f && rm f && (exit 7); echo works $?"


_reached = {}  # test: the calls that failed
_reached_lock = threading.Lock()


def tests():
    return ["quick", *ONLY_ALL]


def prepare(names, configs):
    if any(config.debug for config in configs):
        Conformance().prepare(Conformance().tests(), configs)


def jobs(names, configs):
    """On as many CPUs as there are: once, in the debug build."""
    debug = [config for config in configs if config.debug]
    if not debug:
        return []
    config = max(debug, key=lambda config: config.cpus)
    return [Job(f"failalloc, {config}", lambda report, name=name: report(_test(name, config))) for name in names]


def _programs(name):
    if name == "quick":
        return QUICK
    return tuple(program for program in Conformance().tests() if program.startswith(FILES) == (name == "whole_files"))


def _test(name, config):
    run = _Run(name, config)
    problems = run.run()
    if name != "quick":
        _note_sites(name, sites.coverage(paths.kernel(debug=True), run.text))
    return Result(NAME, name, str(config), not problems, shorten(problems))


def _note_sites(name, found):
    """The last of the large tests says what none of them reached."""
    with _reached_lock:
        _reached[name] = found
        print(f"failalloc/{name}: {found}", flush=True)
        if set(_reached) != set(ONLY_ALL):
            return
        total = sites.together(list(_reached.values()))
        print(f"failalloc: {total}", flush=True)
        with open(paths.build("failalloc", "unreached"), "w", encoding="utf-8") as out:
            out.write("\n".join(total.unreached) + "\n")


class _Run:
    """One boot."""

    def __init__(self, name, config):
        layer = Conformance()
        self._commands = {program: layer.command(program) for program in _programs(name)}
        if name == "whole_rest":
            self._commands.update({program: [b"sh", b"-c", script.encode()] for program, script in SHELL.items()})
        self._modes = ("sites",) if name == "quick" else ("sites", "sites:2")
        self._patience = config.patience()
        self._machine = config.machine(initrds=[store.ensure("busybox"), store.agent(), layer.image()], append=["nokaslr", "debug"])
        self._machine.verbose = True
        self._console = bytearray()
        self.text = ""  # of all boots
        self._name = name
        os.makedirs(paths.build("failalloc"), exist_ok=True)
        self._log = open(paths.build("failalloc", f"{name}.runs"), "w", buffering=1, encoding="utf-8")

    def run(self):
        """Why the test failed, as text; empty if it passed. What ends the machine costs the program that did it; the rest goes on in a fresh boot."""
        problems = []
        while self._commands and len(problems) < ENDS:
            self._current = None
            self._console = bytearray()
            with Vm(self._machine, agent=True) as vm:
                self._guest = Guest(vm, on_console=self._on_console)
                try:
                    self._guest.wait_ready(time.monotonic() + BOOT_SECONDS * self._patience)
                    problems.append(self._session())
                    self._guest.quit()
                    self._commands = {}
                except (GuestEnded, TimedOut) as reason:
                    self._guest.console_rest(2)
                    problems.append("\n".join(filter(None, [f"{reason or 'no answer'} {self._where}", vm.errors(),
                                                            panic.report(_without_failures(self._guest.console), vm.machine.kernel)])))
                    if not self._current:
                        break
                    names = list(self._commands)
                    self._commands = {name: self._commands[name] for name in names[names.index(self._current) + 1:]}
                finally:
                    self.text += self._text()
        self._keep_log()
        return "\n".join(filter(None, problems))

    def _on_console(self, data):
        self._console += data

    def _text(self):
        return self._console.decode(errors="replace").replace("\r", "")

    def _session(self):
        self._where = "undisturbed"
        for name, command in self._commands.items():  # some of what a program leaves is kept in any case, such as an inode's list of marks
            self._run_one(name, command, PROGRAM_SECONDS * self._patience)
        before = self._measure()
        for words in self._modes:
            self._set(words)
            for name, command in self._commands.items():
                self._where, self._current = f"in {name}, {words}", name
                if not self._until_nothing_new(name, command, PROGRAM_SECONDS):
                    raise TimedOut("a task does not end, even if killed,")
            self._set("off")
        self._where = "in the end"
        return self._judge(before)

    def _note(self, line):
        self._log.write(line + "\n")

    # --- programs

    def _run_one(self, name, command, seconds):
        """False if it could not be killed after its time."""
        try:
            self._guest.run(command, cwd=b"/tmp/" + name.encode(), make_dir=True, stdout=BufferSink(4096),
                            stderr=BufferSink(4096), deadline=time.monotonic() + seconds)
        except TimedOut:
            self._note(f"{name}: killed after {seconds:.0f} s")
            return self._guest.kill(60)
        return True

    def _until_nothing_new(self, name, command, seconds):
        """Most runs end at the first thing that fails, so there are many, and short ones."""
        self._shell("echo 8 > /proc/sys/kernel/printk")  # some program may have changed it
        started, first, quiet, runs = time.monotonic(), self._n_failed(), 0, 0
        while quiet < 1 and time.monotonic() < started + seconds:
            before = self._n_failed()
            if not self._run_one(name, command, RUN_SECONDS):
                return False
            runs += 1
            quiet = quiet + 1 if self._n_failed() == before else 0
        self._note(f"{name}: {self._n_failed() - first} places in {runs} runs, {time.monotonic() - started:.1f} s")
        return True

    def _n_failed(self):
        return self._console.count(b"failalloc:")

    def _shell(self, script, seconds=60):
        out = BufferSink()
        self._guest.run([b"sh", b"-c", script.encode()], stdout=out, stderr=BufferSink(), deadline=time.monotonic() + seconds * self._patience)
        return out.data.decode(errors="replace")

    def _set(self, words):
        """The shell that does it may be hit itself."""
        for _ in range(1000):
            if self._shell(f"f=/proc/sys/kernel/keel_failalloc; echo {words} > $f; cat $f").strip() == words:
                return
        raise TimedOut(f"keel_failalloc cannot be set to {words}")

    # --- counts

    def _measure(self):
        """{what: number}: kB, or objects."""
        self._shell(CLEAN)
        at, marker = len(self._console), f"measured {time.monotonic()}"
        text = self._shell(MEASURE)
        time.sleep(1)  # what ended has been freed
        self._shell(COUNT % f"'{marker}'")
        end = time.monotonic() + 30 * self._patience
        while marker not in self._text() and time.monotonic() < end:
            self._shell("true")
        found = {name: int(number) for name, number in re.findall(r"^(\w[\w()]*): +(\d+)", text, re.M)}
        log = self._console[at:].decode(errors="replace").replace("\r", "")
        found.update({f"slab {name}": int(number) for name, number in re.findall(r"slab: (\S+): (\d+) objects", log)})
        found["unaccounted"] = found["MemTotal"] - sum(
            found[part] for part in ("MemFree", "Cached", "AnonPages", "Slab", "KernelStack", "PageTables"))
        return found

    def _judge(self, before):
        end = time.monotonic() + SETTLE_SECONDS * self._patience
        while True:
            after = self._measure()
            grown = _growth(before, after)
            if not grown or time.monotonic() > end:
                break
        problems = []
        if grown:
            problems.append("more than before:\n" + "\n".join(grown))
        if self._shell(WORKS).strip() != "works 7":
            problems.append("the shell does not work any more")
        text = _without_failures(self._console).decode(errors="replace").replace("\r", "")
        bad = fault.NEVER.search(text)
        if bad:
            problems.append(f"the kernel's log has {bad[0]!r}\n" + "\n".join(panic.symbolise(text[bad.start():].splitlines()[:40], self._machine.kernel)))
        self._note("before " + str(before))
        self._note("after " + str(after))
        return "\n".join(problems)

    def _keep_log(self):
        self._log.close()
        with open(paths.build("failalloc", f"{self._name}.console"), "w", encoding="utf-8") as out:
            out.write(self.text)


# What may be more than before; all else is counted to the last object.
SLACK = {
    "KernelStack": 1024,  # kB: the frame keeps up to 16 stacks, and 4 a CPU, for the next task
    "PageTables": 4096,  # kB: the windows of as many stacks as there ever were at once, with their KASAN shadow, are never freed
    "Slab": 2048,  # kB: emptied slabs, the magazines of CPUs, the quarantine; objects are counted one by one
    "unaccounted": 256,  # kB: frames in the lists of CPUs
    "slab kmalloc-768": 8,  # nodes of the radix tree of pids: how many hold a few pids depends on the numbers
}
COUNTED = re.compile(r"slab (?!magazine)|files$|mounts$|processes$|Committed_AS$|" + "|".join(f"{name}$" for name in SLACK))


def _growth(before, after):
    return [f"{what}: {before.get(what, 0)}, then {after[what]}" for what in sorted(after)
            if COUNTED.match(what) and after[what] > before.get(what, 0) + SLACK.get(what, 0)]


def _without_failures(console):
    """The log without what was planned."""
    return b"\n".join(line for line in bytes(console).split(b"\n") if b"failalloc:" not in line)
