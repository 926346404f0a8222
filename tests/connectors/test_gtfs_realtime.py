"""GTFS-realtime: what runs now as totals; old positions, swapped places, cancelled trips and next midnight."""

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.transit import gtfs_realtime_pb2 as gtfs

from connectors import Payload, gtfs_realtime
from core.errors import ConfigError, InputError, SourceChanged, SourceUnavailable
from tests.connectors.answering import Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "gtfs_realtime"
STATIC = RECORDINGS / "error_static.zip"  # «error», for it is no feed
NOW = datetime(2026, 6, 1, 1, tzinfo=UTC)  # 08:00 in the city
NOW_S = int(NOW.timestamp())


def feed(time_s=NOW_S):
    message = gtfs.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.timestamp = time_s
    return message


def vehicle(message, **position):
    told = message.entity.add(id=f"v{len(message.entity)}").vehicle
    told.trip.trip_id = "T1"
    for name, value in {"latitude": 10.5, "longitude": 106.5, **position}.items():
        setattr(told.position, name, value)
    return told


def trip(message, name="T1", **stop):
    update = message.entity.add(id=f"t{len(message.entity)}").trip_update
    update.trip.trip_id = name
    event = update.stop_time_update.add(stop_sequence=stop.pop("sequence", 2)).arrival
    for field, value in stop.items():
        setattr(event, field, value)
    return update


def parsed(message, **context):
    body = message if isinstance(message, bytes) else message.SerializeToString()
    return gtfs_realtime.parse(Payload(body=body, name="feed", context=context))


def totals(message, **context):
    frame = parsed(message, **context)
    return dict(zip(frame["observed_property"], frame["value"], strict=True))


def recorded(name, **context):
    return parsed((RECORDINGS / name).read_bytes(), **context)


def test_only_a_vehicle_on_a_trip_at_a_real_place_and_heard_of_lately_is_in_service():
    frame = recorded("vehicles.pb")
    assert table(frame) == {("transit_vehicles", "gtfs_realtime"): 2, ("transit_speed", "gtfs_realtime"): 14.4}
    assert set(frame["time"]) == {NOW}  # mean of 8 m/s and a bus that stands


def test_routes_that_the_options_list_get_rows_of_their_own():
    frame = recorded("vehicles.pb", city_site="thanh_lam", options={"sites": {"R1": "tuyen_1", "R9": "tuyen_9"}})
    assert table(frame) == {
        ("transit_vehicles", "thanh_lam"): 2,
        ("transit_speed", "thanh_lam"): 14.4,
        ("transit_vehicles", "tuyen_1"): 1,
        ("transit_speed", "tuyen_1"): 28.8,
        ("transit_vehicles", "tuyen_9"): 0,
    }


def test_a_position_may_be_as_old_as_the_option_says():
    assert table(recorded("vehicles.pb", options={"max_position_age_min": 120.0}))[
        "transit_vehicles", "gtfs_realtime"
    ] == 3  # fmt: skip


def test_trips_with_the_timetable_late_early_and_cancelled():
    frame = recorded("trips.pb", options={"static": str(STATIC)})
    assert table(frame) == {
        ("transit_trips_known", "gtfs_realtime"): 2,
        ("transit_delay", "gtfs_realtime"): 4.5,  # T1: 08:12 for 08:10 at its next stop; T2: 7 min
        ("transit_on_time", "gtfs_realtime"): 50,
        ("transit_trips_cancelled", "gtfs_realtime"): 1,
    }


def test_without_the_timetable_a_time_is_no_delay():
    message = feed()
    assert totals(message, kind="trip_updates")["transit_trips_known"] == 0
    trip(message, time=NOW_S + 60)
    assert totals(message) == {"transit_trips_known": 0, "transit_trips_cancelled": 0}


@pytest.mark.parametrize(("delay_s", "share"), [(-61, 0), (-60, 100), (300, 100), (301, 0)])
def test_on_time_is_one_minute_early_to_five_minutes_late(delay_s, share):
    message = feed()
    trip(message, delay=delay_s)
    assert totals(message)["transit_on_time"] == share
    assert totals(message)["transit_delay"] == pytest.approx(delay_s / 60, abs=1e-3)
    assert totals(message, options={"early_min": 2.0, "late_min": 6.0})["transit_on_time"] == 100


