"""How fast `mockserver fuzz` gets through generated cases, beside `schemathesis run` itself.

Both are given the same contract, seed, settings and credentials, and a fresh stub each, in turns (plain, ours, ...).
A first pair of runs, not timed, goes to a stub that writes down what it is sent, and counts the checks that are made:
the lists of generated requests have to be the same, and so have the built-in checks. A case counts once, whatever else
is sent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.fuzz.restricted_contract import engine_config
from mockserver.suite.identities.identities import credentials
from mockserver.suite.run.preparation import prepare, who_calls
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.targets import HttpTarget
from tests import defaults
from tests.benchmarks.servers import HOST, LOAD_CORE, ROOT, free_port, granian_command, pinned, serving, stub_command
from tests.benchmarks.tables import say, table

#: How many times the cases per second of plain schemathesis there must be (issue 3, "Must show" 6).
AIM = 1.5
KINDS = ("plain", "ours")
#: Ours again, as two processes that share the work.
PARTS = "ours, 2 workers"
_SECONDS = 120


class Round(NamedTuple):
    """What one run took."""

    seconds: float
    processor_seconds: float


class Proof(NamedTuple):
    """What a run sent and checked, told by the server and by a counter.

    Attributes:
        cases: the generated requests in order, each as the server got it.
        others: how many other requests there were.
        checks: how often each check was made.
    """

    cases: Sequence[Any]
    others: int
    checks: Mapping[str, int]


def report(rounds: int, seed: int, max_examples: int = 50) -> bool:
    """Prove that both do the same, measure, print the table, and tell whether the aim is met."""
    with tempfile.TemporaryDirectory() as name:
        proofs = {kind: prove(kind, Path(name) / kind, seed, max_examples) for kind in KINDS}
        cases = len(proofs["plain"].cases)
        differences = compare(proofs["plain"], proofs["ours"])
        say(f"{cases} generated requests, seed {seed}, the same from both: {'no' if differences else 'yes'}")
        for line in differences:
            say(line)
        extra = proofs["ours"].others - proofs["plain"].others
        say(f"{sum(proofs['plain'].checks.values())} built-in checks made; {extra} requests of ours besides")
        measured: dict[str, list[Round]] = {kind: [] for kind in (*KINDS, PARTS)}
        for _ in range(rounds):
            for kind in measured:
                measured[kind].append(measure(kind, Path(name) / kind, seed, max_examples))
    rows = [
        (
            kind,
            f"{median(cases / part.seconds for part in parts):,.0f}",
            f"{min(cases / part.seconds for part in parts):,.0f} to {max(cases / part.seconds for part in parts):,.0f}",
            f"{median(part.processor_seconds / cases * 1000 for part in parts):.2f}",
        )
        for kind, parts in measured.items()
    ]
    say(table(("engine", "cases/s (median)", "range", "processor ms/case"), rows))
    met = _judge(measured, "ours")
    return _judge(measured, PARTS) | met and not differences


def compare(plain: Proof, ours: Proof) -> list[str]:
    """Return what is not the same: the first request that differs, checks that are made more or less often."""
    found = []
    if plain.cases != ours.cases:
        pairs = enumerate(zip(plain.cases, ours.cases, strict=False))
        place = next((i for i, (one, other) in pairs if one != other), min(len(plain.cases), len(ours.cases)))
        found.append(f"request {place} of {len(plain.cases)} and {len(ours.cases)} differs:")
        found += [f"  {str(proof.cases[place : place + 1])[:600]}" for proof in (plain, ours)]
    for name, times in plain.checks.items():
        if ours.checks.get(name, 0) != times:
            found.append(f"{name} is made {times} and {ours.checks.get(name, 0)} times")
    return found


def prove(kind: str, folder: Path, seed: int, max_examples: int, shard: str = "") -> Proof:
    """Return what an engine sends and checks; of a part of a run, what it sends but for sequences."""
    folder.mkdir(exist_ok=True)
    record, port = folder / "record.jsonl", free_port()
    record.unlink(missing_ok=True)
    command = granian_command(port, "make_recording", "--factory")
    os.environ["RECORD"] = str(record)
    with serving(command, port, folder / "server.log"):
        result = _run(kind, folder, port, seed, max_examples, count_checks=True, shard=shard)
    sent = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    cases = [request for request in sent if request["fields"].pop("HTTP_X_SCHEMATHESIS_TESTCASEID", None)]
    return Proof(cases, len(sent) - len(cases), result["checks"])


def measure(kind: str, folder: Path, seed: int, max_examples: int) -> Round:
    """Return what a run takes against a fresh stub, which has the other core but for two workers."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    with serving(stub_command(port), port, folder / "server.log"):
        if kind != PARTS:
            result = _run(kind, folder, port, seed, max_examples, count_checks=False)
            return Round(result["seconds"], result["processor_seconds"])
        return _together(folder, port, seed, max_examples)


