# SPDX-License-Identifier: MPL-2.0
"""./keel bench: Keel beside Linux, counted or timed."""

import argparse
import json
import sys
import time

from bench import baseline, chart, counted, profile, rows as rowlist, start, table, timed
from image import store
from keel import build, paths
from keel.errors import BadUsage

DESCRIPTION = """\
Run the same program under Debian's Linux 6.1 and under Keel, in the same QEMU, and compare. By default the
instructions that each operation takes are counted, which is exact and repeats; --timed uses the clock.
docs/performance.md says how to read the result. Without --only: the core groups ({core}).
"""
BOOTS = 5


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
    parse.add_argument("--profile", metavar="ROW", help="where a row's instructions go, by function; start-instructions: the start's")
    parse.add_argument("--run", metavar="CMD", help="count a shell command")
    parse.add_argument("--root", choices=store.names(), default="busybox", help="for --run (default busybox)")
    parse.add_argument("--check", action="store_true",
                       help="fail if a row of Keel's grew by more than 3%% since bench/baseline.json was written")
    parse.add_argument("--record", action="store_true", help="write Keel's rows to bench/baseline.json")
    parse.add_argument("--timed", action="store_true", help="on the clock instead of counted")
    parse.add_argument("--boots", type=int, default=BOOTS, metavar="N", help=f"for --timed: of each kernel (default {BOOTS})")
    parse.add_argument("--cpus", type=int, default=1, metavar="N", help="for --timed")
    parse.add_argument("-v", "--verbose", action="store_true", help="tell of each row when it begins")
    return parse


def main(args):
    """Entry point of `./keel bench`; returns the exit status."""
    options = parser().parse_args(args)
    if options.boots < 1:
        raise BadUsage("--boots: at least 1")
    build.setup()
    build.make("bench", "user")
    if options.list:
        for row in rowlist.everything():
            print(f"{row.group}/{row.name}")
        return 0
    build.make()
    if options.profile:
        return _profile(options)
    if options.run is not None:
        return _command(options)
    chosen = rowlist.everything() if options.all else rowlist.choose(options.only)
    cost = [row for row in chosen if row.group == rowlist.COST]
    work = [row for row in chosen if row.group != rowlist.COST]
    if options.timed:
        return _timed(options, work)
    if options.check or options.record:
        return _check(options, work, has_start=bool(cost) or not options.only)
    if work:
        _counted(options, work)
    if cost:
        _start(options, cost)
    return 0


def _kernels(options):
    return (options.kernel,) if options.kernel else ("linux", "keel")


def _counted(options, chosen):
    results = {}
    for kernel in _kernels(options):
        results[kernel] = counted.measure(kernel, chosen, options.fresh, _Progress(kernel, options.verbose))
    theirs, ours = results.get("linux", {}), results.get("keel", {})
    print("\n".join(table.counted(chosen, theirs, ours)))
    if options.events:
        print("\n" + "\n".join(table.events(chosen, theirs, ours)))
    scaling = [row for row in chosen if row.group in (rowlist.SCALE, rowlist.CPUS)]
    if scaling:
        print("\n" + "\n".join(table.growth(scaling, results)))
    save("counted.json", results)
    store.write_if_changed(paths.build("bench", "counted.svg"), chart.draw(chosen, theirs, ours).encode())


def _command(options):
    results = {kernel: counted.command(kernel, options.run, options.root, _Progress(kernel, options.verbose))
               for kernel in _kernels(options)}
    rows = [rowlist.Row(rowlist.APPS, "run", "run")]
    print("\n".join(table.counted(rows, results.get("linux", {}), results.get("keel", {}))))
    return 0


def _start(options, rows):
    found = {kernel: start.measure(kernel, rows, _Progress(kernel, options.verbose)) for kernel in _kernels(options)}
    print("\n".join(start.report(found)))
    save("start.json", found)


def _timed(options, chosen):
    found = timed.measure(_kernels(options), chosen, options.boots, options.cpus,
                          lambda kernel, name: _Progress(kernel, options.verbose)(name))
    print("\n".join(timed.report(chosen, found)))
    save("timed.json", timed.as_json(found))
    return 0


def _check(options, chosen, has_start):
    results = counted.measure("keel", chosen, options.fresh, _Progress("keel", options.verbose))
    if has_start:
        results["start-instructions"] = {"op": {"total": start.instructions("keel")}}
    if options.record:
        print(baseline.record(results))
        return 0
    lines, good = baseline.compare(results)
    print("\n".join([*lines, f"{len(results)} rows: " + ("none grew by more than 3%" if good else "FAILED")]))
    return 0 if good else 1


def _profile(options):
    chosen = [row for row in rowlist.everything() if row.name == options.profile]
    if not chosen and options.profile != profile.START:
        raise BadUsage(f"--profile {options.profile}: no such row; see ./keel bench --list")
    root = "debian-min" if chosen and chosen[0].group == rowlist.APPS else "busybox"
    for kernel in _kernels(options):
        found = profile.Profile(kernel, options.profile, options.cpus, root)
        print(f"{kernel}: {options.profile}")
        print("\n".join(profile.report(found)))
        print(f"folded stacks: {profile.write_folded(found, kernel, options.profile)}\n")
    return 0


class _Progress:
    """Tells a person at a terminal, or by lines, which row is being run."""

    def __init__(self, kernel, lines):
        self._kernel = kernel
        self._lines = lines
        self._shown = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, name):
        if self._lines:
            print(f"{time.strftime('%H:%M:%S')} {self._kernel}: {name}", file=sys.stderr, flush=True)
        elif self._shown:
            print(f"\r\x1b[K{self._kernel}: {name}", end="", file=sys.stderr, flush=True)


def save(name, results):
    """Write results to build/bench as JSON."""
    path = paths.build("bench", name)
    store.write_if_changed(path, (json.dumps(results, indent=1) + "\n").encode())
