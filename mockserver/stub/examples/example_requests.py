"""Every response example of a contract with a request that returns it, verified on a stub, or why there is none.

Nothing is taken on trust: each request is sent to a stub in this process first, and only one that returned the example
is listed. A plain request, from a fresh world, comes before one with `Prefer`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from mockserver.contract.model import Contract, DocumentedResponse, Example, MediaType, Operation
from mockserver.contract.values.generator import Generator
from mockserver.errors import MockServerError
from mockserver.http import json
from mockserver.http.media_types import concrete, is_json
from mockserver.http.preferences import token
from mockserver.stub.examples.example_sequences import Step
from mockserver.stub.examples.selection import Examples, PreparedExample
from mockserver.stub.examples.valid_requests import RequestMaker
from mockserver.stub.store.seed import Seed

_RESET = Step("POST", "/__mock__/reset", (), None)
_UNTYPED = "belongs to no media type of `content`, so its media type is unknown"


class ListedExample(NamedTuple):
    """A response example with the requests that return it, or the reason why none does.

    Attributes:
        name: `operationId/example`.
        label: method and path template.
        status: code, range or `default`, as documented.
        media_type: as documented, "" where the example has none.
        steps: the requests, the last of which returns it; empty where none does.
        content: what comes, as text.
        why: why no request returns it, or in what it breaks its schema; "" for neither.
    """

    name: str
    label: str
    status: str
    media_type: str
    steps: tuple[Step, ...]
    content: str
    why: str


class _ReceivedResponse(NamedTuple):
    status: int
    content_type: str
    content: bytes


def list_examples(contract: Contract, seed: Seed, app: Any) -> Iterator[ListedExample]:
    """Yield every response example of a contract with its requests, in the document's order.

    Args:
        contract: what is served.
        seed: where credentials come from.
        app: the stub's WSGI application with this contract and seed data; its state is reset again and again.
    """
    lister = _Lister(contract, seed, app)
    for operation in contract.operations:
        for response in operation.responses.values():
            yield from lister.of(operation, response)


class _Lister:
    def __init__(self, contract: Contract, seed: Seed, app: Any) -> None:
        self._contract = contract
        self._app = app
        self._requests = RequestMaker(contract, seed)
        self._generator = Generator(contract, 0)

    def of(self, operation: Operation, response: DocumentedResponse) -> Iterator[ListedExample]:
        examples = Examples(self._contract, operation, self._generator, dynamic=False)
        for media_type in response.content.values():
            for prepared in examples.prepared(media_type):
                yield self._reached(operation, response, media_type, prepared)
            for name, why in self._left_out(media_type):
                yield _unreached(operation, response, media_type.name, name, why)
        for name in ("example", "examples"):
            if name in self._raw(response.pointer):
                yield _unreached(operation, response, "", name, _UNTYPED)

    def _left_out(self, media_type: MediaType) -> Iterator[tuple[str, str]]:
        """Yield name and reason for each example of a media type that has no inline value."""
        named = self._raw(media_type.pointer).get("examples")
        for name, item in named.items() if isinstance(named, dict) else ():
            if name in media_type.examples:
                continue
            if isinstance(item, dict) and "externalValue" in item:
                yield name, f"its value is in another file, which is not read (externalValue: {item['externalValue']})"
            else:
                yield name, "it has no value"

    def _raw(self, pointer: str) -> dict[str, Any]:
        try:
            found = self._contract.at(pointer)
        except LookupError:
            return {}
        return found if isinstance(found, dict) else {}

    def _reached(
        self, operation: Operation, response: DocumentedResponse, media_type: MediaType, prepared: PreparedExample
    ) -> ListedExample:
        name = prepared.example.name
        code = _code(operation, response)
        why = ""
        if "/" not in media_type.name:
            why = f"is listed under {json.text(media_type.name)}, which is not a media type"
        elif operation.method == "HEAD":
            why = "a response to HEAD has no content (RFC 9110, section 9.3.2)"
        elif code is None:
            why = f"every status of {response.status} is documented by another response"
        else:
            try:
                for step in self._requests.steps(operation, name):
                    found, refusal = self._tried(step, code, media_type, prepared)
                    if found is not None:
                        broken = f"breaks its schema at {prepared.broken}" if prepared.broken else ""
                        return _listed(operation, response, media_type, prepared.example, found, broken)
                    why = why or refusal
            except MockServerError as error:
                why = f"no valid request was found: {error}"
        return _unreached(operation, response, media_type.name, name, why)

    def _tried(
        self, step: Step, code: int, media_type: MediaType, prepared: PreparedExample
    ) -> tuple[tuple[tuple[Step, ...], str] | None, str]:
        """Return the steps that return an example with the received content, else None and the reason."""
        wanted = _with(step, ("Accept", concrete(media_type.name)))
        preferred = _with(wanted, ("Prefer", f"code={code}, example={token(prepared.example.name)}"))
        reference = self._send(preferred)
        right = _judge(code, media_type, prepared)
        if not right(reference):
            return None, _refusal(reference, code)
        for plain in (step, wanted):
            self._send(_RESET)
            received = self._send(plain)
            if right(received) and _same(received, reference):
                return ((_RESET, plain), _text(received)), ""
        return ((preferred,), _text(reference)), ""

    def _send(self, step: Step) -> _ReceivedResponse:
        """Return the stub's response to a request, sent to its WSGI application in this process."""
        path, _, query = step.path.partition("?")
        content = (step.content or "").encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": step.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if step.content is not None:
            environ["CONTENT_LENGTH"] = str(len(content))
        for name, value in step.fields:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value.encode().decode("latin-1")
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, fields: list[tuple[str, str]], _error: Any = None) -> Any:
            started.append((status, fields))
            return io.BytesIO().write

        received = b"".join(self._app(environ, start_response))
        status, fields = started[0]
        content_type = next((value for name, value in fields if name.lower() == "content-type"), "")
        return _ReceivedResponse(int(status.partition(" ")[0]), content_type, received)


