"""Answers with another status than is documented."""

from __future__ import annotations

from mockserver.http.pointers import child
from mockserver.selftest.catalogue import Catalogue, Mutation
from mockserver.selftest.interceptors import with_main, with_response, with_status
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import PROBLEM, MutantResponse, crash, problem

STATUSES = Catalogue("statuses")
_TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict"}


def _other_success(subject: MutatedOperation, status: int, change: MutantResponse | None = None) -> Mutation | None:
    """Return the mutation that answers a success with a status that the contract does not name."""
    success = subject.operation.success()
    if success is None or subject.main is None or subject.main.status >= 300:
        return None
    if str(status) in subject.operation.responses:
        return None
    signs = subject.stated(success.pointer, "status_is_documented")
    return with_main(subject, signs, lambda response: change or response._replace(status=status))


@STATUSES.mutant
def success_is_201(subject: MutatedOperation) -> Mutation | None:
    """A success is answered with 201 Created, where another status is documented."""
    return _other_success(subject, 201)


@STATUSES.mutant
def success_is_202(subject: MutatedOperation) -> Mutation | None:
    """A success is answered with 202 Accepted, where another status is documented."""
    return _other_success(subject, 202)


@STATUSES.mutant
def success_is_206(subject: MutatedOperation) -> Mutation | None:
    """A success is answered with 206 Partial Content, by a cache that splits answers."""
    return _other_success(subject, 206)


@STATUSES.mutant
def success_without_content(subject: MutatedOperation) -> Mutation | None:
    """A success is answered with 204 and nothing, where content is documented."""
    empty = MutantResponse(204, (("Content-Type", "text/html"),), b"")
    behaviour = subject.operation.behaviour
    if subject.role == "read" and behaviour is not None and "204" in subject.operation.responses:
        # There 204 says that the resource was never set.
        signs = subject.stated(behaviour.pointer, "reads_show_the_last_write")
        return with_main(subject, signs, lambda _response: empty)
    return _other_success(subject, 204, empty)


@STATUSES.mutant
def success_is_a_redirect(subject: MutatedOperation) -> Mutation | None:
    """A success is answered with a redirect to the place of the result."""
    elsewhere = MutantResponse(302, (("Location", subject.operation.path), ("Content-Type", "text/html")), b"")
    redirected = _other_success(subject, 302, elsewhere)
    return redirected and redirected._replace(signs=subject.silent("status_is_documented"))


@STATUSES.mutant
def success_is_a_failure(subject: MutatedOperation) -> Mutation | None:
    """Every request that should do something fails with 500: the table was renamed."""
    return with_main(subject, subject.universal("no_server_error"), lambda _response: crash())


@STATUSES.mutant
def success_is_overload(subject: MutatedOperation) -> Mutation | None:
    """Every request that should do something is answered with 503."""
    overload = MutantResponse(503, (("Content-Type", "text/plain"),), b"upstream unavailable")
    return with_main(subject, subject.universal("no_server_error"), lambda _response: overload)


@STATUSES.mutant
def operation_is_gone(subject: MutatedOperation) -> Mutation | None:
    """The operation answers 405, though its path is there: the method was not routed."""
    if subject.main is None or "405" in subject.operation.responses:
        return None
    gone = problem(405, _TITLES[405]).with_field("Allow", "OPTIONS")
    return with_main(subject, subject.silent("status_is_documented"), lambda _response: gone)


@STATUSES.mutant
def success_is_404(subject: MutatedOperation) -> Mutation | None:
    """The operation answers 404, though the contract has its path."""
    if subject.main is None or "404" in subject.operation.responses:
        return None
    return with_main(subject, subject.silent("status_is_documented"), lambda _response: problem(404, _TITLES[404]))


@STATUSES.mutant
def absence_is_200(subject: MutatedOperation) -> Mutation | None:
    """What does not exist is answered with 200 and a text that says so."""
    if subject.main is None or subject.main.status != 404:
        return None
    signs = subject.silent("status_is_documented") | subject.stated(
        subject.main.response.pointer, "status_is_documented"
    )
    return with_main(subject, signs, lambda response: response._replace(status=200))


def _refusal(subject: MutatedOperation, status: int, other: int, checks: tuple[str, ...]) -> Mutation | None:
    """Return the mutation that answers one refusal as another one."""
    documented = subject.operation.responses.get(str(status))
    if documented is None or not subject.is_guarded:
        return None
    if subject.main is not None and subject.main.status == other:
        # It is what those get who may request, so that nobody can tell that these may not.
        signs = subject.universal(*checks)
    else:
        signs = subject.stated(documented.pointer, *checks)
    if str(other) not in subject.operation.responses:
        signs |= subject.silent("status_is_documented")
    return with_status(subject, status, signs, lambda _response: problem(other, _TITLES[other]))


@STATUSES.mutant
def stranger_is_403(subject: MutatedOperation) -> Mutation | None:
    """Who shows no credentials gets 403, so that no client knows that it should log in."""
    return _refusal(subject, 401, 403, ("calls_without_credentials_are_refused",))


