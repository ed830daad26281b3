"""Hostile requests of every form that a contract can ask for: each gets an answer, none a 5xx, none takes long."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.stub.app import create_app
from tests.conftest import Answer, Client, send_to_app

Bodies = st.SearchStrategy[bytes]

#: Far more than any of these takes, and far less than what grows with the square of its content.
PATIENCE_SECONDS = 30.0
KINDS = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
    "mixed": "multipart/mixed",
    "xml": "application/xml",
    "text": "text/plain",
    "lines": "application/x-ndjson",
    "binary": "application/octet-stream",
    "text-range": "text/*",
    "range": "*/*",
}
STYLES = [
    *(("path", style, explode) for style in ("simple", "label", "matrix") for explode in (False, True)),
    *(("query", style, explode) for style in ("form", "spaceDelimited", "pipeDelimited") for explode in (False, True)),
    ("query", "deepObject", True),
    *(("header", "simple", explode) for explode in (False, True)),
    *(("cookie", "form", explode) for explode in (False, True)),
]
ARRAY = {"type": "array", "items": {"type": "integer"}}
OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}, "list": ARRAY}}
ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "n": {"type": "integer", "minimum": 0},
        "x": {"type": ["number", "null"], "multipleOf": 0.01},
        "b": {"type": "boolean"},
        "s": {"type": "string", "pattern": "^[a-z]*$", "maxLength": 9},
        "date": {"type": "string", "format": "date-time"},
        "file": {"type": "string", "format": "binary"},
        "list": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        "inner": {"$ref": "#/components/schemas/Item"},
        "any": {},
    },
}


def _contract() -> dict[str, Any]:
    item = {"$ref": "#/components/schemas/Item"}
    paths: dict[str, Any] = {}
    shown = {"description": "", "content": {"application/json": {"schema": item}}}
    one = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    for kind, media_type in KINDS.items():
        schema = {"type": "array", "items": item} if kind == "lines" else {} if "text" in kind else item
        body = {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
        paths[f"/{kind}"] = {"post": {**body, "responses": {"201": shown}}}
        paths[f"/{kind}/{{id}}"] = {
            "parameters": [one],
            "get": {"responses": {"200": shown}},
            "put": {**body, "responses": {"200": shown}},
        }
    for index, (location, style, explode) in enumerate(STYLES):
        parameters: list[dict[str, Any]] = [
            {"name": name, "in": location, "style": style, "explode": explode, "schema": schema, "required": True}
            for name, schema in (("list", ARRAY), ("object", OBJECT), ("plain", {"type": "integer"}))
        ]
        if location in {"query", "header"}:
            content = {"application/json": {"schema": item}}
            parameters.append({"name": "content", "in": location, "content": content})
        path = f"/p{index}" + ("/{list}/{object}/{plain}" if location == "path" else "")
        paths[path] = {"get": {"parameters": parameters, "responses": {"200": shown}}}
    info = {"title": "all forms", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": {"Item": ITEM}}}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A stub of a contract with every kind of content and every style of parameter."""
    path = tmp_path_factory.mktemp("attacked") / "contract.json"
    path.write_text(json.dumps(_contract()), encoding="utf-8")
    return Client(send_to_app(create_app(path).wsgi_app))


def _attack(client: Client, method: str, path: str, content: bytes | None, fields: Mapping[str, str]) -> Answer:
    """Send a request and check that its answer is one, in time."""
    started = time.monotonic()
    answer = client.call(method, path, user=None, content=content, fields=fields)
    taken = time.monotonic() - started
    assert answer.status < 500, (answer, method, path, (content or b"")[:300], fields)
    assert taken < PATIENCE_SECONDS, (taken, method, path, (content or b"")[:300], fields)
    return answer


def _nested_multipart(depth: int) -> bytes:
    heads = [b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (n, n + 1) for n in range(depth)]
    return b"".join([b"--b\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n", *heads, b"x\r\n--b--\r\n"])


