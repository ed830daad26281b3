"""The control API: what it shows and changes, and to whom it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.messages import MASK
from mockserver.stub.control.journal import MAX_CONTENT_BYTES, MAX_ENTRIES

if TYPE_CHECKING:
    from tests.conftest import Client

MAILER = "/api/v1/settings/system_mailer/"
GOOD = {"server_hostname": "h", "server_port": 25, "username": "u", "password": "hidden-password"}
CALLS = [
    ("GET", "/health"),
    ("GET", "/contract.json"),
    ("GET", "/state"),
    ("GET", "/journal"),
    ("GET", "/clock"),
    ("PUT", "/clock"),
    ("POST", "/mailcheap/domains/verify"),
    ("POST", "/reset"),
    ("DELETE", "/world"),
]
GUARDED = CALLS[1:]
MakeStub = Callable[..., "Client"]


def _control(client: Client, method: str, path: str, **fields: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    content = {"/clock": b'{"now": 1}', "/mailcheap/domains/verify": b'{"domain": "vonmail.com"}'}.get(path)
    content = None if method == "GET" else content
    return client.call(method, "/__mock__" + path, user=None, content=content, fields=named)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_answers_json(stub: Client, method: str, path: str) -> None:
    answer = _control(stub, method, path, Mock_World="asked")
    assert answer.status == 200
    assert answer.fields["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)


FOREIGN_ORIGINS = [
    "http://evil.example",
    "https://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example:8080",
    "null",
    "http://[",
    "http://[::1",
    "http://",
    "",
    "127.0.0.1",
    "file://",
    "http://0.0.0.0",
    "http://127.0.0.1@evil.example",
    "http://evil.example#127.0.0.1",
    "http://evil.example\\127.0.0.1",
    "http://evil.example\\@127.0.0.1",
    "http://evil.example/@localhost",
    "http://a@127.0.0.1",
    "chrome-extension://abcdef",
    "x" * 5000,
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS, ids=lambda origin: origin[:30])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_foreign_origin_is_refused(local_stub: Client, method: str, path: str, origin: str) -> None:
    answer = _control(local_stub, method, path, Origin=origin)
    assert answer.status == 403
    assert answer.fields["content-type"] == "application/problem+json"
    assert len(answer.content) < 1000


FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "evil.example\\@127.0.0.1",
    "localhost.evil.example",
    "0.0.0.0",
    "192.168.0.1",
    "[::2]",
    "[",
    "]",
    "[::1",
    "127.0.0.1@evil.example",
    "evil.example#127.0.0.1",
    "2130706433",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_foreign_host_is_refused(local_stub: Client, method: str, path: str, host: str) -> None:
    """A web page whose name was pointed at this machine (DNS rebinding) sends its own name."""
    assert _control(local_stub, method, path, Host=host).status in {400, 403}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1234", "localhost", "localhost:80", "LOCALHOST", "[::1]:8080", "127.9.9.9"]
)
def test_loopback_hosts_are_let_in(local_stub: Client, host: str) -> None:
    assert _control(local_stub, "GET", "/state", Host=host).status == 200


def test_a_refused_call_changes_nothing(local_stub: Client) -> None:
    local_stub.call("POST", MAILER, json=GOOD)
    for fields in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        _control(local_stub, "POST", "/reset", **fields)
        _control(local_stub, "PUT", "/clock", **fields)
    assert local_stub.control("GET", "/clock")["standing"] is False
    assert local_stub.call("GET", MAILER).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:3000", "null"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_cors_headers_ever(stub: Client, method: str, origin: str) -> None:
    for _, path in CALLS:
        fields = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        answer = stub.call(method, "/__mock__" + path, user=None, fields=fields)
        assert not [name for name in answer.fields if name.startswith("access-control-")]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "stub.example", ""])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_off_loopback_it_is_closed(make_stub: MakeStub, host: str, method: str, path: str) -> None:
    client = make_stub(host=host)
    assert _control(client, method, path).status == 403
    assert _control(client, method, path, Authorization="Bearer nonsense").status == 403
    assert _control(client, "GET", "/health").status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_control_token_opens_it(make_stub: MakeStub, host: str, method: str, path: str) -> None:
    client = make_stub(host=host, control_token="t0ken-of-control")
    for field in ("Bearer wrong", "Bearer", "", "Basic t0ken-of-control", "t0ken-of-control", "Bearer \u00e9"):
        answer = _control(client, method, path, Authorization=field)
        assert answer.status == 401
        assert answer.fields["www-authenticate"].startswith("Bearer")
    for field in ("Bearer t0ken-of-control", "bearer t0ken-of-control"):
        assert _control(client, method, path, Authorization=field, Mock_World="opened").status == 200
    fields = {"Authorization": "Bearer t0ken-of-control", "Origin": "http://evil.example"}
    assert _control(client, method, path, **fields).status == 403


def test_the_control_token_is_shown_nowhere(make_stub: MakeStub) -> None:
    client = make_stub(control_token="t0ken-of-control")
    token = {"Authorization": "Bearer t0ken-of-control"}
    client.call("GET", MAILER, fields=token)
    for path in ("/journal", "/state"):
        assert b"t0ken" not in client.call("GET", "/__mock__" + path, user=None, fields=token).content


def test_the_guard_holds_in_every_world_and_spelling(local_stub: Client) -> None:
    evil = {"Origin": "http://evil.example"}
    for path in ("/__mock__/state", "/%5F_mock__/state", "/__mock__/./state", "//__mock__/state"):
        answer = local_stub.call("GET", path, user=None, fields=evil)
        assert answer.status in {308, 403, 404}
        assert b"accounts" not in answer.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/nothing", 404),
        ("GET", "/state/", 404),
        ("POST", "/state", 405),
        ("DELETE", "/journal", 405),
        ("GET", "/reset", 405),
        ("POST", "/clock", 405),
    ],
)
def test_what_it_does_not_have(stub: Client, method: str, path: str, status: int) -> None:
    answer = stub.call(method, "/__mock__" + path, user=None)
    assert answer.status == status
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    if status == 405:
        assert answer.fields["allow"]


SENSELESS: list[Any] = [
    {},
    [],
    None,
    "text",
    5,
    {"unknown": 1},
    {"now": 1, "unknown": 1},
    {"now": -1},
    {"now": 253_402_300_800},
    {"now": 1.5},
    {"now": True},
    {"now": False},
    {"now": []},
    {"now": {}},
    {"now": ""},
    {"now": "tomorrow"},
    {"now": "2020-13-01"},
    {"now": "x" * 10_000},
    {"now": "9" * 5000},
    {"now": 10**300},
    {"advance_seconds": -1},
    {"advance_seconds": 1e12},
    {"advance_seconds": "1"},
    {"advance_seconds": None},
    {"advance_seconds": True},
    {"advance_seconds": []},
    {"advance_seconds": 10**300},
    {"now": 5, "advance_seconds": "x"},
    {"now": 5, "advance_seconds": -1},
    {"now": "x", "advance_seconds": 5},
    {"now": 253_402_300_799, "advance_seconds": 1},
]


@pytest.mark.parametrize("body", SENSELESS, ids=lambda body: json.dumps(body)[:40])
def test_a_senseless_clock_is_422_and_changes_nothing(stub: Client, body: Any) -> None:
    stub.set_clock(now=77)
    answer = stub.call("PUT", "/__mock__/clock", user=None, json=body)
    assert answer.status == 422
    assert len(answer.content) < 1000
    assert stub.control("GET", "/clock") == {"now": 77, "standing": True}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"now": NaN}', b"[" * 1000])
def test_a_clock_that_is_not_json_is_400(stub: Client, content: bytes) -> None:
    assert stub.call("PUT", "/__mock__/clock", user=None, content=content).status == 400


def test_the_control_api_reads_no_more_than_the_rest(stub: Client) -> None:
    assert stub.call("PUT", "/__mock__/clock", user=None, content=b" " * 1_500_000).status == 413


def test_the_clock_stands_moves_and_runs_again(stub: Client) -> None:
    before = stub.control("GET", "/clock")
    assert before["standing"] is False
    assert stub.control("PUT", "/clock", {"now": 100}) == {"now": 100, "standing": True}
    assert stub.control("PUT", "/clock", {"advance_seconds": 1.5}) == {"now": 101.5, "standing": True}
    assert stub.control("PUT", "/clock", {"now": 200, "advance_seconds": 1}) == {"now": 201, "standing": True}
    assert stub.control("PUT", "/clock", {"now": "2020-02-24T09:20:47Z"})["now"] == 1582536047
    assert stub.control("PUT", "/clock", {"now": "2020-02-24T10:20:47+01:00"})["now"] == 1582536047
    assert stub.control("PUT", "/clock", {"now": "77"})["now"] == 77
    running = stub.control("PUT", "/clock", {"now": None})
    assert running["standing"] is False
    assert running["now"] >= before["now"]
    ahead = stub.control("PUT", "/clock", {"advance_seconds": 1000})
    assert ahead["standing"] is False
    assert 1000 <= ahead["now"] - running["now"] < 1100


def test_the_clock_cannot_leave_the_calendar(stub: Client) -> None:
    stub.set_clock(now=253_000_000_000)
    statuses = [stub.call("PUT", "/__mock__/clock", user=None, json={"advance_seconds": 1e8}).status for _ in range(6)]
    assert statuses[-1] == 422
    assert stub.control("GET", "/clock")["now"] <= 253_402_300_799


def test_reset_brings_the_clock_of_the_start_back(make_stub: MakeStub) -> None:
    client = make_stub(clock=500)
    assert client.control("GET", "/clock") == {"now": 500, "standing": True}
    client.set_clock(advance_seconds=5)
    assert client.control("GET", "/clock")["now"] == 505
    client.control("POST", "/reset")
    assert client.control("GET", "/clock") == {"now": 500, "standing": True}


def test_state_shows_what_is_there_masked(stub: Client) -> None:
    stub.set_clock(now=1000)
    stub.call("POST", MAILER, json=GOOD)
    stub.call("POST", "/api/v1/settings/imap_master_password/", json={})
    state = stub.control("GET", "/state")
    assert state["accounts"]["admin"] == {"level": "MasterAdmin", "tokens": 1}
    assert [token["username"] for token in state["tokens"]].count("admin") == 1
    assert "long-auth_token" not in str(state)
    assert state["settings"]["system_mailer"] == {
        "phase": "applying",
        "since": 1000,
        "value": {"server_hostname": "h", "server_port": 25, "username": "u", "password": MASK},
    }
    assert state["settings"]["imap_master_password"]["value"] == MASK
    assert state["issued"] == {"imap_master_password": 1}
    assert stub.control("GET", "/state") == state


def test_the_journal_says_what_was_asked_and_why_it_was_answered_so(stub: Client) -> None:
    stub.call("POST", f"{MAILER}?a=b", json=GOOD)
    stub.call("GET", MAILER, user=None)
    stub.call("GET", "/nowhere")
    written, refused, lost = stub.journal()
    assert [written["number"], refused["number"], lost["number"]] == [1, 2, 3]
    assert written["operation"] == "setting_post_system_mailer"
    assert written["request"]["method"] == "POST"
    assert written["request"]["path"] == MAILER
    assert written["request"]["query"] == "a=b"
    assert written["request"]["content_type"] == "application/json"
    assert written["request"]["authorization"] == f"Basic admin:{MASK}"
    assert written["request"]["content"] == {**GOOD, "password": MASK}
    assert written["response"]["status"] == 200
    assert written["response"]["content"]["settings"]["status"] == "applying"
    assert refused["why"].startswith("Unauthorized")
    assert refused["request"]["authorization"] is None
    assert lost["operation"] == ""
    assert lost["response"]["status"] == 404


def test_the_journal_of_a_rejected_call_has_its_violations(stub: Client) -> None:
    stub.call("POST", MAILER, json={**GOOD, "server_port": 0})
    (entry,) = stub.journal()
    assert [violation["pointer"] for violation in entry["violations"]] == ["/server_port"]
    assert entry["violations"][0]["provenance"]["pointer"] == "/components/schemas/ServerPort/minimum"
    assert "/server_port" in entry["why"]


def test_the_journal_shows_queries_as_sent_and_masks_secrets_in_them(
    make_stub: MakeStub, write_contract: Callable[..., Path]
) -> None:
    scheme = {"type": "apiKey", "in": "query", "name": "key"}
    code = {"name": "code", "in": "query", "schema": {"allOf": [{"type": "string", "format": "password"}]}}
    paths = {"/a": {"get": {"parameters": [code], "responses": {"200": {"description": "ok"}}}}}
    contract = write_contract(paths, components={"securitySchemes": {"k": scheme}}, security=[{"k": []}])
    client = make_stub(contract)
    masked = ("key", "code", "auth_token", "filter%5Bpassword%5D", "user[apiKey]", "%74oken")
    shown = {"q": "a%20b+c", "page": "2", "monkey": "m", "empty": "", "token_type": MASK}
    nested = {"where": "%7B%22password%22%3A%22canary%22%7D", "back": "https://a.example/?token=canary"}
    for path in ("/a", "/not-there"):
        query = "&".join(
            (*(f"{name}=canary-{name}" for name in masked), *(f"{n}={v}" for n, v in (shown | nested).items()))
        )
        client.call("GET", f"{path}?{query}&flag&=x", user=None)
        entry = client.journal()[-1]
        expected = [f"{name}={MASK}" for name in masked] + [f"{n}={v}" for n, v in shown.items()]
        expected += [f"{name}={MASK}" for name in nested]
        assert entry["request"]["query"] == "&".join((*expected, "flag", "=x"))
        assert "canary" not in str(client.journal())


def test_the_journal_can_be_asked(stub: Client) -> None:
    for number in range(3):
        stub.call("GET", MAILER)
        stub.call("GET", "/api/v1/auth/", user=None if number else "admin")
    stub.call("DELETE", MAILER)

    def count(query: str) -> int:
        found: int = stub.control("GET", f"/journal?{query}")["count"]
        return found

    assert count("") == 7
    assert count("operation=setting_get_system_mailer") == 3
    assert count("status=401") == 2
    assert count("method=DELETE") == 1
    assert count("path=/api/v1/auth/&status=200") == 1
    assert count("operation=nothing") == 0
    limited = stub.control("GET", "/journal?limit=2")
    assert limited["count"] == 7
    assert [entry["number"] for entry in limited["entries"]] == [6, 7]
    assert stub.control("GET", "/journal?limit=0")["entries"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=-1", "limit=1.5", "limit=", "status=abc", "limit=9999999999", "operatoin=x", "Limit=1"],
)
def test_a_senseless_question_is_422(stub: Client, query: str) -> None:
    """A misspelt filter that is passed over would find everything: an assertion on it could not fail."""
    answer = stub.call("GET", f"/__mock__/journal?{query}", user=None)
    assert answer.status == 422
    assert answer.fields["content-type"] == "application/problem+json"


def test_the_journal_is_bounded(local_stub: Client) -> None:
    for _ in range(MAX_ENTRIES + 10):
        local_stub.call("GET", MAILER)
    journal = local_stub.journal()
    assert len(journal) == MAX_ENTRIES
    assert journal[0]["number"] == 11
    assert journal[-1]["number"] == MAX_ENTRIES + 10


def test_the_journal_keeps_no_long_content(stub: Client) -> None:
    content = json.dumps({"filler": "x" * (MAX_CONTENT_BYTES + 1)}).encode()
    stub.call("POST", "/api/v1/settings/imap_master_password/", content=content)
    (entry,) = stub.journal()
    assert entry["request"]["content"] == f"{len(content)} bytes, too long to keep"


def test_control_calls_are_not_in_the_journal(stub: Client) -> None:
    for method, path in CALLS:
        _control(stub, method, path)
    assert stub.journal() == []


def test_health_tells_which_contract(stub: Client, contract: Any) -> None:
    assert stub.control("GET", "/health") == {
        "status": "ok",
        "contract": contract.title,
        "contract_sha256": contract.document.sha256,
    }
