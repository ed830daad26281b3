"""Applications in this process as targets: found by name, called as their servers would, never the end of a run."""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from textwrap import dedent
from typing import Any

import pytest

from mockserver.errors import MockServerError, UsageError
from mockserver.suite.applications.application_target import application_target
from mockserver.suite.applications.loaded_application import is_application_name, load_application, of_object
from mockserver.suite.target.connections import Connection
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.targets import HttpTarget

Command = Callable[..., CompletedProcess[str]]
ITEM = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 20}}}
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/items/{name}": {
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"const": "a"}}],
            "get": {"responses": {"200": {"description": "d", "content": {"application/json": {"schema": ITEM}}}}},
        }
    },
}
RIGHT, WRONG = '{"name": name}', '{"name": 1 / 0}'
#: Servers of `CONTRACT`; `{name}` is what they answer with.
FLASK = """
    from flask import Flask
    app = Flask(__name__)
    @app.get("/items/<name>")
    def item(name):
        return {answer} if name == "a" else ("", 404)
    def create_app():
        return app
"""
FASTAPI = """
    from contextlib import asynccontextmanager
    from fastapi import FastAPI, HTTPException, Request
    names = {{}}
    @asynccontextmanager
    async def lifespan(app):
        names["a"] = "a"
        yield {{"begun": True}}
        names.clear()
    app = FastAPI(lifespan=lifespan)
    @app.get("/items/{{name}}")
    async def item(name: str, request: Request):
        assert request.state.begun
        if name not in names:
            raise HTTPException(404)
        return {answer}
    def create_app():
        return app
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Write a module of a name that no other test has, and forget it afterwards."""
    path, names = list(sys.path), list[str]()
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT), encoding="utf-8")

    def write(source: str) -> str:
        name = f"made_up_{abs(hash(str(tmp_path)))}_{len(names)}"
        (tmp_path / f"{name}.py").write_text(dedent(source), encoding="utf-8")
        names.append(name)
        return name

    yield write
    sys.path[:] = path
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("source", [FLASK, FASTAPI], ids=["flask", "fastapi"])
@pytest.mark.parametrize("name", ["check", "fuzz"])
def test_an_application_is_judged_by_its_name(
    source: str, name: str, module: Callable[[str], str], command: Command, tmp_path: Path
) -> None:
    few = ["--max-examples=3"] * (name == "fuzz")
    options = ["--contract=contract.json", "--no-oracle", "--report=har=r.har", *few]
    right = command(name, f"{module(source.format(answer=RIGHT))}:app", *options)
    assert right.returncode == 0, right.stdout + right.stderr
    assert "1 of 1 operations succeeded" in right.stdout
    wrong = command(name, f"{module(source.format(answer=WRONG))}:create_app()", *options)
    assert wrong.returncode == 1
    assert "VIOLATION the server failed with 500  [no_server_error]" in wrong.stdout
    assert "/items/a   # in another shell" not in wrong.stdout
    assert "http://127.0.0.1:8000/items/a" in wrong.stdout
    assert "target made_up" in wrong.stdout
    if source is FASTAPI:  # Flask answers by itself, and logs
        assert wrong.stderr.count("the application raised ZeroDivisionError: division by zero (made_up") == 1
    har = json.loads((tmp_path / "r.har").read_text(encoding="utf-8"))
    assert len(har["log"]["entries"]) > 5


def test_a_base_path_may_follow_the_name(module: Callable[[str], str], command: Command) -> None:
    source = FLASK.format(answer=RIGHT).replace('"/items', '"/api/v1/items')
    options = ("--contract=contract.json", "--no-oracle", "--quiet")
    name = module(source)
    assert command("check", f"{name}:app/api/v1/", *options).returncode == 0
    assert command("check", f"{name}:app", *options).returncode != 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{module}:ap", "has no 'ap'; did you mean 'app'?"),
        (
            "{module}:create_app",
            "takes no arguments, so it is a factory and no application; write {module}:create_app()",
        ),
        ("{module}:app()", "failed: TypeError"),
        ("{module}:number", "is an object of type int, and no WSGI or ASGI application"),
        ("{module}:number()", "cannot be called; leave the brackets out"),
        ("{module}:Kind", "is the class Kind, and no WSGI or ASGI application"),
        ("nowhere.at_all:app", "there is no module 'nowhere' in "),
        ("{broken}:app", "cannot be imported: ZeroDivisionError: division by zero ({broken}.py:3)"),
        ("localhost:8080", "is not a base URL; write it as http://127.0.0.1:8080, or package.module:app for an"),
    ],
)
def test_what_is_no_application_is_told(target: str, said: str, module: Callable[[str], str], command: Command) -> None:
    names = {
        "module": module(FLASK.format(answer=RIGHT) + "    number = 1\n    class Kind: pass\n"),
        "broken": module("import sys\nx = 1\ny = x / 0\n"),
    }
    done = command("check", target.format(**names), "--contract=contract.json")
    assert done.returncode == 2
    assert said.format(**names) in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_application_needs_a_contract(module: Callable[[str], str], command: Command) -> None:
    done = command("check", f"{module(FLASK.format(answer=RIGHT))}:app")
    assert (done.returncode, "give --contract FILE" in done.stderr) == (2, True)


