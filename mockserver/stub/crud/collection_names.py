"""Names of the store's collections of items, and the items above them on an operation's path.

An item is found by every identifier that it has: its record stands under the text of one of them, and an entry of the
index leads there from each of the others::

    resource:/orgs/acme/teams   "7"      {"item": {"id": 7, "name": "red"}}
    names:/orgs/acme/teams      "red"    {"key": "7"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from mockserver.contract.model import Behaviour
from mockserver.http.path_templates import parse_template
from mockserver.plugins.transactions import Read
from mockserver.stub.crud.queries import as_text

#: What the names of the store's collections of items begin with; their paths follow. And of the index of other names.
PREFIX, NAMES = "resource:", "names:"


class PathText:
    """Path of a collection, filled with the path values of one operation's calls."""

    def __init__(self, template: str, parameters: Iterable[str]) -> None:
        """Compile a path template; `parameters` are the names that the operation gives to its parameters, in order."""
        parsed = parse_template(template)
        own = (*parameters, *parsed.parameters[len(tuple(parameters)) :])
        self._first = parsed.literals[0]
        self._rest = tuple(zip(own, parsed.literals[1:], strict=False))

    def __call__(self, values: Mapping[str, Any]) -> str:
        """Return the path with the values of a call, percent-encoded."""
        if not self._rest:
            return self._first
        parts = [self._first]
        for name, literal in self._rest:
            parts.append(segment(values.get(name, "")))
            parts.append(literal)
        return "".join(parts)


def segment(value: Any) -> str:
    """Return a path value as text, percent-encoded."""
    text = as_text(value)
    return text if text.isalnum() and text.isascii() else quote(text, safe="")


class ItemsAbove:
    """Items that the path of an operation goes through: whether one was deleted, and by which key each is stored."""

    def __init__(self, path: str, behaviours: Iterable[Behaviour], own: str = "") -> None:
        """Find the items on a path.

        Args:
            path: path template of the operation.
            behaviours: those of the whole contract.
            own: path template of the operation's own item, which is not above it, "" for none.
        """
        items = {without_names(item_path(one)): one.resource for one in behaviours if one.resource and one.parameter}
        parsed = parse_template(path)
        names = parsed.parameters
        segments = path.split("/")
        self._items: list[tuple[PathText, str]] = []
        for index, one in enumerate(segments):
            item = without_names("/".join(segments[: index + 1]))
            if "{" not in one or item == without_names(own) or item not in items:
                continue
            here = parse_template("/".join(segments[: index + 1])).parameters
            self._items.append((PathText(items[item], names), here[-1]))

    def __bool__(self) -> bool:
        return bool(self._items)

    def resolve(self, values: Mapping[str, Any], read: Read) -> tuple[Mapping[str, Any], str, bool]:
        """Return the path values with the key under which each item is stored.

        Returns:
            The path values; the parameter of an item that was deleted, "" for none; and whether the innermost item was
            created in this world, so that nothing was below it at first.
        """
        made = False
        for collection, parameter in self._items:
            key, name = as_text(values.get(parameter)), collection(values)
            record = read(PREFIX + name, key)
            if record is None:
                other = read(NAMES + name, key)
                if other is not None:
                    values = {**values, parameter: other["key"]}
                    record = read(PREFIX + name, other["key"])
            if record is not None and record.get("gone"):
                return values, parameter, False
            made = record is not None and bool(record.get("made"))
        return values, "", made


def item_path(behaviour: Behaviour) -> str:
    """Return the path template of the items of a behaviour's resource."""
    return behaviour.item or f"{behaviour.resource.rstrip('/')}/{{{behaviour.parameter or 'id'}}}"


def without_names(template: str) -> str:
    """Return a path template with unnamed parameters, so that templates of the same path are equal."""
    return parse_template(template).nameless.rstrip("/")
