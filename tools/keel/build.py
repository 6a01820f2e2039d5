# SPDX-License-Identifier: MPL-2.0
"""Calls make and the setup step, quietly: their output shows only when they fail."""

import fcntl
import os
import subprocess
import sys
import threading

from image import store
from keel import paths
from keel.errors import KeelError

PATIENCE = 2.0  # seconds of silence before a person is told what takes so long


def make(*goals, debug=False):
    """Bring `goals` up to date (none: the kernel). One make at a time works on a build folder."""
    command = ["make", "-s", "-C", paths.TREE, "-j", str(os.cpu_count() or 1), *goals]
    if debug:
        command.append("DEBUG=1")
    done = _run_make(command, goals)
    if done.returncode != 0:
        raise KeelError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}".rstrip())


def make_unit(names):
    """Build and run the host's unit tests, all or some; returns what they print, TAP."""
    command = ["make", "-s", "-C", paths.TREE, "-j", str(os.cpu_count() or 1), "unit"]
    if names:
        command.append(f"UNIT={' '.join(names)}")
    done = _run_make(command, ["unit tests"])
    return done.stdout + done.stderr


def _run_make(command, goals):
    store.ensure("busybox")  # the kernel embeds it
    if os.environ.get("KEEL_BUILD"):
        command += [f"O={paths.BUILD}", f"EMBED={paths.image('busybox')}"]
    os.makedirs(paths.BUILD, exist_ok=True)
    with open(paths.build(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _notice(f"keel: building {' '.join(goals) or 'the kernel'}"):
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, errors="replace", env=_clean_env())


def setup(verbose=False):
    """Install what is missing of Debian's packages. What it does goes to standard error."""
    command = [paths.source("tools", "setup")]
    if not verbose:
        command.append("--quiet")
    if subprocess.run(command, stdout=None if verbose else sys.stderr).returncode != 0:
        raise KeelError("the setup step failed; its message is above")


def _clean_env():
    """Without what an outer make left: we may be called from a Makefile."""
    return {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "KEEL_BUILD")}


class _notice:
    """Prints `text` on standard error if the block takes long and a person may be watching."""

    def __init__(self, text):
        self._timer = threading.Timer(PATIENCE, lambda: print(text, file=sys.stderr))
        self._timer.daemon = True

    def __enter__(self):
        if sys.stderr is not None and sys.stderr.isatty():
            self._timer.start()

    def __exit__(self, *_):
        self._timer.cancel()
