# SPDX-License-Identifier: MPL-2.0
"""Takes files out of Debian packages without installing the packages.

The archive's own tools do the work (apt-get download, dpkg-deb), so downloads are verified the
way Debian verifies them.
"""

import os
import re
import subprocess
import sys
import tempfile

from keel.errors import KeelError


def installed_file(package, path):
    """The path if the package that is installed here owns it, else None."""
    done = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True)
    if done.returncode == 0 and path in done.stdout.splitlines() and os.path.isfile(path):
        return path
    return None


def unpack(package, target, member):
    """Download `package` and write its one file that matches the glob `member` to `target`."""
    print(f"keel: downloading Debian's {package}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="keel-deb-") as folder:
        os.chmod(folder, 0o755)  # apt drops its privileges and still wants to read there
        _download(package, folder)
        debs = [name for name in os.listdir(folder) if name.endswith(".deb")]
        tree = os.path.join(folder, "tree")
        # Two processes, so that only the wanted member is written out.
        extract = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", os.path.join(folder, debs[0])],
                                   stdout=subprocess.PIPE)
        os.mkdir(tree)
        subprocess.run(["tar", "-x", "-C", tree, "--wildcards", "." + member],
                       stdin=extract.stdout, check=True)
        extract.stdout.close()
        extract.wait()
        found = [os.path.join(where, name) for where, _, names in os.walk(tree) for name in names]
        if len(found) != 1:
            raise KeelError(f"{package}: expected one file {member}, found {len(found)}")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = f"{target}.{os.getpid()}"
        with open(found[0], "rb") as source, open(temporary, "wb") as copy:
            copy.write(source.read())
        os.replace(temporary, target)


def newest_linux():
    """The name of the newest Linux 6.1 image package for amd64."""
    pattern = re.compile(r"linux-image-6\.1\.\d+-(\d+)-amd64")
    for attempt in range(2):
        names = subprocess.run(["apt-cache", "pkgnames", "linux-image-6.1"], capture_output=True,
                               text=True, check=True).stdout.split()
        matches = [found for found in map(pattern.fullmatch, names) if found]
        if matches:
            return max(matches, key=lambda found: int(found[1]))[0]
        if attempt == 0:
            _update_lists()
    raise KeelError("Debian's archive offers no linux-image-6.1 package here; "
                    "give a kernel image with --kernel FILE")


def _download(package, folder):
    for attempt in range(2):
        done = subprocess.run(["apt-get", "-q", "download", package], cwd=folder,
                              capture_output=True, text=True)
        if done.returncode == 0:
            return
        if attempt == 0:
            _update_lists()
    raise KeelError(f"cannot download {package}:\n{done.stderr.strip()}")


def _update_lists():
    """A fresh machine has no package lists yet, and old lists name files that are gone."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run(sudo + ["apt-get", "-q", "update"], stdout=subprocess.DEVNULL)
