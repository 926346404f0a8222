"""The brief scene: what changed since the morning, what waits for somebody above the shift, how sure all this is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest

from charts.theme import WALL
from core.alert import Alert
from core.ledger import Situation as Case
from core.snapshot import Snapshot
from tests.conftest import EVENING
from tests.ui.alert_stories import CITY, FLOOD, HA, JAM, RAIN, alert, hour, screen, single, situation
from tests.ui.domain_stories import harmless, hostile, silent, valued, words
from tests.ui.test_scene_alerts import journal
from ui.scenes import brief
from ui.views import View

MORNING = EVENING.replace(hour=6)


def keys(html: str) -> list[str]:
    return re.findall(r'class="brief-row.*?data-key="([^":]*):', html)


def row(html: str, key: str) -> str:
    found = re.search(
        rf'<div class="brief-row[^>]*data-key="{key}:.*?(?=<div class="brief-row|</section>)', html, re.DOTALL
    )
    assert found, key
    return words(found[0])


def decisions(html: str) -> list[str]:
    return [words(one) for one in re.findall(r'<div class="decision .*?</div></div>', html, re.DOTALL)]


@pytest.mark.parametrize(
    ("now", "since"),
    [("07:00", "19 06:00"), ("06:59", "18 18:00"), ("00:10", "18 18:00"), ("18:00", "19 06:00")],
)
def test_the_day_begins_at_six_and_before_seven_with_the_evening_before(
    now: str, since: str, calm_hour: Snapshot
) -> None:
    at = datetime.fromisoformat(f"2026-11-19T{now}:00+07:00")
    assert brief.since_morning(at, View(calm_hour, "vi", WALL)).strftime("%d %H:%M") == since


def test_a_figure_stands_with_its_morning_and_its_usual(calm_hour: Snapshot) -> None:
    site = calm_hour.city.city_site
    key = ("travel_time_index", site)
    before = pd.DataFrame(
        {
            "time": pd.DatetimeIndex([MORNING - timedelta(minutes=90), MORNING - timedelta(minutes=5), EVENING])
            .tz_convert("UTC")
            .as_unit("us"),
            "value": [9.0, 1.03, 2.18],
        }
    )
    now = valued(replace(calm_hour, recent={key: before}), *key, 2.18)
    usual = now.usual(*key, now.readings[key].time)
    assert usual is not None
    said = row(screen(now, "brief")["left"], "travel_time_index")
    assert said.startswith("Chỉ số ùn tắc toàn địa bàn 1,03 lần 2,18 lần +")
    sparse = row(screen(now, "brief", density="sparse")["left"], "travel_time_index")
    assert sparse.startswith("Chỉ số ùn tắc 06:00: 1,03 lần · toàn địa bàn 2,18 lần"), "no column of its own there"
    unknown = replace(now, recent={key: before[before["value"] != 1.03]})
    assert row(screen(unknown, "brief")["left"], "travel_time_index").startswith(
        "Chỉ số ùn tắc toàn địa bàn — 2,18 lần"
    )


def test_a_sum_is_compared_only_when_every_part_is_known(calm_hour: Snapshot) -> None:
    readings = [one for one in calm_hour.of("open_incidents") if one.live]
    assert readings
    at = pd.DatetimeIndex([MORNING]).tz_convert("UTC").as_unit("us")
    recent = {("open_incidents", one.site_id): pd.DataFrame({"time": at, "value": [2.0]}) for one in readings}
    whole = row(screen(replace(calm_hour, recent=recent), "brief")["left"], "open_incidents")
    assert f" {2 * len(readings)} vụ" in whole
    recent.pop(("open_incidents", readings[0].site_id))
    part = row(screen(replace(calm_hour, recent=recent), "brief")["left"], "open_incidents")
    assert " — " in part


def test_what_rings_comes_first_then_what_is_furthest_from_its_usual(
    calm_hour: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Snapshot, "usual", lambda *_: (9.0, 10.0, 11.0))
    city = calm_hour.city.city_site
    now = valued(valued(calm_hour, "travel_time_index", city, 10.5), "arterial_speed", city, 40.0)
    assert keys(screen(now, "brief")["left"]).index("arterial_speed") < 5
    ringing = alert(now, RAIN, 42.0)
    wet = {("rain_1h", f"rain_0{n}"): 1.0 * n for n in range(2, 6)} | {("rain_1h", "rain_01"): 42.0}
    for (key, site), value in wet.items():
        now = valued(now, key, site, value)
    shown = screen(hour(now, ringing), "brief")["left"]
    assert keys(shown)[0] == "rain_1h"
    assert 'class="brief-row apart s-fresh p-high"' in shown or 'class="brief-row apart s-late p-high"' in shown


@pytest.mark.parametrize(("density", "count"), [("full", 5), ("sparse", 4), ("huge", 3)])
def test_three_to_five_lines(density: str, count: int, storm_hour: Snapshot) -> None:
    assert len(keys(screen(storm_hour, "brief", density=density)["left"])) == count


def test_silent_figures_are_no_change_and_are_counted_on_the_other_side(storm_hour: Snapshot) -> None:
    parts = screen(silent(storm_hour, "rain_1h", "vn_aqi"), "brief")
    assert not {"rain_1h", "vn_aqi"} & set(keys(parts["left"]))
    assert "chỉ số chính còn tín hiệu 8/10" in words(parts["right"])
    none = screen(silent(storm_hour), "brief")
    assert "Chưa có chỉ số chính nào còn tín hiệu." in words(none["left"])


def test_the_story_of_the_day_counts_what_rang_and_what_ended(storm_hour: Snapshot) -> None:
    told = journal(
        storm_hour,
        (13 * 60, "raise", JAM, "low"),  # 05:30: before the morning
        (200, "raise", JAM, "low"),
        (100, "clear", JAM, "low"),
        (50, "latch", FLOOD, "high"),
        (6, "raise", RAIN, "high"),
        (6, "open_situation", ("situation", "VV-1"), "high"),
    )
    now = hour(storm_hour, alert(storm_hour, RAIN, 42.0), journal=told)
    left = words(screen(now, "brief")["left"])
    assert left.endswith("Từ 06:00: 2 cảnh báo đã phát, 2 đã hết; 1 đang diễn ra.")
    quiet = hour(storm_hour, journal=told[:0])
    assert words(screen(quiet, "brief")["left"]).endswith("Từ 06:00 chưa có cảnh báo nào.")


# -- decisions --------------------------------------------------------------------------------------------------------


def asked(snapshot: Snapshot, *alerts: Alert, **facts: object) -> list[str]:
    return decisions(screen(hour(snapshot, *alerts, **facts), "brief")["right"])  # type: ignore[arg-type]


def test_nothing_waits_while_the_shift_is_in_time(storm_hour: Snapshot) -> None:
    right = screen(hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical")), "brief")["right"]
    assert decisions(right) == []
    assert "Cần quyết định 0 Không có việc nào chờ quyết định." in words(right)


def test_what_nobody_took_up_in_time_is_named(storm_hour: Snapshot) -> None:
    late = alert(storm_hour, FLOOD, 38.0, "critical", minutes=14)
    assert asked(storm_hour, late) == ["Ngập hầm chui Hầm chui Đông Kiều · Quảng Phú chưa ai xác nhận, quá hạn 4 phút"]
    assert asked(storm_hour, replace(late, acked=True)) == [], "somebody is at it"
    assert asked(storm_hour, replace(late, priority="medium")) == [], "the shift's own business"
    assert asked(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical", minutes=10)) == [], "a minute of grace"


def test_late_work_names_who_has_it(storm_hour: Snapshot) -> None:
    due = storm_hour.made_at - timedelta(minutes=12)
    work = alert(storm_hour, FLOOD, 38.0, "critical", acked=True, assignee=HA, due_at=due)
    assert asked(storm_hour, work)[0].endswith(f"{HA}: quá hạn 12 phút")
    assert asked(storm_hour, replace(work, due_at=storm_hour.made_at)) == []


def test_what_was_told_further_up_and_what_nobody_leads_is_named(storm_hour: Snapshot) -> None:
    flood, rain = alert(storm_hour, FLOOD, 38.0, "critical", escalated=1), alert(storm_hour, RAIN, 42.0, escalated=2)
    case = Case(id="VV-0042", opened_at=storm_hour.made_at)
    items = [situation(flood, rain)]
    (said,) = asked(storm_hour, flood, rain, items=items, situations={"VV-0042": case})
    assert said == "Ngập hầm chui Đông Kiều VV-0042 · 2 cảnh báo đã báo lên 2 cấp · chưa có chủ trì"
    (led,) = asked(storm_hour, flood, rain, items=items, situations={"VV-0042": replace(case, lead=HA)})
    assert led.endswith("đã báo lên 2 cấp")


def test_what_has_no_room_is_counted(storm_hour: Snapshot) -> None:
    late = [alert(storm_hour, ("heavy_rain", f"rain_0{n}"), 42.0, minutes=200) for n in range(1, 6)]
    now = hour(storm_hour, *late, items=[single(one) for one in late])
    for density, shown in (("full", 3), ("sparse", 1), ("huge", 1)):
        right = screen(now, "brief", density=density)["right"]
        assert len(decisions(right)) == shown
        assert f"Cần quyết định 5 {''}" in words(right)
        assert f"và {5 - shown} mục khác" in words(right)


# -- reliability ------------------------------------------------------------------------------------------------------


def test_sources_that_do_not_answer_are_named_as_far_as_there_is_room(storm_hour: Snapshot) -> None:
    since = storm_hour.made_at - timedelta(minutes=47)
    down = tuple(
        replace(state, up=False, since=since, error_kind="refused") if place < 4 else state
        for place, state in enumerate(storm_hour.sources)
    )
    total = len(down)
    frozen = alert(storm_hour, FLOOD, 38.0, "critical", stale=True)
    now = hour(storm_hour, frozen, sources=down)
    full = words(screen(now, "brief")["right"])
    assert f"nguồn trả lời {total - 4}/{total}" in full
    assert f"{down[0].source.name_vi}: từ chối từ 17:43" in full
    assert "và 1 nguồn khác" in full
    assert "1 cảnh báo giữ nguyên vì số liệu chậm" in full
    huge = words(screen(now, "brief", density="huge")["right"])
    assert f"nguồn trả lời {total - 4}/{total}" in huge
    assert "từ chối" not in huge
    assert "giữ nguyên" not in huge


# -- the same for everybody -------------------------------------------------------------------------------------------


def test_an_empty_city_and_english(empty_hour: Snapshot, storm_hour: Snapshot) -> None:
    assert "No main figure has a signal." in words(screen(empty_hour, "brief", language="en")["left"])
    right = words(screen(hour(storm_hour, alert(storm_hour, CITY, 5.0, minutes=90)), "brief", language="en")["right"])
    assert "acknowledged by nobody, 30 min late" in right


def test_names_from_outside_stay_text(storm_hour: Snapshot) -> None:
    bad = "<img src=x>"
    due = storm_hour.made_at - timedelta(minutes=12)
    work = alert(storm_hour, FLOOD, 38.0, "critical", acked=True, assignee=bad, due_at=due)
    for html in (screen(hostile(hour(storm_hour, work)), "brief")[name] for name in ("left", "right")):
        harmless(html)
