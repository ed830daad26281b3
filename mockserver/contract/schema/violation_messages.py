"""Messages of schema violations: what was expected and what was found, for errors of both JSON Schema libraries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.http.json import excerpt

#: Found values are shown up to this length.
_MOST_CHARACTERS = 200


def _count(limit: Any, noun: str) -> str:
    plural = {"property": "properties"}.get(noun, noun + "s")
    return f"{limit} {noun if limit == 1 else plural}"


def _listed(values: Any) -> str:
    return ", ".join(map(excerpt, values))


#: Keyword to what it expects, made from its value.
_EXPECTED: Mapping[str, Callable[[Any], str]] = {
    "type": lambda limit: limit if isinstance(limit, str) else " or ".join(map(str, limit)),
    "enum": lambda limit: excerpt(limit[0]) if len(limit) == 1 else f"one of {_listed(limit)}",
    "const": excerpt,
    "format": lambda limit: f"text of the format {limit}",
    "pattern": lambda limit: f"text that matches {limit}",
    "minLength": lambda limit: f"at least {_count(limit, 'character')}",
    "maxLength": lambda limit: f"at most {_count(limit, 'character')}",
    "minimum": lambda limit: f"at least {limit}",
    "maximum": lambda limit: f"at most {limit}",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
    "exclusiveMaximum": lambda limit: f"less than {limit}",
    "multipleOf": lambda limit: f"a multiple of {limit}",
    "minItems": lambda limit: f"at least {_count(limit, 'item')}",
    "maxItems": lambda limit: f"at most {_count(limit, 'item')}",
    "minProperties": lambda limit: f"at least {_count(limit, 'property')}",
    "maxProperties": lambda limit: f"at most {_count(limit, 'property')}",
    "uniqueItems": lambda _: "items that are all different",
    "contains": lambda _: "an item that is valid against the schema in contains",
    "anyOf": lambda _: "a value that is valid against a schema in anyOf",
    "oneOf": lambda _: "a value that is valid against exactly one schema in oneOf",
    "not": lambda _: "a value that is not valid against the schema in not",
    "falseSchema": lambda _: "no value",
}
#: Keyword of properties that a direction forbids, to the message.
_FORBIDDEN = {
    "readOnly": "a readOnly property must not be in a request",
    "writeOnly": "a writeOnly property must not be in a response",
}


def rust_message(error: Any) -> str:
    """Return the message of a `ValidationError` of jsonschema-rs."""
    kind = error.kind
    if kind.name == "required":
        return _missing(kind.property)
    if kind.name in {"additionalProperties", "unevaluatedProperties"}:
        return _unknown(kind.unexpected)
    if kind.name in {"additionalItems", "unevaluatedItems"}:
        return f"items beyond those that the schema describes are not allowed; got {_excerpt(error.instance)}"
    if kind.name == "propertyNames":
        return f"the name of a property is wrong: {rust_message(kind.error)}"
    if kind.name in _FORBIDDEN:
        return _FORBIDDEN[kind.name]
    return _expectation(kind.name, kind.value, error.instance, error.message)


def python_message(error: Any) -> str:
    """Return the message of a `ValidationError` of jsonschema."""
    if error.validator == "required" and (name := re.fullmatch("'(.*)' is a required property", error.message)):
        return _missing(name[1])
    if error.validator in {"additionalProperties", "unevaluatedProperties"} and isinstance(error.instance, dict):
        declared = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        names = [name for name in error.instance if name not in declared]
        return _unknown(names) if names else str(error.message)
    keyword = "falseSchema" if error.validator is None else str(error.validator)
    return _expectation(keyword, error.validator_value, error.instance, str(error.message))


def expectation_of(keyword: str, limit: Any) -> str | None:
    """Return what a keyword with this value expects, such as `at most 5`; None if it has no words here."""
    expected = _EXPECTED.get(keyword)
    return None if expected is None else expected(limit)


def _expectation(keyword: str, limit: Any, value: Any, otherwise: str) -> str:
    expected = expectation_of(keyword, limit)
    return otherwise if expected is None else f"expected {expected}; got {_excerpt(value)}"


def _excerpt(value: Any) -> str:
    return excerpt(value, _MOST_CHARACTERS)


def _missing(name: str) -> str:
    return f"the property {excerpt(name)} is missing"


def _unknown(names: list[str]) -> str:
    return f"unknown {'property' if len(names) == 1 else 'properties'} {_listed(names)}"
