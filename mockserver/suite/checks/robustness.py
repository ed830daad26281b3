"""Checks of robustness: hostile, large, chunked and repeated requests, and the time that responses take."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import partial
from statistics import median

from mockserver.contract.exchanges import presumed_success
from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.requests import NO_JSON, json_content_of, taken
from mockserver.suite.cases.sample_values import hostile_contents, with_fractions
from mockserver.suite.cases.setting_states import (
    SettingResource,
    evidence,
    failure,
    resources,
    settle,
    shown_by,
    writes,
    written,
)
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck, left_out, on_operation
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, parse_json, same_json
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

#: How often a call is repeated: enough to meet a fault that comes every twentieth time.
REPEATS = 20
#: Size of large content, more than any call of an API of settings needs.
LARGE_BYTES = 5_000_000
#: An operation is slow if its median response time is above this, and above `SLOWER` times that of the others.
SLOW_SECONDS = 0.5
#: The same where there is nothing to compare with.
SLOW_ALONE_SECONDS = 2.0
SLOWER = 20
#: Fewer responses than this give no meaningful median.
_MIN_ANSWERS = 5
#: JSON by its grammar, but a trap for parsers: a server may accept or refuse it, not crash.
_HOSTILE = (
    b'{"a": "\\ud800"}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 400 + b"}",
    b'{"a": 1, "a": 2}',
    b'{"\\u0000": "\\u0000"}',
    b"[" * 2000 + b"]" * 2000,
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b"[" * 100_000,
    b'\xef\xbb\xbf{"a": 1}',
)


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the robustness checks for each selected operation that they apply to, those of response times last."""
    found: list[PlannedCheck] = []
    by_read = {resource.read.id: resource for resource in resources(run.contract)}
    for operation in run.selected:
        if json_content_of(operation) is not None:
            found += [on_operation(check, operation, ready=partial(set_up, seed=True)) for check in _BODY_CHECKS]
            if not is_login(operation):
                found.append(on_operation(whole_floats_are_integers, operation, ready=partial(set_up, seed=True)))
                found.append(on_operation(escaped_json_is_understood, operation, ready=partial(set_up, seed=True)))
        elif operation.request_body is not None:
            found += [
                left_out(check.__name__, operation, NO_JSON)
                for check in (*_BODY_CHECKS, whole_floats_are_integers, escaped_json_is_understood)
            ]
        if _can_be_repeated(operation):
            check = partial(repeats_get_the_same_answer, operation=operation, resource=by_read.get(operation.id))
            found.append(PlannedCheck("repeats_get_the_same_answer", operation.label, check))
    return found + timing_checks(run)


