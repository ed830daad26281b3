"""Choice of the response to a call: to the outcome of a behaviour, to a rejection, or from the contract's examples.

::

    behaviour ── outcome ── judged by its schema ─┐
    example or generated content ── by `Accept` ──┼── response
    rejection ── the contract's error, or problem details ─┘

The response of an operation without state is a value (`Representation`). If the contract has one example it is the same
object for all calls; if the choice depends on the arguments of a call, each call has its own, which keeps the arguments
and chooses by them when its value is first read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.model import DocumentedResponse as Documented
from mockserver.contract.reading.extensions import ERRORS
from mockserver.contract.values.generator import Generator
from mockserver.errors import INVALID_FIELD, RequestRejected
from mockserver.http.preferences import NONE
from mockserver.http.problem import of as problem_of
from mockserver.messages import (
    NO_ARGUMENTS,
    NO_CONTENT,
    Arguments,
    Outcome,
    Preferences,
    Representation,
    Response,
    no_content,
)
from mockserver.stub import statuses
from mockserver.stub.examples.error_content import explained
from mockserver.stub.examples.selection import Examples
from mockserver.stub.examples.sent_values import SentValues
from mockserver.stub.response import Responder, ResponsePlan, build_response, rejection
from mockserver.stub.stub_options import StubOptions

#: Fields of a response that is known to break its own schema, because no better one could be made.
_UNSOUND_FIELDS = ((INVALID_FIELD, "true"),)
_WITHOUT_CONTENT = ("", None)


class Choice:
    """Chooser of the response to each call of one operation."""

    def __init__(self, contract: Contract, operation: Operation, options: StubOptions) -> None:
        self._contract = contract
        self._dynamic = options.dynamic
        self._errors = options.errors
        self._pause_seconds = options.stream_interval
        self.generator = Generator(contract, options.seed)
        self.examples = Examples(contract, operation, self.generator, dynamic=options.dynamic)
        self.responder = self.responder_of(operation)
        self._sent = SentValues(contract, operation) if not options.no_state else None
        self._only_error = statuses.only_error(operation)
        self._offers = tuple(self.responder.offers())
        several = any(len(media_type.examples) > 1 for _, media_type in self._offers if media_type is not None)
        self._same = None if options.dynamic or several else _LazyRepresentation(self, NO_ARGUMENTS)

    def representation(self, arguments: Arguments) -> Representation:
        """Return the content with which a call is answered without state, as a lazily chosen Representation."""
        return self._same or _LazyRepresentation(self, arguments)

    def without_state(self, arguments: Arguments) -> tuple[str, Any]:
        """Return media type and value of the response without state, "" and None if it has no content.

        Raises:
            RequestRejected: 501, nothing can be made.
        """
        failed: RequestRejected | None = None
        for documented, media_type in self._offers:
            if media_type is None or documented is None:
                return _WITHOUT_CONTENT
            try:
                return media_type.name, self.examples.choose(documented, media_type, arguments, NONE).value
            except RequestRejected as rejected:
                failed = failed or rejected
        if failed is not None:
            raise failed
        return _WITHOUT_CONTENT

    def responder_of(self, operation: Operation) -> Responder:
        """Return the builder of an operation's responses (Responder)."""
        return Responder(self._contract, operation, self.examples.header_value, self._pause_seconds)

    def require_acceptable(self, accept: str | None) -> None:
        """Raise RequestRejected (406) if the client accepts none of the documented media types of success.

        Raises:
            RequestRejected: 406.
        """
        if accept and not self.responder.plans(0, accept):
            raise self.responder.not_acceptable(0, accept)

    def example(self, arguments: Arguments, accept: str | None) -> tuple[Response, str]:
        """Return the response with the contract's example, or generated content, and the reason for this choice.

        Raises:
            RequestRejected: 406, or 501 if no response can be made.
        """
        code = self._only_error or self._elsewhere(arguments)
        return self.of_plans(self._plans(code, accept), arguments, NONE, accept, self._sent)

    def refusal(self, arguments: Arguments, accept: str | None) -> tuple[Response, str] | None:
        """Return the error whose example belongs to exactly this request, with the reason; None if there is none."""
        code = self._elsewhere(arguments)
        return self.of_plans(self._plans(code, accept), arguments, NONE, accept) if code >= 400 else None

    def _elsewhere(self, arguments: Arguments) -> int:
        """Return the status code of the response that this call's examples belong to, 0 for the usual success."""
        return self.examples.elsewhere(arguments) if self.examples.depends_on_call and not self._dynamic else 0

    def _plans(self, code: int, accept: str | None) -> Iterable[ResponsePlan]:
        """Return the response plans of a status (0: success); an error is sent whatever the client accepts."""
        plans = self.responder.plans(code, accept)
        return plans or (self.responder.plans(code, None) if code >= 400 else ())

    def of_plans(
        self,
        plans: Iterable[ResponsePlan],
        arguments: Arguments,
        preferences: Preferences,
        accept: str | None,
        sent: SentValues | None = None,
    ) -> tuple[Response, str]:
        """Return the response by the first response plan for which valid content is found, and the reason for it.

        A success shows values of the call if `sent` is given.

        Raises:
            RequestRejected: 406, 501, or 404 where the preferred example does not exist.
        """
        failed: RequestRejected | None = None
        for plan in plans:
            if plan.media_type is None or plan.documented is None or plan.empty:
                return build_response(plan, no_content(0, "documented without content")), "documented without content"
            try:
                chosen = self.examples.choose(plan.documented, plan.media_type, arguments, preferences)
            except RequestRejected as rejected:
                failed = failed or rejected
                continue
            if self._errors:
                why = "" if chosen.valid else chosen.why
                why = why or self._broken_examples(plan.media_type, preferences)
                if why:
                    return _invalid_response(f"{why}; schema of the {plan.documented.status} response")
            fields = chosen.fields if chosen.valid else (*chosen.fields, *_UNSOUND_FIELDS)
            value = chosen.value
            if sent and chosen.valid and plan.code < 400:
                value = sent.shown_in(value, plan.media_type, arguments)
            return build_response(plan, Outcome(0, value, chosen.why, fields)), chosen.why
        raise failed or self.responder.not_acceptable(preferences.code or 0, accept)

    def validated(self, outcome: Outcome, accept: str | None) -> tuple[Response, str]:
        """Return the response to a behaviour's outcome, validated against the contract, and the reason for it."""
        plan = self.responder.plan(outcome, accept)
        why = outcome.why
        schema = plan.media_type.schema if plan.media_type is not None else None
        if schema is not None and outcome.content is not NO_CONTENT:
            broken = next(iter(self._contract.validator(schema, "response").violations(outcome.content)), None)
            if broken is not None:
                place = "/".join(("", *map(str, broken.instance_path)))
                why = f"{why}; breaks its own schema at {place or 'its root'}: {broken.keyword}"
                if self._errors:
                    return _invalid_response(why)
                outcome = outcome._replace(fields=(*outcome.fields, *_UNSOUND_FIELDS))
        return build_response(plan, outcome), why

    def reject(self, rejected: RequestRejected, accept: str | None) -> Response:
        """Return the response to a rejection: the contract's documented error, else problem details (RFC 9457)."""
        return self.responder.reject(rejected, accept, self._error_content)

    def _broken_examples(self, media_type: MediaType, preferences: Preferences) -> str:
        """Return what is wrong with the contract's examples if all of them break their schema, else ""."""
        if self._dynamic if preferences.dynamic is None else preferences.dynamic:
            return ""
        examples = self.examples.prepared(media_type)
        if not examples or preferences.example or not all(one.broken for one in examples):
            return ""
        return f"example {examples[0].example.name} breaks its schema at {examples[0].broken}"

    def _error_content(
        self, documented: Documented, media_type: MediaType, rejected: RequestRejected, code: int
    ) -> Any:
        """Return the content of a documented error, with what is wrong with the request in its members for that."""
        value = self.examples.choose(documented, media_type, NO_ARGUMENTS, NONE).value
        made_up = not media_type.examples
        if isinstance(value, bytes) or not (made_up or rejected.violations):
            return value  # an example decides, unless there is more to say than it can know
        schema = media_type.schema
        validator = None if schema is None else self._contract.validator(schema, "response")
        return explained(value, rejected, code, validator, self._contract, made_up=made_up)


