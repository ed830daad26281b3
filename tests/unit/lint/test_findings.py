"""Each rule of lint: a small clean contract, one mistake put into it, and the finding that names it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.contract.provenance import MARKS
from mockserver.contract.reading.document import EXTENSIONS
from mockserver.contract.reading.elements import walk
from mockserver.http.pointers import lookup
from mockserver.lint.findings import LintFinding, lint

POST = "/paths/~1notes~1/post"
BODY = f"{POST}/requestBody/content/application~1json"
ANSWER = f"{POST}/responses/200/content/application~1json"
NOTE = "/components/schemas/Note"
SENT = "/components/schemas/Sent"

CLEAN: dict[str, Any] = yaml.safe_load("""
openapi: 3.1.0
info: {title: notes, version: '1'}
servers: [{url: 'https://notes.example', x-source: general}]
security: [{basic: []}]
x-source: {security: general}
x-mockserver-levels: [admin, reader]
paths:
  /notes/:
    post:
      operationId: add
      x-source: page
      x-mockserver-levels: [admin]
      x-mockserver-behaviour: {handler: setting, role: write, value: /note, status: /status}
      parameters:
        - {name: at, in: query, schema: {x-assumed: guessed, type: integer, maximum: 9}, example: 3}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Sent'}
            examples:
              one: {value: {text: a, password: p}, x-mockserver-response: stored}
      responses:
        '200':
          description: stored
          headers:
            Age: {schema: {x-source: page, type: integer}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Note'}
              examples:
                stored: {value: {text: a}, x-mockserver-presumes: {clock: 1, calls: [add/one]}}
components:
  securitySchemes:
    basic: {type: http, scheme: basic, x-source: general}
  schemas:
    Sent:
      x-source: page
      x-assumed: {required: guessed}
      type: object
      required: [text, password]
      properties:
        text: {type: string}
        password: {type: string, writeOnly: true}
    Note:
      x-source: page
      type: object
      additionalProperties: false
      properties:
        text: {type: string, examples: [b], default: c}
        auth_token: {type: string, x-secret: issued}
        parent: {$ref: '#/components/schemas/Note'}
""")

UNMARKED: dict[str, Any] = {"responses": {"204": {"description": "nothing"}}}

Mutation = Callable[[dict[str, Any]], None]


@pytest.fixture
def lint_of(tmp_path: Path) -> Callable[[Any], list[LintFinding]]:
    def run(contract: Any) -> list[LintFinding]:
        path = tmp_path / "contract.json"
        path.write_text(json.dumps(contract), encoding="utf-8")
        return lint(path)

    return run


def put(pointer: str, value: Any) -> Mutation:
    """Return a mutation that sets the member at a pointer."""

    def mutate(data: dict[str, Any]) -> None:
        holder, _, name = pointer.rpartition("/")
        lookup(data, holder)[name.replace("~1", "/")] = value

    return mutate


def drop(pointer: str) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        holder, _, name = pointer.rpartition("/")
        del lookup(data, holder)[name.replace("~1", "/")]

    return mutate


def both(*mutations: Mutation) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        for mutation in mutations:
            mutation(data)

    return mutate


def mutated(mutation: Mutation) -> dict[str, Any]:
    data = copy.deepcopy(CLEAN)
    mutation(data)
    return data


#: A request that its own schema forbids, and the error that answers it.
REFUSED = both(
    put(f"{BODY}/examples/wrong", {"value": {"text": 1}, "x-mockserver-response": "refused"}),
    put(f"{POST}/responses/422", {"description": "wrong", "x-assumed": "guessed"}),
    put(f"{POST}/responses/422/content", {"application/json": {"examples": {"refused": {"value": 1}}}}),
)


def test_a_clean_contract_has_no_finding(lint_of: Callable[[Any], list[LintFinding]]) -> None:
    assert lint_of(CLEAN) == []


def test_what_was_observed_may_stand_beside_what_was_assumed(lint_of: Callable[[Any], list[LintFinding]]) -> None:
    assert lint_of(mutated(put(f"{SENT}/x-observed", {"required": "2026, staging"}))) == []


def test_a_reason_may_be_named_where_it_is_said(lint_of: Callable[[Any], list[LintFinding]]) -> None:
    named = both(
        put("/x-mockserver-reasons", {**REASON, "of-a-behaviour": "it is ours", "seen-there": "2026, staging"}),
        put(f"{POST}/x-mockserver-behaviour/x-assumed", "of-a-behaviour"),
        put(f"{SENT}/x-observed", {"required": "seen-there"}),
    )
    assert lint_of(mutated(named)) == []


REASON = {"guessed": "nobody says so"}
SHOWS = "x-mockserver-shows"
LINK = {"operationId": "add", "x-assumed": "guessed"}
STRIPPED = f"{ANSWER}/examples/stored/x-mockserver-stripped"
MISTAKES: list[tuple[str, Mutation, str, str]] = [
    # references
    (
        "reference",
        put(f"{ANSWER}/schema", {"$ref": "#/components/schemas/No"}),
        f"{ANSWER}/schema/$ref",
        "/No",
    ),
    (
        "reference",
        put(f"{ANSWER}/schema", {"$ref": "other.yaml#/Note"}),
        f"{ANSWER}/schema/$ref",
        "cannot be followed",
    ),
    ("reference", put(f"{ANSWER}/schema", {"$ref": "#/info/title"}), f"{ANSWER}/schema/$ref", "expected an object"),
    ("reference", put(NOTE, {"$ref": f"#{NOTE}"}), f"{NOTE}/$ref", "back to itself"),
    # OpenAPI, its structure and its meaning
    ("openapi", drop("/info/title"), "/info", '"title" is missing'),
    ("openapi", put("/info/version", {"x" * 400: 1}), "/info/version", 'expected string; got {"xxx'),
    ("openapi", put(f"{POST}/parameters", [{"name": "x", "in": "path"}]), f"{POST}/parameters/0", "is missing"),
    ("openapi", put("/openapi", "3.9.0"), "/openapi", '"3.9.0"'),
    ("openapi", put("/paths/~1{id}", {"get": UNMARKED}), "/paths/~1{id}/get", '"id"'),
    ("openapi", put(f"{NOTE}/properties/text/type", "text"), f"{NOTE}/properties/text/type", '"text"'),
    # examples
    (
        "example",
        put(f"{BODY}/examples/one/value/text", 5),
        f"{BODY}/examples/one/value/text",
        "expected string; got 5",
    ),
    ("example", put(f"{ANSWER}/examples/stored/value/x", 5), f"{ANSWER}/examples/stored/value", '"x"'),
    ("example", put(f"{POST}/parameters/0/example", 10), f"{POST}/parameters/0/example", "maximum"),
    ("example", put(f"{NOTE}/properties/text/examples", [5]), f"{NOTE}/properties/text/examples/0", "string"),
    ("example", put(f"{NOTE}/properties/text/default", 5), f"{NOTE}/properties/text/default", "string"),
    (
        "example",
        both(
            put(f"{ANSWER}/schema", {"$ref": f"#{SENT}"}),
            put(f"{ANSWER}/examples/stored/value/password", "p"),
        ),
        f"{ANSWER}/examples/stored/value/password",
        "writeOnly",
    ),
    (
        "example",
        both(
            put("/components/examples", {"shared": {"value": {"text": 1}, "x-source": "page"}}),
            put(f"{ANSWER}/examples/stored", {"$ref": "#/components/examples/shared"}),
        ),
        "/components/examples/shared/value/text",
        "string",
    ),
    (
        "example",
        drop(f"{BODY}/examples/one/value/text"),
        f"{BODY}/examples/one/value",
        '"text" is missing',
    ),
    ("schema", put(f"{NOTE}/properties/text/pattern", "("), f"{NOTE}/properties/text/pattern", '"("'),
    # provenance
    ("provenance", drop(f"{POST}/x-source"), POST, "operation"),
    ("provenance", drop("/x-source"), "/security", "how it is known"),
    (
        "provenance",
        drop("/components/securitySchemes/basic/x-source"),
        "/components/securitySchemes/basic",
        "scheme",
    ),
    ("provenance", drop("/servers/0/x-source"), "/servers/0", "server"),
    (
        "provenance",
        drop(f"{POST}/parameters/0/schema/x-assumed"),
        f"{POST}/parameters/0/schema",
        "type, maximum",
    ),
    ("provenance", drop(f"{SENT}/x-source"), SENT, "type"),
    (
        "provenance",
        put("/components/examples", {"spare": {"value": 1}}),
        "/components/examples/spare",
        "example",
    ),
    (
        "provenance",
        put("/components/schemas/Bare", {"properties": {"any": {"description": "anything"}}}),
        "/components/schemas/Bare/properties/any",
        "property",
    ),
    # marks
    ("mark", put(f"{POST}/x-source", ["page"]), f"{POST}/x-source", '["page"]'),
    ("mark", put(f"{POST}/x-source", {}), f"{POST}/x-source", "{}"),
    ("mark", put(f"{POST}/x-source", " "), f"{POST}/x-source", "empty"),
    ("mark", put(f"{SENT}/x-assumed/maxLength", "guessed"), f"{SENT}/x-assumed/maxLength", '"maxLength"'),
    ("mark", put(f"{SENT}/x-assumed/required", {"text": "x"}), f"{SENT}/x-assumed/required/text", '"text"'),
    (
        "mark",
        put(f"{POST}/x-assumed", {"responses": {"404": "x"}}),
        f"{POST}/x-assumed/responses/404",
        '"404"',
    ),
    ("mark", put(f"{POST}/x-assumed", "guessed"), f"{POST}/x-assumed", "x-source"),
    ("mark", put(f"{SENT}/x-source", {"required": "page"}), f"{SENT}/x-assumed/required", "x-source"),
    # reasons that are said once; marks of one word in a contract without them are texts (`guessed`)
    ("mark", put("/x-mockserver-reasons", {"guess": "a guess"}), f"{POST}/parameters/0/schema/x-assumed", '"guessed"'),
    ("extension", put("/x-mockserver-reasons", {**REASON, "other": "no"}), "/x-mockserver-reasons/other", "no mark"),
    (
        "extension",
        put("/x-mockserver-reasons", {**REASON, "Two words": "no"}),
        "/x-mockserver-reasons/Two words",
        "name",
    ),
    (
        "extension",
        put("/x-mockserver-reasons", {**REASON, "guessed": ""}),
        "/x-mockserver-reasons/guessed",
        "must be text",
    ),
    ("extension", put("/x-mockserver-reasons", []), "/x-mockserver-reasons", "must map"),
    ("extension", put(f"{POST}/x-mockserver-reasons", REASON), f"{POST}/x-mockserver-reasons", "operation"),
    # pairing
    ("pairing", drop(f"{BODY}/examples/one/x-mockserver-response"), f"{BODY}/examples/one", '"one"'),
    ("pairing", both(REFUSED, drop(f"{POST}/responses/422/content")), f"{BODY}/examples/wrong", '"refused"'),
    ("pairing", drop(f"{BODY}/examples"), f"{ANSWER}/examples/stored", '"stored"'),
    # secrets
    (
        "secret",
        drop(f"{NOTE}/properties/auth_token/x-secret"),
        f"{NOTE}/properties/auth_token",
        '"auth_token"',
    ),
    ("secret", put(f"{NOTE}/properties/apiKey", {}), f"{NOTE}/properties/apiKey", '"apiKey"'),
    (
        "secret",
        put(
            f"{NOTE}/properties/list",
            {"type": "array", "items": {"properties": {"otp": {"type": ["string"]}}}},
        ),
        f"{NOTE}/properties/list/items/properties/otp",
        '"otp"',
    ),
    (
        "secret",
        put(f"{NOTE}/allOf", [{"properties": {"device_password": {"type": "string"}}}]),
        f"{NOTE}/allOf/0/properties/device_password",
        '"device_password"',
    ),
    (
        "secret",
        put(f"{POST}/responses/200/headers/X-Auth-Token", {"schema": {"x-source": "page", "type": "string"}}),
        f"{POST}/responses/200/headers/X-Auth-Token/schema",
        '"X-Auth-Token"',
    ),
    # extensions
    ("extension", put(f"{POST}/x-mockserver-delay", 1), f"{POST}/x-mockserver-delay", '"x-mockserver-delay"'),
    ("extension", put(f"{SENT}/x-asumed", {"type": "x"}), f"{SENT}/x-asumed", '"x-asumed"'),
    ("extension", put(f"{SENT}/x-mockserver-levels", ["admin"]), f"{SENT}/x-mockserver-levels", "schema"),
    ("extension", put(f"{POST}/x-mockserver-levels", []), f"{POST}/x-mockserver-levels", "at least one"),
    ("extension", put(f"{POST}/x-mockserver-levels", ["king"]), f"{POST}/x-mockserver-levels/0", '"king"'),
    ("extension", put("/x-mockserver-levels", ["admin", "admin"]), "/x-mockserver-levels/1", "twice"),
    ("extension", drop("/x-mockserver-levels"), f"{POST}/x-mockserver-levels/0", '"admin"'),
    ("extension", put(f"{POST}/x-mockserver-effect", "boom"), f"{POST}/x-mockserver-effect", '"boom"'),
    ("extension", put(f"{NOTE}/properties/text/x-secret", True), f"{NOTE}/properties/text/x-secret", "true"),
    ("extension", put(f"{POST}/x-mockserver-behaviour", {}), f"{POST}/x-mockserver-behaviour", "handler"),
    (
        "extension",
        put(f"{POST}/x-mockserver-behaviour/rule", "a"),
        f"{POST}/x-mockserver-behaviour/rule",
        '"rule"',
    ),
    (
        "extension",
        put(f"{POST}/x-mockserver-behaviour/role", 1),
        f"{POST}/x-mockserver-behaviour/role",
        "expected text; got 1",
    ),
    (
        "extension",
        put(f"{POST}/x-mockserver-behaviour/value", "a"),
        f"{POST}/x-mockserver-behaviour/value",
        '"a"',
    ),
    *(
        ("extension", put(f"{ANSWER}/examples/stored/x-mockserver-presumes{at}", value), place, message)
        for at, value, below, message in [
            ("", [], "", "must be an object"),
            ("/time", 1, "/time", '"time"'),
            ("/clock", "noon", "/clock", '"noon"'),
            ("/clock", True, "/clock", "true"),
            ("/identity", 1, "/identity", "user name"),
            ("/seed", 1, "/seed", "overlay"),
            ("/calls", "add/one", "/calls", "list"),
            ("/calls", [1], "/calls/0", "text"),
            ("/calls", ["sub/one"], "/calls/0", '"sub"'),
            ("/calls", ["add/two"], "/calls/0", '"two"'),
        ]
        for place in [f"{ANSWER}/examples/stored/x-mockserver-presumes{below}"]
    ),
    (
        "extension",
        put(f"{BODY}/examples/one/x-mockserver-presumes", {"clock": 1}),
        f"{BODY}/examples/one/x-mockserver-presumes",
        "example of a response",
    ),
    (
        "extension",
        put(f"{BODY}/examples/one/x-mockserver-response", 5),
        f"{BODY}/examples/one/x-mockserver-response",
        "name of a response example",
    ),
    *(
        ("extension", put(f"{ANSWER}/examples/stored/x-mockserver-stripped", value), STRIPPED, "list of JSON pointers")
        for value in ("/text", [], [1], ["text"])
    ),
    *(
        ("example", put(f"{ANSWER}/examples/stored/x-mockserver-stripped", [value]), f"{STRIPPED}/0", f'"{value}"')
        for value in ("/words", "/text/0")
    ),
    *(
        ("extension", put(f"{POST}/responses/200/links", {"read": LINK | {SHOWS: value}}), place, message)
        for value, below, message in [
            ([], "", "must map JSON pointers"),
            ({}, "", "must map JSON pointers"),
            ({"text": 1}, "/text", "not a JSON pointer"),
            ({"/text": "$request.body/text"}, "/~1text", '"$request.body/text"'),
            ({"/{$request.form.a}": 1}, "/~1{$request.form.a}", '"$request.form.a"'),
        ]
        for place in [f"{POST}/responses/200/links/read/{SHOWS}{below}"]
    ),
    # what only the loader sees
    ("contract", put("/paths/notes", {}), "/paths/notes", "slash"),
]


@pytest.mark.parametrize(
    ("rule", "mutation", "pointer", "words"),
    MISTAKES,
    ids=[f"{number}-{rule}-{pointer}" for number, (rule, _, pointer, _) in enumerate(MISTAKES)],
)
def test_a_mistake_is_found_and_placed(
    lint_of: Callable[[Any], list[LintFinding]], rule: str, mutation: Mutation, pointer: str, words: str
) -> None:
    findings = lint_of(mutated(mutation))
    matching = [finding for finding in findings if (finding.rule, finding.pointer) == (rule, pointer)]
    assert matching, "\n".join(map(str, findings))
    assert any(words in str(finding) for finding in matching), "\n".join(map(str, matching))
    assert all(finding.remedy for finding in findings)


ALLOWED: dict[str, Mutation] = {
    "a link that says what is seen where it leads": put(
        f"{POST}/responses/200/links",
        {"read": LINK | {SHOWS: {"/{$request.body#/text}/*/b": "$request.body", "/status": "done"}}},
    ),
    "a documented request that is refused, with the error that answers it": REFUSED,
    "a contract without any marks is documented throughout": lambda data: _drop_marks(data),
    "a null that OpenAPI 3.0 calls nullable": both(
        put("/openapi", "3.0.3"),
        put(f"{NOTE}/properties/text", {"type": "string", "nullable": True, "enum": ["a"], "example": None}),
    ),
    "a null where nothing is listed": both(
        put("/openapi", "3.0.3"),
        put(f"{NOTE}/properties/text", {"type": "string", "nullable": True, "example": None}),
    ),
    "an exclusive bound of OpenAPI 3.0": both(
        put("/openapi", "3.0.3"),
        put(
            f"{NOTE}/properties/text",
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "example": 2},
        ),
        put(f"{ANSWER}/examples/stored/value", {}),
    ),
    "a bound of OpenAPI 3.0 that is said not to be exclusive": both(
        put("/openapi", "3.0.3"),
        put(
            f"{NOTE}/properties/text",
            {"type": "integer", "maximum": 1, "exclusiveMaximum": False, "example": 1},
        ),
        put(f"{ANSWER}/examples/stored/value", {}),
    ),
    "members beside a reference in OpenAPI 3.0": both(
        put("/openapi", "3.0.3"),
        drop(f"{NOTE}/properties/text/examples"),
        put(f"{NOTE}/properties/parent/example", "ignored"),
    ),
    "a writeOnly property that is required, missing in a response": put(f"{ANSWER}/schema", {"$ref": f"#{SENT}"}),
    "a writeOnly property in the example of a schema": put(f"{SENT}/examples", [{"text": "a", "password": "b"}]),
    "a schema example without its writeOnly property": put(f"{SENT}/examples", [{"text": "a"}]),
    "a readOnly property in the example of a schema": put(f"{SENT}/properties/id", {"readOnly": True, "default": 1}),
    "an example that stands elsewhere": both(
        put(f"{ANSWER}/examples/stored", {"externalValue": "https://notes.example/1.json"}),
        drop(f"{BODY}/examples"),
    ),
    "names that only contain the letters of a secret": put(
        f"{NOTE}/properties/monkey", {"type": "object", "properties": {"keyboard": {"type": "string"}}}
    ),
    "a number that has a secret's name": put(f"{NOTE}/properties/max_token", {"type": "integer"}),
    "a time that has a secret's name": put(f"{NOTE}/properties/token_end", {"type": "string", "format": "date-time"}),
    "a secret that is not part of what is said": put(
        f"{NOTE}/not", {"required": ["otp"], "properties": {"otp": {"type": "string"}}}
    ),
    "an object that has a secret's name, and none inside": put(
        f"{NOTE}/properties/token", {"properties": {"length": {"type": "integer"}}}
    ),
    "a boolean schema": put(f"{NOTE}/properties/token", True),
    "a header that gives a token out": put(
        f"{POST}/responses/200/headers/X-Auth-Token",
        {"x-secret": "issued", "schema": {"x-source": "page", "type": "string"}},
    ),
    "a value that the documentation lacks": put(STRIPPED, ["/text"]),
    "an effect that ends credentials": put(f"{POST}/x-mockserver-effect", "credentials"),
    "an extension of somebody else": put(f"{POST}/x-vendor", 1),
    "no example in a successful response without content": both(
        drop(f"{POST}/responses/200/content"), drop(f"{BODY}/examples/one/x-mockserver-response")
    ),
    "an answer to a request whose content is optional": both(
        put(f"{POST}/requestBody/required", False),
        drop(f"{BODY}/examples"),
        put(f"{ANSWER}/examples/stored/x-mockserver-presumes/calls", []),
    ),
    "an unpaired example of an error": put(
        f"{POST}/responses/404",
        {
            "description": "none",
            "x-source": "page",
            "content": {"text/plain": {"examples": {"gone": {"value": "gone"}}}},
        },
    ),
    "a piece of XML as text": put(
        f"{POST}/requestBody/content/application~1xml",
        {
            "schema": {"x-source": "page", "type": "object"},
            "examples": {"xml": {"value": "<a/>", "x-mockserver-response": "stored"}},
        },
    ),
    "a presumption of somebody else who calls": put(
        f"{ANSWER}/examples/stored/x-mockserver-presumes/identity", "reader"
    ),
    "a presumption without the name of an example": put(
        f"{ANSWER}/examples/stored/x-mockserver-presumes", {"calls": ["add"]}
    ),
    "a behaviour of a resource": put(
        f"{POST}/x-mockserver-behaviour",
        {"handler": "resource", "role": "create", "resource": "/a", "identifier": "id", "parameter": "b", "items": "/c"}
        | {"answers": False, "keys": {"dId": "/d"}},
    ),
    "a behaviour that says how it is known": put(f"{POST}/x-mockserver-behaviour/x-assumed", "guessed"),
    "one schema of a kind that refers to itself": put(f"{NOTE}/items", {"$ref": f"#{NOTE}"}),
}


def _drop_marks(data: Any) -> None:
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        _drop_marks(value)
    for mark in ("x-source", "x-assumed"):
        if isinstance(data, dict):
            data.pop(mark, None)


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_right_has_no_finding(lint_of: Callable[[Any], list[LintFinding]], case: str) -> None:
    findings = lint_of(mutated(ALLOWED[case]))
    assert [str(finding) for finding in findings] == []


def test_in_a_webhook_the_server_sends_the_request(lint_of: Callable[[Any], list[LintFinding]]) -> None:
    data = copy.deepcopy(CLEAN)
    operation = copy.deepcopy(data["paths"]["/notes/"]["post"]) | {"operationId": "called"}
    data["webhooks"] = {"added": {"post": operation}}
    assert lint_of(data) == []
    data["paths"]["/notes/"]["post"]["callbacks"] = {"done": {"{$url}": {"post": operation}, "x-note": {}}}
    assert [finding for finding in lint_of(data) if finding.rule != "openapi"] == []


def test_elements_of_the_wrong_type_are_passed_over(lint_of: Callable[[Any], list[LintFinding]]) -> None:
    broken = {
        "openapi": "3.1.0",
        "info": [],
        "paths": {"/": {"get": {"responses": {"200": 5}, "parameters": [3]}}},
    }
    assert {finding.rule for finding in lint_of(broken)} <= {"openapi", "contract", "reference"}


def test_presumed_calls_of_an_unreadable_contract_are_left_alone(
    lint_of: Callable[[Any], list[LintFinding]],
) -> None:
    data = mutated(put("/paths/notes", {}))
    assert all(finding.rule != "extension" for finding in lint_of(data))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("swagger: '1.2'\n", 1, "`openapi`"),
        ("openapi: 3.1.0\npaths: [\n", 3, "not valid YAML"),
        ("- 1\n", 1, "not an object"),
        ("openapi: 3.1.0\nx: &a {k: 1}\nx: 2\n", 3, "twice"),
    ],
)
def test_an_unusable_file_is_one_finding(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    (finding,) = lint(path)
    assert (finding.rule, finding.file, finding.line) == ("contract", str(path), line)
    assert words in str(finding)


def test_a_missing_file_is_one_finding(tmp_path: Path) -> None:
    (finding,) = lint(tmp_path / "none.yaml")
    assert finding.rule == "contract"
    assert str(finding).startswith(f"{tmp_path / 'none.yaml'}:1: /: ")


def test_findings_stand_in_the_order_of_the_file_with_their_lines(tmp_path: Path) -> None:
    data = mutated(both(put(f"{ANSWER}/examples/stored/value/x", 5), drop(f"{POST}/x-source")))
    path = tmp_path / "contract.yaml"
    text = yaml.safe_dump(data, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    findings = lint(str(path))
    lines = [finding.line for finding in findings]
    assert lines == sorted(lines)
    lacking = next(finding for finding in findings if finding.pointer == POST)
    assert text.splitlines()[lacking.line - 1].strip() == "post:"
    assert str(lacking).startswith(f"{path}:{lacking.line}: {POST}: ")


def test_schemas_that_share_parts_over_and_over_are_walked_once() -> None:
    shared: dict[str, Any] = {"type": "object"}
    for _ in range(60):
        shared = {"allOf": [shared, shared]}
    assert len(list(walk({"components": {"schemas": {"Deep": shared}}}))) == 63


def test_nothing_is_fetched_for_a_remote_reference(
    lint_of: Callable[[Any], list[LintFinding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("lint opened a URL")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    findings = lint_of(mutated(put(f"{ANSWER}/schema", {"$ref": "http://127.0.0.1:9/Note.json"})))
    assert "reference" in {finding.rule for finding in findings}


def test_the_documentation_lists_every_rule_and_extension() -> None:
    text = (Path(__file__).parents[3] / "docs" / "contract.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", text, flags=re.MULTILINE))
    assert rows == {rule for rule, *_ in MISTAKES} | {"overlay"} | EXTENSIONS | {"x-secret"} | {
        mark for _, mark in MARKS
    }
