"""What refusals of usual frameworks say about a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.suite.survey.refusals import affixes, bounds, choices, complaints, kinds
from mockserver.suite.target.exchange import WireResponse

NAMES = {"name", "kind", "size", "email", "title"}


def read(content: Any) -> list[tuple[tuple[str, ...], set[str]]]:
    text = content if isinstance(content, str) else json.dumps(content)
    media_type = "text/plain" if isinstance(content, str) else "application/json"
    response = WireResponse(400, (("Content-Type", media_type),), text.encode())
    return [(one.place, kinds(one)) for one in complaints(response, NAMES)]


@pytest.mark.parametrize(
    "content",
    [
        {"detail": [{"loc": ["body", "name"], "msg": "Field required", "type": "missing"}]},  # FastAPI
        {"errors": [{"source": {"pointer": "/data/name"}, "detail": "name is missing"}]},  # JSON:API
        {"name": ["This field is required."]},  # Django REST framework
        {"errors": {"name": ["can't be blank"]}},  # Rails
        {"error": {"details": [{"path": "", "code": "required", "info": {"missingProperty": "name"}, "message": "x"}]}},
        {"errors": [{"instancePath": "/name", "message": "must not be null"}]},  # ajv
        {"details": [{"location": "body", "name": "data.name", "description": "data.name in body: Required"}]},  # Kinto
    ],
    ids=["pydantic", "json:api", "django", "rails", "loopback", "ajv", "kinto"],
)
def test_a_missing_member_is_understood(content: Any) -> None:
    found = read(content)
    assert any(place[-1:] in {("name",), ()} and "missing" in told for place, told in found), found


def test_plain_text_is_one_complaint() -> None:
    assert read("Key 'name' not present") == [((), {"missing"})]


def _only(text: str, **context: Any) -> Any:
    content = {"detail": [{"loc": ["body", "size"], "msg": text, "ctx": context}]}
    response = WireResponse(422, (("Content-Type", "application/json"),), json.dumps(content).encode())
    (complaint,) = complaints(response, NAMES)
    return complaint


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ("Input should be greater than or equal to 5", {"ge": 5}, (5, None)),
        ("must be >= 3", {}, (3, None)),
        ("must be between 2 and 8", {}, (2, 8)),
        ("String should have at most 12 characters", {"max_length": 12}, (None, 12)),
        ("must be less than 10", {}, (None, 9)),
        ("is wrong", {}, (None, None)),
    ],
)
def test_bounds_are_read(text: str, context: Any, expected: Any) -> None:
    assert bounds(_only(text, **context)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("must be one of: red, green or blue", ["red", "green", "blue"]),
        ('value is not a valid enumeration member; permitted: "a", "b"', ["a", "b"]),
        ("Input should be one of ['x', 'y']", ["x", "y"]),
    ],
)
def test_allowed_values_are_read(text: str, expected: list[str]) -> None:
    assert choices(_only(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DNS name 'a' is not canonical", ("", ".")),
        ("must start with 'x-'", ("x-", "")),
        ("must end with a slash", ("", "/")),
    ],
)
def test_beginnings_and_ends_are_read(text: str, expected: tuple[str, str]) -> None:
    assert affixes(_only(text)) == expected
