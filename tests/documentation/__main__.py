"""Write what docs/ has from the code: `python -m tests.documentation --write`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.documentation.pages import PAGES, written

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.documentation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the generated pages and parts of docs/")
    if parser.parse_args().write:
        for name in PAGES:
            path = ROOT / "docs" / name
            path.write_text(written(path), encoding="utf-8")


if __name__ == "__main__":
    main()
