"""The check of links: after a call, the read that a link leads to shows what the link says it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mockserver.contract.exchanges import ExamplePair, pairs_of
from mockserver.contract.model import Operation
from mockserver.contract.reading.link_effects import LinkEffect, link_effects, values_at
from mockserver.http.expressions import ExpressionContext, evaluate, fill
from mockserver.http.styles import encode_text
from mockserver.messages import NO_CONTENT, Arguments
from mockserver.suite.cases.preceding_calls import arrange, caller_of
from mockserver.suite.cases.setting_states import evidence, shows
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import NotJSON, WireRequest, WireResponse, json_or_none, parse_json
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, describe

_CHECK = "links_show_what_they_say"


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return one planned check for each documented request whose response has a link with an expected effect."""
    return [
        PlannedCheck(
            _CHECK,
            one.call.label,
            partial(links_show_what_they_say, consequence=one, pair=pair),
            last=one.call.effect == "credentials",
        )
        for one in link_effects(run.contract)
        for pair in pairs_of(one.call)
        if run.has_selected(one.call) and pair.status.startswith("2")
    ]


def links_show_what_they_say(session: Session, *, consequence: LinkEffect, pair: ExamplePair) -> int:
    """Check that the read behind a call's link shows what the link says, within the time of `--settle`."""
    session.run.need(consequence.read)
    arrange(session, pair.response.presumes)
    caller = caller_of(session, pair, pair.response.presumes.identity)
    request = session.example_request(pair, caller)
    response = session.call(consequence.call, request)
    if not response.successful:
        raise NotRun(f"the call that the link {consequence.link} follows was answered with {response.status}")
    completed = CompletedCall(consequence.call, request, response)
    expected = _expected(consequence, completed)
    reading = _reading(session, consequence, completed, caller)
    missed: tuple[str, ...] = ()
    for _ in session.run.poller.polls(consequence.pointer):
        seen = session.call(consequence.read, reading)
        if not seen.successful:
            raise NotRun(f"the read that the link {consequence.link} leads to was answered with {seen.status}")
        missed = _missed(expected, json_or_none(seen))
        if not missed:
            return len(expected)
    wanted, got = missed
    raise CheckFailure(
        _CHECK,
        consequence.call.label,
        f"{consequence.read.label} does not show it after the call",
        expected=wanted,
        got=got,
        pointer=consequence.pointer,
        rule="contract",
        exchange=evidence(session, reading, seen),
    )


def _expected(consequence: LinkEffect, completed: CompletedCall) -> dict[str, Any]:
    """Return the values that the linked read must show, by JSON pointer, without those that the call did not send.

    Raises:
        NotRun: nothing is left.
    """
    found: dict[str, Any] = {}
    for pointer, value in consequence.shows.items():
        try:
            is_expression = isinstance(value, str) and value.startswith("$")
            found[completed.filled(pointer)] = completed.value(value) if is_expression else value
        except LookupError:
            continue
    if not found:
        raise NotRun(f"the call sends none of the values that the link {consequence.link} shows")
    return found


def _reading(
    session: Session, consequence: LinkEffect, completed: CompletedCall, caller: Identity | None
) -> WireRequest:
    """Return the request of the read that a link leads to, with the credentials of the first call where allowed."""
    read = consequence.read
    may_read = caller is not None and read.security and (read.levels is None or caller.level in read.levels)
    given: dict[tuple[str, str], Any] = {}
    for parameter in read.parameters:
        if parameter.name in consequence.parameters:
            try:
                text = completed.filled(encode_text(parameter.name, consequence.parameters[parameter.name]))
            except LookupError as error:
                raise NotRun(f"{error}, which the link {consequence.link} needs") from error
            given[parameter.location, parameter.name] = text
    return session.request(read, caller if may_read else session.run.allowed(read), arguments=given)


def _missed(expected: dict[str, Any], shown: Any) -> tuple[str, ...]:
    """Return an expected value that a read does not show, and the value it shows, as texts; () if all match."""
    for pointer, value in expected.items():
        found = values_at(shown, pointer)
        if not any(shows(one, value) for one in found):
            got = describe(found if "/*" in pointer else found[0], 300) if found else "nothing there"
            return f"{describe(value, 300)} at {pointer}", got
    return ()


@dataclass(frozen=True, slots=True)
class CompletedCall:
    """A request for an operation and its response, as the source of values for runtime expressions."""

    operation: Operation
    request: WireRequest
    response: WireResponse

    def filled(self, text: str) -> str:
        """Return a text with its runtime expressions (as a whole, or parts in braces) replaced by their values.

        Raises:
            LookupError: the exchange does not have what one names.
        """
        return fill(text, self._exchange())

    def value(self, expression: str) -> Any:
        """Return the value that a runtime expression such as `$request.body#/name` names in the exchange.

        Raises:
            LookupError: the exchange does not have it.
        """
        return evaluate(expression, self._exchange())

    def _exchange(self) -> ExpressionContext:
        request, response = self.request, self.response
        path = read_off(self.operation.path, request.path)
        query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
        first = {name: values[0] for name, values in query.items()}
        return ExpressionContext(
            request.path,
            request.method,
            Arguments(path, first, {}, {}, _content(request.body)),
            _by_name(request.fields),
            response.status,
            _by_name(response.fields),
            _content(response.body),
        )


def _content(body: bytes | None) -> Any:
    try:
        return parse_json(body or b"")
    except NotJSON:
        return NO_CONTENT


def _by_name(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header fields as a dict by lower-case name; the first value counts for a repeated name."""
    return {name.lower(): value for name, value in reversed(tuple(fields))}
