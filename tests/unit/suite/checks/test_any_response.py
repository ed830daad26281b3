from __future__ import annotations

from collections.abc import Callable

import pytest

from mockserver.suite.run.session import Run, Session
from tests.unit.suite.conftest import Application, answering

JSON = {"Content_Type": "application/json"}
PROBLEM = {"Content_Type": "application/problem+json"}


def findings(run: Run, operation: str = "note_get") -> dict[str, str]:
    session = Session(run)
    found = run.contract.by_id[operation]
    session.call(found, session.valid_request(found, run.admin))
    return {finding.check: finding.level for finding in run.verdicts.findings()}


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (answering(200, b'{"value": {}}', **JSON), {}),
        (answering(204), {}),
        (answering(500, b"oops", Content_Type="text/plain"), {"no_server_error": "violation"}),
        (answering(404), {"status_is_documented": "drift"}),
        (answering(201), {"status_is_documented": "violation"}),
        (answering(302, Location="/login"), {"status_is_documented": "drift"}),
        (answering(429), {"status_is_documented": "environment"}),
        (answering(200, b'{"value": {}}', Content_Type="text/html"), {"media_type_is_documented": "violation"}),
        (answering(204, b"x"), {"media_type_is_documented": "drift"}),
        (answering(200, b'{"value": {}', **JSON), {"body_is_what_its_content_type_says": "violation"}),
        (answering(200, b'{"value": NaN}', **JSON), {"body_is_what_its_content_type_says": "violation"}),
        (answering(200, b'{"value": 1}', **JSON), {"body_conforms_to_its_schema": "violation"}),
        (answering(200, b'{"value":{},"a":1,"b":2}', **JSON), {"body_conforms_to_its_schema": "drift"}),
        (answering(200, b'{"value": {"x": "admin-token-of-16"}}', **JSON), {"no_secret_comes_back": "violation"}),
        (answering(200, b'{"value": {}}', X_Debug="ADMIN-password-16", **JSON), {"no_secret_comes_back": "violation"}),
    ],
)
def test_get(run_against: Callable[[Application], Run], application: Application, expected: dict[str, str]) -> None:
    assert findings(run_against(application)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"type": "about:blank", "status": 401}', {"media_type_is_documented"}),
        (b'{"status": 400}', {"media_type_is_documented", "problem_details_are_well_formed"}),
        (b'{"title": 1}', {"media_type_is_documented", "problem_details_are_well_formed"}),
        (b"[]", {"media_type_is_documented", "body_is_what_its_content_type_says"}),
    ],
)
def test_problem_details(run_against: Callable[[Application], Run], body: bytes, expected: set[str]) -> None:
    assert set(findings(run_against(answering(401, body, **PROBLEM)))) == expected


def test_write_only_values_stay_away(run_against: Callable[[Application], Run]) -> None:
    run = run_against(answering(200, b'{"value": "A-SECRET-of-18-chr"}', **JSON))
    assert findings(run, "note_put") == {"no_secret_comes_back": "violation"}
