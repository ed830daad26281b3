"""Items of streams: the values that an event, a line of JSON or a part may stand for, and the schema that they keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Contract, MediaType
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.errors import ContractError
from mockserver.http.content.sequences import Item, Sequence, read_sequence, sequence_kind
from mockserver.http.media_types import is_json
from mockserver.http.pointers import child
from mockserver.suite.target.exchange import NotJSON, WireResponse, parse_json

#: So many items of one response are judged; those of a stream are all alike.
MAX_JUDGED = 100
#: What a stream of events ends with by custom, in place of data.
_LAST_WORDS = frozenset({"[DONE]"})
_BRANCHES = ("allOf", "oneOf", "anyOf")


@dataclass(frozen=True, slots=True)
class _Missing:
    """Placeholder for an item that is no JSON."""


_NO_JSON = _Missing()


def is_stream(media_type: str) -> bool:
    """Tell whether content of a media type is read and judged item by item."""
    return sequence_kind(media_type) != ""


def sequence_of(response: WireResponse) -> Sequence | None:
    """Return the complete items of a response, None if its content is no sequence."""
    return read_sequence(response.body, response.content_type, whole=not response.unread)


def framing_flaw(response: WireResponse) -> str:
    """Return how the content of a response breaks the framing of its sequence, "" if it does not or is none."""
    found = sequence_of(response)
    if found is None or found.flaw:
        return found.flaw if found is not None else ""
    if found.kind not in {"lines", "records"}:
        return ""
    for number, item in enumerate(found.items, 1):
        try:
            parse_json(item.content)
        except NotJSON as error:
            last = number == len(found.items) and not response.unread and not response.body.endswith(b"\n")
            return f"it breaks off in the middle of item {number}" if last else f"item {number} is no JSON: {error}"
    return ""


@dataclass(frozen=True, slots=True)
class ItemSchema:
    """Schema that the items of a sequence keep, with all that a contract may mean by it.

    Attributes:
        pointer: of the schema.
        names_data: whether it describes an event as an object with the member `data`, as OpenAPI 3.2 does.
        whole: pointer of a schema that may also describe the content as a whole, None if there is none.
    """

    contract: Contract
    pointer: str
    names_data: bool = False
    whole: str | None = None

    def violations(self, kind: str, item: Item) -> list[SchemaViolation]:
        """Return the violations by an item, none if one of the values that it may stand for is valid."""
        validator = self.contract.validator(self.pointer, "response")
        readings = list(_readings(kind, item, names_data=self.names_data))
        if not readings:
            return []
        for reading in readings:
            if validator.is_valid(reading):
                return self._of_the_data(item) if kind == "events" and reading is readings[0] else []
        return list(validator.violations(readings[0]))

    def _of_the_data(self, event: Item) -> list[SchemaViolation]:
        """Return the violations of `contentSchema` by the data of an event that is valid otherwise."""
        shown = _event(event)
        for pointer in _content_schemas(self.contract, self.pointer, shown):
            validator = self.contract.validator(pointer, "response")
            value = _json(event.content)
            found = list(validator.violations(event.fields.get("data", "") if value is _NO_JSON else value))
            if found:
                return found
        return []


def item_schema(contract: Contract, documented: MediaType) -> ItemSchema | None:
    """Return the schema for each item of a documented sequence, None if the contract has none."""
    if documented.item_schema is not None:
        return ItemSchema(contract, documented.item_schema, _names_data(contract, documented.item_schema))
    schema = documented.schema
    if schema is None:
        return None
    meant, pointer = contract.schema(schema)
    if not isinstance(meant, dict):
        return None
    kinds = meant.get("type")
    if kinds == "array" and isinstance(meant.get("items"), dict):
        place = child(pointer, "items")
        return ItemSchema(contract, place, _names_data(contract, place), whole=schema)
    if sequence_kind(documented.name) == "parts":
        return None  # by older contracts its members are the parts
    return ItemSchema(contract, schema, _names_data(contract, schema), whole=schema)


def is_valid_as_a_whole(documented: ItemSchema, response: WireResponse) -> bool:
    """Tell whether the schema is meant for the content as one text, and holds for it."""
    if documented.whole is None:
        return False
    validator = documented.contract.validator(documented.whole, "response")
    return validator.is_valid(response.body.decode("utf-8", "replace"))


def _readings(kind: str, item: Item, *, names_data: bool) -> Iterator[Any]:
    """Yield the values that an item may stand for, the likeliest one first; none where it is not to be judged."""
    value = _json(item.content)
    if kind == "events":
        data = item.fields.get("data", "")
        if data.strip() in _LAST_WORDS or (not data.strip() and not names_data):
            return  # the last words, or a sign of life
        event = _event(item)
        if names_data:
            yield event
        if value is not _NO_JSON:
            if names_data:
                yield event | {"data": value}
            yield value
        yield data
        if not names_data:
            yield event
    elif kind == "parts":
        content_type = item.fields.get("content-type", "")
        if is_json(content_type) or (not content_type and value is not _NO_JSON):
            yield item.content.decode("utf-8", "replace") if value is _NO_JSON else value
    elif value is not _NO_JSON:
        yield value  # what is no JSON is judged as framing


def _event(item: Item) -> dict[str, Any]:
    retry = item.fields.get("retry", "")
    return {**item.fields, **({"retry": int(retry)} if retry and len(retry) < 18 else {})}


def _json(content: bytes) -> Any:
    try:
        return parse_json(content)
    except NotJSON:
        return _NO_JSON


def _names_data(contract: Contract, pointer: str) -> bool:
    """Tell whether a schema, or a branch of it, describes a member `data`."""
    return any("data" in (schema.get("properties") or {}) for schema, _ in _parts_of(contract, pointer))


def _content_schemas(contract: Contract, pointer: str, event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the schemas of the data of an event, `contentSchema`, that hold in the branches which it is valid by."""
    for schema, place in _parts_of(contract, pointer):
        data = (schema.get("properties") or {}).get("data")
        if data is None or not contract.validator(place, "response").is_valid(event):
            continue
        try:
            meant, place = contract.schema(child(place, "properties", "data"))
        except ContractError:
            continue
        if isinstance(meant, dict) and isinstance(meant.get("contentSchema"), dict):
            yield child(place, "contentSchema")


def _parts_of(contract: Contract, pointer: str, depth: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield a schema and the schemas in its `allOf`, `oneOf` and `anyOf`, each with its pointer."""
    meant, place = contract.schema(pointer)
    if not isinstance(meant, dict) or depth > 4:
        return
    yield meant, place
    for keyword in _BRANCHES:
        for index in range(len(meant.get(keyword) or ())):
            yield from _parts_of(contract, child(place, keyword, str(index)), depth + 1)


def describe_kind(kind: str) -> str:
    """Return what one item of a sequence is called."""
    return {"events": "an event", "lines": "a line", "records": "a record", "parts": "a part"}[kind]


def broken_keywords(documented: ItemSchema, found: Sequence) -> dict[str, tuple[int, SchemaViolation]]:
    """Return the first violation of each keyword by the items of a sequence, with the number of the item."""
    broken: dict[str, tuple[int, SchemaViolation]] = {}
    for number, item in enumerate(found.items[:MAX_JUDGED], 1):
        for violation in documented.violations(found.kind, item):
            broken.setdefault(violation.keyword_pointer, (number, violation))
    return broken
