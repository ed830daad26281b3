"""Direction of `readOnly` and `writeOnly`, and violations with their place in value and contract."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import Schemas, Validator

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "password": {"type": "string", "writeOnly": True},
        "both": {"readOnly": False, "writeOnly": False},
        "inner": {"$ref": "#/components/schemas/Inner"},
    },
}
DATA = {"components": {"schemas": {"Outer": SCHEMA, "Inner": {"properties": {"key": {"writeOnly": True}}}}}}
OUTER = "/components/schemas/Outer"


def _validator(direction: Direction) -> Validator:
    return Schemas(DATA).validator(OUTER, direction)


@pytest.mark.parametrize(
    ("value", "request_ok", "response_ok"),
    [
        ({}, True, True),
        ({"id": 1}, False, True),
        ({"password": "p"}, True, False),
        ({"both": 1}, True, True),
        ({"inner": {"key": 1}}, True, False),
        ({"id": "x"}, False, False),
    ],
)
def test_each_direction_forbids_its_own(value: Any, *, request_ok: bool, response_ok: bool) -> None:
    for direction, expected in (("request", request_ok), ("response", response_ok)):
        validator = _validator(direction)  # type: ignore[arg-type]  # a literal of the two
        assert validator.is_valid(value) is expected
        assert (list(validator.violations(value)) == []) is expected


def test_a_violation_knows_its_place_in_value_and_contract() -> None:
    (found,) = _validator("response").violations({"inner": {"key": 1}})
    assert found.instance_path == ("inner", "key")
    assert found.keyword == "writeOnly"
    assert found.keyword_pointer == "/components/schemas/Inner/properties/key/writeOnly"


def test_every_missing_and_unknown_name_is_found() -> None:
    schema = {"required": ["a", "b", "c"], "properties": {"b": {}}, "additionalProperties": False}
    found = list(Schemas({"s": schema}).validator("/s", "request").violations({"x": 1, "y": 2, "b": 3}))
    assert sorted(name for each in found for name in each.missing) == ["a", "c"]
    assert sorted(name for each in found for name in each.unknown) == ["x", "y"]


def test_a_schema_is_compiled_once() -> None:
    schemas = Schemas(DATA)
    assert schemas.validator(OUTER, "request") is schemas.validator(OUTER, "request")
    assert schemas.validator(OUTER, "request") is not schemas.validator(OUTER, "response")


def test_places_that_only_refer_share_a_validator() -> None:
    data = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/c"}, "c": {"type": "integer"}}
    schemas = Schemas(data)
    assert (
        schemas.validator("/a", "request") is schemas.validator("/b", "request") is schemas.validator("/c", "request")
    )
    (found,) = schemas.validator("/a", "request").violations("x")
    assert found.keyword_pointer == "/c/type"


def test_many_may_ask_at_once() -> None:
    schemas = Schemas(DATA)
    together = threading.Barrier(8)
    answers: list[bool] = []

    def ask() -> None:
        together.wait()
        answers.append(schemas.validator(OUTER, "request").is_valid({"password": "p"}))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 8


def test_a_discriminators_name_decides_for_requests_and_answers_keep_to_the_letter(
    write_contract: Callable[..., Path],
) -> None:
    """Two branches take the same value: what is sent to us is known by its name, what we send is judged by others."""
    branch = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    either = {
        "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"a": "#/components/schemas/A", "b": "#/components/schemas/B"},
        },
    }
    contract = load_contract(write_contract({}, components={"schemas": {"A": branch, "B": branch, "Either": either}}))
    assert contract.validator("/components/schemas/Either", "request").is_valid({"kind": "a"})
    assert not contract.validator("/components/schemas/Either", "response").is_valid({"kind": "a"})


BRANCHES = {
    "oneOf": [
        {"type": "object", "required": ["by", "text"], "properties": {"by": {"type": "string", "pattern": "^(?!size$)"},
         "text": {"type": "string"}}},
        {"type": "object", "required": ["by", "kilobytes"], "properties": {"by": {"const": "size"},
         "kilobytes": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+$"}]}}},
    ]
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"by": "name", "text": 5}, [(("text",), "type")]),
        ({"by": "name"}, [((), "required")]),
        ({"by": "size", "kilobytes": -1, "text": 5}, [(("kilobytes",), "minimum")]),
        ({"by": "size", "kilobytes": "many", "text": 5}, [(("kilobytes",), "pattern")]),
        # Nothing tells which one is meant.
        ({"by": "size", "kilobytes": None, "text": 5}, [(("kilobytes",), "anyOf")]),
        (5, [((), "oneOf")]),
        ({"by": "size", "kilobytes": 5}, []),
    ],
)
def test_below_branches_the_nearest_one_is_told(value: Any, told: Any) -> None:
    validator = Schemas({"components": {"schemas": {"Outer": BRANCHES}}}).validator(OUTER, "request")
    assert [(one.instance_path, one.keyword) for one in validator.nearest_violations(value)] == told
    assert len(list(validator.violations(value))) == bool(told)
