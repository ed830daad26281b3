"""Kinds of requests: in what respect a request is unusual, and what a broken keyword of a schema is about, in words.

Failures of many operations that differ in nothing else have one cause, and these words name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.media_types import covering
from mockserver.suite.cases.observed_response import field_readings
from mockserver.suite.target.exchange import NotJSON, TooLarge, WireRequest, is_json, parse_json
from mockserver.suite.target.paths import read_off

#: What a request is that has nothing unusual about it.
VALID = "a valid request"
_LIMITS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "multipleOf"}
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains"}
)
_ABOUT: dict[str, str] = {
    "type": "a value of another type",
    "enum": "a value that is not listed",
    "const": "a value that is not listed",
    "pattern": "a text of another form",
    "format": "a text of another form",
    "required": "an object that lacks a member",
    "dependentRequired": "an object that lacks a member",
    "readOnly": "a member that is readOnly",
    "writeOnly": "a member that is writeOnly",
}
#: Control characters but tabs and line ends, and halves of surrogate pairs.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_TEXT, _LARGE_BYTES, _DEEP = 2000, 256 * 1024, 64
_BEYOND_64_BITS = 2**63


def kind_of_violation(violation: SchemaViolation) -> str:
    """Return what kind of value breaks a keyword: `a value beyond a limit` for `maxLength` and its like."""
    if violation.unknown:
        return "an unknown member"
    if violation.keyword == "type" and violation.value is None:
        return "null"
    if violation.keyword in _LIMITS:
        return "a value beyond a limit"
    return _ABOUT.get(violation.keyword, f"a value that breaks {violation.keyword}")


def kind_of_request(contract: Contract, operation: Operation | None, request: WireRequest) -> str:
    """Return in what respect a request is unusual, by the contract or by its texts and numbers; `VALID` if in none."""
    if operation is None:
        return "a method or path that the contract does not define"
    return next(_content_kinds(contract, operation, request), None) or next(
        _parameter_kinds(contract, operation, request), VALID
    )


def _content_kinds(contract: Contract, operation: Operation, request: WireRequest) -> Iterator[str]:
    body, documented = request.body or b"", operation.request_body
    if documented is None or not body:
        if documented is not None and documented.required:
            yield "a request without its content"
        if body and documented is None:
            yield "content where none is documented"
        return
    if len(body) > _LARGE_BYTES:
        yield "very long content"
    media_type = covering(documented.content, request.field("content-type") or "")
    if media_type is None:
        yield "content of an undocumented media type"
    if not is_json(request.field("content-type") or "") and media_type is not None:
        yield from _text_kinds(body.decode("utf-8", "replace"))
        return
    try:
        value = parse_json(body)
    except TooLarge:
        yield "very long content"
        return
    except NotJSON:
        yield "content that is not JSON"
        return
    yield from _value_kinds(value)
    if media_type is not None and media_type.schema is not None:
        broken = contract.validator(media_type.schema, "request").violations(value)
        yield from map(kind_of_violation, broken)


def _parameter_kinds(contract: Contract, operation: Operation, request: WireRequest) -> Iterator[str]:
    path, _, query = request.path.partition("?")
    found = [("path", name, text) for name, text in read_off(operation.path, path).items()]
    found += [("query", name, text) for name, text in parse_qsl(query, keep_blank_values=True)]
    yield from _text_kinds(unquote(path))
    declared = {(str(one.location), one.name): one for one in operation.parameters}
    for location, name, text in found:
        yield from _text_kinds(text)
        parameter = declared.get((location, name))
        if parameter is not None and not _fits(contract, parameter, text):
            yield "a parameter's value that the contract does not allow"
    shown = {(location, name) for location, name, _ in found}
    for parameter in operation.parameters:
        known = parameter.location != "query" or (parameter.location, parameter.name) in shown
        if parameter.required and not known and "object" not in _types(contract, parameter):
            yield "a request without a required parameter"


def _fits(contract: Contract, parameter: Parameter, text: str) -> bool:
    kinds = _types(contract, parameter)
    if parameter.schema is None or {"array", "object"} & set(kinds):
        return True  # in one of many styles
    validator = contract.validator(parameter.schema, "request")
    return any(map(validator.is_valid, field_readings(text, kinds)))


def _types(contract: Contract, parameter: Parameter) -> list[str]:
    raw = contract.schema(parameter.schema)[0] if parameter.schema is not None else None
    kinds = raw.get("type", ()) if isinstance(raw, dict) else ()
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _value_kinds(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield what is unusual about the texts and numbers of a JSON value."""
    if depth > _DEEP:
        yield "content that is nested deep"
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _text_kinds(name)
            yield from _value_kinds(member, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _value_kinds(item, depth + 1)
    elif isinstance(value, str):
        yield from _text_kinds(value)
    elif isinstance(value, int | float) and abs(value) >= _BEYOND_64_BITS:
        yield "a number beyond 64 bits"


def _text_kinds(text: str) -> Iterator[str]:
    if _SURROGATE.search(text):
        yield "a text with half of a surrogate pair"
    if _CONTROL.search(text):
        yield "a text with a control character"
    if len(text) > _LONG_TEXT:
        yield "a very long text"
