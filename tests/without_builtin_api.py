"""The engine's own tests, without the entry point of the built-in API: `python -m pytest -p tests.without_builtin_api`.

Metadata of our package that lack the entry point stand first on the path, here and in each process that a test starts:
for all who ask, the built-in API is not installed. Which tests are the engine's own follows from what they do: one that
fails, and asked for the built-in API, here or in a process of its own, is left out; all others have to pass.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.plugins import discovery

#: What is said to who asks for the API, or for any where it should be among those that are installed.
_MISSING = re.compile(rf"no API is installed, not even|API {discovery.DEFAULT}: is not installed")
_WHY = "needs the built-in API, whose entry point is removed"
_folders: list[tempfile.TemporaryDirectory[str]] = []
#: Tells, by what it holds, that the test which runs has asked.
_asked: list[str] = []


def pytest_configure() -> None:
    """Remove the entry point, and listen to who asks for it."""
    folder = tempfile.TemporaryDirectory(prefix="mockserver-metadata-")
    _folders.append(folder)
    _write_metadata(Path(folder.name))
    sys.path.insert(0, folder.name)
    os.environ["PYTHONPATH"] = os.pathsep.join([folder.name, *filter(None, [os.environ.get("PYTHONPATH")])])
    importlib.invalidate_caches()
    assert discovery.DEFAULT not in discovery.installed()
    _listen_here()
    _listen_to_processes()


def pytest_unconfigure() -> None:
    """Remove the metadata."""
    while _folders:
        _folders.pop().cleanup()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Leave out modules that cannot be imported without the built-in API."""
    report = yield
    if report.failed and _MISSING.search(str(report.longrepr)):
        report.outcome, report.longrepr = "skipped", (str(collector.path), 0, _WHY)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave out tests that fail for want of the built-in API."""
    report = yield
    if report.failed and (_asked or _MISSING.search(f"{report.longrepr}{report.caplog}{report.capstderr}")):
        report.outcome, report.longrepr = "skipped", (report.location[0], report.location[1] or 0, _WHY)
    if call.when == "teardown":
        _asked.clear()
    return report


def _write_metadata(folder: Path) -> None:
    real = importlib.metadata.distribution("mockserver")
    kept = [entry for entry in real.entry_points if (entry.group, entry.name) != (discovery.GROUP, discovery.DEFAULT)]
    groups = dict.fromkeys(entry.group for entry in kept)
    lines = [line for group in groups for line in _section(group, kept)]
    path = folder / f"mockserver-{real.version}.dist-info"
    path.mkdir()
    (path / "METADATA").write_text(real.read_text("METADATA") or "", encoding="utf-8")
    (path / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def _section(group: str, entries: list[importlib.metadata.EntryPoint]) -> Iterator[str]:
    yield f"[{group}]"
    yield from (f"{entry.name} = {entry.value}" for entry in entries if entry.group == group)


def _listen_here() -> None:
    look_up = discovery._entry

    def listening(name: str) -> importlib.metadata.EntryPoint:
        if name == discovery.DEFAULT:
            _asked.append(name)
        return look_up(name)

    discovery._entry = listening


def _listen_to_processes() -> None:
    communicate = subprocess.Popen.communicate

    def listening(process: subprocess.Popen[Any], *arguments: Any, **options: Any) -> tuple[Any, Any]:
        out, errors = communicate(process, *arguments, **options)
        for text in (out, errors):
            told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text or ""
            _asked.extend(_MISSING.findall(told))
        return out, errors

    subprocess.Popen.communicate = listening  # type: ignore[method-assign, assignment]
