"""The check of levels that only words name: what a summary leaves to admins is refused to others."""

from __future__ import annotations

import re
from functools import partial

from mockserver.contract.model import Operation
from mockserver.contract.source.references import follow
from mockserver.http.pointers import child
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

_FORBIDDEN = "403"


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return a check for each selected operation that documents 403, and whose summary leaves it to one level.

    Our own stub knows no words, so it is no judge of them.
    """
    if run.oracle:
        return []
    return [
        on_operation(levels_named_in_words_are_kept, operation, ready=partial(set_up, seed=True))
        for operation in run.selected
        if operation.levels is None
        and operation.security
        and _FORBIDDEN in operation.responses
        and _level(run, operation)
    ]


def levels_named_in_words_are_kept(session: Session, operation: Operation) -> int:
    """Check that an operation whose summary says `admins only` (a level of --identities) refuses all other levels."""
    run = session.run
    level = _level(run, operation)
    others = {one.level: one for one in run.identities.all if one.level and one.level != level}
    attempts = Attempts()
    for other, identity in others.items():
        with attempts.each():
            request = session.valid_request(operation, identity)
            response = session.call(operation, request)
            if response.successful:
                raise CheckFailure(
                    "levels_named_in_words_are_kept",
                    operation.label,
                    f"accepted from the level {other}, though its summary leaves it to {level}",
                    expected=_FORBIDDEN,
                    got=str(response.status),
                    pointer=child(operation.pointer, "summary"),
                    rule="contract",
                    exchange=Exchange(request, response),
                )
            if str(response.status) not in {"401", _FORBIDDEN, "404"}:
                raise NotRun(f"the level {other} got {response.status}, which does not tell whether it was admitted")
    return attempts.conclude()


def _level(run: Run, operation: Operation) -> str:
    """Return the level that the summary of an operation leaves it to, "" for none."""
    raw, _ = follow(run.contract.document.data, operation.pointer)
    summary = str(raw.get("summary", "")) if isinstance(raw, dict) else ""
    levels = {one.level for one in run.identities.all if one.level}
    if len(levels) < 2:
        return ""
    named = [one for one in levels if one and re.search(rf"\b{re.escape(one)}s?[ -]only\b", summary, re.IGNORECASE)]
    return named[0] if len(named) == 1 else ""
