"""Outcome to response: status, media type and content, as the contract documents them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from mockserver import documents, problem
from mockserver.contract.model import Operation
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

    def respond(self, outcome: Outcome) -> Response:
        """Return the response to an outcome."""
        if outcome.content is NO_CONTENT:
            return Response(outcome.status or self._status, self._empty_fields, b"")
        return Response(outcome.status or self._status, self._fields, documents.encode(outcome.content))

    def reject(self, rejected: RequestRejected) -> Response:
        """Return the contract's own answer to a rejection, or problem details where it has none."""
        status = rejected.status
        documented = self._operation.response_for(status)
        alternative = _ALTERNATIVES.get(status)
        if documented is None and alternative is not None:
            documented = self._operation.response_for(alternative)
            status = status if documented is None or not documented.status.isdecimal() else alternative
        if documented is not None and documented.content and problem.MEDIA_TYPE not in documented.content:
            name, media_type = next(iter(documented.content.items()))
            for example in media_type.examples.values():
                content = documents.encode(example.value)
                return rejection(status, rejected, content, name)
        return rejection(status, rejected, problem.of(rejected, status), problem.MEDIA_TYPE)


def rejection(status: int, rejected: RequestRejected, content: bytes, media_type: str = problem.MEDIA_TYPE) -> Response:
    """Return a rejection with the fields that its status obliges."""
    return Response(status, [("Content-Type", media_type), *rejected.fields.items()], content)
