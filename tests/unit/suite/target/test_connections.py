from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mockserver.errors import UsageError
from mockserver.stub.serving.tls import self_signed
from mockserver.suite.target.connections import Connection, TargetLost, check_files, is_this_machine
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.targets import HttpTarget


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []
        self.connections = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of handshakes that fail: that is what is tested."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        made = self_signed(["127.0.0.1"])
    return made.certificate, made.key


def tls(pem: tuple[Path, Path], *, asks: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pem)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # from 1.3 on, a client learns of it after the handshake
        context.load_verify_locations(pem[0])
    return context


def get(server: Server, scheme: str, connection: Connection) -> int:
    target = HttpTarget(f"{scheme}://127.0.0.1:{server.server_port}", connection)
    try:
        exchange = target.send(WireRequest("GET", "/"))
    finally:
        target.close()
    return exchange.response.status if exchange.response else 0


def test_a_certificate_that_nobody_vouches_for_is_refused_with_the_remedy(pem: tuple[Path, Path]) -> None:
    with serving(tls(pem)) as server:
        with pytest.raises(TargetLost, match=r"its certificate is refused \(.*self.signed.*\); .* --ca FILE"):
            get(server, "https", Connection())
        assert get(server, "https", Connection(ca=pem[0])) == 200
        assert get(server, "https", Connection(insecure=True)) == 200
        assert server.seen == ["/", "/"]


def test_a_client_certificate_is_shown_where_it_is_asked_for(pem: tuple[Path, Path]) -> None:
    with serving(tls(pem, asks=True)) as server:
        with pytest.raises(TargetLost, match="--cert"):
            get(server, "https", Connection(ca=pem[0]))
        assert get(server, "https", Connection(ca=pem[0], cert=pem[0], key=pem[1])) == 200


def test_https_to_a_server_of_http_is_told_as_such() -> None:
    with serving() as server, pytest.raises(TargetLost, match="does not speak TLS; write http://"):
        get(server, "https", Connection())


def test_only_the_proxy_that_was_named_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server, serving() as proxy, serving() as other:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{other.server_port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert get(server, "http", Connection(treat_as_remote=True)) == 200
        assert get(server, "http", Connection(proxy=f"http://127.0.0.1:{proxy.server_port}")) == 200
        assert (server.seen, other.seen) == (["/"], [])
        assert proxy.seen == [f"http://127.0.0.1:{server.server_port}/"]


def test_a_server_that_is_not_ours_is_asked_over_one_connection() -> None:
    with serving() as server:
        target = HttpTarget(f"http://127.0.0.1:{server.server_port}", Connection(treat_as_remote=True, rate=1000.0))
        for _ in range(20):
            target.send(WireRequest("GET", "/"))
        target.close()
        assert (len(server.seen), server.connections) == (20, 1)


def test_shares_of_a_rate_add_up_to_it() -> None:
    target = HttpTarget("http://127.0.0.1:9", Connection(treat_as_remote=True, share=4))
    assert target.rate_limiter.rate == 2.5


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        (Connection(ca=Path("none.pem")), "check --ca"),
        (Connection(cert=Path("none.pem")), "check --cert"),
        (Connection(key=Path("none.pem")), "--cert FILE"),
        (Connection(proxy="127.0.0.1:3128"), "--proxy"),
    ],
)
def test_files_that_cannot_be_used_are_told_before_anything_is_sent(connection: Connection, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check_files(connection)


@pytest.mark.parametrize(("host", "ours"), [("127.0.0.1", True), ("localhost", True), ("198.51.100.7", False)])
def test_what_is_this_machine(host: str, ours: bool) -> None:
    assert is_this_machine(host) is ours


def test_a_name_of_this_machine_that_leads_elsewhere_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("198.51.100.7", 0))])
    assert not is_this_machine("api.localhost")
