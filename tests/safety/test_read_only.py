"""What a run sends that was not allowed to write: told from the server's own log."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.safety.conftest import FEW, REMOTE, REMOTE_FEW, Suite
from tests.safety.server import RemoteServer


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_no_unsafe_method_is_sent(suite: Suite, remote: Callable[..., RemoteServer], command: str) -> None:
    server = remote()
    few = ("--max-examples=1", *FEW) * (command == "fuzz")
    done = suite.run(command, server.url, *REMOTE, *few)  # `check` every operation
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(server.log) > 150
    assert server.unsafe == []
    logins = [entry for entry in server.log if entry.method == "POST"]
    assert logins
    assert {entry.status for entry in logins} == {200}  # with an identity's own password, never a wrong one
    assert suite.ledgers == []


def test_on_loopback_there_is_no_such_care(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    suite.run("check", server.url, "--no-oracle", *FEW)
    assert len(server.unsafe) > 100


def test_probes_need_their_word(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    done = suite.run("check", server.url, *REMOTE_FEW, "--allow-writes", "probes")
    assert done.returncode == 0
    assert {entry.method for entry in server.unsafe} == {"PUT", "PATCH", "DELETE", "POST"}
    assert {entry.status for entry in server.unsafe} <= {401, 403, 404, 405}


@pytest.mark.parametrize(
    ("command", "options"), [("check", ()), ("fuzz", ("--allow-writes=*", "--allow-writes=probes"))]
)
def test_a_dry_run_sends_nothing_at_all(
    suite: Suite, remote: Callable[..., RemoteServer], command: str, options: tuple[str, ...]
) -> None:
    server = remote()
    done = suite.run(command, server.url, *REMOTE_FEW, *options, "--dry-run")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Plan of {command} on {server.url}, treated as somebody else's server\n")
    assert (server.log, server.connections) == ([], 0)
    assert [path.name for path in suite.folder.iterdir()] == ["identities.yaml"]


def test_the_plan_names_what_is_called_withheld_saved_and_left(
    suite: Suite, remote: Callable[..., RemoteServer]
) -> None:
    server = remote()
    writes = ("*junk*", "setting_post_system_mailer")
    done = suite.run("check", server.url, *REMOTE_FEW, "--dry-run", *(f"--allow-writes={glob}" for glob in writes))
    assert re.search(r"^  requests: about \d+, in \d+ steps; at most \d+, 300 for each operation: ", done.stdout, re.M)
    assert re.search(
        r"^  time: about \d+ (?:s|min); at most \d+ (?:s|min), with \d+ requests a second", done.stdout, re.M
    )
    called, _, rest = done.stdout.partition("Withheld:")
    withheld, _, rest = rest.partition("Saved before the first write")
    saved, _, left = rest.partition("Changed and not put back:")
    assert "POST /api/v1/settings/junk_trash_clearing_interval/  by admin" in called
    assert "POST /api/v1/auth/  by all identities that have a password, with their own passwords only" in called
    assert "DELETE /api/v1/settings/system_mailer/" in withheld
    assert "put back by POST /api/v1/settings/junk_trash_clearing_interval/" in saved
    assert "system_mailer  unless it was never set: its password is never shown by a read" in left
    assert "Ledger: mockserver-ledger-" in left


def test_a_dry_run_of_our_own_stub_starts_none(suite: Suite) -> None:
    done = suite.run("fuzz", "--dry-run")
    assert done.stdout.startswith("Plan of fuzz on a stub that is started for it\n")
    assert "  requests: about " in done.stdout
    assert ", as fast as the target responds\n" in done.stdout
    assert "Changed and not put back" not in done.stdout
    assert done.returncode == 0


def test_a_refused_identity_ends_the_run_as_environment(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    server.before = lambda environ: (401, []) if len(server.log) >= 40 and "HTTP_AUTHORIZATION" in environ else None
    done = suite.run("check", server.url, *REMOTE_FEW)
    assert done.returncode == 2
    assert done.stdout.startswith("NOT JUDGED: the credentials of ")
    assert "wrong, revoked, expired or banned; check --identities" in done.stdout
    assert len(server.log) < 80


def test_a_server_in_trouble_is_left_alone(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    server.before = lambda _environ: (502, []) if len(server.log) >= 40 else None
    done = suite.run("check", server.url, *REMOTE_FEW)
    assert done.returncode == 1  # an undocumented 5xx is a violation
    assert "in a row on 2 operations: the server is in trouble" in done.stdout
    assert len(server.log) < 60


def test_a_redirect_to_another_host_is_an_answer(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    elsewhere, server = remote(), remote()
    server.before = lambda environ: (
        (302, [("Location", elsewhere.url + environ["PATH_INFO"])]) if environ["REQUEST_METHOD"] == "GET" else None
    )
    for command in ("check", "fuzz"):
        suite.run(command, server.url, *REMOTE_FEW, *("--max-examples=1",) * (command == "fuzz"))
    assert len(server.log) > 100
    assert (elsewhere.log, elsewhere.connections) == ([], 0)
