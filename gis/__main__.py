"""Try a map file, or put it on the shelf of a city. Words go to stderr, GeoJSON or a table to stdout.

python -m gis check FILE [--zone 9214] [--province 24] [--swap] [--layer NAME] [--geojson]
python -m gis import FILE --key land_use_2026 --title "…" --kind land_use --owner "…" --licence "…" --dated 2026-01-31
python -m gis list
python -m gis zones
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

from core.config import load_city
from core.errors import HouseError, InputError
from gis import crs
from gis.intake import Draft, draft
from gis.layers import KINDS, STYLES, Shelf, described, geojson
from gis.read import FILE_BYTES_MAX


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see python -m gis --help", file=sys.stderr)
        raise SystemExit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 2 after one `error:` line."""
    asked = _arguments().parse_args(arguments)
    try:
        if asked.what == "zones":
            for zone in crs.GRIDS.values():
                print(f"{zone.epsg},{zone.meridian:g},{zone.scale:g},{zone.name('vi')}")
        elif asked.what == "list":
            for one in _shelf(asked.city).all():
                print(f"{one.key},{one.kind},{one.geometry},{one.features},{one.dated},v{one.version},{one.owner}")
        else:
            found = _draft(asked)
            _tell(found)
            features = found.features
            if asked.what == "import":
                _keep(asked, found)
            elif asked.geojson:
                json.dump(geojson(features), sys.stdout, ensure_ascii=False)
    except HouseError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m gis", description="Try a map file, or keep it as a layer.")
    what = parser.add_subparsers(dest="what", required=True, parser_class=_Parser)
    check = what.add_parser("check", help="what a file holds and where it lies")
    keep = what.add_parser("import", help="put a file on the shelf of a city (as whoever runs this on the server)")
    for one in (check, keep):
        one.add_argument("file", type=Path)
        one.add_argument("--zone", default="", help="EPSG code or central meridian of a VN-2000 grid, or 4326")
        one.add_argument("--province", default="", help="code of the province, e.g. 24")
        one.add_argument("--box", default="", help="west,south,east,north in degrees: where the layer must lie")
        one.add_argument("--swap", action="store_true", help="the file has X = northing first")
        one.add_argument("--layer", default="", help="which layer of a file that holds several")
    check.add_argument("--geojson", action="store_true", help="write the features in WGS 84 to stdout")
    for name in ("--key", "--title", "--owner", "--licence", "--dated"):
        keep.add_argument(name, required=True)
    keep.add_argument("--kind", choices=KINDS, required=True)
    keep.add_argument("--style", choices=STYLES, default="plain")
    keep.add_argument("--valid-from", default="")
    keep.add_argument("--valid-to", default="")
    keep.add_argument("--by", default=getpass.getuser(), help="who imports it (this server's own user)")
    shelf = what.add_parser("list", help="the layers of a city")
    for one in (keep, shelf):
        one.add_argument("--city", default=None)
    what.add_parser("zones", help="the VN-2000 grids")
    return parser


def _draft(asked: argparse.Namespace) -> Draft:
    path: Path = asked.file
    try:
        with path.open("rb") as stream:
            body = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    box = _box(asked.box) if asked.box else None
    return draft(body, path.name, zone=asked.zone, province=asked.province, box=box, swap=asked.swap, layer=asked.layer)


def _box(text: str) -> crs.Box:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--box {text}: give west,south,east,north, for example 105.8,20.9,107.1,21.7") from error
    return (west, south, east, north)


def _tell(found: Draft) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.geometries)
    west, south, east, north = found.located.box
    print(f"{found.file.format}: {kinds}; columns: {', '.join(found.columns)}", file=sys.stderr)
    print(f"{found.located.system.vi}: [{west:.5f} {south:.5f} {east:.5f} {north:.5f}]", file=sys.stderr)
    for note in found.notes:
        print(note.vi, file=sys.stderr)


def _shelf(city: str | None) -> Shelf:
    return Shelf(load_city(city).layers_path)


def _keep(asked: argparse.Namespace, found: Draft) -> None:
    layer = described(
        found.features, key=asked.key, title=asked.title, kind=asked.kind, owner=asked.owner, licence=asked.licence,
        dated=_day(asked.dated, "--dated"),
        valid_from=_day(asked.valid_from, "--valid-from") if asked.valid_from else None,
        valid_to=_day(asked.valid_to, "--valid-to") if asked.valid_to else None, style=asked.style,
        system=found.located.system.vi, file_name=found.file.name,
    )  # fmt: skip
    kept = _shelf(asked.city).put(layer, found.features, by=asked.by, now=datetime.now(UTC))
    print(f"{kept.key}: version {kept.version}, {kept.features} features", file=sys.stderr)


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name} {text}: give a day as 2026-01-31") from error


if __name__ == "__main__":
    sys.exit(main())
