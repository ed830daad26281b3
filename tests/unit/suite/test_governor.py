from __future__ import annotations

import pytest

from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.hosts import is_loopback
from mockserver.suite.governor import Governor, parse_rate
from mockserver.suite.policy import WritePolicy, matches


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_never_more_requests_a_second_than_allowed() -> None:
    time = Time()
    governor = Governor(10, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(31):
        governor.admit()
    assert time.now - 100.0 == pytest.approx(3.0)
    assert governor.requests == 31


def test_a_pause_earns_no_burst() -> None:
    time = Time()
    governor = Governor(10, clock=lambda: time.now, sleep=time.sleep)
    governor.admit()
    time.now += 60
    started = time.now
    for _ in range(11):
        governor.admit()
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
    assert matches(operation, ["note_*"])
    assert matches(operation, ["PUT /note"])
    assert matches(operation, ["other", "PUT *"])
    assert not matches(operation, ["put /note", "note", "[PUT]*"])


def test_unsafe_methods_need_permission_on_another_machine(contract: Contract) -> None:
    read, write = contract.by_id["note_get"], contract.by_id["note_put"]
    assert WritePolicy(foreign=False).refusal("PUT", write) is None
    assert WritePolicy(foreign=True).refusal("GET", read) is None
    assert "--allow-writes" in (WritePolicy(foreign=True).refusal("PUT", write) or "")
    assert WritePolicy(foreign=True, patterns=("note_put",)).refusal("PUT", write) is None
    assert WritePolicy(foreign=True).refusal("PUT", write, login=True) is None
    assert WritePolicy(foreign=True, patterns=("*",)).refusal("DELETE", None) is not None
    assert WritePolicy(foreign=True, patterns=("probes",)).refusal("DELETE", None) is None
