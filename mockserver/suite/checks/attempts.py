"""The attempts of one check: all of them are made, so that what one of them shows hides nothing behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in, others_in, reasons_in


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
        """Make one attempt, which counts as so many cases if it holds; whatever comes of it, the next one is made.

        Where the run ends instead, what was found by then goes along with the exception that ends it, as a group.
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
        """Return how many attempts held, if all did.

        Raises:
            CheckFailure: one did not hold; several, or some that could not be made besides, as a group.
            NotRun: some could not be made; it tells how many held.
        """
        found = self._found()
        if not found:
            return self.cases
        if len(found) == 1:
            raise found[0]
        raise ExceptionGroup("attempts of one check that did not hold, or could not be made", found)

    def _found(self) -> list[CheckFailure | NotRun]:
        """Return what did not hold, and why some attempts could not be made; the last reason tells how many held."""
        reasons = [NotRun(why, self.cases * last) for last, why in _last(self._reasons)]
        return [*self._failures, *reasons]


def _last(reasons: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """Yield each reason, and whether it is the last."""
    every = list(reasons)
    yield from ((number == len(every), why) for number, why in enumerate(every, 1))
