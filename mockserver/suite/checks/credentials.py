"""Checks of credentials: each secured operation is called with missing, wrong, foreign and expired credentials."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mockserver.contract.model import Operation, SecurityScheme
from mockserver.contract.roles import is_about_tokens, is_login, is_revocation, level_places, username_places
from mockserver.http import basic
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.refused_requests import expect_refusal
from mockserver.suite.cases.setting_states import behaviour_pointer, failure
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, left_out, on_operation
from mockserver.suite.identities.callers import caller_for, caller_or_stranger, canary, scheme_of, showing
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.secrets.known_secrets import values_at
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun, describe

#: How many malformed credentials are tried with each method; the others are tried with safe methods only.
_MALFORMED_EVERYWHERE = 4
#: Time after which every token has expired: no login issues tokens for ten years.
_BEYOND_EXPIRY_SECONDS = 10 * 365 * 86_400


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the credential checks for each selected operation that they apply to."""
    found: list[PlannedCheck] = []
    for operation in run.selected:
        if asks_for_credentials(run.contract, operation):
            found += [on_operation(check, operation, ready=set_up) for check in _checks_for(run, operation)]
            if _revocation(run) is not None:
                found.append(replace(on_operation(revoked_tokens_are_refused, operation), last=True))
            if any(map(is_login, run.contract.operations)):
                found.append(on_operation(expired_tokens_are_refused, operation))
        elif operation.security:
            why = "it can be called without credentials or with a client certificate"
            found.append(left_out(calls_without_credentials_are_refused.__name__, operation, why))
        if is_login(operation):
            found += [on_operation(wrong_passwords_are_refused, operation)]
            found += [on_operation(issued_tokens_work_at_once, operation)]
        if is_about_tokens(operation):
            found.append(on_operation(answers_name_the_caller, operation))
            if run.contract.levels and level_places(run.contract, operation):
                found.append(on_operation(issued_tokens_tell_their_level, operation))
    return found


def _checks_for(run: Run, operation: Operation) -> Iterable[OperationCheck]:
    yield calls_without_credentials_are_refused
    yield malformed_credentials_are_refused
    yield unknown_tokens_are_refused
    yield tokens_are_compared_whole
    if scheme_of(run, operation).scheme == "basic":
        yield tokens_belong_to_their_user
    if _revocation(run) is not None:
        yield passwords_are_no_tokens


def calls_without_credentials_are_refused(session: Session, operation: Operation) -> int:
    """Check that requests with no credentials, an empty field or another authentication scheme are refused."""
    if operation.label in session.run.opened:
        return 0  # the check of effects has told that anybody is let in
    scheme = scheme_of(session.run, operation)
    field = scheme.parameter if scheme.type == "apiKey" and scheme.location == "header" else "Authorization"
    token = canary(session, "OTHER_SCHEME")
    other = f"Bearer {token}" if scheme.scheme == "basic" else basic.encode(f"user:{token}")
    bare = session.valid_request(operation, None)
    attempts = Attempts()
    for how, request in (
        ("no credentials", bare),
        ("an empty field", bare.with_field(field, "")),
        ("another scheme", bare.with_field("Authorization", other)),
    ):
        with attempts.each():
            expect_refusal("calls_without_credentials_are_refused", session, operation, request, how)
        if request is bare and attempts.accepted:
            session.run.opened.add(operation.label)
            break  # whoever comes without credentials comes in with wrong ones, too
    return attempts.conclude()


def _expect_refusal(check: str, session: Session, operation: Operation, request: WireRequest, how: str) -> None:
    """Send a request with wrong credentials, which must be refused; see `expect_refusal`.

    Raises:
        CheckFailure: the request is accepted, or refused with another status code than the documented one.
        NotRun: the response does not tell, or anybody is let in, which is the finding of another check.
    """
    if operation.label in session.run.opened:
        raise NoOccasion("it lets in callers without any credentials, which is the finding of another check")
    expect_refusal(check, session, operation, request, how)


