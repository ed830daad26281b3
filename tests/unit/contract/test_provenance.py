"""Which mark covers which element (docs/contract.md, `Provenance`)."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.provenance import ProvenanceResolver, schema_root

DOCUMENT: dict[str, Any] = {
    "x-source": "root",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "x-source": "page",
                "x-assumed": {"responses": {"401": "no word of it"}, "summary": "made up"},
                "summary": "s",
                "parameters": [{"name": "n", "in": "query", "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "d",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "x-assumed": {"required": "all examples have it"},
                                    "required": ["a"],
                                    "properties": {
                                        "a": {"x-observed": "2026, staging", "type": "string", "minLength": 1},
                                        "x-source": {"type": "integer"},
                                        "properties": {"type": "string"},
                                    },
                                },
                                "examples": {"one": {"value": {"x-source": "no mark, a value"}}},
                            }
                        },
                    },
                    "401": {"description": "d"},
                    "404": {"x-observed": "seen", "description": "d"},
                },
            }
        },
        "x-assumed": {"get": {}},
    },
    "components": {
        "schemas": {
            "Marked": {
                "x-source": "schema page",
                "x-assumed": {"maximum": "16 bits", "properties": {"q": {"type": "guess"}}},
                "maximum": 5,
                "type": "integer",
                "properties": {"q": {"type": "string"}, "r": {"type": "string"}},
            },
            "Bare": {"type": "string"},
        }
    },
}
GET = "/paths/~1a/get"
SCHEMA = f"{GET}/responses/200/content/application~1json/schema"


@pytest.mark.parametrize(
    ("pointer", "kind", "reason"),
    [
        ("", "source", "root"),
        ("/info/title", "source", "root"),
        (f"{GET}/operationId", "source", "page"),
        (f"{GET}/summary", "assumed", "made up"),
        (f"{GET}/responses/200", "source", "page"),
        (f"{GET}/responses/200/description", "source", "page"),
        (f"{GET}/responses/401", "assumed", "no word of it"),
        (f"{GET}/responses/401/description", "assumed", "no word of it"),
        (f"{GET}/responses/404", "observed", "seen"),
        # A mark of the operation does not reach into schemas.
        (f"{GET}/parameters/0/required", "source", "page"),
        (f"{GET}/parameters/0/schema/type", "assumed", "the contract does not say how this is known"),
        (f"{SCHEMA}/type", "assumed", "the contract does not say how this is known"),
        (f"{SCHEMA}/required", "assumed", "all examples have it"),
        (f"{SCHEMA}/properties/a/type", "observed", "2026, staging"),
        (f"{SCHEMA}/properties/a/minLength", "observed", "2026, staging"),
        (f"{SCHEMA}/properties/x-source/type", "assumed", "the contract does not say how this is known"),
        # A named property is no mark, though it has the name of one.
        (f"{SCHEMA}/properties/properties/type", "assumed", "the contract does not say how this is known"),
        ("/components/schemas/Marked/type", "source", "schema page"),
        ("/components/schemas/Marked/maximum", "assumed", "16 bits"),
        ("/components/schemas/Marked/properties/q/type", "assumed", "guess"),
        ("/components/schemas/Marked/properties/r/type", "source", "schema page"),
        ("/components/schemas/Bare/type", "assumed", "the contract does not say how this is known"),
        ("/nothing/at/all", "source", "root"),
    ],
)
def test_the_nearest_mark_covers(pointer: str, kind: str, reason: str) -> None:
    found = ProvenanceResolver(DOCUMENT).of(pointer)
    assert (found.kind, found.reason, found.pointer) == (kind, reason, pointer)
    assert found.documented is (kind == "source")


def test_a_contract_without_marks_is_documented_throughout() -> None:
    resolver = ProvenanceResolver({"paths": {"/a": {"get": {}}}})
    assert not resolver.marked
    assert resolver.of("/paths/~1a/get").documented


def test_a_mark_deep_inside_is_a_mark() -> None:
    assert ProvenanceResolver({"paths": {"/a": {"get": {"tags": [{"x-observed": "x"}]}}}}).marked


@pytest.mark.parametrize("value", [None, 5, [], ["x"], {"other": "x"}, {"summary": 5}, {"responses": {"200": 5}}])
def test_marks_of_a_wrong_type_are_passed_over(value: Any) -> None:
    document = {"x-source": "root", "paths": {"/a": {"get": {"x-assumed": value}}}}
    assert ProvenanceResolver(document).of("/paths/~1a/get/summary").reason == "root"


@pytest.mark.parametrize(
    ("tokens", "root"),
    [
        ([], None),
        (["components", "schemas", "A", "properties", "b"], 3),
        (["components", "responses", "schema", "content", "application/json", "schema", "items"], 6),
        (["paths", "/a", "get", "parameters", "0", "schema", "type"], 6),
        (["components", "parameters", "schema", "schema"], 4),
        (["definitions", "A", "type"], 2),
        (["info", "title"], None),
    ],
)
def test_where_a_schema_starts(tokens: list[str], root: int | None) -> None:
    assert schema_root(tokens) == root


@pytest.mark.parametrize(
    ("mark", "value", "reason"),
    [
        ("x-assumed", "closed", "nothing else is shown"),
        ("x-assumed", {"type": "closed"}, "nothing else is shown"),
        ("x-observed", "closed", "nothing else is shown"),
        ("x-assumed", "open", "open"),
        ("x-assumed", "broken", "broken"),
        ("x-source", "closed", "closed"),
    ],
)
def test_a_mark_may_name_a_reason_that_is_said_once(mark: str, value: Any, reason: str) -> None:
    document = {
        "x-mockserver-reasons": {"closed": "nothing else is shown", "broken": 5},
        "components": {"schemas": {"A": {"type": "string", mark: value}}},
    }
    assert ProvenanceResolver(document).of("/components/schemas/A/type").reason == reason


def test_what_was_observed_wins_over_what_was_assumed() -> None:
    schema = {"x-assumed": {"minimum": "a guess"}, "x-observed": {"minimum": "2026, staging"}, "minimum": 0}
    resolver = ProvenanceResolver({"components": {"schemas": {"Port": schema}}})
    assert resolver.of("/components/schemas/Port/minimum").kind == "observed"


_BEHAVIOUR = {"handler": "setting", "role": "write", "generated": True}
_LEVELS = "x-mockserver-levels"


def _operation(*, item: Any = None, **members: Any) -> ProvenanceResolver:
    operation = {"x-source": "page", "summary": "s", **members}
    return ProvenanceResolver({"x-source": "root", "paths": {"/a": {**(item or {}), "get": operation}}})


@pytest.mark.parametrize("below", ["", "/handler", "/generated"])
def test_an_extension_inherits_no_mark(below: str) -> None:
    resolver = _operation(**{"x-mockserver-behaviour": _BEHAVIOUR})
    assert resolver.of(f"{GET}/x-mockserver-behaviour{below}").kind == "assumed"
    assert resolver.of(f"{GET}/summary").documented


def test_an_extension_is_what_its_own_mark_says() -> None:
    marks = {"x-source": "page", "x-assumed": {"generated": "a guess"}}
    resolver = _operation(**{"x-mockserver-behaviour": _BEHAVIOUR | marks})
    place = f"{GET}/x-mockserver-behaviour"
    assert [resolver.of(place + below).kind for below in ("", "/role", "/generated")] == ["source", "source", "assumed"]


@pytest.mark.parametrize(
    ("item", "members"),
    [
        ({}, {"x-source": {_LEVELS: "table"}}),
        ({"x-source": {"get": {_LEVELS: "table"}}}, {}),
        ({"x-source": "no word", "x-observed": {"get": {_LEVELS: "table"}}}, {}),
    ],
)
def test_a_map_that_names_an_extension_marks_it(item: Any, members: Any) -> None:
    resolver = _operation(item=item, **{_LEVELS: ["Admin"], **members})
    assert resolver.of(f"{GET}/{_LEVELS}").reason == "table"
    assert resolver.of(f"{GET}/{_LEVELS}/0").reason == "table"
    assert resolver.of(f"{GET}/x-mockserver-objects").kind == "assumed"


def test_a_map_that_names_what_is_around_an_extension_does_not_mark_it() -> None:
    resolver = _operation(item={"x-source": {"get": "all of it"}}, **{_LEVELS: ["Admin"]})
    assert resolver.of(f"{GET}/{_LEVELS}").kind == "assumed"


@pytest.mark.parametrize("mark", [{}, {"x-source": "page"}])
def test_in_a_contract_without_marks_an_extension_is_as_sure_as_its_own(mark: dict[str, str]) -> None:
    operation = {"x-mockserver-behaviour": _BEHAVIOUR | mark, "x-source": {_LEVELS: "page"}, _LEVELS: []}
    resolver = ProvenanceResolver({"paths": {"/a": {"get": operation}}})
    assert resolver.of(f"{GET}/x-mockserver-behaviour").documented is bool(mark)
    assert resolver.of(f"{GET}/{_LEVELS}").documented
    # How sure somebody is of an extension says nothing about the contract around it.
    assert not resolver.marked
    assert resolver.of(f"{GET}/summary").documented


def test_a_property_with_the_name_of_an_extension_is_none() -> None:
    schema = {"x-source": "page", "properties": {"x-mockserver-levels": {"type": "string"}}}
    resolver = ProvenanceResolver({"components": {"schemas": {"A": schema}}})
    assert resolver.of("/components/schemas/A/properties/x-mockserver-levels").documented
