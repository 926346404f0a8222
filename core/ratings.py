"""Ratings as counts: what a portal or an office reports, and the check that its numbers add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core import formats

POINTS = (1, 2, 3, 4, 5)
POINT_COLUMNS = tuple(f"n{points}" for points in POINTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingCount:
    """Answers about one service at one office in one period, by points, as a file said."""

    period_first: date
    period_end: datetime  # the midnight after its last day
    service: str  # site_ids
    office: str
    n1: int
    n2: int
    n3: int
    n4: int
    n5: int
    asked: int  # to how many people the question went; 0 where nobody wrote it down


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingFile:
    """The file that counts came from. A later one replaces what it says of the same period, service and office."""

    file_name: str
    sha256: str
    imported_at: datetime
    imported_by: str
    account: str


def crossfoot(parts: Sequence[int], total: int) -> str:
    """Why the answers do not fit their total, as a sentence in Vietnamese; empty when they do.

    A published table gave 2.063 + 2.137 + 150 answers of 4.215 forms: 4.350, so 135 answers came from nowhere.
    """
    found = sum(parts)
    if found == total:
        return ""
    sum_said = " + ".join(formats.number(one) for one in parts)
    wrong = "nhiều hơn" if found > total else "ít hơn"
    return (
        f"{sum_said} = {formats.number(found)}, {wrong} tổng số {formats.number(total)} phiếu là "
        f"{formats.number(abs(found - total))}; hãy sửa các ô này rồi nộp lại"
    )
