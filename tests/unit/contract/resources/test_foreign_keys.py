"""Which members name an item of another collection, and which only look like it."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.resources.foreign_keys import KnownCollection, foreign_keys


class _Shape:
    """An object by its members' types."""

    item = None

    def __init__(self, kind: str = "", members: dict[str, str] | None = None) -> None:
        self._members = members or {}
        self.kinds = frozenset({kind} - {""})
        self.gives_value = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    def member(self, name: str) -> Any:
        return _Shape(self._members[name]) if name in self._members else None


def _kept(collection: str, **members: str) -> KnownCollection:
    return KnownCollection(collection, next(iter(members)), _Shape("object", members))


def _found(*kept: KnownCollection) -> dict[str, dict[str, str]]:
    return {collection: {key.member: key.collection for key in keys} for collection, keys in foreign_keys(kept).items()}


@pytest.mark.parametrize(
    ("member", "collection"),
    [
        ("pet_id", "/pets"),
        ("petId", "/pets"),
        ("petId", "/v2/pets/"),
        ("petID", "/pet"),
        ("category_id", "/categories"),
        ("boxId", "/boxes"),
        ("houseId", "/houses"),
        ("line_item_id", "/line-items"),
        ("lineItemId", "/lineItems"),
    ],
)
def test_names_in_the_singular(member: str, collection: str) -> None:
    found = _found(_kept(collection, id="integer"), _kept("/things", id="integer", **{member: "integer"}))
    assert found == {"/things": {member: collection}}


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param((_kept("/pets", id="integer"), _kept("/things", id="integer", pet_id="string")), id="type"),
        pytest.param((_kept("/pets", id="integer"), _kept("/things", id="integer", pet_id="array")), id="list"),
        pytest.param((_kept("/pets", id="integer"), _kept("/things", id="integer", pet="integer")), id="no id"),
        pytest.param((_kept("/pets", id="integer", pet_id="integer"),), id="its own"),
        pytest.param((_kept("/pets", id="integer"), _kept("/things", pet_id="integer")), id="identifier"),
        pytest.param(
            (_kept("/pets", id="integer"), _kept("/pets/{petId}/toys", id="integer", pet_id="integer")), id="the path's"
        ),
        pytest.param(
            (
                _kept("/v1/pets", id="integer"),
                _kept("/v2/pets", id="integer"),
                _kept("/a", id="string", petId="integer"),
            ),
            id="two of the name",
        ),
        pytest.param((_kept("/a/{b}/pets", id="integer"), _kept("/c", id="string", petId="integer")), id="nested"),
    ],
)
def test_what_only_looks_like_one(kept: tuple[KnownCollection, ...]) -> None:
    assert _found(*kept) == {}


def test_types_make_it_surer() -> None:
    def sure(kind: str) -> float:
        ((key,),) = foreign_keys([_kept("/pets", id="integer"), _kept("/a", id="string", petId=kind)]).values()
        return key.sure

    assert sure("integer") == sure("number") > sure("")
