"""Worlds are isolated copies of everything mutable."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mockserver.stub.store.worlds import MAX_WORLDS

if TYPE_CHECKING:
    from tests.conftest import Client

AUTH = "/api/v1/auth/"
MAILER = "/api/v1/settings/system_mailer/"
BODY = {"server_hostname": "h", "server_port": 25, "username": "u", "password": "p"}


@pytest.fixture(params=["memory", "sqlite"])
def client(request: pytest.FixtureRequest, make_stub: Callable[..., Client]) -> Client:
    folder = request.getfixturevalue("tmp_path")
    return make_stub(state="memory" if request.param == "memory" else f"sqlite:///{folder / 'state.db'}")


def test_a_write_is_seen_in_its_world_alone(client: Client) -> None:
    client.in_world("one").call("POST", MAILER, json=BODY)
    assert client.in_world("one").call("GET", MAILER).status == 200
    assert client.in_world("two").call("GET", MAILER).status == 204
    assert client.call("GET", MAILER).status == 204


def test_header_and_prefix_name_the_same_world(client: Client) -> None:
    client.call("POST", MAILER, json=BODY, fields={"Mock-World": "one"})
    assert client.in_world("one").call("GET", MAILER).status == 200
    assert client.call("GET", MAILER, fields={"Mock-World": "one"}).status == 200
    assert client.in_world("default").call("GET", MAILER).status == 204


def test_the_prefix_wins_over_the_header(client: Client) -> None:
    client.in_world("one").call("POST", MAILER, json=BODY, fields={"Mock-World": "two"})
    assert client.in_world("one").call("GET", MAILER).status == 200
    assert client.in_world("two").call("GET", MAILER).status == 204


def test_tokens_journal_and_clock_are_the_worlds_own(client: Client) -> None:
    one, two = client.in_world("one"), client.in_world("two")
    one.set_clock(now=5)
    assert one.control("GET", "/clock") == {"now": 5, "standing": True}
    assert two.control("GET", "/clock")["standing"] is False
    one.call("DELETE", AUTH)
    assert one.call("GET", AUTH).status == 401
    assert two.call("GET", AUTH).status == 200
    assert [entry["response"]["status"] for entry in one.journal()] == [200, 401]
    assert [entry["number"] for entry in two.journal()] == [1]


def test_a_token_of_one_world_is_unknown_in_another(client: Client) -> None:
    login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
    one, two = client.in_world("one"), client.in_world("two")
    one.call("POST", AUTH, json=login)
    token = one.call("POST", AUTH, json=login).json()["auth"]["auth_token"]
    assert one.call("GET", AUTH, user=("admin", token)).status == 200
    assert two.call("GET", AUTH, user=("admin", token)).status == 401


def test_reset_puts_back_one_world(client: Client) -> None:
    one, two = client.in_world("one"), client.in_world("two")
    for world in (one, two):
        world.call("POST", MAILER, json=BODY)
        world.set_clock(now=5)
        world.call("DELETE", AUTH)
    assert one.control("POST", "/reset") == {"status": "reset", "world": "one"}
    assert one.journal() == []
    assert one.call("GET", MAILER).status == 204
    assert one.control("GET", "/clock")["standing"] is False
    assert two.call("GET", AUTH).status == 401
    assert two.control("GET", "/clock")["now"] == 5


@pytest.mark.parametrize("name", ["a b", "", "-x", ".", "..", "a/b", "ä", "x" * 65, "a\tb", "%00"])
def test_a_bad_name_in_the_header_is_400(client: Client, name: str) -> None:
    answer = client.call("GET", MAILER, fields={"Mock-World": name})
    assert answer.status == 400
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 400


@pytest.mark.parametrize("name", ["a%20b", "", "-x", ".", "%C3%A4", "x" * 65, "%00", "a%0Ab"])
def test_a_bad_name_in_the_prefix_is_400(client: Client, name: str) -> None:
    for path in (MAILER, "/__mock__/state"):
        assert client.call("GET", f"/__world__/{name}{path}").status == 400


@pytest.mark.parametrize("name", ["a", "0", "A-b_c.d", "x" * 64])
def test_good_names(client: Client, name: str) -> None:
    assert client.call("GET", MAILER, fields={"Mock-World": name}).status == 204
    assert client.in_world(name).call("GET", MAILER).status == 204


def test_a_prefix_without_path_is_not_found(client: Client) -> None:
    assert client.call("GET", "/__world__/one").status == 404
    assert client.call("GET", "/__world__/one/__world__/two" + MAILER).status == 404


def test_there_is_a_most_of_worlds(make_stub: Callable[..., Client]) -> None:
    client = make_stub()
    for number in range(MAX_WORLDS - 1):  # and the default one
        assert client.in_world(f"w{number}").call("GET", MAILER).status == 204
    assert client.in_world("one-more").call("GET", MAILER).status == 400
    assert client.in_world("w0").call("GET", MAILER).status == 204


def test_a_dropped_world_is_made_anew_and_leaves_room(client: Client) -> None:
    one = client.in_world("one")
    one.call("POST", MAILER, json=BODY)
    assert one.control("DELETE", "/world") == {"status": "dropped", "world": "one"}
    assert one.call("GET", MAILER).status == 204
    assert [entry["number"] for entry in one.journal()] == [1]


def test_more_worlds_than_there_may_be_at_once_can_be_used_one_after_the_other(
    make_stub: Callable[..., Client],
) -> None:
    client = make_stub()
    for number in range(MAX_WORLDS + 1):
        world = client.in_world(f"w{number}")
        assert world.call("GET", MAILER).status == 204
        world.control("DELETE", "/world")


def test_the_default_world_cannot_be_dropped(client: Client) -> None:
    client.call("POST", MAILER, json=BODY)
    assert client.call("DELETE", "/__mock__/world", user=None).status == 409
    assert client.call("GET", MAILER).status == 200


def test_a_world_opened_by_many_at_once_is_one_world(client: Client) -> None:
    together = threading.Barrier(8)
    statuses: list[int] = []

    def call() -> None:
        together.wait()
        statuses.append(client.in_world("new").call("GET", MAILER).status)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [204] * 8
    assert len(client.in_world("new").journal()) == 8


def test_concurrent_writes_are_neither_lost_nor_torn(client: Client) -> None:
    """Each thread writes both members alike; whatever is read then has them alike."""
    path = "/api/v1/settings/junk_trash_clearing_interval/"
    together = threading.Barrier(8)
    seen: list[tuple[int, int]] = []

    def work(number: int) -> None:
        together.wait()
        for step in range(10):
            days = number * 100 + step
            body = json.dumps({"junk_days": days, "trash_days": days}).encode()
            answers = [client.call("POST", path, content=body), client.call("GET", path)]
            for answer in answers:
                value = answer.json()["settings"]["value"]
                seen.append((value["junk_days"], value["trash_days"]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160
    assert all(junk == trash for junk, trash in seen)


def test_concurrent_logins_all_work(client: Client) -> None:
    """A counter and a list of tokens are read and written by each login: none may be lost."""
    together = threading.Barrier(8)
    tokens: list[str] = []

    def log_in() -> None:
        together.wait()
        for _ in range(5):
            login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
            tokens.append(client.call("POST", AUTH, json=login).json()["auth"]["auth_token"])

    threads = [threading.Thread(target=log_in) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens)) == 40
    assert all(client.call("GET", AUTH, user=("admin", token)).status == 200 for token in tokens)
    assert client.control("GET", "/state")["accounts"]["admin"]["tokens"] == 41
