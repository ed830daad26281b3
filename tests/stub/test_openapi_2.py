"""A contract of OpenAPI 2.0 is served like any other: small documents, each made for what 2.0 says otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mockserver.contract.reading.document import load_contract
from mockserver.lint.findings import lint

if TYPE_CHECKING:
    from tests.conftest import Client

MakeStub = Callable[..., "Client"]

PETS = """\
swagger: '2.0'
info: {title: pets, version: '1'}
host: pets.example
basePath: /v1/
schemes: [https, http]
consumes: [application/json]
produces: [application/json]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Key}
  basic: {type: basic}
  flow: {type: oauth2, flow: accessCode, authorizationUrl: 'https://a', tokenUrl: 'https://t', scopes: {read: r}}
parameters:
  Limit: {name: limit, in: query, type: integer, maximum: 9}
  Pet: {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
responses:
  Problem:
    description: bad
    schema: {type: object, required: [error], properties: {error: {type: string}}}
    examples: {application/json: {error: wrong}}
definitions:
  Pet:
    type: object
    required: [name]
    discriminator: kind
    properties:
      name: {type: string}
      kind: {type: string}
      tag: {type: string, x-nullable: true}
paths:
  /pets:
    parameters:
      - {$ref: '#/parameters/Limit'}
    get:
      operationId: list
      parameters:
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: pipes}
      responses:
        200:
          description: ok
          headers: {X-Total: {type: integer}}
          schema: {type: array, items: {$ref: '#/definitions/Pet'}}
          examples: {application/json: [{name: Rex, kind: dog, tag: null}]}
        default: {$ref: '#/responses/Problem'}
    post:
      operationId: create
      parameters:
        - {$ref: '#/parameters/Pet'}
      responses:
        201: {description: made, schema: {$ref: '#/definitions/Pet'}, examples: {application/json: {name: Rex}}}
        400: {$ref: '#/responses/Problem'}
  /pets/{id}/photo:
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters:
        - {name: id, in: path, required: true, type: string}
        - {name: title, in: formData, type: string, required: true}
        - {name: photo, in: formData, type: file}
      responses:
        204: {description: done}
    get:
      operationId: download
      produces: [image/png]
      parameters:
        - {name: id, in: path, required: true, type: string}
      responses:
        200: {description: a picture, schema: {type: file}}
