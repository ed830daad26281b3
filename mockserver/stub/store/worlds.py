"""Worlds: isolated copies of all state that requests change, created from the seed data on first use."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from mockserver import sources
from mockserver.errors import StateError, UsageError
from mockserver.plugins.transactions import WORLD, Read, Transaction
from mockserver.stub.control.journal import Journal
from mockserver.stub.store.memory import MemoryStore
from mockserver.stub.store.seed import Seed
from mockserver.stub.store.store import Store

DEFAULT_WORLD = "default"
#: More worlds than this are refused: each keeps its seed data and journal.
MAX_WORLDS = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class World:
    """One world, an isolated copy of the stub's state: its name, its store and its journal.

    Attributes:
        start: UNIX time that the clock shows until it is set, or None for the wall clock.
        read: collection and key to record as of now, or None; raises StateError.
    """

    name: str
    store: Store
    journal: Journal
    start: int | None
    read: Read

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Return a transaction on the world's records."""
        return self.store.transaction(self.name)

    def now(self) -> float:
        """Return the world's time in UNIX seconds: that of the wall clock, or the time at which it was stopped."""
        clock = self.read(WORLD, _CLOCK)
        if clock is not None:
            now: float = clock["now"] if clock["now"] is not None else sources.wall_clock() + clock["ahead"]
            return now
        return sources.wall_clock() if self.start is None else self.start

    def set_clock(self, now: int | None) -> None:
        """Stop the world's clock at a UNIX time in seconds, or let it follow the wall clock again for None."""
        with self.transaction() as transaction:
            transaction.put(WORLD, _CLOCK, {"now": now, "ahead": 0})

    def advance_clock(self, seconds: float) -> None:
        """Move the world's clock forward by some seconds, whether it is stopped or running."""
        with self.transaction() as transaction:
            clock = transaction.get(WORLD, _CLOCK) or {"now": self.start, "ahead": 0}
            if clock["now"] is None:
                transaction.put(WORLD, _CLOCK, {"now": None, "ahead": clock["ahead"] + seconds})
            else:
                transaction.put(WORLD, _CLOCK, {"now": clock["now"] + seconds, "ahead": 0})

    def clock_stands(self) -> bool:
        """Tell whether the world's clock is stopped."""
        clock = self.read(WORLD, _CLOCK)
        return self.start is not None if clock is None else clock["now"] is not None


@dataclass(frozen=True)
class Worlds:
    """All worlds in one store."""

    store: Store
    seed: Seed
    clock: int | None = None
    _open: dict[str, World] = field(default_factory=dict)

    def get(self, name: str) -> World:
        """Return the world of a name, created from the seed data on first use.

        Raises:
            ValueError: not a name for a world, or too many worlds; the message says which.
            StateError: the store cannot be read or written.
        """
        world = self._open.get(name)
        if world is None:
            if _NAME.fullmatch(name) is None:
                raise ValueError("a world's name has 1 to 64 letters, digits, dots, dashes and underscores")
            if len(self._open) >= MAX_WORLDS:
                raise ValueError(
                    f"there are {MAX_WORLDS} worlds already; drop some (DELETE /__mock__/world) or use fewer"
                )
            self.store.open_world(name, self.seed.fill)
            # setdefault: of two threads that open a world at once, both get the same journal.
            world = self._open.setdefault(name, World(name, self.store, Journal(), self.clock, self.store.reader(name)))
        return world

    def reset(self, world: World, overlay: str | None = None) -> None:
        """Reset a world to its seed data or one of their overlays; its clock is reset and its journal emptied.

        Raises:
            LookupError: the seed data have no such overlay; the message lists them.
            StateError: the store cannot be written.
        """
        self.store.reset(world.name, self.seed.overlaid(overlay).fill)
        world.journal.clear()

    def drop(self, world: World) -> None:
        """Delete a world with its state and journal; the next use of its name creates a new one.

        Raises:
            ValueError: it is the default world, which is always there.
            StateError: the store cannot be written.
        """
        if world.name == DEFAULT_WORLD:
            raise ValueError("the default world is always there; reset it instead")
        self._open.pop(world.name, None)
        self.store.drop(world.name, self.seed.fill)
        world.journal.clear()


def open_store(url: str, contract: str = "") -> Store:
    """Return the store that `--state` names for a contract with a title: `memory`, or the URL of a SQLite file.

    Raises:
        UsageError: the URL is not usable, or the file cannot be opened.
    """
    if url == "memory":
        return MemoryStore()
    from mockserver.stub.store.sqlite import SqliteStore  # costs start-up time; memory needs none of it

    try:
        return SqliteStore(url, contract)
    except StateError as error:
        raise UsageError(str(error)) from error
