"""Request content: its size, media type, form and schema, decoded once."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from mockserver import documents
from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.secrets import marked_names
from mockserver.errors import RequestRejected
from mockserver.messages import Request
from mockserver.validation.decoding import charset, decoding
from mockserver.validation.violations import reject, translate

#: Longer content is not read (docs/decisions/0004-order-of-rejections.md).
MAX_CONTENT_BYTES = 1024 * 1024
_MAX_REMEMBERED_FIELDS = 256


class _Decoder:
    """Decodes and validates content of one media type."""

    def __init__(self, contract: Contract, media_type: MediaType, name: str) -> None:
        self._contract = contract
        self._schema = media_type.schema
        self._decode = decoding(contract, media_type, name)
        #: What almost all requests have is decoded without a detour.
        self._is_json = name.endswith(("/json", "+json"))
        #: Whether no bytes at all are content: an empty form, text, file.
        self.may_be_empty = not name.endswith(("json", "xml"))
        self._is_valid: Callable[[Any], bool] | None = None
        self.secret_names: frozenset[str] = frozenset()
        if media_type.schema is not None and self._decode is not None:
            self._is_valid = contract.validator(media_type.schema, "request").is_valid
            self.secret_names, _ = marked_names(contract.document.data, media_type.schema)

    def read(self, content: bytes, field: str) -> Any:
        """Return the value of content; binary content is passed on as it is.

        Raises:
            RequestRejected: 400 or 422.
        """
        if self._decode is None:
            return content
        try:
            value = documents.decode(content) if self._is_json else self._decode(content, field)
        except ValueError as error:
            raise RequestRejected(400, "Bad Request", f"the content cannot be decoded: {error}") from error
        if self._is_valid is not None and not self._is_valid(value):
            assert self._schema is not None
            found = list(self._contract.validator(self._schema, "request").violations(value))
            violations = (
                violation for each in found for violation in translate(self._contract, "body", each, self.secret_names)
            )
            raise reject(violations, sum(len(each.missing) + len(each.unknown) or 1 for each in found))
        return value


class BodyReader:
    """Reads the content of one operation's requests."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        body = operation.request_body
        self._required = body is not None and body.required
        self._contract = contract
        self._content = dict(body.content) if body is not None else {}
        self._by_essence = {essence_of(name): media_type for name, media_type in reversed(self._content.items())}
        self._decoders = {
            name: _Decoder(contract, media_type, name)
            for name, media_type in self._by_essence.items()
            if not name.endswith("*")
        }
        # Clients send few different fields; the odd one is parsed again each time.
        self._by_field: dict[str, _Decoder] = {}

    @property
    def secret_names(self) -> frozenset[str]:
        """Names of properties that never come back."""
        return frozenset().union(*(decoder.secret_names for decoder in self._decoders.values()))

    def receive(self, request: Request) -> bytes:
        """Return the request's content as it came.

        Raises:
            RequestRejected: 413.
        """
        length = request.content_length
        if length == 0:
            return b""
        if length is not None and length > MAX_CONTENT_BYTES:
            raise _too_large()
        # No more than was announced: not every server ends the stream there.
        content = request.read(MAX_CONTENT_BYTES + 1 if length is None else length)
        if len(content) > MAX_CONTENT_BYTES:
            raise _too_large()
        return content

    def decode(self, content: bytes, content_type: str | None) -> Any:
        """Return the value of content, or None where there is none and none is needed.

        Raises:
            RequestRejected: 415, 400 or 422, in this order.
        """
        if not content:
            if content_type and (decoder := self._find(content_type)) is not None and decoder.may_be_empty:
                return decoder.read(content, content_type)
            if self._required:
                raise RequestRejected(400, "Bad Request", "the request has no content, and the operation needs some")
            return None
        return (self._by_field.get(content_type or "") or self._choose(content_type)).read(content, content_type or "")

    def media_type(self, content_type: str | None) -> str:
        """Return the media type of a request without its parameters, "" for none."""
        return (content_type or "").partition(";")[0].strip().lower()

    def _find(self, field: str) -> _Decoder | None:
        """Return the decoder for a `Content-Type`: of the type itself, else of the narrowest range that covers it."""
        name = essence_of(field)
        decoder = self._decoders.get(name)
        if decoder is not None or "/" not in name:
            return decoder
        for covering in (f"{name.partition('/')[0]}/*", "*/*"):
            if covering in self._by_essence:
                decoder = _Decoder(self._contract, self._by_essence[covering], name)
                if len(self._decoders) < _MAX_REMEMBERED_FIELDS:
                    self._decoders[name] = decoder
                return decoder
        return None

    def _choose(self, field: str | None) -> _Decoder:
        accepted = ", ".join(name.lower() for name in self._content)
        if field is None:
            raise RequestRejected(415, "Unsupported Media Type", f"the request has no Content-Type; use {accepted}")
        decoder = self._find(field)
        if decoder is None or not _is_readable(field):
            raise RequestRejected(
                415, "Unsupported Media Type", f"the Content-Type {field[:100]!r} is not {accepted} in UTF-8"
            )
        if len(self._by_field) < _MAX_REMEMBERED_FIELDS:
            self._by_field[field] = decoder
        return decoder


def essence_of(field: str) -> str:
    """Return a media type in lower case, without its parameters."""
    return field.partition(";")[0].strip().lower()


def _is_readable(field: str) -> bool:
    """Tell whether the charset of a field is one that its media type is read in: JSON knows UTF-8 alone (RFC 8259)."""
    named = charset(field)
    if named in {"utf-8", "utf8"}:
        return True
    try:
        codecs.lookup(named)
    except LookupError:
        return False
    return essence_of(field).startswith("text/")


def _too_large() -> RequestRejected:
    return RequestRejected(
        413,
        "Content Too Large",
        f"the content is longer than {MAX_CONTENT_BYTES} bytes, the most this server reads",
    )
