"""Checks of acceptance: the server has each operation, and accepts requests that are valid by the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.roles import is_login, is_undocumented
from mockserver.contract.source.references import follow
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.checks.planned_check import PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.survey.drafts import BODY, EXAMPLE, MADE, Draft
from mockserver.suite.target.exchange import GONE, Exchange, NotJSON, WireRequest, WireResponse, parse_json
from mockserver.suite.verdicts.causes import NOT_THERE
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule
from mockserver.suite.verdicts.reach import NO_SUCCESS, is_success

#: How many different valid requests are tried of an operation that the survey did not call.
_VARIANTS = 3
#: Status codes for a missing resource or method (RFC 9110, sections 15.5.5, 15.5.6 and 15.6.2).
_NOT_FOUND, _NO_METHOD = 404, frozenset({405, 501})
#: Status codes that blame content or parameters, not the caller, the rate of requests or the state.
_ABOUT_THE_REQUEST = frozenset({400, 406, 411, 413, 414, 415, 417, 422})
#: Names of members and parameters that identify existing items, which no schema can provide.
_IDENTIFIER = re.compile(
    r"(?:^|[_-])(?:id|uuid|guid|ref|key|token|code|slug)s?$|[a-z](?:Id|ID|Uuid|Ref|Key|Token|Code)s?$", re.ASCII
)
_IDENTIFYING_FORMATS = frozenset({"uuid", "uri", "uri-reference"})
#: Keywords of a schema that give a value to send.
_GIVEN = ("example", "examples", "default", "enum", "const")

#: Title of the finding that the server does not have an operation.
_MISSING = "the operation is not there"

Attempt = tuple[Draft, Exchange]


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return an acceptance check for each operation that was called in this run and never succeeded.

    If no operation at all succeeded, no single operation is to blame, and the list is empty.
    """
    if run.verdicts.nothing_succeeded():
        return []
    rows = run.verdicts.reach(run.selected)
    never = {row.operation for row in rows if row.attempts and row.why not in {"", NO_SUCCESS}}
    return [
        on_operation(valid_requests_are_accepted, operation, ready=set_up)
        for operation in run.selected
        if operation.label in never and not is_login(operation) and not is_undocumented(operation)
    ]


def valid_requests_are_accepted(session: Session, operation: Operation) -> int:
    """Check that the server has an operation and accepts at least one valid request for it."""
    surveyed = session.run.surveyed.get(operation.label)
    attempts = list(surveyed.refused) if surveyed is not None else []
    if not attempts:
        attempts = _tried(session, operation)
    if attempts and is_success(operation, _status(attempts[-1])):
        return len(attempts)
    if not attempts:
        raise NotRun(surveyed.why if surveyed is not None and surveyed.why else "no valid request could be made")
    _judge(session, operation, attempts)
    return len(attempts)


def _tried(session: Session, operation: Operation) -> list[Attempt]:
    """Return what valid requests of an operation came to, up to the first one that is accepted."""
    caller = session.run.allowed(operation)
    if caller is not None and operation.effect == "credentials":
        caller = session.login_for(operation, caller)
    attempts: list[Attempt] = []
    for variant in range(_VARIANTS):
        request = session.valid_request(operation, caller, variant=variant)
        if any(request == before.request for _, before in attempts):
            continue
        response = session.call(operation, request)
        attempts.append((Draft(), Exchange(request, response)))
        if is_success(operation, response.status):
            break
    return attempts


def _judge(session: Session, operation: Operation, attempts: Sequence[Attempt]) -> None:
    """Raise the failure, or the reason for no verdict, if all valid requests of an operation were refused.

    Raises:
        CheckFailure: the server does not have the operation, or refuses valid requests.
        NotRun: the refusals may have another reason.
    """
    contract = session.contract
    missing = _missing(session, operation, attempts)
    if missing is not None:
        raise _failure(operation, missing[1], _MISSING, "contract")
    listed = _listed_and_gone(operation, attempts)
    if listed is not None:
        raise _failure(operation, listed[1], "every valid request is refused", "contract")
    about = [one for one in attempts if _status(one) in _ABOUT_THE_REQUEST]
    first = attempts[0]
    if len(about) == len(attempts) and not _depends_on_the_state(operation):
        given = next((one for one in about if _is_given(contract, operation, one[0])), None)
        if given is not None:
            raise _failure(operation, given[1], "every valid request is refused", "contract")
        if not _to_blame(session, operation, first):
            raise _failure(operation, first[1], "every valid request is refused", "silent")
    blamed = _to_blame(session, operation, first)
    reason = f", perhaps because of the made-up value of {blamed[0]}" if blamed else ""
    raise NotRun(f"its valid requests got {_statuses(attempts)}{reason}")


