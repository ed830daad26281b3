"""Ctrl-C and SIGTERM end a run with its report, also where an exception would get lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
from click.testing import CliRunner

from mockserver.cli import cli
from mockserver.contract.schema import validator
from mockserver.suite import workers
from mockserver.suite.run import interrupts
from mockserver.suite.run.interrupts import acknowledge_interrupt, interruptible, raise_if_interrupted, terminable
from mockserver.suite.run.progress import NoProgress
from mockserver.suite.target import processes
from tests.faults.judging import identities_file
from tests.faults.server import FaultyServer, serving

#: The server gets so many requests before the signal, and may get so many after it.
_BEFORE, _AFTER = 20, 5
#: A part that cannot be asked to end, and tells something all along; it gives up before the test hangs for good.
_DEAF = """
import json, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(200):
    print(json.dumps({"step": "GET /", "cases": 1, "findings": 0}), flush=True)
    time.sleep(0.1)
"""
_HALF_A_LINE = "print('{\"docu', end='')"


class _Name(str):
    """A format's name that jsonschema-rs asks for while a signal comes in: it drops what the handler raises."""

    __slots__ = ()

    #: What there is to do meanwhile.
    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def __str__(self) -> str:
        _Name.meanwhile()
        return "byte"


class _Once:
    """Sends this process a signal, once, when it is armed."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        self.armed = self.sent = False

    def __call__(self) -> None:
        if self.armed and not self.sent:
            self.sent = True
            signal.raise_signal(self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_signal_while_a_schema_is_compiled_is_not_lost(
    command: str, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, once, requests = FaultyServer(), _Once(number), list[bool]()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        once.armed = len(requests) >= _BEFORE
        requests.append(once.sent)
        return server(environ, start_response)

    monkeypatch.setattr(_Name, "meanwhile", staticmethod(once))
    monkeypatch.setattr(validator, "_FORMATS", {_Name("byte"): lambda _: True})
    with serving(application) as url:
        document = interrupted_run(tmp_path, command, url, "--no-oracle", *(["--time", "60"] * (command == "fuzz")))
    assert once.sent
    assert requests.count(True) <= _AFTER
    assert document["run"]["interrupted"]
    assert not document["findings"]


def test_a_signal_while_progress_is_shown_ends_all_parts_with_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "shown_progress", interrupted_progress)
    with serving(FaultyServer()) as url:
        document = interrupted_run(tmp_path, "fuzz", url, "--no-oracle", "--time", "60", "--workers", "2")
    assert document["run"]["interrupted"]
    assert document["run"]["workers"] == 2


def interrupted_run(folder: Path, command: str, url: str, *options: str) -> dict[str, Any]:
    """Return the report of a run that is interrupted."""
    report, identities = folder / "report.json", folder / "identities.yaml"
    identities.write_text(identities_file(), encoding="utf-8")
    given = [command, url, "--identities", str(identities), "--report", f"json={report}", *options]
    result = CliRunner().invoke(cli, given, standalone_mode=False)
    assert result.return_value == 130, result.output
    document: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return document


@contextmanager
def interrupted_progress(*_: Any) -> Iterator[NoProgress]:
    once = _Once(signal.SIGINT)
    once.armed = True

    class Progress(NoProgress):
        def step(self, *_: Any) -> None:
            once()

    yield Progress()


def test_a_part_that_goes_on_talking_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(workers, "KILL_SECONDS", 0.5)
    ctrl_c = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    ctrl_c.start()
    begun = time.monotonic()
    assert isinstance(parts_that_run(_DEAF, monkeypatch), click.Abort)
    assert time.monotonic() - begun < 10
    ctrl_c.join()


def test_a_part_that_ends_within_a_line_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "part 1/2 of the run ended before its report" in str(parts_that_run(_HALF_A_LINE, monkeypatch))


def parts_that_run(program: str, monkeypatch: pytest.MonkeyPatch) -> BaseException | None:
    """Return what comes of a run whose parts are something else."""

    def start(*_: Any) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    monkeypatch.setattr(processes, "start", start)
    options = ["fuzz", "http://127.0.0.1:1", "--workers", "2"]
    return CliRunner().invoke(cli, options, standalone_mode=False).exception


def test_a_signal_is_raised_before_each_request_until_it_is_answered() -> None:
    with terminable():
        signal.raise_signal(signal.SIGINT)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                raise_if_interrupted()
        assert acknowledge_interrupt()
        raise_if_interrupted()


def test_a_signal_ends_what_waits() -> None:
    with terminable():
        with pytest.raises(KeyboardInterrupt), interruptible:
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), interruptible:
            pytest.fail("it waits although the run is ended")
        assert acknowledge_interrupt()


def test_a_signal_that_nobody_answers_is_raised_at_the_end() -> None:
    went_on = False

    @terminable()
    def run() -> None:
        nonlocal went_on
        signal.raise_signal(signal.SIGINT)
        went_on = True

    with pytest.raises(KeyboardInterrupt):
        run()
    assert went_on


@pytest.mark.parametrize(("seconds", "raised"), [(60.0, False), (0.0, True)])
def test_signals_that_come_together_are_one(seconds: float, raised: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "TOGETHER_SECONDS", seconds)
    second = False
    with terminable():
        signal.raise_signal(signal.SIGTERM)
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            second = True
        assert acknowledge_interrupt()
    assert second is raised


def test_jsonschema_rs_still_drops_what_a_handler_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, jsonschema-rs got better, and one reason for all this is gone."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_Name, "meanwhile", staticmethod(interrupt))
    dropped: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)
    jsonschema_rs.validator_for({"type": "string"}, validate_formats=True, formats={_Name("byte"): lambda _: True})
    assert [one.exc_type for one in dropped] == [KeyboardInterrupt]
