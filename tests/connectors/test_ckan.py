"""CKAN: tables of an open-data portal, whose columns mean what the options say, and whose numbers are texts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors import Payload, ckan
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused
from tests.connectors.answering import Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "ckan"
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
LONG = [{"column": "v", "property": "no2", "unit": "ppb"}]


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return ckan.parse(Payload(body=body, name="reply", context=context))


def records(*told, **result):
    return {"success": True, "result": {"records": list(told), **result}}


def recorded(name, **context):
    return parsed((RECORDINGS / name).read_bytes(), **context)


def test_a_table_whose_columns_say_what_they_are():
    frame = recorded("air.json", options={"sites": {"T01": "air_01", "T02": "air_02"}})
    told = list(zip(frame["site_id"], frame["time"].dt.strftime("%H:%M"), frame["value"], strict=True))
    assert told[0] == ("air_01", "04:00", 48.5)
    assert told[3] == ("air_02", "01:00", 30)
    assert frame["quality"].tolist() == ["not_evaluated", "missing", "missing", "not_evaluated"]  # -999 and null
    assert set(frame["observed_property"]) == {"pm25"}


def test_only_listed_sites_are_taken():
    assert set(recorded("air.json", options={"sites": {"T02": "air_02"}})["site_id"]) == {"air_02"}


def test_a_long_table_by_options_with_units_conditions_and_one_site():
    told = [
        {"t": "2026-06-01T08:00:00", "what": "NO2", "v": "10"},
        {"t": "2026-06-01T08:00:00", "what": "CO", "v": "1"},
    ]
    columns = [
        {"column": "v", "property": "no2", "unit": "ppb", "where": {"what": "NO2"}},
        {"column": "v", "property": "co", "unit": "ppm", "where": {"what": "CO"}},
    ]
    frame = parsed(records(*told), zone=HANOI, options={"columns": columns, "time": "t", "site_id": "air_01"})
    assert table(frame) == {("no2", "air_01"): 18.8, ("co", "air_01"): 1145}
    assert set(frame["time"]) == {datetime(2026, 6, 1, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("told", "options", "hour"),
    [
        ("2026-06-01T08:00:00Z", {}, datetime(2026, 6, 1, 8, tzinfo=UTC)),
        ("2026-06-01T08:00:00Z", {"start_label_min": 60}, datetime(2026, 6, 1, 9, tzinfo=UTC)),
        ("2026-06-01", {}, datetime(2026, 6, 1, 17, tzinfo=UTC)),  # the day ends at midnight in the city
    ],
)
def test_the_label_becomes_the_end_of_the_period(told, options, hour):
    frame = parsed(records({"t": told, "v": 1}), zone=HANOI, options={"columns": LONG, "time": "t", **options})
    assert frame["time"][0] == hour


def test_other_signs_for_nothing_by_option():
    told = records({"t": "2026-06-01T08:00:00Z", "v": "8888"}, {"t": "2026-06-01T09:00:00Z", "v": -999})
    frame = parsed(told, options={"columns": LONG, "time": "t", "missing": [8888]})
    assert frame["quality"].tolist() == ["missing", "not_evaluated"]  # who sets the option sets all of them


def test_a_time_without_offset_needs_a_zone():
    with pytest.raises(InputError, match=r"reply: .*--zone"):
        parsed(records({"t": "2026-06-01T08:00:00", "v": 1}), options={"columns": LONG, "time": "t"})


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ({"success": False, "error": {"message": "no such table"}}, SourceRefused, "no such table"),
        ({"success": False, "error": {"sort": ["bad"], "__type": "Validation Error"}}, SourceRefused, "sort"),
        ({"success": False}, SourceRefused, "no reason given"),
        ({"success": True, "result": {"results": [], "count": 0}}, SourceChanged, "datasets"),
        ({"success": True, "result": {"resources": []}}, SourceChanged, "datasets"),
        ({"success": True, "result": ["a", "b"]}, SourceChanged, "datasets"),
        ({"success": True, "result": {"method": "upsert", "records": []}}, SourceChanged, "written"),
        ({"success": True, "result": {"records": "a,b\n"}}, SourceChanged, "records_format"),
        ({"success": True, "result": {"records": [[1]]}}, SourceChanged, "objects"),
        ({"result": {}}, SourceChanged, "success"),
        (records({"a": 1, "b": 2}), InputError, "there are a, b"),
        (records({"PM10 (µg/m³)": 1}), InputError, "hold the time"),
        (records({"PM10 (µg/m³)": 1, "time": "noon"}), SourceChanged, "not one time"),
        (b"<html>", SourceChanged, "HTML"),
    ],
)
def test_what_holds_no_observations_says_what_it_is(reply, error, words):
    with pytest.raises(error, match=words):
        parsed(reply)


def test_a_page_without_records_is_a_valid_answer():
    assert recorded("empty.json").empty


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": [{"column": "v", "property": "no2"}]}, "no unit"),
        ({"columns": [{"column": "v", "property": "gold", "unit": "g"}]}, "gold"),
        ({"columns": "v"}, "columns"),
        ({"columns": LONG, "missing": -1}, "missing"),
        ({"columns": LONG, "sites": ["a"]}, "sites"),
        ({"columns": [{**LONG[0], "where": 1}]}, "where"),
        ({"columns": LONG, "start_label_min": "x"}, "start_label_min"),
    ],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(ConfigError, match=words):
        parsed(records({"t": "2026-06-01T08:00:00Z", "v": 1}), options={"time": "t", **options})


def test_a_unit_of_another_kind_and_a_column_that_is_gone_are_named():
    wrong = [{"column": "v", "property": "no2", "unit": "km/h"}]
    with pytest.raises(SourceChanged, match="km/h"):
        parsed(records({"t": "2026-06-01T08:00:00Z", "v": 1}), options={"time": "t", "columns": wrong})
    with pytest.raises(InputError, match="there are t, w"):
        parsed(records({"t": "2026-06-01T08:00:00Z", "w": 1}), options={"time": "t", "columns": LONG})
    with pytest.raises(InputError, match="option site"):
        parsed(records({"t": "2026-06-01T08:00:00Z", "v": 1}), options={"time": "t", "columns": LONG, "site": "s"})


def portal(count, total=True):
    """Hours back from 03:00 on 1 June, newest first."""

    def page(query):
        start, size = int(query["offset"]), int(query["limit"])
        hours = range(start, min(start + size, count))
        told = [{"t": str(datetime.fromtimestamp(1780282800 - 3600 * hour, UTC)), "v": hour} for hour in hours]
        return records(*told, **({"total": count} if total else {}))

    return Server(datastore_search=page)


OPTIONS = {"base_url": "https://portal.example/api/3/action/", "resource_id": "r1", "time": "t", "columns": LONG}


def test_the_newest_records_are_read_and_reading_ends_two_days_before_the_last_run():
    server = portal(5000)
    (payload,) = ask("ckan", server, secret="k3y", **OPTIONS)
    path, query, headers = server.asked[0]
    assert path == "/api/3/action/datastore_search"
    assert (query["sort"], query["resource_id"], headers["Authorization"]) == ('"t" desc', "r1", "k3y")
    assert len(server.asked) == 1  # 1000 hours reach back far enough
    frame = ckan.parse(payload)
    assert len(frame) == 1000
    assert set(frame["site_id"]) == {"r1"}


@pytest.mark.parametrize("total", [True, False])
def test_a_table_that_cannot_be_sorted_is_read_whole(total):
    server = portal(2500, total)
    (payload,) = ask("ckan", server, sorted=False, **OPTIONS)
    assert len(ckan.parse(payload)) == 2500
    assert [query["offset"] for _, query, _ in server.asked] == ["0", "1000", "2000"]
    assert "sort" not in server.asked[0][1]


def test_a_portal_that_ignores_the_offset_is_asked_twice():
    page = [{"t": "2026-06-01T08:00:00Z", "v": number} for number in range(1000)]
    server = Server(datastore_search=records(*page))
    (payload,) = ask("ckan", server, **OPTIONS)
    assert len(server.asked) == 2
    assert len(ckan.parse(payload)) == 1000


def test_false_with_http_200_is_refused_and_incomplete_options_are_named():
    with pytest.raises(SourceRefused, match="not yours"):
        ask("ckan", Server(datastore_search={"success": False, "error": {"message": "not yours"}}), **OPTIONS)
    for name in ("base_url", "resource_id", "time", "columns"):
        with pytest.raises(ConfigError, match=name):
            ask("ckan", Server(), **{**OPTIONS, name: ""})
