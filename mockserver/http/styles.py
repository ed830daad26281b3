"""How arrays and objects stand in text: styles of parameters (OpenAPI 3.1, section 4.8.12.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from mockserver.stub.validation.text_types import ANY, Shape, Shapes

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


def from_query(shapes: Shapes, name: str, style: str, wanted: Shape, sent: Pairs, *, explode: bool) -> Any:
    """Return the value of a parameter in a query or form; a LookupError says that it is not there.

    Raises:
        LookupError: absent.
    """
    if style == "deepObject" or (wanted.is_object and any(key.startswith(f"{name}[") for key, _ in sent)):
        return _deep(shapes, name, wanted, sent)
    if wanted.is_object and explode and style == "form":
        own = {key: value for key, value in sent if key in wanted.properties}
        if own:
            return {
                key: shapes.typed(unquote_plus(value), shapes.at(wanted.properties[key])) for key, value in own.items()
            }
    values = [value for key, value in sent if key in {name, f"{name}[]"}]
    if not values:
        raise LookupError(name)
    if wanted.is_array and (explode or len(values) > 1):
        return _array(shapes, [unquote_plus(value) for value in values], wanted)
    if not (wanted.is_array or wanted.is_object):
        return shapes.typed(unquote_plus(values[-1]), wanted)
    separator = _SEPARATORS.get(style, _SEPARATORS["form"])
    parts = [unquote_plus(part) for part in separator.split(values[-1])]
    value = _delimited(shapes, parts, wanted)
    if "%2c" not in values[-1].lower() or wanted.pointer is None:
        return value
    # An encoded comma is part of an item; but many clients encode the separator as well (Python's requests, axios).
    is_valid = shapes.judge(wanted.pointer)
    if is_valid(value) and (wanted.is_array or len(parts) % 2 == 0):
        return value
    other = _delimited(shapes, separator.split(unquote_plus(values[-1])), wanted)
    return other if is_valid(other) else value


def from_text(shapes: Shapes, name: str, style: str, wanted: Shape, text: str, *, explode: bool) -> Any:
    """Return the value of a parameter that stands in one piece of text: in path, header or cookie."""
    separator = ","
    if style == "label":
        text = text.removeprefix(".")
        separator = "." if explode else ","
    elif style == "matrix":
        parts = text.removeprefix(";").split(";")
        if wanted.is_object and explode:
            return _object(shapes, parts, wanted, explode=True)
        values = [part.partition("=")[2] if part.partition("=")[0] == name else part for part in parts]
        if wanted.is_array and explode:
            return _array(shapes, values, wanted)
        text = values[0]
    if wanted.is_array:
        return _array(shapes, text.split(separator), wanted)
    if wanted.is_object:
        return _object(shapes, text.split(separator), wanted, explode=explode)
    return shapes.typed(text, wanted)


def _delimited(shapes: Shapes, parts: Sequence[str], wanted: Shape) -> Any:
    return _array(shapes, parts, wanted) if wanted.is_array else _object(shapes, parts, wanted, explode=False)


def _array(shapes: Shapes, parts: Sequence[str], wanted: Shape) -> list[Any]:
    items = shapes.at(wanted.items)
    values = [
        shapes.typed(part.strip() if items.types and "string" not in items.types else part, items) for part in parts
    ]
    if list(parts) == [""] and wanted.pointer is not None:
        # Nothing at all is an empty array, or one empty text; whichever the schema allows.
        return values if shapes.judge(wanted.pointer)(values) else []
    return values


def _object(shapes: Shapes, parts: Sequence[str], wanted: Shape, *, explode: bool) -> dict[str, Any]:
    if explode:
        members = [(part.partition("=")[0], part.partition("=")[2]) for part in parts if part]
    else:
        members = list(zip(parts[::2], parts[1::2], strict=False))
    return {key: shapes.typed(text, _property(shapes, wanted, key)) for key, text in members}


def _deep(shapes: Shapes, name: str, wanted: Shape, sent: Pairs) -> Any:
    """Return the object whose members are written `name[member]`, deeper ones `name[member][inner]`."""
    found: dict[str, Any] = {}
    for key, text in sent:
        if not key.startswith(f"{name}["):
            continue
        way = _KEYS.findall(key[len(name) :])[:_MAX_KEYS]
        at, level = found, wanted
        for index, step in enumerate(way):
            level = shapes.at(level.items) if level.is_array else _property(shapes, level, step)
            if index + 1 == len(way):
                at.setdefault(step, []).append((unquote_plus(text), level)) if isinstance(
                    at.get(step, []), list
                ) else None
            else:
                below = at.setdefault(step, {})
                at = below if isinstance(below, dict) else {}
    if not found:
        raise LookupError(name)
    return _deepened(shapes, found, wanted)


def _deepened(shapes: Shapes, level: Mapping[str, Any], wanted: Shape) -> Any:
    values: dict[str, Any] = {}
    for step, below in level.items():
        inner = shapes.at(wanted.items) if wanted.is_array else _property(shapes, wanted, step)
        if isinstance(below, dict):
            values[step] = _deepened(shapes, below, inner)
        elif inner.is_array and not wanted.is_array:
            values[step] = _array(shapes, [text for text, _ in below], inner)
        elif step == "":
            values |= {f"{index}": shapes.typed(text, of) for index, (text, of) in enumerate(below)}
        else:
            values[step] = shapes.typed(below[-1][0], below[-1][1])
    return list(values.values()) if wanted.is_array else values


def _property(shapes: Shapes, wanted: Shape, name: str) -> Shape:
    pointer = wanted.properties.get(name)
    return ANY if pointer is None else shapes.at(pointer)
