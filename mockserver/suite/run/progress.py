"""Progress of a run: what checks and engine tell while they work, and its lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO

#: Tells how many findings there are so far.
Findings = Callable[[], int]
#: Rates over less than this say nothing, in seconds.
_MIN_ELAPSED = 0.2
#: Fewer steps say nothing of how long the others will take.
_MIN_STEPS = 5


class Progress(Protocol):
    """Takes what happens in a run, in the order in which it happens."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A part of the run begins; `total` is the number of its steps where that is known."""
        ...

    def step(self, label: str, cases: int = 1) -> None:
        """A step of the phase is done: one task, or the scenario of one operation, with so many cases."""
        ...

    def close(self) -> None:
        """The run is over; the terminal is as it was."""
        ...


class Silence:
    """Shows nothing."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Ignore it."""

    def step(self, label: str, cases: int = 1) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Nothing to put back."""


class Tally:
    """Counts what happens, for those who show it.

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
        """Begin a phase."""
        self.name, self.total, self.steps = name, total, 0
        self._phase_started = self._clock()

    def step(self, cases: int) -> None:
        """Count a step."""
        self.steps += 1
        self.cases += cases

    @property
    def elapsed_seconds(self) -> float:
        """How long the run has lasted."""
        return self._clock() - self._started

    @property
    def left_seconds(self) -> float | None:
        """How long the phase will still last at the pace so far, None where that cannot be told."""
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
        """How far the phase is, as `12 of 40` or, where the number is not known, `12 done`."""
        return f"{self.steps} of {self.total}" if self.total else f"{self.steps} done"


def duration(seconds: float) -> str:
    """Return a time as a clock shows it, as `1:05`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


#: A short run says nothing at all.
EVERY_SECONDS = 10.0


class Lines:
    """Writes a line about every ten seconds, at the end of a step."""

    def __init__(
        self, stream: TextIO, findings: Findings | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._tally = Tally(findings, clock)
        self._next = clock() + EVERY_SECONDS

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase, which the next line names."""
        self._tally.phase(name, total)

    def step(self, label: str, cases: int = 1) -> None:
        """Count a step, and write a line if it is time."""
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
        """Nothing to put back."""
