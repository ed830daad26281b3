"""Decoding of content by media type: JSON, forms, multipart, XML, text; content of any other type stays bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from mockserver.contract.model import Contract, MediaType
from mockserver.http import json, multipart
from mockserver.http.media_types import charset, is_json, is_json_lines, is_xml
from mockserver.http.styles import Pairs, decode_query, pairs
from mockserver.stub.validation.text_types import ValueShape, ValueShapes

#: Takes content and the `Content-Type` field; raises ValueError for content that is not what the field says.
Decode = Callable[[bytes, str], Any]
_RECORD_SEPARATOR = b"\x1e"
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def decoding(contract: Contract, shapes: ValueShapes, media_type: MediaType, name: str) -> Decode | None:
    """Return the function that decodes content of a media type, None if content stays bytes."""
    if is_json(name):
        return lambda content, _field: json.decode(content)
    is_form = name == "application/x-www-form-urlencoded"
    types = shapes.at(media_type.schema).types
    if (is_form or name.startswith("multipart/")) and types and "object" not in types:
        # A form has fields: no standard says how it could be text or a number, so nothing can be checked.
        return None
    if is_form:
        return lambda content, field: _form(shapes, media_type, _in_utf8(content, field))
    if name.startswith("multipart/"):
        return lambda content, field: _multipart(shapes, media_type, content, field)
    if is_xml(name):
        return _xml(contract, media_type)
    wanted = shapes.at(media_type.schema)
    if is_json_lines(name):
        # A schema of anything but an array may mean the whole or a line; nobody says which, so nothing is checked.
        return _lines if media_type.item_schema is not None or (wanted.is_array and len(wanted.types) == 1) else None
    if name.startswith("text/"):
        if (wanted.is_object or wanted.is_array) and "string" not in wanted.types:
            # Such as rows of text/csv: no standard says how they are written in the text, so nothing can be checked.
            return None
        return lambda content, field: shapes.typed(content.decode(charset(field) or "utf-8"), wanted)
    return None


def _lines(content: bytes, _field: str) -> list[Any]:
    """Return the decoded JSON text of each line; a record separator before a line is dropped (RFC 7464)."""
    lines = content.replace(_RECORD_SEPARATOR, b"").split(b"\n")
    return [json.decode(line) for line in lines if line.strip()]


def _in_utf8(content: bytes, field: str) -> str:
    """Return the text of a form with percent-encoded bytes converted from the form's charset to UTF-8."""
    named = charset(field) or "utf-8"
    text = content.decode(named)
    if named == "utf-8":
        return text
    return _ENCODED.sub(lambda run: quote(unquote_to_bytes(run[0]).decode(named, "replace"), safe=""), text)


def _xml(contract: Contract, media_type: MediaType) -> Decode:
    from mockserver.http.xml import decode  # loaded for the contracts that speak XML

    def read(content: bytes, field: str) -> Any:
        named = charset(field) if "charset" in field.lower() else None
        return decode(content, contract.schema, media_type.schema or "", named)

    return read


def _form(shapes: ValueShapes, media_type: MediaType, content: str) -> Any:
    sent = pairs(content)
    wanted = shapes.at(media_type.schema)
    values: dict[str, Any] = {}
    taken: set[str] = set()
    for name, pointer in wanted.properties.items():
        inner = shapes.at(pointer)
        encoding = media_type.encoding.get(name)
        style, explode = (encoding.style or "form", encoding.explode) if encoding is not None else ("form", True)
        own = [value for key, value in sent if key == name]
        if inner.is_object and own:
            values[name] = _json_or_text(unquote_plus(own[-1]))
        else:
            # Members of an exploded object are mixed with those of the form itself, and cannot be told apart.
            explode = explode and not inner.is_object
            try:
                values[name] = _field(shapes, name, inner, style, sent, explode=explode)
            except LookupError:
                continue
        taken |= {key for key, _ in sent if key == name or key.startswith(f"{name}[")}
    rest: dict[str, list[str]] = {}
    for key, value in sent:
        if key not in taken:
            rest.setdefault(key, []).append(unquote_plus(value))
    return {
        **_empty(shapes, wanted),
        **values,
        **{key: found[0] if len(found) == 1 else found for key, found in rest.items()},
    }


def _field(shapes: ValueShapes, name: str, inner: ValueShape, style: str, sent: Pairs, *, explode: bool) -> Any:
    """Return the value of a form field, the first valid one where it may be a scalar or a list.

    Raises:
        LookupError: it is absent.
    """
    listed = sum(key in (name, f"{name}[]") for key, _ in sent) > 1 or any(key == f"{name}[]" for key, _ in sent)
    alternatives = shapes.alternatives(inner)
    values: list[Any] = []
    for shape in alternatives if len(alternatives) > 1 else ():
        if shape.kinds or not listed:
            with suppress(LookupError):
                found = decode_query(name, style, shape.kinds, sent, explode=explode, members=shape.properties)
                values.append(shapes.first_valid(found, shape))
    if values and inner.pointer is not None:
        is_valid = shapes.judge(inner.pointer)
        for value in values:
            if is_valid(value):
                return value
    found = decode_query(name, style, inner.kinds, sent, explode=explode, members=inner.properties)
    return shapes.first_valid(found, inner)


def _empty(shapes: ValueShapes, wanted: ValueShape) -> dict[str, Any]:
    """Return an empty array for each required array property of a form, since forms cannot send an empty array."""
    return {name: [] for name in wanted.required if shapes.at(wanted.properties.get(name)).is_array}


def _multipart(shapes: ValueShapes, media_type: MediaType, content: bytes, field: str) -> Any:
    """Return the members of multipart content (RFC 7578); a file becomes text with one character per byte."""
    wanted = shapes.at(media_type.schema)
    if not content:
        return _empty(shapes, wanted)
    if multipart.is_empty(content, field):
        return _empty(shapes, wanted)
    found: dict[str, list[Any]] = {}
    for part in multipart.parts(content, field):
        found.setdefault(part.name, []).append(_part(shapes, part, _member(shapes, wanted, part.name)))
    members = {name: _as_member(shapes, values, wanted, name) for name, values in found.items()}
    return {**_empty(shapes, wanted), **members}


def _member(shapes: ValueShapes, wanted: ValueShape, name: str) -> ValueShape:
    inner = shapes.at(wanted.properties.get(name))
    return shapes.at(inner.items) if inner.is_array else inner


def _as_member(shapes: ValueShapes, values: list[Any], wanted: ValueShape, name: str) -> Any:
    if shapes.at(wanted.properties.get(name)).is_array:
        # A part for each item, or one part that is the whole array.
        whole = _json_or_text(values[0]) if len(values) == 1 and isinstance(values[0], str) else values[0]
        return whole if len(values) == 1 and isinstance(whole, list) else values
    return values[0] if len(values) == 1 else values


def _part(shapes: ValueShapes, part: multipart.Part, wanted: ValueShape) -> Any:
    try:
        text = part.content.decode(charset(part.content_type) or "utf-8")
    except UnicodeDecodeError:
        text = part.content.decode("latin-1")
    if is_json(part.content_type) or wanted.is_object or wanted.is_array:
        return _json_or_text(text)
    value = shapes.typed(text, wanted)
    return multipart.FileText(value, part) if part.filename and isinstance(value, str) else value


def _json_or_text(text: str) -> Any:
    try:
        return json.decode(text.encode())
    except ValueError:
        return text
