"""Contents of requests: a value written in a media type, as JSON, form, multipart with files, XML, text or a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from mockserver.contract.model import Contract, Encoding, MediaType
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http import xml
from mockserver.http.media_types import concrete, essence, is_json, is_json_lines, is_xml
from mockserver.http.pointers import child
from mockserver.http.styles import encode_query, primitive

_BOUNDARY = "mockserver-part"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/"
_BYTES = "application/octet-stream"
#: Small files that are what their media type says; a file of any other type is text.
_FILES: Mapping[str, bytes] = {
    "image/png": base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    ),
    "image/gif": base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
    "application/pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    "application/json": b"{}",
    "text/csv": b"name,value\nsample,1\n",
    "application/xml": b"<sample/>",
}
_FILE = b"sample of a file\n"


def encoded(contract: Contract, media_type: MediaType, value: Any) -> tuple[bytes, str]:
    """Return content that holds a value in a media type, and its `Content-Type` field."""
    name = concrete(media_type.name)
    kind = essence(name)
    if is_json(kind):
        return json.dumps(value).encode(), name
    if isinstance(value, bytes):
        return value, name
    if kind == FORM and isinstance(value, dict):
        return "&".join(_form_parts(media_type.encoding, value)).encode(), name
    if kind.startswith(MULTIPART) and isinstance(value, dict):
        return _multipart(contract, media_type, value), f"{kind}; boundary={_BOUNDARY}"
    if is_json_lines(kind):
        lines = value if isinstance(value, list) else [value]
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines), name
    if is_xml(kind) and not isinstance(value, str):
        return xml.encode(value, contract.schema, media_type.schema or ""), name
    return value.encode() if isinstance(value, str) else json.dumps(value).encode(), name


def preferred(content: Mapping[str, MediaType]) -> tuple[MediaType, ...]:
    """Return the documented media types of a request, those first that say most: JSON, forms, then files."""
    return tuple(sorted(content.values(), key=lambda one: _rank(essence(concrete(one.name)))))


def _rank(kind: str) -> int:
    if is_json(kind):
        return 0
    if kind == FORM:
        return 1
    if kind.startswith(MULTIPART):
        return 2
    return 3 if is_xml(kind) or is_json_lines(kind) else 4


def file_of(media_type: str) -> bytes:
    """Return a small file of a media type."""
    return _FILES.get(essence(media_type), _FILE)


def is_file(contract: Contract, media_type: MediaType) -> bool:
    """Tell whether content of a media type is a file: bytes whose form no schema describes."""
    name = essence(concrete(media_type.name))
    if is_json(name) or is_xml(name) or is_json_lines(name) or name == FORM or name.startswith(MULTIPART):
        return False
    if media_type.schema is None:
        return not name.startswith("text/")
    return _is_binary(contract, media_type.schema)


def _is_binary(contract: Contract, pointer: str) -> bool:
    """Tell whether a schema describes bytes: `format: binary`, or a type of content that is not encoded as text."""
    try:
        raw, _ = follow(contract.document.data, pointer)
    except (ContractError, LookupError):
        return False
    if not isinstance(raw, dict):
        return False
    return raw.get("format") == "binary" or ("contentMediaType" in raw and "contentEncoding" not in raw)


def _form_parts(encoding: Mapping[str, Encoding], value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the `name=value` parts of a form (OpenAPI 3.1, section 4.8.15.1); an object is written as JSON."""
    for name, member in value.items():
        own = encoding.get(name)
        styled = own is not None and own.style
        if isinstance(member, dict) and not styled:
            yield f"{quote_plus(name)}={quote_plus(json.dumps(member))}"
            continue
        style, explode = (own.style, own.explode) if own is not None and own.style else ("form", True)
        items = (
            [json.dumps(item) if isinstance(item, dict | list) else item for item in member]
            if (isinstance(member, list))
            else member
        )
        yield from encode_query(name, items, style, explode=explode, quote=quote_plus)


def _multipart(contract: Contract, media_type: MediaType, value: Mapping[str, Any]) -> bytes:
    parts = [
        part
        for name, member in value.items()
        for item in (member if isinstance(member, list) else [member])
        for part in _part(contract, media_type, name, item)
    ]
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _part(contract: Contract, media_type: MediaType, name: str, value: Any) -> Iterator[bytes]:
    """Yield the text of one part (RFC 7578, section 4): a file has a file name, an object is JSON."""
    told = media_type.encoding.get(name)
    named = concrete(told.content_type.partition(",")[0].strip()) if told is not None and told.content_type else ""
    disposition = f'form-data; name="{_quoted(name)}"'
    content = value if isinstance(value, bytes) else primitive(value).encode()
    if _is_file_part(contract, media_type, name):
        disposition += '; filename="sample.bin"'
        named = named or _BYTES
        content = file_of(named)
    elif isinstance(value, dict | list):
        named, content = named or "application/json", json.dumps(value).encode()
    yield f"--{_BOUNDARY}\r\nContent-Disposition: {disposition}\r\n".encode()
    if named:
        yield f"Content-Type: {named}\r\n".encode()
    yield b"\r\n" + content + b"\r\n"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _is_file_part(contract: Contract, media_type: MediaType, name: str) -> bool:
    """Tell whether a member of a multipart form is a file, or a list of files."""
    if media_type.schema is None:
        return False
    for pointer in _members(contract, media_type.schema, name, 0):
        if _is_binary(contract, pointer) or _is_binary(contract, child(pointer, "items")):
            return True
    return False


def _members(contract: Contract, pointer: str, name: str, depth: int) -> Iterator[str]:
    """Yield the pointers of the schemas that describe a member, `$ref` and `allOf` included."""
    try:
        raw, place = follow(contract.document.data, pointer)
    except (ContractError, LookupError):
        return
    if not isinstance(raw, dict) or depth > 8:
        return
    if isinstance(raw.get("properties"), dict) and name in raw["properties"]:
        yield follow(contract.document.data, child(place, "properties", name))[1]
    for keyword in ("allOf", "oneOf", "anyOf"):
        for index in range(len(raw[keyword]) if isinstance(raw.get(keyword), list) else 0):
            yield from _members(contract, child(place, keyword, str(index)), name, depth + 1)
