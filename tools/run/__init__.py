# SPDX-License-Identifier: MPL-2.0
"""Starts a kernel in QEMU and talks to it.

machine.py   what is booted, and the QEMU command line for it
vm.py        the QEMU process: its pipes, its end, its temporary folder
link.py      frames of the run link (the protocol is user/link.h)
guest.py     commands in a guest, through the run agent
relay.py     ./keel run -- CMD: one command on our own standard input, output and error
console.py   ./keel run: the serial console on our terminal
panic.py     a dead guest's last words, with addresses turned into source lines
expect.py    drives a terminal program as a person would (for tests)
screen.py    what that person sees: a small terminal emulator
"""
