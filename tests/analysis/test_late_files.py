"""Files that will run late: risk from pace and remaining hours, back-tested on what was known then, and its effect."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.cases import Share
from analysis.late_files import FIRST_THRESHOLD, best_threshold, effect, warn
from core import cases
from core.calendar import VIETNAM
from core.working_hours import OfficeHours

OFFICE = OfficeHours()
NOW = datetime(2026, 11, 19, 18, tzinfo=VIETNAM)  # a Thursday, counters closed


def history(seed: int = 3, days: int = 70, per_day: int = 12) -> pd.DataFrame:
    """Two services at one office, due after 40 working hours: «slow» ends late half of the time, «quick» never."""
    rng = np.random.default_rng(seed)
    rows = []
    day = NOW - timedelta(days=days)
    while day <= NOW:
        if OFFICE.is_working_day(day.date()):
            for number in range(per_day):
                slow = number % 3 == 0
                received = day.replace(hour=9, minute=number)
                took = rng.uniform(30, 50) if slow else rng.uniform(4, 39)
                ends = OFFICE.add(received, float(took))
                rows.append(
                    {
                        "case_id": f"{day:%m%d}-{number}",
                        "category": "slow" if slow else "quick",
                        "agency": "office_01",
                        "received_at": received,
                        "due_at": OFFICE.add(received, 40.0),
                        "resolved_at": ends if ends <= NOW else None,
                    }
                )
        day += timedelta(days=1)
    return cases.frame(rows, kind=cases.FILE, source="one_stop")


def test_the_slow_service_is_warned_of_and_the_quick_one_is_not() -> None:
    found = warn(history(), OFFICE, NOW)
    assert found is not None
    by_service = found.files.groupby("category")["risk"].mean()
    assert by_service["slow"] > 0.45
    assert by_service["quick"] < 0.2
    assert found.files[found.files["warned"]]["category"].eq("slow").mean() > 0.95
    assert found.files["risk"].is_monotonic_decreasing


def test_precision_and_recall_are_those_of_the_mornings_and_beat_choosing_all() -> None:
    found = warn(history(), OFFICE, NOW)
    assert found is not None
    for score in found.scores:
        assert score.mornings > 8
        assert score.precision.good == score.recall.good
        assert (score.precision.percent or 0) > (score.base.percent or 0) + 10
        assert (score.recall.percent or 0) > 60
    nearest = found.scores[0]
    assert nearest.base.good <= nearest.base.n


def test_a_warning_of_a_morning_uses_nothing_that_came_later() -> None:
    """From a day on every slow file ends in time; the mornings before must not know of it."""
    files = history()
    turn = NOW - timedelta(days=9)
    later = files["received_at"] > turn
    better = files.copy()
    better.loc[later, "resolved_at"] = better.loc[later, "received_at"] + timedelta(hours=2)
    before = warn(files, OFFICE, turn)
    after = warn(better, OFFICE, turn)
    assert before is not None
    assert after is not None
    assert before.scores == after.scores
    pd.testing.assert_frame_equal(before.files, after.files)


def test_an_end_after_closing_time_is_late_although_no_working_hour_passed() -> None:
    files = history()
    evening = files["category"] == "quick"
    files.loc[evening & (files["due_at"] < NOW), "resolved_at"] = files["due_at"] + timedelta(minutes=1)
    found = warn(files, OFFICE, NOW)
    assert found is not None
    assert found.files.groupby("category")["risk"].mean()["quick"] > 0.5


def test_too_little_history_says_nothing() -> None:
    assert warn(history(days=9), OFFICE, NOW) is None
    assert warn(cases.empty(), OFFICE, NOW) is None


def test_the_threshold_is_the_one_that_served_best() -> None:
    risk = np.linspace(0, 1, 200)
    assert best_threshold(risk, risk > 0.62) == pytest.approx(0.65, abs=0.051)
    assert best_threshold(risk[:50], risk[:50] > 0.1) == FIRST_THRESHOLD


def test_nobody_acted_so_nothing_was_measured() -> None:
    found = warn(history(), OFFICE, NOW, reminders=pd.DataFrame(columns=["agency", "category", "reminded_at"]))
    assert found is not None
    assert found.effect is None


def test_the_effect_of_reminding_is_a_difference_with_its_interval() -> None:
    told = effect(Share(30, 200), Share(70, 200))
    assert told.difference == pytest.approx(-20.0)
    assert told.low is not None
    assert told.high is not None
    assert told.low < -20.0 < told.high < 0
    assert effect(Share(3, 19), Share(70, 200)).difference is None, "19 files are too few to tell"


def test_reminded_files_are_those_between_warning_and_deadline() -> None:
    files = history(per_day=30)
    middle = NOW - timedelta(days=12)
    reminders = pd.DataFrame(
        {"agency": ["office_01"], "category": ["slow"], "reminded_at": [pd.Timestamp(middle).tz_convert("UTC")]}
    )
    found = warn(files, OFFICE, NOW, reminders=reminders)
    assert found is not None
    assert found.effect is not None
    assert 10 <= found.effect.reminded.n <= 60
    assert found.effect.others.n > found.effect.reminded.n
    elsewhere = warn(files, OFFICE, NOW, reminders=reminders.assign(category="quick"))
    assert elsewhere is not None
    assert elsewhere.effect is not None
    assert elsewhere.effect.reminded.n < found.effect.reminded.n
