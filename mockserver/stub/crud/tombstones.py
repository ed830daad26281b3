"""Tombstones: requests at or below the path of a deleted item are answered 404.

The tombstone of an item of an inferred collection is its record (resources.py). Any other DELETE (role `remove`) stores
a tombstone for its path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from mockserver.contract.model import Behaviour, Operation
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.http.path_templates import parse_template
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.plugins.calls import Call
from mockserver.plugins.transactions import Read, Transaction
from mockserver.stub.behaviour.handlers import REMOVE
from mockserver.stub.crud.queries import as_text

#: What the names of the store's collections of items begin with; their paths follow.
PREFIX = "resource:"
#: The store's collection of tombstones by path.
_GONE = "gone"


class Tombstones:
    """Tombstones on the path of an operation: a check whether any item on the path was deleted."""

    def __init__(self, operation: Operation, behaviours: Iterable[Behaviour], path: str = "") -> None:
        """Prepare to check and restore the items on one operation's path.

        Args:
            operation: what is called.
            behaviours: those of the whole contract.
            path: the path template that counts, such as `/users/{user}/pets`; the operation's own unless it is given.
        """
        path = path or operation.path
        behaviours = list(behaviours)
        # Whether the collection's own path ends with a slash, as its name in the store then does.
        ends = {
            _without_names(one.resource): "/" * one.resource.endswith("/") for one in behaviours if one.role != REMOVE
        }
        removed = {_without_names(one.resource) for one in behaviours if one.role == REMOVE}
        segments = path.split("/")
        self._items: list[tuple[str, str]] = []
        self._paths: list[str] = []
        for index, segment in enumerate(segments):
            item = "/".join(segments[: index + 1])
            if "{" not in item:
                continue
            named, collection = parse_template(segment).name, "/".join(segments[:index])
            if named and _without_names(collection) in ends:
                self._items.append((collection + ends[_without_names(collection)], named))
            if _without_names(item) in removed:
                self._paths.append(item)
        # A PUT can create what was deleted at its own path (RFC 9110, section 9.3.4), a POST only if the path has no
        # parameter at its end; else the POST acts on an existing item.
        makes = operation.method == "PUT" or (operation.method == "POST" and "{" not in path.rpartition("/")[2])
        self._own = self._paths.pop() if makes and _without_names(path) in removed else ""
        # Parent path of the items that a POST creates, if their DELETE has the role `remove`.
        creates = operation.method == "POST" and f"{_without_names(path)}/{{}}" in removed
        self._below = path.rstrip("/") if creates else ""
        #: Whether the operation can create again what was deleted.
        self.restores = bool(self._own or self._below)

    def __bool__(self) -> bool:
        return bool(self._items or self._paths or self.restores)

    def check(self, values: Mapping[str, Any], read: Read) -> None:
        """Raise RequestRejected (404) if an item on the operation's path was deleted.

        Args:
            values: path values by parameter name.
            read: gives the record of a collection and key.

        Raises:
            RequestRejected: 404.
        """
        for collection, parameter in self._items:
            record = read(PREFIX + filled(collection, values), as_text(values.get(parameter)))
            if record is not None and record.get("gone"):
                raise missing_item(f"{parameter} was deleted with everything in it")
        for path in self._paths:
            if read(_GONE, filled(path, values)) is not None:
                raise missing_item(f"{filled(path, values)[:100]} was deleted")

    def restore(self, values: Mapping[str, Any], content: bytes, transaction: Transaction) -> None:
        """Delete the tombstone of the path that a PUT or POST creates again.

        Args:
            values: path values by parameter name.
            content: content of the response, which has the identifier of a created item.
            transaction: the transaction on the world.
        """
        if self._own:
            transaction.delete(_GONE, filled(self._own, values))
        for name in _member_texts(content) if self._below else ():
            transaction.delete(_GONE, f"{filled(self._below, values)}/{quote(name, safe='')}")


class RemoveHandler:
    """Behaviour of a DELETE without a known collection: a tombstone is stored for its path."""

    def __init__(self, operation: Operation, behaviours: Iterable[Behaviour]) -> None:
        self._tombstones = Tombstones(operation, behaviours)
        self._path = operation.path

    def __call__(self, call: Call) -> Outcome:
        """Store a tombstone for the path, and return the response without state.

        Raises:
            RequestRejected: 404, the path was deleted before.
        """
        self._tombstones.check(call.arguments.path, call.transaction.get)
        shown = call.representation.value  # looked at first: nothing is deleted if no response can be made
        call.transaction.put(_GONE, filled(self._path, call.arguments.path), {})
        return Outcome(0, NO_CONTENT if shown is None else shown, "deleted")


def _member_texts(content: bytes) -> Iterator[str]:
    """Yield the texts in a response's members, one level deep: one of them may be the identifier of a created item."""
    try:
        value = json.decode(content)
    except ValueError:
        return  # nothing that an identifier could be read from
    levels = [value, *(value.values() if isinstance(value, dict) else ())]
    for level in levels:
        for item in level.values() if isinstance(level, dict) else ():
            if not isinstance(item, dict | list):
                yield as_text(item)


def filled(template: str, values: Mapping[str, Any]) -> str:
    """Return a path template with path values in place of its parameters, percent-encoded."""
    parsed = parse_template(template)
    return parsed.expand({name: quote(as_text(values.get(name, "")), safe="") for name in parsed.parameters})


def missing_item(detail: str) -> RequestRejected:
    """Return the rejection (404) of a request for an item that does not exist."""
    return RequestRejected(404, "Not Found", detail)


def _without_names(template: str) -> str:
    """Return a path template with unnamed parameters, so that templates of the same path are equal."""
    return parse_template(template).nameless.rstrip("/")
