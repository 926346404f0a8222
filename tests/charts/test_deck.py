"""The desk map: no tiles, no request, no trust in names, and a legend that prints what was drawn."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from charts.city_map import Marker
from charts.deck import ROAD_BREAKS, breaks_for, choropleth_legend, class_colour, deck, view_of
from charts.theme import DESK, WALL


def ward(code: str, name: str, west: float) -> dict[str, Any]:
    ring = [[west, 21.3], [west + 0.03, 21.3], [west + 0.03, 21.33], [west, 21.33], [west, 21.3]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"layer": "ward", "code": code, "name": name, "onclick": "steal()"},
    }


def road(site_id: str, name: str, south: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[105.94, south], [106.0, south]]},
        "properties": {"layer": "road", "site_id": site_id, "name": name},
    }


CITY = {
    "type": "FeatureCollection",
    "features": [
        ward("90001", "Yên Hòa", 105.94), ward("90002", "<img src=x onerror=alert(1)>", 105.97),
        road("road_01", "Vành đai 2", 21.31), road("road_02", "Đường <b>B</b>", 21.32),
    ],
}  # fmt: skip
MARKER = Marker(site_id="flood_01", latitude=21.31, longitude=105.96, priority="critical", label="38 <cm>")


def spec(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(deck(CITY, theme=more.pop("theme", DESK), **more).to_json())
    return found


def layer(drawn: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in drawn["layers"] if one["id"] == key)
    return found


def test_no_tiles_are_ever_asked_for() -> None:
    drawn = spec(fill={"90001": 3.0}, breaks=[2.0], markers=[MARKER])
    assert drawn.get("mapProvider") is None
    text = json.dumps(drawn)
    assert "http" not in text.replace("http%3A//www.w3.org/2000/svg", "")


def test_the_view_depends_on_the_geometry_alone() -> None:
    calm, stormy = spec(), spec(fill={"90001": 9.0}, breaks=[1.0], markers=[MARKER], segments={"road_01": "high"})
    assert calm["initialViewState"] == stormy["initialViewState"]
    assert calm["initialViewState"]["longitude"] == pytest.approx(105.97)


def test_the_view_holds_the_whole_city() -> None:
    view = view_of([(105.9, 21.2), (106.1, 21.4)], height_px=640)
    px_per_degree = 512 * 2**view.zoom / 360 / math.cos(math.radians(21.3))
    assert 0.9 * 640 < 0.2 * px_per_degree <= 0.96 * 640


def test_fills_follow_the_breaks_and_silence_is_hatched_not_pale() -> None:
    drawn = spec(fill={"90001": 7.0, "90002": None}, breaks=[2.0, 4.0, 6.0, 7.0], unit="tin")
    first, second = layer(drawn, "wards")["data"]["features"]
    assert first["properties"]["fill"] == [0x54, 0x45, 0x8F, 255], "a value on a bound belongs to the class above"
    assert first["properties"]["tooltip"] == "<b>Yên Hòa</b><br>7 tin"
    assert "không có dữ liệu" in second["properties"]["tooltip"]
    strokes = layer(drawn, "no-data")["data"]
    assert len(strokes) > 5
    for stroke in strokes:
        (west, south), (east, north) = stroke["path"]
        assert 105.97 <= west < east <= 106.0
        assert 21.3 <= south < north <= 21.33
    assert layer(spec(), "wards")["data"]["features"][0]["properties"]["fill"] == [0xE4, 0xE9, 0xEE, 255]


def test_a_ward_that_nobody_reported_on_counts_as_silent() -> None:
    drawn = spec(fill={"90001": 1.0}, breaks=[])
    assert "không có dữ liệu" in layer(drawn, "wards")["data"]["features"][1]["properties"]["tooltip"]


def test_names_from_outside_cannot_become_markup_in_the_tooltip() -> None:
    stations = pd.DataFrame(
        [{"site_id": "a", "name": "<script>", "latitude": 21.31, "longitude": 105.95, "text": "<i>"}]
    )
    drawn = spec(fill={}, markers=[MARKER], stations=stations, relative_speed={"road_02": 0.5})
    for name in ("wards", "road-classes", "stations", "alerts"):
        data = layer(drawn, name)["data"]
        rows = [one["properties"] for one in data["features"]] if isinstance(data, dict) else data
        for row in rows:
            inside = row["tooltip"].replace("<b>", "").replace("</b>", "").replace("<br>", "")
            assert "<" not in inside, row["tooltip"]
    assert "steal" not in json.dumps(drawn)


def test_texts_that_are_no_fields_are_quoted_for_deck() -> None:
    drawn = spec(markers=[MARKER])
    for name in ("names", "alert-labels"):
        assert layer(drawn, name)["characterSet"] == "auto"
        assert layer(drawn, name)["sizeUnits"] == "pixels"
        assert layer(drawn, name)["fontFamily"] == "IBM Plex Sans Condensed"


def test_signs_are_local_pictures_worst_on_top() -> None:
    second = Marker(site_id="x", latitude=21.32, longitude=105.95, priority="low")
    rows = layer(spec(markers=[MARKER, second]), "alerts")["data"]
    assert [row["site_id"] for row in rows] == ["x", "flood_01"]
    kind, _, picture = rows[1]["icon"]["url"].partition(",")
    assert kind == "data:image/svg+xml;charset=utf-8"
    assert DESK.critical.fill in unquote(picture)
    ElementTree.fromstring(unquote(picture))


def test_alerts_at_one_place_stand_in_a_row() -> None:
    again = Marker(site_id="flood_01", latitude=21.31, longitude=105.96, priority="medium", label="7")
    drawn = spec(markers=[again, MARKER])
    rows = layer(drawn, "alerts")["data"]
    assert [row["offset"][0] for row in rows] == [28, 0]
    (label,) = layer(drawn, "alert-labels")["data"]
    assert label["label"] == "38 <cm>", "text layers draw letters, not markup"
    assert label["offset"][0] > 28


def test_slow_roads_stand_out_and_an_alert_overrides_the_class() -> None:
    drawn = spec(theme=WALL, relative_speed={"road_01": 0.2, "road_02": 0.9}, segments={"road_02": "high"})
    rows = {
        one["properties"]["width"]: one["properties"]["colour"]
        for one in layer(drawn, "road-classes")["data"]["features"]
    }
    assert rows[4.0] == [0xB6, 0xAE, 0xE6, 255], "the slowest class has the strongest step"
    assert rows[5.5] == [0xFF, 0xA4, 0x2E, 255]
    assert list(ROAD_BREAKS) == sorted(ROAD_BREAKS)


def test_a_road_without_a_speed_is_thin_and_says_so() -> None:
    drawn = spec(relative_speed={"road_01": None, "road_02": float("nan")})
    for one in layer(drawn, "road-classes")["data"]["features"]:
        assert one["properties"]["width"] == 1.5
        assert one["properties"]["tooltip"].endswith("Không có dữ liệu")


def test_layers_can_be_switched_off() -> None:
    ids = {one["id"] for one in spec(show=("alerts",), markers=[MARKER])["layers"]}
    assert ids == {"wards", "archipelagos", "alerts", "alert-labels"}


def test_a_city_without_boundaries_still_has_stations_and_a_view() -> None:
    stations = pd.DataFrame([{"site_id": "a", "name": "Trạm", "latitude": 21.27, "longitude": 106.19}])
    drawn = json.loads(deck(None, theme=DESK, stations=stations).to_json())
    assert [one["id"] for one in drawn["layers"]] == ["stations", "archipelagos"]
    assert drawn["initialViewState"]["latitude"] == 21.27
    assert deck(None, theme=DESK).initial_view_state.zoom == 4.5, "nothing at all: the country"


def test_breaks_split_seventeen_wards_into_five_classes() -> None:
    values = [3, 5, 8, 9, 11, 12, 14, 17, 21, 22, 25, 31, 33, 40, 47, 52, 61]
    breaks = breaks_for(values)
    assert breaks == sorted(set(breaks))
    assert len(breaks) == 4
    sizes = [sum(class_colour(value, breaks, DESK) == colour for value in values) for colour in DESK.classes]
    assert sum(sizes) == 17
    assert min(sizes) >= 2


@given(st.lists(st.one_of(st.none(), st.floats(-1e5, 1e5)), max_size=60))
def test_breaks_rise_and_lie_within_the_values(values: list[float | None]) -> None:
    breaks = breaks_for(values)
    assert len(breaks) <= 4
    assert all(low < high for low, high in itertools.pairwise(breaks))
    known = [value for value in values if value is not None]
    assert all(min(known) < bound <= max(known) for bound in breaks)


def test_equal_values_are_one_class_and_no_values_none() -> None:
    assert breaks_for([4.0, 4.0, 4.0]) == []
    assert breaks_for([None, float("nan")]) == []
    assert class_colour(4.0, [], DESK) == DESK.classes[2]
    assert class_colour(None, [1.0], DESK) is None


def test_the_legend_prints_every_bound_and_the_hatch_only_when_needed() -> None:
    drawn = choropleth_legend([2.5, 1000.0], theme=DESK, title="Phản ánh <mới>", unit="tin", no_data=True)
    texts = [text.text for text in ElementTree.fromstring(drawn).iter() if text.tag.endswith("text")]
    assert texts == ["Phản ánh <mới> (tin)", "dưới 2,5", "2,5 – 1.000", "từ 1.000", "không có dữ liệu"]
    assert "không có dữ liệu" not in choropleth_legend([1.0], theme=DESK)
    assert "under 2.5" in choropleth_legend([2.5], theme=DESK, language="en")
