"""Behaviour of collections and items: list, create, read, replace, merge, delete, and actions on an item.

A singleton is the one item of its path, which has no identifier and is made by the first write. The store keeps records
under the collection's own path, `resource:/users/7/pets` (item_records.py). What is only read is never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.identifiers import is_an_identifier
from mockserver.contract.resources.state_roles import ACT, CLEAR
from mockserver.http import json
from mockserver.http.path_templates import parse_template
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.plugins.calls import Call
from mockserver.stub.crud import preconditions
from mockserver.stub.crud.collection_names import PathText, item_path, segment, without_names
from mockserver.stub.crud.example_items import ExampleItems, Representations, item_parameter
from mockserver.stub.crud.item_records import NO_ITEMS, Contained, Found, Identity, ItemRecords, names_of
from mockserver.stub.crud.item_responses import ItemResponses, is_own_url
from mockserver.stub.crud.new_identifiers import ItemIdentifiers, number_of
from mockserver.stub.crud.new_items import NewItems
from mockserver.stub.crud.pagination import PageLinks
from mockserver.stub.crud.queries import as_text, choose, paging
from mockserver.stub.crud.representation import Item, value_at
from mockserver.stub.crud.tombstones import Tombstones, missing_item
from mockserver.stub.crud.writes import Effect, NamesAbove, entity_tag, json_patched, merge_patched, stamp, stamped

#: A longer `Location` is left out: clients need not read it (RFC 9110, section 4.1), and some drop the whole response.
_MAX_URI = 8000
#: The key of a singleton's one item.
_ONLY = "it"
#: Roles of operations at the path of a collection, and not at that of an item.
_OF_COLLECTION = frozenset({"list", "create", CLEAR})
#: Last segments of paths at which items are made.
_CREATING = ("create", "new", "add", "import", "upload", "load")


class ResourceHandler:
    """Behaviour of one operation on a collection or its items, by the operation's role.

    Its responses are validated by itself, once: `judges` tells whether for all media types of the operation.
    """

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
        self._operation = operation
        self._behaviour = behaviour
        relatives = {**relatives, operation.id: behaviour}
        own = {name: one for name, one in relatives.items() if one.resource == behaviour.resource}
        of_collection = behaviour.role in _OF_COLLECTION
        self._single = not behaviour.parameter and not of_collection
        item = item_path(behaviour)
        # Names of parameters are free: `/plans/{id}` and `/plans/{plan}/resume` name one item.
        names = parse_template(operation.path).parameters
        depth = without_names(item).count("{}") - 1
        self._parameter = "" if of_collection or self._single or depth >= len(names) else names[depth]
        above = names[:depth] if self._parameter else names
        self._path = PathText(behaviour.resource, above)
        self._location = PathText(item, above) if behaviour.parameter else None
        self._tail = item.rpartition("}")[2] if behaviour.parameter else ""
        if behaviour.home:
            self._location = PathText(f"{behaviour.home.rstrip('/')}/", ())
        self._tombstones = Tombstones(operation, relatives.values(), own="" if of_collection else item)
        self._has_above = bool(self._tombstones)
        self._identity = Identity(behaviour.identifier)
        self._initial = ExampleItems(contract, relatives, representations)
        self._responses = ItemResponses(contract, operation, behaviour, self._initial, self._identity)
        self.judges = self._responses.judges
        identifiers = ItemIdentifiers(contract, item_parameter(contract, own, behaviour.parameter))
        self._new = NewItems(operation, behaviour, self._identity, identifiers, self._responses)
        shape = self._responses.shape if self._single and not self._responses.exemplary else None
        about = next((name for name in shape.names if name.lower() == "metadata"), "") if shape is not None else ""
        #: Where made-up content of the one value at a path says what it belongs to, beside a name.
        self._above = NamesAbove(operation, shape if about else None, about, ("id",), single=True)
        self._paging = paging(contract, operation)
        self._page_links = PageLinks(operation, self._paging)
        self._contained = Contained(behaviour, relatives, self._responses.shape, self._initial.seeds)
        success = operation.success()
        self._links_in_field = success is not None and any(name.lower() == "link" for name in success.headers)
        self._created_status = success is not None and success.status == "201"
        self._conditional = preconditions.declares_conditions(operation)
        self._repeatable = preconditions.declares_repetition(operation)
        roles = {one.role for one in own.values()}
        self._upsert = behaviour.role in {"replace", "merge"} and (
            self._single or "201" in operation.responses or (behaviour.role == "replace" and "create" not in roles)
        )
        documents_missing = not operation.responses.keys().isdisjoint({"404", "4XX"})
        others = "create" not in roles and _is_created_otherwise(contract, behaviour)
        #: Whether an identifier that nothing is known of is 404: where the contract documents it, and clients make the
        #: items in a way that is understood. A documented success never becomes a 404 that is not.
        self._refuses_unknown = documents_missing and not others and not self._single and bool(behaviour.identifier)
        self._reset_is_gone = self._single and any(
            one.role == "read" and not {"404", "410", "204"}.isdisjoint(contract.by_id[name].responses)
            for name, one in own.items()
            if name in contract.by_id
        )
        #: Identifiers beside that in paths which servers make, and no write changes.
        self._fixed = tuple(name for name in behaviour.names if is_an_identifier(name))
        self._effect = (
            Effect(operation, self._responses.shape, shows=behaviour.answers) if behaviour.role == ACT else None
        )
        self._seeds: Mapping[str, Item] | None = None
        self._seed_names: Mapping[str, str] = {}
        self._act = {
            "list": self._list,
            "create": self._create,
            "read": self._read,
            "replace": self._replace,
            "merge": self._merge,
            "delete": self._delete,
            ACT: self._do,
            CLEAR: self._clear,
        }[behaviour.role]

    def __call__(self, call: Call) -> Outcome:
        """Read or change the items of a collection by the role of the operation, and return the outcome.

        Raises:
            RequestRejected: there is no such item, or a condition does not hold.
        """
        values, fresh = call.arguments.path, False
        if self._has_above:
            values, fresh = self._tombstones.check(values, call.transaction.get)
        # Nothing is below what was created a moment ago.
        seeds = NO_ITEMS if fresh or self._single else self._seeded()
        names = self._behaviour.names
        return self._act(call, ItemRecords(call.transaction, self._path(values), names, seeds, self._seed_names))

    # roles

    def _list(self, call: Call, records: ItemRecords) -> Outcome:
        template = self._responses.template(call)
        changes = records.changes
        items = records.all()
        issued = self._responses.presentation.cursors(template) if self._paging.by_cursor else frozenset()
        page = choose(items, call.arguments.query, self._identity.name, self._paging, issued)
        urls = None
        if call.request is not None and (self._links_in_field or self._responses.presentation.needs_template):
            urls = self._page_links.of(call.request, page)
        fields = (("Link", urls.field_value()),) if urls is not None and self._links_in_field else ()
        is_whole = not changes and len(page.items) == len(items) and records.seeds is not NO_ITEMS
        if is_whole and self._responses.exemplary:
            return self._responses.of_template(template, "example: this world has no changes to the collection")
        content, sound = self._responses.presentation.show_all(
            page, template, by_cursor=self._paging.by_cursor, urls=urls
        )
        if sound:
            return Outcome(0, content, f"{len(page.items)} of {page.total} items", fields)
        return self._responses.of_template(template, "example: the items of this world break the list's schema")

    def _create(self, call: Call, records: ItemRecords) -> Outcome:
        if isinstance(call.content, list):
            return self._create_several(call, records)
        if self._repeatable:
            again = preconditions.key_created_before(call, records.path)
            found = None if again is None else records.find(again)
            if found is not None and found.item is not None:
                return self._responses.respond(call, found.item, "created by an earlier call with this idempotency key")
        documented = self._responses.documented(call, self._key(call))
        if documented is not None:
            key = as_text(self._identity.of(documented))
            if not records.find(key).changed:
                return self._created(call, records, key, documented)
        key, item = self._new.make(call, self._home(call) or records, self._body(call, call.content))
        return self._created(call, records, key, item)

    def _create_several(self, call: Call, records: ItemRecords) -> Outcome:
        """Create an item for each object in a list, and respond with all of them."""
        made: list[Item] = []
        for content in call.content:
            key, item = self._new.make(call, self._home(call) or records, self._body(call, content))
            self._keep(call, records, key, item, before=None, made=True)
            made.append(item)
        return self._responses.respond_with_several(call, made, f"created {len(made)} items")

    def _created(self, call: Call, records: ItemRecords, key: str, item: Item) -> Outcome:
        outcome = self._kept(call, records, key, item, f"created {key[:60]}", before=None, made=True)
        if self._repeatable:
            preconditions.remember_created(call, records.path, key)
        if not self._created_status or self._location is None:
            return outcome
        # The values of the call, and not the keys that they lead to: the client knows the path by these.
        above = self._location({**call.arguments.path, self._behaviour.parameter: ""})
        location = f"{above.removesuffix(self._tail) if self._tail else above}{segment(key)}{self._tail}"
        if len(location) > _MAX_URI:
            return outcome
        return outcome._replace(fields=(*outcome.fields, ("Location", location)))

    def _read(self, call: Call, records: ItemRecords) -> Outcome:
        key = self._key(call)
        found = records.find(key)
        if found.gone:
            raise missing_item(f"{json.text(key[:60])} was deleted")
        is_example = self._responses.exemplary and not found.changed and not self._single
        shown = self._responses.shown_by_example(call, key) if is_example else None
        state = found.item
        if shown is not None:
            state = records.seeds.get(key, shown)
        if self._contained:
            base = shown or state or (self._responses.server_parts(call, records.seeds).item if self._single else None)
            now = base and self._contained.shown(call.transaction, records.path, found.key, base, made=found.made)
            if now is not base and now is not None:
                return self._responses.respond(call, now, "item of this world, with what is below it")
        if state is None:
            if self._refuses_unknown:
                raise missing_item(f"there is no item with {self._identity.name} {json.text(key[:60])}")
            return self._unknown(call)
        if self._conditional and preconditions.is_unmodified(call, entity_tag(state)):
            return Outcome(304, NO_CONTENT, "not modified", (("ETag", entity_tag(state)),))
        return self._responses.respond(call, shown or state, "item of this world, or of the contract's examples", state)

    def _unknown(self, call: Call) -> Outcome:
        """Return the response to a read of what nothing is known of: the example, by the name that was asked for."""
        why = "nothing was written yet" if self._single else "no item with this identifier is known"
        if self._above:
            template = self._responses.template(call)
            item = value_at(template, self._behaviour.value)
            if isinstance(item, dict):
                named = self._above.shown_in(item, {}, call.arguments.path)
                content = self._responses.presentation.around(named, template)
                if self._responses.presentation.is_valid(content):
                    return Outcome(0, content, f"generated: {why}")
        asked = None if self._single else call.arguments.path.get(self._parameter)
        return self._responses.without_state(call, asked, f"example: {why}")

    def _replace(self, call: Call, records: ItemRecords) -> Outcome:
        found = self._find_to_change(call, records)
        base = self._base(call, records, found)
        body = self._body(call, call.content)
        settable = self._responses.settable or frozenset(body)
        if self._responses.takes_any:
            own_urls = (name for name, value in base.items() if is_own_url(name, value))
            settable = frozenset(base).difference(stamped(base), own_urls)
        item = {name: value for name, value in base.items() if name not in settable} | body
        item = self._responses.places.placed(item, body)
        documented = self._responses.documented(call, self._key(call))
        return self._changed(call, records, found, documented or item, base, "replaced")

    def _merge(self, call: Call, records: ItemRecords) -> Outcome:
        found = self._find_to_change(call, records)
        base = self._base(call, records, found)
        if call.arguments.media_type == "application/json-patch+json":
            return self._changed(call, records, found, json_patched(base, call.content), base, "merged")
        documented = self._responses.documented(call, self._key(call))
        body = self._body(call, call.content)
        item = documented or self._responses.places.placed(merge_patched(base, body), body)
        return self._changed(call, records, found, item, base, "merged")

    def _do(self, call: Call, records: ItemRecords) -> Outcome:
        """Change what an action is documented to change, and respond with the item."""
        assert self._effect is not None
        found = self._find_to_change(call, records)
        base = self._base(call, records, found)
        item = self._effect.on(base, self._body(call, call.content), dict(call.arguments.query))
        return self._changed(call, records, found, item, base, self._effect.word)

    def _delete(self, call: Call, records: ItemRecords) -> Outcome:
        found = self._find_to_change(call, records)
        if self._single and not self._reset_is_gone:
            records.forget(found.key)
        else:
            records.remove(found.key)
        return self._responses.respond(call, found.item or {}, f"deleted {found.key[:60]}")

    def _clear(self, call: Call, records: ItemRecords) -> Outcome:
        """Delete the items that a request names, else those that its query chooses, else all."""
        content = call.content
        lists = [one for one in content.values() if isinstance(one, list)] if isinstance(content, dict) else [content]
        named = lists[0] if len(lists) == 1 and isinstance(lists[0], list) else []
        keys = [as_text(self._identity.of(one) if isinstance(one, dict) else one) for one in named]
        if not content or not lists:
            page = choose(records.all(), call.arguments.query, self._identity.name, self._paging)
            keys = [as_text(self._identity.of(one)) for one in page.items]
        gone = [found for key in keys if (found := records.find(key)).item is not None]
        for found in gone:
            records.remove(found.key)
        return self._responses.respond(call, {}, f"deleted {len(gone)} items")

    # what roles share

    def _key(self, call: Call) -> str:
        return _ONLY if self._single else as_text(call.arguments.path.get(self._parameter))

    def _base(self, call: Call, records: ItemRecords, found: Found) -> Item:
        """Return the item that a write changes; what the example shows if it is not there."""
        if found.item is not None:
            return found.item
        made_up = self._responses.server_parts(call, records.seeds).item
        return self._above.shown_in(made_up, {}, call.arguments.path) if self._above else made_up

    def _changed(self, call: Call, records: ItemRecords, found: Found, item: Item, base: Item, what: str) -> Outcome:
        """Store a changed item and return its response."""
        if not self._responses.is_documented(item):
            item = dict(item)
            stamp(item, base, call.now, fresh=False)
        made = found.item is None
        more: tuple[Any, ...] = ()
        if not self._single and self._identity.name:
            item, more = self._named(call, found, item)
            old = found.item or {}
            item = {**item, **{name: old[name] for name in self._fixed if name in old}} if self._fixed else item
        if made and not self._single:
            records.note_number(number_of(found.key, self._identity.of(base)))
        why = f"{what} {found.key[:60]}"
        outcome = self._kept(call, records, found.key, item, why, before=found.item, made=made or found.made, more=more)
        if made and not self._created_status and "201" in self._operation.responses:
            return outcome._replace(status=201)
        if not made and self._created_status and "200" in self._operation.responses:
            return outcome._replace(status=200)
        return outcome

    def _named(self, call: Call, found: Found, item: Item) -> tuple[Item, tuple[Any, ...]]:
        """Return a written item with its identifier, and a name that the client wrote in its place.

        Whatever the client wrote, the path says which item it is; that other name leads to it from now on, too.
        """
        asked = call.arguments.path.get(self._parameter)
        if found.item is not None:
            asked = self._identity.of(found.item)
        written = self._identity.of(item)
        if asked is None or (written is not None and as_text(written) == as_text(asked)):
            return item, ()
        return self._identity.given(item, asked), ((written,) if self._new.fits(written) else ())

    def _kept(
        self,
        call: Call,
        records: ItemRecords,
        key: str,
        item: Item,
        why: str,
        *,
        before: Item | None,
        made: bool,
        more: tuple[Any, ...] = (),
    ) -> Outcome:
        """Store an item and return its response; members that the response had to add are stored, too."""
        outcome = self._responses.respond(call, item, why)
        if self._behaviour.answers:
            shown = value_at(outcome.content, self._behaviour.value)
            if isinstance(shown, dict) and shown is not item and not shown.keys() <= item.keys():
                item = {**shown, **item}
        kept = self._keep(call, records, key, item, before=before, made=made, more=more)
        if not self._responses.tagged:
            return outcome
        fields = [field for field in outcome.fields if field[0] != "ETag"]
        return outcome._replace(fields=(*fields, *self._responses.tag_of(kept)))

    def _keep(
        self,
        call: Call,
        records: ItemRecords,
        key: str,
        item: Item,
        *,
        before: Item | None,
        made: bool,
        more: tuple[Any, ...] = (),
    ) -> Item:
        if call.write_only and not call.write_only.isdisjoint(item):
            own = self._identity.member  # the server's, whatever a member of a request of this name is
            item = {one: value for one, value in item.items() if one == own or one not in call.write_only}
        if before is None and call.arguments.query:
            more = (*more, *self._named_by_query(call))
        home = self._home(call) if before is None else None
        if home is not None:
            records.put_reference(key, home.path, key)
            records = home
        records.put(key, item, before=before, made=made, more=more)
        return item

    def _home(self, call: Call) -> ItemRecords | None:
        """Return the collection at whose paths the items of this list are found, None if it is this one."""
        home = self._behaviour.home
        if not home or self._behaviour.role != "create":
            return None
        seeds = self._initial.seeds(home)
        return ItemRecords(call.transaction, home, self._behaviour.names, seeds, {})

    def _named_by_query(self, call: Call) -> list[str]:
        """Return the identifiers in the query of a creation: `POST /containers/create?name=web`."""
        query = call.arguments.query
        wanted = {name.lower() for name in self._behaviour.names} | {self._behaviour.identifier.lower()}
        return [one for name, one in query.items() if name.lower() in wanted and isinstance(one, str) and one]

    def _find_to_change(self, call: Call, records: ItemRecords) -> Found:
        """Return the item that the path identifies, after checking the preconditions.

        Raises:
            RequestRejected: 404, 412.
        """
        key = self._key(call)
        found = records.find(key)
        upsert = self._upsert
        if found.gone and not upsert:
            raise missing_item(f"{json.text(key[:60])} was deleted")
        if found.item is None and not upsert and not self._single:
            example = self._responses.shown_by_example(call, key)
            if example is not None and not found.changed:
                found = found._replace(item=example)
            elif self._refuses_unknown:
                raise missing_item(f"there is no item with {self._identity.name} {json.text(key[:60])}")
        if self._conditional and (found.item is not None or upsert):
            # Else the item is unknown, and the example is used in its place.
            preconditions.require_preconditions(call, None if found.item is None else entity_tag(found.item))
        return found

    def _body(self, call: Call, content: Any) -> Item:
        """Return the item members in request content, unwrapped from an envelope like the response's."""
        if not isinstance(content, dict):
            return {}
        envelope = self._behaviour.value.rpartition("/")[2]
        inner = content.get(envelope) if envelope else None
        if isinstance(inner, dict) and (len(content) == 1 or envelope not in self._responses.presentation.names):
            content = inner
        elif self._responses.wrapper and isinstance(content.get(self._responses.wrapper), dict):
            content = content[self._responses.wrapper]
        if call.write_only and not call.write_only.isdisjoint(content):
            return {name: value for name, value in content.items() if name not in call.write_only}
        found: Item = content
        return found

    def _seeded(self) -> Mapping[str, Item]:
        """Return the initial items, taken from the contract's examples, by the text of their identifiers."""
        if self._seeds is None:
            seeds = self._initial.seeds(self._behaviour.resource)
            self._seed_names = names_of(seeds, self._behaviour.names)
            self._seeds = seeds
        return self._seeds


def _is_created_otherwise(contract: Contract, behaviour: Behaviour) -> bool:
    """Tell whether items may come to be in a way that is not understood: by a POST beside them without a role."""
    above = without_names(item_path(behaviour)).rpartition("/")[0]
    ways = {above, *(f"{above}/{word}" for word in _CREATING)}
    return any(one.method == "POST" and without_names(one.path) in ways for one in contract.operations)
