"""Small cells: counts under k stay unsaid, and so does whatever would let a reader work them out from the totals.

A table of people by ward and category says something about single people as soon as a cell holds few of them. Hiding
that cell is not enough: whoever knows the row total subtracts. So more cells are hidden (complementary suppression),
until no line of the table, its totals included, gives a hidden one away:

    primary         0 < count < k
    complementary   the smallest other count of a line that has one hidden entry, or whose hidden ones add up to < k
    audit           with all that is shown, each hidden count may still be at least two different whole numbers
                    (smallest and largest value by linear programming; Fischetti & Salazar 2000 audit tables so)

A zero is shown: «nobody» is told of nobody. Rates belong only where their counts are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linprog

from core.errors import InputError

K = 5
Counts = npt.NDArray[np.int64]
Hidden = npt.NDArray[np.bool_]
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
    if k < 2:
        raise InputError(f"k = {k}: fewer than two people are no crowd to hide in")
    given = table.fillna(0).to_numpy(dtype=np.float64)
    if not np.isfinite(given).all() or (given < 0).any() or (given != np.round(given)).any():
        raise InputError("small cells: the table must hold counts, whole and not negative")
    full = _with_totals(given.astype(np.int64))
    hidden = (full > 0) & (full < k)
    while _protect_lines(full, hidden, k) or _protect_from_sums(full, hidden):
        pass
    said = pd.DataFrame(full).astype("Int64").mask(pd.DataFrame(hidden))
    cells = said.iloc[:-1, :-1].set_axis(table.index, axis=0).set_axis(table.columns, axis=1)
    return Safe(
        cells=cells,
        rows=said.iloc[:-1, -1].set_axis(table.index).rename(None),
        columns=said.iloc[-1, :-1].set_axis(table.columns).rename(None),
        total=None if hidden[-1, -1] else int(full[-1, -1]),
        hidden=int(hidden[:-1, :-1].sum()),
        k=k,
    )


def _with_totals(cells: Counts) -> Counts:
    wide = np.column_stack((cells, cells.sum(axis=1)))
    return np.vstack((wide, wide.sum(axis=0)))


def _protect_lines(full: Counts, hidden: Hidden, k: int) -> bool:
    """One round over all lines, rows first; True when it hid anything."""
    grew = False
    for values, mask in [*zip(full, hidden, strict=True), *zip(full.T, hidden.T, strict=True)]:
        # A line that tells its total gives away the sum of what it hides: that sum is a count of people too.
        while mask.any() and (mask.sum() == 1 or (not mask[-1] and values[:-1][mask[:-1]].sum() < k)):
            place = _smallest(values, mask)
            if place is None:
                break
            mask[place] = grew = True
    return grew


def _smallest(values: Counts, mask: Hidden) -> int | None:
    """The entry to hide next: the smallest that is not 0, a total only when no cell is left."""
    open_cells = np.flatnonzero(~mask[:-1] & (values[:-1] > 0))
    if len(open_cells):
        return int(open_cells[np.argmin(values[:-1][open_cells])])
    return None if mask[-1] or not values[-1] else len(values) - 1


def _protect_from_sums(full: Counts, hidden: Hidden) -> bool:
    """Hide one entry more where several lines together give a hidden one away; True when there was such a place."""
    for row, column in zip(*np.nonzero(hidden), strict=True):
        low, high = bounds(full, hidden, int(row), int(column))
        if high - low >= _APART:
            continue
        for values, mask in ((full[row], hidden[row]), (full[:, column], hidden[:, column])):
            place = _smallest(values, mask)
            if place is not None:
                mask[place] = True
                return True
    return False


def bounds(full: Counts, hidden: Hidden, row: int, column: int) -> tuple[float, float]:
    """The least and the most that a hidden entry can be for whoever reads the rest of the table.

    `full` holds cells and totals (last row, last column); infinity where nothing bounds it.
    """
    places = list(zip(*np.nonzero(hidden), strict=True))
    lines = [[(r, c) for c in range(full.shape[1])] for r in range(full.shape[0])]
    lines += [[(r, c) for r in range(full.shape[0])] for c in range(full.shape[1])]
    at = {place: number for number, place in enumerate(places)}
    left, right = [], []
    for line in lines:
        if not any(place in at for place in line):
            continue
        weights, known = np.zeros(len(places)), 0.0
        for place in line:
            sign = -1.0 if place == line[-1] else 1.0  # cells add up to the total at the end
            if place in at:
                weights[at[place]] = sign
            else:
                known += sign * float(full[place])
        left.append(weights)
        right.append(-known)
    aim = np.zeros(len(places))
    aim[at[(row, column)]] = 1.0
    found = []
    for sign in (1.0, -1.0):
        answer = linprog(sign * aim, A_eq=np.array(left), b_eq=np.array(right), bounds=(0, None), method="highs")
        found.append(float(answer.fun) * sign if answer.status == 0 else sign * -np.inf)
    return found[0], found[1]
