"""Checks of the state of items: created, written and deleted ones show it, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, DELETE, LIST, MERGE, READ, REPLACE, state_model
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.condition_checks import (
    has_precondition,
    stale_writes_are_refused,
    unchanged_items_are_not_sent_again,
)
from mockserver.suite.state.item_life import ItemState, Life, is_entry, told
from mockserver.suite.state.item_looks import (
    accepted_write,
    deletion_of,
    doubt_about_the_list,
    entry_failures,
    expect_there,
    is_filtered,
    listed_failures,
    look_at,
    look_in_list,
    merged_instead,
    response_of,
    shown_failures,
    still_there,
    watch_other,
)
from mockserver.suite.state.item_paths import entries, names
from mockserver.suite.state.item_writes import conflicting_writes, invalid_writes, partial_write, whole_write
from mockserver.suite.state.list_checks import (
    filters_are_kept,
    has_pages,
    lists_neither_repeat_nor_lose_items,
    may_filter,
)
from mockserver.suite.target.exchange import Exchange, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, raise_failures

#: How many writes that must be refused are tried on an item.
_REFUSED = 4
ItemCheck = Callable[[Life], int]


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks of the state of items for each collection that items can be created in."""
    found: list[PlannedCheck] = []
    for collection in () if run.oracle else state_model(run.contract).collections:
        create = collection.operations.get(CREATE)
        if create is None or not run.has_selected(create):
            continue
        life = Life(run, collection)
        found += [
            PlannedCheck(name, operation.label, partial(_make, life=life, check=check), last=last)
            for name, operation, check, last in _plan(life)
        ]
    return found


def _plan(life: Life) -> Iterator[tuple[str, Operation, ItemCheck, bool]]:
    of = life.collection.operations
    yield "created_items_are_kept", of[CREATE], created_items_are_kept, False
    # Our stub serves a list from examples where it does not show items, as one of names alone.
    if LIST in of and (not life.run.own or LIST in life.collection.places):
        yield "created_items_are_listed", of[LIST], created_items_are_listed, False
        if has_pages(of[LIST]):
            yield "lists_neither_repeat_nor_lose_items", of[LIST], lists_neither_repeat_nor_lose_items, False
        if may_filter(of[LIST]):
            yield "filters_are_kept", of[LIST], filters_are_kept, False
    if READ in of:
        yield "reads_leave_items_alone", of[READ], reads_leave_items_alone, False
        # A PUT without optional members would leave a PATCH nothing to lose.
        for role in (MERGE, REPLACE):
            if role in of and of[role] is not of[CREATE]:
                yield "written_items_show_it", of[role], partial(written_items_show_it, role=role), False
                yield (
                    "writes_leave_other_items_alone",
                    of[role],
                    partial(writes_leave_other_items_alone, role=role),
                    False,
                )
                yield (
                    "refused_writes_leave_items_alone",
                    of[role],
                    partial(refused_writes_leave_items_alone, role=role),
                    False,
                )
        if has_precondition(of[READ], "If-None-Match", "304"):
            yield "unchanged_items_are_not_sent_again", of[READ], unchanged_items_are_not_sent_again, False
        for role in (REPLACE, MERGE, DELETE):
            if role in of and has_precondition(of[role], "If-Match", "412"):
                yield "stale_writes_are_refused", of[role], partial(stale_writes_are_refused, role=role), False
        if LIST in of:
            yield "refused_creations_make_nothing", of[CREATE], refused_creations_make_nothing, False
        if life.collection.parent:
            yield "items_belong_to_their_parent", of[READ], items_belong_to_their_parent, False
    if DELETE in of:
        yield "deleted_items_are_gone", of[DELETE], deleted_items_are_gone, False
        if READ in of:
            alone = partial(writes_leave_other_items_alone, role=DELETE)
            yield "writes_leave_other_items_alone", of[DELETE], alone, False
        yield "identifiers_are_not_given_out_again", of[CREATE], identifiers_are_not_given_out_again, False
        yield "deleted_items_stay_gone", of[DELETE], deleted_items_stay_gone, True


def _make(_session: Session, *, life: Life, check: ItemCheck) -> int:
    if life.run.own and not life.collection.kept:
        raise NoOccasion(f"our stub serves {life.collection.item} from examples, so that it keeps no state")
    return check(life)


def created_items_are_kept(life: Life) -> int:
    """Check that an item which was created can be read, with what was sent, also after another one was created."""
    create, reads = life.collection.operations[CREATE], life.collection.operations.get(READ)
    states = [life.new()]
    if states[0].item.read is not None or reads is None:
        states.append(life.new(states[0]))
    for state in states if reads is not None else ():
        if state.item.read is None:
            expect_there(life, state)
    if states[0].item.path == states[-1].item.path and create.method != "PUT":
        life.broken = f"two calls of {create.label} create one item"
        raise life.failure(
            "created_items_are_kept",
            create,
            "two creations give one identifier",
            expected="another item for each of two creations with different content",
            got=states[-1].item.path,
            exchange=life.evidence(states[-1].item.created.request, response_of(states[-1].item.created), states[0]),
        )
    failures: list[CheckFailure] = []
    for state in states if reads is not None else ():
        # A first look tells what the server does with each member; only then a later one can contradict it.
        failures += shown_failures(life, state, create, "created_items_are_kept")
    life.use(*states)  # the pair is made here, where its first looks are judged
    raise_failures(failures)
    return len(states)


