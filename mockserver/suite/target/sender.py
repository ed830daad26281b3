"""Sender: the one place through which checks and generated cases send messages to a server.

::

    checks ── HttpTarget.send ────┐                            ┌─ wire: plain HTTP over a kept connection
    generated cases ── deliver ───┴─ Sender ── rate limiter ───┼─ general_connection: TLS, proxy, chunks, the odd rest
                                        └────── recorder       └─ applications/: an application in this process
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from mockserver.suite.run.interrupts import interruptible
from mockserver.suite.safety.rate_limiter import RateLimiter
from mockserver.suite.target.connections import Connection, TargetLost
from mockserver.suite.target.exchange import Exchange, Fields, WireRequest, WireResponse
from mockserver.suite.target.framing import LEFT, USUAL, Listening
from mockserver.suite.target.general_connection import GeneralConnection
from mockserver.suite.target.wire import NoResponse, NotPlain, RawResponse, Wire

#: The streams of an operation are read for so many seconds in all, then each for a moment: a run calls it a hundred
#: times.
STREAMS_SECONDS, MOMENT_SECONDS = 3.0, 0.1
#: Content behind a response that has none is looked for this often on an operation, and waited for so long.
BEYOND_TIMES, BEYOND_SECONDS = 3, 0.03
_LOOKING = Listening(beyond_seconds=BEYOND_SECONDS)
_LOOKING_AFTER_CONTENT = Listening(beyond_seconds=BEYOND_SECONDS, content_sent=True)
_AFTER_CONTENT = Listening(content_sent=True)
SHORT = Listening(MOMENT_SECONDS, first_byte=False)


class Recorder(Protocol):
    """Callback that receives every exchange with a server."""

    def __call__(self, label: str, exchange: Exchange, seconds: float) -> None:
        """Receive an exchange that has ended.

        Args:
            label: the operation that it was for, as reports name it; "" where there is none.
            exchange: what was sent, and what came back; the path is that of the request line, the base URL's included.
            seconds: how long that took.
        """
        ...


class Transport(Protocol):
    """What carries a message to the target in place of a connection: an application in this process."""

    def exchange(self, message: WireRequest, seconds: float, listening: Listening = USUAL) -> RawResponse:
        """Return the response to a message; see `Sender.send`.

        Raises:
            NoResponse: none came in time, or not a whole one.
        """
        ...

    def close(self) -> None:
        """End what was started for it."""
        ...


class Sender:
    """Sends messages to one server over one connection, or over more if several threads send at once.

    Attributes:
        recorder: receives every exchange, None for no recording.
    """

    def __init__(
        self,
        base_url: str,
        connection: Connection,
        rate_limiter: RateLimiter,
        *,
        foreign: bool,
        transport: Transport | None = None,
    ) -> None:
        """Create a sender from a base URL, connection options and a rate limiter.

        For a foreign server only the general connection is used, and no connection at all with a transport.
        """
        plain = urlsplit(base_url).scheme == "http" and not foreign and connection.proxy is None
        plain = plain and transport is None
        self.recorder: Recorder | None = None
        self._rate_limiter = rate_limiter
        self._general: Transport = transport or GeneralConnection(base_url, connection)
        self._wire = Wire(base_url, max_response=connection.max_response) if plain else None
        self._wire_lock = threading.Lock()
        self._listened: dict[tuple[str, str | None], float] = {}
        self._looked: dict[str, int] = {}

    def send(self, message: WireRequest, label: str, seconds: float) -> RawResponse:
        """Send a message when the rate limiter admits it, repeat it when that asks for it, and return the response.

        Args:
            message: as it goes over the wire: `path` is the target of the request line, fields are Latin-1.
            label: the operation that it is for, as reports name it.
            seconds: how long a response may take.

        Raises:
            TargetLost: no connection can be made.
            NoResponse: it was sent, and no whole response came that can be read.
            Stopped: the rate limiter ended the run.
            LeftAlone: the rate limiter lets nothing more through for this operation.
        """
        while True:
            self._rate_limiter.admit(label)
            begun = time.monotonic()
            listening = self._listening(message, label)
            try:
                with interruptible:
                    head = self._carry(message, seconds, listening)
            except (NoResponse, TargetLost) as error:
                self._tell(label, Exchange(message, None, str(error)), begun)
                self._rate_limiter.observe(label, None)
                raise
            self._note(message, label, head)
            if self.recorder is not None:
                self._tell(label, Exchange(message, response_of(head)), begun)
            if not self._rate_limiter.observe(label, head.status, head.field("retry-after")):
                return head

    def close(self) -> None:
        """Close the connections."""
        self._general.close()
        if self._wire is not None:
            self._wire.close()

    def _listening(self, message: WireRequest, label: str) -> Listening:
        """Return how long is waited for the response to a message, where it may never end or have too much."""
        if self._listened and self._listened.get((label, message.field("Accept")), 0.0) >= STREAMS_SECONDS:
            return SHORT
        sent = bool(message.body) or message.chunked
        if self._looked.get(label, 0) < BEYOND_TIMES:
            return _LOOKING_AFTER_CONTENT if sent else _LOOKING
        return _AFTER_CONTENT if sent else USUAL

    def _note(self, message: WireRequest, label: str, head: RawResponse) -> None:
        """Note how long a stream was read, or that content was looked for where none may be."""
        if head.unread == LEFT:
            place = label, message.field("Accept")
            self._listened[place] = self._listened.get(place, 0.0) + head.seconds
        elif message.method == "HEAD" or head.status in {204, 304}:
            self._looked[label] = self._looked.get(label, 0) + 1

    def _carry(self, message: WireRequest, seconds: float, listening: Listening) -> RawResponse:
        wire = self._wire
        if wire is not None and self._wire_lock.acquire(blocking=False):
            try:
                content = wire.encode(message.method, message.path, message.fields, message.body)
                head = wire.exchange(content, message.method, seconds, listening)
                return replace(head, repeated=True) if wire.repeated else head
            except NotPlain:
                pass
            finally:
                self._wire_lock.release()
        return self._general.exchange(message, seconds, listening)

    def _tell(self, label: str, exchange: Exchange, begun: float) -> None:
        if self.recorder is not None:
            self.recorder(label, exchange, time.monotonic() - begun)


def response_of(head: RawResponse) -> WireResponse:
    """Return a raw response as checks see it, with fields of the same name joined (RFC 9110, section 5.3)."""
    return WireResponse(head.status, _joined(head.fields), head.body, head.seconds, head.unread, head.flaw)


def _joined(fields: Fields) -> Fields:
    joined: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = (name, f"{joined[key][1]}, {value}") if key in joined else (name, value)
    return tuple(joined.values())
