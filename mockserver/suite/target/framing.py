"""HTTP/1.1 framing of responses (RFC 9112): head and content are read within limits of size and time.

::

    DeadlineStream (bytes until a deadline) ── read_head ──► ResponseHead ── read_content ──► EncodedContent
                                                                    │
                              by chunks, by Content-Length, until the connection ends; at most `limit` bytes

A server decides what it sends, so no memory is reserved and nothing is waited for or read without a limit. Bytes that
no client can read raise `NotHTTP`; content beyond the limit, and a stream that does not end, are read in part.
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Any, Protocol

#: The most that one line of a head may hold, the most lines, and the most interim responses (1xx) before the final one.
MAX_LINE, MAX_LINES, MAX_INTERIM = 65536, 100, 100
#: A stream of events is read for this long after its first byte, and at most so much of it.
STREAM_SECONDS, STREAM_BYTES = 1.0, 1024 * 1024
_BLOCK = 65536
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: ([^\r\n]*))?\r?\n")
# Spaces before the colon are removed, as RFC 9112, section 5.1, requires of proxies.
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,4000})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"[0-9]{1,5000}")
#: More than any content has; Python reads no number of thousands of digits.
_ENDLESS = 10**18
#: Media types of content that is sent for as long as the client listens.
_STREAMS = re.compile(
    rb"text/event-stream|application/(?:[\w.+-]*[+.])?(?:x-)?(?:ndjson|jsonl|json-seq|jsonlines|stream\+json|json-lines)"
    rb"|multipart/(?:x-mixed-replace|mixed)|(?:audio|video)/.*",
    re.IGNORECASE,
)
#: The same for content without a length: logs, and bytes of any kind.
_OPEN_ENDED = re.compile(rb"text/plain|application/octet-stream", re.IGNORECASE)
_JSON = re.compile(rb"application/(?:[\w.-]*\+)?json", re.IGNORECASE)


class NotHTTP(Exception):  # noqa: N818 - says what the bytes are, not that something went wrong here
    """Error: the bytes received are no HTTP/1.1 response; the message describes them."""


class ConnectionDropped(Exception):  # noqa: N818 - what happened, in a word
    """Error: the connection ended before the response was complete."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How long a reader waits for what may never come.

    Attributes:
        stream_seconds: for how long a stream is read.
        first_byte: whether the whole time for a response is spent on waiting for the first byte of a stream.
        beyond_seconds: how long is looked for content behind the end of a response.
        content_sent: whether the request has content; a server that leaves it unread takes it for the next request,
            and what comes behind the response is the response to that.
    """

    stream_seconds: float = STREAM_SECONDS
    first_byte: bool = True
    beyond_seconds: float = 0.0
    content_sent: bool = False


USUAL = Listening()


class Source(Protocol):
    """Socket, or a wrapper with the same `settimeout`."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Set the limit in seconds for the next receive operation."""
        ...


class DeadlineStream(io.RawIOBase):
    """Byte stream of a connection with one deadline for all reads; a socket's own timeout restarts with each read.

    Attributes:
        deadline: on the monotonic clock; set it before a response is read.
    """

    def __init__(self, source: Source, receive: Callable[[Any], int | None]) -> None:
        self._source = source
        self._receive = receive
        self.deadline = 0.0

    def readable(self) -> bool:
        """Return True, as `BufferedReader` requires of its raw stream."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read at least one byte into a buffer and return the number of bytes; 0 at the end of the stream.

        Raises:
            TimeoutError: nothing came until the deadline.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._source.settimeout(left)
        return self._receive(buffer)


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Head of a response: status line and header fields.

    Attributes:
        version: the minor version of HTTP/1.
        flaw: the first line of it that is no field, "" if there is none.
    """

    version: str
    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class EncodedContent:
    """Content of a response as read from the connection, before content codings are decoded.

    Attributes:
        kept: whether the connection can be used for another request.
        unread: why it was not read to its end, "" if it was.
        endless: whether the content is longer than the limit and has no stated length.
        flaw: how its framing violates HTTP, "" if it does not.
    """

    body: bytes
    kept: bool = True
    unread: str = ""
    endless: bool = False
    flaw: str = ""


def read_head(reader: BufferedReader) -> ResponseHead:
    """Return the head of the final response; interim responses (1xx) are skipped.

    Raises:
        NotHTTP: it is no HTTP/1.1 response.
        ConnectionDropped: the connection ended before it was whole.
        TimeoutError: it did not come in time.
    """
    for _ in range(MAX_INTERIM):
        line = _read_line(reader)
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise NotHTTP(f"the status line {shown(line)}")
        fields, flaw = read_fields(reader)
        status = int(found[2])
        if status >= 200 or status == 101:
            texts = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
            return ResponseHead(found[1].decode(), status, (found[3] or b"").decode("latin-1"), texts, flaw)
    raise NotHTTP(f"more than {MAX_INTERIM} interim responses (1xx)")


