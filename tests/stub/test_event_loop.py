"""The HTTP server's event loop on its own: what comes over a connection in whatever way, and what goes back."""

from __future__ import annotations

import itertools
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.messages import Delivery, Response
from mockserver.stub.serving import readiness, turns
from mockserver.stub.serving.event_loop import EventLoop
from mockserver.stub.serving.request_contents import MAX_MEMORY_BYTES
from mockserver.stub.serving.server import listen_on

LIMIT = 3 * MAX_MEMORY_BYTES
_GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
_LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def _echo(environ: dict[str, Any]) -> Response:
    """Say what was understood of a request."""
    content = environ["wsgi.input"].read()
    line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} {len(content)} "
    pieces = (line.encode(), b"stream") if environ["PATH_INFO"] == "/s" else (line.encode(),)
    delivery = Delivery(pieces, 0.001) if len(pieces) > 1 else None
    return Response(200, [("X-Sum", str(sum(content)))], b"".join(pieces), delivery)


@contextmanager
def _serving(respond: Callable[[dict[str, Any]], Response]) -> Iterator[int]:
    """Serve with a function that makes the responses, and yield the port."""
    with listen_on("127.0.0.1", 0) as listening:
        loop = EventLoop(respond, listening, LIMIT, None)
        loop.start()
        try:
            yield listening.getsockname()[1]
        finally:
            loop.stop()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with _serving(_echo) as number:
        yield number


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=120)


def _rest(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def _exchange(port: int, *sent: bytes, ends: bool = False) -> bytes:
    """Send bytes, each in a segment of its own as far as the system minds, and return all that comes back.

    `ends` ends the client's side of the connection at once.
    """
    with _connect(port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for data in sent:
            connection.sendall(data)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        return _rest(connection)


def _contents(responses: bytes) -> list[bytes]:
    return [part.partition(b"\r\n\r\n")[2] for part in responses.split(b"HTTP/1.1 ")[1:]]


def _post(content: bytes, sizes: list[int], path: bytes = b"/p") -> bytes:
    """Return a request with content: of known length, or in chunks of sizes."""
    if not sizes:
        return b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path, len(content), content)
    chunks = b""
    ends = [*itertools.accumulate(sizes), len(content)]
    for start, end in itertools.pairwise([0, *ends]):
        if piece := content[start:end]:
            chunks += b"%X;ext=1\r\n%b\r\n" % (len(piece), piece)
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n" % path
    return b"%b%b0\r\nTrailer: x\r\n\r\n" % (head, chunks)


@given(
    requests=st.lists(
        st.tuples(st.binary(max_size=60), st.lists(st.integers(1, 30), max_size=4), st.sampled_from([b"/p", b"/s"])),
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 500), max_size=6),
    ends=st.booleans(),
)
def test_requests_are_read_however_they_are_cut(
    port: int, requests: list[tuple[bytes, list[int], bytes]], cuts: list[int], ends: bool
) -> None:
    """All responses come, in order, also those in pieces, and to a client that ends its side."""
    sent = b"\r\n".join([*(_post(*request) for request in requests), _GET if ends else _LAST])
    pieces = [sent[start:end] for start, end in itertools.pairwise([0, *sorted(cuts), len(sent)])]
    wanted = []
    for content, _, path in requests:
        line = b"POST %b? %d " % (path, len(content))
        wanted.append(b"%x\r\n%b\r\n6\r\nstream\r\n0\r\n\r\n" % (len(line), line) if path == b"/s" else line)
    last = b"GET /a?b=c 0 " if ends else b"GET /last? 0 "
    assert _contents(_exchange(port, *pieces, ends=ends)) == [*wanted, last]


@pytest.mark.parametrize("sizes", [[], [MAX_MEMORY_BYTES, 70_000]])
def test_long_content_arrives_whole(port: int, sizes: list[int]) -> None:
    content = bytes(range(256)) * (MAX_MEMORY_BYTES // 100)
    response = _exchange(port, _post(content, sizes), _LAST)
    assert b"X-Sum: %d\r\n" % sum(content) in response
    assert _contents(response)[0] == b"POST /p? %d " % len(content)


def test_a_client_that_ends_its_side_gets_its_response(port: int) -> None:
    for request in (_GET, _post(b"x" * 999, []), _post(b"x" * 999, [7])):
        with _connect(port) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            assert _rest(connection).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n Y: folded\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\nHost: x\n\n", b"400"),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", b"400"),
        (b"GET x HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"501"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 201 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_and_ends_the_connection(
    port: int, sent: bytes, status: bytes
) -> None:
    response = _exchange(port, sent, _GET)
    assert response.startswith(b"HTTP/1.1 " + status)
    assert b"HTTP/1.1 200" not in response
    assert b"Connection: close\r\n" in response