def _missing(session: Session, operation: Operation, attempts: Sequence[Attempt]) -> Attempt | None:
    """Return an attempt that shows that the server does not have the operation, None if it may have it."""
    for one in attempts:
        status = _status(one)
        if str(status) in operation.responses:
            continue
        if status in _NO_METHOD:
            return one
        # An identifier that we made up, or the contract shows, need not be there; one that the server showed is.
        every = all(_status(other) == _NOT_FOUND for other in attempts)
        if status == _NOT_FOUND and every and not _to_blame(session, operation, one, also=EXAMPLE):
            return one if operation.safe or _is_still_there(session, operation, one[0]) else None
    return None


def _is_still_there(session: Session, operation: Operation, draft: Draft) -> bool:
    """Tell whether what a refused call was about can be read now, or nothing documented reads it."""
    read = session.contract.by_label.get(f"GET {operation.path}")
    if read is None or not session.run.has_selected(read) or "{" not in operation.path:
        return True
    request = session.request(read, session.run.allowed(read), path_values=draft.path_values)
    return session.call(read, request).status not in GONE


def _listed_and_gone(operation: Operation, attempts: Sequence[Attempt]) -> Attempt | None:
    """Return an attempt to read an item that its list shows, if none of those can be read; else None."""
    of_list = [one for one in attempts if one[0].from_list]
    if not operation.safe or not of_list or any(_status(one) not in GONE for one in attempts):
        return None
    return of_list[0]


def _depends_on_the_state(operation: Operation) -> bool:
    """Tell whether an operation acts on an item without content, so that its state may be why it is refused."""
    return not operation.safe and operation.request_body is None and "{" in operation.path


def _status(attempt: Attempt) -> int:
    response = attempt[1].response
    return response.status if response is not None else 0


def _statuses(attempts: Sequence[Attempt]) -> str:
    return ", ".join(map(str, dict.fromkeys(_status(one) for one in attempts)))


def _failure(operation: Operation, refused: Exchange, title: str, rule: Rule) -> CheckFailure:
    success = operation.success()
    response = refused.response
    assert response is not None
    return CheckFailure(
        "valid_requests_are_accepted",
        operation.label,
        title,
        expected=success.status if success is not None else "2xx",
        got=f"{response.status}{_said(response)}",
        pointer=success.pointer if success is not None else operation.pointer,
        rule=rule,
        exchange=refused,
        cause=NOT_THERE if title == _MISSING else "",
    )


def _said(response: WireResponse) -> str:
    text = " ".join(response.body[:200].decode("utf-8", "replace").split())
    return f" {text}" if text else ""


def _to_blame(session: Session, operation: Operation, attempt: Attempt, *, also: str = MADE) -> list[str]:
    """Return the names of made-up parameters and members that may have to identify something existing.

    Args:
        session: of the check.
        operation: that was called.
        attempt: what was refused.
        also: another origin of values that need not exist.
    """
    draft, exchange = attempt
    return list(_identifiers(session, operation, draft, exchange.request, {MADE, also}))


def _identifiers(
    session: Session, operation: Operation, draft: Draft, request: WireRequest, doubtful: set[str]
) -> Iterator[str]:
    for parameter in operation.parameters:
        identifies = parameter.location == "path" or (
            parameter.required
            and (_IDENTIFIER.search(parameter.name) or _identifies(session.contract, parameter.schema))
        )
        if identifies and draft.origins.get(parameter.name, MADE) in doubtful:
            yield parameter.name
    if draft.origins.get(BODY, MADE) not in doubtful:
        return
    try:
        content = parse_json(request.body or b"null")
    except NotJSON:
        return
    yield from (name for name, value in _identifying_members(content) if not session.run.known.items.has_shown(value))


def _identifies(contract: Contract, schema: str | None) -> bool:
    raw = follow(contract.document.data, schema)[0] if schema is not None else None
    return isinstance(raw, dict) and raw.get("format") in _IDENTIFYING_FORMATS


def _identifying_members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if _IDENTIFIER.search(name):
                yield name, member
            yield from _identifying_members(member)
    elif isinstance(value, list):
        for item in value:
            yield from _identifying_members(item)


def _is_given(contract: Contract, operation: Operation, draft: Draft) -> bool:
    """Tell whether the contract, the server or the user gave everything that a request requires."""
    body = operation.request_body
    required = [parameter for parameter in operation.parameters if parameter.required]
    if body is None and not required:
        return False
    if draft.origins:
        needed = [parameter.name for parameter in required] + [BODY] * (body is not None)
        return not draft.corrected and all(draft.origins.get(name, MADE) != MADE for name in needed)
    content = json_content_of(operation)
    if body is not None and (content is None or not content[1].examples):
        return False
    shown = [follow(contract.document.data, one.schema)[0] if one.schema is not None else None for one in required]
    return all(isinstance(raw, dict) and any(keyword in raw for keyword in _GIVEN) for raw in shown)
