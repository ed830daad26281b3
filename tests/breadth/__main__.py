"""How broad is the stub? `python -m tests.breadth DIRECTORY` asks every operation of every document once.

Requests are made by schemathesis from the document as it is written, answers judged by plain jsonschema; each operation
is asked in a fresh world, since what another one deleted is rightly not there any more. Exit code 1 where less than
98 % of all operations are right. With --fuzz, `mockserver fuzz` is run on every second document by size instead, and
the code is 1 where one contract is not kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.breadth import fuzzing, running, tables
from tests.breadth.contracts import find

_AIM = 0.98


def main(arguments: list[str] | None = None) -> int:
    """Run over the documents and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.breadth", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="DIRECTORY_OR_FILE")
    parser.add_argument("--only", default="*", metavar="GLOB", help="file names (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every operation's result")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: %(default)s)")
    parser.add_argument("--process", action="store_true", help="ask `mockserver serve` over a socket")
    parser.add_argument("--one-world", action="store_true", help="let operations see what those before them did")
    parser.add_argument("--fuzz", action="store_true", help="run `mockserver fuzz` on every second document by size")
    parser.add_argument("--every", action="store_true", help="with --fuzz: on each document")
    parser.add_argument("--max-examples", type=int, default=30, help="of an operation, with --fuzz (default: 30)")
    parser.add_argument("--seconds", type=int, default=600, help="limit of a fuzz run (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    documents = find(chosen.paths, chosen.only)
    if chosen.fuzz:
        return _fuzz(documents if chosen.every else fuzzing.every_second(documents), chosen)
    given = {"--process": chosen.process, "--one-world": chosen.one_world}
    options = [name for name, wanted in given.items() if wanted]
    _say(tables.HEADING)
    reports = running.run(documents, chosen.jobs, options=options, done=lambda report: _say(tables.row(report)))
    text, share = tables.total(reports)
    _say("", *tables.reasons(reports), "", text)
    if chosen.json:
        tables.write(chosen.json, reports)
    return 0 if share >= _AIM else 1


def _fuzz(documents: list[Path], chosen: argparse.Namespace) -> int:
    _say(fuzzing.HEADING)
    runs = fuzzing.run(
        documents,
        jobs=chosen.jobs,
        max_examples=chosen.max_examples,
        seconds=chosen.seconds,
        done=lambda one: _say(one.row),
    )
    kept = sum(one.kept for one in runs)
    _say(*fuzzing.details(runs), "", f"{len(runs)} contracts fuzzed, {kept} kept")
    return 0 if kept == len(runs) else 1


def _say(*lines: str) -> None:
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
