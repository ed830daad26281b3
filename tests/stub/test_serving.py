"""The served stub as a process: ports, signals, workers, TLS, and clients that behave badly."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.conftest import Serve, Server

MAILER = "/api/v1/settings/system_mailer/"
INTERVAL = "/api/v1/settings/junk_trash_clearing_interval/"
AUTHORIZATION = "Authorization: Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU=\r\n"
WaitUntil = Callable[[Callable[[], bool], str], None]
MODES = ["1", "2"]


def _options(workers: str, folder: Path) -> list[str]:
    return ["--workers", workers, "--state", f"sqlite:///{folder / 'state.db'}"]


def _connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=120)


def _post(path: str, length: int, fields: str = AUTHORIZATION) -> bytes:
    """Return the head of a request with JSON content of a length."""
    lines = f"POST {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Type: application/json\r\n"
    return f"{lines}Content-Length: {length}\r\n\r\n".encode()


def _half_a_request(server: Server) -> socket.socket:
    """Return a connection on which a request has begun and does not go on."""
    connection = _connect(server)
    connection.sendall(_post(MAILER, 99) + b'{"server_ho')
    return connection


def _kept_alive(server: Server) -> socket.socket:
    """Return a connection on which a request was answered and the next one may come."""
    connection = _connect(server)
    connection.sendall(f"GET /api/v1/auth/ HTTP/1.1\r\nHost: x\r\n{AUTHORIZATION}\r\n".encode())
    assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    return connection


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_ready_line_names_url_and_process(serve: Serve) -> None:
    server = serve()
    assert server.printed_process == server.process.pid
    assert server.line.startswith('mockserver: serving "Mailcheap NMS API" on http://')
    assert server.client.call("GET", "/api/v1/auth/").status == 200


def test_nothing_but_the_ready_line_is_on_standard_output(serve: Serve) -> None:
    server = serve()
    server.client.call("GET", "/api/v1/auth/")
    server.stop()
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""


@pytest.mark.parametrize("workers", MODES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_at_once(serve: Serve, tmp_path: Path, workers: str, number: signal.Signals) -> None:
    server = serve(*_options(workers, tmp_path))
    with _kept_alive(server), _half_a_request(server), _connect(server):
        assert server.stop(number) < 2
    assert server.process.returncode == 0
    assert not _listens(server.port)
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("workers", MODES)
@pytest.mark.parametrize("attempt", range(3))
def test_signals_in_a_row_do_no_harm(serve: Serve, tmp_path: Path, workers: str, attempt: int) -> None:
    """An impatient user: the handler runs again while it runs."""
    server = serve(*_options(workers, tmp_path))
    for number in [signal.SIGINT, signal.SIGTERM, signal.SIGINT][attempt:]:
        server.process.send_signal(number)
    assert server.stop() < 2
    assert server.process.returncode == 0
    assert "Traceback" not in server.log()


def test_it_can_be_stopped_as_soon_as_it_says_so(serve: Serve) -> None:
    for _ in range(4):
        server = serve()
        with _half_a_request(server):
            assert server.stop() < 2
        assert server.process.returncode == 0


@pytest.mark.parametrize("workers", MODES)
def test_kill_9_leaves_nobody_behind(serve: Serve, tmp_path: Path, wait_until: WaitUntil, workers: str) -> None:
    server = serve(*_options(workers, tmp_path))
    children = _children(server.process.pid)
    assert len(children) == (0 if workers == "1" else 2)
    try:
        with _kept_alive(server):
            os.kill(server.printed_process, signal.SIGKILL)
            server.process.wait(120)
            wait_until(lambda: not _listens(server.port), "the port is free")
            wait_until(lambda: not any(_alive(child) for child in children), "the workers end")
    finally:
        for child in children:
            if _alive(child):
                os.kill(child, signal.SIGKILL)
    # And the port can be had again at once.
    again = serve("--port", str(server.port), *_options(workers, tmp_path))
    assert again.client.call("GET", "/api/v1/auth/").status == 200


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children")
    if not listed.exists():
        pytest.skip("this system does not tell the children of a process under /proc")
    return [int(child) for child in listed.read_text().split()]


def test_a_worker_that_dies_ends_the_server(serve: Serve, tmp_path: Path) -> None:
    """Half a server that looks whole would be worse than none."""
    server = serve(*_options("2", tmp_path))
    os.kill(_children(server.process.pid)[0], signal.SIGKILL)
    assert server.process.wait(120) == 2
    assert "worker process" in server.log()
    assert not _listens(server.port)


def test_a_second_server_on_the_port_fails_in_one_line(serve: Serve, command: Any) -> None:
    server = serve()
    done = command("serve", "--port", str(server.port))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert str(server.port) in done.stderr
    assert server.client.call("GET", "/api/v1/auth/").status == 200


@pytest.mark.parametrize("workers", MODES)
def test_everything_acknowledged_is_there_after_kill_9(serve: Serve, tmp_path: Path, workers: str) -> None:
    server = serve(*_options(workers, tmp_path))
    acknowledged: dict[int, int] = {}
    threads_ready = threading.Barrier(5)

    def write(number: int) -> None:
        client = server.client.in_world(f"w{number}")
        threads_ready.wait()
        try:
            for days in range(1, 30_000):
                if client.call("POST", INTERVAL, json={"junk_days": days, "trash_days": days}).status == 200:
                    acknowledged[number] = days
                    if days == 10:
                        threads_ready.wait()
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the server is gone, as it should be

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    threads_ready.wait()
    threads_ready.wait()  # each has ten writes behind it
    os.kill(server.printed_process, signal.SIGKILL)
    for thread in threads:
        thread.join()
    again = serve("--port", str(server.port), *_options(workers, tmp_path))
    for number, days in acknowledged.items():
        value = again.client.in_world(f"w{number}").call("GET", INTERVAL).json()["settings"]["value"]
        assert value["junk_days"] == value["trash_days"]
        # One more may have been written whose answer never arrived.
        assert value["junk_days"] in {days, days + 1}


def test_workers_share_one_state(serve: Serve, tmp_path: Path) -> None:
    server = serve(*_options("2", tmp_path))
    for days in range(1, 30):
        body = {"junk_days": days, "trash_days": days}
        assert server.client.call("POST", INTERVAL, json=body).status == 200
        assert server.client.call("GET", INTERVAL).json()["settings"]["value"] == body


def test_slow_clients_do_not_stop_others(serve: Serve) -> None:
    server = serve()
    slow = [_half_a_request(server) for _ in range(40)]
    try:
        started = time.monotonic()
        for _ in range(20):
            assert server.client.call("GET", "/api/v1/auth/").status == 200
        assert time.monotonic() - started < 5
    finally:
        for connection in slow:
            connection.close()


def test_a_slow_upload_is_answered_when_it_is_whole(serve: Serve) -> None:
    server = serve()
    body = json.dumps({"junk_days": 1, "trash_days": 2}).encode()
    head = _post(INTERVAL, len(body))
    with _connect(server) as connection:
        for piece in (head[:20], head[20:], body[:5]):
            connection.sendall(piece)
            assert server.client.call("GET", "/api/v1/auth/").status == 200
        connection.sendall(body[5:])
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_two_requests_on_one_connection_after_a_rejected_body(serve: Serve) -> None:
    """What was not read of a rejected request must not be taken for the next one."""
    server = serve()
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    first = _post(MAILER, len(smuggled), fields="")
    second = f"GET /api/v1/auth/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{AUTHORIZATION}\r\n"
    with _connect(server) as connection:
        connection.sendall(first + smuggled + second.encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 401 ")
    assert received.count(b"HTTP/1.1 ") <= 2
    assert "/smuggled" not in server.log()


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/v1/auth/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"POST /api/v1/auth/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/auth/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/v1/auth/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nMock-World: \xff\xfe\r\n\r\n",
        b"GET /\xff\xfe%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\n\r\n\r\n",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_hostile_bytes_do_no_harm(shared_server: Server, request_line: bytes) -> None:
    with _connect(shared_server) as connection:
        try:
            connection.sendall(request_line)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except OSError:  # closed already
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 5")
    assert shared_server.client.call("GET", "/__mock__/health", user=None).status == 200
    assert "Traceback" not in shared_server.log()
    assert "panicked" not in shared_server.log()


def printed_certificate(server: Server) -> str:
    return server.log().split("self-signed certificate: ")[1].split(";")[0]


def test_tls_with_the_printed_certificate(serve: Serve, tmp_path: Path) -> None:
    server = serve("--tls", "--tls-name", "127.0.0.2", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert server.url.startswith("https://127.0.0.1:")
    certificate = printed_certificate(server)
    for client in ("curl --cacert", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"):
        assert client in server.log()
    path = "/api/v1/auth/"
    user = ("admin", "long-auth_token-here")
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{server.port}{path}"
        assert requests.get(url, auth=user, verify=certificate, timeout=120).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.url + path, auth=user, timeout=120)
    # The same certificate on the next start, and its key for nobody else.
    again = serve("--tls", "--tls-name", "127.0.0.2", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert certificate in again.log()
    assert requests.get(again.url + path, auth=user, verify=certificate, timeout=120).status_code == 200
    key = Path(certificate).with_suffix(".key")
    assert key.stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=120) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.2") as secured,
    ):
        assert secured.version() == "TLSv1.2"


def test_plain_http_on_a_tls_port_does_no_harm(serve: Serve, tmp_path: Path) -> None:
    server = serve("--tls", XDG_CACHE_HOME=str(tmp_path))
    with _connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(ConnectionResetError):
            assert not connection.recv(4096).startswith(b"HTTP/1.1 200")
    with _connect(server):  # nor does a connection on which nothing comes
        certificate = printed_certificate(server)
        assert requests.get(server.url + "/__mock__/health", verify=certificate, timeout=120).ok


def test_an_own_certificate(serve: Serve, tmp_path: Path) -> None:
    first = serve("--tls", XDG_CACHE_HOME=str(tmp_path))
    certificate = printed_certificate(first)
    key = str(Path(certificate).with_suffix(".key"))
    first.stop()
    server = serve("--cert", certificate, "--key", key)
    assert requests.get(server.url + "/__mock__/health", verify=certificate, timeout=120).ok


def test_ipv6(serve: Serve) -> None:
    if not socket.has_ipv6 or not _has_ipv6_loopback():
        pytest.skip("this machine has no IPv6 loopback address")
    server = serve("--host", "::1")
    assert server.url.startswith("http://[::1]:")
    assert requests.get(server.url + "/__mock__/state", timeout=120).status_code == 200


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_on_all_addresses_the_control_api_is_closed(serve: Serve) -> None:
    server = serve("--host", "0.0.0.0")
    url = f"http://127.0.0.1:{server.port}"
    assert requests.get(url + "/__mock__/health", timeout=120).status_code == 200
    assert requests.get(url + "/__mock__/state", timeout=120).status_code == 403
    opened = serve("--host", "0.0.0.0", "--control-token", "t0ken-of-control")
    url = f"http://127.0.0.1:{opened.port}"
    bearer = {"Authorization": "Bearer t0ken-of-control"}
    assert requests.get(url + "/__mock__/state", timeout=120).status_code == 401
    assert requests.get(url + "/__mock__/state", headers=bearer, timeout=120).status_code == 200


def test_the_options_reach_the_stub(serve: Serve, tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("accounts: [{username: me, level: MasterAdmin, tokens: [{token: mine-0123456789}]}]\n")
    server = serve("--clock", "2020-02-24T09:20:47Z", "--transition-seconds", "5", "--seed-data", str(seed))
    me = ("me", "mine-0123456789")
    assert server.client.control("GET", "/clock") == {"now": 1582536047, "standing": True}
    assert server.client.call("GET", MAILER).status == 401
    server.client.call("POST", INTERVAL, user=me, json={"junk_days": 1, "trash_days": 1})
    assert server.client.call("GET", INTERVAL, user=me).json()["settings"]["status"] == "applying"
    assert serve("--no-auth").client.call("GET", MAILER, user=None).status == 204
    logged = serve("--log-format", "json")
    logged.client.call("GET", "/api/v1/auth/")
    logged.stop()
    assert json.loads(logged.log().splitlines()[-1])["path"] == "/api/v1/auth/"
