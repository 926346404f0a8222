"""What every store promises, told as stories; another store joins by one more parameter of the fixture `store`."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from core.alert import Alert, AlertEvent
from core.calendar import hour_class
from core.catalogue import Catalogue, ObservedProperty
from core.config import City, load_city
from core.errors import InputError
from core.ledger import Ledger, Outcome
from core.observations import COLUMNS, frame
from store.base import Store
from store.duck import DuckStore

HOUR = timedelta(hours=1)
TEN = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)  # Tuesday 10:00 in the city
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2027, 1, 1, tzinfo=UTC)
TYPES = {
    "time": "datetime64[us, UTC]",
    "site_id": "str",
    "observed_property": "str",
    "value": "float64",
    "quality": "str",
    "source": "str",
    "received_at": "datetime64[us, UTC]",
}
CATALOGUE = Catalogue(
    ObservedProperty(key=key, domain="environment", name_vi=key, name_en=key, unit="ug/m3") for key in ("pm25", "no2")
)


@pytest.fixture(params=["duckdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = {"duckdb": DuckStore}[request.param](tmp_path / "city.duckdb", "Asia/Ho_Chi_Minh")
    yield opened
    opened.close()


def a_city(areas: dict[str, str]) -> City:
    """The demo city with other sites: itself, and one air station per entry {site_id: area}."""
    stations = {"city": "", **areas}
    sites = pd.DataFrame(
        {
            "site_id": list(stations),
            "kind": ["city", *(["air_station"] * len(areas))],
            "name_vi": "Trạm",
            "name_en": "Station",
            "area": list(stations.values()),
            "latitude": 21.0,
            "longitude": 106.0,
        }
    )
    return replace(load_city("demo"), sites=sites.set_index("site_id", drop=False))


def row(
    time: datetime, value: float | None, site: str = "air_1", quality: str = "pass", **further: str
) -> dict[str, object]:
    return {
        "time": time,
        "site_id": site,
        "observed_property": "pm25",
        "value": value,
        "quality": quality,
        "source": "air",
    } | further


def rows(*given: dict[str, object]) -> pd.DataFrame:
    return frame(given)


def present(store: Store, as_known_at: datetime | None = None) -> dict[tuple[str, str, datetime], float]:
    found = store.read_observations(["pm25", "no2"], LONG_AGO, FAR_AHEAD, as_known_at=as_known_at)
    keys = zip(found["site_id"], found["observed_property"], found["time"], strict=True)
    return dict(zip(keys, found["value"], strict=True))


# Observations -----------------------------------------------------------------------------------------------------


def test_the_same_batch_twice_changes_nothing(store: Store) -> None:
    batch = rows(row(TEN, 48.0), row(TEN, 31.0, "air_2"), row(TEN, None, "air_3"))
    first = store.write_observations(batch, TEN)
    assert (first.new, first.revised, first.unchanged) == (3, 0, 0)
    again = store.write_observations(batch, TEN + HOUR)
    assert (again.new, again.revised, again.unchanged) == (0, 0, 3), "a missing value equals a missing value"
    assert again.earliest == {}
    assert set(store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD)["received_at"]) == {pd.Timestamp(TEN)}


def test_a_corrected_hour_keeps_what_the_shift_saw_at_the_time(store: Store) -> None:
    """The 10:00 PM2.5 arrives at 10:05 as 48; at 10:20 the station's owner corrects it to 38."""
    at_1005, at_1020 = TEN + timedelta(minutes=5), TEN + timedelta(minutes=20)
    store.write_observations(rows(row(TEN, 48.0), row(TEN, 12.0, "air_2")), at_1005)
    corrected = store.write_observations(rows(row(TEN, 38.0), row(TEN, 12.0, "air_2")), at_1020)
    assert (corrected.new, corrected.revised, corrected.unchanged) == (0, 1, 1)
    assert corrected.earliest == {"pm25": TEN}
    key = ("air_1", "pm25", TEN)
    assert present(store, as_known_at=TEN) == {}
    assert present(store, as_known_at=at_1005)[key] == 48.0
    assert present(store, as_known_at=at_1020 - timedelta(seconds=1))[key] == 48.0
    assert present(store, as_known_at=at_1020)[key] == 38.0
    assert present(store)[key] == 38.0
    assert store.stats()["revisions"] == 1
    assert store.verify() == []


