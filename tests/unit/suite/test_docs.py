from __future__ import annotations

import re
from pathlib import Path

from mockserver.commands.fuzz import fuzz_command
from mockserver.suite.access import doors, effects, logins, schemes
from mockserver.suite.cases.state_tracker import STATE_CHECKS
from mockserver.suite.checks import (
    acceptance,
    credentials,
    documented_examples,
    invalid_requests,
    links,
    permissions,
    robustness,
    state,
    undefined_routes,
)
from mockserver.suite.checks.any_response import RESPONSE_CHECKS
from mockserver.suite.checks.protocol import streams

DOCS = Path(__file__).parents[3] / "docs" / "suite.md"
#: Told by others than a function of its own name.
_TOLD_BY_OTHERS = {"the_server_answers", "valid_writes_are_accepted"}
_NO_CHECK = {"record_write"}


def documented() -> set[str]:
    """Return the checks of the tables before those of schemathesis."""
    own = DOCS.read_text(encoding="utf-8").partition("### Of schemathesis")[0].partition("## Checks")[2]
    return set(re.findall(r"^\| `(\w+)` \|", own, re.MULTILINE))


def test_every_check_is_in_the_table_and_nothing_else() -> None:
    made = {check.__name__ for check in RESPONSE_CHECKS} | {check.__name__ for check in STATE_CHECKS}
    for theme in (
        acceptance,
        credentials,
        documented_examples,
        doors,
        effects,
        links,
        logins,
        permissions,
        invalid_requests,
        robustness,
        schemes,
        undefined_routes,
        state,
        streams,
    ):
        made |= {
            name
            for name, value in vars(theme).items()
            if callable(value)
            and not isinstance(value, type)
            and getattr(value, "__module__", "") == theme.__name__
            and not name.startswith("_")
        }
    assert documented() == (made | _TOLD_BY_OTHERS) - _NO_CHECK - {
        "planned_checks",
        "timing_checks",
        "broken_statement",
    }


def test_every_option_is_in_the_table() -> None:
    text = DOCS.read_text(encoding="utf-8")
    options = {option for parameter in fuzz_command.params for option in parameter.opts if option.startswith("--")}
    assert set(re.findall(r"^\| `(--[a-z-]+)`", text, re.MULTILINE)) == options
