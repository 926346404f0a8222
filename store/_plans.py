"""Tasks, decisions and own numbers of plans in SQL: only added, never changed. Functions on a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar

import duckdb

from core.errors import InputError
from core.plans import Decision, OwnNumber, Task
from store._file import one
from store._rows import listed, naive, record_of

Record = TypeVar("Record", Task, Decision, OwnNumber)
_TABLES: Final = {Task: "plan_tasks", Decision: "decisions", OwnNumber: "plan_numbers"}


def add_task(cursor: duckdb.DuckDBPyConnection, task: Task) -> None:
    """Add a version. Raises InputError when somebody else was faster: their change is not overwritten unseen."""
    (newest,) = one(cursor.execute("SELECT coalesce(max(version), 0) FROM plan_tasks WHERE task = ?", [task.task]))
    if newest != task.version - 1:
        raise InputError("Trong lúc đó đã có người khác sửa nhiệm vụ này; hãy xem lại rồi làm lại.")
    _add(cursor, task)


def add_decision(cursor: duckdb.DuckDBPyConnection, decision: Decision) -> None:
    """Add a decision. Raises InputError when there is one of that id."""
    (taken,) = one(cursor.execute("SELECT count(*) FROM decisions WHERE id = ?", [decision.id]))
    if taken:
        raise InputError(f"Số quyết định {decision.id} đã có; hãy ghi lại.")
    _add(cursor, decision)


def add_number(cursor: duckdb.DuckDBPyConnection, number: OwnNumber) -> None:
    """Add a number; the newest entry of a day is what holds."""
    _add(cursor, number)


def tasks(cursor: duckdb.DuckDBPyConnection) -> list[Task]:
    """Every version of every task, in the order of task and version."""
    return _all(cursor, Task, "task, version")


def decisions(cursor: duckdb.DuckDBPyConnection) -> list[Decision]:
    """All of them, the newest first."""
    return _all(cursor, Decision, "made_at DESC, id DESC")


def numbers(cursor: duckdb.DuckDBPyConnection) -> list[OwnNumber]:
    """Every entry, in the order of target, day and entry."""
    return _all(cursor, OwnNumber, "target, day, entered_at")


def _add(cursor: duckdb.DuckDBPyConnection, record: Task | Decision | OwnNumber) -> None:
    names = [field.name for field in fields(record)]
    values = [_stored(name, getattr(record, name)) for name in names]
    marks = ", ".join("?" for _ in names)
    cursor.execute(f"INSERT INTO {_TABLES[type(record)]} ({listed(names)}) VALUES ({marks})", values)


def _stored(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return naive(value, name)
    return list(value) if isinstance(value, tuple) else value


def _all(cursor: duckdb.DuckDBPyConnection, kind: type[Record], order: str) -> list[Record]:
    names = [field.name for field in fields(kind)]
    rows: Sequence[Any] = cursor.execute(f"SELECT {listed(names)} FROM {_TABLES[kind]} ORDER BY {order}").fetchall()
    return [record_of(kind, row) for row in rows]
