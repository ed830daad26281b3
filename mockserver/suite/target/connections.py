"""Connection options of a target: TLS, proxy, timeouts and request rate; and why a connection cannot be made."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from mockserver.errors import MockServerError, UsageError
from mockserver.http.cors import is_loopback
from mockserver.suite.safety.rate_limiter import FOREIGN, FOREIGN_RATE, OURS, OWN_STUB, RateLimiter
from mockserver.suite.target.wire import MAX_RESPONSE

CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """Connection options of a target, from the command line.

    Attributes:
        rate: requests a second at most, None for the default of where it is.
        budget: requests for one operation at most, None for the default of where it is.
        treat_as_remote: whether it is treated as somebody else's server even on loopback.
        timeout_seconds: how long a response may take, None for the default, which depends on the host.
        connect_seconds: how long a connection may take to be made.
        ca: certificates of the authorities that are trusted (PEM), None for those that come with the package.
        insecure: whether a server's certificate is taken as it is.
        cert: this client's certificate (PEM), with its key unless `key` has that.
        key: the key of `cert`.
        proxy: URL of the proxy; those of the environment never count.
        share: of how many runs that share the rate this is one.
        max_response: read at most so many bytes of a response's content, decoded.
    """

    rate: float | None = None
    budget: int | None = None
    treat_as_remote: bool = False
    timeout_seconds: float | None = None
    connect_seconds: float = CONNECT_SECONDS
    ca: Path | None = None
    insecure: bool = False
    cert: Path | None = None
    key: Path | None = None
    proxy: str | None = None
    share: int = 1
    max_response: int = MAX_RESPONSE


class TargetLost(MockServerError):  # noqa: N818 - what happened, in a word
    """Error: nothing accepts connections at the target, so nothing can be judged."""


def govern(connection: Connection, *, foreign: bool, own_stub: bool = False) -> RateLimiter:
    """Return the rate limiter for a target: from the options, with defaults for local and for other machines."""
    limits = FOREIGN if foreign else OWN_STUB if own_stub else OURS
    if connection.budget is not None:
        limits = replace(limits, budget=connection.budget)
    rate = connection.rate or (FOREIGN_RATE if foreign else None)
    slow_rate = FOREIGN_RATE / connection.share
    return RateLimiter(rate / connection.share if rate and foreign else rate, limits, slow_rate=slow_rate)


def is_this_machine(host: str) -> bool:
    """Tell whether a host name or address is this machine, judged by all addresses to which a name resolves."""
    if not is_loopback(host):
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return True  # it has no address, as the attempt to connect will show
    return all(is_loopback(str(address[4][0])) for address in found)


def unreachable(error: BaseException, base_url: str, connection: Connection) -> str | None:
    """Return why no connection can be made, with the remedy, or None if a connection was made."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in text:
            why = text.partition("verify failed: ")[2].partition(" (_ssl")[0] or "not trusted"
            return f"{base_url}: its certificate is refused ({why}); give its authority with --ca FILE"
        if "CERTIFICATE_REQUIRED" in text.upper().replace(" ", "_"):
            return f"{base_url} asks for a client certificate; give one with --cert FILE --key FILE"
        if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
            return f"{base_url} does not speak TLS; write http:// instead of https://"
        reason = text.partition("SSLError(")[2][:120] or text[:120]
        return f"{base_url}: no TLS connection can be made: {reason}; if it asks for a certificate: --cert"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy {connection.proxy} does not let requests to {base_url} through; check --proxy"
    if not is_refused(error):
        return None
    return f"{base_url}: its name leads nowhere" if "NameResolutionError" in text else f"nothing listens at {base_url}"


def check_files(connection: Connection) -> None:
    """Raise UsageError if the certificate files or the proxy of the options cannot be used.

    Raises:
        UsageError: one cannot; the message names the option.
    """
    if connection.ca is not None:
        try:
            ssl.create_default_context(cafile=connection.ca)
        except OSError as error:
            raise UsageError(f"{connection.ca}: has no readable certificates: {error}; check --ca") from error
    if connection.key is not None and connection.cert is None:
        raise UsageError("--key needs the certificate that it belongs to; give it with --cert FILE")
    if connection.cert is not None:
        try:
            ssl.create_default_context().load_cert_chain(connection.cert, connection.key, password=_no_password)
        except OSError as error:
            raise UsageError(
                f"{connection.cert}: is not a certificate with its key: {error}; check --cert and --key"
            ) from error
    if connection.proxy is not None:
        parts = urlsplit(connection.proxy)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError("--proxy is not the URL of a proxy; write it as http://127.0.0.1:3128")


def _no_password() -> str:
    raise OSError("its key needs a password, which cannot be given here")


def is_refused(error: BaseException) -> bool:
    """Tell whether an exception or one of its causes says that no connection was made at all."""
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