def _part(head: bytes, content: bytes = b"1") -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.sampled_from([0, -0.0, 1e308, 5e-324, 2**63, 2**64, 10**400])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*ITEM["properties"], "", "~/%"]), inner)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from([*ITEM["properties"], "list[]", "inner[inner][n]", "inner[", "]", "[]", "", "é"])
RAW = st.binary(max_size=40) | st.sampled_from([b"", b"\0", b"\xff", b"%", b"%ff", b"+", b"&&=", b"\r\n", b"--b--"])
AS_JSON = JSON_VALUES.map(lambda value: json.dumps(value).encode())
AS_FORM = st.lists(st.tuples(NAMES, RAW), max_size=6).map(
    lambda pairs: b"&".join(name.encode() + b"=" + text for name, text in pairs)
)
HEADS = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="%s"',
        b"Content-Disposition: form-data; name*=utf-8''%s",
        b"Content-Disposition: form-data; name*0*=; name*1=%s",
        b"Content-Disposition: form-data; name=%s\r\nContent-Type: application/json",
        b'Content-Disposition: form-data; name="%s\r\nContent-Type: text/plain; charset="',
        b"Content-Disposition: %s\r\nContent-Transfer-Encoding: base64",
        b"Content-Disposition: ;;==%s;\r\nContent-Transfer-Encoding: x-uuencode",
        b"Content-Disposition: form-data; name*=utf-7''+2AA-%s",
        b"Content-Disposition: form-data; name*=idna''%s",
        b"%s",
        b":%s",
        b"Content-Type: message/rfc822; name=%s",
        b"Content-Type: message/delivery-status; name=%s",
        b"Content-Type: multipart/digest; boundary=%s",
        b"Content-Type: text/plain; charset*=x'y'%s",
    ]
)
AS_PARTS = st.lists(st.tuples(HEADS, NAMES.map(str.encode) | RAW, RAW | AS_JSON), max_size=4).map(
    lambda parts: b"".join(b"--b\r\n" + h % n + b"\r\n\r\n" + c + b"\r\n" for h, n, c in parts) + b"--b--\r\n"
)
AS_XML = st.lists(
    st.tuples(st.sampled_from(["Item", "n", "list", "inner", "a:b"]), st.text(max_size=5)), max_size=6
).map(
    lambda tags: (
        "".join(f"<{name} x='1'>" for name, _ in tags) + "".join(f"{text}</{name}>" for name, text in reversed(tags))
    ).encode("utf-8", "replace")
)
AS_LINES = st.lists(AS_JSON | RAW, max_size=4).map(b"\n".join)
CONTENTS: Bodies = st.one_of(RAW, AS_JSON, AS_FORM, AS_PARTS, AS_XML, AS_LINES)
CHARSETS = st.sampled_from(
    ["", "utf-8", "utf-16", "utf-7", "iso-8859-1", "utf-32-be", "hex", "unicode_escape", "cp037", "\0", "é" * 9, '"']
)
ESSENCES = st.sampled_from(
    [*KINDS.values(), "application/a+json", "a/b+xml", "text/csv", "text/*", "/", "x", "multipart/"]
)
TYPES = st.builds(lambda name, charset: f"{name}; boundary=b; charset={charset}", ESSENCES, CHARSETS)
TEXTS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "1,2",
        "n,1",
        "n=1",
        "n,1,s",
        "[[",
        "[" * 500,
        "{" * 500,
        "9" * 5000,
        "1e999",
        "-",
        ";",
        ".",
        "%ff",
        "\0",
        "é",
        "null",
    ]
)


@given(st.sampled_from([*KINDS]), st.sampled_from(["POST", "PUT"]), TYPES, CONTENTS)
@settings(max_examples=300)
def test_content(attacked: Client, kind: str, method: str, field: str, content: bytes) -> None:
    _attack(attacked, method, f"/{kind}" if method == "POST" else f"/{kind}/1", content, {"Content-Type": field})


@given(st.sampled_from([*KINDS]), st.sampled_from(["", "; charset=utf-7", "; charset=utf-16"]), st.data())
@settings(max_examples=300)
def test_content_of_its_own_kind(attacked: Client, kind: str, charset: str, data: st.DataObject) -> None:
    form, own = (
        {
            "json": AS_JSON,
            "form": AS_FORM,
            "multipart": AS_PARTS,
            "mixed": AS_PARTS,
            "xml": AS_XML,
            "lines": AS_LINES,
        }.get(kind, CONTENTS),
        KINDS[kind].replace("*", "plain"),
    )
    content = data.draw(form)
    _attack(attacked, "POST", f"/{kind}", content, {"Content-Type": f"{own}; boundary=b{charset}"})


@pytest.mark.parametrize("kind", ["text", "form", "xml", "multipart"])
def test_half_of_a_pair_of_surrogates(attacked: Client, kind: str) -> None:
    """UTF-7 can say what no other encoding can, and no answer and no journal could hold it."""
    content = {
        "text": b"+2AA-",
        "form": b"s=+2AA-&+2AA-=1",
        "xml": b"<Item><any>+2AA-</any></Item>",
        "multipart": _part(b'Content-Disposition: form-data; name="any"\r\nContent-Type: a/b; charset=utf-7', b"+2AA-"),
    }[kind]
    _attack(attacked, "POST", f"/{kind}", content, {"Content-Type": f"{KINDS[kind]}; boundary=b; charset=utf-7"})
    attacked.journal()


