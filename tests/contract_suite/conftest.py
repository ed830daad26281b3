"""One run of `check`: on the stub in this process, or on the server that `--base-url` names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.reports.json_report import Report
from mockserver.suite.run.lifecycle import judged
from mockserver.suite.run.preparation import prepare, who_calls
from mockserver.suite.run.progress import NoProgress
from mockserver.suite.safety.ledger_keeper import LedgerKeeper, new_ledger
from mockserver.suite.safety.original_values import OriginalValues
from mockserver.suite.target.processes import StubControl
from mockserver.suite.target.targets import HttpTarget
from tests import defaults
from tests.conftest import Client, send_to_app
from tests.wsgi_target import WsgiTarget

CONTRACT: Contract = load_contract(defaults.CONTRACT)


@pytest.fixture(scope="session")
def application(mockserver_base_url: str | None) -> Any:
    """The stub that is judged; there is none where another server is."""
    if mockserver_base_url is not None:
        pytest.skip("another server is judged (--base-url)")
    return create_app(CONTRACT, seed_data=defaults.SEED_DATA).wsgi_app


@pytest.fixture(scope="session")
def default_world(application: Any) -> Client:
    """The world of the stub that no run uses."""
    return Client(send_to_app(application))


@pytest.fixture(scope="session")
def state_before(default_world: Client) -> Any:
    """The state of the default world before the run, but for the time."""
    return default_world.control("GET", "/state") | {"clock": None}


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest, mockserver_base_url: str | None) -> Iterator[Report]:
    """The report of the run, made when all was put back that it changed."""
    if mockserver_base_url is None:
        request.getfixturevalue("state_before")
        stub = WsgiTarget(request.getfixturevalue("application"))
        control = StubControl(stub, None)
        yield judged(
            "check",
            prepare(CONTRACT, stub, who_calls(None, defaults.SEED_DATA), control=control),
            None,
            progress=NoProgress(),
        )
        return
    file = request.config.getoption("mockserver_identities")
    server = HttpTarget(mockserver_base_url)
    identities = who_calls(Path(file) if file else None)
    run = prepare(CONTRACT, server, identities, allow_writes=request.config.getoption("mockserver_allow_writes"))
    yield judged(
        "check", run, None, keeper=LedgerKeeper(run, OriginalValues({}), new_ledger(run)), progress=NoProgress()
    )
    server.close()
