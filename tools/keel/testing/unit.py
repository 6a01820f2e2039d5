# SPDX-License-Identifier: MPL-2.0
"""Layer unit: the host's tests of lib/ and pure logic; make builds and runs them."""

import glob
import os

from keel import build, paths
from keel.testing.model import Job, Result
from keel.testing.tap import Tap

NAME = "unit"
ON_LINUX = False
_SUFFIX = "_test.c"
_FUZZ_SUFFIX = "_fuzz.c"


def tests():
    """The test programs, by file: a run reports each of their single tests. fuzz_NAME runs what the fuzzer of that name has found."""
    files = glob.glob(paths.source("test", "unit", "*" + _SUFFIX))
    return sorted([os.path.basename(file)[:-len(_SUFFIX)] for file in files] + [f"fuzz_{name}" for name in fuzzers()])


def fuzzers():
    files = glob.glob(paths.source("test", "fuzz", "*" + _FUZZ_SUFFIX))
    return sorted(os.path.basename(file)[:-len(_FUZZ_SUFFIX)] for file in files)


def prepare(names, configs):
    """Nothing: make does it all."""


def jobs(names, configs):
    return [Job("unit, host", lambda report: _run(names, report))]


def _run(names, report):
    text = build.make_unit([] if names == tests() else names)
    tap = Tap(text)
    if not tap.lines:
        report(Result(NAME, "build", "host", False, text))
    for line in tap.lines:
        report(Result(NAME, line.name(), "host", line.passed, line.detail()))
