"""Sequences written: values as the items of a stream, in the framing of its media type (sequences.py reads them).

A text that is framed already is taken as it is, item by item; any other is the data of an item, or of several, as
documentation writes them: blocks between empty lines, or lines of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.http import json
from mockserver.http.content.sequences import sequence_kind
from mockserver.http.media_types import essence

#: Boundary of multipart content whose media type names none.
BOUNDARY = "mockserver-boundary"
#: Returns the items of a sequence, framed; joined they are its content.
Write = Callable[[Any], tuple[bytes, ...]]
#: The fields of an event in the order that they are written in, its data last (HTML, section 9.2).
_EVENT_FIELDS = ("event", "id", "retry", "data")
_FRAMED = re.compile(r"(?:event|id|retry|data)?:")
_LINE_END = re.compile(r"\r\n|\n|\r")
_EMPTY_LINES = re.compile(r"(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))+")
_EVENT_END = re.compile(r"(?:\r\n|\n|\r(?!\n)){2,}")
_RECORD_SEPARATOR = b"\x1e"
_DELIMITER = re.compile(rb"--([^\r\n]{1,70}?)[ \t]*\r?\n")


def sequence_writer(media_type: str) -> Write | None:
    """Return the function that writes a sequence of a media type; None if it is none, or a form."""
    kind = sequence_kind(media_type)
    if not kind or essence(media_type) == "multipart/form-data":
        return None
    if kind == "parts":
        boundary = re.search(r'boundary="?([^";,]+)', media_type)
        return _parts(boundary[1] if boundary else BOUNDARY)
    return _WRITERS[kind]


def text_of(value: Any) -> str:
    """Return a text or bytes as text, and any other value as JSON."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.encode(value).decode()


def bytes_of(value: Any) -> bytes:
    """Return bytes as they are, a text in UTF-8, and any other value as JSON."""
    return value if isinstance(value, bytes) else text_of(value).encode()


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _events(value: Any) -> tuple[bytes, ...]:
    return tuple(event for item in _items(value) for event in _events_of(item))


def _events_of(value: Any) -> list[bytes]:
    if not isinstance(value, str | bytes):
        return [_event(value)]
    text = text_of(value).removeprefix("\ufeff")
    stripped = text.strip("\r\n")
    if not stripped:
        return []
    if _FRAMED.match(stripped) is None:
        return [_event(block) for block in _EMPTY_LINES.split(stripped)]
    ends = [found.end() for found in _EVENT_END.finditer(text)]
    framed = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    if framed[-1].strip():
        framed[-1] = framed[-1].rstrip("\r\n") + "\n\n"  # clients drop an event that no empty line ends
    return [event.encode() for event in framed if event]


def _event(value: Any) -> bytes:
    # An object with `data`, and nothing that is no field, is an event as OpenAPI 3.2 describes it; any other value is
    # the data of one.
    is_event = isinstance(value, Mapping) and "data" in value and value.keys() <= set(_EVENT_FIELDS)
    fields = value if is_event else {"data": value}
    lines = [
        f"{name}: {line}\n"
        for name in _EVENT_FIELDS
        if fields.get(name) is not None or (name == "data" and name in fields)
        for line in _LINE_END.split(text_of(fields[name]))
    ]
    return "".join([*lines, "\n"]).encode()


def _json_texts(value: Any) -> list[bytes]:
    """Return the JSON texts of lines or records, each in one line."""
    if not isinstance(value, str | bytes):
        return [json.encode(item) for item in _items(value)]
    content = bytes_of(value).replace(_RECORD_SEPARATOR, b"\n").strip()
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if len(lines) > 1 or content.startswith(b"["):
        try:
            return [json.encode(item) for item in _items(json.decode(content))]
        except ValueError:
            pass  # more than one JSON text, or none
    return lines


def _lines(value: Any) -> tuple[bytes, ...]:
    return tuple(text + b"\n" for text in _json_texts(value))


def _records(value: Any) -> tuple[bytes, ...]:
    return tuple(_RECORD_SEPARATOR + text + b"\n" for text in _json_texts(value))


def _parts(boundary: str) -> Write:
    delimiter = f"--{boundary}".encode()

    def write(value: Any) -> tuple[bytes, ...]:
        if isinstance(value, str | bytes):
            content = bytes_of(value)
            framed = _DELIMITER.match(content.lstrip())
            if framed is not None:
                own = b"--" + framed[1]
                lines = content.strip().splitlines()
                shown = [delimiter + line[len(own) :] if line.startswith(own) else line for line in lines]
                return (b"\r\n".join([*shown, b""]),)
        named = value.items() if isinstance(value, Mapping) else (("", item) for item in _items(value))
        parts = [delimiter + b"\r\n" + _part(name, item) + b"\r\n" for name, item in named]
        last = parts.pop() if parts else b""
        return (*parts, last + delimiter + b"--\r\n")

    return write


def _part(name: str, value: Any) -> bytes:
    """Return the head and content of a part; one with a name is a member of an object (RFC 7578, section 4.2)."""
    kind = b"application/json"
    if isinstance(value, str | bytes):
        kind = b"text/plain" if isinstance(value, str) else b"application/octet-stream"
    shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    disposition = f'Content-Disposition: form-data; name="{shown}"\r\n'.encode() if name else b""
    return disposition + b"Content-Type: " + kind + b"\r\n\r\n" + bytes_of(value)


_WRITERS: Mapping[str, Write] = {"events": _events, "lines": _lines, "records": _records}