def test_a_changed_quality_alone_is_a_revision_too(store: Store) -> None:
    store.write_observations(rows(row(TEN, 48.0)), TEN)
    assert store.write_observations(rows(row(TEN, 48.0, quality="suspect")), TEN + HOUR).revised == 1
    assert list(store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD, as_known_at=TEN)["quality"]) == ["pass"]
    assert list(store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD)["quality"]) == ["suspect"]
    taken_back = rows(row(TEN, 48.0, quality="suspect")).assign(value=float("nan"))
    assert store.write_observations(taken_back, TEN + 2 * HOUR).revised == 1
    assert store.write_observations(rows(row(TEN, 48.0, quality="suspect")), TEN + 3 * HOUR).revised == 1


def test_three_revisions_show_one_row_at_every_moment(store: Store) -> None:
    for number in range(4):
        store.write_observations(rows(row(TEN, float(number))), TEN + number * HOUR)
    for number in range(4):
        assert list(present(store, as_known_at=TEN + number * HOUR).values()) == [float(number)]
    assert store.stats()["revisions"] == 3


def test_a_clock_that_steps_back_cannot_reorder_what_was_known(store: Store) -> None:
    store.write_observations(rows(row(TEN, 1.0)), TEN + HOUR)
    store.write_observations(rows(row(TEN, 2.0)), TEN)  # the server's clock was set back by an hour
    assert present(store, as_known_at=TEN) == {}
    assert list(present(store, as_known_at=TEN + HOUR).values()) == [2.0]
    assert store.verify() == []


def test_earliest_names_the_oldest_change_of_each_property(store: Store) -> None:
    store.write_observations(rows(row(TEN, 1.0), row(TEN - HOUR, 1.0)), TEN)
    late = rows(
        row(TEN - HOUR, 1.0),
        row(TEN, 2.0),
        row(TEN - 5 * HOUR, 4.0, observed_property="no2"),
        row(TEN, 4.0, observed_property="no2"),
    )
    written = store.write_observations(late, TEN + HOUR)
    assert written.earliest == {"pm25": TEN, "no2": TEN - 5 * HOUR}, "an unchanged row is no reason to compute again"


def test_the_last_row_counts_where_a_batch_contradicts_itself(store: Store) -> None:
    written = store.write_observations(rows(row(TEN, 1.0), row(TEN, 2.0)), TEN)
    assert (written.new, written.unchanged) == (1, 1)
    assert list(present(store).values()) == [2.0]


def test_sources_of_the_same_site_and_hour_stay_apart(store: Store) -> None:
    store.write_observations(rows(row(TEN, 1.0), row(TEN, 2.0, source="model")), TEN)
    found = store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD)
    assert dict(zip(found["source"], found["value"], strict=True)) == {"air": 1.0, "model": 2.0}


def test_a_window_opens_after_since_and_closes_with_until(store: Store) -> None:
    store.write_observations(rows(*(row(TEN + hour * HOUR, float(hour)) for hour in range(4))), TEN)
    assert list(store.read_observations(["pm25"], TEN, TEN + 2 * HOUR)["value"]) == [1.0, 2.0]
    assert store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD, site_ids=["air_2"]).empty
    assert store.read_observations([], LONG_AGO, FAR_AHEAD).empty
    assert len(store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD, site_ids=["air_2", "air_1"])) == 4


def test_frames_come_back_with_the_exact_types_also_when_empty(store: Store) -> None:
    for expected_rows in (0, 2):
        for found in (store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD), store.latest()):
            assert {name: str(kind) for name, kind in found.dtypes.items()} == TYPES
            assert len(found) == expected_rows
        store.write_observations(rows(row(TEN, 1.5), row(TEN, 1.5, "air_2")), TEN)


def test_reading_sorts_by_property_site_time(store: Store) -> None:
    batch = [
        row(TEN + hour * HOUR, 1.0, site, observed_property=name)
        for hour in range(3)
        for site in ("air_1", "air_2")
        for name in ("pm25", "no2")
    ]
    random.Random(7).shuffle(batch)
    store.write_observations(rows(*batch), TEN)
    found = store.read_observations(["pm25", "no2"], LONG_AGO, FAR_AHEAD)
    order = ["observed_property", "site_id", "time"]
    pd.testing.assert_frame_equal(found, found.sort_values(order, ignore_index=True))


