"""Waze: what drivers say becomes numbers, a blocked road is no speed of 0, and the address is a secret."""

import json
from pathlib import Path

import pytest

from connectors import Payload, waze
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable
from tests.connectors.answering import UNTIL, Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "waze"
FEED = json.loads((RECORDINGS / "feed.json").read_text(encoding="utf-8"))
ADDRESS = "https://feeds.example/partnerhub-api/partners/77/waze-feeds/f00-ba5?format=1"


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return waze.parse(Payload(body=body, name="reply", context=context))


def jam(**edits):
    return {"jams": [{"uuid": 7, "level": 3, "speed": 5.0, "delay": 60, **edits}], "endTimeMillis": 1780282800000}


def test_a_minute_of_the_feed():
    frame = parsed(FEED)
    assert table(frame) == {
        ("road_closed", "1"): 0,
        ("speed", "1"): 18,  # 5 m/s
        ("jam_delay", "1"): 60,
        ("road_closed", "2"): 1,  # level 5: neither a speed of 0 nor a delay of -1
        ("road_closed", "3"): 0,
        ("speed", "3"): 9,  # only speedKMH was told
        ("jam_delay", "3"): 90,
        ("open_incidents", "waze"): 2,  # an accident told twice, a closure; police and jams are none
    }
    assert set(frame["time"]) == {UNTIL}
    assert set(frame["quality"]) == {"not_evaluated"}


@pytest.mark.parametrize("told", [{"level": 5}, {"delay": -1}])
def test_level_5_or_a_delay_of_minus_1_is_a_blocked_road(told):
    assert table(parsed(jam(**told))) == {("road_closed", "7"): 1}


def test_a_standing_jam_that_is_not_blocked_has_a_speed_of_0_and_a_missing_delay_is_missing():
    frame = parsed(jam(speed=0, level=4, delay=None)).set_index("observed_property")
    assert frame.at["speed", "value"] == 0
    assert frame.at["jam_delay", "quality"] == "missing"
    assert parsed(jam(delay=-5)).set_index("observed_property").at["jam_delay", "quality"] == "missing"


def test_the_same_jam_in_the_next_minute_is_a_new_value_of_the_same_thing():
    first, second = parsed(jam()), parsed({**jam(speed=2.5), "endTimeMillis": 1780282860000})
    assert [frame.loc[frame["observed_property"] == "speed", "value"].item() for frame in (first, second)] == [18, 9]
    assert first["time"].iloc[0] != second["time"].iloc[0]
    assert set(first["site_id"]) == set(second["site_id"]) == {"7"}


def test_the_time_is_milliseconds_or_a_text_with_a_colon_too_many():
    text = {**jam(), "endTime": "2026-06-01 03:00:00:000"}
    del text["endTimeMillis"]
    assert set(parsed(text)["time"]) == {UNTIL}
    for wrong in ({"endTimeMillis": 1e300}, {"endTimeMillis": None, "endTime": "Mon Jun 1"}, {"endTimeMillis": None}):
        with pytest.raises(SourceChanged, match="reply: "):
            parsed({**jam(), **wrong})


def test_nothing_to_report_is_a_valid_state_of_a_file_and_a_row_of_zeros_for_the_city():
    quiet = json.loads((RECORDINGS / "quiet.json").read_text(encoding="utf-8"))
    assert parsed(quiet).empty
    (payload,) = ask("waze", Server(feeds=quiet), secret=ADDRESS)
    assert table(waze.parse(payload)) == {
        ("open_incidents", "phuong_1"): 0,
        ("open_incidents", "phuong_2"): 0,
        ("open_incidents", "thanh_lam"): 0,
        ("road_closed", "road_01"): 0,  # the closure of the minute before has ended
    }


def test_jams_become_our_roads_and_no_word_of_a_driver_leaves_fetch():
    server = Server(feeds=FEED)
    (payload,) = ask("waze", server, secret=ADDRESS)
    assert table(waze.parse(payload)) == {
        ("road_closed", "road_01"): 0,
        ("speed", "road_01"): 18,
        ("jam_delay", "road_01"): 60,
        ("open_incidents", "phuong_1"): 1,
        ("open_incidents", "phuong_2"): 0,
        ("open_incidents", "thanh_lam"): 1,
    }
    for word in (b"Nguyen", b"0900", b"reportBy", b"nThumbsUp", b"irregularities"):
        assert word not in payload.body
    (payload,) = ask("waze", server, secret=ADDRESS, sites={"Phố Chợ": "road_02"})
    assert table(waze.parse(payload))["road_closed", "road_02"] == 1  # the street has three jams, one of them blocked


def test_the_path_of_the_address_is_in_no_name_and_no_message():
    (payload,) = ask("waze", Server(feeds=FEED), secret=ADDRESS)
    assert payload.name == "feeds.example***"
    for answer, error in (((403, {"error": f"no such feed {ADDRESS}"}), SourceRefused), ((503, {}), SourceUnavailable)):
        with pytest.raises(error) as caught:
            ask("waze", Server(feeds=answer), secret=ADDRESS)
        for part in ("f00-ba5", "partners", "format=1"):
            assert part not in str(caught.value)
        assert "feeds.example" in str(caught.value)


def test_a_feed_that_another_server_passes_on_is_asked_at_base_url():
    server = Server(feeds=FEED)
    (payload,) = ask("waze", server, base_url="https://gateway.example/feeds/waze")
    assert server.asked[0][:2] == ("/feeds/waze", {"format": "1"})
    assert not waze.parse(payload).empty
    with pytest.raises(ConfigError, match="WAZE_FEED_URL"):
        ask("waze", server)


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({"error": "Not authorised"}, SourceRefused, "check the secret"),
        ({"a": 1}, SourceChanged, "neither alerts nor jams"),
        ([], SourceChanged, "an object is promised"),
        ({"jams": 7, "endTimeMillis": 1780282800000}, SourceChanged, "`jams` is not a list"),
        ({"jams": [{"line": [1]}], "endTimeMillis": 1780282800000}, SourceChanged, "`line` is not a list"),
    ],
)
def test_other_answers_say_what_they_are(body, error, words):
    with pytest.raises(error, match=f"reply: .*{words}"):
        parsed(body)
