"""OGC API Features and WFS: properties of points become observations, and errors in XML are errors."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from connectors import Payload, ogc_features, session
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused
from tests.connectors.answering import SITES, Server, ask, table
from tests.connectors.asking import request_for

RECORDINGS = Path(__file__).parent.parent / "recordings" / "ogc_features"
LEVEL = {"time": "t", "columns": [{"column": "level", "property": "river_level", "unit": "cm"}]}


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return ogc_features.parse(Payload(body=body, name="reply", context=context))


def feature(identity=1, place=(106.5, 10.5), **properties):
    told = {"t": "2026-06-01T01:00:00Z", "level": "150", **properties}
    geometry = {"type": "Point", "coordinates": list(place)} if place else None
    return {"type": "Feature", "id": identity, "geometry": geometry, "properties": told}


def collection(*features, **more):
    return {"type": "FeatureCollection", "features": list(features), **more}


def recorded(name, **context):
    return parsed((RECORDINGS / name).read_bytes(), **context)


def test_stations_whose_columns_say_what_they_are():
    frame = recorded("stations.geojson", options={"sites": {"Trạm Ga": "air_01", "Trạm Chợ": "air_02"}})
    assert table(frame.dropna()) == {("pm25", "air_01"): 48.5, ("temperature", "air_01"): 31}
    assert frame.loc[frame["site_id"] == "air_02", "quality"].tolist() == ["missing", "missing"]  # -999, empty
    assert set(frame["time"]) == {datetime(2026, 6, 1, 1, tzinfo=UTC)}


def test_a_feature_without_a_column_of_the_site_goes_by_its_id():
    assert table(parsed(collection(feature("g7")), options=LEVEL)) == {("river_level", "g7"): 1.5}
    assert table(parsed(feature("g7"), options=LEVEL)) == {("river_level", "g7"): 1.5}


def test_a_feature_goes_to_the_nearest_site_and_not_to_the_city_when_there_is_none():
    near, far = feature(1, (106.501, 10.521)), feature(2, (107.5, 10.5))
    options = {**LEVEL, "by_place_m": 500}
    frame = parsed(collection(near, far, feature(3, None)), options=options, sites=SITES, city_site="thanh_lam")
    assert table(frame) == {("river_level", "road_01"): 1.5}


def test_axes_that_are_turned_round_are_named_and_mended_by_an_option():
    turned = collection(feature(1, (10.521, 106.501)))
    context = {"sites": SITES, "city_site": "thanh_lam"}
    with pytest.raises(SourceChanged, match="axis = 'lat_lon'"):
        parsed(turned, options=LEVEL, **context)
    options = {**LEVEL, "by_place_m": 500, "axis": "lat_lon"}
    assert table(parsed(turned, options=options, **context)) == {("river_level", "road_01"): 1.5}
    with pytest.raises(SourceChanged, match="axis = 'lon_lat'"):
        parsed(collection(feature(1, (106.501, 10.521))), options=options, **context)


def test_coordinates_of_another_system_name_no_place():
    metres = collection(feature(1, (600000, 1160000)), crs={"properties": {"name": "urn:ogc:def:crs:EPSG::9210"}})
    assert table(parsed(metres, options=LEVEL)) == {("river_level", "1"): 1.5}  # by its id, that does no harm
    with pytest.raises(SourceChanged, match="9210"):
        parsed(metres, options={**LEVEL, "by_place_m": 500}, sites=SITES, city_site="thanh_lam")
    degrees = {"properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    near = collection(feature(1, (106.501, 10.521)), crs=degrees)
    frame = parsed(near, options={**LEVEL, "by_place_m": 500}, sites=SITES, city_site="thanh_lam")
    assert set(frame["site_id"]) == {"road_01"}


def test_a_filter_is_applied_here_too():
    both = collection(feature(1, kind="river"), feature(2, kind="lake"))
    assert table(parsed(both, options={**LEVEL, "filters": {"kind": "lake"}})) == {("river_level", "2"): 1.5}


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ({"code": "NotFound", "type": "NotFound", "description": "no collection"}, SourceRefused, "no collection"),
        ({"type": "https://x", "title": "Bad", "status": 400, "detail": "bad bbox"}, SourceRefused, "bad bbox"),
        ({"collections": []}, SourceChanged, "lists collections"),
        ({"links": []}, SourceChanged, "no FeatureCollection"),
        (collection(numberMatched=7, numberReturned=0), SourceChanged, "number \\(7\\)"),
        ({"type": "FeatureCollection", "features": [1]}, SourceChanged, "list of features"),
        ([1], SourceChanged, "no GeoJSON"),
        (collection(feature()), InputError, "there are level, t"),
        (b"<ows:ExceptionReport xmlns:ows='o'><a>no layer</a></ows:ExceptionReport>", SourceRefused, "no layer"),
        (b"<ServiceExceptionReport/>", SourceRefused, "no reason"),
        (b"<WFS_Capabilities/>", SourceChanged, "layers"),
        (b"<w:FeatureCollection xmlns:w='w' numberMatched='9'/>", SourceChanged, "number \\(9\\)"),
        (b"<FeatureCollection><member/></FeatureCollection>", SourceChanged, "GML"),
        (b"<html><br></html>", SourceChanged, "HTML"),
        (b"<kml/>", SourceChanged, "kml"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><ExceptionReport>&b;</ExceptionReport>", SourceChanged, "unsafe"),
    ],
)
def test_what_holds_no_observations_says_what_it_is(reply, error, words):
    with pytest.raises(error, match=words):
        parsed(reply)


def test_no_feature_is_a_valid_answer():
    assert recorded("empty.json").empty


def pages(**edits):
    """25 features in pages of 10, next links beyond the last page too, as a known server does."""

    def page(query):
        start = int(query.get("offset", 0))
        told = [feature(number) for number in range(start, min(start + 10, 25))]
        link = {"rel": "next", "href": f"https://ogc.example/api/collections/gauges/items?offset={start + 10}"}
        return collection(*told, numberMatched=25, numberReturned=len(told), links=[{"rel": "self"}, {**link, **edits}])

    return Server(items=page)


OGC = {"base_url": "https://ogc.example/api/", "collection": "gauges", **LEVEL}
WFS = {"base_url": "https://ogc.example/wfs", "type_name": "ms:gauges", **LEVEL}


def test_next_links_are_followed_to_the_end():
    server = pages()
    (payload,) = ask("ogc_features", server, secret="k3y", ask_period=True, filters={"kind": ""}, **OGC)
    path, query, headers = server.asked[0]
    assert (path, query["f"], headers["Authorization"]) == ("/api/collections/gauges/items", "json", "Bearer k3y")
    assert query["datetime"] == "2026-05-31T01:00:00Z/2026-06-01T03:00:00Z"
    assert len(ogc_features.parse(payload)) == 25
    assert [query.get("offset") for _, query, _ in server.asked] == [None, "10", "20", "30"]


def test_a_next_link_to_another_host_or_in_a_circle_is_refused():
    with pytest.raises(SourceRefused, match="another host"):
        ask("ogc_features", pages(href="https://elsewhere.example/?offset=10"), **OGC)
    with pytest.raises(SourceChanged, match="do not end"):
        ask("ogc_features", pages(href="https://ogc.example/api/collections/gauges/items?offset=0"), **OGC)


def test_a_wfs_is_counted_on_by_its_start_index():
    def page(query):
        start = int(query.get("startIndex", 0))
        return collection(*[feature(number) for number in range(start, min(start + 1000, 1500))])

    server = Server(wfs=page)
    (payload,) = ask("ogc_features", server, output_format="geojson", **WFS)
    assert len(ogc_features.parse(payload)) == 1500
    _, query, _ = server.asked[0]
    told = (query["typeNames"], query["outputFormat"], query["srsName"], query["count"], query["version"])
    assert told == ("ms:gauges", "geojson", "EPSG:4326", "1000", "2.0.0")
    old = Server(wfs=collection())
    ask("ogc_features", old, wfs_version="1.1.0", **WFS)
    assert (old.asked[0][1]["typeName"], old.asked[0][1]["maxFeatures"]) == ("ms:gauges", "1000")


def test_a_wfs_that_ignores_the_start_index_is_asked_twice():
    server = Server(wfs=collection(*[feature(number) for number in range(1000)]))
    (payload,) = ask("ogc_features", server, **WFS)
    assert (len(server.asked), len(ogc_features.parse(payload))) == (2, 1000)


def test_an_exception_report_with_http_200_is_refused():
    with pytest.raises(SourceRefused, match="no such layer"):
        ask("ogc_features", Server(wfs=(RECORDINGS / "error_exception.xml").read_bytes()), **WFS)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"axis": "xy"}, "axis"), ({"filters": "kind"}, "filters"), ({"by_place_m": "near"}, "by_place_m")],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(ConfigError, match=words):
        parsed(collection(feature()), options={**LEVEL, **options})
    with pytest.raises(ConfigError, match="base_url"):
        ask("ogc_features", Server(), collection="gauges")


# ---- real servers

FEATURES, MAPS = os.environ.get("CITY_LAB_PYGEOAPI", ""), os.environ.get("CITY_LAB_WFS", "")
features = pytest.mark.skipif(not FEATURES, reason="CITY_LAB_PYGEOAPI names no server of OGC API Features")
maps = pytest.mark.skipif(not MAPS, reason="CITY_LAB_WFS names no WFS")
REQUESTS = {
    "type_name": "requests311", "output_format": "geojson", "time": "created", "site": "neighborhood",
    "columns": [{"column": "id", "property": "reports_received", "unit": "count"}],
}  # fmt: skip


def from_server(**options):
    (payload,) = ogc_features.fetch(session(), request_for("real", options))
    return ogc_features.parse(payload)


def stations(**options):
    columns = [{"column": name, "property": name, "unit": "ug/m3"} for name in ("pm25", "pm10")]
    return from_server(
        base_url=FEATURES, collection="stations", columns=columns, time="time", site="station", **options
    )


@features
def test_a_real_server_of_features_gives_every_reading_and_its_error_code_is_none(monkeypatch):
    whole = stations()
    assert len(whole) == 12
    assert whole["value"].notna().sum() == 8
    assert whole["value"].min() > 0, "-999 is no value"
    assert whole["time"].min() == datetime(2026, 1, 4, 17, tzinfo=UTC)
    monkeypatch.setattr(ogc_features, "PAGE", 2)
    assert_frame_equal(stations(), whole)
    ours = stations(filters={"station": "Trạm Bắc Ninh", "no_such_column": ""})
    assert set(ours["site_id"]) == {"Trạm Bắc Ninh"}


@features
def test_a_real_server_of_features_refuses_in_its_own_words():
    with pytest.raises(SourceRefused, match=r"collections/nowhere/items: HTTP 404 \(Collection not found\)"):
        from_server(base_url=FEATURES, collection="nowhere")


@maps
def test_a_real_wfs_is_read_to_the_last_page_and_refuses_in_xml():
    whole = from_server(base_url=MAPS, **REQUESTS)
    assert len(whole) == whole["value"].nunique() > 2 * ogc_features.PAGE
    assert whole["time"].notna().all()
    with pytest.raises(SourceRefused, match="application/json' is not a permitted output format"):
        from_server(base_url=MAPS, **{**REQUESTS, "output_format": "application/json"})
    with pytest.raises(SourceRefused, match="nowhere"):
        from_server(base_url=MAPS, **{**REQUESTS, "type_name": "nowhere"})
