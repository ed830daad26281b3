"""How broad is the stub? `python -m tests.breadth DIRECTORY` asks every operation of every document once.

Requests are made by schemathesis from the document as it is written, answers judged by plain jsonschema. Exit code 1
where less than 98 % of all operations are right.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.breadth import running, tables
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
    chosen = parser.parse_args(arguments)
    documents = find(chosen.paths, chosen.only)
    _say(tables.HEADING)
    reports = running.run(documents, chosen.jobs, process=chosen.process, done=lambda report: _say(tables.row(report)))
    text, share = tables.total(reports)
    _say("", *tables.reasons(reports), "", text)
    if chosen.json:
        tables.write(chosen.json, reports)
    return 0 if share >= _AIM else 1


def _say(*lines: str) -> None:
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
