"""`--workers N`: a run divided into N processes on one machine, with their reports merged into one.

::

    run_in_parts() ──┬── python -m mockserver.suite.workers (1/2) ── lines of JSON: progress, and last the document
                     └── python -m mockserver.suite.workers (2/2) ── ...
                                                           merge(documents)

A part is what `--shard I/N` makes. Ctrl-C reaches this process alone, which passes it on and waits for the reports.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import MockServerError, UsageError
from mockserver.suite.identities.header_options import with_headers
from mockserver.suite.identities.identities import register_secrets
from mockserver.suite.oracle import Oracle
from mockserver.suite.reports.conclusion import conclude
from mockserver.suite.reports.files import Reports, require_writable
from mockserver.suite.reports.json_report import Document, as_json
from mockserver.suite.reports.merge import merge
from mockserver.suite.run.interrupts import acknowledge_interrupt, interrupted, terminable
from mockserver.suite.run.lifecycle import judged, note_baseline, prepared, run_command
from mockserver.suite.run.preparation import who_calls
from mockserver.suite.run.progress import NoProgress, Progress, shown_progress
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.run.sharding import Shard
from mockserver.suite.safety.ledger_keeper import LedgerKeeper, new_ledger
from mockserver.suite.safety.original_values import load_originals
from mockserver.suite.safety.target_lock import locked_target
from mockserver.suite.secrets.output_filter import OutputFilter, filtered_output
from mockserver.suite.target import processes
from mockserver.suite.verdicts.baseline import load_baseline

if TYPE_CHECKING:
    from mockserver.suite.fuzz.engine import FuzzSettings

#: Seconds that a part may take to restore changes and report after it was asked to end.
STOP_SECONDS = 30.0
#: Seconds that a part may take to exit after that.
KILL_SECONDS = 5.0
#: Seconds between two looks whether the user ended the run.
_LOOK_SECONDS = 0.2


@terminable()
def run_with_workers(options: Options, settings: FuzzSettings, workers: int) -> int:
    """Make a run of `fuzz` in several processes, write the reports, and return the exit code.

    Raises:
        UsageError: an option cannot be used, or not with several processes.
        MockServerError: no part could tell anything.
    """
    if options.dry_run:
        return run_command("fuzz", options, settings)  # sends nothing, so needs no other process
    require_divisible(options, settings)
    reports = Reports(options.report)
    if options.write_baseline is not None:
        require_writable("--write-baseline", options.write_baseline)
    baseline = load_baseline(options.baseline, datetime.now(UTC).date())
    redact = OutputFilter()
    contract = options.load_contract()
    given = who_calls(options.identities, seed_data=options.own_seed_data)
    register_secrets(with_headers(given, options.header, contract), redact.secrets)
    # Each part masks what it shows, and nothing gets past here either.
    lock = locked_target(options.target.rstrip("/"), ()) if options.target is not None else nullcontext()
    with filtered_output(redact), lock:
        document = baseline.mark(run_in_parts(options, settings, workers))
        note_baseline(options, document, baseline)
        return conclude(document, reports, fail_on_drift=options.fail_on == "drift", redact=redact, quiet=options.quiet)


def require_divisible(options: Options, settings: FuzzSettings) -> None:
    """Raise a UsageError if options cannot be combined with several processes.

    Raises:
        UsageError: it is somebody else's server, a part already, or a report that only one process can write.
    """
    if options.foreign:
        raise UsageError("--workers: a server that is not on this machine is asked over one connection; leave it out")
    if settings.shard:
        raise UsageError("--workers and --shard divide the same run; give one of them")
    for given, name in (
        (options.write_overlay, "--write-overlay"),
        (any(text.startswith("har=") for text in options.report), "--report har="),
    ):
        if given:
            raise UsageError(f"{name} needs the whole run in one process; leave --workers out")


def run_in_parts(options: Options, settings: FuzzSettings, workers: int) -> Document:
    """Make a run in several processes at once and return their merged report.

    Args:
        options: of the command.
        settings: what is generated, in all parts together.
        workers: how many parts.

    Raises:
        UsageError: an option cannot be used.
        MockServerError: no part could tell anything.
    """
    with (
        _parts(options, settings, workers) as parts,
        (
            nullcontext(NoProgress())
            if options.quiet
            else shown_progress(sys.stderr, lambda: sum(part.findings for part in parts))
        ) as progress,
    ):
        asked = _listen(parts, progress)
    documents = [part.document for part in parts if part.document is not None]
    usage = next((part.error for part in parts if part.misused), "")
    if usage:
        raise UsageError(usage)
    errors = [part.error for part in parts if part.error]
    if not documents and asked:
        raise KeyboardInterrupt
    if not documents:
        raise MockServerError(errors[0] if errors else "no part of the run could tell anything")
    document = merge(documents)
    run = document["run"]
    run["workers"] = workers
    run["interrupted"] = asked or run["interrupted"]
    if errors and not run["error"]:
        run["error"] = errors[0]
    elif errors:
        run["error"] = f"{errors[0]}; {run['error']}"
    return document


class _Part:
    """A process that makes one part of a divided run, with what it has reported so far."""

    def __init__(self, options: Options, settings: FuzzSettings, shard: Shard) -> None:
        self.shard = shard
        self.document: Document | None = None
        self.error = ""
        self.misused = False
        self.findings = 0
        # A server that says that it is asked too often is asked by all parts together as often as by one.
        options = replace(options, share=shard.total)
        spec = {"options": asdict(options), "settings": asdict(replace(settings, shard=str(shard)))}
        self.process = processes.start("mockserver.suite.workers", spec)

    def take(self, line: Mapping[str, Any]) -> None:
        """Record the last line that the process sent: its report or its error."""
        self.document = line.get("document", self.document)
        self.error = line.get("error", self.error)
        self.misused = line.get("misused", self.misused)

    def ended(self) -> None:
        """Record that the process has ended, with an error if it sent no report."""
        if self.document is None and not self.error:
            self.error = f"part {self.shard} of the run ended before its report: {processes.last_words(self.process)}"

    def close(self) -> None:
        """End the process if it is still running."""
        processes.end(self.process, KILL_SECONDS)


@contextmanager
def _parts(options: Options, settings: FuzzSettings, workers: int) -> Iterator[Sequence[_Part]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(_Part(options, settings, Shard(number, workers))))
            for number in range(1, workers + 1)
        ]


def _listen(parts: Sequence[_Part], progress: Progress) -> bool:
    """Read the lines of all processes until they end, and pass Ctrl-C on; return whether the user pressed it.

    Returns whether they were asked to.
    """
    told: queue.Queue[tuple[_Part, Mapping[str, Any] | None]] = queue.Queue()
    for part in parts:
        threading.Thread(target=_read, args=(part, told), daemon=True).start()
    waiting, deadline, phases = set(parts), math.inf, set[str]()
    with suppress(KeyboardInterrupt):  # a second one
        while waiting and time.monotonic() < deadline:
            if interrupted() and deadline == math.inf:
                deadline = time.monotonic() + STOP_SECONDS
                for one in waiting:
                    one.process.send_signal(signal.SIGTERM)
            try:
                part, line = told.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if line is None:
                waiting.discard(part)
                part.ended()
            elif "phase" in line:
                if line["phase"] not in phases:  # the first part that comes to it
                    phases.add(line["phase"])
                    progress.phase(line["phase"])
            elif "step" in line:
                part.findings = line["findings"]
                progress.step(line["step"], line["cases"])
            else:
                part.take(line)
    for part in waiting:
        part.error = part.error or f"part {part.shard} of the run was not waited for"
    return acknowledge_interrupt()


def _read(part: _Part, told: queue.Queue[tuple[_Part, Mapping[str, Any] | None]]) -> None:
    assert part.process.stdout is not None
    with suppress(ValueError):  # half a line, of a process that was killed; or closed by close()
        for text in part.process.stdout:
            if text.startswith("{"):
                told.put((part, json.loads(text)))
    told.put((part, None))


class _Telling:
    """Progress of a part, sent as lines of JSON to the parent process."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def phase(self, name: str, total: int | None = None) -> None:  # noqa: ARG002 - of this part alone
        """Send the name of the phase to the parent process."""
        _tell({"phase": name})

    def step(self, label: str, cases: int = 1) -> None:
        """Send a finished step, with the number of findings so far, to the parent process."""
        _tell({"step": label, "cases": cases, "findings": len(self._run.verdicts.findings())})

    def close(self) -> None:
        """Do nothing: the progress of a part needs no cleaning up."""


