"""Files from any office: each format with the real wards, and everything that must be refused in one sentence."""

from __future__ import annotations

import io
import json
import sqlite3
import unicodedata
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box

from gis import read as reading
from gis.faults import Fault
from gis.intake import draft
from gis.letters import legacy
from gis.read import read
from tests.gis.files import collection, geopackage, moved, prj_of, shape_zip, ward_shapes

SQUARE = box(106.0, 21.2, 106.01, 21.21)
KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<Placemark><name>Trạm bơm Châu Xuyên</name><ExtendedData><Data name="cong_suat"><value>12</value></Data></ExtendedData>
<Point><coordinates>106.2,21.28,0</coordinates></Point></Placemark>
<Placemark><name>Tuyến cống</name><MultiGeometry>
<LineString><coordinates>106.2,21.28 106.21,21.29</coordinates></LineString>
<LineString><coordinates>106.22,21.28 106.23,21.29</coordinates></LineString></MultiGeometry></Placemark>
<Placemark><name>Hồ</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
106,21 106.1,21 106.1,21.1 106,21.1 106,21</coordinates></LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing>
<coordinates>106.04,21.04 106.06,21.04 106.06,21.06 106.04,21.04</coordinates></LinearRing></innerBoundaryIs></Polygon>
</Placemark><Placemark><name>không có hình</name></Placemark></Folder>
<NetworkLink><Link><href>http://example.com/a.kml</href></Link></NetworkLink></Document></kml>"""


