"""What the stub is measured against: the same answers by Flask, and by a WSGI callable that does nothing else.

Neither authenticates, validates, stores, journals or logs: they are the least that such a server has to do.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.requests import DOMAINS_ANSWER

#: What differs from connection to connection, or says how it is kept.
_HOP_BY_HOP = frozenset({"HTTP_HOST", "HTTP_CONNECTION", "HTTP_ACCEPT_ENCODING"})


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Parse what was sent and answer it, as a bare WSGI callable."""
    if environ["REQUEST_METHOD"] == "GET":
        content = orjson.dumps(DOMAINS_ANSWER)
    else:
        value = orjson.loads(environ["wsgi.input"].read())
        content = orjson.dumps(_setting(value) if environ["REQUEST_METHOD"] == "POST" else value)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


def make_flask() -> Any:
    """Return a Flask application with these routes alone."""
    from flask import Flask, request  # so that the bare callable's process does not load it

    app = Flask("three-routes")

    @app.post("/api/v1/settings/system_mailer/")
    def set_system_mailer() -> dict[str, Any]:
        return _setting(request.get_json())

    @app.get("/api/v1/domains/")
    def list_domains() -> dict[str, Any]:
        return DOMAINS_ANSWER

    @app.patch("/api/v1/accounts/<username>/")
    def change_account(**_route: str) -> dict[str, Any]:
        changed: dict[str, Any] = request.get_json()
        return changed

    return app


def _setting(value: dict[str, Any]) -> dict[str, Any]:
    del value["password"]
    return {"settings": {"name": "system_mailer", "status": "applying", "value": value}}


def make_recording() -> Any:
    """Return the stub's WSGI entrance, which writes down every request: a JSON line each in the file `$RECORD`."""
    from mockserver.stub.app import create_app

    stub = create_app().wsgi_app
    record = Path(os.environ["RECORD"]).open("a", encoding="utf-8")  # noqa: SIM115 - closed with the process

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        content = environ["wsgi.input"].read()
        fields = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        line = {
            "request": f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}",
            "fields": {name: value for name, value in sorted(fields.items()) if name not in _HOP_BY_HOP},
            "type": environ.get("CONTENT_TYPE", ""),
            "content": content.decode("latin-1"),
        }
        record.write(json.dumps(line) + "\n")
        record.flush()
        return stub({**environ, "wsgi.input": io.BytesIO(content)}, start_response)

    return application
