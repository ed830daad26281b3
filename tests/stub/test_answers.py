"""Which response a contract's operation is answered with, and in which form."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client as WerkzeugClient

from mockserver import create_app
from mockserver.http import json
from mockserver.messages import Outcome
from mockserver.plugins.calls import Call
from mockserver.plugins.registration import behaviour
from tests.conftest import Client, Serve

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}


def _content(*names: str, example: Any = "x", **more: Any) -> dict[str, Any]:
    return {"description": "", "content": {name: {"example": example, **more} for name in names}}


def _json(example: Any, **more: Any) -> dict[str, Any]:
    return _content("application/json", example=example, **more)


@pytest.fixture
def answering(make_stub: MakeStub, write_contract: Write) -> Callable[..., Client]:
    """Return a stub of one operation with some responses; options are those of `create_app`."""

    def make(responses: Any, method: str = "get", operation: Any = None, **options: Any) -> Client:
        return make_stub(write_contract({"/a": {method: {"responses": responses, **(operation or {})}}}), **options)

    return make


STATUSES: list[tuple[str, dict[str, Any], int, bytes]] = [
    ("lowest 2xx", {"201": _json(2), "200": _json(1)}, 200, b"1"),
    ("content first", {"200": {"description": ""}, "202": _json(2)}, 202, b"2"),
    ("range", {"2XX": _json(2), "404": _json(4)}, 200, b"2"),
    ("lower-case range", {"2xx": _json(2)}, 200, b"2"),
    ("code before range", {"2XX": _json(2), "201": _json(1)}, 201, b"1"),
    ("default only", {"default": _json(3)}, 200, b"3"),
    ("2xx before default", {"default": _json(3), "204": {"description": ""}}, 204, b""),
    ("redirect", {"302": {"description": ""}, "404": _json(4)}, 302, b""),
    ("not 304 first", {"304": {"description": ""}, "307": {"description": ""}}, 307, b""),
    ("redirect before default", {"default": _json(3), "303": {"description": ""}}, 303, b""),
    ("errors only", {"501": _json(5), "404": _json(4)}, 501, b"5"),
    ("a range of errors only", {"4XX": _json(4)}, 400, b"4"),
    ("never 1xx", {"101": {"description": ""}, "200": _json(1)}, 200, b"1"),
    ("only 1xx", {"101": {"description": ""}}, 200, b""),
    ("no responses", {}, 200, b""),
    ("204 has no content", {"204": _json(1)}, 204, b""),
    ("304 has no content", {"304": _json(1)}, 304, b""),
]


@pytest.mark.parametrize(
    ("responses", "status", "content"), [case[1:] for case in STATUSES], ids=[c[0] for c in STATUSES]
)
def test_the_status_of_success(
    answering: Callable[..., Client], responses: dict[str, Any], status: int, content: bytes
) -> None:
    answer = answering(responses).call("GET", "/a")
    assert (answer.status, answer.content) == (status, content)


REJECTED: list[tuple[dict[str, Any], int]] = [
    ({"422": _json(1), "400": _json(2), "4XX": _json(3), "default": _json(4)}, 422),
    ({"400": _json(2), "4XX": _json(3), "default": _json(4)}, 400),
    ({"4XX": _json(3), "default": _json(4)}, 422),
    ({"default": _json(4)}, 422),
]


@pytest.mark.parametrize(("responses", "status"), REJECTED)
def test_an_invalid_request_gets_the_contracts_own_error(
    answering: Callable[..., Client], responses: dict[str, Any], status: int
) -> None:
    parameter = {"name": "n", "in": "query", "required": True, "schema": {"type": "integer"}}
    client = answering({"200": _json(0), **responses}, operation={"parameters": [parameter]})
    answer = client.call("GET", "/a?n=x")
    assert answer.status == status
    assert answer.json() == next(iter(responses.values()))["content"]["application/json"]["example"]


def test_without_an_error_of_its_own_there_are_problem_details(answering: Callable[..., Client]) -> None:
    parameter = {"name": "n", "in": "query", "required": True, "schema": {"type": "integer"}}
    answer = answering({"200": _json(0)}, operation={"parameters": [parameter]}).call("GET", "/a?n=x")
    assert answer.status == 422
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.json()["violations"][0]["in"] == "query"


#: What is wrong with a request, the statuses that mean the same with the nearest first, and what the request is.
STAND_INS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "no JSON": ((400, 422), {"content": b"{"}),
    "another value": ((422, 400), {"content": b'{"n": "x"}'}),
    "another media type": ((415, 400, 422), {"content": b"x", "fields": {"Content-Type": "text/csv"}}),
    "too large": ((413, 400, 422), {"content": b'{"n": 1, "text": "' + b"x" * (1 << 20) + b'"}'}),
    "not acceptable": ((406, 415, 400), {"content": b'{"n": 1}', "fields": {"Accept": "image/png"}}),
    "no credentials": ((401, 403), {"content": b'{"n": 1}', "user": None}),
}


@pytest.mark.parametrize("order", [1, -1], ids=["nearest first", "nearest last"])
@pytest.mark.parametrize(("statuses", "request_of"), STAND_INS.values(), ids=STAND_INS)
def test_the_nearest_documented_status_stands_in(
    make_stub: MakeStub, write_contract: Write, statuses: tuple[int, ...], request_of: dict[str, Any], order: int
) -> None:
    """Whatever the order in the contract: with all of them, then without the nearest, and so on, then `default`."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    body = {"content": {"application/json": {"schema": schema}}, "required": True}
    paths = {}
    for number in range(len(statuses) + 1):
        documented = {str(status): _json(status) for status in statuses[number:]}
        responses = {**dict(list(documented.items())[::order]), "default": _json("default"), "200": _json(0)}
        paths[f"/{number}"] = {"post": {"requestBody": body, "responses": responses, "security": [{"key": []}]}}
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    client = make_stub(write_contract(paths, components={"securitySchemes": schemes}), max_body=1 << 20)
    fields = {"Content-Type": "application/json", **request_of.get("fields", {})}
    if "user" not in request_of:
        fields["X-Key"] = "any"
    for number in range(len(statuses) + 1):
        answer = client.call("POST", f"/{number}", user=None, content=request_of["content"], fields=fields)
        expected = statuses[number] if number < len(statuses) else statuses[0]
        shown = statuses[number] if number < len(statuses) else "default"
        assert (answer.status, answer.json()) == (expected, shown)


