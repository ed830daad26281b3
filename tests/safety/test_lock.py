"""Two runs that write to one target are refused, also from another container that shares no more than a folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.errors import UsageError
from mockserver.suite.safety import ledger as ledgers
from mockserver.suite.safety.ledger import CreatedItem, Ledger, LedgerFile
from mockserver.suite.safety.target_lock import locked_target
from tests.safety.conftest import REMOTE, Suite
from tests.safety.server import RemoteServer
from tests.safety.small import Settings, application, setting, written

TARGET = "http://127.0.0.1:1"
WRITES = (*REMOTE, "--allow-writes=write_colour")


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def server(remote: Callable[..., RemoteServer]) -> RemoteServer:
    return remote(application=application(Settings("colour")))


@pytest.fixture
def contract(tmp_path: Path) -> str:
    return written(tmp_path, {"/settings/colour": setting("colour")})


@pytest.mark.parametrize("options", [("--no-oracle",), WRITES], ids=["loopback", "remote"])
def test_a_second_run_is_refused_before_it_asks_anything(
    suite: Suite, server: RemoteServer, contract: str, options: tuple[str, ...]
) -> None:
    with locked_target(server.url, []):
        done = suite.run("check", server.url, contract, *options)
    assert (done.returncode, server.log) == (2, [])
    assert f"{server.url}: another run writes to this target (process " in done.stderr
    suite.run("check", server.url, contract, *options)
    assert server.log
    assert list(suite.folder.rglob("*.lock")) == []


def test_a_run_that_only_reads_is_not(suite: Suite, server: RemoteServer, contract: str) -> None:
    with locked_target(server.url, []):
        assert suite.run("check", server.url, contract, *REMOTE).returncode in {0, 2}
    assert server.log


def test_another_container_sees_the_lock_in_the_folder_of_the_ledger(
    suite: Suite, server: RemoteServer, contract: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "other"))
    with locked_target(server.url, [suite.folder]):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
        done = suite.run("check", server.url, contract, *WRITES)
    assert (done.returncode, server.log) == (2, [])
    assert "another run writes to this target" in done.stderr


def test_a_ledger_that_a_killed_run_left_in_another_container_is_found(
    suite: Suite, server: RemoteServer, contract: str
) -> None:
    left = Ledger(server.url, "c", "0", [], "then", host="another-container", process=1)
    left.items.append(CreatedItem("/things/a", "/things/{id}"))
    LedgerFile(suite.folder / "left.json", new=True).write(left)
    done = suite.run("check", server.url, contract, *WRITES)
    assert (done.returncode, server.log) == (2, [])
    assert f"mockserver restore {suite.folder / 'left.json'}" in done.stderr
    # While parts of one run share the lock, it may be that of a part that is at work.
    assert ledgers.left_open(suite.folder, server.url) is None
    assert ledgers.left_open(suite.folder, server.url, alone=True) is not None


def test_parts_of_one_run_share_the_lock(tmp_path: Path) -> None:
    with locked_target(TARGET, [tmp_path], shared=True), locked_target(TARGET, [tmp_path], shared=True):
        with pytest.raises(UsageError), locked_target(TARGET, [tmp_path]):
            pass
        (file,) = tmp_path.glob(".mockserver-*.lock")
        assert json.loads(file.read_text(encoding="utf-8"))["process"]
    with locked_target(TARGET, [tmp_path]):
        assert len(list(tmp_path.glob(".*.lock"))) == 1
    assert list(tmp_path.glob(".*.lock")) == []


def test_a_folder_that_is_not_there_holds_no_lock(tmp_path: Path) -> None:
    with locked_target(TARGET, [tmp_path / "nowhere"]):
        assert not (tmp_path / "nowhere").exists()
