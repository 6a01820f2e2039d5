# SPDX-License-Identifier: MPL-2.0
"""Layer compat: what scml foretells of a program from its trace on Linux is what happens on Keel.

Each program of test/compat/programs runs under strace on Linux, in the image debian-min, and then,
alone, on Keel. Its trace is checked against docs/compat. One of which all calls are supported must
print the same and end the same on both; one that is listed with an errno must be foretold to meet
it, and must fail with the errno's text.
"""

import errno
import glob
import os
import re
import subprocess
import time
from collections import namedtuple

from image import store
from keel import build, paths
from keel.testing.guest import BOOT_SECONDS, _status_text
from keel.testing.model import Config, Job, Result
from run.guest import BufferSink, Guest
from run.vm import Vm

NAME = "compat"
ON_LINUX = False
ROOT = "debian-min"
SECONDS = 120
_LINE = re.compile(r"([\w-]+): (?:\[(E\w+)\] )?(.+)")

Program = namedtuple("Program", "name errno command")
Run = namedtuple("Run", "status output error")


def programs():
    found = {}
    with open(paths.source("test", "compat", "programs"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                program = Program(*_LINE.fullmatch(line.rstrip("\n")).groups())
                found[program.name] = program
    return found


def tests():
    return list(programs())


ONLY_ALL = tuple(tests())  # else not unless they are named: it boots Linux, and strace is slow


def prepare(names, configs):
    build.make("tools", "user")
    store.ensure(ROOT)


def jobs(names, configs):
    """One: Linux first, Keel then, in the first of its configurations."""
    return [Job(f"compat, {configs[0]}", lambda report: _run(names, configs[0], report))]


def _run(names, config, report):
    chosen = [programs()[name] for name in sorted(names)]
    logs = {}
    on_linux = _run_all(chosen, Config(True, False, config.cpus), logs)
    on_keel = _run_all(chosen, config, None)
    for program in chosen:
        problem = _judge(program, logs[program.name], on_linux[program.name], on_keel[program.name])
        report(Result(NAME, program.name, str(config), not problem, problem))


def _run_all(chosen, config, logs):
    """{name: Run}, in one boot; with `logs`, traced, and the traces put there."""
    runs = {}
    machine = config.machine(initrds=[store.ensure(ROOT), store.agent()])
    with Vm(machine, agent=True) as vm:
        guest = Guest(vm)
        guest.wait_ready(time.monotonic() + BOOT_SECONDS * config.patience())
        for program in chosen:
            command = [b"bash", b"-c", program.command.encode()]
            if logs is not None:
                command = [b"strace", b"-f", b"-q", b"-o", b"/log", b"--"] + command
            runs[program.name] = _run_one(guest, command, b"/tmp/" + program.name.encode(), config)
            if logs is not None:
                logs[program.name] = _run_one(guest, [b"cat", b"/log"], b"/", config).output
        guest.quit()
    return runs


def _run_one(guest, command, folder, config):
    output, error = BufferSink(), BufferSink()
    status = guest.run(command, cwd=folder, make_dir=True, stdout=output, stderr=error,
                       deadline=time.monotonic() + SECONDS * config.patience())
    return Run(_status_text(status), output.data.decode(errors="replace"),
               error.data.decode(errors="replace"))


def _judge(program, log, linux, keel):
    """What is wrong, or ''."""
    foretold = _foretell(log, only_succeeded=program.errno in (None, "ENOSYS"))
    if not program.errno:
        if foretold:
            return f"not foretold to work:\n{foretold}"
        if keel != linux:
            return f"foretold to work as on Linux: {linux}\nbut on Keel: {keel}"
        return ""
    missing = f"refused with {program.errno}"
    if program.errno == "ENOSYS":
        missing = "no rule is about this call"
    if missing not in foretold:
        return f"scml does not foretell {program.errno}:\n{foretold or 'all is supported'}"
    text = os.strerror(getattr(errno, program.errno))
    if not keel.status or text not in keel.error:
        return f"foretold to fail with '{text}', but on Keel: {keel}"
    return ""


def _foretell(log, only_succeeded):
    """What scml says of the calls that no rule matches."""
    rules = sorted(glob.glob(paths.source("docs", "compat", "*.scml")))
    options = ["--succeeded"] if only_succeeded else []
    done = subprocess.run([paths.build("tools", "scml"), "check", *options, *rules], input=log,
                          capture_output=True, text=True, errors="replace")
    return done.stdout + done.stderr
