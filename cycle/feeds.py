"""The sources of a city between cycles: each is asked in a thread of its own, and changes nothing but its own state."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

import connectors
from connectors._contract import FetchRequest
from core import cases as case_frame
from core import observations as obs
from core.catalogue import Catalogue
from core.clock import EPOCH, Clock, floor
from core.config import City, ConfiguredSource
from core.errors import ConfigError, HouseError, InputError, SourceChanged, SourceRefused, SourceUnavailable
from core.secrets import secret
from core.snapshot import SourceState
from gis.live import FILE as LIVE_FILE
from gis.live import Served
from store.base import Store

LOG = logging.getLogger("line")
BACKFILL = timedelta(days=30)  # how much history a simulated city has on its first day
FIRST_FETCH = timedelta(days=2)  # how far back a real source is asked when nothing is known yet
OVERLAP = timedelta(hours=2)  # sources correct their last hours: ask for them again, the store keeps revisions
ASK_AGAIN = timedelta(minutes=5)  # a source that refused is asked again after this; any other failure, next cycle
HEALTH_EVERY = timedelta(minutes=5)
SOURCE_HOUSE = "house"  # `source` of what the house observes about itself
FAILING = {
    "unavailable": "not answering",
    "refused": "refusing",
    "changed": "answering strangely",
    "input": "wrong file",
}


@dataclass(frozen=True)
class KnownFile:
    """A file that was read: it is read again when its content changes, and what is wrong in it is told until then."""

    digest: str
    problems: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)  # head of a column that nobody reads -> what to do
    properties: frozenset[str] = frozenset()
    newest: datetime | None = None  # time of its newest row; None without rows


@dataclass
class Feed:
    """What is remembered about one source between cycles."""

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
    left_out: tuple[str, ...] = ()
    error: HouseError | None = None
    files: Mapping[str, KnownFile] = field(default_factory=dict)
    cases: pd.DataFrame | None = None  # core.cases.frame, of connectors that offer single cases


class Feeds:
    """All sources that are switched on, in the order of sources.toml. Raises ConfigError.

    `wake` is called when an answer comes after the patience of its cycle; `served` are the map layers of servers, which
    are asked like sources. `http` is the session of a test; else every source has one of its own, for its own hosts.
    """

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        catalogue: Catalogue,
        *,
        wake: Callable[[], None],
        served: Sequence[Served],
        scenario: str = "",
        scenario_start: datetime | None = None,
        http: connectors.Session | None = None,
    ) -> None:
        self._city = city
        self._store = store
        self._clock = clock
        self._catalogue = catalogue
        self._wake = wake
        self._scenario = scenario
        self._scenario_start = scenario_start
        self._http = http
        self._health_at: datetime | None = None
        self.pace = connectors.Pace()
        self.all = [self._feed(source) for source in city.sources if source.enabled]
        # A thread for each: servers that say nothing for a minute must not keep the others waiting in a queue.
        self._pool = ThreadPoolExecutor(max(len(self.all), 1), thread_name_prefix="source")
        self._check_secrets(served)
        self._sources_of_cases = store.sources_of_cases()
        self._remember()

    @property
    def states(self) -> tuple[SourceState, ...]:
        """What each source is known to do, in their order."""
        return tuple(feed.state for feed in self.all)

    def stop(self) -> None:
        """Wait for nobody: what is still asked is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def ask(self, patience_s: float) -> None:
        """Ask every source whose time has come, and wait for the answers as long as patience lasts."""
        now = self._clock.now()
        for feed in self.all:
            if feed.running is None and feed.next_at <= now:
                feed.running = self._pool.submit(self._fetch, feed, self.request(feed, now))
                simulated = feed.state.kind == "simulation"  # costs nobody anything: ask soon after each hour
                feed.next_at = now + (min(feed.source.every, ASK_AGAIN) if simulated else feed.source.every)
                feed.state = replace(feed.state, tried_at=now)
        # The simulator is this machine's own work and always ends; a network may not.
        wait([feed.running for feed in self.all if feed.running and feed.state.kind == "simulation"])
        late = wait([feed.running for feed in self.all if feed.running], timeout=patience_s).not_done
        for running in late:  # what comes after the patience need not wait for the next cycle's hour
            running.add_done_callback(lambda _: self._wake())

    def take_answers(self) -> Mapping[str, datetime]:
        """Validate and store what has come; gives the earliest changed moment of each property."""
        now = self._clock.now()
        answered: list[tuple[Feed, Answer]] = []
        for feed in self.all:
            if feed.running is None or not feed.running.done():
                continue
            answer, feed.running = feed.running.result(), None
            if answer.error is not None:
                self._failed(feed, answer, now)
                continue
            answered.append((feed, answer))
        if not answered:
            return {}
        come = pd.concat([answer.rows for _, answer in answered], ignore_index=True)
        good, bad = obs.validate(come, self._catalogue, set(self._city.sites.index), now)
        self._store.set_aside(bad, now)
        written = self._store.write_observations(good, now)  # one transaction for all sources of this cycle
        single = [answer.cases for _, answer in answered if answer.cases is not None]
        if single:
            self._store.write_cases(pd.concat(single, ignore_index=True), now)
            self._sources_of_cases |= {feed.source.key for feed, answer in answered if answer.cases is not None}
        for feed, answer in answered:
            feed.known_files.update(answer.files)
            own = good[good["source"] == feed.source.key]
            self._answered(feed, own, int((bad["source"] == feed.source.key).sum()), answer, now)
        return written.earliest

    def write_health(self) -> Mapping[str, datetime]:
        """Source health is an observation too, so the same rules, charts and pages serve it; as `take_answers`."""
        now = self._clock.now()
        slot = floor(now, HEALTH_EVERY)
        if self._health_at == slot:
            return {}
        self._health_at = slot
        rows = []
        for feed in self.all:
            if feed.state.up is None:
                continue
            rows.append({"site_id": feed.source.key, "observed_property": "source_up", "value": float(feed.state.up)})
            if feed.state.newest_at:
                age = (now - feed.state.newest_at).total_seconds() / 60
                rows.append({"site_id": feed.source.key, "observed_property": "source_age", "value": max(age, 0.0)})
        good = obs.frame(rows, time=pd.Timestamp(slot), source=SOURCE_HOUSE, quality="pass")
        return self._store.write_observations(good, now).earliest

    def ask_layer(self, served: Served, now: datetime) -> tuple[bytes, str]:
        """One live layer as it is on its server, asked like a source: its own host, bounded, and the same errors."""
        hosts = connectors.hosts_of({"base_url": served.url}, None, ())
        http = self._http or connectors.session(self.pace, hosts=hosts, private_network=served.private_network)
        request = FetchRequest(
            source=served.key,
            since=now - FIRST_FETCH,
            until=now,
            sites=self._city.sites,
            city_site=self._city.city_site,
            zone=self._city.zone,
            options={"base_url": served.url, **served.options},
            secret=secret(served.secret),
            secret_name=served.secret,
            private_network=served.private_network,
        )
        (payload,) = connectors.load("ogc_features").fetch(http, request)
        return payload.body, payload.name

    def _feed(self, source: ConfiguredSource) -> Feed:
        try:
            module = connectors.load(source.connector)
        except InputError as error:
            raise ConfigError(f"config/{self._city.key}/sources.toml: [[source]] {source.key}: {error}") from error
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
        http = self._http or connectors.session(self.pace, hosts=hosts, private_network=source.private_network)
        return Feed(source=source, module=module, state=state, next_at=self._clock.now(), http=http, secret_name=name)

    def _check_secrets(self, served: Sequence[Served]) -> None:
        """One secret goes to one place: two brokers must not learn each other's. Raises ConfigError."""
        told: dict[str, tuple[str, frozenset[str]]] = {}
        asked = [(feed.source.key, feed.source.options, feed.secret_name) for feed in self.all]
        asked += [(one.key, {"base_url": one.url}, one.secret) for one in served]
        for key, options, name in asked:
            hosts = connectors.hosts_of(options, None, ())
            if not hosts or not secret(name):
                continue
            other, others = told.setdefault(name, (key, hosts))
            if hosts != others:
                raise ConfigError(
                    f"config/{self._city.key}/sources.toml, {LIVE_FILE}: {other} and {key} would send one secret, "
                    f'{name}, to different hosts: give one of them secret = "A_NAME_OF_ITS_OWN"'
                )

    def _remember(self) -> None:
        """Source states survive a restart: what was stored tells since when a source has been silent."""
        newest = self._store.latest()
        for feed in self.all:
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
        rows = self._store.read_observations(["source_up"], EPOCH, self._clock.now(), [key])
        up = rows.loc[rows["value"] > 0, "time"]
        after = rows[rows["time"] > up.max()] if len(up) else rows
        return after["received_at"].min().to_pydatetime() if len(after) else None

    def request(self, feed: Feed, now: datetime) -> FetchRequest:
        simulated = feed.state.kind == "simulation"
        reach = BACKFILL if simulated else FIRST_FETCH
        known = feed.state.newest_at
        if offers_cases(feed) and feed.source.key not in self._sources_of_cases:
            known = None  # its history was stored before cases were: ask for all of it once more, rows stay the same
        options = dict(feed.source.options)
        if simulated and self._scenario and self._scenario_start:
            options |= {"scenario": self._scenario, "scenario_start": self._scenario_start.isoformat()}
        return FetchRequest(
            source=feed.source.key,
            since=max(known - OVERLAP, now - BACKFILL) if known else now - reach,
            until=now,
            sites=self._city.sites,
            city_site=self._city.city_site,
            zone=self._city.zone,
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
        there: list[KnownFile] = []  # known before or read now
        errors: list[HouseError] = []
        for payload in payloads:
            digest = hashlib.sha256(payload.body).hexdigest()
            known = feed.known_files.get(payload.name)
            if feed.module.SOURCE.static and known is not None and known.digest == digest:
                problems += known.problems
                there.append(known)
                continue
            try:
                parsed = feed.module.parse(payload)
                frames.append(obs.frame(parsed, source=feed.source.key))
                if offers_cases(feed):
                    single.append(case_frame.frame(feed.module.cases(payload), source=feed.source.key))
            except HouseError as error:
                errors.append(error)
                continue
            except Exception as error:  # as above: parse of one reply
                LOG.exception("%s: the reply %s could not be read", feed.source.key, payload.name)
                errors.append(SourceChanged(f"{type(error).__name__} while reading {payload.name}"))
                continue
            files[payload.name] = read = KnownFile(
                digest,
                tuple(parsed.attrs.get("problems", ())),
                dict(parsed.attrs.get("left_out", {})),
                frozenset(parsed["observed_property"]),
                parsed["time"].max().to_pydatetime() if len(parsed) else None,
            )
            problems += read.problems
            there.append(read)
        problems += [str(error) for error in errors]
        rows = pd.concat(frames, ignore_index=True) if frames else obs.empty()
        failed = errors[0] if errors and len(errors) == len(payloads) else None
        cases = pd.concat(single, ignore_index=True) if single else None
        return Answer(rows, tuple(problems), left_out(there), failed, files, cases)

    def _failed(self, feed: Feed, answer: Answer, now: datetime) -> None:
        if feed.state.up is not False:
            LOG.warning("%s: %s: %s", feed.source.key, FAILING[error_kind(answer.error)], answer.error)
            feed.state = replace(feed.state, since=now)
        wait_s = getattr(answer.error, "retry_after_s", None)
        if wait_s:
            feed.next_at = now + timedelta(seconds=wait_s)
        else:
            again = ASK_AGAIN if isinstance(answer.error, SourceRefused) else min(self._city.cycle, ASK_AGAIN)
            feed.next_at = min(feed.next_at, now + again)
        feed.state = replace(
            feed.state,
            up=False,
            error=str(answer.error),
            error_kind=error_kind(answer.error),
            problems=answer.problems,
            left_out=answer.left_out,
        )

    def _answered(self, feed: Feed, good: pd.DataFrame, bad: int, answer: Answer, now: datetime) -> None:
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
            problems=answer.problems,
            left_out=answer.left_out,
            rows=len(good),
            set_aside=bad,
            received_at=now if len(good) else feed.state.received_at,
            newest_at=max(times, default=None),
        )


def left_out(files: Collection[KnownFile]) -> tuple[str, ...]:
    """What to do about columns that nobody reads, once per head: of the newest file that has it.

    A later file of the same figures without that head has mended it; a daily file of the traffic mends nothing in one
    of the air.
    """
    told: dict[str, tuple[KnownFile, str]] = {}
    oldest = datetime.min.replace(tzinfo=UTC)
    for file in sorted(files, key=lambda one: (one.newest or oldest, not one.left_out)):  # of a day the mended one last
        told = {head: known for head, known in told.items() if not known[0].properties & file.properties}
        told |= {head: (file, words) for head, words in file.left_out.items()}
    return tuple(words for _, words in told.values())


def offers_cases(feed: Feed) -> bool:
    """True for a connector with cases(payload) beside parse; offers_cases(options) may say: not this source."""
    offers = getattr(feed.module, "offers_cases", None)
    return hasattr(feed.module, "cases") and (offers is None or bool(offers(feed.source.options)))


def error_kind(error: HouseError | None) -> str:
    """unavailable | refused | changed | input: what a person can do about it."""
    kinds = {SourceUnavailable: "unavailable", SourceRefused: "refused", SourceChanged: "changed"}
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), "input")
