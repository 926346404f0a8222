"""A file of ratings by service and office (XLSX, XLS, CSV) -> counts; what is wrong is named by its cell.

Columns, in any order: Kỳ (10/2026 or a day) | Đơn vị | Dịch vụ | 1 điểm … 5 điểm | Tổng phiếu | Số mời (may be absent).
The total is asked for on purpose: answers that do not add up to it are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors._sheet_cells import CellError, read_moment, read_number
from connectors._sheet_files import read_sheets
from connectors._sheet_layout import Sheet
from connectors._sheet_table import address_of
from connectors._vietnamese_text import folded
from core.errors import InputError
from core.ratings import RatingCount, crossfoot

HEADS: Mapping[str, tuple[str, ...]] = {
    "period": ("kỳ", "kỳ báo cáo", "tháng", "ngày"),
    "office": ("đơn vị", "nơi tiếp nhận", "cơ quan"),
    "service": ("dịch vụ", "thủ tục", "lĩnh vực"),
    **{f"n{n}": (f"{n} điểm", f"{n} sao", f"mức {n}") for n in range(1, 6)},
    "total": ("tổng phiếu", "tổng số phiếu", "số phiếu"),
    "asked": ("số mời", "số được hỏi", "số phiếu phát ra"),
}
NEEDED = tuple(name for name in HEADS if name != "asked")
MOST_TOLD = 8
MOST_CELLS = 200_000
_MONTH = re.compile(r"(?:thang )?\d{1,2}\s?[/-]\s?\d{4}")


def read_ratings(
    name: str, body: bytes, offices: Mapping[str, str], services: Mapping[str, str], zone: ZoneInfo
) -> list[RatingCount]:
    """Counts of a file. `offices` and `services` lead from site_ids and names to site_ids.

    Raises InputError in Vietnamese: each line names a cell; nothing is taken from a file with an error.
    """
    sheets = read_sheets(body, name, lambda sheet: _head(sheet) is not None, most_cells=MOST_CELLS)
    for sheet in sheets:
        head = _head(sheet)
        if head is not None:
            found, wrong = _rows(sheet, *head, _places(offices), _places(services), zone)
            break
    else:
        raise InputError(
            f"{name}: không thấy dòng tiêu đề có đủ các cột Kỳ, Đơn vị, Dịch vụ, 1 điểm … 5 điểm, Tổng phiếu"
        )
    if not found and not wrong:
        raise InputError(f"{name}: không có dòng số liệu nào dưới dòng tiêu đề")
    if wrong:
        more = f" (và {len(wrong) - MOST_TOLD} lỗi khác)" if len(wrong) > MOST_TOLD else ""
        raise InputError(f"{name}: " + "; ".join(wrong[:MOST_TOLD]) + more)
    return found


def _places(named: Mapping[str, str]) -> dict[str, str]:
    return {folded(word): site_id for word, site_id in named.items()}


def _head(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    """Row and columns of the head, or None."""
    for row in range(min(len(sheet.rows), 30)):
        columns: dict[str, int] = {}
        for column in range(len(sheet.rows[row])):
            word = folded(sheet.shown(row, column).text)
            for name, words in HEADS.items():
                if word in {folded(one) for one in words} and name not in columns:
                    columns[name] = column
        if all(name in columns for name in NEEDED):
            return row, columns
    return None


def _rows(
    sheet: Sheet,
    head: int,
    columns: Mapping[str, int],
    offices: Mapping[str, str],
    services: Mapping[str, str],
    zone: ZoneInfo,
) -> tuple[list[RatingCount], list[str]]:
    found: list[RatingCount] = []
    wrong: list[str] = []
    taken: dict[tuple[str, str, date, datetime], int] = {}
    for row in range(head + 1, len(sheet.rows)):
        if all(sheet.shown(row, column).blank for column in columns.values()):
            continue
        before = len(wrong)

        def at(name: str, row: int = row) -> str:
            return address_of(sheet, row, columns[name])

        def place(name: str, known: Mapping[str, str], row: int = row, at: Callable[[str], str] = at) -> str:
            text = sheet.shown(row, columns[name]).text.strip()
            if folded(text) not in known:
                wrong.append(f"{at(name)}: «{text[:60]}» không có trong danh mục")
            return known.get(folded(text), "")

        def count(name: str, row: int = row, at: Callable[[str], str] = at) -> int:
            cell = sheet.shown(row, columns[name])
            try:
                number = None if cell.missing else read_number(cell)
            except CellError as error:
                wrong.append(f"{at(name)}: {error}")
                return 0
            value = 0.0 if number is None else number.value
            if value < 0 or value != int(value) or value > 10_000_000:
                wrong.append(f"{at(name)}: phải là số phiếu, không âm và không lẻ")
                return 0
            return int(value)

        office, service = place("office", offices), place("service", services)
        first, end = _period(sheet, row, columns["period"], zone, wrong)
        points = [count(f"n{n}") for n in range(1, 6)]
        total, asked = count("total"), count("asked") if "asked" in columns else 0
        if len(wrong) == before:
            if trouble := crossfoot(points, total):
                wrong.append(f"{at('total')}: {trouble}")
            if asked and asked < total:
                wrong.append(f"{at('asked')}: số mời {asked} ít hơn số phiếu {total}")
            twice = taken.setdefault((office, service, first, end), row)
            if twice != row:
                wrong.append(f"{at('service')}: trùng với dòng {twice + 1}")
        if len(wrong) == before:
            n1, n2, n3, n4, n5 = points
            found.append(
                RatingCount(
                    period_first=first, period_end=end, service=service, office=office,
                    n1=n1, n2=n2, n3=n3, n4=n4, n5=n5, asked=asked,
                )
            )  # fmt: skip
    return found, wrong


def _period(sheet: Sheet, row: int, column: int, zone: ZoneInfo, wrong: list[str]) -> tuple[date, datetime]:
    """First day and closing midnight of «10/2026», «Tháng 10/2026» or a day."""
    cell, where = sheet.shown(row, column), address_of(sheet, row, column)
    nothing = date(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
    try:
        moment = read_moment(cell, epoch=sheet.epoch)
    except CellError as error:
        wrong.append(f"{where}: {error}")
        return nothing
    month = moment.kind == "span" and (not isinstance(cell.value, str) or _MONTH.fullmatch(folded(cell.value)))
    if moment.kind != "day" and not month:
        wrong.append(f"{where}: «{cell.text[:40]}» phải là một tháng như 10/2026, hoặc một ngày")
        return nothing
    last = (moment.end - timedelta(days=1)).date()
    end = datetime.combine(moment.end.date(), time(), zone).astimezone(UTC)
    return last.replace(day=1) if month else last, end
