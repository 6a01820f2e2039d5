# SPDX-License-Identifier: MPL-2.0
"""./keel trinity: trinity's random calls against Keel, as an ordinary user and as root.

What must hold: no panic and no report (the debug build has most to report), no process left that
cannot be killed, the shell alive, memory given back. Objects of the kernel's that are in use at
power-off are compared with those after a boot that did nothing.
"""

import argparse
import collections
import os
import re
import threading

from image import store
from keel import build, guestrun, paths
from run.machine import Machine

ROOT = "debian-test"
SETTLE = 900  # seconds beyond the run itself: boot, the end of a storm
MEMORY_KB = 16384  # that may be away: names of /proc looked at stay cached
CACHES = {"dentry", "inode", "radix_node"}  # slabs that may keep more than they had
OBJECTS = 32  # of other slabs, that may be in use in excess

REPORT = re.compile(r"KASAN|UBSAN|\bBUG\b|lock order|sleep in atomic|while panicking|"
                    r"^\[[ .0-9]*\] warning: ", re.M)
REFUSED_CALL = re.compile(r"call \d+ \((\w+)\) is not supported")
REFUSED_PART = re.compile(r"\] (\w+): (.*?) (?:are|is) not supported")
SLAB = re.compile(r"slab: (\S+): (\d+) objects")

DESCRIPTION = """\
Run trinity (random system calls) in the image debian-test, as nobody and as root, and check what
it leaves behind. Prints how often each call was made and what the kernel refused.
"""


def parser():
    parse = argparse.ArgumentParser(prog="keel trinity", description=DESCRIPTION,
                                    allow_abbrev=False)
    parse.add_argument("--seconds", type=int, default=600, metavar="S", help="of each run")
    parse.add_argument("--cpus", type=int, default=4, metavar="N")
    parse.add_argument("--as", choices=("nobody", "root"), dest="who", help="only this one")
    parse.add_argument("--release-build", action="store_true", help="not the one with all checks")
    return parse


def main(args):
    """Entry point of `./keel trinity`; returns the exit status."""
    options = parser().parse_args(args)
    debug = not options.release_build
    build.setup()
    build.make(debug=debug)
    build.make("user")
    machine = Machine(kernel=paths.kernel(debug), cpus=options.cpus, mem=store.MEMORY[ROOT],
                      initrds=[store.ensure(ROOT), store.agent()], verbose=True)
    with open(os.path.join(os.path.dirname(__file__), "trinity.sh"), encoding="utf-8") as text:
        script = text.read()
    idle = _slabs(guestrun.run(machine, ["true"], SETTLE).console)
    outcomes = {}

    def work(who):
        outcomes[who] = guestrun.run(machine, ["bash", "-c", script, "trinity.sh", who,
                                               str(options.seconds)], options.seconds + SETTLE)

    threads = [threading.Thread(target=work, args=(who,), daemon=True)
               for who in ([options.who] if options.who else ["nobody", "root"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = 0
    for who, outcome in outcomes.items():
        _print_calls(who, outcome)
        problems = _problems(outcome, idle)
        print(f"{who}: " + ("\n    ".join(["failed", *problems]) if problems else "passed"))
        failed += bool(problems)
    return 1 if failed or len(outcomes) < len(threads) else 0


def _problems(outcome, idle):
    problems = [outcome.problem] if outcome.problem else []
    problems += [f"the log says: {line}" for line in outcome.console.splitlines()
                 if REPORT.search(line)][:10]
    if not outcome.output.endswith("alive\n"):
        problems.append(f"no shell any more; its last words:\n{outcome.output[-500:]}{outcome.error[-500:]}")
        return problems
    if "\nprocesses left: 0\n" not in outcome.output:
        problems.append("processes that SIGKILL does not end")
    memory = re.search(r"memory: (\d+) kB before, (\d+) kB", outcome.output)
    before, after = map(int, memory.groups()) if memory else (0, 0)
    if not memory:
        problems.append(f"it does not say how much memory is left:\n{outcome.output[-500:]}{outcome.error[-500:]}")
    elif before - after > MEMORY_KB:
        problems.append(f"{before - after} kB of memory are gone")
    for name, count in _slabs(outcome.console).items():
        if name not in CACHES and count > idle.get(name, 0) + OBJECTS:
            problems.append(f"slab {name}: {count} objects in use, {idle.get(name, 0)} when idle")
    return problems


def _slabs(console):
    return {name: int(count) for name, count in SLAB.findall(console)}


def _print_calls(who, outcome):
    calls = re.findall(r"^call (\w+) (\d+) (\d+)$", outcome.output, re.M)
    made = sum(int(count) for _, count, _ in calls)
    good = sum(int(count) for _, _, count in calls)
    print(f"{who}: {len(calls)} calls, made {made} times, {good} of them with success")
    for name, count, success in sorted(calls, key=lambda call: -int(call[1])):
        print(f"    {name:28}{count:>9}{success:>9}")
    refused = collections.Counter(REFUSED_CALL.findall(outcome.console))
    parts = collections.Counter(name for name, _ in REFUSED_PART.findall(outcome.console))
    print(f"{who}: calls refused: {' '.join(sorted(refused)) or 'none'}")
    print(f"{who}: flags and commands refused, log lines by call: "
          + (" ".join(f"{name} {count}" for name, count in parts.most_common()) or "none"))
    left = re.findall(r"^left: (\d+) blocks of (\d+), (.*)$", outcome.output, re.M)
    if left:
        kilobytes = sum(int(blocks) * int(size) for blocks, size, _ in left) // 1024
        print(f"{who}: {len(left)} files made elsewhere, {kilobytes} kB: {' '.join(name for _, _, name in left[:8])}")
