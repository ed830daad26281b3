"""An answer beside what the contract says of it: what every claim about answers looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation, Response
from mockserver.http.media_types import covering
from mockserver.suite.secrets.known_secrets import Secrets, marked
from mockserver.suite.target.exchange import Exchange, NotJSON, WireResponse, is_json
from mockserver.suite.verdicts.failures import CheckFailure, Rule

_NOT_FOUND = 404
#: A slash within a segment (RFC 3986, section 2.2).
_ENCODED_SLASH = "%2F"


@dataclass(frozen=True, slots=True)
class Answer:
    """An exchange beside what the contract says of it.

    Attributes:
        operation: what the request's method and path mean by the contract, None if nothing.
        label: how reports name it.
        documented: what the contract says of the answer's status, None if nothing.
        promised: what the content is held to: `documented`, or the documented success for a success of another status.
        media_type: what that says of the answer's content in its media type, None if nothing.
    """

    contract: Contract
    operation: Operation | None
    label: str
    exchange: Exchange
    response: WireResponse
    secrets: Secrets
    documented: Response | None = None
    promised: Response | None = None
    media_type: MediaType | None = None
    issued: tuple[tuple[str, ...], ...] = field(default=())

    def failure(self, check: str, title: str, *, expected: str, got: str, pointer: str, rule: Rule) -> CheckFailure:
        """Return the failure of a check on this answer."""
        return CheckFailure(
            check,
            self.label,
            title,
            expected=expected,
            got=got,
            pointer=pointer,
            rule=rule,
            exchange=self.exchange,
        )

    @property
    def place(self) -> str:
        """Pointer of the operation, "" where the contract defines none."""
        return self.operation.pointer if self.operation else ""


def see(
    contract: Contract,
    operation: Operation | None,
    label: str,
    exchange: Exchange,
    secrets: Secrets,
) -> Answer | None:
    """Return an exchange beside what the contract says of it, or None if there was no answer."""
    response = exchange.response
    if response is None:
        return None
    if response.status == _NOT_FOUND and _ENCODED_SLASH in exchange.request.path.partition("?")[0].upper():
        # Many servers, ours included, decode a path before they look at it, and some refuse such a path by themselves:
        # whether the operation was reached at all is open.
        operation = None
    documented = operation.response_for(response.status) if operation else None
    promised = promise(operation, response) if operation else None
    media_type = documented_content(promised, response.content_type)
    schema = media_type.schema if media_type else None
    issued = tuple(path for path, _ in marked(contract, schema, "x-secret"))
    return Answer(contract, operation, label, exchange, response, secrets, documented, promised, media_type, issued)


def promise(operation: Operation, response: WireResponse) -> Response | None:
    """Return what an answer's content is held to, None if nothing.

    A success of an undocumented status is another way to say what the documented success says: 202 for 200. That is
    one difference, and whatever the content breaks besides is another one.
    """
    documented = operation.response_for(response.status)
    if documented is None and response.successful and response.body:
        return operation.success()
    return documented


def documented_content(documented: Response | None, content_type: str) -> MediaType | None:
    """Return what a response says of content of a `Content-Type`; None if nothing."""
    return None if documented is None else covering(documented.content, content_type)


class Unreadable:
    """Stands for content that is not what it is called."""


UNREADABLE = Unreadable()


def value_of(response: WireResponse) -> Any:
    """Return an answer's content as a value: JSON's, a text, or `UNREADABLE`."""
    if is_json(response.media_type):
        try:
            return response.json()
        except NotJSON:
            return UNREADABLE
    if response.media_type.startswith("text/"):
        return response.body.decode("utf-8", "replace")
    return UNREADABLE
