# SPDX-License-Identifier: MPL-2.0
"""What a person sees: a small terminal emulator, the VT100 subset that busybox programs use.

Feed it bytes; read `lines()`. Queries that a terminal answers (cursor position, type) leave
their answers in `replies`, to be sent back as input.
"""

import re

_CSI = re.compile(r"\x1b\[([?]?)([0-9;]*)([@-~])")
_PARTIAL = re.compile(r"\x1b(\[[?]?[0-9;]*)?$")
_TAB = 8


class Screen:
    """A grid of characters and a cursor; rows and columns count from 0."""

    def __init__(self, rows=24, columns=80):
        self.rows = rows
        self.columns = columns
        self.row = self.column = 0
        self.replies = ""
        self._grid = [[" "] * columns for _ in range(rows)]
        self._wrap = False  # the last column was written: the next character starts a line
        self._rest = ""

    def lines(self):
        """The screen's text, without blanks at line ends."""
        return ["".join(line).rstrip() for line in self._grid]

    def text(self):
        return "\n".join(self.lines()).rstrip()

    def current_line(self):
        """The line that the cursor is on."""
        return self.lines()[self.row]

    def feed(self, text):
        """Interpret more output (str)."""
        text = self._rest + text
        self._rest = ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self._put(text[at])
                at += 1
                continue
            match = _CSI.match(text, at)
            if match:
                self._control(*match.groups())
                at = match.end()
            elif _PARTIAL.match(text, at):
                self._rest = text[at:]
                return
            else:
                at += self._escape(text[at + 1])

    def _put(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._line_feed()
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = min(self.columns - 1, (self.column // _TAB + 1) * _TAB)
        elif char >= " " and char != "\x7f":
            self._print(char)
            return
        self._wrap = False

    def _print(self, char):
        if self._wrap:
            self.column = 0
            self._line_feed()
            self._wrap = False
        self._grid[self.row][self.column] = char
        if self.column == self.columns - 1:
            self._wrap = True
        else:
            self.column += 1

    def _line_feed(self):
        if self.row < self.rows - 1:
            self.row += 1
        else:
            del self._grid[0]
            self._grid.append([" "] * self.columns)

    def _escape(self, char):
        """A two-character sequence; returns its length. Unknown ones do nothing."""
        if char == "M":  # reverse line feed
            if self.row > 0:
                self.row -= 1
            else:
                self._grid.pop()
                self._grid.insert(0, [" "] * self.columns)
        return 3 if char in "()" else 2

    def _control(self, private, parameters, final):
        numbers = [int(word) if word else 0 for word in parameters.split(";")]
        count = max(1, numbers[0])
        self._wrap = False
        if private:
            return  # modes such as cursor visibility
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self.row = min(self.rows - 1, self.row + count)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final in "Hf":
            column = numbers[1] if len(numbers) > 1 else 1
            self.row = min(self.rows, count) - 1
            self.column = min(self.columns, max(1, column)) - 1
        elif final in "JK":
            self._erase(final, numbers[0])
        elif final == "P":
            line = self._grid[self.row]
            del line[self.column:self.column + count]
            line += [" "] * (self.columns - len(line))
        elif final == "n" and numbers[0] == 6:
            self.replies += f"\x1b[{self.row + 1};{self.column + 1}R"

    def _erase(self, final, how):
        """How: 0 from the cursor to the end, 1 from the start to the cursor, 2 everything."""
        start = 0 if how else self.column
        end = self.column + 1 if how == 1 else self.columns
        self._grid[self.row][start:end] = [" "] * (end - start)
        if final == "J":
            above = range(0, self.row) if how else ()
            below = range(self.row + 1, self.rows) if how != 1 else ()
            for row in (*above, *below):
                self._grid[row] = [" "] * self.columns
