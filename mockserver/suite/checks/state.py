"""Checks of state: the server keeps what writes and resets of a resource promise, and reads show it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.singletons import shows_value
from mockserver.http.media_types import json_content
from mockserver.suite.cases.sample_values import distinctive_values, invalid_values, variants
from mockserver.suite.cases.setting_states import (
    NEVER_SET,
    SettingResource,
    behaviour_pointer,
    check_echo,
    check_name,
    echoed,
    evidence,
    expect_value,
    failure,
    generated_pointer,
    read_resource,
    refused,
    reset,
    resources,
    settle,
    writes,
    written,
)
from mockserver.suite.checks.isolation import writes_leave_others_alone
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck
from mockserver.suite.identities.identities import asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import WireRequest, WireResponse, json_or_none, parse_json, same_json
from mockserver.suite.verdicts.failures import NotRun, describe

#: How often a write is repeated: enough to meet a fault that comes every twentieth time.
REPEATS = 20
#: How many invalid values are sent before a read shows whether one of them changed something.
_REJECTED = 12


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the state checks for each resource with a selected operation."""
    found: list[PlannedCheck] = []
    every = list(resources(run.contract))
    for resource in every:
        for check, about, needed in _plan(run, resource):
            operation = next((one for one in (about, *needed) if run.has_selected(one)), None)
            if operation is not None:
                make = partial(_make, check=check, needed=(about, *needed), resource=resource)
                found.append(PlannedCheck(check.__name__, operation.label, make))
        if len(every) > 1 and run.has_selected(resource.write):
            others = [other for other in every if other is not resource]
            leave_alone = partial(writes_leave_others_alone, resource=resource, others=others)
            found.append(PlannedCheck("writes_leave_others_alone", resource.write.label, leave_alone))
    return found


#: A check, the operation that it is about, and the other operations that it calls.
_Planned = tuple[Callable[..., int], Operation, tuple[Operation, ...]]


def _plan(run: Run, resource: SettingResource) -> Iterator[_Planned]:
    reads, write, reset_by = resource.read, resource.write, resource.reset
    yield answers_name_the_resource, write, ()
    yield reads_show_the_last_write, reads, (write,)
    yield reads_change_nothing, reads, (write,)
    yield writes_can_be_repeated, write, (reads,)
    yield rejected_writes_change_nothing, write, (reads,)
    if resource.generated or shows_value(write):
        yield generated_values_are_new if resource.generated else writes_echo_the_request, write, ()
    if any(write.security):
        yield refused_calls_change_nothing, reads, (write,)
    if resource.unset is not None:
        by = () if run.own or reset_by is None else (reset_by,)
        yield never_set_reads_as_documented, reads, by
    if reset_by is not None:
        yield resets_can_be_repeated, reset_by, (write,)
        if resource.unset is not None:
            yield resets_end_the_value, reset_by, (write, reads)


def _make(
    session: Session, *, check: Callable[..., int], needed: tuple[Operation, ...], resource: SettingResource
) -> int:
    session.run.need(*needed)
    return check(session, resource=resource)


def never_set_reads_as_documented(session: Session, *, resource: SettingResource) -> int:
    """Check that a read of a resource that was never set gets the response documented for that case."""
    assert resource.unset is not None
    if not session.run.own:
        reset(session, resource)
    if settle(session, resource, NEVER_SET) == NEVER_SET:
        return 1
    response, request = read_resource(session, resource)
    if str(response.status) != resource.unset.status:
        raise failure(
            "never_set_reads_as_documented",
            resource.read,
            "a setting that was never set shows another value than documented",
            expected=resource.unset.status,
            got=str(response.status),
            pointer=resource.unset.pointer,
            exchange=evidence(session, request, response),
        )
    return 1


def writes_echo_the_request(session: Session, *, resource: SettingResource) -> int:
    """Check that a write responds with the values it was sent (`writeOnly` apart), not trimmed, folded or swapped."""
    attempts = Attempts()
    with attempts.each(0):
        for value, response, request in _telling_writes(session, resource):
            with attempts.each():
                check_echo(session.contract, resource.write, value, response, evidence(session, request, response))
    return attempts.conclude()


def answers_name_the_resource(session: Session, *, resource: SettingResource) -> int:
    """Check that each response about a resource shows the name of that resource."""
    attempts = Attempts()
    for operation in (resource.write, resource.read, resource.reset):
        if operation is None or not session.run.has_selected(operation):
            continue
        with attempts.each():
            request = session.valid_request(operation, session.run.allowed(operation))
            response = session.call(operation, request)
            check_name(session.contract, operation, response, evidence(session, request, response))
    return attempts.conclude()


