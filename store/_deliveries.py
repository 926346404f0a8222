"""Delivered files in SQL: add a version, read the history, read a file back. Functions on a cursor."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from core.errors import InputError
from core.forms import Delivery
from store._file import one
from store._rows import DELIVERY_TYPES, listed, naive, record_of

_COLUMNS = listed(DELIVERY_TYPES)
_ONE_PERIOD = "form = ? AND unit = ? AND period_end = ?"


def add(cursor: duckdb.DuckDBPyConnection, delivery: Delivery, body: bytes) -> None:
    """Add a version. Raises InputError when somebody else was faster: their version is not overwritten unseen."""
    period = [delivery.form, delivery.unit, naive(delivery.period_end, "period_end")]
    (newest,) = one(cursor.execute(f"SELECT coalesce(max(version), 0) FROM deliveries WHERE {_ONE_PERIOD}", period))
    if newest != delivery.version - 1:
        raise InputError(
            f"Trong lúc đó đã có bản {newest} được nộp cho kỳ này; hãy xem lại khác biệt với bản ấy rồi nộp lại."
        )
    values = {name: getattr(delivery, name) for name in DELIVERY_TYPES}
    for name in ("period_end", "delivered_at"):
        values[name] = naive(values[name], name)
    marks = ", ".join("?" for _ in values)
    cursor.execute(f"INSERT INTO deliveries ({_COLUMNS}, body) VALUES ({marks}, ?)", [*values.values(), body])


def history(
    cursor: duckdb.DuckDBPyConnection, since: datetime, forms: Collection[str] | None, units: Collection[str] | None
) -> list[Delivery]:
    """Every version of the periods that end after `since`: newest period first, then newest version first."""
    conditions, parameters = ["period_end > ?"], [naive(since, "since")]
    for name, words in (("form", forms), ("unit", units)):
        if words is not None:
            conditions.append(f"{name} IN (SELECT unnest(?::VARCHAR[]))")
            parameters.append(list(words))  # type: ignore[arg-type]
    rows = cursor.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE {' AND '.join(conditions)} "
        "ORDER BY period_end DESC, form, unit, version DESC",
        parameters,
    ).fetchall()
    return [record_of(Delivery, row) for row in rows]


def body_of(cursor: duckdb.DuckDBPyConnection, form: str, unit: str, period_end: datetime, version: int) -> bytes:
    """The file of one version. Raises InputError when there is none."""
    found = cursor.execute(
        f"SELECT body FROM deliveries WHERE {_ONE_PERIOD} AND version = ?",
        [form, unit, naive(period_end, "period_end"), version],
    ).fetchall()  # read to its end, as DuckDB asks for before the next question on this cursor
    if not found:
        raise InputError(f"Không có bản {version} của {form}, đơn vị {unit}, kỳ đến {period_end:%d/%m/%Y}.")
    return bytes(found[0][0])
