"""What goes over the wire, as frozen values: a request, its answer, and both together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.mediatypes import essence, is_json

__all__ = ["Exchange", "Fields", "NotJSON", "WireRequest", "WireResponse", "is_json", "parse_json", "same_json"]

Fields = tuple[tuple[str, str], ...]


class NotJSON(ValueError):  # noqa: N818 - says what the content is, not that something went wrong here
    """The content is not one JSON text in UTF-8 (RFC 8259)."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as it is sent.

    Attributes:
        path: path and query below the target's base URL, percent-encoded, with its leading slash.
        fields: header fields in order; `Host`, `Content-Length` and the like are the target's affair.
        body: the content, or None for a request without any.
    """

    method: str
    path: str
    fields: Fields = ()
    body: bytes | None = None

    @property
    def chunked(self) -> bool:
        """Whether the content is sent in chunks, its length untold (RFC 9112, section 7.1)."""
        return (self.field("Transfer-Encoding") or "").lower() == "chunked"

    def field(self, name: str) -> str | None:
        """Return the value of a header field, whatever the case of its name, or None."""
        return _find(self.fields, name)

    def with_field(self, name: str, value: str) -> WireRequest:
        """Return the same request with one header field set, in place of one of that name."""
        kept = tuple((key, held) for key, held in self.fields if key.lower() != name.lower())
        return replace(self, fields=(*kept, (name, value)))


@dataclass(frozen=True, slots=True)
class WireResponse:
    """An answer as it arrived.

    Attributes:
        seconds: how long it took to come, from the request's first byte to the answer's last; 0 where nobody looked.
    """

    status: int
    fields: Fields
    body: bytes
    seconds: float = field(default=0.0, compare=False)
    # What its content says, once somebody asked: every claim does, and nobody changes the value.
    _read: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def field(self, name: str) -> str | None:
        """Return the value of a header field, whatever the case of its name, or None."""
        return _find(self.fields, name)

    @property
    def media_type(self) -> str:
        """The media type in lower case without parameters, "" where there is no `Content-Type`."""
        return essence(self.content_type)

    @property
    def content_type(self) -> str:
        """The `Content-Type` field, "" where there is none."""
        return self.field("content-type") or ""

    @property
    def successful(self) -> bool:
        """Whether the request was accepted (RFC 9110, section 15.3)."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the content as a JSON value.

        Raises:
            NotJSON: the content is not one JSON text in UTF-8; NaN and Infinity are none.
        """
        if not self._read:
            try:
                self._read.append(parse_json(self.body))
            except NotJSON as error:
                self._read.append(error)
        value = self._read[0]
        if isinstance(value, NotJSON):
            raise NotJSON(str(value))
        return value


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it.

    Attributes:
        response: the answer, or None where there was none, not even when asked again.
        problem: why there is no answer, "" where there is one.
        history: the exchanges before it that it can only be understood with, oldest first.
        dropped: whether the connection was closed before the answer.
        slow: whether there was no answer in time.
        repeated: whether the answer came only when it was asked again.
    """

    request: WireRequest
    response: WireResponse | None
    problem: str = ""
    history: tuple[Exchange, ...] = field(default=())
    dropped: bool = False
    slow: bool = False
    repeated: bool = False

    @property
    def size(self) -> int:
        """How much there is to read in it; of two that show the same, the smaller is better evidence."""
        own = len(self.request.path) + len(self.request.body or b"")
        answer = len(self.response.body) if self.response else 0
        return own + answer + sum(exchange.size for exchange in self.history)


def parse_json(content: bytes) -> Any:
    """Return a JSON text's value, integers exact.

    Raises:
        NotJSON: it is none.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJSON(str(error)) from error


def same_json(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return (type(one) is type(other) and bool(one == other)) or _same_number(one, other)


def _same_number(one: Any, other: Any) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float) and one == other


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _find(fields: Fields, name: str) -> str | None:
    wanted, length = name.lower(), len(name)
    for key, value in fields:
        if len(key) == length and key.lower() == wanted:
            return value
    return None