DEEP = 10_000
LONG = 300_000


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("json", b"[" * DEEP + b"]" * DEEP),
        ("json", b'{"inner":' * DEEP + b"1" + b"}" * DEEP),
        ("json", b'{"inner":' * 127 + b"{}" + b"}" * 127),
        ("json", b'{"any":' + b"[" * 126 + b"]" * 126 + b"}"),
        ("json", b"9" * LONG),
        ("json", b'{"x":' + b"9" * 4301 + b"}"),
        ("json", b'{"list":[' + b"1," * (LONG // 2) + b"1]}"),
        ("json", b'{"s":"' + b"a" * LONG + b'"}'),
        ("json", b" " * (10 * LONG)),
        ("xml", b"<a>" * DEEP + b"</a>" * DEEP),
        ("xml", b"<Item>" + b"<inner>" * 126 + b"</inner>" * 126 + b"</Item>"),
        ("xml", b"<Item>" + b"<list>1</list>" * (LONG // 14) + b"</Item>"),
        ("xml", b"<Item>" + b"".join(b"<a%d/>" % n for n in range(LONG // 9)) + b"</Item>"),
        ("xml", b"<Item " + b"".join(b"a%d='1' " % n for n in range(LONG // 12)) + b"/>"),
        ("xml", b"<Item><n>" + b"1" * LONG + b"</n></Item>"),
        ("xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        ("form", b"inner" + b"[inner]" * DEEP + b"=1"),
        ("form", b"&".join(b"a%d=1" % n for n in range(LONG // 9))),
        ("form", b"list=" + b"1," * (LONG // 2)),
        ("form", b"&".join([b"list[]=1"] * (LONG // 9))),
        ("form", b"n=" + b"%31" * (LONG // 3)),
        ("form", b"inner=" + b"[" * DEEP),
        ("multipart", _nested_multipart(DEEP)),
        ("mixed", _nested_multipart(DEEP)),
        ("multipart", _part(b"Content-Type: message/rfc822", b"Content-Type: message/rfc822\r\n\r\n" * DEEP)),
        ("multipart", b"--b\r\n\r\n" * (LONG // 7)),
        ("multipart", _part(b"a: b\r\n" * (LONG // 6))),
        ("multipart", _part(b'Content-Disposition: form-data; name="' + b"a" * LONG + b'"')),
        ("multipart", _part(b"Content-Disposition: form-data" + b"; a=b" * 20_000)),
        ("multipart", _part(b"Content-Disposition: form-data; name=" + b"(" * 20_000)),
        ("multipart", _part(b"Content-Disposition: form-data; name=" + b"=?utf-8?q?a?= " * 20_000)),
        ("multipart", _part(b"Content-Disposition: form-data;" + b"\r\n a" * 100_000)),
        ("multipart", _part(b'Content-Disposition: form-data; name="any"', b"[" * DEEP)),
        ("multipart", _part(b"Content-Type: text/plain; charset=" + b"a" * LONG)),
        ("lines", b"[" * DEEP),
        ("lines", b"1\n" * 10_000),
        ("text", b"\xff" * LONG),
        ("binary", b"\0" * LONG),
    ],
    ids=lambda value: value[:30].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_deep_and_long_content(attacked: Client, kind: str, content: bytes) -> None:
    _attack(attacked, "POST", f"/{kind}", content, {"Content-Type": f"{KINDS[kind]}; boundary=b"})


@given(st.sampled_from(range(len(STYLES))), st.lists(st.tuples(NAMES | st.just("object"), TEXTS), max_size=5))
@settings(max_examples=300)
def test_parameters(attacked: Client, index: int, given_values: list[tuple[str, str]]) -> None:
    location, _, _ = STYLES[index]
    texts = [text for _, text in given_values]
    fields, path = {}, f"/p{index}"
    if location == "path":
        path += "".join(f"/{quote(text, safe='') or 'x'}" for text in [*texts, "", "", ""][:3])
    elif location == "query":
        names = ["list", "object", "plain", "content", "object[n]"]
        pairs = [f"{name}={text}" for name, text in zip(names, texts, strict=False)]
        path += "?" + quote("&".join([*pairs, *(f"{name}={text}" for name, text in given_values)]), safe="&=[]%+,|;")
    elif location == "header":
        fields = dict(zip(["list", "object", "plain", "content"], texts, strict=False))
    else:
        fields = {"Cookie": "; ".join(f"{name}={text}" for name, text in zip(["list", "object"], texts, strict=False))}
    _attack(attacked, "GET", path, None, fields)


FIELDS = st.sampled_from(
    [
        *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Length", "Cookie", "Expect"),
        *("Host", "If-Match", "If-None-Match", "If-Modified-Since", "Mock-World", "Origin", "Prefer", "Range"),
        *("Access-Control-Request-Method", "Access-Control-Request-Headers", "X-Forwarded-For", "X-Request-Id"),
    ]
)
VALUES = TEXTS | st.sampled_from(
    [
        "*/*;q=x",
        "code=999",
        "code=0",
        "example=",
        "Basic !",
        "Basic =",
        "Digest =,=,",
        "Bearer ",
        '"',
        "W/",
        "bytes=9-1",
        "-1",
    ]
)


@given(st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "HEAD", "é"]), st.dictionaries(FIELDS, VALUES, max_size=4))
@settings(max_examples=300)
def test_fields(attacked: Client, method: str, fields: Mapping[str, str]) -> None:
    _attack(attacked, method, "/json/1", b"{}", {"Content-Type": "application/json", **fields})
