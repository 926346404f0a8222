"""Bytes of a map file -> features in the file's own coordinates: GeoJSON, Shapefile (zip), GeoPackage, KML and KMZ.

What arrives is not trusted. Sizes are checked before anything is unpacked; names inside an archive are never used as
paths; a GeoPackage is opened in memory with an authorizer that lets it be read and nothing else; KML has no DTD, no
entities, and its links are not followed. No reader here can open a file or an address by itself.
"""

from __future__ import annotations

import io
import json
import math
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import shapefile
import shapely
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from shapely.errors import ShapelyError
from shapely.geometry import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, shape
from shapely.geometry.base import BaseGeometry

from gis.faults import Fault
from gis.letters import legacy

FILE_BYTES_MAX = 50 * 2**20
UNPACKED_BYTES_MAX = 300 * 2**20
PACKING_RATIO_MAX = 200
RATIO_COUNTS_FROM_BYTES = 10 * 2**20  # a small layer of equal rows packs as well as a bomb, and harms nobody
MEMBERS_MAX = 200
FEATURES_MAX = 200_000
VERTICES_MAX = 4_000_000
COLUMNS_MAX = 250
TEXT_MAX = 1000  # letters of one value
NESTED_MAX = 8
SQL_STEPS_MAX = 400_000_000

