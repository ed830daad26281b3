"""Failures: what a check raises where it does not hold, or could not be made, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from mockserver.suite.target.exchange import Exchange

#: How a broken claim gets its level: always a violation; as the contract knows the statement at the pointer;
#: drift, since the contract says nothing; nobody's fault; our own stub breaks it, too, so nobody is blamed.
Rule = Literal["universal", "contract", "silent", "environment", "oracle"]


class CheckFailure(Exception):  # noqa: N818 - a result, not an error
    """What a check raises when its claim does not hold.

    Attributes:
        check: the check's name.
        operation: label of the operation that it was made on.
        title: the claim's breach in a few words, the same for every value.
        expected: what the contract or the rule demands.
        got: what the server did, with the offending value.
        pointer: JSON pointer of the contract's statement that was judged against.
        rule: where the level comes from.
        exchange: the evidence, or None where there was no request.
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


class NotRun(Exception):  # noqa: N818 - a result, not an error
    """A check could not be made, or not all of it; the text completes "not run, because".

    Attributes:
        cases: how many cases of it held all the same, so that it was made in part.
    """

    def __init__(self, why: str, cases: int = 0) -> None:
        super().__init__(why)
        self.cases = cases


class NoOccasion(NotRun):
    """A check does not apply to an operation, on whatever server: there is nothing that could be tried."""


def failures_in(error: BaseException) -> Iterator[CheckFailure]:
    """Yield the failures in what a check raised: one, or a group of them.

    They are results from here on. A traceback would hold the frames in which they were found, and with them each
    answer and its value until Python looks for cycles.
    """
    if isinstance(error, CheckFailure):
        error.__traceback__ = None
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from failures_in(inner)


def reasons_in(error: BaseException) -> Iterator[NotRun]:
    """Yield why something could not be made, in what a check raised: one reason, or those in a group."""
    if isinstance(error, NotRun):
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from reasons_in(inner)


def others_in(error: BaseException) -> Iterator[BaseException]:
    """Yield what is neither a failure nor a reason in what a check raised: what ends the run, or a mistake of ours."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from others_in(inner)
    elif not isinstance(error, CheckFailure | NotRun):
        yield error


def raise_failures(failures: Iterable[CheckFailure]) -> None:
    """Raise the failures of one check: the only one as it is, several as a group, none not at all."""
    found = list(failures)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ExceptionGroup("several claims of one check do not hold", found)


def describe(value: Any, limit: int = 200) -> str:
    """Return a value as JSON for a message, at most `limit` characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    # A lone surrogate, which JSON text may hold and UTF-8 cannot (RFC 8259, section 8.2), is escaped as in JSON.
    return excerpt(text.encode("utf-8", "backslashreplace").decode(), limit)


def excerpt(text: str, limit: int = 200) -> str:
    """Return a text for a message, at most `limit` characters of it."""
    return text if len(text) <= limit else text[:limit] + "…"
