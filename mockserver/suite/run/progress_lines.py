"""Progress for a log: a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from mockserver.suite.run.progress import Findings, Tally, duration

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
