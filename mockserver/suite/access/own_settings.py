"""The check of settings that each account has for itself: what one account writes is not what another one reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import Singleton, state_model
from mockserver.http.pointers import child
from mockserver.suite.access.other_accounts import other_accounts
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state.comparison import Likeness, aligned, likeness
from mockserver.suite.state.item_life import told
from mockserver.suite.state.items import Items, written
from mockserver.suite.state.singleton_checks import Look, changed_content, put_back
from mockserver.suite.target.exchange import Exchange, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

CHECK = "settings_of_others_are_out_of_reach"
#: Words of a summary or description for what is the caller's own. "Your" may mean all accounts of a customer.
_OWN = re.compile(
    r"\bcaller'?s\b|\bmy\b|\b(?:authenticated|current|calling|signed.in|logged.in) (?:user|account|caller)(?:'?s)?\b",
    re.IGNORECASE,
)
_OWN_SEGMENT = re.compile(r"me|self|my|my[-_]\w+", re.IGNORECASE)
#: Members that tell whose it is.
_WHOSE = ("id", "uuid", "user", "username", "login", "email", "owner", "name", "sub")


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the check of each singleton that the contract calls the caller's own.

    Our own stub keeps one for all callers, so it is no judge of them.
    """
    return [] if run.oracle else list(_planned(run))


def _planned(run: Run) -> Iterator[PlannedCheck]:
    for singleton in state_model(run.contract).singletons:
        read, writes = singleton.read, singleton.writes
        judged = {role: one for role, one in writes.items() if run.has_selected(one)}
        if "{" in read.path or not judged or not run.has_selected(read) or not asks_for_credentials(run.contract, read):
            continue
        if _is_own(run, read, *judged.values()):
            role = next(iter(judged))
            make = partial(settings_of_others_are_out_of_reach, singleton=singleton, role=role)
            yield PlannedCheck(CHECK, read.label, make)


def _is_own(run: Run, *operations: Operation) -> bool:
    if any(_OWN_SEGMENT.fullmatch(segment) for segment in operations[0].path.split("/")):
        return True
    texts = (run.contract.at(one.pointer).get(name) for one in operations for name in ("summary", "description"))
    return any(isinstance(text, str) and _OWN.search(text) for text in texts)


def settings_of_others_are_out_of_reach(session: Session, *, singleton: Singleton, role: str) -> int:
    """Check that a setting which is the caller's own stays as it is when another account writes its own."""
    run, read, write = session.run, singleton.read, singleton.writes[role]
    if run.own:
        raise NoOccasion("our stub keeps one for all callers")
    first = run.allowed(write)
    other = next(one for one in other_accounts(run, write) if first is None or one.username != first.username)
    items = Items(session)
    mine = Look(session, items, None, read)
    theirs = _shown(session, read, other)
    _require_two(mine.value(), theirs)
    body, changed = changed_content(items, write, mine.value(), role)
    content, media_type = written(write, body)
    request = session.request(write, first, body=content, media_type=media_type)
    response = session.call(write, request)
    if not response.successful:
        raise NotRun(f"the write was answered with {response.status}")
    try:
        again = session.request(read, other)
        seen = session.call(read, again)
        before, after = _part(changed, theirs), _part(changed, json_or_none(seen))
        reached = [
            name
            for name, value in changed.items()
            if name in after
            and likeness(value, after[name]) is Likeness.SAME
            and likeness(value, before.get(name)) is not Likeness.SAME
        ]
        if seen.successful and reached:
            raise CheckFailure(
                CHECK,
                read.label,
                "what one account writes is changed for another account, too",
                expected=f"{other.label} to see its own as before, since the contract calls it the caller's own",
                got=told({name: after[name] for name in reached}),
                pointer=child(read.pointer, "summary"),
                rule="contract",
                exchange=Exchange(again, seen, history=(Exchange(request, response),)),
            )
    finally:
        put_back(session, items, None, singleton, mine)
    return 1


def _shown(session: Session, read: Operation, who: Identity) -> Any:
    response = session.call(read, session.request(read, who))
    value = json_or_none(response)
    if not response.successful or not isinstance(value, dict):
        raise NotRun(f"its read by {who.label} was answered with {response.status}")
    return value


def _require_two(mine: Any, theirs: Any) -> None:
    """Raise NoOccasion if both accounts are shown as one.

    Raises:
        NoOccasion: they have the same identifier.
    """
    for name in _WHOSE if isinstance(mine, Mapping) else ():
        if mine.get(name) not in (None, "") and mine.get(name) == theirs.get(name):
            raise NoOccasion(f"both identities are one account: {name} is the same")


def _part(changed: dict[str, Any], shown: Any) -> dict[str, Any]:
    found = aligned(changed, shown)
    return found[1] if found is not None else {}
