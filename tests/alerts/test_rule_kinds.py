"""Every kind of rule through the engine: worked examples from reality, gaps, suppression, pieces and wholes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.deeds import shelve
from alerts.engine import evaluate, lookback, properties
from alerts.rules import load_rules
from alerts.series import usual_of
from core.calendar import VIETNAM
from core.catalogue import ObservedProperty
from core.errors import ConfigError
from core.observations import empty, frame

ROOT = Path(__file__).resolve().parents[2]
START = datetime.fromisoformat("2026-09-15T10:00:00+07:00")  # a Tuesday
TEXTS = (
    'title_vi = "a"\ntitle_en = "a"\ncause = "a"\nconsequence = "b"\naction = "c"\nowner = "d"\ntime_to_act_min = 10\n'
)
CATALOGUE = {
    key: ObservedProperty(
        key=key,
        domain=domain,
        name_vi=key,
        name_en=key,
        unit=unit,
        unit_vi=unit,
        unit_en=unit,
        decimals=decimals,
        stale_after=timedelta(minutes=stale),
        period=timedelta(minutes=5),
        baseline=key == "travel_time_index",
    )
    for key, domain, unit, stale, decimals in (
        ("river_level", "weather", "m", 90, 2),
        ("temperature", "weather", "°C", 150, 0),
        ("travel_time_index", "traffic", "", 15, 1),
        ("rain_1h", "weather", "mm", 30, 0),
        ("flood_depth", "weather", "cm", 15, 0),
        ("reports_received_flooding", "reports", "tin", 180, 0),
        ("vn_aqi", "environment", "", 150, 0),
        ("source_up", "operations", "", 15, 0),
        ("files_overdue", "services", "", 4320, 0),
    )
}
SITES = pd.DataFrame(
    [
        ("city", "city", ""),
        ("90001", "area", "90001"),
        ("90002", "area", "90002"),
        ("rain_01", "rain_gauge", "90001"),
        ("rain_02", "rain_gauge", "90001"),
        ("flood_01", "flood_sensor", "90001"),
        ("flood_02", "flood_sensor", "90002"),
        ("river_01", "river_station", "90002"),
        ("road_01", "road_segment", "90002"),
    ],
    columns=["site_id", "kind", "area"],
).assign(alarm_1_m=4.3, alarm_2_m=5.3, alarm_3_m=6.3)
SITES = SITES.set_index("site_id", drop=False)

RISE = """kind = "rate"
observed_property = "river_level"
direction = "above"
over_min = 60
setpoint = 0.3
priority = "medium"
"""
RANGE = """observed_property = "temperature"
direction = "outside"
deadband = 1
[[level]]
setpoint = [10, 39]
priority = "medium"
[[level]]
setpoint = [7, 41]
priority = "high"
"""
UNUSUAL = """kind = "deviation"
observed_property = "travel_time_index"
direction = "above"
least_spread = 0.1
setpoint = 4
priority = "low"
"""
COUNT = """kind = "count"
observed_property = "flood_depth"
at_least = 10
window_min = 30
setpoint = 3
priority = "high"
"""
EVENTS = """kind = "count"
observed_property = "reports_received_flooding"
counts = "events"
window_min = 30
setpoint = 3
priority = "medium"
"""
AIR = """kind = "scale"
scale = "vn_aqi"
observed_property = "vn_aqi"
[[level]]
class = "poor"
priority = "medium"
[[level]]
class = "very_bad"
priority = "critical"
"""
RIVER = """kind = "scale"
scale = "river"
observed_property = "river_level"
sites = ["river_01"]
[[level]]
class = "I"
priority = "medium"
[[level]]
class = "III"
priority = "critical"
"""
WARD = """kind = "expression"
expression = "max(rain_1h) >= 20 and max(flood_depth) >= 5"
scope = "area"
priority = "high"
"""
FLOOD = """observed_property = "flood_depth"
direction = "above"
setpoint = 10
priority = "high"
"""
SILENT = """kind = "missing"
observed_property = "rain_1h"
stale_after_min = 20
priority = "low"
"""


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def rules_of(folder, **files):
    for old in folder.glob("*.toml"):
        old.unlink()
    for key, text in files.items():
        (folder / f"{key}.toml").write_text(TEXTS + text, encoding="utf-8")
    return load_rules(folder, CATALOGUE, SITES)


def rows(observed_property, site_id, *pairs):
    return frame(
        [
            {"time": at(minute), "site_id": site_id, "observed_property": observed_property, "value": value}
            for minute, value in pairs
        ],
        source="test",
    )


def told(events):
    return [((event.happened_at - START) / timedelta(minutes=1), event.site_id, event.deed) for event in events]


def run(rules, observations, alerts=None, minute=1000.0, **more):
    """One round of a history; that old data go stale or come late is another story (test_alert_engine.py)."""
    changed, events = evaluate(rules, observations, alerts or {}, now=at(minute), **more, in_time=True)
    told_here = [event for event in events if event.deed not in ("stale", "live")]
    return (alerts or {}) | {alert.key: alert for alert in changed}, told_here


# -- rate --------------------------------------------------------------------------------------------------------------


def test_a_river_that_rises_quickly_rings_before_it_is_high(tmp_path):
    rules = rules_of(tmp_path, rise=RISE)
    data = rows("river_level", "river_01", (0, 2.0), (60, 2.1), (120, 2.5), (180, 2.55))
    _, events = run(rules, data, minute=180)
    assert told(events) == [(120, "river_01", "raise"), (180, "river_01", "clear")]
    assert events[0].value == pytest.approx(0.4)
    assert rules[0].value_text(events[0].value, "vi") == "+0,40 m/giờ"
    assert rules[0].value_text(events[0].value, "en") == "+0.40 m/h"
    assert not rules[0].in_unit_of_property


def test_a_rate_is_per_hour_whatever_the_span_between_two_values(tmp_path):
    rules = rules_of(tmp_path, rise=RISE)
    _, events = run(rules, rows("river_level", "river_01", (0, 2.0), (80, 2.41)), minute=80)
    assert events[0].value == pytest.approx(0.41 / (80 / 60))
    assert run(rules, rows("river_level", "river_01", (0, 2.0), (80, 2.39)), minute=80)[1] == []


def test_a_fall_is_a_rise_downwards(tmp_path):
    rules = rules_of(tmp_path, fall=RISE.replace('"above"', '"below"').replace("0.3", "-0.3"))
    _, events = run(rules, rows("river_level", "river_01", (0, 2.5), (60, 2.2)), minute=60)
    assert told(events) == [(60, "river_01", "raise")]


def test_nobody_knows_a_rate_across_a_gap(tmp_path):
    """Stale after 90 min: a metre more after two silent hours may be a flood or a moved sensor."""
    rules = rules_of(tmp_path, rise=RISE)
    broken = rows("river_level", "river_01", (0, 2.0), (91, 3.5), (151, 3.5), (211, 3.6))
    assert run(rules, broken, minute=211)[1] == []
    whole = rows("river_level", "river_01", (0, 2.0), (90, 3.5))
    assert told(run(rules, whole, minute=90)[1]) == [(90, "river_01", "raise")]


# -- range -------------------------------------------------------------------------------------------------------------


def test_too_cold_and_too_hot_are_one_rule(tmp_path):
    rules = rules_of(tmp_path, extreme=RANGE)
    story = [(0, 20, "NORM"), (60, 10, "UNACK medium"), (120, 10.9, "UNACK medium"), (180, 7, "UNACK high")]
    story += [(240, 8.5, "UNACK medium"), (300, 11.1, "RTNUN medium"), (360, 39, "UNACK medium")]
    story += [(420, 41, "UNACK high"), (480, 38.5, "UNACK medium"), (540, 37.9, "RTNUN medium")]
    alerts: dict = {}
    for minute, value, expected in story:
        alerts, _ = run(rules, rows("temperature", "weather", (minute, value)), alerts, minute)
        alert = alerts["extreme", "weather"]
        assert f"{alert.state} {alert.priority}".startswith(expected), f"{value} degrees at {minute}"


def test_a_range_may_let_its_ends_comply(tmp_path):
    rules = rules_of(tmp_path, extreme="inclusive = false\n" + RANGE)
    assert run(rules, rows("temperature", "weather", (0, 10), (60, 39)))[1] == []
    assert len(run(rules, rows("temperature", "weather", (0, 9.9)))[1]) == 1


# -- deviation ---------------------------------------------------------------------------------------------------------


def ordinary(weeks: int, usual: float = 1.5) -> pd.DataFrame:
    """Some weeks of a road at Tuesday 09:00-10:00, spread by 0.2 around the usual."""
    pairs = [
        (-week * 7 * 1440 - 5 * step, usual + 0.1 * (step % 5 - 2))
        for week in range(1, weeks + 1)
        for step in range(10)
    ]
    return rows("travel_time_index", "road_01", *pairs)


def test_a_jam_that_would_be_ordinary_at_another_hour(tmp_path):
    rules = rules_of(tmp_path, unusual=UNUSUAL)
    band = usual_of(ordinary(4), ["travel_time_index"], VIETNAM)
    row = band["travel_time_index", "road_01"].loc[24 + 9]
    assert (row["n"], row["middle"]) == (30, pytest.approx(1.5)), "three Tuesdays; 1 September was a holiday"
    sigma = (row["high"] - row["low"]) / 2.5631
    quiet = rows("travel_time_index", "road_01", (-5, 1.5 + 3.9 * sigma))
    loud = rows("travel_time_index", "road_01", (-5, 1.5 + 4.1 * sigma))
    assert run(rules, quiet, band=band)[1] == []
    _, events = run(rules, loud, band=band)
    assert events[0].value == pytest.approx(4.1)
    assert rules[0].value_text(events[0].value, "vi") == "+4,1σ so với thường lệ"
    assert run(rules, loud)[1] == [], "without a band nothing is unusual"


def test_a_series_that_stands_still_does_not_ring_at_its_noise(tmp_path):
    rules = rules_of(tmp_path, unusual=UNUSUAL)
    still = rows("travel_time_index", "road_01", *[(-7 * 1440 - 5 * step, 1.0) for step in range(10)])
    band = usual_of(still, ["travel_time_index"], VIETNAM)
    assert run(rules, rows("travel_time_index", "road_01", (-5, 1.39)), band=band)[1] == []
    assert len(run(rules, rows("travel_time_index", "road_01", (-5, 1.41)), band=band)[1]) == 1


def test_too_little_history_is_not_judged(tmp_path):
    enough = rules_of(tmp_path, unusual="least_n = 30\n" + UNUSUAL)
    four_tuesdays = usual_of(ordinary(4), ["travel_time_index"], VIETNAM)
    assert len(run(enough, rows("travel_time_index", "road_01", (-5, 9.0)), band=four_tuesdays)[1]) == 1
    rules = rules_of(tmp_path, unusual="least_n = 31\n" + UNUSUAL)
    band = usual_of(ordinary(4), ["travel_time_index"], VIETNAM)
    assert run(rules, rows("travel_time_index", "road_01", (-5, 9.0)), band=band)[1] == []
    other_hour = rows("travel_time_index", "road_01", (300, 9.0))
    assert run(rules_of(tmp_path, unusual=UNUSUAL), other_hour, band=band)[1] == []


def test_a_holiday_is_compared_with_holidays(tmp_path):
    """2 September 2026 is a Wednesday: its empty streets are no Wednesday's, and no Wednesday is judged by them."""
    rules = rules_of(tmp_path, unusual=UNUSUAL.replace('"above"', '"below"').replace("= 4", "= -4"))
    wednesday = datetime.fromisoformat("2026-09-09T09:00:00+07:00")
    busy = [((wednesday - START) / timedelta(minutes=1) - 5 * step, 2.0 + 0.1 * (step % 3)) for step in range(10)]
    band = usual_of(rows("travel_time_index", "road_01", *busy), ["travel_time_index"], VIETNAM)
    feast = (datetime.fromisoformat("2026-09-02T08:30:00+07:00") - START) / timedelta(minutes=1)
    assert run(rules, rows("travel_time_index", "road_01", (feast, 1.0)), band=band)[1] == []
    later = (datetime.fromisoformat("2026-09-16T08:30:00+07:00") - START) / timedelta(minutes=1)
    assert len(run(rules, rows("travel_time_index", "road_01", (later, 1.0)), band=band)[1]) == 1