def reads_show_the_last_write(session: Session, *, resource: SettingResource) -> int:
    """Check that a read shows the value of the last write, also after a second write."""
    attempts = Attempts()
    with attempts.each(0):
        for value, response, _ in writes(session, resource):
            expected = written(session.contract, resource, value, response)
            if expected is None:
                continue  # a response that does not show the generated value is the finding of another check
            with attempts.each():
                expect_value(session, resource, expected, "reads_show_the_last_write", settled=True)
        for value, response, _ in _telling_writes(session, resource):
            # What is stored may be other than what is echoed: trimmed, clipped, cut.
            expected = written(session.contract, resource, value, response)
            with attempts.each():
                if expected is not None:
                    expect_value(session, resource, expected, "reads_show_the_last_write")
    return attempts.conclude()


def reads_change_nothing(session: Session, *, resource: SettingResource) -> int:
    """Check that a second read of a resource shows the same value as the first read."""
    for value, response, _ in writes(session, resource, variants=(0,)):
        shown = settle(session, resource, written(session.contract, resource, value, response))
        expect_value(session, resource, shown, "reads_change_nothing")
    return 1


def writes_can_be_repeated(session: Session, *, resource: SettingResource) -> int:
    """Check that twenty equal writes in a row get equal responses, and a read shows the value after each."""
    operation = resource.write
    for _ in writes(session, resource, variants=(2,)):
        request = session.valid_request(operation, session.run.allowed(operation))
    first: Any = None
    attempts = Attempts()
    for number in range(REPEATS):
        with attempts.each():
            first = _repeated(session, resource, request, number, first)
        if number == 0 and not attempts.cases:
            break  # a write that is refused has nothing that could be repeated
    return attempts.conclude()


def _repeated(session: Session, resource: SettingResource, request: WireRequest, number: int, first: Any) -> Any:
    """Send a write again, and return the value that its first response showed.

    Raises:
        CheckFailure: it is refused, responds with another value than at first, or the read does not show it.
    """
    operation = resource.write
    response = session.call(operation, request)
    if response.status >= 500 or response.status == 429 or (number == 0 and not response.successful):
        refused(operation, request, response)
    shown = resource.known(echoed(operation, json_or_none(response)))
    first = shown if number == 0 else first
    if not response.successful or not (resource.generated or same_json(shown, first)):
        # The documented success promises that a second write works, unless the contract documents a conflict.
        success = operation.success()
        refusal = success.pointer if success else operation.pointer
        raise failure(
            "writes_can_be_repeated",
            operation,
            "a write cannot be repeated" if not response.successful else "a repeated write gets another response",
            expected=f"the first response, with {describe(first, 200)}",
            got=f"{response.status} with {describe(shown, 200)}",
            pointer=behaviour_pointer(operation) if response.successful else refusal,
            exchange=evidence(session, request, response),
        )
    if number in {1, REPEATS - 1}:
        expected = written(session.contract, resource, parse_json(request.body or b"null"), response)
        if expected is not None:
            expect_value(session, resource, expected, "writes_can_be_repeated", blame=operation)
    return first


def rejected_writes_change_nothing(session: Session, *, resource: SettingResource) -> int:
    """Check that a write rejected for its content leaves the stored value unchanged."""
    before = _held(session, resource)
    rejected = 0
    for request in _rejectable(session, resource):
        response = session.call(resource.write, request)
        if response.successful:
            before = _held(session, resource)  # that it is accepted is the finding of another check
        else:
            rejected += 1
    if before is not None:
        expect_value(session, resource, before, "rejected_writes_change_nothing", blame=resource.write)
    return rejected


def refused_calls_change_nothing(session: Session, *, resource: SettingResource) -> int:
    """Check that a write or reset refused for missing credentials or a wrong level leaves the value unchanged."""
    before = _held(session, resource)
    attempts = Attempts()
    for operation in (resource.write, resource.reset):
        if operation is None or not session.run.has_selected(operation):
            continue
        if not asks_for_credentials(session.contract, operation):
            continue
        lower = [level for level in session.contract.levels if level not in (operation.levels or (level,))]
        callers = [None, *(session.run.identities.of_level(level) for level in lower)]
        for caller in callers:
            with attempts.each():
                response = session.call(operation, session.valid_request(operation, caller, variant=2))
                if response.successful:
                    before = _held(session, resource)  # that it is accepted is the finding of another check
        with attempts.each(0):
            if before is not None:
                expect_value(session, resource, before, "refused_calls_change_nothing", blame=operation)
        if attempts.broken:
            before = _held(session, resource)  # the next operation is not to blame for it
    return attempts.conclude()


