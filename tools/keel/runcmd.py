# SPDX-License-Identifier: MPL-2.0
"""./keel run: options, the build they ask for, and the machine they describe."""

import argparse
import os
import re
import shutil

from image import store
from keel import build, paths
from keel.errors import BadUsage
from run import console, linux, relay
from run.machine import MACHINES, Machine

DESCRIPTION = """\
Boot a kernel in QEMU. Without a command: its console is your terminal; `exit` in the shell ends
the machine, Ctrl-A X ends it by force. With one: run that command alone, on your standard input,
output and error, and exit with its status (128+n: killed by signal n; 124: timeout; 125: the
guest ended without a status).
"""


def parser():
    parse = argparse.ArgumentParser(
        prog="keel run", usage="keel run [OPTIONS] [-- CMD ARGS...]", description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parse.add_argument("--root", metavar="NAME|FILE",
                       help="image or cpio archive to start from (default: busybox)")
    parse.add_argument("--cpus", type=int, default=1, metavar="N")
    parse.add_argument("--mem", metavar="SIZE", help="default: 256M; for debian-min 512M")
    parse.add_argument("--machine", choices=MACHINES, default="q35")
    parse.add_argument("--append", action="append", default=[], metavar="ARGS",
                       help="more words for the kernel's command line")
    parse.add_argument("--kernel", metavar="FILE|linux",
                       help="another kernel; linux: Debian's Linux 6.1")
    parse.add_argument("--timeout", type=_seconds, metavar="S", help="end after S seconds")
    parse.add_argument("--accel", choices=("tcg", "kvm"),
                       help="default: kvm where it works, else tcg")
    parse.add_argument("--icount", action="store_true",
                       help="time from counted instructions: repeatable runs")
    parse.add_argument("--debug-build", action="store_true",
                       help="the kernel with KASAN, UBSAN and lock checks")
    parse.add_argument("--no-build", action="store_true", help="use what is built already")
    parse.add_argument("--allow-reboot", action="store_true",
                       help="a reboot starts the guest again instead of ending QEMU")
    parse.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                       help="for CMD: add to its environment")
    parse.add_argument("--cwd", default="/", metavar="DIR", help="for CMD: where it starts")
    parse.add_argument("-v", "--verbose", action="store_true",
                       help="show the kernel's log (with CMD: the console, on standard error)")
    return parse


def main(args):
    """Entry point of `./keel run`; returns the exit status."""
    command = None
    if "--" in args:
        at = args.index("--")
        args, command = args[:at], args[at + 1:]
        if not command:
            raise BadUsage("no command after --")
    options = parser().parse_args(args)
    if not options.no_build:
        build.setup()
    machine = make_machine(options, agent=command is not None)
    if command is None:
        return console.run_console(machine, options.timeout)
    for entry in options.env:
        if not re.match(r"[^=]+=", entry):
            raise BadUsage(f"--env {entry}: NAME=VALUE is wanted")
    return relay.run_command(machine, command, options.timeout, options.env, options.cwd)


def make_machine(options, agent):
    """Build what the options need and describe the machine."""
    mem = options.mem or store.MEMORY.get(options.root, store.DEFAULT_MEMORY)
    machine = Machine(kernel=_kernel(options), machine=options.machine, cpus=options.cpus,
                      mem=mem, accel=options.accel, icount=options.icount,
                      append=list(options.append), verbose=options.verbose,
                      allow_reboot=options.allow_reboot)
    # Keel carries busybox inside; any other kernel, and any addition to it, needs the archive.
    if options.root or options.kernel or agent:
        machine.initrds.append(store.root_file(options.root or "busybox"))
    if agent:
        if not options.no_build:
            build.make("user")
        machine.initrds.append(store.agent())
    elif os.isatty(0) and os.isatty(1):
        machine.append += _terminal_words()
    machine.check()
    return machine


def _kernel(options):
    if options.kernel:
        if options.debug_build:
            raise BadUsage("--debug-build is about Keel's own kernel, not one given by --kernel")
        return linux.ensure() if options.kernel == "linux" else options.kernel
    if not options.no_build:
        build.make(debug=options.debug_build)
    return paths.kernel(options.debug_build)


def _terminal_words():
    """A serial line does not tell its terminal's type and size, so init gets them as words."""
    size = shutil.get_terminal_size()
    words = [f"LINES={size.lines}", f"COLUMNS={size.columns}"]
    term = os.environ.get("TERM", "")
    if re.fullmatch(r"[A-Za-z0-9.+-]+", term):
        words.append(f"TERM={term}")
    return words


def _seconds(text):
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("a positive number of seconds")
    return value
