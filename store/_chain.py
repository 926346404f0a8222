"""The audit log in SQL: append, prove, forget what is old enough. Functions on a cursor inside a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import duckdb

from core.errors import InputError
from core.ledger import AuditEntry
from store._file import one
from store._rows import AUDIT_TYPES, listed, naive, record_of
from store._upsert import insert
from store.audit import START, Head, Sealed, chained, defects, parsed_head, pruning, walked

HEAD: Final = "audit_head"  # names in the table `settings`
ANCHOR: Final = "audit_anchor"
_SEAL_TYPES: Final = {name: kind for name, kind in AUDIT_TYPES.items() if name in ("entry", "previous_hash", "hash")}
_CONTENT_TYPES: Final = {name: kind for name, kind in AUDIT_TYPES.items() if name not in _SEAL_TYPES}
_AT_ONCE: Final = 10_000


def remembered(cursor: duckdb.DuckDBPyConnection, name: str) -> Head:
    """HEAD or ANCHOR as it stands apart from the rows; START when there is none."""
    (text,) = one(cursor.execute("SELECT max(value) FROM settings WHERE name = ?", [name]))
    return START if text is None else parsed_head(text)


def _remember(cursor: duckdb.DuckDBPyConnection, name: str, head: Head) -> None:
    (there,) = one(cursor.execute("UPDATE settings SET value = ? WHERE name = ?", [str(head), name]))
    if not there:
        cursor.execute("INSERT INTO settings VALUES (?, ?)", [name, str(head)])


def append(cursor: duckdb.DuckDBPyConnection, entries: Sequence[AuditEntry]) -> Head:
    """Add entries after the remembered head; returns the new head."""
    rows = chained(entries, remembered(cursor, HEAD))
    head = Head(rows[-1].entry, rows[-1].hash)
    seals = {name: [getattr(row, name) for row in rows] for name in _SEAL_TYPES}
    contents = {name: [getattr(row.content, name) for row in rows] for name in _CONTENT_TYPES}
    insert(cursor, "audit", {**seals, **contents}, AUDIT_TYPES)
    _remember(cursor, HEAD, head)
    return head


def rows_of(cursor: duckdb.DuckDBPyConnection, until: int | None = None) -> Iterator[Sealed]:
    """Every entry by number, up to and with `until`; read piece by piece."""
    condition = "" if until is None else f"WHERE entry <= {until}"
    cursor.execute(f"SELECT {listed([*_SEAL_TYPES, *_CONTENT_TYPES])} FROM audit {condition} ORDER BY entry, hash")
    while some := cursor.fetchmany(_AT_ONCE):
        for entry, previous_hash, digest, *content in some:
            yield Sealed(entry, record_of(AuditEntry, content), previous_hash, digest)


def findings(cursor: duckdb.DuckDBPyConnection, noted: Head | None = None) -> list[str]:
    """What is wrong with the log, in words."""
    try:
        anchor, head = remembered(cursor, ANCHOR), remembered(cursor, HEAD)
    except InputError:
        return ["the remembered head or anchor was changed"]
    return defects(rows_of(cursor), anchor, head, noted)


def prune(cursor: duckdb.DuckDBPyConnection, before: datetime, now: datetime) -> int:
    """Forget the entries before the first one that is not older than `before`; the rest can still be proved.

    Raises InputError when the part to be forgotten is not whole: evidence is not thrown away.
    """
    anchor, head = remembered(cursor, ANCHOR), remembered(cursor, HEAD)
    (first_kept,) = one(
        cursor.execute(
            "SELECT coalesce(min(entry), ?) FROM audit WHERE happened_at >= ?",
            [head.entry + 1, naive(before, "before")],
        )
    )
    last = anchor
    for row, wrong in walked(rows_of(cursor, first_kept - 1), anchor):
        if wrong:
            raise InputError(f"audit log: {wrong[0]}: nothing was forgotten; run python -m store verify")
        last = Head(row.entry, row.hash)
    if last == anchor:
        return 0
    (removed,) = one(cursor.execute("DELETE FROM audit WHERE entry <= ?", [last.entry]))
    _remember(cursor, ANCHOR, last)
    append(cursor, [pruning(anchor, last, now)])
    return int(removed)
