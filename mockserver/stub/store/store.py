"""Interface of all stores, which keep the state of worlds as records by collection and key.

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
    """Methods that every store has; one test suite runs against all stores (tests/unit/behaviour/test_store.py)."""

    def open_world(self, world: str, fill: Fill) -> None:
        """Create a world in the store unless it exists; `fill` writes its records."""

    def has_world(self, world: str) -> bool:
        """Tell whether the store has a world of a given name."""

    def worlds(self) -> list[str]:
        """Return the names of all worlds in the store."""

    def transaction(self, world: str) -> AbstractContextManager[Transaction]:
        """Return a transaction on a world, serialised with all other transactions; an exception rolls it back.

        When the context ends without one, the changes are kept: whatever the store survives, they survive.

        Raises:
            StateError: the store cannot be read or written.
        """

    def reader(self, world: str) -> Read:
        """Return a function that reads one record of a world without a transaction.

        It raises StateError where the store cannot be read.
        """

    def dump(self, world: str) -> dict[str, dict[str, Record]]:
        """Return all records of a world, by collection and key.

        Raises:
            StateError: the store cannot be read.
        """

    def reset(self, world: str, fill: Fill) -> None:
        """Replace all records of a world by those that `fill` writes, in one step.

        Raises:
            StateError: the store cannot be written.
        """

    def drop(self, world: str, fill: Fill) -> None:
        """Delete a world; whoever still uses the world then finds the records that `fill` writes.

        A transaction under way ends as it would have, and nobody sees what it changed.

        Raises:
            StateError: the store cannot be written.
        """

    def close(self) -> None:
        """Release the files and connections of the store."""