def test_forms_of_a_target_and_of_fields() -> None:
    seen: list[dict[str, Any]] = []

    def respond(environ: dict[str, Any]) -> Response:
        seen.append(environ)
        return Response(204, [("X-A", "b\r\nX-Forged: 1"), ("Connection", "upgrade")], b"")

    head = "GET http://u@h:1/%C3%A9%2F?q=%20 HTTP/1.1\r\nHost: x\r\nA-b: 1\r\na-B: 2\r\nCookie: c=1\r\nCookie: d=2"
    with _serving(respond) as port:
        head += "\r\nContent_Length: 9\r\nTransfer_Encoding: chunked"  # other names, which CGI would take for ours
        response = _exchange(port, head.encode() + b"\r\nContent-Type: t\r\nConnection: Close\r\n\r\n")
    assert b"X-A: b X-Forged: 1\r\nConnection: close\r\nDate: " in response
    assert b"Content-Length" not in response
    wanted = {
        "PATH_INFO": "/Ã©/",
        "RAW_URI": "/%C3%A9%2F?q=%20",
        "QUERY_STRING": "q=%20",
        "HTTP_HOST": "h:1",
        "HTTP_A_B": "1,2",
        "HTTP_COOKIE": "c=1;d=2",
        "CONTENT_TYPE": "t",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PORT": str(port),
    }
    assert {name: seen[0][name] for name in wanted} == wanted
    assert seen[0].keys().isdisjoint({"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"})


def test_content_that_is_too_long_is_answered_though_the_client_goes_on(port: int) -> None:
    for sizes in ([], [LIMIT]):
        with _connect(port) as connection:
            connection.sendall(_post(b"x" * (LIMIT + 100_000), sizes))
            received = _rest(connection)
            assert received.startswith(b"HTTP/1.1 200 ")
            assert b"Connection: close\r\n" in received
            # The application sees that it is too long, by the announced length or by what it can read.
            assert _contents(received)[0] in {b"POST /p? 0 ", b"POST /p? %d " % (LIMIT + 1)}
            for _ in range(3):  # the connection is not reset, which could cost the client the response
                connection.sendall(b"x" * 100_000)


def test_a_client_that_waits_is_told_to_go_on(port: int) -> None:
    with _connect(port) as connection:
        head, _, content = _post(b"abc", []).partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(content)
        assert _contents(_rest(connection)) == [b"POST /p? 3 "]


