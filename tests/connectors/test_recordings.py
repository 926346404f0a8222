"""Replies of real services pass through the command line: rows, a header alone, or exit 2 with one clear line.

The recordings lie outside the repository, beside it in ../shared; where they are absent these tests are skipped.
"""

import io
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import requests
from pandas.testing import assert_frame_equal

from connectors import FetchRequest, discover, load, session
from connectors.__main__ import main
from connectors._http import Limits, get
from core import observations
from core.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from tests.connectors.conftest import RECORDINGS

HEADER = "time,site_id,observed_property,value,quality,source"
FOLDERS = {"gtfs-rt": "gtfs_realtime"}  # folder of recordings -> connector, where the names differ by more than a dash
EXPECTED = {  # number of rows, or the words of the refusal
    "open-meteo/air_quality_current_berlin.json": 2,
    "open-meteo/forecast_api_key.00.json": 384,  # 168 hours and the 216 quarters of an hour between them
    "open-meteo/forecast_general.00.json": 384,
    "open-meteo/forecast_general_one_model.00.json": 384,
    "open-meteo/geocoding_hollywood.00.json": "holds no observations",
    "open-meteo/handmade_err_bad_variable_400.json": "pm99",
    "open-meteo/handmade_err_rate_hourly_429.json": "next hour",
    "open-meteo/handmade_err_rate_minutely_429.json": "one minute",
    "open-meteo/handmade_two_locations.json": 12,
    "sensorthings/dj_err_bad_filter.json": "Bad request",
    "sensorthings/dj_err_bad_id.json": "Not found",
    "sensorthings/dj_err_orderby_500.json": "Internal server error",
    "sensorthings/dj_obs_default_top.json": 100,
    "sensorthings/dj_obs_filter.json": 14,
    "sensorthings/dj_root.json": "service root",
    "sensorthings/dj_things_expand.json": "holds no observations",
    "open311/handmade_err_400.json": "jurisdiction_id",
    "open311/handmade_err_404.xml": "NOPE",
    "open311/handmade_requests.json": 7,
    "open311/handmade_requests.xml": 7,
    "open311/handmade_requests_empty.json": 0,
    "open311/handmade_service_definition.json": "services",
    "open311/handmade_service_definition.xml": "services",
    "open311/handmade_services.json": "services",
    "open311/handmade_services.xml": "services",
    "openaq/handmade_locations_vn.json": "holds no observations",
    "openaq/py_instruments.json": "holds no observations",
    "openaq/py_locations.json": "holds no observations",
    "openaq/py_manufacturers.json": "holds no observations",
    "openaq/py_measurements.json": 2,
    "openaq/py_owners.json": "holds no observations",
    "openaq/py_parameters.json": "holds no observations",
    "openaq/py_providers.json": "holds no observations",
    "waqi/city_feed_klundert.json": 3,
    "waqi/city_feed_maarssen.json": 5,
    "waqi/city_feed_new_dominant_pol.json": 3,
    "waqi/city_feed_unknown.json": "Unknown station",
    "waqi/city_feed_utrecht.json": 6,
    "waqi/coordinates.json": 5,
    "waqi/here.json": 7,
    "waqi/search_klundert.json": 1,
    "waqi/search_unknown.json": 0,
    "waqi/station_number_feed_10002.json": 0,  # a station without data and without a time
    "waqi/station_number_feed_10142.json": 7,
    "waqi/station_number_feed_unknown.json": "Unknown station",
    "waqi/unauthenticated.json": "Invalid key",
    "tomtom/err_bad_request_400.json": "Invalid parameters",
    "tomtom/handmade_flow_segment.json": "holds no time: say when it came",
    "tomtom/incidents_amsterdam_2026.json": 1,
    "here/err_ev_charging_stations_error_unauthorized.json": "do not authorize",
    "here/err_not_authorize_access.json": "do not authorize",
    "here/err_routing_error_invalid_credentials.json": "No credentials",
    "here/handmade_v7_err_400.json": "Parameter 'in' is missing",
    "here/handmade_v7_flow.json": 13,
    "here/handmade_v7_flow_empty.json": 0,
    "here/handmade_v7_incidents.json": 1,
    "here/legacy_traffic_api_flow.json": "older Traffic API 6",
    "waze/handmade_feed_0055.json": 5,
    "waze/handmade_feed_0056.json": 4,
    "waze/handmade_feed_quiet.json": 0,
}

pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings in ../shared are not here")


def key_of(folder):
    return FOLDERS.get(folder, folder.replace("-", "_"))


def walked():
    """Every recording of every folder whose connector is there."""
    folders = sorted(RECORDINGS.iterdir()) if RECORDINGS.is_dir() else []
    known = [folder for folder in folders if folder.is_dir() and key_of(folder.name) in discover()]
    files = [path for folder in known for path in sorted(folder.iterdir())]
    return [f"{path.parent.name}/{path.name}" for path in files if path.is_file() and path.suffix != ".md"]


def test_every_recording_of_a_folder_with_expectations_has_its_own():
    assert len(walked()) > 70
    folders = {name.split("/")[0] for name in EXPECTED}
    assert {name for name in walked() if name.split("/")[0] in folders} == set(EXPECTED)


@pytest.mark.parametrize("name", walked())
def test_every_recording_gives_rows_a_header_alone_or_one_clear_line(name, capsys):
    folder, file = name.split("/")
    code = main([key_of(folder), "--file", str(RECORDINGS / name)])
    told = capsys.readouterr()
    if code == 0:
        assert told.out.splitlines()[0] == HEADER
        frame = observations.from_csv(io.StringIO(told.out))
        assert frame["time"].notna().all()
        assert frame["quality"].isin(observations.QUALITY).all()
        return
    assert code == 2
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith(f"error: {file}: ")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_through_the_command_line(name, capsys):
    code = main([key_of(name.split("/")[0]), "--file", str(RECORDINGS / name)])
    told, expected = capsys.readouterr(), EXPECTED[name]
    if isinstance(expected, int):
        lines = told.out.splitlines()
        assert (code, lines[0], len(lines) - 1, told.err) == (0, HEADER, expected, "")
    else:
        assert code == 2
        assert told.out == ""
        assert len(told.err.splitlines()) == 1
        assert told.err.startswith(f"error: {name.split('/')[1]}: ")
        assert expected in told.err


def test_values_of_the_real_replies(capsys):
    def rows(name):
        main([key_of(name.split("/")[0]), "--file", str(RECORDINGS / name), "--source", "real"])
        return capsys.readouterr().out.splitlines()

    assert '2021-11-24T23:00:00Z,"52.5,13.400002",o3,82.0,not_evaluated,real' in rows(
        "open-meteo/air_quality_current_berlin.json"
    )
    assert '2026-01-04T17:00:00Z,"21.25,106.2",pm25,48.5,not_evaluated,real' in rows(
        "open-meteo/handmade_two_locations.json"
    )
    assert rows("open311/handmade_requests.json") == rows("open311/handmade_requests.xml")
    assert "2018-01-02T05:00:00Z,dj_obs_filter,sensorthings:result,170.4,not_evaluated,real" in rows(
        "sensorthings/dj_obs_filter.json"
    )


def silent():
    http = session()
    http.pace.sleep = lambda seconds: None
    return http


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", SourceUnavailable),
        ("503", SourceUnavailable),
        ("500html", SourceUnavailable),
        ("slow10", SourceUnavailable),
        ("truncate", SourceUnavailable),
        ("dropconn", SourceUnavailable),
        ("badjson", SourceChanged),
        ("empty", SourceChanged),
        ("gzip", None),
        ("redirect", None),
    ],
)
def test_every_fault_of_the_replay_server_has_its_name(replay, fault, error):
    query = {"__fault": fault}
    url = f"{replay}/sensorthings/dj_obs_filter.json"
    if error is None:
        assert get(silent(), url, query).body == (RECORDINGS / "sensorthings" / "dj_obs_filter.json").read_bytes()
        return
    with pytest.raises(error) as caught:
        get(silent(), url, query, limits=Limits(read_s=0.2))
    assert fault != "429" or caught.value.retry_after_s == 7


