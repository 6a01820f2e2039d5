# SPDX-License-Identifier: MPL-2.0
"""A dead guest's last words: the console log from the panic on, addresses named.

Keel prints lines such as "backtrace: 0xffffffff80123456", and before them by how much the image
lies above the addresses of its ELF file ("kaslr: 0x…"; none if it does not). Each address in the
top 2 GiB gets its function and source line from there.
"""

import re
import subprocess

MAX_LINES = 200
CONTEXT_LINES = 15  # without a panic to be seen, the end of the log

_START = re.compile(rb"panic(?!=)|\bBUG\b|KASAN|UBSAN|double fault|assertion|Oops", re.I)
# At the start of a line, so that no shell user's typing is taken for one.
_PANIC = re.compile(rb"^(\[[ .0-9]*\] )?(panic: |Kernel panic - )", re.M)
_ADDRESS = re.compile(r"0x(ffffffff[89a-f][0-9a-f]{7})\b")
_SLIDE = re.compile(r"kaslr: 0x([0-9a-f]+)$")
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[c=>78])")


def report(console, kernel):
    """The lines that explain the end, as text; empty if the console was silent."""
    lines = _ESCAPES.sub(b"", bytes(console)).replace(b"\r", b"").split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    first = next((at for at, line in enumerate(lines) if _START.search(line)), None)
    if first is None:
        lines = lines[-CONTEXT_LINES:]
    else:
        lines = lines[first:first + MAX_LINES]
    text = [line.decode(errors="replace") for line in lines]
    return "\n".join(symbolise(text, kernel))


def has_panic(console):
    """Whether the kernel announced its own end."""
    return _PANIC.search(bytes(console)) is not None


def symbolise(lines, kernel):
    """Append "function at file:line" to each address that the kernel's symbols explain."""
    found = sorted({address for line in lines for address in _ADDRESS.findall(line)})
    slide = next((int(match[1], 16) for match in map(_SLIDE.search, reversed(lines)) if match), 0)
    names = _look_up(found, kernel, slide)
    return [_ADDRESS.sub(lambda match: _with_name(match, names), line) for line in lines]


def _with_name(match, names):
    name = names.get(match[1])
    return f"{match[0]} ({name})" if name else match[0]


def _look_up(addresses, kernel, slide):
    """{address: place}. Return addresses point behind the call, so the byte before is asked for;
    inlined functions come with their callers, innermost first."""
    if not addresses:
        return {}
    before = [f"0x{int(address, 16) - slide - 1:x}" for address in addresses]
    try:
        done = subprocess.run(["addr2line", "-e", kernel, "-a", "-f", "-p", "-s", "-i", *before],
                              capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    places = []
    for line in done.stdout.splitlines():
        if line.startswith("0x"):
            places.append(line.partition(": ")[2])
        elif places:
            places[-1] += " < " + line.replace("(inlined by)", "").strip()
    return {address: place for address, place in zip(addresses, places)
            if not place.startswith("??")}
