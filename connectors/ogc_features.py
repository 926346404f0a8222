"""Point features behind OGC API Features or WFS (GeoJSON) whose properties are measurements, as observations.

Link: https://ogcapi.ogc.org/features/ and https://www.ogc.org/standard/wfs/
Licence: that of the layer's owner.
Key: server-specific; the secret OGC_FEATURES_TOKEN is sent as «Authorization: Bearer …» where one is set.
Refresh: that of the layer; asking every 10 minutes is usual.
Traps:
- A page holds 10 features unless more are asked: `rel=next` leads on (OGC API), on the same host only; a WFS has no
  links, there startIndex counts on. Some servers ignore it, and repeat themselves.
- `resulttype=hits` gives a number and no features, which is not the same as «nothing there».
- An error of a WFS is XML (ExceptionReport), also where JSON was asked; the name of the JSON format differs
  (application/json, geojson). A filter on a column that is not there is ignored with HTTP 200: `filters` are applied
  here once more.
- GeoJSON is longitude, latitude; WFS 2.0 with EPSG:4326 may turn the axes round: axis = "lat_lon". A latitude beyond
  90 is refused by name. A `crs` member may say that coordinates are no degrees: then they name no place.
- Values come as text, empty, or as -999.
- What a property means is nowhere said: the options say it.

Options: base_url; collection (OGC API, base_url is the landing page), or type_name (WFS, base_url is the service);
columns, time, site, sites, site_id, missing, start_label_min: see the head of connectors/_columns.py. by_place_m = 500:
a feature belongs to the nearest configured site within so many metres, and
is left out where there is none. axis = lon_lat | lat_lon; filters = { column =
"value" }; ask_period = true: send datetime=…; output_format = "geojson"; wfs_version = "2.0.0"; srs_name = "EPSG:4326".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, urljoin

import pandas as pd
import requests

from connectors import _columns
from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json, same_host
from connectors._places import Nearest
from connectors._reply import reading
from connectors._rows import label, option_number, told_frame, utc_text
from connectors._text import number
from connectors._xml import xml_tree
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="ogc_features",
    name="OGC API Features, WFS",
    kind="measurement",
    homepage="https://ogcapi.ogc.org/features/",
    licence="that of the layer's owner",
    every=timedelta(minutes=10),
    secret="OGC_FEATURES_TOKEN",
    traps=("errors are XML", "WFS 2.0 may turn the axes round", "a filter on an unknown column is ignored"),
)

PAGE = 1000
PAGES_MAX = 100
WHOLE_BYTES_MAX = 64 * 2**20  # all pages together
OVERLAP = timedelta(hours=24)
AXES = ("lon_lat", "lat_lon")
DEGREES = ("CRS84", "4326", "4979", "CRS84H")  # last part of the names of systems whose coordinates are degrees


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """All features of the layer in ONE payload, a FeatureCollection; of the last days only where `ask_period` is set.

    Raises ConfigError when base_url or the layer is not given, else SourceError.
    """
    options = request.options
    base = str(options.get("base_url", "")).rstrip("/")
    collection, type_name = options.get("collection"), options.get("type_name")
    if not base or not (collection or type_name):
        raise ConfigError(
            f"source {request.source}: options need base_url, and collection (OGC API) or type_name (WFS)"
        )
    found, name = _items(http, base, request) if collection else _wfs(http, base, request)
    context = request.told(zone=request.zone, place=str(collection or type_name))
    whole: dict[str, Any] = {"type": "FeatureCollection", "features": found["features"]}
    if "crs" in found:
        whole["crs"] = found["crs"]
    return [Payload(body=json.dumps(whole).encode(), name=name, media_type="application/geo+json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from a FeatureCollection or one Feature.

    Raises SourceRefused for an exception report, SourceChanged for capabilities, a list of collections, a mere number
    of hits or turned axes, InputError where the options do not say what the columns mean.
    """
    reply = _reply(payload)
    features = reply["features"]
    options, zone = payload.context.get("options", {}), payload.context.get("zone")
    with reading(payload.name):
        filters = options.get("filters", {})
        if not isinstance(filters, Mapping):
            raise ConfigError("the option filters is no table of column and value")
        names = sorted({name for feature in features for name in _properties(feature)})
        places = _places(payload.context, options)
        common = payload.context.get("place", PurePath(payload.name).stem)
        records = []
        for feature in features:
            record = _properties(feature)
            where = _where(feature, options, reply.get("crs"), places)
            if any(label(record.get(name, "")) != label(wanted) for name, wanted in filters.items()):
                continue
            if places is not None and not where:
                continue  # no site of ours: the whole city is not where this station stands
            records.append((record, where or label(feature.get("id") or common)))
        if not features:
            return told_frame([], source=SOURCE.key, name=payload.name)
        meaning = _columns.layout(names, options)
        if places is not None:
            meaning = replace(meaning, site=None)
        rows = _columns.rows(records, meaning, options, zone)
    return told_frame(rows, source=payload.context.get("source", SOURCE.key), name=payload.name)


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, Mapping) else {}


