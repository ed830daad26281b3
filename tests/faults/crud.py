"""A server of collections, nested items, pages, preconditions and singletons: right in many ways, or wrong in one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from tests.faults.small import Answer, content_of

_NEW: dict[str, Any] = {
    "type": "object",
    "required": ["name", "kind"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 40},
        "kind": {"type": "string", "enum": ["cat", "dog", "owl"]},
        "age": {"type": "integer", "minimum": 0, "maximum": 90},
        "note": {"type": "string", "maxLength": 60},
    },
}
_PET = {
    "type": "object",
    "required": ["id", "name", "kind"],
    "properties": {"id": {"type": "integer"}, **_NEW["properties"], "updated_at": {"type": "string"}},
}
_PATCH = {key: value for key, value in _NEW.items() if key != "required"}
_VISIT: dict[str, Any] = {
    "type": "object",
    "required": ["reason"],
    "properties": {"reason": {"type": "string", "maxLength": 40}},
}
_SETTINGS = {
    "type": "object",
    "required": ["colour", "rows"],
    "additionalProperties": False,
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}, "rows": {"type": "integer", "minimum": 5}},
}


def _content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _operation(name: str, *, takes: Any = None, gives: Any = None, status: str = "200", **more: Any) -> dict[str, Any]:
    responses = {status: {"description": "d", **({} if gives is None else _content(gives))}}
    responses |= {refusal: {"description": "d"} for refusal in ("404", "409", "422")}
    body = {} if takes is None else {"requestBody": {"required": True, **_content(takes)}}
    return {"operationId": name, **body, "responses": responses, **more}


def _query(name: str, schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_PAGED = [
    _query("limit", {"type": "integer", "minimum": 1, "maximum": 50}),
    _query("offset", {"type": "integer", "minimum": 0}),
    _query("kind", _NEW["properties"]["kind"]),
]
_IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
_ITEM = {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}
_BELOW = {"name": "visitId", "in": "path", "required": True, "schema": {"type": "integer"}}
_ETAG = {"304": {"description": "not modified"}}


def contract() -> dict[str, Any]:
    """Return the paths of the contract."""
    read = _operation("readPet", gives=_PET)
    read["responses"] |= _ETAG
    create = _operation("createPet", takes=_NEW, gives=_PET, status="201")
    create["responses"]["202"] = create["responses"]["201"]
    replace = _operation("replacePet", takes=_NEW, gives=_PET, parameters=[_IF_MATCH])
    replace["responses"]["412"] = {"description": "d"}
    items = {"type": "object", "properties": {"items": {"type": "array", "items": _PET}, "total": {"type": "integer"}}}
    visit = {"type": "object", "properties": {"id": {"type": "integer"}, **_VISIT["properties"]}}
    return {
        "/pets": {
            "get": _operation("listPets", gives=items, parameters=_PAGED),
            "post": create,
        },
        "/pets/{petId}": {
            "parameters": [_ITEM],
            "get": read,
            "put": replace,
            "patch": _operation("changePet", takes=_PATCH, gives=_PET),
            "delete": _operation("deletePet", status="204"),
        },
        "/pets/{petId}/visits": {
            "parameters": [_ITEM],
            "get": _operation("listVisits", gives={"type": "array", "items": visit}),
            "post": _operation("createVisit", takes=_VISIT, gives=visit, status="201"),
        },
        "/pets/{petId}/visits/{visitId}": {
            "parameters": [_ITEM, _BELOW],
            "get": _operation("readVisit", gives=visit),
            "delete": _operation("deleteVisit", status="204"),
        },
        "/pets/{petId}/chip": {
            "parameters": [_ITEM],
            "get": _operation("readChip", gives=_SETTINGS),
            "put": _operation("writeChip", takes=_SETTINGS, gives=_SETTINGS),
        },
        "/settings": {
            "get": _operation("readSettings", gives=_SETTINGS),
            "put": _operation("writeSettings", takes=_SETTINGS, gives=_SETTINGS),
        },
        "/me": {
            "get": _operation("readMe", gives=_SETTINGS),
            "patch": _operation("changeMe", takes={**_SETTINGS, "required": []}, gives=_SETTINGS),
        },
    }


class Pets:
    """The server, in memory; `way` names what is wrong with it, or in which other way it is right."""

    def __init__(self, way: str = "") -> None:
        self.way = way
        self.pets: dict[int, dict[str, Any]] = {1: {"id": 1, "name": "Rex", "kind": "dog", "age": 3}}
        self.visits: dict[int, dict[str, Any]] = {}
        self.chips: dict[int, dict[str, Any]] = {}
        self.single = {"/settings": {"colour": "red", "rows": 20}, "/me": {"colour": "blue", "rows": 7}}
        self.last = 1
        self.changes = 0
        self._shown: list[tuple[Any, ...]] = []
        self._due = 0

    def __call__(self, call: Request) -> Answer:
        """Return the response to a call."""
        if self.way == "shows writes late" and call.method == "GET":
            self._due -= 1
            if self._due > 0 and self._shown:
                held = (self.pets, self.visits, self.chips, self.single)
                self.pets, self.visits, self.chips, self.single = copy.deepcopy(self._shown[-1])
                try:
                    return self._answer(call)
                finally:
                    self.pets, self.visits, self.chips, self.single = held
        elif self.way == "shows writes late":
            self._shown[:] = [copy.deepcopy((self.pets, self.visits, self.chips, self.single))]
            self._due = 4
        return self._answer(call)

    def _answer(self, call: Request) -> Answer:
        parts = call.path.strip("/").split("/")
        if call.path in self.single:
            return self._singleton(call, self.single[call.path])
        if parts[0] != "pets" or not all(part.isdigit() for part in parts[1::2]):
            return 404, None
        if len(parts) == 1:
            return self._collection(call)
        number = int(parts[1])
        if number not in self.pets:
            return 404, None
        if len(parts) == 2:
            return self._item(call, number)
        if parts[2] == "chip":
            return self._singleton(call, self.chips.setdefault(number, {"colour": "red", "rows": 5}))
        return self._visits(call, number, int(parts[3]) if len(parts) == 4 else None)

    def _singleton(self, call: Request, held: dict[str, Any]) -> Answer:
        if call.method == "GET":
            return 200, held
        value = content_of(call)
        if not isinstance(value, dict) or not set(value) <= {"colour", "rows"}:
            return 422, None
        if value.get("colour", "red") not in ["red", "blue"]:
            return 422, None
        if call.method == "PUT" and len(value) != 2:
            return 422, None
        if self.way == f"loses {call.method} of {call.path.rpartition('/')[2]}":
            return 200, {**held, **value}
        held.update(value)
        return 200, held

    def _collection(self, call: Request) -> Answer:
        if call.method == "GET":
            return 200, self._list(call)
        if call.method != "POST":
            return 405, None
        value = self._checked(content_of(call))
        if value is None:
            if self.way == "keeps what it refuses to create" and isinstance(content_of(call), dict):
                self._keep({"name": "refused", "kind": "cat"})
            return 422, None
        if any(one["name"] == value["name"] for one in self.pets.values()):
            return 409, None
        if self.way == "creations are lost":
            return 201, {"id": 77, **value}
        made = self._keep(value)
        if self.way == "creation loses a member":
            made.pop("note", None)
        if self.way == "creation overwrites the last one":
            for number in [n for n in self.pets if n not in {1, made["id"]}]:
                self.pets[number] = {**made, "id": number}
        if self.way == "creates later":
            return 202, made
        return 201, made, {"Location": f"/pets/{made['id']}"}

    def _keep(self, value: dict[str, Any]) -> dict[str, Any]:
        free = max(self.pets, default=0) + 1
        self.last = free if self.way == "identifiers are given out again" else self.last + 1
        self.pets[self.last] = self._stored({"id": self.last, **value})
        return self.pets[self.last]

    def _stored(self, pet: dict[str, Any]) -> dict[str, Any]:
        self.changes += 1
        if self.way == "folds names":
            pet["name"] = pet["name"].upper() + "."
        return {**pet, "updated_at": f"2026-01-01T00:00:00.{self.changes:06}Z", "url": f"/pets/{pet['id']}"}

    def _checked(self, value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict) or not set(value) <= set(_NEW["properties"]):
            return None
        name, kind, age = value.get("name"), value.get("kind"), value.get("age", 0)
        good = isinstance(name, str) and 0 < len(name) <= 40 and kind in ["cat", "dog", "owl"]
        aged = isinstance(age, int) and not isinstance(age, bool) and 0 <= age <= 90
        return dict(value) if good and aged and isinstance(value.get("note", ""), str) else None

    def _list(self, call: Request) -> dict[str, Any]:
        found = [dict(pet) for pet in self.pets.values() if not pet.get("hidden")]
        if kind := call.args.get("kind"):
            found = found if self.way == "filter is ignored" else [pet for pet in found if pet["kind"] == kind]
        if self.way == "list omits the newest" and len(found) > 1:
            found.pop()
        if self.way == "list shows one twice" and len(found) > 1:
            found.append(found[-1])
        if self.way == "list shows old values":
            found = [self.old.get(pet["id"], pet) for pet in found] if hasattr(self, "old") else found
        offset, limit = int(call.args.get("offset") or 0), int(call.args.get("limit") or 50)
        if self.way == "pages lose one" and offset:
            offset += 1
        if self.way == "pages repeat one" and offset:
            offset -= 1
        limit += self.way == "limit is off by one"
        return {"items": found[offset : offset + limit], "total": len(found)}

    def _item(self, call: Request, number: int) -> Answer:
        pet = self.pets[number]
        tag = f'"{pet.get("updated_at")}"'
        if call.method == "GET":
            if call.headers.get("If-None-Match") == tag and self.way != "never answers 304":
                return 304, None, {"ETag": tag}
            shown = dict(pet)
            if self.way == "a read changes it":
                pet["name"] += "x"
            return 200, {key: value for key, value in shown.items() if key != "hidden"}, {"ETag": tag}
        if call.method == "DELETE":
            return self._delete(number)
        value = content_of(call)
        partial = call.method == "PATCH"
        asked = value if isinstance(value, dict) else {}
        checked = self._checked({**({"name": "a", "kind": "cat"} if partial else {}), **asked}) if asked else None
        if checked is None:
            if self.way == "keeps what it refuses" and isinstance(asked.get("name"), str):
                pet["name"] = asked["name"]
            return 422, None
        if call.headers.get("If-Match", tag) != tag and self.way != "ignores If-Match":
            return 412, None
        return self._write(call.method, number, asked)

    def _write(self, method: str, number: int, asked: dict[str, Any]) -> Answer:
        pet = self.pets[number]
        self.old = {number: dict(pet)}
        known = {name: held for name, held in pet.items() if name in _NEW["properties"]}
        merged = {**known, **asked}
        new = merged if method == "PATCH" or self.way == "PUT merges" else dict(asked)
        if self.way == "PATCH wipes the others" and method == "PATCH":
            new = {"name": known["name"], "kind": "owl", **asked}
        stored = self._stored({"id": number, **new})
        if self.way == f"loses {method}":
            return 200, stored
        self.pets[number] = stored
        if self.way == f"{method} changes another one":
            for other in [n for n in self.pets if n not in {1, number}]:
                self.pets[other] = {**self.pets[other], "name": asked.get("name", "stray"), "kind": "owl"}
        return (200, stored)

    def _delete(self, number: int) -> Answer:
        if self.way == "deletions are ignored":
            return 204, None
        if self.way == "archives what is deleted":
            self.pets[number] = {**self.pets[number], "status": "archived", "hidden": True}
            return 204, None
        if self.way == "deletes another one":
            others = [n for n in self.pets if n not in {1, number}]
            del self.pets[others[0] if others else number]
            return 204, None
        if self.way == "deletes all":
            self.pets = {1: self.pets[1]}
            return 204, None
        del self.pets[number]
        return 204, None

    def _visits(self, call: Request, number: int, visit: int | None) -> Answer:
        own = {n: one for n, one in self.visits.items() if one["pet"] == number or self.way == "visits belong to all"}
        if visit is not None:
            if visit not in own:
                return 404, None
            if call.method == "DELETE":
                del self.visits[visit]
                return 204, None
            return 200, {"id": visit, "reason": own[visit]["reason"]}
        if call.method == "GET":
            return 200, [{"id": n, "reason": one["reason"]} for n, one in own.items()]
        value = content_of(call)
        if not isinstance(value, dict) or not isinstance(value.get("reason"), str) or len(value["reason"]) > 40:
            return 422, None
        self.last += 1
        self.visits[self.last] = {"pet": number, "reason": value["reason"]}
        return 201, {"id": self.last, "reason": value["reason"]}


def written(write: Callable[..., Path]) -> Path:
    """Return the file of the contract."""
    return write(contract())


#: How a server may be wrong: the check that tells, its level, and the operation that it blames.
FAULTS: dict[str, tuple[str, str, str]] = {
    "creations are lost": ("created_items_are_kept", "violation", "POST /pets"),
    "creation loses a member": ("created_items_are_kept", "violation", "POST /pets"),
    "creation overwrites the last one": ("created_items_are_kept", "violation", "POST /pets"),
    "list omits the newest": ("created_items_are_listed", "violation", "GET /pets"),
    "list shows one twice": ("created_items_are_listed", "violation", "GET /pets"),
    "list shows old values": ("written_items_show_it", "violation", "P.* /pets/{petId}"),
    "a read changes it": ("reads_leave_items_alone|created_items_are_kept", "violation", ".* /pets"),
    "loses PUT": ("written_items_show_it", "violation", "PUT /pets/{petId}"),
    "loses PATCH": ("written_items_show_it", "violation", "PATCH /pets/{petId}"),
    "PUT merges": ("written_items_show_it", "violation", "PUT /pets/{petId}"),
    "PATCH wipes the others": ("written_items_show_it", "violation", "PATCH /pets/{petId}"),
    "PUT changes another one": ("writes_leave_other_items_alone", "violation", "PUT /pets/{petId}"),
    "PATCH changes another one": ("writes_leave_other_items_alone", "violation", "PATCH /pets/{petId}"),
    "keeps what it refuses": ("refused_writes_leave_items_alone", "violation", "PUT /pets/{petId}"),
    "keeps what it refuses to create": ("refused_creations_make_nothing", "violation", "POST /pets"),
    "deletions are ignored": ("deleted_items_are_gone", "violation", "DELETE /pets/{petId}"),
    "deletes another one": (
        "deleted_items_are_gone|writes_leave_other_items_alone",
        "violation",
        "DELETE /pets/{petId}",
    ),
    "deletes all": ("writes_leave_other_items_alone", "violation", "DELETE /pets/{petId}"),
    "archives what is deleted": ("deleted_items_are_gone", "drift", "DELETE /pets/{petId}"),
    "identifiers are given out again": ("identifiers_are_not_given_out_again", "drift", "POST /pets"),
    "visits belong to all": ("items_belong_to_their_parent", "violation", "GET /pets/{petId}/visits/{visitId}"),
    "pages lose one": ("lists_neither_repeat_nor_lose_items", "violation", "GET /pets"),
    "pages repeat one": ("lists_neither_repeat_nor_lose_items", "violation", "GET /pets"),
    "limit is off by one": ("lists_neither_repeat_nor_lose_items", "violation", "GET /pets"),
    "filter is ignored": ("filters_are_kept", "violation", "GET /pets"),
    "never answers 304": ("unchanged_items_are_not_sent_again", "violation", "GET /pets/{petId}"),
    "ignores If-Match": ("stale_writes_are_refused", "violation", "PUT /pets/{petId}"),
    "loses PUT of settings": ("singletons_show_what_was_written", "violation", "PUT /settings"),
    "loses PATCH of me": ("singletons_show_what_was_written", "violation", "PATCH /me"),
    "loses PUT of chip": ("singletons_show_what_was_written", "violation", "PUT /pets/{petId}/chip"),
}
#: Ways to be right, and what is said of them: nothing, or drift.
RIGHT: dict[str, set[str]] = {"": set(), "shows writes late": set(), "creates later": set(), "folds names": {"drift"}}


def ways() -> Iterator[str]:
    """Yield all ways of the server."""
    yield from FAULTS
    yield from RIGHT
