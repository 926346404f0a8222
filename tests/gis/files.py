"""Map files as offices send them, made in memory."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapefile
import shapely
from pyproj import CRS
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

VN = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "vn"
WARDS = VN / "after_2025_bac_ninh_wards.geojson"
BAC_NINH = (105.83, 20.92, 107.08, 21.68)


def bytes_of(path: Path) -> bytes:
    """A real boundary file, which is not in this repository."""
    if not path.is_file():
        pytest.skip(f"{path.name} lies beside the repository (../shared/datasets/vn) and is not there")
    return path.read_bytes()


def moved(geometry: BaseGeometry, zone: str) -> BaseGeometry:
    """Degrees -> metres of a VN-2000 zone, by the library's own EPSG tables: not by the code that is tested."""
    from pyproj import Transformer
    from pyproj.transformer import TransformerGroup

    group = TransformerGroup("EPSG:4326", f"EPSG:{zone}", always_xy=True, allow_ballpark=False)
    own = next(one for one in group.transformers if "6960" in one.to_json() or len(group.transformers) == 1)
    assert isinstance(own, Transformer)
    return shapely.transform(geometry, lambda points: _columns(own.transform(points[:, 0], points[:, 1])))


def _columns(pair: Any) -> Any:
    import numpy as np

    return np.column_stack(pair)


def collection(shapes: Sequence[BaseGeometry], rows: Sequence[Mapping[str, Any]], crs: str = "") -> bytes:
    """GeoJSON, with a `crs` member where one is given."""
    whole: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": mapping(one), "properties": dict(row)}
            for one, row in zip(shapes, rows, strict=True)
        ],
    }
    if crs:
        whole["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(whole).encode()


def shape_zip(
    shapes: Sequence[BaseGeometry],
    rows: Sequence[Mapping[str, str]],
    prj: str = "",
    *,
    encoding: str = "utf-8",
    cpg: str = "",
    name: str = "lop",
) -> bytes:
    """A Shapefile in a .zip, as a mapping programme packs it."""
    parts = {ending: io.BytesIO() for ending in ("shp", "shx", "dbf")}
    with shapefile.Writer(**parts, encoding=encoding) as writer:
        for column in rows[0]:
            writer.field(column, "C", size=80)
        for one, row in zip(shapes, rows, strict=True):
            writer.point(one.x, one.y) if one.geom_type == "Point" else writer.shape(mapping(one))
            writer.record(**row)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for ending, part in parts.items():
            package.writestr(f"{name}.{ending}", part.getvalue())
        if prj:
            package.writestr(f"{name}.prj", prj)
        if cpg:
            package.writestr(f"{name}.cpg", cpg)
    return packed.getvalue()


def prj_of(zone: str) -> str:
    """The .prj that ESRI's programmes write for an EPSG code."""
    return CRS.from_epsg(int(zone)).to_wkt("WKT1_ESRI")


def geopackage(shapes: Sequence[BaseGeometry], names: Sequence[str], epsg: int, *, table: str = "lop") -> bytes:
    """A GeoPackage with one layer; its geometries carry an envelope, as those of QGIS do."""
    base = sqlite3.connect(":memory:")
    base.executescript(
        f"""
        CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT,
            organization_coordsys_id INTEGER, definition TEXT, description TEXT);
        CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT, srs_id INTEGER);
        CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT,
            srs_id INTEGER, z TINYINT, m TINYINT);
        CREATE TABLE "{table}" (fid INTEGER PRIMARY KEY, geom BLOB, ten TEXT);
        """
    )
    base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES ('s', ?, 'EPSG', ?, '', '')", (epsg, epsg))
    base.execute("INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?)", (table, table, epsg))
    base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 0, 0)", (table, epsg))
    for one, name in zip(shapes, names, strict=True):
        west, south, east, north = one.bounds
        head = b"GP\x00\x03" + struct.pack("<i4d", epsg, west, east, south, north)
        base.execute(f'INSERT INTO "{table}" (geom, ten) VALUES (?, ?)', (head + shapely.to_wkb(one), name))
    base.execute(f'INSERT INTO "{table}" (geom, ten) VALUES (NULL, ?)', ("chưa đo",))
    base.commit()
    return bytes(base.serialize())


def ward_shapes() -> tuple[list[BaseGeometry], list[dict[str, Any]]]:
    """Shapes and properties of the 99 wards."""
    given = json.loads(bytes_of(WARDS))["features"]
    return [shape(one["geometry"]) for one in given], [one["properties"] for one in given]
