"""The documented calls of the built-in contract, as a generated client makes them, and what has to come of each."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote
from urllib.request import Request, urlopen

from mockserver.contract.exchanges import ExamplePair, pairs_in
from mockserver.contract.model import Contract
from mockserver.contract.source.references import follow
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import blanked
from mockserver.plugins import DEFAULT, find
from mockserver.stub.examples.example_sequences import Sequence, Step, sequences
from mockserver.stub.store.seed import load_seed
from tests import defaults


class DocumentedCall(NamedTuple):
    """A documented exchange: what a client is given for it, and what it has to show."""

    pair: ExamplePair
    sequence: Sequence
    world: str

    def prepare(self, url: str) -> None:
        """Bring about what the call presumes, in a world of its own."""
        for step in self.sequence.steps[:-1]:
            with urlopen(_request(step, url, self.world), timeout=120):
                pass

    def as_json(self, contract: Contract, url: str) -> dict[str, Any]:
        """Return it for a runner (python_runner.py, typescript_runner.mjs)."""
        fields = {name.lower(): value for name, value in self.sequence.steps[-1].fields}
        credentials = fields.get("authorization", "Basic ").partition(" ")[2]
        username, _, password = base64.b64decode(credentials).decode().partition(":")
        request, answer = self.pair.request, self.pair.response
        media_type = self.pair.operation.responses[self.pair.status].content.get(self.pair.response_media_type)
        body = self.pair.operation.request_body
        shown = media_type.schema if media_type and answer.value != "" else None
        sent = body.content[self.pair.request_media_type or ""].schema if body and request else None
        return {
            "name": self.pair.name,
            "operation": self.pair.operation.id,
            "host": f"{url}/__world__/{self.world}",
            "username": username,
            "password": password,
            "arguments": self._arguments(),
            "body": None if request is None else request.value,
            "body_model": _model(contract, sent),
            "response_model": _model(contract, shown),
            "item_model": _model(contract, f"{shown}/items") if shown and isinstance(answer.value, list) else None,
        }

    def _arguments(self) -> dict[str, Any]:
        """Return the values of its parameters: those of examples, and what the path has where there is none."""
        path = self.sequence.steps[-1].path.partition("?")[0]
        found = parse_template(self.pair.operation.path).match(path) or {}
        texts = {name: unquote(text) for name, text in found.items()}
        return texts | {name: example.value for (_, name), example in self.pair.arguments.items()}

    def wrong(self, result: dict[str, Any]) -> str:
        """Return what a client shows other than documented, "" where it shows just that."""
        if "error" in result:
            return str(result["error"]).strip().replace("\n", " ")[:300]
        if str(result["status"]) != self.pair.status:
            return f"status {result['status']}, documented is {self.pair.status}"
        documented = self.pair.response.value
        shown, expected = (blanked(value, self.pair.response.stripped) for value in (result["value"], documented))
        if shown == expected or (documented == "" and shown in (None, "")):
            return ""
        return f"shows {json.dumps(shown)[:200]}, documented is {json.dumps(expected)[:200]}"


def documented_calls(contract: Contract) -> Iterator[DocumentedCall]:
    """Yield every documented exchange, those of errors included."""
    found = {one.name: one for one in sequences(contract, load_seed(defaults.SEED_DATA, find(DEFAULT)))}
    for number, pair in enumerate(pairs_in(contract), 1):
        yield DocumentedCall(pair, found[pair.name], f"call-{number}")


def _model(contract: Contract, schema: str | None) -> str | None:
    """Return the name of the component that a schema is, None for no component."""
    if schema is None:
        return None
    section, _, name = follow(contract.document.data, schema)[1].rpartition("/")
    return name if section == "/components/schemas" else None


def _request(step: Step, url: str, world: str) -> Request:
    content = None if step.content is None else step.content.encode()
    fields = {**dict(step.fields), "Mock-World": world}
    return Request(url + step.path, content, fields, method=step.method)
