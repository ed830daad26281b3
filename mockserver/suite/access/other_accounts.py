"""Checks of items that belong to an account: whom the server does not let read one, it shows and lets change no part.

No contract has to say whose an item is. A new item is read as a second account of the same level: where that is
refused, the server keeps the items of accounts apart, and has to do so at every operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, READ, REPLACE, Collection, state_model
from mockserver.http.pointers import child
from mockserver.suite.access.watched import differs
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.items import Item, Items, written
from mockserver.suite.target.exchange import Exchange, WireResponse, json_or_none, same_json
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

CHECK = "items_of_others_are_out_of_reach"
_REFUSED = frozenset({401, 403, 404})
#: A shorter name may stand in a response by chance.
_DISTINCTIVE = 8
#: Parameters of a search, which take the text to look for.
_SEARCHED = re.compile(r"^(?:q|query|search|term|text|keyword|name|filter)$", re.IGNORECASE)


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the check for each collection whose items are created and read with credentials."""
    found = []
    for collection in state_model(run.contract).collections:
        of = collection.operations
        if {CREATE, READ} <= of.keys() and _is_judged(run, of[CREATE]) and _is_judged(run, of[READ]):
            make = partial(items_of_others_are_out_of_reach, collection=collection)
            found.append(PlannedCheck(CHECK, of[READ].label, make))
    return found


def _is_judged(run: Run, operation: Operation) -> bool:
    """Tell whether an operation asks for credentials, and the contract does not say itself whose its objects are."""
    return operation.objects is None and run.has_selected(operation) and asks_for_credentials(run.contract, operation)


def items_of_others_are_out_of_reach(session: Session, *, collection: Collection) -> int:
    """Check that an account which may not read an item of another one neither finds nor changes any part of it."""
    other = next(other_accounts(session.run, collection.operations[CREATE]))
    items = Items(session, full=False)  # an optional member may say that everybody may read it
    try:
        item = items.create(collection)
        if not items.read(item).successful:
            raise NotRun("a new item could not be read")
        if items.read(item, other).status not in _REFUSED:
            raise NoOccasion(f"{other.label} may read the items of other accounts")
        return _Reach(session, items, item, other).judge()
    finally:
        items.clean_up()


def other_accounts(run: Run, operation: Operation) -> Iterator[Identity]:
    """Yield the other identities of the level of the one that calls an operation, at least one.

    Raises:
        NoOccasion: there is none, or no other one after those.
    """
    first = run.allowed(operation)
    for identity in run.identities.all:
        if first is not None and identity != first and identity.level == first.level:
            yield identity
    raise NoOccasion("it needs two accounts of one level (--identities)")


