from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.sources import LATEST, make_secret, make_uuid, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1582536047", 1582536047),
        ("2020-02-24T09:20:47Z", 1582536047),
        ("2020-02-24T10:20:47+01:00", 1582536047),
        ("2020-02-24T09:20:47.999Z", 1582536047),
        ("2020-02-24 09:20:47", 1582536047),
        ("2020-02-24", 1582502400),
        ("1970-01-01T00:00:00Z", 0),
        (str(LATEST), LATEST),
    ],
)
def test_times(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "-1", "1.5", "1e9", "0x10", "tomorrow", "2020-13-01", "2020-02-30T00:00:00Z", "24:00", "1_000", "١٢",
     "1969-12-31T23:59:59Z", str(LATEST + 1), "9999-12-31T23:59:59Z", "9" * 5000, "nan", "None", "\0"],
)  # fmt: skip
def test_what_is_no_time_is_shown_shortened(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|is not between") as caught:
        parse_time(text)
    assert len(str(caught.value)) < 200


@given(moment=st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - hypothesis wants naive ones
def test_every_date_time_is_read(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC, microsecond=0)
    if aware.timestamp() <= LATEST:
        assert parse_time(aware.isoformat()) == aware.timestamp()
        assert parse_time(str(int(aware.timestamp()))) == aware.timestamp()


@given(seed=st.integers(), world=st.text(max_size=5), purpose=st.text(max_size=5), number=st.integers(0, 2**40))
def test_secrets_are_the_same_every_time(seed: int, world: str, purpose: str, number: int) -> None:
    one = make_secret(seed, world, purpose, number)
    assert one == make_secret(seed, world, purpose, number)
    assert len(one) == 40
    assert one.isascii()
    assert one.isalnum()


def test_secrets_differ_in_each_of_what_they_are_made_from() -> None:
    made = {
        make_secret(seed, world, purpose, number)
        for seed in (0, 1)
        for world in ("a", "b")
        for purpose in ("x", "y")
        for number in range(50)
    }
    assert len(made) == 2 * 2 * 2 * 50


def test_a_known_secret() -> None:
    """A change here changes every stub's answers: it belongs into the changelog."""
    assert make_secret(0, "default", "auth_token", 0) == make_secret(0, "default", "auth_token", 0, 40)
    assert make_secret(0, "default", "imap_master_password", 1) == "JRynVPFZbi6XpcT2ccYrMNIocoItUbipAGptSfRA"


@given(parts=st.lists(st.text(max_size=5) | st.integers(), max_size=4))
def test_uuids_are_of_the_random_kind_and_the_same_every_time(parts: list[str | int]) -> None:
    made = make_uuid(*parts)
    assert made == make_uuid(*parts) == str(uuid.UUID(made))
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (4, uuid.RFC_4122)
    assert made != make_uuid(*parts, "more")


def test_a_known_uuid() -> None:
    """A change here changes every stub's answers: it belongs into the changelog."""
    assert make_uuid(0, "default") == "9187cb9d-b78c-433e-9437-04642d8cd645"
