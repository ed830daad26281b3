"""Sieve filters by their positions, and the one autoreply of a MailUser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Client

FILTERS = "/api/v1/sieve_filters/"
AUTOREPLY = "/api/v1/vacation_autoreply/"
U1 = ("u1@vonmail.com", "long-auth_token-here")
AB = ("ab@vonmail.com", "long-auth_token-here")
SEEDED = {
    "filter_position": 1,
    "filter_name": "My filter 1",
    "match_type": "any_rule",
    "rules": [{"search_property": "Subject", "search_type": "contains", "search_term": "jackpot"}],
    "actions": [{"perform_action": "reject", "action_arg": "This message seems like spam and I refuse to accept it."}],
}
KEEP = {"perform_action": "keep", "action_arg": ""}
FORWARD = {"perform_action": "forward", "action_arg": "elsewhere@example.com"}
ALSO_FORWARD = {"perform_action": "keep_and_forward", "action_arg": "elsewhere@example.com"}


def _filter(position: int, *actions: dict[str, str], **members: Any) -> dict[str, Any]:
    content = {"filter_position": position, "filter_name": "f", "match_type": "all_messages"}
    return {**content, "actions": list(actions or [KEEP]), **members}


def _kept(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of a filter that was sent."""
    return {"rules": [], **sent, "status": "enabled"}


def _filters(client: Client, user: tuple[str, str] = AB) -> Any:
    answer = client.call("GET", FILTERS, user=user)
    assert answer.status == 200, answer
    return answer.json()["sieve_filters"]


# ---- sieve filters


def test_filters_are_listed_by_position(stub: Client) -> None:
    for position in (99, 10, 9, 2):
        sent = _filter(position)
        assert stub.call("POST", FILTERS, user=U1, json=sent).json() == _kept(sent)
    shown = _filters(stub, U1)
    assert [one["filter_position"] for one in shown] == [1, 2, 9, 10, 99]
    assert shown[0] == _kept(SEEDED)
    assert _filters(stub, AB) == []


def test_a_position_is_taken_once(stub: Client) -> None:
    assert stub.call("POST", FILTERS, user=AB, json=_filter(5)).status == 200
    answer = stub.call("POST", FILTERS, user=AB, json=_filter(5, filter_name="another"))
    assert answer.status == 409
    assert "position 5" in answer.json()["detail"]
    assert [one["filter_name"] for one in _filters(stub)] == ["f"]
    assert stub.call("POST", FILTERS, user=U1, json=_filter(5)).status == 200


def test_an_update_replaces_all_of_a_filter(stub: Client) -> None:
    sent = _filter(1, FORWARD)
    assert stub.call("PUT", FILTERS, user=U1, json=sent).json() == _kept(sent)
    assert _filters(stub, U1) == [_kept(sent)]


def test_only_what_is_there_is_updated(stub: Client) -> None:
    answer = stub.call("PUT", FILTERS, user=AB, json=_filter(1))  # u1 and u2 have one there
    assert answer.status == 404
    assert "position 1" in answer.json()["detail"]
    assert _filters(stub) == []


def test_a_position_that_is_written_as_a_fraction_is_the_same(stub: Client) -> None:
    content = b'{"filter_position": 7.0, "filter_name": "f", "match_type": "all_messages", "actions": [%s]}'
    sent = content % b'{"perform_action": "stop", "action_arg": ""}'
    assert stub.call("POST", FILTERS, user=AB, content=sent).status == 200
    assert stub.call("POST", FILTERS, user=AB, json=_filter(7)).status == 409


def test_an_account_forwards_four_times_at_most(stub: Client) -> None:
    assert stub.call("POST", FILTERS, user=AB, json=_filter(1, *[FORWARD] * 5)).status == 409
    assert stub.call("POST", FILTERS, user=AB, json=_filter(1, FORWARD, KEEP, ALSO_FORWARD)).status == 200
    assert stub.call("POST", FILTERS, user=AB, json=_filter(2, FORWARD, ALSO_FORWARD)).status == 200
    answer = stub.call("POST", FILTERS, user=AB, json=_filter(3, FORWARD))
    assert answer.status == 409
    assert "at most 4 forwards" in answer.json()["detail"]
    assert stub.call("POST", FILTERS, user=AB, json=_filter(3)).status == 200
    assert stub.call("PUT", FILTERS, user=AB, json=_filter(3, FORWARD)).status == 409
    assert stub.call("PUT", FILTERS, user=AB, json=_filter(1, FORWARD, ALSO_FORWARD)).status == 200
    assert stub.call("PUT", FILTERS, user=AB, json=_filter(1, FORWARD)).status == 200
    assert stub.call("PUT", FILTERS, user=AB, json=_filter(3, FORWARD)).status == 200
    # Every account has four of its own.
    assert stub.call("POST", FILTERS, user=U1, json=_filter(3, FORWARD)).status == 200


