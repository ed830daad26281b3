"""Wire: plain HTTP/1.1 over one kept-alive socket, fast enough for the thousands of requests of a fuzz run.

`requests` takes several times as long for a small request as the server takes to respond. This does the common case,
plain HTTP without a proxy (RFC 9112), and raises `NotPlain` for whatever is not plain: `Sender` then asks `requests`.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from urllib.parse import urlsplit

from mockserver.suite.target.content_codings import receive_content
from mockserver.suite.target.framing import (
    USUAL,
    ConnectionDropped,
    DeadlineStream,
    Listening,
    NotHTTP,
    read_head,
)

_SAFE_TARGET = re.compile(r"[\x21-\x7e]+")
_SAFE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SAFE_VALUE = re.compile(r"[^\x00\r\n]*")
#: Fields that frame the message; a request that sets one is a probe of framing.
_OURS = frozenset({"host", "content-length", "transfer-encoding"})
#: The most bytes that are read of a response's content, decoded.
MAX_RESPONSE = 16 * 1024 * 1024


class NotPlain(Exception):  # noqa: N818 - says what the exchange is, not that something went wrong here
    """Error: the request cannot be sent over plain HTTP/1.1 by `Wire` and needs the general connection."""


class NoResponse(Exception):  # noqa: N818 - what happened, in a word
    """Error: the request was sent, but no readable response arrived.

    Attributes:
        slow: whether it did not come in time.
        unreadable: why what came is no HTTP, "" if the connection was dropped or nothing came in time.
        part: how much of its content came, "" if not even the head did.
    """

    def __init__(self, *, slow: bool = False, unreadable: str = "", part: str = "") -> None:
        super().__init__(
            f"the response cannot be read as HTTP: {unreadable}"
            if unreadable
            else "no response in time"
            if slow
            else "the connection was dropped"
        )
        self.slow = slow
        self.unreadable = unreadable
        self.part = part


def part_told(error: BaseException) -> str:
    """Return what an error tells of the part of the content that came; a socket's own text tells nothing."""
    text = str(error)
    return text if " came" in text else ""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Response as read from the socket: fields in their order, names as sent, content decoded.

    Attributes:
        body: the content, decoded.
        seconds: how long it took from the request's first byte to the response's last.
        unread: why the content was not read to its end, "" if it was.
        flaw: how the response violates HTTP itself, "" if it does not.
        repeated: whether the request was sent twice, since the kept connection was closed on the first one.
    """

    status: int
    reason: str
    version: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float = 0.0
    unread: str = ""
    flaw: str = ""
    repeated: bool = False

    def field(self, name: str) -> str | None:
        """Return the first value of a header field by its name in lower case, or None."""
        return next((value for key, value in self.fields if key.lower() == name), None)


class Wire:
    """Kept-alive plain HTTP connection to one server, for use by one thread at a time.

    Attributes:
        repeated: whether the last request was sent twice, since the kept connection was closed on the first one.
    """

    def __init__(self, base_url: str, max_response: int = MAX_RESPONSE) -> None:
        """Create a connection that is opened on first use, with a size limit for responses.

        Args:
            base_url: of the scheme http.
            max_response: read no more bytes of its content than that, decoded.
        """
        parts = urlsplit(base_url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._host = parts.netloc.rpartition("@")[2]
        self._max_response = max_response
        self.repeated = False
        self._socket: socket.socket | None = None
        self._reader: BufferedReader | None = None
        self._incoming: DeadlineStream | None = None

    def exchange(self, content: bytes, method: str, seconds: float, listening: Listening = USUAL) -> RawResponse:
        """Send an encoded request and return the response.

        Args:
            content: what `encode` made of it.
            method: its method; a response to HEAD has no content.
            seconds: how long a response may take, however steadily its bytes come.
            listening: how long is waited for what may never come.

        Raises:
            NotPlain: no connection can be made.
            NoResponse: it was sent, and no complete, readable response arrived.
        """
        if self._has_more():
            self.close()
        kept, self.repeated = self._socket is not None, False
        try:
            return self._once(content, method, seconds, listening)
        except ConnectionDropped as error:
            # The server may close a kept connection whenever it likes (RFC 9112, section 9.3.1), but not a new one.
            if not kept:
                raise NoResponse(part=part_told(error)) from None
        self.repeated = True
        try:
            return self._once(content, method, seconds, listening)
        except ConnectionDropped as error:
            raise NoResponse(part=part_told(error)) from None

    def close(self) -> None:
        """Close the socket."""
        for held in (self._reader, self._socket):
            if held is not None:
                with suppress(OSError):
                    held.close()
        self._reader = self._socket = None

    def encode(self, method: str, target: str, fields: Iterable[tuple[str, str]], body: bytes | None) -> bytes:
        """Return a request as bytes for the wire.

        Args:
            method: in capitals.
            target: path and query, percent-encoded.
            fields: header fields; `Host` and `Content-Length` come with it.
            body: the content, None for none.

        Raises:
            NotPlain: it is not written in the plain way.
        """
        if not _SAFE_NAME.fullmatch(method) or not _SAFE_TARGET.fullmatch(target):
            raise NotPlain("a request line with other than visible ASCII")
        lines = [f"{method} {target} HTTP/1.1\r\nHost: {self._host}"]
        for name, value in fields:
            if name.lower() in _OURS:
                raise NotPlain(f"a field {name} of its own")
            if not _SAFE_NAME.fullmatch(name) or not _SAFE_VALUE.fullmatch(value):
                raise NotPlain(f"the field {name!r}")
            lines.append(f"{name}: {value}")
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        elif method not in {"GET", "HEAD"}:
            lines.append("Content-Length: 0")
        try:
            head = "\r\n".join((*lines, "\r\n")).encode("latin-1")
        except UnicodeEncodeError:
            raise NotPlain("a field with other than Latin-1") from None
        return head + (body or b"")

    def _has_more(self) -> bool:
        """Tell whether a kept connection was closed by the server, or has bytes beyond the last response."""
        if self._socket is None or self._reader is None or self._incoming is None:
            return False
        self._incoming.deadline = 0.0  # what did not come yet is not waited for
        with suppress(TimeoutError):
            return bool(self._reader.peek(1))
        self._socket.settimeout(0)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def _once(self, content: bytes, method: str, seconds: float, listening: Listening) -> RawResponse:
        try:
            connection, reader, incoming = self._open(seconds)
            begin = time.monotonic()
            connection.settimeout(seconds)
            connection.sendall(content)
            incoming.deadline = begin + seconds
            return self._read(reader, incoming, method, begin, listening)
        except TimeoutError as error:
            self.close()
            raise NoResponse(slow=True, part=part_told(error)) from None
        except NotHTTP as reason:
            self.close()
            raise NoResponse(unreadable=str(reason)) from None
        except OSError:  # its own text says nothing of the response
            self.close()
            raise ConnectionDropped from None
        except BaseException:
            self.close()
            raise

    def _open(self, seconds: float) -> tuple[socket.socket, BufferedReader, DeadlineStream]:
        if self._socket is None or self._reader is None or self._incoming is None:
            try:
                self._socket = socket.create_connection(self._address, seconds)
            except OSError as error:
                raise NotPlain("no connection") from error
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._incoming = DeadlineStream(self._socket, self._socket.recv_into)
            self._reader = BufferedReader(self._incoming)
        return self._socket, self._reader, self._incoming

    def _read(
        self, reader: BufferedReader, incoming: DeadlineStream, method: str, begin: float, listening: Listening
    ) -> RawResponse:
        start = read_head(reader)
        taken = receive_content(reader, incoming, method, start, self._max_response, listening)
        if not taken.kept:
            self.close()
        return RawResponse(
            start.status,
            start.reason,
            f"1.{start.version}",
            start.fields,
            taken.body,
            time.monotonic() - begin,
            taken.unread,
            taken.flaw,
        )
