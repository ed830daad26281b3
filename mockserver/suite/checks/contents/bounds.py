"""Checks of values within the bounds of a schema: the ends, what lies between them, each value of an enumeration."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.http.pointers import child
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest, sent_json
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, Rule, describe

#: So many values of one operation are tried.
MOST_VALUES = 24
#: Longer texts and lists are not made up.
_LONGEST, _MOST_ITEMS = 2000, 50
#: Status codes by which a server refuses a value.
_REFUSED = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A value that a schema allows for one member or parameter.

    Attributes:
        name: of the member or parameter.
        pointer: of its schema.
        keyword: the keyword that bounds it, such as `enum` or `maximum`.
        value: the value.
    """

    name: str
    pointer: str
    keyword: str
    value: Any


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return a check for each selected operation that takes JSON content or has query parameters."""
    return [
        on_operation(values_within_the_bounds_are_accepted, operation, ready=partial(set_up, seed=True))
        for operation in run.selected
        if not is_login(operation) and operation.effect != "credentials" and _takes_values(operation)
    ]


def _takes_values(operation: Operation) -> bool:
    return json_content_of(operation) is not None or any(one.location == "query" for one in operation.parameters)


def values_within_the_bounds_are_accepted(session: Session, operation: Operation) -> int:
    """Check that values within documented bounds are accepted: the ends, between them, each of an enumeration.

    A refusal counts where the response blames that value alone, since a value may be refused for what stands beside it.
    """
    caller = session.run.allowed(operation)
    usual = session.valid_request(operation, caller)
    trials = list(_trials(session, operation, usual))[:MOST_VALUES]
    if not trials:
        raise NoOccasion("its contract sets no bounds")
    first = session.call(operation, usual)
    if not first.successful:
        raise NotRun(f"its usual request was answered with {first.status}")
    tried = []
    attempts = Attempts()
    for bounded, make in trials:
        with attempts.each(0):
            request = make()
            tried.append((bounded, Exchange(request, session.call(operation, request))))
    for bounded, exchange in tried:
        accepted = exchange.response is not None and exchange.response.status not in _REFUSED
        with attempts.each(int(accepted)):
            if not accepted:
                _judge(operation, bounded, tried, usual, exchange)
    if not attempts.conclude():
        raise NotRun("each value was refused, and no response says that it is the value")
    return attempts.cases


_Tried = list[tuple[_Bounded, Exchange]]


def _judge(operation: Operation, bounded: _Bounded, tried: _Tried, usual: WireRequest, refused: Exchange) -> None:
    """Raise the failure for a refused value, if the response says so and it cannot have been compared with another.

    Raises:
        CheckFailure: it is the value that was refused.
    """
    assert refused.response is not None
    said = refused.response.body.decode("utf-8", "replace")
    names = {other.name for other, _ in tried} | set(_members(usual))
    blamed = {name for name in names if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", said)}
    shown, status = describe(bounded.value, 40), refused.response.status
    inside = _is_number(bounded.value) and _is_between(bounded, tried)
    if not inside and (bounded.name not in blamed or _may_be_compared(bounded, tried, usual)):
        return
    # What can be asked of an item may depend on what the item is: `type=directory` of a file.
    of_item = bounded.keyword == "enum" and operation.safe and operation.path.rstrip("/").endswith("}")
    rule: Rule = "contract" if (inside or blamed == {bounded.name}) and not of_item else "silent"
    raise CheckFailure(
        "values_within_the_bounds_are_accepted",
        operation.label,
        f"a value of {bounded.name} that {bounded.keyword} allows is refused",
        expected="2xx, since the contract allows the value",
        got=f"{status} for {bounded.name}: {shown}",
        pointer=child(bounded.pointer, bounded.keyword),
        rule=rule,
        exchange=refused,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_between(bounded: _Bounded, tried: _Tried) -> bool:
    """Tell whether the server accepts both a smaller and a larger number of the same member."""
    accepted = [
        one.value
        for one, exchange in tried
        if one.name == bounded.name and exchange.response is not None and exchange.response.successful
    ]
    return any(value < bounded.value for value in accepted) and any(value > bounded.value for value in accepted)


def _may_be_compared(bounded: _Bounded, tried: _Tried, usual: WireRequest) -> bool:
    """Tell whether a request has another number, with which a server may compare a number: a begin and its end."""
    value = sent_json(usual)
    beside = [name for name, held in value.items() if _is_number(held)] if isinstance(value, dict) else []
    beside += [one.name for one, _ in tried if _is_number(one.value)]
    return _is_number(bounded.value) and any(name != bounded.name for name in beside)


def _trials(
    session: Session, operation: Operation, usual: WireRequest
) -> Iterator[tuple[_Bounded, Callable[[], WireRequest]]]:
    """Yield values to try, each with a function that makes the request for it."""
    contract, caller = session.contract, session.run.allowed(operation)
    found = json_content_of(operation)
    body = sent_json(usual)
    if found is not None and found[1].schema is not None and isinstance(body, dict):
        media_type, content = found
        assert content.schema is not None
        validator = contract.validator(content.schema, "request")
        meant, pointer = contract.schema(content.schema)
        properties = meant.get("properties") if isinstance(meant, dict) else None
        for name in properties if isinstance(properties, dict) else ():
            for bounded in _bounded(session, name, child(pointer, "properties", name), body.get(name)):
                changed = body | {name: bounded.value}
                if bounded.value != body.get(name) and validator.is_valid(changed):
                    content_of = json.dumps(changed).encode()
                    yield bounded, partial(session.request, operation, caller, body=content_of, media_type=media_type)
    for parameter in operation.parameters:
        if parameter.location != "query" or parameter.schema is None:
            continue
        validator = contract.validator(parameter.schema, "request")
        for bounded in _bounded(session, parameter.name, parameter.schema, None):
            if validator.is_valid(bounded.value) and not isinstance(bounded.value, list | dict):
                arguments = {("query", parameter.name): bounded.value}
                sent = usual.field("Content-Type")
                yield (
                    bounded,
                    partial(session.request, operation, caller, body=usual.body, media_type=sent, arguments=arguments),
                )


def _bounded(session: Session, name: str, pointer: str, usual: Any) -> Iterator[_Bounded]:
    """Yield values of a schema by each keyword that bounds it."""
    meant, place = session.contract.schema(pointer)
    if not isinstance(meant, dict):
        return
    if isinstance(meant.get("enum"), list):
        yield from (_Bounded(name, place, "enum", value) for value in meant["enum"][:12])
        return
    if meant.get("pattern") or meant.get("format") in {"date", "date-time", "uuid", "uri", "email", "ipv4", "ipv6"}:
        return  # a text of another length is no value of it
    kinds = meant.get("type")
    kind = kinds if isinstance(kinds, str) else next(iter(kinds or ()), None)
    if kind in {"integer", "number"}:
        yield from (
            _Bounded(name, place, keyword, value) for keyword, value in _numbers(meant, whole=kind == "integer")
        )
    elif kind == "string" and not meant.get("format"):
        for keyword, length in _sizes(meant, "minLength", "maxLength", _LONGEST):
            yield _Bounded(name, place, keyword, _text(usual, length))
    elif kind == "array" and isinstance(usual, list) and usual and not meant.get("uniqueItems"):
        for keyword, size in _sizes(meant, "minItems", "maxItems", _MOST_ITEMS):
            yield _Bounded(name, place, keyword, (usual * (size // len(usual) + 1))[:size])


def _numbers(meant: dict[str, Any], *, whole: bool) -> Iterator[tuple[str, Any]]:
    """Yield keyword and value: the ends of a range, its middle, and a third of it."""
    step = meant.get("multipleOf", 1 if whole else None)
    low = meant.get("minimum", meant.get("exclusiveMinimum"))
    high = meant.get("maximum", meant.get("exclusiveMaximum"))
    if low is None or high is None:
        return
    lowest = "minimum" if "minimum" in meant else "exclusiveMinimum"
    highest = "maximum" if "maximum" in meant else "exclusiveMaximum"
    inner = step if step else (high - low) / 1000
    if lowest == "exclusiveMinimum":
        low += inner
    if highest == "exclusiveMaximum":
        high -= inner
    for keyword, value in (
        (lowest, low),
        (highest, high),
        (highest, low + (high - low) / 2),
        (lowest, low + (high - low) / 3),
    ):
        if step:
            value = value // step * step if value // step * step >= low else low
        yield keyword, int(value) if whole or value == int(value) else value


def _sizes(meant: dict[str, Any], least: str, most: str, limit: int) -> Iterator[tuple[str, int]]:
    """Yield keyword and size: the ends, and one between them; only where the contract sets an upper end."""
    low, high = meant.get(least, 0), meant.get(most)
    if not isinstance(high, int) or not isinstance(low, int) or high < low:
        return
    if least in meant:
        yield least, low
    if high <= limit:
        yield most, high
    yield most, min((low + high + 1) // 2, limit)


def _text(usual: Any, length: int) -> str:
    """Return a text of a length that begins like a usual one, and has no blanks at its ends."""
    begins = usual if isinstance(usual, str) else "sample"
    return begins[:length].strip().ljust(length, "x")


def _members(request: WireRequest) -> list[str]:
    value = sent_json(request)
    return [str(name) for name in value] if isinstance(value, dict) else []
