"""Report files: which reports were requested, whether they can be written, and writing them."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from mockserver.errors import UsageError
from mockserver.suite.reports.har import Recording, as_har, escaped
from mockserver.suite.reports.html import as_html
from mockserver.suite.reports.json_report import Document
from mockserver.suite.reports.junit import as_junit
from mockserver.suite.reports.markdown import as_markdown
from mockserver.suite.run.internal_errors import mistake_line

#: Gives a report's text, in pieces.
Render = Callable[[Document], Iterable[str]]


def _json(document: Document) -> Iterable[str]:
    yield escaped(json.dumps(document, indent=1, ensure_ascii=False)) + "\n"


#: Kind of report -> how it is made of the document.
KINDS: Mapping[str, Render] = {
    "json": _json,
    "junit": as_junit,
    "html": as_html,
    "har": as_har,
    "markdown": as_markdown,
}


class Reports:
    """Reports that a command was asked to write, by kind.

    Raises:
        UsageError: a value that is no `KIND=FILE`, one file for two reports, or a file that cannot be written.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self.files = [parse_report_option(value) for value in values]
        paths = [path.absolute() for _, path in self.files]
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            raise UsageError(f"--report: {twice} is named twice; give each report its own file")
        for kind, path in self.files:
            require_writable(f"--report {kind}", path)

    def has(self, kind: str) -> bool:
        """Tell whether a report of a kind was requested."""
        return any(wanted == kind for wanted, _ in self.files)

    def write(
        self,
        document: Document,
        *,
        recording: Recording | None = None,
        redact: Callable[[str], str] = str,
    ) -> list[str]:
        """Write all requested reports; return an error line for each that cannot be written.

        Args:
            document: what they tell.
            recording: the run's exchanges, for a HAR.
            redact: takes out of each piece of text what must not be in it.
        """
        problems = []
        for kind, path in self.files:
            try:
                pieces = as_har(document, recording) if kind == "har" else KINDS[kind](document)
                write(path, map(redact, pieces))
            except OSError as error:
                problems.append(f"{path}: the {kind} report cannot be written: {reason(error)}")
            except Exception as error:  # noqa: BLE001 - a mistake in one report is none of the others'
                problems.append(
                    f"{path}: the {kind} report cannot be written: {mistake_line(f'the {kind} report', error)}"
                )
        return problems


def parse_report_option(text: str) -> tuple[str, Path]:
    """Return kind and file of a `--report KIND=FILE` option.

    Raises:
        UsageError: another form, or a kind that does not exist.
    """
    kind, equals, name = text.partition("=")
    if kind not in KINDS:
        raise UsageError(f"--report {text!r}: the kind {kind!r} does not exist; kinds are {', '.join(KINDS)}")
    if not equals or not name:
        raise UsageError(f"--report {text!r}: a file is missing; write {kind}=FILE")
    return kind, Path(name)


def write(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file atomically: readers see the old or the new content, never a part.

    Raises:
        OSError: it cannot be written; what was there stays as it was.
    """
    if _is_special(path):  # there is nothing to replace in /dev/stdout or a pipe
        with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(pieces)
        return
    target = path.resolve()  # a link stays a link
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def reason(error: OSError) -> str:
    """Return why a file cannot be written, with the remedy."""
    remedies = {
        errno.ENOENT: "its folder does not exist; create it first",
        errno.ENOTDIR: "its folder is a file; check --report",
        errno.EISDIR: "it is a folder; name a file in it",
        errno.ENOSPC: "the disk is full; free some space",
        errno.EACCES: "permission denied; choose another folder",
        errno.EROFS: "the file system is read-only; choose another folder",
    }
    return remedies.get(error.errno or 0, f"{error.strerror or error}; check --report")


def require_writable(option: str, path: Path) -> None:
    """Raise UsageError before the run if a file could not be written after it.

    Raises:
        UsageError: it cannot be written; the message names the option.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if _is_special(path):
            return
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise UsageError(
            f"{option}{'=' if option.startswith('--report') else ' '}{path}: cannot be written: {reason(error)}"
        ) from error


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _mode(path: Path) -> int:
    """Return the permissions of an existing file, or those that new files get."""
    with suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
