"""Reading the parts of an operation (parameters, content, responses, examples), with a warning for each mistake.

Elements under `components` are read once, however many operations share them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mockserver.contract.model import (
    Contract,
    DocumentedResponse,
    Encoding,
    Example,
    MediaType,
    Operation,
    Parameter,
    RequestBody,
)
from mockserver.contract.reading.example_values import example_value
from mockserver.contract.reading.extensions import Extensions
from mockserver.contract.reading.reader import Reader
from mockserver.http.json import excerpt
from mockserver.http.pointers import child
from mockserver.http.styles import QUERYSTRING

#: Style of a parameter that names none, by its location.
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form", "response": "simple"}
_LOCATIONS = ("path", "query", "header", "cookie")
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|XX)|default")

#: Members of an Example Object (OpenAPI 3.2, section 4.20); what has none of them is meant as the value itself.
_OF_EXAMPLES = frozenset({"$ref", "summary", "description", "value", "externalValue", "dataValue", "serializedValue"})

Parameters = dict[tuple[str, str], Parameter]


class Parts:
    """Reader of the parameters, request bodies and responses of operations; shared parts are read once."""

    def __init__(self, reader: Reader, extensions: Extensions) -> None:
        self._reader = reader
        self._extensions = extensions
        self._known_parameters: dict[str, Parameter | None] = {}
        self._known_responses: dict[tuple[str, str], DocumentedResponse] = {}

    def parameters(self, pointer: str, raw: Any) -> Parameters:
        """Return the parameters of a list by name and location, without those that cannot be read."""
        found: Parameters = {}
        for index, held in enumerate(self._reader.items(pointer, raw)):
            place = child(pointer, str(index))
            parameter = self._listed(place, held)
            if parameter is None:
                continue
            key = (parameter.name, parameter.location)
            if key in found:
                self._reader.warn(place, f"the {key[1]} parameter {excerpt(key[0])} occurs twice; the last one is used")
            found[key] = parameter
        return found

    def request_body(self, pointer: str) -> RequestBody | None:
        """Return the request body at a pointer, None if it cannot be read."""
        found = self._reader.find(pointer)
        if found is None:
            return None
        raw, pointer = found
        content = self._content(child(pointer, "content"), raw.get("content"))
        return RequestBody(pointer, raw.get("required") is True, content)

    def responses(self, pointer: str, raw: Any) -> Mapping[str, DocumentedResponse]:
        """Return the documented responses by status; one that cannot be read is kept, without content."""
        responses: dict[str, DocumentedResponse] = {}
        for key, held in self._reader.members(pointer, raw).items():
            if key.startswith("x-"):
                continue
            status = key.upper() if key != "default" else key
            if not _STATUS.fullmatch(status):
                self._reader.warn(child(pointer, key), f"{excerpt(key)} is not a status code; the response is left out")
                continue
            responses[status] = self._response(status, child(pointer, key), held)
        return responses

    def _listed(self, place: str, held: Any) -> Parameter | None:
        found = self._reader.find(place, held)
        if found is None:
            return None
        raw, pointer = found
        if pointer not in self._known_parameters:
            self._known_parameters[pointer] = self._named(raw, pointer)
        return self._known_parameters[pointer]

    def _named(self, raw: dict[str, Any], pointer: str) -> Parameter | None:
        name, location = raw.get("name"), raw.get("in")
        if location == QUERYSTRING and isinstance(name, str):
            return replace(self._parameter(name, "query", raw, pointer), style=QUERYSTRING)
        if not isinstance(name, str) or location not in _LOCATIONS:
            self._reader.warn(
                pointer, "a parameter needs `name` and an `in` of path, query, header or cookie; it is left out"
            )
            return None
        if "schema" not in raw and "content" not in raw:
            self._reader.warn(pointer, f"the parameter {excerpt(name)} has no `schema`; any value is accepted")
        return self._parameter(name, location, raw, pointer)

    def _parameter(self, name: str, location: Any, raw: dict[str, Any], pointer: str) -> Parameter:
        style = raw.get("style")
        style = style if isinstance(style, str) else _STYLES[location]
        explode = raw.get("explode")
        content = self._content(child(pointer, "content"), raw["content"]) if "content" in raw else {}
        return Parameter(
            name=name,
            location=location,
            required=raw.get("required") is True,
            schema=self._schema(raw, pointer),
            pointer=pointer,
            style=style,
            explode=explode if isinstance(explode, bool) else style in {"form", "cookie"},
            allow_empty=raw.get("allowEmptyValue") is True,
            refuse_empty=raw.get("allowEmptyValue") is False and location == "query",
            content=next(iter(content.values()), None),
            examples=self._examples(raw, pointer),
        )

    def _schema(self, holder: dict[str, Any], pointer: str, keyword: str = "schema") -> str | None:
        """Return the pointer of an element's schema, None if it has none; a `$ref` in the schema is not followed."""
        if keyword not in holder:
            return None
        schema = holder[keyword]
        if isinstance(schema, dict | bool):
            return child(pointer, keyword)
        self._reader.warn(child(pointer, keyword), "must be a Schema Object; any value is accepted")
        return None

    def _response(self, status: str, pointer: str, held: Any) -> DocumentedResponse:
        found = self._reader.find(pointer, held)
        if found is None:
            return DocumentedResponse(status, pointer, {}, {})
        item, place = found
        known = self._known_responses.get((status, place))
        if known is None:
            known = self._known_responses[status, place] = DocumentedResponse(
                status,
                place,
                self._content(child(place, "content"), item.get("content")),
                self._headers(child(place, "headers"), item.get("headers")),
                isinstance(item.get("x-observed"), str),
                self._extensions.instead_of(place, item),
            )
        return known

    def _headers(self, pointer: str, raw: Any) -> Mapping[str, Parameter]:
        headers: dict[str, Parameter] = {}
        for name, held in self._reader.members(pointer, raw).items():
            found = self._reader.find(child(pointer, name), held)
            if found is not None:
                parameter = self._parameter(name, "response", *found)
                headers[name] = replace(parameter, unseen=_is_unseen(found[0]))
        return headers

    def _content(self, pointer: str, raw: Any) -> Mapping[str, MediaType]:
        content: dict[str, MediaType] = {}
        for name, held in self._reader.members(pointer, raw).items():
            if name.startswith("x-") and "/" not in name:
                continue
            found = self._reader.find(child(pointer, name), held)
            item, place = found if found is not None else ({}, child(pointer, name))
            content[name] = MediaType(
                name,
                place,
                self._schema(item, place),
                self._examples(item, place, name),
                _encoding(item.get("encoding")),
                self._schema(item, place, "itemSchema"),
            )
        return content

    def _examples(self, raw: dict[str, Any], pointer: str, media_type: str = "") -> Mapping[str, Example]:
        """Return the examples of a media type, parameter or header by name; `example` has the name "example"."""
        examples: dict[str, Example] = {}
        if "example" in raw:
            value = raw["example"]
            examples["example"] = Example("example", value, child(pointer, "example"), response_name="example")
        named = raw.get("examples")
        if not named:
            return examples
        pointer = child(pointer, "examples")
        if isinstance(named, list):  # as in a Schema Object
            self._reader.warn(pointer, "must map names to Example Objects; its items are taken for the values of some")
            for number, value in enumerate(named, 1):
                name, place = f"example{number}", child(pointer, str(number - 1))
                examples[name] = Example(name, value, place, response_name=name)
            return examples
        if not isinstance(named, dict):
            self._reader.warn(pointer, "must map names to Example Objects; it is left out")
            return examples
        for name, held in named.items():
            if not isinstance(held, dict) or not (_OF_EXAMPLES & held.keys() or all(key[:2] == "x-" for key in held)):
                place = child(pointer, name)
                self._reader.warn(place, "must be an object with `value`; it is taken for the value itself")
                examples[name] = Example(name, held, place, response_name=name)
                continue
            found = self._reader.find(child(pointer, name), held)
            if found is None:
                continue
            item, place = found
            read = example_value(self._reader, item, place, media_type)
            if read is not None:
                examples[name] = Example(
                    name=name,
                    value=read.value,
                    pointer=place,
                    presumes=self._extensions.presumptions(place, item),
                    response_name=str(item.get("x-mockserver-response", name)),
                    stripped=self._extensions.stripped(place, item),
                    content=read.content,
                )
        return examples


