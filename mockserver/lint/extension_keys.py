"""Are the project's own extensions known, in their places, and do the names in them lead somewhere?"""

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
from mockserver.http.pointers import child
from mockserver.lint.subject import NAME, LintFinding, Subject

_PREFIX = "x-mockserver-"
#: All extensions with a meaning here; what is spelt almost like one of them was meant to be one.
_KNOWN = sorted({*EXTENSIONS, *(keyword for _, keyword in MARKS), "x-secret"})
_BEHAVIOUR: dict[str, type] = {
    **dict.fromkeys(("handler", "role", "resource", "value", "status", "identifier", "parameter", "items"), str),
    **dict.fromkeys(("username", "password"), str),
    **dict.fromkeys(("generated", "answers"), bool),
    "keys": dict,
}

#: Members of a behaviour that are JSON pointers, and into what.
_POINTERS = {"value": "answer", "status": "answer", "username": "request", "password": "request"}
#: One mistake in an extension's value: path below the extension, message, remedy.
_Mistake = tuple[tuple[str, ...], str, str]
_Check = Callable[[Subject, Any], Iterator[_Mistake]]


@dataclass(frozen=True, slots=True)
class _Extension:
    """Where an extension may stand, in words for a message, and what its value must be."""

    places: str
    is_at_home: Callable[[Element], bool]
    check: _Check


def check_extensions(subject: Subject) -> Iterator[LintFinding]:
    """Yield a finding for each extension that is unknown, misplaced, or has a value that means nothing."""
    for element in subject.elements:
        for name, value in element.value.items():
            if name.startswith("x-"):
                yield from _check_extension(subject, element, name, value)


def _check_extension(subject: Subject, element: Element, name: str, value: Any) -> Iterator[LintFinding]:
    pointer = child(element.pointer, name)
    if name not in _KNOWN:
        yield from _check_unknown(subject, pointer, name)
        return
    extension = _EXTENSIONS.get(name)
    if extension is None:
        return  # a mark of provenance: the rules `provenance` and `mark` judge it
    if not extension.is_at_home(element):
        yield subject.finding(
            "extension", pointer, f"has no meaning in a {element.kind}", f"it belongs into {extension.places}"
        )
        return
    for path, message, remedy in extension.check(subject, value):
        yield subject.finding("extension", child(pointer, *path), message, remedy)


def _check_unknown(subject: Subject, pointer: str, name: str) -> Iterator[LintFinding]:
    close = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.85)
    if close:
        remedy = f"did you mean `{close[0]}`?"
    elif name.startswith(_PREFIX):
        remedy = f"known are {', '.join(sorted(EXTENSIONS))}"
    else:
        return  # somebody else's
    yield subject.finding("extension", pointer, f"unknown extension {name!r}", remedy)


def _check_levels(subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, list) or not value or not all(isinstance(level, str) for level in value):
        yield (), "must be a list of level names, at least one", "name the levels, mightiest first"
        return
    for index, level in enumerate(value):
        if level in value[:index]:
            yield (str(index),), f"the level {level!r} stands twice", "name it once"
        yield from _check_known(subject, level, (str(index),))


def _check_api(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, str):
        yield (), "must be a name", "name an API that is installed, the one that has its handlers"


def _check_known(subject: Subject, level: Any, path: tuple[str, ...]) -> Iterator[_Mistake]:
    known = subject.data.get("x-mockserver-levels")
    if not isinstance(known, list) or level not in known:
        remedy = "name it in the list `x-mockserver-levels` at the root of the document"
        yield path, f"the level {level!r} is not known", remedy


def _check_objects(subject: Subject, value: Any) -> Iterator[_Mistake]:
    marks = {keyword for _, keyword in MARKS}
    if not isinstance(value, dict) or value.keys() - marks != {"at", "own", "foreign"}:
        yield (
            (),
            "must be a map of at, own and foreign",
            "say which object a call is about, whose it is and who else may",
        )
        return
    if not isinstance(value["at"], str) or not OBJECT_PLACE.fullmatch(value["at"]):
        yield ("at",), f"{value['at']!r:.60} names no part of a call", "write it as in `$request.path.username`"
    if value["own"] not in OWN:
        yield ("own",), f"{value['own']!r:.60} is no kind of ownership", f"known are {', '.join(OWN)}"
    foreign = value["foreign"]
    if not isinstance(foreign, list):
        yield ("foreign",), "must be a list of level names", "name those that may act on others' objects, possibly none"
        return
    for index, level in enumerate(foreign):
        yield from _check_known(subject, level, ("foreign", str(index)))


