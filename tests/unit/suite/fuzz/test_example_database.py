"""Failures of earlier runs: kept without secrets, tried again first, forgotten when they are none any more."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockserver.cli import cli
from mockserver.contract.reading.document import load_contract
from mockserver.errors import UsageError
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.fuzz.example_database import FailureDatabase, keep_failures, replay
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.run.fuzz_run import fuzz
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import RunOutcome
from tests.unit.suite import notes

TOKEN = "token-of-the-caller"
Running = Callable[[str], AbstractContextManager[Run]]
REDIS = shutil.which("redis-server")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if REDIS is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server); CI has it")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "secret-of-redis")
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen([REDIS, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not is_listening(port):
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)
        yield f"redis://:secret-of-redis@127.0.0.1:{port}/3"
    finally:
        process.terminate()
        process.wait(120)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["folder", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "examples") if request.param == "folder" else str(request.getfixturevalue("redis_url"))


@pytest.fixture
def running(tmp_path: Path) -> Callable[[str], AbstractContextManager[Run]]:
    """Give a run against a server with a fault, or with none."""
    contract = load_contract(notes.write(tmp_path, secured=True))

    @contextmanager
    def run_against(fault: str) -> Iterator[Run]:
        with notes.served(fault, TOKEN) as url:
            target = HttpTarget(url, timeout_seconds=5)
            try:
                yield prepare(contract, target, Identities((Identity("caller", token=TOKEN),)), settle_seconds=0.2)
            finally:
                target.close()

    return run_against


def found(run: Run) -> set[str]:
    return {finding.id for finding in run.verdicts.findings()}


def expected(run: Run) -> dict[str, str]:
    return {one.id: one.detail.partition("; got ")[0] for one in run.verdicts.findings()}


def kept(database: FailureDatabase, run: Run) -> list[bytes]:
    return [raw for operation in run.contract.operations for raw, _ in database.known(operation)]


@pytest.mark.parametrize("fault", ["lost", "crash"])
def test_what_a_run_found_the_next_one_finds_first(running: Running, fault: str, place: str) -> None:
    settings = FuzzSettings(max_examples=10, seed=1, database=place)
    with running(fault) as run:
        assert fuzz(run, settings) == RunOutcome()
        first, told = found(run), expected(run)
    with running(fault) as run:
        database = FailureDatabase(place, run.secrets)
        stored = kept(database, run)
        assert stored
        assert not [raw for raw in stored if TOKEN.encode() in raw]
        assert replay(run, database) == RunOutcome()
        again = found(run)
        assert again
        assert again <= first
        assert expected(run).items() <= told.items(), "a failure is told as it was before"
        assert run.target.rate_limiter.requests < 100, "only what is known is sent"
        keep_failures(run, database)
        assert len(kept(database, run)) <= len(stored)
    with running("") as run:
        database = FailureDatabase(place, run.secrets)
        assert replay(run, database) == RunOutcome()
        assert found(run) == set()
        assert kept(database, run) == []


def test_what_was_taken_and_should_not_be_is_tried_again(running: Running, tmp_path: Path) -> None:
    place, wanted = str(tmp_path / "examples"), {"negative_data_rejection", "positive_data_acceptance"}

    def wrongly_taken(run: Run) -> set[str]:
        return {finding.id for finding in run.verdicts.findings() if finding.check in wanted}

    with running("greedy") as run:
        fuzz(run, FuzzSettings(max_examples=3, seed=1, database=place))
        first, told = wrongly_taken(run), expected(run)
        assert first
    with running("greedy") as run:
        replay(run, FailureDatabase(place, run.secrets))
        assert first <= wrongly_taken(run)
        assert {key: expected(run)[key] for key in first} == {key: told[key] for key in first}


def test_what_another_version_kept_is_left_alone(running: Running, tmp_path: Path) -> None:
    with running("") as run:
        database = FailureDatabase(str(tmp_path / "examples"), run.secrets)
        key = f"mockserver/{run.contract.operations[0].label}".encode()
        for raw in (b"\x00", b"{}", b'{"version": 99}', b"[]", b'{"version": 1, "requests": []}'):
            database._store.save(key, raw)
        assert replay(run, database) == RunOutcome()
        assert run.target.rate_limiter.requests == 0
        assert len(list(database._store.fetch(key))) == 5


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("redis://:hidden-password@127.0.0.1:1/0", "no Redis server responds"),
        ("http://127.0.0.1", "neither a folder nor"),
        ("/proc/nothing/here", "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_in_one_line(place: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        FailureDatabase(place, Secrets())
    assert "hidden-password" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(UsageError, match=r"pip install 'mockserver\[redis\]'"):
        FailureDatabase("redis://127.0.0.1:6379/0", Secrets())


def test_the_command_says_so_too(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    result = CliRunner().invoke(cli, ["fuzz", "--example-database", str(file)])
    assert result.exit_code != 0
    assert "--example-database" in result.output + str(result.exception)
