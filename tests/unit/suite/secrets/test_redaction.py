"""Members of JSON texts are masked where they stand, also in texts that were cut or are none."""

from __future__ import annotations

import pytest

from mockserver.suite.secrets.known_secrets import redacted

PATHS = (("token",), ("users", "*", "key"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"token": "abc", "a": 1}', '{"token": "********", "a": 1}'),
        ('{"a":{"token":"abc"}}', '{"a":{"token":"abc"}}'),
        ('{"token":{"a":["}",1]},"b":2}', '{"token":"********","b":2}'),
        ('{"users":[{"key":1},{"key":null,"n":"key"}]}', '{"users":[{"key":"********"},{"key":"********","n":"key"}]}'),
        ('{"\\u0074oken":"abc","token":"def"}', '{"\\u0074oken":"********","token":"********"}'),
        ('{"token":"ab', '{"token":"********"'),
        ('{"token":["a', '{"token":"********"'),
        ('{"users":[{"n":"a', '{"users":[{"n":"a'),
        ("[" * 50_000, "[" * 50_000),
        ('"token"', '"token"'),
        ("", ""),
        ("}]", "}]"),
    ],
)
def test_values_at_paths_are_masked_in_all_places(text: str, shown: str) -> None:
    assert redacted(text, PATHS) == shown


def test_the_whole_may_be_a_secret() -> None:
    assert redacted('{"a": [1]}', [()]) == '"********"'
