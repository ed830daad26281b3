"""Mutants that change the shape of responses: members left out, renamed, retyped or added."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.contract.resources.singletons import envelope_place, name_members
from mockserver.http.pointers import split
from mockserver.selftest.catalogue import Catalogue, Mutation
from mockserver.selftest.interceptors import with_content, with_main
from mockserver.selftest.mutated_operation import Change, MutatedOperation, Path, holder, members
from mockserver.selftest.traffic import MutantResponse

SHAPE = Catalogue("shape")


def _member(
    subject: MutatedOperation, edit: Callable[[dict[str, Any], str], None], suits: Callable[[Any], bool]
) -> Change | None:
    """Return a change of one suitable member of the main response that the contract forbids, or None."""
    value = subject.main.value if subject.main else None

    def changing(path: Path) -> Change:
        def change(content: Any) -> Any:
            edit(holder(content, path), str(path[-1]))
            return content

        return change

    able = [
        change
        for path in members(value)
        if suits(holder(value, path)[path[-1]]) and subject.content_signs(change := changing(path))
    ]
    found: Change | None = subject.pick(able)
    return found


def _editing(name: str, fault: str, edit: Callable[[dict[str, Any], str], None], suits: Callable[[Any], bool]) -> None:
    def make(subject: MutatedOperation) -> Mutation | None:
        change = _member(subject, edit, suits)
        return None if change is None else with_content(subject, change)

    SHAPE.add(name, fault, make)


def _rename(held: dict[str, Any], name: str) -> None:
    first, *rest = name.split("_")
    held[first + "".join(map(str.title, rest)) if rest else f"{name}_"] = held.pop(name)


def _set(convert: Callable[[Any], Any]) -> Callable[[dict[str, Any], str], None]:
    def edit(held: dict[str, Any], name: str) -> None:
        held[name] = convert(held[name])

    return edit


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _anything(_value: Any) -> bool:
    return True


#: Name, fault, edit of a member, which members it suits.
_EDITS: tuple[tuple[str, str, Callable[[dict[str, Any], str], None], Callable[[Any], bool]], ...] = (
    ("member_dropped", "Server that leaves a member out of a response.", lambda held, name: held.pop(name), _anything),
    ("member_renamed", "Server that renames a member of a response, to camel case for example.", _rename, _anything),
    ("member_null", "Server that sends null for a member of a response.", _set(lambda _value: None), _anything),
    ("number_as_text", "Server that sends a number as a JSON string.", _set(str), _is_number),
    ("number_as_fraction", "Server that sends an integer with a fraction.",
     _set(lambda value: value + 0.5), _is_number),
    ("number_negative", "Server that sends a negative number in place of a positive one.",
     _set(lambda value: -1 - value), _is_number),
    ("number_as_boolean", "Server that sends a number as true or false.", _set(bool), _is_number),
    ("text_as_number", "Server that sends a string as a number.", _set(len), _is_text),
    ("text_as_list", "Server that wraps a string in an array.", _set(lambda value: [value]), _is_text),
    ("text_empty", "Server that sends an empty string.", _set(lambda _value: ""), _is_text),
    ("text_in_upper_case", "Server that sends a string in upper case.", _set(str.upper), _is_text),
    ("object_as_list", "Server that wraps an object in an array.", _set(lambda value: [value]), _is_object),
    ("object_empty", "Server that sends an object without its members.", _set(lambda _value: {}), _is_object),
    ("object_as_text", "Server that sends an object as a string of JSON.", _set(json.dumps), _is_object),
)  # fmt: skip

for _row in _EDITS:
    _editing(*_row)


@SHAPE.mutant
def member_added(subject: MutatedOperation) -> Mutation | None:
    """Server that adds an undocumented member to a response: a column was added to the table."""

    def adding(path: Path) -> Change:
        def change(content: Any) -> Any:
            held = content
            for name in path:
                held = held[name]
            held["internal_id"] = 4711
            return content

        return change

    value = subject.main.value if subject.main else None
    able = [change for path in _objects(value) if subject.content_signs(change := adding(path))]
    chosen = subject.pick(able)
    return None if chosen is None else with_content(subject, chosen)


def _objects(value: Any) -> Iterator[Path]:
    if isinstance(value, list) and value:
        yield from ((0, *path) for path in _objects(value[0]))
    if isinstance(value, dict):
        yield ()
        yield from (path for path in members(value) if isinstance(holder(value, path)[path[-1]], dict))


@SHAPE.mutant
def envelope_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that sends the value of a response's only member without the object around it."""

    def change(content: Any) -> Any:
        (inner,) = content.values()
        return inner

    return with_content(subject, change)


