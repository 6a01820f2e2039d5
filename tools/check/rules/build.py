# SPDX-License-Identifier: MPL-2.0
"""Rules 3 and 5, the compilers: the whole tree under both with the full set of warnings and protections; no dead functions."""
import re

from model import Plant, Rule, Violation, append, both, replace
from source import place_of

WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wstrict-prototypes', '-Wmissing-prototypes', '-Wundef', '-Wvla',
            '-Wpointer-arith', '-Wwrite-strings']
NO_WARNINGS = re.compile(r'^-w$|^-Wno-(?!unused-parameter$|sign-compare$|missing-field-initializers$|address-of-packed-member$|'
                         r'unknown-warning-option$|unused-command-line-argument$|gnu-|frame-address$|stringop-|array-bounds$)')
DEBUG = 'DEBUG=1'
# One of each row must stand in every command that compiles C of lib/, frame/ or kernel/.
PROTECTIONS = [
    ('-fstack-protector-strong', '-fstack-protector-all'),
    ('-ftrivial-auto-var-init=zero',),
    ('-mgeneral-regs-only', '-mno-sse'),
    ('-mno-red-zone',),
    ('-ffreestanding',),
]


def kernel_commands(tree, compiler):
    return [c for c in tree.build.commands(compiler) if c.source.endswith('.c') and place_of(c.source)]


def warnings(tree):
    for compiler in ('gcc', 'clang'):
        commands = kernel_commands(tree, compiler)
        if not commands:
            yield Violation('Makefile', 1, '`make CC=%s objects` compiles nothing of lib/, frame/ and kernel/' % compiler)
        told = set()
        for command in commands:
            wrong = ['lacks ' + w for w in WARNINGS if w not in command.flags]
            wrong += ['has ' + f for f in command.flags if NO_WARNINGS.match(f)]
            for what in wrong:
                if what not in told:
                    told.add(what)
                    yield Violation(command.source, 1, 'compiled by %s, %s' % (compiler, what))
        missed = set(tree.layered('.c')) - {c.source for c in commands + tree.build.commands(compiler, DEBUG)}
        if commands:
            for path in sorted(p for p in missed if not tree.allowed('warning-flags', p)):
                yield Violation(path, 1, 'not compiled by `make CC=%s objects`' % compiler)


def protections(tree):
    for compiler in ('gcc', 'clang'):
        told = set()
        for command in kernel_commands(tree, compiler):
            for row in PROTECTIONS:
                off = row[0].startswith('-fstack') and '-fno-stack-protector' in command.flags
                if off and command.source.startswith('frame/x86_64/'):
                    continue            # runs before, or is, what the canary needs
                if (off or not set(row) & set(command.flags)) and (row, off) not in told:
                    told.add((row, off))
                    yield Violation(command.source, 1, 'compiled by %s without %s' % (compiler, ' or '.join(row)))


def compiled_by(compiler, *words):
    def check(tree):
        done = tree.build.built(compiler, *words)
        if done.returncode == 0:
            return
        output = (done.stderr + done.stdout).decode(errors='replace')
        found = list(tree.build.errors(output))
        for path, line, message in found:
            yield Violation(path, line, message)
        if not found:
            yield Violation('Makefile', 1, 'make CC=%s objects %s: %s' % (compiler, ' '.join(words), ' / '.join(output.strip().split('\n')[-3:])))
    return check


