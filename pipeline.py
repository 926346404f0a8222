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
import hashlib
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
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
from connectors import demo, spreadsheet
from connectors._contract import FetchRequest, Payload
from connectors._ratings_table import read_ratings
from connectors._sheet_template import Template, write_template
from control import cap, dry_run, quality, scope
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
from core import cases as case_frame
from core import observations as obs
from core.access import Person
from core.alert import Alert, Key
from core.catalogue import Catalogue, Indicator
from core.clock import Clock, ScenarioClock, SystemClock
from core.config import City, ConfiguredSource, load_city, read_geometry
from core.errors import ConfigError, HouseError, InputError, SourceChanged, SourceRefused, SourceUnavailable
from core.forms import Delivery, Form, Period, due_at, load_forms
from core.ledger import UNDELIVERED, Change, Item, Ledger, Outcome
from core.quality import Quality
from core.ratings import RatingCount
from core.secrets import secret
from core.snapshot import Reading, Revised, SeriesFrames, Snapshot, SourceState, freshness
from core.wall import resized
from core.window import Window
from gis.faults import Fault
from gis.intake import Draft
from gis.layers import Layer, Shelf
from gis.live import FILE as LIVE_FILE
from gis.live import LiveLayers, Served, load_served
from notices.courier import Courier
from notices.routes import load_routes
from store.base import Store
from store.duck import DuckStore

LOG = logging.getLogger("line")
BACKFILL = timedelta(days=30)  # how much history a simulated city has on its first day
FIRST_FETCH = timedelta(days=2)  # how far back a real source is asked when nothing is known yet
OVERLAP = timedelta(hours=2)  # sources correct their last hours: ask for them again, the store keeps revisions
ALERT_LOOKBACK = timedelta(hours=3)  # on a first start, older history is no news
ALERT_CATCH_UP = timedelta(hours=24)  # after a pause of the house, what happened meanwhile is judged
RECHECK = timedelta(hours=24)  # on a start, results of that long are computed again: unchanged ones cost no write
PATIENCE_S = 5.0  # a cycle waits so long for sources; whoever answers later is taken in the next one
ASK_AGAIN = timedelta(minutes=5)  # a source that refused is asked again after this; any other failure, next cycle
FAILING = {
    "unavailable": "not answering",
    "refused": "refusing",
    "changed": "answering strangely",
    "input": "wrong file",
}
MINUTE = timedelta(minutes=1)
HEALTH_EVERY = timedelta(minutes=5)
BAND_EVERY = timedelta(hours=24)
HEALTH_DAYS = timedelta(days=30)
SCENARIO_LEAD = timedelta(minutes=10)  # calm before the story begins
HEALTH_BEFORE = timedelta(days=1)  # floods and standing alarms at the beginning are known
DELIVERY_CELLS_MAX = 100_000  # a form asks for some hundred values; a million cells would hold up everybody's screens
SCREEN_SILENCE = "screen_silence"
SCREEN_EXPECTED = timedelta(hours=24)  # a screen that lived so lately should come back after a restart
SOURCE_HOUSE = "house"  # `source` of what the house observes about itself


@dataclass(frozen=True)
class KnownFile:
    """A file that was read: it is read again when its content changes, and what is wrong in it is told until then."""

    digest: str
    problems: tuple[str, ...]


