"""Base paths of Server Objects."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.reading.servers import base_paths


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"url": "https://example.com"}, ()),
        ({"url": "/"}, ()),
        ({"url": "https://example.com/v1/"}, ("/v1",)),
        ({"url": "/api/v2"}, ("/api/v2",)),
        ({"url": "api"}, ("/api",)),
        ({"url": "https://{host}/{v}", "variables": {"host": {"default": "h"}, "v": {"default": "1"}}}, ("/1",)),
        ({"url": "/{v}/x", "variables": {"v": {"default": "b", "enum": ["a", "b"]}}}, ("/b/x", "/a/x")),
        ({"url": "/{v}"}, ("/v",)),
        ({"url": 5}, ()),
        ({"url": "http://[::1/x"}, ()),
        ("nonsense", ()),
    ],
    ids=repr,
)
def test_base_paths(server: Any, expected: tuple[str, ...]) -> None:
    assert base_paths({"servers": [server]}) == expected


def test_the_innermost_servers_count() -> None:
    document = {"servers": [{"url": "/d"}]}
    assert base_paths({}, {"servers": [{"url": "/i"}, {"url": "/j"}]}, document) == ("/i", "/j")
    assert base_paths({"servers": []}, None, document) == ("/d",)
