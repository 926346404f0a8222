"""A city whose hours a test directs: the storm of the demo city behind the real front door, obeying lines on stdin.

    python -m tests.browser.wall_stage PORT FOLDER

One JSON object per line is a wish, one per line the answer. The clock runs like any other and can be moved on; no
cycle runs unless it is asked for, so nothing happens that the test did not bring about. The folder keeps store, clock
and wall.toml: a server that was killed goes on in the same hour.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn

from alerts.deeds import Deed
from api.live import Hub
from core.access import Person
from core.alert import Alert, AlertEvent
from core.config import load_city
from core.errors import SourceUnavailable
from core.ledger import Ledger, Outcome
from core.outlook import Ahead, Crossing
from core.wall import load_wall
from pipeline import Line
from store.duck import DuckStore
from ui import brief, render, server

STARTS = datetime.fromisoformat("2026-11-19T17:30:00+07:00")  # the storm; it is looked at an hour later
STORY, STEP = timedelta(minutes=60), timedelta(minutes=15)
DUTY = Person(account="demo", name="Lê Thu Hà", role="supervisor", kind="demo")
WALL = """
[dwell_s]
overview = 5
traffic = 5
environment = 5
south = 5
[[scene]]
key = "south"
title_vi = "Phía nam: mưa và ngập"
title_en = "The south: rain and floods"
map = "rain"
tiles = [
  "rain_1h:rain_01", "flood_depth:flood_01", "rain_1h:rain_03", "flood_depth:flood_02", "river_level:river",
  "reports_60min:90007",
]
"""
SCREEN = """
[[screen]]
key = "{key}"
name_vi = "Màn hình {key}"
scenes = ["overview", "traffic", "environment", "south"]
width_mm = {width_mm}
watched = false
"""
SCREENS = {"man_1": 4000, "man_2": 4000, "near": 4000, "scale_125": 3000, "scale_150": 2560}


class MovedClock:
    """The machine's clock some hours on; the hours are kept in a file."""

    speed: float = 1.0

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = timedelta(seconds=float(file.read_text())) if file.is_file() else STARTS - datetime.now(UTC)
        self.advance(timedelta(0))

    def now(self) -> datetime:
        """The present as aware UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, span: timedelta) -> None:
        """Let that much time pass at once."""
        self._ahead += span
        self._file.write_text(str(self._ahead.total_seconds()))


class Stage:
    """What a test may wish for; every method answers with something that JSON can say."""

    def __init__(self, folder: Path) -> None:
        plan = folder / "wall.toml"
        plan.write_text(WALL + "".join(SCREEN.format(key=key, width_mm=wide) for key, wide in SCREENS.items()))
        fresh = not (folder / "stage.duckdb").is_file()
        city = replace(load_city("demo"), wall=load_wall(plan))
        self.clock = MovedClock(folder / "clock")
        store = DuckStore(folder / "stage.duckdb", zone=str(city.zone))
        self.line = Line(city, store, self.clock, scenario="evening_storm", scenario_start=STARTS)
        if fresh:
            self.line.run_once(60)
            for _ in range(STORY // STEP):
                self.clock.advance(STEP)
                self.line.run_once(60)
            (folder / "storm").write_bytes(pickle.dumps(self.line.snapshot.alerts))
        else:
            self.line.change(lambda _: Outcome())  # a first picture without a cycle
        self._stormy: tuple[Alert, ...] = pickle.loads((folder / "storm").read_bytes())  # noqa: S301 - our own
        self._fetching: dict[str, Any] = {}

    def calm(self) -> bool:
        """Every alert is over and seen."""
        return self._written([replace(one, active=False, acked=True, latched=False) for one in self._alerts()])

    def storm(self) -> bool:
        """The alerts of the storm again, all of them acknowledged: none takes the wall."""
        stormy = [replace(one, acked=True, value=self._now(one.rule, one.site_id, one.value)) for one in self._stormy]
        return self._written(stormy)

    def silent(self, hours: float) -> bool:
        """The storm's alerts, and so long no source has sent anything; call it again with fewer hours to end it."""
        self.clock.advance(timedelta(hours=hours))
        return self.storm()

    def ring(self, *keys: str, minutes: float = 0.0, priority: str = "critical") -> float:
        """Alerts «rule:site», raised so many minutes ago. Returns the machine's time of their birth."""
        since, born = self.clock.now() - timedelta(minutes=minutes), time.time()
        alerts, events = [], []
        for rule, _, site_id in (key.partition(":") for key in keys):
            alerts.append(
                Alert(
                    rule=rule, site_id=site_id, active=True, acked=False, priority=priority,
                    value=self._now(rule, site_id, 45.0),
                    began_at=since, raised_at=since, seen_at=since,
                )
            )  # fmt: skip
            events.append(
                AlertEvent(
                    happened_at=since, rule=rule, site_id=site_id, state_before="NORM", state_after="UNACK",
                    priority=priority, value=45.0, deed="raise",
                )
            )  # fmt: skip
        self.line.change(lambda _: Outcome(alerts=alerts, events=events))
        return born

    def acknowledge(self, key: str) -> float:
        """Somebody at the desk does. Returns the machine's time before that."""
        began = time.time()
        rule, _, site_id = key.partition(":")
        self.line.act(DUTY, Deed(action="acknowledge", keys=((rule, site_id),)))
        return began

    def put(self, scene: str, screen: str = "*") -> bool:
        """A scene by hand, for an hour."""
        until = self.clock.now() + timedelta(hours=1)
        self.line.act(DUTY, Deed(action="show_on_wall", screen=screen, scene=scene, until=until))
        return True

    def release(self) -> bool:
        """Whatever was put on a screen is taken off."""
        now = self.clock.now()

        def change(ledger: Ledger) -> Outcome:
            return Outcome(switches=[replace(one, until=now) for one in ledger.switches.values() if one.until > now])

        self.line.change(change)
        return True

    def foresee(self, *crossings: tuple[str, str, float, float]) -> bool:
        """Forecasts that were just made: (property, site, limit, in how many minutes it is crossed)."""
        self.line.forecasts._outlook = tuple(self._ahead(*one) for one in crossings)
        self.line.change(lambda _: Outcome())
        return True

    def _ahead(self, key: str, site_id: str, limit: float, minutes: float) -> Ahead:
        now = self.clock.now()
        at = now + timedelta(minutes=minutes)
        return Ahead(
            observed_property=key, site_id=site_id, model="lagged", issued_at=now, made_at=now, times=(at,),
            middle=(limit,), low=(limit,), high=(limit,), mae=1.0, naive_mae=2.0, coverage_pct=80.0, tests=100,
            crossing=Crossing(level="warning", limit=limit, at=at, earliest=now + timedelta(minutes=minutes / 2)),
        )  # fmt: skip

    def rename(self, kind: str, *names: str) -> list[str]:
        """Other names for the sites of a kind, in turn. Returns those that they had."""
        sites = self.line.city.sites
        chosen = sites.index[sites["kind"] == kind]
        before = list(sites.loc[chosen, "name_vi"])
        sites.loc[chosen, "name_vi"] = [names[number % len(names)] for number in range(len(chosen))]
        self.line.change(lambda _: Outcome())
        return before

    def spoil(self) -> bool:
        """The leader's brief has a defect from now on."""

        def page(_: object) -> None:
            raise ZeroDivisionError("<b>a secret of the server</b>")

        brief.page = page
        return True

    def stall(self, source: str) -> bool:
        """That source does not answer from now on."""

        def fetch(*_: object) -> None:
            raise SourceUnavailable("timed out after 10 s")

        feed = self._feed(source)
        self._fetching[source] = feed.module
        feed.module = SimpleNamespace(**{**vars(feed.module), "fetch": fetch})
        return True

    def mend(self, source: str) -> bool:
        """It answers again."""
        self._feed(source).module = self._fetching.pop(source)
        return True

    def advance(self, minutes: float, *, cycle: bool = False) -> bool:
        """So much time passes at once, and the line looks around."""
        self.clock.advance(timedelta(minutes=minutes))
        if cycle:
            self.line.run_once(60)
        else:
            self.line.change(lambda _: Outcome())
        return True

    def clock_text(self) -> str:
        """What the wall's clock should say."""
        return self.clock.now().astimezone(self.line.city.zone).strftime("%H:%M")

    def ticks(self, count: int, pause_s: float) -> dict[str, float]:
        """So many snapshots, a minute of the city apart, with figures that move; then what the server keeps."""
        line, first = self.line, self.line.snapshot
        for number in range(1, count + 1):
            self.clock.advance(timedelta(minutes=1))
            sway = 1 + 0.1 * (number % 7)
            readings = {key: replace(one, value=one.value * sway) for key, one in first.readings.items()}
            with line._published:
                line.snapshot = replace(
                    first, number=line.snapshot.number + 1, made_at=self.clock.now(), readings=readings
                )
                line._published.notify_all()
            for heard in line._hearers:
                heard()
            time.sleep(pause_s)
        held = self.kept()
        self.clock.advance(-timedelta(minutes=count))  # the next story begins in the same hour
        line.change(lambda _: Outcome())
        return held

    def kept(self) -> dict[str, float]:
        """How much the server holds for its screens."""
        gc.collect()
        return {
            "number": self.line.snapshot.number,
            "pictures": len(render._KEPT),
            "frames": sum(len(one._frames) for one in gc.get_objects() if isinstance(one, Hub)),
            "tickets": len(server.TICKETS._feeds),
            "memory_mb": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        }

    def _alerts(self) -> tuple[Alert, ...]:
        return tuple(self.line.store.read_ledger().values())

    def _now(self, rule: str, site_id: str, otherwise: float | None) -> float | None:
        """What the card must say beside the row of the same figure."""
        known = self.line.snapshot.rules[rule]
        found = self.line.snapshot.reading(known.observed_property, site_id) if known.in_unit_of_property else None
        return otherwise if found is None else found.value

    def _written(self, alerts: list[Alert]) -> bool:
        self.line.change(lambda _: Outcome(alerts=alerts))
        return True

    def _feed(self, source: str) -> Any:
        return next(feed for feed in self.line.feeds.all if feed.source.key == source)


def obey(stage: Stage) -> None:
    """Do what is read until the test goes away."""
    for words in sys.stdin:
        wish = json.loads(words)
        answer = getattr(stage, wish["do"])(*wish["given"], **wish["named"])
        print(json.dumps(answer), flush=True)
    os._exit(0)


def main() -> int:
    """Serve until the process is ended."""
    stage = Stage(Path(sys.argv[2]))
    server.install(stage.line)
    import dashboard  # the server's front door; it finds the installed line

    threading.Thread(target=obey, args=(stage,), daemon=True).start()
    uvicorn.run(dashboard.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
