"""Somebody else's server: the stub behind a gate that counts, bans and remembers, apart from the rate limiter."""

from __future__ import annotations

import base64
import io
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from mockserver.stub.app import create_app
from tests import defaults

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Entry(NamedTuple):
    """A line of the server's log."""

    at: float
    method: str
    path: str
    username: str
    status: int


@dataclass
class Gate:
    """So many requests in a window, and a ban after so many excesses, for good.

    Attributes:
        allowed: requests in any window that are let through.
        window_seconds: its length.
        strikes_allowed: excesses before the ban.
        peak: the most that came in any one window.
    """

    allowed: int = 15
    window_seconds: float = 1.0
    strikes_allowed: int = 3
    strikes: int = 0
    peak: int = 0
    _recent: deque[float] = field(default_factory=deque)

    @property
    def banned(self) -> bool:
        """Whether nothing is let through any more."""
        return self.strikes >= self.strikes_allowed

    def count(self, now: float) -> bool:
        """Count a request; return whether it is let through."""
        self._recent.append(now)
        while self._recent[0] <= now - self.window_seconds:
            self._recent.popleft()
        self.peak = max(self.peak, len(self._recent))
        if len(self._recent) > self.allowed:
            self.strikes += 1
        return not self.banned and len(self._recent) <= self.allowed


class RemoteServer:
    """A WSGI application with a log of all that it was asked.

    Attributes:
        before: called with each request before it is answered; may answer itself, with a status and fields.
        connections: how many connections were opened.
        most_open: the most that were open at a time.
    """

    def __init__(self, gate: Gate | None = None, application: Callable[..., Iterable[bytes]] | None = None) -> None:
        self.gate = gate
        self.log: list[Entry] = []
        self.before: Callable[[Environ], tuple[int, list[tuple[str, str]]] | None] = lambda _environ: None
        self.connections = 0
        self.most_open = 0
        self._open = 0
        self.url = ""
        self._application = application or create_app(seed_data=defaults.SEED_DATA).wsgi_app
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        with self._lock:
            let_through = self.gate is None or self.gate.count(time.monotonic())
        own = self.before(environ) if let_through else (429, [("Retry-After", "3600")])
        if own is not None:
            self._note(environ, own[0])
            start_response(f"{own[0]} Gate", [*own[1], ("Content-Length", "0")])
            return [b""]

        def start(line: str, fields: list[tuple[str, str]], error: Any = None) -> Any:
            self._note(environ, int(line.split()[0]))
            return start_response(line, fields, error)

        return self._application(environ, start)

    def opened(self) -> None:
        """Count a connection."""
        with self._lock:
            self.connections += 1
            self._open += 1
            self.most_open = max(self.most_open, self._open)

    def closed(self) -> None:
        """Count a connection that is over."""
        with self._lock:
            self._open -= 1

    @property
    def unsafe(self) -> list[Entry]:
        """The requests with unsafe methods, logins apart."""
        return [
            entry
            for entry in self.log
            if entry.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}
            and (entry.method, entry.path) != ("POST", "/api/v1/auth/")
        ]

    def _note(self, environ: Environ, status: int) -> None:
        _, _, encoded = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            username = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
        except ValueError:
            username = ""
        with self._lock:
            entry = Entry(time.monotonic(), environ["REQUEST_METHOD"], environ["PATH_INFO"], username, status)
            self.log.append(entry)


@contextmanager
def listening(server: RemoteServer) -> Iterator[RemoteServer]:
    """Serve on a free loopback port over connections that are kept, a thread for each."""

    class Handler(_Handler):
        application = server

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{made.server_port}"
    try:
        yield server
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to the application; unlike those of WSGI servers for tests it keeps connections."""

    application: RemoteServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and content in one packet: a second one waits for the acknowledgement of the first

    def setup(self) -> None:
        """Count the connection."""
        self.application.opened()
        super().setup()

    def finish(self) -> None:
        """Count that the connection is over."""
        super().finish()
        self.application.closed()

    def handle(self) -> None:
        """Answer until the connection ends, also where a client that was killed ends it."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""

    def answer(self) -> None:
        """Answer one request."""
        path, _, query = self.path.partition("?")
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(content)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()},
        }
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self.application(environ, lambda line, fields, *_: started.append((line, fields))))
        line, fields = started[-1]
        self.send_response_only(int(line.split()[0]), line.partition(" ")[2])
        for name, value in fields:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = answer  # noqa: N815
