"""Calls of a WSGI application (PEP 3333) in this process and thread, where fixtures and transactions of tests are."""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from mockserver.suite.applications.application_errors import CRASHED, ToldErrors, crash_report
from mockserver.suite.applications.received import ApplicationCall, read_response
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.framing import USUAL, ConnectionDropped, Listening, ResponseHead
from mockserver.suite.target.wire import RawResponse

Application = Callable[..., Iterable[bytes]]


class _OutOfTime(BaseException):
    """Interrupt of an application that takes too long; no `except Exception` of it catches this."""


class WsgiCaller:
    """Calls a WSGI application."""

    def __init__(self, application: Application, max_response: int) -> None:
        self._application = application
        self._max_response = max_response
        self._told = ToldErrors()

    def exchange(self, message: WireRequest, seconds: float, listening: Listening = USUAL) -> RawResponse:
        """Call the application and return its response; an exception that it raises is a 500.

        Raises:
            NoResponse: it takes longer than so many seconds, or fails after the beginning of its response.
        """
        call = _Call(self._application, wsgi_environ(message), self._told.tell)

        def begin() -> ResponseHead:
            try:
                with _time_limit(seconds):
                    return call.begin()
            except _OutOfTime as error:
                raise TimeoutError from error

        try:
            return read_response(call, begin, message, seconds, self._max_response, listening)
        finally:
            call.close()

    def close(self) -> None:
        """Do nothing: nothing is open between two calls."""


class _Call(ApplicationCall):
    """One call of the application: its head, then its content chunk by chunk."""

    def __init__(
        self, application: Application, environ: dict[str, Any], tell: Callable[[BaseException], None]
    ) -> None:
        super().__init__()
        self._tell = tell
        self._application = application
        self._environ = environ
        self._head: ResponseHead | None = None
        self._written: list[bytes] = []
        self._result: Iterable[bytes] = ()
        self._chunks: Iterator[bytes] = iter(())

    def begin(self) -> ResponseHead:
        """Call the application until its head is known."""
        try:
            self._result = self._application(self._environ, self._start_response)
            self._chunks = iter(self._result)
            # A generator starts its response with its first chunk, which may be empty.
            while not self._pending and (chunk := next(self._chunks, None)) is not None:
                self._pending = chunk
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an error of the application is its response
            self._crash(error)
        if self._head is None:
            self._crash(RuntimeError("the application did not call start_response"))
        assert self._head is not None
        self._pending = b"".join([*self._written, self._pending])
        self._written.clear()
        return self._head

    def _crash(self, error: BaseException) -> None:
        self._tell(error)
        self._head, self._pending, self._chunks, self._written = CRASHED, crash_report(error), iter(()), []

    def next_piece(self) -> bytes:
        """Return the next chunk that is not empty, b"" at the end."""
        while True:
            try:
                with _time_limit(self._seconds):
                    chunk = next(self._chunks, None)
            except _OutOfTime as error:
                raise TimeoutError from error
            except (Exception, SystemExit) as error:
                self._tell(error)
                raise ConnectionDropped from error
            if chunk is None:
                return b""
            if chunk:
                return chunk

    def close(self) -> None:
        """Call `close` of the result, as every server does; what it raises comes too late to be a response."""
        close = getattr(self._result, "close", None)
        if close is not None:
            try:
                close()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - told, as a server logs it
                self._tell(error)

    def _start_response(self, line: str, fields: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
        if self._head is not None and error is None:
            raise RuntimeError("start_response was called twice")
        number, _, reason = line.partition(" ")
        # How content is framed is the server's matter, and there is no connection here.
        kept = tuple((name, value) for name, value in fields if name.lower() not in {"transfer-encoding", "connection"})
        self._head = ResponseHead("1", int(number), reason or _phrase(int(number)), kept)
        return self._written.append


def wsgi_environ(message: WireRequest) -> dict[str, Any]:
    """Return the environment of a request for a WSGI application."""
    path, _, query = message.path.partition("?")
    body = message.body or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": message.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "REQUEST_URI": message.path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if message.chunked:
        environ["wsgi.input_terminated"] = True  # how a server says that the content ends by itself
    elif message.body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    joined: dict[str, str] = {}
    for name, value in message.fields:
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return {**environ, **joined}


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs in the context after some seconds.

    Only in the main thread, which alone gets signals, and where nobody else has set the timer; elsewhere an application
    that never returns is waited for.
    """
    alone = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if not alone or signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0):
        yield
        return

    def interrupt(_number: int, _frame: Any) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
