"""Checks of creations: where `Location` leads, what becomes of accepted work, and unique values sent at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

from mockserver.contract.model import Operation
from mockserver.contract.resources.shapes import json_content
from mockserver.contract.roles import is_login
from mockserver.contract.source.references import follow
from mockserver.http.pointers import child
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.checks.planned_check import PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.items import Items
from mockserver.suite.target.exchange import GONE, Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

#: So many creations with one value are sent at once.
AT_ONCE = 8
_CREATED, _ACCEPTED, _CONFLICT = 201, 202, 409
#: Members that tell how far accepted work has come, and what they say at its end.
_STATUS = re.compile(r"(?:.*_)?(?:status|state|phase)|.*(?:Status|State|Phase)")
_ENDED = re.compile(r"done|complete|finish|succe|fail|error|cancel|abort|expired|ready|active", re.IGNORECASE)


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks of each selected operation that creates something, as its documented responses say."""
    found = []
    for operation in run.selected:
        if operation.method != "POST" or is_login(operation) or operation.effect == "credentials":
            continue
        checks = (
            (_CREATED, locations_lead_to_what_was_created),
            (_ACCEPTED, accepted_work_is_not_lost),
            (_CONFLICT, unique_values_are_given_once),
        )
        found += [
            on_operation(check, operation, ready=partial(set_up, seed=True))
            for status, check in checks
            if str(status) in operation.responses and (status != _CONFLICT or operation.request_body is not None)
        ]
    return found


def locations_lead_to_what_was_created(session: Session, operation: Operation) -> int:
    """Check that the `Location` of a 201 leads to what was created (RFC 9110, sections 10.2.2 and 15.3.2)."""
    created = _created(session, operation, _CREATED)
    location, read, reading = _led_to(session, operation, created)
    status = 0
    for _ in session.run.poller.polls(f"Location of {operation.label}"):
        answer = session.probe(operation.label, reading).response if read is None else session.call(read, reading)
        status = answer.status if answer is not None else 0
        if status not in GONE:
            return 1
    raise CheckFailure(
        "locations_lead_to_what_was_created",
        operation.label,
        "the Location of what was created leads nowhere",
        expected="what was created, at its Location (RFC 9110, section 15.3.2)",
        got=f"{status} for Location: {location}",
        pointer=operation.responses[str(_CREATED)].pointer,
        rule="universal",
        exchange=created,
    )


def accepted_work_is_not_lost(session: Session, operation: Operation) -> int:
    """Check that what a 202 accepted stays where its `Location` showed it, and that its status goes on (`--settle`)."""
    accepted = _created(session, operation, _ACCEPTED)
    location, read, reading = _led_to(session, operation, accepted)
    if read is None:
        raise NotRun("its Location is no path of the contract")
    choices = dict(_statuses(session, read))
    shown: list[Any] = []
    for _ in session.run.poller.polls(f"accepted {operation.label}"):
        answer = session.call(read, reading)
        if answer.status in GONE and shown:
            raise CheckFailure(
                "accepted_work_is_not_lost",
                operation.label,
                "what was accepted is lost",
                expected=f"what was accepted, at {location}, as before",
                got=f"{answer.status} after it was shown {len(shown)} times",
                pointer=operation.responses[str(_ACCEPTED)].pointer,
                rule="contract",
                exchange=accepted,
            )
        if answer.successful:
            shown.append(json_or_none(answer))
            if any(_ENDED.search(str(_member(shown[-1], name))) for name in choices):
                return len(shown)
        elif answer.status not in GONE:
            raise NotRun(f"{read.label} was answered with {answer.status}")
    if not shown:
        raise NotRun("what was accepted was not shown in time")
    _expect_progress(session, operation, accepted, choices, shown)
    return len(shown)


def _expect_progress(
    session: Session, operation: Operation, accepted: Exchange, choices: dict[str, list[str]], shown: list[Any]
) -> None:
    """Raise the failure if a status still has the first of its documented values.

    Where the operation says in words which value it reaches, the contract counts; else it is silent.

    Raises:
        CheckFailure: it never left that value.
    """
    wait = accepted.response.field("Retry-After") if accepted.response is not None else None
    if len(shown) < 2 or (wait is not None and (not wait.isdigit() or int(wait) >= session.run.settle_seconds)):
        return
    words = _words(session, operation)
    for name, values in choices.items():
        if {str(_member(one, name)) for one in shown} != {values[0]}:
            continue
        reached = "|".join(map(re.escape, values[1:]))
        told = re.search(rf"\b(?:until|then|becomes?)\b[^.]*[`'\"](?:{reached})[`'\"]", words) is not None
        raise CheckFailure(
            "accepted_work_is_not_lost",
            operation.label,
            f"the {name} of what was accepted never settles",
            expected=f"{' or '.join(values[1:])} within {session.run.settle_seconds:g} s (--settle)",
            got=f"{values[0]} in {len(shown)} reads",
            pointer=child(operation.pointer, "description") if told else operation.responses[str(_ACCEPTED)].pointer,
            rule="contract" if told else "silent",
            exchange=accepted,
        )


