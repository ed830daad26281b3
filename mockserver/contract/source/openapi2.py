"""Upgrade of OpenAPI 2.0 documents to 3.0; the original place of each element is kept for messages.

::

    host basePath schemes     -> servers
    definitions               -> components/schemas
    parameters                -> components/parameters, components/requestBodies
    responses                 -> components/responses
    securityDefinitions       -> components/securitySchemes
    in: body, in: formData    -> requestBody, by `consumes`
    schema, examples          -> content, by `produces`

The upgrade is lenient: unknown elements are left unchanged, and document.py warns about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mockserver.contract.source.loading import Document
from mockserver.contract.source.openapi2_parameters import RawParameter, body, form, parameter, schema_of
from mockserver.contract.source.openapi2_positions import Moves
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.media_types import essence, is_json, is_xml
from mockserver.http.pointers import child

__all__ = ["upgraded"]


def upgraded(document: Document) -> Document:
    """Return an OpenAPI 2.0 document upgraded to 3.0, with the places of the original; others unchanged."""
    version = document.data.get("swagger")
    if "openapi" in document.data or str(version) != "2.0":
        return document
    upgrade = Upgrade(document.data)
    data = upgrade.document()
    return replace(document, data=data, moved={**document.moved, **upgrade.places.moved})


_JSON = ("application/json",)
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
#: Members of the root that OpenAPI 3 has elsewhere.
_REPLACED = frozenset(
    [
        *("swagger", "host", "basePath", "schemes", "consumes", "produces"),
        *("definitions", "parameters", "responses", "securityDefinitions"),
    ]
)


class Upgrade:
    """Upgrade of one document from OpenAPI 2.0 to 3.0.

    Attributes:
        places: the moved elements.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.places = Moves()

    def document(self) -> dict[str, Any]:
        """Return the whole document in the form of OpenAPI 3.0; the original is not changed."""
        made = {"openapi": "3.0.3"} | {name: item for name, item in self._data.items() if name not in _REPLACED}
        self.places.moved["/openapi"] = "/swagger"
        made["servers"] = list(self._servers())
        made["components"] = self._components()
        paths = self._data.get("paths")
        if isinstance(paths, dict):
            made["paths"] = {path: self._path_item(child("/paths", path), item) for path, item in paths.items()}
        finished: dict[str, Any] = self.places.finished(made)
        return finished

    def _servers(self) -> Iterator[dict[str, str]]:
        self.places.moved["/servers"] = "/host" if "host" in self._data else "/basePath"
        base = self._data.get("basePath")
        base = "/" + base.strip("/") if isinstance(base, str) else ""
        host = self._data.get("host")
        if not isinstance(host, str) or not host:
            yield {"url": base or "/"}
            return
        schemes = _texts(self._data.get("schemes")) or ("https",)
        for scheme in schemes:
            yield {"url": f"{scheme}://{host}{'' if base == '/' else base}"}

    def _components(self) -> dict[str, Any]:
        made: dict[str, Any] = {"schemas": self._data.get("definitions", {})}
        self.places.move("/definitions", "/components/schemas")
        made["parameters"], made["requestBodies"] = {}, {}
        for name, raw in _members(self._data.get("parameters")):
            found = RawParameter(raw, child("/parameters", name))
            if raw.get("in") == "body":
                new = child("/components/requestBodies", name)
                made["requestBodies"][name] = body(self.places, found, new, self._consumes({}))
            elif raw.get("in") != "formData":
                made["parameters"][name] = parameter(self.places, found, child("/components/parameters", name))
        made["responses"] = {}
        for name, raw in _members(self._data.get("responses")):
            new = child("/components/responses", name)
            made["responses"][name] = self._response(raw, child("/responses", name), new, self._data)
        made["securitySchemes"] = security_schemes(self._data.get("securityDefinitions"))
        self.places.move("/securityDefinitions", "/components/securitySchemes")
        return made

    def _path_item(self, pointer: str, raw: Any) -> Any:
        found, place = self._behind(pointer, raw)
        if not isinstance(found, dict):
            return raw
        if place != pointer:  # a path item elsewhere is in terms of 2.0, too
            self.places.move(place, pointer)
        return self._path_item_here(place, pointer, found)

    def _behind(self, pointer: str, raw: Any) -> tuple[Any, str]:
        try:
            return follow(self._data, pointer)
        except ContractError:
            return raw, pointer

    def _path_item_here(self, old: str, pointer: str, raw: dict[str, Any]) -> dict[str, Any]:
        made = dict(raw)
        shared = list(self._located(child(old, "parameters"), raw.get("parameters")))
        if "parameters" in raw and isinstance(raw["parameters"], list):
            made["parameters"] = self._parameters(pointer, [one for one in shared if not _is_content(one)])
        for method in _METHODS:
            if isinstance(raw.get(method), dict):
                content = [one for one in shared if _is_content(one)]
                made[method] = self._operation(child(old, method), child(pointer, method), raw[method], content)
        return made

    def _operation(self, old: str, pointer: str, raw: dict[str, Any], shared: list[RawParameter]) -> dict[str, Any]:
        made = {name: item for name, item in raw.items() if name not in {"consumes", "produces", "schemes"}}
        own = list(self._located(child(old, "parameters"), raw.get("parameters")))
        if isinstance(raw.get("parameters"), list):
            made["parameters"] = self._parameters(pointer, [one for one in own if not _is_content(one)])
        content = [*shared, *(one for one in own if _is_content(one))]
        bodies = [one for one in content if one.raw.get("in") == "body"]
        new = child(pointer, "requestBody")
        if bodies:
            made["requestBody"] = body(self.places, bodies[-1], new, self._consumes(raw))
        elif content:
            fields = {str(one.raw.get("name")): one for one in content}  # an operation's own replace the path's
            made["requestBody"] = form(self.places, tuple(fields.values()), new, self._consumes(raw))
        if isinstance(raw.get("responses"), dict):
            made["responses"] = {
                status: self._listed_response(
                    item, child(old, "responses", status), child(pointer, "responses", status), raw
                )
                for status, item in raw["responses"].items()
            }
        return made

    def _located(self, pointer: str, raw: Any) -> Iterator[RawParameter]:
        """Yield the parameters of a list, their `$ref`s followed; one with a broken `$ref` is left as it is."""
        for index, item in enumerate(raw if isinstance(raw, list) else ()):
            place = child(pointer, str(index))
            found, at = self._behind(place, item)
            yield RawParameter(found if isinstance(found, dict) else {"": found}, at)

    def _parameters(self, pointer: str, found: list[RawParameter]) -> list[Any]:
        made: list[Any] = []
        for index, one in enumerate(found):
            if "$ref" in one.raw or "in" not in one.raw:
                made.append(one.raw.get("", one.raw))  # a mistake, about which document.py warns
            else:
                made.append(parameter(self.places, one, child(pointer, "parameters", str(index))))
        return made

    def _consumes(self, operation: dict[str, Any]) -> tuple[str, ...]:
        return _texts(operation.get("consumes", self._data.get("consumes"))) or _JSON

    def _listed_response(self, raw: Any, old: str, new: str, operation: dict[str, Any]) -> Any:
        if not isinstance(raw, dict):
            return raw
        if "$ref" not in raw:
            return self._response(raw, old, new, operation)
        if "produces" not in operation and str(raw["$ref"]).startswith("#/responses/"):
            return raw
        # A shared response has other media types here than elsewhere, and one of another file has none yet.
        found, place = self._behind(old, raw)
        return self._response(found, place, new, operation) if isinstance(found, dict) and found is not raw else raw

    def _response(self, raw: dict[str, Any], old: str, new: str, operation: dict[str, Any]) -> dict[str, Any]:
        made = {name: item for name, item in raw.items() if name not in {"schema", "examples", "headers"}}
        if old != new:
            self.places.move(old, new)
        headers = raw.get("headers")
        if isinstance(headers, dict):
            made["headers"] = {
                name: self._header(item, child(old, "headers", name), child(new, "headers", name))
                for name, item in headers.items()
            }
        content = self._content(raw, old, new, operation)
        if content:
            made["content"] = content
        return made

    def _content(self, raw: dict[str, Any], old: str, new: str, operation: dict[str, Any]) -> dict[str, Any]:
        schema, examples = raw.get("schema"), raw.get("examples")
        examples = examples if isinstance(examples, dict) else {}
        if schema is None and not examples:
            return {}
        listed = _texts(operation.get("produces", self._data.get("produces")))
        is_file = isinstance(schema, dict) and schema.get("type") == "file"
        named = tuple(name for name in examples if "/" in name)
        types = listed or named or (("application/octet-stream",) if is_file else _JSON)
        filed = {name: _example_for(name, named) for name in types}
        content: dict[str, Any] = {}
        for name in dict.fromkeys((*types, *(one for one in named if one not in filed.values()))):
            media: dict[str, Any] = {}
            if schema is not None:
                media["schema"] = schema
                self.places.move(child(old, "schema"), child(new, "content", name, "schema"))
            key = filed.get(name, name)
            if key is not None:
                media["example"] = examples[key]
                self.places.move(child(old, "examples", key), child(new, "content", name, "example"))
            content[name] = media
        return content

    def _header(self, raw: Any, old: str, new: str) -> Any:
        if not isinstance(raw, dict):
            return raw
        self.places.move(old, child(new, "schema"))
        made: dict[str, Any] = {"schema": schema_of(raw)}
        return made | {"description": raw["description"]} if "description" in raw else made


