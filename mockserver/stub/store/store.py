"""Store: the interface of everything that keeps state.

A store holds, for each world, collections of records: JSON values under text keys. A record is never changed in
place; a change puts a new one, so a reader may hold what it got for as long as it likes.

::

    store ── world ── collection ── key ── record
             "default"  "settings"   "smtp"           {"value": {...}, ...}
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from mockserver.plugins.transactions import Read, Record, Transaction

Fill = Callable[[Transaction], None]


class Store(Protocol):
    """What every store can do; one test suite runs against all of them (tests/unit/behaviour/test_store.py)."""

    def open_world(self, world: str, fill: Fill) -> None:
        """Create a world unless it exists, its records made by `fill`."""

    def has_world(self, world: str) -> bool:
        """Tell whether a world exists."""

    def worlds(self) -> list[str]:
        """Return the names of all worlds."""

    def transaction(self, world: str) -> AbstractContextManager[Transaction]:
        """Return a transaction, serialised with all others on the world; an exception undoes it.

        When the context ends without one, the changes are kept: whatever the store survives, they survive.

        Raises:
            StateError: the store cannot be read or written.
        """

    def reader(self, world: str) -> Read:
        """Return the function that reads one record of a world as of now, without a transaction.

        It raises StateError where the store cannot be read.
        """

    def dump(self, world: str) -> dict[str, dict[str, Record]]:
        """Return all collections of a world.

        Raises:
            StateError: the store cannot be read.
        """

    def reset(self, world: str, fill: Fill) -> None:
        """Put a world back to what `fill` makes, in one step.

        Raises:
            StateError: the store cannot be written.
        """

    def drop(self, world: str, fill: Fill) -> None:
        """Let a world be as if it had never been opened; `fill` makes what whoever else has it open then finds.

        A transaction under way ends as it would have, and nobody sees what it changed.

        Raises:
            StateError: the store cannot be written.
        """

    def close(self) -> None:
        """Release files and connections."""
