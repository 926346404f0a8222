"""The line as stories: a ward with two gauges and a road, sources and a clock that a test holds in its hand."""

from __future__ import annotations

import concurrent.futures
import logging
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import connectors
import pipeline
from alerts import deeds
from alerts.refusals import Refused
from connectors import FetchRequest, Payload
from control.drills import Drill
from core import observations as obs
from core.access import Denied, Person
from core.catalogue import Source
from core.config import ConfiguredSource, load_city
from core.errors import ConfigError, InputError, SourceRefused, SourceUnavailable, StoreBusy, StoreError
from cycle import feeds
from cycle.feeds import FIRST_FETCH, OVERLAP
from indicators import rain_24h
from pipeline import Line, main, open_line
from store.base import Written
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.rule_texts import HEAVY_RAIN, SOURCE_SILENT

NOW = datetime(2026, 9, 15, 10, 41, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CITY = """
name_vi = "Phường Thử"
name_en = "Test ward"
latitude = 21.0
longitude = 106.0
[overview]
environment = ["rain_1h:worst"]
"""
AREAS = """
[[area]]
code = "00001"
kind = "phường"
name_vi = "Phường Một"
"""
SITES = """
[[site]]
site_id = "ward"
kind = "city"
name_vi = "Toàn địa bàn"
[[site]]
site_id = "gauge_1"
kind = "rain_gauge"
name_vi = "Trạm 1"
area = "00001"
[[site]]
site_id = "gauge_2"
kind = "rain_gauge"
name_vi = "Trạm 2"
area = "00001"
[[site]]
site_id = "road"
kind = "road_segment"
name_vi = "Đường Một"
area = "00001"
length_km = 1.0
free_flow_kmh = 50.0
arterial = true
"""
SOURCES = """
[[source]]
key = "rain"
connector = "rain"
every_s = 60
[[source]]
key = "traffic"
connector = "traffic"
every_s = 60
"""


class Hand:
    """A connector in the hand of a test: it gives `rows`, or raises `trouble`; `asked` is what it was asked for."""

    def __init__(self, **described: Any) -> None:
        self.SOURCE = Source(key="hand", name="Hand", **described)
        self.rows: list[dict[str, Any]] = []
        self.trouble: Exception | None = None
        self.before: Callable[[], object] = lambda: None
        self.read: Callable[[Payload], Any] = lambda payload: obs.from_csv(payload.body.decode())
        self.files: dict[str, bytes] | None = None
        self.asked: list[FetchRequest] = []

    def fetch(self, http: object, request: FetchRequest) -> list[Payload]:
        self.asked.append(request)
        self.before()
        if self.trouble is not None:
            raise self.trouble
        files = {"reply": obs.to_csv(obs.frame(self.rows, source="?")).encode()} if self.files is None else self.files
        return [Payload(name=name, body=body) for name, body in files.items()]

    def parse(self, payload: Payload) -> pd.DataFrame:
        return self.read(payload)


class House:
    """A ward on a disk of its own, with its store, its clock and its sources."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = SetClock(NOW)
        self.rain, self.traffic = Hand(), Hand()
        self.hands: dict[str, Hand] = {"rain": self.rain, "traffic": self.traffic}
        folder = root / "config" / "ward"
        (folder / "alerts").mkdir(parents=True)
        for name, text in {"city": CITY, "areas": AREAS, "sites": SITES, "sources": SOURCES}.items():
            (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        (folder / "alerts" / "heavy_rain.toml").write_text(HEAVY_RAIN, encoding="utf-8")
        (folder / "alerts" / "source_silent.toml").write_text(SOURCE_SILENT, encoding="utf-8")
        self.open: list[Line] = []

    def line(self) -> Line:
        """The line on the ward's store, as after a start of the house."""
        city = load_city("ward", root=self.root)
        line = Line(city, DuckStore(city.store_path, zone=str(city.zone)), self.clock)
        self.open.append(line)
        return line

    def restart(self, line: Line) -> Line:
        line.stop()
        self.open.remove(line)
        return self.line()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.delenv("CITY_STORE", raising=False)
    house = House(tmp_path)
    monkeypatch.setattr(connectors, "load", lambda key: house.hands[key])
    yield house
    for line in house.open:
        line.stop()


def at(text: str) -> datetime:
    """«10:40» on the day of the stories, UTC."""
    return datetime.fromisoformat(f"2026-09-15T{text}+00:00")


def rain(mm: float, *times: str, site_id: str = "gauge_1") -> list[dict[str, Any]]:
    return [{"time": at(time), "site_id": site_id, "observed_property": "rainfall", "value": mm} for time in times]


HOUR = ("09:50", "10:00", "10:10", "10:20", "10:30", "10:40")


def speed(kmh: float, *times: str) -> list[dict[str, Any]]:
    return [{"time": at(time), "site_id": "road", "observed_property": "speed", "value": kmh} for time in times]


def stored(line: Line, key: str, site_id: str = "gauge_1", **more: Any) -> dict[str, float]:
    """Usable values of one series by their clock time."""
    rows = line.store.read_observations([key], at("00:00"), at("23:59"), [site_id], **more)
    rows = rows[rows["quality"].isin(obs.USABLE)]
    return {moment.strftime("%H:%M"): value for moment, value in zip(rows["time"], rows["value"], strict=True)}


def state(line: Line, key: str) -> Any:
    return next(one for one in line.snapshot.sources if one.source.key == key)


def open_alerts(line: Line) -> list[tuple[str, str, str]]:
    return [(alert.rule, alert.site_id, alert.state) for alert in line.snapshot.open_alerts()]


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if words in record.getMessage()]


