"""A created item that schemathesis asks for by another name is not missing; one that it asks for by its own is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mockserver.suite.fuzz.generated_cases import misnamed


@pytest.mark.parametrize(
    ("created", "answered", "asked", "expected"),
    [
        ({"id": "%41"}, b"", "%41", True),
        (None, b'{"id":"%41"}', "%41", True),
        ({"id": "A"}, b'{"id":"A"}', "A", False),
        ({"id": "\u00d8"}, b"", "%C3%98", False),  # written as it should be
        ({"id": "100%"}, b"", "100%", False),
        ({"id": 7}, b"", 7, False),
    ],
)
def test_misnamed(created: Any, answered: bytes, asked: Any, expected: bool) -> None:
    parent = SimpleNamespace(id="p", body=created)
    recorder = SimpleNamespace(
        find_parent=lambda *, case_id: parent if case_id == "c" else None,
        interactions={"p": SimpleNamespace(response=SimpleNamespace(content=answered, request=None))},
    )
    case = SimpleNamespace(id="c", path="/{realm}/items/{id}", path_parameters={"realm": "%41", "id": asked})
    assert misnamed(recorder, case) is expected
    assert not misnamed(recorder, SimpleNamespace(**{**vars(case), "id": "without a parent"}))


def test_what_schemathesis_did_not_get_as_it_was_is_misnamed() -> None:
    request = SimpleNamespace(is_faithful=False)
    recorder = SimpleNamespace(
        find_parent=lambda *, case_id: SimpleNamespace(id="p", body=None) if case_id else None,
        interactions={"p": SimpleNamespace(response=SimpleNamespace(content=b"", request=request))},
    )
    assert misnamed(recorder, SimpleNamespace(id="c", path="/items/{id}", path_parameters={"id": "\ufffd"}))
