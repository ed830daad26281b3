"""WebAuthn: registering credentials, logging in with them, and doing without the password; and how each is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mockserver.builtin.mailcheap.passkeys import CHALLENGE_SECONDS, MAX_ANONYMOUS_CHALLENGES, MAX_CHALLENGES
from tests.authenticator import (
    BACKED_UP,
    BACKUP_ELIGIBLE,
    USER_PRESENT,
    USER_VERIFIED,
    Authenticator,
    client_data,
    decode,
    eddsa_key,
    encode,
    es256_key,
    rs256_key,
)
from tests.defaults import SEED_DATA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Answer, Client

AUTH = "/api/v1/auth/"
REGISTER = "/api/v1/webauthn/registration/options/"
REGISTERED = "/api/v1/webauthn/registration/verify/"
ASK = "/api/v1/webauthn/authentication/options/"
ANSWER = "/api/v1/webauthn/authentication/verify/"
CREDENTIALS = "/api/v1/webauthn/credentials/"
U2 = "u2@vonmail.com"
LOGIN = {"username": U2, "password": "mailuser-sample-password"}
START = 1_600_000_000

Change = Callable[[dict[str, Any]], None]


def _options(client: Client, user: str = "mail") -> dict[str, Any]:
    answer = client.call("GET", REGISTER, user=user)
    assert answer.status == 200
    options: dict[str, Any] = answer.json()
    return options


def _register(client: Client, device: Authenticator, name: str = "key", user: str = "mail") -> Answer:
    made = device.create(_options(client, user))
    return client.call("POST", REGISTERED, user=user, json={**made, "friendly_name": name})


def _asked(client: Client) -> dict[str, Any]:
    answer = client.call("GET", ASK, user=None)
    assert answer.status == 200
    options: dict[str, Any] = answer.json()
    return options


def _send(client: Client, options: dict[str, Any], assertion: dict[str, Any]) -> Answer:
    sent = {**assertion, "auth_challenge": options["challenge"]}
    return client.call("POST", ANSWER, user=None, json=sent)


def _log_in(client: Client, device: Authenticator) -> Answer:
    options = _asked(client)
    return _send(client, options, device.get(options))


def _listed(client: Client, user: str = "mail") -> list[dict[str, Any]]:
    credentials: list[dict[str, Any]] = client.call("GET", CREDENTIALS, user=user).json()["credentials"]
    return credentials


# ---- the whole way


@pytest.mark.parametrize("make_key", [es256_key, eddsa_key, rs256_key], ids=["ES256", "EdDSA", "RS256"])
def test_a_credential_is_registered_and_logs_in(stub: Client, make_key: Callable[[], Any]) -> None:
    stub.set_clock(now=START)
    device = Authenticator(make_key())
    answer = _register(stub, device, "Workstation")
    assert (answer.status, answer.json()) == (200, {"friendly_name": "Workstation"})
    answer = _log_in(stub, device)
    assert answer.status == 200, answer
    auth = answer.json()["auth"]
    token = auth.pop("auth_token")
    assert auth == {
        "message": "Successfully logged in",
        "perm_level": "MailUser",
        "status": "success",
        "username": U2,
        "valid_from": START,
        "valid_to": START + 86_400,
    }
    assert stub.call("GET", AUTH, user=(U2, token)).json()["auth"]["username"] == U2
    assert _log_in(stub, device).status == 200


def test_the_same_answer_as_of_a_login_by_password(stub: Client) -> None:
    device = Authenticator()
    _register(stub, device)
    by_key = _log_in(stub, device).json()["auth"]
    by_password = stub.call("POST", AUTH, user=None, json=LOGIN).json()["auth"]
    assert by_key.keys() == by_password.keys()
    assert by_key["message"] == by_password["message"]


def test_a_credential_logs_in_whose_it_is(stub: Client) -> None:
    of_admin, of_u2 = Authenticator(identifier=b"admin's"), Authenticator(identifier=b"u2's")
    _register(stub, of_admin, user="admin")
    _register(stub, of_u2, user="mail")
    assert _log_in(stub, of_u2).json()["auth"]["username"] == U2
    assert _log_in(stub, of_admin).json()["auth"]["perm_level"] == "MasterAdmin"


def test_no_one_time_password_is_asked_for(stub: Client) -> None:
    device = Authenticator()
    _register(stub, device)
    stub.set_clock(now=1583222670)
    stub.call("POST", f"/api/v1/2fa/{U2}/", user="mail")
    verify = {"username": U2, "otp": "749463"}
    assert stub.call("POST", "/api/v1/2fa/verify/", user="mail", json=verify).status == 200
    assert _log_in(stub, device).status == 200


# ---- options


def test_registration_options_name_the_account(stub: Client) -> None:
    of_u2, of_admin = _options(stub, "mail"), _options(stub, "admin")
    assert (of_u2["user"]["name"], of_u2["user"]["displayName"]) == (U2, U2)
    assert of_u2["user"]["id"] != of_admin["user"]["id"] != "MTI"
    assert _options(stub, "mail")["user"] == of_u2["user"], "the same account has the same handle"
    assert of_u2["challenge"] != of_admin["challenge"]


def test_challenges_are_64_bytes_and_all_different(stub: Client) -> None:
    challenges = [_options(stub)["challenge"] for _ in range(4)] + [_asked(stub)["challenge"] for _ in range(4)]
    assert {len(decode(challenge)) for challenge in challenges} == {64}
    assert len(set(challenges)) == 8


def test_credentials_that_an_account_has_are_excluded(stub: Client) -> None:
    assert _options(stub)["excludeCredentials"] == []
    for number in range(2):
        _register(stub, Authenticator(identifier=bytes([number]) * 16), f"key {number}")
    excluded = _options(stub)["excludeCredentials"]
    assert [one["id"] for one in excluded] == [encode(bytes([number]) * 16) for number in range(2)]
    assert all(one["type"] == "public-key" and one["transports"] == ["internal"] for one in excluded)
    assert _options(stub, "admin")["excludeCredentials"] == []


# ---- what is told of credentials


def test_credentials_are_listed_as_their_devices_say(stub: Client) -> None:
    flags = USER_PRESENT | USER_VERIFIED
    assert _listed(stub) == []
    for number, (name, more) in enumerate([("b", 0), ("a", BACKUP_ELIGIBLE), ("c", BACKUP_ELIGIBLE | BACKED_UP)]):
        device = Authenticator(identifier=bytes([number]) * 16, flags=flags | more)
        assert _register(stub, device, name).status == 200
    assert _listed(stub) == [
        {"backed_up": 0, "device_type": "single_device", "friendly_name": "b"},
        {"backed_up": 0, "device_type": "multi_device", "friendly_name": "a"},
        {"backed_up": 1, "device_type": "multi_device", "friendly_name": "c"},
    ]
    assert _listed(stub, "admin") == []


def test_a_login_tells_of_a_backup_made_since(stub: Client) -> None:
    device = Authenticator(flags=USER_PRESENT | BACKUP_ELIGIBLE)
    _register(stub, device)
    device.flags |= BACKED_UP
    assert _log_in(stub, device).status == 200
    assert _listed(stub)[0]["backed_up"] == 1


def test_a_name_is_taken_once_in_an_account(stub: Client) -> None:
    assert _register(stub, Authenticator(identifier=b"one"), "key").status == 200
    assert _register(stub, Authenticator(identifier=b"two"), "key").status == 409
    assert _register(stub, Authenticator(identifier=b"two"), "Key").status == 200
    assert _register(stub, Authenticator(identifier=b"three"), "key", "admin").status == 200


def test_a_credential_belongs_to_one_account(stub: Client) -> None:
    device = Authenticator()
    assert _register(stub, device, "mine").status == 200
    assert _register(stub, device, "mine again").status == 409
    assert _register(stub, device, "mine", "admin").status == 409
    assert len(_listed(stub)) == 1


# ---- challenges


def test_a_challenge_is_answered_once(stub: Client) -> None:
    device = Authenticator()
    options = _options(stub)
    first = {**device.create(options), "friendly_name": "one"}
    second = {**Authenticator(identifier=b"another").create(options), "friendly_name": "two"}
    assert stub.call("POST", REGISTERED, user="mail", json=first).status == 200
    assert stub.call("POST", REGISTERED, user="mail", json=second).status == 409
    asked = _asked(stub)
    assert _send(stub, asked, device.get(asked)).status == 200
    assert _send(stub, asked, device.get(asked)).status == 401


@given(seconds=st.integers(-1, 1).map(lambda around: CHALLENGE_SECONDS + around))
def test_a_challenge_ends(local_stub: Client, seconds: int) -> None:
    client = local_stub.in_new_world()
    client.set_clock(now=START)
    early, late = Authenticator(identifier=b"early"), Authenticator(identifier=b"late")
    assert _register(client, early, "early").status == 200
    options, asked = _options(client), _asked(client)
    client.set_clock(now=START + seconds)
    made = {**late.create(options), "friendly_name": "late"}
    in_time = seconds < CHALLENGE_SECONDS
    assert client.call("POST", REGISTERED, user="mail", json=made).status == (200 if in_time else 409)
    assert _send(client, asked, early.get(asked)).status == (200 if in_time else 401)


def test_a_challenge_is_for_who_asked_and_for_what(stub: Client) -> None:
    device = Authenticator()
    made = {**device.create(_options(stub, "admin")), "friendly_name": "key"}
    assert stub.call("POST", REGISTERED, user="mail", json=made).status == 409, "another account's"
    asked = _asked(stub)
    options = {**_options(stub), "challenge": asked["challenge"]}
    assert (
        stub.call("POST", REGISTERED, user="mail", json={**device.create(options), "friendly_name": "key"}).status
        == 409
    )
    assert _register(stub, device).status == 200
    challenge = _options(stub)["challenge"]
    options = {**asked, "challenge": challenge}
    assert _send(stub, options, device.get(options)).status == 401, "one of registration"


def test_a_refused_answer_leaves_the_challenge_open(stub: Client) -> None:
    device = Authenticator()
    options = _options(stub)
    wrong = {**device.create(options, "https://evil.example"), "friendly_name": "key"}
    assert stub.call("POST", REGISTERED, user="mail", json=wrong).status == 409
    right = {**device.create(options), "friendly_name": "key"}
    assert stub.call("POST", REGISTERED, user="mail", json=right).status == 200


def test_asking_cannot_fill_the_memory_and_drops_the_oldest(local_stub: Client) -> None:
    device = Authenticator()
    _register(local_stub, device)
    first, second = _asked(local_stub), _asked(local_stub)
    for _ in range(MAX_ANONYMOUS_CHALLENGES - 1):
        _asked(local_stub)
    assert _send(local_stub, first, device.get(first)).status == 401
    assert _send(local_stub, second, device.get(second)).status == 200
    options = [_options(local_stub) for _ in range(MAX_CHALLENGES + 1)]
    for number, status in ((0, 409), (1, 200)):
        made = {**Authenticator(identifier=b"more").create(options[number]), "friendly_name": "more"}
        assert local_stub.call("POST", REGISTERED, user="mail", json=made).status == status


# ---- what an authenticator must not say


def _reply(kind: str, **changed: Any) -> Change:
    """Return the change of an answer's client data, which the browser writes and nothing signs at registration."""

    def change(sent: dict[str, Any]) -> None:
        said = {**json.loads(decode(sent["response"]["clientDataJSON"])), **changed}
        sent["response"]["clientDataJSON"] = encode(json.dumps(said).encode())

    change.__name__ = kind
    return change


