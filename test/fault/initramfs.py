# SPDX-License-Identifier: MPL-2.0
"""Archives that are cut short, spoiled, packed badly, joined or too large. What was unpacked before
the trouble stays, as on Linux, and the machine goes on with it."""

import gzip
import random
import zlib

from image import newc
from keel.testing.fault import PANIC, POWER_OFF, Case
from programs import power_off, program, say, tree

GOOD = tree(program(say("init runs\n"), power_off()), {f"usr/file{n:03}": "x" * 500 for n in range(200)})
HEADER = 110
NOISE = random.Random(1).randbytes(4096)
NO_INIT = "panic: no working init found"


def _good(name, archive, *says, never="initramfs: byte", **more):
    return Case(name, says=(*says, "init runs"), ends=POWER_OFF, initrd=archive, never=never, **more)


def _complains(name, archive, why):
    """The archive's trouble comes behind /init."""
    return _good(name, archive, rf"initramfs: byte \d+ of \d+: {why}; \d+ files were unpacked", never=None)


def _useless(name, archive, why=r"initramfs: byte \d+ of \d+: "):
    return Case(name, says=(why, "end of panic"), ends=PANIC, initrd=archive)


def _spoil(at, data):
    archive = bytearray(GOOD)
    archive[at:at + len(data)] = data
    return bytes(archive)


def _record(name, data, **fields):
    """One hand-made entry."""
    values = dict(ino=1, mode=0o100644, uid=0, gid=0, nlink=1, mtime=0, size=len(data), major=0, minor=0,
                  rmajor=0, rminor=0, namesize=len(name) + 1, check=0)
    values.update(fields)
    head = b"070701" + b"".join(b"%08X" % value for value in values.values()) + name + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def _with(*records):
    """Hand-made entries, then the good archive."""
    return b"".join(records) + _record(b"TRAILER!!!", b"") + GOOD


def _bomb(size):
    """An archive with one file of zeros, packed to a thousandth; /init comes first."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(GOOD + _record(b"bomb", b"", size=size))]
    block = bytes(1 << 20)
    packed += [packer.compress(block) for _ in range(size >> 20)]
    return b"".join(packed) + packer.flush()


def _large(megabytes):
    archive = newc.Archive()
    archive.file("init", program(say("init runs\n"), power_off()), 0o755)
    for number in range(megabytes):
        archive.file(f"zz/{number:03}", NOISE * 256)
    return archive.to_bytes()


CASES = [
    _good("plain", lambda: GOOD),
    _good("gzip", lambda: gzip.compress(GOOD)),
    _good("joined", lambda: tree(files={"sbin/x": "x"}) + GOOD),
    _good("joined_plain_and_gzip", lambda: tree(files={"sbin/x": "x"}) + gzip.compress(GOOD) + tree(files={"y": "y"}),
          r"initramfs: \d+ files, 0 left out"),
    _good("joined_far_apart", lambda: tree(files={"sbin/x": "x"}) + bytes(100_000) + GOOD),
    _good("a_later_init_wins", lambda: tree("no program") + GOOD),
    _good("most_of_memory", lambda: _large(25), mem="40M", debug_mem="50M"),
    _complains("cut_in_a_header", lambda: GOOD[:20_000 - 20_000 % 4], "the archive ends within an entry"),
    _complains("cut_in_data", lambda: GOOD[:50_000], "the archive ends within an entry"),
    _complains("garbage_behind", lambda: GOOD + NOISE, "neither newc nor gzip"),
    _complains("garbage_inside", lambda: _spoil(20_000, NOISE), "no newc header where one is due|neither newc nor gzip"),
    _complains("gzip_cut", lambda: GOOD + gzip.compress(GOOD + NOISE)[:-3000], "gzip data ends too early"),
    _complains("gzip_of_a_cut_archive", lambda: gzip.compress(GOOD[:50_000]), "the archive ends within an entry"),
    _complains("gzip_of_garbage", lambda: GOOD + gzip.compress(NOISE), "not newc inside gzip"),
    _complains("gzip_with_garbage", lambda: GOOD + gzip.compress(NOISE * 4)[:100] + NOISE, "gzip data is corrupt"),
    _complains("gzip_with_a_bad_sum", lambda: GOOD + gzip.compress(GOOD)[:-8] + bytes(8), "gzip data is corrupt"),
    _useless("one_byte", lambda: b"0"),
    _useless("empty_gzip", lambda: gzip.compress(b""), NO_INIT),
    _useless("nothing_but_zeros", lambda: bytes(4096), NO_INIT),
    _useless("garbage", lambda: NOISE),
    _useless("text", lambda: b"hello, I am no archive\n"),
    _useless("bad_digits", lambda: _spoil(14, b"zzzzzzzz")),
    _useless("old_binary_cpio", lambda: b"\xc7\x71" + NOISE[:500]),
    _useless("old_text_cpio", lambda: b"070707" + b"0" * 500),
    _useless("xz", lambda: b"\xfd7zXZ\0" + NOISE[:500]),
    _useless("name_without_end", lambda: _spoil(HEADER, b"x" * 4096)),
    _useless("name_of_four_gigabytes", lambda: _record(b"x", b"", namesize=0xffffffff) + GOOD),
    _useless("file_of_four_gigabytes", lambda: _record(b"x", b"", size=0xffffffff) + GOOD),
    _good("names_that_lead_astray",
          lambda: _with(_record(b"../../up", b"x"), _record(b"/abs", b"x"), _record(b"a//b/./c", b"x"), _record(b".", b"", mode=0o40755),
                        _record(b"", b"x"), _record(b"/", b"x"), _record(b"x" * 300, b"x"), _record(b"\xff\n\x1b", b"x")), "left out"),
    _good("odd_entries",
          lambda: _with(_record(b"link", b"", mode=0o120777), _record(b"loop", b"loop", mode=0o120777), _record(b"loop/x", b"y"),
                        _record(b"dev/null/x", b"y"), _record(b"type", b"", mode=0o170000), _record(b"sock", b"", mode=0o140777),
                        _record(b"node", b"", mode=0o20666, rmajor=0xffffffff, rminor=0xffffffff), _record(b"dir", b"data", mode=0o40755),
                        _record(b"uid", b"", uid=0xffffffff), _record(b"hard", b"", nlink=2), _record(b"hard", b"again", nlink=2)), "left out"),
    _good("bomb", lambda: _bomb(200 << 20), r"initramfs: bomb: error -\d+; \d+ files were unpacked"),
]
