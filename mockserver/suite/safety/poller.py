"""Poller: how often and how long a run reads a resource until a change shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mockserver.suite.run.interrupts import interruptible

#: Pause between two reads of a resource whose change is not finished.
POLL_SECONDS = 0.2
#: After so many changes of a resource that did not show in time, the run does not wait for its changes any more.
MAX_UNSETTLED = 2
#: A run waits so long in all; a generated write a second would make it wait for hours.
MAX_WAIT_SECONDS = 180.0


@dataclass(slots=True)
class Poller:
    """Polls a resource until a change shows, within a limit of time for each change and for the whole run.

    Attributes:
        settle_seconds: how long one change may last.
        waited_seconds: how long the run has waited in all.
    """

    settle_seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    waited_seconds: float = 0.0
    _unsettled: dict[str, int] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        """Whether the run has used up its time for waiting; values that may still change are then not judged."""
        return self.waited_seconds >= MAX_WAIT_SECONDS

    def polls(self, name: str, *, lags: bool = True) -> Iterator[None]:
        """Yield once for each read of a resource, at least once, with pauses between the reads.

        Args:
            name: name of the resource; one that never showed a change in time is not waited for again.
            lags: whether the contract shows that a change may take its time.
        """
        yield
        if not lags or self._unsettled.get(name, 0) >= MAX_UNSETTLED:
            return
        begin = self.clock()
        while self.clock() - begin < self.settle_seconds and not self.spent:
            with interruptible:
                self.sleep(POLL_SECONDS)
            self.waited_seconds += POLL_SECONDS
            yield
        self._unsettled[name] = self._unsettled.get(name, 0) + 1
