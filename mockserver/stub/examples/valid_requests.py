"""A valid request of an operation, from its own examples, else generated: what `mockserver examples` prints."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.contract.model import Contract, Example, MediaType, Operation, Parameter, SecurityScheme
from mockserver.http import json as documents
from mockserver.http import xml as xmltext
from mockserver.http.media_types import concrete, essence, is_json
from mockserver.stub.examples.generator import CannotGenerate, Generator
from mockserver.stub.examples.listing import Step
from mockserver.stub.store.seed import Account, Seed

_BOUNDARY = "mockserver-boundary"
#: What joins the items of an array that is not exploded; simple and form alike with a comma.
_JOINS = {"spaceDelimited": "%20", "pipeDelimited": "|", "tabDelimited": "%09", "label": ","}
_DIGEST = 'Digest username="user", realm="mockserver", nonce="n", uri="/", response="0123456789abcdef0123456789abcdef"'


class Requests:
    """Makes requests of a contract's operations.

    Raises:
        CannotGenerate: from `steps`, where no valid value of something that is required was found.
    """

    def __init__(self, contract: Contract, seed: Seed, number: int = 0) -> None:
        self._contract = contract
        self._seed = seed
        self._generator = Generator(contract, number)

    def steps(self, operation: Operation, name: str) -> Iterator[Step]:
        """Yield the requests that may return the response example of a name, one for each media type it can send."""
        path, query, fields, cookies = operation.path, [], [], []
        for parameter in operation.parameters:
            if not parameter.required and parameter.location != "path" and name not in parameter.examples:
                continue
            value = self._value(parameter.examples, parameter.schema, name, parameter.content)
            if parameter.location == "query":
                query += _in_query(parameter, value)
                continue
            text = _in_text(parameter, value)
            if parameter.location == "path":
                path = path.replace(f"{{{parameter.name}}}", quote(text, safe=",;=."))
            elif parameter.location == "cookie":
                cookies.append(f"{parameter.name}={quote(text)}")
            else:
                fields.append((parameter.name, text))
        for requirement in operation.security[:1]:
            for scheme in requirement:
                self._authorize(operation, self._contract.security_schemes[scheme], query, fields, cookies)
        if cookies:
            fields.append(("Cookie", "; ".join(cookies)))
        path = quote(path, safe="/:@!$&'()*+,;=%?~")
        target = path + (("&" if "?" in path else "?") + "&".join(query) if query else "")
        for content_type, content in self._contents(operation, name):
            sent = [] if content is None else [("Content-Type", content_type)]
            yield Step(operation.method, target, (*fields, *sent), content)

    def _value(
        self, examples: Mapping[str, Example], schema: str | None, name: str, media_type: MediaType | None = None
    ) -> Any:
        """Return the example of a name, else the first valid one, else a generated value."""
        if media_type is not None:
            return documents.encode(self._value(media_type.examples or examples, media_type.schema, name)).decode()
        is_valid = self._contract.validator(schema, "request").is_valid if schema is not None else None
        ordered = sorted(examples.values(), key=lambda one: name not in {one.name, one.answered_by})
        for example in ordered:
            if is_valid is None or is_valid(example.value):
                return example.value
        return "value" if schema is None else self._generator.generate(schema, "request")

    def _contents(self, operation: Operation, name: str) -> Iterator[tuple[str, str | None]]:
        """Yield media type and content of what an operation takes; nothing first where nothing speaks for content."""
        body = operation.request_body
        paired = body is not None and any(
            name in {example.name, example.answered_by}
            for media_type in body.content.values()
            for example in media_type.examples.values()
        )
        if body is None or not (body.required or paired):
            yield "", None
        failed: CannotGenerate | None = None
        made = 0
        for media_type in sorted(body.content.values(), key=_rank) if body is not None else ():
            try:
                value = self._value(media_type.examples, media_type.schema, name)
            except CannotGenerate as reason:
                failed = failed or reason
                continue
            made += 1
            yield self._encoded(media_type, value)
        if failed is not None and not made:
            raise failed

    def _encoded(self, media_type: MediaType, value: Any) -> tuple[str, str]:
        name = concrete(media_type.name)
        kind = essence(name)
        if kind == "application/x-www-form-urlencoded" and isinstance(value, dict):
            return name, urlencode([(key, _plain(item)) for key, each in value.items() for item in _listed(each)])
        if kind.startswith("multipart/") and isinstance(value, dict):
            parts = [
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{_plain(item)}\r\n'
                for key, each in value.items()
                for item in _listed(each)
            ]
            return f"{kind}; boundary={_BOUNDARY}", "".join(parts) + f"--{_BOUNDARY}--\r\n"
        if kind.endswith(("/xml", "+xml")) and not isinstance(value, str):
            return name, xmltext.encode(value, self._contract.schema, media_type.schema or "").decode()
        return name, value if isinstance(value, str) and not is_json(name) else documents.encode(value).decode()

    def _authorize(
        self,
        operation: Operation,
        scheme: SecurityScheme,
        query: list[str],
        fields: list[tuple[str, str]],
        cookies: list[str],
    ) -> None:
        """Add well-formed credentials of a scheme: a seeded account's where there is one that may call."""
        account = self._account(operation)
        secret = self._secret(account, scheme)
        if scheme.type == "apiKey":
            add: Mapping[str, Callable[[], None]] = {
                "query": lambda: query.append(f"{quote(scheme.parameter)}={quote(secret)}"),
                "cookie": lambda: cookies.append(f"{scheme.parameter}={secret}"),
            }
            add.get(scheme.location, lambda: fields.append((scheme.parameter, secret)))()
        elif scheme.type == "http" and scheme.scheme == "basic":
            pair = f"{account.username if account is not None else 'user'}:{secret}"
            fields.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
        elif scheme.scheme == "digest":
            fields.append(("Authorization", _DIGEST))
        elif scheme.type != "mutualTLS":
            kind = scheme.scheme if scheme.type == "http" else "bearer"
            fields.append(("Authorization", f"{kind.capitalize()} {secret}"))

    def _account(self, operation: Operation) -> Account | None:
        accounts = self._seed.accounts.values()
        able = (one for one in accounts if operation.levels is None or one.level in operation.levels)
        return next((one for one in able if one.tokens or one.schemes or one.password), None)

    def _secret(self, account: Account | None, scheme: SecurityScheme) -> str:
        if account is None:
            return "token"
        own = account.schemes.get(scheme.name)
        if own is None and account.tokens:
            own = account.tokens[0].token
        return own or account.password or "token"


