"""Valid requests of an operation, made from its examples or generated values, for `mockserver examples`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.contract.model import Contract, Example, MediaType, Operation, SecurityScheme
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.http import basic, json
from mockserver.http import xml as xmltext
from mockserver.http.media_types import concrete, essence, is_json
from mockserver.http.path_templates import parse_template
from mockserver.http.styles import QUERYSTRING, encode_query, encode_text, primitive
from mockserver.stub.examples.example_sequences import Step
from mockserver.stub.store.seed import Account, Seed

_BOUNDARY = "mockserver-boundary"
_FORM = "application/x-www-form-urlencoded"
_DIGEST = 'Digest username="user", realm="mockserver", nonce="n", uri="/", response="0123456789abcdef0123456789abcdef"'


class RequestMaker:
    """Maker of valid requests to a contract's operations.

    Raises:
        CannotGenerate: from `steps`, where no valid value of something that is required was found.
    """

    def __init__(self, contract: Contract, seed: Seed, number: int = 0) -> None:
        self._contract = contract
        self._seed = seed
        self._generator = Generator(contract, number)

    def steps(self, operation: Operation, name: str) -> Iterator[Step]:
        """Yield requests that may return the response example of a name, one for each request media type."""
        template = parse_template(operation.path)
        named = {name: f"{{{name}}}" for name in template.parameters}  # nobody says what an undeclared one may be
        query, fields, cookies = [], [], []
        for parameter in operation.parameters:
            if not parameter.required and parameter.location != "path" and name not in parameter.examples:
                continue
            value = self._value(parameter.examples, parameter.schema, name, parameter.content)
            called, style, explode = parameter.name, parameter.style, parameter.explode
            if parameter.location == "query":
                if style == QUERYSTRING and parameter.content is not None and essence(parameter.content.name) == _FORM:
                    value = self._encoded(parameter.content, json.decode(value.encode()))[1]
                query += encode_query(called, value, style, explode=explode)
                continue
            text = encode_text(called, value, style, explode=explode)
            if parameter.location == "path":
                named[called] = quote(text, safe=",;=.")
            elif parameter.location == "cookie":
                cookies.append(f"{called}={quote(text)}")
            else:
                fields.append((called, text))
        for requirement in operation.security[:1]:
            for scheme in requirement:
                self._authorize(operation, self._contract.security_schemes[scheme], query, fields, cookies)
        if cookies:
            fields.append(("Cookie", "; ".join(cookies)))
        path = quote(template.expand(named), safe="/:@!$&'()*+,;=%?~")
        target = path + (("&" if "?" in path else "?") + "&".join(query) if query else "")
        for content_type, content in self._contents(operation, name):
            sent = [] if content is None else [("Content-Type", content_type)]
            yield Step(operation.method, target, (*fields, *sent), content)

    def _value(
        self, examples: Mapping[str, Example], schema: str | None, name: str, media_type: MediaType | None = None
    ) -> Any:
        """Return the example of a given name, else the first valid example, else a generated value."""
        if media_type is not None:
            return json.encode(self._value(media_type.examples or examples, media_type.schema, name)).decode()
        is_valid = self._contract.validator(schema, "request").is_valid if schema is not None else None
        ordered = sorted(examples.values(), key=lambda one: name not in {one.name, one.response_name})
        for example in ordered:
            if is_valid is None or is_valid(example.value):
                return example.value
        return "value" if schema is None else self._generator.generate(schema, "request")

    def _contents(self, operation: Operation, name: str) -> Iterator[tuple[str, str | None]]:
        """Yield media type and content of an operation's request; first none, if content is optional."""
        body = operation.request_body
        paired = body is not None and any(
            name in {example.name, example.response_name}
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
        if kind == _FORM and isinstance(value, dict):
            return name, urlencode([(key, primitive(item)) for key, each in value.items() for item in _listed(each)])
        if kind.startswith("multipart/") and isinstance(value, dict):
            parts = [
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{primitive(item)}\r\n'
                for key, each in value.items()
                for item in _listed(each)
            ]
            return f"{kind}; boundary={_BOUNDARY}", "".join(parts) + f"--{_BOUNDARY}--\r\n"
        if kind.endswith(("/xml", "+xml")) and not isinstance(value, str):
            return name, xmltext.encode(value, self._contract.schema, media_type.schema or "").decode()
        return name, value if isinstance(value, str) and not is_json(name) else json.encode(value).decode()

    def _authorize(
        self,
        operation: Operation,
        scheme: SecurityScheme,
        query: list[str],
        fields: list[tuple[str, str]],
        cookies: list[str],
    ) -> None:
        """Add credentials for a security scheme to a request: those of a seeded account if one may make the call."""
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
            fields.append(("Authorization", basic.encode(pair)))
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
    """Return the sort key of a request media type: JSON first, files last."""
    kind = essence(media_type.name)
    if is_json(kind):
        return 0
    return 1 if kind == "application/x-www-form-urlencoded" else 2


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
