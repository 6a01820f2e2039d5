# SPDX-License-Identifier: MPL-2.0
"""Reading a tree: which files there are, where each belongs, and as much C as the rules need.

This is not a C parser. It blanks comments and literals (keeping every offset and line), finds functions, prototypes
and includes in code written in Keel's style, and leaves everything deeper to the compilers and clang-tidy.
Invariant: `code(path)` has the same length and the same line breaks as `text(path)`.
"""
import bisect
import functools
import os
import re
import subprocess

from build import Build

C_SUFFIXES = ('.c', '.h')
SOURCE_SUFFIXES = ('.c', '.h', '.S', '.lds', '.ld', '.py', '.sh', '.mk')
SOURCE_NAMES = ('Makefile', 'keel', 'run')
SCRIPT_SUFFIXES = ('.py', '.sh', '.mk')
DATA = ('test/fuzz/corpus/',)       # nobody wrote it: what fuzzers found

# Left may not include right; places of one row may not include each other. '*' stands for one folder.
ORDER = [['lib'], ['frame'], ['abi'], ['object'], ['sync'], ['time'], ['sched'], ['mm'], ['block'], ['fs'], ['signal'],
         ['proc'], ['ipc', 'tty', 'net', 'ns'], ['fs/*', 'drivers'], ['syscall'], ['start'], ['main.c']]
RANK = {place: n for n, row in enumerate(ORDER) for place in row}

# Comments first: their bodies go; then string and character literals: the quotes stay. A number such as 1'000 is not C.
LITERAL = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
WORD = re.compile(r'[A-Za-z_]\w*')

# Attributes that take arguments: never the name of the thing declared.
ATTRIBUTE = re.compile(r'^(__attribute__|__attribute|__printf|__aligned|__section|__acquires|__releases|__must_hold|'
                       r'__guarded_by|__cleanup|__typeof__|typeof|__declspec|_Alignas|alignas|_Static_assert|'
                       r'static_assert|__asm__|asm|__asm)$')
NOT_A_NAME = {'if', 'while', 'for', 'switch', 'return', 'sizeof', 'int', 'void', 'char', 'long', 'short', 'unsigned',
              'signed', 'bool', 'const', 'struct', 'union', 'enum', 'static', 'inline', 'extern', 'do', 'else'}


def place_of(path):
    """The layer a path belongs to: 'lib', 'frame', 'mm', 'fs', 'fs/tmpfs', 'main.c' …; None outside the layered tree."""
    parts = path.split('/')
    if parts[0] in ('lib', 'frame'):
        return parts[0]
    if parts[0] != 'kernel':
        return None
    if len(parts) == 2 or (parts[1] == 'fs' and len(parts) > 3):
        return '/'.join(parts[1:3])
    return parts[1]


def rank_of(place):
    if place.startswith('fs/'):
        return RANK['fs/*']
    return RANK.get(place)


def may_include(who, whom):
    if who == whom:
        return True
    a, b = rank_of(who), rank_of(whom)
    return a is not None and b is not None and a > b


def blank(text):
    """`text` with comments and the insides of literals replaced by spaces."""
    def spaces(match):
        s = match.group()
        body = re.sub(r'[^\n]', ' ', s)
        return s[0] + body[1:-1] + s[-1] if s[0] in '"\'' and len(s) > 1 else body
    return LITERAL.sub(spaces, text)


def drop_directives(code):
    """Blanked code without preprocessor lines. Where the first branch of an #if leaves a brace or parenthesis open, the
    other branches go too, so that what remains is balanced."""
    out, branches, continued = [], [], False       # branches: [net depth of the first branch, skipping]
    for line in code.split('\n'):
        directive = continued or line.lstrip().startswith('#')
        if directive and not continued:
            word = re.match(r'\s*#\s*(\w*)', line).group(1)
            if word.startswith('if'):
                branches.append([0, False])
            elif word in ('else', 'elif') and branches:
                branches[-1][1] = branches[-1][1] or branches[-1][0] != 0
            elif word == 'endif' and branches:
                branches.pop()
        continued = directive and line.rstrip().endswith('\\')
        if directive or any(b[1] for b in branches):
            out.append(' ' * len(line))
            continue
        for branch in branches:
            branch[0] += line.count('{') - line.count('}') + line.count('(') - line.count(')')
        out.append(line)
    return '\n'.join(out)


