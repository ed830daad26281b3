"""Every documented request gets its documented response."""

from __future__ import annotations

import pytest

from mockserver.suite.checks import documented_examples
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.run.session import Run
from tests.contract_suite.conftest import make
from tests.contract_suite.planning import parameters


@pytest.mark.parametrize("entry", parameters(documented_examples.planned_checks))
def test_documented_example_comes_out(run: Run, entry: PlannedCheck) -> None:
    make(run, entry)
