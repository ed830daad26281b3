"""All that the contract says of one operation, ready to be applied to its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from mockserver.builtin import mailcheap
from mockserver.contract.model import Behaviour, Contract, MediaType, Operation, Parameter
from mockserver.contract.model import Response as Documented
from mockserver.contract.schema.marks import marked_names
from mockserver.errors import INVALID_FIELD, ContractError, RequestRejected
from mockserver.http import expressions
from mockserver.http.preferences import NONE, applied
from mockserver.http.problem import of as problem_of
from mockserver.messages import (
    NO_CONTENT,
    Arguments,
    Caller,
    Outcome,
    Outgoing,
    Preferences,
    Request,
    Response,
    no_content,
)
from mockserver.stub.authentication import Authentication
from mockserver.stub.behaviour.calls import Call, Handler, Rules
from mockserver.stub.behaviour.handlers import REMOVE, RESOURCE, find_handler
from mockserver.stub.behaviour.ownership import compile_owns, is_open
from mockserver.stub.callback_requests import Callbacks
from mockserver.stub.crud.resources import ResourceHandler
from mockserver.stub.crud.tombstones import Ancestors, Removal
from mockserver.stub.examples.generator import CannotGenerate, Generator
from mockserver.stub.examples.selection import Examples
from mockserver.stub.response import Plan, Responder, finish, rejection
from mockserver.stub.store.store import Read
from mockserver.stub.store.worlds import World
from mockserver.stub.validation.body import BodyReader
from mockserver.stub.validation.parameters import ParameterReader

_new = tuple.__new__
NO_NAMES: frozenset[str] = frozenset()
NO_ARGUMENTS = Arguments({}, {}, {}, {})
#: Handlers whose answers are known to be what the contract says, and so are not looked at again.
_TRUSTED = frozenset({"absent", *(handler for handler, _ in mailcheap.HANDLERS)})
_UNSOUND = "Internal Server Error"
#: What an answer has that is known to break its own schema, because no better one could be made.
_UNSOUND_FIELDS = ((INVALID_FIELD, "true"),)


def _no_template() -> NoReturn:
    raise RequestRejected(501, "Not Implemented", "this behaviour has an answer of its own")


def _nowhere(outgoing: Outgoing, _world: World) -> str:
    return f"callback {outgoing.name} not sent: no host is allowed"


class Settings(NamedTuple):
    """How a stub answers, the same for all operations.

    Attributes:
        dynamic: content is generated where the contract has examples, too.
        errors: an answer that breaks its own schema becomes 500.
        behaviours: Python behaviours by `operationId`.
        deliver: sends a callback, or tells why not; returns words for the journal.
        inferred: gives the behaviours that were inferred, by `operationId`.
    """

    rules: Rules
    dynamic: bool = False
    errors: bool = False
    behaviours: Mapping[str, Handler] = {}
    deliver: Callable[[Outgoing, World], str] = _nowhere
    inferred: Callable[[], Mapping[str, Behaviour]] = dict


class CompiledOperation:
    """One operation: who may call it, what it takes, what it does, how it answers."""

    def __init__(
        self,
        contract: Contract,
        operation: Operation,
        authentication: Authentication,
        settings: Settings,
        template_of: Callable[[str], Any],
    ) -> None:
        self._contract = contract
        self._rules = settings.rules
        self._errors = settings.errors
        self._dynamic = settings.dynamic
        self._generator = Generator(contract, settings.rules.seed_number)
        self._operation, self._handler = _behaviour(contract, operation, settings, template_of)
        self._behaviour = self._operation.behaviour or Behaviour("python")
        self._ancestors = Ancestors(operation, settings.inferred().values() if self._handler is None else ())
        self._trusted = self._behaviour.handler in _TRUSTED and not settings.errors
        self._examples = Examples(contract, operation, self._generator, dynamic=settings.dynamic)
        self.authenticate = authentication.compile(operation)
        self.parameters = ParameterReader(contract, operation) if operation.parameters else None
        self.body = BodyReader(contract, operation) if operation.request_body is not None else None
        self._responder = Responder(contract, operation, self._value_of)
        self._write_only = self.body.secret_names if self.body is not None else NO_NAMES
        self.secret_names = self._write_only | _issued_names(contract, operation)
        objects = operation.objects
        self._owns = compile_owns(objects, contract.levels) if objects is not None and objects.requested else None
        self._deliver = settings.deliver
        self._callbacks = Callbacks(contract, operation, self._generator, self.secret_names)
        self.calls_back = bool(self._callbacks)
        #: Whether the behaviour needs the content and nothing else of the request, so that the rest can be spared.
        self.simple = self._trusted and not (self.calls_back or operation.parameters or self._owns)

    def answer(
        self,
        request: Request,
        arguments: Arguments,
        value: Any,
        caller: Caller,
        preferences: Preferences,
        world: World,
    ) -> tuple[Response, str]:
        """Return the response to a valid call, and why it is this one.

        `value` is the decoded content; the arguments are whole unless the operation is simple.

        Raises:
            RequestRejected: the behaviour, `Accept` or `Prefer` leave no other answer.
        """
        accept = request.fields.get("HTTP_ACCEPT")
        if preferences is not NONE and preferences != NONE:
            return self._preferred(arguments, preferences, accept)
        if self._handler is None:
            self._require_own(arguments, caller, world.read)
            if self._ancestors:
                self._ancestors.check(arguments.path, world.read)
            answered = self._from_examples(self._responder.plans(0, accept), arguments, preferences, accept)
            if self._ancestors.restores:
                with world.transaction() as transaction:
                    self._ancestors.restore(arguments.path, answered[0].content, transaction)
            return answered
        return self.act(accept, arguments, value, caller, world)

    def act(
        self, accept: str | None, arguments: Arguments, value: Any, caller: Caller, world: World
    ) -> tuple[Response, str]:
        """Let the behaviour happen and return the response to it, and why it is this one; there must be a behaviour.

        Raises:
            RequestRejected: the behaviour or `Accept` leave no other answer.
        """
        if accept and not self._responder.plans(0, accept):
            raise self._responder.not_acceptable(0, accept)  # before anything happens
        handler = self._handler
        assert handler is not None
        with world.transaction() as transaction:
            if self._owns is not None:
                self._require_own(arguments, caller, transaction.get)
            outcome = handler(
                # As `Call(...)` would, without the cost of a call with eleven arguments.
                _new(
                    Call,
                    (
                        self._behaviour,
                        transaction,
                        caller,
                        world.name,
                        value,
                        self._write_only,
                        world.now(),
                        self._rules,
                        arguments,
                        self._operation,
                        _no_template if self._trusted else lambda: self._template(arguments),
                    ),
                )
            )
        if self._trusted:
            return self._responder.respond(outcome, accept), outcome.why
        return self._judged(outcome, accept)

    def _require_own(self, arguments: Arguments, caller: Caller, read: Read) -> None:
        """Refuse a call on an object that is neither the caller's own nor open to it."""
        objects = self._operation.objects
        if objects is None or self._owns is None or is_open(objects, caller):
            return
        try:
            name = expressions.requested(objects.at, arguments)
        except LookupError:
            return  # an object that the request may leave out, and does
        if isinstance(name, str) and not self._owns(read, caller, name):
            detail = f"{name} is not {caller.username}'s; a {caller.level} may call {self._operation.label} on its own"
            raise RequestRejected(403, "Forbidden", detail)

    def whole(self, arguments: Arguments, value: Any, content: bytes, request: Request) -> Arguments:
        """Return all that a request says: its parameters and its content."""
        if self.body is None or not content:
            return arguments
        return arguments._replace(content=value, media_type=self.body.media_type(request.content_type or ""))

    def reject(self, rejected: RequestRejected, request: Request) -> Response:
        """Return the contract's own answer to a rejection, or problem details where it has none."""
        return self._responder.reject(rejected, request.fields.get("HTTP_ACCEPT"), self._error_content)

    def call_back(self, request: Request, arguments: Arguments, response: Response, world: World) -> str:
        """Let the callbacks of an answered call be sent; return what becomes of them, for the journal."""
        told = []
        for outgoing in self._callbacks.after(request, arguments, response) if response.status < 400 else ():
            told.append(outgoing if isinstance(outgoing, str) else self._deliver(outgoing, world))
        return "".join(f"; {text}" for text in told)

    def _preferred(self, arguments: Arguments, preferences: Preferences, accept: str | None) -> tuple[Response, str]:
        """Answer as `Prefer` asks; nothing happens to the state then."""
        code = preferences.code or 0
        if code and self._operation.response_for(code) is None:
            return self._undocumented(code, arguments, preferences, accept)
        plans = self._responder.plans(code, accept)
        if code >= 400 and not plans:
            plans = self._responder.plans(code, None)  # an error is told whatever the client takes
        if preferences.example and preferences.code is None:
            plans = self._with_example(preferences.example, accept) or plans
        response, why = self._from_examples(plans, arguments, preferences, accept)
        field = ("Preference-Applied", applied(preferences))
        return response._replace(fields=[*response.fields, field]), f"Prefer: {field[1]}; {why}"

    def _with_example(self, name: str, accept: str | None) -> tuple[Plan, ...]:
        """Return the plans whose media type has an example of a name: those of success, else of any status."""
        codes = (0, *(int(key) for key in self._operation.responses if key.isdecimal()))
        for code in codes:
            found = tuple(
                plan
                for plan in self._responder.plans(code, accept)
                if plan.media_type is not None and name in plan.media_type.examples
            )
            if found:
                return found
        return ()

    def _undocumented(
        self, code: int, arguments: Arguments, preferences: Preferences, accept: str | None
    ) -> tuple[Response, str]:
        """Answer with an error that was asked for and that the operation does not list; another status is a mistake."""
        listed = self._operation.responses
        known = ", ".join(dict.fromkeys((*listed, *self._contract.errors))) or "none"
        detail = f"Prefer: code={code} is not documented for {self._operation.label}; documented are {known}"
        if code < 400:
            raise RequestRejected(400, "Bad Request", detail)
        field = ("Preference-Applied", f"code={code}")
        of_server = self._contract.errors.get(str(code))
        if of_server is not None:
            # As if the operation listed it, for this one call: asked for too seldom to be kept.
            operation = replace(self._operation, responses={of_server.status: of_server})
            responder = Responder(self._contract, operation, self._value_of)
            plans = responder.plans(code, accept) or responder.plans(code, None)
            response, why = self._from_examples(plans, arguments, preferences, accept)
            return response._replace(fields=[*response.fields, field]), f"Prefer: {field[1]}; {why}"
        forced = RequestRejected(code, "As preferred", detail)
        response = rejection(code, forced, problem_of(forced, code))
        return response._replace(fields=[*response.fields, field]), detail

    def _from_examples(
        self, plans: Iterable[Plan], arguments: Arguments, preferences: Preferences, accept: str | None
    ) -> tuple[Response, str]:
        """Answer by the first plan that valid content can be had for."""
        failed: RequestRejected | None = None
        for plan in plans:
            if plan.media_type is None or plan.documented is None or plan.empty:
                return finish(plan, no_content(0, "documented without content")), "documented without content"
            try:
                chosen = self._examples.choose(plan.documented, plan.media_type, arguments, preferences)
            except RequestRejected as rejected:
                failed = failed or rejected
                continue
            if self._errors:
                why = "" if chosen.valid else chosen.why
                why = why or self._mended(plan.media_type, preferences)
                if why:
                    return self._unsound(f"{why}; schema of the {plan.documented.status} response")
            fields = () if chosen.valid else _UNSOUND_FIELDS
            return finish(plan, Outcome(0, chosen.value, chosen.why, fields)), chosen.why
        raise failed or self._responder.not_acceptable(preferences.code or 0, accept)

    def _mended(self, media_type: MediaType, preferences: Preferences) -> str:
        """Return what is wrong with the contract's examples where none of them could be answered, else ""."""
        if self._dynamic if preferences.dynamic is None else preferences.dynamic:
            return ""
        examples = self._examples.prepared(media_type)
        if not examples or preferences.example or not all(one.broken for one in examples):
            return ""
        return f"example {examples[0].example.name} is broken at {examples[0].broken}"

    def template(self) -> Any:
        """Return the value that a call which says nothing would be answered with, were there no state."""
        return self._template(NO_ARGUMENTS)

    def _template(self, arguments: Arguments) -> Any:
        """Return the value that would be answered without state, None where no content is documented."""
        failed: RequestRejected | None = None
        for plan in self._responder.plans(0, None):
            if plan.media_type is None or plan.documented is None:
                return None
            try:
                return self._examples.choose(plan.documented, plan.media_type, arguments, NONE).value
            except RequestRejected as rejected:
                failed = failed or rejected
        if failed is not None:
            raise failed
        return None

    def _judged(self, outcome: Outcome, accept: str | None) -> tuple[Response, str]:
        """Answer with what a behaviour gave, after a look at whether the contract allows it."""
        plan = self._responder.plan(outcome, accept)
        why = outcome.why
        schema = plan.media_type.schema if plan.media_type is not None else None
        if schema is not None and outcome.content is not NO_CONTENT:
            broken = next(iter(self._contract.validator(schema, "response").violations(outcome.content)), None)
            if broken is not None:
                place = "/".join(("", *map(str, broken.instance_path)))
                why = f"{why}; breaks its own schema at {place or 'the top'}: {broken.keyword}"
                if self._errors:
                    return self._unsound(why)
                outcome = outcome._replace(fields=(*outcome.fields, *_UNSOUND_FIELDS))
        return finish(plan, outcome), why

    def _unsound(self, why: str) -> tuple[Response, str]:
        rejected = RequestRejected(500, _UNSOUND, f"the stub's own answer breaks the contract: {why}")
        return rejection(500, rejected, problem_of(rejected, 500)), rejected.detail

    def _error_content(self, documented: Documented, media_type: MediaType) -> Any:
        return self._examples.choose(documented, media_type, NO_ARGUMENTS, NONE).value

    def _value_of(self, header: Parameter) -> Any:
        """Return the value of a response header: its first valid example, else one of its schema; None for neither."""
        schema = header.content.schema if header.content is not None else header.schema
        is_valid = self._contract.validator(schema, "response").is_valid if schema is not None else None
        examples = [*header.examples.values(), *(header.content.examples.values() if header.content else ())]
        for example in examples:
            if is_valid is None or is_valid(example.value):
                return example.value
        try:
            return self._generator.generate(schema, "response", header.name) if schema is not None else None
        except CannotGenerate:
            return None


