"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def child(pointer: str, *names: str) -> str:
    """Return a JSON pointer extended by some names, which are escaped (RFC 6901, section 3)."""
    return pointer + "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def split(pointer: str) -> list[str]:
    """Return the unescaped reference tokens of a JSON pointer; none for the whole document."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def lookup(data: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer (RFC 6901, section 4).

    Raises:
        LookupError: there is nothing at the pointer.
    """
    for token in split(pointer):
        if isinstance(data, list):
            if not token.isdecimal():
                raise LookupError(pointer)
            data = data[int(token)]
        elif isinstance(data, dict):
            data = data[token]
        else:
            raise LookupError(pointer)  # noqa: TRY004 - there is nothing at the pointer, whatever the type
    return data


def blanked(value: Any, pointers: Iterable[str]) -> Any:
    """Return a value with null at each of some JSON pointers; pointers that lead nowhere are ignored."""
    for pointer in pointers:
        value = _blanked(value, split(pointer))
    return value


def _blanked(value: Any, names: list[str]) -> Any:
    if not names:
        return None
    name, *rest = names
    if isinstance(value, dict) and name in value:
        return {**value, name: _blanked(value[name], rest)}
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        index = int(name)
        return [*value[:index], _blanked(value[index], rest), *value[index + 1 :]]
    return value
