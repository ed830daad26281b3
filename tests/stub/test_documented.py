"""The documented requests get exactly the documented answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.http.pointers import blanked
from mockserver.plugins import DEFAULT, find
from mockserver.stub.examples.example_sequences import Sequence, sequences
from mockserver.stub.store.seed import load_seed
from tests.defaults import CONTRACT, SEED_DATA

if TYPE_CHECKING:
    from tests.conftest import Client

SEQUENCES = {
    sequence.name: sequence for sequence in sequences(load_contract(CONTRACT), load_seed(SEED_DATA, find(DEFAULT)))
}

#: Setting, documented request, documented answer: copied from the documentation by hand.
WRITES: list[tuple[str, dict[str, Any], Any]] = [
    (
        "system_mailer",
        {
            "server_hostname": "mail3.mymailcheap.com",
            "server_port": 587,
            "username": "noreply@vonmail.com",
            "password": "7Hp5jQ3GMNyLuwkAlDb3",
        },
        {
            "server_hostname": "mail3.mymailcheap.com",
            "server_port": 587,
            "username": "noreply@vonmail.com",
        },
    ),
    (
        "postfix_relayhost",
        {
            "server_hostname": "filter1020.mymailcheap.com",
            "server_port": 587,
            "username": "relay-user",
            "password": "secure-relay-user-password",
        },
        {"server_hostname": "filter1020.mymailcheap.com", "server_port": 587, "username": "relay-user"},
    ),
    (
        "junk_trash_clearing_interval",
        {"junk_days": 7, "trash_days": 14},
        {"junk_days": 7, "trash_days": 14},
    ),
    ("imap_master_password", {"null": None}, "long-imap-master-password-here"),
]


@pytest.mark.parametrize(("setting", "sent", "shown"), WRITES, ids=[row[0] for row in WRITES])
def test_the_four_writes(stub: Client, setting: str, sent: Any, shown: Any) -> None:
    answer = stub.call("POST", f"/api/v1/settings/{setting}/", json=sent)
    assert answer.status == 200
    assert answer.fields["content-type"] == "application/json"
    assert answer.json() == {"settings": {"name": setting, "status": "applying", "value": shown}}


@pytest.mark.parametrize(("setting", "sent", "shown"), WRITES, ids=[row[0] for row in WRITES])
def test_the_documented_read_and_reset(stub: Client, setting: str, sent: Any, shown: Any) -> None:
    path = f"/api/v1/settings/{setting}/"
    stub.call("POST", path, json=sent)
    assert stub.call("GET", path).json() == {"settings": {"name": setting, "status": "applied", "value": shown}}
    assert stub.call("DELETE", path).json() == {"settings": {"name": setting, "status": "deleting"}}


@pytest.mark.parametrize("otp", [{}, {"otp": "378851"}], ids=["curl", "python"])
def test_the_documented_login(stub: Client, otp: dict[str, str]) -> None:
    stub.set_clock(now=1582536047)
    login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO", **otp}
    answer = stub.call("POST", "/api/v1/auth/", user=None, json=login)
    assert answer.status == 200
    assert answer.json() == {
        "auth": {
            "auth_token": "Woy1D6tHXVc1heFmzDnSZ5svoR81IbW5fxbA2lZq",
            "message": "Successfully logged in",
            "perm_level": "MasterAdmin",
            "status": "success",
            "username": "admin",
            "valid_from": 1582536047,
            "valid_to": 1582622447,
        }
    }


def test_the_documented_token_calls(stub: Client) -> None:
    assert stub.call("GET", "/api/v1/auth/").json() == {
        "auth": {
            "message": "Authorization valid",
            "perm_level": "MasterAdmin",
            "status": "valid",
            "username": "admin",
            "valid_from": 1582536536,
            "valid_to": 1582622936,
        }
    }
    assert stub.call("DELETE", "/api/v1/auth/").json() == {
        "auth": {"message": "Authorization revoked", "status": "revoked", "username": "admin"}
    }


def _run(client: Client, sequence: Sequence) -> None:
    """Send the steps as they are; the last answer must be the documented one."""
    answers = [
        client.call(
            step.method,
            step.path,
            user=None,
            content=None if step.content is None else step.content.encode(),
            fields=dict(step.fields),
        )
        for step in sequence.steps
    ]
    assert all(answer.status < 300 for answer in answers[:-1])
    assert str(answers[-1].status) == sequence.status
    if sequence.status == "204":
        assert answers[-1].content == b""
    else:
        shown, documented = answers[-1].json(), sequence.value
        assert blanked(shown, sequence.stripped) == blanked(documented, sequence.stripped)


def test_there_is_a_sequence_for_every_operation_that_succeeds() -> None:
    contract = load_contract(CONTRACT)
    documented = {
        operation.id for operation in contract.operations if any(key[0] == "2" for key in operation.responses)
    }
    assert documented == {name.partition("/")[0] for name in SEQUENCES}


def test_sequences_come_out_in_any_order_and_again(local_stub: Client) -> None:
    for sequence in [*reversed(SEQUENCES.values()), *SEQUENCES.values()]:
        _run(local_stub, sequence)


@pytest.mark.parametrize("start", ["first", "second"])
def test_the_default_world_answers_as_documented_on_every_start(make_stub: Callable[..., Client], start: str) -> None:
    client = make_stub()
    for setting, sent, shown in WRITES:
        answer = client.call("POST", f"/api/v1/settings/{setting}/", json=sent)
        assert answer.json()["settings"]["value"] == shown, start


def test_same_seed_clock_and_requests_give_the_same_bytes(make_stub: Callable[..., Client]) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/api/v1/auth/", {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}),
        ("POST", "/api/v1/settings/imap_master_password/", {}),
        ("GET", "/api/v1/settings/imap_master_password/", {}),
    ] * 3

    def run(seed: int) -> list[bytes]:
        client = make_stub(seed=seed, clock=1_600_000_000)
        return [client.call(method, path, json=content).content for method, path, content in calls]

    assert run(7) == run(7)
    assert run(7) != run(8)
