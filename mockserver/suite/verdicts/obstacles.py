"""Obstacles: what kept a run from judging anything: refused credentials, a wrong base path, nothing that succeeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from mockserver.suite.identities.admission import Admissions
from mockserver.suite.run.session import Run
from mockserver.suite.verdicts.failures import CheckFailure
from mockserver.suite.verdicts.reach import Reached, nothing_succeeded

#: Status codes of a server that has no such path, or something else there.
_NOT_THERE = frozenset({404, 405})
#: So many operations are named in a message.
_NAMED = 5


def obstacles(run: Run) -> Iterator[CheckFailure]:
    """Yield what kept a run from judging at all, each an environment finding that says what to look at."""
    refused = list(_credentials(run.guard.admissions))
    yield from refused
    rows = run.verdicts.reach(run.selected)
    called = [row for row in rows if row.attempts]
    if refused or not nothing_succeeded(called):
        return
    statuses = {status for row in called for status in run.verdicts.statuses.of(row.operation)}
    if 404 in statuses and statuses <= _NOT_THERE:
        yield _wrong_base_path(run, called)
        return
    told = "; ".join(f"{row.operation}: {row.why}" for row in called[:_NAMED])
    yield _obstacle(
        "operations_succeed",
        called[0].operation,
        "no operation ever succeeded",
        expected="a success of one operation at least",
        got=told + (f"; and {len(called) - _NAMED} more" if called[_NAMED:] else ""),
    )


def _credentials(admissions: Admissions) -> Iterator[CheckFailure]:
    for identity, operation, statuses in admissions.refused():
        told = " and ".join(f"{status} {_phrase(status)}".strip() for status in sorted(statuses))
        yield _obstacle(
            "credentials_are_accepted",
            operation,
            f"the credentials of {identity} are refused",
            expected="a success with these credentials; check --identities, and whether they expired",
            got=f"{told} each time",
        )


def _wrong_base_path(run: Run, called: Sequence[Reached]) -> CheckFailure:
    bases = sorted({base for operation in run.selected for base in operation.bases if base.strip("/")})
    own = f"; the contract's own is {' or '.join(bases)}" if bases else ""
    missing = [base for base in bases if not run.target.base_url.endswith(base)]
    remedy = f", so try {run.target.base_url}{missing[0]}" if missing else ""
    statuses = sorted({status for row in called for status in run.verdicts.statuses.of(row.operation)})
    told = " or ".join(map(str, statuses))
    return _obstacle(
        "base_path_is_right",
        called[0].operation,
        f"every path was answered with {told}",
        expected=f"the API below {run.target.base_url}",
        got=f"{told} from {len(called)} operation{'' if len(called) == 1 else 's'}: a wrong base path?{own}{remedy}",
    )


def _obstacle(check: str, operation: str, title: str, *, expected: str, got: str) -> CheckFailure:
    return CheckFailure(check, operation, title, expected=expected, got=got, pointer="", rule="environment")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
