"""By the commands: what a run in which something never succeeded is worth, and what our own stub excuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, Handler, Told, application, commanded, content_of

#: With our own stub, whose mistakes are the contract's.
ORACLE = {"no_oracle": False}
TOKEN = "token-of-ann-0123456789"
NOTES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
NOTE: dict[str, Any] = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}


Judge = Callable[..., Told]


@pytest.fixture
def judge(tmp_path: Path, write_contract: Callable[..., Path]) -> Judge:
    """Run a command on a server of a few lines, with the contract of some paths and an identity, if it has a token."""

    def run(
        handler: Handler, paths: Any, command: str = "check", *, token: str = "", options: Any = None, **members: Any
    ) -> Told:
        more = dict(options or {})
        if token:
            more["identities"] = tmp_path / "identities.json"
            account = {"username": "ann", "token": token}
            more["identities"].write_text(json.dumps({"identities": [account]}), encoding="utf-8")
        contract = write_contract(paths, **members)
        return commanded(command, application(handler), tmp_path, contract=contract, **more)

    return run


def _content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _responses(**documented: Any) -> dict[str, Any]:
    return {status.removeprefix("_"): {"description": "", **more} for status, more in documented.items()}


#: Two reads behind a token; errors are described by words alone.
SECURED: dict[str, Any] = {
    "paths": {
        "/notes": {"get": {"responses": _responses(_200=_content(NOTES), _401={}, _403={}, _404={}, _405={})}},
        "/count": {
            "get": {"responses": _responses(_200=_content({"type": "integer"}), _401={}, _403={}, _404={}, _405={})}
        },
    },
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "security": [{"bearer": []}],
}


def _reads(call: Request) -> Answer:
    found = {"/notes": ["a"], "/count": 1}
    if call.path not in found:
        return 404, None
    return (200, found[call.path]) if call.method == "GET" else (405, None, {"Allow": "GET"})


def _behind(token: str, refusal: int = 401) -> Handler:
    def answer(call: Request) -> Answer:
        return _reads(call) if call.headers.get("Authorization") == f"Bearer {token}" else (refusal, None)

    return answer


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_credentials_that_are_never_accepted_are_named(judge: Judge, command: str) -> None:
    options = {"max_examples": 3} if command == "fuzz" else {}
    told = judge(_behind("another"), SECURED["paths"], command, token=TOKEN, options=options, **_without_paths())
    assert told.exit_code == 2, told.page
    assert told.first.startswith("NOT JUDGED: the credentials of ann are refused (")
    assert told.first.endswith("2xx on 0 of 2 operations")
    assert TOKEN not in told.page
    assert {row["best_status"] for row in told.report["reach"]} == {401}
    assert told.report["run"]["operations_succeeded"] == 0


def _without_paths() -> dict[str, Any]:
    return {name: member for name, member in SECURED.items() if name != "paths"}


def test_without_identities_the_page_says_how_to_give_some(judge: Judge) -> None:
    told = judge(_behind(TOKEN), SECURED["paths"], **_without_paths())
    assert told.first.startswith("NOT JUDGED: no operation ever succeeded")
    assert "; give the run an account with --identities FILE owner" in " ".join(told.page.split())


def test_credentials_that_are_accepted_are_no_finding(judge: Judge) -> None:
    told = judge(_behind(TOKEN), SECURED["paths"], token=TOKEN, **_without_paths())
    assert (told.exit_code, told.titles("environment")) == (0, []), told.page
    assert told.first == "KEPT: 0 violations, 0 drift; 2xx on 2 of 2 operations"


def test_one_operation_that_is_forbidden_is_listed_and_no_reason_to_fail(judge: Judge) -> None:
    def answer(call: Request) -> Answer:
        inside = _behind(TOKEN)(call)
        return (403, None) if call.path == "/count" and inside[0] == 200 else inside

    told = judge(answer, SECURED["paths"], token=TOKEN, **_without_paths())
    assert told.first.endswith("2xx on 1 of 2 operations")
    assert "never succeeded: GET /count: answered with 403" in told.page
    assert told.titles("environment") == []


def test_a_gateway_that_refuses_everybody_is_no_verdict(judge: Judge) -> None:
    paths = {"/notes": {"get": {"responses": _responses(_200=_content(NOTES))}}}
    told = judge(lambda _: (403, {"message": "no"}), paths)
    assert told.exit_code == 2, told.page
    assert told.first.startswith("NOT JUDGED: no operation ever succeeded")


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_server_that_drops_everything_from_one_call_on_is_lost(judge: Judge, command: str) -> None:
    """It crashed behind a proxy, which still takes connections; the other operations are not to blame."""
    crashed: list[str] = []

    def answer(call: Request) -> Answer:
        if crashed or call.path == "/boom":
            crashed.append(call.path)
            raise ConnectionError
        return _reads(call)

    paths = {f"/{name}": {"get": {"responses": _responses(_200=_content(NOTES))}} for name in ("notes", *"abcdefg")}
    paths["/boom"] = {"post": {"responses": _responses(_200=_content(NOTES))}}
    options = {"max_examples": 3} if command == "fuzz" else {}
    told = judge(answer, paths, command, options=options)
    assert told.exit_code == 1, told.page
    assert told.titles("violation")[0] == ("POST /boom", "the server sent no response")
    assert len(told.titles("violation")) <= 3
    assert "drops every connection since POST /boom" in " ".join(told.page.split())


def test_a_wrong_base_path_is_named_with_the_contracts_own(judge: Judge) -> None:
    def answer(call: Request) -> Answer:
        return (200, []) if call.path == "/v1/notes" else (404, None)

    paths = {"/notes": {"get": {"responses": _responses(_200=_content(NOTES))}}}
    servers = [{"url": "https://api.example.com/v1"}]
    wrong = judge(answer, paths, servers=servers)
    assert wrong.exit_code == 2, wrong.page
    assert wrong.first.startswith("NOT JUDGED: every path was answered with 404")
    assert "is the base path right? The contract has /v1; try http://127.0.0.1:" in " ".join(wrong.page.split())
    right = judge(answer, paths, servers=servers, options={"base": "/v1"})
    assert right.exit_code == 0, right.page


_ITEM = {"type": "object", "required": ["owner_id"], "properties": {"owner_id": {"type": "integer"}}}


def test_an_item_of_an_example_may_not_be_there(judge: Judge) -> None:
    item = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}, "example": 7}
    shown: Any = _content({"type": "integer"})
    shown["content"]["application/json"]["example"] = 7
    paths: Any = {
        "/notes": {"get": {"responses": _responses(_200=_content(NOTES))}},
        "/notes/{id}": {"parameters": [item], "get": {"responses": _responses(_200=shown)}},
    }
    told = judge(_reads, paths)
    assert (told.exit_code, told.titles("violation")) == (0, []), told.page
    assert "GET /notes/{id}: answered with 404" in told.page


@pytest.mark.parametrize(
    ("media_type", "code", "level"),
    [
        ({"schema": NOTE}, 2, "drift"),  # made up by the suite: valid, as far as the contract tells
        (
            {"schema": NOTE, "example": {"text": "milk"}},
            1,
            "violation",
        ),  # what the contract itself tells clients to send
        ({"schema": _ITEM}, 0, None),  # it names something that may not be there
    ],
    ids=["made up", "documented", "names something"],
)
def test_an_operation_that_refuses_every_valid_request(
    judge: Judge, media_type: Any, code: int, level: str | None
) -> None:
    def answer(call: Request) -> Answer:
        if call.path == "/notes" and call.method == "POST":
            return 422, None
        return _reads(call)

    post = {
        "requestBody": {"required": True, "content": {"application/json": media_type}},
        "responses": _responses(_201={}, _400={}, _405={}, _415={}, _422={}),
    }
    paths = {"/notes": {"post": post, "get": {"responses": _responses(_200=_content(NOTES), _405={}, _404={})}}}
    told = judge(answer, paths)
    found = [one for one in told.report["findings"] if one["check"] == "valid_requests_are_accepted"]
    assert [one["level"] for one in found] == ([level] if level else []), told.page
    assert told.exit_code == code, told.page
    assert "never succeeded: POST /notes: answered with 422" in told.page


def test_an_operation_that_is_not_there_is_found_if_others_are(judge: Judge) -> None:
    paths = {
        path: {"get": {"responses": _responses(_200={}, _405={})}} for path in ("/notes", "/count", "/missing", "/gone")
    }
    told = judge(_reads, paths)
    assert told.exit_code == 1, told.page
    found = [one for one in told.titles("violation") if one[1] == "the operation is not there"]
    assert found == [("GET /gone", "the operation is not there"), ("GET /missing", "the operation is not there")]


def test_an_operation_without_a_documented_success_is_no_reason_to_fail(judge: Judge) -> None:
    paths = {"/notes": {"get": {"responses": _responses(_501={})}}}
    told = judge(lambda call: (501, None) if call.path == "/notes" else (404, None), paths)
    assert told.exit_code == 0, told.page
    assert "GET /notes: the contract documents no success" in told.page


KEYS = {
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}}},
    "security": [{"key": []}],
}


@pytest.mark.parametrize("token", [TOKEN, ""], ids=["with an identity", "without"])
def test_an_open_door_is_not_excused_by_another_request_on_our_stub(judge: Judge, token: str) -> None:
    told = judge(_reads, {"/notes": SECURED["paths"]["/notes"]}, token=token, options=ORACLE, **KEYS)
    assert told.exit_code == 1, told.page
    assert any(operation == "GET /notes" and "accept" in title for operation, title in told.titles("violation"))


def test_a_contract_that_no_response_can_keep_is_the_contracts_on_that_operation_alone(judge: Judge) -> None:
    never = {"description": "", **_content({"type": "array", "not": {"type": "array"}})}
    paths = {
        "/notes": {"get": {"responses": {"200": never, **_responses(_405={}, _404={})}}},
        "/count": {"get": {"responses": _responses(_200=_content({"type": "string"}), _405={}, _404={})}},
    }
    told = judge(_reads, paths, options=ORACLE)
    assert told.exit_code == 1, told.page
    assert [operation for operation, _ in told.titles("violation")] == ["GET /count"]
    without = judge(_reads, paths)
    assert {operation for operation, _ in without.titles("violation")} == {"GET /count", "GET /notes"}


def test_errors_that_are_described_by_words_alone_make_no_contract_unfit(judge: Judge) -> None:
    def answer(call: Request) -> Answer:
        if (call.method, call.path) == ("POST", "/notes"):
            sent: Any = content_of(call) if call.mimetype == "application/json" else None
            good = isinstance(sent, dict) and isinstance(sent.get("text"), str)
            return (201, {"text": sent["text"]}) if good else (400, {"why": "not a note"})
        return 404, None

    post: Any = {
        "requestBody": {"required": True, **_content(NOTE)},
        "responses": _responses(_201=_content(NOTE), _400={}),
    }
    told = judge(answer, {"/notes": {"post": post}}, "fuzz", options={"max_examples": 5, **ORACLE})
    assert (told.exit_code, told.titles("violation")) == (0, []), told.page
    assert not any(title.startswith("our own stub") for _, title in told.titles("drift")), told.page


def test_where_no_check_of_state_was_made_it_is_said_of_what(judge: Judge) -> None:
    item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}
    path_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    paths = {
        "/notes": {"get": {"responses": _responses(_200=_content({"type": "array", "items": item}))}},
        "/notes/{id}": {"parameters": [path_id], "get": {"responses": _responses(_200=_content(item), _404={})}},
        "/theme": {
            "get": {"responses": _responses(_200=_content(NOTE))},
            "put": {"requestBody": _content(NOTE), "responses": _responses(_200=_content(NOTE))},
        },
    }
    told = judge(lambda _: (200, []), paths)
    assert "note: the state of /theme was not checked:" in told.page
    assert told.report["run"]["notes"]
