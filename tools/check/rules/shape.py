# SPDX-License-Identifier: MPL-2.0
"""Rule 4: files and functions one can hold in one's head, each saying what it is; nothing left for later.

Lengths count lines with code: no blanks, no comments. tools/check/allow.txt names the exceptions, each with its reason.
"""
import ast
import re

from model import Plant, Rule, Violation, append, replace, write
from source import C_SUFFIXES

MAX_FILE, MAX_FUNCTION = 800, 80
LATER = re.compile(r'\b(' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' * 3, 'HA' + 'CK']) + r')\b')
# Words of other people: texts we quote, data that tests compare.
TEXTUAL = ('.md', '.txt', '.scml', '.cfg', '.yml')


def functions(tree, path):
    """(name, first line, lines of code) of every function of a C or Python file."""
    lines = set(tree.code_lines(path))
    if path.endswith(C_SUFFIXES):
        for f in tree.functions(path)[0]:
            yield f.name, f.line, len([n for n in range(f.line, f.last + 1) if n in lines])
    elif path.endswith('.py'):
        try:
            nodes = ast.walk(ast.parse(tree.text(path)))
        except SyntaxError:             # rule python-compiles tells
            return
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, len([n for n in range(node.lineno, node.end_lineno + 1) if n in lines])


def lengths(tree):
    for path in tree.sources():
        count = len(tree.code_lines(path))
        if count > MAX_FILE and not tree.allowed('length', path):
            yield Violation(path, 1, '%d lines of code; at most %d' % (count, MAX_FILE))
        for name, line, count in functions(tree, path):
            if count > MAX_FUNCTION and not tree.allowed('length', path, name):
                yield Violation(path, line, '%s has %d lines of code; at most %d' % (name, count, MAX_FUNCTION))


def licence(tree):
    mark = 'SPDX-License-' + 'Identifier: MPL-2.0'
    for path in tree.sources():
        lines = tree.text(path).split('\n')
        first = 1 if lines[0].startswith('#!') and len(lines) > 1 else 0
        if mark not in lines[first]:
            yield Violation(path, first + 1, 'this line must say: ' + mark)


def opening(tree):
    for path in tree.sources():
        lines = [n for n in tree.text(path).split('\n')[:12] if n.strip()]
        lines = [n for n in lines if 'SPDX-License-' not in n and not n.startswith('#!')]
        if path.endswith(C_SUFFIXES + ('.S', '.lds', '.ld')):
            good = lines and lines[0].lstrip().startswith(('/*', '//'))
        else:
            good = lines and lines[0].startswith(('#', '"""', "'''", 'r"""'))
        if not good:
            yield Violation(path, 2, 'opens with a comment: what this is, its invariants, its locking')


def later(tree):
    for path in tree.sources() + [f for f in tree.files if f.endswith(TEXTUAL)]:
        for match in LATER.finditer(tree.text(path)):
            yield Violation(path, tree.line_at(path, match.start()), match.group())


def trailing(tree):
    for path in sorted(set(tree.sources()) | {f for f in tree.files if f.endswith(TEXTUAL)}):
        text = tree.text(path)
        for match in re.finditer(r'[ \t]+$', text, re.M):
            yield Violation(path, tree.line_at(path, match.start()), 'blanks at the end of the line')
        if text and (not text.endswith('\n') or text.endswith('\n\n')):
            yield Violation(path, text.count('\n') + 1, 'ends with exactly one newline')


def stale(tree):
    for _ in lengths(tree):             # asks for every exception it needs
        pass
    for line, key, reason in tree.allowances:
        if not reason:
            yield Violation(tree.allow_path, line, 'an exception without a reason')
        elif len(key) < 2 or key[0] not in ('length', 'dead-function', 'header-alone', 'warning-flags') or not tree.exists(key[1]):
            yield Violation(tree.allow_path, line, 'no such rule or file: ' + ' '.join(key))
        elif key[0] == 'length' and key not in tree.used_allowances:
            yield Violation(tree.allow_path, line, 'no longer needed: ' + ' '.join(key))


C = 'kernel/mm/pages.c'
LONG = ''.join('\tn += %d;\n' % n for n in range(90))
RULES = [
    Rule(4, 'length', 'a file past 800 lines or a function past 80 cannot be held in one\'s head', lengths, [
        Plant('long function', append(C, 'int f(int n)\n{\n' + LONG + '\treturn n;\n}\n')),
        Plant('long file', append(C, ''.join('int v%d;\n' % n for n in range(801)))),
        Plant('long Python function', write('tools/long.py', '# planted\ndef f():\n' + '    print()\n' * 81))]),
    Rule(4, 'licence-line', 'every file says under which terms it is used', licence, [
        Plant('no line', replace(C, 'MPL-2.0', 'none'))]),
    Rule(4, 'opening-comment', 'a reader learns first what a file is for', opening, [
        Plant('no comment', write('kernel/mm/zone.h', '/* SPDX-License-' + 'Identifier: MPL-2.0 */\n#pragma once\n'))]),
    Rule(4, 'nothing-later', 'what is not done is an issue, not a remark in the code', later, [
        Plant('a remark', append(C, '/* TO' + 'DO: more */\n')), Plant('in a script', append('Makefile', '# FIX' + 'ME\n'))]),
    Rule(4, 'trailing-blanks', 'changes show only what changed', trailing, [
        Plant('blank', append(C, 'int x; \n')), Plant('no newline', append(C, 'int x;'))]),
    Rule(4, 'exceptions', 'an exception has a reason and goes when it is not needed', stale, [
        Plant('stale', write('tools/check/allow.txt', 'length kernel/mm/pages.c: was long once\n')),
        Plant('no such file', write('tools/check/allow.txt', 'header-alone kernel/mm/none.h: a list of rows\n')),
        Plant('no reason', write('tools/check/allow.txt', 'dead-function kernel/mm/pages.c f:\n'))]),
]
