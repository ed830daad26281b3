"""Whatever a glob allows: second factors, passkeys and passwords of accounts that the run did not make stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.safety.conftest import REMOTE, Suite
from tests.safety.server import RemoteServer

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_TOUCHY = ("/api/v1/2fa/", "/api/v1/auth/password/", "/api/v1/webauthn/")


def _changed(server: RemoteServer) -> set[tuple[str, str]]:
    """Return method and path of the accepted calls that change how somebody logs in."""
    sent = [entry for entry in server.log if entry.path.startswith(_TOUCHY)]
    assert sent, "nothing of it was asked at all"
    return {(entry.method, entry.path) for entry in sent if entry.method not in _SAFE and entry.status < 400}


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_glob_enrols_nobody_and_takes_no_password_away(
    suite: Suite, remote: Callable[..., RemoteServer], command: str
) -> None:
    server = remote()
    only = ("--only=twofa_*", "--only=webauthn_*", "--only=nopwdlogin_*")
    few = ("--max-examples=5",) * (command == "fuzz")
    done = suite.run(command, server.url, *REMOTE, "--allow-writes=*", *only, *few)
    assert "Traceback" not in done.stderr
    assert _changed(server) == set()


def test_on_loopback_the_same_run_enrols(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    suite.run("fuzz", server.url, "--no-oracle", "--only=twofa_*", "--max-examples=5")
    assert ("POST", "/api/v1/2fa/admin/") in _changed(server)
