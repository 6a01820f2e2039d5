# SPDX-License-Identifier: MPL-2.0
"""How reboot(2) ends the machine, command by command."""

from keel.testing.fault import POWER_OFF, RUNS_ON, Case
from programs import call, leave, program, say, tree

REBOOT, MAGIC1, MAGICS2 = 169, 0xfee1dead, (672274793, 85072278, 369367448, 537993216)


def _ends(name, says, ends, command, *more, magic2=MAGICS2[0]):
    """A program that only gets beyond the call if that comes back."""
    steps = (say("up\n"), call(REBOOT, MAGIC1, magic2, command, *more), say("it came back\n"), leave(1))
    return Case(name, says=("^up", says), ends=ends, never="it came back", initrd=lambda: tree(program(*steps)), calls=True)


CASES = [
    _ends("restart", "restarting the system", POWER_OFF, 0x01234567),
    _ends("restart_with_words", "restarting the system with a command", POWER_OFF, 0xa1b2c3d4, 0x400001, magic2=MAGICS2[1]),
    _ends("halt", "system halted", RUNS_ON, 0xcdef0123, magic2=MAGICS2[2]),
    _ends("power_off", "power down", POWER_OFF, 0x4321fedc, magic2=MAGICS2[3]),
]
