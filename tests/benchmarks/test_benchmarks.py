"""Short runs of the long ones: what they assert is never a time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.benchmarks import kill, load, soak
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
