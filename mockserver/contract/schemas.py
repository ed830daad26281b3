"""JSON Schema: compiled validators, direction of `readOnly` and `writeOnly`, and errors with their place.

Validation runs on jsonschema-rs; `jsonschema` is the reference that the tests hold it against
(tests/unit/contract/test_agreement.py lists every known disagreement and who is right).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote

import jsonschema_rs

from mockserver.errors import ContractError

Direction = Literal["request", "response"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BASE = "urn:mockserver:contract"


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One way in which a value breaks a schema.

    Attributes:
        instance_path: names and indexes that lead to the offending part of the value.
        keyword: the schema keyword that is broken, such as `maximum`.
        keyword_pointer: JSON pointer of that keyword in the contract.
        message: what is wrong, with the value; not for values that are secret.
        value: the offending part of the value.
        missing: the name that is missing, for `required` and its like.
        unknown: the names that must not be there, for `additionalProperties` and its like.
    """

    instance_path: tuple[str | int, ...]
    keyword: str
    keyword_pointer: str
    message: str
    value: Any
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class _Forbidden:
    """The keyword `writeOnly` in answers and `readOnly` in requests: such a property must not be there."""

    def __init__(self, _parent: dict[str, Any], value: Any, _path: list[str | int]) -> None:
        self._forbidden = value is True

    def validate(self, _instance: Any) -> None:
        """Refuse any value; jsonschema-rs turns the error into a violation."""
        if self._forbidden:
            raise ValueError("must not be present in this direction")


_FORBIDDEN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}


class Validator:
    """One compiled schema of the contract, for one direction."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        #: Bound method for hot paths: value -> bool.
        self.is_valid = compiled.is_valid

    def violations(self, value: Any) -> Iterator[SchemaViolation]:
        """Yield every way in which a value breaks the schema, none if it is valid."""
        for error in self._compiled.iter_errors(value):
            yield _translate(error)


class Schemas:
    """Compiles the schemas of one document, each when first asked for."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._registry: Any = None
        self._compiled: dict[tuple[str, Direction], Validator] = {}

    def validator(self, pointer: str, direction: Direction) -> Validator:
        """Return the validator of the Schema Object at a JSON pointer.

        Raises:
            ContractError: the schema cannot be compiled; the text names its pointer.
        """
        key = (pointer, direction)
        found = self._compiled.get(key)
        if found is None:
            # Two threads may compile the same schema at once; both results are equal and one is kept.
            found = self._compiled[key] = self._compile(pointer, direction)
        return found

    def _compile(self, pointer: str, direction: Direction) -> Validator:
        try:
            if self._registry is None:
                self._registry = jsonschema_rs.Registry([(_BASE, self._data)])
            return Validator(
                jsonschema_rs.validator_for(
                    {"$schema": _DIALECT, "$ref": f"{_BASE}#{quote(pointer)}"},
                    registry=self._registry,
                    validate_formats=True,
                    keywords={_FORBIDDEN[direction]: _Forbidden},
                )
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            reason = getattr(error, "message", None) or str(error)
            raise ContractError(f"{pointer}: is not a usable JSON Schema: {reason}") from error


def _translate(error: Any) -> SchemaViolation:
    location = error.absolute_keyword_location or ""
    keyword = error.schema_path[-1] if error.schema_path else "false"
    kind = error.kind
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    if kind.name == "required":
        missing = (kind.property,)
    elif kind.name in {"additionalProperties", "unevaluatedProperties"}:
        unknown = tuple(kind.unexpected)
    return SchemaViolation(
        instance_path=tuple(error.instance_path),
        keyword=str(keyword),
        keyword_pointer=unquote(location.partition("#")[2]),
        message=error.message,
        value=error.instance,
        missing=missing,
        unknown=unknown,
    )
