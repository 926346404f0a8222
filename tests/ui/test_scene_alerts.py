"""The scene of alerts: what is to be done, whose, until when; who is on duty; what is put aside and until when."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from charts.theme import WALL
from core.alert import Alert
from core.duty import Contact, DutyShift
from core.ledger import Notice
from core.ledger import Situation as Case
from core.snapshot import Snapshot
from tests.ui.alert_stories import CITY, FLOOD, HA, JAM, RAIN, alert, hour, screen, single, situation
from tests.ui.domain_stories import harmless, hostile, stage, words
from ui.scenes import alerts
from ui.views import View

SLOW = ("travel_time_unusual", "road_01")


def lanes(html: str) -> list[str]:
    """What each lane says, top down; a member has a «+» before it."""
    found = re.findall(r'<div class="lane (p-.*?)">(.*?)(?=<div class="lane |</section>)', html, re.DOTALL)
    return [("+" if "member" in kind else "") + words(inner) for kind, inner in found]


def journal(snapshot: Snapshot, *lines: tuple[float, str, tuple[str, str], str]) -> pd.DataFrame:
    """Newest first: (minutes ago, deed, alert, priority)."""
    rows = [
        {
            "happened_at": snapshot.made_at - timedelta(minutes=ago), "rule": key[0], "site_id": key[1], "deed": deed,
            "priority": priority, "state_before": "NORM", "state_after": "NORM" if deed == "clear" else "UNACK",
        }
        for ago, deed, key, priority in lines
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(snapshot.journal.columns))
    return frame.assign(happened_at=pd.to_datetime(frame["happened_at"], utc=True).astype("datetime64[us, UTC]"))


# -- left -------------------------------------------------------------------------------------------------------------


def test_a_thing_to_do_says_its_place_its_deadline_and_that_nobody_has_it(storm_hour: Snapshot) -> None:
    left = screen(hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical")), "alerts")["left"]
    assert words(left).startswith("Cần xử lý 1 12 giờ qua")
    assert lanes(left) == ["Ngập hầm chui Hầm chui Đông Kiều · Quảng Phú còn 4 phút chưa ai nhận"]
    assert 'class="lane p-critical' in left
    assert 'class="dot"' in left


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"acked": True, "acked_by": HA}, f"còn 4 phút {HA} đã xác nhận"),
        ({"acked": True, "acked_by": HA, "unit": "CSGT Đội 2"}, "còn 4 phút CSGT Đội 2"),
        ({"assignee": HA, "unit": "CSGT Đội 2"}, f"còn 4 phút {HA}"),
    ],
)
def test_who_has_it_stands_at_the_end(facts: dict[str, object], said: str, storm_hour: Snapshot) -> None:
    left = screen(hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical", **facts)), "alerts")["left"]
    assert lanes(left)[0].endswith(said)


def test_assigned_work_is_due_as_assigned_and_late_work_says_so(storm_hour: Snapshot) -> None:
    late = alert(
        storm_hour, FLOOD, 38.0, "critical", assignee=HA, due_at=storm_hour.made_at - timedelta(minutes=12)
    )  # fmt: skip
    rain = alert(storm_hour, RAIN, 42.0, minutes=1)
    left = screen(hour(storm_hour, late, rain, items=[situation(late, rain)]), "alerts")["left"]
    assert lanes(left)[0].endswith(f"quá 12 phút {HA}")
    assert 'class="lane-end late"' in left


def test_while_nobody_has_a_situation_its_first_deadline_counts(storm_hour: Snapshot) -> None:
    flood = alert(storm_hour, FLOOD, 38.0, "critical", minutes=1)
    jam = alert(storm_hour, JAM, 1.9, "medium", minutes=200)
    done = replace(jam, acked=True)
    view = View(storm_hour, "vi", WALL)
    assert alerts.first_due(view, flood, [flood, jam]) == alerts.deadline(view, jam)
    assert alerts.first_due(view, flood, [flood, done]) == alerts.deadline(view, flood), "somebody looks after the jam"
    assert alerts.first_due(view, done, [done]) == alerts.deadline(view, done)
    unknown = replace(flood, rule="gone")
    assert alerts.deadline(view, unknown) is None


def test_a_situation_names_its_place_its_lead_and_its_worst_members(storm_hour: Snapshot) -> None:
    flood, rain = alert(storm_hour, FLOOD, 38.0, "critical"), alert(storm_hour, RAIN, 42.0)
    low = alert(storm_hour, SLOW, 5.0, "low")
    case = Case(id="VV-0042", opened_at=storm_hour.made_at, lead=HA)
    now = hour(
        storm_hour, flood, rain, low, items=[situation(flood, low, rain)], situations={"VV-0042": case}
    )  # fmt: skip
    head, first, second = lanes(screen(now, "alerts")["left"])
    assert head == f"Ngập hầm chui Đông Kiều VV-0042 · 3 cảnh báo còn 4 phút {HA}"
    assert first.startswith("+Mưa to cục bộ Trạm mưa Quảng Phú 42,0 mm chưa xác nhận")
    assert second.startswith("+Đi lại chậm bất thường")


def test_items_come_before_members_and_what_has_no_room_is_counted(storm_hour: Snapshot) -> None:
    many = [alert(storm_hour, ("station_silent_rain", f"rain_0{n}"), 40.0, "medium") for n in range(1, 6)]
    pair = [alert(storm_hour, FLOOD, 38.0, "critical"), alert(storm_hour, RAIN, 42.0)]
    items = [situation(*pair), *(single(one) for one in many)]
    now = hour(storm_hour, *pair, *many, items=items)
    assert [one.startswith("+") for one in lanes(screen(now, "alerts")["left"])].count(True) == 1
    sparse = screen(now, "alerts", density="sparse")["left"]
    assert len(lanes(sparse)) == 5
    assert not any(one.startswith("+") for one in lanes(sparse))
    assert words(sparse).endswith("và 1 mục khác: 1 Trung bình")
    huge = screen(now, "alerts", density="huge")["left"]
    assert len(lanes(huge)) == 4
    assert "lane-bars" not in huge, "the lanes themselves have no room there"


def test_a_lane_shows_when_it_stood_in_the_last_twelve_hours(storm_hour: Snapshot) -> None:
    rain = alert(storm_hour, RAIN, 42.0, minutes=72)
    told = journal(
        storm_hour,
        (72, "raise", RAIN, "high"),
        (360, "clear", RAIN, "medium"),
        (396, "raise", RAIN, "medium"),
        (60, "raise", JAM, "low"),
    )
    earlier, now = alerts.bars(View(hour(storm_hour, rain, journal=told), "vi", WALL), [rain])
    assert (round(earlier.left, 1), round(earlier.width, 1), earlier.priority) == (45.0, 5.0, "")
    assert (round(now.left, 1), round(now.width, 1), now.priority) == (90.0, 10.0, "high")
    fresh = alert(storm_hour, RAIN, 42.0, minutes=0)
    (bar,) = alerts.bars(View(hour(storm_hour, fresh, journal=told[:0]), "vi", WALL), [fresh])
    assert (bar.left, bar.width) == (100 - alerts.LEAST_SHARE, alerts.LEAST_SHARE), "still seen, and inside"


def test_hours_are_city_time_and_stay_clear_of_now(storm_hour: Snapshot) -> None:
    named = [word for _, word in alerts.hours(View(storm_hour, "vi", WALL), stage(storm_hour, "alerts")) if word]
    assert named == ["08:00", "12:00"], "18:30 now: 06:30 begins the span, 16:00 would lie on «now»"
    sparse = stage(storm_hour, "alerts", density="sparse")
    assert [word for _, word in alerts.hours(sparse.view, sparse) if word] == ["12:00"]


def test_a_frozen_alert_says_that_its_data_are_late(storm_hour: Snapshot) -> None:
    left = screen(hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical", stale=True)), "alerts")["left"]
    assert "số liệu chậm · Hầm chui" in lanes(left)[0]
    assert re.search(r'class="lane p-critical [^"]*old', left)


def test_where_there_is_no_room_for_both_the_late_data_are_told_and_the_place_gives_way(storm_hour: Snapshot) -> None:
    now = hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical", stale=True))
    view = View(now, "vi", WALL)
    (one,) = (alerts.lane(view, item) for item in now.items)
    assert alerts.said(view, one, 440.0).place == f"số liệu chậm · {one.place}"
    assert alerts.said(view, one, 150.0).place == "số liệu chậm"
    assert alerts.said(view, replace(one, stale=False), 150.0).place == one.place


def test_a_calm_hour_says_so_and_when_the_last_one_ended(calm_hour: Snapshot) -> None:
    none = screen(replace(calm_hour, journal=calm_hour.journal[:0]), "alerts")["left"]
    assert words(none) == "Cần xử lý 0 12 giờ qua Không có cảnh báo đang mở."
    ended = journal(calm_hour, (42, "clear", RAIN, "high"), (90, "latch", FLOOD, "high"), (5, "raise", JAM, "low"))
    after = words(screen(replace(calm_hour, journal=ended), "alerts")["left"])
    assert after.endswith("Không có cảnh báo đang mở. Cảnh báo gần nhất kết thúc 17:18.")


# -- right ------------------------------------------------------------------------------------------------------------


def test_who_is_on_duty_and_when_they_hand_over(calm_hour: Snapshot) -> None:
    shift = DutyShift(
        key="afternoon", name_vi="Ca chiều", name_en="Afternoon shift", starts_at=calm_hour.made_at,
        ends_at=calm_hour.made_at + timedelta(hours=4), lead=Contact(key="bao", name="Trần Quốc Bảo"),
        deputy=Contact(key="lan", name="Lê Thị Ngọc Lan"),
    )  # fmt: skip
    right = words(screen(replace(calm_hour, duty=shift), "alerts")["right"])
    assert right.startswith("Ứng trực Ca chiều Trần Quốc Bảo Phó: Lê Thị Ngọc Lan Giao ca lúc 22:00")
    assert "Phó" not in words(screen(replace(calm_hour, duty=replace(shift, deputy=None)), "alerts")["right"])
    assert "Chưa có lịch trực." in words(screen(replace(calm_hour, duty=None), "alerts")["right"])


def test_the_load_of_ten_minutes_and_when_it_is_a_flood(calm_hour: Snapshot) -> None:
    calls = [(ago, "raise", (f"rule_{ago}", "rain_01"), "low") for ago in (0.0, 3.0, 9.9, 10.0, 11.0)]
    some = replace(calm_hour, journal=journal(calm_hour, *calls, (1, "clear", RAIN, "low")))
    assert alerts.rate(View(some, "vi", WALL)) == 3, "(t - 10 min, t]"
    assert "mức dồn dập: trên 10 3" in words(screen(some, "alerts")["right"])
    ten = [(n / 10, "raise", (f"rule_{n}", "rain_01"), "low") for n in range(10)]
    assert "Chế độ dồn dập" not in words(
        screen(replace(calm_hour, journal=journal(calm_hour, *ten)), "alerts")["right"]
    )
    flood = journal(calm_hour, *ten, (2, "raise", RAIN, "low"))
    assert "Chế độ dồn dập: trên 10 11" in words(screen(replace(calm_hour, journal=flood), "alerts")["right"])


def covered(snapshot: Snapshot, site: str, cover: str, hours: float) -> Alert:
    until = snapshot.made_at + timedelta(hours=hours)
    return alert(snapshot, ("heavy_rain", site), 40.0, hidden=cover, hidden_until=until)


def test_what_is_put_aside_has_its_end_the_nearest_first(storm_hour: Snapshot) -> None:
    aside = [
        covered(storm_hour, "rain_01", "OOSRV", 30),
        covered(storm_hour, "rain_02", "SHLVD", 1.5),
        covered(storm_hour, "rain_03", "SHLVD", 3),
        covered(storm_hour, "rain_04", "SHLVD", 4),
        covered(storm_hour, "rain_05", "DSUPR", 1),
    ]
    right = words(screen(hour(storm_hour, *aside, items=[]), "alerts")["right"])
    told = right[right.index("Tạm gác, ngừng theo dõi") :]
    assert told.startswith("Tạm gác, ngừng theo dõi 4 Mưa to cục bộ Tạm gác · ")
    assert re.findall(r"đến (\S+)(?= Mưa| và)", told) == ["20:00", "21:30", "22:30"]
    assert told.endswith("và 1 cảnh báo nữa · 1 ẩn theo thiết kế")
    huge = words(screen(hour(storm_hour, *aside, items=[]), "alerts", density="huge")["right"])
    assert "và 3 cảnh báo nữa" in huge
    assert "Không có cảnh báo nào được gác lại." in words(screen(hour(storm_hour), "alerts")["right"])


def test_messages_that_did_not_arrive_are_counted_and_take_room(storm_hour: Snapshot) -> None:
    stuck = Notice(
        id="n1", made_at=storm_hour.made_at, rule=RAIN[0], site_id=RAIN[1], deed="raise",
        happened_at=storm_hour.made_at, priority="high", channel="mail", recipient="", subject="", text="",
    )  # fmt: skip
    aside = [covered(storm_hour, f"rain_0{n}", "SHLVD", n) for n in (1, 2, 3)]
    now = hour(storm_hour, *aside, items=[], undelivered=(stuck, stuck))
    full, sparse = (words(screen(now, "alerts", density=one)["right"]) for one in ("full", "sparse"))
    assert "tin chưa tới người nhận 2" in full
    assert "và 1 cảnh báo nữa" in full
    assert "và 3 cảnh báo nữa" in sparse
    assert "Không có cảnh báo nào được gác lại." not in sparse, "they have no room, but they exist"


# -- the same for everybody -------------------------------------------------------------------------------------------


def test_an_empty_city_and_english(empty_hour: Snapshot) -> None:
    parts = screen(empty_hour, "alerts", language="en")
    assert words(parts["left"]).startswith("Needs action 0 Last 12 h")
    assert words(parts["right"]).startswith("On duty")


def test_names_from_outside_stay_text(storm_hour: Snapshot) -> None:
    bad = "<img src=x>"
    flood = alert(storm_hour, FLOOD, 38.0, "critical", assignee=bad)
    aside = replace(covered(storm_hour, "rain_01", "SHLVD", 1), hidden_by=bad)
    now = hostile(hour(storm_hour, flood, alert(storm_hour, CITY, 5.0), aside))
    harmless(screen(now, "alerts")["left"])
    harmless(screen(now, "alerts")["right"])
