# SPDX-License-Identifier: MPL-2.0
"""./keel posix: posixtestsuite under Linux and Keel, compared.

Each kernel runs the tests once in the image debian-posix. Many of them are races against a clock,
so those that ended differently run again, alone and several times, on both: only if no verdict of
Linux is among Keel's do they differ.
"""

import argparse
import re
import threading

from image import store
from keel import build, guestrun, paths
from keel.errors import KeelError
from run import linux
from run.machine import Machine

ROOT = "debian-posix"
AGAIN = 5
SECONDS = 7200
VERDICTS = ("PASS", "FAIL", "UNRESOLVED", "UNSUPPORTED", "UNTESTED", "HUNG", "other")
_LINE = re.compile(r"^([a-z]+) (\S+/\S+) ([A-Z]+(?: \d+)?) ([\d.]+)$", re.M)

DESCRIPTION = """\
Run Debian's posixtestsuite under Linux 6.1 and Keel. GROUP is signals, semaphores, threads, timers,
scheduling, memory, messages, aio or processes; TEST is as in sigaction/1-1. Prints which tests
end differently, and the totals of each group, Linux's beside Keel's.
"""


def parser():
    parse = argparse.ArgumentParser(prog="keel posix", description=DESCRIPTION, allow_abbrev=False)
    parse.add_argument("names", nargs="*", metavar="GROUP|TEST")
    parse.add_argument("--cpus", type=int, default=2, metavar="N")
    parse.add_argument("--debug-build", action="store_true", help="Keel's build with all checks")
    parse.add_argument("--jobs", type=int, default=4, metavar="N", help="tests side by side")
    parse.add_argument("--seconds", type=int, default=60, metavar="S", help="time limit of a test")
    return parse


def main(args):
    """Entry point of `./keel posix`; returns the exit status."""
    options = parser().parse_args(args)
    build.setup()
    build.make(debug=options.debug_build)
    build.make("user")
    kernels = {"Linux": linux.ensure(), "Keel": paths.kernel(options.debug_build)}
    machines = {name: Machine(kernel=kernel, cpus=options.cpus, mem=store.MEMORY[ROOT],
                              initrds=[store.ensure(ROOT), store.agent()])
                for name, kernel in kernels.items()}
    words = ["-j", str(options.jobs), "-t", str(options.seconds)]
    first = _on_all(machines, [*words, *options.names])
    doubtful = sorted(test for test in first["Linux"].keys() | first["Keel"].keys()
                      if not _agree(first, test))
    again = first
    if doubtful:
        print(f"{len(doubtful)} tests ended differently; each runs {AGAIN} times alone", flush=True)
        again = _on_all(machines, [*words, "-j", "1", "-n", str(AGAIN), *doubtful])
    different = [test for test in doubtful if not _agree(again, test)]
    for test in doubtful:
        print(f"{'DIFFERS' if test in different else 'varies '} {test:34} "
              f"Linux: {_verdicts(again, 'Linux', test)}; Keel: {_verdicts(again, 'Keel', test)}")
    _print_totals(first)
    print(f"{len(different)} differ")
    return 1 if different else 0


def _on_all(machines, words):
    """{kernel: {test: (group, [verdicts])}}, the kernels side by side."""
    found, problems = {}, []

    def work(name, machine):
        try:
            outcome = guestrun.run(machine, ["posixtests", *words], SECONDS)
        except KeelError as error:
            problems.append(f"{name}: {error}")
            return
        found[name] = {}
        for group, test, verdict, _ in _LINE.findall(outcome.output):
            found[name].setdefault(test, (group, []))[1].append(verdict)
        if outcome.problem:
            problems.append(f"{name}: {outcome.problem}\n{outcome.error}".rstrip())

    threads = [threading.Thread(target=work, args=entry, daemon=True) for entry in machines.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise KeelError("\n".join(problems))
    return found


def _agree(found, test):
    """Whether a verdict that Linux gave is among Keel's."""
    linux_has, keel_has = (set(found[name].get(test, ("", []))[1]) for name in ("Linux", "Keel"))
    return bool(linux_has & keel_has)


def _verdicts(found, name, test):
    return " ".join(sorted(set(found[name].get(test, ("", ["none"]))[1])))


def _print_totals(found):
    groups = sorted({group for results in found.values() for group, _ in results.values()})
    print(f"\n{'Linux / Keel':14}" + "".join(f"{verdict:>14}" for verdict in VERDICTS))
    sums = {name: dict.fromkeys(VERDICTS, 0) for name in found}
    for group in groups:
        counts = {name: dict.fromkeys(VERDICTS, 0) for name in found}
        for name, results in found.items():
            for where, verdicts in results.values():
                if where == group:
                    kind = verdicts[0] if verdicts[0] in VERDICTS else "other"
                    counts[name][kind] += 1
                    sums[name][kind] += 1
        _print_row(group, counts)
    _print_row("all", sums)


def _print_row(title, counts):
    cells = (f"{counts['Linux'][verdict]} / {counts['Keel'][verdict]}" for verdict in VERDICTS)
    print(f"{title:14}" + "".join(f"{cell:>14}" for cell in cells))
