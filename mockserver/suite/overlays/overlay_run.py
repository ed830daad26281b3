"""Run with `--write-overlay`: write an overlay of the drift and, with `--apply`, run again with the overlay.

::

    contract ── run ── drift ── overlay FILE ── contract + FILE ── run ── drift? ── overlay FILE, anew ── ...
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click

from mockserver.contract.model import Contract
from mockserver.contract.source.overlay import write_overlay
from mockserver.errors import UsageError
from mockserver.http.pointers import child, split
from mockserver.suite.overlays.difference import Action, actions
from mockserver.suite.overlays.draft import Draft
from mockserver.suite.overlays.refutations import Refutation, refute_all
from mockserver.suite.reports.conclusion import show_page
from mockserver.suite.reports.files import reason, require_writable, write
from mockserver.suite.reports.json_report import Document
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.verdicts.graded_findings import Finding

#: A run with the overlay can show more drift; for a server that differs each time there is a limit of runs.
MAX_ROUNDS = 4
#: Operations of one change are listed by name up to this many.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """Run that has ended, with its report."""

    contract: Contract
    run: Run
    document: Document

    @property
    def drift(self) -> tuple[Finding, ...]:
        """Findings of the run whose level is drift."""
        return tuple(finding for finding in self.run.verdicts.findings() if finding.level == "drift")


#: Makes a run with other options.
Make = Callable[[Options, Contract], CompletedRun]


def require_usable(options: Options, shard: str = "") -> None:
    """Raise UsageError for options of overlays that cannot work, before the run starts.

    Args:
        options: what the command was asked for.
        shard: the shard of the run, "" for a whole run.

    Raises:
        UsageError: `--apply` without a file, a file that cannot be written, or a shard.
    """
    path = options.write_overlay
    if path is None:
        if options.apply:
            raise UsageError("--apply needs an overlay to apply: give --write-overlay FILE, too")
        return
    if shard:
        raise UsageError(
            "--write-overlay needs a whole run: another shard may have seen what this one did not; leave --shard out"
        )
    require_writable("--write-overlay", path)
    if path.absolute() in [other.absolute() for other in options.overlay]:
        raise UsageError(f"--write-overlay {path}: is also given as --overlay; name another file")


def follow(options: Options, first: CompletedRun, make: Make) -> CompletedRun:
    """Write the requested overlay and, with `--apply`, run again with it; return the last run.

    Raises:
        UsageError: the file cannot be written.
    """
    path = options.write_overlay
    if path is None:
        return first
    unfinished = first.document["run"]["error"] or first.document["run"]["interrupted"]
    before = [finding for finding in first.drift if finding.rule != "oracle"]
    if unfinished or not before:
        why = "the run could not be finished" if unfinished else "there is no drift"
        click.echo(f"No overlay is written: {why}.\n")
        return first
    base = first.contract.document.data
    recorded = _write(path, base, first, before)
    if options.apply:
        show_page(first.document)
    click.echo(f"Overlay {path} is written: with it the contract agrees with {_count(before)}{_on_record(recorded)}.\n")
    if not options.apply:
        return first
    return _applied(options, path, base, before, make)


def _applied(options: Options, path: Path, base: Mapping[str, Any], before: list[Finding], make: Make) -> CompletedRun:
    with_overlay = replace(options, overlay=(*options.overlay, path))
    for number in range(1, MAX_ROUNDS + 1):
        contract = with_overlay.load_contract()
        made = make(with_overlay, contract)
        left = list(made.drift)
        # Failures of our own stub count now, too: with the overlay it has to behave like the server, or the contract is
        # not fit to judge by.
        mendable = not made.document["run"]["error"] or any(finding.rule == "oracle" for finding in left)
        if not left or not mendable or made.document["run"]["interrupted"] or number == MAX_ROUNDS:
            break
        _write(path, base, made, left)
    known = {finding.id for finding in before}
    here = {finding.id for finding in left}
    click.echo(
        f"Overlay {path} applied, run {number + 1}: {_count(before)} before, {len(known - here)} resolved, "
        f"{len(known & here)} left, {len(here - known)} new.\n"
    )
    return made


def _write(path: Path, base: Mapping[str, Any], made: CompletedRun, findings: list[Finding]) -> int:
    """Write the overlay of a run's drift; return the number of findings that OpenAPI cannot express."""
    stamp = f"{made.document['run']['started'][:10]}, {_public(made.run.target.base_url)}"
    draft = Draft(made.contract.document.data, stamp)
    recorded = refute_all(Refutation(made.contract, made.run.verdicts, draft), findings)
    draft.share()
    # Texts of the contract are no secrets, even if a server returns a documented sample as one.
    public = set(_texts(base))
    redact = made.run.secrets.redact
    steps = [_described(draft, pointer, action) for pointer, action in actions(dict(base), draft.data)]
    text = write_overlay(
        redact(f"Observed behaviour of {_public(made.run.target.base_url)}"),
        [_redacted(step, public, redact) for step in steps],
        (
            f"Written by mockserver {made.document['run']['command']} on {made.document['run']['started'][:10]}:",
            "observed behaviour in place of what the contract only assumes. Violations are left out.",
            "To use it: mockserver serve --overlay FILE, mockserver check --overlay FILE TARGET.",
        ),
    )
    try:
        write(path, [text])
    except OSError as error:
        raise UsageError(f"--write-overlay {path}: cannot be written: {reason(error)}") from error
    return recorded


def _described(draft: Draft, pointer: str, action: Action) -> Action:
    """Return an overlay action with a description of its reason."""
    names = split(pointer)
    notes: list[str] = []
    if names[0] == "paths":
        path, method = names[1], names[2].upper() if len(names) > 2 else ""
        labels = [label for label in draft.notes if label == f"{method} {path}" or (not method and _is_at(label, path))]
        notes = [note for label in labels for note in draft.notes[label]]
    elif "update" in action:
        for name in action["update"]:
            labels = draft.shared.get(child(pointer, name), [])
            more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
            notes.append(f"{name}: {', '.join(labels[:_NAMED])}{more}")
    description = "\n".join(f"- {note}" for note in notes)
    target = {"target": action["target"]}
    return {**target, **({"description": description + "\n"} if notes and "update" in action else {}), **action}


def _texts(value: Any) -> Iterator[str]:
    """Yield all strings in JSON data, member names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _redacted(value: Any, public: Collection[str], redact: Callable[[str], str]) -> Any:
    """Return JSON data with secrets masked, except strings that are public."""
    if isinstance(value, str):
        return value if value in public else redact(value)
    if isinstance(value, dict):
        return {_redacted(name, public, redact): _redacted(item, public, redact) for name, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, public, redact) for item in value]
    return value


def _is_at(label: str, path: str) -> bool:
    return label.partition(" ")[2] == path


def _public(url: str) -> str:
    """Return a URL without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def _count(findings: list[Finding]) -> str:
    return f"{len(findings)} drift finding{'' if len(findings) == 1 else 's'}"


def _on_record(number: int) -> str:
    return f", {number} of them only recorded in x-mockserver-differs" if number else ""
