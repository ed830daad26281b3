"""Checks of what a login does to the tokens that were issued before it."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login, is_revocation, looks_like_a_login
from mockserver.http.pointers import child
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.checks.planned_check import OperationCheck, PlannedCheck, on_operation
from mockserver.suite.identities.callers import canary
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule

#: So many reads are tried with a new token until one succeeds.
_READS = 5


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks for each selected login, and for each selected revocation if there is a login."""
    found: list[PlannedCheck] = []
    # An identity with a login of its own shows that what looks like a login is one.
    shown = any(identity.issued is not None and identity.password for identity in run.identities.all)
    for operation in run.selected:
        if is_login(operation) or (shown and looks_like_a_login(operation)):
            found += [on_operation(failed_logins_end_no_tokens, operation)]
            found += [on_operation(second_logins_end_no_tokens, operation)]
        if is_revocation(operation) and any(map(is_login, run.contract.operations)):
            found.append(on_operation(revoked_tokens_stay_revoked, operation))
    return found


def failed_logins_end_no_tokens(session: Session, operation: Operation) -> int:
    """Check that a login with a wrong password ends no token that was issued to the account."""
    identity, read, request = _signed_in(session, _account(session))
    wrong = Identity(identity.username, password=canary(session, "WRONG_PASSWORD"))
    attempt = session.login_request(operation, wrong)
    response = session.call(operation, attempt)
    if response.successful:
        raise NotRun("a wrong password is accepted, which is the finding of another check")
    _expect_accepted(
        failed_logins_end_no_tokens.__name__,
        session,
        operation,
        read,
        request,
        Exchange(attempt, response),
        "a login with a wrong password ends the account's token",
        "contract",
    )
    return 1


def second_logins_end_no_tokens(session: Session, operation: Operation) -> int:
    """Check that a second login of an account ends no token that the first one issued."""
    account = _account(session)
    identity, read, request = _signed_in(session, account)
    second = session.login(account)
    if second.token is None or second.token == identity.token:
        raise NotRun("the second login issued no other token")
    _expect_accepted(
        second_logins_end_no_tokens.__name__,
        session,
        operation,
        read,
        request,
        None,
        "a second login ends the token of the first",
        "silent",
    )
    return 1


def revoked_tokens_stay_revoked(session: Session, operation: Operation) -> int:
    """Check that a revoked token is not accepted again once its account has logged in anew."""
    refusal = session.run.policy.refusal(operation.method, operation)
    if refusal:
        raise NotRun(refusal)
    identity, read, request = _signed_in(session, _account(session))
    revoked = session.call(operation, session.valid_request(operation, identity))
    if not revoked.successful:
        raise NotRun(f"the token could not be revoked: {operation.label} answered {revoked.status}")
    if session.call(read, request).successful:
        raise NotRun("the revoked token is still accepted, which is the finding of another check")
    session.login(identity)
    response = session.call(read, request)
    if response.successful:
        raise CheckFailure(
            revoked_tokens_stay_revoked.__name__,
            operation.label,
            "a revoked token is accepted again after the next login",
            expected="401",
            got=str(response.status),
            pointer=child(read.pointer, "security"),
            rule="universal",
            exchange=Exchange(request, response, history=tuple(session.history)),
        )
    return 1


def _account(session: Session) -> Identity:
    """Return an identity with a password.

    Raises:
        NotRun: there is none.
    """
    account = next((identity for identity in session.run.identities.all if identity.password), None)
    if account is None:
        raise NotRun("it needs an identity with a password (--identities)")
    return account


def _signed_in(session: Session, account: Identity) -> tuple[Identity, Operation, WireRequest]:
    """Return an account that has just logged in, and a read with its token that succeeded.

    Raises:
        NotRun: it cannot log in, or no read succeeds.
    """
    for number, read in enumerate(_reads(session, account)):
        if number == _READS:
            break
        set_up(session, read)
        identity = session.login(account)
        request = session.valid_request(read, identity)
        if session.call(read, request).successful:
            return identity, read, request
    raise NotRun("no read succeeds with the token of a login, so it cannot be seen whether that is still good")


def _reads(session: Session, account: Identity) -> Iterator[Operation]:
    """Yield selected reads that ask for the token of a login, those without parameters first."""
    suitable = [
        read
        for read in session.run.selected
        if read.method == "GET"
        and read.security
        and read.effect is None
        and (read.levels is None or account.level in read.levels)
    ]
    yield from sorted(suitable, key=lambda read: (any(one.required for one in read.parameters), "{" in read.path))


def _expect_accepted(
    check: str,
    session: Session,
    operation: Operation,
    read: Operation,
    request: WireRequest,
    between: Exchange | None,
    title: str,
    rule: Rule,
) -> None:
    """Raise a CheckFailure if a token that was accepted is refused now.

    Raises:
        CheckFailure: it is.
    """
    response = session.call(read, request)
    if response.status in {401, 403}:
        raise CheckFailure(
            check,
            operation.label,
            title,
            expected="the token to be accepted as before",
            got=str(response.status),
            pointer=operation.pointer,
            rule=rule,
            exchange=Exchange(
                request, response, history=(*session.history, *([between] if between is not None else []))
            ),
        )


#: All checks of this theme.
CHECKS: tuple[OperationCheck, ...] = (
    failed_logins_end_no_tokens,
    second_logins_end_no_tokens,
    revoked_tokens_stay_revoked,
)
