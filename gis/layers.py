"""A layer of the city with owner, licence and dates, and the shelf on which every version of it is kept.

The shelf is a folder beside the data file: <key>/<version>.geojson and <version>.json (what is known about it). A
version counts from the moment its .json is there, which is written last and in one move; nothing is ever overwritten.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from core.errors import InputError
from core.files import write_whole
from gis.crs import Box
from gis.faults import Fault
from gis.join import Reach
from gis.read import Feature

KINDS = ("ward", "land_use", "planning", "construction_permit", "environment", "infrastructure", "other")
GEOMETRIES = ("point", "line", "polygon", "mixed")
STYLES = ("plain", "heat")
KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")
CODE_FIELDS = ("code", "ma_xa", "ma", "id", "maxa", "ma_huyen", "ma_dvhc")
NAME_FIELDS = ("name", "ten", "name_vi", "ten_xa", "tenxa", "title", "ten_dvhc")
DEGREES = 6  # decimals that are kept: 0.1 m
DRAWN_DEGREES = 5
DRAWN_VERTICES = 25_000  # one budget per layer; the kept shapes stay as they came
FIRST_TOLERANCE = 0.00005  # degrees, about 5 m
MOST_LAYERS = 200
LIVE_VERSIONS = 3  # of a live layer; those of a file are all kept
MISFITS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What is known about one version of a layer. Days are inclusive; None is open."""

    key: str
    title: str
    kind: str
    owner: str
    licence: str
    dated: date  # the day that the content tells of
    geometry: str
    valid_from: date | None = None
    valid_to: date | None = None
    style: str = "plain"
    code_field: str = ""
    name_field: str = ""
    features: int = 0
    box: Box = (0.0, 0.0, 0.0, 0.0)
    system: str = ""  # in words: how the file's coordinates were read
    file_name: str = ""
    digest: str = ""  # SHA-256 of the kept GeoJSON
    version: int = 1
    imported_at: datetime | None = None
    imported_by: str = ""
    removed: bool = False

    def holds_on(self, day: date) -> bool:
        """True when the layer tells of that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Kept:
    """A layer with its features in WGS 84; `shapes` are the same as GeoJSON geometries, light enough to be drawn."""

    layer: Layer
    features: tuple[Feature, ...]
    shapes: tuple[Mapping[str, Any], ...]
    reach: Reach

    def code(self, index: int) -> str:
        """The code of a feature, or «»."""
        return self._text(self.layer.code_field, index)

    def name(self, index: int) -> str:
        """The name of a feature for people; its code, or its number in the layer, where it has none."""
        return self._text(self.layer.name_field, index) or self.code(index) or f"№ {index + 1}"

    def _text(self, name: str, index: int) -> str:
        value = self.features[index].properties.get(name) if name else None
        return "" if value is None else str(value)


def described(
    features: Sequence[Feature],
    *,
    key: str,
    title: str,
    kind: str,
    owner: str,
    licence: str,
    dated: date,
    valid_from: date | None = None,
    valid_to: date | None = None,
    style: str = "plain",
    system: str = "",
    file_name: str = "",
    code_field: str = "",
    name_field: str = "",
) -> Layer:
    """A layer of these features, checked. Raises Fault that says what is missing or does not fit."""
    if not KEY.fullmatch(key):
        raise Fault(
            f"mã lớp {key!r}: dùng 2–40 chữ thường không dấu, số và _, bắt đầu bằng chữ, ví dụ cap_phep_xay_dung",
            f"key {key!r}: 2 to 40 small letters, digits and _, beginning with a letter, e.g. construction_permits",
        )
    for name, vi, en in (
        (title, "tên lớp", "title"),
        (owner, "đơn vị quản lý", "owner"),
        (licence, "quyền sử dụng", "licence"),
    ):
        if not name.strip():
            raise Fault(f"thiếu {vi} của lớp", f"the {en} of the layer is missing")
    if kind not in KINDS or style not in STYLES:
        raise Fault(f"loại {kind!r} hoặc kiểu {style!r} không có", f"kind {kind!r} or style {style!r} is unknown")
    if valid_from and valid_to and valid_to < valid_from:
        raise Fault("ngày hết hiệu lực đứng trước ngày có hiệu lực", "the validity ends before it begins")
    geometry = _geometry(features)
    if style == "heat" and features and geometry != "point":
        raise Fault("bản đồ nhiệt chỉ vẽ được từ lớp điểm", "heat is drawn from points only")
    names = _field_names(features)
    code_field = code_field or _first(names, CODE_FIELDS)
    if kind == "ward":
        _check_wards(features, geometry, code_field)
    box = shapely.total_bounds([one.geometry for one in features]).tolist() if features else [0.0] * 4
    return Layer(
        key=key, title=" ".join(title.split())[:120], kind=kind, owner=" ".join(owner.split())[:120],
        licence=" ".join(licence.split())[:200], dated=dated, geometry=geometry, valid_from=valid_from,
        valid_to=valid_to, style=style, code_field=code_field,
        name_field=name_field or _first(names, NAME_FIELDS), features=len(features),
        box=(box[0], box[1], box[2], box[3]), system=system, file_name=file_name[:120],
    )  # fmt: skip


def _field_names(features: Sequence[Feature]) -> dict[str, str]:
    """Names of columns by their small letters, as they first appear."""
    found: dict[str, str] = {}
    for one in features[:100]:
        for name in one.properties:
            found.setdefault(name.casefold(), name)
    return found


def _first(names: Mapping[str, str], wanted: Sequence[str]) -> str:
    return next((names[one] for one in wanted if one in names), "")


def _geometry(features: Sequence[Feature]) -> str:
    kinds = set()
    for one in features:
        kind = one.geometry.geom_type.removeprefix("Multi")
        kinds.add(
            {"Point": "point", "LineString": "line", "LinearRing": "line", "Polygon": "polygon"}.get(kind, "mixed")
        )
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _check_wards(features: Sequence[Feature], geometry: str, code_field: str) -> None:
    """Wards are areas with a code each: figures are joined by code, names are spelt in too many ways."""
    if geometry != "polygon":
        raise Fault("ranh giới xã, phường phải là vùng (polygon)", "wards must be areas (polygons)")
    codes = [str(one.properties.get(code_field) or "") for one in features]
    if not code_field or not all(codes):
        raise Fault(
            f"ranh giới xã, phường phải có cột mã ({', '.join(CODE_FIELDS)}) ở mọi đối tượng",
            f"wards need a column with their code ({', '.join(CODE_FIELDS)}) at every feature",
        )
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise Fault(f"mã xã {', '.join(twice[:5])} có hai lần", f"the ward code {', '.join(twice[:5])} stands twice")


def light(features: Sequence[Feature], vertices: int = DRAWN_VERTICES) -> tuple[Feature, ...]:
    """The same features with at most about so many vertices; edges that neighbours share stay shared.

    Areas that make up a coverage (no overlaps, the same vertices along common edges) are simplified together, also
    where a few of them do not quite fit; what is no coverage is simplified one by one, each staying valid.
    """
    shapes = [one.geometry for one in features]
    together = _covers(shapes)
    tolerance, drawn = FIRST_TOLERANCE, shapes
    while sum(shapely.get_num_coordinates(drawn).tolist()) > vertices and tolerance < 0.02:
        drawn = list(shapely.coverage_simplify(shapes, tolerance) if together else shapely.simplify(shapes, tolerance))
        tolerance *= 2
    return tuple(
        Feature(found if found.is_valid or not one.geometry.is_valid else one.geometry, one.properties)
        for found, one in zip(drawn, features, strict=True)
    )


def _covers(shapes: Sequence[BaseGeometry]) -> bool:
    """True for areas of which at most a tenth has edges that do not fit their neighbours'."""
    if not shapes or not all(one.geom_type in ("Polygon", "MultiPolygon") for one in shapes):
        return False
    wrong = shapely.coverage_invalid_edges(list(shapes))
    return sum(1 for one in wrong if not one.is_empty) <= MISFITS * len(shapes)


