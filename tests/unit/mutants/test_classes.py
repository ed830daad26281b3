"""Each class really mutates: the same calls, once past a mutant and once past the clean stub, are answered differently.

Without the suite, so that a mutant that does nothing cannot be taken for one that the suite does not see.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import pytest

from mockserver.contract.model import Operation
from mockserver.contract.reading.document import load_contract
from mockserver.http import basic
from mockserver.plugins import DEFAULT, find
from mockserver.selftest.catalogue import Backend, Mutant
from mockserver.selftest.mutant_server import CONTROL_PATH, MutantServer
from mockserver.selftest.mutants.foreign_objects import OBJECTS
from mockserver.selftest.registry import CLASSES, all_mutants
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.store.seed import load_seed
from tests import defaults


def tags(operation: Operation) -> list[str]:
    """Return the sections of the documentation that an operation belongs to."""
    found = CONTRACT.at(operation.pointer)["tags"]
    assert isinstance(found, list)
    return found


SEED = load_seed(defaults.SEED_DATA, find(DEFAULT))
CONTRACT = load_contract(defaults.CONTRACT)
#: Those that the tour goes past: of the operations on settings and tokens, whose answers follow from few calls.
OPERATIONS = tuple(item for item in CONTRACT.operations if {"Settings", "Authentication"} & set(tags(item)))
MUTANTS = tuple(mutant for mutant in all_mutants(CONTRACT, SEED.accounts) if mutant.operation in OPERATIONS)
#: One of each level.
ACCOUNTS = tuple(
    next(account for account in SEED.accounts.values() if account.level == level) for level in CONTRACT.levels
)
ADMIN = ACCOUNTS[0]
#: For structures that the built-in contract, or this part of it, does not have.
NOT_HERE = {"choice_widened", "linked_read_of_before", "list_items_lost", "absence_is_200", *OBJECTS.classes}
#: Themes whose classes another tour goes past, with items and bearer tokens (test_items.py).
ELSEWHERE = {"items", "writes", "doors"}
_CLOCK = 1_582_540_000


def _basic(username: str, secret: str) -> str:
    return basic.encode(f"{username}:{secret}")


class Step(NamedTuple):
    """A call of the tour."""

    method: str
    path: str
    body: bytes | None = None
    authorization: str | None = _basic(ADMIN.username, ADMIN.tokens[0].token)
    content_type: str | None = "application/json"
    chunked: bool = False


Answer = tuple[int, tuple[tuple[str, str], ...], bytes]


def ask(server: MutantServer, world: str, step: Step) -> Answer:
    environ = {
        "REQUEST_METHOD": step.method,
        "PATH_INFO": step.path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_MOCK_WORLD": world,
        "wsgi.input": io.BytesIO(step.body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if step.body is not None:
        if step.chunked:
            environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        else:
            environ["CONTENT_LENGTH"] = str(len(step.body))
        if step.content_type is not None:
            environ["CONTENT_TYPE"] = step.content_type
    if step.authorization is not None:
        environ["HTTP_AUTHORIZATION"] = step.authorization
    head: list[Any] = []
    content = b"".join(server(environ, lambda status, fields: head.extend((int(status[:3]), tuple(fields)))))
    return head[0], head[1], content


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


#: Values of the settings that show what a server does to them.
VALUES: tuple[dict[str, Any], ...] = (
    {
        "server_hostname": "Bücher.example",
        "server_port": 40_000,
        "username": " É e\u0301 \ufb01 😀 <b>%41+ 'q' ",
        "password": "a-secret-to-begin",
    },
    {"server_hostname": "x" * 253, "server_port": 1, "username": "u" * 300, "password": "secret-of-this-tour"},
    {"server_hostname": "h", "server_port": 65_535, "username": "u", "password": "another-secret-here"},
    {"junk_days": 0, "trash_days": 36_500},
    {"junk_days": 17, "trash_days": 3},
    {"null": None},
    {"username": ADMIN.username, "password": ADMIN.password},
    {"username": ACCOUNTS[1].username, "password": ACCOUNTS[1].password},
)


def _bodies(valid: dict[str, Any]) -> Iterator[bytes]:
    """Yield content that breaks the contract, or whoever reads it."""
    yield from (b"", b"null", b"[]", b"{}", b'"text"', b'{"a": 1} {}', b"{'a': 1}", b'"\xff"')
    yield _json(valid) + b" {}"
    yield b"[" * 2000 + b"]" * 2000
    yield _json(valid | {"more": "x" * 2**20})
    yield from (_json(valid | {"unknown": 1}), _json(valid)[:-1] + b', "unknown": {}, "unknown": {}}')
    for name, member in valid.items():
        yield _json({key: held for key, held in valid.items() if key != name})
        wrong: Any
        for wrong in (None, {}, 1.5, -5, 2**40, "", "text", 1, "x" * 1025, "x" * 321, "x" * 254, "o'hara", "😀" * 300):
            if wrong != member:
                yield _json(valid | {name: wrong})
        for limit in (0, 65_536, -1, 36_501):
            yield _json(valid | {name: limit})
        for text in (b'"\\ud800"', b'"\\u0000"', b"9" * 400):
            yield _json(valid | {name: "?"}).replace(b'"?"', text)


def _credentials() -> Iterator[str | None]:
    token = ADMIN.tokens[0].token
    yield from (None, "", "Bearer x", "Basic !!!", "Basic " + base64.b64encode(b"admin").decode())
    for shown in ("unknown-token", "", token[:4], token[:-1], token + "x", token.upper(), str(ADMIN.password)):
        yield _basic(ADMIN.username, shown)
    yield _basic("nobody", "unknown-token")
    yield _basic(ACCOUNTS[1].username, token)
    yield from (_basic(account.username, account.tokens[0].token) for account in ACCOUNTS[1:])


def _valid(label: str) -> list[dict[str, Any]]:
    """Return the values that an operation takes."""
    operation = next(item for item in OPERATIONS if item.label == label)
    schema = next(iter(operation.request_body.content.values())).schema if operation.request_body else None
    if schema is None:
        return []
    return [value for value in VALUES if CONTRACT.validator(schema, "request").is_valid(value)]


@cache
def tour(path: str) -> tuple[Step, ...]:
    """Return calls past all operations of a path, and what stands beside them."""
    here = path.replace("{setting}", "nothing")
    at = [item for item in OPERATIONS if item.path == path]
    steps: list[Step] = []
    neighbours = [item for item in OPERATIONS if item.path != path and "{" not in item.path]
    for other in neighbours:
        if other.method == "POST":
            steps += [Step("POST", other.path, _json(_valid(other.label)[0])), Step("GET", other.path)]
    read = Step("GET", here)
    steps.append(read)
    for operation in at:
        if operation.effect == "credentials":
            continue  # at the end
        valid = _valid(operation.label)
        for value in valid:
            write = Step(operation.method, here, _json(value))
            steps += [write, read, read, write, read, Step("DELETE" if "settings" in here else "GET", here)]
            steps += [read, *(Step("GET", other.path) for other in neighbours), write, read]
        if len(valid) > 1:
            rejected = _json(valid[1] | {"unknown": 1})
            steps += [Step(operation.method, here, _json(valid[0])), Step(operation.method, here, rejected), read]
        for value in valid[:2]:
            steps += [Step(operation.method, here, body) for body in _bodies(value)] + [read]
            steps += [Step(operation.method, here, _json(value), content_type="text/plain")]
            steps += [Step(operation.method, here, _json(value), content_type=None), read]
            whole = {name: float(item) if type(item) is int else item for name, item in value.items()}
            steps += [Step(operation.method, here, _json(whole)), read]
            steps += [Step(operation.method, here, _json(value), chunked=True), read]
        body = _json(valid[0]) if valid else None
        for shown in _credentials():
            steps += [Step(operation.method, here, body, authorization=shown), read]
        steps += [Step(operation.method, here, body)] * 21
    for wrong in ("wrong", str(ADMIN.password).upper(), str(ADMIN.password)[:9], str(ACCOUNTS[1].password)):
        steps.append(Step("POST", "/api/v1/auth/", _json({"username": ADMIN.username, "password": wrong})))
    steps += [Step(method, here, b"{}") for method in ("PUT", "PATCH", "POST")]
    steps.append(Step("HEAD", here, authorization=None))
    steps += [Step("GET", f"{here}below/"), Step("GET", f"{here.rstrip('/')}-beside/")]
    return tuple(steps)


def _tail(server: MutantServer, world: str, path: str) -> Iterator[Answer]:
    """Yield the answers around the end of a token that was obtained just now."""
    login = Step("POST", "/api/v1/auth/", _json({"username": ADMIN.username, "password": ADMIN.password}))
    answer = ask(server, world, login)
    yield answer
    if answer[0] != 200:
        return
    try:
        token = json.loads(answer[2])["auth"]["auth_token"]
    except (ValueError, LookupError, TypeError):
        return
    shown = _basic(ADMIN.username, token if isinstance(token, str) else "")
    at = [item for item in OPERATIONS if item.path == path]
    yield ask(server, world, Step("GET", "/api/v1/auth/", authorization=shown))
    yield ask(server, world, Step("DELETE", "/api/v1/auth/", authorization=shown))
    for operation in at:
        bodies = _valid(operation.label)
        body = _json(bodies[0]) if bodies else None
        yield ask(server, world, Step(operation.method, path.format(setting="nothing"), body, authorization=shown))
    stranger = _basic(ACCOUNTS[2].username, ACCOUNTS[2].tokens[0].token)
    for caller in (None, *_credentials(), stranger):
        yield ask(server, world, Step("DELETE", "/api/v1/auth/", authorization=caller))
    yield from (ask(server, world, Step("DELETE", "/api/v1/auth/")) for _ in range(21))
    # A token that ends by itself: obtained, and the clock moved.
    accounts = [account for account in ACCOUNTS if account.password]
    again = Step("POST", "/api/v1/auth/", _json({"username": accounts[2].username, "password": accounts[2].password}))
    fresh = f"{world}-expiry"
    ended = _basic(accounts[2].username, str(json.loads(ask(server, fresh, again)[2])["auth"]["auth_token"]))
    clock = Step("PUT", "/__mock__/clock", _json({"now": _CLOCK + 10**7}), authorization=None)
    assert ask(server, fresh, clock)[0] == 200
    for operation in at:
        yield ask(server, fresh, Step(operation.method, path.format(setting="nothing"), authorization=ended))


def answers(server: MutantServer, world: str, path: str) -> Iterator[Answer]:
    yield from (ask(server, world, step) for step in tour(path))
    yield from _tail(server, world, path)


@cache
def clean(world: str, path: str) -> list[Answer]:
    return list(answers(MutantServer(CONTRACT, SEED, (), clock=_CLOCK), world, path))


def _server(mutant: Mutant) -> MutantServer:
    server = MutantServer(CONTRACT, SEED, (mutant,), clock=_CLOCK)
    server.close()  # nobody waits
    return server


def _differs(server: MutantServer, path: str) -> bool:
    """Tell whether one of the answers of the tour is another one; what comes after it is not asked for."""
    expected = clean("m0-tour", path)
    seen = 0
    for seen, answer in enumerate(answers(server, "m0-tour", path), start=1):
        if seen > len(expected) or answer != expected[seen - 1]:
            return True
    return seen != len(expected)


def _mistake(name: str) -> str:
    """Return what is wrong with a class, "" if it is there and acts, and that can be seen unless it waits."""
    found = [mutant for mutant in MUTANTS if mutant.kind.name == name]
    if bool(found) == (name in NOT_HERE):
        return f"{name}: {'should not be' if found else 'is not'} here"
    for mutant in found[:1]:
        waits = mutant.slow or name == "slow_responses"
        server = _server(mutant)
        differs = not waits and _differs(server, mutant.operation.path)
        (listed,) = json.loads(ask(server, "", Step("GET", CONTROL_PATH))[2])["mutants"]
        if listed["class"] != name or listed["broken"] or differs == waits or (listed["acted"] > 0) == waits:
            return f"{name}: differs {differs}, told as {listed}"
    return ""


@pytest.mark.parametrize("theme", sorted({kind.theme for kind in CLASSES.values()} - ELSEWHERE))
def test_each_class_changes_what_a_client_sees(theme: str) -> None:
    mistakes = [_mistake(name) for name, kind in CLASSES.items() if kind.theme == theme]
    assert [mistake for mistake in mistakes if mistake] == []


def test_a_read_that_a_link_leads_to_is_stale() -> None:
    path, body = "/api/v1/antispam/wlbl/global/", _json({"action": "blacklist", "sender_ips": ["192.0.2.1"]})
    every = all_mutants(CONTRACT, SEED.accounts)
    mutant = next(
        one for one in every if (one.kind.name, one.operation.label) == ("linked_read_of_before", f"POST {path}")
    )
    steps = [Step("POST", path, body), Step("GET", path)]
    seen = [
        [ask(server, "m0-x", step)[2] for step in steps]
        for server in (_server(mutant), MutantServer(CONTRACT, SEED, ()))
    ]
    assert seen[0][0] == seen[1][0]
    assert b"192.0.2.1" not in seen[0][1]
    assert b"192.0.2.1" in seen[1][1]


def test_a_mutant_acts_in_its_own_world_only_and_says_so() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.slow)
    server = _server(mutant)
    step = Step(mutant.operation.method, mutant.operation.path)
    listed = Step("GET", CONTROL_PATH)
    ask(server, "m0-x", step)
    assert json.loads(ask(server, "", listed)[2])["mutants"][0]["acted"] == 1
    ask(server, "m1-x", step)
    ask(server, "x", step)
    assert json.loads(ask(server, "", listed)[2])["mutants"][0]["acted"] == 1


def test_worlds_without_a_mutant_are_as_clean_as_the_stub() -> None:
    server = MutantServer(CONTRACT, SEED, MUTANTS, clock=_CLOCK)
    path = MUTANTS[0].operation.path
    before = clean("elsewhere", path)
    ask(server, "m0-x", Step("GET", path))
    assert list(answers(server, "elsewhere", path)) == before


def test_a_mutant_that_fails_itself_says_so_and_is_no_crash_of_the_server() -> None:
    def fails(_call: MutantRequest, _server: Backend) -> MutantResponse:
        raise KeyError("a mistake in the mutant")

    server = _server(replace(MUTANTS[0], intercept=fails))
    assert ask(server, "m0-x", Step("GET", "/api/v1/auth/"))[0] == 200
    listed = json.loads(ask(server, "", Step("GET", CONTROL_PATH))[2])["mutants"]
    assert "a mistake in the mutant" in listed[0]["broken"]


def test_the_list_of_mutants_asks_for_its_token() -> None:
    server = MutantServer(CONTRACT, SEED, MUTANTS[:1], token="token-of-the-test")
    assert ask(server, "", Step("GET", CONTROL_PATH))[0] == 401
    assert ask(server, "", Step("GET", CONTROL_PATH, authorization="Bearer token-of-the-test"))[0] == 200
