"""Verdict of a run: its exit code and its first line, decided in this one place.

::

    check, fuzz ─────────────── as_json ─┐
    --workers, mockserver report ─ merge ─┴─► document ─ grounds_of ─► Grounds ─ decide ─► Verdict

A run, parts of a run and merged reports all become a document first, so that they cannot come to different verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from mockserver.suite.run.internal_errors import BEGINNINGS
from mockserver.suite.verdicts.graded_findings import LEVELS, Finding, Level
from mockserver.suite.verdicts.reach import Reached, nothing_succeeded

State = Literal["kept", "broken", "not-judged", "interrupted"]


class ExitCode(IntEnum):
    """Exit codes of `check` and `fuzz`."""

    CLEAN = 0
    VIOLATION = 1
    NOT_JUDGED = 2
    INTERRUPTED = 130


_CODES: Mapping[State, ExitCode] = {
    "kept": ExitCode.CLEAN,
    "broken": ExitCode.VIOLATION,
    "not-judged": ExitCode.NOT_JUDGED,
    "interrupted": ExitCode.INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, apart from its findings: completed, interrupted, or with an error.

    Attributes:
        error: why the run could not do its work, "" if it could.
        interrupted: whether the user ended it.
    """

    error: str = ""
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything that the verdict of a run depends on.

    Attributes:
        findings: those of the run, known ones included.
        reach: how far the calls of each selected operation got.
        cases: how many cases were checked.
        outcome: how the run ended.
        partly: whether it is a shard, so that operations that were not called are another one's.
        fail_on_drift: whether drift breaks the contract, too.
    """

    findings: tuple[Finding, ...] = ()
    reach: tuple[Reached, ...] = ()
    cases: int = 0
    outcome: RunOutcome = RunOutcome()
    partly: bool = False
    fail_on_drift: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict of a run: a state such as `broken`, and the first line of the reports.

    Attributes:
        state: the verdict in a word.
        line: the first line of every report.
        failing: levels of which one new finding breaks the contract.
    """

    state: State
    line: str
    failing: frozenset[Level]

    @property
    def code(self) -> ExitCode:
        """Exit code of the run."""
        return _CODES[self.state]


def decide(grounds: Grounds) -> Verdict:
    """Return the verdict of a run: interrupted, broken, not judged, or kept."""
    failing = failing_levels(fail_on_drift=grounds.fail_on_drift)
    state, words = _state(grounds, failing)
    return Verdict(state, "; ".join(filter(None, (words, _successes(grounds.reach)))), failing)


def with_reports(code: ExitCode, problems: Sequence[str]) -> ExitCode:
    """Return the exit code of a command, which is not 0 if a report could not be written."""
    return ExitCode.NOT_JUDGED if problems and code is ExitCode.CLEAN else code


def failing_levels(*, fail_on_drift: bool) -> frozenset[Level]:
    """Return the levels at which a single new finding makes the verdict BROKEN."""
    return frozenset({"violation", "drift"} if fail_on_drift else {"violation"})


def summary_of(levels: Iterable[Level]) -> dict[Level, int]:
    """Return the number of findings by level, for the levels of new findings."""
    found = list(levels)
    return {level: found.count(level) for level in LEVELS}


def count(number: int, level: str) -> str:
    """Return a number of findings with its noun, as `2 violations`."""
    plural = "s" if level == "violation" and number != 1 else ""
    return f"{number} {level}{plural}"


def _state(grounds: Grounds, failing: frozenset[Level]) -> tuple[State, str]:
    error, counts = grounds.outcome.error, _counted(grounds.findings)
    if grounds.outcome.interrupted:
        return "interrupted", f"INTERRUPTED, {counts or 'nothing found so far'}"
    if any(finding.level in failing for finding in _new(grounds)):
        how = "not everything could be judged" if error.startswith(BEGINNINGS) else "stopped early"
        return "broken", f"BROKEN: {counts}" + (f"; {how}: {error}" if error else "")
    why = error or _hindrance(grounds)
    if why:
        return "not-judged", f"NOT JUDGED: {why}" + (f" ({counts})" if counts else "")
    return "kept", f"KEPT, with {counts}" if counts else "KEPT: 0 violations, 0 drift"


def _hindrance(grounds: Grounds) -> str:
    """Return why a run that ended without an error still could not judge, "" if it could.

    One reason is that no operation ever succeeded, even if a baseline lists that. Another is an operation that refused
    every valid request: that is only drift, and leaves the operation unjudged.
    """
    titles = list(dict.fromkeys(one.title or one.check for one in _new(grounds) if one.level == "environment"))
    if titles:
        return titles[0] + (f" and {len(titles) - 1} more" if titles[1:] else "")
    if not grounds.cases:
        return "nothing was tested"
    if nothing_succeeded(grounds.reach, partly=grounds.partly):
        return "no operation ever succeeded"
    refusing = [
        finding.operation
        for finding in _new(grounds)
        if finding.check == "valid_requests_are_accepted" and finding.level == "drift" and finding.rule != "oracle"
    ]
    return f"{', '.join(refusing)} refused every valid request" if refusing else ""


def _new(grounds: Grounds) -> list[Finding]:
    return [finding for finding in grounds.findings if not finding.known]


def _counted(findings: Iterable[Finding]) -> str:
    """Return the numbers of findings by level, as `1 violation, 2 drift, 1 known`; "" for none."""
    found = list(findings)
    summary = summary_of(finding.level for finding in found if not finding.known)
    numbers = [count(number, level) for level, number in summary.items() if number]
    known = sum(bool(finding.known) for finding in found)
    return ", ".join([*numbers, f"{known} known"] if known else numbers)


def _successes(reach: Iterable[Reached]) -> str:
    """Return on how many selected operations a request succeeded, "" if that was not counted."""
    rows = list(reach)
    return f"2xx on {sum(row.succeeded for row in rows)} of {len(rows)} operations" if rows else ""
