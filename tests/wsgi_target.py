"""A WSGI application as a target without limits of time, whose exceptions end the test that calls it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from mockserver.suite.applications.wsgi import wsgi_environ
from mockserver.suite.safety.rate_limiter import RateLimiter
from mockserver.suite.target.exchange import Exchange, Fields, WireRequest, WireResponse, with_fields
from mockserver.suite.target.targets import Renewal


class WsgiTarget:
    """Target that is a WSGI application (PEP 3333) in this process."""

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
        self.rate_limiter = RateLimiter(None)
        self.always: Fields = ()
        self.renewal: Renewal | None = None
        self.base_of: Callable[[WireRequest], str | None] | None = None

    def send(self, request: WireRequest, label: str = "") -> Exchange:
        """Return the exchange of a request with the application's response."""
        message = with_fields(request, self.always)
        if self.renewal is None:
            return replace(self._send(message, label), request=request)
        message = self.renewal.current(message)
        made = self._send(message, label)
        assert made.response is not None
        again = self.renewal.again(message, made.response.status, made.response.fields)
        if again is not None:
            made = self._send(again, label)
            assert made.response is not None
            self.renewal.sent_again(again, made.response.status, made.response.fields)
        return replace(made, request=request)

    def send_as_it_is(self, message: WireRequest) -> Exchange:
        """Return the exchange of a request to which nothing is added."""
        return self._send(message, "")

    def _send(self, request: WireRequest, label: str) -> Exchange:
        self.rate_limiter.admit(label)
        status: list[str] = []
        fields: list[tuple[str, str]] = []

        def start_response(line: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[..., None]:
            status[:] = [line]
            fields[:] = headers
            return _no_write

        begin = self._clock()
        chunks = self._application(wsgi_environ(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        seconds = self._clock() - begin
        return Exchange(request, WireResponse(int(status[0].split()[0]), tuple(fields), body, seconds))

    def patient(self) -> AbstractContextManager[float]:
        """Raise the timeout while the context lasts: by 0 seconds, since an application in this process has none."""
        return nullcontext(0.0)

    def close(self) -> None:
        """Do nothing, as no connection is open."""


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("the write() callable of PEP 3333 is for servers older than WSGI")