RULES = [
    ({"search_property": "Size", "search_type": "greater_than", "search_term": 20}, ""),
    ({"search_property": "Size", "search_type": "less_than", "search_term": 0}, ""),
    ({"search_property": "X-Spam", "search_type": "is_not", "search_term": "20"}, ""),
    ({"search_property": "Size", "search_type": "contains", "search_term": 20}, "/search_type"),
    ({"search_property": "Size", "search_type": "less_than", "search_term": "20"}, "/search_term"),
    ({"search_property": "Size", "search_type": "less_than", "search_term": 0.5}, "/search_term"),
    ({"search_property": "Subject", "search_type": "less_than", "search_term": "20"}, "/search_type"),
    ({"search_property": "Subject", "search_type": "is", "search_term": 20}, "/search_term"),
    ({"search_property": "Subject", "search_type": "matches", "search_term": "*"}, "/search_type"),
    ({"search_property": "No header", "search_type": "is", "search_term": "x"}, "/search_property"),
    ({"search_property": "Subject", "search_type": "is"}, "/search_term"),
    ({"search_property": "Subject", "search_term": "x"}, "/search_type"),
    ({"search_type": "is", "search_term": "x"}, "/search_property"),
]


@pytest.mark.parametrize(("rule", "broken"), RULES)
def test_how_a_rule_compares_follows_from_what(stub: Client, rule: dict[str, Any], broken: str) -> None:
    answer = stub.call("POST", FILTERS, user=AB, json=_filter(1, match_type="all_rules", rules=[rule]))
    assert answer.status == (422 if broken else 200), answer
    if broken:
        assert f"/rules/0{broken}" in answer.pointers
    else:
        assert _filters(stub)[0]["rules"] == [rule]


ACTIONS = [
    ("move", "Inbox.Personal", True),
    ("copy", "Spam", True),
    ("forward", "a@example.com", True),
    ("keep_and_forward", "a@example.com", True),
    ("reject", "No, thank you", True),
    ("keep", "", True),
    ("discard", "", True),
    ("stop", "", True),
    ("move", "", False),
    ("copy", "", False),
    ("forward", "", False),
    ("forward", "nobody", False),
    ("keep_and_forward", "Inbox.Personal", False),
    ("reject", "", False),
    ("keep", "Inbox", False),
    ("discard", "a@example.com", False),
    ("stop", " ", False),
    ("redirect", "a@example.com", False),
]


