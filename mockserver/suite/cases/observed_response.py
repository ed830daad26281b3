"""Observed responses: an exchange with its documented operation and response, and violations of its schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mockserver.contract.model import Contract, DocumentedResponse, MediaType, Operation
from mockserver.contract.schema.validator import SchemaViolation, Validator
from mockserver.http.media_types import covering
from mockserver.http.styles import decode_text
from mockserver.suite.secrets.known_secrets import Secrets, marked
from mockserver.suite.target.exchange import Exchange, NotJSON, TooLarge, WireResponse, is_json
from mockserver.suite.target.json_text import MAX_DEPTH
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule

_NOT_FOUND = 404
#: A slash within a segment (RFC 3986, section 2.2).
_ENCODED_SLASH = "%2F"


#: What selects a representation, its entity tag included, to a digest of the content and its beginning.
Representations = dict[tuple[str, ...], tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class ObservedResponse:
    """An exchange together with what the contract documents for its operation, status code and media type.

    Attributes:
        operation: the operation at the request's method and path, None if the contract defines none.
        label: label of the operation in reports.
        documented: the documented response for the status code, None if there is none.
        promised: the response that the content must conform to: `documented`, or the documented success for an
            undocumented 2xx.
        media_type: the Media Type Object of `promised` for the content, None if there is none.
        representations: those seen before in the run, None if nobody remembers them.
    """

    contract: Contract
    operation: Operation | None
    label: str
    exchange: Exchange
    response: WireResponse
    secrets: Secrets
    documented: DocumentedResponse | None = None
    promised: DocumentedResponse | None = None
    media_type: MediaType | None = None
    issued: tuple[tuple[str, ...], ...] = field(default=())
    representations: Representations | None = None

    def failure(
        self, check: str, title: str, *, expected: str, got: str, pointer: str, rule: Rule, cause: str = ""
    ) -> CheckFailure:
        """Return the failure of a check on this response."""
        return CheckFailure(
            check,
            self.label,
            title,
            expected=expected,
            got=got,
            pointer=pointer,
            rule=rule,
            exchange=self.exchange,
            cause=cause,
        )

    @property
    def place(self) -> str:
        """JSON pointer of the operation in the contract, "" if the contract does not define it."""
        return self.operation.pointer if self.operation else ""


def observe(
    contract: Contract,
    operation: Operation | None,
    label: str,
    exchange: Exchange,
    secrets: Secrets,
    representations: Representations | None = None,
) -> ObservedResponse | None:
    """Return an exchange with what the contract documents for it, or None if it has no response."""
    response = exchange.response
    if response is None:
        return None
    undefined = operation is None
    if response.status == _NOT_FOUND and _ENCODED_SLASH in exchange.request.path.partition("?")[0].upper():
        # Many servers, ours included, decode a path before they look at it, and some refuse such a path by themselves:
        # whether the operation was reached at all is open.
        operation = None
    documented = operation.response_for(response.status) if operation else None
    promised = promise(operation, response) if operation else None
    if undefined and response.status < 500:
        # What the contract does not define is answered as it says for all of its paths, if it does.
        documented = promised = contract.errors.get(str(response.status))
    media_type = documented_content(promised, response.content_type)
    schema = media_type.schema if media_type else None
    issued = tuple(path for path, _ in marked(contract, schema, "x-secret"))
    return ObservedResponse(
        *(contract, operation, label, exchange, response, secrets, documented, promised, media_type, issued),
        representations,
    )


def promise(operation: Operation, response: WireResponse) -> DocumentedResponse | None:
    """Return the documented response that the content must conform to, None if there is none.

    A success with an undocumented status code must have the content of the documented success: 202 for 200. The status
    code is one finding, and violations of the schema are others.
    """
    documented = operation.response_for(response.status)
    if documented is None and response.successful and response.body:
        return operation.success()
    return documented


def documented_content(documented: DocumentedResponse | None, content_type: str) -> MediaType | None:
    """Return what a documented response says about a `Content-Type`, None if it does not allow that type."""
    return None if documented is None else covering(documented.content, content_type)


class Unreadable:
    """Placeholder for response content that cannot be parsed as its media type."""


UNREADABLE = Unreadable()


def content_value(response: WireResponse) -> Any:
    """Return the content of a response as a JSON value or a text, `UNREADABLE` if it is neither."""
    if is_json(response.media_type):
        try:
            return response.json()
        except NotJSON:
            return UNREADABLE
    if response.media_type.startswith("text/"):
        return response.body.decode("utf-8", "replace")
    return UNREADABLE


#: How many violations of one response are looked at; those of a list of thousands are all alike.
_MAX_VIOLATIONS = 1000
#: In invalid content longer than `_LARGE`, only the first items of its lists and objects are searched for violations.
_LARGE, _FIRST = 1024 * 1024, 50
#: Keywords that may be broken by any value below their own level.
_SUMMARIES = frozenset(
    {"anyOf", "oneOf", "not", "contains", "minContains", "maxContains", "uniqueItems", "enum", "const"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
#: Keywords that a list or object breaks once some of its members are left out.
_COUNTS = frozenset({"minItems", "minProperties", "required", "dependentRequired", "dependentSchemas"})


def json_violations(validator: Validator, response: WireResponse) -> Iterator[SchemaViolation]:
    """Yield violations of a schema by a response's JSON content, at least one if the part that was read has any.

    Raises:
        NotJSON: the content is none.
        NotRun: it was read in part, and nothing of that breaks the schema.
    """
    try:
        reading = response.reading()
    except TooLarge as reason:
        # The type of the whole value is known from its first character.
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
        raise NotRun(f"content that is nested deeper than {MAX_DEPTH} levels is judged only down to that level")


def violations(validator: Validator, value: Any) -> Iterator[SchemaViolation]:
    """Yield the violations of a schema by a value, at most `_MAX_VIOLATIONS` of them."""
    return islice(validator.violations(value), _MAX_VIOLATIONS)


def _of_large(validator: Validator, value: Any) -> Iterator[SchemaViolation]:
    """Yield violations of a schema by a large invalid value, found in the beginnings of its lists and objects."""
    found = [one for one in violations(validator, _beginning(value)) if one.keyword not in _SUMMARIES | _COUNTS]
    yield from found
    if not found:
        yield SchemaViolation((), "the schema", "", "", f"something after the first {_FIRST} of its items")


def _beginning(value: Any) -> Any:
    if isinstance(value, list):
        return [_beginning(item) for item in value[:_FIRST]]
    if isinstance(value, dict):
        return {name: _beginning(member) for name, member in islice(value.items(), _FIRST)}
    return value


def _may_be_below(violation: SchemaViolation) -> bool:
    """Tell whether a violation may be due to levels that were cut off because content is nested too deep."""
    return violation.keyword in _SUMMARIES or len(violation.instance_path) >= MAX_DEPTH - 1


_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
#: Beyond this a number is no matter of a header field, and Python refuses to read it.
_MAX_DIGITS = 300


def field_readings(text: str, kinds: Collection[str]) -> list[Any]:
    """Return the values that the text of a header field may stand for by its schema, the text itself first.

    Args:
        text: of the field.
        kinds: the types that its schema names, empty for none; a list or an object is read where one is named alone,
            since keywords for texts would say nothing of it.
    """
    found: list[Any] = [text]
    if not kinds or set(kinds) != {"string"}:
        found.append(_read(text))
    parts = [part.strip() for part in _decoded("array", text)] if text.strip() else []
    if "array" in kinds:
        found += [parts, [_read(part) for part in parts]]
    if "object" in kinds:
        found += _objects(parts)
    return found


def _objects(parts: list[str]) -> list[dict[str, Any]]:
    """Return the objects that a header field such as `a=1,b=2` (exploded) or `a,1,b,2` may stand for."""
    explode = all("=" in part for part in parts)
    if len(parts) % 2 and not explode:
        return []
    members = _decoded("object", ",".join(parts), explode=explode)
    return [members, {name: _read(value) for name, value in members.items()}]


def _decoded(kind: str, text: str, *, explode: bool = False) -> Any:
    return decode_text("", "simple", {kind}, text, explode=explode)


def _read(text: str) -> Any:
    """Return the number, boolean or null that a text spells, any other text unchanged."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_DIGITS and _NUMBER.fullmatch(text):
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    return text
