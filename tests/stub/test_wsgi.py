"""The application is a proper WSGI application, under any server."""

from __future__ import annotations

import http.client
import io
import json
import sqlite3
import threading
import wsgiref.simple_server
import wsgiref.validate
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as WerkzeugClient

from mockserver import create_app
from mockserver.stub.pipeline import Pipeline

MAILER = "/api/v1/settings/system_mailer/"
GOOD = {"server_hostname": "h", "server_port": 25, "username": "u", "password": "p"}
ADMIN = {"Authorization": "Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU="}


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def plain_server() -> Iterator[int]:
    """The port of Python's own WSGI server, whose input does not end where the content does."""
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, create_app().wsgi_app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("content", [json.dumps(GOOD).encode(), b"{", b""])
def test_content_is_read_as_far_as_it_is_announced(plain_server: int, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", plain_server, timeout=120)
    try:
        connection.request("POST", MAILER, content, {**ADMIN, "Content-Type": "application/json"})
        status = connection.getresponse().status
    finally:
        connection.close()
    assert status == (200 if len(content) > 1 else 400)


def test_flasks_test_client_works() -> None:
    client = create_app().test_client()
    assert client.post(MAILER, json=GOOD, headers=ADMIN).get_json()["settings"]["status"] == "applying"
    assert client.get(MAILER, headers=ADMIN).get_json()["settings"]["status"] == "applied"
    assert client.get("/__mock__/health", base_url="http://127.0.0.1").status_code == 200


def test_werkzeugs_client_works() -> None:
    client = WerkzeugClient(create_app().wsgi_app)
    assert client.get(MAILER, headers=ADMIN).status_code == 204


def test_a_user_may_add_routes_to_the_application() -> None:
    app = create_app()

    @app.get("/mine")
    def mine() -> str:
        return "mine"

    client = app.test_client()
    assert client.get("/mine").text == "mine"
    assert client.get("/mine", headers={"Mock-World": "other"}).text == "mine"
    assert isinstance(app, Flask)


def test_a_mounted_application_says_where_it_is(tmp_path: Path) -> None:
    """`Location` leads back through the mount (PEP 3333, SCRIPT_NAME), with and without a world and the base path."""
    item = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    content = {"application/json": {"schema": item}}
    created = {
        "description": "d",
        "content": content,
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
    read = {"responses": {"200": {"description": "d", "content": content}, "404": {"description": "d"}}}
    path_item = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "/v1"}],
        "paths": {
            "/things": {"post": {"requestBody": {"content": content}, "responses": {"201": created}}},
            "/things/{id}": {**path_item, "get": read},
        },
    }
    path = tmp_path / "things.json"
    path.write_text(json.dumps(document))
    client = WerkzeugClient(DispatcherMiddleware(Flask("outside"), {"/stub": create_app(path).wsgi_app}))
    for base in ("/stub", "/stub/v1", "/stub/__world__/one", "/stub/__world__/two/v1"):
        made = client.post(f"{base}/things", json={"name": "a"})
        assert made.status_code == 201, made.text
        location = urlsplit(made.headers["Location"]).path
        assert location.startswith(f"{base}/things/")
        assert client.get(location).get_json()["name"] == "a"
        assert client.get(f"{base}/nothing").status_code == 404
    local = "http://127.0.0.1"
    assert client.get("/stub/__mock__/health", base_url=local).status_code == 200
    assert client.get("/stub/__world__/one/__mock__/journal", base_url=local).get_json()["entries"]
    assert client.get("/things/1").status_code == 404, "what is beside the mount is the other application's"


def _environ(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": ADMIN["Authorization"],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/auth/", "200"),
        ("DELETE", MAILER, "200"),
        ("PUT", MAILER, "405"),
        ("GET", "/nowhere", "404"),
        ("GET", "/__mock__/state", "200"),
        ("GET", "/__world__/one/api/v1/auth/", "200"),
        ("GET", "/__world__/-/api/v1/auth/", "400"),
        ("POST", MAILER, "400"),
    ],
)
def test_the_protocol_is_kept(method: str, path: str, status: str) -> None:
    """Checked by the validator of the standard library (it refuses the documented media type of a 204)."""
    app = wsgiref.validate.validator(create_app().wsgi_app)
    got: list[str] = []

    def start(line: str, _fields: Any, _error: Any = None) -> Any:
        got.append(line)
        return io.BytesIO().write

    chunks: Any = app(_environ(method, path, CONTENT_TYPE="application/json", QUERY_STRING=""), start)
    b"".join(chunks)
    chunks.close()
    assert got[0].startswith(status + " ")
    assert got[0].partition(" ")[2]


def _status(environ: dict[str, Any]) -> str:
    got: list[str] = []

    def start(line: str, _fields: Any, _error: Any = None) -> Any:
        got.append(line)
        return io.BytesIO().write

    create_app().wsgi_app(environ, start)
    return got[0]


@pytest.mark.parametrize("absent", ["PATH_INFO", "SCRIPT_NAME", "QUERY_STRING"])
def test_variables_that_would_be_empty_may_be_absent(absent: str) -> None:
    """PEP 3333, "environ Variables"."""
    environ = _environ("GET", "/api/v1/auth/")
    environ.pop(absent, None)
    status = _status(environ)
    assert status.startswith("404" if absent == "PATH_INFO" else "200")


@pytest.mark.parametrize("length", ["", "abc", "-1", "1.5", "٣", "²", " 5", "9" * 40])
def test_a_senseless_content_length_is_no_error_of_ours(length: str) -> None:
    environ = _environ("POST", MAILER, CONTENT_LENGTH=length, CONTENT_TYPE="application/json")
    assert _status(environ)[:3] in {"400", "413"}


def test_a_broken_store_is_a_500_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state.db"
    client = create_app(state=f"sqlite:///{file}").test_client()
    assert client.get(MAILER, headers=ADMIN).status_code == 204
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE mockserver_records")
    for path in (MAILER, "/__mock__/state"):
        answer = client.get(path, headers=ADMIN, base_url="http://127.0.0.1")
        assert answer.status_code == 500
        assert answer.content_type == "application/problem+json"
        assert "mockserver_records" in answer.text
    assert "mockserver_records" in capsys.readouterr().err


def test_a_mistake_of_ours_is_a_500_without_its_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: Any) -> Any:
        raise RuntimeError("inner-detail")

    monkeypatch.setattr(Pipeline, "respond", broken)
    answer = create_app().test_client().get(MAILER, headers=ADMIN)
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert "inner-detail" not in answer.text
    assert "inner-detail" in caplog.text


def test_two_applications_share_nothing() -> None:
    one, two = create_app().test_client(), create_app().test_client()
    one.post(MAILER, json=GOOD, headers=ADMIN)
    assert two.get(MAILER, headers=ADMIN).status_code == 204
