"""One check on one operation, ready to be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.contract.model import Operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts.failures import NoOccasion

#: Returns the number of cases tried; raises CheckFailure (or a group of them) or NotRun.
OperationCheck = Callable[[Session, Operation], int]


@dataclass(frozen=True, slots=True)
class Task:
    """A check that the plan has for a run.

    Attributes:
        check: its name, as reports tell it.
        operation: label of what it is made on.
        make: makes it, in a session of its own.
        last: whether it ends credentials. A server that mistakes one token for another ends the wrong one,
            and what comes after is judged without it.
    """

    check: str
    operation: str
    make: Callable[[Session], int]
    last: bool = False


def on_operation(
    check: OperationCheck, operation: Operation, *, ready: Callable[[Session, Operation], None] | None = None
) -> Task:
    """Return the task to make a check on an operation.

    Args:
        check: what is claimed.
        operation: what it is claimed of.
        ready: brings about all that a call needs to succeed. Without it, what should be refused for one reason may be
            refused for another, that there is nothing to change, and nobody sees that it is not for the first.
    """
    ends = operation.effect == "credentials"

    def make(session: Session) -> int:
        if ready is not None:
            ready(session, operation)
        return check(session, operation)

    return Task(check.__name__, operation.label, make, last=ends)


def left_out(check: str, operation: Operation, why: str) -> Task:
    """Return the task to say that a check is not made on an operation that a reader would expect it on."""

    def make(_session: Session) -> int:
        raise NoOccasion(why)

    return Task(check, operation.label, make)


#: What a theme of checks gives: the tasks that apply to a run.
Planner = Callable[[Run], "list[Task]"]
