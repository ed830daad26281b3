from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.source import cache, loading
from mockserver.contract.source.loading import load
from mockserver.errors import ContractError

Parse = Callable[[str], Any]
LONG = "\n".join(f"key{number}: {{a: [1, 2.5, true, null, 'text']}}" for number in range(1000))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mockserver" / "parsed"


@pytest.fixture
def parse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Load a contract of a text."""
    file = tmp_path_factory.mktemp("contract") / "a.yaml"

    def load_text(text: str) -> Any:
        file.write_text(text, encoding="utf-8")
        return load(file).data

    return load_text


def refuse(*_arguments: Any) -> Any:
    raise AssertionError("the text was parsed again")


def test_a_long_text_is_parsed_once(parse: Parse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parse(LONG)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(loading, "parse_yaml", refuse)
    assert parse(LONG) == first
    with pytest.raises(AssertionError):
        parse(LONG + "\nmore: 1")


def test_a_short_text_and_a_wrong_one_leave_nothing(parse: Parse, folder: Path) -> None:
    parse("a: 1")
    with pytest.raises(ContractError, match="twice"):
        parse(LONG + "\nkey1: 1")
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"null"])
def test_a_broken_file_is_as_none(parse: Parse, folder: Path, content: bytes) -> None:
    first = parse(LONG)
    (file,) = folder.iterdir()
    file.write_bytes(content)
    assert parse(LONG) == first


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("value", ["1e999", "-1e999", "9" * 30])
def test_odd_numbers_stay_what_they_are(parse: Parse, value: str) -> None:
    text = f"{LONG}\nodd: {value}"
    first, again = (parse(text)["odd"] for _ in range(2))
    assert first == again == (int(value) if value.isdecimal() else float(value))


def test_a_folder_that_cannot_be_written_does_not_matter(
    parse: Parse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert len(parse(LONG)) == 1000
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", refuse_home)
    assert len(parse(LONG)) == 1000


def refuse_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_only_so_many_are_kept(parse: Parse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_KEPT", 3)
    for number in range(5):
        parse(f"{LONG}\nnumber: {number}")
    assert len(list(folder.iterdir())) == 3
    assert cache.find(f"{LONG}\nnumber: 4") is not None
    assert cache.find(f"{LONG}\nnumber: 0") is None
    assert not [file for file in folder.iterdir() if file.suffix == ".tmp"]


_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(_VALUES)
def test_a_kept_value_is_the_same_to_the_type(value: Any) -> None:
    text = repr(value) + " " * cache.MIN_LENGTH
    cache.keep(text, value)
    found = cache.find(text)
    assert found is None or repr(found) == repr(value)
