"""Replies of real services pass through the command line: rows, a header alone, or exit 2 with one clear line.

The recordings lie outside the repository, beside it in ../shared; where they are absent these tests are skipped.
"""

import importlib.util
import sys
import threading
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from connectors import FetchRequest, load, session
from connectors.__main__ import main
from connectors._http import Limits, get
from core.errors import SourceChanged, SourceRefused, SourceUnavailable

RECORDINGS = (Path(__file__).resolve().parents[3] / "shared" / "recordings").resolve()  # its server looks at real paths
HEADER = "time,site_id,observed_property,value,quality,source"
FOLDERS = {"open-meteo": "open_meteo", "sensorthings": "sensorthings", "open311": "open311"}
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
}

pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings in ../shared are not here")


def test_every_recording_of_the_three_services_has_its_expectation():
    found = {
        f"{folder}/{path.name}"
        for folder in FOLDERS
        for path in (RECORDINGS / folder).iterdir()
        if path.suffix != ".md"
    }
    assert found
    assert found == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_through_the_command_line(name, capsys):
    code = main([FOLDERS[name.split("/")[0]], "--file", str(RECORDINGS / name)])
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
        main([FOLDERS[name.split("/")[0]], "--file", str(RECORDINGS / name), "--source", "real"])
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


@pytest.fixture(scope="module")
def replay():
    path = RECORDINGS / "replay.py"
    if not path.is_file():
        pytest.skip("the replay server in ../shared is not here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(path)])
        patch.setattr(sys, "dont_write_bytecode", True)
        spec = importlib.util.spec_from_file_location("replay", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    # A reply of ten seconds outlives these tests, and its thread would write into what a later test captures.
    quiet = type("Quiet", (module.Replay,), {"log_message": lambda *_: None})
    alone = type("Alone", (ThreadingHTTPServer,), {"handle_error": lambda *_: None})
    with alone(("127.0.0.1", 0), quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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
