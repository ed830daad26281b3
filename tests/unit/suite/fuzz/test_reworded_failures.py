"""What schemathesis finds is only held against a server where the contract leaves no doubt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.observed_response import observe
from mockserver.suite.fuzz.reworded_failures import reword
from mockserver.suite.fuzz.schemathesis_failures import SchemathesisFailure
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse

FORM = "application/x-www-form-urlencoded"


def found(
    folder: Path,
    body: bytes | None,
    media_type: str,
    *,
    required: bool = True,
    sent: str = "",
    check: str = "negative_data_rejection",
    message: str = "message",
    meant: bool = True,
    status: int = 200,
    member: Any = None,
    path: str = "/",
    refused: Any = None,
    see_only: bool = False,
    fields: tuple[tuple[str, str], ...] = (),
) -> Any:
    """Return what becomes of `negative_data_rejection` on an operation that takes this media type."""
    schema = {"type": "object", "required": ["a b"], "properties": {"a b": member or {"type": "string"}}}
    content: dict[str, Any] = {
        "required": required,
        "content": {name: {"schema": schema} for name in (media_type, "text/xml")},
    }
    post: dict[str, Any] = {"requestBody": content, "responses": {"200": {"description": ""}}}
    if refused is not None:
        example = {"value": refused, "x-mockserver-response": "no"}
        content["content"][media_type] = {"schema": schema, "examples": {"refused": example}}
        answer_content: dict[str, Any] = {"application/json": {"examples": {"no": {"value": {}}}}}
        post["responses"]["422"] = {"description": "", "content": answer_content}
    file = folder / "contract.json"
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/": {"post": post}}}
    file.write_text(json.dumps(document), encoding="utf-8")
    contract = load_contract(file)
    [operation] = contract.operations
    exchange = Exchange(
        WireRequest("POST", path, (("Content-Type", sent or media_type), *fields), body), WireResponse(status, (), b"")
    )
    observed = observe(contract, operation if meant else None, operation.label, exchange, Secrets())
    assert observed is not None
    if see_only:
        return observed
    return reword(SchemathesisFailure(check, "Accepted", message, operation, observed, frozenset()))


@pytest.mark.parametrize(
    ("body", "media_type", "rule"),
    [
        (b"a+b=1", FORM, "silent"),
        (b"c=1", FORM, "contract"),
        (b'--x\r\nContent-Disposition: form-data; name="a b"\r\n\r\n1\r\n--x--', "multipart/form-data", "silent"),
        (b"--x--", "multipart/form-data", "contract"),
        (b"<a/>", "application/xml", "silent"),
        (b"{}", "application/json", "contract"),
        (b"{", "application/json", "contract"),
        (None, "application/json", "contract"),
    ],
)
def test_a_form_is_only_surely_broken_where_a_field_is_missing(
    body: bytes | None, media_type: str, rule: str, tmp_path: Path
) -> None:
    assert found(tmp_path, body, media_type).rule == rule


def test_content_is_held_against_the_media_type_that_it_was_sent_as(tmp_path: Path) -> None:
    assert found(tmp_path, b"<a/>", "application/json", sent="application/json").rule == "contract"
    assert found(tmp_path, b"<a/>", "application/json", sent="text/xml").rule == "silent"


def test_content_that_is_valid_is_not_called_invalid(tmp_path: Path) -> None:
    assert found(tmp_path, b'{"a b": "1"}', "application/json") is None
    assert found(tmp_path, b'{"a b": "1"}', "application/json", sent="text/csv").rule == "silent"


def test_a_header_that_is_no_parameter_cannot_be_required(tmp_path: Path) -> None:
    assert found(tmp_path, b"{}", "application/json", check="missing_required_header", message="'X-A'") is not None
    assert found(tmp_path, b"{}", "application/json", check="missing_required_header", message="'Content-type'") is None


def test_content_that_may_be_left_out_is_not_missed(tmp_path: Path) -> None:
    assert found(tmp_path, None, "application/json", required=False).rule == "silent"


@pytest.mark.parametrize("check", ["ensure_resource_availability", "use_after_free"])
def test_a_path_that_means_no_operation_tells_nothing_of_its_items(check: str, tmp_path: Path) -> None:
    assert found(tmp_path, b"{}", "application/json", check=check) is not None
    assert found(tmp_path, b"{}", "application/json", check=check, meant=False) is None


def test_a_list_that_a_form_leaves_out_may_be_empty(tmp_path: Path) -> None:
    lists = {"type": "array", "items": {"type": "string"}}
    assert found(tmp_path, b"c=1", FORM, member=lists).rule == "silent"
    assert found(tmp_path, None, FORM, member=lists).rule == "silent"
    assert found(tmp_path, b"c=1", FORM, member={**lists, "minItems": 1}).rule == "contract"


def test_what_was_made_up_for_accept_and_content_type_blames_nobody(tmp_path: Path) -> None:
    for sent, blamed in (("text/csv", False), ("application/json", True)):
        content, check = b'{"a b": "1"}', "positive_data_acceptance"
        failure = found(tmp_path, content, "application/json", sent=sent, check=check, status=415)
        assert (failure is not None) == blamed


@pytest.mark.parametrize(
    ("path", "status", "reached"), [("/a%2fb", 404, False), ("/a%2Fb", 200, True), ("/", 404, True)]
)
def test_whether_a_path_with_an_encoded_slash_was_reached_is_open(
    tmp_path: Path, path: str, status: int, reached: bool
) -> None:
    observed = found(tmp_path, None, "application/json", path=path, status=status, see_only=True)
    assert (observed.operation is not None) == reached


@pytest.mark.parametrize(
    ("status", "name", "blamed"),
    [(412, "If-Match", False), (412, "if-none-match", False), (412, "X-If-Match", True), (400, "If-Match", True)],
)
def test_a_condition_that_was_made_up_may_fail(status: int, name: str, blamed: bool, tmp_path: Path) -> None:
    content, check = b'{"a b": "1"}', "positive_data_acceptance"
    failure = found(tmp_path, content, "application/json", fields=((name, '"x"'),), check=check, status=status)
    assert (failure is not None) == blamed


@pytest.mark.parametrize(
    ("refused", "status", "blamed"),
    [
        (None, 422, True),
        ({"a b": "no"}, 422, False),
        ({"a b": "no"}, 400, True),  # the contract shows no such refusal
        ({"a b": 1}, 422, True),  # breaks the schema, so it says nothing about what does not
        ({"a b": "1"}, 422, False),  # this very one is refused
    ],
)
def test_a_valid_request_may_be_refused_as_a_documented_valid_one_is(
    refused: Any, status: int, blamed: bool, tmp_path: Path
) -> None:
    content, check = b'{"a b": "1"}', "positive_data_acceptance"
    failure = found(tmp_path, content, "application/json", check=check, status=status, refused=refused)
    assert (failure is not None) == blamed
