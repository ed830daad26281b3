"""The write policy: which requests may be sent, by `--only`, `--allow-writes` and whether the target is foreign."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mockserver.contract.model import SAFE_METHODS, Contract, Operation
from mockserver.contract.resources.singletons import READ, WRITE, singleton
from mockserver.contract.roles import is_login, is_undocumented
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import lookup
from mockserver.suite.secrets.known_secrets import marked

#: The word that allows unsafe probes of what no contract names.
PROBES = "probes"

_NOTHING_REVERSES = "no documented operation reverses it"
_NEVER_GIVEN_BACK = "is never shown by a read"


def matches_glob(operation: Operation, patterns: Sequence[str]) -> bool:
    """Tell whether a glob matches an operation's `operationId` or its `METHOD /path`."""
    return any(
        fnmatch.fnmatchcase(operation.id, _literal_braces(pattern))
        or fnmatch.fnmatchcase(operation.label, _literal_braces(pattern))
        for pattern in patterns
    )


def is_named(operation: Operation, patterns: Sequence[str]) -> bool:
    """Tell whether a pattern is exactly an operation's `operationId` or its `METHOD /path`."""
    return operation.id in patterns or operation.label in patterns


def cannot_be_undone(contract: Contract, operation: Operation) -> str | None:
    """Return why the effect of an operation cannot be undone, or None if it can.

    An operation that ends credentials is only ever sent with those that the run obtained, so it changes nothing else.
    """
    behaviour = operation.behaviour
    if operation.safe or operation.effect == "credentials":
        return None
    if is_login(operation):
        return "logins with wrong passwords may lock an account"
    if behaviour is not None and behaviour.resource:
        return _setting_cannot_be_undone(contract, behaviour.resource)
    if is_collection(contract, operation) or _is_item(contract, operation):
        return None
    return _NOTHING_REVERSES


def _setting_cannot_be_undone(contract: Contract, resource: str) -> str | None:
    of_it = singleton(contract, resource)
    write, read = of_it.get(WRITE), of_it.get(READ)
    if write is None or read is None:
        return "no documented operations read and write it"
    if write.behaviour is not None and write.behaviour.generated:
        return "the server generates its value, and no operation sets the earlier one again"
    return never_given_back(contract, write)


def never_given_back(contract: Contract, write: Operation) -> str | None:
    """Return which member of a written value no read shows, as a reason, or None if reads show all."""
    hidden = [name for names in _marked(contract, write, "writeOnly") for name in names[-1:]]
    return f"its {hidden[0]} {_NEVER_GIVEN_BACK}" if hidden else None


def _marked(contract: Contract, operation: Operation, keyword: str) -> list[tuple[str, ...]]:
    content = operation.request_body.content if operation.request_body else {}
    return [path for held in content.values() for path, _ in marked(contract, held.schema, keyword)]


def item_path(operation: Operation) -> str | None:
    """Return the path template of the collection item that an operation is about, None if there is none.

    `/things/{id}/` and `/things/{id}/parts` are about the item `/things/{id}/`.
    """
    if "{" not in operation.path or is_undocumented(operation):
        return None
    return parse_template(operation.path).item


def _is_item(contract: Contract, operation: Operation) -> bool:
    """Tell whether an operation changes an item of a collection whose items can be deleted."""
    template = item_path(operation)
    return template is not None and any(
        other.method == "DELETE" and item_path(other) == template and other.path.rstrip("/") == template
        for other in contract.operations
    )


def is_collection(contract: Contract, operation: Operation) -> bool:
    """Tell whether an operation creates items that another operation can delete."""
    return operation.method == "POST" and any(
        other.method == "DELETE" and is_item_of(other.path, operation.path) for other in contract.operations
    )


