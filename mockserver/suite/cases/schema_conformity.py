"""Ways in which content breaks its schema, at bounded cost: jsonschema-rs copies what it tells of, several times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mockserver.contract.schema.validator import SchemaViolation, Validator
from mockserver.suite.target.exchange import TooLarge, WireResponse
from mockserver.suite.target.json_text import MAX_DEPTH
from mockserver.suite.verdicts.failures import NotRun

#: So many violations of one answer are looked at; those of a list of thousands are all alike.
_MAX_VIOLATIONS = 1000
#: Of longer content, some of which breaks its schema, the beginnings of its lists and objects are looked at closely.
_LARGE, _FIRST = 1024 * 1024, 50
#: Keywords that are broken by what stands anywhere below.
_SUMMARIES = frozenset(
    {"anyOf", "oneOf", "not", "contains", "minContains", "maxContains", "uniqueItems", "enum", "const"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
#: Keywords that are broken by what was left out of a list or an object.
_COUNTS = frozenset({"minItems", "minProperties", "required", "dependentRequired", "dependentSchemas"})


def json_violations(validator: Validator, response: WireResponse) -> Iterator[SchemaViolation]:
    """Yield ways in which an answer's JSON breaks its schema, at least one if there is any that was read.

    Raises:
        NotJSON: the content is none.
        NotRun: it was read in part, and nothing of that breaks the schema.
    """
    try:
        reading = response.reading()
    except TooLarge as reason:
        # What the whole is can be told from its first sign.
        hollow: Any = {} if response.body.lstrip()[:1] == b"{" else []
        wrong = [one for one in validator.violations(hollow) if one.keyword == "type" and not one.instance_path]
        if not wrong:
            raise NotRun(str(reason)) from None
        yield from wrong
        return
    if len(response.body) <= _LARGE:
        found = violations(validator, reading.value)
    elif validator.is_valid(reading.value):
        found = iter(())
    else:
        found = _of_large(validator, reading.value)
    told = False
    for violation in found:
        if not (reading.pruned and _may_be_below(violation)):
            told = True
            yield violation
    if reading.pruned and not told:
        raise NotRun(f"content that is nested deeper than {MAX_DEPTH} levels is judged down to there only")


def violations(validator: Validator, value: Any) -> Iterator[SchemaViolation]:
    """Yield ways in which a value breaks a schema, not without end."""
    return islice(validator.violations(value), _MAX_VIOLATIONS)


def _of_large(validator: Validator, value: Any) -> Iterator[SchemaViolation]:
    """Yield ways in which a large value breaks a schema that it is known to break."""
    found = [one for one in violations(validator, _beginning(value)) if one.keyword not in _SUMMARIES | _COUNTS]
    yield from found
    if not found:
        yield SchemaViolation((), "the schema", "", "", f"something that is not among the first {_FIRST} of its items")


def _beginning(value: Any) -> Any:
    if isinstance(value, list):
        return [_beginning(item) for item in value[:_FIRST]]
    if isinstance(value, dict):
        return {name: _beginning(member) for name, member in islice(value.items(), _FIRST)}
    return value


def _may_be_below(violation: SchemaViolation) -> bool:
    """Tell whether a violation may come from what was left out of content that is nested too deep."""
    return violation.keyword in _SUMMARIES or len(violation.instance_path) >= MAX_DEPTH - 1
