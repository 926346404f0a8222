"""What the desk lists: inhibition, one line for one matter, groups, and never more than ten things to do."""

from __future__ import annotations

import pytest

from alerts.situations import Places, Policy, form, items
from core.alert import Alert
from core.ledger import Item, Situation
from tests.alerts.city import PLACES, RULES, after, alert, at, keys, ledger

POLICY = Policy()
OPEN = {"VV-0001": Situation(id="VV-0001", opened_at=at(5), first_out=("calls", "ward"))}


def listed(*alerts: Alert, situations: dict[str, Situation] | None = None, most: int | None = None) -> tuple[Item, ...]:
    return items(alerts, situations or {}, RULES, POLICY, PLACES, most=most)


def ids(found: tuple[Item, ...]) -> list[str]:
    return [item.id for item in found]


def jams(count: int, priority: str = "medium", name: str = "jam", **facts: object) -> list[Alert]:
    return [alert(name, f"road_{number:02d}", number, priority, **facts) for number in range(count)]


# One line for one matter ---------------------------------------------------------------------------------


def test_two_rules_on_one_sensor_are_one_line_and_the_worse_leads() -> None:
    usual, unusual = alert("flood", "underpass", 5, "medium"), alert("flood_unusual", "underpass", 2, "high")
    (item,) = listed(usual, unusual)
    assert item == Item(
        kind="single",
        id="flood_unusual:underpass",
        priority="high",
        lead=unusual.key,
        members=(unusual.key, usual.key),
        shown=(unusual.key,),
        first_out=unusual.key,
        unacked=2,
    )


@pytest.mark.parametrize("other", ["flood_silent", "flood_and_rain"])
def test_silence_and_expressions_are_another_matter_than_the_water(other: str) -> None:
    assert len(listed(alert("flood", "underpass"), alert(other, "underpass"))) == 2


def test_of_equals_in_one_item_the_unacknowledged_leads() -> None:
    seen, unseen = alert("flood", "underpass", 2, acked=True), alert("flood_unusual", "underpass", 5)
    (item,) = listed(seen, unseen)
    assert (item.lead, item.members) == (unseen.key, (unseen.key, seen.key))
    assert ids(listed(seen, unseen, alert("jam", "far_road", 0, "critical", acked=True)))[0] == item.id


def test_one_rule_at_three_places_is_one_group() -> None:
    assert [item.kind for item in listed(*jams(2))] == ["single", "single"]
    (group,) = listed(*jams(3))
    assert (group.kind, group.id, len(group.members), group.first_out) == ("group", "jam", 3, ("jam", "road_00"))
    assert group.shown == (("jam", "road_00"),)


def test_a_group_never_hides_its_critical_ones() -> None:
    (group,) = listed(*jams(5), alert("jam", "road_30", 1, "critical"), alert("jam", "road_31", 9, "critical"))
    assert group.priority == "critical"
    assert group.lead == ("jam", "road_30")
    assert set(group.shown) == {("jam", "road_30"), ("jam", "road_31"), ("jam", "road_00")}


def test_what_is_covered_or_normal_is_not_listed() -> None:
    gone = alert("jam", "road", active=False, acked=True)
    assert listed(gone, alert("rain", "gauge", hidden="SHLVD", acked=False)) == ()
    (returned,) = listed(alert("jam", "road", active=False))
    assert returned.unacked == 1


# A cause hides its consequences ---------------------------------------------------------------------------------


def test_the_cause_is_shown_and_says_how_many_it_hides() -> None:
    rain, flood, jam = alert("rain", "gauge", 9), alert("flood", "underpass"), alert("jam", "road", 0, "medium")
    (item,) = listed(rain, flood, jam)
    assert (item.lead, item.members) == (rain.key, (rain.key,))
    assert set(item.inhibited) == keys(flood, jam), "the flood hides the jam, the rain hides the flood"


@pytest.mark.parametrize(
    ("cause", "consequence"),
    [
        (alert("rain", "gauge", priority="medium"), alert("flood", "underpass", priority="high")),  # milder
        (alert("rain", "gauge", priority="critical"), alert("flood", "underpass", priority="critical")),  # critical
        (alert("rain", "gauge", active=False), alert("flood", "underpass")),  # over
        (alert("rain", "gauge", stale=True), alert("flood", "underpass")),  # nobody knows whether it still rains
        (alert("rain", "gauge", hidden="SHLVD"), alert("flood", "underpass")),  # nobody would see either
        (alert("rain", "far_gauge"), alert("flood", "underpass")),  # elsewhere
        (alert("jam", "road"), alert("jam_city", "thanh_lam")),  # one street does not explain the whole city
    ],
)
def test_a_cause_hides_nothing_when(cause: Alert, consequence: Alert) -> None:
    found = listed(cause, consequence)
    assert not any(item.inhibited for item in found)
    assert consequence.key in {key for item in found for key in item.members}


