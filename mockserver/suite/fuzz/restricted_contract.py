"""The contract as schemathesis gets it: only operations that may be called, with settings and credentials."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import schemathesis
from schemathesis.core.errors import InvalidStateMachine, InvalidTransition
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.stateful import collect_transitions

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.contract.roles import is_login
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child, lookup
from mockserver.suite.fuzz.known_paths import use_known_paths
from mockserver.suite.identities.identities import Identity, credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.safety.policy import item_path
from mockserver.suite.selection.check_names import OF_SCHEMATHESIS
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.failures import NotRun

#: Stands for the caller of an operation that needs none.
_NOBODY = Identity()
_PROBE_METHODS = ("get", "put", "post", "delete", "options", "patch", "trace")


@dataclass(frozen=True, slots=True)
class FuzzSettings:
    """Settings of a fuzz run: number of cases, time limit, seed, part of the run, and failure database.

    Attributes:
        shard: which part of the run is made, as `2/3`; "" for all of it.
        database: where failures of earlier runs are kept, a folder or the URL of a Redis server; "" for nowhere.
        hooks: modules that register hooks of schemathesis.
    """

    max_examples: int = 50
    max_seconds: int | None = None
    seed: int = 0
    shard: str = ""
    database: str = ""
    hooks: tuple[str, ...] = ()


@dataclass(slots=True)
class RestrictedContract:
    """The contract as schemathesis gets it, and the operations that requests are generated for.

    Attributes:
        schema: the contract with what may and can be called.
        allowed: labels of the operations that are generated for; looked up each time, so that it can change.
        own: those of them whose cases this part of the run sends.
    """

    schema: Any
    allowed: set[str]
    own: frozenset[str]

    def narrow(self) -> None:
        """Generate requests only for the operations of this part of the run from now on.

        Not from the start: values of one operation's examples are tried in another one, and methods that no operation
        of a path defines are tried once for each path. So examples and coverage need them all.
        """
        self.allowed &= self.own


def restrict(run: Run, settings: FuzzSettings) -> RestrictedContract | None:
    """Return the contract with only the operations that may be called, None if there are none."""
    allowed = {operation.label for operation in run.selected if _is_possible(run, operation)}
    if not allowed:
        return None
    config = schemathesis.Config.from_dict(engine_config(run, settings))
    whole = schemathesis.openapi.from_dict(followable(run), config=config)
    schema = whole.include(lambda ctx: ctx.operation.label in allowed)
    schema.auth(refresh_interval=None)(_provider(run))
    use_known_paths(run, schema)
    own = frozenset(operation.label for operation in run.selected if run.division.calls(operation))
    return RestrictedContract(schema, allowed, own)


def engine_config(run: Run, settings: FuzzSettings) -> dict[str, Any]:
    """Return the settings of schemathesis in the form of its configuration file."""
    # On collections unsafe probes would reach other people's items, and the engine has no setting for each path.
    items = any(item_path(operation) for operation in run.contract.operations)
    probes = run.policy.probes and not (run.target.foreign and items)
    return {
        "base-url": run.target.base_url,
        "seed": settings.seed,
        "workers": 1,
        "continue-on-failure": True,
        "max-redirects": 0,
        "request-timeout": run.target.timeout_seconds if isinstance(run.target, HttpTarget) else 10,
        "cache": {"enabled": False},
        # This check compares what two users of one level see, and gets only one user here.
        "checks": {
            name: {"enabled": False}
            for name in ("object_level_authorization", *OF_SCHEMATHESIS)
            if name not in OF_SCHEMATHESIS or name not in run.checks
        },
        **({"max-time": settings.max_seconds} if settings.max_seconds else {}),
        "generation": {
            "max-examples": settings.max_examples,
            "database": "none",
            # The smallest of many cases is kept anyway; shrinking repeats requests by the hundred.
            "no-shrink": True,
            # Credentials are the matter of `check`; here they would give every GET a hundred cases.
            "with-security-parameters": False,
        },
        "phases": {
            "examples": {"extra-data-sources": {"responses": False}},
            "coverage": {
                "extra-data-sources": {"responses": False},
                "unexpected-methods": [method for method in _PROBE_METHODS if probes or method.upper() in SAFE_METHODS],
            },
            "fuzzing": {
                "extra-data-sources": {"responses": False},
                "error-feedback": {"enabled": False},
            },
            "stateful": {
                "inference": {"algorithms": ["dependency-analysis"]},
                "link-calibration": False,
                # Each part makes sequences of its own operations, and all parts together as many as one run.
                "generation": {"max-examples": -(-settings.max_examples // run.division.shard.total)},
            },
        },
    }


def _is_possible(run: Run, operation: Operation) -> bool:
    """Tell whether an operation may be called by some identity; report it as not run if not."""
    why = run.policy.refusal(operation.method, operation)
    if why is None and run.target.foreign and not operation.safe and item_path(operation):
        why = "a generated request may reach an item that this run did not create"
    if why is None and operation.security:
        try:
            identity = run.allowed(operation)
            if identity is None or credentials(run.contract, operation, identity) is None:
                why = "no identity has a credential for its security scheme"
            elif operation.effect == "credentials" and not _can_log_in(run, identity):
                why = "it ends the token that it is called with, and there is no login to get another one"
        except NotRun as reason:
            why = str(reason)
    if why is not None:
        run.verdicts.not_run("fuzz", operation.label, why)
    return why is None


def _can_log_in(run: Run, identity: Identity) -> bool:
    return identity.password is not None and any(map(is_login, run.contract.operations))


def _provider(run: Run) -> type:
    """Return the class through which schemathesis adds credentials to each case."""
    session = Session(run, fresh=False)
    shown_for: dict[str, Any] = {}

    class Provider:
        def get(self, case: Any, _context: Any) -> Identity | None:
            operation = operation_of(run, case)
            if operation is None:
                return None
            if not operation.security:
                return _NOBODY if run.identities.with_no_identity(run.contract, operation) else None
            identity = run.allowed(operation)
            if identity is not None and operation.effect == "credentials":
                try:
                    return session.login(identity)
                except NotRun:
                    return None  # whatever keeps a login from working is a finding of its own
            return identity

        def set(self, case: Any, data: Identity, _context: Any) -> None:
            operation = operation_of(run, case)
            assert operation is not None
            shown = shown_for.get(operation.label)
            if shown is None:
                if data is _NOBODY:
                    shown = (run.identities.with_no_identity(run.contract, operation), ())
                else:
                    shown = credentials(run.contract, operation, data)
                if operation.effect != "credentials":  # those are called with a token of their own each time
                    shown_for[operation.label] = shown
            for name, value in shown[0] if shown else ():
                case.headers[name] = value
            for name, value in shown[1] if shown else ():
                case.query[name] = value

    return Provider


def operation_of(run: Run, case: Any) -> Operation | None:
    """Return the operation that a case was generated for."""
    return run.contract.by_label.get(case.operation.label)


def followable(run: Run) -> dict[str, Any]:
    """Return a copy of the contract's document without links that cannot be followed, and report those."""
    data = copy.deepcopy(run.contract.document.data)
    _drop_settled(run, data)
    if not any(links for _, links in _with_links(run, data)):
        return data
    broken = _broken(data)
    names = {(one.source, one.status_code, one.name) for one in broken}
    for (label, status), links in _with_links(run, data):
        for name in [name for name in links if (label, status, name) in names]:
            del links[name]
    for one in broken:
        why = "; ".join(error.message for error in one.errors)
        run.verdicts.not_run(
            "fuzz", one.source, f"the link {one.name} of {one.status_code} is not followed: {why[:300]}"
        )
    return data


