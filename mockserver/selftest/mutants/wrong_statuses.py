"""Mutants that respond with other status codes than documented."""

from __future__ import annotations

from mockserver.http.pointers import child
from mockserver.selftest.catalogue import Catalogue, Mutation
from mockserver.selftest.interceptors import with_main, with_rejection, with_response, with_status
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import PROBLEM, MutantResponse, crash, problem

STATUSES = Catalogue("statuses")
_TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict"}


def _other_success(subject: MutatedOperation, status: int, change: MutantResponse | None = None) -> Mutation | None:
    """Return a mutation of the stub that responds to successful requests with an undocumented status code."""
    success = subject.operation.success()
    if success is None or subject.main is None or subject.main.status >= 300:
        return None
    if str(status) in subject.operation.responses:
        return None
    signs = subject.stated(success.pointer, "status_is_documented")
    return with_main(subject, signs, lambda response: change or response._replace(status=status))


@STATUSES.mutant
def success_is_201(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 201 Created where another success is documented."""
    return _other_success(subject, 201)


@STATUSES.mutant
def success_is_202(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 202 Accepted where another success is documented."""
    return _other_success(subject, 202)


@STATUSES.mutant
def success_is_206(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 206 Partial Content where another success is documented."""
    return _other_success(subject, 206)


@STATUSES.mutant
def success_without_content(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 204 and no content where content is documented."""
    empty = MutantResponse(204, (("Content-Type", "text/html"),), b"")
    behaviour = subject.operation.behaviour
    if subject.role == "read" and behaviour is not None and "204" in subject.operation.responses:
        # There 204 says that the resource was never set.
        signs = subject.stated(behaviour.pointer, "reads_show_the_last_write")
        return with_main(subject, signs, lambda _response: empty)
    return _other_success(subject, 204, empty)


@STATUSES.mutant
def success_is_a_redirect(subject: MutatedOperation) -> Mutation | None:
    """Server that redirects to the result in place of sending it."""
    elsewhere = MutantResponse(302, (("Location", subject.operation.path), ("Content-Type", "text/html")), b"")
    redirected = _other_success(subject, 302, elsewhere)
    return redirected and redirected._replace(signs=subject.silent("status_is_documented"))


@STATUSES.mutant
def success_is_a_failure(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 500 to every request that should succeed: a table was renamed."""
    return with_main(subject, subject.universal("no_server_error"), lambda _response: crash())


@STATUSES.mutant
def success_is_overload(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 503 to every request that should succeed."""
    overload = MutantResponse(503, (("Content-Type", "text/plain"),), b"upstream unavailable")
    return with_main(subject, subject.universal("no_server_error"), lambda _response: overload)


@STATUSES.mutant
def operation_is_gone(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 405 to a documented operation: the method was not routed."""
    if subject.main is None or "405" in subject.operation.responses:
        return None
    gone = problem(405, _TITLES[405]).with_field("Allow", "OPTIONS")
    return with_main(subject, subject.silent("status_is_documented"), lambda _response: gone)


@STATUSES.mutant
def success_is_404(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 404 to a documented operation."""
    if subject.main is None or "404" in subject.operation.responses:
        return None
    return with_main(subject, subject.silent("status_is_documented"), lambda _response: problem(404, _TITLES[404]))


@STATUSES.mutant
def absence_is_200(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 200 and an error message where 404 is documented."""
    if subject.main is None or subject.main.status != 404:
        return None
    signs = subject.silent("status_is_documented") | subject.stated(
        subject.main.response.pointer, "status_is_documented"
    )
    return with_main(subject, signs, lambda response: response._replace(status=200))


def _refusal(subject: MutatedOperation, status: int, other: int, checks: tuple[str, ...]) -> Mutation | None:
    """Return a mutation of the stub that replaces responses of one refusing status (such as 401) by another."""
    documented = subject.operation.responses.get(str(status))
    if documented is None or not subject.is_guarded or (status == 403 and not subject.contract.levels):
        return None
    if other == 404 and "404" in subject.operation.responses and (subject.main is None or subject.main.status != 404):
        return None  # what is asked for may not be there, so that 404 does not tell whether the caller was refused
    if subject.main is not None and subject.main.status == other:
        # Allowed callers get this response, too, so that it does not show a refusal.
        signs = subject.universal(*checks)
    else:
        signs = subject.stated(documented.pointer, *checks)
        if (status, other) == (401, 403):
            signs |= subject.silent(*checks)  # no contract says which callers get 403 in place of 401
    if str(other) not in subject.operation.responses:
        signs |= subject.silent("status_is_documented")
    return with_status(subject, status, signs, lambda _response: problem(other, _TITLES[other]))


@STATUSES.mutant
def stranger_is_403(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 403, not 401, to requests without credentials."""
    return _refusal(subject, 401, 403, ("calls_without_credentials_are_refused",))


@STATUSES.mutant
def stranger_is_404(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 404, not 401, to requests without credentials."""
    return _refusal(subject, 401, 404, ("calls_without_credentials_are_refused",))


@STATUSES.mutant
def stranger_is_200(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 200 and an error message to requests without credentials."""
    if not subject.is_guarded:
        return None
    signs = subject.universal("calls_without_credentials_are_refused")
    return with_status(subject, 401, signs, lambda response: response._replace(status=200))


@STATUSES.mutant
def wrong_level_is_401(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 401, not 403, to accounts whose level is not allowed."""
    documented = subject.operation.responses.get("403")
    if documented is None or not subject.contract.levels:
        return None
    signs = subject.stated(documented.pointer, "levels_not_allowed_are_refused")
    challenge = f'{(subject.entrance.auth_scheme if subject.entrance else "basic").capitalize()} realm="mockserver"'
    return with_status(
        subject, 403, signs, lambda _response: problem(401, _TITLES[401]).with_field("WWW-Authenticate", challenge)
    )


@STATUSES.mutant
def wrong_level_is_404(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 404, not 403, to accounts whose level is not allowed."""
    return _refusal(subject, 403, 404, ("levels_not_allowed_are_refused",))


@STATUSES.mutant
def rejection_is_409(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with an undocumented 409 to content that breaks the schema."""
    if subject.body is None or "409" in subject.operation.responses:
        return None
    return with_rejection(subject, subject.silent("status_is_documented"), lambda _response: problem(409, _TITLES[409]))


@STATUSES.mutant
def rejection_is_200(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 200 and problem details to content that breaks the schema."""
    if subject.body is None or subject.body.schema is None:
        return None
    signs = subject.acceptance_signs(None) | subject.acceptance_signs([])

    def change(response: MutantResponse) -> MutantResponse:
        return MutantResponse(200, (("Content-Type", PROBLEM),), response.body)

    media = subject.operation.success()
    if media is not None:
        for content in media.content.values():
            signs |= subject.stated(content.pointer, "media_type_is_documented")
    return with_rejection(subject, signs, change)


@STATUSES.mutant
def rejection_is_a_failure(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 500 to content that breaks the schema: validation errors are not caught."""
    if subject.body is None:
        return None
    return with_rejection(subject, subject.universal("no_server_error"), lambda _response: crash())


@STATUSES.mutant
def login_refusal_is_200(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 200 and an error message to a login with a wrong password."""
    if not subject.is_login:
        return None
    signs = subject.universal("wrong_passwords_are_refused")
    return with_status(subject, 401, signs, lambda response: response._replace(status=200))


@STATUSES.mutant
def login_refusal_is_403(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 403, not 401, to a login with a wrong password."""
    documented = subject.operation.responses.get("401")
    if not subject.is_login or documented is None:
        return None
    signs = subject.stated(documented.pointer, "wrong_passwords_are_refused")
    return with_status(subject, 401, signs, lambda _response: problem(403, _TITLES[403]))


def _unset(subject: MutatedOperation, change: MutantResponse, checks: tuple[str, ...]) -> Mutation | None:
    """Return a mutation of the stub that changes the response to a read of a setting that was never set."""
    unset = subject.operation.responses.get("204")
    if subject.role != "read" or unset is None:
        return None
    signs = subject.stated(unset.pointer, *checks)
    return with_response(subject, signs, lambda _request, response: change if response.status == 204 else response)


@STATUSES.mutant
def never_set_is_404(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 404 to a read of a setting without a value, where 204 is documented."""
    return _unset(subject, problem(404, _TITLES[404]), ("never_set_reads_as_documented",))


@STATUSES.mutant
def never_set_is_empty(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with an empty object to a read of a setting without a value."""
    empty = MutantResponse(200, (("Content-Type", "application/json"),), b"{}")
    return _unset(subject, empty, ("never_set_reads_as_documented",))


@STATUSES.mutant
def never_set_has_content(subject: MutatedOperation) -> Mutation | None:
    """Server that shows the documentation's example as the value of a setting that was never set."""
    if subject.main is None:
        return None
    shown = MutantResponse(200, (("Content-Type", subject.main.content.name),), b"").with_json(subject.main.value)
    return _unset(subject, shown, ("never_set_reads_as_documented",))


@STATUSES.mutant
def allowed_level_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses one of the levels that may call an operation: its list has a misspelt name."""
    operation = subject.operation
    level = subject.pick(operation.levels or ())
    if level is None or not subject.is_guarded:
        return None
    names = {account.username for account in subject.accounts.values() if account.level == level}
    signs = subject.stated(child(operation.pointer, "x-mockserver-levels"), "allowed_levels_are_admitted")
    return with_response(
        subject,
        signs,
        lambda request, response: (
            problem(403, _TITLES[403]) if response.status != 401 and subject.shown(request)[0] in names else response
        ),
    )
