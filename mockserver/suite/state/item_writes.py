"""Writes to an item: contents for PUT and PATCH that change what it shows, and contents that must be refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.resources.shapes import SchemaShape
from mockserver.http.media_types import concrete, is_json
from mockserver.suite.cases.requests import json_content_of
from mockserver.suite.cases.sample_values import invalid_values
from mockserver.suite.run.session import Session
from mockserver.suite.state.bodies import fresh, required
from mockserver.suite.state.comparison import is_owned, unwrapped
from mockserver.suite.state.item_life import ItemState, Life
from mockserver.suite.verdicts.failures import NotRun

_MERGE_PATCH, _JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Write:
    """Content of a write to an item.

    Attributes:
        value: the members that it gives the item.
        changed: those that get another value by it.
        content: what is sent.
        media_type: of the content.
    """

    value: dict[str, Any]
    changed: tuple[str, ...]
    content: bytes
    media_type: str


def whole_write(life: Life, state: ItemState, operation: Operation) -> Iterator[Write]:
    """Yield contents of a PUT: every text, number and choice is another one; then as few as can be, if that is refused.

    Optional members of the creation are left out of the first, so that it shows whether PUT replaces or merges.
    """
    media_type, schema = _taken(operation)
    contract, session = life.run.contract, life.items.session
    bodies: list[Any] = []
    sent = state.item.sent
    validator = contract.validator(schema, "request") if schema is not None else None
    if isinstance(sent, dict) and (validator is None or validator.is_valid(sent)):
        bodies.append(sent)
    made = _made(session, operation)
    bodies += _as_shown(contract, schema, state.shown)
    if isinstance(made, dict):
        bodies.append(made)
    wanted: list[Any] = [fresh(contract, schema, body, life.items.token()) for body in bodies]
    if wanted and isinstance(wanted[0], dict):
        needed = required(contract, schema)
        optional = [name for name in wanted[0] if name not in needed]
        fewer = {
            name: value for name, value in wanted[0].items() if name not in (optional if needed else optional[-1:])
        }
        if fewer and optional and (validator is None or validator.is_valid(fewer)):
            wanted.insert(0, fewer)
    for body in bodies[:1]:
        wanted += [{**body, name: value} for name, value in wanted[-1].items() if body.get(name) != value][:2]
    for value in wanted:
        named = _with_own_name(life, state, value)
        yield _write(state, named, media_type)


def partial_write(life: Life, state: ItemState, operation: Operation) -> Iterator[Write]:
    """Yield contents of a PATCH that change one member, first of those that are known to be kept."""
    media_type, schema = _taken(operation)
    contract = life.run.contract
    other = _others(life, state, schema)
    names = sorted(other, key=lambda name: (name not in life.kept, not isinstance(other[name], str)))
    validator = contract.validator(schema, "request") if schema is not None else None
    for name in names[:4]:
        value = {name: other[name]}
        wrapped = _wrapped(state, value)
        if media_type == _JSON_PATCH:
            content = json.dumps([{"op": "replace", "path": f"/{name}", "value": other[name]}]).encode()
            yield Write(value, (name,), content, media_type)
        elif validator is None or validator.is_valid(wrapped):
            yield Write(value, (name,), json.dumps(wrapped).encode(), media_type)
    if validator is not None and names and media_type != _JSON_PATCH:
        # A PATCH whose schema requires members: they are sent as they are, and one is another.
        value = {**state.expected, names[0]: other[names[0]]}
        if validator.is_valid(_wrapped(state, value)):
            yield Write(
                {names[0]: other[names[0]]}, (names[0],), json.dumps(_wrapped(state, value)).encode(), media_type
            )


def invalid_writes(life: Life, state: ItemState, operation: Operation, most: int) -> Iterator[Write]:
    """Yield contents that break the schema of a write in one member, and give the others new values."""
    media_type, schema = _taken(operation)
    if schema is None:
        return
    sent = state.item.sent
    contract = life.run.contract
    validator = contract.validator(schema, "request")
    others = [sent, *_as_shown(contract, schema, state.shown), _made(life.items.session, operation)]
    valid = next((one for one in others if isinstance(one, dict) and validator.is_valid(one)), None)
    if not isinstance(valid, dict):
        return
    other = fresh(contract, schema, valid, life.items.token())
    found = [
        value
        for value, violations in invalid_values(contract, schema, other)
        if isinstance(value, dict) and value and any(one.instance_path for one in violations)
    ]
    step = max(1, len(found) // most)
    for value in found[::step][:most]:
        yield Write(value, (), json.dumps(value).encode(), media_type)


def conflicting_writes(life: Life, state: ItemState, other: ItemState, operation: Operation) -> Iterator[Write]:
    """Yield valid contents that a server may refuse for its state: what another item has, and items that are not there.

    A server that finds out too late, such as at a unique index, may have written the rest by then.
    """
    media_type, schema = _taken(operation)
    if schema is None:
        return
    contract, sent, theirs = life.run.contract, state.item.sent, other.item.sent
    if not isinstance(sent, dict) or not isinstance(theirs, dict):
        return
    validator = contract.validator(schema, "request")
    missing = fresh(contract, schema, sent, life.items.token(), references=True)
    for value in (theirs, missing):
        if isinstance(value, dict) and value != sent and validator.is_valid(value):
            yield _write(state, _with_own_name(life, state, value), media_type)


def _taken(operation: Operation) -> tuple[str, str | None]:
    """Return the media type of JSON that a write takes, and its schema.

    Raises:
        NotRun: it takes no JSON.
    """
    content = operation.request_body.content if operation.request_body is not None else {}
    for name in (_MERGE_PATCH, *content):
        known = content.get(name)
        if known is not None and is_json(concrete(name)) and name != _JSON_PATCH:
            return name, known.schema
    if _JSON_PATCH in content:
        return _JSON_PATCH, None
    found: tuple[str, MediaType] | None = json_content_of(operation)
    if found is None:
        raise NotRun(f"{operation.label} takes no JSON")
    return found[0], found[1].schema


def _others(life: Life, state: ItemState, schema: str | None) -> dict[str, Any]:
    """Return other values for the members of an item, as far as a write may give it some."""
    sent = state.item.sent
    pattern = schema
    create = life.collection.operations.get("create")
    if create is not None and (found := json_content_of(create)) is not None and found[1].schema is not None:
        pattern = found[1].schema
    changed = fresh(life.run.contract, pattern, sent, life.items.token())
    inner = unwrapped(changed)
    objects = [one for one in inner if one.keys() & state.expected.keys()]
    values = max(objects, key=lambda one: len(one.keys() & state.expected.keys()), default={})
    return {
        name: value
        for name, value in values.items()
        if name in state.expected
        and state.expected[name] != value
        and not is_owned(name)
        and not _names_it(life, state, name)
    }


def _write(state: ItemState, value: dict[str, Any], media_type: str) -> Write:
    inner = [one for one in unwrapped(value) if one.keys() & state.expected.keys()]
    members = max(inner, key=lambda one: len(one.keys() & state.expected.keys()), default=value)
    changed = tuple(name for name, held in members.items() if state.expected.get(name) != held)
    return Write(dict(members), changed, json.dumps(value).encode(), media_type)


def _with_own_name(life: Life, state: ItemState, value: dict[str, Any]) -> dict[str, Any]:
    """Return a content in which the member that names the item is as in its path."""
    held = dict(value)
    for name in value:
        if _names_it(life, state, name) and isinstance(value[name], str | int):
            held[name] = state.expected.get(name, value[name])
    return held


def _names_it(life: Life, state: ItemState, name: str) -> bool:
    known = {life.collection.identifier, life.collection.parameter, "id"}
    return name in known or str(state.expected.get(name)) == state.item.name


def _wrapped(state: ItemState, value: dict[str, Any]) -> dict[str, Any]:
    """Return members in the envelope that the item was created with."""
    return _in_envelope(state.item.sent, state, value)


def _in_envelope(sent: Any, state: ItemState, value: dict[str, Any]) -> dict[str, Any]:
    if isinstance(sent, dict) and len(sent) == 1 and not sent.keys() & state.expected.keys():
        name, inner = next(iter(sent.items()))
        return {name: _in_envelope(inner, state, value)}
    return value


def _made(session: Session, operation: Operation) -> Any:
    """Return a valid JSON value for a write, None if none can be made."""
    try:
        return _json(session.valid_body(operation)[0])
    except NotRun:
        return None


def _as_shown(contract: Contract, schema: str | None, shown: Any) -> list[dict[str, Any]]:
    """Return what a read shows in forms that a write takes: without what no request has, and without nulls."""
    if schema is None:
        return []
    shape, validator = SchemaShape(contract, [schema]), contract.validator(schema, "request")
    found: list[dict[str, Any]] = []
    for holder in (shown, *(shown.values() if isinstance(shown, dict) else ())):
        if isinstance(holder, dict):
            names = shape.writable
            kept = {name: holder[name] for name in names if name in holder}
            found += [kept, {name: value for name, value in kept.items() if value is not None}]
    return [value for value in found if value and validator.is_valid(value)][:1]


def _json(body: bytes | None) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None
