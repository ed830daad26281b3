"""What an exchange said: the values that OpenAPI's runtime expressions name in it (OpenAPI 3.1, section 4.8.20.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mockserver.contract.model import Operation
from mockserver.http.expressions import Exchange, evaluate, fill
from mockserver.messages import NO_CONTENT, Arguments
from mockserver.suite.target.exchange import NotJSON, WireRequest, WireResponse, parse_json
from mockserver.suite.target.paths import read_off


@dataclass(frozen=True, slots=True)
class Said:
    """An answered request for an operation."""

    operation: Operation
    request: WireRequest
    response: WireResponse

    def filled(self, text: str) -> str:
        """Return a text with the values of its expressions: it is one as a whole, or has some in braces.

        Raises:
            LookupError: the exchange does not have what one names.
        """
        return fill(text, self._exchange())

    def value(self, expression: str) -> Any:
        """Return what an expression names, such as `$request.body#/name`.

        Raises:
            LookupError: the exchange does not have it.
        """
        return evaluate(expression, self._exchange())

    def _exchange(self) -> Exchange:
        request, response = self.request, self.response
        path = read_off(self.operation.path, request.path)
        query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
        first = {name: values[0] for name, values in query.items()}
        return Exchange(
            request.path,
            request.method,
            Arguments(path, first, {}, {}, _content(request.body)),
            _by_name(request.fields),
            response.status,
            _by_name(response.fields),
            _content(response.body),
        )


def _content(body: bytes | None) -> Any:
    try:
        return parse_json(body or b"")
    except NotJSON:
        return NO_CONTENT


def _by_name(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header fields by name in lower case; of those that stand twice, the first."""
    return {name.lower(): value for name, value in reversed(tuple(fields))}
