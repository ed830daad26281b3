"""Progress of a run: a bar on a terminal, lines in a log."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

#: Returns the number of findings so far.
Findings = Callable[[], int]
#: Rates over less than this say nothing, in seconds.
_MIN_ELAPSED = 0.2
#: Fewer steps say nothing of how long the others will take.
_MIN_STEPS = 5


class Progress(Protocol):
    """Receiver of a run's progress events."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase of the run; `total` is the number of its steps if known."""
        ...

    def step(self, label: str, cases: int = 1) -> None:
        """Count a finished step of the phase: a planned check, or the cases of one operation."""
        ...

    def close(self) -> None:
        """End the display and restore the terminal."""
        ...


class NoProgress:
    """Progress display that shows nothing."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Ignore the phase."""

    def step(self, label: str, cases: int = 1) -> None:
        """Ignore the step."""

    def close(self) -> None:
        """Do nothing, as nothing was shown."""


class ProgressCounts:
    """Counters of a run's progress: steps, cases and elapsed time.

    Attributes:
        name: the phase's.
        total: the number of its steps, None if that is not known.
        steps: how many of them are done.
        cases: how many there were in the whole run.
    """

    def __init__(self, findings: Findings | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = ""
        self.total: int | None = None
        self.steps = 0
        self.cases = 0
        self._findings = findings
        self._clock = clock
        self._started = self._phase_started = clock()

    def phase(self, name: str, total: int | None) -> None:
        """Begin a phase: reset its steps and its clock."""
        self.name, self.total, self.steps = name, total, 0
        self._phase_started = self._clock()

    def step(self, cases: int) -> None:
        """Count a finished step with its cases."""
        self.steps += 1
        self.cases += cases

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the run started."""
        return self._clock() - self._started

    @property
    def left_seconds(self) -> float | None:
        """Estimated seconds until the phase ends, None if that cannot be estimated."""
        elapsed = self._clock() - self._phase_started
        if not self.total or self.steps < _MIN_STEPS or elapsed < _MIN_ELAPSED:
            return None
        return elapsed / self.steps * max(0, self.total - self.steps)

    @property
    def counts(self) -> str:
        """Cases, rate and findings, as `120 cases, 60/s, 2 findings`."""
        elapsed = self.elapsed_seconds
        rate = f", {self.cases / elapsed:.0f}/s" if elapsed >= _MIN_ELAPSED else ""
        cases = f"{_count(self.cases, 'case')}{rate}"
        return cases if self._findings is None else f"{cases}, {_count(self._findings(), 'finding')}"

    @property
    def place(self) -> str:
        """Steps done, as `12 of 40`, or as `12 done` without a known total."""
        return f"{self.steps} of {self.total}" if self.total else f"{self.steps} done"


def duration(seconds: float) -> str:
    """Return a duration in minutes and seconds, as `1:05`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


#: Seconds between two lines; a shorter run shows none.
EVERY_SECONDS = 10.0


class ProgressLines:
    """Progress display for logs: about one line in ten seconds."""

    def __init__(
        self, stream: TextIO, findings: Findings | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._tally = ProgressCounts(findings, clock)
        self._next = clock() + EVERY_SECONDS

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase, which the next line names."""
        self._tally.phase(name, total)

    def step(self, label: str, cases: int = 1) -> None:
        """Count a step, and write a line if ten seconds have passed."""
        tally = self._tally
        tally.step(cases)
        now = self._clock()
        if now < self._next:
            return
        self._next = now + EVERY_SECONDS
        left = tally.left_seconds
        about = f", about {duration(left)} left" if left is not None else ""
        clock = duration(tally.elapsed_seconds)
        self._stream.write(f"mockserver: {clock} {tally.name}: {tally.place}, {tally.counts}{about} ({label})\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing, as nothing needs to be restored."""


_REFRESHES_PER_SECOND = 8
_BAR_WIDTH = 20
#: Control sequences of ECMA-48, which every terminal since the VT100 knows.
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE = "\r\x1b[2K"
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class ProgressBar:
    """Progress display for terminals: phase, steps, cases, findings, rate and remaining time."""

    def __init__(self, stream: TextIO, findings: Findings | None) -> None:
        self._stream = stream
        self._tally = ProgressCounts(findings)
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
        """Begin a phase with a new bar."""
        self._tally.phase(name, total)
        self._label = ""

    def step(self, label: str, cases: int = 1) -> None:
        """Count a step; the next refresh shows it."""
        self._tally.step(cases)
        self._label = label

    def refresh(self) -> None:
        """Draw the bar now, in addition to the regular refreshes."""
        self._write(_ERASE_LINE + self._line(_columns(self._stream) - 1))

    def close(self) -> None:
        """Erase the bar and show the cursor again."""
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
    """Return a text cut to a number of terminal cells, with a mark at the cut."""
    text = "".join(character if character.isprintable() else " " for character in text)
    if _cells(text) <= width:
        return text
    while text and _cells(text) >= width:
        text = text[:-1]
    return text + mark if width > 0 else ""


def _cells(text: str) -> int:
    """Return the number of terminal cells of a text: two for wide characters, none for combining marks."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal behind a stream; the environment variable `COLUMNS` takes precedence."""
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


@contextmanager
def shown_progress(stream: TextIO, findings: Findings | None = None) -> Iterator[Progress]:
    """Show a run's progress within the context.

    Args:
        stream: where; standard error, as standard output belongs to the report.
        findings: returns the number of findings so far; None if that is not shown.
    """
    progress = _chosen(stream, findings)
    try:
        yield progress
    finally:
        progress.close()


def _chosen(stream: TextIO, findings: Findings | None) -> Progress:
    if stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI"):
        return ProgressBar(stream, findings)
    return ProgressLines(stream, findings)