def _with(**changed: Any) -> Change:
    return lambda sent: sent.update(changed)


def _in_response(**changed: Any) -> Change:
    return lambda sent: sent["response"].update(changed)


def _flipped(member: str) -> Change:
    """Return the change of one bit in the middle of some bytes."""

    def change(sent: dict[str, Any]) -> None:
        value = bytearray(decode(sent["response"][member]))
        value[len(value) // 2] ^= 1
        sent["response"][member] = encode(bytes(value))

    return change


CLIENT_DATA: dict[str, Change] = {
    "another origin": _reply("origin", origin="https://evil.example"),
    "an origin that ends alike": _reply("origin", origin="https://notdemo.mymailcheap.com"),
    "an origin above": _reply("origin", origin="https://mymailcheap.com"),
    "an origin without TLS": _reply("origin", origin="http://demo.mymailcheap.com"),
    "no origin": _reply("origin", origin="demo.mymailcheap.com"),
    "an origin that is no text": _reply("origin", origin=["https://demo.mymailcheap.com"]),
    "a broken origin": _reply("origin", origin="https://["),
    "another challenge": _reply("challenge", challenge=encode(bytes(64))),
    "a challenge that is no text": _reply("challenge", challenge=None),
    "another type": _reply("type", type="webauthn.other"),
    "client data that are no JSON": _in_response(clientDataJSON="AAAA"),
    "client data that are no object": _in_response(clientDataJSON=encode(b"[]")),
    "client data of deep lists": _in_response(clientDataJSON=encode(b"[" * 40_000)),
    "client data that are no Base64": _in_response(clientDataJSON="A"),
    "another rawId": _with(rawId="AAAA"),
}
ATTESTATIONS: dict[str, Change] = {
    **CLIENT_DATA,
    "a type of logging in": _reply("type", type="webauthn.get"),
    "an attestation that is no CBOR": _in_response(attestationObject="_w"),
    "an attestation that is no map": _in_response(attestationObject="gA"),
    "an empty map": _in_response(attestationObject="oA"),
    "an attestation that is cut": lambda sent: sent["response"].update(
        attestationObject=sent["response"]["attestationObject"][:-40]
    ),
    "an attestation of deep lists": _in_response(attestationObject=encode(b"\x81" * 40_000)),
    "an attestation of huge length": _in_response(attestationObject=encode(b"\x5b" + b"\xff" * 8)),
}
ASSERTIONS: dict[str, Change] = {
    **CLIENT_DATA,
    "a type of registering": _reply("type", type="webauthn.create"),
    "more client data than was signed": _reply("more", more=1),
    "another signature": _flipped("signature"),
    "no signature": _in_response(signature="AA"),
    "other authenticator data": _flipped("authenticatorData"),
    "cut authenticator data": _in_response(authenticatorData="AAAA"),
    "another user handle": _in_response(userHandle="AAAA"),
    "another credential": _with(id="AAAA", rawId="AAAA"),
    "another auth_challenge": _with(auth_challenge=encode(bytes(64))),
}


@pytest.mark.parametrize("what", ATTESTATIONS)
def test_attestations_that_are_refused(stub: Client, what: str) -> None:
    sent = {**Authenticator().create(_options(stub)), "friendly_name": "key"}
    ATTESTATIONS[what](sent)
    answer = stub.call("POST", REGISTERED, user="mail", json=sent)
    assert answer.status == 409, answer
    assert _listed(stub) == []


@pytest.mark.parametrize("what", ASSERTIONS)
def test_assertions_that_are_refused(stub: Client, what: str) -> None:
    device = Authenticator()
    _register(stub, device)
    options = _asked(stub)
    sent = {**device.get(options), "auth_challenge": options["challenge"]}
    ASSERTIONS[what](sent)
    answer = stub.call("POST", ANSWER, user=None, json=sent)
    assert answer.status == 401, answer
    assert answer.fields["www-authenticate"].startswith("Basic ")
    assert "auth_token" not in answer.content.decode()
    assert _log_in(stub, device).status == 200, "and the credential is none the worse for it"


@given(content=st.binary(max_size=80))
def test_no_bytes_break_the_stub(local_stub: Client, content: bytes) -> None:
    options = _options(local_stub)
    made = {**Authenticator().create(options), "friendly_name": "key"}
    made["response"]["attestationObject"] = encode(content) or "AA"
    assert local_stub.call("POST", REGISTERED, user="mail", json=made).status == 409
    made["response"]["clientDataJSON"] = encode(content) or "AA"
    assert local_stub.call("POST", REGISTERED, user="mail", json=made).status == 409


def test_nobody_present_is_nobody(stub: Client) -> None:
    assert _register(stub, Authenticator(flags=USER_VERIFIED)).status == 409
    device = Authenticator(flags=USER_PRESENT)
    assert _register(stub, device).status == 200, "verification is preferred, not required"
    device.flags = USER_VERIFIED
    assert _log_in(stub, device).status == 401


def test_another_relying_party_is_refused(stub: Client) -> None:
    options = _options(stub)
    options["rp"]["id"] = "evil.example"
    made = {**Authenticator().create(options), "friendly_name": "key"}
    assert stub.call("POST", REGISTERED, user="mail", json=made).status == 409


def test_a_copied_authenticator_is_found_by_its_count(stub: Client) -> None:
    device = Authenticator(count=5)
    _register(stub, device)
    assert _log_in(stub, device).status == 200
    device.count = 5
    assert _log_in(stub, device).status == 401, "counted already"
    assert _log_in(stub, device).status == 200, "7"


def test_an_authenticator_need_not_count(stub: Client) -> None:
    device = Authenticator(counts=False)
    _register(stub, device)
    assert [_log_in(stub, device).status for _ in range(3)] == [200, 200, 200]


def test_a_server_asks_for_credentials_to_register(stub: Client) -> None:
    assert stub.call("GET", REGISTER, user=None).status == 401
    assert stub.call("GET", CREDENTIALS, user=None).status == 401
    made = {**Authenticator().create(_options(stub)), "friendly_name": "key"}
    assert stub.call("POST", REGISTERED, user=None, json=made).status == 401


# ---- whose pages may log in: the relying party


def _stub_of(make_stub: Callable[..., Client], folder: Path, party: str | None) -> Client:
    seed = yaml.safe_load(SEED_DATA.read_text(encoding="utf-8"))
    seed["webauthn"] = {"relying_party": party} if party else {}
    path = folder / "seed.yaml"
    path.write_text(yaml.safe_dump(seed), encoding="utf-8")
    return make_stub(seed_data=path)


#: Relying party of the seed data, origin of the page, and whether a browser lets the one speak for the other.
ORIGINS = [
    (None, "http://localhost:3000", True),
    (None, "https://localhost", True),
    (None, "http://app.localhost:3000", True),
    (None, "http://127.0.0.1:3000", False),
    (None, "https://demo.mymailcheap.com", False),
    ("example.com", "https://example.com", True),
    ("example.com", "https://example.com:8443", True),
    ("example.com", "https://mail.example.com", True),
    ("example.com", "http://example.com", False),
    ("example.com", "https://badexample.com", False),
    ("example.com", "http://localhost:3000", False),
]


@pytest.mark.parametrize(("party", "origin", "accepted"), ORIGINS)
def test_pages_of_the_relying_party_may_log_in(
    make_stub: Callable[..., Client], tmp_path: Path, party: str | None, origin: str, *, accepted: bool
) -> None:
    client = _stub_of(make_stub, tmp_path, party)
    options = _options(client)
    assert options["rp"] == {"id": party or "localhost", "name": party or "localhost"}
    made = {**Authenticator().create(options, origin), "friendly_name": "key"}
    assert client.call("POST", REGISTERED, user="mail", json=made).status == (200 if accepted else 409)


# ---- doing without the password


def _disable(client: Client, username: str = U2, user: str = "mail") -> Answer:
    return client.call("POST", f"/api/v1/auth/password/disable/{username}/", user=user)


def _with_two(client: Client) -> list[Authenticator]:
    devices = [Authenticator(identifier=bytes([number]) * 16) for number in range(2)]
    for number, device in enumerate(devices):
        assert _register(client, device, f"key {number}").status == 200
    return devices


def test_two_credentials_are_enough_to_do_without_the_password(stub: Client) -> None:
    assert _disable(stub).status == 409
    _register(stub, Authenticator(identifier=b"one"), "one")
    assert _disable(stub).status == 409
    assert stub.call("POST", AUTH, user=None, json=LOGIN).status == 200
    _register(stub, Authenticator(identifier=b"two"), "two")
    answer = _disable(stub)
    assert (answer.status, answer.json()) == (200, {"password_login": "disabled"})
    assert _disable(stub).status == 200


def test_without_the_password_credentials_log_in_and_tokens_go_on(stub: Client) -> None:
    device, _ = _with_two(stub)
    token = stub.call("POST", AUTH, user=None, json=LOGIN).json()["auth"]["auth_token"]
    _disable(stub)
    answer = stub.call("POST", AUTH, user=None, json=LOGIN)
    assert (answer.status, "www-authenticate" in answer.fields) == (401, True)
    assert "disabled" in answer.json()["detail"]
    assert stub.call("GET", AUTH, user=(U2, token)).status == 200
    assert _log_in(stub, device).status == 200
    assert (
        stub.call("POST", AUTH, user=None, json={"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}).status == 200
    )


def test_a_wrong_password_does_not_tell_that_it_is_disabled(stub: Client) -> None:
    _with_two(stub)
    wrong = {**LOGIN, "password": "wrong"}
    before = stub.call("POST", AUTH, user=None, json=wrong)
    _disable(stub)
    assert stub.call("POST", AUTH, user=None, json=wrong).content == before.content


def test_device_passwords_are_for_accounts_without_password_login_too(stub: Client) -> None:
    device = {"friendly_name": "Workstation"}
    assert stub.call("POST", "/api/v1/2fa/device_password/", user="mail", json=device).status == 409
    _with_two(stub)
    _disable(stub)
    assert stub.call("POST", "/api/v1/2fa/device_password/", user="mail", json=device).status == 200


@pytest.mark.parametrize(
    ("user", "username", "status"),
    [
        ("admin", U2, 200),
        ("domain", U2, 200),
        ("admin", "u1@vonmail.com", 409),
        ("admin", "nobody@vonmail.com", 404),
        ("domain", "u9@other.example", 403),
        ("domain", "admin", 403),
        ("mail", "u1@vonmail.com", 403),
        ("mail", "domainadmin@vonmail.com", 403),
    ],
)
def test_who_may_disable_whose_password(stub: Client, user: str, username: str, status: int) -> None:
    _with_two(stub)
    assert _disable(stub, username, user).status == status


# ---- what is kept


def test_credentials_outlive_the_process(make_stub: Callable[..., Client], tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    first, second = _with_two(make_stub(state=state))
    again = make_stub(state=state)
    assert [one["friendly_name"] for one in _listed(again)] == ["key 0", "key 1"]
    assert _log_in(again, first).status == 200
    assert _disable(again).status == 200
    assert make_stub(state=state).call("POST", AUTH, user=None, json=LOGIN).status == 401
    assert _log_in(make_stub(state=state), second).status == 200


def test_tokens_that_are_issued_stand_in_no_dump(stub: Client) -> None:
    device = Authenticator()
    _register(stub, device)
    token = _log_in(stub, device).json()["auth"]["auth_token"]
    assert token not in json.dumps([stub.control("GET", "/state"), stub.journal()])


def test_client_data_are_written_as_browsers_do() -> None:
    """The authenticator of these tests is held against the one answer of a real browser that is documented."""
    said = client_data("webauthn.create", "AA", "https://demo.mymailcheap.com")
    assert (
        said
        == b'{"type":"webauthn.create","challenge":"AA","origin":"https://demo.mymailcheap.com","crossOrigin":false}'
    )
