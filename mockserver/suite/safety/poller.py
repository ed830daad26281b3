"""Polling: how long a run waits for a change to show, since a server may apply it some time later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mockserver.suite.run.interrupts import interruptible

#: Pause between two looks at what is under way.
POLL_SECONDS = 0.2
#: After so many changes of one resource that did not show in time the run does not wait for others of it.
MAX_UNSETTLED = 2
#: A run waits so long in all; a generated write a second would make it wait for hours.
MAX_WAIT_SECONDS = 180.0


@dataclass(slots=True)
class Poller:
    """Gives out looks at what may lag, and knows when waiting has no sense any more.

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
        """Whether the run has waited so long that it takes things as they are; what lags is then not judged."""
        return self.waited_seconds >= MAX_WAIT_SECONDS

    def polls(self, name: str, *, lags: bool = True) -> Iterator[None]:
        """Yield for each look at a resource, with pauses between them, at least once.

        Args:
            name: of the resource; one that never showed a change in time is not waited for again.
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
