"""Responses chosen by the request's `Prefer` field (RFC 7240): a status code or an example, without change of state."""

from __future__ import annotations

from dataclasses import replace

from mockserver.contract.model import Contract, Operation
from mockserver.errors import RequestRejected
from mockserver.http.preferences import applied
from mockserver.http.problem import of as problem_of
from mockserver.messages import Arguments, Preferences, Response
from mockserver.stub.choice import Choice
from mockserver.stub.response import ResponsePlan, rejection

_Answered = tuple[Response, str]


class PreferredResponses:
    """Responses of one operation that a client may ask for by the request's `Prefer` field."""

    def __init__(self, contract: Contract, operation: Operation, choice: Choice) -> None:
        self._contract = contract
        self._operation = operation
        self._choice = choice

    def response(self, arguments: Arguments, preferences: Preferences, accept: str | None) -> _Answered:
        """Return the response that a `Prefer` field asks for, and the reason for it.

        Raises:
            RequestRejected: there is no such response or example.
        """
        code = preferences.code or 0
        if code and self._operation.response_for(code) is None:
            return self._undocumented(code, arguments, preferences, accept)
        plans = self._choice.responder.plans(code, accept)
        if code >= 400 and not plans:
            plans = self._choice.responder.plans(code, None)  # an error is sent whatever the client accepts
        if preferences.example and preferences.code is None:
            plans = self._with_example(preferences.example, accept) or plans
        response, why = self._choice.of_plans(plans, arguments, preferences, accept)
        field = ("Preference-Applied", applied(preferences))
        return response._replace(fields=[*response.fields, field]), f"Prefer: {field[1]}; {why}"

    def _with_example(self, name: str, accept: str | None) -> tuple[ResponsePlan, ...]:
        """Return the response plans that have an example of a name: those of success, else those of any status."""
        codes = (0, *(int(key) for key in self._operation.responses if key.isdecimal()))
        for code in codes:
            found = tuple(
                plan
                for plan in self._choice.responder.plans(code, accept)
                if plan.media_type is not None and name in plan.media_type.examples
            )
            if found:
                return found
        return ()

    def _undocumented(self, code: int, arguments: Arguments, preferences: Preferences, accept: str | None) -> _Answered:
        """Return a preferred error response that the operation does not document; other statuses are rejected (400)."""
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
            responder = self._choice.responder_of(operation)
            plans = responder.plans(code, accept) or responder.plans(code, None)
            response, why = self._choice.of_plans(plans, arguments, preferences, accept)
            return response._replace(fields=[*response.fields, field]), f"Prefer: {field[1]}; {why}"
        forced = RequestRejected(code, "As preferred", detail)
        response = rejection(code, forced, problem_of(forced, code))
        return response._replace(fields=[*response.fields, field]), detail
