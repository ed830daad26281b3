"""The reference page at `/__mock__/docs`: of the package's own files, for whom the control API is open, and legible."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

import mockserver
from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.contract.reading.extensions import EXTENSIONS
from mockserver.stub.control.reference_page import ASSETS, viewer_contract

if TYPE_CHECKING:
    from tests.conftest import Client, Serve

MakeStub = Callable[..., "Client"]
WriteContract = Callable[..., Path]
VIEWER = Path(mockserver.__file__).parent / "stub/control/viewer"
FILES = ["/docs", *(f"/docs/{name}" for name in ASSETS), "/docs/contract.json"]
MARKS = ("x-source", "x-assumed", "x-observed")
OURS = EXTENSIONS | set(MARKS)


def _get(client: Client, path: str, **fields: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return client.call("GET", "/__mock__" + path, user=None, fields=named)


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


# The files.


def test_the_page_and_all_that_it_loads_come_from_the_stub(stub: Client) -> None:
    page = _get(stub, "/docs")
    assert page.status == 200
    assert page.fields["content-type"].startswith("text/html")
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    loaded = [name for name in wanted if name not in {"data:,", "contract.json"}]
    assert sorted(loaded) == sorted(f"docs/{name}" for name in ASSETS)
    for name, (path, media_type) in ASSETS.items():
        answer = _get(stub, f"/docs/{name}")
        assert answer.fields["content-type"].startswith(media_type)
        assert answer.fields["x-content-type-options"] == "nosniff"
        assert answer.content == path.read_bytes()


def test_our_own_files_name_no_other_host() -> None:
    for name in ("docs.html", "docs.js"):
        assert re.search(r"//[a-z]", (VIEWER / name).read_text(encoding="utf-8")) is None, name


@pytest.mark.parametrize("path", FILES[:-1])
def test_the_browser_is_told_to_load_nothing_else(stub: Client, path: str) -> None:
    policy = dict(part.split(" ", 1) for part in _get(stub, path).fields["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src"):
        assert policy[name] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert "unsafe" not in str(policy)


@pytest.mark.parametrize(
    "path", ["/docs/", "/docs/docs.html", "/docs/README.md", "/docs/../control.py", "/docs/%2e%2e/x"]
)
def test_nothing_else_of_the_package_is_served(stub: Client, path: str) -> None:
    assert _get(stub, path).status == 404


def test_the_viewer_is_the_one_that_its_note_names() -> None:
    note = (VIEWER / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^    ([0-9a-f]{64})  (\S+)$", note, re.MULTILINE))
    files = {path.name: path for path in (VIEWER / "swagger-ui").iterdir()}
    assert set(files) == set(listed.values())
    for digest, name in listed.items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest, name
    version = re.search(r"`swagger-ui-dist` ([0-9.]+)", note)
    assert version is not None
    assert version[1] in (VIEWER / "swagger-ui" / "swagger-ui-bundle.js").read_text(encoding="utf-8")


# Who is let in.


@pytest.mark.parametrize("path", FILES)
def test_it_is_guarded_as_the_rest_of_the_control_api(make_stub: MakeStub, path: str) -> None:
    client = make_stub()
    assert _get(client, path).status == 200
    assert _get(client, path, Origin="http://evil.example").status == 403
    assert _get(client, path, Host="evil.example").status == 403
    assert _get(make_stub(host="0.0.0.0"), path).status == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("path", FILES)
def test_a_browser_sends_the_control_token_as_password(make_stub: MakeStub, host: str, path: str) -> None:
    client = make_stub(host=host, control_token="t0ken-of-control")
    refused = _get(client, path)
    assert refused.status == 401
    assert "Basic realm=" in refused.fields["www-authenticate"]
    assert _get(client, path, Authorization=_basic("wrong-token")).status == 401
    assert _get(client, path, Authorization="Basic t0ken-of-control").status == 401
    assert _get(client, path, Authorization=_basic("t0ken-of-control")).status == 200
    assert _get(client, path, Authorization="Bearer t0ken-of-control").status == 200
    assert _get(client, path, Authorization=_basic("t0ken-of-control"), Origin="http://evil.example").status == 403


@pytest.mark.parametrize("path", ["/state", "/journal", "/clock", "/contract.json"])
def test_nothing_but_the_page_takes_a_password(make_stub: MakeStub, path: str) -> None:
    answer = _get(make_stub(control_token="t0ken-of-control"), path, Authorization=_basic("t0ken-of-control"))
    assert answer.status == 401
    assert "Basic" not in answer.fields["www-authenticate"]


# What it shows.


def test_the_contract_is_shown_as_it_is_served(
    make_stub: MakeStub, write_contract: WriteContract, tmp_path: Path
) -> None:
    path = write_contract({"/a": {"get": {"responses": {"200": {"description": "ok"}}}}})
    overlay = tmp_path / "overlay.json"
    update = {"target": "$.paths['/a'].get", "update": {"summary": "laid over"}}
    overlay.write_text(json.dumps({"overlay": "1.0.0", "info": {"title": "o", "version": "1"}, "actions": [update]}))
    client = make_stub(load_contract(path, (overlay,)))
    for name in ("/contract.json", "/docs/contract.json"):
        assert _get(client, name).json()["paths"]["/a"]["get"]["summary"] == "laid over"


def test_openapi_2_is_shown_as_3(make_stub: MakeStub, tmp_path: Path) -> None:
    path = tmp_path / "swagger.json"
    old = {
        "swagger": "2.0",
        "info": {"title": "old", "version": "1"},
        "host": "old.example",
        "paths": {"/a": {"get": {}}},
    }
    path.write_text(json.dumps(old))
    shown = _get(make_stub(path), "/docs/contract.json").json()
    assert shown["openapi"].startswith("3.")
    assert "old.example" in shown["info"]["description"]


def test_what_is_served_as_the_contract_is_the_contract(stub: Client, contract: Contract) -> None:
    assert _get(stub, "/contract.json").json() == contract.document.data


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def test_descriptions_say_how_each_statement_is_known(contract: Contract) -> None:
    shown = json.loads(viewer_contract(contract.document))
    validate(shown)
    post = shown["paths"]["/api/v1/settings/system_mailer/"]["post"]
    assert "- **Documented**: `setting_post`" in post["description"]
    assert "- **Levels**: MasterAdmin" in post["description"]
    assert "**Assumed** `required`: all examples have a body" in post["requestBody"]["description"]
    assert "- `application/json`: **Documented**: `general`" in post["responses"]["200"]["description"]
    assert post["responses"]["200"]["description"].startswith("Accepted; the server is applying it.\n\n- **Assumed**: ")
    assert "**documented**" in shown["info"]["description"]
    assert "`https://{hostname}`" in shown["info"]["description"]


def test_every_mark_is_there_to_be_read(contract: Contract) -> None:
    shown = json.loads(viewer_contract(contract.document))
    told = "\n".join(str(item["description"]) for item in _objects(shown) if "description" in item)
    data = contract.document.data
    marks = [item[name] for item in _objects([data["paths"], data["components"]]) for name in MARKS if name in item]
    reasons = data["x-mockserver-reasons"]
    texts = {reasons.get(text, text) for mark in marks for text in _texts(mark)}
    assert len(texts) > 40
    assert {text for text in texts if text not in told} == set()


def _texts(mark: Any) -> Iterator[str]:
    if isinstance(mark, dict):
        for inner in mark.values():
            yield from _texts(inner)
    else:
        yield mark


def test_nothing_but_descriptions_is_changed(contract: Contract) -> None:
    """Examples and schemas are shown as they are, to the last value."""

    def bare(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            free = name in {"properties", "paths", "schemas", "value", "example"}
            gone = set() if free else OURS | {"description"}
            return {
                key: bare(item, "value" if name == "value" else key) for key, item in value.items() if key not in gone
            }
        return [bare(item, name) for item in value] if isinstance(value, list) else value

    shown = json.loads(viewer_contract(contract.document))
    assert not [item for item in _objects(shown["paths"]) if OURS & item.keys()]
    assert bare(shown["paths"]) == bare(contract.document.data["paths"])
    assert bare(shown["components"]["schemas"]) == bare(contract.document.data["components"]["schemas"])
    assert contract.document.data["paths"]["/api/v1/auth/"]["get"]["x-source"]  # the contract itself is left alone


def test_others_extensions_stay_and_nothing_is_added(make_stub: MakeStub, write_contract: WriteContract) -> None:
    servers = [{"url": "https://api.example/v1"}]
    get = {"responses": {"200": {"description": "ok"}}, "x-rate": 3, "servers": servers, "description": "theirs"}
    client = make_stub(write_contract({"/a": {"servers": servers, "get": get}}, servers=servers))
    shown = _get(client, "/docs/contract.json").json()
    without = {key: value for key, value in get.items() if key != "servers"}
    assert shown["paths"]["/a"] == {"get": without}  # the page asks the stub, wherever the API is
    assert shown["info"]["description"] == "Servers: `https://api.example/v1`"


# In a browser.

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine to look at the page with")
@pytest.mark.parametrize("prefix", ["", "/__world__/seen"])
def test_a_browser_shows_it_without_any_other_host(serve: Serve, tmp_path: Path, prefix: str) -> None:
    server = serve()
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            *("--enable-logging=stderr", "--v=1", "--vmodule=*=0,console*=1"),
            *("--virtual-time-budget=30000", "--dump-dom"),
            f"{server.url}{prefix}/__mock__/docs#/Settings/setting_post_system_mailer",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    shown = done.stdout
    assert shown.count('class="opblock ') > 15, done.stderr[-2000:]
    assert f'value="{server.url}{prefix}"' in shown  # what is tried out is tried out here
    assert "no status code is stated" in shown
    assert "Content Security Policy" not in done.stderr
