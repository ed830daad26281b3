"""Contracts that contradict themselves: what they mean is served, and what nothing can meet is said to be so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client, run_command

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

LINK = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"href": {"type": "string"}, "type": {"type": "string"}},
}
UNKNOWN = {
    **LINK,
    "required": ["href", "colour"],
    "allOf": [{"type": "object", "additionalProperties": False, "properties": {"type": {"type": "string"}}}],
}
CLOSED_TWICE: dict[str, dict[str, Any]] = {
    # Each forbids what is required, read by the letter.
    "around allOf": {"additionalProperties": False, "required": ["href"], "allOf": [LINK]},
    "in allOf": {
        "allOf": [
            {**LINK, "required": ["href"]},
            {"type": "object", "additionalProperties": False, "properties": {"rel": {"type": "string"}}},
        ]
    },
    "behind $ref": {
        "additionalProperties": False,
        "required": ["href"],
        "allOf": [{"$ref": "#/components/schemas/Link"}],
    },
    "of itself": {
        "additionalProperties": False,
        "required": ["href"],
        "allOf": [LINK],
        "properties": {"next": {"$ref": "#/components/schemas/Nested"}},
    },
}


def _both_ways(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {
        "/a": {
            "post": {
                "requestBody": {"required": True, "content": content},
                "responses": {"200": {"description": "", "content": content}, "422": {"description": ""}},
            }
        }
    }


@pytest.mark.parametrize("schema", CLOSED_TWICE.values(), ids=CLOSED_TWICE)
def test_what_is_closed_twice_is_closed_together(
    make_stub: MakeStub, write_contract: Write, schema: dict[str, Any]
) -> None:
    contract = write_contract(_both_ways(schema), components={"schemas": {"Link": LINK, "Nested": schema}})
    client = make_stub(contract, errors=True)  # an answer that breaks its schema would be 500
    answer = client.call("POST", "/a", json={"href": "/x"})
    assert answer.status == 200
    assert "href" in answer.json()
    assert "mock-invalid" not in answer.fields
    assert client.call("POST", "/a", json={"href": "/x", "colour": "red"}).status == 422
    assert client.call("POST", "/a", json={"type": "self"}).status == 422


def test_what_nobody_declares_and_somebody_requires_may_be_there(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract(_both_ways(UNKNOWN)))
    assert client.call("POST", "/a", json={"href": "/x", "colour": "red"}).status == 200
    assert client.call("POST", "/a", json={"href": "/x"}).status == 422


def test_closed_as_it_stands_is_left_alone(make_stub: MakeStub, write_contract: Write) -> None:
    optional = {"additionalProperties": False, "properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]}
    client = make_stub(write_contract(_both_ways(optional)))
    assert client.call("POST", "/a", json={"a": 1}).status == 200
    assert client.call("POST", "/a", json={"b": 1}).status == 422


@pytest.mark.parametrize(
    ("stated", "values", "meant"),
    [
        ("string", [1, 2], "1"),
        ("string", [True], "true"),
        ("integer", ["8", "16"], 8),
        ("number", ["0.5"], 0.5),
        ("boolean", ["true"], True),
        ("array", ["8", "3"], ["8"]),
    ],
)
def test_an_enum_of_another_type_than_its_own_is_of_that_type(
    make_stub: MakeStub, write_contract: Write, stated: str, values: list[Any], meant: Any
) -> None:
    contract = write_contract(_both_ways({"type": stated, "enum": values}))
    client = make_stub(contract, errors=True)
    answer = client.call("POST", "/a", json=meant)
    assert (answer.status, answer.json()) == (200, meant)
    assert "mock-invalid" not in answer.fields
    assert client.call("POST", "/a", json=values[0]).status == 422
    assert client.call("POST", "/a", json="4").status == 422
    assert client.call("POST", "/a", json=["4"]).status == 422


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "enum": ["1", 2]}, 2),  # has a value as it stands
        ({"type": ["integer", "null"], "enum": ["1", None]}, None),
        ({"enum": ["1"]}, "1"),
        ({"type": "object", "enum": [{}, "1"]}, {}),
        ({"type": "array", "enum": [["x"], "y"]}, ["x"]),
    ],
)
def test_an_enum_that_has_a_value_stays_as_it_stands(
    make_stub: MakeStub, write_contract: Write, schema: dict[str, Any], value: Any
) -> None:
    client = make_stub(write_contract(_both_ways(schema)))
    assert client.call("POST", "/a", json=value).status == 200
    assert client.call("POST", "/a", json=1).status == 422


@pytest.mark.parametrize("value", ["Infinity", "NaN", "1e999", "[" * 100_000, "x", "9" * 10_000, "0.5"])
def test_an_enum_that_cannot_be_of_its_type_stays_impossible(
    make_stub: MakeStub, write_contract: Write, value: str
) -> None:
    client = make_stub(write_contract(_both_ways({"type": "integer", "enum": [value]})))
    assert client.call("POST", "/a", json=1).status == 422


def test_such_an_enum_is_answered_only_where_it_must_be(make_stub: MakeStub, write_contract: Write) -> None:
    member = {"$ref": "#/components/schemas/E"}
    schema = {"type": "object", "required": ["must"], "properties": {"must": member, "may": member}}
    contract = write_contract(_answered(schema), components={"schemas": {"E": {"type": "string", "enum": [1]}}})
    assert make_stub(contract).call("GET", "/a").json() == {"must": "1"}


def test_the_suite_reads_such_an_enum_as_the_stub_does(write_contract: Write) -> None:
    contract = write_contract(_answered({"type": "string", "enum": [1, 2]}))
    done = run_command("fuzz", "--contract", str(contract), "--max-examples", "3", cwd=contract.parent)
    assert done.returncode == 0, done.stdout


IMPOSSIBLE = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "string", "format": "date-time", "pattern": "^x"}},
}


def _answered(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"/a": {"get": {"responses": {"200": {"description": "", "content": content}}}}}


def test_an_answer_that_cannot_be_valid_says_so(make_stub: MakeStub, write_contract: Write) -> None:
    contract = write_contract(_answered(IMPOSSIBLE))
    answer = make_stub(contract).call("GET", "/a")
    assert (answer.status, answer.fields["mock-invalid"]) == (200, "true")
    assert make_stub(contract, errors=True).call("GET", "/a").status == 500


@pytest.mark.parametrize(
    ("schema", "code"),
    [(IMPOSSIBLE, 0), ({"type": "integer", "minimum": 3, "maximum": 2}, 2)],  # of the latter the stub makes nothing
)
def test_the_suite_holds_it_against_the_contract_not_the_stub(write_contract: Write, schema: Any, code: int) -> None:
    contract = write_contract(_answered(schema))
    done = run_command("fuzz", "--contract", str(contract), "--max-examples", "3", cwd=contract.parent)
    assert done.returncode == code, done.stdout
    assert "owner: contract" in done.stdout
    assert "VIOLATION" not in done.stdout


def test_what_a_contract_tells_clients_to_send_is_taken(make_stub: MakeStub, write_contract: Write) -> None:
    told = [
        {"name": "Accept", "in": "header", "schema": {"type": "string", "example": "application/json"}},
        {"name": "Content-Type", "in": "header", "schema": {"type": "string", "enum": ["application/json"]}},
    ]
    operation = {
        "parameters": told,
        "requestBody": {"content": {"application/vnd.a+json": {"schema": {"type": "integer"}}}},
        "responses": {"200": {"description": "", "content": {"text/plain": {"schema": {"type": "object"}}}}},
    }
    client = make_stub(write_contract({"/a": {"post": operation}}))
    as_told = {"Accept": "application/json", "Content-Type": "application/json"}
    assert client.call("POST", "/a", content=b"1", fields=as_told).status == 200
    assert client.call("POST", "/a", content=b'"x"', fields=as_told).status == 422
    assert client.call("POST", "/a", content=b"1", fields=as_told | {"Accept": "image/png"}).status == 406
    assert client.call("POST", "/a", content=b"1", fields=as_told | {"Content-Type": "text/csv"}).status == 415


def test_of_two_paths_that_are_one_the_first_answers(make_stub: MakeStub, write_contract: Write) -> None:
    def get(name: str) -> dict[str, Any]:
        content = {"application/json": {"example": name}}
        parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        return {"get": {"parameters": [parameter], "responses": {"200": {"description": "", "content": content}}}}

    client = make_stub(write_contract({"/a/{b}": get("b"), "/a/{c}": get("c")}))
    assert client.call("GET", "/a/1").json() == "b"


def test_examples_that_no_request_decides_are_not_expected_of_the_stub(write_contract: Write) -> None:
    number = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}

    def get(examples: Any, **more: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": number, "examples": examples}}
        return {"responses": {"200": {"description": "", "content": content}, "404": {"description": ""}}, **more}

    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    paths = {
        "/broken": {"get": get({"a": {"value": {"id": "x"}}})},
        "/several": {"get": get({"a": {"value": {"id": 1}}, "b": {"value": {"id": 2}}})},
        "/things": {"get": get({"a": {"value": {"id": 1}}}), "post": get({"a": {"value": {"id": 1}}})},
        "/things/{id}": {"delete": get({"a": {"value": {"id": 77}}}, parameters=[identifier])},
    }
    contract = write_contract(paths)
    done = run_command("check", "--contract", str(contract), "--report", "json=told.json", cwd=contract.parent)
    assert done.stdout.startswith("KEPT"), done.stdout
    assert "the example breaks its own schema" in (contract.parent / "told.json").read_text()
