"""Each operation by itself: who may call it, what it refuses, what it answers to generated requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis

from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.checks import credentials, invalid_requests, robustness, undefined_routes
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.fuzz.engine import FuzzSettings, InProcess
from mockserver.suite.identities.identities import seeded_identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from mockserver.suite.target.processes import StubControl
from mockserver.suite.target.targets import WsgiTarget
from tests import defaults
from tests.contract_suite.conftest import make
from tests.contract_suite.planning import parameters


@pytest.mark.parametrize(
    "entry",
    parameters(
        credentials.planned_checks,
        invalid_requests.planned_checks,
        undefined_routes.planned_checks,
        robustness.planned_checks,
    ),
)
def test_claim_about_an_operation_holds(run: Run, entry: PlannedCheck) -> None:
    make(run, entry)


@pytest.fixture(scope="session")
def in_process() -> InProcess:
    contract = load_contract(defaults.CONTRACT)
    application: Callable[..., Any] = create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app
    target = WsgiTarget(application)
    run = prepare(contract, target, seeded_identities(defaults.SEED_DATA), control=StubControl(target, None))
    return InProcess(run, application, FuzzSettings(max_examples=20, seed=1))


@pytest.fixture(scope="session")
def generated(in_process: InProcess) -> Any:
    return in_process.schema


schema = schemathesis.pytest.from_fixture("generated")


@schema.parametrize()
def test_generated_requests_keep_the_contract(case: Any, in_process: InProcess) -> None:
    assert not in_process.judge(case)
