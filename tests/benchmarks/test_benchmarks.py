"""Short runs of the long ones: what they assert is never a time."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.benchmarks import fuzz, kill, load, resources, soak
from tests.benchmarks.hostile import Mix
from tests.benchmarks.requests import SETTING, SETTING_ANSWER, WireRequest, as_json, exchange
from tests.benchmarks.servers import commands, free_port, serving


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_server_keeps_every_acknowledged_write(workers: int) -> None:
    tally = kill.run(kills=2, workers=workers)
    assert tally.lost == []
    assert tally.refused == []
    assert tally.acknowledged > 0
    assert tally.compared > 0


def test_no_request_of_the_soak_makes_the_stub_fail() -> None:
    result = soak.run(requests=3000, connections=32, seed=2)
    assert result.server_errors == []
    assert result.lost == []
    assert result.answers == 3000
    assert result.statuses[200] > 1000, "most requests are refused: has the soak locked itself out?"
    assert {200, 204, 400, 401, 403, 404, 405, 413, 415, 422} <= set(result.statuses)


def test_the_soak_of_a_seed_is_the_same_again() -> None:
    mixes = [Mix(random.Random(7)) for _ in range(2)]
    first, second = ([mix.next() for _ in range(500)] for mix in mixes)
    assert first == second


def test_plain_schemathesis_and_ours_send_the_same_cases_and_make_the_same_checks(tmp_path: Path) -> None:
    plain, ours = (fuzz.prove(kind, tmp_path / kind, seed=3, max_examples=2) for kind in fuzz.KINDS)
    assert fuzz.compare(plain, ours) == []
    assert len(plain.cases) > 200
    assert ours.checks["checks_of_mockserver"] >= max(plain.checks.values())


def test_parts_of_a_run_send_the_cases_of_the_whole_run(tmp_path: Path) -> None:
    def sent(shard: str) -> Counter[str]:
        return Counter(map(str, fuzz.prove("ours", tmp_path / shard.replace("/", "-"), 3, 2, shard).cases))

    whole, first, second = map(sent, ("1/1", "1/2", "2/2"))
    assert first + second == whole
    assert max(first.total(), second.total()) < 0.7 * whole.total()


@pytest.mark.parametrize("name", ["stub", "flask", "bare"])
def test_the_measured_servers_give_the_same_answer(name: str, tmp_path: Path) -> None:
    port = free_port()
    command = commands(dict.fromkeys(("stub", "flask", "bare"), port))[name]
    with serving(command, port, tmp_path / "server.log"):
        status, content = exchange(port, SETTING)
    assert (status, content.strip().replace(b", ", b",")) == (200, as_json(SETTING_ANSWER))


def test_an_answer_that_is_no_success_ends_the_measurement(tmp_path: Path) -> None:
    port = free_port()
    refused = WireRequest("POST", SETTING.path, SETTING.content)
    command = commands(dict.fromkeys(("stub", "flask", "bare"), port))["stub"]
    with serving(command, port, tmp_path / "server.log"):
        for measure in (load.measure, load._measure_with_python):
            with pytest.raises(RuntimeError, match=r"Non-2xx|401"):
                measure(port, refused, 1.0, 2, tmp_path)


def test_the_contract_of_many_resources_has_five_operations_for_each() -> None:
    contract = resources.contract_of(10)
    assert sum(len(item.keys() - {"parameters"}) for item in contract["paths"].values()) == 50
