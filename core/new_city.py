"""A folder for a new city, ward group or former district: commented, minimal, checked, and never written over another.

The templates lie in data/new_city/; what a person must decide is marked there with <<<.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from core.config import ROOT, City, load_city
from core.errors import InputError

TEMPLATES = ROOT / "data" / "new_city"
KEY = re.compile(r"[a-z][a-z0-9_]{1,29}")
CODE_DIGITS = 5
HEADS = {  # how offices call the columns, without marks
    "code": ("code", "ma", "ma phuong", "ma xa", "ma don vi", "ma dvhc"),
    "name": ("name", "name_vi", "ten", "phuong", "xa", "ten phuong", "ten xa", "ten don vi"),
    "name_en": ("name_en", "ten tieng anh"),
    "kind": ("kind", "loai", "cap", "loai don vi"),
    "latitude": ("latitude", "lat", "vi do"),
    "longitude": ("longitude", "lon", "lng", "kinh do"),
}
KINDS = {"phuong": ("Phường", "ward"), "xa": ("Xã", "commune"), "dac khu": ("Đặc khu", "special zone")}
VIETNAM = {"latitude": (8.0, 24.0), "longitude": (102.0, 118.0)}  # with the islands; outside: columns were swapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """One row of the table of wards. Coordinates are degrees, WGS 84, or None."""

    code: str
    name: str
    name_en: str
    kind: str = "phuong"  # one of KINDS
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written: the checked city, its files, and where the units put their spreadsheets."""

    city: City
    files: tuple[Path, ...]
    drop: Path


def read_wards(body: bytes, where: str) -> tuple[Ward, ...]:
    """A table of wards as offices keep it: CSV with comma, semicolon or tab, a head with code and name, UTF-8.

    A code that a spreadsheet shortened (7774) gets its zero back. Raises InputError with row and column.
    """
    try:
        text = unicodedata.normalize("NFC", body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8: save it as «CSV UTF-8»") from error
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=_delimiter(text)) if any(map(str.strip, row))]
    if not rows:
        raise InputError(f"{where}: the file is empty")
    places = _places(rows[0], where)
    wards = tuple(_ward(row, places, f"{where}: row {number}") for number, row in enumerate(rows[1:], start=2))
    if not wards:
        raise InputError(f"{where}: there is a head but no ward below it")
    twice = sorted({ward.code for ward in wards if sum(one.code == ward.code for one in wards) > 1})
    if twice:
        raise InputError(f"{where}: the code {', '.join(twice)} is given twice")
    return wards


def new_city(key: str, name: str, wards: Sequence[Ward], *, name_en: str = "", root: Path = ROOT) -> Made:
    """Write config/<key> and the drop folder, and load what was written. Raises InputError, ConfigError.

    A folder that exists is never touched; after a mistake nothing half-written stays.
    """
    if not KEY.fullmatch(key):
        raise InputError(f"key {key!r}: small letters without marks, digits and _, for example viet_yen")
    folder = root / "config" / key
    if folder.exists():
        raise InputError(f"config/{key} is there already: choose another key, or edit that folder")
    for given in (name, name_en or name):
        if not _plain(given):
            raise InputError(f"name {given!r}: give a name on one line, without quotation marks")
    known = [(one.latitude, one.longitude) for one in wards if one.latitude is not None and one.longitude is not None]
    if not known:
        raise InputError(
            "no ward has coordinates: give latitude and longitude of one at least, so that maps open there"
        )
    words = {
        "key": key,
        "name": name.strip(),
        "name_en": name_en.strip() or _without_marks(name.strip()),
        "latitude": f"{sum(pair[0] for pair in known) / len(known):.3f}",
        "longitude": f"{sum(pair[1] for pair in known) / len(known):.3f}",
        "codes": ", ".join(f'"{one.code}"' for one in wards),
        "first_code": wards[0].code,
    }
    texts = {
        path.relative_to(TEMPLATES): Template(path.read_text(encoding="utf-8")).substitute(words)
        for path in sorted(TEMPLATES.rglob("*"))
        if path.is_file()
    }
    areas = texts.pop(Path("areas_head.toml")) + "\n".join(_area(one) for one in wards)
    sites = texts.pop(Path("sites_head.toml")) + "\n".join(_site(one) for one in wards)
    example = Path("example.csv")
    texts |= {Path("areas.toml"): areas, Path("sites.toml"): sites}
    try:
        for place, text in texts.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8-sig" if place == example else "utf-8")
        city = load_city(key, root)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    drop = root / "data" / "drop" / key
    drop.mkdir(parents=True, exist_ok=True)
    return Made(city=city, files=tuple(folder / place for place in sorted(texts)), drop=drop)