"""


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """The contract of pets, as a file."""
    path = tmp_path / "pets.yaml"
    path.write_text(PETS, encoding="utf-8")
    return path


def test_a_document_of_2_0_is_served(make_stub: MakeStub, pets: Path) -> None:
    client = make_stub(pets)
    listed = client.call("GET", "/pets?limit=3&tags=a|b", user=None)
    assert (listed.status, listed.json()) == (200, [{"name": "Rex", "kind": "dog", "tag": None}])
    rejected = client.call("GET", "/pets?limit=10", user=None)
    assert rejected.json() == {"error": "query /limit: 10 must be at most 9"}  # in the form of the example
    made = client.call("POST", "/pets", json={"name": "Rex", "tag": None}, user=None)
    assert made.status == 201
    assert client.call("POST", "/pets", json={"tag": "x"}, user=None).status == 400


def test_elements_are_read_in_the_terms_of_3(pets: Path) -> None:
    contract = load_contract(pets)
    assert contract.warnings == ()
    upload, download = contract.by_id["upload"], contract.by_id["download"]
    assert upload.request_body is not None
    (form,) = upload.request_body.content.values()
    assert form.name == "multipart/form-data"
    assert form.schema is not None
    assert contract.at(form.schema) == {
        "type": "object",
        "properties": {"title": {"type": "string"}, "photo": {"type": "string", "format": "binary"}},
        "required": ["title"],
    }
    assert list(download.responses["200"].content) == ["image/png"]
    tags = next(one for one in contract.by_id["list"].parameters if one.name == "tags")
    assert (tags.style, tags.explode) == ("pipeDelimited", False)
    assert contract.at("/servers") == [{"url": "https://pets.example/v1"}, {"url": "http://pets.example/v1"}]
    assert contract.security_schemes["basic"].scheme == "basic"
    assert contract.at("/components/securitySchemes/flow/flows/authorizationCode/scopes") == {"read": "r"}
    assert contract.at("/components/schemas/Pet/discriminator") == {"propertyName": "kind"}


@pytest.mark.parametrize(
    ("pointer", "line_holds"),
    [
        ("/components/schemas/Pet/properties/tag", "x-nullable"),
        ("/components/parameters/Limit/schema/maximum", "Limit:"),
        ("/components/responses/Problem/content/application~1json/schema", "schema: {type: object, required: [error]"),
        ("/paths/~1pets/post/requestBody", "Pet:"),
        ("/paths/~1pets/get/responses/200/content/application~1json/example", "[{name: Rex, kind: dog"),
        ("/paths/~1pets~1{id}~1photo/post/requestBody/content/multipart~1form-data/schema/properties/photo", "file"),
        ("/components/securitySchemes/basic", "basic:"),
    ],
)
def test_places_are_those_of_the_file(pets: Path, pointer: str, line_holds: str) -> None:
    contract = load_contract(pets)
    contract.at(pointer)
    assert line_holds in PETS.splitlines()[contract.document.locate(pointer) - 1]


def test_lint_judges_it_by_the_rules_of_2_0(pets: Path) -> None:
    assert [finding for finding in lint(pets) if finding.rule in {"openapi", "reference", "contract"}] == []
    data = yaml.safe_load(PETS)
    del data["paths"]["/pets"]["get"]["responses"]
    pets.write_text(json.dumps(data, indent=1), encoding="utf-8")
    rules = {(finding.rule, finding.pointer) for finding in lint(pets)}
    assert ("openapi", "/paths/~1pets/get") in rules
    assert ("contract", "/paths/~1pets/get") in rules


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (["definitions"], []),
        (["parameters"], []),
        (["responses"], 5),
        (["securityDefinitions"], "x"),
        (["paths", "/pets"], []),
        (["paths", "/pets", "get"], []),
        (["paths", "/pets", "get", "parameters"], {}),
        (["paths", "/pets", "get", "parameters", 0], 5),
        (["paths", "/pets", "get", "parameters", 0], {"$ref": "#/parameters/None"}),
        (["paths", "/pets", "get", "responses"], []),
        (["paths", "/pets", "get", "responses", 200], "ok"),
        (["paths", "/pets", "get", "responses", 200, "headers"], []),
        (["paths", "/pets", "get", "responses", 200, "examples"], []),
        (["host"], 5),
        (["basePath"], None),
        (["consumes"], "application/json"),
    ],
    ids=repr,
)
def test_mistakes_leave_the_rest_served(make_stub: MakeStub, tmp_path: Path, names: list[Any], value: Any) -> None:
    data = yaml.safe_load(PETS)
    holder = data
    for name in names[:-1]:
        holder = holder[name]
    holder[names[-1]] = value
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    client = make_stub(path)
    form = b"--x\r\nContent-Disposition: form-data; name=title\r\n\r\na\r\n--x--\r\n"
    fields = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.call("POST", "/pets/1/photo", content=form, fields=fields, user=None).status == 204


@pytest.mark.parametrize(
    ("produces", "examples", "sent"),
    [
        (["text/plain"], {"*/*": "hello"}, ("text/plain", b"hello")),
        (["text/csv"], {"text/*": "a,b"}, ("text/csv", b"a,b")),
        (["application/vnd.x+json"], {"application/json": "hello"}, ("application/vnd.x+json", b'"hello"')),
        (["application/json"], {"application/json; charset=utf-8": "hello"}, ("application/json", b'"hello"')),
    ],
)
def test_what_is_produced_is_said_by_produces_whatever_an_example_is_filed_under(
    make_stub: MakeStub, tmp_path: Path, produces: list[str], examples: dict[str, str], sent: tuple[str, bytes]
) -> None:
    answer = {"description": "ok", "schema": {"type": "string"}, "examples": examples}
    document = {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"produces": produces, "responses": {"200": answer}}}},
    }
    path = tmp_path / "produces.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    client = make_stub(path)
    answered = client.call("GET", "/a")
    assert (answered.fields["content-type"].partition(";")[0], answered.content) == sent
    kinds = set(load_contract(path).operations[0].responses["200"].content)
    assert kinds == set(produces)
