"""Observed responses: each beside what the contract documents for it, and how its content breaks its schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation, Response
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


@dataclass(frozen=True, slots=True)
class Answer:
    """An exchange beside what the contract says of it.

    Attributes:
        operation: what the request's method and path mean by the contract, None if nothing.
        label: how reports name it.
        documented: what the contract says of the answer's status, None if nothing.
        promised: what the content is held to: `documented`, or the documented success for a success of another status.
        media_type: what that says of the answer's content in its media type, None if nothing.
    """

    contract: Contract
    operation: Operation | None
    label: str
    exchange: Exchange
    response: WireResponse
    secrets: Secrets
    documented: Response | None = None
    promised: Response | None = None
    media_type: MediaType | None = None
    issued: tuple[tuple[str, ...], ...] = field(default=())

    def failure(self, check: str, title: str, *, expected: str, got: str, pointer: str, rule: Rule) -> CheckFailure:
        """Return the failure of a check on this answer."""
        return CheckFailure(
            check,
            self.label,
            title,
            expected=expected,
            got=got,
            pointer=pointer,
            rule=rule,
            exchange=self.exchange,
        )

    @property
    def place(self) -> str:
        """Pointer of the operation, "" where the contract defines none."""
        return self.operation.pointer if self.operation else ""


def see(
    contract: Contract,
    operation: Operation | None,
    label: str,
    exchange: Exchange,
    secrets: Secrets,
) -> Answer | None:
    """Return an exchange beside what the contract says of it, or None if there was no answer."""
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
    return Answer(contract, operation, label, exchange, response, secrets, documented, promised, media_type, issued)


def promise(operation: Operation, response: WireResponse) -> Response | None:
    """Return what an answer's content is held to, None if nothing.

    A success of an undocumented status is another way to say what the documented success says: 202 for 200. That is
    one difference, and whatever the content breaks besides is another one.
    """
    documented = operation.response_for(response.status)
    if documented is None and response.successful and response.body:
        return operation.success()
    return documented


def documented_content(documented: Response | None, content_type: str) -> MediaType | None:
    """Return what a response says of content of a `Content-Type`; None if nothing."""
    return None if documented is None else covering(documented.content, content_type)


class Unreadable:
    """Stands for content that is not what it is called."""


UNREADABLE = Unreadable()


def value_of(response: WireResponse) -> Any:
    """Return an answer's content as a value: JSON's, a text, or `UNREADABLE`."""
    if is_json(response.media_type):
        try:
            return response.json()
        except NotJSON:
            return UNREADABLE
    if response.media_type.startswith("text/"):
        return response.body.decode("utf-8", "replace")
    return UNREADABLE


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


_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
#: Beyond this a number is no matter of a header field, and Python refuses to read it.
_MAX_DIGITS = 300


def readings(text: str, kinds: Collection[str]) -> list[Any]:
    """Return the values that may be meant by a field, the text itself first.

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
    """Return the objects that `a=1,b=2` (exploded) or `a,1,b,2` may be."""
    explode = all("=" in part for part in parts)
    if len(parts) % 2 and not explode:
        return []
    members = _decoded("object", ",".join(parts), explode=explode)
    return [members, {name: _read(value) for name, value in members.items()}]


def _decoded(kind: str, text: str, *, explode: bool = False) -> Any:
    return decode_text("", "simple", {kind}, text, explode=explode)


def _read(text: str) -> Any:
    """Return a number, truth value or null for its text, any other text as it is."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_DIGITS and _NUMBER.fullmatch(text):
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    return text
