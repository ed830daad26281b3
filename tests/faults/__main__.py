"""Serve a server that differs from the stub, or show what the suite says of each: `python -m tests.faults --help`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator

from tests.benchmarks.tables import say, table
from tests.faults.catalogue import Fault
from tests.faults.judging import Verdict, judged
from tests.faults.registry import CLEAN_VARIANTS, FAULTS
from tests.faults.server import FaultyServer, listen

_EVERYTHING = {**FAULTS, **CLEAN_VARIANTS}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code of the table is 1 where a fault is not found or not named rightly."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a server; for the table, all by default")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="list all servers")
    parser.add_argument("--table", action="store_true", help="run check and fuzz against each")
    parser.add_argument("--max-examples", type=int, default=20, help="of fuzz (default: %(default)s)")
    parser.add_argument("--no-fuzz", action="store_true", help="only check")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in _EVERYTHING]
    if unknown:
        parser.error(f"no server is called {unknown[0]!r}; --list names all")
    if chosen.list:
        say(table(("server", "what it does"), [(fault.name, fault.claim) for fault in _EVERYTHING.values()]))
        return 0
    if chosen.table:
        faults = [_EVERYTHING[name] for name in chosen.names or _EVERYTHING]
        return _table(faults, None if chosen.no_fuzz else chosen.max_examples)
    if len(chosen.names) != 1:
        parser.error("name one server to serve, or --table, or --list")
    _serve(_EVERYTHING[chosen.names[0]], chosen.port)
    return 0


def _serve(fault: Fault, port: int) -> None:
    server = FaultyServer(fault)
    listening = listen(server, port)
    say(f"{fault.name}: {fault.claim}")
    say(f"serving on http://127.0.0.1:{listening.port} (process {os.getpid()})")
    try:
        listening.serve_forever()
    except KeyboardInterrupt:
        server.closing.set()


def _table(faults: Iterable[Fault], max_examples: int | None) -> int:
    rows = list(_rows(faults, max_examples))
    say("")
    say(table(("server", "kind", "check", "fuzz", "judged rightly"), rows))
    missed = [row[0] for row in rows if row[-1].startswith("NO")]
    say(f"{len(rows)} servers, {len(missed)} not judged rightly: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _rows(faults: Iterable[Fault], max_examples: int | None) -> Iterator[tuple[str, ...]]:
    for fault in faults:
        say(f"{fault.name} ...")
        verdicts = {"check": judged("check", fault)}
        if max_examples is not None:
            verdicts["fuzz"] = judged("fuzz", fault, ("--max-examples", str(max_examples), "--seed", "1"))
        yield (
            fault.name,
            "faulty" if fault.name in FAULTS else "clean",
            _shown(verdicts.get("check"), fault),
            _shown(verdicts.get("fuzz"), fault),
            _judgement(verdicts, fault),
        )


def _shown(verdict: Verdict | None, fault: Fault) -> str:
    """Return the finding that names the fault, else what else was found, and how much more there is."""
    if verdict is None:
        return "not run"
    best = verdict.right(fault) or verdict.found
    if not best:
        return "-"
    more = len(verdict.found) - 1
    return f"{best[0].check} {best[0].id}" + (f" (+{more})" if more else "")


def _judgement(verdicts: dict[str, Verdict], fault: Fault) -> str:
    """Tell by which commands a fault is named rightly; a clean server must have no violation."""
    if fault.name in CLEAN_VARIANTS:
        wrong = [one.check for verdict in verdicts.values() for one in verdict.found if one.level == "violation"]
        codes = [int(verdict.exit_code) for verdict in verdicts.values()]
        if any(codes) and not wrong:
            return f"NO: exit code {max(codes)}"
        return f"NO: {wrong[0]}" if wrong else "yes: no violation"
    by = [command for command, verdict in verdicts.items() if verdict.right(fault)]
    return f"yes, by {' and '.join(by)}" if by else "NO"


if __name__ == "__main__":
    sys.exit(main())
