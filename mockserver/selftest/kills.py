"""Results of a self-test: which mutants were killed by which check, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from mockserver.suite.run.session import Run
from mockserver.suite.verdicts.verdict import ExitCode

#: So many of 100 mutants, and of 100 classes at all their operations, must be killed.
REQUIRED_PERCENT = 95.0


_WORDS = {
    ExitCode.CLEAN: "KILLED",
    ExitCode.VIOLATION: "ALIVE",
    ExitCode.NOT_JUDGED: "VACUOUS",
    ExitCode.INTERRUPTED: "INTERRUPTED",
}


class FindingKey(NamedTuple):
    """Check, level and operation of a finding, by which findings are attributed to mutants."""

    check: str
    level: str
    operation: str


@dataclass(frozen=True, slots=True)
class PlantedMutant:
    """Mutant as listed by the process that serves it: class, operation, expected findings.

    Attributes:
        kind: its class.
        operation: label of the operation that is broken.
        signs: the findings that name it.
        slow: whether it keeps clients waiting.
        equivalent: why no client can tell it from the clean stub, "" if a client can.
        acted: on how many requests it has changed something.
        broken: why it could not do what it is there for, "" if it could.
    """

    number: int
    kind: str
    theme: str
    operation: str
    signs: frozenset[FindingKey]
    slow: bool = False
    equivalent: str = ""
    acted: int = 0
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Result for one mutant: the finding that killed it, or none.

    Attributes:
        killed_by: the finding that names it, or None.
        others: all findings on it.
    """

    mutant: PlantedMutant
    killed_by: FindingKey | None
    others: tuple[FindingKey, ...] = ()
    seconds: float = 0.0
    acted: int = 0

    @property
    def verdict(self) -> Literal["killed", "survived", "vacuous"]:
        """Verdict on the mutant: killed, survived, or vacuous if it never changed anything."""
        if not self.acted:
            return "vacuous"
        return "survived" if self.killed_by is None else "killed"


@dataclass(frozen=True, slots=True)
class Row:
    """Row of the results table: all mutants of one class."""

    kind: str
    theme: str
    results: tuple[Result, ...]

    def count(self, verdict: str) -> int:
        """Return how many mutants of the class have a verdict (`killed`, `survived` or `vacuous`)."""
        return sum(result.verdict == verdict for result in self.results)

    @property
    def by(self) -> Counter[str]:
        """Number of mutants of the class that each check killed."""
        return Counter(item.killed_by.check for item in self.results if item.killed_by and item.verdict == "killed")


