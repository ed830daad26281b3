"""Levels that only a summary names: what it leaves to admins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.access import worded_levels
from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, checked

_CHECK = "levels_named_in_words_are_kept"
_USER, _ADMIN = "tok-user-3Jd8Qs0Zx7Lw", "tok-admin-9Kc2Vb5Nm1Tp"


@pytest.mark.parametrize(
    ("summary", "is_kept", "level"),
    [
        ("Purge the cache (admins only)", True, ""),
        ("Purge the cache (admins only)", False, "violation"),
        ("Purge the cache; admins see more", False, ""),
    ],
)
def test_what_a_summary_leaves_to_admins(
    write_contract: Callable[..., Path], summary: str, *, is_kept: bool, level: str
) -> None:
    def answer(call: Request) -> Answer:
        if call.path != "/purge":
            return 404, None
        if call.method != "POST":
            return 405, None, {"Allow": "POST"}
        shown = call.headers.get("Authorization")
        if shown not in {f"Bearer {_USER}", f"Bearer {_ADMIN}"}:
            return 401, None, {"WWW-Authenticate": "Bearer"}
        return (403 if is_kept and shown == f"Bearer {_USER}" else 204), None

    responses = {status: {"description": ""} for status in ("204", "401", "403", "404", "405")}
    paths = {"/purge": {"post": {"summary": summary, "security": [{"bearer": []}], "responses": responses}}}
    schemes = {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
    identities = [Identity("una", token=_USER, level="user"), Identity("ada", token=_ADMIN, level="admin")]
    judged = checked(write_contract(paths, components=schemes), answer, *identities)
    told = [one for kind in ("violation", "drift") for one in judged.at(kind) if one[0] == _CHECK]
    assert [one[:2] for one in told] == ([(_CHECK, "POST /purge")] if level else [])
    assert told == [one for one in judged.at("violation") if one[0] == _CHECK]
    judged.run.oracle = True  # our own stub, which knows no words
    assert worded_levels.planned_checks(judged.run) == []
