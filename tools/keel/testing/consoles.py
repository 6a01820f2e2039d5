# SPDX-License-Identifier: MPL-2.0
"""Layer console: test/console/NAME.py gets the command that opens a console, drives it through a
terminal as a person would (run/expect.py) and prints TAP."""

import glob
import os
import signal
import subprocess
import sys

from keel import paths
from keel.testing.model import TEST_MEM, Job, Result
from keel.testing.tap import Tap

NAME = "console"
ON_LINUX = True
SECONDS = 400
_running = set()


def tests():
    files = glob.glob(paths.source("test", "console", "*.py"))
    return sorted(os.path.basename(file)[:-3] for file in files)


def prepare(names, configs):
    """Nothing: the kernels are built."""


def jobs(names, configs):
    return [Job(f"console, {config}", lambda report, config=config, name=name:
                _run(name, config, report)) for config in configs for name in names]


def stop_all():
    """End the scripts that are running, with what they started."""
    for process in list(_running):
        _stop(process)
    for process in list(_running):
        process.wait()


def _stop(process):
    """The script's process group: it may wait for a ./keel run (see expect.launch_command)."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass


def _run(name, config, report):
    command = [sys.executable, paths.source("test", "console", name + ".py"),
               paths.source("keel"), "run", "--no-build", "--cpus", str(config.cpus),
               "--mem", TEST_MEM]
    if config.on_linux:
        command += ["--kernel", "linux"]
    elif config.debug:
        command.append("--debug-build")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    _running.add(process)
    status = None
    try:
        output, _ = process.communicate(timeout=SECONDS * config.patience())
        if process.returncode:
            status = f"exit status {process.returncode}"
    except subprocess.TimeoutExpired:
        _stop(process)
        output, _ = process.communicate()
        status = f"no end after {SECONDS * config.patience()} s"
    finally:
        _running.discard(process)
    tap = Tap(output)
    problems = tap.problems(status)
    if problems and not tap.lines:
        problems += "\n" + output
    report(Result(NAME, name, str(config), not problems, problems))
