"""How far a run is: what checks and engine tell while they work, for whoever shows it."""

from __future__ import annotations

from typing import Protocol


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