@SHAPE.mutant
def list_of_one(subject: MutatedOperation) -> Mutation | None:
    """Server that sends an array with one result in place of the result."""
    return with_content(subject, lambda content: [content])


@SHAPE.mutant
def encoded_twice(subject: MutatedOperation) -> Mutation | None:
    """Server that serialises its JSON twice, so that the response is one JSON string."""
    return with_content(subject, json.dumps)


@SHAPE.mutant
def null_response(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with null: the handler forgot to return its result."""
    signs = subject.content_signs(lambda _answer: None)
    return (
        with_main(subject, signs, lambda response: MutantResponse(response.status, response.fields, b"null"))
        if signs
        else None
    )


@SHAPE.mutant
def name_of_another(subject: MutatedOperation) -> Mutation | None:
    """Server that shows another resource's name in a response: two resources share a view."""
    place, names = envelope_place(subject.operation), name_members(subject.contract, subject.operation)
    if place is None or not names or not subject.role or not subject.neighbours:
        return None
    name, other = min(names), subject.neighbours[0]

    def change(content: Any) -> Any:
        holder(content, (*place, name))[name] = other
        return content

    return with_content(subject, change)


@SHAPE.mutant
def constant_changed(subject: MutatedOperation) -> Mutation | None:
    """Server that sends a string other than the constant or the enumerated ones of the schema."""
    value = subject.main.value if subject.main else None

    def changing(path: Path) -> Change:
        def change(content: Any) -> Any:
            held = holder(content, path)
            held[path[-1]] += "-2"
            return content

        return change

    texts = [path for path in members(value) if isinstance(holder(value, path)[path[-1]], str)]
    able = [change for path in texts if _by_schema(subject, change := changing(path))]
    chosen = subject.pick(able)
    return None if chosen is None else with_content(subject, chosen)


def _by_schema(subject: MutatedOperation, change: Change) -> bool:
    return any(sign.check == "body_conforms_to_its_schema" for sign in subject.content_signs(change))


@SHAPE.mutant
def change_takes_no_time(subject: MutatedOperation) -> Mutation | None:
    """Server that responds to a write or reset as if the change were applied already."""
    behaviour, read = subject.operation.behaviour, subject.sibling("read")
    if subject.role not in {"write", "reset"} or behaviour is None or read is None or not behaviour.status:
        return None
    shown = _status_of(subject.other(read))
    path = tuple(split(behaviour.status))

    def change(content: Any) -> Any:
        holder(content, path)[path[-1]] = shown
        return content

    return None if shown is None else with_content(subject, change)


@SHAPE.mutant
def change_never_ends(subject: MutatedOperation) -> Mutation | None:
    """Server that reports the last write as still being applied, for ever: the background job has died."""
    behaviour, write = subject.operation.behaviour, subject.sibling("write")
    if subject.role != "read" or behaviour is None or write is None or not behaviour.status:
        return None
    under_way = _status_of(subject.other(write))
    path = tuple(split(behaviour.status))

    def change(content: Any) -> Any:
        holder(content, path)[path[-1]] = under_way
        return content

    if under_way is None or under_way == _status_of(subject):
        return None
    signs = subject.content_signs(change) | subject.silent("reads_show_the_last_write")
    return with_main(subject, signs, lambda response: response.changed(change))


def _status_of(subject: MutatedOperation) -> Any:
    behaviour = subject.operation.behaviour
    value = subject.main.value if subject.main else None
    for name in split(behaviour.status if behaviour else ""):
        value = value.get(name) if isinstance(value, dict) else None
    return value
