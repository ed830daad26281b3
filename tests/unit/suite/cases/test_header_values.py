"""Header fields are judged by what their text means, and by nothing that it cannot mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Session
from tests.unit.suite.conftest import answering
from tests.wsgi_target import WsgiTarget

NUMBERS = {"type": "array", "items": {"type": "number"}}
PAIR = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}}


@pytest.mark.parametrize(
    ("schema", "text", "broken"),
    [
        ({"type": "number"}, "0.056", ""),
        ({"type": "number", "maximum": 1}, "1.5e3", "maximum"),
        ({"type": "number"}, "soon", "type"),
        ({"type": "integer", "minimum": 3}, "2", "minimum"),
        ({"type": "integer"}, "2.5", "type"),
        ({"type": ["integer", "null"]}, "null", ""),
        ({"type": "boolean"}, "true", ""),
        ({"type": "boolean"}, "yes", "type"),
        ({"type": "string", "maxLength": 3}, "12345", "maxLength"),
        ({"pattern": "^a"}, "b,c", "pattern"),
        ({"enum": [1.5]}, "1.5", ""),
        (NUMBERS, "1, 2.5", ""),
        (NUMBERS, "1,x", "type"),
        ({"type": "array", "items": {"type": "string"}}, "1,2", ""),
        (PAIR, "a,1,b,true", ""),
        (PAIR, "a=1,b=false", ""),
        (PAIR, "b=true", "required"),
    ],
)
def test_fields(tmp_path: Path, schema: Any, text: str, broken: str) -> None:
    response = {"description": "", "headers": {"X-A": {"schema": schema}}}
    paths = {"/a": {"get": {"operationId": "a", "responses": {"200": response}}}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": paths}))
    run = prepare(load_contract(path), WsgiTarget(answering(200, X_A=text)), Identities(()), settle_seconds=0.0)
    session = Session(run)
    operation = run.contract.by_id["a"]
    session.call(operation, session.valid_request(operation, None))
    titles = [finding.title for finding in run.verdicts.findings() if finding.check == "headers_conform"]
    assert titles == ([f"the field X-A of a 200 breaks {broken}"] if broken else [])
