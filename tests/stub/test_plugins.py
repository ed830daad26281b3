"""An API as a plug-in: behaviours, seed data, logins, owners, control routes, and what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.errors import ContractError, UsageError
from mockserver.plugins import (
    ACCOUNT,
    NO_CONTENT,
    AccountRules,
    Call,
    ControlCall,
    ControlRoute,
    Outcome,
    Plugin,
    Reference,
    RequestRejected,
    Section,
    behaviour,
    login_refused,
    success,
)
from mockserver.plugins.plugin import RESERVED
from tests.conftest import Client, Serve, run_command

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

SUM = {"type": "object", "required": ["sum"], "properties": {"sum": {"type": "integer"}}}
NUMBER = {"name": "n", "in": "query", "schema": {"type": "integer", "default": 1}}


def _responses(schema: Any = None, **others: Any) -> dict[str, Any]:
    return {"200": {"description": "", "content": {"application/json": {"schema": schema or {}}}}, **others}


def _operation(name: str, **members: Any) -> dict[str, Any]:
    return {"operationId": name, "parameters": [NUMBER], "responses": _responses(SUM), **members}


@behaviour("add")
@behaviour("sums", "twice")
def add(call: Call) -> Outcome:
    return success({"sum": 2 * call.arguments.query["n"]}, "added")


@behaviour("broken")
def broken(_call: Call) -> Outcome:
    return success({"sum": "no integer"}, "broken")


@behaviour("trusted", trusted=True)
def trusted(_call: Call) -> Outcome:
    return success({"sum": "no integer"}, "trusted")


@pytest.fixture
def sums(write_contract: Write) -> Path:
    own = {"x-mockserver-behaviour": {"handler": "sums", "role": "twice"}}
    names = ("add", "broken", "trusted")
    paths = {f"/{name}": {"get": _operation(name)} for name in names}
    return write_contract({**paths, "/twice": {"get": _operation("twice", **own)}})


def _plugin(contract: Path, **members: Any) -> Plugin:
    return Plugin(name="sums", contract=contract, **{"behaviours": [add, broken, trusted], **members})


# ---- behaviours


def test_functions_are_behaviours_by_operation_and_by_handler_and_role(make_stub: MakeStub, sums: Path) -> None:
    client = make_stub(api=_plugin(sums))
    assert client.call("GET", "/add?n=4").json() == {"sum": 8}
    assert client.call("GET", "/twice?n=5").json() == {"sum": 10}


def test_what_is_answered_is_validated_unless_it_is_trusted(make_stub: MakeStub, sums: Path) -> None:
    client = make_stub(api=_plugin(sums))
    assert client.call("GET", "/broken").fields["mock-invalid"] == "true"
    assert "mock-invalid" not in client.call("GET", "/trusted").fields
    strict = make_stub(api=_plugin(sums), errors=True)
    assert [strict.call("GET", path).status for path in ("/broken", "/trusted", "/add")] == [500, 500, 200]


def test_behaviours_of_the_user_win_over_those_of_the_api(make_stub: MakeStub, sums: Path) -> None:
    client = make_stub(api=_plugin(sums), behaviours={"add": lambda _: success({"sum": 0}, "mine")})
    assert client.call("GET", "/add?n=4").json() == {"sum": 0}


def test_a_module_for_the_option_may_have_handlers_too(serve: Serve, sums: Path) -> None:
    (sums.parent / "handlers.py").write_text(
        "from mockserver.behaviours import behaviour\nfrom mockserver.plugins import success\n\n"
        '@behaviour("sums", "twice")\ndef twice(call):\n    return success({"sum": 7}, "of the module")\n'
    )
    client = serve("--contract", str(sums), "--behaviours", "handlers").client
    assert client.call("GET", "/twice").json() == {"sum": 7}


def test_a_handler_that_no_operation_names_is_told(sums: Path) -> None:
    (sums.parent / "handlers.py").write_text(
        'from mockserver.behaviours import behaviour\n\n@behaviour("sums", "thrice")\ndef thrice(call): ...\n'
    )
    done = run_command("serve", "--contract", str(sums), "--behaviours", "handlers", cwd=sums.parent)
    assert done.returncode == 2
    assert "no operation has {handler: sums, role: thrice}" in done.stderr


def test_a_misspelt_operation_is_told_for_the_own_contract_alone(
    make_stub: MakeStub, sums: Path, write_contract: Write
) -> None:
    smaller = write_contract({"/add": {"get": _operation("add")}})
    assert make_stub(smaller, api=_plugin(sums)).call("GET", "/add?n=2").json() == {"sum": 4}
    with pytest.raises(UsageError, match='API sums: "broken" is not an operationId'):
        make_stub(api=_plugin(smaller))


def test_two_behaviours_for_one_operation_are_one_too_many(make_stub: MakeStub, sums: Path) -> None:
    @behaviour("add")
    def again(_call: Call) -> Outcome:
        return success({"sum": 0}, "again")

    with pytest.raises(UsageError, match='"add" has two behaviours'):
        make_stub(api=_plugin(sums, behaviours=[add, broken, trusted, again]))


def test_a_handler_without_the_api_is_unknown(make_stub: MakeStub, sums: Path) -> None:
    with pytest.raises(ContractError, match="unknown handler sums; known are absent, setting, auth, resource"):
        make_stub(sums)


# ---- by name


def test_a_contract_may_name_the_api_whose_handlers_it_uses(make_stub: MakeStub, write_contract: Write) -> None:
    alias = {"get": {**_operation("one"), "x-mockserver-behaviour": {"handler": "statistics", "role": "mail"}}}
    client = make_stub(write_contract({"/one": alias}, **{"x-mockserver-api": "mailcheap"}))
    assert client.call("GET", "/one").json()["mailboxes"] == 0  # its behaviours, and no seed data
    assert client.call("POST", "/__mock__/mailcheap/domains/verify", json={"domain": "x.example"}).status == 404


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--api", "nobody"), "API nobody: is not installed; installed are mailcheap"),
        (("check", "--api", "nobody"), "API nobody: is not installed"),
        (("lint", "--api", "mailcheap", "--contract", "x.yaml"), "leave one out"),
    ],
)
def test_an_api_that_cannot_be_meant_is_exit_2(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run_command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_contract_that_names_an_api_that_is_not_there(write_contract: Write) -> None:
    path = write_contract({"/a": {"get": {"responses": {}}}}, **{"x-mockserver-api": "nobody"})
    done = run_command("serve", "--contract", str(path), cwd=path.parent)
    assert (done.returncode, "API nobody: is not installed" in done.stderr) == (2, True)


def test_a_flag_wins_over_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "mockserver.toml").write_text('contract = "nowhere.yaml"\n')
    done = run_command("inspect", "--api", "mailcheap", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Mailcheap NMS API")


@pytest.mark.parametrize("name", ["", "Upper", "a b", "-a", *sorted(RESERVED)])
def test_names_that_no_api_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of an API"):
        Plugin(name=name, contract=Path("x.yaml"))


# ---- seed data

FARMS = Reference(
    lambda sections: {farm["farm"] for farm in sections.get("farms", ())}.__contains__, "is no farm; add it to `farms`"
)
SCHEMA = {
    "properties": {
        "accounts": {"items": {"properties": {"farm": {"type": "string"}}}},
        "farms": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["farm"],
                "properties": {"farm": {"type": "string"}, "size": {"type": "integer", "default": 5}},
            },
        },
        "market": {"type": "object", "properties": {"day": {"type": "string"}}},
    }
}
SECTIONS = (
    Section(name="accounts", references={"farm": FARMS}),
    Section(name="farms", key=("farm",), numbered=True, public=True),
    Section(name="market", records=lambda content: {"day": content}),
)


@pytest.fixture
def farms(sums: Path, tmp_path: Path) -> Callable[[str], Client]:
    def make(seed_data: str) -> Client:
        from mockserver import create_app
        from tests.conftest import send_to_app

        (tmp_path / "seed.schema.json").write_text(json.dumps(SCHEMA))
        (tmp_path / "seed.yaml").write_text(seed_data)
        api = _plugin(
            sums, seed_data=tmp_path / "seed.yaml", seed_schema=tmp_path / "seed.schema.json", sections=SECTIONS
        )
        return Client(send_to_app(create_app(api=api).wsgi_app))

    return make


def test_sections_become_records_and_the_public_ones_are_shown(farms: Callable[[str], Client]) -> None:
    client = farms("farms: [{farm: b}, {farm: a, size: 7}]\nmarket: {day: monday}\naccounts: [{username: x, farm: a}]")
    assert client.control("GET", "/state")["records"] == {
        "farms": {"a": {"farm": "a", "size": 7, "number": 2}, "b": {"farm": "b", "size": 5, "number": 1}}
    }


@pytest.mark.parametrize(
    ("seed_data", "said"),
    [
        ("farms: [{farm: a}, {farm: a}]", "farms[1].farm: is a duplicate; another item has the same farm"),
        ("accounts: [{username: x, farm: c}]", 'accounts[0].farm: "c" is no farm; add it to `farms`'),
        ("barns: []", "barns: is not known; known are accounts, farms, issue, market, overlays, resources"),
        ("domains: []", "domains: is not known"),
        ("accounts: [{username: x, enabled: 0}]", "accounts[0].enabled: is not known"),
        ("overlays: {other: {farms: [{farm: 5}]}}", "overlays.other.farms[0].farm: must be text"),
    ],
)
def test_mistakes_in_sections_are_told_with_their_place(
    farms: Callable[[str], Client], seed_data: str, said: str
) -> None:
    with pytest.raises(UsageError) as error:
        farms(seed_data)
    assert said in str(error.value)


# ---- accounts

LOGIN = {
    "type": "object",
    "required": ["session"],
    "properties": {
        "session": {
            "type": "object",
            "properties": {
                "accessToken": {"type": "string", "x-secret": "issued"},
                "user": {"type": "string"},
                "expires_in": {"type": "integer"},
                "expires_at": {"type": "string", "format": "date-time"},
                "note": {"type": "string"},
            },
        }
    },
    "examples": [
        {
            "session": {
                "accessToken": "t",
                "user": "u",
                "expires_in": 1,
                "expires_at": "2020-01-01T00:00:00Z",
                "note": "hi",
            }
        }
    ],
}


@pytest.fixture
def login_contract(write_contract: Write) -> Path:
    def auth(role: str, **members: Any) -> dict[str, Any]:
        refused = {"401": {"description": ""}}
        own = {"x-mockserver-behaviour": {"handler": "auth", "role": role}}
        return {"operationId": role, "responses": _responses(LOGIN, **refused), **own, **members}

    content = {"application/json": {"schema": {"type": "object"}}}
    return write_contract(
        {
            "/login": {
                "post": auth("issue", security=[], requestBody={"required": True, "content": content}),
                "get": auth("describe"),
                "delete": auth("revoke", responses={"204": {"description": ""}}),
            }
        },
        security=[{"bearer": []}],
        components={"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    )


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.yaml"
    path.write_text("accounts: [{username: ann, password: secret-of-ann}]\nissue: {accessToken: [first]}\n")
    return path


def test_any_contract_can_have_a_login_in_its_own_words(make_stub: MakeStub, login_contract: Path, seed: Path) -> None:
    client = make_stub(login_contract, seed_data=seed, clock=1_600_000_000)
    answer = client.call("POST", "/login", user=None, json={"user": "ann", "password": "secret-of-ann"})
    assert answer.json() == {
        "session": {
            "accessToken": "first",
            "user": "ann",
            "expires_in": 86400,
            "expires_at": "2020-09-14T12:26:40Z",
            "note": "hi",
        }
    }
    bearer = {"Authorization": "Bearer first"}
    described = client.call("GET", "/login", user=None, fields=bearer).json()["session"]
    assert (described["user"], described["accessToken"]) == ("ann", "t")
    assert client.call("DELETE", "/login", user=None, fields=bearer).status == 204
    assert client.call("GET", "/login", user=None, fields=bearer).status == 401
    wrong = {"user": "ann", "password": "wrong"}
    assert client.call("POST", "/login", user=None, json=wrong).status == 401


def test_an_api_says_what_else_a_login_takes_and_which_password_is_right(
    make_stub: MakeStub, login_contract: Path, seed: Path
) -> None:
    def admit(call: Call, username: str, _account: dict[str, Any]) -> None:
        if call.content.get("code") != 7:
            raise login_refused(f"{username} needs a code")

    accounts = AccountRules(password_matches=lambda _account, name, shown: shown == name[::-1], admit=admit)
    client = make_stub(api=Plugin(name="own", contract=login_contract, seed_data=seed, accounts=accounts))
    tries = [{"user": "ann", "password": "secret-of-ann", "code": 7}, {"user": "ann", "password": "nna"}]
    right = {"user": "ann", "password": "nna", "code": 7}
    statuses = [client.call("POST", "/login", user=None, json=one).status for one in (*tries, right)]
    assert statuses == [401, 401, 200]


def test_an_api_says_to_which_name_an_object_belongs(
    make_stub: MakeStub, write_contract: Write, tmp_path: Path
) -> None:
    name = {"name": "repo", "in": "query", "required": True, "schema": {"type": "string"}}
    operation = {
        "operationId": "read",
        "parameters": [name],
        "responses": _responses(),
        "x-mockserver-levels": ["User"],
        "x-mockserver-objects": {"at": "$request.query.repo", "own": "name", "foreign": []},
    }
    contract = write_contract(
        {"/repo": {"get": operation}},
        security=[{"key": []}],
        components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Key"}}},
        **{"x-mockserver-levels": ["User"]},
    )
    seed = tmp_path / "owners.yaml"
    seed.write_text("accounts: [{username: ann, level: User, owns: [team], schemes: {key: k-of-ann}}]")
    accounts = AccountRules(belongs_to=lambda name: name.partition("/")[0])
    client = make_stub(api=Plugin(name="repos", contract=contract, seed_data=seed, accounts=accounts))
    key = {"Key": "k-of-ann"}
    asked = ("team/one", "team", "ann/own", "others/one")
    statuses = [client.call("GET", f"/repo?repo={one}", user=None, fields=key).status for one in asked]
    assert statuses == [200, 200, 403, 403]


# ---- settings of any contract


def test_a_setting_is_answered_in_the_words_of_the_contract(make_stub: MakeStub, write_contract: Write) -> None:
    def setting(role: str, shown: str, **members: Any) -> dict[str, Any]:
        example = {"state": {"is": shown}, "theme": "dark", "rev": 3}
        own = {"handler": "setting", "role": role, "resource": "theme", "status": "/state/is"}
        places = {} if role == "reset" else {"value": "/theme"}
        content = {"application/json": {"schema": {"type": "object"}, "example": example}}
        responses = {"200": {"description": "", "content": content}, "404": {"description": ""}}
        return {"x-mockserver-behaviour": {**own, **places}, "responses": responses, **members}

    body = {"required": True, "content": {"application/json": {"schema": {"type": "string"}}}}
    written = setting("write", "pending", requestBody=body)
    path = {"get": setting("read", "live"), "put": written, "delete": setting("reset", "going")}
    client = make_stub(write_contract({"/theme": path}))
    assert client.call("GET", "/theme").status == 404  # 204 is not documented
    pending = {"state": {"is": "pending"}, "theme": "light", "rev": 3}
    assert client.call("PUT", "/theme", json="light").json() == pending
    assert client.call("GET", "/theme").json() == {**pending, "state": {"is": "live"}}
    assert client.call("DELETE", "/theme").json()["state"] == {"is": "going"}
    assert client.call("GET", "/theme").status == 404


# ---- control routes


def _kept(call: ControlCall) -> Any:
    if call.content is NO_CONTENT:
        raise RequestRejected(422, "Unprocessable Content", "nothing to keep")
    call.transaction.put("kept", call.path["key"], {"content": call.content, **call.query})
    return {"world": call.world, "now": call.now, "kept": dict(call.transaction.items("kept"))}


ROUTES = (
    ControlRoute(method="PUT", path="/kept/{key}", answer=_kept, formerly="/keep/{key}", deprecated=1_700_000_000),
)


def test_control_routes_stand_below_the_name_of_the_api(make_stub: MakeStub, sums: Path) -> None:
    client = make_stub(api=_plugin(sums, routes=ROUTES), clock=5)
    answer = client.call("PUT", "/__mock__/sums/kept/a?b=c", json=None)
    assert answer.json() == {"world": "default", "now": 5, "kept": {"a": {"content": None, "b": "c"}}}
    assert client.call("PUT", "/__mock__/sums/kept/a").status == 422
    assert client.call("PUT", "/__mock__/sums/kept/a", content=b"{").status == 400
    assert client.call("GET", "/__mock__/sums/kept/a").status == 405
    other = client.call("PUT", "/__world__/other/__mock__/sums/kept/z", json=1).json()
    assert (other["world"], list(other["kept"])) == ("other", ["z"])


def test_control_routes_are_let_in_like_the_others(make_stub: MakeStub, sums: Path) -> None:
    client = make_stub(api=_plugin(sums, routes=ROUTES), control_token="t0ken-of-control")
    assert client.call("PUT", "/__mock__/sums/kept/a", json=1, user=None).status == 401


def test_a_route_that_moved_says_so(make_stub: MakeStub, sums: Path) -> None:
    client = make_stub(api=_plugin(sums, routes=ROUTES))
    answer = client.call("PUT", "/__mock__/keep/a", json=1)
    assert answer.json()["kept"] == {"a": {"content": 1}}
    assert answer.fields["deprecation"] == "@1700000000"
    assert answer.fields["link"] == '</__mock__/sums/kept/a>; rel="successor-version"'


# ---- secrets and references


def test_names_that_an_api_calls_secret_are_masked(make_stub: MakeStub, write_contract: Write) -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    operation = {"requestBody": {"content": content}, "responses": _responses()}
    contract = write_contract({"/a": {"post": operation}})
    client = make_stub(api=Plugin(name="own", contract=contract, secret_names=frozenset({"shoe_size"})))
    client.call("POST", "/a", json={"shoe_size": "canary-44", "hat": "h"})
    assert "canary-44" not in json.dumps(client.control("GET", "/journal"))


def test_accounts_are_references_like_any_other() -> None:
    leads = ACCOUNT.known({"accounts": [{"username": "ann"}]})
    assert (leads("ann"), leads("bob")) == (True, False)
