"""How much of the documentation the contract covers, and the pages of docs/ that are made from the code.

Prints a table of the documented operations, every documented example of a response with what comes of it in its own
fresh world, and a summary; exit code 1 where anything is missing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.documentation.coverage import measure
from tests.documentation.pages import PAGES, written

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.documentation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the generated pages and parts of docs/ instead")
    if parser.parse_args().write:
        for name in PAGES:
            path = ROOT / "docs" / name
            path.write_text(written(name, path), encoding="utf-8")
        return 0
    coverage = measure()
    for line in coverage.lines():
        sys.stdout.write(f"{line}\n")
    return 0 if coverage.is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
