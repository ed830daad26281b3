"""Requests that the stub sends as OpenAPI callbacks after a response: which callbacks, and their URL and content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.contract.model import Contract, Operation
from mockserver.contract.reading.callback_objects import Callback, callbacks
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.http import json
from mockserver.http.expressions import ExpressionContext, fill
from mockserver.http.media_types import concrete
from mockserver.http.styles import encode_text
from mockserver.messages import NO_CONTENT, Arguments, OutgoingRequest, Request, Response
from mockserver.stub.encoding import content_type, encoder


class Callbacks:
    """The OpenAPI callbacks of one operation, and the requests that they send."""

    def __init__(
        self, contract: Contract, operation: Operation, generator: Generator, secret_names: frozenset[str]
    ) -> None:
        self._contract = contract
        self._operation = operation
        self._generator = generator
        self._secret_names = secret_names
        self._callbacks = callbacks(contract, operation)

    def __bool__(self) -> bool:
        """Tell whether the operation has any callbacks."""
        return bool(self._callbacks)

    def after(self, request: Request, arguments: Arguments, response: Response) -> Iterator[OutgoingRequest | str]:
        """Yield the callback requests that follow a response, or the reason why a callback cannot be sent."""
        exchange = _exchange(request, arguments, response)
        for callback in self._callbacks:
            name = f"{self._operation.id}/{callback.name}"
            try:
                url = fill(callback.expression, exchange)
                kind, content = self._content(callback)
                fields = tuple(self._parameters(callback, "header"))
                query = urlencode(list(self._parameters(callback, "query")))
            except (LookupError, CannotGenerate) as error:
                yield f"callback {name} not sent: {error.args[0] if error.args else error}"
                continue
            url += f"{'&' if '?' in url else '?'}{query}" if query else ""
            yield OutgoingRequest(
                name, callback.method, url, kind, content, self._operation.label, self._secret_names, fields
            )

    def _parameters(self, callback: Callback, location: str) -> Iterator[tuple[str, str]]:
        """Yield names and values of a callback's required parameters at a location (`header` or `query`)."""
        for sent in callback.parameters:
            if sent.location != location:
                continue
            value = sent.examples[0] if sent.examples else "value"
            if not sent.examples and sent.schema is not None:
                value = self._generator.generate(sent.schema, "request")
            yield sent.name, encode_text(sent.name, value)

    def _content(self, callback: Callback) -> tuple[str, bytes]:
        media_type = callback.media_type
        if media_type is None:
            return "", b""
        kind = concrete(media_type.name)
        return content_type(kind), encoder(self._contract, media_type, kind)(self._value(callback))

    def _value(self, callback: Callback) -> Any:
        media_type = callback.media_type
        assert media_type is not None
        if callback.examples:
            return callback.examples[0]
        return {} if media_type.schema is None else self._generator.generate(media_type.schema, "request")


def _exchange(request: Request, arguments: Arguments, response: Response) -> ExpressionContext:
    environ = request.fields
    scheme = environ.get("wsgi.url_scheme", "http")
    query = f"?{request.query}" if request.query else ""
    url = f"{scheme}://{environ.get('HTTP_HOST', 'localhost')}{quote(request.path)}{query}"
    request_fields = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")
    }
    try:
        content = json.decode(response.content) if response.content else NO_CONTENT
    except ValueError:
        content = response.content.decode("utf-8", "replace")
    fields = {name.lower(): value for name, value in response.fields}
    return ExpressionContext(url, request.method, arguments, request_fields, response.status, fields, content)
