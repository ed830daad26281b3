"""Watched things: an item of the run's own, the list that it is in, or a singleton, read before and after a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, LIST, READ, Collection, Singleton, StateModel
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Session
from mockserver.suite.state.item_paths import entries, joined, names
from mockserver.suite.state.items import Item, Items, written
from mockserver.suite.target.exchange import GONE, Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import NotRun

#: Content and media type of a request.
_Content = tuple[bytes | None, str | None]


class Watched(Protocol):
    """Something that an operation changes, and that another operation shows."""

    @property
    def history(self) -> tuple[Exchange, ...]:
        """The calls that a call on it needs before it."""
        ...

    def renew(self) -> None:
        """Take one that nothing was done to yet, and look at it.

        Raises:
            NotRun: there is none, or nothing shows it.
        """
        ...

    def request(self, identity: Identity | None) -> WireRequest:
        """Return the request that would change it; without credentials if there is no identity."""
        ...

    def change(self) -> str:
        """Return in words what changed since `renew`, "" if nothing did."""
        ...

    def works(self) -> bool:
        """Tell whether the request changes it if somebody makes it who may."""
        ...

    def clean_up(self) -> None:
        """Delete what was made."""
        ...


def watched(model: StateModel, operation: Operation) -> Callable[[Session, Operation], Watched] | None:
    """Return what watches the thing that an operation changes, None if nothing shows what it changes."""
    found = model.collection_of(operation)
    if found is not None and found[1] == CREATE:
        collection = found[0]
        shown = LIST in collection.operations and operation.method == "POST"
        return (lambda session, one: _WatchedList(session, one, collection)) if shown else None
    holder = found[0] if found is not None else model.holding(operation.path)
    if holder is not None:
        shown = {CREATE, READ} <= holder.operations.keys()
        return (lambda session, one: _WatchedItem(session, one, holder)) if shown else None
    singleton = model.singleton_of(operation)
    if singleton is None or "{" in singleton.path:
        return None
    return lambda session, one: _WatchedSingleton(session, one, singleton)


class _Thing(ABC):
    """What the kinds of watched things have in common."""

    def __init__(self, session: Session, operation: Operation) -> None:
        self.session = session
        self.operation = operation
        self.items = Items(session)
        self.body: _Content = (None, None)

    @abstractmethod
    def change(self) -> str:
        """Return in words what changed, as `Watched.change`."""

    @abstractmethod
    def request(self, identity: Identity | None) -> WireRequest:
        """Return the request that would change it, as `Watched.request`."""

    def works(self) -> bool:
        """Tell whether the request changes it if somebody makes it who may."""
        caller = self.session.run.allowed(self.operation)
        response = self.session.call(self.operation, self.request(caller))
        return response.successful and bool(self.change())

    def clean_up(self) -> None:
        """Delete what was made."""
        self.items.clean_up()

    def _fresh(self) -> _Content:
        value, _ = self.items.fresh_body(self.operation)
        return self.session.valid_body(self.operation) if value is None else written(self.operation, value)


class _WatchedItem(_Thing):
    """An item of the run's own, which the operation is about, or below which it is."""

    item: Item

    def __init__(self, session: Session, operation: Operation, collection: Collection) -> None:
        super().__init__(session, operation)
        self._collection = collection

    @property
    def history(self) -> tuple[Exchange, ...]:
        return (self.item.created,)

    def renew(self) -> None:
        self.item = self.items.create(self._collection)
        self.body = self._fresh()
        self._before = self._look("once it was created")
        self._again = self._look("when it was read again")

    def request(self, identity: Identity | None) -> WireRequest:
        body, media_type = self.body
        return self.items.request(
            self.operation, self.item, identity, anonymous=identity is None, body=body, media_type=media_type
        )

    def change(self) -> str:
        response = self.items.read(self.item)
        where = f"GET {self.item.path}"
        if response.status in GONE:
            self.items.gone.add(self.item.path)
            return f"the item was gone ({where}: {response.status})"
        if not response.successful:
            return ""
        return f"the item had changed ({where})" if differs(self._before, self._again, _value(response)) else ""

    def _look(self, when: str) -> Any:
        response = self.items.read(self.item)
        if not response.successful:
            raise NotRun(f"an item of the run's own was answered with {response.status} {when}")
        return _value(response)


class _WatchedList(_Thing):
    """A list in which an item of the run's own stands, and to which the operation would add another one."""

    item: Item

    def __init__(self, session: Session, operation: Operation, collection: Collection) -> None:
        super().__init__(session, operation)
        self._collection = collection
        self._known: frozenset[str] = frozenset()

    @property
    def history(self) -> tuple[Exchange, ...]:
        return tuple(parent.created for parent in self.item.parents)

    def renew(self) -> None:
        self.item = self.items.create(self._collection)
        self.body = self._fresh()
        self._known = frozenset(self._names())
        if self.item.name not in self._known:
            raise NotRun("the list does not show what the run created, so that it would show nothing else")

    def request(self, identity: Identity | None) -> WireRequest:
        body, media_type = self.body
        return self.items.request(
            self.operation, self.item, identity, anonymous=identity is None, body=body, media_type=media_type
        )

    def change(self) -> str:
        new = [name for name in self._names() if name not in self._known]
        for name in new:
            self.session.run.guard.adopt(self._collection.item, joined(self._collection, self.item.list_path, name))
        return f"the list showed a new item (GET {self.item.list_path})" if new else ""

    def _names(self) -> Iterator[str]:
        response = self.items.list(self.item)
        if not response.successful:
            raise NotRun(f"the list was answered with {response.status}")
        for entry in entries(self._collection, json_or_none(response)):
            yield from list(names(self._collection, entry))[:1]


class _WatchedSingleton(_Thing):
    """A resource that is there once."""

    history: tuple[Exchange, ...] = ()

    def __init__(self, session: Session, operation: Operation, singleton: Singleton) -> None:
        super().__init__(session, operation)
        self._singleton = singleton

    def renew(self) -> None:
        self.body = self._fresh()
        self._before, self._again = self._look(), self._look()

    def request(self, identity: Identity | None) -> WireRequest:
        body, media_type = self.body
        return self.session.request(self.operation, identity, body=body, media_type=media_type)

    def change(self) -> str:
        changed = differs(self._before, self._again, self._look())
        return f"it had changed (GET {self._singleton.path})" if changed else ""

    def _look(self) -> Any:
        read = self._singleton.read
        self.session.run.need(read)
        response = self.session.call(read, self.session.valid_request(read, self.session.run.allowed(read)))
        if not response.successful and response.status not in GONE:
            raise NotRun(f"{read.label} was answered with {response.status}")
        return _value(response)


def _value(response: WireResponse) -> Any:
    """Return what a response shows: its JSON value, else its content, and whether it is there at all."""
    value = json_or_none(response)
    return {"status": response.status, "value": response.body if value is None else value}


def differs(before: Any, again: Any, after: Any) -> bool:
    """Tell whether a value changed, apart from what differs from one read to the next."""
    first, second, last = (dict(_leaves(value, ())) for value in (before, again, after))
    if first.keys() ^ second.keys():
        return False  # it is never the same
    restless = {place for place in first if first[place] != second[place]}
    return any(first.get(place) != last.get(place) for place in (first.keys() | last.keys()) - restless)


def _leaves(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    members: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not members and not isinstance(value, dict | list):
        yield place, value
    for name, member in members:
        yield from _leaves(member, (*place, name))
