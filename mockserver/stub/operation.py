"""A compiled operation: authentication, request parsing and behaviour of one operation, ready to handle calls.

Which response a call gets is chosen in choice.py.
"""

from __future__ import annotations

from typing import Any

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.schema.marks import marked_names
from mockserver.errors import RequestRejected
from mockserver.http import expressions
from mockserver.http.preferences import NONE
from mockserver.messages import Arguments, Caller, Preferences, Request, Response
from mockserver.plugins.calls import Call
from mockserver.plugins.ownership import compile_owns, is_open
from mockserver.plugins.transactions import Read
from mockserver.stub.authentication import Authentication
from mockserver.stub.behaviour.operation_handler import NO_NAMES, Settings, behaviour_of, fills_form, trusts
from mockserver.stub.callback_requests import Callbacks
from mockserver.stub.choice import Choices
from mockserver.stub.crud.tombstones import Tombstones
from mockserver.stub.examples.stream_switch import stream_switch, streams_items
from mockserver.stub.preferred_responses import PreferredResponses
from mockserver.stub.store.worlds import World
from mockserver.stub.validation.body import BodyReader
from mockserver.stub.validation.parameters import ParameterReader

_new = tuple.__new__


class CompiledOperation:
    """One operation compiled from the contract: who may call it, what requests it takes, and what a call does."""

    def __init__(
        self,
        contract: Contract,
        operation: Operation,
        authentication: Authentication,
        settings: Settings,
        choices: Choices,
    ) -> None:
        self._rules = settings.rules
        self._operation, self._handler = behaviour_of(contract, operation, settings, choices)
        self._behaviour = self._operation.behaviour or Behaviour("python")
        self._tombstones = Tombstones(operation, settings.inferred(operation).values() if self._handler is None else ())
        self._trusted = trusts(self._handler, self._behaviour, settings)
        self._choice = choices.of(operation)
        self._preferred = PreferredResponses(contract, operation, self._choice)
        #: Whether an example of a request may have an error's example, which comes before what was inferred of state.
        self._has_refusals = operation.behaviour is None and operation.id not in settings.behaviours
        self._has_refusals = self._has_refusals and self._choice.examples.depends_on_call
        self.authenticate = authentication.compile(operation)
        strict = settings.options.strict
        self.parameters = ParameterReader(contract, operation, strict=strict) if operation.parameters else None
        self.body = (
            BodyReader(contract, operation, settings.options.max_body, strict=strict)
            if operation.request_body is not None
            else None
        )
        self._write_only = self.body.secret_names if self.body is not None else NO_NAMES
        self.secret_names = self._write_only | _issued_names(contract, operation) | settings.secret_names
        objects = operation.objects
        belongs_to = settings.rules.accounts.belongs_to
        requested = objects is not None and objects.requested
        self._owns = compile_owns(objects, contract.levels, belongs_to) if objects and requested else None
        self._deliver = settings.deliver
        self._callbacks = Callbacks(contract, operation, self._choice.generator, self.secret_names)
        self.calls_back = bool(self._callbacks)
        self._switch = stream_switch(contract, operation)
        #: Whether a stream tells something else than what was inferred of state keeps.
        self._streams_apart = (
            self._switch is not None
            and operation.behaviour is None
            and operation.id not in settings.behaviours
            and not streams_items(contract, operation)
        )
        #: Whether a call without `Prefer` is answered by the behaviour alone.
        self.simple = self._trusted and not (self.calls_back or self._has_refusals or operation.method == "HEAD")
        self.simple = self.simple and self._switch is None
        #: Whether such a call works without the content in its arguments, which saves a twentieth of its time.
        self.spares_arguments = self.simple and self._owns is None and fills_form(self._handler)

    def respond(
        self,
        request: Request,
        arguments: Arguments,
        value: Any,
        caller: Caller,
        preferences: Preferences,
        world: World,
    ) -> tuple[Response, str]:
        """Return the response to a valid call and the reason for it: by preference, behaviour or example.

        `value` is the decoded content, which is in the arguments, too.

        Raises:
            RequestRejected: the behaviour, `Accept` or `Prefer` leave no other response.
        """
        accept = request.fields.get("HTTP_ACCEPT")
        streams = False
        if self._switch is not None:
            accept = self._switch.accept(arguments, accept)
            streams = self._choice.responder.streams(accept)
        if preferences is not NONE and preferences != NONE:
            return self._preferred.response(arguments, preferences, accept)
        if self._handler is None or (streams and self._streams_apart):
            self._require_own(arguments, caller, world.read)
            if self._tombstones:
                self._tombstones.check(arguments.path, world.read)
            responded = self._choice.example(arguments, accept)
            if self._tombstones.restores:
                with world.transaction() as transaction:
                    self._tombstones.restore(arguments.path, responded[0].content, transaction)
            return responded
        if self._has_refusals and (refused := self._choice.refusal(arguments, accept)) is not None:
            return refused
        return self.act(request, arguments, value, caller, world)

    def act(
        self, request: Request, arguments: Arguments, value: Any, caller: Caller, world: World
    ) -> tuple[Response, str]:
        """Run the operation's behaviour in a transaction, and return its response and the reason for it.

        Raises:
            RequestRejected: the behaviour or `Accept` leave no other response.
        """
        accept = request.fields.get("HTTP_ACCEPT")
        self._choice.require_acceptable(accept)  # before anything happens
        handler = self._handler
        assert handler is not None
        with world.transaction() as transaction:
            if self._owns is not None:
                self._require_own(arguments, caller, transaction.get)
            outcome = handler(
                # As `Call(...)` would, without the cost of a call with twelve arguments.
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
                        self._choice.representation(arguments),
                        request,
                    ),
                )
            )
        if self._trusted:
            return self._choice.responder.respond(outcome, accept), outcome.why
        return self._choice.validated(outcome, accept)

    def _require_own(self, arguments: Arguments, caller: Caller, read: Read) -> None:
        """Raise RequestRejected (403) if the called object is neither the caller's own nor open to the caller."""
        objects = self._operation.objects
        if objects is None or self._owns is None or is_open(objects, caller):
            return
        try:
            name = expressions.requested(objects.at, arguments)
        except LookupError:
            return  # an object that the request may leave out, and does
        if isinstance(name, str) and not self._owns(read, caller, name):
            label = self._operation.label
            detail = f"{name} is not {caller.username}'s; a {caller.level} may call {label} only on its own objects"
            raise RequestRejected(403, "Forbidden", detail)

    def reject(self, rejected: RequestRejected, request: Request) -> Response:
        """Return the response to a rejection: the contract's documented error, else problem details (RFC 9457)."""
        return self._choice.reject(rejected, request.fields.get("HTTP_ACCEPT"))

    def call_back(self, request: Request, arguments: Arguments, response: Response, world: World) -> str:
        """Send the callbacks that follow a response; return for the journal what was sent."""
        notes = []
        for outgoing in self._callbacks.after(request, arguments, response) if response.status < 400 else ():
            notes.append(outgoing if isinstance(outgoing, str) else self._deliver(outgoing, world))
        return "".join(f"; {text}" for text in notes)


def _issued_names(contract: Contract, operation: Operation) -> frozenset[str]:
    """Return the names of response properties that hold secrets issued on purpose, such as a new token."""
    names: set[str] = set()
    for response in operation.responses.values():
        for media_type in response.content.values():
            if media_type.schema is not None:
                names.update(*marked_names(contract.document.data, media_type.schema))
    return frozenset(names)
