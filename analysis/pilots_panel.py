"""The panel of a pilot: a rectangle of units and times, read from rows and refused in one clear line.

Rows: unit, time, value, treated, after. `treated` belongs to a unit (0 or 1 in all of its rows), `after` to a time:
1 from the start of the pilot on, for treated and controls alike. Units that start at different times are refused, for
one number over several starts mixes young with old effects (Goodman-Bacon 2021): each start is a panel of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TextIO

import numpy as np
import pandas as pd

from analysis.pilots_inference import Flags, Floats
from core.pilot_faults import PilotFault

COLUMNS = ("unit", "time", "value", "treated", "after")
MOST_LEFT_OUT = 0.2  # of the times before the start, or after it
MOST_ROWS = 2_000_000
MOST_SHOWN = 40  # letters of a wrong cell
FIRST_LINE = 2  # of the file: where the rows begin, below the head


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
    """A CSV file as a panel; one that has not `begun` may have no «after». Raises PilotFault that names the row."""
    try:
        rows = pd.read_csv(stream, dtype=str, keep_default_na=False, nrows=MOST_ROWS + 1)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise PilotFault(
            "not_csv", name=name, reason=reason, reason_vi=_why_no_table(error), columns=",".join(COLUMNS)
        ) from error
    if len(rows) > MOST_ROWS:
        raise PilotFault("many_rows", name=name, most=MOST_ROWS)
    return panel_of(rows, name, begun=begun)


def panel_of(rows: pd.DataFrame, name: str = "panel", *, begun: bool = True) -> Panel:
    """A frame with COLUMNS, values as text or numbers, as a panel. Raises PilotFault."""
    missing = [column for column in COLUMNS if column not in rows]
    if missing:
        raise PilotFault("no_column", name=name, missing=", ".join(missing), columns=",".join(COLUMNS))
    if rows.empty:
        raise PilotFault("no_rows", name=name)
    rows = rows.loc[:, list(COLUMNS)].reset_index(drop=True)
    rows["unit"] = rows["unit"].astype(str).str.strip()
    rows["time"] = rows["time"].astype(str).str.strip()
    for column in ("unit", "time"):
        if (rows[column] == "").any():
            raise PilotFault("empty_cell", name=name, row=_line(rows[column] == ""), column=column)
    rows["value"] = _numbers(rows["value"], name)
    for column in ("treated", "after"):
        rows[column] = _flags(rows[column], column, name)
    rows["order"] = _order(rows["time"], name)
    twice = rows.duplicated(["unit", "order"])
    if twice.any():
        row = rows[twice].iloc[0]
        raise PilotFault("twice", name=name, row=_line(twice), unit=row.unit, time=row.time)
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
            raise PilotFault(f"gaps_{word}", name=name, lost=int(lost.sum()), of=int(here.sum()), worst=worst)
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
        own = rows["unit"] == both[0]
        first = bool(rows.loc[own, "treated"].iloc[0])
        raise PilotFault("sometimes_treated", name=name, unit=both[0], row=_line(own & (rows["treated"] != first)))
    found = kinds["max"].sort_values(ascending=False, kind="stable")
    if found.all() or not found.any():
        raise PilotFault("no_control" if found.all() else "no_treated", name=name)
    return found


def _of_times(rows: pd.DataFrame, name: str, begun: bool) -> pd.Series[bool]:
    """order -> after; one start for all."""
    kinds = rows.groupby("order")["after"].agg(["min", "max"])
    both = kinds["min"] != kinds["max"]
    if both.any():
        here = rows["order"] == kinds.index[both.to_numpy()][0]
        own = rows[(rows["treated"]) & (rows["after"])].groupby("unit")["order"].min()
        if own.nunique() > 1:
            raise PilotFault("staggered", name=name, units=", ".join(map(str, own.index[:3])))
        row = _line(here & ~rows["after"])
        raise PilotFault("after_differs", name=name, row=row, time=rows.loc[here, "time"].iloc[0])
    found = kinds["max"]
    if found.all() or (begun and not found.any()):
        raise PilotFault("no_before" if found.all() else "no_after", name=name)
    if not found.is_monotonic_increasing:
        back = found.index[(found.astype(int).diff() < 0).to_numpy()][0]
        row = _line(rows["order"] == back)
        raise PilotFault("pauses", name=name, row=row, time=rows["time"].iloc[row - FIRST_LINE])
    return found


def _numbers(given: pd.Series[str], name: str) -> pd.Series[float]:
    text = given.astype(str).str.strip()
    found = pd.to_numeric(text, errors="coerce").astype(float)
    missing = text.str.lower().isin(["", "nan", "na"])
    bad = (found.isna() & ~missing) | np.isinf(found)
    if bad.any():
        raise PilotFault("no_number", name=name, row=_line(bad), given=text[bad].iloc[0][:MOST_SHOWN])
    return found


def _flags(given: pd.Series[str], column: str, name: str) -> pd.Series[bool]:
    text = given.astype(str).str.strip().str.lower()
    bad = ~text.isin(["0", "1", "true", "false", "0.0", "1.0"])
    if bad.any():
        raise PilotFault("no_flag", name=name, row=_line(bad), column=column, given=text[bad].iloc[0][:MOST_SHOWN])
    return text.isin(["1", "true", "1.0"])


def _order(times: pd.Series[str], name: str) -> pd.Series[float]:
    """A number by which times sort: numbers as they are, ISO 8601 as moments. The first row says which of the two."""
    numbers = pd.to_numeric(times, errors="coerce")
    moments = pd.to_datetime(times, errors="coerce", format="ISO8601", utc=True)
    counted = bool(pd.notna(numbers.iloc[0]))
    bad = (numbers if counted else moments).isna()
    if bad.any():
        given = times[bad].iloc[0][:MOST_SHOWN]
        raise PilotFault("no_count" if counted else "no_time", name=name, row=_line(bad), given=given)
    return numbers.astype(float) if counted else moments.astype("int64").astype(float)


def _line(bad: pd.Series[bool]) -> int:
    """The line in the file: the head is line 1."""
    return int(np.argmax(bad.to_numpy())) + FIRST_LINE


def _why_no_table(error: Exception) -> str:
    """What pandas says in English, in Vietnamese, with the line where it tells one."""
    if isinstance(error, UnicodeDecodeError):
        return "chữ không phải mã UTF-8"
    if isinstance(error, pd.errors.EmptyDataError):
        return "tệp trống"
    fields = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if fields:
        return f"dòng {fields[2]} có {fields[3]} ô thay vì {fields[1]}"
    return "dấu ngoặc kép hoặc dấu phẩy đặt sai"
