# SPDX-License-Identifier: MPL-2.0
"""The tables that people read."""

import math

from bench import rows as rowlist

EVENTS = ("cr3", "flush", "port", "halt", "locked", "syscall")


def ratio(linux, keel):
    """Keel's instructions an operation to Linux's; None where one of them has none."""
    if linux and keel and linux.get("op") and keel.get("op") and linux["op"]["total"]:
        return keel["op"]["total"] / linux["op"]["total"]
    return None


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def expand(rows):
    """Rows with the names that results have: those of the group cpus once for each number of CPUs."""
    for row in rows:
        if row.group == rowlist.CPUS:
            for cpus in rowlist.CONTENDERS:
                yield row.group, f"{row.name}@{cpus}", row.unit
        else:
            yield row.group, row.name, row.unit


def counted(rows, linux, keel):
    """Instructions an operation: lines of text."""
    yield "instructions an operation, without the iterations of repeated string instructions (rep)"
    yield (f"{'row':24}{'Linux':>14}{'Keel':>14}{'ratio':>8}   "
           f"{'Linux user':>12}{'rep':>10}   {'Keel user':>12}{'rep':>10}  of")
    ratios = {}
    group = None
    for group_name, name, unit in expand(rows):
        if group_name != group:
            yield from _mean_line(group, ratios)
            group = group_name
            yield f"[{group}]"
        theirs, ours = linux.get(name), keel.get(name)
        value = ratio(theirs, ours)
        if value is not None:
            ratios.setdefault(group, []).append(value)
        yield (f"  {name:22}{_total(theirs)}{_total(ours)}{_ratio(value)}   "
               f"{_split(theirs)}   {_split(ours)}  {unit}{_remark(theirs, ours)}").rstrip()
    yield from _mean_line(group, ratios)
    core = [value for name, values in ratios.items() if name in rowlist.CORE and name != rowlist.USER
            for value in values]
    if len(ratios) > 1 and core:
        yield f"  {'all core groups':22}{'geometric mean':>28}{geometric_mean(core):8.2f}   without the group user"


def events(rows, linux, keel):
    """What else happened in an operation: lines of text, `Linux/Keel` in each column."""
    yield "an operation's events, Linux/Keel"
    yield f"{'row':24}" + "".join(f"{name:>18}" for name in EVENTS)
    for _, name, _ in expand(rows):
        pair = [(kernel.get(name) or {}).get("op") for kernel in (linux, keel)]
        yield f"  {name:22}" + "".join(
            f"{'/'.join(_number(op[event]) if op else '-' for op in pair):>18}" for event in EVENTS)


def growth(rows, results):
    """How the cost of scaling rows grows, NAME-N beside NAME of the smallest N: lines of text."""
    series = {}
    for _, name, _ in expand(rows):
        stem, _, size = name.replace("@", "-").rpartition("-")
        series.setdefault(stem, []).append((int(size), name))
    yield f"{'how the cost grows':24}" + "".join(f"{'size':>9}{kernel:>12}{'grows':>7}" for kernel in results)
    for stem, points in series.items():
        for size, name in points:
            line = f"  {stem:22}"
            for rows_of in results.values():
                first, here = (rows_of.get(point, {}).get("op") for point in (points[0][1], name))
                line += f"{size:9}{_number(here['total']) if here else '-':>12}"
                line += f"{here['total'] / first['total']:7.2f}" if first and here else f"{'-':>7}"
            yield line


def _mean_line(group, ratios):
    if ratios.get(group):
        yield f"  {'':22}{'geometric mean':>28}{geometric_mean(ratios[group]):8.2f}"


def _number(value):
    if value >= 1000 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _total(result):
    if result and result.get("op"):
        return f"{result['op']['total']:>14,.0f}"
    return f"{'-' if result is None else 'none' if 'none' in result else 'failed':>14}"


def _split(result):
    op = (result or {}).get("op")
    if not op:
        return f"{'':22}"
    return f"{op['user']:>12,.0f}{op['rep_user'] + op['rep_kernel']:>10,.0f}"


def _ratio(value):
    return f"{value:8.2f}" if value is not None else f"{'':8}"


def _remark(*results):
    reasons = [result.get("none") or result.get("failed") for result in results if result]
    reasons = [reason for reason in reasons if reason]
    return f"  {reasons[0]}" if reasons else ""
