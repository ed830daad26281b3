"""Responses built from outcomes: status, media type, header fields and content, as the contract documents them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.model import DocumentedResponse as Documented
from mockserver.contract.reading.parts import documented_field_values
from mockserver.errors import ContractError, RequestRejected
from mockserver.http import json, problem
from mockserver.http.content.sequence_writer import Write, sequence_writer
from mockserver.http.media_types import essence, is_json
from mockserver.messages import NO_CONTENT, Delivery, Outcome, Response, merged
from mockserver.stub import statuses
from mockserver.stub.encoding import Encode, content_type, encoder
from mockserver.stub.headers import Fields, ValueOf, documented_fields
from mockserver.stub.negotiation import json_first, rank
from mockserver.stub.statuses import WITHOUT_CONTENT, Status

_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",  # RFC 9110 renamed both; Python 3.11 has the old names
    422: "Unprocessable Content",
}
#: Status code to status line, as WSGI wants it.
STATUS_LINES: Mapping[int, str] = {code: f"{code} {_PHRASES.get(code, 'Unknown')}" for code in range(100, 1000)}
#: Clients send few different `Accept` fields; what the odd one asks for is worked out each time.
_MAX_REMEMBERED = 256

#: Content of a documented error in a media type, for a rejection and a status code; raises RequestRejected where there
#: is none.
Content = Callable[[Documented, MediaType, RequestRejected, int], Any]


@dataclass(slots=True)
class ResponsePlan:
    """The part of a response that does not depend on the call: status, media type, encoder and header fields.

    Attributes:
        media_type: the documented media type, None if no content is documented.
        empty_fields: header fields of a response without content.
        empty: no content is sent, even if the outcome has some.
        write: writes the items of a sequence, such as events; None for any other content.
        pause_seconds: between two of them.
    """

    code: int
    documented: Documented | None
    media_type: MediaType | None
    encode: Encode
    fields: Fields = field(default_factory=list)
    empty_fields: Fields = field(default_factory=list)
    empty: bool = False
    write: Write | None = None
    pause_seconds: float = 0.0


class Responder:
    """Builder of one operation's responses; what does not depend on the request is computed once.

    `Content-Length` is left to the server, which knows the length of content that is handed over in one piece.
    """

    def __init__(self, contract: Contract, operation: Operation, value_of: ValueOf, pause_seconds: float = 0.0) -> None:
        """Prepare to build the responses of one operation.

        Args:
            contract: the contract of the operation.
            operation: the operation whose responses are built.
            value_of: returns the values of documented header fields.
            pause_seconds: between two items of a sequence.
        """
        self._contract = contract
        self._operation = operation
        self._value_of = value_of
        self._pause_seconds = pause_seconds
        self._successes = statuses.successes(operation)
        self._plans: dict[tuple[int, str | None], tuple[ResponsePlan, ...]] = {}
        self._fields: dict[str, Fields] = {}
        #: By `Accept`, the plan of a success with content and no extra fields: that of most responses.
        self._usual: dict[str | None, ResponsePlan] = {}
        self._accepted = documented_field_values(contract, operation, "accept")
        self._instead = {
            status: int(response.status)
            for response in operation.responses.values()
            for status in response.instead_of
            if response.status.isdecimal() and str(status) not in operation.responses
        }

    def plans(self, code: int, accept: str | None) -> tuple[ResponsePlan, ...]:
        """Return the response plans for a status (0: success), best first; none if `Accept` excludes them all."""
        found = self._plans.get((code, accept))
        if found is None:
            found = tuple(self._make_plans(code, accept))
            if len(self._plans) < _MAX_REMEMBERED:
                self._plans[code, accept] = found
        return found

    def streams(self, accept: str | None) -> bool:
        """Tell whether the content of a success is a sequence, such as events."""
        plans = self.plans(0, accept)
        return bool(plans) and plans[0].write is not None

    def offers(self) -> Iterator[tuple[Documented | None, MediaType | None]]:
        """Yield each documented success response with each of its media types, best first (None: no content)."""
        for code, documented in self._successes:
            if documented is None or not documented.content or code in WITHOUT_CONTENT:
                yield documented, None
            else:
                yield from ((documented, documented.content[offer]) for offer in json_first(documented.content))

    def respond(self, outcome: Outcome, accept: str | None) -> Response:
        """Return the response to a call's outcome, in a media type that the client accepts if there is one."""
        status, content, _, fields = outcome
        plan = self._usual.get(accept)
        if plan is None or status or fields or content is NO_CONTENT:
            plan = self.plan(outcome, accept)
            if not status and not plan.empty and plan.write is None and len(self._usual) < _MAX_REMEMBERED:
                self._usual[accept] = plan
            return build_response(plan, outcome)
        return Response(plan.code, plan.fields, plan.encode(content))

    def plan(self, outcome: Outcome, accept: str | None) -> ResponsePlan:
        """Return the response plan for an outcome: its status, media type and header fields."""
        plans = self._plans.get((outcome.status, accept)) or self.plans(outcome.status, accept)
        return (plans or self.plans(outcome.status, None))[0]

    def not_acceptable(self, code: int, accept: str | None) -> RequestRejected:
        """Return the rejection (406) of a request whose `Accept` excludes all documented media types."""
        offers = ", ".join(
            dict.fromkeys(
                name
                for status in self._statuses(code)
                if status.documented is not None
                for name in status.documented.content
            )
        )
        return RequestRejected(
            406, "Not Acceptable", f"Accept {json.text((accept or '')[:100])} accepts none of {offers}"
        )

    def reject(self, rejected: RequestRejected, accept: str | None, content: Content) -> Response:
        """Return the response to a rejection: the contract's documented error, else problem details (RFC 9457)."""
        code = self._instead.get(rejected.status, rejected.status)
        status = statuses.of_rejection(self._operation, code)
        return self._rejection(status, rejected, accept, content)

    def _statuses(self, code: int) -> list[Status]:
        return [statuses.preferred(self._operation, code)] if code else self._successes

    def _make_plans(self, code: int, accept: str | None) -> list[ResponsePlan]:
        found: list[ResponsePlan] = []
        offered = taken = 0
        for status in self._statuses(code):
            documented = status.documented
            if documented is None or not documented.content or status.code in WITHOUT_CONTENT:
                found.append(self._plan(status, None, ""))
                continue
            ranked = rank(self._offered(documented), accept)
            found += [self._plan(status, documented.content[offer], name) for offer, name in ranked]
            offered, taken = offered + len(documented.content), taken + len(ranked)
        if offered and not taken:
            # A response without content is no way out for a client that takes none of the content there is. One that
            # sends what the contract itself tells it to send means no harm.
            return self._make_plans(code, None) if accept in self._accepted else []
        return found

    def _offered(self, documented: Documented) -> list[str]:
        """Return the media types of a response in the document's order, text that is to hold an object last.

        Generators of contracts list `text/plain` first by default, in which no server sends objects.
        """
        return sorted(documented.content, key=lambda name: self._is_object_as_text(documented.content[name]))

    def _is_object_as_text(self, media_type: MediaType) -> bool:
        if essence(media_type.name) != "text/plain" or media_type.schema is None or media_type.examples:
            return False
        try:
            schema = self._contract.schema(media_type.schema)[0]
        except ContractError:
            return False
        named = schema.get("type") if isinstance(schema, dict) else None
        return named in ("object", "array") or (isinstance(schema, dict) and "properties" in schema)

    def _plan(self, status: Status, media_type: MediaType | None, name: str) -> ResponsePlan:
        documented = status.documented
        own = self._documented(documented)
        first = next(iter(documented.content), "") if documented is not None else ""
        silent = documented is not None and documented.observed and not documented.content
        shown = name or first or "application/json"
        return ResponsePlan(
            status.code,
            documented,
            media_type,
            encoder(self._contract, media_type, shown),
            [*([] if silent else [("Content-Type", content_type(shown))]), *own],
            [*([("Content-Type", content_type(name or first))] if name or first else []), *own],
            silent or status.code in WITHOUT_CONTENT,
            sequence_writer(shown) if media_type is not None else None,
            self._pause_seconds,
        )

    def _documented(self, documented: Documented | None) -> Fields:
        """Return the header fields of a documented response, computed once."""
        if documented is None or not documented.headers:
            return []
        found = self._fields.get(documented.pointer)
        if found is None:
            found = self._fields[documented.pointer] = documented_fields(documented, self._value_of)
        return found

    def _rejection(self, status: Status, rejected: RequestRejected, accept: str | None, content: Content) -> Response:
        code, documented = status
        if documented is None:
            return rejection(code, rejected, problem.of(rejected, code))
        rejected = _without_unseen(rejected, documented)
        fields = merged(self._documented(documented), list(rejected.fields.items()))
        if not documented.content:
            if documented.observed:
                return Response(code, fields, b"")
            return Response(code, [("Content-Type", problem.MEDIA_TYPE), *fields], problem.of(rejected, code))
        offers = [*documented.content]
        for offer, name in rank(offers, accept) or rank(offers, None):
            found = self._error_content(documented, documented.content[offer], name, code, rejected, content)
            if found is not None:
                return Response(code, [("Content-Type", content_type(name)), *fields], found)
        return Response(code, [("Content-Type", problem.MEDIA_TYPE), *fields], problem.of(rejected, code))

    def _error_content(
        self,
        documented: Documented,
        media_type: MediaType,
        name: str,
        code: int,
        rejected: RequestRejected,
        content: Content,
    ) -> bytes | None:
        """Return error content in a media type, None if no valid content can be made."""
        details = problem.members(rejected, code)
        is_valid = is_json(name) and self._is_valid(media_type, details)
        if is_valid and (name == problem.MEDIA_TYPE or (media_type.schema is None and not media_type.examples)):
            return problem.encode(details)
        if media_type.schema is None and not media_type.examples and name.startswith("text/"):
            return f"{code} {_PHRASES.get(code, '')}\n".encode()
        try:
            value = content(documented, media_type, rejected, code)
        except RequestRejected:
            return None
        if not media_type.examples and value == {} and is_valid:
            value = details
        return encoder(self._contract, media_type, name)(value)

    def _is_valid(self, media_type: MediaType, value: Any) -> bool:
        return media_type.schema is None or self._contract.validator(media_type.schema, "response").is_valid(value)


