"""Runtime expressions of links and callbacks (OpenAPI 3.1, section 4.8.20.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver.http.pointers import lookup
from mockserver.http.styles import encode_text
from mockserver.messages import NO_CONTENT, Arguments

#: The form of an expression.
EXPRESSION = re.compile(
    r"\$(url|method|statusCode)"
    r"|\$(request|response)\.(header|query|path)\..+"
    r"|\$(request|response)\.body(#(/.*)?)?"
)
#: An expression in a text, in braces.
EMBEDDED = re.compile(r"\{(\$[^{}]+)\}")


class ExpressionContext(NamedTuple):
    """Exchange whose values runtime expressions can name: URL, method, parameters, fields, status and contents.

    Attributes:
        request_fields: by name in lower case, likewise `response_fields`.
        response_content: decoded, NO_CONTENT where there is none that could be; likewise the content of `arguments`.
    """

    url: str
    method: str
    arguments: Arguments
    request_fields: Mapping[str, str]
    status: int
    response_fields: Mapping[str, str]
    response_content: Any


def fill(template: str, exchange: ExpressionContext) -> str:
    """Return a text in which runtime expressions are replaced by their values, in braces or as the whole text.

    Raises:
        LookupError: an expression is not one, or names what the exchange does not have; the message shows it.
    """
    if template.startswith("$"):
        return _text(evaluate(template, exchange))
    return EMBEDDED.sub(lambda match: _text(evaluate(match[1], exchange)), template)


def evaluate(expression: str, exchange: ExpressionContext) -> Any:
    """Return the value of one runtime expression, such as `$request.body#/callbackUrl`.

    Raises:
        LookupError: it is no expression, or names what the exchange does not have; the message shows it.
    """
    plain = {"$url": exchange.url, "$method": exchange.method, "$statusCode": exchange.status}
    if expression in plain:
        return plain[expression]
    side, _, source = expression.partition(".")
    kind, _, name = source.partition(".")
    try:
        if side == "$request":
            return _of_request(kind, name, source, exchange)
        if side == "$response":
            return _of_response(kind, name, source, exchange)
    except (LookupError, ValueError, TypeError) as error:
        raise LookupError(f"{expression} has no value in this exchange") from error
    raise LookupError(f"{expression} is not a runtime expression")


def requested(expression: str, arguments: Arguments) -> Any:
    """Return the value of a `$request` expression in the parameters or content of a request.

    Raises:
        LookupError: the request does not have it.
    """
    source = expression.removeprefix("$request.")
    kind, _, name = source.partition(".")
    try:
        if source.startswith("body"):
            return _in_body(source, arguments.content)
        return {"path": arguments.path, "query": arguments.query}[kind][name]
    except (LookupError, ValueError, TypeError) as error:
        raise LookupError(f"{expression} has no value in this exchange") from error


def _of_request(kind: str, name: str, source: str, exchange: ExpressionContext) -> Any:
    if kind == "header":
        return exchange.request_fields[name.lower()]
    return requested(f"$request.{source}", exchange.arguments)


def _of_response(kind: str, name: str, source: str, exchange: ExpressionContext) -> Any:
    if source.startswith("body"):
        return _in_body(source, exchange.response_content)
    if kind != "header":
        raise LookupError(kind)
    return exchange.response_fields[name.lower()]


def _in_body(source: str, content: Any) -> Any:
    body, _, pointer = source.partition("#")
    if body != "body" or (pointer and not pointer.startswith("/")):
        raise LookupError(source)
    if content is NO_CONTENT:
        raise LookupError(source)
    return lookup(content, pointer)


def _text(value: Any) -> str:
    return encode_text("", value)
