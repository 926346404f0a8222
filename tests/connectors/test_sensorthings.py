"""SensorThings: free names, results as text, intervals, pages that lead on; and a server that sorts badly."""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import requests

from connectors import FetchRequest, Payload, sensorthings, session
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused

RECORDINGS = Path(__file__).parent.parent / "recordings" / "sensorthings"
BASE = "https://sta.example/v1.1"


def recorded(name, **context):
    return Payload(body=(RECORDINGS / name).read_bytes(), name=name, context=context)


def one(result=5, **edits):
    stream = {
        "@iot.id": 1,
        "name": "PM10 - Cho",
        "unitOfMeasurement": {"symbol": "ug/m3"},
        "Thing": {"@iot.id": 9, "name": "Cho"},
        "Observations": [{"phenomenonTime": "2026-06-01T00:00:00Z", "result": result}],
        **edits,
    }
    return json.dumps(stream).encode()


def test_text_results_become_numbers_in_the_unit_of_the_catalogue_and_words_a_missing_value():
    frame = sensorthings.parse(recorded("datastreams.json", options={"sites": {"3": "ga"}}))
    no2 = frame[frame["observed_property"] == "no2"]
    assert no2["site_id"].tolist() == ["ga", "ga"]
    assert no2["value"].iloc[0] == pytest.approx(20 * 1.88)  # ppb
    assert pd.isna(no2["value"].iloc[1])
    assert no2["quality"].iloc[1] == "missing"


def test_an_interval_is_labelled_with_its_end():
    frame = sensorthings.parse(recorded("datastreams.json"))
    assert frame["time"].iloc[0] == pd.Timestamp("2026-05-31T23:00Z")  # 06:00 in Viet Nam


def test_a_server_that_labels_with_the_start_is_put_right_by_an_option_but_intervals_are_left_alone():
    frame = sensorthings.parse(recorded("datastreams.json", options={"start_label_min": 60}))
    assert frame["time"].tolist()[:2] == [pd.Timestamp("2026-05-31T23:00Z"), pd.Timestamp("2026-06-01T01:00Z")]


def test_an_unknown_name_keeps_its_own_and_cannot_pass_for_a_property_of_the_catalogue():
    frame = sensorthings.parse(recorded("datastreams.json"))
    assert "sensorthings:Soil moisture" in set(frame["observed_property"])
    lookalike = one(name="Speed", unitOfMeasurement={"symbol": "rpm"})
    assert sensorthings.parse(Payload(body=lookalike))["observed_property"].tolist() == ["sensorthings:Speed"]


def test_bare_observations_are_rows_of_an_unnamed_result_until_somebody_names_it():
    frame = sensorthings.parse(recorded("observations.json"))
    assert set(frame["observed_property"]) == {"sensorthings:result"}
    assert set(frame["site_id"]) == {"observations"}
    named = sensorthings.parse(recorded("observations.json", options={"property": "no2", "unit": "ppb", "site": "ga"}))
    assert named["value"].tolist() == pytest.approx([31.5 * 1.88, 33 * 1.88])
    assert set(named["site_id"]) == {"ga"}


def test_the_options_name_a_property_that_the_house_would_not_guess():
    frame = sensorthings.parse(
        Payload(body=one(name="kenh 4"), context={"options": {"properties": {"kenh 4": "pm25"}}})
    )
    assert frame["observed_property"].tolist() == ["pm25"]
    with pytest.raises(ConfigError, match="pm99"):
        sensorthings.parse(Payload(body=one(name="kenh 4"), context={"options": {"properties": {"kenh 4": "pm99"}}}))


def test_things_with_their_datastreams_are_read_too_and_the_name_of_the_thing_is_the_site():
    thing = {"value": [{"@iot.id": 9, "name": "Cho", "Datastreams": [{**json.loads(one()), "Thing": {}}]}]}
    del thing["value"][0]["Datastreams"][0]["Thing"]
    assert sensorthings.parse(Payload(body=json.dumps(thing).encode()))["site_id"].tolist() == ["Cho"]


def test_a_unit_is_found_in_symbol_name_or_definition_and_an_unknown_one_is_named():
    unit = {"symbol": "?", "name": "odd", "definition": "http://unitsofmeasure.org/ucum.html#mg/m3"}
    assert sensorthings.parse(Payload(body=one(unitOfMeasurement=unit)))["value"].tolist() == [5000.0]
    with pytest.raises(SourceChanged, match="furlong"):
        sensorthings.parse(Payload(body=one(unitOfMeasurement={"symbol": "furlong"})))


@pytest.mark.parametrize("result", [None, "", "NaN", True, [1], {"a": 1}, 10**400])
def test_a_result_that_is_no_number_is_missing_and_never_0(result):
    frame = sensorthings.parse(Payload(body=one(result=result)))
    assert frame["quality"].tolist() == ["missing"]


def test_a_time_without_offset_needs_a_zone():
    body = b'{"phenomenonTime": "2026-06-01T07:00:00", "result": 1}'
    with pytest.raises(InputError, match="--zone"):
        sensorthings.parse(Payload(body=body))
    frame = sensorthings.parse(Payload(body=body, context={"zone": ZoneInfo("Asia/Ho_Chi_Minh")}))
    assert frame["time"].tolist() == [pd.Timestamp("2026-06-01T00:00Z")]


