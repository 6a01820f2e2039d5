# SPDX-License-Identifier: MPL-2.0
"""What rows there are (kbench knows), and which of them are meant."""

import fnmatch
import subprocess
from dataclasses import dataclass

from keel import paths
from keel.errors import BadUsage

# Groups that need another guest than the others, or are no comparison of operations.
CPUS, APPS, COST = "cpus", "apps", "cost"
SCALE = "scale"
USER = "user"  # code of the programs alone: not in the mean
CORE = ("call", "file", "event", "signal", "ipc", "net", "process", "memory", "bandwidth", USER)
GROUPS = (*CORE, SCALE, CPUS, APPS, COST)
CONTENDERS = (1, 2, 4)  # CPUs of the group cpus; its rows are called NAME@CPUS


@dataclass(frozen=True)
class Row:
    group: str
    name: str
    unit: str


def everything():
    """All rows, in the order in which kbench runs them."""
    listing = subprocess.run([paths.build("bench", "kbench"), "--list"], capture_output=True,
                             text=True, check=True).stdout
    found = []
    for line in listing.splitlines():
        group, name, _, unit = line.split()
        found.append(Row(group, name, unit))
    return found


def choose(patterns):
    """The rows that patterns name (row, group or glob); the core's without any."""
    known = everything()
    if not patterns:
        return [row for row in known if row.group in CORE]
    for pattern in patterns:
        if not any(_matches(pattern, row) for row in known):
            raise BadUsage(f"no row or group is called {pattern}; see ./keel bench --list")
    return [row for row in known if any(_matches(pattern, row) for pattern in patterns)]


def _matches(pattern, row):
    return fnmatch.fnmatchcase(row.name, pattern) or fnmatch.fnmatchcase(row.group, pattern)


def by_group(rows):
    """{group: rows}, in order."""
    groups = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups
