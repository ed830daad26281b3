"""New items: what a request and the server give to an item that is created, its identifier above all."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mockserver import sources
from mockserver.contract.model import Behaviour, Operation
from mockserver.contract.resources.identifiers import is_a_name, is_an_identifier, is_said_by, words
from mockserver.contract.resources.shapes import SchemaShape
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.plugins.calls import Call
from mockserver.stub.crud.collection_names import segment
from mockserver.stub.crud.item_records import Identity, ItemRecords
from mockserver.stub.crud.item_responses import ItemResponses, ServerParts
from mockserver.stub.crud.new_identifiers import Form, ItemIdentifiers, number_of
from mockserver.stub.crud.queries import as_text
from mockserver.stub.crud.representation import Item
from mockserver.stub.crud.writes import NamesAbove, stamp, with_files

_MAX_TRIES = 20


class NewItems:
    """Maker of the items that one operation creates."""

    def __init__(
        self,
        operation: Operation,
        behaviour: Behaviour,
        identity: Identity,
        identifiers: ItemIdentifiers,
        responses: ItemResponses,
    ) -> None:
        self._behaviour = behaviour
        self._identity = identity
        self._identifiers = identifiers
        self._responses = responses
        self._refuses_known = not operation.responses.keys().isdisjoint({"409", "4XX"})
        self._form: Form | None = None
        self._empty = self._compile_empty() if behaviour.role == "create" else {}
        self._is_a_name = is_a_name(behaviour.identifier) and behaviour.identifier not in responses.settable
        self._above = NamesAbove(operation, responses.shape, identity.around, {identity.member, *behaviour.names})
        self._numbered = tuple(
            name for name in behaviour.names if is_an_identifier(name) and name not in responses.settable
        )

    def _compile_empty(self) -> dict[str, Any]:
        """Return the defaults of members that clients set, and lists that are empty at first."""
        shape = self._responses.shape
        empty: dict[str, Any] = {}
        for name in shape.names if isinstance(shape, SchemaShape) else ():
            member = shape.member(name) if isinstance(shape, SchemaShape) else None
            if member is None or name not in self._responses.settable:
                continue
            given = next((schema["default"] for schema in member.schemas if "default" in schema), None)
            if given is not None:
                empty[name] = given
            elif member.kinds == {"array"} and not any(schema.get("minItems") for schema in member.schemas):
                empty[name] = []
        return empty

    def _with_query(self, call: Call, item: Item) -> Item:
        """Return an item with the members that the query of its creation gives: `POST /containers/create?name=web`."""
        query = call.arguments.query
        shape = self._responses.shape
        if not query or shape is None:
            return item
        given = {name.lower(): value for name, value in query.items() if isinstance(value, str) and value}
        named = {name: given[name.lower()] for name in shape.names if name.lower() in given}
        return {**item, **{name: value for name, value in named.items() if is_a_name(name)}} if named else item

    def fits(self, value: Any) -> bool:
        """Tell whether a value can be the identifier of an item in a path."""
        return self._identifiers.fits(value)

    def make(self, call: Call, records: ItemRecords, body: Item) -> tuple[str, Item]:
        """Return a new item, made of a request and the parts that the server gives, with its key.

        Raises:
            RequestRejected: 409, the client gave an identifier that there is, and the contract documents this.
        """
        base = self._responses.server_parts(call, records.seeds)
        item = {**base.server, **self._empty, **body}
        item = self._with_query(call, self._responses.places.placed(item, body))
        item = self._above.shown_in(item, body, call.arguments.path) if self._above else item
        item = with_files(item, body, self._responses.shape)
        if base.stamped:
            stamp(item, base.item, call.now, fresh=True, names=[name for name in base.stamped if name not in body])
        identity = self._identity
        if not identity.name:
            return self._key_without_identifier(records, item), item
        item = self._with_other_identifiers(call, records, item, base, body)
        sent = identity.of(body)
        if sent is None and self._is_a_name:
            sent = self._name_in(body)
        if sent is None or not self._identifiers.fits(sent):  # nobody could ever ask for it, so the server names it
            value = self._new_identifier(call, records, base)
            return as_text(value), identity.given(self._with_own_urls(call, base, item, as_text(value)), value)
        key = as_text(sent)
        if self._refuses_known and records.find(key).item is not None:
            raise RequestRejected(409, "Conflict", f"an item with {identity.name} {json.text(key[:60])} exists already")
        records.note_number(number_of(key, identity.of(base.item)))
        return key, identity.given(self._with_own_urls(call, base, item, key), sent)

    def _with_own_urls(self, call: Call, base: ServerParts, item: Item, key: str) -> Item:
        """Return an item whose URLs of itself lead to it, and no more to the item of the example."""
        # A made-up URL is that of nothing; an author's is one of the item if it ends in the identifier.
        old = as_text(self._identity.of(base.item)) if self._responses.exemplary else ""
        changed: Item = {}
        others = {
            as_text(base.item[name]): as_text(item[name])
            for name in (self._behaviour.names if old and base.urls else ())
            if base.item.get(name) is not None and item.get(name) is not None
        }

        def led_back(url: str) -> str:
            tail = urlsplit(url).path.rstrip("/").rpartition("/")[2]
            return _own_url(url, tail, others[tail], call) if tail in others else _own_url(url, old, key, call)

        for name in base.urls:
            value = base.server[name]
            if isinstance(value, str):
                changed[name] = led_back(value)
            else:
                own = value["self"]
                url = led_back(own if isinstance(own, str) else own["href"])
                changed[name] = {**value, "self": url if isinstance(own, str) else {**own, "href": url}}
        return {**item, **changed} if changed else item

    def _with_other_identifiers(
        self, call: Call, records: ItemRecords, item: Item, base: ServerParts, body: Item
    ) -> Item:
        """Return an item with new values of the identifiers that the server makes beside the one in paths."""
        changed: Item = {}
        for name in self._numbered:
            example = base.item.get(name)
            if name in body or example is None:
                continue
            number = next(records.next_numbers(partial(number_of, example=example), name))
            secret = partial(sources.make_secret, call.rules.seed_number, call.world, f"{records.path} {name}", number)
            changed[name] = next(self._identifiers.forms(example))(number, secret)
        return {**item, **changed} if changed else item

    def _name_in(self, body: Item) -> Any:
        """Return the name that a client gave an item by another member than the one in paths; None if it gave none."""
        for name in self._behaviour.names:
            if is_a_name(name) and isinstance(body.get(name), str):
                return body[name]
        # `new_branch_name` or `branch_name` for a `name` that the server shows.
        alike = [name for name in body if is_said_by(name, self._identity.name) and isinstance(body[name], str)]
        alike = [name for name in alike if words(name)[0] == "new"] or alike
        return body[alike[0]] if len(alike) == 1 else None

    def _key_without_identifier(self, records: ItemRecords, item: Item) -> str:
        for name in self._behaviour.names:
            value = item.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and not records.known(as_text(value)):
                return as_text(value)
        numbers = records.next_numbers(lambda key: number_of(key, 0))
        return next(f"{number}" for number in numbers if not records.known(f"{number}"))

    def _new_identifier(self, call: Call, records: ItemRecords, base: ServerParts) -> Any:
        """Return an identifier that no item has or had, similar to that of the example."""
        example = self._identity.of(base.item)
        numbers = records.next_numbers(lambda key: number_of(key, example))

        def secret() -> str:
            return sources.make_secret(call.rules.seed_number, call.world, records.path, number)

        number = next(numbers)
        forms = iter((self._form,)) if self._form is not None else self._identifiers.forms(example)
        for _ in range(_MAX_TRIES):
            for form in forms:
                candidate = form(number, secret)
                if not self._identifiers.fits(candidate) or records.known(as_text(candidate)):
                    continue
                if self._form is not None or self._is_good(call, base, candidate):
                    self._form = form
                    return candidate
            number = next(numbers)
            forms = self._identifiers.forms(example)
        return example if example is not None else secret()

    def _is_good(self, call: Call, base: ServerParts, candidate: Any) -> bool:
        """Tell whether a response can show an item with an identifier; asked for the first of a form alone."""
        if not self._behaviour.answers:
            return True
        return self._responses.presentation.show(
            self._identity.given(base.item, candidate), self._responses.template(call)
        )[1]


def _own_url(example: str, old: str, key: str, call: Call) -> str:
    """Return the URL of a new item in the form of an example's, which ends in the example's identifier.

    It leads back to this stub where its path is that of the request for a new item, or the example is made up (its
    identifier is ""); else only the identifier changes.
    """
    parts = urlsplit(example)
    path = parts.path.rstrip("/")
    if old and path.rpartition("/")[2] != old:
        return example
    request = call.request
    tail = "/" * (parts.path.endswith("/") if old or request is None else request.path.endswith("/"))
    if not old and request is None:
        return example
    if request is None or (
        old and path.rpartition("/")[0].rpartition("/")[2] != request.path.rstrip("/").rpartition("/")[2]
    ):
        return urlunsplit(parts._replace(path=f"{path.rpartition('/')[0]}/{segment(key)}{tail}"))
    here = f"{request.fields.get('SCRIPT_NAME') or ''}{request.path.rstrip('/')}/{segment(key)}{tail}"
    host = request.fields.get("HTTP_HOST")
    return f"{request.fields.get('wsgi.url_scheme', 'http')}://{host}{here}" if parts.netloc and host else here
