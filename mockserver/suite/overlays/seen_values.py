"""Observed values: what the exchanges of a finding show, compared with the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mockserver.contract.model import Contract, DocumentedResponse, Operation
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.media_types import covering
from mockserver.suite.target.exchange import (
    Exchange,
    NotJSON,
    WireRequest,
    WireResponse,
    is_json,
    json_or_none,
    parse_json,
)
from mockserver.suite.verdicts.graded_findings import Finding


class _Nothing:
    """Placeholder for content that is no JSON."""


#: What `sent` returns where a request holds no JSON.
NOTHING = _Nothing()


def exchanges_of(finding: Finding) -> Iterator[tuple[Exchange, WireResponse]]:
    """Yield the exchanges of a finding that have a response, with the response."""
    for observation in finding.observations:
        if observation.exchange is not None and observation.exchange.response is not None:
            yield observation.exchange, observation.exchange.response


def by_status(finding: Finding) -> dict[int, list[Exchange]]:
    """Return the exchanges of a finding grouped by the status code of their responses."""
    found: dict[int, list[Exchange]] = {}
    for exchange, response in exchanges_of(finding):
        found.setdefault(response.status, []).append(exchange)
    return dict(sorted(found.items()))


def promised(operation: Operation, status: int) -> DocumentedResponse | None:
    """Return the documented response for a status code; for an undocumented success the documented success."""
    documented = operation.response_for(status)
    return operation.success() if documented is None and 200 <= status < 300 else documented


def assumed(contract: Contract, operation: Operation, request: WireRequest) -> int | None:
    """Return the refusing status code that the contract assumes for an invalid request, None for a valid one."""
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
    """Return the media types of the responses in some exchanges; "" for no content or no Content-Type."""
    responses = [exchange.response for exchange in exchanges if exchange.response is not None]
    return sorted({response.media_type if response.body else "" for response in responses})


def broken(
    contract: Contract, schema: str, value: Any, finding: Finding, direction: Direction
) -> list[SchemaViolation]:
    """Return the violations by a value of the statement that a finding is about."""
    found = contract.validator(schema, direction).violations(value)
    return [violation for violation in found if violation.keyword_pointer == finding.pointer]


def sent(request: WireRequest) -> Any:
    """Return the JSON value of a request's content, `NOTHING` if the content is no JSON."""
    try:
        return parse_json(request.body or b"")
    except NotJSON:
        return NOTHING


def value_of(response: WireResponse) -> Any:
    """Return a response's content as its schema applies to it: a JSON value, or a string."""
    if is_json(response.media_type):
        return json_or_none(response)
    return response.body.decode("utf-8", "replace")
