"""`contract_tests`: one run of the suite in somebody's own pytest, a test for each operation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import clean_environment

ITEM = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 20}}}
ANSWER = {"description": "d", "content": {"application/json": {"schema": ITEM}}}
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/good": {"get": {"responses": {"200": ANSWER}}},
        "/bad": {"get": {"responses": {"200": ANSWER}}},
        "/left": {"get": {"deprecated": True, "responses": {"200": ANSWER}}},
        "/closed": {"get": {"security": [{"key": []}], "responses": {"200": ANSWER, "401": {"description": "who?"}}}},
    },
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
}
TESTS = """
import pytest
from fastapi import FastAPI, HTTPException
from flask import Flask, abort

from mockserver.testing import contract_tests

made = []

@pytest.fixture
def flask_app():
    made.append(1)
    app = Flask(__name__)
    app.get("/good", endpoint="good")(lambda: {"name": "a"})
    app.get("/bad", endpoint="bad")(lambda: {"name": 7})
    app.get("/closed", endpoint="closed")(lambda: abort(401))
    yield app
    made.pop()

asgi = FastAPI()

@asgi.get("/good")
async def good():
    return {"name": "a"}

@asgi.get("/bad")
async def bad():
    raise ValueError("no")

@asgi.api_route("/good", methods=["DELETE"], status_code=500)
async def crash():
    return {}

@asgi.get("/closed")
async def closed():
    raise HTTPException(401)

same = {"contract": "contract.json", "skip_deprecated": True, "oracle": False}
test_flask = contract_tests("flask_app", **same)
test_asgi = contract_tests(asgi, command="fuzz", max_examples=1, only=["GET /bad", "GET /good"], **same)
test_fixture = contract_tests("no_such_fixture", only=["GET /good"], **same)
test_text = contract_tests("no app", only=["GET /good"], **same)

def test_fixtures_are_taken_down():
    assert made == []
"""


def test_each_operation_has_its_test(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT), encoding="utf-8")
    (tmp_path / "test_api.py").write_text(TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=tmp_path,
        env=clean_environment(PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        check=False,
    )
    results = dict(
        reversed(line) for line in re.findall(r"^([A-Z]+) test_api.py::(test_\w+\[[^\]]+\])", done.stdout, re.M)
    )
    expected = {
        "test_flask[GET /good]": "PASSED",
        "test_flask[GET /bad]": "FAILED",
        "test_flask[everything else]": "PASSED",
        "test_asgi[GET /good]": "PASSED",
        "test_asgi[GET /bad]": "FAILED",
        "test_asgi[everything else]": "FAILED",
        "test_fixture[GET /good]": "FAILED",
        "test_text[GET /good]": "FAILED",
    }
    assert expected.items() <= results.items(), done.stdout
    assert not any("left" in name for name in results)
    assert "PASSED test_api.py::test_fixtures_are_taken_down" in done.stdout
    told = done.stdout.partition("test_flask[GET /bad] _")[2].lstrip("_").partition("_____")[0]
    assert "a finding on GET /bad" in told
    assert "/name of a 200 breaks type  [body_conforms_to_its_schema]" in told
    assert "  > GET /bad\n" in told
    assert '  < {"name":7}\n' in told
    assert "curl" not in done.stdout
    assert "Traceback" not in told
