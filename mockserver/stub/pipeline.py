"""The request pipeline: routing, authentication, validation, behaviour and response, in this order.

::

    route ── refused ── authenticate ── parameters ── content ── prefer ── act ── respond
     404       501         401             422        413 415      400      (behaviour, or the contract's example)
     405                   403                        400 422                              406
       └─────────┴───────────┴──────────────┴────────────┴──── RequestRejected ── reject ────┘

What can be known from the contract alone is compiled when an operation is first asked for; a request costs look-ups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple

from mockserver.contract.model import Contract, Operation
from mockserver.errors import ContractError, RequestRejected
from mockserver.http.pointers import split
from mockserver.http.preferences import NONE, parse
from mockserver.http.problem import of as problem_of
from mockserver.messages import NO_ARGUMENTS, Arguments, Request, Response, Violation
from mockserver.stub.authentication import Authentication
from mockserver.stub.behaviour.operation_handler import NO_NAMES, Settings, handler_of
from mockserver.stub.choice import Choices
from mockserver.stub.operation import CompiledOperation
from mockserver.stub.response import rejection, without_content
from mockserver.stub.routing import Route, Router
from mockserver.stub.store.worlds import World
from mockserver.stub.validation.operation_choice import OperationChoice
from mockserver.stub.validation.violations import ABSENT, MAX_VIOLATIONS

_new = tuple.__new__
__all__ = ["Pipeline", "RecordedResponse", "Settings"]


class RecordedResponse(NamedTuple):
    """A response with what journal and log record about it: operation, reason, violations and names of secrets.

    Attributes:
        operation: `operationId`, or "" for none.
        content: the request's content as far as it was read.
    """

    response: Response
    operation: str
    content: bytes
    why: str
    violations: tuple[Violation, ...]
    secret_names: frozenset[str]


class Pipeline:
    """Request pipeline: answers the requests for all operations of one contract."""

    def __init__(self, contract: Contract, authentication: Authentication, settings: Settings) -> None:
        self._contract = contract
        self._authentication = authentication
        self._settings = settings
        self._choices = Choices(contract, settings.options)
        self._compiled: dict[str, CompiledOperation] = {}
        self._compiling: dict[str, Lock] = {}
        self._operation_choices: dict[tuple[str, str], OperationChoice] = {}
        routed = (*contract.operations, *contract.refused)
        self._router = Router(((one.method, one.path, one) for one in routed), _base_paths(routed))
        self._concrete = self._router.concrete
        for operation in contract.operations:
            if operation.behaviour is not None and operation.id not in settings.behaviours:
                # A misspelt handler is reported at start, not at the first call.
                handler_of(contract, operation, settings.handlers)

    @property
    def templates(self) -> Sequence[str]:
        """Path templates of the contract, each once."""
        return self._router.templates

    def allowed(self, path: str) -> tuple[str, ...]:
        """Return the methods allowed at a path, none if the contract has nothing at that path."""
        found = self._router.match(path)
        return () if found is None else found[0].allowed

    def respond(self, request: Request, world: World) -> RecordedResponse | None:
        """Return the response to a request, or None if the contract has nothing at the request's path.

        Raises:
            StateError: the store cannot be read or written.
        """
        route = self._concrete.get(request.path)
        path_values: Mapping[str, str] = {}
        if route is None:
            found = self._router.match(request.path, _target(request))
            if found is None:
                return None
            route, path_values = found
        operation = route.methods.get(request.method)
        if route.queries:
            selected = route.by_query(request.method, request.query)
            if selected is not None:
                operation, path_values = selected[0], {**path_values, **selected[1]}
        if route.shared and operation in route.shared.get(request.method, ()):
            operation, request = self._choice_of(route, request.method).choose(request, path_values)
        if operation is None:
            return self._implicit(request, route, world)
        if operation.refused:
            return _not_served(operation, operation.refused)
        try:
            compiled = self._compiled.get(operation.id) or self._compile(operation)
        except ContractError as error:
            return _not_served(operation, str(error))
        content = b""
        try:
            caller = compiled.authenticate(request, world)
            arguments, value, fields = NO_ARGUMENTS, None, request.fields
            if compiled.parameters is not None:
                arguments = compiled.parameters.read(request, path_values)
            if compiled.body is not None:
                content = compiled.body.receive(request)
                value = compiled.body.decode(content, request.content_type)
                if content and not (compiled.spares_arguments and "HTTP_PREFER" not in fields):
                    arguments = _with_content(arguments, value, compiled.body.media_type(request.content_type))
            if compiled.simple and "HTTP_PREFER" not in fields:
                response, why = compiled.act(request, arguments, value, caller, world)
            else:
                preferences = parse(fields["HTTP_PREFER"]) if "HTTP_PREFER" in fields else NONE
                response, why = compiled.respond(request, arguments, value, caller, preferences, world)
                if compiled.calls_back:
                    why += compiled.call_back(request, arguments, response, world)
                if request.method == "HEAD":
                    response = without_content(response)
        except RequestRejected as rejected:
            response = compiled.reject(rejected, request)
            return RecordedResponse(
                without_content(response) if request.method == "HEAD" else response,
                operation.id,
                # Content is shown where its violations tell which of its names are known, and so which are not.
                content if 0 < len(rejected.violations) < MAX_VIOLATIONS else b"",
                f"{rejected.title}: {rejected.detail}",
                rejected.violations,
                compiled.secret_names | _undefined_names(rejected.violations),
            )
        except ContractError as error:  # a schema that is first asked for now, and is none
            return _not_served(operation, str(error))
        if response.status == 201:
            response = _located(response, request, route.template)
        # As `RecordedResponse(...)` would, in half the time.
        return _new(RecordedResponse, (response, operation.id, content, why, (), compiled.secret_names))

    def refuse_undefined(self, rejected: RequestRejected, accept: str | None) -> Response:
        """Return the answer to a request that means no operation: the contract's own for all paths, if it has one."""
        return self._choices.of_undefined().reject(rejected, accept)

    def refuse(self, request: Request, rejected: RequestRejected) -> RecordedResponse:
        """Return the response to a request rejected before authentication, such as by the rate limit.

        Nothing is looked at but method, path and `Accept`: credentials and content may be anything.
        """
        found = self._router.match(request.path, _target(request))
        operation = None
        if found is not None:
            route = found[0]
            selected = route.by_query(request.method, request.query) if route.queries else None
            operation = selected[0] if selected is not None else route.methods.get(request.method)
        name = ""
        response = rejection(rejected.status, rejected, problem_of(rejected, rejected.status))
        if operation is not None and not operation.refused:
            name = operation.id
            with suppress(ContractError):  # an operation that cannot be served has no response of its own
                compiled = self._compiled.get(name) or self._compile(operation)
                response = compiled.reject(rejected, request)
        if request.method == "HEAD":
            response = without_content(response)
        return RecordedResponse(response, name, b"", f"{rejected.title}: {rejected.detail}", (), NO_NAMES)

    def _choice_of(self, route: Route[Operation], method: str) -> OperationChoice:
        """Return the chooser between the operations that share a path and a method; it is made once."""
        known = self._operation_choices.get((route.template, method))
        if known is None:
            served = [one for one in route.shared[method] if not one.refused]
            known = OperationChoice(self._contract, served or route.shared[method])
            self._operation_choices[route.template, method] = known
        return known

    def _compile(self, operation: Operation) -> CompiledOperation:
        """Return an operation compiled by the first thread that asks for it; the others wait for that one."""
        with self._compiling.setdefault(operation.id, Lock()):
            found = self._compiled.get(operation.id)
            if found is None:
                found = self._compiled[operation.id] = CompiledOperation(
                    self._contract, operation, self._authentication, self._settings, self._choices
                )
        return found

    def _implicit(self, request: Request, route: Route[Operation], world: World) -> RecordedResponse | None:
        """Answer a request with an undocumented method: HEAD like GET without content, OPTIONS with 204, else 405."""
        if request.method == "HEAD" and "GET" in route.methods:
            recorded = self.respond(request._replace(method="GET"), world)
            return None if recorded is None else recorded._replace(response=without_content(recorded.response))
        allow = route.allow
        if request.method == "OPTIONS":
            return RecordedResponse(
                Response(204, [("Allow", allow)], b""), "", b"", "methods of the path", (), NO_NAMES
            )
        rejected = RequestRejected(
            405,
            "Method Not Allowed",
            f"{request.method} is not defined for {route.template}; defined are {allow}",
            fields={"Allow": allow},
        )
        why = f"{rejected.title}: {rejected.detail}"
        return RecordedResponse(
            self.refuse_undefined(rejected, request.fields.get("HTTP_ACCEPT")), "", b"", why, (), NO_NAMES
        )


