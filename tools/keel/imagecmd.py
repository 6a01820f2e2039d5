# SPDX-License-Identifier: MPL-2.0
"""./keel image NAME: make a root image."""

import argparse

from image import store


def main(args):
    """Entry point of `./keel image`; returns the exit status."""
    parse = argparse.ArgumentParser(prog="keel image", allow_abbrev=False,
                                    description="Make a root image in build/images/NAME.cpio.")
    parse.add_argument("name", nargs="?", metavar="NAME", help=", ".join(store.names()))
    parse.add_argument("--output", metavar="FILE", help="write it there instead")
    parse.add_argument("--list", action="store_true", help="list the images that can be made")
    options = parse.parse_args(args)
    if options.list or not options.name:
        print("\n".join(store.names()))
        return 0 if options.list else 2
    print(store.ensure(options.name, options.output, force=True))
    return 0
