"""What a run changed on the target, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run changed on the target.

    Attributes:
        writes: accepted requests with unsafe methods.
        restored: resources that hold again what they held, a line each.
        left: what the run changed and did not put back, a line each with the reason.
    """

    writes: int = 0
    restored: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
