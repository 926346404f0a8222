"""What is stored of a place over a long span: the alerts, the repairs, closed roads and holidays of thirty days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from control import happened as room
from control.happened import ALERT, CLOSED, HOLIDAY, REPAIR, Happened, happened, holidays
from core import observations as obs
from core.alert import Alert, AlertEvent
from core.ledger import Outcome
from pipeline import Line
from store.duck import DuckStore

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 9, 20, 11, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JAM, ROAD = "congestion_segment", "road_01"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    made = DuckStore(tmp_path / "city.duckdb")
    yield made
    made.close()


def deed(at: datetime, what: str, *, priority: str = "high", site_id: str = ROAD, reason: str = "") -> AlertEvent:
    return AlertEvent(
        happened_at=at, rule=JAM, site_id=site_id, state_before="NORM", state_after="UNACK", priority=priority,
        deed=what, reason=reason,
    )  # fmt: skip


def written(store: DuckStore, *events: AlertEvent) -> None:
    alerts = [Alert(rule=JAM, site_id=site_id) for site_id in {one.site_id for one in events}]
    store.change_alerts(lambda _: Outcome(alerts=alerts, events=list(events)))


def road(store: DuckStore, *told: tuple[datetime, float]) -> None:
    rows = [{"site_id": ROAD, "observed_property": "road_closed", "value": value, "time": at} for at, value in told]
    store.write_observations(obs.frame(rows, source="waze", quality="pass"), NOW)


def of(store: DuckStore, back: timedelta = 30 * DAY, *, roads: bool = True) -> Happened:
    return happened(store, [JAM], ROAD, NOW - back, NOW, CITY, roads=roads)


def test_an_alert_of_twelve_days_ago_is_there_and_that_of_another_road_is_not(store: DuckStore) -> None:
    written(store, deed(NOW - 12 * DAY, "raise"), deed(NOW - 12 * DAY + HOUR, "clear"))
    written(store, deed(NOW - 2 * DAY, "raise", site_id="road_02"))
    (one,) = (one for one in of(store).events if one.kind == ALERT)
    assert (one.at, one.priority, one.rule) == (NOW - 12 * DAY, "high", JAM)
    assert dict(of(store, 7 * DAY).counts).get(ALERT) is None, "a week does not reach so far"


def test_a_repair_lasts_from_out_of_service_to_return_and_one_still_goes_on(store: DuckStore) -> None:
    written(
        store,
        deed(NOW - 40 * DAY, "take_out_of_service", reason="thay cáp"),
        deed(NOW - 29 * DAY, "return_to_service"),
        deed(NOW - 9 * DAY, "take_out_of_service", reason="thay camera"),
        deed(NOW - 8 * DAY, "return_to_service"),
        deed(NOW - DAY, "take_out_of_service", reason="sơn lại cột"),
    )
    older, done, going = (one for one in of(store).events if one.kind == REPAIR)
    assert (older.at, older.until) == (NOW - 30 * DAY, NOW - 29 * DAY), "it began before the span"
    assert (done.at, done.until, done.reason) == (NOW - 9 * DAY, NOW - 8 * DAY, "thay camera")
    assert (going.until, going.open, going.reason) == (None, True, "sơn lại cột")


def test_a_closed_road_is_one_span_and_ends_when_it_opens_or_falls_silent(store: DuckStore) -> None:
    start = NOW - 3 * DAY
    road(store, *[(start + HOUR * step, float(2 <= step < 6)) for step in range(10)])
    road(store, (NOW - DAY, 1.0), (NOW - DAY + HOUR, 1.0), (NOW - HOUR, 1.0))
    first, silent, going = (one for one in of(store).events if one.kind == CLOSED)
    assert (first.at, first.until) == (start + 2 * HOUR, start + 6 * HOUR)
    assert (silent.at, silent.until) == (NOW - DAY, NOW - DAY + HOUR), "of the hours of silence nothing is claimed"
    assert (going.at, going.open) == (NOW - HOUR, True)
    assert not [one for one in of(store, roads=False).events if one.kind == CLOSED], "files at a counter know no roads"


def test_days_off_in_a_row_are_one_holiday_by_the_citys_midnight() -> None:
    """In 2026 the National Day (1 and 2 September) has the swapped Monday before it."""
    (feast,) = holidays(NOW - 30 * DAY, NOW, CITY)
    assert feast.at == datetime(2026, 8, 31, tzinfo=CITY)
    assert feast.until == datetime(2026, 9, 3, tzinfo=CITY)
    tet = holidays(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), CITY)
    assert len(tet) == 1
    assert tet[0].until is not None
    assert tet[0].until - tet[0].at >= 5 * DAY


def test_a_noisy_year_keeps_the_worst_and_says_how_many_there_were(
    store: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_OF_KIND", 3)
    written(store, *[deed(NOW - HOUR * step, "raise", priority="low") for step in range(1, 11)])
    written(store, deed(NOW - 25 * DAY, "raise", priority="critical"))
    found = of(store)
    alerts = [one for one in found.events if one.kind == ALERT]
    assert [one.priority for one in alerts] == ["critical", "low", "low"]
    assert alerts[-1].at == NOW - HOUR, "of the mild ones the newest"
    assert dict(found.counts)[ALERT] == 11
    assert found.total - len(found.events) == 8


def test_the_city_asks_with_the_rules_of_the_indicator(demo_line: Line) -> None:
    """Made beside the cycle, once for all who look at the same place."""
    found = demo_line.forecasts._happened("arterial_speed", "thanh_lam", 365 * DAY)
    assert HOLIDAY in dict(found.counts)
    assert all(one.kind == HOLIDAY for one in found.events), "the demo month has no alert yet"
    assert pd.Timestamp(found.events[0].at) > pd.Timestamp(demo_line.clock.now() - 366 * DAY)
