# SPDX-License-Identifier: MPL-2.0
"""Rule 1: who may lean on whom, by include and by linked symbol; upcalls through policy.h only."""
import re

from model import Plant, Rule, Violation, append, both, replace, write
from source import RANK, WORD, may_include, place_of, rank_of

COMPILER_HEADERS = {'stddef.h', 'stdint.h', 'stdarg.h', 'stdbool.h', 'stdalign.h', 'stdnoreturn.h', 'limits.h', 'iso646.h'}
COMPILER_CALLS = re.compile(r'__(asan|ubsan|sanitizer|stack_chk)_|__[a-z]+[sdt]i[234]$|mem(cpy|set|move|cmp)$')
UAPI = ('linux/', 'asm/', 'asm-generic/')


def order(tree):
    for path in tree.layered('.c', '.h', '.S'):
        who = place_of(path)
        if rank_of(who) is None:
            yield Violation(path, 1, '"%s" has no place in the order of DESIGN.md section 2' % who)
            continue
        for line, kind, name in tree.includes(path):
            target = tree.resolve(path, kind, name)
            whom = target and place_of(target)
            if whom and rank_of(whom) is not None and not may_include(who, whom):
                side = 'beside it' if rank_of(who) == rank_of(whom) else 'to its right'
                yield Violation(path, line, '%s may not include "%s": %s stands %s' % (who, name, whom, side))
            if target and who != 'frame' and whom == 'frame' and not target.startswith('frame/include/frame/'):
                yield Violation(path, line, '"%s" is private to the frame; its face is frame/include/frame/' % name)


def form(tree):
    for path in tree.layered('.c', '.h', '.S'):
        for line, kind, name in tree.includes(path):
            target = kind != '?' and tree.resolve(path, kind, name)
            uapi = kind == '<' and name.startswith(UAPI)
            if kind == '?':
                yield Violation(path, line, 'an include names its file plainly, not %s' % name)
            elif '..' in name.split('/') or name.startswith('/'):
                yield Violation(path, line, '"%s": no ".." and no absolute paths' % name)
            elif kind == '<' and not target and not uapi and name not in COMPILER_HEADERS:
                yield Violation(path, line, '<%s> is none of lib/, frame/ and the compiler\'s freestanding headers' % name)
            elif kind == '"' and not target and not name.startswith('generated/'):
                yield Violation(path, line, '"%s" is not in the tree, seen from here or from %s/' % (name, path.split('/')[0]))
            elif kind == '<' and target and not target.startswith(('lib/include/', 'frame/')):
                yield Violation(path, line, 'write "%s": <> is for the public headers of lib/ and frame/' % target.split('/', 1)[1])
            elif kind == '"' and target and path.startswith('kernel/') and target != 'kernel/' + name:
                yield Violation(path, line, 'write "%s": kernel headers are named from kernel/' % target.split('/', 1)[1])
            elif kind == '"' and target and target.split('/')[1] == 'include':
                yield Violation(path, line, 'write <%s>: a public header of lib/ and frame/' % target.split('/include/')[1])


def uapi(tree):
    for path in tree.layered('.c', '.h', '.S'):
        if place_of(path) != 'abi':
            for line, kind, name in tree.includes(path):
                if name.startswith(UAPI) and kind != '"':
                    yield Violation(path, line, '<%s> outside kernel/abi/' % name)


def cycles(tree):
    graph = {p: [(n, t) for n, kind, name in tree.includes(p) for t in [tree.resolve(p, kind, name)] if t]
             for p in tree.layered('.h')}
    done, trail = set(), []

    def visit(path):
        trail.append(path)
        for line, target in graph.get(path, ()):
            if target in trail:
                yield Violation(path, line, 'circular include: ' + ' -> '.join(trail[trail.index(target):] + [target]))
            elif target not in done:
                yield from visit(target)
        done.add(trail.pop())

    for path in graph:
        if path not in done:
            yield from visit(path)


def policy_functions(tree):
    """{function: the policy.h prototype}."""
    return {f.name: f for path in tree.layered('.h') if path.endswith('/policy.h') for f in tree.functions(path)[1]}


def upcalls(tree):
    policy = policy_functions(tree)
    defined = {}
    for path in tree.layered('.c'):
        for function in tree.functions(path)[0]:
            if function.name in policy and not re.search(r'\bstatic\b', function.head):
                defined.setdefault(function.name, []).append(function)
    for name, prototype in policy.items():
        below = place_of(prototype.path)
        for function in defined.get(name, []):
            if may_include(below, place_of(function.path)):
                yield Violation(function.path, function.line, '%s is an upcall of %s, but is not defined above it' % (
                    name, prototype.path))
        if len(defined.get(name, [])) > 1:
            yield Violation(prototype.path, prototype.line, '%s has %d definitions' % (name, len(defined[name])))
    files = sorted({f.path for f in policy.values()})
    if files:
        tree.notes.append('upcalls: ' + ', '.join('%d in %s' % (sum(f.path == p for f in policy.values()), p) for p in files))


