# SPDX-License-Identifier: MPL-2.0
"""./keel stress: every stressor of stress-ng under Linux and Keel, side by side.

Each stressor runs alone, with --verify, in a guest that is kept while it answers. Results stay in
build/stress/, one file a configuration, so that a few can be repeated and the table holds all.
"""

import argparse
import json
import os
import time

from image import store
from keel import build, paths
from keel.stress import stressors
from keel.testing import pool
from keel.testing.model import Config, Job
from run import panic
from run.guest import BufferSink, Guest, GuestEnded, TimedOut
from run.vm import Vm

CONFIGS = {"linux": Config(True, False, 2), "release": Config(False, False, 2), "debug": Config(False, True, 4)}
MEM = "1G"
BOOT_SECONDS = 240
GRACE_SECONDS = 60  # beyond a stressor's own time; a busy host, the debug build: times patience()
SLOW = 5  # times slower than Linux is worth a mark

DESCRIPTION = """\
Run the stressors of stress-ng one by one with --verify, under Linux 6.1, Keel's release build
(2 CPUs each) and its debug build (4 CPUs), and print where they differ. Exit status 1 if one
fails or is skipped on Keel that passes on Linux, or the kernel reports something.
"""


def main(args):
    """Entry point of `./keel stress`; returns the exit status."""
    parse = argparse.ArgumentParser(prog="keel stress", description=DESCRIPTION, allow_abbrev=False)
    parse.add_argument("names", nargs="*", metavar="STRESSOR", help="default: all")
    parse.add_argument("--on", action="append", choices=CONFIGS, help="only there (repeat for several)")
    parse.add_argument("--seconds", type=int, default=3, help="for each stressor (default: 3)")
    parse.add_argument("--instances", type=int, default=2, help="of each stressor (default: 2)")
    parse.add_argument("--all", action="store_true", help="print the whole table, not only the differences")
    parse.add_argument("--no-build", action="store_true", help="use what is built already")
    parse.add_argument("--show", action="store_true", help="run nothing: print what earlier runs found")
    options = parse.parse_args(args)
    wanted = options.on or list(CONFIGS)
    if not options.show:
        if not options.no_build:
            _prepare(wanted)
        jobs = [Job(where, lambda report, where=where: _Runner(where, options).run()) for where in wanted]
        pool.run(jobs, lambda job, result: print(result.detail), lambda job, seconds:
                 print(f"{job.title}: {seconds:.0f} s", flush=True))
    return _print_table({where: _load(where) for where in CONFIGS}, options)


def _prepare(wanted):
    build.setup()
    build.make("user")
    for where in wanted:
        if not CONFIGS[where].on_linux:
            build.make(debug=CONFIGS[where].debug)


class _Runner:
    """The chosen stressors in one configuration, in as few boots as it takes."""

    def __init__(self, where, options):
        self._where = where
        self._config = CONFIGS[where]
        self._options = options
        self._left = None if not options.names else list(options.names)
        self._log = bytearray()

    def run(self):
        machine = self._config.machine(initrds=[store.ensure("debian-test"), store.agent()])
        machine.mem = MEM
        machine.verbose = True
        while self._left is None or self._left:
            self._log.clear()
            with Vm(machine, agent=True) as vm:
                guest = Guest(vm, on_console=self._log.extend)
                guest.wait_ready(time.monotonic() + BOOT_SECONDS)
                if self._left is None:
                    self._left = [name for name in stressors.names(guest) if name not in stressors.LEFT_OUT]
                if self._run_here(guest):
                    guest.quit()

    def _run_here(self, guest):
        """Run until none is left (True) or the guest is of no more use."""
        while self._left:
            name = self._left.pop(0)
            outcome, alive = self._one(guest, name)
            _keep(self._where, name, outcome)
            print(f"{self._where}: {name}: {outcome.how}", flush=True)
            if not alive:
                return False
        return True

    def _one(self, guest, name):
        """One stressor: its Outcome, and whether the guest can go on."""
        output = BufferSink(1 << 20)
        start = len(self._log)
        limit = self._options.seconds + GRACE_SECONDS * self._config.patience()
        alive = True
        try:
            status = guest.run(stressors.command(name, self._options.instances, self._options.seconds), stdout=output,
                               stderr=output, cwd=b"/tmp/stress", make_dir=True, deadline=time.monotonic() + limit)
            outcome = stressors.read(name, status, output.data.decode(errors="replace"))
        except TimedOut:
            guest.kill(30)
            outcome = stressors.Outcome("hung", [output.data[-500:].decode(errors="replace")])
            alive = False
        except GuestEnded:
            guest.console_rest(2)
            outcome = stressors.Outcome("died", [output.data[-500:].decode(errors="replace")])
            alive = False
        log = bytes(self._log[start:])
        if not self._config.on_linux:
            text = log.decode(errors="replace").replace("\r", "").splitlines()
            outcome.log = panic.symbolise(text, self._config.kernel())[:200]
        return outcome, alive


