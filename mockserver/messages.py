"""Values that the stub's stages pass on: request, caller, arguments, outcome, response, violation.

They are named tuples: as fixed as a frozen dataclass and made in a fraction of the time, which counts
because each request makes several (docs/decisions/0005-pipeline-below-flask.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

#: Shown in place of every secret, whatever its length.
MASK = "********"
#: Content of a response without content (204); null is content.
NO_CONTENT: Any = object()


class Request(NamedTuple):
    """HTTP request as any WSGI server passes it on, with the fields that the stub reads most.

    Attributes:
        method: upper case.
        path: percent-decoded path of the target URI, without world prefix.
        query: raw query of the target URI.
        authorization: the credentials field, or None.
        content_type: the media type field, or None.
        content_length: announced length in bytes, None where it is not known beforehand (chunked).
        read: reads at most so many bytes of content.
        fields: all of the server's WSGI variables, for the rare reader of any other field.
    """

    method: str
    path: str
    query: str
    authorization: str | None
    content_type: str | None
    content_length: int | None
    read: Callable[[int], bytes]
    fields: dict[str, Any]


class Caller(NamedTuple):
    """Account behind a request's credentials: user name, level and the key of its token ("" without a token)."""

    username: str
    level: str
    token_key: str


class Arguments(NamedTuple):
    """Decoded values of a valid request: parameters by location and name, and content.

    Attributes:
        content: decoded content, None where there is none.
        media_type: the request's media type without parameters, "" where there is no content.
    """

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    header: Mapping[str, Any]
    cookie: Mapping[str, Any]
    content: Any = None
    media_type: str = ""


#: Arguments of a call without parameters and content.
NO_ARGUMENTS = Arguments({}, {}, {}, {})


class Representation(Protocol):
    """Content of a response that depends on no state: an example from the contract, or generated content.

    It is chosen on first access and then stays the same. Each member raises RequestRejected (501) if no content can be
    made.
    """

    @property
    def media_type(self) -> str:
        """Media type of the content as the contract writes it, "" if no content is documented."""

    @property
    def value(self) -> Any:
        """Decoded content, None if no content is documented."""


class Preferences(NamedTuple):
    """Preferences of a client for one response, from the request's `Prefer` field (RFC 7240).

    Attributes:
        code: status code or None.
        example: name of an example, or "".
        dynamic: generated content, or None for what the server was started with.
    """

    code: int | None = None
    example: str = ""
    dynamic: bool | None = None


class Outcome(NamedTuple):
    """Result of a call before it becomes an HTTP response: status, content, fields and the reason for the journal.

    Attributes:
        status: status code, or 0 for the operation's documented success.
        content: value to be serialised, or NO_CONTENT.
        why: the rule or example that decided, for the journal.
        fields: response fields that follow from what happened, such as `Location` and `ETag`.
    """

    status: int
    content: Any
    why: str
    fields: tuple[tuple[str, str], ...] = ()


def success(content: Any, why: str) -> Outcome:
    """Return the outcome of a successful call with content, under the operation's documented status."""
    return Outcome(0, content, why)


def no_content(status: int, why: str) -> Outcome:
    """Return the outcome of a call without response content; status 0 means the documented status."""
    return Outcome(status, NO_CONTENT, why)


class Delivery(NamedTuple):
    """How the content of a response is sent that is not sent at once, such as a stream of events.

    Attributes:
        pieces: the content, in the pieces that are sent one by one.
        pause_seconds: between two of them.
    """

    pieces: tuple[bytes, ...]
    pause_seconds: float


class Response(NamedTuple):
    """HTTP response that the stub sends: status code, header fields and content.

    Attributes:
        delivery: how the content is sent, None for all of it at once.
    """

    status: int
    fields: list[tuple[str, str]]
    content: bytes
    delivery: Delivery | None = None


def merged(fields: list[tuple[str, str]], over: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return header fields with others added, which replace fields of the same name."""
    names = {name.lower() for name, _ in over}
    return [field for field in fields if field[0].lower() not in names] + over


class OutgoingRequest(NamedTuple):
    """Request of a callback that the stub sends to its client.

    Attributes:
        name: `operationId/callback`.
        content_type: "" for a request without content.
        cause: the operation whose response it follows, as `METHOD /path`.
        secret_names: property names that the journal masks in its content.
        fields: names and values of its own header parameters.
    """

    name: str
    method: str
    url: str
    content_type: str
    content: bytes
    cause: str
    secret_names: frozenset[str]
    fields: tuple[tuple[str, str], ...] = ()


class Violation(NamedTuple):
    """Violation of the contract by a request, safe to show because secret values are masked.

    Attributes:
        place: `body`, `query`, `path`, `header` or `cookie`.
        pointer: JSON pointer into that part; for a parameter `/NAME`.
        keyword: broken keyword of the schema, or `required`, `mediaType`.
        expected: what the contract asks for.
        message: a sentence for a person.
        has_value: whether there is an offending value (a missing one has none).
        value: the offending value, masked where secret, shortened where long.
        provenance_kind: `source`, `assumed` or `observed`.
        provenance_reason: page or reason of the rule that is broken.
        rule: JSON pointer of the rule in the contract.
    """

    place: str
    pointer: str
    keyword: str
    expected: Any
    message: str
    has_value: bool
    value: Any
    provenance_kind: str
    provenance_reason: str
    rule: str

    def as_json(self) -> dict[str, Any]:
        """Return the violation as a member of problem details (docs/stub.md, "Rejections")."""
        shown: dict[str, Any] = {
            "in": self.place,
            "pointer": self.pointer,
            "keyword": self.keyword,
            "message": self.message,
            "expected": self.expected,
        }
        if self.has_value:
            shown["value"] = self.value
        shown["provenance"] = {
            "kind": self.provenance_kind,
            "reason": self.provenance_reason,
            "pointer": self.rule,
        }
        return shown
