"""Reading what an application responds: the same limits, and the same words for what goes wrong, as on a connection."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from io import BufferedReader
from typing import Any

from mockserver.suite.target.content_codings import receive_content
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.framing import ConnectionDropped, DeadlineStream, Listening, NotHTTP, ResponseHead
from mockserver.suite.target.wire import NoResponse, RawResponse


class ApplicationCall(ABC):
    """A call of an application, read like a socket: pieces of content wait here until they are asked for."""

    def __init__(self) -> None:
        self._pending = b""
        self._seconds = 0.0

    def settimeout(self, seconds: float | None, /) -> None:
        """Set how long the next piece of content may take."""
        self._seconds = seconds or 0.0

    def receive(self, buffer: Any) -> int:
        """Put content into a buffer, and return how many bytes; 0 at its end.

        Raises:
            ConnectionDropped: the application failed in the middle of its content, as a server would show it.
            TimeoutError: it took too long.
        """
        if not self._pending:
            self._pending = self.next_piece()
        part, self._pending = self._pending[: len(buffer)], self._pending[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    @abstractmethod
    def next_piece(self) -> bytes:
        """Return the next piece of the content that is not empty, b"" at its end; raises as `receive` does."""


def read_response(
    call: ApplicationCall,
    begin: Callable[[], ResponseHead],
    message: WireRequest,
    seconds: float,
    max_response: int,
    listening: Listening,
) -> RawResponse:
    """Return the response to a call.

    Args:
        call: of the application.
        begin: returns the head of the response; raises TimeoutError if there is none in time.
        message: the request.
        seconds: how long it may take in all.
        max_response: no more bytes of the content are read.
        listening: how long a stream is read.

    Raises:
        NoResponse: it takes longer, or the application fails after the beginning of its response.
    """
    begun = time.monotonic()
    incoming = DeadlineStream(call, call.receive)
    incoming.deadline = begun + seconds
    try:
        head = begin()
        taken = receive_content(BufferedReader(incoming), incoming, message.method, head, max_response, listening)
    except TimeoutError as error:
        raise NoResponse(slow=True) from error
    except NotHTTP as error:
        raise NoResponse(unreadable=str(error)) from error
    except ConnectionDropped as error:
        raise NoResponse from error
    took = time.monotonic() - begun
    return RawResponse(head.status, head.reason, "1.1", head.fields, taken.body, took, taken.unread, taken.flaw)