def declared(header):
    """(name, position of name, parameters) of the function that `header` (text before '{' or ';') declares, else None."""
    depth, found, start, pending = 0, [], 0, None
    for match in re.finditer(r'[()=]', header):
        token = match.group()
        if token == '(':
            if depth == 0:
                pending, start = pending_name(header, match.start()), match.end()
            depth += 1
        elif token == ')':
            depth -= 1
            if depth == 0 and pending:
                found.append(pending + (header[start:match.start()],))
        elif depth == 0:
            return None
    plain = [f for f in found if not f[0].startswith('__')]
    return (plain or found or [None])[0]


def pending_name(header, paren):
    match = re.search(r'([A-Za-z_]\w*)\s*$', header[:paren])
    if not match or match.group(1) in NOT_A_NAME or ATTRIBUTE.match(match.group(1)):
        return None
    return match.group(1), match.start(1)


class Function:
    """One function definition or prototype. Lines count from 1; `head` is the text before the brace or semicolon."""

    def __init__(self, path, name, line, last, head, body, start):
        self.path, self.name, self.line, self.last = path, name, line, last
        self.head, self.body, self.start = head, body, start


class Tree:
    """One tree of sources, read once. Not changed by any rule; rules that build write under build/ only."""
    allow_path = 'tools/check/allow.txt'

    def __init__(self, root, strict=False, jobs=2):
        self.root, self.strict, self.jobs = os.path.abspath(root), strict, jobs
        self.notes, self.used_allowances = [], set()
        self._text, self._code, self._functions, self._starts, self._includes = {}, {}, {}, {}, {}
        self.build = Build(self)
        self.files = self._list()
        self._known = set(self.files)

    def _list(self):
        if os.path.exists(os.path.join(self.root, '.git')):
            done = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=self.root, check=True,
                                  stdout=subprocess.PIPE)
            names = set(done.stdout.decode().split('\0')) - {''}
        else:
            names = set()
            for folder, folders, files in os.walk(self.root):
                folders[:] = [f for f in folders if f not in ('build', '.git', '__pycache__')]
                names.update(os.path.relpath(os.path.join(folder, f), self.root) for f in files)
        return sorted(n for n in names if not n.startswith(DATA) and os.path.isfile(self.full(n)) and not os.path.islink(self.full(n)))

    def full(self, path):
        return os.path.join(self.root, path)

    def exists(self, path):
        return path in self._known

    @functools.cached_property
    def allowances(self):
        """(line, (rule, path[, function]), reason) of each line of allow.txt."""
        found = []
        for n, line in enumerate(self.text(self.allow_path).split('\n'), 1):
            if line.strip() and not line.startswith('#'):
                words, _, reason = line.partition(':')
                found.append((n, tuple(words.split()), reason.strip()))
        return found

    def allowed(self, *key):
        """Whether allow.txt excepts (rule, path[, function]); remembers that it was asked."""
        self.used_allowances.add(key)
        return any(k == key and reason for _, k, reason in self.allowances)

    def raw(self, path):
        try:
            with open(self.full(path), 'rb') as f:
                return f.read()
        except FileNotFoundError:       # gone since the listing: somebody is at work in the tree
            return b''

    def text(self, path):
        if path not in self._text:
            self._text[path] = self.raw(path).decode('utf-8', 'replace').replace('\r\n', '\n')
        return self._text[path]

    def code(self, path):
        if path not in self._code:
            self._code[path] = blank(self.text(path))
        return self._code[path]

    def line_at(self, path, offset):
        if path not in self._starts:
            self._starts[path] = [0] + [m.end() for m in re.finditer('\n', self.text(path))]
        return bisect.bisect_right(self._starts[path], offset)

    def layered(self, *suffixes):
        """Files of lib/, frame/ and kernel/ with one of the suffixes (all C without any)."""
        return [f for f in self.files if place_of(f) and f.endswith(suffixes or C_SUFFIXES)]

    def plain(self, *suffixes):
        """The same outside the frame: what must be plain C."""
        return [f for f in self.layered(*suffixes) if not f.startswith('frame/')]

    def sources(self):
        """Every file that a person wrote as program text, by its suffix, its name or its first line."""
        return [f for f in self.files if f.endswith(SOURCE_SUFFIXES) or os.path.basename(f) in SOURCE_NAMES
                or ('.' not in os.path.basename(f) and self.raw(f)[:2] == b'#!')]

    def code_lines(self, path):
        """Numbers of the lines that hold more than blanks and comments."""
        if path.endswith(C_SUFFIXES + ('.S', '.lds', '.ld')):
            lines = self.code(path).split('\n')
        else:
            lines = [re.sub(r'^\s*#.*', '', line) for line in self.text(path).split('\n')]
        return [n for n, line in enumerate(lines, 1) if line.strip()]

    def includes(self, path):
        """(line, '<' or '"' or '?', name) of every include directive."""
        if path not in self._includes:
            found = []
            for match in re.finditer(r'^[ \t]*#[ \t]*(include_next|include|import)\b[ \t]*', self.code(path), re.M):
                rest = self.text(path)[match.end():].split('\n', 1)[0]
                target = re.match(r'<([^>\n]+)>|"([^"\n]+)"', rest)
                line = self.line_at(path, match.end())
                if match.group(1) != 'include' or not target:
                    found.append((line, '?', rest.strip()))
                else:
                    found.append((line, '<' if target.group(1) else '"', target.group(1) or target.group(2)))
            self._includes[path] = found
        return self._includes[path]

    def resolve(self, path, kind, name):
        """The file of the tree that an include means, or None."""
        here = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if kind == '<':
            tries = ['lib/include/' + name, 'frame/include/' + name, name]
        elif path.startswith('kernel/'):
            tries = ['kernel/' + name, here]
        else:
            tries = [here, path.split('/')[0] + '/' + name]
        return next((t for t in tries if self.exists(t)), None)

    def functions(self, path):
        """(definitions, prototypes) at file scope."""
        if path not in self._functions:
            self._functions[path] = self._scan(path)
        return self._functions[path]

    def _scan(self, path):
        code = drop_directives(self.code(path))
        bodies, prototypes, depth, parens, start, opened = [], [], 0, 0, 0, None
        for match in re.finditer(r'[{}();]', code):
            token, at = match.group(), match.start()
            if token in '()' and depth == 0:
                parens += 1 if token == '(' else -1
            elif token == '{' and parens == 0:
                if depth == 0:
                    opened = at
                depth += 1
            elif token == '}' and parens == 0:
                depth = max(depth - 1, 0)
                if depth == 0 and opened is not None:
                    function = self._function(path, code, start, opened, at)
                    if function:
                        bodies.append(function)
                        start = at + 1
                    opened = None
            elif token == ';' and depth == 0 and parens == 0:
                function = self._function(path, code, start, at, None)
                if function:
                    prototypes.append(function)
                start = at + 1
        return bodies, prototypes

    def _function(self, path, code, start, stop, end):
        head = code[start:stop]
        if re.match(r'\s*typedef\b', head) or '{' in head:
            return None
        found = declared(head)
        if not found:
            return None
        name = found[0]
        if name.isupper() and end is not None:      # a macro that makes the function: KTEST(name) {
            name = '%s(%s)' % (name, found[2].split(',')[0].strip())
        elif end is None and (name.isupper() or not WORD.search(head[:found[1]])):
            return None                             # a macro used as a declaration
        first = start + len(head) - len(head.lstrip())
        last = self.line_at(path, end if end is not None else stop)
        body = code[stop:end + 1] if end is not None else ''
        return Function(path, name, self.line_at(path, first), last, head, body, first)