# -- the tests themselves ---------------------------------------------------------------------------------------------


def test_the_tests_cannot_leave_this_machine() -> None:
    with pytest.raises(ConnectionRefusedError, match="offline"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(socket.gaierror, match="offline"):
        socket.create_connection(("example.org", 80), timeout=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(ConnectionRefusedError):
        sender.sendto(b"?", ("192.0.2.1", 53))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5):
        pass


# -- one cycle --------------------------------------------------------------------------------------------------------


def test_a_cycle_brings_readings_indicators_and_alerts(house: House) -> None:
    line = house.line()
    assert line.snapshot.number == 0
    assert not line.snapshot.readings
    assert [one.up for one in line.snapshot.sources] == [None, None]
    house.rain.rows = rain(6.0, *HOUR) + rain(0.0, *HOUR, site_id="gauge_2")
    house.traffic.rows = speed(20.0, "10:35", "10:40")
    shown = line.run_once()
    assert shown is line.snapshot
    assert shown.number == 1
    assert shown.made_at == NOW
    rainfall = shown.reading("rainfall", "gauge_1")
    assert rainfall is not None
    assert (rainfall.value, rainfall.source, rainfall.freshness) == (6.0, "rain", "fresh")
    assert (rainfall.age, rainfall.received_at) == (MINUTE, NOW)
    assert [(one.site_id, one.value) for one in shown.of("rain_1h")] == [("gauge_1", 36.0), ("gauge_2", 0.0)]
    assert shown.of("relative_speed")[0].value == pytest.approx(40.0)
    assert open_alerts(line) == [("heavy_rain", "gauge_1", "UNACK")]
    assert list(shown.journal["deed"]) == ["raise"]
    assert shown.rules["heavy_rain"].title == {"vi": "Mưa to", "en": "Heavy rain"}
    assert shown.rules["heavy_rain"].time_to_act == timedelta(minutes=30)
    assert [(one.up, one.since, one.rows, one.set_aside, one.error) for one in shown.sources] == [
        (True, NOW, 12, 0, ""),
        (True, NOW, 2, 0, ""),
    ]
    assert shown.reading("source_up", "rain") is not None
    assert list(shown.recent[("rainfall", "gauge_1")]["value"]) == [6.0] * 6


def test_a_source_is_asked_for_what_is_new_and_a_little_more(house: House) -> None:
    line = house.line()
    house.rain.rows = rain(1.0, *HOUR)
    line.run_once()
    house.clock.advance(MINUTE)
    line.run_once()
    first, second = house.rain.asked
    assert (first.source, first.until, first.since) == ("rain", NOW, NOW - FIRST_FETCH)
    assert (second.until, second.since) == (NOW + MINUTE, at("10:40") - OVERLAP)
    assert list(first.sites.index) == ["ward", "gauge_1", "gauge_2", "road"]


def test_a_source_is_not_asked_before_its_time(house: House) -> None:
    line = house.line()
    line.run_once()
    house.clock.advance(timedelta(seconds=59))
    line.run_once()
    assert len(house.rain.asked) == 1
    house.clock.advance(timedelta(seconds=1))
    line.run_once()
    assert len(house.rain.asked) == 2


def test_the_same_answer_again_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line = house.line()
    house.rain.rows = rain(6.0, *HOUR)
    house.traffic.rows = speed(20.0, "10:40")
    line.run_once()
    before, done = line.snapshot, []
    write = line.store.write_observations

    def noted(rows: pd.DataFrame, received_at: datetime) -> Written:
        done.append(write(rows, received_at))
        return done[-1]

    monkeypatch.setattr(line.store, "write_observations", noted)
    house.clock.advance(MINUTE)
    line.run_once()
    assert len(house.rain.asked) == 2
    assert sum(one.unchanged for one in done) >= 7
    assert [(one.new, one.revised, dict(one.earliest)) for one in done] == [(0, 0, {})] * len(done)
    assert line.snapshot.alerts == before.alerts
    assert len(line.snapshot.journal) == len(before.journal)
    assert line.snapshot.number == before.number + 1


def test_bad_rows_are_set_aside_and_counted_and_the_source_is_up(house: House) -> None:
    line = house.line()
    house.rain.rows = [
        *rain(1.0, "10:40"),
        *rain(-999.0, "10:30"),
        *rain(1.0, "10:40", site_id="gauge_l"),
        {**rain(1.0, "10:40")[0], "time": at("10:40") + timedelta(hours=7)},
    ]
    line.run_once()
    rainy = state(line, "rain")
    assert (rainy.up, rainy.rows, rainy.set_aside) == (True, 1, 3)
    aside = line.store.read_set_aside(at("00:00"))
    assert sorted(aside["reason"]) == ["below_plausible_range", "time_in_the_future", "unknown_site"]
    assert set(aside["source"]) == {"rain"}
    assert stored(line, "rainfall") == {"10:40": 1.0}


# -- sources that fail ------------------------------------------------------------------------------------------------


def test_a_failing_source_leaves_the_others_alone_and_says_since_when_and_why(house: House) -> None:
    line = house.line()
    house.rain.trouble = SourceRefused("gauges.example: HTTP 403: check key, address and options")
    house.traffic.rows = speed(20.0, "10:40")
    line.run_once()
    house.clock.advance(5 * MINUTE)
    line.run_once()
    broken, other = state(line, "rain"), state(line, "traffic")
    assert (broken.up, broken.since, broken.tried_at) == (False, NOW, NOW + 5 * MINUTE)
    assert broken.error == "gauges.example: HTTP 403: check key, address and options"
    assert broken.error_kind == "refused"
    assert (other.up, other.error, other.error_kind) == (True, "", "")
    assert stored(line, "source_up", "rain") == {"10:40": 0.0, "10:45": 0.0}
    assert stored(line, "source_up", "traffic") == {"10:40": 1.0, "10:45": 1.0}
    assert ("source_silent", "rain", "UNACK") in open_alerts(line)
    assert line.snapshot.reading("relative_speed", "road") is not None


def test_a_failure_and_a_recovery_are_each_logged_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="line")
    line = house.line()
    house.rain.trouble = SourceUnavailable("no answer")
    for _ in range(5):
        line.run_once()
        house.clock.advance(5 * MINUTE)
    assert len(house.rain.asked) == 5
    assert said(caplog, "rain: ") == ["rain: not answering: no answer"]
    house.rain.trouble = None
    for _ in range(2):
        line.run_once()
        house.clock.advance(5 * MINUTE)
    assert said(caplog, "rain: ")[1:] == ["rain: answering again after 0:25:00"]
    assert (state(line, "rain").up, state(line, "rain").since) == (True, NOW + 25 * MINUTE)
    assert said(caplog, "traffic: ") == []


