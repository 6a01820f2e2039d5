# SPDX-License-Identifier: MPL-2.0
"""What the layers of tests have in common."""

from dataclasses import dataclass
from typing import Callable

from image import store
from keel import paths
from run import linux
from run.machine import Machine

TEST_MEM = "512M"


@dataclass(frozen=True)
class Config:
    """Under what a guest test runs."""

    on_linux: bool
    debug: bool
    cpus: int
    has_calls: bool = False  # traces its calls for testing/calls.py

    def __str__(self):
        kernel = "Linux" if self.on_linux else "debug" if self.debug else "release"
        return f"{kernel}, {self.cpus} CPU{'s' if self.cpus > 1 else ''}"

    def kernel(self):
        return linux.ensure() if self.on_linux else paths.kernel(self.debug)

    def patience(self):
        """By what the time limits are multiplied: the debug build checks every access."""
        return 4 if self.debug else 1

    def machine(self, initrds=None, kernel=None, append=()):
        """A machine in this configuration; by default with the busybox root."""
        roots = [store.ensure("busybox")] if initrds is None else initrds
        return Machine(kernel=kernel or self.kernel(), initrds=roots, cpus=self.cpus,
                       mem=TEST_MEM, append=list(append))


@dataclass
class Result:
    """One test's end in one configuration."""

    layer: str
    name: str
    where: str  # the configuration, or "host"
    passed: bool
    detail: str = ""

    def title(self):
        return f"{self.layer}/{self.name} [{self.where}]"


@dataclass
class Job:
    """Work for one QEMU, or for none: run(report) calls report(Result) for every test."""

    title: str
    run: Callable
