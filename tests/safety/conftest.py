"""Commands against somebody else's server, run as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mockserver.http import basic
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.targets import HttpTarget
from tests import defaults
from tests.conftest import clean_environment, run_here
from tests.safety.server import RemoteServer, listening

#: Longest wait for a command; reached only when a test fails.
PATIENCE_SECONDS = 120.0
ADMIN = ("admin", "long-auth_token-here")
#: Fast, but governed: the limits off loopback, all but the rate.
REMOTE = ("--treat-as-remote", "--rate", "500/s", "--no-oracle", "--settle", "1")
#: Settings and logins: each kind of care is taken there, and a run of all operations takes four times as long.
FEW = ("--only=setting_*", "--only=auth_*")
#: The same on these few.
REMOTE_FEW = (*REMOTE, *FEW)


@pytest.fixture
def remote() -> Iterator[Callable[..., RemoteServer]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **named: stack.enter_context(listening(RemoteServer(*arguments, **named)))


class Suite:
    """The `mockserver` command in a folder with an identities file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # A file says one token of each; that the other master has the admin's, too, would look like a fault.
        accounts = [one for one in seeded_identities(defaults.SEED_DATA).all if one.username != "masteradmin2"]
        held = [
            {key: getattr(one, key) for key in ("username", "token", "password", "level") if getattr(one, key)}
            for one in accounts
        ]
        # A token in an environment variable, as the documentation recommends.
        held[0]["token"] = "${ADMIN_TOKEN}"
        (folder / "identities.yaml").write_text(json.dumps({"identities": held}), encoding="utf-8")

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a command with the identities, in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "mockserver", command, *arguments, "--identities", "identities.yaml"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=clean_environment(ADMIN_TOKEN=ADMIN[1]),
        )

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in this process."""
        identities = ("--identities", "identities.yaml")
        return run_here(command, *arguments, *identities, cwd=self.folder, ADMIN_TOKEN=ADMIN[1])

    @property
    def ledgers(self) -> list[Path]:
        """The ledgers in the folder."""
        return sorted(self.folder.glob("mockserver-ledger-*"))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """The command in an empty folder."""
    return Suite(tmp_path)


class Owner:
    """Whom the server belongs to: reads and sets settings, past the suite."""

    def __init__(self, server: RemoteServer) -> None:
        self._server = server

    def call(self, method: str, name: str, value: Any = None) -> tuple[int, Any]:
        """Return status and value of a call for a setting."""
        fields = (("Authorization", basic.encode(":".join(ADMIN))), ("Content-Type", "application/json"))
        body = None if value is None else json.dumps(value).encode()
        target = HttpTarget(self._server.url)
        try:
            exchange = target.send(WireRequest(method, f"/api/v1/settings/{name}/", fields, body))
        finally:
            target.close()
        assert exchange.response is not None
        content = exchange.response.body
        return exchange.response.status, json.loads(content)["settings"].get("value") if content else None

    def set(self, name: str, value: Any) -> None:
        """Set a setting, and forget in the log that somebody did."""
        assert self.call("POST", name, value)[0] == 200
        self._server.log.clear()