def test_clients_that_wait_or_stall_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads that do not go on, streams that go on for long, connections without a request: one thread serves all."""
    attended: list[int] = []
    attend = EventLoop._attend

    def count(loop: EventLoop, connection: Any, events: int, term: turns.Term) -> bool:
        attended.append(events)
        return attend(loop, connection, events, term)

    monkeypatch.setattr(EventLoop, "_attend", count)
    stream = Response(200, [], b"ab", Delivery((b"a", b"b"), 3600.0))
    with _serving(lambda environ: stream if environ["PATH_INFO"] == "/s" else _echo(environ)) as port:
        before = threading.active_count()
        with ExitStack() as stack:
            for sent in (_post(b"x" * 99, [])[:-1], b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HT", b""):
                for number in range(100):
                    connection = stack.enter_context(_connect(port))
                    connection.sendall(sent)
                    if sent.startswith(b"GET /s") and number % 2:
                        connection.recv(1)
                        connection.sendall(_GET)
                    elif sent.startswith(b"GET /s"):
                        connection.shutdown(socket.SHUT_WR)
            for _ in range(20):
                assert _contents(_exchange(port, _LAST)) == [b"GET /last? 0 "]
            assert threading.active_count() <= before + 1
            assert len(attended) < 1000, "the loop spins"


def test_a_late_response_keeps_nobody_waiting_and_comes_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_IDLE_SECONDS", 0.001)  # threads without a turn end, and others are started
    go_on = threading.Semaphore(0)

    def respond(environ: dict[str, Any]) -> Response:
        if environ["PATH_INFO"] == "/late":
            assert go_on.acquire(timeout=120)
        return _echo(environ)

    late = b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
    with _serving(respond) as port:
        for number in range(1, 4):
            with ExitStack() as stack:
                waiting = [stack.enter_context(_connect(port)) for _ in range(number)]
                for connection in waiting:
                    connection.sendall(late + _LAST)
                assert _contents(_exchange(port, _GET, _LAST)) == [b"GET /a?b=c 0 ", b"GET /last? 0 "]
                go_on.release(number)
                for connection in waiting:
                    assert _contents(_rest(connection)) == [b"GET /late? 0 ", b"GET /last? 0 "]


def test_a_response_in_pieces() -> None:
    pieces = (b"one\n", b"", b"two\n", b"three\n")
    stream = Response(200, [("Content-Type", "t/t")], b"".join(pieces), Delivery(pieces, 0.01))
    with _serving(lambda environ: stream if environ["PATH_INFO"] == "/s" else _echo(environ)) as port:
        response = _exchange(port, b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n" + _LAST)
        head, _, content = response.partition(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert b"Content-Length" not in head
        assert content.startswith(b"4\r\none\n\r\n4\r\ntwo\n\r\n6\r\nthree\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")
        assert content.endswith(b"GET /last? 0 ")
        old = _exchange(port, b"GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert old.endswith(b"Connection: close\r\n" + old.split(b"Connection: close\r\n")[1])
        assert old.endswith(b"\r\n\r\none\ntwo\nthree\n")
        assert _exchange(port, b"HEAD /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"\r\n\r\n")
        # The first piece does not wait for the others.
        with _connect(port) as connection:
            connection.sendall(b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"three" not in connection.recv(4096)


def test_systems_without_epoll_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_HAS_EPOLL", False)
    stream = Response(200, [], b"ab", Delivery((b"a", b"b"), 0.01))
    with _serving(lambda environ: stream if environ["PATH_INFO"] == "/s" else _echo(environ)) as port:
        for _ in range(3):
            sent = (b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n", _post(b"x" * 500_000, []), _LAST)
            assert _contents(_exchange(port, *sent)) == [
                b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"POST /p? 500000 ", b"GET /last? 0 "
            ]  # fmt: skip


def test_connections_beyond_what_the_system_allows_take_the_place_of_idle_ones() -> None:
    """A thousand idle browsers must not lock out the next client, nor make the loop spin."""
    with _serving(_echo) as port, ExitStack() as stack:
        idle = [stack.enter_context(_connect(port)) for _ in range(20)]
        for connection in idle:
            connection.sendall(_GET)
            connection.recv(4096)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        late = stack.enter_context(socket.socket())  # which takes the lowest free number
        resource.setrlimit(resource.RLIMIT_NOFILE, (late.fileno() + 1, before[1]))
        try:
            late.settimeout(120)
            late.connect(("127.0.0.1", port))
            late.sendall(_LAST)
            assert _contents(_rest(late)) == [b"GET /last? 0 "]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_client_that_does_not_read_keeps_nobody_waiting() -> None:
    long = Response(200, [], b"x" * 20_000_000)
    serving = _serving(lambda environ: long if environ["PATH_INFO"] == "/s" else _echo(environ))
    with serving as port, _connect(port) as connection:
        connection.sendall(b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n" + _LAST)
        assert _contents(_exchange(port, _LAST)) == [b"GET /last? 0 "]
        received = _rest(connection)
    assert len(_contents(received)[0]) == 20_000_000
    assert _contents(received)[1] == b"GET /last? 0 "


def test_an_error_in_a_response_costs_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    def respond(environ: dict[str, Any]) -> Response:
        return Response(1, [], b"") if environ["PATH_INFO"] == "/bad" else _echo(environ)

    with _serving(respond) as port:
        assert _exchange(port, b"GET /bad HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        assert _contents(_exchange(port, _LAST)) == [b"GET /last? 0 "]
    assert "a connection is closed" in caplog.text
