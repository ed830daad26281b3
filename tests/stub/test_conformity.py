"""Every answer of the stub is what its own contract documents, as the reference validator sees it."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import referencing
import referencing.jsonschema

if TYPE_CHECKING:
    from mockserver.contract.model import Contract, Operation
    from mockserver.stub.stub_options import USUAL_MAX_BODY
from mockserver.stub.stub_options import USUAL_MAX_BODY
from tests.conftest import Answer, Client

MAILER = "/api/v1/settings/system_mailer/"
RELAY = "/api/v1/settings/postfix_relayhost/"
INTERVAL = "/api/v1/settings/junk_trash_clearing_interval/"
MASTER = "/api/v1/settings/imap_master_password/"
AUTH = "/api/v1/auth/"
LOGIN = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
SERVER = {"server_hostname": "h.example", "server_port": 25, "username": "u", "password": "p"}
JSON = {"Content-Type": "application/json"}


@cache
def _registry(sha256: str, text: str) -> Any:
    resource = referencing.jsonschema.DRAFT202012.create_resource(json.loads(text))
    return sha256, referencing.Registry().with_resource("urn:contract", resource)


def _conforms(contract: Contract, operation: Operation, answer: Answer) -> None:
    response = operation.response_for(answer.status)
    assert response is not None, f"{operation.label} does not document {answer.status}"
    name = answer.fields["content-type"].partition(";")[0]
    assert name in response.content, f"{name} is not documented for {answer.status}"
    schema = response.content[name].schema
    assert schema is not None
    _, registry = _registry(contract.document.sha256, json.dumps(contract.document.data))
    validator = jsonschema.Draft202012Validator(
        {"$ref": f"urn:contract#{schema}"}, registry=registry, format_checker=jsonschema.FormatChecker()
    )
    value = answer.json() if name.endswith("json") else answer.content.decode()
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)] == []
    for header in response.headers.values():
        assert not header.required or header.name.lower() in answer.fields


def _operation(contract: Contract, method: str, path: str) -> Operation:
    return next(item for item in contract.operations if (item.method, item.path) == (method, path))


CALLS: list[tuple[str, str, dict[str, Any], int]] = [
    *(("GET", path, {}, 204) for path in (MAILER, RELAY, INTERVAL, MASTER)),
    ("POST", MAILER, {"json": SERVER}, 200),
    ("POST", RELAY, {"json": SERVER}, 200),
    ("POST", INTERVAL, {"json": {"junk_days": 0, "trash_days": 36500}}, 200),
    ("POST", MASTER, {"json": {}}, 200),
    *(("DELETE", path, {}, 200) for path in (MAILER, RELAY, INTERVAL, MASTER)),
    ("POST", AUTH, {"json": LOGIN}, 200),
    ("GET", AUTH, {}, 200),
    ("GET", AUTH, {"user": "domain"}, 200),
    ("GET", AUTH, {"user": "mail"}, 200),
    ("DELETE", AUTH, {"user": "mail"}, 200),
    *(
        (method, path, {"user": None}, 401)
        for path in (MAILER, RELAY, INTERVAL, MASTER)
        for method in ("GET", "POST", "DELETE")
    ),
    ("GET", AUTH, {"user": None}, 401),
    ("DELETE", AUTH, {"user": ("admin", "wrong")}, 401),
    ("POST", AUTH, {"json": {**LOGIN, "password": "wrong"}}, 401),
    *(
        (method, path, {"user": "mail"}, 403)
        for path in (MAILER, RELAY, INTERVAL, MASTER)
        for method in ("GET", "POST", "DELETE")
    ),
    *(
        ("POST", path, settings, status)
        for path in (MAILER, RELAY, INTERVAL, MASTER, AUTH)
        for status, settings in (
            (400, {}),
            (400, {"content": b"{"}),
            (413, {"content": b" " * (USUAL_MAX_BODY + 1)}),
            (415, {"content": b"{}", "fields": {"Content-Type": "text/plain"}}),
            (422, {"json": []}),
            (422, {"json": "x" * 1000}),
            (422, {"json": 10**30}),
        )
    ),
    ("POST", MAILER, {"json": {"server_hostname": [], "server_port": {}, "username": None, "x": 1}}, 422),
    ("POST", MAILER, {"json": {**SERVER, "server_port": 10**40, "password": 5}}, 422),
    ("POST", INTERVAL, {"json": {"junk_days": 0.5, "trash_days": -1}}, 422),
    ("POST", AUTH, {"json": {"username": "", "password": "", "otp": ""}}, 422),
    ("POST", AUTH, {"json": {f"name{number}": number for number in range(300)}}, 422),
]


@pytest.mark.parametrize(
    ("method", "path", "settings", "status"),
    CALLS,
    ids=[f"{number}-{call[0]}-{call[1]}-{call[3]}" for number, call in enumerate(CALLS)],
)
def test_answers_are_as_documented(
    local_stub: Client, contract: Contract, method: str, path: str, settings: Any, status: int
) -> None:
    answer = local_stub.call(method, path, **settings)
    assert answer.status == status
    _conforms(contract, _operation(contract, method, path), answer)


@pytest.mark.parametrize("path", [MAILER, RELAY, INTERVAL, MASTER])
def test_reads_in_every_phase_are_as_documented(make_stub: Any, contract: Contract, path: str) -> None:
    client = make_stub(clock=1_000_000, transition_seconds=10)
    bodies = {INTERVAL: {"junk_days": 1, "trash_days": 1}, MASTER: {}}
    client.call("POST", path, json=bodies.get(path, SERVER))
    for expected in ("applying", "applied"):
        answer = client.call("GET", path)
        assert answer.json()["settings"]["status"] == expected
        _conforms(contract, _operation(contract, "GET", path), answer)
        client.set_clock(advance_seconds=10)
    client.call("DELETE", path)
    answer = client.call("GET", path)
    assert answer.json()["settings"]["status"] == "deleting"
    _conforms(contract, _operation(contract, "GET", path), answer)


def test_the_last_moment_of_the_clock_still_gives_documented_answers(local_stub: Client, contract: Contract) -> None:
    answer = local_stub.call("PUT", "/__mock__/clock", user=None, json={"now": 253_402_300_799})
    if answer.status == 200:
        _conforms(contract, _operation(contract, "POST", AUTH), local_stub.call("POST", AUTH, json=LOGIN))


def test_the_judge_can_fail(local_stub: Client, contract: Contract) -> None:
    answer = local_stub.call("POST", INTERVAL, json={"junk_days": 1, "trash_days": 1})
    broken = answer._replace(content=answer.content.replace(b"applying", b"applied"))
    with pytest.raises(AssertionError, match="applying"):
        _conforms(contract, _operation(contract, "POST", INTERVAL), broken)
