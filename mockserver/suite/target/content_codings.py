"""Content codings (gzip, deflate), decoded within limits of size and time (RFC 9110, section 8.4)."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import BufferedReader

from mockserver.suite.target.framing import (
    LONGER,
    USUAL,
    DeadlineStream,
    Listening,
    ResponseHead,
    beyond,
    read_content,
    shown,
)

_STEP = 1024 * 1024
#: How the response to another request begins, or the page of a server that takes it for one of HTTP/0.9.
_OTHER_RESPONSE = re.compile(rb"HTTP/|\s*<", re.IGNORECASE)
#: Content that grows by a larger factor is an attack: JSON of a single repeated member grows about 50 times.
_MOST_GROWTH = 100
#: So many codings on top of each other are undone.
_MAX_CODINGS = 5
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
#: Codings that are registered, and not offered by the suite (IANA, HTTP Content Coding Registry).
_UNREAD = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "aes128gcm", "exi", "pack200-gzip"})


@dataclass(frozen=True, slots=True)
class DecodedContent:
    """Content after its content codings were decoded.

    Attributes:
        unread: why it was not decoded to its end, "" if it was.
        flaw: what is wrong with it, "" if nothing is.
    """

    body: bytes
    unread: str = ""
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedContent:
    """Decoded content of a response, as far as it was read within the limits.

    Attributes:
        kept: whether the connection can be used for another request.
        unread: why it was not read to its end, "" if it was.
        flaw: how the response violates HTTP itself, "" if it does not.
    """

    body: bytes
    kept: bool
    unread: str
    flaw: str


def receive_content(
    reader: BufferedReader,
    incoming: DeadlineStream,
    method: str,
    start: ResponseHead,
    limit: int,
    listening: Listening = USUAL,
) -> ReceivedContent:
    """Read the content of a response within the limits, decode and return it.

    Raises:
        NotHTTP: its length cannot be determined.
        ConnectionDropped: the connection ended before it did.
        TimeoutError: it did not end, or could not be decoded, in time.
    """
    deadline = incoming.deadline
    content = read_content(reader, incoming, method, start, limit, listening)
    decoded = decode(content.body, start.fields, limit, deadline, whole=not content.unread)
    if start.status == 101:
        return ReceivedContent(
            b"",
            kept=False,
            unread="",
            flaw="it switches to another protocol without a request to do so (RFC 9110, section 7.8)",
        )
    flaw = f"content that does not end within {limit} bytes and has no stated length" if content.endless else ""
    flaw = start.flaw or content.flaw or flaw or decoded.flaw
    kept = content.kept
    if not flaw and not content.unread:
        empty = method == "HEAD" or start.status in {204, 304}
        more = beyond(reader, incoming, listening.beyond_seconds if empty else 0.0)
        if more and (not listening.content_sent or (empty and not _OTHER_RESPONSE.match(more))):
            kept, flaw = False, _behind(method, start.status, more)
    return ReceivedContent(decoded.body, kept, content.unread or decoded.unread, flaw)


def _behind(method: str, status: int, more: bytes) -> str:
    """Return the flaw of a response behind whose end there are bytes that no request asked for."""
    if method == "HEAD":
        return f"content in the response to HEAD, {shown(more)} (RFC 9110, section 9.3.2)"
    if status in {204, 304}:
        return f"content in a {status}, {shown(more)} (RFC 9110, section 6.4.1)"
    return f"bytes behind the end that its fields tell, {shown(more)} (RFC 9112, section 6.3)"


def decode(
    body: bytes, fields: Iterable[tuple[str, str]], limit: int, deadline: float, *, whole: bool = True
) -> DecodedContent:
    """Return content decoded as its Content-Encoding field says; unregistered codings are ignored.

    Args:
        body: content as it came.
        fields: of the head.
        limit: make no more bytes of it than that.
        deadline: on the monotonic clock.
        whole: whether the content came to its end.

    Raises:
        TimeoutError: it took too long.
    """
    named = [value for name, value in fields if name.lower() == "content-encoding"]
    if not named or not body:
        return DecodedContent(body)
    codings = [coding.strip().lower() for coding in ",".join(named).split(",")]
    codings = [coding for coding in codings if coding in _PACKED or coding in _UNREAD]
    if len(codings) > _MAX_CODINGS:
        return DecodedContent(
            body, "its content has too many content codings", f"{len(codings)} content codings on top of each other"
        )
    content = body
    for coding in reversed(codings):
        if coding in _UNREAD:
            return DecodedContent(content, f"its content has the coding {coding}, which this suite does not decode")
        made = _unpacked(content, coding, limit, deadline)
        if made.unread == LONGER and not made.flaw and limit > _MOST_GROWTH * len(body):
            return replace(made, flaw=f"{len(body)} bytes of {coding} that become more than {limit}")
        if made.unread:
            return made if whole or made.unread == LONGER else replace(made, flaw="")
        content = made.body
    return DecodedContent(content)


def _unpacked(content: bytes, coding: str, limit: int, deadline: float) -> DecodedContent:
    # `deflate` is zlib's format by the standard, and without its frame by custom (RFC 9110, section 8.4.1.2).
    raw = coding == "deflate" and not _has_zlib_frame(content)
    window = -zlib.MAX_WBITS if raw else zlib.MAX_WBITS | (0 if coding == "deflate" else 16)
    made = bytearray()
    left = content
    broken = f"content that is not {coding}, although its Content-Encoding field says so"
    while True:
        machine = zlib.decompressobj(window)
        while not machine.eof:
            if time.monotonic() > deadline:
                raise TimeoutError
            try:
                part = machine.decompress(left, _STEP)
            except zlib.error as error:
                return DecodedContent(bytes(made), "its content cannot be decoded", f"{broken}: {error}")
            made += part
            left = machine.unconsumed_tail
            if len(made) > limit:
                taken = len(content) - len(left)
                grown = len(made) > _MOST_GROWTH * taken
                flaw = f"{taken} bytes of {coding} that become more than {limit}" if grown else ""
                return DecodedContent(bytes(made[:limit]), LONGER, flaw)
            if not part and not left:
                return DecodedContent(bytes(made), "its content cannot be decoded", f"{broken}: it breaks off")
        left = machine.unused_data.lstrip(b"\x00")
        if not left or window < 16:  # only gzip knows several members
            return DecodedContent(bytes(made))


def _has_zlib_frame(content: bytes) -> bool:
    return len(content) > 1 and content[0] & 15 == 8 and int.from_bytes(content[:2], "big") % 31 == 0
