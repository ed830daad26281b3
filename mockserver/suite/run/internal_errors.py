"""Internal errors: exceptions in a single check are reported and do not end the run.

An exception in one check, planner or case says nothing about the rest of a run. It is reported with its place; the run
goes on, and ends with exit code 2 unless there is a violation. Exceptions raised on purpose pass: a lost target, a
run that the rate limiter ended.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.errors import ContractError, MockServerError

if TYPE_CHECKING:
    from mockserver.suite.verdicts.tally import Verdicts

#: How a message of a contained mistake begins, ours or one of a check of the user: such a run was not ended by it.
BEGINNING, _OF_A_CHECK = "an internal error", "an error in the check"
BEGINNINGS = (BEGINNING, _OF_A_CHECK)
_PACKAGE = Path(__file__).parents[2]


class CheckMistake(Exception):  # noqa: N818 - of a check, told and contained
    """Error: a check of the user's own raised what is no result of a check."""

    def __init__(self, check: str, what: str) -> None:
        super().__init__(f"{_OF_A_CHECK} {check}: {what}")


def place_of(error: BaseException, besides: str = "") -> str:
    """Return where in our package an exception was raised, as ` at FILE:LINE`, "" if outside of it.

    Args:
        error: as it was caught.
        besides: a function that only passes exceptions on.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _PACKAGE in Path(frame.filename).parents and frame.name != besides
    ]
    return f" at {Path(frames[-1].filename).relative_to(_PACKAGE.parent)}:{frames[-1].lineno}" if frames else ""


def mistake_line(where: str, error: BaseException) -> str:
    """Return a one-line message about an internal error, without the exception's text, which may hold secrets."""
    return f"{BEGINNING} in {where}: {type(error).__name__}{place_of(error)}; please report it"


def note_mistake(verdicts: Verdicts, check: str, operation: str, error: Exception) -> None:
    """Record that a check could not be made on an operation because of the exception that was caught.

    Raises:
        MockServerError: it was raised on purpose, and is about the whole run.
    """
    if isinstance(error, ContractError):
        verdicts.not_run(check, operation, f"the contract cannot be used there: {error}")
    elif isinstance(error, CheckMistake):
        verdicts.mistaken(check, operation, str(error))
    elif isinstance(error, MockServerError):
        raise error
    else:
        verdicts.mistaken(check, operation, mistake_line(f"{check} on {operation}", error))


@contextmanager
def containing_mistakes(verdicts: Verdicts, check: str, operation: str) -> Iterator[None]:
    """Catch exceptions in the context and record them; see `note_mistake`."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the rest of the run is not concerned
        note_mistake(verdicts, check, operation, error)
