"""The contract as frozen values: what the rest of the package knows of OpenAPI.

After loading, nobody outside this folder reads raw YAML. Pointers are JSON pointers into the document, already
followed through `$ref`, so that provenance and line of every element can be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from mockserver.contract.loading import Document, load
from mockserver.contract.provenance import Provenance, ProvenanceResolver
from mockserver.contract.references import child, follow, lookup
from mockserver.contract.schemas import Direction, Schemas, Validator
from mockserver.errors import ContractError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_EXTENSION = re.compile(r"x-mockserver-[A-Za-z0-9_-]+")
#: Every extension the package reads; any other `x-mockserver-*` key is a mistake.
EXTENSIONS = frozenset(f"x-mockserver-{name}" for name in ("levels", "effect", "behaviour", "presumes", "response"))


@dataclass(frozen=True, slots=True)
class Presumptions:
    """What must hold for a response example to come out exactly, in a fresh world.

    Attributes:
        clock: UNIX time in seconds that the clock must show, or None for any.
        calls: earlier calls in order, each `operationId` or `operationId/request example`.
        identity: username of the account that calls, or None for the default one.
    """

    clock: int | None = None
    calls: tuple[str, ...] = ()
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A named example; `answered_by` names the response example of a request example."""

    name: str
    value: Any
    pointer: str
    presumes: Presumptions = Presumptions()
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class MediaType:
    """Content of one media type; `schema` is the pointer of its schema, or None for any content."""

    name: str
    pointer: str
    schema: str | None
    examples: Mapping[str, Example]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or, with location `response`, a response header."""

    name: str
    location: Literal["path", "query", "header", "cookie", "response"]
    required: bool
    schema: str | None
    pointer: str


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What an operation takes as content."""

    pointer: str
    required: bool
    content: Mapping[str, MediaType]


