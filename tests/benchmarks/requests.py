"""Requests as bytes on the wire, and the least client that can send one."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

ADMIN, TOKEN = "admin", "long-auth_token-here"
PASSWORD = "2xtoC5UGjMNieTBpGsAO"
SETTINGS = "/api/v1/settings/"
AUTH = "/api/v1/auth/"
_TIMEOUT_SECONDS = 30.0


def basic(username: str = ADMIN, token: str = TOKEN) -> str:
    """Return the value of an Authorization field (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{token}".encode()).decode()


def as_json(value: object) -> bytes:
    """Return the JSON text of a value."""
    return orjson.dumps(value)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request; `fields` come after Host, which is always sent, and Content-Length is added to content."""

    method: str
    path: str
    content: bytes | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the whole message (RFC 9112)."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.fields.items()]
        if self.content is not None:
            lines.append(f"Content-Length: {len(self.content)}")
        return "\r\n".join([*lines, "", ""]).encode() + (self.content or b"")


#: The load of the benchmarks: authenticated, validated, stored, journaled and logged by the stub.
SETTING = WireRequest(
    "POST",
    f"{SETTINGS}system_mailer/",
    as_json(
        {
            "server_hostname": "mail3.mymailcheap.com",
            "server_port": 587,
            "username": "noreply@vonmail.com",
            "password": "7Hp5jQ3GMNyLuwkAlDb3",
        }
    ),
    {"Authorization": basic(), "Content-Type": "application/json"},
)
#: What every server answers to it.
SETTING_ANSWER = {
    "settings": {
        "name": "system_mailer",
        "status": "applying",
        "value": {
            "server_hostname": "mail3.mymailcheap.com",
            "server_port": 587,
            "username": "noreply@vonmail.com",
        },
    }
}


@dataclass(frozen=True, slots=True)
class Route:
    """A request, and what every server answers to it: `answer` as JSON."""

    request: WireRequest
    answer: object


_AUTHORIZATION = {"Authorization": basic()}
DOMAINS_ANSWER = {
    "domains": ["cheapmailhosting.com", "other.example", "vonmail.com"],
    "domains_pending_verification": [],
}
ACCOUNT_PATH = "/api/v1/accounts/u1@vonmail.com/"
#: What is measured, by name: a write that is echoed, a list, a change of one of many.
ROUTES: Mapping[str, Route] = {
    "setting": Route(SETTING, SETTING_ANSWER),
    "domains": Route(WireRequest("GET", "/api/v1/domains/", None, _AUTHORIZATION), DOMAINS_ANSWER),
    "account": Route(
        WireRequest(
            "PATCH", ACCOUNT_PATH, as_json({"language": "de"}), {**_AUTHORIZATION, "Content-Type": "application/json"}
        ),
        {"language": "de"},
    ),
}


class Connection:
    """A connection that is kept open; opened anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._buffer = b""

    def send(self, request: WireRequest) -> tuple[int, bytes]:
        """Return status and content of the answer.

        Raises:
            OSError: no connection, or it was closed before the answer was complete.
        """
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), _TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = b""
        try:
            self._socket.sendall(request.to_bytes())
            return self._receive(self._socket, has_content=request.method != "HEAD")
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _receive(self, opened: socket.socket, *, has_content: bool) -> tuple[int, bytes]:
        while b"\r\n\r\n" not in self._buffer:
            self._fill(opened)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status, length, closes = parse_head(head)
        length = length if has_content and status not in (204, 304) else 0
        while len(self._buffer) < length:
            self._fill(opened)
        content, self._buffer = self._buffer[:length], self._buffer[length:]
        if closes:
            self.close()
        return status, content

    def _fill(self, opened: socket.socket) -> None:
        received = opened.recv(65536)
        if not received:
            raise ConnectionResetError("closed before the answer was complete")
        self._buffer += received


def parse_head(head: bytes) -> tuple[int, int, bool]:
    """Return status, length of the content, and whether the connection is closed after this answer.

    Raises:
        ConnectionError: the answer's length is not told by Content-Length, which all servers here do.
    """
    first, *lines = head.split(b"\r\n")
    length, closes = 0, False
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name == b"content-length":
            length = int(value)
        elif name == b"connection":
            closes = value.strip().lower() == b"close"
        elif name == b"transfer-encoding":
            raise ConnectionError(f"the answer comes in chunks: {head!r}")
    return int(first.split(b" ", 2)[1]), length, closes


def exchange(port: int, request: WireRequest) -> tuple[int, bytes]:
    """Return status and content of the answer to one request on a connection of its own.

    Raises:
        OSError: no connection, or it was closed before the answer was complete.
    """
    connection = Connection(port)
    try:
        return connection.send(request)
    finally:
        connection.close()
