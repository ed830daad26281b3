"""Checks of singletons that no behaviour describes: what is written shows, and is put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.shapes import SchemaShape, json_content, shape_of
from mockserver.contract.resources.state_model import CREATE, MERGE, REPLACE, Singleton, state_model
from mockserver.http.pointers import child
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.bodies import completed, fresh
from mockserver.suite.state.comparison import Likeness, aligned, is_owned, likeness, unwrapped
from mockserver.suite.state.item_life import RULE, told
from mockserver.suite.state.items import Item, Items, written
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, Rule

_ACCEPTED = 202
_CHECK = "singletons_show_what_was_written"


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the check of each write of a singleton."""
    return [
        PlannedCheck(_CHECK, operation.label, partial(singletons_show_what_was_written, singleton=one, role=role))
        for one in (() if run.oracle else state_model(run.contract).singletons)
        for role, operation in one.writes.items()
        if run.has_selected(operation)
    ]


def singletons_show_what_was_written(session: Session, *, singleton: Singleton, role: str) -> int:
    """Check that a read of a singleton shows what was written to it, and put back what it showed before."""
    if session.run.own:
        raise NoOccasion("our stub serves it from examples unless x-mockserver-behaviour says more")
    run, write, read = session.run, singleton.writes[role], singleton.read
    run.need(read, write)
    items = Items(session)
    holder = _holder(items, singleton)
    try:
        before = Look(session, items, holder, read)
        value = before.value()
        body, changed = changed_content(items, write, value, role)
        content, media_type = written(write, body)
        request = items.request(write, holder, body=content, media_type=media_type)
        response = session.call(write, request)
        if response.status in {412, 428} and before.tag:
            request = request.with_field("If-Match", before.tag)
            response = session.call(write, request)
        if not response.successful:
            raise NotRun(f"the write was answered with {response.status}")
        try:
            _judge(session, items, holder, singleton, role, before, changed, Exchange(request, response))
        finally:
            if holder is None or holder.created.request.method == "GET":
                put_back(session, items, holder, singleton, before)
    finally:
        items.clean_up()
    return 1


class Look:
    """What a singleton shows, read by whoever may."""

    def __init__(self, session: Session, items: Items, holder: Item | None, read: Operation) -> None:
        self._read = read
        self._session = session
        self.request: WireRequest = items.request(read, holder)
        self.response: WireResponse = session.call(read, self.request)
        self.tag = self.response.field("ETag")

    def value(self) -> Any:
        """Return the JSON value that it shows, None if it shows that it was never set.

        Raises:
            NotRun: it cannot be read.
        """
        if self.response.status in {204, 404}:
            return None
        found = json_or_none(self.response)
        if not self.response.successful or not isinstance(found, dict):
            raise NotRun(f"the read was answered with {self.response.status}, and no JSON object")
        return found


def _holder(items: Items, singleton: Singleton) -> Item | None:
    """Return the item that a singleton is below: a new one, else one that is there; None where it is below none.

    Raises:
        NotRun: there is none.
    """
    above = items.model.collection(singleton.parent)
    if above is None:
        return None
    if CREATE in above.operations:
        with suppress(NotRun):
            return items.create(above)
    return items.find(above)


def changed_content(items: Items, write: Operation, value: Any, role: str) -> tuple[Any, dict[str, Any]]:
    """Return content for a write that changes what a singleton shows, and the members that it changes.

    Raises:
        NotRun: none is valid.
    """
    contract, found = items.session.contract, json_content_of(write)
    schema = found[1].schema if found is not None else None
    if schema is None:
        raise NotRun("nothing says what its content may be; give it a schema")
    validator = contract.validator(schema, "request")
    bodies = [body for body in _as_written(contract, schema, value) if validator.is_valid(body)]
    if not bodies:
        made = json.loads(items.session.valid_body(write)[0] or b"null")
        bodies = [completed(contract, schema, made), made]
    for body in bodies:
        other = fresh(contract, schema, body, items.token())
        found_pair = aligned(other, value)
        inner = (unwrapped(other) or [{}])[-1] if found_pair is None else found_pair[0]
        shown = found_pair[1] if found_pair is not None else {}
        changed = {
            name: held
            for name, held in inner.items()
            if not is_owned(name) and not _is_hidden(contract, schema, name) and likeness(held, shown.get(name)) > 1
        }
        if not changed:
            continue
        if role == MERGE:
            name = next(iter(changed))
            part = {name: changed[name]}
            if inner is other and validator.is_valid(part):
                return part, part
        return other, changed
    raise NotRun("no valid content would change what it shows")


def _as_written(contract: Any, schema: str, value: Any) -> Iterator[Any]:
    """Yield what a read shows in the form that a write takes: without members that no request has."""
    if not isinstance(value, dict):
        return
    names = SchemaShape(contract, [schema]).writable
    for one in (value, *(member for member in value.values() if isinstance(member, dict))):
        kept = {name: held for name, held in one.items() if name in names}
        if kept:
            yield kept
            yield {name: held for name, held in kept.items() if held is not None}


