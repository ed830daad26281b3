"""What the stub is measured against: the same answer by Flask, and by a WSGI callable that does nothing else.

Neither authenticates, validates, stores, journals or logs: they are the least that such a server has to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Parse the setting that was sent and answer it, as a bare WSGI callable."""
    value = orjson.loads(environ["wsgi.input"].read())
    del value["password"]
    settings = {"name": "system_mailer", "status": "applying", "value": value}
    content = orjson.dumps({"settings": settings})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


def make_flask() -> Any:
    """Return a Flask application with this one route."""
    from flask import Flask, request  # so that the bare callable's process does not load it

    app = Flask("one-route")

    @app.post("/api/v1/settings/system_mailer/")
    def set_system_mailer() -> dict[str, Any]:
        value = request.get_json()
        del value["password"]
        return {"settings": {"name": "system_mailer", "status": "applying", "value": value}}

    return app
