"""What holds in any storm: nothing is lost from the list, no critical alert is hidden, hands are obeyed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.refusals import Refused
from alerts.situations import Places, Policy, form, items, join, split
from core.alert import PRIORITIES, Alert, Key
from core.ledger import Ledger
from tests.alerts.city import RULES, after, alert, at

PLACES = Places(
    points={f"s{number}": (0.9 * number, 0.0) for number in range(8)},
    areas={f"s{number}": f"ward {number // 3}" for number in range(6)},
)
SITES = [*PLACES.points, "city"]
COVERS = [None, None, None, None, "SHLVD", "DSUPR", "OOSRV"]
alerts = st.builds(
    lambda name, site, minute, priority, active, acked, latched, cover, stale: alert(
        name,
        site,
        minute,
        priority,
        active=active,
        acked=acked,
        latched=latched and not active,
        hidden=cover,
        stale=stale,
        cleared_at=None if active else at(minute + 5),
    ),
    st.sampled_from([*RULES, "forgotten"]),
    st.sampled_from(SITES),
    st.integers(0, 180),
    st.sampled_from(PRIORITIES),
    st.sampled_from([True, True, True, False]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(COVERS),
    st.sampled_from([False, False, True]),
)
floods = st.lists(st.lists(alerts, max_size=25), min_size=1, max_size=4)
policies = st.builds(Policy, most_items=st.integers(2, 10), group_from=st.integers(2, 4))
hands = st.lists(
    st.tuples(st.sampled_from(["join", "new", "split"]), st.integers(0, 30), st.integers(0, 5)), max_size=6
)


def received(desk: Ledger, changed: list[Alert]) -> Ledger:
    """New facts of alerts; what grouping wrote stays, as the engine keeps it."""
    news = {}
    for one in changed:
        old = desk.get(one.key)
        news[one.key] = replace(one, situation=old.situation, placed_by=old.placed_by) if old else one
    return Ledger(alerts={**desk.alerts, **news}, situations=desk.situations, next_situation=desk.next_situation)


def handled(desk: Ledger, deed: tuple[str, int, int], minute: int) -> Ledger:
    """One person does something, or is refused."""
    what, place, number = deed
    known = sorted(desk)
    open_ones = sorted(desk.situations)
    if not known or (what == "join" and not open_ones):
        return desk
    key = known[place % len(known)]
    try:
        if what == "split":
            return after(desk, split(desk, [key], "Hà", at(minute)))
        target = open_ones[number % len(open_ones)] if what == "join" else ""
        return after(desk, join(desk, [key], target, "Hà", at(minute)))
    except Refused:
        return desk


@settings(max_examples=150, deadline=None)
@given(floods, hands, policies)
def test_forming_is_settled_determined_and_obeys_hands(
    rounds: list[list[Alert]], deeds: list[tuple[str, int, int]], policy: Policy
) -> None:
    desk, minute = Ledger(alerts={}), 200
    for number, changed in enumerate(rounds):
        desk = received(desk, changed)
        for deed in deeds[number :: len(rounds)]:
            desk = handled(desk, deed, minute)
        outcome = form(desk, RULES, policy, PLACES, at(minute))
        assert outcome == form(desk, RULES, policy, PLACES, at(minute)), "the same every time"
        formed = after(desk, outcome)
        assert not any(form(formed, RULES, policy, PLACES, at(minute))), "twice is once"
        for key, before in desk.items():
            if before.placed_by and before.state != "NORM" and before.situation in {*formed.situations, ""}:
                assert formed[key].situation == before.situation, "a hand placed it"
                assert formed[key].placed_by == before.placed_by
            facts = ("active", "acked", "latched", "hidden", "priority", "raised_at", "began_at")
            assert all(getattr(formed[key], name) == getattr(before, name) for name in facts)
            if before.hidden and not before.situation:
                assert formed[key].situation == "", "what is covered joins nothing"
        members: dict[str, list[Key]] = {}
        for one in formed.values():
            if one.situation:
                members.setdefault(one.situation, []).append(one.key)
        assert set(members) == set(formed.situations), "no member without a situation, no situation without a member"
        assert all(situation.first_out in formed for situation in formed.situations.values())
        told = Counter(event.deed for event in outcome.events)
        moved = sum(formed[key].situation != before.situation for key, before in desk.items())
        assert told["join"] + told["split"] >= moved, "every move is in the journal"
        desk, minute = formed, minute + 20


@settings(max_examples=250, deadline=None)
@given(st.lists(alerts, max_size=60), policies)
def test_every_listed_alert_is_in_exactly_one_item_and_every_critical_one_is_shown(
    found: list[Alert], policy: Policy
) -> None:
    desk = received(Ledger(alerts={}), found)
    desk = after(desk, form(desk, RULES, policy, PLACES, at(200)))
    listed = items(desk.values(), desk.situations, RULES, policy, PLACES)
    expected = {one.key for one in desk.values() if one.hidden is None and one.truth != "NORM"}
    counted = Counter(key for item in listed for key in (*item.members, *item.inhibited))
    assert counted == Counter(expected)
    assert len({item.id for item in listed}) == len(listed)
    critical = {key for key in expected if desk[key].priority == "critical"}
    assert critical <= {key for item in listed for key in item.shown}
    severe = sum(item.kind == "situation" and item.priority == "critical" for item in listed)
    assert len(listed) <= max(policy.most_items, severe + 1)
    for item in listed:
        assert set(item.shown) <= set(item.members)
        assert item.lead == item.members[0]
        ranks = [PRIORITIES.index(desk[key].priority) for key in item.members]
        assert PRIORITIES[max(ranks)] == item.priority == desk[item.lead].priority
        assert item.unacked == sum(not desk[key].acked for key in item.members)
        assert item.first_out in item.shown or item.kind == "situation"
        if item.first_out in expected:
            assert item.first_out in item.shown
        for key in item.inhibited:
            assert desk[key].priority != "critical"
            assert any(desk[cause].active and not desk[cause].stale for cause in item.members)
    shuffled = items(reversed(list(desk.values())), desk.situations, RULES, policy, PLACES)
    assert shuffled == listed, "the order of the input does not matter"
