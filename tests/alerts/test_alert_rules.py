"""Rule files: what loads, what loads switched off, and what is refused with file, key and remedy."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from alerts.rules import Limit, in_order, load_rules
from core.catalogue import ObservedProperty
from core.config import load_city
from core.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
GOOD = """title_vi = "Mực nước sông vượt báo động"
title_en = "River above alarm level"
observed_property = "river_level"
direction = "above"
deadband = 0.05
on_delay_min = 30
off_delay_min = 120
time_to_act_min = 90
cause = "Mưa lớn ở thượng nguồn."
cause_en = "Heavy rain upstream."
consequence = "Bãi ven sông ngập."
action = "Tuần tra đê."
owner = "Ban Chỉ huy phòng thủ dân sự"
[[level]]
setpoint = "site:alarm_1_m"
priority = "medium"
[[level]]
setpoint = "site:alarm_2_m"
priority = "high"
"""
PLAIN = GOOD.partition("[[level]]")[0] + 'setpoint = 4.3\npriority = "high"\n'
SILENT = """kind = "missing"
title_vi = "Mất tín hiệu"
title_en = "Silent"
observed_property = "river_level"
priority = "low"
time_to_act_min = 60
cause = "a"
consequence = "b"
action = "c"
owner = "d"
"""
CATALOGUE = {
    "river_level": ObservedProperty(
        key="river_level", domain="weather", name_vi="", name_en="", unit="m", stale_after=timedelta(minutes=150)
    ),
    "source_up": ObservedProperty(key="source_up", domain="operations", name_vi="", name_en="", unit="1"),
}
SITES = pd.DataFrame(
    {
        "site_id": ["river_01", "river_02", "rain_01"],
        "kind": ["river_station", "river_station", "rain_gauge"],
        "alarm_1_m": [4.3, 3.9, float("nan")],
        "alarm_2_m": [5.3, float("nan"), float("nan")],
        "note": ["x", "y", "z"],
    }
).set_index("site_id", drop=False)


def load(folder, text, name="river_alarm.toml", catalogue=CATALOGUE, sites=SITES):
    (folder / name).write_text(text, encoding="utf-8")
    (rule,) = load_rules(folder, catalogue, sites)
    return rule


def test_a_complete_rule(tmp_path):
    rule = load(tmp_path, GOOD)
    assert rule.on
    assert rule.key == "river_alarm"
    assert rule.title("en") == "River above alarm level"
    assert rule.title("vi") == "Mực nước sông vượt báo động"
    assert (rule.on_delay, rule.off_delay, rule.time_to_act) == (
        timedelta(minutes=30),
        timedelta(minutes=120),
        timedelta(minutes=90),
    )
    assert rule.text("cause", "en") == "Heavy rain upstream."
    assert rule.text("cause", "vi") == "Mưa lớn ở thượng nguồn."
    assert rule.text("action", "en") == "Tuần tra đê.", "Vietnamese where nobody translated"
    assert rule.stale_after == timedelta(minutes=150), "from the catalogue"
    assert load(tmp_path, "stale_after_min = 40\n" + GOOD).stale_after == timedelta(minutes=40)


def test_setpoints_of_the_site_and_sites_without_them(tmp_path):
    rule = load(tmp_path, GOOD)
    assert rule.limits_at("river_01") == (
        Limit(priority="medium", on_at=4.3, off_at=4.25),
        Limit(priority="high", on_at=5.3, off_at=5.25),
    )
    assert rule.limits_at("river_02") == (Limit(priority="medium", on_at=3.9, off_at=3.85),)
    assert rule.limits_at("rain_01") == rule.limits_at("nowhere") == ()


def test_which_sites_are_judged(tmp_path):
    assert load(tmp_path, PLAIN).limits_at("anything"), "all that report"
    only = load(tmp_path, 'sites = ["river_02"]\n' + PLAIN)
    assert only.limits_at("river_02")
    assert not only.limits_at("river_01")
    kinds = load(tmp_path, 'kinds = ["river_station"]\n' + GOOD)
    assert kinds.limits_at("river_01")
    assert not kinds.limits_at("rain_01")
    source = PLAIN.replace("river_level", "source_up")
    assert load(tmp_path, 'sites = ["hydrology"]\n' + source).limits_at("hydrology"), "sources are no sites"


def test_equality_and_directions(tmp_path):
    above, below = load(tmp_path, PLAIN), load(tmp_path, PLAIN.replace("above", "below"))
    strict = load(tmp_path, "inclusive = false\n" + PLAIN)
    assert (above.reaches(4.3, 4.3), above.reaches(4.2, 4.3)) == (True, False)
    assert (below.reaches(4.3, 4.3), below.reaches(4.4, 4.3)) == (True, False)
    assert (strict.reaches(4.3, 4.3), strict.reaches(4.31, 4.3)) == (False, True)
    assert below.limits_at("river_01")[0].off_at == 4.35
    small = PLAIN.replace("setpoint = 4.3", "setpoint = 0.3").replace("deadband = 0.05", "deadband = 0.1")
    assert load(tmp_path, small).limits_at("river_01")[0].off_at == 0.2, "not 0.19999999999999998"


@pytest.mark.parametrize("name", ["cause", "consequence", "action", "owner", "time_to_act_min"])
def test_a_rule_without_rationale_is_off_and_says_so(tmp_path, name):
    rule = load(tmp_path, re.sub(rf"(?m)^{name} = .*\n", "", GOOD))
    assert not rule.on
    assert name in rule.off_because
    if name != "time_to_act_min":
        assert not load(tmp_path, re.sub(rf"(?m)^{name} = .*\n", f'{name} = "  "\n', GOOD)).on


def test_a_rule_that_the_operator_switched_off(tmp_path):
    assert load(tmp_path, "enabled = false\n" + GOOD).off_because == "enabled = false"


def test_without_a_catalogue_and_without_sites(tmp_path):
    rule = load(tmp_path, PLAIN.replace("river_level", "anything"), catalogue=None, sites=None)
    assert rule.on
    assert rule.stale_after is None
    for text in (GOOD, 'kinds = ["river_station"]\n' + PLAIN):
        assert "sites of a city" in load(tmp_path, text, sites=None).off_because
    assert load(tmp_path, 'sites = ["river_01"]\n' + PLAIN, sites=None).on


def test_a_rule_about_silence(tmp_path):
    rule = load(tmp_path, SILENT)
    assert rule.on
    assert rule.stale_after == timedelta(minutes=150)
    assert [(level.priority, level.setpoint) for level in rule.levels] == [("low", 150)]
    assert load(tmp_path, "stale_after_min = 20\n" + SILENT).stale_after == timedelta(minutes=20)


LEVEL = '[[level]]\nsetpoint = {}\npriority = "{}"\n'
HEAD = GOOD.partition("[[level]]")[0].replace("deadband = 0.05", "deadband = 3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title_vi = ", "not valid TOML"),
        (GOOD.replace("title_vi", "titel_vi"), "unknown key titel_vi"),
        (GOOD.replace('title_vi = "Mực nước sông vượt báo động"', 'title_vi = " "'), "title_vi is empty"),
        (GOOD.replace('title_en = "River above alarm level"', "title_en = 3"), "title_en must be str"),
        (GOOD.replace("river_level", "river_livel"), "observed_property 'river_livel' is not in the catalogue"),
        (GOOD.replace('"above"', '"up"'), "direction 'up' is not one of above, below"),
        (PLAIN.replace('"high"', '"urgent"'), "priority 'urgent' is not one of low"),
        (PLAIN.replace("setpoint = 4.3\n", ""), "give either setpoint"),
        (PLAIN.replace('priority = "high"\n', ""), "the key priority is missing"),
        (PLAIN + LEVEL.format(5, "high"), "give either setpoint"),
        ('priority = "high"\n' + GOOD, "priority belongs into"),
        (PLAIN.replace("4.3", '"alarm_1_m"'), 'must be a number or "site:<attribute>"'),
        (PLAIN.replace("4.3", '"site:"'), 'must be a number or "site:<attribute>"'),
        (PLAIN.replace("4.3", "nan"), "setpoint must be a finite number"),
        (PLAIN.replace("4.3", "true"), "setpoint must be"),
        (GOOD.replace("alarm_2_m", "alarm_9_m"), "no site in sites.toml has that attribute"),
        (GOOD.replace("alarm_2_m", "note"), "no number"),
        ('sites = ["river_02"]\n' + GOOD, "site river_02 does not have it"),
        ('sites = ["river_09"]\n' + GOOD, "'river_09' does not occur in sites.toml"),
        ('kinds = ["river"]\n' + GOOD, "'river' does not occur in sites.toml"),
        ("sites = []\n" + GOOD, "at least one entry"),
        ("kinds = [3]\n" + GOOD, "list of texts"),
        ('sites = ["river_01"]\nkinds = ["river_station"]\n' + GOOD, "give sites or kinds, not both"),
        (PLAIN.replace("deadband = 0.05", "deadband = -1"), "deadband must be 0 or more"),
        (PLAIN.replace("deadband = 0.05", "deadband = inf"), "deadband must be 0 or more"),
        (PLAIN.replace("on_delay_min = 30", "on_delay_min = -5"), "on_delay_min must be 0 or more"),
        (PLAIN.replace("off_delay_min = 120", 'off_delay_min = "2 h"'), "off_delay_min must be int or float"),
        (PLAIN.replace("time_to_act_min = 90", "time_to_act_min = 0"), "time_to_act_min must be more than 0"),
        ("stale_after_min = 0\n" + PLAIN, "stale_after_min must be more than 0"),
        ("enabled = 1\n" + PLAIN, "enabled must be bool"),
        (PLAIN.replace('owner = "Ban Chỉ huy phòng thủ dân sự"', "owner = 5"), "owner must be str"),
        (HEAD + LEVEL.format(10, "high") + LEVEL.format(20, "medium"), "must rise"),
        (HEAD + LEVEL.format(10, "high") + LEVEL.format(20, "high"), "must rise"),
        (HEAD + LEVEL.format(20, "medium") + LEVEL.format(10, "high"), "is not beyond 20"),
        (HEAD + LEVEL.format(10, "medium") + LEVEL.format(10, "high"), "is not beyond 10"),
        (HEAD + LEVEL.format(10, "medium") + LEVEL.format(13, "high"), "deadband 3 lets high clear at 10"),
        (HEAD + LEVEL.format(10, "medium") + LEVEL.format(20, "high") + "colour = 3\n", "number 2: unknown key colour"),
        (HEAD.replace("above", "below") + LEVEL.format(95, "low") + LEVEL.format(96, "high"), "is not beyond 95"),
        (HEAD.replace("above", "below") + LEVEL.format(95, "low") + LEVEL.format(92, "high"), "clear at 95"),
        ("level = [3]\n" + HEAD, "must be written as"),
        ("level = []\n" + HEAD, "must rise"),
        (SILENT + "setpoint = 3\n", "unknown key setpoint"),
        (SILENT.replace('priority = "low"\n', ""), "the key priority is missing"),
        (SILENT.replace('"missing"', '"absent"'), "kind 'absent' is not one of threshold, rate"),
    ],
)
def test_refused(tmp_path, text, words):
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, text)
    assert words in str(refusal.value)
    assert "river_alarm.toml" in str(refusal.value)


RATE = PLAIN.replace("title_vi", 'kind = "rate"\ntitle_vi', 1)
DEVIATION = PLAIN.replace("title_vi", 'kind = "deviation"\ntitle_vi', 1)
COUNT = "".join(line for line in PLAIN.splitlines(keepends=True) if "direction" not in line)
COUNT = 'kind = "count"\n' + COUNT
SCALE = 'kind = "scale"\nscale = "river"\n' + COUNT.partition("\n")[2].replace("setpoint = 4.3", 'class = "I"')
SITES_OF_CITY = pd.DataFrame(
    {
        "site_id": ["city", "river_01"],
        "kind": ["city", "river_station"],
        "area": ["", "90001"],
        "alarm_1_m": [None, 4.3],
    }
).set_index("site_id", drop=False)
CONDITION = 'kind = "expression"\nexpression = "river_level > 4"\npriority = "high"\n' + "".join(
    line
    for line in GOOD.partition("[[level]]")[0].splitlines(keepends=True)
    if not line.startswith(("observed_property", "direction", "deadband"))
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RATE, "the key over_min is missing"),
        (RATE + "over_min = 0\n", "over_min must be more than 0"),
        (PLAIN + "over_min = 60\n", "unknown key over_min"),
        (DEVIATION, "no usual band is kept for river_level"),
        (COUNT, "give either at_least or at_most"),
        (COUNT + "at_least = 1\nat_most = 3\n", "give either at_least or at_most"),
        (COUNT + "at_least = inf\n", "at_least must be a finite number"),
        (COUNT + 'counts = "events"\nat_least = 1\n', "at_least says nothing"),
        (COUNT + 'counts = "drops"\n', "counts 'drops' is not one of values, events"),
        (COUNT + "at_least = 3\n", "the key window_min is missing"),
        (COUNT + 'direction = "above"\n', "unknown key direction"),
        (SCALE.replace('"river"', '"beaufort"'), "scale 'beaufort' is not one of vn_aqi, river"),
        (SCALE.replace('"I"', '"IV"'), "class 'IV' is not one of I, II, III"),
        (SCALE.replace('scale = "river"', 'scale = "vn_aqi"'), "the scale vn_aqi is made for vn_aqi, vn_aqi_daily"),
        (SCALE + "setpoint = 3\n", "unknown key setpoint"),
        (PLAIN.replace('"above"', '"outside"'), "setpoint must be list"),
        (PLAIN.replace('"above"', '"outside"').replace("4.3", "[5, 4]"), "setpoint must be [low, high]"),
        (PLAIN.replace('"above"', '"outside"').replace("4.3", "[4]"), "setpoint must be [low, high]"),
        (PLAIN.replace('"above"', '"outside"').replace("4.3", "[4, 4.1]"), "leaves nothing of the range 4 to 4.1"),
        (
            HEAD.replace("above", "outside") + LEVEL.format("[10, 30]", "low") + LEVEL.format("[8, 40]", "high"),
            "less the deadband 3, must lie around 10 to 30 (low)",
        ),
        (CONDITION.replace("river_level", "river_livel"), "river_alarm.toml: expression: in the expression"),
        (CONDITION.replace("river_level", "river_livel"), "(near: river_level)"),
        (CONDITION + "deadband = 1\n", "deadband says nothing beside a condition"),
        (CONDITION.replace('priority = "high"\n', ""), "the key priority is missing"),
        (CONDITION.replace("river_level > 4", "river_level"), "the key direction is missing"),
        (CONDITION + 'scope = "planet"\n', "scope 'planet' is not one of site, area, city"),
        (CONDITION + 'scope = "area"\n', "needs a site of kind area"),
        (CONDITION + 'scope = "city"\nkinds = ["river_station"]\n', "leave sites and kinds out"),
        (CONDITION.replace("river_level > 4", "alert('river_alarm')"), "the key observed_property is missing"),
        (
            CONDITION.replace("river_level > 4", "at('river_01', river_level) > 4"),
            "the expression reads nothing at the site itself",
        ),
        (CONDITION.replace("river_level > 4", "at('river_1', river_level) > 4 or river_level > 9"), "no such site"),
        (CONDITION.replace("river_level > 4", "at('river_1', river_level) > 4 or river_level > 9"), "(near: river_01)"),
        (PLAIN + 'suppress_when = "river_level"\n', "suppress_when must be a condition"),
        (PLAIN + 'suppress_when = "alert(\\"rain\\")"\n', "alert(): there is no rule 'rain'"),
        (PLAIN + 'suppress_scope = "city"\n', "suppress_scope says nothing without suppress_when"),
        (
            PLAIN + 'consequence_of = ["river_alert"]\n',
            "consequence_of: there is no rule 'river_alert' (near: river_alarm)",
        ),
        (PLAIN + 'consequence_of = ["river_alarm"]\n', "consequence_of goes in a circle"),
        (PLAIN + 'suppress_when = "alert(\\"river_alarm\\")"\n', "asks in a circle"),
        (PLAIN + "realarm_min = 0\n", "realarm_min must be more than 0"),
        (PLAIN + "ack_expires_min = -1\n", "ack_expires_min must be 0 or more"),
        (PLAIN + 'domain = "sport"\n', "domain 'sport' is not one of"),
        (SILENT + "latching = true\n", "unknown key latching"),
    ],
)
def test_other_kinds_refused(tmp_path, text, words):
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, text, sites=SITES_OF_CITY)
    assert words in str(refusal.value)


def test_a_deviation_needs_a_floor_for_its_spread(tmp_path):
    usual = {"river_level": replace(CATALOGUE["river_level"], baseline=True)}
    with pytest.raises(ConfigError, match="the key least_spread is missing"):
        load(tmp_path, DEVIATION, catalogue=usual)
    with pytest.raises(ConfigError, match="least_spread must be more than 0"):
        load(tmp_path, DEVIATION + "least_spread = 0\n", catalogue=usual)
    with pytest.raises(ConfigError, match="least_n must be 1 or more"):
        load(tmp_path, DEVIATION + "least_spread = 1\nleast_n = 0\n", catalogue=usual)
    rule = load(tmp_path, DEVIATION + "least_spread = 0.5\n", catalogue=usual)
    assert (rule.least_spread, rule.least_n) == (0.5, 4)


def test_what_a_rule_says_about_its_life(tmp_path):
    rule = load(tmp_path, PLAIN)
    assert (rule.kind, rule.domain, rule.latching, rule.realarm_after) == ("threshold", "weather", False, None)
    assert rule.ack_expires_after == timedelta(minutes=30)
    more = "latching = true\nrealarm_min = 60\nack_expires_min = 0\n" + PLAIN
    rule = load(tmp_path, 'domain = "traffic"\n' + more)
    assert (rule.domain, rule.latching, rule.realarm_after) == ("traffic", True, timedelta(minutes=60))
    assert rule.ack_expires_after is None, "0: never"
    assert load(tmp_path, SILENT).domain == "operations"
    assert load(tmp_path, PLAIN.replace("river_level", "source_up")).domain == "operations"


def test_a_rule_knows_what_it_reads(tmp_path):
    (tmp_path / "other.toml").write_text(PLAIN, encoding="utf-8")
    text = PLAIN + 'suppress_when = "at(\\"hydrology\\", source_up) < 1 or alert(\\"other\\")"\n'
    (tmp_path / "river_alarm.toml").write_text(text + 'consequence_of = ["other"]\n', encoding="utf-8")
    other, rule = load_rules(tmp_path, CATALOGUE, SITES)
    assert rule.properties == ("river_level", "source_up")
    assert (rule.waits_for, rule.consequence_of) == (("other",), ("other",))
    assert [one.key for one in in_order([rule, other])] == ["other", "river_alarm"]
    assert rule.stale_by_property == {"source_up": CATALOGUE["source_up"].stale_after}


def test_where_the_alert_of_an_expression_stands(tmp_path):
    city = load(tmp_path, CONDITION + 'scope = "city"\n', sites=SITES_OF_CITY)
    assert city.only_sites == {"city"}
    assert city.observed_property == "river_level"
    assert city.suppress_scope == "city"
    assert city.levels[0].setpoint == 1.0
    assert "sites of a city" in load(tmp_path, CONDITION + 'scope = "city"\n', sites=None).off_because


def test_level_order_is_checked_at_each_site(tmp_path):
    wrong = SITES.assign(alarm_2_m=[4.3, 4.8, float("nan")])
    with pytest.raises(ConfigError, match=r"site river_01: setpoint 4\.3"):
        load(tmp_path, GOOD, sites=wrong)


def test_silence_needs_a_span(tmp_path):
    with pytest.raises(ConfigError, match="stale_after_min is missing"):
        load(tmp_path, SILENT, catalogue=None)


def test_file_names_are_keys(tmp_path):
    with pytest.raises(ConfigError, match=r"River-Alarm\.toml: the file name is the rule's key"):
        load(tmp_path, PLAIN, name="River-Alarm.toml")


def test_a_folder_without_rules(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match="no alert rule"):
            load_rules(folder, None, None)


CITIES = sorted(path.parent.name for path in (ROOT / "config").glob("*/alerts"))


def test_both_cities_have_rules():
    assert {"demo", "bac_giang"} <= set(CITIES)


@pytest.mark.parametrize("city_key", CITIES)
def test_every_rule_of_a_city_is_on_and_complete_in_two_languages(city_key):
    rules = load_rules(ROOT / "config" / city_key / "alerts", None, load_city(city_key).sites)
    assert rules
    for rule in rules:
        assert rule.on, f"{rule.key}: {rule.off_because}"
        for name in ("cause", "consequence", "action", "owner"):
            assert rule.text(name, "vi") != rule.text(name, "en"), f"{rule.key}: {name} is not translated"
        assert rule.only_sites != frozenset(), f"{rule.key} judges no site"


def test_the_underpasses_close_at_their_own_depth():
    rules = load_rules(ROOT / "config" / "demo" / "alerts", None, load_city("demo").sites)
    by_key = {rule.key: rule for rule in rules}
    underpass = by_key["underpass_flood"].limits_at("flood_01")
    assert [(limit.priority, limit.on_at) for limit in underpass] == [("medium", 10), ("high", 20), ("critical", 25)]
    assert by_key["road_flood"].limits_at("flood_01") == (), "one flooded place, one alert"
    assert by_key["road_flood"].limits_at("flood_02")[-1].on_at == 30
    river = by_key["river_alarm"].limits_at("river_01")
    assert [(limit.priority, limit.on_at) for limit in river] == [("medium", 4.3), ("high", 5.3), ("critical", 6.3)]


def test_a_model_never_rings_critical():
    rules = load_rules(ROOT / "config" / "bac_giang" / "alerts", None, load_city("bac_giang").sites)
    modelled = [rule for rule in rules if "mô hình" in rule.title_vi]
    assert {rule.key for rule in modelled} == {"air_quality", "heat_index", "heavy_rain", "rain_24h"}
    assert all(level.priority != "critical" for rule in modelled for level in rule.levels)
    assert all("mô hình" in rule.text("cause", "vi").lower() for rule in modelled)
