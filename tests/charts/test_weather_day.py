"""The last 24 hours of rain and river: bars that share no minute, holes that stay holes, colour only for an alert."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from charts.theme import WALL
from charts.weather_day import hourly, level_line, rain_bars

NOW = datetime(2026, 11, 19, 11, 22, tzinfo=UTC)  # 18:22 in the city
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR, TEN = timedelta(hours=1), timedelta(minutes=10)
ALARMS = ((4.3, "báo động I"), (5.3, "báo động II"), (6.3, "báo động III"))


def rain(times: list[datetime], values: list[float], **more: object) -> str:
    given = {"until": NOW, "zone": ZONE, "theme": WALL, "width": 640, "height": 230, **more}
    return rain_bars(times, values, **given)  # type: ignore[arg-type]


def river(values: list[float], *, height: int = 230, **more: object) -> str:
    times = [NOW - HOUR * back for back in range(len(values) - 1, -1, -1)]
    given = {"until": NOW, "zone": ZONE, "theme": WALL, "width": 640, "height": height, "period": HOUR, **more}
    return level_line(times, values, **given)  # type: ignore[arg-type]


def bars(svg: str) -> list[tuple[float, str]]:
    return [(float(high), fill) for high, fill in re.findall(r'class="rain"[^>]*height="([\d.]+)" fill="([^"]+)"', svg)]


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_an_hour_s_sum_every_ten_minutes_gives_one_bar_per_hour() -> None:
    times = [NOW - timedelta(minutes=12) - TEN * back for back in range(18, -1, -1)]
    values = [float(number) for number in range(19)]
    at_s = np.array([one.timestamp() for one in times])
    found = hourly(at_s, np.array(values), NOW.timestamp())
    assert [amount for _, amount in found[:4]] == [18.0, 12.0, 6.0, 0.0]
    assert found[0][0] == times[-1].timestamp()
    assert np.isnan(found[4][1]), "nobody said that it was dry"
    assert len(found) == 23, "an hour that began before the span is left out"


def test_hours_after_the_last_value_are_unknown() -> None:
    old = NOW - timedelta(hours=3, minutes=12)
    found = hourly(np.array([old.timestamp()]), np.array([25.8]), NOW.timestamp())
    assert [np.isnan(amount) for _, amount in found[:4]] == [True, True, True, False]


def test_a_sum_of_another_hour_does_not_stand_for_this_one() -> None:
    at_s = np.array([(NOW - HOUR - timedelta(minutes=5)).timestamp(), NOW.timestamp()])
    found = hourly(at_s, np.array([9.0, 1.0]), NOW.timestamp())
    assert found[0][1] == 1.0
    assert np.isnan(found[1][1]), "five of its minutes are missing, five are of the hour before"


def test_values_of_the_future_and_of_yesterday_are_no_bars() -> None:
    svg = rain([NOW - HOUR * 25, NOW, NOW + HOUR / 2], [50.0, 2.0, 60.0])
    assert len(bars(svg)) == 1
    assert "2,0" in texts(svg)


def test_a_bar_stands_to_its_limit_as_its_amount() -> None:
    svg = rain([NOW - HOUR, NOW], [15.0, 30.0], limit=30.0, limit_word="ngưỡng")
    (half, _), (whole, _) = sorted(bars(svg))
    assert whole == pytest.approx(2 * half, abs=0.2)
    assert "ngưỡng 30 mm" in texts(svg)
    line = re.search(r'<path class="limit" d="M[\d.]+ ([\d.]+)H', svg)
    tops = [float(y) for y in re.findall(r'class="rain" x="[\d.]+" y="([\d.]+)"', svg)]
    assert line
    assert float(line[1]) == pytest.approx(min(tops), abs=0.1)


def test_only_an_alert_over_its_limit_has_colour() -> None:
    times, values = [NOW - HOUR, NOW], [29.9, 30.0]
    grey = {fill for _, fill in bars(rain(times, values, limit=30.0))}
    assert grey == {WALL.data}
    fills = [fill for _, fill in bars(rain(times, values, limit=30.0, abnormal="high"))]
    assert sorted(fills) == sorted([WALL.data, WALL.high.line])


def test_a_drizzle_does_not_look_like_a_storm() -> None:
    ((tall, _),) = bars(rain([NOW], [0.5]))
    assert tall < 25
    assert len(bars(rain([NOW], [0.0]))) == 0


def test_an_hour_without_a_value_is_a_dashed_box() -> None:
    assert rain([NOW, NOW - HOUR * 2][::-1], [1.0, 1.0]).count('class="silent"') == 22
    assert rain([], []).count('class="silent"') == 24


def test_the_axis_is_in_city_time_and_keeps_clear_of_now() -> None:
    assert [one for one in texts(rain([], [])) if ":" in one] == ["18:22", "00:00", "06:00", "12:00"]


def test_old_figures_are_grey() -> None:
    for svg in (rain([NOW - HOUR * 3], [4.0], stale=True), river([2.0, 2.1], stale=True)):
        assert re.search(rf'class="now"[^>]*fill="{WALL.ink3}"', svg)
    assert re.search(rf'class="now"[^>]*fill="{WALL.ink1}"', rain([NOW], [4.0]))
    assert f'fill="{WALL.bg}" stroke="{WALL.ink3}"' in river([2.0, 2.1], stale=True)


def test_a_river_shows_all_alarms_where_their_names_fit() -> None:
    svg = river([2.1, 2.2], lines=ALARMS)
    assert [one for one in texts(svg) if "báo động" in one] == [
        "báo động I 4,3 m", "báo động II 5,3 m", "báo động III 6,3 m",
    ]  # fmt: skip
    assert "2,20" in texts(svg)


@pytest.mark.parametrize(
    ("level", "named"),
    [
        (2.2, ["báo động I"]),
        (4.4, ["báo động I", "báo động II"]),
        (5.4, ["báo động II", "báo động III"]),
        (6.5, ["báo động III"]),
    ],
)
def test_a_low_picture_shows_the_alarm_reached_and_the_next(level: float, named: list[str]) -> None:
    said = texts(river([level - 0.1, level], lines=ALARMS, height=110))
    assert [one.rsplit(" ", 2)[0] for one in said if "báo động" in one] == named


def test_higher_water_is_higher_and_a_silence_breaks_the_line() -> None:
    (points,) = re.findall(r'points="([^"]*)"', river([2.0, 3.0]))
    low, high = (float(pair.split(",")[1]) for pair in points.split())
    assert high < low
    torn = river([2.0, 2.1, float("nan"), float("nan"), 2.2, 2.3])
    assert torn.count("<polyline") == 2
    assert torn.count('class="silent"') == 2, "before the first value and in the middle"


def test_a_river_takes_the_colour_of_its_alert_at_its_last_point() -> None:
    assert WALL.medium.line in river([4.2, 4.4], lines=ALARMS, abnormal="medium")
    assert WALL.medium.line not in river([4.2, 4.4], lines=ALARMS)


def test_nothing_to_draw_is_still_a_picture() -> None:
    assert "<polyline" not in river([])
    assert river([], lines=ALARMS).endswith("</svg>")


def test_words_are_escaped() -> None:
    svg = rain([NOW], [1.0], limit=30.0, limit_word="<b>", alt='"<i>')
    assert "<b>" not in svg
    assert "&lt;b&gt; 30 mm" in svg
    assert "&quot;&lt;i&gt;" in svg


def test_a_step_of_the_data_is_a_dotted_upright_where_it_lies_in_the_day() -> None:
    hours = [NOW - HOUR * back for back in range(24)]
    for drawn in (rain(hours, [1.0] * 24, artefacts=[NOW - 6 * HOUR]), river([3.0] * 24, artefacts=[NOW - 6 * HOUR])):
        assert len(re.findall(r'class="artefact"', drawn)) == 1
        assert re.search(r'class="artefact" d="M([\d.]+) ', drawn)
    for drawn in (rain(hours, [1.0] * 24, artefacts=[NOW - 25 * HOUR]), river([3.0] * 24)):
        assert "artefact" not in drawn