def test_names_and_urls_are_told_apart() -> None:
    assert all(map(is_application_name, ["a:b", "a.b_c:d.e", "a:b()", "a:b/v1", "a:b()/v1/x"]))
    urls = ["http://localhost", "http://a:80/b", "localhost:80", "a", "a:b:c", ":a", "a:", "a.:b", "a:b c"]
    assert not any(map(is_application_name, urls))
    with pytest.raises(UsageError, match="is not an application"):
        load_application("http://x")


# Calls.


def asking(application: Any, seconds: float = 5.0, **connection: Any) -> HttpTarget:
    target = application_target(of_object(application), Connection(timeout_seconds=seconds, **connection))
    target._tries = 1
    return target


def wsgi(answer: Callable[[dict[str, Any]], Iterable[bytes]], *fields: tuple[str, str], status: str = "200 OK") -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(status, list(fields))
        return answer(environ)

    return application


def asgi(*parts: bytes, status: int = 200, fields: Iterable[tuple[bytes, bytes]] = ()) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http", "no lifespan"
        asked = await receive()
        assert asked == {"type": "http.request", "body": asked["body"], "more_body": False}
        await send({"type": "http.response.start", "status": status, "headers": list(fields)})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    return application


POST = WireRequest("POST", "/a%2Fb/%C3%A9?q=%20x", (("X-One", "1"), ("Content-Type", "text/x")), b"hello")


def test_a_wsgi_application_gets_what_a_server_gives_it() -> None:
    seen: dict[str, Any] = {}

    def answer(environ: dict[str, Any]) -> list[bytes]:
        seen.update(environ, content=environ["wsgi.input"].read(), thread=threading.current_thread())
        return [b"a", b"", b"b"]

    exchange = asking(wsgi(answer, ("X-A", "1"), ("X-A", "2"))).send(POST)
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body, exchange.response.field("x-a")) == (200, b"ab", "1, 2")
    assert seen["thread"] is threading.main_thread()
    assert (seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/a/b/\xc3\xa9", "q=%20x")
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"], seen["HTTP_X_ONE"]) == ("text/x", "5", "1")
    assert (seen["content"], seen["REQUEST_METHOD"]) == (b"hello", "POST")


def test_an_asgi_application_gets_what_a_server_gives_it() -> None:
    scopes: list[Any] = []
    inner = asgi(b"a", b"", b"b", fields=[(b"x-a", b"1"), (b"x-a", b"2")])

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await inner(scope, receive, send)

    target = asking(application)
    exchange = target.send(POST)
    target.close()
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body, exchange.response.field("x-a")) == (200, b"ab", "1, 2")
    lifespan, scope = scopes
    assert lifespan["type"] == "lifespan"
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a/b/é", b"/a%2Fb/%C3%A9", b"q=%20x")
    fields = dict(scope["headers"])
    assert (fields[b"content-length"], fields[b"x-one"], fields[b"host"]) == (b"5", b"1", b"localhost")
    assert not any(thread.name == "application" for thread in threading.enumerate())


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("fields", "content", "got"),
    [
        ({"content-length": "2"}, [b"ok"], b"ok"),
        ({"content-encoding": "gzip"}, [gzip.compress(b"plain")], b"plain"),
        ({"content-length": "9"}, [b"short"], "dropped"),
        ({"content-type": "text/event-stream"}, [b"data: 1\n\n"], b"data: 1\n\n"),
        ({"content-type": "text/x"}, [b"x" * 3000], b"x" * 1000),
    ],
    ids=["length", "gzip", "short", "stream", "long"],
)
def test_content_is_read_as_from_a_connection(
    kind: str, fields: dict[str, str], content: list[bytes], got: Any
) -> None:
    application = (
        wsgi(lambda _: content, *fields.items())
        if kind == "wsgi"
        else asgi(*content, fields=[(name.encode(), value.encode()) for name, value in fields.items()])
    )
    target = asking(application, max_response=1000)
    exchange = target.send(WireRequest("GET", "/"))
    head = target.send(WireRequest("HEAD", "/"))
    target.close()
    assert head.response is not None
    assert head.response.body == b""
    if got == "dropped":
        assert exchange.dropped
    else:
        assert exchange.response is not None
        assert exchange.response.body == got


