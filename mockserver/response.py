"""Outcome to response: status, media type and content, as the contract documents them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from mockserver import documents, problem
from mockserver.contract.model import Operation
from mockserver.contract.model import Response as Documented
from mockserver.errors import RequestRejected
from mockserver.messages import NO_CONTENT, Outcome, Response

#: What the documentation says of 204: an empty body of this media type.
EMPTY_MEDIA_TYPE = "text/html"
#: Where a contract knows only one of the two, it means the same (docs/decisions/0004-order-of-rejections.md).
_ALTERNATIVES: Mapping[int, int] = {422: 400, 400: 422}
_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",  # RFC 9110 renamed both; Python 3.11 has the old names
    422: "Unprocessable Content",
}
#: Status code to status line, as WSGI wants it.
STATUS_LINES: Mapping[int, str] = {code: f"{code} {_PHRASES.get(code, 'Unknown')}" for code in range(100, 1000)}


class Responder:
    """Builds the responses of one operation; all that does not depend on the request is made once.

    `Content-Length` is left to the server, which knows the length of content that is handed over in one piece.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        success = operation.success()
        self._status = int(success.status) if success is not None and success.status.isdecimal() else 200
        media_type = next(iter(success.content), "application/json") if success is not None else "application/json"
        self._fields = [("Content-Type", media_type)]
        self._empty_fields = [("Content-Type", EMPTY_MEDIA_TYPE)]
        self._without_content = success is not None and success.observed and not success.content
        self._instead = {
            status: int(response.status)
            for response in operation.responses.values()
            for status in response.instead_of
            if response.status.isdecimal() and str(status) not in operation.responses
        }

    def respond(self, outcome: Outcome) -> Response:
        """Return the response to an outcome."""
        if outcome.content is NO_CONTENT:
            return Response(outcome.status or self._status, self._empty_fields, b"")
        if self._without_content:
            return Response(outcome.status or self._status, [], b"")
        return Response(outcome.status or self._status, self._fields, documents.encode(outcome.content))

    def reject(self, rejected: RequestRejected) -> Response:
        """Return the contract's own answer to a rejection, or problem details where it has none."""
        status = self._instead.get(rejected.status, rejected.status)
        documented = self._operation.response_for(status)
        alternative = _ALTERNATIVES.get(status)
        if documented is None and alternative is not None:
            documented = self._operation.response_for(alternative)
            status = status if documented is None or not documented.status.isdecimal() else alternative
        if documented is None:
            return rejection(status, rejected, problem.of(rejected, status))
        rejected = _without_unseen(rejected, documented)
        if not documented.content and documented.observed:
            return Response(status, list(rejected.fields.items()), b"")
        if documented.content and problem.MEDIA_TYPE not in documented.content:
            name, media_type = next(iter(documented.content.items()))
            for example in media_type.examples.values():
                return rejection(status, rejected, _encoded(name, example.value), name)
            if media_type.schema is None and _is_json(name):
                return rejection(status, rejected, problem.of(rejected, status), name)
            if media_type.schema is None and name.startswith("text/"):
                return rejection(status, rejected, f"{status} {_PHRASES.get(status, '')}\n".encode(), name)
        return rejection(status, rejected, problem.of(rejected, status))


def _without_unseen(rejected: RequestRejected, documented: Documented) -> RequestRejected:
    """Return a rejection without the fields that a real server was seen to leave out."""
    unseen = {header.name.lower() for header in documented.headers.values() if header.unseen}
    if not unseen:
        return rejected
    fields = {name: value for name, value in rejected.fields.items() if name.lower() not in unseen}
    return RequestRejected(
        rejected.status, rejected.title, rejected.detail, violations=rejected.violations, fields=fields
    )


def _encoded(media_type: str, value: Any) -> bytes:
    return value.encode() if isinstance(value, str) and not _is_json(media_type) else documents.encode(value)


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def rejection(status: int, rejected: RequestRejected, content: bytes, media_type: str = problem.MEDIA_TYPE) -> Response:
    """Return a rejection with the fields that its status obliges."""
    return Response(status, [("Content-Type", media_type), *rejected.fields.items()], content)
