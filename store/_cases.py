"""Cases in SQL: write what changed, read, remind, forget. Functions on a cursor.

The number of a case becomes a keyed hash (HMAC-SHA-256, 20 hex digits) on its way in: equal numbers stay equal, and
whoever reads the file cannot try numbers, for the key is random and made with the table.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

import duckdb
import pandas as pd

from core import cases
from core.cases import COLUMNS, IDENTITY, TIMES
from store._file import one
from store._rows import naive, utc_without_zone

DIGITS = 20
_COLUMNS = ", ".join(COLUMNS)
_OPEN = "resolved_at IS NULL AND closed_at IS NULL"


def key(cursor: duckdb.DuckDBPyConnection) -> bytes:
    """The key of this store's pseudonyms."""
    (found,) = one(cursor.execute("SELECT max(value) FROM settings WHERE name = 'case_key'"))
    return str(found).encode()


def incoming(frame: pd.DataFrame, secret: bytes) -> pd.DataFrame:
    """The frame of core.cases as rows of the table; of one case given twice the last row counts."""
    rows = cases.frame(frame)
    rows["case_id"] = [
        hmac.new(secret, f"{source}\n{number}".encode(), hashlib.sha256).hexdigest()[:DIGITS]
        for source, number in zip(rows["source"], rows["case_id"], strict=True)
    ]
    rows = rows.drop_duplicates(IDENTITY, keep="last")
    for name in TIMES:
        rows[name] = utc_without_zone(rows[name])
    return rows


def write(cursor: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Bring the table up to date with the registered frame `incoming`; how many cases are new or changed."""
    values = [name for name in COLUMNS if name not in IDENTITY]
    (changed,) = one(
        cursor.execute(
            f"""MERGE INTO cases USING incoming i ON cases.source = i.source AND cases.case_id = i.case_id
            WHEN MATCHED AND ({" OR ".join(f"cases.{name} IS DISTINCT FROM i.{name}" for name in values)})
                THEN UPDATE SET {", ".join(f"{name} = i.{name}" for name in values)}, changed_at = $now
            WHEN NOT MATCHED THEN INSERT ({_COLUMNS}, changed_at) VALUES ({_listed("i.")}, $now)""",
            {"now": naive(now, "now")},
        )
    )
    return int(changed)


def _listed(prefix: str) -> str:
    return ", ".join(f"{prefix}{name}" for name in COLUMNS)


def query(kind: str, since: datetime) -> tuple[str, dict[str, object]]:
    """SQL and its parameters: cases of a kind that were received after `since` or are still open, oldest first."""
    return (
        f"""SELECT {_COLUMNS} FROM cases WHERE kind = $kind AND (received_at > $since OR ({_OPEN}))
        ORDER BY received_at, source, case_id""",
        {"kind": kind, "since": naive(since, "since")},
    )


def remind(cursor: duckdb.DuckDBPyConnection, agency: str, category: str, at: datetime, account: str) -> None:
    """Note that somebody reminded a unit of its files of one service."""
    cursor.execute("INSERT INTO case_reminders VALUES (?, ?, ?, ?)", [agency, category, naive(at, "at"), account])


def forget(cursor: duckdb.DuckDBPyConnection, before: datetime) -> int:
    """Settled cases that were received before then, and reminders as old: gone."""
    limit = naive(before, "before")
    (gone,) = one(cursor.execute(f"DELETE FROM cases WHERE received_at < ? AND NOT ({_OPEN})", [limit]))
    cursor.execute("DELETE FROM case_reminders WHERE reminded_at < ?", [limit])
    return int(gone)
