"""Tasks, decisions, numbers and answers of plans, and published figures, in SQL: only added, never changed.

Functions on a cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar

import duckdb

from core.errors import InputError
from core.maturity import Given
from core.open_figures import Publication
from core.plans import Decision, OwnNumber, Task
from store._file import one
from store._rows import listed, naive, record_of

Record = TypeVar("Record", Task, Decision, OwnNumber, Given, Publication)
_TABLES: Final = {
    Task: "plan_tasks",
    Decision: "decisions",
    OwnNumber: "plan_numbers",
    Given: "maturity_answers",
    Publication: "open_figures",
}


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


def add_answer(cursor: duckdb.DuckDBPyConnection, answer: Given) -> None:
    """Add a version. Raises InputError when somebody else was faster: their answer is not overwritten unseen."""
    (newest,) = one(
        cursor.execute("SELECT coalesce(max(version), 0) FROM maturity_answers WHERE criterion = ?", [answer.criterion])
    )
    if newest != answer.version - 1:
        raise InputError("Trong lúc đó đã có người khác trả lời yêu cầu này; hãy xem lại rồi làm lại.")
    _add(cursor, answer)


def answers(cursor: duckdb.DuckDBPyConnection) -> list[Given]:
    """Every version of every answer, in the order of criterion and version."""
    return _all(cursor, Given, "criterion, version")


def publish(cursor: duckdb.DuckDBPyConnection, publication: Publication) -> None:
    """Keep a period. Raises InputError for one that shares a moment with a published one: figures of both could be
    subtracted from each other."""
    newest = published(cursor)
    if publication.until <= publication.since or (newest is not None and publication.since < newest.until):
        raise InputError("Kỳ này trùng với kỳ đã công khai; số liệu đã công khai không làm lại.")
    _add(cursor, publication)


def published(cursor: duckdb.DuckDBPyConnection) -> Publication | None:
    """The last published period."""
    found = _all(cursor, Publication, "until DESC LIMIT 1")
    return found[0] if found else None


def tasks(cursor: duckdb.DuckDBPyConnection) -> list[Task]:
    """Every version of every task, in the order of task and version."""
    return _all(cursor, Task, "task, version")


def decisions(cursor: duckdb.DuckDBPyConnection) -> list[Decision]:
    """All of them, the newest first."""
    return _all(cursor, Decision, "made_at DESC, id DESC")


def numbers(cursor: duckdb.DuckDBPyConnection) -> list[OwnNumber]:
    """Every entry, in the order of target, day and entry."""
    return _all(cursor, OwnNumber, "target, day, entered_at")


def _add(cursor: duckdb.DuckDBPyConnection, record: Task | Decision | OwnNumber | Given | Publication) -> None:
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