def test_order_and_cut_of_the_batches_do_not_matter(store: Store, tmp_path: Path) -> None:
    batch = rows(*(row(TEN + hour * HOUR, float(hour), f"air_{site}") for hour in range(50) for site in range(4)))
    city = a_city({f"air_{site}": "00001" for site in range(4)})
    store.write_dimensions(city, CATALOGUE)
    store.write_observations(batch, TEN)
    other = DuckStore(tmp_path / "other.duckdb")
    other.write_dimensions(city, CATALOGUE)
    shuffled = batch.sample(frac=1.0, random_state=3)
    for start in range(0, len(shuffled), 37):
        other.write_observations(shuffled.iloc[start : start + 37], TEN)
    for read in (
        lambda one: one.read_observations(["pm25"], LONG_AGO, FAR_AHEAD),
        lambda one: one.latest(),
        lambda one: one.area_hourly("pm25", LONG_AGO, FAR_AHEAD),
    ):
        pd.testing.assert_frame_equal(read(store), read(other))
    assert other.verify() == []
    other.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.drop(columns="quality"), "lack the column quality"),
        (lambda data: data.assign(quality="good"), "row 1 has quality 'good'"),
        (lambda data: data.assign(time=data["time"].dt.tz_localize(None)), "no time zone"),
        (lambda data: data.assign(time=data["time"].where(data.index > 0)), "row 1 has no time"),
        (lambda data: data.assign(source=data["source"].where(data.index < 1)), "row 2 has no source"),
        (lambda data: data.assign(value=[1.0, float("inf")]), "row 2 has an infinite value"),
    ],
)
def test_rows_that_are_not_the_one_frame_are_refused_by_name(
    store: Store, spoil: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        store.write_observations(spoil(rows(row(TEN, 1.0), row(TEN, 1.0, "air_2"))), TEN)
    assert store.stats()["observations"] == 0


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="received_at 2026-03-10T10:00:00 carries no time zone"):
        store.write_observations(rows(row(TEN, 1.0)), datetime(2026, 3, 10, 10))
    store.write_observations(rows(row(TEN, 1.0)), TEN)
    assert store.stats()["observations"] == 1, "the refusal left no open transaction behind"


# Serve tables -----------------------------------------------------------------------------------------------------


def test_latest_is_the_newest_usable_value_of_each_source(store: Store) -> None:
    store.write_observations(rows(row(TEN, 48.0), row(TEN, 20.0, source="model")), TEN)
    store.write_observations(rows(row(TEN - HOUR, 99.0)), TEN + HOUR)  # a late row is older news
    store.write_observations(rows(row(TEN + HOUR, None)), TEN + HOUR)
    store.write_observations(rows(row(TEN + HOUR, 70.0, quality="fail", source="model")), TEN + HOUR)
    store.write_observations(rows(row(TEN + 2 * HOUR, 71.0, quality="suspect")), TEN + 2 * HOUR)
    found = store.latest(["pm25"])
    assert list(zip(found["source"], found["value"], found["time"], strict=True)) == [
        ("air", 48.0, TEN),
        ("model", 20.0, TEN),
    ]
    assert store.latest(["no2"]).empty
    assert store.verify() == []


def test_latest_falls_back_when_its_value_turns_out_to_be_wrong(store: Store) -> None:
    store.write_observations(rows(row(TEN, 40.0), row(TEN + HOUR, 400.0), row(TEN, 5.0, "air_2")), TEN + HOUR)
    store.write_observations(rows(row(TEN + HOUR, 400.0, quality="fail")), TEN + 2 * HOUR)
    assert list(store.latest()["value"]) == [40.0, 5.0]
    store.write_observations(rows(row(TEN, 40.0, quality="fail")), TEN + 3 * HOUR)
    assert list(store.latest()["value"]) == [5.0], "a series without a usable value has no latest"
    store.write_observations(rows(row(TEN, 41.0)), TEN + 4 * HOUR)
    assert list(store.latest()["value"]) == [41.0, 5.0]
    assert store.verify() == []


