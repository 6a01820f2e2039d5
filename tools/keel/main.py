# SPDX-License-Identifier: MPL-2.0
"""The front door: ./keel COMMAND ..."""

import os
import signal
import sys

USAGE = """\
usage: keel COMMAND [OPTIONS]

  run [-- CMD ARGS...]   build, boot, and give a shell; or run one command
  test [NAME...]         build and run the tests
  fuzz [TARGET...]       let libFuzzer look for inputs that lib/ and the loaders mistake
  stress [STRESSOR...]   stress-ng's stressors under Linux and Keel, compared
  soak                   half an hour of mixed load, and what it leaves behind
  posix [GROUP...]       posixtestsuite under Linux and Keel, compared
  trinity                random system calls, and what they leave behind
  check [--self-test]    check the rules that the source obeys
  bench [OPTIONS]        compare with Linux, by counted instructions or on the clock
  debug [OPTIONS]        boot as run does, under gdb
  image NAME             make a root image in build/images
  setup                  install what all this needs (Debian packages)

keel COMMAND --help tells more.
"""
FAILED = 1
BAD_USAGE = 2
NO_STATUS = 125  # of run: whatever went wrong before the command had a status


def main(args):
    """Returns the exit status."""
    from keel.errors import BadUsage, Interrupted, KeelError
    _open_standard_fds()
    _catch_signals()
    if not args or args[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if args else BAD_USAGE
    name, rest = args[0], args[1:]
    try:
        if name not in COMMANDS:
            raise BadUsage(f"no command {name}; see keel --help")
        return COMMANDS[name](rest)
    except BadUsage as error:
        print(f"keel: {error}", file=sys.stderr)
        return BAD_USAGE
    except KeelError as error:
        print(f"keel: {error}", file=sys.stderr)
        return NO_STATUS if name == "run" else FAILED
    except Interrupted as stop:
        return 128 + stop.signum


def _run(args):
    from keel import runcmd
    return runcmd.main(args)


def _test(args):
    from keel import testcmd
    return testcmd.main(args)


def _fuzz(args):
    from keel import fuzzcmd
    return fuzzcmd.main(args)


def _stress(args):
    from keel import stresscmd
    return stresscmd.main(args)


def _soak(args):
    from keel import soakcmd
    return soakcmd.main(args)


def _posix(args):
    from keel import posixcmd
    return posixcmd.main(args)


def _trinity(args):
    from keel import trinitycmd
    return trinitycmd.main(args)


def _debug(args):
    from keel import debugcmd
    return debugcmd.main(args)


def _check(args):
    """tools/check stands by itself; it only gets its packages."""
    from keel import build, paths
    build.setup()
    script = paths.source("tools", "check", "check.py")
    os.execv(sys.executable, [sys.executable, script, *args])


def _bench(args):
    from keel import benchcmd
    return benchcmd.main(args)


def _image(args):
    from keel import imagecmd
    return imagecmd.main(args)


def _setup(args):
    from keel import build
    from keel.errors import BadUsage
    if args:
        raise BadUsage("setup takes no arguments")
    build.setup(verbose=True)
    return 0


COMMANDS = {"run": _run, "test": _test, "fuzz": _fuzz, "stress": _stress, "soak": _soak, "posix": _posix, "trinity": _trinity,
            "check": _check, "bench": _bench, "debug": _debug, "image": _image, "setup": _setup}


def _open_standard_fds():
    """With 0, 1 or 2 closed, the next pipe would get the number and be taken for ours."""
    while True:
        fd = os.open("/dev/null", os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, True)


def _catch_signals():
    """A signal unwinds the stack, so every `with` and `finally` cleans up; a second one is
    ignored meanwhile."""
    from keel.errors import Interrupted
    stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

    def handler(signum, _):
        for stop in stops:
            signal.signal(stop, signal.SIG_IGN)
        raise Interrupted(signum)

    for stop in stops:
        if signal.getsignal(stop) != signal.SIG_IGN:
            signal.signal(stop, handler)


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main(sys.argv[1:]))
