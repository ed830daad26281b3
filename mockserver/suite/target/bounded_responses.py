"""Connections of `requests` whose responses are read within limits, by the framing that the suite uses everywhere.

`requests` limits the wait for each byte, and neither the whole response nor its size. http.client reads the head here,
until one deadline for all of it, and `codings.take_content` the content.
"""

from __future__ import annotations

import http.client
import io
import math
import time
from io import BufferedReader
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from mockserver.suite.target.content_codings import Taken, take_content
from mockserver.suite.target.framing import MAX_INTERIM, Dropped, Incoming, NotHTTP, Start, read_fields


class Unreadable(requests.exceptions.ConnectionError):
    """What came is no HTTP/1.1 response; the text tells what it was."""


class _Incoming(Incoming):
    """What a response of http.client reads from."""

    def __init__(self, source: Any, raw: Any) -> None:
        super().__init__(source, raw.readinto)
        self._raw = raw

    def close(self) -> None:
        """Give the socket back: it is closed when whoever reads from it and the connection are done with it."""
        super().close()
        self._raw.close()


class BoundedResponse(http.client.HTTPResponse):
    """A response that has to come until a deadline: as long after the request as the connection waits for a byte."""

    def __init__(self, sock: Any, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        seconds = sock.gettimeout()
        self.incoming = _Incoming(sock, self.fp.detach())
        self.incoming.deadline = time.monotonic() + (math.inf if seconds is None else seconds)
        self.fp: Any = BufferedReader(self.incoming)

    def _read_status(self) -> tuple[str, int, str]:
        """Return the final status line: http.client itself takes all but 100 for final."""
        for _ in range(MAX_INTERIM):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # typeshed leaves it out
            if found[1] == 101 or found[1] >= 200:
                return found
            read_fields(self.fp)
        raise NotHTTP(f"more than {MAX_INTERIM} interim responses (1xx)")

    def take(self, method: str, limit: int) -> Taken:
        """Return the content, decoded, as far as it is read; see `take_content`."""
        fields = tuple((name, " ".join(value.split("\r\n"))) for name, value in self.headers.items())
        start = Start(str(self.version % 10), self.status, self.reason, fields)
        return take_content(self.fp, self.incoming, method, start, limit)


class _Plain(HTTPConnection):
    response_class = BoundedResponse


class _Secure(HTTPSConnection):
    response_class = BoundedResponse


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


#: How http.client and urllib3 tell that a head is none.
_NO_HTTP = (http.client.HTTPException, urllib3.exceptions.InvalidHeader)
_POOLS = {"http": _PlainPool, "https": _SecurePool}


class BoundedAdapter(HTTPAdapter):
    """A transport of `requests` with one connection, whose responses are bounded."""

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the manager of connections."""
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **settings: Any) -> Any:
        """Return the manager of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def take(response: requests.Response, method: str, limit: int) -> Taken:
    """Return the content of a response, decoded, as far as it is read; `response` has it from then on.

    Raises:
        requests.RequestException: it cannot be read, or did not come in time.
    """
    raw: Any = response.raw
    original: BoundedResponse = raw._original_response
    try:
        taken = original.take(method, limit)
    except TimeoutError as error:
        raw.close()
        raise requests.exceptions.ReadTimeout(
            urllib3.exceptions.ReadTimeoutError(raw, response.url, "the content did not end in time")
        ) from error
    except NotHTTP as error:
        raw.close()
        raise Unreadable(urllib3.exceptions.ProtocolError(str(error))) from error
    except (Dropped, OSError) as error:
        raw.close()
        raise requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection broken")) from error
    finally:
        original.close()
    if not taken.kept:
        raw.close()
    raw.release_conn()
    give(response, taken.body)
    return taken


class _Read(urllib3.HTTPResponse):
    """A response that was read before, and decoded."""

    def _init_decoder(self) -> None:
        pass


def give(response: requests.Response, content: bytes) -> None:
    """Let a response have some content, also for whoever reads it from what should be the connection."""
    response._content = content
    response._content_consumed = True  # type: ignore[attr-defined]  # typeshed leaves it out
    raw: Any = response.raw
    response.raw = _Read(
        io.BytesIO(content),
        headers=raw.headers,
        status=response.status_code,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
        original_response=raw._original_response,
    )


def unreadable(error: BaseException) -> str:
    """Return what came in place of an HTTP response, "" if nothing did."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, NotHTTP):
            return str(item)
        if isinstance(item, _NO_HTTP) and not isinstance(item, http.client.RemoteDisconnected):
            return f"{type(item).__name__}: {str(item)[:80]!r}"
        pending += [item.__cause__, item.__context__, *(one for one in item.args if isinstance(one, BaseException))]
    return ""
