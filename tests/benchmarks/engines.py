"""One run of generated cases in a process of its own: `python -m tests.benchmarks.engines plain|ours JOB.json`.

`plain` is the command `schemathesis run` itself, called in this process so that its start is not counted; `ours` is
`mockserver fuzz` without the claims that it makes besides generated cases. What it took goes to the file `result` of
the job.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: What either of them loads when it is needed; start-up is not what is compared.
_LOADED_FIRST = (
    "schemathesis.cli.commands",
    "schemathesis.specs.openapi.schemas",
    "schemathesis.engine.run.unit",
    "schemathesis.engine.run.stateful._executor",
    "schemathesis.specs.openapi.checks",
    "schemathesis.cli.commands.run.handlers.output",
    "mockserver.suite.fuzz.engine",
)


def main(kind: str, job_file: Path) -> None:
    """Make a run and write what it took."""
    job = json.loads(job_file.read_text(encoding="utf-8"))
    for name in _LOADED_FIRST:
        importlib.import_module(name)
    checks: Counter[str] = Counter()
    if job["count_checks"]:
        _count_checks(checks)
    made: Callable[[], Any] = _plain(job) if kind == "plain" else _ours(job)
    _wait_for_the_others(job)
    started, processor = time.perf_counter(), time.process_time()
    made()
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor
    result = {
        "started": started,
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "checks": checks,
    }
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")


def _wait_for_the_others(job: dict[str, Any]) -> None:
    """Say that this process is ready, and wait for the word to go."""
    if job["go"]:
        Path(job["ready"]).touch()
        while not Path(job["go"]).exists():
            time.sleep(0.005)


def _plain(job: dict[str, Any]) -> Callable[[], Any]:
    import schemathesis
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants
    from schemathesis.cli.commands import schemathesis as command

    # Hypothesis draws constants of source code that is not installed: this file's, and the suite's in a checkout.
    nothing = Constants()
    providers._get_local_constants = lambda: nothing
    schemathesis.auth(refresh_interval=None)(_credentials(job))
    arguments = ["--config-file", job["config"], "run", job["contract"], "--url", job["base_url"], "--no-color"]

    def run() -> None:
        output = Path(job["output"])
        with output.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
            try:
                code = command.main(arguments, standalone_mode=False)
            except SystemExit as ended:
                code = ended.code
        if code:
            raise RuntimeError(f"schemathesis ended with {code}: {output.read_text(encoding='utf-8')[-2000:]}")

    return run


def _credentials(job: dict[str, Any]) -> type:
    """Return who calls as schemathesis' hooks say it; the one operation that ends a token gets a new one each time."""

    class Credentials:
        def get(self, case: Any, _context: Any) -> str | None:
            label = case.operation.label
            if label not in job["needs_login"]:
                found: str | None = job["authorization"].get(label)
                return found
            login = json.dumps({"username": job["username"], "password": job["password"]}).encode()
            request = urllib.request.Request(job["login_url"], login, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request) as answer:
                token = json.load(answer)["auth"]["auth_token"]
            return "Basic " + base64.b64encode(f"{job['username']}:{token}".encode()).decode()

        def set(self, case: Any, data: str, _context: Any) -> None:
            case.headers["Authorization"] = data

    return Credentials


def _ours(job: dict[str, Any]) -> Callable[[], Any]:
    from mockserver.contract.reading.document import load_contract
    from mockserver.suite.fuzz import restricted_contract
    from mockserver.suite.fuzz.engine import FuzzSettings, drive
    from mockserver.suite.run.preparation import prepare, who_calls
    from mockserver.suite.run.sharding import Division, parse_shard
    from mockserver.suite.target.targets import HttpTarget
    from mockserver.suite.verdicts.verdict import RunOutcome
    from tests import defaults

    target = HttpTarget(job["base_url"])
    prepared = prepare(load_contract(job["contract"]), target, who_calls(None, defaults.SEED_DATA))
    if job["shard"]:
        prepared.division = Division(prepared.selected, parse_shard(job["shard"]))
        configure = restricted_contract.engine_config
        if not job["sequences"]:  # each part makes others
            restricted_contract.engine_config = lambda run, settings: _without_sequences(configure(run, settings))

    def run() -> None:
        outcome = drive(prepared, FuzzSettings(job["max_examples"], seed=job["seed"]))
        if outcome != RunOutcome() or prepared.verdicts.findings():
            raise RuntimeError(f"{outcome} {prepared.verdicts.findings()}")

    return run


def _without_sequences(config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "phases": {**config["phases"], "stateful": {"enabled": False}}}


def _count_checks(counts: Counter[str]) -> None:
    """Count how often each check is made, in both phases that make them."""
    from schemathesis import checks as module
    from schemathesis.engine import _validate
    from schemathesis.engine.run.stateful import _executor

    original = module.run_checks

    def counting(**arguments: Any) -> Any:
        counts.update(check.__name__ for check in arguments["checks"])
        return original(**arguments)

    for holder in (_validate, _executor):
        assert vars(holder)["run_checks"] is original, "schemathesis makes its checks elsewhere"
        vars(holder)["run_checks"] = counting


if __name__ == "__main__":
    os.chdir(Path(sys.argv[2]).parent)
    main(sys.argv[1], Path(sys.argv[2]))
