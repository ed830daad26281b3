"""OpenAPI Overlay 1.0: what actions do, and what is told of those that cannot be applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract, load_document
from mockserver.contract.source.loading import Document
from mockserver.errors import ContractError
from mockserver.lint.findings import lint

CONTRACT = """\
openapi: 3.1.0
info: {title: Notes, version: '1'}
x-shared: &shared {one: 1}
x-again: *shared
tags:
  - name: first
  - name: second
  - name: third
paths:
  /notes:
    get:
      operationId: list
      responses:
        '200': {description: all}
        '404': {description: none}
    post:
      operationId: add
      responses:
        '200': {description: added}
"""


def overlay(*actions: dict[str, Any], **members: Any) -> str:
    return json.dumps({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions} | members)


def applied(tmp_path: Path, *overlays: str) -> Document:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    paths = []
    for number, text in enumerate(overlays):
        paths.append(tmp_path / f"{number}.overlay.yaml")
        paths[-1].write_text(text)
    return load_document(tmp_path / "contract.yaml", paths)


def test_an_update_merges_objects_and_leaves_the_rest(tmp_path: Path) -> None:
    update = {
        "description": "every note",
        "responses": {"200": {"description": "changed"}, "304": {"description": "x"}},
    }
    operation = applied(tmp_path, overlay({"target": "$.paths['/notes'].get", "update": update})).data["paths"][
        "/notes"
    ]["get"]
    assert operation == {
        "operationId": "list",
        "description": "every note",
        "responses": {"200": {"description": "changed"}, "404": {"description": "none"}, "304": {"description": "x"}},
    }


def test_an_update_applies_to_every_match(tmp_path: Path) -> None:
    document = applied(tmp_path, overlay({"target": "$.paths.*.*.responses['200']", "update": {"x-seen": True}}))
    item = document.data["paths"]["/notes"]
    assert [item[method]["responses"]["200"].get("x-seen") for method in ("get", "post")] == [True, True]


@pytest.mark.parametrize("update", [{"name": "fourth"}, [{"name": "fourth"}]])
def test_an_entry_or_a_list_of_them_is_appended_to_an_array(tmp_path: Path, update: Any) -> None:
    document = applied(tmp_path, overlay({"target": "$.tags", "update": update}))
    assert [tag["name"] for tag in document.data["tags"]] == ["first", "second", "third", "fourth"]


def test_arrays_within_an_update_are_joined(tmp_path: Path) -> None:
    document = applied(tmp_path, overlay({"target": "$", "update": {"tags": [{"name": "fourth"}]}}))
    assert [tag["name"] for tag in document.data["tags"]] == ["first", "second", "third", "fourth"]


def test_remove_takes_away_every_match_whatever_their_order(tmp_path: Path) -> None:
    document = applied(
        tmp_path,
        overlay(
            {"target": "$.tags[?@.name != 'second']", "remove": True},
            {"target": "$..responses['200','404']", "remove": True},
            {"target": "$.paths['/notes'].post", "remove": True, "update": {"ignored": True}},
        ),
    )
    assert document.data["tags"] == [{"name": "second"}]
    assert document.data["paths"] == {"/notes": {"get": {"operationId": "list", "responses": {}}}}


def test_a_match_within_a_removed_one_goes_with_it(tmp_path: Path) -> None:
    document = applied(tmp_path, overlay({"target": "$..['/notes', 'get']", "remove": True}))
    assert document.data["paths"] == {}


def test_actions_see_the_result_of_those_before(tmp_path: Path) -> None:
    document = applied(
        tmp_path,
        overlay(
            {"target": "$.paths['/notes'].get", "remove": True}, {"target": "$.paths['/notes']", "update": {"get": {}}}
        ),
        overlay({"target": "$.paths['/notes'].get", "update": {"operationId": "second file"}}),
    )
    assert document.data["paths"]["/notes"]["get"] == {"operationId": "second file"}


def test_an_anchor_s_other_places_stay_as_they_are(tmp_path: Path) -> None:
    document = applied(tmp_path, overlay({"target": "$['x-again']", "update": {"two": 2}}))
    assert document.data["x-shared"] == {"one": 1}
    assert document.data["x-again"] == {"one": 1, "two": 2}


def test_a_target_without_a_match_is_noted_and_a_finding_of_lint(tmp_path: Path) -> None:
    document = applied(tmp_path, overlay({"target": "$.paths['/typo']", "update": {}}))
    path = tmp_path / "0.overlay.yaml"
    assert document.notes == (
        f"{path}:1: action 1: its target $.paths['/typo'] matches nothing, so it changes nothing",
    )
    found = [finding for finding in lint(tmp_path / "contract.yaml", [path]) if finding.rule == "overlay"]
    assert [(finding.file, finding.line) for finding in found] == [(str(path), 1)]


def test_the_digest_covers_overlays_and_their_order(tmp_path: Path) -> None:
    one, two = overlay({"target": "$.info", "update": {"x-a": 1}}), overlay({"target": "$.info", "update": {"x-a": 2}})
    digests = {applied(tmp_path, *overlays).sha256 for overlays in ((), (one,), (two,), (one, two), (two, one))}
    assert len(digests) == 5


def test_messages_name_the_line_that_brought_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    path = tmp_path / "o.yaml"
    path.write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n"
        "- target: $.paths['/notes'].get\n  update:\n    description: x\n    security: nonsense\n"
    )
    told = list(load_contract(tmp_path / "contract.yaml", [path]).warning_texts())
    assert f"{path}:7: /paths/~1notes/get/security: must be a list, not text; it is left out" in told


def test_lines_of_the_contract_stay_true_beside_an_overlay(tmp_path: Path) -> None:
    document = applied(tmp_path, overlay({"target": "$.paths['/notes'].get", "update": {"summary": "new"}}))
    assert document.where("/paths/~1notes/post/operationId") == (tmp_path / "contract.yaml", 17)
    assert document.where("/paths/~1notes/get/responses/404") == (tmp_path / "contract.yaml", 15)
    assert document.where("/paths/~1notes/get/summary") == (tmp_path / "0.overlay.yaml", 1)


def test_an_unknown_extension_is_refused_where_an_overlay_brings_it(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    path = tmp_path / "o.json"
    path.write_text(overlay({"target": "$.info", "update": {"x-mockserver-typo": 1}}))
    with pytest.raises(ContractError, match=rf"^{path}:1: /info/x-mockserver-typo: unknown extension"):
        load_contract(tmp_path / "contract.yaml", [path])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "is not an object; check --overlay"),
        ("actions: []", "`overlay` is null; supported is OpenAPI Overlay 1.0"),
        (overlay({"target": "$"}, overlay="1.1.0"), '`overlay` is "1.1.0"'),
        (overlay({"target": "$"}, info=None), "`info` must be an object"),
        (overlay({"target": "$"}, info={"title": "t"}), "`info` must be an object with `title` and `version`"),
        (overlay(), "`actions` must be a list of at least one action"),
        (overlay({"update": {}}), "action 1: must be an object with a `target`"),
        (overlay({"target": "$", "updates": {}}), 'action 1: "updates" is not a member of an action'),
        (overlay({"target": "$", "remove": "yes"}), "action 1: `remove` must be true or false"),
        (overlay({"target": "$", "remove": False}), "action 1: has neither `update` nor `remove: true`"),
        (overlay({"target": "$.a[", "update": {}}), r'action 1: its target "\$.a\[" is not a JSONPath \(RFC 9535\)'),
        (overlay({"target": "$.openapi", "update": {}}), "action 1: its target .* selects /openapi, which is neither"),
        (overlay({"target": "$", "update": 1}), "action 1: selects the object /, so its `update` must be an object"),
        (overlay({"target": "$", "remove": True}), "action 1: removes the whole document"),
    ],
)
def test_what_cannot_be_applied_is_told_with_file_line_and_action(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ContractError, match=rf"^{tmp_path}/0.overlay.yaml(:\d+)?: {message}"):
        applied(tmp_path, text)


def test_a_missing_file_is_told_with_the_option(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    with pytest.raises(ContractError, match=r"none.yaml: cannot be read: .*; check --overlay"):
        load_document(tmp_path / "contract.yaml", [tmp_path / "none.yaml"])


def test_growth_without_end_is_refused(tmp_path: Path) -> None:
    doubling = [{"target": "$..[?@.name]", "update": {"name": {"name": 1}}}] * 300
    with pytest.raises(ContractError, match=r"larger or more deeply nested than the limits allow|not a JSONPath"):
        applied(tmp_path, overlay(*doubling))


_KEY = {"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}}


def test_a_security_scheme_that_an_overlay_names_and_nobody_defines_is_an_error(tmp_path: Path) -> None:
    misspelt = overlay({"target": "$.paths['/notes'].get", "update": {"security": [{"kee": []}]}})
    with pytest.raises(ContractError, match=r"1\.overlay\.yaml:1: .*names the security scheme .kee.*defined is .key"):
        applied(tmp_path, overlay({"target": "$", "update": _KEY}), misspelt)
    # One overlay may name what a later one defines.
    asks = overlay({"target": "$", "update": {"security": [{"key": []}]}})
    assert applied(tmp_path, asks, overlay({"target": "$", "update": _KEY})).data["security"] == [{"key": []}]


def test_a_security_scheme_that_an_overlay_takes_away_is_an_error(tmp_path: Path) -> None:
    first = overlay({"target": "$", "update": {**_KEY, "security": [{"key": []}]}})
    with pytest.raises(ContractError, match=r"defined is none"):
        applied(tmp_path, first, overlay({"target": "$.components.securitySchemes.key", "remove": True}))


def test_a_mistake_of_the_contract_itself_is_no_overlay_s(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(CONTRACT + "security: [{missing: []}]\n")
    (tmp_path / "overlay.yaml").write_text(overlay({"target": "$.info", "update": {"x-seen": True}}))
    contract = load_contract(path, [tmp_path / "overlay.yaml"])
    assert any('unknown scheme "missing"' in warning.message for warning in contract.warnings)
