"""Coordinates of Vietnamese files -> WGS 84 degrees, with the official parameters, and guards for usual mistakes.

VN-2000 -> WGS 84 is EPSG:6960 (basis: QĐ 05/2007/QĐ-BTNMT), a coordinate-frame rotation on the WGS 84 ellipsoid:
dX -191.90441429, dY -39.30318279, dZ -111.45032835 m; rX -0.00928836, rY 0.01975479, rZ -0.00427372 arc seconds;
scale +0.252906278 ppm. In PROJ's +towgs84 (position vector) the three rotations carry the OTHER sign; code that keeps
the signs is 0.75 m off. So the pipeline is written out here and no file's own +towgs84 is believed.

Axes: PROJ has easting first. Vietnamese papers write X = northing, Y = easting: such tables come with turned axes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from gis.faults import Fault
from gis.provinces import PROVINCES
from gis.read import Feature

Box = tuple[float, float, float, float]  # west, south, east, north in degrees
VIETNAM: Box = (102.0, 4.5, 118.0, 23.5)  # with Hoàng Sa and Trường Sa (QCVN 80:2024/BTNMT)
MAINLAND: Box = (102.0, 8.3, 109.6, 23.5)
SHIFT = (
    "+proj=push +v_3 +step +proj=cart +ellps=WGS84 +step +proj=helmert "
    "+x=-191.90441429 +y=-39.30318279 +z=-111.45032835 +rx=-0.00928836 +ry=0.01975479 +rz=-0.00427372 "
    "+s=0.252906278 +convention=coordinate_frame +step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3"
)
_MERIDIANS = {
    "5896": 102.0, "9205": 103.0, "9206": 104.0, "9207": 104.5, "9208": 104.75, "5897": 105.0, "9209": 105.5,
    "9210": 105.75, "9211": 106.0, "9212": 106.25, "9213": 106.5, "9214": 107.0, "9215": 107.25, "9216": 107.5,
    "5899": 107.75, "5898": 108.0, "9217": 108.25, "9218": 108.5,
}  # fmt: skip
MOST_OUTSIDE = 0.01  # this share of points may lie outside of the box before something is wrong with all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A plane VN-2000 system. `epsg` is its code; `scale` 0.9999 is TM-3°, 0.9996 UTM."""

    epsg: str
    meridian: float
    scale: float = 0.9999

    def name(self, language: str = "vi") -> str:
        """«VN-2000 múi 3°, kinh tuyến trục 105°30′ (EPSG:9209)»."""
        if self.scale != 0.9999:
            return f"VN-2000 UTM {round((self.meridian + 183) / 6)}N (EPSG:{self.epsg})"
        angle = degrees_minutes(self.meridian)
        if language == "en":
            return f"VN-2000 TM-3°, central meridian {angle} (EPSG:{self.epsg})"
        return f"VN-2000 múi 3°, kinh tuyến trục {angle} (EPSG:{self.epsg})"


ZONES = {code: Zone(epsg=code, meridian=meridian) for code, meridian in _MERIDIANS.items()}
UTM_ZONES = {
    "3405": Zone(epsg="3405", meridian=105.0, scale=0.9996),
    "3406": Zone(epsg="3406", meridian=111.0, scale=0.9996),
}
GRIDS = {**ZONES, **UTM_ZONES}


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The system in which a file's coordinates are read."""

    key: str  # code of a VN-2000 grid, «4756», «4326», or «other»
    vi: str
    en: str
    wkt: str = ""  # of any other system

    def name(self, language: str) -> str:
        """The name for people."""
        return self.en if language == "en" else self.vi