@dataclass(frozen=True, slots=True)
class Response:
    """One documented answer; `status` is a code, a range (`4XX`) or `default`."""

    status: str
    pointer: str
    content: Mapping[str, MediaType]
    headers: Mapping[str, Parameter]


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """A way to show credentials (OpenAPI 3.1, section 4.8.27)."""

    name: str
    type: str
    scheme: str
    location: str
    parameter: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a call does to the state, from `x-mockserver-behaviour`.

    Attributes:
        handler: name of the handler in the stub's table.
        role: which part of the handler's cycle the operation plays: `write`, `read`, `reset`; `issue` ...
        resource: the resource's key in the store, "" where there is none.
        value: JSON pointer of the resource's value in the answer.
        status: JSON pointer of its status in the answer.
        generated: the value is made by the server, so nothing of the request is echoed.
        pointer: where this stands in the contract.
    """

    handler: str
    role: str = ""
    resource: str = ""
    value: str = ""
    status: str = ""
    generated: bool = False
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path template.

    Attributes:
        security: requirements, any one of which suffices; each maps scheme names to scopes; empty means open to all.
        levels: permission levels that may call it, or None where the contract does not limit them.
    """

    id: str
    method: str
    path: str
    pointer: str
    parameters: tuple[Parameter, ...]
    request_body: RequestBody | None
    responses: Mapping[str, Response]
    security: tuple[Mapping[str, tuple[str, ...]], ...]
    levels: tuple[str, ...] | None
    behaviour: Behaviour | None
    effect: str | None

    @property
    def label(self) -> str:
        """Method and path template, as reports name an operation."""
        return f"{self.method} {self.path}"

    @property
    def safe(self) -> bool:
        """Whether the method is safe (RFC 9110, section 9.2.1)."""
        return self.method in SAFE_METHODS

    def response_for(self, status: int) -> Response | None:
        """Return what the contract says of a status code: the code itself, else its range, else `default`."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return self.responses[key]
        return None

    def success(self) -> Response | None:
        """Return the first documented 2xx response that has content, else the first 2xx, else `default`."""
        documented = [response for key, response in self.responses.items() if key.startswith("2")]
        with_content = next((response for response in documented if response.content), None)
        return with_content or (documented[0] if documented else self.responses.get("default"))


@dataclass(frozen=True, slots=True)
class ExamplePair:
    """A documented exchange: the request example (None: a request without content) and its answer."""

    operation: Operation
    request: Example | None
    request_media_type: str | None
    response: Example
    status: str
    response_media_type: str

    @property
    def name(self) -> str:
        """`operationId/example`, as `mockserver examples` and `x-mockserver-presumes` name it."""
        return f"{self.operation.id}/{(self.request or self.response).name}"


@dataclass(frozen=True)
class Contract:
    """An OpenAPI document, ready to be asked."""

    document: Document
    title: str
    version: str
    operations: tuple[Operation, ...]
    security_schemes: Mapping[str, SecurityScheme]
    levels: tuple[str, ...]
    _provenance: ProvenanceResolver = field(repr=False)
    _schemas: Schemas = field(repr=False)

    @cached_property
    def by_id(self) -> Mapping[str, Operation]:
        """Operations by `operationId`."""
        return {operation.id: operation for operation in self.operations}

    def provenance(self, pointer: str) -> Provenance:
        """Return how the contract knows the statement at a pointer."""
        return self._provenance.of(pointer)

    def validator(self, schema: str, direction: Direction) -> Validator:
        """Return the compiled validator of the schema at a pointer.

        Raises:
            ContractError: the schema cannot be compiled.
        """
        return self._schemas.validator(schema, direction)

    def at(self, pointer: str) -> Any:
        """Return the raw value at a pointer, for messages and generated cases.

        Raises:
            LookupError: nothing stands there.
        """
        return lookup(self.document.data, pointer)

    def place(self, pointer: str) -> str:
        """Return `file:line: pointer` for a message."""
        return f"{self.document.path}:{self.document.locate(pointer)}: {pointer}"

    def pairs(self) -> Iterator[ExamplePair]:
        """Yield every documented exchange: each request example with the response example that answers it."""
        for operation in self.operations:
            yield from _pairs(operation)


def load_contract(path: Path | str) -> Contract:
    """Return the contract in a file.

    Raises:
        ContractError: it cannot be read, or is not an OpenAPI 3 document that can be served; names the place.
    """
    document = load(path)
    return _Builder(document).contract()


def _pairs(operation: Operation) -> Iterator[ExamplePair]:
    answers: dict[str, tuple[str, MediaType, Example]] = {}
    for status, response in operation.responses.items():
        if status.startswith("2"):
            for media_type in response.content.values():
                for example in media_type.examples.values():
                    answers.setdefault(example.name, (status, media_type, example))
    if operation.request_body is None:
        for status, media_type, example in answers.values():
            yield ExamplePair(operation, None, None, example, status, media_type.name)
        return
    for request_type in operation.request_body.content.values():
        for request in request_type.examples.values():
            if request.answered_by in answers:
                status, media_type, example = answers[request.answered_by]
                yield ExamplePair(operation, request, request_type.name, example, status, media_type.name)


class _Builder:
    """Reads raw OpenAPI once; every mistake that it meets names its place."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._data = document.data
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
            _provenance=ProvenanceResolver(data),
            _schemas=Schemas(data),
        )

    def _error(self, pointer: str, message: str) -> ContractError:
        line = self._document.locate(pointer)
        return ContractError(f"{self._document.path}:{line}: {pointer or 'document'}: {message}")

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
        if not set(_EXTENSION.findall(self._document.text)) - EXTENSIONS:
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
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, child(pointer, method), shared)

    def _operation(self, path: str, method: str, pointer: str, shared: dict[tuple[str, str], Parameter]) -> Operation:
        raw, pointer = self._object(pointer)
        own = self._parameters(child(pointer, "parameters"), raw.get("parameters"))
        body = self._request_body(child(pointer, "requestBody")) if "requestBody" in raw else None
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
        return Parameter(
            name=name,
            location=location,
            required=raw.get("required") is True,
            schema=self._schema(raw, pointer),
            pointer=pointer,
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
                headers[name] = self._parameter(name, "response", header, header_place)
            content = self._content(child(place, "content"), item.get("content"))
            responses[status] = Response(status, place, content, headers)
        return responses

    def _content(self, pointer: str, raw: Any) -> Mapping[str, MediaType]:
        content: dict[str, MediaType] = {}
        for name in raw if isinstance(raw, dict) else ():
            item, place = self._object(child(pointer, name))
            content[name] = MediaType(name, place, self._schema(item, place), self._examples(item, place))
        return content

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