def packed(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in members.items():
            package.writestr(name.replace("__", "."), body)
    return out.getvalue()


def test_the_99_wards_come_home_from_a_shapefile_in_vn2000() -> None:
    """GeoJSON -> metres of 107°00′ by the library's own tables -> Shapefile with its .prj -> WGS 84."""
    shapes, rows = ward_shapes()
    told = [{"ma_xa": row["ma_xa"], "ten": row["ten"]} for row in rows]
    body = shape_zip([moved(one, "9214") for one in shapes], told, prj_of("9214"), cpg="UTF-8")
    found = draft(body, "xa.zip", province="24")
    assert found.problems == ()
    assert found.located.system.key == "9214"
    assert [one.properties for one in found.features] == told
    worst = max(a.geometry.hausdorff_distance(b) for a, b in zip(found.features, shapes, strict=True) if b.is_valid)
    assert worst < 1e-7, "a centimetre"


def test_a_geopackage_gives_shapes_columns_and_system() -> None:
    found = read(geopackage([moved(SQUARE, "9209")], ["Khu đất số 1"], 9209), "dat.gpkg")
    assert (found.format, found.system, found.without_shape) == ("GeoPackage", "EPSG:9209", 1)
    assert found.features[0].properties == {"fid": 1, "ten": "Khu đất số 1"}
    placed = draft(geopackage([moved(SQUARE, "9209")], ["Khu đất số 1"], 9209), "dat.gpkg", province="24")
    assert placed.features[0].geometry.hausdorff_distance(SQUARE) < 1e-7
    assert any("1 dòng không có hình" in one.vi for one in placed.notes)


def test_a_geopackage_that_was_open_in_a_programme_is_read_too() -> None:
    body = bytearray(geopackage([SQUARE], ["a"], 4326))
    body[18:20] = b"\x02\x02"  # write-ahead logging
    assert len(read(bytes(body), "mo.gpkg").features) == 1


def test_kml_gives_points_lines_areas_and_their_data() -> None:
    found = read(KML.encode(), "ban_do.kml")
    assert [one.geometry.geom_type for one in found.features] == ["Point", "MultiLineString", "Polygon"]
    assert found.features[0].properties == {"name": "Trạm bơm Châu Xuyên", "cong_suat": "12"}
    assert len(found.features[2].geometry.interiors) == 1
    assert (found.without_shape, found.links) == (1, 1)
    assert not found.features[0].geometry.has_z
    assert any("NetworkLink" in one.vi for one in draft(KML.encode(), "a.kml", province="24").notes)
    assert len(read(packed(doc__kml=KML.encode()), "ban_do.kmz").features) == 3


def test_a_table_keeps_its_letters_with_and_without_its_code_page() -> None:
    assert read(shape_zip([SQUARE], [{"ten": "Hồ Đông"}]), "a.zip").features[0].properties == {"ten": "Hồ Đông"}
    old = shape_zip([SQUARE], [{"ten": "Đô Lương Á"}], encoding="cp1258")
    assert read(old, "b.zip").features[0].properties == {"ten": "Đô Lương Á"}
    said = shape_zip([SQUARE], [{"ten": "Café"}], encoding="cp1252", cpg="1252")
    assert read(said, "c.zip").features[0].properties == {"ten": "Café"}


OLD_NAMES = {
    "TCVN3 (ABC)": ["Ph\xad\xeang Th\xe4 X\xad\xacng", "X\xb7 \xa7ång S\xacn", "H\xb5 N\xe9i", "Tr\xb9m b\xacm"],
    "VNI": ["Phöôøng Thoï Xöông", "Xaõ Ñoàng Sôn", "Haø Noäi", "Traïm bôm"],
    "": [
        "Phường Thọ Xương",
        "Xã Đồng Sơn",
        "Hà Nội",
        "Trạm bơm số 2",
        "Diện tích 120 m² (±0,5°)",
        "Quốc lộ 1 – khu «A»",
    ],
}


@pytest.mark.parametrize("letters", OLD_NAMES)
def test_a_table_in_an_old_font_is_named_and_an_ordinary_one_is_not(letters: str) -> None:
    rows = [{"ten": name} for name in OLD_NAMES[letters]]
    encoding = "latin-1" if letters else "cp1258"
    if not letters:  # the code page writes vowel and tone apart, as Windows did
        rows = [{"ten": _apart(name)} for name in OLD_NAMES[letters]]
    body = shape_zip([SQUARE] * len(rows), rows, prj_of("4326"), encoding=encoding)
    found = draft(body, "cu.zip", province="24")
    assert found.file.letters == letters
    assert any("UTF-8" in one.vi and letters in one.vi for one in found.notes) == bool(letters)


def test_one_odd_word_is_a_slip_and_no_old_font() -> None:
    assert legacy(["H\xb5"]) == ""
    assert legacy(["H\xb5", "Tr\xb9m"]) == "TCVN3 (ABC)"


def _apart(text: str) -> str:
    """Text as code page 1258 can hold it: a tone is a letter of its own."""
    out = []
    for sign in text:
        whole = unicodedata.normalize("NFD", sign)
        tones = [one for one in whole if one in "\u0300\u0301\u0303\u0309\u0323"]
        out.append(unicodedata.normalize("NFC", "".join(one for one in whole if one not in tones)) + "".join(tones))
    return "".join(out)


def test_areas_that_cross_themselves_are_mended_and_counted() -> None:
    bow = Polygon([(106.0, 21.2), (106.1, 21.3), (106.1, 21.2), (106.0, 21.3)])
    found = draft(collection([bow, SQUARE], [{}, {}]), "no.geojson", province="24")
    assert all(one.geometry.is_valid for one in found.features)
    assert any(one.vi.startswith("1 vùng có đường biên tự cắt") for one in found.notes)


def test_metres_without_a_word_in_geojson_get_the_zone_of_the_province() -> None:
    found = draft(collection([moved(SQUARE, "9214")], [{}]), "met.geojson", province="24")
    assert found.located.system.key == "9214"
    assert found.features[0].geometry.hausdorff_distance(SQUARE) < 1e-7


def several() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name in ("duong", "song"):
            inner = zipfile.ZipFile(io.BytesIO(shape_zip([SQUARE], [{"ten": "a"}], name=name)))
            for one in inner.namelist():
                package.writestr(one, inner.read(one))
    return out.getvalue()


def test_one_of_several_layers_is_chosen_by_name() -> None:
    assert len(read(several(), "nhieu.zip", layer="song").features) == 1


def bomb() -> bytes:
    return packed(a__geojson=b" " * (20 * 2**20))


def locked() -> bytes:
    body = bytearray(packed(a__kml=KML.encode()))
    body[6] |= 1
    start = body.index(b"PK\x01\x02")
    body[start + 8] |= 1
    return bytes(body)


def named(path: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(path, KML)
    return out.getvalue()


def plain_sqlite() -> bytes:
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE a (b)")
    return bytes(base.serialize())


ENTITY = '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>'
VRT = '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://example.com/a</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b" \n", "rỗng"),
    ("a picture", lambda: b"\x89PNG\r\n\x1a\n", "không phải GeoJSON"),
    ("a web page", lambda: b"<html><body>404</body></html>", "không phải KML"),
    ("JSON of another kind", lambda: b'{"a": 1}', "không phải GeoJSON"),
    ("TopoJSON", lambda: b'{"type": "Topology", "objects": {}}', "TopoJSON"),
    ("cut off", lambda: collection([SQUARE], [{}])[:-20], "hỏng"),
    ("nested without end", lambda: b"[" * 100_000, "hỏng"),
    ("no shape", lambda: b'{"type": "FeatureCollection", "features": []}', "không có đối tượng"),
    ("no number", lambda: b'{"type": "Point", "coordinates": [NaN, 21]}', "không phải là số"),
    ("a lone .shp", lambda: b"\x00\x00\x27\x0a" + bytes(100), "đứng một mình"),
    ("no .dbf", lambda: packed(a__shp=b"\x00\x00\x27\x0a" + bytes(100)), "thiếu .dbf"),
    ("a bomb", bomb, "quá lớn"),
    ("a password", locked, "mật khẩu"),
    ("a way out", lambda: named("../../etc/a.kml"), "trỏ ra ngoài"),
    ("a way out on Windows", lambda: named("C:/a.kml"), "trỏ ra ngoài"),
    ("an archive in an archive", lambda: packed(a__kml=packed(b__kml=KML.encode())), "lồng trong"),
    ("nothing to read", lambda: packed(a__txt=b"a"), "không có .shp"),
    ("several layers", several, "duong, song"),
    ("entities", lambda: ENTITY.encode(), "DTD"),
    ("a file that only points to an address", lambda: VRT.encode(), "không phải KML"),
    ("a plain data base", plain_sqlite, "không phải GeoPackage"),
]


@pytest.mark.parametrize(("what", "make", "words"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_is_no_map_is_refused_by_name(what: str, make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(Fault, match=words) as told:
        read(make(), "tep.bin")
    assert "tep.bin" in told.value.words("en")


def test_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    many = collection([SQUARE] * 5, [{}] * 5)
    for limit, value in (("FEATURES_MAX", 4), ("VERTICES_MAX", 10), ("FILE_BYTES_MAX", 10)):
        with monkeypatch.context() as patched:
            patched.setattr(reading, limit, value)
            with pytest.raises(Fault, match=r"nhiều hơn|lớn hơn"):
                read(many, "lon.geojson")
    monkeypatch.setattr(reading, "MEMBERS_MAX", 1)
    with pytest.raises(Fault, match="2 tệp"):
        read(packed(a__kml=b"a", b__kml=b"b"), "lon.zip")


def test_a_geopackage_cannot_do_anything_but_be_read() -> None:
    """A view with a forged query, and a geometry column that names a table of the base itself."""
    base = sqlite3.connect(":memory:")
    base.deserialize(geopackage([SQUARE], ["a"], 4326))
    base.execute("UPDATE gpkg_contents SET table_name = 'sqlite_master'")
    base.execute("UPDATE gpkg_geometry_columns SET table_name = 'sqlite_master', column_name = 'sql'")
    base.commit()
    with pytest.raises(Fault, match="không có lớp đối tượng"):
        read(bytes(base.serialize()), "gia.gpkg")
    base = sqlite3.connect(":memory:")
    base.deserialize(geopackage([SQUARE], ["a"], 4326))
    base.executescript('ALTER TABLE lop RENAME TO "lop""; DROP TABLE gpkg_contents; --"')
    for table in ("gpkg_contents", "gpkg_geometry_columns"):
        base.execute(f"UPDATE {table} SET table_name = 'lop\"; DROP TABLE gpkg_contents; --'")
    base.commit()
    assert len(read(bytes(base.serialize()), "ten_la.gpkg").features) == 1


def test_values_are_plain_and_short() -> None:
    row = {"a": {"b": [1]}, "dai": "x" * 5000, "dong": "một\nhai\x00", "so": 1.5, "khong": None, "dung": True}
    values = read(collection([Point(106, 21)], [row]), "a.geojson").features[0].properties
    assert values["a"] == '{"b": [1]}'
    assert len(str(values["dai"])) == reading.TEXT_MAX
    assert values["dong"] == "một hai"
    assert (values["so"], values["khong"], values["dung"]) == (1.5, None, True)


SEEDS = [
    KML.encode(),
    packed(doc__kml=KML.encode()),
    collection([SQUARE], [{"ten": "a"}]),
    geopackage([SQUARE], ["a"], 4326),
    shape_zip([SQUARE], [{"ten": "a"}], prj_of("9214")),
]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.sampled_from(SEEDS), cuts=st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=8)), max_size=6))
def test_no_forged_file_brings_anything_but_a_fault(seed: bytes, cuts: list[tuple[int, bytes]]) -> None:
    body = bytearray(seed)
    for place, new in cuts:
        at = place % len(body)
        body[at : at + len(new)] = new
    told = ""
    try:
        found = draft(bytes(body), "gia.bin", province="24")
        json.dumps([dict(one.properties) for one in found.located.features], allow_nan=False)
    except Fault as fault:
        told = str(fault)
    assert "\n" not in told
