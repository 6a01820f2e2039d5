# SPDX-License-Identifier: MPL-2.0
"""What is supported: the rules of docs/compat, held against the kernel's table of calls, and the page made from both."""
