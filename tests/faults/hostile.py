"""A server whose every response is odd in one way, and the contract that it is held to."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

GOOD = b'{"id": "1", "name": "n"}'
_JSON = b"Content-Type: application/json\r\n"
#: So long a slow answer goes on; whoever waits for its end has given up by then.
_LONG_SECONDS = 30.0

Talk = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One odd way to answer.

    Attributes:
        exit_code: of a run on it: 1 where the contract or HTTP is broken, 0 where it is odd and right, 2 where no call
            succeeds.
        talk: answers one request; the connection is closed behind it where `closes`.
        slow: whether a run on it takes more than a second or two.
    """

    name: str
    exit_code: int
    talk: Talk
    closes: bool = False
    slow: bool = False


def contract() -> dict[str, Any]:
    """Return the contract: two operations that read, for the same answer can be right for both."""
    item = {"type": "object", "required": ["id", "name"], "properties": {"id": _text(), "name": _text()}}
    some = {"schema": item}
    streams = {"text/event-stream": {"schema": _text()}, "application/x-ndjson": {}}
    good = {"200": {"description": "ok", "content": {"application/json": some, **streams}}}
    identifier = {"name": "id", "in": "path", "required": True, "schema": _text()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Odd answers", "version": "1"},
        "paths": {
            "/things": {"get": {"responses": good}},
            "/things/{id}": {"get": {"parameters": [identifier], "responses": good}},
        },
    }


def _text() -> dict[str, Any]:
    return {"type": "string"}


def _answer(
    content: bytes = GOOD, *, fields: bytes = _JSON, status: bytes = b"200 OK", length: bytes | None = None
) -> bytes:
    said = str(len(content)).encode() if length is None else length
    return b"HTTP/1.1 " + status + b"\r\n" + fields + b"Content-Length: " + said + b"\r\n\r\n" + content


def _chunked(*chunks: bytes, fields: bytes = _JSON) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n" % len(content) + content + b"\r\n"


def _packed(content: bytes, coding: bytes = b"gzip") -> bytes:
    return _answer(content, fields=_JSON + b"Content-Encoding: " + coding + b"\r\n")


def _with(member: bytes) -> bytes:
    """Return a right item that has one more member."""
    return GOOD[:-1] + b', "more": ' + member + b"}"


def _bomb(megabytes: int = 400) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(pack.compress(b"0" * 1_000_000) for _ in range(megabytes)), pack.flush()])


def _raw_deflate(content: bytes) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    return pack.compress(content) + pack.flush()


def _says(make: Callable[[], bytes]) -> Talk:
    made: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        if not made:
            made.append(make())
        connection.sendall(made[0])

    return talk