def _together(folder: Path, port: int, seed: int, max_examples: int) -> Round:
    """Return what two parts take that begin at the same time."""
    go = folder / "go"
    go.unlink(missing_ok=True)
    parts = []
    for number in (1, 2):
        part = folder / str(number)
        part.mkdir(exist_ok=True)
        shared = {"shard": f"{number}/2", "sequences": True, "go": str(go), "ready": str(part / "ready")}
        (part / "ready").unlink(missing_ok=True)
        command = _job("ours", part, port, seed, max_examples, **shared)
        parts.append((part, subprocess.Popen(command, cwd=ROOT)))
    deadline = time.monotonic() + _SECONDS
    while not all((part / "ready").exists() for part, _ in parts):
        if time.monotonic() > deadline or any(process.poll() for _, process in parts):
            raise RuntimeError("the parts do not start")
        time.sleep(0.01)
    go.touch()
    if any(process.wait(_SECONDS) for _, process in parts):
        raise RuntimeError("a part failed")
    results = [json.loads((part / "result.json").read_text(encoding="utf-8")) for part, _ in parts]
    first, last = (
        f(result["started"] + end * result["seconds"] for result in results) for f, end in ((min, 0), (max, 1))
    )
    return Round(last - first, sum(result["processor_seconds"] for result in results))


def _run(
    kind: str, folder: Path, port: int, seed: int, max_examples: int, *, count_checks: bool, shard: str = ""
) -> Any:
    command = _job(kind, folder, port, seed, max_examples, count_checks=count_checks, shard=shard)
    made = subprocess.run(
        pinned(command, LOAD_CORE), cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if made.returncode:
        raise RuntimeError(f"{kind}: {made.stdout[-1000:]}{made.stderr[-2000:]}")
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def _job(kind: str, folder: Path, port: int, seed: int, max_examples: int, **details: Any) -> list[str]:
    """Write down what a run needs to know, and return its command."""
    base_url = f"http://{HOST}:{port}"
    settings = FuzzSettings(max_examples, seed=seed)
    contract = _compared(folder / "contract.json")
    with _prepared(contract, base_url) as run:
        (folder / "schemathesis.toml").write_text("\n".join(_toml(engine_config(run, settings))), encoding="utf-8")
        asked = _who_calls(run)
    job = {
        "base_url": base_url,
        "config": str(folder / "schemathesis.toml"),
        "contract": str(folder / "contract.json"),
        "output": str(folder / "output.txt"),
        "result": str(folder / "result.json"),
        "seed": seed,
        "max_examples": max_examples,
        "count_checks": False,
        "shard": "",
        "sequences": False,
        "go": "",
        "ready": "",
        **asked,
        **details,
    }
    file = folder / "job.json"
    file.write_text(json.dumps(job), encoding="utf-8")
    return [sys.executable, "-m", "tests.benchmarks.engines", kind, str(file)]


def _compared(file: Path) -> Contract:
    """Write down the contract that both go by: settings and tokens, where plain schemathesis finds nothing, either."""
    data = load_contract(defaults.CONTRACT).document.data
    paths = {
        path: item
        for path, item in data["paths"].items()
        if path.startswith("/api/v1/settings/") or path == "/api/v1/auth/"
    }
    file.write_text(json.dumps({**data, "paths": paths}), encoding="utf-8")
    return load_contract(file)


@contextmanager
def _prepared(contract: Contract, base_url: str) -> Iterator[Run]:
    target = HttpTarget(base_url)
    try:
        yield prepare(contract, target, who_calls(None, defaults.SEED_DATA))
    finally:
        target.close()


def _who_calls(run: Run) -> dict[str, Any]:
    """Return the credentials of each operation, as the suite chooses them."""
    session = Session(run, fresh=False)
    shown = {}
    for operation in run.contract.operations:
        identity = run.allowed(operation)
        if identity is not None and (found := credentials(run.contract, operation, identity)) is not None:
            shown[operation.label] = dict(found[0])["Authorization"]
    return {
        "authorization": shown,
        "needs_login": [operation.label for operation in run.contract.operations if operation.effect == "credentials"],
        "login_url": run.target.base_url + session.login_operation().path,
        "username": run.admin.username,
        "password": run.admin.password,
    }


def _toml(value: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the lines of a TOML document with a value's members."""
    for name, member in value.items():
        if not isinstance(member, dict):
            yield f"{name} = {json.dumps(member)}"
    for name, member in value.items():
        if isinstance(member, dict):
            yield f"[{above}{name}]"
            yield from _toml(member, f"{above}{name}.")


def _judge(measured: Mapping[str, Sequence[Round]], kind: str) -> bool:
    rounds = list(zip(measured[kind], measured["plain"], strict=True))
    ratios = [its.seconds / mine.seconds for mine, its in rounds]
    by_time = [its.processor_seconds / mine.processor_seconds for mine, its in rounds]
    reached = median(ratios)
    verdict = "met" if reached >= AIM else "MISSED"
    say(
        f"{kind}/plain: {reached:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}; "
        f"by processor time {median(by_time):.2f}, {min(by_time):.2f} to {max(by_time):.2f}); "
        f"aim at least {AIM:g}: {verdict}"
    )
    return reached >= AIM
