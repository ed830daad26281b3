"""WSGI application of the stub: operations of the contract are answered directly, all other requests by Flask.

Flask's dispatch costs nine tenths of a small request (docs/decisions/0005-pipeline-below-flask.md), so Flask serves the
control API, routes that a user adds to the application, and whatever is not in the contract.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from mockserver import sources
from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.reading.document import load_contract
from mockserver.errors import MockServerError
from mockserver.http import cors
from mockserver.http.preferences import prism_hint
from mockserver.http.problem import MEDIA_TYPE as PROBLEM
from mockserver.http.problem import problem
from mockserver.masking import show
from mockserver.messages import Caller, Delivery, Request, Response
from mockserver.plugins import discovery
from mockserver.plugins.calls import AccountRules, Rules
from mockserver.plugins.plugin import Plugin
from mockserver.stub.authentication import ANYBODY, Authentication
from mockserver.stub.behaviour.bindings import bind_api
from mockserver.stub.behaviour.operation_handler import nothing_inferred
from mockserver.stub.control.journal import kept_content
from mockserver.stub.control.nearest_path import nearest_path
from mockserver.stub.control.routes import HINT_KEY, WORLD_KEY, Exposure, register_control
from mockserver.stub.pipeline import Pipeline, RecordedResponse, Settings
from mockserver.stub.response import STATUS_LINES
from mockserver.stub.serving.access_log import AccessLog
from mockserver.stub.serving.callbacks import Deliverer
from mockserver.stub.serving.rate_limit import LimitedPipeline
from mockserver.stub.store.seed import Seed, load_seed
from mockserver.stub.store.worlds import DEFAULT_WORLD, World, Worlds, open_store
from mockserver.stub.stub_options import RateLimit, StubOptions, takes

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApplication = Callable[[Environ, StartResponse], Iterable[bytes]]

_new = tuple.__new__
_WORLD_PREFIX = "/__world__/"
_LOG = logging.getLogger("mockserver")
_NO_NAMES: frozenset[str] = frozenset()


@takes(StubOptions)
def create_app(options: StubOptions) -> Flask:
    """Return a stub of a contract as a Flask application, to run under any WSGI server or Flask's test client.

    Raises:
        ContractError: the contract cannot be used.
        UsageError: seed data, store or limit cannot be used.
    """
    return make_app(options)


def make_app(options: StubOptions) -> Flask:
    """Return a stub as a Flask application, as `create_app` does, from a StubOptions value."""
    contract, api = _contract_and_api(options)
    bindings = bind_api(api, contract)
    accounts = AccountRules() if api is None else api.accounts
    seed_data = _seed_data(options, contract, api)
    worlds = Worlds(open_store(options.state, contract.title), seed_data, options.clock)
    authentication = Authentication(
        contract,
        accounts=bool(seed_data.accounts),
        open_door=_highest_level_account(contract, seed_data) if options.no_auth else None,
        seed=options.seed,
        secrets=seed_data.secrets,
        matches=accounts.password_matches,
    )
    pipeline = Pipeline(
        contract,
        authentication,
        Settings(
            options,
            Rules(seed_data, options.seed, options.transition_seconds, accounts),
            behaviours={**bindings.operations, **(options.behaviours or {})},
            handlers=bindings.handlers,
            trusted=frozenset() if api is None else api.trusted,
            secret_names=frozenset() if api is None else api.secret_names,
            deliver=Deliverer(options.allow_callbacks).deliver,
            inferred=nothing_inferred if options.no_state else _inferred(contract),
        ),
    )
    limit = RateLimit(options.rate_limit) if isinstance(options.rate_limit, int) else options.rate_limit
    log = options.log
    app = Flask("mockserver", static_folder=None)
    stub = Stub(
        app.wsgi_app,
        pipeline if limit is None else LimitedPipeline(pipeline, limit),
        worlds,
        AccessLog(log, as_json=options.log_format == "json") if log is not None else None,
        allow_origins=not options.no_cors,
    )
    register_control(
        app, contract, worlds, Exposure(options.host, options.control_token), pipeline.refuse_undefined, api
    )
    app.wsgi_app = stub  # type: ignore[method-assign]  # the documented way to put middleware below Flask
    app.extensions["mockserver"] = worlds
    return app


def _inferred(contract: Contract) -> Callable[[Operation], Mapping[str, Behaviour]]:
    """Return the function that infers the behaviours of the operations around one, by `operationId`."""

    @cache
    def neighbourhoods() -> Callable[[Operation], Mapping[str, Behaviour]]:
        from mockserver.contract.resources.neighbourhood import Neighbourhoods

        return Neighbourhoods(contract).around

    # A contract that states all of them needs none, and loads nothing for it.
    return lambda operation: neighbourhoods()(operation)


def _contract_and_api(options: StubOptions) -> tuple[Contract, Plugin | None]:
    """Return the contract to serve and its API: the API named in the options, else the one that the contract names."""
    contract, api = options.contract, options.api
    if contract is None and api is None:
        api = discovery.DEFAULT
    if isinstance(api, str):
        api = discovery.find(api)
    if contract is None:
        assert api is not None
        contract = api.contract
    if isinstance(contract, Path | str):
        contract = load_contract(contract)
    if api is None and contract.api:
        api = discovery.find(contract.api)
    return contract, api


def _seed_data(options: StubOptions, contract: Contract, api: Plugin | None) -> Seed:
    """Return the seed data of new worlds: those in the options, else those of the API if its own contract is served."""
    found = options.seed_data
    if found is None:
        found = discovery.own_seed_data(options.contract, options.api)
    if found is None:
        found = Seed()
    elif isinstance(found, Path | str):
        found = load_seed(found, api)
    return found.emptied(contract.levels) if options.empty else found


def _highest_level_account(contract: Contract, seed_data: Seed) -> Caller:
    """Return the seeded account with the highest level: the caller of every request if no credentials are required."""
    account = seed_data.highest_level_account(contract.levels)
    return ANYBODY if account is None else Caller(account.username, account.level, "")


class Stub:
    """WSGI application: answers operations of the contract, records exchanges, and leaves other requests to Flask."""

    def __init__(
        self,
        flask: WsgiApplication,
        pipeline: Pipeline | LimitedPipeline,
        worlds: Worlds,
        log: AccessLog | None,
        *,
        allow_origins: bool,
    ) -> None:
        self._flask = flask
        self._pipeline = pipeline
        self._worlds = worlds
        self._log = log
        self._cors = allow_origins
        self._default = worlds.get(DEFAULT_WORLD)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request as a WSGI application (PEP 3333)."""
        response = self.respond(environ)
        if response is None:
            return self.pass_on(environ, start_response)
        start_response(STATUS_LINES[response.status], response.fields)
        return [response.content] if response.delivery is None else _paced(response.delivery)

    def respond(self, environ: Environ) -> Response | None:
        """Return the response to a request, or None if Flask has to answer the request.

        Our own server calls this first: it saves building and taking apart what WSGI needs in between.
        """
        started = sources.stopwatch()
        path = environ.get("PATH_INFO") or "/"
        world = self._default
        if "HTTP_MOCK_WORLD" in environ or path.startswith("/__"):
            chosen = self._choose_world(environ, path)
            if isinstance(chosen, RecordedResponse):
                self._record(_request(environ, path), world, chosen, started)
                return chosen.response
            world, path = chosen
            if path.startswith("/__mock__/"):
                return None
        request = _request(environ, path)
        try:
            if self._cors and "HTTP_ORIGIN" in environ:
                recorded = self._respond_to_page(request, world)
            else:
                recorded = self._pipeline.respond(request, world)
        except MockServerError as error:
            recorded = _failure(error)
        except Exception as error:  # noqa: BLE001 - the last resort: the client gets a response, the log the traceback
            _LOG.exception("%s %s failed", request.method, request.path)
            recorded = _failure(error)
        if recorded is None:
            return None
        self._record(request, world, recorded, started)
        return recorded.response

    def _respond_to_page(self, request: Request, world: World) -> RecordedResponse | None:
        """Return the response to a request with an `Origin` field, with CORS fields that let the web page read it."""
        recorded = None
        methods = self._pipeline.allowed(request.path) if cors.is_preflight(request.fields) else ()
        if methods:
            recorded = RecordedResponse(
                cors.preflight(request.fields, methods), "", b"", "CORS preflight", (), _NO_NAMES
            )
        else:
            try:
                recorded = self._pipeline.respond(request, world)
            except MockServerError as error:
                recorded = _failure(error)
        if recorded is None:
            return None
        response = recorded.response
        return recorded._replace(response=response._replace(fields=cors.shared(request.fields, response.fields)))

    def close(self) -> None:
        """Write the buffered lines of the log and close the store; the server calls this when it stops."""
        if self._log is not None:
            self._log.flush()
        self._worlds.store.close()

    def _choose_world(self, environ: Environ, path: str) -> tuple[World, str] | RecordedResponse:
        """Return the world that a request selects and the path in it, or an error response for an invalid name."""
        name = environ.get("HTTP_MOCK_WORLD", DEFAULT_WORLD)
        if path.startswith(_WORLD_PREFIX):
            name, _, rest = path[len(_WORLD_PREFIX) :].partition("/")
            path = "/" + rest
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}{_WORLD_PREFIX}{name}"
            environ["PATH_INFO"] = path
        try:
            world = environ[WORLD_KEY] = self._worlds.get(name)
        except ValueError as error:
            return _own_problem(400, "Bad Request", f"invalid world: {error}")
        except MockServerError as error:
            return _failure(error)
        return world, path

    def pass_on(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let Flask answer a request, and record the exchange unless it was a call of the control API."""
        started = sources.stopwatch()
        path = environ.get("PATH_INFO") or "/"
        if path.startswith("/__mock__/"):
            return self._flask(environ, start_response)
        status = 0

        def noting(line: str, fields: list[tuple[str, str]], *rest: Any, **named: Any) -> Any:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            if self._cors and "HTTP_ORIGIN" in environ:
                fields = cors.shared(environ, fields)
            return start_response(line, fields, *rest, **named)

        request = _request(environ, path)
        if (meant := nearest_path(request.path, self._pipeline.templates)) is not None:
            environ[HINT_KEY] = f"; did you mean {show(meant)}?"
        content = self._flask(environ, noting)
        why = "answered by Flask"
        if status == 404:
            why = "Not Found: the contract has no operation at this path" + environ.get(HINT_KEY, "")
        recorded = RecordedResponse(Response(status, [], b""), "", b"", why, (), _NO_NAMES)
        self._record(request, environ.get(WORLD_KEY, self._default), recorded, started)
        return content

    def _record(self, request: Request, world: World, recorded: RecordedResponse, started: float) -> None:
        at = sources.wall_clock()
        duration = sources.stopwatch() - started
        response, why = recorded.response, recorded.why
        if "__" in request.query:
            why += prism_hint(request.query)
        world.journal.append(
            (
                at,
                request.method,
                request.path,
                request.query,
                request.authorization,
                request.content_type,
                kept_content(recorded.content),
                recorded.operation,
                response.status,
                kept_content(response.content),
                why,
                recorded.violations,
                recorded.secret_names,
                duration,
            )
        )
        if self._log is not None:
            self._log.write(at, request.method, request.path, response.status, recorded.operation, why, duration)


def _paced(delivery: Delivery) -> Iterator[bytes]:
    """Yield the pieces of a response with a pause between them, for servers that are not ours."""
    for number, piece in enumerate(delivery.pieces):
        if number and delivery.pause_seconds:
            sources.pause(delivery.pause_seconds)
        yield piece


def _request(environ: Environ, path: str) -> Request:
    if not path.isascii():
        # WSGI hands over the path's bytes as Latin-1; URIs are UTF-8 (RFC 3987, section 3.1).
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    find = environ.get
    length = find("CONTENT_LENGTH")
    # As `Request(...)` would, in half the time.
    return _new(
        Request,
        (
            environ["REQUEST_METHOD"],
            path,
            find("QUERY_STRING", ""),
            find("HTTP_AUTHORIZATION"),
            find("CONTENT_TYPE"),
            int(length) if length and length.isdecimal() else _unknown_length(environ),
            environ["wsgi.input"].read,
            environ,
        ),
    )


def _unknown_length(environ: Environ) -> int | None:
    """Return the content length of a request without `Content-Length`: None (unknown) if chunked, else 0."""
    chunked = environ.get("HTTP_TRANSFER_ENCODING") or environ.get("wsgi.input_terminated")
    return None if chunked else 0


def _own_problem(status: int, title: str, detail: str) -> RecordedResponse:
    """Return a response with problem details that belongs to no operation of the contract."""
    content = problem(status, title, detail)
    return RecordedResponse(
        Response(status, [("Content-Type", PROBLEM)], content), "", b"", f"{title}: {detail}", (), _NO_NAMES
    )


def _failure(error: Exception) -> RecordedResponse:
    """Return the response (500) to a request that made the stub fail; only errors written for users are shown in it."""
    detail = str(error) if isinstance(error, MockServerError) else "the stub failed; its log has the reason"
    if isinstance(error, MockServerError):
        sys.stderr.write(f"mockserver: {detail}\n")
    return _own_problem(500, "Internal Server Error", detail)
