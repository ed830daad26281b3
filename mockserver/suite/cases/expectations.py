"""Expectations: what a keyword of a schema demands, in words for findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.contract.schema.validator import SchemaViolation
from mockserver.suite.verdicts.failures import describe, excerpt


def expectation(violation: SchemaViolation, limit: Any) -> str:
    """Return what a broken keyword demands, such as `at most 5` or `integer or null`.

    Args:
        violation: of the keyword.
        limit: the value of the keyword in the contract, None if it is not known.
    """
    if violation.unknown:
        return "only documented members"
    if violation.keyword == "required" and violation.missing:
        return f"the member {describe(violation.missing[0])}"
    if limit is None and violation.keyword != "const":
        return f"a value that keeps {violation.keyword}"
    say = _EXPECTATIONS.get(violation.keyword)
    return f"{violation.keyword} {describe(limit)}" if say is None else say(limit)


def shortcoming(violation: SchemaViolation) -> str:
    """Return the value that breaks a keyword, or the names of the members that are missing or too many."""
    if violation.unknown:
        return f"undocumented members: {', '.join(map(describe, violation.unknown))}"
    if violation.keyword == "required" and violation.missing:
        return f"an object without {describe(violation.missing[0])}"
    return describe(violation.value)


def _any_of(limit: Any) -> str:
    values = limit if isinstance(limit, list) else [limit]
    return excerpt(("one of " if len(values) > 1 else "") + ", ".join(map(describe, values)))


def _types(limit: Any) -> str:
    return " or ".join(map(str, limit)) if isinstance(limit, list) else str(limit)


_EXPECTATIONS: Mapping[str, Callable[[Any], str]] = {
    "type": _types,
    "enum": _any_of,
    "const": describe,
    "format": lambda limit: f"the format {limit}",
    "pattern": lambda limit: f"a text that matches {limit}",
    "minLength": lambda limit: f"at least {limit} characters",
    "maxLength": lambda limit: f"at most {limit} characters",
    "minimum": lambda limit: f"at least {limit}",
    "maximum": lambda limit: f"at most {limit}",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
    "exclusiveMaximum": lambda limit: f"less than {limit}",
    "multipleOf": lambda limit: f"a multiple of {limit}",
    "minItems": lambda limit: f"at least {limit} items",
    "maxItems": lambda limit: f"at most {limit} items",
    "uniqueItems": lambda _limit: "items that are all different",
    "minProperties": lambda limit: f"at least {limit} members",
    "maxProperties": lambda limit: f"at most {limit} members",
    "writeOnly": lambda _limit: "no value, since it is writeOnly",
}