def malformed_credentials_are_refused(session: Session, operation: Operation) -> int:
    """Check that credentials that break their scheme's grammar (RFC 7617, section 2) are refused without a crash."""
    scheme = scheme_of(session.run, operation)
    if scheme.type == "apiKey":
        raise NoOccasion("an API key has no syntax that could be broken")
    caller = caller_or_stranger(session, operation)
    bare = session.valid_request(operation, None)
    values = _malformed(scheme, caller.username, caller.credential(scheme) or "")
    if not operation.safe:
        values = values[:_MALFORMED_EVERYWHERE]  # the code that reads credentials hardly differs between methods
    attempts = Attempts()
    for value in values:
        request = bare.with_field("Authorization", value)
        with attempts.each():
            _expect_refusal("malformed_credentials_are_refused", session, operation, request, "malformed credentials")
    return attempts.conclude()


def unknown_tokens_are_refused(session: Session, operation: Operation) -> int:
    """Check that a token that was never issued, and an empty token, are refused."""
    caller = caller_or_stranger(session, operation)
    attempts = Attempts()
    for token in (canary(session, "UNKNOWN_TOKEN"), ""):
        with attempts.each():
            request = session.valid_request(operation, showing(session.run, operation, caller, token))
            _expect_refusal("unknown_tokens_are_refused", session, operation, request, "an unknown token")
    return attempts.conclude()


def tokens_are_compared_whole(session: Session, operation: Operation) -> int:
    """Check that a valid token is refused once it is shortened, lengthened or changed in case."""
    caller = caller_for(session, operation)
    scheme = scheme_of(session.run, operation)
    token = caller.credential(scheme)
    if not token:
        raise NotRun(f"the identity {caller.label} has no credential for its security scheme")
    # Blanks around a field's value are not part of the value (RFC 9110, section 5.5); elsewhere they are sent.
    blanks_arrive = scheme.scheme == "basic" or (scheme.type == "apiKey" and scheme.location == "query")
    changed = {
        "ALL_BUT_ITS_END": token[:-1],
        "ALL_BUT_ITS_BEGINNING": token[1:],
        "AND_MORE": token + "x",
        **({"AND_BLANKS": f" {token} "} if blanks_arrive else {}),
        "IN_OTHER_CASE": token.swapcase(),
        **dict(_unsigned(token)),
    }
    attempts = Attempts()
    for name, value in changed.items():
        if not value or caller.knows(value):
            continue
        session.run.secrets.add(f"TOKEN_{name}", value)
        with attempts.each():
            request = session.valid_request(operation, showing(session.run, operation, caller, value))
            _expect_refusal("tokens_are_compared_whole", session, operation, request, "a changed token")
    return attempts.conclude()


def _unsigned(token: str) -> Iterator[tuple[str, str]]:
    """Yield a JSON Web Token without its signature, as it is and with the algorithm `none` (RFC 7519, section 6.1)."""
    head, _, rest = token.partition(".")
    claims, dot, signature = rest.partition(".")
    try:
        known = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return
    if isinstance(known, dict) and "alg" in known and dot and signature:
        yield "WITHOUT_SIGNATURE", f"{head}.{claims}."
        for number, name in enumerate(("none", "None")):
            text = json.dumps({**known, "alg": name}).encode()
            plain = base64.urlsafe_b64encode(text).decode().rstrip("=")
            yield f"OF_NO_ALGORITHM_{number}", f"{plain}.{claims}."


def tokens_belong_to_their_user(session: Session, operation: Operation) -> int:
    """Check that a valid token is refused together with the user name of another account, or of none.

    Both ways: an allowed user name is also sent with the token of an account that is not allowed, since a server could
    take rights from the name alone. Accounts that share a token or password may each use it.
    """
    caller = caller_for(session, operation)
    scheme = scheme_of(session.run, operation)
    own = caller.credential(scheme)
    others = [other for other in session.run.identities.all if other.username != caller.username]
    others.sort(key=lambda other: other.level == caller.level)  # accounts of other levels first
    pairs = [(Identity(canary(session, "UNKNOWN_USER")), own)]
    pairs += [(other, own) for other in others if not other.knows(own)][:1]
    foreign = (other.credential(scheme) for other in others)
    pairs += [(caller, secret) for secret in foreign if secret and not caller.knows(secret)][-1:]
    attempts = Attempts()
    for who, secret in pairs:
        with attempts.each():
            request = session.valid_request(operation, showing(session.run, operation, who, secret or ""))
            _expect_refusal("tokens_belong_to_their_user", session, operation, request, "another user's token")
    return attempts.conclude()