def _path(where):
    return paths.build("stress", where + ".json")


def _load(where):
    try:
        with open(_path(where), encoding="utf-8") as text:
            return {name: stressors.Outcome(**values) for name, values in json.load(text).items()}
    except FileNotFoundError:
        return {}


def _keep(where, name, outcome):
    """Add one outcome to the file at once: a run may be broken off."""
    results = _load(where)
    results[name] = outcome
    text = json.dumps({key: value.to_json() for key, value in sorted(results.items())}, indent=1)
    os.makedirs(os.path.dirname(_path(where)), exist_ok=True)
    store.write_if_changed(_path(where), text.encode())


# --- the table

def _print_table(results, options):
    """Print rows, differences first of all; returns the exit status."""
    everything = sorted(set().union(*results.values()))
    chosen = [name for name in options.names or everything if name in everything]
    worse = [name for name in chosen if _is_worse(name, results)]
    print(f"{'stressor':18}" + "".join(f"{where:>9}" for where in CONFIGS) + "   release/Linux  remarks")
    for name in chosen if options.all else [n for n in chosen if n in worse or _is_slow(n, results)]:
        print(_row(name, results))
    for where in CONFIGS:
        ends = [results[where][name].how for name in chosen if name in results[where]]
        print(f"{where}: " + ", ".join(f"{ends.count(how)} {how}" for how in sorted(set(ends))))
    for line in _refusals(results, chosen):
        print("refused: " + line)
    print(f"{len(worse)} worse than on Linux")
    return 1 if worse else 0


def _row(name, results):
    cells = "".join(f"{results[where][name].how if name in results[where] else '-':>9}" for where in CONFIGS)
    ratio = _ratio(name, results)
    remarks = [f"{where}: {reason}" for where in CONFIGS if name in results[where]
               and (where != "linux" or results[where][name].how != "passed")
               for reason in results[where][name].reasons + _reports(results[where][name])]
    mark = "" if ratio is None else f"{ratio:.2f}" + (" SLOW" if ratio * SLOW < 1 else "")
    return f"{name:18}{cells}   {mark:13}" + "".join("\n" + " " * 24 + line for line in remarks[:16])


def _ratio(name, results):
    rates = [results[where][name].rate if name in results[where] else None for where in ("release", "linux")]
    return rates[0] / rates[1] if all(rates) else None


def _is_slow(name, results):
    ratio = _ratio(name, results)
    return ratio is not None and ratio * SLOW < 1


def _is_worse(name, results):
    linux = results["linux"].get(name)
    if any(_reports(results[where][name]) for where in ("release", "debug") if name in results[where]):
        return True
    hows = {results[where][name].how for where in ("release", "debug") if name in results[where]}
    rank = {"passed": 0, "flawed": 1, "skipped": 2, "failed": 3, "hung": 4, "died": 5}
    return any(rank[how] > (rank[linux.how] if linux else 0) for how in hows)


def _reports(outcome):
    """Lines of the kernel's log that should not be there."""
    return [line for line in outcome.log if any(word in line for word in (
        "KASAN", "UBSAN", "lock order", "panic: ", "BUG", "backtrace", "warning: ", "grace period"))]


def _refusals(results, names):
    """What the kernel said it does not support, each once."""
    found = {}
    for where in ("release", "debug"):
        for name in names:
            for line in results[where][name].log if name in results[where] else ():
                if "not supported" in line:
                    found.setdefault(line.partition("] ")[2].partition(";")[0], name)
    return [f"{line} ({name})" for line, name in sorted(found.items())]
