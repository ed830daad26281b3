"""Identifier reader: which items a response of the target shows, or that a call created or deleted one.

Identifiers are read from `Location`, from URLs and paths that match the contract's, from the items of lists, from the
content of a creation, and from members such as `customer_id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from mockserver.contract.model import Contract, Operation
from mockserver.contract.resources.identifiers import identifier, words
from mockserver.contract.resources.shapes import ExampleShape
from mockserver.http.path_templates import parse_template
from mockserver.suite.survey.known_items import KnownItem, KnownItems, item_templates, nameless, names_of, singulars
from mockserver.suite.target.exchange import WireRequest, WireResponse, json_or_none, sent_json
from mockserver.suite.target.paths import read_off

#: Limits of what is read of one response.
_MOST_ITEMS, _MOST_VALUES, _DEPTH, _SHORT = 20, 2000, 6, 80
#: Below this confidence a member is not taken for the identifier.
_SURE_ENOUGH = 0.46
#: From this one on it is.
_NO_DOUBT = 0.8
#: Last words of members whose values name things.
_NAMING = frozenset({"id", "uuid", "guid"})
#: Members that hold the items of a list, where there are several lists.
_OF_ITEMS = ("items", "data", "results", "value", "content", "records", "entries", "members", "list", "_embedded")
_OK, _CREATED = 200, 201


class IdentifierReader:
    """Reads identifiers from the exchanges of a run into its known items."""

    def __init__(self, contract: Contract, items: KnownItems, base_path: str = "") -> None:
        """Create a reader.

        Args:
            contract: whose paths and operations tell what a response is about.
            items: where the identifiers are noted.
            base_path: path of the target's base URL, which URLs in responses begin with.
        """
        self._items = items
        self._base = base_path.rstrip("/")
        self._templates: dict[str, str] = {}
        for operation in contract.operations:
            for template in item_templates(operation.path):
                self._templates.setdefault(nameless(template), template.rstrip("/"))
        #: Paths of the contract, without names: not every item template is one.
        self._paths = {nameless(operation.path) for operation in contract.operations}
        #: Item templates by the path of their collection, without its names.
        self._below: dict[str, list[str]] = {}
        for template in self._templates.values():
            head, _, _ = template.rpartition("/")
            self._below.setdefault(nameless(head or "/"), []).append(template)
            above, _, before = head.rpartition("/")
            if parse_template(before).name and above:
                # `/autoprimaries/{ip}/{nameserver}`: two members of an item name it together.
                self._below.setdefault(nameless(above), []).append(template)

    def template(self, key: str) -> str:
        """Return an item template with its names, by itself without."""
        return self._templates[key]

    def is_creation(self, operation: Operation) -> bool:
        """Tell whether an operation may create items: a POST on the path of a collection."""
        return operation.method == "POST" and bool(self._below.get(nameless(operation.path)))

    def made_by(self, operation: Operation) -> tuple[str, ...]:
        """Return the item templates of a collection, at an operation's path."""
        return tuple(self._below.get(nameless(operation.path), ()))

    def read(
        self, operation: Operation, request: WireRequest, response: WireResponse, world: str | None
    ) -> list[KnownItem]:
        """Note the identifiers that a successful exchange shows; return the items that it created.

        Args:
            operation: that was called.
            request: what was sent.
            response: a 2xx.
            world: where it was, None for a target without worlds.
        """
        path = request.path.partition("?")[0]
        around = read_off(operation.path, path)
        content = json_or_none(response)
        if operation.method == "DELETE":
            self._note_removal(operation, around, world)
            return []
        makes = operation.method == "POST" or (operation.method == "PUT" and response.status == _CREATED)
        self._note_path(operation, around, response, world)
        made = list(self._made(operation, around, request, response, content, world)) if makes else []
        if operation.method == "GET":
            self._note_list(operation, around, content)
        self._note_below(operation, around, content)
        self._note_values(operation, content, world, own=operation.method == "POST")
        if makes and not made and not self.made_by(operation):
            made = list(self._made_elsewhere(operation, response, content, world))
        return made

    def _note_removal(self, operation: Operation, around: Mapping[str, str], world: str | None) -> None:
        template = next(item_templates(operation.path), "")
        if template and template.rstrip("/") == operation.path.rstrip("/") and _values(template, around):
            self._items.remove(template, _values(template, around), world)

    def _note_path(
        self, operation: Operation, around: Mapping[str, str], response: WireResponse, world: str | None
    ) -> None:
        """Note the items that the path itself names: they are there, since the call succeeded."""
        for template in item_templates(operation.path):
            own = operation.method == "PUT" and response.status == _CREATED
            exact = template.rstrip("/") == operation.path.rstrip("/")
            if not _values(template, around):
                continue
            if exact or operation.method in {"GET", "HEAD"}:
                item = KnownItem(nameless(template), _values(template, around), own and exact, world if own else None)
                self._items.add(item)

    def _made(
        self,
        operation: Operation,
        around: Mapping[str, str],
        request: WireRequest,
        response: WireResponse,
        content: Any,
        world: str | None,
    ) -> Iterator[KnownItem]:
        if response.status == _OK and str(_CREATED) in operation.responses:
            return  # it may name one that was there before
        located = self._matches(response.field("Location") or response.field("Content-Location") or "")
        for template in self._below.get(nameless(operation.path), ()):
            values = located.get(nameless(template))
            if values is None:
                given = _aligned(template, operation.path, around)
                values = self._in_item(template, given, content) or self._in_item(template, given, sent_json(request))
            if values is None:
                continue
            item = KnownItem(nameless(template), values, own=True, world=world)
            if self._items.add(item) and item.template in self._paths:
                yield item
        for key, values in located.items():
            item = KnownItem(key, values, own=True, world=world)
            below = map(nameless, self._below.get(nameless(operation.path), ()))
            if key not in below and self._items.add(item) and key in self._paths:
                yield item

    def _made_elsewhere(
        self, operation: Operation, response: WireResponse, content: Any, world: str | None
    ) -> Iterator[KnownItem]:
        """Yield an item that a creation made and whose path is not below it: `/silence/{silenceID}` of `/silences`."""
        if response.status == _OK and str(_CREATED) in operation.responses:
            return
        things = {thing for segment in _literals(operation.path)[-1:] for thing in singulars(segment)}
        for template in self._templates.values():
            names = parse_template(template).parameters
            told = {name[:-1] for name in names_of(template)}
            if len(names) != 1 or self._items.is_collection(template.rpartition("/")[0]) or things.isdisjoint(told):
                continue
            value = next(
                (found for one in _holders(content) if (found := _identifier(names[0], one, "")) is not None), None
            )
            if value is not None:
                item = KnownItem(nameless(template), (value,), own=True, world=world)
                if self._items.add(item):
                    yield item

    def _in_item(self, template: str, around: Mapping[str, str], content: Any) -> tuple[Any, ...] | None:
        """Return the values of a template's parameters for an item, in it or in one of its members; None if none."""
        for holder in _holders(content):
            values = self._of_item(template, around, holder)
            if values is not None:
                return values
        return None

    def _of_item(self, template: str, around: Mapping[str, str], item: Any) -> tuple[Any, ...] | None:
        """Return the values of a template's parameters, those around an item and those that it names; None if none."""
        parsed = parse_template(template)
        found: list[Any] = []
        for name in parsed.parameters:
            if name in around:
                found.append(around[name])
                continue
            value = _identifier(name, item, _last_literal(template))
            if value is None:
                return None
            found.append(value)
        # Names differ in a template that belongs to another path: those in front are taken by their place.
        return tuple(found) if found else None

    def _note_list(self, operation: Operation, around: Mapping[str, str], content: Any) -> None:
        lists = list(_lists(content))
        for template in self._below.get(nameless(operation.path), ()):
            given = _aligned(template, operation.path, around)
            for items in lists:
                shown = 0
                for item in items[:_MOST_ITEMS]:
                    values = self._listed(template, given, item)
                    if values is not None:
                        shown += 1
                        sure = self._is_sure(template, given, item)
                        self._items.add(KnownItem(nameless(template), values, world=None, listed=sure))
                if shown:
                    break
        things = [thing for segment in _literals(operation.path) for thing in singulars(segment)]
        for item in lists[0][:_MOST_ITEMS] if lists else ():
            if isinstance(item, dict):
                for name in _NAMING:
                    if _is_scalar(item.get(name)):
                        for thing in things:
                            self._items.add_named((*thing, name), item[name], own=False, world=None)

    def _is_sure(self, template: str, around: Mapping[str, str], item: Any) -> bool:
        """Tell whether the members of a listed item that name it have names that leave no doubt."""
        missing = [name for name in parse_template(template).parameters if name not in around]
        collection = _last_literal(template)
        return isinstance(item, dict) and all(
            identifier(name, ExampleShape(item), frozenset(), collection)[1] >= _NO_DOUBT for name in missing
        )

    def _listed(self, template: str, around: Mapping[str, str], item: Any) -> tuple[Any, ...] | None:
        if _is_scalar(item):
            missing = [name for name in parse_template(template).parameters if name not in around]
            if len(missing) != 1:
                return None
            return tuple(around.get(name, item) for name in parse_template(template).parameters)
        return self._of_item(template, around, item)

    def _note_below(self, operation: Operation, around: Mapping[str, str], content: Any) -> None:
        """Note items that are shown inside of the item they belong to: `comments` of `/posts/{id}`."""
        if operation.method not in {"GET", "PUT", "PATCH"}:
            return
        head = f"{nameless(operation.path)}/"
        for collection, templates in self._below.items():
            segment = collection.removeprefix(head)
            if not collection.startswith(head) or "/" in segment or "{" in segment:
                continue
            for holder in _holders(content):
                items = holder.get(segment) if isinstance(holder, dict) else None
                for item in items[:_MOST_ITEMS] if isinstance(items, list) else ():
                    for template in templates:
                        values = self._listed(template, _aligned(template, operation.path, around), item)
                        if values is not None:
                            self._items.add(KnownItem(nameless(template), values, world=None))

    def _note_values(self, operation: Operation, content: Any, world: str | None, *, own: bool) -> None:
        """Note members that name things, such as `customer_id`, and URLs of the target."""
        things = [thing for segment in _literals(operation.path)[-1:] for thing in singulars(segment)]
        if own and isinstance(content, dict):
            for name in _NAMING:
                for holder in _holders(content):
                    if _is_scalar(holder.get(name)):
                        for thing in things:
                            self._items.add_named((*thing, name), holder[name], own=True, world=world)
        for name, value in _members(content):
            told = tuple(words(name))
            if _is_scalar(value) and len(str(value)) <= _SHORT:
                self._items.add_seen(name, value, operation.path)
            if len(told) > 1 and told[-1] in _NAMING and _is_scalar(value):
                self._items.add_named(told, value, own=own and told[:-1] in things, world=world if own else None)
            elif isinstance(value, str) and "/" in value[:400]:
                for key, values in self._matches(value).items():
                    self._items.add(KnownItem(key, values, world=world if own else None))

    def _matches(self, url: str) -> dict[str, tuple[Any, ...]]:
        """Return the values of each item template that the path of a URL matches, by the template without names."""
        if not url or len(url) > 2000 or any(letter in url for letter in " {}<>\n"):
            return {}
        try:
            path = urlsplit(url).path.rstrip("/")
        except ValueError:
            return {}
        found: dict[str, tuple[Any, ...]] = {}
        for key, template in self._templates.items():
            literal = parse_template(template).literals[0]
            if len(literal.strip("/")) < 2 or literal not in path:
                continue
            values = parse_template(template).match(path.removeprefix(self._base))
            if values:
                found[key] = tuple(unquote(text) for text in values.values())
        return found


