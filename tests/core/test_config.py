"""A city's folder: the shipped ones load, and a mistake stops the start with file, entry and key."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from core.config import ROOT, City, load_city
from core.errors import ConfigError

CITY = """
name_vi = "Phường Thử"
name_en = "Test ward"
latitude = 21.0
longitude = 106
[overview]
environment = ["rain_1h:worst"]
"""
AREAS = """
[[area]]
code = "00001"
kind = "phường"
name_vi = "Phường Một"
"""
SITES = """
[[site]]
site_id = "all"
kind = "city"
name_vi = "Toàn địa bàn"
[[site]]
site_id = "gauge"
kind = "rain_gauge"
name_vi = "Trạm mưa"
area = "00001"
latitude = 21.1
longitude = 106
alarm_mm = 50
"""
SOURCES = """
[[source]]
key = "rain"
connector = "sensorthings"
"""
FILES = {"city": CITY, "areas": AREAS, "sites": SITES, "sources": SOURCES}


def root_with(folder: Path, **texts: str) -> Path:
    """A tree with the one city «ward», its files replaced by the given texts."""
    place = folder / "config" / "ward"
    place.mkdir(parents=True)
    for name, text in {**FILES, **texts}.items():
        (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path, **texts: str) -> City:
    return load_city("ward", root=root_with(folder, **texts))


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("CITY", "CITY_STORE"):
        monkeypatch.delenv(name, raising=False)


# -- what loads -----------------------------------------------------------------------------------------------------


def test_every_shipped_city_loads():
    shipped = sorted(path.name for path in (ROOT / "config").iterdir() if path.is_dir())
    assert {"bac_giang", "demo"} <= set(shipped)
    for key in shipped:
        city = load_city(key)
        assert city.key == key
        assert city.sources
        assert city.overview
        assert city.site_name(city.city_site, "vi")


def test_the_demo_is_simulated_and_the_pilot_is_not():
    assert load_city("demo").simulated
    assert not load_city("bac_giang").simulated


def test_the_demo_is_the_city_of_a_fresh_machine(monkeypatch):
    assert load_city().key == "demo"
    monkeypatch.setenv("CITY", " bac_giang ")
    assert load_city().key == "bac_giang"


def test_a_small_folder_is_a_whole_city_with_defaults(tmp_path):
    city = loaded(tmp_path)
    assert city.city_site == "all"
    assert (str(city.zone), city.cycle, city.history) == ("Asia/Ho_Chi_Minh", timedelta(minutes=1), timedelta(days=400))
    assert not city.simulated  # a city is real until somebody says otherwise
    assert city.store_path == tmp_path / "data" / "ward.duckdb"
    assert city.data_folder == tmp_path / "data" / "ward"
    assert city.geometry is None
    assert (city.latitude, city.longitude) == (21.0, 106.0)
    (source,) = city.sources
    assert (source.name("vi"), source.name("en"), source.every) == ("rain", "rain", timedelta(minutes=10))
    assert source.enabled
    assert city.overview == (("environment", (("rain_1h", "worst"),)),)


def test_names_fall_back_to_what_there_is(tmp_path):
    city = loaded(tmp_path)
    assert (city.name("vi"), city.name("en")) == ("Phường Thử", "Test ward")
    assert city.site_name("gauge", "en") == "Trạm mưa"  # nobody gave an English name
    assert city.site_name("rain", "vi") == "rain"  # a source
    assert city.site_name("lost", "vi") == "lost"
    assert city.area_name("gauge", "vi") == "Phường Một"
    assert city.area_name("all", "vi") == ""
    assert city.area_name("lost", "vi") == ""


def test_further_keys_of_a_site_are_its_attributes(tmp_path):
    sites = loaded(tmp_path).sites
    assert sites.at["gauge", "alarm_mm"] == 50
    assert sites["alarm_mm"].isna()["all"]
    assert sites["latitude"].isna()["all"]  # a place that nobody gave is unknown, not 0° N


def test_the_store_may_stand_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("CITY_STORE", str(tmp_path / "elsewhere.duckdb"))
    assert loaded(tmp_path).store_path == tmp_path / "elsewhere.duckdb"


# -- what does not --------------------------------------------------------------------------------------------------

WRONG = [
    ("city", CITY.replace('name_vi = "Phường Thử"', ""), "city.toml: the key name_vi is missing"),
    ("city", CITY.replace("21.0", '"21.0"'), "city.toml: latitude must be int or float, not '21.0'"),
    ("city", "simulated = 1\n" + CITY, "city.toml: simulated must be bool, not 1"),
    ("city", "cycle_s = true\n" + CITY, "city.toml: cycle_s must be int, not True"),
    ("city", "cycle_s = 0\n" + CITY, "city.toml: cycle_s must be 1 or more, not 0"),
    ("city", "history_days = -1\n" + CITY, "city.toml: history_days must be 1 or more, not -1"),
    ("city", "cyle_s = 30\n" + CITY, "city.toml: unknown key cyle_s"),
    ("city", 'time_zone = "Asia/Hanoi"\n' + CITY, "city.toml: time_zone 'Asia/Hanoi' is unknown"),
    ("city", 'time_zone = "../../etc/passwd"\n' + CITY, "city.toml: time_zone '../../etc/passwd' is unknown"),
    ("city", 'time_zone = ""\n' + CITY, "city.toml: time_zone '' is unknown"),
    ("city", CITY.partition("[overview]")[0], "city.toml: the key overview is missing"),
    ("city", CITY.replace("environment =", "weather ="), "city.toml: [overview] weather is not one of"),
    ("city", CITY.replace("rain_1h:worst", "rain_1h"), "city.toml: [overview] environment: 'rain_1h' must read"),
    ("city", CITY.replace('"rain_1h:worst"', '"a:b",' * 11), "city.toml: [overview] holds more than 10 rows"),
    ("city", "name_vi = \n", "city.toml: not valid TOML"),
    ("areas", "", "areas.toml: no [[area]] given"),
    ("areas", AREAS.replace('code = "00001"', "code = 1"), "areas.toml: [[area]] number 1: code must be str, not 1"),
    ("areas", AREAS + AREAS, "areas.toml: code '00001' is given twice"),
    ("areas", AREAS + 'population = "12.500"\n', "areas.toml: [[area]] number 1: population must be int or float"),
    ("areas", AREAS.replace("[[area]]", "[area]"), "areas.toml: area must be list"),
    ("sites", "", "sites.toml: no [[site]] given"),
    ("sites", SITES.replace('kind = "city"', ""), "sites.toml: [[site]] number 1: the key kind is missing"),
    ("sites", SITES.replace("rain_gauge", "rain_guage"), "sites.toml: gauge: kind 'rain_guage' is not one of"),
    ("sites", SITES.replace("00001", "00002"), "sites.toml: gauge: area '00002' is not in areas.toml"),
    ("sites", SITES.replace('"00001"', "1"), "sites.toml: [[site]] number 2: area must be str, not 1"),
    ("sites", SITES.replace("21.1", '"21,1"'), "sites.toml: [[site]] number 2: latitude must be int or float"),
    ("sites", SITES.replace('"gauge"', '"all"'), "sites.toml: site_id 'all' is given twice"),
    ("sites", SITES.replace('"city"', '"office"'), 'sites.toml: exactly one site must have kind = "city"'),
    ("sites", SITES.replace("rain_gauge", "city"), 'sites.toml: exactly one site must have kind = "city"'),
    ("sources", "[[source]]\nkey = 'rain'\n", "sources.toml: [[source]] number 1: the key connector is missing"),
    ("sources", SOURCES + "every_s = '600'\n", "sources.toml: [[source]] number 1: every_s must be int, not '600'"),
    ("sources", SOURCES + "every_s = 0\n", "sources.toml: [[source]] number 1: every_s must be 1 or more, not 0"),
    ("sources", SOURCES + "secret = 'hunter2'\n", "secret must be the NAME of a secret (capitals, digits, _), never"),
    ("sources", SOURCES + "base_url = 'x'\n", "number 1: unknown key base_url; put it under [source.options]"),
    ("sources", SOURCES + SOURCES, "sources.toml: a source key is given twice: rain"),
    ("sources", SOURCES.replace("[[source]]", "[source]"), "sources.toml: source must be list"),
]


@pytest.mark.parametrize(("file", "text", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_mistake_is_named_with_file_entry_and_key(tmp_path, file, text, words):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, **{file: text})
    message = str(caught.value)
    assert words in message
    assert message.startswith("config/ward/")
    assert str(tmp_path) not in message  # where the house lies on this machine is nobody's business
    assert "\n" not in message


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(tmp_path, file):
    root = root_with(tmp_path)
    (root / "config" / "ward" / f"{file}.toml").unlink()
    with pytest.raises(ConfigError, match=re.escape(f"config/ward/{file}.toml: the file is missing")):
        load_city("ward", root=root)


def test_a_file_in_another_encoding_is_named(tmp_path):
    root = root_with(tmp_path)
    (root / "config" / "ward" / "city.toml").write_bytes('name_vi = "Ph\xfa"'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"config/ward/city\.toml: not valid TOML"):
        load_city("ward", root=root)


@pytest.mark.parametrize("key", ["atlantis", "../demo", "..", "/etc", "demo/../demo", "ward.old", "", " "])
def test_only_a_folder_of_config_is_a_city(tmp_path, key, monkeypatch):
    """CITY is set by hand and by scripts: whatever it says, nothing outside config/ is read."""
    root = root_with(tmp_path)
    (tmp_path / "demo").mkdir()
    monkeypatch.setenv("CITY", key)
    with pytest.raises(ConfigError) as caught:
        load_city(root=root)
    assert "known cities: ward" in str(caught.value)
    assert f"CITY={key.strip() or 'demo'}" in str(caught.value)


def test_the_name_under_which_cap_receivers_know_the_centre(tmp_path):
    assert loaded(tmp_path / "none").cap_sender == ""
    named = loaded(tmp_path / "named", city='cap_sender = "ioc@ward.example.vn"\n' + CITY)
    assert named.cap_sender == "ioc@ward.example.vn"
    for number, wrong in enumerate(["a b", "a,b", "a<b", "a&b", "trạm"]):
        with pytest.raises(ConfigError, match=r"config/ward/city\.toml: cap_sender .* without blanks"):
            loaded(tmp_path / str(number), city=f'cap_sender = "{wrong}"\n' + CITY)