@pytest.mark.parametrize(("action", "argument", "valid"), ACTIONS)
def test_the_argument_follows_from_the_action(stub: Client, action: str, argument: str, valid: bool) -> None:
    sent = _filter(1, KEEP, {"perform_action": action, "action_arg": argument})
    answer = stub.call("POST", FILTERS, user=AB, json=sent)
    assert answer.status == (200 if valid else 422), answer
    if valid:
        assert _filters(stub) == [_kept(sent)]
    else:
        assert all(pointer.startswith("/actions/1") for pointer in answer.pointers)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"match_type": "any_rule"}, "/rules"),
        ({"match_type": "all_rules", "rules": []}, "/rules"),
        ({"match_type": "no_rule"}, "/match_type"),
        ({"filter_position": 0}, "/filter_position"),
        ({"filter_position": 100}, "/filter_position"),
        ({"filter_name": ""}, "/filter_name"),
        ({"actions": []}, "/actions"),
        ({"status": "disabled"}, "/status"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_the_contract_does_not_allow_is_refused(
    stub: Client, method: str, members: dict[str, Any], pointer: str
) -> None:
    answer = stub.call(method, FILTERS, user=U1, json=_filter(1, **members))
    assert answer.status == 422
    assert pointer in answer.pointers
    assert _filters(stub, U1) == [_kept(SEEDED)]


def test_rules_of_a_filter_of_all_messages_may_be_left_out(stub: Client) -> None:
    assert stub.call("POST", FILTERS, user=AB, json=_filter(1)).status == 200
    assert stub.call("POST", FILTERS, user=AB, json=_filter(2, rules=[])).status == 200
    assert [one["rules"] for one in _filters(stub)] == [[], []]


_forwarding = st.integers(0, 5)
_write = st.tuples(
    st.sampled_from(["POST", "PUT"]), st.sampled_from([U1, AB]), st.sampled_from([1, 2, 3, 99]), _forwarding
)


@given(steps=st.lists(_write, max_size=12))
def test_filters_are_what_a_model_of_them_says(local_stub: Client, steps: list[Any]) -> None:
    client = local_stub.in_new_world()
    seeded = _filters(client, U1)
    # User and position -> how many of the actions forward; the seeded filter does not.
    model: dict[tuple[Any, int], int] = {(U1, 1): 0}
    names: dict[tuple[Any, int], str] = {(U1, 1): seeded[0]["filter_name"]}
    for number, (method, user, position, forwards) in enumerate(steps):
        others = sum(n for (owner, place), n in model.items() if owner == user and place != position)
        there = (user, position) in model
        expected = 200
        if there == (method == "POST"):
            expected = 409 if there else 404
        elif forwards and others + forwards > 4:
            expected = 409
        sent = _filter(position, *[FORWARD] * forwards, KEEP, filter_name=f"n{number}")
        assert client.call(method, FILTERS, user=user, json=sent).status == expected
        if expected == 200:
            model[user, position] = forwards
            names[user, position] = f"n{number}"
        for one in (U1, AB):
            shown = [(f["filter_position"], f["filter_name"]) for f in _filters(client, one)]
            assert shown == sorted((place, names[owner, place]) for owner, place in names if owner == one)


# ---- vacation autoreply


def test_an_account_has_one_autoreply(stub: Client) -> None:
    first = {"subject": "Out of office", "body": "Until the 15th.", "start_time": 10, "end_time": 20}
    assert stub.call("PUT", AUTOREPLY, user=U1, json=first).status == 404
    assert stub.call("POST", AUTOREPLY, user=U1, json=first).json() == {**first, "status": "generating"}
    answer = stub.call("POST", AUTOREPLY, user=U1, json=first)
    assert answer.status == 409
    assert U1[0] in answer.json()["detail"]
    assert stub.call("PUT", AUTOREPLY, user=AB, json=first).status == 404
    assert stub.call("POST", AUTOREPLY, user=AB, json=first).status == 200


def test_times_that_are_left_out_are_not_kept(stub: Client) -> None:
    first = {"subject": "Out of office", "body": "Until the 15th.", "start_time": 10, "end_time": 20}
    stub.call("POST", AUTOREPLY, user=U1, json=first)
    second = {"subject": "Gone", "body": "For good."}
    for _ in range(2):
        assert stub.call("PUT", AUTOREPLY, user=U1, json=second).json() == {**second, "status": "re-generating"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({"start_time": 20, "end_time": 19}, 422),
        ({"start_time": 20, "end_time": 20}, 200),
        ({"start_time": 20}, 200),
        ({"end_time": 0}, 200),
        ({"start_time": -1}, 422),
        ({"end_time": "2026-11-28"}, 422),
        ({"end_time": None}, 422),
    ],
)
def test_an_autoreply_does_not_end_before_it_starts(
    stub: Client, method: str, times: dict[str, Any], status: int
) -> None:
    if method == "PUT":
        stub.call("POST", AUTOREPLY, user=U1, json={"subject": "a", "body": "b"})
    answer = stub.call(method, AUTOREPLY, user=U1, json={"subject": "c", "body": "d", **times})
    assert answer.status == status, answer
    if status == 422:
        assert answer.pointers == [f"/{list(times)[-1]}"]
    else:
        assert {name: value for name, value in answer.json().items() if name in times} == times


@pytest.mark.parametrize("user", ["admin", "domain"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", FILTERS), ("POST", FILTERS), ("PUT", FILTERS), ("POST", AUTOREPLY), ("PUT", AUTOREPLY)]
)
def test_only_mailusers_have_mail_to_filter(stub: Client, user: str, method: str, path: str) -> None:
    assert stub.call(method, path, user=user, **({} if method == "GET" else {"json": {}})).status == 403
    assert stub.call("GET", AUTOREPLY, user=U1).status == 405
    assert stub.call("DELETE", FILTERS, user=U1).status == 405
