from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Behaviour, Contract
from mockserver.contract.reading.document import load_contract
from mockserver.errors import UsageError
from mockserver.http import basic
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from mockserver.suite.safety.original_values import OriginalValues, load_originals
from mockserver.suite.safety.policy import WritePolicy, cannot_be_undone
from mockserver.suite.safety.rate_limiter import Stopped
from mockserver.suite.target.exchange import WireRequest, WireResponse
from tests import defaults
from tests.wsgi_target import WsgiTarget

ADMIN = Identity("admin", token="standing-token-of-admin", password="password-of-the-admin", level="MasterAdmin")
SETTINGS = "/api/v1/settings"


@pytest.fixture(scope="module")
def builtin() -> Contract:
    return load_contract(defaults.CONTRACT)


class Remote(WsgiTarget):
    """A server that is not ours, in this process; answers reads with one status, all else with 401."""

    foreign = True

    def __init__(self, read_status: int = 401) -> None:
        self.asked: list[str] = []
        self._read_status = read_status
        super().__init__(self._answer)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response(f"{self._read_status} X", [])
        return [b""]


def run_on(contract: Contract, target: WsgiTarget, *globs: str, originals: OriginalValues | None = None) -> Run:
    return prepare(contract, target, Identities((ADMIN,)), allow_writes=globs, originals=originals)


def request(method: str, path: str, secret: str, username: str = "admin") -> WireRequest:
    return WireRequest(method, path, (("Authorization", basic.encode(f"{username}:{secret}")),))


# What ends credentials.


@pytest.mark.parametrize("secret", [ADMIN.token, ADMIN.password])
def test_credentials_of_the_user_are_never_ended(builtin: Contract, secret: str) -> None:
    guard = run_on(builtin, Remote(), "*").guard
    delete = builtin.by_id["auth_delete"]
    assert "those were not obtained by this run" in (
        guard.refusal(request("DELETE", "/api/v1/auth/", secret), delete) or ""
    )
    assert guard.refusal(request("DELETE", "/api/v1/auth/", "a-token-that-this-run-got"), delete) is None


# A 401 for credentials that were good.


def test_a_401_that_a_plain_read_confirms_ends_the_run(builtin: Contract) -> None:
    target = Remote(401)
    run = run_on(builtin, target)
    asked = request("GET", f"{SETTINGS}/system_mailer/", str(ADMIN.token))
    with pytest.raises(Stopped, match="credentials of admin are refused"):
        run.guard.record_response(asked, WireResponse(401, (), b""))
    assert len(target.asked) == 1
    assert run.target.rate_limiter.stopped


def test_a_401_that_a_plain_read_does_not_confirm_is_the_operations_own(builtin: Contract) -> None:
    target = Remote(200)
    run = run_on(builtin, target)
    asked = request("GET", f"{SETTINGS}/postfix_relayhost/", str(ADMIN.token))
    for _ in range(3):
        run.guard.record_response(asked, WireResponse(401, (), b""))
    assert len(target.asked) == 1  # asked once, believed from then on
    assert run.target.rate_limiter.stopped == ""


@pytest.mark.parametrize(("secret", "username"), [("another-token-entirely", "admin"), (str(ADMIN.token), "somebody")])
def test_a_401_for_bad_credentials_is_what_was_asked_for(builtin: Contract, secret: str, username: str) -> None:
    target = Remote(401)
    asked = request("GET", f"{SETTINGS}/system_mailer/", secret, username)
    run_on(builtin, target).guard.record_response(asked, WireResponse(401, (), b""))
    assert target.asked == []


# What a glob does not cover.


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("setting_post_system_mailer", "its password is never shown by a read"),
        ("setting_delete_postfix_relayhost", "its password is never shown by a read"),
        ("setting_post_imap_master_password", "the server generates its value"),
        ("auth_post", "may lock an account"),
        ("setting_post_junk_trash_clearing_interval", None),
        ("setting_delete_junk_trash_clearing_interval", None),
        ("auth_delete", None),
        ("auth_get", None),
    ],
)
def test_what_cannot_be_undone_is_named_in_full(builtin: Contract, operation: str, why: str | None) -> None:
    found = builtin.by_id[operation]
    assert (cannot_be_undone(builtin, found) is None) == (why is None)
    by_glob = WritePolicy(True, ("*",), builtin).refusal(found.method, found)
    assert (by_glob is None) == (why is None)
    assert why is None or why in (by_glob or "")
    for name in (operation, found.label):
        assert WritePolicy(True, (name,), builtin).refusal(found.method, found) is None


def test_names_that_nobody_documented_are_probes(builtin: Contract) -> None:
    absent = Behaviour("absent", pointer="")
    unknown = replace(builtin.by_id["setting_post_system_mailer"], path="/api/v1/settings/{name}/", behaviour=absent)
    assert "--allow-writes probes" in (WritePolicy(True, ("*",), builtin).refusal("POST", unknown) or "")
    assert WritePolicy(True, ("probes",), builtin).refusal("POST", unknown) is None


# Original values.


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


RELAY = {
    "server_hostname": "relay.example.com",
    "server_port": 25,
    "username": "relay",
    "password": "${RELAY_PASSWORD}",
}


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RELAY_PASSWORD", "a-Relay-password-of-24-x")
    return "a-Relay-password-of-24-x"


@pytest.mark.parametrize(
    "name", ["postfix_relayhost", "setting_post_postfix_relayhost", "setting_delete_postfix_relayhost"]
)
def test_an_original_makes_a_glob_enough(builtin: Contract, tmp_path: Path, password: str, name: str) -> None:
    originals = load_originals(written(tmp_path / "o.yaml", {name: RELAY}), builtin)
    assert originals.values == {"postfix_relayhost": {**RELAY, "password": password}}
    run = run_on(builtin, Remote(), "*", originals=originals)
    for verb in ("post", "delete"):
        operation = builtin.by_id[f"setting_{verb}_postfix_relayhost"]
        assert run.policy.refusal(operation.method, operation) is None
    other = builtin.by_id["setting_post_system_mailer"]
    assert run.policy.refusal("POST", other) is not None
    # The password is secret; what reads show is not.
    assert list(run.secrets.leaked(f"... {password} ...")) == [password]
    assert list(run.secrets.leaked("relay.example.com")) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], "must map resources"),
        ({"nothing": 1}, "no resource and no operation 'nothing'"),
        ({"postfix_relayhost": {"server_port": "x"}}, "is not what POST /api/v1/settings/postfix_relayhost/ takes"),
        ({"imap_master_password": {}}, "the server generates its value"),
        ({"junk_trash_clearing_interval": "${NOT_SET_ANYWHERE}"}, "NOT_SET_ANYWHERE is not set"),
    ],
)
def test_what_is_no_original(builtin: Contract, tmp_path: Path, content: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load_originals(written(tmp_path / "o.yaml", content), builtin)
