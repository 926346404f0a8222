"""HERE: metres per second, jam factor 10, and confidence that is none."""

import json
from pathlib import Path

import pytest

from connectors import Payload, here
from core.errors import ConfigError, SourceChanged, SourceRefused
from tests.connectors.answering import SITES, UNTIL, Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "here"
FLOW = json.loads((RECORDINGS / "flow.json").read_text(encoding="utf-8"))
INCIDENTS = json.loads((RECORDINGS / "incidents.json").read_text(encoding="utf-8"))


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return here.parse(Payload(body=body, name="reply", context=context))


def one(**edits):
    told = {"speed": 10.0, "freeFlow": 15.0, "jamFactor": 2.0, "confidence": 0.95, "traversability": "open", **edits}
    return {
        "results": [{"location": {"description": "A"}, "currentFlow": told}],
        "sourceUpdated": "2026-06-01T03:00:00Z",
    }


def test_flow_of_a_box():
    frame = parsed(FLOW)
    assert table(frame) == {
        ("road_closed", "Phố Chợ"): 0,
        ("speed", "Phố Chợ"): 24,  # a kilometre at 36 and one at 18 km/h
        ("free_flow_speed", "Phố Chợ"): 54,
        ("jam_factor", "Phố Chợ"): 4,
        ("road_closed", "Cầu Mới"): 1,
        ("road_closed", "10.7,106.7"): 0,  # a road without a name
        ("speed", "10.7,106.7"): 0,  # 0 m/s on an open road is a value
        ("free_flow_speed", "10.7,106.7"): 28.8,
        ("jam_factor", "10.7,106.7"): 9.9,
    }
    assert set(frame["time"]) == {UNTIL}


@pytest.mark.parametrize("told", [{"jamFactor": 10.0}, {"traversability": "closed"}])
def test_jam_factor_10_and_closed_are_a_closed_road_and_no_speed(told):
    assert table(parsed(one(**told))) == {("road_closed", "A"): 1}
    assert ("speed", "A") in table(parsed(one(jamFactor=9.99)))


def test_a_lane_that_runs_the_other_way_is_not_closed():
    assert parsed(one(jamFactor=10.0, traversability="reversibleNotRoutable")).empty


@pytest.mark.parametrize(
    ("confidence", "quality"), [(0.7, "suspect"), (0.71, "not_evaluated"), (None, "not_evaluated")]
)
def test_history_and_speed_limits_are_no_measurement(confidence, quality):
    frame = parsed(one(confidence=confidence)).set_index("observed_property")["quality"]
    assert (frame["speed"], frame["jam_factor"]) == (quality, quality)
    assert (frame["road_closed"], frame["free_flow_speed"]) == ("not_evaluated", "not_evaluated")


def test_an_open_road_without_a_speed_is_missing_and_not_0():
    frame = parsed(one(speed=None)).set_index("observed_property")
    assert frame.at["speed", "quality"] == "missing"


def test_roads_become_our_sites_by_name_or_within_100_m_and_others_are_left_out():
    server = Server(flow=FLOW)
    (payload,) = ask("here", server, secret="k3y")
    assert table(here.parse(payload)) == {
        ("road_closed", "road_01"): 0,
        ("speed", "road_01"): 24,
        ("free_flow_speed", "road_01"): 54,
        ("jam_factor", "road_01"): 4,
    }
    ((path, query, _),) = server.asked
    assert path == "/v7/flow"
    assert query["in"].startswith("bbox:106.4")
    assert query["locationReferencing"] == "shape"
    assert query["apiKey"] == "k3y"
    assert "k3y" not in payload.name
    (payload,) = ask("here", server, sites={"Cầu Mới": "road_02"})
    assert table(here.parse(payload)) == {("road_closed", "road_02"): 1}


def test_one_closed_piece_closes_the_site():
    (payload,) = ask("here", Server(flow=FLOW), sites={"Cầu Mới": "road_01", "Phố Chợ": "road_01"})
    assert table(here.parse(payload)) == {("road_closed", "road_01"): 1}


def test_a_standing_piece_makes_the_whole_way_endless():
    both = one()
    both["results"] += one(speed=0)["results"]
    assert table(parsed(both))["speed", "A"] == 0


def test_a_long_piece_counts_more_than_a_short_one():
    both = one(speed=20, jamFactor=1)
    both["results"][0]["location"]["length"] = 900
    both["results"] += one(speed=5, jamFactor=9)["results"]
    both["results"][1]["location"] = {"description": "A", "length": 100}
    told = table(parsed(both))
    assert told["speed", "A"] == pytest.approx(3.6 * 1000 / (900 / 20 + 100 / 5))
    assert told["jam_factor", "A"] == pytest.approx(1.8)


def test_a_road_between_two_sites_belongs_to_the_nearer_one_wherever_the_line_begins():
    city = SITES.copy()
    city.loc["road_02", ["latitude", "longitude"]] = [10.5217, 106.501]
    for line in ([10.5211, 10.5215], [10.5215, 10.5211], [10.5211, 10.5213]):
        flow = one()
        points = [{"lat": latitude, "lng": 106.501} for latitude in line]
        flow["results"][0]["location"]["shape"] = {"links": [{"points": points}]}
        (payload,) = ask("here", Server(flow=flow), city=city)
        assert set(here.parse(payload)["site_id"]) == {"road_01"}


def test_incidents_of_a_file_and_of_the_city_without_a_word_of_anybody():
    assert table(parsed(INCIDENTS)) == {("open_incidents", "here"): 2}
    (payload,) = ask("here", Server(incidents=INCIDENTS), kind="incidents")
    assert table(here.parse(payload)) == {
        ("open_incidents", "phuong_1"): 1,
        ("open_incidents", "phuong_2"): 0,
        ("open_incidents", "thanh_lam"): 1,
    }
    assert b"Nguyen" not in payload.body


def test_an_empty_box_is_a_valid_answer_and_quiet_wards_are_told_as_0():
    empty = {"sourceUpdated": "2026-06-01T03:00:00Z", "results": []}
    assert parsed(empty).empty
    (payload,) = ask("here", Server(flow=empty))
    assert here.parse(payload).empty
    (payload,) = ask("here", Server(incidents=empty), kind="incidents")
    assert set(table(here.parse(payload)).values()) == {0}


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({"RWS": []}, SourceChanged, "older Traffic API 6"),
        ({"Type": "Unauthorized", "Message": ["no credentials"]}, SourceRefused, "no credentials"),
        ({"error": "Forbidden", "error_description": "not yours"}, SourceRefused, "not yours"),
        ({"title": "Malformed", "cause": "in is missing", "action": "give it"}, SourceRefused, "in is missing"),
        ({"results": [{}], "sourceUpdated": "2026-06-01T03:00:00Z"}, SourceChanged, "neither flow nor incidents"),
        ({"results": one()["results"]}, SourceChanged, "sourceUpdated"),
        ({"results": [{"currentFlow": {}}], "sourceUpdated": "2026-06-01T03:00:00Z"}, SourceChanged, "location"),
        ({"a": 1}, SourceChanged, "no list `results`"),
        ([], SourceChanged, "an object is promised"),
    ],
)
def test_other_answers_say_what_they_are(body, error, words):
    with pytest.raises(error, match=f"reply: .*{words}"):
        parsed(body)


def test_wrong_options_are_named():
    for options, words in (({"kind": "tiles"}, "tiles"), ({"bbox": [106, 10, 107.1, 11]}, "1 degree")):
        with pytest.raises(ConfigError, match=words):
            ask("here", Server(), **options)
