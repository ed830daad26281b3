"""Content to value, by media type: JSON, forms, multipart, XML, text; anything else stays bytes."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from mockserver import documents
from mockserver.contract.model import Contract, MediaType
from mockserver.validation.shapes import Shape, shape, typed
from mockserver.validation.styles import from_query, pairs

#: Takes content and the `Content-Type` field; raises ValueError for content that is not what the field says.
Decode = Callable[[bytes, str], Any]
_MAX_PARTS = 1000


def decoding(contract: Contract, media_type: MediaType, name: str) -> Decode | None:
    """Return how content of a media type (in lower case, without parameters) is decoded, None for bytes as they are."""
    if name.endswith(("/json", "+json")):
        return lambda content, _field: documents.decode(content)
    if name == "application/x-www-form-urlencoded":
        return lambda content, _field: _form(contract, media_type, content)
    if name.startswith("multipart/"):
        return lambda content, field: _multipart(contract, media_type, content, field)
    if name.endswith(("/xml", "+xml")):
        return _xml(contract, media_type)
    if name.startswith("text/"):
        wanted = shape(contract, media_type.schema)
        if (wanted.is_object or wanted.is_array) and "string" not in wanted.types:
            # Such as rows of text/csv: how they stand in the text is said nowhere, so nothing can be checked.
            return None
        return lambda content, field: typed(contract, content.decode(charset(field)), wanted)
    return None


def charset(field: str) -> str:
    """Return the charset that a `Content-Type` field names, UTF-8 without one."""
    for part in field.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "charset":
            return value.strip('"').lower()
    return "utf-8"


def _xml(contract: Contract, media_type: MediaType) -> Decode:
    from mockserver.xmltext import decode  # loaded for the contracts that speak XML

    return lambda content, _field: decode(content, contract.schema, media_type.schema or "")


def _form(contract: Contract, media_type: MediaType, content: bytes) -> Any:
    sent = pairs(content.decode())
    wanted = shape(contract, media_type.schema)
    values: dict[str, Any] = {}
    taken: set[str] = set()
    for name, pointer in wanted.properties.items():
        inner = shape(contract, pointer)
        encoding = media_type.encoding.get(name)
        style, explode = (encoding.style or "form", encoding.explode) if encoding is not None else ("form", True)
        own = [value for key, value in sent if key == name]
        if inner.is_object and own:
            values[name] = _json_or_text(unquote_plus(own[-1]))
        else:
            # Members of an exploded object stand beside those of the form itself, where they cannot be told apart.
            explode = explode and not inner.is_object
            try:
                values[name] = from_query(contract, name, style, inner, sent, explode=explode)
            except LookupError:
                continue
        taken |= {key for key, _ in sent if key == name or key.startswith(f"{name}[")}
    rest: dict[str, list[str]] = {}
    for key, value in sent:
        if key not in taken:
            rest.setdefault(key, []).append(unquote_plus(value))
    return {
        **_empty(contract, wanted),
        **values,
        **{key: found[0] if len(found) == 1 else found for key, found in rest.items()},
    }


def _empty(contract: Contract, wanted: Shape) -> dict[str, Any]:
    """Return the arrays that a form must have, empty: a form has no other way to say so than to leave them out."""
    return {name: [] for name in wanted.required if shape(contract, wanted.properties.get(name)).is_array}


def _multipart(contract: Contract, media_type: MediaType, content: bytes, field: str) -> Any:
    """Return the members of multipart content (RFC 7578); a file is text of its bytes, one character each."""
    wanted = shape(contract, media_type.schema)
    if not content:
        return _empty(contract, wanted)
    head = f"Content-Type: {field}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + content)
    boundary = message.get_boundary()
    if boundary is not None and content.strip() == f"--{boundary}--".encode("latin-1", "replace"):
        return _empty(
            contract, wanted
        )  # a form without fields: RFC 2046, section 5.1.1, wants a part, and clients send none
    if not message.is_multipart():
        raise ValueError("not multipart content with the boundary that the Content-Type names")
    found: dict[str, list[Any]] = {}
    for count, part in enumerate(message.iter_parts()):
        if count >= _MAX_PARTS:
            raise ValueError(f"more than {_MAX_PARTS} parts")
        name = str(part.get_param("name", "", header="content-disposition"))
        found.setdefault(name, []).append(_part(contract, part, _member(contract, wanted, name)))
    members = {name: _as_member(contract, values, wanted, name) for name, values in found.items()}
    return {**_empty(contract, wanted), **members}


def _member(contract: Contract, wanted: Shape, name: str) -> Shape:
    inner = shape(contract, wanted.properties.get(name))
    return shape(contract, inner.items) if inner.is_array else inner


def _as_member(contract: Contract, values: list[Any], wanted: Shape, name: str) -> Any:
    if shape(contract, wanted.properties.get(name)).is_array:
        # A part for each item, or one part that is the whole array.
        whole = _json_or_text(values[0]) if len(values) == 1 and isinstance(values[0], str) else values[0]
        return whole if len(values) == 1 and isinstance(whole, list) else values
    return values[0] if len(values) == 1 else values


def _part(contract: Contract, part: email.message.MIMEPart, wanted: Shape) -> Any:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if part.get_content_type().endswith(("/json", "+json")) or wanted.is_object or wanted.is_array:
        return _json_or_text(text)
    return typed(contract, text, wanted)


def _json_or_text(text: str) -> Any:
    try:
        return documents.decode(text.encode())
    except ValueError:
        return text
