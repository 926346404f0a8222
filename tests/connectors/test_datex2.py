"""DATEX II: situations are counted while they are valid, loops keep their lanes, a closed road is not a speed of 0."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import Payload, datex2
from core.errors import ConfigError, InputError, SourceChanged
from tests.connectors.answering import SITES, Server, ask, table

RECORDINGS = Path(__file__).parent.parent / "recordings" / "datex2"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
AT = "2026-06-01T01:00:00Z"


def parsed(reply, **context):
    body = reply if isinstance(reply, bytes) else reply.encode()
    return datex2.parse(Payload(body=body, name="reply", context=context))


def recorded(name, **context):
    return parsed((RECORDINGS / name).read_bytes(), **context)


def publication(inside, kind="SituationPublication", time=AT):
    told = f"<publicationTime>{time}</publicationTime>" if time else ""
    whole = f'<payloadPublication {XSI} xsi:type="{kind}">{told}{inside}</payloadPublication>'
    return f"<d2LogicalModel>{whole}</d2LogicalModel>"


def situation(validity="<validityStatus>active</validityStatus>", more="", kind="Accident", identity="s"):
    record = f"<validity>{validity}</validity>{more}"
    return (
        f'<situation id="{identity}"><situationRecord {XSI} xsi:type="a:{kind}">{record}</situationRecord></situation>'
    )


def loop(values, time=AT, site="S"):
    told = "".join(f'<measuredValue index="{index}">{each}</measuredValue>' for index, each in enumerate(values))
    head = f'<measurementSiteReference id="{site}"/><measurementTimeDefault>{time}</measurementTimeDefault>'
    return publication(f"<siteMeasurements>{head}{told}</siteMeasurements>", "MeasuredDataPublication")


def flow(number, more=""):
    return f"<basicData><vehicleFlow>{more}<vehicleFlowRate>{number}</vehicleFlowRate></vehicleFlow></basicData>"


def speed(number, more="", attributes=""):
    inside = f"<averageVehicleSpeed {attributes}>{more}<speed>{number}</speed></averageVehicleSpeed>"
    return f"<basicData>{inside}</basicData>"


WITH_CITY = {"sites": SITES, "city_site": "thanh_lam"}


def test_a_morning_counts_each_open_situation_once_where_it_is_and_says_0_elsewhere():
    frame = recorded("situations_v2.xml", **WITH_CITY)
    assert table(frame) == {
        ("open_incidents", "thanh_lam"): 0,
        ("open_incidents", "phuong_1"): 1,  # a crash of two records; over, planned and paused ones are not open
        ("open_incidents", "phuong_2"): 1,
        ("road_closed", "thanh_lam"): 0,  # the block of tomorrow
        ("road_closed", "phuong_1"): 0,  # lanes are closed, the road is not
        ("road_closed", "phuong_2"): 1,
    }
    assert set(frame["time"]) == {datetime(2026, 6, 1, 1, tzinfo=UTC)}
    assert set(frame["quality"]) == {"not_evaluated"}


def test_a_bare_file_counts_for_the_whole():
    assert table(recorded("situations_v2.xml")) == {("open_incidents", "datex2"): 2, ("road_closed", "datex2"): 1}


def test_a_full_publication_without_a_situation_says_that_nothing_is_open():
    assert table(parsed(publication(""))) == {("open_incidents", "datex2"): 0, ("road_closed", "datex2"): 0}


def test_only_some_kinds_of_records_count_where_the_options_say_so():
    both = situation() + situation(kind="MaintenanceWorks", identity="t")
    assert table(parsed(publication(both)))["open_incidents", "datex2"] == 2
    only = parsed(publication(both), options={"record_types": ["Accident"]})
    assert table(only)["open_incidents", "datex2"] == 1


@pytest.mark.parametrize(
    ("words", "closed"),
    [("roadClosed", 1), ("carriagewayClosures", 1), ("laneClosures", 0), ("intermittentShortTermClosures", 0)],
)
def test_what_closes_a_road(words, closed):
    tag = "roadOrCarriagewayOrLaneManagementType"
    frame = parsed(publication(situation(more=f"<{tag}>{words}</{tag}>")))
    assert table(frame)["road_closed", "datex2"] == closed


def test_a_publication_without_a_time_is_dated_by_its_newest_record_and_one_without_any_is_refused():
    record = "<situationRecordVersionTime>2026-06-01T02:00:00+07:00</situationRecordVersionTime>"
    frame = parsed(publication(situation(more=record), time=""))
    assert set(frame["time"]) == {datetime(2026, 5, 31, 19, tzinfo=UTC)}
    with pytest.raises(SourceChanged, match="publicationTime"):
        parsed(publication(situation(), time=""))


def test_an_end_that_cannot_be_read_is_no_end():
    words = "<validityStatus>definedByValidityTimeSpec</validityStatus><overallEndTime>PLACEHOLDER</overallEndTime>"
    assert table(parsed(publication(situation(validity=words))))["open_incidents", "datex2"] == 1


def test_lanes_are_kept_apart_until_somebody_says_that_they_are_lanes():
    assert table(recorded("loops_v3.xml").dropna()) == {
        ("traffic_flow", "CAU1/1"): 600,
        ("traffic_flow", "CAU1/3"): 200,
        ("speed", "CAU1/2"): 30,
        ("speed", "CAU1/4"): 50,
        ("traffic_flow", "DEM"): 0,
    }
    together = recorded("loops_v3.xml", options={"lanes": "sum", "sites": {"CAU1": "road_01"}})
    assert table(together) == {("traffic_flow", "road_01"): 800, ("speed", "road_01"): 35}
    one = recorded("loops_v3.xml", options={"sites": {"CAU1/3": "road_01"}})
    assert table(one) == {("traffic_flow", "road_01"): 200}


def test_where_no_vehicle_came_at_night_there_is_no_speed():
    frame = recorded("loops_v3.xml", options={"sites": {"DEM": "dem"}}).set_index("observed_property")
    assert frame.at["traffic_flow", "value"] == 0
    assert frame.at["speed", "quality"] == "missing"
    assert parsed(loop([flow(0), speed(0)]))["quality"].tolist() == ["not_evaluated", "missing"]
    assert parsed(loop([flow(60), speed(0)]))["value"].tolist() == [60, 0]  # a queue that does not move


def test_a_number_beside_a_data_error_is_none():
    wrong = "<dataError>true</dataError>"
    frame = parsed(loop([flow(0, wrong), speed(0, wrong)]))
    assert frame["quality"].tolist() == ["missing", "missing"]
    assert parsed(loop([speed(-1)]))["quality"].tolist() == ["missing"]
    assert parsed(loop([speed(50, attributes='numberOfInputValuesUsed="0"')]))["quality"].tolist() == ["missing"]
    sums = parsed(loop([flow(60), flow(0, wrong)]), options={"lanes": "sum"})
    assert sums["quality"].tolist() == ["missing"]  # half a road is not the road


def test_the_label_may_be_the_start_and_a_time_without_offset_needs_a_zone():
    frame = parsed(loop([flow(1)]), options={"start_label_min": 1})
    assert frame["time"][0] == datetime(2026, 6, 1, 1, 1, tzinfo=UTC)
    with pytest.raises(InputError, match=r"reply: .*--zone"):
        parsed(loop([flow(1)], time="2026-06-01T08:00:00"))


def test_a_car_park_of_unknown_state_is_not_full():
    frame = recorded("parking_v3.xml").set_index("site_id")
    assert frame["value"].dropna().to_dict() == {"P1": 29, "P3": 0}
    assert frame.at["P2", "quality"] == "missing"
    assert frame.at["P1", "time"] == datetime(2026, 6, 1, 0, 59, 3, 118000, tzinfo=UTC)
    assert frame.at["P2", "time"] == datetime(2026, 6, 1, 1, tzinfo=UTC)  # that of the publication
    assert set(frame["observed_property"]) == {"free_parking_spaces"}


def test_a_publication_may_be_a_text_inside_another_xml():
    inner = publication(situation())
    assert table(parsed(f"<imsMessage><d2Message><![CDATA[\n{inner}]]></d2Message></imsMessage>"))[
        "open_incidents", "datex2"
    ] == 1  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ('{"type": "FeatureCollection"}', "JSON came"),
        ("<html><body>Sign in</body></html>", "<html>"),
        ("<html><br></html>", "broken or unsafe"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><d2LogicalModel>&b;</d2LogicalModel>', "unsafe"),
        ('<!DOCTYPE a SYSTEM "file:///etc/hostname"><d2LogicalModel/>', "unsafe"),
        ("<d2LogicalModel/>", "d2LogicalModel"),
        (publication("", "VmsPublication"), "unknown kind"),
        (publication("<measurementSiteTable/>", "MeasurementSiteTablePublication"), "table of measurement sites"),
        ("<a>" * 200 + "</a>" * 200, "deeper than 100"),
        (b"\xff\xfe<\x00", "XML"),
        ("   ", "empty"),
    ],
)
def test_what_is_no_publication_says_so(reply, words):
    with pytest.raises(SourceChanged, match=words):
        parsed(reply)


def test_a_source_is_asked_with_its_secret_in_a_header():
    server = Server(xml=(RECORDINGS / "situations_v2.xml").read_bytes())
    (payload,) = ask("datex2", server, secret="k3y", base_url="https://roads.example/pull.xml")
    assert server.asked[0][2]["Authorization"] == "Bearer k3y"
    frame = datex2.parse(payload)
    assert set(frame["source"]) == {"ours"}
    assert set(frame["site_id"]) == {"thanh_lam", "phuong_1", "phuong_2"}


@pytest.mark.parametrize(
    ("options", "words"),
    [({"lanes": "mean"}, "lanes"), ({"record_types": "Accident"}, "record_types"), ({"start_label_min": "1"}, "start")],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(ConfigError, match=words):
        recorded("situations_v2.xml", options=options)
    with pytest.raises(ConfigError, match="base_url"):
        ask("datex2", Server())
