from __future__ import annotations

import re
from pathlib import Path

from mockserver.commands.fuzz import fuzz_command
from mockserver.suite.selection.check_names import own_checks

DOCS = Path(__file__).parents[3] / "docs" / "suite.md"


def documented() -> set[str]:
    """Return the checks of the tables before those of schemathesis."""
    own = DOCS.read_text(encoding="utf-8").partition("### Of schemathesis")[0].partition("## Checks")[2]
    return set(re.findall(r"^\| `(\w+)` \|", own, re.MULTILINE))


def test_every_check_is_in_the_table_and_nothing_else() -> None:
    assert documented() == own_checks().keys()


def test_every_option_is_in_the_table() -> None:
    text = DOCS.read_text(encoding="utf-8")
    options = {option for parameter in fuzz_command.params for option in parameter.opts if option.startswith("--")}
    assert set(re.findall(r"^\| `(--[a-z-]+)`", text, re.MULTILINE)) == options
