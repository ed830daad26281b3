"""A server that somebody else wrote from the documentation, and wrote well: differences, and nobody to blame."""

from __future__ import annotations

import pytest

from tests.faults.independent import ACCOUNTS, create_server
from tests.faults.judging import Verdict, checked_in_process, fuzzed_over_http


def _has_only_drift(verdict: Verdict) -> None:
    assert [one for one in verdict.found if one.level != "drift"] == []
    assert verdict.exit_code == 0


def test_check_blames_nobody_and_tells_the_differences() -> None:
    verdict = checked_in_process(create_server(ACCOUNTS, lag_seconds=0.0).wsgi_app)
    _has_only_drift(verdict)
    told = {one.check for one in verdict.found}
    assert {"media_type_is_documented", "headers_conform", "bodies_that_break_the_schema_are_refused"} <= told


def test_fuzz_blames_nobody() -> None:
    verdict = fuzzed_over_http(create_server(ACCOUNTS, lag_seconds=0.0).wsgi_app, max_examples=2)
    _has_only_drift(verdict)
    assert verdict.found


@pytest.mark.parametrize("name", ["junk_trash_clearing_interval", "system_mailer"])
def test_the_server_is_no_copy_of_ours(name: str) -> None:
    client = create_server(ACCOUNTS).test_client()
    refused = client.get(f"/api/v1/settings/{name}/")
    assert (refused.status_code, refused.mimetype, refused.headers.get("WWW-Authenticate")) == (401, "text/html", None)
    assert client.get(f"/api/v1/settings/{name}").status_code == 308
