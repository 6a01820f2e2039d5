#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""`./keel check`: the rules of DESIGN.md section 6 over the tree. Exit status 0: all hold; 1: not so; 2: wrong use.

    check.py              everything: text, both compilers, clang-tidy, the release image
    check.py --fast       what the text alone shows (under five seconds)
    check.py --self-test  plants one or more violations of each rule in a copy of fixture/ and demands each is caught
    check.py --list       the rules with their reasons
    check.py --only NAME  one rule (several: repeat)

Violations are printed as `file:line: NUMBER rule: message`, the reason of the rule after its last one.
"""
import argparse
import os
import sys
import time

sys.dont_write_bytecode = True

from model import Skip      # noqa: E402
from rules import ALL       # noqa: E402
from source import Tree     # noqa: E402

SHOWN = 40                  # violations printed of one rule


def run_rule(rule, tree):
    """Prints what the rule finds; returns 'pass', 'FAIL' or 'skip'."""
    started, found, skipped = time.monotonic(), [], ''
    try:
        found = sorted(set(rule.check(tree)))
    except Skip as reason:
        skipped = str(reason)
    for violation in found[:SHOWN]:
        print('%s:%d: %d %s: %s' % (violation.path, violation.line, rule.number, rule.name, violation.message))
    if len(found) > SHOWN:
        print('… and %d more' % (len(found) - SHOWN))
    verdict = skipped or (found and '%d violation%s: %s' % (len(found), 's' * (len(found) > 1), rule.reason)) or ''
    state = 'skip' if skipped else 'FAIL' if found else 'pass'
    print(('%s  %d %-24s %5.1f s  %s' % (state, rule.number, rule.name, time.monotonic() - started, verdict)).rstrip(), flush=True)
    return state


def list_rules():
    for rule in ALL:
        when = {None: 'text', 'tools': 'compilers', 'objects': 'both builds', 'elf': 'build/keel.elf'}[rule.needs]
        print('%d %-24s %s [%s]' % (rule.number, rule.name, rule.reason, when))
        for plant in rule.plants:
            print('      caught, for one: ' + plant.what)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description='the rules of DESIGN.md section 6')
    parser.add_argument('--root', default=os.path.dirname(os.path.dirname(here)), help='the tree to check')
    parser.add_argument('--fast', action='store_true', help='only what the text alone shows')
    parser.add_argument('--self-test', action='store_true', help='plant a violation of each rule and catch it')
    parser.add_argument('--strict', action='store_true', help='aims count as limits (frame-face)')
    parser.add_argument('--list', action='store_true', help='print the rules')
    parser.add_argument('--only', action='append', metavar='RULE', help='only this rule, by name')
    parser.add_argument('--jobs', type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    unknown = set(options.only or []) - {r.name for r in ALL}
    if unknown or options.jobs < 1 or not os.path.isdir(options.root):
        parser.error('no rule ' + ' '.join(sorted(unknown)) if unknown else 'bad --jobs or --root')
    rules = [r for r in ALL if (not options.only or r.name in options.only) and (r.fast or not options.fast)]
    if options.list:
        list_rules()
        return 0
    if options.self_test:
        import selftest
        return selftest.run(rules, options.jobs)
    tree = Tree(options.root, options.strict, options.jobs)
    states = [(run_rule(r, tree), r.name) for r in rules]
    failed = [name for state, name in states if state == 'FAIL']
    skipped = [name for state, name in states if state == 'skip']
    for note in tree.notes:
        print('note  ' + note)
    print('%d passed, %d failed%s%s' % (len(rules) - len(failed) - len(skipped), len(failed), ': ' + ' '.join(failed) if failed else '',
                                        '; not looked at: ' + ' '.join(skipped) if skipped else ''))
    return 1 if failed or skipped else 0


if __name__ == '__main__':
    sys.exit(main())
