"""What OpenAPI 3.2 adds, and rarer parts of 3.1: small contracts, each made for one claim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]


def _json(**media_type: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": media_type}}}


def test_an_additional_method_has_the_case_that_it_is_written_with(make_stub: MakeStub, write_contract: Write) -> None:
    item = {"additionalOperations": {"Copy": {"responses": _json(example=1)}}, "query": {"responses": _json(example=2)}}
    client = make_stub(write_contract({"/a": item}, openapi="3.2.0"))
    assert client.call("Copy", "/a").json() == 1
    assert client.call("COPY", "/a").status == 405
    assert client.call("QUERY", "/a").json() == 2
    assert client.call("OPTIONS", "/a").fields["allow"] == "Copy, OPTIONS, QUERY"


def _ok(schema: Any, **document: Any) -> dict[str, Any]:
    operation = {
        "responses": _json(schema=schema),
        "requestBody": {"content": {"application/json": {"schema": schema}}},
    }
    return {"/a": {"post": operation}, **document}


def test_a_reference_by_the_document_s_own_uri_leads_into_it(
    make_stub: MakeStub, write_contract: Write, tmp_path: Path
) -> None:
    (tmp_path / "parts.json").write_text(
        '{"$self": "https://api.example/parts.json", "N": {"type": "integer"}, '
        '"B": {"$ref": "https://api.example/v1/openapi.json#/components/schemas/Own"}}',
        encoding="utf-8",
    )
    schemas = {"Own": {"type": "boolean"}}
    paths = {
        f"/{name}": {"get": {"responses": _json(schema={"$ref": reference})}}
        for name, reference in {
            "own": "https://api.example/v1/openapi.json#/components/schemas/Own",
            "relative": "openapi.json#/components/schemas/Own",
            "beside": "parts.json#/N",
            "back": "parts.json#/B",
            "by-self": "https://api.example/parts.json#/N",
        }.items()
    }
    document = {"$self": "https://api.example/v1/openapi.json", "components": {"schemas": schemas}}
    client = make_stub(write_contract(paths, openapi="3.2.0", **document))
    for path, kind in (("/own", bool), ("/relative", bool), ("/beside", int), ("/back", bool), ("/by-self", int)):
        assert type(client.call("GET", path).json()) is kind, path


def test_a_security_scheme_may_be_named_by_its_uri(make_stub: MakeStub, write_contract: Write, tmp_path: Path) -> None:
    (tmp_path / "shared.json").write_text(
        '{"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}}',
        encoding="utf-8",
    )
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    paths = {
        f"/{name}": {"get": {"responses": _json(example=1), "security": [{uri: []}]}}
        for name, uri in {
            "own": "#/components/securitySchemes/bearer",
            "other": "./shared.json#/components/securitySchemes/key",
        }.items()
    }
    client = make_stub(write_contract(paths, openapi="3.2.0", components={"securitySchemes": schemes}))
    assert client.call("GET", "/own", user=None).status == 401
    assert client.call("GET", "/own", fields={"Authorization": "Bearer x"}, user=None).status == 200
    assert client.call("GET", "/other", user=None).status == 401
    assert client.call("GET", "/other", fields={"X-Key": "x"}, user=None).status == 200


def test_what_no_value_is_mapped_to_is_of_the_default_schema(make_stub: MakeStub, write_contract: Write) -> None:
    def pet(kind: str, *required: str) -> dict[str, Any]:
        members = {"kind": {"type": "string"}, kind: {"type": "integer"}}
        return {"type": "object", "properties": members, "required": list(required)}

    reference = "#/components/schemas/"
    discriminator = {"propertyName": "kind", "mapping": {"cat": "Cat"}, "defaultMapping": "Other"}
    root = {"anyOf": [{"$ref": reference + "Cat"}, {"$ref": reference + "Other"}], "discriminator": discriminator}
    schemas = {"Cat": pet("lives", "kind", "lives"), "Other": pet("legs", "legs")}
    client = make_stub(write_contract(_ok(root), openapi="3.2.0", components={"schemas": schemas}))
    sent: list[tuple[Any, int]] = [
        ({"kind": "cat", "lives": 9}, 200),
        ({"kind": "cat", "legs": 4}, 422),
        ({"kind": "dog", "legs": 4}, 200),
        ({"legs": 4}, 200),
        ({"lives": 9}, 422),
    ]
    for value, status in sent:
        assert client.call("POST", "/a", json=value).status == status, value


def test_a_mapping_without_branches_gives_one_of_those_that_extend_the_schema(
    make_stub: MakeStub, write_contract: Write
) -> None:
    reference = "#/components/schemas/"
    mapping = {"miau": reference + "Cat", "wow": "Dog"}
    pet = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    cat = {"allOf": [{"$ref": reference + "Pet"}, {"required": ["lives"], "properties": {"lives": {"const": 9}}}]}
    schemas = {"Pet": pet, "Cat": cat, "Dog": {"allOf": [{"$ref": reference + "Pet"}]}}
    client = make_stub(write_contract(_ok({"$ref": reference + "Pet"}), components={"schemas": schemas}))
    got = client.call("POST", "/a", json={"kind": "wow"}).json()
    assert got == {"kind": "miau", "lives": 9} or got["kind"] == "wow"


def test_a_recursive_reference_leads_to_the_schema_that_is_meant(make_stub: MakeStub, write_contract: Write) -> None:
    node = {
        "$recursiveAnchor": True,
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": "integer"}, "below": {"type": "array", "items": {"$recursiveRef": "#"}}},
    }
    plain = {**node, "$recursiveAnchor": False}
    for tree in (node, plain):
        contract = write_contract(_ok({"$ref": "#/components/schemas/Tree"}), components={"schemas": {"Tree": tree}})
        client = make_stub(contract)
        assert client.call("POST", "/a", json={"n": 1, "below": [{"n": 2, "below": [{"n": 3}]}]}).status == 200
        refused = client.call("POST", "/a", json={"n": 1, "below": [{"n": 2, "below": [{"n": "x"}]}]})
        assert refused.pointers == ["/below/0/below/0/n"]


def test_date_times_are_as_long_as_the_schema_says(make_stub: MakeStub, write_contract: Write) -> None:
    for length in (20, 22, 24, 25, 27, 29, 30):
        schema = {"type": "string", "format": "date-time", "minLength": length, "maxLength": length}
        client = make_stub(write_contract({"/a": {"get": {"responses": _json(schema=schema)}}}))
        answer = client.call("GET", "/a")
        assert (len(answer.json()), "mock-invalid" in answer.fields) == (length, False), length


def test_nodes_of_xml(make_stub: MakeStub, write_contract: Write) -> None:
    def node(kind: str, **more: Any) -> dict[str, Any]:
        return {"type": "string", "xml": {"nodeType": kind, **more}}

    inner = {"type": "object", "xml": {"nodeType": "none"}, "properties": {"deep": {"type": "integer"}}}
    tags = {"type": "array", "xml": {"nodeType": "element", "name": "tags"}, "items": node("element", name="tag")}
    schema = {
        "type": "object",
        "xml": {"name": "note"},
        "properties": {"id": node("attribute"), "text": node("text"), "tags": tags, "inner": inner},
    }
    xml = b'<note id="7"><tags><tag>a</tag><tag>b</tag></tags><deep>5</deep>x &lt; y</note>'
    value = {"id": "7", "tags": ["a", "b"], "inner": {"deep": 5}, "text": "x < y"}
    content = {"application/xml": {"schema": schema, "example": value}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"description": "", "content": content}}}
    client = make_stub(write_contract({"/a": {"post": operation}}, openapi="3.2.0"))
    answer = client.call("POST", "/a", content=xml, fields={"Content-Type": "application/xml"})
    assert (answer.status, answer.content.partition(b"?>")[2]) == (200, xml)
    cdata = {"type": "object", "xml": {"name": "n"}, "properties": {"t": node("cdata")}}
    shown = {"application/xml": {"schema": cdata, "example": {"t": "a]]>b"}}}
    item = {"get": {"responses": {"200": {"description": "", "content": shown}}}}
    sent = make_stub(write_contract({"/a": item}, openapi="3.2.0")).call("GET", "/a").content
    assert sent.endswith(b"<n><![CDATA[a]]]]><![CDATA[>b]]></n>")
