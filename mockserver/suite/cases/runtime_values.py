"""What an exchange said: the values that OpenAPI's runtime expressions name in it (OpenAPI 3.1, section 4.8.20.3).

The stub has a reader of its own for its callbacks, which this one must not share: a mistake in it would hide in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mockserver.contract.model import Operation
from mockserver.contract.source.references import lookup
from mockserver.suite.target.exchange import WireRequest, WireResponse, parse_json
from mockserver.suite.target.paths import as_text, read_off

_IN_BRACES = re.compile(r"\{(\$[^{}]+)\}")
_EXPRESSION = re.compile(r"\$(request|response)\.(path|query|header|body)(?:\.([^#]+)|#(.*))?")


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
        if text.startswith("$"):
            return as_text(self.value(text))
        return _IN_BRACES.sub(lambda match: as_text(self.value(match[1])), text)

    def value(self, expression: str) -> Any:
        """Return what an expression names, such as `$request.body#/name`.

        Raises:
            LookupError: the exchange does not have it.
        """
        plain = {"$url": self.request.path, "$method": self.request.method, "$statusCode": self.response.status}
        if expression in plain:
            return plain[expression]
        found = _EXPRESSION.fullmatch(expression)
        if found is None:
            raise LookupError(f"{expression} is no runtime expression")
        try:
            return self._named(found[1], found[2], found[3] or "", found[4] or "")
        except (LookupError, ValueError) as error:
            raise LookupError(f"{expression} names nothing here") from error

    def _named(self, side: str, kind: str, name: str, pointer: str) -> Any:
        message = self.request if side == "request" else self.response
        if kind == "body":
            return lookup(parse_json(message.body or b""), pointer)
        if kind == "header":
            found = message.field(name)
            if found is None:
                raise LookupError(name)
            return found
        if side == "response":
            raise LookupError(name)
        if kind == "path":
            return read_off(self.operation.path, self.request.path)[name]
        return parse_qs(urlsplit(self.request.path).query, keep_blank_values=True)[name][0]