class _LazyRepresentation:
    """A representation (media type and value) that is chosen from a call's arguments when it is first read."""

    def __init__(self, choice: Choice, arguments: Arguments) -> None:
        self._choice = choice
        self._arguments = arguments

    @property
    def media_type(self) -> str:
        return self._content[0]

    @property
    def value(self) -> Any:
        return self._content[1]

    @cached_property
    def _content(self) -> tuple[str, Any]:
        return self._choice.without_state(self._arguments)


class Choices(Mapping[str, Representation]):
    """The response chooser (Choice) of each operation of a contract, made on first use.

    As a mapping: by `operationId`, the response without state to a call without arguments.
    """

    def __init__(self, contract: Contract, options: StubOptions) -> None:
        self._contract = contract
        self._options = options
        self._made: dict[str, Choice] = {}

    def of(self, operation: Operation) -> Choice:
        """Return the response chooser of an operation, the same object each time."""
        found = self._made.get(operation.id)
        return found or self._made.setdefault(operation.id, Choice(self._contract, operation, self._options))

    def of_undefined(self) -> Choice:
        """Return the choice of responses to what the contract does not define (`x-mockserver-errors`)."""
        found = self._made.get("")
        return found or self._made.setdefault("", Choice(self._contract, self._undefined(), self._options))

    def _undefined(self) -> Operation:
        """Return what stands for all paths and methods that the contract does not have."""
        return Operation(
            id="",
            method="",
            path="",
            pointer=f"/{ERRORS}",
            parameters=(),
            request_body=None,
            responses=self._contract.errors,
            security=(),
            bases=(),
            levels=None,
            behaviour=None,
            effect=None,
        )

    def __getitem__(self, name: str) -> Representation:
        return self.of(self._contract.by_id[name]).representation(NO_ARGUMENTS)

    def __iter__(self) -> Iterator[str]:
        return iter(self._contract.by_id)

    def __len__(self) -> int:
        return len(self._contract.by_id)


def _invalid_response(why: str) -> tuple[Response, str]:
    rejected = RequestRejected(500, "Internal Server Error", f"the stub's own response breaks the contract: {why}")
    return rejection(500, rejected, problem_of(rejected, 500)), rejected.detail
