"""`mockserver fuzz --self-test`: judge mutants of the stub and count how many the suite notices.

A process of its own (`python -m mockserver.selftest`, which knows nothing of the suite) serves the stub with one
mutation at a time, chosen by the name of the world. It says of each mutant which findings name it; this module makes
the checks of `check` and the generated cases of `fuzz` on the mutant until one of these findings comes up.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Literal

from mockserver.contract.model import Contract
from mockserver.contract.resources.state_model import CREATE, state_model
from mockserver.errors import MockServerError, UsageError
from mockserver.selftest.kills import FindingKey, Kills, PlantedMutant, Result
from mockserver.selftest.laboratory import Laboratory, laboratory
from mockserver.suite.checks import acceptance
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.checks.robustness import timing_checks
from mockserver.suite.reports.json_report import Document, Report, as_json
from mockserver.suite.run.check_run import make, plan, planned
from mockserver.suite.run.progress import Progress, shown_progress
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.safety.policy import matches_glob
from mockserver.suite.survey.survey import survey
from mockserver.suite.verdicts.evidence import Evidence
from mockserver.suite.verdicts.graded_findings import Finding
from mockserver.suite.verdicts.verdict import RunOutcome

Mode = Literal["sample", "full"]
#: Check, operation, pointer, what was seen, and the status code.
_Seen = tuple[str, str, str, str, int]

#: Of each class so many mutants are in a sample.
SAMPLE_PER_CLASS = 2
#: The check that compares how long operations take.
_SLOW = "answers_are_not_slow"
#: Checks of `check` for which generated cases are looked at as well (suite/cases/state_tracker.py).
_OF_GENERATED = frozenset({"reads_show_the_last_write", "resets_end_the_value", "generated_values_are_new"})
#: Checks of items after their creation (suite/state/item_checks.py).
_OF_ITEMS = frozenset(
    {
        *("created_items_are_listed", "reads_leave_items_alone", "written_items_show_it", "deleted_items_are_gone"),
        *("writes_leave_other_items_alone", "refused_writes_leave_items_alone", "refused_creations_make_nothing"),
    }
)
#: Cases are generated for a mutant for so long: some schemas leave little to choose, and take the engine minutes.
_GENERATING_SECONDS = 30
#: So many planned checks of another operation give enough responses to compare with.
_TO_COMPARE = 4
#: Checks that take a handful of requests: where each request is slow, these are made first.
_SHORT = frozenset(
    {"calls_without_credentials_are_refused", "unknown_tokens_are_refused", "wrong_passwords_are_refused"}
)


class UncleanStub(MockServerError):  # noqa: N818 - what is wrong, in two words
    """Error: the stub without a mutation has violations, so a finding on a mutant would prove nothing."""


def prove(options: Options, mode: Mode, seed: int) -> tuple[Kills, Document]:
    """Run the self-test for a contract; return its results and the JSON report.

    Raises:
        UsageError: an option cannot be used, or there is no mutant.
        MockServerError: the stub without mutation is not clean, or cannot be judged.
    """
    if options.target is not None or options.dry_run:
        what = "the target" if options.target is not None else "--dry-run"
        raise UsageError(f"--self-test judges mutants of our own stub, so {what} cannot be given with it")
    contract = options.load_contract()
    if options.checks_from or options.chosen_checks().limited:
        raise UsageError(
            "--self-test is about all checks of mockserver and no others: leave --checks, --exclude-checks and "
            "--checks-from out"
        )
    selected = options.selection
    only = [operation.label for operation in selected.of(contract)] if selected.options else []
    started = datetime.now(UTC)
    with laboratory(contract, options, seed) as lab:
        with shown_progress(sys.stderr) as progress:
            kills = self_test(lab, mode, only, progress)
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
            outcome=RunOutcome(interrupted=kills.interrupted),
            own_stub=True,
        )
    return kills, {**as_json(report), "self_test": kills.as_json()}


def self_test(lab: Laboratory, mode: Mode, only: Sequence[str], progress: Progress) -> Kills:
    """Judge mutants; return which of them were killed by which check.

    Raises:
        UncleanStub: the stub without mutation has violations.
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
        raise UsageError("there is no mutant to judge: no class of mutants applies to these operations of the contract")
    baseline = _clean(lab, only, progress)
    known = frozenset(seen for finding in baseline.verdicts.findings() for seen in _seen(finding))
    progress.phase("mutants", len(chosen))
    results: list[Result] = []
    interrupted = False
    try:
        for mutant in chosen:
            results.append(_examine(lab, mutant, baseline, known))
            progress.step(f"{mutant.kind} at {mutant.operation}")
    except KeyboardInterrupt:
        interrupted = True  # the results so far are reported
    afterwards = lab.mutants()
    broken = next((mutant for mutant in afterwards if mutant.broken), None)
    if broken is not None:
        where = f"the mutant {broken.kind} at {broken.operation}"
        raise MockServerError(f"{where} could not make its change, which is a mistake of ours: {broken.broken}")
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


