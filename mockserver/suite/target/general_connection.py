"""General connection, on the library `requests`: for TLS, proxies, chunked requests and all else that `wire` cannot do.

Responses are read within limits, by the framing that the suite uses everywhere. `requests` limits the wait for each
byte, and neither the whole response nor its size. http.client reads the head here, until one deadline for all of it,
and `receive_content` the content.
"""

from __future__ import annotations

import http.client
import math
import time
from io import BufferedReader
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from mockserver.suite.target.connections import Connection, TargetLost, unreachable
from mockserver.suite.target.content_codings import ReceivedContent, receive_content
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.framing import (
    MAX_INTERIM,
    USUAL,
    ConnectionDropped,
    DeadlineStream,
    Listening,
    NotHTTP,
    ResponseHead,
    read_fields,
    shown,
)
from mockserver.suite.target.wire import NoResponse, RawResponse, part_told


class _HttpClientStream(DeadlineStream):
    """Byte stream with a deadline, from which http.client reads a response."""

    def __init__(self, source: Any, raw: Any) -> None:
        super().__init__(source, raw.readinto)
        self._raw = raw

    def close(self) -> None:
        """Close the stream and its socket once no other object uses the socket."""
        super().close()
        self._raw.close()


class BoundedResponse(http.client.HTTPResponse):
    """http.client response with a deadline for the whole response, not for each byte."""

    def __init__(self, sock: Any, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        seconds = sock.gettimeout()
        self.incoming = _HttpClientStream(sock, self.fp.detach())
        self.incoming.deadline = time.monotonic() + (math.inf if seconds is None else seconds)
        self.fp: Any = BufferedReader(self.incoming)

    def _read_status(self) -> tuple[str, int, str]:
        """Return the final status line; http.client alone would take most interim responses for final."""
        for _ in range(MAX_INTERIM):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # typeshed leaves it out
            if found[1] == 101 or found[1] >= 200:
                return found
            read_fields(self.fp)
        raise NotHTTP(f"more than {MAX_INTERIM} interim responses (1xx)")

    def take(self, method: str, limit: int, listening: Listening) -> ReceivedContent:
        """Read the content of the response within the limits, decode and return it; see `receive_content`."""
        fields = tuple((name, " ".join(value.split("\r\n"))) for name, value in self.headers.items())
        # http.client ends the head at the first line that is no field, and hands out the rest as a text.
        rest = self.headers.get_payload()
        flaw = f"the field line {shown(rest.encode('latin-1', 'replace'))}" if isinstance(rest, str) and rest else ""
        start = ResponseHead(str(self.version % 10), self.status, self.reason, fields, flaw)
        return receive_content(self.fp, self.incoming, method, start, limit, listening)


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


class GeneralConnection(HTTPAdapter):
    """Connection to one server through the library `requests`.

    Proxies and certificate authorities of the environment are ignored: the `Connection` alone decides where credentials
    go and which certificates are trusted.
    """

    def __init__(self, base_url: str, connection: Connection) -> None:
        """Create a connection, from a base URL and connection options."""
        parts = urlsplit(base_url)
        self._base_url = base_url
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._connection = connection
        # Calls that are made at once have a connection each; else there is one.
        super().__init__(pool_connections=1, pool_maxsize=8)

    def exchange(self, message: WireRequest, seconds: float, listening: Listening = USUAL) -> RawResponse:
        """Send a request and return the response.

        Args:
            message: as it goes over the wire: `path` is the target of the request line, fields are Latin-1.
            seconds: how long it may take.
            listening: how long is waited for what may never come.

        Raises:
            TargetLost: no connection can be made.
            NoResponse: it was sent, and no whole response came that can be read.
        """
        try:
            return self._exchange(message, seconds, listening)
        except requests.exceptions.ConnectTimeout as error:
            raise TargetLost(f"{self._base_url} does not take connections") from error
        except requests.exceptions.Timeout as error:
            raise NoResponse(slow=True) from error
        except requests.exceptions.RequestException as error:
            if (reason := unreachable(error, self._base_url, self._connection)) is not None:
                raise TargetLost(reason) from error
            raise NoResponse(unreadable=unreadable(error)) from error
        finally:
            if message.chunked:  # chunks that a server left unread would be taken for the beginning of the next request
                self.close()

    def _exchange(self, message: WireRequest, seconds: float, listening: Listening) -> RawResponse:
        using, begun = self._connection, time.monotonic()
        try:
            response = self.send(
                self._prepared(message),
                timeout=(using.connect_seconds, seconds),
                verify=False if using.insecure else str(using.ca) if using.ca else True,
                cert=_client_certificate(using),
                proxies={"http": using.proxy, "https": using.proxy} if using.proxy else {},
            )
            taken = _take(response, message.method, using.max_response, listening)
        except NotHTTP as error:
            raise NoResponse(unreadable=str(error)) from error
        except TimeoutError as error:
            raise NoResponse(slow=True, part=part_told(error)) from error
        except ConnectionDropped as error:
            raise NoResponse(part=part_told(error)) from error
        raw = response.raw
        return RawResponse(
            response.status_code,
            response.reason or "",
            f"1.{raw.version % 10}",
            tuple(raw.headers.iteritems()),
            taken.body,
            time.monotonic() - begun,
            taken.unread,
            taken.flaw,
        )

    def _prepared(self, message: WireRequest) -> requests.PreparedRequest:
        content: Any = message.body
        if message.chunked:  # `requests` sends in chunks what does not tell its length
            content = (part for part in [message.body or b""] if part)
        prepared = requests.Request(message.method, self._origin, data=content).prepare()
        # Set afterwards: `requests` normalises URLs and adds a Content-Type, and the probes need neither.
        prepared.url = self._origin + message.path
        prepared.headers.pop("Content-Type", None)
        for name, value in message.fields:
            prepared.headers[name] = value
        return prepared

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Create the connection pools, with limits on the size and time of responses."""
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **settings: Any) -> Any:
        """Return connection pools through a proxy, with limits on the size and time of responses."""
        manager = super().proxy_manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _take(response: requests.Response, method: str, limit: int, listening: Listening) -> ReceivedContent:
    """Return the decoded content of a `requests` response, read within the limits.

    Raises:
        NotHTTP: how long it is cannot be made out.
        ConnectionDropped: the connection ended before it did.
        TimeoutError: it did not end in time.
    """
    raw: Any = response.raw
    original: BoundedResponse = raw._original_response
    kept = False
    try:
        taken = original.take(method, limit, listening)
        kept = taken.kept
    except TimeoutError:
        raise
    except OSError as error:
        raise ConnectionDropped from error
    finally:
        original.close()
        if not kept:
            raw.close()
    raw.release_conn()
    return taken


def _client_certificate(connection: Connection) -> str | tuple[str, str] | None:
    if connection.cert is None:
        return None
    return (str(connection.cert), str(connection.key)) if connection.key else str(connection.cert)


def unreadable(error: BaseException) -> str:
    """Return what arrived in place of an HTTP response, according to an exception's causes; "" if nothing did."""
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
