"""Exceptions that checks raise: failures, and reasons why a check was not made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from mockserver.http.json import clip, text
from mockserver.suite.target.exchange import Exchange

#: How a failure gets its level: always a violation; by the provenance of the contract's statement; drift, as the
#: contract says nothing; environment; drift, as our own stub fails, too; always, as a check of the user says so.
Rule = Literal["universal", "contract", "silent", "environment", "oracle", "own"]


class CheckFailure(Exception):  # noqa: N818 - a result, not an error
    """Failure of a check on an operation, with what was expected and what was observed.

    Attributes:
        check: the check's name.
        operation: label of the operation on which the check was made.
        title: what is wrong in a few words, the same for every value.
        expected: what the contract or the rule demands.
        got: what the server did, with the offending value.
        pointer: JSON pointer of the contract's statement that was judged against.
        rule: where the level comes from.
        exchange: the evidence, or None where there was no request.
        cause: what was expected and seen, in words that leave out operation and value; failures with the same words
            are shown together. The title where a check gives none.
    """

    def __init__(
        self,
        check: str,
        operation: str,
        title: str,
        *,
        expected: str,
        got: str,
        pointer: str,
        rule: Rule,
        exchange: Exchange | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(f"{operation}: {title}: expected {expected}, got {got}")
        self.check = check
        self.operation = operation
        self.title = title
        self.expected = expected
        self.got = got
        self.pointer = pointer
        self.rule = rule
        self.exchange = None if exchange is None else exchange.shortened()
        self.cause = cause or title


class NotRun(Exception):  # noqa: N818 - a result, not an error
    """A check was not made, or only in part; the message completes "not run, because".

    Attributes:
        cases: how many cases of it held all the same, so that it was made in part.
    """

    def __init__(self, why: str, cases: int = 0) -> None:
        super().__init__(why)
        self.cases = cases


class NoOccasion(NotRun):
    """A check does not apply to an operation, whatever the server does."""


def failures_in(error: BaseException) -> Iterator[CheckFailure]:
    """Yield the check failures in an exception, which may be a group.

    They are results from here on. A traceback would hold the frames in which they were found, and with them each
    response and its value until Python looks for cycles.
    """
    if isinstance(error, CheckFailure):
        error.__traceback__ = None
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from failures_in(inner)


def reasons_in(error: BaseException) -> Iterator[NotRun]:
    """Yield the NotRun exceptions in an exception, which may be a group."""
    if isinstance(error, NotRun):
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from reasons_in(inner)


def others_in(error: BaseException) -> Iterator[BaseException]:
    """Yield the members of an exception group that are neither failures nor NotRun: internal errors, and interrupts."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from others_in(inner)
    elif not isinstance(error, CheckFailure | NotRun):
        yield error


def raise_failures(failures: Iterable[CheckFailure]) -> None:
    """Raise failures of one check: a single one as it is, several as a group; return if there are none."""
    found = list(failures)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ExceptionGroup("several failures of one check", found)


def describe(value: Any, limit: int = 200) -> str:
    """Return a value as JSON for a message, at most `limit` characters of it."""
    try:
        shown = text(value)
    except (TypeError, ValueError, RecursionError):  # no JSON
        shown = repr(value)
    return clip(shown, limit)
