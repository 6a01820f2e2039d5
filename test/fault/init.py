# SPDX-License-Identifier: MPL-2.0
"""What becomes of a machine whose first process cannot start, or ends."""

from keel.testing.fault import HALTED, PANIC, POWER_OFF, Case
from programs import (BAD_ACCESS, BAD_INSTRUCTION, PRIVILEGED, STACK_OVERFLOW, kill_self, leave,
                      power_off, program, say, tree)

NEXT = program(say("the next one\n"), power_off())
FALLBACK = {"sbin/init": NEXT}
NO_INIT = r"^.*panic: no working init found"


def _refused(name, **programs):
    """Four programs that are refused, each with its error, in the places that are tried in turn; the last one runs."""
    places = ("init", "sbin/init", "etc/init", "bin/init")
    errors, files = zip(*programs.values())
    return Case(name, says=(*(rf"/{place} exists but could not be started \(error {error}\b" for place, error in zip(places, errors)),
                            "the next one"),
                ends=POWER_OFF, initrd=lambda: tree(files={**dict(zip(places, files)), "text": "no program" * 10, "bin/sh": NEXT}))


def _ends(name, says, *steps):
    return Case(name, says=("^up", says, "end of panic"), ends=PANIC,
                initrd=lambda: tree(program(say("up\n"), *steps)))


GOOD = program(leave(0))

CASES = [
    Case("none", says=("/init: not started", NO_INIT, "end of panic"), ends=PANIC, initrd=lambda: tree(files={"etc/motd": "hello"})),
    Case("none_without_panic_option", says=(NO_INIT, "end of panic"), ends=HALTED, append=("panic=0",), initrd=lambda: tree(files={"a": ""})),
    Case("missing", says=("/init: not started", "panic: requested init /no/such failed"), ends=PANIC, append=("init=/no/such",),
         initrd=lambda: tree(files=FALLBACK)),
    Case("empty_option", says=("/init: not started", "the next one"), ends=POWER_OFF, append=("init= rdinit= console=ttyS0",),
         initrd=lambda: tree(files=FALLBACK)),
    Case("missing_rdinit", says=("/no/such: not started", "the next one"), ends=POWER_OFF, append=("rdinit=/no/such",),
         initrd=lambda: tree(files=FALLBACK)),
    Case("too_long_a_path", says=(r"init=: longer than \d+ bytes, ignored", "the next one"), ends=POWER_OFF, append=("init=/" + "x" * 1000,),
         initrd=lambda: tree(files=FALLBACK)),
    Case("directory", says=(r"/init exists but could not be started \(error -13\)", "the next one"), ends=POWER_OFF,
         initrd=lambda: tree(files=FALLBACK, folders=("init",))),
    _refused("no_programs", empty=(-8, b""), text=(-8, "echo hello\n"), no_interpreter=(-2, "#!/no/such\n"), itself=(-40, "#!/bin/init\n")),
    _refused("cut_elf", magic_alone=(-8, b"\x7fELF"), cut_in_the_header=(-8, GOOD[:40]), header_alone=(-8, GOOD[:64]),
             headers_far_away=(-8, program(leave(0), e_phoff=1 << 62))),
    _refused("bad_elf", machine=(-8, program(leave(0), e_machine=183)), no_segments=(-8, program(leave(0), e_phnum=0)),
             interp_missing=(-2, program(leave(0), interp="/no/such")), interp_is_text=(-80, program(leave(0), interp="/text"))),
    _refused("bad_segments", beyond=(-8, program(leave(0), p_vaddr=0xffffffff80000000)), larger=(-8, program(leave(0), p_memsz=1)),
             all=(-8, program(leave(0), p_memsz=1 << 63)), header_size=(-8, program(leave(0), e_phentsize=1))),
    Case("entry_in_nowhere", says=("panic: init was killed by signal 11",), ends=PANIC,
         initrd=lambda: tree(program(leave(0), e_entry=0x10000))),
    _ends("exits", "panic: init exited with status 0", leave(0)),
    _ends("fails", "panic: init exited with status 3", leave(3)),
    _ends("segfaults", "panic: init was killed by signal 11", BAD_ACCESS),
    _ends("executes_garbage", "panic: init was killed by signal 4", BAD_INSTRUCTION),
    _ends("halts", "panic: init was killed by signal 11", PRIVILEGED),
    _ends("overflows_its_stack", "panic: init was killed by signal 11", STACK_OVERFLOW),
    _ends("survives_signals_to_itself", "panic: init exited with status 5", kill_self(9), kill_self(11), leave(5)),
]
