"""Checks of parameters: a value that the contract does not allow is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import unquote_plus

from mockserver.contract.model import Operation, Parameter
from mockserver.contract.roles import is_login
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.json import clip
from mockserver.http.pointers import child
from mockserver.suite.cases.expectations import shortcoming
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.request_kinds import kind_of_violation
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest
from mockserver.suite.target.paths import fill, query_parts, read_off, readings
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, Rule

_CHECK = "parameters_that_break_the_schema_are_refused"
#: So many wrong requests are sent for one operation.
_MOST = 24
#: A text that is no number, no truth value, and in no enumeration.
_WRONG = "mockserver_undocumented"
_LONGEST = 2000
#: Fields that HTTP itself reads, whose parameters count for nothing (OpenAPI 3.1, section 4.8.12.1).
_OF_HTTP = frozenset({"accept", "content-type", "authorization"})
#: Keywords whose wrong texts a server may take on purpose: it need not know the form.
_OF_FORM = frozenset({"format", "pattern"})


@dataclass(frozen=True, slots=True)
class _Broken:
    """A request with one wrong parameter.

    Attributes:
        parameter: that is wrong, or missing.
        keyword: the keyword that is broken.
        pointer: of the keyword.
        shown: what is wrong about it, in words.
        kind: the same, without its value.
    """

    parameter: Parameter
    keyword: str
    pointer: str
    shown: str
    kind: str
    request: WireRequest


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return a check for each selected operation with parameters, but for deletions: one that succeeds ends an item."""
    return [
        on_operation(parameters_that_break_the_schema_are_refused, operation, ready=partial(set_up, seed=True))
        for operation in run.selected
        if operation.method != "DELETE"
        and not is_login(operation)
        and operation.effect != "credentials"
        and any(_is_judged(operation, one) for one in operation.parameters)
    ]


def _is_judged(operation: Operation, parameter: Parameter) -> bool:
    """Tell whether a parameter is broken: one of the path for reads only, since others may be somebody's item."""
    if parameter.schema is None:
        return False
    if parameter.location == "path":
        return operation.safe
    return parameter.location == "query" or (parameter.location == "header" and parameter.name.lower() not in _OF_HTTP)


def parameters_that_break_the_schema_are_refused(session: Session, operation: Operation) -> int:
    """Check that a parameter of another type, beyond its limits, not listed, or missing is refused.

    Any response but a success is a refusal. A success weighs by the broken keyword where the operation documents how
    a wrong request is refused, and is silent elsewhere: many servers take what they understand of a query.
    """
    caller = session.run.allowed(operation)
    usual = session.valid_request(operation, caller)
    broken = list(_broken(session, operation, usual))[:_MOST]
    if not broken:
        raise NoOccasion("any text is a value of its parameters")
    first = session.call(operation, usual)
    if not first.successful:
        raise NotRun(f"its usual request was answered with {first.status}")
    refusals = operation.responses.keys() & {"400", "422", "4XX"}
    attempts = Attempts()
    for one in broken:
        with attempts.each():
            response = session.call(operation, one.request)
            if response.status == 401 and operation.security:
                raise NotRun("its credentials were refused, so its parameters were not judged")
            if response.successful:
                in_path = one.parameter.location == "path" and "404" in operation.responses
                rule: Rule = "contract" if refusals or in_path else "silent"
                missing = one.keyword == "required"
                raise CheckFailure(
                    _CHECK,
                    operation.label,
                    f"accepted a request without {one.parameter.name}, which is required"
                    if missing
                    else f"accepted a value of {one.parameter.name} that breaks {one.keyword}",
                    expected="a rejection (400 or 422, 404 for the path)",
                    got=f"{response.status} for {one.shown}",
                    pointer=one.pointer,
                    rule=rule,
                    exchange=Exchange(one.request, response),
                    cause=f"parameters with {one.kind} are accepted",
                )
    return attempts.conclude()


