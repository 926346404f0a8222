"""Small cells: counts under k stay unsaid, and so does whatever would let a reader work them out from the totals.

A table of people by ward and category says something about single people as soon as a cell holds few of them. Hiding
that cell is not enough: whoever knows the row total subtracts. So more cells are hidden (complementary suppression),
until no line of the table, its totals included, gives a hidden one away:

    primary         0 < count < k
    complementary   the smallest other count of a line that has one hidden entry, or whose hidden ones add up to < k
    audit           with all that is shown, each hidden count may still be at least two different whole numbers
                    (smallest and largest value by linear programming; Fischetti & Salazar 2000 audit tables so)

Tables that count the same people (`suppress_linked`) are one system of lines: what one of them tells is known to
whoever reads the other.

A zero is shown: «nobody» is told of nobody. Rates belong only where their counts are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linprog

from core.errors import InputError

K = 5
Counts = npt.NDArray[np.int64]
Hidden = npt.NDArray[np.bool_]
Line = npt.NDArray[np.int64]  # places of entries that add up to the last one of them
_APART = 0.999  # of two whole numbers, as far as a linear programme can tell


@dataclass(frozen=True, slots=True)
class Safe:
    """A table that may be published; `<NA>` where a count is not said. All parts are Int64."""

    cells: pd.DataFrame  # the shape of what was given
    rows: pd.Series  # totals of its rows
    columns: pd.Series  # totals of its columns
    total: int | None
    hidden: int  # cells (totals not counted) that are not said
    k: int


def suppress(table: pd.DataFrame, k: int = K) -> Safe:
    """Counts (rows × columns, whole and not negative; missing counts as 0) -> what of them may be published.

    The totals of rows, of columns and of all are published beside the cells, so they are part of the protection. One
    column is a plain list with its total. Raises InputError for anything that is no count, or k below 2.
    """
    full = _with_totals(_counts(table, k))
    places = np.arange(full.size).reshape(full.shape)
    hidden = _close(full.ravel(), _lines(places), k)
    return _said(table, places, full.ravel(), hidden, k)


def suppress_linked(tables: Sequence[pd.DataFrame], groups: pd.DataFrame, k: int = K) -> tuple[tuple[Safe, ...], Safe]:
    """Tables of the same rows whose cells split the same people in different ways, and one list of these by group.

    All tables have the same index and the same row totals; `groups` has one column, and its total is theirs. Raises
    InputError when they do not, for anything that is no count, or k below 2.
    """
    own = [_with_totals(_counts(one, k)) for one in tables]
    listed = _counts(groups, k).ravel()
    for one, table in zip(own, tables, strict=True):
        if list(table.index) != list(tables[0].index) or not np.array_equal(one[:, -1], own[0][:, -1]):
            raise InputError("small cells: linked tables must have the same rows with the same totals")
    if groups.shape[1] != 1 or listed.sum() != own[0][-1, -1]:
        raise InputError("small cells: the groups of linked tables must add up to their total")
    totals = np.arange(len(own[0]))  # row totals, and that of all at the end: the same entries in every table
    values, lines, laid = [own[0][:, -1]], [], []
    begin = len(totals)
    for one in own:
        inner = np.arange(begin, begin + one[:, :-1].size).reshape(one[:, :-1].shape)
        places = np.column_stack((inner, totals))
        begin += inner.size
        values.append(one[:, :-1].ravel())
        lines += _lines(places)
        laid.append(places)
    members = np.arange(begin, begin + len(listed))
    values.append(listed)
    lines.append(np.append(members, totals[-1]))
    full = np.concatenate(values)
    hidden = _close(full, lines, k)
    # A list is a table of one column: the totals of its rows are its cells.
    column = np.append(members, totals[-1])
    return (
        tuple(_said(table, places, full, hidden, k) for table, places in zip(tables, laid, strict=True)),
        _said(groups, np.column_stack((column, column)), full, hidden, k),
    )


def _counts(table: pd.DataFrame, k: int) -> Counts:
    if k < 2:
        raise InputError(f"k = {k}: fewer than two people are no crowd to hide in")
    given = table.fillna(0).to_numpy(dtype=np.float64)
    if not np.isfinite(given).all() or (given < 0).any() or (given != np.round(given)).any():
        raise InputError("small cells: the table must hold counts, whole and not negative")
    return given.astype(np.int64)


def _with_totals(cells: Counts) -> Counts:
    wide = np.column_stack((cells, cells.sum(axis=1)))
    return np.vstack((wide, wide.sum(axis=0)))


def _lines(places: Counts) -> list[Line]:
    return [*places, *places.T]


def _close(full: Counts, lines: Sequence[Line], k: int) -> Hidden:
    hidden = (full > 0) & (full < k)
    while _protect_lines(full, hidden, lines, k) or _protect_from_sums(full, hidden, lines):
        pass
    return hidden


def _said(table: pd.DataFrame, places: Counts, full: Counts, hidden: Hidden, k: int) -> Safe:
    """The part of the entries that is this table; `places` holds cells and totals."""
    mask = hidden[places]
    said = pd.DataFrame(full[places]).astype("Int64").mask(pd.DataFrame(mask))
    return Safe(
        cells=said.iloc[:-1, :-1].set_axis(table.index, axis=0).set_axis(table.columns, axis=1),
        rows=said.iloc[:-1, -1].set_axis(table.index).rename(None),
        columns=said.iloc[-1, :-1].set_axis(table.columns).rename(None),
        total=None if mask[-1, -1] else int(full[places[-1, -1]]),
        hidden=int(mask[:-1, :-1].sum()),
        k=k,
    )


def _protect_lines(full: Counts, hidden: Hidden, lines: Sequence[Line], k: int) -> bool:
    """One round over all lines; True when it hid anything."""
    grew = False
    for line in lines:
        # A line that tells its total gives away the sum of what it hides: that sum is a count of people too.
        while (mask := hidden[line]).any() and (
            mask.sum() == 1 or (not mask[-1] and full[line[:-1]][mask[:-1]].sum() < k)
        ):
            place = _smallest(full, hidden, line)
            if place is None:
                break
            hidden[place] = grew = True
    return grew


def _smallest(full: Counts, hidden: Hidden, line: Line) -> int | None:
    """The entry to hide next: the smallest that is not 0, a total only when no cell is left."""
    cells = line[:-1]
    still_open = cells[~hidden[cells] & (full[cells] > 0)]
    if len(still_open):
        return int(still_open[np.argmin(full[still_open])])
    return None if hidden[line[-1]] or not full[line[-1]] else int(line[-1])


def _protect_from_sums(full: Counts, hidden: Hidden, lines: Sequence[Line]) -> bool:
    """Hide one entry more where several lines together give a hidden one away; True when there was such a place."""
    for entry in np.flatnonzero(hidden):
        low, high = _bounds(full, hidden, lines, int(entry))
        if high - low >= _APART:
            continue
        for line in lines:
            place = _smallest(full, hidden, line) if entry in line else None
            if place is not None:
                hidden[place] = True
                return True
    return False


def bounds(full: Counts, hidden: Hidden, row: int, column: int) -> tuple[float, float]:
    """The least and the most that a hidden entry can be for whoever reads the rest of the table.

    `full` holds cells and totals (last row, last column); infinity where nothing bounds it.
    """
    places = np.arange(full.size).reshape(full.shape)
    return _bounds(full.ravel(), hidden.ravel(), _lines(places), int(places[row, column]))


def _bounds(full: Counts, hidden: Hidden, lines: Sequence[Line], entry: int) -> tuple[float, float]:
    at = {int(place): number for number, place in enumerate(np.flatnonzero(hidden))}
    left, right = [], []
    for line in lines:
        if not hidden[line].any():
            continue
        weights, known = np.zeros(len(at)), 0.0
        for place in line:
            sign = -1.0 if place == line[-1] else 1.0  # cells add up to the total at the end
            if hidden[place]:
                weights[at[int(place)]] = sign
            else:
                known += sign * float(full[place])
        left.append(weights)
        right.append(-known)
    aim = np.zeros(len(at))
    aim[at[entry]] = 1.0
    found = []
    for sign in (1.0, -1.0):
        answer = linprog(sign * aim, A_eq=np.array(left), b_eq=np.array(right), bounds=(0, None), method="highs")
        found.append(float(answer.fun) * sign if answer.status == 0 else sign * -np.inf)
    return found[0], found[1]
