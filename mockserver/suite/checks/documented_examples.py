"""The check of documented examples: each documented request gets the documented response."""

from __future__ import annotations

from functools import partial
from typing import Any

from mockserver.contract.exchanges import ExamplePair, pairs_in
from mockserver.contract.model import Example, MediaType, Operation, Presumptions
from mockserver.contract.resources.collections import inferred_behaviours
from mockserver.contract.roles import is_login
from mockserver.contract.schema.direction import Direction
from mockserver.http.json import clip
from mockserver.http.pointers import child, lookup
from mockserver.suite.cases.preceding_calls import arrange, caller_of
from mockserver.suite.cases.setting_states import check_echo
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, NotJSON, WireRequest, WireResponse, is_json, same_json
from mockserver.suite.verdicts.causes import NOT_THERE, NOT_THERE_STATUSES
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, describe

#: Roles of operations on an item that their path names.
_ON_ITEMS = frozenset({"read", "replace", "merge", "delete"})
_CHECK = "documented_examples_come_out"


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return one planned check for each pair of a request example and its response example."""
    return [
        PlannedCheck(
            _CHECK,
            pair.operation.label,
            partial(documented_examples_come_out, pair=pair),
            last=pair.operation.effect == "credentials",
        )
        for pair in pairs_in(run.contract)
        if run.has_selected(pair.operation)
    ]


def documented_examples_come_out(session: Session, *, pair: ExamplePair) -> int:
    """Check that a documented request gets its documented response, as exactly as the server allows to compare.

    In a fresh world of our own stub everything can be compared. Any other server has data, a clock and secrets of its
    own: there the response must have the documented status, be valid by its schema, and show what was sent. Where the
    documentation shows no value, any value passes.
    """
    exactly = session.run.control is not None
    undecided = _undecided(session, pair) if exactly else ""
    if undecided:
        raise NotRun(undecided)
    if not exactly and not _can_be_met(session, pair):
        return 0
    arrange(session, pair.response.presumes)
    request = _request(session, pair)
    failure = ""
    for _ in session.run.poller.polls(pair.response.pointer, lags=not exactly and _may_lag(pair)):
        response = session.call(pair.operation, request)
        failure = _difference(pair, response, exactly=exactly)
        if not failure:
            break
    if failure and not exactly and _is_about_state(pair, response):
        raise NotRun(f"the state of the server does not allow it: it responded with {response.status}")
    attempts = Attempts()
    with attempts.each(0):
        if not exactly:
            _expect_echo(session, pair, request, response)
    with attempts.each():
        if failure:
            raise CheckFailure(
                _CHECK,
                pair.operation.label,
                f"the documented example {pair.name} does not come out",
                expected=pair.status + ("" if failure.isdecimal() else f" {describe(pair.response.value, 300)}"),
                got=failure,
                pointer=pair.response.pointer,
                rule="contract",
                exchange=Exchange(request, response, history=tuple(session.history)),
                cause=_cause(pair, response),
            )
    return attempts.conclude()


def _cause(pair: ExamplePair, response: WireResponse) -> str:
    """Return what examples that do not come out have in common: another status code, or other content."""
    if str(response.status) == pair.status:
        return "documented examples come out with other content"
    if response.status in NOT_THERE_STATUSES and str(response.status) not in pair.operation.responses:
        return NOT_THERE
    return f"documented examples get {response.status} in place of {pair.status}"


def _is_about_state(pair: ExamplePair, response: WireResponse) -> bool:
    """Tell whether a request with a documented success is refused because of what exists on the server.

    The item of a documented path need not exist on this server, and the contract need not list 404 for that.
    """
    if pair.status[0] != "2" or response.status not in {404, 409, 410}:
        return False
    return "{" in pair.operation.path or str(response.status) in pair.operation.responses


def _undecided(session: Session, pair: ExamplePair) -> str:
    """Return why a request may get another response than this example by the contract, "" if it may not.

    A contract that says what its examples presume, or what its operations do, promises these responses. In other
    contracts an example only shows what a response may look like.
    """
    if pair.response.presumes != Presumptions() or pair.operation.behaviour is not None:
        return ""
    documented = pair.operation.responses.get(pair.status)
    media_type = documented.content.get(pair.response_media_type) if documented is not None else None
    if media_type is None or "/" not in pair.response_media_type:
        return "the example belongs to no media type"
    if pair.request is None and next(iter(media_type.examples)) != pair.response.name:
        return "no request selects this one of several examples"
    if not (_is_sound(session, media_type, pair.response, "response") and _is_sent_soundly(session, pair)):
        return "the example breaks its own schema"
    behaviour = inferred_behaviours(session.contract).get(pair.operation.id)
    if behaviour is not None and behaviour.role in _ON_ITEMS | {"remove"}:
        named = _path_values(session, pair)
        if behaviour.role != "read" or not named or any("/" in str(value) for value in named.values()):
            return "nothing says that the item of the example exists"
    return ""


def _is_sent_soundly(session: Session, pair: ExamplePair) -> bool:
    body = pair.operation.request_body
    media_type = body.content.get(pair.request_media_type or "") if body is not None else None
    return pair.request is None or media_type is None or _is_sound(session, media_type, pair.request, "request")


def _is_sound(session: Session, media_type: MediaType, example: Example, direction: Direction) -> bool:
    """Tell whether an example is valid by its media type's schema."""
    if media_type.schema is None or not is_json(media_type.name):
        return True
    return bool(session.contract.validator(media_type.schema, direction).is_valid(example.value))


