"""Ledger keeper: records in the ledger what a run changes on the target, and restores it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import state_model
from mockserver.contract.roles import is_login
from mockserver.errors import UsageError
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.interrupts import acknowledge_interrupt
from mockserver.suite.run.session import Run
from mockserver.suite.safety.ledger import (
    DONE,
    CallResult,
    CreatedItem,
    HeldContent,
    LastingCall,
    Ledger,
    LedgerFile,
    LedgerSummary,
    SavedSetting,
)
from mockserver.suite.safety.original_values import OriginalValues
from mockserver.suite.safety.policy import is_collection, is_named, item_path
from mockserver.suite.safety.restorer import Restorer
from mockserver.suite.safety.standing_items import StandingItems
from mockserver.suite.target.exchange import WireRequest

#: How many paths are read before their first write; each costs a request.
MAX_HELD = 500
#: The status of a request that created what it was about (RFC 9110, section 15.3.2); failures of the server.
_CREATED, _FAILURE = 201, 500
_GRAVITY: tuple[CallResult, ...] = ("", "refused", "unanswered", "accepted")


def new_ledger(run: Run) -> Ledger:
    """Return an empty ledger for a run."""
    document = run.contract.document
    return Ledger(
        target=run.target.base_url,
        contract=str(document.path.resolve()),
        contract_sha256=document.sha256,
        overlays=[str(layer.path.resolve()) for layer in document.layers],
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


class LedgerKeeper:
    """Records the changes of a run for its guard, and restores what the run changed at the end.

    Attributes:
        ledger: the changes recorded so far.
    """

    def __init__(self, run: Run, originals: OriginalValues, ledger: Ledger, file: LedgerFile | None = None) -> None:
        """Create the keeper for the ledger of a run.

        Args:
            run: the run that changes the target, and restores it.
            originals: values given by the user, which win over saved ones.
            ledger: a new ledger, or that of an earlier run.
            file: where the ledger is written, None if only this run needs it.
        """
        self.ledger = ledger
        self._run = run
        self._originals = originals
        self._file = file
        self._restorer = Restorer(run, originals)
        self._standing = StandingItems(run, self._restorer.items)
        self._tokens: list[Identity] = []
        self._closing = False
        self._held: dict[str, HeldContent] = {}
        self._singletons = frozenset(one.path for one in state_model(run.contract).singletons)
        self._changed: dict[str, HeldContent] = {}  # settings of the whole server that a check has just written
        self._items = {_key(item.path): item for item in ledger.items}
        self._resumed = bool(ledger.settings or ledger.items or ledger.held or ledger.calls)
        self._open = self._resumed  # whether the ledger has entries

    def before(self, operation: Operation | None, request: WireRequest) -> str | None:
        """Record what a request could change, before it is sent; return why it must not be sent, or None."""
        if not self._open:
            self._open = True
            self.ledger.settings = self._restorer.save()
            self._keep()
        if operation is None or is_login(operation) or operation.effect == "credentials":
            return None
        item = self._items.get(_key(request.path))
        if item is not None and request.method == "DELETE" and not item.deleted:
            self._restorer.items.note_listed(item)
        setting = self._setting_of(operation)
        if setting is None:
            why = self._standing.refusal(operation, request, self._items)
            if why is not None:
                return why
            held = self._hold(operation, request)
            self._note_call(operation, request, held)
            return None
        why = self._not_to_be_touched(setting, operation)
        if why is None and not setting.touched:
            setting.touched = True
            self._keep()
        return why

    def accepted(self, operation: Operation | None, request: WireRequest, status: int | None, *, named: bool) -> None:
        """Record that a request was accepted, or may have been accepted."""
        if operation is None:
            return
        sure = status is not None and status < _FAILURE
        setting = self._setting_of(operation)
        if setting is not None and not setting.accepted:
            setting.accepted = True
            self._keep()
        key = _key(request.path)
        item = self._items.get(key)
        if item is not None:
            if sure and request.method in {"DELETE", "PUT"}:
                item.deleted = request.method == "DELETE"  # a PUT makes it again
            return
        held = self._held.get(key)
        if held is not None and self._writes(operation, request):
            if held.before == "never set" or (held.before == "unknown" and status == _CREATED):
                if request.method != "DELETE":
                    self._made(operation.path, held.path, certain=sure)
                return
            if held.before == "value":
                if "{" not in held.template and held.template in self._singletons:
                    self._changed[key] = held
                if not held.accepted:
                    held.accepted = True
                    self._keep()
        if named or is_login(operation) or operation.effect == "credentials" or setting is not None:
            return
        self._record_result(operation, request, "accepted" if sure else "unanswered")

    def refused(self, operation: Operation | None, request: WireRequest) -> None:
        """Record that a request was refused, and so changed nothing."""
        call = self._call(operation, request)
        if call is not None and not call.answer:
            call.answer = "refused"
            self._keep()

    def created(self, template: str, path: str) -> None:
        """Record that an item was created, which is deleted at the end of the run."""
        self._made(template, path, certain=True)

    def obtained(self, identity: Identity) -> None:
        """Record that a token was obtained by a login, which is revoked at the end of the run."""
        self._tokens.append(identity)
        self.ledger.sessions += 1

    def put_back_settings(self) -> None:
        """Write back what settings of the whole server held, as soon as a check is done with them.

        Some decide what becomes of all other calls: a maintenance mode, a switch that makes everything read-only.
        """
        while self._changed:
            self._restorer.items.write_back(self._changed.popitem()[1])

    def put_back(self) -> LedgerSummary:
        """Restore everything that the run changed; return what was restored and what is left.

        Ctrl-C ends this early; what is not restored by then stays in the ledger file for `mockserver restore`.
        """
        self._closing = True
        self._forget_what_changed_nothing()
        self._run.target.rate_limiter.reopen()
        self._restorer.wait_for_trouble_to_pass()
        try:
            # Items below another item were created after it.
            items = [item for item in reversed(self.ledger.items) if item.outcome != DONE]
            for item, outcome in self._restorer.items.delete(items):
                self._note(item, outcome)
            self._settle_what_went_with_its_parent()
            for held in self.ledger.held:
                if held.outcome != DONE:
                    self._note(held, self._restorer.items.write_back(held, self._items))
            for setting in self.ledger.settings:
                if setting.touched and setting.outcome != DONE:
                    self._note(setting, self._restorer.setting(setting))
            for call in self.ledger.calls:
                if call.outcome != DONE:
                    self._note(call, self._restorer.call(call))
            while self._tokens and self._restorer.revoke(self._tokens[-1]):
                self._tokens.pop()
                self.ledger.sessions -= 1
        except KeyboardInterrupt:
            acknowledge_interrupt()
            self._run.target.rate_limiter.stop("putting back was interrupted")
        if self._open:
            self._keep()
        return LedgerSummary(self._run.guard.writes, tuple(self._restored()), tuple(self._left()))

    def _settle_what_went_with_its_parent(self) -> None:
        """Note what could not be deleted by itself and is gone with the item that it was below."""
        gone = tuple(f"{_key(item.path)}/" for item in self.ledger.items if item.outcome == DONE)
        for item in self.ledger.items:
            below = item.outcome != DONE and item.path.startswith(gone)
            if below and not self._restorer.items.is_there(item.template, item.path):
                self._note(item, DONE)

    def _restored(self) -> Iterator[str]:
        for setting in self.ledger.settings:
            if setting.outcome == DONE:
                given = setting.resource in self._originals.values
                held = "never set" if setting.before == "never set" else "what it held"
                yield f"{setting.resource} ({'the value of --restore-values' if given else held})"
        yield from (f"{item.path} (deleted)" for item in self.ledger.items if item.outcome == DONE and item.certain)
        yield from (f"{held.path} (what it held)" for held in self.ledger.held if held.outcome == DONE)
        yield from (
            f"{call.label} (called with its original value)" for call in self.ledger.calls if call.outcome == DONE
        )

    def _left(self) -> Iterator[str]:
        settings = [setting for setting in self.ledger.settings if setting.touched]
        outcomes = (
            *((one.resource, one.outcome) for one in settings),
            *((one.path, one.outcome) for one in self.ledger.items),
            *((one.path, one.outcome) for one in self.ledger.held),
            *((one.label, one.outcome) for one in self.ledger.calls),
        )
        for name, outcome in outcomes:
            if outcome != DONE:
                yield f"{name} ({outcome or 'not reached; use `mockserver restore`'})"
        if self.ledger.sessions:
            tokens = "1 token" if self.ledger.sessions == 1 else f"{self.ledger.sessions} tokens"
            yield f"{tokens} obtained by logging in (they expire by themselves)"

    def _not_to_be_touched(self, setting: SavedSetting, operation: Operation) -> str | None:
        if setting.before != "unknown" or not self._run.target.foreign:
            return None
        if setting.resource in self._originals.values or is_named(operation, self._run.policy.patterns):
            return None
        return f"its value could not be saved ({setting.why})"

    def _forget_what_changed_nothing(self) -> None:
        """Remove ledger entries of requests that were refused or never sent.

        After a run that was killed, requests without a known result stay in the ledger.
        """
        if self._resumed:
            self.ledger.calls = [call for call in self.ledger.calls if call.answer != "refused"]
            return
        self.ledger.calls = [call for call in self.ledger.calls if call.answer in {"unanswered", "accepted"}]
        self.ledger.held = [held for held in self.ledger.held if held.accepted]

    def _hold(self, operation: Operation, request: WireRequest) -> HeldContent | None:
        """Return the content of a path before its first write or delete, None if it need not be restored."""
        key, path = _key(request.path), request.path.partition("?")[0]
        if not self._writes(operation, request) or operation.id in self._originals.values or key in self._items:
            return None
        held = self._held.get(key)
        if held is None:
            if len(self._held) < MAX_HELD:
                held = self._restorer.items.look(operation.path, path)
            else:
                held = HeldContent(
                    path, operation.path, "unknown", why=f"no more than {MAX_HELD} paths are read before"
                )
            self._held[key] = held
            if held.before == "value":
                self.ledger.held.append(held)
                self._keep()
            elif held.before == "never set" and request.method != "DELETE" and self._file is not None:
                self._made(operation.path, path, certain=False)
        return held

    def _made(self, template: str, path: str, *, certain: bool) -> None:
        known = self._items.get(_key(path))
        if known is None:
            self._items[_key(path)] = item = CreatedItem(path, template, certain=certain)
            self.ledger.items.append(item)
            self._keep()
            return
        known.deleted = False  # it is there again
        if certain and not known.certain:
            known.certain = True
            self._keep()

    def _note_call(self, operation: Operation, request: WireRequest, held: HeldContent | None) -> None:
        """Record a call whose effect cannot be undone, before the call is made."""
        why = self._lasting(operation, request, held)
        if why is not None and self._call(operation, request) is None and operation.success():
            self.ledger.calls.append(LastingCall(_label(operation, request), answer="", why=why))
            self._keep()

    def _lasting(self, operation: Operation, request: WireRequest, held: HeldContent | None) -> str | None:
        """Return why the effect of a call cannot be undone, None if it can, or if there is no effect."""
        if held is not None:
            return f"what was there before is not known: {held.why}" if held.before == "unknown" else None
        if operation.method != request.method and request.method != "HEAD":
            return "the contract does not define it, so nothing says what it changed"
        if _key(request.path) in self._items:
            return None
        template = item_path(operation)
        if template is not None and operation.path.rstrip("/") != template and not self._is_below_own(request):
            return self._run.policy.irreversible(operation) or "it was called on an item that was there before the run"
        return self._run.policy.irreversible(operation)

    def _record_result(self, operation: Operation, request: WireRequest, answer: CallResult) -> None:
        """Record the result of a call that cannot be undone, or of a creation whose response names no item."""
        call = self._call(operation, request)
        if call is None:
            if request.method != "POST" or not is_collection(self._run.contract, operation):
                return
            why = "no response says what it created"
            call = LastingCall(_label(operation, request), answer="", why=why)
            self.ledger.calls.append(call)
        if _GRAVITY.index(answer) > _GRAVITY.index(call.answer):
            call.answer = answer
            self._keep()

    def _call(self, operation: Operation | None, request: WireRequest) -> LastingCall | None:
        label = _label(operation, request) if operation is not None else ""
        return next((call for call in self.ledger.calls if call.label == label), None)

    def _writes(self, operation: Operation, request: WireRequest) -> bool:
        """Tell whether a request replaces, changes or deletes the resource at its path (RFC 9110, section 9.3)."""
        by_post = request.method == operation.method == "POST" and operation.path in self._singletons
        return by_post or request.method in {"PUT", "PATCH", "DELETE"}

    def _is_below_own(self, request: WireRequest) -> bool:
        path = request.path.partition("?")[0]
        return any(path.startswith(f"{key}/") for key in self._items)

    def _note(self, entry: SavedSetting | CreatedItem | HeldContent | LastingCall, outcome: str) -> None:
        if entry.outcome != outcome:
            entry.outcome = outcome
            self._keep()

    def _setting_of(self, operation: Operation) -> SavedSetting | None:
        resource = operation.behaviour.resource if operation.behaviour else ""
        return self.ledger.setting(resource) if resource else None

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            self._file.write(self.ledger)
        except UsageError:
            if not self._closing:
                raise  # nothing may be changed that is not in the ledger
            # An entry restored without a note is only restored a second time.


def _key(path: str) -> str:
    """Return a path without its query and last slash, as the key of an item."""
    return path.partition("?")[0].rstrip("/")


def _label(operation: Operation, request: WireRequest) -> str:
    """Return the label of a call: its method, which may be undefined, and the operation's path template."""
    return operation.label if request.method == "HEAD" else f"{request.method} {operation.path}"
