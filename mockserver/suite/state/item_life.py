"""Life of two items of a collection: created, written, deleted, and what reads and lists must show meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.shapes import SchemaShape, json_content, shape_of
from mockserver.contract.resources.state_model import CREATE, LIST, READ, Collection
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.bodies import required
from mockserver.suite.state.comparison import Likeness, aligned, is_owned, likeness, unwrapped
from mockserver.suite.state.item_paths import at, names
from mockserver.suite.state.items import Item, Items
from mockserver.suite.state.pages import Listing, listed
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule, describe

#: What is expected of state, and how much it weighs.
RULE = "a rule of ours, as RFC 9110, section 9.3.4, gives no guarantee"
#: Responses that say that nothing is there (any more).
_ACCEPTED = 202
#: How many writes before a response are its evidence.
_MAX_HISTORY = 4


@dataclass(slots=True)
class ItemState:
    """An item with what it must show.

    Attributes:
        expected: the members that were written, as they were written last.
        previous: the same before the last write.
        shown: the representation that was read last, None if none was.
        listed: the entry of a list that showed it last, None if none did.
        writes: the exchanges that brought it to its state.
        deleted: whether it was deleted.
        later: whether a write was accepted for later (202).
    """

    item: Item
    expected: dict[str, Any]
    previous: dict[str, Any] = field(default_factory=dict)
    shown: Any = None
    listed: Any = None
    writes: list[Exchange] = field(default_factory=list)
    deleted: bool = False
    later: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A member that shows something else than was written.

    Attributes:
        weight: `violation` or `drift`.
        title: what is wrong, in a few words.
    """

    weight: str
    member: str
    title: str
    expected: Any
    got: Any


