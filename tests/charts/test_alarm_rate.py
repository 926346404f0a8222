"""The pictures of the alarm system's load: every ring is in a bar, floods are bands, days are city days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from charts import alarm_rate
from charts.theme import DESK

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SINCE = datetime(2026, 11, 19, 11, 0, tzinfo=UTC)


def rows(chart: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The data of the layer of that name."""
    (layer,) = [one for one in chart["layer"] if one["name"] == name]
    data = layer.get("data") or chart["data"]  # what all layers share stands at the top
    values: list[dict[str, Any]] = chart["datasets"][data["name"]]
    return values


def test_bars_stand_at_city_time_and_floods_behind_them() -> None:
    flood = (SINCE + timedelta(minutes=20), SINCE + timedelta(minutes=40))
    chart = alarm_rate.rate(
        [0, 3, 14], since=SINCE, until=SINCE + timedelta(minutes=25), step=timedelta(minutes=10), floods=[flood],
        zone=ZONE, theme=DESK,
    ).to_dict()  # fmt: skip
    drawn = rows(chart, "rate")
    assert [(one["start"], one["count"]) for one in drawn] == [("2026-11-19T18:10:00", 3), ("2026-11-19T18:20:00", 14)]
    assert drawn[1]["when"] == "18:20 – 18:25", "the last bar ends with the picture"
    assert drawn[0]["words"] == "3 lần reo"
    assert rows(chart, "floods")[0]["start"] == "2026-11-19T18:20:00"
    assert chart["layer"][0]["name"] == "floods", "bands stand behind the bars"
    top = next(one for one in chart["layer"] if one["name"] == "rate")["encoding"]["y"]["scale"]["domain"][1]
    assert top > 14


def test_a_quiet_day_still_shows_where_a_flood_would_begin() -> None:
    chart = alarm_rate.rate(
        [0] * 144, since=SINCE, until=SINCE + timedelta(days=1), step=timedelta(minutes=10), zone=ZONE,
        language="en", theme=DESK,
    ).to_dict()  # fmt: skip
    (limit,) = rows(chart, "limit")
    assert (limit["count"], limit["words"]) == (10, "flood limit")
    top = next(one for one in chart["layer"] if one["name"] == "limit")["encoding"]["y"]["scale"]["domain"][1]
    assert top > 10


def test_rings_per_day_keep_the_days_without_one_and_the_setting_that_is_compared() -> None:
    days = [(date(2026, 11, 30), 4), (date(2026, 12, 1), 0)]
    chart = alarm_rate.per_day(days, compared=[(date(2026, 11, 30), 1), (date(2026, 12, 1), 0)], theme=DESK).to_dict()
    assert [(one["day"], one["count"]) for one in rows(chart, "days")] == [("30/11", 4), ("01/12", 0)]
    assert [one["count"] for one in rows(chart, "compared")] == [1, 0]
    assert [one["order"] for one in rows(chart, "days")] == [0, 1], "December stands after November"


@pytest.mark.parametrize(("rung", "top"), [(0, 4.0), (9, 9.0)])
def test_a_month_without_a_ring_has_its_zero_at_the_bottom(rung: int, top: float) -> None:
    chart = alarm_rate.per_day([(date(2026, 11, 30), 0)], compared=[(date(2026, 11, 30), rung)], theme=DESK).to_dict()
    assert chart["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, top]


def test_classes_keep_their_order_and_carry_their_numbers() -> None:
    chart = alarm_rate.bars([("dưới 5 phút", 1200), ("hơn", 0)], theme=DESK).to_dict()
    assert [(one["name"], one["words"]) for one in rows(chart, "bars")] == [("dưới 5 phút", "1.200"), ("hơn", "0")]