NEGOTIATED: list[tuple[str | None, str]] = [
    (None, "text/plain"),
    ("*/*", "application/json"),
    ("text/plain", "text/plain"),
    ("text/*", "text/plain"),
    ("text/plain;q=0.5, application/json;q=0.4", "text/plain"),
    ("text/plain;q=0.1, */*;q=0.9", "application/json"),
    ("application/json;q=0, */*", "application/vnd.api+json"),
    ("application/vnd.api+json", "application/vnd.api+json"),
    ("application/json; charset=utf-8", "application/json"),
    ("nonsense", "application/json"),
    ("", "application/json"),
    ("TEXT/Plain", "text/plain"),
    ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
    ("application/json;q=nonsense", "application/json"),
]


@pytest.mark.parametrize(("accept", "chosen"), NEGOTIATED)
def test_accept_chooses_the_media_type(answering: Callable[..., Client], accept: str | None, chosen: str) -> None:
    client = answering({"200": _content("text/plain", "application/json", "application/vnd.api+json")})
    answer = client.call("GET", "/a", fields={} if accept is None else {"Accept": accept})
    assert (answer.status, answer.fields["content-type"]) == (200, chosen)
    assert answer.content == (b"x" if chosen == "text/plain" else b'"x"')


def test_nothing_that_the_client_takes_is_406_with_the_offers(answering: Callable[..., Client]) -> None:
    client = answering({"200": _content("text/plain", "application/json")})
    answer = client.call("GET", "/a", fields={"Accept": "image/png"})
    assert answer.status == 406
    assert "text/plain, application/json" in answer.json()["detail"]


def test_no_content_is_no_way_out_of_406(answering: Callable[..., Client]) -> None:
    client = answering({"200": _json(1), "204": {"description": ""}})
    assert client.call("GET", "/a", fields={"Accept": "image/png"}).status == 406


