"""NGSI: a broker's entities in every form give the same observations; counts become rates, parts of one become %."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors import Payload, ngsi
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused
from tests.connectors.answering import Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "ngsi"
FIVE = "2026-06-01T00:00:00Z/2026-06-01T00:05:00Z"
NOON = "2026-06-01T05:00:00Z"


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return ngsi.parse(Payload(body=body, name="reply", context=context))


def recorded(name, **context):
    return parsed((RECORDINGS / name).read_bytes(), **context)


def flow(**attributes):
    return {"id": "f", "type": "TrafficFlowObserved", "dateObserved": FIVE, **attributes}


def air(**attributes):
    return {"id": "a", "type": "AirQualityObserved", "dateObserved": NOON, **attributes}


def test_vehicles_of_five_minutes_become_vehicles_per_hour_and_lanes_of_one_site_one_flow():
    frame = recorded("traffic_v2.json", options={"sites": {"Cầu 1": "cau_1"}})
    assert table(frame) == {
        ("traffic_flow", "cau_1"): 960,  # (60 + 20) vehicles in 5 minutes
        ("speed", "cau_1"): 42,  # 60 at 36 km/h (10 m/s), 20 at 60 km/h
        ("occupancy", "cau_1"): 15,
    }
    assert set(frame["time"]) == {datetime(2026, 6, 1, 0, 5, tzinfo=UTC)}


def test_lanes_without_a_common_site_stay_apart():
    assert table(recorded("traffic_v2.json"))["traffic_flow", "flow:cau-1:lane-1"] == 720


@pytest.mark.parametrize(
    "told",
    [
        {"dateObserved": FIVE},
        {"dateObserved": "2026-06-01T00:00:00Z/PT5M"},
        {"dateObserved": "x", "dateObservedFrom": "2026-06-01T00:00:00Z", "dateObservedTo": "2026-06-01T00:05:00Z"},
    ],
)
def test_every_way_to_say_five_minutes(told):
    frame = parsed({**flow(intensity=10), **told})
    assert (frame["observed_property"][0], frame["value"][0]) == ("traffic_flow", 120)
    assert frame["time"][0] == datetime(2026, 6, 1, 0, 5, tzinfo=UTC)


def test_a_count_without_an_interval_is_no_flow_unless_the_options_say_how_long():
    bare = flow(intensity=10, dateObserved=NOON)
    assert table(parsed(bare)) == {("ngsi:intensity", "f"): 10}
    assert table(parsed(bare, options={"interval_min": 15})) == {("traffic_flow", "f"): 40}
    backwards = flow(intensity=10, dateObserved="2026-06-01T00:05:00Z/2026-06-01T00:00:00Z")
    assert table(parsed(backwards)) == {("ngsi:intensity", "f"): 10}


def test_where_no_vehicle_came_there_is_no_speed():
    frame = parsed(flow(intensity=0, averageVehicleSpeed=0)).set_index("observed_property")
    assert frame.at["traffic_flow", "value"] == 0
    assert frame.at["speed", "quality"] == "missing"
    standing = parsed(flow(intensity=3, averageVehicleSpeed=0)).set_index("observed_property")
    assert standing.at["speed", "value"] == 0  # a queue that does not move
    assert parsed(flow(averageVehicleSpeed=-1))["quality"][0] == "missing"


def test_a_lane_without_a_count_makes_the_sum_missing_and_not_smaller():
    lanes = [flow(intensity=10), flow(id="g", intensity=None)]
    frame = parsed(lanes, options={"sites": {"f": "cau", "g": "cau"}})
    assert frame["quality"].tolist() == ["missing"]


def test_units_of_the_broker_lead_to_those_of_the_catalogue():
    frame = recorded("air_ld.jsonld", options={"sites": {"Trạm Ga": "air_01"}})
    assert table(frame.dropna()) == {
        ("pm25", "air_01"): 48.5,
        ("co", "air_01"): 900,  # 0.9 mg/m3
        ("o3", "air_01"): pytest.approx(40.18),  # 20,5 ppb
        ("relative_humidity", "air_01"): 85,
        ("temperature", "air_01"): 30,
    }
    times = frame.set_index("observed_property")["time"]
    assert times["o3"] == datetime(2026, 6, 1, 1, 30, tzinfo=UTC)  # its own observedAt
    assert times["pm25"] == datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    assert frame.loc[frame["value"].isna(), "observed_property"].tolist() == ["so2"]


def test_a_concentration_without_a_unit_cannot_pass_for_one():
    assert table(parsed(air(pm25=48.5))) == {("ngsi:pm25", "a"): 48.5}
    assert table(parsed(air(pm25=48.5), options={"units": {"pm25": "GQ"}})) == {("pm25", "a"): 48.5}
    with pytest.raises(SourceChanged, match="XYZ"):
        parsed(air(pm25={"value": 48.5, "unitCode": "XYZ"}))


def test_a_humidity_of_54_is_not_guessed():
    with pytest.raises(SourceChanged, match="0 to 1"):
        parsed(air(relativeHumidity=54))
    assert table(parsed(air(relativeHumidity=54), options={"units": {"relativeHumidity": "P1"}})) == {
        ("relative_humidity", "a"): 54
    }
    coded = air(relativeHumidity={"value": 0.54, "unitCode": "C62"})
    assert table(parsed(coded)) == {("relative_humidity", "a"): 54}


def test_a_temporal_reply_gives_every_instance_with_its_own_time():
    frame = recorded("temporal_ld.json")
    told = list(zip(frame["observed_property"], frame["time"].dt.strftime("%H:%M"), frame["value"], strict=True))
    assert told == [
        ("water_ph", "00:00", 7.1),
        ("water_ph", "01:00", 7.3),
        ("conductivity", "00:00", 500),  # 0.05 S/m
        ("noise_level", "00:10", 67.8),  # expanded JSON-LD
    ]


def test_weather_in_keyvalues_has_the_units_of_the_model():
    frame = recorded("weather_keyvalues.json")
    assert table(frame) == {
        ("temperature", "w1"): 31.5,
        ("relative_humidity", "w1"): 72,
        ("wind_speed", "w1"): 2.5,
        ("rainfall", "w1"): 3.2,
        ("pressure", "w1"): 1002.5,
        ("river_level", "w1"): 4.12,
    }
    assert set(frame["time"]) == {datetime(2026, 6, 1, 0, 10, tzinfo=UTC)}


def test_csv_and_geojson_are_entities_too():
    assert table(recorded("air_v2.csv")) == {("no2", "s1"): 40}
    feature = {
        "id": "g",
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [106.2, 21.3]},
        "properties": {"type": "AirQualityObserved", "dateObserved": NOON, "NO2": {"value": 40, "unitCode": "GQ"}},
    }
    assert table(parsed({"type": "FeatureCollection", "features": [feature]})) == {("no2", "g"): 40}
    with pytest.raises(SourceChanged, match="id_"):
        parsed(b'"id_", "name_"\n"1", "x"\n')


def test_water_has_a_temperature_of_its_own():
    water = {"id": "w", "type": "WaterQualityObserved", "dateObserved": NOON, "temperature": 27, "O2": 6.5}
    assert table(parsed(water)) == {("water_temperature", "w"): 27, ("dissolved_oxygen", "w"): 6.5}


def test_forecasts_beside_observations_are_left_out_and_alone_are_refused():
    forecast = {"id": "x", "type": "AirQualityForecast", "temperature": 99}
    assert table(parsed([forecast, air(temperature=20)])) == {("temperature", "a"): 20}
    with pytest.raises(SourceChanged, match="forecasts"):
        recorded("error_forecast.json")


def test_boats_are_no_traffic():
    with pytest.raises(SourceChanged, match="ItemFlowObserved"):
        parsed({**flow(intensity=12), "type": "ItemFlowObserved"})


def test_entities_without_values_are_an_error_and_an_empty_list_is_none():
    with pytest.raises(SourceChanged, match="without any value"):
        parsed([{"id": "a", "type": "AirQualityObserved", "@context": []}])
    assert recorded("empty.json").empty


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ({"error": "NotFound", "description": "no such entity"}, SourceRefused, "no such entity"),
        ({"type": "https://uri/x", "title": "Bad", "detail": "no attribute", "status": 400}, SourceRefused, "no attr"),
        ({"hello": 1}, SourceChanged, "no id"),
        ([1], SourceChanged, "entity"),
        (air(pm25={"value": 1, "unitCode": "GQ"}, dateObserved=None), SourceChanged, "not one time"),
        (air(temperature=1, dateObserved="2026-06-01T00:00:00"), InputError, "--zone"),
    ],
)
def test_what_is_no_observation_says_so(reply, error, words):
    with pytest.raises(error, match=words):
        parsed(reply)


def test_a_time_without_offset_is_that_of_the_zone():
    frame = parsed(air(temperature=1, dateObserved="2026-06-01T07:00:00"), zone=ZoneInfo("Asia/Ho_Chi_Minh"))
    assert frame["time"][0] == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_station_that_the_options_do_not_list_is_left_out():
    assert parsed(air(temperature=1), options={"sites": {"other": "air_01"}}).empty
    named = air(temperature=1, refDevice={"type": "Relationship", "object": "urn:ngsi-ld:Device:7"})
    frame = parsed(named, options={"sites": {"urn:ngsi-ld:Device:7": "air_01"}})
    assert table(frame) == {("temperature", "air_01"): 1}


def test_all_pages_of_a_type_are_asked_for_in_the_normalized_form_and_the_secret_stays_in_a_header():
    def page(query):
        start = int(query["offset"])
        return [air(id=f"s{number}", temperature=number) for number in range(start, min(start + 100, 150))]

    server = Server(entities=page)
    options = {"base_url": "https://broker.example/v2", "types": ["AirQualityObserved"], "tenant": "tl"}
    (payload,) = ask("ngsi", server, secret="k3y", **options)
    assert len(ngsi.parse(payload)) == 150
    path, query, headers = server.asked[1]
    assert (path, query["type"], query["options"]) == ("/v2/entities", "AirQualityObserved", "normalized")
    assert (headers["Authorization"], headers["Fiware-Service"]) == ("Bearer k3y", "tl")
    assert len(server.asked) == 2


def test_a_broker_that_ignores_the_offset_is_asked_twice():
    server = Server(entities=lambda query: [air(id=f"s{number}", temperature=1) for number in range(100)])
    (payload,) = ask("ngsi", server, base_url="https://broker.example/v2", types=["AirQualityObserved"])
    assert len(ngsi.parse(payload)) == 100
    assert len(server.asked) == 2


def test_history_is_asked_by_time_where_the_option_says_so():
    server = Server(temporal=[])
    options = {"base_url": "https://broker.example/ngsi-ld/v1", "types": ["NoiseLevelObserved"], "temporal": True}
    (payload,) = ask("ngsi", server, tenant="tl", **options)
    assert ngsi.parse(payload).empty
    path, query, headers = server.asked[0]
    assert path == "/ngsi-ld/v1/temporal/entities"
    assert (query["timerel"], query["timeAt"], query["endTimeAt"]) == (
        "between",
        "2026-05-31T19:00:00Z",
        "2026-06-01T03:00:00Z",
    )
    assert headers["NGSILD-Tenant"] == "tl"


def test_an_error_body_with_http_200_is_an_error():
    with pytest.raises(SourceRefused, match="limit"):
        ask("ngsi", Server(entities={"error": "BadRequest", "description": "Bad pagination limit"}),
            base_url="https://broker.example/v2", types=["AirQualityObserved"])  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"types": ["AirQualityObserved"]}, "base_url"),
        ({"base_url": "https://broker.example/v2"}, "types"),
        ({"base_url": "https://broker.example/v2", "types": ["AirQualityForecast"]}, "AirQualityForecast"),
    ],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(ConfigError, match=words):
        ask("ngsi", Server(), **options)


def test_the_end_that_is_told_apart_goes_before_a_label_without_offset():
    told = air(temperature=1, dateObserved="2026-06-01T05:00:00", dateObservedTo="2026-06-01T05:10:00Z")
    assert parsed(told)["time"][0] == datetime(2026, 6, 1, 5, 10, tzinfo=UTC)
