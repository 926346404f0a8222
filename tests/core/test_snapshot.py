"""What a screen reads: how far a value may be believed, which hour of the week it belongs to, what comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alert import PRIORITIES, Alert
from core.calendar import hour_class
from core.catalogue import ObservedProperty
from core.snapshot import Reading, RuleWords, Snapshot, freshness

NOW = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)
CITY = SimpleNamespace(zone=ZoneInfo("Asia/Ho_Chi_Minh"))
RAIN = ObservedProperty(
    key="rainfall",
    domain="weather",
    name_vi="Mưa",
    name_en="Rain",
    unit="mm",
    period=timedelta(minutes=10),
    stale_after=timedelta(minutes=30),
)
MONTHLY = ObservedProperty(
    key="monthly",
    domain="services",
    name_vi="Tháng",
    name_en="Month",
    unit="1",
    period=timedelta(days=31),
    stale_after=timedelta(days=45),
)
SECOND = timedelta(seconds=1)


def rule(key, observed_property="rainfall"):
    text = {"vi": "", "en": ""}
    return RuleWords(
        key=key,
        title=text,
        cause=text,
        consequence=text,
        action=text,
        owner=text,
        time_to_act=timedelta(minutes=30),
        observed_property=observed_property,
        direction="above",
        setpoints={"high": 30.0},
        missing=False,
        enabled=True,
        off_because="",
    )


def picture(alerts=(), rules=(), readings=None, band=None):
    return Snapshot(
        number=1,
        made_at=NOW,
        city=CITY,
        catalogue={},
        readings=readings or {},
        recent={},
        band=band or {},
        alerts=tuple(alerts),
        rules={one.key: one for one in rules},
        journal=pd.DataFrame(),
        sources=(),
        geometry=None,
    )


def alert(name, priority="high", *, active=True, acked=False, raised_min_ago=0.0, **more):
    raised = NOW - timedelta(minutes=raised_min_ago)
    return Alert(rule=name, site_id="gauge", active=active, acked=acked, priority=priority, raised_at=raised, **more)


# -- how far a value may be believed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "word"),
    [
        (timedelta(0), "fresh"),
        (timedelta(minutes=15), "fresh"),  # one period and a half: the value is on its way
        (timedelta(minutes=15) + SECOND, "late"),
        (timedelta(minutes=30), "late"),
        (timedelta(minutes=30) + SECOND, "old"),
        (timedelta(hours=24), "old"),
        (timedelta(hours=24) + SECOND, "absent"),
    ],
)
def test_a_rain_gauge_gets_older(age, word):
    assert freshness(age, RAIN) == word


@pytest.mark.parametrize(
    ("age", "word"),
    [
        (timedelta(days=45), "fresh"),
        (timedelta(days=46.5), "old"),
        (timedelta(days=90), "old"),
        (timedelta(days=90) + SECOND, "absent"),
    ],
)
def test_a_monthly_report_is_not_absent_on_its_second_day(age, word):
    assert freshness(age, MONTHLY) == word


@pytest.mark.parametrize(
    ("age", "word"),
    [
        (timedelta(minutes=90), "fresh"),
        (timedelta(minutes=90) + SECOND, "late"),
        (timedelta(minutes=150), "late"),
        (timedelta(minutes=150) + SECOND, "old"),
    ],
)
def test_an_hourly_model_of_rain_is_not_silent_after_the_half_hour_of_a_gauge(age, word):
    assert freshness(age, RAIN, every=timedelta(hours=1)) == word


@pytest.mark.parametrize(("word", "live"), [("fresh", True), ("late", True), ("old", False), ("absent", False)])
def test_only_fresh_and_late_values_count(word, live):
    reading = Reading(
        site_id="gauge",
        item=RAIN,
        time=NOW,
        value=0.0,
        source="logger",
        received_at=NOW,
        age=timedelta(0),
        freshness=word,
    )
    assert reading.live is live


# -- hours of the week ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "hour"),
    [
        ("2026-09-14T00:00:00", 167),  # Monday 00:00 is the END of Sunday's last hour
        ("2026-09-14T00:00:00.000001", 0),
        ("2026-09-14T00:05:00", 0),
        ("2026-09-14T01:00:00", 0),
        ("2026-09-14T01:00:01", 1),
        ("2026-09-15T08:00:00", 31),
        ("2026-09-20T23:00:00", 166),
        ("2026-09-20T23:55:00", 167),
        ("2026-09-21T00:00:00", 167),
    ],
)
def test_a_label_at_the_end_of_an_hour_belongs_to_that_hour(local, hour):
    at = datetime.fromisoformat(local).replace(tzinfo=CITY.zone).astimezone(UTC)
    assert hour_class(at, CITY.zone) == hour


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))
def test_an_hour_of_an_ordinary_week_comes_again_after_a_week_and_not_before(at):
    hour, week_later, next_hour = (
        hour_class(at + later, CITY.zone) for later in (timedelta(0), timedelta(weeks=1), timedelta(hours=1))
    )
    assert 0 <= hour < 192
    if max(hour, week_later) < 168:
        assert week_later == hour
    if max(hour, next_hour) < 168:
        assert next_hour == (hour + 1) % 168


def test_a_holiday_has_hours_of_its_own():
    evening_of_2_september = datetime.fromisoformat("2026-09-02T19:30:00+07:00")
    assert hour_class(evening_of_2_september, CITY.zone) == 168 + 19
    assert hour_class(evening_of_2_september + timedelta(days=1), CITY.zone) == 3 * 24 + 19, "a Thursday again"


def test_usual_is_the_band_of_that_hour_at_that_site():
    band = pd.DataFrame(
        {"hour_of_week": [0, 167], "low": [1.0, 10.0], "middle": [2.0, 20.0], "high": [3.0, 30.0], "n": [8, 8]}
    ).set_index("hour_of_week")
    shown = picture(band={("rainfall", "gauge"): band})
    monday = datetime(2026, 9, 13, 17, 0, tzinfo=UTC)  # Monday 00:00 in the city
    assert shown.usual("rainfall", "gauge", monday) == (10.0, 20.0, 30.0)
    assert shown.usual("rainfall", "gauge", monday + timedelta(minutes=10)) == (1.0, 2.0, 3.0)
    assert shown.usual("rainfall", "gauge", monday + timedelta(hours=5)) is None
    assert shown.usual("rainfall", "other", monday) is None
    assert shown.usual("speed", "gauge", monday) is None


# -- alerts ---------------------------------------------------------------------------------------------------------


def test_the_worst_comes_first_then_the_unseen_then_the_newest():
    listed = [
        alert("low_new", "low"),
        alert("high_seen", "high", acked=True, raised_min_ago=1),
        alert("high_old", "high", raised_min_ago=60),
        alert("critical_seen", "critical", acked=True, raised_min_ago=600),
        alert("high_new", "high", raised_min_ago=5),
        alert("critical_new", "critical", raised_min_ago=10),
    ]
    assert [one.rule for one in picture(listed).open_alerts()] == [
        "critical_new",
        "critical_seen",
        "high_new",
        "high_old",
        "high_seen",
        "low_new",
    ]


def test_what_is_over_but_unseen_is_open_what_is_normal_or_covered_is_not():
    listed = [
        alert("returned", active=False, acked=False),
        alert("normal", active=False, acked=True),
        alert("shelved", hidden="SHLVD"),
        alert("out_of_service", hidden="OOSRV", active=False, acked=True),
    ]
    assert [one.rule for one in picture(listed).open_alerts()] == ["returned"]
    assert [one.rule for one in picture(listed).covered_alerts()] == ["shelved", "out_of_service"]


@given(st.lists(st.tuples(st.sampled_from(PRIORITIES), st.booleans(), st.integers(0, 5)), max_size=8), st.randoms())
def test_the_order_does_not_depend_on_how_the_store_gave_them(kinds, random):
    listed = [alert(str(place), one[0], acked=one[1], raised_min_ago=one[2]) for place, one in enumerate(kinds)]
    shuffled = list(listed)
    random.shuffle(shuffled)
    order = [(one.priority, one.acked, one.raised_at) for one in picture(listed).open_alerts()]
    assert [(one.priority, one.acked, one.raised_at) for one in picture(shuffled).open_alerts()] == order
    places = [-PRIORITIES.index(priority) for priority, _, _ in order]
    assert places == sorted(places)


def test_the_worst_priority_of_a_place_counts_what_stands_there_now():
    rules = [rule("rain"), rule("more_rain"), rule("speed", "speed")]
    listed = [
        alert("rain", "medium"),
        alert("more_rain", "high"),
        alert("speed", "critical"),
        alert("gone", "critical"),  # its rule was taken away
    ]
    shown = picture(listed, rules)
    assert shown.worst_priority("gauge", "rainfall") == "high"
    assert shown.worst_priority("elsewhere", "rainfall") is None
    assert picture([alert("rain", active=False)], rules).worst_priority("gauge", "rainfall") is None
    assert picture([alert("rain", hidden="SHLVD")], rules).worst_priority("gauge", "rainfall") is None


def test_readings_are_found_by_property_and_site():
    readings = {("rainfall", "b"): "second", ("rainfall", "a"): "first", ("speed", "a"): "other"}
    shown = picture(readings=readings)
    assert shown.of("rainfall") == ["first", "second"]
    assert shown.of("pm25") == []
    assert shown.reading("rainfall", "a") == "first"
    assert shown.reading("rainfall", "c") is None


def test_what_has_too_few_days_for_a_usual_says_how_many_there_are():
    monday = datetime(2026, 9, 13, 17, 0, tzinfo=UTC)  # Monday 00:00 in the city: the hour before is Sunday's last
    short = pd.DataFrame({"hour_of_week": [167], "days": [2]}).set_index("hour_of_week")
    kept = replace(RAIN, baseline=True)
    young = replace(picture(), catalogue={"rainfall": kept}, too_short={("rainfall", "gauge"): short})
    assert young.days_short("rainfall", "gauge", monday) == 2
    assert young.days_short("rainfall", "gauge", monday + timedelta(minutes=10)) == 0, "of this hour nothing is known"
    assert young.days_short("rainfall", "other", monday) == 0
    band = pd.DataFrame({"hour_of_week": [167], "low": 1.0, "middle": 2.0, "high": 3.0, "n": 3})
    grown = replace(young, band={("rainfall", "gauge"): band.set_index("hour_of_week")})
    assert grown.days_short("rainfall", "gauge", monday) is None
    assert replace(young, catalogue={"rainfall": RAIN}).days_short("rainfall", "gauge", monday) is None, "none is kept"
