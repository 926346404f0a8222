"""The empty file that a unit fills in: its own columns, its code as text, one row per value that is asked for.

What is written here is read back by spreadsheet.py without a question: tests/connectors/test_sheet_template.py proves
it for every property of the catalogue. Names come from config and could begin like a formula, so every text is stored
as text: a cell of type «s» with a quote prefix is never computed, also after somebody edits it.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from core.catalogue import ObservedProperty

TEXT_FORMAT = "@"
CODE, NAME, WHEN = "Mã đơn vị", "Tên đơn vị", "Thời gian"
_HEAD_FILL = PatternFill("solid", fgColor="FFE9EDF1")
_VALUE_FILL = PatternFill("solid", fgColor="FFFFFDE7")
_THIN = Side(style="thin", color="FF9AA5B1")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_WIDEST = 28.0
_FORBIDDEN_IN_TEXT = {"Cc", "Cs"}  # control characters and halves of a pair: XML cannot hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a template says. `times` are the labels of its rows («10/2026», «21/11/2026 07:00»)."""

    title: str
    owner: str
    unit_code: str
    unit_name: str
    period: str
    times: Sequence[str]
    properties: Sequence[ObservedProperty]
    due: str  # for people: «trước 17:00 ngày 05/11/2026»
    said: str = ""  # in every value instead of nothing


def column_head(item: ObservedProperty) -> str:
    """«Hồ sơ tiếp nhận (hồ sơ)»: the name of the catalogue with its unit in brackets."""
    unit = item.unit_vi or (item.unit if item.unit != "1" else "")
    return f"{item.name_vi} ({unit})" if unit else item.name_vi


def write_template(template: Template) -> bytes:
    """The workbook as bytes of an .xlsx file."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Số liệu"
    _text(sheet, 1, 1, template.title).font = Font(bold=True, size=14)
    _text(sheet, 2, 1, f"Đơn vị: {template.unit_name} · Mã đơn vị: {template.unit_code} · Kỳ: {template.period}")
    _text(sheet, 3, 1, f"Gửi {template.owner or 'trung tâm điều hành'} {template.due}. Chỉ điền vào các ô màu vàng.")
    head = [CODE, NAME, WHEN, *(column_head(item) for item in template.properties)]
    for column, words in enumerate(head, start=1):
        cell = _text(sheet, 5, column, words)
        cell.font, cell.fill, cell.border = Font(bold=True), _HEAD_FILL, _BOX
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        sheet.column_dimensions[get_column_letter(column)].width = min(max(12.0, len(words) * 0.8), _WIDEST)
    sheet.column_dimensions["B"].width = max(16.0, min(len(template.unit_name) + 2.0, 40.0))
    for row, label in enumerate(template.times, start=6):
        for column, words in enumerate((template.unit_code, template.unit_name, label), start=1):
            _text(sheet, row, column, words).border = _BOX
        for column, item in enumerate(template.properties, start=4):
            blank = _text(sheet, row, column, template.said) if template.said else sheet.cell(row, column)
            blank.fill, blank.border = _VALUE_FILL, _BOX
            blank.number_format = "0" if item.decimals == 0 else f"0.{'0' * item.decimals}"
    last = 5 + len(template.times)
    for column, item in enumerate(template.properties, start=4):
        _limits(sheet, item, f"{get_column_letter(column)}6:{get_column_letter(column)}{last}")
    sheet.freeze_panes = "D6"
    _guide(book.create_sheet("Hướng dẫn"), template.properties)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _text(sheet: Worksheet, row: int, column: int, words: str) -> Cell:
    """A cell that stays text whatever it begins with: «=», «+», «-» and «@» start a formula elsewhere."""
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # a new sheet has no merged cells
    cell.value = "".join(mark for mark in words if unicodedata.category(mark) not in _FORBIDDEN_IN_TEXT)
    cell.data_type = "s"
    cell.number_format = TEXT_FORMAT
    cell.quotePrefix = True
    return cell


def _limits(sheet: Worksheet, item: ObservedProperty, cells: str) -> None:
    """Excel itself warns of a value that cannot be; it does not forbid «-» and «KPS»."""
    if item.low == float("-inf") or item.high == float("inf"):
        return
    rule = DataValidation(
        type="decimal",
        operator="between",
        formula1=f"{item.low:g}",
        formula2=f"{item.high:.0f}",
        allow_blank=True,
        errorStyle="warning",
        errorTitle="Ngoài khoảng hợp lý",
        error=f"{item.name_vi[:120]}: từ {item.low:g} đến {item.high:.0f}. Không có số liệu thì để trống hoặc ghi KPS.",
        showErrorMessage=True,
    )
    sheet.add_data_validation(rule)
    rule.add(cells)


def _guide(sheet: Worksheet, properties: Sequence[ObservedProperty]) -> None:
    lines = [
        "Cách điền",
        "Mỗi ô vàng là một giá trị. Để trống hoặc ghi KPS khi không có số liệu; số 0 nghĩa là đã đếm và bằng không.",
        "Ghi số theo kiểu 1.234,5. Không đổi mã đơn vị, thời gian và tiêu đề cột.",
        "Nếu dùng công thức thì lưu tệp bằng Excel trước khi nộp để ô có kết quả.",
        "Tên cột giữ nguyên; cột thêm vào sẽ không được đọc.",
    ]
    for row, words in enumerate(lines, start=1):
        _text(sheet, row, 1, words)
    _text(sheet, 1, 1, lines[0]).font = Font(bold=True)
    sheet.column_dimensions["A"].width = 100
    for row, item in enumerate(properties, start=len(lines) + 2):
        bounds = f"từ {item.low:g} đến {item.high:.0f}" if item.high != float("inf") else "không giới hạn"
        _text(sheet, row, 1, f"Khoảng hợp lý của cột “{column_head(item)}”: {bounds}.")
