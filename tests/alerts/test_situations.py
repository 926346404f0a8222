"""Stories of situations: how they open, grow, meet and close, by the engine and by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts import situations
from alerts.refusals import Refused
from alerts.situations import Places, Policy, form, join, lead, load_policy, set_status, split
from core.alert import SITUATION, Alert
from core.config import load_city
from core.errors import ConfigError
from core.ledger import Ledger, Situation
from tests.alerts.city import PLACES, RULES, after, alert, at, ledger, normal, rule

POLICY = Policy()
HA = "Nguyễn Thị Minh Hà"
RAIN, FLOOD, JAM = alert("rain", "gauge", 0), alert("flood", "underpass", 20), alert("jam", "road", 35)


def formed(desk: Ledger, minute: float = 40, policy: Policy = POLICY) -> Ledger:
    return after(desk, form(desk, RULES, policy, PLACES, at(minute)))


def placed(desk: Ledger) -> dict[str, str]:
    return {f"{rule}@{site}": one.situation for (rule, site), one in desk.items() if one.situation}


# Opening ------------------------------------------------------------------------------------------------------------


def test_rain_a_flooded_underpass_a_jam_and_calls_become_one_situation() -> None:
    calls = alert("calls", "ward", 38)
    outcome = form(ledger(RAIN, FLOOD, JAM, calls), RULES, POLICY, PLACES, at(40))
    (situation,) = outcome.situations
    assert situation == Situation(id="VV-0001", opened_at=at(40), first_out=RAIN.key)
    assert {one.situation for one in outcome.alerts} == {"VV-0001"}
    assert len(outcome.alerts) == 4
    first, *joins = outcome.events
    assert (first.rule, first.site_id, first.deed, first.actor) == (SITUATION, "VV-0001", "open_situation", "engine")
    assert (first.state_before, first.state_after, first.priority) == ("", "new", "high")
    assert [one.deed for one in joins] == ["join"] * 4
    assert [one.rule for one in joins] == ["rain", "flood", "jam", "calls"], "in the order in which they began"
    assert all(json.loads(one.detail) == {"situation": "VV-0001"} for one in joins)
    assert all(one.state_before == one.state_after == "UNACK" for one in joins)


def test_rain_and_water_alone_are_one_domain_and_no_situation() -> None:
    assert form(ledger(RAIN, FLOOD), RULES, POLICY, PLACES, at(30)).situations == ()


def test_three_domains_can_be_asked_for() -> None:
    policy = Policy(least_domains=3)
    assert not formed(ledger(RAIN, FLOOD, JAM), policy=policy).situations
    assert formed(ledger(RAIN, FLOOD, JAM, alert("calls", "ward", 38)), policy=policy).situations


def test_signals_of_two_ends_of_the_city_do_not_meet() -> None:
    assert not formed(ledger(RAIN, alert("jam", "far_road", 5))).situations


def test_one_area_is_near_even_where_nobody_wrote_down_a_point() -> None:
    assert placed(formed(ledger(RAIN, alert("calls", "ward", 5)))) == {
        "rain@gauge": "VV-0001",
        "calls@ward": "VV-0001",
    }


@pytest.mark.parametrize(("minute", "meets"), [(60, True), (61, False)])
def test_signals_meet_within_the_window_only(minute: float, meets: bool) -> None:
    assert bool(formed(ledger(RAIN, alert("calls", "ward", minute)), 70).situations) is meets


@pytest.mark.parametrize(("distance", "meets"), [(1.5, True), (1.51, False)])
def test_signals_meet_within_the_radius_only(distance: float, meets: bool) -> None:
    places = Places(points={"gauge": (0.0, 0.0), "road": (0.0, distance)})
    outcome = form(ledger(RAIN, alert("jam", "road", 5)), RULES, POLICY, places, at(40))
    assert bool(outcome.situations) is meets


@pytest.mark.parametrize("facts", [{"hidden": "SHLVD"}, {"hidden": "DSUPR"}, {"hidden": "OOSRV"}, {"active": False}])
def test_what_is_covered_or_over_opens_nothing(facts: dict[str, object]) -> None:
    assert not formed(ledger(RAIN, replace(JAM, **facts))).situations


def test_a_silent_sensor_is_no_signal_of_the_city() -> None:
    assert not formed(ledger(RAIN, alert("flood_silent", "underpass", 5))).situations


def test_an_alert_whose_rule_is_gone_joins_nothing() -> None:
    assert not formed(ledger(RAIN, alert("forgotten", "underpass", 5))).situations


def test_two_far_storms_are_two_situations() -> None:
    desk = formed(ledger(RAIN, JAM, alert("rain", "far_gauge", 1), alert("jam", "far_road", 2)))
    assert set(placed(desk).values()) == {"VV-0001", "VV-0002"}
    assert desk["rain", "gauge"].situation == desk["jam", "road"].situation == "VV-0001", "the earlier one first"


def test_no_situation_grows_wider_than_the_extent() -> None:
    """A chain of rain and jams right through the city is several things to do."""
    chain = {f"s{number:02d}": (1.0 * number, 0.0) for number in range(20)}
    signals = [alert("rain" if number % 2 else "jam", f"s{number:02d}", number) for number in range(20)]
    outcome = form(ledger(*signals), RULES, POLICY, Places(points=chain), at(40))
    assert len(outcome.situations) >= 4
    for situation in outcome.situations:
        east = [chain[one.site_id][0] for one in outcome.alerts if one.situation == situation.id]
        assert max(east) - min(east) <= POLICY.extent_km


@pytest.mark.parametrize("middle", [alert("flood", "underpass", 50), alert("flood_unusual", "underpass", 50)])
def test_cause_and_consequence_or_one_matter_told_twice_are_tied_within_one_domain(middle: Alert) -> None:
    """The first and the last are too far apart in time to meet; what lies between brings them together."""
    first = alert("rain", "gauge", 0) if middle.rule == "flood" else alert("flood", "underpass", 0)
    desk = formed(ledger(first, middle, alert("jam", "road", 100)), 101)
    assert {one.situation for one in desk.values()} == {"VV-0001"}


def test_the_nearest_are_tied_first() -> None:
    places = Places(points={"west": (0.0, 0.0), "jam": (1.2, 0.0), "east": (2.2, 0.0)})
    signals = [alert("rain", "west", 0), alert("jam", "jam", 1), alert("rain", "east", 2)]
    outcome = form(ledger(*signals), RULES, Policy(extent_km=2.0), places, at(40))
    assert {one.site_id for one in outcome.alerts} == {"jam", "east"}


# Growing ------------------------------------------------------------------------------------------------------------


def test_a_jam_that_begins_beside_an_old_flood_joins_it() -> None:
    desk = formed(ledger(RAIN, FLOOD, JAM))
    late = alert("calls", "ward", 300)
    desk = formed(after(desk, form(Ledger(alerts={**desk.alerts, late.key: late}, situations=desk.situations,
                                          next_situation=2), RULES, POLICY, PLACES, at(301))), 302)  # fmt: skip
    assert desk["calls", "ward"].situation == "VV-0001"


def test_what_stood_long_before_does_not_join() -> None:
    """Overdue files of last week have nothing to do with tonight's flood in the same ward."""
    old = alert("files", "ward", -3000)
    assert formed(ledger(RAIN, FLOOD, JAM, old))["files", "ward"].situation == ""


