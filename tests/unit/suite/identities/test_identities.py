from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract, SecurityScheme
from mockserver.contract.reading.document import load_contract
from mockserver.errors import UsageError
from mockserver.http import basic
from mockserver.suite.identities.identities import (
    Identities,
    Identity,
    add_credential,
    asks_for_credentials,
    credentials,
)
from mockserver.suite.identities.identity_file import load_identities
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.run.check_run import plan
from mockserver.suite.run.preparation import prepare
from tests import defaults
from tests.unit.suite.conftest import ADMIN, GUEST, NOTE, answering
from tests.wsgi_target import WsgiTarget


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "identities.yaml"
    path.write_text(text)
    return path


def test_variables_come_from_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, 'identities: [{username: a, token: "${T}", schemes: {key: "x${T}"}, level: Master}]')
    (identity,) = load_identities(path, {"T": "secret"}).all
    assert (identity.token, identity.schemes) == ("secret", {"key": "xsecret"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('identities: [{username: a, token: "${MISSING}"}]', "MISSING is not set"),
        ("identities: [{username: a, tokn: x}]", "unknown key 'tokn'"),
        ("identities: [{username: a}]", "no credential"),
        ("identities: [{username: a, token: 12}]", "must be text"),
        ("identities: [{username: a, token: x, owns: y}]", "list of texts"),
        ("identities: [a]", "must be a mapping"),
        ("identities: {}", "list"),
        ("accounts: []", "nothing else"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_identities(write(tmp_path, text), {})


def test_credentials_for_a_scheme_that_the_contract_lacks_are_an_error(
    tmp_path: Path, write_contract: Callable[..., Path], command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = write_contract(
        {"/a": {"get": {"responses": {"200": {"description": ""}}}}},
        components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
        security=[{"key": []}],
    )
    file = write(tmp_path, "identities: [{username: ann, token: x}, {username: bob, schemes: {kee: k}}]")
    for target in (["http://127.0.0.1:1"], []):
        done = command("check", *target, "--contract", str(path), "--identities", str(file))
        assert done.returncode == 2
        assert f"{file}: identity 2 (bob): `schemes` names 'kee', and the contract has 'key'" in done.stderr


def test_another_token_is_one_more(tmp_path: Path) -> None:
    text = "identities: [{username: a, token: x, level: l, owns: [b]}, {username: c, password: p}]"
    one, other = load_identities(write(tmp_path, text), {}).all
    renewed = one.with_token("y").with_token("z")
    assert (renewed.token, renewed.username, renewed.level, renewed.owns) == ("z", "a", "l", ("b",))
    assert [renewed.has_token(token) for token in ("x", "y", "z", "p", None)] == [True, True, True, False, False]
    assert (renewed.owns_known, other.with_token("y").owns_known) == (True, False)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_identities(tmp_path / "none.yaml")


def test_seed_data_gives_one_identity_for_each_level() -> None:
    identities = seeded_identities(defaults.SEED_DATA)
    usable = [identity.level for identity in identities.all if identity.token and identity.password]
    assert list(dict.fromkeys(usable)) == ["MasterAdmin", "DomainAdmin", "MailUser"]


@pytest.mark.parametrize(
    ("levels", "presumed", "caller"),
    [
        (["low"], "b", "b"),
        (["low"], None, "a"),
        (["low"], "nobody", "a"),
        (["low"], "c", "a"),  # who has no token cannot call
        (["high", "low"], "b", "top"),  # the mightiest, for it gets furthest
        (["high", "low"], "top", "top"),
    ],
)
def test_who_an_example_presumes_calls_among_equals(
    tmp_path: Path, levels: list[str], presumed: str | None, caller: str
) -> None:
    example = {"value": 1, **({"x-mockserver-presumes": {"identity": presumed}} if presumed else {})}
    answer = {"200": {"description": "", "content": {"application/json": {"examples": {"one": example}}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "x-mockserver-levels": ["high", "low"],
        "paths": {"/": {"get": {"x-mockserver-levels": levels, "responses": answer}}},
    }
    (tmp_path / "contract.json").write_text(json.dumps(document), encoding="utf-8")
    [operation] = load_contract(tmp_path / "contract.json").operations
    accounts = [("a", "low", "x"), ("b", "low", "y"), ("c", "low", None), ("top", "high", "z")]
    identities = Identities(tuple(Identity(name, token, level=level) for name, level, token in accounts))
    found = identities.allowed(operation, ("high", "low"))
    assert found is not None
    assert found.username == caller


def test_seed_data_tell_the_credentials_of_schemes_and_the_scopes(tmp_path: Path) -> None:
    (ann,) = seeded_identities(write(tmp_path, "accounts: [{username: ann, schemes: {key: k}, scopes: [read]}]")).all
    assert (ann.schemes, ann.scopes) == ({"key": "k"}, ("read",))


def test_a_scheme_of_another_kind_is_shown_by_its_name() -> None:
    fields: list[tuple[str, str]] = []
    assert add_credential(SecurityScheme("s", "http", "token", "", "", ""), "ann", "secret", fields, [])
    assert fields == [("Authorization", "token secret")]
    assert not add_credential(SecurityScheme("s", "http", "digest", "", "", ""), "ann", "secret", [], [])


def test_credentials_follow_the_first_requirement_that_can_be_met(contract: Contract) -> None:
    operation = contract.by_id["note_get"]
    shown = credentials(contract, operation, Identity("a", token="t"))
    assert shown == ((("Authorization", basic.encode("a:t")),), ())
    assert credentials(contract, operation, Identity("a", password="p")) == (
        (("Authorization", basic.encode("a:p")),),
        (),
    )
    assert credentials(contract, operation, Identity("a")) is None


def test_secrets_have_names_for_output() -> None:
    identity = Identity("u2@vonmail.com", token="t", password="p", schemes={"api key": "k"})
    assert list(identity.secrets()) == [
        ("U2_VONMAIL_COM_TOKEN", "t"),
        ("U2_VONMAIL_COM_PASSWORD", "p"),
        ("U2_VONMAIL_COM_API_KEY", "k"),
    ]


@pytest.mark.parametrize(
    ("security", "asks"),
    [
        ([{"basic": []}], True),
        ([{"basic": []}, {"basic": []}], True),
        ([], False),
        ([{}, {"basic": []}], False),
        ([{"basic": []}, {}], False),
        ([{"tls": []}], False),
    ],
)
def test_credentials_that_need_not_be_shown_are_not_asked_for(
    tmp_path: Path, security: list[dict[str, list[str]]], asks: bool
) -> None:
    note: dict[str, Any] = copy.deepcopy(NOTE)
    note["components"]["securitySchemes"]["tls"] = {"type": "mutualTLS"}
    note["paths"]["/note"]["get"]["security"] = security
    path = tmp_path / "note.json"
    path.write_text(json.dumps(note))
    contract = load_contract(path)
    assert asks_for_credentials(contract, contract.by_id["note_get"]) == asks
    run = prepare(contract, WsgiTarget(answering(404)), Identities((ADMIN, GUEST)))
    claims = {entry.check for entry in plan(run) if entry.operation == "GET /note"}
    assert ("unknown_tokens_are_refused" in claims) == asks


def test_seed_data_tell_all_tokens_of_an_account(tmp_path: Path) -> None:
    tokens = "[{token: own, expires: false}, {token: shared, expires: false}]"
    (ann,) = seeded_identities(write(tmp_path, f"accounts: [{{username: ann, tokens: {tokens}}}]")).all
    assert ann.token == "own"
    assert [ann.has_token(token) for token in ("own", "shared", "other", None)] == [True, True, False, False]
