# SPDX-License-Identifier: MPL-2.0
"""Debian's Linux 6.1, the oracle: its kernel image, taken out of the package, not installed."""

import os

from image import debian
from keel import paths


def ensure():
    """The path of the image, which is downloaded at first use."""
    if not os.path.exists(paths.LINUX):
        debian.unpack(debian.newest_linux(), paths.LINUX, "/boot/vmlinuz-*")
    return paths.LINUX


def is_linux(path):
    """Whether the file has Linux's x86 boot header (Documentation/x86/boot: "HdrS" at 0x202)."""
    with open(path, "rb") as image:
        return image.read(0x206)[0x202:] == b"HdrS"


def tsc_khz(icount):
    """The rate of the emulated time-stamp counter: the host's, or 1 GHz under icount."""
    if icount:
        return 1000000
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            for line in info:
                if line.startswith("cpu MHz"):
                    return int(float(line.partition(":")[2]) * 1000)
    except (OSError, ValueError):
        pass
    return None
