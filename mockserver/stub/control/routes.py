"""Routes of the control API under `/__mock__/`, described by control.yaml.

It is never part of a contract. CORS does not cover it, a foreign `Origin` or `Host` is refused, and off loopback it
is closed unless a control token is set, so that no web page and no neighbour can drive a developer's stub.
"""

from __future__ import annotations

import difflib
import hmac
import logging
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, after_this_request, request
from werkzeug.exceptions import HTTPException

from mockserver import messages, sources
from mockserver.contract.model import Contract
from mockserver.contract.schema.marks import same_value
from mockserver.errors import MockServerError, RequestRejected
from mockserver.http import json
from mockserver.http.cors import is_loopback
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import lookup
from mockserver.http.problem import MEDIA_TYPE, problem
from mockserver.masking import show
from mockserver.messages import MASK, NO_CONTENT
from mockserver.plugins.account_records import ACCOUNTS, TOKENS
from mockserver.plugins.plugin import ControlCall, ControlRoute, Plugin
from mockserver.plugins.transactions import SETTINGS, WORLD
from mockserver.stub.control import reference_page
from mockserver.stub.response import STATUS_LINES
from mockserver.stub.store.worlds import DEFAULT_WORLD, World, Worlds

PREFIX = "/__mock__"
#: WSGI variable that holds the world which the request selects.
WORLD_KEY = "mockserver.world"
#: WSGI variable with what else a path that is not there may have meant.
HINT_KEY = "mockserver.hint"
_LOG = logging.getLogger("mockserver")
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/\\@?#:\[\]]+)(?::[0-9]*)?")
_DEFAULT_LIMIT = 100
_MAX_CONTENT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who may use the control API: `host` is the address served on, `token` the required bearer token, if any."""

    host: str
    token: str | None

    def refusal(self, *, browsed: bool) -> tuple[int, str] | None:
        """Return status and reason for refusing the current request, None if the request is allowed.

        A page that is `browsed` to takes the token as the password of Basic, too: a browser asks for nothing else. Such
        a page changes nothing; what does takes no credentials that a browser adds by itself.
        """
        origin = request.headers.get("Origin")
        if origin is not None and not is_loopback(_host_of(origin.partition("://")[2])):
            return (
                403,
                f"the Origin {json.text(origin[:100])} is foreign; the control API refuses web pages",
            )
        if self.token is not None:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            basic = request.authorization if browsed else None
            if basic is not None and basic.type == "basic":
                scheme, token = "bearer", basic.password or ""
            if scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self.token.encode()):
                return None
            return 401, "the control API requires the control token as Bearer credentials"
        if not is_loopback(self.host):
            return (
                403,
                f"the stub listens on {self.host}; start it with --control-token to open the control API",
            )
        if not is_loopback(_host_of(request.host)):
            return 403, f"the Host {json.text(request.host[:100])} is foreign; use 127.0.0.1 or localhost"
        return None


def _host_of(place: str) -> str:
    """Return the host of `HOST` or `HOST:PORT`, "" for anything else: what a browser may read otherwise is foreign."""
    found = _PLACE.fullmatch(place)
    return found[1].strip("[]") if found is not None else ""


class _Refused(Exception):  # noqa: N818 - a response to the client, not an error of ours
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def register_control(
    app: Flask,
    contract: Contract,
    worlds: Worlds,
    exposure: Exposure,
    undefined: Callable[[RequestRejected, str | None], messages.Response],
    api: Plugin | None = None,
) -> None:
    """Add the routes of the control API, and an answer for unknown paths, to a Flask application.

    Args:
        app: the application.
        contract: what is served.
        worlds: what the calls are about.
        exposure: who may call.
        undefined: gives the answer to a request that means no operation of the contract, from `Accept`.
        api: whose routes are added.
    """
    control = Blueprint("mockserver_control", __name__, url_prefix=PREFIX)
    readable = cache(partial(reference_page.viewer_contract, contract.document))
    plain = cache(partial(_plain, contract))
    secret_parameters = cache(partial(_secret_query_names, contract))
    public = tuple(section.name for section in api.sections if section.public) if api is not None else ()
    secret_names = frozenset() if api is None else api.secret_names

    @control.before_request
    def guard() -> Response | None:
        request.max_content_length = _MAX_CONTENT_BYTES
        browsed = request.path.startswith(f"{PREFIX}/docs")
        refusal = exposure.refusal(browsed=browsed) if request.path != f"{PREFIX}/health" else None
        if refusal is None:
            return None
        response = _problem(*refusal)
        if browsed and refusal[0] == 401:
            response.headers.add("WWW-Authenticate", 'Basic realm="mockserver control: the token as password"')
        return response

    @control.get("/health")
    def health() -> Response:
        return _json({"status": "ok", "contract": contract.title, "contract_sha256": contract.document.sha256})

    @control.get("/contract.json")
    def contract_json() -> Response:
        _only_query("plain")
        if not _flag("plain"):
            return _json(contract.document.data)
        return Response(plain(), mimetype="application/json")

    @control.get("/docs")
    def docs() -> Response:
        return _page("text/html", reference_page.PAGE)

    for name, (path, media_type) in reference_page.ASSETS.items():
        control.add_url_rule(f"/docs/{name}", name.replace(".", "_"), partial(_page, media_type, path))

    @control.get("/docs/contract.json")
    def docs_contract() -> Response:
        return Response(readable(), mimetype="application/json")

    @control.get("/state")
    def state() -> Response:
        return _json(_state(_world(worlds), public, secret_names))

    @control.get("/journal")
    def journal() -> Response:
        _only_query("operation", "status", "method", "path", "limit")
        limit = _integer("limit", _DEFAULT_LIMIT)
        entries = list(
            _world(worlds).journal.query(
                operation=request.args.get("operation"),
                status=_integer("status", None),
                method=request.args.get("method"),
                path=request.args.get("path"),
            )
        )
        shown = entries[-limit:] if limit else []
        return _json({"count": len(entries), "entries": [entry.as_json(secret_parameters()) for entry in shown]})

    @control.get("/clock")
    def read_clock() -> Response:
        return _json(_clock(_world(worlds)))

    @control.put("/clock")
    def set_clock() -> Response:
        world = _world(worlds)
        members = _members({"now", "advance_seconds"})
        # Both are checked before either counts.
        now = _time(members["now"]) if "now" in members else None
        seconds = _seconds(members.get("advance_seconds", 0))
        start = world.now() if "now" not in members else now or sources.wall_clock()
        if start + seconds > sources.LATEST:
            raise _Refused(422, "advance_seconds would lead beyond the year 9999")
        if "now" in members:
            world.set_clock(now)
        if seconds:
            world.advance_clock(seconds)
        return _json(_clock(world))

    @control.post("/reset")
    def reset() -> Response:
        world = _world(worlds)
        overlay = _members({"overlay"})["overlay"] if request.get_data() else None
        if overlay is not None and not isinstance(overlay, str):
            raise _Refused(422, "overlay must be the name of an overlay of the seed data, or null")
        try:
            worlds.reset(world, overlay)
        except LookupError as error:
            raise _Refused(422, str(error.args[0])) from error
        return _json({"status": "reset", "world": world.name})

    @control.delete("/world")
    def drop() -> Response:
        world = _world(worlds)
        try:
            worlds.drop(world)
        except ValueError as error:
            raise _Refused(409, str(error)) from error
        return _json({"status": "dropped", "world": world.name})

    if api is not None:
        for route in api.routes:
            _add_route(control, f"/{api.name}", route, worlds)
    app.register_blueprint(control)

    @app.errorhandler(HTTPException)
    def not_ours(error: HTTPException) -> Response:
        detail = error.description or error.name
        if error.code == 404:
            hint = request.environ.get(HINT_KEY) or _near_control_path(app, request.path)
            detail = f"neither the contract nor the control API has {request.method} {show(request.path)}{hint}"
            if not request.path.startswith(f"{PREFIX}/"):
                rejected = RequestRejected(404, error.name, detail)
                status, fields, content, _ = undefined(rejected, request.headers.get("Accept"))
                return Response(content, status, fields)
        response = _problem(error.code or 500, detail, error.name)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    @app.errorhandler(_Refused)
    def refused(error: _Refused) -> Response:
        return _problem(error.status, error.detail)

    @app.errorhandler(RequestRejected)
    def rejected(error: RequestRejected) -> Response:
        return _problem(error.status, error.detail, error.title)

    @app.errorhandler(MockServerError)
    def broken(error: MockServerError) -> Response:
        return _problem(500, str(error))


def _plain(contract: Contract) -> bytes:
    """Return a contract in its plain form, as JSON text."""
    from mockserver.contract.reading.plain_form import plain_form  # start-up must not pay for it

    return json.encode(plain_form(contract.document))


def _near_control_path(app: Flask, path: str) -> str:
    """Return a hint with the control API path that a request probably meant, "" if none is near."""
    if path == "/":
        return f"; its paths are described at {PREFIX}/docs"
    if not path.startswith(f"{PREFIX}/"):
        return ""
    known = [
        rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(f"{PREFIX}/") and "<" not in rule.rule
    ]
    close = difflib.get_close_matches(path[:100], known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else ""


def _add_route(control: Blueprint, folder: str, route: ControlRoute, worlds: Worlds) -> None:
    """Add a control API route of an API, also under its former path with a `Deprecation` field."""

    def respond(**path: str) -> Response:
        world = _world(worlds)
        content = _decoded() if request.get_data() else NO_CONTENT
        with world.transaction() as transaction:
            call = ControlCall(transaction, world.name, world.now(), content, request.args.to_dict(), path)
            return _json(route.answer(call))

    def respond_formerly(**path: str) -> Response:
        """Answer a call at a deprecated path, with the fields of RFC 9745 and RFC 8288 that name its successor."""
        successor = f"{request.script_root}{PREFIX}{folder}{route.path.format(**path)}"
        _LOG.warning("%s %s is deprecated; call %s", route.method, request.path, successor)

        @after_this_request  # errors say it, too
        def tell(response: Response) -> Response:
            response.headers["Deprecation"] = f"@{route.deprecated}"
            response.headers["Link"] = f'<{successor}>; rel="successor-version"'
            return response

        return respond(**path)

    for path, function in ((f"{folder}{route.path}", respond), (route.formerly, respond_formerly)):
        if path:
            template = parse_template(path)
            rule = template.expand({name: f"<{name}>" for name in template.parameters})
            control.add_url_rule(rule, f"{route.method} {path}".replace(".", "_"), function, methods=[route.method])


def _secret_query_names(contract: Contract) -> frozenset[str]:
    """Return the names of query parameters that hold secrets: API keys, and `format: password`."""
    data = contract.document.data
    schemes = (scheme for scheme in contract.security_schemes.values() if scheme.location == "query")
    parameters = (one for operation in contract.operations for one in operation.parameters if one.location == "query")
    passwords = (one.name for one in parameters if one.schema is not None and _is_password(data, one.schema))
    return frozenset((*(scheme.parameter for scheme in schemes), *passwords))


def _is_password(data: dict[str, Any], schema: str) -> bool:
    places = [lookup(data, place) for place in same_value(data, schema)]
    return any(place.get("format") == "password" or place.get("writeOnly") is True for place in places)


def _world(worlds: Worlds) -> World:
    world: World | None = request.environ.get(WORLD_KEY)
    return worlds.get(DEFAULT_WORLD) if world is None else world


def _state(world: World, public: tuple[str, ...], secret_names: frozenset[str]) -> dict[str, Any]:
    """Return the state of a world as JSON with every secret masked.

    Args:
        world: whose state it is.
        public: the API's collections without anything secret, which are shown whole.
        secret_names: members that are masked beside those whose names speak of a secret.
    """
    records = world.store.dump(world.name)
    owners = Counter(record["username"] for record in records.get(TOKENS, {}).values())
    return {
        "world": world.name,
        "clock": _clock(world),
        "accounts": {
            username: {"level": record["level"], "tokens": owners[username]}
            for username, record in sorted(records.get(ACCOUNTS, {}).items())
        },
        "tokens": [
            {
                "username": record["username"],
                "valid_from": record["valid_from"],
                "valid_to": record["valid_to"],
                "expires": record["expires"],
            }
            for record in records.get(TOKENS, {}).values()
        ],
        "settings": {
            name: _setting(record, secret_names) for name, record in sorted(records.get(SETTINGS, {}).items())
        },
        "records": {name: dict(sorted(records[name].items())) for name in public if records.get(name)},
        "issued": records.get(WORLD, {}).get("issued", {}),
    }


def _setting(record: dict[str, Any], secret_names: frozenset[str]) -> dict[str, Any]:
    value = MASK if record["secret"] else record["value"]
    if isinstance(value, dict):
        value = show(value, secret_names) | dict.fromkeys(record["withheld"], MASK)
    return {"phase": record["phase"], "since": record["since"], "value": value}


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.now(), "standing": world.clock_stands()}


def _time(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _Refused(422, "now must be UNIX seconds, a date-time, or null")
    try:
        return sources.parse_time(str(value))
    except ValueError as error:
        raise _Refused(422, f"now: {error}") from error


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= sources.LATEST:
        raise _Refused(422, "advance_seconds must be a number of seconds, 0 or more")
    return value


def _only_query(*known: str) -> None:
    """Raise an error (422) if the request has a query parameter that the control API does not define."""
    unknown = sorted(request.args.keys() - set(known))
    if unknown:
        raise _Refused(422, f"unknown query parameter {json.text(show(unknown[0]))}; known are {', '.join(known)}")


def _flag(name: str) -> bool:
    """Return whether a query parameter is there: without a value, or as `true`; not as `false`."""
    value = request.args.get(name, "false")
    if value not in {"", "true", "false"}:
        raise _Refused(422, f"{name} is true or false, or stands there without a value, not {show(value)!r}")
    return value != "false"


def _members(known: set[str]) -> dict[str, Any]:
    """Return the members of the request's JSON object; raise an error (422) if it is empty or has unknown ones."""
    members = _decoded()
    if not isinstance(members, dict) or not members or members.keys() - known:
        raise _Refused(422, f"the content must be an object with one or more of {', '.join(sorted(known))}")
    return members


def _decoded() -> Any:
    """Return the request's JSON content; raise an error (400) if it is not JSON."""
    try:
        return json.decode(request.get_data())
    except ValueError as error:
        raise _Refused(400, f"the content is not JSON: {error}") from error


def _integer(name: str, default: Any) -> Any:
    raw = request.args.get(name)
    if raw is None:
        return default
    if not raw.isdecimal() or len(raw) > 9:
        raise _Refused(422, f"{name} must be a whole number")
    return int(raw)


def _json(content: Any) -> Response:
    return Response(json.encode(content), mimetype="application/json")


def _page(media_type: str, path: Path) -> Response:
    """Return a file of the reference page, with a policy that lets it load nothing from other hosts."""
    response = Response(path.read_bytes(), mimetype=media_type)
    response.headers["Content-Security-Policy"] = reference_page.POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _problem(status: int, detail: str, title: str | None = None) -> Response:
    title = title or STATUS_LINES[status].partition(" ")[2]
    response = Response(problem(status, title, detail), status=status, mimetype=MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="mockserver control"'
    return response
