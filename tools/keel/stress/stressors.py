# SPDX-License-Identifier: MPL-2.0
"""Which of stress-ng's stressors there are, how each is run, and how its end is read."""

import os
import re
import signal

from run.guest import BufferSink

# What a guest must not be asked to do, with the reason.
LEFT_OUT = {
    "clock": "sets the clock, by which both sides' time limits go",
    "cpu-online": "takes CPUs away from the stressors that follow",
    "memhotplug": "takes memory away from the stressors that follow",
    "smi": "writes to the chip set's ports",
    "softlockup": "keeps all CPUs with real-time tasks, the run agent's too",
    "watchdog": "ends the guest if it fails",
}

# Sizes for a guest with 1 GiB that shares its host; the defaults are made for servers.
OPTIONS = {
    "bigheap": ["--bigheap-growth", "1M"],
    "brk": ["--brk-notouch"],
    "hdd": ["--hdd-bytes", "16M"],
    "fallocate": ["--fallocate-bytes", "16M"],
    "fiemap": ["--fiemap-bytes", "16M"],
    "readahead": ["--readahead-bytes", "16M"],
    "revio": ["--revio-bytes", "16M"],
    "seek": ["--seek-size", "16M"],
    "sendfile": ["--sendfile-size", "1M"],
    "shm": ["--shm-bytes", "4M"],
    "shm-sysv": ["--shm-sysv-bytes", "4M"],
    "sync-file": ["--sync-file-bytes", "16M"],
    "vm": ["--vm-bytes", "64M"],
    "vm-rw": ["--vm-rw-bytes", "8M"],
    "vm-splice": ["--vm-splice-bytes", "64K"],
    "mmap": ["--mmap-bytes", "32M"],
    "mremap": ["--mremap-bytes", "8M"],
    "msync": ["--msync-bytes", "4M"],
    "memrate": ["--memrate-bytes", "32M"],
}

_PREFIX = re.compile(r"^stress-ng: (\w+): +\[\d+\] ?")
_NUMBERS = re.compile(r"\b(0x[0-9a-f]+|\d+(\.\d+)?)\b")
_ENDS = {0: "passed", 3: "skipped", 4: "skipped"}  # stress-ng(1), EXIT STATUS


class Outcome:
    """How one stressor ended in one configuration."""

    def __init__(self, how, reasons=(), rate=None, log=()):
        self.how = how  # passed, flawed (it complained and passed), skipped, failed, hung, died
        self.reasons = list(reasons)
        self.rate = rate  # bogo operations a second
        self.log = list(log)  # what the kernel logged meanwhile

    def to_json(self):
        return vars(self)


def names(guest):
    """All that this stress-ng knows."""
    sink = BufferSink()
    guest.run([b"stress-ng", b"--stressors"], stdout=sink)
    return sink.data.decode().split()


def command(name, instances, seconds):
    """The command line for one stressor."""
    return [os.fsencode(word) for word in
            ["stress-ng", "--verify", "--metrics", "--no-rand-seed", "--temp-path", "/tmp/stress",
             f"--{name}", str(instances), "--timeout", str(seconds), *OPTIONS.get(name, [])]]


def read(name, status, text):
    """The Outcome that exit status and output mean."""
    lines = [match for match in map(_split, text.splitlines()) if match]
    reasons = [line for kind, line in lines if kind in ("fail", "error", "warn")
               and "no CPUs found in" not in line]
    reasons += [line for kind, line in lines if kind == "info" and re.search(r"skip|cannot|not ", line)]
    rate = next((float(line.split()[5]) for kind, line in lines
                 if kind == "metrc" and line.split()[:1] == [name]), None)
    if os.WIFSIGNALED(status):
        return Outcome("failed", [signal.Signals(os.WTERMSIG(status)).name, *reasons], rate)
    code = os.WEXITSTATUS(status)
    how = _ENDS.get(code, "failed")
    if how == "passed" and any("skipped" in line and name in line for _, line in lines):
        how = "skipped"
    if how == "passed" and any(kind == "fail" for kind, _ in lines):
        how = "flawed"
    return Outcome(how, _unique(reasons), rate)


def _split(line):
    match = _PREFIX.match(line)
    return (match[1], line[match.end():]) if match else None


def _unique(reasons):
    """Each kind of message once: two that differ in numbers only are one kind."""
    kinds = {}
    for reason in reasons:
        kinds.setdefault(_NUMBERS.sub("N", reason), reason)
    return list(kinds.values())[:12]