def _check_reasons(subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map names to reasons", "write {closed: no other member is shown}"
        return
    for name, text in value.items():
        if not NAME.fullmatch(name):
            yield (name,), "is no name of a reason", "write it in small letters, with hyphens between words"
        elif not isinstance(text, str) or not text.strip():
            yield (name,), "must be a text", "say why"
        elif name not in subject.named_reasons:
            yield (name,), "no mark names this reason", "leave it out"


def _check_effect(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if value != "credentials":
        yield (), f"{value!r:.60} is no known effect", "the only one is `credentials`"


def _check_secret(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if value != "issued":
        yield (), f"{value!r:.60} says nothing about a secret", "write `x-secret: issued`"


def _check_behaviour(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or "handler" not in value:
        yield (), "must be a map with a `handler`", "say what a call does, as in {handler: absent}"
        return
    marks = {keyword for _, keyword in MARKS}
    for name, member in value.items():
        if name in marks:
            continue
        if name not in _BEHAVIOUR:
            yield (name,), f"unknown member {name!r}", f"known are {', '.join(_BEHAVIOUR)}"
        elif not isinstance(member, _BEHAVIOUR[name]):
            yield (name,), f"must be {_BEHAVIOUR[name].__name__}, not {member!r:.60}", "correct the value"
        elif name in _POINTERS and not str(member).startswith("/"):
            yield (name,), f"{member!r} is no JSON pointer into the {_POINTERS[name]}", "start it with a slash"


def _check_presumptions(subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict):
        yield (), "must be a map of clock, calls, identity and seed", "say what has to hold for the example"
        return
    for name in value.keys() - {"clock", "calls", "identity", "seed"}:
        yield (name,), f"unknown member {name!r}", "known are clock, calls, identity and seed"
    clock = value.get("clock", 0)
    if not isinstance(clock, int) or isinstance(clock, bool):
        yield ("clock",), f"must be UNIX seconds, not {clock!r:.60}", "write a whole number"
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


def _unknown_call(subject: Subject, call: Any) -> str | None:
    """Return what is wrong with the name of a call, or None if such a call can be made."""
    if not isinstance(call, str):
        return f"must be text, not {call!r:.60}"
    if subject.contract is None:
        return None  # nobody knows the operations of a contract that cannot be read
    name, _, example = call.partition("/")
    operation = subject.contract.by_id.get(name)
    if operation is None:
        return f"there is no operation {name!r}"
    if example and not any(pair.name == call for pair in pairs_of(operation)):
        kind = "request" if operation.request_body else "response"
        return f"{name} has no {kind} example {example!r}"
    return None


def _check_answer(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    # Whether that response example exists is settled by the rule `pairing`.
    if not isinstance(value, str) or not value:
        yield (), "must be the name of a response example", "name the one that answers this request"


def _check_stripped(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    # Whether something stands there is settled by the rule `example`.
    if not isinstance(value, list) or not value or not all(str(place).startswith("/") for place in value):
        yield (), "must be a list of JSON pointers into the value, at least one", "name what the documentation lacks"


def _check_differences(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map names of checks to what was seen", "write {check: [what was seen, ...]}"
        return
    for name, seen in value.items():
        if not isinstance(seen, list) or not seen or not all(isinstance(item, str) for item in seen):
            yield (name,), "must be a list of texts, at least one", "say what a server was seen to do"


def _check_statuses(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, list) or not all(isinstance(item, int) and 100 <= item <= 599 for item in value):
        yield (), "must be a list of status codes", "name the statuses that this one was seen in place of"


def _check_errors(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map error codes to Response Objects", "write {'500': {description: ..., content: ...}}"
        return
    for code, response in value.items():
        if not code.startswith("x-") and (not re.fullmatch("[45][0-9][0-9]", code) or not isinstance(response, dict)):
            yield (code,), "is no error code from 400 to 599 with a Response Object", "name the status of an error"


def _check_shows(_subject: Subject, value: Any) -> Iterator[_Mistake]:
    if not isinstance(value, dict) or not value:
        yield (), "must map JSON pointers to what stands there", "write {/name: $request.body#/name}"
        return
    for pointer, shown in value.items():
        if not pointer.startswith("/"):
            yield (pointer,), "is no JSON pointer into the answer of the linked read", "start it with a slash"
        named = EMBEDDED.findall(pointer) + [shown] * (isinstance(shown, str) and shown.startswith("$"))
        for expression in named:
            if not EXPRESSION.fullmatch(expression):
                yield (pointer,), f"{expression!r:.60} is no runtime expression", "write it as in `$request.body#/name`"


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
    "x-mockserver-response": _Extension("the example of a request", _is_example_but_not_of("response"), _check_answer),
    "x-mockserver-stripped": _Extension("an example", _is("example"), _check_stripped),
    "x-mockserver-differs": _Extension("an operation or path item", _is("operation", "path item"), _check_differences),
    "x-mockserver-instead-of": _Extension("a response", _is("response"), _check_statuses),
    "x-mockserver-shows": _Extension("a link", _is("link"), _check_shows),
    "x-mockserver-errors": _Extension("the document", _is("document"), _check_errors),
    "x-mockserver-reasons": _Extension("the document", _is("document"), _check_reasons),
    "x-secret": _Extension("a schema or header", _is("schema", "header"), _check_secret),
}
