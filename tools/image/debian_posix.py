# SPDX-License-Identifier: MPL-2.0
"""The image "debian-posix": debian-min, and the programs of Debian's source package
posixtestsuite (its binary package has none) in /usr/lib/posixtestsuite, as their own Makefile
would lay them out: conformance/interfaces/CALL/N-M.test. Beside them two lists, a test a line:

alone     tests that must run alone: they set the clock, ask for real-time priority, or use up
          what there is of processes, threads or memory
unbuilt   tests that this compiler, with this C library, does not build

The driver is tools/image/debian-posix.d/usr/local/bin/posixtests.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

from image import debian, debian_min
from keel import paths

PACKAGE = "posixtestsuite"
INSIDE = "usr/lib/posixtestsuite"
FILES = os.path.join(os.path.dirname(__file__), "debian-posix.d")

# The suite's own CFLAGS and LDFLAGS, less its warnings; small, since there are so many.
COMMAND = """gcc -w -O2 -std=gnu99 -D_POSIX_C_SOURCE=200112L -D_GNU_SOURCE -Iinclude
-no-pie -s -Wl,-z,noseparate-code {} -o {} -lpthread -lrt""".split()

# As the suite's locate-test finds them. What "buildonly" programs do, a script of the suite asks.
_PROGRAM = re.compile(r"\d[^/]*-[^/]*\.c")
_SCRIPT = re.compile(r"\d+-\d[^/]*\.sh")
_ALONE = re.compile(r"SCHED_(FIFO|RR)|clock_settime|settimeofday|_THREADS_MAX|CHILD_MAX|RLIMIT_")


def build():
    """The finished archive as bytes."""
    archive = debian_min.tree()
    archive.tree(FILES)
    folder = _programs()
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as data:
                archive.file(os.path.join(INSIDE, os.path.relpath(path, folder)), data.read(),
                             os.stat(path).st_mode & 0o777)
    return archive.to_bytes()


def _programs():
    """The folder with what goes to INSIDE. Compiling takes minutes, so it is kept."""
    dsc = debian.source(PACKAGE, paths.build("debs"))
    made_from = f"{os.path.basename(dsc)}\n{' '.join(COMMAND)}\n" + subprocess.run(
        ["gcc", "--version"], capture_output=True, text=True, check=True).stdout
    folder, stamp = paths.build(PACKAGE, "programs"), paths.build(PACKAGE, "made-from")
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as text:
            if text.read() == made_from:
                return folder
        os.unlink(stamp)
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="keel-posix-") as temporary:
        source = os.path.join(temporary, "source")
        debian.unpack_source(dsc, source)
        _compile_all(source, folder)
    with open(stamp, "w", encoding="utf-8") as text:
        text.write(made_from)
    return folder


def _compile_all(source, folder):
    programs, alone = [], []
    for top in ("conformance/interfaces", "conformance/behavior"):
        for where, _, names in os.walk(os.path.join(source, top)):
            inside = os.path.relpath(where, source)
            os.makedirs(os.path.join(folder, inside), exist_ok=True)
            for name in names:
                path = os.path.join(inside, name)
                if _SCRIPT.fullmatch(name):
                    shutil.copyfile(os.path.join(source, path), os.path.join(folder, path))
                    os.chmod(os.path.join(folder, path), 0o755)
                elif _PROGRAM.fullmatch(name):
                    programs.append(path)
                    with open(os.path.join(source, path), encoding="latin-1") as text:
                        if _ALONE.search(text.read()):
                            alone.append(path[:-2])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        built = pool.map(lambda path: _compile(source, folder, path), programs)
        unbuilt = [path[:-2] for path, good in zip(programs, built) if not good]
    for name, tests in (("alone", alone), ("unbuilt", unbuilt)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as text:
            text.writelines(f"{test}\n" for test in sorted(tests))


def _compile(source, folder, path):
    """Whether the program could be made."""
    target = os.path.join(folder, path[:-2] + ".test")
    command = [word.format(path) if word == "{}" else word for word in COMMAND]
    command[command.index("-o") + 1] = target
    return subprocess.run(command, cwd=source, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
