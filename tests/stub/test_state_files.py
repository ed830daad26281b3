"""A file with state that cannot be used is refused at start, with a remedy; no change is lost in silence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.errors import UsageError
from mockserver.stub.app import create_app

Write = Callable[..., Path]
_ITEM = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}}
_CONTENT = {"content": {"application/json": {"schema": _ITEM}}}
_PATHS: dict[str, Any] = {
    "/rows": {"post": {"requestBody": _CONTENT, "responses": {"201": {"description": "made", **_CONTENT}}}},
    "/rows/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "get": {"responses": {"200": {"description": "it", **_CONTENT}, "404": {"description": "none"}}},
    },
}


@pytest.fixture
def contract(write_contract: Write) -> Path:
    return write_contract(_PATHS)


def _start(contract: Path, file: Path) -> Any:
    app = create_app(contract=contract, state=f"sqlite:///{file}")
    return app, app.test_client()


def _stop(app: Any) -> None:
    app.extensions["mockserver"].store.close()


def _change(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def file(contract: Path, tmp_path: Path) -> Path:
    file = tmp_path / "state.db"
    app, client = _start(contract, file)
    assert client.post("/rows", json={"id": "a", "n": 1}).status_code == 201
    _stop(app)
    return file


def test_the_same_contract_finds_its_state_again(contract: Path, file: Path) -> None:
    app, client = _start(contract, file)
    assert client.get("/rows/a").get_json() == {"id": "a", "n": 1}
    _stop(app)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("PRAGMA user_version = 7", "version 7"),
        ("ALTER TABLE mockserver_records RENAME COLUMN record TO content", "columns world, collection, key, content"),
        ("UPDATE mockserver_records SET record = 'x{' WHERE key = 'a'", 'the record "a" of "resource:/rows"'),
        ("UPDATE mockserver_records SET record = '[]' WHERE key = 'a'", 'the record "a"'),
        ("UPDATE mockserver_records SET record = '{\"other\": 1}' WHERE key = 'a'", 'the record "a"'),
    ],
)
def test_a_file_of_another_form_or_a_broken_one_is_refused(
    contract: Path, file: Path, statement: str, told: str
) -> None:
    _change(file, statement)
    with pytest.raises(UsageError, match="delete") as refused:
        _start(contract, file)
    assert told in str(refused.value)
    assert str(file) in str(refused.value)


def test_the_state_of_another_contract_is_refused(contract: Path, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    document = json.loads(contract.read_text(encoding="utf-8"))
    document["info"]["title"] = "Another"
    other.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(UsageError, match='not of "Another"'):
        _start(other, file)


def test_a_file_from_before_versions_is_taken(contract: Path, file: Path) -> None:
    _change(file, "DROP TABLE mockserver_about")
    _change(file, "PRAGMA user_version = 0")
    app, client = _start(contract, file)
    assert client.get("/rows/a").status_code == 200
    _stop(app)


def test_a_file_that_is_taken_away_is_an_error_and_no_silent_loss(contract: Path, file: Path) -> None:
    app, client = _start(contract, file)
    aside = file.with_suffix(".aside")
    file.rename(aside)
    response = client.post("/rows", json={"id": "b"})
    assert response.status_code == 500
    assert "taken away" in response.get_json()["detail"]
    aside.rename(file)
    assert client.post("/rows", json={"id": "b"}).status_code == 201
    _stop(app)


def test_two_servers_may_share_a_file(contract: Path, file: Path) -> None:
    (one, first), (other, second) = _start(contract, file), _start(contract, file)
    assert first.post("/rows", json={"id": "c"}).status_code == 201
    assert second.get("/rows/c").status_code == 200
    _stop(one)
    _stop(other)
