"""The strip of the last 24 hours: open alerts in colour, closed ones grey, from a journal in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from defusedxml import ElementTree

from charts.theme import WALL
from charts.timeline import alert_spans, day_strip
from core.alert import PRIORITIES, Alert

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
UNTIL = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)  # 17:42 in the city
SINCE = UNTIL - timedelta(hours=24)
COLOURS = {WALL.priority(name).line for name in PRIORITIES}


def journal(*lines: tuple[float, str, str, str]) -> pd.DataFrame:
    """Newest first, as the store gives it: (hours ago, rule, deed, priority)."""
    rows = [(UNTIL - timedelta(hours=ago), rule, "s", deed, priority) for ago, rule, deed, priority in lines]
    frame = pd.DataFrame(rows, columns=["happened_at", "rule", "site_id", "deed", "priority"])
    return frame.sort_values("happened_at", ascending=False)


def alert(rule: str, priority: str, raised_at: datetime | None = None) -> Alert:
    return Alert(rule=rule, site_id="s", active=True, acked=False, priority=priority, raised_at=raised_at)


def bars(svg: str, kind: str) -> list[tuple[float, float, str]]:
    return [
        (float(bar.get("x")), float(bar.get("width")), bar.get("fill"))
        for bar in ElementTree.fromstring(svg).iter()
        if bar.get("class") == kind
    ]


def strip(frame: pd.DataFrame, rain: pd.DataFrame | None = None, **more: object) -> str:
    return day_strip(frame, rain, since=SINCE, until=UNTIL, zone=CITY, theme=WALL, **more)  # type: ignore[arg-type]


def test_an_alert_that_came_and_went_is_grey() -> None:
    drawn = strip(journal((9, "a", "raise", "high"), (8, "a", "clear", "high")))
    ((_, width, colour),) = bars(drawn, "alert")
    assert colour == WALL.line2
    assert 50 < width < 62, "one hour of about 1,350 px a day"


def test_an_open_alert_has_its_colour_and_reaches_now() -> None:
    drawn = strip(journal((0.5, "a", "raise", "high")), open_alerts=[alert("a", "high")])
    ((left, width, colour),) = bars(drawn, "alert")
    ((now_left, *_),) = [
        (float(path.get("d")[1:].split()[0]),)
        for path in ElementTree.fromstring(drawn).iter()
        if path.get("stroke") == WALL.ink1
    ]
    assert colour == WALL.high.line
    assert abs(left + width - now_left) < 0.2


def test_a_calm_day_has_no_priority_colour() -> None:
    drawn = strip(journal((20, "a", "raise", "critical"), (19, "a", "clear", "critical")))
    assert not [colour for colour in COLOURS if colour in drawn]


def test_acknowledging_and_comments_do_not_end_an_alert() -> None:
    spans = alert_spans(
        journal((5, "a", "raise", "medium"), (4, "a", "acknowledge", "medium"), (3, "a", "comment", "medium")),
        [alert("a", "medium")],
        SINCE,
        UNTIL,
    )
    assert spans[["start", "end", "open"]].to_numpy().tolist() == [[UNTIL - timedelta(hours=5), UNTIL, True]]


def test_an_alert_that_got_worse_carries_its_worst_priority() -> None:
    spans = alert_spans(
        journal((5, "a", "raise", "medium"), (4, "a", "raise_priority", "critical"), (3, "a", "clear", "medium")),
        [],
        SINCE,
        UNTIL,
    )
    assert spans["priority"].tolist() == ["critical"]


def test_alerts_from_before_the_day_are_not_lost() -> None:
    spans = alert_spans(
        journal((3, "old", "clear", "low")), [alert("older", "high", SINCE - timedelta(days=2))], SINCE, UNTIL
    )
    assert spans[["start", "priority", "open"]].to_numpy().tolist() == [[SINCE, "low", False], [SINCE, "high", True]]


def test_the_same_rule_may_be_raised_twice_a_day() -> None:
    spans = alert_spans(
        journal((9, "a", "raise", "low"), (8, "a", "clear", "low"), (2, "a", "raise", "low"), (1, "a", "clear", "low")),
        [],
        SINCE,
        UNTIL,
    )
    assert [(row.end - row.start) for row in spans.itertuples()] == [timedelta(hours=1)] * 2


def test_rain_is_drawn_per_hour_and_missing_rain_is_no_bar() -> None:
    hours = [UNTIL - timedelta(hours=ago) for ago in (1, 2, 3, 4)]
    drawn = strip(journal(), pd.DataFrame({"time": hours, "value": [42.0, 15.0, 0.0, float("nan")]}))
    found = bars(drawn, "rain")
    assert len(found) == 2
    assert "nan" not in drawn
    heights = [float(bar.get("height")) for bar in ElementTree.fromstring(drawn).iter() if bar.get("class") == "rain"]
    assert 1.9 < heights[0] / heights[1] < 2.1, "15 mm/h is half of the full height of 30"


def test_the_night_of_the_city_is_shaded_and_its_hours_are_named() -> None:
    drawn = strip(journal())
    ((left, width, _),) = bars(drawn, "night")
    texts = [text.text for text in ElementTree.fromstring(drawn).iter() if text.tag.endswith("text")]
    assert texts[:2] == ["24 giờ", "qua"]
    assert texts[2:] == ["18:00", "21:00", "00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "17:42"]
    assert 0.48 < width / (1480 - left - 30) < 0.53


def test_the_strip_is_a_named_picture_in_both_languages() -> None:
    root = ElementTree.fromstring(strip(journal(), language="en", alt='<24 "h">'))
    assert root.get("role") == "img"
    assert root.get("aria-label") == '<24 "h">'
    assert ElementTree.fromstring(strip(journal(), language="en")).get("aria-label") == "Last 24 h"
