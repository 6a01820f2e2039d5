# SPDX-License-Identifier: MPL-2.0
"""The image "busybox": Debian's unmodified busybox-static as a small system with a shell.

Its first process is busybox init, which reads /etc/inittab: one script mounts the kernel's file
systems, another runs a login shell on the console and switches the machine off when it ends.
The text files are in tools/image/busybox.d/ as they appear in the image.
"""

import os
import subprocess

from image import debian, newc, root
from keel import paths

PACKAGE = "busybox-static"
BINARY = "/bin/busybox"
FILES = os.path.join(os.path.dirname(__file__), "busybox.d")


def build():
    """The finished archive as bytes."""
    binary = _find_binary()
    archive = newc.Archive()
    with open(binary, "rb") as program:
        archive.file("bin/busybox", program.read(), 0o755)
    for applet in _applets(binary):
        if applet != "bin/busybox":
            archive.symlink(applet, BINARY)
    archive.symlink("init", BINARY)
    root.add(archive, ("run", "home", "var/log"))
    archive.tree(FILES)
    return archive.to_bytes()


def _find_binary():
    """The installed one if it is Debian's, else taken out of the package."""
    cached = paths.build("images", "busybox.bin")
    binary = debian.installed_file(PACKAGE, BINARY)
    if binary is None and not os.path.exists(cached):
        debian.unpack(PACKAGE, cached, BINARY)
        os.chmod(cached, 0o755)
    return binary or cached


def _applets(binary):
    listed = subprocess.run([binary, "--list-full"], capture_output=True, text=True, check=True)
    return listed.stdout.split()
