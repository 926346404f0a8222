"""What a row says beside its number: as usual, how far off, how far from the alarm, or since when it is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from charts.theme import DESK
from core.alert import Alert
from core.calendar import hour_class
from core.i18n import Translator
from core.snapshot import ABSENT, OLD, Reading, Snapshot, freshness
from pipeline import Line
from ui.views import Row, View, joined_name

RIVER = "river_01"


def with_value(
    snapshot: Snapshot,
    key: str,
    site_id: str,
    value: float,
    usual: tuple[float, float, float] | None = None,
    age: timedelta = timedelta(0),
) -> Snapshot:
    """The snapshot with one value of our own, and what is usual at that hour there (or that nothing is known)."""
    item = snapshot.catalogue[key]
    at = snapshot.made_at - age
    reading = Reading(
        site_id=site_id, item=item, time=at, value=value, source="test", received_at=at, age=age,
        freshness=freshness(age, item),
    )  # fmt: skip
    band = dict(snapshot.band)
    band.pop((key, site_id), None)
    if usual:
        low, middle, high = usual
        hour = hour_class(at, snapshot.city.zone)
        band[(key, site_id)] = pd.DataFrame({"low": [low], "middle": [middle], "high": [high], "n": [8]}, index=[hour])
    return replace(snapshot, readings={**snapshot.readings, (key, site_id): reading}, band=band, alerts=())


def row(snapshot: Snapshot, key: str, site_id: str, language: str = "vi") -> Row:
    return View(snapshot, language, DESK).row(key, site_id)


@pytest.fixture
def snapshot(demo_line: Line) -> Snapshot:
    return demo_line.snapshot


@pytest.mark.parametrize(
    ("value", "usual", "note"),
    [
        (1.50, (1.40, 1.50, 1.60), "như thường"),
        (1.40, (1.40, 1.50, 1.60), "như thường"),  # the edge belongs to the usual
        (1.615, (1.40, 1.50, 1.60), "như thường"),  # within 2 % of the usual value outside
        (1.62, (1.40, 1.50, 1.60), "như thường"),  # within a tenth of the band's height outside
        (2.07, (1.40, 1.50, 1.60), "+38%"),
        (0.96, (1.40, 1.50, 1.60), "−36%"),
        (4.49, (1.40, 1.50, 1.60), "+199%"),
        (4.50, (1.40, 1.50, 1.60), "gấp 3"),
        (10.5, (1.40, 1.50, 1.60), "gấp 7"),
        (1.50, None, "chưa đủ"),  # too short a history: said in words, certainly not «normal»
    ],
)
def test_a_value_is_read_against_its_usual(
    snapshot: Snapshot, value: float, usual: tuple[float, float, float] | None, note: str
) -> None:
    city = snapshot.city.city_site
    shown = row(with_value(snapshot, "travel_time_index", city, value, usual), "travel_time_index", city)
    assert shown.note == note
    assert shown.subnote == {"như thường": "", "chưa đủ": "dữ liệu để so"}.get(note, "so với thường lệ")


@pytest.mark.parametrize(("days", "said"), [(None, "0 trong 3 ngày"), (1, "1 trong 3 ngày"), (2, "2 trong 3 ngày")])
def test_the_drawer_says_how_many_days_are_missing_for_a_usual(snapshot: Snapshot, days: int | None, said: str) -> None:
    """The first days of a new city: beside the number in two words, in its drawer with the days."""
    city = snapshot.city.city_site
    young = with_value(snapshot, "travel_time_index", city, 1.5)
    if days is not None:
        hour = hour_class(young.made_at, young.city.zone)
        young = replace(young, too_short={("travel_time_index", city): pd.DataFrame({"days": [days]}, index=[hour])})
    shown = row(young, "travel_time_index", city)
    told = next(fact.words for fact in shown.facts if fact.part == "usual")
    assert said in told
    assert "giờ này trong tuần" in told
    assert row(young, "travel_time_index", city, "en").note == "too few days"
    old = row(with_value(young, "travel_time_index", city, 1.5, (1.4, 1.5, 1.6)), "travel_time_index", city)
    assert next(fact.words for fact in old.facts if fact.part == "usual") == "1,40 – 1,60"


def test_a_rule_that_has_nothing_to_compare_with_is_said_to_be_silent(snapshot: Snapshot) -> None:
    young = with_value(snapshot, "travel_time_index", "road_01", 1.5)

    def limits(picture: Snapshot) -> str:
        facts = View(picture, "vi", DESK).why("travel_time_index", "road_01")
        return next(fact.words for fact in facts if fact.part == "threshold")

    assert "im lặng ở giờ này: chưa đủ dữ liệu để so" in limits(young)
    old = with_value(young, "travel_time_index", "road_01", 1.5, (1.4, 1.5, 1.6))
    assert "im lặng" not in limits(old)


def test_english_says_the_same(snapshot: Snapshot) -> None:
    city = snapshot.city.city_site
    jam = with_value(snapshot, "travel_time_index", city, 10.5, (1.40, 1.50, 1.60))
    assert row(jam, "travel_time_index", city, "en").note == "7 times"
    assert row(jam, "travel_time_index", city, "en").value == "10.50"
    assert row(jam, "travel_time_index", city, "vi").value == "10,50"


def test_two_reports_instead_of_one_are_no_news(snapshot: Snapshot) -> None:
    city = snapshot.city.city_site
    usual = (0.0, 1.0, 1.0)
    few = row(with_value(snapshot, "reports_60min", city, 4, usual), "reports_60min", city)
    assert (few.value, few.note, few.subnote) == ("4", "", "")
    many = row(with_value(snapshot, "reports_60min", city, 5, usual), "reports_60min", city)
    assert many.note == "gấp 5"
    from_nothing = row(with_value(snapshot, "reports_60min", city, 9, (0.0, 0.0, 0.0)), "reports_60min", city)
    assert from_nothing.note == "trên mức thường", "nothing is no measure for how many times"


def test_a_share_is_compared_in_points(snapshot: Snapshot) -> None:
    city = snapshot.city.city_site
    shown = row(with_value(snapshot, "on_time_rate", city, 91.2, (96.0, 96.5, 97.0)), "on_time_rate", city)
    assert (shown.note, shown.unit) == ("−5,3 điểm", "%")


@pytest.mark.parametrize(
    ("level_m", "note", "subnote"),
    [
        (2.30, "2,00 m", "dưới báo động I"),
        (4.30, "0,00 m", "trên báo động I"),  # on the mark the alarm holds
        (5.00, "0,70 m", "trên báo động I"),
        (5.40, "0,10 m", "trên báo động II"),
        (6.80, "0,50 m", "trên báo động III"),
    ],
)
def test_a_river_is_read_against_its_alarms(snapshot: Snapshot, level_m: float, note: str, subnote: str) -> None:
    """Alarms at 4,30, 5,30 and 6,30 m, as on the staff gauge of Phủ Lạng Thương."""
    sites = snapshot.city.sites.copy()
    for number, edge in ((1, 4.30), (2, 5.30), (3, 6.30)):
        sites.loc[RIVER, f"alarm_{number}_m"] = edge
    city = replace(snapshot.city, sites=sites)
    shown = row(with_value(replace(snapshot, city=city), "river_level", RIVER, level_m), "river_level", RIVER)
    assert (shown.note, shown.subnote) == (note, subnote)


def test_a_river_without_alarms_says_nothing_about_them(snapshot: Snapshot) -> None:
    sites = snapshot.city.sites.drop(columns=[f"alarm_{number}_m" for number in (1, 2, 3)])
    city = replace(snapshot.city, sites=sites)
    shown = row(with_value(replace(snapshot, city=city), "river_level", RIVER, 9.9), "river_level", RIVER)
    assert (shown.note, shown.subnote) == ("", "")


def test_no_rain_is_a_word(snapshot: Snapshot) -> None:
    assert row(with_value(snapshot, "rain_1h", "rain_01", 0.0), "rain_1h", "rain_01").note == "không mưa"
    assert row(with_value(snapshot, "rain_1h", "rain_01", 0.2), "rain_1h", "rain_01").note == ""


def test_an_old_value_says_how_long_it_has_been_silent(snapshot: Snapshot) -> None:
    city = snapshot.city.city_site
    usual = (1.40, 1.50, 1.60)
    old = row(
        with_value(snapshot, "travel_time_index", city, 1.5, usual, timedelta(hours=3, minutes=6)),
        "travel_time_index",
        city,
    )
    assert (old.state, old.note, old.subnote) == (OLD, "3 giờ 06", "mất tín hiệu")
    assert (old.value, old.priority, str(old.mark)) == ("1,50", "", "")
    absent = row(
        with_value(snapshot, "travel_time_index", city, 1.5, usual, timedelta(days=3)), "travel_time_index", city
    )
    assert (absent.state, absent.value, absent.note, absent.subnote) == (ABSENT, "—", "3 ngày", "mất tín hiệu")


def test_what_never_came_has_a_dash_and_keeps_its_place(snapshot: Snapshot) -> None:
    bare = replace(snapshot, readings={})
    shown = row(bare, "travel_time_index", "city")
    t = Translator("vi")
    assert (shown.value, shown.state) == ("—", ABSENT)
    assert (shown.note, shown.subnote) == (t("state.none_yet"), t("state.data"))


def test_silent_stations_count_in_no_maximum_and_no_sum(snapshot: Snapshot) -> None:
    """The highest VN_AQI of yesterday is not the highest one now."""
    stations = [reading.site_id for reading in snapshot.of("vn_aqi")]
    assert len(stations) >= 2
    loud = with_value(snapshot, "vn_aqi", stations[0], 350.0, age=timedelta(hours=9))
    assert View(loud, "vi", DESK).row("vn_aqi", "worst").site_id != stations[0]
    live = with_value(snapshot, "vn_aqi", stations[0], 350.0)
    assert View(live, "vi", DESK).row("vn_aqi", "worst").site_id == stations[0]


def test_every_number_tells_where_it_comes_from(snapshot: Snapshot) -> None:
    facts = {fact.name: fact.words for fact in View(snapshot, "vi", DESK).row("vn_aqi", "worst").facts}
    assert "1459" in facts["Căn cứ"]
    assert facts["Thời điểm số liệu"] == "18:00"
    assert {"Cách tính", "Nguồn", "Tuổi số liệu", "Nhận lúc"} <= set(facts)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_missing_or_absurd_value_is_never_zero(snapshot: Snapshot, value: float) -> None:
    city = snapshot.city.city_site
    shown = row(with_value(snapshot, "travel_time_index", city, value, (1.4, 1.5, 1.6)), "travel_time_index", city)
    assert shown.value == "—"
    assert shown.note != "như thường"


def test_the_headline_names_the_place_once() -> None:
    assert "Đông Kiều" in joined_name("Ngập hầm chui", "Hầm chui Đông Kiều")
    assert joined_name("Ngập hầm chui", "Hầm chui Đông Kiều").lower().count("hầm chui") == 1


def test_the_limit_of_a_range_has_two_ends(snapshot: Snapshot) -> None:
    """«Outside 6,5–8,5»: the upper end alone would say that low values are fine."""
    ringing = Alert(rule="road_flood", site_id="flood_02", active=True, acked=False, priority="high", value=5.9)
    words = replace(snapshot.rules["road_flood"], setpoints={"high": 8.5}, lows={"high": 6.5}, decimals=1)
    ranged = replace(snapshot, rules={**snapshot.rules, "road_flood": words})
    assert View(ranged, "vi", DESK).limit(ringing) == "ngưỡng ngoài 6,5–8,5"
    assert View(ranged, "en", DESK).limit(ringing).endswith("outside 6.5–8.5")
    assert View(snapshot, "vi", DESK).limit(ringing) == "ngưỡng 20"


def test_the_lower_end_of_a_range_comes_from_the_rule_file(snapshot: Snapshot) -> None:
    words = snapshot.rules["temperature_extreme"]
    assert set(words.lows) == set(words.setpoints)
    assert all(low < float(words.setpoints[priority]) for priority, low in words.lows.items())
    assert snapshot.rules["road_flood"].lows == {}