def test_nothing_happens_to_the_state_before_406(make_stub: MakeStub, write_setting: Write) -> None:
    client = make_stub(write_setting({"type": "integer"}))
    assert client.call("POST", "/setting", json=5, fields={"Accept": "image/png"}).status == 406
    assert client.call("GET", "/setting").status == 204


def test_errors_are_answered_whatever_the_client_takes(answering: Callable[..., Client]) -> None:
    client = answering({"200": _json(0), "404": _json("none")})
    answer = client.call("GET", "/a", fields={"Accept": "application/problem+xml", "Prefer": "code=404"})
    assert (answer.status, answer.json()) == (404, "none")
    answer = client.call("BREW", "/a", fields={"Accept": "application/problem+xml"})
    assert answer.status == 405


@pytest.mark.parametrize(
    ("offer", "accept", "sent"),
    [
        ("*/*", None, "application/json"),
        ("*/*", "text/csv", "text/csv"),
        ("image/*", None, "image/png"),
        ("image/*", "image/webp", "image/webp"),
        ("text/*", "*/*", "text/plain"),
        ("application/json; version=2", "application/json", "application/json; version=2"),
        ("application/problem+json", "application/json", "application/problem+json"),
    ],
)
def test_a_range_is_sent_as_a_concrete_type(
    answering: Callable[..., Client], offer: str, accept: str | None, sent: str
) -> None:
    fields = {} if accept is None else {"Accept": accept}
    answer = answering({"200": _content(offer)}).call("GET", "/a", fields=fields)
    assert (answer.status, answer.fields["content-type"]) == (200, sent)


@pytest.mark.parametrize(
    ("name", "example", "content"),
    [
        ("text/csv", "a,b\n1,2\n", b"a,b\n1,2\n"),
        ("text/plain; charset=latin-1", "\u00e9", b"\xe9"),
        ("text/plain; charset=nonsense", "\u00e9", b"\xc3\xa9"),
        ("application/x-ndjson", [{"a": 1}, {"a": 2}], b'{"a":1}\n{"a":2}\n'),
        ("application/x-www-form-urlencoded", {"a b": [1, True], "c": "&"}, b"a+b=1&a+b=true&c=%26"),
        ("application/octet-stream", "raw", b"raw"),
        ("application/hal+json", {"a": None}, b'{"a":null}'),
        ("text/plain", {"a": 1}, b'{"a":1}'),
    ],
)
def test_content_is_written_as_its_media_type_says(
    answering: Callable[..., Client], name: str, example: Any, content: bytes
) -> None:
    answer = answering({"200": _content(name, example=example)}).call("GET", "/a")
    assert (answer.status, answer.content, answer.fields["content-type"]) == (200, content, name)


def test_a_documented_boundary_is_kept(answering: Callable[..., Client]) -> None:
    documented = {"multipart/form-data; boundary=Own": {"example": {"a": "x"}}}
    answer = answering({"200": {"description": "", "content": documented}}).call("GET", "/a")
    assert answer.fields["content-type"] == "multipart/form-data; boundary=Own"
    assert answer.content.startswith(b"--Own\r\n")
    assert answer.content.endswith(b"--Own--\r\n")


def test_multipart_content_names_its_boundary(answering: Callable[..., Client]) -> None:
    answer = answering({"200": _content("multipart/form-data", example={"a": "1", "b": {"c": 2}})}).call("GET", "/a")
    boundary = answer.fields["content-type"].partition("boundary=")[2]
    parts = answer.content.split(b"--" + boundary.encode())
    assert len(parts) == 4
    assert b'name="b"' in parts[2]
    assert parts[2].endswith(b'\r\n\r\n{"c":2}\r\n')


def test_prefer_code_forces_a_documented_status(answering: Callable[..., Client]) -> None:
    client = answering({"200": _json(1), "404": _json("none"), "5XX": _json("range")})
    for code, expected in ((404, "none"), (503, "range"), (200, 1)):
        answer = client.call("GET", "/a", fields={"Prefer": f"code={code}"})
        assert (answer.status, answer.json()) == (code, expected)
        assert answer.fields["preference-applied"] == f"code={code}"


def test_prefer_code_that_is_not_documented(answering: Callable[..., Client]) -> None:
    client = answering({"200": _json(1)})
    forced = client.call("GET", "/a", fields={"Prefer": "code=503"})
    assert (forced.status, forced.json()["status"]) == (503, 503)
    refused = client.call("GET", "/a", fields={"Prefer": "code=201"})
    assert refused.status == 400
    assert "documented are 200" in refused.json()["detail"]


