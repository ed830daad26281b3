"""Doors of small servers: which of them are open, and which answers say nothing of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, Handler, checked, content_of

TOKEN = "token-of-ann-0123456789"
BEARER = {"bearer": {"type": "http", "scheme": "bearer"}}
SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": BEARER["bearer"],
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "SID"},
}
ANN = Identity("ann", token=TOKEN)
_UNKNOWN, _NOBODY = "unknown_tokens_are_refused", "calls_without_credentials_are_refused"


def _secured(scheme: dict[str, Any], responses: Any) -> dict[str, Any]:
    return {
        "paths": {"/a": {"get": {"responses": responses}}},
        "components": {"securitySchemes": {"door": scheme}},
        "security": [{"door": []}],
    }


def _shown(call: Request, scheme: dict[str, Any]) -> str | None:
    if scheme["type"] == "http":
        field = call.headers.get("Authorization")
        return None if field is None else field.removeprefix("Bearer ")
    places: dict[str, Any] = {"header": call.headers, "query": call.args, "cookie": call.cookies}
    shown: str | None = places[scheme["in"]].get(scheme["name"])
    return shown


def _door(scheme: dict[str, Any], refused: Answer, opens: Callable[[str | None], bool]) -> Handler:
    def answer(call: Request) -> Answer:
        if call.path != "/a" or call.method != "GET":
            return 404, {}
        return (200, []) if opens(_shown(call, scheme)) else refused

    return answer


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES.keys())
@pytest.mark.parametrize(
    ("opens", "result"),
    [(lambda shown: shown == TOKEN, "passed"), (bool, "failed"), (lambda shown: shown in {TOKEN, ""}, "failed")],
    ids=["right", "any token", "an empty token"],
)
def test_a_made_up_token_and_an_empty_one_are_tried(
    write_contract: Callable[..., Path], scheme: dict[str, Any], opens: Callable[[str | None], bool], result: str
) -> None:
    path = write_contract(**_secured(scheme, {"200": {"description": ""}, "401": {"description": ""}}))
    judged = checked(path, _door(scheme, (401, None), opens), ANN)
    assert judged.result(_UNKNOWN, "GET /a")[0] == result
    assert bool(judged.at("violation")) is (result == "failed")


def test_an_open_door_needs_no_identity_to_be_seen(write_contract: Callable[..., Path]) -> None:
    path = write_contract(**_secured(BEARER["bearer"], {"200": {"description": ""}, "401": {"description": ""}}))
    judged = checked(path, _door(BEARER["bearer"], (401, None), bool))
    assert judged.result(_UNKNOWN, "GET /a")[0] == "failed"


@pytest.mark.parametrize("responses", [["200"], ["200", "401"], ["200", "302", "401"]])
def test_a_redirect_to_a_login_page_lets_nobody_in(write_contract: Callable[..., Path], responses: list[str]) -> None:
    path = write_contract(**_secured(SCHEMES["cookie"], {status: {"description": ""} for status in responses}))
    refused = (302, None, {"Location": "/login?next=/a"})
    judged = checked(path, _door(SCHEMES["cookie"], refused, lambda shown: shown == TOKEN), ANN)
    assert not judged.at("violation")
    # Documented, it may as well be what those get who are let in.
    assert judged.result(_NOBODY, "GET /a")[0] == ("not run" if "302" in responses else "passed")


@pytest.mark.parametrize(
    ("listed", "status", "level"),
    [
        ("200 401", 400, "drift"),
        ("200 401", 403, "drift"),
        ("200 401 403", 403, "drift"),
        ("200", 403, ""),
        ("200 400 401", 400, "violation"),
    ],
)
def test_a_refusal_otherwise_than_documented(
    write_contract: Callable[..., Path], listed: str, status: int, level: str
) -> None:
    path = write_contract(**_secured(BEARER["bearer"], {one: {"description": ""} for one in listed.split()}))
    judged = checked(path, _door(BEARER["bearer"], (status, None), lambda shown: shown == TOKEN), ANN)
    assert {one.level for one in judged.found if one.check == _NOBODY} == ({level} if level else set())


@pytest.mark.parametrize(
    ("content", "accepted"),
    [
        (b"<form>Please log in</form>", False),
        ({"error": "who are you?"}, False),
        ([], True),
        ([{"id": 2}], True),
        ({"items": [{"id": 1}]}, True),
    ],
)
@pytest.mark.parametrize("scheme", ["bearer", "query"])
def test_a_success_that_gives_nothing_of_it_lets_nobody_in(
    write_contract: Callable[..., Path], content: Any, accepted: bool, scheme: str
) -> None:
    media = {"Content-Type": "text/html" if isinstance(content, bytes) else "application/json"}

    def answer(call: Request) -> Answer:
        if call.path != "/a" or call.method != "GET":
            return 404, {}
        return (200, [{"id": 1}]) if _shown(call, SCHEMES[scheme]) == TOKEN else (200, content, media)

    path = write_contract(**_secured(SCHEMES[scheme], {"200": {"description": ""}}))
    judged = checked(path, answer, ANN)
    assert bool([one for one in judged.at("violation") if one[2].startswith("accepted")]) is accepted
    assert any(one[:2] == (_NOBODY, "GET /a") for one in judged.at("violation" if accepted else "drift"))


def test_a_redirect_to_the_slash_says_nothing(write_contract: Callable[..., Path]) -> None:
    path = write_contract(**_secured(BEARER["bearer"], {"200": {"description": ""}}))
    judged = checked(path, lambda call: (307, None, {"Location": f"{call.path}/"}), ANN)
    assert judged.result(_NOBODY, "GET /a")[0] == "not run"


@pytest.mark.parametrize("opens", ["unsigned", "none", ""])
def test_a_web_token_without_its_signature_is_tried(write_contract: Callable[..., Path], opens: str) -> None:
    """Of the algorithm `none`, or as a library reads it that was told not to verify it."""

    def part(value: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = part({"sub": "ann"})
    token = f"{part({'alg': 'HS256'})}.{claims}.c2lnbmF0dXJlLW9mLWFubg"

    def lets_in(shown: str | None) -> bool:
        head, _, rest = (shown or "").partition(".")
        if rest != f"{claims}.":
            return shown == token
        return opens == "unsigned" or (opens == "none" and b"none" in base64.urlsafe_b64decode(head + "=="))

    path = write_contract(**_secured(BEARER["bearer"], {"200": {"description": ""}, "401": {"description": ""}}))
    judged = checked(path, _door(BEARER["bearer"], (401, None), lets_in), Identity("ann", token=token))
    found = [one[:2] for one in judged.at("violation")]
    assert found == ([("tokens_are_compared_whole", "GET /a")] if opens else [])


def _books() -> dict[str, Any]:
    book = {"name": "book", "in": "path", "required": True, "schema": {"type": "string"}}
    made = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    refused = {"401": {"description": ""}}
    there = {"parameters": [book]}
    return {
        "paths": {
            "/books": {
                "post": {
                    "requestBody": body,
                    "responses": {
                        "201": {"description": "", "content": {"application/json": {"schema": made}}},
                        **refused,
                    },
                }
            },
            "/books/{book}": {
                "get": {**there, "responses": {"200": {"description": ""}, **refused}},
                "delete": {**there, "responses": {"204": {"description": ""}, **refused}},
            },
        },
        "components": {"securitySchemes": BEARER},
        "security": [{"bearer": []}],
    }


def _shelf(open_methods: str, creates: bool = True, hides: bool = False) -> Handler:
    """Return a server that looks for a book before it asks who calls."""
    books: set[str] = set()

    def answer(call: Request) -> Answer:
        fits = call.headers.get("Authorization") == f"Bearer {TOKEN}"
        name = call.path.removeprefix("/books/")
        if call.path == "/books" and call.method == "POST":
            if not fits or not creates:
                return (403 if fits else 401), {}
            if not isinstance(content_of(call), dict):
                return 422, {}
            books.add(name := f"book-{len(books)}-{id(call)}")
            return 201, {"id": name}
        if call.path == "/books" or name not in books:
            return (405 if call.path == "/books" else 404), {}
        if not fits and call.method not in open_methods.split():
            return (404 if hides else 401), {}
        if call.method == "DELETE":
            books.discard(name)
        return (204, None) if call.method == "DELETE" else (200, {"id": name}) if call.method == "GET" else (405, {})

    return answer


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_404_is_asked_again_about_what_is_there(write_contract: Callable[..., Path], method: str) -> None:
    path = write_contract(**_books())
    found = checked(path, _shelf(method), ANN)
    assert (_NOBODY, f"{method} /books/{{book}}", "accepted with no credentials") in found.at("violation")
    assert "without any credentials" in found.result(_UNKNOWN, f"{method} /books/{{book}}")[1]
    right = checked(path, _shelf(""), ANN)
    assert not right.at("violation")
    assert right.result(_NOBODY, f"{method} /books/{{book}}")[0] == "passed"


@pytest.mark.parametrize("options", [{"creates": False}, {"hides": True}])
def test_404_is_neither_accepted_nor_refused(write_contract: Callable[..., Path], options: dict[str, bool]) -> None:
    judged = checked(write_contract(**_books()), _shelf("", **options), ANN)
    assert not judged.at("violation")
    result, why = judged.result(_NOBODY, "DELETE /books/{book}")
    assert result == "not run"
    assert "404" in why


def test_a_foreign_object_that_is_hidden_is_not_taken_for_another(write_contract: Callable[..., Path]) -> None:
    """What the caller creates itself is its own, and says nothing of the object that it must not see."""
    document = _books()
    item = document["paths"]["/books/{book}"]
    objects = {"at": "$request.path.book", "own": "name", "foreign": []}
    for operation in (document["paths"]["/books"]["post"], item["get"]):
        operation["x-mockserver-levels"] = ["Editor"]
    item["get"] |= {"x-mockserver-objects": objects}
    del item["delete"]
    people = [
        Identity(name, token=token, level="Editor", owns=(f"book-of-{name}",))
        for name, token in (("ann", TOKEN), ("bob", "token-of-bob-0123456789"))
    ]
    path = write_contract(**document, **{"x-mockserver-levels": ["Editor"]})
    judged = checked(path, _shelf(""), *people)
    assert not judged.at("violation")
    assert judged.result("foreign_objects_are_refused", "GET /books/{book}")[0] == "not run"


def _basic_door(accounts: dict[str, str]) -> Handler:
    def answer(call: Request) -> Answer:
        try:
            name, _, secret = base64.b64decode(call.headers.get("Authorization", "")[6:]).decode().partition(":")
        except ValueError:
            name = secret = ""
        known = call.headers.get("Authorization", "").startswith("Basic ") and accounts.get(name) == secret
        return (404, {}) if call.path != "/a" else (200, []) if known else (401, {})

    return answer


@pytest.mark.parametrize("secret", ["the-same-password-12", "123456789012"])
def test_two_accounts_with_one_password(write_contract: Callable[..., Path], secret: str) -> None:
    path = write_contract(
        **_secured({"type": "http", "scheme": "basic"}, {"200": {"description": ""}, "401": {"description": ""}})
    )
    accounts = {"ann": secret, "bob": secret}
    people = [Identity(name, password=password) for name, password in accounts.items()]
    judged = checked(path, _basic_door(accounts), *people)
    assert not [one for one in judged.at("violation") if one[1] == "GET /a"]


def test_levels_are_judged_with_the_identities_that_are_there(write_contract: Callable[..., Path]) -> None:
    document = _secured(BEARER["bearer"], {"200": {"description": ""}, "401": {"description": ""}})
    document["paths"]["/a"]["get"]["x-mockserver-levels"] = ["Admin", "Editor"]
    levels = ["Admin", "Editor", "Reader", "Guest"]
    reader = Identity("rita", token="token-of-rita-012345678", level="Reader")
    ann = Identity("ann", token=TOKEN, level="Admin")
    path = write_contract(**document, **{"x-mockserver-levels": levels})
    door = _door(BEARER["bearer"], (403, None), lambda shown: shown == TOKEN)
    judged = checked(path, door, ann, reader)
    assert judged.result("allowed_levels_are_admitted", "GET /a") == (
        "in part",
        "it needs an identity of level Editor (--identities)",
    )
    assert judged.result("levels_not_allowed_are_refused", "GET /a")[0] == "in part"
    open_door = _door(BEARER["bearer"], (403, None), lambda shown: shown in {TOKEN, reader.token})
    found = checked(path, open_door, ann, reader)
    assert found.result("levels_not_allowed_are_refused", "GET /a")[0] == "failed"
