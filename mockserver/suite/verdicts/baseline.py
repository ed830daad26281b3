"""Baseline: a file of known findings, which are reported but do not fail the run until they expire.

::

    known:
      - id: 1f3a8582b772                      # as reports have it
        reason: "ticket 4711, to be mended"
        expires: 2027-01-31                   # known to the end of this day
        operation: POST /api/v1/settings/...  # for people, as check and title; also to tell what is gone
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from mockserver.contract.source.loading import parse_yaml, write_yaml
from mockserver.errors import ContractError, UsageError
from mockserver.suite.reports.files import reason, write
from mockserver.suite.reports.json_report import Document, with_summary

#: Days until an entry that `--write-baseline` writes expires.
VALID_DAYS = 90
#: A reason that starts so is none yet.
TODO = "TODO"
_ID = re.compile(r"[0-9a-f]{12}")
_REQUIRED = ("id", "reason", "expires")
_FOR_PEOPLE = ("operation", "check", "title")


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """Entry of the baseline: a finding's id, with a reason and an expiry date."""

    id: str
    reason: str
    expires: date
    operation: str = ""
    check: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        """Id of the finding, with check and operation if the entry has them."""
        where = " on ".join(text for text in (self.check, self.operation) if text)
        return f"{self.id} ({where})" if where else self.id


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings of a baseline file; empty without a file.

    Attributes:
        today: the day by which it is decided what has expired.
    """

    path: Path | None
    today: date
    entries: tuple[KnownFinding, ...] = ()

    def reasons(self) -> Mapping[str, str]:
        """Return the reasons of the baseline entries that have not expired, by finding id."""
        return {
            entry.id: f"{entry.reason} (until {entry.expires})" for entry in self.entries if entry.expires >= self.today
        }

    def mark(self, document: Document) -> Document:
        """Return a report whose known findings carry their reason and do not count for the verdict."""
        reasons = self.reasons()
        findings = [{**finding, "known": reasons.get(finding["id"], "")} for finding in document["findings"]]
        return with_summary({**document, "findings": findings})

    def remarks(self, document: Document, *, whole: bool) -> Iterator[str]:
        """Yield a line for each expired entry, and for each entry whose finding no longer occurs.

        Args:
            document: the report of the run.
            whole: whether the run was about all operations.
        """
        found = {finding["id"] for finding in document["findings"]}
        for entry in self.entries:
            if entry.expires < self.today and entry.id in found:
                yield f"{self.path}: {entry.name} expired on {entry.expires}, so it counts again: {entry.reason}"
            elif entry.id not in found and _was_tried(entry, document, whole=whole):
                yield f"{self.path}: {entry.name} no longer occurs; remove the entry"


def load_baseline(path: Path | None, today: date) -> Baseline:
    """Return the baseline from a file, or an empty baseline if no file is given.

    Raises:
        UsageError: not readable, another form, or an entry without an id, a reason or a day; names the entry.
    """
    if path is None:
        return Baseline(None, today)
    try:
        data = parse_yaml(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; check --baseline") from error
    except ContractError as error:
        raise UsageError(str(error)) from error
    known = data.get("known") if isinstance(data, dict) else None
    if not isinstance(known, list) or data.keys() != {"known"}:
        raise UsageError(f"{path}: must have the one key `known:` with a list")
    entries = tuple(_entry(f"{path}: entry {number}", raw) for number, raw in enumerate(known, 1))
    ids = [entry.id for entry in entries]
    twice = next((entry for entry in entries if ids.count(entry.id) > 1), None)
    if twice is not None:
        raise UsageError(f"{path}: {twice.id} is listed twice; remove one")
    return Baseline(path, today, entries)


def write_baseline(path: Path, document: Document, known: Baseline) -> int:
    """Write a baseline of a report's findings; return the number of reasons that are still to be filled in.

    Entries that have not expired stay as they are. Environment findings are left out.

    Raises:
        UsageError: the file cannot be written.
    """
    findings = [finding for finding in document["findings"] if finding["level"] != "environment"]
    entries = list(_written(findings, known))
    comments = [
        "# Known findings, each with the reason why it is accepted for now. Findings not listed here fail the run.",
        f"# An entry whose reason starts with {TODO} is an error: write why the finding is accepted, and until when.",
    ]
    try:
        write(path, ["\n".join(comments) + "\n", write_yaml({"known": entries})])
    except OSError as error:
        raise UsageError(f"--write-baseline {path}: cannot be written: {reason(error)}") from error
    return sum(entry["reason"].startswith(TODO) for entry in entries)


def _written(findings: Sequence[Mapping[str, Any]], known: Baseline) -> Iterator[dict[str, str]]:
    entries = {entry.id: entry for entry in known.entries}
    for finding in findings:
        entry = entries.get(finding["id"])
        expires = known.today + timedelta(days=VALID_DAYS)
        why = f"{TODO}: say why"
        if entry is not None and entry.expires >= known.today:
            why, expires = entry.reason, entry.expires
        elif entry is not None:
            why = f"{TODO}: expired on {entry.expires}; it was: {entry.reason}"
        yield {
            "id": finding["id"],
            "reason": why,
            "expires": expires.isoformat(),
            **{name: str(finding[name]) for name in _FOR_PEOPLE},
        }


def _entry(place: str, raw: Any) -> KnownFinding:
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise UsageError(f"{place}: must be an object of strings with {', '.join(_REQUIRED)}")
    unknown = sorted(raw.keys() - {*_REQUIRED, *_FOR_PEOPLE})
    if unknown:
        raise UsageError(f"{place}: {unknown[0]!r} is unknown; known are {', '.join((*_REQUIRED, *_FOR_PEOPLE))}")
    if not _ID.fullmatch(raw.get("id", "")):
        raise UsageError(f"{place}: `id` must be the id of a finding, such as 1f3a8582b772, not {raw.get('id', '')!r}")
    why = raw.get("reason", "").strip()
    if not why or why.startswith(TODO):
        raise UsageError(f"{place} ({raw['id']}): has no `reason`; write why the finding is accepted")
    try:
        expires = date.fromisoformat(raw.get("expires", ""))
    except ValueError as error:
        message = f"{place} ({raw['id']}): `expires` must be a date such as 2027-01-31, not {raw.get('expires', '')!r}"
        raise UsageError(message) from error
    return KnownFinding(raw["id"], why, expires, *(raw.get(name, "") for name in _FOR_PEOPLE))


def _was_tried(entry: KnownFinding, document: Document, *, whole: bool) -> bool:
    """Tell whether a run would have reported the finding of an entry if the finding still occurred."""
    if document["run"].get("error") or document["run"].get("interrupted"):
        return False
    if entry.check and entry.operation:
        return _tried(entry, document["coverage"])
    return whole


def _tried(entry: KnownFinding, coverage: Iterable[Mapping[str, Any]]) -> bool:
    return any(
        (item["check"], item["operation"]) == (entry.check, entry.operation) and item["cases"] for item in coverage
    )