@dataclass(slots=True)
class Life:
    """Two items of a collection, which the checks of a run share, and what is known of the server's way with members.

    Attributes:
        kept: members that showed exactly what was written, so that the server has to go on with it.
        watched: by `operationId` of a write, the failure that it changed another item, None if it did not.
        broken: why nothing more can be said of the collection, "" as long as all is well.
    """

    run: Run
    collection: Collection
    kept: set[str] = field(default_factory=set)
    watched: dict[str, CheckFailure | None] = field(default_factory=dict)
    broken: str = ""
    ended: list[ItemState] = field(default_factory=list)
    _pair: list[ItemState] = field(default_factory=list)
    _items: Items | None = None

    @property
    def items(self) -> Items:
        """The items that the checks of the collection create, in a session of their own."""
        if self._items is None:
            self._items = Items(Session(self.run))
        return self._items

    def close(self) -> None:
        """Delete what is left of the items, and end their session."""
        if self._items is not None:
            self._items.clean_up()
            self._items.session.close()

    def pair(self) -> tuple[ItemState, ItemState]:
        """Return two items that are there and show what was written; they are made where they are not there.

        Raises:
            NotRun: the server does not follow the shape of a collection, or refuses what is needed.
        """
        if self.broken:
            raise NotRun(self.broken)
        self._pair = [one for one in self._pair if not one.deleted]
        while len(self._pair) < 2:
            state = self.new()
            if state.item.read is None and READ in self.collection.operations:
                raise NotRun(f"what {self.collection.operations[CREATE].label} creates cannot be read")
            self._pair.append(state)
        return self._pair[0], self._pair[1]

    def use(self, *states: ItemState) -> None:
        """Use these items as the pair from now on."""
        self._pair[:] = states

    def forget(self) -> None:
        """Use other items from now on, as those of the pair are not as they should be."""
        self._pair.clear()

    def new(self, beside: ItemState | None = None) -> ItemState:
        """Return a new item with what it must show, below the same parent as another one, if that is given.

        Raises:
            NotRun: it cannot be created.
        """
        beside = beside or next(iter(self._pair), None)
        parents = beside.item.parents if beside is not None else ()
        if self.broken:
            raise NotRun(self.broken)
        try:
            item = self.items.create(self.collection, parent=parents[-1] if parents else None)
        except NotRun as reason:
            if not self.items.made:
                self.broken = str(reason)  # it would be so each time
            raise
        values = unwrapped(item.sent)
        shown = None if item.read is None or item.read.response is None else json_or_none(item.read.response)
        found = aligned(item.sent, shown) if values else None
        expected = found[0] if found is not None else values[-1] if values else {}
        state = ItemState(item, dict(expected), {}, shown, [item.created])
        response = item.created.response
        state.later = response is not None and response.status == _ACCEPTED
        return state

    def read(self, state: ItemState) -> tuple[WireRequest, WireResponse]:
        """Read an item; return request and response.

        Raises:
            NotRun: it cannot be read, for reasons other than its state.
        """
        request, response = self.items.call(state.item, READ)
        if state.deleted and response.status in {401, 403}:
            return request, response  # what is not there may be nobody's to read
        if response.status in {401, 403, 429} or response.status >= 500:
            raise NotRun(f"the read was answered with {response.status}")
        return request, response

    def settled(
        self, state: ItemState, is_right: Callable[[WireResponse], bool]
    ) -> tuple[WireRequest, WireResponse, bool]:
        """Read an item until it is right, within `--settle`; return the last read, and whether it was right.

        Raises:
            NotRun: it cannot be read, or the run has no time left to wait.
        """
        for _ in self.run.poller.polls(f"items of {self.collection.path}"):
            request, response = self.read(state)
            if is_right(response):
                return request, response, True
        if self.run.poller.spent:
            raise NotRun(f"the run has already waited {self.run.poller.waited_seconds:.0f} s in all")
        return request, response, False

    def listing(self, state: ItemState, is_right: Callable[[Listing], bool]) -> Listing:
        """List the collection of an item until the list is right, within `--settle`; return what was listed last.

        Raises:
            NotRun: it cannot be listed, or the run has no time left to wait.
        """
        if LIST not in self.collection.operations:
            raise NotRun(f"no documented operation lists {self.collection.path}")
        found: Listing | None = None
        for _ in self.run.poller.polls(f"list of {self.collection.path}"):
            found = listed(self.items, state.item)
            if is_right(found):
                return found
        assert found is not None
        if self.run.poller.spent:
            raise NotRun(f"the run has already waited {self.run.poller.waited_seconds:.0f} s in all")
        return found

    def wrote(self, state: ItemState, request: WireRequest, response: WireResponse, expected: dict[str, Any]) -> None:
        """Record that a write was accepted, and what the item must show from now on."""
        state.previous, state.expected = state.expected, expected
        state.writes.append(Exchange(request, response))
        state.later = response.status == _ACCEPTED

    def evidence(self, request: WireRequest, response: WireResponse, *states: ItemState) -> Exchange:
        """Return an exchange with the writes before it that it needs to be understood, and to be repeated."""
        history = [*self._parents(*states)]
        for state in states:
            history += state.writes if len(state.writes) <= _MAX_HISTORY else [state.writes[0], *state.writes[-2:]]
        own = [one for one in history if one.request is not request]
        return Exchange(request, response, history=tuple(own))

    def _parents(self, *states: ItemState) -> Iterator[Exchange]:
        for parent in states[0].item.parents if states else ():
            if parent.sent is not None:
                yield parent.created

    def failure(
        self,
        check: str,
        operation: Operation,
        title: str,
        *,
        expected: str,
        got: str,
        exchange: Exchange,
        weight: str = "violation",
    ) -> CheckFailure:
        """Return the failure of a check of state on an operation."""
        success = operation.success()
        rule: Rule = "contract" if weight == "violation" else "silent"
        return CheckFailure(
            check,
            operation.label,
            title,
            expected=f"{expected} ({RULE})",
            got=got,
            pointer=success.pointer if success is not None else operation.pointer,
            rule=rule,
            exchange=exchange,
        )

    def differences(self, state: ItemState, shown: Any, operation: Operation) -> Iterator[Difference]:
        """Yield how a representation differs from what was written last, members that servers set apart."""
        found = aligned(state.expected, shown)
        if found is None:
            return
        expected, object_shown = found
        settable, hidden = self.settable(operation), self._hidden(operation)
        for name, value in expected.items():
            if name in hidden:
                continue
            how = likeness(value, object_shown.get(name))
            if how is Likeness.SAME:
                if name not in state.previous or state.previous[name] != value:
                    self.kept.add(name)
                continue
            if is_owned(name) and name not in self.kept:
                continue
            got = object_shown.get(name)
            if how is Likeness.ALIKE:
                yield Difference("drift", name, "a value is shown in another form than it was written", value, got)
                continue
            was = state.previous.get(name)
            is_old = name in state.previous and likeness(was, got) <= Likeness.ALIKE and was != value
            if name in self.kept:
                title = "the old value is shown" if is_old else "another value is shown than was written"
                yield Difference("violation", name, title, value, got)
            elif name in object_shown or self.shows(operation, name):
                sure = name in settable and not is_old and self._may_be_shown(shown, object_shown, name, value)
                weight = "violation" if sure else "drift"
                yield Difference(weight, name, "another value is shown than was written", value, got)

    def _may_be_shown(self, whole: Any, holder: Any, name: str, value: Any) -> bool:
        """Tell whether the contract lets a read show a value in place of what an object in its content holds."""
        read = self.collection.operations.get(READ)
        media_type = json_content(read) if read is not None else None
        if media_type is None or media_type.schema is None or name not in holder:
            return True
        is_valid = self.run.contract.validator(media_type.schema, "response").is_valid
        held = holder[name]
        if not is_valid(whole):
            return True
        holder[name] = value
        try:
            return is_valid(whole)
        finally:
            holder[name] = held

    def settable(self, operation: Operation) -> frozenset[str]:
        """Return the members that the contract lets the client set for sure.

        These are all where requests and responses have schemas of their own, or where the contract says what is
        `readOnly`; else those that a request must have.
        """
        content = operation.request_body.content.values() if operation.request_body is not None else ()
        taken = next((one for one in content if one.schema is not None), None)
        if taken is None or taken.schema is None:
            return frozenset()
        shape = SchemaShape(self.run.contract, [taken.schema])
        own = set(shape.writable)
        shown = set(self._shown_names())
        apart = shown - set(shape.names) or len(own) < len(shape.names)
        return frozenset(own if apart else own & required(self.run.contract, taken.schema))

    def _hidden(self, operation: Operation) -> frozenset[str]:
        """Return the members that no response shows, by the schemas of what creates the items and of an operation."""
        found: set[str] = set()
        for one in (operation, *(self.collection.operations.get(role) for role in (CREATE, READ))):
            for pointer in _schemas(one) if one is not None else ():
                shape = SchemaShape(self.run.contract, [pointer])
                found.update(
                    name for name in shape.names if (held := shape.member(name)) is not None and held.write_only
                )
        return frozenset(found)

    def shows(self, operation: Operation, name: str) -> bool:
        """Tell whether the contract says that reads show a member that an operation takes."""
        return name in self._shown_names() or (READ not in self.collection.operations and operation is None)

    def _shown_names(self) -> tuple[str, ...]:
        for role in (READ, CREATE):
            operation = self.collection.operations.get(role)
            media_type = json_content(operation) if operation is not None else None
            shape = shape_of(self.run.contract, media_type) if media_type is not None else None
            if shape is not None and shape.names:
                inner = [member for name in shape.names if (member := shape.member(name)) is not None]
                return (*shape.names, *(name for member in inner for name in member.names))
        return ()

    def same(self, before: Any, after: Any) -> list[str]:
        """Return the kept members in which two representations of an item differ; normalised values do not count."""
        found = aligned(before, after)
        if found is None:
            return [] if not before else ["everything"]
        one, other = found
        return [
            name
            for name, value in one.items()
            if name in self.kept and likeness(value, other.get(name)) > Likeness.ALIKE and value is not None
        ]

    def is_unchanged(self, before: Any, after: Any) -> bool:
        """Tell whether two representations are equal but for members that servers set by themselves."""
        found = aligned(before, after)
        if found is None:
            return bool(before == after)
        one, other = ({name: held for name, held in part.items() if not is_volatile(name)} for part in found)
        return likeness(one, other) is Likeness.SAME and one.keys() == other.keys()

    def entry(self, listing: Listing, state: ItemState) -> list[Any]:
        """Return the entries of a list that are an item."""
        return [one for one in listing.entries if is_entry(self.collection, one, state.item)]


