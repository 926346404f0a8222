"""Open-Meteo: a model, whose reply mixes past with forecast, local time with none, and errors with HTTP 200."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import requests

from connectors import FetchRequest, Payload, open_meteo
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable

RECORDINGS = Path(__file__).parent.parent / "recordings" / "open_meteo"
SITES = pd.DataFrame(
    {
        "kind": ["city", "weather_station", "office"],
        "latitude": [10.5, 10.75, float("nan")],
        "longitude": [106.5, 106.75, 1.0],
    },
    index=pd.Index(["thanh_lam", "ga", "mot_cua"], name="site_id"),
)


def recorded(name, **context):
    return Payload(body=(RECORDINGS / name).read_bytes(), name=name, context=context)


def changed(**edits):
    place = json.loads((RECORDINGS / "air_quality.json").read_text())
    del place["current"], place["current_units"]
    for path, value in edits.items():
        block, name = path.split("__")
        place[block][name] = value
    return Payload(body=json.dumps(place).encode(), name="x.json")


def values(frame, site_id, key):
    rows = frame[(frame["site_id"] == site_id) & (frame["observed_property"] == key)]
    return {moment.strftime("%dT%H:%M"): value for moment, value in zip(rows["time"], rows["value"], strict=True)}


def test_local_times_without_offset_become_utc_and_places_take_the_sites_in_order():
    frame = open_meteo.parse(recorded("weather_two_places.json", site_ids=("thanh_lam", "ga"), source="meteo"))
    assert set(frame["source"]) == {"meteo"}
    assert values(frame, "thanh_lam", "wind_speed") == {
        "31T22:00": 1.0,
        "31T23:00": 2.0,
        "01T00:00": 10.0,
        "01T01:00": 5.0,
        "01T02:00": 2.5,
    }
    assert values(frame, "ga", "wind_speed") == {"31T22:00": 4.4704, "31T23:00": 8.9408}  # the second place tells mph


def test_rainfall_is_precipitation_with_its_showers_and_not_rain_alone():
    frame = open_meteo.parse(recorded("weather_two_places.json", site_ids=("thanh_lam", "ga")))
    assert values(frame, "thanh_lam", "rainfall") == {
        "31T22:00": 0.0, "31T23:00": 12.4, "01T00:00": 30.2, "01T01:00": 1.0,
    }  # fmt: skip


def test_nulls_at_the_ends_are_no_observations_but_a_null_inside_is_a_missing_value():
    frame = open_meteo.parse(recorded("weather_two_places.json", site_ids=("thanh_lam", "ga")))
    rows = frame[frame["observed_property"] == "temperature"]
    assert rows["quality"].tolist() == ["not_evaluated", "missing", "not_evaluated"]
    assert rows["value"].iloc[0] == 26.4
    assert pd.isna(rows["value"].iloc[1])
    assert rows["value"].iloc[2] == 28.1


def test_what_lies_after_until_is_a_forecast_and_no_observation():
    until = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
    frame = open_meteo.parse(recorded("weather_two_places.json", site_ids=("thanh_lam", "ga"), until=until))
    assert frame["time"].max() == pd.Timestamp(until)
    assert len(open_meteo.parse(recorded("weather_two_places.json"))) > len(frame)  # a bare file is printed whole


def test_a_bare_file_names_its_places_by_their_coordinates():
    frame = open_meteo.parse(recorded("weather_two_places.json"))
    assert set(frame["site_id"]) == {"10.5,106.5", "10.75,106.75"}


def test_both_micro_signs_and_the_empty_unit_of_an_index_are_understood():
    frame = open_meteo.parse(recorded("air_quality.json", site_ids=("a",)))
    assert values(frame, "a", "pm25") == {"01T02:00": 39.0, "01T03:00": 41.0}  # hourly is believed before current
    assert values(frame, "a", "uv_index") == {"01T03:00": 7.25}
    assert values(frame, "a", "co") == {"01T02:00": 310.0, "01T03:00": 305.0}


def test_the_discharge_of_a_day_is_labelled_with_its_end():
    frame = open_meteo.parse(recorded("flood_daily.json", site_ids=("song",)))
    assert values(frame, "song", "river_discharge") == {"01T00:00": 812.5, "02T00:00": 830.0}


def test_rain_of_an_hour_and_of_its_quarters_is_not_counted_twice():
    place = {
        "latitude": 1,
        "longitude": 2,
        "utc_offset_seconds": 0,
        "minutely_15_units": {"time": "iso8601", "precipitation": "mm", "temperature_2m": "°F"},
        "minutely_15": {
            "time": ["2026-06-01T00:45", "2026-06-01T01:00"],
            "precipitation": [1, 2],
            "temperature_2m": [50, 59],
        },
        "hourly_units": {"time": "iso8601", "precipitation": "inch"},
        "hourly": {"time": ["2026-06-01T01:00"], "precipitation": [0.5]},
        "daily_units": {"time": "iso8601", "temperature_2m": "°C"},
        "daily": {"time": ["2026-06-01"], "temperature_2m": [33.0]},
    }
    frame = open_meteo.parse(Payload(body=json.dumps(place).encode(), context={"site_ids": ("a",)}))
    assert values(frame, "a", "rainfall") == {"01T01:00": 12.7}
    assert values(frame, "a", "temperature") == {"01T00:45": 10.0, "01T01:00": 15.0}  # and no daily value among them


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"hourly_units__pm2_5": "undefined"}, "undefined"),
        ({"hourly_units__pm2_5": "mm"}, "mm"),
        ({"hourly__pm2_5": [1.0]}, "1 values for 2 times"),
        ({"hourly__pm2_5": ["a", "b"]}, "no number"),
        ({"hourly_units__time": "unixtime"}, "unixtime"),
        ({"hourly__time": ["x", "y"]}, "place 1"),
    ],
)
def test_a_changed_reply_is_said_to_be_changed(edits, words):
    with pytest.raises(SourceChanged, match=words):
        open_meteo.parse(changed(**edits))


def test_a_column_of_nulls_with_an_undefined_unit_does_no_harm():
    frame = open_meteo.parse(changed(hourly__pm2_5=[None, None], hourly_units__pm2_5="undefined"))
    assert set(frame["observed_property"]) == {"co"}


def test_the_limit_tells_its_wait_in_words_only():
    with pytest.raises(SourceUnavailable, match="one minute") as caught:
        open_meteo.parse(recorded("error_limit.json"))
    assert caught.value.retry_after_s == 60
    for words, wait_s in (("Hourly … limit exceeded … next hour", 3600), ("Daily … limit exceeded … tomorrow", 86400)):
        with pytest.raises(SourceUnavailable) as caught:
            open_meteo.parse(Payload(body=json.dumps({"error": True, "reason": words}).encode()))
        assert caught.value.retry_after_s == wait_s


def test_an_error_with_http_200_is_a_refusal_in_the_service_s_own_words():
    with pytest.raises(SourceRefused, match="pm99"):
        open_meteo.parse(Payload(body=b'{"error": true, "reason": "invalid value pm99"}'))


def test_a_place_that_was_not_asked_for_is_noticed():
    with pytest.raises(SourceChanged, match="3 places were asked for, 2 came back"):
        open_meteo.parse(recorded("weather_two_places.json", site_ids=("a", "b", "c")))


def test_a_place_search_holds_no_observations():
    with pytest.raises(SourceChanged, match="no observations"):
        open_meteo.parse(Payload(body=b'{"results": [{"name": "Thanh Lam"}]}'))


class Scripted(requests.adapters.BaseAdapter):
    """Answers every request with one recording and keeps the addresses."""

    def __init__(self, body, status=200):
        super().__init__()
        self.body, self.status, self.asked = body, status, []

    def send(self, request, **_):
        self.asked.append(request.url)
        reply = requests.Response()
        reply.status_code, reply.raw, reply.url, reply.request = (
            self.status,
            io.BytesIO(self.body),
            request.url,
            request,
        )
        return reply

    def close(self):
        pass


def ask(adapter, secret=None, **options):
    http = requests.Session()
    http.mount("https://", adapter)
    request = FetchRequest(
        source="meteo",
        since=datetime(2026, 5, 30, 5, tzinfo=UTC),
        until=datetime(2026, 6, 1, 0, 30, tzinfo=UTC),
        sites=SITES,
        city_site="thanh_lam",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        options=options,
        secret=secret,
    )
    return open_meteo.fetch(http, request)


def test_fetch_asks_for_past_and_present_hours_of_the_sites_in_one_call():
    adapter = Scripted((RECORDINGS / "weather_two_places.json").read_bytes())
    (payload,) = ask(adapter, sites=["thanh_lam", "ga"])
    (asked,) = adapter.asked
    query = parse_qs(urlsplit(asked).query)
    assert asked.startswith("https://api.open-meteo.com/v1/forecast?")
    assert query["latitude"] == ["10.5000,10.7500"]
    assert query["longitude"] == ["106.5000,106.7500"]
    assert query["past_days"] == ["2"]
    assert query["forecast_days"] == ["1"]
    assert query["timezone"] == ["GMT"]
    assert "precipitation" in query["hourly"][0].split(",")
    assert "rain" not in query["hourly"][0].split(",")
    frame = open_meteo.parse(payload)
    assert set(frame["site_id"]) == {"thanh_lam", "ga"}
    assert frame["time"].max() <= pd.Timestamp("2026-06-01T00:30Z")


def test_flood_is_asked_by_day_from_the_flood_service_with_the_customer_s_key():
    adapter = Scripted((RECORDINGS / "flood_daily.json").read_bytes())
    (payload,) = ask(adapter, kind="flood", base_url="https://customer-flood-api.open-meteo.com/", secret="k3y")
    assert adapter.asked[0].startswith("https://customer-flood-api.open-meteo.com/v1/flood?daily=river_discharge&")
    assert "apikey=k3y" in adapter.asked[0]
    assert "k3y" not in payload.name
    # the day of 1 June has not ended: its mean is a forecast
    assert values(open_meteo.parse(payload), "thanh_lam", "river_discharge") == {"01T00:00": 812.5}


def test_the_wait_of_a_429_comes_from_its_words_without_waiting_for_it():
    with pytest.raises(SourceUnavailable) as caught:
        ask(Scripted(b'{"error": true, "reason": "Hourly API request limit exceeded. Try in the next hour."}', 429))
    assert caught.value.retry_after_s == 3600


@pytest.mark.parametrize(
    ("options", "words"), [({"kind": "sea"}, "sea"), ({"sites": ["mot_cua"]}, "mot_cua"), ({"sites": []}, "any site")]
)
def test_a_wrong_option_is_named(options, words):
    with pytest.raises(ConfigError, match=words):
        ask(Scripted(b"{}"), **options)
