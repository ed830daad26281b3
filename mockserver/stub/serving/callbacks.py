"""Background delivery of callbacks, only to allowed hosts, recorded in the journal."""

from __future__ import annotations

import http.client
import queue
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from mockserver import sources
from mockserver.errors import UsageError
from mockserver.messages import OutgoingRequest
from mockserver.stub.control.journal import kept_content
from mockserver.stub.store.worlds import World

#: Time limit for each step of an exchange with a receiver.
_PATIENCE_SECONDS = 5.0
_MAX_WAITING = 1000
_THREADS = 4
_MAX_RESPONSE_BYTES = 64 * 1024
_BAD_GATEWAY, _GATEWAY_TIMEOUT = 502, 504
_PORTS = {"http": 80, "https": 443}


class Deliverer:
    """Sender of callbacks to the hosts that `--allow-callbacks` allows."""

    def __init__(self, allowed: Sequence[str]) -> None:
        """Prepare to send callbacks to a list of allowed hosts, each `HOST` (any port) or `HOST:PORT`.

        Raises:
            UsageError: one of them is neither.
        """
        self._allowed = [_place(text) for text in allowed]
        self._waiting: queue.Queue[tuple[OutgoingRequest, World]] = queue.Queue(_MAX_WAITING)
        self._started = False
        self._lock = threading.Lock()

    def deliver(self, outgoing: OutgoingRequest, world: World) -> str:
        """Queue a callback for sending if its host is allowed; return a note for the journal."""
        host, port = _target(outgoing.url)
        if not host or not port:
            return f"callback {outgoing.name} not sent: its URL is neither http nor https"
        if not any(host == known and wanted in {None, port} for known, wanted in self._allowed):
            return f"callback {outgoing.name} not sent: --allow-callbacks does not name {host[:100]}:{port}"
        with self._lock:
            if not self._started:
                self._started = True
                for _ in range(_THREADS):
                    threading.Thread(target=self._work, daemon=True).start()
        try:
            self._waiting.put_nowait((outgoing, world))
        except queue.Full:
            return f"callback {outgoing.name} not sent: {_MAX_WAITING} callbacks are waiting already"
        return f"callback {outgoing.name} is sent"

    def _work(self) -> None:
        while True:
            outgoing, world = self._waiting.get()
            started = sources.stopwatch()
            status, content, why = _send(outgoing)
            parts = urlsplit(outgoing.url)
            world.journal.append(
                (
                    sources.wall_clock(),
                    outgoing.method,
                    f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
                    parts.query,
                    None,
                    outgoing.content_type or None,
                    kept_content(outgoing.content),
                    outgoing.name,
                    status,
                    kept_content(content),
                    why,
                    (),
                    outgoing.secret_names,
                    sources.stopwatch() - started,
                )
            )


def _send(outgoing: OutgoingRequest) -> tuple[int, bytes, str]:
    """Send one callback request without following redirects, which could lead to a host that is not allowed."""
    parts = urlsplit(outgoing.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
    fields = dict(outgoing.fields) | ({"Content-Type": outgoing.content_type} if outgoing.content_type else {})
    try:
        connection.request(outgoing.method, target, outgoing.content or None, fields)
        response = connection.getresponse()
        status = response.status if 100 <= response.status <= 599 else _BAD_GATEWAY
        return status, response.read(_MAX_RESPONSE_BYTES), f"callback of {outgoing.cause}"
    except TimeoutError:
        return _GATEWAY_TIMEOUT, b"", f"callback of {outgoing.cause}: no response in {_PATIENCE_SECONDS:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _BAD_GATEWAY, b"", f"callback of {outgoing.cause}: cannot be sent: {type(error).__name__}"
    finally:
        connection.close()


def _target(url: str) -> tuple[str, int | None]:
    """Return host and port of an http or https URL, "" and None for any other URL."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme) if parts.scheme in _PORTS else None
    except ValueError:
        return "", None


def _place(text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.netloc != text or "@" in text:
        raise UsageError(f"--allow-callbacks {text}: is not HOST or HOST:PORT")
    return host, port
