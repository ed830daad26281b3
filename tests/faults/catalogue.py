"""What a fault is, and how the functions that plant one are registered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tests.faults.messages import Call, Reply

#: Stands for every operation, and every method on every path.
ANYWHERE = ("*",)
Theme = Literal["shape", "secrets", "echo", "state", "credentials", "robustness", "routing"]
Level = Literal["violation", "drift"]


class Stub(Protocol):
    """What a fault has at hand: the clean stub behind it, and a memory.

    Attributes:
        closing: set when the server is closed, so that an answer that hangs ends at once.
    """

    closing: threading.Event

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
    """One thing that a real server does wrong.

    Attributes:
        name: how it is asked for.
        claim: what such a server does, in a sentence.
        theme: what it is about.
        at: labels of the operations whose answers it changes.
        checks: names of the suite's checks that may find it; one of them must, at one of these operations.
        level: how grave the suite must call it.
        needs_socket: whether it cannot be seen within one process.
        needs_clock: whether it shows only when the stub's clock is set, which a run can do of a stub of its own.
        settle_seconds: how long the commands wait for changes to show.
    """

    name: str
    claim: str
    theme: Theme
    at: tuple[str, ...]
    checks: frozenset[str]
    level: Level
    plant: Plant | None = None
    edit: Edit | None = None
    needs_socket: bool = False
    needs_clock: bool = False
    settle_seconds: float = 0.2

    def is_at(self, operation: str) -> bool:
        """Tell whether it changes the answers of an operation, by its label."""
        return self.at == ANYWHERE or operation in self.at


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The faults of one theme, filled by its two decorators; name and claim are those of the function."""

    theme: Theme
    faults: dict[str, Fault] = field(default_factory=dict)

    def plant(
        self,
        *checks: str,
        at: Iterable[str],
        level: Level = "violation",
        needs_socket: bool = False,
        needs_clock: bool = False,
        settle_seconds: float = 0.2,
    ) -> Callable[[Plant], Plant]:
        """Return the decorator that registers a function between network and stub."""

        def register(plant: Plant) -> Plant:
            name, claim = _described(plant)
            self.faults[name] = Fault(
                name,
                claim,
                self.theme,
                tuple(at),
                frozenset(checks),
                level,
                plant=plant,
                needs_socket=needs_socket,
                needs_clock=needs_clock,
                settle_seconds=settle_seconds,
            )
            return plant

        return register

    def edit(self, *checks: str, at: Iterable[str], level: Level = "violation") -> Callable[[Edit], Edit]:
        """Return the decorator that registers a change of the contract that the stub goes by."""

        def register(edit: Edit) -> Edit:
            name, claim = _described(edit)
            self.faults[name] = Fault(name, claim, self.theme, tuple(at), frozenset(checks), level, edit=edit)
            return edit

        return register


def _described(function: Callable[..., Any]) -> tuple[str, str]:
    assert function.__doc__, f"{function.__name__} does not say what a server does wrong there"
    return function.__name__, " ".join(function.__doc__.split())