def geojson(features: Sequence[Feature], decimals: int = DEGREES) -> dict[str, Any]:
    """A FeatureCollection (RFC 7946) of features in WGS 84."""
    shapes = shapely.set_precision([one.geometry for one in features], 0)
    rounded = shapely.transform(shapes, lambda points: points.round(decimals))
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": dict(one.properties), "geometry": mapping(found)}
            for found, one in zip(rounded, features, strict=True)
        ],
    }


def outline(geometry: Mapping[str, Any]) -> BaseGeometry:
    """A GeoJSON geometry as a shape; valid, so that it can be cut with others."""
    return shapely.make_valid(shape(geometry))


def _drawable(features: Sequence[Feature]) -> tuple[Mapping[str, Any], ...]:
    return tuple(one["geometry"] for one in geojson(light(features), DRAWN_DEGREES)["features"])


def from_geojson(text: str | bytes) -> tuple[Feature, ...]:
    """What `geojson` wrote."""
    given = json.loads(text)["features"]
    return tuple(Feature(shape(one["geometry"]), one["properties"]) for one in given)


class Shelf:
    """The kept layers of one city. Thread-safe; what was read stays in memory until another version comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._kept: dict[tuple[str, int], Kept] = {}
        self._listed: tuple[Layer, ...] | None = None

    def all(self) -> tuple[Layer, ...]:
        """The newest version of every layer that was not removed, wards first, then by title."""
        with self._lock:
            if self._listed is None:
                newest = [self._newest(one.name) for one in sorted(self.folder.glob("*/")) if KEY.fullmatch(one.name)]
                there = [one for one in newest if one is not None and not one.removed]
                self._listed = tuple(sorted(there, key=lambda one: (KINDS.index(one.kind), one.title, one.key)))
            return self._listed

    def layer(self, key: str) -> Layer | None:
        """The newest version of one layer, or None."""
        return next((one for one in self.all() if one.key == key), None)

    def history(self, key: str) -> tuple[Layer, ...]:
        """All versions of a layer, newest first; a removal is a version too."""
        if not KEY.fullmatch(key):
            return ()
        return tuple(
            _read_meta(path)
            for path in sorted((self.folder / key).glob("*.json"), key=lambda path: path.name, reverse=True)
        )

    def read(self, key: str) -> Kept:
        """The newest version with its features. Raises Fault where there is none, or its file is broken."""
        layer = self.layer(key)
        if layer is None:
            raise Fault(f"không có lớp {key}", f"there is no layer {key}")
        with self._lock:
            place = (key, layer.version)
            if place not in self._kept:
                body = self._path(key, layer.version, "geojson").read_bytes()
                if hashlib.sha256(body).hexdigest() != layer.digest:
                    raise Fault(
                        f"tệp của lớp {key} đã bị thay đổi ngoài hệ thống; hãy nhập lại lớp",
                        f"the file of layer {key} was changed outside of the system; import it again",
                    )
                features = from_geojson(body)
                self._kept = {known: kept for known, kept in self._kept.items() if known[0] != key}
                self._kept[place] = Kept(
                    layer, features, _drawable(features), Reach([one.geometry for one in features])
                )
            return self._kept[place]

    def put(self, layer: Layer, features: Sequence[Feature], *, by: str, now: datetime) -> Layer:
        """Keep a new version. Raises Fault when the shelf is full."""
        with self._lock:
            if self.layer(layer.key) is None and len(self.all()) >= MOST_LAYERS:
                raise Fault(f"đã có {MOST_LAYERS} lớp; hãy xóa lớp cũ", f"{MOST_LAYERS} layers are kept; remove one")
            newest = self._newest(layer.key)
            version = newest.version + 1 if newest else 1
            body = _body(features)
            digest = hashlib.sha256(body).hexdigest()
            kept = replace(layer, version=version, imported_at=now, imported_by=by, digest=digest)
            write_whole(self._path(layer.key, version, "geojson"), body)
            self._write_meta(kept)
            return kept

    def put_live(self, layer: Layer, features: Sequence[Feature], *, by: str, now: datetime) -> Layer:
        """Keep what a server gave: a new version where it differs from the last one, of which only a few stay."""
        with self._lock:
            last = self.layer(layer.key)
            if last is not None and last.digest == hashlib.sha256(_body(features)).hexdigest():
                alike = replace(
                    last, dated=layer.dated, version=layer.version, imported_at=None, imported_by="", digest=""
                )
                if alike == layer:
                    return last
            kept = self.put(layer, features, by=by, now=now)
            for old in self.history(layer.key)[LIVE_VERSIONS:]:
                for ending in ("json", "geojson"):
                    self._path(layer.key, old.version, ending).unlink(missing_ok=True)
            return kept

    def remove(self, key: str, *, by: str, now: datetime) -> Layer:
        """Take a layer off the shelf; its versions stay in the folder. Raises Fault where there is none."""
        with self._lock:
            layer = self.layer(key)
            if layer is None:
                raise Fault(f"không có lớp {key}", f"there is no layer {key}")
            gone = replace(layer, version=layer.version + 1, imported_at=now, imported_by=by, removed=True, digest="")
            self._write_meta(gone)
            return gone

    def _newest(self, key: str) -> Layer | None:
        return next(iter(self.history(key)), None)

    def _path(self, key: str, version: int, ending: str) -> Path:
        return self.folder / key / f"{version:05d}.{ending}"

    def _write_meta(self, layer: Layer) -> None:
        text = json.dumps(asdict(layer), ensure_ascii=False, default=lambda one: one.isoformat(), indent=1)
        write_whole(self._path(layer.key, layer.version, "json"), text.encode())
        self._listed = None


def _body(features: Sequence[Feature]) -> bytes:
    return json.dumps(geojson(features), ensure_ascii=False, separators=(",", ":")).encode()


_DAYS = ("dated", "valid_from", "valid_to")


def _read_meta(path: Path) -> Layer:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        known = {one.name for one in fields(Layer)}
        table = {name: value for name, value in table.items() if name in known}
        for name in _DAYS:
            table[name] = date.fromisoformat(table[name]) if table.get(name) else None
        if table.get("imported_at"):
            table["imported_at"] = datetime.fromisoformat(table["imported_at"])
        return Layer(**(table | {"box": tuple(table["box"])}))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path.parent.name}/{path.name}: not a description of a layer: {error}") from error
