# SPDX-License-Identifier: MPL-2.0
"""How the tree is compiled, and what came out: the Makefile's own commands, its objects, the linked kernel.

The commands are read from `make -n objects`, so the rules see the real flags of every file without the Makefile doing
anything for them. All output goes to build/check-gcc and build/check-clang; nothing else is written. The initramfs is left out (EMBED=).
"""
import os
import re
import shlex
import subprocess
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

from model import Skip


DEFAULT_FLAGS = ['-std=gnu11', '-ffreestanding', '-Ilib/include', '-Iframe/include', '-Ikernel', '-Wall', '-Wextra', '-Werror']

# `flags` are without the compiler, -c, -o, dependency options and the source itself.
Command = namedtuple('Command', 'source object flags')
DIAGNOSTIC = re.compile(r'^(?:In file included from )?([^\s:][^:\n]*):(\d+)(?::\d+)?: (?:fatal )?error: (.*)$', re.M)


class Build:
    """Commands, objects and the kernel of one tree; each found once, by whichever rule asks first."""

    def __init__(self, tree):
        self.tree, self.lock = tree, threading.RLock()
        self._commands, self._built = {}, {}

    def run(self, argv, **options):
        return subprocess.run(argv, cwd=self.tree.root, stdin=options.pop('stdin', subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def folder(self, compiler):
        return 'build/check-' + compiler

    def make(self, compiler, *words):
        environment = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
        return self.run(['make', '--no-print-directory', '-Otarget', 'O=' + self.folder(compiler), 'CC=' + compiler, 'EMBED=', *words],
                        env=environment)

    def commands(self, compiler, *words):
        """Every compilation of a .c or .S file of the kernel; empty without a Makefile that has the target `objects`."""
        with self.lock:
            if (compiler, words) not in self._commands:
                done = self.make(compiler, '-n', '-B', 'objects', *words)
                text = done.stdout.decode(errors='replace').replace('\\\n', ' ')
                self._commands[compiler, words] = [c for line in text.split('\n') for c in self._parse(line)]
            return self._commands[compiler, words]

    def _parse(self, line):
        if ' -c ' not in line:
            return
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=';&|')
            lexer.whitespace_split, lexer.commenters = True, ''
            words = list(lexer)
        except ValueError:
            return
        part = []
        for word in words + [';']:
            if word not in (';', '&&', '||'):
                part.append(word)
                continue
            if '-c' in part and '-o' in part:
                yield from self._command(part)
            part = []

    def _command(self, words):
        source = [w for w in words[1:] if w.endswith(('.c', '.S'))]
        if len(source) != 1:
            return
        flags, skip = [], False
        for word in words[1:]:
            if skip:
                skip = False
            elif word in ('-o', '-MF', '-MT', '-MQ'):
                skip = True
            elif word not in ('-c', '-MMD', '-MD', '-MP', source[0]):
                flags.append(word)
        path = os.path.relpath(os.path.join(self.tree.root, source[0]), self.tree.root)
        yield Command(path, words[words.index('-o') + 1], flags)

    def flags_for(self, path, compiler):
        """The flags to compile a header with: those of the C file that stands nearest to it."""
        best, found = -1, DEFAULT_FLAGS
        for command in self.commands(compiler):
            if command.source.endswith('.c') and command.source.startswith(('lib/', 'frame/', 'kernel/')):
                common = os.path.commonprefix([os.path.dirname(command.source) + '/', path]).count('/')
                if common > best:
                    best, found = common, command.flags
        return found

    def built(self, compiler, *words):
        """The finished `make objects`, errors or not; `words` may ask for the debug build."""
        with self.lock:
            if (compiler, words) not in self._built:
                self._built[compiler, words] = self.make(compiler, '-j%d' % self.tree.jobs, '-k', 'objects', *words)
            return self._built[compiler, words]

    def objects(self):
        """{source: object file} of the gcc build, complete."""
        if self.built('gcc').returncode or not self.commands('gcc'):
            raise Skip('the gcc build failed')
        return {c.source: c.object for c in self.commands('gcc') if os.path.exists(self.tree.full(c.object))}

    def errors(self, output):
        """(path, line, message) of each error in a compiler's output, once."""
        seen = set()
        for path, line, message in DIAGNOSTIC.findall(output):
            path = os.path.relpath(os.path.join(self.tree.root, path), self.tree.root)
            if (path, line, message) not in seen:
                seen.add((path, line, message))
                yield path, int(line), message

    def parallel(self, function, items):
        with ThreadPoolExecutor(self.tree.jobs) as pool:
            return list(pool.map(function, items))
