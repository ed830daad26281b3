"""HTTP/1.1 over one kept connection, with nothing between the bytes and us: a fuzz run sends thousands of requests.

`requests` takes several times as long to send a small request as the server to answer it. This does the common case,
plain HTTP without a proxy (RFC 9112), and raises `NotPlain` for whatever is not plain: the caller then asks `requests`.
"""

from __future__ import annotations

import io
import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from typing import Any
from urllib.parse import urlsplit

import urllib3

#: The most that one line of a head may hold, and the most lines (as in Python's `http.client`).
_MAX_LINE, _MAX_LINES = 65536, 100
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: ([^\r\n]*))?\r?\n")
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_SAFE_TARGET = re.compile(r"[\x21-\x7e]+")
_SAFE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SAFE_VALUE = re.compile(r"[^\x00\r\n]*")
_WHOLE_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d)(?: ([^\r\n]*))?\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*[^\r\n]*\r\n)*)\r\n"
)
_FIELDS = re.compile(r"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
#: Fields that ask for a closer look at how the answer ends.
_UNUSUAL = frozenset({"connection", "transfer-encoding"})
#: Fields that frame the message; a request that sets one is a probe of framing.
_OURS = frozenset({"host", "content-length", "transfer-encoding"})
_ENDLESS = b"text/event-stream"


class NotPlain(Exception):  # noqa: N818 - says what the exchange is, not that something went wrong here
    """A request or an answer that is better left to the general library.

    Attributes:
        lasting: whether the next exchange will be no plainer.
    """

    def __init__(self, what: str, *, lasting: bool = False) -> None:
        super().__init__(what)
        self.lasting = lasting


class NoAnswer(Exception):  # noqa: N818 - what happened, in a word
    """The request may have arrived, and no whole answer came back.

    Attributes:
        slow: whether it did not come in time; else the connection was dropped.
    """

    def __init__(self, *, slow: bool) -> None:
        super().__init__("no answer in time" if slow else "the connection was dropped")
        self.slow = slow


@dataclass(frozen=True, slots=True)
class Head:
    """An answer as it was read: fields in order, names as they were sent, content still encoded.

    Attributes:
        seconds: how long it took from the request's first byte to the answer's last.
    """

    status: int
    reason: str
    version: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float = 0.0

    def field(self, name: str) -> str | None:
        """Return the first value of a field by its name in lower case, or None."""
        return next((value for key, value in self.fields if key.lower() == name), None)

    def content(self) -> bytes:
        """Return the content decoded, by the content codings that `requests` asks for.

        Raises:
            NotPlain: it is not what it is called.
        """
        if not self.body or self.field("content-encoding") is None:
            return self.body
        fields = urllib3.HTTPHeaderDict()
        for name, value in self.fields:
            fields.add(name, value)
        try:
            return urllib3.HTTPResponse(io.BytesIO(self.body), headers=fields, status=self.status).data
        except urllib3.exceptions.HTTPError as error:
            raise NotPlain("content that is not encoded as it says") from error


class Wire:
    """A connection to one server, opened when needed and kept; not for several threads at once.

    Attributes:
        repeated: whether the last request was sent twice, since the kept connection was closed on the first one.
    """

    def __init__(self, base_url: str, timeout_seconds: float) -> None:
        """Take a base URL of the scheme http, and how long an answer may take, however steadily its bytes come."""
        parts = urlsplit(base_url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._host = parts.netloc.rpartition("@")[2]
        self._timeout = timeout_seconds
        self.repeated = False
        self._socket: socket.socket | None = None
        self._reader: BufferedReader | None = None
        self._incoming: _Incoming | None = None

    def exchange(self, content: bytes, method: str) -> Head:
        """Return the answer to a request.

        Args:
            content: what `encode` made of it.
            method: its method; there is no content behind the head of an answer to HEAD.

        Raises:
            NotPlain: the answer cannot be read in the plain way, or no connection can be made.
            NoAnswer: it was sent, and no whole answer came.
        """
        kept, self.repeated = self._socket is not None, False
        try:
            return self._once(content, method)
        except _Dropped:
            # The server may close a kept connection whenever it likes (RFC 9112, section 9.3.1), but not a new one.
            if not kept:
                raise NoAnswer(slow=False) from None
        self.repeated = True
        try:
            return self._once(content, method)
        except _Dropped:
            raise NoAnswer(slow=False) from None

    def close(self) -> None:
        """Give the connection back."""
        for held in (self._reader, self._socket):
            if held is not None:
                with suppress(OSError):
                    held.close()
        self._reader = self._socket = None

    def encode(self, method: str, target: str, fields: Iterable[tuple[str, str]], body: bytes | None) -> bytes:
        """Return the bytes of a request.

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

    def _once(self, content: bytes, method: str) -> Head:
        try:
            connection, reader = self._open()
            begin = time.monotonic()
            connection.settimeout(self._timeout)
            connection.sendall(content)
            assert self._incoming is not None
            self._incoming.deadline = begin + self._timeout
            return self._read(reader, method, begin)
        except TimeoutError:
            self.close()
            raise NoAnswer(slow=True) from None
        except OSError:
            self.close()
            raise _Dropped from None
        except BaseException:
            self.close()
            raise

    def _open(self) -> tuple[socket.socket, BufferedReader]:
        if self._socket is None or self._reader is None:
            try:
                self._socket = socket.create_connection(self._address, self._timeout)
            except OSError as error:
                raise NotPlain("no connection") from error
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._incoming = _Incoming(self._socket)
            self._reader = BufferedReader(self._incoming)
        return self._socket, self._reader

    def _read(self, reader: BufferedReader, method: str, begin: float) -> Head:
        line = _read_line(reader)
        while True:
            found = _STATUS_LINE.fullmatch(line)
            if found is None:
                raise NotPlain(f"the status line {line[:80]!r}", lasting=True)
            version, status = found[1], int(found[2])
            fields = _read_fields(reader)
            if status >= 200:
                break
            if status == 101:
                raise NotPlain("another protocol")
            line = _read_line(reader)
        named = {name.lower(): value for name, value in fields}
        body, kept = _read_body(reader, method, status, named)
        said = named.get(b"connection", b"").lower()
        if not kept or b"close" in said or (version == b"0" and b"keep-alive" not in said):
            self.close()
        return Head(
            status,
            (found[3] or b"").decode("latin-1"),
            f"1.{version.decode()}",
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields),
            body,
            time.monotonic() - begin,
        )


class _Incoming(io.RawIOBase):
    """The bytes that come over a connection until a point of time; a socket's own limit is for each of them anew."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        """Return True; it is what `BufferedReader` asks for."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, at least a byte, and return how many it is; 0 at the end.

        Raises:
            TimeoutError: nothing came until the deadline.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv_into(buffer)


def _read_at_once(reader: BufferedReader, method: str) -> Head | None:
    """Return an answer that has arrived whole and is as plain as can be, or None with nothing consumed."""
    arrived = reader.peek()
    found = _WHOLE_HEAD.match(arrived)
    if found is None or method == "HEAD":
        return None
    fields = tuple(_FIELDS.findall(found[3].decode("latin-1")))
    length = -1
    for name, value in fields:
        name = name.lower()
        if name == "content-length":
            if length >= 0 or not value.isascii() or not value.isdigit():
                return None
            length = int(value)
        elif name in _UNUSUAL:
            return None
    status, end = int(found[1]), found.end()
    if length < 0 or length > len(arrived) - end or status in {204, 304}:
        return None
    body = reader.read(end + length)[end:]
    return Head(status, (found[2] or b"").decode("latin-1"), "1.1", fields, body)


class _Dropped(Exception):  # noqa: N818 - what happened, in a word
    """The connection ended before the whole answer."""


def _read_line(reader: BufferedReader) -> bytes:
    line = reader.readline(_MAX_LINE)
    if not line.endswith(b"\n") and len(line) < _MAX_LINE:
        raise ConnectionResetError
    return line


def _read_fields(reader: BufferedReader) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for _ in range(_MAX_LINES):
        line = _read_line(reader)
        if line in {b"\r\n", b"\n"}:
            return fields
        found = _FIELD_LINE.fullmatch(line)
        if found is None:
            raise NotPlain(f"the field line {line[:80]!r}", lasting=True)
        fields.append((found[1], found[2]))
    raise NotPlain("more than a hundred fields", lasting=True)


def _read_body(reader: BufferedReader, method: str, status: int, named: dict[bytes, bytes]) -> tuple[bytes, bool]:
    """Return the content, and whether the connection can be kept behind it (RFC 9112, section 6.3)."""
    if method == "HEAD" or status in {204, 304}:
        return b"", True
    if named.get(b"content-type", b"").startswith(_ENDLESS):
        raise NotPlain("a stream of events")
    coding = named.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise NotPlain(f"the transfer coding {coding!r}")
        return _read_chunks(reader), True
    length = named.get(b"content-length")
    if length is None:
        return reader.read(), False
    if not length.isdigit():
        raise NotPlain(f"the length {length!r}")
    return _read_exactly(reader, int(length)), True


def _read_chunks(reader: BufferedReader) -> bytes:
    chunks: list[bytes] = []
    while True:
        line = _read_line(reader)
        try:
            size = int(line.partition(b";")[0].strip(), 16)
        except ValueError:
            raise NotPlain(f"the chunk {line[:80]!r}") from None
        if size == 0:
            _read_fields(reader)
            return b"".join(chunks)
        chunks.append(_read_exactly(reader, size))
        _read_line(reader)


def _read_exactly(reader: BufferedReader, size: int) -> bytes:
    content = reader.read(size)
    if len(content) < size:
        raise ConnectionResetError
    return content
