# SPDX-License-Identifier: MPL-2.0
"""Rows on the clock: boots of the kernels in turn, so that what else the host does hits all alike.

Without counting, and with whatever accelerator works here. On a shared host differences smaller
than the spread mean nothing, and the table says so.
"""

import statistics
from dataclasses import dataclass

from bench.guest import Boot, Setup

RUNS = 15  # of a row in each boot


@dataclass
class Times:
    """Nanoseconds of an operation, over all runs in all boots."""

    wall: list
    cpu: list  # of the virtual CPU's thread, one a boot

    def low(self):
        return min(self.wall)

    def middle(self):
        return statistics.median(self.wall)

    def spread(self):
        """From the first to the third quartile, in parts of the median."""
        first, _, third = statistics.quantiles(self.wall, n=4)
        return (third - first) / self.middle()


def measure(kernels, rows, boots, cpus, note):
    """{kernel: {row: Times or a result without times}}."""
    found = {kernel: {} for kernel in kernels}
    patterns = ",".join(row.name for row in rows)
    for _ in range(boots):
        for kernel in kernels:
            setup = Setup(kernel, words=["--only", patterns, "--runs", str(RUNS)], cpus=cpus, counted=False)
            boot = Boot(setup, on_row=lambda name, kernel=kernel: note(kernel, name)).run()
            if boot.hung is not None:
                boot.results.setdefault(boot.hung, {"failed": f"the guest ended or hung here: {boot.last_words}"})
            for name, result in boot.results.items():
                _add(found[kernel], name, result)
    return found


def _add(found, name, result):
    if "ns" not in result:
        found[name] = result
        return
    times = found.setdefault(name, Times([], []))
    if isinstance(times, Times):
        times.wall += [ns / result["ops"] for ns in result["ns"]]
        times.cpu.append(result["cpu"] / result["ops"] / len(result["ns"]))


def report(rows, found):
    """The table: lines of text."""
    yield "nanoseconds an operation: minimum, median, spread (quartiles), CPU time of the virtual CPU's thread"
    yield f"{'row':24}" + "".join(f"{kernel + ' min':>14}{'median':>12}{'spread':>8}{'cpu':>12}" for kernel in found) + (
        f"{'ratio':>8}" if len(found) == 2 else "")
    for row in rows:
        times = [rows_of.get(row.name) for rows_of in found.values()]
        yield f"  {row.name:22}" + "".join(map(_columns, times)) + _verdict(times)


def _columns(times):
    if not isinstance(times, Times):
        return f"{'none' if times and 'none' in times else '-' if times is None else 'failed':>14}{'':32}"
    return f"{times.low():14,.0f}{times.middle():12,.0f}{times.spread():8.0%}{min(times.cpu):12,.0f}"


def _verdict(times):
    """Keel's median to Linux's, with a remark when that is inside the noise."""
    if len(times) != 2 or not all(isinstance(each, Times) for each in times):
        return ""
    linux, keel = times
    value = keel.middle() / linux.middle()
    noise = max(linux.spread(), keel.spread())
    return f"{value:8.2f}" + ("  within the noise" if abs(value - 1) <= noise else "")


def as_json(found):
    return {kernel: {name: {"wall": times.wall, "cpu": times.cpu} if isinstance(times, Times) else times
                     for name, times in rows_of.items()} for kernel, rows_of in found.items()}
