# SPDX-License-Identifier: MPL-2.0
"""Start and size: what a kernel costs before it does anything."""

import os
import select
import subprocess
import time

from bench.guest import LINUX_WORDS, Boot, Setup
from image import store
from keel import paths
from keel.errors import KeelError
from run import linux
from run.machine import Machine
from run.vm import Vm

MEM = "256M"
PROMPT = b"root@keel"
PROMPT_SECONDS = 60.0  # a guest that is short of memory may also stand still
LARGEST = 256  # MiB at which a prompt certainly comes
TIMED_BOOTS = 3


def measure(kernel, rows, note):
    """{name: (value, unit)}; `rows` are those of kbench's group cost."""
    note("start, counted")
    found = {"start-instructions": (instructions(kernel), "instructions")}
    seconds = []
    for _ in range(TIMED_BOOTS):
        note("start, timed")
        boot = Boot(Setup(kernel, words=["--only", ",".join(row.name for row in rows)], mem=MEM, counted=False)).run()
        seconds.append(boot.first_line or 0)
    found["start-time"] = (min(seconds), "s, on this host")
    for row in rows:
        found[row.name] = (boot.results.get(row.name, {}).get("value"), row.unit)
    found["image-size"] = (image_size(kernel), "bytes")
    found["smallest-memory"] = (smallest_memory(kernel, note), "MiB")
    return found


def instructions(kernel):
    """From reset to the first one of user code."""
    counted = Boot(Setup(kernel, words=["--only", "none"], mem=MEM)).run()
    if counted.start is None:
        raise KeelError(f"{kernel} ran no program: {counted.last_words}")
    return counted.start["user"] + counted.start["kernel"]


def image_size(kernel):
    """Of what is loaded, without root. Linux's is packed, and its modules are not in it."""
    if kernel == "linux":
        return os.stat(linux.ensure()).st_size
    headers = subprocess.run(["readelf", "-lW", paths.kernel()], capture_output=True, text=True, check=True).stdout
    segments = [line.split() for line in headers.splitlines() if line.split()[:1] == ["LOAD"]]
    return sum(int(words[4], 16) for words in segments) - os.stat(paths.image("busybox")).st_size


def smallest_memory(kernel, note):
    """In MiB, by halving: fewer do not reach the shell's prompt."""
    low, high = 1, LARGEST
    while high - low > 1:
        middle = (low + high) // 2
        note(f"prompt with {middle} MiB")
        if reaches_prompt(kernel, middle):
            high = middle
        else:
            low = middle
    return high


def reaches_prompt(kernel, mib):
    image = Setup(kernel).image()
    machine = Machine(kernel=image, initrds=[store.ensure("busybox")], mem=f"{mib}M",
                      append=LINUX_WORDS if linux.is_linux(image) else [])
    deadline = time.monotonic() + PROMPT_SECONDS
    text = b""
    with Vm(machine) as vm:
        while PROMPT not in text:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([vm.console_out], [], [], left)[0]:
                return False
            data = os.read(vm.console_out, 65536)
            if not data:
                return False
            text += data
    return True


def report(found):
    """The table: lines of text."""
    kernels = list(found)
    yield f"{'start and size':24}" + "".join(f"{kernel:>16}" for kernel in kernels)
    for name, (_, unit) in found[kernels[0]].items():
        yield f"  {name:22}" + "".join(f"{_value(found[kernel][name][0]):>16}" for kernel in kernels) + f"  {unit}"


def _value(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) and value < 1000 and value != int(value) else f"{value:,.0f}"
