from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.contract.model import Contract
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule, failures_in, raise_failures
from mockserver.suite.verdicts.graded_findings import MAX_OBSERVATIONS, finding_id
from mockserver.suite.verdicts.tally import Coverage, Verdicts

SCHEMA = "/paths/~1note/get/responses/200/content/application~1json/schema"


def failure(pointer: str = SCHEMA, rule: Rule = "contract", *, body: bytes = b"", got: str = "x") -> CheckFailure:
    exchange = Exchange(WireRequest("GET", "/note", (), body), WireResponse(200, (), b""))
    return CheckFailure(
        "claim", "GET /note", "broken", expected="y", got=got, pointer=pointer, rule=rule, exchange=exchange
    )


@pytest.mark.parametrize(
    ("pointer", "rule", "level", "owner"),
    [
        (f"{SCHEMA}/type", "contract", "violation", "server"),
        (f"{SCHEMA}/maxProperties", "contract", "drift", "contract"),
        ("/paths/~1note/get/responses/401", "contract", "drift", "contract"),
        (f"{SCHEMA}/maxProperties", "universal", "violation", "server"),
        (f"{SCHEMA}/type", "silent", "drift", "contract"),
        (f"{SCHEMA}/type", "environment", "environment", "environment"),
    ],
)
def test_level_and_owner_come_from_the_statement_or_the_rule(
    contract: Contract, pointer: str, rule: Rule, level: str, owner: str
) -> None:
    finding = Verdicts(contract).failed(failure(pointer, rule))
    assert (finding.level, finding.owner, finding.rule) == (level, owner, rule)


def test_same_cause_is_one_finding_with_a_count_and_the_smallest_evidence(contract: Contract) -> None:
    verdicts = Verdicts(contract)
    for size in (30, 2, 50):
        verdicts.failed(failure(body=b"x" * size, got=str(size)))
    (finding,) = verdicts.findings()
    assert finding.times == 3
    assert finding.evidence is not None
    assert len(finding.evidence.request.body or b"") == 2
    assert finding.detail.endswith("got 2")


def test_a_violation_is_shown_by_what_makes_it_one(contract: Contract) -> None:
    verdicts = Verdicts(contract)
    verdicts.failed(failure(f"{SCHEMA}/type", "contract", body=b"grave, and long", got="grave"))
    verdicts.failed(failure(f"{SCHEMA}/type", "silent", body=b"", got="drift"))
    (finding,) = verdicts.findings()
    assert (finding.level, finding.times) == ("violation", 2)
    assert finding.source == "source: page"
    assert finding.detail.endswith("got grave")


def test_id_depends_on_check_operation_and_pointer_only() -> None:
    assert finding_id("a", "b", "c") == finding_id("a", "b", "c")
    assert len({finding_id("a", "b", "c"), finding_id("a", "b", "d"), finding_id("ab", "", "c")}) == 3


def test_coverage_says_why_a_claim_was_not_tried_even_if_part_of_it_was(contract: Contract) -> None:
    verdicts = Verdicts(contract)
    verdicts.passed("claim", "GET /note", 2)
    verdicts.not_run("claim", "GET /note", "no guest")
    verdicts.passed("other", "GET /note")
    assert verdicts.coverage() == (
        Coverage("GET /note", "claim", "in part", "no guest", 2, 2),
        Coverage("GET /note", "other", "passed", "", 1, 1),
    )


def test_failures_of_one_check_travel_alone_or_as_a_group() -> None:
    one, two = failure("/1"), failure("/2")
    with pytest.raises(CheckFailure):
        raise_failures([one])
    with pytest.raises(ExceptionGroup) as group:
        raise_failures([one, two])
    assert list(failures_in(group.value)) == [one, two]
    assert list(failures_in(NotRun("reason"))) == []
    raise_failures([])


def test_a_finding_keeps_each_different_thing_that_was_seen(contract: Contract) -> None:
    verdicts = Verdicts(contract)
    for body in (b"1", b"2", b"1", b"x" * 100_000, *(str(number).encode() for number in range(1000))):
        verdicts.failed(failure(body=body))
    (finding,) = verdicts.findings()
    bodies = [one.exchange.request.body for one in finding.observations if one.exchange is not None]
    assert bodies[:3] == [b"1", b"2", b"0"]
    assert len(bodies) == len(set(bodies)) == MAX_OBSERVATIONS


@pytest.mark.parametrize("place", ["GET /note", "/note"])
def test_a_difference_on_record_is_no_drift_any_more_and_any_other_is(contract: Contract, place: str) -> None:
    on_record = replace(contract, differences={place: {"claim": frozenset({"200"})}})
    verdicts = Verdicts(on_record)
    verdicts.failed(failure(rule="silent"))
    assert verdicts.findings() == ()
    assert [(item.check, item.result) for item in verdicts.coverage()] == [("claim", "passed")]
    other = failure(rule="silent")
    other.exchange = Exchange(WireRequest("GET", "/note"), WireResponse(404, (), b""))
    verdicts.failed(other)
    verdicts.failed(failure(f"{SCHEMA}/type"))
    assert sorted(finding.level for finding in verdicts.findings()) == ["drift", "violation"]


def test_why_an_operation_was_not_called_is_no_reason_that_follows_from_it(contract: Contract) -> None:
    verdicts = Verdicts(contract)
    for operation in contract.operations:
        verdicts.not_run("answers_are_not_slow", operation.label, "fewer than 5 responses")
    verdicts.not_run("valid_requests_are_accepted", "GET /note", "no identifier is known")
    assert {row.operation: row.why for row in verdicts.reach(contract.operations)} == {
        "GET /note": "not called, because no identifier is known",
        "PUT /note": "not called, because no check applied",
    }
