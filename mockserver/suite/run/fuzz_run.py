"""`mockserver fuzz`: the checks of state and credentials of `check`, then schemathesis' generated cases."""

from __future__ import annotations

from mockserver.suite.checks import acceptance, links, robustness, state
from mockserver.suite.fuzz.engine import FuzzSettings, drive
from mockserver.suite.fuzz.example_database import Database, keep_failures, replay
from mockserver.suite.run.check_run import access_tasks, ask_again, make, planned
from mockserver.suite.run.session import Run
from mockserver.suite.run.sharding import WHOLE, Division, parse_shard
from mockserver.suite.verdicts.missing_checks import OF_CHECK, note_missing_checks
from mockserver.suite.verdicts.verdict import RunOutcome

__all__ = ["FuzzSettings", "fuzz"]


def fuzz(run: Run, settings: FuzzSettings) -> RunOutcome:
    """Send generated requests to the target and return the outcome; results are in `run.verdicts`.

    Who may call, and what a refusal leaves behind, is not a matter of generated values, so these tasks of `check` are
    made as they are: first, and what ends credentials behind all the rest, for a server that ends the wrong ones would
    leave nothing to fuzz with. What failed in earlier runs is tried before all that. Of several parts of a run each
    makes the claims on its own operations.
    """
    database = Database(settings.database, run.secrets) if settings.database else None
    run.division = Division(run.selected, parse_shard(settings.shard) if settings.shard else WHOLE)
    run.unanswered = []
    planners = (state.tasks, links.tasks, access_tasks, robustness.timing_tasks)
    tasks = [task for task in planned(run, *planners) if run.division.owns(task.operation)]
    outcome = replay(run, database) if database is not None else RunOutcome()
    if outcome == RunOutcome():
        outcome = make(run, [task for task in tasks if not task.last])
    if outcome == RunOutcome():
        outcome = drive(run, settings)
    if outcome == RunOutcome():
        outcome = make(run, [task for task in tasks if task.last])
    if outcome == RunOutcome():
        outcome = make(run, [task for task in planned(run, acceptance.tasks) if run.division.owns(task.operation)])
    outcome = ask_again(run, outcome)
    if outcome == RunOutcome():
        note_missing_checks(run, elsewhere=OF_CHECK)
    if database is not None:
        keep_failures(run, database)
    return outcome
