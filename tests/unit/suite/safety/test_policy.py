from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.safety.policy import side_effects

Write = Callable[..., Path]


def is_unsafe(write_contract: Write, path: str, **members: Any) -> bool:
    operation = {"responses": {"200": {"description": "ok"}}, **members}
    return bool(side_effects(load_contract(write_contract({path: {"get": operation}}))))


@pytest.mark.parametrize(
    ("path", "members"),
    [
        *((f"/api/v1/{name}", {}) for name in ("logout", "log-out", "signOut", "sign_off", "logoff/", "auth:logout")),
        *((f"/things/{{id}}/{name}", {}) for name in ("delete", "remove", "reset", "trigger", "cancel", "deactivate")),
        ("/account/delete-all", {}),
        ("/logout-everywhere", {"operationId": "getLogoutEverywhere"}),
        ("/session", {"operationId": "UserController_logout"}),
        ("/session", {"operationId": "users/sign-out"}),
        ("/session", {"operationId": "getSignOut"}),
        ("/session", {"operationId": "revokeToken"}),
        ("/session", {"operationId": "Sessions.DeleteAll"}),
        ("/session", {"summary": "Logs out current logged in user session"}),
        ("/session", {"summary": "Sign out."}),
        ("/session", {"summary": "Deletes the session"}),
        ("/list", {"summary": "Unsubscribe a member"}),
        ("/in", {"parameters": [{"name": "user_password", "in": "query", "schema": {}}]}),
        ("/any", {"x-mockserver-effect": "credentials"}),
    ],
)
def test_a_name_that_says_what_is_done(write_contract: Write, path: str, members: dict[str, Any]) -> None:
    parameters = [{"name": "id", "in": "path", "required": True, "schema": {}}] if "{id}" in path else []
    assert is_unsafe(write_contract, path, **{"parameters": parameters, **members})


@pytest.mark.parametrize(
    ("path", "members"),
    [
        *((f"/{name}", {}) for name in ("login", "logouts", "deleted", "removed-items", "resets", "triggers", "blog")),
        ("/deletions", {"operationId": "list_delete_requests", "summary": "Delete requests"}),
        ("/runs/{id}/trigger", {"operationId": "runs.GetTrigger"}),
        ("/droplets/{id}/destroy_with_resources", {"operationId": "droplets_list_resources"}),
        ("/catalog/out", {"summary": "Catalog out of stock"}),
        ("/password", {"operationId": "getPasswordPolicy", "summary": "Reset rules of passwords"}),
        ("/reset/{id}", {"operationId": "getReset"}),
        ("/search", {"parameters": [{"name": "passenger", "in": "query", "schema": {}}]}),
    ],
)
def test_a_name_that_only_looks_like_it(write_contract: Write, path: str, members: dict[str, Any]) -> None:
    parameters = [{"name": "id", "in": "path", "required": True, "schema": {}}] if "{id}" in path else []
    assert not is_unsafe(write_contract, path, **{"parameters": parameters, **members})