def _goes_on(first: bytes, part: bytes, seconds: float = 0.0) -> Talk:
    """Send something, then a part again and again, as fast as it goes or one in so many seconds."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(first)
        end = time.monotonic() + _LONG_SECONDS
        gone = threading.Event()
        while time.monotonic() < end:
            connection.sendall(part)
            if seconds:
                gone.wait(seconds)

    return talk


def _keeps_silent(connection: socket.socket) -> None:
    connection.settimeout(_LONG_SECONDS)
    connection.recv(1)  # nothing more comes: whoever waits for us closes the connection


def _kinds() -> Iterator[Kind]:
    def says(name: str, exit_code: int, make: Callable[[], bytes], **more: bool) -> Kind:
        return Kind(name, exit_code, _says(make), **more)

    yield says("right", 0, _answer)
    # JSON
    yield says("lone-surrogate", 1, lambda: _answer(b'{"name": "\\ud800"}'))
    yield says(
        "lone-surrogates-right", 0, lambda: _answer(b'{"id": "\\ud800", "name": "\\udfff\\ud800", "\\udc00": [1]}')
    )
    yield says("control-characters", 1, lambda: _answer('{"name": "\\u009b2J\x9b\x7f\u202e\u2066"}'.encode()))
    yield says("deep-300", 1, lambda: _answer(b'{"a":' * 300 + b"1" + b"}" * 300))
    yield says("deep-100000", 1, lambda: _answer(b"[" * 100_000 + b"]" * 100_000))
    yield says("deep-1000000", 1, lambda: _answer(b"[" * 1_000_000 + b"]" * 1_000_000))
    yield says("deep-right", 0, lambda: _answer(_with(b"[" * 5_000 + b"]" * 5_000)))
    yield says("deep-unclosed", 1, lambda: _answer(b"[" * 100_000))
    yield says("deep-with-garbage", 1, lambda: _answer(_with(b"[" * 5000 + b"x" + b"]" * 5000)))
    yield says("number-of-5000-digits", 0, lambda: _answer(_with(b"9" * 5000)))
    yield says("number-beyond-floats", 0, lambda: _answer(_with(b"[1e999, -1e999]")))
    yield says("not-a-number", 1, lambda: _answer(_with(b"NaN")))
    yield says("utf-16", 1, lambda: _answer(GOOD.decode().encode("utf-16")))
    yield says("text-of-8-mb", 0, lambda: _answer(_with(b'"' + b"x" * 8_000_000 + b'"')))
    yield says("list-of-200000", 1, lambda: _answer(b"[" + b", ".join([GOOD] * 200_000) + b"]"), slow=True)
    yield says("five-million-arrays", 1, lambda: _answer(b"[" + b",".join([b"[]"] * 5_000_000) + b"]"), slow=True)
    yield says("members-of-one-name", 0, lambda: _answer(_with(b'{"a": 1, "a": 2}')))
    # How long content is
    yield says("length-of-20-digits", 1, lambda: _answer(length=b"9" * 20), closes=True)
    yield says("length-of-5000-digits", 1, lambda: _answer(length=b"9" * 5000), closes=True)
    yield says("length-of-a-petabyte", 1, lambda: _answer(length=b"1000000000000000"), closes=True)
    yield says("length-negative", 1, lambda: _answer(length=b"-5"), closes=True)
    yield says("length-with-plus", 1, lambda: _answer(length=b"+24"), closes=True)
    yield says("length-with-underscore", 1, lambda: _answer(length=b"2_4"), closes=True)
    yield says("lengths-that-differ", 1, lambda: _answer(length=b"24\r\nContent-Length: 25"), closes=True)
    yield says("lengths-that-agree", 0, lambda: _answer(length=b"24\r\nContent-Length: 24"))
    yield says("length-too-short", 1, lambda: _answer(length=b"5"))
    yield says("length-too-long", 1, lambda: _answer(length=b"99"), closes=True)
    yield says("chunk-negative", 1, lambda: _chunked(b"-5\r\n", GOOD, b"\r\n0\r\n\r\n"), closes=True)
    yield says("chunk-huge", 1, lambda: _chunked(b"f" * 17 + b"\r\n", GOOD), closes=True)
    yield says("chunk-with-0x", 1, lambda: _chunked(b"0x18\r\n", GOOD, b"\r\n0\r\n\r\n"), closes=True)
    yield says("chunk-with-underscore", 1, lambda: _chunked(b"1_8\r\n", GOOD, b"\r\n0\r\n\r\n"), closes=True)
    yield says("chunk-too-short", 1, lambda: _chunked(b"5\r\n", GOOD, b"\r\n0\r\n\r\n"), closes=True)
    yield says("chunks-without-the-last", 1, lambda: _chunked(_chunk(GOOD)), closes=True)
    yield says("chunks-right", 0, lambda: _chunked(b"18;a=b\r\n", GOOD, b"\r\n", b"0\r\nX-Trailer: a\r\n\r\n"))
    yield says("chunks-of-a-byte", 0, lambda: _chunked(*(_chunk(b"%c" % byte) for byte in GOOD), b"0\r\n\r\n"))
    yield says(
        "length-beside-chunks", 1, lambda: _chunked(_chunk(GOOD), b"0\r\n\r\n", fields=_JSON + b"Content-Length: 3\r\n")
    )
    yield says(
        "another-transfer-coding",
        1,
        lambda: _answer(fields=_JSON + b"Transfer-Encoding: gzip, chunked\r\n"),
        closes=True,
    )
    # Content codings
    yield says("gzip-right", 0, lambda: _packed(gzip.compress(GOOD)))
    yield says("gzip-of-two-members", 0, lambda: _packed(gzip.compress(GOOD[:9]) + gzip.compress(GOOD[9:])))
    yield says("gzip-bomb", 1, lambda: _packed(_bomb()))
    yield says("gzip-bomb-in-gzip", 1, lambda: _packed(gzip.compress(_bomb()), b"gzip, gzip"))
    yield says(
        "gzip-bomb-in-chunks",
        1,
        lambda: _chunked(_chunk(_bomb()), b"0\r\n\r\n", fields=_JSON + b"Content-Encoding: gzip\r\n"),
    )
    yield says("gzip-broken", 1, lambda: _packed(b"\x1f\x8b\x08" + b"?" * 40))
    yield says("gzip-that-breaks-off", 1, lambda: _packed(gzip.compress(GOOD)[:-12]))
    yield says("gzip-that-is-none", 1, lambda: _packed(GOOD))
    yield says("deflate-right", 0, lambda: _packed(zlib.compress(GOOD), b"deflate"))
    yield says("deflate-without-frame", 0, lambda: _packed(_raw_deflate(GOOD), b"deflate"))
    yield says("codings-on-codings", 1, lambda: _packed(gzip.compress(GOOD), b"gzip, " * 20 + b"gzip"))
    yield says("coding-of-nobody", 0, lambda: _packed(GOOD, b"utf-8"))
    yield says("coding-not-offered", 0, lambda: _packed(b"\x8b\x0b\x80" + GOOD + b"\x03", b"br"))
    # No end
    yield Kind("endless", 1, _goes_on(b"HTTP/1.1 200 OK\r\n" + _JSON + b'\r\n"', b"a" * 65536), slow=True)
    yield Kind("endless-chunks", 1, _goes_on(_chunked(), _chunk(b"[" * 65536)), slow=True)
    yield Kind("endless-and-slow", 1, _goes_on(b"HTTP/1.1 200 OK\r\n" + _JSON + b'\r\n"', b"a", 0.05), slow=True)
    yield Kind("endless-head", 1, _goes_on(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 65536), slow=True)
    yield Kind("endless-fields", 1, _goes_on(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n" * 1000), slow=True)
    yield Kind("endless-interim", 1, _goes_on(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), slow=True)
    yield Kind(
        "events",
        0,
        _goes_on(_chunked(fields=b"Content-Type: text/event-stream\r\n"), _chunk(b"data: 1\n\n"), 0.1),
        slow=True,
    )
    yield Kind(
        "events-as-fast-as-it-goes",
        0,
        _goes_on(_chunked(fields=b"Content-Type: text/event-stream\r\n"), _chunk(b"data: 1\n\n" * 5000)),
        slow=True,
    )
    yield Kind(
        "lines-of-json",
        0,
        _goes_on(_chunked(fields=b"Content-Type: application/x-ndjson\r\n"), _chunk(GOOD + b"\n"), 0.1),
        slow=True,
    )
    # No HTTP
    yield says("nothing", 1, lambda: b"", closes=True)
    yield Kind("silence", 1, _keeps_silent, slow=True)
    yield says("no-status-line", 1, lambda: b"hello\r\n\r\n", closes=True)
    yield says("http-0.9", 1, lambda: GOOD, closes=True)
    yield says("http-2", 1, lambda: b"HTTP/2 200 OK\r\n\r\n", closes=True)
    yield says("status-099", 1, lambda: _answer(status=b"099 Odd"), closes=True)
    yield says("status-999", 1, lambda: _answer(status=b"999 Odd"))
    yield says("status-without-digits", 1, lambda: _answer(status=b"OK"), closes=True)
    yield says("status-101", 1, lambda: b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x00\x01", closes=True)
    yield says("status-204-with-content", 1, lambda: _answer(status=b"204 No Content"))
    yield says("phrase-of-nonsense", 0, lambda: _answer(status=b"200 \xff\x9b2J\xe2\x80\xae"))
    yield says(
        "interim-right", 0, lambda: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + _answer()
    )
    yield says("interim-flood", 1, lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + _answer(), closes=True)
    yield says("garbage-behind", 1, lambda: _answer() + b"garbage")
    yield says("two-answers", 1, lambda: _answer() + _answer(b"{}"))
    # Fields
    yield says("field-without-colon", 1, lambda: _answer(fields=_JSON + b"no field at all\r\n"))
    yield says("field-of-100-kb", 1, lambda: _answer(fields=_JSON + b"X: " + b"a" * 100_000 + b"\r\n"), closes=True)
    yield says("fields-by-the-thousand", 1, lambda: _answer(fields=_JSON + b"X: a\r\n" * 10_000), closes=True)
    yield says("field-folded", 0, lambda: _answer(fields=_JSON + b"X: a\r\n b\r\n"))
    yield says(
        "field-of-control-characters", 0, lambda: _answer(fields=_JSON + b"X: \x00\x1b[2J\x9b\xff\xe2\x80\xae\r\n")
    )
    yield says("media-type-of-nonsense", 1, lambda: _answer(fields=b"Content-Type: ;;;\xff/\x9b;=\r\n"))
    yield says("media-type-twice", 1, lambda: _answer(fields=b"Content-Type: text/html\r\n" + _JSON))
    yield says("charset-of-nonsense", 0, lambda: _answer(fields=b"Content-Type: application/json; charset=\x00hex\r\n"))
    yield says("retry-after-of-nonsense", 0, lambda: _answer(fields=_JSON + b"Retry-After: " + b"9" * 500 + b"\r\n"))
    yield says(
        "location-of-nonsense",
        2,
        lambda: _answer(b"", status=b"302 Found", fields=b"Location: http://[::1/\xff\x9b\r\n"),
    )


KINDS = {kind.name: kind for kind in _kinds()}


class HostileServer:
    """Answers every request in one odd way.

    Attributes:
        url: its base URL.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end what still goes on."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            waiting = b""
            while True:
                while b"\r\n\r\n" not in waiting:
                    got = connection.recv(65536)
                    if not got:
                        return
                    waiting += got
                head, _, waiting = waiting.partition(b"\r\n\r\n")
                if head.startswith(b"HEAD "):
                    connection.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n\r\n")
                    return
                self._kind.talk(connection)
                sends = b"content-length:" in head.lower().replace(b"content-length: 0", b"")
                if self._kind.closes or sends or b"transfer-encoding:" in head.lower():
                    return  # content is not read: nothing that follows would be heard
        self._connections.discard(connection)


@contextmanager
def hostile(name: str) -> Iterator[str]:
    """Run a server of a kind; give its base URL."""
    server = HostileServer(KINDS[name])
    try:
        yield server.url
    finally:
        server.close()
