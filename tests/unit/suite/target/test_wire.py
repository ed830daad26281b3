"""The short way over HTTP: what it reads, and what it leaves to others."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from mockserver.suite.target.connections import Connection
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.target.wire import NoResponse, NotPlain, RawResponse, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@contextmanager
def serving(*connections: list[bytes | None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve raw answers: a list for each connection, one answer per request; None closes it unanswered."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            for answers in connections:
                connection, _ = listener.accept()
                with connection:
                    for answer in answers:
                        received.append(connection.recv(65536))
                        if answer is None:
                            break
                        connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for a connection that nobody makes
        listener.close()
        thread.join(5)


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.close()


def ask(wire: Wire, method: str = "GET", target: str = "/", seconds: float = 5) -> RawResponse:
    return wire.exchange(wire.encode(method, target, (), None), method, seconds)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK, 200, b"hi"),
        (b"HTTP/1.1 204 \r\n\r\n", 204, b""),
        (b"HTTP/1.1 204\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"hi"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n",
            200,
            b"hi!",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", 200, b"to the end"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, b"hi"),
        (b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi"),
    ],
)
def test_plain_answers_are_read(answer: bytes, status: int, body: bytes) -> None:
    with serving([answer]) as (url, _), wired(url) as wire:
        head = ask(wire)
    assert (head.status, head.body, head.flaw, head.unread) == (status, body, "", "")


def test_a_request_is_written_as_it_was_meant() -> None:
    with serving([OK, OK]) as (url, received), wired(url) as wire:
        wire.exchange(wire.encode("POST", "/a?b=%20", [("X-A", "é")], b"{}"), "POST", 5)
        ask(wire, "DELETE")
    host = url.removeprefix("http://").encode()
    assert received == [
        b"POST /a?b=%20 HTTP/1.1\r\nHost: " + host + b"\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\n{}",
        b"DELETE / HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 0\r\n\r\n",
    ]


def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    with serving([OK], [OK]) as (url, received), wired(url) as wire:
        assert [ask(wire).status, ask(wire).status] == [200, 200]
    assert len(received) == 2


@pytest.mark.parametrize(
    "answer", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", b"HTTP/1.1 200 OK\r\nA: b"]
)
def test_half_an_answer_is_none(answer: bytes | None) -> None:
    with serving([answer]) as (url, _), wired(url) as wire, pytest.raises(NoResponse, match="dropped"):
        ask(wire)


def test_silence_is_no_answer() -> None:
    with serving([b"", b""]) as (url, _), wired(url) as wire, pytest.raises(NoResponse, match="in time"):
        ask(wire, seconds=0.05)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"hello\r\n\r\n",
        b'{"id": 1}\r\n',
        b"HTTP/1.1 099 Odd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2_0\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65536 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        *(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nhi\r\n0\r\n\r\n"
            for size in (b"x", b"-2", b"+2", b"0x2", b"0_2", b"", b"1")
        ),
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    ],
)
@pytest.mark.parametrize("remote", [False, True])
def test_what_is_no_http_is_told(answer: bytes, remote: bool) -> None:
    """Also on the long way, where another library reads the head."""
    with serving([answer], [answer], [answer]) as (url, _):
        target = HttpTarget(url, Connection(treat_as_remote=remote, rate=1000.0))
        exchange = target.send(WireRequest("GET", "/"))
        target.close()
    assert exchange.response is None
    assert "cannot be read as HTTP" in exchange.problem
    assert not exchange.dropped


@pytest.mark.parametrize(
    ("method", "target", "fields"),
    [
        ("GE T", "/", ()),
        ("GET", "/ü", ()),
        ("GET", "/ x", ()),
        ("GET", "/", [("A", "b\r\nC: d")]),
        ("GET", "/", [("A b", "c")]),
        ("GET", "/", [("A", "\u20ac")]),
        ("GET", "/", [("Content-Length", "5")]),
        ("GET", "/", [("Transfer-Encoding", "chunked")]),
    ],
)
def test_a_request_that_is_not_plain_is_left_to_others(method: str, target: str, fields: list[tuple[str, str]]) -> None:
    with pytest.raises(NotPlain):
        Wire("http://127.0.0.1:1").encode(method, target, fields, None)


def test_no_connection_is_left_to_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(NotPlain, match="no connection"):
        ask(Wire(f"http://127.0.0.1:{port}"))


@contextmanager
def connected(url: str, *, remote: bool, **limits: Any) -> Iterator[HttpTarget]:
    target = HttpTarget(url, Connection(treat_as_remote=remote, rate=1000.0, **limits))
    try:
        yield target
    finally:
        target.close()


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("length", [b"9" * 18, b"9" * 20, b"9" * 5000])
def test_a_length_beyond_all_content_is_a_dropped_connection(length: bytes, remote: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nhi"
    with serving([answer], [answer], [answer]) as (url, _), connected(url, remote=remote) as target:
        exchange = target.send(WireRequest("GET", "/"))
    assert (exchange.response, exchange.dropped) == (None, True)


@pytest.mark.parametrize("remote", [False, True])
def test_what_a_connection_holds_behind_an_answer_is_no_answer(remote: bool) -> None:
    extra = OK + b"HTTP/1.1 500 Odd\r\nContent-Length: 0\r\n\r\n"
    with serving([extra], [extra]) as (url, _), connected(url, remote=remote) as target:
        answers = [target.send(WireRequest("GET", "/")).response for _ in range(2)]
    assert [answer and answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize("remote", [False, True])
def test_no_request_follows_chunks_that_a_server_may_have_left_unread(remote: bool) -> None:
    refusal = b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n"
    chunked = WireRequest("POST", "/", (("Transfer-Encoding", "chunked"),), b"whole")
    with (
        serving([OK], [refusal, None], [OK]) as (url, _),
        connected(url, remote=remote) as target,
    ):
        target.send(WireRequest("GET", "/", ()))
        target.send(chunked)
        exchange = target.send(WireRequest("POST", "/", (), b"whole"))
    assert exchange.response is not None
    assert not exchange.repeated


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize(
    ("how", "flawed"),
    [
        (b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, False),
        (b"Content-Type: application/json\r\n\r\n" + b"x" * 5000, True),
        (b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + b"x" * 4095 + b"\r\n", True),
        (b"Content-Type: application/octet-stream\r\n\r\n" + b"x" * 5000, False),
        (b"Content-Type: text/event-stream\r\n\r\n" + b"x" * 5000, False),
    ],
)
def test_content_is_read_up_to_a_limit(how: bytes, flawed: bool, remote: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + how
    with serving([answer]) as (url, _), connected(url, remote=remote, max_response=1000) as target:
        response = target.send(WireRequest("GET", "/")).response
    assert response is not None
    assert (response.body, bool(response.flaw)) == (b"x" * 1000, flawed)
    assert "--max-response" in response.unread


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("kind", [b"text/event-stream", b"application/x-ndjson; charset=utf-8", b"text/plain"])
def test_a_stream_is_left_after_some_time(kind: bytes, remote: bool) -> None:
    with (
        trickling(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n\r\ndata") as url,
        connected(url, remote=remote, timeout_seconds=0.3) as target,
    ):
        response = target.send(WireRequest("GET", "/")).response
    assert response is not None
    assert response.body.startswith(b"data")
    assert (response.flaw, bool(response.unread)) == ("", True)


def test_another_protocol_is_told_and_not_read() -> None:
    with serving([b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x00"]) as (url, _), wired(url) as wire:
        head = ask(wire)
    assert (head.status, head.body) == (101, b"")
    assert "without a request to do so" in head.flaw


def test_a_line_that_is_no_field_is_told_and_the_rest_is_read() -> None:
    answer = b"HTTP/1.1 200 OK\r\nno field\r\nContent-Length: 2\r\n\r\nhi"
    with serving([answer]) as (url, _), wired(url) as wire:
        head = ask(wire)
    assert head.body == b"hi"
    assert "no field" in head.flaw


def test_interim_responses_are_passed_over_on_the_long_way_too() -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK
    with serving([answer]) as (url, _), connected(url, remote=True) as target:
        response = target.send(WireRequest("GET", "/")).response
    assert response is not None
    assert (response.status, response.body) == (200, b"hi")


def test_fields_of_one_name_are_joined() -> None:
    answer = b"HTTP/1.1 200 OK\r\nA: b\r\na: c\r\nContent-Length: 0\r\n\r\n"
    with serving([answer]) as (url, _):
        target = HttpTarget(url)
        response = target.send(WireRequest("GET", "/")).response
        target.close()
    assert response is not None
    assert response.field("a") == "b, c"


def test_a_connection_that_is_dropped_twice_is_no_answer() -> None:
    with serving([None], [None]) as (url, received):
        target = HttpTarget(url)
        exchange = target.send(WireRequest("GET", "/"))
        target.close()
    assert (exchange.response, len(received)) == (None, 2)
    assert "dropped" in exchange.problem


@contextmanager
def trickling(first: bytes) -> Iterator[str]:
    """Serve an answer that begins in some way and then comes a byte at a time, without an end."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            while not over.wait(0.05):
                connection.sendall(b"x")

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=trickle, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_an_answer_that_never_ends_is_none(first: bytes) -> None:
    with trickling(first) as url, wired(url) as wire, pytest.raises(NoResponse) as caught:
        ask(wire, seconds=0.3)
    assert caught.value.slow


@pytest.mark.parametrize("how", [b"Content-Length: 100000\r\n", b"Connection: close\r\n"])
def test_content_that_never_ends_is_no_answer_on_the_long_way_either(how: bytes) -> None:
    with trickling(b"HTTP/1.1 200 OK\r\n" + how + b"\r\n") as url:
        target = HttpTarget(url, Connection(treat_as_remote=True, timeout_seconds=0.3))
        exchange = target.send(WireRequest("GET", "/"))
        target.close()
    assert exchange.response is None
    assert "no response within" in exchange.problem


def test_an_answer_that_comes_in_pieces_is_the_same() -> None:
    answer = b"HTTP/1.1 200 OK\r\nA:  b \r\nContent-Length: 2\r\na: c\r\n\r\nhi"
    for at in range(1, len(answer), 7):
        with serving([answer[:at]]) as (url, _), wired(url) as wire, pytest.raises(NoResponse):
            ask(wire, seconds=0.2)
    with serving([answer]) as (url, _), wired(url) as wire:
        head = ask(wire)
    assert (head.status, head.reason, head.version, head.body) == (200, "OK", "1.1", b"hi")
    assert head.fields == (("A", "b"), ("Content-Length", "2"), ("a", "c"))