def _places(context: Mapping[str, Any], options: Mapping[str, Any]) -> Nearest | None:
    """The configured sites of every kind but the city itself, whose point is not where a station stands."""
    if "by_place_m" not in options:
        return None
    sites = context.get("sites")
    if sites is not None:
        sites = sites.drop(index=context.get("city_site"), errors="ignore").assign(kind="any")
    return Nearest(sites, "any", option_number(options, "by_place_m", 500.0) / 1000)


def _where(feature: Mapping[str, Any], options: Mapping[str, Any], crs: object, places: Nearest | None) -> str:
    """The site nearest to a point where the option by_place_m asks for it, else "". Raises for turned axes."""
    axis = options.get("axis", "lon_lat")
    if axis not in AXES:
        raise ConfigError(f"the option axis is {axis!r}, not one of {', '.join(AXES)}")
    geometry = feature.get("geometry")
    system = _system(crs)
    point = geometry.get("coordinates") if isinstance(geometry, Mapping) and geometry.get("type") == "Point" else None
    if not isinstance(point, list) or len(point) < 2 or (system and system not in DEGREES):
        if places is not None and system and system not in DEGREES:
            raise SourceChanged(f"coordinates are in the system {system}, not in degrees: ask srsName=EPSG:4326")
        return ""
    longitude, latitude = number(point[0]), number(point[1])
    if axis == "lat_lon":
        longitude, latitude = latitude, longitude
    if abs(latitude) > 90 and abs(longitude) <= 90:
        other = AXES[1 - AXES.index(axis)]
        raise SourceChanged(f"the axes are turned round (latitude {latitude:g}): set the option axis = {other!r}")
    return places.site(latitude, longitude) if places is not None else ""


def _system(crs: object) -> str:
    """«urn:ogc:def:crs:EPSG::3857» as «3857»; empty where the collection names no system."""
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    told = properties.get("name") if isinstance(properties, Mapping) else None
    return label(told).replace("/", ":").rpartition(":")[2].upper() if isinstance(told, str) else ""


def _reply(payload: Payload, *, first: bool = True) -> Mapping[str, Any]:
    """A reply as a FeatureCollection; raises for everything else, by name. A later page may have no features."""
    name = payload.name
    if payload.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise _xml_error(payload.body, name)
    reply = read_json(payload.body, name)
    if not isinstance(reply, dict):
        raise SourceChanged(f"{name}: no GeoJSON (an object is promised)")
    if reply.get("type") == "Feature":
        return {"features": [reply]}
    if "features" not in reply:
        words = reply.get("description") or reply.get("detail") or reply.get("title")
        if "code" in reply or ("type" in reply and "status" in reply):
            raise SourceRefused(f"{name}: the server refuses: {label(words or reply.get('code'))[:300]}")
        kind = "it lists collections" if "collections" in reply else "it is no FeatureCollection"
        raise SourceChanged(f"{name}: holds no observations: {kind}; ask /collections/NAME/items?f=json")
    features = reply["features"]
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise SourceChanged(f"{name}: `features` is no list of features")
    if (
        first
        and not features
        and number(reply.get("numberMatched")) > 0
        and not number(reply.get("numberReturned")) > 0
    ):
        raise SourceChanged(
            f"{name}: holds no features, only their number ({reply['numberMatched']}): ask without resulttype=hits"
        )
    return reply


