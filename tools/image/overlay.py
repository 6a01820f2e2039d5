# SPDX-License-Identifier: MPL-2.0
"""What the launcher adds behind a root's archive: the run agent, and files for tests.

A kernel unpacks joined archives one after the other, so any root can be extended so.
"""

from image import newc

AGENT_PATH = "/.keel/agent"


def agent(binary):
    """The archive that holds the agent, and the device nodes it needs before /dev is mounted."""
    archive = newc.Archive()
    archive.directory(".keel", 0o755)
    archive.directory("dev")
    with open(binary, "rb") as program:
        archive.file(AGENT_PATH, program.read(), 0o755)
    archive.char_device("dev/console", 5, 1)
    archive.char_device("dev/null", 1, 3, 0o666)
    archive.char_device("dev/ttyS1", 4, 65)
    return archive.to_bytes()


def files(entries):
    """An archive of executable files, from pairs (path in the guest, path here)."""
    archive = newc.Archive()
    for inside, outside in entries:
        with open(outside, "rb") as data:
            archive.file(inside, data.read(), 0o755)
    return archive.to_bytes()
