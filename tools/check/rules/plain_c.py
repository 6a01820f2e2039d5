# SPDX-License-Identifier: MPL-2.0
"""Rule 2: outside frame/ nothing touches the machine. What a Rust compiler would forbid, this forbids.

Integers do not become pointers in five ways: clang-tidy sees every cast with the real flags; the text checks see what it
leaves out (literals, macros never expanded, arithmetic on NULL) and puns through unions and through pointers to pointers.
"""
import json
import os
import re
import tempfile

from model import Plant, Rule, Skip, Violation, append, replace, write

POINTER = r'\(\s*(?:(?:const|struct|union|enum)\s+)*\w+(?:\s+\w+)*\s*\*(?:\s|\*|const)*\)'
FUNCTION_POINTER = r'\(\s*[\w\s*]+\(\s*\*\s*\)\s*\([^()]*\)\s*\)'
INTEGER = (r'(?:u64|s64|uint64_t|int64_t|uintptr_t|intptr_t|size_t|ssize_t|paddr_t|ptrdiff_t|'
           r'(?:unsigned\s+|signed\s+)?long(?:\s+long)?(?:\s+int)?(?:\s+unsigned)?|long\s+unsigned(?:\s+int)?)')
BYTES = r'\(\s*(?:const\s+)?(?:char|u8|s8|void|uint8_t|unsigned\s+char)\s*\*\s*\)'

TEXT_CASTS = [
    (re.compile(r'(?:%s|%s)\s*[(\s]*[-~]?\s*(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)[uUlL]*(?![\w.])' % (POINTER, FUNCTION_POINTER)),
     'a number cast to a pointer'),
    (re.compile(r'(?:%s|%s)[(\s]*\(\s*%s\s*\)' % (POINTER, FUNCTION_POINTER, INTEGER)), 'an integer cast to a pointer'),
    (re.compile(r'%s\s*(?:NULL|0)\s*\)?\s*(?:\+|\[)|\bNULL\s*\)?\s*(?:\+(?!\+)|\[)' % BYTES), 'arithmetic on a null pointer'),
    (re.compile(r'&\s*\(\s*%s\s*(?:NULL|0)\s*\)\s*(?:->|\[)' % POINTER), 'an address computed from a null pointer: use offsetof'),
    (re.compile(r'\*\s*\(\s*(?:(?:const|struct|union|enum)\s+)*\w+(?:\s+\w+)*\s*\*\s*(?:const\s*)?\*\s*\)\s*&'),
     'a pointer read through another type\'s address'),
]
TAGGED = [
    (re.compile(r'\(\s*(?:uintptr_t|intptr_t)\s*\)\s*\(?\s*&?[\w.\[\]>-]+\s*\)?\s*(?:\||\^)=?(?!\|)'), 'bits or-ed into an address'),
    (re.compile(r'\(\s*(?:uintptr_t|intptr_t)\s*\)\s*\(?\s*&?[\w.\[\]>-]+\s*\)?\s*&\s*~'), 'bits masked out of an address'),
    (re.compile(r'%s\s*\(?\s*%s\s*\(?\s*[\w.>-]+\s*\)?\s*[-+|]\s*[1-7]\s*[uUlL]*\s*\)' % (POINTER, BYTES)),
     'a small number added to a pointer to carry a flag'),
]
MACHINE = re.compile(r'\b(?:asm|__asm|__asm__)\b|\b__builtin_ia32_\w+|\b__seg_[fg]s\b|\baddress_space\b|\bnaked\b|\b__naked__\b')


def scan(tree, patterns):
    for path in tree.plain():
        code = re.sub(r'^[ \t]*#[ \t]*include[^\n]*', lambda m: ' ' * len(m.group()), tree.code(path), flags=re.M)
        for pattern, message in patterns:
            for match in pattern.finditer(code):
                number = match.groups() and match.group(1)
                if number and int(number, 0 if number[:2].lower() in ('0x', '0b') else 10) == 0 and not re.search(
                        r'[-~]\s*$', code[:match.start(1)]):
                    continue
                what = ' '.join(match.group().split())
                yield Violation(path, tree.line_at(path, match.start()), '%s: `%s`' % (message, what[:60]))


def assembly(tree):
    for path in tree.plain('.S', '.s'):
        yield Violation(path, 1, 'assembly belongs in frame/')
    yield from scan(tree, [(MACHINE, 'machine-specific')])