def test_a_delay_of_9999999_seconds_is_none_and_a_delay_of_the_whole_trip_stands_in():
    message = feed()
    update = trip(message, delay=9999999)
    assert totals(message)["transit_trips_known"] == 0
    update.delay = 120
    assert totals(message)["transit_delay"] == 2


def test_a_trip_of_last_night_runs_past_24_00():
    message = feed(int(datetime(2026, 5, 31, 18, 5, tzinfo=UTC).timestamp()))  # 01:05 in the city
    trip(message, "T3", sequence=1, time=int(datetime(2026, 5, 31, 18, 13, tzinfo=UTC).timestamp()))
    assert totals(message, options={"static": str(STATIC)})["transit_delay"] == 3  # 01:13 for 25:10
    message.entity[0].trip_update.trip.start_date = "20260531"
    assert totals(message, options={"static": str(STATIC)})["transit_delay"] == 3
    message.entity[0].trip_update.trip.start_date = "tomorrow"
    assert totals(message, options={"static": str(STATIC)})["transit_trips_known"] == 0


def test_an_alert_without_an_end_is_in_force_and_one_of_later_or_before_is_not():
    assert table(recorded("alerts.pb")) == {("transit_alerts", "gtfs_realtime"): 2}


def test_a_header_alone_is_valid_and_says_0_where_the_kind_is_known():
    assert recorded("header_only.pb").empty
    assert totals(feed(), kind="vehicle_positions") == {"transit_vehicles": 0}
    assert totals(feed(), options={"kind": "alerts"}) == {"transit_alerts": 0}


def test_the_same_feed_as_json():
    message = feed()
    vehicle(message, speed=10)
    text = json_format.MessageToJson(message, preserving_proto_field_name=True).encode()
    assert totals(text) == totals(message) == {"transit_vehicles": 1, "transit_speed": 36}


def test_an_enum_value_that_is_newer_than_this_file_does_not_crash():
    message = feed()
    update = trip(message, delay=60)
    body = message.SerializeToString()
    known = update.trip.SerializeToString()
    newer = known + bytes([4 << 3, 99])  # schedule_relationship = 99
    grown = update.SerializeToString().replace(bytes([len(known)]) + known, bytes([len(newer)]) + newer)
    entity = bytes([1 << 3 | 2, 2]) + b"t0" + bytes([3 << 3 | 2, len(grown)]) + grown
    head = message.header.SerializeToString()
    body = bytes([1 << 3 | 2, len(head)]) + head + bytes([2 << 3 | 2, len(entity)]) + entity
    assert totals(body)["transit_delay"] == 1


def test_swapped_coordinates_and_a_header_in_milliseconds_are_named():
    message = feed()
    vehicle(message, latitude=106.5, longitude=10.5)
    with pytest.raises(SourceChanged, match="swapped"):
        parsed(message)
    with pytest.raises(SourceChanged, match="milliseconds"):
        parsed(feed(NOW_S * 1000))
    nowhere = feed()
    vehicle(nowhere, latitude=200, longitude=10)
    assert totals(nowhere)["transit_vehicles"] == 0  # a broken receiver is not a swapped feed


def test_a_feed_that_stands_still_does_not_answer_and_one_ahead_of_the_clock_is_wrong():
    message = feed()
    vehicle(message)
    assert not parsed(message, until=NOW + timedelta(minutes=15)).empty
    with pytest.raises(SourceUnavailable, match="16 min old"):
        parsed(message, until=NOW + timedelta(minutes=16))
    assert not parsed(message, until=NOW + timedelta(minutes=16), options={"max_age_min": 30.0}).empty
    assert not parsed(message, until=NOW - timedelta(minutes=5)).empty
    with pytest.raises(SourceChanged, match="ahead"):
        parsed(message, until=NOW - timedelta(minutes=6))


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (b"<html></html>", SourceChanged, "HTML"),
        (b"", SourceChanged, "protobuf"),
        (b"\x00\xff", SourceChanged, "protobuf"),
        (b'{"header": 5}', SourceChanged, "JSON"),
        (b'{"entity": []}', SourceChanged, "header"),
        (STATIC.read_bytes(), InputError, "static"),
    ],
)
def test_what_is_no_feed_says_so(body, error, words):
    with pytest.raises(error, match=words):
        parsed(body)


