"""Item tracker: the items that a stream of generated requests creates, and what they must show when read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, DELETE, MERGE, READ, REPLACE, StateModel, state_model
from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.comparison import Likeness, aligned, likeness, unwrapped
from mockserver.suite.state.item_life import ItemState, Life, told
from mockserver.suite.state.items import Item, Items
from mockserver.suite.target.exchange import GONE, Exchange, WireResponse, json_or_none, sent_json
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

#: The first occasions of each kind are read back, which shows systematic faults; then every `_EVERY`-th, for rare ones.
_FIRST, _EVERY = 2, 12
#: How often a check may fail on an operation before it is not made any more, and how many items are known at a time.
_MAX_FAILURES, _MAX_ITEMS = 2, 200


@dataclass(slots=True)
class ItemTracker:
    """The items that accepted requests created so far, by path, with what they must show."""

    run: Run
    model: StateModel
    states: dict[str, ItemState] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)

    def life(self, path: str) -> Life:
        """Return what is known of a collection by its path."""
        found = self.lives.get(path)
        if found is None:
            collection = self.model.collection(path)
            assert collection is not None
            items = Items(Session(self.run, fresh=False))
            found = self.lives[path] = Life(self.run, collection, _items=items)
        return found

    def is_due(self, check: str, operation: Operation) -> bool:
        """Tell whether to spend a read on a check this time; each call counts as one occasion."""
        if self.run.verdicts.known(check, operation.label) >= _MAX_FAILURES:
            return False
        self.times[check, operation.id] += 1
        times = self.times[check, operation.id]
        return times <= _FIRST or times % _EVERY == 0


#: Returns whether there was anything to judge; raises CheckFailure.
TrackedCheck = Callable[[ItemTracker, ObservedResponse], bool]


def new_item_tracker(run: Run) -> ItemTracker:
    """Return an item tracker that knows no item yet."""
    return ItemTracker(run, StateModel() if run.oracle else state_model(run.contract))


def created_items_are_kept(tracker: ItemTracker, observed: ObservedResponse) -> bool:
    """Judge a generated creation: the item can be read."""
    found = tracker.model.collection_of(observed.operation)
    if found is None or found[1] != CREATE or not observed.response.successful or observed.operation is None:
        return False
    collection = found[0]
    if (tracker.run.own and not collection.kept) or READ not in collection.operations:
        return False
    life = tracker.life(collection.path)
    sent = sent_json(observed.exchange.request)
    path = next(life.items.sure_paths(collection, observed.exchange), None)
    if path is None:
        return False
    name = list(read_off(collection.item, path).values())[-1]
    exchange = Exchange(observed.exchange.request, observed.response).shortened()
    item = Item(collection, path, name, sent, None, exchange)
    values = unwrapped(sent)
    state = ItemState(item, dict(values[-1]) if values else {}, writes=[exchange])
    state.later = observed.response.status == 202
    if len(tracker.states) >= _MAX_ITEMS:
        tracker.states.pop(next(iter(tracker.states)))
    tracker.states[path] = state
    if not tracker.is_due("created_items_are_kept", observed.operation):
        return False
    read = _read(life, state, lambda response: response.successful)
    if read is None:
        return False
    request, response = read
    if response.status in GONE:
        del tracker.states[path]
        raise life.failure(
            "created_items_are_kept",
            observed.operation,
            "what was created is not there",
            expected=f"a read of {path} to succeed",
            got=str(response.status),
            exchange=life.evidence(request, response, state),
            weight="drift" if state.later else "violation",
        )
    _learn(life, state, response)
    return response.successful


def written_items_show_it(tracker: ItemTracker, observed: ObservedResponse) -> bool:
    """Judge a generated PUT or PATCH: the item does not show its old values afterwards."""
    found = _tracked(tracker, observed)
    if found is None or found[1] not in {REPLACE, MERGE} or not observed.response.successful:
        return False
    state, _, operation = found
    sent = unwrapped(sent_json(observed.exchange.request))
    if not sent or observed.response.status == 202:
        tracker.states.pop(state.item.path, None)
        return False
    life = tracker.life(state.item.collection.path)
    before = aligned(sent[-1], state.shown)
    state.writes.append(Exchange(observed.exchange.request, observed.response).shortened())
    if not tracker.is_due("written_items_show_it", operation):
        state.shown = None
        return False
    if before is None:
        # What it shows now is what the next write is compared with.
        read = _read(life, state, lambda response: response.successful)
        state.shown = json_or_none(read[1]) if read is not None and read[1].successful else None
        return False
    stale: list[str] = []

    def right(response: WireResponse) -> bool:
        after = aligned(sent[-1], json_or_none(response)) if response.successful else None
        stale[:] = [
            name
            for name, value in (sent[-1].items() if after is not None else ())
            if name in life.kept
            and likeness(before[1].get(name), value) is Likeness.OTHER
            and name in before[1]
            and after is not None
            and likeness(before[1][name], after[1].get(name)) is Likeness.SAME
        ]
        return response.successful and not stale

    read = _read(life, state, right)
    if read is None:
        return False
    request, response = read
    state.shown = json_or_none(response) if response.successful else None
    if stale:
        raise life.failure(
            "written_items_show_it",
            operation,
            "the old value is shown",
            expected=told({name: sent[-1][name] for name in stale}),
            got=told(state.shown),
            exchange=life.evidence(request, response, state),
        )
    return response.successful


def refused_writes_leave_items_alone(tracker: ItemTracker, observed: ObservedResponse) -> bool:
    """Judge a generated write that is refused: the item is as it was."""
    found = _tracked(tracker, observed)
    refused = 400 <= observed.response.status < 500 and observed.response.status not in {401, 403, 404, 410, 429}
    if found is None or found[1] not in {REPLACE, MERGE} or not refused or found[0].shown is None:
        return False
    state, _, operation = found
    life = tracker.life(state.item.collection.path)
    if not tracker.is_due("refused_writes_leave_items_alone", operation):
        return False
    before = state.shown
    read = _read(life, state, lambda response: response.successful and not life.same(before, json_or_none(response)))
    if read is None:
        return False
    request, response = read
    changed = life.same(before, json_or_none(response)) if response.successful else []
    state.shown = json_or_none(response) if response.successful else None
    if changed:
        state.writes.append(Exchange(observed.exchange.request, observed.response).shortened())
        raise life.failure(
            "refused_writes_leave_items_alone",
            operation,
            "a refused write changes the item",
            expected=f"what it showed before: {told(before)}",
            got=f"{told(state.shown)} ({', '.join(changed)})",
            exchange=life.evidence(request, response, state),
        )
    return response.successful


def deleted_items_are_gone(tracker: ItemTracker, observed: ObservedResponse) -> bool:
    """Judge a generated deletion: the item can be read no more."""
    found = _tracked(tracker, observed)
    if found is None or found[1] != DELETE or not observed.response.successful:
        return False
    state, _, operation = found
    del tracker.states[state.item.path]
    life = tracker.life(state.item.collection.path)
    if state.shown is None or not tracker.is_due("deleted_items_are_gone", operation):
        return False
    read = _read(life, state, lambda response: not response.successful)
    if read is None:
        return False
    request, response = read
    if response.successful:
        shown = json_or_none(response)
        unchanged = life.is_unchanged(state.shown, shown)
        state.writes.append(Exchange(observed.exchange.request, observed.response).shortened())
        raise life.failure(
            "deleted_items_are_gone",
            operation,
            "a deleted item is still there" if unchanged else "a deleted item can still be read, changed",
            expected="404 or 410",
            got=f"{response.status} {told(shown)}",
            exchange=life.evidence(request, response, state),
            weight="violation" if unchanged and observed.response.status != 202 else "drift",
        )
    return True


#: Made on every response, in this order.
TRACKED_CHECKS: tuple[TrackedCheck, ...] = (
    created_items_are_kept,
    written_items_show_it,
    refused_writes_leave_items_alone,
    deleted_items_are_gone,
)


def _tracked(tracker: ItemTracker, observed: ObservedResponse) -> tuple[ItemState, str, Operation] | None:
    """Return the known item that a request is about, with the role and the operation; None if there is none."""
    state = tracker.states.get(observed.exchange.request.path.partition("?")[0])
    if state is None or observed.operation is None:
        return None
    role = state.item.collection.role_of(observed.operation)
    return (state, role, observed.operation) if role else None


def _read(life: Life, state: ItemState, right: Callable[[WireResponse], bool]) -> tuple[Any, WireResponse] | None:
    """Read an item until it is right, within `--settle`; return the last exchange, None if it cannot be read."""
    try:
        request, response, _ = life.settled(state, right)
    except (NotRun, CheckFailure):
        return None
    return request, response


def _learn(life: Life, state: ItemState, response: WireResponse) -> None:
    """Record what a read shows, and which members show exactly what was written."""
    state.shown = json_or_none(response) if response.successful else None
    found = aligned(state.expected, state.shown)
    for name, value in found[0].items() if found is not None else ():
        if found is not None and likeness(value, found[1].get(name)) is Likeness.SAME:
            life.kept.add(name)
