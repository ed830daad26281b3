"""Records of the items of a collection, as one operation reaches them: found by any identifier, numbered, never lost.

::

    seeds (what the contract's examples show) ── overlaid by ── this world's records

No step costs more the more items there are, but for a list of them and the first number of a collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.contract.model import Behaviour
from mockserver.contract.resources.shapes import SchemaShape, Shape
from mockserver.http.pointers import child, split
from mockserver.plugins.transactions import Record, Transaction
from mockserver.stub.crud.collection_names import NAMES, PREFIX, item_path, segment, without_names
from mockserver.stub.crud.queries import as_text
from mockserver.stub.crud.representation import Item, value_at, with_value

#: The store's collection of the number that each collection of items has counted to.
_NUMBERS = "numbers"
NO_ITEMS: Mapping[str, Item] = {}


class Identity:
    """Where an item has its identifier: in a member, or by a JSON pointer below one; nowhere if the name is empty."""

    def __init__(self, named: str) -> None:
        self.name = named
        self._pointer = named if named.startswith("/") else ""
        #: The member of the item that has it, or has it below.
        self.member = split(named)[0] if self._pointer else named
        #: The member of the item around it, "" where there is none.
        self.around = self.member if len(split(self._pointer)) == 2 else ""

    def of(self, item: Item) -> Any:
        """Return the identifier of an item, None if it has none."""
        if self._pointer:
            return value_at(item, self._pointer)
        return item.get(self.name) if self.name else None

    def given(self, item: Item, value: Any) -> Item:
        """Return an item with an identifier."""
        if self._pointer:
            changed: Item = with_value(item, self._pointer, value)
            return changed
        return {**item, self.name: value} if self.name else item

    def below(self, place: str) -> str:
        """Return the JSON pointer of the identifier in what holds the item at a pointer."""
        return place + (self._pointer or child("", self.name))


class Found(NamedTuple):
    """Item that a key leads to.

    Attributes:
        key: the key that it is stored under.
        item: None if it is not known, or was deleted.
        gone: whether it was deleted.
        changed: whether this world has a record of it.
        made: whether it was created in this world.
    """

    key: str
    item: Item | None
    gone: bool
    changed: bool
    made: bool = False


class ItemRecords:
    """Items of one collection in one transaction.

    Attributes:
        path: of the collection, with the values of its parameters.
        seeds: items that were there at first, by key.
    """

    __slots__ = ("_collection", "_names", "_seed_names", "_transaction", "path", "seeds")

    def __init__(
        self,
        transaction: Transaction,
        path: str,
        names: tuple[str, ...],
        seeds: Mapping[str, Item],
        seed_names: Mapping[str, str],
    ) -> None:
        """Look at the collection at a path, whose items are found by some members besides the identifier."""
        self._transaction = transaction
        self.path = self._collection = path
        self._names = names
        self._seed_names = seed_names
        self.seeds = seeds

    def find(self, key: str) -> Found:
        """Return the item that any of its identifiers leads to."""
        record = self._transaction.get(PREFIX + self._collection, key)
        if record is None and key not in self.seeds:
            other = self._transaction.get(NAMES + self._collection, key)
            named = self._seed_names.get(key) if other is None else other["key"]
            if named is not None:
                key = named
                record = self._transaction.get(PREFIX + self._collection, key)
        if record is None:
            return Found(key, self.seeds.get(key), gone=False, changed=False)
        return Found(key, self.item_in(record), gone="gone" in record, changed=True, made="made" in record)

    def item_in(self, record: Record) -> Item | None:
        """Return the item in a record; that of another collection if the record leads there; None if it was deleted."""
        if "at" in record:
            there = self._transaction.get(PREFIX + record["at"], record["key"])
            return None if there is None else there.get("item")
        item: Item | None = record.get("item")
        return item

    def known(self, key: str) -> bool:
        """Tell whether a key is or was that of an item."""
        return key in self.seeds or self._transaction.get(PREFIX + self._collection, key) is not None

    def put(self, key: str, item: Item, *, before: Item | None, made: bool, more: Iterable[Any]) -> None:
        """Store an item under a key, with an entry for each other identifier that it has.

        Args:
            key: text of its identifier.
            item: as it is now.
            before: as it was, None if it is created.
            made: whether it was created in this world.
            more: identifiers that it has beside its members.
        """
        record: Record = {"item": item, "made": True} if made else {"item": item}
        self._transaction.put(PREFIX + self._collection, key, record)
        for name in self._names:
            text = _text_of(item, name)
            old = None if before is None else _text_of(before, name)
            if text != old:
                self._rename(key, old, text)
        for value in more:
            self._rename(key, None, as_text(value))

    def put_reference(self, key: str, path: str, there: str) -> None:
        """Store that an item of another collection, at a path and key there, is one of this collection, too."""
        self._transaction.put(PREFIX + self._collection, key, {"at": path, "key": there})

    def _rename(self, key: str, old: str | None, text: str | None) -> None:
        collection = NAMES + self._collection
        if old is not None:
            entry = self._transaction.get(collection, old)
            if entry is not None and entry["key"] == key:
                self._transaction.delete(collection, old)
        if text is None or text == key:
            return
        entry = self._transaction.get(collection, text)
        owner = None if entry is None else self._transaction.get(PREFIX + self._collection, entry["key"])
        if entry is None or entry["key"] == key or owner is None or "gone" in owner:
            self._transaction.put(collection, text, {"key": key})

    def remove(self, key: str) -> None:
        """Delete an item; whatever led to it leads to a deleted item from now on."""
        self._transaction.put(PREFIX + self._collection, key, {"gone": True})

    def forget(self, key: str) -> None:
        """Delete the record of an item, so that it is as it was at first."""
        self._transaction.delete(PREFIX + self._collection, key)

    @property
    def changes(self) -> Mapping[str, Record]:
        """Records of this world by key, those of deleted items included."""
        return self._transaction.items(PREFIX + self._collection)

    def all(self) -> list[Item]:
        """Return all items, those that were there at first before others."""
        changes = self.changes
        if not changes:
            return list(self.seeds.values())
        found: list[Item] = []
        for key, seed in self.seeds.items():
            record = changes.get(key)
            item = seed if record is None else self.item_in(record)
            if item is not None:
                found.append(item)
        seeds = self.seeds
        others = (
            changes.values()
            if seeds.keys().isdisjoint(changes)
            else (changes[key] for key in changes if key not in seeds)
        )
        shown = [record["item"] if "item" in record else self.item_in(record) for record in others]
        return found + [item for item in shown if item is not None]

    def next_numbers(self, number_of: Callable[[str], int], member: str = "") -> Iterator[int]:
        """Yield the numbers of new items, and keep that they were given.

        Args:
            number_of: reads a number from an identifier.
            member: the member that has the identifier, "" for that of the key.
        """
        counter = f"{self._collection} {member}" if member else self._collection
        counted = self._transaction.get(_NUMBERS, counter)
        if counted is not None:
            number = int(counted["last"])
        else:
            keys = [as_text(item.get(member)) for item in self.all()] if member else [*self.seeds, *self.changes]
            number = max((number_of(key) for key in keys), default=0)
        while True:
            number += 1
            self._transaction.put(_NUMBERS, counter, {"last": number})
            yield number

    def note_number(self, number: int) -> None:
        """Keep that a client gave a number itself, so that the server does not give it out later."""
        counted = self._transaction.get(_NUMBERS, self._collection)
        if counted is not None and number > counted["last"]:
            self._transaction.put(_NUMBERS, self._collection, {"last": number})


def _text_of(item: Item, name: str) -> str | None:
    value = item.get(name)
    return None if value is None or isinstance(value, dict | list | bool) or value == "" else as_text(value)


def names_of(items: Mapping[str, Item], names: tuple[str, ...]) -> dict[str, str]:
    """Return the key of each item by each of its other identifiers."""
    found: dict[str, str] = {}
    for key, item in items.items():
        for name in names:
            text = _text_of(item, name)
            if text is not None:
                found.setdefault(text, key)
    return found


class Contained:
    """Collections whose items stand in a member of what they are below.

    `/cart` shows in its member `items` what was sent to `/cart/items`.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        relatives: Mapping[str, Behaviour],
        shape: Shape | None,
        seeds_of: Callable[[str], Mapping[str, Item]],
    ) -> None:
        """Find the collections below an item that a member of the item is named after.

        Args:
            behaviour: of the operation that shows the item.
            relatives: the behaviours of all operations around, by `operationId`.
            shape: shape of the item.
            seeds_of: gives the items that a resource has at first.
        """
        self._seeds_of = seeds_of
        self._single = not behaviour.parameter
        own = without_names(item_path(behaviour))
        self._members: list[tuple[str, str, Behaviour, frozenset[str]]] = []
        for one in relatives.values():
            above, _, word = without_names(one.resource).rpartition("/")
            member = shape.member(word) if shape is not None and above == own and word in shape.names else None
            if (
                member is None
                or member.item is None
                or not one.parameter
                or any(word == known for known, *_ in self._members)
            ):
                continue
            open_item = isinstance(member.item, SchemaShape) and member.item.open
            known = frozenset() if open_item else frozenset(member.item.names)
            self._members.append((word, "/" * one.resource.endswith("/"), one, known))

    def __bool__(self) -> bool:
        return bool(self._members)

    def shown(self, transaction: Transaction, path: str, key: str, item: Item, *, made: bool) -> Item:
        """Return an item with what is below it now.

        Args:
            transaction: on the world.
            path: of the item's own collection, or of the one thing.
            key: of the item.
            item: as it is stored, or as the example shows it.
            made: whether it was created in this world, so that nothing was below it at first.
        """
        here = path if self._single else f"{path.rstrip('/')}/{segment(key)}"
        for word, tail, one, known in self._members:
            seeds = {} if made else self._seeds_of(one.resource)
            records = ItemRecords(transaction, f"{here.rstrip('/')}/{word}{tail}", one.names, seeds, {})
            if not records.changes and not made:
                continue
            found = records.all()
            item = {**item, word: [{n: v for n, v in each.items() if n in known} if known else each for each in found]}
        return item
