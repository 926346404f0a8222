"""«Vì sao con số này?»: formula, source, age, corrections, limits, basis and sample, or that none is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from charts.theme import DESK, WALL
from control.scope import scoped
from core.legal import cited, documents
from core.snapshot import Revised, Snapshot, freshness, freshness_edges
from pipeline import Line
from ui import why
from ui.views import View


@pytest.fixture
def snapshot(demo_line: Line) -> Snapshot:
    return demo_line.snapshot


def told(snapshot: Snapshot, key: str, pick: str, language: str = "vi") -> dict[str, str]:
    facts = View(snapshot, language, DESK).row(key, pick).facts
    return {fact.part: fact.words for fact in facts}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_number_of_the_first_screen_says_all_parts(snapshot: Snapshot, language: str) -> None:
    pairs = [pair for _, rows in snapshot.city.overview for pair in rows]
    assert len(pairs) >= 8
    for key, pick in pairs:
        said = told(snapshot, key, pick, language)
        assert [part for part in why.PARTS if not said.get(part)] == [], key


def test_an_index_names_its_source_with_owner_and_telephone_and_the_decision_with_its_date(snapshot: Snapshot) -> None:
    said = told(snapshot, "vn_aqi", "worst")
    assert said["source"] == (
        "Tính tại hệ thống này từ Quan trắc không khí "
        "(Sở Nông nghiệp và Môi trường; Trực quan trắc môi trường, máy lẻ 7201)"
    )
    assert "QĐ 1459/QĐ-TCMT" in said["basis"]
    assert "hiệu lực 12/11/2019" in said["basis"]
    assert "Cao ≥ 151 điểm (theo văn bản, từ 12/11/2019)" in said["threshold"]
    assert "Sở Nông nghiệp và Môi trường" in said["owner"]
    assert "PM2.5" in said["sample"], "the sub-indices behind it"


def test_a_share_says_how_many_and_its_interval(snapshot: Snapshot) -> None:
    said = told(snapshot, "satisfaction", "city")
    assert "cận dưới 95 %" in said["sample"]
    assert "lượt" in said["sample"]
    assert "dưới 30 thì không đánh giá" in said["sample"]
    assert "Trung bình < 90%" in said["threshold"], "for a share, lower is worse"


def test_a_measured_value_says_that_nothing_was_computed(snapshot: Snapshot) -> None:
    said = told(snapshot, "river_level", "river")
    assert said["formula"].startswith("Không tính lại")
    assert said["sample"] == "một số đo, nguồn không gửi sai số"
    assert "QĐ 05/2020/QĐ-TTg" in said["basis"], "the index that is made of it has a basis"
    assert "«Mực nước sông vượt báo động»: Trung bình 4,30" in said["threshold"]


def test_the_rule_of_freshness_is_the_one_that_was_applied(snapshot: Snapshot) -> None:
    item = snapshot.catalogue["rain_1h"]
    every = timedelta(hours=1)
    fresh, late, old = freshness_edges(item, every)
    second = timedelta(seconds=1)
    ages = (fresh, fresh + second, late + second, old + second)
    assert [freshness(age, item, every) for age in ages] == ["fresh", "late", "old", "absent"]
    reading = snapshot.of("rain_1h")[0]
    hourly = replace(
        snapshot, readings={**snapshot.readings, ("rain_1h", reading.site_id): replace(reading, every=every)}
    )
    assert "tươi đến 1 giờ 30, trễ đến 2 giờ 30" in told(hourly, "rain_1h", reading.site_id)["age"]


def test_a_corrected_value_tells_old_and_new(snapshot: Snapshot) -> None:
    reading = snapshot.of("vn_aqi")[0]
    at = snapshot.made_at - timedelta(minutes=30)
    change = Revised(n=3, at=at, time=reading.time, old=12.0, new=88.0)
    corrected = replace(snapshot, revised={("vn_aqi", reading.site_id): change})
    words = told(corrected, "vn_aqi", reading.site_id)["revisions"]
    assert words == "3 lần; gần nhất lúc 17:30: 12 → 88 (số liệu của 18:00)"
    assert told(snapshot, "vn_aqi", reading.site_id)["revisions"] == "không lần nào"


def test_corrections_of_other_areas_are_not_seen(snapshot: Snapshot) -> None:
    city = snapshot.city
    inside, outside = (
        next(s for s in city.sites.index if city.area_of(s) == code) for code in list(city.areas.index)[:2]
    )
    change = Revised(n=1, at=snapshot.made_at, time=snapshot.made_at, old=1.0, new=2.0)
    both = replace(snapshot, revised={("vn_aqi", inside): change, ("vn_aqi", outside): change})
    assert set(scoped(both, {city.area_of(inside)}, lambda _: ()).revised) == {("vn_aqi", inside)}


def test_a_number_that_never_came_has_a_drawer_too(snapshot: Snapshot) -> None:
    gone = {key: reading for key, reading in snapshot.readings.items() if key[0] != "pm25"}
    said = told(replace(snapshot, readings=gone), "pm25", "worst")
    assert [part for part in why.PARTS if not said.get(part)] == []
    assert said["source"] == "chưa nguồn nào gửi số này"


def test_the_wall_carries_no_drawers(snapshot: Snapshot) -> None:
    assert View(snapshot, "vi", WALL).row("vn_aqi", "worst").facts == ()


def test_a_document_is_found_by_its_number_and_an_unverified_date_stays_open() -> None:
    (found,) = cited("QĐ 766: điểm tối đa từ 90 %")
    assert found.number == "QĐ 766/QĐ-TTg"
    assert found.in_force is None
    assert cited("HCM 6: LOS F") == ()
    assert len({one.number for one in documents()}) == len(documents())
