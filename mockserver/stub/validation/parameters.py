"""Request parameters: found, decoded, converted to the type in their schema, and validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.http import json
from mockserver.http.media_types import concrete, is_json
from mockserver.http.pointers import child
from mockserver.http.styles import Pairs, decode_query, decode_text, pairs
from mockserver.messages import Arguments, Request, Violation
from mockserver.stub.validation.text_types import ValueShape, ValueShapes
from mockserver.stub.validation.violations import client_violations, missing_parameter, reject

#: Header parameters of these names are ignored: by OpenAPI (3.1, section 4.8.12.1), and because clients and servers set
#: them by themselves, whatever a contract says (RFC 9110, sections 7.2, 7.6.1, 8.6 and 12.5.3).
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"}) | {
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
}


class ParameterReader:
    """Reader of one operation's request parameters: decodes and validates parameters."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self._contract = contract
        self._operation = operation
        self._shapes = ValueShapes(contract)
        self._parameters = [
            (parameter, self._shapes.at(parameter.content.schema if parameter.content else parameter.schema))
            for parameter in operation.parameters
            if parameter.location != "header" or parameter.name.lower() not in _NOT_PARAMETERS
        ]

    def read(self, request: Request, path_values: Mapping[str, str]) -> Arguments:
        """Return the parameter values of a request by location and name, with defaults for absent parameters.

        Raises:
            RequestRejected: 422 (404, see `_status`) with every violation of every parameter.
        """
        query = pairs(request.query) if request.query else ()
        values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        violations: list[Violation] = []
        for parameter, wanted in self._parameters:
            try:
                value = self._value(parameter, wanted, request, path_values, query)
            except LookupError:
                if parameter.required:
                    rule = child(parameter.pointer, "required")
                    violations.append(missing_parameter(self._contract, parameter.location, parameter.name, rule))
                elif wanted.default is not None:
                    values[parameter.location][parameter.name] = wanted.default
                continue
            values[parameter.location][parameter.name] = value
            if wanted.pointer is None or (parameter.allow_empty and value in ("", [], [""])):
                continue
            for found in self._contract.validator(wanted.pointer, "request").nearest_violations(value):
                violations.extend(
                    client_violations(self._contract, parameter.location, found, (), child("", parameter.name))
                )
        if violations:
            raise reject(violations, len(violations), self._status(violations))
        return Arguments(values["path"], values["query"], values["header"], values["cookie"])

    def _value(
        self, parameter: Parameter, wanted: ValueShape, request: Request, path_values: Mapping[str, str], query: Pairs
    ) -> Any:
        """Return the decoded value of a request parameter.

        Raises:
            LookupError: it is absent.
        """
        name, style = parameter.name, parameter.style
        if parameter.location == "query" and parameter.content is None:
            members = wanted.properties
            found = decode_query(name, style, wanted.kinds, query, explode=parameter.explode, members=members)
            return self._shapes.read(found[0], wanted) if len(found) == 1 else self._shapes.first_valid(found, wanted)
        text = self._text(parameter, request, path_values, query)
        if parameter.content is not None:
            return _decoded(parameter, text)
        if style == "form":  # cookies: the members of an exploded object cannot be told from other cookies
            style = "simple"
        return self._shapes.read(decode_text(name, style, wanted.kinds, text, explode=parameter.explode), wanted)

    def _text(self, parameter: Parameter, request: Request, path_values: Mapping[str, str], query: Pairs) -> str:
        """Return the undecoded text of a parameter in the path, query, header or cookies of a request.

        Raises:
            LookupError: it is absent.
        """
        if parameter.location == "path":
            return path_values[parameter.name]
        if parameter.location == "header":
            text: str = request.fields["HTTP_" + parameter.name.upper().replace("-", "_")]
            return text
        if parameter.location == "query":
            last: str = {name: unquote_plus(value) for name, value in query}[parameter.name]
            return last
        found = (pair.strip().partition("=") for pair in request.fields.get("HTTP_COOKIE", "").split(";"))
        cookie: str = {name: value for name, _, value in found}[parameter.name]
        return cookie

    def _status(self, violations: list[Violation]) -> int:
        """Return the status for invalid parameters: 422, or 404 if only the path is wrong and only 404 documented."""
        documented = self._operation.responses
        only_path = all(violation.place == "path" for violation in violations)
        return 404 if only_path and "404" in documented and not {"422", "400"} & documented.keys() else 422


def _decoded(parameter: Parameter, text: str) -> Any:
    """Return the value of a parameter that the contract describes by a media type; its text if it is not JSON."""
    assert parameter.content is not None
    if not is_json(concrete(parameter.content.name)):
        return text
    try:
        return json.decode(text.encode())
    except ValueError:
        return text
