"""Servers of a collection, nested items and singletons that keep their state, or do not in one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.check_run import make, planned
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from mockserver.suite.state import item_checks, singleton_checks
from tests.faults.crud import FAULTS, RIGHT, Pets, written
from tests.faults.small import application
from tests.wsgi_target import WsgiTarget


def _judged(path: Path, server: Pets) -> Run:
    run = prepare(load_contract(path), WsgiTarget(application(server)), Identities(()))
    seconds = [0.0]
    run.poller.clock = lambda: seconds[0]
    run.poller.sleep = lambda pause: seconds.__setitem__(0, seconds[0] + pause)
    entries = planned(run, item_checks.planned_checks, singleton_checks.planned_checks)
    make(run, sorted(entries, key=lambda entry: entry.last))
    assert run.verdicts.mistakes == ()
    return run


@pytest.mark.parametrize("way", FAULTS)
def test_a_server_that_does_not_keep_its_state_is_found(write_contract: Callable[..., Path], way: str) -> None:
    run = _judged(written(write_contract), Pets(way))
    check, level, operation = FAULTS[way]
    found = [(one.check, one.level, one.operation) for one in run.verdicts.findings()]
    wanted = operation.replace("{", r"\{").replace("}", r"\}")
    assert any(
        re.fullmatch(check, name) and level == weight and re.fullmatch(f"{wanted}.*", label)
        for name, weight, label in found
    ), found
    if level == "drift":
        assert {weight for _, weight, _ in found} == {"drift"}, found


@pytest.mark.parametrize("way", RIGHT)
def test_a_server_that_keeps_its_state_is_kept(write_contract: Callable[..., Path], way: str) -> None:
    run = _judged(written(write_contract), Pets(way))
    found = run.verdicts.findings()
    assert {one.level for one in found} == RIGHT[way], [(one.check, one.operation, one.detail) for one in found]
    missing = {(one.check, one.operation, one.why) for one in run.verdicts.coverage() if one.result == "not run"}
    assert not missing
