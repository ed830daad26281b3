"""Classes about items, doors and tokens mutate with a contract without examples: a tour past clean stub and mutant."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.selftest.catalogue import Mutant
from mockserver.selftest.mutant_server import MutantServer
from mockserver.selftest.mutants.access.open_doors import DOORS
from mockserver.selftest.mutants.state.lost_items import ITEMS
from mockserver.selftest.mutants.state.written_items import WRITES
from mockserver.selftest.registry import CLASSES, all_mutants
from mockserver.selftest.traffic import decode
from mockserver.stub.store.seed import Seed
from tests.unit.mutants.shelves import ACCOUNTS, TOKEN, shelves

_CLOCK = 1_582_540_000
_SHELF, _OTHER = {"label": "a", "note": "n", "width": 3}, {"label": "b", "note": "n", "width": 4}
#: Classes of credentials that name no user.
_TOKENS = {
    *("token_not_compared", "token_empty", "token_beginning", "token_end_ignored", "token_last_character_ignored"),
    *("token_end_suffices", "token_case_ignored", "auth_ignored", "auth_field_empty", "auth_scheme_ignored"),
    *("token_in_the_response", "token_in_a_cookie", "token_in_a_refusal", "strangers_crash"),
}


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return shelves(tmp_path_factory.mktemp("shelves"))


@pytest.fixture(scope="module")
def mutants(contract: Contract) -> list[Mutant]:
    return list(all_mutants(contract, ACCOUNTS))


def _ask(
    server: MutantServer, method: str, path: str, value: Any = None, **fields: str | None
) -> tuple[int, Any, bytes]:
    path, _, query = path.partition("?")
    body = b"" if value is None else json.dumps(value).encode()
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    environ: dict[str, Any] = {
        **{"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": ""},
        **{"SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost"},
        **{"wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(), "wsgi.input": io.BytesIO(body)},
        **({"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind} if body else {}),
        "HTTP_MOCK_WORLD": "m0-tour",
        "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
        **{f"HTTP_{name}": text for name, text in fields.items()},
    }
    head: list[Any] = []
    content = b"".join(server(environ, lambda status, sent: head.extend((int(status[:3]), tuple(sent)))))
    return head[0], head[1], content


def _tour(server: MutantServer) -> list[tuple[int, Any, bytes]]:
    """Return the responses to calls that show what becomes of shelves, and who is let in."""
    seen: list[tuple[int, Any, bytes]] = []

    def call(method: str, path: str, value: Any = None, **fields: str | None) -> Any:
        seen.append(_ask(server, method, path, value, **fields))
        return decode(seen[-1][2])

    def make(path: str, value: Any) -> str:
        return f"{path}/{(call('POST', path, value) or {}).get('id')}"

    def look(*paths: str) -> None:
        for path in paths:
            call("GET", path)
            call("GET", path)

    one, two = make("/shelves", _SHELF), make("/shelves", _OTHER)
    look(one, two, "/shelves", "/shelves?limit=1", "/shelves?limit=1&offset=1", "/shelves?label=a")
    book = make(f"{one}/books", _SHELF)
    second = make(f"{one}/books", _OTHER)
    look(book, f"{two}/books/{book.rpartition('/')[2]}", f"{one}/books")
    tag = dict(seen[2][1]).get("ETag", "")
    call("GET", one, IF_NONE_MATCH=tag)
    for method, value in (
        ("PUT", {"label": "c", "note": "m", "width": 5}),
        ("PATCH", {"label": "d"}),
        ("PATCH", {"width": 7}),
    ):
        call(method, one, value)
        look(one, two, "/shelves")
        call(method, one, {**value, "note": 7, "width": 9})
        look(one)
        call(method, two, value, IF_MATCH='"stale"')
    call("POST", "/shelves", {"label": "e", "width": "wide"})
    look("/shelves")
    for path in ("/shelves", one):
        for shown in (None, "", "Bearer", "Bearer ", "Basic eDp5", *(f"Bearer {text}" for text in _wrong())):
            call("GET", path, AUTHORIZATION=shown)
        for other in (f"/{path}", f"{path}/", path.replace("/shelves", "/shelves;x"), f"/x/..{path}"):
            call("GET", other, AUTHORIZATION=None)
        for field, text in (("X_FORWARDED_FOR", "127.0.0.1"), ("X_REMOTE_USER", "one"), ("X_ORIGINAL_URL", path)):
            call("GET", "/open" if field == "X_ORIGINAL_URL" else path, AUTHORIZATION=None, **{field: text})
        call("OPTIONS", path, AUTHORIZATION=None, X_HTTP_METHOD_OVERRIDE="GET")
    refused: tuple[tuple[str, Any], ...] = (("PUT", _OTHER), ("PATCH", {"label": "f"}), ("DELETE", None))
    for method, value in refused:
        call(method, one, value, AUTHORIZATION=None)
        look(one)
    call("DELETE", second)
    look(book, second, f"{one}/books")
    call("DELETE", one)
    look(one, two, "/shelves")
    return seen


def _wrong() -> list[str]:
    return ["unknown", TOKEN[:-1], TOKEN[1:], TOKEN + "x", TOKEN.swapcase()]


@pytest.fixture(scope="module")
def clean(contract: Contract) -> list[tuple[int, Any, bytes]]:
    return _tour(MutantServer(contract, Seed(accounts=ACCOUNTS), (), clock=_CLOCK))


@pytest.mark.parametrize("name", sorted({*ITEMS.classes, *WRITES.classes, *DOORS.classes, *_TOKENS}))
def test_each_class_changes_what_a_client_sees(
    name: str, contract: Contract, mutants: list[Mutant], clean: list[tuple[int, Any, bytes]]
) -> None:
    found = [mutant for mutant in mutants if mutant.kind.name == name]
    assert found, f"{name} does not apply"
    server = MutantServer(contract, Seed(accounts=ACCOUNTS), (found[0],), clock=_CLOCK)
    assert _tour(server) != clean
    (listed,) = json.loads(_ask(server, "GET", "/__mutants__/")[2])["mutants"]
    assert (listed["broken"], listed["acted"] > 0) == ("", True)


def test_the_clean_stub_keeps_items_and_lets_nobody_in(clean: list[tuple[int, Any, bytes]]) -> None:
    assert {status for status, _, _ in clean} == {200, 201, 204, 304, 401, 404, 412, 422}


def test_shapes_and_bounds_apply_without_examples(mutants: list[Mutant]) -> None:
    names = {mutant.kind.name for mutant in mutants}
    assert {"member_dropped", "number_as_text", "required_member_optional", "upper_bound_off_by_one"} <= names
    # Bearer tokens name no user, and blanks around them are no part of a field (RFC 9110, section 5.5).
    assert not {"token_of_another", "any_valid_token", "auth_user_unknown", "auth_undecodable", "token_trimmed"} & names
    assert names <= CLASSES.keys()
