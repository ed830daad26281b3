"""Evidence: exchanges as reports show them, with secrets masked, and commands that repeat them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mockserver.contract.model import Contract, Operation
from mockserver.http import basic, curl
from mockserver.http.media_types import covering
from mockserver.suite.secrets.known_secrets import MASK, MemberPath, Secrets, marked, redacted
from mockserver.suite.target.exchange import Exchange, Fields, WireRequest, WireResponse, is_json, with_fields
from mockserver.suite.target.paths import Resolver
from mockserver.suite.verdicts.evidence_commands import Identifier, threaded, with_variables

#: The field that selects a world of our own stub, in lower case.
WORLD_FIELD = "mock-world"
#: Longer content is cut in reports; the command to reproduce it keeps the whole.
MAX_SHOWN = 2000
_FAR = 20 * MAX_SHOWN


class Evidence:
    """Turns exchanges into the form that reports show, with secrets masked."""

    def __init__(self, contract: Contract, secrets: Secrets, always: Fields = ()) -> None:
        """Create the evidence of a run.

        Args:
            contract: says where messages hold secrets.
            secrets: what is masked.
            always: header fields that the target adds to each request, which are shown, too.
        """
        self._contract = contract
        self._secrets = secrets
        self._always = always
        self._resolver = Resolver(contract)
        self._by_label = {operation.label: operation for operation in contract.operations}

    def request(self, label: str, request: WireRequest) -> dict[str, Any]:
        """Return a request as the JSON report shows it: `{method, path, headers, body}`."""
        return {
            "method": request.method,
            "path": self._secrets.mask((request.base or "") + request.path),
            "headers": {self._secrets.mask(name): self._field(name, value) for name, value in self._fields(request)},
            "body": None if request.body is None else self._shown(request.body, self._sent_paths(label)),
        }

    def response(self, label: str, exchange: Exchange) -> dict[str, Any]:
        """Return a response as the JSON report shows it: `{status, headers, body}`, or `{problem}` without one."""
        response = exchange.response
        if response is None:
            return {"problem": self._secrets.mask(exchange.problem)}
        return {
            "status": response.status,
            "headers": self._secrets.mask_json(dict(response.fields)),
            "body": self._shown(response.body, self._issued_paths(label, response), response.length),
        }

    def exchange(self, label: str, exchange: Exchange) -> dict[str, Any]:
        """Return an exchange as reports show it: `{label, request, response}`.

        Args:
            label: the operation that it was for; "" to find it by method and path.
            exchange: as it went over the wire.
        """
        label = label if label in self._by_label else self._label_of(exchange.request)
        return {
            "label": label,
            "request": self.request(label, exchange.request),
            "response": self.response(label, exchange),
        }

    def _label_of(self, request: WireRequest) -> str:
        path = request.path.partition("?")[0]
        # The request line also holds the base URL's path, which may be anything.
        found = next(
            (
                found
                for start in _starts(path)
                if (found := self._resolver.methods_at(path[start:]).get(request.method))
            ),
            None,
        )
        return found.label if found else ""

    def curl(self, label: str, base_url: str, exchange: Exchange) -> str:
        """Return curl commands that repeat an exchange and those before it.

        `$VARIABLES` stand for credentials, and for identifiers that the server makes on the way.
        """
        steps = [*exchange.history, exchange]
        made = {} if exchange.history == () else threaded(steps)
        made = {number: one for number, one in made.items() if self._secrets.mask(one.text) == one.text}
        known: dict[str, str] = {}
        lines = []
        for number, step in enumerate(steps):
            lines.append(self._curl(label, base_url, step.request, made.get(number), known))
            if number in made:
                known[made[number].text] = made[number].variable
        return "\n".join(lines)

    def text(self, value: str) -> str:
        """Return a text with secrets masked."""
        return self._secrets.mask(value)

    def _curl(
        self, label: str, base_url: str, request: WireRequest, made: Identifier | None, known: Mapping[str, str]
    ) -> str:
        shown = ["-i"] if made is None else ["-si" if made.head else "-s"]
        words = ["curl", *([] if request.method == "HEAD" else shown), *curl.method_words(request.method)]
        for name, value in self._fields(request):
            login = basic.decode(value) if name.lower() == "authorization" else None
            if name.lower() == WORLD_FIELD:
                continue  # a world of the stub that ended with the run
            if login is not None and self._secrets.name_of(login[1]):
                words += ["-u", f"{login[0]}:${self._secrets.name_of(login[1])}"]
            else:
                words += curl.field_words(name, self._secrets.mask(value))
        sent = None if request.body is None else request.body.decode("utf-8", "replace")
        body = None if sent is None else self._secrets.mask(redacted(sent, self._sent_paths(label)))
        writer = "" if body is None else curl.writer(body)
        if body is not None:
            words += ["--data-binary", "@-"] if writer else curl.content_words(body, "--data-binary")
        if request.base is not None:
            base_url = base_url.removesuffix(urlsplit(base_url).path) + request.base
        words += curl.url_words(base_url + self._secrets.mask(with_variables(request, known)))
        variables = set(known.values())
        command = " ".join(
            curl.quoted(word, lambda name: name in variables or self._secrets.has_name(name)) for word in words
        )
        if made is None:
            return writer + command
        return f"{made.variable}=$({writer}{command} | {made.filter})"

    def _fields(self, request: WireRequest) -> Fields:
        return with_fields(request, self._always).fields if self._always else request.fields

    def _field(self, name: str, value: str) -> str:
        login = basic.decode(value) if name.lower() == "authorization" else None
        if login is not None:
            variable = self._secrets.name_of(login[1])
            return f"Basic {login[0]}:${variable}" if variable else f"Basic {login[0]}:{MASK}"
        return self._secrets.mask(value)

    def _sent_paths(self, label: str) -> tuple[MemberPath, ...]:
        """Return the places in an operation's request content whose values must not be shown."""
        return self._paths(_request_schema(self._by_label.get(label)), "writeOnly")

    def _issued_paths(self, label: str, response: WireResponse) -> tuple[MemberPath, ...]:
        """Return the places in a response's content that are documented to hold an issued secret."""
        operation = self._by_label.get(label)
        documented = operation.response_for(response.status) if operation else None
        media_type = covering(documented.content, response.content_type) if documented else None
        if media_type is None or not is_json(response.media_type):
            return ()
        return self._paths(media_type.schema, "x-secret")

    def _paths(self, schema: str | None, keyword: str) -> tuple[MemberPath, ...]:
        return tuple(path for path, _ in marked(self._contract, schema, keyword))

    def _shown(self, body: bytes, paths: tuple[MemberPath, ...], length: int = 0) -> str:
        """Return content with secrets masked, cut if it is long.

        Args:
            body: content, or its beginning.
            paths: where it holds secrets.
            length: bytes of the whole content, 0 if this is all.
        """
        text = body[: 4 * _FAR].decode("utf-8", "replace")
        cut = bool(length) or len(body) > 4 * _FAR or len(text) > _FAR
        # An ellipsis shows the masking code that the text before it may be the beginning of a secret.
        masked_text = self._secrets.mask(redacted(text[:_FAR], paths) + ("…" if cut else ""))
        if len(masked_text) <= MAX_SHOWN and not cut:
            return masked_text
        size = f"{length or len(body)} bytes" if cut else f"{len(text)} characters"
        return f"{masked_text[:MAX_SHOWN]}… ({size})"


def _request_schema(operation: Operation | None) -> str | None:
    if operation is None or operation.request_body is None:
        return None
    return next((content.schema for content in operation.request_body.content.values()), None)


def _starts(path: str) -> list[int]:
    """Return the positions in a path where its last parts begin, the longest part first."""
    return [place for place, character in enumerate(path) if character == "/"]
