"""No output of a run holds a secret, however the server writes it (docs/suite.md, "Levels")."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mockserver import cli
from mockserver.suite.run import lifecycle
from tests.faults.leaking import MARK, WAYS, LeakingServer, canaries, found_in
from tests.faults.server import listen

COUNT = 80
KINDS = ("json", "junit", "html", "har", "markdown")
SCHEMES = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "in_query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "in_field": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "in_cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
}

#: What the others do not take: content.
_POSTED = {"basic", "in_cookie"}
#: Outputs that need not hold anything that a server said.
_SHOW_NO_VALUES = {"stderr", "report.junit", "overlay.yaml", "baseline.yaml"}


def _contract() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object", "properties": {"token": {"type": "string"}}}}}
    body = {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string"}, "secret": {"type": "string", "writeOnly": True}},
    }
    sent = {"requestBody": {"content": {"application/json": {"schema": body}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Leaks", "version": "1"},
        "components": {"securitySchemes": SCHEMES},
        "paths": {
            f"/{name}": {
                method: {
                    "operationId": f"{name}_{method}",
                    "security": [{name: []}],
                    **(sent if method == "post" else {}),
                    "responses": {"200": {"description": "ok", "content": content}},
                }
                for method in ("post" if name in _POSTED else "get",)
            }
            for name in SCHEMES
        },
    }


def _identities(secrets: list[str]) -> dict[str, Any]:
    """Return the identities that hold all secrets: token, password, one-time secret and one for each scheme."""
    groups = [secrets[at : at + 8] for at in range(0, len(secrets), 8)]
    return {
        "identities": [
            {
                "username": f"user{number}",
                "token": group[0],
                "password": group[1],
                "totp_secret": group[2],
                "schemes": dict(zip(SCHEMES, group[3:], strict=True)),
            }
            for number, group in enumerate(groups)
        ]
    }


@contextmanager
def _served(server: LeakingServer) -> Iterator[str]:
    listening = listen(server, 0)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.port}"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contract.json").write_text(json.dumps(_contract()))
    (tmp_path / "identities.yaml").write_text(json.dumps(_identities(canaries(COUNT)), ensure_ascii=False))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "tmp").mkdir()
    return tmp_path


def _arguments(url: str) -> list[str]:
    given = ["--contract", "../contract.json", "--identities", "../identities.yaml", "--no-oracle"]
    given += ["--write-overlay", "overlay.yaml", "--write-baseline", "baseline.yaml"]
    return [url, *given, *(word for kind in KINDS for word in ("--report", f"{kind}=report.{kind}"))]


def test_the_reader_finds_what_the_server_gives_away() -> None:
    secrets = canaries(COUNT)
    assert len(set(secrets)) == COUNT
    for name, way in WAYS.items():
        for text in (f"<a {way('x')} {way(secret)}/>" for secret in secrets):
            assert found_in(text, secrets), name
            assert found_in(json.dumps({"a": json.dumps(text)}), secrets), name


@pytest.mark.parametrize("command", [["check"], ["fuzz", "--max-examples", "1"]], ids=["check", "fuzz"])
def test_no_output_holds_a_secret(folder: Path, command: list[str]) -> None:
    secrets = canaries(COUNT)
    server = LeakingServer(secrets)
    out = folder / "out"
    with _served(server) as url:
        done = subprocess.run(
            [sys.executable, "-m", "mockserver", *command, *_arguments(url)],
            cwd=out,
            env=os.environ | {"GITHUB_ACTIONS": "true", "TMPDIR": str(out / "tmp")},
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1, done.stderr.decode()
    assert len(server.sent) >= server.rounds, "not every secret was given away in every way"
    assert found_in("\n".join(server.sent[: server.rounds]), secrets) == set(secrets)
    outputs = {"stdout": done.stdout, "stderr": done.stderr}
    outputs |= {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert outputs.keys() >= {"overlay.yaml", "baseline.yaml", *(f"report.{kind}" for kind in KINDS)}
    for name, content in outputs.items():
        assert found_in(content.decode(), secrets) == set(), name
        assert b"$USER" in content or name in _SHOW_NO_VALUES, f"{name} shows nothing that was masked"
    report = json.loads(outputs["report.json"])
    assert any(finding["check"] == "no_secret_comes_back" for finding in report["findings"])
    json.loads(outputs["report.har"])
    ET.fromstring(outputs["report.junit"])


def test_a_mistake_of_ours_gives_nothing_away_either(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = canaries(COUNT)
    told = " ".join(way(secret) for way in WAYS.values() for secret in secrets)

    def broken(_run: object) -> None:
        logging.Logger("a library").warning("retry: %s", told)
        sys.stdout.write(f"{told}\n")
        raise RuntimeError(f"{secrets[0]} {secrets[-1]} {WAYS['basic'](secrets[1])}") from ValueError(told)

    monkeypatch.chdir(folder / "out")
    monkeypatch.setattr(lifecycle, "check", broken)
    with _served(LeakingServer(secrets)) as url:
        monkeypatch.setattr(sys, "argv", ["mockserver", "check", *_arguments(url)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 2
    out, err = capfd.readouterr()
    assert out.splitlines()[-1].startswith("NOT JUDGED") or "an internal error in " in out
    assert "Traceback" not in err
    assert out.count("$USER") > COUNT
    for content in (out, err):
        assert found_in(content, secrets) == set()
    assert MARK in told
