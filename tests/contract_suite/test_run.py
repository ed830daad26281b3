"""One run of `check`, looked at from all sides: what it found, what it reached, what it made, what it left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from mockserver.contract.model import Behaviour, Objects, Operation
from mockserver.contract.reading.link_effects import link_effects
from mockserver.suite.reports.json_report import Report
from mockserver.suite.verdicts.tally import NOTHING_CAME_UP
from mockserver.suite.verdicts.verdict import RunOutcome
from tests.conftest import Client
from tests.contract_suite.conftest import CONTRACT
from tests.unit.suite.test_docs import documented

OPERATIONS = CONTRACT.operations
LOGIN, TOKEN, REVOCATION = (f"{method} /api/v1/auth/" for method in ("POST", "GET", "DELETE"))

Labels = frozenset[str]


def labels(suits: Callable[[Operation], object]) -> Labels:
    return frozenset(operation.label for operation in OPERATIONS if suits(operation))


def role(name: str, suits: Callable[[Behaviour], object] = lambda _behaviour: True) -> Labels:
    """Return the operations that are a read, write or reset of something that has all of its own (not a list)."""
    writable = {one.behaviour.resource for one in OPERATIONS if one.behaviour and one.behaviour.role == "write"}
    return labels(
        lambda one: (
            one.behaviour and one.behaviour.role == name and one.behaviour.resource in writable and suits(one.behaviour)
        )
    )


def about_objects(suits: Callable[[Operation, Objects], object]) -> Labels:
    return labels(lambda one: one.objects and suits(one, one.objects))


def undefined_methods(suits: Callable[[list[Operation]], bool], *more: str) -> Labels:
    return frozenset(
        f"{method} {path}"
        for path in {operation.path for operation in OPERATIONS}
        if suits(here := [operation for operation in OPERATIONS if operation.path == path])
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH", *more)
        if method not in {operation.method for operation in here}
    )


def first_of_names() -> Labels:
    """Return one operation for each method that paths beside each other have."""
    first: dict[tuple[str, str], str] = {}
    for operation in OPERATIONS:
        above, _, name = operation.path.rstrip("/").rpartition("/")
        if "{" not in name:
            first.setdefault((above, operation.method), operation.label)
    return frozenset(first.values())


def _has(operation: Operation, *places: str) -> bool:
    return any(parameter.location in places for parameter in operation.parameters)


EVERY = labels(lambda _one: True)
GUARDED = labels(lambda one: one.security)
TAKES_CONTENT = labels(lambda one: one.request_body)
#: Called as often as one likes.
CALLED_FREELY = labels(lambda one: one.effect != "credentials") - {LOGIN}
PATHS = frozenset(f"GET {one.path}" for one in OPERATIONS)
UNDEFINED = undefined_methods(lambda _here: True)
UNGUARDED = undefined_methods(lambda here: all(one.security for one in here), "HEAD")
PROBED = UNDEFINED | UNGUARDED | {f"OPTIONS {one.path}" for one in OPERATIONS}
PROBED |= {f"HEAD {one.path}" for one in OPERATIONS if one.method == "GET"}

#: Which check has to pass on which operations, told by the contract and not by the suite.
EXPECTED: dict[str, Labels] = {
    "status_is_documented": EVERY,
    # Of what is below a path the contract says how it is refused.
    **dict.fromkeys(("media_type_is_documented", "body_conforms_to_its_schema"), EVERY | PATHS),
    **dict.fromkeys(("the_server_answers", "no_server_error", "no_secret_comes_back"), EVERY | PROBED),
    "answers_keep_to_http": EVERY | PROBED,
    "answers_are_not_slow": EVERY,
    "body_is_what_its_content_type_says": EVERY | UNDEFINED,
    "headers_conform": labels(lambda one: any(response.headers for response in one.responses.values())),
    "documented_examples_come_out": labels(lambda one: one.success()),
    "repeats_get_the_same_answer": labels(lambda one: one.safe) | {LOGIN},
    # credentials
    **dict.fromkeys(
        (
            *("calls_without_credentials_are_refused", "malformed_credentials_are_refused"),
            *("unknown_tokens_are_refused", "tokens_are_compared_whole", "tokens_belong_to_their_user"),
            *("passwords_are_no_tokens", "revoked_tokens_are_refused", "expired_tokens_are_refused"),
            "allowed_levels_are_admitted",
        ),
        GUARDED,
    ),
    **dict.fromkeys(
        ("other_spellings_are_refused", "forged_fields_are_refused", "overridden_methods_are_refused"),
        labels(lambda one: one.method == "GET" and one.security and not one.effect),
    ),
    # One read stands for all that ask for the same credentials.
    "misplaced_credentials_are_refused": frozenset(
        next([one.label] for one in OPERATIONS if one.method == "GET" and one.security and not one.effect)
    ),
    "levels_not_allowed_are_refused": labels(lambda one: one.levels and set(CONTRACT.levels) - set(one.levels)),
    "wrong_passwords_are_refused": frozenset({LOGIN}),
    **dict.fromkeys(
        ("issued_tokens_work_at_once", "failed_logins_end_no_tokens", "second_logins_end_no_tokens"),
        frozenset({LOGIN}),
    ),
    "revoked_tokens_stay_revoked": frozenset({REVOCATION}),
    "issued_tokens_tell_their_level": frozenset({LOGIN, TOKEN}),
    "answers_name_the_caller": frozenset({LOGIN, TOKEN, REVOCATION}),
    # objects
    "foreign_objects_are_admitted": about_objects(lambda _one, objects: objects.requested and objects.foreign),
    "foreign_objects_are_refused": about_objects(
        lambda one, objects: objects.requested and set(one.levels or ()) - set(objects.foreign)
    ),
    **dict.fromkeys(
        ("lists_tell_own_objects_alone", "lists_tell_all_own_objects"),
        about_objects(lambda _one, objects: not objects.requested),
    ),
    # content
    **dict.fromkeys(
        (
            *("malformed_json_is_refused", "empty_bodies_are_refused", "bodies_that_break_the_schema_are_refused"),
            *("undocumented_media_types_are_refused", "hostile_bodies_do_no_harm", "large_bodies_do_no_harm"),
            "chunked_bodies_are_understood",
        ),
        TAKES_CONTENT,
    ),
    "whole_floats_are_integers": TAKES_CONTENT - {LOGIN},  # it takes texts, and each try may be counted as a wrong one
    "escaped_json_is_understood": TAKES_CONTENT - {LOGIN},
    "control_characters_come_back_as_sent": CALLED_FREELY & TAKES_CONTENT,
    "parameters_that_break_the_schema_are_refused": CALLED_FREELY
    & labels(lambda one: one.method != "DELETE" and (_has(one, "query") or (one.safe and _has(one, "path")))),
    "values_within_the_bounds_are_accepted": CALLED_FREELY & labels(lambda one: one.request_body or _has(one, "query")),
    "values_do_not_become_fields": CALLED_FREELY
    & labels(lambda one: _has(one, "query") or (one.safe and _has(one, "path"))),
    "unique_values_are_given_once": CALLED_FREELY
    & labels(lambda one: one.method == "POST" and one.request_body and "409" in one.responses),
    "parallel_calls_keep_apart": CALLED_FREELY & labels(lambda one: one.method != "DELETE"),
    # routes
    "options_tell_the_methods": frozenset(f"OPTIONS {one.path}" for one in OPERATIONS),
    "head_is_like_get": frozenset(f"HEAD {one.path}" for one in OPERATIONS if one.method == "GET"),
    "undefined_methods_are_refused": UNDEFINED,
    "undefined_methods_ask_for_credentials": UNGUARDED,
    "undefined_paths_are_refused": PATHS,
    "undefined_names_are_refused": first_of_names(),
    # state
    **dict.fromkeys(
        ("reads_show_the_last_write", "reads_change_nothing", "refused_calls_change_nothing"), role("read")
    ),
    "never_set_reads_as_documented": role("read") & labels(lambda one: "204" in one.responses),
    **dict.fromkeys(
        (
            *("answers_name_the_resource", "rejected_writes_change_nothing", "writes_can_be_repeated"),
            "writes_leave_others_alone",
        ),
        role("write"),
    ),
    "writes_echo_the_request": role("write", lambda behaviour: not behaviour.generated),
    "generated_values_are_new": role("write", lambda behaviour: behaviour.generated),
    **dict.fromkeys(("resets_can_be_repeated", "resets_end_the_value"), role("reset")),
    "links_show_what_they_say": frozenset(one.call.label for one in link_effects(CONTRACT)),
}
#: Every reason for which a check is not run on an operation where it belongs, and on how many that is so.
NOT_RUN = {
    ("undefined_names_are_refused", "any name there is one of the contract's"): 2,
    ("whole_floats_are_integers", "its content has no integers"): 16,
    ("lists_tell_all_own_objects", NOTHING_CAME_UP): 6,  # their seed data has nothing of the caller's
    ("lists_tell_own_objects_alone", NOTHING_CAME_UP): 1,
    ("values_within_the_bounds_are_accepted", "its contract sets no bounds"): 6,
    ("values_do_not_become_fields", "none of its parameters may hold line ends"): 2,
    ("control_characters_come_back_as_sent", "its content has no text that may hold control characters"): 17,
    ("escaped_json_is_understood", "without escapes it got 409, too"): 1,
    ("parallel_calls_keep_apart", "a single call was answered with 409"): 1,
    ("parallel_calls_keep_apart", "a second call alone is refused, too"): 1,
    ("entity_tags_follow_the_content", "no response arrived with a header field to judge"): 1,
    # No items are created, read and changed by paths of their own.
    **dict.fromkeys(
        (
            ("refused_callers_change_nothing", "no operation that asks for credentials writes what another one shows"),
            ("side_doors_change_nothing", "no operation that asks for credentials writes what another one shows"),
            (
                "partial_credentials_are_refused",
                "no operation asks for credentials of several security schemes at once",
            ),
            (
                "unknown_tokens_of_each_scheme_are_refused",
                "no operation takes credentials of one or another security scheme",
            ),
        ),
        1,
    ),
    ("items_of_others_are_out_of_reach", "no items are created and read with credentials"): 1,
    ("settings_of_others_are_out_of_reach", "no setting is called the caller's own"): 1,
    ("locations_lead_to_what_was_created", "no POST documents a 201"): 1,
    (
        "levels_named_in_words_are_kept",
        "no summary of an operation with 403 leaves it to one of several levels (`admins only`)",
    ): 1,
    ("accepted_work_is_not_lost", "no POST documents a 202"): 1,
    ("unique_values_are_given_once", "none of them was accepted"): 6,
    ("streams_send_their_items", "no operation documents a stream that sends items"): 1,
    ("stream_items_conform_to_their_schema", "no operation documents a stream that sends items"): 1,
}
#: Checks of items with paths of their own, and of singletons that no behaviour describes.
OF_ITEMS = (
    *("created_items_are_kept", "created_items_are_listed", "reads_leave_items_alone", "written_items_show_it"),
    *("writes_leave_other_items_alone", "refused_writes_leave_items_alone", "refused_creations_make_nothing"),
    *("items_belong_to_their_parent", "deleted_items_are_gone", "deleted_items_stay_gone"),
    *("identifiers_are_not_given_out_again", "lists_neither_repeat_nor_lose_items", "filters_are_kept"),
    *("unchanged_items_are_not_sent_again", "stale_writes_are_refused", "singletons_show_what_was_written"),
)
NOT_RUN |= {(name, "no item or singleton of the contract gives occasion for this"): 1 for name in OF_ITEMS}
#: Checks that the built-in contract gives no occasion for.
NOWHERE = {
    *("locations_lead_to_what_was_created", "accepted_work_is_not_lost", "levels_named_in_words_are_kept"),
    *OF_ITEMS,
    *("refused_callers_change_nothing", "side_doors_change_nothing", "entity_tags_follow_the_content"),
    *("items_of_others_are_out_of_reach", "settings_of_others_are_out_of_reach"),
    *("partial_credentials_are_refused", "unknown_tokens_of_each_scheme_are_refused"),
    *("streams_send_their_items", "stream_items_conform_to_their_schema"),
}
#: Made of what other checks see or send, on whatever that is.
ANYWHERE = {"problem_details_are_well_formed", "fields_keep_to_their_form"}
#: Told of operations that never succeed; here all do.
UNTOLD = {"valid_requests_are_accepted", "valid_writes_are_accepted"}


def test_nothing_is_found(report: Report) -> None:
    assert [f"{one.level}: {one.title} on {one.operation}: {one.detail}" for one in report.verdicts.findings()] == []
    assert report.outcome == RunOutcome()
    assert report.verdicts.mistakes == ()


def test_every_operation_succeeds(report: Report) -> None:
    never = {one.operation: one.why for one in report.reach if not one.succeeded}
    assert never == {}
    assert {one.operation for one in report.reach} == EVERY
    assert report.unused == ()


@pytest.mark.usefixtures("application")
def test_every_check_is_made_where_it_belongs(report: Report) -> None:
    rows = report.verdicts.coverage()
    passed: dict[str, set[str]] = {}
    for row in rows:
        assert row.result in {"passed", "not run"}, row
        if row.result == "passed":
            assert row.cases == row.passed > 0, row
            passed.setdefault(row.check, set()).add(row.operation)
    skipped = [row for row in rows if row.result == "not run"]
    assert Counter((row.check, row.why) for row in skipped) == NOT_RUN
    wrong = {}
    for check, at in EXPECTED.items():
        belongs = at - {row.operation for row in skipped if row.check == check}
        made = passed.get(check, set())
        if made != belongs:
            wrong[check] = f"not made on {sorted(belongs - made)}, made on {sorted(made - belongs)}, too"
    assert wrong == {}
    assert passed.keys() == EXPECTED.keys() | ANYWHERE
    assert passed["problem_details_are_well_formed"] >= EVERY
    assert documented() == EXPECTED.keys() | ANYWHERE | UNTOLD | NOWHERE


def test_what_was_changed_is_as_it_was(report: Report, default_world: Client, state_before: object) -> None:
    assert report.ledger.writes > 1000
    assert default_world.control("GET", "/state") | {"clock": None} == state_before


def test_another_server_is_left_as_it_was(report: Report, mockserver_base_url: str | None) -> None:
    if mockserver_base_url is None:
        pytest.skip("of the stub every session has a world of its own")
    assert report.ledger.left == ()
