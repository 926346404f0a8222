"""WAQI: off until somebody may keep the data, and its numbers are indices on the scale of another country."""

import json
import math
from pathlib import Path

import pytest

from connectors import Payload, waqi
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused, SourceUnavailable
from tests.connectors.answering import Server, ask

RECORDINGS = Path(__file__).parent.parent / "recordings" / "waqi"
FEED = json.loads((RECORDINGS / "feed.json").read_text(encoding="utf-8"))


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return waqi.parse(Payload(body=body, name="reply", context=context))


def edited(**edits):
    return {"status": "ok", "data": {**FEED["data"], **edits}}


def test_a_sub_index_is_never_a_concentration_and_weather_and_forecast_are_left_out():
    frame = parsed(FEED)
    assert dict(zip(frame["observed_property"], frame["value"], strict=True)) == {
        "us_aqi": 87.0, "us_aqi_pm25": 87.0, "us_aqi_o3": 12.4,
    }  # fmt: skip
    assert set(frame["time"].dt.strftime("%Y-%m-%dT%H:%M")) == {"2026-06-01T03:00"}
    assert set(frame["site_id"]) == {"Thanh Lâm, Vietnam"}


def test_a_dash_is_missing_and_a_station_without_a_time_gives_no_row():
    dash = parsed(edited(aqi="-")).set_index("observed_property")
    assert math.isnan(dash.at["us_aqi", "value"])
    assert dash.at["us_aqi", "quality"] == "missing"
    assert dash.at["us_aqi_pm25", "value"] == 87
    assert waqi.parse(Payload(body=(RECORDINGS / "dead_station.json").read_bytes())).empty


def test_the_epoch_of_a_feed_is_a_lie_and_the_local_text_with_its_offset_is_not():
    local = {"s": "2026-06-01 10:00:00", "tz": "+07:00", "v": 1780308000}  # v says 10:00 UTC
    assert set(parsed(edited(time=local))["time"].dt.strftime("%H:%M")) == {"03:00"}
    assert parsed(edited(time={"v": 1780308000})).empty
    with pytest.raises(InputError, match=r"reply: .*no offset"):
        parsed(edited(time={"iso": "2026-06-01T10:00:00"}))


def test_a_search_and_a_map_give_texts_for_numbers():
    found = json.loads((RECORDINGS / "search.json").read_text(encoding="utf-8"))
    frame = parsed(found, options={"sites": {"5003": "air_03"}})
    assert list(frame["site_id"]) == ["Thanh Lâm", "air_03"]
    assert frame["value"].tolist()[0] == 87
    assert frame["quality"].tolist() == ["not_evaluated", "missing"]
    on_map = {"uid": 1, "aqi": "42", "station": {"name": "A", "time": "2026-06-01T10:00:00+07:00"}}
    assert parsed({"status": "ok", "data": [on_map]})["value"].tolist() == [42]
    assert parsed({"status": "ok", "data": []}).empty


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({"status": "error", "data": "Unknown station"}, SourceRefused, "Unknown station"),
        ({"status": "error", "data": "Over quota"}, SourceUnavailable, "Over quota"),
        ({"status": "nope", "data": "can not connect"}, SourceUnavailable, "can not connect"),
        ({"status": "ok", "data": "text"}, SourceChanged, "not a list of objects"),
        ({"status": "ok", "data": {"idx": 1}}, SourceChanged, "no `aqi`"),
        ({"status": "ok", "data": {"aqi": 1, "time": 3}}, SourceChanged, "another shape"),
        ({"error": 1}, SourceChanged, "no WAQI reply"),
    ],
)
def test_an_error_with_http_200_is_an_error(body, error, words):
    with pytest.raises(error, match=words):
        parsed(body)


@pytest.mark.parametrize(
    "said", [{}, {"licence_accepted": False}, {"licence_accepted": "true"}, {"licence_accepted": 1}]
)
def test_nothing_is_asked_before_the_licence_is_accepted_in_so_many_words(said):
    server = Server(feed=FEED)
    with pytest.raises(ConfigError, match="licence_accepted = true"):
        ask("waqi", server, sites={"5001": "air_01"}, **said)
    assert server.asked == []


def test_stations_are_asked_by_their_number_and_the_token_is_in_no_name():
    server = Server(feed=FEED)
    payloads = ask("waqi", server, secret="t0ken", licence_accepted=True, sites={"5001": "air_01", "@5009": "air_02"})
    assert [(path, query["token"]) for path, query, _ in server.asked] == [
        ("/feed/@5001/", "t0ken"), ("/feed/@5009/", "t0ken"),
    ]  # fmt: skip
    assert [set(waqi.parse(payload)["site_id"]) for payload in payloads] == [{"air_01"}, {"air_02"}]
    assert "t0ken" not in str([payload.name for payload in payloads])
    with pytest.raises(ConfigError, match="sites"):
        ask("waqi", server, licence_accepted=True)