def sample(mutants: Sequence[PlantedMutant], mode: Mode, seed: int) -> list[PlantedMutant]:
    """Return the mutants to judge: all of them, or a few of each class, chosen by the seed."""
    if mode == "full":
        return list(mutants)
    chance = random.Random(seed)  # noqa: S311 - a choice that can be repeated, no secret
    by_class: dict[str, list[PlantedMutant]] = {}
    for mutant in mutants:
        by_class.setdefault(mutant.kind, []).append(mutant)
    chosen = [chance.sample(group, min(SAMPLE_PER_CLASS, len(group))) for group in by_class.values()]
    return sorted((mutant for group in chosen for mutant in group), key=lambda mutant: mutant.number)


def _clean(lab: Laboratory, only: Sequence[str], progress: Progress) -> Run:
    """Run all checks and generated cases against the clean stub, and return that run.

    It may drift from what a contract leaves out, such as the 401 that each secured operation has.

    Raises:
        UncleanStub: it has violations.
        MockServerError: it could not be judged.
    """
    run = lab.run("clean", only)
    run.progress = progress
    for outcome in (survey(run), make(run, plan(run)), lab.generate(run)):
        if outcome.interrupted:
            raise KeyboardInterrupt
        if outcome.error:
            raise MockServerError(f"the clean stub, without any mutation, cannot be judged: {outcome.error}")
    findings = [finding for finding in run.verdicts.findings() if finding.level != "drift"]
    if findings:
        first = findings[0]
        raise UncleanStub(
            f"the clean stub, without any mutation, has {len(findings)} violations, so the self-test proves nothing; "
            f"the first one: {first.check} on {first.operation}: {first.title}"
        )
    return run


def _examine(lab: Laboratory, mutant: PlantedMutant, baseline: Run, known: frozenset[_Seen]) -> Result:
    """Judge one mutant: run the checks, then generated cases, until an expected finding turns up.

    Args:
        lab: where it is judged.
        mutant: which one.
        baseline: the run on the clean stub, whose survey found out how requests succeed.
        known: findings that the clean stub has as well, so that they tell nothing.
    """
    started = time.monotonic()
    timed = any(sign.check == _SLOW for sign in mutant.signs)
    labels = [mutant.operation, *(_another(lab.contract, mutant.operation) if timed else ())]
    run = lab.run(f"m{mutant.number}", labels, slow=mutant.slow)
    # Checks of an operation need others: a read shows what a write did. Generated cases do not.
    whole = lab.run(f"m{mutant.number}", slow=mutant.slow)
    whole.verdicts = run.verdicts
    whole.known.take_over(baseline.known)
    # What one operation does may show at another one of the same resource.
    paths = {label.partition(" ")[2] for label in (*labels, *(sign.operation for sign in mutant.signs))}
    every = plan(whole)  # once, since the checks of a collection share what they know of it
    about = [entry for entry in every if entry.operation.partition(" ")[2] in paths]
    entries = _in_turns(about, mutant) if timed else _cheapest_first(about, mutant)
    entries = [*_created_first(lab.contract, every, mutant), *entries]
    # How slow an operation is shows as soon as there are responses to compare, and each of them takes its time.
    after = timing_checks(run) if timed else []
    killed: Finding | None = None
    for entry in entries:
        _go_on(make(whole, [entry, *after]))
        killed = _named(run, mutant, known)
        if killed is not None:
            break
    else:
        late = planned(whole, acceptance.planned_checks)  # whether anything succeeded, which the others have told
        _go_on(make(whole, [entry for entry in late if entry.operation == mutant.operation]))
        killed = _named(run, mutant, known)
        if killed is None and _may_be_generated(mutant, about):
            _go_on(lab.generate(run, _GENERATING_SECONDS), engine=True)
            killed = _named(run, mutant, known)
    return Result(
        mutant=mutant,
        killed_by=None if killed is None else FindingKey(killed.check, killed.level, killed.operation),
        others=tuple(FindingKey(item.check, item.level, item.operation) for item in run.verdicts.findings()),
        seconds=time.monotonic() - started,
    )