def _encoding(raw: Any) -> Mapping[str, Encoding]:
    found: dict[str, Encoding] = {}
    for name, item in raw.items() if isinstance(raw, dict) else ():
        if isinstance(item, dict):
            style = str(item.get("style", ""))
            explode = item.get("explode", style in {"", "form"})
            found[name] = Encoding(str(item.get("contentType", "")), style, explode is True)
    return found


def _is_unseen(header: dict[str, Any]) -> bool:
    """Tell whether a mark of a response header says that servers were observed to leave it out."""
    observed = header.get("x-observed")
    return header.get("required") is False and isinstance(observed, dict) and "required" in observed


def documented_field_values(contract: Contract, operation: Operation, name: str) -> frozenset[str]:
    """Return the values that a contract documents for a header field of an operation's requests.

    Args:
        contract: of the operation.
        operation: what is called.
        name: of the field, in lower case.
    """
    found: list[Any] = []
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.name.lower() == name:
            found += [example.value for example in parameter.examples.values()]
            schema = contract.at(contract.schema(parameter.schema)[1]) if parameter.schema is not None else {}
            if isinstance(schema, dict):
                found += [schema.get("default"), schema.get("example"), schema.get("const")]
                found += [*_listed(schema.get("enum")), *_listed(schema.get("examples"))]
    return frozenset(value for value in found if isinstance(value, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
