"""Answers of another shape: members dropped, renamed, retyped, added."""

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
    """Return an edit of one member of the main answer that suits and whose edit the contract forbids."""
    value = subject.main.value if subject.main else None

    def changing(path: Path) -> Change:
        def change(answer: Any) -> Any:
            edit(holder(answer, path), str(path[-1]))
            return answer

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
    ("member_dropped", "A member of the answer is left out.", lambda held, name: held.pop(name), _anything),
    ("member_renamed", "A member of the answer has its name in another style.", _rename, _anything),
    ("member_null", "A member of the answer is null.", _set(lambda _value: None), _anything),
    ("number_as_text", "A number of the answer is a text.", _set(str), _is_number),
    ("number_as_fraction", "A whole number of the answer has a fraction.", _set(lambda value: value + 0.5), _is_number),
    ("number_negative", "A number of the answer is negative.", _set(lambda value: -1 - value), _is_number),
    ("number_as_boolean", "A number of the answer is true or false.", _set(bool), _is_number),
    ("text_as_number", "A text of the answer is a number.", _set(len), _is_text),
    ("text_as_list", "A text of the answer is a list of texts.", _set(lambda value: [value]), _is_text),
    ("text_empty", "A text of the answer is empty.", _set(lambda _value: ""), _is_text),
    ("text_in_upper_case", "A text of the answer is in upper case.", _set(str.upper), _is_text),
    ("object_as_list", "An object of the answer is a list with one object.", _set(lambda value: [value]), _is_object),
    ("object_empty", "An object of the answer has no members.", _set(lambda _value: {}), _is_object),
    ("object_as_text", "An object of the answer is its JSON as a text.", _set(json.dumps), _is_object),
)  # fmt: skip

for _row in _EDITS:
    _editing(*_row)


@SHAPE.mutant
def member_added(subject: MutatedOperation) -> Mutation | None:
    """The answer has a member more than the contract knows: a column was added to the table."""

    def adding(path: Path) -> Change:
        def change(answer: Any) -> Any:
            held = answer
            for name in path:
                held = held[name]
            held["internal_id"] = 4711
            return answer

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
    """The answer is what stands in its only member, without the object around it."""

    def change(answer: Any) -> Any:
        (inner,) = answer.values()
        return inner

    return with_content(subject, change)


@SHAPE.mutant
def list_of_one(subject: MutatedOperation) -> Mutation | None:
    """The answer is a list with the one result, as the database returned it."""
    return with_content(subject, lambda answer: [answer])


@SHAPE.mutant
def encoded_twice(subject: MutatedOperation) -> Mutation | None:
    """The answer is JSON in a JSON text: it was serialised twice."""
    return with_content(subject, json.dumps)


@SHAPE.mutant
def answer_null(subject: MutatedOperation) -> Mutation | None:
    """The answer is null: the handler forgot to return what it made."""
    signs = subject.content_signs(lambda _answer: None)
    return (
        with_main(subject, signs, lambda response: MutantResponse(response.status, response.fields, b"null"))
        if signs
        else None
    )


@SHAPE.mutant
def name_of_another(subject: MutatedOperation) -> Mutation | None:
    """An answer about one resource bears the name of another one: two of them share a view."""
    place, names = envelope_place(subject.operation), name_members(subject.contract, subject.operation)
    if place is None or not names or not subject.role or not subject.neighbours:
        return None
    name, other = min(names), subject.neighbours[0]

    def change(answer: Any) -> Any:
        holder(answer, (*place, name))[name] = other
        return answer

    return with_content(subject, change)


@SHAPE.mutant
def constant_changed(subject: MutatedOperation) -> Mutation | None:
    """A text that the contract fixes, or one of few that it lists, is another one."""
    value = subject.main.value if subject.main else None

    def changing(path: Path) -> Change:
        def change(answer: Any) -> Any:
            held = holder(answer, path)
            held[path[-1]] += "-2"
            return answer

        return change

    texts = [path for path in members(value) if isinstance(holder(value, path)[path[-1]], str)]
    able = [change for path in texts if _by_schema(subject, change := changing(path))]
    chosen = subject.pick(able)
    return None if chosen is None else with_content(subject, chosen)


def _by_schema(subject: MutatedOperation, change: Change) -> bool:
    return any(sign.check == "body_conforms_to_its_schema" for sign in subject.content_signs(change))


@SHAPE.mutant
def change_takes_no_time(subject: MutatedOperation) -> Mutation | None:
    """A write or reset is answered with the status that reads show when all is done."""
    behaviour, read = subject.operation.behaviour, subject.sibling("read")
    if subject.role not in {"write", "reset"} or behaviour is None or read is None or not behaviour.status:
        return None
    shown = _status_of(MutatedOperation(subject.contract, read, subject.index, subject.accounts))
    path = tuple(split(behaviour.status))

    def change(answer: Any) -> Any:
        holder(answer, path)[path[-1]] = shown
        return answer

    return None if shown is None else with_content(subject, change)


@SHAPE.mutant
def change_never_ends(subject: MutatedOperation) -> Mutation | None:
    """A read tells for ever that the last write is under way: the job that applies changes has died."""
    behaviour, write = subject.operation.behaviour, subject.sibling("write")
    if subject.role != "read" or behaviour is None or write is None or not behaviour.status:
        return None
    under_way = _status_of(MutatedOperation(subject.contract, write, subject.index, subject.accounts))
    path = tuple(split(behaviour.status))

    def change(answer: Any) -> Any:
        holder(answer, path)[path[-1]] = under_way
        return answer

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
