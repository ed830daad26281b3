"""Target that is an application in this process: `HttpTarget` with a call in place of a connection."""

from __future__ import annotations

import shlex

from mockserver.suite.applications.asgi import AsgiCaller
from mockserver.suite.applications.loaded_application import LoadedApplication
from mockserver.suite.applications.wsgi import WsgiCaller
from mockserver.suite.target.connections import Connection
from mockserver.suite.target.sender import Transport
from mockserver.suite.target.targets import HttpTarget

#: What the application sees as its own address.
_URL = "http://localhost"


def application_target(loaded: LoadedApplication, connection: Connection) -> HttpTarget:
    """Return the target for an application; closing it ends the application's lifespan."""
    limit = connection.max_response
    transport: Transport = (
        AsgiCaller(loaded.application, loaded.name, limit) if loaded.asgi else WsgiCaller(loaded.application, limit)
    )
    target = HttpTarget(f"{_URL}{loaded.base}", connection, transport=transport, name=loaded.name + loaded.base)
    target.serve = _serve_command(loaded)
    return target


def _serve_command(loaded: LoadedApplication) -> str:
    """Return a shell command by which people usually serve such an application at port 8000."""
    if ":" not in loaded.name:  # an object of a test, which has no name
        return "# serve the application at http://127.0.0.1:8000"
    if not loaded.asgi:
        return f"gunicorn --bind 127.0.0.1:8000 {shlex.quote(loaded.name)}"
    factory = " --factory" * loaded.name.endswith("()")
    return f"uvicorn --port 8000{factory} {loaded.name.removesuffix('()')}"
