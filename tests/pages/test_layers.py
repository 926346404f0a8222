"""The page of layers: an administrator imports what an office sent, everybody sees it, and nothing goes unsaid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyproj import Geod
from shapely.geometry import LineString, Point, box
from streamlit.testing.v1 import AppTest

from core.access import Denied, Person
from gis.faults import Fault
from gis.intake import draft
from gis.layers import Shelf, described
from gis.read import Feature
from pipeline import Line
from tests.gis.files import collection, moved, prj_of, shape_zip
from tests.pages.conftest import FLOOD, copy_of
from tests.pages.reading import html, open_page, parts, problems

Serve = Callable[[Line], Line]
ADMIN = Person(account="sub-3", name="Lê Thị Quản trị", role="admin")
VIEWER = Person(account="sub-4", name="Ông Khách", role="viewer")
BOX = (105.5, 20.9, 106.5, 21.8)
EARTH = Geod(ellps="WGS84")


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "own.duckdb")
    own.shelf = Shelf(tmp_path / "layers")
    yield own
    own.stop()


@pytest.fixture
def rainy_line(alert_line: Line, tmp_path: Path) -> Iterator[Line]:
    """The evening with alerts, and a shelf of its own."""
    kept, alert_line.shelf = alert_line.shelf, Shelf(tmp_path / "layers")
    yield alert_line
    alert_line.shelf = kept


def keep(line: Line, key: str, features: list[Feature], **more: Any) -> None:
    shapes, rows = [one.geometry for one in features], [dict(one.properties) for one in features]
    found = draft(collection(shapes, rows), f"{key}.geojson", box=BOX)
    said: dict[str, Any] = {
        "key": key, "title": key.title(), "kind": "other", "owner": "Sở Xây dựng", "licence": "Nội bộ",
        "dated": date(2026, 9, 1),
    }  # fmt: skip
    line.import_layer(ADMIN, found, described(found.features, **(said | more)))


def audited(line: Line, action: str) -> list[dict[str, Any]]:
    rows = line.audit_rows(line.clock.now() - timedelta(days=1))
    return rows[rows["action"] == action].to_dict("records")


def deck_of(viewer: AppTest) -> dict[str, Any]:
    return json.loads(viewer.get("deck_gl_json_chart")[0].proto.json)


def with_map(**query: str) -> AppTest:
    viewer = open_page("layers", **query)
    viewer.session_state["canvas_known"] = "webgl"
    return viewer.run()


def test_an_administrator_imports_a_shapefile_in_vn2000_and_a_viewer_sees_it(line: Line, serve: Serve) -> None:
    serve(line)
    admin = open_page("layers").run()
    admin.selectbox(key="demo_role_choice").select("admin").run()
    body = shape_zip([moved(Point(106.0, 21.3), "9214")], [{"ten": "Trạm bơm"}], prj_of("9214"))
    admin.file_uploader(key="layers_file").upload("Trạm bơm 2026.zip", body, "application/zip").run()
    assert problems(admin) == []
    shown = parts(admin)["preview"]
    assert "kinh tuyến trục 107°00′" in shown
    assert "106,00000°" in shown
    admin.text_input(key="layers_owner").input("Công ty Thoát nước")
    admin.text_input(key="layers_licence").input("Nội bộ")
    admin.button(key="do_import_layer").click().run()
    assert problems(admin) == []
    (layer,) = line.shelf.all()
    assert (layer.key, layer.owner, layer.features) == ("tram_bom_2026", "Công ty Thoát nước", 1)
    (entry,) = audited(line, "import_layer")
    assert (entry["object"], entry["result"]) == ("tram_bom_2026", "done")
    viewer = with_map()
    assert "Công ty Thoát nước" in parts(viewer)["list"]
    assert "layer-tram_bom_2026" in [one["id"] for one in deck_of(viewer)["layers"]]
    assert not viewer.get("file_uploader"), "whoever may not import is not shown the way"


def test_turned_axes_are_told_and_mended_by_one_press(line: Line, serve: Serve) -> None:
    serve(line)
    admin = open_page("layers").run()
    admin.selectbox(key="demo_role_choice").select("admin").run()
    east, north = moved(Point(106.0, 21.3), "9214").coords[0]
    body = collection([Point(north, east)], [{"ten": "Mốc"}], "urn:ogc:def:crs:EPSG::9214")
    admin.file_uploader(key="layers_file").upload("moc.geojson", body, "application/json").run()
    assert "có vẻ trục X, Y bị đổi chỗ" in parts(admin)["preview"]
    assert not [one for one in admin.button if one.key == "do_import_layer"], "what lies elsewhere cannot be kept"
    admin.button(key="layers_try:0").click().run()
    assert "Cần sửa" not in parts(admin)["preview"]
    assert "đã đổi trục" in parts(admin)["preview"]
    assert [one for one in admin.button if one.key == "do_import_layer"]


def test_only_an_administrator_of_the_whole_city_may_keep_or_remove(line: Line) -> None:
    point = [Feature(Point(106.0, 21.3), {})]
    found = draft(collection([point[0].geometry], [{}]), "a.geojson", box=BOX)
    layer = described(
        found.features, key="lop", title="Lớp", kind="other", owner="a", licence="a", dated=date(2026, 1, 1)
    )
    part = replace(ADMIN, areas=frozenset({"90001"}))
    for person in (VIEWER, part):
        with pytest.raises(Denied):
            line.import_layer(person, found, layer)
    assert line.shelf.all() == ()
    assert [one["result"] for one in audited(line, "import_layer")] == ["denied", "denied"]
    keep(line, "lop", point)
    with pytest.raises(Denied):
        line.remove_layer(VIEWER, "lop")
    line.remove_layer(ADMIN, "lop")
    assert line.shelf.all() == ()
    with pytest.raises(Fault):
        line.remove_layer(ADMIN, "lop")
    assert next(one["result"] for one in audited(line, "remove_layer")) == "refused"


def test_what_lies_within_300_m_of_an_alert(rainy_line: Line, serve: Serve) -> None:
    latitude, longitude = rainy_line.city.point(FLOOD[1]) or (0.0, 0.0)
    near, far = EARTH.fwd(longitude, latitude, 45, 250)[:2], EARTH.fwd(longitude, latitude, 45, 350)[:2]
    school = [Feature(Point(near), {"ten": "Trường THCS Đông Kiều"}), Feature(Point(far), {"ten": "Chợ"})]
    keep(rainy_line, "cong_trinh", school)
    pipe = [
        Feature(
            LineString([(longitude - 0.01, latitude + 0.001), (longitude + 0.01, latitude + 0.001)]), {"ten": "Cống"}
        )
    ]
    keep(rainy_line, "cong", pipe)
    serve(rainy_line)
    viewer = with_map(alert=":".join(FLOOD))
    assert problems(viewer) == []
    shown = parts(viewer)["near"]
    assert "Trường THCS Đông Kiều" in shown
    assert "250 m" in shown
    assert "111 m" in shown, "the middle of the pipe is nearer than its ends"
    assert "Chợ" not in shown
    assert "around" in [one["id"] for one in deck_of(viewer)["layers"]]
    viewer.selectbox(key="layers_radius").select(500).run()
    assert "Chợ" in parts(viewer)["near"]


def test_counts_are_shown_by_inhabitants_and_hours_can_be_gone_back(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = with_map(colour="reports_60min")
    assert problems(viewer) == []
    assert "1.000 dân" in parts(viewer)["legend"]
    assert "kết thúc lúc 18:00" in parts(viewer)["legend"]
    wards = next(one for one in deck_of(viewer)["layers"] if one["id"] == "wards")["data"]["features"]
    assert len(wards) == len(line.city.areas)
    first = {one["properties"]["code"]: one["properties"]["tooltip"] for one in wards}
    view = deck_of(viewer)["initialViewState"]
    viewer.slider(key="layers_hour").set_value(-9).run()
    assert "kết thúc lúc 09:00" in parts(viewer)["legend"]
    later = next(one for one in deck_of(viewer)["layers"] if one["id"] == "wards")["data"]["features"]
    assert {one["properties"]["code"]: one["properties"]["tooltip"] for one in later} != first
    assert deck_of(viewer)["initialViewState"] == view, "another hour does not throw the view back"
    options = {one.key: one for one in viewer.selectbox}["layers_colour"].options
    assert not any(
        one.startswith("Phản ánh") and "dân" not in one and "%" not in one and "lần" not in one for one in options
    )


def test_the_boundaries_of_another_day_carry_the_figures_as_an_estimate(line: Line, serve: Serve) -> None:
    """Two halves of the city's box as districts of before the reform: their rates are averages of the wards' rates."""
    west, south, east, north = 105.9, 21.2, 106.1, 21.4
    middle = (west + east) / 2
    halves = [Feature(box(west, south, middle, north), {"ma": "X1", "ten": "Huyện Tây"}),
              Feature(box(middle, south, east, north), {"ma": "X2", "ten": "Huyện Đông"})]  # fmt: skip
    keep(line, "truoc_2025", halves, kind="ward", valid_to=date(2025, 6, 30))
    serve(line)
    viewer = with_map(colour="reports_60min")
    viewer.date_input(key="layers_day").set_value(date(2025, 1, 1)).run()
    assert problems(viewer) == []
    wards = next(one for one in deck_of(viewer)["layers"] if one["id"] == "wards")["data"]["features"]
    assert {one["properties"]["code"] for one in wards} == {"X1", "X2"}
    assert all("(ước tính)" in one["properties"]["tooltip"] for one in wards)
    assert "Ước tính" in parts(viewer)["legend"]


def test_without_a_live_map_there_is_a_still_one(line: Line, serve: Serve) -> None:
    serve(line)
    keep(line, "diem", [Feature(Point(106.0, 21.3), {"ten": "<b>A</b>"})])
    viewer = open_page("layers")
    viewer.session_state["canvas_known"] = "none"
    viewer.run()
    assert problems(viewer) == []
    assert "map" in parts(viewer)
    assert not viewer.get("deck_gl_json_chart")


def test_a_broken_layer_is_told_in_the_list_and_the_page_stands(line: Line, serve: Serve, tmp_path: Path) -> None:
    serve(line)
    keep(line, "hong", [Feature(Point(106.0, 21.3), {})])
    (tmp_path / "layers" / "hong" / "00001.geojson").unlink()
    line.shelf._kept.clear()
    viewer = with_map()
    assert problems(viewer) == []
    assert "nhập lại" in html(viewer)


def test_a_way_through_places_is_measured_and_drawn(rainy_line: Line, serve: Serve) -> None:
    serve(rainy_line)
    latitude, longitude = rainy_line.city.point(FLOOD[1]) or (0.0, 0.0)
    north = EARTH.fwd(longitude, latitude, 0, 1000)
    east = EARTH.fwd(longitude, latitude, 90, 1000)
    viewer = with_map()
    assert "Từ hai nơi" in parts(viewer)["measured"]
    viewer.multiselect(key="layers_measure_places").select(":".join(FLOOD)).run()
    typed = f"{north[1]:.7f} {north[0]:.7f}; {east[0]:.7f}, {east[1]:.7f}"
    viewer.text_input(key="layers_measure_typed").input(typed).run()
    assert problems(viewer) == []
    shown = parts(viewer)["measured"]
    assert "2,41 km" in shown, "1,000 m and the diagonal"
    assert "1.000 m + 1.414 m" in shown
    assert "3,41 km" in shown
    assert "50,00 ha" in shown
    way = next(one for one in deck_of(viewer)["layers"] if one["id"] == "measured")["data"]
    assert way[0]["path"][0] == [longitude, latitude]
    assert len(way[0]["path"]) == 3
    assert way[1]["path"] == [way[0]["path"][2], way[0]["path"][0]], "the way back, thinner"
    viewer.text_input(key="layers_measure_typed").input("48,85 2,35").run()
    assert [one.value for one in viewer.text if "không nằm ở Việt Nam" in one.value]
    assert problems(viewer) == []


def test_what_is_switched_never_moves_the_view(line: Line, serve: Serve) -> None:
    """A layer far away, the wards of another day: the view is that of the city's wards of today."""
    serve(line)
    keep(line, "xa_xoi", [Feature(Point(105.6, 21.7), {"ten": "Xa"})])
    keep(line, "truoc", [Feature(box(105.6, 21.0, 106.4, 21.7), {"ma": "X"})], kind="ward", valid_to=date(2025, 6, 30))
    viewer = with_map()
    view = deck_of(viewer)["initialViewState"]
    viewer.multiselect(key="layers_shown").set_value([]).run()
    assert deck_of(viewer)["initialViewState"] == view
    viewer.date_input(key="layers_day").set_value(date(2025, 1, 1)).run()
    assert deck_of(viewer)["initialViewState"] == view
