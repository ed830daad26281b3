"""Claims about what a server remembers: writes, reads and resets of a resource."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from mockserver.contract.model import Contract, Operation, Response
from mockserver.contract.references import lookup
from mockserver.suite.checks.task import Task
from mockserver.suite.exchanges import Exchange, NotJSON, WireRequest, WireResponse, parse_json, same_json
from mockserver.suite.samples import telling
from mockserver.suite.secrecy import marked
from mockserver.suite.session import Run, Session
from mockserver.suite.verdicts import CheckFailure, NotRun, Rule, describe

#: Pause between two reads that wait for a change to settle.
POLL_SECONDS = 0.2
#: After so many changes that did not settle in time the run does not wait for others: this server does not.
MAX_UNSETTLED = 2
#: Answers to who asks or how often; with a failure of the server they tell nothing about what it remembers.
_NOT_ABOUT_STATE = frozenset({401, 403, 429})
#: A read's answer: the resource was never set.
NEVER_SET = "never set"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that is written, read and reset; from the contract's `x-mockserver-behaviour`.

    Attributes:
        name: its key, and the name that answers give it.
        unset: what a read answers where there is nothing, None if the contract does not say.
    """

    name: str
    read: Operation
    write: Operation
    reset: Operation | None
    unset: Response | None

    @property
    def generated(self) -> bool:
        """Whether the server makes the value."""
        return self.write.behaviour is not None and self.write.behaviour.generated


def resources(contract: Contract) -> Iterator[Resource]:
    """Yield every resource that can at least be written and read."""
    roles: dict[str, dict[str, Operation]] = {}
    for operation in contract.operations:
        behaviour = operation.behaviour
        if behaviour is not None and behaviour.resource and behaviour.role in {"read", "write", "reset"}:
            roles.setdefault(behaviour.resource, {})[behaviour.role] = operation
    for name, operations in roles.items():
        if {"read", "write"} <= operations.keys():
            read = operations["read"]
            yield Resource(name, read, operations["write"], operations.get("reset"), _unset(read))


def tasks(run: Run) -> list[Task]:
    """Return the claims for each resource with an operation that the run is about."""
    found: list[Task] = []
    every = list(resources(run.contract))
    for resource in every:
        of_it = [resource.read, resource.write, resource.reset]
        if not any(operation is not None and run.has_selected(operation) for operation in of_it):
            continue
        plan = [(answers_name_the_resource, resource.write), (reads_show_the_last_write, resource.read)]
        if resource.unset is not None:
            plan.append((never_set_reads_as_documented, resource.read))
        if resource.generated:
            plan.append((generated_values_are_new, resource.write))
        else:
            plan.append((writes_echo_the_request, resource.write))
        if resource.reset is not None and resource.unset is not None:
            plan.append((resets_end_the_value, resource.reset))
        found += [Task(check.__name__, operation.label, partial(check, resource=resource)) for check, operation in plan]
        if len(every) > 1:
            others = [other for other in every if other is not resource]
            check = partial(writes_leave_others_alone, resource=resource, others=others)
            found.append(Task("writes_leave_others_alone", resource.write.label, check))
    return found


def never_set_reads_as_documented(session: Session, *, resource: Resource) -> int:
    """What was never set reads as documented for that."""
    assert resource.unset is not None
    if not session.run.own:
        _reset(session, resource)
    response, request = _read(session, resource)
    if str(response.status) != resource.unset.status:
        raise _failure(
            "never_set_reads_as_documented",
            resource.read,
            "what was never set reads otherwise than documented",
            expected=resource.unset.status,
            got=str(response.status),
            pointer=resource.unset.pointer,
            exchange=_evidence(session, request, response),
        )
    return 1


def writes_echo_the_request(session: Session, *, resource: Resource) -> int:
    """A write answers with the values it was sent, `writeOnly` ones apart: not trimmed, folded or swapped."""
    cases = 0
    for value, response, request in chain(_writes(session, resource), _telling_writes(session, resource)):
        check_echo(session.contract, resource.write, value, response, _evidence(session, request, response))
        cases += 1
    return cases


