"""TomTom: a closed road has no speed, 9999 seconds are no travel time, and what has ended is no open incident."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors import Payload, tomtom
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused
from tests.connectors.answering import SITES, UNTIL, Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "tomtom"
FLOW = json.loads((RECORDINGS / "error_flow_without_a_time.json").read_text(encoding="utf-8"))["flowSegmentData"]
INCIDENTS = json.loads((RECORDINGS / "incidents.json").read_text(encoding="utf-8"))


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return tomtom.parse(Payload(body=body, name="reply", context=context))


def flow(until=UNTIL, options=None, **edits):
    return parsed({"flowSegmentData": {**FLOW, **edits}}, until=until, site_id="road_01", options=options or {})


def test_a_road_in_the_morning():
    frame = flow()
    assert table(frame) == {
        ("road_closed", "road_01"): 0,
        ("speed", "road_01"): 18,
        ("free_flow_speed", "road_01"): 40,
        ("travel_time", "road_01"): 120,
    }
    assert set(frame["time"]) == {UNTIL}


@pytest.mark.parametrize(
    "told",
    [
        {"roadClosure": True, "currentSpeed": 0, "currentTravelTime": 9999},
        {"roadClosure": True, "currentSpeed": 18, "currentTravelTime": 120},
        {"roadClosure": False, "currentSpeed": 0, "currentTravelTime": 9999},
    ],
)
def test_a_closed_road_is_closed_and_has_neither_speed_nor_travel_time(told):
    assert table(flow(**told)) == {("road_closed", "road_01"): 1}


def test_9999_seconds_are_no_travel_time_and_a_standing_queue_is_a_speed_of_0():
    frame = flow(currentTravelTime=9999).set_index("observed_property")
    assert frame.at["travel_time", "quality"] == "missing"
    assert frame.at["speed", "value"] == 18
    assert table(flow(currentSpeed=0))["speed", "road_01"] == 0


@pytest.mark.parametrize(
    ("confidence", "quality"), [(0.49, "suspect"), (0.5, "not_evaluated"), (None, "not_evaluated")]
)
def test_little_confidence_is_doubt_about_the_moment_and_not_about_the_road(confidence, quality):
    frame = flow(confidence=confidence).set_index("observed_property")["quality"]
    assert (frame["speed"], frame["travel_time"]) == (quality, quality)
    assert (frame["road_closed"], frame["free_flow_speed"]) == ("not_evaluated", "not_evaluated")


def test_the_bound_of_confidence_can_be_set():
    assert flow(confidence=0.6, options={"least_confidence": 0.7})["quality"].tolist().count("suspect") == 2


def test_a_bare_flow_needs_a_time_and_goes_by_its_middle_point():
    with pytest.raises(InputError, match=r"reply: .*--set time="):
        parsed({"flowSegmentData": FLOW})
    frame = parsed({"flowSegmentData": FLOW}, options={"time": "2026-06-01T10:00:00+07:00"})
    assert set(frame["site_id"]) == {"10.521,106.501"}
    assert set(frame["time"]) == {UNTIL}
    local = parsed(
        {"flowSegmentData": FLOW},
        options={"time": "2026-06-01T10:00:00", "site": "a"},
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
    )
    assert set(local["time"]) == {UNTIL}
    assert set(local["site_id"]) == {"a"}


def test_miles_an_hour_are_no_kilometres_an_hour():
    assert table(flow(options={"unit": "MPH"}, currentSpeed=10))["speed", "road_01"] == pytest.approx(16.0934, abs=1e-3)
    with pytest.raises(ConfigError, match="knots"):
        flow(options={"unit": "knots"})


def test_incidents_of_a_file_count_at_its_newest_time():
    frame = parsed(INCIDENTS)
    assert table(frame) == {("open_incidents", "tomtom"): 2}  # a closure told twice, an accident
    assert set(frame["time"].dt.strftime("%H:%M")) == {"02:00"}
    assert parsed({"incidents": []}).empty


def test_incidents_count_by_ward_with_zeros_for_the_wards_that_were_asked_for():
    server = Server(incidentDetails=INCIDENTS)
    (payload,) = ask("tomtom", server, secret="k3y", kind="incidents")
    frame = tomtom.parse(payload)
    assert table(frame) == {
        ("open_incidents", "phuong_1"): 1,  # [longitude, latitude]
        ("open_incidents", "phuong_2"): 0,
        ("open_incidents", "thanh_lam"): 1,  # 20 km from every ward
    }
    assert set(frame["time"]) == {UNTIL}
    ((path, query, _),) = server.asked
    assert path == "/traffic/services/5/incidentDetails"
    west, south, east, north = (float(edge) for edge in query["bbox"].split(","))
    assert (round(west, 2), round(south, 2), round(east, 2), round(north, 2)) == (106.45, 10.46, 106.75, 10.74)
    assert query["timeValidityFilter"] == "present"
    assert "description" not in query["fields"]
    assert "k3y" not in payload.name


def test_a_ward_outside_the_box_is_not_told_to_be_quiet():
    (payload,) = ask(
        "tomtom", Server(incidentDetails={"incidents": []}), kind="incidents", bbox=[106.4, 10.4, 106.6, 10.6]
    )
    assert table(tomtom.parse(payload)) == {("open_incidents", "phuong_1"): 0, ("open_incidents", "thanh_lam"): 0}


@pytest.mark.parametrize("edits", [{"endTime": "2026-06-01T03:00:00Z"}, {"startTime": "2026-06-01T03:01:00Z"},
                                   {"timeValidity": "future"}, {"iconCategory": 6}])  # fmt: skip
def test_over_to_come_or_a_plain_jam_is_no_open_incident(edits):
    def one(**edits):
        incident = {**INCIDENTS["incidents"][0]}
        incident["properties"] = {**incident["properties"], **edits}
        return table(parsed({"incidents": [incident]}, until=UNTIL))

    assert one() == {("open_incidents", "tomtom"): 1}
    assert one(**edits) == {}


def test_each_road_is_asked_at_its_point_and_one_far_from_any_road_costs_itself_only():
    far = json.loads((RECORDINGS / "error_point_too_far.json").read_text(encoding="utf-8"))
    city = SITES.copy()
    city.loc["road_02", ["latitude", "longitude"]] = [10.9, 106.9]

    def answer(query):
        return (400, far) if query["point"].startswith("10.9") else {"flowSegmentData": FLOW}

    server = Server(flowSegmentData=answer)
    (payload,) = ask("tomtom", server, secret="k3y", city=city)
    frame = tomtom.parse(payload)
    assert table(frame)["speed", "road_01"] == 18
    (problem,) = frame.attrs["problems"]
    assert "Point too far" in problem
    assert "k3y" not in problem
    assert [query["point"] for _, query, _ in server.asked] == ["10.521000,106.501000", "10.900000,106.900000"]
    assert {query["unit"] for _, query, _ in server.asked} == {"KMPH"}


def test_roads_without_coordinates_are_left_out_unless_they_were_named():
    server = Server(flowSegmentData={"flowSegmentData": FLOW})
    assert len(ask("tomtom", server)) == 1
    with pytest.raises(ConfigError, match="road_02"):
        ask("tomtom", server, sites=["road_01", "road_02"])
    with pytest.raises(ConfigError, match="any site"):
        ask("tomtom", server, sites=[])


def test_what_a_bare_file_may_be_told_does_not_leak_into_live_answers():
    server = Server(flowSegmentData={"flowSegmentData": FLOW})
    (payload,) = ask("tomtom", server, unit="MPH", time="2020-01-01T00:00:00Z", site="x")
    frame = tomtom.parse(payload)
    assert table(frame)["speed", "road_01"] == 18
    assert set(frame["time"]) == {UNTIL}


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({"detailedError": {"code": "X", "message": "Invalid parameters"}}, SourceRefused, "Invalid parameters"),
        ({"error": "Forbidden"}, SourceRefused, "Forbidden"),
        (b"no healthy upstream", SourceChanged, "broken JSON"),
        (b"<h1>Developer Inactive</h1>", SourceChanged, "HTML"),
        ({"tm": {"poi": []}}, SourceChanged, "version 4"),
        ({"flowSegmentData": {}}, SourceChanged, "currentSpeed"),
        ({"incidents": [{}]}, SourceChanged, "properties"),
        ({"incidents": 7}, SourceChanged, "not a list"),
        ({"a": 1}, SourceChanged, "neither flowSegmentData nor incidents"),
        ([], SourceChanged, "an object is promised"),
    ],
)
def test_other_answers_say_what_they_are(body, error, words):
    with pytest.raises(error, match=f"reply: .*{words}"):
        parsed(body, options={"time": "2026-06-01T10:00:00+07:00"})


def test_incidents_without_any_time_are_not_put_at_an_invented_one():
    with pytest.raises(SourceChanged, match="has a time"):
        parsed({"incidents": [{"properties": {"id": "a"}}]})


def test_wrong_options_are_named():
    for options, words in (
        ({"kind": "tiles"}, "tiles"),
        ({"kind": "incidents", "bbox": [106.6, 10.4, 106.4, 10.6]}, "west, south, east, north"),
        ({"kind": "incidents", "bbox": "106,10,107,11"}, "west, south, east, north"),
    ):
        with pytest.raises(ConfigError, match=words):
            ask("tomtom", Server(), **options)
    with pytest.raises(ConfigError, match="no site has coordinates"):
        ask("tomtom", Server(), city=SITES.assign(latitude=float("nan")), kind="incidents")
