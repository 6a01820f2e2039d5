# SPDX-License-Identifier: MPL-2.0
"""The command line of ./keel: its commands, the build they need, the test runner."""
