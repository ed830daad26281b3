"""Tally of a run: findings, coverage and status codes, collected while checks are made."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from mockserver.contract.model import Contract, Operation
from mockserver.errors import INVALID_FIELD
from mockserver.suite.selection.chosen_checks import EVERY_CHECK, ChosenChecks
from mockserver.suite.target.exchange import WireResponse
from mockserver.suite.verdicts.failures import CheckFailure
from mockserver.suite.verdicts.graded_findings import (
    LEVELS,
    Finding,
    add,
    as_the_contracts,
    judge,
    merged,
    without_excused,
)
from mockserver.suite.verdicts.reach import NO_SUCCESS, Reached, Statuses, nothing_succeeded, reached

Result = Literal["passed", "failed", "in part", "not run"]

#: What matters most first.
RESULTS: tuple[Result, ...] = ("failed", "not run", "in part", "passed")

#: In place of an operation where a check was made on none.
EVERYWHERE = "*"
#: Why a check was not made, where no check gave a reason.
NOTHING_CAME_UP = "nothing came up to which this applies"
#: Why a shard did not make a check that belongs to another one; merged reports have no such rows.
OTHER_SHARD = "this belongs to another shard"
#: Between several reasons.
REASONS = "; "


@dataclass(frozen=True, slots=True)
class Coverage:
    """Result of one check on one operation: `passed` out of `cases`, and the seconds that its requests took."""

    operation: str
    check: str
    result: Result
    why: str
    cases: int
    passed: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Tally:
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    reasons: dict[str, None] = field(default_factory=dict)


#: Rows that name no check, but a phase of the run.
_PHASES = frozenset({"fuzz"})
#: Checks whose reason not to be made follows from the operation's not being called.
_FOLLOWS = frozenset({"answers_are_not_slow"})


class Verdicts:
    """Collects the results of all checks of a run; safe for use from several threads.

    Attributes:
        statuses: status codes of the responses of each operation.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        own: bool = False,
        fingerprint: Callable[[CheckFailure], str] = lambda _: "",
        chosen: ChosenChecks = EVERY_CHECK,
    ) -> None:
        """Create an empty collection of check results.

        Args:
            contract: what the target is judged by.
            own: the target is a stub of ours, which says in a header field that a response breaks the contract
                because none that keeps the contract could be made; the contract is at fault then.
            fingerprint: returns the fingerprint of a failure, equal for the same failure of the same request;
                without it all failures of one cause are the same.
            chosen: checks whose results are kept; those of others are ignored, but not what is nobody's fault.
        """
        self._contract = contract
        self._own = own
        self._fingerprint = fingerprint
        self._chosen = chosen
        self._lock = threading.Lock()
        self._mistakes: dict[str, None] = {}
        self._findings: dict[str, dict[str, Finding]] = {}
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._excused: dict[str, dict[str, Finding]] = {}
        self.statuses = Statuses()

    def excuse(self, failures: Iterable[tuple[str, Finding]]) -> None:
        """Excuse failures that our own stub shows, too, each given with its fingerprint.

        They are shown as owned by the contract, and excuse the same failure of the same request, nothing else.
        """
        with self._lock:
            for fingerprint, finding in failures:
                add(self._excused.setdefault(finding.id, {}), fingerprint, finding)

    def passed(self, check: str, operation: str, cases: int = 1) -> None:
        """Record that a check passed in some cases."""
        if check not in self._chosen:
            return
        with self._lock:
            self._tally(check, operation).passed += cases

    def passed_together(self, checks: Iterable[str], operation: str) -> None:
        """Record that several checks passed on an operation in one case each."""
        with self._lock:
            for check in checks:
                if check in self._chosen:
                    self._tally(check, operation).passed += 1

    def failed(self, failure: CheckFailure) -> Finding:
        """Record a failure and return its finding; a failure of a known cause only raises the count.

        A difference that an overlay has recorded in the contract counts as passed.
        """
        new = judge(self._contract, failure)
        response = failure.exchange.response if failure.exchange is not None else None
        if self._own and response is not None and response.field(INVALID_FIELD) is not None:
            new = as_the_contracts(new)
        if new.check not in self._chosen and new.level != "environment":
            return new
        with self._lock:
            if new.level == "drift" and self._contract.differs(new.operation, new.check, new.observations[0].seen):
                self._tally(new.check, new.operation).passed += 1
                return new
            self._tally(new.check, new.operation).failed += 1
            seen = self._findings.setdefault(new.id, {})
            add(seen, self._fingerprint(failure), new)
            return merged(seen.values())

    def failures(self) -> tuple[tuple[str, Finding], ...]:
        """Return all failures so far with their fingerprints."""
        with self._lock:
            return tuple(item for seen in self._findings.values() for item in seen.items())

    def count_response(self, operation: str, response: WireResponse) -> None:
        """Record that an operation responded with a status code and media type."""
        with self._lock:
            self.statuses.count(operation, response.status, response.media_type)

    def reach(self, operations: Iterable[Operation]) -> tuple[Reached, ...]:
        """Return how far the requests for each operation got."""
        with self._lock:
            given: dict[str, Counter[str]] = {}
            for (check, label), tally in self._tallies.items():
                if check not in _FOLLOWS:
                    given.setdefault(label, Counter()).update(list(tally.reasons))
            # The reason why most checks were not made is the reason why the operation was not called.
            reasons = {label: counts.most_common(1)[0][0] for label, counts in given.items() if counts}
            return tuple(reached(operations, self.statuses, reasons))

    def responses_of(self, operation: str) -> frozenset[tuple[int, str]]:
        """Return the status codes and media types with which an operation responded."""
        with self._lock:
            return self.statuses.media_types(operation)

    def not_run(self, check: str, operation: str, why: str) -> None:
        """Record that a check was not made, with the reason; those that are not chosen are told by a note."""
        if check not in self._chosen and check not in _PHASES:
            return
        with self._lock:
            self._tally(check, operation).reasons.setdefault(why)

    def took(self, check: str, operation: str, seconds: float) -> None:
        """Record how long a check on an operation took; only where the check has any result."""
        with self._lock:
            tally = self._tallies.get((check, operation))
            if tally is not None:
                tally.seconds += seconds

    def mistaken(self, check: str, operation: str, mistake: str) -> None:
        """Record that a check was not made because of an internal error."""
        with self._lock:
            self._tally(check, operation).reasons.setdefault(mistake)
            self._mistakes.setdefault(mistake)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Messages of the internal errors so far, each once."""
        with self._lock:
            return tuple(self._mistakes)

    def known(self, check: str, operation: str) -> int:
        """Return how often a check has failed on an operation so far."""
        tally = self._tallies.get((check, operation))
        return 0 if tally is None else tally.failed

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, violations first."""
        with self._lock:
            found = [without_excused(seen, self._excused.get(name, {})) for name, seen in self._findings.items()]
            found += [
                replace(as_the_contracts(merged(seen.values())), by_stub=True)
                for name, seen in self._excused.items()
                if name not in self._findings
            ]
        return tuple(
            sorted(found, key=lambda item: (LEVELS.index(item.level), item.check, item.operation, item.pointer))
        )

    def coverage(self) -> tuple[Coverage, ...]:
        """Return the result of each check on each operation; an operation that never succeeded has passed none."""
        with self._lock:
            rows = reached(self._contract.operations, self.statuses, {})
            never = {row.operation: row.why for row in rows if row.attempts and row.why not in {"", NO_SUCCESS}}
            return tuple(
                _coverage(check, operation, tally, never.get(operation, ""))
                for (check, operation), tally in sorted(self._tallies.items())
            )

    def nothing_succeeded(self) -> bool:
        """Tell whether operations were called and none of them succeeded."""
        return nothing_succeeded(row for row in self.reach(self._contract.operations) if row.attempts)

    def _tally(self, check: str, operation: str) -> _Tally:
        tally = self._tallies.get((check, operation))
        if tally is None:
            tally = self._tallies[check, operation] = _Tally()
        return tally


def _coverage(check: str, operation: str, tally: _Tally, never: str = "") -> Coverage:
    why = REASONS.join(tally.reasons)
    cases = tally.passed + tally.failed
    result: Result
    if tally.failed:
        result, why = "failed", ""
    elif not tally.passed:
        result, why = "not run", why or NOTHING_CAME_UP
    elif never:
        # A server that refuses everything refuses what is wrong as well, and keeps any promise about its successes.
        result, why = "not run", f"no valid request succeeded: it was {never}"
    else:
        # A check that was made only in part has not passed: what is missing could fail.
        result = "in part" if tally.reasons else "passed"
    return Coverage(operation, check, result, why, cases, tally.passed, tally.seconds)
