"""Checks of doors beside the path: other paths, methods and fields than the contract's that lead around credentials.

Each is tried without credentials, and is open if it gives what the call with credentials gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.http.pointers import child
from mockserver.suite.access.protected_calls import ProtectedCall, protected_call, same_content
from mockserver.suite.access.ways import Way, forged_fields, other_spellings, overridden_methods
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, on_operation
from mockserver.suite.identities.identities import asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion

#: On a machine of somebody else, so many operations are tried, and so many requests of each kind are sent.
_FEW_OPERATIONS, _FEW = 2, 3


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks of doors for each selected read that asks for credentials; a few on other machines."""
    reads = [operation for operation in run.selected if _is_read(run, operation)]
    found: list[PlannedCheck] = []
    for operation in reads[:_FEW_OPERATIONS] if run.policy.foreign else reads:
        found += [on_operation(check, operation, ready=set_up) for check in CHECKS]
    return found


def _is_read(run: Run, operation: Operation) -> bool:
    return (
        operation.method == "GET"
        and asks_for_credentials(run.contract, operation)
        and operation.effect is None
        and not is_login(operation)
        and run.policy.refusal("GET", operation) is None
    )


def other_spellings_are_refused(session: Session, operation: Operation) -> int:
    """Check that other spellings of a path are refused without credentials as the path itself is."""
    call = protected_call(session, operation)
    ways = other_spellings(session, operation, call.bare)
    return _refused("other_spellings_are_refused", "at another spelling of its path", session, call, ways)


def forged_fields_are_refused(session: Session, operation: Operation) -> int:
    """Check that fields by which proxies tell address, user or path give no access without credentials."""
    call = protected_call(session, operation)
    ways = forged_fields(session, operation, call.bare, call.caller.username or "admin")
    return _refused("forged_fields_are_refused", "with forged fields", session, call, ways)


def overridden_methods_are_refused(session: Session, operation: Operation) -> int:
    """Check that a field or query that names another method gives no access without credentials."""
    call = protected_call(session, operation)
    ways = overridden_methods(session, call.bare)
    return _refused("overridden_methods_are_refused", "with another method", session, call, ways)


def _refused(check: str, where: str, session: Session, call: ProtectedCall, ways: Sequence[Way]) -> int:
    """Try ways around the credentials; raise a CheckFailure that names all that are open.

    Raises:
        CheckFailure: some are.
        NotRun: some could not be tried.
    """
    if not ways:
        raise NoOccasion("there is no other way to try")
    few = session.run.policy.foreign or session.run.target.rate_limiter.rate is not None
    opened: list[tuple[Way, Exchange]] = []
    attempts = Attempts()
    for way in ways[:_FEW] if few else ways:
        with attempts.each():
            exchange = session.probe(call.operation.label, way.request)
            if _is_open(session, call, exchange):
                opened += _parts(session, call, way) or [(way, exchange)]
    with attempts.each(0):
        if opened:
            raise _failure(check, where, call, opened)
    return attempts.conclude()


def _parts(session: Session, call: ProtectedCall, way: Way) -> list[tuple[Way, Exchange]]:
    """Return the first part of a way that is open by itself, with its exchange; nothing if none is."""
    for part in way.parts:
        exchange = session.probe(call.operation.label, part.request)
        if _is_open(session, call, exchange):
            return [(part, exchange)]
    return []


def _is_open(session: Session, call: ProtectedCall, exchange: Exchange) -> bool:
    """Tell whether an exchange shows what callers with credentials get, and the server does not show it everywhere."""
    request, response = exchange.request, exchange.response
    if response is None or not response.successful:
        return False
    same_place = (request.path.partition("?")[0], request.base) == (call.bare.path.partition("?")[0], None)
    if request.method == "HEAD":
        return same_place and response.media_type == call.given.media_type
    same_call = same_place and request.method == call.bare.method
    if not (call.given.body or same_call) or not same_content(call.given, response, shape=same_place):
        return False  # without content it may be something else that succeeded
    if same_place:
        return True
    # A server of web pages shows one page wherever it has nothing.
    name = session.run.canaries.make("path", 12)
    nowhere = session.probe(call.operation.label, replace(call.bare, path=f"/undefined-{name}"))
    return nowhere.response is None or not same_content(response, nowhere.response)


def _failure(check: str, where: str, call: ProtectedCall, opened: Sequence[tuple[Way, Exchange]]) -> CheckFailure:
    exchange, refused = opened[0][1], call.refused.response
    assert exchange.response is not None
    assert refused is not None
    named = "; ".join(dict.fromkeys(way.how for way, _ in opened))
    return CheckFailure(
        check,
        call.operation.label,
        f"accepted without credentials {where}",
        expected=f"a refusal, as without it ({refused.status})",
        got=f"{exchange.response.status} and what callers with credentials get, by {named}",
        pointer=child(call.operation.pointer, "security"),
        rule="universal",
        exchange=replace(exchange, history=(call.refused,)),
    )


#: All checks of this theme.
CHECKS: tuple[OperationCheck, ...] = (
    other_spellings_are_refused,
    forged_fields_are_refused,
    overridden_methods_are_refused,
)
