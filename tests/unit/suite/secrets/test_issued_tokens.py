from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mockserver.suite.secrets.issued_tokens import find_token, lifetime


def jwt(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, "c2lnbmVk"])


@pytest.mark.parametrize(
    ("content", "token"),
    [
        ({"token": "abcdef"}, "abcdef"),
        ({"id_token": "no-this", "access_token": "abcdef", "token_type": "Bearer"}, "abcdef"),
        ({"data": {"attributes": {"accessToken": "abcdef"}}}, "abcdef"),
        ({"access": "abcdef", "refresh": "no-this"}, "abcdef"),
        ({"id": "abcdef", "ttl": 1209600, "userId": 1}, "abcdef"),
        ({"key": "abcdef"}, "abcdef"),
        ({"user": {"token": "no-this"}, "token": "abcdef"}, "abcdef"),
        ({"id": "abcdef", "name": "ann"}, None),
        ({"token": None, "jwt": ""}, None),
        ({"token": {"value": "abcdef"}}, None),
        (["abcdef"], None),
        (None, None),
    ],
)
def test_the_likeliest_member_is_the_token(content: Any, token: str | None) -> None:
    assert find_token(content) == token


@pytest.mark.parametrize(
    ("content", "token", "seconds"),
    [
        ({"expires_in": 3600}, "t", 3600.0),
        ({"expires_in": "3600"}, "t", 3600.0),
        ({"data": {"expiresIn": 1.5}}, "t", 1.5),
        ({"expires_in": None}, "t", None),
        ({"expires_in": True}, "t", None),
        ({"expires_in": "soon"}, "t", None),
        ({"expires_in": -1}, "t", None),
        ({}, jwt(iat=1_000, exp=1_002), 2.0),
        ({}, jwt(exp=1_002), None),
        ({}, jwt(iat="a", exp=[]), None),
        ({}, "a.!.c", None),
        (None, "a.b.c.d", None),
    ],
)
def test_the_lifetime_is_that_of_the_response_or_of_the_token_itself(
    content: Any, token: str, seconds: float | None
) -> None:
    assert lifetime(content, token) == seconds
