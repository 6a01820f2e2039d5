# SPDX-License-Identifier: MPL-2.0
"""The table of the image's functions, for the kernel itself: symbols.py LINKED TABLE.

TABLE gets, little-endian: the number of entries as a 32-bit word; for each function, by address,
two of them, its address minus the symbol symbols_start's (where the table will be) and the place
of its name behind the entries; a last entry without a name where the last function ends; the
names, each with a NUL. kernel/proc/symbols.c reads it.
"""

import struct
import subprocess
import sys


def functions(linked):
    """[(address, name)], sorted, one name for each address; and the table's own address."""
    listing = subprocess.run(["nm", "--defined-only", linked], capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in listing.splitlines()]
    known = {name: int(address, 16) for address, _, name in fields}
    end = known["init_text_end"]
    bounds = {name for name in known if name.endswith(("_start", "_end")) and "text" in name}
    found = {}
    for address, kind, name in sorted(fields):
        if kind in "tTwW" and name not in bounds and int(address, 16) < end:
            found.setdefault(int(address, 16), name)
    return sorted(found.items()), end, known["symbols_start"]


def main(linked, table):
    found, end, base = functions(linked)
    entries, names = [], bytearray()
    for address, name in found:
        entries.append(struct.pack("<iI", address - base, len(names)))
        names += name.encode() + b"\0"
    entries.append(struct.pack("<iI", end - base, len(names)))
    with open(table, "wb") as file:
        file.write(struct.pack("<I", len(entries)) + b"".join(entries) + names + b"\0")


main(*sys.argv[1:])
