"""The wheel: installed in a clean environment outside of the checkout, it serves and checks, from its own files.

That environment holds what `pip install mockserver` brings without an extra, and nothing else.
"""

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
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
COPIED = ["mockserver", "fixtures", "openapi.yaml", "pyproject.toml", "README.md"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what is built from, so that nothing is written into the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in [*COPIED, *(["LICENSE"] if (ROOT / "LICENSE").exists() else [])]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(checkout, tmp_path_factory.mktemp("wheel"), "--wheel")


@pytest.fixture(scope="module")
def wheel_of_sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build as `python -m build` does, and as pip does with an sdist: the wheel is made of that alone."""
    return _build(checkout, tmp_path_factory.mktemp("sdist"))


def _build(source: Path, target: Path, *options: str) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "build", *options, *_isolation(), "--outdir", str(target), str(source)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (built,) = target.glob("*.whl")
    return built


def _isolation() -> list[str]:
    """Let the build backend be fetched only where it is not installed already."""
    return ["--no-isolation"] if importlib.util.find_spec("hatchling") else []


@pytest.fixture(scope="module")
def base(wheel: Path) -> dict[str, Distribution]:
    """Return what `pip install` of the wheel brings without an extra, by name, itself left out."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    prefix = "Requires-Dist: "
    return _closure(line.removeprefix(prefix) for line in lines if line.startswith(prefix))


def _closure(requirements: Iterable[str], extras: Iterable[str] = ()) -> dict[str, Distribution]:
    """Return the distributions of the tests' environment that requirements lead to."""
    found: dict[str, Distribution] = {}
    waiting = [(text, frozenset(extras)) for text in requirements]
    while waiting:
        text, chosen = waiting.pop()
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in ("", *chosen)):
            continue
        needed = distribution(requirement.name)
        if canonicalize_name(requirement.name) not in found or requirement.extras:
            found[canonicalize_name(requirement.name)] = needed
            waiting += [(below, frozenset(requirement.extras)) for below in needed.requires or ()]
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, base: dict[str, Distribution], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `mockserver` command of a fresh environment: the wheel, and what it brings without an extra."""
    python = _environment_with(base, tmp_path_factory.mktemp("clean") / "venv", "--no-index", str(wheel))
    return python.parent / "mockserver"


def _environment_with(distributions: Mapping[str, Distribution], folder: Path, *install: str) -> Path:
    """Return the interpreter of a fresh environment that has some distributions of ours, and what pip installs."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    _link(distributions, Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})))
    if install:
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", *install]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    return python


def _link(distributions: Mapping[str, Distribution], site: Path) -> None:
    """Put distributions of the tests' environment into another one: nothing is fetched, and none is copied."""
    for one in distributions.values():
        for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            source, target = Path(str(one.locate_file(top))), site / top
            if source.exists() and not target.exists():
                target.symlink_to(source)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOCKSERVER_", "PYTHON"))}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


