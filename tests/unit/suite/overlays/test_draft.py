"""What operations share stays as it is for those that an edit is not about."""

from __future__ import annotations

import copy
from typing import Any

from mockserver.suite.overlays.draft import Draft, member_ways

REFUSED = {"$ref": "#/components/responses/Refused"}
BASE: dict[str, Any] = {
    "paths": {
        "/a": {"get": {"responses": {"401": REFUSED}}, "put": {"responses": {"401": REFUSED}}},
        "/b": {"get": {"responses": {"401": REFUSED}}},
    },
    "components": {
        "responses": {
            "Refused": {"description": "no", "content": {"x/y": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        },
        "schemas": {
            "Problem": {"properties": {"status": {"$ref": "#/components/schemas/Status"}}},
            "Status": {"maximum": 599},
        },
    },
}
OPERATIONS = {"GET /a": "/paths/~1a/get", "PUT /a": "/paths/~1a/put", "GET /b": "/paths/~1b/get"}
WAY = ["content", "x/y", "schema", "properties", "status"]


def edited(*labels: str, maximum: int = 600) -> Draft:
    draft = Draft(BASE, "today, here")
    for label in labels:
        draft.at(OPERATIONS[label], ["responses", "401", *WAY], label)["maximum"] = maximum
    draft.share()
    return draft


def resolved(data: dict[str, Any], label: str) -> Any:
    value: Any = data
    for name in ["paths", label.partition(" ")[2], label.partition(" ")[0].lower(), "responses", "401", *WAY]:
        value = value[name]
        while "$ref" in value:
            _, _, section, component = value["$ref"].split("/")
            value = data["components"][section][component]
    return value


def test_the_way_to_a_component_leads_through_references() -> None:
    draft = Draft(BASE, "")
    start = "/paths/~1a/get/responses/401"
    assert list(draft.routes(start, "/components/schemas/Status")) == [WAY]
    assert list(draft.routes(start, f"{start}/description")) == [["description"]]
    assert list(draft.routes("/components/schemas/Status", "/components/responses/Refused")) == []


def test_an_edit_for_one_operation_leaves_the_others_alone() -> None:
    before = copy.deepcopy(BASE)
    draft = edited("GET /a")
    assert [resolved(draft.data, label)["maximum"] for label in OPERATIONS] == [600, 599, 599]
    assert draft.data["paths"]["/a"]["get"]["responses"]["401"] == {"$ref": "#/components/responses/RefusedSeen"}
    assert before == BASE


def test_what_several_came_to_is_one_component() -> None:
    draft = edited("GET /a", "GET /b")
    assert set(draft.data["components"]["responses"]) == {"Refused", "RefusedSeen"}
    assert set(draft.data["components"]["schemas"]) == {"Problem", "ProblemSeen", "Status", "StatusSeen"}
    assert draft.shared["/components/schemas/StatusSeen"] == ["GET /a", "GET /b"]


def test_what_all_came_to_is_said_where_it_stands() -> None:
    draft = edited(*OPERATIONS)
    assert draft.data["paths"] == BASE["paths"]
    assert draft.data["components"]["schemas"]["Status"] == {"maximum": 600}
    assert set(draft.data["components"]["schemas"]) == {"Problem", "Status"}


def test_different_edits_become_different_components() -> None:
    draft = Draft(BASE, "")
    for label, maximum in (("GET /a", 600), ("PUT /a", 700)):
        draft.at(OPERATIONS[label], ["responses", "401", *WAY], label)["maximum"] = maximum
    draft.share()
    assert [resolved(draft.data, label)["maximum"] for label in OPERATIONS] == [600, 700, 599]


def test_a_look_changes_nothing() -> None:
    draft = Draft(BASE, "")
    draft.at(OPERATIONS["GET /a"], ["responses", "401", *WAY], "GET /a")
    draft.share()
    assert draft.data == BASE


def test_a_schema_that_refers_to_itself_has_an_end() -> None:
    base: dict[str, Any] = {"paths": {"/a": {"get": {"schema": {"$ref": "#/components/schemas/Node"}}}}}
    base |= {"components": {"schemas": {"Node": {"properties": {"next": {"$ref": "#/components/schemas/Node"}}}}}}
    draft = Draft(base, "")
    assert list(draft.routes("/paths/~1a/get", "/components/schemas/Node/properties")) == [["schema", "properties"]]
    draft.at("/paths/~1a/get", ["schema"], "GET /a")["maxProperties"] = 1
    draft.share()
    assert draft.data["components"]["schemas"]["NodeSeen"]["maxProperties"] == 1


def test_a_member_is_found_through_references_and_all_branches() -> None:
    data = {
        "whole": {"allOf": [{"$ref": "#/part"}, {"properties": {"b": {}}}], "properties": {"a": {"type": "object"}}},
        "part": {"properties": {"a": {"$ref": "#/inner"}}},
        "inner": {"properties": {"c": {}}},
    }
    assert list(member_ways(data, "/whole", ["a"])) == [["properties", "a"], ["allOf", "0", "properties", "a"]]
    assert list(member_ways(data, "/whole", ["a", "c"])) == [["allOf", "0", "properties", "a", "properties", "c"]]
    assert list(member_ways(data, "/whole", ["z"])) == []
