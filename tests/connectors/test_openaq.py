"""OpenAQ: hours of living stations, in the unit of each reply, and doubts where there are doubts."""

import json
import math
from pathlib import Path

import pytest

from connectors import Payload, openaq
from core.errors import ConfigError, SourceChanged, SourceRefused
from tests.connectors.answering import Server, ask

RECORDINGS = Path(__file__).parent.parent / "recordings" / "openaq"


def recorded(name, **options):
    return Payload(body=(RECORDINGS / name).read_bytes(), name=name, context={"options": options} if options else {})


def results(*found, **context):
    return Payload(body=json.dumps({"results": found}).encode(), name="reply.json", context=context)


def hour(**edits):
    period = {"datetimeFrom": {"utc": "2026-06-01T00:00:00Z"}, "datetimeTo": {"utc": "2026-06-01T01:00:00Z"}}
    return {"value": 1, "parameter": {"name": "pm25", "units": "µg/m³"}, "period": period, **edits}


def lines(payload):
    frame = openaq.parse(payload)
    named = zip(
        frame["time"].dt.strftime("%H:%M"), frame["site_id"], frame["observed_property"], frame["value"],
        frame["quality"], strict=True,
    )  # fmt: skip
    return [tuple("-" if isinstance(each, float) and math.isnan(each) else each for each in line) for line in named]


def test_the_label_is_the_end_of_the_hour_null_is_missing_and_half_an_hour_is_suspect():
    assert lines(recorded("hours.json")) == [
        ("01:00", "hours", "pm25", 31.5, "not_evaluated"),
        ("02:00", "hours", "pm25", "-", "missing"),
        ("03:00", "hours", "pm25", 40.0, "suspect"),
    ]


@pytest.mark.parametrize(("complete", "quality"), [(75, "not_evaluated"), (74.9, "suspect"), (120, "not_evaluated")])
def test_75_percent_of_an_hour_are_enough(complete, quality):
    (line,) = lines(results(hour(coverage={"percentComplete": complete})))
    assert line[-1] == quality


def test_a_flagged_hour_is_suspect():
    assert lines(results(hour(flagInfo={"hasFlags": True})))[0][-1] == "suspect"
    assert lines(results(hour(flagInfo={"hasFlags": False}, coverage=None)))[0][-1] == "not_evaluated"


def test_ppm_of_ozone_is_no_microgram_and_an_unknown_parameter_cannot_pass_for_a_known_one():
    assert lines(recorded("hours_ppm.json")) == [
        ("01:00", "hours_ppm", "o3", 98.0, "not_evaluated"),  # 0.05 ppm x 1960
        ("01:00", "hours_ppm", "openaq:nox", 0.01, "not_evaluated"),
    ]
    assert lines(results(hour(value=10, parameter={"name": "no2", "units": "ppb"})))[0][3] == 18.8


def test_an_unknown_unit_is_refused_by_name():
    with pytest.raises(SourceChanged, match=r"error_unit.json: .*particles/cm"):
        openaq.parse(recorded("error_unit.json"))


def test_a_mean_of_a_day_is_no_hourly_mean():
    with pytest.raises(SourceChanged, match="1 day, 0:00:00 where hourly means belong"):
        openaq.parse(recorded("error_daily_mean.json"))


def test_the_latest_value_needs_to_be_told_what_it_is():
    assert lines(recorded("latest.json")) == [("03:00", "901", "openaq:sensor 9011", 28.4, "not_evaluated")]
    said = recorded("latest.json", property="no2", unit="ppb", sites={"901": "air_01"})
    assert lines(said) == [("03:00", "air_01", "no2", pytest.approx(53.392), "not_evaluated")]
    assert lines(recorded("latest.json", site="air_09"))[0][1] == "air_09"
    with pytest.raises(ConfigError, match="pm99"):
        openaq.parse(recorded("latest.json", property="pm99"))


