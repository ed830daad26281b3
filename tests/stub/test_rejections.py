"""Rejections: which one wins, and what each tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.json import MAX_DEPTH
from mockserver.stub.stub_options import USUAL_MAX_BODY

if TYPE_CHECKING:
    from tests.conftest import Answer, Client

MAILER = "/api/v1/settings/system_mailer/"
MASTER = "/api/v1/settings/imap_master_password/"
AUTH = "/api/v1/auth/"
GOOD = {"server_hostname": "h.example", "server_port": 25, "username": "u", "password": "p"}
BAD = {"server_hostname": "", "server_port": 70000, "username": "u", "extra": 1}
PROBLEM = "application/problem+json"


def _is_problem(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status == status, answer
    assert answer.fields["content-type"] == PROBLEM
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


# What is wrong with a request, each on its own, in the order in which it must be told.
FAULTS: list[tuple[int, dict[str, Any]]] = [
    (404, {"path": "/no/such/path"}),
    (405, {"method": "PUT"}),
    (401, {"user": None}),
    (403, {"user": "mail"}),
    (413, {"content": b" " * (USUAL_MAX_BODY + 1)}),
    (415, {"media_type": "text/plain"}),
    (400, {"content": b"{"}),
    (422, {"content": json.dumps(BAD).encode()}),
]


def _call(client: Client, *faults: dict[str, Any]) -> Answer:
    request: dict[str, Any] = {
        "method": "POST",
        "path": MAILER,
        "user": "admin",
        "media_type": "application/json",
        "content": json.dumps(GOOD).encode(),
    }
    for fault in faults:
        request.update(fault)
    return client.call(
        request["method"],
        request["path"],
        user=request["user"],
        content=request["content"],
        fields={"Content-Type": request["media_type"]},
    )


@pytest.mark.parametrize("first", range(len(FAULTS)), ids=[str(status) for status, _ in FAULTS])
def test_of_two_faults_the_earlier_is_told(stub: Client, first: int) -> None:
    status, fault = FAULTS[first]
    _is_problem(_call(stub, fault), status)
    for _later, other in FAULTS[first + 1 :]:
        # The later fault is put in first, so that where both set the same thing the earlier one is sent.
        _is_problem(_call(stub, other, fault), status)


def test_all_faults_at_once(stub: Client) -> None:
    everything = [fault for _, fault in reversed(FAULTS)]
    for status, fault in FAULTS:
        _is_problem(_call(stub, *everything), status)
        everything.remove(fault)
    assert _call(stub, *everything).status == 200


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (MAILER, "DELETE, GET, HEAD, OPTIONS, POST"),
        (AUTH, "DELETE, GET, HEAD, OPTIONS, POST"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "BREW"])
def test_405_says_what_is_allowed(stub: Client, path: str, allow: str, method: str) -> None:
    answer = stub.call(method, path)
    _is_problem(answer, 405)
    assert answer.fields["allow"] == allow


def test_head_is_get_without_content(stub: Client) -> None:
    stub.call("POST", MAILER, json=GOOD)
    full, head = stub.call("GET", MAILER), stub.call("HEAD", MAILER)
    assert (head.status, head.content) == (full.status, b"") == (200, b"")
    assert head.fields["content-type"] == full.fields["content-type"]
    assert head.fields["content-length"] == str(len(full.content))


def test_options_tells_the_methods(stub: Client) -> None:
    answer = stub.call("OPTIONS", MAILER, user=None)
    assert (answer.status, answer.content) == (204, b"")
    assert answer.fields["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    "field",
    [
        "<none>",
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWRtaW4",
        "Basic YWRtaW46",
        "Basic OmxvbmctYXV0aF90b2tlbi1oZXJl",
        "Basic YWRtaW46d3Jvbmc=",
        "Bearer long-auth_token-here",
        "Digest username=admin",
        "Basic gIA6gIA=",
        "Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU=,Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU=",
        "Basic " + "A" * 8000,
    ],
)
def test_401_has_a_challenge(stub: Client, field: str) -> None:
    for method, path in (("GET", MAILER), ("POST", MAILER), ("DELETE", AUTH)):
        answer = stub.call(method, path, user=None, fields={"Authorization": field})
        _is_problem(answer, 401)
        assert answer.fields["www-authenticate"] == 'Basic realm="mockserver", charset="UTF-8"'


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_scheme_is_taken_in_any_case(stub: Client, scheme: str) -> None:
    field = f"{scheme} YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU="
    assert stub.call("GET", MAILER, user=None, fields={"Authorization": field}).status == 204


@pytest.mark.parametrize("user", ["mail", "domain"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", [MAILER, MASTER])
def test_the_settings_are_for_the_mightiest(stub: Client, user: str, method: str, path: str) -> None:
    problem = _is_problem(stub.call(method, path, user=user), 403)
    assert "MasterAdmin" in problem["detail"]


@pytest.mark.parametrize("user", ["admin", "mail", "domain"])
def test_every_level_may_ask_about_its_token(stub: Client, user: str) -> None:
    assert stub.call("GET", AUTH, user=user).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/v1/settings/",
        "/api/v1/settings/system_mailer",
        "/api/v1/settings//",
        "/api/v1/settings/system_mailer/x/",
        "/API/v1/auth/",
        "//api/v1/auth/",
        "/api/v1/auth/%2e%2e/",
        "/api/v1/settings/a%2Fb/",
    ],
)
def test_404_outside_of_the_contract(stub: Client, path: str) -> None:
    _is_problem(stub.call("GET", path), 404)


@pytest.mark.parametrize(
    "name", ["x", "SYSTEM_MAILER", "system_mailer%0A", "%C3%A9", "a%20b", "a.b", "x" * 65, "%00", "__proto__"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_404_for_every_other_setting(stub: Client, name: str, method: str) -> None:
    _is_problem(stub.call(method, f"/api/v1/settings/{name}/"), 404)


def test_percent_encoding_does_not_change_the_path(stub: Client) -> None:
    assert stub.call("GET", "/api/v1/settings/system%5Fmailer/").status == 204
    assert stub.call("GET", "/%61pi/v1/auth/").status == 200


def test_a_missing_slash_is_hinted_at_in_the_journal(stub: Client) -> None:
    stub.call("GET", "/api/v1/auth")
    assert "did you mean /api/v1/auth/" in stub.journal()[0]["why"]


@pytest.mark.parametrize("size", [USUAL_MAX_BODY + 1, 3 * USUAL_MAX_BODY])
def test_413_when_announced(stub: Client, size: int) -> None:
    _is_problem(stub.call("POST", MAILER, content=b" " * size), 413)


def test_413_when_it_comes_in_chunks(stub: Client) -> None:
    piece = b" " * 65536
    _is_problem(stub.call("POST", MAILER, content=(piece for _ in range(USUAL_MAX_BODY // 65536 + 1))), 413)


def test_the_largest_content_is_read(stub: Client) -> None:
    body = json.dumps({"filler": ""}).encode()
    filled = body.replace(b'""', b'"' + b"x" * (USUAL_MAX_BODY - len(body)) + b'"')
    assert len(filled) == USUAL_MAX_BODY
    assert stub.call("POST", MASTER, content=filled).status == 200
    assert (
        stub.call("POST", MASTER, content=(filled[at : at + 9999] for at in range(0, len(filled), 9999))).status == 200
    )
    assert stub.call("POST", MASTER, content=filled + b" ").status == 413


def test_content_in_chunks_is_read(stub: Client) -> None:
    pieces = (bytes([byte]) for byte in json.dumps(GOOD).encode())
    assert stub.call("POST", MAILER, content=pieces).status == 200


@pytest.mark.parametrize(
    "media_type",
    [
        "<none>",
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
        "application/problem+json",
        "multipart/form-data; boundary=x",
        "json",
        ";",
        "application/json, text/plain",
    ],
)
def test_415(stub: Client, media_type: str) -> None:
    answer = stub.call("POST", MAILER, content=json.dumps(GOOD).encode(), fields={"Content-Type": media_type})
    _is_problem(answer, 415)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json ; version=1",
    ],
)
def test_media_types_that_are_json(stub: Client, media_type: str) -> None:
    answer = stub.call("POST", MAILER, content=json.dumps(GOOD).encode(), fields={"Content-Type": media_type})
    assert answer.status == 200


DEEP = b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b"{} {}",
        b"{}x",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a" 1}',
        b"{a: 1}",
        b"nul",
        b"NaN",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": +1}',
        b'{"a": .5}',
        b'{"a": 1.}',
        b'{"a": 0x10}',
        b'{"a": 1e999}',
        b'{"a": 1_000}',
        b'{"a": "\x00"}',
        b'{"a": "\n"}',
        b'{"a": "\\x41"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32"),
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
        DEEP,
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 1001 + b"}",
        b'{"a": ' + b"9" * 100_000 + b"}",
        b"\x1f\x8b\x08\x00",
        b"// comment\n{}",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_400_for_what_is_not_json(stub: Client, content: bytes) -> None:
    problem = _is_problem(stub.call("POST", MASTER, content=content), 400)
    assert len(json.dumps(problem)) < 2000


@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_content_whatever_breaks_the_stub(local_stub: Client, content: bytes) -> None:
    for path in (MAILER, MASTER, AUTH):
        answer = local_stub.call("POST", path, content=content)
        assert answer.status in {200, 400, 401, 422}
        answer.json()


def test_nesting_up_to_the_limit_is_read(stub: Client) -> None:
    inner = MAX_DEPTH - 1
    assert stub.call("POST", MASTER, content=b'{"a":' + b"[" * inner + b"]" * inner + b"}").status == 200
    brackets = json.dumps({"a": "[" * 1000, 'b\\"': '"\\' + "{" * 1000}).encode()
    assert stub.call("POST", MASTER, content=brackets).status == 200


def test_nul_and_noncharacters_in_strings_are_json(stub: Client) -> None:
    content = b'{"server_hostname": "\\u0000", "server_port": 1, "username": "\\uffff\\ud83d\\ude00", "password": "x"}'
    answer = stub.call("POST", MAILER, content=content)
    assert answer.json()["settings"]["value"] == {
        "server_hostname": "\0",
        "server_port": 1,
        "username": "\uffff😀",
    }


def test_of_a_member_that_stands_twice_the_last_counts(stub: Client) -> None:
    path = "/api/v1/settings/junk_trash_clearing_interval/"
    answer = stub.call("POST", path, content=b'{"junk_days": -5, "trash_days": 1, "junk_days": 2}')
    assert answer.json()["settings"]["value"] == {"junk_days": 2, "trash_days": 1}


def test_422_lists_every_violation_with_its_provenance(stub: Client) -> None:
    problem = _is_problem(stub.call("POST", MAILER, json=BAD), 422)
    found = {violation["pointer"]: violation for violation in problem["violations"]}
    assert found.keys() == {"/server_hostname", "/server_port", "/password", "/extra"}
    assert len(problem["violations"]) == 4

    port = found["/server_port"]
    assert port["in"] == "body"
    assert port["keyword"] == "maximum"
    assert port["value"] == 70000
    assert "65535" in str(port["expected"])
    assert port["provenance"] == {
        "kind": "assumed",
        "reason": "a TCP port number has 16 bits",
        "pointer": "/components/schemas/ServerPort/maximum",
    }
    assert "70000" in port["message"]

    assert found["/server_hostname"]["keyword"] == "minLength"
    assert found["/server_hostname"]["value"] == ""
    missing = found["/password"]
    assert missing["keyword"] == "required"
    assert "value" not in missing
    assert missing["provenance"]["kind"] == "assumed"
    assert found["/extra"]["keyword"] == "additionalProperties"
    assert "password" in found["/extra"]["message"], "the known names are a help"


def test_a_documented_rule_is_told_as_documented(stub: Client) -> None:
    answer = stub.call("POST", MAILER, json={**GOOD, "server_port": "25"})
    (violation,) = answer.json()["violations"]
    assert violation["keyword"] == "type"
    assert violation["provenance"]["kind"] == "source"
    assert violation["provenance"]["reason"] == "setting_post"
    assert violation["value"] == "25"


@given(
    body=st.fixed_dictionaries(
        {},
        optional={
            "junk_days": st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.text(),
            "trash_days": st.integers(-5, 5) | st.booleans() | st.lists(st.integers(), max_size=2),
            "other": st.just(1),
        },
    )
)
def test_as_many_violations_are_listed_as_there_are(local_stub: Client, body: dict[str, Any]) -> None:
    """Counted here by hand, from what the documentation and our assumptions say of the two members."""

    def wrong(name: str) -> bool:
        value = body.get(name)
        if isinstance(value, float):
            value = int(value) if value.is_integer() else None
        return not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 36500

    expected = {f"/{name}" for name in ("junk_days", "trash_days") if wrong(name)}
    expected |= {f"/{name}" for name in body if name == "other"}
    answer = local_stub.call("POST", "/api/v1/settings/junk_trash_clearing_interval/", json=body)
    if not expected:
        assert answer.status == 200
    else:
        assert answer.status == 422
        assert sorted(answer.pointers) == sorted(expected)


@pytest.mark.parametrize("body", [[], "text", 1, 1.5, True, None, [GOOD]])
def test_anything_but_an_object_is_422(stub: Client, body: Any) -> None:
    for path in (MAILER, MASTER, AUTH):
        problem = _is_problem(stub.call("POST", path, json=body), 422)
        assert [violation["keyword"] for violation in problem["violations"]] == ["type"]
        assert problem["violations"][0]["pointer"] == ""


def test_a_flood_of_violations_is_bounded_and_counted(stub: Client) -> None:
    body = {**GOOD, **{f"name{number}": number for number in range(20_000)}}
    answer = stub.call("POST", MAILER, json=body)
    problem = _is_problem(answer, 422)
    assert "19999 more" in problem["detail"]
    assert len(answer.content) < 100_000
    assert len(json.dumps(stub.journal())) < 100_000, "the journal keeps as little as it shows"


def test_long_values_are_shortened(stub: Client) -> None:
    answer = stub.call("POST", MAILER, json={**GOOD, "server_hostname": "x" * 100_000, "username": "y" * 100_000})
    _is_problem(answer, 422)
    assert len(answer.content) < 5000


def test_the_error_names_the_json_pointer_with_escapes(stub: Client) -> None:
    answer = stub.call("POST", MAILER, json={**GOOD, "a/b~c": 1})
    assert answer.pointers == ["/a~1b~0c"]
