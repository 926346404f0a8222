"""One sentence about the city: which alert leads, in which chain it stands, and when nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.situation import CAUSAL_ORDER, situate
from core.alert import Alert
from core.ledger import Item
from core.snapshot import Snapshot
from indicators import catalogue

NOW = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)
WATCHES = {  # rule -> property
    "heavy_rain": "rain_1h",
    "river_alarm": "river_level",
    "road_flood": "flood_depth",
    "incidents": "open_incidents",
    "congestion": "relative_speed",
    "air": "vn_aqi",
    "reports": "reports_vs_baseline",
    "backlog": "files_overdue",
    "noise": "noise_laeq",
}


def alert(name, priority="high", *, minutes_ago=10.0, active=True, **more):
    return Alert(
        rule=name,
        site_id="here",
        priority=priority,
        active=active,
        acked=False,
        raised_at=NOW - timedelta(minutes=minutes_ago),
        **more,
    )


def picture(*alerts, readings=(), items=()):
    rules = {name: SimpleNamespace(observed_property=key) for name, key in WATCHES.items()}
    return Snapshot(
        number=1,
        made_at=NOW,
        city=None,
        catalogue={},
        readings={
            (domain, str(place)): SimpleNamespace(live=live, item=SimpleNamespace(domain=domain))
            for place, (domain, live) in enumerate(readings)
        },
        recent={},
        band={},
        alerts=alerts,
        rules=rules,
        journal=pd.DataFrame(),
        sources=(),
        geometry=None,
        items=items,
    )


def item(*alerts):
    """One thing to do that is made of these alerts."""
    keys = tuple(one.key for one in alerts)
    return Item(kind="situation", id="VV-0001", priority="high", lead=keys[0], members=keys, shown=keys[:1])


def chain(*alerts):
    return [one.rule for one in situate(picture(*alerts)).chain]


def test_every_step_of_the_order_is_something_that_the_house_observes():
    known = catalogue()
    steps = [key for step in CAUSAL_ORDER for key in step]
    assert len(steps) == len(set(steps))
    assert [key for key in steps if key not in known] == []


def test_a_storm_is_told_from_its_cause_to_its_effect():
    """17:40 in the evening storm: the flood rang last and is the worst; the rain is where it began."""
    rain = alert("heavy_rain", "high", minutes_ago=35)
    jam = alert("congestion", "medium", minutes_ago=15)
    flood = alert("road_flood", "critical", minutes_ago=5)
    found = situate(picture(jam, flood, rain))
    assert found.lead is flood
    assert found.chain == (rain, flood, jam)


def test_a_chain_takes_the_worst_of_each_step():
    first, worst = alert("heavy_rain", "medium"), alert("heavy_rain", "critical")
    jam = alert("congestion", "medium")
    assert situate(picture(first, jam, worst)).chain == (worst, jam)


def test_the_cause_leads_among_equals():
    old, new = alert("heavy_rain", minutes_ago=60), alert("congestion", minutes_ago=1)
    found = situate(picture(old, new))
    assert found.lead is old
    assert found.chain == (old, new)


def test_a_jam_at_the_other_end_of_the_city_is_another_story():
    rain, flood = alert("heavy_rain", "medium"), alert("road_flood", "high")
    jam = alert("congestion", "medium", minutes_ago=60)
    found = situate(picture(rain, flood, jam, items=(item(flood, rain), item(jam))))
    assert (found.lead, found.chain) == (flood, (rain, flood))
    notice = alert("noise", "low")
    assert situate(picture(notice, jam, items=(item(notice), item(jam)))).lead is jam, "a notice owns no sentence"


def test_one_alert_is_no_chain():
    only = alert("congestion", "medium")
    found = situate(picture(only))
    assert (found.lead, found.chain) == (only, ())


def test_two_alerts_of_one_step_are_no_chain():
    assert chain(alert("congestion"), alert("congestion", "medium")) == []


def test_a_lead_outside_the_order_is_not_pressed_into_it():
    noise = alert("noise", "critical")
    found = situate(picture(noise, alert("heavy_rain"), alert("congestion")))
    assert (found.lead, found.chain) == (noise, ())


def test_a_long_chain_loses_its_mildest_links_and_never_the_lead():
    """Six steps at once, the worst of them at the end: four are told, the backlog is one of them."""
    listed = [
        alert("heavy_rain", "medium", minutes_ago=60),
        alert("river_alarm", "medium", minutes_ago=50),
        alert("road_flood", "high", minutes_ago=40),
        alert("congestion", "high", minutes_ago=30),
        alert("reports", "high", minutes_ago=20),
        alert("backlog", "critical", minutes_ago=10),
    ]
    assert chain(*listed) == ["road_flood", "congestion", "reports", "backlog"]


@pytest.mark.parametrize(
    "silent",
    [
        alert("heavy_rain", "low"),  # a notice does not own the sentence
        alert("heavy_rain", active=False),  # over, only not yet seen
        alert("heavy_rain", hidden="SHLVD"),
        alert("no_such_rule"),
    ],
    ids=["notice", "over", "shelved", "without rule"],
)
def test_what_does_not_stand_now_does_not_tell(silent):
    assert situate(picture(silent)).lead is None
    assert chain(silent, alert("congestion")) == []


def test_a_medium_alert_tells():
    assert situate(picture(alert("heavy_rain", "medium"))).lead is not None


@pytest.mark.parametrize(
    ("readings", "known"),
    [
        ((), False),
        ((("weather", False), ("traffic", False)), False),
        ((("operations", True),), False),  # that a source answers is nothing about the city
        ((("operations", True), ("weather", False), ("services", True)), True),
    ],
)
def test_a_city_without_a_live_value_is_unknown_and_not_normal(readings, known):
    found = situate(picture(readings=readings))
    assert found.known is known
    assert (found.lead, found.chain) == (None, ())
