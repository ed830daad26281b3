"""Callbacks: sent to hosts that were named, and to no others."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.errors import UsageError
from mockserver.http.expressions import ExpressionContext, evaluate, fill
from mockserver.messages import Arguments
from tests.conftest import Client, wait_until

MakeStub = Callable[..., Client]
Write = Callable[..., Path]


class _Receiver(http.server.BaseHTTPRequestHandler):
    received: list[tuple[str, str, bytes]]
    events: list[str | None] = []  # noqa: RUF012 - shared on purpose

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.events.append(self.headers.get("X-Event"))
        self.received.append((self.path, self.headers.get("Content-Type", ""), content))
        self.send_response(302)
        self.send_header("Location", f"http://{self.headers['Host']}/redirected")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[int, list[tuple[str, str, bytes]]]]:
    received: list[tuple[str, str, bytes]] = []
    handler = type("Receiver", (_Receiver,), {"received": received})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, received
        server.shutdown()
        thread.join()


@pytest.fixture
def contract(write_contract: Write) -> Path:
    content = {"application/json": {"schema": {}, "example": {"event": "done"}}}
    item = {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": ""}}}}
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation = {
        "operationId": "subscribe",
        "requestBody": body,
        "responses": {"201": {"description": "", "content": {"application/json": {"example": {"id": 7}}}}},
        "callbacks": {"onEvent": {"{$request.body#/url}/{$response.body#/id}?m={$method}": item}},
    }
    return write_contract({"/subscriptions": {"post": operation}})


def test_a_callback_is_sent_to_an_allowed_host(
    make_stub: MakeStub, contract: Path, receiver: tuple[int, list[tuple[str, str, bytes]]]
) -> None:
    port, received = receiver
    client = make_stub(contract, allow_callbacks=[f"127.0.0.1:{port}"])
    answer = client.call("POST", "/subscriptions", json={"url": f"http://127.0.0.1:{port}/hook"})
    assert answer.status == 201
    wait_until(lambda: len(client.journal()) == 2, "the callback stands in the journal")
    assert received == [("/hook/7?m=POST", "application/json", b'{"event":"done"}')]
    call, callback = client.journal()
    assert call["why"].endswith("callback subscribe/onEvent is sent")
    assert callback["operation"] == "subscribe/onEvent"
    assert callback["request"]["path"] == f"http://127.0.0.1:{port}/hook/7"
    assert (callback["request"]["content"], callback["response"]["status"]) == ({"event": "done"}, 302)


@pytest.mark.parametrize("allowed", [[], ["other.example"], ["127.0.0.1:1"], ["localhost"]])
def test_no_other_host_gets_one(
    make_stub: MakeStub, contract: Path, receiver: tuple[int, list[tuple[str, str, bytes]]], allowed: list[str]
) -> None:
    port, received = receiver
    client = make_stub(contract, allow_callbacks=allowed)
    for url in (
        f"http://127.0.0.1:{port}",
        f"http://localhost@127.0.0.1:{port}",
        "file:///etc/passwd",
        "http://[",
        "x",
    ):
        assert client.call("POST", "/subscriptions", json={"url": url}).status == 201
    for entry in client.journal():
        assert "callback subscribe/onEvent not sent" in entry["why"]
    assert received == []


def test_a_callback_without_a_url_is_told(make_stub: MakeStub, contract: Path) -> None:
    client = make_stub(contract, allow_callbacks=["127.0.0.1"])
    assert client.call("POST", "/subscriptions", json={}).status == 201
    assert client.journal()[0]["why"].endswith("not sent: $request.body#/url has no value in this exchange")


def test_a_receiver_that_is_not_there(make_stub: MakeStub, contract: Path) -> None:
    client = make_stub(contract, allow_callbacks=["127.0.0.1"])
    client.call("POST", "/subscriptions", json={"url": "http://127.0.0.1:1/"})
    wait_until(lambda: len(client.journal()) == 2, "the failure stands in the journal")
    assert client.journal()[1]["response"]["status"] == 502


@pytest.mark.parametrize("text", ["", "http://a", "a b/c", "a:port", "user@a", "a:99999", ":80"])
def test_what_is_no_host_is_a_usage_error(make_stub: MakeStub, contract: Path, text: str) -> None:
    with pytest.raises(UsageError, match="--allow-callbacks"):
        make_stub(contract, allow_callbacks=[text])


EXCHANGE = ExpressionContext(
    "http://h/a?q=1",
    "POST",
    Arguments({"id": "5"}, {"q": [1]}, {}, {}, {"a/b": [{"c": "x"}], "n": None}),
    {"x-request": "r"},
    201,
    {"location": "/a/5"},
    [1, 2],
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$url", "http://h/a?q=1"),
        ("$method", "POST"),
        ("$statusCode", 201),
        ("$request.path.id", "5"),
        ("$request.query.q", [1]),
        ("$request.header.X-Request", "r"),
        ("$request.body#/a~1b/0/c", "x"),
        ("$request.body#/n", None),
        ("$response.header.Location", "/a/5"),
        ("$response.body", [1, 2]),
        ("$response.body#/1", 2),
    ],
)
def test_runtime_expressions(expression: str, value: Any) -> None:
    assert evaluate(expression, EXCHANGE) == value


NAMELESS = """
$ $nothing $request $request.body#/none $request.cookie.a $request.bodyx $response.query.q $response.body#/9
$response.body#/x $request.header.none $request.body#no $request.
"""


@pytest.mark.parametrize("expression", ["", *NAMELESS.split()])
def test_expressions_that_name_nothing(expression: str) -> None:
    with pytest.raises(LookupError):
        evaluate(expression, EXCHANGE)


def test_a_template_is_filled() -> None:
    assert fill("http://x/{$request.path.id}?s={$statusCode}&q={$response.body}", EXCHANGE) == "http://x/5?s=201&q=1,2"
    assert fill("$request.header.x-request", EXCHANGE) == "r"
    assert fill("http://fixed/{not}", EXCHANGE) == "http://fixed/{not}"


def test_a_callback_has_the_parameters_that_it_must_have(
    make_stub: MakeStub, write_contract: Write, receiver: tuple[int, list[tuple[str, str, bytes]]]
) -> None:
    port, received = receiver
    parameters = [
        {"name": "X-Event", "in": "header", "required": True, "example": "done"},
        {"name": "Content-Type", "in": "header", "required": True, "example": "a/b"},
        {"name": "kinds", "in": "query", "required": True, "schema": {"const": ["a b", "c"]}},
        {"name": "seen", "in": "query", "schema": {"const": "no"}},
    ]
    item = {"parameters": parameters, "post": {"responses": {"200": {"description": ""}}}}
    operation = {
        "operationId": "subscribe",
        "responses": {"204": {"description": ""}},
        "callbacks": {"onEvent": {f"http://127.0.0.1:{port}/hook": item}},
    }
    client = make_stub(write_contract({"/a": {"post": operation}}), allow_callbacks=[f"127.0.0.1:{port}"])
    assert client.call("POST", "/a").status == 204
    wait_until(lambda: len(client.journal()) == 2, "the callback stands in the journal")
    assert received == [("/hook?kinds=a+b%2Cc", "", b"")]
    assert _Receiver.events[-1] == "done"
