"""Response header fields that the contract documents, written in style `simple` (OpenAPI 3.1, section 4.8.21)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.contract.model import DocumentedResponse as Documented
from mockserver.contract.model import Parameter
from mockserver.http import json
from mockserver.http.styles import encode_text

Fields = list[tuple[str, str]]
#: Value of a header by example or schema, None where there is none to be had.
ValueOf = Callable[[Parameter], Any]
#: Fields that the server writes, or that would say something untrue of this connection or content.
_NOT_OURS = frozenset(
    {
        "content-type",
        "content-length",
        "content-encoding",
        "content-range",
        "content-md5",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "trailer",
        "upgrade",
        "date",
        "vary",
    }
)


def documented_fields(documented: Documented | None, value_of: ValueOf) -> Fields:
    """Return the header fields of a documented response, except fields that real servers were observed to omit."""
    fields: Fields = []
    for header in documented.headers.values() if documented is not None else ():
        if header.unseen or header.name.lower() in _NOT_OURS:
            continue
        value = value_of(header)
        if value is None and not header.required:
            continue
        # Documents that list a field twice tell the two apart by a character that no name may have.
        name = header.name.strip("\0")
        for one in _values(name, value):
            text = _one_line(_serialise(one, header))
            if text or header.required:
                fields.append((name, text))
    return fields


def _values(name: str, value: Any) -> list[Any]:
    """Return the values that are fields of their own: several cookies are several fields (RFC 6265, section 3)."""
    if name.lower() != "set-cookie":
        return [value]
    if isinstance(value, Mapping):
        return [f"{cookie}={encode_text(cookie, content)}" for cookie, content in value.items()]
    return value if isinstance(value, list) else [value]


def _serialise(value: Any, header: Parameter) -> str:
    if header.content is not None:
        return json.encode(value).decode()
    return encode_text(header.name, value, explode=header.explode)


def _one_line(text: str) -> str:
    """Return text with characters that a field value may not hold replaced by `?` (RFC 9110, section 5.5)."""
    return "".join(char if " " <= char <= "~" or char == "\t" else "?" for char in text).strip()