def _xml_error(body: bytes, name: str) -> SourceChanged | SourceRefused:
    """What an XML reply says, as the error that it is: GeoJSON was promised."""
    try:
        root = xml_tree(body, name)
    except SourceChanged as error:
        return error
    kind = str(root.tag).rpartition("}")[2]
    if kind in ("ExceptionReport", "ServiceExceptionReport"):
        words = " ".join(" ".join(root.itertext()).split())[:300]
        return SourceRefused(f"{name}: the server refuses: {label(words) or 'no reason given'}")
    if kind.endswith("Capabilities"):
        return SourceChanged(f"{name}: holds no observations: it is the list of layers of a WFS; ask GetFeature")
    if kind == "FeatureCollection" and len(root) == 0:
        matched = label(root.get("numberMatched", "unknown"))
        return SourceChanged(f"{name}: holds no features, only their number ({matched}): ask without resultType=hits")
    if kind == "FeatureCollection":
        return SourceChanged(f"{name}: GML came where GeoJSON was promised: set output_format to one that is listed")
    return SourceChanged(f"{name}: XML (<{label(kind)}>) came where GeoJSON was promised")


def _items(http: requests.Session, base: str, request: FetchRequest) -> tuple[dict[str, Any], str]:
    """The pages of a collection of OGC API Features, along rel=next."""
    options = request.options
    url: str | None = f"{base}/collections/{quote(str(options['collection']), safe='')}/items"
    asked: dict[str, str] | None = {"f": "json", "limit": str(PAGE), **_texts(options.get("filters", {}))}
    if options.get("ask_period") and asked is not None:
        asked["datetime"] = f"{utc_text(request.since - OVERLAP)}/{utc_text(request.until)}"
    whole: dict[str, Any] = {"features": []}
    seen: set[str] = set()
    name, size = base, 0
    while url:
        if url in seen or len(seen) >= PAGES_MAX:
            raise SourceChanged(
                f"{name}: the pages do not end (a circle, or over {PAGES_MAX}): set ask_period, filters"
            )
        seen.add(url)
        payload = get(http, url, asked, _headers(request), json_promised=False, secret=request.secret)
        name, page = payload.name, _reply(payload, first=not whole["features"])
        size = _bounded(size + len(payload.body), name)
        _gather(whole, page)
        links = page.get("links")
        following = [
            link.get("href")
            for link in (links if isinstance(links, list) else [])
            if isinstance(link, Mapping) and link.get("rel") == "next" and isinstance(link.get("href"), str)
        ]
        # a server that gives a next link behind the last page ends with a page of nothing
        here, url, asked = url, (urljoin(url, following[0]) if following and page["features"] else None), None
        if url and not same_host(here, url):
            raise SourceRefused(f"{name}: the next page lies on another host: check the server's own address")
    return whole, name


def _wfs(http: requests.Session, base: str, request: FetchRequest) -> tuple[dict[str, Any], str]:
    """The pages of a layer of a WFS, counted by startIndex."""
    options = request.options
    version = str(options.get("wfs_version", "2.0.0"))
    two = version.startswith("2")
    asked = {
        "service": "WFS",
        "version": version,
        "request": "GetFeature",
        "typeNames" if two else "typeName": str(options["type_name"]),
        "outputFormat": str(options.get("output_format", "application/json")),
        "srsName": str(options.get("srs_name", "EPSG:4326")),
        "count" if two else "maxFeatures": str(PAGE),
    }
    whole: dict[str, Any] = {"features": []}
    size = 0
    for _ in range(PAGES_MAX):
        start = {"startIndex": str(len(whole["features"]))} if whole["features"] else {}
        payload = get(http, base, {**asked, **start}, _headers(request), json_promised=False, secret=request.secret)
        page = _reply(payload, first=not start)
        size = _bounded(size + len(payload.body), payload.name)
        if page["features"] and page["features"] == whole["features"][-len(page["features"]) :]:
            return whole, payload.name  # the server does not know startIndex
        _gather(whole, page)
        if len(page["features"]) < PAGE:
            return whole, payload.name
    raise SourceChanged(f"{payload.name}: more than {PAGES_MAX * PAGE} features: choose a smaller layer")


def _bounded(size: int, name: str) -> int:
    """The bytes of all pages so far; raises SourceChanged where they are more than a layer may have."""
    if size > WHOLE_BYTES_MAX:
        raise SourceChanged(f"{name}: the pages together are larger than {WHOLE_BYTES_MAX} bytes: set filters")
    return size


def _gather(whole: dict[str, Any], page: Mapping[str, Any]) -> None:
    whole["features"] += page["features"]
    if "crs" in page:
        whole["crs"] = page["crs"]


def _texts(filters: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in filters.items()} if isinstance(filters, Mapping) else {}


def _headers(request: FetchRequest) -> dict[str, str]:
    return {"Authorization": f"Bearer {request.secret}"} if request.secret else {}
