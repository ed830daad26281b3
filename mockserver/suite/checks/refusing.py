"""Requests that must be refused, whatever else the contract says of them."""

from __future__ import annotations

from mockserver.contract.model import Operation
from mockserver.pointers import child
from mockserver.suite.exchanges import Exchange, WireRequest, WireResponse
from mockserver.suite.session import Session
from mockserver.suite.verdicts import CheckFailure, NotRun, Rule


def expect_refusal(
    check: str,
    session: Session,
    operation: Operation,
    request: WireRequest,
    how: str,
    *,
    status: int = 401,
    pointer: str | None = None,
) -> WireResponse:
    """Send a request that must be refused; being accepted is a violation whatever the contract says."""
    response = session.call(operation, request)
    documented = operation.responses.get(str(status))
    rule: Rule
    if _is_accepted(operation, response):
        rule, place, title = (
            "universal",
            pointer or child(operation.pointer, "security"),
            f"accepted with {how}",
        )
    elif documented is not None and response.status != status:
        rule, place, title = "contract", documented.pointer, f"{how}: refused with {response.status}"
    elif response.status in {401, 403} or response.status == status:
        return response
    else:
        rule, place, title = "silent", operation.pointer, f"{how}: refused with {response.status}"
    # A crash is the finding of no_server_error; one cause is one finding.
    if response.status >= 500:
        return response
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
    if operation.success() is not None or response.status in {400, 401, 403, 405, 422, 429}:
        return response.successful
    return response.successful or str(response.status) in operation.responses


def raise_missing(levels: list[str]) -> None:
    """Tell of a check that it was not made for these levels, because no identity has them.

    Raises:
        NotRun: there are some.
    """
    if levels:
        raise NotRun(f"it needs an identity of level {' and of level '.join(levels)} (--identities)")
