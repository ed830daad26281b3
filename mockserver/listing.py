"""Every documented example with the requests, in order, that return it from a fresh world."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockserver import documents
from mockserver.behaviour.seeding import Account, Seed
from mockserver.contract.model import Contract, Example, ExamplePair, Operation
from mockserver.errors import ContractError

_CONTROL = "/__mock__"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a sequence: `content` is its JSON text or None, `fields` its header fields."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    content: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """An example: the steps that return it, and what the last one returns."""

    name: str
    label: str
    steps: tuple[Step, ...]
    status: str
    content: str
    value: Any


def sequences(contract: Contract, seed: Seed) -> Iterator[Sequence]:
    """Yield the sequence of every documented exchange, with credentials from the seed data.

    Raises:
        ContractError: an example presumes a call that the contract does not have.
    """
    builder = _Builder(contract, seed)
    for pair in contract.pairs():
        yield Sequence(
            pair.name,
            pair.operation.label,
            tuple(builder.steps(pair)),
            pair.status,
            documents.encode(pair.response.value).decode(),
            pair.response.value,
        )


def curl(step: Step, base_url: str) -> str:
    """Return a step as a command line."""
    parts = ["curl", "-sS", "-X", step.method, base_url + step.path]
    for name, value in step.fields:
        parts += ["-H", f"{name}: {value}"]
    if step.content is not None:
        # curl would read the file that a leading @ names.
        parts += ["--data-raw" if step.content.startswith("@") else "-d", step.content]
    return shlex.join(parts)


class _Builder:
    def __init__(self, contract: Contract, seed: Seed) -> None:
        self._contract = contract
        self._seed = seed

    def steps(self, pair: ExamplePair) -> Iterator[Step]:
        presumes = pair.response.presumes
        yield Step("POST", f"{_CONTROL}/reset", (), None)
        if presumes.clock is not None:
            content = documents.encode({"now": presumes.clock}).decode()
            yield Step("PUT", f"{_CONTROL}/clock", (("Content-Type", "application/json"),), content)
        for call in presumes.calls:
            operation_id, _, name = call.partition("/")
            operation = self._contract.by_id.get(operation_id)
            request = None if operation is None else _request_example(operation, name)
            if operation is None or (name and request is None):
                raise ContractError(
                    f"{self._contract.place(pair.response.pointer)}: presumes the unknown call {call!r}"
                )
            yield self._step(operation, request, presumes.identity)
        yield self._step(pair.operation, pair.request, presumes.identity)

    def _step(self, operation: Operation, request: Example | None, identity: str | None) -> Step:
        fields = [("Authorization", self._credentials(identity))] if operation.security else []
        content = None
        if request is not None:
            fields.append(("Content-Type", "application/json"))
            content = documents.encode(request.value).decode()
        return Step(operation.method, operation.path, tuple(fields), content)

    def _credentials(self, identity: str | None) -> str:
        """Return Basic credentials of an account that was seeded with a token, else a placeholder."""
        accounts = [account for account in self._seed.accounts.values() if account.tokens]
        chosen = next((account for account in accounts if account.username == identity), None)
        account: Account | None = chosen or next(iter(accounts), None)
        if account is None:
            return "Basic <username:auth_token>"
        pair = f"{account.username}:{account.tokens[0].token}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def _request_example(operation: Operation, name: str) -> Example | None:
    for media_type in operation.request_body.content.values() if operation.request_body is not None else ():
        if name in media_type.examples:
            return media_type.examples[name]
    return None
