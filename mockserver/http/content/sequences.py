"""Sequences: content that is one item after the other, and may never end, read item by item.

::

    text/event-stream            events, each ended by an empty line           (HTML, section 9.2)
    application/jsonl, x-ndjson  a JSON text on each line                      (jsonlines.org)
    application/json-seq         0x1E, a JSON text, a line feed                (RFC 7464)
    multipart/*                  parts between boundaries                      (RFC 2046, section 5.1)

What was cut off by the reader is no item; what the sender broke off is a flaw.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mockserver.http.media_types import charset, essence
from mockserver.http.multipart import parts_so_far

#: So many items are read; those of a stream of thousands are all alike.
MAX_ITEMS = 500
_LINES = re.compile(
    r"application/(?:[\w.+-]*[+.-])?(?:x-)?(?:ndjson|jsonl|jsonlines|stream\+json|json-?lines|json-stream)"
)
_RECORDS = re.compile(r"application/(?:[\w.+-]*\+)?json-seq")
_RECORD_SEPARATOR = b"\x1e"
_LINE_END = re.compile(r"\r\n|\n|\r")
#: The fields of an event; clients ignore any other (HTML, section 9.2.6).
_EVENT_FIELDS = frozenset({"data", "event", "id", "retry"})
#: How a field of a later version would be called.
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a sequence.

    Attributes:
        content: the data of an event, a JSON text, or the content of a part.
        fields: the fields of an event, `data` included; the `Content-Type` of a part as `content-type`.
    """

    content: bytes
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sequence:
    """The items of a sequence that were complete.

    Attributes:
        kind: `events`, `lines`, `records` or `parts`.
        flaw: how the content breaks the framing of its media type, "" if it does not.
    """

    kind: str
    items: tuple[Item, ...] = ()
    flaw: str = ""


def sequence_kind(media_type: str) -> str:
    """Return how content of a media type is framed: `events`, `lines`, `records`, `parts`, or "" for no sequence."""
    name = essence(media_type)
    if name == "text/event-stream":
        return "events"
    if _LINES.fullmatch(name):
        return "lines"
    if _RECORDS.fullmatch(name):
        return "records"
    return "parts" if name.startswith("multipart/") else ""


def read_sequence(content: bytes, content_type: str, *, whole: bool) -> Sequence | None:
    """Return the items of sequential content, None if the media type is none of a sequence.

    Args:
        content: what was received of it.
        content_type: its `Content-Type` field.
        whole: whether the sender ended it; else its end was cut off by whoever read it.
    """
    kind = sequence_kind(content_type)
    return _READERS[kind](content, content_type, whole) if kind else None


def _events(content: bytes, content_type: str, whole: bool) -> Sequence:  # noqa: FBT001 - called by table
    text, flaw = _text(content, whole=whole)
    if "charset=" in content_type.lower() and charset(content_type) != "utf-8":
        flaw = flaw or "event streams are always UTF-8, whatever charset is named"
    items: list[Item] = []
    data: list[str] = []
    fields: dict[str, str] = {}
    known, strange = False, ""
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    last = lines.pop()  # without an end, so no line yet
    for line in lines:
        if not line:
            if data and len(items) < MAX_ITEMS:
                shown = "\n".join(data)
                items.append(Item(shown.encode(), fields | {"data": shown}))
            data, fields = [], {}
            continue
        name, colon, value = line.partition(":")
        if colon and not name:
            known = True  # a comment
        elif name not in _EVENT_FIELDS:
            if name.lower() in _EVENT_FIELDS or not _FIELD_NAME.fullmatch(name):
                strange = strange or line
        else:
            known = True
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name != "retry" or (value.isascii() and value.isdecimal()):
                fields[name] = value
    if whole and not flaw:
        if strange:
            flaw = f"a line that is no field of an event, so clients ignore it: {_shown(strange)}"
        elif last and not known and not items:
            flaw = f"a line that does not end: {_shown(last)}"
        elif data or last.startswith(("data:", "event:", "id:")):
            flaw = "it breaks off in the middle of an event: no empty line ends it, so clients drop it"
    elif strange and not flaw:
        flaw = f"a line that is no field of an event, so clients ignore it: {_shown(strange)}"
    return Sequence("events", tuple(items), flaw)


def _lines(content: bytes, _content_type: str, whole: bool) -> Sequence:  # noqa: FBT001 - called by table
    *lines, last = content.split(b"\n")
    if whole:
        lines.append(last)
    found = [line.strip(b" \t\r") for line in lines]
    return Sequence("lines", tuple(Item(line) for line in found if line)[:MAX_ITEMS])


def _records(content: bytes, _content_type: str, whole: bool) -> Sequence:  # noqa: FBT001 - called by table
    before, *records = content.split(_RECORD_SEPARATOR)
    if before.strip():
        shown = _shown(before.decode("utf-8", "replace"))
        return Sequence("records", flaw=f"a JSON text without the record separator 0x1E before it: {shown}")
    if records and not records[-1].endswith(b"\n"):
        cut = records.pop()
        if whole and cut.strip():
            shown = _shown(cut.decode("utf-8", "replace"))
            found = tuple(Item(record.strip()) for record in records if record.strip())
            return Sequence("records", found[:MAX_ITEMS], f"a record without a line feed at its end: {shown}")
    open_ended = next((record for record in records if record.strip() and not record.endswith(b"\n")), None)
    flaw = ""
    if open_ended is not None:
        flaw = f"a record without a line feed at its end: {_shown(open_ended.decode('utf-8', 'replace'))}"
    return Sequence("records", tuple(Item(record.strip()) for record in records if record.strip())[:MAX_ITEMS], flaw)


def _parts(content: bytes, content_type: str, whole: bool) -> Sequence:  # noqa: FBT001 - called by table
    try:
        found, flaw = parts_so_far(content, content_type, whole=whole)
    except ValueError as error:
        return Sequence("parts", flaw=str(error))
    return Sequence("parts", tuple(Item(part.content, {"content-type": part.content_type}) for part in found), flaw)


_READERS: Mapping[str, Callable[[bytes, str, bool], Sequence]] = {
    "events": _events,
    "lines": _lines,
    "records": _records,
    "parts": _parts,
}


def _text(content: bytes, *, whole: bool) -> tuple[str, str]:
    """Return content decoded from UTF-8, and why it is none; a character that was cut off is left out."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(content, final=whole), ""
    except UnicodeDecodeError as error:
        return content.decode("utf-8", "replace"), f"it is not UTF-8: {error.reason} at byte {error.start}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
