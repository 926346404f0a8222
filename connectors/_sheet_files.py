"""Bytes of an office file -> grids of cells: XLSX through openpyxl, .xls through _sheet_xls.py, CSV with any delimiter
and any usual encoding.

What arrives is not trusted: sizes are checked before anything is unpacked, and whatever a broken file makes the
library raise becomes one InputError that names the file.
"""

from __future__ import annotations

import csv
import io
import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import range_boundaries
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import iterparse

from connectors._legacy_fonts import unicode_text
from connectors._sheet_cells import EPOCH_1900, STRUCK, Cell
from connectors._sheet_layout import Sheet
from connectors._sheet_xls import read_xls
from connectors._vietnamese_text import decoded
from core.errors import InputError

FILE_BYTES_MAX = 20 * 1024 * 1024
UNPACKED_BYTES_MAX = 150 * 1024 * 1024
PACKING_RATIO_MAX = 200  # real workbooks pack 5 to 30 times
RATIO_COUNTS_FROM_BYTES = (
    10 * 1024 * 1024
)  # a small workbook of equal cells may pack as well as a bomb, and harms nobody
CELLS_MAX = 1_000_000
MERGED_CELLS_MAX = 1_000_000
_COLUMNS_MAX = 16_384
DELIMITERS = ";\t|,"

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PAGE = re.compile(rb"\s*(?:<!doctype|<html|<table|<\?xml|<body|mime-version)", re.IGNORECASE)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=[\"']([A-Z0-9:]+)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_UNUSED = {  # parts of a package that are never run or followed here; whoever opens the file elsewhere should know
    "vbaProject.bin": "Tệp có macro; macro không được chạy ở đây.",
    "xl/externalLinks/": "Tệp có liên kết tới tệp khác; chỉ đọc số đã lưu trong tệp này.",
}

log = logging.getLogger(__name__)


def read_sheets(
    body: bytes,
    where: str,
    finds_table: Callable[[Sheet], bool],
    notes: list[str] | None = None,
    most_cells: int = CELLS_MAX,
) -> list[Sheet]:
    """The visible sheets of a workbook, or the one of a CSV. `finds_table` decides between delimiters.

    What was left out goes into `notes`, for people. A file of more than `most_cells` is refused before it is read.

    Raises InputError for a file that is empty, too large, protected, broken, or of another kind.
    """
    if len(body) > FILE_BYTES_MAX:
        raise InputError(f"{where}: lớn hơn {FILE_BYTES_MAX // 2**20} MiB; hãy chia thành nhiều tệp")
    if not body.strip(b"\0 \r\n\t"):
        raise InputError(f"{where}: tệp rỗng; hãy chép lại tệp")
    if body.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in body:
            raise InputError(f"{where}: tệp có mật khẩu; hãy mở tệp, bỏ mật khẩu và lưu lại")
        return read_xls(body, where, notes if notes is not None else [], most_cells)
    if body.startswith(_ZIP):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # openpyxl tells of styles and drawings that no value depends on
                return list(_workbook_sheets(body, where, notes if notes is not None else [], most_cells))
        except InputError:
            raise
        except Exception as error:  # whatever openpyxl, zipfile, expat or Pillow (a picture bomb) find in a forged file
            raise InputError(f"{where}: tệp XLSX hỏng hoặc chép chưa xong; hãy mở tệp, lưu lại và chép lại") from error
    if body.startswith(b"%PDF"):
        raise InputError(f"{where}: là tệp PDF, không phải bảng tính; hãy gửi tệp .xlsx hoặc .csv")
    if _PAGE.match(body.removeprefix(b"\xef\xbb\xbf")):
        raise InputError(f"{where}: là trang HTML hoặc XML mang tên bảng tính; hãy mở bằng Excel và lưu lại dạng .xlsx")
    return [_csv_sheet(decoded(body, where), where, finds_table, most_cells)]


def _workbook_sheets(body: bytes, where: str, notes: list[str], most_cells: int) -> Iterator[Sheet]:
    _check_package(body, where, most_cells)
    reader = ExcelReader(io.BytesIO(body), data_only=True, keep_links=False)
    reader.read()
    parts = {sheet.name: link.target for sheet, link in reader.parser.find_sheets()}
    epoch = datetime(1904, 1, 1) if reader.wb.epoch == CALENDAR_MAC_1904 else EPOCH_1900
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        notes += [words for part, words in _UNUSED.items() if any(part in name for name in package.namelist())]
        for worksheet in reader.wb.worksheets:
            if worksheet.sheet_state != "visible":
                log.info("%s: the sheet %s is hidden and is left out", where, worksheet.title)
                notes.append(f"Trang ẩn “{worksheet.title}” không được đọc.")
                continue
            part = parts.get(worksheet.title, "")
            content = package.read(part) if part else b""
            uncomputed = _uncomputed_formulas(content) if _FORMULA.search(content) else frozenset()
            yield _grid(worksheet, uncomputed, epoch)