def _with_content(arguments: Arguments, content: Any, media_type: str) -> Arguments:
    """Return the arguments of a call with the request's decoded content added."""
    path, query, header, cookie, _, _ = arguments
    # As `arguments._replace(...)` would, in a third of the time.
    return _new(Arguments, (path, query, header, cookie, content, media_type))


def _base_paths(operations: Iterable[Operation]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for operation in operations:
        if operation.bases:
            found[operation.path] = tuple(dict.fromkeys((*found.get(operation.path, ()), *operation.bases)))
    return found


def _located(response: Response, request: Request, template: str) -> Response:
    """Return a response whose `Location` leads back through world, mount (SCRIPT_NAME) and base path of a request."""
    extra = request.path.count("/") - template.count("/")
    base = "/".join(request.path.split("/")[: extra + 1])
    mount = request.fields.get("SCRIPT_NAME") or ""
    if not base and not mount:
        return response
    fields = []
    for name, value in response.fields:
        if name == "Location" and value.startswith("/") and not value.startswith("//"):
            value = mount + (value if value.startswith(f"{base}/") else base + value)
        fields.append((name, value))
    return response._replace(fields=fields)


def _target(request: Request) -> str:
    """Return the request target as the client sent it, "" if the server does not pass it on."""
    return request.fields.get("RAW_URI") or request.fields.get("REQUEST_URI") or ""


def _not_served(operation: Operation, reason: str) -> RecordedResponse:
    rejected = RequestRejected(501, "Not Implemented", f"{operation.label} cannot be served: {reason}")
    response = rejection(501, rejected, problem_of(rejected, 501))
    return RecordedResponse(response, operation.id, b"", f"{rejected.title}: {rejected.detail}", (), NO_NAMES)


def _undefined_names(violations: tuple[Violation, ...]) -> frozenset[str]:
    """Return the property names in a request that the contract does not define: they may be misspelt secrets."""
    return frozenset(split(violation.pointer)[-1] for violation in violations if violation.expected == ABSENT)
