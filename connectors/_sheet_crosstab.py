"""A crosstab: units or indicators down, periods across («Đơn vị | Tháng 1 | Tháng 2 | … | Cộng»).

Every period column is read as a table of its own that shares the columns of names, so totals, footers, addresses and
units are what they are in any other table. Which indicator is told stands in a column, in the title above, or in a
second head row under each period.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from connectors._sheet_cells import Cell, CellError, Moment, joined_moment, period_in_title, read_moment
from connectors._sheet_layout import SEARCH_ROWS, Column, Sheet, Table, Vocabulary, read_head, settle_unit_or_site
from connectors._vietnamese_text import folded

LEAST_PERIODS = 2
_LABELS = ("site", "site_code", "unit_or_site", "indicator")
_BESIDE = (*_LABELS, "ordinal", "unit")
_SHORT_MONTH = re.compile(r"^\s*T\.? ?(\d{1,2})\b", re.IGNORECASE)
_PERIOD = re.compile(r"(?:thang|quy|nam) ?[\divx]|\d{1,2}[/.-]\d")


@dataclass(frozen=True, slots=True)
class Crosstab:
    """Where it begins, and one table with its period (or why it has none) per period column."""

    head_row: int
    parts: Sequence[tuple[Table, Moment | CellError]]


def find_crosstab(sheet: Sheet, first: int, vocabulary: Vocabulary, known: Moment | None) -> Crosstab | None:
    """The next crosstab whose head is at row `first` or below, or None. `known` is the period of the table above."""
    for row in range(first, min(first + SEARCH_ROWS, len(sheet.rows))):
        cells = [sheet.own(row, column) for column in range(len(sheet.rows[row]))]
        across = [index for index, cell in enumerate(cells) if _names_a_period(cell)]
        if len(across) < LEAST_PERIODS:
            continue
        heads = [
            read_head(index, row, [cell.text] if cell.text else [], vocabulary)
            for index, cell in enumerate(cells)
            if index not in across
        ]
        beside = [column for column in heads if column.role in _BESIDE]
        if not any(column.role in _LABELS for column in beside):
            continue
        titles = [cell.text for above in sheet.rows[first:row] for cell in above if isinstance(cell.value, str)]
        year = period_in_title(" | ".join(titles)) or known
        observed = None if any(one.role == "indicator" for one in beside) else vocabulary.in_title(titles)
        parts = []
        for index, end in pairwise([*across, sheet.width]):
            below = _indicators_below(sheet, row + 1, range(index, end), vocabulary)
            role = "property" if observed else "value"
            values = below or [Column(index, row, cells[index].text, role=role, observed=observed)]
            table = Table(row, row + 2 if below else row + 1, [*beside, *values])
            settle_unit_or_site(sheet, table)
            parts.append((table, _period(cells[index], year, sheet.epoch)))
        return Crosstab(row, parts)
    return None


def _indicators_below(sheet: Sheet, row: int, columns: range, vocabulary: Vocabulary) -> list[Column]:
    """Indicators in a second head row under one period («Tháng 1»: «Tiếp nhận», «Đã giải quyết»)."""
    if row >= len(sheet.rows):
        return []
    texts = [(index, sheet.own(row, index).text) for index in columns]
    found = [read_head(index, row, [text], vocabulary) for index, text in texts if text]
    return [column for column in found if column.role == "property"]


def _names_a_period(cell: Cell) -> bool:
    if isinstance(cell.value, str):
        return len(cell.value) <= 40 and _PERIOD.match(folded(_spelled_out(cell))) is not None
    return isinstance(cell.value, datetime)


def _spelled_out(cell: Cell) -> str:
    return _SHORT_MONTH.sub(r"Tháng \1", cell.text)


def _period(cell: Cell, year: Moment | None, epoch: datetime) -> Moment | CellError:
    """The period of a head; «Tháng 1» takes its year from the title."""
    try:
        if not isinstance(cell.value, str):
            return read_moment(cell, epoch=epoch)
        text = _spelled_out(cell)
        role = "quarter" if folded(text).startswith("quy") else "month"
        return joined_moment({role: Cell(text)}, year, epoch=epoch)
    except CellError as error:
        return error
