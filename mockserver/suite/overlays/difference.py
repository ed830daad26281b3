"""Difference of two versions of a contract, as actions of an OpenAPI Overlay 1.0.

An action can neither take a plain member away nor replace an array, so what holds such a member is removed and put in
anew. No action depends on how a tool merges arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.contract.reading.document import METHODS
from mockserver.http.pointers import child, split

Action = dict[str, Any]
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def actions(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, Action]]:
    """Yield the overlay actions that turn one contract into another, each with the pointer of the part concerned."""
    for pointer in _units(old, new):
        names = split(pointer)
        before, after = _at(old, names), _at(new, names)
        if before == after and _same(before, after):
            continue
        removed, update = _between(before, after, pointer)
        for place in removed:
            yield pointer, {"target": json_path(new, place), "remove": True}
        if update:
            yield pointer, {"target": json_path(new, pointer), "update": update}


def json_path(data: Any, pointer: str) -> str:
    """Return the JSONPath (RFC 9535) of the element at a JSON pointer."""
    path = "$"
    for name in split(pointer):
        if isinstance(data, list):
            path += f"[{name}]"
            data = data[int(name)] if int(name) < len(data) else None
            continue
        path += f".{name}" if _PLAIN_NAME.fullmatch(name) else f"['{_escaped(name)}']"
        data = data.get(name) if isinstance(data, dict) else None
    return path


def _units(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield the parts of a contract that are compared separately, new components before what refers to them."""
    components = new.get("components", {})
    for section in components:
        yield child("/components", section)
    for path, item in new.get("paths", {}).items():
        before = old.get("paths", {}).get(path)
        if not isinstance(item, dict) or not isinstance(before, dict):
            continue
        for method in METHODS:
            if method in item:
                yield child("/paths", path, method)
        yield child("/paths", path)


def _between(old: dict[str, Any], new: dict[str, Any], pointer: str) -> tuple[list[str], dict[str, Any]]:
    """Return the members to remove from an object, and the update that then makes it equal to another object."""
    removed: list[str] = []
    update: dict[str, Any] = {}
    for name in old:
        if name not in new:
            removed.append(child(pointer, name))  # `_can_be_merged` has seen to it that it is no plain member
    for name, item in new.items():
        if name in METHODS and pointer.startswith("/paths/") and pointer.count("/") == 2:
            continue  # an operation is a part of its own
        if name not in old:
            update[name] = item
        elif _same(old[name], item):
            continue
        elif _can_be_merged(old[name], item):
            below, change = _between(old[name], item, child(pointer, name))
            removed += below
            if change:
                update[name] = change
        else:
            if isinstance(old[name], dict | list):
                removed.append(child(pointer, name))
            update[name] = item
    return removed, update


def _can_be_merged(old: Any, new: Any) -> bool:
    """Tell whether a merging update can turn one object into another: no members are removed at any depth."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    if any(name not in new and not isinstance(item, dict | list) for name, item in old.items()):
        return False
    return "$ref" not in new or "$ref" in old


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal as JSON text; 1, 1.0 and true differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(item, other[name]) for name, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _at(data: Any, names: list[str]) -> dict[str, Any]:
    for name in names:
        data = data.get(name, {}) if isinstance(data, dict) else {}
    return data if isinstance(data, dict) else {}


def _escaped(name: str) -> str:
    """Return a name escaped for single quotes in a JSONPath (RFC 9535, section 2.3.1.1)."""
    text = name.replace("\\", "\\\\").replace("'", "\\'")
    return "".join(char if char >= " " else f"\\u{ord(char):04x}" for char in text)
