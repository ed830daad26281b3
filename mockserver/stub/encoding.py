"""Encoding of values as response content, by media type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

from mockserver.contract.model import Contract, MediaType
from mockserver.http import json
from mockserver.http.content.sequences import sequence_kind
from mockserver.http.media_types import charset, essence, is_json, is_json_lines, is_xml

Encode = Callable[[Any], bytes]
_BOUNDARY = "mockserver-boundary"


def encoder(contract: Contract, media_type: MediaType | None, name: str) -> Encode:
    """Return the function that encodes values as content of a media type.

    Args:
        contract: for the schemas' `xml` hints.
        media_type: as documented, None where it is not.
        name: the concrete media type that is sent.
    """
    plain = essence(name)
    if is_json(plain):
        return json.encode
    encode = _encoder(contract, media_type, name)
    # Bytes are content already: a file, or the serialised form of an example.
    return lambda value: value if isinstance(value, bytes) else encode(value)


def _encoder(contract: Contract, media_type: MediaType | None, name: str) -> Encode:
    plain = essence(name)
    if is_xml(plain):
        return _xml(contract, media_type)
    if sequence_kind(plain) == "events":
        return _events
    if sequence_kind(plain) == "records":
        return _records
    if is_json_lines(plain):
        return _lines
    if plain == "application/x-www-form-urlencoded":
        return _form
    if plain.startswith("multipart/"):
        return _multipart
    return _text(charset(name) or "utf-8") if plain.startswith("text/") else _bytes


def content_type(name: str) -> str:
    """Return the `Content-Type` value of a media type, with a charset or boundary if its content needs one."""
    if essence(name).startswith("multipart/") and "boundary=" not in name:
        return f"{name}; boundary={_BOUNDARY}"
    return name


def _text(encoding: str) -> Encode:
    def encode(value: Any) -> bytes:
        return _as_text(value).encode(encoding, "replace")

    return encode


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.encode(value).decode()


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return _as_text(value).encode()


def _lines(value: Any) -> bytes:
    items = value if isinstance(value, list) else [value]
    if isinstance(value, str):
        return value.encode()
    return b"".join(json.encode(item) + b"\n" for item in items)


def _records(value: Any) -> bytes:
    """Return JSON texts, each behind a record separator (RFC 7464)."""
    if isinstance(value, str) and value.startswith("\x1e"):
        return value.encode()
    return b"".join(b"\x1e" + json.encode(item) + b"\n" for item in (value if isinstance(value, list) else [value]))


#: The fields of an event in the order that they are written in, its data last (HTML, section 9.2).
_EVENT_FIELDS = ("event", "id", "retry", "data")


def _events(value: Any) -> bytes:
    """Return a stream of events; a text that has fields of events already is one."""
    if isinstance(value, str) and value.startswith((":", *(f"{name}:" for name in _EVENT_FIELDS))):
        return value.encode()
    return b"".join(_event(item) for item in (value if isinstance(value, list) else [value]))


def _event(value: Any) -> bytes:
    # An object with `data`, and nothing that is no field, is an event as OpenAPI 3.2 describes it; any other value is
    # the data of one.
    is_event = isinstance(value, Mapping) and "data" in value and value.keys() <= set(_EVENT_FIELDS)
    fields = value if is_event else {"data": value}
    lines = [
        f"{name}: {line}\n"
        for name in _EVENT_FIELDS
        if name in fields
        for line in (_as_text(fields[name]).splitlines() or [""])
    ]
    return "".join([*lines, "\n"]).encode()


def _form(value: Any) -> bytes:
    if not isinstance(value, Mapping):
        return _bytes(value)
    pairs: list[tuple[str, Any]] = []
    for name, item in value.items():
        pairs.extend((name, each) for each in (item if isinstance(item, list) else [item]))
    return "&".join(f"{quote_plus(name)}={quote_plus(_as_text(item))}" for name, item in pairs).encode()


def _multipart(value: Any) -> bytes:
    """Return multipart content with one part for each member of an object (RFC 7578, section 4.2)."""
    if not isinstance(value, Mapping):
        value = {"value": value}
    parts = []
    for name, item in value.items():
        shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        kind = "text/plain" if isinstance(item, str | bytes) else "application/json"
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{shown}"\r\nContent-Type: {kind}\r\n\r\n'
        parts.append(head.encode() + _bytes(item) + b"\r\n")
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _xml(contract: Contract, media_type: MediaType | None) -> Encode:
    from mockserver.http.xml import encode as to_xml  # loaded for the contracts that speak XML

    pointer = (media_type.schema if media_type is not None else None) or ""

    def encode(value: Any) -> bytes:
        return (
            value.encode()
            if isinstance(value, str) and value.lstrip().startswith("<")
            else to_xml(value, contract.schema, pointer)
        )

    return encode
