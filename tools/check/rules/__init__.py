# SPDX-License-Identifier: MPL-2.0
"""The rules, one module a number of DESIGN.md section 6 (and three of the charter's own)."""
from rules import budget, build, compat, elf, hygiene, interfaces, layers, plain_c, shape

ALL = layers.RULES + plain_c.RULES + interfaces.RULES + build.RULES + shape.RULES + elf.RULES + budget.RULES + hygiene.RULES + compat.RULES