def build_response(plan: ResponsePlan, outcome: Outcome) -> Response:
    """Return the response to an outcome, built by a response plan."""
    delivery = None
    if outcome.content is NO_CONTENT or plan.empty:
        fields, content = plan.empty_fields, b""
    else:
        fields = plan.fields
        if plan.write is None:
            content = plan.encode(outcome.content)
        else:
            pieces = plan.write(outcome.content)
            content, delivery = b"".join(pieces), Delivery(pieces, plan.pause_seconds)
    if outcome.fields:
        fields = merged(fields, list(outcome.fields))
    return Response(outcome.status or plan.code, fields, content, delivery)


def _without_unseen(rejected: RequestRejected, documented: Documented) -> RequestRejected:
    """Return a rejection without the header fields that real servers were observed to omit."""
    unseen = {header.name.lower() for header in documented.headers.values() if header.unseen}
    if not unseen:
        return rejected
    fields = {name: value for name, value in rejected.fields.items() if name.lower() not in unseen}
    return RequestRejected(
        rejected.status, rejected.title, rejected.detail, violations=rejected.violations, fields=fields
    )


def rejection(status: int, rejected: RequestRejected, content: bytes, media_type: str = problem.MEDIA_TYPE) -> Response:
    """Return the response to a rejection, with the header fields that its status requires."""
    return Response(status, [("Content-Type", media_type), *rejected.fields.items()], content)


def without_content(response: Response) -> Response:
    """Return the response to HEAD: that to GET without its content (RFC 9110, section 9.3.2)."""
    fields = response.fields
    if response.content and response.delivery is None:
        fields = [*fields, ("Content-Length", str(len(response.content)))]
    return Response(response.status, fields, b"")