# -- count -------------------------------------------------------------------------------------------------------------


def every(step, minutes, value):
    return [(minute, value) for minute in range(0, minutes + 1, step)]


def test_water_that_comes_and_goes(tmp_path):
    rules = rules_of(tmp_path, puddle=COUNT)
    wet = dict(every(5, 90, 0.0)) | {40: 12.0, 50: 12.0, 60: 10.0}
    _, events = run(rules, rows("flood_depth", "flood_01", *wet.items()), minute=90)
    assert told(events) == [(60, "flood_01", "raise"), (70, "flood_01", "clear")], "at 70 the one of 40 is out"
    assert events[0].value == 3
    assert rules[0].value_text(3, "vi") == "3 lần trong 30 phút"
    assert rules[0].value_text(3, "en") == "3 times in 30 min"


def test_values_from_below_may_be_counted(tmp_path):
    rules = rules_of(tmp_path, dry=COUNT.replace("at_least = 10", "at_most = 1"))
    data = rows("flood_depth", "flood_01", *every(5, 30, 5.0), (35, 1.0), (40, 1.0), (45, 0.0))
    assert told(run(rules, data, minute=45)[1]) == [(45, "flood_01", "raise")]


def test_a_window_that_is_mostly_unknown_is_not_counted(tmp_path):
    """30 minutes, of which values vouch for 22.5 at least; stale after 15."""
    rules = rules_of(tmp_path, puddle=COUNT)
    assert run(rules, rows("flood_depth", "flood_01", *every(5, 20, 12.0)), minute=20)[1] == [], "20 of 30 min known"
    assert len(run(rules, rows("flood_depth", "flood_01", *every(5, 25, 12.0)), minute=25)[1]) == 1
    gap = [*every(5, 30, 0.0), (50, 12.0), (55, 12.0), (60, 12.0), (65, 12.0)]
    assert run(rules, rows("flood_depth", "flood_01", *gap), minute=65)[1] == []
    assert len(run(rules, rows("flood_depth", "flood_01", *gap, (70, 12.0), (75, 12.0)), minute=75)[1]) == 1


