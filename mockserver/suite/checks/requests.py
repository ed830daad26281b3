"""Claims about requests that the contract does not allow."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from mockserver.contract.model import MediaType, Operation
from mockserver.contract.schemas import SchemaViolation
from mockserver.pointers import child
from mockserver.suite.checks.preceding import set_up
from mockserver.suite.checks.task import Task, on_operation
from mockserver.suite.exchanges import Exchange, NotJSON, WireRequest, is_json, parse_json
from mockserver.suite.samples import broken
from mockserver.suite.session import Run, Session
from mockserver.suite.verdicts import CheckFailure, NotRun, Rule, describe, raise_failures

_MALFORMED = (
    b"{",
    b'{"a": 1,}',
    b'{"a": NaN}',
    b'{"a": 1} {}',
    b'\xff\xfe"',
    b'"\x01"',
)
#: What makes a valid text malformed, at its end or within it: a lenient parser takes what is left.
_SPOILED: tuple[Callable[[bytes], bytes], ...] = (
    lambda valid: valid + b"}",
    lambda valid: valid + b" {}",
    lambda valid: valid[:-1],
    lambda valid: valid[:-1] + b",}",
    lambda valid: valid.replace(b'"', b"'"),
    lambda valid: b"// comment\n" + valid,
)


def tasks(run: Run) -> list[Task]:
    """Return the claims for each operation that takes JSON."""
    found: list[Task] = []
    for operation in run.selected:
        if _json_content(operation) is None:
            continue
        found += [
            on_operation(check, operation, ready=partial(set_up, seed=True))
            for check in (
                malformed_json_is_refused,
                empty_bodies_are_refused,
                bodies_that_break_the_schema_are_refused,
                undocumented_media_types_are_refused,
            )
        ]
    return found


def malformed_json_is_refused(session: Session, operation: Operation) -> int:
    """Content that is called JSON and is none is not accepted."""
    content = _json_content(operation)
    assert content is not None
    valid, _ = session.valid_body(operation)
    spoiled = [spoil(valid or b"{}") for spoil in _SPOILED]
    # `{}` has no quotes to spoil, and of a number nothing may be left: no content, which may be allowed.
    attempts = (*_MALFORMED, *(text for text in spoiled if text and not _is_json(text)))
    for body in attempts:
        request = _request(session, operation, body, content.name)
        _expect_refusal(
            "malformed_json_is_refused",
            session,
            operation,
            request,
            title="accepted content that is not JSON",
            pointer=content.pointer,
        )
    return len(attempts)


def _is_json(text: bytes) -> bool:
    try:
        parse_json(text)
    except NotJSON:
        return False
    return True


def empty_bodies_are_refused(session: Session, operation: Operation) -> int:
    """A request without content is not accepted where content is required."""
    body, content = operation.request_body, _json_content(operation)
    assert body is not None
    assert content is not None
    if not body.required:
        return 0
    for empty in (None, b""):
        request = _request(session, operation, empty, content.name)
        _expect_refusal(
            "empty_bodies_are_refused",
            session,
            operation,
            request,
            title="accepted a request without content",
            pointer=child(body.pointer, "required"),
        )
    return 2


def bodies_that_break_the_schema_are_refused(session: Session, operation: Operation) -> int:
    """JSON that breaks the request's schema is refused: other types, missing and added members, limits."""
    content = _json_content(operation)
    assert content is not None
    if content.schema is None:
        return 0
    body, _ = session.valid_body(operation)
    failures: dict[str, CheckFailure] = {}
    cases = 0
    for value, violations in broken(session.contract, content.schema, parse_json(body or b"null")):
        request = _request(session, operation, json.dumps(value).encode(), content.name)
        cases += 1
        try:
            _expect_refusal(
                "bodies_that_break_the_schema_are_refused",
                session,
                operation,
                request,
                title=f"accepted a value that breaks {violations[0].keyword} of {_place(violations[0])}",
                pointer=broken_statement(session, violations).keyword_pointer,
                got=_shown(violations[0]),
            )
        except CheckFailure as failure:
            failures.setdefault(failure.pointer, failure)
    raise_failures(failures.values())
    return cases


def undocumented_media_types_are_refused(session: Session, operation: Operation) -> int:
    """Content of a media type that the contract does not name for the request, or of none, is refused."""
    body, _ = session.valid_body(operation)
    documented = operation.response_for(415)
    named = operation.request_body.content if operation.request_body else {}
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", None):
        if media_type in named:
            continue
        # What the documentation says a client sends does not say that nothing else is taken: the level comes
        # from the documented refusal, and is drift where there is none.
        _expect_refusal(
            "undocumented_media_types_are_refused",
            session,
            operation,
            _request(session, operation, body, media_type),
            title="accepted content of another media type" if media_type else "accepted content of no media type",
            pointer=documented.pointer if documented else operation.pointer,
            rule="contract" if documented else "silent",
        )
    return 4


def broken_statement(session: Session, violations: tuple[SchemaViolation, ...]) -> SchemaViolation:
    """Return the violation that decides about the level: of a documented statement, else the first."""
    documented = (
        violation for violation in violations if session.contract.provenance(violation.keyword_pointer).documented
    )
    return next(documented, violations[0])


def _json_content(operation: Operation) -> MediaType | None:
    if operation.request_body is None:
        return None
    return next((content for name, content in operation.request_body.content.items() if is_json(name)), None)


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
) -> None:
    response = session.call(operation, request)
    if response.status == 401 and operation.security:
        raise NotRun("its credentials were refused, so its content was never looked at")
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
    )


def _place(violation: SchemaViolation) -> str:
    return "/".join(map(str, violation.instance_path)) or "the content"


def _shown(violation: SchemaViolation) -> str:
    value: Any = violation.missing or violation.value
    return f"{_place(violation)} = {describe(value, 60)}"
