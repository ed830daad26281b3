"""The table command: small contracts, and servers with a planted fault each, which the judge must find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.breadth import fuzzing
from tests.breadth.__main__ import main
from tests.breadth.asking import Asking
from tests.breadth.contracts import RawDocument, find
from tests.breadth.judging import Answer, Verdict, judge

ITEM = {
    "type": "object",
    "required": ["id", "secret"],
    "properties": {
        "id": {"type": "integer"},
        "secret": {"type": "string", "writeOnly": True},
        "note": {"type": "string", "nullable": True},
        "score": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "parent": {"$ref": "#/components/schemas/Item"},
        "made": {"type": "string", "format": "date-time"},
    },
}
RIGHT = {"id": 1, "note": None, "score": 0.5, "parent": {"id": 2}, "made": "2026-01-01T00:00:00Z"}


def contract(version: str = "3.0.3", **operation: Any) -> dict[str, Any]:
    """Return a contract of one operation."""
    success = {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}
    stated = {"responses": {"200": success, "404": {"description": ""}}, **operation}
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/items/{id}": {"parameters": [PARAMETER], "get": stated}},
        "components": {
            "schemas": {"Item": ITEM},
            "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api key"}, "who": BASIC},
        },
    }


PARAMETER = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 7}}
BASIC = {"type": "http", "scheme": "basic"}


def written(folder: Path, data: dict[str, Any], name: str = "contract.json") -> RawDocument:
    path = folder / name
    path.write_text(json.dumps(data), encoding="utf-8")
    return RawDocument(path)


def verdict(folder: Path, answer: Answer, data: dict[str, Any] | None = None) -> Verdict:
    document = written(folder, data or contract())
    [operation] = document.operations()
    return judge(document, operation, answer)


def answered(value: object, status: int = 200, media_type: str = "application/json") -> Answer:
    return Answer(status, {"Content-Type": media_type}, json.dumps(value).encode())


def test_what_is_documented_is_right(tmp_path: Path) -> None:
    assert verdict(tmp_path, answered(RIGHT)) == Verdict("right")
    assert verdict(tmp_path, Answer(404, {}, b"")) == Verdict("right")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answered({**RIGHT, "id": "1"}), "`type` at /id"),
        (answered({"note": ""}), "`required` at /"),
        (answered({**RIGHT, "id": None}), "`type` at /id"),
        (answered({**RIGHT, "score": 0}), "`exclusiveMinimum`|`minimum` at /score"),
        (answered({**RIGHT, "parent": {"id": {}}}), "`type` at /parent/id"),
        (answered({**RIGHT, "made": "yesterday"}), "`format` at /made"),
        (answered(RIGHT, media_type="application/hal+json"), "media type application/hal\\+json is not documented"),
        (answered(RIGHT, 201), "status 201 is not documented"),
        (answered({}, 422), "a valid request is rejected"),
        (answered({}, 500), "status 500"),
        (Answer(200, {"Content-Type": "application/json"}, b"{"), "not JSON"),
        (Answer(200, {}, b""), "no content"),
    ],
)
def test_a_planted_fault_is_found(answer: Answer, why: str, tmp_path: Path) -> None:
    found = verdict(tmp_path, answer)
    assert found.kind == "wrong"
    assert any(part in found.why.replace("+", "\\+") for part in why.split("|"))


def test_an_operation_that_is_refused_is_not_right(tmp_path: Path) -> None:
    found = verdict(tmp_path, answered({"detail": "why"}, 501, "application/problem+json"))
    assert found == Verdict("refused", "why")


def test_content_where_none_is_documented_is_wrong(tmp_path: Path) -> None:
    data = contract(responses={"200": {"description": ""}})
    assert verdict(tmp_path, answered(RIGHT), data).kind == "wrong"
    assert verdict(tmp_path, Answer(200, {}, b""), data).kind == "right"


def test_a_required_header_that_is_missing_is_wrong(tmp_path: Path) -> None:
    data = contract(responses={"2XX": {"description": "", "headers": {"X-Rate": {"required": True}}}})
    assert "X-Rate" in verdict(tmp_path, Answer(204, {}, b""), data).why
    assert verdict(tmp_path, Answer(204, {"x-rate": "1"}, b""), data).kind == "right"


def test_version_2_is_judged_by_its_own_words(tmp_path: Path) -> None:
    data = {
        "swagger": "2.0",
        "produces": ["application/json"],
        "definitions": {"Item": {"type": "object", "required": ["id"]}},
        "paths": {"/": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/Item"}}}}}},
    }
    assert verdict(tmp_path, answered({"id": 1}), data).kind == "right"
    assert "`required`" in verdict(tmp_path, answered({}), data).why


def test_references_lead_into_other_files(tmp_path: Path) -> None:
    written(tmp_path, {"Item": ITEM, "get": contract()["paths"]["/items/{id}"]["get"]}, "parts.json")
    data = contract(responses={"200": {"$ref": "answers.json#/ok"}})
    (tmp_path / "answers.json").write_text(
        '{"ok": {"content": {"application/json": {"schema": {"$ref": "parts.json#/Item/properties/id"}}}}}'
    )
    assert verdict(tmp_path, answered(1), data).kind == "right"
    assert "`type`" in verdict(tmp_path, answered("1"), data).why


def test_requests_are_valid_carry_credentials_and_are_the_same_again(tmp_path: Path) -> None:
    document = written(tmp_path, contract(security=[{"key": [], "who": []}]))
    [operation] = document.operations()
    asking = Asking(document)
    first, second, by_hand = asking.generated(operation), asking.generated(operation), asking.by_hand(operation)
    assert (first.url, first.headers) == (second.url, second.headers)
    for request in (first, by_hand):
        assert request.url is not None
        assert request.headers["Authorization"].startswith("Basic ")
        assert request.url.endswith("/items/7?api+key=key")


@pytest.mark.parametrize(
    ("stated", "query"),
    [
        ({"schema": {"type": "array", "items": {"enum": ["a"]}}}, "q=a"),
        ({"schema": {"type": "array", "example": ["a", "b"]}}, "q=a&q=b"),
        ({"schema": {"type": "array", "example": ["a", "b"]}, "explode": False}, "q=a%2Cb"),
        ({"schema": {"type": "array", "example": ["a", "b"]}, "style": "pipeDelimited"}, "q=a%7Cb"),
        ({"content": {"application/json": {}}, "example": ["a"]}, "q=%5B%22a%22%5D"),
    ],
)
def test_arrays_are_written_by_hand_as_their_style_has_it(stated: dict[str, Any], query: str, tmp_path: Path) -> None:
    parameter = {"name": "q", "in": "query", "required": True, **stated}
    optional = {**parameter, "name": "o", "required": False}
    document = written(tmp_path, contract(parameters=[parameter, optional]))
    [operation] = document.operations()
    assert str(Asking(document).by_hand(operation).url).endswith(f"/items/7?{query}")


def test_the_command_tells_what_is_right_wrong_and_refused_of_a_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = contract()
    good["paths"]["/items/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["example"] = {"id": 1}
    good["components"]["schemas"]["Item"]["required"] = ["id"]
    written(tmp_path, good, "good.json")
    written(tmp_path, {"openapi": "3.0.3", "paths": {"/a": {"get": {"responses": 3}}}}, "bad.json")
    (tmp_path / "part.yaml").write_text("Item: {}\n")
    assert [path.name for path in find([tmp_path])] == ["bad.json", "good.json"]
    result = tmp_path / "result.txt"
    main([str(tmp_path), "--json", str(result), "--jobs", "1"])
    out = capsys.readouterr().out
    assert "2 documents, 2 operations: " in out
    fine, bad = json.loads(result.read_text())
    assert [row["kind"] for row in fine["operations"]] == ["right"]
    assert bad["operations"][0]["operation"] == "GET /a"


def test_the_command_fails_where_less_than_98_percent_are_right(tmp_path: Path) -> None:
    data = contract()
    data["openapi"] = "9.9.9"
    written(tmp_path, data)
    assert main([str(tmp_path), "--jobs", "1"]) == 1


def test_a_worker_that_dies_loses_the_operation_it_was_at_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.breadth import running

    document = contract()
    document["paths"] = {f"/{name}": {"get": {"responses": {"200": {"description": ""}}}} for name in "abc"}
    path = written(tmp_path, document).path

    def dying(_path: Path, start: int, stop: int, *, options: list[str]) -> Any:
        assert options == ["--one-world"]
        for name in "abc"[start:stop]:
            yield {"asking": f"GET /{name}"}
            if name == "b":
                return
            yield {"operation": f"GET /{name}", "kind": "right", "why": ""}

    monkeypatch.setattr(running, "_worker", dying)
    [report] = running.run([path], 1, options=["--one-world"], done=lambda _report: None)
    assert {label: row["kind"] for label, row in report.found.items()} == {
        "GET /a": "right",
        "GET /b": "wrong",
        "GET /c": "right",
    }


def test_every_second_contract_is_fuzzed_and_what_is_not_kept_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = contract(responses={"200": {"description": ""}})
    written(tmp_path, data, "good.json")
    written(tmp_path, {**data, "x-larger": "x" * 100}, "second.json")
    assert main([str(tmp_path), "--fuzz", "--max-examples", "1"]) == 0
    out = capsys.readouterr().out
    assert "second.json" in out
    assert "1 contracts fuzzed, 1 kept" in out
    data["openapi"] = "9.9.9"
    assert main([str(written(tmp_path, data).path), "--fuzz", "--every"]) == 1


def test_a_run_with_a_traceback_is_not_kept(tmp_path: Path) -> None:
    assert fuzzing.FuzzRun(tmp_path, 0, 1.0, "KEPT: 0 violations").kept
    assert not fuzzing.FuzzRun(tmp_path, 0, 1.0, "Traceback\nKEPT: 0 violations").kept
    assert not fuzzing.FuzzRun(tmp_path, None, 1.0, "KEPT: 0 violations").kept
    assert not fuzzing.FuzzRun(tmp_path, 1, 1.0, "BROKEN").kept
