"""Contracts in several files, in directories and behind URLs."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.contract.reading.document import load_contract

if TYPE_CHECKING:
    from tests.conftest import Client, Serve

MakeStub = Callable[..., "Client"]

FILES = {
    "openapi.yaml": """\
openapi: 3.1.0
info: {title: parts, version: '1'}
paths:
  /notes: {$ref: paths/notes.yaml}
  /notes/{id}: {$ref: 'paths/notes.yaml#/item'}
components:
  schemas:
    Name: {type: string, maxLength: 5}
""",
    "paths/notes.yaml": """\
item:
  get:
    operationId: read
    parameters: [{$ref: '../shared/all.json#/parameters/id'}]
    responses:
      '200': {$ref: '../shared/all.json#/responses/Note'}
post:
  operationId: create
  requestBody:
    required: true
    content:
      application/json:
        schema: {$ref: ../schemas/note.yaml}
  responses:
    '204': {description: made}
    '422': {description: bad}
""",
    "shared/all.json": """\
{"parameters": {"id": {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}},
 "responses": {"Note": {"description": "ok", "content": {"application/json": {
   "schema": {"$ref": "../schemas/note.yaml"}, "example": {"name": "a"}}}}}}
""",
    "schemas/note.yaml": """\
type: object
required: [name]
properties:
  name: {$ref: '#/components/schemas/Name'}
  size: {$ref: '#/$defs/size'}
  parent: {$ref: note.yaml}
  other: {$ref: '../openapi.yaml#/components/schemas/Name'}
$defs:
  size: {type: integer}
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that holds a contract in four files."""
    for name, text in FILES.items():
        path = tmp_path / "contract" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "contract"


def test_files_and_circles_of_files_are_one_contract(make_stub: MakeStub, folder: Path) -> None:
    assert load_contract(folder).warnings == ()
    client = make_stub(folder)
    assert client.call("GET", "/notes/1", user=None).json() == {"name": "a"}
    assert client.call("GET", "/notes/x", user=None).status != 200
    good = {"name": "a", "size": 1, "other": "b", "parent": {"name": "b", "parent": {"name": "c"}}}
    assert client.call("POST", "/notes", json=good, user=None).status == 204
    for bad in (
        {"name": "longer"},
        {"name": "a", "size": "x"},
        {"name": "a", "other": "longer"},
        {"name": "a", "parent": {"name": "b", "parent": {}}},
    ):
        assert client.call("POST", "/notes", json=bad, user=None).status == 422, bad


def test_places_name_the_file_that_holds_an_element(folder: Path) -> None:
    contract = load_contract(folder)
    body = contract.by_id["create"].request_body
    assert body is not None
    path, line = contract.document.where(body.pointer)
    assert (path.name, FILES["paths/notes.yaml"].splitlines()[line - 1]) == ("notes.yaml", "  requestBody:")
    assert contract.document.where("/info") == (folder / "openapi.yaml", 2)


def test_a_change_of_any_file_changes_the_digest(folder: Path) -> None:
    before = load_contract(folder).document.sha256
    (folder / "schemas" / "note.yaml").write_text("type: string\n", encoding="utf-8")
    assert load_contract(folder).document.sha256 != before


def test_a_missing_file_is_a_warning_and_the_rest_is_served(make_stub: MakeStub, folder: Path) -> None:
    (folder / "shared" / "all.json").unlink()
    told = "\n".join(load_contract(folder).warning_texts())
    assert "notes.yaml:4:" in told
    assert "all.json: cannot be read: No such file" in told
    assert make_stub(folder).call("POST", "/notes", json={"name": "a"}, user=None).status == 204


def test_parts_of_2_0_in_other_files(make_stub: MakeStub, tmp_path: Path) -> None:
    (tmp_path / "swagger.yaml").write_text(
        "swagger: '2.0'\ninfo: {title: t, version: '1'}\npaths:\n  /a: {$ref: 'a.yaml#/a'}\n", encoding="utf-8"
    )
    (tmp_path / "a.yaml").write_text(
        """\
a:
  post:
    parameters: [{in: body, name: b, required: true, schema: {$ref: '#/b'}}]
    responses: {200: {$ref: '#/r'}, 422: {description: bad}}
b: {type: object, required: [n], properties: {n: {type: string, x-nullable: true}}}
r: {description: ok, schema: {$ref: '#/b'}, examples: {application/json: {n: x}}}
""",
        encoding="utf-8",
    )
    client = make_stub(tmp_path)
    assert client.call("POST", "/a", json={"n": None}, user=None).status == 200
    assert client.call("POST", "/a", json={}, user=None).status == 422


def test_an_identifier_is_no_file(write_contract: Callable[..., Path]) -> None:
    schemas = {
        "Tree": {"$id": "https://x.example/tree", "type": "object", "properties": {"down": {"$ref": "tree"}}},
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}
    responses = {"200": {"description": "ok", "content": content}}
    contract = load_contract(write_contract({"/a": {"get": {"responses": responses}}}, components={"schemas": schemas}))
    assert contract.warnings == ()


@pytest.mark.parametrize("name", ["openapi.json", "swagger.yml"])
def test_a_directory_starts_with_a_known_name(tmp_path: Path, name: str, write_contract: Callable[..., Path]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write_contract({"/a": {"get": {}}}).rename(folder / name)
    assert [operation.label for operation in load_contract(folder).operations] == ["GET /a"]


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    """The contract on a web server of loopback; its URL."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_arguments: Any) -> None:
            """Keep the test's output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/openapi.yaml"
        server.shutdown()
        thread.join()


def test_a_url_is_fetched_only_where_it_is_allowed(command: Callable[..., Any], serve: Serve, web: str) -> None:
    refused = command("serve", "--contract", web, "--port", "0")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert f"{web}: is a URL, which is fetched only with --allow-remote" in refused.stderr
    server = serve("--contract", web, "--allow-remote")
    assert server.client.call("GET", "/notes/1", user=None).json() == {"name": "a"}
    missing = command("serve", "--contract", web + "x", "--port", "0", "--allow-remote")
    assert missing.returncode == 2
    assert "cannot be fetched" in missing.stderr


def test_a_remote_reference_without_the_option_is_a_warning_that_names_it(
    write_contract: Callable[..., Path], web: str
) -> None:
    reference = {"$ref": web.replace("openapi.yaml", "paths/notes.yaml")}
    contract = load_contract(write_contract({"/a": reference, "/b": {"get": {"responses": {"200": {}}}}}))
    assert [operation.label for operation in contract.operations] == ["GET /b"]
    assert any("--allow-remote" in text for text in contract.warning_texts())
