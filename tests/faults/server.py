"""A server with one planted fault: the stub, and a function between it and the network.

::

    client ── FaultyServer ── plant(call, server) ── server.send(call) ── the clean stub
                                     │
                      server.memory(call): the fault's own state, one dictionary for each world
"""

from __future__ import annotations

import io
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.contract.source.loading import parse_yaml
from mockserver.stub.app import create_app
from tests import defaults
from tests.faults.catalogue import Edit, Fault
from tests.faults.messages import Call, Reply

Environ = dict[str, Any]
#: A WSGI application (PEP 3333).
Application = Callable[..., Iterable[bytes]]
_WORLD_PREFIX = "/__world__/"


class FaultyServer:
    """A WSGI application: a stub of its own with a fault, or without one.

    With `played` time nobody waits: it passes in `pause` alone, which whoever asks may call, too.
    """

    def __init__(self, fault: Fault | None = None, *, clock: int | None = None, played: bool = False) -> None:
        self.fault = fault
        contract = _loosened(fault.edit) if fault and fault.edit else clean_contract()
        self._stub = create_app(contract, seed_data=defaults.SEED_DATA, clock=clock).wsgi_app
        self._plant = fault.plant if fault and fault.plant else lambda call, server: server.send(call)
        self._memories: dict[str, dict[Any, Any]] = {}
        self.closing = threading.Event()
        self._played_seconds: float | None = 0.0 if played else None

    def now(self) -> float:
        """Return seconds since some point of time."""
        return time.monotonic() if self._played_seconds is None else self._played_seconds

    def pause(self, seconds: float) -> None:
        """Let time pass, at most until the server is closed."""
        if self._played_seconds is None:
            self.closing.wait(seconds)
        else:
            self._played_seconds += seconds

    def send(self, call: Call) -> Reply:
        """Return the clean stub's reply."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(line: str, fields: list[tuple[str, str]], _error: Any = None) -> None:
            started.append((line, fields))

        body = b"".join(self._stub(_to_environ(call), start_response))  # type: ignore[arg-type]  # no write()
        line, fields = started[-1]
        return Reply(int(line.split()[0]), tuple(fields), body)

    def memory(self, call: Call) -> dict[Any, Any]:
        """Return what the fault remembers of the call's world, to be changed in place."""
        return self._memories.setdefault(call.world, {})

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        reply = self._plant(_from_environ(environ), self)
        head = environ["REQUEST_METHOD"] == "HEAD"
        if head:
            # Faults change the content of GET, whose length HEAD may leave out, but not tell wrong (RFC 9110, 9.3.2).
            reply = reply.with_field("Content-Length", None)
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.fields))
        return [b"" if head else reply.body]


@contextmanager
def serving(server: Application) -> Iterator[str]:
    """Serve on a free loopback port, a thread for each connection; give the base URL."""
    listening = listen(server, 0)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.port}"
    finally:
        if isinstance(server, FaultyServer):
            server.closing.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


def listen(server: Application, port: int) -> BaseWSGIServer:
    """Return a server of the loopback interface that is listening, and serves with `serve_forever`."""
    return make_server("127.0.0.1", port, server, threaded=True, request_handler=_SilentHandler)


class _SilentHandler(WSGIRequestHandler):
    """Writes no log; a connection that the fault drops is dropped."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: Environ | None = None) -> None:  # noqa: ARG002
        """Close the connection instead of waiting for the next request on it."""
        self.close_connection = True


@cache
def clean_contract() -> Contract:
    """Return the built-in contract, loaded once for all servers of a process."""
    return load_contract(defaults.CONTRACT)


def _loosened(edit: Edit) -> Contract:
    document = parse_yaml(defaults.CONTRACT, defaults.CONTRACT.read_text(encoding="utf-8"))
    edit(document)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "openapi.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return load_contract(path)


def _from_environ(environ: Environ) -> Call:
    path, world = environ["PATH_INFO"], environ.get("HTTP_MOCK_WORLD", "default")
    if path.startswith(_WORLD_PREFIX):
        world, _, rest = path.removeprefix(_WORLD_PREFIX).partition("/")
        path = f"/{rest}"
    return Call(
        environ["REQUEST_METHOD"],
        path,
        environ.get("HTTP_AUTHORIZATION"),
        environ.get("CONTENT_TYPE"),
        _content(environ),
        world,
        environ,
    )


def _content(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    if length:
        content: bytes = environ["wsgi.input"].read(int(length))
    else:
        content = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else b""
    return content


def _to_environ(call: Call) -> Environ:
    environ = {
        **call.environ,
        "REQUEST_METHOD": call.method,
        "PATH_INFO": call.path,
        "HTTP_MOCK_WORLD": call.world,
        "HTTP_AUTHORIZATION": call.authorization,
        "CONTENT_TYPE": call.content_type,
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.input_terminated": None,
        "HTTP_TRANSFER_ENCODING": None,
    }
    return {name: value for name, value in environ.items() if value is not None}