def is_volatile(name: str) -> bool:
    """Tell whether a member may change by itself, such as the time of the last access; a state is none of them."""
    return is_owned(name) and name.lower() not in {"status", "state", "phase", "id", "deleted"}


def is_entry(collection: Collection, entry: Any, item: Item) -> bool:
    """Tell whether an entry of a list is an item, by what names it."""
    told = next(names(collection, entry), None)
    if told is not None and _is_name(told, item):
        return True
    if collection.identifier and isinstance(entry, Mapping) and collection.identifier in entry:
        # The path may name it by another member than the one that identifies it: `/databases/{name}`.
        read = json_or_none(item.read.response) if item.read is not None and item.read.response is not None else None
        shown = (one.get(collection.identifier) for one in (read, item.shown) if isinstance(one, Mapping))
        return any(own is not None and str(own) == str(entry[collection.identifier]) for own in shown)
    return any(_is_name(name, item) for name in names(collection, entry))


def _is_name(text: str, item: Item) -> bool:
    return text.casefold().rstrip(".") == item.name.casefold().rstrip(".") or text.rstrip("/").endswith(item.path)


def _schemas(operation: Operation) -> Iterator[str]:
    """Yield the pointers of the schemas of what an operation takes, and of what its success shows."""
    success = operation.success()
    for content in (operation.request_body, success):
        for media_type in content.content.values() if content is not None else ():
            if media_type.schema is not None:
                yield media_type.schema


def value_of(response: WireResponse, collection: Collection, role: str) -> Any:
    """Return the item in a response, or the whole content where its place is unknown."""
    value = json_or_none(response)
    found = at(value, collection.places.get(role))
    return value if found is None else found


def told(value: Any) -> str:
    """Return a value as text for a message."""
    return describe(value, 160)