def passwords_are_no_tokens(session: Session, operation: Operation) -> int:
    """Check that the password is refused in place of a token, where a login exchanges it for a token."""
    caller = caller_for(session, operation)
    if caller.password is None:
        raise NotRun(f"it needs the password of {caller.label} (--identities)")
    shown = caller.credential(scheme_of(session.run, operation))
    if caller.password in {shown, *caller.schemes.values()} or caller.has_token(caller.password):
        raise NoOccasion(f"the password of {caller.label} is also the credential that it calls with")
    request = session.valid_request(operation, showing(session.run, operation, caller, caller.password))
    _expect_refusal("passwords_are_no_tokens", session, operation, request, "the password in place of a token")
    return 1


def revoked_tokens_are_refused(session: Session, operation: Operation) -> int:
    """Check that a token is refused once it was revoked; the token comes from a login made for this check."""
    revocation = _revocation(session.run)
    assert revocation is not None
    set_up(session, operation, calls=False)
    identity = session.login_for(revocation, session.run.allowed(operation) or session.run.admin)
    set_up(session, operation)  # after the login, since the setup may add a second factor
    revoked = session.call(revocation, session.valid_request(revocation, identity))
    if not revoked.successful:
        raise NotRun(f"the token could not be revoked: {revocation.label} answered {revoked.status}")
    set_up(session, operation)
    request = session.valid_request(operation, identity)
    _expect_refusal("revoked_tokens_are_refused", session, operation, request, "a revoked token")
    return 1


def expired_tokens_are_refused(session: Session, operation: Operation) -> int:
    """Check that an expired token is refused; needs our own stub, whose clock can be moved past the token's end."""
    control = session.run.control
    if control is None:
        raise NotRun("tokens can be made to expire only on our own stub, whose clock can be set")
    set_up(session, operation, calls=False)
    identity = session.login(session.run.allowed(operation) or session.run.admin)
    set_up(session, operation)
    control.set_clock(session.world, int(time.time()) + _BEYOND_EXPIRY_SECONDS)
    set_up(session, operation, clock=False)  # again: the prepared state may have expired, too
    request = session.valid_request(operation, identity)
    _expect_refusal("expired_tokens_are_refused", session, operation, request, "an expired token")
    return 1


def wrong_passwords_are_refused(session: Session, operation: Operation) -> int:
    """Check that a login with a wrong password, or for an account that does not exist, issues no token."""
    known = [identity for identity in session.run.identities.all if identity.password]
    if not known:
        raise NotRun("it needs an identity with a password (--identities)")
    account = known[0]
    password = account.password or ""
    # Two accounts may have the same password, and two entries of the file may be one account.
    right = {other.password for other in known if other.username == account.username}
    foreign = next((other.password for other in known if other.password not in right), None)
    wrong = [canary(session, "WRONG_PASSWORD"), password[:-1], password.swapcase(), foreign]
    tried = [Identity(account.username, password=text) for text in dict.fromkeys(wrong) if text and text not in right]
    tried.append(Identity(canary(session, "UNKNOWN_USER"), password=password))
    attempts = Attempts()
    for number, attempt in enumerate(tried):
        session.run.secrets.add(f"WRONG_PASSWORD_{number}", attempt.password or "")
        with attempts.each():
            request = session.login_request(operation, attempt)
            expect_refusal("wrong_passwords_are_refused", session, operation, request, "a wrong password")
    return attempts.conclude()