def _values(template: str, around: Mapping[str, str]) -> tuple[Any, ...]:
    """Return the values of a template's parameters, () if a path does not have them all."""
    names = parse_template(template).parameters
    return tuple(around[name] for name in names) if all(name in around for name in names) else ()


def _aligned(template: str, path: str, around: Mapping[str, str]) -> dict[str, str]:
    """Return values of a path by the names that another template has for the same parameters."""
    ours, theirs = parse_template(path).parameters, parse_template(template).parameters
    return {name: around[own] for own, name in zip(ours, theirs, strict=False) if own in around}


def _identifier(parameter: str, item: Any, collection: str) -> Any:
    """Return the value of the member of an item that a path parameter names, None if none is likely to be."""
    if not isinstance(item, dict):
        return None
    name, sure = identifier(parameter, ExampleShape(item), frozenset(), collection)
    return item[name] if sure >= _SURE_ENOUGH and _is_scalar(item.get(name)) else None


def _last_literal(template: str) -> str:
    return next(iter(reversed(_literals(template))), "")


def _literals(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment and not parse_template(segment).parameters]


def _is_scalar(value: Any) -> bool:
    """Tell whether a value can stand in a path: a text that is not empty, or a number."""
    if isinstance(value, str):
        return 0 < len(value) <= 500
    return isinstance(value, int) and not isinstance(value, bool)


