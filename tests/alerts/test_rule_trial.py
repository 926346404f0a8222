"""A rule tried on history: counts by hand, floods and chattering to the minute, cures that lose nothing that lasted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from alerts.engine import evaluate
from alerts.rules import altered, load_rules
from alerts.trial import Activation, count_chattering, count_floods, suggest_cure, try_rule
from core.catalogue import ObservedProperty
from core.errors import ConfigError, InputError
from core.observations import empty, frame

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TEXTS = 'title_vi = "a"\ntitle_en = "a"\ncause = "a"\nconsequence = "b"\naction = "c"\nowner = "d"\n'
FLOOD = """time_to_act_min = 60
observed_property = "flood_depth"
direction = "above"
setpoint = 10
priority = "high"
"""
LEVELS = """time_to_act_min = 60
observed_property = "flood_depth"
direction = "above"
[[level]]
setpoint = 10
priority = "medium"
[[level]]
setpoint = 20
priority = "critical"
"""
SILENT = """kind = "missing"
time_to_act_min = 60
observed_property = "flood_depth"
stale_after_min = 20
priority = "low"
"""
CATALOGUE = {
    key: ObservedProperty(
        key=key, domain="weather", name_vi=key, name_en=key, unit="cm", stale_after=timedelta(minutes=15)
    )
    for key in ("flood_depth", "source_up")
}


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def rule_of(folder, text, key="flood"):
    (folder / f"{key}.toml").write_text(TEXTS + text, encoding="utf-8")
    rules = load_rules(folder, CATALOGUE, None)
    return next(rule for rule in rules if rule.key == key)


def depths(values, site_id="flood_01", step=5):
    return frame(
        [
            {"time": at(step * place), "site_id": site_id, "observed_property": "flood_depth", "value": value}
            for place, value in enumerate(values)
            if value is not None
        ],
        source="test",
    )


def tried(rule, data, minutes=1440, **more):
    return try_rule(rule, data, since=at(-1), until=at(minutes), **more)


def test_figures_by_hand(tmp_path):
    rule = rule_of(tmp_path, LEVELS)
    data = pd.concat([depths([0, 12, 12, 25, 0, 0, 15, 0]), depths([0, 30, 0], "flood_02"), depths([0], "flood_03")])
    trial = tried(rule, data)
    assert (trial.rings, trial.suppressed, trial.floods, trial.chattering) == (4, 0, 0, 0)
    assert trial.by_site == {"flood_01": 3, "flood_02": 1}
    assert [one.priority for one in trial.activations] == ["critical", "critical", "medium"]
    assert trial.longest == timedelta(minutes=15)
    assert trial.median == timedelta(minutes=5)
    assert trial.fleeting == 3, "all were over within half of the hour to act"
    assert trial.rung_at == (at(5), at(5), at(15), at(30))
    assert len(trial.judged) == 12
    assert set(trial.judged.columns) == {"time", "site_id", "value"}
    assert trial.words("en") == "would have rung 4 times in 1 days, 0 floods, 0 chattering"
    assert trial.words("vi") == "sẽ reo 4 lần trong 1 ngày, 0 trận dồn dập, 0 lần chập chờn"


def test_the_same_as_the_live_engine(tmp_path):
    rule = rule_of(tmp_path, "deadband = 3\n" + LEVELS)
    data = pd.concat([depths([0, 12, 8, 25, 12, 0, 15, 0]), depths([0, 30, None, None, 0], "flood_02")])
    _, events = evaluate([rule], data, {}, now=at(40), in_time=True)
    live = [(event.happened_at, event.site_id, event.deed, event.value) for event in events if event.deed != "stale"]
    trial = tried(rule, data, minutes=40)
    assert sorted((e.happened_at, e.site_id, e.deed, e.value) for e in trial.events) == sorted(live)


def test_only_the_span_counts_and_a_switched_off_rule_can_be_tried(tmp_path):
    rule = rule_of(tmp_path, "enabled = false\n" + FLOOD)
    data = depths([12, 0, 12, 0, 12, 0])
    trial = try_rule(rule, data, since=at(5), until=at(15))
    assert trial.rung_at == (at(10),)
    assert trial.days == pytest.approx(10 / 1440)
    with pytest.raises(InputError, match="before it begins"):
        try_rule(rule, data, since=at(5), until=at(5))
    assert tried(rule, empty()).rings == 0
    assert tried(rule, empty()).longest is None


def test_what_still_stands_at_the_end_has_lasted_so_far(tmp_path):
    trial = tried(rule_of(tmp_path, FLOOD), depths([0, 12, 12]), minutes=60)
    assert trial.activations[0].ended_at is None
    assert (trial.longest, trial.fleeting) == (timedelta(minutes=55), 0)


def test_silence_is_tried_on_the_clock(tmp_path):
    trial = tried(rule_of(tmp_path, SILENT), depths([1, 1, None, None, None, None, None, 1, 1]), minutes=50)
    assert [event.deed for event in trial.events] == ["raise", "clear"]
    assert trial.events[0].happened_at == at(25) + timedelta(microseconds=1)
    assert trial.events[1].happened_at == at(35)
    assert tried(rule_of(tmp_path, SILENT), depths([1, 1]), minutes=50).rings == 1, "silent until the end"


def test_what_suppression_would_have_covered_is_counted_apart(tmp_path):
    rule = rule_of(tmp_path, FLOOD + "suppress_when = 'at(\"pumps\", source_up) < 1'\n")
    up = frame(
        [
            {"time": at(minute), "site_id": "pumps", "observed_property": "source_up", "value": value}
            for minute, value in ((0, 1.0), (10, 0.0), (20, 1.0))
        ],
        source="house",
    )
    trial = tried(rule, pd.concat([up, depths([0, 12, 0, 12, 0, 12, 0])]))
    assert (trial.rings, trial.suppressed) == (2, 1)
    assert trial.rung_at == (at(5), at(25))


def test_a_rule_that_asks_about_another(tmp_path):
    rule_of(tmp_path, FLOOD)
    asks = 'kind = "expression"\ntime_to_act_min = 9\npriority = "low"\n'
    asks += 'expression = "alert(\\"flood\\") and flood_depth < 30"\n'
    rules = [rule_of(tmp_path, asks, "asks"), rule_of(tmp_path, FLOOD)]
    data = depths([0, 12, 40, 12, 0])
    assert [event.deed for event in tried(rules[0], data, others=rules).events] == ["raise", "clear", "raise", "clear"]
    assert tried(rules[0], data).rings == 0, "unasked, no such alert stands"


def test_progress_is_told(tmp_path):
    seen: list[float] = []
    data = pd.concat([depths([0, 12], "flood_01"), depths([0], "flood_02")])
    tried(rule_of(tmp_path, FLOOD), data, progress=seen.append)
    assert seen == [0.5, 1.0]


def test_a_flood_begins_above_ten_in_ten_minutes():
    """The vector of the alarm reference: rings at 0, 1, … 10 min. (0, 10] holds ten of them, and [0, 10] eleven."""
    assert count_floods([at(minute) for minute in range(11)]) == 0
    assert count_floods([at(minute * 0.9) for minute in range(11)]) == 1
    one = [at(minute / 10) for minute in range(12)]
    again = [at(20 + minute / 10) for minute in range(12)]
    assert count_floods([*one, *again]) == 2
    between = [at(3 + 1.5 * number) for number in range(12)]
    assert count_floods([*one, *between, *again]) == 1, "never fewer than five: one long spell"
    five_left = [at(3 + 1.9 * number) for number in range(9)]
    assert count_floods([*one, *five_left, *again]) == 1, "over when fewer than five are left, and here five are"
    assert count_floods([]) == 0


def test_chattering_is_three_at_one_site_within_the_span():
    def began(*minutes, site_id="a"):
        return [Activation(site_id=site_id, began_at=at(m), ended_at=None, priority="low") for m in minutes]

    span = timedelta(minutes=50)
    assert count_chattering(began(0, 20, 49), span) == 3
    assert count_chattering(began(0, 20, 50), span) == 0, "half-open: (0, 50] holds two"
    assert count_chattering([*began(0, 20), *began(40, site_id="b")], span) == 0
    assert count_chattering(began(0, 10, 20, 30, 200), span) == 4


def test_a_calm_rule_needs_no_cure(tmp_path):
    cure = suggest_cure(rule_of(tmp_path, FLOOD), depths([0] * 5 + [12] * 20 + [0] * 5), since=at(-1), until=at(200))
    assert (cure.outcome, cure.changes, cure.after) == ("not_needed", {}, None)
    assert cure.words("en") == "No cure needed."
    assert cure.words("vi") == "Không cần hiệu chỉnh."


def test_an_off_delay_cures_water_that_laps_at_the_limit(tmp_path):
    """Two hours around 10 cm: every wave rings. One off-delay makes one alert of it, at the same moment."""
    lapping = [0, *[11, 9] * 12, *[0] * 40]
    cure = suggest_cure(rule_of(tmp_path, FLOOD), depths(lapping), since=at(-1), until=at(600))
    assert cure.before.chattering == 12
    assert (cure.outcome, dict(cure.changes)) == ("found", {"off_delay_min": 5.0})
    assert (cure.after.rings, cure.after.chattering) == (1, 0)
    assert cure.words("en") == "off_delay_min = 5: rings 1 times instead of 12; none of them lasted."


def test_an_on_delay_cures_splashes_and_keeps_the_flood(tmp_path):
    """Lone splashes an hour apart, and one flood of two hours, which then rings five minutes later."""
    splashes = ([0] * 12 + [40]) * 8
    flood = [0] * 12 + [40] * 24 + [0] * 12
    cure = suggest_cure(rule_of(tmp_path, FLOOD), depths(splashes + flood), since=at(-1), until=at(2000))
    assert cure.before.fleeting == 8
    assert (cure.outcome, dict(cure.changes)) == ("found", {"on_delay_min": 5.0})
    assert (cure.lasting, cure.kept, cure.later) == (1, 1, timedelta(minutes=5))
    assert cure.after.rings == 1
    assert "5 phút" in cure.words("vi")


def test_a_cure_that_would_lose_what_lasted_is_none(tmp_path):
    """Splashes of 25 minutes: only a delay beyond half of the time to act would stop them, and it is not offered."""
    rule = rule_of(tmp_path, FLOOD.replace("= 60", "= 55"))
    data = depths(([0] * 60 + [40] * 5) * 6 + [0])
    cure = suggest_cure(rule, data, since=at(-1), until=at(5 * 65 * 6))
    assert (cure.before.fleeting, cure.outcome, cure.after) == (6, "not_found", None)
    assert cure.words("en").startswith("No cure found")
    assert cure.words("vi").startswith("Không tìm được")


def test_a_cure_must_not_lose_an_alert_that_lasted(tmp_path):
    """Waves of ten minutes for two hours are one long alert thanks to the off-delay; an on-delay would never see it."""
    rule = rule_of(tmp_path, "off_delay_min = 20\n" + FLOOD.replace("= 60", "= 90"))
    splashes = ([0] * 24 + [40]) * 6
    waves = [0] * 24 + [40, 0] * 12 + [0] * 24
    cure = suggest_cure(rule, depths(splashes + waves), since=at(-1), until=at(5 * 250))
    assert (cure.before.fleeting, cure.lasting) == (6, 1)
    assert cure.outcome == "not_found"


def test_short_silences_are_cured_by_patience(tmp_path):
    """Values every five minutes, six gaps of 25 minutes and one of three hours."""
    values = ([1] * 20 + [None] * 4) * 6 + [1] * 5 + [None] * 36 + [1] * 5
    cure = suggest_cure(rule_of(tmp_path, SILENT), depths(values), since=at(-1), until=at(5 * (len(values) - 1)))
    assert cure.before.rings == 7
    assert (cure.outcome, dict(cure.changes)) == ("found", {"stale_after_min": 25.0})
    assert (cure.after.rings, cure.lasting, cure.kept) == (1, 1, 1)


def test_other_figures_can_be_tried(tmp_path):
    rule = rule_of(tmp_path, LEVELS)
    changed = altered(rule, {"setpoint:medium": 12.0, "deadband": 2.0, "on_delay_min": 10.0, "off_delay_min": 20.0})
    assert [(limit.on_at, limit.off_at) for limit in changed.limits] == [(12.0, 10.0), (20.0, 18.0)]
    assert (changed.on_delay, changed.off_delay) == (timedelta(minutes=10), timedelta(minutes=20))
    assert altered(rule, {}) == rule
    silent = altered(rule_of(tmp_path, SILENT, "silent"), {"stale_after_min": 45.0})
    assert (silent.stale_after, silent.levels[0].setpoint) == (timedelta(minutes=45), 45.0)
    for changes, words in (
        ({"setpoint:high": 3.0}, "cannot be tried; known are"),
        ({"colour": 3.0}, "cannot be tried; known are"),
        ({"deadband": -1.0}, "0 or more"),
        ({"on_delay_min": float("nan")}, "finite"),
    ):
        with pytest.raises(InputError, match=words):
            altered(rule, changes)
    with pytest.raises(ConfigError, match="is not beyond"):
        altered(rule, {"setpoint:medium": 25.0})
    with pytest.raises(InputError, match="stale_after_min alone"):
        altered(rule_of(tmp_path, SILENT, "silent"), {"deadband": 1.0})


def test_setpoints_of_sites_keep_their_own_value_when_the_deadband_is_tried(tmp_path):
    (tmp_path / "flood.toml").write_text(TEXTS + FLOOD.replace("= 10\n", '= "site:limit_cm"\n'), encoding="utf-8")
    sites = pd.DataFrame({"site_id": ["flood_01"], "kind": "flood_sensor", "limit_cm": [25.0]})
    (rule,) = load_rules(tmp_path, CATALOGUE, sites.set_index("site_id", drop=False))
    changed = altered(rule, {"deadband": 5.0})
    assert [(limit.on_at, limit.off_at) for limit in changed.limits_at("flood_01")] == [(25.0, 20.0)]
    with pytest.raises(InputError, match="cannot be tried"):
        altered(rule, {"setpoint:high": 5.0})
