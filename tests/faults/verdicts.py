"""The exit code of a run that is made within this process, without a report."""

from __future__ import annotations

from mockserver.suite.run.session import Run
from mockserver.suite.verdicts.verdict import ExitCode, Grounds, RunOutcome, decide


def exit_code(run: Run, outcome: RunOutcome, *, fail_on_drift: bool = False) -> ExitCode:
    """Return the exit code that a command would have ended with."""
    mistake = next(iter(run.verdicts.mistakes), "")
    grounds = Grounds(
        findings=run.verdicts.findings(),
        reach=run.verdicts.reach(run.selected),
        cases=sum(row.cases for row in run.verdicts.coverage()),
        outcome=RunOutcome(outcome.error or mistake, outcome.interrupted),
        fail_on_drift=fail_on_drift,
    )
    return decide(grounds).code
