"""Representation of stored items in the form of an operation's documented response."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.resources.shapes import SchemaShape, Shape, json_content, response_validity, shape_of
from mockserver.http.pointers import lookup, split
from mockserver.stub.crud.pagination import PageUrls, cursors, envelopes
from mockserver.stub.crud.queries import Page

Item = dict[str, Any]

_NUMBERS = frozenset({"integer", "number"})
_WHOLE = re.compile(r"-?[0-9]{1,15}")


def value_at(value: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer, None if there is none."""
    try:
        return lookup(value, pointer)
    except (LookupError, ValueError):
        return None


def with_value(value: Any, pointer: str, new: Any) -> Any:
    """Return a JSON value with a new value at a pointer; missing objects on the way are created."""
    if not pointer:
        return new
    name, _, rest = pointer[1:].partition("/")
    rest = f"/{rest}" if rest else ""
    if isinstance(value, list):
        index = int(name) if name.isdecimal() else 0
        items = value or [None]
        return [with_value(item, rest, new) if place == index else item for place, item in enumerate(items)]
    around = value if isinstance(value, dict) else {}
    member = split(f"/{name}")[0]
    return {**around, member: with_value(around.get(member), rest, new)}


class Presentation:
    """Builder of the successful responses of one operation that show items.

    Attributes:
        names: members that an item has in the response, empty if unknown.
        is_valid: tells whether the whole content of a response is valid against its schema.
        needs_template: whether a response that shows an item has anything else in it.
    """

    def __init__(self, contract: Contract, operation: Operation, pointer: str) -> None:
        self._pointer = pointer
        media_type = json_content(operation)
        self.has_content = media_type is not None
        self.is_valid = response_validity(contract, media_type)
        shape = item_shape(contract, media_type, pointer)
        self.names = frozenset(() if shape is None else shape.names)
        self._shape = shape
        self._kinds: dict[str, frozenset[str]] = {}
        self._open = isinstance(shape, SchemaShape) and shape.open
        self.needs_template = bool(pointer)
        examples = media_type.examples.values() if media_type is not None else ()
        shown = [value_at(example.value, pointer) for example in examples]
        first = [one[0] if isinstance(one, list) and one else one for one in shown]
        self._known = self.names.union(*(one for one in first if isinstance(one, dict)))
        token = split(pointer)
        #: The one member around the item, "" if it is deeper or the item is the whole.
        self._member = token[0] if len(token) == 1 and not token[0].isdecimal() else ""
        self._chooses = isinstance(shape, SchemaShape) and shape.chooses

    def show(self, item: Item, template: Any) -> tuple[Any, bool]:
        """Return the whole response content with an item in it, and whether that content is valid."""
        base = value_at(template, self._pointer)
        base = base if isinstance(base, dict) else {}
        shown = self.shown(item, base)
        whole = self.around(shown, template)
        if self.is_valid(whole):
            return whole, True
        shown = self._converted(shown)
        whole = self.around(shown, template)
        if self.is_valid(whole):
            return whole, True
        if self.is_valid(self.around({**base, **shown}, template)):
            return self.around(self._least(shown, base, template), template), True
        kept = dict(base)
        if not self.is_valid(self.around(kept, template)):
            return self.around({**base, **shown}, template), False
        for name, value in shown.items():
            if self.is_valid(self.around({**kept, name: value}, template)):
                kept[name] = value
        return self.around(kept, template), True

    def _converted(self, item: Item) -> Item:
        """Return an item with numbers as text, and text as numbers, where the schema of this response has the other."""
        changed: Item = {}
        for name, value in item.items():
            kinds = self._kinds.get(name)
            if kinds is None:
                member = self._shape.member(name) if self._shape is not None else None
                kinds = self._kinds[name] = member.kinds if member is not None else frozenset()
            if (
                isinstance(value, str)
                and kinds
                and "string" not in kinds
                and kinds & _NUMBERS
                and _WHOLE.fullmatch(value)
            ):
                changed[name] = int(value)
            elif type(value) is int and "string" in kinds and not kinds & _NUMBERS:
                changed[name] = f"{value}"
        return {**item, **changed} if changed else item

    def around(self, shown: Any, template: Any) -> Any:
        """Return the whole response content with an item, as it is shown, in place of that in a template."""
        if not self._pointer:
            return shown
        if self._member and isinstance(template, dict):
            return {**template, self._member: shown}
        return with_value(template, self._pointer, shown)

    def alone(self, item: Item) -> Any:
        """Return the content of a response that is an item and nothing else; None if it is not valid as it is."""
        known = self._known
        shown = item if not known or self._open or item.keys() <= known else _only(item, known)
        return shown if self.is_valid(shown) else None

    def _least(self, shown: Item, base: Item, template: Any) -> Item:
        """Return an item with only those members taken from the example that its schema requires."""
        kept = {**base, **shown}
        if self._chooses:
            return kept
        for name in [name for name in base if name not in shown]:
            without = {other: value for other, value in kept.items() if other != name}
            if self.is_valid(self.around(without, template)):
                kept = without
        return kept

    def shown(self, item: Item, base: Mapping[str, Any]) -> Item:
        """Return the members of an item that the response documents; an open object has any."""
        known = self._known
        if self._open or item.keys() <= known:
            return item
        known = known | base.keys()
        return _only(item, known) if known else item

    def show_all(
        self, chosen: Page, template: Any, *, by_cursor: bool, urls: PageUrls | None = None
    ) -> tuple[Any, bool]:
        """Return the whole response content with a list of items in it, and whether that content is valid.

        Args:
            chosen: the page: items, total and cursor.
            template: content of the response without state.
            by_cursor: whether clients ask for the next page by a cursor.
            urls: those of the pages around.
        """
        listed = value_at(template, self._pointer)
        base = next((one for one in listed if isinstance(one, dict)), {}) if isinstance(listed, list) else {}
        shown = [self.shown(item, base) for item in chosen.items]
        for candidates in self._forms(shown, base):
            for envelope in self._envelopes(template, chosen, by_cursor=by_cursor, urls=urls):
                whole = self.around(candidates, envelope)
                if self.is_valid(whole):
                    return whole, True
        shown = [self._converted(one) for one in shown]
        fitted = [one for item in shown if (one := self._alone_in_list(item, base, template)) is not None]
        whole = self.around(fitted, template)
        return whole, self.is_valid(whole)

    def _forms(self, shown: list[Item], base: Item) -> Iterator[list[Item]]:
        """Yield items as a list may show them: as they are, with converted numbers, and filled from an example."""
        yield shown
        converted = [self._converted(one) for one in shown]
        yield converted
        yield [{**base, **one} for one in converted]

    def _envelopes(self, template: Any, chosen: Page, *, by_cursor: bool, urls: PageUrls | None) -> Iterator[Any]:
        """Yield a list response's template with pagination members changed for a page, best first, then unchanged."""
        parent = self._pointer.rpartition("/")[0]
        around = value_at(template, parent) if self._pointer else None
        if isinstance(around, dict):
            for envelope in envelopes(around, chosen, by_cursor=by_cursor, urls=urls):
                yield with_value(template, parent, envelope)
        yield template

    def cursors(self, template: Any) -> frozenset[str]:
        """Return the cursors of a next page in the template of a list response."""
        return frozenset(cursors(value_at(template, self._pointer.rpartition("/")[0]) if self._pointer else None))

    def _alone_in_list(self, item: Item, base: Item, template: Any) -> Item | None:
        """Return an item as a list can show it: as it is, filled or fitted; None if none of these is valid."""
        for one in (item, {**base, **item}, self._fitted(item, base, template)):
            if self.is_valid(self.around([one], template)):
                return one
        return None

    def _fitted(self, item: Item, base: Item, template: Any) -> Item:
        """Return the example's item with each member of another item that keeps it valid."""
        kept = dict(base)
        for name, value in item.items():
            if self.is_valid(self.around([{**kept, name: value}], template)):
                kept[name] = value
        return kept


def _only(item: Item, known: Collection[str]) -> Item:
    return {name: value for name, value in item.items() if name in known}


def item_shape(contract: Contract, media_type: MediaType | None, pointer: str) -> Shape | None:
    """Return the shape (members and their schemas) of an item in a response, None if unknown."""
    shape: Shape | None = None if media_type is None else shape_of(contract, media_type)
    for token in split(pointer):
        if shape is None:
            return None
        shape = shape.item if token.isdecimal() and shape.item is not None else shape.member(token)
    if shape is not None and not shape.names and shape.item is not None:
        shape = shape.item
    return shape
