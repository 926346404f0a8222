"""A public table must not let a neighbour work out what was hidden, neither by subtraction nor by algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.small_cells import bounds, suppress
from core.errors import InputError


def frame(rows: list[list[int]]) -> pd.DataFrame:
    """Wards down, categories across."""
    return pd.DataFrame(rows, index=[f"w{n}" for n in range(len(rows))], columns=[f"c{n}" for n in range(len(rows[0]))])


def test_a_count_under_five_is_hidden_and_a_zero_is_told() -> None:
    safe = suppress(frame([[4, 12, 9], [7, 30, 0], [11, 8, 20]]))
    assert pd.isna(safe.cells.at["w0", "c0"])
    assert safe.cells.at["w1", "c2"] == 0
    assert safe.total == 101


def test_the_row_total_does_not_give_the_hidden_count_away() -> None:
    safe = suppress(frame([[2, 12, 9], [7, 30, 6], [11, 8, 20]]))
    for line in (safe.cells.loc["w0"], safe.cells["c0"]):
        assert line.isna().sum() >= 2, "one hidden cell in a line with a total is no secret"
    assert not safe.rows.isna().any()
    assert not safe.columns.isna().any()


def test_two_hidden_ones_do_not_add_up_to_a_crowd_of_three() -> None:
    """1 + 2 = 3: the sum that the total gives away is itself a handful of people."""
    table = frame([[1], [2], [40], [9]])
    safe = suppress(table)
    shown = safe.cells["c0"]
    assert int(table["c0"][shown.isna().to_numpy()].sum()) >= 5
    assert safe.total == 52


def test_a_row_of_few_people_hides_its_own_total_too() -> None:
    safe = suppress(frame([[1, 2], [30, 44], [25, 60]]))
    assert pd.isna(safe.rows["w0"])
    assert safe.rows.isna().sum() >= 2


def test_two_loops_tied_by_one_cell_do_not_betray_it() -> None:
    """Every line hides two cells, and yet sums of lines leave one value for the cell between the loops."""
    full = np.array([[3, 3, 9, 9], [3, 3, 3, 9], [9, 9, 3, 3], [9, 9, 3, 3]]) + 20
    full = np.vstack((np.column_stack((full, full.sum(1))), np.append(full.sum(0), full.sum())))
    hidden = np.zeros_like(full, dtype=bool)
    for place in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 2), (3, 3)]:
        hidden[place] = True
    low, high = bounds(full, hidden, 1, 2)
    assert high - low < 0.5, "the audit must see through the two loops"
    table = frame([[3, 3, 29, 29], [3, 3, 3, 29], [29, 29, 3, 3], [29, 29, 3, 3]])
    assert audited(table)


@pytest.mark.parametrize("seed", range(12))
def test_no_hidden_count_of_any_table_is_certain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert audited(frame(rng.poisson(rng.choice([1.0, 4.0, 15.0], (6, 4))).tolist()))


def audited(table: pd.DataFrame) -> bool:
    """Every hidden cell keeps at least two possible values for whoever reads the published table."""
    safe = suppress(table)
    cells = table.to_numpy()
    full = np.vstack((np.column_stack((cells, cells.sum(1))), np.append(cells.sum(0), cells.sum())))
    said = np.vstack(
        (
            np.column_stack((safe.cells.isna().to_numpy(), safe.rows.isna().to_numpy())),
            np.append(safe.columns.isna().to_numpy(), safe.total is None),
        )
    ).astype(bool)
    shown = full[~said]
    assert not ((shown > 0) & (shown < 5)).any(), "a small count was published"
    for row, column in zip(*np.nonzero(said), strict=True):
        low, high = bounds(full, said, row, column)
        if high - low < 0.9:
            return False
    return True


def test_what_is_no_count_is_refused() -> None:
    for bad in ([[1.5]], [[-1]], [[float("inf")]]):
        with pytest.raises(InputError):
            suppress(pd.DataFrame(bad))
    with pytest.raises(InputError):
        suppress(frame([[3]]), k=1)


def test_a_city_with_one_small_number_says_nothing() -> None:
    safe = suppress(frame([[3]]))
    assert pd.isna(safe.cells.iloc[0, 0])
    assert safe.total is None
