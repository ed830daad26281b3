"""Behaviour of collections and items: list, create, read, replace, merge and delete.

::

    seeds (what the contract's examples show) ── overlaid by ── this world's records ── shown as the operation documents

The store keeps records under the collection's own path, `resource:/users/7/pets`, by the text of their identifier:
`{"item": {...}}`, or `{"gone": true}` once deleted. What is only read is never written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from mockserver import sources
from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.plugins.calls import Call
from mockserver.stub.crud import preconditions
from mockserver.stub.crud.example_items import ExampleItems, Representations, has_examples, item_parameter
from mockserver.stub.crud.new_identifiers import ItemIdentifiers
from mockserver.stub.crud.queries import as_text, choose, paging
from mockserver.stub.crud.representation import Item, Presentation, value_at
from mockserver.stub.crud.tombstones import PREFIX, Tombstones, filled, missing_item
from mockserver.stub.crud.writes import entity_tag, json_patched, merge_patched, settable, stamp

#: A longer `Location` is left out: clients need not read it (RFC 9110, section 4.1), and some drop the whole response.
_MAX_URI = 8000


class ResourceHandler:
    """Behaviour of one operation on a collection or its items, by the operation's role."""

    def __init__(
        self,
        contract: Contract,
        operation: Operation,
        behaviour: Behaviour,
        relatives: Mapping[str, Behaviour],
        representations: Representations,
    ) -> None:
        """Prepare the behaviour of one operation on a collection or its items.

        Args:
            contract: where schemas and other operations are looked up.
            operation: the operation that calls are made of.
            behaviour: its role in the resource.
            relatives: the behaviours of all operations of the contract, by `operationId`.
            representations: the responses of operations without state, by `operationId`.
        """
        self._contract = contract
        self._operation = operation
        self._behaviour = behaviour
        relatives = {**relatives, operation.id: behaviour}
        self._initial = ExampleItems(contract, relatives, representations)
        self._tombstones = Tombstones(operation, relatives.values(), behaviour.resource)
        pointer = behaviour.items if behaviour.role == "list" else behaviour.value
        self._presentation = Presentation(contract, operation, pointer)
        self._paging = paging(contract, operation)
        self._settable = settable(contract, operation)
        own = {name: one for name, one in relatives.items() if one.resource == behaviour.resource}
        self._identifiers = ItemIdentifiers(contract, item_parameter(contract, own, behaviour.parameter))
        self._exemplary = has_examples(operation)
        success = operation.success()
        self._tagged = success is not None and any(name.lower() == "etag" for name in success.headers)
        self._exchanges = list(self._documented_exchanges())
        self._seeds: dict[str, Item] | None = None
        self._act = {
            "list": self._list,
            "create": self._create,
            "read": self._read,
            "replace": self._replace,
            "merge": self._merge,
            "delete": self._delete,
        }[behaviour.role]

    def __call__(self, call: Call) -> Outcome:
        """Read or change the items of a collection by the role of the operation, and return the outcome.

        Raises:
            RequestRejected: there is no such item, or a condition does not hold.
        """
        self._tombstones.check(call.arguments.path, call.transaction.get)
        return self._act(call)

    # roles

    def _list(self, call: Call) -> Outcome:
        template = self._template(call)
        view = list(self._view(call).values())
        issued = self._presentation.cursors(template) if self._paging.by_cursor else frozenset()
        page = choose(view, call.arguments.query, self._behaviour.identifier, self._paging, issued)
        known = {as_text(one.get(self._behaviour.identifier)) for one in view}
        if (
            self._reachable(template, known)
            and len(page.items) == len(view)
            and not call.transaction.items(self._collection(call))
        ):
            return Outcome(0, template, "example: this world has no changes to the collection")
        content, sound = self._presentation.show_all(page, template, by_cursor=self._paging.by_cursor)
        if sound:
            return Outcome(0, content, f"{len(page.items)} of {page.total} items")
        return Outcome(0, template, "example: the items of this world break the list's schema")

    def _reachable(self, template: Any, known: set[str]) -> bool:
        """Tell whether all items in a list's template exist, so that clients can read them."""
        shown = value_at(template, self._behaviour.items)
        return self._exemplary or (
            isinstance(shown, list)
            and bool(shown)
            and all(isinstance(one, dict) and as_text(one.get(self._behaviour.identifier)) in known for one in shown)
        )

    def _create(self, call: Call) -> Outcome:
        body = self._body(call)
        again = preconditions.key_created_before(call, self._collection(call))
        record = None if again is None else self._record(call, again)
        if record is not None and "item" in record:
            return self._respond(call, record["item"], "created by an earlier call with this idempotency key")
        base = self._template_item(call)
        view = self._view(call)
        documented = self._documented(call)
        if documented is not None and self._record(call, as_text(documented.get(self._behaviour.identifier))) is None:
            return self._created(call, documented)
        item = {name: value for name, value in base.items() if name not in self._settable} | body
        stamp(item, base, call.now, fresh=True)
        sent = body.get(self._behaviour.identifier)
        if not self._identifiers.fits(sent):
            sent = None  # nobody could ever ask for it, so the server names it
        item[self._behaviour.identifier] = self._new_identifier(call, base, view) if sent is None else sent
        key = as_text(item[self._behaviour.identifier])
        if sent is not None and key in view and self._documents(409):
            raise RequestRejected(
                409, "Conflict", f"an item with {self._behaviour.identifier} {json.text(key[:60])} exists already"
            )
        return self._created(call, item)

    def _created(self, call: Call, item: Item) -> Outcome:
        key = as_text(item[self._behaviour.identifier])
        outcome = self._kept(call, key, item, f"created {key[:60]}")
        preconditions.remember_created(call, self._collection(call), key)
        location = f"{_filled(self._behaviour.resource, call).rstrip('/')}/{quote(key, safe='')}"
        success = self._operation.success()
        if success is None or success.status != "201" or len(location) > _MAX_URI:
            return outcome
        return outcome._replace(fields=(*outcome.fields, ("Location", location)))

    def _read(self, call: Call) -> Outcome:
        shown = self._shown_by_example(call)
        key = as_text(call.arguments.path.get(self._behaviour.parameter))
        state = self._find(call) if shown is None else self._seeded().get(key, shown)
        if state is None:
            return Outcome(0, self._template(call), "example: no item with this identifier is known")
        if preconditions.is_unmodified(call, entity_tag(state)):
            return Outcome(304, NO_CONTENT, "not modified", (("ETag", entity_tag(state)),))
        return self._respond(call, shown or state, "item of this world, or of the contract's examples", state)

    def _replace(self, call: Call) -> Outcome:
        found = self._find_to_change(call)
        base = found if found is not None else self._template_item(call)
        body = self._body(call)
        settable = self._settable or frozenset(body)
        item = {name: value for name, value in base.items() if name not in settable} | body
        item = self._documented(call) or item
        return self._changed(call, item, base, "replaced")

    def _merge(self, call: Call) -> Outcome:
        found = self._find_to_change(call)
        base = found if found is not None else self._template_item(call)
        if call.arguments.media_type == "application/json-patch+json":
            item = json_patched(base, call.content)
        else:
            item = self._documented(call) or merge_patched(base, self._body(call))
        return self._changed(call, item, base, "merged")

    def _delete(self, call: Call) -> Outcome:
        found = self._find_to_change(call)
        key = as_text(call.arguments.path.get(self._behaviour.parameter))
        call.transaction.put(self._collection(call), key, {"gone": True})
        return self._respond(call, found or {}, f"deleted {key[:60]}")

    # what roles share

    def _changed(self, call: Call, item: Item, base: Item, what: str) -> Outcome:
        if item is not self._documented(call):
            stamp(item, base, call.now, fresh=False)
        key = as_text(call.arguments.path.get(self._behaviour.parameter))
        if as_text(item.get(self._behaviour.identifier)) != key:
            item[self._behaviour.identifier] = call.arguments.path.get(self._behaviour.parameter)
        return self._kept(call, key, item, f"{what} {key[:60]}")

    def _kept(self, call: Call, key: str, item: Item, why: str) -> Outcome:
        """Store an item and return its response; members that the response had to add are stored, too."""
        outcome = self._respond(call, item, why)
        shown = value_at(outcome.content, self._behaviour.value) if self._behaviour.answers else None
        added = {name: value for name, value in shown.items() if name not in item} if isinstance(shown, dict) else {}
        kept = self._keep(call, key, {**item, **added})
        return outcome._replace(fields=self._tag_of(kept))

    def _respond(self, call: Call, item: Item, why: str, state: Item | None = None) -> Outcome:
        """Return a response that shows an item, with the entity tag of its state."""
        if not self._presentation.has_content:
            content = self._template(call)  # None where the success has no content at all
            return Outcome(0, NO_CONTENT if content is None else content, why)
        template = self._template(call)
        if not self._behaviour.answers:
            return Outcome(0, template, why)
        content, sound = self._presentation.show(item, template)
        if not sound:
            why = f"{why}; no valid response can show the item"
            content = template if self._presentation.is_valid(template) else content
        return Outcome(0, content, why, self._tag_of(item if state is None else state))

    def _tag_of(self, state: Item) -> tuple[tuple[str, str], ...]:
        return (("ETag", entity_tag(state)),) if self._tagged else ()

    def _collection(self, call: Call) -> str:
        return PREFIX + _filled(self._behaviour.resource, call)

    def _keep(self, call: Call, key: str, item: Item) -> Item:
        kept = {name: value for name, value in item.items() if name not in call.write_only}
        call.transaction.put(self._collection(call), key, {"item": kept})
        return kept

    def _view(self, call: Call) -> dict[str, Item]:
        """Return the items of a collection in this world, keyed by their identifiers as text."""
        view = dict(self._seeded())
        for key, record in call.transaction.items(self._collection(call)).items():
            if record.get("gone"):
                view.pop(key, None)
            else:
                view[key] = record["item"]
        return view

    def _find(self, call: Call, *, upsert: bool = False) -> Item | None:
        """Return the item that the path identifies, None if the stub cannot know whether it exists.

        Raises:
            RequestRejected: 404.
        """
        key = as_text(call.arguments.path.get(self._behaviour.parameter))
        record = call.transaction.get(self._collection(call), key)
        if record is not None:
            if record.get("gone") and not upsert:
                raise missing_item(f"{json.text(key[:60])} was deleted")
            return record.get("item")
        found = self._seeded().get(key)
        if found is None and not upsert and (self._documents(404) or call.transaction.items(self._collection(call))):
            raise missing_item(f"there is no item with {self._behaviour.identifier} {json.text(key[:60])}")
        return found

    def _find_to_change(self, call: Call) -> Item | None:
        """Return the item that the path identifies, as `_find` does, after checking the preconditions.

        Raises:
            RequestRejected: 404, 412.
        """
        upsert = self._behaviour.role != "delete" and "201" in self._operation.responses
        found = self._find(call, upsert=upsert)
        if found is not None or upsert:  # else the item is unknown, and the example is used in its place
            preconditions.require_preconditions(call, None if found is None else entity_tag(found))
        return found

    def _record(self, call: Call, key: str) -> Any:
        return call.transaction.get(self._collection(call), key)

    def _shown_by_example(self, call: Call) -> Item | None:
        """Return the item in the response's example if it is the requested one and was not changed."""
        key = as_text(call.arguments.path.get(self._behaviour.parameter))
        if self._record(call, key) is not None or not self._behaviour.answers:
            return None
        item = value_at(self._template(call), self._behaviour.value)
        return item if isinstance(item, dict) and as_text(item.get(self._behaviour.identifier)) == key else None

    def _documented(self, call: Call) -> Item | None:
        """Return the item in the documented response to exactly this request content, None if there is none.

        On an item, only where it is the one that the path names.
        """
        if not self._behaviour.answers:
            return None
        for request, item in self._exchanges:
            if request == call.content:
                key = call.arguments.path.get(self._behaviour.parameter)
                if self._behaviour.role == "create" or as_text(item[self._behaviour.identifier]) == as_text(key):
                    return item
        return None

    def _documents(self, status: int) -> bool:
        return not self._operation.responses.keys().isdisjoint({str(status), f"{status // 100}XX"})

    def _seeded(self) -> Mapping[str, Item]:
        """Return the initial items, taken from the contract's examples, by the text of their identifiers."""
        if self._seeds is None:
            self._seeds = self._initial.seeds(self._behaviour.resource)
        return self._seeds

    def _template(self, call: Call) -> Any:
        """Return the response without state; foreign keys of generated items are changed to items that exist."""
        template = call.representation.value
        if not self._behaviour.keys or self._exemplary:
            return template
        return self._initial.consistent(template, self._behaviour, self._presentation.is_valid)

    def _documented_exchanges(self) -> Iterator[tuple[Any, Item]]:
        """Yield the content of each documented request with the item in its documented response."""
        for pair in (pair for pair in pairs_of(self._operation) if pair.status.startswith("2")):
            item = value_at(pair.response.value, self._behaviour.value)
            if pair.request is not None and isinstance(item, dict) and self._behaviour.identifier in item:
                yield pair.request.value, item

    def _template_item(self, call: Call) -> Item:
        """Return the item in the operation's response without state, else any initial item."""
        template = self._template(call)
        item = value_at(template, self._behaviour.value) if self._behaviour.answers else None
        if isinstance(item, dict):
            return dict(item)
        return dict(next(iter(self._seeded().values()), {}))

    def _body(self, call: Call) -> Item:
        """Return the item members in the request content, unwrapped from an envelope like the response's."""
        content = call.content
        if not isinstance(content, dict):
            return {}
        envelope = self._behaviour.value.rpartition("/")[2]
        inner = content.get(envelope)
        content = inner if envelope and len(content) == 1 and isinstance(inner, dict) else content
        return {name: value for name, value in content.items() if name not in call.write_only}

    def _new_identifier(self, call: Call, base: Item, view: Mapping[str, Item]) -> Any:
        """Return an identifier that no item has or had, similar to that of the example."""

        def secret_of(number: int) -> str:
            return sources.make_secret(call.rules.seed_number, call.world, self._collection(call), number)

        def is_good(candidate: str) -> bool:
            whole = {**base, self._behaviour.identifier: candidate}
            return not self._behaviour.answers or self._presentation.show(whole, self._template(call))[1]

        taken = {*view, *call.transaction.items(self._collection(call))}  # deleted ones, too
        return self._identifiers.new(base.get(self._behaviour.identifier), taken, secret_of, is_good)


def _filled(template: str, call: Call) -> str:
    """Return a path template with the path values of a call."""
    return filled(template, call.arguments.path)
