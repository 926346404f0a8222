"""A calm day is calm: how often the demo city's rules about silence ring, and what they must not miss."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pandas as pd
import pytest

import indicators
from alerts.desk import load_desk
from alerts.engine import evaluate
from alerts.rules import Rule
from alerts.trial import count_floods, try_rule
from connectors import demo
from connectors._contract import Payload
from core.config import load_city
from core.observations import frame

CITY = load_city("demo")
RULES = load_desk(CITY, indicators.catalogue()).by_key
SILENCE = [rule for rule in RULES.values() if rule.kind == "missing"]
PARTS = ("traffic", "air", "rain", "river", "flood", "noise")
SINCE = datetime.fromisoformat("2026-11-02T00:00:00+07:00")
DAYS = 10
NOW = datetime.fromisoformat("2026-11-19T18:00:00+07:00")
SERVICING = timedelta(hours=3)  # how long an instrument may be cleaned or calibrated without a word


@pytest.fixture(scope="module")
def quiet_days() -> pd.DataFrame:
    span = {"city": "demo", "since": SINCE.isoformat(), "until": (SINCE + timedelta(days=DAYS)).isoformat()}
    replies = [Payload(body=json.dumps({**span, "part": part}).encode(), name=part) for part in PARTS]
    return pd.concat([demo.parse(reply) for reply in replies], ignore_index=True)


def test_the_silence_of_servicing_rings_once_or_twice_a_day_in_the_whole_city(quiet_days: pd.DataFrame) -> None:
    """EEMUA 191 would bear 144 a day; but nobody has to act on these, so they must not fill the list."""
    until = SINCE + timedelta(days=DAYS)
    rung = [at for rule in SILENCE for at in try_rule(rule, quiet_days, since=SINCE, until=until).rung_at]
    assert rung, "silence that lasts does ring"
    assert len(rung) <= 2 * DAYS
    assert count_floods(rung) == 0


@pytest.mark.parametrize("rule", SILENCE, ids=lambda rule: rule.key)
def test_how_long_a_station_may_be_silent_follows_its_cadence(rule: Rule) -> None:
    """At least three values are due, and servicing is over; then somebody must call, within five missed hours."""
    assert rule.cycle is not None
    assert rule.stale_after is not None
    assert rule.stale_after >= max(3 * rule.cycle, SERVICING)
    assert rule.stale_after <= timedelta(hours=5)


def silent_flood_sensor(silent_min: float, rain_mm: float, source_up: float = 1.0) -> list[str]:
    rows = [
        ("flood_02", "flood_depth", 0.0, silent_min),
        ("flood_03", "flood_depth", 0.0, 0.0),
        *((f"rain_{number:02d}", "rain_1h", rain_mm if number == 3 else 0.0, 0.0) for number in range(1, 6)),
        ("flood_sensors", "source_up", source_up, 0.0),
    ]
    observations = frame(
        {
            "time": NOW - timedelta(minutes=ago),
            "site_id": site,
            "observed_property": name,
            "value": value,
            "source": "s",
        }
        for site, name, value, ago in rows
    )
    _, events = evaluate([RULES["flood_sensor_blind"]], observations, {}, now=NOW)
    return [event.site_id for event in events if event.deed == "raise"]


def test_while_it_rains_a_flood_sensor_may_not_be_silent() -> None:
    assert silent_flood_sensor(25, 5.0) == ["flood_02"]
    assert silent_flood_sensor(20, 5.0) == [], "four values late is not yet silent"
    assert silent_flood_sensor(120, 4.9) == [], "dry: it can wait for the end of the servicing"
    assert silent_flood_sensor(25, 5.0, source_up=0.0) == [], "then the source itself rings"