def created_items_are_listed(life: Life) -> int:
    """Check that a list shows each created item exactly once, with what was sent."""
    listing_by = life.collection.operations[LIST]
    states = life.pair()

    def right(listing: Any) -> bool:
        return all(len(life.entry(listing, state)) == 1 for state in states)

    listing = life.listing(states[0], right)
    failures: list[CheckFailure] = []
    for state in states:
        shown = life.entry(listing, state)
        if len(shown) == 1:
            failures += entry_failures(life, state, shown[0], listing.last, "created_items_are_listed")
            continue
        if not shown and (why := doubt_about_the_list(life, listing, state)):
            raise NotRun(why)
        exchange = life.evidence(listing.last.request, response_of(listing.last), state)
        failures.append(
            life.failure(
                "created_items_are_listed",
                listing_by,
                "a list does not show an item that was created" if not shown else "a list shows an item twice",
                expected=f"{state.item.path} once",
                got="it is not there" if not shown else f"it is there {len(shown)} times",
                exchange=exchange,
                weight="drift" if not shown and (is_filtered(listing_by) or state.later) else "violation",
            )
        )
    raise_failures(failures[:2])
    return len(states)


def reads_leave_items_alone(life: Life) -> int:
    """Check that a second read of an item shows the same as the first one, and that lists change no item."""
    reads = life.collection.operations[READ]
    one, _ = life.pair()
    before = json_or_none(life.settled(one, lambda response: response.successful)[1])
    request, response = life.read(one)
    after = json_or_none(response)
    if not response.successful or life.same(before, after):
        life.forget()
        raise life.failure(
            "reads_leave_items_alone",
            reads,
            "a read changes the item",
            expected=f"the second read to show {told(before)}",
            got=f"{response.status} {told(after)}",
            exchange=life.evidence(request, response, one),
        )
    return 1


def written_items_show_it(life: Life, *, role: str) -> int:
    """Check that an item shows what PUT or PATCH wrote, in reads and lists, and that no other item changes."""
    operation = life.collection.operations[role]
    one, other = life.pair()
    other_before = json_or_none(life.settled(other, lambda response: response.successful)[1])
    make = whole_write if role == REPLACE else partial_write
    write, request, response = accepted_write(life, one, role, make(life, one, operation))
    left_out = (
        {} if role == MERGE else {n: v for n, v in one.expected.items() if n in life.kept and n not in write.value}
    )
    life.wrote(one, request, response, {**one.expected, **write.value} if role == MERGE else dict(write.value))
    failures = list(shown_failures(life, one, operation, "written_items_show_it", named=frozenset(write.changed)))
    if not failures and left_out:
        failures += merged_instead(life, one, operation, left_out)
    if not failures:
        failures += listed_failures(life, one, operation)
    watch_other(life, other, other_before, operation, one)
    if failures:
        life.forget()
    raise_failures(failures)
    return 2


def writes_leave_other_items_alone(life: Life, *, role: str) -> int:
    """Check that an item shows the same as before after a write to another one, or its deletion."""
    operation = life.collection.operations[role]
    if operation.id not in life.watched:
        with suppress(CheckFailure, ExceptionGroup):
            deleted_items_are_gone(life) if role == DELETE else written_items_show_it(life, role=role)
    if operation.id not in life.watched:
        raise NotRun("the write was not accepted")
    found = life.watched[operation.id]
    if found is not None:
        life.forget()
        raise found
    return 1


def refused_writes_leave_items_alone(life: Life, *, role: str) -> int:
    """Check that a write which is refused for its content, or for what other items have, leaves the item as it was."""
    operation = life.collection.operations[role]
    one, other = life.pair()
    before = json_or_none(life.settled(one, lambda response: response.successful)[1])
    refused = 0
    # What the schema allows comes last: the server may well accept it, and the item is another one then.
    for write in chain(invalid_writes(life, one, operation, _REFUSED), conflicting_writes(life, one, other, operation)):
        request, response = life.items.send(one.item, role, write.content, write.media_type)
        if response.successful:
            life.forget()  # if it should be refused, that is the finding of another check
            return refused
        refused += 400 <= response.status < 500
        read, shown = life.read(one)
        after = json_or_none(shown)
        if shown.successful and not (changed := life.same(before, after)):
            continue
        life.forget()
        one.writes.append(Exchange(request, response))
        raise life.failure(
            "refused_writes_leave_items_alone",
            operation,
            "a refused write changes the item",
            expected=f"what it showed before: {told(before)}",
            got=f"{shown.status} {told(after)}" + (f" ({', '.join(changed)})" if shown.successful else ""),
            exchange=life.evidence(read, shown, one),
        )
    return refused