@dataclass
class Feed:
    """What the line remembers about one source between cycles."""

    source: ConfiguredSource
    module: Any
    state: SourceState
    next_at: datetime
    http: connectors.Session
    secret_name: str
    running: Future[Answer] | None = None
    known_files: dict[str, KnownFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What one fetch brought: rows, or why not."""

    rows: pd.DataFrame
    problems: tuple[str, ...] = ()
    error: HouseError | None = None
    files: Mapping[str, KnownFile] = field(default_factory=dict)
    cases: pd.DataFrame | None = None  # core.cases.frame, of connectors that offer single cases


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
        self.desk: Desk = _at_speed(load_desk(city, self.catalogue), self.clock)
        self.drill = drill
        self._scenario = scenario
        self._scenario_start = scenario_start
        self._http = http  # of a test; else every source has a session of its own, which asks its own hosts alone
        self._pace = connectors.Pace()
        self._indicators = indicators.ordered()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._published = threading.Condition()
        self._hearers: list[Callable[[], None]] = []
        self._cycle = threading.Lock()
        self._uncomputed: dict[str, datetime] = {}  # earliest time per property, not yet in indicators
        self._computed_until: dict[str, datetime] = {}  # per indicator
        self._defective: set[str] = set()
        self._fresh_start = True
        self._band_at: datetime | None = None
        self._health_at: datetime | None = None
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
        self.intake = Intake(
            city,
            store,
            self.clock,
            self.gate,
            self.catalogue,
            load_forms(city.folder / "forms.toml", city, self.catalogue),
            self._read_file,
        )
        self._quality: Quality | None = None
        self._measuring: Future[Quality] | None = None
        self._measured_at: datetime | None = None
        self._measurer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="quality")
        self._by_hand: deque[Mapping[str, datetime]] = deque()  # what people delivered, until the cycle has seen it
        self.screens = Screens(city.wall.screens)
        self.shelf = Shelf(city.layers_path)
        served = load_served(city.folder / LIVE_FILE)
        self.live_layers = LiveLayers(self.shelf, served, self._ask_layer, city.zone, city.province)
        self._layer_turns: dict[str, Future[Any]] = {}
        self._layer_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="layers")
        self._trials = Trials(store, self.clock, self.desk, lambda: self._band)
        self._pilots = Pilots(city)
        self.studies = Studies(self.clock)
        self.casework = Casework(
            city,
            store,
            self.clock,
            self.gate,
            self.studies,
            published=self._read_published,
            pilots=self.pilots,
            quality=lambda: self._quality,
        )
        self.links = Links(city, store, self.clock, self.catalogue, self.studies)
        self.forecasts = Forecasts(city, store, self.clock, self.catalogue, self.studies, lambda: self.snapshot)
        self.short_studies = Studies(self.clock)  # of seconds: they must not wait behind studies of minutes
        self.plans = Plans(
            city, store, self.clock, self.gate, self.catalogue, self.short_studies, undo_within=self.desk.undo_within
        )
        self.maturity = Maturity(city, store, self.clock, self.short_studies, lambda: self.snapshot)
        self.usage = Usage(store, city.zone)
        self.citizens = Citizens(
            city,
            store,
            self.clock,
            self.gate,
            read_table=self._read_ratings,
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
        store.write_dimensions(city, self.catalogue)
        self._feeds = [self._feed(source) for source in city.sources if source.enabled]
        self._sources_of_cases = store.sources_of_cases()
        # A thread for each: servers that say nothing for a minute must not keep the others waiting in a queue.
        self._pool = ThreadPoolExecutor(max(len(self._feeds), 1), thread_name_prefix="source")
        self._check_secrets()
        self._keeper = QualityKeeper(
            store, city, self.catalogue, {feed.source.key: feed.state.kind for feed in self._feeds}, self.intake.forms
        )
        self._remember()
        self._band = self._read_band()
        self.snapshot: Snapshot = self._picture(number=0)

    # -- the line ---------------------------------------------------------------------------------------------------

    def run_once(self, patience_s: float = PATIENCE_S) -> Snapshot:
        """One cycle, in the order of the line. Sources that fail change their own state and nothing else."""
        with self._cycle:
            self._ask(patience_s)
            self._take_answers()
            self._write_health()
            self._write_screens()
            self._compute()
            self._judge()
            self._keep_house()
            self._fresh_start = False
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

    def _read_file(self, name: str, body: bytes, unit: str, source: str) -> spreadsheet.SheetReading:
        context = {
            "source": source,
            "sites": self.city.sites,
            "zone": self.city.zone,
            "fallback_site": unit,
            "most_cells": DELIVERY_CELLS_MAX,
        }
        return spreadsheet.read(Payload(body=body, name=name, context=context))

    def _read_ratings(self, name: str, body: bytes) -> list[RatingCount]:
        words: dict[str, dict[str, str]] = {"office": {}, "service": {}}
        for site in self.city.sites[self.city.sites["kind"].isin(list(words))].to_dict("records"):
            words[site["kind"]] |= {str(site[name]): str(site["site_id"]) for name in ("site_id", "name_vi", "name_en")}
        return read_ratings(name, body, words["office"], words["service"], self.city.zone)

    def _read_published(self, path: Path) -> pd.DataFrame:
        """A file of published scores (QĐ 766) as the one frame. Raises InputError."""
        try:
            body = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path.name}: {error.strerror}") from error
        context = {"source": "published", "sites": self.city.sites, "zone": self.city.zone}
        return connectors.load("dvc_766").parse(Payload(body=body, name=path.name, context=context))

    def template(self, form: Form, unit: str, period: Period) -> bytes:
        """The empty workbook of one unit and period, as an .xlsx file."""
        return self._workbook(form, unit, period, form.hours)

    def withdrawal(self, form: Form, unit: str, period: Period) -> bytes:
        """The same workbook with «KPS» in every value that can be told by now: what a withdrawn delivery leaves."""
        now = self.clock.now()
        told = [hour for hour in form.hours if datetime.combine(period.first, hour, self.city.zone) <= now]
        return self._workbook(form, unit, period, told, said="KPS")

    def _workbook(self, form: Form, unit: str, period: Period, hours: Sequence[time], said: str = "") -> bytes:
        day = f"{period.first:%d/%m/%Y}"
        due = due_at(form, unit, period, self.city.zone).astimezone(self.city.zone)
        return write_template(
            Template(
                title=form.title_vi,
                owner=form.owner,
                unit_code=unit,
                unit_name=self.city.site_name(unit, "vi"),
                period=period.label,
                times=[f"{day} {hour:%H:%M}" for hour in hours] or [period.label],
                properties=[self.catalogue[key] for key in form.properties],
                due=f"trước {due:%H:%M} ngày {due:%d/%m/%Y}",
                said=said,
            )
        )

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
        return dry_run.consequences(self._indicators, coming, self.store.read_observations, self._window, now)

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

    def _ask_layer(self, served: Served, now: datetime) -> tuple[bytes, str]:
        """One live layer as it is on its server, asked like a source: its own host, bounded, and the same errors."""
        hosts = connectors.hosts_of({"base_url": served.url}, None, ())
        http = self._http or connectors.session(self._pace, hosts=hosts, private_network=served.private_network)
        request = FetchRequest(
            source=served.key,
            since=now - FIRST_FETCH,
            until=now,
            sites=self.city.sites,
            city_site=self.city.city_site,
            zone=self.city.zone,
            options={"base_url": served.url, **served.options},
            secret=secret(served.secret),
            secret_name=served.secret,
            private_network=served.private_network,
        )
        (payload,) = connectors.load("ogc_features").fetch(http, request)
        return payload.body, payload.name

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
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._layer_pool.shutdown(wait=False, cancel_futures=True)
        self._measurer.shutdown(wait=True, cancel_futures=True)  # it reads the store, which closes next
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
        speed = _speed(self.clock)
        while not self._stop.is_set():
            try:
                self.run_once()
            except Exception:  # one bad cycle must not end the watch; the next one starts from the store
                LOG.exception("cycle failed; the next one starts from what is stored")
            self._wake.wait(max(self.city.cycle.total_seconds() / speed, 1.0))
            self._wake.clear()

    # -- connectors -------------------------------------------------------------------------------------------------

    def _feed(self, source: ConfiguredSource) -> Feed:
        try:
            module = connectors.load(source.connector)
        except InputError as error:
            raise ConfigError(f"config/{self.city.key}/sources.toml: [[source]] {source.key}: {error}") from error
        described = module.SOURCE
        state = SourceState(
            source=source,
            kind=described.kind,
            up=None,
            since=None,
            attribution=described.attribution,
            licence=described.licence,
            grade=connectors.grade(source.connector),
            rules=connectors.standing(source.connector),
        )
        name = source.secret or described.secret or ""
        hosts = connectors.hosts_of(source.options, secret(name), described.hosts)
        http = self._http or connectors.session(self._pace, hosts=hosts, private_network=source.private_network)
        return Feed(source=source, module=module, state=state, next_at=self.clock.now(), http=http, secret_name=name)

    def _check_secrets(self) -> None:
        """One secret goes to one place: two brokers must not learn each other's. Raises ConfigError."""
        told: dict[str, tuple[str, frozenset[str]]] = {}
        asked = [(feed.source.key, feed.source.options, feed.secret_name) for feed in self._feeds]
        asked += [(one.key, {"base_url": one.url}, one.secret) for one in self.live_layers.served.values()]
        for key, options, name in asked:
            hosts = connectors.hosts_of(options, None, ())
            if not hosts or not secret(name):
                continue
            other, others = told.setdefault(name, (key, hosts))
            if hosts != others:
                raise ConfigError(
                    f"config/{self.city.key}/sources.toml, {LIVE_FILE}: {other} and {key} would send one secret, "
                    f'{name}, to different hosts: give one of them secret = "A_NAME_OF_ITS_OWN"'
                )

    def _remember(self) -> None:
        """Source states survive a restart: what was stored tells since when a source has been silent."""
        newest = self.store.latest()
        screens = newest[newest["observed_property"] == SCREEN_SILENCE]
        for key in screens.loc[screens["time"] > self.clock.now() - SCREEN_EXPECTED, "site_id"]:
            self.screens.expect(str(key), datetime.now(UTC))
        for feed in self._feeds:
            own = newest[newest["source"] == feed.source.key]
            up = newest[(newest["observed_property"] == "source_up") & (newest["site_id"] == feed.source.key)]
            if len(own):
                feed.state = replace(
                    feed.state,
                    newest_at=own["time"].max().to_pydatetime(),
                    received_at=own["received_at"].max().to_pydatetime(),
                )
            if len(up) and up["value"].iloc[0] == 0:
                feed.state = replace(feed.state, up=False, since=self._down_since(feed.source.key))

    def _down_since(self, key: str) -> datetime | None:
        """When the silence was first noticed: the moment of the try, not the label of its five minutes."""
        rows = self.store.read_observations(["source_up"], _EPOCH, self.clock.now(), [key])
        up = rows.loc[rows["value"] > 0, "time"]
        after = rows[rows["time"] > up.max()] if len(up) else rows
        return after["received_at"].min().to_pydatetime() if len(after) else None

    def _ask(self, patience_s: float) -> None:
        now = self.clock.now()
        for feed in self._feeds:
            if feed.running is None and feed.next_at <= now:
                feed.running = self._pool.submit(self._fetch, feed, self._request(feed, now))
                simulated = feed.state.kind == "simulation"  # costs nobody anything: ask soon after each hour
                feed.next_at = now + (min(feed.source.every, ASK_AGAIN) if simulated else feed.source.every)
                feed.state = replace(feed.state, tried_at=now)
        # The simulator is this machine's own work and always ends; a network may not.
        wait([feed.running for feed in self._feeds if feed.running and feed.state.kind == "simulation"])
        late = wait([feed.running for feed in self._feeds if feed.running], timeout=patience_s).not_done
        for running in late:  # what comes after the patience need not wait for the next cycle's hour
            running.add_done_callback(lambda _: self._wake.set())

    def _request(self, feed: Feed, now: datetime) -> FetchRequest:
        simulated = feed.state.kind == "simulation"
        reach = BACKFILL if simulated else FIRST_FETCH
        known = feed.state.newest_at
        if _offers_cases(feed) and feed.source.key not in self._sources_of_cases:
            known = None  # its history was stored before cases were: ask for all of it once more, rows stay the same
        options = dict(feed.source.options)
        if simulated and self._scenario and self._scenario_start:
            options |= {"scenario": self._scenario, "scenario_start": self._scenario_start.isoformat()}
        return FetchRequest(
            source=feed.source.key,
            since=max(known - OVERLAP, now - BACKFILL) if known else now - reach,
            until=now,
            sites=self.city.sites,
            city_site=self.city.city_site,
            zone=self.city.zone,
            options=options,
            secret_name=feed.secret_name,
            private_network=feed.source.private_network,
        )

    def _fetch(self, feed: Feed, request: FetchRequest) -> Answer:
        """Runs in a thread of the pool; whatever a connector does, the others go on."""
        try:
            request = replace(request, secret=secret(feed.secret_name))
            connectors.begin_turn(feed.http)
            payloads = feed.module.fetch(feed.http, request)
        except HouseError as error:
            return Answer(obs.empty(), error=error)
        except Exception as error:  # a defect of one connector is that source's trouble, not the city's
            LOG.exception("%s: the connector %s failed", feed.source.key, feed.source.connector)
            return Answer(obs.empty(), error=SourceChanged(f"{type(error).__name__} in the connector"))
        frames: list[pd.DataFrame] = []
        single: list[pd.DataFrame] = []
        problems: list[str] = []
        files: dict[str, KnownFile] = {}
        errors: list[HouseError] = []
        for payload in payloads:
            digest = hashlib.sha256(payload.body).hexdigest()
            known = feed.known_files.get(payload.name)
            if feed.module.SOURCE.static and known is not None and known.digest == digest:
                problems += known.problems
                continue
            try:
                parsed = feed.module.parse(payload)
                frames.append(obs.frame(parsed, source=feed.source.key))
                if _offers_cases(feed):
                    single.append(case_frame.frame(feed.module.cases(payload), source=feed.source.key))
            except HouseError as error:
                errors.append(error)
                continue
            except Exception as error:  # as above: parse of one reply
                LOG.exception("%s: the reply %s could not be read", feed.source.key, payload.name)
                errors.append(SourceChanged(f"{type(error).__name__} while reading {payload.name}"))
                continue
            files[payload.name] = KnownFile(digest, tuple(parsed.attrs.get("problems", ())))
            problems += files[payload.name].problems
        problems += [str(error) for error in errors]
        rows = pd.concat(frames, ignore_index=True) if frames else obs.empty()
        failed = errors[0] if errors and len(errors) == len(payloads) else None
        return Answer(rows, tuple(problems), failed, files, pd.concat(single, ignore_index=True) if single else None)

    def _take_answers(self) -> None:
        """Validate and store what has come."""
        now = self.clock.now()
        answered: list[tuple[Feed, Answer]] = []
        for feed in self._feeds:
            if feed.running is None or not feed.running.done():
                continue
            answer, feed.running = feed.running.result(), None
            if answer.error is not None:
                self._failed(feed, answer, now)
                continue
            answered.append((feed, answer))
        if not answered:
            return
        come = pd.concat([answer.rows for _, answer in answered], ignore_index=True)
        good, bad = obs.validate(come, self.catalogue, set(self.city.sites.index), now)
        self.store.set_aside(bad, now)
        written = self.store.write_observations(good, now)  # one transaction for all sources of this cycle
        _keep_earliest(self._uncomputed, written.earliest)
        single = [answer.cases for _, answer in answered if answer.cases is not None]
        if single:
            self.store.write_cases(pd.concat(single, ignore_index=True), now)
            self._sources_of_cases |= {feed.source.key for feed, answer in answered if answer.cases is not None}
        for feed, answer in answered:
            feed.known_files.update(answer.files)
            own = good[good["source"] == feed.source.key]
            self._answered(feed, own, int((bad["source"] == feed.source.key).sum()), answer.problems, now)

    def _failed(self, feed: Feed, answer: Answer, now: datetime) -> None:
        if feed.state.up is not False:
            LOG.warning("%s: %s: %s", feed.source.key, FAILING[_error_kind(answer.error)], answer.error)
            feed.state = replace(feed.state, since=now)
        wait_s = getattr(answer.error, "retry_after_s", None)
        if wait_s:
            feed.next_at = now + timedelta(seconds=wait_s)
        else:
            again = ASK_AGAIN if isinstance(answer.error, SourceRefused) else min(self.city.cycle, ASK_AGAIN)
            feed.next_at = min(feed.next_at, now + again)
        feed.state = replace(
            feed.state,
            up=False,
            error=str(answer.error),
            error_kind=_error_kind(answer.error),
            problems=answer.problems,
        )

    def _answered(self, feed: Feed, good: pd.DataFrame, bad: int, problems: tuple[str, ...], now: datetime) -> None:
        if feed.state.up is False:
            LOG.info("%s: answering again after %s", feed.source.key, now - (feed.state.since or now))
        if feed.state.up is not True:
            feed.state = replace(feed.state, since=now)
        usable = good[good["quality"].isin(obs.USABLE)]
        newest = usable["time"].max().to_pydatetime() if len(usable) else None
        times = [moment for moment in (newest, feed.state.newest_at) if moment is not None]
        feed.state = replace(
            feed.state,
            up=True,
            error="",
            error_kind="",
            problems=problems,
            rows=len(good),
            set_aside=bad,
            received_at=now if len(good) else feed.state.received_at,
            newest_at=max(times, default=None),
        )

    def _write_health(self) -> None:
        """Source health is an observation too, so the same rules, charts and pages serve it."""
        now = self.clock.now()
        slot = _floor(now, HEALTH_EVERY)
        if self._health_at == slot:
            return
        self._health_at = slot
        rows = []
        for feed in self._feeds:
            if feed.state.up is None:
                continue
            rows.append({"site_id": feed.source.key, "observed_property": "source_up", "value": float(feed.state.up)})
            if feed.state.newest_at:
                age = (now - feed.state.newest_at).total_seconds() / 60
                rows.append({"site_id": feed.source.key, "observed_property": "source_age", "value": max(age, 0.0)})
        good = obs.frame(rows, time=pd.Timestamp(slot), source=SOURCE_HOUSE, quality="pass")
        _keep_earliest(self._uncomputed, self.store.write_observations(good, now).earliest)

    def _write_screens(self) -> None:
        """How long each watched wall screen has given no sign of life: a frozen wall is an alert like any other."""
        now, machine = self.clock.now(), datetime.now(UTC)
        slot = _floor(now, MINUTE)
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

    # -- indicators -------------------------------------------------------------------------------------------------

    def _compute(self) -> None:
        """Every indicator whose needs changed, from the earliest change to now; what it gives may be needed next.

        A result carries the end of its period, which may come after the last row: also then it is computed.
        """
        now = self.clock.now()
        while self._by_hand:
            _keep_earliest(self._uncomputed, self._by_hand.popleft())
        unfinished = self._unfinished() if self._fresh_start else {}
        newest = self.store.latest().groupby("observed_property")["time"].max()
        waiting: list[pd.DataFrame] = []  # written together, but before somebody needs them
        promised: set[str] = set()

        def write() -> None:
            if waiting:
                written = self.store.write_observations(pd.concat(waiting, ignore_index=True), now)
                _keep_earliest(self._uncomputed, written.earliest)
            waiting.clear()
            promised.clear()

        for module in self._indicators:
            indicator: Indicator = module.INDICATOR
            if promised.intersection(indicator.needs):
                write()
            changes = [self._uncomputed[need] for need in indicator.needs if need in self._uncomputed]
            if indicator.key in unfinished:
                changes.append(unfinished[indicator.key])
            until = self._computed_until.get(indicator.key, now)
            if changes or self._ended(indicator, until, newest, now):
                waiting.append(self._results(module, min([*changes, until]) - timedelta(microseconds=1), now))
                promised.update((indicator.key, *(part.key for part in indicator.companions)))
        write()
        self._uncomputed = {}

    def _ended(self, indicator: Indicator, until: datetime, newest: pd.Series[Any], now: datetime) -> bool:
        """True when a period ended since the last computation and its own readings are there, or late by now.

        Without them a result from five of six readings would be shown, ring or not ring, and be revised in minutes.
        """
        mark = _floor(now, indicator.period)
        if mark <= until:
            return False
        read = any(need in newest.index and newest[need] > mark - indicator.period for need in indicator.needs)
        return read or _floor(now - (indicator.stale_after - indicator.period), indicator.period) > until

    def _results(self, module: indicators.IndicatorModule, since: datetime, now: datetime) -> pd.DataFrame:
        """What one indicator says for since < time <= now; no row where it has a defect."""
        indicator = module.INDICATOR
        rows = self.store.read_observations(indicator.needs, since - indicator.window, now)
        window = self._window(rows, since, now)
        try:
            results = module.compute(window)
        except Exception:  # a defect of one indicator must not blind the others, nor the alerts
            if indicator.key not in self._defective:
                LOG.exception("%s: the indicator failed; the others go on", indicator.key)
            self._defective.add(indicator.key)
            return obs.empty()
        self._defective.discard(indicator.key)
        self._computed_until[indicator.key] = now
        return results

    def _window(self, rows: pd.DataFrame, since: datetime, until: datetime) -> Window:
        return Window(
            observations=rows,
            sites=self.city.sites,
            since=since,
            until=until,
            city_site=self.city.city_site,
            zone=self.city.zone,
            source_period_min={feed.source.key: feed.source.every.total_seconds() / 60 for feed in self._feeds},
        )

    def _unfinished(self) -> dict[str, datetime]:
        """Per indicator, from when on rows may lack their results, because the house stopped between two writes.

        A day before the newest result: the rows of the last write may have come late.
        """
        ends = self.store.latest().groupby("observed_property")["time"].max()
        first = self.clock.now() - BACKFILL
        return {
            module.INDICATOR.key: max(ends[module.INDICATOR.key].to_pydatetime() - RECHECK, first)
            if module.INDICATOR.key in ends.index
            else first
            for module in self._indicators
            if any(need in ends.index for need in module.INDICATOR.needs)
        }

    # -- alerts -----------------------------------------------------------------------------------------------------

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
            self.store.rebuild_usual_band([key for key, item in self.catalogue.items() if item.baseline], now)
            self._band_at = now
            self._band = self._read_band()
            self.store.prune(now - self.city.history)
        if self.drill is not None:
            self._score = self.drill.score(self.store, now, self._rule_words)
        if self._health_of_alarms_at is None or now - self._health_of_alarms_at >= HEALTH_EVERY:
            self._health_of_alarms_at = now
            self._health = self._report_alarm_health(now)
        self._revised = revised(self.store, now)
        self.usage.turn(self.screens.states())
        self._measure_quality(now)
        self._refresh_layers(now)

    def _refresh_layers(self, now: datetime) -> None:
        """Live layers whose time has come are asked in threads of their own, which no cycle waits for."""
        for key in self.live_layers.due(now):
            running = self._layer_turns.get(key)
            if running is not None and not running.done():
                continue
            if running is not None and running.exception() is not None:  # a defect here must not end the watch
                LOG.error("the live layer %s could not be kept", key, exc_info=running.exception())
            self._layer_turns[key] = self._layer_pool.submit(self.live_layers.turn, key, now)

    def measure_quality(self) -> Quality:
        """The quality of the data as of now, at once; the cycle does the same beside itself."""
        self._quality = self._keeper.turn(self.clock.now(), self._band)
        return self._quality

    def _measure_quality(self, now: datetime) -> None:
        """Every quarter of an hour (every cycle while past days are missing), in a thread that no cycle waits for."""
        if self._measuring is not None and self._measuring.done():
            failed, self._measuring = self._measuring.exception(), None
            if failed is not None:  # a defect here must not end the watch
                LOG.error("data quality could not be measured; the last figures stand", exc_info=failed)
        due = self._measured_at is None or self._keeper.catching_up or now - self._measured_at >= quality.EVERY
        if due and self._measuring is None:
            self._measured_at = now
            self._measuring = self._measurer.submit(self.measure_quality)

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
            readings=self._readings(now),
            recent=SeriesFrames(recent, ["time", "value"]),
            band=self._band,
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
            sources=tuple(feed.state for feed in self._feeds),
            geometry=self._geometry,
            speed=_speed(self.clock),
            scenario=self._scenario,
            drill=self.drill is not None,
            quality=self._quality,
            outlook=self.forecasts.outlook(),
            revised=self._revised,
        )

    def _readings(self, now: datetime) -> dict[tuple[str, str], Reading]:
        newest = self.store.latest().sort_values("time")
        rhythm = {feed.source.key: feed.source.every for feed in self._feeds}
        rhythm |= {form.source: form.every for form in self.intake.forms}
        at_site: dict[str, timedelta] = {}  # an indicator is as slow as the slowest source of its site
        for site_id, key in zip(newest["site_id"].tolist(), newest["source"].tolist(), strict=True):
            if key in rhythm:
                at_site[site_id] = max(rhythm[key], at_site.get(site_id, rhythm[key]))
        found: dict[tuple[str, str], Reading] = {}
        for row in newest.to_dict("records"):
            item = self.catalogue.get(row["observed_property"])
            if item is None:
                continue
            age = max(now - row["time"].to_pydatetime(), timedelta(0))
            every = rhythm.get(row["source"]) or at_site.get(row["site_id"], timedelta(0))
            found[(row["observed_property"], row["site_id"])] = Reading(
                site_id=row["site_id"],
                item=item,
                time=row["time"].to_pydatetime(),
                value=row["value"],
                source=row["source"],
                received_at=row["received_at"].to_pydatetime(),
                age=age,
                freshness=freshness(age, item, every),
                every=every,
            )
        return found


