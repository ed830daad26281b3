"""The survey: before the checks one valid call of each operation, by whoever may make it.

::

    order ── drafts (given, examples, learned, made) ── guard ── the server ──┬── success: knowledge, accepted
                 ▲                                                            └── refusal ── corrections ─┐
                 └────────────────────────────────────────────────────────────────────────────────────────┘

What was learned serves all later requests. What never succeeded is judged by `checks/acceptance.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import state_model
from mockserver.contract.roles import is_login, is_undocumented
from mockserver.errors import MockServerError
from mockserver.http.path_templates import parse_template
from mockserver.messages import NO_CONTENT
from mockserver.suite.cases.contents import encoded
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.internal_errors import containing_mistakes
from mockserver.suite.run.session import Run, Session
from mockserver.suite.safety.policy import matches_glob
from mockserver.suite.survey.corrections import Corrector
from mockserver.suite.survey.drafts import BODY, MADE, Draft, Drafter, PathChoice
from mockserver.suite.survey.knowledge import Accepted
from mockserver.suite.survey.known_items import item_templates, nameless
from mockserver.suite.survey.order import END, REMOVE, is_item, ordered, stage
from mockserver.suite.survey.refusals import Complaint, kinds
from mockserver.suite.survey.surveyed import Surveyed
from mockserver.suite.target.exchange import GONE, Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.target.paths import fill
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in, others_in, reasons_in
from mockserver.suite.verdicts.reach import is_success
from mockserver.suite.verdicts.verdict import RunOutcome

#: So many requests are made for an operation that refuses them.
MAX_ATTEMPTS = 8
#: After these no other value helps.
_FINAL = frozenset({401, 405, 501})
_FORBIDDEN, _CONFLICT, _TOO_MANY = 403, 409, 429
_ENDED = "its requests end credentials"


def survey(run: Run) -> RunOutcome:
    """Make one valid call of each operation of this part of a run; results are in `run.surveyed` and `run.known`."""
    called = [operation for operation in run.selected if run.division.calls(operation) and _is_surveyed(operation)]
    surveyor = _Surveyor(run)
    steps = list(surveyor.steps(ordered(called, run.known.reader)))
    run.progress.phase("survey", len(steps))
    run.known.surveying = True
    try:
        for operation in steps:
            with containing_mistakes(run.verdicts, "valid_requests_are_accepted", operation.label):
                surveyor.step(operation)
            run.progress.step(operation.label)
        surveyor.restock()
        for label, result in run.surveyed.items():
            if not result.succeeded and not result.refused and result.why:
                run.verdicts.not_run("valid_requests_are_accepted", label, result.why)
    except KeyboardInterrupt:
        return RunOutcome(interrupted=True)
    except MockServerError as error:
        return RunOutcome(error=str(error))
    finally:
        run.known.surveying = False
        surveyor.session.close()
    return RunOutcome()


def _is_surveyed(operation: Operation) -> bool:
    return not is_undocumented(operation)


class _Surveyor:
    """Makes the calls of the survey, in one world where the target has worlds."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.session = Session(run)
        self._repeated = False

    def steps(self, operations: list[Operation]) -> Iterator[Operation]:
        """Yield the operations in order; those in the middle twice, since later ones teach what earlier ones lacked."""
        first = [one for one in operations if stage(one) < REMOVE]
        yield from first
        yield from first
        yield from (one for one in operations if stage(one) >= REMOVE)

    def step(self, operation: Operation) -> None:
        """Call an operation until a request is accepted, unless it was before, or nothing new is known."""
        result = self.run.surveyed.setdefault(operation.label, Surveyed())
        learned = self.run.known.items.learned
        if result.succeeded or result.seen == learned:
            return
        try:
            if operation.behaviour is not None or operation.objects is not None:
                self._simply(operation, result)
            else:
                self._call_as_somebody(operation, result)
        except (CheckFailure, NotRun, BaseExceptionGroup) as error:
            for failure in failures_in(error):
                self.run.verdicts.failed(failure)
            reasons = list(reasons_in(error))
            result.why = str(reasons[0]) if reasons else result.why
            if (ended := next(others_in(error), None)) is not None:
                raise ended from None
        result.seen = self.run.known.items.learned

    def _simply(self, operation: Operation, result: Surveyed) -> None:
        """Call an operation whose state the contract describes, or whose callers matter, with the usual request."""
        if result.seen >= 0:
            return
        session = Session(self.run)
        try:
            set_up(session, operation)
            caller = self._caller(operation, session)
            request = session.valid_request(operation, caller)
            response = session.call(operation, request, login=is_login(operation))
            if is_success(operation, response.status):
                result.succeeded = True
            else:
                result.refused.append((Draft(), Exchange(request, response)))
        finally:
            session.close()

    def _caller(self, operation: Operation, session: Session) -> Identity | None:
        caller = self.run.allowed(operation)
        if caller is not None and operation.effect == "credentials":
            return session.login_for(operation, caller)
        return None if is_login(operation) else caller

    # Operations of which the contract says no more than paths, parameters and schemas.

    def _call_as_somebody(self, operation: Operation, result: Surveyed) -> None:
        """Call an operation with credentials, or without any where none were given: the server may ask for none.

        Raises:
            NotRun: nobody may call it.
        """
        run = self.run
        try:
            run.allowed(operation)
        except NotRun:
            if run.identities.all:
                raise
            run.callers[operation.id] = None
            try:
                self._call(operation, result)
            finally:
                if not result.succeeded:
                    # What it was refused for may be the missing credentials.
                    del run.callers[operation.id]
                    result.refused.clear()
            if result.succeeded:
                return
            raise
        self._call(operation, result)

    def _call(self, operation: Operation, result: Surveyed) -> None:
        run = self.run
        strangers = run.own or matches_glob(operation, run.policy.patterns)
        self._require_allowed(operation, strangers=strangers)
        caller = self._caller(operation, self.session)
        if operation.method == "DELETE":
            self._see_it_listed(operation)
        drafter = Drafter(run.contract, run.known, operation, self._world)
        tried = {_key(exchange) for _, exchange in result.refused}
        for draft, request in self._requests(operation, caller, drafter, result, strangers=strangers):
            if len(result.refused) >= MAX_ATTEMPTS:
                return
            exchange = Exchange(request, None)
            if _key(exchange) in tried:
                continue
            tried.add(_key(exchange))
            response = self.session.call(operation, request)
            if response.status == _FORBIDDEN and caller is not None and operation.id not in run.callers:
                request, response = self._as_others(operation, draft, request, response)
            if is_success(operation, response.status):
                self._succeeded(operation, result, draft, run.callers.get(operation.id, caller))
                return
            result.refused.append((draft, Exchange(request, response)))
            if response.status in _FINAL or response.status == _TOO_MANY:
                return

    def _as_others(
        self, operation: Operation, draft: Draft, request: WireRequest, response: WireResponse
    ) -> tuple[WireRequest, WireResponse]:
        """Make a call that was refused with 403 as other identities; whoever gets further makes all later ones."""
        for other in self.run.other_callers(operation):
            with suppress(NotRun):
                again = self._request(operation, other, draft)
                found = self.session.call(operation, again)
                if found.status != _FORBIDDEN:
                    self.run.callers[operation.id] = other
                    return again, found
        return request, response

    def _see_it_listed(self, operation: Operation) -> None:
        """Read the list of a collection before an item of it is deleted, where no item can be read by itself.

        That it was there before is what tells afterwards that it is gone.
        """
        by_label, head = self.run.contract.by_label, operation.path.rstrip("/").rpartition("/")[0]
        if any(one.method == "GET" and nameless(one.path) == nameless(operation.path) for one in by_label.values()):
            return
        listing = by_label.get(f"GET {head}") or by_label.get(f"GET {head}/")
        if listing is None or listing.label not in self.run.known.accepted or not is_item(operation):
            return
        for values, item in self.run.known.items.candidates(operation, self._world, own=True):
            if item.template == nameless(operation.path):
                around = dict(zip(parse_template(head).parameters, values.values(), strict=False))
                with suppress(NotRun):
                    request = self.session.request(listing, self.run.allowed(listing), path_values=around)
                    self.session.call(listing, request)
                return

    def _require_allowed(self, operation: Operation, *, strangers: bool) -> None:
        """Raise NotRun for a call that would change a whole collection, which may hold what others made.

        Raises:
            NotRun: it would, and `--allow-writes` does not cover the operation.
        """
        why = self.run.policy.refusal(operation.method, operation)
        if why is not None:
            raise NotRun(why)
        if not strangers and operation.method in {"DELETE", "PATCH"} and self.run.known.reader.made_by(operation):
            raise NotRun("it changes a whole collection, and no --allow-writes names it")

    def _requests(
        self, operation: Operation, caller: Identity | None, drafter: Drafter, result: Surveyed, *, strangers: bool
    ) -> Iterator[tuple[Draft, WireRequest]]:
        """Yield requests to be tried, each with its draft; what was said of the last one decides the next."""
        arguments, origins = drafter.arguments()
        choices = list(drafter.paths(strangers=strangers))
        corrector = Corrector(self.run.contract, operation, self.run.known.items)
        for number, choice in enumerate(choices):
            for media_type, value, origin in drafter.bodies(self._shown(operation, choice)):
                draft: Draft | None = Draft(
                    choice.values,
                    arguments,
                    media_type,
                    value,
                    {**origins, **choice.origins, BODY: origin},
                    from_list=choice.from_list,
                )
                while draft is not None:
                    before = len(result.refused)
                    yield draft, self._request(operation, self.run.callers.get(operation.id, caller), draft)
                    status = self._status(result, before)
                    if status is None:
                        draft = None  # it was sent before
                    elif status in GONE or (status == _FORBIDDEN and choices[number + 1 :]):
                        break
                    else:
                        draft = self._next(operation, draft, result.refused[-1][1], corrector, len(result.refused))
                else:
                    continue
                break  # another body does not make the item exist

    def _next(
        self, operation: Operation, draft: Draft, refused: Exchange, corrector: Corrector, attempt: int
    ) -> Draft | None:
        response = refused.response
        if response is None or response.status >= 500:
            return None
        if response.status == _CONFLICT or (operation.method == "POST" and _says_taken(response)):
            if draft.media_type is None or draft.value is NO_CONTENT:
                return None
            value = self.run.known.fresh(operation, draft.value, draft.media_type)
            self.run.known.uniques.add(operation.label)
            return replace(draft, value=value)
        return corrector.corrected(draft, response, attempt)

    @staticmethod
    def _status(result: Surveyed, before: int) -> int | None:
        """Return the status of the last refusal, None if there was none since."""
        if len(result.refused) == before:
            return None
        response = result.refused[-1][1].response
        return response.status if response is not None else None

    def _request(self, operation: Operation, caller: Identity | None, draft: Draft) -> WireRequest:
        body, field_value = None, None
        if draft.media_type is not None and draft.value is not NO_CONTENT:
            body, field_value = encoded(self.run.contract, draft.media_type, draft.value)
        return self.session.request(
            operation,
            caller,
            body=body,
            media_type=field_value,
            path_values=draft.path_values,
            arguments=draft.arguments,
            learned=False,
        )

    def _shown(self, operation: Operation, choice: PathChoice) -> Any:
        """Return what the read of a path shows before it is written, NO_CONTENT if there is none."""
        by_post = operation.method == "POST" and state_model(self.run.contract).singleton_of(operation) is not None
        if operation.method not in {"PUT", "PATCH"} and not by_post:
            return NO_CONTENT
        read = self.run.contract.by_label.get(f"GET {operation.path}")
        if read is None or not self.run.has_selected(read) or read.label not in self.run.known.accepted:
            return NO_CONTENT
        try:
            request = self.session.request(read, self.run.allowed(read), path_values=choice.values)
            response = self.session.call(read, request)
        except NotRun:
            return NO_CONTENT
        value = json_or_none(response) if response.successful else None
        return NO_CONTENT if value is None else value

    def _succeeded(self, operation: Operation, result: Surveyed, draft: Draft, caller: Identity | None) -> None:
        result.succeeded = True
        known = self.run.known
        own = any(
            item.own and all(draft.path_values.get(name) is not None for name in values)
            for values, item in known.items.candidates(operation, self._world, own=True, fixed=draft.path_values)
        )
        known.accepted[operation.label] = Accepted(
            draft.path_values, draft.arguments, draft.media_type, draft.value, self._world if own else None
        )
        self._other_media_types(operation, draft, caller)
        if known.reader.is_creation(operation):
            self._created(operation, draft, caller)

    def _other_media_types(self, operation: Operation, draft: Draft, caller: Identity | None) -> None:
        """Send content in each other media type once; each is judged like any other."""
        drafter = Drafter(self.run.contract, self.run.known, operation, self._world)
        for media_type, value, origin in drafter.other_bodies() if draft.media_type is not None else ():
            if media_type.name == draft.media_type.name if draft.media_type is not None else True:
                continue
            other = replace(draft, media_type=media_type, value=value, origins={**draft.origins, BODY: origin})
            try:
                self.session.call(operation, self._request(operation, caller, other))
            except NotRun:
                return

    def _created(self, operation: Operation, draft: Draft, caller: Identity | None) -> None:
        """Note what a creation made, and find out whether its names have to be unique: a second one tells."""
        known, run = self.run.known, self.run
        templates = known.reader.made_by(operation)
        before = {template: self._own(template) for template in templates}
        if not any(before.values()):
            self._look_into_the_list(operation, draft)
        for template in templates:
            if self._own(template):
                known.creations[nameless(template)] = operation
        deletes = [
            one
            for one in run.contract.operations
            if one.method == "DELETE" and nameless(one.path) in {nameless(template) for template in templates}
        ]
        if not deletes or run.policy.refusal("DELETE", deletes[0]) is not None or draft.media_type is None:
            return
        count = sum(map(self._own, templates))
        for value in (draft.value, known.fresh(operation, draft.value, draft.media_type)):
            try:
                again = self.session.call(operation, self._request(operation, caller, replace(draft, value=value)))
            except NotRun:
                return
            if is_success(operation, again.status) and sum(map(self._own, templates)) > count:
                return
            known.uniques.add(operation.label)

    def _own(self, template: str) -> int:
        return len(self.run.known.items.there(template, self._world, own=True))

    def _look_into_the_list(self, operation: Operation, draft: Draft) -> None:
        """Look for the created item in the list of its collection, where the response did not name it."""
        known = self.run.known
        listing = self.run.contract.by_label.get(f"GET {operation.path}")
        if listing is None or listing.label not in known.accepted:
            return
        templates = known.reader.made_by(operation)
        before = {t: {one.texts for one in known.items.there(t, self._world)} for t in templates}
        try:
            request = self.session.request(listing, self.run.allowed(listing), path_values=draft.path_values)
            self.session.call(listing, request)
        except NotRun:
            return
        for template in templates:
            new = [one for one in known.items.there(template, self._world) if one.texts not in before[template]]
            if len(new) == 1 and known.items.adopt(template, new[0].texts, self._world) is not None:
                path = self._path(template, new[0].values)
                self.run.guard.adopt(template, path)

    def _path(self, template: str, values: tuple[Any, ...]) -> str:
        like = next(
            one for one in self.run.contract.operations if nameless(template) in map(nameless, item_templates(one.path))
        )
        parameters = parse_template(template).parameters
        return fill(replace(like, path=template), dict(zip(parameters, values, strict=True)))

    # After the deletions.

    def restock(self) -> None:
        """Create items again where the survey deleted the last one, so that the checks have some to read."""
        if self.run.own:
            return  # each check has a world of its own, in which it creates what it needs
        known = self.run.known
        for template, creation in sorted(known.creations.items(), key=lambda one: one[0].count("{}")):
            if known.items.there(template, self._world):
                continue
            try:
                request = self.session.valid_request(creation, self.run.allowed(creation))
                self.session.call(creation, request)
            except NotRun:
                continue

    @property
    def _world(self) -> str | None:
        return self.session.world or None


def _says_taken(response: WireResponse) -> bool:
    text = response.body[:2000].decode("utf-8", "replace")
    found = kinds(Complaint((), text))
    return "taken" in found and "missing" not in found


def _key(exchange: Exchange) -> tuple[Any, ...]:
    request = exchange.request
    return request.method, request.path, request.fields, request.body


__all__ = ["END", "MADE", "MAX_ATTEMPTS", "Surveyed", "is_item", "survey"]
