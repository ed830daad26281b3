"""How arrays and objects stand in text: styles of parameters (OpenAPI 3.1, section 4.8.12.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from mockserver.contract.model import Contract
from mockserver.validation.shapes import ANY, Shape, shape, typed

#: What stands between items, as it may come in a query; items are percent-decoded after splitting.
_SEPARATORS = {
    "form": re.compile(","),
    "simple": re.compile(","),
    "spaceDelimited": re.compile(r"%20|\+| "),
    "pipeDelimited": re.compile(r"\||%7[Cc]"),
    "tabDelimited": re.compile(r"\t|%09"),
}
_KEYS = re.compile(r"\[([^\[\]]*)\]")
_MAX_KEYS = 16

#: Names and raw values of a query, in their order.
Pairs = Sequence[tuple[str, str]]


def pairs(query: str) -> Pairs:
    """Return names, decoded, and values, as they came, of a query or form."""
    found = (part.partition("=") for part in query.split("&") if part)
    return [(unquote_plus(name), value) for name, _, value in found]


def from_query(contract: Contract, name: str, style: str, wanted: Shape, sent: Pairs, *, explode: bool) -> Any:
    """Return the value of a parameter in a query or form; a LookupError says that it is not there.

    Raises:
        LookupError: absent.
    """
    if style == "deepObject" or (wanted.is_object and any(key.startswith(f"{name}[") for key, _ in sent)):
        return _deep(contract, name, wanted, sent)
    if wanted.is_object and explode and style == "form":
        own = {key: value for key, value in sent if key in wanted.properties}
        if own:
            return {
                key: typed(contract, unquote_plus(value), shape(contract, wanted.properties[key]))
                for key, value in own.items()
            }
    values = [value for key, value in sent if key in {name, f"{name}[]"}]
    if not values:
        raise LookupError(name)
    if wanted.is_array and (explode or len(values) > 1):
        return _array(contract, [unquote_plus(value) for value in values], wanted)
    if not (wanted.is_array or wanted.is_object):
        return typed(contract, unquote_plus(values[-1]), wanted)
    separator = _SEPARATORS.get(style, _SEPARATORS["form"])
    parts = [unquote_plus(part) for part in separator.split(values[-1])]
    value = _delimited(contract, parts, wanted)
    if "%2c" not in values[-1].lower() or wanted.pointer is None:
        return value
    # An encoded comma is part of an item; but many clients encode the separator as well (Python's requests, axios).
    is_valid = contract.validator(wanted.pointer, "request").is_valid
    if is_valid(value) and (wanted.is_array or len(parts) % 2 == 0):
        return value
    other = _delimited(contract, separator.split(unquote_plus(values[-1])), wanted)
    return other if is_valid(other) else value


def from_text(contract: Contract, name: str, style: str, wanted: Shape, text: str, *, explode: bool) -> Any:
    """Return the value of a parameter that stands in one piece of text: in path, header or cookie."""
    separator = ","
    if style == "label":
        text = text.removeprefix(".")
        separator = "." if explode else ","
    elif style == "matrix":
        parts = text.removeprefix(";").split(";")
        if wanted.is_object and explode:
            return _object(contract, parts, wanted, explode=True)
        values = [part.partition("=")[2] if part.partition("=")[0] == name else part for part in parts]
        if wanted.is_array and explode:
            return _array(contract, values, wanted)
        text = values[0]
    if wanted.is_array:
        return _array(contract, text.split(separator), wanted)
    if wanted.is_object:
        return _object(contract, text.split(separator), wanted, explode=explode)
    return typed(contract, text, wanted)


def _delimited(contract: Contract, parts: Sequence[str], wanted: Shape) -> Any:
    return _array(contract, parts, wanted) if wanted.is_array else _object(contract, parts, wanted, explode=False)


def _array(contract: Contract, parts: Sequence[str], wanted: Shape) -> list[Any]:
    items = shape(contract, wanted.items)
    values = [
        typed(contract, part.strip() if items.types and "string" not in items.types else part, items) for part in parts
    ]
    if list(parts) == [""] and wanted.pointer is not None:
        # Nothing at all is an empty array, or one empty text; whichever the schema allows.
        return values if contract.validator(wanted.pointer, "request").is_valid(values) else []
    return values


def _object(contract: Contract, parts: Sequence[str], wanted: Shape, *, explode: bool) -> dict[str, Any]:
    if explode:
        members = [(part.partition("=")[0], part.partition("=")[2]) for part in parts if part]
    else:
        members = list(zip(parts[::2], parts[1::2], strict=False))
    return {key: typed(contract, text, _property(contract, wanted, key)) for key, text in members}


def _deep(contract: Contract, name: str, wanted: Shape, sent: Pairs) -> Any:
    """Return the object whose members are written `name[member]`, deeper ones `name[member][inner]`."""
    found: dict[str, Any] = {}
    for key, text in sent:
        if not key.startswith(f"{name}["):
            continue
        way = _KEYS.findall(key[len(name) :])[:_MAX_KEYS]
        at, level = found, wanted
        for index, step in enumerate(way):
            level = shape(contract, level.items) if level.is_array else _property(contract, level, step)
            if index + 1 == len(way):
                at.setdefault(step, []).append((unquote_plus(text), level)) if isinstance(
                    at.get(step, []), list
                ) else None
            else:
                below = at.setdefault(step, {})
                at = below if isinstance(below, dict) else {}
    if not found:
        raise LookupError(name)
    return _deepened(contract, found, wanted)


def _deepened(contract: Contract, level: Mapping[str, Any], wanted: Shape) -> Any:
    values: dict[str, Any] = {}
    for step, below in level.items():
        inner = shape(contract, wanted.items) if wanted.is_array else _property(contract, wanted, step)
        if isinstance(below, dict):
            values[step] = _deepened(contract, below, inner)
        elif inner.is_array and not wanted.is_array:
            values[step] = _array(contract, [text for text, _ in below], inner)
        elif step == "":
            values |= {f"{index}": typed(contract, text, of) for index, (text, of) in enumerate(below)}
        else:
            values[step] = typed(contract, below[-1][0], below[-1][1])
    return list(values.values()) if wanted.is_array else values


def _property(contract: Contract, wanted: Shape, name: str) -> Shape:
    pointer = wanted.properties.get(name)
    return ANY if pointer is None else shape(contract, pointer)
