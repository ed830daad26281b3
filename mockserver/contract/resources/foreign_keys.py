"""Foreign keys: members of an item that name an item of another collection, as `customer_id` does of `/customers`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mockserver.contract.resources.identifiers import fits, words
from mockserver.contract.resources.shapes import Shape
from mockserver.http.path_templates import parse_template

#: Confidence if both types are known and fit, and if only the name indicates a foreign key.
_SURE, _BY_NAME = 0.9, 0.7


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Foreign key: a member of an item that names an item of another collection.

    Attributes:
        member: its name.
        collection: path template of that collection.
        sure: confidence, 0 to 1.
        why: the reason for the inference, for people.
    """

    member: str
    collection: str
    sure: float
    why: str


@dataclass(frozen=True, slots=True)
class KnownCollection:
    """Collection among which foreign keys are searched: path template, identifier and shape of its items.

    Attributes:
        collection: its path template.
        identifier: the member that names an item.
        shape: shape of its items.
    """

    collection: str
    identifier: str
    shape: Shape


def foreign_keys(kept: Iterable[KnownCollection]) -> Mapping[str, tuple[ForeignKey, ...]]:
    """Return the foreign keys of each collection that has some, by the collection's path.

    Only collections that are not below an item can be named: for others the parent of the item is unknown. Two
    collections of one name, as in two versions of an API, are not named by any key.
    """
    kept = list(kept)
    named: dict[tuple[str, ...], list[KnownCollection]] = {}
    for one in kept:
        if "{" not in one.collection:
            for name in _singulars(one.collection):
                named.setdefault(name, []).append(one)
    found = {one.collection: tuple(_keys(one, named)) for one in kept}
    return {collection: keys for collection, keys in found.items() if keys}


def _keys(one: KnownCollection, named: Mapping[tuple[str, ...], list[KnownCollection]]) -> Iterator[ForeignKey]:
    placed = {tuple(words(name)) for name in parse_template(one.collection).parameters}  # the path names those
    for member in one.shape.names:
        member_words = tuple(words(member))
        if len(member_words) < 2 or member_words[-1] != "id" or member == one.identifier or member_words in placed:
            continue
        others = named.get(member_words[:-1], [])
        if len(others) != 1 or others[0] is one:
            continue
        key = _key(one.shape.member(member), member, others[0])
        if key is not None:
            yield key


def _key(shape: Shape | None, member: str, other: KnownCollection) -> ForeignKey | None:
    """Return a member as foreign key to another collection; None if the types differ or its schema gives values."""
    there = other.shape.member(other.identifier)
    own, others = (shape.kinds if shape else frozenset()), (there.kinds if there else frozenset())
    if (shape is not None and shape.gives_value) or own & {"array", "object"} or not fits(own, others):
        return None
    why = f"`{member}` is named after an item of {other.collection}, and the `{other.identifier}` of an item "
    why += "has the same type" if own and others else "may have the same type"
    return ForeignKey(member, other.collection, _SURE if own and others else _BY_NAME, why)


def _singulars(collection: str) -> set[tuple[str, ...]]:
    """Return the possible singulars of a collection's name, each as a tuple of words: `/pets` gives `pet`."""
    *first, last = words(collection.rstrip("/").rpartition("/")[2]) or [""]
    forms = {last}
    for ending, singular in (("ies", "y"), ("es", ""), ("s", "")):
        if len(last) > len(ending) + 1 and last.endswith(ending):
            forms.add(last.removesuffix(ending) + singular)
    return {(*first, form) for form in forms}
