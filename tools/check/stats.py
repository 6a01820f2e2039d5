#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Lines of code (no blanks, no comments) by folder, and the ten longest files and functions.

    stats.py [--root DIR] [--top N]
"""
import argparse
import os
import statistics
import sys

sys.dont_write_bytecode = True

from rules.shape import functions   # noqa: E402
from source import Tree             # noqa: E402

DEEP = ('kernel', 'frame', 'test')   # shown by the folders in them


def folder_of(path):
    parts = path.split('/')
    if len(parts) == 1:
        return '.'
    if parts[0] in DEEP and len(parts) > 2:
        return '/'.join(parts[:3 if parts[:2] == ['kernel', 'fs'] and len(parts) > 3 else 2])
    return parts[0]


def main():
    parser = argparse.ArgumentParser(description='lines by folder, longest files and functions')
    parser.add_argument('--root', default=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    parser.add_argument('--top', type=int, default=10)
    options = parser.parse_args()
    tree = Tree(options.root)
    lines = {path: len(tree.code_lines(path)) for path in tree.sources()}
    longest = sorted(((n, '%s:%d %s' % (path, line, name)) for path in lines for name, line, n in functions(tree, path)), reverse=True)
    folders, files = {}, {}
    for path, count in lines.items():
        for name in {folder_of(path), folder_of(path).split('/')[0]}:
            folders[name] = folders.get(name, 0) + count
            files[name] = files.get(name, 0) + 1
    print('lines of code by folder (no blanks, no comments)')
    for name in sorted(folders):
        print('%8d  %4d files  %s%s' % (folders[name], files[name], '    ' * name.count('/'), name))
    print('%8d  %4d files  in all' % (sum(lines.values()), len(lines)))
    print('\nlongest files')
    for count, path in sorted(((n, p) for p, n in lines.items()), reverse=True)[:options.top]:
        print('%8d  %s' % (count, path))
    print('\nlongest functions')
    for count, name in longest[:options.top]:
        print('%8d  %s' % (count, name))
    if longest:
        print('\nmedian file %d lines, median function %d' % (statistics.median(lines.values()), statistics.median(n for n, _ in longest)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
