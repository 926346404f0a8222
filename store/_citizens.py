"""Citizens' answers, links and ratings in SQL, and how this dashboard is used. Functions on a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import duckdb

from core.ratings import RatingCount, RatingFile
from core.survey import Answer, IssuedLink
from core.usage import UsageDay
from store._rows import listed, naive, record_of

ANSWER_COLUMNS = ("time", "service", "office", "n1", "n2", "n3", "n4", "n5", "asked")
_LINK = tuple(one.name for one in fields(IssuedLink))
_ANSWER = tuple(one.name for one in fields(Answer))
_COUNT = tuple(one.name for one in fields(RatingCount))
_FILE = tuple(one.name for one in fields(RatingFile))


def add_link(cursor: duckdb.DuckDBPyConnection, link: IssuedLink) -> None:
    """Write a link into the list."""
    _insert(cursor, "survey_links", _LINK, link)


def revoke_link(cursor: duckdb.DuckDBPyConnection, key_id: str, now: datetime, by: str) -> bool:
    """From now on nobody answers by this link; False when there is none that is open."""
    found = cursor.execute(
        "UPDATE survey_links SET revoked_at = ?, revoked_by = ? WHERE key_id = ? AND revoked_at IS NULL RETURNING 1",
        [naive(now, "now"), by, key_id],
    ).fetchall()
    return bool(found)


def links(cursor: duckdb.DuckDBPyConnection) -> list[IssuedLink]:
    """All links, the newest first."""
    rows = cursor.execute(f"SELECT {listed(_LINK)} FROM survey_links ORDER BY issued_on DESC, key_id").fetchall()
    return [record_of(IssuedLink, row) for row in rows]


def add_answer(cursor: duckdb.DuckDBPyConnection, answer: Answer) -> None:
    """Keep one answer."""
    _insert(cursor, "survey_answers", _ANSWER, answer)


def add_ratings(cursor: duckdb.DuckDBPyConnection, counts: Sequence[RatingCount], file: RatingFile) -> None:
    """Keep the counts of a file; what an earlier file said of the same stays, and no longer counts."""
    for one in counts:
        values = [_value(one, name) for name in _COUNT] + [_value(file, name) for name in _FILE]
        marks = ", ".join("?" for _ in values)
        cursor.execute(f"INSERT INTO rating_counts ({listed((*_COUNT, *_FILE))}) VALUES ({marks})", values)


# Answers of the survey by hour, service and office as counts; `asked` is unknown there, which 0 says.
ANSWERS = """SELECT answered_at AS time, service, office,
        count(*) FILTER (points = 1) AS n1, count(*) FILTER (points = 2) AS n2, count(*) FILTER (points = 3) AS n3,
        count(*) FILTER (points = 4) AS n4, count(*) FILTER (points = 5) AS n5, 0::BIGINT AS asked
    FROM survey_answers WHERE answered_at >= $since AND answered_at < $until
    GROUP BY ALL ORDER BY time, service, office"""
# Of several imports of one period, service and office the newest.
RATINGS = """SELECT period_end AS time, service, office, n1::BIGINT AS n1, n2::BIGINT AS n2, n3::BIGINT AS n3,
        n4::BIGINT AS n4, n5::BIGINT AS n5, asked::BIGINT AS asked
    FROM rating_counts WHERE period_end > $since AND period_end <= $until
    QUALIFY row_number() OVER (
        PARTITION BY period_first, period_end, service, office ORDER BY imported_at DESC, rowid DESC) = 1
    ORDER BY time, service, office"""
REASONS = """SELECT answered_at AS time, service, office, points, reason FROM survey_answers
    WHERE answered_at >= $since AND answered_at < $until AND reason <> ''
    ORDER BY time DESC, service, office, points, reason"""
USAGE = """SELECT day, kind, name, role, n, sessions, seconds FROM usage_days
    WHERE day >= $since ORDER BY day, kind, name, role"""


def add_usage(cursor: duckdb.DuckDBPyConnection, days: Sequence[UsageDay]) -> None:
    """Add to what is known of these days."""
    for one in days:
        key = [one.day, one.kind, one.name, one.role]
        found = cursor.execute(
            """UPDATE usage_days SET n = n + ?, sessions = sessions + ?, seconds = seconds + ?
            WHERE day = ? AND kind = ? AND name = ? AND role = ? RETURNING 1""",
            [one.n, one.sessions, one.seconds, *key],
        ).fetchall()
        if not found:
            cursor.execute(
                "INSERT INTO usage_days VALUES (?, ?, ?, ?, ?, ?, ?)", [*key, one.n, one.sessions, one.seconds]
            )


def prune(cursor: duckdb.DuckDBPyConnection, before: datetime) -> int:
    """Forget answers, counts and days of use that are older; returns how many. Links stay: answers belong to them."""
    limit, removed = naive(before, "before"), 0
    for table, column, value in (
        ("survey_answers", "answered_at", limit),
        ("rating_counts", "period_end", limit),
        ("usage_days", "day", limit.date()),
    ):
        removed += len(cursor.execute(f"DELETE FROM {table} WHERE {column} < ? RETURNING 1", [value]).fetchall())
    return removed


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], record: object) -> None:
    marks = ", ".join("?" for _ in names)
    cursor.execute(f"INSERT INTO {table} ({listed(names)}) VALUES ({marks})", [_value(record, name) for name in names])


def _value(record: object, name: str) -> Any:
    value = getattr(record, name)
    return naive(value, name) if isinstance(value, datetime) else value
