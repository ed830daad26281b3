"""Resolution of `$ref`s: by JSON pointer, `$anchor` or `$id` (JSON Schema 2020-12, section 8.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.pointers import child, lookup, split


def target(reference: Any) -> str:
    """Return the JSON pointer in a local `$ref` (`#/...`).

    Raises:
        ContractError: not text, or a reference to another document.
    """
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise ContractError(
            f"$ref {excerpt(reference)} is not a JSON pointer into the document; only `#/...` can be followed"
        )
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
                raise ContractError(f"{wanted}: nothing is at this pointer, so the $ref to it is broken") from error
            continue
        if not (isinstance(value, dict) and "$ref" in value):
            return value, pointer
        if pointer in seen:
            raise ContractError(f"{pointer}: the $ref leads back to itself")
        seen.add(pointer)
        pointer = target(value["$ref"])


def _across(data: Any, pointer: str, seen: set[str]) -> str:
    """Return the real pointer of an element whose pointer leads through a `$ref`, "" if it leads through none."""
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


#: The reference that `$recursiveRef` of JSON Schema 2019-09 becomes (contract/schema/dialect.py).
_RECURSIVE = "#mockserver-recursive"


class Identifiers:
    """Resolver of the references in one document, by pointer, `$id` or `$anchor`."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._schemas: dict[str, bool] = {}

    def resolve(self, reference: str, pointer: str) -> str | None:
        """Return the pointer of the schema that a reference means, None if the reference is broken."""
        if reference == _RECURSIVE:
            return self._recursive(pointer)
        if reference == "#" or reference.startswith("#/"):
            named = unquote(reference[1:])
            resource = self._resource(pointer)
            # Strictly only the first; but authors add an `$id` and still refer to the document's components.
            candidates = (resource + named, named) if resource else (named,)
            return next((one for one in candidates if self._is_schema(one)), None)
        base, fragment = urldefrag(urljoin(self._index.get(self._resource(pointer), ""), reference))
        if fragment and not fragment.startswith("/"):
            return self._anchors.get((base, fragment)) or self._anchors.get(("", fragment))
        place = self._places.get(base)
        return place + unquote(fragment) if place is not None and self._is_schema(place + unquote(fragment)) else None

    def _recursive(self, pointer: str) -> str | None:
        """Return the nearest schema around a `$recursiveRef` that has `$recursiveAnchor`, else the whole schema."""
        value, place, found = self._data, "", ""
        for number, token in enumerate(split(pointer)):
            try:
                value = value[int(token)] if isinstance(value, list) else value[token]
            except (LookupError, ValueError, TypeError):
                break
            place = child(place, token)
            is_whole = number == 2 and place.startswith("/components/schemas/")
            if isinstance(value, dict) and (value.get("$recursiveAnchor") is True or (is_whole and not found)):
                found = place
        return found or None

    def _is_schema(self, pointer: str) -> bool:
        known = self._schemas.get(pointer)  # most references are to a few schemas
        if known is None:
            try:
                known = isinstance(lookup(self._data, pointer), dict | bool)
            except (LookupError, ValueError):
                known = False
            self._schemas[pointer] = known
        return known

    def _resource(self, pointer: str) -> str:
        """Return the pointer of the nearest schema with an `$id` around an element, "" for the document."""
        value, place, found = self._data, "", ""
        for token in split(pointer):
            try:
                value = value[int(token)] if isinstance(value, list) else value[token]
            except (LookupError, ValueError, TypeError):
                break
            place = child(place, token)
            if isinstance(value, dict) and isinstance(value.get("$id"), str):
                found = place
        return found

    @cached_property
    def _index(self) -> dict[str, str]:
        """URI of every schema with an `$id`, by its pointer."""
        found: dict[str, str] = {}
        anchors: dict[tuple[str, str], str] = {}
        pending: list[tuple[str, Any, str]] = [("", self._data, "")]
        while pending:
            pointer, value, base = pending.pop()
            if isinstance(value, list):
                pending.extend((child(pointer, str(index)), item, base) for index, item in enumerate(value))
            elif isinstance(value, dict):
                if isinstance(value.get("$id"), str) and pointer:
                    base = found[pointer] = urldefrag(urljoin(base, value["$id"]))[0]
                for keyword in ("$anchor", "$dynamicAnchor"):
                    if isinstance(value.get(keyword), str):
                        anchors.setdefault((base, value[keyword]), pointer)
                        anchors.setdefault(("", value[keyword]), pointer)
                pending.extend((child(pointer, name), item, base) for name, item in value.items())
        self._anchors = anchors
        self._places = {uri: place for place, uri in found.items()}
        return found
