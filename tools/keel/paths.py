# SPDX-License-Identifier: MPL-2.0
"""Where things are. KEEL_BUILD names another build folder (the Makefile's O=)."""

import os

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("KEEL_BUILD") or os.path.join(TREE, "build"))


def build(*parts):
    """A path in the build folder."""
    return os.path.join(BUILD, *parts)


def source(*parts):
    """A path in the source tree."""
    return os.path.join(TREE, *parts)


def kernel(debug=False):
    return build("debug", "keel.elf") if debug else build("keel.elf")


def ktest_kernel(debug=False):
    """The kernel with the in-kernel tests linked in; the debug build always has them."""
    return kernel(True) if debug else build("ktest", "keel.elf")


def image(name):
    return build("images", name + ".cpio")


AGENT = build("user", "agent")
LINUX = build("linux", "vmlinuz")