def check_echo(contract: Contract, operation: Operation, sent: Any, response: WireResponse, exchange: Exchange) -> None:
    """Compare what a write answered with what it was sent.

    Raises:
        CheckFailure: they differ.
    """
    if not _is_readable(response):
        return  # the finding of body_is_what_its_content_type_says
    expected = strip_secrets(contract, operation, sent)
    shown = echoed(operation, _json(response))
    if not same_json(shown, expected):
        raise _failure(
            "writes_echo_the_request",
            operation,
            "a write answers with other values than it was sent",
            expected=describe(expected, 300),
            got=describe(shown, 300),
            pointer=_behaviour_pointer(operation),
            exchange=exchange,
        )


def answers_name_the_resource(session: Session, *, resource: Resource) -> int:
    """Every answer about a resource calls it by its name."""
    cases = 0
    for operation in (resource.write, resource.read, resource.reset):
        if operation is None:
            continue
        request = session.valid_request(operation, session.run.allowed(operation))
        response = session.call(operation, request)
        check_name(operation, response, _evidence(session, request, response))
        cases += 1
    return cases


def check_name(operation: Operation, response: WireResponse, exchange: Exchange) -> None:
    """Compare the name in an answer, where it has one beside its value or status, with the resource's.

    Raises:
        CheckFailure: they differ.
    """
    behaviour = operation.behaviour
    if behaviour is None or not response.successful or not response.body:
        return
    place = (behaviour.value or behaviour.status).rpartition("/")[0]
    try:
        holder = lookup(_json(response), place)
    except (LookupError, ValueError):
        return  # another shape is the finding of body_conforms_to_its_schema
    if isinstance(holder, dict) and "name" in holder and holder["name"] != behaviour.resource:
        raise _failure(
            "answers_name_the_resource",
            operation,
            "an answer names another resource",
            expected=behaviour.resource,
            got=describe(holder["name"]),
            pointer=behaviour.pointer,
            exchange=exchange,
        )


def reads_show_the_last_write(session: Session, *, resource: Resource) -> int:
    """A read shows what was written last, again after another write."""
    cases = 0
    for value, response, _ in _writes(session, resource):
        expected = written(session.contract, resource, value, response)
        if expected is None:
            continue  # an answer that does not show what it made is the finding of others
        expect_value(session, resource, expected, "reads_show_the_last_write")
        cases += 1
    return cases


def resets_end_the_value(session: Session, *, resource: Resource) -> int:
    """After a reset a read shows what it shows of a resource that was never set, and a write works again."""
    cases = 0
    for _ in _writes(session, resource):
        _reset(session, resource)
        expect_value(session, resource, NEVER_SET, "resets_end_the_value")
        cases += 1
    return cases


def writes_leave_others_alone(session: Session, *, resource: Resource, others: list[Resource]) -> int:
    """A write and a reset of one resource do not change what another one reads."""
    before = {}
    for other in others:
        for _ in _writes(session, other, variants=(0,)):
            before[other.name] = shown_by(other, _read(session, other)[0])
    for _ in _writes(session, resource):
        _expect_unchanged(session, before, others, resource)
    if resource.reset is not None:
        _reset(session, resource)
        _expect_unchanged(session, before, others, resource)
    return len(others)


def _expect_unchanged(
    session: Session, before: Mapping[str, Any], others: Iterable[Resource], changed: Resource
) -> None:
    for other in others:
        expect_value(session, other, before[other.name], "writes_leave_others_alone", blame=changed.write)


def written(contract: Contract, resource: Resource, sent: Any, response: WireResponse) -> Any:
    """Return what a resource holds after a write: what was sent, or what the server says that it made.

    None where it does not say so.
    """
    if resource.generated:
        return echoed(resource.write, _json(response))
    return strip_secrets(contract, resource.write, sent)


