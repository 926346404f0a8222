"""Cards of things to do: what they say, and how many of them the wall's column holds whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.deeds import MUTE_WALL
from charts.theme import DESK, WALL
from core.alert import Alert
from core.ledger import Item, Situation, Switch
from core.snapshot import Snapshot
from pipeline import Line
from tests.conftest import EVENING
from tests.ui.alert_stories import alert as story
from tests.ui.alert_stories import hour, screen
from ui import overview
from ui.views import Card, View

FLOOD = ("underpass_flood", "flood_01")
RAIN = ("heavy_rain", "rain_01")
HA = "Lê Thu Hà"


def alert(key: tuple[str, str], value: float, priority: str = "high", **facts: object) -> Alert:
    since = EVENING - timedelta(minutes=6)
    given: dict[str, object] = {"active": True, "acked": False, "raised_at": since, "seen_at": EVENING, **facts}
    return Alert(rule=key[0], site_id=key[1], value=value, priority=priority, **given)  # type: ignore[arg-type]


@pytest.fixture
def snapshot(demo_line: Line) -> Snapshot:
    return demo_line.snapshot


def card(snapshot: Snapshot, one: Alert, language: str = "vi") -> Card:
    return View(replace(snapshot, alerts=(one,)), language, DESK).card(one)


@pytest.mark.parametrize(
    ("key", "value", "priority", "language", "words", "limit"),
    [
        (FLOOD, 38.0, "high", "vi", "38 cm", "ngưỡng 20"),
        (FLOOD, 38.0, "high", "en", "38 cm", "limit 20"),
        (("travel_time_unusual", "road_01"), 7.21, "medium", "vi", "+7,2σ so với thường lệ", "ngưỡng 7,0"),
        (("flood_reports", "90001"), 17.0, "high", "vi", "17 tin trong 30 phút", "ngưỡng 8"),
    ],
)
def test_a_figure_is_said_as_its_rule_says_it(
    key: tuple[str, str], value: float, priority: str, language: str, words: str, limit: str, snapshot: Snapshot
) -> None:
    shown = card(snapshot, alert(key, value, priority), language)
    assert (shown.value, shown.limit) == (words, limit)


def test_a_card_of_a_situation_names_it_its_alerts_and_who_leads(snapshot: Snapshot) -> None:
    alerts = (alert(FLOOD, 38.0, "critical", situation="VV-0042"), alert(RAIN, 42.0, situation="VV-0042"))
    item = Item(
        id="VV-0042", kind="situation", lead=FLOOD, members=(FLOOD, RAIN), shown=(FLOOD,), inhibited=(),
        priority="critical", first_out=RAIN,
    )  # fmt: skip
    fresh = Situation(id="VV-0042", opened_at=EVENING)
    now = replace(snapshot, alerts=alerts, items=(item,), situations={"VV-0042": fresh})
    nobody = overview._card(View(now, "vi", WALL), item)
    assert (nobody.title, nobody.place, nobody.owner) == ("Ngập hầm chui", "VV-0042 · 2 cảnh báo", "chưa có chủ trì")
    led = replace(now, situations={"VV-0042": replace(fresh, lead=HA)})
    assert overview._card(View(led, "vi", WALL), item).owner == f"chủ trì: {HA}"


def test_the_wall_shows_as_many_cards_as_its_column_holds(snapshot: Snapshot) -> None:
    one = card(snapshot, alert(FLOOD, 38.0))
    short = [replace(one, title="Ngập", place="Quảng Phú", owner="", limit="") for _ in range(4)]
    assert len(overview.fitting(short)) == 4
    long = [replace(one, title="Nhiều phản ánh ngập trong phường và đường xung quanh " * 2) for _ in range(4)]
    assert 1 <= len(overview.fitting(long)) < 4
    endless = [replace(one, title="Ngập " * 400), one]
    assert overview.fitting(endless) == endless[:1], "the worst is never left out"
    assert overview.fitting([]) == []


@pytest.mark.parametrize(
    ("change", "more_u"),
    [
        ({}, 0.0),
        ({"stale": True}, overview.STALE_U),
        ({"title": "Ngập hầm chui " * 3}, 28 * 1.32),
        ({"state": "ACKED", "owner": "Xí nghiệp Thoát nước", "acked_by": HA}, 24 * 1.32),
        ({"value": "", "limit": ""}, -25 * 1.32),
    ],
)
def test_a_card_is_as_high_as_its_lines(change: dict[str, object], more_u: float, snapshot: Snapshot) -> None:
    plain = replace(card(snapshot, alert(FLOOD, 38.0)), title="Ngập hầm chui", place="Quảng Phú")
    changed = replace(plain, **change)  # type: ignore[arg-type]
    assert overview._height_u(changed) - overview._height_u(plain) == pytest.approx(more_u)


def test_every_head_of_the_wall_carries_the_bell(storm_hour: Snapshot) -> None:
    """A critical alert takes the wall over at once: the takeover itself must ring for it, and say who muted it."""
    flood = story(storm_hour, FLOOD, 38.0, "critical")
    now = hour(storm_hour, flood)
    for scene in ("overview", "incident"):
        head = screen(now, scene, key=FLOOD)["head"]
        assert f'data-ring="underpass_flood:flood_01:{int(flood.raised_at.timestamp())}"' in head, scene
        assert 'data-muted="no"' in head
    mute = Switch(name=MUTE_WALL, until=now.made_at + timedelta(minutes=10), by=HA, at=now.made_at)
    muted = screen(replace(now, switches={MUTE_WALL: mute}), "incident", key=FLOOD)["head"]
    assert 'data-muted="yes"' in muted
    assert HA in muted
    answered = hour(storm_hour, replace(flood, acked=True, acked_by=HA))
    assert 'data-ring=""' in screen(answered, "incident", key=FLOOD)["head"]


@pytest.mark.parametrize(("language", "said"), [("vi", "số liệu lúc"), ("en", "data of")])
def test_nobody_is_overdue_for_what_came_in_with_yesterdays_sheet(snapshot: Snapshot, language: str, said: str) -> None:
    """The value stood ten hours ago and the sheet came six minutes ago: there is time left, and the hour is told."""
    late = alert(FLOOD, 38.0, began_at=EVENING - timedelta(hours=10), heard_at=EVENING - timedelta(minutes=6))
    shown = card(replace(snapshot, made_at=EVENING), late, language)
    assert not shown.overdue
    assert shown.age == card(replace(snapshot, made_at=EVENING), alert(FLOOD, 38.0), language).age
    assert shown.measured.startswith(said)
    told = card(replace(snapshot, made_at=EVENING), alert(FLOOD, 38.0), language)
    assert told.measured == ""
    room = 4 * overview._height_u(told) + 1
    assert len(overview.fitting([replace(told) for _ in range(4)], height_u=room)) == 4
    assert len(overview.fitting([replace(shown) for _ in range(4)], height_u=room)) == 3, "its line needs room too"
