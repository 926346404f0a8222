"""The store in one DuckDB file, owned by one process: one connection, a cursor per thread, one writer at a time.

Readers never wait for the writer. Every write and the serve tables that follow from it are one transaction, so a
`kill -9` at any moment leaves a file as it was after the last commit. Columns of time hold UTC without a zone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import uuid
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from core.alert import Alert
from core.catalogue import Catalogue, Indicator
from core.config import AREA_COLUMNS, SITE_COLUMNS, City
from core.errors import InputError, StoreBusy, StoreError
from core.forms import Delivery
from core.ledger import AuditEntry, Change, Handover, Ledger, Notice, Outcome, Situation, StepDone
from core.maturity import Given
from core.observations import COLUMNS
from core.open_figures import Publication
from core.plans import Decision, OwnNumber, Task
from core.ratings import RatingCount, RatingFile
from core.survey import Answer, IssuedLink
from core.usage import UsageDay
from store import _care, _cases, _chain, _citizens, _deliveries, _desk, _plans, _usual
from store._file import connect, first_line, migrate, one, parts, shown, transaction
from store._rows import EVENT_TYPES, USABLE_VALUE, attributed, frame_of, incoming, listed, naive, utc_without_zone
from store.audit import AUDIT_COLUMNS, KEEP, Head, shortened
from store.base import Store, Written

DEFAULT_ZONE: Final = "Asia/Ho_Chi_Minh"
_HOUR: Final = timedelta(hours=1)


@dataclass(slots=True)
class _File:
    """What two stores on one file in one process share: they write in turn and know the same alert desk."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    ledger: Ledger | None = None  # as it was last committed; reading 2,000 alerts anew costs more than a whole deed


_files: dict[Path, _File] = {}


def open_store(location: str | Path, zone: str | ZoneInfo | None = DEFAULT_ZONE) -> Store:
    """The store at a path; the file is made when it is not there. Raises StoreError, StoreBusy."""
    if "://" in str(location):
        kind = str(location).partition("://")[0]
        raise StoreError(f"a store of kind {kind} is not known here: give CITY_STORE the path of a file")
    return DuckStore(location, zone)


