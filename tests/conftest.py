"""Fixtures that all tests share: stubs in process and over a socket, served processes, small contracts."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import itertools
import json as json_module
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from unittest.mock import patch
from urllib.parse import unquote_to_bytes, urlsplit

import hypothesis
import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from tests import defaults

# Runs are the same every time; `pytest --hypothesis-profile=explore` looks for new cases.
_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    # A test that takes a stub resets what its property depends on.
    "suppress_health_check": [
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.differing_executors,
    ],
}
hypothesis.settings.register_profile("mockserver", derandomize=True, max_examples=50, **_SETTINGS)
hypothesis.settings.register_profile("explore", max_examples=1000, **_SETTINGS)
hypothesis.settings.load_profile("mockserver")

#: Longest wait for something that should happen at once; reached only when a test fails.
PATIENCE_SECONDS = 120.0

USERS = {
    "admin": ("admin", "long-auth_token-here"),
    "domain": ("domainadmin@vonmail.com", "long-auth_token-of-domainadmin"),
    "mail": ("u2@vonmail.com", "long-auth_token-of-mailuser"),
}
_ABSENT: Any = object()
_world_numbers = itertools.count(1)
_new_worlds: list[Client] = []


class Answer(NamedTuple):
    """A response; field names are in lower case."""

    status: int
    fields: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the content as strict JSON."""
        return json_module.loads(self.content)

    @property
    def pointers(self) -> list[str]:
        """Pointers of the violations of problem details."""
        return [violation["pointer"] for violation in self.json()["violations"]]


class Send(Protocol):
    """One exchange over whatever way the stub is reached."""

    def __call__(
        self, method: str, target: str, fields: Mapping[str, str], content: bytes | Iterable[bytes] | None
    ) -> Answer: ...


def basic(username: str, token: str) -> str:
    """Return the value of an `Authorization` field."""
    return "Basic " + base64.b64encode(f"{username}:{token}".encode()).decode()


class Client:
    """Calls one world of a stub, in process or over a socket."""

    def __init__(self, send: Send, prefix: str = "") -> None:
        self._send = send
        self._prefix = prefix

    def call(
        self,
        method: str,
        path: str,
        *,
        user: str | tuple[str, str] | None = "admin",
        json: Any = _ABSENT,
        content: bytes | Iterable[bytes] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; `path` is percent-encoded and may have a query."""
        sent: dict[str, str] = {}
        if user is not None:
            sent["Authorization"] = basic(*(USERS[user] if isinstance(user, str) else user))
        if json is not _ABSENT:
            content = json_module.dumps(json).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        for name, value in (fields or {}).items():
            sent = {known: kept for known, kept in sent.items() if known.lower() != name.lower()}
            if value != "<none>":
                sent[name] = value
        return self._send(method, self._prefix + path, sent, content)

    def control(self, method: str, path: str, json: Any = _ABSENT) -> Any:
        """Call the control API and return the content of its answer, which must be a success."""
        answer = self.call(method, "/__mock__" + path, user=None, json=json)
        assert answer.status == 200, answer
        return answer.json()

    def set_clock(self, **members: Any) -> None:
        """Set or advance the world's clock."""
        self.control("PUT", "/clock", members)

    def journal(self) -> list[Any]:
        """Return the world's journal entries."""
        entries: list[Any] = self.control("GET", "/journal?limit=1000")["entries"]
        return entries

    def in_world(self, name: str) -> Client:
        """Return a client of another world of the same stub."""
        return Client(self._send, f"/__world__/{name}")

    def in_new_world(self) -> Client:
        """Return a client of a world that nobody used; it is dropped when the test ends."""
        client = self.in_world(f"w{next(_world_numbers)}")
        _new_worlds.append(client)
        return client


def send_to_app(app: Any) -> Send:
    """Return the way to a WSGI application, called as PEP 3333 says."""

    def send(method: str, target: str, fields: Mapping[str, str], content: bytes | Iterable[bytes] | None) -> Answer:
        path, _, query = target.partition("?")
        body = b"".join([content] if isinstance(content, bytes) else content or ())
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if isinstance(content, bytes):
            environ["CONTENT_LENGTH"] = str(len(body))
        elif content is not None:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
            environ["wsgi.input_terminated"] = True
        for name, value in fields.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value.encode().decode("latin-1")
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            started.append((status, headers))
            return io.BytesIO().write

        chunks = app(environ, start_response)
        try:
            received = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        assert len(started) == 1
        status, headers = started[0]
        assert all(type(name) is str and type(value) is str for name, value in headers)
        return Answer(int(status.split(" ", 1)[0]), {name.lower(): value for name, value in headers}, received)

    return send


def send_over_http(url: str) -> Send:
    """Return the way to a base URL, one connection for each request."""
    parts = urlsplit(url)

    def send(method: str, target: str, fields: Mapping[str, str], content: bytes | Iterable[bytes] | None) -> Answer:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE_SECONDS)
        try:
            sent = {name: value.encode() for name, value in fields.items()}
            connection.connect()  # what goes wrong here is for whoever called
            with suppress(BrokenPipeError, ConnectionResetError):  # a server may answer before it has read all
                connection.request(method, target, content, sent)
            response = connection.getresponse()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    return send