def _holders(content: Any) -> list[dict[str, Any]]:
    """Return the objects that may be the item in a response: the whole, its only item, or its members."""
    if isinstance(content, list):
        content = content[0] if len(content) == 1 else None
    if not isinstance(content, dict):
        return []
    return [content, *(one for one in content.values() if isinstance(one, dict))]


def _lists(content: Any, depth: int = 3) -> Iterator[list[Any]]:
    """Yield the lists in a response that may hold the items, the likeliest first."""
    if isinstance(content, list):
        yield content
        return
    if not isinstance(content, dict) or not depth:
        return
    named = sorted(content, key=lambda name: _OF_ITEMS.index(name) if name in _OF_ITEMS else len(_OF_ITEMS))
    for name in named:
        yield from _lists(content[name], depth - 1)


def _members(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each scalar member of the objects in a JSON value, up to some depth and number."""
    pending: list[tuple[Any, int]] = [(content, 0)]
    seen = 0
    while pending and seen < _MOST_VALUES:
        value, depth = pending.pop(0)
        seen += 1
        if depth > _DEPTH:
            continue
        if isinstance(value, list):
            pending.extend((item, depth + 1) for item in value[:_MOST_ITEMS])
        elif isinstance(value, dict):
            for name, member in value.items():
                if isinstance(member, dict | list):
                    pending.append((member, depth + 1))
                else:
                    yield name, member