def _broken(session: Session, operation: Operation, usual: WireRequest) -> Iterator[_Broken]:
    """Yield requests that are like the usual one, but for one wrong parameter."""
    always = {name.lower() for name, _ in session.run.identities.always}
    for parameter in operation.parameters:
        if not _is_judged(operation, parameter):
            continue
        if parameter.location == "header" and parameter.name.lower() in always:
            continue
        if parameter.required and parameter.location != "path":
            without = _without(parameter, usual)
            if without != usual:
                place = child(parameter.pointer, "required")
                yield _Broken(parameter, "required", place, f"no {parameter.name}", "one missing", without)
        seen: set[str] = set()
        for text, violation in _wrong_texts(session, parameter):
            if violation.keyword in seen or violation.keyword in _OF_FORM:
                continue
            seen.add(violation.keyword)
            shown = f"{parameter.name}: {clip(shortcoming(violation), 60)}"
            request = _with(operation, parameter, usual, text)
            yield _Broken(
                parameter, violation.keyword, violation.keyword_pointer, shown, kind_of_violation(violation), request
            )


def _wrong_texts(session: Session, parameter: Parameter) -> Iterator[tuple[str, SchemaViolation]]:
    """Yield texts that are no value of a parameter, however they are read, each with the keyword that says so."""
    assert parameter.schema is not None
    validator = session.contract.validator(parameter.schema, "request")
    meant, pointer = session.contract.schema(parameter.schema)
    if isinstance(meant, dict) and ("object" in (meant.get("type") or ()) or "properties" in meant):
        return  # its members stand in parameters of their own, as `filter[year]`: a text beside them is another one
    is_list = isinstance(meant, dict) and "array" in (meant.get("type") or ())
    for text in (_WRONG, *_beyond_limits(session, meant, pointer)):
        read: list[Any] = [[one] for one in readings(text)] if is_list else readings(text)
        # The reading as the schema means it says best what is wrong.
        told = [tuple(validator.violations(one)) for one in reversed(read)]
        if all(told):
            limits = (found[0] for found in told if found[0].keyword != "type")
            yield text, next(limits, told[-1][0])


def _beyond_limits(session: Session, meant: Any, pointer: str) -> Iterator[str]:
    if not isinstance(meant, dict):
        return
    for keyword in ("anyOf", "oneOf"):
        for number, _ in enumerate(meant.get(keyword) or ()):
            yield from _beyond_limits(session, *session.contract.schema(child(pointer, keyword, str(number))))
    if isinstance(meant.get("minimum"), int):
        yield str(meant["minimum"] - 1)
    if isinstance(meant.get("maximum"), int):
        yield str(meant["maximum"] + 1)
    if isinstance(meant.get("maxLength"), int) and meant["maxLength"] < _LONGEST:
        yield "x" * (meant["maxLength"] + 1)


def _without(parameter: Parameter, usual: WireRequest) -> WireRequest:
    if parameter.location == "header":
        kept = tuple((name, value) for name, value in usual.fields if name.lower() != parameter.name.lower())
        return replace(usual, fields=kept)
    path, _, query = usual.path.partition("?")
    parts = [one for one in query.split("&") if one and _name(one) != parameter.name]
    return replace(usual, path=f"{path}?{'&'.join(parts)}" if parts else path)


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _with(operation: Operation, parameter: Parameter, usual: WireRequest, text: str) -> WireRequest:
    """Return the usual request with a text as the value of a parameter; no character of it needs an encoding."""
    if parameter.location == "header":
        return usual.with_field(parameter.name, text)
    path, question, query = usual.path.partition("?")
    if parameter.location == "query":
        path, question, query = _without(parameter, usual).path.partition("?")
        parts = [one for one in query.split("&") if one]
        return replace(usual, path=f"{path}?{'&'.join([*parts, *query_parts(parameter.name, text)])}")
    values = {**read_off(operation.path, path), parameter.name: text}
    return replace(usual, path=f"{fill(operation, values)}{question}{query}")
