# SPDX-License-Identifier: MPL-2.0
"""./keel debug: a guest that has not begun, and gdb at it (docs/debugging.md).

QEMU's gdb stub listens on a socket in the guest's private folder, so nothing else can reach it.
The console goes to a file, for gdb has the terminal.
"""

import os
import shutil
import signal
import subprocess
import threading

from keel import build, paths, runcmd
from keel.errors import BadUsage, KeelError
from run.vm import Vm

COMMANDS = paths.source("tools", "debug", "keel-gdb.py")


def main(args):
    """Entry point of `./keel debug`; returns gdb's exit status."""
    if "--" in args:
        raise BadUsage("debug starts a whole system: use --append rdinit=PATH for one program")
    parse = runcmd.parser()
    parse.prog, parse.usage = "keel debug", "keel debug [OPTIONS of keel run] [--gdb ARG]..."
    parse.add_argument("--gdb", action="append", default=[], metavar="ARG",
                       help="one more argument for gdb, as in --gdb=-ex --gdb='break vfs_open'")
    options = parse.parse_args(args)
    if not shutil.which("gdb"):
        raise KeelError("gdb is missing: install Debian's package gdb")
    if not options.no_build:
        build.setup()
    machine = runcmd.make_machine(options, agent=False)
    machine.gdb = True
    machine.append.append("nokaslr")
    log = paths.build("debug-console.log")
    with Vm(machine) as vm:
        threading.Thread(target=_keep_console, args=(vm.console_out, log), daemon=True).start()
        print(f"keel: the console goes to {os.path.relpath(log)}")
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is gdb's
        return subprocess.call(
            ["gdb", "-q", "-ex", f"target remote {machine.gdb_socket(vm.folder)}", "-x", COMMANDS,
             *options.gdb, machine.kernel])


def _keep_console(source, path):
    with open(path, "wb", buffering=0) as log:
        while True:
            try:
                data = os.read(source, 65536)
            except OSError:
                return
            if not data:
                return
            log.write(data)
