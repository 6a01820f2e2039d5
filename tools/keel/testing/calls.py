# SPDX-License-Identifier: MPL-2.0
"""With `./keel test --calls`: the calls of conformance and apps on Keel, held against docs/compat.

The release kernel traces each kind of call once (`trace=*,once`) to its console. A call that
succeeded and that no rule matches fails the run. Names in the rules that no call used, which no
test shows to work, are written to build/calls-unused.
"""

import glob
import re
import subprocess

from keel import build, paths
from keel.testing.model import Result

APPEND = ("trace=*,once", "ignore_loglevel")
LINE_MAX = 1000  # the kernel's log cuts a record there
_LINE = re.compile(rb"\[pid +\d+\] [^\n\r]*")
_consoles = []  # of each guest, all it printed


def sink():
    """A function that takes what one guest's console says."""
    console = bytearray()
    _consoles.append(console)
    return console.extend


def check(report):
    """Report one result for all guests so far."""
    build.make("tools")
    lines = [line for console in _consoles for line in _LINE.findall(bytes(console))
             if len(line) < LINE_MAX]
    log = b"\n".join(lines) + b"\n"
    with open(paths.build("calls.log"), "wb") as file:
        file.write(log)
    status, text = _scml(log, "--succeeded")
    report(Result("calls", "docs/compat", "release", status == 0 and bool(lines), text))
    unused = _scml(log, "--succeeded", "--unused")[1]
    with open(paths.build("calls-unused"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in unused.splitlines() if "no call that succeeded" in line)


def _scml(log, *options):
    rules = sorted(glob.glob(paths.source("docs", "compat", "*.scml")))
    done = subprocess.run([paths.build("tools", "scml"), "check", *options, *rules], input=log,
                          capture_output=True)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")