def test_an_earlier_signal_that_joins_late_becomes_the_first_out() -> None:
    desk = formed(ledger(FLOOD, JAM))
    desk = formed(Ledger(alerts={**desk.alerts, RAIN.key: RAIN}, situations=desk.situations, next_situation=2), 41)
    assert desk.situations["VV-0001"].first_out == RAIN.key


def test_the_first_out_stays_when_it_came_back_later() -> None:
    """Its first beginning is only in the journal by then."""
    desk = formed(ledger(RAIN, FLOOD, JAM))
    again = replace(desk[RAIN.key], began_at=at(90), raised_at=at(90))
    calls = alert("calls", "ward", 80)
    grown = Ledger(alerts={**desk.alerts, again.key: again, calls.key: calls}, situations=desk.situations)
    desk = formed(grown, 95)
    assert desk[calls.key].situation == "VV-0001"
    assert desk.situations["VV-0001"].first_out == RAIN.key


def test_a_member_that_is_shelved_stays_a_member() -> None:
    desk = formed(ledger(RAIN, FLOOD, JAM))
    shelved = replace(desk[JAM.key], hidden="SHLVD")
    desk = formed(Ledger(alerts={**desk.alerts, shelved.key: shelved}, situations=desk.situations), 41)
    assert desk[JAM.key].situation == "VV-0001"