def _example_for(name: str, filed: Sequence[str]) -> str | None:
    """Return the media type or range under which the example of a media type is filed, None if there is none.

    `produces` says what comes, `examples` how it looks: an example of JSON is one of `application/vnd.x+json`, too.
    """
    wanted, kind = essence(name), essence(name).partition("/")[0]
    for key in filed:
        if key == name or essence(key) == wanted:
            return key
    for fits in (is_json, is_xml):
        if fits(name) and (found := next((key for key in filed if fits(key)), None)) is not None:
            return found
    return next((key for key in filed if essence(key) in (f"{kind}/*", "*/*")), None)


def _is_content(found: RawParameter) -> bool:
    return found.raw.get("in") in ("body", "formData")  # a tuple: a mistaken value may have no hash


def _members(raw: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, item in raw.items() if isinstance(raw, dict) else ():
        if isinstance(item, dict):
            yield name, item


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(item for item in raw if isinstance(item, str)) if isinstance(raw, list) else ()


_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}


def security_schemes(raw: Any) -> Any:
    """Return the security schemes of OpenAPI 3.0 for `securityDefinitions`; members that are no objects stay."""
    if not isinstance(raw, dict):
        return {} if raw is None else raw
    return {name: _scheme(item) if isinstance(item, dict) else item for name, item in raw.items()}


def _scheme(raw: dict[str, Any]) -> dict[str, Any]:
    if raw.get("type") == "basic":
        return {name: item for name, item in raw.items() if name != "type"} | {"type": "http", "scheme": "basic"}
    if raw.get("type") != "oauth2":
        return raw
    flow = {name: raw[name] for name in ("authorizationUrl", "tokenUrl") if name in raw}
    scopes = raw.get("scopes")
    made: dict[str, Any] = {
        "type": "oauth2",
        "flows": {
            _FLOWS.get(str(raw.get("flow")), "implicit"): {**flow, "scopes": scopes if isinstance(scopes, dict) else {}}
        },
    }
    return made | {name: item for name, item in raw.items() if name == "description" or name.startswith("x-")}