def test_temperature_is_taken_only_when_the_options_say_so():
    warm = hour(value=86, parameter={"name": "temperature", "units": "f"})
    assert lines(results(warm))[0][2:4] == ("openaq:temperature", 86.0)
    assert lines(results(warm, options={"properties": {"temperature": "temperature"}}))[0][2:4] == ("temperature", 30.0)


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (b'{"message": "Invalid credentials"}', SourceRefused, "Invalid credentials"),
        (b'{"detail": [{"loc": ["path"], "msg": "no integer"}]}', SourceRefused, "no integer"),
        (b'{"results": [{"id": 1, "name": "N/A"}]}', SourceChanged, "list of things"),
        (b'{"results": [1]}', SourceChanged, "not a list of objects"),
        (b'{"results": [{"value": 1, "period": 7}]}', SourceChanged, "another shape"),
        (b'{"meta": {}}', SourceChanged, "no list `results`"),
        (b"[]", SourceChanged, "no OpenAQ reply"),
    ],
)
def test_what_holds_no_hours_says_what_it_is(body, error, words):
    with pytest.raises(error, match=words):
        openaq.parse(Payload(body=body, name="reply"))


def location(last="2026-06-01T02:00:00Z", monitor=True, names=("pm25", "um003")):
    sensors = [{"id": 10 + index, "parameter": {"name": name, "units": "?"}} for index, name in enumerate(names)]
    newest = None if last is None else {"utc": last}
    return {"results": [{"id": 901, "isMonitor": monitor, "sensors": sensors, "datetimeLast": newest}]}


def hours(query):
    first = 2 * int(query["page"]) - 2  # five hours in pages of two, although a thousand were asked for
    found = [hour(value=number) for number in range(5)][first : first + 2]
    return {"meta": {"found": ">1", "limit": 2}, "results": found}


def test_a_station_gives_the_hours_of_its_known_sensors_all_pages_and_the_key_stays_in_the_header():
    server = Server(locations=location(), hours=hours)
    (payload,) = ask("openaq", server, secret="k3y", sites={"901": "air_01"})
    frame = openaq.parse(payload)
    assert list(frame["value"]) == [0, 1, 2, 3, 4]
    assert set(frame["site_id"]) == {"air_01"}
    assert set(frame["source"]) == {"ours"}
    assert set(frame["quality"]) == {"not_evaluated"}
    assert [path for path, _, _ in server.asked] == ["/v3/locations/901"] + ["/v3/sensors/10/hours"] * 3
    _, query, headers = server.asked[1]
    assert query["datetime_from"] == "2026-05-31T03:00:00Z"  # a day back: stations deliver late
    assert query["datetime_to"] == "2026-06-01T03:00:00Z"
    assert headers["X-API-Key"] == "k3y"
    assert "k3y" not in str([query for _, query, _ in server.asked]) + payload.name


def test_a_server_that_ignores_the_page_is_not_asked_for_ever():
    page = {"meta": {"limit": 1}, "results": [hour(value=7)]}
    server = Server(locations=location(), hours=page)
    (payload,) = ask("openaq", server, sites={"901": "air_01"})
    assert list(openaq.parse(payload)["value"]) == [7]
    assert len(server.asked) == 3


@pytest.mark.parametrize("last", [None, "2026-05-20T00:00:00Z"])
def test_a_dead_station_is_asked_for_nothing(last):
    server = Server(locations=location(last=last), hours=hours)
    assert ask("openaq", server, sites={"901": "air_01"}) == []
    assert len(server.asked) == 1


def test_low_cost_sensors_are_suspect_unless_the_operator_trusts_them():
    server = Server(locations=location(monitor=False), hours=hours)
    (payload,) = ask("openaq", server, sites={"901": "air_01"})
    assert set(openaq.parse(payload)["quality"]) == {"suspect"}
    (payload,) = ask("openaq", server, sites={"901": "air_01"}, trust_low_cost=True)
    assert set(openaq.parse(payload)["quality"]) == {"not_evaluated"}


def test_one_location_that_is_refused_costs_itself_only_and_is_told():
    server = Server(
        **{"locations/902": (404, {"detail": "Location not found"}), "locations": location(), "hours": hours}
    )
    (payload,) = ask("openaq", server, sites={"902": "air_02", "901": "air_01"})
    frame = openaq.parse(payload)
    assert len(frame) == 5
    (problem,) = frame.attrs["problems"]
    assert "Location not found" in problem
    with pytest.raises(SourceRefused, match="Location not found"):
        ask("openaq", server, sites={"902": "air_02"})


def test_without_sites_nothing_is_asked():
    server = Server()
    for wrong in ({}, {"sites": {}}, {"sites": ["901"]}):
        with pytest.raises(ConfigError, match="sites"):
            ask("openaq", server, **wrong)
    assert server.asked == []
