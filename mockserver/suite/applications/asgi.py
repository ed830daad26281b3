"""Calls of an ASGI 3 application on an event loop in a thread of its own, with its lifespan around all calls.

::

    exchange() ── events ──► application(scope, receive, send) ── queue ──► head and content, read within the limits
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from mockserver.errors import MockServerError
from mockserver.suite.applications.application_errors import CRASHED, ToldErrors, crash_report, place_of
from mockserver.suite.applications.received import ApplicationCall, read_response
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.framing import USUAL, ConnectionDropped, Listening, ResponseHead
from mockserver.suite.target.wire import RawResponse

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_VERSIONS = {"version": "3.0", "spec_version": "2.3"}
#: How long an application may take to start, and to stop.
_START_SECONDS, _STOP_SECONDS = 60.0, 10.0
#: So long an application may go on after the client has left, before its task is cancelled.
_GRACE_SECONDS = 1.0
#: Content that waits to be read; an application that sends more has to wait.
_MOST_WAITING = 1024 * 1024


class AsgiCaller:
    """Calls an ASGI application; its lifespan starts with the first call and ends with `close`."""

    def __init__(self, application: Application, name: str, max_response: int) -> None:
        self._application = application
        self._name = name
        self._max_response = max_response
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lifespan: _Lifespan | None = None
        self._told = ToldErrors()

    def exchange(self, message: WireRequest, seconds: float, listening: Listening = USUAL) -> RawResponse:
        """Call the application and return its response; an exception that it raises before is a 500.

        Raises:
            NoResponse: it takes longer than so many seconds, or fails after the beginning of its response.
            MockServerError: the application does not start.
        """
        loop, lifespan = self._started()
        call = _Call(loop, message, self._told.tell)
        task = asyncio.run_coroutine_threadsafe(
            call.run(self._application, asgi_scope(message, dict(lifespan.state))), loop
        )
        try:
            return read_response(call, lambda: call.head(seconds), message, seconds, self._max_response, listening)
        finally:
            call.leave(task)

    def close(self) -> None:
        """End the lifespan and the event loop."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        assert self._thread is not None
        assert self._lifespan is not None
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._lifespan.stop(), loop).result(_STOP_SECONDS)
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(_STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():  # else the application blocks it
            loop.close()

    def _started(self) -> tuple[asyncio.AbstractEventLoop, _Lifespan]:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="application")
            self._thread.start()
            self._lifespan = _Lifespan()
            starting = asyncio.run_coroutine_threadsafe(self._lifespan.start(self._application), self._loop)
            try:
                failed = starting.result(_START_SECONDS)
            except TimeoutError:
                failed = f"it was not complete after {_START_SECONDS:.0f} s"
            if failed:
                self.close()
                raise MockServerError(f"{self._name}: its lifespan did not start: {failed}")
        assert self._lifespan is not None
        return self._loop, self._lifespan


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Lifespan:
    """Lifespan of an application (ASGI, Lifespan Protocol); one that knows none is called without.

    Attributes:
        state: what its start hands to each request.
    """

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self, application: Application) -> str:
        """Start the application; return why it failed, "" if it did not."""
        scope: Message = {"type": "lifespan", "asgi": _VERSIONS, "state": self.state}
        self._task = asyncio.create_task(self._run(application, scope))
        await self._events.put({"type": "lifespan.startup"})
        said = await self._said.get()
        if said["type"] == "lifespan.startup.failed":
            return (str(said.get("message") or "").strip().splitlines() or ["it said no reason"])[-1]
        return ""

    async def stop(self) -> None:
        """Stop the application, if it is one with a lifespan."""
        if self._task is None or self._task.done():
            return
        await self._events.put({"type": "lifespan.shutdown"})
        await asyncio.wait([self._task], timeout=_STOP_SECONDS / 2)

    async def _run(self, application: Application, scope: Message) -> None:
        with suppress(Exception):  # how an application says that it has no lifespan
            await application(scope, self._events.get, self._said.put)
        await self._said.put({"type": "lifespan.startup.complete"})


