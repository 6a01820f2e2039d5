# SPDX-License-Identifier: MPL-2.0
"""Rule 6: the frame stays small enough to be trusted (DESIGN.md section 3)."""
import re

from model import Plant, Rule, Violation, append

MAX_LINES, MAX_FACE = 9000, 60


def lines(tree):
    """Lines with comments, without blank ones; debug/ is counted apart."""
    count = {'frame/': 0, 'frame/debug/': 0}
    for path in tree.files:
        if path.startswith('frame/'):
            count['frame/debug/' if path.startswith('frame/debug/') else 'frame/'] += sum(
                bool(n.strip()) for n in tree.text(path).split('\n'))
    tree.notes.append('frame: %d lines with comments (of %d), debug/ %d' % (count['frame/'], MAX_LINES, count['frame/debug/']))
    if count['frame/'] > MAX_LINES:
        yield Violation('frame', 1, '%d lines with comments; at most %d' % (count['frame/'], MAX_LINES))


def face(tree):
    found = []
    for path in tree.layered('.h'):
        if path.startswith('frame/include/frame/') and not path.endswith('/policy.h'):
            found += [f for f in tree.functions(path)[1] if not re.search(r'\b(inline|static|typedef)\b', f.head)]
    tree.notes.append('frame: %d out-of-line functions on its face (aim %d)' % (len(found), MAX_FACE))
    if len(found) > MAX_FACE and tree.strict:
        for function in found[MAX_FACE:]:
            yield Violation(function.path, function.line, '%s is one of %d functions on the face; at most %d' % (
                function.name, len(found), MAX_FACE))


RULES = [
    Rule(6, 'frame-lines', 'what must be trusted must be readable in a day', lines, [
        Plant('a big frame', append('frame/core/log.c', '/* x */\n' * 8001))]),
    Rule(6, 'frame-face', 'every function on the face is a promise to keep on every machine (fails with --strict only)', face, [
        Plant('a broad face', append('frame/include/frame/log.h', ''.join('void log_%d(void);\n' % n for n in range(61))))]),
]
