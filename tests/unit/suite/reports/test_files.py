from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mockserver.errors import UsageError
from mockserver.suite.reports.files import Reports, parse_report_option, write
from mockserver.suite.reports.json_report import Document


@pytest.mark.parametrize("text", ["pdf=x", "json", "json=", "=x"])
def test_unknown_reports_are_told(text: str) -> None:
    with pytest.raises(UsageError, match="--report"):
        parse_report_option(text)


def test_what_cannot_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder does not exist"):
        Reports([f"json={tmp_path / 'no' / 'report.json'}"])
    with pytest.raises(UsageError, match="it is a folder"):
        Reports([f"json={tmp_path}"])
    with pytest.raises(UsageError, match="named twice"):
        Reports([f"json={tmp_path / 'x'}", f"json={tmp_path / 'x'}"])
    assert list(tmp_path.iterdir()) == []


def test_one_report_that_fails_at_the_end_does_not_cost_the_others(document: Document, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    reports = Reports([f"json={gone / 'one.json'}", f"json={tmp_path / 'two.json'}"])
    gone.rmdir()
    problems = reports.write(document)
    assert len(problems) == 1
    assert "one.json" in problems[0]
    assert "folder does not exist" in problems[0]
    assert json.loads((tmp_path / "two.json").read_text()) == document


def test_a_full_disk_is_told(document: Document) -> None:
    problems = Reports(["json=/dev/full"]).write(document)
    assert problems == ["/dev/full: the json report cannot be written: the disk is full; free some space"]


def test_a_report_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("before")
    path.chmod(0o640)

    def broken() -> list[str]:
        raise OSError("half-way")

    with pytest.raises(OSError, match="half-way"):
        write(path, (piece for _ in range(1) for piece in broken()))
    assert path.read_text() == "before"
    write(path, ["after", "wards"])
    assert path.read_text() == "afterwards"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [found.name for found in tmp_path.iterdir()] == ["report.json"]


def test_a_new_report_has_the_permissions_of_new_files(tmp_path: Path) -> None:
    write(tmp_path / "new", ["x"])
    (tmp_path / "other").touch()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "link").symlink_to(tmp_path / "other")
    write(tmp_path / "link", ["y"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "other").read_text() == "y"
