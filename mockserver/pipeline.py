"""The order of all that happens to a request, on one page.

::

    route ── authenticate ── parameters ── content ── act ── respond
     404        401            422        413 415      (behaviour, or the contract's example)
     405        403                       400 422
       └────────────┴──────────────┴──────────┴── RequestRejected ── reject

What can be known from the contract alone is compiled when an operation is first asked for; a request costs look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver.authentication import Authentication
from mockserver.behaviour.handlers import Call, Handler, Rules, find_handler
from mockserver.behaviour.worlds import World
from mockserver.contract.model import Contract, Operation
from mockserver.contract.secrets import marked_names
from mockserver.errors import ContractError, RequestRejected
from mockserver.examples.selection import example_outcome
from mockserver.messages import Caller, Outcome, Request, Response, Violation
from mockserver.pointers import split
from mockserver.problem import of as problem_of
from mockserver.response import Responder, rejection
from mockserver.routing import Route, Router
from mockserver.validation.body import BodyReader
from mockserver.validation.parameters import ParameterReader
from mockserver.validation.violations import ABSENT, MAX_VIOLATIONS


class Answer(NamedTuple):
    """A response with what the journal and the log want to know of it.

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


_NO_NAMES: frozenset[str] = frozenset()


class Pipeline:
    """Answers the requests of one contract."""

    def __init__(self, contract: Contract, authentication: Authentication, rules: Rules) -> None:
        self._contract = contract
        self._authentication = authentication
        self._rules = rules
        self._compiled: dict[str, _CompiledOperation] = {}
        self._router = Router((operation.method, operation.path, operation) for operation in contract.operations)
        self._concrete = self._router.concrete
        for operation in contract.operations:
            if operation.behaviour is not None:
                _handler(contract, operation)  # a misspelt handler is told at start, not at the first call

    def knows(self, path: str) -> bool:
        """Tell whether the contract has anything at a path."""
        return self._router.match(path) is not None

    def answer(self, request: Request, world: World) -> Answer | None:
        """Return the answer to a request, or None where the contract has nothing at its path.

        Raises:
            StateError: the store cannot be read or written.
            ContractError: the operation cannot be compiled.
        """
        route = self._concrete.get(request.path)
        path_values: Mapping[str, str] = {}
        if route is None:
            found = self._router.match(request.path)
            if found is None:
                return None
            route, path_values = found
        operation = route.methods.get(request.method)
        if operation is None:
            return _not_allowed(request, route)
        compiled = self._compiled.get(operation.id) or self._compile(operation)
        content = b""
        try:
            caller = compiled.authenticate(request, world)
            if compiled.parameters is not None:
                compiled.parameters.read(request, path_values)
            value = None
            if compiled.body is not None:
                content = compiled.body.receive(request)
                value = compiled.body.decode(content, request.content_type)
            outcome = compiled.act(caller, value, world)
        except RequestRejected as rejected:
            return Answer(
                compiled.responder.reject(rejected),
                operation.id,
                # Content is shown where its violations tell which of its names are known, and so which are not.
                content if 0 < len(rejected.violations) < MAX_VIOLATIONS else b"",
                f"{rejected.title}: {rejected.detail}",
                rejected.violations,
                compiled.secret_names | _misspelt(rejected.violations),
            )
        return Answer(
            compiled.responder.respond(outcome), operation.id, content, outcome.why, (), compiled.secret_names
        )

    def _compile(self, operation: Operation) -> _CompiledOperation:
        compiled = _CompiledOperation(self._contract, operation, self._authentication, self._rules)
        return self._compiled.setdefault(operation.id, compiled)


class _CompiledOperation:
    """All that the contract says of one operation, ready to be applied."""

    def __init__(self, contract: Contract, operation: Operation, authentication: Authentication, rules: Rules) -> None:
        self._operation = operation
        self._rules = rules
        self._handler = _handler(contract, operation)
        self.authenticate = authentication.compile(operation)
        self.parameters = ParameterReader(contract, operation) if operation.parameters else None
        self.body = BodyReader(contract, operation) if operation.request_body is not None else None
        self.responder = Responder(operation)
        self._write_only = self.body.secret_names if self.body is not None else _NO_NAMES
        self.secret_names = self._write_only | _issued_names(contract, operation)

    def act(self, caller: Caller, value: Any, world: World) -> Outcome:
        """Let the behaviour change the world's state, or answer with the contract's example."""
        handler = self._handler
        if handler is None:
            return example_outcome(self._operation)
        behaviour = self._operation.behaviour
        assert behaviour is not None
        with world.transaction() as transaction:
            return handler(
                Call(
                    behaviour,
                    transaction,
                    caller,
                    world.name,
                    value,
                    self._write_only,
                    world.now(),
                    self._rules,
                )
            )


def _handler(contract: Contract, operation: Operation) -> Handler | None:
    try:
        return find_handler(operation)
    except LookupError as error:
        assert operation.behaviour is not None
        raise ContractError(f"{contract.place(operation.behaviour.pointer)}: {error}") from error


def _misspelt(violations: tuple[Violation, ...]) -> frozenset[str]:
    """Return the names that the contract does not know: any of them may be a secret's name, misspelt."""
    return frozenset(split(violation.pointer)[-1] for violation in violations if violation.expected == ABSENT)


def _issued_names(contract: Contract, operation: Operation) -> frozenset[str]:
    """Return the names of response properties that hold secrets given out on purpose."""
    names: set[str] = set()
    for response in operation.responses.values():
        for media_type in response.content.values():
            if media_type.schema is not None:
                names.update(*marked_names(contract.document.data, media_type.schema))
    return frozenset(names)


def _not_allowed(request: Request, route: Route[Operation]) -> Answer:
    rejected = RequestRejected(
        405,
        "Method Not Allowed",
        f"{request.method} is not defined for {route.template}; defined are {route.allow}",
        fields={"Allow": route.allow},
    )
    why = f"{rejected.title}: {rejected.detail}"
    return Answer(rejection(405, rejected, problem_of(rejected, 405)), "", b"", why, (), _NO_NAMES)
