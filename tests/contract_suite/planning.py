"""The planned checks of a theme, known when tests are collected: each becomes a test with a name."""

from __future__ import annotations

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.checks.planned_check import PlannedCheck, Planner
from mockserver.suite.identities.identities import seeded_identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.targets import WsgiTarget
from tests import defaults


def parameters(*planners: Planner) -> list[object]:
    """Return the planned checks of some themes as parameters; what ends credentials comes last."""
    run = prepare(load_contract(defaults.CONTRACT), WsgiTarget(_nobody), seeded_identities(defaults.SEED_DATA))
    entries = sorted(
        (entry for planner in planners for entry in planner(run)),
        key=lambda entry: entry.last,
    )
    return [pytest.param(entry, id=_name(entry)) for entry in entries]


def _name(entry: PlannedCheck) -> str:
    return f"{entry.check}-{entry.operation.replace(' ', '-')}"


def _nobody(_environ: object, _start_response: object) -> list[bytes]:
    raise AssertionError("a plan sends nothing")
