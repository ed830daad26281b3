"""Checks of lists: pages neither repeat nor lose items, limits and filters are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mockserver.contract.model import Operation, Parameter
from mockserver.contract.resources.state_model import LIST
from mockserver.contract.source.references import follow
from mockserver.suite.state.comparison import Likeness, likeness
from mockserver.suite.state.item_life import ItemState, Life, told
from mockserver.suite.state.item_paths import entries, names
from mockserver.suite.state.pages import Listing, bounded, listed, paging
from mockserver.suite.target.exchange import Exchange, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, raise_failures

#: How many items there are at least when lists are read in pages of `_SIZE`.
_ITEMS, _SIZE = 3, 2
#: So many values of a filter are tried.
_VALUES = 3
#: Values of filters that stand for all, and parameters that are none.
_ALL = frozenset({"all", "any", "*", "both", "none", ""})
_NO_FILTERS = frozenset({"sort", "order", "fields", "include", "expand", "embed", "format", "select", "view", "search"})


def has_pages(operation: Operation) -> bool:
    """Tell whether the contract has parameters by which a list is read in pages."""
    how = paging(operation)
    return how.limit is not None or how.known


def may_filter(operation: Operation) -> bool:
    """Tell whether a list has query parameters that may be filters."""
    how = paging(operation)
    paged = (how.limit, how.page, how.offset, how.cursor)
    return any(
        one.location == "query" and one not in paged and one.name.lower() not in _NO_FILTERS
        for one in operation.parameters
    )


def lists_neither_repeat_nor_lose_items(life: Life) -> int:
    """Check that the pages of a list, together, show each item once, and that no page has more than its limit."""
    operation = life.collection.operations[LIST]
    how = paging(operation)
    one, other = life.pair()
    states = [one, other, *(life.new(one) for _ in range(_ITEMS - 2))]
    size = bounded(life.run.contract, how.limit, _SIZE) if how.limit is not None else None
    found: list[str] = []
    listing: Listing | None = None
    for _ in life.run.poller.polls(f"pages of {life.collection.path}"):
        listing = listed(life.items, one.item, size=size)
        found = list(_wrong(life, listing, states, size))
        if not found:
            return len(listing.pages)
    assert listing is not None
    if life.run.poller.spent:
        raise NotRun(f"the run has already waited {life.run.poller.waited_seconds:.0f} s in all")
    raise life.failure(
        "lists_neither_repeat_nor_lose_items",
        operation,
        found[0].partition(":")[0],
        expected=f"pages of {size if size is not None else 'the usual size'} that show each item once",
        got=found[0],
        exchange=life.evidence(listing.last.request, _response(listing.last), _pages(one, states, listing)),
    )


def _wrong(life: Life, listing: Listing, states: list[ItemState], size: int | None) -> Iterator[str]:
    """Yield what is wrong with the pages of a list, in words that begin with the kind of it."""
    how = paging(life.collection.operations[LIST])
    if how.limit is not None and size is not None:
        most = max(listing.sizes)
        if most > size:
            yield f"a page has more items than its limit: {most} with {how.limit.name}={size}"
            return
    told_names = Counter(name for entry in listing.entries if (name := next(names(life.collection, entry), None)))
    twice = next((name for name, times in told_names.items() if times > 1), None)
    if twice is not None and life.collection.identifier:
        yield f"pages repeat an item: {told(twice)} is there {told_names[twice]} times"
    if not how.known or not listing.whole or not listing.entries:
        return
    lost = [state.item.path for state in states if not life.entry(listing, state)]
    if lost:
        whole = listed(life.items, states[0].item)
        if all(life.entry(whole, state) for state in states):
            yield f"pages lose an item: {lost[0]} is on none of {len(listing.pages)} pages, and in the list as a whole"


def filters_are_kept(life: Life) -> int:
    """Check that a list with a filter shows the items that fit, and no others."""
    operation = life.collection.operations[LIST]
    one, _ = life.pair()
    plain = listed(life.items, one.item)
    own = life.entry(plain, one)
    if not own or not isinstance(own[0], dict):
        raise NotRun("the list does not show a created item as an object")
    cases = 0
    failures: list[CheckFailure] = []
    for parameter in operation.parameters:
        member = _member(parameter, own[0])
        if member is None:
            continue
        for value in _values(life, parameter, own[0][member])[:_VALUES]:
            cases += 1
            failures += _filtered(
                life, one, parameter, member, value, fits=likeness(value, own[0][member]) <= Likeness.ALIKE
            )
    if not cases:
        raise NoOccasion("no parameter of the list is named like a member of its items")
    raise_failures(failures[:3])
    return cases


def _filtered(
    life: Life, one: ItemState, parameter: Parameter, member: str, value: Any, *, fits: bool
) -> Iterator[CheckFailure]:
    operation = life.collection.operations[LIST]
    sent = [value] if "array" in _kinds(life, parameter) else value
    query: dict[tuple[str, str], Any] = {("query", parameter.name): sent}
    limit = paging(operation).limit
    if limit is not None:
        query["query", limit.name] = bounded(life.run.contract, limit, 100)
    strangers: list[Any] = []
    for _ in life.run.poller.polls(f"filter of {life.collection.path}"):
        request = life.items.request(operation, one.item, arguments=query)
        response = life.items.session.call(operation, request)
        if not response.successful:
            return
        shown = [entry for entry in entries(life.collection, json_or_none(response)) if isinstance(entry, dict)]
        strangers = [entry for entry in shown if member in entry and not _fits(value, entry[member])]
        missing = fits and not strangers and not shown
        if not strangers and not missing:
            return
    yield CheckFailure(
        "filters_are_kept",
        operation.label,
        "a list shows items that its filter leaves out"
        if strangers
        else "a list leaves out an item that its filter fits",
        expected=f"only items with {member} {told(value)}" if strangers else f"{one.item.path} among them",
        got=f"{member} {told(strangers[0][member])}" if strangers else "no item",
        pointer=parameter.pointer,
        rule="contract" if strangers else "silent",
        exchange=life.evidence(request, response, one),
    )


def _fits(wanted: Any, shown: Any) -> bool:
    """Tell whether a member fits a filter: it has the value, or has it in it."""
    if isinstance(shown, list):
        return any(_fits(wanted, one) for one in shown)
    return shown is None or likeness(wanted, shown) <= Likeness.ALIKE or str(wanted).casefold() in str(shown).casefold()


def _member(parameter: Parameter, entry: dict[str, Any]) -> str | None:
    """Return the member of an item that a query parameter is a filter for, None if it is for none."""
    if parameter.location != "query" or parameter.name.lower() in _NO_FILTERS or parameter.style == "deepObject":
        return None
    wanted = parameter.name.replace("_", "").replace("-", "").lower()
    found = (name for name in entry if name.replace("_", "").replace("-", "").lower() == wanted)
    name = next(found, None)
    return name if name is not None and isinstance(entry[name], str | int | bool) else None


def _values(life: Life, parameter: Parameter, own: Any) -> list[Any]:
    """Return values for a filter: that of an own item, and those that the schema lists."""
    raw = follow(life.run.contract.document.data, parameter.schema)[0] if parameter.schema is not None else {}
    inner = raw.get("items", raw) if isinstance(raw, dict) else {}
    listed_values = inner.get("enum") if isinstance(inner, dict) else None
    found = [own]
    for value in listed_values if isinstance(listed_values, list) else ():
        if value not in found and str(value).lower() not in _ALL:
            found.append(value)
    return found


def _kinds(life: Life, parameter: Parameter) -> frozenset[str]:
    raw = follow(life.run.contract.document.data, parameter.schema)[0] if parameter.schema is not None else {}
    kind = raw.get("type", ()) if isinstance(raw, dict) else ()
    return frozenset([kind] if isinstance(kind, str) else kind)


def _pages(one: ItemState, states: list[ItemState], listing: Listing) -> ItemState:
    """Return a state whose writes are the creations and the pages before the last one, as evidence."""
    created = [state.item.created for state in states]
    return ItemState(one.item, {}, writes=[*created[:2], *listing.pages[:-1]][-3:])


def _response(exchange: Exchange) -> WireResponse:
    assert exchange.response is not None
    return exchange.response
