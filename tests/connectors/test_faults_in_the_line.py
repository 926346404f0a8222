"""A bad hour of every server at once, seen by a whole line: one source goes on, and sixteen fall and come back.

Every HTTP connector is asked at the replay server, which plays one fault after the other; a rain service beside them
is well all the time. Time is set by the tests and nobody sleeps. The replay server lies outside the repository.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import load
from core.config import ConfiguredSource, load_city
from core.i18n import Translator
from core.snapshot import SourceState
from cycle.feeds import ASK_AGAIN
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.connectors.asking import Answers
from tests.connectors.test_recordings import ASKED, BINARY, CHANGED, HARMLESS, UNAVAILABLE, Steered
from tests.rule_texts import HEAVY_RAIN, SOURCE_SILENT

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILES = {
    "city": """
name_vi = "Phường Thử"
name_en = "Test ward"
latitude = 21.27
longitude = 106.19
[overview]
environment = ["rain_1h:worst"]
""",
    "areas": """
[[area]]
code = "07654"
kind = "phường"
name_vi = "Phường 1"
""",
    "sites": """
[[site]]
site_id = "bac_giang"
kind = "city"
name_vi = "Toàn địa bàn"
latitude = 21.27
longitude = 106.19
[[site]]
site_id = "07654"
kind = "area"
name_vi = "Phường 1"
area = "07654"
latitude = 21.28
longitude = 106.2
[[site]]
site_id = "road_01"
kind = "road_segment"
name_vi = "Hùng Vương"
area = "07654"
latitude = 21.2731
longitude = 106.1946
length_km = 1.0
free_flow_kmh = 50.0
arterial = true
[[site]]
site_id = "gauge_1"
kind = "rain_gauge"
name_vi = "Trạm 1"
area = "07654"
""",
    "sources": "",
    "alerts/heavy_rain": HEAVY_RAIN,
    "alerts/source_silent": SOURCE_SILENT,
}


def source(key: str, connector: str, every: timedelta, **options: Any) -> ConfiguredSource:
    return ConfiguredSource(
        key=key, connector=connector, name_vi=f"Nguồn {key}", name_en=f"Source {key}", owner="", contact="",
        every=every, enabled=True, options=options,
    )  # fmt: skip


class House:
    """A line with a good rain service, whose rain is `mm` in ten minutes, and other sources at servers of a test."""

    def __init__(self, root: Path) -> None:
        for name, text in FILES.items():
            path = root / "config" / "ward" / f"{name}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.root, self.clock, self.mm = root, SetClock(NOON), 0.0
        self.line: Line | None = None
        self.others: dict[str, Any] = {}  # source -> the adapter that carries its requests

    def open(self, others: list[ConfiguredSource], carried_by: Callable[[str], Any]) -> Line:
        rain = source("rain", "generic_json", timedelta(minutes=1), base_url="https://rain.example.vn/latest")
        city = load_city("ward", root=self.root)
        object.__setattr__(city, "sources", (rain, *others))
        self.line = line = Line(city, DuckStore(city.store_path, zone=str(city.zone)), self.clock)
        line.feeds.pace.sleep = lambda seconds: None
        for feed in line.feeds.all:
            if feed.source.key == "rain":
                feed.http.mount("https://", Answers(self.rain))
            else:
                self.others[feed.source.key] = carried_by(feed.source.connector)
                feed.http.mount("http://", self.others[feed.source.key])
        return line

    def rain(self, query: object) -> dict[str, Any]:
        last = self.clock.now().replace(minute=self.clock.now().minute // 10 * 10)
        times = [last - timedelta(minutes=10 * back) for back in range(6)]
        return {
            "observations": [
                {"time": time.isoformat(), "site_id": "gauge_1", "observed_property": "rainfall", "value": self.mm,
                 "unit": "mm"}
                for time in times
            ]
        }  # fmt: skip

    def states(self) -> dict[str, SourceState]:
        assert self.line
        return {state.source.key: state for state in self.line.snapshot.sources}

    def alerts(self) -> set[tuple[str, str]]:
        assert self.line
        return {(alert.rule, alert.site_id) for alert in self.line.snapshot.open_alerts()}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.delenv("CITY_STORE", raising=False)
    house = House(tmp_path)
    yield house
    if house.line:
        house.line.stop()


def answers_of(connector: str) -> dict[str, str]:
    told = ASKED[connector][1]
    return {"": told} if isinstance(told, str) else told


def bad_hour(house: House, replay: str, fault: str) -> tuple[Line, list[str]]:
    """A quiet cycle, then an hour later one with the fault and with heavy rain. The keys of the sources that met it."""
    keys = [key for key in ASKED if not (fault == "badjson" and key in BINARY)]
    line = house.open(
        [source(f"the_{key}", key, HOUR, base_url=replay, **ASKED[key][0]) for key in keys],
        lambda connector: Steered(answers_of(connector)),
    )
    line.run_once(patience_s=60.0)
    assert all(state.up for state in house.states().values()), [one.error for one in house.states().values()]
    assert house.alerts() == set()
    house.clock.advance(HOUR)
    house.mm = 6.0
    for adapter in house.others.values():
        adapter.fault = fault
    line.run_once(patience_s=60.0)
    return line, [f"the_{key}" for key in keys]


def goes_on(house: House, number: int) -> None:
    """The rain service, its indicator and its alert are as if nobody else were there."""
    assert house.line
    shown, good = house.line.snapshot, house.states()["rain"]
    assert (shown.number, good.up, good.since, good.error, good.rows) == (number, True, NOON, "", 6)
    assert good.newest_at == house.clock.now().replace(minute=house.clock.now().minute // 10 * 10)
    rainfall, hourly = shown.reading("rainfall", "gauge_1"), shown.reading("rain_1h", "gauge_1")
    assert rainfall is not None
    assert hourly is not None
    assert (rainfall.value, rainfall.received_at) == (6.0, NOON + HOUR)
    assert (hourly.value, hourly.time) == (36.0, NOON + HOUR)
    assert ("heavy_rain", "gauge_1") in house.alerts()


@pytest.mark.parametrize("fault", [*UNAVAILABLE, *CHANGED])
def test_every_source_that_meets_a_fault_says_so_the_others_go_on_and_the_next_cycle_sees_it_well_again(
    house: House, replay: str, fault: str
) -> None:
    line, keys = bad_hour(house, replay, fault)
    goes_on(house, number=2)
    kind, t = "unavailable" if fault in UNAVAILABLE else "changed", Translator("vi")
    for key in keys:
        state = house.states()[key]
        assert (state.up, state.since, state.error_kind) == (False, NOON + HOUR, kind), (key, state.error)
        assert state.error.startswith("127.0.0.1"), key
        assert len(state.error.splitlines()) == 1
        assert t(f"source.error_{kind}") != f"source.error_{kind}"
        assert ("source_silent", key) in house.alerts()
        silent = line.snapshot.reading("source_up", key)
        assert silent is not None
        assert silent.value == 0.0
    assert ("source_silent", "rain") not in house.alerts()

    for adapter in house.others.values():
        adapter.fault = ""
    house.clock.advance(line.city.cycle)
    line.run_once(patience_s=60.0)
    goes_on(house, number=3)
    for key in keys:
        state = house.states()[key]
        assert (state.up, state.since, state.error) == (True, NOON + HOUR + line.city.cycle, ""), (key, state.error)
        assert state.rows + state.set_aside > 0 or load(state.source.connector).SOURCE.static, key


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_packed_reply_and_a_redirect_on_the_same_host_are_no_fault(house: House, replay: str, fault: str) -> None:
    _, keys = bad_hour(house, replay, fault)
    goes_on(house, number=2)
    for key in keys:
        state = house.states()[key]
        assert (state.up, state.since, state.error) == (True, NOON, ""), key
        assert state.tried_at == NOON + HOUR


class Refusing(Steered):
    """The server does not take our key: nothing that a minute would mend."""

    def send(self, request: Any, **sending: Any) -> Any:
        return Answers(lambda query: (403, b'{"message": "no"}', {})).send(request)


def test_a_refusal_is_not_asked_again_in_every_cycle(house: House) -> None:
    """A wrong key that is shown to a server every minute gets an address barred."""
    options = {"base_url": "http://127.0.0.1:9", **ASKED["ckan"][0]}
    line = house.open([source("no", "ckan", HOUR, **options)], lambda connector: Refusing({}))
    line.run_once(patience_s=60.0)
    first = house.states()["no"]
    assert (first.up, first.error_kind, first.tried_at) == (False, "refused", NOON)
    house.clock.advance(ASK_AGAIN - timedelta(seconds=1))
    line.run_once(patience_s=60.0)
    assert house.states()["no"].tried_at == NOON
    house.clock.advance(timedelta(seconds=1))
    line.run_once(patience_s=60.0)
    assert house.states()["no"].tried_at == NOON + ASK_AGAIN


def test_every_turn_of_a_source_has_its_own_time_and_room(house: House) -> None:
    """A session lives as long as the house: what an hour of turns took must not count for the next one."""
    options = {"base_url": "http://127.0.0.1:9"}
    line = house.open(
        [source("many", "generic_json", timedelta(minutes=1), **options)],
        lambda connector: Answers(lambda query: {"observations": []}),
    )
    feed = line.feeds.all[-1]
    for _ in range(2):
        feed.http.turn_ends_at, feed.http.turn_bytes = 0.0, 0  # type: ignore[attr-defined]
        line.run_once(patience_s=60.0)
        assert house.states()["many"].up, house.states()["many"].error
        house.clock.advance(timedelta(minutes=1))


class Hung(Steered):
    """A server that takes the connection and then says nothing."""

    def __init__(self, let_go: threading.Event) -> None:
        super().__init__({})
        self.let_go = let_go

    def send(self, request: Any, **sending: Any) -> Any:
        self.let_go.wait(60)
        return Answers(lambda query: {"observations": []}).send(request)


def test_many_servers_that_hang_at_once_hold_up_nobody_else(house: House) -> None:
    """Twelve of them, each with a thread that waits: the thirteenth is asked in the same cycle all the same."""
    let_go = threading.Event()
    hung = [source(f"hung_{number}", "generic_json", HOUR, base_url="http://127.0.0.1:9") for number in range(12)]
    line = house.open(hung, lambda connector: Hung(let_go))
    line.feeds.all.append(line.feeds.all.pop(0))  # the good one is asked last
    good = line.feeds.all[-1]
    try:
        line.feeds.ask(0.0)
        assert good.running
        assert wait([good.running], timeout=30).done, "it must not queue behind servers that say nothing"
        line.feeds.take_answers()
        assert good.state.up
        assert [feed.state.up for feed in line.feeds.all[:-1]] == [None] * 12
    finally:
        let_go.set()
