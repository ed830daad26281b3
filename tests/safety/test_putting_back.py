"""What a run changes is put back: at its end, after Ctrl-C or trouble, after `kill -9` by `mockserver restore`."""

from __future__ import annotations

import io
import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.safety.conftest import PATIENCE_SECONDS, REMOTE, REMOTE_FEW, Owner, Suite
from tests.safety.server import RemoteServer, listening

JUNK, RELAY, MAILER, MASTER = (
    "junk_trash_clearing_interval",
    "postfix_relayhost",
    "system_mailer",
    "imap_master_password",
)
DAYS = {"junk_days": 33, "trash_days": 44}
SHOWN = {"server_hostname": "relay.example.com", "server_port": 2525, "username": "relay"}
PASSWORD = "original-Relay-password-77"
#: Named in full, as what cannot be undone must be.
BY_NAME = tuple(
    f"--allow-writes=setting_{verb}_{name}" for name in (RELAY, MAILER, MASTER) for verb in ("post", "delete")
)
EVERYTHING = ("--allow-writes=*", *BY_NAME)


@pytest.fixture
def server(remote: Callable[..., RemoteServer]) -> RemoteServer:
    return remote()


@pytest.fixture
def owner(server: RemoteServer) -> Owner:
    owner = Owner(server)
    owner.set(RELAY, {**SHOWN, "password": PASSWORD})
    owner.set(JUNK, DAYS)
    return owner


def at_write(server: RemoteServer, number: int, name: str) -> tuple[threading.Event, threading.Event]:
    """Hold the n-th accepted kind of write of a setting: return what tells that it came, and what lets it go on."""
    came, go_on = threading.Event(), threading.Event()
    seen = []

    def before(environ: dict[str, Any]) -> None:
        if environ["REQUEST_METHOD"] == "POST" and f"/{name}/" in environ["PATH_INFO"]:
            seen.append(environ)
            if len(seen) == number:
                came.set()
                go_on.wait(PATIENCE_SECONDS)

    server.before = before
    return came, go_on


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_at_the_end_all_is_as_it_was_but_for_what_cannot_be(
    suite: Suite, server: RemoteServer, owner: Owner, tmp_path: Path, command: str
) -> None:
    report = tmp_path / "report.json"
    few = ("--max-examples=2",) * (command == "fuzz")
    done = suite.run(command, server.url, *REMOTE_FEW, *EVERYTHING, f"--report=json={report}", *few)
    assert done.returncode == 0, done.stdout
    assert owner.call("GET", JUNK) == (200, DAYS)
    assert owner.call("GET", MAILER) == (204, None)
    assert owner.call("GET", MASTER) == (204, None)
    ledger = json.loads(report.read_text(encoding="utf-8"))["ledger"]
    assert ledger["writes"] > 100
    assert ledger["restored"] == [
        f"{MAILER} (never set)",
        f"{JUNK} (what it held)",
        f"{MASTER} (never set)",
    ]
    assert ledger["left"] == [
        f"{RELAY} (its password is never shown by a read; set it again, or give it with --restore-values)"
    ]
    assert f"  left: {ledger['left'][0]}" in done.stdout


def test_given_originals_are_put_back_whole_and_stay_secret(
    suite: Suite, server: RemoteServer, owner: Owner, tmp_path: Path
) -> None:
    sent: list[Any] = []
    plain = server.before

    def before(environ: dict[str, Any]) -> None:
        if environ["REQUEST_METHOD"] == "POST" and RELAY in environ["PATH_INFO"]:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
            sent.append(body)
            environ["wsgi.input"] = io.BytesIO(body)
        plain(environ)

    server.before = before
    (tmp_path / "originals.yaml").write_text(json.dumps({RELAY: {**SHOWN, "password": PASSWORD}}), encoding="utf-8")
    done = suite.run(
        "check",
        server.url,
        *REMOTE_FEW,
        "--allow-writes=*relay*",
        "--restore-values=originals.yaml",
        "--report=json=r.json",
    )
    assert done.returncode == 0, done.stdout
    assert len(sent) > 50  # the glob covers it, for its original value was given
    assert json.loads(sent[-1]) == {**SHOWN, "password": PASSWORD}
    assert owner.call("GET", RELAY) == (200, SHOWN)
    assert f"Put back: {RELAY} (the value of --restore-values)" in done.stdout
    written = [path for path in tmp_path.iterdir() if path.name != "originals.yaml"]
    assert len(written) == 3
    assert all(PASSWORD not in path.read_text(encoding="utf-8") for path in written)
    assert PASSWORD not in done.stdout + done.stderr