def test_a_silent_source_explains_silent_stations_everywhere() -> None:
    source, station = alert("source", "demo_traffic"), alert("flood_silent", "underpass", priority="medium")
    (item,) = listed(source, station)
    assert item.inhibited == (station.key,)


def test_consequences_come_back_when_the_cause_ends() -> None:
    flood = alert("flood", "underpass", acked=True)
    assert ids(listed(alert("rain", "gauge", acked=True), flood)) == ["rain:gauge"]
    assert ids(listed(alert("rain", "gauge", acked=True, active=False), flood)) == ["flood:underpass"]


def test_rules_that_call_each_other_the_cause_leave_one_in_sight() -> None:
    hen, egg = alert("hen", "gauge", 5), alert("egg", "underpass", 2)
    (item,) = listed(hen, egg)
    assert (item.lead, item.inhibited) == (egg.key, (hen.key,)), "the earlier of equals"


def test_the_first_out_of_a_situation_is_never_hidden() -> None:
    calls = alert("calls", "ward", 1, situation="VV-0001")
    jam = alert("jam", "gauge", 5, situation="VV-0001")
    (item,) = listed(calls, jam, situations=OPEN)
    assert item.inhibited == ()
    assert item.shown == (calls.key,)
    assert item.first_out == calls.key


def test_a_member_of_one_situation_is_not_hidden_in_another() -> None:
    two = {**OPEN, "VV-0002": Situation(id="VV-0002", opened_at=at(6), first_out=("rain", "gauge"))}
    rain, flood = alert("rain", "gauge", situation="VV-0002"), alert("flood", "underpass", situation="VV-0001")
    assert {item.id: item.members for item in listed(rain, flood, situations=two)} == {
        "VV-0002": (rain.key,),
        "VV-0001": (flood.key,),
    }


def test_a_cause_in_a_situation_counts_the_loose_consequence_with_it() -> None:
    rain, flood = alert("rain", "gauge", situation="VV-0001"), alert("flood", "underpass")
    (item,) = listed(rain, flood, situations=OPEN)
    assert (item.id, item.inhibited) == ("VV-0001", (flood.key,))


# Situations ---------------------------------------------------------------------------------


def test_a_situation_is_one_item_and_remembers_what_came_first() -> None:
    rain, jam = alert("rain", "gauge", 0), alert("jam", "road", 9, "critical")
    desk = ledger(rain, jam)
    desk = after(desk, form(desk, RULES, POLICY, PLACES, at(10)))
    (item,) = items(desk.values(), desk.situations, RULES, POLICY, PLACES)
    assert (item.kind, item.id, item.priority, item.lead) == ("situation", "VV-0001", "critical", jam.key)
    assert set(item.shown) == keys(rain, jam)
    assert item.first_out == rain.key
    assert (item.members, item.unacked) == ((jam.key, rain.key), 2)


def test_a_first_out_that_is_over_is_named_and_not_listed() -> None:
    jam = alert("jam", "road", 9, situation="VV-0001")
    (item,) = listed(jam, situations=OPEN)
    assert item.first_out == ("calls", "ward")
    assert item.shown == ()


def test_a_member_of_a_situation_that_is_closed_stands_alone() -> None:
    assert ids(listed(alert("jam", "road", situation="VV-0001"))) == ["jam:road"]


# Order and room ---------------------------------------------------------------------------------


def test_unacknowledged_first_then_priority_then_the_longest_standing() -> None:
    found = listed(
        alert("files", "ward", 1, "low"),
        alert("rain", "far_gauge", 8, "high"),
        alert("jam", "road", 5, "high"),
        alert("calls", "road_01", 0, "critical", acked=True),
        alert("hen", "road_02", 0, "high", acked=True),
    )
    assert ids(found) == ["jam:road", "rain:far_gauge", "files:ward", "calls:road_01", "hen:road_02"]


def many(count: int, priority: str, first: int = 0) -> list[Alert]:
    """So many alerts of so many rules at so many places: nothing to group."""
    return [
        alert(f"unknown_{number:02d}", f"road_{number:02d}", number, priority) for number in range(first, first + count)
    ]


