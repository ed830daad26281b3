"""Pointers of elements before and after an upgrade from OpenAPI 2.0, and the `$ref`s to moved elements."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from mockserver.contract.provenance import NAME_MAPS
from mockserver.contract.source.loading import FILES
from mockserver.http.pointers import child, split

#: Keywords whose values are data, so that nothing in them is a reference or a schema.
_DATA = frozenset({"example", "examples", "default", "enum"})


class Moves:
    """Record of the elements that an upgrade from OpenAPI 2.0 moved.

    Attributes:
        moved: new pointer to old pointer, of elements that moved with everything below them.
    """

    def __init__(self) -> None:
        self.moved: dict[str, str] = {}
        self._now: dict[str, str] = {}

    def move(self, old: str, new: str) -> None:
        """Record that an element moved; references to it lead to the first new pointer that is recorded."""
        self.moved[new] = old
        self._now.setdefault(old, new)

    def finished(self, value: Any, *, named: bool = False) -> Any:
        """Return a part of the document with its references and schemas in the form of OpenAPI 3.0.

        Args:
            value: the part of the document.
            named: whether the keys of the value are names, not keywords.
        """
        if isinstance(value, list):
            return [self.finished(item) for item in value]
        if not isinstance(value, dict):
            return value
        made: dict[str, Any] = {}
        for key, item in value.items():
            if not named and (key in _DATA or (key.startswith("x-") and key != FILES)):
                made[key] = item
            else:
                # The members of `components` are keywords, which hold names.
                names = not named and key in NAME_MAPS and key != "components"
                made[key] = self.finished(item, named=names)
        return made if named else self._in_terms_of_3(made)

    def _in_terms_of_3(self, made: dict[str, Any]) -> dict[str, Any]:
        reference = made.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            made["$ref"] = "#" + quote(self._after(unquote(reference[1:])), safe="/~!$&'()*+,;=:@{}")
        if isinstance(made.get("discriminator"), str):
            made["discriminator"] = {"propertyName": made["discriminator"]}
        if made.get("x-nullable") is True:
            made["nullable"] = True
        if made.get("type") == "file":
            made |= {"type": "string", "format": "binary"}
        return made

    def _after(self, old: str) -> str:
        parts = split(old)
        for depth in range(len(parts), 0, -1):
            new = self._now.get(child("", *parts[:depth]))
            if new is not None:
                return child(new, *parts[depth:])
        return old
