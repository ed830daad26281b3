"""Content of a creation that is sent again has other names, and is as valid as before."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.suite.survey.fresh_values import fresh


@pytest.mark.parametrize(
    ("value", "untouched"),
    [
        ({"name": "ann", "colour": "red"}, {"colour": "red"}),
        ({"email": "a@example.com"}, {}),
        ({"id": "5f0c1b8e-6c1d-4d6a-9d3e-0a4b7c2f9e10", "active": True}, {"active": True}),
        ({"domain": "example.com."}, {}),
        ({"pet": {"name": "rex", "age": 3}}, {}),
    ],
)
def test_names_are_others_each_time(value: dict[str, Any], untouched: dict[str, Any]) -> None:
    made = [fresh(value, None, number) for number in range(1, 20)]
    assert all(one != value for one in made)
    assert len({str(one) for one in made}) == len(made)
    assert all(untouched.items() <= one.items() for one in made)


def test_what_would_be_invalid_stays_as_it_is() -> None:
    class Nothing:
        def is_valid(self, _value: Any) -> bool:
            return False

    assert fresh({"name": "ann"}, Nothing(), 3) == {"name": "ann"}  # type: ignore[arg-type]
