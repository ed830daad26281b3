"""Planned checks: one check on one operation, ready to be made, and the attempts that a check consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mockserver.contract.model import Operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, failures_in, others_in, reasons_in

#: Returns the number of cases tried; raises CheckFailure (or a group of them) or NotRun.
OperationCheck = Callable[[Session, Operation], int]


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """One check on one operation that the plan of a run contains.

    Attributes:
        check: name of the check in reports.
        operation: label of the operation.
        make: makes the check in a session of its own; returns the number of passed cases.
        last: whether the check ends credentials, and so comes last: a faulty server may end the wrong ones.
    """

    check: str
    operation: str
    make: Callable[[Session], int]
    last: bool = False


def on_operation(
    check: OperationCheck, operation: Operation, *, ready: Callable[[Session, Operation], None] | None = None
) -> PlannedCheck:
    """Return the planned check that makes a check on an operation.

    Args:
        check: the check to make.
        operation: the operation to make it on.
        ready: prepares the state that the call needs to succeed. Without it a request may be refused because an item
            is missing, which hides that it is not refused for the reason that is checked.
    """
    ends = operation.effect == "credentials"

    def make(session: Session) -> int:
        if ready is not None:
            ready(session, operation)
        return check(session, operation)

    return PlannedCheck(check.__name__, operation.label, make, last=ends)


def left_out(check: str, operation: Operation, why: str) -> PlannedCheck:
    """Return a planned check that only reports why a check is not made on an operation."""

    def make(_session: Session) -> int:
        raise NoOccasion(why)

    return PlannedCheck(check, operation.label, make)


#: Returns the planned checks of a theme that apply to a run.
Planner = Callable[[Run], "list[PlannedCheck]"]


class Attempts:
    """Collects the results of the attempts of one check: how many passed, failures, reasons for attempts not made.

    Attributes:
        cases: number of passed attempts.
    """

    def __init__(self) -> None:
        self.cases = 0
        self._failures: list[CheckFailure] = []
        self._reasons: dict[str, None] = {}

    @property
    def broken(self) -> bool:
        """Whether an attempt failed with more than drift, so that further attempts would add nothing."""
        return any(failure.rule != "silent" for failure in self._failures)

    @property
    def accepted(self) -> bool:
        """Whether an attempt failed by a rule that holds for every server, such as that credentials are needed."""
        return any(failure.rule == "universal" for failure in self._failures)

    @contextmanager
    def each(self, cases: int = 1) -> Iterator[None]:
        """Run the body as one attempt, worth `cases` cases if it passes; collect its failures instead of raising them.

        If an exception ends the run, it is raised in a group with the failures that were collected so far.
        """
        try:
            yield
        except BaseException as error:
            failures, reasons = list(failures_in(error)), list(reasons_in(error))
            if next(others_in(error), None) is not None:
                found, self._failures, self._reasons = self._found(), [], {}
                if not found:
                    raise
                raise BaseExceptionGroup("attempts of one check, until the run ended", [*found, error]) from None
            self._failures += failures
            for reason in reasons:
                self.cases += reason.cases
                self._reasons.setdefault(str(reason))
        else:
            self.cases += cases

    def conclude(self) -> int:
        """Return how many cases passed, or raise the failures and reasons that the attempts left.

        Raises:
            CheckFailure: one attempt failed; a group if several failed, or some could not be made.
            NotRun: some attempts could not be made; `cases` says how many passed.
        """
        found = self._found()
        if not found:
            return self.cases
        if len(found) == 1:
            raise found[0]
        raise ExceptionGroup("attempts of one check that failed or could not be made", found)

    def _found(self) -> list[CheckFailure | NotRun]:
        """Return the failures, and reasons for attempts not made; the last reason has the number of passed cases."""
        reasons = [NotRun(why, self.cases * last) for last, why in _last(self._reasons)]
        return [*self._failures, *reasons]


def _last(reasons: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """Yield each reason in order, with whether it is the last one."""
    every = list(reasons)
    yield from ((number == len(every), why) for number, why in enumerate(every, 1))
