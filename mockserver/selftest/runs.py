"""`mockserver fuzz --self-test`: does the suite notice when a server breaks the contract?

A process of its own (`python -m mockserver.selftest`, which knows nothing of the suite) serves the stub with one
mutation at a time, chosen by the name of the world. It says of each mutant which findings name it; this module makes
the claims of `check` and the generated cases of `fuzz` on the mutant until one of these findings comes up.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Literal

from mockserver.contract.model import Contract
from mockserver.errors import MockServerError, UsageError
from mockserver.selftest.kills import Kills, Planted, Result, Sign
from mockserver.selftest.laboratory import Laboratory, laboratory
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.checks.robustness import timing_checks
from mockserver.suite.reports.json_report import Document, Report, as_json
from mockserver.suite.run.check_run import make, plan
from mockserver.suite.run.progress import Progress, shown_progress
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.safety.policy import matches_glob
from mockserver.suite.verdicts.evidence import Evidence
from mockserver.suite.verdicts.graded_findings import Finding
from mockserver.suite.verdicts.verdict import Outcome

Mode = Literal["sample", "full"]

#: Of each class so many mutants are in a sample.
SAMPLE_PER_CLASS = 3
#: The claim that compares how long operations take.
_SLOW = "answers_are_not_slow"
#: So many tasks of another operation give enough answers to compare with.
_TO_COMPARE = 4
#: Claims that take a handful of calls: where each of them is slow, these are made first.
_SHORT = frozenset(
    {"calls_without_credentials_are_refused", "unknown_tokens_are_refused", "wrong_passwords_are_refused"}
)


class UncleanStub(MockServerError):  # noqa: N818 - what is wrong, in two words
    """The stub without a mutation has findings, so that a finding on a mutant proves nothing."""


def prove(options: Options, mode: Mode, seed: int) -> tuple[Kills, Document]:
    """Judge the mutants of a contract; return what became of them, and the document that reports are made of.

    Raises:
        UsageError: an option cannot be used, or there is no mutant.
        MockServerError: the stub without mutation is not clean, or cannot be judged.
    """
    if options.target is not None or options.dry_run:
        what = "the target" if options.target is not None else "--dry-run"
        raise UsageError(f"--self-test judges mutants of our own stub; leave {what} out")
    contract = options.load_contract()
    started = datetime.now(UTC)
    with laboratory(contract, options, seed) as lab:
        with shown_progress(sys.stderr) as progress:
            kills = self_test(lab, mode, options.only, progress)
        report = Report(
            command="fuzz",
            target=lab.target.base_url,
            contract=str(contract.document.path),
            contract_sha256=contract.document.sha256,
            seed=seed,
            started=started,
            duration_seconds=kills.seconds,
            requests=lab.target.rate_limiter.requests + lab.impatient.rate_limiter.requests,
            operations_total=len(contract.operations),
            verdicts=kills.baseline.verdicts,
            evidence=Evidence(contract, kills.baseline.secrets),
            outcome=Outcome(interrupted=kills.interrupted),
            own_stub=True,
        )
    return kills, {**as_json(report), "self_test": kills.as_json()}


def self_test(lab: Laboratory, mode: Mode, only: Sequence[str], progress: Progress) -> Kills:
    """Judge mutants; return which were killed, by what.

    Raises:
        UncleanStub: the stub without mutation has findings.
        MockServerError: the process is lost, or the engine fails.
        UsageError: no mutant is at the operations that the run is limited to.
    """
    started = time.monotonic()
    mutants = lab.mutants()
    if only:
        by_label = {operation.label: operation for operation in lab.contract.operations}
        mutants = [mutant for mutant in mutants if matches_glob(by_label[mutant.operation], only)]
    chosen = sample([mutant for mutant in mutants if not mutant.equivalent], mode, lab.seed)
    if not chosen:
        raise UsageError("there is no mutant to judge: the contract has nothing to break, or --only names none of it")
    baseline = _clean(lab, only, progress)
    progress.phase("mutants", len(chosen))
    results: list[Result] = []
    interrupted = False
    try:
        for mutant in chosen:
            results.append(_examine(lab, mutant))
            progress.step(f"{mutant.kind} at {mutant.operation}")
    except KeyboardInterrupt:
        interrupted = True  # what is known so far is told
    afterwards = lab.mutants()
    broken = next((mutant for mutant in afterwards if mutant.broken), None)
    if broken is not None:
        raise MockServerError(f"the mutant {broken.kind} at {broken.operation} is itself at fault: {broken.broken}")
    acted = {mutant.number: mutant.acted for mutant in afterwards}
    return Kills(
        mode=mode,
        seed=lab.seed,
        classes=len({mutant.kind for mutant in mutants}),
        results=tuple(replace(result, acted=acted[result.mutant.number]) for result in results),
        equivalent=tuple(mutant for mutant in mutants if mutant.equivalent),
        seconds=time.monotonic() - started,
        baseline=baseline,
        interrupted=interrupted,
    )


def sample(mutants: Sequence[Planted], mode: Mode, seed: int) -> list[Planted]:
    """Return the mutants to judge: all, or some of each class, chosen by the seed."""
    if mode == "full":
        return list(mutants)
    chance = random.Random(seed)  # noqa: S311 - a choice that can be repeated, no secret
    by_class: dict[str, list[Planted]] = {}
    for mutant in mutants:
        by_class.setdefault(mutant.kind, []).append(mutant)
    chosen = [chance.sample(group, min(SAMPLE_PER_CLASS, len(group))) for group in by_class.values()]
    return sorted((mutant for group in chosen for mutant in group), key=lambda mutant: mutant.number)


def _clean(lab: Laboratory, only: Sequence[str], progress: Progress) -> Run:
    """Return the run of all claims and generated cases on the stub without mutation.

    Raises:
        UncleanStub: it has findings.
        MockServerError: it could not be judged.
    """
    run = lab.run("clean", only)
    run.progress = progress
    for outcome in (make(run, plan(run)), lab.generate(run)):
        if outcome.interrupted:
            raise KeyboardInterrupt
        if outcome.error:
            raise MockServerError(f"the stub without mutation cannot be judged: {outcome.error}")
    findings = run.verdicts.findings()
    if findings:
        first = findings[0]
        raise UncleanStub(
            f"the stub without mutation has {len(findings)} findings, so the self-test proves nothing; "
            f"the first: {first.check} on {first.operation}: {first.title}"
        )
    return run


def _examine(lab: Laboratory, mutant: Planted) -> Result:
    """Return what kills a mutant: a finding that names it, by the claims first, by generated cases then."""
    started = time.monotonic()
    timed = any(sign.check == _SLOW for sign in mutant.signs)
    labels = [mutant.operation, *(_another(lab.contract, mutant.operation) if timed else ())]
    run = lab.run(f"m{mutant.number}", labels, slow=mutant.slow)
    # The claims about an operation need others: a read shows what a write did. Generated cases are its own.
    whole = lab.run(f"m{mutant.number}", slow=mutant.slow)
    whole.verdicts = run.verdicts
    paths = {label.partition(" ")[2] for label in labels}
    about = [entry for entry in plan(whole) if entry.operation.partition(" ")[2] in paths]
    entries = _in_turns(about, mutant) if timed else _cheapest_first(about, mutant)
    # How slow an operation is shows as soon as there are answers to compare, and each of them takes its time.
    after = timing_checks(run) if timed else []
    killed: Finding | None = None
    for entry in entries:
        _go_on(make(whole, [entry, *after]))
        killed = _named(run, mutant)
        if killed is not None:
            break
    else:
        _go_on(lab.generate(run), engine=True)
        killed = _named(run, mutant)
    return Result(
        mutant=mutant,
        killed_by=None if killed is None else Sign(killed.check, killed.level, killed.operation),
        others=tuple(Sign(item.check, item.level, item.operation) for item in run.verdicts.findings()),
        seconds=time.monotonic() - started,
    )


def _another(contract: Contract, label: str) -> tuple[str, ...]:
    """Return the label of an operation at another path to compare one with: safe, if there is one."""
    path = label.partition(" ")[2]
    others = sorted((item for item in contract.operations if item.path != path), key=lambda item: not item.safe)
    return tuple(item.label for item in others[:1])


def _in_turns(entries: list[PlannedCheck], mutant: Planted) -> list[PlannedCheck]:
    """Return some tasks of another operation, then those of the mutant's and of the other in turns."""
    own = [entry for entry in entries if entry.operation == mutant.operation]
    own.sort(key=lambda entry: entry.check not in _SHORT)
    others = [entry for entry in entries if entry.operation != mutant.operation]
    first, rest = others[:_TO_COMPARE], others[_TO_COMPARE:]
    return [
        *first,
        *(entry for pair in zip_longest(own, rest) for entry in pair if entry is not None),
    ]


def _cheapest_first(entries: list[PlannedCheck], mutant: Planted) -> list[PlannedCheck]:
    """Return the tasks in another order: those whose claim names the mutant at the front."""
    checks = {sign.check for sign in mutant.signs}
    return sorted(
        entries,
        key=lambda entry: (entry.check not in checks, entry.operation != mutant.operation),
    )


def _named(run: Run, mutant: Planted) -> Finding | None:
    found = run.verdicts.findings()
    return next((item for item in found if Sign(item.check, item.level, item.operation) in mutant.signs), None)


def _go_on(outcome: Outcome, *, engine: bool = False) -> None:
    """Go on unless the run was ended; what stops the engine on a broken server is no reason to stop here."""
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.error and not engine:
        raise MockServerError(outcome.error)
