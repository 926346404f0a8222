"""The open tables of one closed period: reports by category, by ward, and how pleased people were, small counts hidden.

The three tables count the same reports, so they are protected as one: every report of a category is on time, late or
not yet due, and it is rated well, rated less well or not rated. No table then holds «all but a few» of another.

Votes of proposals go on growing between two publications: a new count replaces the told one only when the votes for
and those against have each changed by nobody or by at least k, the first time counted from zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from analysis import cases
from analysis.small_cells import K, Safe, suppress_linked

LEAST_PUBLIC = 30  # reports below which no median is published
Votes = Mapping[str, tuple[int, int]]  # proposal -> votes for it, people asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Median time to the end with its 95 % interval [h]; None where it is not reached."""

    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTables:
    """What everybody may read of one period."""

    kept: Safe  # category × (on_time, late, not_due)
    satisfied: Safe  # category × (satisfied, not_satisfied, unrated)
    wards: Safe  # one column: reports of each ward, "" for those that name none
    waits: Mapping[str, Wait]  # of categories with at least LEAST_PUBLIC reports
    votes: Votes
    sources: tuple[str, ...]


def tables(
    reports: pd.DataFrame, since: datetime, until: datetime, *, as_of: datetime, wards: Sequence[str], votes: Votes
) -> OpenTables:
    """core.cases.frame with due_at -> the tables of what was received in [since, until), as it stood `as_of`."""
    received = reports["received_at"]
    found = reports[(received >= since) & (received < until)]
    summary = cases.summarise(found, since=since - pd.Timedelta(microseconds=1), now=as_of, population=_people(wards))
    rows = sorted(summary.rows[1:], key=lambda one: one.category)  # an order by size would rank what is hidden
    kept = _split(rows, lambda row: row.on_time, ("on_time", "late", "not_due"))
    pleased = _split(rows, lambda row: row.satisfied, ("satisfied", "not_satisfied", "unrated"))
    by_ward = pd.DataFrame({"reports": {one.code: one.n for one in summary.wards} | {"": summary.unplaced}})
    (kept_safe, pleased_safe), ward_safe = suppress_linked([kept, pleased], by_ward)
    return OpenTables(
        kept=kept_safe,
        satisfied=pleased_safe,
        wards=ward_safe,
        waits={
            row.category: Wait(median=row.survival.median, low=row.survival.median_low, high=row.survival.median_high)
            for row in rows
            if row.survival and row.n >= LEAST_PUBLIC
        },
        votes=votes,
        sources=tuple(sorted(set(found["source"]))),
    )


def _split(
    rows: Sequence[cases.Row], share: Callable[[cases.Row], cases.Share], names: tuple[str, str, str]
) -> pd.DataFrame:
    """Per category the reports of which the share says yes, those of which it says no, and those it leaves out."""
    counts = [(share(row).good, share(row).n - share(row).good, row.n - share(row).n) for row in rows]
    return pd.DataFrame(counts, index=[row.category for row in rows], columns=list(names))


def _people(wards: Sequence[str]) -> dict[str, float]:
    return {code: float("nan") for code in wards}


def told_votes(told: Votes, counted: Votes, k: int = K) -> Votes:
    """What may be told of `counted`, when `told` is what was said last. A proposal that is left out is not told."""
    found = {}
    for key, (votes, voters) in counted.items():
        before, asked = told.get(key, (0, 0))
        steps = (votes - before, (voters - votes) - (asked - before))
        if all(step == 0 or abs(step) >= k for step in steps):
            found[key] = (votes, voters)
        elif key in told:
            found[key] = told[key]
    return found


def as_text(made: OpenTables) -> str:
    """JSON, as it is kept in the store."""
    return json.dumps(
        {
            **{name: _safe_out(getattr(made, name)) for name in ("kept", "satisfied", "wards")},
            "waits": {key: [one.median, one.low, one.high] for key, one in made.waits.items()},
            "votes": {key: list(pair) for key, pair in made.votes.items()},
            "sources": list(made.sources),
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def from_text(text: str) -> OpenTables:
    """What `as_text` wrote."""
    table = json.loads(text)
    return OpenTables(
        **{name: _safe_in(table[name]) for name in ("kept", "satisfied", "wards")},
        waits={key: Wait(median=one[0], low=one[1], high=one[2]) for key, one in table["waits"].items()},
        votes={key: (int(one[0]), int(one[1])) for key, one in table["votes"].items()},
        sources=tuple(table["sources"]),
    )


def _safe_out(safe: Safe) -> dict[str, Any]:
    return {
        "rows": list(safe.cells.index),
        "columns": list(safe.cells.columns),
        "cells": [_plain(safe.cells.loc[name]) for name in safe.cells.index],
        "row_totals": _plain(safe.rows),
        "column_totals": _plain(safe.columns),
        "total": safe.total,
        "k": safe.k,
    }


def _safe_in(table: Mapping[str, Any]) -> Safe:
    rows, columns = table["rows"], table["columns"]
    cells = pd.DataFrame(table["cells"], index=rows, columns=columns, dtype="Int64")
    return Safe(
        cells=cells,
        rows=pd.Series(table["row_totals"], index=rows, dtype="Int64"),
        columns=pd.Series(table["column_totals"], index=columns, dtype="Int64"),
        total=table["total"],
        hidden=int(cells.isna().to_numpy().sum()),
        k=table["k"],
    )


def _plain(counts: pd.Series) -> list[int | None]:
    return [None if pd.isna(one) else int(one) for one in counts]
