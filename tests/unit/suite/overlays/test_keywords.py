"""What becomes of each keyword when values that break it were seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.schema.direction import Direction
from mockserver.suite.overlays.keywords import refute

STAMP = "2026-11-25, http://127.0.0.1"


def seen(tmp_path: Path, schema: dict[str, Any], keyword: str, *values: Any, **how: Any) -> dict[str, Any]:
    """Return a schema after values that break a keyword of it were seen."""
    path = tmp_path / "contract.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"S": schema}}}))
    direction: Direction = how.pop("direction", "request")
    validator = load_contract(path).validator("/components/schemas/S", direction)
    found = [one for value in values for one in validator.violations(value) if one.keyword == keyword]
    assert found, "no value breaks the keyword"
    refute(schema, keyword, found, direction=direction, stamp=STAMP, again=how.pop("again", False))
    return schema


@pytest.mark.parametrize(
    ("schema", "keyword", "values", "loosened"),
    [
        ({"minimum": 1}, "minimum", (0, -1), {"minimum": -1}),
        ({"maximum": 65535}, "maximum", (65536, 70000, 1), {"maximum": 70000}),
        ({"minLength": 2}, "minLength", ("", "a"), {"minLength": 0}),
        ({"maxLength": 1}, "maxLength", ("abc", "ab"), {"maxLength": 3}),
        ({"maxItems": 1}, "maxItems", ([1, 2, 3],), {"maxItems": 3}),
        ({"minProperties": 1}, "minProperties", ({},), {"minProperties": 0}),
        ({"type": "integer"}, "type", ("7", None), {"type": ["integer", "null", "string"]}),
        ({"type": "integer"}, "type", (1.5,), {"type": "number"}),
        ({"type": ["integer", "null"]}, "type", (True,), {"type": ["boolean", "integer", "null"]}),
        ({"required": ["a", "b", "c"]}, "required", ({"a": 1}, {"a": 1, "b": 1}), {"required": ["a"]}),
        ({"additionalProperties": False}, "additionalProperties", ({"x": 1},), {"additionalProperties": True}),
        ({"enum": [1, 2]}, "enum", (3, "4"), {"enum": [1, 2, 3, "4"]}),
    ],
)
def test_a_request_s_keyword_allows_what_was_accepted(
    tmp_path: Path, schema: dict[str, Any], keyword: str, values: tuple[Any, ...], loosened: dict[str, Any]
) -> None:
    assert seen(tmp_path, schema, keyword, *values) == {**loosened, "x-observed": {keyword: STAMP}}


@pytest.mark.parametrize(
    ("schema", "keyword", "value"),
    [({"pattern": "^a$"}, "pattern", "b"), ({"const": 1}, "const", 2), ({"multipleOf": 5}, "multipleOf", 3)],
)
def test_what_has_no_looser_form_goes(tmp_path: Path, schema: dict[str, Any], keyword: str, value: Any) -> None:
    schema |= {"x-assumed": {keyword: "a guess"}, "title": "stays"}
    assert seen(tmp_path, schema, keyword, value) == {"title": "stays", "x-observed": STAMP}


@pytest.mark.parametrize(
    ("schema", "keyword", "value"),
    [({"minimum": 0}, "minimum", -1), ({"enum": [1]}, "enum", 2), ({"type": "null"}, "type", 1)],
)
def test_what_is_refuted_again_is_given_up(tmp_path: Path, schema: dict[str, Any], keyword: str, value: Any) -> None:
    assert keyword not in seen(tmp_path, schema, keyword, value, again=True)


def test_members_that_an_answer_has_besides_are_named_with_their_types(tmp_path: Path) -> None:
    schema: dict[str, Any] = {"additionalProperties": False, "properties": {"a": {}}}
    found = seen(tmp_path, schema, "additionalProperties", {"a": 1, "by": "x"}, {"by": None}, direction="response")
    assert found["additionalProperties"] is False
    assert found["properties"] == {"a": {}, "by": {"type": ["null", "string"], "x-observed": STAMP}}


def test_members_without_number_are_all_allowed(tmp_path: Path) -> None:
    value = {f"member{number}": 1 for number in range(50)}
    schema: dict[str, Any] = {"additionalProperties": False, "properties": {"a": {}}}
    assert seen(tmp_path, schema, "additionalProperties", value, direction="response")["additionalProperties"] is True


def test_a_constant_of_an_answer_becomes_a_list(tmp_path: Path) -> None:
    schema = {"const": "applying", "x-assumed": {"const": "a guess"}}
    found = seen(tmp_path, schema, "const", "applied", direction="response")
    assert found["enum"] == ["applying", "applied"]
    assert "const" not in json.dumps(found)


def test_a_long_text_is_not_written_down(tmp_path: Path) -> None:
    found = seen(tmp_path, {"const": "applying"}, "const", "x" * 100, direction="response")
    assert "x" * 100 not in json.dumps(found)