def test_the_hour_of_an_area_ends_on_the_hour_and_follows_a_revision(store: Store) -> None:
    """09:15, 09:30 and 10:00 belong to the hour that ends at 10:00; 10:15 to the next one."""
    store.write_dimensions(a_city({"air_1": "00001", "air_2": "00001", "air_3": "00002"}), CATALOGUE)
    quarter = timedelta(minutes=15)
    batch = rows(
        row(TEN - 3 * quarter, 10.0),
        row(TEN - 2 * quarter, 20.0, "air_2"),
        row(TEN, 60.0),
        row(TEN + quarter, 5.0),
        row(TEN, 7.0, "air_3"),
        row(TEN, 1000.0, "air_2", quality="suspect"),
        row(TEN, None, "air_3", observed_property="no2"),
        row(TEN, 3.0, "city"),
    )
    store.write_observations(batch, TEN)
    found = store.area_hourly("pm25", TEN - HOUR, TEN + HOUR)
    assert list(found.itertuples(index=False, name=None)) == [
        ("00001", TEN, 30.0, 10.0, 60.0, 3),
        ("00001", TEN + HOUR, 5.0, 5.0, 5.0, 1),
        ("00002", TEN, 7.0, 7.0, 7.0, 1),
    ]
    assert str(found["hour"].dtype) == "datetime64[us, UTC]"
    store.write_observations(rows(row(TEN, 30.0), row(TEN, 7.0, "air_3", quality="fail")), TEN + HOUR)
    assert list(store.area_hourly("pm25", TEN - HOUR, TEN).itertuples(index=False, name=None)) == [
        ("00001", TEN, 20.0, 10.0, 30.0, 3)
    ]
    assert store.area_hourly("no2", LONG_AGO, FAR_AHEAD).empty, "nothing measured is no hour, and no zero"
    assert store.verify() == []


def test_a_site_that_moves_to_another_ward_takes_its_history_along(store: Store) -> None:
    store.write_observations(rows(row(TEN, 10.0)), TEN)
    assert store.area_hourly("pm25", LONG_AGO, FAR_AHEAD).empty
    for area in ("00001", "00002"):
        store.write_dimensions(a_city({"air_1": area}), CATALOGUE)
        assert list(store.area_hourly("pm25", LONG_AGO, FAR_AHEAD)["area"]) == [area]
        assert store.verify() == []


def test_the_usual_band_counts_a_label_to_the_hour_that_it_ends(store: Store) -> None:
    """Five Tuesdays, 10:00 (09:00-10:00) with 10 to 50: hour 24 + 9 of the week, p10 14, median 30, p90 46."""
    tuesday = datetime(2026, 6, 9, 3, 0, tzinfo=UTC)  # no holiday in the five weeks before
    weeks = [row(tuesday - timedelta(weeks=4 - week), 10.0 * (week + 1)) for week in range(5)]
    nearly = row(tuesday + timedelta(minutes=1), 7.0)
    too_old = row(tuesday - timedelta(weeks=9), 9999.0)
    unusable = row(tuesday, 9999.0, "air_2", quality="fail")
    store.write_observations(rows(*weeks, nearly, too_old, unusable), tuesday)
    assert store.usual_band(["pm25"]).empty
    assert store.rebuild_usual_band(["pm25"], tuesday + HOUR) == 1, "a single 10:01 has no usual"
    band = store.usual_band(["pm25"])
    assert [tuple(one) for one in band.itertuples(index=False, name=None)] == [
        ("air_1", "pm25", 33, pytest.approx(14.0), 30.0, pytest.approx(46.0), 5),
    ]
    before = tuesday - timedelta(seconds=1)
    assert store.rebuild_usual_band(["pm25"], before) == 1, "rebuilt, not added"
    assert store.usual_band(["pm25"])["n"].tolist() == [4], "what lies after `now` is not history"
    assert store.usual_band(["pm25"], site_ids=["air_2"]).empty
    assert len(store.usual_band(["pm25"], site_ids=["air_1"])) == 1
    store.rebuild_usual_band(["no2"], tuesday)
    assert len(store.usual_band(["pm25"])) == 1, "another property's band is left alone"


def test_a_new_city_has_no_usual_before_its_third_week(store: Store) -> None:
    """Every five minutes from its first Monday on: twelve values an hour say nothing while they are of one day."""
    monday = datetime(2026, 6, 7, 17, 0, tzinfo=UTC)  # 00:00 in the city
    for week in range(3):
        day = [row(monday + timedelta(weeks=week, minutes=5 * (step + 1)), float(week)) for step in range(12)]
        store.write_observations(rows(*day), monday + timedelta(weeks=week, hours=1))
        now = monday + timedelta(weeks=week, days=1)
        made = store.rebuild_usual_band(["pm25"], now)
        short = store.short_of_usual(["pm25"], now)
        if week < 2:
            assert (made, store.usual_band(["pm25"]).empty) == (0, True), f"week {week + 1}"
            assert short.to_dict("records") == [
                {"site_id": "air_1", "observed_property": "pm25", "hour_of_week": 0, "days": week + 1}
            ]
        else:
            assert store.usual_band(["pm25"])[["hour_of_week", "middle", "n"]].values.tolist() == [[0, 1.0, 36]]
            assert short.empty


