# SPDX-License-Identifier: MPL-2.0
"""./keel bench: Keel beside Linux, counted or timed."""

import argparse
import json
import os
import sys
import time

from bench import counted, rows as rowlist, table
from image import store
from keel import build, paths
from keel.errors import BadUsage
from run import linux

DESCRIPTION = """\
Run the same program under Debian's Linux 6.1 and under Keel, in the same QEMU, and compare. By default the
instructions that each operation takes are counted, which is exact and repeats; --timed uses the clock.
docs/performance.md says how to read the result. Without --only: the core groups ({core}).
"""


def parser():
    parse = argparse.ArgumentParser(
        prog="keel bench", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description=DESCRIPTION.format(core=", ".join(rowlist.CORE)))
    parse.add_argument("--list", action="store_true", help="list the rows and do nothing")
    parse.add_argument("--only", action="append", default=[], metavar="ROW",
                       help="a row, a group or a pattern; may be given several times")
    parse.add_argument("--all", action="store_true", help="every group: scale, cpus, apps and cost too")
    parse.add_argument("--kernel", choices=("linux", "keel"), help="only one of the two")
    parse.add_argument("--events", action="store_true",
                       help="a second table: CR3 writes, flushes, port I/O, halts, locked instructions, calls")
    parse.add_argument("--fresh", action="store_true", help="count again what was counted before")
    return parse


def main(args):
    """Entry point of `./keel bench`; returns the exit status."""
    options = parser().parse_args(args)
    build.setup()
    build.make("bench", "user")
    if options.list:
        for row in rowlist.everything():
            print(f"{row.group}/{row.name}")
        return 0
    chosen = rowlist.everything() if options.all else rowlist.choose(options.only)
    build.make()
    return _counted(options, chosen)


def _kernels(options):
    return (options.kernel,) if options.kernel else ("linux", "keel")


def _counted(options, chosen):
    results = {}
    for kernel in _kernels(options):
        results[kernel] = counted.measure(kernel, chosen, options.fresh, _Progress(kernel))
    _print_counted(options, chosen, results)
    save("counted.json", results)
    return 0


def _print_counted(options, chosen, results):
    theirs, ours = results.get("linux", {}), results.get("keel", {})
    print("\n".join(table.counted(chosen, theirs, ours)))
    if options.events:
        print("\n" + "\n".join(table.events(chosen, theirs, ours)))
    scaling = [row for row in chosen if row.group in (rowlist.SCALE, rowlist.CPUS)]
    if scaling:
        print("\n" + "\n".join(table.growth(scaling, results)))


class _Progress:
    """Tells a person at a terminal which row is being run."""

    def __init__(self, kernel):
        self._kernel = kernel
        self._shown = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, name):
        if self._shown:
            print(f"\r\x1b[K{self._kernel}: {name}", end="", file=sys.stderr, flush=True)


def save(name, results):
    """Write results to build/bench as JSON."""
    path = paths.build("bench", name)
    store.write_if_changed(path, (json.dumps(results, indent=1) + "\n").encode())
