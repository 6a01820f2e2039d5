# SPDX-License-Identifier: MPL-2.0
"""./keel test: chooses tests and configurations, builds, runs, and counts."""

import argparse
import time

from keel import build
from keel.errors import BadUsage, Interrupted, KeelError
from keel.testing import calls, compat, consoles, failalloc, fault, ktest, pool, unit
from keel.testing.guest import Apps, Conformance
from keel.testing.model import Config
from run import linux, vm

LAYERS = {layer.NAME: layer for layer in (unit, ktest, Conformance(), Apps(), fault, failalloc, consoles, compat)}
DEFAULT = ((False, 2), (True, 4))  # (debug build, CPUs)
ALL = tuple((debug, cpus) for debug in (False, True) for cpus in (1, 2, 4))
LINUX_CPUS = 2

DESCRIPTION = """\
Build and run the tests. NAME is a layer ({layers}), a test, or LAYER/TEST; without a name all
run. By default: the release build with 2 CPUs and the debug build with 4. The last line says
"N passed, N failed".
"""


def parser():
    parse = argparse.ArgumentParser(
        prog="keel test", allow_abbrev=False,
        description=DESCRIPTION.format(layers=", ".join(LAYERS)))
    parse.add_argument("names", nargs="*", metavar="NAME")
    parse.add_argument("--list", action="store_true", help="list the tests and do nothing")
    parse.add_argument("--on-linux", action="store_true",
                       help="run under Debian's Linux 6.1 what can run there")
    parse.add_argument("--all", action="store_true", help="both builds with 1, 2 and 4 CPUs")
    parse.add_argument("--cpus", type=int, metavar="N", help="only with N CPUs")
    parse.add_argument("--debug-build", action="store_true", help="only the debug build")
    parse.add_argument("--release-build", action="store_true", help="only the release build")
    parse.add_argument("--calls", action="store_true",
                       help="only the release build, and hold its calls against docs/compat (as a run without names does)")
    parse.add_argument("--record", action="store_true",
                       help="run the named apps tests on Linux and keep their output")
    parse.add_argument("-v", "--verbose", action="store_true", help="name the passed tests too")
    return parse


def main(args):
    """Entry point of `./keel test`; returns the exit status."""
    options = parser().parse_args(args)
    chosen = choose(options.names, options.all)
    if options.on_linux or options.record:
        chosen = {name: tests for name, tests in chosen.items() if LAYERS[name].ON_LINUX}
    if options.list:
        for layer, tests in chosen.items():
            print("\n".join(f"{layer}/{test}" for test in tests))
        return 0
    build.setup()
    if options.record:
        return record(chosen)
    return _Run(configurations(options), options.verbose).run(chosen)


def shows_all_calls(chosen):
    """Whether these are all tests whose calls testing/calls.py is about."""
    wanted = {Conformance.NAME: Conformance().tests(), Apps.NAME: Apps().tests(), fault.NAME: fault.showing_calls()}
    return all(set(tests) <= set(chosen.get(layer, ())) for layer, tests in wanted.items())


def choose(names, is_all=True):
    """{layer: tests} for what the command line names."""
    everything = {name: layer.tests() for name, layer in LAYERS.items()}
    everything = {name: tests for name, tests in everything.items() if tests}
    if not names:
        dear = {name: getattr(layer, "ONLY_ALL", ()) for name, layer in LAYERS.items()}
        chosen = {name: [test for test in tests if is_all or test not in dear[name]] for name, tests in everything.items()}
        return {name: tests for name, tests in chosen.items() if tests}
    chosen = {layer: set() for layer in everything}
    for name in names:
        layer, slash, test = name.partition("/")
        found = False
        for candidate, tests in everything.items():
            if name == candidate:
                chosen[candidate].update(tests)
                found = True
            elif slash and layer == candidate and test in tests:
                chosen[candidate].add(test)
                found = True
            elif not slash and name in tests:
                chosen[candidate].add(name)
                found = True
        if not found:
            raise BadUsage(f"no test or layer is called {name}; see ./keel test --list")
    return {layer: sorted(tests) for layer, tests in chosen.items() if tests}


