"""Checks of invalid requests: content that the contract does not allow is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from mockserver.contract.model import Operation
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.json import clip
from mockserver.http.media_types import covering
from mockserver.http.pointers import child
from mockserver.suite.cases.expectations import shortcoming
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.request_kinds import kind_of_violation
from mockserver.suite.cases.requests import NO_JSON, json_content_of, taken
from mockserver.suite.cases.sample_values import invalid_values
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, left_out, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, NotJSON, WireRequest, parse_json
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, Rule

_MALFORMED = (
    b"{",
    b'{"a": 1,}',
    b'{"a": NaN}',
    b'{"a": 1} {}',
    b'\xff\xfe"',
    b'"\x01"',
)
#: Functions that make valid JSON malformed, in ways that lenient parsers accept.
_SPOILED: tuple[Callable[[bytes], bytes], ...] = (
    lambda valid: valid + b"}",
    lambda valid: valid + b" {}",
    lambda valid: valid[:-1],
    lambda valid: valid[:-1] + b",}",
    lambda valid: valid.replace(b'"', b"'"),
    lambda valid: b"// comment\n" + valid,
)


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks with invalid requests for each selected operation that takes JSON."""
    found: list[PlannedCheck] = []
    for operation in run.selected:
        if json_content_of(operation) is not None:
            found += [on_operation(check, operation, ready=partial(set_up, seed=True)) for check in _CHECKS]
        elif operation.request_body is not None:
            found += [left_out(check.__name__, operation, NO_JSON) for check in _CHECKS]
    return found


def malformed_json_is_refused(session: Session, operation: Operation) -> int:
    """Check that content which is sent as JSON but cannot be parsed as JSON is refused."""
    media_type, content = taken(operation)
    valid, _ = session.valid_body(operation)
    spoiled = [spoil(valid or b"{}") for spoil in _SPOILED]
    # Some stay valid (`{}` has no quotes), and a number may become no content, which may be allowed.
    attempts = Attempts()
    for body in (*_MALFORMED, *(text for text in spoiled if text and not _is_json(text))):
        with attempts.each():
            _expect_refusal(
                "malformed_json_is_refused",
                session,
                operation,
                _request(session, operation, body, media_type),
                title="accepted content that is not JSON",
                pointer=content.pointer,
            )
    return attempts.conclude()


def _is_json(text: bytes) -> bool:
    try:
        parse_json(text)
    except NotJSON:
        return False
    return True


def empty_bodies_are_refused(session: Session, operation: Operation) -> int:
    """Check that a request without content is refused where the contract requires content."""
    body, (media_type, _) = operation.request_body, taken(operation)
    assert body is not None
    if not body.required:
        raise NoOccasion("its content is not required")
    attempts = Attempts()
    for empty in (None, b""):
        with attempts.each():
            _expect_refusal(
                "empty_bodies_are_refused",
                session,
                operation,
                _request(session, operation, empty, media_type),
                title="accepted a request without content",
                pointer=child(body.pointer, "required"),
            )
    return attempts.conclude()


def bodies_that_break_the_schema_are_refused(session: Session, operation: Operation) -> int:
    """Check that JSON content that breaks the request's schema is refused."""
    media_type, content = taken(operation)
    if content.schema is None:
        raise NoOccasion("its content has no schema that could be broken")
    body, _ = session.valid_body(operation)
    attempts = Attempts()
    for value, violations in invalid_values(session.contract, content.schema, parse_json(body or b"null")):
        with attempts.each():
            _expect_refusal(
                "bodies_that_break_the_schema_are_refused",
                session,
                operation,
                _request(session, operation, json.dumps(value).encode(), media_type),
                title=f"accepted {_part(violations[0])} that breaks {violations[0].keyword}",
                pointer=broken_statement(session, violations).keyword_pointer,
                got=_shown(violations[0]),
                cause=f"requests with {kind_of_violation(violations[0])} are accepted",
            )
    return attempts.conclude()


def undocumented_media_types_are_refused(session: Session, operation: Operation) -> int:
    """Check that request content of an undocumented media type, or without `Content-Type`, is refused."""
    body, _ = session.valid_body(operation)
    documented = operation.response_for(415)
    named = operation.request_body.content if operation.request_body else {}
    attempts = Attempts()
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", None):
        if media_type is not None and covering(named, media_type) is not None:
            continue
        # A documented media type does not say that others are refused. So the level comes from a documented 415,
        # and is drift where there is none.
        with attempts.each():
            _expect_refusal(
                "undocumented_media_types_are_refused",
                session,
                operation,
                _request(session, operation, body, media_type),
                title="accepted content of another media type" if media_type else "accepted content of no media type",
                pointer=documented.pointer if documented else operation.pointer,
                rule="contract" if documented else "silent",
            )
    return attempts.conclude()


_CHECKS: tuple[OperationCheck, ...] = (
    malformed_json_is_refused,
    empty_bodies_are_refused,
    bodies_that_break_the_schema_are_refused,
    undocumented_media_types_are_refused,
)


def broken_statement(session: Session, violations: tuple[SchemaViolation, ...]) -> SchemaViolation:
    """Return the first violation of a documented statement, else the first violation; it decides a finding's level."""
    documented = (
        violation for violation in violations if session.contract.provenance(violation.keyword_pointer).documented
    )
    return next(documented, violations[0])


def _request(session: Session, operation: Operation, body: bytes | None, media_type: str | None) -> WireRequest:
    caller = session.run.allowed(operation)
    if caller is not None and operation.effect == "credentials":
        caller = session.login_for(operation, caller)
    return session.request(operation, caller, body=body, media_type=media_type)


def _expect_refusal(
    check: str,
    session: Session,
    operation: Operation,
    request: WireRequest,
    *,
    title: str,
    pointer: str,
    rule: Rule = "contract",
    got: str = "",
    cause: str = "",
) -> None:
    response = session.call(operation, request)
    if response.status == 401 and operation.security:
        raise NotRun("its credentials were refused, so its content was not judged")
    if not response.successful:
        return
    raise CheckFailure(
        check,
        operation.label,
        title,
        expected="a rejection (400 or 422, 415 for the media type)",
        got=f"{response.status}" + (f" for {got}" if got else ""),
        pointer=pointer,
        rule=rule,
        exchange=Exchange(request, response),
        cause=cause,
    )


def _place(violation: SchemaViolation) -> str:
    return "/".join(map(str, violation.instance_path)) or "the content"


def _part(violation: SchemaViolation) -> str:
    return f"a value of {_place(violation)}" if violation.instance_path else "content"


def _shown(violation: SchemaViolation) -> str:
    return f"{_place(violation)}: {clip(shortcoming(violation), 60)}"
