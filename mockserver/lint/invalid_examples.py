"""Lint rules `example` and `schema`: examples that break their schema, and unusable schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockserver.contract.exchanges import pairs_in
from mockserver.contract.reading.elements import Element
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.pointers import child, lookup, split
from mockserver.lint.linted_contract import LintedContract, LintFinding

_JSON = re.compile(r"^(?:application|text|\*)/(?:.*\+)?(?:json|\*)\s*(?:;|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Example or default in a contract, with the schema that must allow it and the direction it is sent in.

    Attributes:
        pointer: JSON pointer of the value.
        value: the example or default.
        schema: pointer of the schema.
        direction: how the value travels, or None: a `readOnly` or `writeOnly` part may be there or not.
    """

    pointer: str
    value: Any
    schema: str
    direction: Direction | None


def check_examples(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each violation in an example or default, and for each unusable schema."""
    unusable: set[str] = set()
    refused = set(_refused(subject))
    for sample in _samples(subject):
        if sample.schema in unusable or sample.pointer in refused:
            continue
        try:
            violations = list(_violations(subject, sample))
        except ContractError as error:
            unusable.add(sample.schema)
            message = str(error).removeprefix(f"{sample.schema}: ")
            yield subject.finding(
                "schema", sample.schema, message, "correct the schema, or the schema that it refers to"
            )
            continue
        for violation in violations:
            yield _finding(subject, sample, violation)
    yield from _check_stripped(subject)
    for element in subject.of_kind("schema"):
        subject.schemas.schema(element.pointer)
    for place, message in subject.schemas.notes.items():
        if place.endswith("/$ref"):
            continue  # reported by the rule `reference`
        yield subject.finding("schema", place, message, "correct the schema, or the schema that it refers to")


def _check_stripped(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each `x-mockserver-stripped` pointer to a value that the example does not have."""
    for element in subject.of_kind("example"):
        places = element.value.get("x-mockserver-stripped")
        for index, place in enumerate(places if isinstance(places, list) else ()):
            try:
                lookup(element.value.get("value"), place)
            except (LookupError, AttributeError):
                pointer = child(element.pointer, "x-mockserver-stripped", str(index))
                message = f"there is nothing at {excerpt(place)} in the example's value"
                yield subject.finding("example", pointer, message, "correct the JSON pointer")


def _refused(subject: LintedContract) -> Iterator[str]:
    """Yield the pointers of request examples whose response is an error, so that they may be invalid."""
    for pair in pairs_in(subject.contract) if subject.contract else ():
        if pair.request is not None and not pair.status.startswith("2"):
            yield child(pair.request.pointer, "value")


def _samples(subject: LintedContract) -> Iterator[_Sample]:
    for element in subject.of_kind("media type", "parameter", "header"):
        if "schema" in element.value:
            schema = child(element.pointer, "schema")
            for pointer, value in _values(subject, element):
                if not _is_serialised(subject, element, value):
                    yield _Sample(pointer, value, schema, element.direction)
    for element in subject.of_kind("schema"):
        for pointer, value in _schema_values(element):
            yield _Sample(pointer, value, element.pointer, None)


def _values(subject: LintedContract, element: Element) -> Iterator[tuple[str, Any]]:
    """Yield pointer and value of each example of a media type, parameter or header."""
    if "example" in element.value:
        yield child(element.pointer, "example"), element.value["example"]
    examples = element.value.get("examples")
    for name in examples if isinstance(examples, dict) else ():
        found = subject.resolve(child(element.pointer, "examples", name))
        if found is not None and "value" in found[0]:
            yield child(found[1], "value"), found[0]["value"]


def _schema_values(element: Element) -> Iterator[tuple[str, Any]]:
    for keyword in ("example", "default"):
        if keyword in element.value:
            yield child(element.pointer, keyword), element.value[keyword]
    examples = element.value.get("examples")
    for index, value in enumerate(examples if isinstance(examples, list) else ()):
        yield child(element.pointer, "examples", str(index)), value


def _is_serialised(subject: LintedContract, element: Element, value: Any) -> bool:
    """Tell whether an example is serialised content, such as XML text, which no schema can check.

    Examples of media types that are not JSON may be text, such as XML (OpenAPI 3.1, section 4.8.19).
    """
    if element.kind != "media type" or not isinstance(value, str):
        return False
    media_type = split(element.pointer)[-1]
    schema = subject.resolve(child(element.pointer, "schema"))
    return not _JSON.match(media_type) and (schema is None or schema[0].get("type") != "string")


def _violations(subject: LintedContract, sample: _Sample) -> Iterator[SchemaViolation]:
    validator = subject.schemas.validator(sample.schema, sample.direction or "request")
    for violation in validator.violations(sample.value):
        if sample.direction is None and violation.keyword in {"readOnly", "writeOnly"}:
            continue
        if violation.keyword == "required" and _is_excused(subject, sample, violation):
            continue
        yield violation


def _is_excused(subject: LintedContract, sample: _Sample, violation: SchemaViolation) -> bool:
    """Tell whether all missing properties are `readOnly` or `writeOnly`, so that they must not be sent."""
    forbidden = {"request": ("readOnly",), "response": ("writeOnly",), None: ("readOnly", "writeOnly")}
    holder = violation.keyword_pointer.rpartition("/")[0]
    for name in violation.missing:
        found = subject.resolve(child(holder, "properties", name))
        if found is None or not any(found[0].get(keyword) is True for keyword in forbidden[sample.direction]):
            return False
    return bool(violation.missing)


def _finding(subject: LintedContract, sample: _Sample, violation: SchemaViolation) -> LintFinding:
    place = child(sample.pointer, *map(str, violation.instance_path))
    if violation.keyword in {"readOnly", "writeOnly"}:
        message = f"a {violation.keyword} property is in the example of a {sample.direction}"
        return subject.finding("example", place, message, "remove it: it is never sent in this direction")
    message = f"breaks {violation.keyword_pointer}: {violation.message}"
    return subject.finding("example", place, message, "correct the example or the schema")
