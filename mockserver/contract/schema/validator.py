"""Compiled JSON Schema validators of a contract, and the violations that they report.

Validation runs on jsonschema-rs; `jsonschema` is the reference that the tests hold it against
(tests/unit/contract/test_agreement.py lists every known disagreement and who is right).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from threading import RLock
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from mockserver.contract.schema.direction import FORBIDDEN, Direction, Forbidden
from mockserver.contract.schema.subset import SEPARATOR, SchemaSubset
from mockserver.contract.schema.translation import Translation
from mockserver.contract.schema.violation_messages import rust_message
from mockserver.errors import ContractError
from mockserver.http.pointers import split

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BASE = "urn:mockserver:contract"


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """Violation of a schema by a value: the path in the value, the keyword and its pointer, and a message.

    Attributes:
        instance_path: names and indexes that lead to the offending part of the value.
        keyword: the schema keyword that is broken, such as `maximum`.
        keyword_pointer: JSON pointer of that keyword in the contract.
        message: what was expected and the value; not to be shown for secret values.
        value: the offending part of the value.
        missing: the name that is missing, for `required` and its like.
        unknown: the names that must not be there, for `additionalProperties` and its like.
        several_fit: whether it is a `oneOf` of which more than one branch fits.
    """

    instance_path: tuple[str | int, ...]
    keyword: str
    keyword_pointer: str
    message: str
    value: Any
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    several_fit: bool = False


#: What jsonschema-rs calls a `oneOf` of which more than one branch fits.
_SEVERAL = "OneOfMultipleValid"
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]*=*\s*")

#: Checks of formats that jsonschema-rs does not have; all other unknown formats are accepted.
_FORMATS = {
    "byte": lambda text: _BASE64.fullmatch(text) is not None,
}

#: Keywords that can be checked for a scalar without the rest of the document.
_PLAIN = frozenset(
    {"type", "enum", "const", "format", "pattern", "minLength", "maxLength"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)


class Validator:
    """Compiled validator of one schema of the contract, for requests or for responses."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def is_valid(self, value: Any) -> bool:
        """Tell whether a value is valid against the schema."""
        try:
            return bool(self._compiled.is_valid(value))
        except ValueError:
            return bool(self._compiled.is_valid(supported_value(value)))

    def violations(self, value: Any) -> Iterator[SchemaViolation]:
        """Yield every violation of the schema by a value, none if the value is valid."""
        yield from map(_translate, self._errors(value))

    def nearest_violations(self, value: Any) -> Iterator[SchemaViolation]:
        """Yield every violation as a person would name it: below `oneOf` and `anyOf`, those of the nearest branch.

        Nearest is the branch for values of this type that has the fewest errors; where several have as few, or none is
        for this type, the violation is that of the keyword.
        """
        for error in self._errors(value):
            yield from map(_translate, _nearest(error))

    def _errors(self, value: Any) -> Iterator[Any]:
        yielded = 0
        try:
            for error in self._compiled.iter_errors(value):
                yield error
                yielded += 1
        except ValueError:
            yield from islice(self._compiled.iter_errors(supported_value(value)), yielded, None)


class Schemas:
    """Compiler of a document's schemas; each is compiled on first use, with only the schemas that it refers to."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._translation = Translation(data)
        self._compiled: dict[tuple[str, Direction], Validator] = {}
        self._lock = RLock()

    @property
    def notes(self) -> dict[str, str]:
        """Keywords that were ignored so far because they are unusable, by their pointer, with the reason."""
        return self._translation.notes

    def schema(self, pointer: str) -> tuple[Any, str]:
        """Return the schema at a pointer in JSON Schema 2020-12 and its own pointer, after `$ref`s were followed.

        Raises:
            ContractError: there is nothing at the pointer.
        """
        return self._translation.follow(pointer)

    def validator(self, pointer: str, direction: Direction) -> Validator:
        """Return the validator of the Schema Object at a JSON pointer.

        Raises:
            ContractError: the schema cannot be compiled; the text names its pointer.
        """
        key = (pointer, direction)
        found = self._compiled.get(key)
        if found is None:
            with self._lock:  # many first requests at once compile a schema once
                # Many places are only a `$ref` to one schema, which is then compiled once.
                place = self._translation.meant(pointer)
                found = self._compiled.get((place, direction)) or self._compile(place, direction)
                self._compiled[key] = self._compiled[place, direction] = found
        return found

    def _compile(self, pointer: str, direction: Direction) -> Validator:
        sparse = SchemaSubset(self._translation, FORBIDDEN[direction])
        root = sparse.add(pointer)
        try:
            return Validator(
                jsonschema_rs.validator_for(
                    {"$schema": _DIALECT, "$id": _BASE, "$ref": root, "$defs": sparse.definitions()},
                    validate_formats=True,
                    keywords={FORBIDDEN[direction]: Forbidden},
                    formats=_FORMATS,
                )
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            reason = getattr(error, "message", None) or str(error)
            raise ContractError(f"{pointer}: is not a usable JSON Schema: {reason}") from error


#: Replacement of a character that UTF-8 cannot encode (Unicode Standard, section 3.9).
_LONE_SURROGATE, _REPLACEMENT = re.compile("[\ud800-\udfff]"), "\ufffd"
#: jsonschema-rs does not accept values nested deeper than 255 levels.
_MAX_LEVELS = 250


def supported_value(value: Any, level: int = 0) -> Any:
    """Return a value that jsonschema-rs accepts: lone surrogates replaced, parts nested too deep left out."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        below = value.items() if level < _MAX_LEVELS else ()
        return {supported_value(name): supported_value(member, level + 1) for name, member in below}
    if isinstance(value, list):
        return [supported_value(item, level + 1) for item in (value if level < _MAX_LEVELS else ())]
    return value


def _nearest(error: Any) -> Iterator[Any]:
    """Yield the errors of the nearest branch of a `oneOf` or `anyOf`, else the error itself."""
    branches = [
        branch for branch in getattr(error.kind, "context", None) or () if not _is_of_another_type(error, branch)
    ]
    branches.sort(key=len)
    if not branches or not branches[0] or any(len(branch) == len(branches[0]) for branch in branches[1:]):
        yield error
        return
    for inner in branches[0]:
        yield from _nearest(inner)


def _is_of_another_type(error: Any, branch: list[Any]) -> bool:
    """Tell whether a branch demands another type than the value has: it is not the one that was meant."""
    place = list(error.instance_path)
    return any(inner.kind.name == "type" and list(inner.instance_path) == place for inner in branch)


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
        keyword_pointer=_in_contract(unquote(location.partition("#")[2])),
        message=rust_message(error),
        value=error.instance,
        missing=missing,
        unknown=unknown,
        several_fit=keyword == "oneOf" and type(kind).__name__ == _SEVERAL,
    )


def _in_contract(location: str) -> str:
    """Return the pointer in the contract of a keyword in the compiled subset, `/$defs/NAME/...`."""
    _, _, name, *rest = location.split("/", 3)
    below = f"/{rest[0]}" if rest else ""
    return split(f"/{name}")[0].partition(SEPARATOR)[0] + below


def conforms(schema: dict[str, Any], value: Any) -> bool:
    """Tell whether a scalar is valid against a schema's own keywords; a schema that cannot be compiled allows any."""
    plain = {name: item for name, item in schema.items() if name in _PLAIN}
    try:
        return bool(
            jsonschema_rs.validator_for(
                {"$schema": _DIALECT, **plain}, validate_formats=True, formats=_FORMATS
            ).is_valid(value)
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return True
