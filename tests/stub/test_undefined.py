"""What the contract does not have, paths and methods: refused in its own form, where it has one for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.contract.model import Contract

if TYPE_CHECKING:
    from tests.conftest import Client

MakeStub = Callable[..., "Client"]
Write = Callable[..., Path]
SETTINGS = "/api/v1/settings"
NAMES = ["nothing", "SYSTEM_MAILER", "system_mailers", "0", "__proto__", "%C3%A9%00"]
PATHS = {"/a/": {"get": {"responses": {"200": {"description": "ok"}}}}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_setting_of_another_name_is_not_found(stub: Client, contract: Contract, method: str, name: str) -> None:
    answer = stub.call(method, f"{SETTINGS}/{name}/", json=None if method == "GET" else {"x": 1})
    documented = contract.errors["404"].content["application/problem+json"]
    assert answer.status == 404
    assert answer.fields["content-type"] == "application/problem+json"
    assert documented.schema is not None
    assert contract.validator(documented.schema, "response").is_valid(answer.json())


def test_no_operation_is_for_what_is_not_there(contract: Contract) -> None:
    assert not [one.path for one in contract.operations if one.path.startswith(SETTINGS) and "{" in one.path]


def _errors(**responses: Any) -> dict[str, Any]:
    return {"x-mockserver-errors": responses}


def _with_example(value: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"description": "none", "content": {media_type: {"examples": {"one": {"value": value}}}}}


def test_the_contract_says_how(make_stub: MakeStub, write_contract: Write) -> None:
    ours = {"404": _with_example({"error": "no such thing"}), "405": _with_example("do not", "text/plain")}
    client = make_stub(write_contract(PATHS, **_errors(**ours)))
    missing = client.call("GET", "/b", user=None)
    assert (missing.status, missing.json()) == (404, {"error": "no such thing"})
    assert missing.fields["content-type"] == "application/json"
    refused = client.call("POST", "/a/", user=None)
    assert (refused.status, refused.content) == (405, b"do not")
    assert refused.fields["allow"] == "GET, HEAD, OPTIONS"
    assert client.call("GET", "/a/", user=None).status == 200


def test_generated_content_says_what_is_wrong(make_stub: MakeStub, write_contract: Write) -> None:
    schema = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
    documented = {"description": "none", "content": {"application/json": {"schema": schema}}}
    client = make_stub(write_contract(PATHS, **_errors(**{"404": documented})))
    assert "did you mean /a/?" in client.call("GET", "/a", user=None).json()["message"]


@pytest.mark.parametrize("errors", [{}, _errors(**{"500": _with_example({"error": "failed"})})])
def test_without_it_they_are_problem_details(make_stub: MakeStub, write_contract: Write, errors: Any) -> None:
    client = make_stub(write_contract(PATHS, **errors))
    for method, path, status in (("GET", "/b", 404), ("POST", "/a/", 405)):
        answer = client.call(method, path, user=None)
        assert (answer.status, answer.fields["content-type"]) == (status, "application/problem+json")


def test_the_control_api_has_a_form_of_its_own(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract(PATHS, **_errors(**{"404": _with_example({"error": "no such thing"})})))
    assert client.call("GET", "/__mock__/nothing", user=None).fields["content-type"] == "application/problem+json"
