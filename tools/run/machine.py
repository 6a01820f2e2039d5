# SPDX-License-Identifier: MPL-2.0
"""What is booted, and the QEMU command line for it.

Every machine gets the same bare set: two 16550 serial ports (console, run link), no network, no
display, no default devices; and isa-debug-exit, by which a kernel that panicked can end QEMU
with a failure. Any kernel is started alike, Keel or Linux.
"""

import os
import re
from dataclasses import dataclass, field
from typing import List, Optional

from image import overlay
from keel.errors import BadUsage, KeelError
from run import linux

QEMU = "qemu-system-x86_64"
MACHINES = ("q35", "pc", "microvm")
CONSOLE = "ttyS0"

# No 5-level page tables: programs see where the address space ends, and the oracle must have the
# same end as Keel, 47 bits.
CPU = {"tcg": "max,la57=off", "kvm": "host,la57=off"}

# A run whose instruction counts repeat: virtual time from executed instructions alone.
ICOUNT = ["-icount", "shift=0,sleep=off", "-rtc", "base=2025-01-01,clock=vm", "-seed", "1"]
ICOUNT_APPEND = ["nokaslr", "norandmaps"]


@dataclass
class Machine:
    """All that decides how a guest runs; the fields are the options of ./keel run."""

    kernel: str
    initrds: List[str] = field(default_factory=list)  # joined in this order
    machine: str = "q35"
    cpus: int = 1
    mem: str = "256M"
    accel: Optional[str] = None  # None: whatever works here
    icount: bool = False
    append: List[str] = field(default_factory=list)
    verbose: bool = False
    allow_reboot: bool = False
    gdb: bool = False  # wait for gdb before the first instruction
    init: Optional[str] = None  # the first program, if it is neither the root's own nor the agent
    init_args: List[str] = field(default_factory=list)
    without: List[str] = field(default_factory=list)  # features that the CPU shall lack
    plugin: Optional[str] = None  # a plugin of QEMU's, with its arguments

    def command_line(self, agent):
        """The kernel's. With `agent`, the run agent is the first program."""
        words = [f"console={CONSOLE}", "panic=-1"]
        if not self.verbose:
            words.append("quiet")
        if self.icount:
            words += ICOUNT_APPEND
        if agent:
            words.append(f"rdinit={overlay.AGENT_PATH}")
        words += self._linux_words() + self.append
        if self.init:  # behind all else: words before it that Linux does not know are not for init
            words.append(f"rdinit={self.init}")
        if self.init_args:
            words += ["--", *self.init_args]
        return " ".join(words)

    def _linux_words(self):
        """A microvm has nothing that Linux could measure the TSC against, and the measurement
        without a reference fails on a busy host: then no timer ticks. So tell it."""
        if self.machine != "microvm" or self._accel() != "tcg" or not linux.is_linux(self.kernel):
            return []
        khz = linux.tsc_khz(self.icount)
        return [f"tsc_early_khz={khz}"] if khz else []

    def _accel(self):
        return self.accel or ("kvm" if kvm_works() and not self.icount and not self.plugin else "tcg")

    def _accel_option(self):
        """A plugin's counters are for one thread; -icount runs all CPUs in one anyway."""
        return "tcg,thread=single" if self.plugin and not self.icount else self._accel()

    def qemu_args(self, initrd, agent, link_path):
        """The whole QEMU command. The console is on QEMU's own standard input and output."""
        machine = self.machine
        if machine == "microvm":
            machine += ",isa-serial=off"  # ours are added below, as on the other machines
        args = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none",
                "-name", "keel,debug-threads=on",
                "-machine", machine, "-smp", str(self.cpus), "-m", self.mem,
                "-accel", self._accel_option(), "-cpu", ",-".join([CPU[self._accel()], *self.without]),
                "-chardev", "stdio,id=console,signal=off",
                "-device", "isa-serial,chardev=console,index=0",
                "-chardev", f"pipe,id=link,path={link_path}" if agent else "null,id=link",
                "-device", "isa-serial,chardev=link,index=1",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-kernel", self.kernel, "-append", self.command_line(agent)]
        if self.gdb:
            socket = self.gdb_socket(os.path.dirname(link_path))
            args += ["-S", "-gdb", f"unix:{socket},server=on,wait=off"]
        if not self.allow_reboot:
            args.append("-no-reboot")
        if initrd:
            args += ["-initrd", initrd]
        if self.icount:
            args += ICOUNT
        if self.plugin:
            args += ["-plugin", self.plugin]
        return args

    @staticmethod
    def gdb_socket(folder):
        return os.path.join(folder, "gdb")

    def check(self):
        """Refuse what cannot work, before QEMU does it less clearly."""
        if self.machine not in MACHINES:
            raise BadUsage(f"--machine {self.machine}: choose one of {', '.join(MACHINES)}")
        if self.cpus < 1:
            raise BadUsage(f"--cpus {self.cpus}: at least 1")
        if self.icount and self.cpus > 1:
            raise BadUsage("--icount counts one CPU's instructions: use it with --cpus 1")
        if (self.icount or self.plugin) and self._accel() == "kvm":
            raise BadUsage("counting instructions needs QEMU's own emulation: use --accel tcg")
        if not re.fullmatch(r"[1-9][0-9]*[KMGkmg]?", self.mem):
            raise BadUsage(f"--mem {self.mem}: a number with K, M or G, as in 256M")
        for path in [self.kernel, *self.initrds]:
            if not os.path.isfile(path):
                raise KeelError(f"{path}: no such file")


def kvm_works():
    """/dev/kvm may exist and still be of no use; the CPU must offer virtualisation too."""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            return re.search(r"^flags\s*:.*\b(vmx|svm)\b", info.read(), re.M) is not None
    except OSError:
        return False
