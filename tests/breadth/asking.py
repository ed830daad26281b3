"""A valid request for each operation: by schemathesis from the document, or by hand where it can make none."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import requests
import schemathesis
from requests.structures import CaseInsensitiveDict
from schemathesis.generation.hypothesis.examples import generate_one

from tests.breadth.contracts import Place, RawDocument, RawOperation

BASE_URL = "http://127.0.0.1"
_MAX_DEPTH = 6
_BASIC = "Basic " + base64.b64encode(b"user:password").decode()
_DIGEST = 'Digest username="user", realm="r", nonce="n", uri="/", response="0123456789abcdef0123456789abcdef"'
_AUTHORIZATION = {"basic": _BASIC, "digest": _DIGEST}
_SAMPLES: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "null": None}
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "a@example.com",
    "uri": "https://example.com/",
    "ipv4": "127.0.0.1",
}
#: Between the items of an array, by `style` and by 2.0's `collectionFormat`; "multi" repeats the parameter.
_SEPARATORS = {
    **{"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"},
    **{"spaceDelimited": " ", "pipeDelimited": "|"},
}


class Asking:
    """Makes requests for the operations of one document."""

    def __init__(self, document: RawDocument) -> None:
        self._document = document
        config = schemathesis.Config.from_dict(
            {"base-url": BASE_URL, "generation": {"database": "none", "with-security-parameters": False}}
        )
        self._schema = schemathesis.openapi.from_path(document.path, config=config)

    def generated(self, operation: RawOperation) -> requests.PreparedRequest:
        """Return schemathesis' simplest valid request, the same each time, with credentials.

        Raises:
            Exception: whatever schemathesis raises where it can make none.
        """
        case = generate_one(self._schema[operation.path][operation.method].as_strategy())
        arguments = case.as_transport_kwargs(base_url=BASE_URL)
        arguments.pop("auth", None)
        return self._prepared(operation, arguments)

    def by_hand(self, operation: RawOperation) -> requests.PreparedRequest:
        """Return a request with what is required, from the document's examples, else the least that fits."""
        path = operation.path
        arguments: dict[str, Any] = {"headers": {}, "params": {}, "cookies": {}}
        for parameter in self._parameters(operation):
            value = self._value(parameter)
            text: Any = json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
            where = parameter.value.get("in")
            if isinstance(value, list) and "content" not in parameter.value and where != "body":
                # An empty array leaves no trace in most styles, as if the parameter were not there.
                separator, texts = self._separator(parameter), [str(one) for one in value or [self._item(parameter)]]
                text = texts if separator is None else separator.join(texts)
            if where == "path":
                path = path.replace("{" + parameter.value["name"] + "}", quote(text, safe=""))
            elif parameter.value.get("required") and where in _CONTAINERS:
                arguments[_CONTAINERS[where]][parameter.value["name"]] = text
            elif parameter.value.get("required") and where == "body":
                arguments["json"] = value
            elif parameter.value.get("required") and where == "formData":
                arguments.setdefault("data", {})[parameter.value["name"]] = text
        arguments.update(self._body(operation))
        return self._prepared(operation, {**arguments, "method": operation.method, "url": BASE_URL + path})

    def _prepared(self, operation: RawOperation, arguments: dict[str, Any]) -> requests.PreparedRequest:
        headers = CaseInsensitiveDict(arguments.get("headers") or {})
        given = {"headers": headers, "params": {}, "cookies": {}}
        for requirement in self._document.security(operation)[:1]:
            for name in requirement:
                _authorize(self._document.security_scheme(name), given)
        headers.setdefault("Accept", "*/*")
        arguments = {**arguments, "headers": headers}
        for container in ("params", "cookies"):
            arguments[container] = {**(arguments.get(container) or {}), **given[container]}
        headers.pop("X-Schemathesis-TestCaseId", None)  # differs each time
        return requests.Request(**arguments).prepare()

    def _parameters(self, operation: RawOperation) -> list[Place]:
        found: dict[tuple[str, str], Place] = {}
        for owner in (operation.path_item, operation.place):
            for index, value in enumerate(owner.value.get("parameters") or []):
                place = Place(owner.uri, (*owner.parts, "parameters", str(index)), value)
                followed = self._document.follow(place)
                if followed is not None and isinstance(followed.value, dict) and "name" in followed.value:
                    found[followed.value["name"], followed.value.get("in", "")] = followed
        return list(found.values())

    def _separator(self, parameter: Place) -> str | None:
        """Return what stands between the items of an array in a parameter, None where each stands for itself."""
        stated = parameter.value
        if self._document.version == "2.0":
            return _SEPARATORS.get(stated.get("collectionFormat", "csv"))  # "multi" is for query and formData only
        style = stated.get("style", "form")
        if stated.get("in") == "query" and stated.get("explode", style == "form"):
            return None
        return _SEPARATORS.get(style, ",")

    def _item(self, parameter: Place) -> Any:
        schema = self._document.follow(parameter.child("schema")) or parameter
        return self._value(schema.child("items"))

    def _body(self, operation: RawOperation) -> dict[str, Any]:
        body = self._document.follow(operation.place.child("requestBody"))
        content = (body.value.get("content") or {}) if body is not None else {}
        for name in content:
            assert body is not None
            value = self._value(body.child("content", name))
            if name.endswith("json"):
                return {"data": json.dumps(value).encode(), "headers": {"Content-Type": name}}
            if name == "application/x-www-form-urlencoded":
                return {"data": value}
            if name == "multipart/form-data" and isinstance(value, dict):
                return {"files": {key: (None, str(item)) for key, item in value.items()}}
            return {"data": str(value).encode(), "headers": {"Content-Type": name}}
        return {}

    def _value(self, place: Place | None, depth: int = 0) -> Any:
        """Return an example of a parameter, media type or schema, else the least that fits."""
        place = self._document.follow(place)
        if place is None or not isinstance(place.value, dict) or depth > _MAX_DEPTH:
            return "0"
        stated = place.value
        for keyword in ("example", "default", "const"):
            if keyword in stated:
                return stated[keyword]
        if isinstance(stated.get("enum"), list) and stated["enum"]:
            return stated["enum"][0]
        for keyword in ("schema",):
            if keyword in stated:
                return self._value(place.child(keyword), depth)
        return self._least(place, depth)

    def _least(self, place: Place, depth: int) -> Any:
        schema = place.value
        merged: dict[str, Any] = {}
        for keyword in ("allOf", "oneOf", "anyOf"):
            for index, branch in enumerate(schema.get(keyword) or []):
                value = self._value(Place(place.uri, (*place.parts, keyword, str(index)), branch), depth + 1)
                if keyword != "allOf" or not isinstance(value, dict):
                    return value
                merged.update(value)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        if kind == "object" or "properties" in schema or merged:
            names = [name for name in schema.get("required") or [] if place.child("properties", name)]
            return {**merged, **{name: self._value(place.child("properties", name), depth + 1) for name in names}}
        if kind == "array":
            return [self._value(place.child("items"), depth + 1)] * int(schema.get("minItems", 0))
        if kind in {"integer", "number"}:
            return schema.get("minimum", _SAMPLES[kind])
        return _SAMPLES.get(str(kind), _FORMATS.get(str(schema.get("format")), "0" * int(schema.get("minLength", 1))))


_CONTAINERS = {"query": "params", "header": "headers", "cookie": "cookies"}


def _authorize(scheme: dict[str, Any], given: dict[str, Any]) -> None:
    """Add a well-formed credential of a scheme, whatever it is."""
    kind = scheme.get("type")
    if kind == "apiKey":
        given[_CONTAINERS.get(scheme.get("in", "header"), "headers")][scheme.get("name", "")] = "key"
    elif kind == "basic":
        given["headers"]["Authorization"] = _BASIC
    elif kind in {"http", "oauth2", "openIdConnect"}:
        given["headers"]["Authorization"] = _AUTHORIZATION.get(str(scheme.get("scheme", "")).lower(), "Bearer token")
