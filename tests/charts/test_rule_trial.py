"""The picture of a rule tried on history: every ring is a flag, every peak is kept, a far setpoint stays away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from charts.rule_trial import MOST_POINTS, tried
from charts.theme import DESK
from core.alert import PRIORITIES

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SINCE = datetime(2026, 11, 19, 11, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)


def drawn(values: list[float], **more: Any) -> dict[str, Any]:
    times = pd.to_datetime([SINCE + STEP * place for place in range(len(values))], utc=True)
    given: dict[str, Any] = {"rings": [], "setpoints": [], "period": STEP, "decimals": 1, "unit": "cm"} | more
    until = SINCE + STEP * max(len(values), 1)
    frame = pd.DataFrame({"time": times, "value": values})
    found: dict[str, Any] = tried(frame, since=SINCE, until=until, zone=ZONE, theme=DESK, **given).to_dict()
    return found


def rows(chart: dict[str, Any], name: str) -> list[dict[str, Any]]:
    (layer,) = [one for one in chart["layer"] if one["name"] == name]
    found: list[dict[str, Any]] = chart["datasets"][layer["data"]["name"]]
    return found


def domain(chart: dict[str, Any]) -> list[float]:
    (layer,) = [one for one in chart["layer"] if one["name"] == "judged"]
    found: list[float] = layer["encoding"]["y"]["scale"]["domain"]
    return found


def test_every_ring_is_a_flag_with_its_span_and_priority() -> None:
    rings = [(SINCE + STEP, SINCE + 3 * STEP, "high"), (SINCE + 4 * STEP, None, "critical")]
    flags = rows(drawn([1.0] * 6, rings=rings), "rings")
    assert [(one["words"], one["level"]) for one in flags] == [
        ("19/11 18:05 – 19/11 18:15", "Cao"), ("19/11 18:20 – 19/11 18:30", "Khẩn cấp"),
    ]  # fmt: skip


def test_a_ring_that_still_stands_ends_with_the_picture() -> None:
    (flag,) = rows(drawn([1.0] * 6, rings=[(SINCE, None, PRIORITIES[0])]), "active")
    assert flag["end"] == "2026-11-19T18:30:00"


def test_setpoints_are_named_and_a_far_one_does_not_flatten_the_line() -> None:
    chart = drawn([10.0, 20.0], setpoints=[("medium", 25.0), ("critical", 900.0)])
    assert [one["words"] for one in rows(chart, "setpoints")] == ["Trung bình 25,0"]
    lowest, highest = domain(chart)
    assert lowest < 10
    assert 25 < highest < 30


def test_a_line_breaks_where_values_are_missing() -> None:
    times = pd.to_datetime([SINCE, SINCE + STEP, SINCE + 5 * STEP], utc=True)
    frame = pd.DataFrame({"time": times, "value": [1.0, 2.0, 3.0]})
    chart = tried(
        frame, rings=[], since=SINCE, until=SINCE + 6 * STEP, period=STEP, decimals=0, unit="cm", zone=ZONE, theme=DESK
    ).to_dict()
    assert [one["run"] for one in rows(chart, "judged")] == [0, 0, 1]
    assert rows(chart, "judged")[0]["words"] == "1 cm"


def test_ninety_days_are_thinned_and_keep_their_peak() -> None:
    values = [float(place % 7) for place in range(9000)]
    values[4321] = 99.0
    points = rows(drawn(values), "judged")
    assert len(points) <= MOST_POINTS
    assert max(one["value"] for one in points) == 99


def test_a_series_that_never_moved_has_an_axis() -> None:
    lowest, highest = domain(drawn([0.0, 0.0]))
    assert lowest < 0 < highest
