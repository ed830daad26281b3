"""Encoding of values as response content, by media type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

from mockserver.contract.model import Contract, MediaType
from mockserver.contract.values.tiny_files import TinyFile, tiny_file
from mockserver.http import json
from mockserver.http.content.sequence_writer import BOUNDARY, bytes_of, sequence_writer, text_of
from mockserver.http.media_types import charset, essence, is_json, is_xml

Encode = Callable[[Any], bytes]


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
    own = tiny_file(plain) if media_type is not None and media_type.name.endswith("*") else None
    if own is not None:
        return lambda value: (
            own if isinstance(value, TinyFile) else value if isinstance(value, bytes) else encode(value)
        )
    # Bytes are content already: a file, or the serialised form of an example.
    return lambda value: value if isinstance(value, bytes) else encode(value)


def _encoder(contract: Contract, media_type: MediaType | None, name: str) -> Encode:
    plain = essence(name)
    if is_xml(plain):
        return _xml(contract, media_type)
    write = sequence_writer(name)
    if write is not None:
        return lambda value: b"".join(write(value))
    if plain == "application/x-www-form-urlencoded":
        return _form
    if plain.startswith("multipart/"):
        form = sequence_writer("multipart/mixed" + name[len(plain) :])  # which writes an object as a form
        assert form is not None
        return lambda value: b"".join(form(value if isinstance(value, Mapping) else {"value": value}))
    return _text(charset(name) or "utf-8") if plain.startswith("text/") else bytes_of


def content_type(name: str) -> str:
    """Return the `Content-Type` value of a media type, with a charset or boundary if its content needs one."""
    if essence(name).startswith("multipart/") and "boundary=" not in name:
        return f"{name}; boundary={BOUNDARY}"
    return name


def _text(encoding: str) -> Encode:
    def encode(value: Any) -> bytes:
        return text_of(value).encode(encoding, "replace")

    return encode


def _form(value: Any) -> bytes:
    if not isinstance(value, Mapping):
        return bytes_of(value)
    pairs: list[tuple[str, Any]] = []
    for name, item in value.items():
        pairs.extend((name, each) for each in (item if isinstance(item, list) else [item]))
    return "&".join(f"{quote_plus(name)}={quote_plus(text_of(item))}" for name, item in pairs).encode()


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