def fetched(replay, key, name, **options):
    http = silent()
    http.params = {"__file": name}
    request = FetchRequest(
        source="real",
        since=datetime(2026, 1, 4, tzinfo=UTC),
        until=datetime(2026, 1, 5, 12, tzinfo=UTC),
        sites=pd.DataFrame(
            {"kind": ["city", "area"], "latitude": [21.25, 21.2], "longitude": [106.2, 106.1]},
            index=pd.Index(["bac_giang", "viet_yen"], name="site_id"),
        ),
        city_site="bac_giang",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        options={"base_url": replay, **options},
    )
    payloads = load(key).fetch(http, request)
    return pd.concat([load(key).parse(payload) for payload in payloads])


def test_fetch_and_parse_together_on_recorded_replies(replay):
    air = fetched(
        replay,
        "open_meteo",
        "open-meteo/handmade_two_locations.json",
        kind="air_quality",
        sites=["bac_giang", "viet_yen"],
    )
    assert len(air) == 12
    assert set(air["site_id"]) == {"bac_giang", "viet_yen"}
    reports = fetched(replay, "open311", "open311/handmade_requests.xml", format="xml")
    assert reports.loc[reports["observed_property"] == "reports_received", "value"].sum() == 4
    assert set(reports["site_id"]) == {"bac_giang", "viet_yen"}
    with pytest.raises(SourceRefused):
        fetched(replay, "open_meteo", "open-meteo/handmade_err_bad_variable_400.json")


CITY = pd.DataFrame(
    [
        ("bac_giang", "city", "Bắc Giang", "", 21.27, 106.19),
        ("07654", "area", "Phường 1", "07654", 21.28, 106.2),
        ("road_01", "road_segment", "Hùng Vương", "07654", 21.2731, 106.1946),
    ],
    columns=["site_id", "kind", "name_vi", "area", "latitude", "longitude"],
).set_index("site_id", drop=False)
# HTTP connector -> (options, {part of the address it asks: recording that answers}); "" answers every other address.
# {base} in an option is the address of the server.
ASKED = {
    "open_meteo": (
        {"kind": "air_quality", "sites": ["bac_giang", "07654"]},
        "open-meteo/handmade_two_locations.json",
    ),
    "open311": ({}, "open311/handmade_requests.json"),
    "sensorthings": (
        {},
        {"/Datastreams(": "ours/sensorthings/observations.json", "": "ours/sensorthings/datastreams.json"},
    ),
    "openaq": (
        {"sites": {"901": "air_01"}},
        {"/locations/": "openaq/handmade_locations_vn.json", "/hours": "openaq/py_measurements.json"},
    ),
    "waqi": ({"licence_accepted": True, "sites": {"6332": "air_01"}}, "waqi/city_feed_utrecht.json"),
    "tomtom": ({"kind": "flow"}, "tomtom/handmade_flow_segment.json"),
    "here": ({"kind": "flow"}, "here/handmade_v7_flow.json"),
    "waze": ({}, "waze/handmade_feed_0055.json"),
    "ckan": (
        {"resource_id": "r", "time": "Thời gian", "columns": [{"column": "PM2.5 (µg/m³)", "property": "pm25"}]},
        "ckan/handmade_datastore_vi.json",
    ),
    "datex2": ({}, "datex2/handmade_loops_v2.xml"),
    "dvc_766": ({"sites": {"Phường An Hòa": "07654", "Xã Bình Minh": "bac_giang"}}, "ours/dvc_766/scores.json"),
    "generic_json": ({}, "ours/generic_json/house.json"),
    "gtfs_realtime": (
        {"kind": "vehicle_positions", "max_age_min": 900000, "max_position_age_min": 900000},
        "gtfs-rt/handmade_vehicle_positions.pb",
    ),
    "ngsi": ({"types": ["AirQualityObserved"]}, "ngsi/handmade_v2_normalized.json"),
    "ogc_features": ({"collection": "stations"}, "ours/ogc_features/stations.geojson"),
    "prometheus": (
        {"queries": [{"query": "pm25", "property": "pm25", "unit": "ug/m3", "site_label": "station"}]},
        "ours/prometheus/matrix.json",
    ),
}
BINARY = ("gtfs_realtime",)  # connectors whose replies are no text: two bytes more or less may leave a valid one
UNAVAILABLE = ("429", "503", "500html", "slow10", "truncate", "dropconn")
CHANGED = ("badjson", "empty")
HARMLESS = ("gzip", "redirect")


