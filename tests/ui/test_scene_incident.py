"""One incident on the wall: what, where, since when, how it moves, who does what, and when the wall goes on."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from charts.theme import WALL
from core.alert import Alert
from core.ledger import StepDone
from core.snapshot import Snapshot
from tests.ui.alert_stories import CITY, FLOOD, HA, JAM, RAIN, alert, hour, playbooks, screen, single, situation
from tests.ui.domain_stories import harmless, hostile, silent, valued, words
from ui import alert_facts
from ui.scenes import incident
from ui.views import View


@pytest.fixture
def flood(storm_hour: Snapshot) -> Alert:
    return alert(storm_hour, FLOOD, 38.0, "critical")


def measured(snapshot: Snapshot, *values: tuple[float, float]) -> Snapshot:
    """The same hour with these depths in the underpass: (minutes ago, cm)."""
    times = [snapshot.made_at - timedelta(minutes=ago) for ago, _ in values]
    frame = pd.DataFrame({"time": pd.DatetimeIndex(times).as_unit("us"), "value": [depth for _, depth in values]})
    reading = snapshot.readings[("flood_depth", "flood_01")]
    newest = replace(reading, time=times[-1], value=values[-1][1])
    return replace(
        snapshot,
        recent={("flood_depth", "flood_01"): frame},
        readings={**snapshot.readings, ("flood_depth", "flood_01"): newest},
    )


# -- head -------------------------------------------------------------------------------------------------------------


def test_a_takeover_says_what_where_and_how_long_nobody_has_answered(storm_hour: Snapshot, flood: Alert) -> None:
    parts = screen(hour(storm_hour, flood), "incident", key=FLOOD)
    assert list(parts) == ["head", "left", "right", "foot"], "no other head, no sentence: it takes the whole wall"
    head = words(parts["head"])
    assert head.startswith("Khẩn cấp Quảng Phú · 18:24 DỮ LIỆU MÔ PHỎNG Ngập hầm chui Đông Kiều chưa xác nhận 6 phút")
    assert 'class="incident-head p-critical solid"' in parts["head"]
    assert "data-clock" in parts["head"]
    assert "data-heartbeat" in parts["head"]
    assert 'class="dot"' in parts["head"]
    raised = int((storm_hour.made_at - timedelta(minutes=6)).timestamp())
    assert f'data-ring="underpass_flood:flood_01:{raised}"' in parts["head"], "a takeover is heard, too"
    assert words(parts["foot"]).endswith("Màn hình trở lại khi cảnh báo được xác nhận")


def test_several_take_turns_and_a_drill_is_marked(storm_hour: Snapshot, flood: Alert) -> None:
    now = hour(storm_hour, flood)
    alone = screen(now, "incident", key=FLOOD)["head"]
    assert "incident-chip" not in alone
    assert "DIỄN TẬP" not in alone
    both = words(screen(replace(now, drill=True), "incident", key=FLOOD, place=2, of=3)["head"])
    assert "2/3 DIỄN TẬP DỮ LIỆU MÔ PHỎNG" in both


def test_once_acknowledged_it_says_by_whom_and_goes_on_soon(storm_hour: Snapshot, flood: Alert) -> None:
    done = replace(flood, acked=True, acked_by=HA)
    parts = screen(hour(storm_hour, done), "incident", key=FLOOD)
    assert f"đã xác nhận 6 phút {HA}" in words(parts["head"])
    assert 'class="dot"' not in parts["head"]
    assert words(parts["foot"]).endswith("Đã xác nhận: màn hình trở lại sau ít giây")


def test_what_somebody_put_there_has_a_calm_head_and_a_name(storm_hour: Snapshot) -> None:
    jam = alert(storm_hour, JAM, 1.9, "medium")
    ends = storm_hour.made_at + timedelta(minutes=15)
    parts = screen(hour(storm_hour, jam), "incident", key=JAM, why="chosen", by=HA, ends_at=ends)
    assert 'class="incident-head p-medium calm"' in parts["head"]
    assert words(parts["foot"]).endswith(f"{HA} đưa lên, đến 18:45")


def test_a_latched_one_that_is_over_counts_from_its_end(storm_hour: Snapshot, flood: Alert) -> None:
    ended = storm_hour.made_at - timedelta(minutes=2)
    over = replace(flood, active=False, latched=True, cleared_at=ended)
    assert "đã hết, chưa xác nhận 2 phút" in words(screen(hour(storm_hour, over), "incident", key=FLOOD)["head"])


def test_an_alert_that_is_over_leaves_no_empty_screen(storm_hour: Snapshot, flood: Alert) -> None:
    gone = screen(hour(storm_hour), "incident", key=FLOOD)
    assert words(gone["head"]).startswith("Vụ việc DỮ LIỆU MÔ PHỎNG Cảnh báo này đã kết thúc")
    assert "Không còn trong danh sách đang mở" in words(gone["left"])
    assert (gone["right"], gone["foot"]) == ("", "")
    normal = replace(flood, active=False, acked=True, cleared_at=storm_hour.made_at)
    assert "Hết điều kiện từ 18:30" in words(screen(hour(storm_hour, normal), "incident", key=FLOOD)["left"])


@pytest.mark.parametrize(("density", "long"), [("full", False), ("sparse", True), ("huge", True)])
def test_a_title_that_has_no_room_takes_two_smaller_lines(
    density: str, long: bool, storm_hour: Snapshot, flood: Alert
) -> None:
    head = screen(hour(storm_hour, flood), "incident", key=FLOOD, density=density)["head"]
    assert ('class="long"' in head) is long


# -- value ------------------------------------------------------------------------------------------------------------


def test_the_value_stands_with_its_limit_and_its_last_ten_minutes(storm_hour: Snapshot, flood: Alert) -> None:
    rising = measured(storm_hour, (15, 14.0), (10, 26.0), (5, 30.0), (0, 38.0))
    right = words(screen(hour(rising, flood), "incident", key=FLOOD)["right"])
    assert right.startswith("38 cm Độ sâu ngập đường ngưỡng 25 cm, tăng 12 cm trong 10 phút")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ((10, 40.0), "giảm 2 cm trong 10 phút"),
        ((10, 38.2), "không đổi trong 10 phút"),
        ((15, 30.0), "tăng 8 cm trong 15 phút"),
    ],
)
def test_the_change_names_its_real_span(
    before: tuple[float, float], said: str, storm_hour: Snapshot, flood: Alert
) -> None:
    assert incident.changed(View(hour(measured(storm_hour, before, (0, 38.0)), flood), "vi", WALL), flood) == said


@pytest.mark.parametrize("values", [[(0, 38.0)], [(5, 30.0), (0, 38.0)], [(60, 0.0), (0, 38.0)]])
def test_a_change_that_nobody_measured_is_not_told(
    values: list[tuple[float, float]], storm_hour: Snapshot, flood: Alert
) -> None:
    assert incident.changed(View(hour(measured(storm_hour, *values), flood), "vi", WALL), flood) == ""


def test_an_old_value_is_grey_with_its_age_and_without_a_change(storm_hour: Snapshot, flood: Alert) -> None:
    late = silent(hour(storm_hour, replace(flood, stale=True)), "flood_depth")
    right = screen(late, "incident", key=FLOOD)["right"]
    assert 'class="incident-value p-critical old"' in right
    assert "số liệu đã 3 giờ, mất tín hiệu" in words(right)
    assert "trong 10 phút" not in words(right)
    assert 'class="beyond"' not in right
    frozen = screen(hour(storm_hour, replace(flood, stale=True)), "incident", key=FLOOD)["right"]
    assert "số liệu đã" in words(frozen), "the state is frozen, so its value is no longer the present"


def test_a_long_unit_stands_below_the_figure(storm_hour: Snapshot) -> None:
    reports = alert(storm_hour, ("flood_reports", "90007"), 17.0)
    right = screen(hour(storm_hour, reports), "incident", key=reports.key)["right"]
    assert re.search(r"<b[^>]*>17</b>\s*<div><i>tin trong 30 phút</i>", right)
    assert "ngưỡng 8" in words(right)


# -- place ------------------------------------------------------------------------------------------------------------


def test_the_map_is_about_the_place_and_shows_what_else_is_wrong_there(storm_hour: Snapshot, flood: Alert) -> None:
    others = [alert(storm_hour, RAIN, 42.0), alert(storm_hour, JAM, 1.9, "medium")]
    parts = screen(hour(storm_hour, flood, *others), "incident", key=FLOOD)
    assert "Hầm chui Đông Kiều 38 cm" in words(parts["left"])
    assert parts["left"].count('class="marker"') >= 1
    near = alert_facts.near(View(hour(storm_hour, flood, *others), "vi", WALL), flood, incident.AROUND_KM / 2)
    foot = words(parts["foot"])
    if near:
        assert foot.startswith(f"{len(near)} cảnh báo khác trong vùng bản đồ")
    assert "phản ánh/60 phút tại Quảng Phú" in foot


def test_near_is_a_circle_of_kilometres(storm_hour: Snapshot, flood: Alert) -> None:
    far = alert(storm_hour, RAIN, 42.0)
    view = View(hour(storm_hour, flood, far, alert(storm_hour, CITY, 5.0)), "vi", WALL)
    assert alert_facts.near(view, flood, 50.0) == [far], "the whole city is no neighbour"
    assert alert_facts.near(view, flood, 0.05) == []
    assert alert_facts.near(view, view.snapshot.alerts[2], 50.0) == [], "and has none"


def test_nothing_else_around_is_said_in_words(storm_hour: Snapshot, flood: Alert) -> None:
    quiet = valued(hour(storm_hour, flood), "reports_60min", "90007", 0.0)
    assert words(screen(quiet, "incident", key=FLOOD)["foot"]).startswith("Không có cảnh báo nào khác")


def test_an_alert_of_the_whole_city_has_a_large_line_and_no_map(storm_hour: Snapshot) -> None:
    surge = alert(storm_hour, CITY, 5.0)
    parts = screen(hour(storm_hour, surge), "incident", key=CITY)
    assert "city-map" not in parts["left"]
    assert "wall-line" in parts["left"]
    assert "wall-line" not in parts["right"]
    assert "trong vùng bản đồ" not in parts["foot"]


def test_an_alert_without_a_series_tells_its_cause_and_what_to_do(storm_hour: Snapshot) -> None:
    source = alert(storm_hour, ("source_silent", "rain_gauges"), 40.0)
    parts = screen(hour(storm_hour, source), "incident", key=source.key, why="chosen", by=HA)
    rule = storm_hour.rules["source_silent"]
    assert rule.cause["vi"] in words(parts["left"])
    assert rule.action["vi"] in words(parts["right"])


def test_the_members_of_its_situation_are_listed_worst_first(storm_hour: Snapshot, flood: Alert) -> None:
    rain, jam = alert(storm_hour, RAIN, 42.0), alert(storm_hour, JAM, 1.9, "medium")
    low = alert(storm_hour, ("travel_time_unusual", "road_01"), 5.0, "low")
    surge = alert(storm_hour, CITY, 5.0, minutes=2)
    together = hour(storm_hour, flood, rain, jam, low, surge, items=[situation(flood, rain, jam, low, surge)])
    left = words(screen(together, "incident", key=FLOOD)["left"])
    told = left[left.index("Cùng vụ việc VV-0042") :]
    assert told.startswith("Cùng vụ việc VV-0042 và 1 cảnh báo nữa Phản ánh tăng đột biến TP. Thanh Lâm 5,0 lần Mưa to")
    assert "Cùng vụ việc" not in screen(together, "incident", key=FLOOD, density="huge")["left"], "no room there"
    alone = screen(hour(storm_hour, flood, items=[single(flood)]), "incident", key=FLOOD)["left"]
    assert "Cùng" not in words(alone)


# -- steps ------------------------------------------------------------------------------------------------------------


def ticked(one: Alert, number: int, by: str) -> StepDone:
    return StepDone(
        rule=one.rule, site_id=one.site_id, began_at=one.began_at, playbook="flooding", version="3", step=number,
        done_at=one.began_at, done_by=by,
    )  # type: ignore[arg-type]  # fmt: skip


def test_the_steps_say_what_is_done_what_is_next_whose_and_until_when(storm_hour: Snapshot, flood: Alert) -> None:
    now = hour(storm_hour, flood, steps=(ticked(flood, 1, "engine"),))
    right = screen(now, "incident", key=FLOOD, books=playbooks(now))["right"]
    said = words(right)
    assert "Ngập đường, ngập hầm chui 1/6 bước" in said
    assert "Báo trưởng ca và đưa điểm ngập lên màn hình tường Hệ thống 18:24" in said
    assert "người tại chỗ Trực ban quá hạn 18:29" in said, "due five minutes after the beginning"
    assert "hai nút trước điểm ngập CSGT trước 18:39" in said
    assert re.findall(r'class="step-(\w+) (late)?', right)[:3] == [("done", ""), ("now", "late"), ("open", "")]
    assert re.search(r"và \d bước sau", said)


def test_a_small_wall_begins_with_what_is_to_be_done_next(storm_hour: Snapshot, flood: Alert) -> None:
    now = hour(storm_hour, flood, steps=(ticked(flood, 1, HA), ticked(flood, 2, HA)))
    books = playbooks(now)
    full = words(screen(now, "incident", key=FLOOD, books=books)["right"])
    huge = words(screen(now, "incident", key=FLOOD, books=books, density="huge")["right"])
    assert "Báo trưởng ca" not in full, "only the last one that is done"
    assert f"người tại chỗ {HA} 18:24" in full
    assert "người tại chỗ" not in huge
    assert "Cấm đường" in huge
    assert "2/6 bước" in huge


def test_without_a_playbook_it_says_the_action_of_the_rule(storm_hour: Snapshot, flood: Alert) -> None:
    right = words(screen(hour(storm_hour, flood), "incident", key=FLOOD)["right"])
    rule = storm_hour.rules["underpass_flood"]
    assert f"Việc phải làm còn 4 phút {rule.action['vi']} {rule.owner['vi']}" in right
    assert rule.cause["vi"] in right
    assert rule.cause["vi"] not in words(
        screen(hour(storm_hour, flood), "incident", key=FLOOD, density="huge")["right"]
    )


# -- the same for everybody -------------------------------------------------------------------------------------------


def test_it_speaks_english(storm_hour: Snapshot, flood: Alert) -> None:
    parts = screen(hour(storm_hour, flood), "incident", key=FLOOD, language="en", books=playbooks(storm_hour))
    assert "unacknowledged 6 min" in words(parts["head"])
    assert "limit 25 cm" in words(parts["right"])
    assert "Flooded road or underpass" in words(parts["right"])
    assert words(parts["foot"]).endswith("The wall goes on once the alert is acknowledged")


def test_names_from_outside_stay_text(storm_hour: Snapshot, flood: Alert) -> None:
    bad = "<img src=x>"
    rule = storm_hour.rules["underpass_flood"]
    rules = {**storm_hour.rules, "underpass_flood": replace(rule, title={"vi": bad, "en": bad})}
    now = hostile(hour(storm_hour, replace(flood, acked=True, acked_by=bad), rules=rules))
    for name, html in screen(now, "incident", key=FLOOD, why="chosen", by=bad).items():
        if name != "right":
            harmless(html)
        assert "<img" not in html


def test_the_same_hour_gives_the_same_picture(storm_hour: Snapshot, flood: Alert) -> None:
    now = hour(storm_hour, flood)
    assert screen(now, "incident", key=FLOOD) == screen(now, "incident", key=FLOOD)
