"""Request parameters: found, decoded, converted to the type in their schema, and validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, unquote_plus

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.http import json
from mockserver.http.media_types import concrete, essence, is_json
from mockserver.http.pointers import child
from mockserver.http.styles import QUERYSTRING, Pairs, Texts, decode_query, decode_text, pairs
from mockserver.messages import Arguments, Request, Violation
from mockserver.stub.validation.decoding import decoding
from mockserver.stub.validation.text_types import ValueShape, ValueShapes
from mockserver.stub.validation.violations import (
    client_violations,
    empty_parameter,
    excused,
    missing_parameter,
    reject,
)

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

    def __init__(self, contract: Contract, operation: Operation, *, strict: bool = True) -> None:
        """Prepare to read the parameters of one operation; `strict` takes `true` and `false` alone for truth values."""
        self._contract = contract
        self._operation = operation
        self._shapes = ValueShapes(contract, lenient=not strict)
        self._parameters = [
            (parameter, self._shapes.at(parameter.content.schema if parameter.content else parameter.schema))
            for parameter in operation.parameters
            if parameter.location != "header" or parameter.name.lower() not in _NOT_PARAMETERS
        ]
        #: Of parameters that may be a scalar or a list, and the like: by pointer, the shapes to try.
        self._alternatives = {
            parameter.pointer: shapes
            for parameter, wanted in self._parameters
            if parameter.content is None and len(shapes := self._shapes.alternatives(wanted)) > 1
        }

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
            if parameter.refuse_empty and value in ("", [], [""]):
                rule = child(parameter.pointer, "allowEmptyValue")
                violations.append(empty_parameter(self._contract, parameter.location, parameter.name, rule))
                continue
            if wanted.pointer is None or (parameter.allow_empty and value in ("", [], [""])):
                continue
            for found in self._contract.validator(wanted.pointer, "request").nearest_violations(value):
                if found.several_fit and found.keyword_pointer in self._excused(parameter, wanted.pointer):
                    continue
                violations.extend(
                    client_violations(self._contract, parameter.location, found, (), child("", parameter.name))
                )
        if violations:
            raise reject(violations, len(violations), self._status(violations))
        return Arguments(values["path"], values["query"], values["header"], values["cookie"])

    def _excused(self, parameter: Parameter, schema: str) -> frozenset[str]:
        examples = [*parameter.examples.values(), *(parameter.content.examples.values() if parameter.content else ())]
        return excused(self._contract, schema, [example.value for example in examples])

    def _value(
        self, parameter: Parameter, wanted: ValueShape, request: Request, path_values: Mapping[str, str], query: Pairs
    ) -> Any:
        """Return the decoded value of a request parameter.

        Raises:
            LookupError: it is absent.
        """
        if parameter.pointer in self._alternatives:
            return self._first_valid(parameter, wanted, request, path_values, query)
        if parameter.style == QUERYSTRING:
            return self._of_whole_query(parameter, request.query)
        if parameter.content is not None:
            return _decoded(parameter, self._text(parameter, request, path_values, query))
        return self._of_shape(parameter, wanted, request, path_values, query)

    def _of_whole_query(self, parameter: Parameter, query: str) -> Any:
        """Return the value of a parameter `in: querystring`: the query, decoded by the parameter's media type.

        Raises:
            LookupError: there is no query.
        """
        if not query:
            raise LookupError(parameter.name)
        content = parameter.content
        name = essence(concrete(content.name)) if content is not None else ""
        decode = decoding(self._contract, self._shapes, content, name) if content is not None else None
        if decode is None:
            return unquote_plus(query)
        is_form = name == "application/x-www-form-urlencoded"
        try:
            return decode((query if is_form else unquote(query)).encode(), name)
        except ValueError:
            return unquote(query)  # its schema says what is wrong

    def _first_valid(
        self, parameter: Parameter, wanted: ValueShape, request: Request, path_values: Mapping[str, str], query: Pairs
    ) -> Any:
        """Return the value of a parameter that may be a scalar or a list, and the like: the first valid reading.

        Raises:
            LookupError: it is absent.
        """
        values = []
        for shape in self._ordered(parameter, query):
            try:
                values.append(self._of_shape(parameter, shape, request, path_values, query))
            except LookupError:
                continue
        if not values:
            raise LookupError(parameter.name)
        assert wanted.pointer is not None
        is_valid = self._shapes.judge(wanted.pointer)
        return next((value for value in values if is_valid(value)), values[0])

    def _ordered(self, parameter: Parameter, query: Pairs) -> Sequence[ValueShape]:
        """Return the shapes of a parameter's value, the likeliest first: several values are no scalar."""
        shapes = self._alternatives[parameter.pointer]
        sent = [value for name, value in query if name == parameter.name]
        keys = [name[len(parameter.name) + 1 : -1] for name, _ in query if name.startswith(f"{parameter.name}[")]
        if parameter.location == "query" and (len(sent) > 1 or keys):
            named = any(key and not key.isdecimal() for key in keys)
            return sorted((one for one in shapes if one.kinds), key=lambda one: not one.is_object if named else 0)
        if not parameter.explode and any("," in value or "%2c" in value.lower() for value in sent):
            return sorted(shapes, key=lambda shape: not shape.is_array)
        return shapes

    def _of_shape(
        self, parameter: Parameter, shape: ValueShape, request: Request, path_values: Mapping[str, str], query: Pairs
    ) -> Any:
        name, explode = parameter.name, parameter.explode
        if parameter.location == "query":
            members = shape.properties
            found = decode_query(name, parameter.style, shape.kinds, query, explode=explode, members=members)
            return self._shapes.first_valid(found, shape)
        if parameter.location == "cookie":
            return self._shapes.read(_in_cookies(parameter, shape, cookies_of(request)), shape)
        text = self._text(parameter, request, path_values, query)
        return self._shapes.read(decode_text(name, parameter.style, shape.kinds, text, explode=explode), shape)

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
        return dict(cookies_of(request))[parameter.name]

    def _status(self, violations: list[Violation]) -> int:
        """Return the status for invalid parameters: 422, or 404 if only the path is wrong and only 404 documented."""
        documented = self._operation.responses
        only_path = all(violation.place == "path" for violation in violations)
        return 404 if only_path and "404" in documented and not {"422", "400"} & documented.keys() else 422


