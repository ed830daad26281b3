"""docs/judging-your-api.md: every command on the page does what it says, on a server that keeps the page's contract."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import yaml
from werkzeug.wrappers import Request

from mockserver.suite.checks import robustness
from tests.faults.server import Application, serving
from tests.faults.small import Answer, application, content_of

PAGE = (Path(__file__).parents[2] / "docs/judging-your-api.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
TOKEN = "a-token-of-this-page"


def server() -> Application:
    """Return the server of the page."""
    tasks: dict[str, Any] = {"1": {"id": 1, "title": "Buy milk"}}
    numbers = itertools.count(2)

    def answer(call: Request) -> Answer:
        found = re.fullmatch(r"/tasks(?:/(-?[0-9]{1,18}))?", call.path)
        if found is None:
            return 404, None
        methods = ("GET", "DELETE") if found[1] else ("GET", "POST")
        if call.method not in methods:
            return 405, None, {"Allow": ", ".join(methods)}
        if call.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, None, {"WWW-Authenticate": "Bearer"}
        if found[1]:
            number = str(int(found[1]))
            if number not in tasks:
                return 404, None
            return (200, tasks[number]) if call.method == "GET" else (204, tasks.pop(number) and None)
        return create(call) if call.method == "POST" else (200, list(tasks.values()))

    def create(call: Request) -> Answer:
        if call.mimetype != "application/json":
            return 415, None
        content = content_of(call)
        title = content.get("title") if isinstance(content, dict) else None
        if not isinstance(title, str) or not 1 <= len(title) <= 80 or set(content) - {"title"}:
            return 400 if content is None else 422, None
        number = next(numbers)
        tasks[str(number)] = {"id": number, "title": title}
        return 201, tasks[str(number)]

    return application(answer)


def test_every_command_of_the_page_does_what_it_says(
    command: Callable[..., CompletedProcess[str]], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(robustness, "LARGE_BYTES", 100_000)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if name != "mockserver.toml":  # whose settings the commands before it do without
            (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(COMMANDS) == 9
    with serving(server()) as url:
        for line in COMMANDS:
            program, *words = shlex.split(line.replace("http://127.0.0.1:8000", url))
            assert program == "mockserver"
            if words[0] != "lint" and "--contract" not in words:
                (tmp_path / "mockserver.toml").write_text(FILES["mockserver.toml"], encoding="utf-8")
            # Our own stub would be asked by each of them, and agrees.
            quick = ["--no-oracle", "--settle=0.2"] if words[0] != "lint" else []
            done = command(*words, *quick, API_TOKEN=TOKEN)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            if words[0] != "lint" and "--dry-run" not in words:
                assert "\nKEPT" in f"\n{done.stdout}", f"{line}\n{done.stdout}"
                assert TOKEN not in done.stdout
    gate = yaml.safe_load(FILES[".github/workflows/contract.yaml"])["jobs"]["contract"]["steps"][-1]["run"]
    assert any(line.partition(" --report markdown")[0] == gate.partition(" --report markdown")[0] for line in COMMANDS)
    assert all(
        (tmp_path / name).stat().st_size for name in ("known.yaml", "contract.xml", "contract.html", "fuzz.html")
    )