def test_a_server_that_asks_for_a_pause_gets_it(house: House) -> None:
    line = house.line()
    house.rain.trouble = SourceUnavailable("HTTP 429", retry_after_s=900)
    line.run_once()
    for minutes, asked in ((5, 1), (14, 1), (15, 2)):
        house.clock.set(NOW + minutes * MINUTE)
        line.run_once()
        assert len(house.rain.asked) == asked


def crash(*_: object) -> Any:
    raise KeyError("station")


def nothing(*_: object) -> Any:
    return None


def no_table(*_: object) -> Any:
    return pd.DataFrame({"when": ["10:40"], "mm": [1]})


@pytest.mark.parametrize("read", [crash, nothing, no_table], ids=["raises", "returns nothing", "returns another table"])
def test_a_bug_in_parse_is_that_sources_trouble_only(house: House, read: Callable[[object], Any]) -> None:
    line = house.line()
    house.rain.read = read
    house.traffic.rows = speed(20.0, "10:40")
    for _ in range(2):  # and not the end of the second cycle either
        line.run_once()
        house.clock.advance(5 * MINUTE)
    assert (state(line, "rain").up, state(line, "traffic").up) == (False, True)
    assert state(line, "rain").error
    house.rain.read = Hand().read
    house.rain.rows = rain(1.0, "10:40")
    line.run_once()
    assert state(line, "rain").up
    assert stored(line, "rainfall") == {"10:40": 1.0}


def test_a_bug_in_fetch_is_that_sources_trouble_only(house: House, caplog: pytest.LogCaptureFixture) -> None:
    line = house.line()
    house.rain.before = crash
    house.traffic.rows = speed(20.0, "10:40")
    line.run_once()
    assert state(line, "rain").up is False
    assert state(line, "rain").error == "KeyError in the connector"
    assert state(line, "rain").error_kind == "changed"
    assert state(line, "traffic").up
    assert any(record.exc_info for record in caplog.records)  # the developer's line, with its place


def test_of_several_files_a_broken_one_is_named_and_the_others_are_taken(house: House) -> None:
    house.hands["rain"] = files = Hand(kind="report", static=True)
    line = house.line()
    good = obs.to_csv(obs.frame(rain(1.0, "10:40"), source="?")).encode()
    reads: list[str] = []

    def read(payload: Payload) -> pd.DataFrame:
        reads.append(payload.name)
        if payload.name == "broken.csv":
            raise InputError("broken.csv: not a table")
        rows = obs.from_csv(payload.body.decode())
        rows.attrs["problems"] = ["good.csv: cell B7 is no number"]
        return rows

    files.read, files.files = read, {"good.csv": good, "broken.csv": b"?"}
    for _ in range(3):
        line.run_once()
        seen = state(line, "rain")
        assert (seen.up, seen.error) == (True, "")
        assert seen.problems == ("good.csv: cell B7 is no number", "broken.csv: not a table")
        house.clock.advance(MINUTE)
    assert reads.count("good.csv") == 1  # unchanged since: not read again, but what is wrong in it is still told
    assert reads.count("broken.csv") == 3
    files.files = {"good.csv": good.replace(b"1.0", b"2.0")}
    line.run_once()
    assert reads.count("good.csv") == 2
    assert stored(line, "rainfall") == {"10:40": 2.0}
    files.files = {"broken.csv": b"?"}
    house.clock.advance(MINUTE)
    line.run_once()
    assert (state(line, "rain").up, state(line, "rain").error) == (False, "broken.csv: not a table")


