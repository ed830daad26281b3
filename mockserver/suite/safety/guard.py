"""The guard: decides for each request whether it may be sent, and records what its response means for the run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from mockserver.contract.model import SAFE_METHODS, Contract, Operation
from mockserver.contract.roles import credential_places, is_login
from mockserver.errors import MockServerError
from mockserver.http import basic
from mockserver.http.media_types import covering
from mockserver.http.path_templates import parse_template
from mockserver.http.styles import primitive
from mockserver.suite.identities.admission import Admissions, CredentialUsage
from mockserver.suite.identities.identities import Identities, Identity, credentials
from mockserver.suite.safety.policy import WritePolicy, is_item_of, item_path
from mockserver.suite.safety.rate_limiter import Stopped
from mockserver.suite.secrets.known_secrets import marked, values_at
from mockserver.suite.target.exchange import WireRequest, WireResponse, json_or_none, sent_json
from mockserver.suite.target.paths import Resolver
from mockserver.suite.target.targets import Target

#: A failure of the server (RFC 9110, section 15.6); a method that it does not have is none.
_FAILURE, _NOT_IMPLEMENTED = 500, 501
#: Status codes of a creation; only the second says that an item is new (RFC 9110, section 15.3.2).
_OK, _CREATED = 200, 201
#: Members of a response that identify a created item, if none has the name of the path parameter.
_NAMES = ("id", "uuid", "name", "key", "slug")


class ChangeKeeper(Protocol):
    """Records what a run changes on the target, so that it can be restored."""

    def before(self, operation: Operation | None, request: WireRequest) -> str | None:
        """Record what a request could change, before it is sent; return why it must not be sent, or None."""
        ...

    def accepted(self, operation: Operation | None, request: WireRequest, status: int | None, *, named: bool) -> None:
        """Record that a request was accepted, failed (5xx), or got no response (status None).

        `created` is called before this for a created item; `named` says whether it was.
        """
        ...

    def refused(self, operation: Operation | None, request: WireRequest) -> None:
        """Record that a request was refused, and so changed nothing."""
        ...

    def created(self, template: str, path: str) -> None:
        """Record that the run created an item at a path."""
        ...

    def obtained(self, identity: Identity) -> None:
        """Record that the run obtained a token by logging an identity in."""
        ...

    def put_back_settings(self) -> None:
        """Write back what settings of the whole server held."""
        ...


class Guard:
    """Decides whether a request may be sent to the target, and records the effects of those that were sent.

    Attributes:
        admissions: whether the credentials of each identity were ever accepted.
        keeper: records changes, None if nothing needs to be restored.
        writes: accepted requests with unsafe methods.
    """

    def __init__(
        self, contract: Contract, resolver: Resolver, policy: WritePolicy, identities: Identities, target: Target
    ) -> None:
        self._contract = contract
        self._resolver = resolver
        self._policy = policy
        self._identities = identities
        self._target = target
        self._concrete = {operation.path for operation in contract.operations if "{" not in operation.path}
        templates = {template for operation in contract.operations if (template := item_path(operation))}
        self._items = {template: _item_or_below(template) for template in templates}
        #: Whether anything at all is refused, so that requests are looked at.
        self._limited = policy.selected is not None or policy.foreign
        refused = ((one, policy.refusal(one.method, one)) for one in contract.operations)
        self._withheld = [
            (_beginning(one.path), why)
            for one, why in refused
            if why is not None and one.label in policy.side_effects and one.path != "/"
        ]
        self._owned: set[str] = set()
        self._good: set[tuple[str, str]] = set()
        self.admissions = Admissions(contract, identities)
        self.usage = CredentialUsage(identities)
        self.keeper: ChangeKeeper | None = None
        self.writes = 0

    def refusal(self, request: WireRequest, operation: Operation | None, *, login: bool = False) -> str | None:
        """Return why a request must not be sent, or None if it may; then its possible changes are recorded.

        Args:
            request: what is to be sent.
            operation: its operation, None for a probe of an undefined route.
            login: whether it logs an identity in, with that identity's own password.
        """
        why = self._policy.refusal(request.method, operation, login=login)
        if why is None and self._limited and not login:
            why = self._meant_refusal(request, operation)
        if why is not None or login or not self._changes(request):
            return why
        if self._policy.foreign:
            why = self._not_ours(request) or self._ends_credentials(request)
        if why is None and self.keeper is not None:
            why = self.keeper.before(self._near(request), request)
        return why

    def _meant_refusal(self, request: WireRequest, operation: Operation | None) -> str | None:
        """Return why a request must not be sent because its path belongs to another operation, None if it may.

        A parameter value may turn the path into that of another operation, and a server may treat a probe as one: HEAD
        as GET, a path below a logout as the logout.
        """
        methods = self._resolver.methods_at(request.path)
        meant = self._meant(request)
        if meant is None and methods:
            if request.method in SAFE_METHODS and (withheld := self._withheld_at(methods.values())) is not None:
                return withheld  # a server may treat OPTIONS as it treats GET
            refused = [why for one in methods.values() if (why := self._policy.unselected(one)) is not None]
            return refused[0] if len(refused) == len(methods) else None
        if meant is not None:
            return self._policy.refusal(request.method, meant) if meant is not operation else None
        path = request.path.partition("?")[0]
        below = (why for shape, why in self._withheld if request.method in SAFE_METHODS and shape.match(path))
        return next(below, None)

    def _withheld_at(self, operations: Iterable[Operation]) -> str | None:
        """Return why a read among some operations is withheld for what it changes, None if none is."""
        effects = (one for one in operations if one.label in self._policy.side_effects)
        refused = (self._policy.refusal(one.method, one) for one in effects)
        return next((why for why in refused if why is not None), None)

    def record_response(self, request: WireRequest, response: WireResponse | None) -> None:
        """Record the effects of a request after its response, or after it got none.

        Raises:
            Stopped: credentials that worked before are not accepted any more.
        """
        self.usage.record_request(request)
        status = response.status if response is not None else None
        if status is not None and self.admissions.undecided:
            called = self._resolver.methods_at(request.path).get(request.method)
            if called is not None:
                self.admissions.record_response(called, request, status)
        if status == 401 and self._policy.foreign and (operation := self._meant(request)) is not None:
            self._check_credentials(operation, request)
        if self._changes(request):
            self._changed(request, response)

    def adopt(self, template: str, path: str) -> None:
        """Record that the run created an item, where its response says so in a way that only its reader knows."""
        if path.rstrip("/") in self._owned:
            return
        self._owned.add(path.rstrip("/"))
        if self.keeper is not None:
            self.keeper.created(template, path)

    def _changed(self, request: WireRequest, response: WireResponse | None) -> None:
        """Record what a request may have changed on the target."""
        self.writes += response is not None and response.successful
        if not self._policy.foreign and self.keeper is None:
            return
        operation = self._meant(request)
        if response is not None and _is_refused(response.status):
            if self.keeper is not None:
                self.keeper.refused(self._near(request), request)
            return
        if operation is not None and is_login(operation):
            if response is None or response.successful:
                self._logged_in(operation, request, response)
            return
        created = list(self._created(operation, request, response))
        for template, path in created:
            self._owned.add(path.rstrip("/"))
            if self.keeper is not None:
                self.keeper.created(template, path)
        if self.keeper is not None:
            status = None if response is None else response.status
            self.keeper.accepted(self._near(request), request, status, named=bool(created))

    def _changes(self, request: WireRequest) -> bool:
        """Tell whether a request may change something on the target."""
        if request.method not in SAFE_METHODS:
            return True
        return bool(self._policy.side_effects) and self._policy.changes(request.method, self._meant(request))

    def _meant(self, request: WireRequest) -> Operation | None:
        """Return the operation for the method and path of a request; HEAD counts as GET where it is undefined."""
        methods = self._resolver.methods_at(request.path)
        found = methods.get(request.method)
        return methods.get("GET") if found is None and request.method == "HEAD" else found

    def _near(self, request: WireRequest) -> Operation | None:
        """Return the operation of a request, or for an undefined method any operation at its path."""
        methods = self._resolver.methods_at(request.path)
        return self._meant(request) or next(iter(methods.values()), None)

    # Ownership: on items of collections, unsafe methods only on what this run created.

    def _not_ours(self, request: WireRequest) -> str | None:
        """Return why a request must not touch an item that the run did not create, None if it may."""
        path = request.path.partition("?")[0]
        if unquote(path) in self._concrete:
            return None
        # By shape alone: what a server has below a path need not be what the contract's parameter allows.
        found = {template: match[1] for template, shape in self._items.items() if (match := shape.match(path))}
        if not found or not self._owned.isdisjoint(found.values()):
            return None
        return f"{' and '.join(found)} names an item that this run did not create"

    def _created(
        self, operation: Operation | None, request: WireRequest, response: WireResponse | None
    ) -> Iterator[tuple[str, str]]:
        """Yield path template and path of each item that an accepted request created, or gave another name."""
        if operation is None or response is None or response.status >= _FAILURE:
            return
        if operation.method in {"PUT", "PATCH"}:
            yield from self._renamed(operation, request, response)
        if operation.method != "POST":
            return
        if response.status == _OK and str(_CREATED) in operation.responses:
            return  # it may name one that was there before, which is not the run's to delete
        templates = {other.path for other in self._contract.operations if is_item_of(other.path, operation.path)}
        paths = ((template, self._path_of(template, request, response)) for template in sorted(templates))
        # Templates that differ only in the name of the parameter give the same path.
        yield from {path: (template, path) for template, path in paths if path is not None}.values()

    def _renamed(self, operation: Operation, request: WireRequest, response: WireResponse) -> Iterator[tuple[str, str]]:
        """Yield path template and path of an item of the run's own that a write gave another name."""
        path = request.path.partition("?")[0]
        parameters = parse_template(operation.path).parameters
        if path.rstrip("/") not in self._owned or not parameters or operation.path.rstrip("/")[-1] != "}":
            return
        name = name_in(response, parameters[-1])
        above, _, last = path.rstrip("/").rpartition("/")
        if name is not None and primitive(name) != unquote(last):
            yield operation.path, f"{above}/{quote(primitive(name), safe='')}" + "/" * operation.path.endswith("/")

    def _path_of(self, template: str, request: WireRequest, response: WireResponse) -> str | None:
        location = response.field("Location")
        base = urlsplit(self._target.base_url)
        if location is not None:
            parts = urlsplit(location)
            path = parts.path.removeprefix(base.path)
            if parts.netloc in {"", base.netloc} and parse_template(template).match(path) is not None:
                return path
        value = name_in(response, parse_template(template).parameters[-1])
        if value is None:
            return None
        collection = request.path.partition("?")[0].rstrip("/")
        return f"{collection}/{quote(primitive(value), safe='')}" + "/" * template.endswith("/")

    # Credentials: those of the user are never ended by the run, and are good until the server says otherwise.

    def _ends_credentials(self, request: WireRequest) -> str | None:
        operation = self._meant(request)
        if operation is None or operation.effect != "credentials":
            return None
        shown = " ".join([request.path, *(text for _, value in request.fields for text in _texts(value))])
        if any(secret in shown for identity in self._identities.all for _, secret in identity.secrets()):
            return "it ends the credentials that it is called with, and those were not obtained by this run"
        return None

    def _logged_in(self, operation: Operation, request: WireRequest, response: WireResponse | None) -> None:
        documented = operation.response_for(response.status) if response is not None else None
        if response is None or documented is None or self.keeper is None:
            return
        content = covering(documented.content, response.content_type)
        places = credential_places(self._contract, operation)
        username = next(values_at(sent_json(request), places.username), None) if places is not None else None
        for path, _ in marked(self._contract, content.schema if content else None, "x-secret"):
            for value in values_at(json_or_none(response), path):
                if isinstance(value, str) and value:
                    self.keeper.obtained(Identity(str(username or ""), token=value))

    def _check_credentials(self, operation: Operation, request: WireRequest) -> None:
        """Stop the run if credentials that should be accepted are refused in a second, plain request, too.

        Raises:
            Stopped: they are not.
        """
        for identity in self._identities.all:
            shown = credentials(self._contract, operation, identity)
            known = (identity.label, operation.label)
            if shown is None or not shown[0] or not set(shown[0]) <= set(request.fields) or known in self._good:
                continue
            plain = self._plain_call(identity)
            if plain is not None and self._ask(plain, identity) == 401:
                why = f"the credentials of {identity.label} are refused ({operation.label}, then {plain.label}: 401): "
                self._target.rate_limiter.stop(why + "wrong, revoked, expired or banned; check --identities")
                raise Stopped(self._target.rate_limiter.stopped)
            self._good.add(known)

    def _plain_call(self, identity: Identity) -> Operation | None:
        """Return a GET operation without required parameters that an identity may call."""
        return next(
            (
                operation
                for operation in self._contract.operations
                if operation.method == "GET"
                and self._policy.refusal("GET", operation) is None
                and operation.security
                and not any(parameter.required for parameter in operation.parameters)
                and (operation.levels is None or identity.level in operation.levels)
            ),
            None,
        )

    def _ask(self, operation: Operation, identity: Identity) -> int | None:
        shown = credentials(self._contract, operation, identity)
        fields = shown[0] if shown else ()
        try:
            exchange = self._target.send(WireRequest("GET", operation.path, (("Accept", "*/*"), *fields)))
        except MockServerError:
            return None
        return exchange.response.status if exchange.response else None


