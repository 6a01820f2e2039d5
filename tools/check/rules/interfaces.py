# SPDX-License-Identifier: MPL-2.0
"""Rule 3, headers: each compiles alone, the frame's hold functions and not macros, and what can fail says so."""
import re

from model import Plant, Rule, Violation, append, replace, write
from source import drop_directives

# What an inline function cannot do. (pattern of the macro's name, why it may be one)
FRAME_MACROS = [
    (r'\w+_INIT', 'a static initialiser'),
    (r'\w*GUARD\w*', 'defines a variable with `cleanup`, and its parts paste names'),
    (r'(BUG|WARN)(_ON)?(_ONCE)?|ASSERT\w*|PANIC_ON', 'shows its condition, file and line'),
    (r'PERCPU\w*|this_cpu|cpu_var', 'declares or names a variable of any type'),
    (r'rcu_(deref|publish|assign|swap)\w*', 'loads or stores a pointer of any type'),
    (r'\w+_for_each\w*', 'a loop'),
    (r'\w+_ONCE|mmio_\w+_typed', 'an access of any type'),
    (r'KTEST\w*|INITCALL\w*|\w+_DEFINE', 'defines a function or object in a linker set'),
]
VALUE_NAME = re.compile(r'(^|_)(is|has|can|cmp|compare)(_|$)|^(sys|do_sys)_|^v?s?c?n?printf(_to)?$|^_*(mem|str|strn|strcase|strncase)cmp$')
TRY_NAME = re.compile(r'(^|_)try(lock|get)?(_|$)')
MAY_IGNORE = re.compile(r'\b(infallible|may be ignored)\b')


def alone(tree):
    def compile_one(job):
        path, compiler = job
        flags = [f for f in tree.build.flags_for(path, compiler) if not f.startswith('-g')]
        text = ('#include "%s"\n' % path) * 2
        done = tree.build.run([compiler, *flags, '-I.', '-fsyntax-only', '-x', 'c', '-'], stdin=None, input=text.encode())
        if done.returncode == 0:
            return None
        output = done.stderr.decode(errors='replace')
        where, line, message = (list(tree.build.errors(output)) or [(path, 1, output.strip().split('\n')[0])])[0]
        return path, where, line, '%s: %s' % (compiler, message)

    headers = [h for h in tree.layered('.h') if not tree.allowed('header-alone', h)]
    for compiler in ('gcc', 'clang'):
        tree.build.flags_for('lib/', compiler)
    failures = [f for f in tree.build.parallel(compile_one, [(h, c) for h in headers for c in ('gcc', 'clang')]) if f]
    own, told = {f[0] for f in failures if f[0] == f[1]}, set()
    for path, where, line, message in failures:     # a fault in a header is told once, there, and not for all who include it
        if path == where and (path, line) not in told:
            told.add((path, line))
            yield Violation(path, line, message)
        elif path != where and where not in own and path not in told:
            told.add(path)
            yield Violation(path, 1, '%s (%s:%d)' % (message, where, line))


def macros(tree):
    for path in tree.layered('.h'):
        if path.startswith('frame/include/frame/'):
            for match in re.finditer(r'^[ \t]*#[ \t]*define[ \t]+(\w+)\(', tree.code(path), re.M):
                if not any(re.fullmatch(pattern, match.group(1)) for pattern, _ in FRAME_MACROS):
                    yield Violation(path, tree.line_at(path, match.start()), '%s: write an inline function' % match.group(1))


def remark(tree, function):
    """The comment above a declaration and those on its lines."""
    lines = tree.text(function.path).split('\n')
    code = tree.code(function.path).split('\n')
    first = function.line - 1
    while first > 0 and lines[first - 1].strip() and not code[first - 1].strip():
        first -= 1
    return '\n'.join(lines[first:function.last])


def can_fail(function):
    """Whether the result of a function in a header is an errno by our convention."""
    head = re.sub(r'\b(static|inline|extern|const|__\w+)\b(\s*\([^()]*\))?', ' ', function.head[:function.head.index(function.name)])
    returned = ' '.join(head.split())
    if returned == 'bool':
        return bool(TRY_NAME.search(function.name))
    if returned not in ('int', 'long', 'ssize_t') or VALUE_NAME.search(function.name):
        return False
    return not function.body or bool(re.search(r'\breturn\b[^;]*-\s*E[A-Z0-9]+\b', function.body))


def must_check(tree):
    for path in tree.layered('.h'):
        if '(' not in drop_directives(tree.code(path)):
            continue
        for function in sum(tree.functions(path), []):
            if function.name in function.head and can_fail(function) and not re.search(
                    r'\b__must_check\b|\bwarn_unused_result\b', function.head) and not MAY_IGNORE.search(remark(tree, function)):
                yield Violation(path, function.line, '%s: add __must_check, or return what cannot be an errno (u32, size_t, bool), '
                                'or say in its comment that the result "may be ignored"' % function.name)


H = 'kernel/mm/pages.h'
RULES = [
    Rule(3, 'header-alone', 'a header brings what it needs, in any order, twice, under both compilers', alone, [
        Plant('missing include', write('kernel/mm/zone.h', '/* planted */\nstruct zone {\n\tu64 start;\n};\n')),
        Plant('missing guard', write('kernel/mm/zone.h', '/* planted */\nstruct zone {\n\tint start;\n};\n'))], needs='tools'),
    Rule(3, 'frame-macros', 'a function has types and a contract; a macro has neither', macros, [
        Plant('a macro in the frame\'s face', append('frame/include/frame/log.h', '#define log_twice(s) log_line(s s)\n'))]),
    Rule(3, 'must-check', 'an error nobody looks at is lost', must_check, [
        Plant('prototype', replace(H, '#endif', 'int pages_fill(unsigned int n);\n\n#endif')),
        Plant('inline', replace(H, '#endif', 'static inline int pages_fill(int n)\n{\n\treturn n ? 0 : -EINVAL;\n}\n\n#endif')),
        Plant('try', replace('frame/include/frame/log.h', '#endif', 'bool log_trylock(void);\n\n#endif'))]),
]
