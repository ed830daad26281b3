"""One readable line for each request, which nobody can forge."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Client, Log, Serve

_NUMBERS = itertools.count()
MAILER = "/api/v1/settings/system_mailer/"
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (?P<status>\d{3}) (?P<method>\S+) (?P<path>.*?) (?P<operation>\S+) "
    r"[\d.]+ms (?P<note>.*)"
)


def _call_and_read(make_stub: Callable[..., Client], log: Log, path: str, **rest: Any) -> list[str]:
    client = make_stub(log=log, log_format=rest.pop("log_format", "text"))
    client.call(rest.pop("method", "GET"), path, **rest)
    client.call("GET", "/the-end")
    return log.wait_for("/the-end").splitlines()


def test_a_line_tells_all(make_stub: Callable[..., Client], log: Log) -> None:
    line, _ = _call_and_read(make_stub, log, "/api/v1/auth/")
    found = LINE.fullmatch(line)
    assert found is not None, line
    assert found["status"] == "200"
    assert found["method"] == "GET"
    assert found["path"] == "/api/v1/auth/"
    assert found["operation"] == "auth_get"
    assert found["note"] == "token is valid"


def test_a_rejected_call_names_the_first_violation(make_stub: Callable[..., Client], log: Log) -> None:
    body = {"server_hostname": "h", "server_port": 0, "username": "u"}
    line, _ = _call_and_read(make_stub, log, MAILER, method="POST", json=body)
    assert " 422 POST " in line
    assert re.search(r"/server_port.*1|/password.*required", line)
    assert "1 more" in line


def test_json_lines(make_stub: Callable[..., Client], log: Log) -> None:
    first, _ = _call_and_read(make_stub, log, "/api/v1/auth/", log_format="json")
    entry = json.loads(first)
    assert entry.keys() == {"at", "method", "path", "status", "operation", "note", "duration_ms"}
    assert (entry["status"], entry["operation"]) == (200, "auth_get")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_refused_requests_have_a_line_too(make_stub: Callable[..., Client], log: Log, log_format: str) -> None:
    lines = _call_and_read(make_stub, log, MAILER, fields={"Mock-World": "no such name"}, log_format=log_format)
    assert len(lines) == 2
    assert "400" in lines[0]


FORGED = "\r\n2020-01-01T00:00:00Z 200 GET /forged auth_get 0.01ms token is valid"


@pytest.fixture(params=["text", "json"])
def logged(request: pytest.FixtureRequest, make_stub: Callable[..., Client], log: Log) -> tuple[Client, str]:
    return make_stub(log=log, log_format=request.param), request.param


@settings(max_examples=25)
@given(middle=st.text(max_size=20))
@example(middle=FORGED)
@example(middle="\n")
@example(middle="\x1b[2J\x07\x7f\x85\u2028\u2029\u202e\x00")
@example(middle="\ud800")
@example(middle="\u200b\ufeff\xad")
def test_no_path_can_forge_a_line(logged: tuple[Client, str], log: Log, middle: str) -> None:
    client, log_format = logged
    before = len(log.getvalue())
    number = next(_NUMBERS)
    client.call("GET", "/a" + quote(middle.encode("utf-8", "surrogatepass")) + "z")
    client.call("GET", f"/the-end-{number}-")
    first, second, rest = log.wait_for(f"/the-end-{number}-")[before:].split("\n")
    assert rest == ""
    for line in (first, second):
        if log_format == "text":
            assert line.isprintable()
        else:
            assert json.loads(line)["status"] == 404


def test_values_in_a_violation_cannot_forge_a_line(make_stub: Callable[..., Client], log: Log) -> None:
    line, _ = _call_and_read(make_stub, log, MAILER, method="POST", json={"server_port": FORGED, FORGED: 1})
    assert line.isprintable()


def test_a_closed_log_does_not_take_the_stub_down(make_stub: Callable[..., Client], log: Log) -> None:
    client = make_stub(log=log)
    client.call("GET", "/first")
    log.wait_for("/first")
    log.close()
    for _ in range(3):
        assert client.call("GET", "/api/v1/auth/").status == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_last_request_before_the_end_is_in_the_log(serve: Serve, tmp_path: Path, workers: str) -> None:
    server = serve("--workers", workers, "--state", f"sqlite:///{tmp_path / 'state.db'}")
    for number in range(4):
        server.client.call("GET", f"/last-{number}")
    server.stop()
    log = server.log()
    assert [number for number in range(4) if f"/last-{number} " not in log] == []