def test_the_first_days_of_tet_are_no_tuesday_and_no_wednesday(store: Store) -> None:
    """Tet is Tuesday 17 February 2026: empty streets at 10:00 must not make an ordinary Tuesday look jammed."""
    tet = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
    midnight = datetime(2026, 2, 17, 17, 0, tzinfo=UTC)  # the hour that ends with the day still belongs to it
    after = datetime(2026, 2, 24, 3, 0, tzinfo=UTC)
    store.write_observations(
        rows(
            *(row(tet + timedelta(days=day), value) for day, value in enumerate((5.0, 6.0, 7.0))),
            row(midnight, 4.0),
            *(row(after - timedelta(weeks=weeks), 50.0) for weeks in (0, 2, 3)),  # one week before it is Tet
        ),
        after,
    )
    store.rebuild_usual_band(["pm25"], after + HOUR)
    band = store.usual_band(["pm25"])
    assert band[["hour_of_week", "middle", "n"]].values.tolist() == [[33, 50, 3], [168 + 9, 6, 3]]
    short = store.short_of_usual(["pm25"], after + HOUR)
    assert short[["hour_of_week", "days"]].values.tolist() == [[168 + 23, 1]], "one evening off is no usual evening off"
    times = pd.Series([tet, midnight, after])
    zone = load_city("demo").zone
    assert [hour_class(at.to_pydatetime(), zone) for at in times] == [168 + 9, 168 + 23, 33], "as the screens ask"
    store.rebuild_usual_band(["pm25"], after + HOUR, own_holidays=[date(2026, 2, 24)])
    band = store.usual_band(["pm25"])
    assert band[["hour_of_week", "n"]].values.tolist() == [[168 + 9, 4]], "a day off of the city's own"


# Quarantine -------------------------------------------------------------------------------------------------------


def test_a_bad_row_is_counted_once_however_often_it_arrives(store: Store) -> None:
    bad = rows(row(TEN, 9999.0), row(TEN, -1.0, "air_2")).assign(reason=["above_plausible_range", "unknown_site"])
    timeless = bad.assign(time=bad["time"].where(bad.index < 0), reason="no_time")
    assert store.set_aside(pd.concat([bad, timeless]), TEN) == 4
    assert store.set_aside(pd.concat([bad, timeless, bad]), TEN + HOUR) == 0
    assert store.set_aside(bad.assign(value=9998.0).iloc[:1], TEN + 2 * HOUR) == 1
    assert store.set_aside(bad.iloc[:0], TEN) == 0
    found = store.read_set_aside(TEN)
    assert list(found.columns) == [*COLUMNS, "reason", "received_at"]
    assert found["value"].iloc[0] == 9998.0, "newest first"
    assert len(store.read_set_aside(TEN, limit=2)) == 2
    assert len(store.read_set_aside(TEN + HOUR)) == 1
    assert store.stats()["set_aside"] == 5
    with pytest.raises(InputError, match="lack the column reason"):
        store.set_aside(rows(row(TEN, 1.0)), TEN)


# Alerts and journal -----------------------------------------------------------------------------------------------


def event(number: int = 0, **further: object) -> AlertEvent:
    happened = TEN + timedelta(minutes=number)
    known = {"happened_at": happened, "rule": "pm25_high", "site_id": "air_1", "priority": "high"}
    return AlertEvent(**{**known, "state_before": "NORM", "state_after": "UNACK", "deed": "raise", **further})  # type: ignore[arg-type]


