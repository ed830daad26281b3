"""Expectations: what a keyword of a schema demands of a value, and what the value is, in words for findings."""

from __future__ import annotations

from typing import Any

from mockserver.contract.schema.validator import SchemaViolation
from mockserver.contract.schema.violation_messages import expectation_of
from mockserver.http.json import clip
from mockserver.suite.verdicts.failures import describe


def expectation(violation: SchemaViolation, limit: Any) -> str:
    """Return what a broken keyword demands, such as `at most 5` or `integer or null`.

    Args:
        violation: the violation of the keyword.
        limit: the value of the keyword in the contract, None if it is not known.
    """
    if violation.unknown:
        return "only documented properties"
    if violation.keyword == "required" and violation.missing:
        return f"the property {describe(violation.missing[0])}"
    if violation.keyword == "writeOnly":
        return "no value, since it is writeOnly"
    if limit is None and violation.keyword != "const":
        return f"a value that is valid by {violation.keyword}"
    return clip(expectation_of(violation.keyword, limit) or f"{violation.keyword} {describe(limit)}")


def shortcoming(violation: SchemaViolation) -> str:
    """Return the value that breaks a keyword, or the names of missing or undocumented properties."""
    if violation.unknown:
        names = ", ".join(map(describe, violation.unknown))
        return f"undocumented {'property' if len(violation.unknown) == 1 else 'properties'} {names}"
    if violation.keyword == "required" and violation.missing:
        return f"an object without {describe(violation.missing[0])}"
    return describe(violation.value)
