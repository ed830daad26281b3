"""What a server that differs from the stub is, and how the functions that make one are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tests.faults.messages import Call, Reply

#: Stands for every operation, and every method on every path.
ANYWHERE = ("*",)
Level = Literal["violation", "drift"]


class Stub(Protocol):
    """What a fault has at hand: the clean stub behind it, and a memory."""

    def send(self, call: Call) -> Reply:
        """Return the clean stub's reply."""
        ...

    def memory(self, call: Call) -> dict[Any, Any]:
        """Return what the fault remembers of the call's world, to be changed in place."""
        ...

    def now(self) -> float:
        """Return seconds since some point of time; they pass in `pause` only where time is played."""
        ...

    def pause(self, seconds: float) -> None:
        """Let time pass, at most until the server is closed."""
        ...


#: Stands between network and stub.
Plant = Callable[[Call, Stub], Reply]
#: Changes the contract that the stub goes by: a server whose validation has a hole.
Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a real server does otherwise.

    Attributes:
        name: how it is asked for.
        claim: what such a server does, in a sentence.
        at: labels of the operations whose answers it changes.
        checks: names of the suite's checks that may find it; one of them must, at one of these operations.
        level: how grave the suite must call it.
        settle_seconds: how long the commands wait for changes to show.
    """

    name: str
    claim: str
    at: tuple[str, ...] = ()
    checks: frozenset[str] = frozenset()
    level: Level = "drift"
    plant: Plant | None = None
    edit: Edit | None = None
    settle_seconds: float = 0.2

    def is_at(self, operation: str) -> bool:
        """Tell whether it changes the answers of an operation, by its label."""
        return self.at == ANYWHERE or operation in self.at


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Some faults, filled by its decorator; name and claim are those of the function."""

    faults: dict[str, Fault] = field(default_factory=dict)

    def plant(
        self, *checks: str, at: Iterable[str], level: Level = "violation", settle_seconds: float = 0.2
    ) -> Callable[[Plant], Plant]:
        """Return the decorator that registers a function between network and stub."""

        def register(plant: Plant) -> Plant:
            assert plant.__doc__, f"{plant.__name__} does not say what a server does there"
            claim = " ".join(plant.__doc__.split())
            self.faults[plant.__name__] = Fault(
                plant.__name__, claim, tuple(at), frozenset(checks), level, plant, settle_seconds=settle_seconds
            )
            return plant

        return register


@dataclass(frozen=True, slots=True)
class _Within:
    """The stub as the last of several plants sees it: the others stand behind it."""

    outer: Stub
    plants: Sequence[Plant]

    def send(self, call: Call) -> Reply:
        """Return what comes past the other plants."""
        if not self.plants:
            return self.outer.send(call)
        return self.plants[-1](call, _Within(self.outer, self.plants[:-1]))

    def memory(self, call: Call) -> dict[Any, Any]:
        """Return what all plants together remember of the call's world."""
        return self.outer.memory(call)

    def now(self) -> float:
        """Return the server's time."""
        return self.outer.now()

    def pause(self, seconds: float) -> None:
        """Let the server's time pass."""
        self.outer.pause(seconds)


def combined(faults: Sequence[Fault]) -> Fault:
    """Return the server that has several faults at once, none of them an edit of the contract."""
    plants = [fault.plant for fault in faults if fault.plant is not None]

    def plant(call: Call, server: Stub) -> Reply:
        return _Within(server, plants).send(call)

    return Fault(
        " and ".join(fault.name for fault in faults),
        " ".join(fault.claim for fault in faults),
        ANYWHERE,
        frozenset(check for fault in faults for check in fault.checks),
        faults[0].level,
        plant,
        settle_seconds=max(fault.settle_seconds for fault in faults),
    )
