"""An own base map: tiles from one file on this server, and none where the city has none."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.basemap import routes
from core.config import ROOT, load_city
from core.errors import ConfigError


def pmtiles(path: Path, kind: TileType, body: bytes, metadata: Mapping[str, Any]) -> Path:
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.write_tile(zxy_to_tileid(0, 0, 0), body)
        header = {
            "tile_type": kind, "tile_compression": Compression.GZIP if kind is TileType.MVT else Compression.NONE,
            "min_zoom": 0, "max_zoom": 0, "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 1, "max_lat_e7": 1,
            "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0,
        }  # fmt: skip
        writer.finalize(header, dict(metadata))
    return path


def client(basemap: Mapping[str, str] | None) -> TestClient:
    line: Any = SimpleNamespace(city=SimpleNamespace(basemap=basemap))
    return TestClient(Starlette(routes=routes(lambda: line)))


def test_a_city_without_a_base_map_serves_none() -> None:
    assert client(None).get("/api/basemap/style.json").status_code == 404
    assert client(None).get("/api/basemap/0/0/0").status_code == 404


def test_pictures_come_from_the_file_of_the_city(tmp_path: Path) -> None:
    path = pmtiles(tmp_path / "a.pmtiles", TileType.PNG, b"\x89PNG-tile", {})
    asked = client({"pmtiles": str(path), "attribution": "Sở NN&MT"})
    style = asked.get("/api/basemap/style.json").json()
    assert style["sources"]["base"]["tiles"] == ["http://testserver/api/basemap/{z}/{x}/{y}"]
    assert style["sources"]["base"]["attribution"] == "Sở NN&MT"
    reply = asked.get("/api/basemap/0/0/0")
    assert (reply.content, reply.headers["content-type"]) == (b"\x89PNG-tile", "image/png")
    assert asked.get("/api/basemap/1/0/0").status_code == 204, "an empty place is no error"
    assert asked.get("/api/basemap/0/1/0").status_code == 404
    assert asked.get("/api/basemap/99/0/0").status_code == 404


def test_of_vector_tiles_only_water_and_roads_are_drawn_and_no_foreign_boundary(tmp_path: Path) -> None:
    layers = {"vector_layers": [{"id": "water"}, {"id": "roads"}, {"id": "boundaries"}, {"id": "places"}]}
    path = pmtiles(tmp_path / "v.pmtiles", TileType.MVT, gzip.compress(b"tile"), layers)
    asked = client({"pmtiles": str(path), "attribution": "a"})
    style = asked.get("/api/basemap/style.json").json()
    assert [one["id"] for one in style["layers"]] == ["ground", "water", "roads"]
    reply = asked.get("/api/basemap/0/0/0")
    assert reply.content == b"tile"
    assert reply.headers["content-encoding"] == "gzip"


def test_an_own_address_is_passed_on() -> None:
    tiles = "https://tiles.ioc.example.vn/{z}/{x}/{y}.png"
    style = client({"tiles": tiles, "attribution": "a"}).get("/api/basemap/style.json").json()
    assert style["sources"]["base"]["tiles"] == [tiles]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('tiles = "https://a.vn/{z}/{x}.png"\nattribution = "a"', "with {z}, {x} and {y}"),
        ('tiles = "https://a.vn/{z}/{x}/{y}.png"', "attribution is missing"),
        ('pmtiles = "data/none.pmtiles"\nattribution = "a"', "there is no file"),
        ('tiles = "https://a.vn/{z}/{x}/{y}.png"\npmtiles = "a"\nattribution = "a"', "one of the two"),
    ],
)
def test_a_wrong_base_map_stops_at_the_start(text: str, words: str, tmp_path: Path) -> None:

    shutil.copytree(ROOT / "config" / "demo", tmp_path / "config" / "demo")
    path = tmp_path / "config" / "demo" / "city.toml"
    path.write_text(path.read_text(encoding="utf-8") + f"\n[basemap]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_city("demo", tmp_path)
