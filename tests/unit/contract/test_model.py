"""The contract as frozen values; a mistake in it is told with its place, at start."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.exchanges import pairs_in
from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.errors import ContractError

GOOD: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "x-mockserver-levels": ["High", "Low"],
    "components": {
        "securitySchemes": {"basic": {"type": "http", "scheme": "Basic"}},
        "parameters": {"P": {"name": "p", "in": "query", "schema": {"type": "integer"}}},
    },
    "security": [{"basic": []}],
    "paths": {
        "/a/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "q", "in": "query", "schema": {}},
            ],
            "get": {
                "operationId": "get_a",
                "x-mockserver-levels": ["High"],
                "parameters": [
                    {"$ref": "#/components/parameters/P"},
                    {"name": "q", "in": "query", "required": True},
                ],
                "responses": {
                    "200": {
                        "description": "d",
                        "headers": {"X-H": {"required": True, "schema": {}}},
                        "content": {
                            "application/json": {
                                "schema": {},
                                "examples": {
                                    "one": {"value": 1, "x-mockserver-presumes": {"clock": 5, "calls": ["get_a/one"]}},
                                    "two": {"externalValue": "elsewhere"},
                                },
                            }
                        },
                    },
                    "4XX": {"description": "bad"},
                    "default": {"description": "d"},
                },
            },
            "post": {
                "security": [],
                "requestBody": {"content": {"application/json": {"example": {"x": 1}}}},
                "responses": {"201": {"description": "d", "content": {"application/json": {"example": 2}}}},
            },
        }
    },
}
GET = "/paths/~1a~1{id}/get"


@pytest.fixture
def load_changed(tmp_path: Path) -> Callable[..., Contract]:
    """Load the good contract with one member replaced; its pointer is given as names."""

    def load(*names: Any, to: Any) -> Contract:
        document = copy.deepcopy(GOOD)
        holder: Any = document
        for name in names[:-1]:
            holder = holder[name]
        if names:
            holder[names[-1]] = to
        path = tmp_path / "contract.json"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return load_contract(path)

    return load


Load = Callable[..., Contract]


def test_what_a_contract_says(load_changed: Load) -> None:
    contract = load_changed(to=None)
    assert (contract.title, contract.version, contract.levels) == ("t", "1", ("High", "Low"))
    assert contract.security_schemes["basic"].scheme == "basic"
    get, post = contract.operations
    assert contract.by_id["get_a"] is get
    assert (get.method, get.path, get.label, get.safe) == ("GET", "/a/{id}", "GET /a/{id}", True)
    assert post.id == "post_/a/{id}"
    assert not post.safe
    assert get.levels == ("High",)
    assert post.levels is None
    assert get.security == ({"basic": ()},)
    assert post.security == ()
    # The operation's own parameter replaces the path's of the same name and place.
    assert {(item.name, item.location, item.required) for item in get.parameters} == {
        ("id", "path", True),
        ("q", "query", True),
        ("p", "query", False),
    }
    assert next(item for item in get.parameters if item.name == "p").pointer == "/components/parameters/P"


def test_responses_by_status(load_changed: Load) -> None:
    get, _ = load_changed(to=None).operations

    def key(status: int) -> str:
        found = get.response_for(status)
        assert found is not None
        return found.status

    assert [key(status) for status in (200, 404, 499, 500, 201)] == ["200", "4XX", "4XX", "default", "default"]
    success = get.success()
    assert success is not None
    assert success.headers["X-H"].required


def test_examples_are_paired(load_changed: Load) -> None:
    contract = load_changed(to=None)
    first, second = pairs_in(contract)
    assert (first.name, first.request, first.status, first.response.value) == ("get_a/one", None, "200", 1)
    assert first.response.presumes.clock == 5
    assert first.response.presumes.calls == ("get_a/one",)
    assert second.request is not None
    assert (second.request.value, second.response.value, second.status) == ({"x": 1}, 2, "201")


def _named(**values: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def _content(**values: Any) -> dict[str, Any]:
    return {"description": "d", "content": {"application/json": {"examples": _named(**values)}}}


def _contract(tmp_path: Path, operation: dict[str, Any]) -> Contract:
    path = tmp_path / "contract.json"
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a/{id}/": {"put": operation}}}
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_contract(path)


def test_an_exchange_is_made_with_the_parameters_of_its_name(tmp_path: Path) -> None:
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {}, "examples": _named(first="a", second="b")},
        {"name": "q", "in": "query", "schema": {}, "examples": _named(second="c", asked="d")},
        {"name": "anonymous", "in": "query", "schema": {}, "example": "e"},
        {"name": "bare", "in": "query", "required": True, "schema": {}},
    ]

    def arguments(operation: dict[str, Any]) -> list[dict[str, Any]]:
        contract = _contract(tmp_path, {"parameters": parameters, **operation})
        return [{name: item.value for (_, name), item in pair.arguments.items()} for pair in pairs_in(contract)]

    answers = {"200": _content(second=2, third=3, example=4)}
    assert arguments({"responses": answers}) == [{"id": "b", "q": "c"}, {"id": "a"}, {"id": "a"}]
    # The name of a request example comes before that of its answer.
    request = {"asked": {"value": 1, "x-mockserver-response": "second"}}
    body = {"content": {"application/json": {"examples": request}}}
    assert arguments({"requestBody": body, "responses": answers}) == [{"id": "b", "q": "d"}]


def test_only_a_request_that_names_its_answer_is_answered_by_an_error(tmp_path: Path) -> None:
    request = {"wrong": {"value": 1}, "weak": {"value": 2, "x-mockserver-response": "refused"}}
    body = {"content": {"application/json": {"examples": request}}}
    answers = {"422": _content(wrong=3, refused=4), "200": _content(right=5)}
    (pair,) = pairs_in(_contract(tmp_path, {"requestBody": body, "responses": answers}))
    assert pair.request is not None
    assert (pair.request.name, pair.status, pair.response.value) == ("weak", "422", 4)


#: Names that lead to a member, what it becomes, the pointer that the message must name, a word of the message.
MISTAKES: list[tuple[list[Any], Any, str, str]] = [
    (["openapi"], "2.0", "", "openapi"),
    (["openapi"], 3.1, "/openapi", "openapi"),
    (["openapi"], None, "", "openapi"),
    (["paths"], [], "/paths", "object"),
    (["paths", "a"], {}, "/paths/a", "slash"),
    (["paths", "/b"], None, "/paths/~1b", "object"),
    (["paths", "/b"], {"$ref": "#/nothing"}, "/paths/~1b", "nothing is at this pointer"),
    (["paths", "/b"], {"$ref": "other.yaml"}, "/paths/~1b", "cannot be followed"),
    (["paths", "/b"], {"get": []}, "/paths/~1b/get", "object"),
    (["paths", "/b"], {"get": {"operationId": "get_a"}}, "/paths/~1b/get", "twice"),
    (["components"], [], "/components", "object"),
    (["components", "securitySchemes", "basic"], 5, "/components/securitySchemes/basic", "object"),
    (["security"], [{"unknown": []}], "/security", "unknown"),
    (["security"], {}, "/security", "list"),
    (["paths", "/a/{id}", "get", "security"], 5, f"{GET}/security", "list"),
    (["paths", "/a/{id}", "get", "security"], ["basic"], f"{GET}/security", "list"),
    (["x-mockserver-levels"], "High", "/x-mockserver-levels", "list"),
    (["x-mockserver-levels"], [1], "/x-mockserver-levels", "list"),
    (["paths", "/a/{id}", "get", "x-mockserver-levels"], "High", f"{GET}/x-mockserver-levels", "list"),
    (["paths", "/a/{id}", "get", "x-mockserver-levels"], ["Middle"], f"{GET}/x-mockserver-levels", "Middle"),
    (["paths", "/a/{id}", "get", "parameters"], {"a": 1}, f"{GET}/parameters", "list"),
    (["paths", "/a/{id}", "get", "parameters", 1], {"in": "query"}, f"{GET}/parameters/1", "name"),
    (["paths", "/a/{id}", "get", "parameters", 1], {"name": "x", "in": "body"}, f"{GET}/parameters/1", "in"),
    (["paths", "/a/{id}", "get", "parameters", 1], 5, f"{GET}/parameters/1", "object"),
    (["paths", "/a/{id}", "get", "responses", "200"], 5, f"{GET}/responses/200", "object"),
    (["paths", "/a/{id}", "get", "x-mockserver-behaviour"], 5, f"{GET}/x-mockserver-behaviour", "handler"),
    *(
        (["paths", "/a/{id}", "get", "x-mockserver-behaviour"], value, f"{GET}/x-mockserver-behaviour", word)
        for value, word in (
            ({"handler": ["x"]}, "text"),
            ({"handler": "setting", "role": 5}, "text"),
            ({"handler": "setting", "generated": 1}, "true or false"),
            ({"handler": "setting", "surprise": 1}, "handler"),
        )
    ),
]
EXAMPLE = ["paths", "/a/{id}", "get", "responses", "200", "content", "application/json", "examples"]
EXAMPLES = f"{GET}/responses/200/content/application~1json/examples"
MISTAKES += [
    (EXAMPLE, [1], EXAMPLES, "map"),
    ([*EXAMPLE, "one"], 5, f"{EXAMPLES}/one", "object"),
    *(
        ([*EXAMPLE, "one", "x-mockserver-presumes"], value, f"{EXAMPLES}/one/x-mockserver-presumes", "must")
        for value in (5, {"clock": "x"}, {"clock": True}, {"calls": "get_a"}, {"calls": [1]}, {"identity": 5}, {"x": 1})
    ),
]
PLACES: list[list[Any]] = [
    [],
    ["info"],
    ["components"],
    ["components", "securitySchemes", "basic"],
    ["paths"],
    ["paths", "/a/{id}"],
    ["paths", "/a/{id}", "get"],
    ["paths", "/a/{id}", "get", "parameters", 1],
    ["paths", "/a/{id}", "get", "responses"],
    ["paths", "/a/{id}", "get", "responses", "200"],
    ["paths", "/a/{id}", "get", "responses", "200", "headers", "X-H"],
    ["paths", "/a/{id}", "get", "responses", "200", "content", "application/json", "schema"],
    [*EXAMPLE, "one"],
]


@pytest.mark.parametrize(("names", "value", "pointer", "word"), MISTAKES, ids=repr)
def test_a_mistake_is_told_with_its_place(
    load_changed: Load, names: list[Any], value: Any, pointer: str, word: str
) -> None:
    ours = "x-mockserver" in pointer
    if ours or (names == ["openapi"] and value != 3.1):
        with pytest.raises(ContractError, match=word) as caught:
            load_changed(*names, to=value)
        told = [str(caught.value)]
    else:  # a document with it is served
        told = [text for text in load_changed(*names, to=value).warning_texts() if re.search(word, text)]
    assert any("contract.json:" in text and pointer in text for text in told), told


@pytest.mark.parametrize("names", PLACES, ids=repr)
def test_an_unknown_extension_of_ours_is_a_mistake_anywhere(load_changed: Load, names: list[Any]) -> None:
    with pytest.raises(ContractError, match=r"contract\.json:\d+: .*x-mockserver-surprise: unknown extension"):
        load_changed(*names, "x-mockserver-surprise", to=1)


def test_extensions_of_others_are_theirs(load_changed: Load) -> None:
    load_changed("x-amazon-thing", to={"a": 1})
    load_changed("paths", "/a/{id}", "get", "x-internal", to=True)


@pytest.mark.parametrize("wrong", [{"type": "nonsense"}, {"$ref": "#/nothing"}])
def test_what_cannot_be_used_of_a_schema_is_left_out(load_changed: Load, wrong: dict[str, str]) -> None:
    place = "/components/parameters/P/schema"
    contract = load_changed("components", "parameters", "P", "schema", to={**wrong, "maxLength": 1})
    assert not contract.validator(place, "request").is_valid("xx")
    assert contract.schema(place) == ({"maxLength": 1}, place)


def test_values_are_frozen(load_changed: Load) -> None:
    contract = load_changed(to=None)
    with pytest.raises(AttributeError):
        contract.operations[0].path = "/other"  # type: ignore[misc]  # that is the point


def test_the_built_in_contract(contract: Contract) -> None:
    # Of the 55 documented operations those of settings stand for four each.
    assert len(contract.operations) == 52 + 3 * 4
    assert contract.levels == ("MasterAdmin", "DomainAdmin", "MailUser")
    assert contract.place("/info/title").endswith(": /info/title")
