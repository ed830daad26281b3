"""State as people expect it, however a contract writes its paths: nothing here is marked by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

TEXT = {"type": "string"}
MISSING: Any = {"404": {"description": "none"}}


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def answer(schema: Any, status: str = "200", example: Any = None, **more: Any) -> dict[str, Any]:
    content = {"schema": schema, **({} if example is None else {"example": example})}
    return {"responses": {status: {"description": "", "content": {"application/json": content}}, **more}}


def taking(schema: Any, *args: Any, **more: Any) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, **answer(schema, *args, **more)}


def path(*names: str, kind: str = "string") -> dict[str, Any]:
    return {"parameters": [{"name": one, "in": "path", "required": True, "schema": {"type": kind}} for one in names]}


def listed(schema: Any) -> dict[str, Any]:
    return answer({"type": "array", "items": schema})


GONE: Any = {"responses": {"204": {"description": "gone"}, **MISSING}}


@pytest.fixture
def stub(make_stub: MakeStub, write_contract: Write) -> Callable[[dict[str, Any]], Client]:
    return lambda paths: make_stub(write_contract(paths))


Stub = Callable[[dict[str, Any]], Client]


def test_a_singleton_shows_what_was_written(stub: Stub) -> None:
    profile = thing(name=TEXT, theme=TEXT)
    client = stub({"/me": {"get": answer(profile), "put": taking(profile), "patch": taking(profile)}})
    client.call("PUT", "/me", json={"name": "Ann", "theme": "dark"})
    assert client.call("GET", "/me").json() == {"name": "Ann", "theme": "dark"}
    client.call("PATCH", "/me", json={"theme": "light"})
    assert client.call("GET", "/me").json() == {"name": "Ann", "theme": "light"}
    client.call("PUT", "/me", json={"name": "Bob"})
    assert client.call("GET", "/me").json() == {"name": "Bob"}


def test_singletons_below_items_are_apart_and_go_with_them(stub: Stub) -> None:
    room, design = thing(id=TEXT, name=TEXT), thing(colour=TEXT)
    client = stub(
        {
            "/rooms": {"get": listed(room), "post": taking(room, "201")},
            "/rooms/{id}": {**path("id"), "get": answer(room, **MISSING), "delete": GONE},
            "/rooms/{id}/design": {**path("id"), "get": answer(design), "put": taking(design)},
        }
    )
    for name, colour in (("a", "red"), ("b", "blue")):
        client.call("POST", "/rooms", json={"id": name})
        client.call("PUT", f"/rooms/{name}/design", json={"colour": colour})
    assert [client.call("GET", f"/rooms/{name}/design").json()["colour"] for name in "ab"] == ["red", "blue"]
    client.call("DELETE", "/rooms/a")
    assert client.call("GET", "/rooms/a/design").status == 404


def test_a_list_that_is_written_as_a_whole(stub: Stub) -> None:
    labels = {"type": "array", "items": TEXT}
    client = stub({"/labels": {"get": answer(labels), "put": taking(labels)}})
    assert client.call("PUT", "/labels", json=["x", "y"]).json() == ["x", "y"]
    assert client.call("GET", "/labels").json() == ["x", "y"]


@pytest.mark.parametrize(
    ("listing", "creating", "item"),
    [
        ("/pets", "/pets", "/pet/{id}"),
        ("/boxes", "/boxes/create", "/boxes/{id}"),
        ("/boxes/json", "/boxes/create", "/boxes/{id}"),
        ("/cities/", "/cities/", "/cities/{id}/"),
    ],
)
def test_paths_of_one_thing_may_differ(stub: Stub, listing: str, creating: str, item: str) -> None:
    pet = thing(id=TEXT, title=TEXT)
    paths: dict[str, Any] = {listing: {"get": listed(pet)}}
    paths.setdefault(creating, {})["post"] = taking(pet, "201")
    paths[item] = {**path("id"), "get": answer(pet, **MISSING), "delete": GONE}
    client = stub(paths)
    made = client.call("POST", creating, json={"title": "Rex"})
    at = item.replace("{id}", made.json()["id"])
    assert made.fields["location"] == at
    assert client.call("GET", at).json() == made.json()
    assert made.json() in client.call("GET", listing).json()
    assert client.call("DELETE", at).status == 204
    assert client.call("GET", at).status == 404
    assert made.json() not in client.call("GET", listing).json()


def test_an_item_below_a_suffix_of_its_path(stub: Stub) -> None:
    box = thing(Id=TEXT, Image=TEXT)
    client = stub(
        {
            "/boxes/create": {"post": taking(box, "201")},
            "/boxes/{id}/json": {**path("id"), "get": answer(box, **MISSING)},
            "/boxes/{id}": {**path("id"), "delete": GONE},
        }
    )
    made = client.call("POST", "/boxes/create", json={"Image": "x"}).json()
    assert client.call("GET", f"/boxes/{made['Id']}/json").json() == made
    client.call("DELETE", f"/boxes/{made['Id']}")
    assert client.call("GET", f"/boxes/{made['Id']}/json").status == 404


def test_put_makes_what_is_not_there(stub: Stub) -> None:
    note = thing(text=TEXT)
    made: Any = {"201": {"description": "", "content": {"application/json": {"schema": note}}}}
    client = stub(
        {"/notes/{key}": {**path("key"), "get": answer(note, **MISSING), "put": taking(note, **made), "delete": GONE}}
    )
    assert client.call("PUT", "/notes/a", json={"text": "one"}).status == 201
    assert client.call("PUT", "/notes/a", json={"text": "two"}).status == 200
    assert client.call("GET", "/notes/a").json() == {"text": "two"}
    client.call("DELETE", "/notes/a")
    assert client.call("GET", "/notes/a").status == 404
    assert client.call("PUT", "/notes/a", json={"text": "three"}).status == 201


ORGANISATION = thing(id={"type": "integer", "readOnly": True}, username=TEXT, full_name=TEXT, email=TEXT)


def organisations() -> dict[str, Any]:
    team = thing(id={"type": "integer", "readOnly": True}, name=TEXT)
    return {
        "/orgs": {"get": listed(ORGANISATION), "post": taking(ORGANISATION, "201")},
        "/orgs/{org}": {
            **path("org"),
            "get": answer(ORGANISATION, **MISSING),
            "patch": taking(ORGANISATION),
            "delete": GONE,
        },
        "/orgs/{org}/teams": {**path("org"), "get": listed(team), "post": taking(team, "201")},
        "/orgs/{org}/teams/{nameOrId}": {**path("org", "nameOrId"), "get": answer(team, **MISSING), "delete": GONE},
    }


def test_an_item_is_found_by_every_identifier_that_it_has(stub: Stub) -> None:
    client = stub(organisations())
    made = client.call("POST", "/orgs", json={"username": "acme", "email": "a@acme.example"}).json()
    for name in (made["id"], "acme", "a@acme.example"):
        assert client.call("GET", f"/orgs/{name}").json() == made
    client.call("PATCH", "/orgs/acme", json={"username": "apex"})
    for name in (made["id"], "acme", "apex"):  # the path says which item it is; the new name leads to it, too
        assert client.call("GET", f"/orgs/{name}").json()["id"] == made["id"]
    client.call("DELETE", "/orgs/apex")
    assert [client.call("GET", f"/orgs/{name}").status for name in (made["id"], "acme", "apex")] == [404, 404, 404]


def test_what_is_below_an_item_is_found_by_every_identifier_of_it(stub: Stub) -> None:
    client = stub(organisations())
    number = client.call("POST", "/orgs", json={"username": "acme"}).json()["id"]
    client.call("PATCH", "/orgs/acme", json={"full_name": "Acme"})
    assert client.call("GET", "/orgs/acme/teams").json() == []  # it was created a moment ago
    team = client.call("POST", "/orgs/acme/teams", json={"name": "red"})
    assert team.fields["location"] == f"/orgs/acme/teams/{team.json()['id']}"
    for path in (f"/orgs/{number}/teams/red", "/orgs/acme/teams/red", f"/orgs/acme/teams/{team.json()['id']}"):
        assert client.call("GET", path).json() == team.json()
    client.call("DELETE", f"/orgs/{number}")
    assert client.call("GET", "/orgs/acme/teams/red").status == 404


def test_of_two_items_with_one_name_the_first_is_found_by_it_until_that_is_given_again(stub: Stub) -> None:
    client = stub(organisations())
    first, second = (client.call("POST", "/orgs/acme/teams", json={"name": "red"}).json()["id"] for _ in range(2))
    assert client.call("GET", "/orgs/acme/teams/red").json()["id"] == first
    client.call("DELETE", f"/orgs/acme/teams/{first}")
    assert client.call("GET", "/orgs/acme/teams/red").status == 404
    third = client.call("POST", "/orgs/acme/teams", json={"name": "red"}).json()["id"]
    assert client.call("GET", "/orgs/acme/teams/red").json()["id"] == third
    assert len({first, second, third}) == 3


def pods() -> dict[str, Any]:
    meta = thing(name=TEXT, labels={"type": "object", "additionalProperties": TEXT})
    pod = thing(kind=TEXT, metadata=meta, spec=thing(image=TEXT), status=thing(phase=TEXT))
    return {
        "/pods": {"get": answer(thing(kind=TEXT, items={"type": "array", "items": pod})), "post": taking(pod, "201")},
        "/pods/{name}": {**path("name"), "get": answer(pod), "put": taking(pod), "delete": answer(thing(state=TEXT))},
        "/pods/{name}/status": {**path("name"), "get": answer(pod), "put": taking(pod), "patch": taking(pod)},
    }


def test_an_identifier_may_stand_in_the_metadata_of_an_item(stub: Stub) -> None:
    client = stub(pods())
    pod = {"kind": "Pod", "metadata": {"name": "web", "labels": {"a.b/c": "d"}}, "spec": {"image": "x"}}
    assert client.call("POST", "/pods", json=pod).json() == pod
    assert client.call("GET", "/pods/web").json() == pod
    assert pod in client.call("GET", "/pods").json()["items"]
    client.call("PUT", "/pods/web", json={**pod, "spec": {"image": "y"}})
    assert client.call("GET", "/pods/web").json()["spec"] == {"image": "y"}
    client.call("PATCH", "/pods/web/status", json={"status": {"phase": "Running"}})
    for way in ("", "/status"):  # another way to the same item
        shown = client.call("GET", f"/pods/web{way}").json()
        assert (shown["status"], shown["spec"]) == ({"phase": "Running"}, {"image": "y"})
    client.call("PUT", "/pods/web/status", json={"metadata": pod["metadata"], "status": {"phase": "Failed"}})
    shown = client.call("GET", "/pods/web").json()
    assert (shown["status"], shown["spec"]) == ({"phase": "Failed"}, {"image": "y"})  # a part was written
    assert client.call("DELETE", "/pods/web").status == 200
    assert client.call("GET", "/pods/web").status == 404


def test_an_action_changes_what_its_response_documents(stub: Stub) -> None:
    state = {"type": "string", "enum": ["open", "closed"]}
    issue = thing(id={"type": "integer", "readOnly": True}, title=TEXT, state=state, locked={"type": "boolean"})
    actions = {f"/issues/{{id}}/{word}": {**path("id"), "post": answer(issue)} for word in ("close", "lock", "unlock")}
    client = stub(
        {
            "/issues": {"get": listed(issue), "post": taking(issue, "201")},
            "/issues/{id}": {**path("id"), "get": answer(issue, **MISSING)},
            **actions,
        }
    )
    sent = {"title": "t", "state": "open", "locked": False}
    at = client.call("POST", "/issues", json=sent).fields["location"]
    assert client.call("POST", f"{at}/close").json()["state"] == "closed"
    assert client.call("POST", f"{at}/lock").json()["locked"] is True
    assert client.call("POST", f"{at}/unlock").json()["locked"] is False
    shown = client.call("GET", at).json()
    assert (shown["title"], shown["state"], shown["locked"]) == ("t", "closed", False)


@pytest.mark.parametrize(
    ("example", "pattern"),
    [
        ("ED-24", "ED-25"),
        ("0042", "0043"),
        ("cus_9s6XKzkNRiz8i3", r"cus_[0-9A-Za-z]{14}"),
        ("5f1e0c7a9b2d4e6f8a0b1c2d", r"[0-9a-f]{24}"),
        ("018f2c3e-9a1b-4c4d-8e5f-0123456789ab", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_identifiers_look_like_the_example_and_are_given_once(stub: Stub, example: str, pattern: str) -> None:
    row = thing(id={"type": "string", "readOnly": True}, name=TEXT)
    shown = {"id": example, "name": "n"}
    client = stub(
        {
            "/rows": {"get": listed(row), "post": taking(row, "201", shown)},
            "/rows/{id}": {**path("id"), "get": answer(row, "200", shown, **MISSING), "delete": GONE},
        }
    )
    first = client.call("POST", "/rows", json={"name": "a"}).json()["id"]
    assert re.fullmatch(pattern, first)
    assert first != example
    client.call("DELETE", f"/rows/{first}")
    assert client.call("POST", "/rows", json={"name": "b"}).json()["id"] != first
    assert client.call("GET", f"/rows/{first}").status == 404


def test_several_items_are_created_at_once(stub: Stub) -> None:
    row = thing(id={"type": "integer", "readOnly": True}, name=TEXT)
    both = {"oneOf": [row, {"type": "array", "items": row}]}
    client = stub(
        {
            "/rows": {"get": listed(row), "post": taking(both, "201")},
            "/rows/{id}": {**path("id", kind="integer"), "get": answer(row, **MISSING)},
        }
    )
    made = client.call("POST", "/rows", json=[{"name": "a"}, {"name": "b"}]).json()
    assert [one["name"] for one in made] == ["a", "b"]
    assert [client.call("GET", f"/rows/{one['id']}").json() for one in made] == made


def test_a_404_of_inferred_state_says_so(stub: Stub) -> None:
    client = stub(organisations())
    detail = client.call("GET", "/orgs/nobody").json()["detail"]
    assert "mockserver inspect" in detail
    assert "--no-state" in detail


def test_a_container_is_kept_as_clients_of_its_engine_expect(stub: Stub) -> None:
    """The creation shows an identifier alone; what was sent stands one level down; a name comes in the query."""
    states = {"type": "string", "enum": ["created", "running", "exited"]}
    config = thing(Image=TEXT, Labels={"type": "object", "additionalProperties": TEXT})
    box = thing(Id=TEXT, Name=TEXT, State=thing(Status=states), Config=config, Mounts={"type": "array", "items": TEXT})
    sent = thing(
        Image=TEXT, Labels={"type": "object", "additionalProperties": TEXT}, Mounts={"type": "array", "items": TEXT}
    )
    named = {"name": "name", "in": "query", "schema": TEXT}
    done = {"responses": {"204": {"description": "done"}, **MISSING}}
    below = {f"/boxes/{{id}}/{word}": {**path("id"), "post": done} for word in ("start", "stop")}
    client = stub(
        {
            "/boxes/create": {"post": {**taking(sent, "201"), **answer(thing(Id=TEXT), "201"), "parameters": [named]}},
            "/boxes/{id}/json": {**path("id"), "get": answer(box, **MISSING)},
            "/boxes/{id}": {**path("id"), "delete": GONE},
            "/boxes/{id}/rename": {**path("id"), "post": {**done, "parameters": [named]}},
            **below,
        }
    )
    made = client.call("POST", "/boxes/create?name=web", json={"Image": "x", "Labels": {"a": "b"}}).json()["Id"]
    shown = client.call("GET", "/boxes/web/json").json()
    assert (shown["Id"], shown["Name"], shown["Config"]) == (made, "web", {"Image": "x", "Labels": {"a": "b"}})
    assert shown["Mounts"] == []
    for word, status in (("start", "running"), ("stop", "exited")):
        assert client.call("POST", f"/boxes/{made}/{word}").status == 204
        assert client.call("GET", f"/boxes/{made}/json").json()["State"]["Status"] == status
    client.call("POST", f"/boxes/{made}/rename?name=web2")
    assert client.call("GET", "/boxes/web2/json").json()["Id"] == made
    client.call("DELETE", "/boxes/web2")
    assert client.call("GET", f"/boxes/{made}/json").status == 404


def test_an_object_that_takes_any_member_has_its_identifier_among_them(stub: Stub) -> None:
    data = {"type": "object", "additionalProperties": True}
    one, several = thing(data=data), thing(data={"type": "array", "items": data})
    made: Any = {"201": {"description": "", "content": {"application/json": {"schema": one}}}}
    client = stub(
        {
            "/records": {"get": answer(several), "post": taking(one, "201")},
            "/records/{id}": {
                **path("id"),
                "get": answer(one, **MISSING),
                "put": taking(one, **made),
                "patch": taking(one),
                "delete": answer(one, **MISSING),
            },
        }
    )
    assert client.call("PUT", "/records/a", json={"data": {"n": 1}}).json()["data"] == {"n": 1, "id": "a"}
    client.call("PATCH", "/records/a", json={"data": {"more": [2]}})
    assert client.call("GET", "/records/a").json()["data"] == {"n": 1, "more": [2], "id": "a"}
    new = client.call("POST", "/records", json={"data": {"n": 3}}).json()["data"]["id"]
    assert client.call("GET", f"/records/{new}").json()["data"]["n"] == 3
    assert {"a", new} <= {one.get("id") for one in client.call("GET", "/records").json()["data"]}
    client.call("DELETE", "/records/a")
    assert client.call("GET", "/records/a").status == 404


@pytest.mark.parametrize("text", ["True", "1", "true"])
def test_clients_write_truth_values_in_several_ways(make_stub: MakeStub, write_contract: Write, text: str) -> None:
    flag = {"name": "all", "in": "query", "schema": {"type": "boolean"}}
    contract = write_contract({"/rows": {"get": {**listed(TEXT), "parameters": [flag]}}})
    assert make_stub(contract).call("GET", f"/rows?all={text}").status == 200
    assert make_stub(contract, strict=True).call("GET", f"/rows?all={text}").status == (200 if text == "true" else 422)


def test_what_other_operations_may_make_is_not_refused(stub: Stub) -> None:
    image = thing(Id=TEXT, Size={"type": "integer"})
    pull = {"responses": {"200": {"description": "pulled"}}}
    client = stub(
        {
            "/images": {"get": listed(image)},
            "/images/create": {"post": pull},
            "/images/{name}": {**path("name"), "get": answer(image, **MISSING), "delete": GONE},
        }
    )
    assert client.call("GET", "/images/alpine").status == 200
    client.call("DELETE", "/images/alpine")
    assert client.call("GET", "/images/alpine").status == 404


def test_a_write_without_state_shows_what_was_sent(stub: Stub) -> None:
    quote = thing(
        price={"type": "integer", "readOnly": True}, product=TEXT, number={"type": "integer"}, to=thing(city=TEXT)
    )
    example = {"price": 3, "product": "a", "number": 1, "to": {"city": "Rome", "zip": "1"}}
    client = stub(
        {"/orders/quote": {"post": taking(quote, "200", example)}, "/bids/check": {"post": taking(thing(bid=quote))}}
    )
    shown = client.call("POST", "/orders/quote", json={"product": "odd", "to": {"city": "Oslo"}}).json()
    assert shown == {"price": 3, "product": "odd", "number": 1, "to": {"city": "Oslo", "zip": "1"}}
    shown = client.call("POST", "/bids/check", json={"bid": {"product": "odd"}}).json()["bid"]
    assert (shown["product"], "price" in shown) == ("odd", True)


def test_made_up_content_has_the_name_that_was_asked_for(stub: Stub) -> None:
    server = thing(id=TEXT, name=TEXT, state=TEXT)
    plain = {**path("id"), "get": answer(server)}
    own = {**path("id"), "get": answer(server, "200", {"id": "first"})}
    client = stub({"/servers/{id}": plain, "/servers/{id}/health": plain, "/hosts/{id}": own})
    assert client.call("GET", "/servers/localhost").json()["id"] == "localhost"
    assert client.call("GET", "/hosts/localhost").json() == {"id": "first"}


def test_what_get_shows_can_be_changed_and_put(make_stub: MakeStub, write_contract: Write) -> None:
    seen = {"type": "string", "readOnly": True}
    line = thing(sku=TEXT, total=seen)
    order = thing(id=seen, note=TEXT, lines={"type": "array", "items": line}, by={"additionalProperties": line})
    paths = {
        "/orders": {"get": listed(order), "post": taking(order, "201")},
        "/orders/{id}": {**path("id"), "get": answer(order, **MISSING), "put": taking(order)},
    }
    sent = {"note": "a", "lines": [{"sku": "x", "total": "9"}], "by": {"ann": {"sku": "y", "total": "8"}}}
    refusing = make_stub(write_contract(paths), strict=True)
    assert refusing.call("POST", "/orders", json=sent).status == 422
    client = make_stub(write_contract(paths))
    shown = client.call("POST", "/orders", json={**sent, "id": "mine"}).json()
    assert shown["id"] != "mine"
    assert (shown["lines"], shown["by"]) == ([{"sku": "x"}], {"ann": {"sku": "y"}})
    at = f"/orders/{shown['id']}"
    assert client.call("PUT", at, json={**shown, "note": "b", "id": "other"}).json() == {**shown, "note": "b"}
    assert client.call("GET", at).json() == {**shown, "note": "b"}
    assert client.call("PUT", at, json={**shown, "note": 3}).status == 422


def test_made_up_content_tells_of_no_end_and_no_other_thing(stub: Stub) -> None:
    moment, flag = {"type": "string", "format": "date-time"}, {"type": "boolean"}
    row = thing(id=TEXT, deletionTimestamp=moment, archived=flag, is_deleted=flag, canceled_at=moment, active=flag)
    payment = thing(id=TEXT, amount={"type": "integer"})
    error = thing(error=thing(code=TEXT, message=TEXT, payment_intent=payment))
    refused: Any = {"402": {"description": "no", "content": {"application/json": {"schema": error}}}}
    client = stub({"/rows/{id}": {**path("id"), "get": answer(row, **refused)}})
    assert client.call("GET", "/rows/a").json().keys() == {"id", "active"}
    shown = client.call("GET", "/rows/a", fields={"Prefer": "code=402"}).json()["error"]
    assert shown.keys() == {"code", "message"}


def test_content_of_any_type_that_is_not_named_is_json(make_stub: MakeStub, write_contract: Write) -> None:
    row = thing(name=TEXT)
    paths = {"/rows": {"post": {"requestBody": {"content": {"*/*": {"schema": row}}}, **answer(row, "201")}}}
    contract = write_contract(paths)
    sent: Any = {"content": b'{"name": "a"}', "fields": {"Content-Type": ""}}
    shown = make_stub(contract).call("POST", "/rows", **sent)
    assert (shown.status, shown.json()["name"]) == (201, "a")
    assert make_stub(contract, strict=True).call("POST", "/rows", **sent).status == 415


def test_put_leaves_nothing_of_an_open_object(stub: Stub) -> None:
    data = {"type": "object", "additionalProperties": True}
    one = thing(data=data)
    client = stub({"/records/{id}": {**path("id"), "get": answer(one), "put": taking(one)}})
    client.call("PUT", "/records/a", json={"data": {"n": 1, "m": 2}})
    client.call("PUT", "/records/a", json={"data": {"m": 3}})
    assert client.call("GET", "/records/a").json()["data"] == {"m": 3, "id": "a"}


def test_a_request_may_wrap_the_item_that_responses_show_as_it_is(stub: Stub) -> None:
    row = thing(id={"type": "integer", "readOnly": True}, name=TEXT, tag=TEXT)
    wrapped = thing(row=thing(name=TEXT, tag=TEXT))
    shown = answer(row, "201")
    client = stub(
        {
            "/rows": {"get": listed(row), "post": {**taking(wrapped), **shown}},
            "/rows/{id}": {
                **path("id", kind="integer"),
                "get": answer(row, **MISSING),
                "put": {**taking(wrapped), **answer(row)},
            },
        }
    )
    at = client.call("POST", "/rows", json={"row": {"name": "a", "tag": "t"}}).fields["location"]
    assert client.call("GET", at).json()["name"] == "a"
    client.call("PUT", at, json={"row": {"name": "b"}})
    assert client.call("GET", at).json() == {"id": int(at.rpartition("/")[2]), "name": "b"}


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("https://api.example.org/v9/rows/7", "http://localhost/__world__/w/rows/{id}"),
        ("/rows/7/", "/__world__/w/rows/{id}/"),
        ("https://files.example.org/blobs/7", "https://files.example.org/blobs/{id}"),
        ("https://example.org/docs", "https://example.org/docs"),
    ],
)
def test_the_url_of_a_new_item_is_its_own(stub: Stub, example: str, expected: str) -> None:
    row = thing(id={"type": "integer", "readOnly": True}, self={**TEXT, "readOnly": True}, name=TEXT)
    shown = {"id": 7, "self": example, "name": "n", "_links": {"self": {"href": example}}}
    client = stub(
        {
            "/rows": {"get": listed(row), "post": taking(row, "201", shown)},
            "/rows/{id}": {**path("id", kind="integer"), "get": answer(row, "200", shown, **MISSING)},
        }
    )
    made = client.call("POST", "/__world__/w/rows", json={"name": "a"}).json()
    host = made["self"].replace("127.0.0.1", "localhost")
    assert host == expected.format(id=made["id"])
    assert made["_links"]["self"]["href"] == made["self"]


@pytest.mark.parametrize("prefix", ["/cart", "/carts/{cart}"])
def test_a_container_shows_what_is_in_it(stub: Stub, prefix: str) -> None:
    line = thing(id={"type": "integer", "readOnly": True}, sku=TEXT, amount={"type": "integer"})
    cart = thing(id=TEXT, items={"type": "array", "items": line}, note=TEXT)
    above, own = (path("cart"), path("cart", "line")) if "{" in prefix else ({}, path("line"))
    paths: dict[str, Any] = {
        prefix: {**above, "get": answer(cart)},
        f"{prefix}/items": {**above, "get": listed(line), "post": taking(line, "201")},
        f"{prefix}/items/{{line}}": {**own, "get": answer(line, **MISSING), "delete": GONE},
    }
    if above:
        paths["/carts"] = {"get": listed(cart), "post": taking(thing(note=TEXT), "201") | answer(cart, "201")}
    client = stub(paths)
    at = prefix
    if above:
        at = client.call("POST", "/carts", json={"note": "mine"}).fields["location"]
        assert client.call("GET", at).json()["items"] == []
    made = client.call("POST", f"{at}/items", json={"sku": "x", "amount": 2}).json()
    shown = client.call("GET", at).json()
    assert made in shown["items"]
    assert client.call("GET", f"{at}/items").json() == shown["items"]
    client.call("DELETE", f"{at}/items/{made['id']}")
    assert made not in client.call("GET", at).json()["items"]


def test_made_up_urls_of_items_lead_to_them(stub: Stub) -> None:
    seen = {"type": "string", "format": "uri", "readOnly": True}
    row = thing(id={"type": "integer", "readOnly": True}, url=seen, name=TEXT)
    client = stub(
        {
            "/rows/": {"get": listed(row), "post": taking(row, "201")},
            "/rows/{id}/": {**path("id", kind="integer"), "get": answer(row, **MISSING)},
        }
    )
    client.call("POST", "/rows/", json={"name": "a"})
    for one in client.call("GET", "/rows/").json():
        at = "/" + one["url"].split("/", 3)[3]
        assert client.call("GET", at).json() == one


@pytest.mark.parametrize("shown", [thing(silenceID=TEXT), TEXT, {"type": "integer"}])
def test_a_creation_may_show_the_identifier_alone(stub: Stub, shown: dict[str, Any]) -> None:
    kind = {"type": "integer"} if shown.get("type") == "integer" else TEXT
    silence = thing(id=kind, comment=TEXT)
    client = stub(
        {
            "/silences": {"get": listed(silence), "post": {**taking(thing(comment=TEXT)), **answer(shown)}},
            "/silence/{silenceID}": {**path("silenceID", kind=kind["type"]), "get": answer(silence, **MISSING)},
        }
    )
    made = client.call("POST", "/silences", json={"comment": "mine"}).json()
    named = made["silenceID"] if isinstance(made, dict) else made
    assert client.call("GET", f"/silence/{named}").json() == {"id": named, "comment": "mine"}


def test_a_list_without_items_takes_several_at_once(stub: Stub) -> None:
    alert = thing(labels={"type": "object", "additionalProperties": TEXT}, startsAt=TEXT)
    posted = {**taking({"type": "array", "items": alert}), "responses": {"200": {"description": "taken"}}}
    client = stub({"/alerts": {"get": listed(thing(labels=alert, startsAt=TEXT, fingerprint=TEXT)), "post": posted}})
    assert client.call("POST", "/alerts", json=[{"startsAt": "a"}, {"startsAt": "b"}]).status == 200
    shown = [one["startsAt"] for one in client.call("GET", "/alerts").json()]
    assert shown[-2:] == ["a", "b"]


def test_items_are_deleted_together(stub: Stub) -> None:
    row = thing(id={"type": "integer", "readOnly": True}, tag=TEXT)
    named = {"type": "array", "items": thing(id={"type": "integer"})}
    several = {"requestBody": {"content": {"application/json": {"schema": named}}}, **GONE}
    several["parameters"] = [{"name": "tag", "in": "query", "schema": TEXT}]
    client = stub(
        {
            "/rows": {"get": listed(row), "post": taking(row, "201"), "delete": several},
            "/rows/{id}": {**path("id", kind="integer"), "get": answer(row, **MISSING)},
        }
    )
    first, second, third, fourth = (client.call("POST", "/rows", json={"tag": tag}).json()["id"] for tag in "abbc")

    def there() -> set[int]:
        return {one["id"] for one in client.call("GET", "/rows").json()} & {first, second, third, fourth}

    assert client.call("DELETE", "/rows", json=[{"id": first}]).status == 204
    assert there() == {second, third, fourth}
    client.call("DELETE", "/rows?tag=b")
    assert there() == {fourth}
    client.call("DELETE", "/rows")
    assert client.call("GET", "/rows").json() == []
    assert client.call("GET", f"/rows/{first}").status == 404


@pytest.mark.parametrize("shown_by", ["schema", "example"])
def test_members_of_a_request_are_shown_where_the_item_has_them(stub: Stub, shown_by: str) -> None:
    data = thing(id=TEXT, attributes=thing(title=TEXT, views={"type": "integer"}))
    example = {"data": {"id": "6Zb", "attributes": {"title": "An example", "views": 3}}}
    content = {"schema": thing(data=data)} if shown_by == "schema" else {"example": example}
    shown = {"responses": {"200": {"description": "", "content": {"application/json": content}}, **MISSING}}
    taken = {
        "required": True,
        "content": {"application/json": {"schema": {**thing(title=TEXT), "required": ["title"]}}},
    }
    made, done = ({status: {"description": ""}} for status in ("201", "204"))
    client = stub(
        {
            "/posts": {"post": {"requestBody": taken, "responses": made}},
            "/posts/{id}": {**path("id"), "get": shown, "put": {"requestBody": taken, "responses": done}},
        }
    )
    place = client.call("POST", "/posts", json={"title": "Mine"}).fields["location"]
    assert client.call("GET", place).json()["data"]["attributes"]["title"] == "Mine"
    assert client.call("PUT", place, json={"title": "Changed"}).status == 204
    assert client.call("GET", place).json()["data"]["attributes"]["title"] == "Changed"


def test_what_is_created_below_one_thing_may_have_a_path_of_its_own(stub: Stub) -> None:
    team = thing(id={"type": "integer", "readOnly": True}, name=TEXT)
    client = stub(
        {
            "/orgs/{org}/teams": {**path("org"), "get": listed(team), "post": taking(team, "201")},
            "/teams/{id}": {
                **path("id", kind="integer"),
                "get": answer(team, **MISSING),
                "patch": taking(team),
                "delete": GONE,
            },
        }
    )
    made = [client.call("POST", f"/orgs/{org}/teams", json={"name": org}) for org in ("acme", "apex")]
    first, second = (one.json() for one in made)
    assert first["id"] != second["id"]
    assert made[0].fields["location"] == f"/teams/{first['id']}"
    assert client.call("GET", f"/teams/{first['id']}").json() == first
    client.call("PATCH", f"/teams/{first['id']}", json={"name": "red"})
    listed_now = client.call("GET", "/orgs/acme/teams").json()
    assert {"id": first["id"], "name": "red"} in listed_now
    assert second not in listed_now
    client.call("DELETE", f"/teams/{first['id']}")
    assert first["id"] not in [one["id"] for one in client.call("GET", "/orgs/acme/teams").json()]


def test_a_new_item_says_what_it_is_below(stub: Stub) -> None:
    number: Any = {"type": "integer"}
    part = thing(id={**number, "readOnly": True}, store_id={**number, "readOnly": True}, id_of_maker=TEXT, name=TEXT)
    pod = thing(metadata=thing(name=TEXT, zone=TEXT), image=TEXT)
    client = stub(
        {
            "/stores/{store_id}/parts": {
                **path("store_id", kind="integer"),
                "get": listed(part),
                "post": taking(part, "201"),
            },
            "/stores/{store_id}/parts/{id}": {
                "parameters": [
                    *path("store_id", kind="integer")["parameters"],
                    *path("id", kind="integer")["parameters"],
                ],
                "get": answer(part, **MISSING),
            },
            "/zones/{zone}/pods": {**path("zone"), "get": listed(pod), "post": taking(pod, "201")},
            "/zones/{zone}/pods/{name}": {**path("zone", "name"), "get": answer(pod, **MISSING)},
        }
    )
    made = client.call("POST", "/stores/77/parts", json={"name": "bolt"}).json()
    assert made["store_id"] == 77
    assert client.call("GET", f"/stores/77/parts/{made['id']}").json() == made
    client.call("POST", "/zones/north/pods", json={"metadata": {"name": "a"}, "image": "x"})
    assert client.call("GET", "/zones/north/pods/a").json()["metadata"] == {"name": "a", "zone": "north"}
    told = client.call("POST", "/zones/north/pods", json={"metadata": {"name": "b", "zone": "south"}}).json()
    assert told["metadata"]["zone"] == "south"


def test_an_uploaded_file_keeps_its_name_and_size(stub: Stub) -> None:
    file = thing(id=TEXT, filename=TEXT, bytes={"type": "integer"}, purpose=TEXT)
    form = thing(file={"type": "string", "format": "binary"}, purpose=TEXT)
    client = stub(
        {
            "/files": {
                "get": listed(file),
                "post": {
                    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
                    **answer(file, "201"),
                },
            },
            "/files/{id}": {**path("id"), "get": answer(file, **MISSING)},
        }
    )
    content = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ntune\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"a": 1}\r\n--x--\r\n'
    )
    fields = {"Content-Type": "multipart/form-data; boundary=x"}
    made = client.call("POST", "/files", content=content, fields=fields).json()
    assert (made["filename"], made["bytes"], made["purpose"]) == ("a.jsonl", 8, "tune")
    assert client.call("GET", f"/files/{made['id']}").json() == made


def test_the_whole_response_is_the_item_where_a_member_is_alike(stub: Stub) -> None:
    model = thing(id={"type": "integer"}, name=TEXT, colour=TEXT, weight=TEXT, maker=TEXT)
    whole = thing(id={"type": "integer"}, name=TEXT, colour=TEXT, weight=TEXT, made_of=model)
    client = stub(
        {
            "/my/cars": {
                "get": listed(model),
                "post": {**taking(thing(name=TEXT, colour=TEXT)), **answer(whole, "201")},
            }
        }
    )
    made = client.call("POST", "/my/cars", json={"name": "Mine", "colour": "red"}).json()
    assert (made["name"], made["colour"]) == ("Mine", "red")
    assert "Mine" in [one["name"] for one in client.call("GET", "/my/cars").json()]


def test_numbers_in_text_are_numbers_and_a_port_may_be_either(stub: Stub) -> None:
    price = thing(id=TEXT, amount={"type": "string", "format": "decimal"}, count={"type": "string", "format": "int64"})
    port = thing(port={"type": "string", "format": "int-or-string"})
    client = stub({"/prices/{id}": {**path("id"), "get": answer(price)}, "/ports": {"post": taking(port)}})
    shown = client.call("GET", "/prices/1").json()
    assert float(shown.get("amount", 0)) >= 0
    assert int(shown.get("count", 0)) >= 0
    assert client.call("POST", "/ports", json={"port": 8080}).json()["port"] == 8080
    assert client.call("POST", "/ports", json={"port": "http"}).json()["port"] == "http"
    assert client.call("POST", "/ports", json={"port": True}).status == 422


def test_the_url_of_a_new_item_may_end_in_another_of_its_identifiers(stub: Stub) -> None:
    shown = {"id": "10000", "key": "ED-24", "self": "https://api.example.org/issues/10000", "text": "x"}
    issue = thing(id=TEXT, key=TEXT, self=TEXT, text=TEXT)
    client = stub(
        {
            "/issues": {"post": {**taking(thing(text=TEXT)), **answer(issue, "201", shown)}},
            "/issues/{idOrKey}": {
                **path("idOrKey"),
                "get": answer(issue, **MISSING),
                "put": taking({**thing(text=TEXT), "additionalProperties": True}, **MISSING),
                "delete": GONE,
            },
        }
    )
    made = client.call("POST", "/issues", json={"text": "mine"}).json()
    assert made["id"] != "10000"
    assert made["self"].endswith(f"/issues/{made['id']}")
    assert client.call("GET", f"/issues/{made['id']}").json()["text"] == "mine"
    client.call("PUT", f"/issues/{made['id']}", json={"text": "changed"})
    assert client.call("GET", f"/issues/{made['id']}").json() == {**made, "text": "changed"}


def test_octets_that_are_described_as_an_object_may_come_as_json(stub: Stub) -> None:
    link = thing(container=TEXT)
    octets = {"content": {"application/octet-stream": {"schema": link}}}
    client = stub({"/links": {"post": {"requestBody": octets, **answer(link)}}})
    assert client.call("POST", "/links", json={"container": "web"}).status == 200
    assert client.call("POST", "/links", json={"container": 7}).status == 422


def test_truth_values_of_clients_are_taken_for_an_enumeration_of_texts(stub: Stub) -> None:
    deep = {"name": "deep", "in": "query", "schema": {"type": "string", "enum": ["true", "false"]}}
    client = stub({"/rows": {"get": {"parameters": [deep], **listed(TEXT)}}})
    assert client.call("GET", "/rows?deep=False").status == 200
    assert client.call("GET", "/rows?deep=maybe").status in {400, 422}


def test_the_one_value_below_an_item_says_what_it_belongs_to(stub: Stub) -> None:
    scale = thing(metadata=thing(name=TEXT, zone=TEXT), replicas={"type": "integer"})
    client = stub(
        {"/zones/{zone}/apps/{name}/scale": {**path("zone", "name"), "get": answer(scale), "patch": taking(scale)}}
    )
    place = "/zones/north/apps/web/scale"
    assert client.call("GET", place).json()["metadata"] == {"name": "web", "zone": "north"}
    assert client.call("PATCH", place, json={"replicas": 7}).json()["metadata"] == {"name": "web", "zone": "north"}
    assert client.call("GET", place).json()["replicas"] == 7
