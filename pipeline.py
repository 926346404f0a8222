"""The line, once or for ever: connectors -> observations -> store -> indicators -> alerts -> snapshot.

    python pipeline.py --once               one cycle, then words about it on stderr
    python pipeline.py --every 60           for ever, every 60 seconds
    CITY=bac_giang python pipeline.py …     another city
    … --scenario evening_storm --speed 60   play a scenario of the demo city on its own clock and its own store
    … --scenario evening_storm --drill "Ca chiều"   the same as an exercise of a shift: watermarked and scored

Only this file knows the rooms below the screens. One writer thread runs the cycle; screens read its snapshot.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

import connectors
import indicators
from alerts import situations
from alerts.deeds import Deed
from alerts.desk import Desk, load_desk
from alerts.drill import Score
from alerts.engine import lookback, properties
from alerts.watch import go_round
from alerts.words import rule_words
from analysis.alarm_health import Report, report
from connectors import demo
from control import cap, dry_run, scope
from control.brief import Material
from control.briefs import Briefs
from control.casework import Casework
from control.citizens import Citizens
from control.drills import Beat, Drill, earlier
from control.forecasts import Forecasts
from control.gate import Gate
from control.intake import Examined, Intake
from control.links import Links
from control.maturity import Maturity
from control.pilots import Known, Pilots
from control.plans import Plans
from control.quality import QualityKeeper
from control.revisions import revised
from control.screens import Screens
from control.studies import Studies
from control.trials import TrialJob, Trials
from control.usage import Usage
from core import observations as obs
from core.access import Person
from core.alert import Alert, Key
from core.catalogue import Catalogue
from core.clock import Clock, ScenarioClock, SystemClock, floor, speed_of
from core.config import City, load_city, read_geometry
from core.errors import ConfigError, HouseError, InputError
from core.forms import Delivery, load_forms
from core.ledger import UNDELIVERED, Change, Item, Ledger, Outcome
from core.snapshot import Revised, SeriesFrames, Snapshot
from core.wall import resized
from cycle.beside import LayerTurns, QualityTurns
from cycle.computing import Computing
from cycle.feeds import SOURCE_HOUSE, Feeds
from cycle.readings import readings
from cycle.sheets import Sheets
from gis.faults import Fault
from gis.intake import Draft
from gis.layers import Layer, Shelf
from gis.live import FILE as LIVE_FILE
from gis.live import LiveLayers, load_served
from notices.courier import Courier
from notices.routes import load_routes
from store.base import Store
from store.duck import DuckStore

LOG = logging.getLogger("line")
ALERT_LOOKBACK = timedelta(hours=3)  # on a first start, older history is no news
ALERT_CATCH_UP = timedelta(hours=24)  # after a pause of the house, what happened meanwhile is judged
PATIENCE_S = 5.0  # a cycle waits so long for sources; whoever answers later is taken in the next one
MINUTE = timedelta(minutes=1)
ALARM_HEALTH_EVERY = timedelta(minutes=5)
BAND_EVERY = timedelta(hours=24)
HEALTH_DAYS = timedelta(days=30)
SCENARIO_LEAD = timedelta(minutes=10)  # calm before the story begins
HEALTH_BEFORE = timedelta(days=1)  # floods and standing alarms at the beginning are known
SCREEN_SILENCE = "screen_silence"
SCREEN_EXPECTED = timedelta(hours=24)  # a screen that lived so lately should come back after a restart


class Line:
    """One city's line: `run_once` is a cycle, `start` runs cycles in a thread, `snapshot` is the newest picture."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock | None = None,
        *,
        scenario: str = "",
        scenario_start: datetime | None = None,
        drill: Drill | None = None,
        http: connectors.Session | None = None,
    ) -> None:
        self.city = city
        self.store = store
        self.clock = clock or SystemClock()
        self.catalogue: Catalogue = indicators.catalogue()
        _check_overview(city, self.catalogue)
        self.desk: Desk = _at_speed(load_desk(city, self.catalogue), self.clock)
        self.drill = drill
        self._scenario = scenario
        self._scenario_start = scenario_start
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._published = threading.Condition()
        self._hearers: list[Callable[[], None]] = []
        self._cycle = threading.Lock()
        self._band_at: datetime | None = None
        self._screens_at: datetime | None = None
        self._geometry = read_geometry(city)
        self._rule_words = {rule.key: rule_words(rule) for rule in self.desk.rules}
        self._health: Report | None = None
        self._score: Score | None = None
        self._revised: Mapping[tuple[str, str], Revised] = {}
        self._health_of_alarms_at: datetime | None = None
        self._scopes: dict[frozenset[str], Snapshot] = {}
        seats = self.desk.roster.position_of
        self._positions = {rule.key: seats[rule.domain].key for rule in self.desk.rules if rule.domain in seats}
        self._cycles_min = {rule.key: rule.cycle / MINUTE for rule in self.desk.rules if rule.cycle}
        routes = load_routes(city.folder / "notices.toml", os.environ, city.reports_path)
        self.gate = Gate(
            city,
            store,
            self.clock,
            self.desk,
            routes,
            self._rule_words,
            drill=drill is not None,
            catalogue=self.catalogue,
        )
        self.sheets = Sheets(city, self.catalogue, self.clock)
        self.intake = Intake(
            city,
            store,
            self.clock,
            self.gate,
            self.catalogue,
            load_forms(city.folder / "forms.toml", city, self.catalogue),
            self.sheets.read,
        )
        store.write_dimensions(city, self.catalogue)
        served = load_served(city.folder / LIVE_FILE)
        self.feeds = Feeds(
            city,
            store,
            self.clock,
            self.catalogue,
            wake=self._wake.set,
            served=served,
            scenario=scenario,
            scenario_start=scenario_start,
            http=http,
        )
        self._rhythm = {one.source.key: one.source.every for one in self.feeds.states}
        self._rhythm |= {form.source: form.every for form in self.intake.forms}
        self._computing = Computing(city, store, self.clock)
        kinds = {state.source.key: state.kind for state in self.feeds.states}
        self.quality = QualityTurns(
            QualityKeeper(store, city, self.catalogue, kinds, self.intake.forms), lambda: self._band
        )
        self._by_hand: deque[Mapping[str, datetime]] = deque()  # what people delivered, until the cycle has seen it
        self.screens = Screens(city.wall.screens)
        self.shelf = Shelf(city.layers_path)
        self.live_layers = LiveLayers(self.shelf, served, self.feeds.ask_layer, city.zone, city.province)
        self.layer_turns = LayerTurns(self.live_layers)
        self._trials = Trials(store, self.clock, self.desk, lambda: self._band)
        self._pilots = Pilots(city)
        self.studies = Studies(self.clock)
        self.casework = Casework(
            city,
            store,
            self.clock,
            self.gate,
            self.studies,
            published=self.sheets.published_scores,
            pilots=self.pilots,
            quality=lambda: self.quality.newest,
        )
        self.links = Links(city, store, self.clock, self.catalogue, self.studies)
        self.forecasts = Forecasts(city, store, self.clock, self.catalogue, self.studies, lambda: self.snapshot)
        self.short_studies = Studies(self.clock)  # of seconds: they must not wait behind studies of minutes
        self.plans = Plans(
            city, store, self.clock, self.gate, self.catalogue, self.short_studies, undo_within=self.desk.undo_within
        )
        self.maturity = Maturity(city, store, self.clock, self.short_studies, lambda: self.snapshot, self.gate)
        self.usage = Usage(store, city.zone)
        self.citizens = Citizens(
            city,
            store,
            self.clock,
            self.gate,
            read_table=self.sheets.ratings,
            simulated=partial(demo.ratings, city) if city.simulated else None,
        )
        self._courier = Courier(store, routes, self.clock)
        self.briefs = Briefs(
            Material(
                city=city,
                catalogue=self.catalogue,
                store=store,
                words=self._rule_words,
                pilots=self._pilots.on,
                asked=self.plans.asked,
                ahead=self.forecasts.outlook,
                forecasting=self.forecasts.going,
                snapshot=lambda: self.snapshot,
                drill=drill is not None,
            ),
            self.clock,
            routes,
            change=self.gate.change,
            contacts=self.desk.roster.contacts,
            shift_at=self.desk.roster.shift_at,
            folder=city.reports_path,
            wake=self._courier.wake,
            scheduled=not scenario,
        )
        self._expect_screens()
        self._band = self._read_band()
        self._too_short = SeriesFrames(pd.DataFrame(columns=["observed_property", "site_id", "days"]), ["days"])
        self.snapshot: Snapshot = self._picture(number=0)

    # -- the line ---------------------------------------------------------------------------------------------------

    def run_once(self, patience_s: float = PATIENCE_S) -> Snapshot:
        """One cycle, in the order of the line. Sources that fail change their own state and nothing else."""
        with self._cycle:
            self.feeds.ask(patience_s)
            self._computing.changed(self.feeds.take_answers())
            self._computing.changed(self.feeds.write_health())
            self._write_screens()
            while self._by_hand:
                self._computing.changed(self._by_hand.popleft())
            self._computing.compute()
            self._judge()
            self._keep_house()
            return self._publish()

    def act(self, person: Person, deed: Deed) -> Outcome:
        """A person's deed through the gate; the new picture is published before this returns.

        Raises Denied or Refused (both InputError), which changed nothing and are in the audit log.
        """
        if deed.action in _BESIDE_THE_LEDGER:
            self.gate.pass_by(person, deed, lambda: self._beside(deed))
            outcome = Outcome()
        else:
            outcome = self.gate.act(person, deed)
        self._publish()
        self._courier.wake()
        return outcome

    def deliver(self, person: Person, seen: Examined, body: bytes, reason: str = "") -> Delivery:
        """A file that a person signed, through the gate; the next cycle computes what follows from it, at once.

        Raises Denied or InputError, which changed nothing and are in the audit log.
        """
        delivery, written = self.intake.deliver(person, seen, body, reason)
        self._by_hand.append(written.earliest)
        self._wake.set()
        self._publish()
        return delivery

    def consequences(self, seen: Examined) -> list[dry_run.Consequence]:
        """«Chạy thử»: what the indicators would say after this delivery. Reads only."""
        now = self.clock.now()
        coming = self.intake.rows_to_write(seen)
        computing = self._computing
        return dry_run.consequences(computing.indicators, coming, self.store.read_observations, computing.window, now)

    def change(self, change: Change) -> Outcome:
        """A change by the house itself, published at once."""
        outcome = self.gate.change(change)
        self._publish()
        return outcome

    def _beside(self, deed: Deed) -> None:
        """Deeds whose object is not in the ledger."""
        now = self.clock.now()
        if deed.action == "end_drill":
            if self.drill is None:
                raise InputError("Không có buổi diễn tập nào đang chạy.")
            self.drill.end(self.store, now, self._rule_words)
        elif deed.action == "resend_notice":
            self.store.settle_notice(deed.notice, state="queued", now=now, due_at=now, only_from=UNDELIVERED)
        else:
            self.store.settle_notice(deed.notice, state="dropped", now=now, only_from=(*UNDELIVERED, "queued"))

    def export_cap(self, person: Person, key: Key) -> bytes:
        """The CAP message of an alert, written down as handed over. Raises Denied, Refused, ConfigError."""
        now, drill = self.clock.now(), self.drill is not None
        made: list[cap.Message] = []

        def make() -> str:
            city, words, shapes = self.city, self._rule_words, self._geometry
            made.append(cap.message(self.store, city, words, key, now=now, exercise=drill, geometry=shapes))
            return made[0].reference

        self.gate.pass_by(person, Deed(action=cap.EXPORT, keys=(key,)), make)
        return made[0].xml

    def import_layer(self, person: Person, draft: Draft, layer: Layer) -> Layer:
        """Keep a version of a map layer. Raises Denied, or Fault where something is wrong with the file."""
        kept: list[Layer] = []

        def keep() -> str:
            self._must_be_a_file(layer.key)
            kept.append(self.shelf.put(layer, draft.features, by=person.name, now=self.clock.now()))
            return f"{layer.title}: v{kept[0].version}, {layer.features} features, sha256 {kept[0].digest}"

        self.gate.pass_by(person, Deed(action="import_layer", layer=layer.key), keep)
        return kept[0]

    def remove_layer(self, person: Person, key: str) -> None:
        """Take a map layer off the shelf; its versions stay on the disk. Raises Denied, or Fault."""

        def remove() -> str:
            self._must_be_a_file(key)
            gone = self.shelf.remove(key, by=person.name, now=self.clock.now())
            return f"{gone.title}: v{gone.version - 1}"

        self.gate.pass_by(person, Deed(action="remove_layer", layer=key), remove)

    def _must_be_a_file(self, key: str) -> None:
        """Raises Fault for a layer that a server gives: it would be back with the next reply."""
        if key in self.live_layers.served:
            raise Fault(
                f"lớp {key} được lấy từ máy chủ theo {LIVE_FILE}: sửa hoặc bỏ nó ở đó",
                f"the layer {key} comes from a server by {LIVE_FILE}: change it there",
            )

    def audit(self, person: Person, action: str, thing: str, result: str, reason: str = "") -> None:
        """Put a sign-in, an export or a denied page into the audit log."""
        self.gate.audit(person, action, thing, result, reason)

    def audit_rows(self, since: datetime, until: datetime | None = None) -> pd.DataFrame:
        """The audit log, newest first."""
        return self.store.read_audit(since, until, limit=_MOST_AUDIT_ROWS)

    def audit_state(self) -> tuple[int, str, list[str]]:
        """Number and hash of the newest entry, and what is wrong with the chain (nothing, it is hoped)."""
        number, head = self.store.audit_head()
        return number, head, self.store.verify_audit()

    def scoped(self, areas: frozenset[str] | None) -> Snapshot:
        """The newest picture, or the part of it that lies in the areas; made once per picture and scope."""
        snapshot = self.snapshot
        if areas is None:
            return snapshot
        known = self._scopes.get(areas)
        if known is None or known.number != snapshot.number:
            known = scope.scoped(snapshot, areas, self._items)
            if len(self._scopes) >= _MOST_SCOPES:
                self._scopes.clear()
            self._scopes[areas] = known
        return known

    def trial(self, rule_key: str, days: int, changes: Mapping[str, float] | None = None) -> TrialJob:
        """A rule tried on the city's own history, in a thread of its own. Raises InputError."""
        return self._trials.ask(rule_key, days, changes)

    def pilots(self) -> tuple[Known, ...]:
        """The register of pilots as of today, with their figures; computed once per file."""
        return self._pilots.on(self.clock.now().astimezone(self.city.zone).date())

    def lock_pilot(self, person: Person, key: str) -> None:
        """Seal the plan of a pilot before its start. Raises Denied, InputError; the audit log knows of it."""

        def seal() -> str:
            sealed = self._pilots.seal(key, self.clock.now())
            return f"sha256 {sealed.digest}"

        self.gate.pass_by(person, Deed(action="lock_pilot", thing=key), seal)
        self._publish()

    def alarm_health(self) -> Report | None:
        """The figures of the alarm system, made every five minutes; None before the first cycle."""
        return self._health

    def drill_script(self) -> Sequence[Beat]:
        """What the drill will bring and when; empty while no drill runs."""
        return self.drill.script if self.drill else ()

    def drill_score(self) -> Score | None:
        """How the shift is doing, as of this cycle; None while no drill runs."""
        return self._score

    def drill_scores(self) -> Sequence[Mapping[str, Any]]:
        """Scores of the city's drills, newest first."""
        return earlier(_scores_path(self.city))

    def start(self) -> None:
        """Run cycles and send messages in threads until `stop`; they end with the process."""
        self._courier.start()
        self.briefs.start()
        self.forecasts.start()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its cycle and give the store free."""
        self._stop.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=30)
        self.feeds.stop()
        self.layer_turns.stop()
        self.quality.stop()
        self._trials.stop()
        self.briefs.stop()
        self.forecasts.stop()
        self.studies.stop()
        self.short_studies.stop()
        self._courier.stop()
        self.usage.stop()
        self.store.close()

    def wait_for(self, number: int, timeout_s: float) -> Snapshot:
        """The snapshot with at least that number, or the newest one when the time is over."""
        with self._published:
            self._published.wait_for(lambda: self.snapshot.number >= number, timeout_s)
            return self.snapshot

    def on_publish(self, heard: Callable[[], None]) -> None:
        """Call `heard` after every new snapshot, in the thread that made it; it must return at once."""
        self._hearers.append(heard)

    def _run(self) -> None:
        speed = speed_of(self.clock)
        while not self._stop.is_set():
            try:
                self.run_once()
            except Exception:  # one bad cycle must not end the watch; the next one starts from the store
                LOG.exception("cycle failed; the next one starts from what is stored")
            self._wake.wait(max(self.city.cycle.total_seconds() / speed, 1.0))
            self._wake.clear()

    # -- the cycle --------------------------------------------------------------------------------------------------

    def _expect_screens(self) -> None:
        """Screens that lived lately should come back after a restart."""
        newest = self.store.latest([SCREEN_SILENCE])
        for key in newest.loc[newest["time"] > self.clock.now() - SCREEN_EXPECTED, "site_id"]:
            self.screens.expect(str(key), datetime.now(UTC))

    def _write_screens(self) -> None:
        """How long each watched wall screen has given no sign of life: a frozen wall is an alert like any other."""
        now, machine = self.clock.now(), datetime.now(UTC)
        slot = floor(now, MINUTE)
        if self._screens_at == slot:
            return
        self._screens_at = slot
        watched = {one.key for one in self.city.wall.screens if one.watched}
        rows = [
            {"site_id": state.key, "observed_property": SCREEN_SILENCE, "value": state.silent(machine) / MINUTE}
            for state in self.screens.states()
            if state.since is not None and state.key in watched
        ]
        if rows:
            good = obs.frame(rows, time=pd.Timestamp(slot), source=SOURCE_HOUSE, quality="pass")
            self.store.write_observations(good, now)

    def _judge(self) -> None:
        now = self.clock.now()
        rules = self.desk.rules
        keys = properties(rules)
        known = [alert.seen_at for alert in self.store.read_alerts() if alert.seen_at]
        since = max(max(known) - ALERT_LOOKBACK, now - ALERT_CATCH_UP) if known else now - ALERT_LOOKBACK
        recent = self.store.read_observations(keys, since - lookback(rules), now)
        newest = self.store.latest(keys)
        # A daily file tells of yesterday: the newest value of a series is news while it is live, however late it came.
        lasts = newest["observed_property"].map({key: self.catalogue[key].stale_after for key in keys})
        live = newest[newest["time"] > now - pd.to_timedelta(lasts)]
        one = ["time", "site_id", "observed_property", "source"]
        recent = pd.concat([recent, live], ignore_index=True).drop_duplicates(one)
        recent = recent.sort_values(["observed_property", "site_id", "time"], kind="stable", ignore_index=True)

        def change(ledger: Ledger) -> Outcome:
            return go_round(self.desk, recent, ledger, now=now, latest=newest, band=self._band)

        self.gate.change(change)
        self._courier.wake()

    # -- snapshot ---------------------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        """Once a day: the usual band anew, and rows older than the city keeps them are forgotten."""
        now = self.clock.now()
        if self._band_at is None or now - self._band_at >= BAND_EVERY:
            kept = [key for key, item in self.catalogue.items() if item.baseline]
            self.store.rebuild_usual_band(kept, now)
            self._band_at = now
            self._band = self._read_band()
            short = self.store.short_of_usual(kept, now)
            self._too_short = SeriesFrames(short, ["hour_of_week", "days"], index="hour_of_week")
            self.store.prune(now - self.city.history)
        if self.drill is not None:
            self._score = self.drill.score(self.store, now, self._rule_words)
        if self._health_of_alarms_at is None or now - self._health_of_alarms_at >= ALARM_HEALTH_EVERY:
            self._health_of_alarms_at = now
            self._health = self._report_alarm_health(now)
        self._revised = revised(self.store, now)
        self.usage.turn(self.screens.states())
        self.quality.turn(now)
        self.layer_turns.turn(now)

    def _report_alarm_health(self, now: datetime) -> Report:
        since = now - HEALTH_DAYS
        return report(
            self.store.read_journal(since - HEALTH_BEFORE, limit=_WHOLE_JOURNAL),
            since=since,
            until=now,
            rules=self._rule_words,
            positions=self._positions,
            alerts=self.store.read_alerts(),
            cycles_min=self._cycles_min,
            audit=self.store.read_audit(since, limit=None),
        )

    def _items(self, alerts: Collection[Alert]) -> tuple[Item, ...]:
        desk = self.desk
        return situations.items(alerts, self.snapshot.situations, desk.by_key, desk.policy, desk.places)

    def _read_band(self) -> SeriesFrames:
        rows = self.store.usual_band([key for key, item in self.catalogue.items() if item.baseline])
        return SeriesFrames(rows, ["hour_of_week", "low", "middle", "high", "n"], index="hour_of_week")

    def _publish(self) -> Snapshot:
        with self._published:
            self.snapshot = self._picture(self.snapshot.number + 1)
            self._published.notify_all()
            snapshot = self.snapshot
        for heard in self._hearers:
            heard()
        return snapshot

    def _picture(self, number: int) -> Snapshot:
        now = self.clock.now()
        baseline = [key for key, item in self.catalogue.items() if item.baseline]
        shown = sorted({*baseline, *(i.key for i in self.catalogue.indicators()), *_ALSO_SHOWN})
        recent = self.store.read_observations(shown, now - timedelta(hours=24), now)
        recent = recent[recent["quality"].isin(obs.USABLE)]
        ledger = self.store.read_ledger()
        desk = self.desk
        return Snapshot(
            number=number,
            made_at=now,
            city=self.city,
            catalogue=self.catalogue,
            readings=readings(self.store, self.catalogue, self._rhythm, now),
            recent=SeriesFrames(recent, ["time", "value"]),
            band=self._band,
            too_short=self._too_short,
            alerts=tuple(ledger.values()),
            items=situations.items(ledger.values(), ledger.situations, desk.by_key, desk.policy, desk.places),
            situations=ledger.situations,
            steps=tuple(ledger.steps.values()),
            switches=ledger.switches,
            handovers=ledger.handovers,
            undelivered=tuple(self.store.read_notices(UNDELIVERED)),
            duty=desk.roster.shift_at(now),
            contacts=desk.roster.contacts,
            rules=self._rule_words,
            journal=self.store.read_journal(now - timedelta(hours=24), limit=2000),
            sources=self.feeds.states,
            geometry=self._geometry,
            speed=speed_of(self.clock),
            scenario=self._scenario,
            drill=self.drill is not None,
            quality=self.quality.newest,
            outlook=self.forecasts.outlook(),
            revised=self._revised,
        )


_BESIDE_THE_LEDGER = ("resend_notice", "drop_notice", "end_drill")
_PICKS = ("city", "worst", "sum", "river")  # of a row of the overview, beside a site_id
_MOST_SCOPES = 32
MOST_TOLD = 3  # problems of a source in the words of --once
_WHOLE_JOURNAL = 1_000_000
_MOST_AUDIT_ROWS = 100_000
_ALSO_SHOWN = (
    "flood_depth", "noise_level", "rainfall", "source_up", "open_incidents", "reports_60min",
    "reports_received_flooding",
)  # fmt: skip


def _check_overview(city: City, catalogue: Catalogue) -> None:
    """A mistyped row would be missing from the first screen without a word. Raises ConfigError."""
    for group, rows in city.overview:
        for key, pick in rows:
            known = list(catalogue) if key not in catalogue else [*_PICKS, *city.sites.index]
            wrong = key if key not in catalogue else pick
            if wrong in known:
                continue
            near = get_close_matches(wrong, known, 1)
            advice = f"did you mean {near[0]!r}?" if near else "python -m indicators names all properties"
            what = "property" if key not in catalogue else "pick"
            raise ConfigError(
                f'config/{city.key}/city.toml: [overview] {group}: "{key}:{pick}": {wrong!r} is no {what}; {advice}'
            )


def _at_speed(desk: Desk, clock: Clock) -> Desk:
    """People undo in their own seconds, of which a fast clock counts more."""
    return replace(desk, undo_within=desk.undo_within * speed_of(clock))


def open_line(
    city_key: str | None = None,
    *,
    scenario: str = "",
    speed: float = 1.0,
    drill: str = "",
    width_mm: float | None = None,
    viewer_m: float | None = None,
    cycle: timedelta | None = None,
) -> Line:
    """The line of a city with its own store. Raises ConfigError, StoreBusy, StoreError.

    `width_mm` and `viewer_m` say how wide the wall is and how far its farthest reader, in place of wall.toml; `cycle`
    how long a cycle lasts, in place of city.toml.

    `drill` names the shift for which a scenario is an exercise: it is watermarked and scored.
    A scenario runs on a clock of its own, from its own start on, and in a store of its own: the city's history stays.
    """
    city = load_city(city_key)
    city = replace(city, wall=resized(city.wall, width_mm, viewer_m), cycle=cycle or city.cycle)
    if not scenario:
        if speed != 1.0:
            raise InputError("--speed goes with --scenario: only a simulated city can run faster than the world")
        if drill:
            raise InputError("--drill goes with --scenario: an exercise needs a script")
        return Line(city, DuckStore(city.store_path, zone=str(city.zone)))
    from connectors.demo import load_scenario

    if not city.simulated:
        raise InputError(f"--scenario: {city.key} is a real city; scenarios are played in a simulated one")
    if not 1.0 <= speed <= 600.0:
        raise InputError(f"--speed {speed:g}: give a number from 1 to 600")
    chosen = load_scenario(scenario)
    now = datetime.now(UTC)
    today = now.astimezone(city.zone).date()
    start = chosen.starts_at(today, city.zone)
    if start > now:  # its clock time has not come today: yesterday's evening has no rows from the future beside it
        start = chosen.starts_at(today - timedelta(days=1), city.zone)
    path = city.store_path.with_name(f"{city.store_path.stem}-{scenario}.duckdb")
    if path.exists():
        DuckStore(path, zone=str(city.zone)).close()  # raises StoreBusy while another process plays it
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    clock = ScenarioClock(start - SCENARIO_LEAD, speed)
    exercise = None
    if drill:
        exercise = Drill(
            scenario=scenario,
            shift=drill,
            started_at=clock.now(),
            script=tuple(
                Beat(at_min=beat.at_min + SCENARIO_LEAD / MINUTE, title_vi=beat.title_vi, title_en=beat.title_en)
                for beat in chosen.beats
            ),
            scores_path=_scores_path(city),
        )
    store = DuckStore(path, zone=str(city.zone))
    return Line(city, store, clock, scenario=scenario, scenario_start=start, drill=exercise)


def _scores_path(city: City) -> Path:
    """Beside the city's own store: the scratch store of a scenario is thrown away when the next one starts."""
    return city.store_path.with_name(f"{city.store_path.stem}-drills.jsonl")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see python pipeline.py --help", file=sys.stderr)
        raise SystemExit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit code 0, or 2 with one `error:` line."""
    parser = _Parser(prog="python pipeline.py", description=__doc__.splitlines()[0])
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="one cycle")
    how.add_argument("--every", type=int, metavar="SECONDS", help="for ever")
    parser.add_argument("--city", default=None)
    parser.add_argument("--scenario", default=os.environ.get("SCENARIO", "").strip())
    parser.add_argument("--drill", metavar="SHIFT", default=os.environ.get("DRILL", "").strip())
    parser.add_argument("--speed", type=float, default=os.environ.get("SPEED", "").strip() or 1.0)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        if given.every is not None and given.every < 1:
            raise InputError(f"--every {given.every}: give a number of seconds from 1 on")
        every = timedelta(seconds=given.every) if given.every else None
        line = open_line(given.city, scenario=given.scenario, speed=given.speed, drill=given.drill, cycle=every)
        if given.every:
            line.start()
            threading.Event().wait()
        picture = line.run_once(patience_s=60.0)
        line.stop()
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    up = sum(bool(state.up) for state in picture.sources)
    for state in picture.sources:
        told = ([f"{state.error}"] if state.error else []) + list(state.problems)
        for words in told[:MOST_TOLD]:
            print(f"{state.source.key}: {words}", file=sys.stderr)
        if len(told) > MOST_TOLD:
            print(f"{state.source.key}: {len(told) - MOST_TOLD} more like these", file=sys.stderr)
    print(
        f"{picture.city.key}: {up}/{len(picture.sources)} sources answering, {len(picture.readings)} series, "
        f"{len(picture.open_alerts())} open alerts",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