@pytest.mark.parametrize("field", ["code=99", "code=abc", "code=", "code", "dynamic=maybe", "code=1000"])
def test_a_preference_that_makes_no_sense_is_400(answering: Callable[..., Client], field: str) -> None:
    assert answering({"200": _json(1)}).call("GET", "/a", fields={"Prefer": field}).status == 400


@pytest.mark.parametrize("field", ["return=minimal", "respond-async, wait=10", "", ",,;", 'return="a,code=5"'])
def test_preferences_of_others_are_ignored(answering: Callable[..., Client], field: str) -> None:
    answer = answering({"200": _json(1)}).call("GET", "/a", fields={"Prefer": field})
    assert (answer.status, answer.content) == (200, b"1")
    assert "preference-applied" not in answer.fields


def test_prefer_example_by_name(answering: Callable[..., Client]) -> None:
    examples = {"one": {"value": 1}, "two words": {"value": 2}}
    content = {"description": "", "content": {"application/json": {"examples": examples}}}
    failed = {"description": "", "content": {"application/json": {"examples": {"gone": {"value": "gone"}}}}}
    client = answering({"200": content, "404": failed})
    assert client.call("GET", "/a").json() == 1
    answer = client.call("GET", "/a", fields={"Prefer": 'respond-async, example="two words"'})
    assert (answer.status, answer.json()) == (200, 2)
    assert answer.fields["preference-applied"] == 'example="two words"'
    answer = client.call("GET", "/a", fields={"Prefer": "example=gone"})
    assert (answer.status, answer.json()) == (404, "gone")
    assert 400 <= client.call("GET", "/a", fields={"Prefer": "example=nonsense"}).status < 500


def test_prefer_code_leaves_the_state_alone(make_stub: MakeStub, write_setting: Write) -> None:
    client = make_stub(write_setting({"type": "integer"}))
    client.call("POST", "/setting", json=5, fields={"Prefer": "code=503"})
    assert client.call("GET", "/setting").status == 204


HEADERS: list[tuple[str, Schema, str]] = [
    ("X-Count", {"schema": {"type": "integer"}, "example": 7}, "7"),
    ("X-List", {"schema": {"type": "array"}, "example": ["a", "b"]}, "a,b"),
    ("X-Object", {"schema": {"type": "object"}, "example": {"a": 1, "b": True}}, "a,1,b,true"),
    ("X-Explode", {"schema": {"type": "object"}, "explode": True, "example": {"a": 1}}, "a=1"),
    ("X-Json", {"content": {"application/json": {"example": {"a": 1}}}}, '{"a":1}'),
    ("X-Wild", {"schema": {}, "example": "a\r\nSet-Cookie: b"}, "a??Set-Cookie: b"),
]


@pytest.mark.parametrize(("name", "header", "value"), HEADERS, ids=[header[0] for header in HEADERS])
def test_response_headers_by_example(answering: Callable[..., Client], name: str, header: Schema, value: str) -> None:
    answer = answering({"200": {**_json(1), "headers": {name: header}}}).call("GET", "/a")
    assert answer.fields[name.lower()] == value
    assert "set-cookie" not in answer.fields


def test_fields_that_the_server_owns_are_not_made_up(answering: Callable[..., Client]) -> None:
    headers = {name: {"schema": TEXT, "example": "7"} for name in ("Content-Length", "Content-Encoding", "Date")}
    answer = answering({"200": {**_json(1), "headers": headers}}).call("GET", "/a")
    assert answer.fields.keys() <= {"content-type", "content-length"}
    assert answer.fields["content-type"] == "application/json"


def test_errors_answers_500_where_an_answer_breaks_its_schema(make_stub: MakeStub, write_setting: Write) -> None:
    contract = write_setting({"type": "integer"})
    document = json.decode(contract.read_bytes())
    answer = document["paths"]["/setting"]["post"]["responses"]["200"]
    answer["content"]["application/json"]["schema"] = {"type": "integer"}
    contract.write_bytes(json.encode(document))
    refused = make_stub(contract, errors=True).call("POST", "/setting", json=5)
    assert refused.status == 500
    assert "breaks its own schema" in refused.json()["detail"]
    assert make_stub(contract).call("POST", "/setting", json=5).status == 200


