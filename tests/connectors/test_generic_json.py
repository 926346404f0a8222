"""Any JSON by a mapping: pointers, units, zones and pages, and nothing that is guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import Payload, generic_json
from connectors._http import DEPTH_MAX, read_json
from connectors._mapping import read_quality, read_time
from connectors._pointer import ABSENT, at, steps
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused, SourceUnavailable
from tests.connectors.asking import HANOI, Answers, asking, request_for

SEVEN = "2026-06-01T07:00:00+07:00"
BASE = "https://api.example.vn/levels"


def read(document: Any, **options: Any) -> list[tuple[str, str, str, float, str]]:
    """(time, site, property, value, quality) of every row."""
    payload = Payload(body=json.dumps(document).encode(), name="levels.json", context={"options": options})
    frame = generic_json.parse(payload)
    columns = (frame[name] for name in ("time", "site_id", "observed_property", "value", "quality"))
    return [(f"{time:%d %H:%M}", *rest) for time, *rest in zip(*columns, strict=True)]


# ---- JSON Pointer: the examples of RFC 6901, chapter 5

RFC = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", RFC), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3),
        ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8),
        ("/foo/2", ABSENT), ("/foo/-", ABSENT), ("/foo/00", ABSENT), ("/foo/-1", ABSENT), ("/foo/0/x", ABSENT),
        ("/foo/\N{SUPERSCRIPT TWO}", ABSENT), ("/nope", ABSENT), ("/foo/" + "1" * 5000, ABSENT),
    ],
)  # fmt: skip
def test_pointers_as_the_standard_has_them(pointer: str, value: Any) -> None:
    assert at(RFC, steps(pointer, "x")) == value


def test_tilde_one_is_undone_before_tilde_zero() -> None:
    assert steps("/~01", "x") == ("~1",)


@pytest.mark.parametrize("pointer", ["foo", "/a~", "/a~2", 7])
def test_what_is_no_pointer_is_told(pointer: Any) -> None:
    with pytest.raises(ConfigError):
        steps(pointer, "x")


def test_depth_is_bounded_on_both_sides() -> None:
    fits = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    assert read_json(fits, "x")
    for deep in (b"[" + fits + b"]" * 2, b'{"a":' * 500 + b"1" + b"}" * 500, b"[" * 90_000 + b"]" * 90_000):
        with pytest.raises(SourceChanged):
            read_json(deep, "x")


# ---- times

SECONDS = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("told", "form", "expected"),
    [
        (SEVEN, "", "01 00:00"),
        (f"2026-06-01T06:00:00+07:00/{SEVEN}", "", "01 00:00"),
        ("2026-06-01 07:00", "", "01 00:00"),
        ("2026-05-31", "", "31 17:00"),  # a day ends at the next midnight, of the city
        ("20260531", "", "31 17:00"),
        (SECONDS, "s", "01 00:00"),
        (f"{SECONDS}000", "ms", "01 00:00"),
        ("01/06/2026 07:00", "%d/%m/%Y %H:%M", "01 00:00"),
        ("31/05/2026", "%d/%m/%Y", "31 17:00"),
        ("2026-06-01 02:00 +0200", "%Y-%m-%d %H:%M %z", "01 00:00"),
    ],
)
def test_times_of_every_shape(told: Any, form: str, expected: str) -> None:
    found = read_time(told, form, HANOI)
    assert found is not None
    assert f"{found:%d %H:%M}" == expected


@pytest.mark.parametrize(
    ("told", "form"),
    [
        (None, ""),
        ("soon", ""),
        (True, ""),
        ([], "s"),
        ("x", "ms"),
        (1e300, "s"),
        ("1/6", "%d/%m/%Y"),
        ("9999-12-31", ""),
    ],
)
def test_times_that_cannot_be_read_are_none(told: Any, form: str) -> None:
    assert read_time(told, form, HANOI) is None


def test_a_day_in_a_zone_with_summer_time_ends_at_its_own_midnight() -> None:
    from zoneinfo import ZoneInfo

    end = read_time("2026-03-29", "", ZoneInfo("Europe/Berlin"))  # a day of 23 hours
    assert end == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_neither_the_zone_nor_the_kind_of_number_is_guessed() -> None:
    with pytest.raises(InputError, match="zone"):
        read_time("2026-06-01T07:00:00")
    with pytest.raises(InputError, match="zone"):
        read_time("2026-06-01")
    with pytest.raises(InputError, match="time_format"):
        read_time(SECONDS)
    with pytest.raises(InputError, match="zone"):
        read([{"time": "2026-06-01", "value": 1}])
    assert read([{"time": "2026-05-31", "value": 1}], zone="Asia/Ho_Chi_Minh")[0][0] == "31 17:00"


# ---- records

REPLY = {
    "data": {
        "items": [
            {
                "at": "01/06/2026 07:00",
                "station": {"id": 17, "name": "Lục Nam"},
                "cm": "152,5",
                "no2": 10,
                "ok": "good",
            },
            {"at": "01/06/2026 08:00", "station": {"id": 17}, "cm": None, "no2": "", "ok": "weird"},
            {"at": "01/06/2026 07:00", "station": {"id": "other"}, "cm": 3},
        ]
    }
}
MAPPING = {
    "records": "/data/items", "time": "/at", "time_format": "%d/%m/%Y %H:%M", "zone": "Asia/Ho_Chi_Minh",
    "site": "/station/id", "sites": {"17": "river_01"}, "quality": "/ok",
    "values": [
        {"value": "/cm", "property": "river_level", "unit": "cm"},
        {"value": "/no2", "property": "no2", "unit": "ppb"},
    ],
}  # fmt: skip


def test_a_reply_by_its_mapping() -> None:
    rows = read(REPLY, **MAPPING)
    assert rows[:2] == [
        ("01 00:00", "river_01", "river_level", 1.525, "pass"),
        ("01 00:00", "river_01", "no2", 18.8, "pass"),
    ]
    assert [row[4] for row in rows[2:]] == ["missing", "missing"]  # null and "" are missing, never 0
    assert len(rows) == 4  # a station that `sites` does not list is left out


def test_names_of_the_source_become_ours_and_units_go_by_them() -> None:
    records = [{"time": SEVEN, "site_id": "a", "observed_property": "PM2.5", "value": 0.05}]
    options = {"properties": {"PM2.5": "pm25"}, "units": {"PM2.5": "mg/m3"}}
    assert read(records, **options) == [("01 00:00", "a", "pm25", 50.0, "not_evaluated")]
    assert read(records)[0][2:4] == ("generic_json:PM2.5", 0.05)


def test_a_record_without_a_site_is_at_the_name_of_the_reply_and_a_start_label_moves_to_the_end() -> None:
    record = {"time": SEVEN, "observed_property": "temperature", "value": 30, "unit": "°C"}
    assert read(record, records="", start_label_min=60) == [("01 01:00", "levels", "temperature", 30, "not_evaluated")]


@pytest.mark.parametrize(
    ("unit", "words"), [("furlong", "furlong"), (None, "without a unit"), ("", "without a unit"), ("m/s", "is a speed")]
)
def test_a_unit_is_told_and_never_guessed(unit: Any, words: str) -> None:
    record = {"time": SEVEN, "site_id": "a", "observed_property": "pm25", "value": 1, "unit": unit}
    with pytest.raises(SourceChanged, match=words):
        read([record])
    assert read([{**record, "value": None}])[0][4] == "missing"


def test_a_pure_number_needs_no_unit_and_a_fraction_is_no_percentage() -> None:
    record = {"time": SEVEN, "site_id": "a", "observed_property": "reports_received", "value": 3}
    assert read([record])[0][3] == 3
    with pytest.raises(SourceChanged, match="percentage"):
        read([{**record, "observed_property": "relative_humidity", "value": 0.85, "unit": "1"}])


def test_quality_words_of_loggers_and_one_that_nobody_knows() -> None:
    told = ["good", 1, 1.0, "BAD", "4", 9, None, "", "uncertain", "frozen", True]
    expected = ["pass", "pass", "pass", "fail", "fail", "missing", "not_evaluated", "not_evaluated", "suspect"]
    assert [read_quality(word) for word in told] == [*expected, "suspect", "suspect"]
    record = {"time": SEVEN, "site_id": "a", "observed_property": "reports_received", "value": 3, "quality": 9}
    assert read([record])[0][4] == "missing"


def test_a_field_that_stands_nowhere_is_a_change_and_one_that_some_lack_a_missing_value() -> None:
    record = {"time": SEVEN, "site_id": "a", "observed_property": "reports_received"}
    with pytest.raises(SourceChanged, match="`value`"):
        read([record])
    assert [row[4] for row in read([record, {**record, "value": 1}])] == ["missing", "not_evaluated"]
    with pytest.raises(SourceChanged, match="time"):
        read([{**record, "time": "soon", "value": 1}])


@pytest.mark.parametrize(
    ("document", "options", "error", "words"),
    [
        ({"a": 1}, {}, SourceChanged, "/observations"),
        ({"a": {"b": 7}}, {"records": "/a/b"}, SourceChanged, "/a/b"),
        ([1, 2], {}, SourceChanged, "records"),
        ({"error": {"message": "no quota"}}, {"error": "/error/message"}, SourceRefused, "no quota"),
        ({"observations": []}, {"error": "/error"}, None, ""),
        ({"observations": [], "error": None}, {"error": "/error"}, None, ""),
    ],
)
def test_replies_of_another_shape(document: Any, options: dict[str, Any], error: Any, words: str) -> None:
    if error is None:
        assert read(document, **options) == []
        return
    with pytest.raises(error, match=words):
        read(document, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"multiplier": 0.1}, "unit of the source"),
        ({"values": [{"value": "/v", "factor": 10}]}, "unit of the source"),
        ({"values": [{"valeu": "/v"}]}, "valeu"),
        ({"values": {}}, "list"),
        ({"recrods": "/a"}, "recrods"),
        ({"properties": {"a": "nope"}}, "nope"),
        ({"sites": "a"}, "sites"),
        ({"sites": {"a": 1}}, "sites"),
        ({"zone": "Ha Noi"}, "Ha Noi"),
        ({"zone": 7}, "zone"),
        ({"time_format": "iso"}, "time_format"),
        ({"start_label_min": "x"}, "start_label_min"),
        ({"value": 3}, "JSON Pointer"),
        ({"time": "/a~"}, "~"),
    ],
)
def test_options_that_cannot_work_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read([], **options)
    with pytest.raises(ConfigError, match=words):
        generic_json.fetch(asking(Answers(lambda _: [])), request_for("levels", {"base_url": BASE, **options}))


def test_a_name_that_no_file_can_hold_is_made_harmless() -> None:
    body = b'[{"time": "2026-06-01T00:00:00Z", "site_id": "a\\ud800", "observed_property": "x\\n", "value": 1}]'
    frame = generic_json.parse(Payload(body=body))
    assert frame["site_id"].iloc[0].encode("utf-8") == b"a?"
    assert frame["observed_property"].iloc[0] == "generic_json:x"


# ---- the network


def test_the_period_and_the_pages_of_a_server() -> None:
    pages = {None: {"next": "?page=2"}, "2": {"next": f"{BASE}?page=3"}, "3": {"next": None}}
    answers = Answers(lambda query: {**pages[query.get("page")], "observations": []})
    options = {"base_url": BASE, "next": "/next", "params": {"from": "{since}", "to": "{until_s}", "ms": "{since_ms}"}}
    payloads = generic_json.fetch(asking(answers), request_for("levels", options, secret="k3y"))
    assert len(payloads) == 3
    first = answers.asked[0][1]
    assert (first["from"], first["to"]) == ("2026-06-01T06:00:00Z", str(SECONDS + 8 * 3600))
    assert first["ms"] == f"{SECONDS + 6 * 3600}000"
    assert answers.asked[1][1] == {"page": "2"}
    assert all(headers["Authorization"] == "Bearer k3y" for _, _, headers in answers.asked)
    assert payloads[0].context["source"] == "levels"
    assert "k3y" not in repr(payloads)


@pytest.mark.parametrize("link", ["https://elsewhere.example/levels?page=2", "http://api.example.vn/levels?page=2"])
def test_the_next_page_is_not_followed_to_another_host_nor_to_a_worse_protection(link: str) -> None:
    answers = Answers(lambda _: {"next": link})
    with pytest.raises(SourceRefused, match="another host"):
        generic_json.fetch(asking(answers), request_for("levels", {"base_url": BASE, "next": "/next"}, secret="k3y"))
    assert len(answers.asked) == 1


def test_a_circle_of_pages_ends() -> None:
    with pytest.raises(SourceChanged, match="do not end"):
        generic_json.fetch(
            asking(Answers(lambda _: {"next": BASE})), request_for("levels", {"base_url": BASE, "next": "/next"})
        )
    answers = Answers(lambda query: {"next": f"?page={int(query.get('page', 0)) + 1}"})
    with pytest.raises(SourceChanged, match="do not end"):
        generic_json.fetch(asking(answers), request_for("levels", {"base_url": BASE, "next": "/next"}))
    assert len(answers.asked) == generic_json.PAGES_MAX


def test_the_key_goes_where_the_server_wants_it_and_comes_back_in_no_reply() -> None:
    answers = Answers(lambda _: {"error": "bad key k3y"})
    options = {"base_url": BASE, "error": "/error"}
    (payload,) = generic_json.fetch(asking(answers), request_for("l", {**options, "secret_header": "X-Key"}, "k3y"))
    assert answers.asked[0][2]["X-Key"] == "k3y"
    assert "Authorization" not in answers.asked[0][2]
    with pytest.raises(SourceRefused, match=r"bad key \*\*\*"):
        generic_json.parse(payload)
    generic_json.fetch(asking(answers), request_for("l", {**options, "secret_param": "key"}, "k3y"))
    assert answers.asked[1][1] == {"key": "k3y"}


@pytest.mark.parametrize("nothing", ["", None, False, 0, [], {}])
def test_a_field_for_errors_that_holds_nothing_is_no_error(nothing: Any) -> None:
    assert read({"observations": [], "error": nothing}, error="/error") == []


def test_every_page_is_asked_with_the_key_that_travels_in_the_address() -> None:
    def page(query: dict[str, str]) -> Any:
        return {"observations": [], "next": "" if "page" in query else "?page=2"}

    answers = Answers(page)
    options = {"base_url": BASE, "next": "/next", "secret_param": "key"}
    assert len(generic_json.fetch(asking(answers), request_for("l", options, "k3y"))) == 2
    assert [query for _, query, _ in answers.asked] == [{"key": "k3y"}, {"page": "2", "key": "k3y"}]


def test_a_page_of_stations_that_nobody_asked_for_is_no_change_of_the_interface() -> None:
    others = [{"time": "2026-06-01T00:00:00Z", "site_id": "elsewhere", "observed_property": "pm25"}]
    assert read({"observations": others}, sites={"gate": "air_01"}) == []


def test_faults_of_a_server_keep_their_names() -> None:
    for answer, error in (
        ((503, b"", {}), SourceUnavailable),
        ((200, b"<html>", {}), SourceChanged),
        ((401, b'{"message": "who?"}', {}), SourceRefused),
    ):
        with pytest.raises(error):
            generic_json.fetch(asking(Answers(lambda _, told=answer: told)), request_for("l", {"base_url": BASE}))
    with pytest.raises(ConfigError, match="base_url"):
        generic_json.fetch(asking(Answers(lambda _: [])), request_for("l", {}))
