"""The wall: whose turn it is, what takes it over, what somebody put on it, and how large letters must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alert import Alert
from core.errors import ConfigError
from core.ledger import Switch
from core.wall import (
    ANNOUNCED,
    INCIDENT,
    LEAST_ARCMIN,
    STANDARD,
    TAKEOVER_DWELL,
    TURN_S,
    WallScreen,
    arcmin,
    direct,
    farthest_m,
    least_font_mm,
    load_wall,
    resized,
    scale,
)

NOW = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FLOOD, FIRE = ("underpass_flood", "flood_02"), ("fire", "market")
SLOTS = tuple((scene, timedelta(seconds=40 if scene == "overview" else 20)) for scene in STANDARD)
SCREEN = WallScreen(key="man_1", name_vi="Màn hình 1", name_en="Screen 1", slots=SLOTS)
ROUND = sum((dwell for _, dwell in SLOTS), timedelta(0))


def critical(key=FLOOD, *, age=timedelta(minutes=1), **more):
    return Alert(
        rule=key[0],
        site_id=key[1],
        **{"priority": "critical", "active": True, "acked": False, "raised_at": NOW - age, **more},
    )


def shown(*alerts, switches=(), now=NOW, city_now=None, screen=SCREEN, **more):
    named = {one.name: one for one in switches}
    return direct(screen, alerts, named, now=now, city_now=city_now or now, **more)


def put(scene, where="man_1", *, at=NOW, minutes=15):
    return Switch(name=f"show:{where}:{scene}", until=at + timedelta(minutes=minutes), by="Hà", at=at)


# -- turns ------------------------------------------------------------------------------------------------------------


def test_a_round_shows_every_scene_for_its_time_and_the_overview_between_two_others():
    start = datetime.fromtimestamp(NOW.timestamp() // ROUND.total_seconds() * ROUND.total_seconds(), UTC)
    seen = [shown(now=start + n * SECOND).scene for n in range(int(ROUND.total_seconds()))]
    assert seen == [scene for scene, dwell in SLOTS for _ in range(int(dwell.total_seconds()))]
    assert shown(now=start + ROUND).scene == SLOTS[0][0]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)))
def test_the_turn_ends_in_the_future_and_the_next_begins_then(now):
    turn = shown(now=now)
    assert now < turn.ends_at <= now + timedelta(seconds=40)
    assert shown(now=turn.ends_at).scene != turn.scene
    assert shown(now=turn.ends_at - timedelta(milliseconds=1)).scene == turn.scene


def test_the_next_scene_is_announced_shortly_before_it_comes():
    turn = shown()
    early = shown(now=turn.ends_at - ANNOUNCED - SECOND)
    late = shown(now=turn.ends_at - ANNOUNCED)
    assert (early.next_scene, late.next_scene) == ("", shown(now=turn.ends_at).scene)


def test_two_screens_of_one_round_are_in_step_and_a_restart_changes_nothing():
    other = replace(SCREEN, key="man_2", name_vi="Màn hình 2")
    for seconds in range(0, 300, 7):
        moment = NOW + seconds * SECOND
        assert shown(now=moment) == shown(now=moment, screen=other)


def test_while_something_is_serious_a_quiet_scene_leaves_its_turn_to_the_overview():
    for seconds in range(0, int(ROUND.total_seconds()), 5):
        moment = NOW + seconds * SECOND
        assert shown(now=moment, quiet=("traffic", "services")).scene == {
            "traffic": "overview",
            "services": "overview",
        }.get(shown(now=moment).scene, shown(now=moment).scene)


# -- takeover ---------------------------------------------------------------------------------------------------------


def test_a_critical_alert_takes_the_wall_until_somebody_acknowledges_it():
    assert (shown(critical()).scene, shown(critical()).why, shown(critical()).alert) == (INCIDENT, "takeover", FLOOD)
    acknowledged = critical(acked=True, acked_at=NOW)
    assert shown(acknowledged).why == "rotation"


def test_one_that_is_acknowledged_at_once_is_still_seen_for_a_moment():
    hasty = critical(age=3 * SECOND, acked=True, acked_at=NOW)
    turn = shown(hasty)
    assert turn.scene == INCIDENT
    assert turn.ends_at == hasty.raised_at + TAKEOVER_DWELL
    assert shown(hasty, now=turn.ends_at).why == "rotation"


@pytest.mark.parametrize(
    "other",
    [
        critical(priority="high"),
        critical(hidden="SHLVD"),
        critical(hidden="OOSRV"),
        critical(active=False),  # it went by itself: nobody is in danger, the list keeps it
        critical(raised_at=None, active=False, acked=True),
    ],
    ids=["high", "shelved", "out of service", "returned", "normal"],
)
def test_nothing_else_takes_the_wall(other):
    assert shown(other).why == "rotation"


def test_a_latched_critical_alert_holds_the_wall_although_its_value_is_back():
    assert shown(critical(active=False, latched=True)).scene == INCIDENT


def test_two_critical_alerts_take_turns_and_say_how_many_they_are():
    old, new = critical(age=timedelta(minutes=9)), critical(FIRE, age=timedelta(minutes=2))
    turns = [shown(new, old, now=NOW + n * SECOND, city_now=NOW) for n in range(0, 4 * TURN_S, TURN_S)]
    assert {turn.alert for turn in turns} == {FLOOD, FIRE}
    assert {turn.ends_at.timestamp() % 20 for turn in turns} == {0}, "every twenty seconds, on all screens at once"
    assert [turn.alert for turn in turns[:2]] == [turn.alert for turn in turns[2:]]
    assert {(turn.alert, turn.place, turn.of) for turn in turns} == {(FLOOD, 1, 2), (FIRE, 2, 2)}


def test_a_new_critical_alert_is_seen_before_the_old_one_has_its_turn():
    for seconds in range(TURN_S):
        moment = NOW + seconds * SECOND
        old = critical(raised_at=moment - timedelta(minutes=9))
        new = critical(FIRE, raised_at=moment - SECOND)
        assert shown(old, new, now=moment).alert == FIRE


def test_of_two_new_ones_the_newest_is_seen_first_and_then_both_have_their_turn():
    first, second = critical(age=5 * SECOND), critical(FIRE, age=2 * SECOND)
    assert shown(first, second).alert == FIRE
    later = {shown(first, second, now=NOW + n * SECOND).alert for n in range(20, 80)}
    assert later == {FLOOD, FIRE}


def test_in_a_scenario_the_moment_is_the_viewers_and_not_the_citys():
    """At sixty times the speed ten seconds of a viewer are ten minutes of the city."""
    hasty = critical(age=timedelta(minutes=9), acked=True, acked_at=NOW)
    assert shown(hasty, speed=60.0).scene == INCIDENT
    assert shown(hasty, speed=1.0).why == "rotation"


# -- put on the wall by hand ------------------------------------------------------------------------------------------


def test_a_chosen_scene_stays_for_its_time_and_says_who_chose_it():
    chosen = put("environment")
    turn = shown(switches=[chosen])
    assert (turn.scene, turn.why, turn.by, turn.ends_at) == ("environment", "chosen", "Hà", chosen.until)
    assert shown(switches=[chosen], now=chosen.until).why == "rotation"


def test_the_latest_choice_counts_and_one_for_every_screen_counts_too():
    first, second = put("traffic", at=NOW - SECOND), put("brief", "*", at=NOW)
    assert shown(switches=[first, second]).scene == "brief"
    assert shown(switches=[second, put("map", "man_2", at=NOW + SECOND)]).scene == "brief"


def test_a_critical_alert_goes_before_a_choice_and_gives_the_wall_back_to_it():
    chosen = put("environment")
    assert shown(critical(), switches=[chosen]).why == "takeover"
    assert shown(critical(acked=True), switches=[chosen]).scene == "environment"


def test_an_incident_that_was_put_on_the_wall_leaves_it_with_the_alert():
    chosen = put(f"{INCIDENT}:noise:noise_01")
    noise = critical(("noise", "noise_01"), priority="low")
    assert (shown(noise, switches=[chosen]).scene, shown(noise, switches=[chosen]).alert) == (INCIDENT, noise.key)
    assert shown(switches=[chosen]).why == "rotation"


# -- legibility -------------------------------------------------------------------------------------------------------


def test_the_smallest_text_of_the_reference_wall_can_be_read_from_six_metres():
    assert arcmin(20, 4000, 6) >= LEAST_ARCMIN
    assert scale(4000, 6) == 1.0


def test_sixteen_minutes_of_arc_at_six_metres_are_capitals_of_28_millimetres():
    assert least_font_mm(6) * 0.698 == pytest.approx(27.9, abs=0.05)


@given(width_mm=st.floats(500, 8000), viewer_m=st.floats(1, 12))
def test_a_smaller_wall_is_drawn_larger_until_its_letters_suffice_or_it_says_how_far_they_do(width_mm, viewer_m):
    drawn = scale(width_mm, viewer_m)
    assert arcmin(20, width_mm, viewer_m, drawn) >= LEAST_ARCMIN - 1e-9 or farthest_m(width_mm, drawn) < viewer_m


# -- wall.toml --------------------------------------------------------------------------------------------------------

WHOLE = """
[viewing]
width_mm = 3640
viewer_m = 8
[night]
from = "21:30"
to = "06:00"
[dwell_s]
overview = 60
river = 30
[[scene]]
key = "river"
title_vi = "Sông Lam"
tiles = ["river_level:river", "rain_1h:worst"]
map = "rain"
[[screen]]
key = "man_1"
name_vi = "Màn hình 1"
scenes = ["overview", "river"]
[[screen]]
key = "man_2"
name_vi = "Màn hình 2"
viewer_m = 3
watched = false
"""


def written(tmp_path, text):
    path = tmp_path / "wall.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plan_is_read_with_its_own_scenes_and_what_it_leaves_out(tmp_path):
    plan = load_wall(written(tmp_path, WHOLE))
    first, second = plan.screens
    assert first.slots == (("overview", timedelta(seconds=60)), ("river", timedelta(seconds=30)))
    assert (first.width_mm, first.viewer_m, second.viewer_m) == (3640, 8, 3)
    assert (first.watched, second.watched) == (True, False)
    assert [scene for scene, _ in second.slots] == list(STANDARD)
    assert plan.free_scene("river").tiles == (("river_level", "river"), ("rain_1h", "worst"))
    assert "river" in plan.scenes
    assert plan.screen("") is first
    assert plan.screen("man_2") is second
    assert plan.screen("man_3") is None


def test_a_city_without_the_file_has_one_screen(tmp_path):
    plan = load_wall(tmp_path / "wall.toml")
    assert [one.key for one in plan.screens] == ["wall"]
    assert dict(plan.screens[0].slots)["overview"] == timedelta(seconds=40)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('scenes = ["overview", "river"]', 'scenes = ["ovreview"]', "ovreview"),
        ('scenes = ["overview", "river"]', "scenes = []", "scenes is empty"),
        ("overview = 60", "overview = 1", "5 to 3600 seconds"),
        ("overview = 60", "overveiw = 60", "overveiw"),
        ("width_mm = 3640", "width_mm = 3.64", "300 to 60000"),
        ('map = "rain"', 'map = "google"', "google"),
        ('"rain_1h:worst"]', '"rain_1h"]', "property:pick"),
        ('key = "river"', 'key = "overview"', "taken"),
        ('key = "man_2"', 'key = "man_1"', "its own"),
        ('key = "man_2"', 'key = "màn 2"', "addresses"),
        ('from = "21:30"', 'from = "half past"', "22:00"),
        ('tiles = ["river_level:river", "rain_1h:worst"]', "tiles = []", "tiles"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_place(tmp_path, wrong, right, said):
    assert wrong in WHOLE
    with pytest.raises(ConfigError, match=r"wall\.toml") as told:
        load_wall(written(tmp_path, WHOLE.replace(wrong, right)))
    assert said in str(told.value)


def test_the_night_reaches_over_midnight(tmp_path):
    plan = load_wall(written(tmp_path, WHOLE))
    assert [plan.night(time(hour)) for hour in (12, 22, 0, 5, 6)] == [False, True, True, True, False]
    day = replace(plan, night_from=time(1), night_to=time(4))
    assert [day.night(time(hour)) for hour in (0, 1, 3, 4)] == [False, True, True, False]


def test_the_wall_of_another_room_is_given_at_the_start(tmp_path):
    plan = load_wall(written(tmp_path, WHOLE))
    smaller = resized(plan, 2170, None)
    assert {(one.width_mm, one.viewer_m) for one in smaller.screens} == {(2170, 8), (2170, 3)}
    assert resized(plan, None, None) == plan
    with pytest.raises(ConfigError, match="viewer_m must be"):
        resized(plan, None, 600)
