"""Document to contract: raw OpenAPI read once, into the values of model.py; every mistake met names its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mockserver.contract.loading import Document, load
from mockserver.contract.model import (
    Behaviour,
    Contract,
    Encoding,
    Example,
    MediaType,
    Operation,
    Parameter,
    Presumptions,
    RequestBody,
    Response,
    SecurityScheme,
)
from mockserver.contract.overlay import apply_overlays
from mockserver.contract.provenance import ProvenanceResolver
from mockserver.contract.references import follow
from mockserver.contract.schemas import Schemas
from mockserver.errors import ContractError
from mockserver.pointers import child

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
#: Style of a parameter that names none, by its location.
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form", "response": "simple"}
_EXTENSION = re.compile(r"x-mockserver-[A-Za-z0-9_-]+")
_NAMES = ("levels", "effect", "behaviour", "presumes", "response", "differs", "instead-of")
#: Every extension the package reads; any other `x-mockserver-*` key is a mistake.
EXTENSIONS = frozenset(f"x-mockserver-{name}" for name in _NAMES)


def load_contract(path: Path | str, overlays: Sequence[Path | str] = ()) -> Contract:
    """Return the contract in a file, after the overlays in others.

    Raises:
        ContractError: one cannot be read, or it is not an OpenAPI 3 document that can be served; names the place.
    """
    return build(load_document(path, overlays))


def load_document(path: Path | str, overlays: Sequence[Path | str] = ()) -> Document:
    """Return the document in a file, after the overlays in others.

    Raises:
        ContractError: a file cannot be read, or an overlay cannot be applied; names the place.
    """
    document = load(path)
    return apply_overlays(document, overlays) if overlays else document


def build(document: Document) -> Contract:
    """Return the contract that a document holds.

    Raises:
        ContractError: it is not an OpenAPI 3 document that can be served; names the place.
    """
    return _Builder(document).contract()


def _is_unseen(header: dict[str, Any]) -> bool:
    """Tell whether a header field was observed to be left out."""
    observed = header.get("x-observed")
    return header.get("required") is False and isinstance(observed, dict) and "required" in observed


class _Builder:
    """Reads raw OpenAPI once; every mistake that it meets names its place."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._data = document.data
        self._differences: dict[str, Mapping[str, frozenset[str]]] = {}
        self._levels = self._texts("/x-mockserver-levels", document.data.get("x-mockserver-levels", []))

    def contract(self) -> Contract:
        data = self._data
        version = data.get("openapi")
        if not isinstance(version, str) or not version.startswith("3."):
            raise self._error("", f"`openapi` is {version!r}; this version serves OpenAPI 3.0 and 3.1")
        self._check_extensions()
        info = data.get("info")
        info = info if isinstance(info, dict) else {}
        schemes = dict(self._security_schemes())
        operations = tuple(self._operations())
        seen: dict[str, Operation] = {}
        for operation in operations:
            if operation.id in seen:
                raise self._error(operation.pointer, f"the operationId {operation.id!r} stands twice")
            seen[operation.id] = operation
            for requirement in operation.security:
                for name in requirement:
                    if name not in schemes:
                        raise self._error(operation.pointer, f"security names the unknown scheme {name!r}")
        return Contract(
            document=self._document,
            title=str(info.get("title", "")),
            version=str(info.get("version", "")),
            operations=operations,
            security_schemes=schemes,
            levels=self._levels,
            differences=self._differences,
            _provenance=ProvenanceResolver(data),
            _schemas=Schemas(data),
        )

    def _error(self, pointer: str, message: str) -> ContractError:
        path, line = self._document.where(pointer)
        return ContractError(f"{path}:{line}: {pointer or 'document'}: {message}")

    def _object(self, pointer: str) -> tuple[dict[str, Any], str]:
        """Return the object at a pointer and where it really stands.

        Raises:
            ContractError: a broken `$ref`, or no object there.
        """
        try:
            value, pointer = follow(self._data, pointer)
        except ContractError as error:
            raise self._error(pointer, str(error)) from error
        if not isinstance(value, dict):
            raise self._error(pointer, f"must be an object, not {type(value).__name__}")
        return value, pointer

    def _check_extensions(self) -> None:
        """Refuse extensions that look like ours and are not, wherever they stand."""
        if not self._document.mentions(_EXTENSION) - EXTENSIONS:
            return  # nearly always; a walk over the whole document is for the rest
        pending: list[tuple[str, Any]] = [("", self._data)]
        while pending:
            pointer, value = pending.pop()
            if isinstance(value, dict):
                for key, item in value.items():
                    if _EXTENSION.fullmatch(key) and key not in EXTENSIONS:
                        known = ", ".join(sorted(EXTENSIONS))
                        raise self._error(child(pointer, key), f"unknown extension; known are {known}")
                    pending.append((child(pointer, key), item))
            elif isinstance(value, list):
                pending.extend((child(pointer, str(index)), item) for index, item in enumerate(value))

    def _security_schemes(self) -> Iterator[tuple[str, SecurityScheme]]:
        components = self._data.get("components")
        if components is not None and not isinstance(components, dict):
            raise self._error("/components", "must be an object")
        schemes = components.get("securitySchemes") if components is not None else None
        for name in schemes if isinstance(schemes, dict) else ():
            raw, pointer = self._object(child("/components/securitySchemes", name))
            yield (
                name,
                SecurityScheme(
                    name=name,
                    type=str(raw.get("type", "")),
                    scheme=str(raw.get("scheme", "")).lower(),
                    location=str(raw.get("in", "")),
                    parameter=str(raw.get("name", "")),
                    pointer=pointer,
                ),
            )

    def _operations(self) -> Iterator[Operation]:
        paths = self._data.get("paths", {})
        if not isinstance(paths, dict):
            raise self._error("/paths", "must be an object that maps paths to path items")
        for path in paths:
            if not path.startswith("/"):
                if path.startswith("x-"):
                    continue
                raise self._error(child("/paths", path), "a path must start with a slash")
            item, pointer = self._object(child("/paths", path))
            shared = self._parameters(child(pointer, "parameters"), item.get("parameters"))
            self._note_differences(path, pointer, item)
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, child(pointer, method), shared)

    def _operation(self, path: str, method: str, pointer: str, shared: dict[tuple[str, str], Parameter]) -> Operation:
        raw, pointer = self._object(pointer)
        own = self._parameters(child(pointer, "parameters"), raw.get("parameters"))
        body = self._request_body(child(pointer, "requestBody")) if "requestBody" in raw else None
        self._note_differences(f"{method.upper()} {path}", pointer, raw)
        levels = raw.get("x-mockserver-levels")
        return Operation(
            id=str(raw.get("operationId") or f"{method}_{path}"),
            method=method.upper(),
            path=path,
            pointer=pointer,
            parameters=tuple((shared | own).values()),
            request_body=body,
            responses=self._responses(child(pointer, "responses"), raw.get("responses")),
            security=self._security(pointer, raw.get("security", self._data.get("security", []))),
            levels=None if levels is None else self._known_levels(child(pointer, "x-mockserver-levels"), levels),
            behaviour=self._behaviour(child(pointer, "x-mockserver-behaviour"), raw),
            effect=raw.get("x-mockserver-effect"),
        )

    def _note_differences(self, place: str, pointer: str, raw: dict[str, Any]) -> None:
        found = raw.get("x-mockserver-differs")
        if found is None:
            return
        pointer = child(pointer, "x-mockserver-differs")
        if not isinstance(found, dict):
            raise self._error(pointer, "must map names of checks to lists of what was seen")
        self._differences[place] = {
            check: frozenset(self._texts(child(pointer, check), seen)) for check, seen in found.items()
        }

    def _security(self, pointer: str, raw: Any) -> tuple[Mapping[str, tuple[str, ...]], ...]:
        if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
            raise self._error(child(pointer, "security"), "must be a list of security requirements")
        return tuple({name: tuple(scopes or ()) for name, scopes in item.items()} for item in raw)

    def _behaviour(self, pointer: str, raw: dict[str, Any]) -> Behaviour | None:
        behaviour = raw.get("x-mockserver-behaviour")
        if behaviour is None:
            return None
        known = {"handler", "role", "resource", "value", "status", "generated"}
        marks = {"x-source", "x-assumed", "x-observed"}
        if not isinstance(behaviour, dict) or "handler" not in behaviour or behaviour.keys() - known - marks:
            raise self._error(pointer, f"must be an object with `handler` and, if wanted, {sorted(known)}")
        for name in known & behaviour.keys():
            wanted = bool if name == "generated" else str
            if not isinstance(behaviour[name], wanted):
                raise self._error(child(pointer, name), f"must be {'true or false' if wanted is bool else 'text'}")
        return Behaviour(**{key: behaviour[key] for key in known & behaviour.keys()}, pointer=pointer)

    def _parameters(self, pointer: str, raw: Any) -> dict[tuple[str, str], Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        if raw is not None and not isinstance(raw, list):
            raise self._error(pointer, "must be a list of parameters")
        for index in range(len(raw or ())):
            item, place = self._object(child(pointer, str(index)))
            name, location = item.get("name"), item.get("in")
            if not isinstance(name, str) or location not in {"path", "query", "header", "cookie"}:
                raise self._error(place, "a parameter needs `name` and an `in` of path, query, header or cookie")
            found[name, location] = self._parameter(name, location, item, place)
        return found

    def _parameter(self, name: str, location: Any, raw: dict[str, Any], pointer: str) -> Parameter:
        style = raw.get("style")
        style = style if isinstance(style, str) else _STYLES[location]
        explode = raw.get("explode")
        return Parameter(
            name=name,
            location=location,
            required=raw.get("required") is True,
            schema=self._schema(raw, pointer),
            pointer=pointer,
            style=style,
            explode=explode if isinstance(explode, bool) else style == "form",
            allow_empty=raw.get("allowEmptyValue") is True,
            content=next(iter(self._content(child(pointer, "content"), raw.get("content")).values()), None),
            examples=self._examples(raw, pointer),
        )

    def _schema(self, holder: dict[str, Any], pointer: str) -> str | None:
        """Return where the schema of a holder stands; the `$ref` of a schema stays to JSON Schema."""
        return child(pointer, "schema") if "schema" in holder else None

    def _request_body(self, pointer: str) -> RequestBody:
        raw, pointer = self._object(pointer)
        return RequestBody(
            pointer=pointer,
            required=raw.get("required") is True,
            content=self._content(child(pointer, "content"), raw.get("content")),
        )

    def _responses(self, pointer: str, raw: Any) -> Mapping[str, Response]:
        responses: dict[str, Response] = {}
        for status in raw if isinstance(raw, dict) else ():
            if status.startswith("x-"):
                continue
            item, place = self._object(child(pointer, status))
            headers = {}
            for name in item.get("headers") or {}:
                header, header_place = self._object(child(place, "headers", name))
                parameter = self._parameter(name, "response", header, header_place)
                headers[name] = replace(parameter, unseen=_is_unseen(header))
            content = self._content(child(place, "content"), item.get("content"))
            instead_of = self._statuses(
                child(place, "x-mockserver-instead-of"), item.get("x-mockserver-instead-of", [])
            )
            observed = isinstance(item.get("x-observed"), str)
            responses[status] = Response(status, place, content, headers, observed, instead_of)
        return responses

    def _statuses(self, pointer: str, raw: Any) -> tuple[int, ...]:
        if not isinstance(raw, list) or not all(isinstance(item, int) and 100 <= item <= 599 for item in raw):
            raise self._error(pointer, "must be a list of status codes")
        return tuple(raw)

    def _content(self, pointer: str, raw: Any) -> Mapping[str, MediaType]:
        content: dict[str, MediaType] = {}
        for name in raw if isinstance(raw, dict) else ():
            item, place = self._object(child(pointer, name))
            encoding = self._encoding(item.get("encoding"))
            content[name] = MediaType(name, place, self._schema(item, place), self._examples(item, place), encoding)
        return content

    def _encoding(self, raw: Any) -> Mapping[str, Encoding]:
        found: dict[str, Encoding] = {}
        for name, item in raw.items() if isinstance(raw, dict) else ():
            if isinstance(item, dict):
                style = item.get("style", "")
                explode = item.get("explode", style in {"", "form"})
                found[name] = Encoding(str(item.get("contentType", "")), str(style), explode is True)
        return found

    def _examples(self, raw: dict[str, Any], pointer: str) -> Mapping[str, Example]:
        if "example" in raw:
            value = raw["example"]
            return {"example": Example("example", value, child(pointer, "example"), answered_by="example")}
        examples: dict[str, Example] = {}
        named = raw.get("examples") or {}
        if not isinstance(named, dict):
            raise self._error(child(pointer, "examples"), "must map names to Example Objects")
        for name in named:
            item, place = self._object(child(pointer, "examples", name))
            if "value" in item:
                examples[name] = Example(
                    name=name,
                    value=item["value"],
                    pointer=place,
                    presumes=self._presumptions(child(place, "x-mockserver-presumes"), item),
                    answered_by=str(item.get("x-mockserver-response", name)),
                )
        return examples

    def _presumptions(self, pointer: str, raw: dict[str, Any]) -> Presumptions:
        presumes = raw.get("x-mockserver-presumes", {})
        if not isinstance(presumes, dict) or presumes.keys() - {"clock", "calls", "identity"}:
            raise self._error(pointer, "must be an object of `clock`, `calls` and `identity`")
        clock, identity = presumes.get("clock"), presumes.get("identity")
        if clock is not None and (not isinstance(clock, int) or isinstance(clock, bool)):
            raise self._error(child(pointer, "clock"), "must be UNIX time in whole seconds")
        if identity is not None and not isinstance(identity, str):
            raise self._error(child(pointer, "identity"), "must be a username")
        return Presumptions(clock, self._texts(child(pointer, "calls"), presumes.get("calls", [])), identity)

    def _texts(self, pointer: str, raw: Any) -> tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            raise self._error(pointer, "must be a list of texts")
        return tuple(raw)

    def _known_levels(self, pointer: str, raw: Any) -> tuple[str, ...]:
        levels = self._texts(pointer, raw)
        for level in levels:
            if level not in self._levels:
                raise self._error(pointer, f"{level!r} is not a level of the root's x-mockserver-levels")
        return levels
