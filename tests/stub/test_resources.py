"""State nobody wrote: what is created is listed and read, changed, and gone once it is deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client, run_command

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

PET = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "tag": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
        "created_at": {"type": "string", "format": "date-time", "readOnly": True},
    },
    "additionalProperties": False,
}
REX = {"id": 7, "name": "Rex", "tag": "dog", "created_at": "2020-01-01T00:00:00Z"}
PATH_ID = {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}


def _answer(schema: Any, example: Any = None, **more: Any) -> dict[str, Any]:
    media_type = {"schema": schema, **({} if example is None else {"example": example})}
    return {"description": "", "content": {"application/json": media_type}, **more}


def _query(*names: str) -> list[dict[str, Any]]:
    whole = {"limit", "page", "offset"}
    return [
        {"name": name, "in": "query", "schema": {"type": "integer" if name in whole else "string"}} for name in names
    ]


def pets(*, not_found: bool = True) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": PET}}}
    missing = {"404": {"description": "none"}} if not_found else {}
    listed = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": PET}, "total": {"type": "integer"}},
    }
    return {
        "/pets": {
            "get": {
                "parameters": _query("limit", "page", "offset", "tag", "sort"),
                "responses": {"200": _answer(listed, {"items": [REX], "total": 1})},
            },
            "post": {"requestBody": body, "responses": {"201": _answer(PET, REX)}},
        },
        "/pets/{petId}": {
            "parameters": [PATH_ID],
            "get": {"responses": {"200": _answer(PET, REX), **missing}},
            "put": {"requestBody": body, "responses": {"200": _answer(PET), **missing}},
            "patch": {
                "requestBody": {
                    "content": {
                        "application/merge-patch+json": {"schema": {"type": "object"}},
                        "application/json-patch+json": {"schema": {"type": "array"}},
                    }
                },
                "responses": {"200": _answer(PET), **missing},
            },
            "delete": {"responses": {"204": {"description": "gone"}, **missing}},
        },
    }


@pytest.fixture
def client(make_stub: MakeStub, write_contract: Write) -> Client:
    return make_stub(write_contract(pets()))


def test_the_round_trip(client: Client) -> None:
    created = client.call("POST", "/pets", json={"name": "Tom", "tag": "cat", "secret": "s3cret"})
    assert created.status == 201
    tom = created.json()
    assert (tom["name"], tom["tag"], tom["id"]) == ("Tom", "cat", 8)
    assert "secret" not in tom
    assert created.fields["location"] == "/pets/8"
    assert client.call("GET", "/pets/8").json() == tom
    listed = client.call("GET", "/pets").json()
    assert ([pet["name"] for pet in listed["items"]], listed["total"]) == (["Rex", "Tom"], 2)
    assert client.call("PUT", "/pets/8", json={"name": "Tim"}).json()["name"] == "Tim"
    tim = client.call("GET", "/pets/8").json()
    assert "tag" not in tim
    assert tim["created_at"] == tom["created_at"]
    assert client.call("DELETE", "/pets/8").status == 204
    for method in ("GET", "DELETE"):
        assert client.call(method, "/pets/8").status == 404
    assert [pet["id"] for pet in client.call("GET", "/pets").json()["items"]] == [7]


def test_what_was_not_sent_is_not_taken_from_the_example(client: Client) -> None:
    assert "tag" not in client.call("POST", "/pets", json={"name": "Tom"}).json()


def test_an_item_of_the_examples_is_there_from_the_start(client: Client) -> None:
    assert client.call("GET", "/pets/7").json() == REX
    assert client.call("GET", "/pets/99").status == 404
    assert client.call("DELETE", "/pets/7").status == 204
    assert client.call("GET", "/pets").json() == {"items": [], "total": 0}


def test_an_unknown_item_is_the_example_where_404_is_not_documented(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract(pets(not_found=False)))
    assert client.call("GET", "/pets/99").json() == REX
    client.call("POST", "/pets", json={"name": "Tom"})
    assert client.call("GET", "/pets/99").json() == REX  # a success that is documented, and no 404 that is not
    assert client.call("DELETE", "/pets/7").status == 204
    assert client.call("GET", "/pets/7").status == 404  # what was there and is deleted is gone all the same


def test_merge_patch_and_json_patch(client: Client) -> None:
    merge = {"Content-Type": "application/merge-patch+json"}
    answer = client.call("PATCH", "/pets/7", content=b'{"name": "Max", "tag": null}', fields=merge)
    assert answer.json()["name"] == "Max"
    assert "tag" not in client.call("GET", "/pets/7").json()
    patch = {"Content-Type": "application/json-patch+json"}
    operations = b'[{"op": "add", "path": "/tag", "value": "hero"}]'
    assert client.call("PATCH", "/pets/7", content=operations, fields=patch).json()["tag"] == "hero"
    assert client.call("PATCH", "/pets/7", content=b'[{"op": "no"}]', fields=patch).status in {400, 422}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Rex", "a", "b", "c"]),
        ("tag=x", ["a", "c"]),
        ("limit=2", ["Rex", "a"]),
        ("limit=2&page=2", ["b", "c"]),
        ("offset=1&limit=1", ["a"]),
        ("sort=-name", ["c", "b", "a", "Rex"]),
        ("sort=tag,desc&limit=1", ["b"]),
        ("limit=0", ["Rex", "a", "b", "c"]),
        ("page=9&limit=3", []),
    ],
)
def test_lists_are_filtered_sorted_and_cut(client: Client, query: str, names: list[str]) -> None:
    for name, tag in (("a", "x"), ("b", "y"), ("c", "x")):
        client.call("POST", "/pets", json={"name": name, "tag": tag})
    assert [pet["name"] for pet in client.call("GET", f"/pets?{query}").json()["items"]] == names


def test_worlds_do_not_see_each_other(client: Client) -> None:
    other = {"Mock-World": "other"}
    client.call("DELETE", "/pets/7", fields=other)
    assert client.call("GET", "/pets/7", fields=other).status == 404
    assert client.call("GET", "/pets/7").status == 200


def test_no_state_answers_examples(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract(pets()), no_state=True)
    client.call("POST", "/pets", json={"name": "Tom"})
    assert client.call("GET", "/pets").json() == {"items": [REX], "total": 1}


def test_a_location_that_no_client_reads_is_left_out(make_stub: MakeStub, write_contract: Write) -> None:
    zone = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"content": {"application/json": {"schema": zone}}}
    paths = {
        "/zones": {"post": {"requestBody": body, "responses": {"201": _answer(zone)}}},
        "/zones/{name}": {"parameters": [name], "get": {"responses": {"200": _answer(zone)}}},
    }
    client = make_stub(write_contract(paths))
    long = client.call("POST", "/zones", json={"name": "x" * 100_000})
    assert long.status == 201
    assert "location" not in long.fields
    assert client.call("POST", "/zones", json={"name": "x" * 1000}).fields["location"] == "/zones/" + "x" * 1000


def test_children_go_with_their_parent(make_stub: MakeStub, write_contract: Write) -> None:
    toy = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
    pet_id = {**PATH_ID}
    code = {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = pets() | {
        "/pets/{petId}/toys": {
            "parameters": [pet_id],
            "get": {"responses": {"200": _answer({"type": "array", "items": toy})}},
            "post": {
                "requestBody": {"content": {"application/json": {"schema": toy}}},
                "responses": {"201": _answer(toy), "409": {"description": "there already"}},
            },
        },
        "/pets/{petId}/toys/{code}": {
            "parameters": [pet_id, code],
            "get": {"responses": {"200": _answer(toy), "404": {"description": "none"}}},
        },
    }
    client = make_stub(write_contract(paths))
    assert client.call("POST", "/pets/7/toys", json={"code": "ball/1"}).fields["location"] == "/pets/7/toys/ball%2F1"
    assert client.call("POST", "/pets/7/toys", json={"code": "ball/1"}).status == 409
    assert client.call("POST", "/pets/7/toys", json={"code": "b"}).status == 201
    assert client.call("GET", "/pets/7/toys/b").json() == {"code": "b"}
    assert client.call("GET", "/pets/8/toys/b").status == 404
    client.call("DELETE", "/pets/7")
    assert client.call("GET", "/pets/7/toys/b").status == 404
    assert client.call("GET", "/pets/7/toys").status == 404


def test_nothing_answers_below_an_item_that_was_deleted(make_stub: MakeStub, write_contract: Write) -> None:
    pet_id = {**PATH_ID, "name": "owner"}  # the names of parameters are free
    plain = {"parameters": [pet_id], "get": {"responses": {"200": _answer({"type": "integer"}, 3)}}}
    client = make_stub(write_contract(pets() | {"/pets/{owner}/age": plain, "/pets/{owner}/toys/age": plain}))
    below = ("/pets/7/age", "/pets/7/toys/age")
    assert [client.call("GET", path).status for path in below] == [200, 200]
    client.call("DELETE", "/pets/7")
    assert [client.call("GET", path).status for path in below] == [404, 404]
    assert client.call("GET", "/pets/9/age").status == 200
    assert client.call("GET", "/__world__/other/pets/7/age").status == 200


def test_a_delete_of_which_only_the_path_is_known_leaves_nothing_there(
    make_stub: MakeStub, write_contract: Write
) -> None:
    named = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    answer = {"responses": {"200": _answer({"type": "string"}, "on")}}
    item = {"parameters": [named], **dict.fromkeys(("get", "put", "patch", "post"), answer)}
    paths = {
        "/hooks/{id}.json": {**item, "delete": {"responses": {"200": _answer({"type": "boolean"}, True)}}},
        "/hooks/{id}.json/log": {"parameters": [named], "get": answer},
    }
    client = make_stub(write_contract(paths))
    for _ in range(2):
        assert client.call("DELETE", "/hooks/a.json").json() is True
        gone = [("GET", "/hooks/a.json"), ("PATCH", "/hooks/a.json"), ("DELETE", "/hooks/a.json")]
        for method, path in [*gone, ("GET", "/hooks/a.json/log")]:
            assert client.call(method, path).status == 404, (method, path)
        assert client.call("GET", "/hooks/b.json").status == 200
        assert client.call("PUT", "/hooks/a.json").status == 200
        assert client.call("GET", "/hooks/a.json").status == 200
    client.call("DELETE", "/hooks/a.json")
    without = make_stub(write_contract(paths), no_state=True)
    without.call("DELETE", "/hooks/a.json")
    assert without.call("GET", "/hooks/a.json").status == 200


def _of_gist(*methods: str, schema: Any = None, more: Any = None, **responses: Any) -> dict[str, Any]:
    """Return a path below a gist, the methods of which answer with what was never sent."""
    ok = _answer({"type": "object"} if schema is None else schema)
    operation = {"responses": {"200": ok, "404": {"description": "not there"}} | responses, **(more or {})}
    return {"parameters": [{**PATH_ID, "name": "gist"}], **dict.fromkeys(methods, operation)}


@pytest.mark.parametrize("again", ["put", "post"])
def test_one_thing_of_an_item_is_gone_until_it_is_made_again(
    make_stub: MakeStub, write_contract: Write, again: str
) -> None:
    star = _of_gist("get", "delete", again)
    client = make_stub(write_contract({"/gists/{gist}/star": star, "/gists/{gist}/star/by": _of_gist("get")}))
    below = ("/gists/1/star", "/gists/1/star/by")
    client.call("DELETE", below[0])
    assert [client.call("GET", path).status for path in (*below, "/gists/2/star")] == [404, 404, 200]
    assert client.call("DELETE", below[0]).status == 404
    assert client.call(again.upper(), below[0]).status == 200
    assert [client.call("GET", path).status for path in below] == [200, 200]


@pytest.mark.parametrize(
    "paths",
    [
        {"/gists/{gist}/x": _of_gist("get", "delete", schema={"type": "array"})},
        {"/gists/{gist}/x": _of_gist("get", "delete"), "/gists/{gist}/x/{name}": {}},
        {"/gists/{gist}/x": {**_of_gist("delete"), "get": {"responses": {"200": _answer({"type": "object"})}}}},
        {"/gists/{gist}/x": _of_gist("get", "delete", more={"requestBody": {"content": {"text/plain": {}}}})},
        {
            "/gists/{gist}/x": _of_gist(
                "get",
                "delete",
                more={"parameters": [{"name": "q", "in": "query", "required": True, "schema": {"const": "a"}}]},
            )
        },
    ],
    ids=["a list", "a collection", "always there", "what the content selects", "what the query selects"],
)
def test_what_a_delete_may_leave_behind_stays(make_stub: MakeStub, write_contract: Write, paths: Any) -> None:
    named = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    for path in paths:
        if path.endswith("{name}"):
            paths[path] = _of_gist("get") | {"parameters": [{**PATH_ID, "name": "gist"}, named]}
    client = make_stub(write_contract(paths))
    assert client.call("DELETE", "/gists/1/x?q=a").status == 200
    assert client.call("GET", "/gists/1/x?q=a").status == 200


def test_what_is_done_to_an_item_can_be_done_again(make_stub: MakeStub, write_contract: Write) -> None:
    named = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    path = {"/hooks/{id}:mute": {"parameters": [named], "delete": {"responses": {"200": _answer({}, "done")}}}}
    client = make_stub(write_contract(path))
    assert [client.call("DELETE", "/hooks/a:mute").status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(("documented", "status"), [("201", 201), ("default", 404)])
def test_a_deleted_item_comes_back_only_where_creating_is_documented(
    make_stub: MakeStub, write_contract: Write, documented: str, status: int
) -> None:
    paths = pets()
    responses = paths["/pets/{petId}"]["put"]["responses"]
    responses[documented] = responses.pop("200") if documented == "201" else _answer({})
    client = make_stub(write_contract(paths))
    client.call("DELETE", "/pets/7")
    assert client.call("PUT", "/pets/7", json={"name": "Tim"}).status == status
    assert client.call("GET", "/pets/7").status == (200 if status == 201 else 404)


def test_a_pet_that_was_posted_is_there_though_no_success_is_documented(
    make_stub: MakeStub, write_contract: Write
) -> None:
    paths = pets()
    paths["/pets"]["post"]["responses"] = {"405": {"description": "invalid"}}
    paths["/pets/{petId}"]["delete"]["responses"] = {"400": {"description": "invalid"}, "404": {"description": "none"}}
    client = make_stub(write_contract(paths))
    assert client.call("POST", "/pets", json={"name": "Tom"}).status == 200
    assert client.call("GET", "/pets/8").json()["name"] == "Tom"
    assert client.call("DELETE", "/pets/8").status == 200
    assert client.call("GET", "/pets/8").status == 404


def test_etags_and_idempotency_keys_where_they_are_declared(make_stub: MakeStub, write_contract: Write) -> None:
    paths = pets()
    tagged = {"ETag": {"schema": {"type": "string"}}}
    read = paths["/pets/{petId}"]["get"]
    read["responses"]["200"]["headers"] = tagged
    read["responses"]["304"] = {"description": "as before"}
    read["parameters"] = [{"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}]
    paths["/pets/{petId}"]["delete"]["parameters"] = [
        {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
    ]
    paths["/pets"]["post"]["parameters"] = [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}]
    client = make_stub(write_contract(paths))
    tag = client.call("GET", "/pets/7").fields["etag"]
    assert client.call("GET", "/pets/7", fields={"If-None-Match": tag}).status == 304
    assert client.call("DELETE", "/pets/7", fields={"If-Match": '"other"'}).status == 412
    assert client.call("DELETE", "/pets/7", fields={"If-Match": tag}).status == 204
    once = [client.call("POST", "/pets", json={"name": "T"}, fields={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert once[0] == once[1]
    assert len(client.call("GET", "/pets").json()["items"]) == 1


@pytest.mark.parametrize("kind", [{"type": "integer"}, {"type": "string"}, {"type": "string", "format": "uuid"}])
def test_the_identifier_of_a_deleted_item_is_not_given_out_again(
    make_stub: MakeStub, write_contract: Write, kind: dict[str, str]
) -> None:
    pet = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {**kind, "readOnly": True}, "name": {"type": "string"}},
    }
    parameter = {"name": "id", "in": "path", "required": True, "schema": kind}
    paths = {
        "/pets": {
            "get": {"responses": {"200": _answer({"type": "array", "items": pet})}},
            "post": {
                "requestBody": {"content": {"application/json": {"schema": pet}}},
                "responses": {"201": _answer(pet)},
            },
        },
        "/pets/{id}": {
            "parameters": [parameter],
            "get": {"responses": {"200": _answer(pet), "404": {"description": "gone"}}},
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
    }
    client = make_stub(write_contract(paths))
    seen = []
    for _ in range(3):
        seen.append(client.call("POST", "/pets", json={"name": "T"}).json()["id"])
        assert client.call("DELETE", f"/pets/{seen[-1]}").status == 204
    assert len(set(seen)) == 3


def test_an_explicit_behaviour_says_what_inference_cannot(make_stub: MakeStub, write_contract: Write) -> None:
    thing = {"type": "object", "properties": {"ref": {"type": "string"}, "n": {"type": "integer"}}}
    behaviour = {"handler": "resource", "resource": "/things", "identifier": "ref", "parameter": "x"}
    parameter = {"name": "x", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"content": {"application/json": {"schema": thing}}}
    paths = {
        "/make": {
            "post": {
                "requestBody": body,
                "responses": {"200": _answer(thing)},
                "x-mockserver-behaviour": behaviour | {"role": "create"},
            }
        },
        "/show/{x}": {
            "get": {
                "parameters": [parameter],
                "responses": {"200": _answer(thing)},
                "x-mockserver-behaviour": behaviour | {"role": "read"},
            }
        },
    }
    client = make_stub(write_contract(paths))
    assert client.call("POST", "/make", json={"ref": "r1", "n": 4}).status == 200
    assert client.call("GET", "/show/r1").json() == {"ref": "r1", "n": 4}


def test_a_documented_request_gets_the_documented_answer(make_stub: MakeStub, write_contract: Write) -> None:
    """To the letter, times and identifier included; whoever sends it again makes another item."""
    paths = pets()
    bo = {"id": 7, "name": "Bo", "created_at": "2021-01-01T00:00:00Z"}
    for where, method, status in (("/pets", "post", "201"), ("/pets/{petId}", "put", "200")):
        operation = paths[where][method]
        operation["requestBody"]["content"]["application/json"]["examples"] = {"bo": {"value": {"name": "Bo"}}}
        operation["responses"][status]["content"]["application/json"] = {
            "schema": PET,
            "examples": {"bo": {"value": bo}},
        }
    client = make_stub(write_contract(paths))
    assert client.call("PUT", "/pets/7", json={"name": "Bo"}).json() == bo
    client = make_stub(write_contract(paths))
    assert client.call("POST", "/pets", json={"name": "Bo"}).json() == bo
    assert client.call("GET", "/pets/7").json() == bo
    again = client.call("POST", "/pets", json={"name": "Bo"}).json()
    assert (again["id"], again["name"]) == (8, "Bo")


def test_a_world_that_changed_nothing_lists_the_example_as_it_stands(
    make_stub: MakeStub, write_contract: Write
) -> None:
    paths = pets()
    listed = paths["/pets"]["get"]["responses"]["200"]["content"]["application/json"]
    listed["example"] = {"items": [REX], "total": 57}
    client = make_stub(write_contract(paths))
    assert client.call("GET", "/pets").json() == {"items": [REX], "total": 57}
    assert client.call("GET", "/pets?tag=cat").json() == {"items": [], "total": 0}
    client.call("POST", "/pets", json={"name": "Tom"})
    assert client.call("GET", "/pets").json()["total"] == 2


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_identifier_that_no_path_can_name_is_not_taken(
    make_stub: MakeStub, write_contract: Write, name: str
) -> None:
    thing = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    parameter = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"content": {"application/json": {"schema": thing}}}
    paths = {
        "/things": {"post": {"requestBody": body, "responses": {"201": _answer(thing)}}},
        "/things/{name}": {"get": {"parameters": [parameter], "responses": {"200": _answer(thing)}}},
    }
    client = make_stub(write_contract(paths))
    created = client.call("POST", "/things", json={"name": name})
    assert created.json()["name"] not in {"", ".", ".."}
    assert client.call("GET", created.fields["location"]).json() == created.json()


def test_the_stub_keeps_its_own_contract(write_contract: Write) -> None:
    """Examples of items are asked for by the identifier that they show."""
    path = write_contract(pets())
    done = run_command("check", "--contract", str(path), cwd=path.parent)
    assert done.stdout.startswith("KEPT"), done.stdout


def test_what_an_answer_had_to_add_is_the_items_from_then_on(make_stub: MakeStub, write_contract: Write) -> None:
    """The list has no example to borrow a required member from, and no other member is borrowed."""
    thing = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "note": {"type": "string"}},
    }
    sent = {"type": "object", "properties": {"name": {"type": "string"}, "note": {"type": "string"}}}
    paths = pets()
    item = paths["/pets/{petId}"]
    listed = {"type": "object", "properties": {"data": {"type": "array", "items": thing}}}
    paths = {
        "/things": {
            "get": {"responses": {"200": _answer(listed, {})}},
            "post": {
                "requestBody": {"content": {"application/json": {"schema": sent}}},
                "responses": {"200": _answer(thing, {"id": "a1", "name": "n", "note": "borrowed"})},
            },
        },
        "/things/{petId}": {"delete": item["delete"], "parameters": [PATH_ID | {"schema": {"type": "string"}}]},
    }
    client = make_stub(write_contract(paths))
    created = client.call("POST", "/things", json={}).json()
    assert created.keys() == {"id", "name"}
    assert client.call("GET", "/things").json() == {"data": [created]}


def test_a_member_that_no_path_can_name_makes_no_resource(make_stub: MakeStub, write_contract: Write) -> None:
    odd = {"id": {"value": 1}, "tag": "dog"}
    content = {"content": {"application/json": {"example": odd}}}
    item = {"get": {"responses": {"200": {"description": "", **content}, "404": {"description": "none"}}}}
    post = {"requestBody": {"content": {"application/json": {}}}, "responses": {"201": {"description": "", **content}}}
    paths = {"/odd": {"post": post}, "/odd/{oddId}": {"parameters": [PATH_ID | {"name": "oddId"}], **item}}
    client = make_stub(write_contract(paths))
    assert client.call("POST", "/odd", json={"tag": "cat"}).json() == odd
    answer = client.call("GET", "/odd/1")
    assert (answer.status, answer.json()) == (200, odd)


def test_an_item_that_has_no_valid_form_does_not_break_the_example_around_it(
    make_stub: MakeStub, write_contract: Write
) -> None:
    pushed = {"type": "object", "properties": {"status": {"type": "string"}, "data": PET}}
    paths = pets()
    paths["/pets"]["post"] = {
        "requestBody": {"content": {"application/json": {"schema": PET}}},
        "responses": {"201": _answer(pushed, {"status": "pending"})},
    }
    client = make_stub(write_contract(paths), errors=True)  # an answer that breaks its schema would be 500
    answer = client.call("POST", "/pets")  # no pet is sent, so none has a name
    assert (answer.status, answer.json()) == (201, {"status": "pending"})
    answer = client.call("POST", "/pets", json={"name": "Mia"})
    assert answer.json()["data"]["name"] == "Mia"


def test_what_a_post_says_it_created_is_there_though_it_was_deleted(make_stub: MakeStub, write_contract: Write) -> None:
    named = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    created = {"type": "object", "properties": {"hook": {"type": "object"}}}
    paths = {
        "/hooks": {"post": {"responses": {"201": _answer(created, {"hook": {"key": 7}})}}},
        "/hooks/{id}": {
            "parameters": [named],
            "get": {"responses": {"200": _answer({"type": "string"}, "on")}},
            "delete": {"responses": {"200": _answer({"type": "boolean"}, True)}},
        },
    }
    client = make_stub(write_contract(paths))
    for name in ("7", "8"):
        client.call("DELETE", f"/hooks/{name}")
        assert client.call("GET", f"/hooks/{name}").status == 404
    assert client.call("POST", "/hooks").status == 201
    assert client.call("GET", "/hooks/7").status == 200
    assert client.call("GET", "/hooks/8").status == 404