def _check_package(body: bytes, where: str, most_cells: int) -> None:
    """Refuse what is no XLSX and what would unpack to more than a report can be."""
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        parts = package.infolist()
        names = {part.filename for part in parts}
        unpacked = sum(part.file_size for part in parts)
        if any(part.flag_bits & 1 for part in parts):
            raise InputError(f"{where}: tệp có mật khẩu; hãy bỏ mật khẩu và lưu lại")
        if unpacked > UNPACKED_BYTES_MAX or unpacked > max(RATIO_COUNTS_FROM_BYTES, PACKING_RATIO_MAX * len(body)):
            raise InputError(
                f"{where}: nội dung giải nén {unpacked // 2**20} MiB là quá lớn so với một báo cáo; "
                "hãy xoá hàng, cột trống đã định dạng rồi lưu lại"
            )
        if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
            raise InputError(f"{where}: không phải bảng tính XLSX; hãy mở tệp và lưu lại dạng .xlsx")
        if "xl/workbook.bin" in names:
            raise InputError(f"{where}: tệp .xlsb không đọc được; hãy lưu lại dạng .xlsx")
        cells = merged = 0
        for name in names:
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                content = package.read(name)
                cells += content.count(b"<c ") + content.count(b":c ") + content.count(b"<c>")
                for match in _MERGED.finditer(content):
                    left, top, right, bottom = (int(edge or 1) for edge in range_boundaries(match[1].decode("ascii")))
                    merged += (right - left + 1) * (bottom - top + 1)
    if cells > most_cells or merged > MERGED_CELLS_MAX:
        raise InputError(
            f"{where}: có hơn {most_cells} ô; hãy chia thành nhiều tệp hoặc xoá hàng, cột trống đã định dạng"
        )


def _uncomputed_formulas(content: bytes) -> frozenset[str]:
    """Addresses of formulas without a stored result. A text formula that gave "" has a result: it is blank."""
    found = set()
    for _, element in iterparse(io.BytesIO(content)):
        kind = element.tag.rpartition("}")[2]
        if kind == "c":
            children = {child.tag.rpartition("}")[2]: child for child in element}
            stored = children.get("v")
            if (
                "f" in children
                and (stored is None or not stored.text)
                and element.get("t") != "str"
                and "is" not in children
            ):
                found.add(element.get("r", ""))
        elif kind == "row":
            element.clear()
    return frozenset(found)


def _grid(worksheet: Worksheet, uncomputed: frozenset[str], epoch: datetime) -> Sheet:
    rows: list[list[Cell]] = []
    for (row, column), found in sorted(
        worksheet._cells.items()
    ):  # sparse: iter_rows() would fill up to the last stray cell
        cell = _cell(found.value, found.number_format, found.data_type, found.coordinate in uncomputed)
        if found.has_style and found.font.strike and cell.text[:1].isdigit():
            cell = Cell(error=STRUCK)
        elif isinstance(cell.value, str) and not cell.value.isascii():
            cell = Cell(unicode_text(cell.value, found.font.name or ""))
        if cell.blank:
            continue
        rows.extend([] for _ in range(row - len(rows)))
        rows[row - 1].extend([_BLANK] * (column - 1 - len(rows[row - 1])))
        rows[row - 1].append(cell)
    anchors = {
        (row, column): (merged.min_row - 1, merged.min_col - 1)
        for merged in worksheet.merged_cells.ranges
        for row in range(merged.min_row - 1, min(merged.max_row, len(rows)))
        for column in range(merged.min_col - 1, merged.max_col)
        if (row, column) != (merged.min_row - 1, merged.min_col - 1)
    }
    return Sheet(worksheet.title, rows, anchors, epoch, _hidden(worksheet))


def _hidden(worksheet: Worksheet) -> tuple[frozenset[int], frozenset[int]]:
    """Rows and columns that a filter or a hand has hidden, from 0. One entry may stand for a group of columns."""
    rows = {row - 1 for row, shape in worksheet.row_dimensions.items() if shape.hidden}
    columns = {
        column - 1
        for shape in worksheet.column_dimensions.values()
        if shape.hidden
        for column in range(shape.min or 1, min(shape.max or shape.min or 1, _COLUMNS_MAX) + 1)
    }
    return frozenset(rows), frozenset(columns)


_BLANK = Cell()


def _cell(value: object, number_format: str, data_type: str, uncomputed: bool) -> Cell:
    if uncomputed:
        return Cell(error="công thức chưa có giá trị, hãy mở tệp và lưu lại")
    if data_type == "e":
        return Cell(error=f"công thức báo lỗi {value}; hãy sửa công thức hoặc để trống")
    if value is None:
        return _BLANK
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE")
    if isinstance(value, int | float):
        return Cell(float(value), number_format)
    if isinstance(value, datetime | time | timedelta):
        return Cell(value, number_format)
    if isinstance(value, date):
        return Cell(datetime(value.year, value.month, value.day), number_format)
    return Cell(str(value))


def _csv_sheet(text: str, where: str, finds_table: Callable[[Sheet], bool], most_cells: int) -> Sheet:
    """The delimiter under which a known table appears; else the one that is there most often, for the message."""
    first, _, rest = text.partition("\n")
    if (chosen := first.strip().casefold()).startswith("sep=") and len(chosen) == 5:
        return _csv_grid(rest, where, chosen[4], most_cells)
    failed: InputError | None = None
    sheets = []
    for delimiter in sorted(DELIMITERS, key=text[:20_000].count, reverse=True):
        try:
            sheet = _csv_grid(text, where, delimiter, most_cells)
        except InputError as error:
            failed = failed or error
            continue
        if finds_table(sheet):
            return sheet
        sheets.append(sheet)
    if failed or not sheets:
        raise failed or InputError(f"{where}: không đọc được; hãy lưu lại dạng .xlsx")
    return sheets[0]


def _csv_grid(text: str, where: str, delimiter: str, most_cells: int) -> Sheet:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[Cell]] = []
    count = 0
    try:
        for record in reader:
            while record and not record[-1].strip():
                record.pop()
            rows.append([Cell(value) if value.strip() else _BLANK for value in record])
            count += len(record)
            if count > most_cells:
                raise InputError(f"{where}: có hơn {most_cells} ô; hãy chia thành nhiều tệp")
    except csv.Error as error:
        raise InputError(
            f"{where}, dòng {reader.line_num}: dấu nháy kép không đóng đúng chỗ hoặc ô quá dài; "
            "hãy sửa hay lưu lại dạng .xlsx"
        ) from error
    return Sheet("", rows)
