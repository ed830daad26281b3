"""The wheel: installed in a clean environment outside of the checkout, it serves, from its own files."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import select
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ["mockserver", "fixtures", "openapi.yaml", "pyproject.toml", "README.md"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from a copy, so that nothing is written into the checkout."""
    copy, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in [*COPIED, *(["LICENSE"] if (ROOT / "LICENSE").exists() else [])]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", *_isolation(), "--outdir", str(target), str(copy)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (built,) = target.glob("*.whl")
    return built


def _isolation() -> list[str]:
    """Let the build backend be fetched only where it is not installed already."""
    return ["--no-isolation"] if importlib.util.find_spec("hatchling") else []


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `mockserver` command of a fresh environment that has the wheel and our dependencies."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel],
        capture_output=True,
        timeout=60,
        check=True,
    )
    # Dependencies come from the environment of the tests. Its own mockserver stays out of sight: ours stands before
    # it, and a .pth file that it may have been installed by is not read from here.
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in here))
    return folder / "bin" / "mockserver"


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOCKSERVER_", "PYTHON"))}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


def test_the_wheel_holds_what_is_served_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {
        "mockserver/builtin/openapi.yaml",
        "mockserver/builtin/fixtures/seed.yaml",
        "mockserver/stub/control/control.yaml",
        "mockserver/stub/control/viewer/docs.html",
        "mockserver/stub/control/viewer/docs.js",
        "mockserver/stub/control/viewer/swagger-ui/LICENSE",
        "mockserver/stub/control/viewer/swagger-ui/NOTICE",
        "mockserver/stub/control/viewer/swagger-ui/swagger-ui-bundle.js",
        "mockserver/stub/control/viewer/swagger-ui/swagger-ui.css",
        "mockserver/py.typed",
        "mockserver/cli.py",
    } <= names
    folders = {name.split("/")[0] for name in names}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"mockserver"}
    assert not [name for name in names if Path(name).name.startswith(("test_", "conftest")) or "__pycache__" in name]
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "mockserver").rglob("*.py")}
    assert modules <= names
    assert re.search(r"^Requires-Python: >=3\.11$", metadata, re.MULTILINE)


def test_what_is_served_is_that_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("mockserver/builtin/openapi.yaml") == (ROOT / "openapi.yaml").read_bytes()
        assert archive.read("mockserver/builtin/fixtures/seed.yaml") == (ROOT / "fixtures/seed.yaml").read_bytes()


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[str]:
    with subprocess.Popen(
        [installed, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
    ) as process:
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], 30)
            assert readable, "never ready"
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found is not None, line
            yield found[0]
        finally:
            process.terminate()
            process.wait(10)


def test_the_installed_command_serves_the_documented_answer(served: str) -> None:
    request = urllib.request.Request(
        f"{served}/api/v1/settings/imap_master_password/",
        data=b'{"null": null}',
        headers={
            "Authorization": "Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU=",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {
            "settings": {
                "name": "imap_master_password",
                "status": "applying",
                "value": "long-imap-master-password-here",
            }
        }


def test_the_installed_package_uses_its_own_files(installed: Path, tmp_path: Path) -> None:
    code = (
        "import mockserver, mockserver.defaults as d; print(mockserver.__file__); print(d.CONTRACT); print(d.SEED_DATA)"
    )
    done = subprocess.run(
        [installed.parent / "python", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
        check=True,
    )
    for line in done.stdout.splitlines():
        assert line.startswith(str(installed.parent.parent)), line


@pytest.mark.parametrize("arguments", [["lint"], ["examples"], ["--help"], ["check", "--help"]])
def test_the_other_commands_run_outside_of_the_checkout(installed: Path, tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [installed, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert str(ROOT) not in done.stdout + done.stderr
