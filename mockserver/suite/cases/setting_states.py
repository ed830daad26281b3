"""States of settings: what a resource must hold after a write or reset, and how reads are compared with that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Contract, DocumentedResponse, Operation
from mockserver.contract.resources.singletons import (
    READ,
    RESET,
    WRITE,
    envelope_place,
    name_members,
    shown_statuses,
    shows_value,
    singletons,
)
from mockserver.contract.source.references import follow
from mockserver.http.json import clip
from mockserver.http.media_types import json_content
from mockserver.http.pointers import child, lookup
from mockserver.suite.run.session import Session
from mockserver.suite.secrets.known_secrets import marked, values_at
from mockserver.suite.target.exchange import (
    Exchange,
    NotJSON,
    WireRequest,
    WireResponse,
    json_or_none,
    parse_json,
    same_json,
)
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule, describe

#: Status codes about the caller or the rate of requests, which tell nothing about the stored value.
_NOT_ABOUT_STATE = frozenset({401, 403, 429})
#: Placeholder for the value of a resource that was never set.
NEVER_SET = "never set"
#: How `shown_by` tells any other response than a success.
_STATUS = re.compile(r"status [0-9]{3}")


@dataclass(frozen=True, slots=True)
class SettingResource:
    """A resource that is written, read and reset, with its operations, from the contract's behaviour extension.

    Attributes:
        name: key of the resource, and its name in responses.
        unset: the documented response to a read before the first write, None if there is none.
        members: all member names that the schema allows; None if it allows any.
    """

    name: str
    read: Operation
    write: Operation
    reset: Operation | None
    unset: DocumentedResponse | None
    members: frozenset[str] | None = None

    def known(self, value: Any) -> Any:
        """Return a value without the members that the contract does not define."""
        if self.members is None or not isinstance(value, dict):
            return value
        return {name: member for name, member in value.items() if name in self.members}

    @property
    def generated(self) -> bool:
        """Whether the server generates the resource's value."""
        return self.write.behaviour is not None and self.write.behaviour.generated


def resources(contract: Contract) -> Iterator[SettingResource]:
    """Yield each resource of the contract that has at least a write and a read operation."""
    for name, operations in singletons(contract).items():
        if {READ, WRITE} <= operations.keys():
            reads, write = operations[READ], operations[WRITE]
            yield SettingResource(name, reads, write, operations.get(RESET), _unset(reads), _members(contract, write))


def _members(contract: Contract, write: Operation) -> frozenset[str] | None:
    """Return the member names of a resource's value, None if its schema allows additional ones."""
    content = write.request_body.content if write.request_body else {}
    found = json_content(content)
    schema = found[1].schema if found is not None else None
    raw = follow(contract.document.data, schema)[0] if schema is not None else None
    if not isinstance(raw, dict) or raw.get("additionalProperties") is not False:
        return None
    return frozenset(raw.get("properties") or ())


def shows(shown: Any, expected: Any) -> bool:
    """Tell whether a value that a read shows is the expected one, apart from additional members."""
    if isinstance(shown, dict) and isinstance(expected, dict):
        shown = {name: member for name, member in shown.items() if name in expected}
    return same_json(shown, expected)


def check_echo(contract: Contract, operation: Operation, sent: Any, response: WireResponse, exchange: Exchange) -> None:
    """Raise a CheckFailure if a write responds with other values than it was sent.

    Raises:
        CheckFailure: the values differ.
    """
    if not _is_readable(response) or not shows_value(operation):
        return  # unreadable content is the finding of body_is_what_its_content_type_says
    expected = expected_value(contract, operation, sent)
    shown = echoed(operation, json_or_none(response))
    if expected is None:
        return  # that it is accepted at all is the finding of another check
    if not shows(shown, expected):
        raise failure(
            "writes_echo_the_request",
            operation,
            "a write responds with other values than it was sent",
            expected=described(expected),
            got=described(shown),
            pointer=behaviour_pointer(operation),
            exchange=exchange,
        )