def _is_refused(status: int) -> bool:
    """Tell whether a status code means that a request changed nothing (RFC 9110, sections 15.5 and 15.6.2)."""
    return 400 <= status < _FAILURE or status == _NOT_IMPLEMENTED


def _item_or_below(template: str) -> re.Pattern[str]:
    """Return a pattern for the paths of an item and all below it; the item's path is its first group."""
    return re.compile(f"({parse_template(template).expression})(?:/|$)")


def _beginning(template: str) -> re.Pattern[str]:
    """Return a pattern for the paths that begin like those of a path template."""
    return re.compile(parse_template(template.rstrip("/")).expression)


def name_in(response: WireResponse, parameter: str) -> Any:
    """Return the name of the created item in the content of a response, None if there is none."""
    value = json_or_none(response)
    holders = [value, *(value.values() if isinstance(value, dict) else ())]  # {"id": 1}, or {"thing": {"id": 1}}
    for holder in holders:
        if isinstance(holder, Mapping):
            for name in (parameter, *_NAMES):
                if isinstance(holder.get(name), str | int) and not isinstance(holder[name], bool):
                    return holder[name]
    return None


def _texts(value: str) -> Iterator[str]:
    """Yield the value of a header field, and its decoded Basic credentials (RFC 7617)."""
    yield value
    yield basic.user_pass(value) or ""
