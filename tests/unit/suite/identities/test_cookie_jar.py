from __future__ import annotations

import pytest

from mockserver.suite.identities.cookie_jar import CookieJar


class Clock:
    seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def sent(jar: CookieJar, path: str, *, secure: bool = True) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar.sent(path, secure=secure))


def test_the_newest_cookie_of_a_name_and_path_counts_and_the_longest_path_is_first() -> None:
    jar = CookieJar()
    for field in ("a=1; Path=/", "a=2; Path=/", "a=3; Path=/api", 'b="x=y"; HttpOnly', "nothing", "=odd"):
        jar.store(field, "/api/login?next=/")
    assert sent(jar, "/api/notes") == 'a=3; b="x=y"; a=2'
    assert sent(jar, "/apis") == "a=2"


@pytest.mark.parametrize(
    "field",
    [
        "a=; Max-Age=0",
        "a=; max-age=-1",
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=; expires=Thu, 01-Jan-1970 00:00:00 GMT",
    ],
)
def test_a_server_deletes_a_cookie(field: str) -> None:
    jar = CookieJar(Clock())
    jar.store("a=1", "/")
    jar.store(field, "/")
    assert jar.value("a") is None


def test_cookies_end_and_secure_ones_stay_off_plain_http() -> None:
    clock = Clock()
    jar = CookieJar(clock)
    jar.store("a=1; Max-Age=10", "/")
    jar.store("b=2; Secure; Expires=Wed, 31 Dec 2098 23:59:59 GMT", "/")
    jar.store("c=3; Max-Age=soon; Expires=never", "/")
    assert sent(jar, "/", secure=False) == "a=1; c=3"
    clock.seconds += 10
    assert sent(jar, "/") == "b=2; c=3"