def check_name(contract: Contract, operation: Operation, response: WireResponse, exchange: Exchange) -> None:
    """Raise a CheckFailure if a response shows the name of another resource than its own.

    Raises:
        CheckFailure: the values differ.
    """
    behaviour = operation.behaviour
    around = envelope_place(operation)
    if behaviour is None or around is None or not response.successful or not response.body:
        return
    # Another shape is the finding of body_conforms_to_its_schema.
    shown = (holder for holder in values_at(json_or_none(response), around) if isinstance(holder, dict))
    names = name_members(contract, operation)
    named = [holder[name] for holder in shown for name in sorted(names & holder.keys())]
    if any(name != behaviour.resource for name in named):
        raise failure(
            "answers_name_the_resource",
            operation,
            "a response names another resource",
            expected=behaviour.resource,
            got=describe(next(name for name in named if name != behaviour.resource)),
            pointer=behaviour.pointer,
            exchange=exchange,
        )


def written(contract: Contract, resource: SettingResource, sent: Any, response: WireResponse) -> Any:
    """Return the value that a resource must hold after a write: the value sent, or the generated one.

    None if the response does not show the generated value.
    """
    if resource.generated:
        return echoed(resource.write, json_or_none(response))
    return expected_value(contract, resource.write, sent)


def expected_value(contract: Contract, operation: Operation, sent: Any) -> Any:
    """Return the members of a sent value that a setting must hold after a write, `writeOnly` and unknown ones apart.

    None if the value is invalid: what a server stores then is undefined.
    """
    content = operation.request_body.content if operation.request_body else {}
    found = json_content(content)
    schema = found[1].schema if found is not None else None
    if schema is not None:
        violations = list(contract.validator(schema, "request").violations(sent))
        if any(violation.instance_path or not violation.unknown for violation in violations):
            return None
        unknown = {name for violation in violations for name in violation.unknown}
        sent = {name: member for name, member in sent.items() if name not in unknown} if unknown else sent
    return strip_secrets(contract, operation, sent)


def expect_value(
    session: Session,
    resource: SettingResource,
    expected: Any,
    check: str,
    *,
    blame: Operation | None = None,
    settled: bool = False,
) -> None:
    """Read a resource until it shows an expected value, within `--settle`; raise a CheckFailure if it never does.

    Args:
        session: the session that reads.
        resource: the resource to read.
        expected: the value, or `NEVER_SET`.
        check: name of the check for the failure.
        blame: operation of the failure, if it is not the read.
        settled: whether the status in the read must also say that the change is finished.

    Raises:
        CheckFailure: the resource never shows the value; drift if its status says that the change is not finished.
        NotRun: the resource cannot be read, for reasons other than its state.
    """
    poller = session.run.poller
    for _ in poller.polls(resource.name, lags=_lags(resource)):
        response, request = read_resource(session, resource)
        if response.status in _NOT_ABOUT_STATE or response.status >= 500:
            raise NotRun(f"the read was answered with {response.status}")
        shown = shown_by(resource, response)
        if shows(shown, expected) and not (settled and _under_way(resource, response)):
            return
    if _lags(resource) and poller.spent:
        raise NotRun(f"changes show with a delay, and the run has already waited {poller.waited_seconds:.0f} s in all")
    rule: Rule = "silent" if _under_way(resource, response) else "contract"
    operation = blame or resource.read
    raise failure(
        check,
        operation,
        f"{resource.name} still shows a change in progress"
        if rule == "silent"
        else f"{resource.name} shows another value",
        expected=described(expected),
        got=described(shown),
        pointer=behaviour_pointer(operation if check == "writes_leave_others_alone" else resource.read),
        exchange=evidence(session, request, response),
        rule=rule,
    )


def settle(session: Session, resource: SettingResource, expected: Any) -> Any:
    """Return the value that a resource shows once it is the expected one, or when the time of `--settle` is over.

    A value that never shows is the finding of `reads_show_the_last_write`; later reads are compared with what shows.
    """
    shown: Any = None
    for _ in session.run.poller.polls(resource.name, lags=_lags(resource)):
        response, _request = read_resource(session, resource)
        shown = shown_by(resource, response)
        if expected is None or (shows(shown, expected) and not _under_way(resource, response)):
            break
    return shown


def strip_secrets(contract: Contract, operation: Operation, value: Any) -> Any:
    """Return a request value without its `writeOnly` members."""
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
    """Return the resource's value from the content of a response, None if it has none."""
    if operation.behaviour is None or not shows_value(operation):
        return None
    pointer = operation.behaviour.value
    try:
        return lookup(answer, pointer)
    except (LookupError, ValueError):
        return None


def _unset(read: Operation) -> DocumentedResponse | None:
    """Return the documented response to a read of a resource that was never set: another 2xx, or 404."""
    success = read.success()
    others = [response for key, response in read.responses.items() if key.startswith("2") and response is not success]
    return others[0] if others else read.responses.get("404")


