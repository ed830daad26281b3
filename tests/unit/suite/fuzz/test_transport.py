"""Generated cases go the one way of all requests, whatever they hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.fuzz_run import fuzz
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.connections import Connection
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.target.targets import HttpTarget

TEXT = {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"}
CONTENT = {"schema": {"type": "object", "required": ["name"], "properties": {"name": TEXT}}}
CONTRACT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Uploads", "version": "1"},
    "paths": {
        "/uploads": {
            "post": {
                "parameters": [{"name": "session", "in": "cookie", "required": True, "schema": TEXT}],
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": CONTENT, "application/x-www-form-urlencoded": CONTENT},
                },
                "responses": {"204": {"description": "taken"}, "default": {"description": "refused"}},
            }
        }
    },
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1  # type: ignore[attr-defined]

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get_content_type() if "Content-Type" in self.headers else ""
        self.server.seen.add((kind, "Cookie" in self.headers))  # type: ignore[attr-defined]
        self.server.requests += 1  # type: ignore[attr-defined]
        self.send_response(204 if self.command == "POST" else 405)
        if self.command != "POST":
            self.send_header("Allow", "POST")
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"):
    setattr(Handler, f"do_{method}", Handler._answer)


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = self.requests = 0
        self.seen: set[tuple[str, bool]] = set()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("remote", [False, True])
def test_every_case_passes_the_recorder_over_one_connection(server: Server, tmp_path: Path, remote: bool) -> None:
    path = tmp_path / "uploads.json"
    path.write_text(json.dumps(CONTRACT), encoding="utf-8")
    connection = Connection(treat_as_remote=remote, rate=1000.0)
    target = HttpTarget(f"http://127.0.0.1:{server.server_port}", connection)
    recorded: list[Exchange] = []
    target.record(lambda _label, exchange, _seconds: recorded.append(exchange))
    run = prepare(load_contract(path), target, Identities(()), allow_writes=["POST /uploads"])
    try:
        outcome = fuzz(run, FuzzSettings(max_examples=5, seed=1))
    finally:
        target.close()
    assert outcome.error == ""
    assert server.seen >= {("multipart/form-data", True), ("application/x-www-form-urlencoded", True)}
    assert len(recorded) == server.requests == target.rate_limiter.requests
    # A field with a NUL, which schemathesis tries first, is left to the general connection; all others go over one.
    assert server.connections == (1 if remote else 2)
