"""Identities that log in: OAuth 2 tokens that expire, sessions with a CSRF token, JSON logins of many shapes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyotp
import pytest
from werkzeug.wrappers import Request

from mockserver.contract.reading.document import load_contract
from mockserver.suite.identities.identity_file import load_identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Session
from tests.faults.logging_in import CLIENT, PASSWORD, SECRET, JsonLogin, SessionServer, TokenServer, contract
from tests.faults.server import Application
from tests.faults.small import Answer, Told, application, commanded
from tests.wsgi_target import WsgiTarget

OAUTH2: dict[str, Any] = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}}}
BEARER = {"type": "http", "scheme": "bearer"}
COOKIE = {"type": "apiKey", "in": "cookie", "name": "sessionid"}
_CLIENT = f"oauth2: {{client_id: {CLIENT}, client_secret: {SECRET}"
_FORM = f"form: {{username: ann, password: {PASSWORD}}}"
_SESSION = (
    f"login: {{operation: POST /accounts/login/, {_FORM}, cookie: sessionid, "
    "csrf: {cookie: csrftoken, from: GET /accounts/login/}}"
)


def _login(shape: Any) -> dict[str, Any]:
    """Return the path of a login with nested members, by its name alone."""
    user = {
        "type": "object",
        "required": ["email", "password"],
        "properties": {"email": {"type": "string"}, "password": {"type": "string"}},
    }
    body = {"type": "object", "required": ["user"], "properties": {"user": user}}
    responses = {
        str(status): {"description": "d", "content": {"application/json": {"schema": {}}}}
        for status in (200, 401, 405, 415, 422)
    }
    assert shape is not None
    return {
        "/session": {
            "post": {
                "security": [],
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": responses,
            }
        }
    }


def judge(server: Any, path: Path, who: str, command: str = "check", **options: Any) -> Told:
    """Return what a command says of a server, as one identity of a file."""
    file = path.parent / "identities.yaml"
    file.write_text(f"identities: [{{{who}}}]", encoding="utf-8")
    made: Application = application(server)
    return commanded(command, made, path.parent, contract=path, identities=file, **options)


def shown(told: Told) -> str:
    """Return all that a run told."""
    return told.page + json.dumps(told.report)


@pytest.mark.parametrize(("tells", "command"), [(True, "check"), (False, "check"), (False, "fuzz")])
def test_tokens_that_expire_all_the_time_are_renewed_and_nobody_notices(
    tmp_path: Path, tells: bool, command: str
) -> None:
    server = TokenServer(seconds=0.25, tells=tells, refresh=True)
    options: dict[str, Any] = {"max_examples": 2} if command == "fuzz" else {}
    told = judge(server, contract(tmp_path, OAUTH2), f"username: ann, {_CLIENT}}}", command, **options)
    assert (told.exit_code, told.titles("violation"), told.titles("drift")) == (0, [], [])
    assert told.report["run"]["operations_succeeded"] == 4
    assert server.issued > 1
    assert server.grants == ["client_credentials", *["refresh_token"] * (server.issued - 1)]
    assert "-of-this-run" not in shown(told)
    assert SECRET not in shown(told)


def test_a_server_that_takes_any_token_is_found_by_an_identity_that_gets_its_own(tmp_path: Path) -> None:
    told = judge(TokenServer(careless=True), contract(tmp_path, OAUTH2), f"username: ann, {_CLIENT}}}")
    assert told.exit_code == 1
    found = {one["check"] for one in told.report["findings"] if one["level"] == "violation"}
    assert {"unknown_tokens_are_refused", "tokens_are_compared_whole"} <= found
    assert "$ANN_TOKEN" in shown(told) or "$TOKEN_" in shown(told)


def test_an_operation_that_always_refuses_causes_no_endless_logins(tmp_path: Path) -> None:
    server = TokenServer(tells=False)
    server.moody = {("GET", "/notes/1"), ("POST", "/notes"), ("GET", "/notes")}
    told = judge(server, contract(tmp_path, OAUTH2), f"username: ann, {_CLIENT}}}")
    assert server.issued <= 5
    assert told.exit_code == 2  # its credentials were never accepted


def _drop() -> Any:
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("spoiled", "who", "message"),
    [
        (None, f"oauth2: {{client_id: {CLIENT}, client_secret: wrong-one-here}}", "401 Unauthorized (Client authen"),
        (lambda: (200, b"<p>hello", {"Content-Type": "text/html"}), f"{_CLIENT}}}", "text/html without an access_tok"),
        (lambda: (200, {"access_token": 7}), f"{_CLIENT}}}", "without an access_token"),
        (lambda: (500, None), f"{_CLIENT}}}", "was answered with 500 Internal Server Error"),
        (
            None,
            f"password: not-the-right-one, oauth2: {{grant: password, client_id: {CLIENT}, client_secret: {SECRET}}}",
            "400 Bad Request (invalid_grant)",
        ),
        (None, f"{_CLIENT}, token_url: 'http://127.0.0.1:1/token'}}", "nothing listens at http://127.0.0.1:1"),
    ],
)
def test_a_login_that_fails_is_told_and_nothing_leaks(tmp_path: Path, spoiled: Any, who: str, message: str) -> None:
    server = TokenServer()
    server.spoiled = spoiled
    scheme = {
        "type": "oauth2",
        "flows": dict.fromkeys(("clientCredentials", "password"), OAUTH2["flows"]["clientCredentials"]),
    }
    told = judge(server, contract(tmp_path, scheme), f"username: ann, {who}", only=["GET /notes"])
    assert told.exit_code == 2
    (found,) = [one for one in told.report["findings"] if one["check"] == "credentials_are_accepted"]
    assert (found["level"], found["title"]) == ("environment", "ann cannot log in")
    assert message in found["detail"]
    assert not any(secret in shown(told) for secret in (SECRET, "wrong-one-here", "not-the-right-one"))


def test_credentials_that_cannot_be_renewed_end_the_run(tmp_path: Path) -> None:
    server = TokenServer(seconds=0.05)
    told_to: list[int] = []

    def serve(call: Any) -> Any:
        told_to.append(1)
        if len(told_to) == 20:
            server.spoiled = lambda: (400, {"error": "invalid_client"})
        return server(call)

    told = judge(serve, contract(tmp_path, OAUTH2), f"username: ann, {_CLIENT}}}")
    assert told.exit_code == 2
    assert "ended in mid-run and could not be renewed" in told.report["run"]["error"]
    assert told.titles("violation") == []


#: A CSRF token that each call ends refuses all but the first of parallel calls, whoever makes them.
_ONE_BY_ONE: dict[str, Any] = {"exclude_checks": ("parallel_calls_keep_apart",)}


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_session_with_a_csrf_token_is_kept_and_begun_again(tmp_path: Path, command: str) -> None:
    server = SessionServer(lasts=25, rotates=True)
    options: dict[str, Any] = {"max_examples": 2} if command == "fuzz" else {}
    told = judge(server, contract(tmp_path, COOKIE), f"username: ann, {_SESSION}", command, **options, **_ONE_BY_ONE)
    assert (told.exit_code, told.titles("violation")) == (0, [])
    assert told.report["run"]["operations_succeeded"] == 4
    assert server.logins > 1
    assert server.without_csrf == 0
    assert "of-ann-in-this-run" not in shown(told)


class _Rails:
    """A session whose CSRF token is in the content of responses, and another one after each tenth use."""

    def __init__(self) -> None:
        self.uses = self.refused = 0
        self._notes = SessionServer()

    def __call__(self, call: Request) -> Answer:
        token = f"csrf-{self.uses // 10:04}-of-ann-in-this-run"
        fields = {"Set-Cookie": "_app_session=session-of-ann-in-this-run; Path=/; HttpOnly; Secure"}
        if call.path == "/csrf":
            return 200, {"csrf": {"token": token}}, {**fields, "Set-Cookie": "lang=english; Path=/"}
        if call.path == "/users/sign_in":
            right = call.get_json(silent=True) == {"user": {"email": "ann@example.com", "password": PASSWORD}}
            return (200, {"ok": True}, fields) if right else (401, {"error": "wrong"})
        if call.cookies.get("_app_session") != "session-of-ann-in-this-run":
            return 401, {"error": "who are you?"}, {"WWW-Authenticate": "Session"}
        if call.method not in {"GET", "HEAD", "OPTIONS"}:
            if call.headers.get("X-CSRF-Token") != token:
                self.refused += 1
                return 403, {"error": "csrf"}
            self.uses += 1
        return self._notes.notes.answer(call)


def test_a_csrf_token_in_the_content_of_a_response_is_fetched_again_when_it_is_refused(tmp_path: Path) -> None:
    server = _Rails()
    who = (
        f"username: ann@example.com, password: {PASSWORD}, login: {{operation: /users/sign_in, username: /user/email, "
        "password: /user/password, csrf: {token: /csrf/token, from: GET /csrf}}"
    )
    told = judge(
        server, contract(tmp_path, {"type": "apiKey", "in": "cookie", "name": "_app_session"}), who, **_ONE_BY_ONE
    )
    assert (told.exit_code, told.titles("violation"), told.titles("drift")) == (0, [], [])
    assert told.report["run"]["operations_succeeded"] == 4
    assert server.uses > 10
    assert 0 < server.refused <= server.uses // 10  # each was made again with the next token
    assert "english" not in told.page
    assert "in-this-run" not in shown(told)


def test_a_server_that_takes_any_session_is_found(tmp_path: Path) -> None:
    told = judge(SessionServer(careless=True), contract(tmp_path, COOKIE), f"username: ann, {_SESSION}")
    assert told.exit_code == 1
    found = {one["operation"] for one in told.report["findings"] if one["check"] == "unknown_tokens_are_refused"}
    assert {"GET /notes", "POST /notes"} <= found  # with a CSRF token that is right


@pytest.mark.parametrize(
    ("shape", "login", "scheme", "server"),
    [
        (lambda token: {"data": {"attributes": {"accessToken": token, "type": "user"}}}, "", BEARER, {}),
        (lambda token: {"it": {"is": token}}, "token: /it/is", BEARER, {}),
        (
            lambda token: {"key": token},
            "as: Token",
            {"type": "apiKey", "in": "header", "name": "Authorization"},
            {"prefix": "Token "},
        ),
        (
            lambda token: {"token": token},
            "as: 'X-Auth-Token: {token}'",
            {"type": "http", "scheme": "basic"},
            {"field": "X-Auth-Token", "prefix": ""},
        ),
    ],
)
def test_a_json_login_is_found_in_the_contract_and_its_token_in_the_response(
    tmp_path: Path, shape: Callable[[str], Any], login: str, scheme: dict[str, Any], server: dict[str, str]
) -> None:
    who = f"username: ann@example.com, password: {PASSWORD}, login: {{{login}}}"
    path = contract(tmp_path, scheme, _login(shape))
    told = judge(JsonLogin(shape, **server), path, who, only=["GET /notes", "POST /session"])
    assert (told.exit_code, told.titles("violation")) == (0, []), told.page
    assert told.report["run"]["operations_succeeded"] == 2
    assert "the-token-of-ann" not in shown(told)


def test_a_response_without_a_token_is_told_with_what_it_has(tmp_path: Path) -> None:
    path = contract(tmp_path, BEARER, _login(""))
    who = f"username: ann@example.com, password: {PASSWORD}, login: {{}}"
    told = judge(JsonLogin(lambda _: {"welcome": True}), path, who, only=["GET /notes"])
    (found,) = [one for one in told.report["findings"] if one["check"] == "credentials_are_accepted"]
    assert "say where it is with `token: /pointer`" in found["detail"]
    assert "it has the members welcome" in found["detail"]


def test_a_one_time_code_goes_with_the_login(tmp_path: Path) -> None:
    secret = pyotp.random_base32()
    codes: list[str] = []

    def shape(token: str) -> Any:
        return {"token": token}

    server = JsonLogin(shape)

    def serve(call: Any) -> Any:
        value = call.get_json(silent=True)
        if call.path == "/session" and isinstance(value, dict) and isinstance(value.get("user"), dict):
            codes.append(str(value["user"].get("code")))
        return server(call)

    who = f"username: ann@example.com, password: {PASSWORD}, totp_secret: {secret}, login: {{totp: /user/code}}"
    told = judge(serve, contract(tmp_path, BEARER, _login(shape)), who, only=["GET /notes"])
    assert told.exit_code == 0
    assert pyotp.TOTP(secret).verify(codes[0], valid_window=1)


def test_the_plan_names_the_logins_and_sends_nothing(
    tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    file = tmp_path / "identities.yaml"
    who = [f"{{username: ann, {_CLIENT}}}}}", f"{{username: bob, {_SESSION}}}"]
    file.write_text(f"identities: [{', '.join(who)}]", encoding="utf-8")
    path = contract(tmp_path, OAUTH2)
    done = command(
        *("check", "http://127.0.0.1:1/api", "--dry-run", "--treat-as-remote"),
        *("--contract", str(path), "--identities", str(file)),
    )
    assert done.returncode == 0, done.stderr
    assert "  POST http://127.0.0.1:1/oauth/token  to log in ann, again when that has expired" in done.stdout
    assert "  GET /accounts/login/  to log in bob, again when that has expired" in done.stdout
    assert "  POST /accounts/login/  to log in bob, again when that has expired" in done.stdout
    assert SECRET not in done.stdout
    assert PASSWORD not in done.stdout


def test_an_openid_provider_names_its_token_endpoint(tmp_path: Path) -> None:
    scheme = {"type": "openIdConnect", "openIdConnectUrl": "/.well-known/openid-configuration"}
    told = judge(TokenServer(), contract(tmp_path, scheme), f"username: ann, {_CLIENT}}}", only=["GET /notes"])
    assert (told.exit_code, told.titles("violation")) == (0, [])
    assert told.report["run"]["operations_succeeded"] == 1


def test_calls_at_the_same_time_are_renewed_once(tmp_path: Path) -> None:
    server = TokenServer(tells=False)
    file = tmp_path / "identities.yaml"
    file.write_text(f"identities: [{{username: ann, {_CLIENT}}}}}]", encoding="utf-8")
    loaded = load_contract(contract(tmp_path, OAUTH2))
    run = prepare(loaded, WsgiTarget(application(server)), load_identities(file, {}))
    run.renewal.log_in()
    session = Session(run)
    request = session.valid_request(loaded.by_id["list"], run.admin)
    run.target.send(request)
    server.end_all()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: run.target.send(request), range(8)))
    assert [one.response.status for one in made if one.response is not None] == [200] * 8
    assert server.issued == 2
