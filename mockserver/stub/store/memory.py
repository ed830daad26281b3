"""Store that keeps all state in the memory of one process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType

from mockserver.plugins.transactions import Read, Record, Transaction
from mockserver.stub.store.store import Fill

_NO_RECORDS: dict[str, Record] = {}


class _MemoryWorld:
    """One world in memory with its open transaction; only one thread at a time can hold it."""

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
        """Return a record of the world as of the last committed transaction."""
        records = self._records.get(collection)
        return None if records is None else records.get(key)

    def dump(self) -> dict[str, dict[str, Record]]:
        """Return all records of the world as of the last committed transaction."""
        with self._lock:
            return {name: dict(records) for name, records in self._records.items()}

    def clear(self) -> None:
        """Delete all records of the world within the open transaction."""
        self._cleared = True
        self._changes.clear()

    def get(self, collection: str, key: str) -> Record | None:
        if self._changes and (collection, key) in self._changes:
            return self._changes[collection, key]
        return None if self._cleared else self.read(collection, key)

    def items(self, collection: str) -> Mapping[str, Record]:
        if not self._changes and not self._cleared:
            # Nothing changes the records as long as the transaction is open, so they need not be copied.
            return MappingProxyType(self._records.get(collection, _NO_RECORDS))
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
    """Store that keeps all state in memory for as long as the process lives."""

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
        """Do nothing: a store in memory has nothing to release."""
