"""What a server remembers: set, read, reset, in order and in sequences that schemathesis makes up."""

from __future__ import annotations

import pytest

from mockserver.suite.checks import state
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.run.fuzz_run import FuzzSettings, fuzz
from mockserver.suite.run.session import Run
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import RunOutcome
from tests.contract_suite.conftest import make
from tests.contract_suite.planning import parameters


@pytest.mark.parametrize("entry", parameters(state.planned_checks))
def test_claim_about_state_holds(run: Run, entry: PlannedCheck) -> None:
    make(run, entry)


def test_generated_sequences_keep_the_contract(run: Run) -> None:
    if not isinstance(run.target, HttpTarget):
        pytest.skip("schemathesis' engine needs a socket; in process its cases are judged by test_operations")
    known = run.verdicts.findings()
    outcome = fuzz(run, FuzzSettings(max_examples=5, seed=1))
    assert outcome == RunOutcome()
    assert run.verdicts.findings() == known