def _is_hidden(contract: Any, schema: str, name: str) -> bool:
    member = SchemaShape(contract, [schema]).member(name)
    return member is not None and member.write_only


def _judge(
    session: Session,
    items: Items,
    holder: Item | None,
    singleton: Singleton,
    role: str,
    before: Look,
    changed: dict[str, Any],
    wrote: Exchange,
) -> None:
    """Raise what it means that a singleton does not show what was written, waiting for it within `--settle`.

    Raises:
        CheckFailure: it shows something else.
        NotRun: it cannot be read.
    """
    run = session.run
    write = singleton.writes[role]
    old = before.value()
    assert wrote.response is not None
    echo = json_or_none(wrote.response)
    known = _documented(session, singleton.read) | (aligned(changed, old) or ({}, {}))[1].keys()
    changed = {
        name: value for name, value in changed.items() if name in known or _has(session, items, holder, singleton, name)
    }
    if not changed:
        raise NotRun("the read shows no member of what was written, and the contract does not say that it does")
    for _ in run.poller.polls(f"singleton {singleton.path}"):
        request = items.request(singleton.read, holder)
        response = session.call(singleton.read, request)
        if response.status in {401, 403, 429} or response.status >= 500:
            raise NotRun(f"the read was answered with {response.status}")
        shown = json_or_none(response)
        stale, wrong = _compared(changed, shown, old)
        if response.successful and not stale and not wrong:
            return
    if run.poller.spent:
        raise NotRun(f"the run has already waited {run.poller.waited_seconds:.0f} s in all")
    told_new = [name for name in (*stale, *wrong) if _shows(echo, name, changed[name])]
    # A server that takes only some members owns the others; one that takes none, or says that it did, lost them.
    lost = told_new or (stale if len(stale) == len(changed) else [])
    if not response.successful:
        lost = list(changed)
    later = wrote.response.status == _ACCEPTED
    weight: Rule = "contract" if lost and not later else "silent"
    names = lost or stale or wrong
    success = write.success()
    raise CheckFailure(
        _CHECK,
        write.label,
        "the old value is shown after a write" if stale or not wrong else "another value is shown than was written",
        expected=f"{told({name: changed[name] for name in names})} ({RULE})",
        got=f"{response.status} {told(shown)}",
        pointer=success.pointer if success is not None else child(write.pointer, "responses"),
        rule=weight,
        exchange=Exchange(request, response, history=(*((holder.created,) if holder is not None else ()), wrote)),
    )


def _documented(session: Session, read: Operation) -> frozenset[str]:
    """Return the members that the contract says that a read shows."""
    media_type = json_content(read)
    shape = shape_of(session.contract, media_type) if media_type is not None else None
    if shape is None:
        return frozenset()
    inner = [member for name in shape.names if (member := shape.member(name)) is not None]
    return frozenset((*shape.names, *(name for member in inner for name in member.names)))


def _has(session: Session, items: Items, holder: Item | None, singleton: Singleton, name: str) -> bool:
    """Tell whether a read shows a member now."""
    response = session.call(singleton.read, items.request(singleton.read, holder))
    return aligned({name: None}, json_or_none(response)) is not None


def _compared(changed: dict[str, Any], shown: Any, old: Any) -> tuple[list[str], list[str]]:
    """Return the names of the members that show the old value, and of those that show another one than was written."""
    found = aligned(changed, shown)
    part = found[1] if found is not None else {}
    was = aligned(changed, old)
    stale: list[str] = []
    wrong: list[str] = []
    for name, value in changed.items():
        how = likeness(value, part.get(name))
        if how <= Likeness.ALIKE or (found is not None and name not in part and not (was and name in was[1])):
            continue
        held = was[1].get(name) if was is not None else None
        (stale if likeness(held, part.get(name)) is Likeness.SAME else wrong).append(name)
    return stale, wrong


def _shows(echo: Any, name: str, value: Any) -> bool:
    found = aligned({name: value}, echo)
    return found is not None and likeness(value, found[1].get(name)) is Likeness.SAME


def put_back(session: Session, items: Items, holder: Item | None, singleton: Singleton, before: Look) -> None:
    """Write what a singleton showed before; what cannot be put back is told by the ledger."""
    write = singleton.writes.get(REPLACE) or singleton.writes[MERGE]
    value, found = before.value(), json_content_of(write)
    schema = found[1].schema if found is not None else None
    with suppress(NotRun):
        if value is None and singleton.reset is not None:
            session.call(singleton.reset, items.request(singleton.reset, holder))
            return
        for body in _as_written(session.contract, schema, value) if schema is not None else ():
            content, media_type = written(write, body)
            request = items.request(write, holder, body=content, media_type=media_type)
            response = session.call(write, request)
            if response.status in {412, 428}:
                tag = Look(session, items, holder, singleton.read).tag or "*"
                response = session.call(write, request.with_field("If-Match", tag))
            if response.successful:
                return