class _Reach:
    """What an account reaches of an item that it may not read."""

    def __init__(self, session: Session, items: Items, item: Item, other: Identity) -> None:
        self._session = session
        self._items = items
        self._item = item
        self._other = other
        self._first = session.run.allowed(item.collection.operations[READ])
        self._last: Exchange | None = None

    def judge(self) -> int:
        """Return how many operations keep the item out of reach.

        Raises:
            CheckFailure: one does not; a group if several do not.
        """
        attempts = Attempts()
        for operation, attempt in (*self._reads(), *self._writes()):
            if _is_judged(self._session.run, operation):
                with attempts.each():
                    attempt(operation)
        return attempts.conclude()

    def _reads(self) -> Iterator[tuple[Operation, Callable[[Operation], None]]]:
        template = self._item.collection.item.rstrip("/")
        for operation in self._session.contract.operations:
            if operation.method != "GET":
                continue
            below = operation.path.removeprefix(template)
            if below != operation.path and below.strip("/") and "{" not in below:
                yield operation, self._read_below
            elif "{" not in operation.path:
                yield operation, self._find

    def _writes(self) -> Iterator[tuple[Operation, Callable[[Operation], None]]]:
        template = self._item.collection.item.rstrip("/")
        of = self._session.contract.operations
        unsafe = (one for one in of if not one.safe and one.path.startswith(template))
        about_it = [one for one in unsafe if "{" not in one.path.removeprefix(template)]
        yield from ((one, self._write) for one in sorted(about_it, key=lambda one: one.method == "DELETE"))

    def _read_below(self, operation: Operation) -> None:
        """Expect that what is below the item is not shown to the other account."""
        self._fill(operation)
        mine = self._call(operation, self._first)
        if not mine.successful or json_or_none(mine) in (None, [], {}):
            raise NotRun(f"nothing is shown at {operation.path}")
        theirs = self._call(operation, self._other)
        if theirs.successful and same_json(json_or_none(mine), json_or_none(theirs)):
            self._fail(operation, "what is below an item of another account is shown", f"{theirs.status} and the same")

    def _fill(self, operation: Operation) -> None:
        """Write what an operation below the item reads, where it is a singleton, or create what it lists."""
        model = state_model(self._session.contract)
        singleton = model.singleton_of(operation)
        with suppress(NotRun):
            if singleton is not None and REPLACE in singleton.writes:
                self._call(singleton.writes[REPLACE], self._first, content=True)
            below = model.collection(operation.path)
            if below is not None and CREATE in below.operations:
                self._items.create(below, parent=self._item)

    def _find(self, operation: Operation) -> None:
        """Expect that neither list nor search shows the item to the other account."""
        told = self._item.name
        if len(told) < _DISTINCTIVE:
            raise NotRun("the name of the item is too short to be looked for")
        texts = [None, *_texts(self._item.sent)[:2]] if _searched(operation) else [None]
        for text in texts:
            arguments = {} if text is None else dict.fromkeys(_searched(operation), text)
            request = self._session.request(operation, self._other, arguments=arguments)
            response = self._session.call(operation, request)
            self._last = Exchange(request, response, history=(self._item.created,))
            if response.successful and told.encode() in response.body:
                self._fail(operation, "an item of another account is shown", f"{response.status} with {told}")

    def _write(self, operation: Operation) -> None:
        """Expect that the other account changes nothing of the item."""
        before = self._shown()
        again = self._shown()
        response = self._call(operation, self._other, content=True)
        after = self._items.read(self._item)
        changed = after.successful and differs(before, again, json_or_none(after))
        if after.status in _REFUSED or changed:
            self._items.gone.update({self._item.path} if after.status in _REFUSED else ())
            what = "changes" if changed else "deletes"
            self._fail(operation, f"an account {what} an item of another one", f"{response.status}, and it was done")

    def _shown(self) -> Any:
        response = self._items.read(self._item)
        if not response.successful:
            raise NotRun(f"the item was answered with {response.status}")
        return json_or_none(response)

    def _call(self, operation: Operation, who: Identity | None, *, content: bool = False) -> WireResponse:
        body, media_type = None, None
        if content and operation.request_body is not None:
            value, media_type = self._items.fresh_body(operation)
            usual = value is None or json_content_of(operation) is None
            body, media_type = self._session.valid_body(operation) if usual else written(operation, value)
        request = self._items.request(operation, self._item, who, body=body, media_type=media_type)
        response = self._session.call(operation, request)
        self._last = Exchange(request, response, history=(self._item.created,))
        return response

    def _fail(self, operation: Operation, title: str, got: str) -> None:
        """Raise the failure of an operation: the contract documents a refusal there, or says nothing of one."""
        documented = next((status for status in ("403", "404") if status in operation.responses), "")
        refused = "403 or 404" if documented else f"a refusal, as of GET {self._item.collection.item}"
        raise CheckFailure(
            CHECK,
            operation.label,
            title,
            expected=f"{refused}, as {self._other.label} may not read it",
            got=got,
            pointer=child(operation.pointer, "responses", documented) if documented else operation.pointer,
            rule="universal",
            exchange=self._last,
        )


def _searched(operation: Operation) -> list[tuple[str, str]]:
    return [
        (parameter.location, parameter.name)
        for parameter in operation.parameters
        if parameter.location == "query" and _SEARCHED.match(parameter.name)
    ]


def _texts(value: Any) -> list[str]:
    """Return the distinctive texts of what an item was made of."""
    members = value.values() if isinstance(value, dict) else ()
    return [one for one in members if isinstance(one, str) and len(one) >= 4]
