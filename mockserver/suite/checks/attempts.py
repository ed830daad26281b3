"""The attempts of one check: all of them are made, so that what one of them shows hides nothing behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mockserver.suite.verdicts import CheckFailure, NotRun, failures_in, reasons_in


class Attempts:
    """Counts the attempts that held, and keeps what did not hold and why some could not be made.

    Attributes:
        cases: attempts that held.
    """

    def __init__(self) -> None:
        self.cases = 0
        self._failures: list[CheckFailure] = []
        self._reasons: dict[str, None] = {}

    @property
    def broken(self) -> bool:
        """Whether one did not hold that is more than a silence of the contract: more of the same would tell no more."""
        return any(failure.rule != "silent" for failure in self._failures)

    @contextmanager
    def each(self, cases: int = 1) -> Iterator[None]:
        """Make one attempt, which counts as so many cases if it holds; whatever comes of it, the next one is made."""
        try:
            yield
        except (CheckFailure, NotRun, ExceptionGroup) as error:
            failures, reasons = list(failures_in(error)), list(reasons_in(error))
            if not failures and not reasons:
                raise
            self._failures += failures
            for reason in reasons:
                self.cases += reason.cases
                self._reasons.setdefault(str(reason))
        else:
            self.cases += cases

    def conclude(self) -> int:
        """Return how many attempts held, if all did.

        Raises:
            CheckFailure: one did not hold; several, or some that could not be made besides, as a group.
            NotRun: some could not be made; it tells how many held.
        """
        if not self._failures and not self._reasons:
            return self.cases
        found = [*self._failures, *map(NotRun, self._reasons)]
        if self._reasons:
            found[-1] = NotRun(str(found[-1]), self.cases)
        if len(found) == 1:
            raise found[0]
        raise ExceptionGroup("attempts of one check that did not hold, or could not be made", found)
