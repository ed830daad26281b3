"""Where state is kept: the interface of all stores, and the one in memory.

A store holds, for each world, collections of records: JSON values under text keys. A record is never changed in
place; a change puts a new one, so a reader may hold what it got for as long as it likes.

::

    store ── world ── collection ── key ── record
             "default"  "settings"   "system_mailer"  {"value": {...}, ...}
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

#: Collections of the store beside those of credentials.py: settings by name; clock and counters of a world.
SETTINGS = "settings"
WORLD = "world"

Record = dict[str, Any]
Fill = Callable[["Transaction"], None]
#: Collection and key to record, or None.
Read = Callable[[str, str], Record | None]


class Transaction(Protocol):
    """Reads and writes on one world that take effect together or not at all."""

    def get(self, collection: str, key: str) -> Record | None:
        """Return a record, or None."""

    def items(self, collection: str) -> Mapping[str, Record]:
        """Return all records of a collection by key, as they are now."""

    def put(self, collection: str, key: str, record: Record) -> None:
        """Create or replace a record; the caller gives it away and does not change it afterwards."""

    def delete(self, collection: str, key: str) -> None:
        """Remove a record; without one, do nothing."""


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


class _MemoryWorld:
    """One world in memory, with the transaction that is open on it; one thread at a time has it."""

    __slots__ = ("_changes", "_cleared", "_lock", "_records")

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Record]] = {}
        self._lock = threading.Lock()
        # Changes of the open transaction; nobody else sees them before it ends.
        self._changes: dict[tuple[str, str], Record | None] = {}
        self._cleared = False

    def __enter__(self) -> _MemoryWorld:
        self._lock.acquire()
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        if kind is None and (self._changes or self._cleared):
            self._commit()
        self._changes.clear()
        self._cleared = False
        self._lock.release()

    def read(self, collection: str, key: str) -> Record | None:
        """Return a record as of the last ended transaction; one look-up is atomic in CPython."""
        records = self._records.get(collection)
        return None if records is None else records.get(key)

    def dump(self) -> dict[str, dict[str, Record]]:
        """Return all records as of the last ended transaction."""
        with self._lock:
            return {name: dict(records) for name, records in self._records.items()}

    def clear(self) -> None:
        """Let the open transaction start from nothing."""
        self._cleared = True
        self._changes.clear()

    def get(self, collection: str, key: str) -> Record | None:
        if self._changes and (collection, key) in self._changes:
            return self._changes[collection, key]
        return None if self._cleared else self.read(collection, key)

    def items(self, collection: str) -> Mapping[str, Record]:
        found = {} if self._cleared else dict(self._records.get(collection, {}))
        for (changed, key), record in self._changes.items():
            if changed == collection and record is None:
                found.pop(key, None)
            elif changed == collection and record is not None:
                found[key] = record
        return found

    def put(self, collection: str, key: str, record: Record) -> None:
        self._changes[collection, key] = record

    def delete(self, collection: str, key: str) -> None:
        self._changes[collection, key] = None

    def _commit(self) -> None:
        # A cleared world is filled aside and shown at once, so that no reader meets it empty.
        records: dict[str, dict[str, Record]] = {} if self._cleared else self._records
        for (collection, key), record in self._changes.items():
            if record is not None:
                records.setdefault(collection, {})[key] = record
            elif collection in records:
                records[collection].pop(key, None)
        self._records = records


class MemoryStore:
    """Keeps everything in this process, for as long as it lives."""

    def __init__(self) -> None:
        self._worlds: dict[str, _MemoryWorld] = {}
        self._opening = threading.Lock()

    def open_world(self, world: str, fill: Fill) -> None:
        with self._opening:
            if world not in self._worlds:
                opened = _MemoryWorld()
                with opened:
                    fill(opened)
                self._worlds[world] = opened

    def has_world(self, world: str) -> bool:
        return world in self._worlds

    def worlds(self) -> list[str]:
        return sorted(self._worlds)

    def transaction(self, world: str) -> AbstractContextManager[Transaction]:
        # Of a world that was dropped meanwhile there is nothing to read, and nobody will read what is written.
        return self._worlds.get(world) or _MemoryWorld()

    def reader(self, world: str) -> Read:
        return self._worlds[world].read

    def dump(self, world: str) -> dict[str, dict[str, Record]]:
        return self._worlds[world].dump()

    def reset(self, world: str, fill: Fill) -> None:
        with self._worlds[world] as opened:
            opened.clear()
            fill(opened)

    def drop(self, world: str, fill: Fill) -> None:  # noqa: ARG002 - nobody else has it open
        self._worlds.pop(world, None)

    def close(self) -> None:
        """Nothing to release."""