NUMBER: Schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_errors_answers_500_where_the_contracts_example_breaks_its_schema(answering: Callable[..., Client]) -> None:
    responses = {"200": _json({"n": "x"}, schema=NUMBER)}
    refused = answering(responses, errors=True).call("GET", "/a")
    assert refused.status == 500
    assert "/n" in refused.json()["detail"]
    asked = answering(responses, errors=True).call("GET", "/a", fields={"Prefer": "dynamic=true"})
    assert (asked.status, type(asked.json()["n"])) == (200, int)
    client = answering(responses)
    answer = client.call("GET", "/a")
    assert (answer.status, type(answer.json()["n"])) == (200, int)
    assert "breaks its schema at /n" in client.journal()[-1]["why"]
    assert answering({"200": _json({"n": 1}, schema=NUMBER)}, errors=True).call("GET", "/a").json() == {"n": 1}


def test_content_is_generated_if_that_is_preferred(answering: Callable[..., Client]) -> None:
    schema: Schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 5}}, "required": ["n"]}
    responses = {"200": _json({"n": 0 - 1}, schema={**schema, "properties": {"n": {"type": "integer"}}})}
    fields = {"Prefer": "dynamic=true"}
    client = answering(responses)
    assert client.call("GET", "/a").json() == {"n": -1}
    made = client.call("GET", "/a", fields=fields)
    assert made.json() != {"n": -1}
    assert made.fields["preference-applied"] == "dynamic=true"
    assert client.call("GET", "/a", fields=fields).content == made.content
    always = answering(responses, dynamic=True)
    assert always.call("GET", "/a").content == made.content
    assert always.call("GET", "/a", fields={"Prefer": "dynamic=false"}).json() == {"n": -1}


def test_generated_error_content_says_what_is_wrong(answering: Callable[..., Client]) -> None:
    properties = {"code": {"type": "integer"}, "message": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": properties,
        "required": ["code", "message"],
        "additionalProperties": False,
    }
    error = {"description": "", "content": {"application/json": {"schema": schema}}}
    parameter = {"name": "n", "in": "query", "required": True, "schema": {"type": "integer"}}
    answer = answering({"200": _json(0), "4XX": error}, operation={"parameters": [parameter]}).call("GET", "/a?n=x")
    assert (answer.status, answer.json().keys()) == (422, {"code", "message"})
    assert "n" in answer.json()["message"]
    assert "must be" in answer.json()["message"]


def test_response_headers_by_schema(answering: Callable[..., Client]) -> None:
    headers = {
        "X-Id": {"required": True, "schema": {"type": "string", "format": "uuid"}},
        "X-N": {"schema": {"const": 3}},
    }
    answer = answering({"200": {**_json(1), "headers": headers}}).call("GET", "/a")
    assert re.fullmatch("[0-9a-f-]{36}", answer.fields["x-id"])
    assert answer.fields["x-n"] == "3"


def test_xml_where_the_client_takes_it(answering: Callable[..., Client]) -> None:
    schema: Schema = {"type": "object", "xml": {"name": "a"}, "properties": {"n": {"type": "integer"}}}
    content = {name: {"schema": schema, "example": {"n": 1}} for name in ("application/json", "application/xml")}
    client = answering({"200": {"description": "", "content": content}})
    answer = client.call("GET", "/a", fields={"Accept": "application/xml"})
    assert answer.content == b'<?xml version="1.0" encoding="UTF-8"?><a><n>1</n></a>'
    assert client.call("GET", "/a").json() == {"n": 1}


ORIGIN = {"Origin": "https://app.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,x-a"}


