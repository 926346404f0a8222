"""How many rows of text a column of the wall holds whole: nothing may be cut off, and no browser can be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

from charts.theme import text_width_px

Row = TypeVar("Row")
MOST_LINES = 2  # of a name
CAREFUL = 1.04  # the widths of letters are good to some per cent


def lines(text: str, size_u: float, width_u: float, most: int = MOST_LINES, *, condensed: bool = False) -> int:
    """How many lines a text takes, broken between words; the style sheet shows at most so many."""
    count, used = 1, 0.0
    blank = text_width_px(" ", size_u, condensed=condensed)
    for word in text.split():
        wide = text_width_px(word, size_u, condensed=condensed) * CAREFUL
        if used and used + blank + wide > width_u:
            count, used = count + 1, wide
        else:
            used += wide + (blank if used else 0.0)
    return min(count, most)


def fitting(rows: Sequence[Row], height_u: Callable[[Row], float], room_u: float) -> Sequence[Row]:
    """The first rows that stand whole in the room; the worst, which is the first, always does."""
    bottoms = accumulate(height_u(row) for row in rows)
    kept = sum(bottom <= room_u for bottom in bottoms)
    return rows[: max(kept, 1)]


def short_value(text: str) -> str:
    """«12 tin» of «12 tin trong 30 phút», «+6,3σ» of «+6,3σ so với thường lệ»: what a column has room for."""
    words = text.split()
    if len(words) <= 2 or not words[0][:2].strip("+−-")[:1].isdigit():
        return text
    return " ".join(words[:2]) if words[0][-1].isdigit() else words[0]
