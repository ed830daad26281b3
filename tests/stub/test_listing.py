"""`mockserver examples` of any contract: what is printed returns the example, and what cannot be had is named."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.stub.app import create_app
from tests.conftest import Answer, send_to_app

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[..., Path]

NUMBER = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def _named(**values: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def _json(**members: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": members}}


def _in(location: str, name: str, *, required: bool = True, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": location, "required": required, "schema": {"type": "string"}, **more}


PATHS: dict[str, Any] = {
    "/things/{id}": {
        "get": {
            "operationId": "get",
            "parameters": [
                _in("path", "id", schema={"type": "string", "pattern": "^t-[0-9]{3}$"}),
                _in("query", "tags", schema={"type": "array", "items": {"enum": ["a b", "c&d"]}}),
                _in("header", "X-Tenant", example="it's"),
                _in("cookie", "session"),
                _in("query", "left", required=False),
            ],
            "security": [{"key": [], "basic": []}, {"bearer": []}],
            "responses": {
                "200": _json(examples=_named(one={"n": 1}, two={"n": 2}, bad={"n": "x"}), schema=NUMBER),
                "4XX": _json(example={"error": "gone"}),
                "default": _json(example={"error": "any"}),
            },
        }
    },
    "/quotes": {
        "post": {
            "operationId": "quote",
            "security": [{"bearer": []}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "examples": _named(small={"size": 1}, big={"size": 9}),
                        "schema": {"type": "object", "properties": {"size": {"type": "integer"}}},
                    }
                },
            },
            "responses": {
                "201": _json(examples=_named(small={"price": 1}, big={"price": 9})),
                "422": _json(examples=_named(**{"no such": {"why": "size"}})),
            },
        }
    },
    "/forms": {
        "post": {
            "operationId": "form",
            "requestBody": {
                "required": True,
                "content": {"application/x-www-form-urlencoded": {"schema": NUMBER}},
            },
            "responses": {"200": {"description": "", "content": {"text/csv": {"example": "a,b\n1,2"}}}},
        }
    },
    "/kinds": {
        "get": {
            "operationId": "kinds",
            "responses": {
                "200": {
                    "description": "",
                    "content": {
                        "application/json": {"example": {"n": 1}},
                        "text/plain": {"example": "one"},
                        "application/xml": {"example": "<n>1</n>"},
                    },
                }
            },
        },
        "delete": {
            "operationId": "gone",
            "responses": {
                "202": {"description": "", "content": {"code": {"example": 1}}},
                "204": _json(example={"n": 1}),
                "404": {"description": "", "examples": {"a": 1}},
            },
        },
        "put": {
            "operationId": "elsewhere",
            "responses": {
                "200": _json(
                    examples={
                        "far": {"externalValue": "https://example.com/far.json"},
                        "near": {"externalValue": "near.json"},
                    }
                )
            },
        },
    },
}
SCHEMES = {
    "key": {"type": "apiKey", "in": "query", "name": "k"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


@pytest.fixture
def contract_file(write_contract: Write, tmp_path: Path) -> Path:
    (tmp_path / "near.json").write_text('{"n": 5}', encoding="utf-8")
    return write_contract(PATHS, components={"securitySchemes": SCHEMES})


STATUSES = ("# 200", "# 201", "# 202", "# 204", "# 4XX", "# 404", "# 422", "# default")


def _blocks(text: str) -> dict[str, list[str]]:
    """Return the lines of each example by its title, status and media type."""
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines and ": " in lines[0]:
            place = next(line for line in lines if line.startswith(STATUSES))
            found[" ".join([lines[0][2:].partition(":")[0], *place[2:].split(" ")[:2]])] = lines
    return found


def _send(app: Any, line: str, url: str) -> Answer:
    words = iter(shlex.split(line))
    method, target, fields, content = "", "", {}, b""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            fields[name] = value
        elif word in {"-d", "--data-raw"}:
            content = next(words).encode()
        elif word.startswith(url):
            target = word.removeprefix(url)
    return send_to_app(app)(method, target, fields, content)


EXPECTED: dict[str, Any] = {
    "get/one 200 application/json": {"n": 1},
    "get/two 200 application/json": {"n": 2},
    "get/bad 200 application/json": {"n": "x"},
    "get/example 4XX application/json": {"error": "gone"},
    "get/example default application/json": {"error": "any"},
    "quote/small 201 application/json": {"price": 1},
    "quote/big 201 application/json": {"price": 9},
    "quote/no such 422 application/json": {"why": "size"},
    "form/example 200 text/csv": "a,b\n1,2",
    "kinds/example 200 application/json": {"n": 1},
    "kinds/example 200 text/plain": "one",
    "kinds/example 200 application/xml": "<n>1</n>",
    "elsewhere/near 200 application/json": {"n": 5},
}
UNREACHED = {
    "gone/example 204 application/json": "no content",
    "gone/example 202 code": '"code", which is not a media type',
    "gone/examples 404": "no media type",
    "elsewhere/far 200 application/json": "externalValue",
}


def test_every_printed_request_returns_its_example(contract_file: Path, command: Command) -> None:
    url = "http://127.0.0.1:9"
    done = command("examples", "--contract", str(contract_file), "--url", url)
    assert done.returncode == 0, done.stderr
    blocks = _blocks(done.stdout)
    assert set(blocks) == {*EXPECTED, *UNREACHED}, done.stdout
    app = create_app(contract_file).wsgi_app
    for title, value in EXPECTED.items():
        answers = [_send(app, line, url) for line in blocks[title] if line.startswith("curl")]
        content = answers[-1].content.decode()
        assert (json.loads(content) if isinstance(value, dict) else content) == value, title
        documented = title.rsplit(" ", 2)[1]
        assert documented in {str(answers[-1].status), f"{answers[-1].status // 100}XX", "default"}
    for title, reason in UNREACHED.items():
        assert not any(line.startswith("curl") for line in blocks[title])
        assert "cannot be reached: " in blocks[title][1]
        assert reason in blocks[title][1]
    assert "breaks its schema at /n" in "\n".join(blocks["get/bad 200 application/json"])
    assert done.stdout.endswith("# 17 examples; 4 cannot be reached, 1 break their schema\n")


def test_a_preference_stands_only_where_nothing_else_helps(contract_file: Path, command: Command) -> None:
    blocks = _blocks(command("examples", "--contract", str(contract_file)).stdout)
    preferring = {title for title, lines in blocks.items() if any("Prefer: " in line for line in lines)}
    assert preferring == {
        "get/two 200 application/json",
        "get/bad 200 application/json",
        "get/example 4XX application/json",
        "get/example default application/json",
        "quote/no such 422 application/json",
    }


def test_a_file_outside_of_the_contract_s_folder_is_not_read(
    write_contract: Write, tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('"secret"', encoding="utf-8")
    path = write_contract(
        {"/a": {"get": {"responses": {"200": _json(examples={"out": {"externalValue": "../secret.json"}})}}}}
    )
    path = path.rename(folder / "contract.json")
    told = command("examples", "--contract", str(path)).stdout
    assert "cannot be reached" in told
    assert "# 200 application/json\n" in told  # nothing of the file stands behind it
