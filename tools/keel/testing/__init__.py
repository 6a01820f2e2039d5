# SPDX-License-Identifier: MPL-2.0
"""The test runner behind ./keel test.

model.py     configurations, results, jobs
tap.py       reads the Test Anything Protocol
pool.py      two jobs at a time, results as they come
unit.py      layer unit: lib/ and pure logic, on the host
ktest.py     layer ktest: inside the kernel
guest.py     layers conformance and apps: programs in a guest, many per boot
fault.py     layer fault: bad input and full memory, a boot for each case
failalloc.py layer failalloc: conformance programs while allocations fail (sites.py: which there are)
consoles.py  layer console: scripts that use the shell as a person would
"""
