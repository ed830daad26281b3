"""Parameter styles: values to text in queries, paths, fields and cookies, and back (OpenAPI 3.1, section 4.8.12.3).

Decoding returns texts; a schema decides their types. `decode` is the inverse of `encode` for all that OpenAPI
defines: lists and objects of primitives whose texts hold no separator that cannot be escaped (blank and `|` in a query,
any in a path, field or cookie that comes decoded).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_plus

from mockserver.http import json

#: Separators of items in a query, as written and as accepted; items are decoded after splitting.
_JOINS = {"spaceDelimited": "%20", "pipeDelimited": "|", "tabDelimited": "%09"}
_SEPARATORS = {
    "form": re.compile(","),
    "spaceDelimited": re.compile(r"%20|\+| "),
    "pipeDelimited": re.compile(r"\||%7[Cc]"),
    "tabDelimited": re.compile(r"\t|%09"),
}
#: Our name of how the one parameter `in: querystring` (OpenAPI 3.2, section 4.12.1) is written: it is the whole query.
QUERYSTRING = "querystring"
_KEYS = re.compile(r"\[([^\[\]]*)\]")
_MAX_KEYS = 16

#: Names and raw values of a query, in their order.
Pairs = Sequence[tuple[str, str]]
#: A text, the texts of an array's items, or those of an object's members; only `deepObject` has deeper ones, whose
#: innermost members are lists of all the texts that came for them.
Texts = str | list[str] | dict[str, Any]
#: Takes a text and returns it percent-encoded.
Quote = Callable[[str], str]


def pairs(query: str) -> Pairs:
    """Return the names, decoded, and the values, still encoded, in a query or form."""
    found = (part.partition("=") for part in query.split("&") if part)
    return [(unquote_plus(name), value) for name, _, value in found]


def primitive(value: Any) -> str:
    """Return the text of a scalar value; null becomes an empty text (RFC 6570, section 2.3)."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.encode(value).decode()


def encode_query(
    name: str, value: Any, style: str = "form", *, explode: bool = True, quote: Quote = quote
) -> list[str]:
    """Return the encoded `name=value` parts for a parameter's value in a query or form."""
    called = quote(name)
    if style == QUERYSTRING:  # the whole query, in the form of its media type already
        return [value if "=" in value else quote(value)] if isinstance(value, str) else []
    if isinstance(value, Mapping):
        if style == "deepObject":
            return list(_deep_parts(called, value, quote))
        members = [(quote(key), quote(primitive(item))) for key, item in value.items()]
        if explode:
            return [f"{key}={item}" for key, item in members]
        return [f"{called}=" + _JOINS.get(style, ",").join(part for member in members for part in member)]
    if isinstance(value, list):
        items = [quote(primitive(item)) for item in value]
        if explode:
            return [f"{called}={item}" for item in items]
        return [f"{called}=" + _JOINS.get(style, ",").join(items)]
    return [f"{called}={quote(primitive(value))}"]


def _deep_parts(called: str, value: Any, quote: Quote) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _deep_parts(f"{called}%5B{quote(key)}%5D", item, quote)
        return
    for item in value if isinstance(value, list) else (value,):
        yield f"{called}={quote(primitive(item))}"


def encode_text(name: str, value: Any, style: str = "simple", *, explode: bool = False, quote: Quote = str) -> str:
    """Return the text of a parameter's value in a path, header field or cookie; `quote` encodes it for a path."""
    if isinstance(value, Mapping):
        equals = "=" if explode else ","
        items = [f"{quote(key)}{equals}{quote(primitive(item))}" for key, item in value.items()]
    else:
        items = [quote(primitive(item)) for item in (value if isinstance(value, list) else [value])]
    if style == "label":
        return "." + ("." if explode else ",").join(items)
    if style == "matrix":
        if explode and isinstance(value, Mapping):
            return "".join(f";{item}" for item in items)
        if explode:
            return "".join(f";{quote(name)}={item}" for item in items)
        return f";{quote(name)}=" + ",".join(items)
    return ",".join(items)


def decode_query(
    name: str, style: str, kinds: Collection[str], sent: Pairs, *, explode: bool, members: Collection[str] = ()
) -> list[Texts]:
    """Return the possible values of a parameter in a query or form, the likeliest first; nearly always one.

    Args:
        name: name of the parameter.
        style: style of the parameter.
        kinds: `array` or `object` or both, if its values may be such.
        sent: the query.
        explode: whether items and members are separate parameters.
        members: names that an object may have.

    Raises:
        LookupError: the parameter is absent.
    """
    is_array, is_object = "array" in kinds, "object" in kinds
    if style == "deepObject" or (is_object and any(key.startswith(f"{name}[") for key, _ in sent)):
        return [_deep(name, sent)]
    if is_object and explode and style == "form":
        own: dict[str, Any] = {key: unquote_plus(value) for key, value in sent if key in members}
        if own:
            return [own]
    names = (name, f"{name}[]")
    values = [value for key, value in sent if key in names]
    if not values:
        raise LookupError(name)
    if is_array and (explode or len(values) > 1):
        return [[unquote_plus(value) for value in values]]
    if not (is_array or is_object):
        return [unquote_plus(values[-1])]
    return _delimited(values[-1], _SEPARATORS.get(style, _SEPARATORS["form"]), is_array=is_array)


def _delimited(text: str, separator: re.Pattern[str], *, is_array: bool) -> list[Texts]:
    """Return the possible lists or objects in a text with separators, the likeliest first.

    An encoded comma is part of an item; but many clients encode the separator as well (Python's requests, axios).
    """
    parts = [unquote_plus(part) for part in separator.split(text)]
    found = [parts]
    if "%2c" in text.lower():
        found.insert(1 if is_array or len(parts) % 2 == 0 else 0, separator.split(unquote_plus(text)))
    return [one if is_array else _members(one, explode=False) for one in found]


def decode_text(name: str, style: str, kinds: Collection[str], text: str, *, explode: bool) -> Texts:
    """Return the value of a parameter in the decoded text of a path segment, header field or cookie."""
    is_array, is_object = "array" in kinds, "object" in kinds
    separator = ","
    if style == "label":
        text = text.removeprefix(".")
        separator = "." if explode else ","
    elif style == "matrix":
        parts = text.removeprefix(";").split(";")
        if is_object and explode:
            return _members(parts, explode=True)
        values = [part.partition("=")[2] if part.partition("=")[0] == name else part for part in parts]
        if is_array and explode:
            return values
        text = values[0]
    if is_array:
        return text.split(separator)
    return _members(text.split(separator), explode=explode) if is_object else text


def _members(parts: Sequence[str], *, explode: bool) -> dict[str, Any]:
    if explode:
        return {part.partition("=")[0]: part.partition("=")[2] for part in parts if part}
    return dict(zip(parts[::2], parts[1::2], strict=False))


def _deep(name: str, sent: Pairs) -> dict[str, Any]:
    """Return the object in parameters of style `deepObject`: `name[member]`, nested ones `name[member][inner]`."""
    found: dict[str, Any] = {}
    for key, text in sent:
        way = _KEYS.findall(key[len(name) :])[:_MAX_KEYS] if key.startswith(f"{name}[") else []
        at = found
        for step in way[:-1]:
            below = at.setdefault(step, {})
            at = below if isinstance(below, dict) else {}  # a text came for the same member: that one counts
        if way and isinstance(texts := at.setdefault(way[-1], []), list):
            texts.append(unquote_plus(text))
    if not found:
        raise LookupError(name)
    return found
