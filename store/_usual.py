"""The usual band in SQL: p10, p50 and p90 per series and hour class, and where there is not yet enough history for one.

An hour class is an hour of the week on local clocks, 0 to 167 from Monday 00:00 on; holidays have the classes 168 to
191. The history is the last eight weeks. Functions on a cursor; the table `spans` is registered by whoever calls.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from core.calendar import LEAST_DAYS, is_holiday
from store._file import one
from store._rows import USABLE_VALUE, frame_of, naive

BAND_HISTORY: Final = timedelta(weeks=8)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class History:
    """SQL for values with their day and hour class, its parameters, and the table `spans` that it reads."""

    sql: str  # site_id, observed_property, value, day, hour_of_week
    parameters: Mapping[str, Any]
    spans: pd.DataFrame  # since, until, shift_min


def history(properties: Collection[str], now: datetime, own_holidays: Collection[date], zone: ZoneInfo) -> History:
    """What the usual is made of: each usable value of the last eight weeks with its day and hour class."""
    until = naive(now, "now")
    since = until - BAND_HISTORY
    days = [since.date() + timedelta(days=number) for number in range(-1, BAND_HISTORY.days + 2)]
    sql = f"""SELECT s.site_id, s.observed_property, o.value, local::DATE AS day,
            if(local::DATE IN (SELECT unnest($holidays::DATE[])), 7, isodow(local) - 1) * 24
                + hour(local) AS hour_of_week
        FROM (
            SELECT o.series_id, o.value, o.time + to_minutes(z.shift_min) - INTERVAL 1 MICROSECOND AS local
            FROM observations o JOIN spans z ON o.time > z.since AND o.time <= z.until
            WHERE o.time > $since AND o.time <= $until AND {USABLE_VALUE}) o
        JOIN series s USING (series_id)
        WHERE s.observed_property IN (SELECT unnest($properties))"""
    return History(
        sql=sql,
        parameters={
            "since": since,
            "until": until,
            "properties": list(properties),
            "holidays": [day for day in days if is_holiday(day, own_holidays)],
        },
        spans=pd.DataFrame(_offsets(since, until, zone), columns=["since", "until", "shift_min"]),
    )


def rebuild(cursor: duckdb.DuckDBPyConnection, known: History, properties: Collection[str]) -> int:
    """Make the bands of these properties anew. Returns how many there are."""
    cursor.execute("DELETE FROM usual_band WHERE observed_property IN (SELECT unnest(?))", [list(properties)])
    (rows,) = one(
        cursor.execute(
            f"""INSERT INTO usual_band
            SELECT site_id, observed_property, hour_of_week, band[1], band[2], band[3], n FROM (
                SELECT site_id, observed_property, hour_of_week,
                    quantile_cont(value, [0.1, 0.5, 0.9]) AS band, count(*) AS n
                FROM ({known.sql}) GROUP BY ALL HAVING count(DISTINCT day) >= $least)""",
            {**known.parameters, "least": LEAST_DAYS},
        )
    )
    return int(rows)


def short(cursor: duckdb.DuckDBPyConnection, known: History) -> pd.DataFrame:
    """Hour classes with fewer days than a band needs: site_id, observed_property, hour_of_week, days."""
    cursor.register("spans", known.spans)
    try:
        found = cursor.sql(
            f"""SELECT site_id, observed_property, hour_of_week, count(DISTINCT day) AS days
            FROM ({known.sql}) GROUP BY ALL HAVING count(DISTINCT day) < $least
            ORDER BY observed_property, site_id, hour_of_week""",
            params={**known.parameters, "least": LEAST_DAYS},
        )
        return frame_of(found.to_arrow_table().to_pandas())
    finally:
        cursor.unregister("spans")


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    """Local time minus UTC at a naive UTC moment."""
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) - moment


def _offsets(since: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime, int]]:
    """Stretches of the zone's life with one offset: naive UTC from (exclusive), to (inclusive), minutes."""
    found = [(since, until, offset(since, zone) // timedelta(minutes=1))]
    moment = since.replace(minute=0, second=0, microsecond=0) + _HOUR
    while moment < until:
        shift_min = offset(moment, zone) // timedelta(minutes=1)
        if shift_min != found[-1][2]:
            found[-1] = (found[-1][0], moment, found[-1][2])
            found.append((moment, until, shift_min))
        moment += _HOUR
    return found