def test_a_page_of_any_origin_may_ask(answering: Callable[..., Client]) -> None:
    headers = {"X-Total": {"schema": {}, "example": "1"}}
    client = answering({"200": {**_json(1), "headers": headers}})
    answer = client.call("GET", "/a", fields=ORIGIN)
    assert answer.fields["access-control-allow-origin"] == "https://app.example"
    assert answer.fields["access-control-allow-credentials"] == "true"
    assert answer.fields["access-control-expose-headers"] == "X-Total"
    assert answer.fields["vary"] == "Origin"
    assert client.call("GET", "/nothing", fields=ORIGIN).fields["access-control-allow-origin"] == "https://app.example"
    assert client.call("PUT", "/a", fields=ORIGIN).fields["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in client.call("GET", "/a").fields


def test_a_preflight_needs_no_credentials(make_stub: MakeStub, write_contract: Write) -> None:
    scheme = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    operation = {"security": [{"key": []}], "responses": {"200": _json(1)}}
    client = make_stub(write_contract({"/a": {"get": operation}}, components=scheme))
    assert client.call("GET", "/a", user=None, fields=ORIGIN).status == 401
    answer = client.call("OPTIONS", "/a", user=None, fields=PREFLIGHT)
    assert (answer.status, answer.content) == (204, b"")
    assert answer.fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert answer.fields["access-control-allow-headers"] == "authorization,x-a"
    assert answer.fields["access-control-allow-origin"] == "https://app.example"


def test_without_cors(answering: Callable[..., Client]) -> None:
    client = answering({"200": _json(1)}, no_cors=True)
    for method, fields in (("GET", ORIGIN), ("OPTIONS", PREFLIGHT)):
        answer = client.call(method, "/a", fields=fields)
        assert answer.status in {200, 204}
        assert not {name for name in answer.fields if name.startswith("access-control")}


def test_cors_never_covers_the_control_api(answering: Callable[..., Client]) -> None:
    answer = answering({"200": _json(1)}).call("OPTIONS", "/__mock__/state", fields=PREFLIGHT)
    assert not {name for name in answer.fields if name.startswith("access-control")}


def test_the_options_of_serve(serve: Serve, write_contract: Write) -> None:
    contract = write_contract({"/a": {"get": {"responses": {"200": _json(1)}}}})
    answer = serve("--contract", str(contract), "--no-cors", "--errors").client.call("GET", "/a", fields=ORIGIN)
    assert (answer.status, answer.content) == (200, b"1")
    assert "access-control-allow-origin" not in answer.fields
    head = serve("--contract", str(contract)).client.call("HEAD", "/a", fields=ORIGIN)
    assert (head.status, head.content, head.fields["content-length"]) == (200, b"", "1")
    assert head.fields["access-control-allow-origin"] == "https://app.example"


BROKEN: Schema = {"type": "nonsense"}


@pytest.mark.parametrize("place", ["parameter", "body", "answer"])
def test_a_schema_that_is_none_makes_no_500_and_leaves_other_operations_alone(
    make_stub: MakeStub, write_contract: Write, place: str
) -> None:
    broken: dict[str, Any] = {"responses": {"200": _json(1)}, "operationId": "broken"}
    if place == "parameter":
        broken["parameters"] = [{"name": "q", "in": "query", "schema": BROKEN}]
    elif place == "body":
        broken["requestBody"] = {"content": {"application/json": {"schema": BROKEN}}}
    else:
        broken["responses"] = {"200": {"description": "", "content": {"application/json": {"schema": BROKEN}}}}
    client = make_stub(write_contract({"/broken": {"post": broken}, "/a": {"get": {"responses": {"200": _json(1)}}}}))
    answer = client.call("POST", "/broken?q=1", json=1)
    assert answer.status in {200, 501}  # served without the schema, or said why not
    assert client.call("GET", "/a").status == 200


def test_a_python_behaviour_answers_in_place_of_the_contracts(make_stub: MakeStub, write_contract: Write) -> None:
    schema: Schema = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}
    parameters = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("a", "b")]
    operation = {"operationId": "add", "parameters": parameters, "responses": {"200": _json({"sum": 0}, schema=schema)}}
    calls: list[Call] = []

    def add(call: Call) -> Outcome:
        calls.append(call)
        values = call.arguments.query
        total = values["a"] + values["b"]
        return Outcome(0, {"sum": total if total < 100 else "much"}, "added", (("X-Added", "yes"),))

    client = make_stub(write_contract({"/sum": {"get": operation}}), behaviours={"add": add})
    answer = client.call("GET", "/sum?a=1&b=2")
    assert (answer.json(), answer.fields["x-added"]) == ({"sum": 3}, "yes")
    shown = calls[0].representation
    assert (calls[0].operation.id, shown.media_type, shown.value) == ("add", "application/json", {"sum": 0})
    with pytest.warns(DeprecationWarning, match=re.escape("Call.representation.value")):
        assert calls[0].template() == {"sum": 0}
    assert client.call("GET", "/sum?a=99&b=2").json() == {"sum": "much"}
    assert client.journal()[-1]["why"] == "added; breaks its own schema at /sum: type"
    assert client.call("GET", "/sum?a=x").status == 422
    assert len(calls) == 2