def is_item_of(template: str, collection: str) -> bool:
    """Tell whether a path template is a collection's path followed by one parameter."""
    head, _, last = template.rstrip("/").rpartition("/")
    return head == collection.rstrip("/") and bool(parse_template(last).name)


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """The rules for which operations may be called: the selected ones, and of unsafe methods the allowed ones.

    Attributes:
        foreign: whether the target is another machine; on loopback all selected operations are allowed.
        patterns: the `--allow-writes` globs; `probes` stands for undocumented methods and names.
        contract: says what can be undone; without a contract a glob covers all that it matches.
        restorable: resources, and `operationId`s, whose original value was given (`--restore-values`).
        selected: labels of the operations that the run is limited to, None for all.
        selected_by: names of the options that limit it.
        side_effects: by label of a GET operation that changes something, why it counts as unsafe off loopback.
    """

    foreign: bool
    patterns: tuple[str, ...] = ()
    contract: Contract | None = None
    restorable: frozenset[str] = field(default_factory=frozenset)
    selected: frozenset[str] | None = None
    selected_by: tuple[str, ...] = ("--only",)
    side_effects: Mapping[str, str] = field(default_factory=dict)

    @property
    def probes(self) -> bool:
        """Whether undefined routes may be probed with unsafe methods, and undefined names with any."""
        return not self.foreign or PROBES in self.patterns

    def refusal(self, method: str, operation: Operation | None, *, login: bool = False) -> str | None:
        """Return why a request must not be sent, or None if it may.

        Args:
            method: the request's method.
            operation: its operation, None for a probe of an undefined route.
            login: whether it logs an identity in, with that identity's own password.
        """
        # The one exception: most checks need a token, and clients log in all the time.
        if login:
            return None
        why = self.unselected(operation) if operation is not None else None
        if why is not None or not self.foreign:
            return why
        if method in SAFE_METHODS:
            return self._side_effect(method, operation) if operation is not None else None
        if operation is None or is_undocumented(operation):
            if self.probes or (operation is not None and is_named(operation, self.patterns)):
                return None
            return "it probes with an unsafe method, and --allow-writes probes was not given"
        if is_named(operation, self.patterns):
            return None
        if not matches_glob(operation, self.patterns):
            return f"{method} is not a safe method, and no --allow-writes names this operation"
        return self._not_by_a_glob(operation)

    def unselected(self, *operations: Operation) -> str | None:
        """Return which of some operations are not selected, as a reason, or None if all are."""
        if self.selected is None:
            return None
        left_out = [one.label for one in operations if one.label not in self.selected]
        return f"{' and '.join(left_out)} is not selected ({', '.join(self.selected_by)})" if left_out else None

    def changes(self, method: str, operation: Operation | None) -> bool:
        """Tell whether a request may change something, by its method or, on foreign targets, its side effects."""
        if method not in SAFE_METHODS:
            return True
        named = self.foreign and method in {"GET", "HEAD"} and operation is not None
        return named and operation is not None and operation.label in self.side_effects

    def irreversible(self, operation: Operation) -> str | None:
        """Return why the effect of an operation cannot be undone, None if it can or has none."""
        if operation.safe and operation.effect != "credentials" and self.changes(operation.method, operation):
            return _NOTHING_REVERSES
        return cannot_be_undone(self.contract, operation) if self.contract is not None else None

    def _side_effect(self, method: str, operation: Operation) -> str | None:
        if not self.changes(method, operation) or is_named(operation, self.patterns):
            return None
        why = self.side_effects[operation.label]
        return f"{method} is not safe here: {why}; --allow-writes {operation.id} allows it"

    def _not_by_a_glob(self, operation: Operation) -> str | None:
        why = cannot_be_undone(self.contract, operation) if self.contract is not None else None
        if why is None or self.restorable & {operation.id, operation.behaviour.resource if operation.behaviour else ""}:
            return None
        given = " or --restore-values with its original value" if why.endswith(_NEVER_GIVEN_BACK) else ""
        return f"{why}, so no glob covers it; --allow-writes {operation.id} does{given}"


