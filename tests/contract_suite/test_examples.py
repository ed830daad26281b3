"""Every documented request gets its documented response."""

from __future__ import annotations

import pytest

from mockserver.suite.checks import documented_examples
from mockserver.suite.checks.task import Task
from mockserver.suite.run.session import Run
from tests.contract_suite.conftest import make
from tests.contract_suite.planning import parameters


@pytest.mark.parametrize("task", parameters(documented_examples.tasks))
def test_documented_example_comes_out(run: Run, task: Task) -> None:
    make(run, task)
