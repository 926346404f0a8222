"""Excel 97-2003 (.xls, BIFF) -> grids of cells, through xlrd: values, formats, merged ranges, hidden sheets, fonts.

BIFF keeps the last result of every formula but xlrd does not tell a formula from a value: a formula that nobody has
computed arrives as empty text and is read as blank. Macros are never run, links never followed.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from datetime import datetime

import xlrd  # type: ignore[import-untyped]
from xlrd.compdoc import CompDocError  # type: ignore[import-untyped]

from connectors._legacy_fonts import unicode_text
from connectors._sheet_cells import EPOCH_1900, STRUCK, Cell
from connectors._sheet_layout import Sheet
from core.errors import InputError

_BLANK = Cell()
_BROKEN = (
    xlrd.XLRDError, CompDocError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    AssertionError, OSError, EOFError, struct.error,
)  # fmt: skip
log = logging.getLogger(__name__)


def read_xls(body: bytes, where: str, notes: list[str], most_cells: int) -> list[Sheet]:
    """The visible sheets of an .xls file; hidden ones are named in `notes`.

    Raises InputError for a file that is protected, broken or too large.
    """
    try:
        book = xlrd.open_workbook(file_contents=body, formatting_info=True, ragged_rows=True, logfile=io.StringIO())
        return list(_sheets(book, where, notes, most_cells))
    except InputError:
        raise
    except _BROKEN as error:
        words = str(error).casefold()
        if "encrypted" in words or "password" in words:
            raise InputError(f"{where}: tệp có mật khẩu; hãy mở tệp, bỏ mật khẩu và lưu lại") from error
        if "can't find workbook" in words:
            raise InputError(f"{where}: không phải bảng tính .xls; hãy gửi tệp .xlsx, .xls hoặc .csv") from error
        raise InputError(f"{where}: tệp .xls hỏng hoặc chép chưa xong; hãy mở tệp và lưu lại dạng .xlsx") from error


def _sheets(book: xlrd.Book, where: str, notes: list[str], most_cells: int) -> Iterator[Sheet]:
    epoch = datetime(1904, 1, 1) if book.datemode else EPOCH_1900
    count = 0
    for sheet in book.sheets():
        if sheet.visibility:
            log.info("%s: the sheet %s is hidden and is left out", where, sheet.name)
            notes.append(f"Trang ẩn “{sheet.name}” không được đọc.")
            continue
        count += sum(sheet.row_len(row) for row in range(sheet.nrows))
        count += sum((bottom - top) * (right - left) for top, bottom, left, right in sheet.merged_cells)
        if count > most_cells:
            raise InputError(
                f"{where}: có hơn {most_cells} ô; hãy chia thành nhiều tệp hoặc xoá hàng, cột trống đã định dạng"
            )
        rows = [[_cell(book, cell) for cell in sheet.row(row)] for row in range(sheet.nrows)]
        for cells in rows:
            while cells and cells[-1].blank:
                cells.pop()
        while rows and not rows[-1]:
            rows.pop()
        anchors = {
            (row, column): (top, left)
            for top, bottom, left, right in sheet.merged_cells
            for row in range(top, min(bottom, len(rows)))
            for column in range(left, right)
            if (row, column) != (top, left)
        }
        hidden = [
            frozenset(place for place, shape in shapes.items() if shape.hidden)
            for shapes in (sheet.rowinfo_map, sheet.colinfo_map)
        ]
        yield Sheet(sheet.name, rows, anchors, epoch, (hidden[0], hidden[1]))


def _cell(book: xlrd.Book, cell: xlrd.sheet.Cell) -> Cell:
    kind, value = cell.ctype, cell.value
    if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return _BLANK
    style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
    if style and book.font_list[style.font_index].struck_out and str(value)[:1].isdigit():
        return Cell(error=STRUCK)
    if kind == xlrd.XL_CELL_TEXT:
        font = book.font_list[style.font_index].name if style else ""
        return Cell(unicode_text(value, font)) if value else _BLANK
    if kind == xlrd.XL_CELL_ERROR:
        shown = xlrd.error_text_from_code.get(value, "#?")
        return Cell(error=f"công thức báo lỗi {shown}; hãy sửa công thức hoặc để trống")
    if kind == xlrd.XL_CELL_BOOLEAN:
        return Cell("TRUE" if value else "FALSE")
    shape = book.format_map[style.format_key].format_str if style else ""
    if kind == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate.xldate_as_datetime(value, book.datemode)
        except (xlrd.xldate.XLDateError, OverflowError):
            return Cell(float(value), shape)
        return Cell(moment.time() if 0 <= value < 1 else moment, shape)
    return Cell(float(value), shape)
