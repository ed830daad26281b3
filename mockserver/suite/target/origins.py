"""Origins: where logins and token requests go, the target itself or another server that a URL names."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

from mockserver.errors import MockServerError
from mockserver.suite.target.connections import TargetLost
from mockserver.suite.target.exchange import WireRequest, WireResponse
from mockserver.suite.target.targets import HttpTarget, Target

_MAX_REASON = 120
#: Members that say why a request was refused: OAuth 2 (RFC 6749, section 5.2), problem details, and what is usual.
_REASONS = ("error_description", "error", "detail", "title", "message", "msg", "reason")


class CannotLogIn(MockServerError):  # noqa: N818 - what happened, in words
    """Error: an identity could not be logged in; the message says why."""


class Origins:
    """Sends the requests that get credentials, through the rate limiter of the run."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._others: dict[str, HttpTarget] = {}

    def url(self, where: str) -> str:
        """Return the URL of a path below the base URL of the target, or a URL itself."""
        return where if urlsplit(where).scheme else self._target.base_url + where

    def send(self, where: str, request: WireRequest) -> WireResponse:
        """Return the response to a request, with its fields as they came, none joined.

        Args:
            where: path below the base URL of the target, or a URL.
            request: what is sent; its path does not count.

        Raises:
            CannotLogIn: there is no response.
            TargetLost: nothing accepts connections at the target.
        """
        parts = urlsplit(self.url(where))
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        message = WireRequest(request.method, path, request.fields, request.body)
        own = urlsplit(self._target.base_url)
        of_target = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        target = self._target if of_target else self._other(f"{parts.scheme}://{parts.netloc}")
        try:
            exchange = target.send_as_it_is(message)
        except TargetLost as error:
            if of_target:
                raise
            raise CannotLogIn(str(error)) from error
        if exchange.response is None:
            raise CannotLogIn(f"{request.method} {where}: {exchange.problem}")
        return exchange.response

    def close(self) -> None:
        """Close the connections to other servers."""
        for other in self._others.values():
            other.close()

    def _other(self, base_url: str) -> Target:
        if base_url not in self._others:
            connection = self._target.connection if isinstance(self._target, HttpTarget) else None
            self._others[base_url] = HttpTarget(base_url, connection, rate_limiter=self._target.rate_limiter)
        return self._others[base_url]


def resolved(url: str, base_url: str) -> str:
    """Return the URL that a relative URL in a contract means for a target (RFC 3986, section 5)."""
    return urljoin(f"{base_url}/", url)


def told(response: WireResponse) -> str:
    """Return status code, phrase and reason of a refusal: `400 Bad Request (invalid_client)`."""
    try:
        phrase = f" {HTTPStatus(response.status).phrase}"
    except ValueError:
        phrase = ""
    reasons = list(dict.fromkeys(_reasons(response)))[:2]
    return f"{response.status}{phrase}" + (f" ({'; '.join(reasons)})" if reasons else "")


def _reasons(response: WireResponse) -> list[str]:
    try:
        value: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        return []
    holders = [value, *(value.values() if isinstance(value, dict) else ())]
    texts = [holder[name] for holder in holders if isinstance(holder, dict) for name in _REASONS if name in holder]
    return [" ".join(text.split())[:_MAX_REASON] for text in texts if isinstance(text, str) and text.strip()]
