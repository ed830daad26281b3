"""What is sent as a secret never comes back: not in an answer, the state, the journal or the log."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Answer, Client, Log

MAILER = "/api/v1/settings/system_mailer/"
MASTER = "/api/v1/settings/imap_master_password/"
AUTH = "/api/v1/auth/"
CANARY = "canary-q7Zk2mV9xT4w"
GOOD = {"server_hostname": "h.example", "server_port": 25, "username": "u", "password": CANARY}
LOGIN = {"username": "admin", "password": CANARY}


class Watched:
    """A stub of which everything that comes out is kept."""

    def __init__(self, client: Client, log: Log) -> None:
        self.client = client
        self._log = log
        self._answers: list[Answer] = []

    def call(self, method: str, path: str, **rest: Any) -> Answer:
        self._answers.append(self.client.call(method, path, **rest))
        return self._answers[-1]

    def everything(self) -> str:
        """Return all that the stub ever showed, the log included."""
        marker = "/no/such/path/that-ends-the-log"
        self.call("GET", marker)
        for path in ("/state", "/journal?limit=1000", "/health", "/clock"):
            self.call("GET", "/__mock__" + path, user=None)
        shown = [answer.content.decode() + str(dict(answer.fields)) for answer in self._answers]
        return "\n".join([*shown, self._log.wait_for(marker)])


@pytest.fixture(params=["text", "json"])
def watched(request: pytest.FixtureRequest, make_stub: Callable[..., Client], log: Log) -> Watched:
    return Watched(make_stub(log=log, log_format=request.param, transition_seconds=5), log)


def _raw(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


BODIES: dict[str, bytes] = {
    "valid": _raw(),
    "a neighbour is wrong": _raw(server_port=0),
    "all neighbours are wrong": _raw(server_port="x", server_hostname="", username=""),
    "a neighbour is missing": json.dumps({"password": CANARY}).encode(),
    "too long": _raw(password=CANARY * 60),
    "not text": _raw(password=[CANARY]),
    "an object": _raw(password={"value": CANARY}),
    "a number's neighbour": _raw(password=[1, {CANARY: CANARY}]),
    "misspelt": json.dumps({**GOOD, "password": "x", "passwrod": CANARY}).encode(),
    "another name": json.dumps({**GOOD, "password": "x", "pass": CANARY}).encode(),
    "in capitals": json.dumps({**GOOD, "password": "x", "PASSWORD": CANARY}).encode(),
    "in another object": _raw(server_hostname={"password": CANARY}),
    "in a list": json.dumps([GOOD]).encode(),
    "twice": b'{"password": "' + CANARY.encode() + b'", "password": "x", "server_port": 0}',
    "escaped name": b'{"pass\\u0077ord": "' + CANARY.encode() + b'", "server_port": 0}',
    "cut off": _raw()[:-1],
    "not JSON after it": _raw() + b"x",
    "a lone surrogate beside it": _raw()[:-1] + b', "x": "\\ud800"}',
    "too deep beside it": _raw()[:-1] + b', "x": ' + b"[" * 200 + b"]" * 200 + b"}",
    "a long integer beside it": _raw()[:-1] + b', "x": 1234567890123456789012345678901234567890}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_password_never_comes_back(watched: Watched, name: str) -> None:
    # The master password takes any member, so there a misspelt name is a proper name and no secret.
    for path in (MAILER, AUTH, *(() if name in {"misspelt", "another name"} else (MASTER,))):
        watched.call("POST", path, content=BODIES[name])
        watched.call("POST", path, content=BODIES[name], fields={"Content-Type": "text/plain"})
        watched.call("POST", path, content=BODIES[name], user="mail")
        watched.call("GET", path)
    watched.call("DELETE", MAILER)
    watched.call("GET", MAILER)
    assert CANARY not in watched.everything()


def test_the_canary_is_seen_where_it_is_no_secret(watched: Watched) -> None:
    """Otherwise the tests above could not fail."""
    watched.call("POST", MAILER, content=_raw(username=CANARY))
    assert CANARY in watched.everything()


@pytest.mark.parametrize(
    "login",
    [
        LOGIN,
        {**LOGIN, "otp": CANARY},
        {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO", "otp": CANARY},
        {"username": "", "password": CANARY, "otp": CANARY},
        {"username": 5, "password": CANARY},
        {"username": "admin", "password": "x", "otp": [CANARY]},
        {"username": "admin", "passwd": CANARY},
        {"user": "admin", "secret": CANARY},
    ],
)
def test_login_secrets_never_come_back(watched: Watched, login: dict[str, Any]) -> None:
    watched.call("POST", AUTH, user=None, json=login)
    assert CANARY not in watched.everything()


def test_seeded_passwords_and_tokens_never_come_back(watched: Watched) -> None:
    watched.call("GET", AUTH)
    watched.call("GET", MAILER, user="mail")
    watched.call("POST", AUTH, json={"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"})
    shown = watched.everything()
    for secret in ("2xtoC5UGjMNieTBpGsAO", "long-auth_token", "sample-password"):
        assert secret not in shown


@pytest.mark.parametrize(
    "field",
    [
        "Basic " + base64.b64encode(f"admin:{CANARY}".encode()).decode(),
        f"Basic {CANARY}",
        f"Bearer {CANARY}",
        CANARY,
        f"basic  {CANARY}",
        f"Digest response={CANARY}",
    ],
)
def test_credentials_never_come_back(watched: Watched, field: str) -> None:
    watched.call("GET", MAILER, user=None, fields={"Authorization": field})
    watched.call("GET", "/no/such/path", user=None, fields={"Authorization": field})
    shown = watched.everything()
    assert CANARY not in shown
    assert field.rpartition(" ")[2] not in shown


def test_a_query_is_not_shown(watched: Watched) -> None:
    watched.call("GET", f"{MAILER}?password={CANARY}&auth_token={CANARY}")
    watched.call("GET", f"/no/such/path?password={CANARY}")
    assert CANARY not in watched.everything()


def test_an_issued_secret_stands_in_its_answer_alone(watched: Watched) -> None:
    login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
    token = watched.client.call("POST", AUTH, user=None, json=login).json()["auth"]["auth_token"]
    master = watched.client.call("POST", MASTER, json={}).json()["settings"]["value"]
    read = watched.client.call("GET", MASTER).json()["settings"]["value"]
    watched.client.call("DELETE", MASTER)
    watched.client.call("GET", AUTH, user=("admin", token))
    assert read == master
    shown = watched.everything()
    assert token not in shown
    assert master not in shown


def test_no_secret_is_in_the_state_file(make_stub: Callable[..., Client], tmp_path: Path) -> None:
    client = make_stub(state=f"sqlite:///{tmp_path / 'state.db'}")
    client.call("POST", MAILER, json=GOOD)
    client.call("POST", MAILER, json={**GOOD, "server_port": 0})
    login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO", "otp": CANARY}
    token = client.call("POST", AUTH, json=login).json()["auth"]["auth_token"]
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert any(b"system_mailer" in content for content in files)
    for secret in (CANARY, token, "2xtoC5UGjMNieTBpGsAO", "long-auth_token-here"):
        assert not any(secret.encode() in content for content in files)


NESTED: dict[str, tuple[Any, Any]] = {
    "in an object": (
        {"type": "object", "properties": {"relay": {"type": "object", "properties": {"pin": {"writeOnly": True}}}}},
        {"relay": {"host": "shown", "pin": CANARY}},
    ),
    "in a list": (
        {"type": "array", "items": {"type": "object", "properties": {"pin": {"writeOnly": True}}}},
        [{"host": "shown", "pin": CANARY}, {"host": "shown", "pin": CANARY}],
    ),
    "behind a reference": (
        {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Inner"}}},
        {"a": {"host": "shown", "pin": CANARY}},
    ),
    "in allOf": (
        {"allOf": [{"properties": {"host": {}}}, {"properties": {"pin": {"writeOnly": True}}}]},
        {"host": "shown", "pin": CANARY},
    ),
    "the whole of an object": (
        {"properties": {"host": {}, "credentials": {"type": "object", "writeOnly": True}}},
        {"host": "shown", "credentials": {"user": CANARY, "key": CANARY}},
    ),
    "in a map": (
        {"additionalProperties": {"properties": {"pin": {"writeOnly": True}}}},
        {"x": {"host": "shown", "pin": CANARY}},
    ),
    "beside a reference": (
        {"properties": {"pin": {"$ref": "#/components/schemas/Plain", "writeOnly": True}}},
        {"host": "shown", "pin": CANARY},
    ),
    "in a reference in allOf": (
        {"properties": {"pin": {"allOf": [{"$ref": "#/components/schemas/Pin"}]}}},
        {"host": "shown", "pin": CANARY},
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_write_only_holds_at_any_depth(
    make_stub: Callable[..., Client], write_setting: Callable[..., Path], log: Log, name: str
) -> None:
    schema, value = NESTED[name]
    schemas = {
        "Inner": {"type": "object", "properties": {"pin": {"writeOnly": True}}},
        "Pin": {"type": "string", "writeOnly": True},
        "Plain": {"type": "string"},
    }
    watched = Watched(make_stub(write_setting(schema, components={"schemas": schemas}), log=log), log)
    answer = watched.call("POST", "/setting", json=value, user=None)
    assert answer.status == 200
    assert b"shown" in answer.content, "what is no secret comes back"
    watched.call("GET", "/setting", user=None)
    assert CANARY not in watched.everything()
