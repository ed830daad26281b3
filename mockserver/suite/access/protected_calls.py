"""Protected calls: what an operation gives with credentials and without, to compare what another way gives.

A way around the credentials is open if it gives what the call with credentials gives, and the same call without them is
refused. A status code alone does not show it: many servers send one page, with 200, for every path that they lack.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus

from mockserver.contract.model import Operation
from mockserver.suite.cases.refused_requests import existing_item
from mockserver.suite.identities.identities import Identity, credentials
from mockserver.suite.identities.request_fields import cookie_pairs, without_cookies
from mockserver.suite.run.session import Session
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import NoOccasion, NotRun

#: Members that two responses to one request may differ in: dates, counters, addresses, identifiers of requests.
_HALF = 0.5
#: So much of a text is compared.
_COMPARED = 4096
#: Responses that do not end.
_STREAMS = frozenset({"text/event-stream", "multipart/x-mixed-replace"})


@dataclass(frozen=True, slots=True)
class ProtectedCall:
    """A call that succeeds with credentials and is refused without.

    Attributes:
        operation: what is called.
        caller: the identity whose credentials are accepted.
        admitted: the call with credentials, and its success.
        refused: the same call without, and its refusal.
    """

    operation: Operation
    caller: Identity
    admitted: Exchange
    refused: Exchange

    @property
    def bare(self) -> WireRequest:
        """The request without credentials."""
        return self.refused.request

    @property
    def given(self) -> WireResponse:
        """What a caller with credentials gets."""
        assert self.admitted.response is not None
        return self.admitted.response


def protected_call(session: Session, operation: Operation) -> ProtectedCall:
    """Make a call with credentials and without, and return both.

    Raises:
        NotRun: the first does not succeed, or the second does, which is the finding of another check.
    """
    if operation.label in session.run.opened:
        raise NoOccasion("it lets in callers without any credentials, which is the finding of another check")
    success = operation.success()
    if success is not None and not _STREAMS.isdisjoint(success.content):
        raise NoOccasion("its response is a stream, which does not end")
    caller = session.run.allowed(operation)
    if caller is None:
        raise NoOccasion("it can be called without credentials")
    admitted = _admitted(session, operation, caller)
    bare = without_credentials(session, operation, caller, admitted.request)
    response = session.call(operation, bare)
    if response.successful:
        raise NotRun("it is accepted without credentials, which is the finding of another check")
    if response.status >= 500 or response.status == 429:
        raise NotRun(f"without credentials the response was {response.status}, which refuses nobody")
    return ProtectedCall(operation, caller, admitted, Exchange(bare, response))


def _admitted(session: Session, operation: Operation, caller: Identity) -> Exchange:
    """Return the call of an operation with credentials, about an existing item where the usual one is missing.

    Raises:
        NotRun: it does not succeed.
    """
    try:
        request = session.valid_request(operation, caller)
        response = session.call(operation, request)
    except NotRun:
        values = existing_item(session, operation)
        if not values:
            raise
        return _about(session, operation, caller, values)
    if response.status in {404, 410} and "{" in operation.path:
        return _about(session, operation, caller, existing_item(session, operation))
    return _successful(Exchange(request, response))


def _about(session: Session, operation: Operation, caller: Identity, values: dict[str, Any]) -> Exchange:
    body, media_type = session.valid_body(operation)
    request = session.request(operation, caller, body=body, media_type=media_type, path_values=values)
    return _successful(Exchange(request, session.call(operation, request)))


def _successful(exchange: Exchange) -> Exchange:
    if exchange.response is None or not exchange.response.successful:
        status = exchange.response.status if exchange.response is not None else "none"
        raise NotRun(f"the response to a call with credentials was {status}, so nobody is let in to compare with")
    return exchange


def without_credentials(session: Session, operation: Operation, caller: Identity, request: WireRequest) -> WireRequest:
    """Return a request with all credentials of its caller left out."""
    shown = credentials(session.contract, operation, caller)
    fields, query = shown if shown is not None else ((), ())
    names = {name.lower() for name, _ in fields} | {"authorization"}
    # By name: a session that was renewed since has another value.
    cookies = {pair for name, value in fields if name.lower() == "cookie" for pair, _ in cookie_pairs(value)}
    kept = list[tuple[str, str]]()
    for name, value in request.fields:
        if name.lower() == "cookie":
            others = without_cookies(value, cookies)
            kept += [(name, others)] if others else []
        elif name.lower() not in names:
            kept.append((name, value))
    path, _, text = request.path.partition("?")
    secret = {name for name, _ in query}
    left = "&".join(part for part in text.split("&") if unquote_plus(part.partition("=")[0]) not in secret)
    return replace(request, fields=tuple(kept), path=f"{path}?{left}" if left else path)


def same_content(given: WireResponse, other: WireResponse, *, shape: bool = False) -> bool:
    """Tell whether a response gives what another one gives, apart from what differs from one call to the next.

    Args:
        given: what a caller with credentials gets.
        other: what came of another request.
        shape: whether the same members are enough, whatever their values.
    """
    if not other.successful or given.media_type != other.media_type:
        return False
    if given.body == other.body:
        return True
    if not given.body or not other.body:
        return False
    one, two = json_or_none(given), json_or_none(other)
    if not isinstance(one, dict | list) or not isinstance(two, dict | list):
        return one is None and two is None and _same_text(given.body, other.body)
    pairs = list(_leaves(one, two))
    if any(pair is None for pair in pairs):
        return False
    equal = sum(pair is not None and pair[0] == pair[1] for pair in pairs)
    return shape or equal >= _HALF * len(pairs)


def _leaves(one: Any, two: Any) -> Iterator[tuple[Any, Any] | None]:
    """Yield each pair of values at the same place; None where the two have no such place in common."""
    if isinstance(one, dict) and isinstance(two, dict):
        if one.keys() != two.keys():
            yield None
        for name in one.keys() & two.keys():
            yield from _leaves(one[name], two[name])
    elif isinstance(one, list) and isinstance(two, list):
        if bool(one) != bool(two):
            yield None
        for first, second in zip(one, two, strict=False):
            yield from _leaves(first, second)
    elif isinstance(one, dict | list) or isinstance(two, dict | list):
        yield None
    else:
        yield one, two


def _same_text(one: bytes, two: bytes) -> bool:
    """Tell whether two texts have most of their lines in common."""
    lines = set(one[:_COMPARED].split())
    return len(lines & set(two[:_COMPARED].split())) >= 0.9 * len(lines)