def test_reports_of_a_ward_add_up_and_fall_while_the_hotline_is_heard(tmp_path):
    rules = rules_of(tmp_path, calls=EVENTS)
    name = "reports_received_flooding"
    city = pd.concat(
        [rows(name, "90001", (32, 1), (40, 2)), rows(name, "90002", (0, 1), (20, 1), (34, 1), (69, 1), (71, 1))]
    )
    _, events = run(rules, city, minute=71)
    assert told(events) == [(40, "90001", "raise"), (69, "90001", "clear")]
    assert rules[0].value_text(3, "vi") == "3 tin trong 30 phút"
    silent = city[city["time"] < pd.Timestamp(at(69))]
    assert told(run(rules, silent, minute=71)[1]) == [(40, "90001", "raise")], "a dead hotline clears nothing"


# -- scale -------------------------------------------------------------------------------------------------------------


def test_classes_of_the_law(tmp_path):
    air, river = rules_of(tmp_path, air=AIR, river=RIVER)
    assert [limit.on_at for limit in air.limits_at("anywhere")] == [101, 201]
    assert [limit.on_at for limit in river.limits_at("river_01")] == [4.3, 6.3]
    assert air.value_text(163, "vi", "air_01") == "163 (Kém)", "of the classes that the rule names"
    assert air.value_text(250, "en", "air_01") == "250 (Very bad)"
    assert air.value_text(90, "vi", "air_01") == "90"
    assert river.value_text(4.3, "vi", "river_01") == "4,30 m (Báo động I)"
    _, events = run([air, river], rows("vn_aqi", "air_01", (0, 100), (60, 101)))
    assert told(events) == [(60, "air_01", "raise")]


