"""Items that a run creates on the target: made with their parents, read, listed and deleted.

::

    items = Items(session)
    item = items.create(collection)        # of state_model(contract); parents are made first, and known by item.parents
    response = items.read(item)            # with the credentials of whoever may read it
    request = items.request(operation, item, identity)    # any operation at or below the item, as anybody
    items.clean_up()                       # what is left at the end is deleted by the ledger, too
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, DELETE, LIST, READ, Collection, state_model
from mockserver.errors import MockServerError
from mockserver.http.path_templates import parse_template
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Session
from mockserver.suite.state.bodies import completed, fresh, fresh_text
from mockserver.suite.state.item_paths import at, below, entries, joined, names, values_of
from mockserver.suite.target.exchange import GONE, Exchange, WireRequest, WireResponse, is_json, json_or_none, sent_json
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.failures import NotRun

#: Refusals that say that the content is not as the server wants it, or that what it names is taken.
_ABOUT_CONTENT = frozenset({400, 409, 412, 415, 422})
#: How deep parents of parents are made.
_MAX_PARENTS = 4
#: So many of the paths that a new item may have are asked again and again where none can be read at first.
_LIKELIEST = 2
_FORBIDDEN = 403
_OK, _CREATED = 200, 201


@dataclass(frozen=True, slots=True)
class Item:
    """An item that the run created.

    Attributes:
        collection: the collection that it belongs to.
        path: its path, percent-encoded.
        name: the text in its path that names it, decoded.
        sent: the JSON value that it was made of, None if it was no JSON.
        shown: the item in the response to its creation, None if that shows none.
        created: the exchange that created it.
        parents: the items that it is below, the innermost last; made by the run, or found in a list.
        read: the exchange of the first successful read, None if there was none.
        sure: whether the response, or the request, said by what it is named; else its path is a guess.
    """

    collection: Collection
    path: str
    name: str
    sent: Any
    shown: Any
    created: Exchange
    parents: tuple[Item, ...] = ()
    read: Exchange | None = None
    sure: bool = True

    @property
    def values(self) -> dict[str, str]:
        """The values of the parameters of its path, by name."""
        return read_off(self.collection.item, self.path)

    @property
    def list_path(self) -> str:
        """The path of the collection that it belongs to, with the values of its parameters."""
        return below(self.collection.path, self.path)


@dataclass(slots=True)
class Items:
    """Creates, reads, lists and deletes items in a session, with the consent of its guard.

    Attributes:
        session: sends the requests; its history holds the writes.
        made: the items that were made, parents included, the oldest first.
        gone: paths of those that were deleted.
        full: whether new items get the optional members that are texts, numbers or choices, where that is accepted.
    """

    session: Session
    made: list[Item] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    full: bool = True
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _salt: str = ""

    def __post_init__(self) -> None:
        # Two runs on one server must not get in each other's way; on our own stub all stays the same.
        self._salt = "own" if self.session.run.own else secrets.token_hex(3)

    @property
    def model(self) -> Any:
        """The state model of the contract."""
        return state_model(self.session.contract)

    def token(self) -> str:
        """Return a text of small letters and digits that no other item has."""
        return f"ms{self._salt}{next(self._numbers)}"

    def create(
        self, collection: Collection, *, parent: Item | None = None, identity: Identity | None = None, depth: int = 0
    ) -> Item:
        """Return a new item of a collection; the items that it is below are made first, or found in their lists.

        Args:
            collection: of the state model.
            parent: the item that it is to be below, None for a new one.
            identity: who creates it, None for whoever may.
            depth: how many parents are being made already.

        Raises:
            NotRun: it must not be made, was refused, or nothing tells what it is called.
        """
        operation = collection.operations.get(CREATE)
        if operation is None:
            raise NotRun(f"no documented operation creates an item of {collection.path}")
        self.session.run.need(operation)
        if parent is None and collection.parent:
            parent = self._parent(collection, depth)
        refusal = "it cannot be created"
        for body, media_type in self._contents(operation):

            def build(
                caller: Identity | None, body: bytes | None = body, media: str | None = media_type
            ) -> WireRequest:
                who = caller or self.session.run.allowed(operation)
                return self._creation(operation, collection, parent, who, body, media)

            request, response = self._by_whoever_may(operation, build, identity)
            if response.successful:
                return self._made(collection, parent, Exchange(request, response))
            refusal = f"{operation.label} was answered with {response.status}"
            if response.status not in _ABOUT_CONTENT:
                break
        raise NotRun(f"no item of {collection.path} could be created: {refusal}")

    def find(self, collection: Collection, *, parent: Item | None = None, depth: int = 0) -> Item:
        """Return an item that a list shows, which may have been there before the run: it is only to be read.

        Raises:
            NotRun: there is none, or it cannot be found.
        """
        listing = collection.operations.get(LIST)
        if listing is None:
            raise NotRun(f"no documented operation lists {collection.path}")
        if parent is None and collection.parent:
            parent = self._parent(collection, depth)
        request = self.request(listing, parent)
        response = self.session.call(listing, request)
        value = json_or_none(response) if response.successful else None
        for entry in entries(collection, value):
            for name in names(collection, entry):
                path = joined(collection, request.path, name)
                found = Item(collection, path, name, None, entry, Exchange(request, response), _line(parent))
                reads = collection.operations.get(READ)
                if reads is None or self.session.call(reads, self.request(reads, found)).successful:
                    return found
                break
        raise NotRun(f"{listing.label} shows no item")

    def request(
        self,
        operation: Operation,
        item: Item | None,
        identity: Identity | None = None,
        *,
        anonymous: bool = False,
        body: bytes | None = None,
        media_type: str | None = None,
        arguments: Mapping[tuple[str, str], Any] | None = None,
    ) -> WireRequest:
        """Return a request for an operation at, below or beside an item.

        Args:
            operation: whose path begins with that of the item, or of its collection.
            item: None for operations without an item.
            identity: who calls, None for whoever may.
            anonymous: send no credentials at all.
            body: the content; none is made up.
            media_type: of the content.
            arguments: parameters by location and name.

        Raises:
            NotRun: no identity may call it, or it cannot be made.
        """
        caller = None if anonymous else identity or self.session.run.allowed(operation)
        values = {} if item is None else values_of(operation, item.path)
        if item is not None and not values and "{" in operation.path:
            raise NotRun(f"{operation.label} is not about {item.path}")
        return self.session.request(
            operation, caller, body=body, media_type=media_type, path_values=values, arguments=arguments
        )

    def read(self, item: Item, identity: Identity | None = None) -> WireResponse:
        """Return the response to a read of an item.

        Raises:
            NotRun: no documented operation reads it, or nobody may.
        """
        return self.call(item, READ, identity)[1]

    def list(self, item: Item, identity: Identity | None = None) -> WireResponse:
        """Return the response to a list of the collection that an item belongs to.

        Raises:
            NotRun: no documented operation lists it, or nobody may.
        """
        return self.call(item, LIST, identity)[1]

    def delete(self, item: Item, identity: Identity | None = None) -> WireResponse:
        """Return the response to the deletion of an item.

        Raises:
            NotRun: no documented operation deletes it, or nobody may.
        """
        response = self.call(item, DELETE, identity)[1]
        if response.successful:
            self.gone.add(item.path)
        return response

    def call(
        self,
        item: Item,
        role: str,
        identity: Identity | None = None,
        *,
        body: Any = None,
        arguments: Mapping[tuple[str, str], Any] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> tuple[WireRequest, WireResponse]:
        """Call the operation that has a role for an item, and return request and response.

        Raises:
            NotRun: there is none, nobody may call it, or there is no response.
        """
        operation = item.collection.operations.get(role)
        if operation is None:
            raise NotRun(f"the contract has no operation that could {role} {item.collection.item}")
        content, media_type = (None, None) if body is None else written(operation, body)
        if role == DELETE and READ not in item.collection.operations and LIST in item.collection.operations:
            self._look_in_list(item)

        def build(caller: Identity | None) -> WireRequest:
            request = self.request(operation, item, caller, body=content, media_type=media_type, arguments=arguments)
            for name, text in (fields or {}).items():
                request = request.with_field(name, text)
            return request

        return self._by_whoever_may(operation, build, identity)

    def _look_in_list(self, item: Item) -> None:
        """Record whether a list shows an item, so that its absence will say that it is gone."""
        with suppress(NotRun):
            shown = entries(item.collection, json_or_none(self.call(item, LIST)[1]))
            if any(item.name in set(names(item.collection, entry)) for entry in shown):
                self.session.run.listed.add(item.path.rstrip("/"))

    def _by_whoever_may(
        self, operation: Operation, build: Callable[[Identity | None], WireRequest], identity: Identity | None
    ) -> tuple[WireRequest, WireResponse]:
        """Send a request as an identity, None for whoever may: after a 403 the others are tried, and remembered."""
        request = build(identity)
        response = self.session.call(operation, request)
        run = self.session.run
        if response.status != _FORBIDDEN or identity is not None or operation.id in run.callers:
            return request, response
        for other in run.other_callers(operation):
            with suppress(NotRun):
                again = build(other)
                found = response if again == request else self.session.call(operation, again)
                if found.status != _FORBIDDEN:
                    run.callers[operation.id] = other
                    return again, found
        return request, response

    def send(
        self,
        item: Item,
        role: str,
        content: bytes,
        media_type: str,
        fields: Mapping[str, str] | None = None,
    ) -> tuple[WireRequest, WireResponse]:
        """Send content to the operation that has a role for an item, and return request and response.

        Raises:
            NotRun: there is none, nobody may call it, or there is no response.
        """
        operation = item.collection.operations[role]

        def build(caller: Identity | None) -> WireRequest:
            request = self.request(operation, item, caller, body=content, media_type=media_type)
            for name, text in (fields or {}).items():
                request = request.with_field(name, text)
            return request

        return self._by_whoever_may(operation, build, None)

    def beside(self, item: Item, parent: Item) -> Item:
        """Return what an item would be if it were below another parent."""
        path = parent.path.rstrip("/") + item.path.removeprefix(item.parents[-1].path.rstrip("/"))
        return replace(item, path=path, parents=_line(parent))

    def clean_up(self) -> None:
        """Delete what was made and is still there, the newest first; what cannot be deleted is left to the ledger."""
        for item in reversed(self.made):
            if item.path not in self.gone and DELETE in item.collection.operations:
                try:
                    self.delete(item)
                except (NotRun, MockServerError):
                    return  # the ledger says why, and tries it again
        self.made.clear()

    def fresh_body(
        self, operation: Operation, *, full: bool = True, references: bool = False
    ) -> tuple[Any, str | None]:
        """Return a new valid JSON value for a write, with fresh texts and other numbers, and its media type.

        Args:
            operation: the write.
            full: with the optional members that are texts, numbers or booleans.
            references: with fresh values also for members that name items of other collections.

        Raises:
            NotRun: none can be made; the value is None where the operation takes no JSON.
        """
        body, media_type = self.session.valid_body(operation)
        found = json_content_of(operation)
        if body is None or found is None or not is_json(media_type or ""):
            return None, media_type
        value, schema = json.loads(body), found[1].schema
        if full:
            value = completed(self.session.contract, schema, value)
        return fresh(self.session.contract, schema, value, self.token(), references=references), media_type

    def _contents(self, operation: Operation) -> Iterator[tuple[bytes | None, str | None]]:
        """Yield contents to create an item of: with all members, with those that are needed, and as it is."""
        seen: set[bytes | None] = set()
        for full, references in ((True, False), (False, False), (False, True)):
            if full and not self.full:
                continue
            value, media_type = self.fresh_body(operation, full=full, references=references)
            if value is None:
                break
            body = json.dumps(value).encode()
            if body not in seen:
                seen.add(body)
                yield body, media_type
        usual = self.session.valid_body(operation)
        if usual[0] not in seen:
            yield usual

    def _creation(
        self,
        operation: Operation,
        collection: Collection,
        parent: Item | None,
        caller: Identity | None,
        body: bytes | None,
        media_type: str | None,
    ) -> WireRequest:
        values: dict[str, Any] = {} if parent is None else values_of(operation, parent.path)
        own = parse_template(collection.item).parameters[-1] if operation.method == "PUT" else ""
        if own:
            values[own] = self._key(operation, own)
        return self.session.request(operation, caller, body=body, media_type=media_type, path_values=values)

    def _key(self, operation: Operation, name: str) -> Any:
        """Return a fresh value for the path parameter by which the client names a new item.

        Raises:
            NotRun: none is valid.
        """
        parameter = next((one for one in operation.parameters if (one.location, one.name) == ("path", name)), None)
        token = self.token()
        if parameter is None or parameter.schema is None:
            return token
        validator = self.session.contract.validator(parameter.schema, "request")
        if validator.is_valid(token):
            return token
        usual = read_off(operation.path, self.session.request(operation, None).path).get(name, token)
        found = fresh_text(self.session.contract, parameter.schema, usual, token)
        if found is None:
            raise NotRun(f"no fresh value for {name} is valid")
        return found

    def _parent(self, collection: Collection, depth: int) -> Item | None:
        above: Collection | None = self.model.collection(collection.parent)
        if above is None:
            return None
        if depth >= _MAX_PARENTS:
            raise NotRun(f"{collection.path} is below too many other collections")
        try:
            return self.create(above, depth=depth + 1)
        except NotRun as reason:
            try:
                return self.find(above, depth=depth + 1)
            except NotRun:
                raise reason from None

    def _made(self, collection: Collection, parent: Item | None, exchange: Exchange) -> Item:
        response = exchange.response
        assert response is not None
        create = collection.operations[CREATE]
        if response.status == _OK and str(_CREATED) in create.responses:
            # It may name one that was there before, which is not the run's to change or delete.
            raise NotRun(f"{create.label} was answered with 200, and not with the 201 that says that an item is new")
        value = json_or_none(response)
        sent = sent_json(exchange.request)
        shown = at(value, collection.places.get(CREATE))
        reads = collection.operations.get(READ)
        items = []
        for path, sure in self._paths(collection, exchange, value, sent):
            name = list(read_off(collection.item, path).values())[-1]
            items.append(Item(collection, path, name, sent, shown, exchange, _line(parent), sure=sure))
        first = items[0] if items else None
        if reads is not None:
            first = self._settled(reads, items) or first
        if first is None:
            raise NotRun(f"nothing in the response to {exchange.request.method} {collection.path} says what it created")
        self.made.append(first)
        self.gone.discard(first.path)
        self.session.run.guard.adopt(collection.item, first.path)
        return first

    def _settled(self, reads: Operation, items: Sequence[Item]) -> Item | None:
        """Return the first of what a new item may be that can be read within `--settle`, None if none can."""
        lags = True
        for number, _ in enumerate(self.session.run.poller.polls(f"created {reads.path}")):
            for item in items[: _LIKELIEST if number else None]:
                request = self.request(reads, item)
                response = self.session.call(reads, request)
                if response.successful:
                    return replace(item, read=Exchange(request, response))
                lags = response.status in GONE if item is items[0] else lags
            if not lags or not items:
                return None
        return None

    def _paths(self, collection: Collection, exchange: Exchange, value: Any, sent: Any) -> Iterator[tuple[str, bool]]:
        """Yield paths that a new item may have, the likeliest first, each with whether it is more than a guess."""
        seen: set[str] = set()
        for path, sure in self._likely_paths(collection, exchange, value, sent):
            if path not in seen and parse_template(collection.item).match(path) is not None:
                seen.add(path)
                yield path, sure

    def sure_paths(self, collection: Collection, exchange: Exchange) -> Iterator[str]:
        """Yield the paths by which the exchange of a creation names the new item, without guesses."""
        response = exchange.response
        value = json_or_none(response) if response is not None else None
        yield from (
            path for path, sure in self._paths(collection, exchange, value, sent_json(exchange.request)) if sure
        )

    def _likely_paths(
        self, collection: Collection, exchange: Exchange, value: Any, sent: Any
    ) -> Iterator[tuple[str, bool]]:
        request, response = exchange.request, exchange.response
        assert response is not None
        if request.method == "PUT":
            yield request.path.partition("?")[0], True
            return
        location = response.field("Location")
        base = urlsplit(self.session.run.target.base_url)
        if location is not None:
            parts = urlsplit(location)
            if parts.netloc in {"", base.netloc}:
                yield parts.path.removeprefix(base.path.rstrip("/")), True
        for found in (at(value, collection.places.get(CREATE)), value, sent):
            known = {str(found.get(collection.identifier))} if isinstance(found, Mapping) else set()
            for name in names(collection, found):
                yield joined(collection, request.path, name), bool(collection.identifier) and name in known


def written(operation: Operation, value: Any) -> tuple[bytes, str]:
    """Return a JSON value as content for an operation, with its media type.

    Raises:
        NotRun: the operation takes no JSON.
    """
    found = json_content_of(operation)
    if found is None:
        raise NotRun(f"{operation.label} takes no JSON")
    return json.dumps(value).encode(), found[0]


def _line(parent: Item | None) -> tuple[Item, ...]:
    return () if parent is None else (*parent.parents, parent)
