"""Plain form of a contract: one OpenAPI document without specification extensions (OpenAPI 3.1, section 4.9).

It is for other tools: client generators, linters, viewers. Other names that begin with `x-` are no extensions and stay:
those of properties, headers and components, and values in examples, defaults and constants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, unquote

from mockserver.contract.reading.elements import CHILDREN
from mockserver.contract.source.loading import FILES, Document
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child, split

#: How a member holds objects (`one`, `list`, or `map` under free names), and their kind.
_Place = tuple[str, str]
_DATA: _Place = ("one", "data")
_ENCODING: Mapping[str, _Place] = {
    "headers": ("map", "header"),
    "encoding": ("map", "encoding"),
    "prefixEncoding": ("list", "encoding"),
    "itemEncoding": ("one", "encoding"),
}
#: Objects that elements.py skips because they state nothing about the API, and those that OpenAPI 3.2 adds.
_MORE: Mapping[str, Mapping[str, _Place]] = {
    "document": {"paths": ("one", "paths"), "webhooks": ("map", "path item"), "externalDocs": ("one", "object")},
    "components": {"mediaTypes": ("map", "media type")},
    "info": {"contact": ("one", "object"), "license": ("one", "object")},
    "server": {"variables": ("map", "object")},
    "tag": {"externalDocs": ("one", "object")},
    "path item": {"query": ("one", "operation"), "additionalOperations": ("map", "operation")},
    "operation": {"responses": ("one", "responses"), "externalDocs": ("one", "object")},
    "media type": {"itemSchema": ("one", "schema"), **_ENCODING},
    "encoding": _ENCODING,
    "link": {"server": ("one", "server")},
    "security scheme": {"flows": ("one", "flows")},
    "flows": dict.fromkeys(
        ("implicit", "password", "clientCredentials", "authorizationCode", "deviceAuthorization"), ("one", "object")
    ),
    "schema": {
        "discriminator": ("one", "discriminator"),
        "externalDocs": ("one", "object"),
        "xml": ("one", "object"),
        "dependencies": ("map", "schema"),
        "additionalItems": ("one", "schema"),
    },
}
_MEMBERS = {kind: {**CHILDREN.get(kind, {}), **_MORE.get(kind, {})} for kind in (*CHILDREN, *_MORE)}
#: Kinds of objects all of whose members are of one kind, extensions apart.
_PATTERNED: Mapping[str, _Place] = {
    "paths": ("one", "path item"),
    "responses": ("one", "response"),
    "callback": ("one", "path item"),
}
#: Kind of object to the part of `components` that holds such.
_SECTIONS = {kind: section for section, (_, kind) in _MEMBERS["components"].items()}
_NO_COMPONENT_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def plain_form(document: Document) -> dict[str, Any]:
    """Return a contract as one OpenAPI 3 document without `x-` keys; the given document is not changed.

    An object inside an extension that a `$ref` leads to, as in the other files of the contract, becomes a component.
    """
    return _PlainForm(document).root()


class _PlainForm:
    """Conversion of one document to its plain form."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._data = document.data
        self._sections = dict(_SECTIONS)
        if re.match(r"3\.0", str(self._data.get("openapi"))):
            del self._sections["path item"]
        self._copies: dict[tuple[int, _Place], Any] = {}  # what YAML anchors share stays shared
        self._moved: dict[tuple[str, str], str] = {}
        self._pending: list[tuple[str, str, Any]] = []
        self._names: dict[str, set[str]] = {}
        self._within: set[tuple[str, str]] = set()
        self._aliases: set[int] = set()

    def root(self) -> dict[str, Any]:
        components = self._data.get("components")
        for kind, section in self._sections.items():
            held = components.get(section) if isinstance(components, dict) else None
            self._names[section] = set(held) if isinstance(held, dict) else set()
            for name, value in held.items() if isinstance(held, dict) else ():
                self._note_alias(kind, f"#/components/{section}/{quote(name)}", value)
        made: dict[str, Any] = self._copied(self._data, ("one", "document"))
        while self._pending:  # grows while references are met
            kind, name, value = self._pending.pop(0)
            content = self._copied(value, ("one", kind))
            made.setdefault("components", {}).setdefault(self._sections[kind], {})[name] = content
        return made

    def _note_alias(self, kind: str, reference: str, value: Any) -> None:
        """Record a component that is only a `$ref` into an extension as the new place of the referenced object."""
        if not isinstance(value, dict) or value.keys() != {"$ref"}:
            return
        found = self._moving(value["$ref"])
        if found is not None and (found[0], kind) not in self._moved:
            self._moved[found[0], kind] = reference
            self._aliases.add(id(value))

    def _copied(self, value: Any, place: _Place) -> Any:
        if place == _DATA or not isinstance(value, dict | list):
            return value
        known = self._copies.get((id(value), place))
        if known is None:
            known = self._copies[id(value), place] = self._made(value, place)
        return known

    def _made(self, value: Any, place: _Place) -> Any:
        shape, kind = place
        if isinstance(value, list):
            return [self._copied(item, ("one", kind)) for item in value] if shape == "list" else value
        if shape == "one" and isinstance(value.get("$ref"), str):
            value = self._referring(value, kind)
        made = {}
        for name, item in value.items():
            below = _below(place, name)
            if below is not None:
                made[name] = self._copied(item, below)
        if kind == "discriminator" and isinstance(made.get("mapping"), dict):
            made["mapping"] = {name: self._reference(item, "schema") for name, item in made["mapping"].items()}
        return made

    def _referring(self, value: dict[str, Any], kind: str) -> dict[str, Any]:
        """Return an object with its `$ref` rewritten for the plain form, or replaced by the object that it leads to."""
        found = self._moving(value["$ref"])
        if found is None:
            return value
        pointer, target = found
        beside = {name: item for name, item in value.items() if name != "$ref"}
        if kind in self._sections and id(value) not in self._aliases:
            return {**beside, "$ref": self._reference(value["$ref"], kind)}
        if not isinstance(target, dict) or (pointer, kind) in self._within:
            return beside  # a circle of objects that cannot be components
        self._within.add((pointer, kind))
        try:
            target = self._referring(target, kind) if isinstance(target.get("$ref"), str) else target
        finally:
            self._within.discard((pointer, kind))
        return {**target, **beside}

    def _reference(self, reference: Any, kind: str) -> Any:
        """Return the `$ref` rewritten for the plain form; an object inside an extension becomes a component."""
        found = self._moving(reference)
        if found is None:
            return reference
        pointer, target = found
        known = self._moved.get((pointer, kind))
        if known is None:
            section = self._sections[kind]
            name = self._name(pointer, section)
            known = self._moved[pointer, kind] = f"#/components/{section}/{name}"
            self._pending.append((kind, name, target))
        return known

    def _moving(self, reference: Any) -> tuple[str, Any] | None:
        """Return pointer and value of a reference into an extension, None for any other reference."""
        if not isinstance(reference, str) or not reference.startswith("#/") or "/x-" not in reference:
            return None
        pointer = unquote(reference[1:])
        place: _Place = ("one", "document")
        for token in split(pointer):
            below = _below(place, token)
            if below is None:
                break
            place = below
        else:
            return None
        try:
            value, at = _found(self._data, pointer)
        except (LookupError, ContractError):
            return None
        return at, value

    def _name(self, pointer: str, section: str) -> str:
        """Return a unique name for a new component: its name in the extension, else the name of its file."""
        tokens = split(pointer)
        if tokens[:-1] == [FILES] and tokens[-1].isdecimal():
            wanted = PurePath(self._document.files[int(tokens[-1])].path).stem
        else:
            wanted = tokens[-1]
        wanted = _NO_COMPONENT_NAME.sub("_", wanted).strip("_") or "component"
        name, number = wanted, 1
        while name in self._names[section]:
            number += 1
            name = f"{wanted}_{number}"
        self._names[section].add(name)
        return name


def _below(place: _Place, name: str) -> _Place | None:
    """Return how a member of an object holds objects, and of which kind; None for an extension."""
    shape, kind = place
    if shape != "one":
        return ("one", kind)
    if kind == "data":
        return _DATA
    if name.startswith("x-"):
        return None
    if kind in _PATTERNED:
        return _PATTERNED[kind]
    return _MEMBERS.get(kind, {}).get(name, _DATA)


def _found(data: Any, pointer: str) -> tuple[Any, str]:
    """Return the value at a pointer and its own pointer; `$ref`s on the way are followed, one at the end is not."""
    above, _, last = pointer.rpartition("/")
    held, place = follow(data, above) if above else (data, "")
    (name,) = split("/" + last)
    value = held[int(name)] if isinstance(held, list) else held[name]
    return value, child(place, name)
