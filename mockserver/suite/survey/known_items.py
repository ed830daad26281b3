"""Known items: identifiers that responses of the target showed, by path template, and which of them the run created.

An **item template** is a path template up to a parameter that is a whole segment: `/servers/{id}/zones/{zone}/export`
has two, `/servers/{id}` and `/servers/{id}/zones/{zone}`. Templates that differ in nothing but names are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.resources.identifiers import words
from mockserver.http.path_templates import parse_template
from mockserver.http.styles import primitive

#: So many items are kept for a template, and so many values for a name: more would be of no use.
_MOST = 40
_FEW = 5
#: Last words of names that identify a thing.
IDENTIFYING = frozenset({"id", "uuid", "guid", "key", "slug", "code", "name", "number", "ref"})
Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item of the target.

    Attributes:
        template: its item template, without names of parameters.
        values: of the template's parameters, in order.
        own: whether the run created it.
        world: the world that it is in, None for all.
        listed: whether the list of its collection showed it, under a name that leaves no doubt.
    """

    template: str
    values: tuple[Any, ...]
    own: bool = False
    world: str | None = None
    listed: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as they stand in a path."""
        return tuple(map(primitive, self.values))


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value that a response showed under a name such as `customer_id`; attributes as of `KnownItem`."""

    value: Any
    own: bool = False
    world: str | None = None


def item_templates(path: str) -> Iterator[str]:
    """Yield the item templates of a path, the longest first."""
    segments = path.split("/")
    for index in range(len(segments), 0, -1):
        if parse_template(segments[index - 1]).name:
            yield "/".join(segments[:index])


def nameless(template: str) -> str:
    """Return an item template without names and without a last slash, as the key of known items."""
    return parse_template(template.rstrip("/")).nameless


def names_of(template: str) -> tuple[Name, ...]:
    """Return the names under which others may speak of the items of a template: `(pet, id)` of `/pets/{petId}`."""
    head, _, last = template.rstrip("/").rpartition("/")
    own = tuple(words(parse_template(last).name))
    segment = next((one for one in reversed(head.split("/")) if one and not parse_template(one).parameters), "")
    things = singulars(segment)
    last_word = own[-1] if own and own[-1] in IDENTIFYING else "id"
    # A name of one word, such as `id`, says nothing without the collection.
    found = [own] if len(own) > 1 else []
    found += [(*thing, last_word) for thing in things]
    found += [(*own, "id")] if len(own) == 1 and own[0] not in IDENTIFYING else []
    return tuple(dict.fromkeys(found))


def singulars(segment: str) -> tuple[Name, ...]:
    """Return the possible singulars of a path segment, each as words: `order-items` gives `(order, item)`."""
    found = words(segment)
    if not found:
        return ()
    *first, last = found
    forms = [last]
    for ending, singular in (("ies", "y"), ("sses", "ss"), ("es", ""), ("s", "")):
        if len(last) > len(ending) + 1 and last.endswith(ending):
            forms.append(last.removesuffix(ending) + singular)
    return tuple((*first, form) for form in dict.fromkeys(reversed(forms)))