def configurations(options):
    """The configurations that the options leave."""
    if options.cpus is not None and options.cpus < 1:
        raise BadUsage("--cpus: at least 1")
    if options.on_linux:
        if options.debug_build or options.release_build:
            raise BadUsage("--debug-build and --release-build are about Keel, not Linux")
        cpus = (1, 2, 4) if options.all else (options.cpus or LINUX_CPUS,)
        return [Config(True, False, count) for count in cpus]
    if options.calls:
        return [Config(False, False, options.cpus or DEFAULT[0][1], has_calls=True)]
    pairs = ALL if options.all else DEFAULT
    traced = DEFAULT[0] if not options.names else None
    if options.debug_build != options.release_build:
        pairs = [pair for pair in pairs if pair[0] == options.debug_build]
    if options.cpus:
        pairs = dict.fromkeys((debug, options.cpus) for debug, _ in pairs)
    return [Config(False, debug, cpus, has_calls=(debug, cpus) == traced) for debug, cpus in pairs]


def record(chosen):
    """Write the .out files of the chosen apps tests."""
    if list(chosen) != [Apps.NAME]:
        raise BadUsage("--record: name tests of the layer apps, or the layer")
    written, problems = Apps().record(chosen[Apps.NAME], Config(True, False, LINUX_CPUS))
    for path in written:
        print(path)
    for result in problems:
        print(f"{result.title()}: {result.detail}")
    return 1 if problems else 0


class _Run:
    """One run: prepares, starts the jobs, prints and counts results."""

    def __init__(self, configs, verbose):
        self._configs = configs
        self._verbose = verbose
        self._counts = {}  # job title -> [passed, failed, seconds, jobs left]
        self._failures = []
        self._passed = 0

    def run(self, chosen):
        jobs = []
        try:
            self._build_kernels(chosen)
            for name, tests in chosen.items():
                LAYERS[name].prepare(tests, self._configs)
                jobs += LAYERS[name].jobs(tests, self._configs)
        except KeelError as error:
            print(f"FAILED build\n{error}")
            print("0 passed, 1 failed", flush=True)
            return 1
        for job in jobs:
            self._counts.setdefault(job.title, [0, 0, 0.0, 0])[3] += 1
        started = time.monotonic()
        try:
            pool.run(jobs, self._on_result, self._on_job_end)
            if any(config.has_calls for config in self._configs):
                calls.check(self._count, shows_all_calls(chosen))
        except Interrupted:
            vm.stop_all()
            consoles.stop_all()
            raise
        return self._summary(time.monotonic() - started)

    def _build_kernels(self, chosen):
        if not set(chosen) - {unit.NAME}:
            return
        if self._configs[0].on_linux:
            linux.ensure()
            return
        for debug in sorted({config.debug for config in self._configs}):
            build.make(debug=debug)

    def _on_result(self, job, result):
        self._counts[job.title][0 if result.passed else 1] += 1
        self._count(result)

    def _count(self, result):
        if result.passed:
            self._passed += 1
            if self._verbose:
                print(f"ok {result.title()}", flush=True)
            return
        self._failures.append(result.title())
        print(f"FAILED {result.title()}", flush=True)
        for line in result.detail.splitlines():
            print(f"    {line}", flush=True)

    def _on_job_end(self, job, seconds):
        counts = self._counts[job.title]
        counts[2] = max(counts[2], seconds)
        counts[3] -= 1
        if counts[3] == 0:
            print(f"{job.title}: {counts[0]} passed, {counts[1]} failed ({counts[2]:.0f} s)",
                  flush=True)

    def _summary(self, seconds):
        if self._failures:
            print("\nfailed:\n" + "\n".join(f"    {title}" for title in self._failures))
        print(f"{seconds:.0f} s")
        print(f"{self._passed} passed, {len(self._failures)} failed", flush=True)
        return 1 if self._failures else 0