def _created_first(contract: Contract, entries: list[PlannedCheck], mutant: PlantedMutant) -> list[PlannedCheck]:
    """Return the check that others of items build on: it tells which members a server keeps as they were sent."""
    if not any(sign.check in _OF_ITEMS for sign in mutant.signs):
        return []
    operation = next(one for one in contract.operations if one.label == mutant.operation)
    found = state_model(contract).collection_of(operation)
    create = None if found is None else found[0].operations.get(CREATE)
    if create is None:
        return []
    return [entry for entry in entries if (entry.check, entry.operation) == ("created_items_are_kept", create.label)]


def _may_be_generated(mutant: PlantedMutant, made: list[PlannedCheck]) -> bool:
    """Tell whether generated cases can show what the checks did not: they are not looked at by all of these."""
    only_made = {entry.check for entry in made} - _OF_GENERATED
    return any(sign.check not in only_made for sign in mutant.signs)


def _another(contract: Contract, label: str) -> tuple[str, ...]:
    """Return the label of an operation at another path, to compare response times with; a safe one if possible."""
    path = label.partition(" ")[2]
    others = sorted((item for item in contract.operations if item.path != path), key=lambda item: not item.safe)
    return tuple(item.label for item in others[:1])


def _in_turns(entries: list[PlannedCheck], mutant: PlantedMutant) -> list[PlannedCheck]:
    """Return planned checks in turns, the mutated operation's and another one's, so that response times compare."""
    own = [entry for entry in entries if entry.operation == mutant.operation]
    own.sort(key=lambda entry: entry.check not in _SHORT)
    others = [entry for entry in entries if entry.operation != mutant.operation]
    first, rest = others[:_TO_COMPARE], others[_TO_COMPARE:]
    return [
        *first,
        *(entry for pair in zip_longest(own, rest) for entry in pair if entry is not None),
    ]


def _cheapest_first(entries: list[PlannedCheck], mutant: PlantedMutant) -> list[PlannedCheck]:
    """Return the planned checks reordered: those that are expected to fail on the mutant first."""
    checks = {sign.check for sign in mutant.signs}
    return sorted(
        entries,
        key=lambda entry: (entry.check not in checks, entry.operation != mutant.operation),
    )


def _seen(finding: Finding) -> Iterator[_Seen]:
    """Yield each different thing that shows a finding."""
    for one in finding.observations:
        response = None if one.exchange is None else one.exchange.response
        status = 0 if response is None else response.status
        yield finding.check, finding.operation, finding.pointer, one.seen, status


def _named(run: Run, mutant: PlantedMutant, known: frozenset[_Seen]) -> Finding | None:
    found = [finding for finding in run.verdicts.findings() if not known.issuperset(_seen(finding))]
    return next((item for item in found if FindingKey(item.check, item.level, item.operation) in mutant.signs), None)


def _go_on(outcome: RunOutcome, *, engine: bool = False) -> None:
    """Raise an error if a run was interrupted or failed; a failure of the engine on a mutant is ignored."""
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.error and not engine:
        raise MockServerError(outcome.error)