def test_ten_are_ten_and_of_eleven_the_mildest_share_the_last_line() -> None:
    assert len(listed(*many(10, "medium"))) == 10
    found = listed(*many(9, "medium"), *many(2, "low", 20))
    assert len(found) == 10
    assert (found[-1].kind, found[-1].id, len(found[-1].members)) == ("rest", "rest", 2)
    assert set(found[-1].members) == {("unknown_20", "road_20"), ("unknown_21", "road_21")}
    assert found[-1].shown == (("unknown_20", "road_20"),), "its first-out"


def test_a_situation_and_a_group_keep_their_lines_before_singles_of_the_same_priority() -> None:
    situation = alert("calls", "ward", 99, "medium", situation="VV-0001")
    found = listed(situation, *jams(3, "medium"), *many(20, "medium", 10), situations=OPEN, most=3)
    assert {item.kind for item in found} == {"situation", "group", "rest"}


def test_the_rest_is_last_even_when_it_alone_is_unacknowledged() -> None:
    severe = [alert(f"unknown_{n:02d}", f"road_{n:02d}", n, "high", acked=True) for n in range(9)]
    assert listed(*severe, *many(3, "low", 20))[-1].kind == "rest"


def test_too_many_critical_places_are_grouped_by_rule() -> None:
    twins = [alert(name, f"road_{n:02d}", n, "critical") for n in range(0, 20, 2) for name in ("jam", "rain")]
    pairs = [alert(f"unknown_{n // 2}", f"road_{n:02d}", n, "critical") for n in range(20, 32)]
    found = listed(*twins, *pairs)
    assert len(found) == 8
    assert {key for item in found for key in item.shown} == keys(*twins, *pairs)
    assert {item.kind for item in found} == {"group"}


def test_a_mild_one_keeps_its_line_when_the_groups_leave_room_for_it() -> None:
    pairs = [alert(name, f"road_{20 + n}", n, "critical") for name in ("jam", "rain") for n in range(2)]
    found = listed(*pairs, *many(7, "critical"), *many(1, "low", 30))
    assert len(found) == 10
    assert found[-1].id == "unknown_30:road_30"


def test_critical_places_of_many_rules_are_grouped_by_area() -> None:
    places = Places(points={}, areas={f"road_{n:02d}": f"ward {n % 4}" for n in range(40)})
    found = items(many(24, "critical"), {}, RULES, POLICY, places)
    assert sorted(ids(found)) == ["area:ward 0", "area:ward 1", "area:ward 2", "area:ward 3"]
    assert sum(len(item.shown) for item in found) == 24


def test_when_neither_rule_nor_area_helps_all_critical_lines_stand_in_one_item() -> None:
    places = Places(points={}, areas={f"road_{n:02d}": f"ward {n}" for n in range(40)})
    found = items([*many(24, "critical"), *many(3, "low", 30)], {}, RULES, POLICY, places)
    assert ids(found) == ["critical", "unknown_30:road_30", "unknown_31:road_31", "unknown_32:road_32"]
    assert len(found[0].shown) == 24


def test_only_situations_with_a_critical_alert_can_make_the_list_longer() -> None:
    own = {f"VV-{n:04d}": Situation(id=f"VV-{n:04d}", opened_at=at(n), lead="Hà") for n in range(12)}
    members = [alert(f"unknown_{n:02d}", f"road_{n:02d}", n, "critical", situation=f"VV-{n:04d}") for n in range(12)]
    assert len(listed(*members, situations=own)) == 12, "each has an owner who must find it"
    loose = [*many(1, "critical", 20), *many(5, "low", 30)]
    found = listed(*members[:9], *loose, situations=own)
    assert len(found) == 10
    (last,) = [item for item in found if item.kind == "rest"]
    assert ("unknown_20", "road_20") in last.shown
    assert found[-1].kind == "rest", "it is the youngest of the critical items here, not pushed down for being the rest"
    early = [alert("unknown_39", "road_39", -5, "critical"), *loose]
    assert listed(*members[:9], *early, situations=own)[0].kind == "rest"


def test_the_policy_says_how_many_unless_the_caller_does() -> None:
    ten = many(10, "medium")
    assert len(items(ten, {}, RULES, Policy(most_items=4), PLACES)) == 4
    assert len(items(ten, {}, RULES, Policy(most_items=4), PLACES, most=6)) == 6
