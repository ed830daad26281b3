"""Clean stub: sends requests to our stub without a mutation, in process."""

from __future__ import annotations

import io
from typing import Any

from mockserver.contract.model import Contract
from mockserver.messages import Response
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.app import Stub, create_app
from mockserver.stub.store.seed import Seed

Environ = dict[str, Any]


def clean_stub(contract: Contract, seed: Seed, token: str | None = None, clock: int | None = None) -> Stub:
    """Return a new stub of a contract."""
    stub = create_app(contract, seed_data=seed, control_token=token, clock=clock, strict=True).wsgi_app
    assert isinstance(stub, Stub)
    return stub


def respond(stub: Stub, environ: Environ) -> Response:
    """Return a stub's response to a WSGI environment, produced by Flask if need be."""
    response = stub.respond(environ)
    if response is not None:
        return response
    head: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], _error: Any = None) -> None:
        head[:] = (int(status[:3]), fields)

    content = b"".join(stub.pass_on(_for_flask(environ), start_response))
    return Response(head[0], head[1], content)


def send(stub: Stub, request: MutantRequest) -> MutantResponse:
    """Return a stub's response to a request."""
    response = respond(stub, _to_environ(request))
    return MutantResponse(response.status, tuple(response.fields), response.content)


def _to_environ(request: MutantRequest) -> Environ:
    environ = {
        **request.environ,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "SCRIPT_NAME": "",
        "HTTP_MOCK_WORLD": request.world,
        "HTTP_AUTHORIZATION": request.authorization,
        "CONTENT_TYPE": request.content_type,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": None,
        "HTTP_TRANSFER_ENCODING": None,
    }
    if not request.body and not request.environ.get("CONTENT_LENGTH"):
        environ["CONTENT_LENGTH"] = None
    return {name: value for name, value in environ.items() if value is not None}


def _for_flask(environ: Environ) -> Environ:
    """Return a WSGI environment with the keys that Flask needs and our own server leaves out."""
    return {
        "SCRIPT_NAME": "",
        "wsgi.errors": io.StringIO(),
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
    } | environ
