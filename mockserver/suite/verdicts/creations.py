"""Creations of a run: the accepted writes that made the items which later requests name; evidence begins with them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from mockserver.suite.target.exchange import Exchange, NotJSON, WireRequest, WireResponse, is_json

#: So many identifiers are remembered; an early one is still there when a check names it at once.
MAX_KNOWN = 5000
#: Identifiers are looked for so deep in a response, as in `{"data": {"id": 7}}`.
_DEPTH = 3
_MAX_LENGTH = 200
#: Names of members that identify an item, and of those that may.
_IDENTIFIER = re.compile(r"(?:^|[_-])(?:id|uuid|guid|uid)$|[a-z](?:Id|ID|Uuid|UUID)$", re.ASCII)
_NAME = re.compile(r"(?:^|[_-])(?:name|key|slug|code|ref|number|handle|title)$|[a-z](?:Name|Key|Ref|Code)$", re.ASCII)
#: So many writes of one name are remembered: items of several collections may be called alike.
_SAME_NAME = 20
_MAKING = frozenset({"POST", "PUT"})


class Creations:
    """Accepted writes by the identifiers that their responses show; safe for use from several threads."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], list[tuple[int, Exchange]]] = {}
        self._lock = threading.Lock()

    def note(self, world: str, exchange: Exchange) -> None:
        """Remember a write that was accepted, by each text or number in its response that may name an item."""
        response = exchange.response
        if exchange.request.method not in _MAKING or response is None or not response.successful:
            return
        names = {_last_segment(exchange.request.path): 0}
        for rank, name in identifiers_in(response):
            names[name] = min(rank, names.get(name, rank))
        kept = exchange.shortened()
        with self._lock:
            for name, rank in names.items():
                made = self._made.get((world, name), [])
                if len(made) < _SAME_NAME and len(self._made) < MAX_KNOWN:
                    self._made[world, name] = [*made, (rank, kept)]

    def before(self, world: str, request: WireRequest) -> tuple[Exchange, ...]:
        """Return the writes that made the items that a request's path names, outermost first.

        A write made an item if it went to the path that the item is below, or by `PUT` to the item itself.
        """
        path = request.path.partition("?")[0]
        found: list[Exchange] = []
        with self._lock:
            for above, name in _names_in(path):
                made = [
                    (rank, one)
                    for rank, one in self._made.get((world, name), ())
                    if _makes(one.request, above, name) and one.request != request
                ]
                found += [one for _, one in sorted(made, key=lambda item: item[0])[:1]]
        return tuple(one for number, one in enumerate(found) if all(one is not other for other in found[:number]))

    def complete(self, world: str, exchange: Exchange) -> Exchange:
        """Return an exchange whose history begins with the writes that made the items which it and its history name."""
        made: list[Exchange] = []
        for step in (*exchange.history, exchange):
            made += [one for one in self.before(world, step.request) if one not in exchange.history and one not in made]
        return replace(exchange, history=(*made, *exchange.history)) if made else exchange


def identifiers_in(response: WireResponse) -> Iterator[tuple[int, str]]:
    """Yield the texts and numbers in a response that may name an item, each with a rank: 0 for the likeliest.

    They are in its content, and last in its `Location`.
    """
    location = response.field("location")
    if location:
        yield 0, _last_segment(urlsplit(location).path)
    if is_json(response.media_type):
        try:
            value = response.json()
        except NotJSON:
            return
        yield from ((likeliness(path), text) for path, text in scalars(value))


def likeliness(path: tuple[str | int, ...]) -> int:
    """Return how likely the member that names lead to is an identifier: 0 for `id` and its like, else 1 or 2."""
    name = str(path[-1]) if path else ""
    return 0 if _IDENTIFIER.search(name) else 1 if _NAME.search(name) else 2


def scalars(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the short texts and whole numbers in a JSON value, each with the names that lead to it."""
    if isinstance(value, dict) and len(path) < _DEPTH:
        for name, member in value.items():
            yield from scalars(member, (*path, name))
    elif isinstance(value, str) and 0 < len(value) <= _MAX_LENGTH:
        yield path, value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, str(value)


def _names_in(path: str) -> Iterator[tuple[str, str]]:
    """Yield each segment of a path, decoded, with the path above it."""
    segments = path.split("/")
    for number, segment in enumerate(segments):
        if segment:
            yield "/".join(segments[:number]), unquote(segment)


def _makes(request: WireRequest, above: str, name: str) -> bool:
    target = request.path.partition("?")[0].rstrip("/")
    if request.method == "PUT":
        return target.rpartition("/")[0] == above and _last_segment(target) == name
    return target == above.rstrip("/")


def _last_segment(path: str) -> str:
    return unquote(path.partition("?")[0].rstrip("/").rpartition("/")[2])
