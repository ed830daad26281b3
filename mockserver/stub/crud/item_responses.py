"""Responses of the operations on one collection: how they show items, and what they are without state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.identifiers import identifier
from mockserver.contract.resources.shapes import SchemaShape, json_content
from mockserver.errors import INVALID_FIELD
from mockserver.http import json
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.plugins.calls import Call
from mockserver.stub.crud.example_items import ExampleItems, has_examples
from mockserver.stub.crud.item_records import Identity
from mockserver.stub.crud.queries import as_text
from mockserver.stub.crud.representation import Item, Presentation, value_at
from mockserver.stub.crud.writes import MemberPlaces, entity_tag, settable, stamped, takes_any, wrapper

#: Responses without state that are remembered: an operation has a few examples.
_MAX_REMEMBERED = 64
_OWN_URLS = frozenset({"self", "selflink", "href", "url", "uri", "resourceuri"})
#: Stands for a response that is an identifier and nothing else.
_WHOLE = "/"
#: Confidence from which a member of a response is taken for the identifier of what was created.
_SURE = 0.7
_UNSOUND_FIELDS = ((INVALID_FIELD, "true"),)


def is_own_url(name: str, value: Any) -> bool:
    """Tell whether a member of an item holds the URL of the item: `self`, `url`, or `self` among its links."""
    if name.lower().strip("_") == "links" and isinstance(value, dict):
        own = value.get("self")
        return isinstance(own, str) or (isinstance(own, dict) and isinstance(own.get("href"), str))
    return name.lower().replace("_", "") in _OWN_URLS and isinstance(value, str)


class ServerParts:
    """What a new item has that the request cannot set, from one response without state."""

    __slots__ = ("item", "server", "stamped", "template", "urls")

    def __init__(self, template: Any, item: Item, set_by_client: frozenset[str]) -> None:
        self.template = template  # kept, so that its identity stays its own
        self.item = item
        self.server = {name: value for name, value in item.items() if name not in set_by_client}
        self.stamped = stamped(item)
        #: Members with the URL of the item itself.
        self.urls = tuple(name for name, value in self.server.items() if is_own_url(name, value))


class ItemResponses:
    """Responses of one operation on items, validated once.

    Attributes:
        judges: whether all successes of the operation have the schema by which responses are validated here.
        exemplary: whether the contract has an example for the response.
        places: where members of requests stand in items.
    """

    def __init__(
        self, contract: Contract, operation: Operation, behaviour: Behaviour, initial: ExampleItems, identity: Identity
    ) -> None:
        self._operation = operation
        self._behaviour = behaviour
        self._initial = initial
        self._identity = identity
        self._single = not behaviour.parameter and behaviour.role not in {"list", "create", "clear"}
        pointer = behaviour.items if behaviour.role == "list" else behaviour.value
        self.presentation = Presentation(contract, operation, pointer)
        #: Shape of the items of the resource, None if nothing tells.
        self.shape = initial.shape(behaviour.resource)
        #: The member of requests that has the item in it, where responses have none around it; "" for none.
        self.wrapper = wrapper(contract, operation, self.shape) if not behaviour.value else ""
        envelope = behaviour.value.rpartition("/")[2] or self.wrapper
        self.settable = settable(contract, operation, envelope)
        #: Whether a request can set any member, so that PUT leaves none.
        self.takes_any = takes_any(contract, operation, envelope)
        self.places = MemberPlaces(self.shape, self.settable)
        self.exemplary = has_examples(operation)
        self.judges = _has_one_schema(operation)
        success = operation.success()
        self.tagged = success is not None and any(name.lower() == "etag" for name in success.headers)
        #: Whether responses show less than half of an item.
        self.is_partial = not behaviour.answers or (
            self.shape is not None and 2 * len(self.presentation.names & set(self.shape.names)) < len(self.shape.names)
        )
        self._exchanges = dict(self._documented_exchanges())
        self._names = self._naming_member(contract)
        self._parts: dict[int, ServerParts] = {}
        self._sound: dict[int, tuple[Any, bool]] = {}

    def respond_with_several(self, call: Call, items: list[Item], why: str) -> Outcome:
        """Return the response to a creation of several items: a list of them where that is valid."""
        if self._behaviour.answers and items:
            shown = [self.presentation.shown(one, {}) for one in items]
            if self.presentation.is_valid(shown):
                return Outcome(0, shown, why)
        return self.of_template(self.template(call), f"{why}; no valid response can show them")

    def without_state(self, call: Call, asked: Any, why: str) -> Outcome:
        """Return the response without state; made-up content shows the identifier that was asked for, None for none."""
        template = self.template(call)
        item = value_at(template, self._behaviour.value)
        if asked is not None and not self.exemplary and isinstance(item, dict) and self._identity.name:
            named = self.presentation.around(self._identity.given(item, asked), template)
            if self.presentation.is_valid(named):
                return Outcome(0, named, why)
        return self.of_template(template, why)

    def respond(self, call: Call, item: Item, why: str, state: Item | None = None) -> Outcome:
        """Return a response that shows an item, with the entity tag of its state."""
        presentation = self.presentation
        if presentation.has_content and self._behaviour.answers and not presentation.needs_template:
            content = presentation.alone(item)
            if content is not None:
                return Outcome(0, content, why, self.tag_of(item if state is None else state))
        template = self.template(call)
        if not presentation.has_content:  # None where the success has no content at all
            return Outcome(0, NO_CONTENT, why) if template is None else self.of_template(template, why)
        if not self._behaviour.answers:
            return self._with_identifier(template, item, why) if self._names else self.of_template(template, why)
        content, sound = presentation.show(item, template)
        fields = self.tag_of(item if state is None else state)
        if not sound:
            why = f"{why}; no valid response can show the item"
            if presentation.is_valid(template):
                content = template
            else:
                fields = (*fields, *_UNSOUND_FIELDS)
        return Outcome(0, content, why, fields)

    def _with_identifier(self, template: Any, item: Item, why: str) -> Outcome:
        """Return the response to a creation that shows the identifier of the item and no more of it."""
        value = self._identity.of(item)
        for one in (value, as_text(value)):
            around = template if isinstance(template, dict) else {}
            content = one if self._names == _WHOLE else {**around, self._names: one}
            if self.presentation.is_valid(content):
                return Outcome(0, content, why)
        return self.of_template(template, why)

    def _naming_member(self, contract: Contract) -> str:
        """Return the member of a creation's response that has the identifier, _WHOLE for all of it, "" for none."""
        media_type = json_content(self._operation)
        if self._behaviour.role != "create" or self._behaviour.answers or media_type is None or not media_type.schema:
            return ""
        shape = SchemaShape(contract, [media_type.schema])
        if shape.names:
            found, sure = identifier(self._behaviour.parameter or "id", shape, frozenset(), "")
            return found if sure >= _SURE else ""
        return _WHOLE if shape.kinds and shape.kinds <= {"string", "integer"} else ""

    def of_template(self, template: Any, why: str) -> Outcome:
        """Return the response without state, marked if it breaks its schema."""
        sound = self._sound.get(id(template))
        if sound is None:
            sound = (template, not self.presentation.has_content or self.presentation.is_valid(template))
            if len(self._sound) < _MAX_REMEMBERED:
                self._sound[id(template)] = sound
        return Outcome(0, template, why, () if sound[1] else _UNSOUND_FIELDS)

    def tag_of(self, state: Item) -> tuple[tuple[str, str], ...]:
        """Return the field with the entity tag of an item's state, if responses of the operation have one."""
        return (("ETag", entity_tag(state)),) if self.tagged else ()

    def shown_by_example(self, call: Call, key: str) -> Item | None:
        """Return the item in the response's example if it is the requested one."""
        if not self._behaviour.answers or not self._identity.name:
            return None
        item = value_at(self.template(call), self._behaviour.value)
        return item if isinstance(item, dict) and as_text(self._identity.of(item)) == key else None

    def documented(self, call: Call, key: str) -> Item | None:
        """Return the item in the documented response to exactly this request content, None if there is none.

        On an item, only where it is the one that the path names.
        """
        if not self._exchanges or not self._behaviour.answers:
            return None
        item = self._exchanges.get(json.sorted_text(call.content))
        if item is None or self._behaviour.role == "create" or self._single:
            return item
        return item if as_text(self._identity.of(item)) == key else None

    def is_documented(self, item: Item) -> bool:
        """Tell whether an item is that of a documented response, and no other that is equal."""
        return any(item is one for one in self._exchanges.values())

    def template(self, call: Call) -> Any:
        """Return the response without state; foreign keys of generated items are changed to items that exist."""
        template = call.representation.value
        if not self._behaviour.keys or self.exemplary:
            return template
        return self._initial.consistent(template, self._behaviour, self.presentation.is_valid)

    def _documented_exchanges(self) -> Iterator[tuple[str, Item]]:
        """Yield the content of each documented request with the item in its documented response."""
        found: dict[str, Item] = {}
        for pair in (pair for pair in pairs_of(self._operation) if pair.status.startswith("2")):
            item = value_at(pair.response.value, self._behaviour.value)
            named = isinstance(item, dict) and (self._single or self._identity.of(item) is not None)
            if pair.request is not None and named:
                found.setdefault(json.sorted_text(pair.request.value), item)
        yield from found.items()

    def server_parts(self, call: Call, first: Mapping[str, Item]) -> ServerParts:
        """Return the item in the operation's response without state, else any initial item."""
        template = self.template(call)
        found = self._parts.get(id(template))
        if found is not None and found.template is template:
            return found
        item = value_at(template, self._behaviour.value) if self._behaviour.answers else None
        is_shown = isinstance(item, dict)
        item = item if isinstance(item, dict) else {}
        if not self._single and (self.is_partial or not is_shown):
            # What a read shows and this response does not is there all the same.
            item = {**(self._initial.shown_by_read(self._behaviour.resource) or next(iter(first.values()), {})), **item}
        found = ServerParts(template, dict(item), self.settable)
        if len(self._parts) < _MAX_REMEMBERED:
            self._parts[id(template)] = found
        return found


def _has_one_schema(operation: Operation) -> bool:
    """Tell whether all successes with content have the schema by which responses are validated."""
    schemas = {
        media_type.schema
        for status, response in operation.responses.items()
        if status.startswith("2") or status == "default"
        for media_type in response.content.values()
    }
    return len(schemas) <= 1