Value = str | int | float | bool | None
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}  # bytes of the envelope in a GeoPackage geometry, by its code
_SHAPE_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_PRAGMA}
# What the readers raise on files that are cut off, mixed up or forged.
_BROKEN = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, EOFError, AssertionError,
    RecursionError, struct.error, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError,
    shapefile.ShapefileException, ShapelyError, sqlite3.Error, MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing on the map: its shape (two-dimensional) and what the file says about it."""

    geometry: BaseGeometry
    properties: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFile:
    """What a file held. `system` is its own word for its coordinates: WKT, a name, or empty where it says nothing."""

    name: str
    format: str  # GeoJSON | Shapefile | GeoPackage | KML
    features: tuple[Feature, ...]
    system: str = ""
    without_shape: int = 0  # rows that are no place
    links: int = 0  # links to other files, which are not followed
    letters: str = ""  # the old font in which its table was typed: TCVN3 (ABC), VNI


def read(body: bytes, name: str, layer: str = "") -> MapFile:
    """The features of a file; `layer` names one where an archive or a GeoPackage holds several. Raises Fault."""
    if len(body) > FILE_BYTES_MAX:
        raise Fault(
            f"{name}: lớn hơn {FILE_BYTES_MAX // 2**20} MiB; hãy chia lớp hoặc đơn giản hóa hình",
            f"{name}: larger than {FILE_BYTES_MAX // 2**20} MiB; cut the layer or simplify its shapes",
        )
    if not body.strip(b"\0 \r\n\t"):
        raise Fault(f"{name}: tệp rỗng; hãy chép lại tệp", f"{name}: the file is empty; copy it again")
    try:
        found = _read(body, name, layer)
    except Fault:
        raise
    except _BROKEN as error:
        raise Fault(
            f"{name}: tệp hỏng hoặc chép chưa xong ({type(error).__name__}); hãy xuất lại từ phần mềm bản đồ",
            f"{name}: broken or cut off ({type(error).__name__}); export it again from the mapping software",
        ) from error
    if not found.features:
        raise Fault(f"{name}: không có đối tượng nào có hình", f"{name}: holds no feature with a shape")
    return found


def _read(body: bytes, name: str, layer: str) -> MapFile:
    if body.startswith(b"PK\x03\x04"):
        return _archive(body, name, layer)
    if body.startswith(b"SQLite format 3\0"):
        return _geopackage(body, name, layer)
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _kml(body, name)
    if text.startswith((b"{", b"[")):
        return _geojson(text, name)
    if body.startswith(b"\x00\x00\x27\x0a"):
        raise Fault(
            f"{name}: tệp .shp đứng một mình; hãy nén cả .shp, .shx, .dbf, .prj vào một tệp .zip",
            f"{name}: a lone .shp; put .shp, .shx, .dbf and .prj into one .zip",
        )
    raise Fault(
        f"{name}: không phải GeoJSON, Shapefile (.zip), GeoPackage hay KML; hãy xuất lại thành một trong các dạng đó",
        f"{name}: not GeoJSON, Shapefile (.zip), GeoPackage or KML; export it as one of these",
    )


# -- GeoJSON ---------------------------------------------------------------------------------------------------------


def _geojson(text: bytes, name: str) -> MapFile:
    reply = json.loads(text)
    if not isinstance(reply, dict) or "type" not in reply:
        raise Fault(f"{name}: là JSON nhưng không phải GeoJSON", f"{name}: JSON, but no GeoJSON")
    if reply["type"] == "Topology":
        raise Fault(f"{name}: là TopoJSON; hãy xuất thành GeoJSON", f"{name}: this is TopoJSON; export it as GeoJSON")
    given = reply.get("features") if reply["type"] == "FeatureCollection" else [reply]
    if not isinstance(given, list):
        raise Fault(f"{name}: `features` không phải danh sách", f"{name}: `features` is no list")
    features, without = [], 0
    _check_count(len(given), name)
    for one in given:
        bare = one.get("type") != "Feature"
        geometry = one if bare else one.get("geometry")
        if not geometry:
            without += 1
            continue
        features.append(Feature(shapely.force_2d(shape(geometry)), {} if bare else _values(one.get("properties"))))
    named = reply.get("crs")
    said = named.get("properties", {}).get("name", "") if isinstance(named, dict) else "EPSG:4326"  # RFC 7946
    return _checked(
        MapFile(name=name, format="GeoJSON", features=tuple(features), system=str(said), without_shape=without)
    )


# -- archives and Shapefiles -----------------------------------------------------------------------------------------


def _archive(body: bytes, name: str, layer: str) -> MapFile:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        members = [one for one in package.infolist() if not one.is_dir()]
        _check_archive(members, len(body), name)
        files = [one for one in members if not _is_litter(one.filename)]
        by_ending: dict[str, list[zipfile.ZipInfo]] = {}
        for one in files:
            by_ending.setdefault(one.filename.rpartition(".")[2].casefold(), []).append(one)
        readable = [*by_ending.get("shp", ()), *by_ending.get("gpkg", ()), *by_ending.get("kml", ())]
        readable += [*by_ending.get("geojson", ()), *by_ending.get("json", ())]
        chosen = _chosen([PurePosixPath(one.filename).stem for one in readable], layer, name)
        if chosen is None:
            raise Fault(
                f"{name}: trong tệp nén không có .shp, .gpkg, .kml hay .geojson",
                f"{name}: the archive holds no .shp, .gpkg, .kml or .geojson",
            )
        main = readable[chosen]
        if not main.filename.casefold().endswith(".shp"):
            inner = package.read(main)
            if inner.startswith(b"PK\x03\x04"):
                raise Fault(f"{name}: tệp nén lồng trong tệp nén", f"{name}: an archive inside an archive")
            return _read(inner, name, "")
        stem = main.filename[:-4].casefold()
        parts = {
            ending: package.read(one)
            for ending in _SHAPE_PARTS
            for one in by_ending.get(ending, ())
            if one.filename[:-4].casefold() == stem
        }
    return _shapes(parts, name)


def _check_archive(members: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    unpacked = sum(one.file_size for one in members)
    if len(members) > MEMBERS_MAX:
        raise Fault(
            f"{name}: tệp nén có {len(members)} tệp, nhiều hơn {MEMBERS_MAX}",
            f"{name}: the archive holds {len(members)} files, more than {MEMBERS_MAX}",
        )
    if any(one.flag_bits & 1 for one in members):
        raise Fault(f"{name}: tệp nén có mật khẩu; hãy bỏ mật khẩu", f"{name}: the archive has a password; remove it")
    if unpacked > UNPACKED_BYTES_MAX or unpacked > max(RATIO_COUNTS_FROM_BYTES, PACKING_RATIO_MAX * packed):
        raise Fault(
            f"{name}: giải nén ra {unpacked // 2**20} MiB, quá lớn so với một lớp bản đồ",
            f"{name}: unpacks to {unpacked // 2**20} MiB, too much for a map layer",
        )
    for one in members:
        path = PurePosixPath(one.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in one.filename:
            raise Fault(
                f"{name}: trong tệp nén có tên trỏ ra ngoài thư mục; tệp bị từ chối",
                f"{name}: a name in the archive points out of its folder; the file is refused",
            )


def _is_litter(path: str) -> bool:
    return path.startswith("__MACOSX/") or PurePosixPath(path).name.startswith(".")


def _chosen(names: list[str], layer: str, name: str) -> int | None:
    """Which of several layers: the named one, or the only one; None where there is none."""
    if layer:
        for index, one in enumerate(names):
            if one.casefold() == layer.casefold():
                return index
    if len(names) > 1 or (layer and names):
        listed = ", ".join(_clean(one) for one in names[:10])
        raise Fault(
            f"{name}: có nhiều lớp ({listed}); hãy chọn một lớp",
            f"{name}: holds several layers ({listed}); choose one",
        )
    return 0 if names else None


def _shapes(parts: Mapping[str, bytes], name: str) -> MapFile:
    missing = [f".{ending}" for ending in ("shp", "dbf") if ending not in parts]
    if missing:
        raise Fault(
            f"{name}: Shapefile thiếu {', '.join(missing)}; hãy nén đủ .shp, .shx, .dbf, .prj",
            f"{name}: the Shapefile lacks {', '.join(missing)}; pack .shp, .shx, .dbf and .prj together",
        )
    encoding = _encoding(parts)
    reader = shapefile.Reader(
        shp=io.BytesIO(parts["shp"]),
        dbf=io.BytesIO(parts["dbf"]),
        shx=io.BytesIO(parts["shx"]) if "shx" in parts else None,
        encoding=encoding,
        encodingErrors="replace",
    )
    _check_count(len(reader), name)
    features, without = [], 0
    for one in reader.iterShapeRecords():
        if one.shape.shapeType == shapefile.NULL or not one.shape.points:
            without += 1
            continue
        features.append(Feature(shapely.force_2d(shape(one.shape.__geo_interface__)), _values(one.record.as_dict())))
    system = parts.get("prj", b"").decode("utf-8", "replace").strip("\0\r\n\t \ufeff")
    letters = "" if encoding == "utf-8" else legacy(_texts(features))
    return _checked(
        MapFile(
            name=name, format="Shapefile", features=tuple(features), system=system, without_shape=without,
            letters=letters,
        )
    )  # fmt: skip


def _texts(features: list[Feature]) -> Iterator[str]:
    """The texts of a table's first rows; what a table is typed in does not change in its middle."""
    return (value for one in features[:1000] for value in one.properties.values() if isinstance(value, str))


