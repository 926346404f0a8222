"""The base map of the city, where it has one: a style for MapLibre, and the tiles of an own PMTiles file.

Off by default. No boundaries and no names are drawn from vector tiles: which outline of the country a foreign tile set
holds is not ours to show (QCVN 80:2024/BTNMT); the names of the two archipelagos are the map's own layer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pmtiles.reader
from pmtiles.tile import Compression, TileType
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline import Line

STYLE, TILES = "/api/basemap/style.json", "/api/basemap/{z:int}/{x:int}/{y:int}"
MEDIA = {
    TileType.MVT: "application/vnd.mapbox-vector-tile",
    TileType.PNG: "image/png",
    TileType.JPEG: "image/jpeg",
    TileType.WEBP: "image/webp",
    TileType.AVIF: "image/avif",
}
ONE_DAY_S = 86_400
GROUND, WATER, ROAD = "#EEF1F4", "#C5DAE8", "#B4BFCA"
DEEPEST = 22


def routes(line: Callable[[], Line]) -> list[BaseRoute]:
    """The style and the tiles; 404 for a city without a base map."""

    async def style(request: Request) -> Response:
        basemap = line().city.basemap
        if basemap is None:
            return PlainTextResponse("no base map\n", status_code=404)
        return JSONResponse(await asyncio.to_thread(style_of, basemap, str(request.base_url).rstrip("/")))

    async def tile(request: Request) -> Response:
        basemap = line().city.basemap
        z, x, y = (int(request.path_params[name]) for name in ("z", "x", "y"))
        if basemap is None or "pmtiles" not in basemap or z > DEEPEST or max(x, y) >= 2**z:
            return PlainTextResponse("no such tile\n", status_code=404)
        path = Path(basemap["pmtiles"])
        body, kind, packed = await asyncio.to_thread(_tile, path, z, x, y)
        if body is None:
            return Response(status_code=204)
        headers = {"Cache-Control": f"private, max-age={ONE_DAY_S}"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=kind, headers=headers)

    return [Route(STYLE, style), Route(TILES, tile)]


@lru_cache(maxsize=2)
def _archive(path: Path, changed_ns: int) -> tuple[Any, Mapping[str, Any]]:
    library: Any = pmtiles.reader  # without types of its own
    with path.open("rb") as stream:
        reader = library.Reader(library.MmapSource(stream))
        return reader, reader.header()


def _tile(path: Path, z: int, x: int, y: int) -> tuple[bytes | None, str, bool]:
    """A tile, its kind, and whether it is packed with gzip; None where the file has none."""
    reader, header = _archive(path, path.stat().st_mtime_ns)
    kind = MEDIA.get(header["tile_type"], "application/octet-stream")
    return reader.get(z, x, y), kind, header["tile_compression"] == Compression.GZIP


def style_of(basemap: Mapping[str, str], origin: str) -> dict[str, Any]:
    """A MapLibre style in quiet greys; `origin` is the server's own address as the browser knows it."""
    source: dict[str, Any] = {"attribution": basemap["attribution"]}
    layers: list[dict[str, Any]] = [{"id": "ground", "type": "background", "paint": {"background-color": GROUND}}]
    vector = False
    if "pmtiles" in basemap:
        path = Path(basemap["pmtiles"])
        reader, header = _archive(path, path.stat().st_mtime_ns)
        vector = header["tile_type"] == TileType.MVT
        address = f"{origin}{TILES.replace(':int', '')}"
        source |= {"tiles": [address], "minzoom": header["min_zoom"], "maxzoom": header["max_zoom"]}
        if vector:
            names = [str(one.get("id", "")) for one in reader.metadata().get("vector_layers", [])]
            layers += [layer for name in names for layer in _quiet(name)]
    else:
        source["tiles"] = [basemap["tiles"]]
    source["type"] = "vector" if vector else "raster"
    if not vector:
        source["tileSize"] = 256
        layers.append({"id": "tiles", "type": "raster", "source": "base", "paint": {"raster-saturation": -0.7}})
    return {"version": 8, "sources": {"base": source}, "layers": layers}


def _quiet(name: str) -> list[dict[str, Any]]:
    """Water and roads of a vector layer, by its name; everything else is left out."""
    common = {"id": name, "source": "base", "source-layer": name}
    if "water" in name:
        return [{**common, "type": "fill", "paint": {"fill-color": WATER}}]
    if "road" in name or "transport" in name:
        return [{**common, "type": "line", "paint": {"line-color": ROAD, "line-width": 1}}]
    return []
