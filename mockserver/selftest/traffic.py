"""Requests to mutants and responses from the stub behind them, as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.contract.model import MediaType, Operation
from mockserver.http import problem as problem_details
from mockserver.http.media_types import is_json

PROBLEM = problem_details.MEDIA_TYPE


def decode(content: bytes) -> Any:
    """Return the value of a JSON text, or None if it is malformed."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def json_content(operation: Operation) -> MediaType | None:
    """Return the first JSON content that an operation's request may have, None if there is none."""
    content = operation.request_body.content if operation.request_body is not None else {}
    return next((item for name, item in content.items() if is_json(name)), None)


class MutantRequest(NamedTuple):
    """Request that a mutant receives and may change before passing it to the stub.

    Attributes:
        path: without the prefix that selects a world, decoded as WSGI hands it over.
        operation: what the contract has there, or None.
        world: name of the world that it is for.
        environ: the WSGI environment.
    """

    method: str
    path: str
    operation: Operation | None
    authorization: str | None
    content_type: str | None
    body: bytes
    world: str
    environ: Mapping[str, Any]

    @property
    def json(self) -> Any:
        """JSON value of the request's content, or None if the content is no JSON."""
        return decode(self.body)

    def with_json(self, value: Any) -> MutantRequest:
        """Return the same request with other JSON content, in the JSON media type that the operation takes."""
        content = json_content(self.operation) if self.operation is not None else None
        name = "application/json" if content is None else content.name
        return self._replace(body=json.dumps(value).encode(), content_type=name)

    def to(self, operation: Operation, value: Any = None) -> MutantRequest:
        """Return a request for another operation by the same caller in the same world, with or without JSON content."""
        path = self.path if "{" in operation.path else operation.path
        bare = self._replace(method=operation.method, path=path, operation=operation, body=b"", content_type=None)
        return bare if value is None else bare.with_json(value)


class MutantResponse(NamedTuple):
    """Response of the stub, which a mutant may change."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status code is 2xx."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """JSON value of the response's content, or None if the content is no JSON."""
        return decode(self.body)

    def field(self, name: str) -> str | None:
        """Return the value of a header field, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def with_json(self, value: Any) -> MutantResponse:
        """Return the same response with other JSON content."""
        return self._replace(body=json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))

    def with_field(self, name: str, value: str | None) -> MutantResponse:
        """Return the same response with a header field set, or removed if the value is None."""
        others = tuple(pair for pair in self.fields if pair[0].lower() != name.lower())
        return self._replace(fields=others if value is None else (*others, (name, value)))

    def changed(self, change: Callable[[Any], Any]) -> MutantResponse:
        """Return the response with its JSON content changed by a function; unchanged if the function fails on it."""
        value = self.json
        if value is None:
            return self
        try:
            new = change(value)
        except (LookupError, TypeError, AttributeError, ValueError):
            return self
        return self if new == self.json and _same_types(new, self.json) else self.with_json(new)


def problem(status: int, title: str) -> MutantResponse:
    """Return a response with problem details (RFC 9457), as the stub writes them."""
    return MutantResponse(status, (("Content-Type", PROBLEM),), problem_details.problem(status, title, title))


def crash() -> MutantResponse:
    """Return the 500 response with an HTML page that a framework sends after an uncaught exception."""
    body = b"<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1>"
    return MutantResponse(500, (("Content-Type", "text/html; charset=utf-8"),), body)


def _same_types(one: Any, other: Any) -> bool:
    """Tell whether two equal JSON values also have the same types; Python takes 1, 1.0 and true for equal."""
    return json.dumps(one) == json.dumps(other)