@dataclass(frozen=True, slots=True)
class Kills:
    """Results of a whole self-test.

    Attributes:
        mode: `sample` or `full`.
        classes: number of classes that the contract has something to break for.
        equivalent: mutants that were left out, each with its reason.
        baseline: the run on the stub without mutation.
        interrupted: whether the user ended it before all mutants were judged.
    """

    mode: str
    seed: int
    classes: int
    results: tuple[Result, ...]
    equivalent: tuple[PlantedMutant, ...]
    seconds: float
    baseline: Run
    interrupted: bool = False

    def rows(self) -> tuple[Row, ...]:
        """Return the results grouped by class of mutants."""
        groups: dict[str, list[Result]] = {}
        for result in self.results:
            groups.setdefault(result.mutant.kind, []).append(result)
        return tuple(Row(kind, group[0].mutant.theme, tuple(group)) for kind, group in groups.items())

    def count(self, verdict: str) -> int:
        """Return how many of all mutants have a verdict (`killed`, `survived` or `vacuous`)."""
        return sum(result.verdict == verdict for result in self.results)

    @property
    def percent(self) -> float:
        """Percentage of the mutants that were killed."""
        return 100.0 * self.count("killed") / max(len(self.results), 1)

    @property
    def percent_of_classes(self) -> float:
        """Percentage of the classes whose mutants were killed at every operation that was tried."""
        rows = self.rows()
        return 100.0 * sum(row.count("killed") == len(row.results) for row in rows) / max(len(rows), 1)

    def exit_code(self) -> ExitCode:
        """Return the exit code: 0, 1 if too few mutants were killed, or 2 if no mutant ever acted."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.count("vacuous") == len(self.results):
            return ExitCode.NOT_JUDGED
        enough = min(self.percent, self.percent_of_classes) >= REQUIRED_PERCENT
        return ExitCode.CLEAN if enough else ExitCode.VIOLATION

    def as_json(self) -> dict[str, Any]:
        """Return the self-test's results as the member `self_test` of the JSON report."""
        return {
            "mode": self.mode,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "classes": len(self.rows()),
            "mutants": len(self.results),
            **{verdict: self.count(verdict) for verdict in ("killed", "survived", "vacuous")},
            "percent": round(self.percent, 2),
            "percent_of_classes": round(self.percent_of_classes, 2),
            "required_percent": REQUIRED_PERCENT,
            "equivalent": [
                {"class": item.kind, "operation": item.operation, "reason": item.equivalent} for item in self.equivalent
            ],
            "results": [_result(item) for item in self.results],
        }

    def as_text(self) -> str:
        """Return the results as a text table: a row for each class, then every mutant that was not killed."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        rows = self.rows()
        word = _WORDS[self.exit_code()]
        whole = sum(row.count("killed") == len(row.results) for row in rows)
        yield (
            f"{word}: {self.count('killed')} of {len(self.results)} mutants ({self.percent:.1f} %), "
            f"{whole} of {len(rows)} classes at every operation ({self.percent_of_classes:.1f} %), "
            f"{REQUIRED_PERCENT:g} % required of each"
        )
        yield (
            f"  {self.mode}, seed {self.seed}, {self.seconds:.0f} s; {self.count('survived')} survived, "
            f"{self.count('vacuous')} vacuous (changed nothing), {len(self.equivalent)} left out as equivalent"
        )
        if not rows:
            return
        width = max(len(row.kind) for row in rows)
        yield ""
        yield f"{'class':<{width}}  mutants  killed  survived  killed by"
        theme = ""
        for row in rows:
            if row.theme != theme:
                theme = row.theme
                yield f"-- {theme}"
            by = ", ".join(f"{check} {count}" for check, count in row.by.most_common())
            left = len(row.results) - row.count("killed")
            yield f"{row.kind:<{width}}  {len(row.results):>7}  {row.count('killed'):>6}  {left:>8}  {by}"
        yield from self._by_operation()
        alive = [result for result in self.results if result.verdict != "killed"]
        if alive:
            yield ""
        for result in alive:
            mutant = result.mutant
            yield f"{result.verdict}: {mutant.kind} at {mutant.operation}"
            yield f"  expected {_named(mutant.signs)}; found {_named(frozenset(result.others)) or 'nothing'}"
        for mutant in self.equivalent:
            yield f"equivalent: {mutant.kind} at {mutant.operation}: {mutant.equivalent}"

    def _by_operation(self) -> Iterator[str]:
        counts: dict[str, Counter[str]] = {}
        for result in self.results:
            counts.setdefault(result.mutant.operation, Counter())[result.verdict] += 1
        width = max(map(len, counts))
        yield ""
        yield f"{'operation':<{width}}  mutants  killed  survived"
        for operation, verdicts in sorted(counts.items()):
            total = verdicts.total()
            yield f"{operation:<{width}}  {total:>7}  {verdicts['killed']:>6}  {total - verdicts['killed']:>8}"


def _named(signs: frozenset[FindingKey]) -> str:
    return ", ".join(f"{sign.check} ({sign.level}) on {sign.operation}" for sign in sorted(signs))


def _result(result: Result) -> dict[str, Any]:
    return {
        "class": result.mutant.kind,
        "operation": result.mutant.operation,
        "result": result.verdict,
        "killed_by": None if result.killed_by is None else result.killed_by._asdict(),
        "calls_changed": result.acted,
        "seconds": round(result.seconds, 3),
    }
