# SPDX-License-Identifier: MPL-2.0
"""Rule 8: what docs/compat says is supported is what the kernel's table of calls supports, and the page made of it is fresh."""
import os
import sys

from model import Plant, Rule, Skip, Violation, append, both, replace, write

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from compat import drift, page, rules, table     # noqa: E402


def load(tree):
    try:
        return rules.Rules(tree.root)
    except rules.BadRules as error:
        raise Skip(str(error)) from None


def form(tree):
    rules.build()
    for word in ('fmt', 'lint'):
        status, text = rules.scml(tree.root, word, *(['--check'] if word == 'fmt' else []))
        for line in text.splitlines() if status and any(p.endswith('.scml') for p in tree.files) else ():
            path, _, rest = line.partition(':')
            number, _, message = rest.partition(':')
            yield Violation(path, int(number), message.partition(':')[2].strip()) if number.isdigit() else Violation(path, 1, rest.strip())


def same(tree):
    if tree.exists(table.SETS[0]):
        for path, line, message in drift.find(table.Table(tree.root), load(tree)):
            yield Violation(path, line, message)


def fresh(tree):
    path = page.PAGE.replace(os.sep, '/')
    if tree.exists(path) and page.render(tree.root) != tree.text(path):
        yield Violation(path, 1, 'stale: run tools/compat/page.py')


ROW = 'ROW(2, open, PATH(pathname), FLAGS(flags, open_flags), MODE(mode))\nROW(16, ioctl, FD(fd), COMMAND(op, ioctl_commands), BY_COMMAND(arg))\n'
SETS = '''FLAG_SET(open_flags, EINVAL, YES(O_RDWR), IGN(O_LARGEFILE), NO(O_PATH));
static const struct command ioctl_list[] = {
	CMD(TCGETS, ARG_PTR), CMD(FIONBIO, ARG_PTR),
};
const struct command_set ioctl_commands = { "ioctl_commands", ioctl_list, ARRAY_SIZE(ioctl_list) };
'''
RULES_TEXT = '''open(pathname, flags = <open_flags>, ..);
open_flags = O_RDWR;
//: ignored open_flags = O_LARGEFILE;
//: refused open_flags = O_PATH : EINVAL;
ioctl(fd, op = TCGETS | FIONBIO, ..);
'''
S = 'docs/compat/files.scml'
TREE = both(write(table.ROWS, ROW), write(table.SETS[0], SETS), write(S, RULES_TEXT))


def changed(path, old, new):
    return both(TREE, replace(path, old, new))


RULES = [
    Rule(8, 'compat-form', 'rules that people read have one form and nothing odd in them', form, [
        Plant('not formatted', changed(S, 'O_RDWR;', 'O_RDWR ;')),
        Plant('a flag said twice', changed(S, 'O_RDWR;', 'O_RDWR | O_RDWR;'))], needs='tools'),
    Rule(8, 'compat-same', 'a list of what is supported that differs from the code is worse than none', same, [
        Plant('a flag more in the kernel', changed(table.SETS[0], 'YES(O_RDWR)', 'YES(O_RDWR), YES(O_SYNC)')),
        Plant('a flag more in the rules', changed(S, '= O_RDWR;', '= O_RDWR | O_SYNC;')),
        Plant('ignored here, supported there', changed(table.SETS[0], 'IGN(', 'YES(')),
        Plant('another errno', changed(S, ': EINVAL', ': ENOSYS')),
        Plant('a call without a rule', changed(table.ROWS, 'ROW(16', 'ROW(3, close, FD(fd))\nROW(16')),
        Plant('a rule without a call', both(TREE, append(S, 'close(fd);\n'))),
        Plant('flags that a rule leaves open', changed(S, 'flags = <open_flags>', 'flags')),
        Plant('a command more in the kernel', changed(table.SETS[0], 'CMD(TCGETS', 'CMD(TCSETS, ARG_PTR), CMD(TCGETS'))], needs='tools'),
    Rule(8, 'compat-fresh', 'the page is made from the rules', fresh, [
        Plant('an old page', both(TREE, write(page.PAGE, 'old\n'), *(write('docs/compat/data/%s.tsv' % name, '# none\n') for name in page.OTHERS)))],
         needs='tools'),
]
