"""JSON pointers (RFC 6901) and local `$ref`s."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from mockserver.errors import ContractError


def child(pointer: str, *names: str) -> str:
    """Return the pointer to a member below another one, its names escaped (RFC 6901, section 3)."""
    return pointer + "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def split(pointer: str) -> list[str]:
    """Return the unescaped reference tokens of a JSON pointer; the whole document has none."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


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
            raise LookupError(pointer)
    return data


def target(reference: Any) -> str:
    """Return the JSON pointer that a local `$ref` names.

    Raises:
        ContractError: not text, or a reference to another document.
    """
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise ContractError(f"$ref {reference!r} points outside the document; only `#/...` can be followed")
    return unquote(reference[1:])


def follow(data: Any, pointer: str) -> tuple[Any, str]:
    """Return the object at a pointer and its own pointer, after following its `$ref`s.

    Raises:
        ContractError: a `$ref` is remote, dangling, or a circle.
    """
    seen: set[str] = set()
    while True:
        try:
            value = lookup(data, pointer)
        except (LookupError, ValueError) as error:
            raise ContractError(f"{pointer}: nothing stands there, so the $ref to it is broken") from error
        if not (isinstance(value, dict) and "$ref" in value):
            return value, pointer
        if pointer in seen:
            raise ContractError(f"{pointer}: the $ref leads back to itself")
        seen.add(pointer)
        pointer = target(value["$ref"])