class DuckStore:
    """Keeps every promise of `store.base.Store` in the file `path`. Raises StoreError, StoreBusy."""

    def __init__(self, path: str | Path, zone: str | ZoneInfo | None = DEFAULT_ZONE) -> None:
        """Open or create the file. `zone` is the city's (IANA name); None takes the one that the file remembers."""
        self.path = Path(path).absolute()
        self._name = shown(self.path)
        self._file = _files.setdefault(self.path.resolve(), _File())
        self._lock = self._file.lock
        self._cursors: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
        self._cursors_lock = threading.Lock()
        self._local = threading.local()
        self._connection = connect(self.path, self._name)
        try:
            with self._lock:
                self._file.ledger = None  # another programme may have written, or a backup may have been put here
                with self._read() as cursor:
                    migrate(cursor, self._name)
                self._adopt_zone(zone)
                with self._write() as cursor:
                    _desk.interrupted(cursor, datetime.now(UTC))
        except BaseException:
            self.close()
            raise

    # Writing -----------------------------------------------------------------------------------------------------

    @contextmanager
    def together(self) -> Iterator[None]:
        """See Store."""
        with self._write():
            self._local.together = True
            try:
                yield
            except BaseException:
                self._file.ledger = None  # what was written inside is taken back
                raise
            finally:
                self._local.together = False

    def write_dimensions(self, city: City, catalogue: Catalogue) -> None:
        """See Store. When a site moved to another area, the hours of all areas are summed up anew."""
        self._belong_to(city.key)
        sites, areas = attributed(city.sites, SITE_COLUMNS), attributed(city.areas, AREA_COLUMNS[:-1])
        words = ["connector", "name_vi", "name_en", "owner", "contact", "enabled"]
        sources = pd.DataFrame(
            [
                {
                    "source": one.key,
                    "every_s": one.every.total_seconds(),
                    **{name: getattr(one, name) for name in words},
                }
                for one in city.sources
            ],
            columns=["source", "every_s", *words],
        )
        properties = pd.DataFrame(
            [
                {
                    "observed_property": key,
                    "code": item.code if isinstance(item, Indicator) else "",
                    "domain": item.domain,
                    "name_vi": item.name_vi,
                    "name_en": item.name_en,
                    "unit": item.unit,
                    "direction": item.direction,
                    "aggregation": item.aggregation,
                    "period_s": item.period.total_seconds(),
                    "stale_after_s": item.stale_after.total_seconds(),
                    "formula": item.formula if isinstance(item, Indicator) else "",
                    "reference": item.reference if isinstance(item, Indicator) else "",
                }
                for key, item in catalogue.items()
            ]
        )
        areas_of_series = "SELECT DISTINCT site_id, area FROM sites JOIN series USING (site_id) WHERE area <> ''"
        dimensions = {"sites": sites, "areas": areas, "sources": sources, "properties": properties}
        with self._write(**{f"new_{table}": frame for table, frame in dimensions.items()}) as cursor:
            before = set(cursor.execute(areas_of_series).fetchall())
            for table in dimensions:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM new_{table}")
            self._note_formulas(cursor, catalogue)
            if set(cursor.execute(areas_of_series).fetchall()) != before:
                self._refill_area_hourly(cursor)

    def write_observations(self, observations: pd.DataFrame, received_at: datetime) -> Written:
        """See Store. Where one batch holds the same identity twice, its last row counts.

        The batch is compared with the rows of its own time span only, so the cost does not grow with history.
        A clock that steps back cannot reorder what was known: a revision is never older than the row it replaces.
        Raises InputError for rows that are not the one frame.
        """
        rows, keys = incoming(observations)
        if rows.empty:
            return Written(new=0, revised=0, unchanged=0, earliest={})
        with self._write(incoming=rows, incoming_series=keys) as cursor:
            return self._take_in(cursor, rows, received_at, len(observations))

    def _take_in(
        self, cursor: duckdb.DuckDBPyConnection, rows: pd.DataFrame, received_at: datetime, given: int
    ) -> Written:
        """Put the registered tables `incoming` (these rows, of so many given) and `incoming_series` into place."""
        oldest, newest = rows["time"].min().to_pydatetime(), rows["time"].max().to_pydatetime()
        cursor.execute(
            """INSERT INTO series
            SELECT (SELECT coalesce(max(series_id), 0) FROM series) + row_number() OVER (ORDER BY position),
                site_id, observed_property, source
            FROM incoming_series ANTI JOIN series USING (site_id, observed_property, source)"""
        )
        cursor.execute(
            """CREATE OR REPLACE TEMP TABLE batch AS
            SELECT s.series_id, i.time, i.value, i.quality::quality_word AS quality,
                greatest($received_at, o.received_at) AS received_at,
                o.series_id IS NOT NULL AS known, o.value AS old_value, o.quality AS old_quality,
                o.received_at AS old_received_at
            FROM incoming i
            JOIN incoming_series k USING (position)
            JOIN series s USING (site_id, observed_property, source)
            LEFT JOIN (SELECT * FROM observations WHERE time BETWEEN $oldest AND $newest) o
                ON o.series_id = s.series_id AND o.time = i.time
            WHERE o.series_id IS NULL OR o.value IS DISTINCT FROM i.value
                OR o.quality <> i.quality::quality_word""",
            {"received_at": naive(received_at, "received_at"), "oldest": oldest, "newest": newest},
        )
        earliest = cursor.execute(
            """SELECT s.observed_property, min(b.time), count(*) FILTER (NOT b.known), count(*) FILTER (b.known)
            FROM batch b JOIN series s USING (series_id) GROUP BY ALL"""
        ).fetchall()
        new, revised = sum(row[2] for row in earliest), sum(row[3] for row in earliest)
        if revised:
            cursor.execute(
                """INSERT INTO revisions
                SELECT series_id, time, old_value, old_quality, old_received_at, received_at
                FROM batch WHERE known"""
            )
            cursor.execute(
                """UPDATE observations SET value = b.value, quality = b.quality, received_at = b.received_at
                FROM batch b WHERE b.known AND b.series_id = observations.series_id AND b.time = observations.time
                    AND observations.time BETWEEN ? AND ?""",
                [oldest, newest],
            )
        if new:  # day by day, within a day series by series: the layout in which both kinds of screens read least
            cursor.execute(
                """INSERT INTO observations SELECT series_id, time, value, quality, received_at FROM batch
                WHERE NOT known ORDER BY date_trunc('day', time), series_id, time"""
            )
        if new or revised:
            self._renew_latest(cursor)
            self._renew_area_hourly(cursor)
        cursor.execute("DROP TABLE batch")
        return Written(
            new=new,
            revised=revised,
            unchanged=given - new - revised,
            earliest={row[0]: row[1].replace(tzinfo=UTC) for row in earliest},
        )

    def _renew_latest(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Bring `latest` up to date with the temporary table `batch`."""
        cursor.execute(
            f"""MERGE INTO latest USING (
                SELECT series_id, max(time) AS time, arg_max(value, time) AS value, arg_max(quality, time) AS quality,
                    arg_max(received_at, time) AS received_at
                FROM batch WHERE {USABLE_VALUE} GROUP BY series_id) b ON latest.series_id = b.series_id
            WHEN MATCHED AND b.time >= latest.time THEN
                UPDATE SET time = b.time, value = b.value, quality = b.quality, received_at = b.received_at
            WHEN NOT MATCHED THEN INSERT VALUES (b.series_id, b.time, b.value, b.quality, b.received_at)"""
        )
        withdrawn = cursor.execute(
            f"""SELECT series_id FROM latest
                JOIN (SELECT * FROM batch WHERE NOT ({USABLE_VALUE})) USING (series_id, time)"""
        ).fetchall()
        if withdrawn:  # the newest value was revised to a bad one: the one before it stands again
            series = [row[0] for row in withdrawn]
            cursor.execute("DELETE FROM latest WHERE series_id IN (SELECT unnest(?))", [series])
            cursor.execute(f"INSERT INTO latest {_latest_of('series_id IN (SELECT unnest(?))')}", [series])

    def _renew_area_hourly(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Sum up anew the (property, area, hour) groups that the temporary table `batch` touched."""
        cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE touched AS
            SELECT DISTINCT s.observed_property, t.area, {self._hour_end("b.time")} AS hour
            FROM batch b JOIN series s USING (series_id) JOIN sites t USING (site_id) WHERE t.area <> ''"""
        )
        first, last = one(cursor.execute("SELECT min(hour), max(hour) FROM touched"))
        if first is not None:
            cursor.execute(
                """DELETE FROM area_hourly USING touched u WHERE area_hourly.observed_property = u.observed_property
                AND area_hourly.area = u.area AND area_hourly.hour = u.hour AND area_hourly.hour BETWEEN ? AND ?""",
                [first, last],
            )
            cursor.execute(
                f"""INSERT INTO area_hourly SELECT h.* FROM ({self._area_hours("o.time > ? AND o.time <= ?")}) h
                SEMI JOIN touched USING (observed_property, area, hour)""",
                [first - _HOUR, last],
            )
        cursor.execute("DROP TABLE touched")

    def _refill_area_hourly(self, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("DELETE FROM area_hourly")
        cursor.execute(f"INSERT INTO area_hourly {self._area_hours('true')}")

    def write_delivery(
        self, delivery: Delivery, body: bytes, observations: pd.DataFrame, audit: Sequence[AuditEntry]
    ) -> Written:
        """See Store."""
        if hashlib.sha256(body).hexdigest() != delivery.sha256:
            raise InputError(f"{delivery.file_name}: the file and its hash do not fit together")
        rows, keys = incoming(observations)
        with self._write(incoming=rows, incoming_series=keys) as cursor:
            _deliveries.add(cursor, delivery, body)
            if audit:
                _chain.append(cursor, audit)
            if rows.empty:
                return Written(new=0, revised=0, unchanged=0, earliest={})
            return self._take_in(cursor, rows, delivery.delivered_at, len(observations))

    def write_cases(self, cases: pd.DataFrame, received_at: datetime) -> int:
        """See Store."""
        if cases.empty:
            return 0
        with self._read() as cursor:
            rows = _cases.incoming(cases, _cases.key(cursor))
        with self._write(incoming=rows) as cursor:
            return _cases.write(cursor, received_at)

    def remind_unit(self, agency: str, category: str, at: datetime, account: str) -> None:
        """See Store."""
        with self._write() as cursor:
            _cases.remind(cursor, agency, category, at, account)

    def set_aside(self, rows: pd.DataFrame, received_at: datetime) -> int:
        """See Store. A row is new when no equal one (value and reason included) lies in quarantine already."""
        wanted = [*COLUMNS, "reason"]
        lacking = [name for name in wanted if name not in rows]
        if lacking:
            raise InputError(f"rows to set aside lack the column {', '.join(lacking)}")
        if rows.empty:
            return 0
        frame = rows.loc[:, wanted].drop_duplicates()
        frame["time"] = utc_without_zone(frame["time"])
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM i.{name}" for name in wanted)
        with self._write(incoming=frame) as cursor:
            (new,) = one(
                cursor.execute(
                    f"""INSERT INTO set_aside SELECT {", ".join(wanted)}, ?::TIMESTAMP FROM incoming i
                    WHERE NOT EXISTS (SELECT 1 FROM set_aside s WHERE {same})""",
                    [naive(received_at, "received_at")],
                )
            )
        return int(new)

    def rebuild_usual_band(
        self, properties: Collection[str], now: datetime, own_holidays: Collection[date] = ()
    ) -> int:
        """See Store. A value labelled 08:00 on Monday (07:00-08:00) counts to hour 7: label minus one microsecond."""
        history = _usual.history(properties, now, own_holidays, self.zone)
        with self._write(spans=history.spans) as cursor:
            return _usual.rebuild(cursor, history, properties)

    def short_of_usual(
        self, properties: Collection[str], now: datetime, own_holidays: Collection[date] = ()
    ) -> pd.DataFrame:
        """See Store."""
        history = _usual.history(properties, now, own_holidays, self.zone)
        with self._read() as cursor:
            return _usual.short(cursor, history)

    # Reading -----------------------------------------------------------------------------------------------------

    def read_observations(
        self,
        properties: Collection[str],
        since: datetime,
        until: datetime,
        site_ids: Collection[str] | None = None,
        as_known_at: datetime | None = None,
    ) -> pd.DataFrame:
        """See Store."""
        known = {} if as_known_at is None else {"as_known_at": naive(as_known_at, "as_known_at")}
        rows = "SELECT * FROM observations"
        if known:
            rows = """(SELECT * FROM observations WHERE received_at <= $as_known_at
                UNION ALL BY NAME SELECT * EXCLUDE (superseded_at) FROM revisions
                WHERE received_at <= $as_known_at AND superseded_at > $as_known_at)"""
        sites = {} if site_ids is None else {"site_ids": list(site_ids)}
        return self._frame(
            f"""SELECT o.time, s.site_id, s.observed_property, o.value, o.quality, s.source, o.received_at
            FROM ({rows}) o JOIN series s USING (series_id)
            WHERE o.time > $since AND o.time <= $until AND s.observed_property IN (SELECT unnest($properties))
            {"AND s.site_id IN (SELECT unnest($site_ids))" if sites else ""}
            ORDER BY s.observed_property, s.site_id, o.time, s.source""",
            {
                "properties": list(properties),
                "since": naive(since, "since"),
                "until": naive(until, "until"),
                **sites,
                **known,
            },
        )

    def latest(self, properties: Collection[str] | None = None) -> pd.DataFrame:
        """See Store. Sorted by property, site, source."""
        wanted = {} if properties is None else {"properties": list(properties)}
        return self._frame(
            f"""SELECT l.time, s.site_id, s.observed_property, l.value, l.quality, s.source, l.received_at
            FROM latest l JOIN series s USING (series_id)
            {"WHERE s.observed_property IN (SELECT unnest($properties))" if wanted else ""}
            ORDER BY s.observed_property, s.site_id, s.source""",
            wanted,
        )

    def read_revisions(
        self,
        since: datetime,
        until: datetime,
        properties: Collection[str] | None = None,
        site_ids: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """See Store. Sorted by time; for the values as they are now, read_observations."""
        of = {} if properties is None else {"properties": list(properties)}
        at = {} if site_ids is None else {"site_ids": list(site_ids)}
        return self._frame(
            f"""SELECT r.time, s.site_id, s.observed_property, r.value, r.quality, s.source, r.received_at,
                r.superseded_at
            FROM revisions r JOIN series s USING (series_id)
            WHERE r.time > $since AND r.time <= $until
            {"AND s.observed_property IN (SELECT unnest($properties))" if of else ""}
            {"AND s.site_id IN (SELECT unnest($site_ids))" if at else ""}
            ORDER BY r.time, s.source, s.site_id, s.observed_property""",
            {"since": naive(since, "since"), "until": naive(until, "until"), **of, **at},
        )

    def revised_since(self, since: datetime) -> pd.DataFrame:
        """See Store. Sorted by property, site, source."""
        return self._frame(
            """WITH known AS (
                SELECT *, count(*) OVER (PARTITION BY series_id) AS n,
                    row_number() OVER (PARTITION BY series_id ORDER BY superseded_at DESC, time DESC) AS place
                FROM revisions WHERE superseded_at > $since)
            SELECT s.observed_property, s.site_id, s.source, k.n, k.superseded_at, k.time, k.value AS old,
                o.value AS new
            FROM known k JOIN series s USING (series_id)
            LEFT JOIN observations o ON o.series_id = k.series_id AND o.time = k.time
            WHERE k.place = 1
            ORDER BY s.observed_property, s.site_id, s.source""",
            {"since": naive(since, "since")},
        )

    def formula_changes(self) -> pd.DataFrame:
        """See Store. Oldest first; what was there when the store was made is no change."""
        with self._read() as cursor:
            found = cursor.execute("SELECT name, value FROM settings WHERE name LIKE 'formula:%'").fetchall()
        rows = [
            {"observed_property": name.partition(":")[2], **change}
            for name, value in found
            for change in json.loads(value)[1:]
        ]
        frame = pd.DataFrame(rows, columns=["observed_property", "changed_at", "formula"])
        frame["changed_at"] = pd.to_datetime(frame["changed_at"], utc=True, format="ISO8601").astype(
            "datetime64[us, UTC]"
        )
        return frame.sort_values("changed_at", kind="stable").reset_index(drop=True)

    def _note_formulas(self, cursor: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
        """Remember how every indicator is computed, and since when: a step in its series may be ours."""
        known = dict(cursor.execute("SELECT name, value FROM settings WHERE name LIKE 'formula:%'").fetchall())
        now = datetime.now(UTC).isoformat()
        for indicator in catalogue.indicators():
            name, formula = f"formula:{indicator.key}", f"{indicator.version}: {indicator.formula}"
            told = json.loads(known.get(name, "[]"))
            if told and told[-1]["formula"] == formula:
                continue
            told.append({"changed_at": now, "formula": formula})
            cursor.execute("DELETE FROM settings WHERE name = ?", [name])
            cursor.execute("INSERT INTO settings VALUES (?, ?)", [name, json.dumps(told, ensure_ascii=False)])

    def area_hourly(self, observed_property: str, since: datetime, until: datetime) -> pd.DataFrame:
        """See Store. For since < hour <= until, usable values only, sorted by area and hour."""
        return self._frame(
            """SELECT area, hour, total / n AS mean, low, high, n FROM area_hourly
            WHERE observed_property = $observed_property AND hour > $since AND hour <= $until ORDER BY area, hour""",
            {
                "observed_property": observed_property,
                "since": naive(since, "since"),
                "until": naive(until, "until"),
            },
        )

    def usual_band(self, properties: Collection[str], site_ids: Collection[str] | None = None) -> pd.DataFrame:
        """See Store. Sorted by property, site, hour of week; empty until rebuild_usual_band has run."""
        sites = {} if site_ids is None else {"site_ids": list(site_ids)}
        return self._frame(
            f"""SELECT site_id, observed_property, hour_of_week, low, middle, high, n FROM usual_band
            WHERE observed_property IN (SELECT unnest($properties))
            {"AND site_id IN (SELECT unnest($site_ids))" if sites else ""}
            ORDER BY observed_property, site_id, hour_of_week""",
            {"properties": list(properties), **sites},
        )

    def read_set_aside(self, since: datetime, limit: int = 1000) -> pd.DataFrame:
        """See Store. `since` is inclusive."""
        return self._frame(
            f"""SELECT {", ".join(COLUMNS)}, reason, received_at FROM set_aside WHERE received_at >= $since
            ORDER BY received_at DESC, time DESC, site_id, observed_property LIMIT $limit""",
            {"since": naive(since, "since"), "limit": limit},
        )

    def read_journal(
        self, since: datetime, rule: str | None = None, site_id: str | None = None, limit: int = 1000
    ) -> pd.DataFrame:
        """See Store. `since` is inclusive; newest means the highest entry."""
        wanted = {name: word for name, word in {"rule": rule, "site_id": site_id}.items() if word is not None}
        return self._frame(
            f"""SELECT entry, {", ".join(EVENT_TYPES)} FROM journal WHERE happened_at >= $since
            {"".join(f"AND {name} = ${name} " for name in wanted)} ORDER BY entry DESC LIMIT $limit""",
            {"since": naive(since, "since"), "limit": limit, **wanted},
        )

    # Alerts ------------------------------------------------------------------------------------------------------

    def read_alerts(self) -> list[Alert]:
        """See Store. Sorted by rule and site."""
        return list(self.read_ledger().alerts.values())

    def read_ledger(self) -> Ledger:
        """See Store."""
        with self._read() as cursor, self._atomic(cursor):
            return self._present_ledger(cursor)

    def change_alerts(self, change: Change) -> Outcome:
        """See Store. What `change` raises goes through, and nothing of it is written."""
        with self._lock:
            try:
                with self._write() as cursor:
                    before = self._present_ledger(cursor)
                    written, after = _desk.write(cursor, before, Outcome(*change(before)))
                self._file.ledger = after
            except BaseException:
                self._file.ledger = None  # whatever went wrong, the next one reads the file
                raise
        return written

    def _present_ledger(self, cursor: duckdb.DuckDBPyConnection) -> Ledger:
        known = self._file.ledger
        return _desk.ledger(cursor) if known is None else known

    def read_situations(self, since: datetime) -> list[Situation]:
        """See Store."""
        with self._read() as cursor:
            return _desk.situations(cursor, since)

    def read_steps(self, rule: str, site_id: str) -> list[StepDone]:
        """See Store."""
        with self._read() as cursor:
            return _desk.steps(cursor, rule, site_id)

    def read_handovers(self, limit: int = 20) -> list[Handover]:
        """See Store."""
        with self._read() as cursor:
            return _desk.handovers(cursor, limit)

    def read_deliveries(
        self, since: datetime, forms: Collection[str] | None = None, units: Collection[str] | None = None
    ) -> list[Delivery]:
        """See Store."""
        with self._read() as cursor:
            return _deliveries.history(cursor, since, forms, units)

    def delivered_body(self, form: str, unit: str, period_end: datetime, version: int) -> bytes:
        """See Store."""
        with self._read() as cursor:
            return _deliveries.body_of(cursor, form, unit, period_end, version)

    # Plans -------------------------------------------------------------------------------------------------------

    def write_task(self, task: Task) -> None:
        """See Store."""
        with self._write() as cursor:
            _plans.add_task(cursor, task)

    def write_decision(self, decision: Decision, task: Task | None = None) -> None:
        """See Store."""
        with self._write() as cursor:
            _plans.add_decision(cursor, decision)
            if task is not None:
                _plans.add_task(cursor, task)

    def write_plan_number(self, number: OwnNumber) -> None:
        """See Store."""
        with self._write() as cursor:
            _plans.add_number(cursor, number)

    def read_tasks(self) -> list[Task]:
        """See Store."""
        with self._read() as cursor:
            return _plans.tasks(cursor)

    def read_decisions(self) -> list[Decision]:
        """See Store."""
        with self._read() as cursor:
            return _plans.decisions(cursor)

    def read_plan_numbers(self) -> list[OwnNumber]:
        """See Store."""
        with self._read() as cursor:
            return _plans.numbers(cursor)

    def write_answer(self, answer: Given) -> None:
        """See Store."""
        with self._write() as cursor:
            _plans.add_answer(cursor, answer)

    def read_answers(self) -> list[Given]:
        """See Store."""
        with self._read() as cursor:
            return _plans.answers(cursor)

    def write_publication(self, publication: Publication) -> None:
        """See Store."""
        with self._write() as cursor:
            _plans.publish(cursor, publication)

    def newest_publication(self) -> Publication | None:
        """See Store."""
        with self._read() as cursor:
            return _plans.published(cursor)

    def read_cases(self, kind: str, since: datetime) -> pd.DataFrame:
        """See Store."""
        return self._frame(*_cases.query(kind, since))

    def sources_of_cases(self) -> set[str]:
        """See Store."""
        with self._read() as cursor:
            return {row[0] for row in cursor.execute("SELECT DISTINCT source FROM cases").fetchall()}

    def read_reminders(self, since: datetime) -> pd.DataFrame:
        """See Store."""
        return self._frame(
            "SELECT agency, category, reminded_at FROM case_reminders WHERE reminded_at > $since ORDER BY reminded_at",
            {"since": naive(since, "since")},
        )

    # Citizens ----------------------------------------------------------------------------------------------------

    def write_survey_link(self, link: IssuedLink) -> None:
        """See Store."""
        with self._write() as cursor:
            _citizens.add_link(cursor, link)

    def revoke_survey_link(self, key_id: str, now: datetime, by: str) -> bool:
        """See Store."""
        with self._write() as cursor:
            return _citizens.revoke_link(cursor, key_id, now, by)

    def read_survey_links(self) -> list[IssuedLink]:
        """See Store."""
        with self._read() as cursor:
            return _citizens.links(cursor)

    def write_survey_answer(self, answer: Answer) -> None:
        """See Store."""
        with self._write() as cursor:
            _citizens.add_answer(cursor, answer)

    def write_ratings(self, counts: Sequence[RatingCount], file: RatingFile) -> None:
        """See Store."""
        with self._write() as cursor:
            _citizens.add_ratings(cursor, counts, file)

    def read_survey_answers(self, since: datetime, until: datetime) -> pd.DataFrame:
        """See Store."""
        return self._frame(_citizens.ANSWERS, _span(since, until))

    def read_survey_reasons(self, since: datetime, until: datetime) -> pd.DataFrame:
        """See Store."""
        return self._frame(_citizens.REASONS, _span(since, until))

    def read_ratings(self, since: datetime, until: datetime) -> pd.DataFrame:
        """See Store."""
        return self._frame(_citizens.RATINGS, _span(since, until))

    def write_usage(self, days: Sequence[UsageDay]) -> None:
        """See Store."""
        with self._write() as cursor:
            _citizens.add_usage(cursor, days)

    def read_usage(self, since: date) -> pd.DataFrame:
        """See Store."""
        return self._frame(_citizens.USAGE, {"since": since})

    # Outbox ------------------------------------------------------------------------------------------------------

    def claim_notices(self, now: datetime, limit: int = 20, *, channels: Collection[str] | None = None) -> list[Notice]:
        """See Store."""
        with self._write() as cursor:
            return _desk.claim(cursor, now, limit, channels)

    def settle_notice(
        self,
        id: str,
        *,
        state: str,
        now: datetime,
        error: str = "",
        due_at: datetime | None = None,
        only_from: Collection[str] = (),
    ) -> None:
        """See Store."""
        with self._write() as cursor:
            _desk.settle(cursor, id, state, now, error, due_at, only_from)

    def read_notices(
        self, states: Collection[str] | None = None, since: datetime | None = None, limit: int = 500
    ) -> list[Notice]:
        """See Store."""
        with self._read() as cursor:
            return _desk.notices(cursor, states, since, limit)

    # Audit -------------------------------------------------------------------------------------------------------

    def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        """See Store."""
        if entries:
            with self._write() as cursor:
                _chain.append(cursor, entries)

    def read_audit(self, since: datetime, until: datetime | None = None, limit: int | None = 1000) -> pd.DataFrame:
        """See Store."""
        found = self._frame(
            f"""SELECT {listed(AUDIT_COLUMNS)} FROM audit WHERE happened_at >= $since
            AND ($until IS NULL OR happened_at < $until) ORDER BY entry DESC LIMIT $limit""",
            {
                "since": naive(since, "since"),
                "until": None if until is None else naive(until, "until"),
                "limit": limit,
            },
        )
        return found.astype({"source_port": "Int64"})

    def audit_head(self) -> tuple[int, str]:
        """See Store."""
        with self._read() as cursor:
            return _chain.remembered(cursor, _chain.HEAD)

    def verify_audit(self, noted: Head | None = None) -> list[str]:
        """See Store. One moment of the log is proved; deeds go on meanwhile."""
        with self._read() as cursor, self._atomic(cursor):
            return [f"{self._name}: audit log: {words}" for words in shortened(_chain.findings(cursor, noted))]

    def prune_audit(self, before: datetime, keep_at_least: timedelta = KEEP, now: datetime | None = None) -> int:
        """See Store."""
        present = datetime.now(UTC) if now is None else now
        if before > present - keep_at_least:
            raise InputError(
                f"audit log: what is younger than {keep_at_least.days} days must be kept; "
                f"{before:%Y-%m-%d} is later than {present - keep_at_least:%Y-%m-%d}: nothing was forgotten"
            )
        with self._write() as cursor:
            return _chain.prune(cursor, before, present)

    # Care --------------------------------------------------------------------------------------------------------

    def stats(self) -> dict[str, float | int | str]:
        """See Store. Times are ISO 8601 in UTC, empty when there is no observation."""
        with self._read() as cursor:
            found = _care.counts(cursor)
        found["file_bytes"] = sum(part.stat().st_size for part in parts(self.path))
        found["zone"] = self.zone.key
        return found

    def backup(self, target: Path) -> None:
        """See Store. Readers and the writer go on meanwhile; an older backup of that name is replaced at the end."""
        target = Path(target).absolute()
        if target.resolve() == self.path.resolve():
            raise StoreError(f"{self._name} cannot be backed up onto itself: name another file")
        alias = f"backup_{uuid.uuid4().hex}"
        unfinished = target.with_name(f"{target.name}.{alias}")
        try:
            if not target.parent.is_dir():  # a disk that is not mounted: do not fill the one below it
                raise StoreError(f"{shown(target)}: the folder {shown(target.parent)} is not there: make or mount it")
            with self._read() as cursor:
                (name,) = one(cursor.execute("SELECT current_database()"))
                cursor.execute(f"ATTACH '{str(unfinished).replace(chr(39), 2 * chr(39))}' AS {alias}")
                try:
                    cursor.execute(f'COPY FROM DATABASE "{name}" TO {alias}')
                    cursor.execute(f"CHECKPOINT {alias}")
                finally:
                    cursor.execute(f"DETACH {alias}")
            unfinished.replace(target)
        except OSError as error:
            raise StoreError(f"{shown(target)} cannot be written: {error.strerror}: name a folder with room") from error
        finally:
            for part in parts(unfinished):
                part.unlink()

    def verify(self, audit_head: Head | None = None) -> list[str]:
        """See Store. Reads the whole history: for nights and after crashes, not for screens."""
        return self.verify_tables() + self.verify_audit(audit_head)

    def verify_tables(self) -> list[str]:
        """The findings of `verify` without the audit log."""
        with self._lock, self._read() as cursor:
            return [
                f"{self._name}: {words}"
                for words in _care.findings(cursor, _latest_of("true"), self._area_hours("true"))
            ]

    def prune(self, before: datetime) -> int:
        """See Store. Counts observations, their revisions, quarantined rows and settled notices."""
        limit = naive(before, "before")
        with self._write() as cursor:
            removed = 0
            for table, column in {"observations": "time", "revisions": "time", "set_aside": "received_at"}.items():
                removed += one(cursor.execute(f"DELETE FROM {table} WHERE {column} < ?", [limit]))[0]
            removed += one(cursor.execute("DELETE FROM notices WHERE settled_at < ?", [limit]))[0]
            removed += _cases.forget(cursor, before)
            removed += _citizens.prune(cursor, before)
            cursor.execute("DELETE FROM latest WHERE time < ?", [limit])
            cursor.execute("DELETE FROM area_hourly WHERE hour < ?", [limit + _HOUR])
            cursor.execute(  # the hour that the limit cuts keeps what is left of it
                f"INSERT INTO area_hourly SELECT * FROM ({self._area_hours('o.time < ?')}) WHERE hour < ?",
                [limit + _HOUR, limit + _HOUR],
            )
        return int(removed)

    def close(self) -> None:
        """See Store. Waits for a running write; a later call of any other method raises StoreError."""
        with self._lock, self._cursors_lock:
            for cursor in list(self._cursors):
                cursor.close()
            self._connection.close()

    # Inside ------------------------------------------------------------------------------------------------------

    def _adopt_zone(self, zone: str | ZoneInfo | None) -> None:
        """Remember the city's zone in the file; sum up the hours anew when it is another one than before."""
        with self._read() as cursor:
            (remembered,) = one(cursor.execute("SELECT coalesce(max(value), '') FROM settings WHERE name = 'zone'"))
        self.zone = zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone or remembered or DEFAULT_ZONE)
        phases = {_usual.offset(datetime(2026, month, 1), self.zone) % _HOUR for month in range(1, 13)}
        if len(phases) > 1:
            raise StoreError(f"time zone {self.zone.key}: hours that begin at changing minutes are not supported")
        self._phase_min = phases.pop() // timedelta(minutes=1)
        if self.zone.key != remembered:
            with self._write() as cursor:
                cursor.execute("DELETE FROM settings WHERE name = 'zone'")
                cursor.execute("INSERT INTO settings VALUES ('zone', ?)", [self.zone.key])
                cursor.execute("DELETE FROM usual_band")
                self._refill_area_hourly(cursor)

    def _belong_to(self, city: str) -> None:
        """A file belongs to the city that first wrote to it: simulated rows must never stand among real ones."""
        with self._read() as cursor:
            (owner,) = one(cursor.execute("SELECT coalesce(max(value), '') FROM settings WHERE name = 'city'"))
        if owner and owner != city:
            raise StoreError(
                f"{self._name} holds the data of CITY={owner}, not of CITY={city}: give this city another CITY_STORE"
            )
        if not owner:
            with self._write() as cursor:
                cursor.execute("INSERT INTO settings VALUES ('city', ?)", [city])

    def _hour_end(self, time: str) -> str:
        """SQL for the END of the city's hour in which the label `time` falls; a label on the hour ends that hour."""
        phase = f"INTERVAL {self._phase_min} MINUTE"
        return f"date_trunc('hour', {time} - INTERVAL 1 MICROSECOND + {phase}) + INTERVAL 1 HOUR - {phase}"

    def _area_hours(self, condition: str) -> str:
        """SQL for the rows of `area_hourly` from those observations `o` that meet the condition."""
        return f"""SELECT s.observed_property, t.area, {self._hour_end("o.time")} AS hour, sum(o.value) AS total,
                count(*) AS n, min(o.value) AS low, max(o.value) AS high
            FROM observations o JOIN series s USING (series_id) JOIN sites t USING (site_id)
            WHERE {USABLE_VALUE} AND t.area <> '' AND {condition} GROUP BY ALL"""

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's cursor. It dies with its thread."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            with self._cursors_lock:
                cursor = self._connection.cursor()
                self._cursors.add(cursor)
            self._local.cursor = cursor
        return cursor

    @contextmanager
    def _read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """This thread's cursor; what DuckDB has to complain becomes a StoreError."""
        try:
            yield self._cursor()
        except duckdb.Error as error:
            raise StoreError(f"{self._name}: {first_line(error)}") from error

    @contextmanager
    def _write(self, **frames: pd.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, one writer at a time: everything inside happens, or nothing. `frames` are tables in it."""
        with self._lock, self._read() as cursor:
            for name, frame in frames.items():
                cursor.register(name, frame)
            try:
                with self._atomic(cursor):
                    yield cursor
            finally:
                for name in frames:
                    cursor.unregister(name)

    def _atomic(self, cursor: duckdb.DuckDBPyConnection) -> AbstractContextManager[None]:
        """A transaction of its own, or the one that `together` has begun in this thread."""
        return nullcontext() if getattr(self._local, "together", False) else transaction(cursor)

    def _frame(self, query: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """Rows as a frame: times aware UTC in microseconds, words as str, numbers as float64 or int64."""
        with self._read() as cursor:
            return frame_of(cursor.sql(query, params=dict(parameters)).to_arrow_table().to_pandas())


def restore(source: Path, target: Path, force: bool = False) -> Path | None:
    """Put a backup in the place of the store at `target`; returns where the old store was kept, if there was one.

    The backup is copied, opened, migrated and verified beside the target before anything is replaced.
    Raises StoreError: no backup there, findings in it, or a store is there already and `force` was not given.
    """
    if not source.is_file():
        raise StoreError(f"{shown(source)} is not there: name the file that `backup` wrote")
    if parts(target) and not force:
        raise StoreError(f"{shown(target)} exists already: add --force to replace it; the old file is kept beside")
    if target.exists():
        _refuse_busy(target)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    ready = target.with_name(f"{target.name}.restoring-{stamp}")
    kept = target.with_name(f"{target.name}.before-restore-{stamp}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        for part in parts(source):
            shutil.copyfile(part, ready.with_name(ready.name + part.name.removeprefix(source.name)))
        copy = DuckStore(ready, zone=None)
        findings = copy.verify_tables()
        copy.close()
        if findings:
            raise StoreError(f"{shown(source)} is damaged ({findings[0]}): take another backup")
        old = parts(target)
        for part in old:
            part.replace(kept.with_name(kept.name + part.name.removeprefix(target.name)))
        ready.replace(target)
    finally:
        for part in parts(ready):
            part.unlink()
    return kept if old else None


def _refuse_busy(path: Path) -> None:
    """Raises StoreBusy. A file that does not open at all may be replaced: that is why one restores."""
    try:
        connect(path, shown(path)).close()
    except StoreBusy:
        raise
    except StoreError:
        return


def _span(since: datetime, until: datetime) -> dict[str, datetime]:
    return {"since": naive(since, "since"), "until": naive(until, "until")}


def _latest_of(condition: str) -> str:
    """SQL for the newest usable row of every series that meets the condition."""
    return f"""SELECT series_id, max(time) AS time, arg_max(value, time) AS value, arg_max(quality, time) AS quality,
        arg_max(received_at, time) AS received_at
        FROM observations WHERE {USABLE_VALUE} AND {condition} GROUP BY series_id"""
