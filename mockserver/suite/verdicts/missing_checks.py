"""Reasons why checks were not made, and obstacles that kept a whole run from judging anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from mockserver.contract.resources.state_model import state_model
from mockserver.contract.source.overlay import unknown_schemes
from mockserver.suite.identities.admission import Admissions
from mockserver.suite.run.session import Run
from mockserver.suite.verdicts.failures import CheckFailure
from mockserver.suite.verdicts.reach import Reached, nothing_succeeded
from mockserver.suite.verdicts.tally import EVERYWHERE

#: Status codes of a server that has no such path, or other operations there.
_NOT_THERE = frozenset({404, 405})
#: So many operations are named in a message.
_NAMED = 5

#: Checks by the reason why they were not made, where no operation has a row for the check.
_LACKS: Mapping[str, tuple[str, ...]] = {
    "no documented response arrived": (
        *("no_server_error", "status_is_documented", "no_secret_comes_back"),
        *("media_type_is_documented", "body_is_what_its_content_type_says"),
    ),
    "no check sent a request of its own": ("the_server_answers",),
    "no response arrived with a header field to judge": (
        *("headers_conform", "fields_keep_to_their_form", "entity_tags_follow_the_content"),
    ),
    "no response with a documented content schema arrived": ("body_conforms_to_its_schema",),
    "no operation takes such values": ("values_within_the_bounds_are_accepted", "values_do_not_become_fields"),
    "no operation that may be called has a parameter": ("parameters_that_break_the_schema_are_refused",),
    "no summary of an operation with 403 leaves it to one of several levels (`admins only`)": (
        "levels_named_in_words_are_kept",
    ),
    "no POST documents a 201": ("locations_lead_to_what_was_created",),
    "no POST documents a 202": ("accepted_work_is_not_lost",),
    "no POST with content documents a 409": ("unique_values_are_given_once",),
    "no operation may be called several times": ("parallel_calls_keep_apart",),
    "every path defines OPTIONS": ("options_tell_the_methods",),
    "no path has GET without HEAD": ("head_is_like_get",),
    "no operation documents a stream that sends items": (
        *("streams_send_their_items", "stream_items_conform_to_their_schema"),
    ),
    "no response with problem details arrived": ("problem_details_are_well_formed",),
    "the contract has no example of a response together with its request": ("documented_examples_come_out",),
    "no operation has the x-mockserver-behaviour (setting) needed for this": (
        *("answers_name_the_resource", "reads_show_the_last_write", "reads_change_nothing", "writes_can_be_repeated"),
        *("rejected_writes_change_nothing", "writes_echo_the_request", "refused_calls_change_nothing"),
        *("generated_values_are_new", "never_set_reads_as_documented", "resets_can_be_repeated"),
        *("resets_end_the_value", "writes_leave_others_alone"),
    ),
    "no item or singleton of the contract gives occasion for this": (
        *("created_items_are_kept", "created_items_are_listed", "reads_leave_items_alone", "written_items_show_it"),
        *("writes_leave_other_items_alone", "refused_writes_leave_items_alone", "refused_creations_make_nothing"),
        *("items_belong_to_their_parent", "deleted_items_are_gone", "deleted_items_stay_gone"),
        *("identifiers_are_not_given_out_again", "lists_neither_repeat_nor_lose_items", "filters_are_kept"),
        *("unchanged_items_are_not_sent_again", "stale_writes_are_refused", "singletons_show_what_was_written"),
    ),
    "no link of the contract has x-mockserver-shows": ("links_show_what_they_say",),
    "no operation asks for credentials": (
        *("calls_without_credentials_are_refused", "malformed_credentials_are_refused"),
        *("unknown_tokens_are_refused", "tokens_are_compared_whole"),
    ),
    "no operation that only reads asks for credentials": (
        *("other_spellings_are_refused", "forged_fields_are_refused", "overridden_methods_are_refused"),
        "misplaced_credentials_are_refused",
    ),
    "no operation asks for credentials of several security schemes at once": ("partial_credentials_are_refused",),
    "no operation takes credentials of one or another security scheme": ("unknown_tokens_of_each_scheme_are_refused",),
    "no operation that asks for credentials writes what another one shows": (
        *("refused_callers_change_nothing", "side_doors_change_nothing"),
    ),
    "no items are created and read with credentials": ("items_of_others_are_out_of_reach",),
    "no setting is called the caller's own": ("settings_of_others_are_out_of_reach",),
    "no operation asks for HTTP Basic credentials, which have a user name beside the token": (
        "tokens_belong_to_their_user",
    ),
    "no operation has the x-mockserver-behaviour (auth) needed for this": (
        *("passwords_are_no_tokens", "revoked_tokens_are_refused", "expired_tokens_are_refused"),
        *("wrong_passwords_are_refused", "issued_tokens_work_at_once"),
        *("issued_tokens_tell_their_level", "answers_name_the_caller", "failed_logins_end_no_tokens"),
        *("second_logins_end_no_tokens", "revoked_tokens_stay_revoked"),
    ),
    "no operation has the x-mockserver-levels or x-mockserver-objects needed for this": (
        *("allowed_levels_are_admitted", "levels_not_allowed_are_refused"),
        *("foreign_objects_are_refused", "foreign_objects_are_admitted"),
        *("lists_tell_own_objects_alone", "lists_tell_all_own_objects"),
    ),
    "no operation has a request body": (
        *("malformed_json_is_refused", "empty_bodies_are_refused", "bodies_that_break_the_schema_are_refused"),
        *("undocumented_media_types_are_refused", "hostile_bodies_do_no_harm", "large_bodies_do_no_harm"),
        *("chunked_bodies_are_understood", "whole_floats_are_integers", "escaped_json_is_understood"),
        "control_characters_come_back_as_sent",
    ),
    "every path defines every method": ("undefined_methods_are_refused",),
    "no path asks for credentials with all its methods": ("undefined_methods_ask_for_credentials",),
    "the contract has no path": ("undefined_paths_are_refused",),
    "no path ends in a name": ("undefined_names_are_refused",),
    "no operation is safe, and none is a login": ("repeats_get_the_same_answer",),
    "the contract has no operation": ("answers_are_not_slow",),
}
#: For every check that a run can make: the reason why it was made on no operation.
REASONS: Mapping[str, str] = {check: why for why, checks in _LACKS.items() for check in checks}


def note_missing_checks(run: Run) -> None:
    """Record the reason for each check that was made on no operation, at the end of a run."""
    made = {row.check for row in run.verdicts.coverage()}
    limited = len(run.selected) < len(run.contract.operations)
    for check, why in REASONS.items():
        if check not in made:
            reason = why.replace("no operation", "no selected operation") if limited else why
            run.verdicts.not_run(check, EVERYWHERE, reason)


#: So many resources are named.
_NAMED = 8
#: Why checks of items and singletons were not made: the key of `_LACKS` for them.
_OF_STATE = "no item or singleton of the contract gives occasion for this"


def state_remarks(run: Run) -> Iterator[str]:
    """Yield a note with the collections and singletons that can be written, and whose state no check could judge."""
    paths = list(_unjudged(run))
    if paths:
        more = f" and {len(paths) - _NAMED} more" if paths[_NAMED:] else ""
        yield (
            f"the state of {', '.join(paths[:_NAMED])}{more} was not checked: "
            "whether a read shows what was written there is not known; see what is not run, and why"
        )


def scheme_remarks(run: Run) -> Iterator[str]:
    """Yield a note about security schemes that operations require but the contract does not define."""
    names = list(dict.fromkeys(name for _, name in unknown_schemes(run.contract.document.data)))
    if names:
        yield (
            f"operations require {', '.join(names[:_NAMED])}, which components.securitySchemes does not define: "
            "this requirement is ignored, and operations with no other one are judged as open to all"
        )


def _unjudged(run: Run) -> Iterator[str]:
    """Yield the paths of collections and singletons with a selected write on which no check of state was made."""
    state = frozenset(_LACKS[_OF_STATE])
    judged = {row.operation for row in run.verdicts.coverage() if row.check in state and row.result != "not run"}
    model, selected = state_model(run.contract), {operation.id for operation in run.selected}
    for one in model.collections:
        known = [operation for role, operation in one.operations.items() if role not in {"list", "read"}]
        every = {operation.label for operation in one.operations.values()}
        if any(operation.id in selected for operation in known) and judged.isdisjoint(every):
            yield one.path
    for single in model.singletons:
        writes = [operation for operation in single.writes.values() if operation.id in selected]
        if writes and judged.isdisjoint(operation.label for operation in writes):
            yield single.path


def obstacles(run: Run) -> Iterator[CheckFailure]:
    """Yield environment findings for what kept a run from judging: refused credentials, wrong base path."""
    refused = [*_logins(run), *_credentials(run.guard.admissions)]
    yield from refused
    rows = run.verdicts.reach(run.selected)
    called = [row for row in rows if row.attempts]
    if refused or not nothing_succeeded(called):
        return
    statuses = {status for row in called for status in run.verdicts.statuses.of(row.operation)}
    if 404 in statuses and statuses <= _NOT_THERE:
        yield _wrong_base_path(run, called)
        return
    reasons = "; ".join(f"{row.operation}: {row.why}" for row in called[:_NAMED])
    hint = "" if run.identities.all or 401 not in statuses else "; give the run an account with --identities FILE"
    yield _obstacle(
        "operations_succeed",
        called[0].operation,
        "no operation ever succeeded",
        expected="a success of at least one operation",
        got=reasons + (f"; and {len(called) - _NAMED} more" if called[_NAMED:] else "") + hint,
    )


def _logins(run: Run) -> Iterator[CheckFailure]:
    for identity, request, why in run.renewal.failures():
        yield _obstacle(
            "credentials_are_accepted",
            request,
            f"{identity.label} cannot log in",
            expected="a response that gives it a token or a session",
            got=f"{why}; check --identities",
        )


def _credentials(admissions: Admissions) -> Iterator[CheckFailure]:
    for identity, operation, statuses in admissions.refused():
        got = " and ".join(f"{status} {_phrase(status)}".strip() for status in sorted(statuses))
        yield _obstacle(
            "credentials_are_accepted",
            operation,
            f"the credentials of {identity} are refused",
            expected="a success with these credentials",
            got=f"{got} each time; check --identities, and whether the credentials have expired",
        )


def _wrong_base_path(run: Run, called: Sequence[Reached]) -> CheckFailure:
    bases = sorted({base for operation in run.selected for base in operation.bases if base.strip("/")})
    own = f" The contract has {' or '.join(bases)}" if bases else ""
    missing = [base for base in bases if not run.target.base_url.endswith(base)]
    remedy = f"; try {run.target.base_url}{missing[0]}" if missing else ""
    statuses = sorted({status for row in called for status in run.verdicts.statuses.of(row.operation)})
    got = " or ".join(map(str, statuses))
    return _obstacle(
        "base_path_is_right",
        called[0].operation,
        f"every path was answered with {got}",
        expected=f"the API at {run.target.base_url}",
        got=f"{got} for {len(called)} operation{'' if len(called) == 1 else 's'}; is the base path right?{own}{remedy}",
    )


def _obstacle(check: str, operation: str, title: str, *, expected: str, got: str) -> CheckFailure:
    return CheckFailure(check, operation, title, expected=expected, got=got, pointer="", rule="environment")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