def dead(tree):
    objects = tree.build.objects()
    done = tree.build.run(['nm', '-A', '-g', '--defined-only', '--', *objects.values()])
    source_of = {o: s for s, o in objects.items()}
    defined = {}
    for line in done.stdout.decode().split('\n'):
        path, _, rest = line.partition(':')
        words = rest.split()
        if len(words) == 3 and words[1] == 'T' and place_of(source_of[path]) and source_of[path].endswith('.c'):
            defined.setdefault(words[2], source_of[path])
    done = tree.build.run(['readelf', '-rW', '--', *objects.values()])
    used, section = set(), ''
    for line in done.stdout.decode(errors='replace').split('\n'):
        if line.startswith('Relocation section'):
            section = line
        elif ' R_' in line and '.debug' not in section and '.eh_frame' not in section:
            used.add(line.split()[4] if len(line.split()) > 4 else '')
    # What the linker script names, and what only tests use (test/ is not part of the objects), counts as used.
    tests = set()
    for path in tree.files:
        if path.endswith(('.lds', '.ld', '.S')):
            used.update(re.findall(r'\w+', tree.code(path)))
        elif path.startswith(('test/', 'user/')) and path.endswith(('.c', '.h')):
            tests.update(re.findall(r'\w+', tree.code(path)))
    only_tests = [n for n in defined if n not in used and n in tests]
    if only_tests:
        tree.notes.append('functions that only tests use: %d (%s)' % (len(only_tests), ' '.join(sorted(only_tests)[:12])))
    debug = debug_words(tree)
    for name, path in sorted(defined.items()):
        if name not in used and name not in tests and name not in debug and not tree.allowed('dead-function', path, name):
            found = re.search(r'^\S.*\b%s\s*\(' % name, tree.code(path), re.M)
            yield Violation(path, tree.line_at(path, found.start()) if found else 1,
                            '%s is called from nowhere else: remove it, or make it static' % name)


def debug_words(tree):
    """Words of frame/debug/, which the release objects lack."""
    return {w for p in tree.layered() if p.startswith('frame/debug/') for w in re.findall(r'\w+', tree.code(p))}


C, H = 'kernel/mm/pages.c', 'kernel/mm/pages.h'
RULES = [
    Rule(3, 'warning-flags', 'a warning that is off protects nobody', warnings, [
        Plant('a flag missing', replace('Makefile', '-Wshadow', '')),
        Plant('a warning off', replace('Makefile', '-Wshadow', '-Wshadow -Wno-unused-variable')),
        Plant('a file nobody compiles', replace('Makefile', "frame kernel -name '*.c'", "frame kernel -name '*.c' ! -name tmpfs.c"))],
         needs='tools'),
    Rule(3, 'gcc', 'the whole tree, warnings as errors', compiled_by('gcc'), [
        Plant('shadowed variable', append(C, 'static int f(int a)\n{\n\t{\n\t\tint a = 1;\n\n\t\treturn a;\n\t}\n}\n')),
        Plant('unused static function', append(C, 'static int f(int a)\n{\n\treturn a;\n}\n')),
        Plant('ignored must_check', append(C, 'void g(void);\nvoid g(void)\n{\n\tpages_take(1);\n}\n'))], needs='objects'),
    Rule(3, 'clang', 'the whole tree, warnings as errors', compiled_by('clang'), [
        Plant('unused static inline function', append(C, 'static inline int f(int a)\n{\n\treturn a;\n}\n')),
        Plant('no prototype', append(C, 'int f(int a)\n{\n\treturn a;\n}\n'))], needs='objects'),
    Rule(3, 'gcc-debug', 'the debug build and its ktests too', compiled_by('gcc', DEBUG), [
        Plant('debug code', append(C, '#ifdef KEEL_DEBUG\nint f(int a)\n{\n\treturn a;\n}\n#endif\n'))], needs='objects'),
    Rule(3, 'clang-debug', 'the debug build and its ktests too', compiled_by('clang', DEBUG), [
        Plant('debug code', append(C, '#ifdef KEEL_DEBUG\nint f(int a)\n{\n\treturn a;\n}\n#endif\n'))], needs='objects'),
    Rule(5, 'protection-flags', 'release protections hold for every file or for none', protections, [
        Plant('no canary', replace('Makefile', '-fstack-protector-strong', '')),
        Plant('locals not zeroed', replace('Makefile', '-ftrivial-auto-var-init=zero', '')),
        Plant('vector registers', replace('Makefile', '-mgeneral-regs-only', ''))], needs='tools'),
    Rule(4, 'dead-function', 'code that nothing runs is read, built and trusted for nothing', dead, [
        Plant('called by nobody', both(append(C, 'void pages_idle(void)\n{\n}\n'),
                                       replace(H, '#endif', 'void pages_idle(void);\n\n#endif')))], needs='objects'),
]