@STATUSES.mutant
def stranger_is_404(subject: MutatedOperation) -> Mutation | None:
    """Who shows no credentials gets 404, as if nothing was there."""
    return _refusal(subject, 401, 404, ("calls_without_credentials_are_refused",))


@STATUSES.mutant
def stranger_is_200(subject: MutatedOperation) -> Mutation | None:
    """Who shows no credentials gets 200, with a text that says that it was refused."""
    if not subject.is_guarded:
        return None
    signs = subject.universal("calls_without_credentials_are_refused")
    return with_status(subject, 401, signs, lambda response: response._replace(status=200))


@STATUSES.mutant
def wrong_level_is_401(subject: MutatedOperation) -> Mutation | None:
    """The wrong level gets 401, as if it were a stranger: a client logs in again, and again."""
    documented = subject.operation.responses.get("403")
    if documented is None:
        return None
    signs = subject.stated(documented.pointer, "levels_not_allowed_are_refused")
    challenge = 'Basic realm="mockserver"'
    return with_status(
        subject, 403, signs, lambda _response: problem(401, _TITLES[401]).with_field("WWW-Authenticate", challenge)
    )


@STATUSES.mutant
def wrong_level_is_404(subject: MutatedOperation) -> Mutation | None:
    """The wrong level gets 404, as if nothing was there."""
    return _refusal(subject, 403, 404, ("levels_not_allowed_are_refused",))


@STATUSES.mutant
def rejection_is_409(subject: MutatedOperation) -> Mutation | None:
    """Content that breaks the schema is rejected with a status that the contract does not name."""
    if subject.body is None or "409" in subject.operation.responses:
        return None
    return with_status(
        subject, 422, subject.silent("status_is_documented"), lambda _response: problem(409, _TITLES[409])
    )


@STATUSES.mutant
def rejection_is_200(subject: MutatedOperation) -> Mutation | None:
    """Content that breaks the schema gets 200, with problem details that say that it was rejected."""
    if subject.body is None or subject.body.schema is None:
        return None
    signs = subject.acceptance_signs(None) | subject.acceptance_signs([])

    def change(response: MutantResponse) -> MutantResponse:
        return MutantResponse(200, (("Content-Type", PROBLEM),), response.body)

    media = subject.operation.success()
    if media is not None:
        for content in media.content.values():
            signs |= subject.stated(content.pointer, "media_type_is_documented")
    return with_status(subject, 422, signs, change)


@STATUSES.mutant
def rejection_is_a_failure(subject: MutatedOperation) -> Mutation | None:
    """Content that breaks the schema is answered with 500: nobody catches the validator's exception."""
    if subject.body is None:
        return None
    return with_status(subject, 422, subject.universal("no_server_error"), lambda _response: crash())


@STATUSES.mutant
def login_refusal_is_200(subject: MutatedOperation) -> Mutation | None:
    """A login with a wrong password gets 200, with a text that says that it failed."""
    if not subject.is_login:
        return None
    signs = subject.universal("wrong_passwords_are_refused")
    return with_status(subject, 401, signs, lambda response: response._replace(status=200))


@STATUSES.mutant
def login_refusal_is_403(subject: MutatedOperation) -> Mutation | None:
    """A login with a wrong password gets 403."""
    documented = subject.operation.responses.get("401")
    if not subject.is_login or documented is None:
        return None
    signs = subject.stated(documented.pointer, "wrong_passwords_are_refused")
    return with_status(subject, 401, signs, lambda _response: problem(403, _TITLES[403]))


def _unset(subject: MutatedOperation, change: MutantResponse, checks: tuple[str, ...]) -> Mutation | None:
    """Return the mutation that answers a read of what was never set otherwise."""
    unset = subject.operation.responses.get("204")
    if subject.role != "read" or unset is None:
        return None
    signs = subject.stated(unset.pointer, *checks)
    return with_response(subject, signs, lambda _request, response: change if response.status == 204 else response)


@STATUSES.mutant
def never_set_is_404(subject: MutatedOperation) -> Mutation | None:
    """What was never set is not found, where the contract documents another answer."""
    return _unset(subject, problem(404, _TITLES[404]), ("never_set_reads_as_documented",))


@STATUSES.mutant
def never_set_is_empty(subject: MutatedOperation) -> Mutation | None:
    """What was never set reads as an empty object."""
    empty = MutantResponse(200, (("Content-Type", "application/json"),), b"{}")
    return _unset(subject, empty, ("never_set_reads_as_documented",))


@STATUSES.mutant
def never_set_has_content(subject: MutatedOperation) -> Mutation | None:
    """What was never set reads as the last example of the documentation: a default that nobody set."""
    if subject.main is None:
        return None
    shown = MutantResponse(200, (("Content-Type", subject.main.content.name),), b"").with_json(subject.main.value)
    return _unset(subject, shown, ("never_set_reads_as_documented",))


@STATUSES.mutant
def allowed_level_refused(subject: MutatedOperation) -> Mutation | None:
    """One of the levels that the documentation allows is refused: the list of levels is misspelt."""
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
            problem(403, _TITLES[403]) if response.status != 401 and request.credentials[0] in names else response
        ),
    )
