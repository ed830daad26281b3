from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.http.cors import is_loopback
from mockserver.suite.safety.policy import WritePolicy, matches_glob
from mockserver.suite.safety.rate_limiter import (
    CALM_RESPONSES,
    FOREIGN,
    MAX_REPEATS,
    OURS,
    OWN_STUB,
    LeftAlone,
    Limits,
    RateLimiter,
    Stopped,
    parse_rate,
    parse_retry_after,
)


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_never_more_requests_a_second_than_allowed() -> None:
    time = Time()
    rate_limiter = RateLimiter(10, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(31):
        rate_limiter.admit()
    assert time.now - 100.0 == pytest.approx(3.0)
    assert rate_limiter.requests == 31


def test_a_pause_earns_no_burst() -> None:
    time = Time()
    rate_limiter = RateLimiter(10, clock=lambda: time.now, sleep=time.sleep)
    rate_limiter.admit()
    time.now += 60
    started = time.now
    for _ in range(11):
        rate_limiter.admit()
    assert time.now - started == pytest.approx(1.0)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "a.localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(("text", "rate"), [("5/s", 5.0), ("0.5/s", 0.5), ("3", 3.0)])
def test_rate(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0/s", "5/m", "-1/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(UsageError, match="rate"):
        parse_rate(text)


def test_globs_match_identifiers_and_labels(contract: Contract) -> None:
    operation = contract.by_id["note_put"]
    assert matches_glob(operation, ["note_*"])
    assert matches_glob(operation, ["PUT /note"])
    assert matches_glob(operation, ["other", "PUT *"])
    assert not matches_glob(operation, ["put /note", "note", "[PUT]*"])


def test_unsafe_methods_need_permission_on_another_machine(contract: Contract) -> None:
    read, write = contract.by_id["note_get"], contract.by_id["note_put"]
    assert WritePolicy(foreign=False).refusal("PUT", write) is None
    assert WritePolicy(foreign=True).refusal("GET", read) is None
    assert "--allow-writes" in (WritePolicy(foreign=True).refusal("PUT", write) or "")
    assert WritePolicy(foreign=True, patterns=("note_put",)).refusal("PUT", write) is None
    assert WritePolicy(foreign=True).refusal("PUT", write, login=True) is None
    assert WritePolicy(foreign=True, patterns=("*",)).refusal("DELETE", None) is not None
    assert WritePolicy(foreign=True, patterns=("probes",)).refusal("DELETE", None) is None


NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def rate_limiter(limits: Limits = FOREIGN, rate: float = 10.0) -> tuple[RateLimiter, Time]:
    time = Time()
    return RateLimiter(rate, limits, clock=lambda: time.now, sleep=time.sleep, now=lambda: NOW), time


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        (format_datetime(NOW.replace(second=30), usegmt=True), 30.0),
        (format_datetime(NOW.replace(hour=11), usegmt=True), None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "9" * 50, "Wed, 99 Foo 2026 00:00:00 GMT"])
def test_what_is_no_retry_after(value: str) -> None:
    with pytest.raises(ValueError, match="neither seconds nor an HTTP-date"):
        parse_retry_after(value, NOW)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_and_the_request_asked_again_more_slowly(status: int) -> None:
    governed, time = rate_limiter()
    governed.admit("GET /a")
    assert governed.observe("GET /a", status, "7")
    governed.admit("GET /a")
    assert time.now == pytest.approx(107.0)
    assert not governed.observe("GET /a", 200)
    governed.admit("GET /a")
    governed.admit("GET /a")
    assert time.now == pytest.approx(107.4)  # at half the rate from then on
    assert governed.stopped == ""


def test_without_a_time_the_pauses_double_and_the_last_429_ends_the_run() -> None:
    governed, time = rate_limiter()
    pauses = []
    for _ in range(MAX_REPEATS):
        before = time.now
        governed.admit("GET /a")
        assert governed.observe("GET /a", 429)
        pauses.append(time.now - before)
    governed.admit("GET /a")
    assert pauses == pytest.approx([0.0, 1.0, 2.0])
    assert not governed.observe("GET /a", 429)
    with pytest.raises(Stopped, match="GET /a was answered with 429 4 times in a row"):
        governed.admit("GET /b")


def test_a_pause_that_is_too_long_ends_the_run_at_once() -> None:
    governed, time = rate_limiter()
    governed.admit("GET /a")
    assert not governed.observe("GET /a", 429, "3600")
    assert time.now == 100.0
    with pytest.raises(Stopped, match="pause of 3600 seconds"):
        governed.admit("GET /a")


@pytest.mark.parametrize(("status", "retry_after"), [(429, None), (429, "1"), (503, "1")])
def test_on_this_machine_the_first_429_switches_the_rate_limit_on(status: int, retry_after: str | None) -> None:
    time = Time()
    governed = RateLimiter(None, OURS, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(1000):
        governed.admit("GET /a")
        assert not governed.observe("GET /a", 200)
    assert time.now == 100.0
    governed.admit("GET /a")
    assert governed.observe("GET /a", status, retry_after)
    for _ in range(11):
        governed.admit("GET /b")
        governed.observe("GET /b", 200)
    assert time.now == pytest.approx(102.0)  # the pause, then ten a second
    governed.admit("GET /b")
    governed.observe("GET /b", status, retry_after)
    assert governed.rate == 5


@pytest.mark.parametrize(("given", "slowed"), [(15.0, 7.5), (100.0, 10.0), (0.5, 0.5), (1.5, 1.0)])
def test_on_this_machine_a_given_rate_is_halved_and_no_more_than_the_default(given: float, slowed: float) -> None:
    governed, _ = rate_limiter(OURS, given)
    governed.observe("GET /a", 429)
    assert governed.rate == slowed


def test_on_this_machine_one_operation_that_stays_at_429_slows_the_run_once_and_is_answered_so() -> None:
    time = Time()
    governed = RateLimiter(None, OURS, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(MAX_REPEATS):
        governed.admit("GET /a")
        assert governed.observe("GET /a", 429)
    for status in (429, 200, 429, 200, 429):
        governed.admit("GET /a")
        assert not governed.observe("GET /a", status)
    assert governed.rate == 10
    assert governed.stopped == ""


def test_on_this_machine_an_operation_with_a_low_limit_of_its_own_is_left_alone_and_the_others_go_on() -> None:
    """Five logins a minute, say: a run must not wait a minute for each of its calls."""
    governed, time = rate_limiter(OURS)
    governed.admit("POST /login")
    assert governed.observe("POST /login", 429, "50")
    governed.admit("POST /login")
    assert not governed.observe("POST /login", 200)
    governed.admit("POST /login")
    assert not governed.observe("POST /login", 429, "50")
    with pytest.raises(LeftAlone, match="asked for pauses of 100 seconds"):
        governed.admit("POST /login")
    governed.admit("GET /a")
    assert (governed.stopped, 150 <= time.now < 160) == ("", True)


def test_on_this_machine_limits_of_single_operations_do_not_slow_down_the_others_for_long() -> None:
    time = Time()
    governed = RateLimiter(None, OURS, clock=lambda: time.now, sleep=time.sleep)
    for label in ("POST /login", "POST /reset"):
        governed.admit(label)
        governed.observe(label, 429)
        assert governed.rate == 10
        for _ in range(CALM_RESPONSES):
            governed.admit("GET /a")
            governed.observe("GET /a", 200)
        assert governed.rate is None
        governed.admit(label)
        governed.observe(label, 429)
        assert governed.rate is None, "its own limit is known"
    governed.admit("GET /b")
    governed.observe("GET /b", 429)
    governed.admit("GET /c")
    governed.observe("GET /c", 429)
    assert governed.rate == 5
    before = time.now
    for _ in range(10 * CALM_RESPONSES):
        governed.admit("GET /a")
        governed.observe("GET /a", 200)
    assert governed.rate == 10, "with three operations it is the limit of the server"
    assert time.now - before > 9 * CALM_RESPONSES / 10


def test_a_stub_of_the_runs_own_slows_nothing_down() -> None:
    time = Time()
    governed = RateLimiter(None, OWN_STUB, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(10):
        governed.admit("GET /a")
        assert not governed.observe("GET /a", 429)
    assert (governed.rate, time.now) == (None, 100.0)


def test_on_this_machine_a_ban_is_told_by_a_second_operation() -> None:
    """Of one operation alone it may be a fault, and the others are still to be judged."""
    governed, _ = rate_limiter(Limits())
    for label in ("GET /a", "GET /a", "GET /b", "GET /a", "GET /b"):
        governed.admit(label)
        assert not governed.observe(label, 429 if label == "GET /a" else 200, "3600" if label == "GET /a" else None)
    assert not governed.observe("GET /a", 429, "3600")
    assert not governed.observe("GET /b", 429, "3600")
    with pytest.raises(Stopped, match=r"pause of 3600 seconds .*--rate"):
        governed.admit("GET /c")


def test_an_operation_has_a_budget_of_its_own() -> None:
    governed, _ = rate_limiter(Limits(budget=3))
    for _ in range(3):
        governed.admit("GET /a")
    with pytest.raises(LeftAlone, match="budget of 3 requests"):
        governed.admit("GET /a")
    governed.admit("GET /b")
    assert governed.requests == 4


@pytest.mark.parametrize("status", [500, None])
def test_an_operation_that_fails_is_left_alone_and_the_others_are_not(status: int | None) -> None:
    governed, _ = rate_limiter()
    for _ in range(5):
        governed.admit("GET /a")
        governed.observe("GET /a", status)
    with pytest.raises(LeftAlone, match="failed 5 times in a row"):
        governed.admit("GET /a")
    governed.admit("GET /b")
    governed.observe("GET /b", 404)
    assert governed.stopped == ""


@pytest.mark.parametrize("status", [502, None])
def test_failures_in_a_row_over_several_operations_end_the_run(status: int | None) -> None:
    governed, _ = rate_limiter()
    for label in ("GET /a", "GET /b", "GET /a", "GET /b", "GET /a"):
        governed.admit(label)
        governed.observe(label, status)
    with pytest.raises(Stopped, match=r"5 .* in a row on 2 operations: the server is in trouble"):
        governed.admit("GET /c")


def test_one_good_answer_in_between_and_the_run_goes_on() -> None:
    governed, _ = rate_limiter()
    for label, status in (("a", 500), ("b", 500), ("a", 500), ("b", 500), ("c", 200), ("a", 500)):
        governed.admit(label)
        governed.observe(label, status)
    governed.admit("c")


def test_a_server_on_this_machine_may_crash_as_often_as_it_likes() -> None:
    governed, _ = rate_limiter(Limits())
    for label in "ab" * 50:
        governed.admit(label)
        governed.observe(label, 500)


def test_what_is_put_back_passes_although_the_run_was_stopped() -> None:
    governed, time = rate_limiter(Limits(budget=1, patient=True))
    governed.admit("a")
    governed.stop("somebody said so")
    governed.reopen()
    before = time.now
    governed.admit("a")
    assert time.now - before == pytest.approx(0.1)  # and is paced as before
