"""The stub of a run: it ends with the run, also when the run is interrupted while it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

from mockserver.suite.target.processes import StubProcess


def test_a_stub_that_is_interrupted_while_it_starts_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> Any:
        process = popen(*arguments, **options)
        started.append(process)
        os.kill(os.getpid(), signal.SIGINT)
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt), StubProcess():
        pytest.fail("it was not interrupted")
    assert started[0].poll() is not None