def test_situations_that_grow_together_become_the_older_one() -> None:
    points = {"a": (0.0, 0.0), "b": (1.0, 0.0), "c": (3.8, 0.0), "d": (4.8, 0.0), "bridge": (2.4, 0.0)}
    places = Places(points=points)
    pairs = [alert("rain", "a", 0), alert("jam", "b", 1), alert("jam", "c", 2), alert("rain", "d", 3)]
    desk = ledger(*pairs)
    desk = after(desk, form(desk, RULES, POLICY, places, at(5)))
    assert set(desk.situations) == {"VV-0001", "VV-0002"}
    bridge = alert("calls", "bridge", 10)
    desk = Ledger(alerts={**desk.alerts, bridge.key: bridge}, situations=desk.situations, next_situation=3)
    outcome = form(desk, RULES, POLICY, places, at(11))
    merged = after(desk, outcome)
    assert set(merged.situations) == {"VV-0001"}
    assert {one.situation for one in merged.values()} == {"VV-0001"}
    assert merged.situations["VV-0001"].first_out == ("rain", "a")
    (closing,) = [one for one in outcome.events if one.deed == "close_situation"]
    assert (closing.site_id, json.loads(closing.detail)) == ("VV-0002", {"merged_into": "VV-0001"})

    for touched in ("VV-0001", "VV-0002"):  # what somebody works on is not swallowed by the machine
        for deed in (
            lambda desk, id=touched: lead(desk, id, HA, "", HA, at(10)),
            lambda desk, id=touched: set_status(desk, id, "handling", HA, at(10)),
            lambda desk, id=touched: join(desk, [("files", "elsewhere")], id, HA, at(10)),
        ):
            files = alert("files", "elsewhere", 0)
            worked = Ledger(alerts={**desk.alerts, files.key: files}, situations=desk.situations, next_situation=3)
            worked = after(worked, deed(worked))
            still = after(worked, form(worked, RULES, POLICY, places, at(11)))
            assert ("VV-0002" in still.situations) is (touched == "VV-0002")


def test_two_situations_side_by_side_but_hours_apart_stay_two() -> None:
    two = {name: Situation(id=name, opened_at=at(5), first_out=None) for name in ("VV-0001", "VV-0002")}
    desk = ledger(alert("rain", "gauge", 0, situation="VV-0001"), alert("jam", "road", 200, situation="VV-0002"),
                  situations=two)  # fmt: skip
    assert not any(form(desk, RULES, POLICY, PLACES, at(201)))


def test_what_concerns_the_whole_city_joins_as_a_consequence_and_never_ties_two_situations() -> None:
    wide = alert("jam_city", "thanh_lam", 30)
    assert not formed(ledger(RAIN, wide)).situations, "it has no place where it could meet the rain"
    both = formed(ledger(RAIN, JAM, alert("rain", "far_gauge", 1), alert("jam", "far_road", 2), wide))
    assert set(both.situations) == {"VV-0001", "VV-0002"}
    assert both[wide.key].situation == "VV-0001"
    assert formed(ledger(RAIN, JAM, alert("files", "thanh_lam", 30)))["files", "thanh_lam"].situation == ""