def _encoding(parts: Mapping[str, bytes]) -> str:
    """That of the .cpg, else UTF-8 where the table is UTF-8, else the Vietnamese code page of Windows."""
    said = parts.get("cpg", b"").decode("ascii", "replace").strip().casefold()
    for prefix, codec in (("utf-8", "utf-8"), ("65001", "utf-8"), ("1258", "cp1258"), ("1252", "cp1252")):
        if prefix in said:
            return codec
    try:
        parts["dbf"][32:].decode("utf-8")  # the head of a table holds a date and lengths, no text
    except UnicodeDecodeError:
        return "cp1258"
    return "utf-8"


# -- GeoPackage ------------------------------------------------------------------------------------------------------


def _geopackage(body: bytes, name: str, layer: str) -> MapFile:
    if body[18:20] == b"\x02\x02":  # written with a log beside it, which has no place in memory
        body = body[:18] + b"\x01\x01" + body[20:]
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(body)
        base.execute("PRAGMA trusted_schema = OFF")
        base.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY)
        steps = iter(range(SQL_STEPS_MAX // 10_000))
        base.set_progress_handler(lambda: next(steps, None) is None, 10_000)
        tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"gpkg_contents", "gpkg_geometry_columns"} <= tables:
            raise Fault(f"{name}: là tệp SQLite nhưng không phải GeoPackage", f"{name}: SQLite, but no GeoPackage")
        listed = [
            row
            for row in base.execute(
                "SELECT g.table_name, g.column_name, g.srs_id FROM gpkg_geometry_columns g "
                "JOIN gpkg_contents c ON c.table_name = g.table_name WHERE c.data_type = 'features' ORDER BY 1"
            )
            if row[0] in tables
        ]
        chosen = _chosen([str(row[0]) for row in listed], layer, name)
        if chosen is None:
            raise Fault(f"{name}: GeoPackage không có lớp đối tượng", f"{name}: the GeoPackage holds no features")
        table, column, srs = listed[chosen]
        system = ""
        if "gpkg_spatial_ref_sys" in tables:
            found = base.execute(
                "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
                (srs,),
            ).fetchone()
            if found:
                system = f"EPSG:{found[1]}" if str(found[0]).upper() == "EPSG" else str(found[2])
        cursor = base.execute(f"SELECT * FROM {_quoted(table)} LIMIT {FEATURES_MAX + 1}")
        columns = [one[0] for one in cursor.description]
        place = columns.index(column)
        features, without = [], 0
        for row in cursor:
            geometry = _gpkg_geometry(row[place])
            if geometry is None:
                without += 1
                continue
            values = {key: value for key, value in zip(columns, row, strict=True) if key != column}
            features.append(Feature(geometry, _values(values)))
        _check_count(len(features) + without, name)
    finally:
        base.close()
    return _checked(
        MapFile(name=name, format="GeoPackage", features=tuple(features), system=system, without_shape=without)
    )


def _quoted(name: str) -> str:
    """A name of the file itself (listed in its own sqlite_master) as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _gpkg_geometry(blob: object) -> BaseGeometry | None:
    """The WKB behind the head of a GeoPackage geometry (OGC 12-128r18, 2.1.3); None for an empty one."""
    if not isinstance(blob, bytes) or len(blob) < 8:
        return None
    if blob[:2] != b"GP":
        raise ValueError("no GeoPackage geometry")
    flags = blob[3]
    if flags & 0x10:
        return None
    found: BaseGeometry = shapely.force_2d(shapely.from_wkb(blob[8 + _ENVELOPES[flags >> 1 & 7] :]))
    return None if found.is_empty else found


# -- KML -------------------------------------------------------------------------------------------------------------


def _kml(body: bytes, name: str) -> MapFile:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise Fault(
            f"{name}: XML hỏng, hoặc chứa DTD/thực thể bị cấm; hãy xuất lại KML",
            f"{name}: broken XML, or with a DTD or entities, which are refused; export the KML again",
        ) from error
    if _tag(root) != "kml":
        raise Fault(f"{name}: là XML nhưng không phải KML", f"{name}: XML, but no KML")
    features: list[Feature] = []
    without = 0
    for placemark in (one for one in root.iter() if _tag(one) == "Placemark"):
        shapes = [shape for child in placemark for shape in _kml_shapes(child, 0)]
        if not shapes:
            without += 1
            continue
        _check_count(len(features) + 1, name)
        features.append(Feature(_together(shapes), _kml_values(placemark)))
    links = sum(1 for one in root.iter() if _tag(one) == "NetworkLink")
    return _checked(
        MapFile(
            name=name, format="KML", features=tuple(features), system="EPSG:4326", without_shape=without, links=links
        )
    )


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _kml_shapes(element: Element, depth: int) -> Iterator[BaseGeometry]:
    if depth > NESTED_MAX:
        raise ValueError("MultiGeometry is nested too deep")
    kind = _tag(element)
    if kind == "MultiGeometry":
        for child in element:
            yield from _kml_shapes(child, depth + 1)
    elif kind == "Point":
        yield Point(_kml_points(element)[0])
    elif kind in ("LineString", "LinearRing"):
        yield LineString(_kml_points(element))
    elif kind == "Polygon":
        rings = {"outerBoundaryIs": [], "innerBoundaryIs": []}  # type: dict[str, list[list[tuple[float, float]]]]
        for border in element:
            if _tag(border) in rings:
                rings[_tag(border)] += [_kml_points(ring) for ring in border]
        yield Polygon(rings["outerBoundaryIs"][0], rings["innerBoundaryIs"])


def _kml_points(element: Element) -> list[tuple[float, float]]:
    text = next((child.text or "" for child in element if _tag(child) == "coordinates"), "")
    return [(float(pair[0]), float(pair[1])) for pair in (one.split(",") for one in text.split())]


def _together(shapes: list[BaseGeometry]) -> BaseGeometry:
    if len(shapes) == 1:
        return shapes[0]
    for single, several in ((Point, MultiPoint), (LineString, MultiLineString), (Polygon, MultiPolygon)):
        if all(isinstance(one, single) for one in shapes):
            return several(shapes)
    return shapely.GeometryCollection(shapes)


def _kml_values(placemark: Element) -> dict[str, Value]:
    found: dict[str, Any] = {}
    for child in placemark:
        if _tag(child) in ("name", "description"):
            found[_tag(child)] = child.text
        elif _tag(child) == "ExtendedData":
            for one in child.iter():
                if _tag(one) == "Data":
                    found[one.get("name", "")] = next((part.text for part in one if _tag(part) == "value"), None)
                elif _tag(one) == "SimpleData":
                    found[one.get("name", "")] = one.text
    return _values(found)


# -- what every reader checks ----------------------------------------------------------------------------------------


def _check_count(count: int, name: str) -> None:
    if count > FEATURES_MAX:
        raise Fault(
            f"{name}: nhiều hơn {FEATURES_MAX} đối tượng; hãy chia lớp", f"{name}: more than {FEATURES_MAX} features"
        )


def _checked(found: MapFile) -> MapFile:
    vertices = sum(int(shapely.get_num_coordinates(one.geometry)) for one in found.features)
    if vertices > VERTICES_MAX:
        raise Fault(
            f"{found.name}: nhiều hơn {VERTICES_MAX} đỉnh; hãy đơn giản hóa hình",
            f"{found.name}: more than {VERTICES_MAX} vertices; simplify the shapes",
        )
    for number, one in enumerate(found.features, start=1):
        if one.geometry.is_empty or not all(math.isfinite(edge) for edge in one.geometry.bounds):
            raise Fault(
                f"{found.name}: đối tượng {number}: tọa độ không phải là số",
                f"{found.name}: feature {number}: a coordinate is no number",
            )
    return found


def _values(given: object) -> dict[str, Value]:
    """Plain values by plain names; what is nested or binary becomes short text, long text is cut."""
    if not isinstance(given, Mapping):
        return {}
    found: dict[str, Value] = {}
    for key, value in list(given.items())[:COLUMNS_MAX]:
        name = _clean(str(key))[:80]
        if isinstance(value, bool | int) or value is None:
            found[name] = value
        elif isinstance(value, float):
            found[name] = value if math.isfinite(value) else None
        elif isinstance(value, date | datetime):
            found[name] = value.isoformat()
        elif isinstance(value, bytes):
            found[name] = f"({len(value)} byte)"
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            found[name] = _clean(text)[:TEXT_MAX]
    return found


def _clean(text: str) -> str:
    """One line of text without control signs."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
