"""The plain form of contracts: no extension is left, nothing else is lost, and it says the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import build, load_document
from mockserver.contract.reading.plain_form import plain_form
from mockserver.contract.source.loading import Document
from tests import defaults

#: A contract in which every kind of object stands, and names and values that only look like extensions.
DATA = {"x-kept": 1, "held": [{"x-kept": {"x-kept": None}}]}
BASE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "all there is",
        "version": "1",
        "contact": {"name": "somebody"},
        "license": {"name": "CC0-1.0", "identifier": "CC0-1.0"},
    },
    "servers": [{"url": "https://{x-host}", "variables": {"x-host": {"default": "a"}}}],
    "tags": [{"name": "x-tag", "externalDocs": {"url": "https://a.example"}}],
    "security": [{"x-scheme": []}],
    "paths": {
        "/things/{x-id}": {
            "parameters": [{"$ref": "#/components/parameters/x-id"}],
            "post": {
                "operationId": "x-make",
                "externalDocs": {"url": "https://a.example"},
                "parameters": [
                    {"name": "x-note", "in": "header", "schema": {"type": "string"}, "example": "x-note"},
                ],
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {"type": "object", "properties": {"x-file": {"type": "string"}}},
                            "encoding": {"x-file": {"headers": {"x-part": {"schema": {"type": "string"}}}}},
                        },
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/x-thing"},
                            "examples": {"x-one": {"value": DATA}},
                        },
                    }
                },
                "responses": {
                    "200": {
                        "description": "made",
                        "headers": {"x-left": {"schema": {"type": "integer"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/x-thing"}}},
                        "links": {"x-read": {"operationId": "x-make", "parameters": {"x-id": "$request.path.x-id"}}},
                    }
                },
                "callbacks": {
                    "x-done": {
                        "{$request.body#/url}": {"post": {"responses": {"204": {"description": "told"}}}},
                    }
                },
            },
        }
    },
    "webhooks": {"x-hook": {"post": {"responses": {"200": {"description": "heard"}}}}},
    "components": {
        "parameters": {"x-id": {"name": "x-id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "schemas": {
            "x-thing": {
                "type": "object",
                "properties": {"x-name": {"type": "string"}, "nested": {"$ref": "#/components/schemas/x-thing"}},
                "patternProperties": {"^x-": True},
                "dependentSchemas": {"x-name": {"minProperties": 1}},
                "additionalProperties": {"type": ["object", "number", "null", "array"]},
                "externalDocs": {"url": "https://a.example"},
                "xml": {"name": "x-thing"},
                "default": DATA,
                "examples": [DATA],
                "not": {"const": {"x-kept": 1}},
                "if": {"enum": [{"x-kept": 2}]},
                "$defs": {"x-def": {"type": "integer"}},
            },
            "Pets": {
                "oneOf": [{"$ref": "#/components/schemas/x-thing"}],
                "discriminator": {"propertyName": "x-name", "mapping": {"x-one": "#/components/schemas/x-thing"}},
            },
        },
        "securitySchemes": {
            "x-scheme": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "https://a.example", "scopes": {"x-scope": "all"}}},
            }
        },
    },
}
#: Objects whose members are names or data, by their pointers' ends; no extension may stand in them.
NAMED = frozenset(
    [
        *("webhooks", "content", "encoding", "headers", "links", "callbacks", "variables", "scopes", "mapping"),
        *("parameters", "schemas", "securitySchemes", "properties", "patternProperties", "dependentSchemas"),
        *("$defs", "examples", "value", "default", "const", "enum", "security"),
    ]
)


def _extensible(value: Any, name: str = "") -> list[dict[str, Any]]:
    """Return the objects of a part of BASE that an extension may stand in."""
    if name in {"value", "default", "const", "enum", "security"} or (name == "examples" and isinstance(value, list)):
        return []
    found: list[dict[str, Any]] = []
    if isinstance(value, list):
        found = [one for item in value for one in _extensible(item)]
    elif isinstance(value, dict):
        if name not in NAMED:
            found = [value]
        below = ((item, "" if name in NAMED else key) for key, item in value.items())
        found += [one for item, key in below for one in _extensible(item, key)]
    return [one for one in found if "$ref" not in one and "x-scope" not in one]


PLACES = range(len(_extensible(BASE)))


def _document(data: Any) -> Document:
    return Document(Path("contract.json"), json.dumps(data), data, "")


@given(
    st.dictionaries(
        st.sampled_from(PLACES),
        st.tuples(
            st.sampled_from(["x-mockserver-levels", "x-", "x-source", "x-assumed", "x-foo", "x-200"]),
            st.sampled_from([None, "text", ["a"], {"x-inner": 1}, {"type": "object"}]),
        ),
    )
)
def test_extensions_go_wherever_they_stand_and_all_else_stays(extensions: dict[int, tuple[str, Any]]) -> None:
    extended = copy.deepcopy(BASE)
    places = _extensible(extended)
    for number, (name, value) in extensions.items():
        places[number][name] = value
    before = copy.deepcopy(extended)
    made = plain_form(_document(extended))
    assert made == BASE
    assert list(made["paths"]) == list(BASE["paths"])
    assert extended == before, "the contract itself has changed"


def test_what_is_tried_is_enough() -> None:
    assert len(PLACES) > 30
    validate(BASE)


def _told(contract: Contract) -> Any:
    """Return what a contract tells of its operations, whatever stands where."""
    return [
        (
            *(operation.id, operation.method, operation.path, operation.security, operation.bases),
            [(one.name, one.location, one.required) for one in operation.parameters],
            operation.request_body and (operation.request_body.required, _contents(operation.request_body.content)),
            {status: (list(one.headers), _contents(one.content)) for status, one in operation.responses.items()},
        )
        for operation in contract.operations
    ]


def _contents(content: Any) -> Any:
    return {name: [(one.name, one.value) for one in held.examples.values()] for name, held in content.items()}


def _same(path: Path) -> dict[str, Any]:
    """Return the plain form of a contract, which has to be valid and to tell the same."""
    contract = build(load_document(path))
    made = plain_form(contract.document)
    again = build(_document(made))
    assert _told(again) == _told(contract)
    assert not list(again.warnings)
    validate(made)
    assert plain_form(_document(made)) == made
    return made


def test_the_built_in_contract() -> None:
    made = _same(defaults.CONTRACT)
    left = _extensible(made)
    assert not [name for one in left for name in one if name.startswith("x-")]


def test_openapi_2_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    text = {"type": "string", "x-nullable": True}
    answer = {"200": {"description": "ok", "schema": text, "x-a": 1}}
    path.write_text(
        json.dumps(
            {
                **{"swagger": "2.0", "info": {"title": "t", "version": "1", "x-logo": {}}, "x-root": {}},
                "paths": {"/a": {"get": {"responses": answer, "x-b": 2}}},
                "definitions": {"x-name": {"properties": {"x-p": text}}},
            }
        )
    )
    made = _same(path)
    assert made["openapi"] == "3.0.3"
    assert made["components"]["schemas"]["x-name"]["properties"] == {"x-p": {"type": "string", "nullable": True}}
    assert "x-" not in json.dumps(made["paths"])


def test_openapi_3_2(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    answer = {"responses": {"200": {"description": "ok", "x-a": 1}}, "x-b": 1}
    item = {"query": answer, "additionalOperations": {"COPY": answer}, "x-c": 1}
    path.write_text(json.dumps({"openapi": "3.2.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": item}}))
    bare = {"responses": {"200": {"description": "ok"}}}
    assert plain_form(load_document(path))["paths"] == {"/a": {"query": bare, "additionalOperations": {"COPY": bare}}}


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """A contract in several files, in circles, with what has no place among components."""
    files: dict[str, Any] = {
        "openapi.yaml": {
            "openapi": "3.0.3",
            "info": {"title": "several", "version": "1"},
            "paths": {
                "/pets": {"$ref": "paths.yaml#/pets"},
                "/pets/{id}": {"$ref": "paths.yaml#/pet", "summary": "its own"},
            },
            "components": {
                "schemas": {
                    "Pet": {"$ref": "schemas/Pet.yaml"},
                    "Owner": {"type": "object", "x-note": "another one"},
                }
            },
        },
        "paths.yaml": {
            "pets": {
                "get": {
                    "x-code": "gone",
                    "responses": {
                        "200": {
                            "description": "all",
                            "content": {
                                "application/json": {
                                    "schema": {"type": "array", "items": {"$ref": "schemas/Pet.yaml"}},
                                    "examples": {"one": {"$ref": "examples.yaml#/one"}},
                                }
                            },
                        },
                        "404": {"$ref": "answers.yaml#/Missing"},
                    },
                }
            },
            "pet": {
                "parameters": [{"$ref": "#/id"}],
                "get": {"responses": {"404": {"$ref": "answers.yaml#/Missing"}}},
            },
            "id": {"name": "id", "in": "path", "required": True, "schema": {"$ref": "schemas/Pet.yaml#/properties/id"}},
        },
        "schemas/Pet.yaml": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "x-id": 1},
                "x-owner": {"$ref": "Owner.yaml"},
                "kind": {"oneOf": [{"$ref": "Owner.yaml"}]},
            },
        },
        "schemas/Owner.yaml": {
            "type": "object",
            "x-gone": True,
            "properties": {"pets": {"type": "array", "items": {"$ref": "Pet.yaml"}}},
        },
        "answers.yaml": {"Missing": {"description": "none", "x-gone": 1}},
        "examples.yaml": {"one": {"value": [{"x-owner": {}}], "x-gone": 1}},
    }
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data))
    return tmp_path / "openapi.yaml"


def test_several_files_become_one_document(several: Path) -> None:
    made = _same(several)
    schemas = made["components"]["schemas"]
    assert schemas.keys() == {"Pet", "Owner", "id", "Owner_2"}
    assert schemas["Pet"]["properties"]["x-owner"] == {"$ref": "#/components/schemas/Owner_2"}
    assert schemas["Owner_2"]["properties"]["pets"]["items"] == {"$ref": "#/components/schemas/Pet"}
    assert schemas["Owner"] == {"type": "object"}
    assert schemas["id"] == {"type": "string"}
    assert made["components"]["responses"] == {"Missing": {"description": "none"}}
    assert made["paths"]["/pets/{id}"]["summary"] == "its own"
    text = json.dumps(made)
    assert "x-mockserver" not in text
    assert "x-gone" not in text


def test_what_only_an_extension_holds_becomes_a_component(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    document = {
        **{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}},
        "x-shared": {"Size": {"type": "integer", "x-unit": "cm"}, "item": {"get": {"responses": {}}, "x-a": 1}},
        "paths": {"/a": {"$ref": "#/x-shared/item"}},
        "components": {
            "schemas": {
                "Size": {"type": "string"},
                "Box": {
                    "properties": {"size": {"$ref": "#/x-shared/Size"}, "x-size": {"$ref": "#/components/schemas/Size"}}
                },
            }
        },
    }
    path.write_text(json.dumps(document))
    made = plain_form(load_document(path))
    components = made["components"]
    assert components["schemas"]["Box"]["properties"]["size"] == {"$ref": "#/components/schemas/Size_2"}
    assert components["schemas"]["Size_2"] == {"type": "integer"}
    assert components["schemas"]["Size"] == {"type": "string"}
    assert made["paths"] == {"/a": {"$ref": "#/components/pathItems/item"}}
    assert components["pathItems"] == {"item": {"get": {"responses": {}}}}


@pytest.mark.parametrize(
    "path_item",
    [
        {"$ref": "#/x-nowhere"},
        {"$ref": 7},
        {"get": {"responses": {"200": {"$ref": "#/x-a/responses/200"}}}},
        {"get": "text"},
        {"parameters": [None, {"$ref": "#/x-a/x-b"}]},
        None,
    ],
)
def test_what_is_wrong_does_not_stop_it(path_item: Any) -> None:
    document = _document(
        {
            "openapi": "3.0.0",
            "info": {},
            "x-a": {"responses": {"200": {"$ref": "#/x-a/responses/200"}}, "x-b": {"$ref": "#/x-a/x-b"}},
            "paths": {"/a": path_item},
        }
    )
    assert "x-a" not in plain_form(document)
