# SPDX-License-Identifier: MPL-2.0
"""Rule 7: the tree builds anywhere: no addresses of package servers, no odd modes or line ends, scripts that parse."""
import os
import re
import subprocess

from model import Plant, Rule, Violation, append, both, replace, write

HOSTS = re.compile(r'(?i)\b(?:[\w-]+\.)*(?:debian\.org|debian\.net|ubuntu\.com|pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|'
                   r'golang\.org|archlinux\.org|fedoraproject\.org|alpinelinux\.org|docker\.io|ghcr\.io|git(?:hub|lab)(?:usercontent)?\.com|'
                   r'kernel\.org|sourceforge\.net|amazonaws\.com|rubygems\.org)\b')
URL = re.compile(r'\b(?:https?|ftp|git|rsync)://[^\s"\'<>)\]]*[^\s"\'<>)\].,]')
LOCAL = re.compile(r'://(?:localhost|\d+\.\d+\.\d+\.\d+|\[|\$|%|[\w.-]*\bexample\b|[\w-]+(?:[:/]|$))')
PROSE = ('.md', 'LICENSE')


def is_text(tree, path):
    return b'\0' not in tree.raw(path)[:8192]


def hosts(tree):
    for path in tree.files:
        if os.path.basename(path) == 'LICENSE' or not is_text(tree, path):
            continue
        text = tree.text(path)
        for match in HOSTS.finditer(text):
            yield Violation(path, tree.line_at(path, match.start()), 'package host ' + match.group())
        for match in URL.finditer(text) if not path.endswith(PROSE) else ():
            if not LOCAL.search(match.group()) and not HOSTS.search(match.group()):
                yield Violation(path, tree.line_at(path, match.start()), match.group())


def modes(tree):
    for path in tree.files:
        if os.access(tree.full(path), os.X_OK) and os.stat(tree.full(path)).st_mode & 0o111 and tree.raw(path)[:2] != b'#!':
            yield Violation(path, 1, 'executable, but not a script')


def scripts(tree):
    for path in tree.files:
        first = tree.raw(path)[:80].split(b'\n')[0].decode(errors='replace')
        if path.endswith('.py') or first.startswith('#!') and 'python' in first:
            try:
                compile(tree.raw(path), path, 'exec', dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                yield Violation(path, getattr(error, 'lineno', 1) or 1, str(error))
        elif first.startswith('#!') and re.search(r'\b(ba|da)?sh\b', first):
            shell = 'bash' if 'bash' in first else 'sh'
            done = subprocess.run([shell, '-n', tree.full(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if done.returncode:
                message = done.stderr.decode(errors='replace').strip().split('\n')[0]
                line = re.search(r'(?:line |: )(\d+):', message)
                yield Violation(path, int(line.group(1)) if line else 1, message.replace(tree.full(path), path))


def line_ends(tree):
    for path in tree.files:
        data = tree.raw(path)
        at = data.find(b'\r\n')
        if at >= 0 and is_text(tree, path):
            yield Violation(path, data.count(b'\n', 0, at) + 1, 'CR LF')


def chmod(path, mode):
    return lambda root: os.chmod(os.path.join(root, path), mode)


RULES = [
    Rule(7, 'no-hosts', 'packages come from where the machine\'s own apt says', hosts, [
        Plant('a mirror', append('Makefile', '# deb.deb' + 'ian.org\n')),
        Plant('a download', write('tools/get.sh', '#!/bin/sh\nwget https:' + '//files.somewhere.net/x\n'))]),
    Rule(7, 'modes', 'only scripts run', modes, [Plant('executable source', chmod('kernel/mm/pages.c', 0o755))]),
    Rule(7, 'scripts-parse', 'a script that does not parse was never run', scripts, [
        Plant('Python', write('tools/bad.py', '# planted\ndef f(:\n')),
        Plant('shell', write('tools/bad.sh', '#!/bin/sh\nif true; then\n'))]),
    Rule(7, 'line-ends', 'one kind of line end', line_ends, [
        Plant('CR LF', both(append('kernel/mm/pages.c', 'int x;\r\n'), replace('Makefile', '\n', '\n')))]),
]
