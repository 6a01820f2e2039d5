# SPDX-License-Identifier: MPL-2.0
"""Finished images in build/images/: made when missing or older than what they are made of.

Sources go by their change time: an installed program carries the date of its package."""

import os
import tempfile

from image import busybox, debian_min, debian_posix, debian_test, overlay
from keel import paths
from keel.errors import BadUsage, KeelError

BUILDERS = {"busybox": busybox.build, "debian-min": debian_min.build,
            "debian-posix": debian_posix.build, "debian-test": debian_test.build}
_SOURCES = {"busybox": [busybox.BINARY]}

# What ./keel run gives a guest by default: an archive and what it unpacks to must fit.
MEMORY = {"debian-min": "512M", "debian-posix": "1G", "debian-test": "1G"}
DEFAULT_MEMORY = "256M"

_NEWC = (b"070701", b"070702")
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\0\0", b"\x89LZO", b"\x02!L\x18", b"\x28\xb5\x2f\xfd")


def names():
    return sorted(BUILDERS)


def ensure(name, output=None, force=False):
    """The path of image `name`, made anew if its sources changed (or by `force`)."""
    if name not in BUILDERS:
        raise BadUsage(f"no image is called {name}; there is: {', '.join(names())}")
    path = output or paths.image(name)
    if force or _is_stale(path, _SOURCES.get(name, [])):
        write_if_changed(path, BUILDERS[name]())
        os.utime(path)
    return path


def root_file(root):
    """What --root names: an image of ours, or a cpio archive in a file."""
    if root in BUILDERS and not os.path.isfile(root):
        return ensure(root)
    if not os.path.isfile(root):
        raise BadUsage(f"--root {root}: neither a file nor an image ({', '.join(names())})")
    with open(root, "rb") as file:
        magic = file.read(6)
    if not magic.startswith(_NEWC + _PACKED):
        raise KeelError(f"--root {root}: not a cpio archive (newc)")
    return root


def agent():
    """The archive with the run agent, for the agent that is built now."""
    path = paths.image("agent")
    if not os.path.isfile(paths.AGENT):
        raise KeelError(f"{paths.AGENT} is missing: run make user")
    write_if_changed(path, overlay.agent(paths.AGENT))
    return path


def write_if_changed(path, data):
    """Replace the file as one step, and only if it differs: others may be reading it, and the
    Makefile compares times."""
    try:
        with open(path, "rb") as old:
            if old.read() == data:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    # A name of its own: other processes, and other threads of this one, may be at it too.
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with open(handle, "wb") as new:
            new.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _is_stale(path, sources):
    try:
        made = os.stat(path).st_mtime
    except FileNotFoundError:
        return True
    sources = list(sources)
    for folder, _, files in os.walk(os.path.dirname(__file__)):
        sources += [os.path.join(folder, file) for file in files if not file.endswith(".pyc")]
    return any(os.path.exists(source) and os.stat(source).st_ctime > made for source in sources)
