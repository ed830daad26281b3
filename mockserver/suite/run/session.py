"""Runs and sessions: the state that all checks of a run share, and the requests that checks send."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver.contract.model import SAFE_METHODS, Contract, Operation
from mockserver.contract.roles import is_login
from mockserver.http.path_templates import parse_template
from mockserver.suite.cases.observed_response import (
    ObservedResponse,
    Representations,
    documented_content,
    observe,
    promise,
)
from mockserver.suite.cases.requests import Composer
from mockserver.suite.cases.waiting import asks_to_wait, is_endless
from mockserver.suite.checks.any_response import RESPONSE_CHECKS, no_response
from mockserver.suite.checks.secret_leaks import sent_secrets
from mockserver.suite.identities.identities import Identities, Identity, asks_for_credentials, register_secrets
from mockserver.suite.identities.renewal import Account, CredentialRenewal
from mockserver.suite.identities.request_fields import variable
from mockserver.suite.run.internal_errors import note_mistake
from mockserver.suite.run.progress import NoProgress, Progress
from mockserver.suite.run.sharding import Division
from mockserver.suite.safety.guard import Guard
from mockserver.suite.safety.policy import WritePolicy
from mockserver.suite.safety.poller import Poller
from mockserver.suite.secrets.known_secrets import Canaries, Secrets, is_distinctive, marked, values_at
from mockserver.suite.selection.chosen_checks import EVERY_CHECK, ChosenChecks
from mockserver.suite.selection.own_checks import NONE, OwnChecks
from mockserver.suite.selection.selected_operations import ALL, Selection
from mockserver.suite.survey.given_values import GivenValues
from mockserver.suite.survey.knowledge import Knowledge
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.target.origins import CannotLogIn
from mockserver.suite.target.paths import Resolver, fill
from mockserver.suite.target.processes import StubControl
from mockserver.suite.target.server_paths import ServerPaths
from mockserver.suite.target.targets import Target
from mockserver.suite.verdicts.creations import Creations
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in
from mockserver.suite.verdicts.fingerprints import Fingerprints
from mockserver.suite.verdicts.tally import Verdicts

if TYPE_CHECKING:
    from mockserver.suite.survey.surveyed import Surveyed

#: After so many missing responses an operation is not called again: each costs a timeout.
MAX_SILENCES = 2
#: So many sent secrets are looked for in later responses; each costs a search in every response.
MAX_SENT_SECRETS = 50
#: The same for secrets that the server issued.
MAX_ISSUED_SECRETS = 50
#: Levels and names of accounts that may do more than others.
_POWERFUL = re.compile(r"admin|root|super|owner|manager|operator", re.IGNORECASE)


@dataclass(slots=True)
class Run:
    """State that all checks of a run share: contract, target, identities, verdicts and limits.

    Attributes:
        control: the control API of a stub that belongs to this run, None for any other target.
        settle_seconds: how long a documented transition may last.
        world_prefix: how the names of this run's worlds begin, where the target has worlds.
        progress: receives the progress of the run.
        timings: seconds that the responses of each operation took, by label.
        last_writes: the last accepted write by world and path.
        representations: contents that were seen, by their entity tags.
        creations: the accepted writes by the items that they made.
        selected: operations that the run is limited to, all if it is not.
        selection: the limits that selected them.
        checks: the checks that the run is limited to.
        own_checks: checks of the user's own modules, made besides ours.
        unanswered: timeouts to be repeated at the end of the run; None if a timeout is a failure at once.
        notes: further lines for the report.
        division: which operations belong to this shard.
        fingerprints: of failures; each token that the run obtains is added.
        callers: by `operationId`, who turned out to be allowed to call it, where the first choice was refused with 403;
            None for anybody, where there is no identity and the server asked for none.
        listed: paths of items that a list showed, so that their absence in it says that they are gone.
        oracle: whether it is the oracle's run on our own stub, which is no judge of state that it does not keep.
        given: values that the user gave for what is on the target (`--values`).
        known: what is known of the target: items, and requests that succeeded.
        surveyed: result of the survey, by label of the operation.
        opened: labels of the operations that were seen to let in callers without any credentials.
    """

    contract: Contract
    target: Target
    identities: Identities
    policy: WritePolicy
    verdicts: Verdicts
    secrets: Secrets
    selected: tuple[Operation, ...]
    selection: Selection = ALL
    checks: ChosenChecks = EVERY_CHECK
    own_checks: OwnChecks = NONE
    control: StubControl | None = None
    settle_seconds: float = 5.0
    world_prefix: str = "check"
    progress: Progress = field(default_factory=NoProgress)
    canaries: Canaries = field(default_factory=Canaries)
    silences: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unanswered: list[CheckFailure] | None = None
    worlds: int = 0
    sent_secrets: int = 0
    issued_secrets: int = 0
    timings: dict[str, list[float]] = field(default_factory=dict)
    last_writes: dict[tuple[str, str], Exchange] = field(default_factory=dict)
    representations: Representations = field(default_factory=dict)
    creations: Creations = field(default_factory=Creations)
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    given: GivenValues = field(default_factory=GivenValues)
    surveyed: dict[str, Surveyed] = field(default_factory=dict)
    known: Knowledge = field(init=False)
    opened: set[str] = field(default_factory=set)
    resolver: Resolver = field(init=False)
    division: Division = field(init=False)
    callers: dict[str, Identity | None] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    oracle: bool = False
    guard: Guard = field(init=False)
    renewal: CredentialRenewal = field(init=False)
    poller: Poller = field(init=False)

    def __post_init__(self) -> None:
        self.resolver = Resolver(self.contract)
        self.known = Knowledge(self.contract, self.given, urlsplit(self.target.base_url).path)
        self.division = Division(self.selected)
        self.guard = Guard(self.contract, self.resolver, self.policy, self.identities, self.target)
        self.poller = Poller(self.settle_seconds)
        register_secrets(self.identities, self.secrets)
        self.fingerprints.leave_out(self.identities.own_fields)
        self.target.always = self.identities.always
        servers = ServerPaths(self.contract, self.resolver, self.target.base_url)
        self.target.base_of = servers.base_of if servers.differ else None
        self.renewal = CredentialRenewal(self.contract, self.target, self.identities)
        if self.renewal.accounts:
            self.target.renewal = self.renewal
            self.renewal.on_secret, self.renewal.on_login = self._note_issued, self._note_login

    def close(self) -> None:
        """Close the connections to servers besides the target."""
        self.renewal.close()

    @property
    def own(self) -> bool:
        """Whether the target is a stub of this run, so that each session has its own world."""
        return self.control is not None

    @property
    def admin(self) -> Identity:
        """Identity of the highest level.

        Raises:
            NotRun: there is none.
        """
        found = self.identities.of_highest_level(self.contract.levels)
        if found is None:
            raise NotRun("it needs an identity, and there is none (--identities)")
        return found

    def allowed(self, operation: Operation) -> Identity | None:
        """Return an identity that may call an operation, None if the operation requires no credentials.

        Raises:
            NotRun: no identity that is there may call it.
        """
        if not operation.security:
            return None
        if operation.id in self.callers:
            return self.callers[operation.id]
        found = self.identities.allowed(operation, self.contract.levels)
        if found is None and not asks_for_credentials(self.contract, operation):
            return None
        if found is None:
            raise NotRun(
                f"it needs an identity of level {' or '.join(operation.levels or ())} (--identities)"
                if operation.levels
                else "it needs an identity, and there is none (--identities)"
            )
        return found

    def other_callers(self, operation: Operation) -> Iterator[Identity]:
        """Yield who may be allowed what was refused with 403 to the first choice, the most powerful first."""
        first = self.allowed(operation)
        others = (one for one in self.identities.all if first is None or not one.level or one.level != first.level)
        yield from sorted(others, key=lambda one: _POWERFUL.search(f"{one.level} {one.username}") is None)

    def _note_issued(self, account: Account, name: str, value: str, may_come_back: bool) -> None:  # noqa: FBT001 - as it is called
        self.secrets.add(f"{account.identity.stem}_{variable(name)}", value, may_come_back=may_come_back, issued=True)
        if name == "TOKEN":
            self.fingerprints.add(f"{account.number}.token", value)
        elif account.issued.is_session:
            self.fingerprints.leave_out(("cookie", "referer", account.issued.csrf_field()[0]))

    def _note_login(self, account: Account) -> None:
        self.guard.usage.record_login(account.identity)
        token, keeper = account.issued.token, self.guard.keeper
        if token is not None and keeper is not None and not account.noted:
            account.noted = True  # those that come after it take its place
            keeper.obtained(account.identity.with_token(token))

    def remember_secrets(self, operation: Operation, request: WireRequest) -> None:
        """Remember `writeOnly` strings of an accepted request, which must not appear in any later response.

        Only of requests that the suite made itself: generators use a text again, for another member.
        """
        for value, _ in sent_secrets(self.contract, operation, request):
            if is_distinctive(value) and self.sent_secrets < MAX_SENT_SECRETS:
                self.sent_secrets += 1
                self.secrets.add(f"SENT_SECRET_{self.sent_secrets}", value)

    def remember_issued(self, values: Iterable[str]) -> None:
        """Remember secrets that the server issued where it may, to find them in other responses."""
        for value in values:
            if is_distinctive(value) and self.issued_secrets < MAX_ISSUED_SECRETS:
                self.issued_secrets += 1
                self.secrets.add(f"ISSUED_SECRET_{self.issued_secrets}", value)

    def note_silence(self, label: str, pointer: str, exchange: Exchange) -> None:
        """Record a missing response as a failure, or put it aside to be requested again at the end."""
        self.silences[label] = self.silences.get(label, 0) + 1
        failure = no_response(label, exchange, pointer)
        operation = self.contract.by_label.get(label)
        if exchange.slow and operation is not None:
            if asks_to_wait(exchange.request):
                self.verdicts.not_run(failure.check, label, "the request asks the server to wait, and it did")
                return
            if is_endless(operation):
                failure.title, failure.rule = "a stream sends nothing, not even its head", "silent"
        if exchange.slow and self.unanswered is not None:
            self.unanswered.append(failure)
        else:
            self.verdicts.failed(failure)

    def has_selected(self, operation: Operation) -> bool:
        """Tell whether an operation is among those that the run is limited to."""
        return self.policy.unselected(operation) is None

    def need(self, *operations: Operation) -> None:
        """Raise NotRun if any of these operations is not selected.

        Raises:
            NotRun: one of them is not.
        """
        why = self.policy.unselected(*operations)
        if why is not None:
            raise NotRun(why)


class Session(Composer):
    """Sequence of requests to the target, in a world of its own if the target has worlds.

    Attributes:
        history: the accepted writes so far, which later evidence needs to be understood.
        last: the last exchange.
    """

    def __init__(self, run: Run, *, fresh: bool = True) -> None:
        super().__init__(run.contract, run.identities, run.known)
        self.run = run
        self.history: list[Exchange] = []
        self.last: Exchange | None = None
        self.world = ""
        self._entered = False
        if run.own and fresh:
            run.worlds += 1
            self.world = f"{run.world_prefix}-{run.worlds}"

    def call(self, operation: Operation, request: WireRequest, *, login: bool = False) -> WireResponse:
        """Send a request for an operation, judge the response by all response checks, and return it.

        Args:
            operation: what the request is for; names it in reports.
            request: what to send.
            login: whether it logs an identity in with its own password, which is always allowed.

        Raises:
            NotRun: it must not be sent, or there is no response.
        """
        response = self._exchange(operation, request, login=login)
        assert response is not None
        return response

    def offer(self, operation: Operation, request: WireRequest) -> WireResponse | None:
        """Return the response to a request that the server need not read, None if the connection is closed.

        Raises:
            NotRun: it must not be sent, or the server keeps silent.
        """
        return self._exchange(operation, request, may_drop=True)

    def _exchange(
        self, operation: Operation, request: WireRequest, *, login: bool = False, may_drop: bool = False
    ) -> WireResponse | None:
        refusal = self.run.guard.refusal(request, operation, login=login)
        if refusal:
            raise NotRun(refusal)
        exchange = self._send(operation.label, operation.pointer, request, may_drop=may_drop)
        if exchange.response is None:
            return None
        meant = self.run.resolver.methods_at(request.path).get(request.method)
        self.judge(meant, operation.label, exchange)
        self._remember(operation, exchange, exchange.response)
        return exchange.response

    def together(self, operation: Operation, requests: Sequence[WireRequest]) -> list[Exchange]:
        """Send requests for an operation at the same time, judge each response, and return the exchanges in order.

        Raises:
            NotRun: one of them must not be sent.
        """
        for request in requests:
            if refusal := self.run.guard.refusal(request, operation):
                raise NotRun(refusal)
        with ThreadPoolExecutor(len(requests)) as pool:
            exchanges = list(pool.map(lambda request: self.run.target.send(request, operation.label), requests))
        for exchange in exchanges:
            self.run.guard.record_response(exchange.request, exchange.response)
            if exchange.response is not None:
                self.judge(operation, operation.label, exchange)
                self._remember(operation, exchange, exchange.response)
        return exchanges

    def item_values(self, operation: Operation, fixed: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of path parameters that name an item which is there; one is created if need be and can be."""
        known, world = self.run.known, self.world or None
        creation = known.lacks(operation, world, fixed)
        if creation is not None:
            with suppress(NotRun):
                self._create(creation, operation, fixed)
        return known.path_values(operation, world, fixed, own=not operation.safe)

    def _create(self, creation: Operation, operation: Operation, fixed: Mapping[str, Any]) -> None:
        """Create an item for a call about one.

        Raises:
            NotRun: it must not be created, or there is no response.
        """
        self.run.need(creation)
        around = dict(zip(parse_template(creation.path).parameters, fixed.values(), strict=False)) if fixed else {}
        body, media_type = self.valid_body(creation)
        caller = self.run.allowed(creation)
        request = self.request(creation, caller, body=body, media_type=media_type, path_values=around)
        if operation.label != creation.label:
            self.call(creation, request)

    def set_up(self, operation: Operation, request: WireRequest) -> None:
        """Send a request that prepares a check; on our own stub also for operations that --only leaves out.

        The response to such a request is not judged, and its world is dropped afterwards.

        Raises:
            NotRun: it must not be sent, or there is no response.
        """
        if not self.run.own or self.run.has_selected(operation):
            self.call(operation, request)
            return
        exchange = self.run.target.send(request, operation.label)
        if exchange.response is None:
            raise NotRun("the server sent no response")
        self._remember(operation, exchange, exchange.response)

    def probe(self, label: str, request: WireRequest) -> Exchange:
        """Send a request for an undefined path or method, and return the exchange.

        Raises:
            NotRun: it must not be sent, or there is no response.
        """
        refusal = self.run.guard.refusal(request, None)
        if refusal:
            raise NotRun(refusal)
        exchange = self._send(label, "", request)
        self.judge(None, label, exchange)
        return exchange

    def valid_body(
        self, operation: Operation, *, variant: int = 0, media_type: str | None = None
    ) -> tuple[bytes | None, str | None]:
        """Return valid content for an operation and its media type; a login gets the account of an identity.

        Raises:
            NotRun: none can be made.
        """
        login = self.run.renewal.login_content(operation)
        return login or super().valid_body(operation, variant=variant, media_type=media_type)

    def in_world(self, request: WireRequest) -> WireRequest:
        """Return the request with the field that selects this session's world, if there are worlds."""
        self._entered = bool(self.world)
        return request.with_field("Mock-World", self.world) if self.world else request

    def close(self) -> None:
        """Delete the session's world on the stub, which keeps few of them; elsewhere put settings back."""
        if self._entered and self.run.control is not None:
            self.run.control.drop(self.world)
        elif self.run.guard.keeper is not None:
            self.run.guard.keeper.put_back_settings()

    # Logging in: an operation with the role `issue` takes user name and password, and responds with the secret that its
    # response marks `x-secret: issued`.

    def login(self, identity: Identity) -> Identity:
        """Return the identity with a new token, obtained by a login.

        Raises:
            NotRun: the contract has no login, the identity no password, or it is refused.
        """
        if identity.issued is not None:
            return self._login_apart(identity)
        operation = self.login_operation()
        if identity.password is None:
            raise NotRun(f"it needs the password of {identity.label} to log in with (--identities)")
        response = self.call(operation, self.login_request(operation, identity), login=True)
        token = self.issued(operation, response)
        if token is None:
            self.run.guard.admissions.login_refused(identity, operation, response.status)
            raise NotRun(f"the login of {identity.label} was answered with {response.status}")
        name = next(name for name, value in identity.secrets() if value == identity.password)
        self.run.secrets.add(name.replace("PASSWORD", "SESSION_TOKEN"), token)
        self.run.fingerprints.add(f"session of {identity.label}", token)
        return identity.with_token(token)

    def _login_apart(self, identity: Identity) -> Identity:
        """Return an identity that logs in by its own settings with a token besides the one that the run calls with."""
        try:
            token = self.run.renewal.separate_token(identity)
        except CannotLogIn as reason:
            raise NotRun(str(reason)) from reason
        if token is None:
            raise NotRun(f"it needs a token of {identity.label} besides the one that the run calls with")
        return identity.with_token(token)

    def login_for(self, operation: Operation, identity: Identity) -> Identity:
        """Return the identity with a new token, to call an operation that revokes the token.

        Raises:
            NotRun: the operation must not be sent, so that a token is not even asked for; or as `login`.
        """
        refusal = self.run.policy.refusal(operation.method, operation)
        if refusal:
            raise NotRun(refusal)
        return self.login(identity)

    def login_operation(self) -> Operation:
        """Return the contract's operation that exchanges a password for a token.

        Raises:
            NotRun: the contract has none.
        """
        found = next((operation for operation in self.contract.operations if is_login(operation)), None)
        if found is None:
            raise NotRun("it needs a login, and the contract has no operation with the behaviour auth/issue")
        return found

    def issued(self, operation: Operation, response: WireResponse) -> str | None:
        """Return the secret that a response is documented to issue, or None."""
        return next(self._issued(operation, response), None)

    def _issued(self, operation: Operation, response: WireResponse) -> Iterator[str]:
        content = documented_content(promise(operation, response), response.content_type)
        if not response.successful or content is None:
            return
        for path, _ in marked(self.contract, content.schema, "x-secret"):
            for value in values_at(json_or_none(response), path):
                if isinstance(value, str) and value:
                    yield value

    def _send(self, label: str, pointer: str, request: WireRequest, *, may_drop: bool = False) -> Exchange:
        if self.run.silences.get(label, 0) >= MAX_SILENCES:
            raise NotRun("the server sent no response before")
        exchange = self.run.target.send(request, label)
        # A server that closes the connection on content which it need not read has done nothing with it.
        if exchange.repeated and not may_drop:
            self.run.guard.record_response(request, None)  # what was sent first may have come through
        if exchange.response is not None or not (may_drop and exchange.dropped):
            self.run.guard.record_response(request, exchange.response)
        if exchange.response is None and may_drop and exchange.dropped:
            return exchange
        if exchange.response is None:
            self.run.note_silence(label, pointer, exchange)
            raise NotRun("the server sent no response")
        self.run.verdicts.passed("the_server_answers", label)
        self.run.timings.setdefault(label, []).append(exchange.response.seconds)
        self.last = Exchange(exchange.request, exchange.response, history=tuple(self.history))
        return self.last

    def judge(self, operation: Operation | None, label: str, exchange: Exchange) -> None:
        """Judge the response of an exchange by all response checks, for the operation that the request belongs to."""
        shown = Exchange(exchange.request, exchange.response, history=self._shown_by(exchange))
        observed = observe(self.contract, operation, label, shown, self.run.secrets, self.run.representations)
        if observed is not None:
            if operation is not None:
                self.run.verdicts.count_response(operation.label, observed.response)
            for failure in judge_response(observed, self.run.verdicts, self.run.own_checks.responses):
                self.run.verdicts.failed(failure)

    def _shown_by(self, exchange: Exchange) -> tuple[Exchange, ...]:
        """Return the writes that are needed to reproduce an exchange.

        Those are the creations of the items that its path names, and the write whose result a successful read shows.
        """
        request, response = exchange.request, exchange.response
        made = self.run.creations.before(self.world, request)
        if request.method not in SAFE_METHODS or response is None or not response.successful:
            return made
        last = self.run.last_writes.get((self.world, request.path.partition("?")[0]))
        return made if last is None or last in made else (*made, last)

    def _remember(self, operation: Operation, exchange: Exchange, response: WireResponse) -> None:
        if not response.successful:
            return
        self._learn(operation, exchange.request, response)
        if not is_login(operation):  # `login` knows a better name
            self.run.remember_issued(self._issued(operation, response))
        if operation.safe:
            return
        self.history.append(Exchange(exchange.request, response).shortened())
        self.run.last_writes[self.world, exchange.request.path.partition("?")[0]] = self.history[-1]
        self.run.creations.note(self.world, self.history[-1])
        self.run.remember_secrets(operation, exchange.request)

    def _learn(self, operation: Operation, request: WireRequest, response: WireResponse) -> None:
        """Note which items a successful call shows, created or deleted."""
        if operation.behaviour is not None and operation.behaviour.pointer:
            return  # a setting, or a login
        for item in self.run.known.observe(operation, request, response, self.world or None):
            template = self.run.known.reader.template(item.template)
            names = parse_template(template).parameters
            declared = replace(operation, path=template)
            self.run.guard.adopt(template, fill(declared, dict(zip(names, item.values, strict=True))))


def judge_response(
    observed: ObservedResponse, verdicts: Verdicts, own: Sequence[Callable[[ObservedResponse], bool]] = ()
) -> Iterator[CheckFailure]:
    """Run all response checks on one response; yield their failures and count what passed."""
    for check in (*RESPONSE_CHECKS, *own):
        try:
            applied = check(observed)
        except (CheckFailure, ExceptionGroup) as error:
            found = list(failures_in(error))
            if not found:
                note_mistake(verdicts, check.__name__, observed.label, error)
            yield from found
        except NotRun as reason:
            verdicts.not_run(check.__name__, observed.label, str(reason))
        except Exception as error:  # noqa: BLE001 - other checks are not affected
            note_mistake(verdicts, check.__name__, observed.label, error)
        else:
            if applied:
                verdicts.passed(check.__name__, observed.label)
