"""Reach: how far the requests for each operation got, and why operations never succeeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mockserver.contract.model import Operation

#: So many status codes are shown for an operation, the most frequent first.
_SHOWN = 3
#: Why an operation never succeeded that never can.
NO_SUCCESS = "the contract documents no success"


@dataclass(frozen=True, slots=True)
class Reached:
    """Result of the requests for one operation: attempts, successes, and the reason if none succeeded.

    Attributes:
        operation: its label.
        best_status: the status code that is nearest to a success, None if there was no response.
        attempts: how many responses there were.
        why: why it never succeeded, "" if it did.
    """

    operation: str
    best_status: int | None
    attempts: int
    why: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether any request for the operation succeeded."""
        return not self.why


@dataclass(slots=True)
class Statuses:
    """Counters of responses for each operation, by status code and media type."""

    _seen: dict[str, Counter[tuple[int, str]]] = field(default_factory=dict)

    def count(self, label: str, status: int, media_type: str) -> None:
        """Count a response of an operation."""
        self._seen.setdefault(label, Counter())[status, media_type] += 1

    def of(self, label: str) -> Mapping[int, int]:
        """Return how often an operation responded with each status code."""
        counts = Counter[int]()
        for (status, _), count in self._seen.get(label, {}).items():
            counts[status] += count
        return counts

    def media_types(self, label: str) -> frozenset[tuple[int, str]]:
        """Return the status codes and media types with which an operation responded."""
        return frozenset(self._seen.get(label, ()))


def is_success(operation: Operation, status: int) -> bool:
    """Tell whether a status code means success for an operation: 2xx, or the documented substitute."""
    if 200 <= status < 300:
        return True
    return status < 400 and not _documents_2xx(operation) and operation.response_for(status) is not None


def _can_succeed(operation: Operation) -> bool:
    """Tell whether the contract documents any success for an operation, unlike for one that is always 501."""
    return not operation.responses or any(not name.startswith(("4", "5")) for name in operation.responses)


def reached(operations: Iterable[Operation], statuses: Statuses, reasons: Mapping[str, str]) -> Iterator[Reached]:
    """Yield how far the requests for each operation got.

    Args:
        operations: those that the run is about.
        statuses: of their responses.
        reasons: why an operation was not called, by label.
    """
    for operation in operations:
        seen = statuses.of(operation.label)
        good = [status for status in seen if is_success(operation, status)]
        best = min(good or seen, default=None)
        why = "" if good else _why(operation, seen, reasons)
        yield Reached(operation.label, best, sum(seen.values()), why)


def _why(operation: Operation, seen: Mapping[int, int], reasons: Mapping[str, str]) -> str:
    if not seen:
        return f"not called, because {reasons.get(operation.label, 'no check applied')}"
    if not _can_succeed(operation):
        return NO_SUCCESS
    common = sorted(seen, key=lambda status: (-seen[status], status))
    # Numbers are left out: operations that differ in nothing else share a line.
    return f"answered with {', '.join(map(str, common[:_SHOWN]))}" + (", and others" if common[_SHOWN:] else "")


def nothing_succeeded(rows: Iterable[Reached], *, partly: bool = False) -> bool:
    """Tell whether operations could have succeeded but none did, so that nothing was judged.

    Args:
        rows: of the selected operations.
        partly: whether others make the rest of the run, so that operations that were not called are theirs.
    """
    able = [row for row in rows if row.why != NO_SUCCESS and (row.attempts or not partly)]
    return bool(able) and not any(row.succeeded for row in able)


def _documents_2xx(operation: Operation) -> bool:
    return any(name.startswith("2") for name in operation.responses)
