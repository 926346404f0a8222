"""Rows on their way into a table, the cheap way: a few as parameters, many as an Arrow table, and only what differs.

Planning and logging dominate a small write: naming 4 columns instead of 29 makes a deed three times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import duckdb

from store._rows import Record, arrow, listed, plain, unnested

_FEW: Final = 50
_BESIDE: Final = "rows_beside"


@contextmanager
def _source(
    cursor: duckdb.DuckDBPyConnection, values: Mapping[str, list[Any]], types: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """SQL that gives the columns as rows, and its parameters."""
    table = arrow(values, types)  # checks them all, also the few
    if table.num_rows <= _FEW:
        yield f"({unnested({name: types[name] for name in values})})", table.to_pydict()
        return
    cursor.register(_BESIDE, table)
    try:
        yield _BESIDE, {}
    finally:
        with suppress(duckdb.Error):  # after a failed statement the name is gone with the transaction
            cursor.unregister(_BESIDE)


def insert(
    cursor: duckdb.DuckDBPyConnection, table: str, values: Mapping[str, list[Any]], types: Mapping[str, str]
) -> None:
    """Add rows, given as one list per column."""
    with _source(cursor, values, types) as (rows, parameters):
        cursor.execute(f"INSERT INTO {table} ({listed(values)}) SELECT {listed(values)} FROM {rows} n", parameters)


def upsert(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    wanted: Mapping[Any, Record],
    before: Mapping[Any, Record],
    types: Mapping[str, str],
    key: Sequence[str],
) -> tuple[Record, ...]:
    """Write those of the wanted records that differ from the ones before; returns them as they will come back.

    What is not among `before` may be in the table all the same. Raises InputError.
    """
    changed = {name: record for name, record in wanted.items() if before.get(name) != record}
    known = {name: record for name, record in changed.items() if name in before}
    kept: dict[Any, Record] = {}
    if known:
        records, values = plain(list(known.values()), types)
        old = [before[name] for name in known]
        differing = [name for name in types if values[name] != [getattr(record, name) for record in old]]
        if differing:  # 1 and numpy's 1.0 are the same once they are written
            _update(cursor, table, {name: values[name] for name in (*key, *differing)}, types, key)
        kept |= zip(known, records, strict=True)
    fresh = {name: record for name, record in changed.items() if name not in before}
    if fresh:
        records, values = plain(list(fresh.values()), types)
        _merge(cursor, table, values, types, key)
        kept |= zip(fresh, records, strict=True)
    return tuple(kept[name] for name in changed)


def _same(table: str, key: Sequence[str]) -> str:
    return " AND ".join(f'{table}."{name}" = n."{name}"' for name in key)


def _set(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}" = n."{name}"' for name in names)


def _update(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    values: Mapping[str, list[Any]],
    types: Mapping[str, str],
    key: Sequence[str],
) -> None:
    differing = [name for name in values if name not in key]
    with _source(cursor, values, types) as (rows, parameters):
        cursor.execute(f"UPDATE {table} SET {_set(differing)} FROM {rows} n WHERE {_same(table, key)}", parameters)


def _merge(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    values: Mapping[str, list[Any]],
    types: Mapping[str, str],
    key: Sequence[str],
) -> None:
    with _source(cursor, values, types) as (rows, parameters):
        cursor.execute(
            f"""MERGE INTO {table} USING {rows} n ON {_same(table, key)}
            WHEN MATCHED THEN UPDATE SET {_set(list(values))}
            WHEN NOT MATCHED THEN INSERT ({listed(values)}) VALUES ({listed(values, "n.")})""",
            parameters,
        )