def resets_can_be_repeated(session: Session, *, resource: SettingResource) -> int:
    """Check that a second reset in a row is accepted like the first one."""
    operation = resource.reset
    assert operation is not None
    for _ in writes(session, resource, variants=(0,)):
        reset(session, resource)
    request = session.valid_request(operation, session.run.allowed(operation))
    response = session.call(operation, request)
    success = operation.success()
    if not response.successful and response.status < 500:
        raise failure(
            "resets_can_be_repeated",
            operation,
            "a reset cannot be repeated",
            expected=success.status if success else "2xx",
            got=str(response.status),
            pointer=success.pointer if success else operation.pointer,
            exchange=evidence(session, request, response),
        )
    return 1


def resets_end_the_value(session: Session, *, resource: SettingResource) -> int:
    """Check that a read after a reset shows the resource as never set, and that it can be written again."""
    attempts = Attempts()
    with attempts.each(0):
        for value, response, _ in writes(session, resource):
            # What was written shows first: else a read that is late would show the state before it, and pass.
            settle(session, resource, written(session.contract, resource, value, response))
            reset(session, resource)
            with attempts.each():
                expect_value(session, resource, NEVER_SET, "resets_end_the_value", blame=resource.reset)
    for value, response, _ in writes(session, resource, variants=(0,)):
        expected = written(session.contract, resource, value, response)
        with attempts.each(0):
            if expected is not None:
                expect_value(session, resource, expected, "reads_show_the_last_write", settled=True)
    return attempts.conclude()


def generated_values_are_new(session: Session, *, resource: SettingResource) -> int:
    """Check that the server generates a new value for each request, even for equal requests."""
    seen: list[Any] = []
    for _ in range(3):
        request = session.valid_request(resource.write, session.run.allowed(resource.write))
        response = session.call(resource.write, request)
        if not response.successful:
            raise NotRun(f"the write was answered with {response.status}")
        value = echoed(resource.write, json_or_none(response))
        if value is not None and value in seen:
            raise failure(
                "generated_values_are_new",
                resource.write,
                "a generated value is not new",
                expected="another value for each request",
                got="a value that was generated before",
                pointer=generated_pointer(resource.write),
                exchange=evidence(session, request, response),
            )
        seen.append(value)
    return 3


def _telling_writes(session: Session, resource: SettingResource) -> Iterator[tuple[Any, WireResponse, WireRequest]]:
    """Write every example, and values that reveal how a server alters texts; yield those that were accepted.

    Refused values say nothing about echoes.
    """
    operation = resource.write
    caller = session.run.allowed(operation)
    media_type, schema = _json_schema(operation)
    if schema is None:
        yield from writes(session, resource)
        return
    every = variants(session.contract, schema)
    bodies = [session.valid_body(operation, variant=variant)[0] or b"" for variant in every]
    bodies += [
        json.dumps(value).encode() for value in distinctive_values(session.contract, schema, parse_json(bodies[0]))
    ]
    for body in dict.fromkeys(bodies):
        request = session.request(operation, caller, body=body, media_type=media_type)
        response = session.call(operation, request)
        if response.successful:
            yield parse_json(body), response, request


def _rejectable(session: Session, resource: SettingResource) -> Iterator[WireRequest]:
    """Yield write requests of a resource whose content breaks the contract."""
    operation = resource.write
    caller = session.run.allowed(operation)
    media_type, schema = _json_schema(operation)
    if schema is None:
        return
    body, _ = session.valid_body(operation, variant=2)
    values = [value for value, _ in invalid_values(session.contract, schema, parse_json(body or b"null"))]
    # Evenly over all that there are: wrong types come first, and members that break limits last.
    step = max(1, len(values) // _REJECTED)
    contents = [json.dumps(value).encode() for value in values[::step]]
    for content in (*contents, (body or b"")[:-1]):
        yield session.request(operation, caller, body=content, media_type=media_type)


def _held(session: Session, resource: SettingResource) -> Any:
    """Write a value and return what a read then shows, None if the response does not tell the stored value."""
    for value, response, _ in writes(session, resource, variants=(0,)):
        expected = written(session.contract, resource, value, response)
        shown = settle(session, resource, expected)
        return expected if expected is None else shown
    return None


def _json_schema(operation: Operation) -> tuple[str | None, str | None]:
    """Return media type and schema of an operation's JSON content, (None, None) if it takes no JSON."""
    content = operation.request_body.content if operation.request_body else {}
    found = json_content(content)
    return (None, None) if found is None else (found[0], found[1].schema)
