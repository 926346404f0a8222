"""reports.toml: when a report is due and of which period, and what is refused before the first morning."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.errors import ConfigError
from core.report_plan import Report, load_reports

CITY = ZoneInfo("Asia/Ho_Chi_Minh")


def plan(period: str, folder: Path) -> Report:
    path = folder / "reports.toml"
    path.write_text(f'[[report]]\nperiod = "{period}"\nat = "06:30"\n', encoding="utf-8")
    return load_reports(path)[0]


@pytest.mark.parametrize(
    ("period", "now", "due", "of"),
    [
        ("day", datetime(2026, 11, 22, 6, 30), datetime(2026, 11, 22, 6, 30), date(2026, 11, 21)),
        ("day", datetime(2026, 11, 22, 6, 29), datetime(2026, 11, 21, 6, 30), date(2026, 11, 20)),
        ("week", datetime(2026, 11, 23, 7, 0), datetime(2026, 11, 23, 6, 30), date(2026, 11, 22)),
        ("week", datetime(2026, 11, 23, 6, 0), datetime(2026, 11, 16, 6, 30), date(2026, 11, 15)),
        ("month", datetime(2026, 12, 1, 6, 30), datetime(2026, 12, 1, 6, 30), date(2026, 11, 30)),
        ("month", datetime(2026, 12, 1, 6, 0), datetime(2026, 11, 1, 6, 30), date(2026, 10, 31)),
    ],
)
def test_the_last_moment_it_was_due(period: str, now: datetime, due: datetime, of: date, tmp_path: Path) -> None:
    moment, day = plan(period, tmp_path).due(now.replace(tzinfo=CITY), CITY)
    assert moment == due.replace(tzinfo=CITY)
    assert day == of


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('period = "hour"\nat = "06:30"', "period 'hour'"),
        ('period = "day"\nat = "25:00"', "no time of day"),
        ('period = "day"\nat = "06:30"\nformats = ["doc"]', "formats must be some of"),
        ('period = "day"\nat = "06:30"\nformats = []', "formats must be some of"),
        ('period = "day"\nat = "06:30"\nsend = true', "unknown key send"),
        ('period = "day"\nat = "06:30"\nkeep_months = 0', "keep_months"),
        ('period = "day"\nat = "06:30"\nlanguage = "fr"', "language 'fr'"),
    ],
)
def test_what_is_wrong_is_named(line: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "reports.toml"
    path.write_text(f"[[report]]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_reports(path)


def test_two_of_one_period_are_refused_and_no_file_is_no_schedule(tmp_path: Path) -> None:
    path = tmp_path / "reports.toml"
    assert load_reports(path) == ()
    path.write_text('[[report]]\nperiod = "day"\nat = "06:30"\n' * 2, encoding="utf-8")
    with pytest.raises(ConfigError, match="one \\[\\[report\\]\\] for each period"):
        load_reports(path)
