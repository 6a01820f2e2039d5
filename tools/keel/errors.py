# SPDX-License-Identifier: MPL-2.0
"""Errors that end ./keel with a message instead of a Python traceback."""


class KeelError(Exception):
    """Something the user can understand and act on; str() is the whole message."""


class BadUsage(KeelError):
    """The command line makes no sense."""


class Interrupted(BaseException):
    """A signal asked us to stop. Not an Exception, so nothing swallows it on its way up."""

    def __init__(self, signum):
        super().__init__(signum)
        self.signum = signum