def _rank(media_type: MediaType) -> int:
    """Return how late a media type is tried: JSON first, files last."""
    kind = essence(media_type.name)
    if is_json(kind):
        return 0
    return 1 if kind == "application/x-www-form-urlencoded" else 2


def _in_query(parameter: Parameter, value: Any) -> list[str]:
    """Return the `name=value` pairs of a query parameter (OpenAPI 3.1, section 4.8.12.3)."""
    name = quote(parameter.name)
    if isinstance(value, dict):
        members = [(quote(key), quote(_plain(item))) for key, item in value.items()]
        if parameter.style == "deepObject":
            return [f"{name}%5B{key}%5D={item}" for key, item in members]
        if parameter.explode:
            return [f"{key}={item}" for key, item in members]
        return [f"{name}=" + ",".join(part for member in members for part in member)]
    if isinstance(value, list):
        items = [quote(_plain(item)) for item in value]
        if parameter.explode:
            return [f"{name}={item}" for item in items]
        return [f"{name}=" + _JOINS.get(parameter.style, ",").join(items)]
    return [f"{name}={quote(_plain(value))}"]


def _in_text(parameter: Parameter, value: Any) -> str:
    """Return a path, header or cookie parameter as text (OpenAPI 3.1, section 4.8.12.3)."""
    if isinstance(value, dict):
        equals = "=" if parameter.explode else ","
        items = [f"{key}{equals}{_plain(item)}" for key, item in value.items()]
    else:
        items = [_plain(item) for item in _listed(value)]
    if parameter.style == "label":
        return "." + ("." if parameter.explode else ",").join(items)
    if parameter.style == "matrix":
        if parameter.explode and isinstance(value, dict):
            return ";" + ";".join(items)
        if parameter.explode:
            return "".join(f";{parameter.name}={item}" for item in items)
        return f";{parameter.name}=" + ",".join(items)
    return ",".join(items)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else documents.encode(value).decode()
