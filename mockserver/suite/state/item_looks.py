"""What reads and lists show of an item after a write or its deletion, as the checks of items look at it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, DELETE, LIST, MERGE, READ
from mockserver.suite.state.comparison import Likeness, aligned, likeness
from mockserver.suite.state.item_life import Difference, ItemState, Life, told
from mockserver.suite.state.item_paths import names
from mockserver.suite.state.item_writes import Write
from mockserver.suite.state.pages import listed
from mockserver.suite.target.exchange import GONE, Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

#: What a list may show in place of a value that it leaves out.
_NOTHING: tuple[Any, ...] = ("", [], {}, 0)


def shown_failures(
    life: Life, state: ItemState, blame: Operation, check: str, named: frozenset[str] | None = None
) -> Iterator[CheckFailure]:
    """Yield how reads of an item differ from what was written, waiting for it within `--settle`."""
    found: list[Difference] = []

    def right(response: WireResponse) -> bool:
        found[:] = list(life.differences(state, json_or_none(response), blame)) if response.successful else []
        return response.successful and not any(one.weight == "violation" for one in found)

    request, response, _ = life.settled(state, right)
    state.shown = json_or_none(response)
    exchange = life.evidence(request, response, state)
    if not response.successful:
        if response.status in GONE:
            yield life.failure(
                check, blame, "what was written is not there", expected=f"a read of {state.item.path} to succeed",
                got=str(response.status), exchange=exchange, weight="drift" if state.later else "violation",
            )  # fmt: skip
        return
    worst = min(found, key=lambda one: one.weight != "violation", default=None)
    if worst is None:
        return
    weight, title = worst.weight, worst.title
    if named is not None and worst.member not in named and weight == "violation":
        title = "a member that the write does not name is changed"
    yield life.failure(
        check,
        blame,
        title,
        expected=f"{worst.member}: {told(worst.expected)}",
        got=f"{worst.member}: {told(worst.got)}",
        exchange=exchange,
        weight="drift" if state.later else weight,
    )


def expect_there(life: Life, state: ItemState) -> None:
    """Raise what it means that an item cannot be read after its creation."""
    create = life.collection.operations[CREATE]
    life.broken = f"what {create.label} creates cannot be read"
    request, response = life.read(state)
    if response.status in GONE and state.item.sure:
        raise life.failure(
            "created_items_are_kept",
            create,
            "what was created is not there",
            expected=f"a read of {state.item.path} to succeed",
            got=str(response.status),
            exchange=life.evidence(request, response, state),
            weight="drift" if state.later else "violation",
        )
    raise NotRun(f"{life.broken}: {response.status}" + (", perhaps by another name" * (not state.item.sure)))


def accepted_write(
    life: Life, state: ItemState, role: str, writes: Iterable[Write]
) -> tuple[Write, WireRequest, WireResponse]:
    """Return the first write of some that is accepted, with its exchange.

    Raises:
        NotRun: all are refused.
    """
    refusal = "no valid content could be made"
    for write in writes:
        for fields in _conditions(state):
            request, response = life.items.send(state.item, role, write.content, write.media_type, fields)
            if response.successful:
                return write, request, response
            refusal = f"{request.method} was answered with {response.status}"
            if response.status not in {412, 428}:
                break
        if response.status not in {400, 409, 415, 422}:
            break
    raise NotRun(refusal)


def _conditions(state: ItemState) -> Iterator[dict[str, str]]:
    """Yield no precondition, and then the current ETag for a server that insists on one."""
    yield {}
    read = state.item.read
    tag = read.response.field("ETag") if read is not None and read.response is not None else None
    if tag:
        yield {"If-Match": tag}


def deletion_of(life: Life, state: ItemState) -> tuple[WireRequest, WireResponse]:
    """Delete an item, and return the exchange.

    Raises:
        NotRun: it is refused.
    """
    for fields in _conditions(state):
        request, response = life.items.call(state.item, DELETE, fields=fields)
        if response.successful:
            return request, response
        if response.status not in {412, 428}:
            break
    raise NotRun(f"DELETE was answered with {response.status}")


def look_at(life: Life, state: ItemState) -> Any:
    """Return the JSON value that a read of an item shows, None if nothing reads it."""
    if READ not in life.collection.operations:
        return None
    return json_or_none(life.settled(state, lambda response: response.successful)[1])


def look_in_list(life: Life, state: ItemState) -> Any:
    """Return the entry of a list for an item, None if there is none or no list."""
    try:
        found = life.entry(listed(life.items, state.item), state)
    except NotRun:
        return None
    return found[0] if found else None


def still_there(life: Life, state: ItemState, operation: Operation, check: str) -> Iterator[CheckFailure]:
    """Yield that a deleted item is still read or listed, waiting for it within `--settle`."""
    if READ in life.collection.operations:
        request, response, _ = life.settled(state, lambda response: not response.successful)
        if response.successful:
            shown = json_or_none(response)
            unchanged = life.is_unchanged(state.shown, shown)
            yield life.failure(
                check,
                operation,
                "a deleted item is still there" if unchanged else "a deleted item can still be read, changed",
                expected="404 or 410",
                got=f"{response.status} {told(shown)}",
                exchange=life.evidence(request, response, state),
                weight="violation" if unchanged and not state.later else "drift",
            )
            return
    if LIST not in life.collection.operations:
        return
    try:
        listing = life.listing(state, lambda listing: not life.entry(listing, state))
    except NotRun:
        return
    entered = life.entry(listing, state)
    if entered:
        unchanged = state.listed is None or life.is_unchanged(state.listed, entered[0])
        yield life.failure(
            check,
            operation,
            "a deleted item is still listed",
            expected=f"a list without {state.item.path}",
            got=told(entered[0]),
            exchange=life.evidence(listing.last.request, response_of(listing.last), state),
            weight="violation" if unchanged and not state.later else "drift",
        )


def watch_other(life: Life, other: ItemState, before: Any, operation: Operation, written: ItemState) -> None:
    """Record whether a write to one item changed another one."""
    if READ not in life.collection.operations:
        return
    request, response, right = life.settled(
        other, lambda response: response.successful and not life.same(before, json_or_none(response))
    )
    life.watched[operation.id] = None
    if not right and (response.successful or response.status in GONE):
        other.deleted = not response.successful
        life.watched[operation.id] = life.failure(
            "writes_leave_other_items_alone",
            operation,
            "a write changes another item",
            expected=f"{other.item.path} to show what it did before: {told(before)}",
            got=f"{response.status} {told(json_or_none(response))}",
            exchange=life.evidence(request, response, other, written),
        )


def merged_instead(
    life: Life, state: ItemState, operation: Operation, left_out: dict[str, Any]
) -> Iterator[CheckFailure]:
    """Yield that members which a PUT left out still have their values, so that it merged instead of replacing."""
    found = aligned({**state.expected, **left_out}, state.shown)
    if found is None:
        return
    stays = [
        name
        for name, value in left_out.items()
        if value is not None and likeness(value, found[1].get(name)) is Likeness.SAME
    ]
    if stays:
        request, response = life.read(state)
        # Where there is a PATCH, too, or the contract calls it a replacement, PUT is documented to do something else.
        names = f"{operation.id} {life.run.contract.at(operation.pointer).get('summary') or ''}".lower()
        partly = "modif" in names or "partial" in names
        meant = "replac" in names or "overwrit" in names or (MERGE in life.collection.operations and not partly)
        yield life.failure(
            "written_items_show_it",
            operation,
            "PUT leaves members that it was not sent",
            expected=f"no {', '.join(stays)}, or the default, as PUT replaces the whole (RFC 9110, section 9.3.4)",
            got=f"the old value: {told({name: left_out[name] for name in stays})}",
            exchange=life.evidence(request, response, state),
            weight="violation" if meant else "drift",
        )


def listed_failures(life: Life, state: ItemState, operation: Operation) -> Iterator[CheckFailure]:
    """Yield that a list still shows what an item was before a write."""
    if LIST not in life.collection.operations:
        return

    def right(listing: Any) -> bool:
        return not any(_stale(life, state, entry) for entry in life.entry(listing, state))

    try:
        listing = life.listing(state, right)
    except NotRun:
        return
    for entry in life.entry(listing, state):
        stale = _stale(life, state, entry)
        if stale:
            yield life.failure(
                "written_items_show_it",
                operation,
                "a list still shows the old value",
                expected=told({name: state.expected[name] for name in stale}),
                got=told(entry),
                exchange=life.evidence(listing.last.request, response_of(listing.last), state),
                weight="drift" if state.later else "violation",
            )
            return


def _stale(life: Life, state: ItemState, entry: Any) -> list[str]:
    found = aligned(state.expected, entry)
    if found is None:
        return []
    return [
        name
        for name, value in found[0].items()
        if name in life.kept
        and name in found[1]
        and name in state.previous
        and likeness(value, found[1][name]) is Likeness.OTHER
        and likeness(state.previous[name], found[1][name]) is Likeness.SAME
    ]


def entry_failures(life: Life, state: ItemState, entry: Any, exchange: Exchange, check: str) -> Iterator[CheckFailure]:
    """Yield that the entry of a list shows other values than a read of the item does."""
    found = aligned(state.expected, entry)
    wrong = [
        name
        for name, value in (found[0].items() if found is not None else ())
        if name in life.kept and found is not None and name in found[1]
        and likeness(value, found[1][name]) is Likeness.OTHER
    ]  # fmt: skip
    if wrong:
        # A list may be a short form of its items, with nothing in place of what is long or hidden.
        short = found is not None and all(found[1][name] in _NOTHING for name in wrong)
        yield life.failure(
            check,
            life.collection.operations[LIST],
            "a list shows another value than the item",
            expected=told({name: state.expected[name] for name in wrong}),
            got=told(entry),
            exchange=life.evidence(exchange.request, response_of(exchange), state),
            weight="drift" if short else "violation",
        )


def doubt_about_the_list(life: Life, listing: Any, state: ItemState) -> str:
    """Return why the absence of an item in a list says nothing, "" if it does."""
    if not listing.whole:
        return f"the list has more than {len(listing.pages)} pages"
    if not listing.entries:
        return "" if life.collection.places.get(LIST) is not None else "nothing tells where the list holds its items"
    own = life.collection.identifier
    if own and all(isinstance(entry, dict) and own in entry for entry in listing.entries):
        return ""
    if any(state.item.name in json.dumps(page.response.json()) for page in listing.pages if page.response is not None):
        return "the list shows it in a form that is not understood"
    if not any(True for entry in listing.entries for _ in names(life.collection, entry)):
        return "the entries of the list have no names"
    return ""


def is_filtered(listing: Operation) -> bool:
    """Tell whether a list may leave items out by itself: it has required parameters beside those of its path."""
    return any(parameter.required and parameter.location == "query" for parameter in listing.parameters)


def response_of(exchange: Exchange) -> WireResponse:
    """Return the response of an exchange that is known to have one."""
    assert exchange.response is not None
    return exchange.response
