"""Tables that are written in place of Hypothesis: the same as its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis.internal import charmap
from hypothesis.internal.intervalsets import IntervalSet

from mockserver.suite.engine import surroundings


def test_the_categories_are_those_that_hypothesis_finds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(charmap, "_charmap", None)
    monkeypatch.setattr(charmap, "charmap_file", lambda name="charmap": tmp_path / f"{name}.gz")
    assert {name: tuple(ranges) for name, ranges in surroundings.categories().items()} == charmap.charmap()


def test_hypothesis_reads_the_tables_that_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charmap, "_charmap", None)
    monkeypatch.setattr(charmap, "chr", _never, raising=False)
    charmap.intervals_from_codec.cache_clear()
    with surroundings.no_files_in_the_users_folder():
        encodable, lossy = charmap.intervals_from_codec("utf-8")
        assert charmap.charmap()["Cs"] == ((0xD800, 0xDFFF),)
    assert encodable.intervals == ((0, 0xD7FF), (0xE000, 0x10FFFF))
    assert lossy == IntervalSet([])


def _never(_number: int) -> str:
    raise AssertionError("Hypothesis does not find the table, or makes nothing of it")