def _drop_settled(run: Run, data: dict[str, Any]) -> None:
    """Remove the header parameters whose values the user gave, so that no case is about others."""
    names = {name.lower() for name, _ in run.identities.always}
    names |= {name.lower() for identity in run.identities.given for name in identity.headers}
    paths = data.get("paths") if names else None
    for item in paths.values() if isinstance(paths, dict) else ():
        for holder in (item, *(item.values() if isinstance(item, dict) else ())):
            parameters = holder.get("parameters") if isinstance(holder, dict) else None
            if isinstance(parameters, list):
                holder["parameters"] = [one for one in parameters if not _is_header(data, one, names)]


def _is_header(data: dict[str, Any], parameter: Any, names: set[str]) -> bool:
    """Tell whether a parameter, or what it refers to, is a header field of one of some names."""
    reference = parameter.get("$ref") if isinstance(parameter, dict) else None
    if isinstance(reference, str) and reference.startswith("#"):
        try:
            parameter = lookup(data, unquote(reference[1:]))
        except LookupError:
            return False
    if not isinstance(parameter, dict) or parameter.get("in") != "header":
        return False
    return str(parameter.get("name", "")).lower() in names


def _broken(data: dict[str, Any]) -> list[InvalidTransition]:
    operations = schemathesis.openapi.from_dict(copy.deepcopy(data)).get_all_operations()
    try:
        collect_transitions([result.ok() for result in operations if isinstance(result, Ok)])
    except InvalidStateMachine as error:
        return error.errors
    return []


def _with_links(run: Run, data: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Yield label, status and links of each documented response that has links."""
    for operation in run.contract.operations:
        for status in operation.responses:
            try:
                response, _ = follow(data, child(operation.pointer, "responses", str(status)))
            except (ContractError, LookupError):
                continue
            links = response.get("links") if isinstance(response, dict) else None
            if isinstance(links, dict):
                yield (operation.label, str(status)), links
