# SPDX-License-Identifier: MPL-2.0
"""What the kernel says of its own mistakes when it cannot go on: planted ones, which need the debug build's tests."""

from keel.testing.fault import BUG, Case

CASES = [
    Case("stack_overflow", says=("panic: kernel stack overflow: rsp 0x", "backtrace: 0x", "end of panic"), ends=BUG,
         append=("keel.ktest=fatal_stack_overflow",), only_debug=True),
]