def refused(operation: Operation, request: WireRequest, response: WireResponse) -> None:
    """Raise what the refusal of a valid write means: a CheckFailure, or NotRun after a server error.

    Raises:
        CheckFailure: the contract documents a success.
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
        got=f"{response.status} {clip(response.body.decode('utf-8', 'replace'))}",
        pointer=success.pointer if success else operation.pointer,
        rule="contract",
        exchange=Exchange(request, response),
    )


def read_resource(session: Session, resource: SettingResource) -> tuple[WireResponse, WireRequest]:
    """Return the response to a read of a resource, and the request."""
    request = session.valid_request(resource.read, session.run.allowed(resource.read))
    return session.call(resource.read, request), request


def reset(session: Session, resource: SettingResource) -> None:
    """Send the reset of a resource; raise a CheckFailure if the server refuses it.

    Raises:
        CheckFailure: the reset is refused.
        NotRun: no documented operation resets it, or the server failed.
    """
    if resource.reset is None:
        raise NotRun("no documented operation resets it")
    request = session.valid_request(resource.reset, session.run.allowed(resource.reset))
    response = session.call(resource.reset, request)
    if not response.successful:
        refused(resource.reset, request, response)


def shown_by(resource: SettingResource, response: WireResponse) -> Any:
    """Return the value that a read shows, `NEVER_SET`, or the status code as a text for any other response."""
    if resource.unset is not None and str(response.status) == resource.unset.status:
        return NEVER_SET
    return (
        resource.known(echoed(resource.read, json_or_none(response)))
        if response.successful
        else f"status {response.status}"
    )


def described(shown: Any) -> str:
    """Return the value that a read showed as text for a message: as JSON, or its status in words."""
    if isinstance(shown, str) and (shown == NEVER_SET or _STATUS.fullmatch(shown)):
        return shown
    return describe(shown, 300)


def _lags(resource: SettingResource) -> bool:
    """Tell whether responses of a resource show a status, so that changes may take effect with a delay."""
    return resource.read.behaviour is not None and bool(resource.read.behaviour.status)


def _under_way(resource: SettingResource, response: WireResponse) -> bool:
    """Tell whether the status in a read says that a change is not finished yet."""
    behaviour = resource.read.behaviour
    if behaviour is None or not behaviour.status or not response.successful:
        return False
    try:
        status = lookup(json_or_none(response), behaviour.status)
    except (LookupError, ValueError):
        return False
    return status in _transitions(resource)


def _transitions(resource: SettingResource) -> set[Any]:
    """Return the statuses that examples of writes and resets show and examples of reads do not."""
    under_way = {*shown_statuses(resource.write), *shown_statuses(resource.reset)}
    return under_way.difference(shown_statuses(resource.read))


def _is_readable(response: WireResponse) -> bool:
    try:
        response.json()
    except NotJSON:
        return False
    return True


def behaviour_pointer(operation: Operation) -> str:
    """Return the pointer of an operation's behaviour in the contract, else that of the operation."""
    return operation.behaviour.pointer if operation.behaviour else operation.pointer


def generated_pointer(operation: Operation) -> str:
    """Return the pointer of the statement in the contract that the server generates the value."""
    return child(behaviour_pointer(operation), "generated")


def evidence(session: Session, request: WireRequest, response: WireResponse) -> Exchange:
    """Return an exchange together with the last three exchanges before it."""
    return Exchange(request, response, history=tuple(session.history[-3:]))


def failure(
    check: str,
    operation: Operation,
    title: str,
    *,
    expected: str,
    got: str,
    pointer: str,
    exchange: Exchange | None,
    rule: Rule = "contract",
) -> CheckFailure:
    """Return the failure of a check on an operation."""
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


def writes(
    session: Session, resource: SettingResource, *, variants: tuple[int, ...] = (0, 2)
) -> Iterator[tuple[Any, WireResponse, WireRequest]]:
    """Write different valid values to a resource; yield each with its response and request.

    Raises:
        NotRun: the server failed.
        CheckFailure: a write was refused.
    """
    for variant in variants:
        request = session.valid_request(resource.write, session.run.allowed(resource.write), variant=variant)
        response = session.call(resource.write, request)
        if not response.successful:
            refused(resource.write, request, response)
        yield parse_json(request.body or b"null"), response, request
