"""The city map: a calm city is colourless, texts never cover each other, and nothing from outside is trusted."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from charts.city_map import NO_DATA, Around, Marker, Place, Rectangle, city_map
from charts.theme import DESK, WALL, Theme, text_width_px
from core.alert import PRIORITIES

SVG = "{http://www.w3.org/2000/svg}"


def square(west: float, south: float, side: float) -> list[list[list[float]]]:
    return [[[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]]


def feature(layer: str, shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": {"layer": layer, **properties},
    }


def small_city() -> dict[str, Any]:
    """Nine square wards of about 2 km, a river, a lake, two measured roads and a lane."""
    names = ("Yên Hòa", "Đức Nhuận", "Hoàng Diệu", "An Khê", "Lê Lợi", "Kỳ Sơn", "Phú Diễn", "Quảng Phú", "Tân Mỹ")
    wards = [
        feature(
            "ward",
            "Polygon",
            square(105.94 + 0.02 * (i % 3), 21.34 - 0.02 * (i // 3), 0.02),
            name=name,
            code=f"{90001 + i}",
        )
        for i, name in enumerate(names)
    ]
    return {
        "type": "FeatureCollection",
        "features": [
            feature("city", "Polygon", square(105.94, 21.30, 0.06), name="TP. Thử"),
            *wards,
            feature("water", "LineString", [[105.94, 21.31], [106.0, 21.35]], name="Sông Thử"),
            feature("water", "Polygon", square(105.95, 21.345, 0.005), name="Hồ Thử"),
            feature("minor_road", "LineString", [[105.945, 21.3], [105.945, 21.36]], name=""),
            feature(
                "road", "LineString", [[105.94, 21.33], [105.97, 21.325], [106.0, 21.33]], site_id="road_01", name="A"
            ),
            feature("road", "LineString", [[105.97, 21.3], [105.97, 21.36]], site_id="road_02", road_class="arterial"),
        ],
    }


CITY = small_city()


def marker(
    site_id: str, longitude: float, latitude: float, priority: str, label: str = "", state: str = "UNACK"
) -> Marker:
    return Marker(site_id=site_id, longitude=longitude, latitude=latitude, priority=priority, label=label, state=state)


STORM = [
    marker("flood_01", 105.971, 21.309, "critical", "38 cm"),
    marker("road_01", 105.985, 21.328, "high", "2,4 lần"),
    marker("rain_01", 105.965, 21.304, "high", "42 mm/giờ"),
    marker("desk_01", 105.99, 21.306, "medium", "31 tin"),
    marker("noise_01", 105.95, 21.352, "low"),
]


def boxes_of_texts(svg: str, text_px: float) -> list[Rectangle]:
    """Boxes of names and labels as drawn; letters reach from 1.0 em above to 0.25 em below the line."""
    boxes = []
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        if text.get("class") in ("name", "label"):
            size = float(text.get("font-size", text_px))
            left, line = float(text.get("x")), float(text.get("y"))
            wide = text_width_px(text.text, size, condensed=True)
            boxes.append(Rectangle(left, line - 0.9 * size, left + wide, line + 0.22 * size))
    return boxes


def boxes_of_signs(svg: str) -> list[Rectangle]:
    boxes = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class") == "marker":
            left, top, scale = (float(number) for number in re.findall(r"-?[\d.]+", group.get("transform")))
            boxes.append(Rectangle(left + 4 * scale, top + 4 * scale, left + 20 * scale, top + 20 * scale))
    return boxes


@pytest.mark.parametrize("theme", [pytest.param(WALL, id="wall"), pytest.param(DESK, id="desk")])
def test_a_calm_city_has_no_priority_colour_at_all(theme: Theme) -> None:
    drawn = city_map(CITY, theme=theme)
    used = set(re.findall(r"#[0-9A-F]{6}", drawn))
    calm = {
        theme.land, theme.water, theme.road, theme.minor, theme.band_edge, theme.line2, theme.ink3,
    }  # fmt: skip
    assert used <= calm
    assert 'class="legend"' not in drawn, "a legend lists only what is drawn"


def test_the_picture_is_well_formed_named_and_loads_nothing() -> None:
    drawn = city_map(CITY, theme=WALL, wards={"90008": "high"}, segments={"road_01": "high"}, markers=STORM)
    root = ElementTree.fromstring(drawn)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Bản đồ"
    assert "nan" not in drawn.lower()
    assert "<script" not in drawn
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]


def test_an_evening_storm_colours_what_is_abnormal_and_nothing_else() -> None:
    drawn = city_map(
        CITY, theme=WALL, wards={"90008": "high", "90009": "medium"}, segments={"road_01": "high"}, markers=STORM
    )
    root = ElementTree.fromstring(drawn)
    segments = [path.get("stroke") for path in root.iter() if path.get("class") == "segment"]
    assert segments == [WALL.high.casing, WALL.high.broad]
    edges = [path.get("stroke") for path in root.iter() if path.get("class") == "ward"]
    assert edges == [WALL.medium.line, WALL.high.line], "the worse edge lies on top"
    legend = [
        text.text
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "legend"
        for text in group.iter(f"{SVG}text")
    ]
    assert legend == ["đường có cảnh báo", "địa bàn có cảnh báo"]
    names = {text.text: text.get("fill") for text in root.iter(f"{SVG}text") if text.get("class") == "name"}
    assert names["Quảng Phú"] == WALL.ink1
    assert names["Lê Lợi"] == WALL.ink3


def test_every_alert_of_the_storm_is_labelled_on_the_spot() -> None:
    drawn = city_map(CITY, theme=WALL, markers=STORM)
    labels = [text.text for text in ElementTree.fromstring(drawn).iter(f"{SVG}text") if text.get("class") == "label"]
    assert labels == ["38 cm", "2,4 lần", "42 mm/giờ", "31 tin"], "worst first"


def test_the_worst_sign_lies_on_top() -> None:
    drawn = city_map(CITY, theme=WALL, markers=STORM)
    signs = [group for group in ElementTree.fromstring(drawn).iter(f"{SVG}g") if group.get("class") == "marker"]
    assert any(path.get("fill") == WALL.critical.fill for path in signs[-1])


def test_a_ward_without_data_is_hatched_and_never_looks_normal() -> None:
    drawn = city_map(CITY, theme=DESK, wards={"90001": NO_DATA})
    root = ElementTree.fromstring(drawn)
    (hatched,) = [path for path in root.iter() if path.get("class") == "no-data"]
    assert hatched.get("fill") == "url(#hatch-desk)"
    assert any(pattern.get("id") == "hatch-desk" for pattern in root.iter(f"{SVG}pattern"))
    assert "không có dữ liệu" in drawn


def test_texts_cover_neither_each_other_nor_a_sign() -> None:
    drawn = city_map(CITY, theme=WALL, wards={"90008": "high", "90009": "medium"}, markers=STORM)
    texts, signs = boxes_of_texts(drawn, 22), boxes_of_signs(drawn)
    assert len(texts) >= 9
    assert not [pair for pair in combinations(texts, 2) if pair[0].meets(pair[1])]
    assert not [text for text in texts for sign in signs if text.meets(sign)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(105.94, 106.0), st.floats(21.30, 21.36), st.sampled_from(PRIORITIES),
            st.sampled_from(["", "38 cm", "42 mm/giờ", "còn 14 hồ sơ quá hạn"]),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_however_many_alerts_texts_stay_readable(found: list[tuple[float, float, str, str]]) -> None:
    markers = [marker(str(i), *place) for i, place in enumerate(found)]
    drawn = city_map(CITY, theme=WALL, markers=markers, size=(500, 520), text_px=18)
    texts, signs = boxes_of_texts(drawn, 18), boxes_of_signs(drawn)
    assert len(signs) == len(markers), "a sign is never dropped"
    assert not [pair for pair in combinations(texts, 2) if pair[0].meets(pair[1])]
    assert not [text for text in texts for sign in signs if text.meets(sign)]


def test_two_alerts_at_one_place_step_apart() -> None:
    drawn = city_map(
        CITY, theme=WALL, markers=[marker("a", 105.97, 21.33, "high"), marker("a", 105.97, 21.33, "medium")]
    )
    first, second = boxes_of_signs(drawn)
    assert not first.meets(second)
    assert 'class="lead"' in drawn, "a line shows where the moved one belongs"


def test_names_from_outside_cannot_become_markup() -> None:
    city = small_city()
    city["features"][1]["properties"]["name"] = "<script>alert(1)</script>"
    drawn = city_map(
        city,
        theme=WALL,
        size=(1600, 1600),
        markers=[marker("x", 105.97, 21.33, "high", "<b>9</b>")],
        message="<i>x</i>",
        alt='"><script>',
    )
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    texts = [text.text for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert "<script>alert(1)</script>" in texts
    assert "<b>9</b>" in texts


def test_the_city_does_not_jump_when_its_first_alert_comes() -> None:
    def outline(drawn: str) -> str:
        return next(path.get("d") for path in ElementTree.fromstring(drawn).iter() if path.get("fill") == WALL.land)

    assert outline(city_map(CITY, theme=WALL)) == outline(
        city_map(CITY, theme=WALL, wards={"90001": "critical", "90002": NO_DATA}, segments={"road_01": "low"})
    )


def test_north_is_up_and_a_kilometre_is_as_long_in_both_directions() -> None:
    drawn = city_map(CITY, theme=WALL, size=(700, 800))
    outline = next(path.get("d") for path in ElementTree.fromstring(drawn).iter() if path.get("fill") == WALL.land)
    corners = [tuple(float(number) for number in pair.split()) for pair in re.findall(r"[\d.]+ [\d.]+", outline)[:4]]
    (west, south), (east, _), (_, north) = corners[0], corners[1], corners[2]
    assert north < south
    # 0.06 degrees of longitude at 21.33 N are 0.9315 times as long as 0.06 degrees of latitude
    assert (east - west) / (south - north) == pytest.approx(0.9315, abs=0.002)


@pytest.mark.parametrize("size", [(300, 900), (1200, 400)])
def test_the_city_fills_the_picture_and_stays_inside(size: tuple[int, int]) -> None:
    drawn = city_map(CITY, theme=WALL, size=size)
    outline = next(path.get("d") for path in ElementTree.fromstring(drawn).iter() if path.get("fill") == WALL.land)
    numbers = [float(number) for number in re.findall(r"[\d.]+", outline)]
    margin, legend = 22 * 0.9, 3 * 22 * 0.95 * 1.5
    left, right, top, bottom = min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])
    assert left >= margin - 1
    assert right <= size[0] - margin + 1
    assert top >= margin - 1
    assert bottom <= size[1] - margin + 1
    slack = min(left - margin, top - margin)
    assert slack == pytest.approx(0, abs=1)
    assert bottom >= size[1] - margin - legend - 12 or left == pytest.approx(margin, abs=1)


def test_the_scale_bar_has_the_length_that_it_says() -> None:
    drawn = city_map(CITY, theme=WALL, size=(700, 800))
    root = ElementTree.fromstring(drawn)
    text = next(text for text in root.iter(f"{SVG}text") if text.get("class") == "scale")
    assert text.text == "1 km"
    left, right = map(float, re.search(r"M([\d.]+) [\d.]+V[\d.]+H([\d.]+)V", drawn).groups())  # type: ignore[union-attr]
    outline = next(path.get("d") for path in root.iter() if path.get("fill") == WALL.land)
    numbers = [float(number) for number in re.findall(r"[\d.]+", outline)]
    px_per_km = (numbers[1] - numbers[5]) / (0.06 * 111.32)
    assert right - left == pytest.approx(px_per_km, abs=1)


def test_a_close_view_shows_the_ring_and_leaves_the_far_away_out() -> None:
    near = Around(latitude=21.309, longitude=105.971, width_km=1.5)
    drawn = city_map(CITY, theme=DESK, size=(320, 300), text_px=14, around=near, markers=STORM)
    assert f'stroke="{DESK.focus}"' in drawn
    assert "31 tin" not in drawn
    assert "38 cm" in drawn
    assert "Yên Hòa" not in drawn


def test_a_city_without_boundaries_shows_its_centres_and_says_what_is_missing() -> None:
    places = [
        Place(code="07210", name="Bắc Giang", latitude=21.2733, longitude=106.1946),
        Place(code="07699", name="Nếnh", latitude=21.23, longitude=106.1),
        Place(code="07246", name="Đa Mai", latitude=21.29, longitude=106.17),
    ]
    drawn = city_map(
        None,
        theme=DESK,
        places=places,
        wards={"07210": "high", "07699": NO_DATA},
        markers=[marker("river", 106.2, 21.28, "medium", "4,12 m")],
        message="Chưa có ranh giới phường: nhập ranh giới theo hướng dẫn vận hành",
    )
    root = ElementTree.fromstring(drawn)
    assert len([dot for dot in root.iter(f"{SVG}circle") if dot.get("class") == "place"]) == 3
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Bắc Giang", "Nếnh", "Đa Mai", "4,12 m"} <= set(texts)
    assert "Chưa có ranh giới phường: nhập ranh giới theo hướng dẫn vận hành" in " ".join(texts)
    assert not [pair for pair in combinations(boxes_of_texts(drawn, 22), 2) if pair[0].meets(pair[1])]


def test_a_city_with_nothing_at_all_is_still_a_picture() -> None:
    ElementTree.fromstring(city_map(None, theme=WALL, message="Chưa có trạm nào"))
    ElementTree.fromstring(city_map({"type": "FeatureCollection", "features": []}, theme=WALL))


def test_codes_that_the_geometry_does_not_know_are_left_out() -> None:
    drawn = city_map(CITY, theme=WALL, wards={"99999": "high"}, segments={"road_99": "high"})
    assert 'class="ward"' not in drawn
    assert 'class="segment"' not in drawn


def test_english_words_beside_vietnamese_names() -> None:
    drawn = city_map(CITY, theme=WALL, language="en", wards={"90001": "high"})
    assert 'aria-label="Map"' in drawn
    assert "area with an alert" in drawn
    assert "Yên Hòa" in drawn


def test_two_cities_do_not_share_a_ground() -> None:
    other = small_city()
    other["features"] = other["features"][:2]
    assert city_map(other, theme=WALL).count("<text") < city_map(CITY, theme=WALL).count("<text")