def _may_lag(pair: ExamplePair) -> bool:
    """Tell whether an example is the read of a resource whose changes may show with a delay."""
    behaviour = pair.operation.behaviour
    return behaviour is not None and behaviour.role == "read" and bool(behaviour.status)


def _can_be_met(session: Session, pair: ExamplePair) -> bool:
    """Tell whether a server with data of its own can be brought to the state that an example starts from."""
    behaviour = pair.operation.behaviour
    if _path_values(session, pair):
        raise NotRun("the item of the example exists only in the documentation")
    if behaviour is None or behaviour.role != "read" or pair.response.presumes.calls:
        return True
    reset = _reset_of(session, behaviour.resource)
    if reset is None:
        raise NotRun("no documented operation resets the resource to never set")
    session.call(reset, session.valid_request(reset, session.run.allowed(reset)))
    return True


def _reset_of(session: Session, resource: str) -> Operation | None:
    return next(
        (
            operation
            for operation in session.contract.operations
            if operation.behaviour and (operation.behaviour.resource, operation.behaviour.role) == (resource, "reset")
        ),
        None,
    )


def _request(session: Session, pair: ExamplePair) -> WireRequest:
    """Return the request of an example; a login to a foreign server uses one of the run's own accounts."""
    operation = pair.operation
    if is_login(operation) and session.run.control is None:
        body, media_type = session.valid_body(operation)
        return session.request(operation, None, body=body, media_type=media_type)
    caller = caller_of(session, pair, pair.response.presumes.identity)
    return session.example_request(pair, caller, _path_values(session, pair))


def _path_values(session: Session, pair: ExamplePair) -> dict[str, Any]:
    """Return the path parameter that names the item in an example response, with its value; {} if there is none."""
    behaviour = pair.operation.behaviour or inferred_behaviours(session.contract).get(pair.operation.id)
    if behaviour is None or behaviour.handler != "resource" or behaviour.role not in _ON_ITEMS:
        return {}
    try:
        shown = lookup(pair.response.value, f"{behaviour.value}{child('', behaviour.identifier)}")
    except (LookupError, ValueError):
        return {}
    for parameter in pair.operation.parameters:
        if (parameter.location, parameter.name) == ("path", behaviour.parameter) and parameter.schema is not None:
            is_valid = session.contract.validator(parameter.schema, "request").is_valid
            return {parameter.name: shown} if is_valid(shown) else {}
    return {}


def _difference(pair: ExamplePair, response: WireResponse, *, exactly: bool) -> str:
    """Return how a response differs from the documented example, "" if it does not.

    A success with an undocumented status code is the finding of `status_is_documented`.
    """
    meant = pair.operation.response_for(response.status)
    if meant is None and response.successful and pair.status[0] == "2":
        if not response.body:
            return "" if not pair.response.value else f"{response.status} without content"
    elif meant is None or meant.status != pair.status:
        return str(response.status)
    if not exactly:
        return ""
    if not is_json(pair.response_media_type):
        text = response.body.decode("utf-8", "replace")
        return "" if text == pair.response.value else clip(text)
    try:
        value = response.json()
    except NotJSON:
        return ""  # the finding of body_is_what_its_content_type_says
    documented = pair.response.documented
    return "" if same_json(documented(value), documented(pair.response.value)) else describe(value, 300)


def _expect_echo(session: Session, pair: ExamplePair, request: WireRequest, response: WireResponse) -> None:
    """Raise a CheckFailure if a write to a foreign server does not return the values that the request sent.

    Raises:
        CheckFailure: they differ.
    """
    behaviour = pair.operation.behaviour
    if pair.request is None or behaviour is None or behaviour.role != "write" or behaviour.generated:
        return
    if response.successful:
        exchange = Exchange(request, response, history=tuple(session.history))
        check_echo(session.contract, pair.operation, pair.request.value, response, exchange)