def read_fields(reader: BufferedReader) -> tuple[list[tuple[bytes, bytes]], str]:
    """Return the header fields up to the empty line, and the first malformed field line or "".

    Raises:
        NotHTTP: there are too many, or one is too long.
        ConnectionDropped: the connection ended before the empty line.
        TimeoutError: it did not come in time.
    """
    fields: list[tuple[bytes, bytes]] = []
    flaw = ""
    for _ in range(MAX_LINES + 1):
        line = _read_line(reader)
        if line in {b"\r\n", b"\n"}:
            return fields, flaw
        found = _FIELD_LINE.fullmatch(line)
        if found is not None:
            fields.append((found[1], found[2]))
        elif line[:1] in b" \t" and fields:  # a line that goes on with the one before (RFC 9112, section 5.2)
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip())
        else:
            flaw = flaw or f"the field line {shown(line)}"
    raise NotHTTP(f"more than {MAX_LINES} fields")


def read_content(
    reader: BufferedReader,
    incoming: DeadlineStream,
    method: str,
    start: ResponseHead,
    limit: int,
    listening: Listening = USUAL,
) -> EncodedContent:
    """Return the content of a response, read within the limits (RFC 9112, section 6.3).

    Args:
        reader: right behind the head.
        incoming: what the reader reads from.
        method: of the request.
        start: the head.
        limit: read no more bytes than that.
        listening: how long a stream is read.

    Raises:
        NotHTTP: its length cannot be determined.
        ConnectionDropped: the connection ended before it did.
        TimeoutError: it did not end in time, and it is no stream.
    """
    if method == "HEAD" or start.status in {204, 304}:
        return EncodedContent(b"", kept=_is_kept(start), flaw=_announced(method, start))
    if start.status == 101:
        return EncodedContent(b"", kept=False)  # what comes is another protocol
    coding = b", ".join(_values(start, "transfer-encoding")).lower()
    media_type = b"".join(_values(start, "content-type")[:1])
    streams = _STREAMS.match(media_type) is not None
    if coding not in {b"", b"identity", b"chunked"}:
        raise NotHTTP(f"the transfer coding {shown(coding)}, which was not asked for")
    length = _length(start) if coding != b"chunked" else None
    if coding == b"chunked":
        parts = _chunks(reader)
    elif length is not None:
        parts = _exactly(reader, length)
    else:
        parts = _to_the_end(reader)
    streams = streams or (length is None and _OPEN_ENDED.match(media_type) is not None)
    most = min(limit, STREAM_BYTES) if streams and length is None else limit
    if streams and not listening.first_byte:
        incoming.deadline = min(incoming.deadline, time.monotonic() + listening.stream_seconds)
    texts = length is None and _JSON.match(media_type) is not None
    content = bytearray()
    try:
        unread, flaw = _collect(content, parts, incoming, most, listening.stream_seconds, streams=streams, texts=texts)
    except (TimeoutError, ConnectionDropped) as error:
        raise type(error)(_came(len(content), length, chunked=coding == b"chunked")) from None
    body = bytes(content)
    if streams and unread == LONGER and most < limit:
        unread = LEFT
    kept = not unread and not flaw and _is_kept(start) and (coding == b"chunked" or length is not None)
    endless = unread == LONGER and length is None and not streams
    if coding == b"chunked" and _values(start, "content-length"):
        flaw = flaw or "Content-Length beside Transfer-Encoding, of which one may be wrong (RFC 9112, section 6.2)"
    return EncodedContent(body, kept, unread, endless, flaw)


def _announced(method: str, start: ResponseHead) -> str:
    """Return how the fields of a response without content announce some that may not be, "" if they do not."""
    if start.status != 204 or method == "HEAD":
        return ""  # what GET would have sent is told in answers to HEAD, and in 304 (RFC 9110, section 8.6)
    lengths = {value.strip() for value in _values(start, "content-length")}
    if _values(start, "transfer-encoding"):
        return "Transfer-Encoding in a 204 (RFC 9112, section 6.1)"
    return "" if lengths <= {b"0"} else "Content-Length in a 204, which has no content (RFC 9110, section 8.6)"


