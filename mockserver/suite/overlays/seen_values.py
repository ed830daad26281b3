"""Seen values: what the exchanges of a finding show, read beside the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mockserver.contract.model import Contract, DocumentedResponse, Operation
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.media_types import covering
from mockserver.suite.target.exchange import Exchange, NotJSON, WireRequest, WireResponse, is_json, parse_json
from mockserver.suite.verdicts.graded_findings import Finding


class _Nothing:
    """Stands for content that is no JSON."""


#: What `sent` returns where a request holds no JSON.
NOTHING = _Nothing()


def exchanges_of(finding: Finding) -> Iterator[tuple[Exchange, WireResponse]]:
    """Yield each exchange of a finding that was answered, with its answer."""
    for observation in finding.observations:
        if observation.exchange is not None and observation.exchange.response is not None:
            yield observation.exchange, observation.exchange.response


def by_status(finding: Finding) -> dict[int, list[Exchange]]:
    """Return the exchanges of a finding by the status of their answers, in order."""
    found: dict[int, list[Exchange]] = {}
    for exchange, response in exchanges_of(finding):
        found.setdefault(response.status, []).append(exchange)
    return dict(sorted(found.items()))


def promised(operation: Operation, status: int) -> DocumentedResponse | None:
    """Return what an answer is held to: an undocumented success to what the documented one says."""
    documented = operation.response_for(status)
    return operation.success() if documented is None and 200 <= status < 300 else documented


def assumed(contract: Contract, operation: Operation, request: WireRequest) -> int | None:
    """Return the status that is assumed for what is wrong with a request, None if nothing is."""
    if operation.security and request.field("authorization") is None:
        return 401
    body = operation.request_body
    if body is None:
        return None
    content = covering(body.content, request.field("content-type") or "")
    if content is None:
        return 415
    value = sent(request)
    if value is NOTHING:
        return 400
    if content.schema is not None and not contract.validator(content.schema, "request").is_valid(value):
        return 422
    return None


def media_types(exchanges: Sequence[Exchange]) -> list[str]:
    """Return the media types of some answers, in order; "" stands for an answer without content, or without a type."""
    responses = [exchange.response for exchange in exchanges if exchange.response is not None]
    return sorted({response.media_type if response.body else "" for response in responses})


def broken(
    contract: Contract, schema: str, value: Any, finding: Finding, direction: Direction
) -> list[SchemaViolation]:
    """Return how a value breaks the statement that a finding is about."""
    found = contract.validator(schema, direction).violations(value)
    return [violation for violation in found if violation.keyword_pointer == finding.pointer]


def sent(request: WireRequest) -> Any:
    """Return the JSON value of a request, `NOTHING` if its content is none."""
    try:
        return parse_json(request.body or b"")
    except NotJSON:
        return NOTHING


def value_of(response: WireResponse) -> Any:
    """Return an answer's content as its schema sees it: a JSON value, or text."""
    if is_json(response.media_type):
        try:
            return response.json()
        except NotJSON:
            return None
    return response.body.decode("utf-8", "replace")
