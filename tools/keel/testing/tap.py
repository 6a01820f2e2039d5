# SPDX-License-Identifier: MPL-2.0
"""Reads the Test Anything Protocol: a plan "1..N", and "ok K - text" or "not ok K - text"."""

import re

_PLAN = re.compile(r"^1\.\.(\d+)")
_LINE = re.compile(r"^(not )?ok\b *(\d*) *(?:- )?(.*)")
_SKIP = re.compile(r"#\s*skip", re.I)
_REMARK = re.compile(r"\s+#\s.*$")
MAX_DETAIL_LINES = 40


class Line:
    """One result line, with the "#" lines around it: some programs explain a failure before
    they state it, some after, so one that stands between two results belongs to both."""

    def __init__(self, passed, text, raw, before):
        self.passed = passed
        self.text = text
        self.raw = raw
        self.before = before
        self.after = []

    def name(self):
        """The text without what follows a "#": a time, a reason."""
        return _REMARK.sub("", " " + self.text).strip()

    def detail(self):
        return "\n".join([*self.before, self.raw, *self.after])


class Tap:
    """The results in `text`; other lines (a kernel's log) are passed over."""

    def __init__(self, text):
        self.plan = None
        self.lines = []
        self.bailed = None
        remarks = []
        for line in text.replace("\r", "").split("\n"):
            plan, result = _PLAN.match(line), _LINE.match(line)
            if plan:
                self.plan = int(plan[1])
            elif result:
                passed = not result[1] or _SKIP.search(result[3]) is not None
                self.lines.append(Line(passed, result[3], line, remarks))
                remarks = self.lines[-1].after
            elif line.startswith("Bail out!"):
                self.bailed = line
            elif line.startswith("#"):
                remarks.append(line)

    def problems(self, status=None):
        """Why this is no success, as text; empty if it is one. `status`: the program's, as text,
        None for success."""
        found = []
        last = None
        for line in self.lines:
            if not line.passed:
                before = [] if last and last.after is line.before else line.before
                found += [*before, line.raw, *line.after]
                last = line
        if self.bailed:
            found.append(self.bailed)
        elif self.plan is None:
            found.append(f"no plan after {len(self.lines)} results")
        elif self.plan != len(self.lines):
            found.append(f"{len(self.lines)} results, {self.plan} planned")
        if status:
            found.append(status)
        return shorten("\n".join(found))


def shorten(text):
    """The first lines of a long text."""
    lines = text.split("\n")
    if len(lines) > MAX_DETAIL_LINES:
        lines[MAX_DETAIL_LINES:] = [f"... {len(lines) - MAX_DETAIL_LINES} more lines"]
    return "\n".join(lines)
