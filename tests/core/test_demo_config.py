"""The two cities that are shipped load, and what their files say about places agrees with the drawn land."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from connectors import _demo_geometry
from core.config import ROOT, City, load_city

Ring = list[list[float]]


@pytest.fixture(scope="module")
def demo() -> City:
    return load_city("demo")


@pytest.fixture(scope="module")
def land() -> dict[str, Any]:
    return json.loads((ROOT / "data" / "demo" / "geometry.geojson").read_text(encoding="utf-8"))


def layer(land: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = [one for one in land["features"] if one["properties"]["layer"] == name]
    assert found, f"no feature in the layer {name}"
    return found


def signed_area(ring: Ring) -> float:
    return 0.5 * sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring))


def inside(longitude: float, latitude: float, ring: Ring) -> bool:
    """Even-odd rule."""
    crossings = 0
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > latitude) != (y2 > latitude) and longitude < x1 + (latitude - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1


def test_the_demo_city_is_simulated_and_complete(demo: City) -> None:
    assert demo.simulated
    assert demo.city_site == "thanh_lam"
    assert demo.name("vi") == "TP. Thanh Lâm"
    assert demo.cycle == timedelta(seconds=60)
    kinds = Counter(demo.sites["kind"])
    assert kinds["area"] == len(demo.areas) == 17
    assert kinds == Counter(
        city=1, area=17, road_segment=14, air_station=5, rain_gauge=5, river_station=2, flood_sensor=4, noise_station=3,
        weather_station=2, office=6, hotline=1, service=8, ambulance=2, clinic=2, hospital=2, preschool=2, school=3,
    )  # fmt: skip
    assert set(demo.areas.index) == set(demo.sites.index[demo.sites["kind"] == "area"])
    assert all(isinstance(code, str) and len(code) == 5 for code in demo.areas.index)


def test_what_indicators_and_rules_read_is_there(demo: City) -> None:
    roads = demo.sites[demo.sites["kind"] == "road_segment"]
    assert (roads["arterial"] == True).sum() == 7  # noqa: E712 - a column of True, False and empty
    assert roads["length_km"].between(1, 9).all()
    assert roads["free_flow_kmh"].between(30, 70).all()
    assert roads["corridor"].notna().all()
    sensors = set(demo.sites.index[demo.sites["kind"] == "flood_sensor"])
    assert set(roads["flood_sensor"].dropna()) <= sensors
    assert demo.sites.at["flood_01", "name_vi"] == "Hầm chui Đông Kiều"
    assert demo.area_name("flood_01", "vi") == "Quảng Phú"
    assert demo.sites.at["flood_01", "threshold_cm"] == 25
    assert demo.sites.loc["river_01", ["alarm_1_m", "alarm_2_m", "alarm_3_m"]].tolist() == [4.3, 5.3, 6.3]
    noise = demo.sites[demo.sites["kind"] == "noise_station"]
    assert (noise["noise_limit_day_dba"] == 70).all()
    assert (noise["noise_limit_night_dba"] == 55).all()
    assert len(demo.sources) == 13
    assert all(source.owner and "máy lẻ" in source.contact for source in demo.sources)


def test_the_land_is_what_the_script_draws(land: dict[str, Any]) -> None:
    """Made by `python -m connectors._demo_geometry`; run it again after a change of plan or names."""
    shipped = (ROOT / "data" / "demo" / "geometry.geojson").read_text(encoding="utf-8")
    assert _demo_geometry.to_text(_demo_geometry.build()) == shipped
    assert len(shipped.encode()) < 250_000


def test_wards_share_their_edges_without_gap_or_overlap(land: dict[str, Any]) -> None:
    """Every edge of a ward is an edge of one neighbour, run the other way, or of the outline, run the same way."""
    edges: Counter[tuple[tuple[float, ...], tuple[float, ...]]] = Counter()
    for ward in layer(land, "ward"):
        ring = ward["geometry"]["coordinates"][0]
        assert ring[0] == ring[-1], "closed"
        assert signed_area(ring) > 0, "anticlockwise"
        edges.update((tuple(a), tuple(b)) for a, b in itertools.pairwise(ring))
    outline = layer(land, "city")[0]["geometry"]["coordinates"][0]
    rim = {(tuple(a), tuple(b)) for a, b in itertools.pairwise(outline)}
    assert max(edges.values()) == 1
    alone = {edge for edge in edges if (edge[1], edge[0]) not in edges}
    assert alone == rim


def test_every_site_lies_in_the_ward_that_its_file_says(demo: City, land: dict[str, Any]) -> None:
    rings = {ward["properties"]["code"]: ward["geometry"]["coordinates"][0] for ward in layer(land, "ward")}
    for site in demo.sites[demo.sites["area"] != ""].itertuples():
        assert inside(site.longitude, site.latitude, rings[site.area]), f"{site.Index} is not in {site.area}"


def test_the_land_and_the_files_use_the_same_names(demo: City, land: dict[str, Any]) -> None:
    for ward in layer(land, "ward"):
        assert ward["properties"]["name"] == demo.areas.at[ward["properties"]["code"], "name_vi"]
    measured = {road["properties"]["site_id"]: road for road in layer(land, "road") if "site_id" in road["properties"]}
    assert set(measured) == set(demo.sites.index[demo.sites["kind"] == "road_segment"])
    for site_id, road in measured.items():
        assert road["properties"]["name"] == demo.site_name(site_id, "vi")
        assert (road["properties"]["road_class"] == "arterial") is (demo.sites.at[site_id, "arterial"] is True)
    assert {one["properties"]["name"] for one in layer(land, "water")} == {"Sông Thanh", "Hồ Sen"}
    assert len(layer(land, "minor_road")) > 50


def test_the_pilot_is_real_dated_and_without_any_simulation() -> None:
    pilot = load_city("bac_giang")
    assert not pilot.simulated
    assert pilot.city_site == "bac_giang"
    assert set(pilot.areas.index) == {
        "07210", "07228", "07681", "07682", "07696", "07699", "07738", "07774", "07777", "07795", "07798",
    }  # fmt: skip
    assert set(pilot.areas["valid_from"]) == {"2025-07-01"}
    assert pilot.areas.at["07210", "name_vi"] == "Bắc Giang"
    assert pilot.areas.at["07795", "name_vi"] == "Nếnh"
    assert pilot.areas["latitude"].between(21.1, 21.4).all()
    assert pilot.areas["longitude"].between(106.0, 106.35).all()
    stations = pilot.sites[pilot.sites["kind"] == "river_station"]
    assert set(stations.index) == {"river_phu_lang_thuong", "river_dap_cau"}
    assert (stations[["alarm_1_m", "alarm_2_m", "alarm_3_m"]] == [4.3, 5.3, 6.3]).all().all()
    assert {source.connector for source in pilot.sources} == {"open_meteo", "spreadsheet"}
    asked = [site for source in pilot.sources for site in source.options.get("sites", [])]
    assert asked
    assert set(asked) <= set(pilot.sites.index)


def test_the_pilot_ships_no_boundaries_and_marks_what_must_be_confirmed() -> None:
    pilot = load_city("bac_giang")
    assert pilot.geometry == ROOT / "data" / "bac_giang" / "boundaries.geojson"
    folder = ROOT / "config" / "bac_giang"
    assert "TO BE CONFIRMED WITH THE CUSTOMER" in (folder / "areas.toml").read_text(encoding="utf-8")
    assert (folder / "sites.toml").read_text(encoding="utf-8").count("# to be confirmed") == 4