def test_a_column_that_nobody_reads_is_told_until_a_later_file_is_clean(house: House) -> None:
    """Monday's file has a mistyped head and Tuesday's has it right; a file of other figures mends nothing."""
    house.hands["rain"] = files = Hand(kind="report", static=True)
    line = house.line()

    def body(at: str, key: str = "rainfall") -> bytes:
        rows = obs.frame(rain(1.0, at), source="?")
        return obs.to_csv(rows.assign(observed_property=key)).encode()

    def read(payload: Payload) -> pd.DataFrame:
        rows = obs.from_csv(payload.body.decode())
        if payload.name.endswith("mistyped.csv"):
            rows.attrs["left_out"] = {"Tốc độ giò": f"{payload.name}: cột “Tốc độ giò”"}
        return rows

    def told() -> tuple[str, ...]:
        house.clock.advance(MINUTE)
        line.run_once()
        assert state(line, "rain").problems == (), "the rows of the file are good"
        return state(line, "rain").left_out

    files.read, files.files = read, {"z-mistyped.csv": body("10:20")}
    mistyped = "z-mistyped.csv: cột “Tốc độ giò”"
    assert told() == (mistyped,)
    assert told() == (mistyped,), "the file is known and not read again, but the column is still told"
    files.files = {**files.files, "levels.csv": body("10:30", "speed")}
    assert told() == (mistyped,), "other figures"
    files.files = {**files.files, "earlier.csv": body("10:10")}
    assert told() == (mistyped,), "a file of the past does not mend what came after it"
    files.files = {**files.files, "a-next.csv": body("10:40")}
    assert told() == (), "whatever the names: the later values count"
    files.files = {**files.files, "b-mistyped.csv": body("10:42")}
    assert told() == ("b-mistyped.csv: cột “Tốc độ giò”",), "told once, of the newest file"


def test_a_slow_source_does_not_hold_the_cycle(house: House) -> None:
    line, answer = house.line(), threading.Event()
    house.rain.before = partial(answer.wait, 30)
    house.rain.rows = rain(6.0, *HOUR)
    line.run_once(patience_s=0.0)
    assert state(line, "rain").up is None
    assert stored(line, "rainfall") == {}
    answer.set()
    line.run_once(patience_s=30.0)
    assert state(line, "rain").up


def test_what_comes_after_the_cycle_is_taken_in_the_next_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line, answer = house.line(), threading.Event()

    def until_one_is_done(futures: list[Any], timeout: float | None = None) -> Any:
        return concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_COMPLETED)

    monkeypatch.setattr(feeds, "wait", until_one_is_done)
    house.rain.before = partial(answer.wait, 30)
    house.rain.rows = rain(6.0, *HOUR)
    house.traffic.rows = speed(20.0, "10:40")
    line.run_once()
    assert (state(line, "rain").up, state(line, "traffic").up) == (None, True)
    assert line.snapshot.reading("relative_speed", "road") is not None
    slow = next(feed.running for feed in line.feeds.all if feed.running)
    answer.set()
    assert concurrent.futures.wait([slow], 30).done
    line.run_once()
    assert len(house.rain.asked) == 1
    assert state(line, "rain").up
    assert open_alerts(line) == [("heavy_rain", "gauge_1", "UNACK")]


# -- late and revised rows --------------------------------------------------------------------------------------------


def test_late_rows_compute_their_indicators_again_from_that_time_on(house: House) -> None:
    line = house.line()
    house.rain.rows = rain(
        1.0, "09:00", "09:10", "09:20", "09:30", "09:40", "09:50", "10:10", "10:20", "10:30", "10:40"
    )
    line.run_once()
    before = stored(line, "rain_1h")
    house.clock.advance(MINUTE)
    house.rain.rows = rain(9.0, "10:00")
    line.run_once()
    after = stored(line, "rain_1h")
    assert before["09:50"] == after["09:50"] == 6.0
    assert (before["10:10"], after["10:10"]) == (5.0, 14.0)
    assert (before["10:40"], after["10:40"]) == (5.0, 14.0)
    assert stored(line, "rain_1h", as_known_at=NOW) == before


def test_a_correction_of_the_source_is_a_revision(house: House) -> None:
    line = house.line()
    house.rain.rows = rain(6.0, *HOUR)
    line.run_once()
    house.clock.advance(MINUTE)
    house.rain.rows = rain(6.0, *HOUR[:-1]) + rain(0.5, "10:40")  # «the tipping bucket was knocked»
    line.run_once()
    assert stored(line, "rainfall")["10:40"] == 0.5
    assert stored(line, "rainfall", as_known_at=NOW)["10:40"] == 6.0
    assert stored(line, "rain_1h")["10:40"] == 30.5
    assert stored(line, "rain_1h", as_known_at=NOW)["10:40"] == 36.0


def test_a_period_that_ends_after_its_last_row_gets_its_result(house: House) -> None:
    """A logger that reports at :38 belongs to the five minutes that end at :40, and no row ever comes at :40."""
    house.clock.set(at("10:39"))
    line = house.line()
    house.traffic.rows = speed(20.0, "10:38")
    line.run_once()
    assert stored(line, "relative_speed", "road") == {}
    house.clock.set(at("10:40"))
    line.run_once()
    assert stored(line, "relative_speed", "road") == {"10:40": pytest.approx(40.0)}
    house.clock.set(at("10:44"))
    house.traffic.rows = speed(25.0, "10:43")
    line.run_once()
    house.clock.set(at("10:49"))
    house.traffic.rows = speed(30.0, "10:48")  # the house was busy at :45
    line.run_once()
    assert list(stored(line, "relative_speed", "road").values()) == [40.0, pytest.approx(50.0)]


def test_an_hour_of_rain_waits_for_its_last_reading(house: House) -> None:
    """At 10:50 the gauge's own ten minutes are still on their way: five of six readings would tell too little rain.

    When the reading never comes, the hour is told once it is late by the catalogue's own measure.
    """
    line = house.line()
    house.rain.rows = rain(7.0, *HOUR)
    line.run_once()
    house.rain.rows = []
    house.clock.set(at("10:50") + MINUTE)
    line.run_once()
    assert list(stored(line, "rain_1h"))[-1] == "10:40"
    house.clock.set(at("10:50") + 5 * MINUTE)
    house.rain.rows = rain(7.0, "10:50")
    line.run_once()
    assert list(stored(line, "rain_1h").items())[-2:] == [("10:40", 42.0), ("10:50", 42.0)]
    house.rain.rows = []
    house.clock.set(at("11:20") + MINUTE)
    line.run_once()
    assert stored(line, "rain_1h")["11:00"] == 35.0


