"""Which member a path parameter names: tables of names as real contracts write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.resources.identifiers import identifier, words
from mockserver.contract.resources.shapes import ExampleShape

#: Below this, `infer` takes no member for the identifier.
SURE_ENOUGH = 0.46
TEXT = frozenset({"string"})
NUMBER = frozenset({"integer"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("petId", ["pet", "id"]),
        ("pet_id", ["pet", "id"]),
        ("pet-id", ["pet", "id"]),
        ("PetID", ["pet", "id"]),
        ("HTTPRoute", ["http", "route"]),
        ("attachmentid", ["attachment", "id"]),
        ("line2", ["line", "2"]),
        ("id", ["id"]),
        ("uuid", ["uuid"]),
        ("grid", ["grid"]),
        ("isValid", ["is", "valid"]),
        ("", []),
        ("_", []),
    ],
)
def test_words(name: str, expected: list[str]) -> None:
    assert words(name) == expected


@given(st.lists(st.sampled_from(["pet", "rule", "owner", "code"]), min_size=1, max_size=4))
def test_every_way_of_joining_words_is_the_same_name(parts: list[str]) -> None:
    camel = parts[0] + "".join(part.title() for part in parts[1:])
    assert words(camel) == words("_".join(parts)) == words("-".join(parts)) == parts


@pytest.mark.parametrize(
    ("parameter", "collection", "item", "expected"),
    [
        ("petId", "pets", {"id": 1, "name": "Rex"}, "id"),
        ("petId", "pets", {"id": 1, "petId": 2}, "petId"),
        ("pet_id", "pets", {"name": "Rex", "petId": 2}, "petId"),
        ("petid", "pets", {"pet_id": 2, "name": "Rex"}, "pet_id"),
        ("id", "pets", {"name": "Rex", "id": 1}, "id"),
        ("id", "pets", {"name": "Rex", "pet_id": 1}, "pet_id"),
        ("username", "users", {"id": "1", "username": "ann"}, "username"),
        ("user", "users", {"id": "1", "login": "ann"}, "login"),
        ("rule_id", "rules", {"receipt_rule_id": "r", "name": "n"}, "receipt_rule_id"),
        ("template_id", "templates", {"template_id_master": "t", "title": "n"}, "template_id_master"),
        ("domain", "domains", {"domain_name": "example.com", "ttl": 1}, "domain_name"),
        ("pet_slug", "pets", {"id": "1", "slug": "rex"}, "slug"),
        ("pet", "pets", {"name": "Rex", "uuid": "u"}, "uuid"),
        ("childSku", "children", {"name": "Shirt", "sku": "s-1"}, "sku"),
    ],
)
def test_the_member_that_a_parameter_names(parameter: str, collection: str, item: Any, expected: str) -> None:
    found, sure = identifier(parameter, ExampleShape(item), frozenset(), collection)
    assert found == expected
    assert SURE_ENOUGH <= sure <= 1


@pytest.mark.parametrize(
    ("parameter", "item", "kinds"),
    [
        ("date", {"total": 1, "average": 2}, TEXT),
        ("petId", {"owner_id": 1, "valid": True}, TEXT),
        ("petId", {"id": {"value": 1}}, TEXT),  # an object stands in no path
        ("petId", {"id": [1]}, TEXT),
        ("petId", {"id": True}, TEXT),
        ("year", {"name": "Rex"}, NUMBER),  # a name is no number
        ("petId", {"paid": 1, "grid": 2}, NUMBER),
        ("petId", {}, TEXT),
        ("id", {"name": "Rex"}, TEXT),  # one name for many, mostly
        ("_", {"id": 1}, TEXT),
    ],
)
def test_what_looks_like_an_identifier_and_is_not(parameter: str, item: Any, kinds: frozenset[str]) -> None:
    _, sure = identifier(parameter, ExampleShape(item), kinds, "pets")
    assert sure < SURE_ENOUGH


def test_the_type_of_the_parameter_decides_between_members() -> None:
    shape = ExampleShape({"id": 7, "name": "Rex"})
    assert identifier("pet", shape, NUMBER, "pets")[0] == "id"
    assert identifier("pet", shape, TEXT, "pets")[0] == "name"
    assert identifier("pet", shape, frozenset(), "pets")[0] == "id"


def test_the_very_name_is_meant_whatever_its_type() -> None:
    assert identifier("id", ExampleShape({"id": 7, "pet_name": "Rex"}), TEXT, "pet")[0] == "id"


def test_a_number_may_be_whole_or_not() -> None:
    shape = ExampleShape({"id": 7.0})
    assert identifier("id", shape, NUMBER, "pets") == identifier("id", shape, frozenset(), "pets") == ("id", 1.0)
