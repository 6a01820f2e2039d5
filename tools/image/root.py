# SPDX-License-Identifier: MPL-2.0
"""What every root image has: mount points, root's home, places for temporary files, two devices."""


def add(archive, folders=()):
    """Add it to `archive`, and `folders` beside."""
    for path in ("proc", "sys", "mnt", "dev/pts", "dev/shm", *folders):
        archive.directory(path)
    archive.directory("root", 0o700)
    for path in ("tmp", "var/tmp"):
        archive.directory(path, 0o1777)
    archive.char_device("dev/console", 5, 1)
    archive.char_device("dev/null", 1, 3, 0o666)
    archive.symlink("etc/mtab", "/proc/mounts")
