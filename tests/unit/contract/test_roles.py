from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract import roles
from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract

_TEXT = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _login(schema: Any, request: Any = None, answer: Any = None, **behaviour: str) -> dict[str, Any]:
    sent = {"schema": schema, **({"example": request} if request else {})}
    shown = {"example": answer} if answer else {"schema": _object(holder=_TEXT, rank={"enum": ["high", "low"]})}
    return {
        "post": {
            "operationId": "logIn",
            "x-mockserver-behaviour": {"handler": "auth", "role": "issue", **behaviour},
            "requestBody": {"content": {"application/json": sent}},
            "responses": {"200": {"description": "ok", "content": {"application/json": shown}}},
        }
    }


@pytest.fixture(name="contract_of")
def provide_contract_of(write_contract: Callable[..., Path]) -> Callable[..., Contract]:
    return lambda path: load_contract(write_contract({"/in": path}, **{"x-mockserver-levels": ["high", "low"]}))


@pytest.mark.parametrize(
    ("schema", "behaviour", "username", "password"),
    [
        (_object(username=_TEXT, password=_TEXT), {}, ("username",), ("password",)),
        (_object(tenant=_TEXT, email=_TEXT, pin={**_TEXT, "writeOnly": True}), {}, ("email",), ("pin",)),
        (_object(otp=_TEXT, passwd=_TEXT, login=_TEXT), {}, ("login",), ("passwd",)),
        (_object(remember={"type": "boolean"}, who=_TEXT, magic={"format": "password"}), {}, ("who",), ("magic",)),
        (_object(user=_object(id=_TEXT, secret=_TEXT)), {}, ("user", "id"), ("user", "secret")),
        (_object(a=_TEXT, b=_TEXT), {"username": "/b", "password": "/a"}, ("b",), ("a",)),
        ({"allOf": [_object(user=_TEXT), _object(password=_TEXT)]}, {}, ("user",), ("password",)),
    ],
)
def test_the_places_of_credentials_follow_from_names_marks_and_the_extension(
    contract_of: Callable[..., Contract],
    schema: Any,
    behaviour: dict[str, str],
    username: tuple[str, ...],
    password: tuple[str, ...],
) -> None:
    contract = contract_of(_login(schema, **behaviour))
    places = roles.credential_places(contract, contract.operations[0])
    assert places == (username, password)


def test_the_text_that_the_answer_repeats_is_the_user_name(contract_of: Callable[..., Contract]) -> None:
    request = {"client": "web", "handle": "ann", "magic": "x", "rank": "low"}
    answer = {"holder": "ann", "rank": "low", "place": "here"}
    schema = _object(client=_TEXT, rank=_TEXT, handle=_TEXT, magic={"format": "password"})
    contract = contract_of(_login(schema, request, answer))
    operation = contract.operations[0]
    places = roles.credential_places(contract, operation)
    assert places is not None
    assert places.username == ("handle",)
    assert roles.username_places(contract, operation) == {("holder",)}
    assert roles.level_places(contract, operation) == {("rank",)}


def test_without_examples_the_schema_tells_what_an_answer_shows(contract_of: Callable[..., Contract]) -> None:
    contract = contract_of(_login(_object(holder=_TEXT, magic={"format": "password"})))
    operation = contract.operations[0]
    assert roles.username_places(contract, operation) == {("holder",)}
    assert roles.level_places(contract, operation) == {("rank",)}


@pytest.mark.parametrize(
    "schema", [_object(key=_TEXT), _object(password=_TEXT), _object(count={"type": "integer"}), {}]
)
def test_nothing_is_guessed_where_user_name_or_password_is_missing(
    contract_of: Callable[..., Contract], schema: Any
) -> None:
    contract = contract_of(_login(schema))
    assert roles.credential_places(contract, contract.operations[0]) is None


def test_a_role_counts_whatever_handler_plays_it(contract_of: Callable[..., Contract]) -> None:
    path = _login(_object(user=_TEXT, password=_TEXT))
    path["post"]["x-mockserver-behaviour"]["handler"] = "doorman"
    operation = contract_of(path).operations[0]
    assert (roles.is_login(operation), roles.is_about_tokens(operation), roles.is_revocation(operation)) == (
        True,
        True,
        False,
    )
