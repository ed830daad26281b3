"""The command line: one clear line and exit code 2 for every mistake; environment and settings files."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from mockserver.cli import COMMANDS

if TYPE_CHECKING:
    from tests.conftest import Serve

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def _is_one_clear_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("mockserver: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 500
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


MISTAKES: list[tuple[list[str], list[str]]] = [
    (["serve", "--nope"], ["--nope"]),
    (["nosuch"], ["nosuch"]),
    (["serve", "extra"], ["extra"]),
    (["serve", "--port", "x"], ["--port", "x"]),
    (["serve", "--port", "65536"], ["--port", "65535"]),
    (["serve", "--port", "-1"], ["--port"]),
    (["serve", "--port"], ["--port"]),
    (["serve", "--workers", "0"], ["--workers"]),
    (["serve", "--workers", "2"], ["--workers", "--state"]),
    (["serve", "--workers", "2", "--state", "memory"], ["--workers", "--state"]),
    (["serve", "--contract", "none.yaml"], ["none.yaml", "No such file"]),
    (["serve", "--contract", "."], ["directory"]),
    (["serve", "--contract", "broken.yaml"], ["broken.yaml:2:"]),
    (["serve", "--contract", "other.yaml"], ["other.yaml:1:", "2.0"]),
    (["serve", "--contract", "unknown.yaml"], ["unknown.yaml:5:", "nonsense"]),
    (["serve", "--contract", "/dev/zero"], ["/dev/zero"]),
    (["serve", "--seed-data", "none.yaml"], ["none.yaml"]),
    (["serve", "--seed-data", "broken.yaml"], ["broken.yaml:2:"]),
    (["serve", "--seed-data", "seed.yaml"], ["seed.yaml", "accounts[0].username"]),
    (["serve", "--state", "nonsense"], ["nonsense", "sqlite:///"]),
    (["serve", "--state", "sqlite:///none/state.db"], ["none/state.db"]),
    (["serve", "--state", "sqlite:////dev/full"], ["/dev/full"]),
    (["serve", "--state", "sqlite:///broken.yaml"], ["not a database"]),
    (["serve", "--workers", "2", "--state", "sqlite:///none/state.db"], ["none/state.db"]),
    (["serve", "--workers", "2", "--state", "sqlite:///broken.yaml"], ["not a database"]),
    (["serve", "--state", "postgresql://u:hidden-pw@h/x"], ["postgresql"]),
    (["serve", "--host", "192.0.2.1"], ["192.0.2.1"]),
    (["serve", "--host", "no such host"], ["no such host"]),
    (["serve", "--clock", "tomorrow"], ["--clock", "tomorrow"]),
    (["serve", "--clock", "-5"], ["--clock"]),
    (["serve", "--seed", "x"], ["--seed"]),
    (["serve", "--transition-seconds", "-1"], ["--transition-seconds"]),
    (["serve", "--transition-seconds", "nan"], ["--transition-seconds"]),
    (["serve", "--log-format", "xml"], ["--log-format", "xml"]),
    (["serve", "--tls", "--cert", "a", "--key", "b"], ["--tls"]),
    (["serve", "--cert", "a.pem"], ["--key"]),
    (["serve", "--tls-name", "stub.internal"], ["--tls-name", "add --tls"]),
    (["serve", "--tls", "--tls-name", "https://x"], ["'https://x'", "a host name such as"]),
    (["serve", "--key", "a.pem"], ["--cert"]),
    (["serve", "--cert", "none.pem", "--key", "none.pem"], ["none.pem"]),
    (["serve", "--cert", "broken.yaml", "--key", "broken.yaml"], ["broken.yaml"]),
    (["serve", "--control-token", "short"], ["--control-token"]),
    (["examples", "--contract", "none.yaml"], ["none.yaml"]),
    (["examples", "--seed-data", "none.yaml"], ["none.yaml"]),
    (["lint", "--nope"], ["--nope"]),
    (["check", "--report", "pdf=x"], ["--report", "'pdf'", "json, junit, html, har, markdown"]),
    (["check", "--report", "json=none/x"], ["--report json=none/x", "folder does not exist"]),
    (["fuzz", "--report", "json=x", "--report", "html=x"], ["--report", "named twice"]),
    (["report", "nope"], ["nope"]),
    (["report", "merge"], ["FILES"]),
    (["report", "merge", "none.json"], ["none.json", "No such file"]),
    (["report", "merge", "broken.yaml"], ["broken.yaml", "is not JSON", "--report json=FILE"]),
    (["lint", "--contract", "none.yaml"], ["none.yaml"]),
]


@pytest.fixture
def files(tmp_path: Path) -> None:
    head = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n"
    (tmp_path / "broken.yaml").write_text("a: 1\n b: [\n")
    (tmp_path / "other.yaml").write_text("openapi: '2.0'\n")
    (tmp_path / "unknown.yaml").write_text(
        head + "    get: {x-mockserver-behaviour: {handler: nonsense}, responses: {'200': {description: x}}}\n"
    )
    (tmp_path / "seed.yaml").write_text("accounts: [{username: 5}]\n")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("arguments", "parts"), MISTAKES, ids=[" ".join(row[0]) for row in MISTAKES])
def test_a_mistake_is_one_clear_line(command: Command, arguments: list[str], parts: list[str]) -> None:
    if arguments[0] == "serve" and "--port" not in arguments:
        arguments = [*arguments, "--port", "0"]
    done = command(*arguments)
    _is_one_clear_line(done, *parts)
    assert "hidden-pw" not in done.stderr


def test_a_mistake_in_a_process_of_its_own(process: Command) -> None:
    _is_one_clear_line(process("serve", "--port", "x"), "--port", "x")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_is_help(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    shown = done.stdout + done.stderr
    for name in ("serve", "check", "fuzz", "lint", "examples"):
        assert f"\n  {name} " in shown
    assert done.returncode == (0 if arguments else 2)
    assert "Traceback" not in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str) -> None:
    """In groups; says what may be repeated, and names no file that is not installed."""
    module, _, attribute = COMMANDS[name].partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    below = command.commands if isinstance(command, click.Group) else {name: command}
    for found in below.values():
        help_text = " ".join(found.get_help(click.Context(found, info_name=name)).split())
        assert help_text.startswith(f"Usage: {name} ")
        assert "docs/" not in help_text
        assert "MOCKSERVER_LOG_FORMAT" in help_text
        options = [one for one in found.params if isinstance(one, click.Option)]
        assert all(one.help and getattr(one, "group", "") for one in options), options
        assert help_text.count("May be repeated.") == sum(one.multiple for one in options)
        if any(one.name == "report" for one in options):
            assert "KIND is json, junit, html, har or markdown." in help_text


def test_a_command_shows_its_help(command: Command) -> None:
    done = command("check", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: mockserver check ")
    for heading in ("Contract", "What is judged", "Credentials", "Connection", "Safety of the target", "Result"):
        assert f"\n{heading}:\n" in done.stdout


def test_version(command: Command) -> None:
    done = command("--version")
    assert done.returncode == 0
    assert "mockserver" in done.stdout


def test_examples_lists_every_sequence(command: Command) -> None:
    done = command("examples", "--url", "http://127.0.0.1:9/")
    assert done.returncode == 0
    assert "# setting_get_postfix_relayhost/postfix_relayhost: GET /api/v1/settings/postfix_relayhost/" in done.stdout
    assert "http://127.0.0.1:9/__mock__/reset" in done.stdout
    assert '"status":"applied"' in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].endswith(" examples")


def test_the_printed_commands_are_safe_for_a_shell(command: Command, tmp_path: Path) -> None:
    example = {"value": {"a": 'it\'s $HOME `id` "x"'}}
    content = {"application/json": {"examples": {"one": example}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {
                "post": {
                    "operationId": "write",
                    "requestBody": {"content": content},
                    "responses": {"200": {"description": "d", "content": content}},
                }
            }
        },
    }
    (tmp_path / "contract.json").write_text(json.dumps(document))
    lines = command("examples", "--contract", "contract.json").stdout.splitlines()
    sent = next(line for line in lines if line.startswith("curl") and " -d " in line)
    echoed = subprocess.run(
        ["sh", "-c", sent.replace("curl", "printf '%s\\n'", 1)], capture_output=True, text=True, check=True
    )
    assert json.loads(echoed.stdout.splitlines()[-1]) == example["value"]


def test_a_pipe_that_is_closed_is_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m mockserver examples | head -n 1"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout.startswith("# ")
    assert "Traceback" not in done.stderr


class TestSettings:
    """Where options may stand: the flag wins over the environment, and that over the file."""

    def test_the_environment_sets_options(self, serve: Serve) -> None:
        server = serve(MOCKSERVER_CLOCK="77", MOCKSERVER_NO_AUTH="1")
        assert server.client.control("GET", "/clock")["now"] == 77
        assert server.client.call("GET", "/api/v1/settings/system_mailer/", user=None).status == 204

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("mockserver.toml", "clock = '77'\nno-auth = true\n"),
            ("mockserver.toml", "clock = 77\nno_auth = true\n"),
            ("pyproject.toml", "[tool.mockserver]\nclock = '77'\nno-auth = true\n"),
        ],
    )
    def test_a_file_sets_options(self, serve: Serve, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        server = serve()
        assert server.client.control("GET", "/clock")["now"] == 77
        assert server.client.call("GET", "/api/v1/settings/system_mailer/", user=None).status == 204

    def test_environment_wins_over_file_and_flag_over_both(self, serve: Serve, tmp_path: Path) -> None:
        (tmp_path / "mockserver.toml").write_text("clock = '1'\n")
        assert serve().client.control("GET", "/clock")["now"] == 1
        assert serve(MOCKSERVER_CLOCK="2").client.control("GET", "/clock")["now"] == 2
        assert serve("--clock", "3", MOCKSERVER_CLOCK="2").client.control("GET", "/clock")["now"] == 3

    @pytest.mark.parametrize("name", ["mockserver.toml", "pyproject.toml"])
    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("prot = 5\n", "'prot'"),
            ("PORT = 5\n", "'PORT'"),
            ("port = 'abc'\n", "--port"),
            ("port = [1]\n", "--port"),
            ("port = {a = 1}\n", "--port"),
            ("workers = 2\n", "--workers"),
            ("log-format = 'xml'\n", "--log-format"),
            ("clock = 'tomorrow'\n", "--clock"),
            ("no-auth = 'maybe'\n", "--no-auth"),
        ],
    )
    def test_a_mistake_in_a_file_is_one_clear_line(
        self, command: Command, tmp_path: Path, name: str, text: str, part: str
    ) -> None:
        head = "[tool.mockserver]\n" if name == "pyproject.toml" else ""
        (tmp_path / name).write_text(head + text)
        arguments = [] if "port" in text else ["--port", "0"]
        _is_one_clear_line(command("serve", *arguments), part)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("mockserver.toml", b"port = \n"),
            ("mockserver.toml", b"\xff"),
            ("pyproject.toml", b"[tool.mockserver\n"),
            ("pyproject.toml", b"[tool]\nmockserver = 5\n"),
            ("pyproject.toml", b"tool = 5\n"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_one_clear_line(
        self, command: Command, tmp_path: Path, name: str, content: bytes
    ) -> None:
        (tmp_path / name).write_bytes(content)
        _is_one_clear_line(command("serve", "--port", "0"), name)

    def test_a_file_about_other_things_is_passed_over(self, serve: Serve, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text("[tool.other]\nport = 'x'\n[project]\nname = 'x'\n")
        assert serve().client.call("GET", "/api/v1/auth/").status == 200

    @pytest.mark.parametrize(
        ("name", "value", "part"),
        [
            ("MOCKSERVER_PORT", "abc", "MOCKSERVER_PORT"),
            ("MOCKSERVER_WORKERS", "0", "MOCKSERVER_WORKERS"),
            ("MOCKSERVER_CLOCK", "x", "--clock"),
            ("MOCKSERVER_STATE", "x", "--state"),
            ("MOCKSERVER_NO_AUTH", "maybe", "MOCKSERVER_NO_AUTH"),
        ],
    )
    def test_a_mistake_in_the_environment_is_one_clear_line(
        self, command: Command, name: str, value: str, part: str
    ) -> None:
        arguments = [] if name == "MOCKSERVER_PORT" else ["--port", "0"]
        _is_one_clear_line(command("serve", *arguments, **{name: value}), part)
