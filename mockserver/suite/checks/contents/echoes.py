"""Checks of echoes: control characters in a value come back as they were sent, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.secrets.known_secrets import marked
from mockserver.suite.state.comparison import Likeness, likeness
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none, parse_json
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, describe

#: The field that a server sends if it writes a value into its head without looking at it.
INJECTED = "X-Mockserver-Injected"
_LINES = f"a\r\n{INJECTED}: yes\r\n\r\nb"
#: Texts with characters that programs in C, in shells and in protocols take for an end (RFC 8259, section 7).
_TEXTS = (_LINES, "a\x00b", "a\x01\x1b\x7fb", "a\tb\nc")
#: What a server may take away or make alike: blanks, kinds of line ends, invisible characters.
_INVISIBLE = dict.fromkeys((*range(33), 127))
#: So many members and parameters of one operation are tried.
_MOST = 3


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks for each selected operation that takes texts."""
    found: list[PlannedCheck] = []
    for operation in run.selected:
        if is_login(operation) or operation.effect == "credentials":
            continue
        if json_content_of(operation) is not None:
            found.append(
                on_operation(control_characters_come_back_as_sent, operation, ready=partial(set_up, seed=True))
            )
        if any(one.location in _places(operation) for one in operation.parameters):
            found.append(on_operation(values_do_not_become_fields, operation, ready=partial(set_up, seed=True)))
    return found


def _places(operation: Operation) -> frozenset[str]:
    """Return where parameters are tried; a write to an odd path may leave an item there that nobody can name."""
    return frozenset({"query", "path"} if operation.safe else {"query"})


def control_characters_come_back_as_sent(session: Session, operation: Operation) -> int:
    """Check that a text with control characters is refused, or comes back as it was sent, and not as a header field."""
    if (session.run.own or session.run.oracle) and operation.behaviour is None:
        raise NoOccasion("our stub answers it from examples, so that nothing that is sent comes back")
    caller = session.run.allowed(operation)
    body, media_type = session.valid_body(operation)
    usual = parse_json(body or b"null")
    trials = list(_contents(session, operation, usual))
    if not trials:
        raise NoOccasion("its content has no text that may hold control characters")
    attempts = Attempts()
    for name, value in trials:
        with attempts.each():
            request = session.request(operation, caller, body=json.dumps(value).encode(), media_type=media_type)
            response = session.call(operation, request)
            _refuse_injection(session, operation, "control_characters_come_back_as_sent", request, response)
            if response.successful:
                _judge_echo(operation, name, value[name], Exchange(request, response))
    return attempts.conclude()


def values_do_not_become_fields(session: Session, operation: Operation) -> int:
    """Check that line ends in a parameter's value do not become header fields of the response (RFC 9110, 5.5)."""
    caller = session.run.allowed(operation)
    usual = session.valid_request(operation, caller)
    attempts = Attempts()
    tried = 0
    for parameter in operation.parameters:
        if parameter.location not in _places(operation) or parameter.schema is None or tried == _MOST:
            continue
        if not session.contract.validator(parameter.schema, "request").is_valid(_LINES):
            continue
        tried += 1
        with attempts.each():
            request = session.request(
                operation,
                caller,
                body=usual.body,
                media_type=usual.field("Content-Type"),
                arguments={(parameter.location, parameter.name): _LINES},
            )
            response = session.call(operation, request)
            _refuse_injection(session, operation, "values_do_not_become_fields", request, response)
    if not tried:
        raise NoOccasion("none of its parameters may hold line ends")
    return attempts.conclude()


def _contents(session: Session, operation: Operation, usual: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield valid contents, each with the name of the member that holds control characters."""
    found = json_content_of(operation)
    if found is None or found[1].schema is None or not isinstance(usual, dict):
        return
    validator = session.contract.validator(found[1].schema, "request")
    hidden = {path[0] for path, _ in marked(session.contract, found[1].schema, "writeOnly") if path}
    members = [name for name, member in usual.items() if isinstance(member, str) and name not in hidden]
    for name in members[:_MOST]:
        for text in _TEXTS:
            changed = usual | {name: text}
            if validator.is_valid(changed):
                yield name, changed


def _refuse_injection(
    session: Session, operation: Operation, check: str, request: WireRequest, response: WireResponse
) -> None:
    """Raise a failure if a value that was sent is a header field of the response.

    Raises:
        CheckFailure: it is.
    """
    if response.field(INJECTED) is None:
        return
    raise CheckFailure(
        check,
        operation.label,
        "a value that was sent becomes a header field of the response",
        expected="no field that the request wrote (RFC 9110, section 5.5)",
        got=f"{INJECTED}: {response.field(INJECTED)}",
        pointer=operation.pointer,
        rule="universal",
        exchange=Exchange(request, response, history=tuple(session.history[-1:])),
    )


def _judge_echo(operation: Operation, name: str, sent: str, exchange: Exchange) -> None:
    """Raise a failure if a text comes back as another one.

    Raises:
        CheckFailure: it does: drift where only characters that nobody sees differ, since it is made alike then.
    """
    assert exchange.response is not None
    shown = next(_texts(json_or_none(exchange.response), name), None)
    if shown is None or shown == sent:
        return
    alike = shown.translate(_INVISIBLE) == sent.translate(_INVISIBLE)
    if not alike and likeness(sent, shown) is Likeness.ALIKE:
        return  # masked, or escaped in another way
    success = operation.success()
    raise CheckFailure(
        "control_characters_come_back_as_sent",
        operation.label,
        f"control characters in {name} {'are taken away' if alike else 'cost a part of the text'}",
        expected=f"{describe(sent)}, or a refusal",
        got=describe(shown),
        pointer=success.pointer if success is not None else operation.pointer,
        rule="silent" if alike else "contract",
        exchange=exchange,
    )


def _texts(value: Any, name: str, depth: int = 0) -> Iterator[str]:
    """Yield the texts of a member in a JSON value: at its top, or in the objects right below."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get(name), str):
        yield value[name]
    if depth < 2:
        for member in value.values():
            yield from _texts(member, name, depth + 1)
