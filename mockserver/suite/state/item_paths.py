"""Paths and names of items: where a response holds items and what names them, and the paths that follow from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import LIST, Collection
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import lookup
from mockserver.http.styles import primitive

#: Members that name an item, if the contract does not say which one does.
_NAMES = ("id", "uuid", "_id", "guid", "key", "name", "slug", "code", "username", "login", "number", "token")
#: How deep such a member is looked for in a response: `{"data": {"attributes": {...}}}`.
_DEPTH = 3


def entries(collection: Collection, value: Any) -> list[Any]:
    """Return the items in the content of a list: at their place, else the first array, else an object's members."""
    found = at(value, collection.places.get(LIST))
    if isinstance(found, list):
        return found
    for depth in range(_DEPTH):
        for one in _level(value, depth):
            if isinstance(one, list):
                return one
    if isinstance(value, dict) and value and all(isinstance(member, dict) for member in value.values()):
        return [{"name": name, **member} for name, member in value.items()]  # by name
    return []


def names(collection: Collection, value: Any) -> Iterator[str]:
    """Yield the texts that may name an item, from its JSON value, the likeliest first."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
        return
    wanted = [name for name in (collection.identifier, collection.parameter) if name]
    for known in (wanted, _NAMES):
        for depth in range(_DEPTH):
            for holder in _level(value, depth):
                if isinstance(holder, Mapping):
                    for name in known:
                        found = holder.get(name)
                        if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
                            yield str(found)


def at(value: Any, pointer: str | None) -> Any:
    """Return the value at a JSON pointer, None if there is none or nothing is there."""
    if pointer is None:
        return None
    try:
        return lookup(value, pointer)
    except LookupError:
        return None


def below(template: str, path: str) -> str:
    """Return the beginning of a path that matches the beginning of a path template as far as that goes."""
    wanted = parse_template(template).segments
    given = path.partition("?")[0].removeprefix("/").split("/")
    last = wanted[-1].text if wanted else ""
    texts = given[: len(wanted)]
    if last == "" and len(texts) == len(wanted):
        texts[-1] = ""
    return "/" + "/".join(texts)


def values_of(operation: Operation, path: str) -> dict[str, str]:
    """Return the values of the parameters in an operation's path that the path of an item gives, by position."""
    given = path.removeprefix("/").split("/")
    found: dict[str, str] = {}
    for segment, text in zip(parse_template(operation.path).segments, given, strict=False):
        match = segment.match(text)
        if match is None:
            break
        found.update({name: unquote(value) for name, value in match.items()})
    return found


def joined(collection: Collection, request_path: str, name: str) -> str:
    """Return the path of an item with a name, of the collection at the path of a request."""
    template = parse_template(collection.item)
    given = request_path.partition("?")[0].removeprefix("/").split("/")
    texts = []
    for number, segment in enumerate(template.segments):
        if number == len(template.segments) - 1 - template.text.endswith("/"):
            texts.append(segment.literals[0] + quote(primitive(name), safe="") + segment.literals[-1])
        elif segment.parameters and number < len(given):
            texts.append(given[number])
        else:
            texts.append(segment.text)
    return "/" + "/".join(texts)


def _level(value: Any, depth: int) -> Iterator[Any]:
    if depth == 0:
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _level(member, depth - 1)
