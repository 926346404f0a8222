"""The shelf of layers and the command line: nothing half written, nothing overwritten, every layer with its owner."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import Point, box, mapping

import gis.__main__ as command
from gis import layers
from gis.export import Row, to_csv, to_geojson
from gis.faults import Fault
from gis.intake import draft
from gis.layers import Layer, Shelf, described, light
from gis.read import Feature
from tests.gis.files import WARDS, bytes_of, collection, moved, prj_of, shape_zip

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
POINTS = [
    Feature(Point(106.1, 21.2), {"ten": "Một", "ma": "1"}),
    Feature(Point(106.2, 21.3), {"ten": "Hai", "ma": "2"}),
]
SAID: dict[str, Any] = {
    "key": "cap_phep", "title": "Cấp phép", "kind": "construction_permit", "owner": "Sở Xây dựng",
    "licence": "Nội bộ", "dated": date(2026, 10, 1),
}  # fmt: skip


def layer_of(features: list[Feature], **more: Any) -> Layer:
    return described(features, **(SAID | more))


def test_a_layer_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    Shelf(tmp_path).put(layer_of(POINTS), POINTS, by="Lê Thị Quản trị", now=NOW)
    shelf = Shelf(tmp_path)  # another start of the server
    (layer,) = shelf.all()
    assert (layer.owner, layer.version, layer.imported_by, layer.imported_at) == (
        "Sở Xây dựng",
        1,
        "Lê Thị Quản trị",
        NOW,
    )
    kept = shelf.read("cap_phep")
    assert [one.properties for one in kept.features] == [one.properties for one in POINTS]
    assert [kept.name(0), kept.code(1)] == ["Một", "2"]
    assert kept.features[0].geometry.equals(Point(106.1, 21.2))
    assert [near.index for near in kept.reach.within_m(106.1, 21.2, 50)] == [0]


def test_a_new_version_stands_beside_the_old_and_a_removal_is_a_version_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(layer_of(POINTS), POINTS, by="a", now=NOW)
    shelf.put(layer_of(POINTS[:1]), POINTS[:1], by="b", now=NOW)
    assert (shelf.read("cap_phep").layer.version, len(shelf.read("cap_phep").features)) == (2, 1)
    shelf.remove("cap_phep", by="c", now=NOW)
    assert shelf.all() == ()
    with pytest.raises(Fault, match="không có lớp"):
        shelf.read("cap_phep")
    assert [(one.version, one.removed) for one in shelf.history("cap_phep")] == [(3, True), (2, False), (1, False)]
    assert len(list(tmp_path.glob("cap_phep/*.geojson"))) == 2, "what was kept stays"
    assert shelf.put(layer_of(POINTS), POINTS, by="a", now=NOW).version == 4


def test_a_write_that_breaks_off_leaves_the_last_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(layer_of(POINTS), POINTS, by="a", now=NOW)
    real = layers.write_whole

    def breaks(path: Path, body: bytes) -> None:
        if path.suffix == ".json":
            raise OSError("the disk is full")
        real(path, body)

    monkeypatch.setattr(layers, "write_whole", breaks)
    with pytest.raises(OSError, match="full"):
        shelf.put(layer_of(POINTS[:1]), POINTS[:1], by="a", now=NOW)
    monkeypatch.setattr(layers, "write_whole", real)
    assert len(Shelf(tmp_path).read("cap_phep").features) == 2
    assert Shelf(tmp_path).put(layer_of(POINTS), POINTS, by="a", now=NOW).version == 2


def test_a_file_that_somebody_changed_by_hand_is_told(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(layer_of(POINTS), POINTS, by="a", now=NOW)
    path = tmp_path / "cap_phep" / "00001.geojson"
    path.write_bytes(path.read_bytes().replace(b"106.1", b"107.1"))
    with pytest.raises(Fault, match="thay đổi ngoài hệ thống"):
        shelf.read("cap_phep")


def test_the_shelf_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MOST_LAYERS", 1)
    shelf = Shelf(tmp_path)
    shelf.put(layer_of(POINTS), POINTS, by="a", now=NOW)
    with pytest.raises(Fault, match="xóa lớp cũ"):
        shelf.put(layer_of(POINTS, key="khac"), POINTS, by="a", now=NOW)


SQUARE = Feature(box(106, 21, 106.1, 21.1), {"ma": "07210"})


@pytest.mark.parametrize(
    ("features", "more", "words"),
    [
        (POINTS, {"key": "../etc"}, "mã lớp"),
        (POINTS, {"owner": "  "}, "đơn vị quản lý"),
        (POINTS, {"licence": ""}, "quyền sử dụng"),
        (POINTS, {"kind": "ward"}, "phải là vùng"),
        ([Feature(SQUARE.geometry, {"a": 1})], {"kind": "ward"}, "phải có cột mã"),
        ([SQUARE, SQUARE], {"kind": "ward"}, "07210 có hai lần"),
        ([SQUARE], {"style": "heat"}, "lớp điểm"),
        (POINTS, {"kind": "anything"}, "không có"),
        (POINTS, {"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)}, "đứng trước"),
    ],
)
def test_what_a_layer_lacks_is_said(features: list[Feature], more: dict[str, Any], words: str) -> None:
    with pytest.raises(Fault, match=words):
        layer_of(features, **more)


def test_validity_counts_both_days() -> None:
    layer = layer_of(POINTS, valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30))
    assert [layer.holds_on(date(2026, *day)) for day in ((1, 1), (6, 30), (7, 1))] == [True, True, False]


def test_neighbours_keep_their_common_edge_when_wards_are_made_light() -> None:
    """One by one simplified, 99 wards would overlap and gape by 3 km²; together they do not."""
    features = draft(bytes_of(WARDS), "xa.geojson", province="24").features
    drawn = [one.geometry for one in light(features, 10_000)]
    assert int(sum(shapely.get_num_coordinates(drawn))) < 12_000
    assert all(one.is_valid for one in drawn)
    overlap = sum(one.area for one in drawn) - shapely.union_all(drawn).area
    assert overlap < 1e-5 * sum(one.area for one in drawn)


def test_what_is_small_is_drawn_as_it_came() -> None:
    assert light([SQUARE])[0].geometry.equals_exact(SQUARE.geometry, 0)


def test_exports_carry_their_marks_and_no_formula() -> None:
    rows = [
        Row(layer="Mưa", code="07210", name="=HYPERLINK(1)", shape=mapping(SQUARE.geometry), value=-1.5, unit="mm"),
        Row(layer="Mưa", code="07228", name="Đa Mai", shape=mapping(Point(106, 21)), note="(ước tính)"),
    ]
    about = {"told": "DỮ LIỆU MÔ PHỎNG"}
    text = to_csv(rows, about)
    assert text.startswith("\ufeff")
    first, second = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert first["name"] == "'=HYPERLINK(1)"
    assert first["value"] == "-1.5", "a number stays a number"
    assert (second["value"], second["note"], second["told"]) == ("", "(ước tính)", "DỮ LIỆU MÔ PHỎNG")
    whole = json.loads(to_geojson(rows, about))
    assert whole["about"] == about
    assert whole["features"][0]["properties"]["_value"] == -1.5
    assert whole["features"][1]["properties"]["_value"] is None


# -- python -m gis ---------------------------------------------------------------------------------------------------


def run(*words: str) -> int:
    return command.main(list(words))


def test_check_tells_what_a_file_is_and_writes_it_in_degrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dat.zip"
    path.write_bytes(shape_zip([moved(SQUARE.geometry, "9214")], [{"ma": "07210"}], prj_of("9214")))
    assert run("check", str(path), "--province", "24", "--geojson") == 0
    said = capsys.readouterr()
    assert "kinh tuyến trục 107°00′" in said.err
    assert json.loads(said.out)["features"][0]["properties"] == {"ma": "07210"}


def test_bad_input_ends_with_2_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "sai_mui.geojson"
    wrong.write_bytes(collection([moved(SQUARE.geometry, "9209")], [{}]))
    for words in (
        ["check", str(tmp_path / "none.zip")],
        ["check", str(wrong), "--province", "24", "--zone", "5896"],
        ["check", str(wrong), "--zone", "1"],
        ["check", str(wrong), "--box", "1,2"],
    ):
        assert run(*words) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.splitlines()[-1].startswith("error: ")
    assert "105°30′" in capsys.readouterr().err or run("check", str(wrong), "--province", "24", "--zone", "9209") == 0
    with pytest.raises(SystemExit) as ended:
        run("check")
    assert ended.value.code == 2


def test_import_puts_the_real_wards_on_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bytes_of(WARDS)
    monkeypatch.setenv("CITY_STORE", str(tmp_path / "city.duckdb"))
    assert run(
        "import", str(WARDS), "--province", "24", "--key", "xa", "--title", "Xã, phường", "--kind", "ward",
        "--owner", "Sở Nội vụ", "--licence", "MIT", "--dated", "2025-07-01", "--valid-from", "2025-07-01",
    ) == 0  # fmt: skip
    assert run("list") == 0
    assert "xa,ward,polygon,99,2025-07-01,v1,Sở Nội vụ" in capsys.readouterr().out
    (layer,) = Shelf(tmp_path / "city-layers").all()
    assert replace(layer, box=()).code_field == "ma_xa"
    assert run("zones") == 0
    assert len(capsys.readouterr().out.splitlines()) == 20
