"""`serve --overlay`: the stub answers as the contract with the overlay says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mockserver.contract.reading.document import load_contract
from tests.defaults import CONTRACT, SEED_DATA

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Client, Serve

MAILER = "/api/v1/settings/system_mailer/"
SETTING = {"server_hostname": "h", "server_port": 0, "username": "u", "password": "a-password"}
OVERLAY = """\
overlay: 1.0.0
info: {title: What a server does, version: '1'}
actions:
  - target: $.components.schemas.ServerPort
    update: {minimum: 0, x-observed: {minimum: '2026-11-25, staging'}}
  - target: $.paths['/api/v1/settings/system_mailer/'].post.responses['200']
    remove: true
  - target: $.paths['/api/v1/settings/system_mailer/'].post.responses
    update:
      '202':
        description: Accepted.
        x-observed: 2026-11-25, staging
        content: {application/json: {}}
"""
EXAMPLE = "content: {application/json: {examples: {system_mailer: {value: accepted}}}}"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    path = tmp_path / "real.overlay.yaml"
    path.write_text(OVERLAY)
    return path


def test_the_stub_does_what_the_overlay_says(serve: Serve, overlay: Path) -> None:
    answer = serve("--overlay", str(overlay)).client.call("POST", MAILER, json=SETTING)
    assert answer.status == 202
    assert answer.json()["settings"]["value"]["server_port"] == 0


def test_the_overlay_can_stand_in_the_environment(serve: Serve, overlay: Path) -> None:
    assert serve(MOCKSERVER_OVERLAY=str(overlay)).client.call("POST", MAILER, json=SETTING).status == 202


def test_the_overlay_can_stand_in_the_settings_file(serve: Serve, overlay: Path, tmp_path: Path) -> None:
    (tmp_path / "mockserver.toml").write_text(f'overlay = ["{overlay.name}"]\n')
    assert serve().client.call("POST", MAILER, json=SETTING).status == 202


def test_the_examples_are_those_of_the_overlay(
    command: Callable[..., subprocess.CompletedProcess[str]], overlay: Path
) -> None:
    overlay.write_text(overlay.read_text().replace("content: {application/json: {}}", EXAMPLE))
    done = command("examples", "--overlay", str(overlay))
    assert (done.returncode, done.stderr) == (0, "")
    assert '# 202 "accepted"' in done.stdout


def test_an_action_in_vain_is_told_and_served_all_the_same(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "typo.yaml"
    path.write_text(OVERLAY.replace("ServerPort", "ServerPrt"))
    server = serve("--overlay", str(path))
    assert server.client.call("POST", MAILER, json=SETTING).status == 422
    assert f"{path}:4: action 1: its target $.components.schemas.ServerPrt matches nothing" in server.log()


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("check",), ("fuzz",), ("examples",)])
def test_a_bad_overlay_is_one_line(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(OVERLAY.replace("1.0.0", "2.0.0"))
    done = command(*arguments, "--overlay", str(path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f'{path}:1: `overlay` is "2.0.0"' in done.stderr


PAGE = """\
overlay: 1.0.0
info: {title: A web server in front, version: '1'}
actions:
  - target: $.components.responses.Unauthorized.content
    remove: true
  - target: $.components
    update:
      headers: {Challenge: {required: false, x-observed: {required: '2026-11-25, staging'}}}
      responses: {Unauthorized: {content: {text/html: {x-observed: '2026-11-25, staging'}}}}
  - target: $.paths['/api/v1/settings/system_mailer/'].post.responses['400','413','415','422']
    remove: true
  - target: $.paths['/api/v1/settings/system_mailer/'].post.responses
    update:
      '404':
        description: Whatever is wrong.
        x-observed: 2026-11-25, staging
        x-mockserver-instead-of: [400, 415, 422]
        content: {application/problem+json: {}}
  - target: $.paths['/api/v1/settings/system_mailer/'].delete.responses['200']
    remove: true
  - target: $.paths['/api/v1/settings/system_mailer/'].delete.responses
    update: {'202': {description: Nothing to see., x-observed: '2026-11-25, staging'}}
  - target: $.paths['/api/v1/settings/postfix_relayhost/'].get.responses['401']
    update: {$ref: '#/components/responses/Silence'}
  - target: $.components.responses
    update: {Silence: {description: No word., x-observed: '2026-11-25, staging'}}
"""


@pytest.fixture
def real(make_stub: Callable[..., Client], tmp_path: Path) -> Client:
    path = tmp_path / "page.yaml"
    path.write_text(PAGE)
    return make_stub(load_contract(CONTRACT, [path]), seed_data=SEED_DATA)


def test_a_refusal_is_a_page_without_a_challenge_where_that_was_seen(real: Client) -> None:
    answer = real.call("GET", "/api/v1/auth/", user=None)
    assert (answer.status, answer.fields.get("content-type")) == (401, "text/html")
    assert "www-authenticate" not in answer.fields
    assert answer.content == b"401 Unauthorized\n"


def test_a_refusal_has_no_content_where_that_was_seen(real: Client) -> None:
    answer = real.call("GET", "/api/v1/settings/postfix_relayhost/", user=None)
    assert (answer.status, answer.content, answer.fields.get("content-type")) == (401, b"", None)


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]"])
def test_one_status_stands_for_others_where_that_was_seen(real: Client, content: bytes) -> None:
    answer = real.call("POST", MAILER, content=content)
    assert (answer.status, answer.json()["status"]) == (404, 404)


def test_a_success_has_no_content_where_that_was_seen(real: Client) -> None:
    answer = real.call("DELETE", MAILER)
    assert (answer.status, answer.content) == (202, b"")