# -- expression --------------------------------------------------------------------------------------------------------


def test_rain_and_water_in_one_ward(tmp_path):
    rules = rules_of(tmp_path, ward=WARD)
    rain = pd.concat(
        [rows("rain_1h", "rain_01", (0, 5), (10, 25), (20, 25)), rows("rain_1h", "rain_02", (0, 1), (10, 1))]
    )
    here = rows("flood_depth", "flood_01", (0, 0), (10, 4), (15, 5))
    alerts, events = run(rules, pd.concat([rain, here]), minute=20)
    assert told(events) == [(15, "90001", "raise")]
    assert alerts["ward", "90001"].value == 1
    assert rules[0].value_text(1, "vi") == ""
    elsewhere = rows("flood_depth", "flood_02", (0, 0), (10, 40), (15, 40))
    assert run(rules, pd.concat([rain, elsewhere]), minute=20)[1] == [], "another ward's water"


def test_stale_rain_is_unknown_and_neither_raises_nor_clears(tmp_path):
    rules = rules_of(tmp_path, ward=WARD)
    rain = rows("rain_1h", "rain_01", (0, 25))
    water = rows("flood_depth", "flood_01", *every(5, 60, 8.0))
    alerts, events = run(rules, pd.concat([rain, water]), minute=60)
    assert told(events) == [(0, "90001", "raise")], "still raining for half an hour, then nobody knows"
    assert alerts["ward", "90001"].seen_at == at(30)
    late = rows("flood_depth", "flood_01", (65, 2.0))
    _, events = run(rules, pd.concat([rain, late]), alerts, 65)
    assert told(events) == [(65, "90001", "clear")], "False whatever the rain does"


