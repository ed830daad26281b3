"""Requests, responses, and exchanges of both, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.http.media_types import essence, is_json
from mockserver.suite.target.json_text import NotJSON, Reading, TooLarge, parse_json, read_json, same_json

__all__ = [
    "Exchange",
    "Fields",
    "NotJSON",
    "TooLarge",
    "WireRequest",
    "WireResponse",
    "is_json",
    "parse_json",
    "same_json",
    "with_fields",
]

Fields = tuple[tuple[str, str], ...]
#: So many bytes of a response's content are kept as evidence; reports show less.
MAX_KEPT = 64 * 1024
#: Status codes that say that nothing is there (any more).
GONE = frozenset({404, 410})
SHORTENED = "its content was shortened to be kept"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """Request as it is sent to the target.

    Attributes:
        path: path and query below the target's base URL, percent-encoded, with its leading slash.
        fields: header fields in order; the target adds `Host`, `Content-Length` and the like.
        body: the content, or None for a request without any.
        base: another spelling of the path of the target's base URL, None for its own.
    """

    method: str
    path: str
    fields: Fields = ()
    body: bytes | None = None
    base: str | None = None

    @property
    def chunked(self) -> bool:
        """Whether the content is sent in chunks, without Content-Length (RFC 9112, section 7.1)."""
        return (self.field("Transfer-Encoding") or "").lower() == "chunked"

    def field(self, name: str) -> str | None:
        """Return the value of a header field by its case-insensitive name, or None."""
        return _find(self.fields, name)

    def with_field(self, name: str, value: str) -> WireRequest:
        """Return the same request with a header field set, replacing any field of that name."""
        kept = tuple((key, held) for key, held in self.fields if key.lower() != name.lower())
        return replace(self, fields=(*kept, (name, value)))


def with_fields(request: WireRequest, fields: Fields) -> WireRequest:
    """Return a request with each of some header fields set."""
    for name, value in fields:
        request = request.with_field(name, value)
    return request


@dataclass(frozen=True, slots=True)
class WireResponse:
    """Response as it arrived from the target.

    Attributes:
        seconds: how long the exchange took, from the request's first byte to the response's last; 0 if not measured.
        unread: why its content was not read to its end, "" if it was.
        flaw: how the response violates HTTP itself, "" if it does not.
        length: bytes of its content before it was shortened, 0 if it was not.
    """

    status: int
    fields: Fields
    body: bytes
    seconds: float = field(default=0.0, compare=False)
    unread: str = field(default="", compare=False)
    flaw: str = field(default="", compare=False)
    length: int = field(default=0, compare=False)
    # Parsed content, cached: every check reads the value, and none changes it.
    _read: list[Reading | NotJSON] = field(default_factory=list, init=False, repr=False, compare=False)

    def field(self, name: str) -> str | None:
        """Return the value of a header field by its case-insensitive name, or None."""
        return _find(self.fields, name)

    @property
    def media_type(self) -> str:
        """Media type in lower case without parameters, "" without a Content-Type field."""
        return essence(self.content_type)

    @property
    def content_type(self) -> str:
        """Value of the Content-Type field, "" if there is none."""
        return self.field("content-type") or ""

    def shortened(self) -> WireResponse:
        """Return the response with long content cut and without its parsed JSON value, to be kept as evidence."""
        if len(self.body) <= MAX_KEPT:
            return self
        return replace(self, body=self.body[:MAX_KEPT], unread=self.unread or SHORTENED, length=len(self.body))

    @property
    def successful(self) -> bool:
        """Whether the status code is 2xx (RFC 9110, section 15.3)."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the content as a JSON value; see `read_json`.

        Raises:
            NotJSON: the content is not one JSON text in UTF-8; NaN and Infinity are none.
            TooLarge: it holds more values than are read.
        """
        return self.reading().value

    def reading(self) -> Reading:
        """Return the content parsed as JSON, and whether all of it was read.

        Raises:
            NotJSON: the content is not one JSON text in UTF-8; NaN and Infinity are none.
            TooLarge: it holds more values than are read.
        """
        if not self._read:
            try:
                self._read.append(read_json(self.body))
            except NotJSON as error:
                self._read.append(type(error)(str(error)))  # without its traceback, which holds the content's values
        found = self._read[0]
        if isinstance(found, NotJSON):
            raise type(found)(str(found))
        return found


@dataclass(frozen=True, slots=True)
class Exchange:
    """Request together with its response, or with the reason why there is none.

    Attributes:
        response: the response, or None if there was none to the request and its repetition.
        problem: why there is no response, "" if there is one.
        history: earlier exchanges that are needed to understand this one, oldest first.
        dropped: whether the connection was closed before the response.
        slow: whether the response did not arrive in time.
        repeated: whether the response arrived only when the request was repeated.
    """

    request: WireRequest
    response: WireResponse | None
    problem: str = ""
    history: tuple[Exchange, ...] = field(default=())
    dropped: bool = False
    slow: bool = False
    repeated: bool = False

    def shortened(self) -> Exchange:
        """Return the exchange with long contents cut, to be kept as evidence; see `WireResponse.shortened`."""
        short = self.response.shortened() if self.response is not None else None
        history = tuple(exchange.shortened() for exchange in self.history)
        if short is self.response and history == self.history:
            return self
        return replace(self, response=short, history=history)

    @property
    def size(self) -> int:
        """Length of path and contents in the exchange; of two exchanges the smaller is the better evidence."""
        own = len(self.request.path) + len(self.request.body or b"")
        received = (self.response.length or len(self.response.body)) if self.response else 0
        return own + received + sum(exchange.size for exchange in self.history)


def _find(fields: Fields, name: str) -> str | None:
    wanted, length = name.lower(), len(name)
    for key, value in fields:
        if len(key) == length and key.lower() == wanted:
            return value
    return None


def json_or_none(response: WireResponse) -> Any:
    """Return the content of a response as a JSON value, None if the content is no JSON."""
    try:
        return response.json()
    except NotJSON:
        return None


def sent_json(request: WireRequest) -> Any:
    """Return the content of a request as a JSON value, None if it has none, or no JSON."""
    try:
        return parse_json(request.body or b"null")
    except NotJSON:
        return None
