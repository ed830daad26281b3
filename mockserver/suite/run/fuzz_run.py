"""`mockserver fuzz`: all checks of `check`, then schemathesis' generated cases."""

from __future__ import annotations

from mockserver.suite.cases.state_tracker import STATE_CHECKS
from mockserver.suite.checks import acceptance
from mockserver.suite.fuzz.engine import FuzzSettings, drive
from mockserver.suite.fuzz.example_database import FailureDatabase, keep_failures, replay
from mockserver.suite.run.check_run import OF_ANY_REQUEST, PLANNERS, ask_again, make, planned
from mockserver.suite.run.session import Run
from mockserver.suite.run.sharding import WHOLE, Division, parse_shard
from mockserver.suite.selection.check_names import OF_SCHEMATHESIS
from mockserver.suite.survey.survey import survey
from mockserver.suite.verdicts.missing_checks import note_missing_checks
from mockserver.suite.verdicts.verdict import RunOutcome

__all__ = ["FuzzSettings", "fuzz"]


#: What generated cases are judged by.
_OF_GENERATED_CASES = frozenset({*OF_ANY_REQUEST, *OF_SCHEMATHESIS, *(check.__name__ for check in STATE_CHECKS)})


def fuzz(run: Run, settings: FuzzSettings) -> RunOutcome:
    """Send generated requests to the target and return the outcome; results are in `run.verdicts`.

    The checks of `check` do not depend on generated values, so these planned checks are run as they are: first, but
    those that revoke credentials last, as a server that revokes the wrong ones would leave none to fuzz
    with. Failures of earlier runs are repeated before all that. Each shard runs those of its own operations.
    """
    database = FailureDatabase(settings.database, run.secrets) if settings.database else None
    run.division = Division(run.selected, parse_shard(settings.shard) if settings.shard else WHOLE)
    run.unanswered = []
    entries = [entry for entry in planned(run, *PLANNERS) if run.division.owns(entry.operation)]
    outcome = replay(run, database) if database is not None else RunOutcome()
    if outcome == RunOutcome():
        outcome = survey(run)
    if outcome == RunOutcome():
        outcome = make(run, [entry for entry in entries if not entry.last])
    if outcome == RunOutcome() and _judges_generated_cases(run):
        outcome = drive(run, settings)
    if outcome == RunOutcome():
        outcome = make(run, [entry for entry in entries if entry.last])
    if outcome == RunOutcome():
        outcome = make(
            run,
            [entry for entry in planned(run, acceptance.planned_checks) if run.division.owns(entry.operation)],
        )
    outcome = ask_again(run, outcome)
    if outcome == RunOutcome():
        note_missing_checks(run)
    if database is not None:
        keep_failures(run, database)
    return outcome


def _judges_generated_cases(run: Run) -> bool:
    """Tell whether any check that judges generated cases is chosen."""
    own = (check.__name__ for check in run.own_checks.responses)
    return any(check in run.checks for check in (*_OF_GENERATED_CASES, *own))
