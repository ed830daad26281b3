"""Progress on a terminal: one line that moves, and is gone when the run is over.

The control sequences are those of ECMA-48, which every terminal since the VT100 knows.
"""

from __future__ import annotations

import itertools
import os
import shutil
import threading
import unicodedata
from typing import TextIO

from mockserver.suite.run.progress import Findings, Tally, duration

_REFRESHES_PER_SECOND = 8
_BAR_WIDTH = 20
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE = "\r\x1b[2K"
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Bar:
    """Shows phase, steps, cases, findings, rate and the time that is left."""

    def __init__(self, stream: TextIO, findings: Findings | None) -> None:
        self._stream = stream
        self._tally = Tally(findings)
        self._label = ""
        full = _can_write(stream, "⠋━─…")
        self._turns = itertools.cycle("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if full else "|/-\\")
        self._done, self._open, self._cut = "━─…" if full else "#-."
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._write(_HIDE_CURSOR)
        self._painter = threading.Thread(target=self._repaint, name="progress", daemon=True)
        self._painter.start()

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase with a bar of its own."""
        self._tally.phase(name, total)
        self._label = ""

    def step(self, label: str, cases: int = 1) -> None:
        """Count a step."""
        self._tally.step(cases)
        self._label = label

    def refresh(self) -> None:
        """Show it now; otherwise several times a second."""
        self._write(_ERASE_LINE + self._line(_columns(self._stream) - 1))

    def close(self) -> None:
        """Take the line away."""
        self._over.set()
        self._painter.join()
        self._write(_ERASE_LINE + _SHOW_CURSOR)

    def _repaint(self) -> None:
        while not self._over.wait(1 / _REFRESHES_PER_SECOND):
            self.refresh()

    def _write(self, text: str) -> None:
        with self._writing:
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()

    def _line(self, width: int) -> str:
        tally = self._tally
        left = tally.left_seconds
        clock = f"{duration(left)} left" if left is not None else duration(tally.elapsed_seconds)
        front = f"{next(self._turns)} {tally.name} {self._bar()} {tally.place}, {tally.counts}, {clock} "
        shown = shortened(front, width, self._cut)
        label = shortened(self._label, width - _cells(shown), self._cut)
        return f"{shown}{_DIM}{label}{_PLAIN}"

    def _bar(self) -> str:
        tally = self._tally
        done = min(_BAR_WIDTH, _BAR_WIDTH * tally.steps // tally.total) if tally.total else 0
        return self._done * done + self._open * (_BAR_WIDTH - done)


def shortened(text: str, width: int, mark: str = "…") -> str:
    """Return a text in at most so many cells of a terminal, with a mark where some of it is left out."""
    text = "".join(character if character.isprintable() else " " for character in text)
    if _cells(text) <= width:
        return text
    while text and _cells(text) >= width:
        text = text[:-1]
    return text + mark if width > 0 else ""


def _cells(text: str) -> int:
    """Return how many cells a text takes: two for wide characters (Unicode Standard Annex 11), none for marks."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal behind a stream; `COLUMNS` in the environment wins."""
    if not os.environ.get("COLUMNS"):
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80
        except (OSError, ValueError):
            pass
    return shutil.get_terminal_size().columns


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
