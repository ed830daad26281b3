"""A server written from the documentation alone, as somebody else would: none of its code is ours, and it is right.

It differs from our assumptions wherever a framework has a mind of its own: pages for people in refusals, 400 for bad
content, 404 for bad values of a path, members that it does not know ignored, changes that take a while, redirects for a
missing slash. `python -m tests.faults.independent` serves it.
"""

from __future__ import annotations

import argparse
import json
import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue

from tests.faults.messages import LEVELS, PASSWORDS, TOKENS

#: The accounts of the built-in seed data: password, level, token that stands.
ACCOUNTS = {name: (PASSWORDS[name], LEVELS[name], token) for name, token in TOKENS.items()}
#: How long a change is under way.
LAG_SECONDS = 0.3
_DAY = 24 * 60 * 60
_LETTERS = string.ascii_letters + string.digits


def create_server(accounts: dict[str, tuple[str, str, str]], *, lag_seconds: float = LAG_SECONDS) -> Flask:
    """Return the server; `accounts` maps a username to password, level and a token that stands."""
    app = Flask(__name__)
    tokens: dict[tuple[str, str], tuple[int, int]] = {
        (name, token): (0, 2**31 - 1) for name, (_, _, token) in accounts.items()
    }
    settings: dict[str, tuple[float, Any]] = {}

    def caller() -> str:
        shown = request.authorization
        if shown is None or shown.type != "basic" or not shown.username:
            abort(401)
        if (shown.username, shown.password or "") not in tokens:
            abort(401)
        return shown.username

    def master() -> None:
        if accounts[caller()][1] != "MasterAdmin":
            abort(403)

    def content() -> dict[str, Any]:
        if request.mimetype != "application/json":
            abort(415)
        try:
            value = json.loads(request.get_data(), parse_constant=lambda _: abort(400))
        except (ValueError, RecursionError):
            abort(400)
        return value if isinstance(value, dict) else abort(400)

    @app.post("/api/v1/auth/")
    def log_in() -> ResponseReturnValue:
        sent = content()
        name, password = sent.get("username"), sent.get("password")
        if not isinstance(name, str) or not isinstance(password, str) or not isinstance(sent.get("otp", ""), str):
            abort(400)
        if name not in accounts or not secrets.compare_digest(accounts[name][0].encode(), _bytes(password)):
            return jsonify(error="authentication failed"), 401
        token, now = _secret(40), int(time.time())
        tokens[name, token] = (now, now + _DAY)
        shown = _authorization(name, accounts[name][1], tokens[name, token])
        return jsonify(auth=shown | {"auth_token": token, "status": "success", "message": "Successfully logged in"})

    @app.get("/api/v1/auth/")
    def describe() -> ResponseReturnValue:
        name = caller()
        assert request.authorization is not None
        times = tokens[name, request.authorization.password or ""]
        shown = _authorization(name, accounts[name][1], times)
        return jsonify(auth=shown | {"status": "valid", "message": "Authorization valid"})

    @app.delete("/api/v1/auth/")
    def revoke() -> ResponseReturnValue:
        name = caller()
        assert request.authorization is not None
        del tokens[name, request.authorization.password or ""]
        return jsonify(auth={"username": name, "status": "revoked", "message": "Authorization revoked"})

    @app.get("/api/v1/settings/<name>/")
    def read(name: str) -> ResponseReturnValue:
        master()
        _known(name)
        if name not in settings:
            return "", 204
        since, value = settings[name]
        status = "applied" if time.monotonic() - since >= lag_seconds else "applying"
        return jsonify(settings={"name": name, "status": status, "value": value})

    @app.post("/api/v1/settings/<name>/")
    def write(name: str) -> ResponseReturnValue:
        master()
        _known(name)
        value = _SETTINGS[name](content())
        settings[name] = (time.monotonic(), value)
        return jsonify(settings={"name": name, "status": "applying", "value": value})

    @app.delete("/api/v1/settings/<name>/")
    def reset(name: str) -> ResponseReturnValue:
        master()
        _known(name)
        settings.pop(name, None)
        return jsonify(settings={"name": name, "status": "deleting"})

    return app


def _authorization(name: str, level: str, times: tuple[int, int]) -> dict[str, Any]:
    return {"username": name, "perm_level": level, "valid_from": times[0], "valid_to": times[1]}


def _mail_server(sent: dict[str, Any]) -> dict[str, Any]:
    value = {name: _text(sent.get(name)) for name in ("server_hostname", "username")}
    _text(sent.get("password"))
    return value | {"server_port": _integer(sent.get("server_port"), 0, 65535)}


def _days(sent: dict[str, Any]) -> dict[str, Any]:
    return {name: _integer(sent.get(name), 1, 10**6) for name in ("junk_days", "trash_days")}


def _master_password(_sent: dict[str, Any]) -> str:
    return _secret(32)


_SETTINGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "system_mailer": _mail_server,
    "postfix_relayhost": _mail_server,
    "junk_trash_clearing_interval": _days,
    "imap_master_password": _master_password,
}


def _known(name: str) -> None:
    if name not in _SETTINGS:
        abort(404)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        abort(400)
    _bytes(value)
    return value


def _bytes(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:  # half a surrogate pair is no text
        abort(400)


def _integer(value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        abort(400)
    return value


def _secret(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def main() -> None:
    """Serve it on loopback."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.independent", description=__doc__)
    parser.add_argument("--port", type=int, default=8082)
    create_server(ACCOUNTS).run("127.0.0.1", parser.parse_args().port, threaded=True)


if __name__ == "__main__":
    main()
