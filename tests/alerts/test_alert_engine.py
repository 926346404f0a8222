"""Rules meet observations: many series, any order, in pieces or at once, quick enough for every cycle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.deeds import shelve
from alerts.engine import evaluate
from alerts.replay import facts_of, replay
from alerts.rules import load_rules
from core.catalogue import ObservedProperty
from core.observations import empty, frame

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
TEXTS = 'cause = "a"\nconsequence = "b"\naction = "c"\nowner = "d"\ntime_to_act_min = 10\n'
FLOOD = """title_vi = "Ngập đường"
title_en = "Road flooded"
observed_property = "flood_depth"
direction = "above"
deadband = 3
on_delay_min = 5
off_delay_min = 10
[[level]]
setpoint = 10
priority = "medium"
[[level]]
setpoint = 25
priority = "critical"
"""
RATE = """title_vi = "Đúng hạn"
title_en = "On time"
observed_property = "on_time_rate"
direction = "below"
setpoint = 90
priority = "low"
"""
SILENT = """kind = "missing"
title_vi = "Mất tín hiệu"
title_en = "Silent"
observed_property = "flood_depth"
stale_after_min = 20
priority = "low"
"""
SITES = pd.DataFrame({"site_id": ["flood_01", "flood_02"], "kind": "flood_sensor"}).set_index("site_id", drop=False)
CATALOGUE = {
    key: ObservedProperty(
        key=key, domain="weather", name_vi=key, name_en=key, unit="1", stale_after=timedelta(minutes=15)
    )
    for key in ("flood_depth", "on_time_rate")
}


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def written(folder, **files):
    for key, text in files.items():
        (folder / f"{key}.toml").write_text(TEXTS + text, encoding="utf-8")
    return load_rules(folder, CATALOGUE, SITES)


def rows(*rows, **constants):
    columns = ("minute", "site_id", "value")
    data = pd.DataFrame([dict(zip(columns, row, strict=True)) for row in rows])
    data["time"] = [at(minute) for minute in data.pop("minute")]
    return frame(data, **({"observed_property": "flood_depth", "source": "test"} | constants))


def by_key(changed):
    return {alert.key: alert for alert in changed}


def test_any_order_of_rows_and_several_sites(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD)
    data = rows((5, "flood_01", 12), (0, "flood_02", 30), (0, "flood_01", 12), (5, "flood_02", 30), (5, "rain_01", 0))
    changed, events = evaluate(rules, data, {}, now=at(6))
    alerts = by_key(changed)
    assert {key: (alert.state, alert.priority) for key, alert in alerts.items()} == {
        ("road_flood", "flood_01"): ("UNACK", "medium"),
        ("road_flood", "flood_02"): ("UNACK", "critical"),
        ("road_flood", "rain_01"): ("NORM", "low"),
    }
    assert [(event.happened_at, event.deed) for event in events] == [(at(5), "raise"), (at(5), "raise")]
    assert all(alert.seen_at == at(5) for alert in changed), "python datetimes, aware"


def test_only_changed_alerts_come_back_and_overlapping_windows_are_safe(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD, flood_silent=SILENT)
    data = rows((0, "flood_01", 12), (5, "flood_01", 12))
    changed, events = evaluate(rules, data, {}, now=at(6))
    assert len(changed) == 2
    assert len(events) == 1
    assert evaluate(rules, data, by_key(changed), now=at(7)) == ([], [])
    assert evaluate(rules, empty(), by_key(changed), now=at(7)) == ([], [])


def test_rows_of_bad_quality_neither_raise_nor_clear(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD)
    for quality in ("fail", "suspect", "missing"):
        data = rows((0, "flood_01", 40), (5, "flood_01", 40)).assign(quality=quality)
        assert evaluate(rules, data, {}, now=at(6)) == ([], [])
    alerts = by_key(evaluate(rules, rows((0, "flood_01", 40), (5, "flood_01", 40)), {}, now=at(6))[0])
    bad = rows((10, "flood_01", 0), (25, "flood_01", 0)).assign(quality="fail")
    assert evaluate(rules, bad, alerts, now=at(10)) == ([], [])


def test_the_newest_of_several_sources_counts_and_the_worse_of_two_at_the_same_time(tmp_path):
    rules = written(tmp_path, on_time=RATE)
    one = partial(rows, observed_property="on_time_rate")
    data = pd.concat([one((0, "office_01", 80), source="a"), one((10, "office_01", 95), source="b")])
    assert [alert.state for alert in evaluate(rules, data, {}, now=at(10))[0]] == ["RTNUN"]
    data = pd.concat([one((0, "office_01", 95), source="a"), one((0, "office_01", 80), source="b")])
    assert [alert.state for alert in evaluate(rules, data, {}, now=at(10))[0]] == ["UNACK"]
    flood = written(tmp_path, road_flood=FLOOD.replace("on_delay_min = 5", "on_delay_min = 0"))
    data = pd.concat([rows((0, "flood_01", 30), source="a"), rows((0, "flood_01", 0), source="b")])
    assert [alert.state for alert in evaluate(flood, data, {}, now=at(1))[0]] == ["UNACK"]


def test_missing_data_freeze_the_process_alert_and_ring_by_themselves(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD, flood_silent=SILENT)
    alerts = by_key(evaluate(rules, rows((0, "flood_01", 30), (5, "flood_01", 30)), {}, now=at(6))[0])
    changed, events = evaluate(rules, empty(), alerts, now=at(30))
    assert {(event.rule, event.deed, event.state_after) for event in events} == {
        ("road_flood", "stale", "UNACK"),
        ("flood_silent", "raise", "UNACK"),
    }
    alerts |= by_key(changed)
    assert alerts["road_flood", "flood_01"].active
    assert alerts["road_flood", "flood_01"].stale
    changed, events = evaluate(rules, rows((40, "flood_01", 30)), alerts, now=at(41))
    alerts |= by_key(changed)
    assert {event.deed for event in events} == {"live", "clear"}
    assert alerts["road_flood", "flood_01"].state == "UNACK"
    assert alerts["flood_silent", "flood_01"].state == "RTNUN"


def test_latest_tells_which_series_exist_and_never_rings_a_process_rule(tmp_path):
    """First start with 30 days of history: a sensor that died a week ago is silent; its last flood is not news."""
    rules = written(tmp_path, road_flood=FLOOD.replace("on_delay_min = 5", "on_delay_min = 0"), flood_silent=SILENT)
    latest = rows((-7 * 1440, "flood_01", 60), (0, "flood_02", 60)).assign(received_at=START)
    changed, events = evaluate(rules, rows((0, "flood_02", 2)), {}, now=at(1), latest=latest)
    assert [(event.rule, event.site_id, event.deed) for event in events] == [("flood_silent", "flood_01", "raise")]
    assert by_key(changed)["flood_silent", "flood_01"].seen_at == at(-7 * 1440)
    assert ("flood_silent", "flood_02") in by_key(changed)
    assert ("road_flood", "flood_01") not in by_key(changed)


def test_an_alert_whose_rule_is_gone_or_off_or_no_longer_there_is_ended(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD)
    alerts = by_key(evaluate(rules, rows((0, "flood_01", 30), (5, "flood_01", 30)), {}, now=at(6))[0])
    off = written(tmp_path, road_flood="enabled = false\n" + FLOOD)
    elsewhere = written(tmp_path, road_flood='sites = ["flood_02"]\n' + FLOOD)
    for changed_rules in ([], off, elsewhere):
        changed, events = evaluate(changed_rules, empty(), alerts, now=at(7))
        assert [alert.state for alert in changed] == ["RTNUN"]
        assert [event.deed for event in events] == ["clear"]
        assert evaluate(changed_rules, empty(), by_key(changed), now=at(8)) == ([], [])


def test_a_shelf_runs_out_also_when_the_rule_is_gone(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD)
    alerts = by_key(evaluate(rules, rows((0, "flood_01", 12), (5, "flood_01", 12)), {}, now=at(6))[0])
    shelved, _ = shelve(alerts, list(alerts), "Lê Thu Hà", at(7), at(67), "thử")
    changed, events = evaluate([], empty(), by_key(shelved), now=at(67))
    assert [alert.state for alert in changed] == ["RTNUN"]
    assert [event.deed for event in events] == ["clear", "shelf_expired"]


def test_events_come_in_order_of_time(tmp_path):
    rules = written(tmp_path, road_flood=FLOOD, on_time=RATE)
    data = pd.concat(
        [
            rows((0, "office_01", 80), (20, "office_01", 99), observed_property="on_time_rate"),
            rows((0, "flood_01", 30), (5, "flood_01", 30), (10, "flood_01", 0), (30, "flood_01", 0)),
        ]
    )
    _, events = evaluate(rules, data, {}, now=at(31))
    assert [event.happened_at for event in events] == sorted(event.happened_at for event in events)
    assert len(events) == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.sampled_from(["flood_01", "flood_02"]),
            st.sampled_from([float("nan"), 0.0, 8.0, 12.0, 30.0]),
        ),
        max_size=40,
        unique_by=lambda row: row[:2],
    ),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_pieces_give_the_same_as_all_at_once(tmp_path_factory, given_rows, cuts):
    rules = written(tmp_path_factory.mktemp("rules"), road_flood=FLOOD)
    data = rows(*given_rows) if given_rows else empty()
    now = at(60)
    whole, events_whole = evaluate(rules, data, {}, now=now)
    alerts, events_pieces = {}, []
    bounds = [-1, *sorted(cuts), 60]
    for since, until in pairwise(bounds):
        piece = data[(data["time"] > at(since)) & (data["time"] <= at(until))]
        changed, events = evaluate(rules, piece, alerts, now=now)
        alerts |= by_key(changed)
        events_pieces += events
    facts = lambda alert: (alert.active, alert.acked, alert.priority, alert.value, alert.seen_at, alert.turning_since)  # noqa: E731
    assert {key: facts(alert) for key, alert in alerts.items()} == {a.key: facts(a) for a in whole}
    told = lambda events: sorted((e.happened_at, e.site_id, e.deed) for e in events if e.deed not in ("stale", "live"))  # noqa: E731
    assert told(events_pieces) == told(events_whole)


def many(sites, minutes, properties, peak):
    """`properties` x `sites` x `minutes` of values that cross nothing but at the peak."""
    random = np.random.default_rng(7)
    parts = []
    for observed_property in properties:
        data = pd.DataFrame(
            [(at(minute), f"site_{site:02d}") for site in range(sites) for minute in minutes],
            columns=["time", "site_id"],
        )
        data["value"] = random.uniform(0, peak, len(data))
        parts.append(frame(data, observed_property=observed_property, source="test"))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("columns", [["received_at"], []])
def test_frames_of_the_store_carry_more_columns(tmp_path, columns):
    rules = written(tmp_path, road_flood=FLOOD)
    data = rows((0, "flood_01", 12)).assign(**dict.fromkeys(columns, START))
    assert len(evaluate(rules, data, {}, now=at(1))[0]) == 1


def test_yesterdays_sheet_gives_people_their_time_from_the_morning_on_which_it_came(tmp_path):
    """A drop folder tells at minute 600 what stood at minutes 0 to 10: the bell rings now, the water stood then."""
    rules = written(tmp_path, flood=FLOOD)
    sheet = rows(*((minute, "flood_01", 12.0) for minute in range(0, 12, 2)))
    changed, events = evaluate(rules, sheet, {}, now=at(600))
    alert = by_key(changed)["flood", "flood_01"]
    assert [event.deed for event in events] == ["raise", "stale"]
    assert (alert.began_at, alert.raised_at, alert.heard_at) == (at(6), at(600), at(600))
    assert (events[0].happened_at, events[0].measured_at) == (at(600), at(6))
    assert facts_of(alert) == replay(events)["flood", "flood_01"], "the journal alone gives it back"
    assert alert.known_since == at(600)

    later = rows(*((minute, "flood_01", 1.0) for minute in range(12, 30, 2)))
    changed, events = evaluate(rules, later, by_key(changed), now=at(640))
    clear = next(event for event in events if event.deed == "clear")
    assert (clear.happened_at, clear.measured_at) == (at(640), at(22)), "its end stands behind its beginning"


def test_a_value_that_comes_in_time_keeps_its_own_time(tmp_path):
    rules = written(tmp_path, flood=FLOOD)
    live = rows(*((minute, "flood_01", 12.0) for minute in range(0, 8, 2)))
    changed, events = evaluate(rules, live, {}, now=at(8))
    alert = by_key(changed)["flood", "flood_01"]
    assert (alert.began_at, alert.raised_at, alert.heard_at) == (at(6), at(6), None)
    assert [(event.happened_at, event.measured_at, event.detail) for event in events] == [(at(6), at(6), "")]


def test_a_late_rise_begins_the_ladder_anew_and_leaves_the_activation_as_it_was(tmp_path):
    rules = written(tmp_path, flood=FLOOD)
    changed, _ = evaluate(rules, rows(*((minute, "flood_01", 12.0) for minute in range(0, 8, 2))), {}, now=at(8))
    worse = rows(*((minute, "flood_01", 40.0) for minute in range(8, 16, 2)))
    changed, events = evaluate(rules, worse, by_key(changed), now=at(90))
    alert = by_key(changed)["flood", "flood_01"]
    assert events[0].deed == "raise_priority"
    assert (alert.began_at, alert.raised_at, alert.heard_at) == (at(6), at(90), None)