def refused_creations_make_nothing(life: Life) -> int:
    """Check that a creation which is refused for its content leaves the list as it was."""
    create = life.collection.operations[CREATE]
    one, _ = life.pair()
    if create.method != "POST":
        raise NoOccasion("items are created by PUT")
    before = life.listing(one, lambda _: True)
    refused = []
    for write in invalid_writes(life, one, create, _REFUSED):
        request, response = life.items.send(one.item, CREATE, write.content, write.media_type)
        if 400 <= response.status < 500:
            refused.append(Exchange(request, response))
        else:
            return len(refused)  # that it is accepted is the finding of another check
    after = life.listing(one, lambda listing: len(listing.entries) == len(before.entries))
    if before.whole and after.whole and len(after.entries) > len(before.entries) and refused:
        state = ItemState(one.item, {}, writes=[*refused])
        raise life.failure(
            "refused_creations_make_nothing",
            create,
            "a refused creation makes an item",
            expected=f"{len(before.entries)} items, as before {len(refused)} refused creations",
            got=f"{len(after.entries)} items",
            exchange=life.evidence(after.last.request, response_of(after.last), state),
        )
    return len(refused)


def items_belong_to_their_parent(life: Life) -> int:
    """Check that an item which was created below one item is not found below another one."""
    reads, listing_by = life.collection.operations[READ], life.collection.operations.get(LIST)
    one, _ = life.pair()
    above = state_model(life.run.contract).collection(life.collection.parent)
    if above is None or not one.item.parents or CREATE not in above.operations:
        raise NotRun("no second parent can be created")
    grandparents = one.item.parents[:-1]
    stranger = life.items.create(above, parent=grandparents[-1] if grandparents else None)
    beside = life.items.beside(one.item, stranger)
    request, response = life.items.call(beside, READ)
    history = ItemState(one.item, {}, writes=[one.item.created, stranger.created])
    if response.successful and life.same(one.shown, json_or_none(response)) == []:
        raise life.failure(
            "items_belong_to_their_parent",
            reads,
            "an item is found below another parent, too",
            expected=f"404, as it was created below {one.item.parents[-1].path}",
            got=f"{response.status} {told(json_or_none(response))}",
            exchange=life.evidence(request, response, history),
        )
    if listing_by is not None:
        request, response = life.items.call(beside, LIST)
        shown = entries(life.collection, json_or_none(response)) if response.successful else []
        if any(is_entry(life.collection, entry, one.item) for entry in shown):
            raise life.failure(
                "items_belong_to_their_parent",
                listing_by,
                "a list shows an item of another parent",
                expected=f"no item of {one.item.parents[-1].path}",
                got=one.item.path,
                exchange=life.evidence(request, response, history),
            )
    return 2


def deleted_items_are_gone(life: Life) -> int:
    """Check that an item which was deleted can be read no more, is not listed, and that the others are there."""
    operation = life.collection.operations[DELETE]
    one, other = life.pair()
    before = {id(state): look_at(life, state) for state in (one, other)}
    one.listed = look_in_list(life, one)
    request, response = deletion_of(life, one)
    one.writes.append(Exchange(request, response))
    one.later, one.deleted = response.status == 202, True
    life.items.gone.add(one.item.path)
    life.ended.append(one)
    one.shown = before[id(one)]
    failures = list(still_there(life, one, operation, "deleted_items_are_gone"))
    watch_other(life, other, before[id(other)], operation, one)
    if failures:
        life.ended.remove(one)
        life.forget()
    raise_failures(failures)
    return 2


def identifiers_are_not_given_out_again(life: Life) -> int:
    """Check that a new item does not get the identifier of one that was deleted."""
    create = life.collection.operations[CREATE]
    if create.method == "PUT":
        raise NoOccasion("the client gives the identifiers")
    life.pair()
    newest = life.new()
    request, response = deletion_of(life, newest)
    newest.writes.append(Exchange(request, response))
    life.items.gone.add(newest.item.path)
    newest.shown = newest.item.shown
    life.ended.append(newest)
    new = life.new()
    again = [state for state in life.ended if state.item.path == new.item.path]
    if again and new.item.name not in set(names(life.collection, new.item.sent)):
        raise life.failure(
            "identifiers_are_not_given_out_again",
            create,
            "an identifier is given out again",
            expected="an identifier that no deleted item had",
            got=new.item.path,
            exchange=life.evidence(new.item.created.request, response_of(new.item.created), again[0]),
            weight="drift",
        )
    life.ended = [state for state in life.ended if state.item.path != new.item.path]
    return 1


def deleted_items_stay_gone(life: Life) -> int:
    """Check that an item which was deleted in the run is still gone at the end of it."""
    operation = life.collection.operations[DELETE]
    failures: list[CheckFailure] = []
    for state in life.ended:
        failures += still_there(life, state, operation, "deleted_items_stay_gone")
    life.close()
    if not life.ended:
        raise NotRun("no item was deleted, or it was not gone")
    raise_failures(failures[:1])
    return len(life.ended)
