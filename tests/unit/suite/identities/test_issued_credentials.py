from __future__ import annotations

import pytest

from mockserver.suite.identities.issued_credentials import IssuedCredentials
from mockserver.suite.identities.login_settings import CsrfSettings, LoginSettings, OAuth2Settings
from mockserver.suite.target.exchange import WireRequest


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def session() -> IssuedCredentials:
    issued = IssuedCredentials(LoginSettings(cookie="sid", csrf=CsrfSettings(cookie="csrf")))
    for field in ("sid=first-session; Path=/", "csrf=first-csrf; Path=/", "lang=english; Path=/"):
        issued.take_cookie(field, "/login")
    before = dict(issued.fields())
    assert before["X-CSRF-Token"] == "first-csrf"
    for field in ("sid=second-session; Path=/", "csrf=second%2Dcsrf; Path=/"):
        issued.take_cookie(field, "/login")
    return issued


def cookies(issued: IssuedCredentials, cookie: str, *more: tuple[str, str]) -> dict[str, str]:
    return dict(issued.renewed(WireRequest("GET", "/notes", (("Cookie", cookie), *more)), secure=True).fields)


def test_an_earlier_session_becomes_the_newest_with_its_csrf_token() -> None:
    fields = cookies(session(), "theme=dark; sid=first-session; csrf=first-csrf", ("X-CSRF-Token", "first-csrf"))
    assert sorted(fields["Cookie"].split("; ")) == [
        *("csrf=second%2Dcsrf", "lang=english", "sid=second-session", "theme=dark")
    ]
    assert fields["X-CSRF-Token"] == "second-csrf"


@pytest.mark.parametrize(
    "cookie",
    [
        "csrf=first-csrf; lang=english",  # without the session
        "sid=first-sessio",
        "sid=FIRST-SESSION; csrf=first-csrf",
        "other=first-session",  # the session in another place
        "sid=",
    ],
)
def test_a_probe_gets_no_session(cookie: str) -> None:
    issued = session()
    request = WireRequest("GET", "/notes", (("Cookie", cookie),))
    assert "second-session" not in str(issued.renewed(request, secure=True))
    assert not issued.carried_by(request) or "other" in cookie


def test_a_token_is_renewed_where_it_stands_and_nowhere_else() -> None:
    issued = IssuedCredentials(OAuth2Settings())
    issued.take_token("first-token", None)
    issued.take_token("second-token", None)
    fields = (("Authorization", "Bearer first-token"), ("X-Key", "first-token"), ("X-Text", "first-token-and-more"))
    made = issued.renewed(WireRequest("GET", "/a?key=first-token&b=first", fields), secure=True)
    assert made.path == "/a?key=second-token&b=first"
    assert [value for _, value in made.fields] == ["Bearer second-token", "second-token", "first-token-and-more"]


def test_a_token_is_over_a_little_before_its_time() -> None:
    clock = Clock()
    issued = IssuedCredentials(OAuth2Settings(), clock)
    for seconds, good in ((3600, 3595.0), (1, 0.9), (0, 0.0)):
        issued.take_token("token", seconds)
        assert issued.is_over is (good == 0)
        clock.seconds += good
        assert issued.is_over
    issued.take_token("token", None)
    clock.seconds += 10**9
    assert not issued.is_over
