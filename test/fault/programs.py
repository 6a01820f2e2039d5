# SPDX-License-Identifier: MPL-2.0
"""Smallest programs and archives for the tables of this folder.

    tree(init=program(say("hello\n"), leave(3)))

is a cpio archive whose /init prints hello and exits with status 3: one page of machine code and an
ELF header, in which a test can spoil any field.
"""

import os
import struct

from image import newc
from keel import paths

BASE = 0x400000
EHDR, PHDR = 64, 56
PT_LOAD, PT_INTERP = 1, 3


def tree(init=None, files=None, folders=()):
    """An archive with /init and `files` (path: content), all executable."""
    archive = newc.Archive()
    for path, data in {**({"init": init} if init is not None else {}), **(files or {})}.items():
        archive.file(path, data, 0o755)
    for path in folders:
        archive.directory(path)
    return archive.to_bytes()


def shell(script, programs=()):
    """The busybox root with an /init that runs `script`, and test programs built from C (in /)."""
    files = {name: _read(paths.build("fault", name)) for name in programs}
    head = "#!/bin/sh\nmount -t proc proc /proc; mount -t devtmpfs dev /dev; mkdir -p /tmp\n"
    return _read(paths.image("busybox")) + tree(head + script, files)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


# --- Machine code. Every step may destroy all registers but the stack pointer.

def say(text):
    """write(1, text, len)"""
    data = text.encode()
    code = b"\xb8\x01\0\0\0\xbf\x01\0\0\0" + b"\xba" + struct.pack("<I", len(data))
    code += b"\x48\x8d\x35" + struct.pack("<i", 4)  # lea rsi, [rip + 4]: behind syscall and jmp
    jump = b"\xeb" + bytes([len(data)]) if len(data) < 128 else None
    assert jump, "a short text, please"
    return code + b"\x0f\x05" + jump + data


def call(number, *args):
    """A system call with constants (32 bits, extended with zeros)."""
    load = (b"\xbf", b"\xbe", b"\xba", b"\x41\xba", b"\x41\xb8", b"\x41\xb9")
    code = b"".join(op + struct.pack("<I", arg & 0xffffffff) for op, arg in zip(load, args))
    return code + b"\xb8" + struct.pack("<I", number) + b"\x0f\x05"


def leave(status):
    return call(231, status)


def power_off():
    return call(169, 0xfee1dead, 0x28121969, 0x4321fedc)


def kill_self(signal):
    return call(62, 1, signal)


BAD_ACCESS = b"\x31\xc0\x89\x00"  # xor eax, eax; mov [rax], eax
BAD_INSTRUCTION = b"\x0f\x0b"  # ud2
PRIVILEGED = b"\xf4"  # hlt
STACK_OVERFLOW = b"\x50\xeb\xfd"  # push rax; jmp back
SPIN = b"\xeb\xfe"


def program(*steps, interp=None, **spoil):
    """An ELF file that does `steps`. `spoil` sets fields of its headers: e_phnum=0, p_filesz=1 …"""
    code = b"".join(steps)
    n_headers = 2 if interp else 1
    start = EHDR + n_headers * PHDR
    path = interp.encode() + b"\0" if interp else b""
    size = start + len(path) + len(code)
    head = {"e_type": 2, "e_machine": 62, "e_version": 1, "e_entry": BASE + start + len(path),
            "e_phoff": EHDR, "e_shoff": 0, "e_flags": 0, "e_ehsize": EHDR, "e_phentsize": PHDR,
            "e_phnum": n_headers, "e_shentsize": 0, "e_shnum": 0, "e_shstrndx": 0}
    load = {"p_type": PT_LOAD, "p_flags": 7, "p_offset": 0, "p_vaddr": BASE, "p_paddr": BASE,
            "p_filesz": size, "p_memsz": size, "p_align": 4096}
    for field, value in spoil.items():
        (head if field in head else load)[field] = value
    data = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", *head.values())
    if interp:
        data += struct.pack("<IIQQQQQQ", PT_INTERP, 4, start, BASE + start, BASE + start,
                            len(path), len(path), 1)
    return data + struct.pack("<IIQQQQQQ", *load.values()) + path + code
