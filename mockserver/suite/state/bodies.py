"""Contents of writes: valid values with fresh texts, so that items differ and a second creation has no conflict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.resources.shapes import SchemaShape
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child
from mockserver.masking import looks_secret
from mockserver.suite.cases.sample_values import sample_value
from mockserver.suite.verdicts.failures import NotRun

#: How deep members of members get fresh texts.
_DEPTH = 3
#: Members that name an item of another collection, which has to be there: they stay as they are.
_REFERENCE = re.compile(r"[a-z0-9](?:Id|ID|Uuid|UUID|Ref|Href|Url|URL)s?$|[_-](?:id|uuid|ref|href|url)s?$", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(.*)", re.DOTALL)
#: Formats whose texts are made anew in a form of their own.
_FORMS = {
    "email": "{0}@example.com",
    "idn-email": "{0}@example.com",
    "hostname": "{0}.example.com",
    "idn-hostname": "{0}.example.com",
    "uri": "https://{0}.example.com/",
    "url": "https://{0}.example.com/",
    "uri-reference": "/{0}",
}
_TEXT_FORMS = (
    "{0}",
    "{1}-{0}",
    "{1}{0}",
    "{0}.example.com",
    "{0}.example.com.",
    "{0}@example.com",
    "https://{0}.example.com/",
)


def fresh(contract: Contract, schema: str | None, value: Any, token: str, *, references: bool = False) -> Any:
    """Return a value like a valid one, with other texts, numbers and choices where its schema allows it.

    Args:
        contract: which compiles the schema.
        schema: pointer of the schema of the value, None if it has none.
        value: a valid value.
        token: lower-case letters and digits, other ones for each item.
        references: whether members that name items of other collections are changed, too.
    """
    if schema is None or not isinstance(value, dict):
        return value
    try:
        validator = contract.validator(schema, "request")
        shape = SchemaShape(contract, [schema])
    except (ContractError, LookupError):
        return value
    if not validator.is_valid(value):
        return value
    for place, member in list(_leaves(value, (), _DEPTH)):
        if not references and _REFERENCE.search(place[-1]):
            continue
        told = _schema_at(shape, place)
        for other in _others(member, told, token):
            changed = _with(value, place, other)
            if other != member and validator.is_valid(changed):
                value = changed
                break
    return value


def fresh_text(contract: Contract, schema: str, value: Any, token: str) -> Any:
    """Return another valid text or number than a given one, None if none could be made."""
    validator = contract.validator(schema, "request")
    told = _schema_at(SchemaShape(contract, [schema]), ())
    others = _others(value, told, token)
    return next((other for other in others if other != value and validator.is_valid(other)), None)


def completed(contract: Contract, schema: str | None, value: Any) -> Any:
    """Return a valid object with the optional members that its schema describes, as far as it stays valid.

    Members that only the server sets, secrets, and those without a value of their own are left out.
    """
    if schema is None or not isinstance(value, dict):
        return value
    try:
        shape = SchemaShape(contract, [schema])
        validator = contract.validator(schema, "request")
    except (ContractError, LookupError):
        return value
    for name in shape.names if validator.is_valid(value) else ():
        member = shape.member(name)
        if name in value or member is None or member.read_only or looks_secret(name):
            continue
        if _REFERENCE.search(name) or not _is_plain(member):
            continue
        try:
            made = sample_value(contract, member.pointers[0])
            if made is None:  # the default, by which nothing could be told
                made = sample_value(contract, member.pointers[0], examples=False)
            changed = value | {name: made}
        except (NotRun, ContractError, LookupError):
            continue
        if validator.is_valid(changed):
            value = changed
    return value


def required(contract: Contract, schema: str | None) -> frozenset[str]:
    """Return the names of the members that a value must have, those of `allOf` included."""
    if schema is None:
        return frozenset()
    found: set[str] = set()
    pending = [schema]
    while pending:
        raw, pointer = follow(contract.document.data, pending.pop())
        if isinstance(raw, dict):
            found.update(name for name in raw.get("required") or () if isinstance(name, str))
            pending += [child(pointer, "allOf", str(number)) for number in range(len(raw.get("allOf") or ()))]
    return frozenset(found)


def _is_plain(shape: SchemaShape) -> bool:
    """Tell whether a member is a text, number or boolean: what a server refuses least often, and shows as it was."""
    return bool(shape.kinds) and shape.kinds <= {"string", "integer", "number", "boolean"}


def _leaves(value: Any, place: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and depth:
        for name, member in value.items():
            yield from _leaves(member, (*place, name), depth - 1)
    elif place and isinstance(value, str | int | float):
        yield place, value


def _schema_at(shape: SchemaShape, place: tuple[str, ...]) -> Mapping[str, Any]:
    found: SchemaShape | None = shape
    for name in place:
        found = found.member(name) if found is not None else None
    merged: dict[str, Any] = {}
    for raw in found.schemas if found is not None else ():
        merged = {**raw, **merged}
    return merged


def _others(value: Any, schema: Mapping[str, Any], token: str) -> Iterator[Any]:
    """Yield other values for a member, the likeliest to be valid first."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        yield from (choice for choice in choices if choice != value)
        return
    if "const" in schema:
        return
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield from _texts(value, schema, token)
    elif isinstance(value, int | float):
        step = schema.get("multipleOf", 1)
        step = step if isinstance(step, int | float) and step > 0 else 1
        salt = sum(map(ord, token)) % 7 + 1
        yield from (value + step * salt, value + step, value - step * salt, value - step)


def _texts(value: str, schema: Mapping[str, Any], token: str) -> Iterator[str]:
    form = schema.get("format")
    if form in _FORMS:
        yield _FORMS[form].format(token)
        return
    if form in {"date", "date-time"} and (found := _DATE.fullmatch(value)) is not None:
        day = sum(map(ord, token)) % 28 + 1
        yield f"{found[1]}-{found[2]}-{day:02}{found[4]}"
        yield f"{found[1]}-{found[2]}-{day % 28 + 1:02}{found[4]}"
        return
    if form == "uuid":
        tail = "".join(f"{ord(letter) % 16:x}" for letter in token)[-12:]
        yield value[: len(value) - len(tail)] + tail
        return
    if form in {"time", "duration", "ipv4", "ipv6", "byte", "binary", "password", "regex", "json-pointer"}:
        return
    stem = re.sub(r"[^a-z]", "", value.lower())[:8] or "sample"
    for text in _TEXT_FORMS:
        yield text.format(token, stem)
    # A pattern may want digits, capitals or a certain form: as many letters and digits as there are give way.
    yield _replaced(value, token)
    yield _replaced(value, token.upper())


def _replaced(value: str, token: str) -> str:
    """Return a text whose letters and digits are replaced from its end by those of a token, kind by kind."""
    letters = [letter for letter in token if letter.isalpha()]
    digits = [letter for letter in token if letter.isdigit()]
    found = list(value)
    for place in range(len(found) - 1, -1, -1):
        source = digits if found[place].isdigit() else letters if found[place].isalpha() else []
        if source:
            letter = source.pop()
            found[place] = letter.upper() if found[place].isupper() else letter
    return "".join(found)


def _with(value: Any, place: tuple[str, ...], member: Any) -> Any:
    if not place:
        return member
    return {**value, place[0]: _with(value[place[0]], place[1:], member)}
