"""The panel of a pilot: a rectangle of units and times, read from rows and refused in one clear line.

Rows: unit, time, value, treated, after. `treated` belongs to a unit (0 or 1 in all of its rows), `after` to a time:
1 from the start of the pilot on, for treated and controls alike. Units that start at different times are refused, for
one number over several starts mixes young with old effects (Goodman-Bacon 2021): each start is a panel of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

import numpy as np
import pandas as pd

from analysis.pilots_inference import Flags, Floats
from core.errors import InputError

COLUMNS = ("unit", "time", "value", "treated", "after")
MOST_LEFT_OUT = 0.2  # of the times before the start, or after it
MOST_ROWS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Values (units, times) without a gap, times in order."""

    units: tuple[str, ...]
    times: tuple[str, ...]  # as they were written
    values: Floats
    treated: Flags
    after: Flags
    left_out: int = 0  # times at which some unit has no value

    @property
    def start(self) -> str:
        """The first time of the pilot."""
        return self.times[int(np.argmax(self.after))]


def read_panel(stream: TextIO, name: str, *, begun: bool = True) -> Panel:
    """A CSV file as a panel; one that has not `begun` may have no «after». Raises InputError that names the row."""
    try:
        rows = pd.read_csv(stream, dtype=str, keep_default_na=False, nrows=MOST_ROWS + 1)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: not a CSV table ({reason}); give columns {','.join(COLUMNS)}") from error
    if len(rows) > MOST_ROWS:
        raise InputError(f"{name}: more than {MOST_ROWS} rows; give means per day")
    return panel_of(rows, name, begun=begun)


def panel_of(rows: pd.DataFrame, name: str = "panel", *, begun: bool = True) -> Panel:
    """A frame with COLUMNS, values as text or numbers, as a panel. Raises InputError."""
    missing = [column for column in COLUMNS if column not in rows]
    if missing:
        raise InputError(f"{name}: no column {', '.join(missing)}; give columns {','.join(COLUMNS)}")
    if rows.empty:
        raise InputError(f"{name}: no rows; give one row per unit and time")
    rows = rows.loc[:, list(COLUMNS)].reset_index(drop=True)
    rows["unit"] = rows["unit"].astype(str).str.strip()
    rows["time"] = rows["time"].astype(str).str.strip()
    for column in ("unit", "time"):
        if (rows[column] == "").any():
            raise InputError(f"{name}: row {_line(rows[column] == '')}: {column} is empty; fill it in")
    rows["value"] = _numbers(rows["value"], name)
    for column in ("treated", "after"):
        rows[column] = _flags(rows[column], column, name)
    rows["order"] = _order(rows["time"], name)
    twice = rows.duplicated(["unit", "order"])
    if twice.any():
        row = rows[twice].iloc[0]
        raise InputError(f"{name}: row {_line(twice)}: {row.unit} at {row.time} is given twice; keep one row")
    return _rectangle(rows, name, begun)


def _rectangle(rows: pd.DataFrame, name: str, begun: bool) -> Panel:
    treated = _of_units(rows, name)
    after = _of_times(rows, name, begun)
    wide = rows.pivot(index="unit", columns="order", values="value").reindex(treated.index)
    full = wide.notna().all(axis=0).to_numpy()
    flags = after.to_numpy(dtype=np.bool_)
    for mark, word in ((False, "before"), (True, "after")):
        here = flags == mark
        lost = here & ~full
        if here.any() and lost.sum() > MOST_LEFT_OUT * here.sum():
            worst = wide.loc[:, here].isna().sum(axis=1).idxmax()
            raise InputError(
                f"{name}: {int(lost.sum())} of {int(here.sum())} times {word} the start lack a value of some unit, "
                f"most of all {worst}; fill them in or leave that unit out"
            )
    names = rows.drop_duplicates("order").set_index("order")["time"]
    return Panel(
        units=tuple(treated.index),
        times=tuple(str(names[one]) for one in wide.columns[full]),
        values=wide.loc[:, full].to_numpy(dtype=np.float64),
        treated=treated.to_numpy(dtype=np.bool_),
        after=flags[full],
        left_out=int((~full).sum()),
    )


