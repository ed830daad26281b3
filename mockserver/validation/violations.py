"""Schema violations in the words of the client: where, what was expected, how sure the contract is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.references import child
from mockserver.contract.schemas import SchemaViolation
from mockserver.contract.secrets import looks_secret
from mockserver.masking import show
from mockserver.messages import MASK, Violation

#: What to say of a keyword; `{expected}` is the keyword's value in the contract, `{type}` the value's JSON type.
_SENTENCES = {
    "type": "must be of type {expected}, not {type}",
    "const": "must be {expected}",
    "enum": "must be one of {expected}",
    "minimum": "must be at least {expected}",
    "maximum": "must be at most {expected}",
    "exclusiveMinimum": "must be greater than {expected}",
    "exclusiveMaximum": "must be less than {expected}",
    "multipleOf": "must be a multiple of {expected}",
    "minLength": "must have at least {expected} characters",
    "maxLength": "must have at most {expected} characters",
    "pattern": "must match {expected}",
    "format": "must be a valid {expected}",
    "minItems": "must have at least {expected} items",
    "maxItems": "must have at most {expected} items",
    "uniqueItems": "must not hold the same item twice",
    "minProperties": "must have at least {expected} members",
    "maxProperties": "must have at most {expected} members",
    "readOnly": "is set by the server and must not be sent",
}
_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def translate(
    contract: Contract, place: str, found: SchemaViolation, secret_names: Collection[str], prefix: str = ""
) -> Iterator[Violation]:
    """Yield the client's view of one schema violation: one for each missing or unknown name.

    Takes the part of the request (`body`), the names whose values are masked, and the pointer of the value.
    """
    pointer = child(prefix, *map(str, found.instance_path))
    provenance = contract.provenance(found.keyword_pointer)
    expected = _expected(contract, found.keyword_pointer)
    if found.keyword == "required":
        cases = [(child(pointer, name), name, "is required") for name in found.missing]
        shown, has_value = None, False
    elif found.missing:
        known = _known_names(contract, found.keyword_pointer)
        hint = f"; known are {', '.join(known)}" if known else ""
        cases = [(child(pointer, name), False, f"is not known here{hint}") for name in found.missing]
        shown, has_value = None, False
    else:
        sentence = _SENTENCES.get(found.keyword, "breaks {keyword}: {expected}")
        text = sentence.format(expected=_text(expected), type=_type_name(found.value), keyword=found.keyword)
        secret = any(
            isinstance(name, str) and (name in secret_names or looks_secret(name))
            for name in found.instance_path
        )
        shown, has_value = MASK if secret else show(found.value, secret_names), True
        message = text if isinstance(shown, dict | list) else f"{_text(shown)} {text}"
        cases = [(pointer, expected, message)]
    for where, wanted, message in cases:
        yield Violation(
            place=place,
            pointer=where,
            keyword=found.keyword,
            expected=wanted,
            message=message,
            has_value=has_value,
            value=shown,
            provenance_kind=provenance.kind,
            provenance_reason=provenance.reason,
            rule=found.keyword_pointer,
        )


def _expected(contract: Contract, pointer: str) -> Any:
    try:
        return show(contract.at(pointer))
    except LookupError:
        return None


def _known_names(contract: Contract, pointer: str) -> list[str]:
    """Return the names that the object around an `additionalProperties` keyword declares."""
    try:
        schema = contract.at(pointer.rpartition("/")[0])
    except LookupError:
        return []
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return list(properties) if isinstance(properties, dict) else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return (
        repr(value)
        if isinstance(value, str)
        else {True: "true", False: "false", None: "null"}.get(value, str(value))
        if isinstance(value, bool | None)
        else str(value)
    )


def _type_name(value: Any) -> str:
    return _TYPES.get(type(value), "null")