def timing_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks of response times, which are made at the end of a run."""
    return [
        PlannedCheck(
            "answers_are_not_slow", operation.label, partial(answers_are_not_slow, operation=operation), last=True
        )
        for operation in run.selected
    ]


def hostile_bodies_do_no_harm(session: Session, operation: Operation) -> int:
    """Check that JSON content which is made to break parsers and databases does not make the server fail.

    Lone surrogates, NUL, huge and tiny numbers, deep nesting, members that come twice, very long texts: as the whole
    content, and in each member of content that is valid otherwise. The checks of any response judge the responses: no
    server error, and a response at all.
    """
    media_type, _ = taken(operation)
    valid, _ = session.valid_body(operation)
    attempts = Attempts()
    for body in (*_HOSTILE, *hostile_contents(parse_json(valid or b"null"))):
        with attempts.each():
            session.call(operation, _request(session, operation, body, media_type))
    return attempts.conclude()


def large_bodies_do_no_harm(session: Session, operation: Operation) -> int:
    """Check that the server accepts or refuses 5 MB of content, and responds to the next request as usual.

    A server may close the connection on it without reading it all (RFC 9110, section 15.5.14).
    """
    media_type, _ = taken(operation)
    if session.run.target.foreign:
        raise NotRun("5 MB are too much to send to a foreign server")
    valid, _ = session.valid_body(operation)
    text = b'{"mockserver_large": "' + b"x" * LARGE_BYTES + b'"}'
    blanks = b'{"mockserver_large":' + b" " * LARGE_BYTES + b"0}"
    attempts = Attempts()
    for body in (text, blanks):
        with attempts.each():
            session.offer(operation, _request(session, operation, body, media_type))
            session.call(operation, _request(session, operation, valid, media_type))
    return attempts.conclude()


def chunked_bodies_are_understood(session: Session, operation: Operation) -> int:
    """Check that content in chunks is accepted like the same content sent whole (RFC 9112, section 7.1)."""
    whole = session.valid_request(operation, _presumed_caller(session, operation))
    chunked = whole.with_field("Transfer-Encoding", "chunked")
    response = session.call(operation, chunked)
    # A crash, or no response, is the finding of another check. A server may refuse content without a length (411).
    if response.successful or response.status >= 500:
        return 1
    exchange = evidence(session, chunked, response)
    # Sent second: an item that the first request created could not be created again.
    plain = session.call(operation, whole)
    if not plain.successful:
        raise NotRun(f"the same content sent whole got {plain.status}")
    raise _failure(
        "chunked_bodies_are_understood",
        operation,
        "content sent in chunks is refused",
        expected=f"{plain.status}, as for the same content sent whole",
        got=str(response.status),
        exchange=exchange,
    )


def escaped_json_is_understood(session: Session, operation: Operation) -> int:
    """Check that JSON with letters written as escapes is accepted as without them (RFC 8259, sections 7 and 8.3)."""
    media_type, _ = taken(operation)
    valid, _ = session.valid_body(operation)
    escaped = _escaped(valid or b"")
    if escaped == valid:
        raise NoOccasion("its content has no texts")
    request = _request(session, operation, escaped, media_type)
    response = session.call(operation, request)
    if response.successful or response.status >= 500 or response.status in {401, 403, 429}:
        return 1
    exchange = evidence(session, request, response)
    plain = _usual_response(session, operation, "without escapes")
    raise _failure(
        "escaped_json_is_understood",
        operation,
        "JSON with escapes is refused",
        expected=f"{plain.status}, as for the same content without escapes",
        got=str(response.status),
        exchange=exchange,
    )


def _escaped(content: bytes) -> bytes:
    """Return a JSON text with the first letter of each of its texts, names of members included, as an escape."""
    try:
        value = parse_json(content)
    except ValueError:
        return content
    text = json.dumps(value)
    return re.sub(r'"([A-Za-z])', lambda found: f'"\\u{ord(found[1]):04x}', text).encode()


def whole_floats_are_integers(session: Session, operation: Operation) -> int:
    """Check that an integer with a fraction of zero, such as 280.0, is accepted as an integer (JSON Schema)."""
    media_type, content = taken(operation)
    valid, _ = session.valid_body(operation)
    value = parse_json(valid or b"null")
    changed = with_fractions(value)
    if same_json(changed, None) or repr(changed) == repr(value):
        raise NoOccasion("its content has no integers")
    if content.schema is None or not session.contract.validator(content.schema, "request").is_valid(changed):
        raise NoOccasion("no schema says that the numbers of its content are integers")
    request = session.request(
        operation, _caller(session, operation), body=json.dumps(changed).encode(), media_type=media_type
    )
    response = session.call(operation, request)
    if response.status in {401, 403, 429} or response.status >= 500:
        raise NotRun(f"it was answered with {response.status}")
    if response.successful:
        return 1
    exchange = evidence(session, request, response)
    _usual_response(session, operation, "without fractions")
    raise _failure(
        "whole_floats_are_integers",
        operation,
        "an integer with a fraction of zero is refused",
        expected="2xx, since the value is an integer in JSON Schema",
        got=str(response.status),
        exchange=exchange,
    )


def repeats_get_the_same_answer(
    session: Session, *, operation: Operation, resource: SettingResource | None = None
) -> int:
    """Check that twenty equal requests in a row get the same status code, and reads the same value."""
    if is_login(operation) and session.run.target.foreign:
        raise NotRun("twenty logins are too many for a foreign server")
    if resource is not None:
        _set(session, resource)
    request = session.valid_request(operation, session.run.allowed(operation))
    first: WireResponse | None = None
    other: tuple[int, WireResponse] | None = None  # twenty responses of megabytes each are not kept
    for number in range(1, REPEATS + 1):
        response = session.call(operation, request, login=is_login(operation))
        # A crash or a limit is the finding of another check.
        if response.status >= 500 or response.status == 429:
            raise NotRun(f"one of the calls was answered with {response.status}")
        first = first or (response if resource is not None else response.shortened())
        if other is None and not _same(resource, first, response):
            other = number, response.shortened()
    if first is not None and other is not None:
        raise CheckFailure(
            "repeats_get_the_same_answer",
            operation.label,
            "the same request gets different responses",
            expected=f"{first.status} each time" + (", with the same value" if resource else ""),
            got=f"{other[1].status} at the {other[0]}. time",
            pointer=operation.pointer,
            rule="contract",
            exchange=Exchange(request, other[1], history=tuple(session.history[-1:])),
        )
    return REPEATS


def answers_are_not_slow(session: Session, *, operation: Operation) -> int:
    """Check that the median response time of one operation is not far above that of the others."""
    timings = session.run.timings
    own = timings.get(operation.label, [])
    if len(own) < _MIN_ANSWERS:
        raise NoOccasion(f"fewer than {_MIN_ANSWERS} responses are too few to tell what is usual")
    others = [median(some) for label, some in timings.items() if label != operation.label and len(some) >= _MIN_ANSWERS]
    usual, own_usual = median(others) if others else 0.0, median(own)
    if own_usual > (max(SLOW_SECONDS, SLOWER * usual) if others else SLOW_ALONE_SECONDS):
        raise _failure(
            "answers_are_not_slow",
            operation,
            "its responses are slow",
            expected=f"about {usual:.2g} s, as other operations take"
            if others
            else f"{SLOW_ALONE_SECONDS:g} s at most",
            got=f"{own_usual:.2g} s (median)",
            exchange=None,
        )
    return len(own)


_BODY_CHECKS = (hostile_bodies_do_no_harm, large_bodies_do_no_harm, chunked_bodies_are_understood)


def _can_be_repeated(operation: Operation) -> bool:
    """Tell whether repeated calls of an operation should get the same response by the contract.

    Writes and resets have checks of their own, and an operation that ends credentials works only once.
    """
    return operation.effect != "credentials" and (operation.safe or is_login(operation))


def _set(session: Session, resource: SettingResource) -> None:
    """Write a value of a resource and wait until a read shows it, if writing is allowed."""
    with suppress(NotRun, CheckFailure):
        for value, response, _ in writes(session, resource, variants=(0,)):
            settle(session, resource, written(session.contract, resource, value, response))


def _same(resource: SettingResource | None, one: WireResponse, other: WireResponse) -> bool:
    if one.status != other.status:
        return False
    return resource is None or same_json(shown_by(resource, one), shown_by(resource, other))


def _caller(session: Session, operation: Operation) -> Identity | None:
    caller = session.run.allowed(operation)
    return session.login_for(operation, caller) if caller is not None and operation.effect == "credentials" else caller


def _presumed_caller(session: Session, operation: Operation) -> Identity | None:
    """Return the identity for a call that must succeed; on our own stub the one that the example presumes."""
    presumed = presumed_success(operation).identity if session.run.own else None
    caller = session.run.identities.named(presumed) if presumed else None
    return _caller(session, operation) if caller is None else caller


def _usual_response(session: Session, operation: Operation, otherwise: str) -> WireResponse:
    """Return the success of the usual request, with which one that was refused is compared.

    Raises:
        NotRun: it is refused, too; `otherwise` says what is different about it.
    """
    response = session.call(operation, session.valid_request(operation, _caller(session, operation)))
    if not response.successful:
        raise NotRun(f"{otherwise} it got {response.status}, too")
    return response


def _request(session: Session, operation: Operation, body: bytes | None, media_type: str) -> WireRequest:
    return session.request(operation, _caller(session, operation), body=body, media_type=media_type)


def _failure(
    check: str, operation: Operation, title: str, *, expected: str, got: str, exchange: Exchange | None
) -> CheckFailure:
    """Return the failure of a check about which the contract says nothing (drift at most)."""
    return failure(
        check,
        operation,
        title,
        expected=expected,
        got=got,
        pointer=operation.pointer,
        rule="silent",
        exchange=exchange,
    )