def http_connectors():
    return [key for key, module in discover().items() if getattr(module, "get", None) is get]


class Steered(requests.adapters.HTTPAdapter):
    """Sends every request to the recording that answers it, with the fault, and waits for nobody for long."""

    def __init__(self, answers, fault=""):
        super().__init__()
        self.answers, self.fault, self.asked = answers, fault, 0

    def send(self, request, **sending):
        self.asked += 1
        parts = urlsplit(request.url)
        path = unquote(parts.path)
        if path.lstrip("/") not in self.answers.values():  # else it is where a redirect leads
            name = next((name for part, name in self.answers.items() if part in path), None)
            assert name, f"no recording answers {path}"
            query = urlencode({"__file": name, **({"__fault": self.fault} if self.fault else {})}, quote_via=quote)
            request.url = parts._replace(query="&".join(filter(None, (parts.query, query)))).geturl()
        return super().send(request, **{**sending, "timeout": 0.2 if self.fault == "slow10" else 10.0})


def cycle(replay, key, fault=""):
    """What the line does with one source: fetch, then parse every payload. Raises the error of the source."""
    options, answers = ASKED[key]
    answers = {"": answers} if isinstance(answers, str) else answers
    http = silent()
    http.mount("http://", adapter := Steered(answers, fault))
    request = FetchRequest(
        source="real", since=datetime(2026, 1, 4, tzinfo=UTC), until=datetime(2026, 1, 5, 12, tzinfo=UTC), sites=CITY,
        city_site="bac_giang", zone=ZoneInfo("Asia/Ho_Chi_Minh"), options={"base_url": replay, **options},
    )  # fmt: skip
    frames = [load(key).parse(payload) for payload in load(key).fetch(http, request)]
    assert adapter.asked
    return pd.concat([observations.empty(), *frames], ignore_index=True)


def test_every_http_connector_has_its_line_in_the_table_of_faults():
    assert set(http_connectors()) == set(ASKED), "add what it is asked with and the recording that answers to ASKED"


@pytest.mark.parametrize("key", ASKED)
@pytest.mark.parametrize("fault", [*UNAVAILABLE, *CHANGED])
def test_a_fault_of_the_server_is_told_in_words_and_the_next_cycle_is_well_again(replay, key, fault):
    if key in BINARY and fault == "badjson":
        pytest.skip("no text, so no JSON to break")
    with pytest.raises(SourceError) as caught:
        cycle(replay, key, fault)
    assert isinstance(caught.value, SourceUnavailable if fault in UNAVAILABLE else SourceChanged)
    assert len(str(caught.value).splitlines()) == 1
    assert "127.0.0.1" in str(caught.value)
    assert "__fault" not in str(caught.value)
    if fault == "429":
        assert caught.value.retry_after_s == 7
    assert len(cycle(replay, key))


@pytest.mark.parametrize("key", ASKED)
@pytest.mark.parametrize("fault", HARMLESS)
def test_compression_and_a_redirect_on_the_same_host_change_nothing(replay, key, fault):
    plain = cycle(replay, key)
    assert len(plain)
    assert_frame_equal(cycle(replay, key, fault), plain)
