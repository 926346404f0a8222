"""The map of layers: classes of rates, hatched silence, escaped texts, a view that stays, and the two archipelagos."""

from __future__ import annotations

import json
from typing import Any

import pytest

from charts.deck import deck
from charts.layer_deck import MOST_CLASSES, NATION, Area, Circle, Drawn, class_bounds, layer_deck
from charts.theme import DESK

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[106.0, 21.0], [106.1, 21.0], [106.1, 21.1], [106.0, 21.1], [106.0, 21.0]]],
}
CORNERS = [(106.0, 21.0), (106.2, 21.1)]


def area(code: str, value: float | None, note: str = "") -> Area:
    west = 106.0 + int(code) * 0.1
    ring = [[west, 21.0], [west + 0.1, 21.0], [west + 0.1, 21.1], [west, 21.1], [west, 21.0]]
    return Area(
        code=code, name=f"<b>P. {code}</b>", shape={"type": "Polygon", "coordinates": [ring]}, value=value, note=note
    )


def spec(**given: Any) -> dict[str, Any]:
    return json.loads(layer_deck(**({"theme": DESK, "corners": CORNERS} | given)).to_json())


def layer(found: dict[str, Any], key: str) -> dict[str, Any]:
    return next(one for one in found["layers"] if one["id"] == key)


@pytest.mark.parametrize("method", ["quantile", "equal"])
def test_there_are_never_more_than_seven_classes(method: str) -> None:
    values = [float(n * n) for n in range(60)]
    bounds = class_bounds(values, 12, method)
    assert len(bounds) == MOST_CLASSES - 1
    assert bounds == sorted(set(bounds))
    areas = [area(str(n), values[n * 8]) for n in range(7)]
    fills = {
        tuple(one["properties"]["fill"])
        for one in layer(spec(areas=areas, coloured=True, bounds=bounds), "wards")["data"]["features"]
    }
    assert len(fills) >= 5, "seven classes have seven colours"


def test_equal_classes_are_equally_wide_and_quantiles_equally_full() -> None:
    skewed = [1.0] * 5 + [2.0, 3.0, 4.0, 5.0, 101.0]
    assert class_bounds(skewed, 4, "equal") == [26.0, 51.0, 76.0]
    assert class_bounds(skewed, 4, "quantile")[-1] < 10
    assert class_bounds([3.0, 3.0, None], 5, "equal") == []
    assert class_bounds([], 5, "equal") == []


def test_silence_is_hatched_and_an_estimate_says_so() -> None:
    found = spec(areas=[area("0", 5.0, "(ước tính)"), area("1", None)], coloured=True, bounds=[3.0], unit="mm")
    known, silent = layer(found, "wards")["data"]["features"]
    assert known["properties"]["tooltip"].endswith("5 mm (ước tính)")
    assert "không có dữ liệu" in silent["properties"]["tooltip"]
    strokes = layer(found, "no-data")["data"]
    assert strokes
    assert all(point[0] >= 106.1 - 1e-6 for one in strokes for point in one["path"])
    assert "no-data" not in [one["id"] for one in spec(areas=[area("1", None)])["layers"]], "plain ground is no silence"


def test_texts_from_a_file_never_become_markup() -> None:
    drawn = Drawn(
        key="a", title="<script>", geometry="polygon", style="plain", shapes=[SQUARE], tooltips=["<img src=x>\na: <b>"]
    )
    found = spec(areas=[area("0", 1.0)], layers=[(drawn, "#2F6B66")])
    texts = [one["properties"]["tooltip"] for one in layer(found, "layer-a")["data"]["features"]]
    texts += [one["properties"]["tooltip"] for one in layer(found, "wards")["data"]["features"]]
    assert all("<script" not in one and "<img" not in one and "<b>P." not in one for one in texts)
    assert "&lt;img src=x&gt;" in texts[0]


def test_the_view_hangs_on_the_place_alone() -> None:
    first = spec(areas=[area("0", 1.0)], coloured=True, bounds=[0.5])
    later = spec(
        areas=[area("0", 9.0)], coloured=True, bounds=[5.0], circle=Circle(ring=[(106.0, 21.0), (106.1, 21.0)])
    )
    assert first["initialViewState"] == later["initialViewState"]
    assert "around" in [one["id"] for one in later["layers"]]


@pytest.mark.parametrize(("language", "words"), [("vi", "Quần đảo Hoàng Sa"), ("en", "Hoàng Sa Islands")])
def test_both_archipelagos_are_named_on_every_map(language: str, words: str) -> None:
    nation = spec(corners=NATION, language=language)
    rows = layer(nation, "archipelagos")["data"]
    assert words in rows[0]["name"]
    assert "Trường Sa" in rows[1]["name"]
    view = nation["initialViewState"]
    assert view["zoom"] < 6
    assert abs(view["longitude"] - 110) < 1
    city = json.loads(deck(None, theme=DESK, language=language).to_json())
    assert words in layer(city, "archipelagos")["data"][0]["name"]


def test_points_heat_and_lines_are_what_they_are_and_no_tiles_are_asked_for() -> None:
    point = {"type": "Point", "coordinates": [106.1, 21.05]}
    line = {"type": "LineString", "coordinates": [[106.0, 21.0], [106.1, 21.1]]}
    layers = [
        (Drawn(key="p", title="P", geometry="point", style="plain", shapes=[point], tooltips=["a"]), "#2F6B66"),
        (Drawn(key="h", title="H", geometry="point", style="heat", shapes=[point], tooltips=["a"]), "#2F6B66"),
        (Drawn(key="l", title="L", geometry="line", style="plain", shapes=[line], tooltips=["a"]), "#2F6B66"),
    ]
    found = spec(layers=layers)
    kinds = {one["id"]: one["@@type"] for one in found["layers"]}
    assert kinds["layer-p"] == "ScatterplotLayer"
    assert kinds["layer-h"] == "HeatmapLayer"
    assert kinds["layer-l"] == "GeoJsonLayer"
    assert list(kinds).index("layer-l") < list(kinds).index("layer-p"), "points lie on lines"
    assert "http" not in json.dumps(found), "nothing is fetched from anywhere"
    assert spec(basemap="/api/basemap/style.json")["mapStyle"] == "/api/basemap/style.json"


def test_a_measured_way_has_numbered_places_and_a_way_back_from_three_on() -> None:
    two = spec(path=[(106.0, 21.0), (106.1, 21.0)])
    assert [one["path"] for one in layer(two, "measured")["data"]] == [[[106.0, 21.0], [106.1, 21.0]]]
    three = spec(path=[(106.0, 21.0), (106.1, 21.0), (106.1, 21.1)])
    assert layer(three, "measured")["data"][1]["path"] == [[106.1, 21.1], [106.0, 21.0]]
    assert [one["n"] for one in layer(three, "measured-places")["data"]] == ["1", "2", "3"]
    assert "measured" not in [one["id"] for one in spec()["layers"]]
