# SPDX-License-Identifier: MPL-2.0
"""The image "debian-test": debian-min, and what puts a kernel under load or feeds it nonsense:
stress-ng, hackbench (rt-tests), trinity. With what their programs link to, as in debian-min."""

from image import debian_min

PACKAGES = """
stress-ng trinity rt-tests
libapparmor1 libbsd0 libdrm2 libegl1 libgbm1 libgles2 libglvnd0 libipsec-mb1 libjpeg62-turbo
libjudydebian1 libkmod2 libmd0 libnuma1 libsctp1 libssl3 libwayland-server0 libxxhash0
""".split()


def build():
    """The finished archive as bytes."""
    return debian_min.tree(PACKAGES).to_bytes()
