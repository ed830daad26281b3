"""Keeps the books of a run: what it is about to change is in the ledger before it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mockserver.contract.model import Operation
from mockserver.errors import UsageError
from mockserver.suite.exchanges import WireRequest
from mockserver.suite.identities import Identity
from mockserver.suite.interrupts import answered
from mockserver.suite.ledger import DONE, Book, Call, Item, Ledger, LedgerFile, Setting
from mockserver.suite.originals import Originals
from mockserver.suite.policy import is_login, is_named, item_path
from mockserver.suite.restoring import Restorer
from mockserver.suite.session import Run


def new_book(run: Run) -> Book:
    """Return an empty book for a run."""
    document = run.contract.document
    return Book(
        target=run.target.base_url,
        contract=str(document.path.resolve()),
        contract_sha256=document.sha256,
        overlays=[str(layer.path.resolve()) for layer in document.layers],
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


class Books:
    """A `Keeper` for the guard of a run, and what puts everything back at its end.

    Attributes:
        book: what is known so far.
    """

    def __init__(self, run: Run, originals: Originals, book: Book, file: LedgerFile | None = None) -> None:
        """Keep the books of a run.

        Args:
            run: who changes things, and through which things are put back.
            originals: values that were given, which win over those that were saved.
            book: a new one, or that of an earlier run.
            file: where it is kept; None where nobody but this run needs it.
        """
        self.book = book
        self._run = run
        self._originals = originals
        self._file = file
        self._restorer = Restorer(run, originals)
        self._tokens: list[Identity] = []
        self._closing = False
        self._open = bool(book.settings)  # whether there is anything to keep

    def before(self, operation: Operation | None, request: WireRequest) -> str | None:  # noqa: ARG002 - a Keeper's
        """Save every readable setting before the first write; return why one that cannot be put back is not touched."""
        if not self._open:
            self._open = True
            self.book.settings = self._restorer.save()
            self._keep()
        if operation is None or is_login(operation) or operation.effect == "credentials":
            return None
        setting = self._setting_of(operation)
        if setting is None:
            self._note_call(operation)
            return None
        why = self._not_to_be_touched(setting, operation)
        if why is None and not setting.touched:
            setting.touched = True
            self._keep()
        return why

    def accepted(self, operation: Operation | None, request: WireRequest) -> None:
        """Note that a request was accepted; an item that was deleted is gone."""
        if operation is None:
            return
        setting = self._setting_of(operation)
        if setting is not None and not setting.accepted:
            setting.accepted = True
            self._keep()
        path = request.path.partition("?")[0].rstrip("/")
        if operation.method == "DELETE" and item_path(operation) == operation.path.rstrip("/"):
            for item in self.book.items:
                if item.path.rstrip("/") == path:
                    self._note(item, DONE)

    def created(self, template: str, path: str) -> None:
        """Note that an item was created, which is deleted at the end."""
        self.book.items.append(Item(path, template))
        self._keep()

    def obtained(self, identity: Identity) -> None:
        """Note that a token was obtained, which is revoked at the end."""
        self._tokens.append(identity)
        self.book.sessions += 1

    def put_back(self) -> Ledger:
        """Put everything back that can be, note it, and tell what was restored and what is left.

        Ctrl-C ends it early; what is not put back by then is left, and stays in the file for `mockserver restore`.
        """
        self._closing = True
        self._run.target.governor.reopen()
        self._restorer.wait_for_trouble_to_pass()
        try:
            for item in self.book.items:
                if item.outcome != DONE:
                    self._note(item, self._restorer.item(item))
            for setting in self.book.settings:
                if setting.touched and setting.outcome != DONE:
                    self._note(setting, self._restorer.setting(setting))
            for call in self.book.calls:
                if call.outcome != DONE:
                    self._note(call, self._restorer.call(call))
            while self._tokens and self._restorer.revoke(self._tokens[-1]):
                self._tokens.pop()
                self.book.sessions -= 1
        except KeyboardInterrupt:
            answered()
            self._run.target.governor.stop("putting back was interrupted")
        if self._open:
            self._keep()
        return Ledger(self._run.guard.writes, tuple(self._restored()), tuple(self._left()))

    def _restored(self) -> Iterator[str]:
        for setting in self.book.settings:
            if setting.outcome == DONE:
                given = setting.resource in self._originals.values
                held = "never set" if setting.before == "never set" else "what it held"
                yield f"{setting.resource} ({'the value of --restore-values' if given else held})"
        yield from (f"{item.path} (deleted)" for item in self.book.items if item.outcome == DONE)
        yield from (
            f"{call.label} (called with its original value)" for call in self.book.calls if call.outcome == DONE
        )

    def _left(self) -> Iterator[str]:
        settings = [setting for setting in self.book.settings if setting.touched]
        outcomes = (
            *((one.resource, one.outcome) for one in settings),
            *((one.path, one.outcome) for one in self.book.items),
            *((one.label, one.outcome) for one in self.book.calls),
        )
        for name, outcome in outcomes:
            if outcome != DONE:
                yield f"{name} ({outcome or 'not reached; mockserver restore does it'})"
        if self.book.sessions:
            tokens = "1 token" if self.book.sessions == 1 else f"{self.book.sessions} tokens"
            yield f"{tokens} obtained by logging in (they end by themselves)"

    def _not_to_be_touched(self, setting: Setting, operation: Operation) -> str | None:
        if setting.before != "unknown" or not self._run.target.foreign:
            return None
        if setting.resource in self._originals.values or is_named(operation, self._run.policy.patterns):
            return None
        return f"what it holds could not be saved ({setting.why})"

    def _note_call(self, operation: Operation) -> None:
        """Note a call that nothing documented reverses, before it is made."""
        known = any(call.label == operation.label for call in self.book.calls)
        if not known and operation.success() and self._run.policy.irreversible(operation) is not None:
            self.book.calls.append(Call(operation.label))
            self._keep()

    def _note(self, entry: Setting | Item | Call, outcome: str) -> None:
        if entry.outcome != outcome:
            entry.outcome = outcome
            self._keep()

    def _setting_of(self, operation: Operation) -> Setting | None:
        resource = operation.behaviour.resource if operation.behaviour else ""
        return self.book.setting(resource) if resource else None

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            self._file.write(self.book)
        except UsageError:
            if not self._closing:
                raise  # nothing is changed that is not in the ledger
            # What is put back without a note is only put back twice.