def test_a_gauge_that_is_silent_for_a_day_no_longer_belongs_to_its_ward(tmp_path):
    """Its last word was a downpour; after an hour nobody knows, after a day the other gauge speaks for the ward."""
    rules = rules_of(
        tmp_path, dry='kind = "expression"\nexpression = "max(rain_1h) < 20"\nscope = "area"\npriority = "low"\n'
    )
    for hours, expected in ((1, []), (24, []), (24.1, ["raise"])):
        minute = 60 * hours
        data = pd.concat([rows("rain_1h", "rain_01", (0, 50)), rows("rain_1h", "rain_02", (minute, 1))])
        assert [event.deed for event in run(rules, data, minute=minute)[1]] == expected, f"after {hours} h"


def test_slow_series_are_known_from_the_newest_values(tmp_path):
    rules = rules_of(
        tmp_path,
        backlog='kind = "expression"\nexpression = "sum(files_overdue) > 10"\nscope = "city"\npriority = "low"\n',
    )
    latest = rows("files_overdue", "office_01", (-600, 11)).assign(received_at=START)
    alerts, events = run(rules, empty(), minute=0, latest=latest)
    assert [(event.site_id, event.deed) for event in events] == [("city", "raise")]
    assert run(rules, empty(), minute=0)[1] == []
    with_city = pd.concat(
        [latest, rows("files_overdue", "city", (-600, 99)), rows("files_overdue", "office_01", (-500, 3))]
    )
    assert [e.deed for e in run(rules, empty(), alerts, 5, latest=with_city)[1]] == ["clear"], "the city is no office"


def test_a_number_with_setpoints(tmp_path):
    text = 'kind = "expression"\nexpression = "rain_1h + 2 * flood_depth"\nunit_vi = "điểm"\ndirection = "above"\n'
    rules = rules_of(tmp_path, mix=text + "setpoint = 40\npriority = 'low'\n")
    data = pd.concat([rows("rain_1h", "rain_01", (0, 20)), rows("flood_depth", "rain_01", (0, 10))])
    alerts, _ = run(rules, data, minute=0)
    assert alerts["mix", "rain_01"].value == 40
    assert alerts["mix", "rain_01"].active
    assert rules[0].value_text(40, "vi") == "40 điểm"


