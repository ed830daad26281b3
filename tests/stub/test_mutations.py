"""Whatever a document has in place of one of its elements, the start ends in one line or serves the rest."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.errors import ContractError
from mockserver.stub.app import create_app
from tests.conftest import Client, send_to_app
from tests.stub.test_openapi_2 import PETS

WHOLE = yaml.safe_load("""
openapi: 3.0.3
info: {title: all, version: '1'}
servers: [{url: 'https://x.example/{base}', variables: {base: {default: v1}}}]
security: [{key: []}]
tags: [{name: t}]
paths:
  /things/{id}:
    parameters: [{$ref: '#/components/parameters/Id'}]
    get:
      operationId: read
      tags: [t]
      security: [{}]
      parameters:
        - {name: q, in: query, style: form, explode: false, schema: {type: array, items: {type: string}}, example: [a]}
        - {name: f, in: query, content: {application/json: {schema: {type: object}}}}
      responses:
        '200':
          description: ok
          headers: {X-A: {required: true, schema: {type: integer}, example: 1}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
              examples: {one: {value: {id: 1, name: a}}, two: {$ref: '#/components/examples/Two'}}
          links: {self: {operationId: read, parameters: {id: $response.body#/id}}}
        default: {$ref: '#/components/responses/Bad'}
    post:
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {tags: {type: array, items: {type: string}}}}
            encoding: {tags: {style: form, explode: true, contentType: text/plain, headers: {X: {schema: {}}}}}
      callbacks: {done: {'{$request.query.q}': {post: {responses: {'200': {description: ok}}}}}}
      responses: {'204': {description: ok}}
components:
  parameters: {Id: {name: id, in: path, required: true, schema: {type: integer}}}
  responses: {Bad: {description: bad, content: {application/json: {schema: {type: object}}}}}
  examples: {Two: {value: {id: 2, name: b}}}
  schemas:
    Thing:
      type: object
      required: [id]
      discriminator: {propertyName: name, mapping: {a: '#/components/schemas/Thing'}}
      properties: {id: {type: integer, readOnly: true}, name: {type: string, nullable: true, enum: [a, b, null]}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    flow: {type: oauth2, flows: {implicit: {authorizationUrl: 'https://a', scopes: {read: r}}}}
webhooks: {hook: {post: {responses: {'200': {description: ok}}}}}
""")
OK = {"get": {"security": [], "responses": {"200": {"description": "ok"}}}}
VALUES: list[Any] = [
    None,
    True,
    5,
    -1.5,
    "",
    "x",
    "#/no",
    [],
    [1],
    ["a"],
    [[]],
    [{}],
    {},
    {"a": 1},
    {"$ref": "#/no"},
    {"$ref": 5},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every element of a document but itself."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in members:
        yield (*path, name)
        yield from places(item, (*path, name))


DOCUMENTS = {"3.0": WHOLE, "2.0": json.loads(json.dumps(yaml.safe_load(PETS)))}
PLACES = [(version, path) for version, data in DOCUMENTS.items() for path in places(data)]


def started(file: Path) -> tuple[Any, str]:
    """Return the application of a contract, or None and why there is none."""
    try:
        return create_app(file), ""
    except ContractError as error:
        return None, str(error)


@given(st.sampled_from(PLACES), st.sampled_from(VALUES))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere(tmp_path: Path, place: tuple[str, tuple[Any, ...]], value: Any) -> None:
    version, path = place
    data = copy.deepcopy(DOCUMENTS[version])
    data["paths"]["/ok"] = OK
    holder = data
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    app, refusal = started(file)
    if app is None:
        assert refusal.startswith(str(file))
        assert "\n" not in refusal
        assert path in {("openapi",), ("swagger",), ("paths",)}
        return
    client = Client(send_to_app(app.wsgi_app))
    if path != ("paths",):
        assert client.call("GET", "/ok", user=None).status == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [client.call("GET", target, user=None) for target in ("/things/1", "/pets", "/pets/1/photo")]
    answers.append(client.call("POST", "/pets", json={"name": "x"}, user=None))
    answers.append(client.call("POST", "/things/1", content=b"tags=a", fields=form, user=None))
    assert all(answer.status < 500 or answer.status == 501 for answer in answers), answers


@pytest.mark.parametrize("version", DOCUMENTS)
def test_the_documents_are_sound(tmp_path: Path, version: str) -> None:
    file = tmp_path / "sound.json"
    file.write_text(json.dumps(DOCUMENTS[version]), encoding="utf-8")
    create_app(file)
