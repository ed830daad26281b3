"""The API under test: over HTTP, or a WSGI callable in this process."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

import requests
import urllib3

from mockserver.errors import MockServerError, UsageError
from mockserver.suite.run.interrupts import interruptible
from mockserver.suite.safety.rate_limiter import Governor
from mockserver.suite.secrets.encoded_secrets import as_bytes
from mockserver.suite.target.bounded_responses import unreadable
from mockserver.suite.target.connections import (
    Connection,
    GovernedAdapter,
    check_files,
    govern,
    is_this_machine,
    unreachable,
)
from mockserver.suite.target.exchange import Exchange, Fields, WireRequest, WireResponse
from mockserver.suite.target.recording import Recorder
from mockserver.suite.target.wire import Head, NoAnswer, NotPlain, Wire

TIMEOUT_SECONDS = 10.0
LOOPBACK_TIMEOUT_SECONDS = 3.0
#: How long is waited for an answer that did not come in time, when the run has nothing else to do: at least so many
#: seconds, and so many times as long as usual.
LATE_SECONDS, LATE_TIMES = 10.0, 4.0


class TargetLost(MockServerError):  # noqa: N818 - what happened, in a word
    """Nothing listens where the target should be; nobody can be judged."""


class Target(Protocol):
    """Something that answers requests.

    Attributes:
        base_url: what request paths are appended to, without a trailing slash.
        foreign: whether it is on another machine, so that its owner's limits hold.
        governor: spaces and counts the requests.
    """

    base_url: str
    foreign: bool
    governor: Governor

    def send(self, request: WireRequest, label: str = "") -> Exchange:
        """Return what comes of a request; no answer, even when asked again, is an answer too.

        Args:
            request: what to send.
            label: the operation that it is for, as reports name it, for the governor's books.

        Raises:
            TargetLost: nothing accepts connections.
            Stopped: the governor ended the run.
            LeftAlone: the governor lets nothing more through for this operation.
        """
        ...

    def patient(self) -> AbstractContextManager[float]:
        """Wait longer for answers as long as the context lasts, and ask once; give the seconds."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class HttpTarget:
    """A server at a base URL. Redirects are answers, never followed: credentials go where they were meant."""

    def __init__(
        self,
        base_url: str,
        connection: Connection | None = None,
        *,
        rate: float | None = None,
        timeout_seconds: float | None = None,
        own_stub: bool = False,
    ) -> None:
        """Take a base URL, and how to connect; `rate` and `timeout_seconds` alone need no `Connection`.

        An `own_stub` was started for the run: a 429 of it is an example of the contract, and slows nothing down.

        Raises:
            UsageError: not a base URL, or one with credentials; a certificate or proxy that cannot be used.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"{base_url!r} is not a base URL; write it as http://127.0.0.1:8080")
        if parts.username or parts.password:
            raise UsageError("credentials do not belong in a URL; put them in an identities file (--identities)")
        if parts.query or parts.fragment:
            raise UsageError(f"{base_url!r} has a query or a fragment; a base URL has none")
        self.base_url = base_url.rstrip("/")
        self.host = parts.hostname
        self._path = parts.path.rstrip("/")
        self.connection = connection or Connection(rate=rate, timeout_seconds=timeout_seconds)
        self.foreign = self.connection.treat_as_remote or not is_this_machine(parts.hostname)
        default_seconds = TIMEOUT_SECONDS if self.foreign else LOOPBACK_TIMEOUT_SECONDS
        self.timeout_seconds = self.connection.timeout_seconds or default_seconds
        self.late_seconds = max(LATE_SECONDS, LATE_TIMES * self.timeout_seconds)
        self._tries = 2
        self.governor = govern(self.connection, foreign=self.foreign, own_stub=own_stub)
        check_files(self.connection)
        if self.connection.insecure:
            # Said once and loudly by the command; urllib3 would say it with each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.adapter = GovernedAdapter(self.governor, self.connection)
        # A server that is not ours is asked over one connection, and slowly.
        plain = parts.scheme == "http" and not self.foreign and self.connection.proxy is None
        self._wire = Wire(self.base_url, self.timeout_seconds, self.connection.max_response) if plain else None
        self._wire_lock = threading.Lock()
        self._recorder: Recorder | None = None

    def send(self, request: WireRequest, label: str = "") -> Exchange:
        """Return what comes of a request; a dropped connection or a silence is tried once more.

        Raises:
            TargetLost: nothing accepts connections.
            Stopped: the governor ended the run.
            LeftAlone: the governor lets nothing more through for this operation.
        """
        problem, dropped, slow = "", False, False
        for number in range(self._tries):
            try:
                response = self._send_once(request, label)
                return Exchange(request, response, repeated=number > 0 or self.repeated)
            except NoAnswer as error:
                problem = self._problem(slow=error.slow, unreadable=error.unreadable)
                dropped, slow = not (error.slow or error.unreadable), error.slow
            except requests.exceptions.ConnectTimeout as error:
                raise TargetLost(f"{self.base_url} does not take connections") from error
            except requests.exceptions.Timeout:
                problem, dropped, slow = self._problem(slow=True), False, True
            except requests.exceptions.RequestException as error:
                if (reason := unreachable(error, self.base_url, self.connection)) is not None:
                    raise TargetLost(reason) from error
                came = unreadable(error)
                problem, dropped, slow = self._problem(unreadable=came), not came, False
        return Exchange(request, None, problem, dropped=dropped, slow=slow)

    @contextmanager
    def patient(self) -> Iterator[float]:
        """Wait longer for answers as long as the context lasts, and ask once; give the seconds."""
        seconds, wire, tries = self.timeout_seconds, self._wire, self._tries
        self.timeout_seconds, self._wire, self._tries = self.late_seconds, None, 1
        try:
            yield self.late_seconds
        finally:
            self.timeout_seconds, self._wire, self._tries = seconds, wire, tries

    def send_quickly(
        self, label: str, method: str, target: str, fields: Iterable[tuple[str, str]], body: bytes | None
    ) -> Head | None:
        """Return the answer to a plain request, or None if it has to be sent the long way: by `adapter`.

        Args:
            label: the operation that it is for, for the governor's books.
            method: in capitals.
            target: path and query as they stand in the request line.
            fields: header fields but `Host` and `Content-Length`.
            body: the content, None for none.

        Raises:
            Stopped: the governor ended the run.
            LeftAlone: the governor lets nothing more through for this operation.
            NoAnswer: it was sent, and no whole answer came.
        """
        wire = self._wire
        if wire is None or not self._wire_lock.acquire(blocking=False):
            return None
        try:
            shown = tuple(fields)
            content = wire.encode(method, target, shown, body)
            while True:
                self.governor.admit(label)
                begun = time.monotonic()
                with interruptible:
                    head = wire.exchange(content, method)
                if self._recorder is not None:
                    answered = Exchange(WireRequest(method, target, shown, body), _response(head))
                    self._recorder(label, answered, time.monotonic() - begun)
                if not self.governor.observe(label, head.status, head.field("retry-after")):
                    return head
        except NotPlain:
            return None
        except NoAnswer as error:
            if self._recorder is not None:
                silence = Exchange(WireRequest(method, target, shown, body), None, str(error))
                self._recorder(label, silence, time.monotonic() - begun)
            self.governor.observe(label, None)
            raise
        finally:
            self._wire_lock.release()

    @property
    def repeated(self) -> bool:
        """Whether the last plain request was sent twice, since the connection was closed on the first one."""
        return self._wire is not None and self._wire.repeated

    def record(self, recorder: Recorder) -> None:
        """Tell a recorder of every exchange from now on, whoever makes it."""
        self._recorder = self.adapter.recorder = recorder

    def close(self) -> None:
        """Close the connections."""
        self.adapter.close()
        if self._wire is not None:
            self._wire.close()

    def _problem(self, *, slow: bool = False, unreadable: str = "") -> str:
        times = ", twice" if self._tries > 1 else ", when asked again"
        if unreadable:
            return f"the answer cannot be read as HTTP{times}: {unreadable}"
        if slow:
            return f"no answer within {self.timeout_seconds:g} seconds{times}"
        return f"the connection was dropped before the answer was complete{times}"

    def _send_once(self, request: WireRequest, label: str) -> WireResponse:
        quick = self._send_plain(request, label)
        if quick is not None:
            return quick
        content: Any = request.body
        if request.chunked:  # `requests` sends in chunks what does not tell its length
            content = (part for part in [request.body or b""] if part)
        prepared = requests.Request(request.method, self.base_url, data=content).prepare()
        # Set afterwards: `requests` normalises URLs and adds a Content-Type, and the probes need neither.
        prepared.url = self.base_url + request.path
        prepared.headers.pop("Content-Type", None)
        for name, value in request.fields:
            # Latin-1 is what HTTP/1.1 puts on the wire (RFC 9110, section 5.5); UTF-8 bytes pass as they are.
            prepared.headers[name] = as_bytes(value).decode("latin-1")
        timeout = (self.connection.connect_seconds, self.timeout_seconds)
        try:
            return self.adapter.send_for(label, prepared, timeout=timeout)[1]
        finally:
            if request.chunked:  # chunks that a server left unread would be taken for the beginning of the next request
                self.adapter.close()

    def _send_plain(self, request: WireRequest, label: str) -> WireResponse | None:
        fields = [(name, as_bytes(value).decode("latin-1")) for name, value in request.fields]
        if request.field("user-agent") is None:
            fields.append(("User-Agent", "mockserver"))
        head = self.send_quickly(label, request.method, self._path + request.path, fields, request.body)
        return None if head is None else _response(head, head.seconds)


class WsgiTarget:
    """A WSGI callable (PEP 3333) in this process."""

    foreign = False

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        base_url: str = "http://localhost",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._clock = clock
        self.base_url = base_url
        self.governor = Governor(None)

    def send(self, request: WireRequest, label: str = "") -> Exchange:
        """Return the application's answer."""
        self.governor.admit(label)
        status: list[str] = []
        fields: list[tuple[str, str]] = []

        def start_response(line: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[..., None]:
            status[:] = [line]
            fields[:] = headers
            return _no_write

        begin = self._clock()
        chunks = self._application(self._environ(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        seconds = self._clock() - begin
        return Exchange(request, WireResponse(int(status[0].split()[0]), tuple(fields), body, seconds))

    def patient(self) -> AbstractContextManager[float]:
        """Give 0: an application in this process always answers."""
        return nullcontext(0.0)

    def close(self) -> None:
        """Nothing is held open."""

    def _environ(self, request: WireRequest) -> dict[str, Any]:
        path, _, query = request.path.partition("?")
        body = request.body or b""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
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
        if request.chunked:
            # How a server says that the content ends by itself (PEP 3333 knows lengths only).
            environ["wsgi.input_terminated"] = True
        elif request.body is not None:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in request.fields:
            key = name.upper().replace("-", "_")
            key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
            environ[key] = as_bytes(value).decode("latin-1")
        return environ


def _response(head: Head, seconds: float = 0.0) -> WireResponse:
    return WireResponse(head.status, _joined(head.fields), head.body, seconds, head.unread, head.flaw)


def _joined(fields: Fields) -> Fields:
    """Return fields with those of one name joined (RFC 9110, section 5.3), as `requests` shows them."""
    joined: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = (name, f"{joined[key][1]}, {value}") if key in joined else (name, value)
    return tuple(joined.values())


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("the write() callable of PEP 3333 is for servers older than WSGI")
