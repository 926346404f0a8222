"""What the page of links looks at: the city's file, its mistakes in words, and what the catalogue says without it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import indicators
from core.catalogue import Catalogue, Indicator
from core.config import ROOT
from core.errors import ConfigError
from core.links_plan import LIMIT, MOST_EVENTS, load_links, origins

ON = date(2026, 11, 22)
CATALOGUE = indicators.catalogue()
PLAIN = 'studied = ["rainfall", "pm25", "travel_time_index", "reports_received", "dengue_cases"]\n'
EVENT = '[[event]]\nkey = "haze"\nobserved_property = "pm25"\nabove = 50\n'


def city(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "config" / "song_han"
    folder.mkdir(parents=True)
    (folder / "links.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_city_names_its_own_indicators_lanes_and_events(tmp_path: Path) -> None:
    found = load_links(city(tmp_path, PLAIN + 'lanes = ["pm25"]\n' + EVENT), CATALOGUE, ON)
    assert found.own
    assert found.studied == ("rainfall", "pm25", "travel_time_index", "reports_received", "dengue_cases")
    assert found.lanes == ("pm25",)
    (haze,) = found.events
    assert (haze.key, haze.observed_property, haze.above) == ("haze", "pm25", 50.0)
    assert haze.name("vi") == "", "the screen then names the property and its limit"
    assert haze.follows == ("rainfall", "travel_time_index", "reports_received"), "hourly ones, and never itself"


def test_without_lanes_the_first_of_every_domain_is_shown_and_without_events_those_of_the_catalogue(
    tmp_path: Path,
) -> None:
    found = load_links(city(tmp_path, PLAIN), CATALOGUE, ON)
    assert found.lanes == found.studied, "five domains"
    assert found.events == load_links(tmp_path, CATALOGUE, ON).events
    none = load_links(city(tmp_path / "b", "event = []\n" + PLAIN), CATALOGUE, ON)
    assert none.events == (), "a city that wants to follow no event says so"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("studied = [", "links.toml: not valid TOML"),
        ("studed = []\n", "unknown key studed; known are studied, lanes, event"),
        ("studied = []\n", "studied holds 0 properties; give 1 to 60"),
        ('studied = "pm25"\n', "studied must be list"),
        ('studied = ["pm25", "rainfal"]\n', "studied: 'rainfal' is not in the catalogue; did you mean 'rainfall'?"),
        ('studied = ["pm25", 7]\n', "studied: 7 is not in the catalogue"),
        ('studied = ["pm25", "rainfall", "pm25"]\n', "pm25 is given twice"),
        ('studied = ["pm25", "no2"]\n', "one domain only"),
        ('studied = ["pm25", "source_up"]\n', "source_up tells of the data system"),
        (PLAIN + 'lanes = ["no2"]\n', "lanes: 'no2' is not among studied; add it there or take it out"),
        (PLAIN + EVENT.replace("haze", "Mù khô"), "number 1: key 'Mù khô': small letters"),
        (PLAIN + EVENT + EVENT, "number 2: key haze is given twice"),
        (PLAIN + EVENT.replace("above = 50", ""), "number 1: the key above is missing"),
        (PLAIN + EVENT.replace("50", "1e9"), "above = 1e+09 can never be passed: pm25 lies between 0 and"),
        (PLAIN + EVENT.replace("50", "nan"), "can never be passed"),
        (PLAIN + EVENT.replace('"pm25"', '"dengue_cases"'), "observed_property: dengue_cases comes by the day"),
        (PLAIN + EVENT + 'follows = ["dengue_cases"]\n', "follows: dengue_cases comes by the day"),
        (PLAIN + EVENT + 'follows = ["no2"]\n', "follows: 'no2' is not among studied"),
        (PLAIN + EVENT + f'name_vi = "{"ù" * 241}"\n', "name_vi: one line of at most 240 letters"),
        (PLAIN + EVENT + 'colour = "red"\n', "number 1: unknown key colour"),
        (PLAIN + "".join(EVENT.replace("haze", f"haze_{n}") for n in range(MOST_EVENTS + 1)), "letters for 8"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_links(city(tmp_path, text), CATALOGUE, ON)
    assert str(refused.value).startswith("config/song_han/links.toml: ")
    assert words in str(refused.value)


def test_without_the_file_the_catalogue_decides_and_nothing_is_looked_at_twice(tmp_path: Path) -> None:
    found = load_links(tmp_path, CATALOGUE, ON)
    assert not found.own
    domains = {CATALOGUE[key].domain for key in found.studied}
    assert {"traffic", "environment", "weather", "services", "reports", "health", "education"} == domains
    assert "satisfaction" in found.studied, "a first-screen indicator that no mark speaks for"
    assert "vn_aqi" not in found.studied, "it is computed from pm25, which is marked"
    assert len({CATALOGUE[key].domain for key in found.lanes}) == len(found.lanes)
    limits = {one.observed_property: one.above for one in found.events}
    assert limits["rain_1h"] == 30.0, "the mildest limit of the catalogue"
    assert "satisfaction" not in limits, "more of it is no event that anybody waits for"
    for one in found.events:
        assert one.follows
        for after in one.follows:
            assert not {after, *origins(CATALOGUE, after)} & {
                one.observed_property, *origins(CATALOGUE, one.observed_property)
            }  # fmt: skip


def test_a_limit_that_is_not_in_force_yet_makes_no_event(tmp_path: Path) -> None:
    aqi = CATALOGUE["vn_aqi"]
    assert isinstance(aqi, Indicator)
    starts = min(one.valid_from for one in aqi.thresholds if one.valid_from)
    before, after = (load_links(tmp_path, CATALOGUE, day) for day in (date(starts.year - 1, 1, 1), starts))
    assert "vn_aqi" not in {one.observed_property for one in before.events}
    assert "vn_aqi" in {one.observed_property for one in after.events}


@pytest.mark.parametrize("key", sorted(path.name for path in (ROOT / "config").iterdir() if path.is_dir()))
def test_every_city_of_the_repository_has_a_plan(key: str) -> None:
    found = load_links(ROOT / "config" / key, CATALOGUE, ON)
    assert len(found.studied) > 10
    assert found.events
    if key == "demo":
        assert found.own
        assert {"heavy_rain", "rain", "haze", "incidents"} == {one.key for one in found.events}
        assert all(LIMIT in one.name_vi and LIMIT in one.name_en for one in found.events)


def test_the_origins_of_an_indicator_reach_down_to_what_instruments_say() -> None:
    assert {"speed", "traffic_flow"} <= origins(CATALOGUE, "travel_time_index")
    assert "satisfaction" in origins(CATALOGUE, "satisfaction_n"), "who writes it beside its own value"
    assert origins(Catalogue([CATALOGUE["pm25"]]), "pm25") == frozenset()