def issued_tokens_work_at_once(session: Session, operation: Operation) -> int:
    """Check that a token that a login has just issued is accepted in the next request."""
    safe = [other for other in session.run.selected if other.safe and other.security]
    accounts = [identity for identity in session.run.identities.all if identity.password]
    if not accounts or not safe:
        raise NotRun("it needs an identity with a password, and an operation to call with its token")
    target = next((other for other in safe if other.levels is None or accounts[0].level in other.levels), safe[0])
    identity = session.login(accounts[0])
    request = session.valid_request(target, identity)
    response = session.call(target, request)
    if response.status == 401:
        raise CheckFailure(
            "issued_tokens_work_at_once",
            operation.label,
            "a token that was just issued is refused",
            expected="the token to be accepted",
            got="401",
            pointer=operation.pointer,
            rule="contract",
            exchange=Exchange(request, response, history=tuple(session.history)),
        )
    return 1


def issued_tokens_tell_their_level(session: Session, operation: Operation) -> int:
    """Check that a response about a token shows the permission level of the account that logged in."""
    attempts = Attempts()
    with attempts.each(0):
        for identity, request, response in _told_of_tokens(session, operation):
            with attempts.each():
                for path in sorted(level_places(session.contract, operation)):
                    shown = list(values_at(json_or_none(response), path))
                    if identity.level and shown and shown != [identity.level]:
                        raise failure(
                            "issued_tokens_tell_their_level",
                            operation,
                            "the response shows another level than the account has",
                            expected=identity.level,
                            got=describe(shown[0]),
                            pointer=behaviour_pointer(operation),
                            exchange=Exchange(request, response),
                        )
    return attempts.conclude()


def answers_name_the_caller(session: Session, operation: Operation) -> int:
    """Check that a response about a token shows the user name of the account that the token belongs to."""
    attempts = Attempts()
    with attempts.each(0):
        for identity, request, response in _told_of_tokens(session, operation):
            with attempts.each():
                for path in sorted(username_places(session.contract, operation)):
                    shown = list(values_at(json_or_none(response), path))
                    # Names that differ in case alone may well be one account.
                    if shown and [str(name).casefold() for name in shown] != [identity.username.casefold()]:
                        raise failure(
                            "answers_name_the_caller",
                            operation,
                            "the response names another account than the caller's",
                            expected=identity.username,
                            got=describe(shown[0]),
                            pointer=behaviour_pointer(operation),
                            exchange=Exchange(request, response),
                        )
    return attempts.conclude()


def _told_of_tokens(session: Session, operation: Operation) -> Iterator[tuple[Identity, WireRequest, WireResponse]]:
    """Yield each identity with its request and successful response to an operation that describes its token."""
    login = is_login(operation)
    ends = operation.effect == "credentials"
    for identity in session.run.identities.all:
        if operation.levels is not None and identity.level not in operation.levels:
            continue
        if identity.password is None if login or ends else identity.token is None:
            continue
        if login:
            request = session.login_request(operation, identity)
        else:
            request = session.valid_request(operation, session.login_for(operation, identity) if ends else identity)
        response = session.call(operation, request, login=login)
        if response.successful:
            yield identity, request, response


def _revocation(run: Run) -> Operation | None:
    """Return the operation that revokes the token it is called with, None if the contract has none or no login."""
    logins = any(is_login(operation) for operation in run.contract.operations)
    return next(filter(is_revocation, run.contract.operations), None) if logins else None


def _malformed(scheme: SecurityScheme, username: str, secret: str) -> tuple[str, ...]:
    if scheme.scheme == "basic":
        # Values that hand-written parsers get wrong: no payload, bad padding, no colon, bytes that are not text.
        return (
            "Basic",
            "Basic !!!not-base64!!!",
            basic.encode(username),
            "Basic /////w==",
            "Basic YWRtaW4",
            basic.encode(":"),
            basic.encode(""),
        )
    return ("Bearer", "Bearer ", "Bearer \t", "bearer", "x", f"{secret[:3]}=")