REPRESENTED: list[tuple[str, dict[str, Any], dict[str, Any], str, Any]] = [
    ("an example", {"200": _json(7)}, {}, "application/json", 7),
    ("JSON first", {"200": _content("text/csv", "application/json")}, {}, "application/json", "x"),
    ("a schema", {"200": _json(None, schema={"const": 3})}, {}, "application/json", 3),
    ("generated", {"200": _json(1, schema={"enum": [5]})}, {"dynamic": True}, "application/json", 5),
    ("no content", {"204": {"description": ""}}, {}, "", None),
    ("nothing documented", {}, {}, "", None),
]


@pytest.mark.parametrize(
    ("responses", "options", "media_type", "value"),
    [row[1:] for row in REPRESENTED],
    ids=[row[0] for row in REPRESENTED],
)
def test_a_behaviour_is_given_what_would_be_answered_without_it(
    answering: Callable[..., Client], responses: Any, options: dict[str, Any], media_type: str, value: Any
) -> None:
    seen: list[Any] = []

    def look(call: Call) -> Outcome:
        seen.append(call.representation)
        return Outcome(0, call.representation.value, "as without me")

    client = answering(responses, operation={"operationId": "look"}, behaviours={"look": look}, **options)
    assert client.call("GET", "/a").status < 300
    assert (seen[0].media_type, seen[0].value) == (media_type, value)


def test_a_representation_is_chosen_by_what_its_call_says(make_stub: MakeStub, write_contract: Write) -> None:
    """Once, and for that call alone: the next one may be answered with another example."""
    parameter = {"name": "n", "in": "query", "schema": TEXT, "examples": {name: {"value": name} for name in "ab"}}
    content = {"application/json": {"examples": {name: {"value": {"of": name}} for name in "ab"}}}
    operation = {
        "operationId": "look",
        "parameters": [parameter],
        "responses": {"200": {"description": "", "content": content}},
    }
    kept: list[Call] = []

    def look(call: Call) -> Outcome:
        kept.append(call)
        return Outcome(0, call.representation.value, "looked")

    client = make_stub(write_contract({"/a": {"get": operation}}), behaviours={"look": look})
    assert [client.call("GET", f"/a?n={name}").json() for name in "bab"] == [{"of": name} for name in "bab"]
    assert [call.representation.value for call in kept] == [{"of": name} for name in "bab"]
    assert kept[0].representation.value is kept[0].representation.value


@pytest.mark.parametrize("trusted", [False, True])
def test_a_behaviour_is_told_all_that_its_call_says(
    answering: Callable[..., Client],
    trusted: bool,
) -> None:
    calls: list[Call] = []

    @behaviour("look", trusted=trusted)
    def look(call: Call) -> Outcome:
        calls.append(call)
        return Outcome(0, 1, "looked")

    taken: Schema = {"content": {"application/json": {"schema": {}}}}
    client = answering(
        {"200": _json(1)}, "post", {"operationId": "look", "requestBody": taken}, behaviours={"look": look}
    )
    assert client.call("POST", "/a", json=[7]).status == 200
    arguments = calls[0].arguments
    assert (calls[0].content, arguments.content, arguments.media_type) == ([7], [7], "application/json")


def test_a_trusted_behaviour_of_head_sends_no_content(answering: Callable[..., Client]) -> None:
    @behaviour("look", trusted=True)
    def look(call: Call) -> Outcome:
        return Outcome(0, call.representation.value, "looked")

    client = answering({"200": _json(1)}, "head", {"operationId": "look"}, behaviours={"look": look})
    assert (client.call("HEAD", "/a").status, client.call("HEAD", "/a").content) == (200, b"")


