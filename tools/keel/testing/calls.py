# SPDX-License-Identifier: MPL-2.0
"""The calls that tests make on Keel, held against docs/compat: what is supported, and what no test shows to work.

The release kernel traces each kind of call once (`trace=*,once`) to its console, in the guests of the
layers conformance and apps, and of those cases of fault that say `calls=True`. A call that succeeded
and that no rule matches fails the run. So does, if all those tests ran, a name in the rules that no
call which succeeded used. What was traced is in build/calls.log.
"""

import glob
import re
import subprocess

from keel import build, paths
from keel.testing.model import Result

APPEND = ("trace=*,once", "ignore_loglevel")
_LINE = re.compile(rb"\[pid +\d+\] [^\n\r]*")
_UNUSED = re.compile(r"no call that succeeded (matched this rule|used it)$")
_consoles = []  # of each guest, all it printed


def sink():
    """A function that takes what one guest's console says."""
    console = bytearray()
    _consoles.append(console)
    return console.extend


def check(report, is_whole):
    """Report on all guests so far. `is_whole`: every test ran that shows a call."""
    build.make("tools")
    lines = [line for console in _consoles for line in _LINE.findall(bytes(console))]
    log = b"\n".join(lines) + b"\n"
    with open(paths.build("calls.log"), "wb") as file:
        file.write(log)
    rules = sorted(glob.glob(paths.source("docs", "compat", "*.scml")))
    done = subprocess.run([paths.build("tools", "scml"), "check", "--succeeded", "--unused", *rules],
                          input=log, capture_output=True)
    said = (done.stdout + done.stderr).decode(errors="replace").splitlines()
    unused = [line for line in said if _UNUSED.search(line)]
    others = [line for line in said if not _UNUSED.search(line)]
    if not lines:
        others.append("no guest traced a call")
    report(Result("calls", "supported", "release", not others and done.returncode < 2, "\n".join(others)))
    if is_whole:
        report(Result("calls", "unused", "release", not unused, "\n".join(unused)))
