"""Checks of streams: events, lines of JSON and parts that a server sends for as long as somebody listens."""

from __future__ import annotations

from functools import partial

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.stream_items import describe_kind, is_stream, sequence_of
from mockserver.suite.checks.planned_check import PlannedCheck, on_operation
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts.failures import NotRun

_FORM = "multipart/form-data"


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return a check for each selected operation that documents a stream as a success."""
    return [
        on_operation(streams_send_their_items, operation, ready=partial(set_up, seed=True))
        for operation in run.selected
        if not is_login(operation) and operation.effect != "credentials" and _streams(operation)
    ]


def _streams(operation: Operation) -> list[str]:
    """Return the media types of streams that an operation documents for a success."""
    successes = [response for status, response in operation.responses.items() if status.startswith("2")]
    names = [name for response in successes for name in response.content]
    return [name for name in dict.fromkeys(names) if is_stream(name) and not name.startswith(_FORM) and "*" not in name]


def streams_send_their_items(session: Session, operation: Operation) -> int:
    """Check that a documented stream, asked for by its media type, sends whole items while it is listened to.

    The items are judged like any response: their framing by `body_is_what_its_content_type_says`, their values by
    `stream_items_conform_to_their_schema`. A stream may have nothing to tell, so none is no failure.
    """
    request = session.valid_request(operation, session.run.allowed(operation))
    name = _streams(operation)[0]
    response = session.call(operation, request.with_field("Accept", name))
    if not response.successful:
        raise NotRun(f"it was answered with {response.status}")
    found = sequence_of(response)
    if found is None:
        raise NotRun(f"it sends {response.media_type or 'no media type'} where {name} is asked for")
    if not found.items and response.unread and not found.flaw:
        raise NotRun(f"not even {describe_kind(found.kind)} came to its end while it was listened to")
    return max(1, len(found.items))
