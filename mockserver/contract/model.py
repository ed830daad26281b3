"""The contract as frozen values: operations, parameters, responses, security schemes and what the extensions state.

After loading, nobody outside this folder reads raw YAML. Pointers are JSON pointers into the document, already
followed through `$ref`, so that provenance and line of every element can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mockserver.contract.provenance import Provenance, ProvenanceResolver
from mockserver.contract.reading.reader import ContractWarning
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.marks import Marks
from mockserver.contract.schema.validator import Schemas, Validator
from mockserver.contract.source.loading import Document
from mockserver.http.pointers import blanked, lookup

_WITHOUT_CONTENT = frozenset({"204", "205"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Presumptions:
    """Conditions in which the stub returns exactly a response example: clock, earlier calls, caller, seed data.

    Attributes:
        clock: UNIX time in seconds that the clock must show, or None for any.
        calls: earlier calls in order, each `operationId` or `operationId/request example`.
        identity: username of the account that calls, or None for the default one.
        seed: overlay of the seed data that the world starts from, or None for none.
    """

    clock: int | None = None
    calls: tuple[str, ...] = ()
    identity: str | None = None
    seed: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Named example of a request, response or parameter; `response_name` names the response example that belongs to it.

    Attributes:
        stripped: JSON pointers to values that were added here because the documentation does not show them.
        content: the serialised form, to be sent as it is (OpenAPI 3.2, or a file), None where there is none.
    """

    name: str
    value: Any
    pointer: str
    presumes: Presumptions = Presumptions()
    response_name: str = ""
    stripped: tuple[str, ...] = ()
    content: bytes | None = None

    def documented(self, value: Any) -> Any:
        """Return a value with null at each `stripped` pointer of the example, which the documentation lacks."""
        return blanked(value, self.stripped)

    def names_response(self) -> bool:
        """Tell whether a request example names a response example other than its namesake; it may be an error's."""
        return self.response_name != self.name


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one property of a form is serialised (OpenAPI 3.1, section 4.8.15).

    Attributes:
        content_type: media types of a part, "" for the default of its schema.
        style: as of a query parameter; "" if none is given, so that `content_type` is used.
    """

    content_type: str = ""
    style: str = ""
    explode: bool = True


@dataclass(frozen=True, slots=True)
class MediaType:
    """Content in one media type; `schema` is the pointer of its schema, or None if any content is allowed.

    Attributes:
        encoding: encodings of the properties of a form, by name.
        item_schema: pointer of the schema of each item of a sequence, such as lines of JSON (OpenAPI 3.2).
    """

    name: str
    pointer: str
    schema: str | None
    examples: Mapping[str, Example]
    encoding: Mapping[str, Encoding] = field(default_factory=dict)
    item_schema: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """Parameter of an operation or, with location `response`, header of a response.

    Attributes:
        schema: pointer of its schema, None if it has none or if `content` has the schema.
        unseen: whether a real server was observed to leave the header out.
        style: how arrays and objects are written (OpenAPI 3.1, section 4.8.12.3).
        explode: whether each item or member is written separately.
        allow_empty: whether an empty value is accepted, whatever the schema says (query only).
        refuse_empty: whether an empty value is refused, whatever the schema says: `allowEmptyValue: false`.
        content: the media type of its value, in place of a style.
        examples: its examples, by name.
    """

    name: str
    location: Literal["path", "query", "header", "cookie", "response"]
    required: bool
    schema: str | None
    pointer: str
    unseen: bool = False
    style: str = "simple"
    explode: bool = False
    allow_empty: bool = False
    refuse_empty: bool = False
    content: MediaType | None = None
    examples: Mapping[str, Example] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestBody:
    """Request body of an operation: its content by media type, and whether it is required."""

    pointer: str
    required: bool
    content: Mapping[str, MediaType]


@dataclass(frozen=True, slots=True)
class DocumentedResponse:
    """Response that the contract documents for a status code, a range of codes (`4XX`) or `default`.

    Attributes:
        observed: whether it is documented because a real server was observed to respond exactly so.
        instead_of: status codes in whose place a real server was observed to send this response.
    """

    status: str
    pointer: str
    content: Mapping[str, MediaType]
    headers: Mapping[str, Parameter]
    observed: bool = False
    instead_of: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """Security scheme: how a request shows its credentials (OpenAPI 3.1, section 4.8.27)."""

    name: str
    type: str
    scheme: str
    location: str
    parameter: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Effect of an operation on the state of the stub, from `x-mockserver-behaviour` or inferred from the contract.

    Attributes:
        handler: name of the handler in the stub's table.
        role: what the operation does for the handler: `write`, `read`, `reset`; `issue` ...
        resource: the resource's key in the store, "" where there is none.
        value: JSON pointer of the resource's value in the response.
        status: JSON pointer of its status in the response.
        generated: whether the server makes the value, so that the response shows nothing of the request.
        pointer: JSON pointer of the behaviour in the contract, "" if it was inferred.
        identifier: of a `resource`, the member of an item that the item path's last parameter names, or a JSON pointer
            such as `/metadata/name`.
        parameter: of a `resource`, that parameter.
        items: of a `resource`'s list, JSON pointer of the items in the response.
        answers: of a `resource`, whether the response holds the item (at `value`) or the items.
        keys: of a `resource`, members of an item that name an item of another one, with that one's `resource`.
        item: of a `resource`, the path template of an item, "" for the collection's own path with one more parameter.
        names: of a `resource`, members other than the identifier by which an item is found, too.
        home: of a `resource` whose items have no path below it, the `resource` whose items they are, "" for its own.
        username: of a login (role `issue`), JSON pointer of the user name in the request; "" if it is found by name.
        password: of a login, JSON pointer of the password in the request; "" if it is found by name.
    """

    handler: str
    role: str = ""
    resource: str = ""
    value: str = ""
    status: str = ""
    generated: bool = False
    pointer: str = ""
    identifier: str = ""
    parameter: str = ""
    items: str = ""
    answers: bool = True
    keys: tuple[tuple[str, str], ...] = ()
    item: str = ""
    names: tuple[str, ...] = ()
    home: str = ""
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Objects:
    """Which objects an operation acts on and which callers may do so, from `x-mockserver-objects`.

    With the operation's levels this is its row of the permission matrix: a level that may call it may do so on its own
    objects, and on everybody's where it is named in `foreign`.

    Attributes:
        at: runtime expression of the object's name, such as `$request.path.username`; below `$response.body#` that of
            the names in a list, with `*` for each item of an array.
        own: how objects belong to a caller: `self`, `account` or `name` (docs/contract.md, "Objects").
        foreign: levels that may act on the objects of others.
        pointer: JSON pointer of the extension in the contract.
    """

    at: str
    own: str
    foreign: tuple[str, ...]
    pointer: str

    @property
    def requested(self) -> bool:
        """Whether the request names the object, so that a call on somebody else's object is refused."""
        return self.at.startswith("$request.")


