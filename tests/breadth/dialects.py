"""Plain jsonschema for each version's Schema Object, as the specification of that version reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker, ValidationError, validators
from jsonschema.exceptions import UnknownType
from jsonschema.protocols import Validator

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]
FORMATS = FormatChecker()


def _careful(keyword: Keyword) -> Keyword:
    """Return a keyword that says nothing where the document has written it wrongly, or of a `nullable` null."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if instance is None and isinstance(schema, dict) and schema.get("nullable") is True:
            return
        try:
            yield from keyword(validator, value, instance, schema) or ()
        except (TypeError, AttributeError, KeyError, re.error, UnknownType):
            return

    return check


def _required(validator: Any, required: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """`required`, but for what is only ever sent (OpenAPI 3.0.3, section 4.7.24.2: `writeOnly`)."""
    if not isinstance(instance, dict) or not isinstance(required, list):
        return
    properties = schema.get("properties") or {}
    for name in required:
        if name not in instance and not _write_only(validator, properties.get(name)):
            yield ValidationError(f"{name!r} is a required property")


def _write_only(validator: Any, schema: Any) -> bool:
    for _ in range(32):
        if not isinstance(schema, dict):
            return False
        if schema.get("writeOnly") is True:
            return True
        if "$ref" not in schema:
            return False
        schema = validator._resolver.lookup(schema["$ref"]).contents  # jsonschema has no public way
    return False


def _extended(base: Any) -> type[Validator]:
    keywords = {name: _careful(keyword) for name, keyword in base.VALIDATORS.items() if name not in {"$ref"}}
    extended: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
        base, {**keywords, "required": _careful(_required)}
    )
    return extended


#: `nullable` is heeded in 3.1, too: it has no meaning there, and many write it.
_BY_VERSION: dict[str, type[Validator]] = {
    "2.0": _extended(Draft4Validator),
    "3.0": _extended(Draft4Validator),
}
_CURRENT = _extended(Draft202012Validator)


def validator_class(version: str) -> type[Validator]:
    """Return the class of validators for the Schema Objects of a version of OpenAPI."""
    return _BY_VERSION.get(version, _CURRENT)
