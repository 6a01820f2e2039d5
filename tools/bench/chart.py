# SPDX-License-Identifier: MPL-2.0
"""The counted table as a picture: Keel's instructions to Linux's, a bar a row, logarithmic."""

import math
from xml.sax.saxutils import escape

from bench import table

LEFT, WIDTH, LINE = 170, 520, 17  # pixels
LOW, HIGH = 1 / 8, 8  # ratios at the edges
NAMESPACE = "http:" + "//www.w3.org/2000/svg"  # a name, no place that anything is fetched from
BETTER, WORSE, GRID = "#3a7d44", "#b3402a", "#cccccc"


def draw(rows, linux, keel):
    """The picture as SVG text."""
    bars = [(name, table.ratio(linux.get(name), keel.get(name))) for _, name, _ in table.expand(rows)]
    bars = [(name, value) for name, value in bars if value is not None]
    height = LINE * (len(bars) + 3)
    parts = [f'<svg xmlns="{NAMESPACE}" width="{LEFT + WIDTH + 70}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             f'<text x="{LEFT}" y="{LINE - 3}">instructions: Keel / Linux 6.1 (left of 1: Keel needs fewer)</text>']
    for value in (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8):
        x = _x(value)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{2 * LINE}" y2="{height}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x}" y="{2 * LINE - 3}" text-anchor="middle">{value:g}</text>')
    for at, (name, value) in enumerate(bars):
        parts += _bar(name, value, LINE * (at + 2))
    return "\n".join([*parts, "</svg>", ""])


def _bar(name, value, y):
    one, end = _x(1), _x(min(max(value, LOW), HIGH))
    yield f'<text x="{LEFT - 6}" y="{y + LINE - 4}" text-anchor="end">{escape(name)}</text>'
    yield (f'<rect x="{min(one, end)}" y="{y + 2}" width="{max(abs(end - one), 1)}" height="{LINE - 4}" '
           f'fill="{BETTER if value <= 1 else WORSE}"/>')
    yield f'<text x="{LEFT + WIDTH + 8}" y="{y + LINE - 4}">{value:.2f}</text>'


def _x(value):
    return round(LEFT + WIDTH * math.log(value / LOW) / math.log(HIGH / LOW), 1)
