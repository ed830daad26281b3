"""Lock on a target: one run at a time writes to a server, seen by all who share a folder, containers included.

The operating system holds the lock, not the file's content: it ends with the process, however that ends, and numbers of
processes mean nothing in another container. The parts of one run share it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from mockserver.errors import UsageError

try:
    import fcntl
except ImportError:  # pragma: no cover - a system without such locks
    fcntl = None  # type: ignore[assignment]

#: Everybody on the machine may look who holds a lock in the folder for temporary files.
_MODE = 0o666


@contextmanager
def locked_target(target: str, folders: Iterable[Path], *, shared: bool = False) -> Iterator[None]:
    """Hold the lock on a target within the context, in the folder for temporary files and in others.

    Args:
        target: its base URL.
        folders: where ledgers of runs on it may be.
        shared: whether other parts of the same run may hold it, too.

    Raises:
        UsageError: another run holds it; the message says which.
    """
    places = dict.fromkeys([Path(tempfile.gettempdir()), *folders])
    with ExitStack() as stack:
        for folder in places if fcntl is not None else ():
            path = folder / f".mockserver-{hashlib.sha256(target.encode()).hexdigest()[:12]}.lock"
            stack.enter_context(_locked(path, target, shared=shared))
        yield


@contextmanager
def _locked(path: Path, target: str, *, shared: bool) -> Iterator[None]:
    number = _taken(path, target, shared=shared)
    if number is None:
        yield  # a folder that nobody can write to holds no ledger, either
        return
    try:
        yield
        with suppress(OSError):  # other parts of the run hold it, too: the last one removes the file
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    finally:
        os.close(number)


def _taken(path: Path, target: str, *, shared: bool) -> int | None:
    """Return the file that holds the lock, None if it cannot be created.

    Raises:
        UsageError: another run holds it.
    """
    while True:
        try:
            number = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
        except OSError:
            return None
        try:
            _take(number, path, target, shared=shared)
            if os.fstat(number).st_ino == path.stat().st_ino:
                return number
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(number)
            raise
        os.close(number)  # who held it before has just removed it: the next one would open another file


def _take(number: int, path: Path, target: str, *, shared: bool) -> None:
    """Take the lock, and note in the file who holds it.

    Raises:
        UsageError: another run holds it.
    """
    try:
        fcntl.flock(number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        raise UsageError(
            f"{target}: another run writes to this target{_holder(number)}; each would take what the other wrote for "
            f"the owner's, so wait for it (lock: {path})"
        ) from error
    with suppress(OSError):
        note = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        os.ftruncate(number, 0)
        os.pwrite(number, json.dumps(note).encode(), 0)


def _holder(number: int) -> str:
    try:
        note = json.loads(os.pread(number, 1000, 0))
        return f" (process {note['process']} on {note['host']}, since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