#: Why content was not read to its end.
LONGER = "its content is longer than --max-response allows"
LEFT = "its content is a stream, which was left after some time"
#: The flaw of a stream whose connection was closed before its end.
BROKEN_OFF = "content that breaks off: the connection was closed before its end (RFC 9112, section 8)"


def _came(size: int, length: int | None, *, chunked: bool) -> str:
    """Return how much came of content that did not come to its end."""
    if length is not None:
        return f"{size} of the {length} bytes came that Content-Length announces" if size < length else ""
    return f"{size} bytes came, and no last chunk" if chunked else f"{size} bytes came"


def _collect(
    content: bytearray,
    parts: Iterator[bytes],
    incoming: DeadlineStream,
    limit: int,
    seconds: float,
    *,
    streams: bool,
    texts: bool,
) -> tuple[str, str]:
    """Append the parts of a response's content; return why it was not read to its end, and its flaw ("" for none)."""
    while True:
        try:
            part = next(parts, None)
        except TimeoutError:
            if not streams and not (texts and _has_two_texts(bytes(content))):
                raise
            return LEFT, ""
        except ConnectionDropped:
            if not streams or not content:
                raise
            return "", BROKEN_OFF
        if part is None:
            return "", ""
        if streams and not content:
            incoming.deadline = min(incoming.deadline, time.monotonic() + seconds)
        content += part
        if len(content) > limit:
            del content[limit:]
            return LONGER, ""


def _has_two_texts(content: bytes) -> bool:
    """Tell whether content is one complete JSON text after the other: a stream, by whatever name."""
    text, decoder, place = content.decode("utf-8", "replace").lstrip(), json.JSONDecoder(), 0
    try:
        for _ in range(2):
            _, place = decoder.raw_decode(text, place)
            place += len(text[place:]) - len(text[place:].lstrip())
    except (ValueError, RecursionError):
        return False
    return True


def beyond(reader: BufferedReader, incoming: DeadlineStream, seconds: float) -> bytes:
    """Return bytes that came behind the end of a response, b"" if none came within so many seconds."""
    incoming.deadline = time.monotonic() + seconds if seconds else 0.0
    try:
        return reader.peek(1)
    except (TimeoutError, OSError, ValueError):
        return b""


def _chunks(reader: BufferedReader) -> Iterator[bytes]:
    while True:
        line = _read_line(reader)
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise NotHTTP(f"the chunk size {shown(line)}")
        size = int(found[1], 16) if len(found[1]) < 16 else _ENDLESS
        if size == 0:
            read_fields(reader)
            return
        yield from _exactly(reader, size)
        if _read_line(reader) not in {b"\r\n", b"\n"}:
            raise NotHTTP(f"a chunk that is longer than its size, {shown(found[1])}")


def _exactly(reader: BufferedReader, size: int) -> Iterator[bytes]:
    while size:
        part = reader.read1(min(size, _BLOCK))
        if not part:
            raise ConnectionDropped
        size -= len(part)
        yield part


def _to_the_end(reader: BufferedReader) -> Iterator[bytes]:
    while part := reader.read1(_BLOCK):
        yield part


def _length(start: ResponseHead) -> int | None:
    """Return the length in bytes that Content-Length gives, or None without the field.

    Raises:
        NotHTTP: it is no number, or there are several.
    """
    lengths = {part.strip() for value in _values(start, "content-length") for part in value.split(b",")}
    if not lengths:
        return None
    value = lengths.pop()
    if lengths:
        raise NotHTTP(f"several lengths: {shown(b', '.join(sorted({value, *lengths})))}")
    if not _LENGTH.fullmatch(value):
        raise NotHTTP(f"the length {shown(value)}")
    return int(value) if len(value) < 18 else _ENDLESS


def _is_kept(start: ResponseHead) -> bool:
    options = b",".join(_values(start, "connection")).lower()
    return b"close" not in options and (start.version != "0" or b"keep-alive" in options)


def _values(start: ResponseHead, name: str) -> list[bytes]:
    return [value.encode("latin-1") for key, value in start.fields if key.lower() == name]


def _read_line(reader: BufferedReader) -> bytes:
    line = reader.readline(MAX_LINE)
    if line.endswith(b"\n"):
        return line
    if len(line) < MAX_LINE:
        raise ConnectionDropped
    raise NotHTTP(f"a line of more than {MAX_LINE} bytes, {shown(line)}")


def shown(content: bytes) -> str:
    """Return bytes as a JSON string for a message, shortened; each byte is a character of ISO 8859-1."""
    return json.dumps(content[:80].decode("latin-1")) + ("…" if len(content) > 80 else "")