def test_doing_it_twice_changes_nothing() -> None:
    desk = formed(ledger(RAIN, FLOOD, JAM, alert("jam_city", "thanh_lam", 30)))
    assert not any(form(desk, RULES, POLICY, PLACES, at(40)))


# Closing ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minute", "closes"), [(89, False), (90, True)])
def test_it_closes_when_all_has_been_normal_for_half_an_hour(minute: float, closes: bool) -> None:
    members = [normal("rain", "gauge", 50, situation="VV-0007"), normal("jam", "road", 60, situation="VV-0007")]
    desk = ledger(*members, situations={"VV-0007": Situation(id="VV-0007", opened_at=at(5), status="handled")})
    outcome = form(desk, RULES, POLICY, PLACES, at(minute))
    assert bool(outcome.situations) is closes
    if closes:
        (situation,) = outcome.situations
        assert (situation.status, situation.closed_at) == ("closed", at(90))
        assert [one.situation for one in outcome.alerts] == ["", ""], "the next activation is free again"
        *freed, closing = outcome.events
        assert [one.deed for one in freed] == ["split", "split"]
        assert (closing.deed, closing.state_before, closing.state_after) == ("close_situation", "handled", "closed")


@pytest.mark.parametrize("last", ["acked_at", "handled_at"])
def test_the_quiet_time_begins_with_the_last_deed(last: str) -> None:
    """Water that fell long ago and was acknowledged, or reset, only now."""
    member = normal("rain", "gauge", 50, situation="VV-0007", **{last: at(70)})
    desk = ledger(member, situations={"VV-0007": Situation(id="VV-0007", opened_at=at(5))})
    assert form(desk, RULES, POLICY, PLACES, at(99)).situations == ()
    assert form(desk, RULES, POLICY, PLACES, at(100)).situations != ()


@pytest.mark.parametrize("facts", [{"acked": False}, {"active": True}, {"latched": True}])
def test_it_stays_open_while_one_member_is_not_normal(facts: dict[str, object]) -> None:
    members = [
        normal("rain", "gauge", 50, situation="VV-0007"),
        normal("jam", "road", 60, situation="VV-0007", **facts),
    ]
    desk = ledger(*members, situations={"VV-0007": Situation(id="VV-0007", opened_at=at(5))})
    assert form(desk, RULES, POLICY, PLACES, at(600)).situations == ()


def test_a_situation_that_lost_all_its_members_closes() -> None:
    desk = ledger(situations={"VV-0007": Situation(id="VV-0007", opened_at=at(5))})
    assert form(desk, RULES, POLICY, PLACES, at(6)).situations[0].closed_at == at(6)


# By hand ------------------------------------------------------------------------------------------------------------


def test_a_person_opens_a_situation_and_the_engine_leaves_it_as_it_is() -> None:
    files = alert("files", "far_gauge", -500)
    desk = ledger(RAIN, files)
    outcome = join(desk, [RAIN.key, files.key], "", HA, at(10))
    desk = after(desk, outcome)
    assert desk.situations["VV-0001"] == Situation(id="VV-0001", opened_at=at(10), opened_by=HA, first_out=files.key)
    assert {one.placed_by for one in desk.values()} == {HA}
    assert {one.actor for one in outcome.events} == {HA}
    assert not any(form(desk, RULES, POLICY, PLACES, at(11)))


def test_what_a_person_took_out_the_engine_does_not_put_back_until_it_was_normal() -> None:
    desk = formed(ledger(RAIN, FLOOD, JAM))
    outcome = split(desk, [RAIN.key], HA, at(41))
    (event,) = outcome.events
    assert (event.deed, event.actor, json.loads(event.detail)) == ("split", HA, {"situation": ""})
    desk = after(desk, outcome)
    assert desk.situations["VV-0001"].first_out == FLOOD.key, "the first-out left: the next earliest takes its place"
    assert not any(form(desk, RULES, POLICY, PLACES, at(42)))
    over = normal("rain", "gauge", 50, placed_by=HA)
    desk = formed(Ledger(alerts={**desk.alerts, over.key: over}, situations=desk.situations, next_situation=2), 51)
    assert desk[over.key].placed_by == ""
    again = replace(desk[over.key], active=True, acked=False, began_at=at(55))
    desk = formed(Ledger(alerts={**desk.alerts, over.key: again}, situations=desk.situations, next_situation=2), 56)
    assert desk[over.key].situation == "VV-0001"


