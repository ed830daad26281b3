"""The ledger: what a run changed on the target and whether it was restored, in a file that outlives the run."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mockserver.errors import UsageError

VERSION = 1
#: File mode: only the owner may read settings.
_PRIVATE = 0o600
#: How the content of a ledger file begins, also after it was edited by hand.
_BEGINNING = re.compile(rb'\s*\{\s*"(version|target)"\s*:')
_BEGINNING_BYTES = 200
#: Outcome of an entry that was restored to its state before the run.
DONE = "restored"
#: State of a setting before the run: it had a value, was never set, or that is unknown.
Before = Literal["value", "never set", "unknown"]


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """Summary of the ledger for reports: what was restored, and what is left changed.

    Attributes:
        writes: accepted requests with unsafe methods.
        restored: resources that hold again what they held, a line each.
        left: what the run changed and did not put back, a line each with the reason.
    """

    writes: int = 0
    restored: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(slots=True)
class SavedSetting:
    """The state of a setting before the run first wrote it.

    Attributes:
        resource: its name.
        before: what it was.
        value: the value that it had.
        why: why that could not be found out.
        touched: whether a request that may change it was sent.
        accepted: whether one was accepted, or not answered.
        outcome: `DONE`, or why it is left; "" as long as nothing was tried.
    """

    resource: str
    before: Before
    value: Any = None
    why: str = ""
    touched: bool = False
    accepted: bool = False
    outcome: str = ""


@dataclass(slots=True)
class CreatedItem:
    """An item that the run created; it is `DONE` once a read says that it is gone.

    Attributes:
        deleted: whether the run deleted it already, as it was answered.
        certain: whether a response said that the item was created; else the request may have been lost or failed.
    """

    path: str
    template: str
    outcome: str = ""
    deleted: bool = False
    certain: bool = True


@dataclass(slots=True)
class HeldContent:
    """The content of a path before the run first sent a `PUT`, `PATCH` or `DELETE` to it.

    Attributes:
        before: what it was; never set: nothing was there.
        value: the JSON value that its read showed.
        why: why that is not known, or not kept.
        accepted: whether a request was accepted, or not answered.
        outcome: `DONE`, or why it is left; "" as long as nothing was tried.
    """

    path: str
    template: str
    before: Before
    value: Any = None
    why: str = ""
    accepted: bool = False
    outcome: str = ""


#: Result of an operation's calls so far: unknown, all refused, one may have been accepted, one was accepted.
CallResult = Literal["", "refused", "unanswered", "accepted"]


@dataclass(slots=True)
class LastingCall:
    """An operation that the run called and whose effect cannot be undone, or only by calling it again.

    Attributes:
        answer: the gravest result of its calls.
        why: why the effect cannot be undone.
    """

    label: str
    outcome: str = ""
    answer: CallResult = "accepted"
    why: str = "no documented operation reverses it"


@dataclass(slots=True)
class Ledger:
    """Everything that is needed to restore what a run changed on the target.

    Attributes:
        process: number of the process that writes the ledger, on the machine `host`.
        sessions: tokens that the run obtained by logging in. They are secrets, so they are counted and not kept.
    """

    target: str
    contract: str
    contract_sha256: str
    overlays: list[str]
    started: str
    host: str = field(default_factory=socket.gethostname)
    process: int = field(default_factory=os.getpid)
    settings: list[SavedSetting] = field(default_factory=list)
    items: list[CreatedItem] = field(default_factory=list)
    calls: list[LastingCall] = field(default_factory=list)
    held: list[HeldContent] = field(default_factory=list)
    sessions: int = 0

    def setting(self, resource: str) -> SavedSetting | None:
        """Return the saved state of a setting, None if there is none."""
        return next((setting for setting in self.settings if setting.resource == resource), None)

    @property
    def abandoned(self) -> bool:
        """Whether the run was killed, as far as seen from here, before it restored what it had changed."""
        elsewhere = self.host != socket.gethostname()
        return not elsewhere and self.process != os.getpid() and not _runs(self.process) and self.unfinished

    @property
    def unfinished(self) -> bool:
        """Whether anything that the run changed was neither restored nor given up."""
        outcomes = [one.outcome for one in self.settings if one.touched]
        outcomes += [one.outcome for one in self.items] + [one.outcome for one in self.held]
        outcomes += [one.outcome for one in self.calls if one.answer != "refused"]
        return "" in outcomes


class LedgerFile:
    """The ledger on disk: each change is written before its request is sent, so that it survives `kill -9`.

    Attributes:
        path: the file; changed to a free name if the file exists when a new ledger is first written.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        """Take the path of a ledger file; a `new` one never overwrites an existing file."""
        self.path = path
        self._new = new

    def write(self, ledger: Ledger) -> None:
        """Replace the ledger file's content atomically, and wait until it is on the disk.

        Raises:
            UsageError: it cannot be written; nothing may be changed then.
        """
        self._take_name()
        text = json.dumps({"version": VERSION, **asdict(ledger)}, indent=1, ensure_ascii=False) + "\n"
        new = self.path.with_name(self.path.name + ".new")
        try:
            number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unwritable(error) from error

    def _take_name(self) -> None:
        """Create a new ledger file under the first file name that is free.

        Raises:
            UsageError: it cannot be created.
        """
        wanted, number = self.path, 1
        while self._new:
            try:
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
                self._new = False
            except FileExistsError:
                number += 1
                self.path = wanted.with_stem(f"{wanted.stem}-{number}")
            except OSError as error:
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(f"{self.path}: the ledger cannot be written: {error.strerror}; check --ledger")

    def read(self) -> Ledger:
        """Return the ledger from the file.

        Raises:
            UsageError: it cannot be read, or is no ledger.
        """
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.path}: cannot be read: {error}; name a ledger that check or fuzz wrote") from error
        try:
            if data.pop("version") != VERSION:
                raise UsageError(f"{self.path}: a ledger of another version; use the mockserver that wrote it")
            settings = [SavedSetting(**raw) for raw in data.pop("settings")]
            items = [CreatedItem(**raw) for raw in data.pop("items")]
            calls = [LastingCall(**raw) for raw in data.pop("calls")]
            held = [HeldContent(**raw) for raw in data.pop("held", ())]
            return Ledger(**data, settings=settings, items=items, calls=calls, held=held)
        except (AttributeError, KeyError, TypeError) as error:
            raise UsageError(f"{self.path}: is no ledger; name one that check or fuzz wrote") from error


def _runs(process: int) -> bool:
    """Tell whether a process of this machine is still running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True


def left_open(folder: Path, target: str, *, alone: bool = False) -> Path | None:
    """Return the ledger file of a killed run on the same target that was never restored, None if there is none.

    The file may have any name: it is recognised by how its content begins.

    Args:
        folder: where it may be.
        target: base URL of the target.
        alone: whether the lock on the target says that no other run is at work, in whatever container; else a ledger of
            another host, or of a process that runs, is left to whom it belongs.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not _begins_like_a_ledger(path):
            continue
        try:
            ledger = LedgerFile(path).read()
        except UsageError:
            continue  # no ledger, or one of another version, which cannot be read
        killed = ledger.unfinished if alone else ledger.abandoned
        if ledger.target == target and killed:
            return path
    return None


def _begins_like_a_ledger(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return _BEGINNING.match(file.read(_BEGINNING_BYTES)) is not None
    except OSError:
        return False
