# SPDX-License-Identifier: MPL-2.0
"""The places in the image that hold addresses of the image: relocs.py LINKED TABLE.

LINKED was linked with --emit-relocs. TABLE gets a little-endian 32-bit word for each place that
must change when the image is moved: the place's physical address, bit 31 set if it is a 64-bit
one. Places with physical addresses (32-bit code, the PVH note) are left out. Anything else that
depends on where the image lies is an error, such as a symbol's address minus KERNEL_BASE.
"""

import struct
import sys

KERNEL_BASE = 0xffffffff80000000
SHT_RELA, SHT_NOTE, SHF_ALLOC, SHN_UNDEF, SHN_ABS = 4, 7, 2, 0, 0xfff1
R_64, R_PC32, R_PLT32, R_32, R_32S = 1, 2, 4, 10, 11
BIT_64 = 1 << 31


def sections(data):
    offset, = struct.unpack_from("<Q", data, 40)
    size, number = struct.unpack_from("<HH", data, 58)
    names = ("name", "type", "flags", "addr", "offset", "size", "link", "info")
    return [dict(zip(names, struct.unpack_from("<IIQQQQII", data, offset + n * size)))
            for n in range(number)]


def places(data):
    """(physical address, is 64 bits wide) of each place to change."""
    table = sections(data)
    for rela in table:
        if rela["type"] != SHT_RELA or not table[rela["info"]]["flags"] & SHF_ALLOC:
            continue
        target = table[rela["info"]]
        symbols = table[rela["link"]]["offset"]
        start, end = rela["offset"], rela["offset"] + rela["size"]
        for place, info, _ in struct.iter_unpack("<QQq", data[start:end]):
            kind, symbol = info & 0xffffffff, info >> 32
            if kind in (R_PC32, R_PLT32, R_32):
                continue  # moves along, or physical: no 32 bits without sign hold a virtual one
            if kind not in (R_64, R_32S):
                sys.exit(f"relocs.py: relocation of type {kind} at {place:#x}")
            at = target["offset"] + place - target["addr"]
            value, = struct.unpack_from("<Q" if kind == R_64 else "<i", data, at)
            section, = struct.unpack_from("<H", data, symbols + symbol * 24 + 6)
            if section == SHN_UNDEF or target["type"] == SHT_NOTE:
                continue
            if section == SHN_ABS or value % (1 << 64) < KERNEL_BASE:
                sys.exit(f"relocs.py: what is at {place:#x} would not move with the image: {value:#x}")
            yield place - KERNEL_BASE, kind == R_64


def main(linked, table):
    with open(linked, "rb") as file:
        data = file.read()
    words = sorted(place | (BIT_64 if is_wide else 0) for place, is_wide in places(data))
    with open(table, "wb") as file:
        file.write(struct.pack(f"<{len(words)}I", *words))


main(*sys.argv[1:])
