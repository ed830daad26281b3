"""The answers of a server that fails itself: HTML, listed by no operation, shown by `Prefer: code=500` and 504."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.errors import ContractError
from mockserver.lint.findings import lint

if TYPE_CHECKING:
    from tests.conftest import Client

MakeStub = Callable[..., "Client"]
WriteContract = Callable[..., Path]
RECORD = yaml.safe_load((Path(__file__).parents[1] / "documentation.yaml").read_text(encoding="utf-8"))
MAILER = "/api/v1/settings/system_mailer/"
PAGES = [("500", "Internal Server Error"), ("504", "Gateway Time-out")]
OK: dict[str, Any] = {"description": "ok", "content": {"application/json": {"example": {"fine": True}}}}
OOPS: dict[str, Any] = {"description": "oops", "content": {"text/html": {"example": "<h1>Oops</h1>"}}}


@pytest.mark.parametrize(("code", "title"), PAGES)
@pytest.mark.parametrize(
    ("method", "path", "json"),
    [
        ("GET", MAILER, None),
        ("POST", MAILER, {"server_hostname": "h", "server_port": 25, "username": "u", "password": "hidden-password"}),
        ("POST", "/api/v1/auth/", {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}),
        ("DELETE", "/api/v1/auth/", None),
    ],
)
def test_every_operation_shows_them(stub: Client, code: str, title: str, method: str, path: str, json: Any) -> None:
    options = {} if json is None else {"json": json}
    user = None if method == "POST" and path.endswith("auth/") else "admin"
    answer = stub.call(method, path, user=user, fields={"Prefer": f"code={code}"}, **options)
    assert answer.status == int(code)
    assert answer.fields["content-type"].partition(";")[0] == "text/html"
    assert answer.fields["preference-applied"] == f"code={code}"
    assert f"<h1>{title}" in answer.content.decode().replace(f"{code} ", "")
    assert stub.call("GET", MAILER).status == 204  # nothing has happened: not set, not logged out


@pytest.mark.parametrize("accept", ["application/json", "text/html", "*/*", "image/png"])
def test_they_are_told_whatever_the_client_takes(stub: Client, accept: str) -> None:
    answer = stub.call("GET", MAILER, fields={"Prefer": "code=504", "Accept": accept})
    assert (answer.status, answer.fields["content-type"]) == (504, "text/html")


@pytest.mark.parametrize(
    ("user", "fields", "json", "status"),
    [(None, {}, {}, 401), ("mail", {}, {}, 403), ("admin", {}, {"server_port": "x"}, 422)],
)
def test_a_call_that_is_rejected_is_rejected_all_the_same(
    stub: Client, user: Any, fields: dict[str, str], json: Any, status: int
) -> None:
    answer = stub.call("POST", MAILER, user=user, json=json, fields={"Prefer": "code=500", **fields})
    assert answer.status == status
    assert "preference-applied" not in answer.fields


def test_other_errors_are_problem_details_as_before(stub: Client) -> None:
    answer = stub.call("GET", MAILER, fields={"Prefer": "code=502"})
    assert (answer.status, answer.fields["content-type"]) == (502, "application/problem+json")


def test_the_journal_says_why(stub: Client) -> None:
    stub.call("GET", MAILER, fields={"Prefer": "code=500"})
    entry = stub.journal()[-1]
    assert entry["response"]["status"] == 500
    assert "Prefer: code=500" in entry["why"]


def test_the_contract_has_each_of_the_record_and_excuses_none(contract: Contract) -> None:
    documented = [case["case"] for case in RECORD["general"]["content_types"]["exceptions"] if case["body"] is None]
    failures = {code: response for code, response in contract.errors.items() if code.startswith("5")}
    assert len(documented) == len(RECORD["general"]["errors"]["html_errors"]) == len(failures) == 2
    for case, response in zip(documented, failures.values(), strict=True):
        (media_type,) = response.content.values()
        assert media_type.name == "text/html", case
        assert contract.provenance(media_type.pointer).documented
        assert not contract.provenance(response.pointer).documented
    for operation in contract.operations:
        assert all(operation.response_for(int(code)) is None for code in failures), operation.label


def test_of_any_contract(make_stub: MakeStub, write_contract: WriteContract) -> None:
    own = {"200": OK, "5XX": {"description": "own", "content": {"text/plain": {"example": "own"}}}}
    paths = {"/a": {"get": {"responses": {"200": OK}}}, "/b": {"get": {"responses": own}}}
    shared = {"components": {"responses": {"Oops": OOPS}}}
    errors = {"503": {"$ref": "#/components/responses/Oops"}, "x-note": "ignored"}
    client = make_stub(write_contract(paths, **{"x-mockserver-errors": errors}, **shared))
    prefer = {"Prefer": "code=503"}
    assert client.call("GET", "/a", user=None, fields=prefer).content == b"<h1>Oops</h1>"
    assert client.call("GET", "/b", user=None, fields=prefer).content == b"own"  # what an operation lists comes first
    head = client.call("HEAD", "/a", user=None, fields=prefer)
    assert (head.status, head.content) == (503, b"")
    answer = client.call("GET", "/a", user=None, fields={"Prefer": "code=299"})
    assert answer.status == 400
    assert "200, 503" in answer.json()["detail"]


@pytest.mark.parametrize("errors", [[], "500", {"200": OOPS}, {"5XX": OOPS}, {"default": OOPS}, {"500": []}])
def test_a_mistake_in_it_stops_the_start_and_is_a_finding(write_contract: WriteContract, errors: Any) -> None:
    path = write_contract({"/a": {"get": {"responses": {"200": OK}}}}, **{"x-mockserver-errors": errors})
    with pytest.raises(ContractError, match="x-mockserver-errors"):
        load_contract(path)
    assert any(finding.pointer.startswith("/x-mockserver-errors") for finding in lint(path, ()))


def test_lint_reads_what_stands_in_it(write_contract: WriteContract) -> None:
    wrong = {"description": "oops", "content": {"application/json": {"schema": {"type": "object"}, "example": 1}}}
    path = write_contract({"/a": {"get": {"responses": {"200": OK}}}}, **{"x-mockserver-errors": {"500": wrong}})
    assert [finding.rule for finding in lint(path, ())] == ["example"]
    misplaced = {"get": {"responses": {"200": OK}, "x-mockserver-errors": {"500": OOPS}}}
    assert [finding.rule for finding in lint(write_contract({"/a": misplaced}), ())] == ["extension"]