_BESIDE_THE_LEDGER = ("resend_notice", "drop_notice", "end_drill")
_MOST_SCOPES = 32
MOST_TOLD = 3  # problems of a source in the words of --once
_WHOLE_JOURNAL = 1_000_000
_MOST_AUDIT_ROWS = 100_000
_EPOCH = datetime(1990, 1, 1, tzinfo=UTC)
_ALSO_SHOWN = (
    "flood_depth", "noise_level", "rainfall", "source_up", "open_incidents", "reports_60min",
    "reports_received_flooding",
)  # fmt: skip


def _offers_cases(feed: Feed) -> bool:
    """True for a connector with cases(payload) beside parse; offers_cases(options) may say: not this source."""
    offers = getattr(feed.module, "offers_cases", None)
    return hasattr(feed.module, "cases") and (offers is None or bool(offers(feed.source.options)))


def _error_kind(error: HouseError | None) -> str:
    """unavailable | refused | changed | input: what a person can do about it."""
    kinds = {SourceUnavailable: "unavailable", SourceRefused: "refused", SourceChanged: "changed"}
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), "input")


def _keep_earliest(known: dict[str, datetime], found: Mapping[str, datetime]) -> None:
    for key, moment in found.items():
        known[key] = min(moment, known.get(key, moment))


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % step


def _speed(clock: Clock) -> float:
    """How many times as fast as the world that clock runs."""
    return float(getattr(clock, "speed", 1.0))


def _at_speed(desk: Desk, clock: Clock) -> Desk:
    """People undo in their own seconds, of which a fast clock counts more."""
    return replace(desk, undo_within=desk.undo_within * _speed(clock))


def open_line(
    city_key: str | None = None,
    *,
    scenario: str = "",
    speed: float = 1.0,
    drill: str = "",
    width_mm: float | None = None,
    viewer_m: float | None = None,
) -> Line:
    """The line of a city with its own store. Raises ConfigError, StoreBusy, StoreError.

    `width_mm` and `viewer_m` say how wide the wall is and how far its farthest reader, in place of wall.toml.

    `drill` names the shift for which a scenario is an exercise: it is watermarked and scored.
    A scenario runs on a clock of its own, from its own start on, and in a store of its own: the city's history stays.
    """
    city = load_city(city_key)
    city = replace(city, wall=resized(city.wall, width_mm, viewer_m))
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
        line = open_line(given.city, scenario=given.scenario, speed=given.speed, drill=given.drill)
        if given.every:
            line.city = replace(line.city, cycle=timedelta(seconds=given.every))
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
