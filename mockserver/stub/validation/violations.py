"""Violations that a client reads, made from schema violations: place, expected value, and provenance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.http.pointers import child, split
from mockserver.masking import looks_secret, show
from mockserver.messages import MASK, Violation

#: More violations of one request than this are not listed: the first hundred keep a client busy.
MAX_VIOLATIONS = 100
#: What is expected of a name that the contract does not know.
ABSENT = "absent"
#: What is expected, by keyword; `{}` is the keyword's value in the contract. Fits behind "must be" or "must".
_EXPECTED = {
    "type": "of type {}",
    "const": "{}",
    "enum": "one of {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "greater than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "pattern": "text that matches {}",
    "format": "a valid {}",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "uniqueItems": "a list without duplicate items",
    "minProperties": "an object of at least {} members",
    "maxProperties": "an object of at most {} members",
    "readOnly": "left out, because the server sets it",
    "allowEmptyValue": "not empty",
    "oneOf": "valid by exactly one of its schemas",
    "anyOf": "valid by at least one of its schemas",
    "not": "other than what its schema excludes",
}


def reject(violations: Iterable[Violation], total: int, status: int = 422) -> RequestRejected:
    """Return the rejection for some violations, of `total` in all; its detail shows the first one."""
    listed = list(islice(violations, MAX_VIOLATIONS))
    first = listed[0]
    detail = f"{first.place} {first.pointer or '(whole)'}: {first.message}"
    if total > 1:
        detail += f" (and {total - 1} more)"
    title = "Unprocessable Content" if status == 422 else "Not Found"
    return RequestRejected(status, title, detail, violations=listed)


def excused(contract: Contract, schema: str, examples: Iterable[Any]) -> frozenset[str]:
    """Return the pointers of each `oneOf` of which the contract's own examples meet more than one branch.

    A document that shows such a value as right means `anyOf`.
    """
    validator = contract.validator(schema, "request")
    found = contract.schema(schema)[0]
    own = found if isinstance(found, dict) else {}
    listed = own.get("examples")
    values = [*examples, *(listed if isinstance(listed, list) else ()), *([own["example"]] if "example" in own else ())]
    return frozenset(
        broken.keyword_pointer for value in values for broken in validator.violations(value) if broken.several_fit
    )


def client_violations(
    contract: Contract, place: str, found: SchemaViolation, secret_names: Collection[str], prefix: str = ""
) -> Iterator[Violation]:
    """Yield violations for the client from one schema violation: one for each missing or unknown name.

    Takes the part of the request (`body`), the names whose values are masked, and the pointer of the value.
    """
    pointer = child(prefix, *map(str, found.instance_path))
    for name in found.missing:
        yield _violation(contract, place, found, child(pointer, name), "present", "is required")
    if found.unknown:
        known = _known_names(contract, found.keyword_pointer)
        hint = f"; known are {', '.join(known)}" if known else ""
        for name in found.unknown:
            yield _violation(contract, place, found, child(pointer, show(name)), ABSENT, f"is not known{hint}")
    if not found.missing and not found.unknown:
        yield _of_value(contract, place, found, pointer, secret_names)


def missing_parameter(contract: Contract, place: str, name: str, rule: str) -> Violation:
    """Return the violation of a required parameter that is absent; `rule` is the pointer of its `required`."""
    found = SchemaViolation((), "required", rule, "", None, (name,))
    return _violation(contract, place, found, child("", name), "present", "is required")


def empty_parameter(contract: Contract, place: str, name: str, rule: str) -> Violation:
    """Return the violation of a parameter that is empty and may not be; `rule` is its `allowEmptyValue`."""
    found = SchemaViolation((), "allowEmptyValue", rule, "", "")
    return _of_value(contract, place, found, child("", name), ())


def _of_value(
    contract: Contract, place: str, found: SchemaViolation, pointer: str, secret_names: Collection[str]
) -> Violation:
    secret = any(name in secret_names or looks_secret(name) for name in split(pointer))
    shown = MASK if secret else show(found.value, secret_names)
    expected = _expected(contract, found)
    subject = "the value" if isinstance(shown, dict | list) else json.encode(shown).decode()
    message = f"{subject} must be {expected}"
    return _violation(contract, place, found, pointer, expected, message, has_value=True, value=shown)


def _violation(
    contract: Contract,
    place: str,
    found: SchemaViolation,
    pointer: str,
    expected: str,
    message: str,
    *,
    has_value: bool = False,
    value: Any = None,
) -> Violation:
    provenance = contract.provenance(found.keyword_pointer)
    return Violation(
        place=place,
        pointer=pointer,
        keyword=found.keyword,
        expected=expected,
        message=message,
        has_value=has_value,
        value=value,
        provenance_kind=provenance.kind,
        provenance_reason=provenance.reason,
        rule=found.keyword_pointer,
    )


def _expected(contract: Contract, found: SchemaViolation) -> str:
    try:
        limit = show(contract.at(found.keyword_pointer))
    except LookupError:
        limit = None
    return _EXPECTED.get(found.keyword, found.keyword + " {}").format(_text(limit))


def _known_names(contract: Contract, pointer: str) -> list[str]:
    """Return the property names declared beside an `additionalProperties` keyword."""
    try:
        schema = contract.at(pointer.rpartition("/")[0])
    except LookupError:
        return []
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return list(properties) if isinstance(properties, dict) else []


def _text(value: Any) -> str:
    """Return a JSON value as text for a message about a violation."""
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return value if isinstance(value, str) and value.isidentifier() else json.encode(value).decode()
