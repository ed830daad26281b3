"""Every documented example with the sequence of requests that returns it from a fresh world."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from mockserver.contract.exchanges import ExamplePair, pair_named, pairs_in
from mockserver.contract.model import Contract
from mockserver.contract.values.generator import Generator
from mockserver.errors import ContractError
from mockserver.http import basic, json
from mockserver.http.curl import content_words, field_words, method_words, url_words
from mockserver.http.path_templates import parse_template
from mockserver.http.styles import encode_query, encode_text
from mockserver.stub.store.seed import Account, Seed

_CONTROL = "/__mock__"
#: Addresses stay legible.
_quote = partial(quote, safe="@")


@dataclass(frozen=True, slots=True)
class Step:
    """One request in a sequence that returns an example: `content` is JSON text or None, `fields` are header fields."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    content: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A documented example with the requests (steps) that return it, and the response to the last one.

    Attributes:
        stripped: JSON pointers to what it may return any value for, since the documentation shows none.
    """

    name: str
    label: str
    steps: tuple[Step, ...]
    status: str
    content: str
    value: Any
    stripped: tuple[str, ...] = ()


def sequences(contract: Contract, seed: Seed) -> Iterator[Sequence]:
    """Yield the sequence of requests for every documented exchange, with credentials from the seed data.

    Raises:
        ContractError: an example presumes a call that the contract does not have.
    """
    builder = _SequenceBuilder(contract, seed)
    for pair in pairs_in(contract):
        yield Sequence(
            pair.name,
            pair.operation.label,
            tuple(builder.steps(pair)),
            pair.status,
            json.encode(pair.response.value).decode(),
            pair.response.value,
            pair.response.stripped,
        )


def curl(step: Step, base_url: str) -> str:
    """Return a curl command line that sends the request of a step."""
    words = ["curl", "-sS", *method_words(step.method), *url_words(base_url + step.path)]
    for name, value in step.fields:
        words += field_words(name, value)
    return shlex.join(words if step.content is None else [*words, *content_words(step.content)])


class _SequenceBuilder:
    def __init__(self, contract: Contract, seed: Seed) -> None:
        self._contract = contract
        self._seed = seed
        self._generator = Generator(contract, 0)

    def steps(self, pair: ExamplePair) -> Iterator[Step]:
        presumes = pair.response.presumes
        yield self._reset(pair)
        if presumes.clock is not None:
            content = json.encode({"now": presumes.clock}).decode()
            yield Step("PUT", f"{_CONTROL}/clock", (("Content-Type", "application/json"),), content)
        for call in presumes.calls:
            earlier = pair_named(self._contract, call)
            if earlier is None:
                raise ContractError(
                    f"{self._contract.place(pair.response.pointer)}: presumes the unknown call {json.text(call)}"
                )
            yield self._step(earlier, earlier.response.presumes.identity or presumes.identity, presumes.seed)
        yield self._step(pair, presumes.identity, presumes.seed)

    def _reset(self, pair: ExamplePair) -> Step:
        """Return the control API call that makes a fresh world from the seed data overlay that an example needs."""
        overlay = pair.response.presumes.seed
        if overlay is None:
            return Step("POST", f"{_CONTROL}/reset", (), None)
        content = json.encode({"overlay": overlay}).decode()
        return Step("POST", f"{_CONTROL}/reset", (("Content-Type", "application/json"),), content)

    def _step(self, pair: ExamplePair, identity: str | None, overlay: str | None) -> Step:
        operation = pair.operation
        fields = [("Authorization", self._credentials(identity, overlay))] if operation.security else []
        content = None
        if pair.request is not None:
            fields.append(("Content-Type", "application/json"))
            content = json.encode(pair.request.value).decode()
        return Step(operation.method, self._target(pair), tuple(fields), content)

    def _target(self, pair: ExamplePair) -> str:
        """Return path and query of an exchange; required parameters without an example get generated values."""
        template, query = parse_template(pair.operation.path), list[str]()
        named = {name: f"{{{name}}}" for name in template.parameters}
        arguments = pair.arguments
        for parameter in pair.operation.parameters:
            example = arguments.get((parameter.location, parameter.name))
            if example is None and (not parameter.required or parameter.schema is None):
                continue
            value = self._generator.generate(parameter.schema or "", "request") if example is None else example.value
            if parameter.content is not None and not isinstance(value, str):
                value = json.encode(value).decode()
            called, style, explode = parameter.name, parameter.style, parameter.explode
            if parameter.location == "path":
                named[called] = encode_text(called, value, style, explode=explode, quote=_quote)
            elif parameter.location == "query":
                query += encode_query(called, value, style, explode=explode, quote=_quote)
        return template.expand(named) + f"?{'&'.join(query)}" * bool(query)

    def _credentials(self, identity: str | None, overlay: str | None) -> str:
        """Return Basic credentials of a seeded account that has a token, a placeholder if there is none."""
        seed = self._seed.overlays.get(overlay or "", self._seed)
        accounts = [account for account in seed.accounts.values() if account.tokens]
        chosen = next((account for account in accounts if account.username == identity), None)
        account: Account | None = chosen or next(iter(accounts), None)
        if account is None:
            return "Basic <username:token>"
        pair = f"{account.username}:{account.tokens[0].token}"
        return basic.encode(pair)