@dataclass(slots=True)
class KnownItems:
    """What is known of the items of a target: identifiers by template and by name, and what is gone."""

    contract: Contract
    _items: dict[str, list[KnownItem]] = field(default_factory=dict)
    _named: dict[Name, list[NamedValue]] = field(default_factory=dict)
    _seen: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)
    _gone: set[tuple[str | None, str, tuple[str, ...]]] = field(default_factory=set)
    _collections: frozenset[str] = field(init=False)
    #: Raised with each new identifier, so that what failed for want of one is tried again.
    learned: int = 0

    def __post_init__(self) -> None:
        self._collections = frozenset(
            nameless(one.path) for one in self.contract.operations if one.method in {"GET", "POST"}
        )

    def is_collection(self, path: str) -> bool:
        """Tell whether the contract has a list or a creation at a path."""
        return nameless(path or "/") in self._collections

    def add(self, item: KnownItem) -> bool:
        """Note an item; return whether it was not known before."""
        found = self._items.setdefault(item.template, [])
        self._gone.discard((item.world, item.template, item.texts))
        for index, known in enumerate(found):
            # One that is known already was not created now, whatever a response says.
            if known.texts == item.texts and (not item.own or known.world in {None, item.world}):
                if item.listed and not known.listed:
                    found[index] = replace(known, listed=True)
                return False
        if len(found) >= _MOST:
            found.pop(next((index for index, known in enumerate(found) if not known.own), 0))
        found.append(item)
        self.learned += 1
        return True

    def add_named(self, name: Name, value: Any, *, own: bool, world: str | None) -> None:
        """Note a value that a response showed under a name."""
        found = self._named.setdefault(name, [])
        if len(found) < _MOST and all(primitive(known.value) != primitive(value) for known in found):
            found.append(NamedValue(value, own, world))
            self.learned += 1

    def add_seen(self, name: str, value: Any, path: str) -> None:
        """Note a value that a response of a path showed in a member of a name."""
        found = self._seen.setdefault(name, [])
        if sum(place == path for _, place in found) < _FEW and all(known != value for known, _ in found):
            found.append((value, path))

    def seen(self, name: str, path: str) -> list[Any]:
        """Return values that responses showed in members of a name, those first whose path is nearest to a path."""
        found = sorted(self._seen.get(name, ()), key=lambda one: -_shared(one[1], path))
        return [value for value, _ in found[:_FEW]]

    def adopt(self, template: str, texts: tuple[str, ...], world: str | None) -> KnownItem | None:
        """Note that the run created an item which a list showed afterwards; return it, None if it is not known."""
        found = self._items.get(nameless(template), [])
        for index, known in enumerate(found):
            if known.texts == texts:
                found[index] = replace(known, own=True, world=world)
                return found[index]
        return None

    def remove(self, template: str, values: tuple[Any, ...], world: str | None) -> None:
        """Note that an item is gone, and with it what is below it."""
        texts = tuple(map(primitive, values))
        own = nameless(template)
        self._gone.add((world, own, texts))
        for other, items in self._items.items():
            if other.startswith(f"{own}/"):
                self._gone |= {(world, other, one.texts) for one in items if one.texts[: len(texts)] == texts}

    def there(self, template: str, world: str | None = None, *, own: bool = False) -> list[KnownItem]:
        """Return the items of a template that exist, as far as is known; with `own` those alone that the run made."""
        key = nameless(template)
        found = [one for one in self._items.get(key, ()) if one.world in {None, world}]
        found += self._by_name(template, world)
        return [one for one in found if (one.own or not own) and not self._is_gone(one, world)]

    def named(self, name: Name, world: str | None = None) -> list[Any]:
        """Return the values known under a name."""
        return [one.value for one in self._named.get(name, ()) if one.world in {None, world}]

    def was_listed(self, template: str, values: tuple[Any, ...]) -> bool:
        """Tell whether the list of its collection showed an item."""
        texts = tuple(map(primitive, values))
        return any(one.listed and one.texts == texts for one in self._items.get(nameless(template), ()))

    def has_shown(self, value: Any) -> bool:
        """Tell whether a value is one that a response showed as the identifier of something."""
        text = primitive(value) if isinstance(value, str | int) else ""
        return any(text == primitive(one.value) for found in self._named.values() for one in found) or any(
            text in one.texts for found in self._items.values() for one in found
        )

    def _by_name(self, template: str, world: str | None) -> Iterator[KnownItem]:
        """Yield items of no collection whose last parameter is known by its name alone, below items that are there."""
        if self.is_collection(template.rstrip("/").rpartition("/")[0]):
            return
        values = [one for name in names_of(template) for one in self._named.get(name, ()) if one.world in {None, world}]
        if not values:
            return
        head = template.rstrip("/").rpartition("/")[0]
        above = next(item_templates(head), "")
        parents = self.there(above, world)[:2] if above else [KnownItem("", ())]
        key, count = nameless(template), len(parse_template(template).parameters)
        for parent in parents:
            for one in values:
                found = (*parent.values, one.value)
                if len(found) == count:
                    yield KnownItem(key, found, one.own, one.world)

    def is_gone(self, template: str, values: tuple[Any, ...], world: str | None) -> bool:
        """Tell whether an item was deleted, in a world or in all of them."""
        texts = tuple(map(primitive, values))
        return any((place, nameless(template), texts) in self._gone for place in {None, world})

    def _is_gone(self, item: KnownItem, world: str | None) -> bool:
        return any((place, item.template, item.texts) in self._gone for place in {None, item.world, world})

    def candidates(
        self,
        operation: Operation,
        world: str | None = None,
        *,
        own: bool = False,
        fixed: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[dict[str, Any], KnownItem]]:
        """Yield path parameters of an operation that name known items, with the item, the most special first.

        Args:
            operation: what is to be called.
            world: where.
            own: only about items that the run made.
            fixed: parameters that have a value already; others have to agree with it.
        """
        given = {name: primitive(value) for name, value in (fixed or {}).items()}
        for template in item_templates(operation.path):
            parameters = parse_template(template).parameters
            found = self.there(template, world, own=own)
            if operation.method == "DELETE":
                found.reverse()  # the last one that was made, so that others are there for longer
            for item in sorted(found, key=lambda one: not one.own):
                values = dict(zip(parameters, item.values, strict=True))
                if all(given.get(name, primitive(value)) == primitive(value) for name, value in values.items()):
                    yield values, item


def _shared(one: str, other: str) -> int:
    """Return how many segments two paths have in common at their beginning."""
    pairs = list(zip(one.split("/"), other.split("/"), strict=False))
    return next((index for index, (first, second) in enumerate(pairs) if first != second), len(pairs))