@dataclass(frozen=True, slots=True)
class Operation:
    """Operation of the contract: one method on one path template.

    Attributes:
        security: requirements, any one of which suffices; each maps scheme names to scopes; empty means open to all.
        levels: permission levels that may call it, or None where the contract does not limit them.
        refused: reason why it cannot be served, with the place; "" if it can be (see `Contract.refused`).
        bases: base paths of its servers, such as `/v1`, under which it is served as well.
        objects: which objects it acts on, None if the contract does not say.
        tags: its tags, by which `--tag` selects operations.
        deprecated: whether the contract calls it deprecated.
    """

    id: str
    method: str
    path: str
    pointer: str
    parameters: tuple[Parameter, ...]
    request_body: RequestBody | None
    responses: Mapping[str, DocumentedResponse]
    security: tuple[Mapping[str, tuple[str, ...]], ...]
    levels: tuple[str, ...] | None
    behaviour: Behaviour | None
    effect: str | None
    refused: str = ""
    bases: tuple[str, ...] = ()
    objects: Objects | None = None
    tags: tuple[str, ...] = ()
    deprecated: bool = False

    @property
    def label(self) -> str:
        """Method and path template of the operation, as reports name it."""
        return f"{self.method} {self.path}"

    @property
    def safe(self) -> bool:
        """Whether the operation's method is safe (RFC 9110, section 9.2.1)."""
        return self.method in SAFE_METHODS

    def response_for(self, status: int) -> DocumentedResponse | None:
        """Return the documented response for a status code: that of the code, else of its range, else `default`."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return self.responses[key]
        return None

    def success(self) -> DocumentedResponse | None:
        """Return the first documented 2xx response that has content, else the first 2xx response, else `default`.

        What is documented as the content of a 204 or 205 is none (RFC 9110, sections 15.3.5 and 15.3.6), so that the
        order of the responses does not matter to an operation that knows one of them and a 200.
        """
        documented = [response for key, response in self.responses.items() if key.startswith("2")]
        with_content = next((one for one in documented if one.content and one.status not in _WITHOUT_CONTENT), None)
        return with_content or (documented[0] if documented else self.responses.get("default"))


@dataclass(frozen=True)
class Contract:
    """Contract: the operations, security schemes, extensions and compiled schemas of an OpenAPI document.

    Attributes:
        operations: the operations that can be served, in the document's order.
        refused: the operations that cannot be read; only the stub uses them, and answers 501.
        errors: by status code, responses of the server to its own failures (`x-mockserver-errors`); no operation lists
            them, so the suite excuses none of them.
        differences: by label of an operation or path of a path item, checks of the suite that a real server was
            observed to fail there, with what it does (`x-mockserver-differs`).
        api: name of the plug-in whose behaviours the contract uses (`x-mockserver-api`), "" for none.
    """

    document: Document
    title: str
    version: str
    operations: tuple[Operation, ...]
    security_schemes: Mapping[str, SecurityScheme]
    levels: tuple[str, ...]
    differences: Mapping[str, Mapping[str, frozenset[str]]]
    _provenance: ProvenanceResolver = field(repr=False)
    _schemas: Schemas = field(repr=False)
    errors: Mapping[str, DocumentedResponse] = field(default_factory=dict)
    warnings: tuple[ContractWarning, ...] = ()
    webhooks: tuple[str, ...] = ()
    refused: tuple[Operation, ...] = ()
    api: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Operation]:
        """Operations of the contract by `operationId`."""
        return {operation.id: operation for operation in self.operations}

    @cached_property
    def by_label(self) -> Mapping[str, Operation]:
        """Operations of the contract by `METHOD /path`."""
        return {operation.label: operation for operation in self.operations}

    @cached_property
    def by_path(self) -> Mapping[str, Mapping[str, Operation]]:
        """Operations by path template and method, in the document's order."""
        found: dict[str, dict[str, Operation]] = {}
        for operation in self.operations:
            found.setdefault(operation.path, {})[operation.method] = operation
        return found

    def marks(self, keyword: str) -> Marks:
        """Return the finder of properties that have a keyword such as `writeOnly`; its results are cached."""
        if keyword not in self._marks:
            self._marks[keyword] = Marks(self.document.data, keyword)
        return self._marks[keyword]

    @cached_property
    def _marks(self) -> dict[str, Marks]:
        return {}

    @cached_property
    def by_resource(self) -> Mapping[str, tuple[Operation, ...]]:
        """Operations by the `resource` that their `x-mockserver-behaviour` names, in the document's order."""
        found: dict[str, tuple[Operation, ...]] = {}
        for operation in self.operations:
            if operation.behaviour is not None and operation.behaviour.resource:
                resource = operation.behaviour.resource
                found[resource] = (*found.get(resource, ()), operation)
        return found

    @cached_property
    def vocabulary(self) -> str:
        """All words of the document except those in examples, in lower case; a response may hold any by chance."""
        words: list[str] = []
        pending: list[Any] = [self.document.data]
        while pending:
            value = pending.pop()
            if isinstance(value, str):
                words.append(value)
            elif isinstance(value, list):
                pending.extend(value)
            elif isinstance(value, dict):
                words.extend(value)
                pending.extend(item for name, item in value.items() if name not in {"example", "examples"})
        return "\n".join(words).lower()

    def differs(self, label: str, check: str, seen: str) -> bool:
        """Tell whether `x-mockserver-differs` records that a server fails a check at an operation in this way."""
        if not self.differences:
            return False
        places = (label, label.partition(" ")[2])
        return any(seen in self.differences.get(place, {}).get(check, ()) for place in places)

    def provenance(self, pointer: str) -> Provenance:
        """Return the provenance of the statement at a pointer: documented, assumed or observed."""
        return self._provenance.of(pointer)

    def validator(self, schema: str, direction: Direction) -> Validator:
        """Return the compiled validator of the schema at a pointer, for one direction: requests or responses.

        Raises:
            ContractError: the schema cannot be compiled.
        """
        return self._schemas.validator(schema, direction)

    def schema(self, pointer: str) -> tuple[Any, str]:
        """Return the schema at a pointer and its own pointer, after its `$ref`s were followed.

        It is in terms of JSON Schema 2020-12, whatever the document's version, and without what cannot be used: an
        object or a truth value, which the caller must not change. All schemas below it are translated likewise; ask
        for one by its pointer to have its `$ref`s followed.

        Raises:
            ContractError: there is nothing at the pointer.
        """
        return self._schemas.schema(pointer)

    def at(self, pointer: str) -> Any:
        """Return the raw value of the document at a JSON pointer, for messages and generated cases.

        Raises:
            LookupError: there is nothing at the pointer.
        """
        return lookup(self.document.data, pointer)

    def place(self, pointer: str) -> str:
        """Return the location `file:line: pointer` of an element, for a message."""
        path, line = self.document.where(pointer)
        return f"{path}:{line}: {pointer}"

    def warning_texts(self) -> Iterator[str]:
        """Yield each warning about the contract as text, with file, line and pointer."""
        for warning in self.warnings:
            yield f"{self.place(warning.pointer)}: {warning.message}"

    @cached_property
    def inferred(self) -> list[Any]:
        """Cache of `infer`: a list that holds the `Inference` once it was worked out."""
        return []

    @cached_property
    def served(self) -> list[Any]:
        """Cache of `served` (resources/state_roles.py): a list that holds its result once it was worked out."""
        return []

    @cached_property
    def generators(self) -> dict[str, Any]:
        """Cache of generators of values (contract/values), by what they are for."""
        return {}

    @cached_property
    def states(self) -> list[Any]:
        """Cache of `state_model`: a list that holds the `StateModel` once it was made."""
        return []
