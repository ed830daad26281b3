from __future__ import annotations

import io
import re

import pytest

from mockserver.suite.run.progress import (
    ProgressBar,
    ProgressCounts,
    ProgressLines,
    duration,
    shortened,
    shown_progress,
)


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), _Clock()
    lines = ProgressLines(stream, lambda: 2, clock=clock)
    lines.phase("checks", 40)
    for _ in range(20):
        clock.now += 1
        lines.step("GET /note", 3)
    lines.close()
    assert stream.getvalue() == (
        "mockserver: 0:10 checks: 10 of 40, 30 cases, 3/s, 2 findings, about 0:30 left (GET /note)\n"
        "mockserver: 0:20 checks: 20 of 40, 60 cases, 3/s, 2 findings, about 0:20 left (GET /note)\n"
    )


def test_a_short_run_says_nothing_in_a_log() -> None:
    stream = io.StringIO()
    with shown_progress(stream, lambda: 0) as progress:
        progress.phase("checks", 1)
        progress.step("GET /note")
    assert isinstance(progress, ProgressLines)
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_line_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = _Terminal()
    with shown_progress(stream, lambda: 7) as progress:
        progress.phase("checks", 4)
        progress.step("GET /[bold]note[/bold]", 3)
        assert isinstance(progress, ProgressBar)
        progress.refresh()
    shown = stream.getvalue()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert "checks" in plain
    assert re.search(r"1 of 4, 3 cases.*, 7 findings", plain)
    assert "GET /[bold]note[/bold]" in plain
    assert shown.startswith("\x1b[?25l")
    assert shown.endswith("\r\x1b[2K\x1b[?25h")
    assert "\n" not in shown


def test_the_bar_is_as_full_as_the_phase() -> None:
    stream = _Terminal()
    bar = ProgressBar(stream, None)
    for total, steps, full in ((4, 1, 5), (4, 3, 15), (2, 2, 20), (1, 3, 20), (None, 7, 0)):
        bar.phase("checks", total)
        for _ in range(steps):
            bar.step("GET /note")
        stream.seek(0)
        stream.truncate()
        bar.refresh()
        assert "━" * full + "─" * (20 - full) in stream.getvalue()
    bar.close()


def test_a_terminal_that_knows_no_unicode_gets_ascii() -> None:
    written = io.BytesIO()
    bar = ProgressBar(io.TextIOWrapper(written, encoding="ascii"), None)
    bar.phase("checks", 4)
    bar.step("GET /notiz/ä")
    bar.refresh()
    bar.close()
    assert b"#####---------------" in written.getvalue()
    assert b"GET /notiz/?" in written.getvalue()


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("GET /note", 9, "GET /note"),
        ("GET /note", 8, "GET /no…"),
        ("密码密码", 8, "密码密码"),
        ("密码密码", 7, "密码密…"),
        ("密码密码", 6, "密码…"),
        ("e\u0301te\u0301", 3, "e\u0301te\u0301"),
        ("a\x1b[2Jb", 9, "a [2Jb"),
        ("a", 0, ""),
        ("ab", -3, ""),
    ],
)
def test_a_text_is_cut_to_the_cells_there_are(text: str, width: int, shown: str) -> None:
    assert shortened(text, width) == shown


@pytest.mark.parametrize("variable", [("CI", "true"), ("TERM", "dumb")])
def test_what_only_looks_like_a_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv(*variable)
    with shown_progress(_Terminal()) as progress:
        assert isinstance(progress, ProgressLines)


def test_time_left_is_told_when_it_can_be() -> None:
    clock = _Clock()
    tally = ProgressCounts(None, clock)
    tally.phase("fuzzing", None)
    tally.step(1)
    assert (tally.left_seconds, tally.place, tally.counts) == (None, "1 done", "1 case")
    tally.phase("checks", 10)
    clock.now += 5
    for _ in range(5):
        tally.step(1)
    assert tally.left_seconds == 5
    assert (tally.place, tally.counts) == ("5 of 10", "6 cases, 1/s")


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0, 59.6, 61, 3661)] == ["0:00", "1:00", "1:01", "61:01"]
