"""The level of a finding, by what the documentation of the built-in contract states and what we guess."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.contract.model import Operation
from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.observed_response import observe
from mockserver.suite.run.session import judge_response
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.failures import CheckFailure, Rule
from mockserver.suite.verdicts.graded_findings import judge
from mockserver.suite.verdicts.tally import Verdicts
from tests import defaults

CONTRACT = load_contract(defaults.CONTRACT)
READ, WRITE, LOGIN = "setting_get_postfix_relayhost", "setting_post_postfix_relayhost", "auth_post"
JSON = "application/json"


def example(operation: Operation) -> Any:
    success = operation.success()
    assert success is not None
    return copy.deepcopy(next(iter(success.content[JSON].examples.values())).value)


def levels(operation_id: str, status: int, content: Any, media_type: str = JSON, *, empty: bool = False) -> set[str]:
    operation = CONTRACT.by_id[operation_id]
    body = b"" if empty else content if isinstance(content, bytes) else json.dumps(content).encode()
    fields = (("Content-Type", media_type),) if media_type else ()
    request = WireRequest(operation.method, operation.path)
    exchange = Exchange(request, WireResponse(status, fields, body))
    observed = observe(CONTRACT, operation, operation.label, exchange, Secrets())
    assert observed is not None
    return {judge(CONTRACT, failure).level for failure in judge_response(observed, Verdicts(CONTRACT))}


def within(*path: str) -> Callable[[Any], dict[str, Any]]:
    def find(content: Any) -> dict[str, Any]:
        for name in path:
            content = content[name]
        assert isinstance(content, dict)
        return content

    return find


SETTING, VALUE, AUTH = within("settings"), within("settings", "value"), within("auth")
GONE = object()


@pytest.mark.parametrize(
    ("operation_id", "place", "name", "value", "expected"),
    [
        # Documented: the type of each member, the setting's name, the status words, the levels.
        (READ, VALUE, "server_port", "587", "violation"),
        (READ, VALUE, "username", 1, "violation"),
        (READ, VALUE, "server_hostname", None, "violation"),
        (READ, SETTING, "name", "system_mailer", "violation"),
        (READ, SETTING, "value", "text", "violation"),
        (LOGIN, AUTH, "valid_to", "tomorrow", "violation"),
        (LOGIN, AUTH, "perm_level", "Root", "violation"),
        # Guessed: which members are always there, that there are no others, limits, words that only an example shows.
        (READ, SETTING, "status", GONE, "violation"),
        (READ, SETTING, "changed_by", "admin", "drift"),
        (READ, VALUE, "username", GONE, "violation"),
        (READ, VALUE, "server_port", 0, "drift"),
        (READ, VALUE, "server_port", 65536, "drift"),
        (LOGIN, AUTH, "valid_from", -1, "drift"),
        (LOGIN, AUTH, "auth_token", "short", "drift"),
        (LOGIN, AUTH, "status", "ok", "drift"),
        (LOGIN, AUTH, "message", GONE, "violation"),
    ],
)
def test_a_member(
    operation_id: str, place: Callable[[Any], dict[str, Any]], name: str, value: Any, expected: str
) -> None:
    content = example(CONTRACT.by_id[operation_id])
    assert levels(operation_id, 200, content) == set()
    if value is GONE:
        del place(content)[name]
    else:
        place(content)[name] = value
    assert levels(operation_id, 200, content) == {expected}


@pytest.mark.parametrize(
    ("operation_id", "status", "media_type", "expected"),
    [
        (WRITE, 201, JSON, {"drift"}),
        (WRITE, 202, "Application/JSON;charset=UTF-8", {"drift"}),
        (WRITE, 200, "application/json; charset=utf-8", set()),
        (WRITE, 200, "text/html", {"violation"}),
        (WRITE, 202, "text/html", {"drift", "violation"}),
        (WRITE, 200, "", {"violation"}),
        (WRITE, 404, JSON, {"drift"}),
        (WRITE, 429, JSON, {"environment"}),
        (WRITE, 500, JSON, {"violation"}),
    ],
)
def test_a_status_and_a_media_type(operation_id: str, status: int, media_type: str, expected: set[str]) -> None:
    assert levels(operation_id, status, example(CONTRACT.by_id[operation_id]), media_type) == expected


def test_a_success_of_another_status_is_held_to_the_documented_one() -> None:
    content = example(CONTRACT.by_id[READ])
    content["settings"]["value"]["server_port"] = "587"
    assert levels(READ, 203, content) == {"drift", "violation"}


def test_a_write_only_member_by_its_name() -> None:
    content = example(CONTRACT.by_id[READ])
    content["settings"]["value"]["password"] = "of long ago"
    assert levels(READ, 200, content) == {"violation"}  # that the member is not documented is the same cause
    content["settings"]["value"]["password"] = "********"
    assert levels(READ, 200, content) == {"drift"}


def test_content_that_is_not_what_it_is_called() -> None:
    assert levels(WRITE, 200, b'{"settings": ') == {"violation"}
    assert levels(WRITE, 202, b'{"settings": ') == {"drift", "violation"}
    assert levels(WRITE, 200, None, empty=True) == {"violation"}


def test_a_page_for_people_where_nothing_is_documented() -> None:
    assert levels(READ, 401, b"<h1>Unauthorized</h1>", "text/html") == {"drift"}


@pytest.mark.parametrize(
    ("rule", "status", "expected"),
    [
        ("contract", 429, "environment"),
        ("silent", 429, "environment"),
        ("universal", 429, "violation"),  # a secret that is given back is given back
        ("silent", 404, "drift"),
    ],
)
def test_who_is_told_to_wait_has_learnt_nothing(rule: Rule, status: int, expected: str) -> None:
    operation = CONTRACT.by_id[READ]
    exchange = Exchange(WireRequest("PUT", operation.path), WireResponse(status, (), b""))
    failure = CheckFailure(
        "some_check",
        operation.label,
        "something",
        expected="405",
        got=str(status),
        pointer=operation.pointer,
        rule=rule,
        exchange=exchange,
    )
    assert judge(CONTRACT, failure).level == expected
