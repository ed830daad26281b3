"""Local `$ref`s."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from mockserver.errors import ContractError
from mockserver.http.pointers import child, split


def lookup(data: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer.

    Raises:
        LookupError: nothing stands there.
    """
    for token in split(pointer):
        if isinstance(data, list):
            if not token.isdecimal():
                raise LookupError(pointer)
            data = data[int(token)]
        elif isinstance(data, dict):
            data = data[token]
        else:
            raise LookupError(pointer)  # noqa: TRY004 - nothing stands there, whatever the type
    return data


def target(reference: Any) -> str:
    """Return the JSON pointer that a local `$ref` names.

    Raises:
        ContractError: not text, or a reference to another document.
    """
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise ContractError(f"$ref {reference!r} is no JSON pointer into the document; only `#/...` can be followed")
    return unquote(reference[1:])


def follow(data: Any, pointer: str) -> tuple[Any, str]:
    """Return the object at a pointer and its own pointer, after following its `$ref`s.

    Raises:
        ContractError: a `$ref` is remote, dangling, or a circle.
    """
    return _followed(data, pointer, set())


def _followed(data: Any, pointer: str, seen: set[str]) -> tuple[Any, str]:
    while True:
        try:
            value = lookup(data, pointer)
        except (LookupError, ValueError) as error:
            wanted, pointer = pointer, _across(data, pointer, seen)
            if not pointer:
                raise ContractError(f"{wanted}: nothing stands there, so the $ref to it is broken") from error
            continue
        if not (isinstance(value, dict) and "$ref" in value):
            return value, pointer
        if pointer in seen:
            raise ContractError(f"{pointer}: the $ref leads back to itself")
        seen.add(pointer)
        pointer = target(value["$ref"])


def _across(data: Any, pointer: str, seen: set[str]) -> str:
    """Return where an element really stands whose pointer leads through a `$ref`, "" if it leads through none."""
    parts = split(pointer)
    for depth in range(1, len(parts)):
        above = child("", *parts[:depth])
        try:
            value = lookup(data, above)
        except (LookupError, ValueError):
            return ""
        if isinstance(value, dict) and "$ref" in value and parts[depth] not in value and above not in seen:
            seen.add(above)
            return child(target(value["$ref"]), *parts[depth:])
    return ""