def test_differences_and_a_header_without_a_time_are_refused():
    message = feed()
    message.header.incrementality = gtfs.FeedHeader.DIFFERENTIAL
    with pytest.raises(SourceChanged, match="differences"):
        parsed(message)
    with pytest.raises(SourceChanged, match="no timestamp"):
        parsed(feed(0))


def test_a_deleted_entity_does_not_count():
    message = feed()
    vehicle(message)
    message.entity[0].is_deleted = True
    assert totals(message, kind="vehicle_positions") == {"transit_vehicles": 0}


def archive(path, **tables):
    told = {"agency": "agency_timezone\nAsia/Ho_Chi_Minh\n", "trips": "trip_id,route_id\nT1,R1\n",
            "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,08:00:00,,S,2\n"}  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in {**told, **tables}.items():
            if text is not None:
                packed.writestr(f"{name}.txt", text)
    return str(path)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"stop_times": None}, "stop_times.txt is missing"),
        ({"trips": "trip_id\nX\n"}, "knows none of the 1 trips"),
        ({"agency": "agency_timezone\nMars/Base\n"}, "Mars/Base"),
        ({"stop_times": "trip_id\n" + "x" * 70_000}, "endless lines"),
        ({"stop_times": b"trip_id\n\xff\n"}, "UTF-8"),
        ({f"more{number}": "" for number in range(200)}, "more than 200 files"),
    ],
)
def test_a_timetable_that_cannot_be_used_is_named(tmp_path, tables, words):
    message = feed()
    trip(message, time=NOW_S + 60)
    with pytest.raises(InputError, match=words):
        parsed(message, options={"static": archive(tmp_path / "gtfs.zip", **tables)})


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(gtfs_realtime, "UNPACKED_BYTES", 10_000)
    path = archive(tmp_path / "gtfs.zip", stop_times="trip_id\n" + "T9\n" * 50_000)
    message = feed()
    trip(message, time=NOW_S + 60)
    with pytest.raises(InputError, match="unpacks to more than"):
        parsed(message, options={"static": path})
    monkeypatch.setattr(gtfs_realtime, "ARCHIVE_BYTES", 10)
    with pytest.raises(InputError, match="larger than"):
        parsed(message, options={"static": path})


def test_a_timetable_that_is_absent_or_broken_is_named(tmp_path):
    message = feed()
    trip(message, time=NOW_S + 60)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"broken\.zip"):
        parsed(message, options={"static": str(broken)})
    with pytest.raises(InputError, match=r"none\.zip: cannot be read"):
        parsed(message, options={"static": str(tmp_path / "none.zip")})


def test_every_feed_is_asked_and_knows_its_kind():
    server = Server(vehicles=feed(NOW_S + 7200).SerializeToString(), alerts=(RECORDINGS / "alerts.pb").read_bytes())
    options = {"vehicle_positions": "https://bus.example/vehicles.pb", "alerts": "https://bus.example/alerts.pb"}
    positions, alerts = ask("gtfs_realtime", server, secret="k3y", key_header="X-Key", max_age_min=600.0, **options)
    assert table(gtfs_realtime.parse(positions)) == {("transit_vehicles", "thanh_lam"): 0}
    assert table(gtfs_realtime.parse(alerts)) == {("transit_alerts", "thanh_lam"): 2}
    assert [headers["X-Key"] for _, _, headers in server.asked] == ["k3y", "k3y"]
    (one,) = ask("gtfs_realtime", server, base_url="https://bus.example/vehicles.pb", kind="vehicle_positions")
    assert table(gtfs_realtime.parse(one)) == {("transit_vehicles", "thanh_lam"): 0}


def test_wrong_options_are_named():
    with pytest.raises(ConfigError, match="vehicle_positions"):
        ask("gtfs_realtime", Server())
    with pytest.raises(ConfigError, match="trams"):
        parsed(feed(), options={"kind": "trams"})
    with pytest.raises(ConfigError, match="sites"):
        parsed(feed(), options={"sites": ["R1"]})
