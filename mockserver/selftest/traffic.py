"""What a mutant sees: requests on their way to the stub, responses on their way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.contract.model import Operation
from mockserver.http import basic
from mockserver.http import problem as problem_details
from mockserver.stub.store.seed import Account

PROBLEM = problem_details.MEDIA_TYPE


def decode(content: bytes) -> Any:
    """Return the value of JSON text, or None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


class MutantRequest(NamedTuple):
    """A request.

    Attributes:
        path: without the prefix that selects a world, decoded as WSGI hands it over.
        operation: what the contract has there, or None.
        world: name of the world that it is for.
        environ: all that the WSGI server tells.
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
        """The decoded body, or None where it is no JSON."""
        return decode(self.body)

    @property
    def credentials(self) -> tuple[str, str]:
        """User name and token of its Basic credentials, both "" where it has none."""
        username, _, token = (basic.user_pass(self.authorization or "") or "").partition(":")
        return username, token

    def by(self, account: Account) -> MutantRequest:
        """Return the same request by an account, with its first seeded token."""
        return self._replace(authorization=basic.encode(f"{account.username}:{account.tokens[0].token}"))

    def with_json(self, value: Any) -> MutantRequest:
        """Return the same request with JSON content."""
        return self._replace(body=json.dumps(value).encode(), content_type="application/json")

    def to(self, operation: Operation, value: Any = None) -> MutantRequest:
        """Return a request for another operation by the same caller in the same world, without content if None."""
        path = self.path if "{" in operation.path else operation.path
        bare = self._replace(method=operation.method, path=path, operation=operation, body=b"", content_type=None)
        return bare if value is None else bare.with_json(value)


class MutantResponse(NamedTuple):
    """A response."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it tells success."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The decoded body, or None where it is no JSON."""
        return decode(self.body)

    def field(self, name: str) -> str | None:
        """Return the value of a header field, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def with_json(self, value: Any) -> MutantResponse:
        """Return the same response with other JSON content."""
        return self._replace(body=json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))

    def with_field(self, name: str, value: str | None) -> MutantResponse:
        """Return the same response with a header field set, or left out where the value is None."""
        others = tuple(pair for pair in self.fields if pair[0].lower() != name.lower())
        return self._replace(fields=others if value is None else (*others, (name, value)))

    def changed(self, change: Callable[[Any], Any]) -> MutantResponse:
        """Return the same response with its JSON content changed; as it is where it has none, or the change no hold."""
        value = self.json
        if value is None:
            return self
        try:
            new = change(value)
        except (LookupError, TypeError, AttributeError, ValueError):
            return self
        return self if new == self.json and _same_types(new, self.json) else self.with_json(new)


def problem(status: int, title: str) -> MutantResponse:
    """Return problem details (RFC 9457), as the stub's own look."""
    return MutantResponse(status, (("Content-Type", PROBLEM),), problem_details.problem(status, title, title))


def crash() -> MutantResponse:
    """Return what a framework answers when the code below it raises."""
    body = b"<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1>"
    return MutantResponse(500, (("Content-Type", "text/html; charset=utf-8"),), body)


def _same_types(one: Any, other: Any) -> bool:
    """Tell whether two equal values are of the same types; 1, 1.0 and true are equal."""
    return json.dumps(one) == json.dumps(other)
