"""The actions lead from one version of a contract to the other, whatever they are."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.reading.document import load_document
from mockserver.contract.source.overlay import write_overlay
from mockserver.suite.overlays.difference import actions, json_path

OLD: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/a/{b}": {"get": {"responses": {"200": {"description": "x", "n": 1, "tags": ["a"]}, "401": {"$ref": "#/c"}}}}
    },
    "components": {"schemas": {"S": {"minimum": 1, "pattern": "x", "required": ["a", "b"]}}},
}


def led(tmp_path: Path, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of a document by the overlay, written and read again."""
    steps = [action for _, action in actions(old, new)]
    if not steps:
        return old
    (tmp_path / "old.json").write_text(json.dumps(old))
    (tmp_path / "overlay.yaml").write_text(write_overlay("t", steps, ["why"]))
    document = load_document(tmp_path / "old.json", [tmp_path / "overlay.yaml"])
    assert document.notes == ()
    return document.data


def changed(**changes: Any) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    operation = new["paths"]["/a/{b}"]["get"]
    schema = new["components"]["schemas"]["S"]
    holder = {"response": operation["responses"]["200"], "responses": operation["responses"], "schema": schema}
    for name, value in changes.items():
        target, _, key = name.partition("__")
        if value is None:
            del holder[target][key]
        else:
            holder[target][key] = value
    return new


@pytest.mark.parametrize(
    "new",
    [
        changed(response__n=2),
        changed(response__n=1.0),
        changed(response__n=None),
        changed(response__tags=["b"]),
        changed(response__tags=[]),
        changed(response__new={"deep": {"er": [1]}}),
        changed(responses__401={"$ref": "#/d"}),
        changed(responses__401={"description": "inline"}),
        changed(responses__200=None, responses__202={"description": "other"}),
        changed(schema__minimum=0),
        changed(schema__minimum=None, schema__required=["a"]),
        changed(schema__pattern=None),
    ],
)
def test_the_overlay_leads_to_the_new_version(tmp_path: Path, new: dict[str, Any]) -> None:
    assert json.dumps(led(tmp_path, OLD, new), sort_keys=True) == json.dumps(new, sort_keys=True)


def test_nothing_changed_is_no_action() -> None:
    assert list(actions(OLD, copy.deepcopy(OLD))) == []


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("a'\\ \n~/é", max_size=3)),
    lambda below: st.one_of(
        st.lists(below, max_size=2), st.dictionaries(st.text("ab'\\/~\n$", max_size=3), below, max_size=3)
    ),
    max_leaves=8,
)
_SCHEMAS = st.dictionaries(
    st.text("ab'\\/~\n$", min_size=1, max_size=3), st.dictionaries(st.sampled_from("xyz"), _VALUES)
)


@given(_SCHEMAS, _SCHEMAS)
def test_any_component_can_become_any_other(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, Any], after: dict[str, Any]
) -> None:
    old = {"openapi": "3.1.0", "components": {"schemas": before}}
    new = {"openapi": "3.1.0", "components": {"schemas": after}}
    found = led(tmp_path_factory.getbasetemp(), old, new)
    assert json.dumps(found, sort_keys=True) == json.dumps(new, sort_keys=True)


def test_a_path_names_what_a_pointer_does() -> None:
    data: dict[str, Any] = {"paths": {"/it's": {"get": {"parameters": [{}]}}}}
    assert json_path(data, "/paths/~1it's/get/parameters/0") == "$.paths['/it\\'s'].get.parameters[0]"