class _Call(ApplicationCall):
    """One call of the application: events to it on its loop, and what it sends, read by the thread of the suite."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, message: WireRequest, tell: Callable[[BaseException], None]
    ) -> None:
        super().__init__()
        self._loop = loop
        self.tell = tell
        self._body = message.body or b""
        self._head_only = message.method == "HEAD"
        self._sent: queue.Queue[ResponseHead | bytes | BaseException | None] = queue.Queue()
        self._asked = False
        self._begun = False
        self._complete = False
        self._waiting = 0
        self._left = asyncio.Event()
        self._room = asyncio.Event()

    # On the loop.

    async def run(self, application: Application, scope: Message) -> None:
        """Call the application, and turn an exception into a response."""
        try:
            await application(scope, self._receive, self._send)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an error of the application is its response
            self.tell(error)
            if self._complete:
                return  # the response stands: some frameworks raise again what they have answered with 500
            self._crash(error)
        else:
            if not self._complete:
                self._crash(RuntimeError("the application returned before its response was complete"))

    def _crash(self, error: BaseException) -> None:
        if self._begun:
            self._sent.put(error)
            return
        for part in (CRASHED, crash_report(error), None):
            self._sent.put(part)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._begun:
                raise RuntimeError("http.response.start was sent twice")
            self._begun = True
            fields = (
                (bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
                for name, value in message.get("headers", ())
            )
            # How content is framed is the server's matter, and there is no connection here.
            kept = tuple(field for field in fields if field[0].lower() not in {"transfer-encoding", "connection"})
            self._sent.put(ResponseHead("1", int(message["status"]), "", kept))
        elif message["type"] == "http.response.body" and not self._complete:
            if not self._begun:
                raise RuntimeError("http.response.body was sent before http.response.start")
            if self._left.is_set():
                raise OSError("the client has left")
            if not self._head_only:  # servers such as uvicorn send no content then, and applications count on it
                await self._put(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._complete = True
                self._sent.put(None)

    async def _put(self, content: bytes) -> None:
        if content:
            self._waiting += len(content)
            self._sent.put(content)
        while self._waiting > _MOST_WAITING and not self._left.is_set():
            self._room.clear()
            await self._room.wait()

    def _taken(self, number: int) -> None:
        self._waiting -= number
        self._room.set()

    def _leave(self) -> None:
        self._left.set()
        self._room.set()

    # In the thread of the suite.

    def head(self, seconds: float) -> ResponseHead:
        """Wait for the head of the response.

        Raises:
            TimeoutError: it did not come in time.
        """
        found = self._next(seconds)
        assert isinstance(found, ResponseHead)
        return found

    def next_piece(self) -> bytes:
        """Return the next part of the content, b"" at its end."""
        found = self._next(self._seconds)
        if found is None:
            self._sent.put(None)  # for whoever asks again
            return b""
        if isinstance(found, BaseException):
            raise ConnectionDropped(place_of(found)) from found
        assert isinstance(found, bytes)
        self._loop.call_soon_threadsafe(self._taken, len(found))
        return found

    def leave(self, task: Future[None]) -> None:
        """Tell the application that the client has left, and end it some time later if it goes on."""
        self._loop.call_soon_threadsafe(self._leave)
        if not self._complete:
            self._loop.call_soon_threadsafe(self._loop.call_later, _GRACE_SECONDS, task.cancel)

    def _next(self, seconds: float) -> ResponseHead | bytes | BaseException | None:
        try:
            return self._sent.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None


def asgi_scope(message: WireRequest, state: dict[str, Any]) -> Message:
    """Return the scope of a request for an ASGI application."""
    path, _, query = message.path.partition("?")
    raw = path.encode("latin-1", "replace")
    fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in message.fields]
    names = {name for name, _ in fields}
    if b"host" not in names:
        fields.insert(0, (b"host", b"localhost"))
    if message.body is not None and not message.chunked and b"content-length" not in names:
        fields.append((b"content-length", str(len(message.body)).encode()))
    return {
        "type": "http",
        "asgi": _VERSIONS,
        "http_version": "1.1",
        "method": message.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": raw,
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": fields,
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "state": state,
    }