WGS84 = System(key="4326", vi="WGS 84, độ (EPSG:4326)", en="WGS 84, degrees (EPSG:4326)")
VN2000_DEGREES = System(key="4756", vi="VN-2000, độ (EPSG:4756)", en="VN-2000, degrees (EPSG:4756)")


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in both languages."""

    vi: str
    en: str

    def words(self, language: str) -> str:
        """The sentence in `vi` or `en`."""
        return self.en if language == "en" else self.vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A reading of the same numbers that would lie in the box: what to choose so that it is taken."""

    zone: str  # code of a grid; empty keeps the system
    swap: bool
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Features in WGS 84, how they were read, and what a person must know or mend before they are kept."""

    features: tuple[Feature, ...]
    system: System
    swapped: bool
    box: Box
    notes: tuple[Said, ...] = ()
    problems: tuple[Said, ...] = ()  # with one of these the layer is not taken
    remedies: tuple[Remedy, ...] = ()


def degrees_minutes(angle: float) -> str:
    """«105°30′»."""
    whole, rest = divmod(round(angle * 60), 60)
    return f"{whole}°{rest:02d}′"


def grid(code: str) -> Zone:
    """The VN-2000 grid of an EPSG code («9214») or a central meridian («107°00», «105.5»). Raises Fault."""
    text = code.strip().upper().removeprefix("EPSG:")
    if text in GRIDS:
        return GRIDS[text]
    found = re.fullmatch(r"(\d{3})(?:[.,](\d+)|[°D -]?(\d{1,2})['′]?)?°?", text)
    if found:
        whole, decimals, minutes = found.groups()
        angle = float(f"{whole}.{decimals}") if decimals else int(whole) + int(minutes or 0) / 60
        for zone in ZONES.values():
            if abs(zone.meridian - angle) < 1e-6:
                return zone
    known = ", ".join(f"{one.epsg} ({degrees_minutes(one.meridian)})" for one in ZONES.values())
    raise Fault(f"múi {code!r} không có; các múi 3° là: {known}", f"zone {code!r} is unknown; there are {known}")


@lru_cache(maxsize=64)
def _to_degrees(zone: Zone) -> Transformer:
    plane = f"+proj=tmerc +lat_0=0 +lon_0={zone.meridian} +k={zone.scale} +x_0=500000 +y_0=0 +ellps=WGS84"
    return Transformer.from_pipeline(
        f"+proj=pipeline +step +inv {plane} +step {SHIFT} +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


@lru_cache(maxsize=1)
def _from_vn2000_degrees() -> Transformer:
    turn = "+proj=unitconvert +xy_in=deg +xy_out=rad"
    back = "+proj=unitconvert +xy_in=rad +xy_out=deg"
    return Transformer.from_pipeline(f"+proj=pipeline +step {turn} +step {SHIFT} +step {back}")


@lru_cache(maxsize=64)
def _from_other(wkt: str) -> Transformer:
    return Transformer.from_crs(CRS.from_user_input(wkt), CRS.from_epsg(4326), always_xy=True)


def to_wgs84(x: Any, y: Any, zone: str) -> tuple[Any, Any]:
    """Easting and northing [m] of a VN-2000 grid -> longitude and latitude [degrees, WGS 84]; numbers or arrays."""
    return _to_degrees(grid(zone)).transform(x, y)


def from_wgs84(longitude: Any, latitude: Any, zone: str) -> tuple[Any, Any]:
    """Longitude and latitude [degrees, WGS 84] -> easting and northing [m] of a VN-2000 grid."""
    return _to_degrees(grid(zone)).transform(longitude, latitude, direction="INVERSE")


# -- what a file says about its coordinates --------------------------------------------------------------------------


def declared(text: str) -> tuple[System | None, tuple[Said, ...]]:
    """The system that a .prj, a GeoPackage or a `crs` member names; None where it names none that is known."""
    if not text.strip():
        return None, ()
    try:
        crs = CRS.from_user_input(_spelled(text))
    except (CRSError, ValueError):
        shown = text[:80]
        return None, (
            Said(f"Hệ tọa độ ghi trong tệp không hiểu được: {shown}", f"The file names an unknown system: {shown}"),
        )
    code = str(crs.to_epsg(min_confidence=90) or "")
    plane = _plane(crs)
    names = re.sub(r"[\s_-]", "", f"{crs.name} {crs.datum.name if crs.datum else ''} {text}").upper()
    of_vn2000 = code in GRIDS or code == "4756" or "VN2000" in names or "VIETNAM2000" in names
    if plane is not None and (of_vn2000 or plane[1] == 0.9999):
        zone = next((one for one in GRIDS.values() if (one.meridian, one.scale) == plane), None)
        if zone is not None:
            notes: tuple[Said, ...] = ()
            if not of_vn2000:
                notes = (
                    Said(
                        "Tệp ghi chuẩn WGS 84 nhưng phép chiếu (k = 0,9999) là của VN-2000: đọc theo VN-2000.",
                        "The file says WGS 84, but its projection (k = 0.9999) is VN-2000's: read as VN-2000.",
                    ),
                )
            return _grid_system(zone), notes
    if of_vn2000 and crs.is_geographic:
        return VN2000_DEGREES, ()
    if code in ("4326", "4979") or (crs.is_geographic and "WGS" in names):
        return WGS84, ()
    title = f"{crs.name}" + (f" (EPSG:{code})" if code else "")
    return System(key="other", vi=title, en=title, wkt=crs.to_wkt()), ()


def _spelled(text: str) -> str:
    """«urn:ogc:def:crs:EPSG::9214» as «EPSG:9214»; CRS84 is WGS 84 with longitude first."""
    found = re.fullmatch(r"(?:urn:ogc:def:crs|urn:x-ogc:def:crs):([A-Z]+):[\d.]*:(\w+)", text.strip(), re.IGNORECASE)
    if found is None:
        found = re.search(r"opengis\.net/def/crs/([A-Z]+)/[\w.]+/(\w+)$", text.strip(), re.IGNORECASE)
    if found is None:
        return text
    return "EPSG:4326" if found[2].upper().startswith("CRS84") else f"{found[1]}:{found[2]}"


def _plane(crs: CRS) -> tuple[float, float] | None:
    """Central meridian and scale of a transverse Mercator with false easting 500 km and no false northing."""
    operation = crs.coordinate_operation
    if operation is None or "Transverse" not in operation.method_name.replace("_", " "):
        return None
    by_name = {one.name: one.value for one in operation.params}
    values = [
        by_name.get(name)
        for name in (
            "Longitude of natural origin", "Scale factor at natural origin", "False easting", "False northing",
            "Latitude of natural origin",
        )
    ]  # fmt: skip
    if None in values:
        return None
    meridian, scale, east, north, latitude = (float(value or 0.0) for value in values)
    plain = abs(east - 500_000) < 0.5 and abs(north) < 0.5 and abs(latitude) < 1e-9
    return (round(meridian, 6), round(scale, 6)) if plain else None


def _grid_system(zone: Zone) -> System:
    return System(key=zone.epsg, vi=zone.name("vi"), en=zone.name("en"))


# -- reading with guards ---------------------------------------------------------------------------------------------


def locate(
    features: Sequence[Feature],
    said: str = "",
    *,
    zone: str = "",
    province: str = "",
    box: Box | None = None,
    swap: bool = False,
) -> Located:
    """Features in WGS 84. The system is that of `zone`, else of the file (`said`), else of the province's zones.

    `box` is where the layer must lie; without it that of the province, else the whole country. Raises Fault for a
    zone or province that does not exist; what a person can mend on the page comes back as problems with remedies.
    """
    known = _province(province)
    box = box or (known.box if known else None) or VIETNAM
    named, notes = declared(said)
    xy = _coordinates(features)
    metric = _looks_metric(xy)
    if zone:
        system = WGS84 if zone in ("4326", "WGS84") else VN2000_DEGREES if zone == "4756" else _grid_system(grid(zone))
        if named is not None and named.key != system.key and not (metric and named.key == "4326"):
            notes += (
                Said(
                    f"Tệp ghi {named.vi}; được đọc theo lựa chọn: {system.vi}.",
                    f"The file says {named.en}; it is read as chosen: {system.en}.",
                ),
            )
    elif named is not None and not (metric and named.key in ("4326", "4756")):
        system = named
    elif not metric:
        system = WGS84
        if named is None and said == "":
            notes += (
                Said(
                    "Tệp không ghi hệ tọa độ; số là độ nên được đọc theo WGS 84.",
                    "The file names no system; its numbers are degrees and are read as WGS 84.",
                ),
            )
    elif known is not None:
        system = _grid_system(GRIDS[known.zones[0]])
        notes += (
            Said(
                f"Tệp không ghi hệ tọa độ; lấy múi của {known.name}: {system.vi}.",
                f"The file names no system; the zone of {known.name} is taken: {system.en}.",
            ),
        )
    else:
        return _unknown(features, xy, box, notes)
    moved = _moved(xy, system, swap)
    found = Located(
        features=(),
        system=system,
        swapped=swap,
        box=_box(moved),
        notes=notes,
    )
    if _share_outside(moved, box) > MOST_OUTSIDE:
        remedies = _remedies(xy, box, system, swap, known.zones if known else ())
        return replace(found, problems=(_outside(moved, box, system, remedies),), remedies=remedies)
    return replace(found, features=_placed(features, moved))


def _province(code: str) -> Any:
    if not code:
        return None
    if code not in PROVINCES:
        listed = ", ".join(f"{key} {one.name}" for key, one in PROVINCES.items())
        raise Fault(
            f"mã tỉnh {code!r} không có; các mã là: {listed}", f"province {code!r} is unknown; there are {listed}"
        )
    return PROVINCES[code]


def _coordinates(features: Sequence[Feature]) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = shapely.get_coordinates([one.geometry for one in features])
    return found


def _looks_metric(xy: np.ndarray[Any, Any]) -> bool:
    return bool(np.abs(xy).max() > 400)


def _moved(xy: np.ndarray[Any, Any], system: System, swap: bool) -> np.ndarray[Any, Any]:
    """All points in WGS 84 degrees; what cannot be transformed becomes infinite and lies outside of every box."""
    x, y = (xy[:, 1], xy[:, 0]) if swap else (xy[:, 0], xy[:, 1])
    if system.key == "4326":
        return np.column_stack([x, y])
    try:
        if system.key == "4756":
            moved = _from_vn2000_degrees().transform(x, y)
        elif system.key in GRIDS:
            moved = _to_degrees(GRIDS[system.key]).transform(x, y)
        else:
            moved = _from_other(system.wkt).transform(x, y)
    except ProjError:
        return np.full(xy.shape, np.inf)
    return np.column_stack(moved)


def _share_outside(points: np.ndarray[Any, Any], box: Box) -> float:
    west, south, east, north = box
    x, y = points[:, 0], points[:, 1]
    return float(1.0 - ((x >= west) & (x <= east) & (y >= south) & (y <= north)).mean())


def _box(points: np.ndarray[Any, Any]) -> Box:
    finite = points[np.isfinite(points).all(axis=1)]
    if len(finite) == 0:
        return (np.inf, np.inf, np.inf, np.inf)
    (west, south), (east, north) = finite.min(axis=0).tolist(), finite.max(axis=0).tolist()
    return (west, south, east, north)


def _placed(features: Sequence[Feature], points: np.ndarray[Any, Any]) -> tuple[Feature, ...]:
    shapes = shapely.set_coordinates(np.array([one.geometry for one in features], dtype=object), points)
    return tuple(Feature(shape, one.properties) for shape, one in zip(shapes.tolist(), features, strict=True))


def _remedies(
    xy: np.ndarray[Any, Any], box: Box, system: System, swap: bool, preferred: Iterable[str]
) -> tuple[Remedy, ...]:
    """Readings that would lie in the box: turned axes first, then other zones, those of the province before others."""
    tries: list[tuple[System, bool]] = [(system, not swap)]
    if _looks_metric(xy):
        order = [*preferred, *(code for code in GRIDS if code not in set(preferred))]
        for turned in (swap, not swap):
            tries += [(_grid_system(GRIDS[code]), turned) for code in order if code != system.key]
    else:
        tries += [(other, turned) for other in (WGS84,) if other.key != system.key for turned in (swap, not swap)]
    found = []
    for other, turned in tries:
        if _share_outside(_moved(xy, other, turned), box) <= MOST_OUTSIDE:
            found.append(
                Remedy(zone="" if other == system else other.key, swap=turned, said=_words(other, system, turned, swap))
            )
    plain = [one for one in found if one.swap == swap]
    return tuple((plain or found)[:3])


def _words(other: System, system: System, turned: bool, swap: bool) -> Said:
    vi, en = [], []
    if turned != swap:
        vi.append("trục X, Y bị đổi chỗ")
        en.append("the axes X, Y are turned round")
    if other.key != system.key:
        zone = GRIDS.get(other.key)
        if zone is not None and zone.scale == 0.9999:
            vi.append(f"múi {degrees_minutes(zone.meridian)}")
            en.append(f"zone {degrees_minutes(zone.meridian)}")
        else:
            vi.append(f"hệ {other.vi}")
            en.append(f"the system {other.en}")
    if turned == swap:
        return Said("có vẻ là " + vi[0], "it looks like " + en[0])
    return Said("có vẻ " + " và là ".join(vi), "it looks as if " + " and it is ".join(en))


def _outside(moved: np.ndarray[Any, Any], box: Box, system: System, remedies: Sequence[Remedy]) -> Said:
    share = round(_share_outside(moved, box) * 100)
    where = _shown(_box(moved))
    vi = f"{share}% điểm nằm ngoài địa bàn {_shown(box)}: đọc theo {system.vi} thì lớp nằm ở {where}"
    en = f"{share}% of the points lie outside of {_shown(box)}: read as {system.en} the layer lies at {where}"
    if remedies:
        vi += "; " + ", hoặc ".join(one.said.vi for one in remedies)
        en += "; " + ", or ".join(one.said.en for one in remedies)
    else:
        vi += "; không múi nào của VN-2000 đưa lớp vào địa bàn: hãy hỏi đơn vị giao tệp hệ tọa độ"
        en += "; no zone of VN-2000 puts it there: ask its owner for the coordinate system"
    return Said(vi + ".", en + ".")


def _unknown(features: Sequence[Feature], xy: np.ndarray[Any, Any], box: Box, notes: tuple[Said, ...]) -> Located:
    """Metres without a word about their system: what would fit is told, nothing is guessed."""
    unsure = System(key="", vi="chưa biết", en="unknown")
    remedies = _remedies(xy, box, unsure, False, ())
    fits = (", ".join(one.said.vi for one in remedies), ", ".join(one.said.en for one in remedies))
    vi = "Tọa độ là mét nhưng tệp không ghi hệ: hãy chọn múi VN-2000" + (f" ({fits[0]})" if remedies else "")
    en = "The coordinates are metres, but the file names no system: choose the VN-2000 zone" + (
        f" ({fits[1]})" if remedies else ""
    )
    return Located(
        features=(), system=unsure, swapped=False, box=_box(xy), notes=notes, problems=(Said(vi + ".", en + "."),),
        remedies=remedies,
    )  # fmt: skip


def _shown(box: Box) -> str:
    """«[105.88–107.03°; 20.97–21.63°]»: west to east, south to north."""
    west, south, east, north = (f"{edge:.2f}" for edge in box)
    return f"[{west}–{east}°; {south}–{north}°]"