def _literal_braces(pattern: str) -> str:
    """Return a glob in which `[` stands for itself, not for a set of characters."""
    return pattern.replace("[", "[[]")


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Between the parts of an `operationId`: `users/logout`, `UserController_logout`.
_PART = re.compile(r"[^A-Za-z0-9]+")
#: Ends a session, however the name goes on.
_ENDINGS = ("logout", "log out", "logoff", "log off", "signout", "sign out", "signoff", "sign off")
#: No noun that a path would name what it shows by.
_VERBS = (
    *("revoke", "invalidate", "unsubscribe", "deactivate", "delete", "remove", "destroy", "erase", "purge", "wipe"),
    *("terminate", "uninstall", "unlink", "unregister", "deregister"),
)
#: Nouns, too, as in `GET /runs/{id}/trigger`: an `operationId` that begins with a reading verb clears them.
_EITHER = (
    *("reset", "trigger", "cancel", "abort", "restart", "reboot", "shutdown", "disable", "enable", "activate"),
    *("regenerate", "rotate", "execute", "flush", "clear", "kill", "approve", "reject", "subscribe", "expire"),
    "resend",
)
_READING = frozenset(
    (
        *("get", "list", "find", "show", "read", "fetch", "search", "describe", "view", "count", "check", "is", "has"),
        *("query", "retrieve", "download", "export", "head", "lookup", "browse", "return", "returns", "preview"),
        "status",
    )
)
_ARTICLES = frozenset(
    ("a", "an", "the", "all", "any", "your", "my", "this", "that", "these", "its", "current", "given")
)
_PASSWORDS = frozenset({"password", "passwd", "passphrase", "passcode", "pwd"})


def side_effects(contract: Contract) -> Mapping[str, str]:
    """Return the GET and HEAD operations that seem to change something, by label, with the reason."""
    found = ((one.label, _effect(contract, one)) for one in contract.operations if one.method in {"GET", "HEAD"})
    return {label: why for label, why in found if why}


def _effect(contract: Contract, operation: Operation) -> str:
    if operation.effect is not None:
        return f"x-mockserver-effect says that it changes {operation.effect}"
    for parameter in operation.parameters:
        if parameter.location == "query" and not _PASSWORDS.isdisjoint(_words(parameter.name)):
            return f"it takes a password in the query ({parameter.name}), so it is a login"
    raw = lookup(contract.document.data, operation.pointer)
    named = str(raw.get("operationId") or "")
    parts = [_words(part) for part in _PART.split(named) if part]
    reads = any(part[0] in _READING for part in parts if part)
    segment = _last_segment(operation.path)
    if _is(segment, (*_ENDINGS, *_VERBS)) or _begins(segment, _ENDINGS) or (not reads and _acts(segment)):
        return f"its path ends in {' '.join(segment)!r}"
    if any(_begins(part, _ENDINGS) or _ends(part, _ENDINGS) for part in (*parts, _words(named))):
        return f"its operationId {named} names the end of a session"
    if not reads and any(_begins(part, _VERBS) for part in parts):
        return f"its operationId {named} is no read"
    phrase = _summary_phrase(str(raw.get("summary") or ""))
    return f"its summary says {phrase!r}" if phrase else ""


def _acts(segment: Sequence[str]) -> bool:
    """Tell whether a path segment is a verb, or begins with an unambiguous verb: `reset`, `delete-account`."""
    return _is(segment, _EITHER) or _begins(segment, _VERBS)


def _summary_phrase(summary: str) -> str:
    """Return the words at the start of an operation's summary that name a change, such as `Deletes the`; "" if none."""
    words = _words(summary)
    plain = [_imperative(words[0]), *words[1:]] if words else []
    ending = next((phrase for phrase in _ENDINGS if _begins(plain, (phrase,))), "")
    if ending:
        return ending
    acts = len(plain) > 1 and plain[1] in _ARTICLES and plain[0] in (*_VERBS, *_EITHER)
    return f"{words[0]} {words[1]}" if acts else ""


def _imperative(word: str) -> str:
    every = {verb.split()[0] for verb in (*_ENDINGS, *_VERBS, *_EITHER)}
    stems = (word, word.removesuffix("s"), word.removesuffix("es"))
    return next((stem for stem in stems if stem in every), word)


def _last_segment(path: str) -> list[str]:
    """Return the words of the last path segment that is not a parameter."""
    segments = [segment.text for segment in parse_template(path).segments if segment.literals[0]]
    return _words(segments[-1].rpartition(":")[2]) if segments else []


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _is(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return " ".join(words) in phrases


def _begins(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(list(words[: len(split)]) == split for split in map(str.split, phrases))


def _ends(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(list(words[-len(split) :]) == split for split in map(str.split, phrases))
