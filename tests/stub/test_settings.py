"""The cycle of a setting: never set, set, read, reset, read; and what `applying` and `deleting` mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Client

MAILER = "/api/v1/settings/system_mailer/"
RELAY = "/api/v1/settings/postfix_relayhost/"
INTERVAL = "/api/v1/settings/junk_trash_clearing_interval/"
MASTER = "/api/v1/settings/imap_master_password/"
SETTINGS = [MAILER, RELAY, INTERVAL, MASTER]
SERVER = {"server_hostname": "h.example", "server_port": 25, "username": "u", "password": "p4ssphrase-not-shown"}
VALID: dict[str, Any] = {
    MAILER: SERVER,
    RELAY: SERVER,
    INTERVAL: {"junk_days": 1, "trash_days": 2},
    MASTER: {},
}

# What JSON and UTF-8 can carry: all but surrogates.
text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def _status(client: Client, path: str) -> Any:
    answer = client.call("GET", path)
    return answer.json()["settings"]["status"] if answer.content else answer.status


@pytest.mark.parametrize("path", SETTINGS)
def test_never_set_is_an_empty_html_204(stub: Client, path: str) -> None:
    answer = stub.call("GET", path)
    assert answer.status == 204
    assert answer.content == b""
    assert answer.fields["content-type"].partition(";")[0] == "text/html"
    assert answer.fields.get("content-length", "0") == "0"


@pytest.mark.parametrize("path", SETTINGS)
def test_set_read_reset_read(stub: Client, path: str) -> None:
    written = stub.call("POST", path, json=VALID[path]).json()["settings"]
    assert written["status"] == "applying"
    assert stub.call("GET", path).json() == {"settings": {**written, "status": "applied"}}
    assert stub.call("GET", path).json() == {"settings": {**written, "status": "applied"}}
    assert stub.call("DELETE", path).json() == {"settings": {"name": written["name"], "status": "deleting"}}
    assert stub.call("GET", path).status == 204
    assert stub.call("DELETE", path).json()["settings"]["status"] == "deleting"
    assert stub.call("GET", path).status == 204


def test_a_second_write_replaces_the_first(stub: Client) -> None:
    stub.call("POST", MAILER, json=SERVER)
    stub.call("POST", MAILER, json={**SERVER, "server_hostname": "other.example"})
    assert stub.call("GET", MAILER).json()["settings"]["value"]["server_hostname"] == "other.example"


@pytest.mark.parametrize("path", SETTINGS)
def test_one_setting_leaves_the_others_alone(stub: Client, path: str) -> None:
    others = [other for other in SETTINGS if other != path]
    stub.call("POST", path, json=VALID[path])
    assert [stub.call("GET", other).status for other in others] == [204, 204, 204]
    for other in others:
        stub.call("POST", other, json=VALID[other])
    before = [stub.call("GET", other).content for other in others]
    stub.call("DELETE", path)
    assert [stub.call("GET", other).content for other in others] == before


def test_a_rejected_write_changes_nothing(stub: Client) -> None:
    stub.call("POST", INTERVAL, json={"junk_days": 3, "trash_days": 4})
    before = stub.call("GET", INTERVAL).content
    assert stub.call("POST", INTERVAL, json={"junk_days": -1, "trash_days": 9}).status == 422
    assert stub.call("POST", INTERVAL, content=b'{"junk_days": 8, "trash_days": 9').status == 400
    assert stub.call("POST", INTERVAL, user="mail", json={"junk_days": 8, "trash_days": 9}).status == 403
    assert stub.call("GET", INTERVAL).content == before


def test_each_generated_password_is_another(stub: Client) -> None:
    values = [stub.call("POST", MASTER, json={}).json()["settings"]["value"] for _ in range(3)]
    assert len(set(values)) == 3
    assert stub.call("GET", MASTER).json()["settings"]["value"] == values[-1]


@given(body=st.dictionaries(text, st.none() | st.booleans() | text, max_size=4))
def test_the_master_password_takes_any_object_and_echoes_nothing(local_stub: Client, body: Any) -> None:
    answer = local_stub.call("POST", MASTER, json={**body, "marker": "never-to-be-seen-again"})
    assert answer.status == 200
    assert set(answer.json()["settings"]) == {"name", "status", "value"}
    assert b"never-to-be-seen-again" not in answer.content


@given(
    path=st.sampled_from([MAILER, RELAY]),
    hostname=text.map(lambda value: value[:253]),
    port=st.integers(1, 65535),
    username=text.map(lambda value: value[:320]),
    password=text.map(lambda value: f"canary-{value}"[:1024]),
)
def test_values_come_back_as_they_were_sent(
    local_stub: Client, path: str, hostname: str, port: int, username: str, password: str
) -> None:
    shown = {"server_hostname": hostname, "server_port": port, "username": username}
    answer = local_stub.call("POST", path, json={**shown, "password": password})
    assert answer.status == 200, answer
    assert answer.json()["settings"]["value"] == shown
    assert local_stub.call("GET", path).json()["settings"]["value"] == shown


@given(junk=st.integers(0, 36500), trash=st.integers(0, 36500))
def test_intervals_come_back_as_they_were_sent(local_stub: Client, junk: int, trash: int) -> None:
    sent = {"junk_days": junk, "trash_days": trash}
    assert local_stub.call("POST", INTERVAL, json=sent).json()["settings"]["value"] == sent


def test_a_whole_number_written_as_a_fraction_is_an_integer(stub: Client) -> None:
    answer = stub.call("POST", INTERVAL, content=b'{"junk_days": 7.0, "trash_days": 1e2}')
    assert answer.status == 200
    assert answer.json()["settings"]["value"] == {"junk_days": 7, "trash_days": 100}


def test_transitions_last_as_long_as_the_clock_says(make_stub: Callable[..., Client]) -> None:
    client = make_stub(clock=1_000_000, transition_seconds=10)
    client.call("POST", MAILER, json=SERVER)
    assert _status(client, MAILER) == "applying"
    client.set_clock(advance_seconds=9.5)
    assert _status(client, MAILER) == "applying"
    client.set_clock(advance_seconds=0.5)
    assert _status(client, MAILER) == "applied"
    assert client.call("DELETE", MAILER).json()["settings"]["status"] == "deleting"
    assert _status(client, MAILER) == "deleting"
    client.set_clock(advance_seconds=9)
    assert _status(client, MAILER) == "deleting"
    client.set_clock(advance_seconds=1)
    assert _status(client, MAILER) == 204


def test_what_is_being_deleted_still_shows_its_value_but_no_secret(make_stub: Callable[..., Client]) -> None:
    client = make_stub(clock=1_000_000, transition_seconds=10)
    client.call("POST", MAILER, json=SERVER)
    client.call("DELETE", MAILER)
    answer = client.call("GET", MAILER)
    assert answer.json()["settings"]["status"] == "deleting"
    assert SERVER["password"].encode() not in answer.content  # type: ignore[attr-defined]  # it is text


def test_a_write_during_deleting_sets_the_setting_again(make_stub: Callable[..., Client]) -> None:
    client = make_stub(clock=1_000_000, transition_seconds=10)
    client.call("POST", INTERVAL, json={"junk_days": 1, "trash_days": 1})
    client.call("DELETE", INTERVAL)
    client.call("POST", INTERVAL, json={"junk_days": 2, "trash_days": 2})
    client.set_clock(advance_seconds=10)
    assert client.call("GET", INTERVAL).json()["settings"] == {
        "name": "junk_trash_clearing_interval",
        "status": "applied",
        "value": {"junk_days": 2, "trash_days": 2},
    }


def test_resetting_what_was_never_set_leaves_nothing_behind(make_stub: Callable[..., Client]) -> None:
    client = make_stub(clock=1_000_000, transition_seconds=10)
    assert client.call("DELETE", MAILER).json()["settings"]["status"] == "deleting"
    assert client.call("GET", MAILER).status == 204


def test_a_finished_reset_is_not_begun_again(make_stub: Callable[..., Client]) -> None:
    """After `deleting` is over the setting is gone: another reset must not bring its value back to sight."""
    client = make_stub(clock=1_000_000, transition_seconds=10)
    client.call("POST", MAILER, json=SERVER)
    client.call("DELETE", MAILER)
    client.set_clock(advance_seconds=60)
    assert client.call("GET", MAILER).status == 204
    client.call("DELETE", MAILER)
    assert client.call("GET", MAILER).status == 204