def test_an_alert_comes_back_as_it_went_in(store: Store) -> None:
    plain = Alert(rule="pm25_high", site_id="air_1")
    full = Alert(
        rule="pm25_high",
        site_id="air_2",
        active=True,
        acked=False,
        hidden="SHLVD",
        hidden_until=TEN + HOUR,
        hidden_reason="bảo trì",
        hidden_by="Hà",
        hidden_at=TEN - 5 * HOUR,
        work_order="BT-2026-117",
        reminded_at=TEN - 6 * HOUR,
        latched=True,
        priority="critical",
        value=91.5,
        seen_at=TEN,
        turning_since=TEN - HOUR,
        began_at=TEN - 7 * HOUR,
        raised_at=TEN - 2 * HOUR,
        cleared_at=TEN - 3 * HOUR,
        acked_at=TEN - 4 * HOUR,
        acked_by="Lan",
        handled_at=TEN - 8 * HOUR,
        assignee="Minh",
        unit="Đội thoát nước",
        due_at=TEN + 2 * HOUR,
        escalated=2,
        situation="VV-0042",
        placed_by="Lan",
        stale=True,
    )
    said = event(value=91.5, actor="Lan", reason="vì «mưa»", detail='{"until":"2026-03-10T04:00:00Z"}')
    assert store.change_alerts(lambda known: ([plain, full], [said])) == Outcome((plain, full), (said,))
    assert store.read_alerts() == [plain, full]
    (entry,) = store.read_journal(TEN).to_dict("records")
    assert entry == {
        "entry": 1, "happened_at": pd.Timestamp(TEN), "rule": "pm25_high", "site_id": "air_1", "state_before": "NORM",
        "state_after": "UNACK", "priority": "high", "value": 91.5, "actor": "Lan", "deed": "raise",
        "reason": "vì «mưa»", "detail": '{"until":"2026-03-10T04:00:00Z"}',
    }  # fmt: skip
    store.change_alerts(lambda known: ([replace(known[full.key], acked=True)], []))
    assert store.read_alerts() == [plain, replace(full, acked=True)], "one live instance per rule and site"


def test_the_journal_is_numbered_and_read_newest_first(store: Store) -> None:
    store.change_alerts(lambda known: ([], [event(0), event(1, site_id="air_2")]))
    store.change_alerts(lambda known: ([], [event(2), event(3, rule="rain")]))
    assert list(store.read_journal(TEN)["entry"]) == [4, 3, 2, 1]
    assert list(store.read_journal(TEN + timedelta(minutes=1))["entry"]) == [4, 3, 2]
    assert list(store.read_journal(TEN, rule="pm25_high")["entry"]) == [3, 2, 1]
    assert list(store.read_journal(TEN, rule="pm25_high", site_id="air_1")["entry"]) == [3, 1]
    assert list(store.read_journal(TEN, limit=1)["entry"]) == [4]
    empty = store.read_journal(FAR_AHEAD)
    assert empty.empty
    assert str(empty["happened_at"].dtype) == "datetime64[us, UTC]"


def test_a_change_that_fails_leaves_neither_alert_nor_journal(store: Store) -> None:
    def change(known: object) -> tuple[list[Alert], list[AlertEvent]]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.change_alerts(change)
    naive = Alert(rule="pm25_high", site_id="air_1", seen_at=datetime(2026, 3, 10, 10))
    with pytest.raises(InputError, match="seen_at"):
        store.change_alerts(lambda known: ([naive], [event()]))
    bad_event = event(happened_at=datetime(2026, 3, 10, 10))
    with pytest.raises(InputError, match="happened_at"):
        store.change_alerts(lambda known: ([Alert(rule="pm25_high", site_id="air_1")], [bad_event]))
    assert store.read_alerts() == []
    assert store.read_journal(LONG_AGO).empty