@pytest.mark.parametrize("body", [b'{"detail": "Bad request"}', b'{"code": 404, "message": "No such entity"}'])
def test_both_shapes_of_an_error_are_a_refusal(body):
    with pytest.raises(SourceRefused, match=r"Bad request|No such entity"):
        sensorthings.parse(Payload(body=body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"value": [{"name": "Things", "url": "u"}]}',
        b'{"value": [{"@iot.id": 1, "name": "Cho", "Datastreams": [{}]}]}',
    ],
)
def test_a_service_root_and_things_alone_hold_no_observations_but_an_empty_list_is_a_valid_answer(body):
    with pytest.raises(SourceChanged, match="no observations"):
        sensorthings.parse(Payload(body=body))
    assert sensorthings.parse(recorded("nothing_new.json")).empty


class Server(requests.adapters.BaseAdapter):
    """One thing, three datastreams, and pages of two observations, where the last of a page comes again on the next."""

    def __init__(self, next_base=BASE):
        super().__init__()
        self.next_base, self.asked = next_base, []

    def send(self, request, **_):
        url = urlsplit(request.url)
        query = {name: each[0] for name, each in parse_qs(url.query).items()}
        self.asked.append((url.path, query, request.headers.get("Authorization")))
        reply = requests.Response()
        reply.status_code, reply.url, reply.request = 200, request.url, request
        reply.raw = io.BytesIO(json.dumps(self.answer(url.path, query)).encode())
        return reply

    def answer(self, path, query):
        if path == "/v1.1/Datastreams":
            units = {"unitOfMeasurement": {"symbol": "ug/m3"}}
            here, there = {"@iot.id": "t'1", "name": "Cho"}, {"@iot.id": "t2", "name": "elsewhere"}
            streams = [("d'1", "PM10", here), (2, "Wind rose", here), (3, "PM10", there)]
            return {"value": [{"@iot.id": key, "name": name, "Thing": thing, **units} for key, name, thing in streams]}
        assert path == "/v1.1/Datastreams('d''1')/Observations"
        told = [{"phenomenonTime": f"2026-06-01T0{hour}:00:00Z", "result": hour} for hour in (4, 3, 3, 2, 1)]
        skip = int(query.get("$skip", 0))
        page = {"value": told[skip : skip + 2]}
        if skip + 2 < len(told):
            page["@iot.nextLink"] = f"{self.next_base}{path.removeprefix('/v1.1')}?$skip={skip + 2}"
        return page

    def close(self):
        pass


def ask(server, secret=None, **options):
    http = session()
    http.pace.sleep = lambda seconds: None
    http.mount("https://", server)
    request = FetchRequest(
        source="stations",
        since=datetime(2026, 6, 1, tzinfo=UTC),
        until=datetime(2026, 6, 1, 6, tzinfo=UTC),
        sites=pd.DataFrame(),
        city_site="c",
        zone=ZoneInfo("UTC"),
        options=options,
        secret=secret,
    )
    return sensorthings.fetch(http, request)


def test_fetch_follows_the_pages_to_the_end_sorts_by_result_time_and_counts_repeats_once():
    server = Server()
    (payload,) = ask(server, base_url=BASE + "/", sites={"Cho": "cho"}, secret="t0ken")
    frame = sensorthings.parse(payload)
    assert frame["value"].tolist() == [1, 2, 3, 4]
    assert set(frame["site_id"]) == {"cho"}
    assert set(frame["source"]) == {"stations"}
    _, query, authorization = server.asked[1]
    assert query["$orderby"] == "resultTime desc"
    assert "$top" not in query
    assert query["$filter"] == "phenomenonTime gt 2026-05-31T00:00:00Z and phenomenonTime le 2026-06-01T06:00:00Z"
    assert authorization == "Bearer t0ken"
    assert len(server.asked) == 4


def test_the_next_page_on_another_host_or_in_a_circle_is_not_followed():
    with pytest.raises(SourceRefused, match="another host"):
        ask(Server(next_base="https://inside:8080"), base_url=BASE, sites={"Cho": "cho"})

    class Circle(Server):
        def answer(self, path, query):
            return {"value": [], "@iot.nextLink": BASE + "/Datastreams?$skip=2"}

    with pytest.raises(SourceChanged, match="do not end"):
        ask(Circle(), base_url=BASE)


def test_options_that_fit_nothing_are_told_and_a_missing_address_too():
    with pytest.raises(ConfigError, match="no datastream of 3"):
        ask(Server(), base_url=BASE, sites={"Nha ga": "ga"})
    with pytest.raises(ConfigError, match="base_url"):
        ask(Server())


def test_an_option_sites_that_is_no_table_is_told_as_such():
    with pytest.raises(ConfigError, match="sites is no table"):
        ask(Server(), base_url=BASE, sites=["Cho"])


@pytest.mark.skipif("CITY_TEST_SENSORTHINGS" not in os.environ, reason="CITY_TEST_SENSORTHINGS names no running server")
def test_a_real_server_gives_every_hour_once():
    request = FetchRequest(
        source="gate",
        since=datetime(2018, 1, 2, tzinfo=UTC),
        until=datetime(2018, 1, 8, tzinfo=UTC),
        sites=pd.DataFrame(),
        city_site="c",
        zone=ZoneInfo("UTC"),
        options={"base_url": os.environ["CITY_TEST_SENSORTHINGS"]},
    )
    (payload,) = sensorthings.fetch(session(), request)
    frame = sensorthings.parse(payload)
    assert len(frame) > 100
    assert frame["time"].is_unique
    assert frame["time"].is_monotonic_increasing
    assert set(frame["observed_property"]) == {"pm25"}
    assert set(frame["site_id"]) == {"Hanoi US Embassy"}
