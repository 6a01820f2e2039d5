# SPDX-License-Identifier: MPL-2.0
"""Keel beside Linux: the same program in the same QEMU, counted or timed.

rows.py      what rows there are, and which of them are meant
guest.py     one boot of one kernel: what kbench printed and the plugin counted
counted.py   a kernel's rows in as few boots as it takes, kept while nothing changes
timed.py     interleaved boots on the clock
start.py     instructions to the first program, smallest memory, sizes
profile.py   where a row's instructions go: functions, folded stacks
table.py     the tables that people read
chart.py     the same as a picture
baseline.py  bench/baseline.json: what must not grow

The program is bench/kbench, the plugin bench/plugin.
"""
