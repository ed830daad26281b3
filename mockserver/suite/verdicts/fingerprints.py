"""Fingerprints: equal for the same failure of the same request, whichever server the request went to.

Our own stub has accounts of other secrets than the target, and worlds: neither makes a request another one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote

from mockserver.http import basic
from mockserver.suite.identities.identities import Identity
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.verdicts.failures import CheckFailure

#: Fields of the transport, of worlds and of generators; they differ between two runs that send the same.
_NOT_COMPARED = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "mock-world", "user-agent", "x-schemathesis-testcaseid"}
)
_BOUNDARY = re.compile(r"boundary=\"?([^\";]+)", re.IGNORECASE)
#: Checks of any response: items have other names on another server, and what is wrong with a response is not
#: decided by the name.
_ABOUT_RESPONSES = frozenset(
    {
        "body_conforms_to_its_schema",
        "body_is_what_its_content_type_says",
        "headers_conform",
        "media_type_is_documented",
        "no_server_error",
        "status_is_documented",
    }
)
#: Checks that the same request fails in the same way, whatever the status code.
_WHATEVER_STATUS = frozenset({"valid_requests_are_accepted"})
#: More of a request body than this is not compared.
_MAX_BODY = 64 * 1024


class Fingerprints:
    """Computes fingerprints of failures, for one server and its identities."""

    def __init__(self, identities: Iterable[Identity] = ()) -> None:
        """Create fingerprints for identities, which have to be in the same order for all servers."""
        self._stand_ins: dict[str, str] = {}
        self._left_out: set[str] = set()
        for number, identity in enumerate(identities):
            for kind, secret in (("token", identity.token), ("password", identity.password), *identity.schemes.items()):
                if secret:
                    self.add(f"{number}.{kind}", secret)

    def add(self, name: str, secret: str) -> None:
        """Replace a secret by a name in fingerprints from now on; the first name of a secret is kept."""
        self._stand_ins.setdefault(secret, f"<{name}>")

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave some header fields out of fingerprints: those that the user gave for one server alone."""
        self._left_out |= {name.lower() for name in names}

    def of(self, failure: CheckFailure) -> str:
        """Return the fingerprint of a failure: 16 hexadecimal digits."""
        exchange = failure.exchange
        parts = [failure.check, failure.operation, failure.pointer, failure.title]
        if exchange is not None:
            if failure.check not in _WHATEVER_STATUS:
                parts.append(str(exchange.response.status) if exchange.response is not None else "no response")
            parts += self._request(exchange.request, with_path=failure.check not in _ABOUT_RESPONSES)
        return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _request(self, request: WireRequest, *, with_path: bool) -> list[str]:
        path, _, query = request.path.partition("?")
        content_type = request.field("content-type") or ""
        boundary = _BOUNDARY.search(content_type)
        fields = sorted(
            f"{name.lower()}: {self._plain(_decoded(value))}"
            for name, value in request.fields
            if name.lower() not in _NOT_COMPARED and name.lower() not in self._left_out
        )
        body = "" if request.body is None else request.body[:_MAX_BODY].decode("latin-1")
        arguments = "&".join(
            f"{quote(name)}={quote(value)}" for name, value in parse_qsl(query, keep_blank_values=True)
        )
        parts = [request.method, path if with_path else "", self._plain(arguments), *fields]
        parts += ["no body" if request.body is None else "body", self._plain(body)]
        return parts if boundary is None else [part.replace(boundary[1], "boundary") for part in parts]

    def _plain(self, text: str) -> str:
        for secret, name in self._stand_ins.items():
            if secret in text:
                text = text.replace(secret, name)
        return text


def _decoded(value: str) -> str:
    """Return a field value with Basic credentials decoded (RFC 7617)."""
    found = basic.user_pass(value)
    return value if found is None else f"Basic {found}"
