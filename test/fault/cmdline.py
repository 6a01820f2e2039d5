# SPDX-License-Identifier: MPL-2.0
"""Command lines that nobody should write, and machines that are too small."""

from keel.testing.fault import HALTED, POWER_OFF, Case
from programs import power_off, program, say, tree


def _runs(name, *words, says=(), **more):
    return Case(name, says=(*says, "init runs"), ends=POWER_OFF, append=words,
                initrd=lambda: tree(program(say("init runs\n"), power_off())), **more)


CASES = [
    _runs("empty_values", "console= rdinit= trace= loglevel= maxcpus= nr_cpus= keel.failalloc= root="),
    _runs("without_values", "console rdinit init trace loglevel maxcpus nr_cpus keel.failalloc norandmaps=x"),
    _runs("numbers_that_are_none", "loglevel=99999999999999999999 maxcpus=-1 nr_cpus=x virtio_mmio.device=@@"),
    _runs("no_such_terminal", "console=tty0 console=ttyS99", says=("console=ttyS99: no such terminal",)),
    _runs("words_without_end", "x" * 2000 + " " + "y" * 1900),
    # QEMU's loader overruns its own buffer at 4096 bytes: what it then hands over is garbage.
    Case("longer_than_the_loader_can", says=("panic: the boot loader told of no memory", "end of panic"), ends=HALTED, append=("x" * 5000,)),
    _runs("many_words", *(f"w{n}" for n in range(200)), *(f"v{n}=x" for n in range(200)), says=(r"command line: 338 words too many for init are left out",)),
    _runs("open_quotes", 'a="b c', "quiet"),
    _runs("odd_bytes", "\x01\x7f\xff\u20ac=\t\v = == -- --- -- quiet"),
    _runs("memory_of_8_megabytes", mem="8M", debug_mem="20M"),
]
