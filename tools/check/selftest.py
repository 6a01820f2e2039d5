# SPDX-License-Identifier: MPL-2.0
"""`check.py --self-test`: the fixture is clean under every rule, and every planted violation is caught by its rule."""
import os
import shutil
import tempfile

from model import Plant
from source import Tree

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'fixture')


def attempt(rule, plant, jobs):
    """What the rule says about a fresh copy of the fixture, changed by the plant."""
    with tempfile.TemporaryDirectory(prefix='keel-check-') as folder:
        root = os.path.join(folder, 'tree')
        shutil.copytree(FIXTURE, root, ignore=shutil.ignore_patterns('build'))
        plant.edit(root)
        return list(rule.check(Tree(root, strict=True, jobs=jobs)))


def run(rules, jobs):
    passed = failed = 0
    nothing = Plant('nothing planted', lambda root: None)
    for rule in rules:
        for plant in [nothing] + rule.plants:
            try:
                found = attempt(rule, plant, jobs)
                good = bool(found) == (plant is not nothing)
                detail = found[0].message if found else 'no violation reported'
            except Exception as error:      # a rule that dies on odd input is a rule that fails
                good, detail = False, '%s: %s' % (type(error).__name__, error)
            passed, failed = passed + good, failed + (not good)
            print('%-4s %d %s: %s — %s' % ('ok' if good else 'FAIL', rule.number, rule.name, plant.what,
                                           detail.split('\n')[0][:110] if plant is not nothing or not good else 'clean'), flush=True)
        if not rule.plants:
            failed += 1
            print('FAIL %d %s: has no planted violation' % (rule.number, rule.name))
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0
