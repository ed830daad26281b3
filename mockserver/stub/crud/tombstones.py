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
from mockserver.stub.crud.collection_names import ItemsAbove, without_names
from mockserver.stub.crud.queries import as_text

#: The store's collection of tombstones by path.
_GONE = "gone"
_REMEDY = "state is inferred: `mockserver inspect` shows how, `--no-state` turns it off"


class Tombstones:
    """Tombstones on the path of an operation: a check whether any item on the path was deleted."""

    def __init__(self, operation: Operation, behaviours: Iterable[Behaviour], path: str = "", own: str = "") -> None:
        """Prepare to check and restore the items on one operation's path.

        Args:
            operation: what is called.
            behaviours: those of the whole contract.
            path: the path template that counts, such as `/users/{user}/pets`; the operation's own unless it is given.
            own: path template of the operation's own item, which its behaviour looks for itself.
        """
        path = path or operation.path
        behaviours = list(behaviours)
        removed = {without_names(one.resource) for one in behaviours if one.role == REMOVE}
        self._above = ItemsAbove(path, behaviours, own)
        segments = path.split("/")
        items = ["/".join(segments[: index + 1]) for index in range(len(segments))]
        self._paths = [item for item in items if "{" in item and without_names(item) in removed]
        # A PUT can create what was deleted at its own path (RFC 9110, section 9.3.4), a POST only if the path has no
        # parameter at its end; else the POST acts on an existing item.
        makes = operation.method == "PUT" or (operation.method == "POST" and "{" not in path.rpartition("/")[2])
        self._own = self._paths.pop() if makes and without_names(path) in removed else ""
        # Parent path of the items that a POST creates, if their DELETE has the role `remove`.
        creates = operation.method == "POST" and f"{without_names(path)}/{{}}" in removed
        self._below = path.rstrip("/") if creates else ""
        #: Whether the operation can create again what was deleted.
        self.restores = bool(self._own or self._below)

    def __bool__(self) -> bool:
        return bool(self._above or self._paths or self.restores)

    def check(self, values: Mapping[str, Any], read: Read) -> tuple[Mapping[str, Any], bool]:
        """Raise RequestRejected (404) if an item on the operation's path was deleted.

        Args:
            values: path values by parameter name.
            read: gives the record of a collection and key.

        Returns:
            The path values with the keys under which the items above are stored, and whether the innermost was created
            in this world.

        Raises:
            RequestRejected: 404.
        """
        made = False
        if self._above:
            values, gone, made = self._above.resolve(values, read)
            if gone:
                raise missing_item(f"{gone} was deleted with everything in it")
        for path in self._paths:
            if read(_GONE, filled(path, values)) is not None:
                raise missing_item(f"{filled(path, values)[:100]} was deleted")
        return values, made

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
    """Return the rejection (404) of a request for an item that does not exist, by the state that was inferred."""
    return RequestRejected(404, "Not Found", f"{detail}; {_REMEDY}")
