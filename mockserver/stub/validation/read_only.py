"""`readOnly` members of requests, which a server may ignore (JSON Schema, validation, section 9.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.schema.validator import Validator


def without_read_only(contract: Contract, schema: str, validator: Validator, value: Any) -> Any:
    """Return content without the members that are `readOnly`, as a client sends them that changes what GET showed.

    Args:
        contract: of the schema.
        schema: pointer of the content's schema.
        validator: of the content as a request.
        value: content that is not valid.
    """
    for way, _ in contract.marks("readOnly").below(schema):
        value = _without(value, way)
    for violation in validator.violations(value):  # in maps, and deeper than the ways that are looked for
        if violation.keyword == "readOnly" and violation.instance_path:
            value = _without(value, violation.instance_path)
    return value


def _without(value: Any, way: Sequence[str | int]) -> Any:
    """Return a value without the members at the end of a way, `*` for each item of a list."""
    first, rest = way[0], way[1:]
    if isinstance(value, list):
        if first == "*":
            return [_without(item, rest) for item in value] if rest else value
        if isinstance(first, int) and first < len(value) and rest:
            return [_without(item, rest) if index == first else item for index, item in enumerate(value)]
        return value
    if not isinstance(value, dict) or first not in value:
        return value
    if not rest:
        return {name: item for name, item in value.items() if name != first}
    return {**value, str(first): _without(value[str(first)], rest)}