ASKS = 'kind = "expression"\nexpression = "alert(\\"flood\\") and rain_1h >= 20"\nscope = "{}"\npriority = "critical"\n'


def test_an_expression_may_ask_whether_an_alert_stands(tmp_path):
    rules = rules_of(tmp_path, asks=ASKS.format("city").replace("rain_1h", "max(rain_1h)"), flood=FLOOD)
    assert [rule.key for rule in rules] == ["asks", "flood"]
    rain = rows("rain_1h", "rain_01", *every(10, 60, 25))
    data = pd.concat([rain, rows("flood_depth", "flood_02", (0, 0), (12, 15), (34, 0))])
    _, events = run(rules, data, minute=60)
    assert [(event.rule, *one) for event, one in zip(events, told(events), strict=True)] == [
        ("flood", 12, "flood_02", "raise"),
        ("asks", 12, "city", "raise"),
        ("flood", 34, "flood_02", "clear"),
        ("asks", 34, "city", "clear"),
    ]
    in_ward = rules_of(tmp_path, asks=ASKS.format("area").replace("rain_1h", "max(rain_1h)"), flood=FLOOD)
    assert "asks" not in {event.rule for event in run(in_ward, data, minute=60)[1]}, "the flood is in the other ward"
    active, _ = run(rules, rows("flood_depth", "flood_02", (0, 15)), minute=0)
    assert [e.rule for e in run(rules, rain, active, 20)[1]] == ["asks"], "an alert of an earlier round"


def test_rules_that_ask_in_a_circle_are_refused(tmp_path):
    one = 'kind = "expression"\nexpression = "alert(\\"{}\\")"\nscope = "city"\npriority = "low"\n'
    one += 'observed_property = "rain_1h"\n'
    with pytest.raises(ConfigError, match="asks in a circle"):
        rules_of(tmp_path, first=one.format("second"), second=one.format("first"))


# -- suppression by design ---------------------------------------------------------------------------------------------

COVERED = SILENT + "suppress_when = 'at(\"rain_gauges\", source_up) < 1'\n"


def test_silent_stations_do_not_ring_while_their_source_is_down(tmp_path):
    rules = rules_of(tmp_path, silent=COVERED)
    rain = rows("rain_1h", "rain_01", (0, 0))
    down = rows("source_up", "rain_gauges", (0, 1), (10, 0), (20, 0), (25, 0))
    alerts, events = run(rules, pd.concat([rain, down]), minute=10)
    assert [(e.deed, e.state_before, e.state_after) for e in events] == [("suppress", "NORM", "DSUPR")]
    assert events[0].reason == 'at("rain_gauges", source_up) < 1'
    alerts, events = run(rules, down, alerts, 25)
    assert [(e.deed, e.state_before, e.state_after) for e in events] == [("raise", "DSUPR", "DSUPR")]
    unknown, events = run(rules, empty(), alerts, 60)
    assert events == [], "the house itself is silent: nobody knows, the cover stays"
    up = rows("source_up", "rain_gauges", (65, 1))
    alerts, events = run(rules, up, unknown, 65)
    assert [(e.deed, e.state_after) for e in events] == [("release", "UNACK")], "judged as new: it is still silent"


def test_who_comes_back_with_the_source_does_not_ring(tmp_path):
    rules = rules_of(tmp_path, silent=COVERED)
    down = rows("source_up", "rain_gauges", (10, 0), (25, 0))
    alerts, _ = run(rules, pd.concat([rows("rain_1h", "rain_01", (0, 0)), down]), minute=25)
    back = pd.concat([rows("source_up", "rain_gauges", (30, 1)), rows("rain_1h", "rain_01", (30, 0))])
    alerts, events = run(rules, back, alerts, 30)
    assert "UNACK" not in {event.state_after for event in events}


