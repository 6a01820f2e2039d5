# SPDX-License-Identifier: MPL-2.0
"""The image "debian-min": a small Debian system with bash, Python, Perl, a C compiler, SQLite.

It holds the files of PACKAGES, less what DROP names, as dpkg would have put them, and the text
files of tools/image/debian-min.d/. No maintainer script runs: what those would have done and a
program needs is done here (merged /usr, alternatives, Python's bytecode). The packages' archives
stay in build/debs/; so the same sources give the same image until that folder is removed.
"""

import importlib.util
import marshal
import os
import re
import sys

from image import debian, newc, root
from keel import paths
from keel.errors import KeelError

# With all that their programs link to: nothing here resolves dependencies.
PACKAGES = """
base-files bash bsdextrautils bsdutils bzip2 coreutils dash debianutils diffutils findutils gawk
grep gzip hostname less mount ncurses-base ncurses-bin perl-base procps psmisc sed sqlite3 strace
sysvinit-core sysvinit-utils tar time util-linux util-linux-extra xxd xz-utils
python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib
tcc libc6-dev linux-libc-dev
libacl1 libattr1 libaudit1 libblkid1 libbz2-1.0 libc-bin libc6 libcap-ng0 libcap2 libcrypt1
libexpat1 libffi8 libgcc-s1 libgcrypt20 libgmp10 libgpg-error0 liblz4-1 liblzma5 libmount1
libmpfr6 libncursesw6 libpam0g libpcre2-8-0 libproc2-0 libreadline8 libselinux1 libsigsegv2
libsmartcols1 libsqlite3-0 libsystemd0 libtinfo6 libudev1 libunwind8 libuuid1 libzstd1 zlib1g
""".split()

DROP = re.compile(r"""
    usr/share/(doc|doc-base|man|info|locale|lintian|bash-completion|common-licenses|gdb|bug|i18n
        |menu|applications|pixmaps|debianutils|base-files|gcc|python3/debpython|initscripts)/
  | etc/(init\.d|cron[.a-z]*|default|pam\.d|systemd|update-motd\.d|dpkg|profile\.d|apt|motd|issue.*)(/|$)
  | usr/lib/(systemd|udev|valgrind|compat-ld|gold-ld|init|tmpfiles\.d|sysusers\.d)/
  | usr/lib/x86_64-linux-gnu/(gconv|audit|security|pkgconfig|libcrypto.*)/
  | usr/lib/x86_64-linux-gnu/(libc|libm-2.36|libmvec|libresolv|libnsl|libmcheck|libg|libm)\.a$
  | usr/lib/x86_64-linux-gnu/[gM]?crt1(.*)\.o$ (?<!/crt1\.o)
  | usr/include/(drm|sound|rdma|scsi|video|xen|misc|mtd|rpc|protocols|net[a-z]+|linux/.*)/
  | usr/lib/python3(\.11)?/(lib2to3|distutils|ensurepip|idlelib|tkinter|pydoc_data|turtledemo|test)/
  | usr/lib/python3\.11/lib-dynload/(_ssl|_hashlib|_dbm|nis|_tkinter|_test.*|_xx.*)\.
""", re.X)

# What update-alternatives would have linked.
LINKS = {"usr/bin/awk": "gawk", "usr/bin/pager": "less", "usr/bin/cc": "tcc"}

MERGED = ("bin", "sbin", "lib", "lib64")  # /bin is a link to /usr/bin, and so on
FILES = os.path.join(os.path.dirname(__file__), "debian-min.d")
PYTHON = (3, 11)


def build():
    """The finished archive as bytes."""
    return tree().to_bytes()


def tree(more_packages=()):
    """The archive, with the files of more packages."""
    archive = newc.Archive()
    for deb in debian.archives([*PACKAGES, *more_packages], paths.build("debs")):
        with debian.contents(deb) as contents:
            for member in contents:
                _add(archive, contents, member)
    for name in MERGED:
        archive.directory("usr/" + name)
        archive.symlink(name, "usr/" + name)
    for link, target in LINKS.items():
        archive.symlink(link, target)
    root.add(archive, ("run",))
    archive.symlink("init", "sbin/init")
    archive.tree(FILES)
    return archive


def _add(archive, contents, member):
    path = _merged(member.name)
    if not path or path in MERGED or DROP.match(path + "/" if member.isdir() else path):
        return
    if member.isdir():
        archive.directory(path, member.mode)
    elif member.issym():
        archive.symlink(path, member.linkname)
    elif member.islnk():  # a second name: a symbolic link does for all of these
        archive.symlink(path, "/" + _merged(member.linkname))
    elif member.isfile():
        data = contents.extractfile(member).read()
        archive.file(path, data, member.mode)
        if path.endswith(".py") and path.startswith("usr/lib/python3.11/"):
            _add_bytecode(archive, path, data)
    else:
        raise KeelError(f"{contents.name}: {path} is neither file, directory nor link")


def _merged(name):
    path = os.path.normpath(name).strip("/").removeprefix("./")
    if path == ".":
        return ""
    return "usr/" + path if path.partition("/")[0] in MERGED and "/" in path else path


def _add_bytecode(archive, path, source):
    """What py3compile does at installation; if the Python that runs here is another one, the
    image's own compiles at each first import instead."""
    if sys.version_info[:2] != PYTHON:
        return
    code = compile(source, "/" + path, "exec", dont_inherit=True)
    # PEP 552: flags 1 is "hash-based, not checked against the source".
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    folder, name = os.path.split(path)
    archive.file(f"{folder}/__pycache__/{name[:-3]}.cpython-311.pyc", head + marshal.dumps(code))