def cookies_of(request: Request) -> Pairs:
    """Return names and values of the cookies of a request, in their order."""
    found = (pair.strip().partition("=") for pair in request.fields.get("HTTP_COOKIE", "").split(";"))
    return [(name, value) for name, _, value in found]


def _in_cookies(parameter: Parameter, shape: ValueShape, cookies: Pairs) -> Texts:
    """Return the texts of an array or object in cookies, each item or member in one of its own or all in one.

    OpenAPI before 3.2 writes exploded ones with `&` in one cookie (`form`), 3.2 in a cookie each (style `cookie`).

    Raises:
        LookupError: it is absent.
    """
    name = parameter.name
    if parameter.explode and shape.kinds:
        parts = list(cookies)
        for key, value in cookies:
            head, *more = value.split("&")
            if more and all("=" in one for one in more):
                split = [(key, head), *((one.partition("=")[0], one.partition("=")[2]) for one in more)]
                at = parts.index((key, value))
                parts[at : at + 1] = split
        if shape.is_object:
            found = {key: value for key, value in parts if key in shape.properties}
            if found:
                return found
        if shape.is_array:
            items = [value for key, value in parts if key == name]
            if len(items) > 1:
                return items
    return decode_text(name, "simple", shape.kinds, dict(cookies)[name], explode=parameter.explode)


def _decoded(parameter: Parameter, text: str) -> Any:
    """Return the value of a parameter that the contract describes by a media type; its text if it is not JSON."""
    assert parameter.content is not None
    if not is_json(concrete(parameter.content.name)):
        return text
    try:
        return json.decode(text.encode())
    except ValueError:
        return text