def volatile(tree):
    yield from scan(tree, [(re.compile(r'\b(?:volatile|__volatile__|__volatile)\b'), 'volatile')])


def casts(tree):
    yield from scan(tree, TEXT_CASTS)


def tagged(tree):
    yield from scan(tree, TAGGED)


def matching(code, start):
    """Offset of the brace that closes the one at `start`."""
    depth = 0
    for match in re.compile(r'[{}]').finditer(code, start):
        depth += 1 if match.group() == '{' else -1
        if depth == 0:
            return match.start()
    return len(code)


def members(body):
    """The members of a struct or union body, as text; nested bodies are kept whole."""
    depth, start = 0, 0
    for n, c in enumerate(body):
        depth += {'{': 1, '}': -1}.get(c, 0)
        if c == ';' and depth == 0:
            yield body[start:n]
            start = n + 1


def kinds(body, is_union):
    """{'pointer', 'integer'} as found among what shares the first bytes of `body`."""
    found = set()
    for member in members(body):
        nested = re.search(r'\b(struct|union)\b[^{;]*\{', member)
        if nested:
            end = matching(member, nested.end() - 1)
            if '*' in member[end:]:
                found.add('pointer')
            else:
                found |= kinds(member[nested.end():end], nested.group(1) == 'union')
        elif '*' in member:
            found.add('pointer')
        elif re.match(r'\s*(?:const\s+)?(?:%s\b|[\w\s]+\[)' % INTEGER, member) and not re.match(r'\s*struct\b', member):
            found.add('integer')
        if member.strip() and not is_union:
            break
    return found


def unions(tree):
    for path in tree.plain():
        code = tree.code(path)
        for match in re.finditer(r'\bunion\b[^;{}()]*\{', code):
            end = matching(code, match.end() - 1)
            if kinds(code[match.end():end], True) != {'pointer', 'integer'}:
                continue
            line = tree.line_at(path, match.start())
            lines = tree.text(path).split('\n')[max(line - 2, 0):line]
            tag = re.search(r'\btag:\s*(\w+)', '\n'.join(lines))
            if not tag or not re.search(r'\b%s\b' % tag.group(1), code[:match.start()] + code[end:]):
                yield Violation(path, line, 'a union of pointer and integer; give each a field, or name the field that says '
                                            'which one holds in a comment on this line: /* tag: FIELD */')


def relative(tree, path):
    return os.path.relpath(os.path.join(tree.root, path), tree.root)


