"""What real documents have wrong: each mistake is told clearly, or served sensibly, or both.

A row is a small document and what is expected of it through the front door: `refused` for a start that ends with one
line that holds these words, `told` for words of a warning, `asks` for requests and the statuses of their answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.errors import ContractError

if TYPE_CHECKING:
    from tests.conftest import Client


class Ask(NamedTuple):
    """A request and the status, or statuses, of a sensible answer; `content` what it has to be, if anything."""

    method: str
    path: str
    status: int | tuple[int, ...] = 200
    json: Any = None
    content: Any = None


class Mistake(NamedTuple):
    """A document with a mistake, and what is expected of it."""

    name: str
    text: str | bytes
    told: str = ""
    asks: Sequence[Ask] = ()
    refused: str = ""


HEAD = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\n"
OK = "{'200': {description: ok, content: {application/json: {example: {n: 1}}}}}"
GET = Ask("GET", "/a", content={"n": 1})


def doc(operation: str, *, method: str = "get", path: str = "/a", more: str = "", head: str = HEAD) -> str:
    """Return a document with one operation, its members in flow style, beside a sound one at `/ok`."""
    return f"{head}paths:\n  {path}:\n    {method}: {{{operation}}}\n  /ok:\n    get: {{responses: {OK}}}\n{more}"


def posting(schema: str, more: str = "", head: str = HEAD) -> str:
    """Return a document whose `POST /a` takes a schema."""
    body = f"requestBody: {{required: true, content: {{application/json: {{schema: {schema}}}}}}}"
    answers = "responses: {'204': {description: ok}, '422': {description: bad}}"
    return doc(f"{body}, {answers}", method="post", more=more, head=head)


def answering(schema: str, more: str = "") -> str:
    """Return a document whose `GET /a` answers by a schema, without an example."""
    return doc(
        f"responses: {{'200': {{description: ok, content: {{application/json: {{schema: {schema}}}}}}}}}", more=more
    )


def post(value: Any, status: int = 204) -> Ask:
    """Return a POST of JSON to `/a`."""
    return Ask("POST", "/a", status, value)


MISTAKES = [
    # References.
    Mistake(
        "reference of a parameter leads nowhere",
        doc(f"parameters: [{{$ref: '#/components/parameters/No'}}], responses: {OK}"),
        "/components/parameters/No: nothing is at this pointer",
        [GET],
    ),
    Mistake(
        "reference of a response leads nowhere",
        doc("responses: {'204': {$ref: '#/components/responses/No'}}"),
        "/components/responses/No: nothing is at this pointer",
        [Ask("GET", "/a", 204)],
    ),
    Mistake(
        "reference of a path item leads nowhere",
        f"{HEAD}paths:\n  /a: {{$ref: '#/no'}}\n  /ok: {{get: {{responses: {OK}}}}}\n",
        "/paths/~1a: /no: nothing is at this pointer",
        [Ask("GET", "/a", 404), Ask("GET", "/ok")],
    ),
    Mistake(
        "reference of a request body is a circle",
        doc(
            f"requestBody: {{$ref: '#/components/requestBodies/B'}}, responses: {OK}",
            method="post",
            more="components: {requestBodies: {B: {$ref: '#/components/requestBodies/B'}}}\n",
        ),
        "leads back to itself",
        [Ask("POST", "/a", 200, {"x": 1})],
    ),
    Mistake("reference of a schema leads nowhere", posting("{$ref: '#/components/schemas/No'}"), asks=[post({"x": 1})]),
    Mistake(
        "reference to a file that is not there",
        doc(f"parameters: [{{$ref: 'no.yaml#/p'}}], responses: {OK}"),
        r"no\.yaml: cannot be read: No such file",
        [GET],
    ),
    Mistake(
        "reference to the web",
        doc(f"parameters: [{{$ref: 'https://x.invalid/p'}}], responses: {OK}"),
        "--allow-remote",
        [GET],
    ),
    Mistake(
        "reference with members beside it in 3.0",
        posting("{$ref: '#/components/schemas/N', minimum: 5}", "components: {schemas: {N: {type: integer}}}\n"),
        asks=[post(1), post("x", 422)],
    ),
    Mistake(
        "reference through a reference",
        doc(
            "responses: {'200': {$ref: '#/paths/~1b/get/responses/200'}}",
            more=f"components: {{pathItems: {{B: {{get: {{responses: {OK}}}}}}}}}\n",
        ).replace("  /ok:", "  /b: {$ref: '#/components/pathItems/B'}\n  /ok:"),
        asks=[GET, Ask("GET", "/b")],
    ),
    Mistake(
        "reference of a schema through a reference",
        posting(
            "{$ref: '#/components/schemas/A/properties/n'}",
            "components: {schemas: {A: {$ref: '#/components/schemas/B'}, B: {properties: {n: {type: integer}}}}}\n",
        ),
        asks=[post(1)],
    ),
    Mistake(
        "reference that is no text", doc(f"parameters: [{{$ref: 5}}], responses: {OK}"), "not a JSON pointer", [GET]
    ),
    # Operations.
    Mistake(
        "operationId used twice",
        f"{HEAD}paths:\n  /a:\n    get: {{operationId: x, responses: {OK}}}\n"
        f"    delete: {{operationId: x, responses: {OK}}}\n",
        r'the operationId "x" is used twice; this operation is named "DELETE /a"',
        [GET, Ask("DELETE", "/a")],
    ),
    Mistake(
        "no responses", doc("operationId: x"), "/paths/~1a/get: has no `responses`", [Ask("GET", "/a", (200, 204))]
    ),
    Mistake(
        "responses are a list", doc("responses: [1]"), "must be an object, not a list", [Ask("GET", "/a", (200, 204))]
    ),
    Mistake("a default response only", doc(f"responses: {{default: {OK[8:-1]}}}"), "", [GET]),
    Mistake(
        "an operation is null",
        f"{HEAD}paths: {{/a: {{get: null}}, /ok: {{get: {{responses: {OK}}}}}}}",
        "not null; it is answered 501",
        [Ask("GET", "/ok"), Ask("GET", "/a", 501), Ask("POST", "/a", 405, 1)],
    ),
    Mistake(
        "reference of an operation leads nowhere",
        f"{HEAD}paths: {{/a: {{get: {{$ref: '#/no'}}, post: {{responses: {OK}}}}}}}",
        "/paths/~1a/get: /no: nothing is at this pointer, so the .ref to it is broken; it is answered 501",
        [Ask("GET", "/a", 501), Ask("POST", "/a", 200, 1)],
    ),
    Mistake("a method that does not exist", doc(f"responses: {OK}", method="fetch"), "", [Ask("GET", "/ok")]),
    Mistake("status keys are numbers", doc(f"responses: {{200: {OK[8:-1]}}}"), "", [GET]),
    Mistake(
        "status keys are words",
        doc(f"responses: {{ok: {{description: x}}, 200: {OK[8:-1]}}}"),
        '"ok" is not a status',
        [GET],
    ),
    Mistake("status range in small letters", doc(f"responses: {{2xx: {OK[8:-1]}}}"), "", [GET]),
    Mistake(
        "GET with a body", doc(f"requestBody: {{content: {{application/json: {{}}}}}}, responses: {OK}"), "", [GET]
    ),
    Mistake("tags are text", doc(f"tags: x, deprecated: 'yes', responses: {OK}"), "", [GET]),
    # Paths.
    Mistake("a path without a slash", doc(f"responses: {OK}", path="a"), "served as /a", [GET]),
    Mistake("a path with a query", doc(f"responses: {OK}", path="'/a?x={x}'"), "served as /a", [GET]),
    Mistake(
        "two paths that are one",
        f"{HEAD}paths:\n  /a/{{x}}: {{get: {{responses: {OK}}}}}\n  /a/{{y}}: {{get: {{responses: {OK}}}}}\n",
        r"GET /a/\{y\} has the same path as GET /a/\{x\}",
        [Ask("GET", "/a/1")],
    ),
    Mistake("paths is empty", f"{HEAD}paths: {{}}\n", "defines no operation", [Ask("GET", "/a", 404)]),
    Mistake("paths is null", f"{HEAD}paths: null\n", refused="has no object `paths`"),
    Mistake("paths is a list", f"{HEAD}paths: [a]\n", refused="has no object `paths`"),
    Mistake(
        "dates as keys",
        f"{HEAD}paths:\n  /ok: {{get: {{responses: {OK}}}}}\nx-history: {{2020-01-01: first}}\n",
        "",
        [Ask("GET", "/ok")],
    ),
    Mistake(
        "path parameter is not declared",
        doc(f"responses: {OK}", path="/a/{id}"),
        'the path parameter "id" is not declared',
        [Ask("GET", "/a/7")],
    ),
    Mistake(
        "path parameter is not in the path",
        doc(f"parameters: [{{name: id, in: path, required: true, schema: {{}}}}], responses: {OK}"),
        '"id" is not in the path',
        [GET],
    ),
    # Parameters.
    Mistake("parameter without name", doc(f"parameters: [{{in: query}}], responses: {OK}"), "needs `name`", [GET]),
    Mistake(
        "parameter without schema",
        doc(f"parameters: [{{name: q, in: query, type: string}}], responses: {OK}"),
        '"q" has no `schema`',
        [GET],
    ),
    Mistake(
        "parameter in body, as 2.0 has it",
        doc(f"parameters: [{{name: b, in: body}}], responses: {OK}"),
        "it is left out",
        [GET],
    ),
    Mistake(
        "parameter twice",
        doc(
            f"parameters: [{{name: q, in: query, schema: {{}}}}, {{name: q, in: query, schema: {{}}}}], responses: {OK}"
        ),
        '"q" occurs twice',
        [GET],
    ),
    Mistake("parameters are an object", doc(f"parameters: {{q: 1}}, responses: {OK}"), "must be a list", [GET]),
    # Schemas.
    Mistake(
        "required is true inside of a property",
        posting("{properties: {n: {type: integer, required: true}}}"),
        asks=[post({"n": 1}), post({"n": "x"}, 422)],
    ),
    Mistake("type is a list in 3.0", posting("{type: [string, 'null']}"), asks=[post("x"), post(5, 422)]),
    Mistake("type is unknown", posting("{type: any}"), asks=[post({"x": 1})]),
    Mistake("nullable without type", posting("{nullable: true, enum: [a]}"), asks=[post("a")]),
    Mistake("format is unknown", posting("{type: string, format: colour}"), asks=[post("x"), post(1, 422)]),
    Mistake("enum with duplicates", posting("{enum: [a, a, b]}"), asks=[post("a"), post("c", 422)]),
    Mistake("enum of another type", posting("{type: string, enum: [1, a]}"), asks=[post("a"), post("c", 422)]),
    Mistake("enum is text", posting("{type: string, enum: a}"), asks=[post("a")]),
    Mistake(
        "exclusiveMinimum is boolean",
        posting("{type: integer, minimum: 1, exclusiveMinimum: true}"),
        asks=[post(2), post(1, 422)],
    ),
    Mistake("pattern is no regex", posting("{type: string, pattern: '(['}"), asks=[post("x")]),
    Mistake(
        "pattern is of ECMA-262 only",
        posting(r"{type: string, pattern: '^\cA?[^\d]\/$'}"),
        asks=[post("x/"), post("1/", 422)],
    ),
    Mistake("pattern looks back", posting("{type: string, pattern: '(?<!a)b'}"), asks=[post("cb"), post("ab", 422)]),
    Mistake(
        "allOf is a circle",
        posting(
            "{$ref: '#/components/schemas/C'}",
            "components: {schemas: {C: {allOf: [{$ref: '#/components/schemas/C'}]}}}\n",
        ),
        asks=[post({"x": 1})],
    ),
    Mistake(
        "an answer's allOf is a circle",
        answering(
            "{$ref: '#/components/schemas/C'}",
            "components: {schemas: {C: {type: object, allOf: [{$ref: '#/components/schemas/C'}]}}}\n",
        ),
        asks=[Ask("GET", "/a", (200, 501))],
    ),
    Mistake("schema is a list", posting("[string]"), "must be a Schema Object", [post("x")]),
    Mistake("properties are a list", posting("{type: object, properties: [a]}"), asks=[post({})]),
    Mistake(
        "additionalProperties is text", posting("{type: object, additionalProperties: 'true'}"), asks=[post({"a": 1})]
    ),
    Mistake(
        "huge enum",
        posting("{type: string, enum: [" + ",".join(f"v{n}" for n in range(100_000)) + "]}"),
        asks=[post("v99999"), post("w", 422)],
    ),
    Mistake(
        "example of the wrong type",
        doc(
            "responses: {'200': {description: ok, content: "
            "{application/json: {schema: {type: integer}, example: text}}}}"
        ),
        asks=[Ask("GET", "/a")],
    ),
    Mistake(
        "examples are a list",
        doc(
            "responses: {'200': {description: ok, content: "
            "{application/json: {schema: {type: integer}, examples: [1]}}}}"
        ),
        "map names to Example Objects",
        [Ask("GET", "/a")],
    ),
    # The root.
    Mistake(
        "security of an unknown scheme", doc(f"security: [{{no: []}}], responses: {OK}"), 'unknown scheme "no"', [GET]
    ),
    Mistake(
        "security scheme of an unknown type",
        doc(f"security: [{{s: []}}], responses: {OK}", more="components: {securitySchemes: {s: {type: magic}}}\n"),
        asks=[Ask("GET", "/a", (200, 401)), Ask("GET", "/ok")],
    ),
    Mistake(
        "components are a list",
        doc(f"responses: {OK}", more="components: []\n"),
        "/components: must be an object",
        [GET],
    ),
    Mistake(
        "server with an undefined variable",
        doc(f"responses: {OK}", more="servers: [{url: 'https://{region}.x.example/{base}'}]\n"),
        asks=[GET],
    ),
    Mistake("servers are text", doc(f"responses: {OK}", more="servers: https://x.example\n"), asks=[GET]),
    Mistake("no info", doc(f"responses: {OK}", head="openapi: 3.1.0\n"), asks=[GET]),
    Mistake(
        "version is a number", doc(f"responses: {OK}", head="openapi: 3.1\n"), "/openapi: is the number 3.1", [GET]
    ),
    Mistake("version of the future", doc(f"responses: {OK}", head="openapi: 3.2.0\ninfo: {title: t}\n"), asks=[GET]),
    Mistake(
        "version unknown",
        "openapi: 4.0.0\npaths: {}\n",
        refused="`openapi` is .4.0.0.; mockserver serves OpenAPI 2.0 and 3.x",
    ),
    Mistake("no OpenAPI at all", "hello: world\n", refused="`openapi` is null"),
    Mistake("Swagger 1.2", "swaggerVersion: '1.2'\napis: []\n", refused="`openapi` is null"),
    # Text.
    Mistake("byte order mark", b"\xef\xbb\xbf" + doc(f"responses: {OK}").encode(), asks=[GET]),
    Mistake(
        "tabs",
        "openapi: 3.0.3\npaths:\n\t/a: {}\n",
        refused=":3: is not valid YAML: found a tab where only spaces are allowed",
    ),
    Mistake("a key twice", f"{HEAD}paths: {{}}\npaths: {{}}\n", refused=":4: .*.paths. occurs twice"),
    Mistake("no closing bracket", "openapi: 3.0.3\npaths: [\n", refused="is not valid YAML"),
    Mistake(
        "JSON with a comma too many",
        '{"openapi": "3.0.3", "info": {"title": "t", "version": "1",},\n "paths": {}}',
        "defines no operation",
    ),
    Mistake(
        "not UTF-8",
        doc(f"summary: gr\u00fcn, responses: {OK}").encode("latin-1"),
        refused="is not UTF-8 text; save it as UTF-8",
    ),
    Mistake("empty file", "", refused="is not an object; an OpenAPI document starts with"),
    Mistake("a list", "- 1\n", refused="is not an object"),
    Mistake(
        "yes and no are text",
        doc(
            "responses: {'200': {description: no, content: "
            "{application/json: {schema: {enum: [no, yes, on]}, example: no}}}}"
        ),
        asks=[Ask("GET", "/a", content="no")],
    ),
    Mistake(
        "times and dates are text",
        doc(
            "responses: {'200': {description: x, content: {application/json: {example: [12:30:45, 2020-01-01, 0o17]}}}}"
        ),
        asks=[Ask("GET", "/a", content=["12:30:45", "2020-01-01", "0o17"])],
    ),
    Mistake(
        "a tag of YAML that is no JSON",
        doc(f"x-y: !!binary aGk=, responses: {OK}"),
        refused="could not determine a constructor",
    ),
    Mistake(
        "billion laughs",
        "a: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"b{n}: &a{n + 1} [{','.join([f'*a{n}'] * 10)}]\n" for n in range(8))
        + doc(f"responses: {OK}"),
        refused="its anchors expand to more than 5000000 values",
    ),
    Mistake(
        "nested too deep",
        HEAD + "paths: {}\nx-deep: " + "[" * 3000 + "]" * 3000 + "\n",
        refused="is nested deeper than 200 levels",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_told_or_served(make_stub: Callable[..., Client], tmp_path: Path, mistake: Mistake) -> None:
    path = tmp_path / "contract.yaml"
    path.write_bytes(mistake.text if isinstance(mistake.text, bytes) else mistake.text.encode())
    if mistake.refused:
        with pytest.raises(ContractError, match=mistake.refused) as caught:
            load_contract(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
        return
    contract = load_contract(path)
    told = list(contract.warning_texts())
    assert any(re.search(mistake.told, text) for text in told) or not mistake.told, told
    assert all(re.match(rf"{re.escape(str(path))}:\d+: ", text) for text in told)
    client = make_stub(contract)
    for ask in mistake.asks:
        answer = (
            client.call(ask.method, ask.path, json=ask.json, user=None)
            if ask.json is not None
            else client.call(ask.method, ask.path, user=None)
        )
        wanted = ask.status if isinstance(ask.status, tuple) else (ask.status,)
        assert answer.status in wanted, (ask, answer)
        if ask.content is not None:
            assert answer.json() == ask.content


def test_the_list_has_all_kinds_and_no_kind_twice() -> None:
    names = [mistake.name for mistake in MISTAKES]
    assert len(names) >= 40
    assert len(set(names)) == len(names)


def test_warnings_are_printed_numbered_and_not_without_end(serve: Any, write_contract: Callable[..., Path]) -> None:
    paths: Mapping[str, Any] = {f"/p{number}": {"get": {}} for number in range(25)}
    server = serve("--contract", str(write_contract(paths)))
    log = server.log()
    assert re.search(r"mockserver: warning 20: \S+contract-1\.json:1: /paths/~1p19/get: has no `responses`", log)
    assert "warning 21" not in log
    assert "mockserver: and 5 more warnings; mockserver lint tells them all" in log


def test_webhooks_are_named_at_the_start(serve: Any, write_contract: Callable[..., Path]) -> None:
    webhooks = {"newPet": {"post": {"responses": {"200": {"description": "ok"}}}}}
    server = serve("--contract", str(write_contract({}, webhooks=webhooks)))
    assert "mockserver: webhooks, which this stub does not call: POST newPet\n" in server.log()
