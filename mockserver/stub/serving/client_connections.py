"""Connections with clients: what was received and not yet read, and what is still to be sent; plain or TLS."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from contextlib import suppress
from enum import Enum, auto

from mockserver.stub.serving.request_contents import ChunkedContent, SizedContent
from mockserver.stub.serving.request_heads import Head

_RECEIVED_BYTES = 256 * 1024


class Stage(Enum):
    """Stages of a connection; only in those with `READING` in their name its bytes are received."""

    READING = auto()
    #: A thread works on the response.
    WORKING = auto()
    SENDING = auto()
    #: Nothing more is sent; what still comes is thrown away, lest the client miss the response (RFC 9112, section 9.6).
    LINGERING_READING = auto()
    CLOSED = auto()


class Connection:
    """A connection with a client.

    Attributes:
        address: of the client.
        stage: what the server does with it.
        interest: events that the server waits for, 0 for none.
        received: bytes that are not yet read.
        head: of a request whose content comes in.
        content: that content.
        closes: whether it ends with the response that is made or sent.
        lingers: whether the client may go on sending when it ends.
        unsent: what the client was not ready for.
        pieces: those of a response that are not yet sent.
        pause_seconds: between two of them.
        used: when it was used last, on the stopwatch.
    """

    __slots__ = (
        "_socket", "address", "closes", "content", "head", "interest", "lingers", "pause_seconds", "pieces", "received",
        "stage", "unsent", "used",
    )  # fmt: skip

    def __init__(self, connected: socket.socket, address: str) -> None:
        self._socket = connected
        self.address = address
        self.stage = Stage.READING
        self.interest = 0
        self.received = b""
        self.head: Head | None = None
        self.content: SizedContent | ChunkedContent | None = None
        self.closes = False
        self.lingers = False
        self.unsent: memoryview | None = None
        self.pieces: deque[bytes] | None = None
        self.pause_seconds = 0.0
        self.used = 0.0

    def fileno(self) -> int:
        """Return the descriptor of its socket."""
        return self._socket.fileno()

    def receive(self) -> bytes | None:
        """Return the bytes that have come, b"" where the client has ended its side, None where nothing has come.

        Raises:
            OSError: the connection is broken.
        """
        try:
            return self._socket.recv(_RECEIVED_BYTES)
        except (BlockingIOError, InterruptedError):
            return None

    def send(self, data: bytes | memoryview) -> bool:
        """Send bytes; return whether all of them went, else they are kept as `unsent`.

        Raises:
            OSError: the connection is broken.
        """
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            sent = 0
        if sent == len(data):
            self.unsent = None
            return True
        self.unsent = memoryview(data)[sent:]
        return False

    def end(self) -> None:
        """Tell the client that nothing more is sent."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the connection and forget what was kept for it."""
        self.stage = Stage.CLOSED
        if self.content is not None:
            self.content.file.close()
        self.content = self.head = self.unsent = self.pieces = None
        self.received = b""
        with suppress(OSError):
            self._socket.close()


class SecureConnection(Connection):
    """A connection with a client over TLS."""

    __slots__ = ("_secured", "_shaken")

    def __init__(self, connected: socket.socket, address: str, context: ssl.SSLContext) -> None:
        self._secured = context.wrap_socket(connected, server_side=True, do_handshake_on_connect=False)
        self._shaken = False
        super().__init__(self._secured, address)

    def receive(self) -> bytes | None:
        """Return the bytes that have come, as of a plain connection; the handshake is made first."""
        try:
            if not self._shaken:
                self._secured.do_handshake()
                self._shaken = True
            found = self._secured.recv(_RECEIVED_BYTES)
            while found and self._secured.pending():  # nobody says again that these have come
                found += self._secured.recv(_RECEIVED_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        return found