def _code(operation: Operation, response: DocumentedResponse) -> int | None:
    """Return a status code for which a response is the documented one, None if there is none."""
    if response.status.isdecimal():
        return int(response.status)
    first = int(response.status[0]) * 100 if response.status != "default" else 0
    # `default` is an error where a success is documented beside it; a range is tried from its first code on.
    succeeds = any(key.startswith(("2", "3")) for key in operation.responses)
    codes = range(first, first + 100) if first else (500, 400, 503) if succeeds else (200,)
    return next((code for code in codes if operation.response_for(code) is response), None)


def _judge(code: int, media_type: MediaType, prepared: PreparedExample) -> Callable[[_ReceivedResponse], bool]:
    """Return a function that tells whether a response is a given example."""

    def right(received: _ReceivedResponse) -> bool:
        if received.status != code:
            return False
        if is_json(received.content_type):
            try:
                return bool(json.decode(received.content) == prepared.value)
            except ValueError:
                return False
        if prepared.chosen is not None and isinstance(prepared.chosen.value, bytes):
            return received.content == prepared.chosen.value
        if isinstance(prepared.value, str):
            return received.content == prepared.value.encode()
        # Any other form of a value (XML): the stub was asked for the example by its name, and sent something.
        return bool(received.content) and not is_json(media_type.name)

    return right


def _same(received: _ReceivedResponse, reference: _ReceivedResponse) -> bool:
    if received.content_type != reference.content_type:
        return False
    return is_json(received.content_type) or received.content == reference.content


def _refusal(received: _ReceivedResponse, code: int) -> str:
    """Return the reason why a response is not the example that was asked for."""
    detail = ""
    try:
        problem = json.decode(received.content)
        detail = str(problem.get("detail") or problem.get("title") or "") if isinstance(problem, dict) else ""
        violations = problem.get("violations") or problem.get("errors") if isinstance(problem, dict) else None
        if isinstance(violations, list) and violations and isinstance(violations[0], dict):
            detail = f"{detail}: {violations[0].get('message', '')}"
    except ValueError:
        pass
    if received.status != code:
        return f"the stub answers {received.status}{': ' + detail if detail else ''}"
    if not received.content:
        return f"the stub sends no content with status {code}"
    return (
        f"the stub sends other content, as {received.content_type}: another operation has the path, or the example "
        "cannot be sent as documented"
    )


def _with(step: Step, field: tuple[str, str]) -> Step:
    return Step(step.method, step.path, (*step.fields, field), step.content)


def _text(received: _ReceivedResponse) -> str:
    return received.content.decode(errors="replace")


def _listed(
    operation: Operation,
    response: DocumentedResponse,
    media_type: MediaType,
    example: Example,
    found: tuple[tuple[Step, ...], str],
    why: str,
) -> ListedExample:
    name = f"{operation.id}/{example.name}"
    return ListedExample(name, operation.label, response.status, media_type.name, found[0], found[1], why)


def _unreached(
    operation: Operation, response: DocumentedResponse, media_type: str, name: str, why: str
) -> ListedExample:
    return ListedExample(f"{operation.id}/{name}", operation.label, response.status, media_type, (), "", why)