def test_a_logger_whose_clock_runs_fast_is_computed_when_its_time_comes(house: House) -> None:
    house.clock.set(at("10:38"))
    line = house.line()
    house.traffic.rows = speed(20.0, "10:40")
    line.run_once()
    assert stored(line, "speed", "road") == {"10:40": 20.0}
    assert stored(line, "relative_speed", "road") == {}
    house.clock.set(at("10:40"))
    line.run_once()
    assert stored(line, "relative_speed", "road") == {"10:40": pytest.approx(40.0)}


def test_a_defect_of_one_indicator_does_not_blind_the_city(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = house.line()
    monkeypatch.setattr(rain_24h, "compute", crash)
    house.rain.rows = rain(6.0, *HOUR)
    for _ in range(3):
        line.run_once()
        house.clock.advance(10 * MINUTE)
    assert stored(line, "rain_24h") == {}
    assert open_alerts(line) == [("heavy_rain", "gauge_1", "UNACK")]
    assert said(caplog, "failed") == ["rain_24h: the indicator failed; the others go on"]


# -- stops and starts -------------------------------------------------------------------------------------------------


def fail_for(line: Line, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the disk is full whenever that property is written."""
    write = line.store.write_observations

    def full(rows: pd.DataFrame, received_at: datetime) -> Written:
        if key in set(rows["observed_property"]):
            raise StoreError("the disk is full")
        return write(rows, received_at)

    monkeypatch.setattr(line.store, "write_observations", full)


def test_a_crash_between_rows_and_indicators_is_made_good_at_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = house.line()
    fail_for(line, "rain_1h", monkeypatch)
    house.rain.rows = rain(6.0, *HOUR)
    with pytest.raises(StoreError):
        line.run_once()
    assert stored(line, "rainfall")["10:40"] == 6.0
    assert stored(line, "rain_1h") == {}
    line = house.restart(line)
    house.rain.rows = []  # the source has nothing new to say
    line.run_once()
    assert stored(line, "rain_1h")["10:40"] == 36.0
    assert open_alerts(line) == [("heavy_rain", "gauge_1", "UNACK")]


def test_rows_that_come_with_the_start_do_not_hide_the_gap_before_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.clock.set(at("10:11"))
    line = house.line()
    house.rain.rows = rain(1.0, "08:50", "09:00", "09:10", "09:20", "09:30", "09:40", *HOUR[:3])
    line.run_once()
    fail_for(line, "rain_1h", monkeypatch)
    house.clock.set(at("10:31"))
    house.rain.rows = rain(1.0, "10:20", "10:30")
    with pytest.raises(StoreError):
        line.run_once()
    line = house.restart(line)
    house.clock.set(at("10:41"))
    house.rain.rows = rain(1.0, "10:40")
    line.run_once()
    assert [stored(line, "rain_1h").get(time) for time in ("10:10", "10:20", "10:30", "10:40")] == [6.0] * 4


def test_late_rows_before_a_crash_are_not_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line = house.line()
    house.rain.rows = rain(1.0, *HOUR)
    line.run_once()
    fail_for(line, "rain_1h", monkeypatch)
    house.clock.advance(MINUTE)
    house.rain.rows = rain(7.0, "10:00")  # corrected
    with pytest.raises(StoreError):
        line.run_once()
    line = house.restart(line)
    line.run_once()
    after = stored(line, "rain_1h")
    assert (after["10:30"], after["10:40"]) == (11.0, 12.0)


def test_a_cycle_that_failed_is_made_good_by_the_next_one(house: House) -> None:
    line = house.line()
    line.run_once()
    house.clock.advance(MINUTE)
    house.rain.rows = rain(6.0, *HOUR)
    with pytest.MonkeyPatch.context() as patch:
        fail_for(line, "rain_1h", patch)
        with pytest.raises(StoreError):
            line.run_once()
    house.rain.rows = []
    house.clock.advance(MINUTE)
    line.run_once()
    assert stored(line, "rain_1h")["10:40"] == 36.0


def test_after_a_restart_a_silent_source_is_still_silent_since_then(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    line = house.line()
    house.rain.rows = rain(1.0, *HOUR)
    line.run_once()
    house.rain.trouble = SourceUnavailable("no answer")
    for minutes in (5, 10):
        house.clock.set(NOW + minutes * MINUTE)
        line.run_once()
    line = house.restart(line)
    broken = state(line, "rain")
    assert (broken.up, broken.since) == (False, at("10:46"))
    assert (broken.newest_at, broken.received_at) == (at("10:40"), NOW)
    assert state(line, "traffic").up is None
    house.clock.set(NOW + 15 * MINUTE)
    line.run_once()
    assert (state(line, "rain").since, state(line, "rain").error) == (at("10:46"), "no answer")
    assert len(said(caplog, "not answering")) == 1


def test_what_was_known_is_on_the_screens_before_the_first_cycle(house: House) -> None:
    line = house.line()
    house.rain.rows = rain(6.0, *HOUR)
    line.run_once()
    house.clock.advance(timedelta(hours=1))
    line = house.restart(line)
    old = line.snapshot.reading("rainfall", "gauge_1")
    assert line.snapshot.number == 0
    assert old is not None
    assert (old.freshness, old.live, old.age) == ("old", False, timedelta(minutes=61))
    assert open_alerts(line) == [("heavy_rain", "gauge_1", "UNACK")]


# -- operators --------------------------------------------------------------------------------------------------------

FIRST, SECOND = ("heavy_rain", "gauge_1"), ("heavy_rain", "gauge_2")


@pytest.fixture
def storm(house: House) -> Line:
    """Two alerts stand."""
    line = house.line()
    house.rain.rows = rain(6.0, *HOUR) + rain(7.0, *HOUR, site_id="gauge_2")
    line.run_once()
    assert len(line.snapshot.open_alerts()) == 2
    return line


def test_a_deed_is_on_the_screens_at_once_and_outlives_a_restart(house: House, storm: Line) -> None:
    number = storm.snapshot.number
    (event,) = storm.change(partial(deeds.acknowledge, keys=[FIRST], actor="Hà", now=NOW)).events
    assert (event.deed, event.actor) == ("acknowledge", "Hà")
    assert storm.snapshot.number == number + 1
    assert ("heavy_rain", "gauge_1", "ACKED") in open_alerts(storm)
    assert storm.snapshot.journal["deed"].iloc[0] == "acknowledge"
    house.clock.advance(MINUTE)
    again = house.restart(storm)
    for _ in range(2):
        assert sorted(open_alerts(again)) == [("heavy_rain", "gauge_1", "ACKED"), ("heavy_rain", "gauge_2", "UNACK")]
        again.run_once()
    (acked,) = [alert for alert in again.snapshot.alerts if alert.key == FIRST]
    assert (acked.acked_by, acked.acked_at) == ("Hà", NOW)


def test_two_people_and_the_engine_at_the_same_moment_lose_nothing(house: House, storm: Line) -> None:
    together = threading.Barrier(3)

    def act(key: tuple[str, str], actor: str) -> None:
        together.wait(30)
        storm.change(partial(deeds.acknowledge, keys=[key], actor=actor, now=NOW))

    house.clock.advance(MINUTE)
    with concurrent.futures.ThreadPoolExecutor(2) as people:
        done = [people.submit(act, FIRST, "Hà"), people.submit(act, SECOND, "Bảo")]
        together.wait(30)
        storm.run_once()
        assert [one.result(30) for one in done] == [None, None]
    assert {alert.key: alert.acked_by for alert in storm.store.read_alerts() if alert.active} == {
        FIRST: "Hà",
        SECOND: "Bảo",
    }
    journal = storm.store.read_journal(at("00:00"))
    assert sorted(journal.loc[journal["deed"] == "acknowledge", "actor"]) == ["Bảo", "Hà"]
    assert {one[2] for one in open_alerts(storm)} == {"ACKED"}


def test_a_deed_that_is_refused_changes_nothing(storm: Line) -> None:
    before, journal = storm.snapshot, len(storm.store.read_journal(at("00:00")))
    with pytest.raises(Refused):
        storm.change(partial(deeds.acknowledge, keys=[FIRST, ("heavy_rain", "gauge_9")], actor="Hà", now=NOW))
    with pytest.raises(Refused):
        storm.change(partial(deeds.acknowledge, keys=[FIRST], actor=" ", now=NOW))
    assert storm.snapshot is before
    assert tuple(storm.store.read_alerts()) == before.alerts
    assert len(storm.store.read_journal(at("00:00"))) == journal


def test_an_alert_goes_out_as_cap_once_the_gate_allows_it_and_each_message_follows_the_one_before(
    house: House, storm: Line
) -> None:
    hands = Person(account="ha", name="Hà", role="operator", areas=frozenset({"00001"}))
    with pytest.raises(ConfigError, match="cap_sender"):
        storm.export_cap(hands, FIRST)
    storm.city = replace(storm.city, cap_sender="ioc.ward.example")
    with pytest.raises(Denied):
        storm.export_cap(replace(hands, areas=frozenset({"00002"})), FIRST)
    with pytest.raises(Denied):
        storm.export_cap(replace(hands, role="viewer"), FIRST)
    first = storm.export_cap(hands, FIRST).decode()
    assert "<msgType>Alert</msgType>" in first
    assert "<status>Exercise</status>" not in first
    house.clock.advance(MINUTE)
    second = storm.export_cap(hands, FIRST).decode()
    assert "<msgType>Update</msgType>" in second
    rows = storm.store.read_audit(at("00:00")).iloc[::-1]
    assert rows["result"].tolist() == ["refused", "denied", "denied", "done", "done"]
    assert set(rows["object"]) == {":".join(FIRST)}
    assert f"<references>{rows['reason'].tolist()[3]}</references>" in second
    house.clock.advance(MINUTE)
    storm.drill = Drill(scenario="s", shift="a", started_at=NOW, script=(), scores_path=house.root / "scores")
    assert "<status>Exercise</status>" in storm.export_cap(hands, FIRST).decode()


# -- for ever ---------------------------------------------------------------------------------------------------------


def test_the_thread_goes_on_after_a_bad_cycle_and_ends_when_told(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line, failed = house.line(), threading.Event()
    judge = line._judge

    def fail_once() -> None:
        if not failed.is_set():
            failed.set()
            raise StoreError("the disk is full")
        judge()

    monkeypatch.setattr(line, "_judge", fail_once)
    house.rain.rows = rain(6.0, *HOUR)
    line.start()
    assert failed.wait(30)
    line._wake.set()  # the minute is over
    assert line.wait_for(1, timeout_s=30).number == 1
    assert open_alerts(line) == [("heavy_rain", "gauge_1", "UNACK")]
    assert len(said(caplog, "cycle failed")) == 1
    line.stop()
    house.open.remove(line)
    assert line._thread is not None
    assert not line._thread.is_alive()
    DuckStore(line.city.store_path).close()  # the store is free again


def test_who_waits_for_a_picture_that_does_not_come_gets_the_newest(house: House) -> None:
    line = house.line()
    line.run_once()
    assert line.wait_for(7, timeout_s=0.0) is line.snapshot


# -- opening ----------------------------------------------------------------------------------------------------------


def test_an_unknown_connector_is_named_with_its_source(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(ConfigError) as caught:
        house.line()
    assert str(caught.value).startswith(
        "config/ward/sources.toml: [[source]] rain: there is no connector 'rain'; known are "
    )


@pytest.mark.parametrize(
    ("city", "given", "words"),
    [
        ("bac_giang", {"scenario": "evening_storm"}, "bac_giang is a real city"),
        ("demo", {"scenario": "evening_storm", "speed": 0.0}, "--speed 0: give a number from 1 to 600"),
        ("demo", {"scenario": "evening_storm", "speed": 1000.0}, "--speed 1000: give a number from 1 to 600"),
        ("demo", {"scenario": "evening_storm", "speed": float("nan")}, "--speed nan"),
        ("demo", {"speed": 60.0}, "--speed goes with --scenario"),
        ("demo", {"scenario": "../evening_storm"}, "evening_storm"),
        ("demo", {"scenario": "no_such"}, "no_such"),
        ("atlantis", {}, "CITY=atlantis: there is no folder config/atlantis"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, city: str, given: dict[str, Any], words: str
) -> None:
    monkeypatch.setenv("CITY_STORE", str(tmp_path / "city.duckdb"))
    with pytest.raises(InputError) as caught:
        open_line(city, **given)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_has_its_own_clock_and_its_own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_STORE", str(tmp_path / "city.duckdb"))
    (tmp_path / "city-evening_storm.duckdb.wal").write_bytes(b"of an earlier evening")
    line = open_line("demo", scenario="evening_storm", speed=600.0)
    try:
        assert (tmp_path / "city-evening_storm.duckdb").exists()
        assert not (tmp_path / "city.duckdb").exists()
        assert (line.snapshot.scenario, line.snapshot.speed) == ("evening_storm", 600.0)
        assert line.clock.now() < datetime.now(UTC) + timedelta(hours=6)
        request = line.feeds.request(line.feeds.all[0], line.clock.now())
        assert request.options["scenario"] == "evening_storm"
        start = datetime.fromisoformat(request.options["scenario_start"])
        assert start <= datetime.now(UTC)
        assert timedelta(0) <= line.snapshot.made_at - (start - timedelta(minutes=10)) < timedelta(days=1)
        line.run_once(60.0)
        assert line.quality.measure(line.clock.now()).spans, "an evening that is played has days in UTC like any other"
    finally:
        line.stop()


HOLD = """
import sys
from store.duck import DuckStore
stores = [DuckStore(path) for path in sys.argv[1:]]
print("open", flush=True)
sys.stdin.read()
"""


def test_a_store_that_another_process_holds_is_not_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_STORE", str(tmp_path / "city.duckdb"))
    played = tmp_path / "city-evening_storm.duckdb"
    command = [sys.executable, "-c", HOLD, str(tmp_path / "city.duckdb"), str(played)]
    root = Path(pipeline.__file__).parent
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"
        inode = played.stat().st_ino
        for given in ({}, {"scenario": "evening_storm"}):
            with pytest.raises(StoreBusy) as caught:
                open_line("demo", **given)
            assert f"is in use by another process (PID {other.pid})" in str(caught.value)
            assert "CITY_STORE" in str(caught.value)
        assert played.stat().st_ino == inode
        other.stdin.close()
        assert other.wait(30) == 0


# -- secrets and hosts ------------------------------------------------------------------------------------------------


def broker(key: str, host: str, secret: str = "") -> ConfiguredSource:
    return ConfiguredSource(
        key=key, connector="mqtt", name_vi=key, name_en=key, owner="", contact="", every=timedelta(minutes=1),
        enabled=True, options={"base_url": f"mqtts://{host}"}, secret=secret,
    )  # fmt: skip


def test_two_brokers_of_one_connector_do_not_share_a_secret(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MQTT_LOGIN", "user:s3cr3t")
    monkeypatch.setenv("WATER_LOGIN", "other:s3cr3t")
    city = load_city("demo")
    air = broker("air", "air.example.vn")
    with opened_store(tmp_path) as store:
        with pytest.raises(ConfigError, match=r"air and water would send one secret, MQTT_LOGIN") as caught:
            Line(replace(city, sources=(air, broker("water", "water.example.vn"))), store, clock)
        assert "s3cr3t" not in str(caught.value)
        line = Line(replace(city, sources=(air, broker("water", "water.example.vn", "WATER_LOGIN"))), store, clock)
        asked = {feed.source.key: line.feeds.request(feed, clock.now()) for feed in line.feeds.all}
        assert {key: one.secret_name for key, one in asked.items()} == {"air": "MQTT_LOGIN", "water": "WATER_LOGIN"}
        assert [feed.http.hosts for feed in line.feeds.all] == [{"air.example.vn"}, {"water.example.vn"}]
        line.feeds.stop()


@contextmanager
def opened_store(folder: Path) -> Iterator[DuckStore]:
    store = DuckStore(folder / "city.duckdb")
    try:
        yield store
    finally:
        store.close()


# -- command line -----------------------------------------------------------------------------------------------------


@pytest.fixture
def offline_pilot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pilot city on a new store; its connectors meet a dead network, and do not wait between their tries."""
    monkeypatch.setenv("CITY_STORE", str(tmp_path / "pilot.duckdb"))
    monkeypatch.setattr(connectors, "Pace", partial(connectors.Pace, sleep=lambda _: None))
    return tmp_path


def test_a_pilot_without_a_network_says_so_and_does_not_call_the_city_normal(offline_pilot: Path) -> None:
    line = open_line("bac_giang")
    try:
        shown = line.run_once(patience_s=60.0)
        remote = [one for one in shown.sources if one.source.connector != "spreadsheet"]
        assert len(remote) >= 3
        for one in remote:
            assert (one.up, one.error_kind) == (False, "unavailable")
            assert one.since >= one.tried_at
            assert one.error
            assert "?" not in one.error  # no query, so no key
        assert not any(reading.live for reading in shown.readings.values() if reading.item.domain != "operations")
        assert shown.open_alerts() == []  # not yet five minutes
    finally:
        line.stop()


def test_one_cycle_from_the_command_line(offline_pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--once", "--city", "bac_giang"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("bac_giang: ")
    assert " sources answering, " in err
    DuckStore(offline_pilot / "pilot.duckdb").close()  # given free


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--once", "--city", "atlantis"], "CITY=atlantis"),
        (["--once", "--city", "../config/demo"], "CITY=../config/demo"),
        (["--once", "--city", "demo", "--speed", "60"], "--speed goes with --scenario"),
        (["--once", "--city", "demo", "--scenario", "no_such"], "no_such"),
        (["--every", "0", "--city", "bac_giang"], "--every 0"),
        (["--every", "-5", "--city", "bac_giang"], "--every -5"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(
    offline_pilot: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert words in line


# -- the demo city ----------------------------------------------------------------------------------------------------


def test_the_demo_city_has_a_live_value_for_everything_on_its_first_screen(demo_line: Line) -> None:
    shown = demo_line.snapshot
    assert [one.source.key for one in shown.sources if not one.up] == []
    assert len(shown.sources) == len(demo_line.city.sources)
    for item in shown.catalogue.indicators():
        if item.first_screen:
            assert any(reading.live for reading in shown.of(item.key)), item.key
    assert shown.usual("relative_speed", demo_line.city.city_site, shown.made_at) is not None
    assert demo_line.store.verify() == []


# -- the wall is watched too ------------------------------------------------------------------------------------------

WALL = Person(account="wall-1", name="Màn hình tường", role="viewer", kind="wall")
FROZEN = ("wall_frozen", "wall", "UNACK")


@pytest.fixture
def watched(house: House) -> House:
    rule = Path(pipeline.__file__).parent / "config" / "demo" / "alerts" / "wall_frozen.toml"
    (house.root / "config" / "ward" / "alerts" / rule.name).write_text(rule.read_text("utf-8"), encoding="utf-8")
    return house


def cycle(house: House, line: Line) -> list[tuple[str, str, str]]:
    house.clock.advance(MINUTE)
    line.run_once()
    return [one for one in open_alerts(line) if one[0] == "wall_frozen"]


def test_a_wall_that_stops_painting_is_an_alert_with_its_name_and_ends_when_it_paints_again(watched: House) -> None:
    line = watched.line()
    assert cycle(watched, line) == [], "nobody has opened the wall yet"
    line.screens.join("wall", WALL, "v1", datetime.now(UTC) - timedelta(minutes=4))
    assert cycle(watched, line) == [FROZEN]
    (alert,) = line.snapshot.open_alerts()
    assert alert.value == pytest.approx(4, abs=0.2)
    assert line.city.site_name("wall", "vi") == "Màn hình tường"
    line.screens.join("wall", WALL, "v2", datetime.now(UTC))
    for _ in range(3):
        line.screens.beat("wall", "v2", {"painted": 9}, datetime.now(UTC))
        after = cycle(watched, line)
    assert after == [("wall_frozen", "wall", "RTNUN")]


def test_after_a_restart_of_the_house_the_wall_that_was_there_is_expected_back(watched: House) -> None:
    line = watched.line()
    line.screens.join("wall", WALL, "v1", datetime.now(UTC))
    cycle(watched, line)
    (state,) = watched.restart(line).screens.states()
    assert state.since is not None


def test_a_screen_that_is_not_watched_is_nobodys_trouble(watched: House) -> None:
    (watched.root / "config" / "ward" / "wall.toml").write_text(
        '[[screen]]\nkey = "wall"\nname_vi = "Sảnh"\nwatched = false\n', encoding="utf-8"
    )
    line = watched.line()
    line.screens.join("wall", WALL, "v1", datetime.now(UTC) - timedelta(minutes=4))
    assert cycle(watched, line) == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("on_time_rat", "city"), "'on_time_rat' is no property; did you mean 'on_time_rate'"),
        (("on_time_rate", "citi"), "'citi' is no pick; did you mean 'city'"),
        (("on_time_rate", "07999"), "'07999' is no pick"),
    ],
)
def test_a_mistyped_row_of_the_first_screen_is_refused(tmp_path: Path, row: tuple[str, str], words: str) -> None:
    """It would be missing there without a word, and nobody misses what was never seen."""
    city = replace(load_city("demo"), overview=(("services", (row,)),))
    store = DuckStore(tmp_path / "own.duckdb", zone=str(city.zone))
    with pytest.raises(ConfigError, match=re.escape(words)):
        Line(city, store)
    store.close()
