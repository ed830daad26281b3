"""Request content: its size and media type are checked, then it is decoded once and validated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.reading.parts import documented_field_values
from mockserver.contract.schema.marks import marked_names
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.http.media_types import charset, covering, essence, is_json, is_json_lines, is_xml
from mockserver.messages import Request
from mockserver.stub.validation.decoding import decoding
from mockserver.stub.validation.read_only import without_read_only
from mockserver.stub.validation.request_codings import decoded, too_large
from mockserver.stub.validation.text_types import ValueShapes
from mockserver.stub.validation.violations import client_violations, excused, reject

_ANY_TYPE = "*/*"
_MAX_REMEMBERED_FIELDS = 256
_NO_NAMES: frozenset[str] = frozenset()
#: As Python calls them; what is ASCII is UTF-8, too.
_JSON_CHARSETS = frozenset({"utf-8", "ascii"})


class _Decoder:
    """Decoder and validator of request content of one media type."""

    def __init__(
        self,
        contract: Contract,
        shapes: ValueShapes,
        media_type: MediaType,
        name: str,
        secret_names: frozenset[str],
        *,
        strict: bool,
    ) -> None:
        self._contract = contract
        self._strict = strict
        self._schema = media_type.schema
        self._decode = decoding(contract, shapes, media_type, name)
        #: What almost all requests have is decoded without a detour.
        self._is_json = is_json(name)
        #: Whether no bytes at all are content: an empty form, text, file.
        self.may_be_empty = not (self._is_json or is_xml(name))
        self._is_valid: Callable[[Any], bool] | None = None
        self._secret_names = secret_names
        self._examples = [example.value for example in media_type.examples.values()]
        if media_type.schema is not None and self._decode is not None:
            self._is_valid = contract.validator(media_type.schema, "request").is_valid
        #: Judges each item of a sequence, such as lines of JSON (OpenAPI 3.2).
        self._items = None
        if media_type.item_schema is not None and is_json_lines(name):
            self._items = contract.validator(media_type.item_schema, "request")

    def read(self, content: bytes, field: str) -> Any:
        """Return the decoded and valid value of request content; binary content is returned unchanged.

        Raises:
            RequestRejected: 400 or 422.
        """
        if self._decode is None:
            return content
        try:
            value = json.decode(content) if self._is_json else self._decode(content, field)
        except ValueError as error:
            raise RequestRejected(400, "Bad Request", f"the content cannot be decoded: {error}") from error
        if self._is_valid is not None and not self._is_valid(value):
            assert self._schema is not None
            validator = self._contract.validator(self._schema, "request")
            if not self._strict:
                value = without_read_only(self._contract, self._schema, validator, value)
                if self._is_valid(value):
                    return value
            excused = self._excused
            self._refuse(
                (found, "")
                for found in validator.nearest_violations(value)
                if not (found.several_fit and found.keyword_pointer in excused)
            )
        if self._items is not None and isinstance(value, list):
            violations = self._items.nearest_violations
            self._refuse((found, f"/{index}") for index, item in enumerate(value) for found in violations(item))
        return value

    @cached_property
    def _excused(self) -> frozenset[str]:
        assert self._schema is not None
        return excused(self._contract, self._schema, self._examples)

    def _refuse(self, broken: Iterable[tuple[SchemaViolation, str]]) -> None:
        """Raise RequestRejected if there are schema violations, each paired with the pointer of the validated value."""
        found = list(broken)
        if not found:
            return
        violations = (
            violation
            for each, prefix in found
            for violation in client_violations(self._contract, "body", each, self._secret_names, prefix)
        )
        raise reject(violations, sum(len(each.missing) + len(each.unknown) or 1 for each, _ in found))


class BodyReader:
    """Reader of one operation's request content: decodes and validates content."""

    def __init__(self, contract: Contract, operation: Operation, max_bytes: int, *, strict: bool = True) -> None:
        """Prepare to read the content of requests for one operation.

        Args:
            contract: the contract of the operation.
            operation: whose request content it is.
            max_bytes: longer content is not read (docs/decisions/0004-order-of-rejections.md).
            strict: whether `readOnly` members are refused, and not ignored.
        """
        self._max_bytes = max_bytes
        #: Whether the contract says which codings there are, so that one that we cannot undo is no mistake.
        self._takes_codings = any(
            one.location == "header" and one.name.lower() == "content-encoding" for one in operation.parameters
        )
        self._strict = strict
        body = operation.request_body
        self._required = body is not None and body.required
        self._contract = contract
        self._shapes = ValueShapes(contract, lenient=not strict)
        self._content = dict(body.content) if body is not None else {}
        #: Names of properties that never come back, in any media type that is documented, ranges included.
        self.secret_names = _NO_NAMES.union(
            *(_secret_names(contract, media_type) for media_type in self._content.values())
        )
        self._by_essence = {essence(name): media_type for name, media_type in reversed(self._content.items())}
        for told in map(essence, documented_field_values(contract, operation, "content-type")):
            alike = [one for name, one in self._by_essence.items() if is_json(name)]
            if is_json(told) and told not in self._by_essence and alike:
                self._by_essence[told] = alike[0]
        octets = self._by_essence.get("application/octet-stream")
        is_object = octets is not None and self._shapes.at(octets.schema).is_object
        if octets is not None and is_object and not strict:
            # What converters write for JSON where a contract of OpenAPI 2.0 names no media type.
            self._by_essence.setdefault("application/json", octets)
        self._decoders = {
            name: self._decoder(media_type, name)
            for name, media_type in self._by_essence.items()
            if not name.endswith("*")
        }
        names = list(map(essence, self._content))
        #: Names that are documented more than once, with different parameters.
        self._several = {name for name in names if names.count(name) > 1}
        self._variants: dict[str, _Decoder] = {}
        # Clients send few different fields; the odd one is parsed again each time.
        self._by_field: dict[str, _Decoder] = {}

    def receive(self, request: Request) -> bytes:
        """Return the bytes of a request's content.

        Raises:
            RequestRejected: 413, or 400 or 415 where its `Content-Encoding` cannot be undone.
        """
        length = request.content_length
        if length == 0:
            return b""
        limit = self._max_bytes
        if length is not None and length > limit:
            raise too_large(limit)
        # No more than was announced: not every server ends the stream there.
        content = request.read(limit + 1 if length is None else length)
        if len(content) > limit:
            raise too_large(limit)
        if "HTTP_CONTENT_ENCODING" in request.fields:
            field = request.fields["HTTP_CONTENT_ENCODING"]
            return decoded(content, field, limit, keeps_unknown=self._takes_codings)
        return content

    def decode(self, content: bytes, content_type: str | None) -> Any:
        """Return the decoded value of request content, None if there is none and the contract requires none.

        Raises:
            RequestRejected: 415, 400 or 422, in this order.
        """
        if not content:
            if content_type and (decoder := self._find(content_type)) is not None and decoder.may_be_empty:
                return decoder.read(content, content_type)
            if self._required:
                raise RequestRejected(400, "Bad Request", "the request has no content, but the operation requires it")
            return None
        return (self._by_field.get(content_type or "") or self._choose(content_type)).read(content, content_type or "")

    def media_type(self, content_type: str | None) -> str:
        """Return the media type in a `Content-Type` value without parameters, "" if there is none."""
        return essence(content_type or "")

    def _find(self, field: str) -> _Decoder | None:
        """Return the decoder for a `Content-Type`: that of the media type itself, else of the narrowest range."""
        name = essence(field)
        decoder = self._of_variant(field) if name in self._several else self._decoders.get(name)
        if decoder is not None or "/" not in name:
            return decoder
        for wider in (f"{name.partition('/')[0]}/*", "*/*"):
            if wider in self._by_essence:
                decoder = self._decoder(self._by_essence[wider], name)
                if len(self._decoders) < _MAX_REMEMBERED_FIELDS:
                    self._decoders[name] = decoder
                return decoder
        return None

    def _of_variant(self, field: str) -> _Decoder:
        """Return the decoder for a media type that is documented several times with different parameters."""
        media_type = covering(self._content, field)
        assert media_type is not None
        return self._variants.setdefault(
            media_type.name,
            self._decoder(media_type, essence(field)),
        )

    def _decoder(self, media_type: MediaType, name: str) -> _Decoder:
        return _Decoder(self._contract, self._shapes, media_type, name, self.secret_names, strict=self._strict)

    def _choose(self, field: str | None) -> _Decoder:
        accepted = ", ".join(name.lower() for name in self._content)
        if not field and not self._strict and _ANY_TYPE in self._by_essence:
            # Where any type will do, one that is not named is what the content looks like (RFC 9110, section 8.3).
            field = "application/json"
        if field is None:
            raise RequestRejected(415, "Unsupported Media Type", f"the request has no Content-Type; use {accepted}")
        decoder = self._find(field)
        if decoder is None or not _is_readable(field):
            raise RequestRejected(
                415,
                "Unsupported Media Type",
                f"the Content-Type {json.text(field[:100])} is not {accepted} in a known charset",
            )
        if len(self._by_field) < _MAX_REMEMBERED_FIELDS:
            self._by_field[field] = decoder
        return decoder


def _secret_names(contract: Contract, media_type: MediaType) -> frozenset[str]:
    """Return the names of `writeOnly` properties in the schemas of a media type."""
    schemas = (media_type.schema, media_type.item_schema)
    return _NO_NAMES.union(*(marked_names(contract.document.data, schema)[0] for schema in schemas if schema))


def _is_readable(field: str) -> bool:
    """Tell whether the charset of a `Content-Type` can be decoded; for JSON it must be UTF-8 (RFC 8259)."""
    named = charset(field)
    return named in _JSON_CHARSETS if is_json(field) else named is not None
