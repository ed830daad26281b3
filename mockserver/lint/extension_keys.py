"""Lint rule `extension`: `x-mockserver-*` keys that are unknown, misplaced or have a wrong value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.provenance import MARKS
from mockserver.contract.reading.elements import Element
from mockserver.contract.reading.extensions import EXTENSIONS, OBJECT_PLACE, OWN
from mockserver.contract.schema.direction import Direction
from mockserver.http.expressions import EMBEDDED, EXPRESSION
from mockserver.http.json import excerpt
from mockserver.http.pointers import child
from mockserver.lint.linted_contract import NAME, LintedContract, LintFinding

_PREFIX = "x-mockserver-"
#: All extensions with a meaning here; a key that is spelt almost like one of them is a mistake.
_KNOWN = sorted({*EXTENSIONS, *(keyword for _, keyword in MARKS), "x-secret"})
_BEHAVIOUR: dict[str, type] = {
    **dict.fromkeys(
        ("handler", "role", "resource", "value", "status", "identifier", "parameter", "items", "item"), str
    ),
    **dict.fromkeys(("username", "password"), str),
    **dict.fromkeys(("generated", "answers"), bool),
    "keys": dict,
    "names": list,
}
_TYPE_NAMES: dict[type, str] = {str: "text", bool: "true or false", dict: "an object", list: "a list"}

#: Members of a behaviour that are JSON pointers, and into what.
_POINTERS = {"value": "response", "status": "response", "username": "request", "password": "request"}
#: One mistake in an extension's value: path below the extension, message, remedy.
_Mistake = tuple[tuple[str, ...], str, str]
_Check = Callable[[LintedContract, Any], Iterator[_Mistake]]


@dataclass(frozen=True, slots=True)
class _Extension:
    """Rule for one extension: the objects that may have it, in words and as a test, and a check of its value."""

    places: str
    is_at_home: Callable[[Element], bool]
    check: _Check


def check_extensions(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each extension that is unknown, misplaced or has a wrong value."""
    for element in subject.elements:
        for name, value in element.value.items():
            if name.startswith("x-"):
                yield from _check_extension(subject, element, name, value)


def _check_extension(subject: LintedContract, element: Element, name: str, value: Any) -> Iterator[LintFinding]:
    pointer = child(element.pointer, name)
    if name not in _KNOWN:
        yield from _check_unknown(subject, pointer, name)
        return
    extension = _EXTENSIONS.get(name)
    if extension is None:
        return  # a mark of provenance: the rules `provenance` and `mark` judge it
    if not extension.is_at_home(element):
        yield subject.finding(
            "extension", pointer, f"has no meaning in a {element.kind}", f"it belongs in {extension.places}"
        )
        return
    for path, message, remedy in extension.check(subject, value):
        yield subject.finding("extension", child(pointer, *path), message, remedy)


def _check_unknown(subject: LintedContract, pointer: str, name: str) -> Iterator[LintFinding]:
    close = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.85)
    if close:
        remedy = f"did you mean `{close[0]}`?"
    elif name.startswith(_PREFIX):
        remedy = f"known are {', '.join(sorted(EXTENSIONS))}"
    else:
        return  # an extension of another tool
    yield subject.finding("extension", pointer, f"unknown extension {excerpt(name)}", remedy)


def _check_levels(subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, list) or not value or not all(isinstance(level, str) for level in value):
        yield (), "must be a list of level names, at least one", "name the levels, the highest first"
        return
    for index, level in enumerate(value):
        if level in value[:index]:
            yield (str(index),), f"the level {excerpt(level)} is named twice", "name it once"
        yield from _check_known(subject, level, (str(index),))


def _check_api(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, str):
        yield (), "must be a name", "name the installed API whose handlers the contract uses"


def _check_known(subject: LintedContract, level: Any, path: tuple[str, ...]) -> Iterator[_Mistake]:
    known = subject.data.get("x-mockserver-levels")
    if not isinstance(known, list) or level not in known:
        remedy = "name it in the list `x-mockserver-levels` at the root of the document"
        yield path, f"the level {excerpt(level)} is not known", remedy