def _delimiter(text: str) -> str:
    head = text.lstrip().splitlines()[0] if text.strip() else ""
    return max(";,\t", key=head.count)


def _places(head: Sequence[str], where: str) -> dict[str, int]:
    """Where each column stands. Raises InputError when code or name is missing."""
    plain = [_without_marks(cell).strip().casefold() for cell in head]
    found = {
        column: next(place for place, cell in enumerate(plain) if cell in names)
        for column, names in HEADS.items()
        if any(cell in names for cell in plain)
    }
    missing = [column for column in ("code", "name") if column not in found]
    if missing:
        wanted = "; ".join(f"{column}: {', '.join(HEADS[column])}" for column in missing)
        raise InputError(f"{where}: the first row names no {' and no '.join(missing)} column ({wanted})")
    return found


def _ward(row: Sequence[str], places: dict[str, int], where: str) -> Ward:
    def cell(column: str) -> str:
        place = places.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""

    code = cell("code")
    if not code.isascii() or not code.isdigit() or len(code) > CODE_DIGITS:
        raise InputError(f"{where}: code {code!r}: a ward has a code of five digits, for example 07777")
    name = cell("name")
    kind = _without_marks(cell("kind")).casefold() or "phuong"
    for known, (title, _) in KINDS.items():  # «Phường Nếnh» names kind and ward in one cell
        if name.casefold().startswith(f"{title.casefold()} "):
            name, kind = name[len(title) + 1 :].strip(), known
    if kind not in KINDS:
        raise InputError(f"{where}: kind {kind!r} is not one of phường, xã, đặc khu")
    name_en = cell("name_en").replace('"', "") or _without_marks(name)
    if not _plain(name) or not _plain(name_en):
        raise InputError(f"{where}: name {name!r}: give the ward's name on one line, without quotation marks")
    latitude, longitude = _degrees(cell("latitude"), "latitude", where), _degrees(cell("longitude"), "longitude", where)
    if (latitude is None) != (longitude is None):
        raise InputError(f"{where}: give latitude and longitude, or neither")
    return Ward(
        code=code.zfill(CODE_DIGITS),
        name=name,
        name_en=name_en,
        kind=kind,
        latitude=latitude,
        longitude=longitude,
    )


def _plain(name: str) -> bool:
    """True for a name that stands between the quotation marks of a TOML file and means nothing else there."""
    return bool(name.strip()) and name.isprintable() and not set(name) & {'"', "\\"}


def _degrees(text: str, column: str, where: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError as error:
        raise InputError(f"{where}: {column} {text!r} is no number of degrees, for example 21.271") from error
    low, high = VIETNAM[column]
    if not low <= value <= high:
        raise InputError(f"{where}: {column} {text} is not in Vietnam: are latitude and longitude swapped?")
    return value


def _area(ward: Ward) -> str:
    kind = ward.kind.replace(" ", "_")
    lines = ["[[area]]", f'code = "{ward.code}"', f'kind = "{kind}"', f'name_vi = "{ward.name}"']
    return "\n".join([*lines, f'name_en = "{ward.name_en}"', *_point(ward), ""])


def _site(ward: Ward) -> str:
    title, english = KINDS[ward.kind]  # a ward may bear the name of the whole: with its kind, files still find it
    lines = ["[[site]]", f'site_id = "{ward.code}"', 'kind = "area"', f'name_vi = "{title} {ward.name}"']
    return "\n".join([*lines, f'name_en = "{ward.name_en} {english}"', f'area = "{ward.code}"', *_point(ward), ""])


def _point(ward: Ward) -> list[str]:
    if ward.latitude is None:
        return []
    return [f"latitude = {ward.latitude}", f"longitude = {ward.longitude}"]


def _without_marks(text: str) -> str:
    split = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))