def generated_values_are_new(session: Session, *, resource: Resource) -> int:
    """A value that the server makes is another one each time, also for the same request."""
    seen: list[Any] = []
    for _ in range(3):
        request = session.valid_request(resource.write, session.run.allowed(resource.write))
        response = session.call(resource.write, request)
        if not response.successful:
            raise NotRun(f"the write was answered with {response.status}")
        value = echoed(resource.write, _json(response))
        if value is not None and value in seen:
            raise _failure(
                "generated_values_are_new",
                resource.write,
                "a value that the server makes is not new",
                expected="another value for each request",
                got="a value that was given out before",
                pointer=_behaviour_pointer(resource.write),
                exchange=_evidence(session, request, response),
            )
        seen.append(value)
    return 3


def expect_value(
    session: Session,
    resource: Resource,
    expected: Any,
    check: str,
    *,
    blame: Operation | None = None,
) -> None:
    """Read a resource until it shows a value, at most for as long as a documented transition may last.

    Raises:
        CheckFailure: it never does; drift where the server still says that it is under way.
        NotRun: it cannot be read, whatever it holds.
    """
    patient = _lags(resource) and session.run.unsettled < MAX_UNSETTLED
    deadline = time.monotonic() + (session.run.settle_seconds if patient else 0.0)
    while True:
        response, request = _read(session, resource)
        if response.status in _NOT_ABOUT_STATE or response.status >= 500:
            raise NotRun(f"the read was answered with {response.status}")
        shown = shown_by(resource, response)
        if same_json(shown, expected):
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(POLL_SECONDS)
    session.run.unsettled += 1
    rule: Rule = "silent" if _under_way(resource, response) else "contract"
    operation = blame or resource.read
    raise _failure(
        check,
        operation,
        f"{resource.name} still reads as under way" if rule == "silent" else f"{resource.name} reads otherwise",
        expected=describe(expected, 300),
        got=describe(shown, 300),
        pointer=_behaviour_pointer(operation if check == "writes_leave_others_alone" else resource.read),
        exchange=_evidence(session, request, response),
        rule=rule,
    )


def strip_secrets(contract: Contract, operation: Operation, value: Any) -> Any:
    """Return the value of a request without its `writeOnly` members."""
    if not isinstance(value, dict) or operation.request_body is None:
        return value
    hidden = {
        path[0]
        for content in operation.request_body.content.values()
        for path, _ in marked(contract, content.schema, "writeOnly")
        if len(path) == 1
    }
    return {name: member for name, member in value.items() if name not in hidden}


def echoed(operation: Operation, answer: Any) -> Any:
    """Return the resource's value in an answer, None where it has none."""
    pointer = operation.behaviour.value if operation.behaviour else ""
    try:
        return lookup(answer, pointer)
    except (LookupError, ValueError):
        return None


def _unset(read: Operation) -> Response | None:
    """Return what a read answers where there is nothing: another 2xx than with a value, or 404."""
    success = read.success()
    others = [response for key, response in read.responses.items() if key.startswith("2") and response is not success]
    return others[0] if others else read.responses.get("404")


def _writes(
    session: Session, resource: Resource, *, variants: tuple[int, ...] = (0, 2)
) -> Iterator[tuple[Any, WireResponse, WireRequest]]:
    """Write different values that the contract allows; yield each with its answer.

    Raises:
        NotRun: a write was not accepted; that valid requests are is the claim of others.
    """
    for variant in variants:
        request = session.valid_request(resource.write, session.run.allowed(resource.write), variant=variant)
        response = session.call(resource.write, request)
        if not response.successful:
            _refused(resource.write, request, response)
        yield parse_json(request.body or b"null"), response, request


def _telling_writes(session: Session, resource: Resource) -> Iterator[tuple[Any, WireResponse, WireRequest]]:
    """Write values that show what a server does to texts: those that it refuses tell nothing."""
    operation = resource.write
    body, media_type = session.valid_body(operation)
    content = operation.request_body.content[media_type] if operation.request_body and media_type else None
    if content is None or content.schema is None:
        return
    for value in telling(session.contract, content.schema, parse_json(body or b"null")):
        caller = session.run.allowed(operation)
        request = session.request(operation, caller, body=json.dumps(value).encode(), media_type=media_type)
        response = session.call(operation, request)
        if response.successful:
            yield value, response, request


