# SPDX-License-Identifier: MPL-2.0
"""Takes files out of Debian packages without installing the packages.

The archive's own tools do the work (apt-get download, dpkg-deb; apt-get source, dpkg-source), so
downloads are verified the way Debian verifies them.
"""

import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tarfile
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
        _download([package], folder)
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


def archives(packages, folder):
    """The paths of the packages' .deb files in `folder`; those that are missing are downloaded."""
    os.makedirs(folder, exist_ok=True)
    missing = [package for package in packages if not _archive(package, folder)]
    if missing:
        print(f"keel: downloading {len(missing)} Debian packages", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="keel-deb-") as temporary:
            os.chmod(temporary, 0o755)
            _download(missing, temporary)
            _keep(os.listdir(temporary), temporary, folder)
    found = [_archive(package, folder) for package in packages]
    if None in found:
        raise KeelError(f"{packages[found.index(None)]}: not among the downloaded packages")
    return found


def _archive(package, folder, suffix=".deb"):
    names = [name for name in os.listdir(folder)
             if name.startswith(package + "_") and name.endswith(suffix)]
    return os.path.join(folder, max(names)) if names else None


def _keep(names, temporary, folder):
    """Move files to `folder`, each as one step and in this order."""
    for name in names:
        shutil.copyfile(os.path.join(temporary, name), os.path.join(folder, f".{os.getpid()}"))
        os.replace(os.path.join(folder, f".{os.getpid()}"), os.path.join(folder, name))


def source(package, folder):
    """The path of the package's source description (.dsc) in `folder`, the files that it names
    beside it; downloaded if it is missing. unpack_source() reads it."""
    os.makedirs(folder, exist_ok=True)
    if not _archive(package, folder, ".dsc"):
        print(f"keel: downloading the source of Debian's {package}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="keel-deb-") as temporary:
            os.chmod(temporary, 0o755)
            files = os.path.join(temporary, "files")
            os.mkdir(files)
            _download_source(package, temporary, files)
            _keep(sorted(os.listdir(files), key=lambda name: name.endswith(".dsc")), files, folder)
    return _archive(package, folder, ".dsc")


def unpack_source(dsc, target):
    """Unpack a source package with Debian's patches to the folder `target`, which is made."""
    done = subprocess.run(["dpkg-source", "--no-check", "-x", dsc, target],
                          capture_output=True, text=True)
    if done.returncode:
        raise KeelError(f"{dsc}: dpkg-source cannot read it; remove it to have it downloaded "
                        f"again\n{done.stderr.strip()}")


@contextlib.contextmanager
def contents(deb):
    """The files of a package as an open tarfile."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            yield archive
        process.stdout.read()
    if process.returncode:
        raise KeelError(f"{deb}: dpkg-deb cannot read it; remove it to have it downloaded again")


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


def _download(packages, folder):
    for attempt in range(2):
        done = subprocess.run(["apt-get", "-q", "download", *packages], cwd=folder,
                              capture_output=True, text=True)
        if done.returncode == 0:
            return
        if attempt == 0:
            _update_lists()
    raise KeelError(f"cannot download {' '.join(packages)}:\n{done.stderr.strip()}")


def _download_source(package, folder, files):
    """Few machines have lists of source packages. So make some, apart from the machine's own,
    from the places where it gets its binary packages."""
    parts, lists = os.path.join(folder, "parts"), os.path.join(folder, "lists")
    os.mkdir(parts)
    os.makedirs(os.path.join(lists, "partial"))
    for path in glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*"):
        with open(path, encoding="utf-8") as text:
            places = text.read()
        places = re.sub(r"^Types:.*", "Types: deb-src", places, flags=re.M)
        places = re.sub(r"^deb\b(?!-)", "deb-src", places, flags=re.M)
        with open(os.path.join(parts, os.path.basename(path)), "w", encoding="utf-8") as text:
            text.write(places)
    apt = ["apt-get", "-q", "-o", "Dir::Etc::sourcelist=/dev/null",
           "-o", f"Dir::Etc::sourceparts={parts}", "-o", f"Dir::State::lists={lists}",
           "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]
    subprocess.run([*apt, "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = subprocess.run([*apt, "source", "--download-only", package], cwd=files,
                          capture_output=True, text=True)
    if done.returncode:
        raise KeelError(f"cannot download the source of {package}:\n{done.stderr.strip()}")


def _update_lists():
    """A fresh machine has no package lists yet, and old lists name files that are gone."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run(sudo + ["apt-get", "-q", "update"], stdout=subprocess.DEVNULL)