def test_the_wheel_holds_what_is_served_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {
        "mockserver/builtin/mailcheap/openapi.yaml",
        "mockserver/builtin/mailcheap/fixtures/seed.yaml",
        "mockserver/builtin/mailcheap/seed.schema.json",
        "mockserver/builtin/mailcheap/control.yaml",
        "mockserver/stub/store/seed.schema.json",
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
    versions = re.findall(r"^Classifier: Programming Language :: Python :: (3\.\d+)$", metadata, re.MULTILINE)
    assert versions == ["3.11", "3.12", "3.13", "3.14"]


def test_what_is_served_is_that_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("mockserver/builtin/mailcheap/openapi.yaml") == (ROOT / "openapi.yaml").read_bytes()
        seed_data = archive.read("mockserver/builtin/mailcheap/fixtures/seed.yaml")
        assert seed_data == (ROOT / "fixtures/seed.yaml").read_bytes()


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
            process.wait(120)


def test_the_installed_command_serves_the_documented_answer(served: str) -> None:
    request = urllib.request.Request(
        f"{served}/api/v1/settings/imap_master_password/",
        data=b'{"null": null}',
        headers={
            "Authorization": "Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU=",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert json.load(answer) == {
            "settings": {
                "name": "imap_master_password",
                "status": "applying",
                "value": "long-imap-master-password-here",
            }
        }


#: Serves the built-in API and prints where its files are: module, contract and seed data.
SERVED = """
import mockserver
from mockserver.plugins import find
client = mockserver.create_app().test_client()
answer = client.get("/api/v1/auth/", headers={"Authorization": "Basic YWRtaW46bG9uZy1hdXRoX3Rva2VuLWhlcmU="})
assert answer.json["auth"]["username"] == "admin", answer.data
print(mockserver.__file__, find("mailcheap").contract, find("mailcheap").seed_data, sep="\\n")
"""


def _places(python: Path, folder: Path) -> list[str]:
    done = _run([python, "-c", SERVED], folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_the_installed_package_uses_its_own_files(installed: Path, tmp_path: Path) -> None:
    for place in _places(installed.parent / "python", tmp_path):
        assert place.startswith(str(installed.parent.parent))


def test_a_wheel_that_is_made_of_the_sdist_does_too(
    wheel_of_sdist: Path, base: dict[str, Distribution], tmp_path: Path
) -> None:
    python = _environment_with(base, tmp_path / "venv", "--no-index", str(wheel_of_sdist))
    for place in _places(python, tmp_path):
        assert place.startswith(str(tmp_path / "venv"))


def test_an_editable_install_uses_those_of_the_checkout(
    checkout: Path, base: dict[str, Distribution], tmp_path: Path
) -> None:
    build = _closure(["hatchling"]) if _isolation() else {}
    options = ["--no-index", "--no-build-isolation"] if build else []
    python = _environment_with({**base, **build}, tmp_path / "venv", *options, "--editable", str(checkout))
    assert _places(python, tmp_path) == [
        str(checkout / name) for name in ("mockserver/__init__.py", "openapi.yaml", "fixtures/seed.yaml")
    ]


def test_a_checkout_uses_its_own_before_those_that_are_installed(checkout: Path, installed: Path) -> None:
    assert _places(installed.parent / "python", checkout) == [
        str(checkout / name) for name in ("mockserver/__init__.py", "openapi.yaml", "fixtures/seed.yaml")
    ]


def test_a_checkout_that_was_never_installed_says_what_to_do(
    checkout: Path, base: dict[str, Distribution], tmp_path: Path
) -> None:
    python = _environment_with(base, tmp_path / "venv")
    done = _run([python, "-m", "mockserver", "serve", "--port", "0"], checkout)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mockserver: API mailcheap: no API is installed")
    assert "in a checkout pip install -e ." in done.stderr


@pytest.mark.parametrize(
    "arguments", [["lint"], ["examples"], ["inspect"], ["--help"], ["check", "--help"], ["fuzz", "--help"]]
)
def test_the_other_commands_run_outside_of_the_checkout(installed: Path, tmp_path: Path, arguments: list[str]) -> None:
    done = _run([installed, *arguments], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert str(ROOT) not in done.stdout + done.stderr


# ---- extras


def test_the_base_is_small(base: dict[str, Distribution]) -> None:
    size = sum(Path(str(file.locate())).stat().st_size for one in base.values() for file in one.files or ())
    names = ", ".join(sorted(base))
    print(f"{len(base)} packages besides our own, {size / 2**20:.0f} MiB: {names}")  # noqa: T201 - for pytest -s
    assert {"flask", "jsonschema-rs", "requests"} <= base.keys()
    # Of fuzz and of tests; passlib and libpass overwrite each other's files.
    others = {
        "granian",
        "schemathesis",
        "hypothesis",
        "pytest",
        "anyio",
        "rich",
        "pygments",
        "redis",
        "libpass",
        "passlib",
    }
    assert base.keys() & (others | {"sqlalchemy"}) == set()


def test_what_the_suite_patches_is_pinned_exactly(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    requirements = [
        Requirement(line.partition(": ")[2]) for line in metadata.splitlines() if line.startswith("Requires-Dist: ")
    ]
    fuzz = [one for one in requirements if one.marker is not None and one.marker.evaluate({"extra": "fuzz"})]
    assert {one.name for one in fuzz} == {"schemathesis", "hypothesis"}
    for one in fuzz:
        assert str(one.specifier) == f"=={distribution(one.name).version}"


@pytest.mark.parametrize("more", [[], ["--self-test"], ["--example-database", "kept"], ["--workers", "2"]])
def test_fuzz_names_the_extra_that_it_lacks(installed: Path, tmp_path: Path, more: list[str]) -> None:
    done = _run([installed, "fuzz", *more], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mockserver: fuzz needs schemathesis and hypothesis, which are not installed: pip install 'mockserver[fuzz]'\n"
    )


def test_a_pytest_run_loads_our_plugin_and_no_more_before_a_fixture_is_used(
    installed: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("pytest")
    _link(_closure(["pytest"]), site)
    (tmp_path / "conftest.py").write_text(
        "import sys\ndef pytest_collection_finish():\n    print('LOADED', *sorted(sys.modules))\n"
    )
    (tmp_path / "test_fixture.py").write_text(
        "import urllib.request\n"
        "def test_the_stub_is_there(mockserver_url):\n"
        "    assert urllib.request.urlopen(mockserver_url + '/__mock__/health').status == 200\n"
    )
    done = subprocess.run(
        [installed.parent / "python", "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**_environment(tmp_path), "PYTHONPATH": str(site)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = set(done.stdout.partition("LOADED ")[2].partition("\n")[0].split())
    assert {name for name in loaded if name.partition(".")[0] == "mockserver"} == {
        "mockserver",
        "mockserver.pytest_plugin",
    }
    assert loaded & {"flask", "werkzeug", "requests", "click", "yaml", "jsonschema_rs", "granian", "orjson"} == set()


def _run(command: list[Any], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=_environment(folder), timeout=120, check=False
    )
