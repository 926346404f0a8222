"""The catalogue: what the shipped one holds, what a limit means, and what a wrong entry is told."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import indicators
from core.catalogue import (
    DIRECTIONS,
    DOMAINS,
    LEVELS,
    Catalogue,
    Indicator,
    ObservedProperty,
    Threshold,
    load_properties,
)
from core.errors import ConfigError

DAY = date(2026, 9, 15)
RAIN = ObservedProperty(key="rainfall", domain="weather", name_vi="Mưa", name_en="Rain", unit="mm", unit_vi="mm")


def computed(**changes):
    return Indicator(
        **{
            "key": "rain_1h",
            "code": "TT-01",
            "domain": "weather",
            "name_vi": "Mưa 1 giờ",
            "name_en": "Rain 1 h",
            "unit": "mm",
            "formula": "Σ",
            "reference": "ours",
            "needs": ("rainfall",),
            "window": timedelta(hours=1),
            **changes,
        }
    )


# -- the shipped one ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    found = indicators.catalogue()
    assert len(found) > 50
    return found


def test_every_entry_can_be_shown_to_people_in_both_languages(shipped):
    for key, item in shipped.items():
        assert item.key == key
        for name in (item.name_vi, item.name_en):
            assert name == name.strip()
            assert name, key
            assert unicodedata.is_normalized("NFC", name), key
        assert bool(item.unit_vi) == bool(item.unit_en), key
        assert item.domain in DOMAINS
        assert item.direction in DIRECTIONS


def test_every_entry_has_a_rhythm_and_a_range_that_make_sense(shipped):
    for key, item in shipped.items():
        assert timedelta(0) < item.period <= item.stale_after, key
        assert item.low < item.high, key
        assert 0 <= item.decimals <= 3, key
        assert item.aggregation in ("mean", "sum", "max", "min", "last"), key


def test_limits_get_worse_from_watch_to_critical_and_say_where_they_come_from(shipped):
    limited = [item for item in shipped.indicators() if item.thresholds]
    assert limited
    for item in limited:
        for one in item.thresholds:
            assert one.level in LEVELS, item.key
            assert one.basis in ("law", "standard", "ours"), item.key
            assert one.reference or one.basis == "ours", item.key
            assert item.low <= one.value <= item.high, item.key
        today = {one.level: one.value for one in item.thresholds if one.holds_on(DAY)}
        steps = [today[level] for level in LEVELS if level in today]
        assert steps == sorted(steps, reverse=item.direction == "higher"), item.key


def test_codes_are_given_once(shipped):
    codes = [item.code for item in shipped.indicators()]
    assert codes == sorted(set(codes))


def test_needs_are_provided_and_nobody_needs_himself(shipped):
    for item in shipped.indicators():
        assert item.needs, item.key
        assert item.key not in item.needs


# -- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "inclusive", "value", "crossed"),
    [
        ("lower", True, 49.9, False),
        ("lower", True, 50.0, True),
        ("lower", False, 50.0, False),  # «must not exceed»: equality still complies
        ("lower", False, 50.1, True),
        ("higher", True, 50.1, False),
        ("higher", True, 50.0, True),
        ("higher", False, 50.0, False),
        ("higher", False, 49.9, True),
    ],
)
def test_where_a_limit_begins(direction, inclusive, value, crossed):
    assert Threshold(level="watch", value=50, inclusive=inclusive).crossed(value, direction) is crossed


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_a_limit_holds_from_its_first_to_its_last_day(day, holds):
    limit = Threshold(level="watch", value=50, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    assert limit.holds_on(day) is holds
    assert Threshold(level="watch", value=50).holds_on(day)


def test_the_worst_level_that_is_in_force_is_told():
    item = computed(
        thresholds=(
            Threshold(level="critical", value=80, valid_from=date(2027, 1, 1)),
            Threshold(level="watch", value=30),
            Threshold(level="warning", value=50),
        )
    )
    assert [item.level(value, DAY) for value in (29.9, 30, 50, 200)] == [None, "watch", "warning", "warning"]
    assert item.level(200, date(2027, 1, 1)) == "critical"


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([RAIN, RAIN], "the key rainfall is given twice"),
        ([RAIN, computed(companions=(replace(RAIN),))], "the key rainfall is given twice"),
        ([replace(RAIN, domain="meteo")], "rainfall: domain meteo"),
        ([replace(RAIN, direction="down")], "rainfall: direction down"),
        ([computed()], "rain_1h needs rainfall, which nobody provides"),
    ],
)
def test_a_wrong_catalogue_does_not_start(items, words):
    with pytest.raises(ConfigError) as caught:
        Catalogue(items)
    assert words in str(caught.value)


def test_an_indicator_may_need_what_another_one_computes():
    daily = computed(key="rain_24h", code="TT-02", needs=("rain_1h",))
    catalogue = Catalogue([daily, computed(), RAIN])
    assert [item.key for item in catalogue.indicators()] == ["rain_1h", "rain_24h"]
    assert catalogue["rain_24h"] is daily
    assert "rain_7d" not in catalogue


def test_companions_have_a_place_of_their_own():
    gauges = replace(RAIN, key="rain_gauges", unit="1", unit_vi="")
    catalogue = Catalogue([RAIN, computed(companions=(gauges,))])
    assert catalogue["rain_gauges"] is gauges
    assert len(catalogue.indicators()) == 1


# -- files ----------------------------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    (folder / "weather.toml").write_text(text, encoding="utf-8")
    return folder


GOOD = 'domain = "weather"\nname_vi = "Mưa"\nname_en = "Rain"\nunit = "mm"\n'


def test_a_file_gives_properties_with_their_minutes(tmp_path):
    text = f"[rainfall]\n{GOOD}period_min = 10\nstale_after_min = 30\nlow = 0.0\n"
    (found,) = load_properties(written(tmp_path, text))
    assert (found.key, found.period, found.stale_after) == ("rainfall", timedelta(minutes=10), timedelta(minutes=30))
    assert (found.low, found.high) == (0.0, float("inf"))
    assert (found.name("vi"), found.name("en"), found.unit_label("vi")) == ("Mưa", "Rain", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[rainfall]\n{GOOD}perod_min = 10\n", "weather.toml: [rainfall]: unknown key perod_min"),
        ('[rainfall]\ndomain = "weather"\nname_vi = "Mưa"\nunit = "mm"\n', "weather.toml: [rainfall]: "),
        ("", "no property found"),
    ],
)
def test_a_wrong_file_is_named_with_entry_and_key(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        load_properties(written(tmp_path, text))
    assert words in str(caught.value)


def test_no_two_things_bear_one_name_for_whoever_chooses_by_name_takes_the_first() -> None:
    catalogue = indicators.catalogue()
    for language in ("vi", "en"):
        names = [item.name(language) for item in catalogue.values()]
        assert [name for name in names if names.count(name) > 1] == []
