"""Requests that must be refused, whatever else the contract says of them."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from mockserver.contract.model import Operation
from mockserver.http.pointers import child
from mockserver.suite.cases.existing_items import existing_item
from mockserver.suite.run.session import Session
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.target.paths import fill
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule

#: Answers that there is nothing to act on: whether the caller would have been let in is open.
_NOT_THERE = frozenset({404, 410})
#: Rejections of a call that are no proof that its credentials were good.
_OF_ANYBODY = frozenset({400, 401, 403, 404, 405, 410, 422, 429})


def expect_refusal(
    check: str,
    session: Session,
    operation: Operation,
    request: WireRequest,
    how: str,
    *,
    status: int = 401,
    pointer: str | None = None,
    any_item: bool = True,
) -> WireResponse:
    """Send a request that must be refused; being accepted is a violation whatever the contract says.

    A redirect elsewhere, as to a page for logging in, lets nobody in. Where the answer is that nothing is there, the
    same is asked about an item that is; not without `any_item`, where it matters whose the item is.

    Raises:
        CheckFailure: it is accepted, or refused otherwise than is documented.
        NotRun: the answer does not say whether the call is refused.
    """
    response = session.call(operation, request)
    if response.status in _NOT_THERE and any_item:
        request = _about_what_is_there(session, operation, request, how, response)
        response = session.call(operation, request)
    if response.status in _NOT_THERE or response.status >= 500 or _leads_on(operation, request, response):
        # A crash is the finding of no_server_error; one cause is one finding.
        raise NotRun(
            f"{how}: the answer was {response.status}, which says neither that it is let in nor that it is not"
        )
    documented = operation.responses.get(str(status))
    rule: Rule
    if _is_accepted(operation, response):
        rule, place, title = (
            "universal",
            pointer or child(operation.pointer, "security"),
            f"accepted with {how}",
        )
    elif 300 <= response.status < 400 or response.status in ({status} if documented is not None else {401, 403}):
        return response
    elif documented is not None:
        # Of a rejection that is not listed the contract says nothing; one that is listed means something else. That 403
        # is for other callers than 401 is said nowhere.
        listed = operation.response_for(response.status) is not None
        rule = "contract" if listed and (status, response.status) != (401, 403) else "silent"
        place, title = documented.pointer, f"{how}: refused with {response.status}"
    else:
        rule, place, title = "silent", operation.pointer, f"{how}: refused with {response.status}"
    raise CheckFailure(
        check,
        operation.label,
        title,
        expected=str(status) if documented is not None else "401 or 403",
        got=str(response.status),
        pointer=place,
        rule=rule,
        exchange=Exchange(request, response),
    )


def _is_accepted(operation: Operation, response: WireResponse) -> bool:
    """Tell whether a call got past the door: it succeeded, or failed as only those fail who are let in."""
    if operation.success() is not None or response.status < 400 or response.status in _OF_ANYBODY:
        return response.successful
    return str(response.status) in operation.responses


def _about_what_is_there(
    session: Session, operation: Operation, request: WireRequest, how: str, response: WireResponse
) -> WireRequest:
    """Return the same request about an item that is there.

    Raises:
        NotRun: it is about no item, or none is to be had.
    """
    try:
        values = existing_item(session, operation)
    except NotRun as reason:
        raise NotRun(f"{how}: the answer was {response.status}, and {reason}") from reason
    if not values:
        raise NotRun(f"{how}: the answer was {response.status}, which does not say that it is refused")
    _, question, query = request.path.partition("?")
    return replace(request, path=fill(operation, values) + question + query)


def _leads_on(operation: Operation, request: WireRequest, response: WireResponse) -> bool:
    """Tell whether a redirect says nothing of the caller: it is documented, or leads to the same path."""
    if not 300 <= response.status < 400:
        return False
    own = request.path.partition("?")[0].rstrip("/")
    path = urlsplit(response.field("Location") or "").path.rstrip("/")
    return str(response.status) in operation.responses or (path.endswith(own) if own else not path)


def raise_missing(levels: list[str]) -> None:
    """Tell of a check that it was not made for these levels, because no identity has them.

    Raises:
        NotRun: there are some.
    """
    if levels:
        raise NotRun(f"it needs an identity of level {' and of level '.join(levels)} (--identities)")