def test_a_raise_and_its_cover_of_the_same_round_do_not_ring(tmp_path):
    rules = rules_of(tmp_path, flood=FLOOD + "suppress_when = 'at(\"pumps\", source_up) < 1'\n")
    data = pd.concat([rows("flood_depth", "flood_01", (0, 30)), rows("source_up", "pumps", (0, 0))])
    alerts, events = run(rules, data, minute=3)
    assert [(event.deed, event.state_after) for event in events] == [("suppress", "DSUPR"), ("raise", "DSUPR")]
    assert alerts["flood", "flood_01"].active


def test_a_shelf_that_ends_during_suppression_is_followed_by_it(tmp_path):
    plain = rules_of(tmp_path, flood=FLOOD)
    water = rows("flood_depth", "flood_01", (0, 30))
    alerts, _ = run(plain, water, minute=0)
    shelved, _ = shelve(alerts, list(alerts), "Lê Thu Hà", at(1), at(11), "thử bơm")
    rules = rules_of(tmp_path, flood=FLOOD + "suppress_when = 'at(\"pumps\", source_up) < 1'\n")
    down = rows("source_up", "pumps", (5, 0), (10, 0))
    under, events = run(rules, down, {alert.key: alert for alert in shelved}, 10)
    assert [alert.hidden for alert in under.values()] == ["SHLVD"]
    after, events = run(rules, down, under, 11)
    assert [event.deed for event in events] == ["shelf_expired", "suppress"]
    assert [alert.hidden for alert in after.values()] == ["DSUPR"]


def test_seen_from_the_ward(tmp_path):
    text = FLOOD + "suppress_when = 'max(rain_1h) < 1'\nsuppress_scope = \"area\"\n"
    data = pd.concat([rows("flood_depth", "flood_01", (0, 30)), rows("flood_depth", "flood_02", (0, 30))])
    alerts, _ = run(rules_of(tmp_path, flood=text), pd.concat([data, rows("rain_1h", "rain_01", (0, 0))]), minute=0)
    assert {key[1]: alert.state for key, alert in alerts.items()} == {"flood_01": "DSUPR", "flood_02": "UNACK"}


# -- pieces and wholes -------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([0.0, 8.0, 12.0, 30.0, float("nan")])),
        max_size=30,
        unique_by=lambda row: row[0],
    ),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_pieces_that_overlap_by_the_lookback_give_the_same_as_all_at_once(tmp_path_factory, values, cuts):
    folder = tmp_path_factory.mktemp("rules")
    rules = rules_of(
        folder,
        rise=RISE.replace("river_level", "flood_depth").replace("over_min = 60", "over_min = 20"),
        puddle=COUNT,
        mix='kind = "expression"\nexpression = "flood_depth > 10"\nsites = ["flood_01"]\npriority = "low"\n',
    )
    data = rows("flood_depth", "flood_01", *[(5 * step, value) for step, value in values]) if values else empty()
    _, all_events = run(rules, data, minute=200)
    alerts, events = {}, []
    reach = lookback(rules)
    assert reach >= timedelta(minutes=45)
    for since, until in pairwise([-1, *sorted(cuts), 40]):
        window = (data["time"] > at(5 * since) - reach) & (data["time"] <= at(5 * until))
        alerts, entries = run(rules, data[window], alerts, 5 * until)
        events += entries
    of = lambda entries: sorted((e.happened_at, e.rule, e.deed, e.value) for e in entries)  # noqa: E731
    assert of(events) == of(all_events)


def test_what_the_engine_needs(tmp_path):
    rules = rules_of(tmp_path, rise=RISE, flood=FLOOD, ward=WARD, silent=COVERED)
    assert properties(rules) == ["flood_depth", "rain_1h", "river_level", "source_up"]
    assert lookback(rules) == timedelta(minutes=150), "60 of the rate and one gap of 90"
    assert lookback(rules_of(tmp_path, flood=FLOOD)) == timedelta(0)
