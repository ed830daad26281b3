"""`python -m tests.permissions [--contract FILE --seed-data FILE] [GLOB]`: the permission matrix, cell by cell."""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

from mockserver.contract.reading.document import load_contract
from tests import defaults
from tests.permissions.matrix import cells, failing


def main() -> int:
    """Print a line for each cell: what the contract says, whether the stub keeps it, what finds it turned off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=Path, default=defaults.CONTRACT)
    parser.add_argument("--seed-data", type=Path, default=defaults.SEED_DATA)
    parser.add_argument("only", nargs="*", default=["*"], help="globs of operationIds")
    options = parser.parse_args()
    clean: dict[str, set[str]] = {}
    total = kept = noticed = 0
    for cell in cells(load_contract(options.contract)):
        if not any(fnmatch(cell.operation, pattern) for pattern in options.only):
            continue
        if cell.operation not in clean:
            clean[cell.operation] = failing(options.contract, options.seed_data, cell.operation)
        broken = sorted(clean[cell.operation])
        found = sorted(failing(options.contract, options.seed_data, cell.operation, cell) - clean[cell.operation])
        total, kept, noticed = total + 1, kept + (not broken), noticed + bool(found)
        states = "admitted" if cell.admitted else "refused"
        keeps = "NOT KEPT: " + ", ".join(broken) if broken else "kept"
        say(f"{cell!s:64} {states:8} {keeps}; turned off: {', '.join(found) or 'NOT FOUND'}")
    say(f"{total} cells: {kept} kept by the stub, {noticed} found by `check` when turned off")
    return 0 if total == kept == noticed and total else 1


def say(text: str) -> None:
    """Write a line at once: a table of hundreds of cells takes a while."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