def _behaviour(
    contract: Contract, operation: Operation, settings: Settings, template_of: Callable[[str], Any]
) -> tuple[Operation, Handler | None]:
    """Return an operation with its behaviour, and the handler: Python's, the contract's, or what was inferred."""
    if operation.id in settings.behaviours:
        return operation, settings.behaviours[operation.id]
    if operation.behaviour is None:
        inferred = settings.inferred().get(operation.id)
        if inferred is not None:
            operation = replace(operation, behaviour=inferred)
    if operation.behaviour is not None and operation.behaviour.handler == RESOURCE:
        handler_of(contract, operation)
        explicit = {one.id: one.behaviour for one in contract.operations if one.behaviour is not None}
        relatives = {**settings.inferred(), **explicit}
        if operation.behaviour.role == REMOVE:
            return operation, Removal(operation, relatives.values())
        return operation, ResourceHandler(contract, operation, operation.behaviour, relatives, template_of)
    return operation, handler_of(contract, operation)


def handler_of(contract: Contract, operation: Operation) -> Handler | None:
    """Return the handler that an operation's behaviour names, None for none.

    Raises:
        ContractError: there is no such handler.
    """
    try:
        return find_handler(operation)
    except LookupError as error:
        assert operation.behaviour is not None
        raise ContractError(f"{contract.place(operation.behaviour.pointer)}: {error}") from error


def _issued_names(contract: Contract, operation: Operation) -> frozenset[str]:
    """Return the names of response properties that hold secrets given out on purpose."""
    names: set[str] = set()
    for response in operation.responses.values():
        for media_type in response.content.values():
            if media_type.schema is not None:
                names.update(*marked_names(contract.document.data, media_type.schema))
    return frozenset(names)
