"""The services scene: overdue files by office, reports by ward, and what people think with how sure that is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.snapshot import Snapshot
from tests.ui.domain_stories import harmless, hostile, parts, row, rows, silent, valued, words


def offices(html: str) -> list[str]:
    return [one.partition(":")[2] for one in rows(html) if one.startswith("office:")]


def bar(html: str, office: str) -> float:
    found = re.search(rf'data-key="office:{office}".*?scene-bar"><i style="width:([\d.]+)%', html, re.DOTALL)
    assert found
    return float(found[1])


def test_offices_stand_by_files_overdue_with_both_sample_sizes(calm_hour: Snapshot) -> None:
    many = valued(valued(calm_hour, "files_overdue", "office_06", 12.0), "files_pending", "office_06", 668.0)
    shown = parts(many, "services")["left"]
    assert offices(shown)[0] == "office_06"
    assert re.match(r"Một cửa Quảng Phú 12 trên 668 9\d,\d% n = 1\.\d{3}", row(shown, "office:office_06"))
    assert "Hồ sơ quá hạn theo bộ phận một cửa ngưỡng 15 đúng hạn 7 ngày" in words(shown)


@pytest.mark.parametrize(("overdue", "width"), [(3.0, 20.0), (15.0, 100.0), (30.0, 100.0), (0.0, 0.0)])
def test_a_bar_is_as_long_as_its_share_of_the_limit_or_of_the_longest(
    overdue: float, width: float, calm_hour: Snapshot
) -> None:
    assert (
        bar(parts(valued(calm_hour, "files_overdue", "office_04", overdue), "services")["left"], "office_04") == width
    )


def test_a_larger_office_makes_the_others_shorter(calm_hour: Snapshot) -> None:
    two = valued(valued(calm_hour, "files_overdue", "office_04", 30.0), "files_overdue", "office_03", 15.0)
    assert bar(parts(two, "services")["left"], "office_03") == 50.0


def test_a_silent_office_goes_to_the_end_and_gives_no_pending_files(calm_hour: Snapshot) -> None:
    many = valued(calm_hour, "files_overdue", "office_06", 12.0)
    key = ("files_overdue", "office_06")
    shown = parts(replace(many, readings={**many.readings, key: silent(many).readings[key]}), "services")["left"]
    assert offices(shown)[-1] == "office_06"
    assert bar(shown, "office_06") == 0.0
    said = row(shown, "office:office_06")
    assert "3 giờ mất tín hiệu" in said
    assert "trên" not in said


def test_few_files_are_grey_and_said_so(calm_hour: Snapshot) -> None:
    for n, few in ((29.0, True), (30.0, False)):
        shown = parts(valued(calm_hour, "on_time_n", "office_01", n), "services")["left"]
        assert ("ít dữ liệu" in row(shown, "office:office_01")) is few


def test_wards_stand_by_how_far_they_are_over_their_usual(storm_hour: Snapshot) -> None:
    shown = parts(storm_hour, "services")["left"]
    wards = [one.partition(":")[2] for one in rows(shown) if one.startswith("reports")]
    assert len(wards) == 4
    excess = []
    for ward in wards:
        reading = storm_hour.readings[("reports_60min", ward)]
        usual = storm_hour.usual("reports_60min", ward, reading.time)
        excess.append(reading.value - (usual[1] if usual else 0.0))
    assert excess == sorted(excess, reverse=True)
    assert re.search(r"Phản ánh 60 phút \d+", words(shown))
    assert re.search(r"về ngập: \d", words(shown)), "the topic of the hour"
    assert "trên mức thường" in row(shown, f"reports_60min:{wards[0]}")
    assert any(re.search(r"thường 0 – \d", row(shown, f"reports_60min:{ward}")) for ward in wards[1:])


def test_no_report_and_no_signal_are_told_apart(calm_hour: Snapshot) -> None:
    quiet = calm_hour
    for key, site_id in calm_hour.readings:
        if key == "reports_60min" and site_id != calm_hour.city.city_site:
            quiet = valued(quiet, key, site_id, 0.0)
    assert "Không có phản ánh nào trong 60 phút qua." in words(parts(quiet, "services")["left"])
    gone = words(parts(silent(quiet, "reports_60min"), "services")["left"])
    assert "Không có số liệu phản ánh còn mới: 3 giờ mất tín hiệu" in gone
    assert "Không có phản ánh nào" not in gone
    assert re.search(r"Phản ánh 60 phút so với", gone), "an old count is no count of this hour"


def test_shares_come_with_sample_and_interval(calm_hour: Snapshot) -> None:
    shown = parts(calm_hour, "services")["right"]
    assert [one.partition(":")[0] for one in rows(shown)] == [
        "satisfaction", "online_share", "reports_on_time", "first_response",
    ]  # fmt: skip
    city = calm_hour.city.city_site
    assert re.search(r"n = [\d.]+ 9\d,\d % \d\d – \d\d% khoảng 95%", row(shown, f"satisfaction:{city}"))
    assert re.search(r"n = [\d.]+", row(shown, f"online_share:{city}"))
    assert "chưa có nguồn số liệu" in words(shown), "interest is not measured, and nobody pretends"


def test_a_small_sample_is_grey_and_is_not_compared(calm_hour: Snapshot) -> None:
    city = calm_hour.city.city_site
    for n, few in ((29.0, True), (30.0, False)):
        shown = parts(valued(calm_hour, "satisfaction_n", city, n), "services")["right"]
        assert bool(re.search(r'few" data-key="satisfaction', shown)) is few
        assert ("ít dữ liệu" in row(shown, f"satisfaction:{city}")) is few
        assert ("khoảng 95%" in row(shown, f"satisfaction:{city}")) is not few


def test_an_old_share_says_how_old_and_a_missing_one_stays_in_place(calm_hour: Snapshot, empty_hour: Snapshot) -> None:
    city = calm_hour.city.city_site
    old = row(parts(silent(calm_hour), "services")["right"], f"satisfaction:{city}")
    assert "3 giờ mất tín hiệu" in old
    assert "ít dữ liệu" not in old
    nothing = parts(empty_hour, "services")
    assert words(nothing["right"]).count("— chưa có") == 4
    assert "ít dữ liệu" not in words(nothing["right"])


def test_smaller_walls_hold_fewer(storm_hour: Snapshot) -> None:
    for density, seats, wards, tiles in (("full", 6, 4, 4), ("sparse", 4, 3, 3), ("huge", 2, 2, 2)):
        shown = parts(storm_hour, "services", density=density)
        assert len(offices(shown["left"])) == seats
        assert len(rows(shown["left"])) == seats + wards
        assert len(rows(shown["right"])) == tiles


def test_english_and_hostile_names(storm_hour: Snapshot) -> None:
    assert "Overdue files by one-stop office limit 15" in words(parts(storm_hour, "services", language="en")["left"])
    harmless(parts(hostile(storm_hour), "services")["left"])
