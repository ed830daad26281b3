"""The API under test: over HTTP, or a WSGI callable in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import HTTPAdapter

from mockserver.errors import MockServerError, UsageError
from mockserver.hosts import is_loopback
from mockserver.suite.exchanges import Exchange, WireRequest, WireResponse
from mockserver.suite.governor import FOREIGN_RATE, Governor

TIMEOUT_SECONDS = 10.0
LOOPBACK_TIMEOUT_SECONDS = 3.0


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

    def send(self, request: WireRequest) -> Exchange:
        """Return what comes of a request; no answer, even when asked again, is an answer too.

        Raises:
            TargetLost: nothing accepts connections.
        """
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class HttpTarget:
    """A server at a base URL. Redirects are answers, never followed: credentials go where they were meant."""

    def __init__(self, base_url: str, *, rate: float | None = None, timeout_seconds: float | None = None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"{base_url!r} is not a base URL; write it as http://127.0.0.1:8080")
        if parts.username or parts.password:
            raise UsageError("credentials do not belong in a URL; put them in an identities file (--identities)")
        if parts.query or parts.fragment:
            raise UsageError(f"{base_url!r} has a query or a fragment; a base URL has none")
        self.base_url = base_url.rstrip("/")
        self.host = parts.hostname
        self.foreign = not is_loopback(parts.hostname)
        self.timeout_seconds = timeout_seconds or (TIMEOUT_SECONDS if self.foreign else LOOPBACK_TIMEOUT_SECONDS)
        self.governor = Governor(_allowed_rate(rate, foreign=self.foreign))
        self.session = governed_session(self.governor)

    def send(self, request: WireRequest) -> Exchange:
        """Return what comes of a request; a dropped connection or a silence is tried once more.

        Raises:
            TargetLost: nothing accepts connections.
        """
        problem = ""
        for _ in range(2):
            try:
                return Exchange(request, self._send_once(request))
            except requests.exceptions.ConnectTimeout as error:
                raise TargetLost(f"{self.base_url} does not take connections") from error
            except requests.exceptions.Timeout:
                problem = f"no answer within {self.timeout_seconds:g} seconds, twice"
            except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                if is_refused(error):
                    raise TargetLost(f"nothing listens at {self.base_url}") from error
                problem = "the connection was dropped before the answer was complete, twice"
            except requests.exceptions.RequestException as error:
                problem = f"the answer cannot be read as HTTP: {type(error).__name__}"
        return Exchange(request, None, problem)

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _send_once(self, request: WireRequest) -> WireResponse:
        prepared = requests.Request(request.method, self.base_url, data=request.body).prepare()
        # Set afterwards: `requests` normalises URLs and adds a Content-Type, and the probes need neither.
        prepared.url = self.base_url + request.path
        prepared.headers.pop("Content-Type", None)
        for name, value in request.fields:
            # Latin-1 is what HTTP/1.1 puts on the wire (RFC 9110, section 5.5); UTF-8 bytes pass as they are.
            prepared.headers[name] = value.encode("utf-8").decode("latin-1")
        response = self.session.send(prepared, timeout=self.timeout_seconds, allow_redirects=False)
        return WireResponse(
            response.status_code,
            tuple(response.headers.items()),
            response.content,
        )


class GovernedAdapter(HTTPAdapter):
    """A transport of `requests` through which nothing passes without the governor's leave."""

    def __init__(self, governor: Governor) -> None:
        self._governor = governor
        super().__init__(pool_connections=1, pool_maxsize=1)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request when the governor lets it."""
        self._governor.admit()
        return super().send(request, *args, **kwargs)


def governed_session(governor: Governor) -> requests.Session:
    """Return a session with one connection whose every request the governor admits."""
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor a .netrc decides where credentials go
    session.headers = requests.structures.CaseInsensitiveDict()
    for scheme in ("http://", "https://"):
        session.mount(scheme, GovernedAdapter(governor))
    return session


class WsgiTarget:
    """A WSGI callable (PEP 3333) in this process."""

    foreign = False

    def __init__(self, application: Callable[..., Iterable[bytes]], base_url: str = "http://localhost") -> None:
        self._application = application
        self.base_url = base_url
        self.governor = Governor(None)

    def send(self, request: WireRequest) -> Exchange:
        """Return the application's answer."""
        self.governor.admit()
        status: list[str] = []
        fields: list[tuple[str, str]] = []

        def start_response(line: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[..., None]:
            status[:] = [line]
            fields[:] = headers
            return _no_write

        chunks = self._application(self._environ(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return Exchange(request, WireResponse(int(status[0].split()[0]), tuple(fields), body))

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
        if request.body is not None:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in request.fields:
            key = name.upper().replace("-", "_")
            key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
            environ[key] = value.encode("utf-8").decode("latin-1")
        return environ


def _allowed_rate(rate: float | None, *, foreign: bool) -> float | None:
    return rate or (FOREIGN_RATE if foreign else None)


def is_refused(error: BaseException) -> bool:
    """Tell whether a connection could not be made at all, by the chain of causes and of wrapped reasons."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, ConnectionRefusedError) or type(item).__name__ in {
            "NewConnectionError",
            "NameResolutionError",
            "ConnectTimeoutError",
        }:
            return True
        pending += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return False


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("the write() callable of PEP 3333 is for servers older than WSGI")
