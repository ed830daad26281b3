"""Parser of multipart content (RFC 2046, section 5.1) in one pass, with limits and without nested parts.

Python's email parser follows nested parts to any depth and reads hostile headers in quadratic time.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.utils import collapse_rfc2231_value
from itertools import islice, pairwise
from typing import NamedTuple

_MAX_PARTS = 1000
_MAX_HEAD_BYTES = 8 * 1024
_END_OF_HEAD = re.compile(rb"(?:\A|\r?\n)\r?\n")
#: Text allowed after a boundary: the closing hyphens, and blanks up to the end of the line.
_REST = re.compile(rb"(--)?[ \t]*(?=\r?\n|\Z)")
_FOLD = re.compile(r"\r?\n[ \t]+")


class Part(NamedTuple):
    """Part of multipart content: its name, `Content-Type` and decoded content.

    Attributes:
        name: name of the form field (RFC 7578, section 4.2), "" without one.
        content_type: its `Content-Type` field, "" without one.
        content: its bytes, any transfer encoding undone.
        filename: that of a file, "" without one.
    """

    name: str
    content_type: str
    content: bytes
    filename: str = ""


class FileText(str):
    """Content of an uploaded file as text, with what its part says of it.

    Attributes:
        filename: as the client gave it.
        content_type: `Content-Type` of the part, "" without one.
        size: number of its bytes.
    """

    filename: str
    content_type: str
    size: int

    def __new__(cls, text: str, part: Part) -> FileText:
        """Return the text of a part's content."""
        made = super().__new__(cls, text)
        made.filename, made.content_type, made.size = part.filename, part.content_type, len(part.content)
        return made


def is_empty(content: bytes, field: str) -> bool:
    """Tell whether content is a multipart form without parts: the closing boundary alone, as some clients send it."""
    return content.strip() == b"--" + _boundary(field) + b"--"


def parts(content: bytes, field: str) -> Iterator[Part]:
    """Yield the parts of multipart content; `field` is the `Content-Type` with the boundary.

    Raises:
        ValueError: no such boundary, no end of the last part, too many parts, or a head that is too long.
    """
    boundary = _boundary(field)
    delimiters = _delimiters(content, b"\n--" + boundary) if boundary else iter(())
    beginning = next(delimiters, None)
    if beginning is None or beginning.is_last:
        raise ValueError("not multipart content with the boundary that the Content-Type names")
    for _ in range(_MAX_PARTS):
        end = next(delimiters, None)
        if end is None:
            raise ValueError("the closing boundary, which ends with two hyphens, is missing")
        yield _part(content[beginning.end : end.start])
        if end.is_last:
            return
        beginning = end
    raise ValueError(f"more than {_MAX_PARTS} parts")


def parts_so_far(content: bytes, field: str, *, whole: bool) -> tuple[list[Part], str]:
    """Return the complete parts of multipart content that may go on, and what is wrong with its end, "" if nothing is.

    Args:
        content: what was received of it.
        field: the `Content-Type` with the boundary.
        whole: whether its sender ended it, so that the closing boundary is there.

    Raises:
        ValueError: no such boundary, or a head that is too long.
    """
    boundary = _boundary(field)
    if not boundary:
        raise ValueError("the Content-Type names no boundary")
    delimiters = list(islice(_delimiters(content, b"\n--" + boundary), _MAX_PARTS))
    if not delimiters and (whole or len(content) > _MAX_HEAD_BYTES):
        raise ValueError("not multipart content with the boundary that the Content-Type names")
    found = [_part(content[one.end : other.start]) for one, other in pairwise(delimiters) if not one.is_last]
    closed = any(one.is_last for one in delimiters)
    return found, "" if closed or not whole else "the closing boundary, which ends with two hyphens, is missing"


class _Delimiter(NamedTuple):
    """Boundary line in multipart content: its start and end offsets, and whether it is the last one."""

    start: int
    end: int
    is_last: bool


def _delimiters(content: bytes, dashed: bytes) -> Iterator[_Delimiter]:
    """Yield the boundary lines of multipart content; `dashed` is the line break and the text they begin with."""
    for place in _places(content, dashed):
        rest = _REST.match(content, place + len(dashed))
        if rest is not None:
            start = place - content.endswith(b"\r", 0, max(place, 0))
            yield _Delimiter(max(start, 0), rest.end(), rest[1] is not None)


def _places(content: bytes, dashed: bytes) -> Iterator[int]:
    """Yield the offset of each possible boundary; -1 for a boundary at the start of the content.

    `find` is many times as fast as an expression that looks for lines.
    """
    if content.startswith(dashed[1:]):
        yield -1
    place = content.find(dashed)
    while place >= 0:
        yield place
        place = content.find(dashed, place + 1)


def _boundary(field: str) -> bytes:
    return _parameter(field, "boundary").encode("utf-8", "replace").rstrip()


def _parameter(field: str, name: str) -> str:
    """Return a parameter of a header field, "" if missing; also one that is split or has a charset (RFC 2231).

    Raises:
        ValueError: its charset is none.
    """
    head = Message()
    head["field"] = field
    found = collapse_rfc2231_value(head.get_param(name, "", "field"))
    return found.encode("utf-8", "replace").decode()  # half of a pair of surrogates, from UTF-7, is no text


def _part(text: bytes) -> Part:
    """Return the part in the bytes between two boundaries."""
    text = text.removeprefix(b"\r").removeprefix(b"\n")
    end = _END_OF_HEAD.search(text, 0, _MAX_HEAD_BYTES)
    if end is None and len(text) > _MAX_HEAD_BYTES:
        raise ValueError(f"the head of a part is longer than {_MAX_HEAD_BYTES} bytes")
    head, content = (text[: end.start()], text[end.end() :]) if end is not None else (text, b"")
    lines = _FOLD.sub(" ", head.decode("utf-8", "replace")).splitlines()
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    disposition = fields.get("content-disposition", "")
    name = _parameter(disposition, "name")
    filename = _parameter(disposition, "filename") if "filename" in disposition.lower() else ""
    encoding = fields.get("content-transfer-encoding", "").lower()
    return Part(name, fields.get("content-type", ""), _plain(content, encoding), filename)


def _plain(content: bytes, encoding: str) -> bytes:
    """Return content with its `Content-Transfer-Encoding` undone, which RFC 7578, section 4.7, deprecates."""
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    if encoding == "base64":
        try:
            return binascii.a2b_base64(content)
        except ValueError:
            return content
    return content
