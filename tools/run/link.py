# SPDX-License-Identifier: MPL-2.0
"""Frames of the run link. The protocol, with its reasons, is described in user/link.h."""

import struct
import zlib

VERSION = 1
PAYLOAD_MAX = 4096
HEADER = struct.Struct("<BBHI")

HELLO, BLOCK, START, INPUT, EOF = b"H", b"B", b"S", b"I", b"E"
CREDIT, CLOSE, KILL, QUIT = b"C", b"X", b"K", b"Q"
OUTPUT, ERROR, EXIT = b"O", b"R", b"Z"

FLAG_MAKE_DIR = 1


class LinkError(Exception):
    """The line lost or changed bytes, or the other side speaks something else."""


class Encoder:
    """Makes frames, numbering them."""

    def __init__(self):
        self._sequence = 0

    def frame(self, kind, payload=b""):
        head = struct.pack("<BBH", kind[0], self._sequence, len(payload))
        self._sequence = (self._sequence + 1) & 0xff
        checksum = zlib.adler32(payload, zlib.adler32(head))
        return head + struct.pack("<I", checksum) + payload


class Decoder:
    """Takes bytes as they come and gives back whole frames."""

    def __init__(self):
        self._buffer = bytearray()
        self._sequence = 0

    def feed(self, data):
        """Add bytes; return the list of (kind, payload) that are complete now."""
        self._buffer += data
        frames = []
        start = 0
        while len(self._buffer) - start >= HEADER.size:
            kind, sequence, length, checksum = HEADER.unpack_from(self._buffer, start)
            if sequence != self._sequence or length > PAYLOAD_MAX:
                raise LinkError(f"frame {self._sequence} expected, header of {sequence} found")
            end = start + HEADER.size + length
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[start + HEADER.size:end])
            if checksum != zlib.adler32(payload, zlib.adler32(self._buffer[start:start + 4])):
                raise LinkError(f"frame {sequence} is damaged")
            self._sequence = (sequence + 1) & 0xff
            start = end
            frames.append((bytes((kind,)), payload))
        del self._buffer[:start]
        return frames


def words(payload, count):
    """The payload as `count` 32-bit words."""
    if len(payload) != 4 * count:
        raise LinkError(f"{count} words expected, {len(payload)} bytes found")
    return struct.unpack(f"<{count}I", payload)


def start_block(argv, env, cwd, window, flags):
    """The start block of a command; everything is bytes."""
    entries = [cwd, *argv, *env]
    if any(b"\0" in entry for entry in entries):
        raise ValueError("an argument holds a NUL byte")
    head = struct.pack("<IIII", len(argv), len(env), window, flags)
    return head + b"".join(entry + b"\0" for entry in entries)