class Log(io.StringIO):
    """A stream that a test can wait on."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def write(self, text: str) -> int:
        """Take text and wake whoever waits."""
        with self._changed:
            written = super().write(text)
            self._changed.notify_all()
            return written

    def wait_for(self, part: str) -> str:
        """Return the text once it holds a part."""
        with self._changed:
            found = self._changed.wait_for(lambda: part in self.getvalue(), PATIENCE_SECONDS)
            assert found, f"{part!r} is not in {self.getvalue()!r}"
            return self.getvalue()


class Server:
    """A `mockserver serve` process that accepts connections."""

    def __init__(self, process: subprocess.Popen[str], line: str, log: Path) -> None:
        self.process = process
        self.line = line
        self._log = log
        found = re.fullmatch(
            r'mockserver: serving "[^"]*" on (https?://\S+) \(process ([0-9]+), world default\)\n', line
        )
        assert found is not None, f"not a ready line: {line!r}; {self.log()}"
        self.url = found[1]
        self.printed_process = int(found[2])
        self.port = urlsplit(self.url).port or 0

    @property
    def client(self) -> Client:
        """Calls the default world."""
        return Client(send_over_http(self.url))

    def log(self) -> str:
        """Return what was written to standard error so far."""
        return self._log.read_text(encoding="utf-8")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal and return the seconds until the process ended."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_SECONDS)
        return time.monotonic() - started


Serve = Callable[..., Server]


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment without our own settings, and with others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCKSERVER_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[Server]:
    """Run `mockserver serve` in a folder on a free port, and end it however the test goes."""
    number = next(_world_numbers)
    log = folder / f"serve-{number}.log"
    port = () if "--port" in options else ("--port", "0")
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "mockserver", "serve", *port, *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
            env=clean_environment(**variables),
        ) as process,
    ):
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], PATIENCE_SECONDS)
            line = process.stdout.readline() if readable else ""
            yield Server(process, line, log)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(PATIENCE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def run_command(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the `mockserver` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "mockserver", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(**variables),
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def run_here(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the `mockserver` command to its end in this process: a second less than in one of its own.

    Like there, output is text, and a command that ends without an exit code has 0. It must be one that ends: nothing
    stops it here.
    """
    from mockserver.cli import main

    out, errors = io.StringIO(), io.StringIO()
    with (
        _kept_signals(),
        contextlib.chdir(cwd),
        patch.dict(os.environ, clean_environment(**variables), clear=True),
        patch.object(sys, "argv", ["mockserver", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert isinstance(ended.value.code, int | None)
    return subprocess.CompletedProcess(arguments, ended.value.code or 0, out.getvalue(), errors.getvalue())


@contextmanager
def _kept_signals() -> Iterator[None]:
    """Restore the signal handlers that a command sets, as a process does by ending."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def wait_until(claim: Callable[[], bool], what: str) -> None:
    """Wait for another process to do something that cannot be waited on otherwise."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        assert time.monotonic() < deadline, f"never happened: {what}"
        select.select([], [], [], 0.01)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers that end with the test: options as on the command line, variables as names."""
    running: list[Any] = []

    def start(*options: str, **variables: str) -> Server:
        context = serving(tmp_path, *options, **variables)
        running.append(context)
        try:
            return context.__enter__()
        except BaseException:
            running.remove(context)
            raise

    try:
        yield start
    finally:
        for context in reversed(running):
            context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The built-in contract."""
    return load_contract(defaults.CONTRACT)


@pytest.fixture(scope="session")
def shared_app() -> Any:
    """A stub of the built-in contract in process; tests take worlds of their own."""
    return create_app().wsgi_app


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A served stub of the built-in contract; tests take worlds of their own."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(params=["in process", "over a socket"])
def stub(request: pytest.FixtureRequest) -> Client:
    """A fresh world of a stub of the built-in contract, each test in process and over a socket."""
    if request.param == "in process":
        return Client(send_to_app(request.getfixturevalue("shared_app"))).in_new_world()
    return Client(send_over_http(request.getfixturevalue("shared_server").url)).in_new_world()


@pytest.fixture(autouse=True)
def drop_new_worlds() -> Iterator[None]:
    """Let stubs that are shared forget the worlds of a test: they keep a thousand."""
    yield
    while _new_worlds:
        with suppress(OSError):  # some servers end with their test
            _new_worlds.pop().call("DELETE", "/__mock__/world", user=None)


@pytest.fixture
def local_stub(shared_app: Any) -> Client:
    """A fresh world of a stub of the built-in contract, in process."""
    return Client(send_to_app(shared_app)).in_new_world()


@pytest.fixture
def make_stub() -> Callable[..., Client]:
    """Return a stub in process, with the arguments of `create_app`."""

    def make(*arguments: Any, **options: Any) -> Client:
        return Client(send_to_app(create_app(*arguments, **options).wsgi_app))

    return make


@pytest.fixture
def write_contract(tmp_path: Path) -> Callable[..., Path]:
    """Write a small contract: its paths, and other members of the document."""
    numbers = itertools.count(1)

    def write(paths: Mapping[str, Any], **members: Any) -> Path:
        document = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": paths, **members}
        path = tmp_path / f"contract-{next(numbers)}.json"
        path.write_text(json_module.dumps(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_setting(write_contract: Callable[..., Path]) -> Callable[..., Path]:
    """Write a contract whose `/setting` takes a value of a schema and gives it back."""

    def write(schema: Any, **members: Any) -> Path:
        def behaviour(role: str) -> dict[str, Any]:
            places = {"value": "/settings/value"} if role != "reset" else {}
            own = {"handler": "setting", "role": role, "resource": "setting"}
            return {**own, **places, "status": "/settings/status"}

        content = {"application/json": {"schema": schema}}
        answer = {"200": {"description": "ok", "content": {"application/json": {}}}}
        return write_contract(
            {
                "/setting": {
                    "post": {
                        "operationId": "write",
                        "x-mockserver-behaviour": behaviour("write"),
                        "requestBody": {"required": True, "content": content},
                        "responses": answer,
                    },
                    "get": {
                        "operationId": "read",
                        "x-mockserver-behaviour": behaviour("read"),
                        "responses": {**answer, "204": {"description": "never set"}},
                    },
                    "delete": {
                        "operationId": "reset",
                        "x-mockserver-behaviour": behaviour("reset"),
                        "responses": answer,
                    },
                }
            },
            **members,
        )

    return write


@pytest.fixture
def log() -> Log:
    """A stream for a stub's log, to be waited on."""
    return Log()


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the `mockserver` command in an empty folder, in this process."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return run_here(*arguments, cwd=tmp_path, **variables)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the `mockserver` command in an empty folder, in a process of its own."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return run_command(*arguments, cwd=tmp_path, **variables)

    return run


@pytest.fixture(name="wait_until")
def provide_wait_until() -> Callable[[Callable[[], bool], str], None]:
    """Wait for another process to do something that cannot be waited on otherwise."""
    return wait_until