def _of_units(rows: pd.DataFrame, name: str) -> pd.Series[bool]:
    """unit -> treated, treated first."""
    kinds = rows.groupby("unit")["treated"].agg(["min", "max"])
    both = kinds.index[kinds["min"] != kinds["max"]]
    if len(both):
        raise InputError(
            f"{name}: {both[0]} is treated in some rows and not in others; treated says whether the unit belongs to "
            "the pilot at all, after says since when"
        )
    found = kinds["max"].sort_values(ascending=False, kind="stable")
    if found.all() or not found.any():
        what = "control: treated is 1" if found.all() else "treated unit: treated is 0"
        raise InputError(f"{name}: there is no {what} in every row; a pilot needs both")
    return found


def _of_times(rows: pd.DataFrame, name: str, begun: bool) -> pd.Series[bool]:
    """order -> after; one start for all."""
    kinds = rows.groupby("order")["after"].agg(["min", "max"])
    both = kinds["min"] != kinds["max"]
    if both.any():
        moment = rows.loc[rows["order"] == kinds.index[both.to_numpy()][0], "time"].iloc[0]
        own = rows[(rows["treated"]) & (rows["after"])].groupby("unit")["order"].min()
        if own.nunique() > 1:
            raise InputError(
                f"{name}: treated units start at different times ({', '.join(map(str, own.index[:3]))}); "
                "give each start as a panel of its own"
            )
        raise InputError(
            f"{name}: at {moment} after is 1 for some units and 0 for others; "
            "after is 1 for all units from the start on"
        )
    found = kinds["max"]
    if found.all() or (begun and not found.any()):
        side = "before" if found.all() else "after"
        raise InputError(f"{name}: there is no time {side} the start; a comparison needs both")
    if not found.is_monotonic_increasing:
        raise InputError(f"{name}: after goes back to 0; a pilot that pauses is two panels")
    return found


def _numbers(given: pd.Series[str], name: str) -> pd.Series[float]:
    text = given.astype(str).str.strip()
    found = pd.to_numeric(text, errors="coerce").astype(float)
    missing = text.str.lower().isin(["", "nan", "na"])
    bad = (found.isna() & ~missing) | np.isinf(found)
    if bad.any():
        raise InputError(
            f"{name}: row {_line(bad)}: value {text[bad].iloc[0][:40]!r} is no number; write 12.5, or nothing"
        )
    return found


def _flags(given: pd.Series[str], column: str, name: str) -> pd.Series[bool]:
    text = given.astype(str).str.strip().str.lower()
    bad = ~text.isin(["0", "1", "true", "false", "0.0", "1.0"])
    if bad.any():
        raise InputError(f"{name}: row {_line(bad)}: {column} {text[bad].iloc[0][:40]!r} must be 0 or 1")
    return text.isin(["1", "true", "1.0"])


def _order(times: pd.Series[str], name: str) -> pd.Series[float]:
    """A number by which times sort: numbers as they are, ISO 8601 as moments. The first row says which of the two."""
    numbers = pd.to_numeric(times, errors="coerce")
    moments = pd.to_datetime(times, errors="coerce", format="ISO8601", utc=True)
    counted = bool(pd.notna(numbers.iloc[0]))
    bad = (numbers if counted else moments).isna()
    if bad.any():
        what = "a number, as the others are" if counted else "ISO 8601; write 2026-11-20"
        raise InputError(f"{name}: row {_line(bad)}: time {times[bad].iloc[0][:40]!r} is not {what}")
    return numbers.astype(float) if counted else moments.astype("int64").astype(float)


def _line(bad: pd.Series[bool]) -> int:
    """The line in the file: the head is line 1."""
    return int(np.argmax(bad.to_numpy())) + 2
