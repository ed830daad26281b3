"""Where state is kept: the interface of all stores, and the one in memory.

A store holds, for each world, collections of records: JSON values under text keys. A record is never changed in
place; a change puts a new one, so a reader may hold what it got for as long as it likes.

::

    store ── world ── collection ── key ── record
             "default"  "settings"   "system_mailer"  {"value": {...}, ...}
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

Record = dict[str, Any]
Fill = Callable[["Transaction"], None]
_MISSING: Record = {}


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

    def read(self, world: str, collection: str, key: str) -> Record | None:
        """Return one record as of now, without a transaction.

        Raises:
            StateError: the store cannot be read.
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

    def close(self) -> None:
        """Release files and connections."""


class _MemoryWorld:
    """One world in memory; it is its own transaction, entered by one thread at a time."""

    __slots__ = ("_lock", "_undo", "collections")

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, Record]] = {}
        self._lock = threading.RLock()
        self._undo: list[tuple[str, str, Record]] = []

    def __enter__(self) -> _MemoryWorld:
        self._lock.acquire()
        self._undo.clear()
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        if kind is not None:
            for collection, key, before in reversed(self._undo):
                if before is _MISSING:
                    self.collections[collection].pop(key, None)
                else:
                    self.collections[collection][key] = before
        self._lock.release()

    def get(self, collection: str, key: str) -> Record | None:
        records = self.collections.get(collection)
        return None if records is None else records.get(key)

    def items(self, collection: str) -> Mapping[str, Record]:
        return dict(self.collections.get(collection, {}))

    def put(self, collection: str, key: str, record: Record) -> None:
        records = self.collections.get(collection)
        if records is None:
            records = self.collections[collection] = {}
        self._undo.append((collection, key, records.get(key, _MISSING)))
        records[key] = record

    def delete(self, collection: str, key: str) -> None:
        records = self.collections.get(collection)
        if records is not None and key in records:
            self._undo.append((collection, key, records.pop(key)))


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
        return self._worlds[world]

    def read(self, world: str, collection: str, key: str) -> Record | None:
        # One look-up is atomic in CPython, and records are never changed in place.
        return self._worlds[world].get(collection, key)

    def dump(self, world: str) -> dict[str, dict[str, Record]]:
        with self._worlds[world] as opened:
            return {name: dict(records) for name, records in opened.collections.items()}

    def reset(self, world: str, fill: Fill) -> None:
        with self._cleared(world) as opened:
            fill(opened)

    def close(self) -> None:
        """Nothing to release."""

    @contextmanager
    def _cleared(self, world: str) -> Iterator[Transaction]:
        with self._worlds[world] as opened:
            for collection in list(opened.collections):
                for key in list(opened.collections[collection]):
                    opened.delete(collection, key)
            yield opened