def _tell(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _document(options: Options, settings: FuzzSettings) -> Document:
    """Make one part of a divided run and return its report."""
    redact = OutputFilter()
    contract = options.load_contract()
    originals = load_originals(options.restore_values, contract)
    with ExitStack() as stack:
        stack.enter_context(filtered_output(redact))
        run = stack.enter_context(prepared(options, contract, redact.secrets, originals=originals))
        oracle = None
        if not run.own and not options.no_oracle:
            oracle = stack.enter_context(Oracle(run, "fuzz", settings, options))
        keeper = None if run.own else LedgerKeeper(run, originals, new_ledger(run))
        report = judged("fuzz", run, settings, oracle, keeper, _Telling(run))
        return as_json(report)


def _options(raw: Mapping[str, Any]) -> Options:
    """Return options from their JSON, with paths and tuples restored."""
    paths = {field.name for field in fields(Options) if "Path" in str(field.type)}

    def value(name: str, item: Any) -> Any:
        if isinstance(item, list):
            return tuple(Path(one) if name in paths else one for one in item)
        return Path(item) if name in paths and item is not None else item

    return Options(**{name: value(name, item) for name, item in raw.items()})


def _end_with_parent() -> None:
    """End this process like Ctrl-C does once the parent process has closed its end of the pipe."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _main() -> None:
    spec = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt), terminable():
        from mockserver.suite.run.fuzz_run import FuzzSettings  # takes a second, in which the user may end the run

        try:
            _tell({"document": _document(_options(spec["options"]), FuzzSettings(**spec["settings"]))})
        except MockServerError as error:
            _tell({"error": str(error), "misused": isinstance(error, UsageError)})
        except KeyboardInterrupt:
            _tell({"error": "it was interrupted before it began"})


if __name__ == "__main__":
    _main()