def test_killed_half_way_it_leaves_a_ledger_to_restore_from(suite: Suite, server: RemoteServer, owner: Owner) -> None:
    came, go_on = at_write(server, 6, JUNK)
    process = suite.start("check", server.url, *REMOTE_FEW, *EVERYTHING)
    try:
        assert came.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.communicate()
        go_on.set()
    server.before = lambda _environ: None
    owner.call("POST", JUNK, {"junk_days": 1, "trash_days": 1})  # whatever the run had got to
    [ledger] = suite.ledgers
    assert ledger.stat().st_mode & 0o077 == 0
    text = ledger.read_text(encoding="utf-8")
    assert not any(secret in text for secret in (PASSWORD, "long-auth_token-here"))

    once_more = suite.run("check", server.url, *REMOTE_FEW, *EVERYTHING)
    assert once_more.returncode == 2
    assert f"an earlier run on this target was killed; run mockserver restore {ledger.name} first" in once_more.stderr

    first = suite.run("restore", ledger.name, "--treat-as-remote", "--rate=500/s", "--settle=1")
    assert owner.call("GET", JUNK) == (200, DAYS)
    assert owner.call("GET", MAILER) == (204, None)
    assert owner.call("GET", MASTER) == (204, None)
    assert f"  put back: {JUNK} (what it held)" in first.stdout
    touched = f"  left: {RELAY} (its password is never shown by a read" in first.stdout
    assert first.returncode == (1 if touched else 0)

    owner.set(JUNK, {"junk_days": 5, "trash_days": 5})  # by now it is somebody's own
    again = suite.run("restore", ledger.name, "--rate=500/s", "--settle=1")
    assert again.returncode == first.returncode
    assert owner.call("GET", JUNK)[1] == {"junk_days": 5, "trash_days": 5}


@pytest.mark.parametrize(
    ("command", "number"), [("check", signal.SIGINT), ("check", signal.SIGTERM), ("fuzz", signal.SIGINT)]
)
def test_interrupted_it_puts_back_what_it_changed(
    suite: Suite, server: RemoteServer, owner: Owner, command: str, number: signal.Signals
) -> None:
    came, go_on = at_write(server, 12, JUNK)
    process = suite.start(command, server.url, *REMOTE_FEW, "--allow-writes=*")
    try:
        assert came.wait(PATIENCE_SECONDS)
        process.send_signal(number)
        go_on.set()
        out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 130, out + errors
    assert out.startswith("INTERRUPTED")
    assert f"Put back: {JUNK} (what it held)" in out
    assert owner.call("GET", JUNK) == (200, DAYS)


def test_a_server_in_trouble_gets_its_values_back_when_it_can_take_them(
    suite: Suite, server: RemoteServer, owner: Owner
) -> None:
    writes: list[str] = []
    failed: list[str] = []

    def before(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]]] | None:
        if environ["REQUEST_METHOD"] == "POST" and JUNK in environ["PATH_INFO"]:
            writes.append(environ["PATH_INFO"])
        if len(writes) < 5 or len(failed) >= 7:
            return None
        failed.append(environ["PATH_INFO"])
        return 503, []

    server.before = before
    done = suite.run("check", server.url, *REMOTE_FEW, "--allow-writes=*")
    assert "the server is in trouble" in done.stdout
    assert f"Put back: {JUNK} (what it held)" in done.stdout
    assert owner.call("GET", JUNK) == (200, DAYS)


