"""The store's file: how it is opened, which schema it has, and what a person is told when it cannot be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from core.errors import StoreBusy, StoreError

MIGRATIONS: Final = Path(__file__).with_name("migrations")
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,  # the smallest server we promise to run on; screens need its other cores less than its calm
    "memory_limit": "1GB",
    "preserve_insertion_order": False,  # every read says its order; bulk writes need less memory without
    "checkpoint_threshold": "16MB",  # small log: a restart after a crash replays it in well under a second
    "autoinstall_known_extensions": False,  # the server may stand in a closed network
    "autoload_known_extensions": False,
}


def shown(path: Path) -> str:
    """A path as a person would type it: relative to where the programme was started, if it lies there."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def connect(path: Path, name: str) -> duckdb.DuckDBPyConnection:
    """Open or create a database file. Raises StoreBusy, StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), config=SETTINGS)
    except duckdb.Error as error:
        words = str(error)
        if "set lock" in words or "used by another process" in words:  # the words on Unix and on Windows
            found = re.search(r"PID (\d+)", words)
            owner = f" (PID {found[1]})" if found else ""
            raise StoreBusy(
                f"{name} is in use by another process{owner}: stop it, or give this one another CITY or CITY_STORE"
            ) from error
        raise StoreError(
            f"{name} cannot be opened as a store ({first_line(error)}): "
            "move it away, restore a backup (python -m store restore), or give CITY_STORE another path"
        ) from error
    except OSError as error:
        raise StoreError(f"{name} cannot be created ({error.strerror}): give CITY_STORE another path") from error


def parts(path: Path) -> list[Path]:
    """The files that make up a database and are there: itself and its write-ahead logs."""
    names = [path.name + suffix for suffix in ("", ".wal", ".wal.checkpoint", ".wal.recovery")]
    return [part for part in map(path.with_name, names) if part.exists()]


def first_line(error: Exception) -> str:
    """What went wrong, without the engine's stack trace."""
    return str(error).strip().partition("\n")[0]


def one(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """The single row that a query without GROUP BY always gives; read to its end, as DuckDB asks for."""
    ((*row,),) = result.fetchall()
    return tuple(row)


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything inside happens, or nothing."""
    cursor.begin()
    try:
        yield
        cursor.commit()
    except BaseException:
        with suppress(duckdb.Error):  # a failed commit has no transaction left; the first error is the story
            cursor.rollback()
        raise


def migrate(cursor: duckdb.DuckDBPyConnection, name: str, folder: Path = MIGRATIONS) -> None:
    """Bring a file to the newest schema, one transaction per step. Raises StoreError for a foreign or newer file."""
    steps = {int(path.name.partition("_")[0]): path for path in sorted(folder.glob("[0-9]*.sql"))}
    tables = {row[0] for row in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "schema_version" not in tables:
        if tables:
            raise StoreError(f"{name} is a DuckDB file, but not a store of this house: give CITY_STORE another path")
        cursor.execute("CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL)")
    (version,) = one(cursor.execute("SELECT coalesce(max(version), 0) FROM schema_version"))
    if version > max(steps):
        raise StoreError(
            f"{name} has schema version {version}, but this programme knows only {max(steps)}: "
            "install the newer programme, or give CITY_STORE another path"
        )
    for number, path in steps.items():
        if number > version:
            with transaction(cursor):
                cursor.execute(path.read_text(encoding="utf-8"))
                now = datetime.now(UTC).replace(tzinfo=None)
                cursor.execute("INSERT INTO schema_version VALUES (?, ?)", [number, now])
