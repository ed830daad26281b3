"""The ledger of items on loopback: deleted is what reads as gone, and nothing that was changed is left out."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.safety.conftest import PATIENCE_SECONDS, REMOTE, Suite
from tests.safety.server import Environ, RemoteServer
from tests.safety.small import VALUE, Fields, answers, application, body, valid, written

REVERSES = "no documented operation reverses it"
NEW = {"/pets": ("post",), "/pets/{id}": ("get", "delete")}


class Pets:
    """Pets by name, each with toys; `rex` is there before. What a subclass does is its fault."""

    def __init__(self) -> None:
        self.pets: dict[str, Any] = {"rex": {"id": "rex", "value": "old"}}
        self.toys: dict[str, Any] = {}
        self._number = 0

    def __call__(self, method: str, path: str, query: str, content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG002
        found = re.fullmatch(r"/pets(?:/([^/]+))?(?:/(toys)(?:/([^/]+))?)?", path)
        if found is None:
            return self.elsewhere(method, path, content)
        if method in {"POST", "PUT", "PATCH"} and not valid(content):
            return 422, {}, []
        pet, toys, toy = found.groups()
        if pet is None or (toys and toy is None):
            return self.collection(method, path, self.toys if toys else self.pets, content)
        return self.item(method, toy or pet, self.toys if toys else self.pets, content)

    def collection(self, method: str, path: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG002
        if method == "POST":
            self._number += 1
            name = f"n{self._number}"
            items[name] = {"id": name, **content}
            return 201, items[name], []
        return (200, {"items": list(items.values())}, []) if method == "GET" else (405, {}, [])

    def item(self, method: str, name: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        if method == "PUT":
            status = 200 if name in items else 201
            items[name] = {"id": name, **content}
            return status, items[name], []
        if name not in items:
            return 404, {}, []
        if method == "PATCH":
            items[name] |= content
        elif method == "DELETE":
            return self.delete(name, items)
        return (200, items[name], []) if method in {"GET", "PATCH"} else (405, {}, [])

    def delete(self, name: str, items: dict[str, Any]) -> tuple[int, Any, Fields]:
        del items[name]
        return 204, None, []

    def elsewhere(self, method: str, path: str, content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG002
        return 404, {}, []


def contract(folder: Path, paths: dict[str, tuple[str, ...]], *, pet: str = "rex", closed: bool = False) -> str:
    """Write a contract with methods by path; a pet in a path is first of all this one, if closed no other one."""
    named = {"enum": [pet]} if closed else {"type": "string", "examples": [pet]}
    operations: dict[str, Any] = {}
    for path, methods in paths.items():
        names = re.findall(r"\{(\w+)\}", path)
        item = operations[path] = {
            "parameters": [{"name": name, "in": "path", "required": True, "schema": named} for name in names]
        }
        for method in methods:
            statuses = {"delete": ("204",), "post": ("201", "200"), "put": ("200", "201")}.get(method, ("200",))
            item[method] = {"operationId": f"{method} {path}", "responses": answers(*statuses)}
            if method in {"post", "put", "patch"}:
                item[method]["requestBody"] = body(VALUE)
    return written(folder, operations)


Run = Callable[..., Any]


@pytest.fixture
def ledger_of(suite: Suite, remote: Callable[..., RemoteServer]) -> Run:
    """Run a command on a server of pets, and return its ledger; the page of the run says the same."""

    def run(pets: Pets, option: str, *options: str, command: str = "check", server: RemoteServer | None = None) -> Any:
        server = server or remote(application=application(pets))
        options = options or ("--no-oracle", "--settle=0.3")
        done = suite.run(command, server.url, option, *options, "--report=json=r.json")
        assert "Traceback" not in done.stderr
        assert "error of mockserver itself" not in done.stderr
        ledger = json.loads((suite.folder / "r.json").read_text(encoding="utf-8"))["ledger"]
        told = [line for line in re.findall(r"(?m)^  left: (.*)", done.stdout) if not line.startswith("and ")]
        assert told == ledger["left"][: len(told)]
        assert bool(told) == bool(ledger["left"])
        return ledger

    return run


class Lying(Pets):
    def delete(self, name: str, items: dict[str, Any]) -> tuple[int, Any, Fields]:  # noqa: ARG002
        return 204, None, []


class Kept(Pets):
    def delete(self, name: str, items: dict[str, Any]) -> tuple[int, Any, Fields]:  # noqa: ARG002
        return 405, {}, []


class Vanished(Pets):
    """Calls every pet missing that is to be deleted, and shows it afterwards."""

    def delete(self, name: str, items: dict[str, Any]) -> tuple[int, Any, Fields]:  # noqa: ARG002
        return 404, {}, []


class Slow(Pets):
    """Takes three looks to delete."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: dict[str, int] = {}

    def item(self, method: str, name: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        if method == "GET" and name in self.looks:
            self.looks[name] -= 1
            if not self.looks[name]:
                del self.looks[name], items[name]
        return super().item(method, name, items, content)

    def delete(self, name: str, items: dict[str, Any]) -> tuple[int, Any, Fields]:  # noqa: ARG002
        self.looks.setdefault(name, 3)
        return 202, {}, []


@pytest.mark.parametrize(
    ("pets", "paths", "told"),
    [
        (Lying, NEW, "DELETE was answered with 204, but it still exists"),
        (Vanished, NEW, "DELETE was answered with 404, but it still exists"),
        (Lying, {"/pets": ("post", "get"), "/pets/{id}": ("delete",)}, "204, but it still exists"),
        (
            Pets,
            {"/pets": ("post",), "/pets/{id}": ("delete",)},
            "deleted, not verified: no documented operation reads it",
        ),
        (Kept, {"/pets": ("post",), "/pets/{id}": ("get",)}, "no documented operation deletes it"),
    ],
)
def test_what_is_not_seen_to_be_gone_is_left(
    tmp_path: Path, ledger_of: Run, pets: type[Pets], paths: dict[str, tuple[str, ...]], told: str
) -> None:
    ledger = ledger_of(pets(), contract(tmp_path, paths))
    assert ledger["restored"] == []
    assert ledger["left"]
    assert all(re.fullmatch(rf"/pets/n\d+ \(.*{told}\)", line) for line in ledger["left"]), ledger["left"]


@pytest.mark.parametrize("command", ["check", "fuzz"])
@pytest.mark.parametrize(
    ("pets", "paths"),
    [
        (Pets, NEW),
        (Slow, NEW),
        (Pets, {"/pets": ("post", "get"), "/pets/{petId}": ("delete",)}),
        (Pets, {"/pets": ("post",), "/pets/{id}": ("get",), "/pets/{name}": ("delete",)}),
        (Pets, NEW | {"/pets/{id}/toys": ("post",), "/pets/{id}/toys/{toy}": ("get", "delete")}),
    ],
)
def test_what_is_seen_to_be_gone_is_put_back(
    tmp_path: Path, ledger_of: Run, pets: type[Pets], paths: dict[str, tuple[str, ...]], command: str
) -> None:
    server = pets()
    few = ("--max-examples=3",) * (command == "fuzz")
    option = contract(tmp_path, paths, pet="fido")
    ledger = ledger_of(server, option, "--no-oracle", "--settle=1", *few, command=command)
    assert ledger["left"] == []
    assert any(line.endswith(" (deleted)") for line in ledger["restored"])
    assert not any(name.startswith("n") for name in (*server.pets, *server.toys))


@pytest.mark.parametrize(
    ("methods", "left"),
    [
        (("get", "put", "delete"), ""),
        (("get", "put"), r"/pets/(?:fido|ms\w+) \(no documented operation deletes it\)"),
        (
            ("put",),
            r"/pets/(?:fido|ms\w+) \(no documented operation deletes it\)"
            r"|PUT /pets/\{id\} \(what was there before .* reads it\)",
        ),
    ],
)
def test_what_put_made_is_deleted_or_left(tmp_path: Path, ledger_of: Run, methods: tuple[str, ...], left: str) -> None:
    pets = Pets()
    ledger = ledger_of(pets, contract(tmp_path, {"/pets/{id}": methods}, pet="fido"))
    assert ("/pets/fido (deleted)" in ledger["restored"]) == ("fido" not in pets.pets)
    assert bool(left) == bool(ledger["left"])
    assert all(re.fullmatch(left, line) for line in ledger["left"]), ledger["left"]


@pytest.mark.parametrize(
    ("methods", "left"),
    [
        (("get", "put", "patch", "delete"), ""),
        (("get", "put"), ""),
        (("get", "patch"), ""),
        (("get", "delete"), "/pets/rex (no documented operation writes what it held)"),
        (("delete",), "DELETE /pets/{id} (what was there before is not known: no documented operation reads it)"),
    ],
)
def test_what_was_there_before_is_written_back_or_left(
    tmp_path: Path, ledger_of: Run, methods: tuple[str, ...], left: str
) -> None:
    pets = Pets() if "delete" in methods else Kept()
    option = contract(tmp_path, {"/pets/{id}": methods}, closed=True)
    options = ("--no-oracle", "--settle=1", "--max-examples=3", "--allow-writes=*")
    ledger = ledger_of(pets, option, *options, command="fuzz")
    assert ledger["left"] == ([left] if left else [])
    assert ("/pets/rex (what it held)" in ledger["restored"]) == (not left)
    assert (pets.pets.get("rex") == {"id": "rex", "value": "old"}) == (not left)


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_what_was_there_before_is_left_alone(tmp_path: Path, ledger_of: Run, command: str) -> None:
    pets = Pets()
    few = ("--max-examples=3",) * (command == "fuzz")
    paths = {"/pets": ("get", "put", "delete"), "/pets/{id}": ("get", "put", "patch", "delete")}
    option = contract(tmp_path, paths, closed=True)
    ledger = ledger_of(pets, option, "--no-oracle", "--settle=0.3", *few, command=command)
    assert not any("/pets/rex" in line for line in (*ledger["left"], *ledger["restored"]))
    assert pets.pets["rex"] == {"id": "rex", "value": "old"}


class Unwritable(Pets):
    """Takes no value back: what was written last stays, whatever it answers."""

    def item(self, method: str, name: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        if content == {"value": "old"}:
            return 200, {"id": name, **content}, []
        return super().item(method, name, items, content)


def test_what_was_written_back_is_read_back(tmp_path: Path, ledger_of: Run) -> None:
    option = contract(tmp_path, {"/pets/{id}": ("get", "put")}, closed=True)
    ledger = ledger_of(Unwritable(), option, "--no-oracle", "--settle=0.3", "--allow-writes=*")
    assert ledger == ledger | {"restored": [], "left": ["/pets/rex (it was written, and still shows another value)"]}


class Batch(Pets):
    """Answers `POST /batch` with a status, valid content or not."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status

    def elsewhere(self, method: str, path: str, content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG002
        return (self._status, {}, []) if (method, path) == ("POST", "/batch") else (404, {}, [])


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (422, []),
        (501, []),
        (200, [f"POST /batch ({REVERSES})"]),
        (
            500,
            ["POST /batch (no response told whether it changed something; no documented operation reverses it)"],
        ),
    ],
)
@pytest.mark.parametrize("where", [(), (*REMOTE, "--allow-writes=post /batch")], ids=["loopback", "remote"])
def test_a_refused_call_changed_nothing_and_a_failed_one_may_have(
    tmp_path: Path, ledger_of: Run, status: int, left: list[str], where: tuple[str, ...]
) -> None:
    assert ledger_of(Batch(status), contract(tmp_path, {"/batch": ("post",)}), *where)["left"] == left


class Nameless(Pets):
    def collection(self, method: str, path: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        status, _, fields = super().collection(method, path, items, content)
        return status, {}, fields


def test_what_was_created_and_not_named_is_left(tmp_path: Path, ledger_of: Run) -> None:
    ledger = ledger_of(Nameless(), contract(tmp_path, NEW))
    assert ledger["left"] == ["POST /pets (no response says what it created)"]


class Known(Pets):
    """Answers with the pet that was there before, whatever is to be created."""

    def collection(self, method: str, path: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        return (200, items["rex"], []) if method == "POST" else super().collection(method, path, items, content)


@pytest.mark.parametrize("where", [(), (*REMOTE, "--allow-writes=*")], ids=["loopback", "remote"])
def test_what_an_answer_names_without_201_is_not_the_runs_to_delete(
    tmp_path: Path, ledger_of: Run, where: tuple[str, ...]
) -> None:
    pets = Known()
    ledger = ledger_of(pets, contract(tmp_path, NEW, pet="fido"), *where)
    assert ledger["left"] == ["POST /pets (no response says what it created)"]
    assert pets.pets["rex"] == {"id": "rex", "value": "old"}


def test_what_a_lost_request_may_have_created_is_left(
    tmp_path: Path, ledger_of: Run, remote: Callable[..., RemoteServer]
) -> None:
    """It is sent once more, and the pet made by the first one has a name that nobody was told."""
    pets = Pets()
    server = remote(application=application(pets))
    lost: list[str] = []

    def lose(environ: Environ) -> None:
        if environ["REQUEST_METHOD"] == "POST" and not lost:
            lost.append("the first")
            pets.pets["nobody-was-told"] = {}
            raise ConnectionError

    server.before = lose
    ledger = ledger_of(pets, contract(tmp_path, NEW), server=server)
    assert [line.partition(" (")[0] for line in ledger["left"]] == ["POST /pets"]
    assert set(pets.pets) == {"rex", "nobody-was-told"}


@pytest.mark.parametrize("name", ["anything", "what I changed.txt", "mockserver-ledger-1.json"])
def test_a_ledger_of_any_name_is_found_again(
    suite: Suite, remote: Callable[..., RemoteServer], tmp_path: Path, name: str
) -> None:
    server = remote(application=application(Pets()))
    option = contract(tmp_path, NEW)
    allowed = (*REMOTE, "--allow-writes=*")
    suite.run("check", server.url, option, *allowed, f"--ledger={name}")
    kept = json.loads((tmp_path / name).read_text(encoding="utf-8"))
    assert kept["items"]
    for item in kept["items"]:
        item["outcome"] = ""
    (tmp_path / name).write_text(json.dumps({**kept, "process": 2**22 + 1}), encoding="utf-8")
    for other in ("list.json", "binary"):
        (tmp_path / other).write_bytes(
            b'{"version": 1, "of": "something else"}' if other == "list.json" else b"\xff\x00"
        )
    again = suite.run("check", server.url, option, *allowed)
    assert again.returncode == 2
    assert f"an earlier run on this target was killed; run mockserver restore {name} first" in again.stderr
    done = suite.run("restore", name, "--rate=500/s")
    assert done.returncode == 0, done.stdout
    assert suite.run("check", server.url, option, *allowed).returncode == 0


class Mute(Pets):
    """Drops the connection on whoever looks at a pet."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def item(self, method: str, name: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        if method == "GET":
            self.looks += 1
            raise ConnectionError
        return super().item(method, name, items, content)


def test_a_read_that_is_not_answered_is_not_waited_for_again_and_again(tmp_path: Path, ledger_of: Run) -> None:
    pets = Mute()
    ledger = ledger_of(pets, contract(tmp_path, NEW))
    assert len(ledger["left"]) > 5
    assert all("deleted, not verified: " in line for line in ledger["left"])
    assert pets.looks < 20


def test_the_plan_names_what_takes_items_back(suite: Suite, tmp_path: Path) -> None:
    option = contract(tmp_path, NEW | {"/pets/{id}": ("get", "put", "delete"), "/wishes/{id}": ("get", "put")})
    only = ("--only=post /pets", "--only=put /wishes/{id}", "--allow-writes=*", "--allow-writes=put /wishes/{id}")
    plan = suite.run("check", "http://127.0.0.1:9", option, *REMOTE, *only, "--dry-run").stdout
    besides = plan.partition("Also called, although --only leaves them out:\n")[2].partition("Saved before")[0]
    assert besides.splitlines() == [
        "  DELETE /pets/{id}  to delete what POST /pets creates",
        "  GET /pets/{id}  to look at what POST /pets creates",
        "  GET /wishes/{id}  to save what PUT /wishes/{id} changes",
    ]
    assert "  what PUT /wishes/{id} changes  read by GET /wishes/{id}; put back by PUT /wishes/{id}\n" in plan


def test_content_that_a_server_does_not_read_changes_nothing(
    tmp_path: Path, ledger_of: Run, remote: Callable[..., RemoteServer]
) -> None:
    server = remote(application=application(Batch(422)))

    def close_on_much(environ: Environ) -> None:
        if int(environ["CONTENT_LENGTH"]) > 1_000_000:
            raise ConnectionError

    server.before = close_on_much
    assert ledger_of(Batch(422), contract(tmp_path, {"/batch": ("post",)}), server=server)["left"] == []


def test_what_a_path_held_is_restored_after_a_kill(
    suite: Suite, tmp_path: Path, remote: Callable[..., RemoteServer]
) -> None:
    pets = Pets()
    server = remote(application=application(pets))
    came, go_on = threading.Event(), threading.Event()
    writes: list[str] = []

    def hold(environ: Environ) -> None:
        writes.extend([environ["PATH_INFO"]] if environ["REQUEST_METHOD"] == "PUT" else [])
        if len(writes) == 4:
            came.set()
            go_on.wait(PATIENCE_SECONDS)

    server.before = hold
    paths: dict[str, Any] = {"/pets/rex": {"get": {"responses": answers("200")}}}
    paths["/pets/rex"]["put"] = {"operationId": "put", "requestBody": body(), "responses": answers("200")}
    process = suite.start("check", server.url, written(tmp_path, paths), *REMOTE, "--allow-writes=put")
    try:
        assert came.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.communicate()
        server.before = lambda _environ: None
        go_on.set()
    pets.pets["rex"] = {"id": "rex", "value": "whatever it had got to"}
    [ledger] = suite.ledgers
    done = suite.run("restore", ledger.name, "--rate=500/s")
    assert (done.returncode, pets.pets["rex"]) == (0, {"id": "rex", "value": "old"}), done.stdout
    assert "  put back: /pets/rex (what it held)" in done.stdout


class Renamed(Pets):
    """Names pets by their values."""

    def item(self, method: str, name: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        if method == "PUT" and name in items:
            items[content["value"]] = {"id": content["value"]}
            del items[name]
            return 200, items[content["value"]], []
        return super().item(method, name, items, content)


def test_what_a_write_gave_another_name_is_deleted_by_that(tmp_path: Path, ledger_of: Run) -> None:
    pets = Renamed()
    ledger = ledger_of(pets, contract(tmp_path, {"/pets": ("post",), "/pets/{id}": ("get", "put", "delete")}))
    assert ledger["left"] == []
    assert set(pets.pets) == {"rex"}


class Bulk(Pets):
    """Changes every pet by a PATCH of the collection."""

    def collection(self, method: str, path: str, items: dict[str, Any], content: Any) -> tuple[int, Any, Fields]:
        if method != "PATCH":
            return super().collection(method, path, items, content)
        for pet in items.values():
            pet |= content
        return 200, {"items": list(items.values())}, []


def test_what_a_call_on_the_whole_collection_changed_is_written_back_item_by_item(
    tmp_path: Path, ledger_of: Run
) -> None:
    pets = Bulk()
    pets.pets["tom"] = {"id": "tom", "value": "older"}
    shown = {"type": "object", "properties": {"id": {"type": "string"}, "value": {"type": "string"}}}
    listed = {"type": "object", "properties": {"items": {"type": "array", "items": shown}}}
    content = {"application/json": {"schema": listed}}
    option = contract(tmp_path, {"/pets": ("get", "post", "patch"), "/pets/{id}": ("get", "put", "delete")})
    document = json.loads((tmp_path / "small.json").read_text(encoding="utf-8"))
    document["paths"]["/pets"]["get"]["responses"]["200"]["content"] = content
    (tmp_path / "small.json").write_text(json.dumps(document), encoding="utf-8")
    ledger = ledger_of(pets, option, "--no-oracle", "--settle=0.3", "--allow-writes=*")
    assert ledger["left"] == []
    assert "/pets (what it held)" in ledger["restored"]
    assert pets.pets == {"rex": {"id": "rex", "value": "old"}, "tom": {"id": "tom", "value": "older"}}


@pytest.mark.parametrize("method", ["put", "post"])
def test_a_setting_of_the_whole_server_is_put_back_before_the_next_check(
    tmp_path: Path, suite: Suite, remote: Callable[..., RemoteServer], method: str
) -> None:
    """While it is on, a maintenance mode refuses all other calls."""
    pets, mode = Pets(), {"enabled": False}

    def answer(verb: str, path: str, query: str, content: Any) -> tuple[int, Any, Fields]:
        if path != "/maintenance":
            return (503, {}, []) if mode["enabled"] else pets(verb, path, query, content)
        if verb == method.upper():
            if not isinstance(content, dict) or not isinstance(content.get("enabled"), bool) or len(content) > 1:
                return 422, {}, []
            mode.update(content)
        return (200, dict(mode), []) if verb in {"GET", "HEAD", method.upper()} else (405, {}, [])

    enabled = {"required": ["enabled"], "properties": {"enabled": {"type": "boolean"}}}
    switch = {"type": "object", "additionalProperties": False, **enabled}
    shown = {**answers(), "200": {"description": "", "content": {"application/json": {"schema": switch}}}}
    option = contract(tmp_path, NEW)
    document = json.loads((tmp_path / "small.json").read_text(encoding="utf-8"))
    maintenance = {"get": {"responses": shown}, method: {"requestBody": body(switch), "responses": shown}}
    document["paths"] = {"/maintenance": maintenance, **document["paths"]}
    (tmp_path / "small.json").write_text(json.dumps(document), encoding="utf-8")
    server = remote(application=application(answer))
    suite.run("check", server.url, option, "--no-oracle", "--settle=0.3", "--report=json=r.json")
    report = json.loads((suite.folder / "r.json").read_text(encoding="utf-8"))
    assert mode == {"enabled": False}
    assert {row["why"] for row in report["reach"]} == {""}
    assert not [one for one in report["findings"] if "503" in one["title"]]