def crashing(_environ: Any, _start_response: Any) -> Any:
    raise KeyError("gone")


def late(_environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"begun"
    raise ValueError


def exiting(_environ: Any, _start_response: Any) -> Any:
    sys.exit(3)


def silent(_environ: Any, _start_response: Any) -> list[bytes]:
    return []


async def async_crashing(scope: Any, _receive: Any, _send: Any) -> None:
    if scope["type"] == "http":
        raise KeyError("gone")


async def async_late(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    raise ValueError


async def async_answered(scope: Any, receive: Any, send: Any) -> None:
    """Answer 500 and raise again, as Starlette does."""
    await asgi(b"sorry", status=500)(scope, receive, send)
    raise KeyError("gone")


async def async_silent(_scope: Any, _receive: Any, _send: Any) -> None:
    """Return without a response."""


@pytest.mark.parametrize(
    ("application", "body"),
    [
        (crashing, b"KeyError: 'gone' (tests/unit/suite/applications/test_applications.py:"),
        (exiting, b"SystemExit: 3 ("),
        (silent, b"RuntimeError: the application did not call start_response"),
        (async_crashing, b"KeyError: 'gone' (tests/unit/suite/applications/test_applications.py:"),
        (async_answered, b"sorry"),
        (async_silent, b"RuntimeError: the application returned before its response was complete"),
    ],
)
def test_an_exception_is_a_response_with_500(
    application: Any, body: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[4])
    target = asking(application)
    for _ in range(2):
        exchange = target.send(WireRequest("GET", "/"))
        assert exchange.response is not None
        assert (exchange.response.status, exchange.response.body.startswith(body)) == (500, True)
    target.close()
    assert capsys.readouterr().err.count("the application raised") == (application is not async_silent)


@pytest.mark.parametrize("application", [late, async_late])
def test_an_exception_in_the_middle_of_content_drops_the_connection(application: Any) -> None:
    target = asking(application)
    exchange = target.send(WireRequest("GET", "/"))
    target.close()
    assert (exchange.response, exchange.dropped) == (None, True)


def sleeping(_environ: Any, _start_response: Any) -> Any:
    time.sleep(100)


def endless(_environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    while True:
        yield b"data: 1\n\n"
        time.sleep(0.1)


async def async_sleeping(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.sleep(100)


async def async_endless(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})


@pytest.mark.parametrize("application", [sleeping, async_sleeping])
def test_an_application_that_does_not_answer_is_silent(application: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.suite.applications.asgi._START_SECONDS", 0.2)
    target = asking(functools.partial(application) if application is sleeping else no_lifespan(application), 0.2)
    begun = time.monotonic()
    exchange = target.send(WireRequest("GET", "/"))
    target.close()
    assert (exchange.response, exchange.slow) == (None, True)
    assert time.monotonic() - begun < 10


def no_lifespan(application: Any) -> Any:
    async def called(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await application(scope, receive, send)

    return called


@pytest.mark.parametrize("application", [endless, no_lifespan(async_endless)])
def test_a_stream_is_left_after_some_time(application: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.suite.target.framing.STREAM_SECONDS", 0.3)
    target = asking(application, 5.0, max_response=2_000_000)
    response = target.send(WireRequest("GET", "/")).response
    target.close()
    assert response is not None
    assert response.unread
    assert response.body


def test_a_lifespan_that_fails_is_told() -> None:
    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "Traceback\nno database"})

    target = asking(application)
    with pytest.raises(MockServerError, match="its lifespan did not start: no database"):
        target.send(WireRequest("GET", "/"))
    target.close()
