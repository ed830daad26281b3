"""Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol): every origin is allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from mockserver.messages import Response, merged

#: How long a browser may remember a preflight, in seconds.
_MAX_AGE_SECONDS = 600
#: Response fields that every page may read without permission (section "CORS-safelisted response-header name").
_SAFELISTED = frozenset(
    {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
)


def is_preflight(environ: dict[str, Any]) -> bool:
    """Tell whether a request with an `Origin` is a CORS preflight, from its WSGI variables."""
    return environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


def preflight(environ: dict[str, Any], methods: Sequence[str]) -> Response:
    """Return the response to a CORS preflight for a path with some methods."""
    fields = [
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        ("Access-Control-Max-Age", str(_MAX_AGE_SECONDS)),
        ("Allow", ", ".join(methods)),
    ]
    asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
    if asked and asked.isprintable() and asked.isascii():
        fields.append(("Access-Control-Allow-Headers", asked))
    # Sent by pages of the open network before they call a server on this machine (https://wicg.github.io/local-network-access/).
    if environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true":
        fields.append(("Access-Control-Allow-Private-Network", "true"))
    return Response(204, fields, b"")


def shared(environ: dict[str, Any], fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return a response's fields with the CORS fields that let pages of the request's origin read all of them."""
    exposed = sorted({name for name, _ in fields if name.lower() not in _SAFELISTED and name.lower() != "vary"})
    more = _origin(environ)
    if exposed:
        more.append(("Access-Control-Expose-Headers", ", ".join(exposed)))
    return merged(fields, more)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's loopback, which no other machine reaches."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def _origin(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the CORS response fields that allow the request's origin, with credentials."""
    origin = environ["HTTP_ORIGIN"]
    if not (origin.isascii() and origin.isprintable()):
        origin = "null"
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]