def _refused(operation: Operation, request: WireRequest, response: WireResponse) -> None:
    """Raise what a refusal of a valid write amounts to.

    Raises:
        CheckFailure: the contract promises that it is accepted.
        NotRun: the server failed, which another check reports.
    """
    if response.status >= 500 or response.status == 429:
        raise NotRun(f"the write was answered with {response.status}")
    success = operation.success()
    raise CheckFailure(
        "valid_writes_are_accepted",
        operation.label,
        f"a valid write is refused with {response.status}",
        expected=success.status if success else "2xx",
        got=f"{response.status} {describe(response.body.decode('utf-8', 'replace'))}",
        pointer=success.pointer if success else operation.pointer,
        rule="contract",
        exchange=Exchange(request, response),
    )


def _read(session: Session, resource: Resource) -> tuple[WireResponse, WireRequest]:
    request = session.valid_request(resource.read, session.run.allowed(resource.read))
    return session.call(resource.read, request), request


def _reset(session: Session, resource: Resource) -> None:
    if resource.reset is None:
        raise NotRun("nothing documented resets it")
    request = session.valid_request(resource.reset, session.run.allowed(resource.reset))
    response = session.call(resource.reset, request)
    if not response.successful:
        _refused(resource.reset, request, response)


def shown_by(resource: Resource, response: WireResponse) -> Any:
    """Return the value that a read shows, `NEVER_SET`, or the status for whatever else it is."""
    if resource.unset is not None and str(response.status) == resource.unset.status:
        return NEVER_SET
    return echoed(resource.read, _json(response)) if response.successful else f"status {response.status}"


def _lags(resource: Resource) -> bool:
    """Tell whether answers show a status, so that a change may take its time."""
    return resource.read.behaviour is not None and bool(resource.read.behaviour.status)


def _under_way(resource: Resource, response: WireResponse) -> bool:
    """Tell whether a read says that a change is still under way, as a write or a reset answers."""
    behaviour = resource.read.behaviour
    if behaviour is None or not behaviour.status or not response.successful:
        return False
    try:
        status = lookup(_json(response), behaviour.status)
    except (LookupError, ValueError):
        return False
    return status in _transitions(resource)


def _transitions(resource: Resource) -> set[Any]:
    """Return the statuses that the examples of writes and resets show, and those of reads do not."""

    def shown(operation: Operation | None) -> set[Any]:
        found = set()
        if operation is not None and operation.behaviour is not None and operation.behaviour.status:
            for response in operation.responses.values():
                for content in response.content.values():
                    for example in content.examples.values():
                        try:
                            found.add(lookup(example.value, operation.behaviour.status))
                        except (LookupError, ValueError, TypeError):
                            continue
        return found

    return (shown(resource.write) | shown(resource.reset)) - shown(resource.read)


def _is_readable(response: WireResponse) -> bool:
    try:
        response.json()
    except NotJSON:
        return False
    return True


def _json(response: WireResponse) -> Any:
    try:
        return response.json()
    except NotJSON:
        return None


def _behaviour_pointer(operation: Operation) -> str:
    return operation.behaviour.pointer if operation.behaviour else operation.pointer


def _evidence(session: Session, request: WireRequest, response: WireResponse) -> Exchange:
    return Exchange(request, response, history=tuple(session.history[-3:]))


def _failure(
    check: str,
    operation: Operation,
    title: str,
    *,
    expected: str,
    got: str,
    pointer: str,
    exchange: Exchange,
    rule: Rule = "contract",
) -> CheckFailure:
    return CheckFailure(
        check,
        operation.label,
        title,
        expected=expected,
        got=got,
        pointer=pointer,
        rule=rule,
        exchange=exchange,
    )
