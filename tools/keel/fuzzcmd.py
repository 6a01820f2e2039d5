# SPDX-License-Identifier: MPL-2.0
"""./keel fuzz: libFuzzer on the targets in test/fuzz, one after the other, each under ASan and UBSan.

New inputs go to build/fuzz/corpus/TARGET. --keep makes test/fuzz/corpus/TARGET, which every
`./keel test unit` runs, the smallest set of inputs that reaches what all of them do.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile

from keel import build, paths
from keel.errors import BadUsage
from keel.testing import unit

# The longest input; what is longer finds nothing new and takes its time.
LONGEST = {"exec": 8192, "initramfs": 8192}
LONGEST_DEFAULT = 4096
INPUT_SECONDS = 30

DESCRIPTION = """\
Look for inputs that crash, hang or leak. TARGET is one of {targets}; without one all run, one
after the other. What ends a target is kept in build/fuzz, and run again with TARGET --input FILE.
"""


def main(args):
    """Entry point of `./keel fuzz`; returns the exit status: 1 if something was found."""
    targets = unit.fuzzers()
    parse = argparse.ArgumentParser(prog="keel fuzz", allow_abbrev=False,
                                    description=DESCRIPTION.format(targets=", ".join(targets)))
    parse.add_argument("targets", nargs="*", metavar="TARGET")
    parse.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target; 60 by default")
    parse.add_argument("--input", metavar="FILE", help="run TARGET once, on this file")
    parse.add_argument("--keep", action="store_true", help="keep what reaches something new in test/fuzz/corpus")
    options = parse.parse_args(args)
    for name in options.targets:
        if name not in targets:
            raise BadUsage(f"no target {name}; there are {', '.join(targets)}")
    if options.input and len(options.targets) != 1:
        raise BadUsage("--input: for one TARGET")
    if options.seconds < 1:
        raise BadUsage("--seconds: at least 1")
    build.setup()
    build.make("fuzz")
    if options.input:
        return subprocess.call([_program(options.targets[0]), options.input])
    good = [_fuzz(name, options) for name in options.targets or targets]
    return 0 if all(good) else 1


def _program(name):
    return paths.build("fuzz", f"{name}_fuzz")


def _fuzz(name, options):
    """One target; whether nothing was found."""
    found, kept, log = paths.build("fuzz", "corpus", name), paths.source("test", "fuzz", "corpus", name), paths.build("fuzz", f"{name}.log")
    os.makedirs(found, exist_ok=True)
    print(f"{name}: {options.seconds} s", flush=True)
    with open(log, "wb") as out:
        status = subprocess.call(
            [_program(name), f"-max_total_time={options.seconds}", f"-max_len={LONGEST.get(name, LONGEST_DEFAULT)}",
             f"-timeout={INPUT_SECONDS}", "-print_final_stats=1", f"-artifact_prefix={paths.build('fuzz', name)}-",
             found, kept], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    with open(log, encoding="utf-8", errors="replace") as lines:
        text = lines.read()
    print(f"{name}: {_summary(text)}", flush=True)
    if status != 0:
        print(f"{text[-3000:]}\n{name}: FAILED; all of it is in {log}", flush=True)
        return False
    if options.keep:
        _keep(name, kept, found)
    return True


def _summary(text):
    runs = re.findall(r"number_of_executed_units: (\d+)", text)
    reach = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", text)
    if not reach:
        return "no runs"
    return f"{runs[-1] if runs else '?'} runs, {reach[-1][0]} edges, {reach[-1][1]} features, {reach[-1][2]} inputs"


def _keep(name, kept, found):
    """Minimise what was kept and found together, into what is kept."""
    with tempfile.TemporaryDirectory(dir=paths.build("fuzz")) as fresh:
        subprocess.run([_program(name), "-merge=1", f"-max_len={LONGEST.get(name, LONGEST_DEFAULT)}", fresh, kept, found],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for file in os.listdir(kept):
            os.unlink(os.path.join(kept, file))
        for file in os.listdir(fresh):
            shutil.move(os.path.join(fresh, file), os.path.join(kept, file))
    size = sum(os.path.getsize(os.path.join(kept, file)) for file in os.listdir(kept))
    print(f"{name}: {len(os.listdir(kept))} inputs kept, {size} bytes", flush=True)