def test_what_cannot_be_saved_is_not_changed(suite: Suite, server: RemoteServer, owner: Owner) -> None:
    reads: list[str] = []

    def before(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]]] | None:
        if environ["REQUEST_METHOD"] == "GET" and JUNK in environ["PATH_INFO"] and server.unsafe == []:
            reads.append(environ["PATH_INFO"])
            return 500, []
        return None

    server.before = before
    done = suite.run("check", server.url, *REMOTE, "--allow-writes=*junk*", "--only=setting_post_junk*")
    assert reads
    assert [entry for entry in server.unsafe if JUNK in entry.path] == []
    assert "its value could not be saved" in done.stdout
    assert owner.call("GET", JUNK)[0] == 500


def test_without_its_ledger_nothing_is_written(suite: Suite, server: RemoteServer, owner: Owner) -> None:
    done = suite.run("check", server.url, *REMOTE_FEW, "--allow-writes=*", "--ledger=no/such/folder/ledger.json")
    assert done.returncode == 2
    assert "the ledger cannot be written" in done.stdout + done.stderr
    assert server.unsafe == []
    assert owner.call("GET", JUNK) == (200, DAYS)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"version": 2}', '{"version": 1, "settings": 3}'])
def test_what_is_no_ledger_is_one_line_and_exit_code_2(suite: Suite, content: str) -> None:
    (suite.folder / "ledger.json").write_text(content, encoding="utf-8")
    done = suite.run("restore", "ledger.json")
    assert done.returncode == 2
    assert done.stderr.startswith("mockserver: ledger.json: ")
    assert len(done.stderr.splitlines()) == 1


def test_probes_change_settings_too(suite: Suite, server: RemoteServer, owner: Owner) -> None:
    def before(environ: dict[str, Any]) -> None:
        if environ["REQUEST_METHOD"] == "PUT":  # a server that takes it for a POST, whatever the contract says
            environ["REQUEST_METHOD"] = "POST"
            content = b'{"junk_days": 1, "trash_days": 1}'
            environ.update({"wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content))})

    server.before = before
    done = suite.run("check", server.url, *REMOTE, "--allow-writes=probes", "--only=setting_get_junk*")
    assert f"Put back: {JUNK} (what it held)" in done.stdout
    assert owner.call("GET", JUNK) == (200, DAYS)


def test_the_ledger_of_another_run_is_never_overwritten(suite: Suite, server: RemoteServer, owner: Owner) -> None:
    (suite.folder / "ledger.json").write_text("of another run", encoding="utf-8")
    given = ("--allow-writes=*junk*", "--only=setting_post_junk*", "--ledger=ledger.json")
    suite.run("check", server.url, *REMOTE, *given)
    assert (suite.folder / "ledger.json").read_text(encoding="utf-8") == "of another run"
    book = json.loads((suite.folder / "ledger-2.json").read_text(encoding="utf-8"))
    assert {one["resource"] for one in book["settings"] if one["touched"]} == {JUNK}
    assert owner.call("GET", JUNK) == (200, DAYS)


def test_a_ledger_of_another_contract_is_not_used(suite: Suite, server: RemoteServer, owner: Owner) -> None:
    suite.run("check", server.url, *REMOTE, "--allow-writes=*junk*", "--only=setting_post_junk*")
    owner.set(JUNK, {"junk_days": 7, "trash_days": 7})
    [ledger] = suite.ledgers
    book = json.loads(ledger.read_text(encoding="utf-8"))
    ledger.write_text(json.dumps({**book, "contract_sha256": "0" * 64}), encoding="utf-8")
    done = suite.run("restore", ledger.name)
    assert done.returncode == 2
    assert "is not what it was when the ledger was written; name one with --contract" in done.stderr
    assert suite.run("restore", ledger.name, f"--contract={book['contract']}").returncode == 0


def test_a_server_that_is_gone_is_not_restored(suite: Suite) -> None:
    with listening(RemoteServer()) as server:
        Owner(server).set(JUNK, DAYS)
        came, go_on = at_write(server, 3, JUNK)
        process = suite.start("check", server.url, *REMOTE_FEW, "--allow-writes=*")
        try:
            assert came.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.communicate()
            go_on.set()
    done = suite.run("restore", suite.ledgers[0].name)
    assert done.returncode == 2
    assert "NOT RESTORED: nothing listens at" in done.stderr
