"""What schemathesis can make no request for is told, and ends nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from schemathesis.engine import context, control, events

from mockserver.contract.reading.document import load_contract
from mockserver.suite.fuzz.engine import drive
from mockserver.suite.fuzz.generated_cases import Judge
from mockserver.suite.fuzz.restricted_contract import FuzzSettings
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import RunOutcome
from tests.unit.suite import notes


def _get(schema: Any) -> dict[str, Any]:
    parameter = {"name": "q", "in": "query", "required": True, "schema": schema}
    return {"get": {"parameters": [parameter], "responses": {"200": {"description": ""}, "400": {"description": ""}}}}


def test_an_operation_that_cannot_be_generated_for_is_not_run_and_the_others_are(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    impossible = {"type": "string", "allOf": [{"minLength": 3}, {"maxLength": 2}]}
    path = tmp_path / "contract.json"
    paths = {"/a": _get({"type": "integer"}), "/b": _get(impossible)}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    done = command("fuzz", "--contract", str(path), "--max-examples", "2")
    assert done.returncode == 0, done.stdout
    assert "fuzz on GET /b, because schemathesis cannot generate a request" in " ".join(done.stdout.split())


def test_each_phase_has_its_share_of_the_time_however_slow_the_server_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is played: each response takes half a second of it, so that there is time for eighty of thousands."""
    now, phase, sent = [0.0], [""], Counter[str]()
    played = SimpleNamespace(monotonic=lambda: now[0], time=lambda: now[0])
    for module in (control, context):
        monkeypatch.setattr(module, "time", played)
    take = Judge.take

    def noted(self: Judge, event: Any) -> None:
        if isinstance(event, events.PhaseStarted):
            phase[0] = event.phase.name.value
        elif isinstance(event, events.ScenarioFinished):
            sent[phase[0]] += len(event.recorder.interactions)
        take(self, event)

    monkeypatch.setattr(Judge, "take", noted)
    with notes.served() as url:
        target = HttpTarget(url)
        deliver = target.deliver

        def slow(*args: Any, **settings: Any) -> Any:
            now[0] += 0.5
            return deliver(*args, **settings)

        monkeypatch.setattr(target, "deliver", slow)
        run = prepare(load_contract(notes.write(tmp_path)), target, Identities(()))
        assert drive(run, FuzzSettings(max_examples=1000, max_seconds=40, seed=1)) == RunOutcome()
        target.close()
    assert all(sent[name] >= 2 for name in ("examples", "coverage", "fuzzing", "stateful")), sent
    assert 40 <= now[0] <= 60
