"""The tasks of a theme, known when tests are collected: each becomes a test with a name."""

from __future__ import annotations

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.checks.task import Planner, Task
from mockserver.suite.identities.identities import seeded_identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.targets import WsgiTarget
from tests import defaults


def parameters(*planners: Planner) -> list[object]:
    """Return the tasks of some themes as parameters; what ends credentials comes last."""
    run = prepare(load_contract(defaults.CONTRACT), WsgiTarget(_nobody), seeded_identities(defaults.SEED_DATA))
    tasks = sorted((task for planner in planners for task in planner(run)), key=lambda task: task.last)
    return [pytest.param(task, id=_name(task)) for task in tasks]


def _name(task: Task) -> str:
    return f"{task.check}-{task.operation.replace(' ', '-')}"


def _nobody(_environ: object, _start_response: object) -> list[bytes]:
    raise AssertionError("a plan sends nothing")
