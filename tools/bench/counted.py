# SPDX-License-Identifier: MPL-2.0
"""Counted rows of one kernel, in as few boots as it takes.

Counts depend on nothing but what is booted, so they are kept in build/bench/kept, by a digest of
all of that. (With several CPUs two runs differ a little; that is below what is compared.)
"""

import hashlib
import json
import os
import sys

from bench import rows as rowlist
from bench.guest import COMMAND, Boot, Setup
from image import store
from keel import paths

RETRIES = 8  # boots that may end before their last row
# What is booted together: groups, root image, numbers of CPUs.
SECTIONS = ((rowlist.CORE, "busybox", (1,)), ((rowlist.SCALE,), "busybox", (1,)),
            ((rowlist.CPUS,), "busybox", rowlist.CONTENDERS), ((rowlist.APPS,), "debian-min", (1,)))
COUNTERS = ("user", "kernel", "rep_user", "rep_kernel", "cr3", "flush", "port", "halt", "locked", "syscall")


def measure(kernel, rows, fresh=False, note=lambda text: None):
    """{row: result} with the counts of one operation in result["op"]."""
    results = {}
    for groups, root, cpus in SECTIONS:
        chosen = [row for row in rows if row.group in groups]
        if not chosen:
            continue
        whole = [row for row in rowlist.everything() if row.group in groups]
        for count in cpus:
            found = _section(Setup(kernel, root=root, cpus=count), chosen, whole, fresh, note)
            for row in chosen:
                name = f"{row.name}@{count}" if row.group == rowlist.CPUS else row.name
                results[name] = found.get(row.name, {"failed": "no result"})
    return results


def command(kernel, script, root, note=lambda text: None):
    """{"run": result} of a shell command, started and waited for."""
    setup = Setup(kernel, words=["--run", COMMAND], root=root, script=script)
    boot = Boot(setup, on_row=note).run()
    result = boot.results.get("run", {"failed": f"the guest ended or hung: {boot.last_words}"})
    if result.get("counts"):
        result["op"] = _per_operation(result)
    return {"run": result}


def _section(setup, chosen, whole, fresh, note):
    """Results of at least the chosen rows; those of the whole section if they are there."""
    if not fresh:
        for rows in (whole, chosen):
            path = _kept_path(setup, rows)
            if os.path.exists(path):
                with open(path, encoding="ascii") as text:
                    return json.load(text)
    kept = _kept_path(setup, chosen)
    results = _boots(setup, chosen, note)
    if all("failed" not in result for result in results.values()):
        store.write_if_changed(kept, json.dumps(results).encode())
    return results


def _boots(setup, rows, note):
    """Boot until every row has a result; a row at which the guest ends is passed over."""
    results = {}
    left = [row.name for row in rows]
    whole = len(left) > 1
    for _ in range(RETRIES):
        setup.words = ["--only", ",".join(_patterns(rows) if whole else left)]
        boot = Boot(setup, on_row=note).run()
        whole = False
        results.update(boot.results)
        if boot.hung is None:
            break
        lost = boot.hung if boot.hung in left else left[0]
        results.setdefault(lost, {"failed": "the guest ended or hung here"})
        print(f"keel: {setup.kernel}: no more at {lost}\n{boot.last_words}", file=sys.stderr)
        left = [name for name in left if name not in results]
        if not left:
            break
    for result in results.values():
        if result.get("counts"):
            result["op"] = _per_operation(result)
    return results


def _patterns(rows):
    """Groups where all their rows are meant: a kernel's command line is short."""
    known = rowlist.by_group(rowlist.everything())
    patterns = []
    for group, meant in rowlist.by_group(rows).items():
        patterns += [group] if meant == known[group] else [row.name for row in meant]
    return patterns


def _per_operation(result):
    """The mean over the row's regions, of everything that is counted."""
    ops = result["ops"] * len(result["counts"])
    mean = {name: sum(counts[name] for counts in result["counts"]) / ops for name in COUNTERS}
    mean["total"] = mean["user"] + mean["kernel"]
    return mean


def _kept_path(setup, rows):
    digest = hashlib.sha256()
    machine = setup.machine()
    for path in (setup.image(), *setup.initrds(), paths.build("bench", "keelcount.so")):
        with open(path, "rb") as data:
            digest.update(hashlib.sha256(data.read()).digest())
    about = [machine.qemu_args(None, False, ""), [row.name for row in rows]]
    digest.update(json.dumps(about).encode())
    return paths.build("bench", "kept", digest.hexdigest()[:24] + ".json")
