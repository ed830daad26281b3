"""Plan of a run: which requests are sent, how fast, what is withheld, and what is put back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.contract.roles import is_login
from mockserver.http.path_templates import parse_template
from mockserver.suite.access import doors, effects
from mockserver.suite.cases.setting_states import resources
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.identities.identities import asks_for_credentials
from mockserver.suite.run.session import Run
from mockserver.suite.safety.original_values import OriginalValues
from mockserver.suite.safety.policy import cannot_be_undone, is_collection, is_item_of, never_given_back
from mockserver.suite.safety.rate_limiter import MAX_PAUSE_SECONDS
from mockserver.suite.safety.restorer import may_change
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.verdicts.failures import NotRun

#: Purpose of a request that undoes something.
_TO = {"deleted by": "to delete", "looked at by": "to look at", "read by": "to save", "put back by": "to put back"}


#: Requests that a planned check sends, about; 4 to 7 with contracts of all sizes.
_REQUESTS_OF_A_CHECK = 5
#: Requests that `fuzz` sends for an example of an operation, about, over all phases and checks; 2 to 4 were seen.
_REQUESTS_OF_AN_EXAMPLE = 3
#: Requests a second that a server on this machine takes, about; and the seconds that a short run takes all the same.
_LOCAL_RATE, _SHORTEST_SECONDS = 200, 5


def as_lines(
    command: str,
    run: Run,
    originals: OriginalValues,
    *,
    examples: int | None,
    ledger: str,
    own: bool,
    planned: Sequence[PlannedCheck] = (),
) -> Iterator[str]:
    """Yield the plan as lines of text.

    Args:
        command: `check` or `fuzz`.
        run: what would be run; nothing is sent for this.
        originals: values that were given to be put back.
        examples: generated cases for each operation, None where none are generated.
        ledger: the ledger's file, "" if there is none.
        own: whether the target is a stub that is started for the run.
        planned: planned checks of `check`, for an estimate of the requests.
    """
    allowed = [operation for operation in run.selected if _refusal(run, operation) is None]
    target = "a stub that is started for it" if own else getattr(run.target, "name", run.target.base_url)
    yield f"Plan of {command} on {target}" + (", treated as somebody else's server" * run.target.foreign)
    yield from _amount(run, allowed, examples, planned)
    yield "Called:"
    yield from (f"  {operation.label}  {_caller(run, operation)}" for operation in allowed)
    yield from _logins(run)
    yield from _probes(run)
    if examples is not None:
        yield "  GET /schemathesis-probe...  to see which characters arrive in a path"
    guarded = list(dict.fromkeys(entry.operation for entry in doors.planned_checks(run)))
    if guarded:
        named = " and ".join(guarded) if run.policy.foreign else f"{len(guarded)} reads"
        yield f"  ways around the credentials of {named}: other spellings of the path, fields of proxies, other methods"
    written = {entry.operation for entry in effects.planned_checks(run)} & {one.label for one in allowed}
    if written:
        beside = "" if run.policy.foreign else ", and beside its path"
        yield f"  {len(written)} operations on items of the run's own with credentials that must be refused{beside}"
    besides: dict[str, list[str]] = {}
    for operation, purpose in _besides(run, own=own) if run.policy.selected is not None else ():
        besides.setdefault(operation.label, []).append(purpose)
    if besides:
        yield f"Also called, although {', '.join(run.policy.selected_by)} leaves them out:"
        yield from (f"  {label}  {', '.join(reasons)}" for label, reasons in besides.items())
    withheld: dict[str, list[str]] = {}
    for operation in run.selected:
        if (why := _refusal(run, operation)) is not None:
            withheld.setdefault(why, []).append(operation.label)
    if withheld:
        yield "Withheld:"
    for why, labels in withheld.items():
        yield from (f"  {label}" for label in labels)
        yield f"    because {why}"
    if not own:
        yield from _changes(run, originals, allowed, ledger)


def _probes(run: Run) -> Iterator[str]:
    """Yield what is called besides operations: is anything there, and what no contract defines."""
    if run.guard.refusal(WireRequest("GET", "/"), None) is None:
        yield "  GET /  to see whether anything is there"
    methods = "all of them" if run.policy.probes else f"safe ones alone ({', '.join(sorted(SAFE_METHODS))})"
    yield f"  the path of each selected operation, by methods that it does not define: {methods}"
    yield "  undefined names below and beside these paths (/undefined-...), " + (
        "by the methods that they define" if run.policy.probes else "by GET"
    )


def _logins(run: Run) -> Iterator[str]:
    """Yield the calls that get credentials, which are made at the start and whenever those have expired."""
    callers: dict[str, list[str]] = {}
    for account in run.renewal.accounts:
        for call in (*account.requests.besides, account.requests.described):
            callers.setdefault(call, []).append(account.identity.label)
    for call, labels in callers.items():
        yield f"  {call}  to log in {', '.join(labels)}, again when that has expired"


def may_write(run: Run) -> bool:
    """Tell whether a run may change any state of the target, apart from logins."""
    return run.policy.probes or any(
        run.policy.changes(operation.method, operation) and not is_login(operation) and _refusal(run, operation) is None
        for operation in run.selected
    )


def _besides(run: Run, *, own: bool) -> Iterator[tuple[Operation, str]]:
    """Yield operations that are called although --only leaves them out, each with the purpose."""
    for operation in run.contract.operations:
        if is_login(operation) and _can_log_in(run) and not run.has_selected(operation):
            yield operation, "by identities that have a password, to log in"
    for resource in () if own else resources(run.contract):
        purposes = (
            (resource.read, "to save and look at"),
            (resource.write, "to put back"),
            (resource.reset, "to reset"),
        )
        for needed, purpose in purposes if may_change(run, resource) else ():
            if needed is not None and not run.has_selected(needed):
                yield needed, f"{purpose} {resource.name}"
    for operation in () if own else run.selected:
        for what, means in _undone_by(run, operation) if _refusal(run, operation) is None else ():
            yield from ((other, f"{_TO[by]} {what}") for by, other in means if not run.has_selected(other))


def _undone_by(run: Run, operation: Operation) -> Iterator[tuple[str, list[tuple[str, Operation]]]]:
    """Yield what an operation creates or changes outside of settings, with the operations that undo it."""
    behaviour = operation.behaviour
    if operation.safe or operation.effect == "credentials" or (behaviour is not None and behaviour.resource):
        return
    others = {(one.method, parse_template(one.path).nameless): one for one in run.contract.operations}
    if operation.method == "POST" and is_collection(run.contract, operation):
        deletes = (
            one for one in run.contract.operations if one.method == "DELETE" and is_item_of(one.path, operation.path)
        )
        for delete in deletes:
            read = others.get(("GET", parse_template(delete.path).nameless))
            looks = [("looked at by", read)] if read is not None else []
            yield f"what {operation.label} creates", [("deleted by", delete), *looks]
    elif operation.method in {"PUT", "PATCH", "DELETE"}:
        path = parse_template(operation.path).nameless
        read, write = others.get(("GET", path)), others.get(("PUT", path))
        if read is not None and write is not None and never_given_back(run.contract, write) is None:
            yield f"what {operation.label} changes", [("read by", read), ("put back by", write)]


def _amount(run: Run, allowed: list[Operation], examples: int | None, planned: Sequence[PlannedCheck]) -> Iterator[str]:
    limits, rate = run.target.rate_limiter.limits, run.target.rate_limiter.rate
    budget = limits.budget
    withheld = {operation.label for operation in run.selected} - {operation.label for operation in allowed}
    yield f"  operations: {len(allowed)} called, {_by_method(allowed)}; {len(withheld)} withheld"
    amounts, times = [], []
    if examples is None:
        made = sum(one.operation not in withheld for one in planned)
        about, of = made * _REQUESTS_OF_A_CHECK, f"in {made} steps"
    else:
        about, of = examples * len(allowed) * _REQUESTS_OF_AN_EXAMPLE, f"from {examples} examples for each operation"
    most = about if budget is None else budget * len(allowed)
    about = min(about, most)
    if about:
        amounts.append(f"about {about}, {of}")
        times.append(f"about {_duration(about / rate if rate else max(about / _LOCAL_RATE, _SHORTEST_SECONDS))}")
    if budget is not None:
        amounts.append(f"at most {most}, {budget} for each operation: {_by_method(allowed, budget)}")
        times += [f"at most {_duration(most / rate)}"] if rate else []
    if amounts:
        yield f"  requests: {'; '.join(amounts)}"
    pace = f"with {rate:g} requests a second over one connection" if rate else "as fast as the target responds"
    yield f"  time: {', '.join(['; '.join(times), pace] if times else [pace])}"
    if limits.patient:
        yield f"  Retry-After up to {MAX_PAUSE_SECONDS:g} s is obeyed; repeated failures or 429 responses end the run"


def _by_method(operations: list[Operation], times: int = 1) -> str:
    """Return the numbers of operations by method, as `2 safe (GET 2) and 1 unsafe (POST 1)`, times a factor."""
    parts = []
    for name, wanted in (("safe", True), ("unsafe", False)):
        counts = Counter(operation.method for operation in operations if operation.safe is wanted)
        methods = ", ".join(f"{method} {counts[method] * times}" for method in sorted(counts))
        parts.append(f"{counts.total() * times} {name}" + (f" ({methods})" if methods else ""))
    return " and ".join(parts)


def _changes(run: Run, originals: OriginalValues, allowed: list[Operation], ledger: str) -> Iterator[str]:
    saved, left = [], []
    for resource in resources(run.contract):
        if not may_change(run, resource):
            continue
        why = cannot_be_undone(run.contract, resource.write)
        if resource.name in originals.values:
            saved.append(f"  {resource.name}  by {resource.write.label}, with its value of --restore-values")
        elif why is None:
            reset = f"; by {resource.reset.label} if it was never set" if resource.reset else ""
            saved.append(f"  {resource.name}  read by {resource.read.label}; put back by {resource.write.label}{reset}")
        else:
            left.append(f"  {resource.name}  unless it was never set: {why}")
    for operation in allowed:
        for what, needed in _undone_by(run, operation):
            means = "; ".join(f"{by} {other.label}" for by, other in needed)
            saved.append(f"  {what}  {means}")
    settings = {operation.id for one in resources(run.contract) for operation in (one.write, one.reset) if operation}
    for operation in allowed:
        why = run.policy.irreversible(operation)
        undone = any(True for _ in _undone_by(run, operation))
        if why and not undone and operation.id not in settings and not is_login(operation) and operation.success():
            left.append(f"  {operation.label}  {why}")
    if saved:
        yield "Saved before the first write, and put back at the end, also after Ctrl-C:"
        yield from saved
    if left:
        yield "Changed and not put back:"
        yield from left
    if ledger:
        yield f"Ledger: {ledger} (to undo the changes later: mockserver restore {ledger})"


def _refusal(run: Run, operation: Operation) -> str | None:
    why = run.policy.refusal(operation.method, operation)
    return None if why is not None and is_login(operation) and _can_log_in(run) else why


def _can_log_in(run: Run) -> bool:
    return any(identity.password for identity in run.identities.all)


def _caller(run: Run, operation: Operation) -> str:
    """Return a phrase for the identity with which the run calls an operation."""
    if is_login(operation):
        own = "" if run.policy.refusal(operation.method, operation) is None else ", with their own passwords only"
        return "by all identities that have a password" + own
    if not operation.security:
        return "without credentials"
    try:
        identity = run.allowed(operation)
    except NotRun as reason:
        if not asks_for_credentials(run.contract, operation):
            return f"not called: {reason}"
        return f"without credentials, and with credentials that must be refused; not as anybody: {reason}"
    caller = f"by {identity.label}" if identity else "without credentials"
    return f"{caller}, and with credentials that must be refused"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