def _check_objects(subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    marks = {keyword for _, keyword in MARKS}
    if not isinstance(value, dict) or value.keys() - marks != {"at", "own", "foreign"}:
        yield (
            (),
            "must be an object with at, own and foreign",
            "name the object of a call, its owner, and the levels that may act on objects of others",
        )
        return
    if not isinstance(value["at"], str) or not OBJECT_PLACE.fullmatch(value["at"]):
        yield ("at",), f"{excerpt(value['at'])} is not a part of a call", "write it as in `$request.path.username`"
    if value["own"] not in OWN:
        yield ("own",), f"{excerpt(value['own'])} is not a kind of ownership", f"known are {', '.join(OWN)}"
    foreign = value["foreign"]
    if not isinstance(foreign, list):
        yield (
            ("foreign",),
            "must be a list of level names",
            "name the levels that may act on objects of others, possibly none",
        )
        return
    for index, level in enumerate(foreign):
        yield from _check_known(subject, level, ("foreign", str(index)))


def _check_reasons(subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map names to reasons", "write {closed: no other member is shown}"
        return
    for name, text in value.items():
        if not NAME.fullmatch(name):
            yield (name,), "is not a name of a reason", "write it in lower-case letters, with hyphens between words"
        elif not isinstance(text, str) or not text.strip():
            yield (name,), "must be text", "write the reason"
        elif name not in subject.named_reasons:
            yield (name,), "no mark names this reason", "remove it"


def _check_effect(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if value != "credentials":
        yield (), f"{excerpt(value)} is not a known effect", "the only one is `credentials`"


def _check_secret(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if value != "issued":
        yield (), f"{excerpt(value)} is not a value of x-secret", "write `x-secret: issued`"


def _check_behaviour(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or "handler" not in value:
        yield (), "must be an object with a `handler`", "name the handler of the operation, as in {handler: absent}"
        return
    marks = {keyword for _, keyword in MARKS}
    for name, member in value.items():
        if name in marks:
            continue
        if name not in _BEHAVIOUR:
            yield (name,), f"unknown member {excerpt(name)}", f"known are {', '.join(_BEHAVIOUR)}"
        elif not isinstance(member, _BEHAVIOUR[name]):
            yield (name,), f"expected {_TYPE_NAMES[_BEHAVIOUR[name]]}; got {excerpt(member)}", "correct the value"
        elif name in _POINTERS and not str(member).startswith("/"):
            yield (
                (name,),
                f"{excerpt(member)} is not a JSON pointer into the {_POINTERS[name]}",
                "start it with a slash",
            )


def _check_presumptions(subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict):
        yield (), "must be an object with clock, calls, identity or seed", "state the conditions of the example"
        return
    for name in value.keys() - {"clock", "calls", "identity", "seed"}:
        yield (name,), f"unknown member {excerpt(name)}", "known are clock, calls, identity and seed"
    clock = value.get("clock", 0)
    if not isinstance(clock, int) or isinstance(clock, bool):
        yield ("clock",), f"expected UNIX time in whole seconds; got {excerpt(clock)}", "write a whole number"
    if not isinstance(value.get("identity", ""), str):
        yield ("identity",), "must be the user name of a seeded account", "write a text"
    if not isinstance(value.get("seed", ""), str):
        yield ("seed",), "must be the name of an overlay of the seed data", "write a text"
    calls = value.get("calls", [])
    if not isinstance(calls, list):
        yield ("calls",), "must be a list of calls", "write [operationId/example, ...]"
        return
    for index, call in enumerate(calls):
        mistake = _unknown_call(subject, call)
        if mistake:
            yield ("calls", str(index)), mistake, "write `operationId` or `operationId/example`"


def _unknown_call(subject: LintedContract, call: Any) -> str | None:
    """Return what is wrong with a call in `x-mockserver-presumes`, None if the contract has such a call."""
    if not isinstance(call, str):
        return f"expected text; got {excerpt(call)}"
    if subject.contract is None:
        return None  # the operations of a contract that cannot be read are unknown
    name, _, example = call.partition("/")
    operation = subject.contract.by_id.get(name)
    if operation is None:
        return f"there is no operation {excerpt(name)}"
    if example and not any(pair.name == call for pair in pairs_of(operation)):
        kind = "request" if operation.request_body else "response"
        return f"{name} has no {kind} example {excerpt(example)}"
    return None


def _check_response_name(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    # Whether that response example exists is checked by the rule `pairing`.
    if not isinstance(value, str) or not value:
        yield (), "must be the name of a response example", "name the example of the response to this request"


def _check_stripped(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    # Whether a value is there is checked by the rule `example`.
    if not isinstance(value, list) or not value or not all(str(place).startswith("/") for place in value):
        yield (
            (),
            "must be a list of JSON pointers into the value, at least one",
            "name the values that the documentation does not show",
        )


def _check_differences(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map names of checks to lists of observations", "write {check: [observation, ...]}"
        return
    for name, seen in value.items():
        if not isinstance(seen, list) or not seen or not all(isinstance(item, str) for item in seen):
            yield (name,), "must be a list of texts, at least one", "state what a server was observed to do"


def _check_statuses(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, list) or not all(isinstance(item, int) and 100 <= item <= 599 for item in value):
        yield (), "must be a list of status codes", "name the status codes that this response was observed in place of"


def _check_errors(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (
            (),
            "must map status codes from 400 to 599 to Response Objects",
            "write {'500': {description: ..., content: ...}}",
        )
        return
    for code, response in value.items():
        if not code.startswith("x-") and (not re.fullmatch("[45][0-9][0-9]", code) or not isinstance(response, dict)):
            yield (
                (code,),
                "must be a status code from 400 to 599 with a Response Object",
                "name the status code of an error",
            )


def _check_shows(_subject: LintedContract, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map JSON pointers to values", "write {/name: $request.body#/name}"
        return
    for pointer, shown in value.items():
        if not pointer.startswith("/"):
            yield (pointer,), "is not a JSON pointer into the response of the linked operation", "start it with a slash"
        named = EMBEDDED.findall(pointer) + [shown] * (isinstance(shown, str) and shown.startswith("$"))
        for expression in named:
            if not EXPRESSION.fullmatch(expression):
                yield (
                    (pointer,),
                    f"{excerpt(expression)} is not a runtime expression",
                    "write it as in `$request.body#/name`",
                )


def _is(*kinds: str) -> Callable[[Element], bool]:
    return lambda element: element.kind in kinds


def _is_example_but_not_of(direction: Direction) -> Callable[[Element], bool]:
    # An example under `components` may be used in either direction.
    return lambda element: element.kind == "example" and element.direction != direction


_EXTENSIONS: dict[str, _Extension] = {
    "x-mockserver-api": _Extension("the document", _is("document"), _check_api),
    "x-mockserver-levels": _Extension("the document or an operation", _is("document", "operation"), _check_levels),
    "x-mockserver-objects": _Extension("an operation", _is("operation"), _check_objects),
    "x-mockserver-effect": _Extension("an operation", _is("operation"), _check_effect),
    "x-mockserver-behaviour": _Extension("an operation", _is("operation"), _check_behaviour),
    "x-mockserver-presumes": _Extension(
        "the example of a response", _is_example_but_not_of("request"), _check_presumptions
    ),
    "x-mockserver-response": _Extension(
        "the example of a request", _is_example_but_not_of("response"), _check_response_name
    ),
    "x-mockserver-stripped": _Extension("an example", _is("example"), _check_stripped),
    "x-mockserver-differs": _Extension("an operation or path item", _is("operation", "path item"), _check_differences),
    "x-mockserver-instead-of": _Extension("a response", _is("response"), _check_statuses),
    "x-mockserver-shows": _Extension("a link", _is("link"), _check_shows),
    "x-mockserver-errors": _Extension("the document", _is("document"), _check_errors),
    "x-mockserver-reasons": _Extension("the document", _is("document"), _check_reasons),
    "x-secret": _Extension("a schema or header", _is("schema", "header"), _check_secret),
}