def unique_values_are_given_once(session: Session, operation: Operation) -> int:
    """Check that of eight creations at once with one unique value no more than one is accepted."""
    run = session.run
    if run.target.foreign or run.target.rate_limiter.rate is not None:
        raise NotRun("calls at once are more than the rate of requests allows")
    items = Items(session)
    first, response = _called(session, operation, items)
    if not response.successful:
        raise NotRun(f"a single call was answered with {response.status}")
    again = session.call(operation, first)
    if again.status != _CONFLICT:
        raise NoOccasion("the same content is not refused with 409 the second time")
    fresh = _fresh(session, operation, items)
    if fresh.body == first.body:
        raise NotRun("no other valid content could be made")
    exchanges = session.together(operation, [fresh] * AT_ONCE)
    accepted = [one for one in exchanges if one.response is not None and one.response.successful]
    if not accepted:
        raise NotRun("none of them was accepted")
    if len(accepted) > 1:
        raise CheckFailure(
            "unique_values_are_given_once",
            operation.label,
            "a unique value is given several times by calls at once",
            expected=f"one success of {AT_ONCE}, and {_CONFLICT} for the others, as for calls one after the other",
            got=f"{len(accepted)} successes",
            pointer=operation.responses[str(_CONFLICT)].pointer,
            rule="contract",
            exchange=accepted[-1],
        )
    return AT_ONCE


def _called(session: Session, operation: Operation, items: Items) -> tuple[WireRequest, WireResponse]:
    """Return a valid creation and its response; after a 409 it is made again, with values that were not sent before."""
    request = session.valid_request(operation, session.run.allowed(operation))
    response = session.call(operation, request)
    if response.status == _CONFLICT:
        request = _fresh(session, operation, items)
        response = session.call(operation, request)
    return request, response


def _fresh(session: Session, operation: Operation, items: Items) -> WireRequest:
    """Return a valid creation whose texts were not sent before.

    Raises:
        NotRun: none can be made.
    """
    value, media_type = items.fresh_body(operation, full=False)
    if value is None:
        raise NotRun("no other valid content could be made")
    body = json.dumps(value).encode()
    return session.request(operation, session.run.allowed(operation), body=body, media_type=media_type)


def _created(session: Session, operation: Operation, status: int) -> Exchange:
    """Return the exchange of a valid creation that was answered with a status and a Location.

    Raises:
        NotRun: it was answered otherwise.
    """
    request, response = _called(session, operation, Items(session))
    if response.status != status:
        raise NotRun(f"its valid request was answered with {response.status}")
    if response.field("Location") is None:
        raise NoOccasion(f"its {status} has no Location")
    return Exchange(request, response)


def _led_to(session: Session, operation: Operation, created: Exchange) -> tuple[str, Operation | None, WireRequest]:
    """Return a Location, the documented read there (None if the contract does not know its path), and the request.

    Raises:
        NotRun: it is not below the base URL of the target, or cannot be read.
    """
    run, request, response = session.run, created.request, created.response
    assert response is not None
    location = response.field("Location") or ""
    base = urlsplit(run.target.base_url)
    below = (request.base if request.base is not None else base.path).rstrip("/")
    led = urlsplit(urljoin(f"{base.scheme}://{base.netloc}{below}{request.path}", location))
    if led.netloc != base.netloc or not led.path.startswith(f"{below}/") or not led.geturl().isascii():
        raise NotRun("its Location is not below the base URL of the target")
    path = led.path.removeprefix(below)
    methods = run.resolver.methods_at(path)
    read = methods.get("GET")
    if methods and read is None:
        raise NotRun("its Location has no documented GET")
    if read is None:
        fields = tuple((name, value) for name, value in request.fields if name.lower() != "content-type")
        return location, None, WireRequest("GET", f"{path}?{led.query}" if led.query else path, fields)
    run.need(read)
    creator = run.allowed(operation)
    may_read = creator is not None and read.security and (read.levels is None or creator.level in read.levels)
    caller = creator if may_read else run.allowed(read)
    made = session.request(read, caller, path_values=read_off(read.path, path))
    query = led.query or made.path.partition("?")[2]
    return location, read, replace(made, path=f"{path}?{query}" if query else path)


def _statuses(session: Session, read: Operation) -> Iterator[tuple[str, list[str]]]:
    """Yield the members of what a read shows that tell a status, each with its documented values."""
    content = json_content(read)
    if content is None or content.schema is None:
        return
    meant, pointer = session.contract.schema(content.schema)
    properties = meant.get("properties") if isinstance(meant, dict) else None
    for name in properties if isinstance(properties, dict) else ():
        member, _ = session.contract.schema(child(pointer, "properties", name))
        values = member.get("enum") if isinstance(member, dict) else None
        if _STATUS.fullmatch(name) and isinstance(values, list) and len(values) > 1:
            yield name, [str(value) for value in values]


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _words(session: Session, operation: Operation) -> str:
    raw, _ = follow(session.contract.document.data, operation.pointer)
    return " ".join(str(raw.get("description", "")).split()) if isinstance(raw, dict) else ""
