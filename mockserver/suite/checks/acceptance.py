"""Checks of acceptance: the server has each operation, and accepts requests that are valid by the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.roles import is_login, is_undocumented
from mockserver.contract.source.references import follow
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.cases.sample_values import sample_value
from mockserver.suite.checks.planned_check import PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, NotJSON, WireRequest, WireResponse, parse_json
from mockserver.suite.verdicts.causes import NOT_THERE, NOT_THERE_STATUSES
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule
from mockserver.suite.verdicts.reach import NO_SUCCESS, is_success

#: How many different valid requests are tried.
_VARIANTS = 3
#: Status codes that blame content or parameters, not the caller, the rate of requests or the state.
_ABOUT_THE_REQUEST = frozenset({400, 406, 411, 413, 414, 415, 417, 422})
#: Names of members and parameters that identify existing items, which no schema can provide.
_IDENTIFIER = re.compile(
    r"(?:^|[_-])(?:id|uuid|guid|ref|key|token|code|slug)s?$|[a-z](?:Id|ID|Uuid|Ref|Key|Token|Code)s?$", re.ASCII
)
_IDENTIFYING_FORMATS = frozenset({"uuid", "uri", "uri-reference"})
#: Keywords of a schema that give a value to send.
_GIVEN = ("example", "examples", "default", "enum", "const")


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
    caller = session.run.allowed(operation)
    if caller is not None and operation.effect == "credentials":
        caller = session.login_for(operation, caller)
    if _cannot_be_written(session.contract, operation):
        raise NotRun("the suite cannot write its required parameters yet (cookies, lists, objects)")
    refused: list[Exchange] = []
    for variant in range(_VARIANTS):
        request = session.valid_request(operation, caller, variant=variant)
        if any(request == before.request for before in refused):
            continue
        response = session.call(operation, request)
        if is_success(operation, response.status):
            return len(refused) + 1
        refused.append(Exchange(request, response))
    _judge(session.contract, operation, refused[0])
    return len(refused)


def _judge(contract: Contract, operation: Operation, refused: Exchange) -> None:
    """Raise the failure, or the reason for no verdict, if all valid requests of an operation were refused.

    Raises:
        CheckFailure: the server does not have the operation, or refuses valid requests.
        NotRun: the refusals may have another reason.
    """
    response = refused.response
    assert response is not None
    to_blame = list(_identifiers(contract, operation, refused.request))
    if response.status in NOT_THERE_STATUSES and str(response.status) not in operation.responses:
        if not to_blame or response.status != 404:
            raise _failure(operation, refused, "the operation is not there", "contract")
    elif response.status in _ABOUT_THE_REQUEST:
        given = _is_given(contract, operation)
        if given or not to_blame:
            raise _failure(operation, refused, "every valid request is refused", "contract" if given else "silent")
    blamed = f", perhaps because of the made-up value of {to_blame[0]}" if to_blame else ""
    raise NotRun(f"its valid requests got {response.status}{blamed}")


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
        cause=NOT_THERE if response.status in NOT_THERE_STATUSES else "",
    )


def _said(response: WireResponse) -> str:
    text = " ".join(response.body[:200].decode("utf-8", "replace").split())
    return f" {text}" if text else ""


def _cannot_be_written(contract: Contract, operation: Operation) -> bool:
    """Tell whether a required parameter is a cookie, or takes a list or an object as its value."""
    for parameter in operation.parameters:
        if not parameter.required or parameter.schema is None:
            continue
        if parameter.location == "cookie" or isinstance(sample_value(contract, parameter.schema), dict | list):
            return True
    return False


def _identifiers(contract: Contract, operation: Operation, request: WireRequest) -> Iterator[str]:
    """Yield the names of parameters and members in a request that may have to identify something existing."""
    for parameter in operation.parameters:
        if parameter.location == "path" or (
            parameter.required and (_IDENTIFIER.search(parameter.name) or _identifies(contract, parameter.schema))
        ):
            yield parameter.name
    try:
        yield from _identifying_members(parse_json(request.body or b"null"))
    except NotJSON:
        return


def _identifies(contract: Contract, schema: str | None) -> bool:
    raw = follow(contract.document.data, schema)[0] if schema is not None else None
    return isinstance(raw, dict) and raw.get("format") in _IDENTIFYING_FORMATS


def _identifying_members(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if _IDENTIFIER.search(name):
                yield name
            yield from _identifying_members(member)
    elif isinstance(value, list):
        for item in value:
            yield from _identifying_members(item)


def _is_given(contract: Contract, operation: Operation) -> bool:
    """Tell whether the contract gives an example or default for everything that a request requires."""
    body, content = operation.request_body, json_content_of(operation)
    if body is not None and (content is None or not content[1].examples):
        return False
    required = [parameter.schema for parameter in operation.parameters if parameter.required]
    shown = [follow(contract.document.data, schema)[0] if schema is not None else None for schema in required]
    given = all(isinstance(raw, dict) and any(keyword in raw for keyword in _GIVEN) for raw in shown)
    return given and (body is not None or bool(required))
