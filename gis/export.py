"""What is seen on a map, to take away: GeoJSON and CSV, each with where it comes from and its marks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry import shape

from core.safe_csv import safe_text
from gis.read import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that is seen: a ward with its value, or a feature of a layer. `shape` is a GeoJSON geometry."""

    layer: str
    code: str
    name: str
    shape: Mapping[str, Any]
    value: float | None = None
    unit: str = ""
    note: str = ""
    properties: Mapping[str, Value] | None = None


def to_geojson(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """A FeatureCollection; `about` (title, time, owners, marks) stands beside the features, as RFC 7946 allows."""
    features = [
        {
            "type": "Feature",
            "geometry": row.shape,
            "properties": {
                **(row.properties or {}),
                "_layer": row.layer,
                "_code": row.code,
                "_name": row.name,
                "_value": row.value,
                "_unit": row.unit,
                "_note": row.note,
            },
        }
        for row in rows
    ]
    return json.dumps({"type": "FeatureCollection", "about": dict(about), "features": features}, ensure_ascii=False)


def to_csv(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """A table with a point inside of each shape; UTF-8 with BOM, so that spreadsheets read Vietnamese.

    A spreadsheet computes a text that begins with = + - @ or a control character: it gets one ' in front. Numbers are
    written as numbers.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["layer", "code", "name", "value", "unit", "note", "longitude", "latitude", *about])
    for row in rows:
        point = shape(row.shape).representative_point()
        words = [safe_text(one) for one in (row.layer, row.code, row.name)]
        value = "" if row.value is None else repr(row.value)
        rest = [safe_text(row.unit), safe_text(row.note), f"{point.x:.6f}", f"{point.y:.6f}"]
        writer.writerow([*words, value, *rest, *(safe_text(one) for one in about.values())])
    return "\ufeff" + text.getvalue()