def prototypes(tree):
    """A declaration of one's own in a .c file would get around every rule above. Names that assembly or the linker
    script defines, and calls that only the compiler makes, have no other header: the frame may declare those."""
    machine = set()
    for path in tree.files:
        if path.startswith('frame/') and path.endswith(('.S', '.lds', '.ld')):
            machine.update(WORD.findall(tree.code(path)))
    for path in tree.layered('.c'):
        known = machine if path.startswith('frame/') else set()
        for function in tree.functions(path)[1]:
            if not re.search(r'\bstatic\b', function.head) and function.name not in known and not (
                    path.startswith('frame/') and COMPILER_CALLS.match(function.name)):
                yield Violation(path, function.line, '%s is declared in a .c file: include the header of its owner' % function.name)
        for match in re.finditer(r'^[ \t]*extern\b[^;{(]*;', tree.code(path), re.M):
            names = [WORD.findall(re.sub(r'\[.*?\]', '', part))[-1] for part in match.group()[:-1].split(',')]
            if not set(names) <= known:
                yield Violation(path, tree.line_at(path, match.start()), 'extern in a .c file: include the header of its owner')


def symbols(tree):
    objects = tree.build.objects()
    by_object = {o: s for s, o in objects.items() if place_of(s)}
    done = tree.build.run(['nm', '-A', '-g', '--', *by_object])
    defines, uses = {}, []
    for line in done.stdout.decode().split('\n'):
        fields = line.split(':', 1)
        words = fields[1].split() if len(fields) == 2 else []
        if len(words) == 3:
            defines.setdefault(words[2], by_object[fields[0]])
        elif len(words) == 2 and words[0] in 'Uuw':
            uses.append((by_object[fields[0]], words[1]))
    policy = policy_functions(tree)
    for source, symbol in uses:
        who, owner = place_of(source), defines.get(symbol)
        if COMPILER_CALLS.match(symbol):      # the compiler makes these calls, wherever they are defined
            continue
        if not owner or may_include(who, place_of(owner)) or None in (rank_of(who), rank_of(place_of(owner))):
            continue
        if symbol in policy and may_include(who, place_of(policy[symbol].path)):
            continue
        found = re.search(r'\b%s\b' % re.escape(symbol), tree.code(source))
        yield Violation(source, tree.line_at(source, found.start()) if found else 1,
                        '%s uses %s of %s: not below it, and not declared in a policy.h' % (who, symbol, owner))


HEAD = '/* SPDX-License-Identifier: MPL-2.0 */\n/* planted */\n'
RULES = [
    Rule(1, 'include-order', 'each layer can be read, tested and replaced knowing only what is below it', order, [
        Plant('mm includes syscall', append('kernel/mm/pages.c', '#include "syscall/table.h"\n')),
        Plant('tmpfs includes another file system', both(write('kernel/fs/ext2/ext2.h', HEAD),
              append('kernel/fs/tmpfs/tmpfs.c', '#include "fs/ext2/ext2.h"\n'))),
        Plant('lib includes frame', append('lib/sum.c', '#include <frame/log.h>\n')),
        Plant('frame includes kernel', append('frame/core/log.c', '#include "../../kernel/mm/pages.h"\n')),
        Plant('kernel includes the inside of the frame', append('kernel/mm/pages.c', '#include "../../frame/core/internal.h"\n')),
        Plant('a folder nobody ordered', write('kernel/misc/misc.h', HEAD))]),
    Rule(1, 'include-form', 'one way to write an include, so that each can be read and checked', form, [
        Plant('computed include', append('kernel/mm/pages.c', '#define WHAT "mm/pages.h"\n#include WHAT\n')),
        Plant('named from the root', append('kernel/mm/pages.c', '#include "kernel/syscall/table.h"\n')),
        Plant('bare name', append('kernel/mm/pages.c', '#include "pages.h"\n')),
        Plant('hosted header', append('lib/sum.c', '#include <string.h>\n')),
        Plant('dots', append('kernel/mm/pages.c', '#include "mm/../mm/pages.h"\n'))]),
    Rule(1, 'uapi-in-abi', 'kernel/abi/ is the one door to Linux\'s numbers and layouts', uapi, [
        Plant('UAPI header in mm', append('kernel/mm/pages.c', '#include <linux/mman.h>\n')),
        Plant('UAPI header in the frame', append('frame/core/log.c', '#include <asm/unistd.h>\n'))]),
    Rule(1, 'no-cycles', 'headers that include each other are one header in two files', cycles, [
        Plant('two headers in a ring', both(append('kernel/mm/pages.h', '#include "mm/zone.h"\n'),
              write('kernel/mm/zone.h', HEAD + '#include "mm/pages.h"\n')))]),
    Rule(1, 'upcalls', 'a call upwards is declared in the lower folder\'s policy.h and defined above it, once', upcalls, [
        Plant('defined in the layer that asks', append('frame/core/log.c', 'void policy_start(void)\n{\n}\n'))]),
    Rule(1, 'owner-declares', 'a declaration in a .c file by-passes the include order', prototypes, [
        Plant('prototype in a .c file', append('kernel/mm/pages.c', 'int table_call(unsigned int n);\n')),
        Plant('extern variable', append('kernel/mm/pages.c', 'extern unsigned int table_size;\n'))]),
    Rule(1, 'symbol-order', 'what an object links against obeys the same order as what it includes', symbols, [
        Plant('a lower folder calls up', both(replace('kernel/mm/pages.h', '#endif', 'void table_reset(void);\n\n#endif'),
              append('kernel/mm/pages.c', 'void pages_again(void)\n{\n\ttable_reset();\n}\n'),
              replace('kernel/mm/pages.h', '#endif', 'void pages_again(void);\n\n#endif'),
              append('kernel/syscall/table.c', '#include "mm/pages.h"\nvoid table_reset(void)\n{\n}\n')))],
         needs='objects'),
]
assert len(RANK) == 21