def test_an_alert_is_moved_by_hand_from_one_situation_to_another() -> None:
    desk = formed(ledger(RAIN, JAM, alert("rain", "far_gauge", 1), alert("jam", "far_road", 2)))
    desk = after(desk, join(desk, [RAIN.key], "VV-0002", HA, at(41)))
    assert desk[RAIN.key].situation == "VV-0002"
    assert desk.situations["VV-0002"].first_out == RAIN.key
    assert desk.situations["VV-0001"].first_out == JAM.key
    assert not any(form(desk, RULES, POLICY, PLACES, at(42)))


def test_a_new_signal_beside_a_hand_placed_one_joins_its_situation() -> None:
    desk = after(ledger(RAIN), join(ledger(RAIN), [RAIN.key], "", HA, at(1)))
    desk = formed(Ledger(alerts={**desk.alerts, JAM.key: JAM}, situations=desk.situations, next_situation=2), 40)
    assert desk[JAM.key].situation == "VV-0001"
    assert desk[JAM.key].placed_by == ""


def test_hand_placed_members_do_not_let_the_machine_merge_their_situations() -> None:
    desk = ledger(RAIN, JAM)
    desk = after(desk, join(desk, [RAIN.key], "", HA, at(1)))
    desk = after(desk, join(desk, [JAM.key], "", HA, at(36)))
    assert not any(form(desk, RULES, POLICY, PLACES, at(40)))


def test_one_owner_and_a_status_in_words() -> None:
    desk = formed(ledger(RAIN, JAM))
    outcome = lead(desk, "VV-0001", "Trần Quốc Bảo", "CSGT Đội 2", HA, at(41))
    (event,) = outcome.events
    assert (event.rule, event.deed, event.actor, event.priority) == (SITUATION, "lead", HA, "high")
    assert json.loads(event.detail) == {"lead": "Trần Quốc Bảo", "unit": "CSGT Đội 2"}
    desk = after(desk, outcome)
    outcome = set_status(desk, "VV-0001", "waiting", HA, at(42), "chờ bơm")
    (event,) = outcome.events
    assert (event.deed, event.state_before, event.state_after, event.reason) == ("status", "new", "waiting", "chờ bơm")
    desk = after(desk, outcome)
    situation = desk.situations["VV-0001"]
    assert (situation.lead, situation.unit, situation.status, situation.note) == (
        "Trần Quốc Bảo", "CSGT Đội 2", "waiting", "chờ bơm",
    )  # fmt: skip
    assert set_status(desk, "VV-0001", "handled", HA, at(43)).situations[0].note == "chờ bơm", "the last word stays"
    assert not any(set_status(desk, "VV-0001", "waiting", HA, at(43)))
    assert not any(lead(desk, "VV-0001", "Trần Quốc Bảo", "CSGT Đội 2", HA, at(43)))


