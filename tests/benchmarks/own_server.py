"""Any WSGI application under the stub's own server, to measure what the stub costs beside it under the same server.

`python -m tests.benchmarks.own_server PORT bare`, or `make_flask` of applications.py, which is called.
"""

from __future__ import annotations

import sys
from typing import Any

from mockserver.stub.serving.server import listen_on, serve
from mockserver.stub.stub_options import USUAL_MAX_BODY
from tests.benchmarks import applications


class _Application:
    """An application in the place of the stub: all requests are passed on to it."""

    def __init__(self, application: Any) -> None:
        self.pass_on = application

    def respond(self, _environ: dict[str, Any]) -> None:
        """Leave the request to the application."""

    def close(self) -> None:
        """Do nothing: the application has no end."""


def main(port: int, name: str) -> None:
    """Serve an application of applications.py until SIGTERM."""
    found = getattr(applications, name)
    application = found() if name.startswith("make_") else found
    serve(
        lambda: _Application(application),
        listen_on("127.0.0.1", port),
        workers=1,
        max_content=USUAL_MAX_BODY,
        certificate=None,
        on_ready=lambda: None,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
