"""The server to judge: the stub in process and over a socket, or whatever `--base-url` names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import configuration

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.run.preparation import own_stub, prepare, who_calls
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.processes import StubControl
from mockserver.suite.target.targets import HttpTarget, WsgiTarget
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, failures_in
from tests import defaults

CONTRACT: Contract = load_contract(defaults.CONTRACT)
IN_PROCESS, OVER_A_SOCKET = "in process", "over a socket"


def pytest_configure(config: pytest.Config) -> None:
    """Keep Hypothesis from writing its tables into the folder that the tests run in; it starts at collection."""
    folder = tempfile.TemporaryDirectory(prefix="mockserver-hypothesis-")
    config.add_cleanup(folder.cleanup)
    configuration.set_hypothesis_home_dir(folder.name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test against both faces of the stub, or against the server of `--base-url` alone."""
    if "target_name" in metafunc.fixturenames:
        url = metafunc.config.getoption("base_url", default=None)
        names = [url] if url else [IN_PROCESS, OVER_A_SOCKET]
        metafunc.parametrize("target_name", names, scope="session")


@pytest.fixture(scope="session")
def run(target_name: str, pytestconfig: pytest.Config) -> Iterator[Run]:
    """A run against the server to judge; its verdicts gather what all tests of the session find."""
    if target_name == IN_PROCESS:
        target = WsgiTarget(create_app(CONTRACT, seed_data=defaults.SEED_DATA).wsgi_app)
        identities = who_calls(None, defaults.SEED_DATA)
        yield prepare(CONTRACT, target, identities, control=StubControl(target, None))
    elif target_name == OVER_A_SOCKET:
        with own_stub(None) as (stub, control):
            yield prepare(CONTRACT, stub, who_calls(None, defaults.SEED_DATA), control=control)
    else:
        file = pytestconfig.getoption("mockserver_identities")
        server = HttpTarget(target_name)
        writes = pytestconfig.getoption("mockserver_allow_writes")
        identities = who_calls(Path(file) if file else None)
        yield prepare(CONTRACT, server, identities, allow_writes=writes)
        server.close()


def make(run: Run, entry: PlannedCheck) -> None:
    """Make a planned check; fail with all that its responses show, skip what this server cannot be asked."""
    known = {finding.id for finding in run.verdicts.findings()}
    session = Session(run)
    try:
        entry.make(session)
    except NoOccasion:
        pass  # it does not apply to this operation, on whatever server
    except NotRun as reason:
        if run.own:
            pytest.fail(f"not run against our own stub, because {reason}")
        pytest.skip(str(reason))
    except (CheckFailure, ExceptionGroup) as error:
        for failure in failures_in(error):
            run.verdicts.failed(failure)
    finally:
        session.close()  # the stub keeps a thousand worlds
    found = [finding for finding in run.verdicts.findings() if finding.id not in known]
    assert not found, "\n".join(
        f"{finding.level}: {finding.title} on {finding.operation}: {finding.detail}" for finding in found
    )
