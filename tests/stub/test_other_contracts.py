"""The stub serves any contract, not only the built-in one: small contracts, each made for one claim."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.errors import ContractError

if TYPE_CHECKING:
    from tests.conftest import Client

MakeStub = Callable[..., "Client"]
Write = Callable[..., Path]


def _get(responses: Any, **members: Any) -> dict[str, Any]:
    return {"get": {"operationId": "read", "responses": responses, **members}}


def _json(example: Any) -> dict[str, Any]:
    return {"description": "ok", "content": {"application/json": {"example": example}}}


@pytest.mark.parametrize(
    "number",
    [
        2**53 + 1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        -(2**63),
        -(2**63) - 1,
        10**18,
        10**19 + 1,
        10**40 + 1,
        -(10**300) - 7,
    ],
)
def test_integers_of_any_length_stay_exact(
    make_stub: MakeStub, write_setting: Write, tmp_path: Path, number: int
) -> None:
    contract = write_setting({"type": "object", "properties": {"n": {"type": "integer"}}})
    for state in ("memory", f"sqlite:///{tmp_path / 'state.db'}"):
        client = make_stub(contract, state=state)
        # Written by hand: json.dumps must not be what makes it exact.
        written = client.call("POST", "/setting", content=b'{"n": %d}' % number)
        assert written.status == 200
        assert written.content.count(str(number).encode()) == 1
        assert client.call("GET", "/setting").json()["settings"]["value"] == {"n": number}


def test_limits_are_exact_beyond_floating_point(make_stub: MakeStub, write_setting: Write) -> None:
    client = make_stub(write_setting({"type": "integer", "maximum": 2**53, "minimum": -(2**63)}))
    assert client.call("POST", "/setting", content=b"%d" % 2**53).status == 200
    assert client.call("POST", "/setting", content=b"%d" % (2**53 + 1)).status == 422
    assert client.call("POST", "/setting", content=b"%d" % -(2**63)).status == 200
    assert client.call("POST", "/setting", content=b"%d" % (-(2**63) - 1)).status == 422


@pytest.mark.parametrize("value", [0.1, 1e300, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, -0.0, 123456.789e3])
def test_fractions_come_back_as_the_same_number(make_stub: MakeStub, write_setting: Write, value: float) -> None:
    client = make_stub(write_setting({"type": "number"}))
    answer = client.call("POST", "/setting", json=value)
    assert repr(answer.json()["settings"]["value"]) == repr(value)


def test_true_is_no_integer_and_one_is_no_boolean(make_stub: MakeStub, write_setting: Write) -> None:
    integer, boolean = make_stub(write_setting({"type": "integer"})), make_stub(write_setting({"type": "boolean"}))
    assert integer.call("POST", "/setting", json=True).status == 422
    assert boolean.call("POST", "/setting", json=1).status == 422


@pytest.mark.parametrize("name", ["plain", "a b", "a/b", "a~b", "50%", "a%20b", "ümlaut", "#", '"', "日本", "a?b"])
def test_violations_of_oddly_named_properties_know_their_rule(
    make_stub: MakeStub, write_setting: Write, name: str
) -> None:
    schema = {"properties": {name: {"maximum": 3, "x-assumed": {"maximum": "because"}}}}
    answer = make_stub(write_setting(schema)).call("POST", "/setting", json={name: 9})
    (violation,) = answer.json()["violations"]
    escaped = name.replace("~", "~0").replace("/", "~1")
    assert violation["pointer"] == f"/{escaped}"
    assert str(violation["expected"]) in {"3", "at most 3"}
    assert violation["provenance"]["reason"] == "because"
    assert violation["provenance"]["pointer"].endswith(f"/properties/{escaped}/maximum")


KEYWORDS: list[tuple[Any, Any, str, str]] = [
    ({"const": 1}, 2, "", "const"),
    ({"enum": ["a", "b"]}, "c", "", "enum"),
    ({"multipleOf": 3}, 4, "", "multipleOf"),
    ({"exclusiveMinimum": 3}, 3, "", "exclusiveMinimum"),
    ({"exclusiveMaximum": 3}, 3, "", "exclusiveMaximum"),
    ({"pattern": "^a$"}, "b", "", "pattern"),
    ({"format": "ipv4"}, "999.1.1.1", "", "format"),
    ({"minItems": 1}, [], "", "minItems"),
    ({"maxItems": 1}, [1, 2], "", "maxItems"),
    ({"uniqueItems": True}, [1, 1], "", "uniqueItems"),
    ({"minProperties": 1}, {}, "", "minProperties"),
    ({"maxProperties": 0}, {"a": 1}, "", "maxProperties"),
    ({"items": {"type": "string"}}, ["a", 1], "/1", "type"),
    ({"prefixItems": [{"type": "string"}]}, [1], "/0", "type"),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "/b", "dependentRequired"),
    ({"properties": {"a": {"readOnly": True}}}, {"a": 1}, "/a", "readOnly"),
    ({"not": {"type": "string"}}, "a", "", "not"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "", "anyOf"),
    ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 3, "", "oneOf"),
    ({"allOf": [{"minimum": 5}]}, 3, "", "minimum"),
    ({"contains": {"const": 1}}, [2], "", "contains"),
    ({"unevaluatedProperties": False}, {"a": 1}, "/a", "unevaluatedProperties"),
]


@pytest.mark.parametrize(
    ("schema", "value", "pointer", "keyword"), KEYWORDS, ids=[json.dumps(row[0]) for row in KEYWORDS]
)
def test_each_keyword_is_told_in_its_own_words(
    make_stub: MakeStub, write_setting: Write, schema: Any, value: Any, pointer: str, keyword: str
) -> None:
    answer = make_stub(write_setting(schema), strict=True).call("POST", "/setting", json=value)
    assert answer.status == 422
    (violation,) = answer.json()["violations"]
    assert (violation["pointer"], violation["keyword"]) == (pointer, keyword)
    assert "None" not in violation["message"]
    if keyword == "dependentRequired":
        assert "required" in violation["message"]


def test_false_schemas_refuse_their_property(make_stub: MakeStub, write_setting: Write) -> None:
    answer = make_stub(write_setting({"properties": {"gone": False}})).call("POST", "/setting", json={"gone": 1})
    assert answer.status == 422
    assert answer.pointers == ["/gone"]


def test_recursive_schemas(make_stub: MakeStub, write_setting: Write) -> None:
    tree = {"properties": {"child": {"$ref": "#/components/schemas/Tree"}, "n": {"type": "integer"}}}
    client = make_stub(write_setting({"$ref": "#/components/schemas/Tree"}, components={"schemas": {"Tree": tree}}))
    value: Any = {"n": 1}
    for _ in range(50):
        value = {"child": value, "n": 1}
    assert client.call("POST", "/setting", json=value).status == 200
    assert client.call("POST", "/setting", json={"child": {"child": {"n": "x"}}}).pointers == ["/child/child/n"]


def test_without_behaviour_the_example_answers(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract({"/a": _get({"200": _json({"a": [1, None, "ü"]})})}))
    answer = client.call("GET", "/a")
    assert answer.status == 200
    assert answer.json() == {"a": [1, None, "ü"]}


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 299])
def test_the_documented_success_status_answers(make_stub: MakeStub, write_contract: Write, status: int) -> None:
    client = make_stub(write_contract({"/a": _get({str(status): _json(1)})}))
    assert client.call("GET", "/a").status == status


@pytest.mark.parametrize("key", ["2XX", "default"])
def test_ranges_and_defaults_answer_too(make_stub: MakeStub, write_contract: Write, key: str) -> None:
    answer = make_stub(write_contract({"/a": _get({key: _json([1])})})).call("GET", "/a")
    assert answer.status == 200
    assert answer.json() == [1]


def test_documented_without_content(make_stub: MakeStub, write_contract: Write) -> None:
    answer = make_stub(write_contract({"/a": _get({"204": {"description": "done"}})})).call("GET", "/a")
    assert (answer.status, answer.content) == (204, b"")


def test_content_without_example_or_schema_is_an_empty_object(make_stub: MakeStub, write_contract: Write) -> None:
    contract = write_contract({"/a": _get({"200": {"description": "x", "content": {"application/json": {}}}})})
    answer = make_stub(contract).call("GET", "/a")
    assert (answer.status, answer.json()) == (200, {})


def test_content_that_no_value_can_be_is_501(make_stub: MakeStub, write_contract: Write) -> None:
    content = {"application/json": {"schema": False}}
    answer = make_stub(write_contract({"/a": _get({"200": {"description": "x", "content": content}})})).call(
        "GET", "/a"
    )
    assert answer.status == 501
    assert "example" in answer.json()["detail"]


def test_the_contracts_own_error_shape_comes_first(make_stub: MakeStub, write_contract: Write) -> None:
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    operation = {"requestBody": body, "responses": {"200": _json(1), "422": _json({"oops": True})}}
    client = make_stub(write_contract({"/a": {"post": operation}}))
    answer = client.call("POST", "/a", json=[])
    assert (answer.status, answer.json()) == (422, {"oops": True})
    # 400 is not documented and 422 means the same.
    answer = client.call("POST", "/a", content=b"{")
    assert (answer.status, answer.json()) == (422, {"oops": True})


def test_an_optional_body_may_be_left_out(make_stub: MakeStub, write_contract: Write) -> None:
    operation = {
        "operationId": "write",
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": _json(1)},
    }
    assert make_stub(write_contract({"/a": {"post": operation}})).call("POST", "/a").status == 200
    operation["x-mockserver-behaviour"] = {"handler": "setting", "role": "write", "resource": "r"}
    # A behaviour that needs a value and a contract that asks for none: told at start or to the client, no 500.
    try:
        client = make_stub(write_contract({"/a": {"post": operation}}))
    except ContractError:
        return
    assert client.call("POST", "/a").status < 500
    assert client.control("GET", "/state")["world"] == "default"


@pytest.mark.parametrize("body", [[], 1, {}, {"username": 5, "password": []}, {"username": "x"}])
def test_a_login_without_schema_does_not_break(make_stub: MakeStub, write_contract: Write, body: Any) -> None:
    operation = {
        "x-mockserver-behaviour": {"handler": "auth", "role": "issue"},
        "requestBody": {"required": True, "content": {"application/json": {}}},
        "responses": {"200": _json(1)},
    }
    try:
        client = make_stub(write_contract({"/a": {"post": operation}}))
    except ContractError:
        return
    assert 400 <= client.call("POST", "/a", json=body).status < 500


def test_text_is_taken_as_text(make_stub: MakeStub, write_contract: Write) -> None:
    body = {"content": {"text/plain": {"schema": {"type": "string", "maxLength": 5}}}}
    client = make_stub(write_contract({"/a": {"post": {"requestBody": body, "responses": {"200": _json(1)}}}}))
    plain = {"Content-Type": "text/plain"}
    assert client.call("POST", "/a", content=b"hello", fields=plain).status == 200
    assert client.call("POST", "/a", content=b"hello!", fields=plain).status == 422


INTEGERS = [("1", True), ("-1", True), ("0", True), ("1.0", True), *((text, False) for text in (
    "", "x", "1_0", "%D9%A3", "%201", "1%20", "%2B1", "0x1", "01", "1e999", "NaN", "9" * 5000 + "x",
))]  # fmt: skip


@pytest.mark.parametrize(("text", "valid"), INTEGERS, ids=[text[:12] for text, _ in INTEGERS])
def test_integers_in_a_query_are_written_as_in_json(
    make_stub: MakeStub, write_contract: Write, text: str, *, valid: bool
) -> None:
    parameter = {"name": "n", "in": "query", "schema": {"type": "integer"}}
    client = make_stub(write_contract({"/a": _get({"200": _json(1)}, parameters=[parameter])}))
    answer = client.call("GET", f"/a?n={text}")
    if text == "1.0":
        assert answer.status in {200, 422}  # OpenAPI does not say; it must not be an error of ours
    else:
        assert answer.status == (200 if valid else 422)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "Infinity", "1_0"])
def test_numbers_in_a_query_are_finite(make_stub: MakeStub, write_contract: Write, text: str) -> None:
    parameter = {"name": "n", "in": "query", "schema": {"type": "number"}}
    client = make_stub(write_contract({"/a": _get({"200": _json(1)}, parameters=[parameter])}))
    answer = client.call("GET", f"/a?n={text}")
    assert answer.status == 422
    assert answer.json()["violations"][0]["value"] == text


def test_parameters_from_everywhere(make_stub: MakeStub, write_contract: Write) -> None:
    parameters = [
        {"name": name, "in": place, "required": True, "schema": {"type": "integer", "maximum": 9}}
        for name, place in (("id", "path"), ("q", "query"), ("X-Number", "header"), ("c", "cookie"))
    ]
    client = make_stub(write_contract({"/a/{id}": _get({"200": _json(1)}, parameters=parameters)}))
    good = {"X-Number": "1", "Cookie": "z=0; c=1"}
    assert client.call("GET", "/a/1?q=1", fields=good).status == 200
    answer = client.call("GET", "/a/10?q=x", fields={"Cookie": "c=11"})
    assert answer.status == 422
    found = {(item["in"], item["pointer"], item["keyword"]) for item in answer.json()["violations"]}
    assert found == {
        ("path", "/id", "maximum"),
        ("query", "/q", "type"),
        ("header", "/X-Number", "required"),
        ("cookie", "/c", "maximum"),
    }


def test_a_secret_looking_parameter_is_masked(make_stub: MakeStub, write_contract: Write) -> None:
    parameter = {"name": "api_key", "in": "query", "schema": {"maxLength": 3}}
    client = make_stub(write_contract({"/a": _get({"200": _json(1)}, parameters=[parameter])}))
    answer = client.call("GET", "/a?api_key=canary-Zk2mV9x")
    assert answer.status == 422
    assert b"canary" not in answer.content
    assert "canary" not in json.dumps(client.journal())


SCHEMES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "basic": ({"type": "http", "scheme": "basic"}, {"Authorization": "Basic YTpi"}, "Basic "),
    "bearer": ({"type": "http", "scheme": "bearer"}, {"Authorization": "Bearer x"}, "Bearer "),
    "header key": ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"X-Key": "x"}, ""),
    "cookie key": ({"type": "apiKey", "in": "cookie", "name": "key"}, {"Cookie": "key=x"}, ""),
    "oauth2": ({"type": "oauth2"}, {"Authorization": "Bearer x"}, "Bearer "),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_any_scheme_asks_for_credentials(make_stub: MakeStub, write_contract: Write, name: str) -> None:
    scheme, fields, challenge = SCHEMES[name]
    client = make_stub(
        write_contract(
            {"/a": _get({"200": _json(1)})},
            components={"securitySchemes": {"s": scheme}},
            security=[{"s": []}],
        )
    )
    refused = client.call("GET", "/a", user=None)
    assert refused.status == 401
    assert refused.fields["www-authenticate"].startswith(challenge)
    assert client.call("GET", "/a", user=None, fields=fields).status == 200


def test_any_requirement_suffices_and_all_of_its_schemes_are_needed(make_stub: MakeStub, write_contract: Write) -> None:
    schemes = {name: {"type": "apiKey", "in": "header", "name": f"X-{name}"} for name in ("one", "two", "three")}
    security: list[dict[str, list[str]]] = [{"one": [], "two": []}, {"three": []}]
    contract = write_contract(
        {"/a": _get({"200": _json(1)}), "/open": _get({"200": _json(1)}, operationId="open", security=[{}])},
        components={"securitySchemes": schemes},
        security=security,
    )
    client = make_stub(contract)
    assert client.call("GET", "/a", fields={"X-one": "1"}).status == 401
    assert client.call("GET", "/a", fields={"X-one": "1", "X-two": "1"}).status == 200
    assert client.call("GET", "/a", fields={"X-three": "1"}).status == 200
    assert client.call("GET", "/open", user=None).status == 200


def test_an_optional_scheme_lets_everybody_in(make_stub: MakeStub, write_contract: Write) -> None:
    contract = write_contract(
        {"/a": _get({"200": _json(1)}, security=[{"key": []}, {}])},
        components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    )
    assert make_stub(contract).call("GET", "/a", user=None).status == 200


def test_concrete_paths_win_and_pieces_of_segments_are_matched(make_stub: MakeStub, write_contract: Write) -> None:
    def names(*known: str) -> list[Any]:
        return [{"name": name, "in": "path", "required": True, "schema": {}} for name in known]

    paths = {
        "/a/b": _get({"200": _json("concrete")}, operationId="1"),
        "/a/{x}": _get({"200": _json("any")}, operationId="2", parameters=names("x")),
        "/a/{x}.json": _get({"200": _json("json")}, operationId="3", parameters=names("x")),
        "/a/{x}/c": _get({"200": _json("below")}, operationId="4", parameters=names("x")),
        "/{y}/b/d": _get({"200": _json("last")}, operationId="5", parameters=names("y")),
    }
    client = make_stub(write_contract(paths))
    for path, expected in (
        ("/a/b", "concrete"),
        ("/a/z", "any"),
        ("/a/z.json", "json"),
        ("/a/.json", "any"),
        ("/a/b/c", "below"),
        ("/a/b/d", "last"),
        ("/a/%C3%A9", "any"),
    ):
        assert client.call("GET", path).json() == expected
    assert client.call("GET", "/a/").status == 404
    assert client.call("GET", "/a/z/x").status == 404


UNKNOWN_BEHAVIOURS: list[Any] = [
    {"handler": "nonsense"},
    {"handler": "setting", "role": "nonsense"},
    {"handler": ["setting"], "role": "read"},
    {"handler": "setting", "role": "read", "resource": 5},
    {"handler": "setting", "role": "read", "surprise": 1},
    {"role": "read"},
    "setting",
    {"handler": "setting", "role": "write", "resource": "r", "generated": "yes"},
]


@pytest.mark.parametrize("behaviour", UNKNOWN_BEHAVIOURS, ids=json.dumps)
def test_an_unknown_behaviour_is_an_error_at_start(make_stub: MakeStub, write_contract: Write, behaviour: Any) -> None:
    operation = _get({"200": _json(1)}, **{"x-mockserver-behaviour": behaviour})
    with pytest.raises(ContractError, match=r"contract-1\.json:\d+: /paths/~1a/get/x-mockserver-behaviour"):
        make_stub(write_contract({"/a": operation}))
