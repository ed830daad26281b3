"""Building a contract from an OpenAPI document: paths, operations, security schemes, servers and extensions.

Every mistake is reported with its place. Most are warnings, because real documents are full of them and are served
all the same; ContractError is raised for a document with nothing to serve, and for mistakes in `x-mockserver-*`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mockserver.contract.model import Contract, Operation, SecurityScheme
from mockserver.contract.provenance import ProvenanceResolver
from mockserver.contract.reading.extensions import ERRORS, EXTENSIONS, Extensions
from mockserver.contract.reading.parts import Parameters, Parts
from mockserver.contract.reading.reader import ContractWarning, Reader
from mockserver.contract.reading.servers import base_paths
from mockserver.contract.schema.validator import Schemas
from mockserver.contract.source.bundling import bundled
from mockserver.contract.source.loading import Document, load
from mockserver.contract.source.openapi2 import upgraded
from mockserver.contract.source.overlay import apply_overlays
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import child, lookup

__all__ = ["EXTENSIONS", "METHODS", "build", "load_contract", "load_document"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
#: Methods that OpenAPI 3.2 (section 4.9) adds.
_LATER_METHODS = ("query",)
_Requirements = tuple[Mapping[str, tuple[str, ...]], ...]


def load_contract(path: Path | str, overlays: Sequence[Path | str] = ()) -> Contract:
    """Return the contract in a file or URL, after the overlays in other files were applied.

    Raises:
        ContractError: one cannot be read, or it is not an OpenAPI document that can be served; names the place.
    """
    return build(load_document(path, overlays))


def load_document(path: Path | str, overlays: Sequence[Path | str] = ()) -> Document:
    """Return the document in a file or directory, after overlays, with the files that it refers to.

    Raises:
        ContractError: a file cannot be read, or an overlay cannot be applied; names the place.
    """
    document = load(path)
    return bundled(apply_overlays(document, overlays) if overlays else document)


def build(document: Document) -> Contract:
    """Return the contract that a parsed document describes.

    Raises:
        ContractError: it is not an OpenAPI document that can be served; names the place.
    """
    return _ContractBuilder(upgraded(document)).contract()


class _ContractBuilder:
    """Builder of a contract: reads a raw OpenAPI document once, operation by operation."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._data = document.data
        self._reader = Reader(document)
        for pointer, message in document.warnings:
            self._reader.warn(pointer, message)
        self._extensions = Extensions(self._reader)
        self._parts = Parts(self._reader, self._extensions)
        self._schemes: dict[str, SecurityScheme] = {}
        self._refused: list[Operation] = []
        self._used_ids: set[str] = set()
        self._bases: dict[int, tuple[str, ...]] = {}
        self._used_templates: dict[tuple[str, str], str] = {}

    def contract(self) -> Contract:
        data = self._data
        self._check_version()
        if all(not isinstance(data.get(name), dict) for name in ("paths", "webhooks", "components")):
            raise self._reader.error("", "has no object `paths`, so there is nothing to serve; add `paths`")
        self._extensions.check_names()
        info = self._reader.members("/info", data.get("info"))
        self._schemes = dict(self._security_schemes())
        operations = tuple(self._operations())
        webhooks = tuple(self._webhooks())
        if not operations and not self._refused:
            self._reader.warn("/paths", "defines no operation, so every request is answered 404")
        return Contract(
            document=self._document,
            title=str(info.get("title", "")),
            version=str(info.get("version", "")),
            operations=operations,
            refused=tuple(self._refused),
            security_schemes=self._schemes,
            levels=self._extensions.levels,
            api=self._extensions.api,
            errors=self._parts.responses(f"/{ERRORS}", self._extensions.errors()),
            differences=self._extensions.differences,
            warnings=self._reader.warnings,
            webhooks=webhooks,
            _provenance=ProvenanceResolver(data),
            _schemas=Schemas(data),
        )

    def _check_version(self) -> None:
        version = self._data.get("openapi")
        if isinstance(version, float) and str(version).startswith("3."):
            self._reader.warn(
                "/openapi", f"is the number {version}; write a text with the patch version: `openapi: {version}.0`"
            )
        elif not isinstance(version, str) or not version.startswith("3."):
            message = (
                f"`openapi` is {excerpt(version)}; mockserver serves OpenAPI 2.0 and 3.x, such as `openapi: 3.1.0`"
            )
            raise self._reader.error("", message)

    def _add_scheme(self, name: str) -> bool:
        """Add the security scheme that a URI names (OpenAPI 3.2, section 4.30); tell whether there is one."""
        if not name.startswith("#/"):
            return False
        try:
            value, pointer = follow(self._data, unquote(name[1:]))
        except ContractError:
            return False
        if isinstance(value, dict):
            self._schemes[name] = _scheme(name, value, pointer)
        return isinstance(value, dict)

    def _security_schemes(self) -> Iterator[tuple[str, SecurityScheme]]:
        components = self._reader.members("/components", self._data.get("components"))
        for name in self._reader.members("/components/securitySchemes", components.get("securitySchemes")):
            found = self._reader.find(child("/components/securitySchemes", name))
            if found is not None:
                yield name, _scheme(name, *found)

    def _operations(self) -> Iterator[Operation]:
        for path in self._reader.members("/paths", self._data.get("paths")):
            if path.startswith("x-"):
                continue
            yield from self._of_path_item(self._served_path(path), child("/paths", path))

    def _served_path(self, path: str) -> str:
        """Return the path that requests use for a path of the document: with a leading slash, without a query."""
        pointer = child("/paths", path)
        served = path
        if "?" in path and path.partition("?")[0] not in self._data["paths"]:
            served = path.partition("?")[0]
            self._reader.warn(
                pointer, f"the path contains a query, which belongs in parameters; it is served as {served}"
            )
        if not path.startswith("/"):
            served = "/" + served
            self._reader.warn(pointer, f"a path must start with a slash; it is served as {served}")
        return served

    def _of_path_item(self, path: str, pointer: str) -> Iterator[Operation]:
        found = self._reader.find(pointer)
        if found is None:
            return
        item, place = found
        places = {place: item}
        if place != pointer:
            beside: dict[str, Any] = lookup(self._data, pointer)
            places = {pointer: beside, place: item}  # operations beside a $ref count, too; its own come first
        shared: Parameters = {}
        for where, held in reversed(places.items()):
            shared |= self._parts.parameters(child(where, "parameters"), held.get("parameters"))
            self._extensions.note_differences(path, where, held)
        done: set[str] = set()
        for where, held in places.items():
            for method, at in _methods_of(held):
                if method not in done:
                    done.add(method)
                    operation = self._operation(path, method, child(where, *at), shared, tuple(places.values()))
                    if operation is not None:
                        yield operation

    def _operation(
        self, path: str, method: str, pointer: str, shared: Parameters, items: tuple[Any, ...]
    ) -> Operation | None:
        found = self._reader.find_or_warn(pointer, "it is answered 501")
        if isinstance(found, ContractWarning):
            self._refused.append(self._unreadable(path, method, pointer, found, items))
            return None
        raw, pointer = found
        label = f"{_sent(method)} {path}"
        first = self._used_templates.setdefault((method, parse_template(path).nameless), label)
        if first != label:
            self._reader.warn(
                pointer,
                f"{label} has the same path as {first}; a call is for the one that its parameters fit, else the first",
            )
        own = self._parts.parameters(child(pointer, "parameters"), raw.get("parameters"))
        body = self._parts.request_body(child(pointer, "requestBody")) if "requestBody" in raw else None
        self._extensions.note_differences(label, pointer, raw)
        if not isinstance(raw.get("responses"), dict) or not raw["responses"]:
            self._reader.warn(pointer, "has no `responses`, so nothing is known about its responses")
        return Operation(
            id=self._identifier(method, path, pointer, raw),
            method=_sent(method),
            path=path,
            pointer=pointer,
            parameters=self._fitting(path, pointer, shared | own),
            request_body=body,
            responses=self._parts.responses(child(pointer, "responses"), raw.get("responses")),
            security=self._security(pointer, raw),
            bases=base_paths(raw, *items, self._data, known=self._bases),
            levels=self._extensions.known_levels(pointer, raw),
            objects=self._extensions.objects(pointer, raw),
            behaviour=self._extensions.behaviour(pointer, raw),
            effect=raw.get("x-mockserver-effect"),
            tags=_texts(raw.get("tags")),
            deprecated=raw.get("deprecated") is True,
        )

    def _unreadable(
        self, path: str, method: str, pointer: str, warning: ContractWarning, items: tuple[Any, ...]
    ) -> Operation:
        """Return an operation that cannot be read: it has a method and a path alone, and the reason in `refused`."""
        return Operation(
            id=self._identifier(method, path, pointer, {}),
            method=_sent(method),
            path=path,
            pointer=pointer,
            parameters=(),
            request_body=None,
            responses={},
            security=(),
            bases=base_paths({}, *items, self._data, known=self._bases),
            levels=None,
            behaviour=None,
            effect=None,
            refused=str(self._reader.error(warning.pointer, warning.message.partition("; ")[0])),
        )

    def _identifier(self, method: str, path: str, pointer: str, raw: dict[str, Any]) -> str:
        """Return a unique id of an operation: its `operationId`, or `METHOD /path` if another operation has that id."""
        wanted = str(raw.get("operationId") or f"{method}_{path}")
        if wanted in self._used_ids:
            label = f"{_sent(method)} {path}"
            self._reader.warn(
                pointer, f"the operationId {excerpt(wanted)} is used twice; this operation is named {excerpt(label)}"
            )
            wanted = label
        self._used_ids.add(wanted)
        return wanted

    def _fitting(self, path: str, pointer: str, parameters: Parameters) -> tuple[Any, ...]:
        """Return an operation's parameters without path parameters that its path template does not have."""
        names = set(parse_template(path).parameters)
        declared = {name for name, location in parameters if location == "path"}
        for name in sorted(names - declared):
            self._reader.warn(pointer, f"the path parameter {excerpt(name)} is not declared; any value is accepted")
        for name in sorted(declared - names):
            self._reader.warn(pointer, f"the path parameter {excerpt(name)} is not in the path; it is left out")
        return tuple(one for (name, where), one in parameters.items() if where != "path" or name in names)

    def _security(self, pointer: str, raw: dict[str, Any]) -> _Requirements:
        place = child(pointer, "security") if "security" in raw else "/security"
        wanted = raw["security"] if "security" in raw else self._data.get("security")
        requirements = []
        for item in self._reader.items(place, wanted):
            if not isinstance(item, dict):
                self._reader.warn(place, "must be a list of Security Requirement Objects; other items are left out")
                continue
            unknown = [name for name in item if name not in self._schemes and not self._add_scheme(name)]
            for name in unknown:
                self._reader.warn(place, f"`security` names the unknown scheme {excerpt(name)}; it is not required")
            requirements.append(
                {name: _texts(scopes) for name, scopes in item.items() if name not in unknown},
            )
        return tuple(requirements)

    def _webhooks(self) -> Iterator[str]:
        """Yield `METHOD name` of each webhook; the server calls these, so the stub does not serve them."""
        for name in self._reader.members("/webhooks", self._data.get("webhooks")):
            found = self._reader.find(child("/webhooks", name))
            for method, _ in _methods_of(found[0]) if found is not None else ():
                yield f"{method.upper()} {name}"


def _methods_of(item: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each method of a path item with the member names that lead to its operation (OpenAPI 3.2, section 4.9)."""
    for method in (*METHODS, *_LATER_METHODS):
        if method in item:
            yield method, (method,)
    additional = item.get("additionalOperations")
    for method in additional if isinstance(additional, dict) else ():
        yield method, ("additionalOperations", method)


def _sent(method: str) -> str:
    """Return a method as requests name it: in upper case, but an additional one as it is written (RFC 9110, 9.1)."""
    return method.upper() if method in METHODS or method in _LATER_METHODS else method


def _scheme(name: str, raw: dict[str, Any], pointer: str) -> SecurityScheme:
    return SecurityScheme(
        name=name,
        type=str(raw.get("type", "")),
        scheme=str(raw.get("scheme", "")).lower(),
        location=str(raw.get("in", "")),
        parameter=str(raw.get("name", "")),
        pointer=pointer,
    )


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in raw) if isinstance(raw, list) else ()