def test_closing_by_hand_waits_for_the_active_and_lets_the_others_go() -> None:
    desk = formed(ledger(RAIN, JAM))
    with pytest.raises(Refused, match="2 cảnh báo"):
        set_status(desk, "VV-0001", "closed", HA, at(41))
    returned = [replace(one, active=False, cleared_at=at(50)) for one in desk.values()]
    desk = ledger(*returned, situations=desk.situations, next_situation=2)
    outcome = set_status(desk, "VV-0001", "closed", HA, at(51))
    assert [one.deed for one in outcome.events] == ["split", "split", "close_situation"]
    assert {one.actor for one in outcome.events} == {HA}
    desk = after(desk, outcome)
    assert not desk.situations
    assert {one.situation for one in desk.values()} == {""}
    assert not any(form(desk, RULES, POLICY, PLACES, at(52)))


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        (lambda desk: join(desk, [], "", HA, at(41)), "no_alert_chosen"),
        (lambda desk: join(desk, [("rain", "moon")], "", HA, at(41)), "unknown_alert"),
        (lambda desk: join(desk, [RAIN.key], "VV-0099", HA, at(41)), "unknown_situation"),
        (lambda desk: join(desk, [RAIN.key], "VV-0001", HA, at(41)), "already_joined"),
        (lambda desk: join(desk, [("files", "ward")], "VV-0001", HA, at(41)), "nothing_to_join"),
        (lambda desk: join(desk, [RAIN.key], "", "engine", at(41)), "actor_reserved"),
        (lambda desk: split(desk, [("files", "ward")], HA, at(41)), "not_in_situation"),
        (lambda desk: split(desk, [RAIN.key], " ", at(41)), "actor_missing"),
        (lambda desk: lead(desk, "VV-0099", HA, "", HA, at(41)), "unknown_situation"),
        (lambda desk: lead(desk, "VV-0001", "", "", HA, at(41)), "lead_missing"),
        (lambda desk: lead(desk, "VV-0001", HA, "", "", at(41)), "actor_missing"),
        (lambda desk: set_status(desk, "VV-0001", "fine", HA, at(41)), "unknown_status"),
        (lambda desk: set_status(desk, "VV-0099", "handled", HA, at(41)), "unknown_situation"),
        (lambda desk: set_status(desk, "VV-0001", "handled", "", at(41)), "actor_missing"),
    ],
)
def test_what_is_refused(deed: object, code: str) -> None:
    desk = formed(ledger(RAIN, JAM, normal("files", "ward", 5)))
    with pytest.raises(Refused) as refusal:
        deed(desk)  # type: ignore[operator]
    assert refusal.value.code == code
    assert refusal.value.words("vi") != refusal.value.words("en")


# What a city writes down --------------------------------------------------------------------------------------------


def test_the_demo_city_has_a_policy_and_places() -> None:
    city = load_city("demo")
    policy = load_policy(city.folder / "situations.toml")
    assert policy.most_items == 10
    places = Places.of(city)
    assert places.near("flood_01", "road_04", 0.5), "the underpass lies in that road"
    assert places.distance_km("flood_01", "road_04") == pytest.approx(0.30, abs=0.01)
    assert places.distance_km("flood_01", "road_12") == pytest.approx(2.30, abs=0.01), (
        "a degree of longitude is shorter"
    )
    for wide in ("thanh_lam", "hotline_1022", "demo_traffic"):
        assert not places.known(wide), "a telephone number has no place"
    assert places.areas["90007"] == places.areas["rain_01"] == "90007"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_policy(tmp_path / "situations.toml") == Policy()


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "situations.toml"
    path.write_text("radius_km = 3\nextent_km = 9.5\nwindow_min = 45\nleast_domains = 3\nmost_items = 7\n"
                    "close_after_min = 5\ngroup_from = 4\n", encoding="utf-8")  # fmt: skip
    assert load_policy(path) == Policy(
        radius_km=3.0,
        extent_km=9.5,
        window=timedelta(minutes=45),
        least_domains=3,
        most_items=7,
        close_after=timedelta(minutes=5),
        group_from=4,
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("radius = 3", "unknown key radius"),
        ("radius_km = 0", "more than 0"),
        ("radius_km = nan", "more than 0"),
        ('window_min = "60"', "window_min must be"),
        ("least_domains = 1", "2 or more"),
        ("most_items = 1", "2 or more"),
        ("most_items = 2.5", "must be int"),
        ("close_after_min = -1", "more than 0"),
        ("group_from = 1", "2 or more"),
    ],
)
def test_a_wrong_key_or_value_stops_the_start(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "config" / "x" / "situations.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as error:
        load_policy(path)
    assert "config/x/situations.toml" in str(error.value)


def test_ids_are_read_aloud_on_the_radio() -> None:
    assert situations.situation_id(42) == "VV-0042"
    assert rule("x", "weather").consequence_of == ()
