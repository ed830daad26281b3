"""Initial items of a collection, taken from the contract's examples; generated items get foreign keys that exist."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mockserver.contract.model import Behaviour, Contract, Operation, Parameter
from mockserver.contract.resources.shapes import SchemaShape, Shape, json_content
from mockserver.errors import ContractError, RequestRejected
from mockserver.http.path_templates import parse_template
from mockserver.messages import Representation
from mockserver.stub.crud.collection_names import item_path, segment
from mockserver.stub.crud.item_records import Identity
from mockserver.stub.crud.new_identifiers import ItemIdentifiers
from mockserver.stub.crud.queries import as_text
from mockserver.stub.crud.representation import Item, item_shape, value_at, with_value

_OWN_URLS = frozenset({"url", "self", "href"})
_ON_ITEMS = frozenset({"read", "replace", "merge", "delete"})
#: The responses without state to calls without arguments, by `operationId`.
Representations = Mapping[str, Representation]


class ExampleItems:
    """Initial items of a contract's resources, taken from the responses without state."""

    def __init__(
        self, contract: Contract, relatives: Mapping[str, Behaviour], representations: Representations
    ) -> None:
        """Prepare to find the initial items of a contract's resources, which are computed on first use.

        Args:
            contract: where operations are looked up.
            relatives: the behaviours of all operations of the contract, by `operationId`.
            representations: the responses of operations without state, by `operationId`.
        """
        self._contract = contract
        self._relatives = relatives
        self._representations = representations
        self._known: dict[str, list[Any]] = {}

    def seeds(self, resource: str) -> dict[str, Item]:
        """Return the initial items of a resource, by the text of their identifiers."""
        found: dict[str, Item] = {}
        for behaviour, item in self._shown(resource):
            named = self._named(item, behaviour) if behaviour.keys else item
            key = as_text(Identity(behaviour.identifier).of(named))
            found[key] = {**found.get(key, {}), **named}
        return found

    def _with_own_url(self, item: Item, relative: Behaviour, key: str, name: str) -> Item:
        """Return a made-up item whose read-only URL is that of its path, as far as that is known without a request."""
        template = parse_template(item_path(relative))
        own = next((one for one in item if one.lower() in _OWN_URLS and isinstance(item[one], str)), "")
        if not own or len(template.parameters) != 1 or name not in self._contract.by_id:
            return item
        shape = self.shape(relative.resource)
        member = shape.member(own) if shape is not None else None
        if not isinstance(member, SchemaShape) or not member.read_only:
            return item
        base = next(iter(self._contract.by_id[name].bases), "")
        path = template.expand({template.parameters[0]: segment(key)})
        return {**item, own: f"http://localhost{base.rstrip('/')}{path}"}

    def shown_by_read(self, resource: str) -> Item:
        """Return the item in the response without state to a read of one, an empty one if there is none."""
        for name, relative in self._relatives.items():
            if relative.resource == resource and relative.role == "read" and relative.answers:
                try:
                    shown = value_at(self._representations[name].value, relative.value)
                except (RequestRejected, ContractError, LookupError):
                    continue
                if isinstance(shown, dict):
                    return shown
        return {}

    def shape(self, resource: str) -> Shape | None:
        """Return the shape of a resource's items as a read, else the list, shows them; None if neither tells."""
        for role in ("read", "list"):
            for name, relative in self._relatives.items():
                if relative.resource == resource and relative.role == role and name in self._contract.by_id:
                    place = relative.items if role == "list" else relative.value
                    found = item_shape(self._contract, json_content(self._contract.by_id[name]), place)
                    if found is not None and found.names:
                        return found
        return None

    def consistent(self, template: Any, behaviour: Behaviour, is_valid: Callable[[Any], bool]) -> Any:
        """Return a generated response with foreign keys changed to items that exist, if the result is valid."""
        pointer = behaviour.items if behaviour.role == "list" else behaviour.value
        shown = value_at(template, pointer)
        if isinstance(shown, list):
            new: Any = [self._named(one, behaviour) if isinstance(one, dict) else one for one in shown]
        elif isinstance(shown, dict):
            new = self._named(shown, behaviour)
        else:
            return template
        whole = with_value(template, pointer, new)
        return whole if is_valid(whole) else template

    def _named(self, item: Item, behaviour: Behaviour) -> Item:
        """Return a generated item with foreign keys changed to items that exist, the same ones each time."""
        named = dict(item)
        for member, resource in behaviour.keys:
            known = self._identifiers(resource)
            if known and named.get(member) is not None:
                named[member] = known[
                    zlib.crc32(as_text(Identity(behaviour.identifier).of(item)).encode()) % len(known)
                ]
        return named

    def _identifiers(self, resource: str) -> list[Any]:
        if resource not in self._known:
            self._known[resource] = [
                Identity(behaviour.identifier).of(item) for behaviour, item in self._shown(resource)
            ]
        return self._known[resource]

    def _shown(self, resource: str) -> Iterator[tuple[Behaviour, Item]]:
        """Yield each item in the responses of a resource's list and read operations, with the operation's behaviour."""
        relatives = {name: one for name, one in self._relatives.items() if one.resource == resource}
        for name, relative in relatives.items():
            if relative.role not in {"list", "read"}:
                continue
            try:
                whole = self._representations[name].value
            except (RequestRejected, ContractError):
                continue
            made_up = name not in self._contract.by_id or not has_examples(self._contract.by_id[name])
            naming = ItemIdentifiers(self._contract, item_parameter(self._contract, relatives, relative.parameter))
            shown = value_at(whole, relative.items if relative.role == "list" else relative.value)
            for item in shown if isinstance(shown, list) else [shown]:
                identity = Identity(relative.identifier)
                own = identity.of(item) if isinstance(item, dict) else None
                if own is not None:
                    if made_up and not naming.fits(own):
                        item = identity.given(item, naming.fitted(own))
                    if made_up:
                        item = self._with_own_url(item, relative, as_text(identity.of(item)), name)
                    yield relative if made_up else replace(relative, keys=()), item


def item_parameter(contract: Contract, relatives: Mapping[str, Behaviour], named: str) -> Parameter | None:
    """Return the path parameter that identifies an item of a resource, None if there is none."""
    for name, behaviour in relatives.items():
        if behaviour.role in _ON_ITEMS and name in contract.by_id:
            for parameter in contract.by_id[name].parameters:
                if (parameter.location, parameter.name) == ("path", named):
                    return parameter
    return None


def has_examples(operation: Operation) -> bool:
    """Tell whether the contract has an example for a successful response of an operation."""
    success = operation.success()
    return success is not None and any(media_type.examples for media_type in success.content.values())
