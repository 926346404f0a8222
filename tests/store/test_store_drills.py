"""Scores of drills outlive the store in which the drill was played, and a crash while one was written."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from core.errors import StoreError
from store.drills import read_drill_scores, write_drill_score


def test_scores_are_read_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "demo-drills.jsonl"
    assert read_drill_scores(path) == []
    write_drill_score(path, {"shift": "Ca chiều\n", "missed": 0})
    write_drill_score(path, {"shift": "Ca đêm", "missed": 2})
    assert read_drill_scores(path) == [{"shift": "Ca đêm", "missed": 2}, {"shift": "Ca chiều\n", "missed": 0}]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("rest", [b'{"shift": "Ca s', b'{"shift": "Ca \xc3', b"12", b"\x00\x00"])
def test_a_line_that_a_crash_cut_short_is_told_and_swallows_no_other(
    tmp_path: Path, rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "demo-drills.jsonl"
    write_drill_score(path, {"number": 1})
    with path.open("ab") as stream:
        stream.write(rest)
    with caplog.at_level(logging.WARNING):
        assert read_drill_scores(path) == [{"number": 1}]
    assert "demo-drills.jsonl: line 2 is damaged and left out" in caplog.text
    write_drill_score(path, {"number": 2})
    assert read_drill_scores(path) == [{"number": 2}, {"number": 1}]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"demo-drills\.jsonl cannot be written"):
        write_drill_score(tmp_path / "nowhere" / "demo-drills.jsonl", {})