def test_a_representation_that_cannot_be_made_is_refused(make_stub: MakeStub, write_contract: Write) -> None:
    """Whenever somebody looks."""

    def look(call: Call) -> Outcome:
        return Outcome(0, call.representation.value, "looked")

    endless: Schema = {
        "type": "object",
        "required": ["next"],
        "properties": {"next": {"$ref": "#/components/schemas/Endless"}},
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Endless"}}}
    operation = {"operationId": "look", "responses": {"200": {"description": "", "content": content}}}
    contract = write_contract({"/a": {"get": operation}}, components={"schemas": {"Endless": endless}})
    client = make_stub(contract, behaviours={"look": look})
    assert [client.call("GET", "/a").status for _ in range(2)] == [501, 501]


@pytest.mark.parametrize("path", ["/a", "/a?n=x"])
def test_a_documented_head_has_no_content(make_stub: MakeStub, write_contract: Write, path: str) -> None:
    number = {"name": "n", "in": "query", "schema": {"type": "integer"}}
    head = {"parameters": [number], "responses": {"200": _json(1), "400": _json({"error": "n"})}}
    answer = make_stub(write_contract({"/a": {"head": head}})).call("HEAD", path)
    assert answer.status == (400 if "?" in path else 200)
    assert answer.content == b""
    assert int(answer.fields["content-length"]) > 0


def test_fields_that_clients_set_by_themselves_are_no_parameters(make_stub: MakeStub, write_contract: Write) -> None:
    encoding = {"name": "Accept-Encoding", "in": "header", "required": True, "schema": {"enum": ["base64"]}}
    client = make_stub(write_contract({"/a": {"get": {"parameters": [encoding], "responses": {"200": _json(1)}}}}))
    assert client.call("GET", "/a", fields={"Accept-Encoding": "gzip"}).status == 200
    assert client.call("GET", "/a").status == 200


def test_a_scheme_of_the_apis_own_takes_any_credential(make_stub: MakeStub, write_contract: Write) -> None:
    own = {"securitySchemes": {"own": {"type": "http", "scheme": "acme-hmac"}}}
    get = {"security": [{"own": []}], "responses": {"200": _json(1)}}
    client = make_stub(write_contract({"/a": {"get": get}}, components=own))
    assert client.call("GET", "/a", user=None).status == 401
    for field in ("acme-hmac abc", "abc", "Bearer abc"):
        assert client.call("GET", "/a", user=None, fields={"Authorization": field}).status == 200


def test_text_that_is_to_hold_an_object_is_not_the_first_choice(answering: Callable[..., Client]) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    content = {"text/plain": {"schema": schema}, "application/json": {"schema": schema}}
    client = answering({"200": {"description": "", "content": content}})
    assert client.call("GET", "/a", fields={}).fields["content-type"] == "application/json"
    assert client.call("GET", "/a", fields={"Accept": "text/plain"}).fields["content-type"] == "text/plain"


SID = "sid=abc; Expires=Wed, 21 Oct 2030 07:28:00 GMT; Path=/"


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        ({"Set-Cookie": {"schema": {"type": "string"}, "example": SID}}, [SID]),
        (
            {"set-cookie": {"schema": {"type": "array", "items": {"type": "string"}}, "example": [SID, "b=2"]}},
            [SID, "b=2"],
        ),
        ({"Set-Cookie": {"schema": {"type": "array", "items": {}}, "example": []}}, []),
        ({"Set-Cookie": {"schema": {"type": "object"}, "example": {"a": "1", "b": "2"}}}, ["a=1", "b=2"]),
        ({"Set-Cookie": {"example": "a=1"}, "\0Set-Cookie": {"example": "b=2"}}, ["a=1", "b=2"]),
    ],
)
@pytest.mark.parametrize("status", ["200", "404"])
def test_several_cookies_are_several_fields(
    write_contract: Write, status: str, headers: dict[str, Any], cookies: list[str]
) -> None:
    """RFC 6265, section 3: folding them into one field changes what they mean."""
    documented = {**_json(1), "headers": headers}
    client = WerkzeugClient(create_app(write_contract({"/a": {"get": {"responses": {status: documented}}}})).wsgi_app)
    assert client.get("/a").headers.getlist("Set-Cookie") == cookies