def tidy(tree):
    commands = [c for c in tree.build.commands('clang') if c.source.endswith('.c') and not c.source.startswith('frame/')]
    commands = [c for c in commands if c.source.startswith(('kernel/', 'lib/'))]
    if not commands:
        raise Skip('`make objects` compiles nothing')
    tree.build.built('clang')       # generated headers exist from here on
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'compile_commands.json'), 'w') as f:
            json.dump([{'directory': tree.root, 'file': tree.full(c.source), 'arguments':
                        ['clang', '-Wno-everything', *c.flags, '-Wno-error', '-c', tree.full(c.source)]} for c in commands], f)
        sources = [tree.full(c.source) for c in commands]
        share = max(1, (len(sources) + tree.jobs - 1) // tree.jobs)
        chunks = [sources[n:n + share] for n in range(0, len(sources), share)]
        outputs = tree.build.parallel(lambda chunk: tree.build.run(
            ['clang-tidy', '-p', folder, '--quiet', '--config={}', '--checks=-*,performance-no-int-to-ptr',
             '--header-filter=.*', *chunk]).stdout.decode(errors='replace'), chunks)
    seen = set()
    for block in re.split(r'\n(?=[^\s:][^\n:]*:\d+:\d+: (?:warning|error): )', '\n' + '\n'.join(outputs)):
        match = re.match(r'\s*([^\s:][^\n:]*):(\d+):\d+: (?:warning|error): ([^\n]*)', block)
        if not match or '[performance-no-int-to-ptr]' not in match.group(3) and 'error:' not in match.group(0):
            continue
        path, line = relative(tree, match.group(1)), int(match.group(2))
        macros = [relative(tree, m) for m in
                  re.findall(r'^([^\s:][^\n:]*):\d+:\d+: note: expanded from macro', block, re.M)]
        if not path.startswith(('kernel/', 'lib/')) or any(m.startswith('frame/') for m in macros) or (path, line) in seen:
            continue
        seen.add((path, line))
        yield Violation(path, line, match.group(3))


def silencers(tree):
    for path in tree.layered():
        for match in re.finditer(r'\bNOLINT\w*', tree.text(path)):
            yield Violation(path, tree.line_at(path, match.start()), match.group() + ' silences a check')
        for match in re.finditer(r'^[ \t]*#[ \t]*pragma\b[^\n]*|\b_Pragma\b', tree.code(path), re.M):
            if re.search(r'\b(diagnostic|system_header|warning|_Pragma)\b', match.group()):
                yield Violation(path, tree.line_at(path, match.start()), '`%s` silences the compiler' % match.group().strip())


C, H = 'kernel/mm/pages.c', 'kernel/mm/pages.h'
RULES = [
    Rule(2, 'no-assembly', 'only frame/ touches the machine; the rest runs on any', assembly, [
        Plant('asm in kernel/', append(C, 'static void halt(void)\n{\n\t__asm__("hlt");\n}\n')),
        Plant('asm in a lib header\'s macro', append('lib/include/lib/types.h', '#define RELAX() asm("pause")\n')),
        Plant('assembly file in kernel/', write('kernel/mm/copy.S', '/* planted */\n\tret\n'))]),
    Rule(2, 'no-volatile', 'volatile is neither atomic nor ordered: use READ_ONCE, atomics, or the frame\'s mmio', volatile, [
        Plant('volatile in kernel/', append(C, 'static volatile int seen;\n')),
        Plant('volatile in lib/', append('lib/sum.c', 'static int *__volatile__ seen;\n'))]),
    Rule(2, 'no-int-to-pointer', 'a pointer comes from an object; memory at a number is the frame\'s to hand out', casts, [
        Plant('literal', append(C, 'char *screen = (char *)0xb8000;\n')),
        Plant('error pointer', append(C, '#define NOWHERE ((struct page *)-1L)\n')),
        Plant('through uintptr_t', append(H, '#define page_at(n) ((struct page *)(uintptr_t)(n))\n')),
        Plant('function pointer', append(C, 'void (*go)(void) = (void (*)(void))(0x1000);\n')),
        Plant('NULL plus', append(C, 'static char *at(unsigned long n)\n{\n\treturn (char *)NULL + n;\n}\n')),
        Plant('address of a member of null', append(C, 'static int *at(int n)\n{\n\treturn &((int *)0)[n];\n}\n')),
        Plant('pointer pun', append(C, 'static void *at(unsigned long n)\n{\n\treturn *(void **)&n;\n}\n'))]),
    Rule(2, 'no-int-to-pointer-tidy', 'the same, seen by clang-tidy with the real flags', tidy, [
        Plant('a cast the text does not show', append(C, 'typedef unsigned long number;\nvoid *at(number n);\nvoid *at(number n)\n'
              '{\n\treturn (void *)(n + 1);\n}\n')),
        Plant('in a header\'s inline function', replace(H, '#endif', 'static inline int *at(unsigned long n)\n{\n'
              '\treturn (int *)n;\n}\n#endif'))], needs='tools'),
    Rule(2, 'no-punning-union', 'a union of pointer and integer turns one into the other unseen', unions, [
        Plant('union pun', append(C, 'union pun {\n\tunsigned long n;\n\tvoid *p;\n};\n')),
        Plant('in structs', append(C, 'union pun {\n\tstruct { u64 n; } a;\n\tstruct { char *p; } b;\n};\n')),
        Plant('bytes', append(H, 'struct x {\n\tunion {\n\t\tchar raw[8];\n\t\tint *p;\n\t};\n};\n'))]),
    Rule(2, 'no-tagged-pointers', 'flags in the low bits of a pointer hide from every checker: keep a field', tagged, [
        Plant('or-ed', append(C, 'static uintptr_t tag(void *p)\n{\n\treturn (uintptr_t)p | 1;\n}\n')),
        Plant('masked', append(C, 'static uintptr_t untag(void *p)\n{\n\treturn (uintptr_t)p & ~3UL;\n}\n')),
        Plant('added', append(C, 'static int *tag(int *p)\n{\n\treturn (int *)((char *)p + 1);\n}\n'))]),
    Rule(2, 'no-silencing', 'a warning is mended, not switched off in the source', silencers, [
        Plant('lint', append(C, 'int x; /* NO' + 'LINT */\n')),
        Plant('pragma', append(C, '#pragma GCC diagnostic ignored "-Wshadow"\n'))]),
]
