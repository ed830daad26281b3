"""The check of parallel calls: several at once are answered as one is, each with what belongs to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.checks.planned_check import PlannedCheck, on_operation
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest, parse_json
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, raise_failures

#: So many calls are made at once.
AT_ONCE = 8
#: Methods whose response shows what the call itself made or asked for, and not what others wrote meanwhile.
_OWN = frozenset({"GET", "POST", "QUERY"})
_METHODS = frozenset({*_OWN, "PUT", "PATCH"})
#: Status codes by which a server protects itself, or one of several writes, from too many at once.
_LIMITS = frozenset({409, 412, 423, 425, 429, 503})
_MARK = re.compile(r"together[a-zA-Z0-9]{12}")
#: Makes the request that carries a text.
_Carrier = Callable[[str], WireRequest]


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return a check for each selected operation that may be called several times."""
    return [
        on_operation(parallel_calls_keep_apart, operation, ready=partial(set_up, seed=True))
        for operation in run.selected
        if operation.method in _METHODS and not is_login(operation) and operation.effect != "credentials"
    ]


def parallel_calls_keep_apart(session: Session, operation: Operation) -> int:
    """Check that eight calls at once are answered as one call is: no failure, and nobody else's response.

    Each call carries a text of its own where the response to a single call shows it (RFC 9110, section 3.4).
    """
    run = session.run
    if run.target.foreign or run.target.rate_limiter.rate is not None:
        raise NotRun("calls at once are more than the rate of requests allows")
    caller = run.allowed(operation)
    carry = _carrier(session, operation, caller) if operation.method in _OWN else None
    plain = session.valid_request(operation, caller)
    marks = [f"together{run.canaries.make('parallel', 12)}" for _ in range(AT_ONCE + 1)]
    single = session.call(operation, carry(marks[0]) if carry is not None else plain)
    if carry is not None and (not single.successful or marks[0].encode() not in single.body):
        carry = None
        single = session.call(operation, plain)
    if not single.successful:
        raise NotRun(f"a single call was answered with {single.status}")
    requests = [carry(mark) if carry is not None else plain for mark in marks[1:]]
    exchanges = session.together(operation, requests)
    if any(one.response is None and one.slow for one in exchanges):
        raise NotRun(f"{AT_ONCE} calls at once took longer than a response may take")
    found = _failures(operation, exchanges, marks[1:] if carry is not None else [])
    if any(failure.rule == "silent" for failure in found) and not session.call(operation, requests[0]).successful:
        # What can be done once only is refused the second time, however long after the first one.
        found = [failure for failure in found if failure.rule != "silent"]
        if not found:
            raise NotRun("a second call alone is refused, too")
    raise_failures(found)
    return AT_ONCE


def _failures(operation: Operation, exchanges: list[Exchange], marks: list[str]) -> list[CheckFailure]:
    """Return the first failure of each kind among parallel calls; a 5xx is one of `no_server_error`."""
    found: dict[str, CheckFailure] = {}

    def add(title: str, expected: str, got: str, exchange: Exchange) -> None:
        failure = CheckFailure(
            "parallel_calls_keep_apart",
            operation.label,
            title,
            expected=expected,
            got=got,
            pointer=operation.pointer,
            rule="universal",
            exchange=exchange,
        )
        found.setdefault(title, failure)

    for number, exchange in enumerate(exchanges):
        response = exchange.response
        if response is None:
            add("one of several calls at once gets no response", "a response to each", exchange.problem, exchange)
        elif response.successful and marks:
            others = sorted(set(_MARK.findall(response.body.decode("utf-8", "replace"))) - {marks[number]})
            if marks[number].encode() not in response.body and set(others) & set(marks):
                add(
                    "one of several calls at once gets the response to another",
                    f"the response to its own request, with {marks[number]}",
                    f"one with {others[0]}, of another request",
                    exchange,
                )
        elif not response.successful and response.status < 500 and response.status not in _LIMITS:
            found.setdefault(
                "refused",
                CheckFailure(
                    "parallel_calls_keep_apart",
                    operation.label,
                    "one of several calls at once is refused",
                    expected="a success, as for a single call",
                    got=str(response.status),
                    pointer=operation.pointer,
                    rule="silent",
                    exchange=exchange,
                ),
            )
    return list(found.values())


def _carrier(session: Session, operation: Operation, caller: Identity | None) -> _Carrier | None:
    """Return a function that makes a valid request with a text of its own, None if it may hold none."""
    sample = "together" + "a" * 12
    found = json_content_of(operation)
    body, media_type = session.valid_body(operation) if operation.request_body is not None else (None, None)
    if found is not None and found[1].schema is not None:
        usual = parse_json(body or b"null")
        validator = session.contract.validator(found[1].schema, "request")
        for name, member in usual.items() if isinstance(usual, dict) else ():
            if isinstance(member, str) and validator.is_valid(usual | {name: sample}):
                return lambda text, name=name: session.request(  # type: ignore[misc]  # of this turn of the loop
                    operation, caller, body=json.dumps(usual | {name: text}).encode(), media_type=media_type
                )
    for parameter in operation.parameters:
        if parameter.location != "query" or parameter.schema is None:
            continue
        meant, _ = session.contract.schema(parameter.schema)
        texts = isinstance(meant, dict) and "string" in (meant.get("type") or ())
        if texts and session.contract.validator(parameter.schema, "request").is_valid(sample):
            place = (parameter.location, parameter.name)
            return lambda text, place=place: session.request(  # type: ignore[misc]  # of this turn of the loop
                operation, caller, body=body, media_type=media_type, arguments={place: text}
            )
    return None
