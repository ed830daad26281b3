from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockserver.suite.reports.harm import Harm, harm_of

_DOCS = Path(__file__).parents[4] / "docs" / "suite.md"
_ROW = re.compile(r"^\| `(.+?)`(?:, `(.+?)`)* \| .*? \| (\w+)", re.MULTILINE)


def _checks(section: str) -> dict[str, str]:
    """Return the checks of a section of docs/suite.md, with the first word of what is said of their level."""
    text = _DOCS.read_text(encoding="utf-8")
    part = text.partition(f"\n### {section}")[2].partition("\n##")[0]
    return {name: rule for row in _ROW.finditer(part) for name, rule in [(row[1], row[3])]}


def _harm(check: str, rule: str) -> Harm:
    return harm_of({"check": check, "rule": rule})


def test_a_contradiction_about_state_is_lost_data() -> None:
    found = _checks("State")
    assert len(found) > 8
    others = {"valid_writes_are_accepted", "answers_name_the_resource", "unchanged_items_are_not_sent_again"}
    assert {check for check in found if _harm(check, "contract") is not Harm.LOST_DATA} <= others


def test_who_gets_in_without_a_right_comes_first_who_is_refused_otherwise_does_not() -> None:
    refusals = [check for check in _checks("Credentials") if check.endswith("_are_refused")]
    assert len(refusals) >= 8
    assert {_harm(check, "universal") for check in refusals} == {Harm.OPEN_DOOR}
    assert {_harm(check, "contract") for check in refusals} == {Harm.CONTRADICTION}


@pytest.mark.parametrize(
    ("check", "rule", "harm"),
    [
        ("no_secret_comes_back", "universal", Harm.OPEN_DOOR),
        ("lists_tell_own_objects_alone", "contract", Harm.OPEN_DOOR),
        ("undefined_methods_ask_for_credentials", "universal", Harm.OPEN_DOOR),
        ("no_server_error", "universal", Harm.CRASH),
        ("the_server_answers", "universal", Harm.CRASH),
        ("valid_requests_are_accepted", "contract", Harm.NOT_THERE),
        ("media_type_is_documented", "contract", Harm.CONTRADICTION),
        ("body_is_what_its_content_type_says", "universal", Harm.CONTRADICTION),
        ("undefined_paths_are_refused", "silent", Harm.OTHER),
    ],
)
def test_harm(check: str, rule: str, harm: Harm) -> None:
    assert _harm(check, rule) is harm
