"""What schemathesis writes in each style is read as it was meant: by schemas that refuse any other reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from requests import Request

from tests.conftest import Client

STYLES = [
    *(("path", style, explode) for style in ("simple", "label", "matrix") for explode in (False, True)),
    *(("query", "form", explode) for explode in (False, True)),
    *(("query", style, False) for style in ("spaceDelimited", "pipeDelimited")),
    ("query", "deepObject", True),
    *(("header", "simple", explode) for explode in (False, True)),
    ("cookie", "form", False),
]
WORD = {"type": "string", "pattern": "^[a-z]{1,4}$"}
ARRAY = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 4}
OBJECT = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "w": WORD, "b": {"type": "boolean"}},
    "required": ["n", "w", "b"],
    "additionalProperties": False,
}
NO_OBJECTS = {"spaceDelimited", "pipeDelimited"}


def _forms(style: str) -> dict[str, Any]:
    forms = {"plain": {"type": "integer"}, "list": ARRAY, "object": OBJECT}
    if style == "deepObject":
        return {"object": OBJECT}
    return {"list": ARRAY} if style in NO_OBJECTS else forms


@pytest.mark.parametrize(
    ("location", "style", "explode", "name"),
    [(*style, name) for style in STYLES for name in _forms(style[1])],
)
def test_what_schemathesis_writes(
    make_stub: Callable[..., Client],
    write_contract: Callable[..., Path],
    location: str,
    style: str,
    explode: bool,
    name: str,
) -> None:
    schema = _forms(style)[name]
    parameter = {"name": name, "in": location, "style": style, "explode": explode, "schema": schema, "required": True}
    path = f"/a/{{{name}}}" if location == "path" else "/a"
    contract = write_contract({path: {"get": {"parameters": [parameter], "responses": {"200": {"description": ""}}}}})
    client = make_stub(contract)
    operation = schemathesis.openapi.from_path(contract)[path]["GET"]

    @given(operation.as_strategy())
    @settings(max_examples=10, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        arguments = case.as_transport_kwargs(base_url="http://stub.example")
        known = {key: arguments.get(key) for key in ("method", "url", "headers", "params", "cookies")}
        request = Request(**known).prepare()
        fields = {
            key: item if isinstance(item, str) else item.decode("latin-1") for key, item in request.headers.items()
        }
        answer = client.call("GET", request.path_url, user=None, fields=fields)
        assert answer.status == 200, (answer.content, request.path_url, fields)

    check()