def test_an_engine_and_an_operator_at_the_same_time_lose_nothing(store: Store) -> None:
    """200 changes from two threads: each reads the count, adds one, and says so in the journal."""

    def change(known: Ledger) -> tuple[list[Alert], list[AlertEvent]]:
        before = known.get(("count", "air_1"))
        count = ((before.value or 0.0) if before else 0.0) + 1.0
        return [Alert(rule="count", site_id="air_1", value=count)], [event(value=count)]

    threads = [threading.Thread(target=lambda: [store.change_alerts(change) for _ in range(100)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [alert.value for alert in store.read_alerts()] == [200.0]
    journal = store.read_journal(LONG_AGO)
    assert list(journal["entry"]) == list(range(200, 0, -1))
    assert list(journal["value"]) == [float(count) for count in range(200, 0, -1)]


def test_readers_see_whole_writes_while_the_writer_writes(store: Store) -> None:
    """Every batch gives all stations the same value: a reader that sees two values has seen half a batch."""
    sites = [f"air_{number}" for number in range(30)]

    def batch(number: int) -> pd.DataFrame:
        return rows(*(row(TEN + number * HOUR, float(number), site) for site in sites))

    store.write_observations(batch(0), TEN)
    done, seen, torn = threading.Event(), set(), []

    def read() -> None:
        while not done.is_set():
            values = set(store.latest()["value"])
            seen.update(values)
            if len(values) != 1:
                torn.append(values)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 31):
        store.write_observations(batch(number), TEN + number * HOUR)
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert len(seen) > 1, "the readers read while the writer wrote"


# Care -------------------------------------------------------------------------------------------------------------


def test_a_person_with_sql_finds_names_and_units(store: Store) -> None:
    store.write_dimensions(a_city({"air_1": "00001"}), CATALOGUE)
    store.write_dimensions(a_city({"air_1": "00001", "air_2": ""}), CATALOGUE)
    assert store.stats()["sites"] == 3, "the city itself and two stations; the old list is replaced"


def test_prune_forgets_history_and_keeps_alerts(store: Store) -> None:
    store.write_dimensions(a_city({"air_1": "00001", "air_2": "00001"}), CATALOGUE)
    half = timedelta(minutes=30)
    store.write_observations(
        rows(row(TEN - 2 * HOUR, 1.0), row(TEN - half, 2.0), row(TEN, 3.0), row(TEN - HOUR, 8.0, "air_2")), TEN - HOUR
    )
    store.write_observations(rows(row(TEN - 2 * HOUR, 1.5)), TEN)
    store.set_aside(rows(row(TEN, 9999.0)).assign(reason="above_plausible_range"), TEN - HOUR)
    store.change_alerts(lambda known: ([Alert(rule="pm25_high", site_id="air_1")], [event(-600)]))
    removed = store.prune(TEN - timedelta(minutes=20))  # cuts the hour that ends at 10:00
    assert removed == 3 + 1 + 1, "three observations, one revision, one quarantined row"
    assert list(present(store).values()) == [3.0]
    assert list(store.latest()["value"]) == [3.0], "a station whose last value is forgotten has no latest"
    assert list(store.area_hourly("pm25", LONG_AGO, FAR_AHEAD)["n"]) == [1]
    assert store.read_set_aside(LONG_AGO).empty
    assert len(store.read_alerts()) == len(store.read_journal(LONG_AGO)) == 1
    assert store.verify() == []


def test_stats_count_and_date_the_store(store: Store) -> None:
    nothing = store.stats()
    assert (nothing["observations"], nothing["oldest"], nothing["newest"]) == (0, "", "")
    store.write_observations(rows(row(TEN, 1.0), row(TEN + HOUR, 2.0)), TEN)
    found = store.stats()
    assert (found["observations"], found["series"]) == (2, 1)
    assert (found["oldest"], found["newest"]) == ("2026-03-10T03:00:00Z", "2026-03-10T04:00:00Z")
    assert int(found["file_bytes"]) > 0


def test_a_backup_of_a_store_in_use_opens_as_a_store(store: Store, tmp_path: Path) -> None:
    store.write_dimensions(a_city({"air_1": "00001"}), CATALOGUE)
    store.write_observations(rows(row(TEN, 1.0)), TEN)
    store.change_alerts(lambda known: ([Alert(rule="pm25_high", site_id="air_1")], [event()]))
    target = tmp_path / "đĩa 'ngoài'" / "copy.duckdb"
    target.parent.mkdir()
    store.backup(target)
    store.write_observations(rows(row(TEN + HOUR, 2.0)), TEN)
    assert [path.name for path in target.parent.iterdir()] == ["copy.duckdb"], "nothing unfinished beside it"
    copy = DuckStore(target, "Asia/Ho_Chi_Minh")
    assert list(present(copy).values()) == [1.0]
    assert copy.verify() == []
    assert copy.read_alerts() == store.read_alerts()
    copy.write_observations(rows(row(TEN + HOUR, 9.0)), TEN)
    assert copy.stats()["series"] == 1, "the copy goes on counting where the store stood"
    copy.close()
    store.backup(target)
    again = DuckStore(target)
    assert list(present(again).values()) == [1.0, 2.0], "a newer backup replaces an older one"
    again.close()
