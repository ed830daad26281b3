"""`mockserver_url`: what a user's test may do with the stub that our pytest plugin starts."""

from __future__ import annotations

import uuid

import pytest

from tests.conftest import Client, send_over_http

JUNK = "/api/v1/settings/junk_trash_clearing_interval/"


@pytest.fixture
def client(mockserver_url: str) -> Client:
    """A world of the plugin's stub that no other test uses."""
    return Client(send_over_http(mockserver_url), f"/__world__/{uuid.uuid4().hex}")


def test_the_control_api_of_the_fixtures_stub_is_open_to_the_test(client: Client) -> None:
    client.call("POST", JUNK, json={"junk_days": 3, "trash_days": 4})
    client.call("GET", f"{JUNK}?page=2&sort=name")
    first, second = client.journal()
    assert (first["request"]["content_type"], first["response"]["status"]) == ("application/json", 200)
    assert (second["request"]["query"], second["request"]["content_type"]) == ("page=2&sort=name", None)
    client.set_clock(now=1000)
    assert client.control("GET", "/clock") == {"now": 1000, "standing": True}
    client.control("POST", "/reset")
    assert client.control("GET", "/clock")["standing"] is False
    assert client.call("GET", JUNK).status == 204


@pytest.mark.parametrize("field", [{"Origin": "https://example.com"}, {"Host": "example.com"}])
def test_no_web_page_can_drive_it(client: Client, field: dict[str, str]) -> None:
    assert client.call("GET", "/__mock__/journal", user=None, fields=field).status == 403
